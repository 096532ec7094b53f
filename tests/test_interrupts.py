"""Ctrl-C at every bytecode, and code that runs in the middle of another call's code.

Python looks for signals between bytecodes, and collects garbage wherever it makes an object. So an
exception may come out of any of them, and a `__del__` or a signal handler may run there. The
tracebacks are kept, as Jupyter keeps the last one: with them live the frames that were interrupted.
"""

import contextlib
import dis
import faulthandler
import functools
import gc
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import pytest

import kvlib
from kvlib import DurableStore, MemoryDisk, Store, WriteRefusedError
from vocabulary import Field

ENGINE = str(Path(kvlib.__file__).parent)
OLD: dict[Field, Field] = {"old": "1", b"\0": "2"}
Sync = Literal["always", "never"] | int
MODES: list[Sync] = ["always", 2, "never"]


class Interrupter:
    """Ctrl-C at the n-th place where Python looks for signals.

    That is where a function begins, and behind a call and a jump back; in the engine, in functions
    of this file that call it, and in contextlib, which they go through. Nowhere else: what a with
    statement does between its block and the call of `__exit__`, for example, is safe.
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


Trace = Callable[[FrameType, str, object], Any]


Raised = list[BaseException]


def attempt(action: Callable[[], object], place: int = 0) -> Raised:
    """Run `action`, interrupted at a place; what it raised, with its traceback, if it did."""
    gc.disable()  # what is collected on the way is not to be interrupted
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
    """What hangs ends all, and says where."""
    faulthandler.dump_traceback_later(120, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()


def interruptions(make: Callable[[], Callable[[], object]], stride: int = 1) -> Iterator[Raised]:
    """Do it again and again, interrupted at every place in turn, until none is left."""
    place = 1
    while raised := attempt(make(), place):
        assert [type(error) for error in raised] == [KeyboardInterrupt], raised
        yield raised
        place += stride
    assert place > 3


def content(disk: kvlib.Disk) -> dict[Field, Field]:
    """What recovery makes of it."""
    with kvlib.open(disk, read_only=True) as store:
        return dict(store)


# ------------------------------------------------------------------------------- a durable store


def put(store: DurableStore) -> None:
    """One record."""
    store["new"] = "3"


def delete(store: DurableStore) -> None:
    """One record."""
    del store["old"]


def update(store: DurableStore) -> None:
    """Several records in one mutation."""
    store.update({"new": "3", "old": "4", "more": b"5"})


def clear(store: DurableStore) -> None:
    """All of them."""
    store.clear()


def batch(store: DurableStore) -> None:
    """Puts and deletions in one mutation."""
    with store.batch():
        store["new"] = "3"
        store.delete("old")
        store["more"] = b"5"


def refused_batch(store: DurableStore) -> None:
    """Discarded by an error of its block."""
    with suppress(LookupError), store.batch():
        store["new"] = "3"
        raise LookupError


def compact(store: DurableStore) -> None:
    """A new snapshot."""
    store.compact()


def sync(store: DurableStore) -> None:
    """What is not safe yet."""
    store.sync()


def backup(store: DurableStore) -> None:
    """To another disk."""
    store.backup(MemoryDisk())


CHANGES = [put, delete, update, clear, batch]
OTHERS = [refused_batch, compact, sync, backup]


@pytest.mark.no_cover  # it traces in its own way
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("act", CHANGES + OTHERS)
def test_an_interrupted_call_has_done_all_or_nothing(
    act: Callable[[DurableStore], None], mode: Sync
) -> None:
    """In memory and on the disk; and the next call does what it says, or is refused."""
    expected = MemoryDisk()
    with kvlib.open(expected) as store:
        store.update(OLD)
        act(store)
    states = [OLD, content(expected)]
    made: list[tuple[MemoryDisk, DurableStore]] = []

    def make() -> Callable[[], None]:
        disk = MemoryDisk()
        store = kvlib.open(disk, sync=mode, threshold=10**6)
        store.update(OLD)
        made.append((disk, store))
        return functools.partial(act, store)

    for _ in interruptions(make, 1 if act in CHANGES else 3):
        disk, store = made.pop()
        assert dict(store) in states
        assert content(disk) in states
        state = dict(store)
        refusals = attempt(functools.partial(store.put, "next", "1"))
        if not refusals:
            assert dict(store) == content(disk) == state | {"next": "1"}
        else:
            assert [type(error) for error in refusals] == [WriteRefusedError]
            assert dict(store) == state
            assert attempt(store.compact) == []
            assert attempt(functools.partial(store.put, "next", "1")) == []
            kept = {key: value for key, value in store.items() if key != "next"}
            assert kept in states
            assert content(disk) == dict(store)
        assert attempt(functools.partial(batch, store)) == []
        assert attempt(store.sync) == []
        assert attempt(store.close) == []
        assert content(disk).items() >= {"next": "1", "new": "3", "more": b"5"}.items()


def stacked_batch(store: DurableStore) -> None:
    """Opened by an ExitStack."""
    with ExitStack() as stack:
        stack.enter_context(store.batch())
        batch_itself(store)


@contextmanager
def own_batch(store: DurableStore) -> Iterator[None]:
    """A context manager of a user's own around it."""
    with store.batch():
        yield


def wrapped_batch(store: DurableStore) -> None:
    """In a context manager of a user's own."""
    with own_batch(store):
        batch_itself(store)


def batch_itself(store: DurableStore) -> None:
    """What is in it."""
    store["new"] = "3"
    store.delete("old")
    store["more"] = b"5"


