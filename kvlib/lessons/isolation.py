"""Protect the process from an answer that runs in it.

While an answer runs, its output is collected, `input` doesn't wait, and functions that end the
process don't: in the thread that runs the answer, and in no other. Afterwards the streams, file
descriptors 0 to 2, warning filters, the recursion limit, asyncio's running loop and the working
directory are restored, so that a learner's variables survive the answer.
"""

import asyncio
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

PRINTED: Final = 2_000  # characters of an answer's output
STREAMS: Final = ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__")
DESCRIPTORS: Final = (0, 1, 2)

# Functions that end or replace the calling process. The second group only does so if called with
# its process id, or its group's.
ENDS: Final = ("_exit", "abort", "execv", "execve", "raise_signal")
KILLS: Final = ("kill", "killpg")


class Streams(io.TextIOBase):
    """A substitute for a terminal: it keeps the beginning of the output, and can't be closed.

    Reading from it calls `asked`.
    """

    encoding = "utf-8"
    errors = "strict"

    def __init__(self, asked: Callable[..., NoReturn]) -> None:
        self._asked = asked
        self.kept = ""

    def read(self, size: int | None = -1) -> str:
        """Ask for input."""
        self._asked()

    def readline(self, size: int = -1) -> str:  # type: ignore[override]  # as io declares it
        """Ask for input."""
        self._asked()

    def write(self, text: str) -> int:
        """Accept a text, and keep as much of it as there is room for."""
        self.kept += str.__getitem__(text, slice(max(0, PRINTED - len(self.kept))))
        return str.__len__(text)

    def writable(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Stay open for the next print."""


@contextmanager
def kept(asked: Callable[..., NoReturn]) -> Iterator[Streams]:
    """Collect the output of a block, and restore everything when it ends.

    `asked` is called where the block would wait for input. It must raise, to end the block.
    """
    said = Streams(asked)
    with ExitStack() as stack:
        stack.enter_context(_forks_ended())
        stack.enter_context(_descriptors())
        stack.enter_context(_folder())
        stack.callback(sys.setrecursionlimit, sys.getrecursionlimit())
        # A stop in the middle of asyncio.run can leave its loop as the running one.
        stack.callback(asyncio._set_running_loop, asyncio._get_running_loop())
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
    """Set an attribute until the stack is closed."""
    stack.callback(setattr, place, name, getattr(place, name))
    setattr(place, name, value)


def _ignore(_: object) -> None:
    """Ignore an error that can't be caught, such as one in a `__del__`."""


# ------------------------------------------------------------------------------------ the ways out


def _ways_out() -> Iterator[tuple[Any, str, Callable[..., object]]]:
    """Yield each function that ends the process, with its module and its replacement."""
    system: list[ModuleType] = [os, sys.modules[os.name], signal, sys.modules["_signal"]]
    for module in system:
        for name in ENDS + KILLS:
            if hasattr(module, name):
                yield module, name, _closed(name, getattr(module, name))
    shell = _shell()
    if shell is not None:  # in IPython, `exit` asks the shell to end
        yield shell, "ask_exit", _closed("exit", shell.ask_exit)


def _shell() -> Any:
    """Return IPython's shell, or None."""
    ask = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return ask() if ask else None


def _closed(name: str, real: Callable[..., object]) -> Callable[..., object]:
    """Return a function that raises SystemExit in this thread, and is the real one in others."""
    thread, process = threading.get_ident(), os.getpid()

    def closed(*arguments: Any, **named: Any) -> object:
        mine = (threading.get_ident(), os.getpid()) == (thread, process)
        if mine and (name not in KILLS or _is_own(*arguments[:2])):
            raise SystemExit(name)
        return real(*arguments, **named)

    return closed


def _is_own(target: object = None, sent: object = None) -> bool:
    """Return whether a signal goes to this process or its group."""
    group = getattr(os, "getpgrp", os.getpid)()
    return target in (0, -1, os.getpid(), group, -group) and sent != 0


@contextmanager
def _forks_ended() -> Iterator[None]:
    """End a process that the block has forked and that leaves the block as well."""
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
    """Restore the descriptors 0 to 2 if they were closed or redirected."""
    copies = {}
    for number in DESCRIPTORS:
        with suppress(OSError):  # it was closed already
            copies[number] = os.dup(number)
    try:
        yield
    finally:
        for number, copy in copies.items():
            os.dup2(copy, number)
            os.close(copy)


@contextmanager
def _folder() -> Iterator[None]:
    """Return to the working directory of the block's start."""
    before = ""
    with suppress(OSError):  # it was deleted
        before = os.getcwd()
    try:
        yield
    finally:
        with suppress(OSError):
            os.chdir(before)
