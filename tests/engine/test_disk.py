"""Every kind of disk, and the disk in memory."""

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from helpers.vocabulary import FaultyDisk
from kvlib import DirectoryDisk, Disk, LockedError, MemoryDisk


@pytest.fixture(params=["memory", "directory", "faulty"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """Yield a locked disk of each kind."""
    disks: dict[str, Callable[[], Disk]] = {
        "memory": MemoryDisk,
        "directory": lambda: DirectoryDisk(tmp_path / "d"),
        "faulty": FaultyDisk,
    }
    made = disks[request.param]()
    with made.lock():
        yield made


def names(disk: Disk) -> list[str]:
    """Return the names of all files but the lock's."""
    return [name for name in disk.names() if name != "lock"]


def test_all_disks_are_disks(disk: Disk) -> None:
    """Each disk is an instance of the protocol, and a dict isn't."""
    assert isinstance(disk, Disk)
    assert not isinstance({}, Disk)


def test_what_is_written_can_be_read(disk: Disk) -> None:
    """Write creates a file, or replaces all its bytes."""
    disk.write("a", b"a long content\0\xff\r\n")
    assert disk.read("a") == b"a long content\0\xff\r\n"
    disk.write("a", b"short")
    assert disk.read("a") == b"short"
    disk.write("a", b"")
    assert disk.read("a") == b""


def test_appends_follow_what_is_there(disk: Disk) -> None:
    """Append adds to the end of a file, even if another was in use meanwhile."""
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
    """Names are listed in order."""
    for name in ("log", "b", "a", "log.new"):
        disk.write(name, b"")
    assert names(disk) == ["a", "b", "log", "log.new"]


def test_rename_replaces_its_target(disk: Disk) -> None:
    """Rename moves the bytes and replaces its target."""
    disk.write("old", b"old")
    disk.write("new", b"new")
    disk.append("old", b"!")
    disk.rename("new", "old")
    assert names(disk) == ["old"]
    assert disk.read("old") == b"new"
    disk.append("old", b"er")
    assert disk.read("old") == b"newer"


def test_delete_removes_a_file(disk: Disk) -> None:
    """A deleted name is free to be written again."""
    disk.write("a", b"1")
    disk.write("b", b"2")
    disk.delete("a")
    assert names(disk) == ["b"]
    disk.write("a", b"3")
    assert disk.read("a") == b"3"


def test_a_missing_file_is_not_found(disk: Disk) -> None:
    """Every verb but write raises FileNotFoundError for a missing file."""
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
    """Syncs change nothing that can be read."""
    disk.write("a", b"1")
    disk.sync("a")
    disk.sync_directory()
    assert (names(disk), disk.read("a")) == (["a"], b"1")


def test_what_is_read_does_not_change_later(disk: Disk) -> None:
    """Bytes that were read don't change with a later append."""
    disk.write("a", b"1")
    read = disk.read("a")
    disk.append("a", b"2")
    assert (type(read), read) == (bytes, b"1")


def test_entropy_has_the_size_asked_for(disk: Disk) -> None:
    """Entropy has the requested size, and differs from call to call."""
    assert [len(disk.entropy(size)) for size in (0, 1, 4, 100)] == [0, 1, 4, 100]
    assert disk.entropy(16) != disk.entropy(16)


def test_a_second_lock_is_refused_at_once(disk: Disk) -> None:
    """A second lock is refused at once, and does not disturb the first."""
    with pytest.raises(LockedError), disk.lock():
        pytest.fail("two writers")
    disk.write("a", b"1")
    assert disk.read("a") == b"1"


@pytest.mark.parametrize("make", [lambda path: MemoryDisk(), DirectoryDisk])
def test_a_lock_ends_with_its_context(make: Callable[[Path], Disk], tmp_path: Path) -> None:
    """A lock ends with its block, with an exception, and with its last reference."""
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
    """The same seed gives the same random bytes, and another seed other ones."""
    one, two, other = MemoryDisk(5), MemoryDisk(5), MemoryDisk(6)
    assert one.entropy(8) == two.entropy(8) != other.entropy(8)
    assert one.entropy(8) == two.entropy(8)


def test_memory_disks_are_independent() -> None:
    """Two memory disks share neither files nor a lock, and name files without a directory."""
    one, two = MemoryDisk(), MemoryDisk()
    one.write("a", b"1")
    with one.lock(), two.lock():
        assert two.names() == []
    assert one.path("log") == "log"
