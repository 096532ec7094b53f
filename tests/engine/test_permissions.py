"""Owners and permissions of a store's files."""

import os
import stat
from pathlib import Path

import pytest

import kvlib
from helpers.stores import content
from kvlib import Store

posix = pytest.mark.skipif(os.name == "nt", reason="an open file keeps its name there")


def modes(path: Path) -> dict[str, int]:
    """Return the permissions of all files."""
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.iterdir()}


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660, 0o666])
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o000])
def test_new_files_have_the_permissions_of_those_they_replace(
    mode: int, mask: int, tmp_path: Path
) -> None:
    """New files get the permissions of those they replace, whatever makes them."""
    path = tmp_path / "store"
    with kvlib.open(path) as store:
        store["a"] = "1"
    for file in path.iterdir():
        file.chmod(mode)
    path.chmod(0o750)
    before = os.umask(mask)
    try:
        with kvlib.open(path) as store:
            store.compact()
            assert set(modes(path).values()) == {mode}
            store["b"] = "2"
            (path / "log.new").write_bytes(b"a leftover")
            store.compact()
            assert set(modes(path).values()) == {mode}
            store["c"] = "3"
            store.backup(tmp_path / "backup")
        with (path / "log").open("ab") as log:
            log.write(b"torn")
        kvlib.open(path).close()
        assert set(modes(path).values()) == {mode}
        memory = Store()
        memory.deserialize(path)
        memory.serialize(path)
        assert set(modes(path).values()) == {mode}
    finally:
        os.umask(before)
    made = modes(tmp_path / "backup")
    del made["lock"]  # it holds nothing
    assert set(made.values()) == {mode}
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) & ~0o750 == 0


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)
def test_what_root_compacts_stays_with_its_owner(tmp_path: Path) -> None:
    """Files that root writes keep their owner, who could not open the store otherwise."""
    path = tmp_path / "store"
    with kvlib.open(path) as store:
        store["a"] = "1"
    for file in path.iterdir():
        os.chown(file, 12345, 23456)
    with kvlib.open(path) as store:
        store.compact()
    owners = {(file.stat().st_uid, file.stat().st_gid) for file in path.iterdir()}
    assert owners == {(12345, 23456)}


def test_where_owners_cannot_be_changed_the_mode_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the system forbids changing the owner or mode, the store is written all the same."""

    def refuse(*_: object) -> None:
        raise PermissionError

    path = tmp_path / "store"
    store = kvlib.open(path)
    store["a"] = "1"
    if hasattr(os, "fchmod"):
        monkeypatch.setattr(os, "fchown", refuse)
        store.compact()
        monkeypatch.setattr(os, "fchmod", refuse)
    store.compact()
    assert content(path) == {"a": "1"}
    store.close()
