"""The log of a store that is open: appends frames, publishes snapshots, and stops after a failure.

Nothing may follow a frame that may be torn. So every step that changes the disk first marks the
writer as failed, and clears the mark when all is done, memory included. An interruption in between,
such as Ctrl-C, leaves the mark: the store can be read, writes are refused, and a publish with a
larger generation makes it whole again.
"""

from contextlib import suppress

from kvlib import log, snapshot
from kvlib.disk import LOG, Disk
from kvlib.encoding import MAX_LENGTH, Item
from kvlib.errors import WriteRefusedError
from kvlib.frame import CLOSE, MAX_SEQUENCE, MUTATIONS, UNSYNCED_MUTATIONS, seal
from kvlib.recovery import State


class LogWriter:
    """Appends to a store's log and publishes its snapshots. One thread at a time may use it.

    Attributes:
        head: the log's head; None before there is a log.
        sequence: the sequence of the last frame.
        pending: how many mutations are in the log.
        unsynced: how many of them have not been fsynced yet.
        log_bytes: the size of the log.
        failed: why writes are refused, or None.
    """

    head: snapshot.Head

    def __init__(self, disk: Disk, mutations_per_fsync: float, max_segment_size: int) -> None:
        self._disk = disk
        self._mutations_per_fsync = mutations_per_fsync
        self._max_segment_size = max_segment_size
        self._tried = 0  # the last generation that a publish has tried
        self._closed = False  # whether the last frame is a close frame
        self._unapplied: list[log.Mutation] = []  # appended last, perhaps not yet in memory
        self.sequence = 0
        self.pending = 0
        self.unsynced = 0
        self.log_bytes = 0
        self.failed: str | None = None

    def start(self, state: State) -> None:
        """Take over the figures of the log that recovery has read."""
        self.head = state.head
        self.sequence, self.pending = state.tail.sequence, state.tail.mutations
        self.log_bytes, self._closed = state.tail.end, state.tail.closed

    def resume(self, state: State) -> None:
        """Make the log that recovery has read safe to append to.

        If that fails, the store can still be read, and writes are refused.
        """
        self.start(state)
        try:
            if self._closed and not state.recovered.dropped_bytes:
                self._sync_close()  # the close frame may be in the page cache only
            else:
                # Never append after a doubtful tail. And if the store died while it was created,
                # the log's name isn't safe: new segments alone would look like a lost log.
                self._disk.sync_directory()
                self.publish(state.items, self.head.compactions)
        except (OSError, ValueError) as error:  # ValueError: the sequence numbers are used up
            self.failed = f"recovery could not write: {error}"

    def check(self) -> None:
        """Raise WriteRefusedError if an earlier write failed."""
        if self.failed is not None:
            how = "the store can be read, and written once compact() or reopening it has succeeded"
            raise WriteRefusedError(f"{self.failed}; {how}")

    def append(
        self, payload: bytes, mutations: list[log.Mutation], items: dict[Item, Item]
    ) -> None:
        """Append a frame, fsync it if it is time, and apply the mutations to `items`.

        Raises OSError or WriteRefusedError, and `items` hasn't changed.
        """
        self.check()
        if not mutations:
            return
        kind = UNSYNCED_MUTATIONS if self.unsynced else MUTATIONS
        frame = seal(kind, self.sequence + 1, payload, self.head.salt)
        self.failed = "an append did not finish"
        try:
            self._append_frame(frame)
            self.unsynced += len(mutations)
            if self.unsynced >= self._mutations_per_fsync:
                self._disk.sync(LOG)
                self.unsynced = 0
        except (OSError, WriteRefusedError) as error:
            self.failed = f"an append failed ({error})"
            raise
        self.pending += len(mutations)
        self._unapplied = mutations
        log.apply(mutations, items)
        self.failed = None

    def _append_frame(self, frame: bytes) -> None:
        self.sequence += 1
        self._closed = False
        self._disk.append(LOG, frame)
        self.log_bytes += len(frame)

    def sync(self) -> None:
        """Return once everything appended so far survives a power cut."""
        self.check()
        if self.unsynced:
            self.failed = "an fsync did not finish"
            self._disk.sync(LOG)
            self.unsynced = 0
            self.failed = None

    def heal(self, items: dict[Item, Item]) -> None:
        """Complete `items` after a failure: the last mutations may be durable and not applied."""
        if self.failed is not None:
            log.apply(self._unapplied, items)

    def publish(self, items: dict[Item, Item], compactions: int) -> None:
        """Publish a snapshot of `items` and start an empty log. This also ends a failure."""
        self._tried = generation = 1 + max(self.sequence, self._tried)
        count = min(compactions, MAX_LENGTH)
        try:
            head = snapshot.prepare(self._disk, items, generation, count, self._max_segment_size)
        except WriteRefusedError as error:  # someone else may be using the store
            self.failed = f"a snapshot was not published ({error})"
            raise
        self.failed = "publishing a snapshot did not finish: a crash may find the old or the new"
        snapshot.commit(self._disk)
        self.head, self.sequence, self._closed = head, generation, False
        self.log_bytes = snapshot.HEAD_BYTES
        self.pending = 0
        self.unsynced = 0
        self.failed = None
        snapshot.delete_others(self._disk, generation)

    def close(self) -> None:
        """Append and fsync a close frame. After a failure, leave the log as it is."""
        if self.failed is not None or self._closed:
            return
        self.sync()
        if self.sequence == MAX_SEQUENCE:
            return  # no number is left for a close frame
        self._append_frame(seal(CLOSE, self.sequence + 1, b"", self.head.salt))
        self._sync_close()

    def _sync_close(self) -> None:
        try:
            self._disk.sync(LOG)
        except OSError:  # the next fsync wouldn't report this failure: spoil the close frame
            with suppress(OSError):
                self._disk.append(LOG, b"\0")
            raise
