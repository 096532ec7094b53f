"""Bytes that show themselves: what a notebook's cell ends with."""

from collections.abc import Iterator
from html import escape

from kvlib.errors import CorruptionError, FormatError, TornError
from kvlib.views.layout import Layout, check, walk
from kvlib.views.regions import Region, Span
from kvlib.views.text import BLOCK, ROW, count, lines


class Dump:
    """Shows itself as labelled bytes: its repr is text, in a notebook too. Made by `dump`."""

    def __init__(
        self,
        data: bytes | bytearray | Layout,
        format: str | None,
        source: str | None,
        limit: int | None,
    ) -> None:
        self._layout = data if isinstance(data, Layout) else None
        if isinstance(data, Layout):
            source = data.source if source is None else source
            data = data.data
        if not isinstance(data, (bytes, bytearray)):
            raise TypeError(f"a dump is of bytes, not of {type(data).__name__}")
        self._data = bytes(data)
        self._format = check(self._data, format)
        self._source, self._limit = source, limit

    def lines(self, colour: bool = False) -> Iterator[str]:
        """The text, line by line."""
        size = len(self._data)
        if self._source:
            yield f"{self._source}: {count(size, 'byte')}"
            yield ""
        windows = None
        if self._limit is not None and size > max(self._limit, 2 * ROW):
            windows = _two_windows(size, self._limit, self._stopped_at())
        yield from lines(self._data, self._pieces(), windows, colour)

    def _pieces(self) -> Iterator[Region]:
        if self._layout is None:
            return walk(self._data, self._format)
        return _replay(self._layout)

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
        text = repr(self)
        return {
            "text/plain": text,
            "text/html": as_html(text),
        }


def dump(
    data: bytes | bytearray | Layout,
    format: str | None = None,
    source: str | None = None,
    limit: int | None = BLOCK,
) -> Dump:
    """Every byte of `data`, labelled.

    Args:
        data: any bytes, or a layout of them.
        format: what they are, one of FORMATS; by default what they look like.
        source: a title.
        limit: leave out what is more, but not what is around a flaw; None: show everything.
    """
    return Dump(data, format, source, limit)


def as_html(text: str) -> str:
    """Text that keeps its columns: pages that show notebooks have other plans for a bare <pre>."""
    style = "font-family: monospace; line-height: 1.3; white-space: pre; overflow-x: auto"
    return f'<pre class="kvlib-dump" style="{style}">{escape(text)}</pre>'


def _replay(layout: Layout) -> Iterator[Region]:
    """What `walk` did when the layout was made."""
    yield from layout.root.children
    if layout.stopped_at is not None:
        error = TornError if layout.root.status == "torn" else CorruptionError
        raise error(None, layout.stopped_at, layout.reason or "")


def _two_windows(size: int, limit: int, middle: int) -> list[Span]:
    """The first rows, and those around `middle`."""
    half = max(ROW, limit // 2 // ROW * ROW)
    last = -(-(size - half) // ROW) * ROW
    start = max(half, min(last, (middle - half // 2) // ROW * ROW))
    return [(0, half), (start, min(start + half, size))]
