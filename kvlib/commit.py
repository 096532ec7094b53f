"""Group commit: the mutations of a batch, or of many threads, become one frame.

A Batch belongs to the context that opened it, that is, to one thread or one asyncio task. Two
coroutines in one thread don't share a batch. If the block starts another task or thread, that one
has another context, and its mutations are written separately, at once.

A Queue collects what other threads want to write while a frame is being written and fsynced. The
first in line then writes the next frame for everyone in the queue, so 64 threads share one fsync.
"""

import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar, Token
from typing import Final

from kvlib.errors import WriteRefusedError
from kvlib.log import Mutation
from kvlib.scope import Scope

GROUP_BYTES: Final = 2**20  # a frame larger than this takes no further mutations
PATIENCE: Final = 0.25  # seconds before a thread in line stops trusting the first in line

Write = Callable[[bytes, list[Mutation]], None]

# Weak references: only the block keeps its batch alive.
_batches: ContextVar[tuple[weakref.ref["Batch"], ...]] = ContextVar("kvlib's batches", default=())
_probe: ContextVar[None] = ContextVar("kvlib's probe")


class Batch(Scope):
    """The mutations of a with block, written as one when it ends.

    Nothing is written if the block raises or is interrupted.
    """

    def __init__(self, owner: object, write: Write) -> None:
        self._owner, self._write = owner, write
        self._collected: list[tuple[bytes, list[Mutation]]] = []

    def add(self, payload: bytes, mutations: list[Mutation]) -> None:
        """Add a mutation to the batch."""
        self._collected.append((payload, mutations))

    def begin(self) -> None:
        """Open the batch. Raises ValueError if its owner has one open in this context."""
        if batch_of(self._owner) is not None:
            raise ValueError("a batch is open here already, and batches can't be nested")
        self._thread = threading.get_ident()
        self._token: Token[None] = _probe.set(None)
        self._collected = []
        _batches.set((*_open_batches(), weakref.ref(self)))

    def finish(self) -> None:
        """Write the collected mutations."""
        collected = self._collected
        self.close()
        mutations = [mutation for _, some in collected for mutation in some]
        self._write(b"".join(payload for payload, _ in collected), mutations)

    def end(self) -> None:
        """Stop collecting."""
        _batches.set(tuple(_open_batches()))

    def is_mine(self, owner: object) -> bool:
        """Return whether `owner` opened this batch in the current context."""
        if owner is not self._owner or not self.is_open() or threading.get_ident() != self._thread:
            return False
        # A context inherits the variables of the context it was copied from, but a token can only
        # be used in the context that made it.
        try:
            _probe.reset(self._token)
        except ValueError:
            return False
        except RuntimeError:  # used already: an earlier check was interrupted at the next line
            pass
        self._token = _probe.set(None)
        return True


def batch_of(owner: object) -> Batch | None:
    """Return the batch that `owner` has open in the current context, or None."""
    for reference in _batches.get():
        if (batch := reference()) is not None and batch.is_mine(owner):
            return batch
    return None


def _open_batches() -> list[weakref.ref[Batch]]:
    return [one for one in _batches.get() if (batch := one()) is not None and batch.is_open()]


class _Group:
    """Mutations written as one frame. Until `done` is set, their fate is unknown."""

    done = False
    error: Exception | None = None


class _Waiting:
    """A mutation in the queue. It gets its `group` when a thread begins to write it."""

    group: _Group | None = None

    def __init__(self, payload: bytes, mutations: list[Mutation]) -> None:
        self.payload, self.mutations = payload, mutations
        self.thread = threading.get_ident()
        self.written = threading.Lock()
        self.written.acquire()  # released by the thread that has written it


class Queue:
    """The mutations that wait for a frame, in order of arrival. `turn` is held while writing."""

    def __init__(self, turn: threading.RLock) -> None:
        self._turn = turn
        self._waiting: deque[_Waiting] = deque()

    def join(
        self, write: Write, then: Callable[[], None], payload: bytes, mutations: list[Mutation]
    ) -> None:
        """Return when the mutations have been written, by this thread or another.

        The thread that writes also calls `then`, once, in the same turn. If the write fails, that
        thread raises its error, and the others of the group raise WriteRefusedError.
        """
        mine, wrote = _Waiting(payload, mutations), False
        try:
            self._waiting.append(mine)
            if self._leader() != mine.thread:
                mine.written.acquire(timeout=PATIENCE)
            if mine.group is None or not mine.group.done:
                # This thread is the first in line, or the first one was slow or was interrupted.
                with self._turn:
                    if mine.group is None:
                        wrote = True
                        self._write_all(write)
                        then()
        except BaseException:
            with suppress(ValueError):
                self._waiting.remove(mine)
            raise
        group = mine.group
        if group is None or not group.done:
            raise WriteRefusedError("the thread that was writing for this one was interrupted")
        if group.error is not None:
            if wrote:
                raise group.error
            raise WriteRefusedError(f"the write of a group failed: {group.error}") from group.error

    def _leader(self) -> int:
        """Return the first thread in line (this one, perhaps, from an interrupted call), or 0."""
        try:
            return self._waiting[0].thread
        except IndexError:  # another thread has just taken them all
            return 0

    def _write_all(self, write: Write) -> None:
        """Write everything now in line, in as few frames as GROUP_BYTES allows."""
        ahead = len(self._waiting)
        while ahead > 0:
            group, members, size = _Group(), list[_Waiting](), 0
            while ahead > 0 and size <= GROUP_BYTES:
                ahead -= 1
                with suppress(IndexError):  # a thread was interrupted and has left the line
                    one = self._waiting.popleft()
                    one.group = group
                    members.append(one)
                    size += len(one.payload)
            payload = b"".join(one.payload for one in members)
            try:
                write(payload, [change for one in members for change in one.mutations])
            except Exception as error:  # raised by the members
                group.error = error
            group.done = True
            for one in members:
                one.written.release()
