"""Two stores, both mappings: Store takes snapshots, DurableStore logs each mutation first.

What a DurableStore promises: with sync="always" a mutation that returned survives a loss of power;
with sync=n at most an unsynced suffix is lost, never a hole; with sync="never" it survives the
death of the process. A mutation that raised is there whole, or not at all, in memory as on the
disk. A batch is one mutation.

Many threads may use one store. Nobody may write while somebody iterates, and of two steps (pop: a
get, a delete; clear: the keys, a delete) each is safe for itself. Code that gets in while the same
thread is writing (a `__del__`, a signal handler, a policy) can read, and is refused if it writes.
"""

import math
import os
import sys
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, suppress
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, NoReturn, Self, SupportsIndex

from kvlib import log, segments, snapshot
from kvlib.commit import Batch, Queue, batch_of
from kvlib.directory import FORKED, as_disk
from kvlib.disk import LOG, Disk, MemoryDisk, Place
from kvlib.encoding import MAX_LENGTH, Item, encode_field
from kvlib.errors import KvlibError, MissingError, WriteRefusedError, check_int
from kvlib.frame import CLOSE, MAX_SEQUENCE, MUTATIONS, UNSYNCED_MUTATIONS, seal
from kvlib.recovery import Recovery, State, recover, recover_without_lock

MAX_SEGMENT_SIZE: Final = 2**20


@dataclass(frozen=True)
class Status:
    """A DurableStore's figures.

    Attributes:
        keys: live keys. pending: mutations in the log. log_bytes: its size.
        compactions: snapshots published by policy or by compact(), ever.
        generation: that of the snapshot the log goes on from.
        failed: why writes are refused, or None. compaction_error: why the last compaction by policy
            did not come about, or None; it is tried again when `pending` has doubled.
    """

    keys: int
    pending: int
    compactions: int
    log_bytes: int
    generation: int
    failed: str | None
    compaction_error: str | None


class _Items(MutableMapping[Item, Item]):
    """What both stores have in common: the reading half, a dict. `==` compares the records."""

    _items: dict[Item, Item]

    def __init__(self) -> None:
        self._hold({})

    def _hold(self, items: dict[Item, Item]) -> None:
        held: dict[str, Any] = {"_items": items}
        # `get` is the dict's own method: a Python function around it would cost more than it does.
        # Not so if a subclass has a word in it; nor under python -b, see kvlib/__init__.py.
        own = type(self).get, type(self).__getitem__
        if own == (_Items.get, _Items.__getitem__) and not sys.flags.bytes_warning:
            held["get"] = items.get
        self.__dict__.update(held)  # in one step

    def __getitem__(self, key: Item) -> Item:
        return self._items[key]

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __eq__(self, other: object) -> bool:
        return dict(self._items) == dict(other) if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as of a dict: what is equal now may not be later

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._items)} keys>"

    @abstractmethod
    def put(self, key: Item, value: Item) -> None:
        """Give `key` the value `value`. `store[key] = value` calls it."""

    @abstractmethod
    def delete(self, key: Item) -> None:
        """Remove `key`, if it is there. `del store[key]` calls it for a key that is."""

    def __setitem__(self, key: Item, value: Item) -> None:
        self.put(key, value)

    def __delitem__(self, key: Item) -> None:
        self._items[key]  # KeyError for a missing one
        self.delete(key)


