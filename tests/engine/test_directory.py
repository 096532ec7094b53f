"""Somebody else's hands in a store's directory, while it is open.

A descriptor goes on working when its file is deleted or replaced. So before anything is
acknowledged, the store compares what it holds open with what the names lead to.
"""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

import kvlib
from kvlib import DirectoryDisk, DurableStore, Store, WriteRefusedError
from kvlib.encoding import Item

Sync = Literal["always", "never"] | int
MODES: list[Sync] = ["always", 2, "never"]
Records = dict[Item, Item]


def another_writer(path: Path, compact: bool = False) -> None:
    """Somebody who opens the store, puts one record, perhaps compacts, and closes it."""
    with kvlib.open(path) as store:
        store["theirs"] = "2"
        if compact:
            store.compact()


def content(path: Path) -> Records:
    """What a reader finds."""
    with kvlib.open(path, read_only=True) as store:
        return dict(store)


# --- what happens to the files -------------------------------------------------------------------


def lock_deleted(path: Path) -> None:
    """As a user does who finds a store locked; the next one to open it makes a new one."""
    (path / "lock").unlink()
    another_writer(path)


def lock_replaced(path: Path) -> None:
    """By an editor, or a synchronizing tool."""
    (path / "lock.new").touch()
    (path / "lock.new").replace(path / "lock")
    another_writer(path)


def lock_moved(path: Path) -> None:
    """Its descriptor still has a name, which is not `lock`."""
    (path / "lock").rename(path / "lock.old")
    another_writer(path)


def lock_deleted_and_compacted(path: Path) -> None:
    """The other writer leaves a log of its own."""
    (path / "lock").unlink()
    another_writer(path, compact=True)


def log_deleted(path: Path) -> None:
    """The name alone."""
    (path / "log").unlink()


def log_moved(path: Path) -> None:
    """Its descriptor still has a name, which is not `log`."""
    (path / "log").rename(path / "log.bak")


def log_replaced(path: Path) -> None:
    """By a copy: the same bytes in another file."""
    shutil.copy(path / "log", path / "copy")
    (path / "copy").replace(path / "log")


def log_truncated(path: Path) -> None:
    """The file is the same, and shorter."""
    os.truncate(path / "log", os.path.getsize(path / "log") - 1)


def log_appended_to(path: Path) -> None:
    """The file is the same, and longer."""
    with (path / "log").open("ab") as log:
        log.write(b"\0")


def directory_deleted(path: Path) -> None:
    """With all that is in it."""
    shutil.rmtree(path)


def directory_moved(path: Path) -> None:
    """Everything is there, elsewhere."""
    path.rename(path.with_name("elsewhere"))


def directory_made_anew(path: Path) -> None:
    """Another store at the same path, as `lessons.workspace` makes it when it runs again."""
    shutil.rmtree(path)
    another_writer(path)


SEEN_AT_ONCE = [
    lock_deleted,
    lock_deleted_and_compacted,
    log_deleted,
    log_truncated,
    log_appended_to,
    directory_deleted,
    directory_made_anew,
]
# Seen when names count: by an fsync, a snapshot, a close.
SEEN_BY_NAME = [lock_replaced, lock_moved, log_moved, log_replaced, directory_moved]

posix = pytest.mark.skipif(os.name == "nt", reason="an open file keeps its name there")


def opened(path: Path, mode: Sync, how: str) -> DurableStore:
    """A store with one record, opened in one of the ways in which a log comes into use."""
    if how != "new":
        store = kvlib.open(path)
        store["ours"] = "1"
        store.close()
    store = kvlib.open(path, sync=mode)
    if how != "closed":  # whose log is in use as it was found, nothing appended yet
        store["ours"] = "1"
        store.sync()
    return store


def put(store: DurableStore) -> None:
    """One record."""
    store["lost"] = "3"


def update(store: DurableStore) -> None:
    """Several."""
    store.update({"lost": "3"})


def batch(store: DurableStore) -> None:
    """Several."""
    with store.batch():
        store["lost"] = "3"


def delete(store: DurableStore) -> None:
    """One record."""
    del store["ours"]


def compact(store: DurableStore) -> None:
    """A new snapshot."""
    store.compact()


def files(path: Path) -> dict[str, bytes]:
    """What is there."""
    return {file.name: file.read_bytes() for file in path.iterdir()} if path.exists() else {}


HOW = pytest.mark.parametrize("how", ["new", "reopened", "closed"])


def check_refused(store: DurableStore, act: Callable[[DurableStore], None], path: Path) -> None:
    """The write is refused, in words; nothing has changed, in memory or in the files."""
    before, held = files(path), dict(store)
    with pytest.raises((WriteRefusedError, FileNotFoundError)) as info:
        act(store)
    if isinstance(info.value, WriteRefusedError):
        assert str(path) in str(info.value)
        assert "backup() saves what is in memory" in str(info.value)
    assert store == held
    with pytest.raises((WriteRefusedError, FileNotFoundError)):
        store["next"] = "3"
    assert files(path) == before


ACTS = [(put, "new"), (put, "reopened"), (put, "closed")]
ACTS += [(update, "new"), (batch, "new"), (delete, "new"), (compact, "closed")]
# A snapshot of all that is in memory may replace a log that was changed, under our own lock.
CASES = [
    (event, act, how)
    for event in SEEN_AT_ONCE
    for act, how in ACTS
    if act is not compact or event not in (log_truncated, log_appended_to)
]


