"""Context managers whose end can't be missed.

Ctrl-C can strike between any two bytecodes: after `__enter__` has done its work and before it has
returned, or after `__exit__` was called and before its first line. An ordinary context manager then
never learns that its block is over, and while anybody keeps the traceback (Jupyter does), nothing
else tidies up after it: a batch stays open, a lock stays taken.

So a Scope doesn't wait to be told. A with statement looks up `__exit__` before it begins, and keeps
what it found until it has ended, however it ends. Here each look-up gives a new object that nothing
else refers to. When that object dies, the block is over.
"""

import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Final, final


class _Exit:
    """The `__exit__` of a Scope: a new object for each with statement."""

    def __get__(self, scope: "Scope | None", owner: type) -> Callable[..., None]:
        if scope is None:  # an ExitStack looks it up in the class, and keeps the scope itself
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

    A subclass says what comes before the block (`begin`), after one that raised nothing (`finish`),
    and then in any case (`end`, which must do no harm if `begin` was interrupted, or when it is
    called again).
    """

    _held: weakref.ref[object] | None = None
    _over = False

    @abstractmethod
    def begin(self) -> None:
        """Do what comes before the block."""

    def finish(self) -> None:  # noqa: B027  # most have nothing to do here
        """Do what comes after a block that raised nothing; `end` follows."""

    @abstractmethod
    def end(self) -> None:
        """Undo what `begin` did."""

    def is_open(self) -> bool:
        """Return whether the block may still be running."""
        return not self._over and self._held is not None and self._held() is not None

    def close(self) -> None:
        """End the block; if this is interrupted, it is done again."""
        self._over = True
        self.end()
        self._held = None

    @final
    def __enter__(self) -> None:
        if self._held is None:  # no with statement: whoever calls this keeps the scope itself
            self._held = weakref.ref(self)
        self._over = False
        self.begin()

    __exit__: Final = _Exit()
