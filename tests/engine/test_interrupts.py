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
import itertools
import os
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
from helpers.vocabulary import Field
from kvlib import DurableStore, MemoryDisk, Store, WriteRefusedError

pytestmark = pytest.mark.untraced

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
    """What hangs ends all, and says where. Nobody else traces: coverage has locks of its own."""
    tracers = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    faulthandler.dump_traceback_later(120, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()
    threading.settrace(tracers[1])
    sys.settrace(tracers[0])


def interruptions(make: Callable[[], Callable[[], object]], stride: int = 1) -> Iterator[Raised]:
    """Do it again and again, interrupted at every place in turn, until none is left."""
    place = 1
    while raised := attempt(make(), place):
        assert [type(error) for error in raised] == [KeyboardInterrupt], raised
        yield raised
        place += stride
    assert place > 1


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


@pytest.mark.parametrize("act", [stacked_batch, wrapped_batch])
def test_a_batch_that_its_user_left_open_says_so(act: Callable[[DurableStore], None]) -> None:
    """Code of contextlib can be interrupted too: then the batch is open while the traceback lives.

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
            for call in (sync, compact, backup):
                with pytest.raises(ValueError, match="a batch is open"):
                    call(store)
            raised.clear()
            gc.collect()
            store["next"] = "1"
        assert dict(store) == content(disk) == state | {"next": "1"}
    assert left_open


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


class Garbage:
    """A cycle that calls something when it is collected."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.myself, self.call = self, call

    def __del__(self) -> None:
        self.call()


@pytest.fixture
def eager() -> Iterator[list[BaseException]]:
    """Garbage is collected all the time; what its `__del__` raises is listed."""
    refused: list[BaseException] = []
    threshold, hook = gc.get_threshold(), sys.unraisablehook
    gc.set_threshold(7, 2, 2)
    sys.unraisablehook = lambda event: refused.append(event.exc_value or ValueError())
    yield refused
    sys.unraisablehook = hook
    gc.set_threshold(*threshold)
    gc.collect()


@pytest.mark.parametrize("act", [compact, update, batch, put, sync])
@pytest.mark.parametrize("mode", MODES)
def test_what_a_collected_object_puts_is_kept_or_refused(
    act: Callable[[DurableStore], None], mode: Sync, eager: list[BaseException]
) -> None:
    """A `__del__` in the middle of another call: nothing acknowledged is lost, or spoilt."""
    disk = MemoryDisk()
    store = kvlib.open(disk, sync=mode, threshold=200)
    acknowledged: dict[Field, Field] = {}

    def late(number: int) -> None:
        store[f"late {number}"] = "1"
        if not kvlib_batch_is_open(store):
            acknowledged[f"late {number}"] = "1"

    for number in range(300):
        Garbage(functools.partial(late, number))
        act(store)
    gc.collect()
    store.close()
    kept = content(disk)
    assert kept.items() >= acknowledged.items()
    for error in eager:
        assert isinstance(error, WriteRefusedError), error
        assert "middle of a write" in str(error)
    assert eager if act is compact else acknowledged or eager


def kvlib_batch_is_open(store: DurableStore) -> bool:
    """Whether what is put now is in a batch, which may still be discarded."""
    try:
        store._check_no_batch()
    except ValueError:
        return True
    return False


WRITES: dict[str, Callable[[DurableStore], object]] = {
    "put": lambda store: store.put("inner", "1"),
    "delete": lambda store: store.delete("old"),
    "update": lambda store: store.update({"inner": "1"}),
    "clear": lambda store: store.clear(),
    "batch": batch,
    "compact": lambda store: store.compact(),
    "sync": lambda store: store.sync(),
    "close": lambda store: store.close(),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("where", ["append", "sync", "write", "rename", "policy"])
def test_a_write_in_the_middle_of_a_write_is_refused(where: str, write: str, mode: Sync) -> None:
    """Whatever calls it: the outer one goes on, and the store is what it would have been."""
    refused: list[str] = []
    armed = False

    def intrude() -> None:
        nonlocal armed
        if armed:
            armed = False
            with pytest.raises(WriteRefusedError, match="middle of a write") as info:
                WRITES[write](store)
            assert store["old"] == "1"  # reading goes on
            refused.append(str(info.value))

    class Calling(MemoryDisk):
        def append(self, name: str, data: bytes) -> None:
            super().append(name, data)
            intrude() if where == "append" else None

        def sync(self, name: str) -> None:
            super().sync(name)
            intrude() if where == "sync" else None

        def write(self, name: str, data: bytes) -> None:
            super().write(name, data)
            intrude() if where == "write" else None

        def rename(self, name: str, target: str) -> None:
            super().rename(name, target)
            intrude() if where == "rename" else None

    def policy(status: kvlib.Status) -> bool:
        intrude() if where == "policy" else None
        return False

    disk = Calling()
    store = kvlib.open(disk, sync=mode, policy=policy)
    store.update(OLD)
    armed = True
    store["new"] = "3"
    store.compact()
    store["newer"] = "4"
    store.sync()
    assert len(refused) == (0 if armed else 1)
    assert not armed
    assert dict(store) == content(disk) == OLD | {"new": "3", "newer": "4"}
    store.close()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
@pytest.mark.parametrize("mode", MODES)
def test_a_signal_handler_may_put(mode: Sync) -> None:
    """Between two calls it is done; in the middle of one it is refused, in the main thread."""
    disk = MemoryDisk()
    store = kvlib.open(disk, sync=mode, threshold=30)
    numbers = itertools.count()
    done: list[str] = []
    refused: list[str] = []

    def put_late(*_: object) -> None:
        key = f"late {next(numbers)}"
        try:
            store[key] = "1"
        except WriteRefusedError:
            refused.append(key)
        else:
            done.append(key)

    before = signal.signal(signal.SIGALRM, put_late)
    try:
        for number in range(3000):
            if number % 5 == 0:  # one at a time: a handler may take longer than an interval
                signal.setitimer(signal.ITIMER_REAL, 1e-6 + number % 37 * 1e-6)
            store[f"{number % 50}"] = f"{number}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    store.close()
    assert content(disk).keys() >= set(done)
    assert content(disk).keys().isdisjoint(refused)
    assert len(done) + len(refused) > 10


@pytest.fixture
def hurry() -> Iterator[None]:
    """Threads change as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class Restless(threading.Thread):
    """Changes something over and over until it is stopped."""

    def __init__(self, change: Callable[[int], object]) -> None:
        super().__init__(daemon=True)
        self.change, self.going_on, self.error = change, True, ""

    def run(self) -> None:
        number = 0
        while self.going_on:
            number += 1
            try:
                self.change(number)
            except Exception as error:
                self.error = f"{error!r}"
                return

    def __enter__(self) -> "Restless":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.going_on = False
        self.join(20)
        assert not self.is_alive()
        assert self.error == ""


def both(store: Store | dict[Field, Field], number: int) -> None:
    """Two records that always agree, and some that come and go."""
    store.update({"one": f"{number}", "two": f"{number}"})
    store[f"{number % 97}"] = "x"
    store.pop(f"{(number * 7) % 97}", None)


def agree(records: dict[Field, Field]) -> None:
    """What is seen is the state of one moment."""
    assert records.get("one") == records.get("two")


@pytest.mark.usefixtures("hurry")
def test_what_is_serialized_is_the_state_of_one_moment() -> None:
    """A thread that changes the store meanwhile neither stops it nor spoils the snapshot."""
    store, disk = Store(), MemoryDisk()
    with Restless(functools.partial(both, store)):
        for _ in range(400):
            store.serialize(disk, 64)
            agree(content(disk))


@pytest.mark.usefixtures("hurry")
def test_what_is_encoded_is_the_state_of_one_moment() -> None:
    """The same for any dict."""
    items: dict[Field, Field] = {}
    with Restless(functools.partial(both, items)):
        for _ in range(2000):
            agree(kvlib.decode_snapshot(kvlib.encode_snapshot(items)))


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("mode", MODES)
def test_a_backup_is_the_state_of_one_moment(mode: Sync) -> None:
    """Of a store that is being written to, batches as a whole."""
    disk = MemoryDisk()
    store = kvlib.open(disk, sync=mode, threshold=500)

    def change(number: int) -> None:
        with store.batch():
            store["one"] = f"{number}"
            store.delete(f"{number % 97}")
            store["two"] = f"{number}"
        store[f"{number * 7 % 97}"] = "x"

    with Restless(change):
        for _ in range(200):
            place = MemoryDisk()
            store.backup(place)
            agree(content(place))


@pytest.mark.usefixtures("hurry")
def test_readers_never_see_half_of_what_is_read_back() -> None:
    """Reading back and updating change memory in one step."""
    store, disk = Store(), MemoryDisk()
    store.update({"one": "1", "two": "1"})
    store.serialize(disk)

    def change(number: int) -> None:
        store.update({"one": f"{number}", "two": f"{number}"})
        store.deserialize(disk)

    with Restless(change):
        for _ in range(20_000):
            agree(dict(store.items()) if len(store) != 2 else dict(store._items))


# ------------------------------------------------------------------------------------------ forks


def busy(store: DurableStore, number: int) -> None:
    """One put after the other."""
    store["busy"] = f"{number}"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("write", WRITES)
def test_a_forked_child_is_refused_at_once(write: str, mode: Sync, tmp_path: Path) -> None:
    """Even while threads of the parent write: it waits for no lock that nobody will release."""
    for disk in (MemoryDisk(), kvlib.DirectoryDisk(tmp_path / "store")):
        store = kvlib.open(disk, sync=mode)
        store.update(OLD)
        threads = [Restless(functools.partial(busy, store)) for _ in range(3)]
        with threads[0], threads[1], threads[2]:
            for _ in range(5):
                time.sleep(0.002)
                child = os.fork()
                if child == 0:
                    status = 1
                    signal.alarm(10)
                    try:
                        assert store["old"] == "1"
                        backup(store)
                        with suppress(ValueError):
                            WRITES[write](store)
                            status = 0 if write == "close" else 2
                    except WriteRefusedError as error:
                        status = 0 if "forked" in str(error) else 3
                    finally:
                        os._exit(status)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        store["last"] = "1"
        with pytest.raises(kvlib.LockedError):  # the child's end has not taken the lock off
            kvlib.open(disk)
        assert content(disk) == dict(store)
        store.close()