@posix
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("event", "act", "how"), CASES)
def test_a_file_that_is_gone_or_changed_is_not_written_to(
    event: Callable[[Path], None],
    act: Callable[[DurableStore], None],
    mode: Sync,
    how: str,
    tmp_path: Path,
) -> None:
    """Whoever came later loses nothing; in every mode it is seen before the first byte."""
    store = opened(tmp_path / "store", mode, how)
    event(tmp_path / "store")
    check_refused(store, act, tmp_path / "store")


@posix
@HOW
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("event", SEEN_BY_NAME)
def test_a_name_that_leads_elsewhere_is_seen_by_what_makes_durable(
    event: Callable[[Path], None], mode: Sync, how: str, tmp_path: Path
) -> None:
    """A put without an fsync may be acknowledged still; sync(), compact() and close() are not."""
    path = tmp_path / "store"
    store = opened(path, mode, how)
    event(path)
    with pytest.raises(WriteRefusedError, match="backup"):
        store["lost"] = "3"
        if mode != "always":
            store.sync()
    assert mode != "always" or "lost" not in store
    with pytest.raises(WriteRefusedError):
        store["next"] = "3"
    before = files(path)
    with pytest.raises((WriteRefusedError, FileNotFoundError)):
        store.compact()
    store.close()  # it has been said
    assert files(path) == before


@posix
@pytest.mark.parametrize("event", SEEN_AT_ONCE + SEEN_BY_NAME)
@pytest.mark.parametrize("mode", [2, "never"])
def test_a_close_tells_what_it_could_not_keep(
    event: Callable[[Path], None], mode: Sync, tmp_path: Path
) -> None:
    """A put that was acknowledged before the event, without an fsync: close() raises."""
    path = tmp_path / "store"
    store = kvlib.open(path, sync=mode)
    store["ours"] = "1"
    event(path)
    with pytest.raises(WriteRefusedError):
        store.close()
    with pytest.raises(ValueError, match="closed"):
        len(store)


LASTING = [event for event in SEEN_AT_ONCE + SEEN_BY_NAME if "log_" not in event.__name__]


@posix
@pytest.mark.parametrize("event", [*LASTING, log_deleted, log_moved, log_replaced])
def test_what_is_in_memory_can_be_saved_elsewhere(
    event: Callable[[Path], None], tmp_path: Path
) -> None:
    """The error says how: backup()."""
    path = tmp_path / "store"
    store = opened(path, "always", "new")
    event(path)
    with pytest.raises(WriteRefusedError):
        store["lost"] = "3"
    store.backup(tmp_path / "saved")
    assert content(tmp_path / "saved") == {"ours": "1"}
    with pytest.raises((WriteRefusedError, FileNotFoundError)):
        store.compact()  # it heals other failures, not this one
    store.close()


@posix
def test_another_process_is_another_writer(tmp_path: Path) -> None:
    """Its record is kept; ours is refused, not acknowledged and lost."""
    path = tmp_path / "store"
    store = kvlib.open(path)
    store["a"] = "1"
    (path / "lock").unlink()
    code = "import sys, kvlib; store = kvlib.open(sys.argv[1]); store['b'] = '2'; store.close()"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    with pytest.raises(WriteRefusedError):
        store["c"] = "3"
    store.close()
    assert content(path) == {"a": "1", "b": "2"}


@posix
def test_two_workspaces_of_one_name_are_two_stores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook's cell runs again while the first store is still open."""
    from kvlib.lessons import workspace

    monkeypatch.chdir(tmp_path)
    first = kvlib.open(workspace("lab"))
    first["a"] = "1"
    second = kvlib.open(workspace("lab"))
    second["b"] = "2"
    with pytest.raises(WriteRefusedError):
        first["c"] = "3"
    second["d"] = "4"
    second.close()
    with kvlib.open(second._disk) as store:
        assert store == {"b": "2", "d": "4"}


@posix
def test_a_snapshot_replaces_nothing_that_came_after_it_looked(tmp_path: Path) -> None:
    """Serializing over a store: if somebody puts another one there meanwhile, it stays."""

    class Meddled(DirectoryDisk):
        def entropy(self, size: int) -> bytes:
            log_replaced(tmp_path / "store")
            return super().entropy(size)

    store = Store()
    store["a"] = "1"
    store.serialize(tmp_path / "store")
    store["a"] = "2"
    with pytest.raises(WriteRefusedError):
        store.serialize(Meddled(tmp_path / "store"))
    assert content(tmp_path / "store") == {"a": "1"}


# --- permissions ---------------------------------------------------------------------------------


def modes(path: Path) -> dict[str, int]:
    """The permissions of all files."""
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.iterdir()}


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660, 0o666])
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o000])
def test_new_files_have_the_permissions_of_those_they_replace(
    mode: int, mask: int, tmp_path: Path
) -> None:
    """Whatever makes them: compacting, opening after a crash, serializing, backing up."""
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
    """Otherwise its owner could not open it any more."""
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
    """Whoever is not root may be refused; the store is written all the same."""

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
