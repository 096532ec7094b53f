"""The durable store: every mutation is logged before it is visible.

With sync="always", a mutation that returned survives a power cut. With sync=n, at most an unsynced
suffix is lost, never a hole. With sync="never", it survives the death of the process. A mutation
that raised is there whole or not at all, in memory and on the disk. A batch is one mutation.

Many threads may use one store. Don't write while another thread iterates. `pop` is two steps (get,
delete), each of them safe. Code that runs in the middle of this thread's own write (a `__del__`, a
signal handler, a policy) can read; its writes are refused.
"""

import math
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, Self, SupportsIndex

from kvlib import log, segments
from kvlib.commit import Batch, Queue, batch_of
from kvlib.directory import FORKED, as_disk
from kvlib.disk import LOG, Place
from kvlib.encoding import MAX_LENGTH, Item
from kvlib.errors import KvlibError, WriteRefusedError, check_int
from kvlib.recovery import Recovery, recover, recover_without_lock
from kvlib.store import MAX_SEGMENT_SIZE, Records, serialize
from kvlib.writer import LogWriter


@dataclass(frozen=True)
class Status:
    """A DurableStore's figures.

    Attributes:
        keys: the number of live keys.
        pending: how many mutations are in the log.
        compactions: how many snapshots were ever published by policy or by compact().
        log_bytes: the log's size.
        generation: the generation of the snapshot that the log continues.
        failed: why writes are refused, or None.
        compaction_error: why the last compaction by policy failed, or None. The next attempt comes
            when `pending` has doubled.
    """

    keys: int
    pending: int
    compactions: int
    log_bytes: int
    generation: int
    failed: str | None
    compaction_error: str | None


