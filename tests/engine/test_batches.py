"""Batches: all or nothing, one frame, and only what their own context writes."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Any

import pytest

import kvlib
from helpers.stores import OLD, changes_of, closed_store, content, frames_of, reopened
from helpers.vocabulary import FaultyDisk, disk_of, files_of, store_files
from kvlib import DurableStore, MemoryDisk, commit

# --- one frame ------------------------------------------------------------------------------------


def test_a_batch_is_one_frame_and_one_fsync() -> None:
    """A batch is one frame and one fsync, and counts as many mutations as it has."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    before = disk.syncs()
    with store.batch():
        for at in range(10):
            store[f"{at}"] = "x"
        store.delete("3")
        store.delete("0")
    assert len(frames_of(disk)) == 1
    assert disk.syncs() == before + 1
    assert store.status().pending == 12
    assert len(store) == 8


def test_a_batch_is_all_or_nothing_at_every_cut() -> None:
    """Wherever its frame is cut, nothing of a batch is left."""
    disk = disk_of(closed_store())
    store = kvlib.open(disk)
    before = disk.read("log")
    with store.batch():
        store["a"] = "1"
        store["b"] = "2"
        store.delete("old")
    after = disk.read("log")
    for end in range(len(before), len(after)):
        assert reopened(disk_of({**files_of(disk), "log": after[:end]})) == OLD
    assert reopened(disk) == {"a": "1", "b": "2"}


def test_an_empty_batch_or_update_writes_nothing() -> None:
    """An empty batch, update or clear writes nothing."""
    disk = FaultyDisk(disk_of(closed_store()))
    store = kvlib.open(disk)
    disk.calls.clear()
    with store.batch():
        pass
    with store.batch():
        store.update({})
    store.update({})
    store.update()
    kvlib.open(disk_of(store_files({}))).clear()
    assert changes_of(disk) == []


def test_update_is_all_or_nothing() -> None:
    """An update in any form is one frame, and one wrong value discards it."""
    disk = disk_of(closed_store())
    store = kvlib.open(disk)
    wrong: Any = None
    for records in ({"a": "1", "b": wrong}, [("a", "1"), ("b", "2"), (wrong, "3")]):
        with pytest.raises(TypeError):
            store.update(records)
    assert files_of(disk) == closed_store()
    store.update({"a": "1", "b": "2"}, c="3")
    store.update([("a", "4"), ("d", "5")])
    store.update(kvlib.open(disk_of(store_files({"e": "6", "f": "7"}))))
    assert frames_of(disk)[1:] == [("M", 3, 39), ("M", 4, 26), ("M", 5, 26)]
    assert dict(store) == OLD | {"a": "4", "b": "2", "c": "3", "d": "5", "e": "6", "f": "7"}


def test_compaction_comes_after_a_batch() -> None:
    """A batch that makes a compaction due is durable before that begins."""
    disk = FaultyDisk()
    store = kvlib.open(disk, threshold=2)
    disk.calls.clear()
    with store.batch():
        for at in range(5):
            store[f"{at}"] = "x"
        assert changes_of(disk) == []
    assert changes_of(disk)[:3] == [
        ("append", "log"),
        ("sync", "log"),
        ("write", "0000000000000003.00000000.segment"),
    ]
    assert (store.status().compactions, store.status().pending) == (1, 0)


# --- inside the block -----------------------------------------------------------------------------


def test_reads_inside_a_batch_see_the_old_state() -> None:
    """Reads inside a batch see the state before it."""
    store = kvlib.open(disk_of(closed_store()))
    with store.batch():
        store["old"] = "2"
        store["new"] = "1"
        assert dict(store) == OLD
        with pytest.raises(KeyError):
            del store["new"]
        del store["old"]
        assert dict(store) == OLD
    assert dict(store) == {"new": "1"}


def test_an_exception_discards_a_batch() -> None:
    """An exception discards the batch."""
    disk = disk_of(closed_store())
    store = kvlib.open(disk)
    with pytest.raises(ZeroDivisionError), store.batch():
        store["a"] = "1"
        raise ZeroDivisionError
    assert (dict(store), files_of(disk)) == (OLD, closed_store())
    with store.batch():
        store["b"] = "2"
    assert dict(store) == OLD | {"b": "2"}


def test_batches_do_not_nest() -> None:
    """A batch inside a batch is refused, and the outer one continues."""
    store = kvlib.open(disk_of(closed_store()))
    with store.batch():
        store["a"] = "1"
        with pytest.raises(ValueError, match="nest"), store.batch():
            pytest.fail("nested")
        store["b"] = "2"
    assert dict(store) == OLD | {"a": "1", "b": "2"}


def test_a_mistake_inside_a_batch_adds_nothing_to_it() -> None:
    """A refused mutation or update adds nothing to the batch."""
    store = kvlib.open(disk_of(closed_store()))
    wrong: Any = 7
    with store.batch():
        store["a"] = "1"
        with pytest.raises(TypeError):
            store["b"] = wrong
        with pytest.raises(TypeError):
            store.update({"c": "3", "d": wrong})
        store["e"] = "5"
    assert dict(store) == OLD | {"a": "1", "e": "5"}


