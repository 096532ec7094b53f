"""The log of an open store: the bytes of each mutation, their fsyncs, and the close frame."""

import functools
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kvlib
from helpers.stores import (
    DONE,
    OLD,
    Done,
    Items,
    Sync,
    changes_of,
    closed_store,
    frames_of,
    kinds_of,
    reopened,
    writes,
)
from helpers.vocabulary import (
    AWKWARD,
    Fault,
    FaultyDisk,
    delete,
    disk_of,
    files_of,
    frame,
    put,
    store_files,
)
from kvlib import DirectoryDisk, DurableStore, LockedError, MemoryDisk, Recovery, WriteRefusedError

# --- bytes ----------------------------------------------------------------------------------------


def test_a_store_writes_these_bytes() -> None:
    """Creation, put, delete, update, batch, clear and close write the bytes of the format."""
    disk = MemoryDisk(seed=11)
    salt = int.from_bytes(MemoryDisk(seed=11).entropy(4), "big")
    with kvlib.open(disk) as store:
        store["café"] = b"menu"
        store.delete("missing")
        store.update({"a": "1", "b": "2"}, c="3")
        with store.batch():
            del store["a"]
            store["b"] = "4"
            store.update({"d": "5"})
        store.clear()
    frames = [
        put("café", b"menu"),
        delete("missing"),
        put("a", "1") + put("b", "2") + put("c", "3"),
        delete("a") + put("b", "4") + put("d", "5"),
        delete("café") + delete("b") + delete("c") + delete("d"),
    ]
    sealed = [frame(b"M", 2 + at, payload, salt) for at, payload in enumerate(frames)]
    assert files_of(disk) == store_files({}, *sealed, frame(b"C", 7, b"", salt), salt=salt)


def test_each_log_has_a_salt_of_its_own() -> None:
    """Each log has its own salt, so that frames of an older log fail its checksums."""
    disk = MemoryDisk()
    salts = set()
    with kvlib.open(disk) as store:
        for _ in range(5):
            salts.add(disk.read("log")[25:29])
            store.compact()
    assert len(salts) == 5


def test_delete_of_a_missing_key_is_logged_and_del_is_not() -> None:
    """`delete` of a missing key is logged, while `del` and `pop` raise and write nothing."""
    disk = MemoryDisk()
    store = kvlib.open(disk)
    store.delete("x")
    assert frames_of(disk) == [("M", 2, 7)]
    with pytest.raises(KeyError):
        del store["x"]
    with pytest.raises(KeyError):
        store.pop("x")
    assert frames_of(disk) == [("M", 2, 7)]
    assert store.status().pending == 1


def test_what_was_acknowledged_survives_the_death_of_the_process() -> None:
    """Each acknowledged mutation survives the death of the process."""
    disk = MemoryDisk()
    store, expected = kvlib.open(disk, threshold=3), Items()
    for at, key in enumerate(AWKWARD * 2):
        if at % 5 == 4:
            store.delete(key)
            expected.pop(key, None)
        else:
            store[key] = expected[key] = f"value {at}"
        assert reopened(disk) == expected


# --- fsyncs ---------------------------------------------------------------------------------------


def puts(count: int) -> Callable[[DurableStore], object]:
    """Return a function that puts `count` records one by one."""

    def put_all(store: DurableStore) -> None:
        for number in range(count):
            store[f"{number}"] = "x"

    return put_all


def update(store: DurableStore) -> None:
    """Put five records as one mutation."""
    store.update({f"{number}": "x" for number in range(5)})


SYNC = DurableStore.sync
# Steps, each with the number of fsyncs that it calls, and the kinds of the frames in the log.
FSYNCS: dict[str, tuple[Sync, list[tuple[Callable[[DurableStore], object], int]], str]] = {
    "always": ("always", [(puts(7), 7), (SYNC, 0)], "M" * 7),
    "3": (3, [(puts(2), 0), (puts(1), 1), (puts(5), 1), (SYNC, 1), (SYNC, 0)], "MmmMmmMm"),
    "3, after sync": (3, [(puts(2), 0), (SYNC, 1), (puts(2), 0), (puts(1), 1)], "MmMmm"),
    "3, with a batch": (3, [(puts(1), 0), (update, 1), (puts(1), 0)], "MmM"),
    "never": ("never", [(puts(50), 0), (SYNC, 1), (puts(1), 0)], "M" + "m" * 49 + "M"),
    "never, compacted": ("never", [(puts(9), 0), (DurableStore.compact, 0), (puts(1), 0)], "M"),
}


@pytest.mark.parametrize(("sync", "steps", "kinds"), FSYNCS.values(), ids=FSYNCS)
def test_each_mode_syncs_when_it_says(
    sync: Sync, steps: list[tuple[Callable[[DurableStore], object], int]], kinds: str
) -> None:
    """Each mutation is fsynced, every n-th, or none; the frame that follows an fsync is an M."""
    disk = FaultyDisk()
    store = kvlib.open(disk, sync=sync)
    for step, fsyncs in steps:
        before = disk.syncs()
        step(store)
        assert disk.syncs() == before + fsyncs
    assert kinds_of(disk) == kinds


