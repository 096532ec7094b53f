"""Hostile directories: links, pipes and folders in place of files, and strange names."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

import kvlib
from helpers.vocabulary import frame, put, store_files
from kvlib import CorruptionError
from kvlib.__main__ import main
from tools.fuzz.feeding import patience

FIRST, COMING = f"{1:016x}.{0:08x}.segment", f"{4:016x}.{0:08x}.segment"
OPEN = store_files({"café": "1"}, frame(b"M", 2, put("a", "1")))
CLOSED = store_files({"café": "1"}, frame(b"M", 2, put("a", "1")), frame(b"C", 3, b""))
ITEMS = {"café": "1", "a": "1"}

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes, and few may make links")


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    """Make a directory with these files."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Return the regular files of a directory, except for the lock."""
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.is_file() and not path.is_symlink() and path.name != "lock"
    }


Place = Callable[[Path, Path], None]
PLACES: dict[str, Place] = {
    "a link to a file": lambda path, outside: path.symlink_to(outside),
    "a link to no file": lambda path, outside: path.symlink_to(outside.with_name("nowhere")),
    "a link to an endless file": lambda path, outside: path.symlink_to("/dev/zero"),
    "a directory": lambda path, outside: path.mkdir(),
    "a pipe": lambda path, outside: os.mkfifo(path),
}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """Yield what puts something else in place of a file.

    Afterwards nothing outside the store may have changed; waiting forever is a TimeoutError.
    """
    outside = tmp_path / "outside"
    outside.write_bytes(OPEN["log"])  # following the link would work
    with patience(60):
        yield lambda path: PLACES[request.param](path, outside)
    assert outside.read_bytes() == OPEN["log"]
    assert {path.name for path in tmp_path.iterdir()} == {"outside", "store"}


def check_refusals(path: Path, *actions: Callable[[], object]) -> None:
    """Check that each action refuses the file at this path."""
    for action in actions:
        with pytest.raises(CorruptionError, match="regular file") as caught:
            action()
        assert (caught.value.path, caught.value.offset) == (str(path), 0)


@posix
@pytest.mark.parametrize("name", ["log", FIRST])
def test_only_regular_files_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: Callable[[Path], None], name: str
) -> None:
    """A file that isn't regular is damage: kvlib neither follows it nor waits for it."""
    folder = fill(tmp_path / "store", OPEN)
    (folder / name).unlink()
    place(folder / name)
    before = contents(folder)
    check_refusals(
        folder / name,
        partial(kvlib.open, folder),
        partial(kvlib.open, folder, read_only=True),
        partial(kvlib.Store().deserialize, folder),
        partial(kvlib.Store().serialize, folder),
    )
    for command in ("check", "dump", "compact"):
        assert main([command, str(folder)]) == 1
        assert capsys.readouterr().err.startswith(f"kvlib: {folder / name}: ")
    assert contents(folder) == before


@posix
def test_only_a_regular_file_is_locked(tmp_path: Path, place: Callable[[Path], None]) -> None:
    """A writer refuses a lock that isn't a regular file; a reader needs no lock."""
    folder = fill(tmp_path / "store", OPEN)
    place(folder / "lock")
    actions = partial(kvlib.open, folder), partial(kvlib.Store().serialize, folder)
    check_refusals(folder / "lock", *actions)
    assert dict(kvlib.open(folder, read_only=True)) == ITEMS
    assert main(["check", str(folder)]) == 0
    assert main(["compact", str(folder)]) == 1
    assert contents(folder) == OPEN


@posix
def test_only_a_regular_file_becomes_the_new_log(
    tmp_path: Path, place: Callable[[Path], None]
) -> None:
    """A log.new that isn't a regular file blocks snapshots but no mutation, and stays as it is."""
    folder = fill(tmp_path / "store", CLOSED)
    place(folder / "log.new")
    assert main(["check", str(folder)]) == 0
    assert main(["dump", str(folder)]) == 0
    with kvlib.open(folder) as opened:
        opened["b"] = "2"
        check_refusals(folder / "log.new", opened.compact)
        opened["c"] = "3"
    with kvlib.open(folder) as opened:
        assert dict(opened) == ITEMS | {"b": "2", "c": "3"}
    (folder / "log").write_bytes(OPEN["log"])  # not closed, so opening publishes a snapshot
    check_refusals(folder / "log.new", partial(kvlib.open, folder))
    assert dict(kvlib.open(folder, read_only=True)) == ITEMS


@posix
def test_only_a_regular_file_becomes_a_segment(
    tmp_path: Path, place: Callable[[Path], None]
) -> None:
    """A compaction refuses anything else; the next one has another generation and succeeds."""
    folder = fill(tmp_path / "store", CLOSED)
    place(folder / COMING)
    with kvlib.open(folder) as opened:
        check_refusals(folder / COMING, opened.compact)
        opened.compact()
        assert dict(opened) == ITEMS


@posix
def test_strange_names_are_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names that only look like a store's are kept, and shown without control characters."""
    folder = fill(tmp_path / "store", OPEN)
    strange = ["..segment", "LOG", "log ", "log\n", FIRST + "\n", FIRST.upper(), FIRST + "~"]
    strange += ["0" + FIRST, "\u0660" * 16 + FIRST[16:], "\x1b[31mred"]
    for name in [*map(os.fsencode, strange), b"\xff\xfe"]:
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            file.write(b"mine")
    with kvlib.open(folder) as opened:
        opened.compact()
        assert dict(opened) == ITEMS
    assert [*contents(folder).values()].count(b"mine") == len(strange) + 1
    for command in ("check", "dump"):
        assert main([command, str(folder)]) == 0
        shown = capsys.readouterr().out
        assert "\x1b" not in shown
        assert "not kvlib's" in shown


def test_a_path_with_a_nul_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A path with a NUL is refused."""
    with pytest.raises(ValueError, match="null"):
        kvlib.open("a\0b")
    for command in ("check", "dump", "compact"):
        assert main([command, "a\0b"]) == 2
        assert "a\\x00b" in capsys.readouterr().err
