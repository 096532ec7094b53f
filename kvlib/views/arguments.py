"""Check the arguments of views, and read what they name.

Bytes are bytes. A path is a file, whose bytes are read, or a store's directory; a Disk is a store
too. A mistake raises TypeError or ValueError, a path with nothing there MissingError. Each message
says what was expected.
"""

import inspect
import os
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from kvlib.directory import DirectoryDisk
from kvlib.disk import Disk
from kvlib.durable import DurableStore
from kvlib.errors import MissingError
from kvlib.layout.dissect import format_of
from kvlib.layout.text import COLUMNS, fit
from kvlib.store import Store

# The remedy, by the type of the argument.
INSTEAD: Final[dict[type, str]] = {
    DurableStore: ": give the path or the Disk that it was opened on",
    Store: ": serialize it to a path or a Disk, or give kvlib.encode_snapshot of it",
    memoryview: ": give bytes of it",
}

Choice = str | int | bool | list[Any] | range  # what a control chooses from


class File(NamedTuple):
    """Bytes, and the name of their file, or ""."""

    name: str
    data: bytes

    def format(self, chosen: str | None) -> str | None:
        """Return the chosen format, or else that of a store's file with this name."""
        return (format_of(self.name) or None) if chosen is None else chosen


def taken(value: object, view: str) -> File | Disk:
    """Return bytes, a file or a store, for the view with this name; TypeError for anything else."""
    if isinstance(value, (bytes, bytearray)):
        return File("", bytes(value))
    if isinstance(value, (str, os.PathLike)):
        return _at(os.fsdecode(value))
    if isinstance(value, Disk):
        return value
    advice = (text for kind, text in INSTEAD.items() if isinstance(value, kind))
    expected = "bytes, a Disk, or the path of a store or of one file of it"
    raise TypeError(f"{view} takes {expected}, not {type(value).__name__}{next(advice, '')}")


def _at(path: str) -> File | Disk:
    if os.path.isdir(path):
        return DirectoryDisk(path)
    if not os.path.exists(path):  # this includes paths that no system accepts
        reason = f"no file or directory {fit(repr(path), 3 * COLUMNS)}"
        raise MissingError(f"{reason}: a str is a path, bytes are written b'...'")
    if not os.path.isfile(path):  # reading a pipe or a device may never end
        raise MissingError(f"{path!r} is neither a file nor a directory")
    with open(path, "rb") as file:
        return File(os.path.basename(path), file.read())


def check_kind(name: str, value: object, kinds: type | tuple[type, ...], expected: str) -> None:
    """Raise TypeError unless a value has one of these types."""
    if not isinstance(value, kinds):
        raise TypeError(f"{name} {expected}, not {type(value).__name__}")


def check_callable(name: str, value: object, *arguments: str) -> None:
    """Raise TypeError unless a value can be called; the message shows how it would be called."""
    if not callable(value):
        call = f"{name}({', '.join(arguments)})"
        raise TypeError(f"{name} is a function, called as {call}, not {type(value).__name__}")


def check_function(name: str, value: Callable[..., object], *arguments: str) -> None:
    """Raise TypeError unless a value can be called with so many arguments."""
    check_callable(name, value, *arguments)
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):  # some functions written in C have no signature
        return
    try:
        signature.bind(*arguments)
    except TypeError:
        own = fit(f"{getattr(value, '__name__', type(value).__name__)}{signature}", COLUMNS)
        call = f"{name}({', '.join(arguments)})"
        raise TypeError(f"{name} is called as {call}, which {own} does not allow") from None
