"""A command's exit status and standard streams.

Any of the streams may be closed, on a full device, or a pipe whose reader is gone.
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
    """Standard output can't be written to."""


def open_closed() -> None:
    """Open the streams that the caller has closed, so that no file of ours gets their number.

    Otherwise a message meant for standard error could end up in a store's log.
    """
    with suppress(OSError):
        while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(number)


def say(text: str = "") -> None:
    """Print a line, escaping what the encoding lacks. Raises OutputError if that fails."""
    if sys.stdout is None:
        raise OutputError("it is closed")
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        print(text)
    except (OSError, ValueError) as error:
        raise OutputError(_reason(error)) from error


def flush() -> None:
    """Write what is still buffered. Raises OutputError if that fails."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError) as error:
        raise OutputError(_reason(error)) from error


def complain(text: str) -> None:
    """Print a line on standard error, if it can be written to."""
    with suppress(OSError, ValueError, AttributeError):
        print(text, file=sys.stderr, flush=True)


def give_up() -> None:
    """Drop what could not be written: Python would try again at exit, and fail."""
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
