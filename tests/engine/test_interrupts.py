"""Ctrl-C at every place where Python looks for signals.

An interrupted call has done all or nothing. The tracebacks are kept, as Jupyter keeps the last one,
and with them the frames that were interrupted.
"""

import contextlib
import dis
import faulthandler
import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import kvlib
from helpers.stores import MODES, Items, Sync, content
from helpers.vocabulary import survivor
from kvlib import DurableStore, MemoryDisk, Store, WriteRefusedError

pytestmark = pytest.mark.untraced


ENGINE = str(Path(kvlib.__file__).parent)
RECORDS: Items = {"old": "1", b"\0": "2"}
NEW: Items = {"new": "3", "more": b"5"}
Raised = list[BaseException]
Trace = Callable[[FrameType, str, object], Any]


class Interrupter:
    """Raise KeyboardInterrupt at the n-th place where Python looks for signals.

    These are the beginnings of functions, and the ends of calls and of jumps back. Only the engine
    is interrupted, the functions of this file that call it, and contextlib. The step from the
    end of a with block to the call of `__exit__`, for example, is safe.
    """

    def __init__(self, place: int) -> None:
        self.left = place

    def __call__(self, frame: FrameType, event: str, _: object) -> "Trace | None":
        if not frame.f_code.co_filename.startswith((ENGINE, __file__, contextlib.__file__)):
            return None
        frame.f_trace_opcodes = True
        self.strike()
        before = ""

        def follow(frame: FrameType, event: str, _: object) -> Trace:
            nonlocal before
            if event == "opcode":
                if before.startswith(("CALL", "JUMP_BACKWARD")):
                    self.strike()
                before = dis.opname[frame.f_code.co_code[frame.f_lasti]]
            return follow

        return follow

    def strike(self) -> None:
        self.left -= 1
        if self.left == 0:
            sys.settrace(None)
            raise KeyboardInterrupt


def attempt(action: Callable[[], object], place: int = 0) -> Raised:
    """Run `action`, interrupted at a place if there is one; return what it raised."""
    gc.disable()  # what is collected meanwhile must not be interrupted
    try:
        if place:
            sys.settrace(Interrupter(place))
        action()
    except BaseException as error:
        return [error]
    finally:
        sys.settrace(None)
        gc.enable()
    return []


