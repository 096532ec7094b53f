"""What every disk does, and what a real directory does besides."""

import errno
import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import kvlib
from helpers.vocabulary import FaultyDisk, python_command, run_python
from kvlib import CorruptionError, DirectoryDisk, Disk, LockedError, MemoryDisk, WriteRefusedError


@pytest.fixture(params=["memory", "directory", "faulty"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A disk of each sort, locked by this test."""
    disks: dict[str, Callable[[], Disk]] = {
        "memory": MemoryDisk,
        "directory": lambda: DirectoryDisk(tmp_path / "d"),
        "faulty": FaultyDisk,
    }
    made = disks[request.param]()
    with made.lock():
        yield made


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[DirectoryDisk]:
    """A directory that this test has locked."""
    made = DirectoryDisk(tmp_path / "d")
    with made.lock():
        yield made


def names(disk: Disk) -> list[str]:
    """The names but that of the lock."""
    return [name for name in disk.names() if name != "lock"]


# --- every disk -----------------------------------------------------------------------------------


def test_all_disks_are_disks(disk: Disk) -> None:
    """The protocol can be asked for at run time, and nothing else passes for it."""
    assert isinstance(disk, Disk)
    assert not isinstance({}, Disk)


def test_what_is_written_can_be_read(disk: Disk) -> None:
    """Write creates, and replaces all that was there."""
    disk.write("a", b"a long content\0\xff\r\n")
    assert disk.read("a") == b"a long content\0\xff\r\n"
    disk.write("a", b"short")
    assert disk.read("a") == b"short"
    disk.write("a", b"")
    assert disk.read("a") == b""


def test_appends_follow_what_is_there(disk: Disk) -> None:
    """Append adds to the end, also after a read and after other files were in use."""
    disk.write("a", b"1")
    disk.append("a", b"2")
    disk.append("a", b"")
    assert disk.read("a") == b"12"
    disk.write("b", b"x")
    disk.append("a", b"3")
    disk.sync("a")
    disk.append("b", b"y")
    assert (disk.read("a"), disk.read("b")) == (b"123", b"xy")


def test_names_are_sorted(disk: Disk) -> None:
    """Every file is listed, in order."""
    for name in ("log", "b", "a", "log.new"):
        disk.write(name, b"")
    assert names(disk) == ["a", "b", "log", "log.new"]


def test_rename_replaces_its_target(disk: Disk) -> None:
    """The bytes move, the old name and the old target are gone."""
    disk.write("old", b"old")
    disk.write("new", b"new")
    disk.append("old", b"!")
    disk.rename("new", "old")
    assert names(disk) == ["old"]
    assert disk.read("old") == b"new"
    disk.append("old", b"er")
    assert disk.read("old") == b"newer"


def test_delete_removes_a_file(disk: Disk) -> None:
    """A deleted name is gone, and can be written again."""
    disk.write("a", b"1")
    disk.write("b", b"2")
    disk.delete("a")
    assert names(disk) == ["b"]
    disk.write("a", b"3")
    assert disk.read("a") == b"3"


def test_a_missing_file_is_not_found(disk: Disk) -> None:
    """Only write creates; each other verb says that there is no such file."""
    verbs: list[Callable[[], object]] = [
        lambda: disk.read("a"),
        lambda: disk.append("a", b"1"),
        lambda: disk.sync("a"),
        lambda: disk.rename("a", "b"),
        lambda: disk.delete("a"),
    ]
    for verb in verbs:
        with pytest.raises(FileNotFoundError):
            verb()
    assert names(disk) == []


def test_syncs_leave_the_bytes_alone(disk: Disk) -> None:
    """Sync and sync_directory change nothing that can be read."""
    disk.write("a", b"1")
    disk.sync("a")
    disk.sync_directory()
    assert (names(disk), disk.read("a")) == (["a"], b"1")


def test_what_is_read_does_not_change_later(disk: Disk) -> None:
    """A read gives bytes of its own."""
    disk.write("a", b"1")
    read = disk.read("a")
    disk.append("a", b"2")
    assert (type(read), read) == (bytes, b"1")


def test_entropy_has_the_size_asked_for(disk: Disk) -> None:
    """As many bytes as were asked for, and not the same ones twice."""
    assert [len(disk.entropy(size)) for size in (0, 1, 4, 100)] == [0, 1, 4, 100]
    assert disk.entropy(16) != disk.entropy(16)


def test_a_second_lock_is_refused_at_once(disk: Disk) -> None:
    """There is one writer; when it leaves, the next may come."""
    with pytest.raises(LockedError), disk.lock():
        pytest.fail("two writers")
    disk.write("a", b"1")
    assert disk.read("a") == b"1"


@pytest.mark.parametrize("make", [lambda path: MemoryDisk(), DirectoryDisk])
def test_a_lock_ends_with_its_context(make: Callable[[Path], Disk], tmp_path: Path) -> None:
    """Also when an exception ends it, and also when the context is only forgotten."""
    disk = make(tmp_path / "d")
    with pytest.raises(KeyError), disk.lock():
        raise KeyError
    with disk.lock():
        pass
    forgotten: AbstractContextManager[None] | None = disk.lock()
    assert forgotten is not None
    forgotten.__enter__()
    with pytest.raises(LockedError), disk.lock():
        pytest.fail("two writers")
    forgotten = None
    gc.collect()
    with disk.lock():
        pass


# --- memory ---------------------------------------------------------------------------------------


def test_a_memory_disk_repeats_itself() -> None:
    """The same seed gives the same random bytes, another seed others."""
    one, two, other = MemoryDisk(5), MemoryDisk(5), MemoryDisk(6)
    assert one.entropy(8) == two.entropy(8) != other.entropy(8)
    assert one.entropy(8) == two.entropy(8)


def test_a_memory_disk_calls_files_by_their_names() -> None:
    """There is no directory to name in a message."""
    assert MemoryDisk().path("log") == "log"


def test_memory_disks_are_apart() -> None:
    """A file on one is not on another, nor is a lock."""
    one, two = MemoryDisk(), MemoryDisk()
    one.write("a", b"1")
    with one.lock(), two.lock():
        assert two.names() == []


# --- a directory ----------------------------------------------------------------------------------


def test_files_are_files(directory: DirectoryDisk, tmp_path: Path) -> None:
    """A disk's file is a file of that name in the directory, byte for byte."""
    directory.write("a", b"\r\n\0")
    assert (tmp_path / "d" / "a").read_bytes() == b"\r\n\0"
    (tmp_path / "d" / "b").write_bytes(b"2")
    assert directory.read("b") == b"2"
    assert directory.names() == ["a", "b", "lock"]
    assert directory.path("a") == str(tmp_path / "d" / "a")


def test_random_bytes_come_from_the_system() -> None:
    """Unless a source is given, which then is asked for every byte."""
    assert DirectoryDisk("unused").entropy(8) != DirectoryDisk("unused").entropy(8)
    assert DirectoryDisk("unused", entropy=lambda size: b"x" * size).entropy(3) == b"xxx"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "/a", "a\\b", "a\0", os.sep, "./a"], ids=ascii
)
def test_names_that_lead_elsewhere_are_refused(directory: DirectoryDisk, name: str) -> None:
    """A name is a name in this directory: no separator, no dots, no NUL."""
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


