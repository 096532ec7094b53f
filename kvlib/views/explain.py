"""An error, the bytes that caused it, and the remedies."""

import os
from collections.abc import Iterator, Sequence
from html import escape
from types import TracebackType
from typing import Final

from kvlib.directory import DirectoryDisk
from kvlib.disk import LOG, Disk
from kvlib.errors import CorruptionError, FormatError
from kvlib.layout import advice
from kvlib.layout.dissect import FORMATS, Layout, dissect, dissect_directory
from kvlib.layout.text import ROW, hanging
from kvlib.views.dump import Dump, dump

AROUND: Final = 8 * ROW  # bytes to show: the beginning of the file, and the place of the error
SEARCHED: Final = 2**20  # larger bytes are not searched for the error


class Explanation:
    """An error, the bytes that caused it, and the remedies; made by `explain`."""

    def __init__(self, error: FormatError, dump: Dump | None, steps: Sequence[str]) -> None:
        self._error, self._dump, self._steps = error, dump, steps

    @property
    def _title(self) -> str:
        return f"{type(self._error).__name__}: {self._error}"

    def lines(self) -> Iterator[str]:
        """Yield the message, the bytes and the advice."""
        yield from hanging("", self._title)
        if self._dump:
            yield from ("", *repr(self._dump).splitlines())
        if self._steps:
            yield from ("", *self._steps)

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{escape(self._title)}</b></p>"]
        if self._dump:
            parts.append(self._dump._repr_mimebundle_()["text/html"])
        if self._steps:
            parts.append(f"<pre>{escape(chr(10).join(self._steps))}</pre>")
        return "\n".join(parts)


def explain(error: FormatError, disk: Disk | None = None) -> Explanation:
    """Show the bytes around an error's offset, the wrong field marked, and the remedies.

    Args:
        error: the error of reading a store or of decoding bytes.
        disk: the Disk with the file; by default the directory in the error's path, or else the
            arguments of the functions that raised it.

    Bytes are shown only if they still cause the error. Otherwise just the message is shown.
    """
    if not isinstance(error, FormatError):
        raise TypeError(f"explain takes an error from reading bytes, not {type(error).__name__}")
    wanted = error.offset, error.reason
    found = (one for one in _layouts(error, disk) if (one.stopped_at, one.reason) == wanted)
    layout = next(found, None)
    return Explanation(error, dump(layout, limit=AROUND) if layout else None, [*_steps(error)])


def _layouts(error: FormatError, disk: Disk | None) -> Iterator[Layout]:
    folder, name = os.path.split(error.path or "")
    if disk is None and folder:
        disk = DirectoryDisk(folder)
    for place in [disk] if disk else _locals(error.__traceback__):
        if isinstance(place, bytes):
            for format in FORMATS if len(place) <= SEARCHED else ():
                yield dissect(place, format=format, source=error.path or "the bytes")
        elif isinstance(place, Disk):
            yield from _files(place, name or LOG)


def _files(disk: Disk, name: str) -> Iterator[Layout]:
    try:
        yield from (file for file in dissect_directory(disk) if file.source == name)
    except OSError:
        return  # the file is gone


def _locals(traceback: TracebackType | None) -> list[object]:
    """Return the local variables of the engine's functions, the innermost first."""
    found: list[object] = []
    while traceback:
        frame = traceback.tb_frame
        if frame.f_globals.get("__name__", "").startswith("kvlib."):
            found[:0] = frame.f_locals.values()
        traceback = traceback.tb_next
    return found


def _steps(error: FormatError) -> Iterator[str]:
    notes = getattr(error, "__notes__", [])
    for note in notes:
        yield from hanging("", note)
    folder = os.path.dirname(error.path or "")
    if folder and isinstance(error, CorruptionError):
        yield from (line.removeprefix("  ") for line in advice.advice(error, folder))
    elif notes and isinstance(error, CorruptionError):  # a store on another kind of Disk
        yield "kvlib.salvage.salvage(disk, other) copies what still verifies to another disk"
