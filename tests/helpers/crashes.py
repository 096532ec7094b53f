"""Power cuts at every moment of a workload: `make crash` runs all of them, the tests a sample.

An oracle knows what a store may hold after a crash: every durable mutation, then a prefix of the
others, each one whole. Any other answer breaks a promise.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

import kvlib
from kvlib import DurableStore, KvlibError, MemoryDisk, Status
from kvlib.crash import CrashDisk, Fault, Image, boot
from kvlib.encoding import Item

Sync = Literal["always", "never"] | int
State = dict[Item, Item]
Mutations = list[tuple[Item, Item | None]]
Answer = State | str  # recovered records, or the error
MAX_SEGMENT_SIZE = 128  # two or three segments a snapshot
THRESHOLD = 16


class DeathError(BaseException):
    """The process dies here; its writes are in the page cache."""


def compacts_often(status: Status) -> bool:
    """Return whether to publish a snapshot: after every sixteenth mutation."""
    return status.pending >= THRESHOLD


def open_store(disk: MemoryDisk, sync: Sync = "always") -> DurableStore:
    """Open a store as the workloads do."""
    return kvlib.open(disk, sync=sync, policy=compacts_often, max_segment_size=MAX_SEGMENT_SIZE)


def recover(disk: MemoryDisk) -> Answer:
    """Open a store for writing, as a user would after a crash, and return its records."""
    try:
        with open_store(disk) as store:
            return dict(store)
    except KvlibError as error:
        return f"{type(error).__name__}: {error}"


def mutations(count: int, seed: int) -> Iterator[Mutations]:
    """Yield random puts and deletes, some of them in batches."""
    pick = random.Random(seed)
    for _ in range(count):
        yield [_mutation(pick) for _ in range(pick.choice((1, 1, 1, 1, 3)))]


def _mutation(pick: random.Random) -> tuple[Item, Item | None]:
    key: Item = pick.choice("abcdefgh") + pick.choice(("", "é", "ключ"))
    if pick.random() < 0.25:
        return key, None
    return key, pick.choice((pick.randbytes(pick.randrange(24)), "2,50 €", ""))


def after(state: State, changes: Mutations) -> State:
    """Return the state after these changes."""
    state = dict(state)
    for key, value in changes:
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value
    return state


def carry_out(store: DurableStore, changes: Mutations) -> None:
    """Call the store once: a put, a delete, or a batch."""
    if len(changes) > 1:
        with store.batch():
            for change in changes:
                carry_out(store, [change])
        return
    [(key, value)] = changes
    if value is None:
        store.delete(key)
    else:
        store.put(key, value)


@dataclass
class Oracle:
    """The states that may come back now, and how often something else did."""

    states: list[State] = field(default_factory=lambda: [{}])  # the first is durable
    bad: int = 0
    example: str = ""

    def check(self, answer: Answer) -> None:
        """Count an answer that breaks the promise: other records, or an error."""
        if answer not in self.states:
            self.bad += 1
            self.example = self.example or f"{answer} is not among {self.states}"


class Workload:
    """Mutations on a disk that may fail or lose its process; the oracle follows each of them."""

    def __init__(self, oracle: Oracle, steps: Iterable[Mutations], sync: Sync = "always"):
        self._oracle, self._steps, self._sync = oracle, list(steps), sync

    def __call__(self, disk: CrashDisk) -> None:
        """Open, mutate, close. After a fault or a death, heal or reopen, and continue."""
        store = self._open(disk)
        for number, changes in enumerate(self._steps):
            now = self._oracle.states[-1]
            self._oracle.states.append(after(now, changes))
            try:
                carry_out(store, changes)
            except DeathError:
                store = self._reopen(disk, store)
            except (OSError, KvlibError):
                self._oracle.bad += dict(store) != now  # memory changes last
                store = self._heal(disk, store, number)
            else:
                if store._log.unsynced == 0:
                    del self._oracle.states[:-1]
            if number % 7 == 6:
                self._close(disk, store)
                store = self._open(disk)
        self._close(disk, store)

    def _open(self, disk: CrashDisk) -> DurableStore:
        while True:
            try:
                store = open_store(disk, self._sync)
            except (OSError, DeathError):
                disk.fault = None
                continue
            if store.status().failed is None:
                return store
            disk.fault = None
            self._abandon(store)

    def _reopen(self, disk: CrashDisk, store: DurableStore) -> DurableStore:
        self._abandon(store)
        store = self._open(disk)
        self._settle(store)
        return store

    def _heal(self, disk: CrashDisk, store: DurableStore, number: int) -> DurableStore:
        if disk.fault is not None and disk.fault.for_ever:
            disk.fault = None
        if number % 2:
            return self._reopen(disk, store)
        while store.status().failed is not None:
            try:
                store.compact()
            except DeathError:
                return self._reopen(disk, store)
            except OSError:
                disk.fault = None
        self._settle(store)
        return store

    def _settle(self, store: DurableStore) -> None:
        assert dict(store) in self._oracle.states
        self._oracle.states[:] = [dict(store)]

    def _close(self, disk: CrashDisk, store: DurableStore) -> None:
        while True:
            try:
                store.close()
            except (OSError, DeathError):
                disk.fault = None
                store = self._reopen(disk, store)
            else:
                break
        del self._oracle.states[:-1]

    def _abandon(self, store: DurableStore) -> None:
        """The process is gone, and its lock with it."""
        store._lock.__exit__(None, None, None)


@dataclass
class Cuts:
    """Answers of recovery after power cuts, one per image, and checked at every moment.

    With a `stride` of 5, every fifth image of a moment is tried.
    """

    oracle: Oracle = field(default_factory=Oracle)
    stride: int = 1
    answers: dict[int, Answer] = field(default_factory=dict)
    images: list[Image] = field(default_factory=list)
    _states: dict[frozenset[tuple[Item, Item]], State] = field(default_factory=dict)

    def cut(self, disk: CrashDisk) -> None:
        """Cut the power now, in every way. The first broken promise ends it."""
        if self.oracle.bad:
            return
        for image in islice(disk.images(), 0, None, self.stride):
            key = hash(frozenset(image.items()))
            if key not in self.answers:
                self.images.append(image)
                self.answers[key] = self._recover(image)
            self.oracle.check(self.answers[key])

    def _recover(self, image: Image) -> Answer:
        found = recover(boot(image))
        if isinstance(found, str):
            return found
        return self._states.setdefault(frozenset(found.items()), found)  # equal ones share memory


def power_cuts(operations: int, sync: Sync = "always", seed: int = 0, stride: int = 1) -> Cuts:
    """Cut the power at every I/O event of a workload."""
    cuts = Cuts(stride=stride)
    disk = CrashDisk(seed=seed)
    disk.on_event = lambda: cuts.cut(disk)
    Workload(cuts.oracle, mutations(operations, seed), sync)(disk)
    return cuts


def second_cuts(image: Image, stride: int = 1) -> tuple[int, int]:
    """Cut the power at every event of a recovery; return the number of images, and of changes."""
    first = recover(boot(image))
    cuts = Cuts(stride=stride)
    cuts.oracle.states = [first] if isinstance(first, dict) else []
    disk = CrashDisk(image)
    disk.on_event = lambda: cuts.cut(disk)
    recover(disk)
    return len(cuts.answers), cuts.oracle.bad


KINDS = ("write", "append", "sync", "rename", "delete", "sync_directory")


def faults(operations: int, seed: int = 0) -> Iterator[Fault]:
    """Yield a fault for each call of a workload: once or from then on, early or late."""
    for kind in KINDS:
        counter = Fault(kind, at=10**9)
        Workload(Oracle(), mutations(operations, seed))(CrashDisk(seed=seed, fault=counter))
        for at in range(1, counter.calls + 1):
            for for_ever in (False, True):
                for late in (False, True):
                    yield Fault(kind, at, for_ever, late)


def fault_run(
    fault: Fault, operations: int, seed: int = 0, events: int = 6, stride: int = 61
) -> Cuts:
    """Cut the power at some events from a fault on, while the store heals and continues."""
    cuts = Cuts(stride=stride)
    disk = CrashDisk(seed=seed, fault=fault)
    left = events

    def event() -> None:
        nonlocal left
        if fault.calls >= fault.at and left:
            left -= 1
            cuts.cut(disk)

    disk.on_event = event
    Workload(cuts.oracle, mutations(operations, seed))(disk)
    return cuts


def death_run(
    at: int, operations: int, sync: Sync, seed: int = 0, events: int = 6, stride: int = 7
) -> Cuts:
    """Let the process die at an event, and reopen the store; then cut the power at some events."""
    cuts = Cuts(stride=stride)
    disk = CrashDisk(seed=seed)
    count = 0

    def event() -> None:
        nonlocal count
        count += 1
        if at <= count < at + events:
            cuts.cut(disk)
        if count == at:
            raise DeathError

    disk.on_event = event
    Workload(cuts.oracle, mutations(operations, seed), sync)(disk)
    return cuts
