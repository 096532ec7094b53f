"""What the caller of a command sees: its exit status, and its standard streams.

Any of the streams may be closed, or a device that is full, or a pipe that nobody reads any more.
"""

import io
import os
import sys
from contextlib import suppress
from typing import Final, TextIO

OK: Final = 0
DAMAGED: Final = 1  # bytes are damaged; nothing else gives this status
FAILED: Final = 2
INTERRUPTED: Final = 130


class OutputError(Exception):
    """The standard output can't be written to."""


def open_closed() -> None:
    """Open what the caller has closed, so that no file of ours gets the number of a stream.

    Otherwise a message meant for the standard error output could end up in a log.
    """
    with suppress(OSError):
        while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(number)


def say(text: str = "") -> None:
    """Print a line; what the encoding lacks is escaped. OutputError if that is not possible."""
    if sys.stdout is None:
        raise OutputError("it is closed")
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        print(text)
    except (OSError, ValueError) as error:
        raise OutputError(_reason(error)) from error


def flush() -> None:
    """Write what is still held back; OutputError if that is not possible."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError) as error:
        raise OutputError(_reason(error)) from error


def complain(text: str) -> None:
    """Print a line on the standard error output, if there is one that takes it."""
    with suppress(OSError, ValueError, AttributeError):
        print(text, file=sys.stderr, flush=True)


def give_up() -> None:
    """Let go of what could not be written: Python would try again at its end, and fail."""
    for stream in (sys.stdout, sys.stderr):
        try:
            _flush(stream)
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                assert stream is not None
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _flush(stream: TextIO | None) -> None:
    if stream is not None:
        stream.flush()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