@pytest.mark.no_cover
@pytest.mark.parametrize("act", [stacked_batch, wrapped_batch])
def test_a_batch_that_its_user_left_open_says_so(act: Callable[[DurableStore], None]) -> None:
    """contextlib can be interrupted too: then the batch is open while the traceback lives.

    Nothing of it is written, which sync() doesn't pass over; it is gone with the traceback.
    """
    made: list[tuple[MemoryDisk, DurableStore]] = []

    def make() -> Callable[[], None]:
        disk = MemoryDisk()
        store = kvlib.open(disk)
        store.update(OLD)
        made.append((disk, store))
        return functools.partial(act, store)

    left_open = 0
    for raised in interruptions(make):
        disk, store = made.pop()
        state = dict(store)
        assert state in (OLD, {b"\0": "2", "new": "3", "more": b"5"})
        if store.status().failed:
            store.compact()
            state = dict(store)
        store["next"] = "1"
        if "next" not in store:
            left_open += 1
            for call in (store.sync, store.compact, lambda: store.backup(MemoryDisk())):
                with pytest.raises(ValueError, match="a batch is open"):
                    call()
            raised.clear()
            gc.collect()
            store["next"] = "1"
        assert dict(store) == content(disk) == state | {"next": "1"}
    assert left_open


@pytest.mark.no_cover
def test_an_interrupted_open_leaves_the_store_to_be_opened_again() -> None:
    """The lock is free, and everything is there."""
    disks: list[MemoryDisk] = []

    def make() -> Callable[[], object]:
        disk = MemoryDisk()
        store = kvlib.open(disk)
        store.update(OLD)
        store._lock.__exit__(None, None, None)  # the process died
        disks.append(disk)
        return functools.partial(kvlib.open, disk)

    for _ in interruptions(make, 3):
        assert content(disks[-1]) == OLD
        with kvlib.open(disks[-1]) as store:
            assert store == OLD
            store["next"] = "1"


@pytest.mark.no_cover
@pytest.mark.parametrize("mode", MODES)
def test_an_interrupted_close_can_be_closed_again(mode: Sync) -> None:
    """After the second one it is closed, and the lock is free."""
    made: list[tuple[MemoryDisk, DurableStore]] = []

    def make() -> Callable[[], None]:
        disk = MemoryDisk()
        store = kvlib.open(disk, sync=mode)
        store.update(OLD)
        made.append((disk, store))
        return store.close

    for _ in interruptions(make):
        disk, store = made.pop()
        with suppress(WriteRefusedError):
            assert attempt(store.close) == []
        with pytest.raises(ValueError, match="closed"):
            len(store)
        with kvlib.open(disk) as store:
            assert store == OLD


# ------------------------------------------------------------------------------ a store in memory


def of_memory(act: Callable[[Store], object]) -> Callable[[Store], object]:
    """An action on a Store in memory."""
    return act


MEMORY: dict[str, Callable[[Store], object]] = {
    "put": lambda store: store.put("new", "3"),
    "delete": lambda store: store.delete("old"),
    "update": lambda store: store.update({"new": "3", "old": "4", "more": b"5"}),
    "clear": lambda store: store.clear(),
    "serialize": lambda store: store.serialize(store._medium),
    "deserialize": lambda store: store.deserialize(store._medium),
    "shutdown": lambda store: store.shutdown(),
    "restore": lambda store: store.restore(),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("name", MEMORY)
def test_an_interrupted_call_of_a_store_in_memory_has_done_all_or_nothing(name: str) -> None:
    """In memory and on its medium, which can be written and read at once."""
    made: list[Store] = []

    def make() -> Callable[[], object]:
        store = Store()
        store["saved"] = "0"
        store.serialize(store._medium)
        store.clear()
        store.update(OLD)
        made.append(store)
        return functools.partial(MEMORY[name], store)

    make()
    after = made.pop()
    MEMORY[name](after)
    saved: list[dict[Field, Field]] = [{"saved": "0"}, OLD]
    for _ in interruptions(make, 1 if name in ("put", "delete", "update", "clear") else 5):
        store = made.pop()
        assert dict(store) in (OLD, dict(after))
        assert store.get("old") == dict(store).get("old")
        assert content(store._medium) in saved
        state = dict(store)
        store["next"] = "1"
        assert store == state | {"next": "1"}
        store.shutdown()
        assert store == {}
        store.restore()
        assert store == state | {"next": "1"}


# ----------------------------------------------------------------------------------- real signals


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
@pytest.mark.parametrize("act", [put, update, batch, clear, compact])
def test_real_signals_leave_a_whole_state(act: Callable[[DurableStore], None]) -> None:
    """The same with a timer's signals, a few hundred of them."""
    kept: Raised = []
    disk = MemoryDisk()
    store = kvlib.open(disk, threshold=50)
    store.update(OLD)
    expected = MemoryDisk()
    with kvlib.open(expected) as other:
        other.update(OLD)
        act(other)
    states = [OLD, content(expected)]

    def strike(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, strike)
    try:
        for number in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-5 + number % 50 * 2e-6)
                for _ in range(50):
                    act(store)
                    store.update(OLD)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except (KeyboardInterrupt, WriteRefusedError, KeyError) as error:
                signal.setitimer(signal.ITIMER_REAL, 0)
                kept.append(error)
            if store.status().failed is not None:
                store.compact()
            seen = dict(store)
            assert {key: value for key, value in seen.items() if key in states[1] | OLD} == seen
            with store.batch():
                store.clear()
                for key, value in OLD.items():
                    store[key] = value
            assert dict(store) == content(disk) == OLD
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert kept


# ------------------------------------------------------------------------------------ re-entrance


class Loop:
    """Garbage in a cycle, which calls something when it is collected."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.myself, self.call = self, call

    def __del__(self) -> None:
        self.call()


