"""Code that runs in the middle of another call: a `__del__`, a signal handler, another thread.

Python collects garbage wherever it makes an object, and handles signals between any two bytecodes.
"""

import gc
import itertools
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial

import pytest

import kvlib
from helpers.stores import MODES, OLD, Items, Sync, batch, content, restless
from helpers.vocabulary import FaultyDisk
from kvlib import DurableStore, MemoryDisk, Store, WriteRefusedError

# --- in the middle of a write ---------------------------------------------------------------------


class Garbage:
    """A cycle that calls a function when it is collected."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.myself, self.call = self, call

    def __del__(self) -> None:
        self.call()


@pytest.fixture
def eager() -> Iterator[list[BaseException]]:
    """Collect garbage all the time; yield the list of errors that a `__del__` raised."""
    refused: list[BaseException] = []
    threshold, hook = gc.get_threshold(), sys.unraisablehook
    gc.set_threshold(7, 2, 2)
    sys.unraisablehook = lambda event: refused.append(event.exc_value or ValueError())
    yield refused
    sys.unraisablehook = hook
    gc.set_threshold(*threshold)
    gc.collect()


ACTS: dict[str, Callable[[DurableStore], object]] = {
    "compact": lambda store: store.compact(),
    "batch": lambda store: batch(store, {"new": "3", "more": b"5"}),
    "put": lambda store: store.put("new", "3"),
}


@pytest.mark.parametrize("name", ACTS)
@MODES
def test_what_a_collected_object_puts_is_kept_or_refused(
    name: str, sync: Sync, eager: list[BaseException]
) -> None:
    """A put by a `__del__` is acknowledged and kept, or refused."""
    disk = MemoryDisk()
    store = kvlib.open(disk, sync=sync, threshold=200)
    acknowledged: Items = {}

    def late(number: int) -> None:
        store[f"late {number}"] = "1"
        if f"late {number}" in store:  # otherwise it is in the batch
            acknowledged[f"late {number}"] = "1"

    for number in range(60):
        Garbage(partial(late, number))
        ACTS[name](store)
    gc.collect()
    store.close()
    assert content(disk).items() >= acknowledged.items()
    for error in eager:
        assert isinstance(error, WriteRefusedError), error
        assert "middle" in str(error)
    assert eager if name == "compact" else acknowledged or eager


WRITES: dict[str, Callable[[DurableStore], object]] = {
    "put": lambda store: store.put("inner", "1"),
    "delete": lambda store: store.delete("old"),
    "update": lambda store: store.update({"inner": "1"}),
    "clear": lambda store: store.clear(),
    "batch": lambda store: batch(store, {"inner": "1"}),
    "compact": lambda store: store.compact(),
    "sync": lambda store: store.sync(),
    "close": lambda store: store.close(),
}


class Intruder:
    """When armed, it tries each write at the next call of `strike`, and expects refusals."""

    store: DurableStore
    armed = False

    def strike(self) -> None:
        if self.armed:
            self.armed = False
            for write in WRITES.values():
                with pytest.raises(WriteRefusedError, match="middle"):
                    write(self.store)
            assert self.store["old"] == "1"  # reading is allowed


class IntrudedDisk(FaultyDisk):
    """A disk on which an intruder strikes after calls of one verb."""

    def __init__(self, verb: str, intruder: Intruder) -> None:
        super().__init__()
        self._verb, self._intruder = verb, intruder

    def _do(self, verb: str, name: str, *arguments: str | bytes) -> None:
        super()._do(verb, name, *arguments)
        if verb == self._verb:
            self._intruder.strike()


@MODES
@pytest.mark.parametrize("where", ["append", "sync", "write", "rename", "policy"])
def test_a_write_in_the_middle_of_a_write_is_refused(where: str, sync: Sync) -> None:
    """The inner write is refused, and the outer one continues."""
    intruder = Intruder()

    def policy(status: kvlib.Status) -> bool:
        if where == "policy":
            intruder.strike()
        return False

    disk = IntrudedDisk(where, intruder)
    store = intruder.store = kvlib.open(disk, sync=sync, policy=policy)
    store.update(OLD)
    intruder.armed = True
    store["new"] = "3"
    store.compact()
    store["newer"] = "4"
    store.sync()
    assert not intruder.armed
    assert dict(store) == content(disk) == OLD | {"new": "3", "newer": "4"}
    store.close()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
@MODES
def test_a_signal_handler_may_put(sync: Sync) -> None:
    """A signal handler's put is written between two calls, and refused in the middle of one."""
    disk = MemoryDisk()
    store = kvlib.open(disk, sync=sync, threshold=30)
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
        for number in range(800):
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


# --- snapshots of one moment ----------------------------------------------------------------------


def agree(records: Items) -> None:
    """Check that two records that always change together are of the same moment."""
    assert records.get("one") == records.get("two")


def change_both(store: Store | Items, number: int) -> None:
    """Set two records to the same value, and let others come and go."""
    store.update({"one": f"{number}", "two": f"{number}"})
    store[f"{number % 97}"] = "x"
    store.pop(f"{(number * 7) % 97}", None)


@pytest.mark.usefixtures("hurry")
def test_what_is_serialized_is_the_state_of_one_moment() -> None:
    """A snapshot is of one moment, even if another thread changes the store or dict meanwhile."""
    store, disk, items = Store(), MemoryDisk(), Items()
    with restless(partial(change_both, store)), restless(partial(change_both, items)):
        for _ in range(50):
            store.serialize(disk, 64)
            agree(content(disk))
            agree(kvlib.decode_snapshot(kvlib.encode_snapshot(items)))


@pytest.mark.usefixtures("hurry")
@MODES
def test_a_backup_is_the_state_of_one_moment(sync: Sync) -> None:
    """A backup is of one moment, and never has half a batch."""
    store = kvlib.open(MemoryDisk(), sync=sync, threshold=500)

    def change(number: int) -> None:
        with store.batch():
            store["one"] = f"{number}"
            store.delete(f"{number % 97}")
            store["two"] = f"{number}"
        store[f"{number * 7 % 97}"] = "x"

    with restless(change):
        for _ in range(30):
            place = MemoryDisk()
            store.backup(place)
            agree(content(place))


@pytest.mark.usefixtures("hurry")
def test_readers_never_see_half_of_what_is_read_back() -> None:
    """`deserialize` and `update` change memory in one step."""
    store, disk = Store(), MemoryDisk()
    store.update({"one": "1", "two": "1"})
    store.serialize(disk)

    def change(number: int) -> None:
        store.update({"one": f"{number}", "two": f"{number}"})
        store.deserialize(disk)

    with restless(change):
        for _ in range(2_000):
            assert len(store) == 2
            agree(dict(store._items))
