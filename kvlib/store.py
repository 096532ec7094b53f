"""Two stores, both dicts: Store takes snapshots, DurableStore logs each mutation first.

What a DurableStore promises: with sync="always" a mutation that returned survives a loss of power;
with sync=n at most an unsynced suffix is lost, never a hole; with sync="never" it survives the
death of the process. A mutation that raised is there whole, or not at all. A batch is one mutation.
Many threads may use one store; nobody may write while somebody iterates, another thread may see a
batch half applied in memory, and of two steps (pop: a get, a delete; clear: the keys, a delete)
each is safe for itself. A batch belongs to its thread, with all the coroutines that run there.
"""

import math
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn, Self

from kvlib import log, segments, snapshot
from kvlib.disk import MemoryDisk, Place, as_disk
from kvlib.encoding import MAX_LENGTH, Item, encode_field
from kvlib.errors import KvlibError, MissingError, WriteRefusedError, check_int
from kvlib.frame import CLOSE, MAX_SEQUENCE, MUTATIONS, UNSYNCED_MUTATIONS, seal
from kvlib.recovery import Recovery, State, read, recover
from kvlib.snapshot import LOG

GROUP_BYTES: Final = 2**20  # a group of concurrent writers takes no more members beyond this size


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
    """The reading half of both stores: a dict."""

    def __init__(self) -> None:
        self._hold({})

    def _hold(self, items: dict[Item, Item]) -> None:
        self._items = items
        # `get` is the dict's own method: a Python function around it would cost more than it does.
        self.__dict__["get"] = items.get

    def __getitem__(self, key: Item) -> Item:
        return self._items[key]

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._items)} keys>"


class Store(_Items):
    """Records in memory, a MutableMapping of str or bytes, with snapshots and no log.

    `shutdown` and `restore` write to and read from `medium`, a path or a Disk; by default a
    MemoryDisk of its own. `serialize` and `deserialize` name their place.
    """

    def __init__(self, medium: Place | None = None) -> None:
        super().__init__()
        self._medium = MemoryDisk() if medium is None else as_disk(medium)

    def put(self, key: Item, value: Item) -> None:
        """Give `key` the value `value`. TypeError or ValueError for what no field can hold."""
        encode_field(key), encode_field(value)  # only to refuse what could not be written later
        self._items[key] = value

    __setitem__ = set = put

    def delete(self, key: Item) -> None:
        """Remove `key`, if it is there. `del store[key]` raises KeyError for a missing one."""
        self._items.pop(key, None)

    def __delitem__(self, key: Item) -> None:
        del self._items[key]

    def serialize(self, place: Place, max_segment_size: int = 2**20) -> None:
        """Publish a snapshot at `place`; one that is there already is replaced in one step.

        A sealed segment's file is 25 bytes more than `max_segment_size`.
        """
        disk = as_disk(place)
        with disk.lock():
            before = recover(disk)
            generation, compactions = 1, 0
            if before is not None:
                generation, compactions = 1 + before.tail.sequence, before.head.compactions
                disk.sync_directory()  # as after a crash, see DurableStore
            snapshot.prepare(disk, self._items, generation, compactions, max_segment_size)
            snapshot.commit(disk)
            snapshot.sweep(disk, generation)

    def deserialize(self, place: Place) -> None:
        """Become exactly what was serialized at `place`. After an error nothing has changed."""
        state = read(as_disk(place))
        self._items.clear()
        self._items.update(state.items)
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


class _Closed(dict[Item, Item]):
    """The records of a closed store: asking for them is an error."""

    def _refuse(self, *_: object) -> NoReturn:
        raise ValueError("the store is closed")

    __getitem__ = __iter__ = __len__ = __contains__ = get = _refuse


