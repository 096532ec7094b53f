"""Opening a store: after a crash, after damage, where it is missing, or where it is locked."""

import gc
from pathlib import Path
from typing import Any

import pytest

import kvlib
from helpers.stores import (
    DONE,
    OLD,
    SALT,
    Done,
    changes_of,
    closed_store,
    files_in,
    kinds_of,
    reopened,
    save_files,
)
from helpers.vocabulary import (
    HEAD_END,
    Call,
    Fault,
    FaultyDisk,
    disk_of,
    every_cut,
    files_of,
    flip_bit,
    frame,
    put,
    store_files,
    survivor,
)
from kvlib import (
    CorruptionError,
    DirectoryDisk,
    DurableStore,
    LockedError,
    MemoryDisk,
    MissingError,
    Recovery,
)

# --- torn and damaged logs ------------------------------------------------------------------------


def test_a_store_that_was_not_closed_gets_a_fresh_snapshot() -> None:
    """A log without a close frame is replaced by a snapshot of a later generation."""
    disk = MemoryDisk()
    store = kvlib.open(disk)
    store["a"] = "1"
    store["b"] = "2"
    left = survivor(disk)
    again = kvlib.open(left)
    assert again.recovered == Recovery(2, None, 0)
    status = again.status()
    assert (status.generation, status.pending, status.compactions) == (4, 0, 0)
    assert left.names() == ["0000000000000004.00000000.segment", "log"]
    assert dict(again) == {"a": "1", "b": "2"}


def test_a_torn_tail_is_dropped_and_reported() -> None:
    """Wherever the log was cut, its whole frames are kept and the tail is reported."""
    parts = [frame(b"M", 2 + at, put(f"k{at}", "v"), SALT) for at in range(3)]
    files = store_files(OLD, *parts, salt=SALT)
    for cut in every_cut(b"".join(parts)):
        disk = disk_of({**files, "log": files["log"][:HEAD_END] + cut})
        whole = len(cut) // len(parts[0])
        torn = len(cut) % len(parts[0])
        store = kvlib.open(disk)
        offset = HEAD_END + whole * len(parts[0]) if torn else None
        assert store.recovered == Recovery(whole, offset, torn)
        expected = OLD | {f"k{at}": "v" for at in range(whole)}
        assert dict(store) == expected
        store["next"] = "works"
        store.close()
        again = kvlib.open(disk)
        assert dict(again) == expected | {"next": "works"}
        assert again.recovered.dropped_bytes == 0


@pytest.mark.parametrize("tail", [b"\0" * 40, b"\xff" * 3, b"M", b"\0"])
def test_a_torn_tail_after_a_close_is_dropped_too(tail: bytes) -> None:
    """A torn tail after a close frame is dropped, and the log is not continued."""
    files = closed_store()
    end = len(files["log"])
    disk = disk_of({**files, "log": files["log"] + tail})
    store = kvlib.open(disk)
    assert store.recovered == Recovery(0, end, len(tail))
    assert dict(store) == OLD
    assert (store.status().generation, kinds_of(disk)) == (3, "")


def test_damage_inside_a_log_is_refused_and_nothing_is_touched(tmp_path: Path) -> None:
    """Damage is refused with its file and offset, and no byte is changed."""
    parts = [frame(b"M", 2 + at, put(f"k{at}", "v"), SALT) for at in range(3)]
    files = store_files(OLD, *parts, salt=SALT)
    second = HEAD_END + len(parts[0])
    files["log"] = flip_bit(files["log"], 8 * (second + 20))
    save_files(files, tmp_path)
    for read_only in (True, False):
        with pytest.raises(CorruptionError) as caught:
            kvlib.open(tmp_path, read_only=read_only)
        assert (caught.value.path, caught.value.offset) == (str(tmp_path / "log"), second)
        assert files_in(tmp_path) == files
    (tmp_path / "log").write_bytes(flip_bit(files["log"], 8 * (second + 20)))
    with kvlib.open(tmp_path) as store:
        assert len(store) == 4


def test_a_value_may_hold_a_whole_store() -> None:
    """Frames inside the value of a torn record do not prove damage."""
    inner = MemoryDisk(seed=99)
    with kvlib.open(inner) as store:
        for at in range(5):
            store[f"{at}"] = "x"
    disk = MemoryDisk()
    outer = kvlib.open(disk)
    outer["a"] = "1"
    end = len(disk.read("log"))
    outer["log"] = inner.read("log")
    disk.write("log", disk.read("log")[:-1])
    recovered = kvlib.open(survivor(disk))
    assert dict(recovered) == {"a": "1"}
    assert recovered.recovered.dropped_offset == end


# --- creation and missing logs --------------------------------------------------------------------


def creation() -> list[Call]:
    """Return the calls that change the disk while a store is made."""
    disk = FaultyDisk()
    kvlib.open(disk)
    return changes_of(disk)