# --- closing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("puts", [0, 1])
def test_close_marks_the_log_once(puts: int) -> None:
    """Close appends a close frame, syncs the log before and after it, and never appends a second.

    The close frame promises that everything before it has been synced.
    """
    disk = FaultyDisk()
    store = kvlib.open(disk, sync="never")
    for _ in range(puts):
        store["a"] = "1"
    disk.calls.clear()
    store.close()
    assert changes_of(disk) == [("sync", "log")] * puts + [("append", "log"), ("sync", "log")]
    assert kinds_of(disk) == "M" * puts + "C"
    once = files_of(disk)
    kvlib.open(disk).close()
    assert files_of(disk) == once


@pytest.mark.parametrize("kind", ["memory", "directory"])
def test_a_closed_store_continues_its_log(kind: str, tmp_path: Path) -> None:
    """A store that was closed continues in its log, without a new snapshot."""
    disk: Any = MemoryDisk() if kind == "memory" else DirectoryDisk(tmp_path)
    for at in range(4):
        with kvlib.open(disk) as store:
            assert store.recovered == Recovery(at, None, 0)
            assert store.status().pending == at
            store["k"] = f"{at}"
    assert frames_of(disk) == [
        ("M", 2, 13),
        ("C", 3, 0),
        ("M", 4, 13),
        ("C", 5, 0),
        ("M", 6, 13),
        ("C", 7, 0),
        ("M", 8, 13),
        ("C", 9, 0),
    ]


def test_opening_a_closed_log_syncs_it_before_the_first_append() -> None:
    """Opening syncs a close frame, which may be in the page cache only, before any append."""
    disk = FaultyDisk(disk_of(closed_store()))
    store = kvlib.open(disk)
    assert changes_of(disk) == [("sync", "log")]
    store["a"] = "1"
    assert changes_of(disk) == [("sync", "log"), ("append", "log"), ("sync", "log")]


def test_a_closed_log_that_cannot_be_synced_is_read_and_not_written() -> None:
    """If that fsync fails, the store can be read, and written after a compaction."""
    disk = FaultyDisk(disk_of(closed_store()))
    disk.fault = Fault("sync", "log")
    store = kvlib.open(disk)
    assert dict(store) == OLD
    with pytest.raises(WriteRefusedError):
        store["a"] = "1"
    store.compact()
    store["a"] = "1"
    assert reopened(disk) == OLD | {"a": "1"}


@pytest.mark.parametrize("moment", ["close", "open"])
def test_a_close_frame_whose_fsync_failed_is_not_trusted(moment: str) -> None:
    """A close frame whose fsync failed is not trusted: opening publishes a new snapshot."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    store["k"] = "v"
    if moment == "close":
        disk.fault = Fault("sync", "log")
        with pytest.raises(OSError, match="No space"):
            store.close()
    else:
        store.close()
        disk.fault = Fault("sync", "log")
        failed = kvlib.open(disk)
        assert failed.status().failed
        failed.close()
    disk.fault = None
    generation = kvlib.open(disk, read_only=True).status().generation
    with kvlib.open(disk) as store:
        assert store.status().generation > generation
        assert dict(store) == {"k": "v"}


def test_close_can_be_called_again() -> None:
    """A second close does nothing, even if another writer has opened the store."""
    disk = MemoryDisk()
    store = kvlib.open(disk)
    store.close()
    with kvlib.open(disk) as other:
        other["a"] = "1"
        store.close()
        other["b"] = "2"
        with pytest.raises(LockedError):
            kvlib.open(disk)
    assert reopened(disk) == {"a": "1", "b": "2"}


def test_a_closed_store_refuses_everything() -> None:
    """Every use of a closed store is a ValueError, and its repr says that it is closed."""
    disk = MemoryDisk()
    for read_only in (False, True):
        store = kvlib.open(disk, read_only=read_only)
        store.close()
        before = files_of(disk)
        attempts: list[Callable[[], object]] = [
            functools.partial(operator.getitem, store, "a"),
            functools.partial(store.get, "a"),
            functools.partial(operator.contains, store, "a"),
            functools.partial(len, store),
            functools.partial(list, store),
            store.status,
            store.compact,
            functools.partial(operator.delitem, store, "a"),
            *writes(store),
        ]
        for attempt in attempts:
            with pytest.raises(ValueError, match="closed"):
                attempt()
        assert files_of(disk) == before
        assert "closed" in repr(store)


@pytest.mark.parametrize(("verb", "skip"), [("sync", 0), ("append", 0), ("sync", 1)])
@DONE
def test_a_close_that_fails_still_closes(verb: str, skip: int, done: Done) -> None:
    """A close that fails raises, releases the lock, and loses nothing acknowledged."""
    disk = FaultyDisk()
    store = kvlib.open(disk, sync="never")
    store["a"] = "1"
    disk.fault = Fault(verb, "log", skip, done)
    with pytest.raises(OSError, match="No space"):
        store.close()
    with pytest.raises(ValueError, match="closed"):
        len(store)
    with kvlib.open(disk) as again:
        assert dict(again) == {"a": "1"}


def test_leaving_the_context_closes() -> None:
    """Leaving the with statement closes the store, after an exception too."""
    disk = MemoryDisk()
    with pytest.raises(ZeroDivisionError), kvlib.open(disk) as store:
        store["a"] = "1"
        raise ZeroDivisionError
    assert kinds_of(disk) == "MC"
    with kvlib.open(disk) as store:
        assert dict(store) == {"a": "1"}
