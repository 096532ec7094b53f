"""What an answer may reach besides its arguments, and how a check keeps it as it was.

While an answer runs, what it prints is collected, nobody is asked for input, and the ways to end
this process are closed: for the thread that runs it, and for no other. Afterwards streams, file
descriptors 0 to 2, warning filters, the recursion limit and the working directory are what they
were before. So a learner's variables outlive the answer.
"""

import bdb
import builtins
import getpass
import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import ModuleType
from typing import Any, Final, NoReturn

PRINTED: Final = 2_000  # characters of what an answer prints
STREAMS: Final = ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__")
DESCRIPTORS: Final = (0, 1, 2)

# Functions that end the process they are called in, or replace it; those of the second kind only
# if they are given its number, or that of a group that it is in.
ENDS: Final = ("_exit", "abort", "execv", "execve", "raise_signal")
KILLS: Final = ("kill", "killpg")


class Streams(io.TextIOBase):
    """Stands for a terminal: keeps the beginning of what is written, and can't be closed.

    Whoever reads from it is asking a person: that calls `asked`.
    """

    encoding = "utf-8"
    errors = "strict"

    def __init__(self, asked: Callable[..., NoReturn]) -> None:
        self._asked = asked
        self.kept = ""

    def read(self, size: int | None = -1) -> str:
        """Ask for input."""
        self._asked()

    def readline(self, size: int = -1) -> str:  # type: ignore[override]  # a text's, as in io
        """Ask for input."""
        self._asked()

    def write(self, text: str) -> int:
        """Take the text, and keep what there is room for."""
        self.kept += str.__getitem__(text, slice(max(0, PRINTED - len(self.kept))))
        return str.__len__(text)

    def writable(self) -> bool:
        """Return True, for it takes what is printed."""
        return True

    def close(self) -> None:
        """Stay open: the next print comes here too."""


@contextmanager
def kept(asked: Callable[..., NoReturn]) -> Iterator[Streams]:
    """Give what the block prints; put everything back when it ends.

    `asked` is called where the block would wait for input. It raises what ends the block.
    """
    said = Streams(asked)
    with ExitStack() as stack:
        stack.enter_context(_forks_ended())
        stack.enter_context(_descriptors())
        stack.enter_context(_folder())
        stack.callback(sys.setrecursionlimit, sys.getrecursionlimit())
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        for name in STREAMS:
            _put(stack, sys, name, said)
        _put(stack, sys, "breakpointhook", asked)
        _put(stack, sys, "unraisablehook", _ignore)
        _put(stack, builtins, "input", asked)
        _put(stack, getpass, "getpass", asked)
        _put(stack, bdb.Bdb, "set_trace", asked)
        for module, name, closed in _ways_out():
            _put(stack, module, name, closed)
        yield said


def _put(stack: ExitStack, place: Any, name: str, value: object) -> None:
    """Set an attribute, and have the stack put the old one back."""
    stack.callback(setattr, place, name, getattr(place, name))
    setattr(place, name, value)


def _ignore(_: object) -> None:
    """Say nothing of an error that nobody can catch, such as one in a `__del__`."""


# ------------------------------------------------------------------------------------ the ways out


def _ways_out() -> Iterator[tuple[Any, str, Callable[..., object]]]:
    """Each function that ends the process: where it is, and what stands for it meanwhile."""
    system: list[ModuleType] = [os, sys.modules[os.name], signal, sys.modules["_signal"]]
    for module in system:
        for name in ENDS + KILLS:
            if hasattr(module, name):
                yield module, name, _closed(name, getattr(module, name))
    shell = _shell()
    if shell is not None:  # `exit` raises nothing there: it asks the shell to end
        yield shell, "ask_exit", _closed("exit", shell.ask_exit)


def _shell() -> Any:
    """Return IPython's shell, if this runs in one."""
    ask = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return ask() if ask else None


def _closed(name: str, real: Callable[..., object]) -> Callable[..., object]:
    """Return what raises SystemExit in this thread, and is the real function in any other."""
    thread, process = threading.get_ident(), os.getpid()

    def closed(*arguments: Any, **named: Any) -> object:
        mine = (threading.get_ident(), os.getpid()) == (thread, process)
        if mine and (name not in KILLS or _is_own(*arguments[:2])):
            raise SystemExit(name)
        return real(*arguments, **named)

    return closed


def _is_own(target: object = None, sent: object = None) -> bool:
    """Return whether a signal goes to this process, or to a group that it is in."""
    group = getattr(os, "getpgrp", os.getpid)()
    return target in (0, -1, os.getpid(), group, -group) and sent != 0


@contextmanager
def _forks_ended() -> Iterator[None]:
    """End a process that the block has forked and that has come out of it as well."""
    process = os.getpid()
    leave = os._exit
    try:
        yield
    finally:
        if os.getpid() != process:
            leave(1)


# -------------------------------------------------------------------------------- what is put back


@contextmanager
def _descriptors() -> Iterator[None]:
    """Open again what was closed of the descriptors 0 to 2, or leads elsewhere."""
    copies = {}
    for number in DESCRIPTORS:
        with suppress(OSError):  # it was closed before
            copies[number] = os.dup(number)
    try:
        yield
    finally:
        for number, copy in copies.items():
            os.dup2(copy, number)
            os.close(copy)


@contextmanager
def _folder() -> Iterator[None]:
    """Go back to where the block began."""
    before = ""
    with suppress(OSError):  # somebody has deleted it
        before = os.getcwd()
    try:
        yield
    finally:
        with suppress(OSError):
            os.chdir(before)