def test_creation_publishes_generation_one() -> None:
    """Creation publishes an empty snapshot, with the fsyncs of any other."""
    segment = "0000000000000001.00000000.segment"
    assert creation() == [
        ("write", segment),
        ("sync", segment),
        ("write", "log.new"),
        ("sync", "log.new"),
        ("sync_directory", ""),
        ("rename", "log.new"),
        ("sync_directory", ""),
    ]


@pytest.mark.parametrize("step", range(len(creation())))
@DONE
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_unfinished_creation_is_begun_again(
    step: int, done: Done, error: type[BaseException]
) -> None:
    """If any call of a creation fails, opening again makes an empty store."""
    verb, name = creation()[step]
    disk = FaultyDisk()
    disk.fault = Fault(verb, name, creation()[:step].count((verb, name)), done, error)
    with pytest.raises(error):
        kvlib.open(disk)
    assert reopened(disk) == {}
    with kvlib.open(disk) as store:
        store["a"] = "1"
    assert reopened(disk) == {"a": "1"}


@pytest.mark.parametrize("generation", [0, 2, 17, 2**63])
def test_a_missing_log_beside_later_segments_is_refused(generation: int) -> None:
    """Segments of a later generation without a log are corruption, and are not overwritten."""
    files = store_files(OLD, generation=generation)
    del files["log"]
    for more in ({}, {"log.new": b"x"}, {"0000000000000001.00000000.segment": b"x"}):
        for read_only in (False, True):
            disk = disk_of({**files, **more})
            with pytest.raises(CorruptionError, match="missing") as caught:
                kvlib.open(disk, read_only=read_only)
            assert (caught.value.path, caught.value.offset) == ("log", 0)
            assert files_of(disk) == {**files, **more}


def test_a_missing_log_beside_segments_of_generation_one_is_an_unfinished_creation() -> None:
    """Segments of generation 1 without a log are what an unfinished creation left."""
    segment = "0000000000000001.0000000{}.segment"
    left = {segment.format(0): b"half", segment.format(5): b"", "log.new": b"x", "note": b"mine"}
    disk = disk_of(left)
    with pytest.raises(MissingError):
        kvlib.open(disk, read_only=True)
    assert files_of(disk) == left
    assert dict(kvlib.open(disk)) == {}
    assert disk.read("note") == b"mine"


# --- locks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "directory", "one DirectoryDisk"])
def test_a_second_opener_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    """A second opener is refused at once, until the first has closed."""
    disk: Any = {
        "memory": MemoryDisk(),
        "directory": tmp_path / "d",
        "one DirectoryDisk": DirectoryDisk(tmp_path / "d"),
    }[kind]
    store = kvlib.open(disk)
    store["a"] = "1"
    for _ in range(2):
        with pytest.raises(LockedError):
            kvlib.open(disk)
    store["b"] = "2"
    store.close()
    with kvlib.open(disk) as store:
        assert dict(store) == {"a": "1", "b": "2"}


@pytest.mark.parametrize("kind", ["memory", "directory"])
def test_a_forgotten_store_releases_its_lock(kind: str, tmp_path: Path) -> None:
    """A store that is garbage has released its lock."""
    place: Any = MemoryDisk() if kind == "memory" else tmp_path
    store: DurableStore | None = kvlib.open(place)
    assert store is not None
    store["a"] = "1"
    store = None
    gc.collect()
    with kvlib.open(place) as again:
        assert dict(again) == {"a": "1"}
        assert again.recovered.replayed == 1


def test_an_opening_that_fails_releases_its_lock(tmp_path: Path) -> None:
    """An opening that fails releases the lock."""
    kvlib.open(tmp_path).close()
    log = (tmp_path / "log").read_bytes()
    (tmp_path / "log").write_bytes(flip_bit(log, 100))
    for _ in range(2):
        with pytest.raises(CorruptionError):
            kvlib.open(tmp_path)
    (tmp_path / "log").write_bytes(log)
    with pytest.raises(ValueError, match="threshold"):
        kvlib.open(tmp_path, threshold=0)
    kvlib.open(tmp_path).close()


def test_ctrl_c_while_opening_leaves_the_lock_free() -> None:
    """Ctrl-C at any call of a recovery leaves the lock free and the store whole."""
    files = store_files(OLD, b"torn", salt=SALT)
    whole = FaultyDisk(disk_of(files))
    kvlib.open(whole)
    for skip in range(len(whole.calls)):
        disk = FaultyDisk(disk_of(files))
        disk.fault = Fault(skip=skip, error=KeyboardInterrupt)
        try:
            kvlib.open(disk)
        except KeyboardInterrupt:
            pass
        else:
            pytest.fail(f"there is no call {skip}")
        disk.fault = None
        with kvlib.open(disk) as store:
            assert dict(store) == OLD