def a_symlink(path: Path) -> None:
    """To a file that must not change."""
    (path.parent / "elsewhere").write_bytes(b"precious")
    path.symlink_to(path.parent / "elsewhere")


def a_dangling_symlink(path: Path) -> None:
    """To a file that must not come into being."""
    path.symlink_to(path.parent / "nowhere")


def a_directory(path: Path) -> None:
    """Where a file is expected."""
    path.mkdir()


def a_fifo(path: Path) -> None:
    """Which blocks whoever opens it."""
    os.mkfifo(path)


NOT_REGULAR = [a_symlink, a_dangling_symlink, a_directory]
if hasattr(os, "mkfifo"):
    NOT_REGULAR.append(a_fifo)


@pytest.mark.parametrize("make", NOT_REGULAR)
def test_what_is_no_regular_file_is_corruption(
    directory: DirectoryDisk, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """A link could lead a write elsewhere, a pipe could keep a read waiting for ever."""
    make(tmp_path / "d" / "a")
    verbs: list[Callable[[], object]] = [
        lambda: directory.read("a"),
        lambda: directory.write("a", b"1"),
        lambda: directory.append("a", b"1"),
        lambda: directory.sync("a"),
    ]
    for verb in verbs:
        with pytest.raises(CorruptionError, match="not a regular file") as caught:
            verb()
        assert caught.value.path == str(tmp_path / "d" / "a")
        assert caught.value.offset == 0
    assert not (tmp_path / "d" / "nowhere").exists()
    if make is a_symlink:
        assert (tmp_path / "d" / "elsewhere").read_bytes() == b"precious"


@pytest.mark.parametrize("make", NOT_REGULAR)
def test_a_lock_that_is_no_regular_file_is_corruption(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """The lock is checked as every file is."""
    make(tmp_path / "lock")
    with pytest.raises(CorruptionError, match="not a regular file"), DirectoryDisk(tmp_path).lock():
        pytest.fail("locked a thing that is no file")


def test_the_lock_makes_the_directory_and_not_its_parents(tmp_path: Path) -> None:
    """A missing directory is made; a missing parent is a mistake in the path."""
    with DirectoryDisk(tmp_path / "d").lock():
        assert (tmp_path / "d").is_dir()
    with pytest.raises(FileNotFoundError), DirectoryDisk(tmp_path / "x" / "d").lock():
        pytest.fail("locked a directory without a parent")
    assert not (tmp_path / "x").exists()


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """A file can't be a directory; it stays as it is."""
    (tmp_path / "d").write_bytes(b"precious")
    with pytest.raises(OSError, match="d"), DirectoryDisk(tmp_path / "d").lock():
        pytest.fail("locked a file")
    assert (tmp_path / "d").read_bytes() == b"precious"


def record_syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The inodes that are synced from here on, in order."""
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
    """Before anything is acknowledged in it; also one that a process made and died."""
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
    """Each sync is one of the system's, on just that file or directory."""
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
    """A failed write-back is reported only to a descriptor that was open when it failed."""
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
    """What the disk opened it closes, at the latest when the lock ends."""
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
    """The system may take fewer bytes than offered; the rest is offered again."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, bytes(data[:3])))
    directory.write("a", b"0123456789")
    directory.append("a", b"abcdefg")
    assert directory.read("a") == b"0123456789abcdefg"


def test_a_short_write_that_cannot_be_finished_is_an_error(
    directory: DirectoryDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A nearly full disk takes some bytes and then fails: append never returns on half of them."""
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
    """There fsync leaves the bytes in the drive's own cache; F_FULLFSYNC does not."""
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
    """A directory can't be opened there."""
    synced = record_syncs(monkeypatch)
    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        directory.sync_directory()
    assert synced == []


# --- locks between processes ----------------------------------------------------------------------

TRY = """
    import sys, kvlib
    try:
        with kvlib.DirectoryDisk(sys.argv[1]).lock():
            print("locked it")
    except kvlib.LockedError:
        print("LockedError")
"""


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """The lock holds between processes, as long as its context."""
    with DirectoryDisk(tmp_path).lock():
        assert run_python(TRY, str(tmp_path)) == "LockedError"
    assert run_python(TRY, str(tmp_path)) == "locked it"


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    """The lock's file stays behind, and means nothing."""
    command, environment = python_command(
        """
        import sys, kvlib
        with kvlib.DirectoryDisk(sys.argv[1]).lock():
            print("ready", flush=True)
            sys.stdin.read()
        """,
        str(tmp_path),
    )
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        with pytest.raises(LockedError), DirectoryDisk(tmp_path).lock():
            pytest.fail("two writers")
        holder.kill()
        holder.wait()
        assert (tmp_path / "lock").exists()
        with DirectoryDisk(tmp_path).lock():
            pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_may_not_write(tmp_path: Path) -> None:
    """It shares the files and believes to have the lock; write, append and sync are refused."""
    code = """
        import os, sys, kvlib
        disk = kvlib.DirectoryDisk(sys.argv[1])
        with disk.lock():
            disk.write("a", b"1")
            disk.append("a", b"2")
            if (child := os.fork()) == 0:
                for verb in (
                    lambda: disk.append("a", b"?"),
                    lambda: disk.sync("a"),
                    lambda: disk.write("a", b"?"),
                    lambda: disk.append("a", b"?"),
                ):
                    try:
                        verb()
                    except kvlib.WriteRefusedError as error:
                        print(error, flush=True)
                os._exit(0)
            os.waitpid(child, 0)
            disk.append("a", b"3")
            print(disk.read("a"))
    """
    *refusals, content = run_python(code, str(tmp_path)).splitlines()
    assert refusals == ["this process was forked from the one that opened the store"] * 4
    assert content == "b'123'"


def test_a_change_of_process_is_seen_by_its_number(
    directory: DirectoryDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the child of a fork sees, without a fork."""
    directory.write("a", b"1")
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        verbs: list[Callable[[], object]] = [
            lambda: directory.append("a", b"?"),
            lambda: directory.write("a", b"?"),
        ]
        for verb in verbs:
            with pytest.raises(WriteRefusedError, match="forked"):
                verb()
    directory.append("a", b"2")
    assert directory.read("a") == b"12"


def test_importing_kvlib_does_not_import_the_lock() -> None:
    """It takes longer to import than all of kvlib, and a MemoryDisk never needs it."""
    code = """
        import sys, kvlib
        kvlib.open(kvlib.MemoryDisk()).close()
        print([name for name in ("filelock", "ipywidgets", "hexdump") if name in sys.modules])
    """
    assert run_python(code) == "[]"


def test_a_place_is_a_path_or_a_disk() -> None:
    """Anything else is the caller's mistake."""
    not_places: list[Any] = [None, 1, b"path", ["path"], {}]
    for wrong in not_places:
        with pytest.raises(TypeError, match="path or a Disk"):
            kvlib.open(wrong)
