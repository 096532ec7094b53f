"""A few rows of bytes out of many, for pictures that show another place at each position.

Each field is drawn at (0, 0) and moved to its place. So the same bytes are the same shape wherever
they are, and a figure sends them once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from html import escape
from typing import Final

from kvlib.layout.dissect import Layout
from kvlib.layout.regions import Region, Span
from kvlib.views import svg
from kvlib.views.cells import TOKENS, Cells, Stretch, fields, visible

OFFSETS: Final = 54  # room for an offset, before a row
ROW: Final = Cells(0, 0, columns=12, width=28, height=26, pitch=52)
ROWS: Final = 3
WIDTH: Final = OFFSETS + ROW.columns * ROW.width


def first_row(size: int, start: int, end: int) -> int:
    """Return the first of the rows to show, so that data[start:end] begins in one of them."""
    first = start // ROW.columns
    needed = max(end - 1, start) // ROW.columns - first + 1
    first -= max(0, ROWS - needed) // 2
    return max(0, min(first, ROW.rows(size) - ROWS))


def rows(layout: Layout, first: int, x: float, y: float) -> Iterator[str]:
    """Yield the rows from the one with the number `first` on.

    Args:
        layout: the regions of the bytes.
        first: a row; the row 0 has the first bytes.
        x: the left edge of the offsets.
        y: the upper edge of the first row.
    """
    x += OFFSETS
    for number in range(first, min(first + ROWS, ROW.rows(len(layout.data)))):
        low, high = number * ROW.columns, (number + 1) * ROW.columns
        for leaf in layout.root.leaves():
            start, end = max(leaf.start, low), min(leaf.end, high)
            if start < end:
                shapes = [_piece(layout.data, leaf, start, end)]
                if start == low:
                    shapes.append(svg.text(-8, 19, f"{low:,}", "ink2", anchor="end"))
                yield from svg.shift(x + (start - low) * ROW.width, y, shapes)
        y += ROW.pitch


def _piece(data: bytes, leaf: Region, start: int, end: int) -> str:
    """Return data[start:end], a part of a leaf in one row, at (0, 0)."""
    if leaf.status != "ok":
        cells = replace(ROW, columns=end - start)
        part = replace(leaf, start=0, end=end - start)
        return "".join(fields(cells, data[start:end], [part]))
    token, size = TOKENS[leaf.kind], end - start
    middles = [(at + 0.5) * ROW.width for at in range(size)]
    xs = " ".join(f"{svg.number(x - 9)} {svg.number(x)}" for x in middles)
    shape = svg.box(0.6, 0, size * ROW.width - 1.2, ROW.height, token)
    shape += _text(xs, 19, data[start:end].hex().upper(), f'fill="${token}-on"')
    if leaf.kind in ("key", "value"):
        shape += svg.box(0.6, ROW.height + 2, size * ROW.width - 1.2, 21, token + "-p")
        held = [
            ((at - start + min(wide, end - at) / 2) * ROW.width, visible(character))
            for at, wide, character in _characters(data[leaf.start : leaf.end], leaf.start)
            if start <= at < end
        ]
        xs = " ".join(svg.number(middle) for middle, _ in held)
        letters = "".join(character for _, character in held)
        shape += _text(xs, ROW.height + 18, letters, 'text-anchor="middle" fill="$ink"')
    return shape


def _text(xs: str, y: float, characters: str, paint: str) -> str:
    words = escape(characters, quote=False).replace("$", "&#36;")
    font = 'font-size="15" font-family="$mono"'
    return f'<text x="{xs}" y="{svg.number(y)}" {font} {paint}>{words}</text>' if words else ""


def _characters(data: bytes, at: int) -> Iterator[tuple[int, int, str]]:
    """Yield the offset, size and text of each character; any other byte counts as one."""
    for character in data.decode(errors="surrogateescape"):
        size = len(character.encode(errors="surrogateescape"))
        yield at, size, character
        at += size


def rings(spans: Iterable[Span], first: int, x: float, y: float) -> Iterator[str]:
    """Yield rings around spans of bytes, in the rows that begin with `first`: see `rows`."""
    for start, end in joined(spans):
        parts = [*ROW.stretches(start, end)]
        if not parts:  # between two bytes
            parts = [Stretch(start, start, *ROW.at(start), 3)]
        for part in parts:
            top = part.y - first * ROW.pitch
            if 0 <= top < ROWS * ROW.pitch:
                yield from ring(x + OFFSETS + part.x, y + top, part.width, ROW.height)


def joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield spans in order, those that touch as one."""
    held: Span | None = None
    for start, end in sorted(spans):
        if held and start <= held[1]:
            held = held[0], max(end, held[1])
        else:
            yield from [held] if held else []
            held = start, end
    yield from [held] if held else []


def ring(x: float, y: float, wide: float, high: float) -> Iterator[str]:
    """Yield the ring around what is chosen, which can be seen on any colour."""
    halo = svg.box(-1.6, -1.6, wide + 3.2, high + 3.2, "none", "card", stroke=6.4, radius=5)
    yield from svg.shift(x, y, [halo + svg.ring(0, 0, wide, high, "you")])
