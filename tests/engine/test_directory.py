"""The disk that is a real directory: names, irregular files, descriptors and fsyncs."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import kvlib
from helpers.stores import content
from kvlib import CorruptionError, DirectoryDisk, LockedError


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[DirectoryDisk]:
    """Yield a locked directory."""
    made = DirectoryDisk(tmp_path / "d")
    with made.lock():
        yield made


def test_files_are_files(directory: DirectoryDisk, tmp_path: Path) -> None:
    """A disk's file is a file of the directory, byte for byte."""
    directory.write("a", b"\r\n\0")
    assert (tmp_path / "d" / "a").read_bytes() == b"\r\n\0"
    (tmp_path / "d" / "b").write_bytes(b"2")
    assert directory.read("b") == b"2"
    assert directory.names() == ["a", "b", "lock"]
    assert directory.path("a") == str(tmp_path / "d" / "a")


def test_random_bytes_come_from_the_system() -> None:
    """Random bytes come from the system, or from the given source."""
    assert DirectoryDisk("unused").entropy(8) != DirectoryDisk("unused").entropy(8)
    assert DirectoryDisk("unused", entropy=lambda size: b"x" * size).entropy(3) == b"xxx"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "/a", "a\\b", "a\0", os.sep, "./a"], ids=ascii
)
def test_names_that_lead_elsewhere_are_refused(directory: DirectoryDisk, name: str) -> None:
    """A name with a separator, dots or NUL is refused."""
    verbs: list[Callable[[], object]] = [
        lambda: directory.path(name),
        lambda: directory.read(name),
        lambda: directory.write(name, b""),
        lambda: directory.append(name, b""),
        lambda: directory.sync(name),
        lambda: directory.rename(name, "b"),
        lambda: directory.rename("a", name),
        lambda: directory.delete(name),
    ]
    directory.write("a", b"1")
    for verb in verbs:
        with pytest.raises(ValueError, match="plain file name"):
            verb()
    assert directory.names() == ["a", "lock"]


# --- what is not a regular file -------------------------------------------------------------------


def make_symlink(path: Path) -> None:
    """Make a link to a file that must not change."""
    (path.parent / "elsewhere").write_bytes(b"precious")
    path.symlink_to(path.parent / "elsewhere")


MAKERS: dict[str, Callable[[Path], object]] = {
    "symlink": make_symlink,
    "dangling symlink": lambda path: path.symlink_to(path.parent / "nowhere"),
    "directory": Path.mkdir,
}
if hasattr(os, "mkfifo"):
    MAKERS["fifo"] = os.mkfifo
NOT_REGULAR = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@NOT_REGULAR
def test_a_file_that_is_not_regular_is_corruption(
    directory: DirectoryDisk, tmp_path: Path, make: Callable[[Path], object]
) -> None:
    """A file that isn't regular is refused: a link leads elsewhere, and opening a fifo blocks."""
    make(tmp_path / "d" / "a")
    verbs: list[Callable[[], object]] = [
        lambda: directory.read("a"),
        lambda: directory.write("a", b"1"),
        lambda: directory.append("a", b"1"),
        lambda: directory.sync("a"),
    ]
    for verb in verbs:
        with pytest.raises(CorruptionError, match="regular file") as caught:
            verb()
        assert caught.value.path == str(tmp_path / "d" / "a")
        assert caught.value.offset == 0
    assert not (tmp_path / "d" / "nowhere").exists()
    if make is make_symlink:
        assert (tmp_path / "d" / "elsewhere").read_bytes() == b"precious"


# --- the directory itself -------------------------------------------------------------------------


def test_the_lock_makes_the_directory_and_not_its_parents(tmp_path: Path) -> None:
    """A missing directory is made; a missing parent is an error that says what to do."""
    with DirectoryDisk(tmp_path / "d").lock():
        assert (tmp_path / "d").is_dir()
    with pytest.raises(FileNotFoundError, match="make the parent of this directory first"):
        kvlib.open(tmp_path / "x" / "d")
    assert not (tmp_path / "x").exists()


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """A path that leads to a file is refused, and the file stays."""
    (tmp_path / "d").write_bytes(b"precious")
    with pytest.raises(OSError, match="d"), DirectoryDisk(tmp_path / "d").lock():
        pytest.fail("locked a file")
    assert (tmp_path / "d").read_bytes() == b"precious"


def spellings(place: Path) -> Iterator[str | Path]:
    """Yield ways to write the path `place`; the current directory must be its parent."""
    name = place.name
    yield place
    yield str(place)
    yield f"{place}{os.sep}"
    yield name
    yield os.path.join(".", name)
    yield os.path.join(name, ".")
    yield os.path.join(name, "..", name)
    yield os.path.join("..", place.parent.name, name)
    if hasattr(os, "symlink"):
        with suppress(OSError):  # Windows asks for a privilege
            (place.parent / "link").symlink_to(name, target_is_directory=True)
            (place.parent / "here").symlink_to(place.parent, target_is_directory=True)
            yield "link"
            yield place.parent / "here" / "link"


def test_a_directory_is_locked_under_all_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock holds under every name of the directory."""
    monkeypatch.chdir(tmp_path)
    names = list(spellings(tmp_path / "store"))
    kvlib.open(names[0]).close()
    for round, first in enumerate(names):
        with kvlib.open(first) as store:
            for second in names:
                with pytest.raises(LockedError):
                    kvlib.open(second)
                assert len(content(second)) == round
            store[str(round)] = "written"
            store.compact()


def test_a_store_stays_where_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store keeps its directory if the process changes the current one."""
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        with kvlib.open(tmp_path / folder / "store") as other:
            other["folder"] = folder
    monkeypatch.chdir(tmp_path / "here")
    with kvlib.open("store") as store:
        store["a"] = "1"
        monkeypatch.chdir(tmp_path / "there")
        store["b"] = "2"
        store.compact()
        store["c"] = "3"
    assert content(tmp_path / "there" / "store") == {"folder": "there"}
    assert content(tmp_path / "here" / "store") == {"folder": "here", "a": "1", "b": "2", "c": "3"}


