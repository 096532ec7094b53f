"""Bytes that show themselves at the end of a notebook's cell."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import overload

from kvlib.disk import Disk, Place
from kvlib.errors import FormatError, MissingError, check_int
from kvlib.layout.dissect import Layout, check_format, dissect, dissect_directory, walk, walk_again
from kvlib.layout.regions import Region, Span
from kvlib.layout.text import BLOCK, ROW, lines
from kvlib.plural import count
from kvlib.snapshot import LOG
from kvlib.views import arguments
from kvlib.views.annotated import annotated
from kvlib.views.figure import Figure
from kvlib.views.html import as_html

__all__ = ["Dump", "as_html", "dump"]


class Dump:
    """Labelled bytes that show themselves: as text, in a notebook as a view. Made by `dump`."""

    def __init__(
        self,
        data: bytes | Layout,
        format: str | None,
        source: str | None,
        limit: int | None,
    ) -> None:
        self._layout = data if isinstance(data, Layout) else None
        if isinstance(data, Layout):
            source = data.source if source is None else source
            data = data.data
        self._data = data
        self._format = check_format(self._data, format)
        self._source, self._limit = source, limit

    def lines(self, colour: bool = False) -> Iterator[str]:
        """Yield the text, line by line."""
        size = len(self._data)
        if self._source:
            yield f"{self._source}: {count(size, 'byte')}"
            yield ""
        yield from lines(self._data, self._pieces(), self._windows(), colour)

    def html(self) -> str:
        """Return the picture, with a script for pointer and keys, if a page has room for it."""
        figure = self.figure()
        return figure.html() if figure else as_html(repr(self))

    def _repr_html_(self) -> str:
        """Return the picture without a script, for the screen of an `explore`, which runs none."""
        figure = self.figure()
        return figure.still() if figure else as_html(repr(self))

    def figure(self) -> Figure | None:
        """Return the picture, or None if there are too many bytes for one."""
        if min(len(self._data), self._limit or len(self._data)) > BLOCK:
            return None
        layout = self._layout or dissect(self._data, format=self._format)
        layout = replace(layout, source=self._source or "")
        size, text = len(self._data), repr(self)
        middle = size if layout.stopped_at is None else layout.stopped_at
        limit = size if self._limit is None else self._limit
        figure = annotated(layout, text, windows(size, limit, middle))
        while not figure.fits and limit > 2 * ROW:  # very many small fields
            limit = min(limit, size) * 7 // 8
            figure = annotated(layout, text, windows(size, limit, middle))
        return figure

    def _windows(self) -> list[Span] | None:
        return (
            None
            if self._limit is None
            else windows(len(self._data), self._limit, self._stopped_at())
        )

    def _pieces(self) -> Iterator[Region]:
        if self._layout is None:
            return walk(self._data, self._format)
        return walk_again(self._layout)

    def _stopped_at(self) -> int:
        try:
            for _ in self._pieces():
                pass
        except FormatError as error:
            return error.offset
        return len(self._data)

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.html()}


class StoreDump:
    """The dumps of all files of a store, as `kvlib dump` prints them. Made by `dump`."""

    def __init__(self, disk: Disk, limit: int | None) -> None:
        self._files = [Dump(file, None, None, limit) for file in dissect_directory(disk)]
        if not self._files:
            raise MissingError(f"no store at {disk.path(LOG)}")

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self._files))

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        views = [file.html() for file in self._files]
        return {"text/plain": repr(self), "text/html": "\n".join(views)}


@overload
def dump(
    data: bytes | bytearray | Layout,
    format: str | None = None,
    source: str | None = None,
    limit: int | None = BLOCK,
) -> Dump: ...
@overload
def dump(
    data: Place, format: str | None = None, source: str | None = None, limit: int | None = BLOCK
) -> Dump | StoreDump: ...
def dump(
    data: bytes | bytearray | Layout | Place,
    format: str | None = None,
    source: str | None = None,
    limit: int | None = BLOCK,
) -> Dump | StoreDump:
    """Show every byte of `data`, labelled.

    Args:
        data: any bytes, a layout, or the path of a file; or the place of a store, to show its
            files.
        format: the format, one of FORMATS; by default a guess.
        source: a title; by default the file's name.
        limit: how many bytes to show, plus those around a flaw; None shows everything.

    Raises:
        MissingError: there is no file or store at that path.
        TypeError: `data` has another type.
        ValueError: there is no such format.
    """
    if limit is not None:
        check_int("limit", limit, 0, sys.maxsize)
    if isinstance(data, Layout):
        return Dump(data, format, source, limit)
    found = arguments.taken(data, "dump")
    if not isinstance(found, arguments.File):
        return StoreDump(found, limit)
    name = found.name if source is None else source
    return Dump(found.data, found.format(format), name, limit)


def windows(size: int, limit: int, middle: int) -> list[Span] | None:
    """Return the first rows and those around `middle`, or None if there is room for everything."""
    if size <= max(limit, 2 * ROW):
        return None
    half = max(ROW, limit // 2 // ROW * ROW)
    last = -(-(size - half) // ROW) * ROW
    start = max(half, min(last, (middle - half // 2) // ROW * ROW))
    return [(0, half), (start, min(start + half, size))]