def test_what_promises_durability_is_refused_in_a_batch() -> None:
    """`sync`, `compact` and `backup` are refused inside a batch, and allowed in other threads."""
    store = kvlib.open(MemoryDisk())
    with store.batch():
        store["a"] = "1"
        for call in (store.sync, store.compact, lambda: store.backup(MemoryDisk())):
            with pytest.raises(ValueError, match="a batch is open"):
                call()
        thread = threading.Thread(target=store.sync)  # another thread is free to sync
        thread.start()
        thread.join()
    store.sync()


def test_a_batch_survives_ctrl_c_while_its_context_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C while the context is checked does not end the batch."""
    store = kvlib.open(MemoryDisk())

    probe = commit._probe

    class Broken:
        def reset(self, token: Any) -> None:
            probe.reset(token)

        def set(self, value: None) -> None:
            raise KeyboardInterrupt

    with store.batch():
        store["a"] = "1"
        with monkeypatch.context() as patch:
            patch.setattr(commit, "_probe", Broken())
            with pytest.raises(KeyboardInterrupt):
                store["b"] = "2"
        store["c"] = "3"
        assert dict(store) == {}
    assert dict(store) == {"a": "1", "c": "3"}


# --- contexts -------------------------------------------------------------------------------------


def test_two_coroutines_have_a_batch_each() -> None:
    """Two coroutines have separate batches: one fails, the other is kept."""
    disk = MemoryDisk()
    store = kvlib.open(disk)

    async def fails(ready: asyncio.Event, go: asyncio.Event) -> None:
        with suppress(LookupError), store.batch():
            store["a"] = "discarded"
            ready.set()
            await go.wait()
            store["b"] = "discarded"
            raise LookupError

    async def puts(ready: asyncio.Event, go: asyncio.Event) -> None:
        await ready.wait()
        store["c"] = "kept"
        assert content(disk) == {"c": "kept"}
        with store.batch():
            store["d"] = "kept"
            go.set()
            await asyncio.sleep(0)
            store["e"] = "kept"

    async def main() -> None:
        ready, go = asyncio.Event(), asyncio.Event()
        await asyncio.gather(fails(ready, go), puts(ready, go))

    asyncio.run(main())
    assert dict(store) == content(disk) == {"c": "kept", "d": "kept", "e": "kept"}


def test_what_a_batch_starts_is_not_in_it() -> None:
    """A task or thread that the block starts is not in the batch."""
    disk = MemoryDisk()
    store = kvlib.open(disk)

    async def put(key: str) -> None:
        store[key] = "kept"

    async def main() -> None:
        with suppress(LookupError), store.batch():
            store["a"] = "discarded"
            await asyncio.create_task(put("task"))
            await asyncio.to_thread(store.put, "thread", "kept")
            await put("a")
            store["b"] = "discarded"
            raise LookupError
        with store.batch():
            await put("last")

    asyncio.run(main())
    assert dict(store) == content(disk) == {"task": "kept", "thread": "kept", "last": "kept"}


def test_batches_of_two_stores_are_independent() -> None:
    """Batches of two stores may overlap, and each collects its own mutations."""
    one, two = kvlib.open(MemoryDisk()), kvlib.open(MemoryDisk())
    with one.batch():
        one["a"] = "1"
        two["a"] = "1"
        with two.batch():
            one["b"] = "2"
            two["b"] = "2"
            with pytest.raises(ValueError, match="nest"), one.batch():
                pytest.fail("nested")
        assert dict(two) == {"a": "1", "b": "2"}
        assert dict(one) == {}
    assert dict(one) == {"a": "1", "b": "2"}


@contextmanager
def own_batch(store: DurableStore) -> Iterator[None]:
    """Open a batch in a context manager of the user's own."""
    with store.batch():
        yield


@contextmanager
def stacked_batch(store: DurableStore) -> Iterator[None]:
    """Open a batch in an ExitStack."""
    with ExitStack() as stack:
        stack.enter_context(store.batch())
        yield


@pytest.mark.parametrize("wrapped", [own_batch, stacked_batch])
def test_a_batch_can_be_wrapped(
    wrapped: Callable[[DurableStore], AbstractContextManager[None]],
) -> None:
    """A batch in another context manager is written or discarded when that one ends."""
    store = kvlib.open(MemoryDisk())
    with wrapped(store):
        store["a"] = "1"
        assert dict(store) == {}
    assert dict(store) == {"a": "1"}
    with suppress(LookupError), wrapped(store):
        store["b"] = "1"
        raise LookupError
    store["c"] = "1"
    assert dict(store) == {"a": "1", "c": "1"}


def test_a_batch_object_can_be_used_again() -> None:
    """A batch object can be used again, and begins empty."""
    store = kvlib.open(MemoryDisk())
    batch = store.batch()
    for number in range(2):
        with batch:
            store[f"{number}"] = "1"
    assert store.status().pending == len(store) == 2