class Store(_Items):
    """Records in memory, a MutableMapping of str or bytes, with snapshots and no log.

    `shutdown` and `restore` write to and read from `medium`, a path or a Disk; by default a
    MemoryDisk of its own. `serialize` and `deserialize` name their place.

    A copy, pickled or not, has the same records and goes its own way. It has a MemoryDisk of its
    own too; a `medium` that was named is the same for both.
    """

    def __init__(self, medium: Place | None = None) -> None:
        super().__init__()
        self._owns_medium = medium is None
        self._medium = MemoryDisk() if medium is None else as_disk(medium)

    def __getstate__(self) -> dict[str, Any]:
        medium = copy(self._medium) if self._owns_medium else self._medium
        state = self.__dict__ | {"_items": dict(self._items), "_medium": medium}
        state.pop("get", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._hold(self._items)

    def put(self, key: Item, value: Item) -> None:
        """Give `key` the value `value`. TypeError or ValueError for what no field can hold."""
        encode_field(key), encode_field(value)  # only to refuse what could not be written later
        self._items[key] = value

    def set(self, key: Item, value: Item) -> None:
        """Do what `put` does."""
        self.put(key, value)

    def delete(self, key: Item) -> None:
        """Remove `key`, if it is there. `del store[key]` raises KeyError for a missing one."""
        self._items.pop(key, None)

    def update(self, other: Any = (), /, **more: Item) -> None:
        """Put many records in one step; nothing has changed if one of them is refused."""
        records = dict(other, **more)
        for key, value in records.items():
            encode_field(key), encode_field(value)
        self._items.update(records)

    def clear(self) -> None:
        """Remove all records in one step."""
        self._items.clear()

    def serialize(self, place: Place, max_segment_size: int = MAX_SEGMENT_SIZE) -> None:
        """Publish a snapshot at `place`; one that is there already is replaced in one step.

        It holds the records of one moment, even if other threads change them meanwhile. A sealed
        segment's file is 25 bytes more than `max_segment_size`.
        """
        _serialize(as_disk(place), self._items, max_segment_size)

    def deserialize(self, place: Place) -> None:
        """Become exactly what was serialized at `place`. After an error nothing has changed."""
        state = recover_without_lock(as_disk(place))
        self._become(state.items)
        self.recovered = state.recovered

    def shutdown(self) -> None:
        """Write everything to the medium as bytes, then clear memory."""
        self.serialize(self._medium)
        self._items.clear()

    def restore(self) -> None:
        """Become the last snapshot on the medium; empty if there is none."""
        try:
            self.deserialize(self._medium)
        except MissingError:
            self._items.clear()

    def _become(self, items: dict[Item, Item]) -> None:
        log.in_one_step([self._items.clear, partial(self._items.update, items)])


def _serialize(disk: Disk, items: Mapping[Item, Item], max_segment_size: int) -> None:
    """Publish `items`, as they are when the encoding begins, over what is on `disk`."""
    with disk.lock():
        before = recover(disk)
        generation, compactions = 1, 0
        if before is not None:
            generation, compactions = 1 + before.tail.sequence, before.head.compactions
            disk.sync_directory()  # as after a crash, see DurableStore
        snapshot.prepare(disk, items, generation, compactions, max_segment_size)
        snapshot.commit(disk)
        snapshot.delete_others(disk, generation)


class _Closed(dict[Item, Item]):
    """The records of a closed store: asking for them is an error."""

    def _refuse(self, *_: object) -> NoReturn:
        raise ValueError("the store is closed")

    __getitem__ = __iter__ = __len__ = __contains__ = get = keys = _refuse


class DurableStore(_Items):
    """The store at `place`, a path or a Disk, made if missing: a MutableMapping of str or bytes.

    Args:
        place: a directory whose parent exists, or a Disk.
        sync: "always", each mutation is fsynced; n, every n mutations; "never".
        max_segment_size: of a snapshot's bare segments, in bytes, 9 or more.
        threshold: compact once the log holds this many mutations, and as many as there are keys:
            so the cost of a mutation, averaged, does not grow with the store.
        policy: decides instead of `threshold`, from the status after each mutation. If it raises,
            so does the call, though its mutation is written.
        read_only: take no lock and change nothing.

    It can't be copied or pickled: two objects would write one log. `dict(store)` copies the
    records, `backup` the store.

    Raises:
        CorruptionError: acknowledged bytes are damaged; nothing was changed.
        LockedError: somebody else writes to it. MissingError: read_only, and there is no store.
        VersionError: it needs a newer kvlib.
    """

    def __init__(
        self,
        place: Place,
        *,
        sync: Literal["always", "never"] | int = "always",
        max_segment_size: int = MAX_SEGMENT_SIZE,
        threshold: int = 1000,
        policy: Callable[[Status], bool] | None = None,
        read_only: bool = False,
    ) -> None:
        super().__init__()
        self._every = _mutations_per_fsync(sync)
        self._max_segment_size = segments.check_size(max_segment_size)
        if policy is not None and not callable(policy):
            raise TypeError(f"policy is a function of the status, not {type(policy).__name__}")
        self._threshold, self._policy = check_int("threshold", threshold, 1, MAX_LENGTH), policy
        self._disk, self._read_only = as_disk(place), read_only
        self._process = os.getpid()
        self._io = threading.RLock()  # held while a frame or a snapshot is written
        self._queue = Queue(self._io)
        self._failed: str | None = None  # why writes are refused
        self._unapplied: list[log.Mutation] = []
        self._compaction_error: str | None = None
        self._sequence = self._tried = self._pending = self._unsynced = self._retry_at = 0
        if read_only:
            self._start(recover_without_lock(self._disk))
            return
        self._lock = self._disk.lock()
        try:
            self._lock.__enter__()
            self._recover()
        except BaseException as error:
            self._lock.__exit__(type(error), error, error.__traceback__)
            raise

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(
            "a DurableStore can't be copied or pickled, because two objects would write one log:"
            " dict(store) copies its records, backup() the store; another process opens the"
            " directory itself, to write or with read_only=True"
        )

    def __repr__(self) -> str:
        state = "read-only" if self._read_only else "writes are refused" if self._failed else "open"
        place, figures = self._disk.path(LOG)[: -len(LOG) - 1], "closed"  # "" of a disk in memory
        if not isinstance(self._items, _Closed):
            figures = f"{len(self._items)} keys, {self._pending} mutations in the log, {state}"
        return f"<DurableStore {place!r}: {figures}>"

    def _start(self, state: State) -> None:
        self._hold(state.items)
        self._head, self.recovered = state.head, state.recovered
        self._sequence, self._pending = state.tail.sequence, state.tail.mutations
        self._log_bytes, self._closed_log = state.tail.end, state.tail.closed

    def _recover(self) -> None:
        state = recover(self._disk)
        if state is None:
            self.recovered = Recovery(0)
            self._publish(compactions=0)
            return
        self._start(state)
        try:
            if self._closed_log and not self.recovered.dropped_bytes:
                self._sync_close()  # it may be in the page cache only
            else:
                # Never append behind a doubtful tail. And if a creation died before its last step,
                # the log's name is not safe: new segments alone would look like a lost log.
                self._disk.sync_directory()
                self._publish(self._head.compactions)
        except (OSError, ValueError) as error:  # ValueError: the sequence numbers are used up
            self._failed = f"recovery could not write: {error}"

    def status(self) -> Status:
        """The store's figures at this moment."""
        head, failed = self._head, self._failed
        figures = len(self._items), self._pending, head.compactions, self._log_bytes
        return Status(*figures, head.generation, failed, self._compaction_error)

    def put(self, key: Item, value: Item) -> None:
        """Give `key` the value `value`: logged, synced as `sync` says, then visible."""
        self._record(log.encode_put(key, value), [(key, value)])

    def delete(self, key: Item) -> None:
        """Remove `key`; of a missing key it is logged too. `del store[key]` raises KeyError."""
        self._record(log.encode_delete(key), [(key, None)])

    def update(self, other: Any = (), /, **more: Item) -> None:
        """Put many records as one mutation: one frame, one fsync, all or nothing."""
        records = dict(other, **more)
        self._record(b"".join(map(log.encode_put, records, records.values())), [*records.items()])

    def clear(self) -> None:
        """Delete all records as one mutation."""
        keys = list(self._items)
        self._record(b"".join(map(log.encode_delete, keys)), [(key, None) for key in keys])

    def batch(self) -> AbstractContextManager[None]:
        """Collect the mutations of a with block, and write them as one at its end: all or nothing.

        Reads in the block see the old state, those of pop and `del` too. An exception discards the
        batch; nesting is a ValueError. It takes the mutations of its own thread and context (task,
        in asyncio); those of others are written as ever, even if the block started them.
        """
        return Batch(self, self._write)

    def _record(self, payload: bytes, mutations: list[log.Mutation]) -> None:
        batch = batch_of(self)
        if batch is None:
            self._write(payload, mutations)
        else:
            batch.add(payload, mutations)

    def _write(self, payload: bytes, mutations: list[log.Mutation]) -> None:
        self._check_turn()
        if self._every > 1:  # no fsync to share
            with self._io:
                self._append(payload, mutations)
                self._compact_if_due()
        else:
            self._queue.join(self._append, self._compact_if_due, payload, mutations)

    def _check_turn(self) -> None:
        """Refuse whoever would wait here for ever, or write into the middle of a write."""
        if os.getpid() != self._process:  # its locks may be held by threads that it hasn't got
            raise WriteRefusedError(FORKED)
        if self._io._is_owned():  # type: ignore[attr-defined]  # what threading.Condition asks too
            raise WriteRefusedError(
                "this thread is in the middle of a write to the store, and whatever runs meanwhile"
                " (a __del__, a signal handler, a policy) can only read it"
            )

    def _append(self, payload: bytes, mutations: list[log.Mutation]) -> None:
        if self._failed is not None or self._read_only:
            self._refuse()
        if not mutations:
            return
        kind = UNSYNCED_MUTATIONS if self._unsynced else MUTATIONS
        frame = seal(kind, self._sequence + 1, payload, self._head.salt)
        # Whatever interrupts the lines from here on, Ctrl-C too, leaves the store marked as failed.
        self._failed = "an append did not finish"
        try:
            self._append_frame(frame)
            self._unsynced += len(mutations)
            if self._unsynced >= self._every:
                self._disk.sync(LOG)
                self._unsynced = 0
        except (OSError, WriteRefusedError) as error:
            self._failed = f"an append failed ({error})"
            raise
        self._pending += len(mutations)
        self._unapplied = mutations
        log.apply(mutations, self._items)
        self._failed = None

    def _compact_if_due(self) -> None:
        if self._pending >= self._retry_at and self._is_due():
            try:
                self._publish(self._head.compactions + 1)
            except (OSError, KvlibError) as error:  # the mutation is in the log, and acknowledged
                self._compaction_error, self._retry_at = str(error), 2 * self._pending

    def _append_frame(self, frame: bytes) -> None:
        self._sequence += 1
        self._closed_log = False
        self._disk.append(LOG, frame)
        self._log_bytes += len(frame)

    def sync(self) -> None:
        """Return when everything acknowledged so far survives a loss of power.

        ValueError inside a batch, of which nothing is acknowledged yet.
        """
        self._check_turn()
        self._check_no_batch()
        with self._io:
            if self._failed is not None or self._read_only:
                self._refuse()
            self._sync()

    def _sync(self) -> None:
        if self._unsynced:
            self._failed = "an fsync did not finish"
            self._disk.sync(LOG)
            self._unsynced = 0
            self._failed = None

    def backup(self, place: Place, max_segment_size: int = MAX_SEGMENT_SIZE) -> None:
        """Publish a snapshot of this moment at `place`, while reading and writing go on.

        It is a store of its own, to be opened, deserialized or backed up again; one that is there
        already is replaced in one step. A store that refuses to write can still be backed up: what
        it holds in memory is what was acknowledged. ValueError inside a batch.
        """
        self._check_no_batch()
        len(self._items)  # of a closed store: ValueError
        _serialize(as_disk(place, like=self._disk), self._items, max_segment_size)

    def _check_no_batch(self) -> None:
        if batch_of(self) is not None:
            raise ValueError("a batch is open here, and what is in it is not written yet")

    def _refuse(self) -> NoReturn:
        len(self._items)  # of a closed store: ValueError
        if self._read_only:
            raise WriteRefusedError("the store was opened with read_only=True")
        how = "reading goes on, writing once compact() or reopening has succeeded"
        raise WriteRefusedError(f"{self._failed}; {how}")

    def compact(self) -> None:
        """Publish a snapshot and start an empty log. It also heals a store that failed to write.

        ValueError inside a batch.
        """
        self._check_turn()
        self._check_no_batch()
        with self._io:
            if self._read_only or isinstance(self._items, _Closed):
                self._refuse()
            if self._failed is not None:
                log.apply(self._unapplied, self._items)  # they are durable, if memory lacks a part
            self._publish(self._head.compactions + 1)

    def _is_due(self) -> bool:
        if self._policy is not None:
            return self._policy(self.status())
        return self._pending >= self._threshold and self._pending >= len(self._items)

    def _publish(self, compactions: int) -> None:
        self._tried = generation = 1 + max(self._sequence, self._tried)
        count, size = min(compactions, MAX_LENGTH), self._max_segment_size
        try:
            head = snapshot.prepare(self._disk, self._items, generation, count, size)
        except WriteRefusedError as error:  # somebody else may be using the store
            self._failed = f"a snapshot was not published ({error})"
            raise
        self._failed = "publishing a snapshot did not finish: a crash may find the old or the new"
        snapshot.commit(self._disk)
        self._head, self._sequence, self._closed_log = head, generation, False
        self._log_bytes = snapshot.HEAD_BYTES
        self._pending = self._unsynced = self._retry_at = 0
        self._compaction_error = self._failed = None
        snapshot.delete_others(self._disk, generation)

    def close(self) -> None:
        """Mark the log as complete and release the lock. A failed store's log is left as it is.

        In a forked child it only forgets the records.
        """
        if os.getpid() != self._process:
            self._hold(_Closed())
            return
        self._check_turn()
        with self._io:
            try:
                if not self._read_only and self._failed is None and not self._closed_log:
                    self._sync()
                    if self._sequence == MAX_SEQUENCE:
                        return  # no number is left for a close frame
                    self._append_frame(seal(CLOSE, self._sequence + 1, b"", self._head.salt))
                    self._sync_close()
            finally:
                self._failed = "the store is closed"
                self._hold(_Closed())
                if not self._read_only:
                    self._lock.__exit__(None, None, None)

    def _sync_close(self) -> None:
        try:
            self._disk.sync(LOG)
        except OSError:  # the next fsync would not tell that this one failed: spoil the close frame
            with suppress(OSError):
                self._disk.append(LOG, b"\0")
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _mutations_per_fsync(sync: Literal["always", "never"] | int) -> float:
    if isinstance(sync, str):
        if sync not in ("always", "never"):
            raise ValueError(f"sync is {sync!r}, expected 'always', 'never' or a number")
        return 1 if sync == "always" else math.inf
    return check_int("sync, if neither 'always' nor 'never',", sync, 1, MAX_LENGTH)


open = DurableStore
