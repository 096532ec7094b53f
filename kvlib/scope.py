"""Context managers that can't miss the end of their block.

Ctrl-C can strike between any two bytecodes: after `__enter__` has done its work but before it
returns, or after `__exit__` was called but before its first line. An ordinary context manager then
never learns that its block is over. While the traceback is kept (Jupyter keeps it), nothing
cleans up: a batch stays open, a lock stays taken.

A Scope doesn't wait to be told. A with statement looks up `__exit__` before it begins, and holds
the result until it has ended, however it ends. Here every lookup returns a new object that nothing
else refers to, so the death of that object is the end of the block.
"""

import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Final, final


class _Exit:
    """The `__exit__` of a Scope: a new object for each with statement."""

    def __get__(self, scope: "Scope | None", owner: type) -> Callable[..., None]:
        if scope is None:  # an ExitStack looks it up in the class, and holds the scope itself
            return _leave
        held = partial(_leave, scope)
        scope._held = weakref.ref(held, lambda _: scope.close())
        return held


def _leave(scope: "Scope", *raised: object) -> None:
    if raised[0] is None:
        scope.finish()
    scope.close()


class Scope(ABC):
    """A context manager that ends exactly when its block does, whatever interrupts it.

    A subclass defines what happens before the block (`begin`), after a block that raised nothing
    (`finish`), and finally in any case (`end`, which must be harmless after an interrupted `begin`
    and when it is called again).
    """

    _held: weakref.ref[object] | None = None
    _over = False

    @abstractmethod
    def begin(self) -> None:
        """Run before the block."""

    def finish(self) -> None:  # noqa: B027  # most scopes have nothing to do here
        """Run after a block that raised nothing; `end` follows."""

    @abstractmethod
    def end(self) -> None:
        """Undo `begin`."""

    def is_open(self) -> bool:
        """Return whether the block may still be running."""
        return not self._over and self._held is not None and self._held() is not None

    def close(self) -> None:
        """End the block. If this is interrupted, it runs again."""
        self._over = True
        self.end()
        self._held = None

    @final
    def __enter__(self) -> None:
        if self._held is None:  # not called by a with statement: the caller holds the scope itself
            self._held = weakref.ref(self)
        self._over = False
        self.begin()

    __exit__: Final = _Exit()