@pytest.fixture(autouse=True)
def watch() -> Iterator[None]:
    """End a test that hangs, and trace nothing else: coverage has its own locks."""
    tracers = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    faulthandler.dump_traceback_later(120, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()
    threading.settrace(tracers[1])
    sys.settrace(tracers[0])


def interruptions(make: Callable[[], Callable[[], object]], stride: int = 1) -> Iterator[Raised]:
    """Run a new action for every place, interrupted there, until it ends uninterrupted."""
    place = 1
    while raised := attempt(make(), place):
        assert [type(error) for error in raised] == [KeyboardInterrupt], raised
        yield raised
        place += stride
    assert place > 1


def make_store(sync: Sync = "always", threshold: int = 10**6) -> tuple[MemoryDisk, DurableStore]:
    """Return a store that holds RECORDS, and its disk."""
    disk = MemoryDisk()
    store = kvlib.open(disk, sync=sync, threshold=threshold)
    store.update(RECORDS)
    return disk, store


# --- a durable store ------------------------------------------------------------------------------


def change(store: DurableStore) -> None:
    """Put and delete in a batch."""
    with store.batch():
        store.update(NEW)
        store.delete("old")


def refused_batch(store: DurableStore) -> None:
    """Discard a batch by an error in its block."""
    with suppress(LookupError), store.batch():
        store["new"] = "3"
        raise LookupError


CHANGES: dict[str, Callable[[DurableStore], object]] = {
    "put": lambda store: store.put("new", "3"),
    "delete": lambda store: store.delete("old"),
    "update": lambda store: store.update({"old": "4", **NEW}),
    "clear": lambda store: store.clear(),
    "batch": change,
}
OTHERS: dict[str, Callable[[DurableStore], object]] = {
    "refused batch": refused_batch,
    "compact": lambda store: store.compact(),
    "sync": lambda store: store.sync(),
    "backup": lambda store: store.backup(MemoryDisk()),
}
CALLS = CHANGES | OTHERS
CASES = [(name, sync, 10**6) for name in CALLS for sync in ("always", 2, "never")]
CASES += [(name, sync, 3) for name in ("put", "batch") for sync in ("always", 2)]  # then compact


@pytest.mark.parametrize(("name", "sync", "threshold"), CASES)
def test_an_interrupted_call_has_done_all_or_nothing(name: str, sync: Sync, threshold: int) -> None:
    """An interrupted call is done whole or not at all; the next works, or needs a compaction."""
    expected, store = make_store()
    CALLS[name](store)
    states = [RECORDS, content(expected)]
    made: list[tuple[MemoryDisk, DurableStore]] = []

    def make() -> Callable[[], object]:
        made.append(make_store(sync, threshold))
        return partial(CALLS[name], made[-1][1])

    for _ in interruptions(make, 1 if name in CHANGES and threshold > 3 else 3):
        disk, store = made.pop()
        assert dict(store) in states
        assert content(disk) in states
        state = dict(store)
        refusals = attempt(partial(store.put, "next", "1"))
        if not refusals:
            assert dict(store) == content(disk) == state | {"next": "1"}
        else:
            assert [type(error) for error in refusals] == [WriteRefusedError]
            assert dict(store) == state
            assert attempt(store.compact) == []
            assert attempt(partial(store.put, "next", "1")) == []
            kept = {key: value for key, value in store.items() if key != "next"}
            assert kept in states
            assert content(disk) == dict(store)
        assert attempt(partial(change, store)) == []
        assert attempt(store.sync) == []
        assert attempt(store.close) == []
        assert content(disk).items() >= {"next": "1", **NEW}.items()


def stacked_batch(store: DurableStore) -> None:
    """Open a batch in an ExitStack."""
    with ExitStack() as stack:
        stack.enter_context(store.batch())
        store.update(NEW)
        store.delete("old")


@contextmanager
def own_batch(store: DurableStore) -> Iterator[None]:
    """Open a batch in a context manager of the user's own."""
    with store.batch():
        yield


def wrapped_batch(store: DurableStore) -> None:
    """Open a batch by that context manager."""
    with own_batch(store):
        store.update(NEW)
        store.delete("old")


@pytest.mark.parametrize(("act", "stride"), [(stacked_batch, 5), (wrapped_batch, 1)])
def test_a_batch_left_open_refuses_what_promises_durability(
    act: Callable[[DurableStore], None], stride: int
) -> None:
    """If contextlib is interrupted, the batch stays open until the traceback is dropped.

    Nothing in it is written, `sync` and the like are refused, and it ends with the traceback.
    """
    made: list[tuple[MemoryDisk, DurableStore]] = []

    def make() -> Callable[[], None]:
        made.append(make_store())
        return partial(act, made[-1][1])

    left_open = 0
    for raised in interruptions(make, stride):
        disk, store = made.pop()
        state = dict(store)
        assert state in (RECORDS, {b"\0": "2", **NEW})
        if store.status().failed:
            store.compact()
            state = dict(store)
        store["next"] = "1"
        if "next" not in store:
            left_open += 1
            for name in ("sync", "compact", "backup"):
                with pytest.raises(ValueError, match="batch"):
                    OTHERS[name](store)
            raised.clear()
            gc.collect()
            store["next"] = "1"
        assert dict(store) == content(disk) == state | {"next": "1"}
    assert left_open


def test_an_interrupted_open_leaves_the_store_to_be_opened_again() -> None:
    """After an interrupted open, the lock is free and every record is there."""
    disks: list[MemoryDisk] = []

    def make() -> Callable[[], object]:
        disks.append(survivor(make_store()[0]))
        return partial(kvlib.open, disks[-1])

    for _ in interruptions(make, 3):
        assert content(disks[-1]) == RECORDS
        with kvlib.open(disks[-1]) as store:
            assert store == RECORDS
            store["next"] = "1"


@MODES
def test_an_interrupted_close_can_be_closed_again(sync: Sync) -> None:
    """After a second close the store is closed, and its lock is free."""
    made: list[tuple[MemoryDisk, DurableStore]] = []

    def make() -> Callable[[], None]:
        made.append(make_store(sync))
        return made[-1][1].close

    for _ in interruptions(make):
        disk, store = made.pop()
        with suppress(WriteRefusedError):
            assert attempt(store.close) == []
        with pytest.raises(ValueError, match="closed"):
            len(store)
        with kvlib.open(disk) as store:
            assert store == RECORDS


# --- a store in memory ----------------------------------------------------------------------------


MEMORY: dict[str, Callable[[Store], object]] = {
    "put": lambda store: store.put("new", "3"),
    "delete": lambda store: store.delete("old"),
    "update": lambda store: store.update({"old": "4", **NEW}),
    "clear": lambda store: store.clear(),
    "serialize": lambda store: store.serialize(store._medium),
    "deserialize": lambda store: store.deserialize(store._medium),
    "shutdown": lambda store: store.shutdown(),
    "restore": lambda store: store.restore(),
}


@pytest.mark.parametrize("name", MEMORY)
def test_an_interrupted_call_of_a_store_in_memory_has_done_all_or_nothing(name: str) -> None:
    """An interrupted call of a Store is done whole or not at all, in memory and on its medium."""
    made: list[Store] = []

    def make() -> Callable[[], object]:
        store = Store()
        store["saved"] = "0"
        store.serialize(store._medium)
        store.clear()
        store.update(RECORDS)
        made.append(store)
        return partial(MEMORY[name], store)

    make()
    after = made.pop()
    MEMORY[name](after)
    saved: list[Items] = [{"saved": "0"}, RECORDS]
    for _ in interruptions(make, 5 if name in ("serialize", "shutdown") else 1):
        store = made.pop()
        assert dict(store) in (RECORDS, dict(after))
        assert store.get("old") == dict(store).get("old")
        assert content(store._medium) in saved
        state = dict(store)
        store["next"] = "1"
        assert store == state | {"next": "1"}
        store.shutdown()
        assert store == {}
        store.restore()
        assert store == state | {"next": "1"}


# --- real signals ---------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
@pytest.mark.parametrize("name", ["put", "update", "batch", "clear", "compact"])
def test_real_signals_leave_a_whole_state(name: str) -> None:
    """Signals of a real timer leave a whole state too."""
    act, kept = CALLS[name], list[BaseException]()
    disk, store = make_store(threshold=50)

    def strike(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, strike)
    gc.disable()  # an exception in a callback of the collector would be lost
    try:
        for number in range(100):
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-5 + number % 50 * 2e-6)
                for _ in range(50):
                    act(store)
                    store.update(RECORDS)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except (KeyboardInterrupt, WriteRefusedError) as error:
                signal.setitimer(signal.ITIMER_REAL, 0)
                kept.append(error)
            if store.status().failed is not None:
                store.compact()
            assert store.keys() <= {*RECORDS, *NEW}
            with store.batch():
                store.clear()
                for key, value in RECORDS.items():
                    store[key] = value
            assert dict(store) == content(disk) == RECORDS
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()
    assert kept
