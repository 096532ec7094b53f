"""Which mutations become one frame: those of a batch, and those that wait for the same fsync.

A Batch belongs to the context that opened it, which is what a thread or a task of asyncio runs in.
Two coroutines of one thread don't share one. What a batch's block starts (another task, another
thread) has a context of its own, and its mutations are written on their own, at once.

A Queue is group commit. While one frame is being written and fsynced, others line up. The first in
line writes the next frame for all who wait by then, so that 64 threads share one fsync.
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

GROUP_BYTES: Final = 2**20  # a frame takes no more of the waiting mutations beyond this size
PATIENCE: Final = 0.25  # seconds: so long a waiting thread trusts that the first in line is alive

Write = Callable[[bytes, list[Mutation]], None]

# Nothing but the block itself keeps its batch alive.
_batches: ContextVar[tuple[weakref.ref["Batch"], ...]] = ContextVar("kvlib's batches", default=())
_probe: ContextVar[None] = ContextVar("kvlib's probe")


class Batch(Scope):
    """The mutations of a with statement's block, written as one when it ends.

    Nothing is written if the block raises, or is interrupted anywhere.
    """

    def __init__(self, owner: object, write: Write) -> None:
        self._owner, self._write = owner, write
        self._collected: list[tuple[bytes, list[Mutation]]] = []

    def add(self, payload: bytes, mutations: list[Mutation]) -> None:
        """Collect a mutation."""
        self._collected.append((payload, mutations))

    def begin(self) -> None:
        """Open it; ValueError if another one of its owner is open in this context."""
        if batch_of(self._owner) is not None:
            raise ValueError("a batch is open here already, and batches do not nest")
        self._thread = threading.get_ident()
        self._token: Token[None] = _probe.set(None)
        self._collected = []
        _batches.set((*_open_batches(), weakref.ref(self)))

    def finish(self) -> None:
        """Write what was collected."""
        collected = self._collected
        self.close()
        mutations = [mutation for _, some in collected for mutation in some]
        self._write(b"".join(payload for payload, _ in collected), mutations)

    def end(self) -> None:
        """Collect no more."""
        _batches.set(tuple(_open_batches()))

    def is_mine(self, owner: object) -> bool:
        """Return whether this is a batch of `owner` that was opened in the present context."""
        if owner is not self._owner or not self.is_open() or threading.get_ident() != self._thread:
            return False
        # A context inherits what was set in the one that it is a copy of, but only the context in
        # which a token was made can use it.
        try:
            _probe.reset(self._token)
        except ValueError:
            return False
        except RuntimeError:  # used: an earlier look was interrupted at the next line
            pass
        self._token = _probe.set(None)
        return True


def batch_of(owner: object) -> Batch | None:
    """Return the batch that `owner` has open in the present context."""
    for reference in _batches.get():
        if (batch := reference()) is not None and batch.is_mine(owner):
            return batch
    return None


def _open_batches() -> list[weakref.ref[Batch]]:
    return [one for one in _batches.get() if (batch := one()) is not None and batch.is_open()]


class _Group:
    """What is written as one frame. Until `done` is set, nobody knows what became of it."""

    done = False
    error: Exception | None = None


class _Waiting:
    """A mutation in line. It has a `group` from the moment in which somebody begins to write it."""

    group: _Group | None = None

    def __init__(self, payload: bytes, mutations: list[Mutation]) -> None:
        self.payload, self.mutations = payload, mutations
        self.thread = threading.get_ident()
        self.written = threading.Lock()
        self.written.acquire()  # whoever has written it lets it go


class Queue:
    """The mutations that wait for a frame, in the order in which they came.

    `turn` is the lock under which frames are written.
    """

    def __init__(self, turn: threading.RLock) -> None:
        self._turn = turn
        self._waiting: deque[_Waiting] = deque()

    def join(
        self, write: Write, then: Callable[[], None], payload: bytes, mutations: list[Mutation]
    ) -> None:
        """Return when the mutations have been written, by this thread or another.

        Whoever has written calls `then`, once, in the same turn. If a write fails, its error is
        raised in the thread that did it, and in the others of the group a WriteRefusedError.
        """
        mine, wrote = _Waiting(payload, mutations), False
        try:
            self._waiting.append(mine)
            if self._leader() != mine.thread:
                mine.written.acquire(timeout=PATIENCE)
            if mine.group is None or not mine.group.done:
                # It is the first in line, or the first one took long, or was interrupted.
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
            raise WriteRefusedError("the thread that wrote for this one too was interrupted")
        if group.error is not None:
            if wrote:
                raise group.error
            raise WriteRefusedError(f"a group's write failed: {group.error}") from group.error

    def _leader(self) -> int:
        """Return the thread that is the first in line: perhaps this one, by an interrupted call."""
        try:
            return self._waiting[0].thread
        except IndexError:  # another thread has just begun to write them all
            return 0

    def _write_all(self, write: Write) -> None:
        """Write all that wait by now, in as few frames as GROUP_BYTES allows."""
        ahead = len(self._waiting)
        while ahead > 0:
            group, members, size = _Group(), list[_Waiting](), 0
            while ahead > 0 and size <= GROUP_BYTES:
                ahead -= 1
                with suppress(IndexError):  # one was interrupted, and has left
                    one = self._waiting.popleft()
                    one.group = group
                    members.append(one)
                    size += len(one.payload)
            payload = b"".join(one.payload for one in members)
            try:
                write(payload, [change for one in members for change in one.mutations])
            except Exception as error:  # the members raise it
                group.error = error
            group.done = True
            for one in members:
                one.written.release()