class _Group:
    """Mutations that become one frame, and the event for which all their writers but one wait."""

    def __init__(self) -> None:
        self.payload = bytearray()
        self.mutations: list[log.Mutation] = []
        self.written = threading.Event()
        self.error: BaseException | None = None

    def add(self, payload: bytes, mutations: list[log.Mutation]) -> None:
        self.payload += payload
        self.mutations += mutations


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
        max_segment_size: int = 2**20,
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
        self._io = threading.RLock()  # held while a frame or a snapshot is written
        self._gate = threading.Lock()  # held for a moment, to join or to leave the forming group
        self._forming: _Group | None = None
        self._batches: dict[int, _Group] = {}  # by thread
        self._failed: str | None = None
        self._unapplied: list[log.Mutation] = []
        self._compaction_error: str | None = None
        self._sequence = self._tried = self._pending = self._unsynced = self._retry_at = 0
        self._resources = ExitStack()
        if read_only:
            self._start(read(self._disk))
            return
        try:
            self._resources.enter_context(self._disk.lock())
            self._recover()
        except BaseException:
            self._resources.close()
            raise

    def __repr__(self) -> str:
        state = "read-only" if self._read_only else "writes are refused" if self._failed else "open"
        place, figures = self._disk.path(LOG)[: -len(LOG) - 1], "closed"  # "" of a disk in memory
        if not isinstance(self._items, _Closed):
            figures = f"{len(self._items)} keys, {self._pending} mutations in the log, {state}"
        return f"<DurableStore {place!r}: {figures}>"

    def _start(self, state: State) -> None:
        self._hold(state.items)
        self._head, self.recovered = state.head, state.recovered
        self._sequence, self._pending = state.tail.sequence, state.tail.records
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

    __setitem__ = put

    def delete(self, key: Item) -> None:
        """Remove `key`; of a missing key it is logged too. `del store[key]` raises KeyError."""
        self._record(log.encode_delete(key), [(key, None)])

    def __delitem__(self, key: Item) -> None:
        self._items[key]  # KeyError for a missing one
        self.delete(key)

    def update(self, other: Any = (), /, **more: Item) -> None:
        """Put many records as one mutation: one frame, one fsync, all or nothing."""
        records = dict(other, **more)
        self._record(b"".join(map(log.encode_put, records, records.values())), [*records.items()])

    def clear(self) -> None:
        """Delete all records as one mutation."""
        keys = list(self._items)
        self._record(b"".join(map(log.encode_delete, keys)), [(key, None) for key in keys])

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Collect this thread's mutations, and write them as one at the end: all or nothing.

        Reads inside see the old state, those of pop and `del` too. An exception discards the batch;
        nesting is a ValueError.
        """
        thread = threading.get_ident()
        if thread in self._batches:
            raise ValueError("a batch is open in this thread already, and batches do not nest")
        group = self._batches[thread] = _Group()
        try:
            yield
        finally:
            del self._batches[thread]
        self._record(bytes(group.payload), group.mutations)

    def _record(self, payload: bytes, mutations: list[log.Mutation]) -> None:
        if self._batches and (batch := self._batches.get(threading.get_ident())):
            batch.add(payload, mutations)
        elif self._every > 1 or not mutations:
            with self._io:
                self._append(payload, mutations)
                self._compact_if_due()
        else:
            self._record_together(payload, mutations)

    def _record_together(self, payload: bytes, mutations: list[log.Mutation]) -> None:
        # Group commit. While one frame is being synced, the first thread to come opens the next
        # group and waits for its turn; the others join it, and the first writes it for all of them.
        group, leads = _Group(), False
        try:
            with self._gate:
                if self._forming is None or len(self._forming.payload) > GROUP_BYTES:
                    self._forming, leads = group, True
                else:
                    group = self._forming
                group.add(payload, mutations)
            if leads:
                with self._io:
                    self._close_group(group)
                    self._append(bytes(group.payload), group.mutations)
                    group.written.set()
                    self._compact_if_due()
        except BaseException as error:  # Ctrl-C, too, and at any of these lines
            if not group.written.is_set():
                group.error = error
            raise
        finally:
            if leads:
                try:
                    self._close_group(group)
                finally:
                    group.written.set()
        if not leads:
            group.written.wait()
            if group.error is not None:
                raise WriteRefusedError(f"a group's write failed: {group.error}") from group.error

    def _close_group(self, group: _Group) -> None:
        with self._gate:
            if self._forming is group:
                self._forming = None

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
        except OSError as error:
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
        """Return when everything acknowledged so far survives a loss of power."""
        with self._io:
            if self._failed is not None or self._read_only:
                self._refuse()
            if self._unsynced:
                self._failed = "an fsync did not finish"
                self._disk.sync(LOG)
                self._unsynced, self._failed = 0, None

    def _refuse(self) -> NoReturn:
        len(self._items)  # of a closed store: ValueError
        if self._read_only:
            raise WriteRefusedError("the store was opened with read_only=True")
        how = "reading goes on, writing once compact() or reopening has succeeded"
        raise WriteRefusedError(f"{self._failed}; {how}")

    def compact(self) -> None:
        """Publish a snapshot and start an empty log. It also heals a store that failed to write."""
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
        head = snapshot.prepare(self._disk, self._items, generation, count, size)
        self._failed = "publishing a snapshot did not finish: a crash may find the old or the new"
        snapshot.commit(self._disk)
        self._head, self._sequence, self._closed_log = head, generation, False
        self._log_bytes = snapshot.HEAD_BYTES
        self._pending = self._unsynced = self._retry_at = 0
        self._compaction_error = self._failed = None
        snapshot.sweep(self._disk, generation)

    def close(self) -> None:
        """Mark the log as complete and release the lock. A failed store's log is left as it is."""
        with self._io:
            try:
                if not self._read_only and self._failed is None and not self._closed_log:
                    self.sync()
                    if self._sequence == MAX_SEQUENCE:
                        return  # no number is left for a close frame
                    self._append_frame(seal(CLOSE, self._sequence + 1, b"", self._head.salt))
                    self._sync_close()
            finally:
                self._failed = "the store is closed"
                self._hold(_Closed())
                self._resources.close()

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
