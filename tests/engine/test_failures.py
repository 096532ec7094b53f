"""Writes that fail: what the store still does, and how it is healed."""

import re
from collections.abc import Callable

import pytest

import kvlib
from helpers.stores import (
    DONE,
    FULL,
    OLD,
    Done,
    Items,
    assert_refused,
    batch,
    changes_of,
    closed_store,
    disk_full,
    reopened,
)
from helpers.vocabulary import Fault, FaultyDisk, disk_of, survivor
from kvlib import Disk, DurableStore, WriteRefusedError


@pytest.mark.parametrize("verb", ["append", "sync"])
@DONE
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("heal", ["compact", "reopen", "reopen after close"])
def test_a_failed_append_stops_writing_until_healed(
    verb: str, done: Done, error: type[BaseException], heal: str
) -> None:
    """After a failed append or fsync the store is read, and refuses writes until healed."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    store["a"] = "1"
    disk.fault = Fault(verb, "log", done=done, error=error)
    with pytest.raises(error):
        store["b"] = "2"
    disk.calls.clear()
    assert dict(store) == {"a": "1"}
    assert store.get("b") is None
    assert store.status().failed
    assert_refused(store, "compact")
    assert changes_of(disk) == []
    assert reopened(disk) in ({"a": "1"}, {"a": "1", "b": "2"})
    if heal == "compact":
        store.compact()
        assert store.status().failed is None
        assert dict(store) == reopened(disk) == {"a": "1"}
    else:
        if heal == "reopen after close":
            store.close()
            assert changes_of(disk) == []  # neither fsync nor CLOSE
        disk = FaultyDisk(survivor(disk))
        store = kvlib.open(disk)
        assert dict(store) in ({"a": "1"}, {"a": "1", "b": "2"})
    store["c"] = "3"
    assert store["c"] == reopened(disk)["c"] == "3"


@pytest.mark.parametrize("verb", ["append", "sync"])
def test_the_reason_of_a_failure_is_kept(verb: str) -> None:
    """Later writes are refused with the error of the first."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    disk.fault = Fault(verb, "log")
    with disk_full():
        store["k"] = "v"
    reason = str(store.status().failed)
    assert FULL in reason
    assert_refused(store, re.escape(reason))


def test_healing_takes_a_generation_beyond_the_failed_frame() -> None:
    """Healing skips the sequence of the failed frame, which may be in the log after all."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    disk.fault = Fault("append", "log", done="all")
    with disk_full():
        store["a"] = "1"  # sequence 2
    store.compact()
    assert store.status().generation == 3


@pytest.mark.parametrize("write", [lambda store: store.put("b", "2"), DurableStore.sync])
def test_a_failed_fsync_is_never_tried_again(write: Callable[[DurableStore], object]) -> None:
    """A failed fsync isn't repeated, even by close: the kernel may have marked the pages clean."""
    disk = FaultyDisk()
    store = kvlib.open(disk, sync=2)
    store["a"] = "1"
    disk.fault = Fault("sync", "log")
    with disk_full():
        write(store)
    before = disk.syncs()
    assert_refused(store, "fsync|append")
    store.close()
    assert disk.syncs() == before


def scenario(disk: Disk, expected: list[Items]) -> None:
    """Put, batch, compact and close; `expected` is what may be on the disk at each moment."""
    state: Items = {}
    with kvlib.open(disk, sync=2, threshold=3) as store:
        expected.append(dict(state))
        for at in range(5):
            expected.append(state | {f"k{at}": "v"})
            store[f"k{at}"] = "v"
            state = expected[-1]
            expected[:-1] = []
        expected.append({"k0": "w"})
        with store.batch():
            store["k0"] = "w"
            for at in range(1, 5):
                del store[f"k{at}"]
        expected[:-1] = []
        store.compact()


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@DONE
def test_an_interruption_at_any_disk_call_leaves_a_whole_state(
    error: type[BaseException], done: Done
) -> None:
    """If any call in the life of a store fails, the state is the one before or after it."""
    whole = FaultyDisk()
    scenario(whole, [])
    for skip in range(len(whole.calls)):
        disk = FaultyDisk()
        disk.fault = Fault(skip=skip, done=done, error=error)
        expected: list[Items] = [{}]
        try:
            scenario(disk, expected)
        except error:
            pass
        except WriteRefusedError:
            assert error is OSError  # a compaction in doubt, which the put itself outlived
        assert reopened(disk) in expected
        with kvlib.open(disk) as store:  # the lock is free
            assert dict(store) in expected
            store["next"] = "works"
        assert reopened(disk)["next"] == "works"


def test_memory_is_completed_by_compaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutations that are durable and not in memory are applied before a compaction."""
    from kvlib import log

    real = log.apply

    def half(mutations: list[log.Mutation], items: Items) -> None:
        real(mutations[: len(mutations) // 2], items)
        raise KeyboardInterrupt

    disk = disk_of(closed_store())
    store = kvlib.open(disk)
    with monkeypatch.context() as broken:
        broken.setattr(log, "apply", half)
        with pytest.raises(KeyboardInterrupt):
            store.update({"a": "1", "b": "2"})
    with pytest.raises(WriteRefusedError):
        store["c"] = "3"
    store.compact()
    assert dict(store) == reopened(disk) == OLD | {"a": "1", "b": "2"}


FAILED: dict[str, Callable[[DurableStore], object]] = {
    "update": lambda store: store.update({"a": "1", "b": "2"}),
    "clear": lambda store: store.clear(),
    "batch": lambda store: batch(store, {"a": "1", "b": "2"}),
}


@pytest.mark.parametrize("write", FAILED.values(), ids=FAILED)
def test_a_failed_batch_changes_nothing_in_memory(write: Callable[[DurableStore], object]) -> None:
    """If the fsync of several mutations fails, reads see none of them."""
    disk = FaultyDisk(disk_of(closed_store()))
    store = kvlib.open(disk)
    disk.fault = Fault("sync", "log")
    with disk_full():
        write(store)
    assert dict(store) == OLD