# --- descriptors and fsyncs -----------------------------------------------------------------------


def record_syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which each later fsync adds its inode."""
    synced: list[int] = []

    def note(real: Callable[[int], None]) -> Callable[[int], None]:
        def sync(descriptor: int) -> None:
            synced.append(os.fstat(descriptor).st_ino)
            real(descriptor)

        return sync

    for name in ("fsync", "fdatasync"):
        if hasattr(os, name):
            monkeypatch.setattr(os, name, note(getattr(os, name)))
    return synced


@pytest.mark.skipif(os.name == "nt", reason="a directory can't be synced there")
def test_a_new_directory_is_synced_into_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locking syncs the parent directory, even if an earlier process made the directory."""
    synced = record_syncs(monkeypatch)
    with DirectoryDisk(tmp_path / "d").lock():
        assert synced == [tmp_path.stat().st_ino]
    (tmp_path / "e").mkdir()
    monkeypatch.chdir(tmp_path)
    with DirectoryDisk("e").lock():
        assert synced == [tmp_path.stat().st_ino] * 2


@pytest.mark.skipif(os.name == "nt", reason="a directory can't be synced there")
def test_syncs_reach_the_file_and_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sync is one fsync of just that file or directory."""
    disk = DirectoryDisk(tmp_path)
    with disk.lock():
        disk.write("a", b"1")
        disk.write("b", b"2")
        synced = record_syncs(monkeypatch)
        disk.sync("a")
        disk.sync("b")
        disk.sync_directory()
        disk.append("a", b"1")
        disk.sync("a")
    inodes = {name: (tmp_path / name).stat().st_ino for name in ("a", "b", ".")}
    assert synced == [inodes["a"], inodes["b"], inodes["."], inodes["a"]]


def test_a_file_is_synced_through_the_descriptor_that_wrote_it(
    directory: DirectoryDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is synced by the descriptor that wrote it, which alone reports a failed write-back."""
    directory.write("a", b"1")
    opened: list[str] = []
    real = os.open

    def note(path: str, *rest: Any) -> int:
        opened.append(os.path.basename(path))
        return real(path, *rest)

    monkeypatch.setattr(os, "open", note)
    for _ in range(3):
        directory.append("a", b"2")
        directory.sync("a")
    assert opened == []
    directory.append("a", b"3")
    directory.write("b", b"")
    directory.append("a", b"4")
    assert opened == ["b", "a"]


def test_no_descriptor_outlives_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the lock closes every descriptor."""
    opened: list[int] = []
    real_open, real_close = os.open, os.close

    def note_open(path: str, *rest: Any) -> int:
        opened.append(real_open(path, *rest))
        return opened[-1]

    def note_close(descriptor: int) -> None:
        if descriptor in opened:
            opened.remove(descriptor)
        real_close(descriptor)

    disk = DirectoryDisk(tmp_path)
    monkeypatch.setattr(os, "open", note_open)
    monkeypatch.setattr(os, "close", note_close)
    with disk.lock():
        disk.write("a", b"1")
        disk.append("a", b"2")
        disk.sync_directory()
        disk.write("b", b"1")
        disk.rename("b", "c")
        disk.append("c", b"1")
        assert opened
    assert opened == []


def test_short_writes_are_finished(
    directory: DirectoryDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the system takes fewer bytes than offered, the rest is written too."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, bytes(data[:3])))
    directory.write("a", b"0123456789")
    directory.append("a", b"abcdefg")
    assert directory.read("a") == b"0123456789abcdefg"


def test_a_short_write_that_cannot_be_finished_is_an_error(
    directory: DirectoryDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the rest can't be written, append raises."""
    directory.write("a", b"")
    real, room = os.write, [b"123"]

    def write(file: int, data: bytes) -> int:
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data[: len(room.pop())])

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space"):
        directory.append("a", b"abcdef")
    assert directory.read("a") == b"abc"


def test_a_mac_flushes_the_drive_too(
    directory: DirectoryDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On macOS a sync uses F_FULLFSYNC, because fsync leaves bytes in the drive's cache."""
    flushed: list[int] = []
    fake = SimpleNamespace(F_FULLFSYNC=51, fcntl=lambda file, command: flushed.append(command))
    directory.write("a", b"1")
    synced = record_syncs(monkeypatch)
    with monkeypatch.context() as mac:
        mac.setattr(sys, "platform", "darwin")
        mac.setitem(sys.modules, "fcntl", fake)
        directory.sync("a")
    assert (flushed, synced) == ([51], [])


def test_windows_syncs_no_directory(
    directory: DirectoryDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows directories aren't synced, because they can't be opened."""
    synced = record_syncs(monkeypatch)
    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        directory.sync_directory()
    assert synced == []


def test_a_disk_that_nobody_has_locked_trusts_its_user(tmp_path: Path) -> None:
    """Without a lock, nothing is compared before an append or a sync."""
    disk = DirectoryDisk(tmp_path)
    disk.write("a", b"1")
    (tmp_path / "a").unlink()
    disk.append("a", b"2")
    disk.sync("a")
    disk.sync_directory()