class DurableStore(Records):
    """The store at `place`, a MutableMapping of str or bytes; it is made if it is missing.

    Args:
        place: a directory whose parent exists, or a Disk.
        sync: "always" fsyncs each mutation; n, every n mutations; "never", not at all.
        max_segment_size: the size of a snapshot's bare segments in bytes, 9 or more.
        threshold: compact once the log holds this many mutations, and as many as there are keys, so
            that the average cost of a mutation doesn't grow with the store.
        policy: decides instead of `threshold`, given the status after each mutation. If it raises,
            so does the mutation, which is written all the same.
        read_only: take no lock and change nothing.

    A DurableStore can't be copied or pickled, because two objects would write one log.
    `dict(store)` copies the records, `backup` the store.

    Raises:
        CorruptionError: acknowledged bytes are damaged. Nothing was changed.
        LockedError: someone else is writing to the store.
        MissingError: read_only, and there is no store.
        VersionError: the store needs a newer kvlib.
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
        segments.check_size(max_segment_size)
        check_int("threshold", threshold, 1, MAX_LENGTH)
        if policy is not None and not callable(policy):
            raise TypeError(f"policy must be a function, not {type(policy).__name__}")
        self._threshold, self._policy = threshold, policy
        self._mutations_per_fsync = _mutations_per_fsync(sync)
        self._disk, self._read_only = as_disk(place), read_only
        self._process = os.getpid()
        self._turn = threading.RLock()  # held while a frame or a snapshot is written
        self._queue = Queue(self._turn)
        self._log = LogWriter(self._disk, self._mutations_per_fsync, max_segment_size)
        self._retry_at = 0  # how many pending mutations another compaction waits for
        self._compaction_error: str | None = None
        if read_only:
            state = recover_without_lock(self._disk)
            self._hold(state.items)
            self._log.start(state)
            self.recovered = state.recovered
            return
        self._lock = self._disk.lock()
        try:
            self._lock.__enter__()
            self._recover()
        except BaseException as error:
            self._lock.__exit__(type(error), error, error.__traceback__)
            raise

    def _recover(self) -> None:
        state = recover(self._disk)
        if state is None:
            self.recovered = Recovery(0)
            self._log.publish({}, compactions=0)
        else:
            self._hold(state.items)
            self.recovered = state.recovered
            self._log.resume(state)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(
            "a DurableStore can't be copied or pickled, because two objects would write one log:"
            " dict(store) copies its records, backup() the store; another process opens the"
            " directory itself, to write or with read_only=True"
        )

    def __repr__(self) -> str:
        place = self._disk.path(LOG)[: -len(LOG) - 1]  # "" for a disk in memory
        figures = "closed"
        if not self._is_closed():
            failed = self._log.failed is not None
            state = "read-only" if self._read_only else "writes are refused" if failed else "open"
            figures = f"{len(self)} keys, {self._log.pending} mutations in the log, {state}"
        return f"<DurableStore {place!r}: {figures}>"

    def status(self) -> Status:
        """Return the store's figures at this moment."""
        writer = self._log
        return Status(
            keys=len(self._items),
            pending=writer.pending,
            compactions=writer.head.compactions,
            log_bytes=writer.log_bytes,
            generation=writer.head.generation,
            failed=writer.failed,
            compaction_error=self._compaction_error,
        )

    def put(self, key: Item, value: Item) -> None:
        """Set `key` to `value`: logged, fsynced as `sync` says, then visible."""
        self._record(log.encode_put(key, value), [(key, value)])

    def delete(self, key: Item) -> None:
        """Remove `key`; a missing key is logged too. `del store[key]` raises KeyError for it."""
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
        """Collect the mutations of a with block, and write them as one when it ends.

        Reads inside the block, those of `pop` and `del` included, see the old state. An exception
        discards the batch; nesting raises ValueError. A batch only collects the mutations of the
        thread and the context (in asyncio: the task) that opened it. Others are written as usual,
        even if the block started them.
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
        if self._mutations_per_fsync > 1:  # no fsync to share
            with self._turn:
                self._append(payload, mutations)
                self._compact_if_due()
        else:
            self._queue.join(self._append, self._compact_if_due, payload, mutations)

    def _append(self, payload: bytes, mutations: list[log.Mutation]) -> None:
        self._check_writable()
        self._log.append(payload, mutations, self._items)

    def _compact_if_due(self) -> None:
        if self._log.pending >= self._retry_at and self._is_due():
            try:
                self._publish()
            except (OSError, KvlibError) as error:  # the mutation is in the log, and acknowledged
                self._compaction_error, self._retry_at = str(error), 2 * self._log.pending

    def _is_due(self) -> bool:
        if self._policy is not None:
            return self._policy(self.status())
        return self._log.pending >= max(self._threshold, len(self._items))

    def _publish(self) -> None:
        self._log.publish(self._items, self._log.head.compactions + 1)
        self._compaction_error, self._retry_at = None, 0

    def sync(self) -> None:
        """Return once everything acknowledged so far survives a power cut.

        Raises ValueError inside a batch, because nothing in it has been acknowledged yet.
        """
        self._check_turn()
        self._check_no_batch()
        with self._turn:
            self._check_writable()
            self._log.sync()

    def compact(self) -> None:
        """Publish a snapshot and start an empty log. It also heals a store that failed to write.

        Raises ValueError inside a batch.
        """
        self._check_turn()
        self._check_no_batch()
        with self._turn:
            self._check_writable()
            self._log.heal(self._items)
            self._publish()

    def backup(self, place: Place, max_segment_size: int = MAX_SEGMENT_SIZE) -> None:
        """Publish a snapshot of this moment at `place`, while others read and write.

        The backup is a store that can be opened, deserialized or backed up again; it replaces an
        older one in one step. A store that refuses to write can be backed up too: its memory holds
        what was acknowledged. Raises ValueError inside a batch.
        """
        self._check_no_batch()
        self._check_open()
        serialize(as_disk(place, like=self._disk), self._items, max_segment_size)

    def close(self) -> None:
        """Mark the log as complete and release the lock. A failed store's log is left as it is.

        In a forked child, close only forgets the records.
        """
        if os.getpid() != self._process:
            self._hold(_Closed())
            return
        self._check_turn()
        with self._turn:
            try:
                if not self._read_only:
                    self._log.close()
            finally:
                self._log.failed = "the store is closed"
                self._hold(_Closed())
                if not self._read_only:
                    self._lock.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_turn(self) -> None:
        """Refuse a caller that would wait forever, or write into the middle of a write."""
        if os.getpid() != self._process:  # threads that this process doesn't have may hold locks
            raise WriteRefusedError(FORKED)
        if self._turn._is_owned():  # type: ignore[attr-defined]  # threading.Condition asks it too
            raise WriteRefusedError(
                "this thread is in the middle of a write to the store, and code that runs meanwhile"
                " (a __del__, a signal handler, a policy) can only read it"
            )

    def _check_no_batch(self) -> None:
        if batch_of(self) is not None:
            raise ValueError("a batch is open here, and its mutations aren't written yet")

    def _check_writable(self) -> None:
        self._check_open()
        if self._read_only:
            raise WriteRefusedError("the store was opened with read_only=True")

    def _check_open(self) -> None:
        if self._is_closed():
            len(self._items)  # raises ValueError

    def _is_closed(self) -> bool:
        return isinstance(self._items, _Closed)


class _Closed(dict[Item, Item]):
    """The records of a closed store: every use is an error."""

    def _refuse(self, *_: object) -> NoReturn:
        raise ValueError("the store is closed")

    __getitem__ = __iter__ = __len__ = __contains__ = get = keys = _refuse


def _mutations_per_fsync(sync: Literal["always", "never"] | int) -> float:
    if isinstance(sync, str):
        if sync not in ("always", "never"):
            raise ValueError(f"sync is {sync!r}, expected 'always', 'never' or a number")
        return 1 if sync == "always" else math.inf
    return check_int("sync, if neither 'always' nor 'never',", sync, 1, MAX_LENGTH)


open = DurableStore
