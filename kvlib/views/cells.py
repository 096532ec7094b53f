"""Bytes as cells in rows, and as ribbons to scale. Every picture of bytes is made of these.

A field is one box, however many bytes it has, in the colour of its kind. The colours of structure
are quiet; key, value and length are strong.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from kvlib.layout.regions import Region, RegionKind
from kvlib.views import svg

TOKENS: Final[dict[RegionKind, str]] = {
    "key": "key",
    "value": "value",
    "length": "length",
    "tag": "tag",
    "header": "header",
    "sequence": "header",
    "checksum": "checksum",
    "magic": "checksum",
    "delimiter": "checksum",
    "raw": "checksum",
    "gap": "checksum",
    "group": "checksum",
}
SIZE: Final = 15  # of hex digits
ABREAST: Final = 20  # the narrowest cell with the digits of a byte side by side
STACKED: Final = 10  # the narrowest cell with any digits
SPACE: Final = "␣"  # what a blank looks like


class Stretch(NamedTuple):
    """The part of a span of bytes that stands in one row."""

    start: int
    end: int
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Cells:
    """Where bytes stand: in rows of `columns` cells.

    Attributes:
        x, y: the upper left corner of the first cell.
        columns: cells in a row.
        width, height: of a cell.
        pitch: from one row to the next.
    """

    x: float
    y: float
    columns: int = 30
    width: float = 26
    height: float = 30
    pitch: float = 80

    def at(self, offset: int) -> tuple[float, float]:
        """Return the upper left corner of a byte's cell."""
        row, column = divmod(offset, self.columns)
        return self.x + column * self.width, self.y + row * self.pitch

    def rows(self, size: int) -> int:
        """Return how many rows so many bytes fill; no bytes have one."""
        return max(1, -(-size // self.columns))

    def stretches(self, start: int, end: int) -> Iterator[Stretch]:
        """Yield the parts of a span, row by row."""
        while start < end:
            stop = min(end, (start // self.columns + 1) * self.columns)
            x, y = self.at(start)
            yield Stretch(start, stop, x, y, (stop - start) * self.width)
            start = stop

    def spot(self, start: int, end: int) -> tuple[float, float, float, float]:
        """Return the first row's part of a span as a pointer's spot."""
        first = next(self.stretches(start, max(end, start + 1)))
        return first.x, first.y, first.width, self.height


def fields(cells: Cells, data: bytes, leaves: Iterable[Region]) -> Iterator[str]:
    """Yield the boxes of regions, with their bytes in hex.

    In narrow cells one digit is above the other, and in the narrowest there are none. What the
    engine didn't read is empty with a thin edge, what is torn is hatched, and a flaw has a
    ring.
    """
    for leaf in leaves:
        for part in cells.stretches(leaf.start, leaf.end):
            yield from _field(cells, data, leaf, part)


def _field(cells: Cells, data: bytes, leaf: Region, part: Stretch) -> Iterator[str]:
    place = (part.x + 0.6, part.y, part.width - 1.2, cells.height)
    ink = "ink"
    if leaf.status == "unread":
        yield svg.box(*place, "card", "rule")
        ink = "ink2"
    elif leaf.status == "torn":
        yield svg.box(*place, "wrong-p", "wrong") + svg.hatch(*place)
    else:
        yield svg.box(*place, TOKENS[leaf.kind])
        ink = TOKENS[leaf.kind] + "-on"
    xs = [part.x + number * cells.width for number in range(part.end - part.start)]
    seams = "".join(
        f"M{svg.number(x)} {svg.number(part.y)}v{svg.number(cells.height)}" for x in xs[1:]
    )
    if seams:
        yield svg.path(seams, "card", stroke=0.9)
    shown = data[part.start : part.end]
    if STACKED <= cells.width < ABREAST:
        yield svg.stacked(xs, part.y + cells.height / 2 - 2, shown, cells.width, ink)
    elif cells.width >= ABREAST:
        base = part.y + cells.height / 2 + SIZE * 0.36
        yield svg.hexes(xs, base, shown, cells.width, ink)
    if leaf.status == "bad":
        yield svg.ring(*place)


def letters(cells: Cells, data: bytes, leaves: Iterable[Region]) -> Iterator[str]:
    """Yield the characters of keys and values under their bytes; each is as wide as its bytes."""
    for leaf in leaves:
        if leaf.kind not in ("key", "value") or leaf.status not in ("ok", "torn"):
            continue
        token = TOKENS[leaf.kind] + "-p"
        for part in cells.stretches(leaf.start, leaf.end):
            yield svg.box(part.x + 0.6, part.y + cells.height + 2, part.width - 1.2, 22, token)
        at = leaf.start
        for character in data[leaf.start : leaf.end].decode(errors="replace"):
            size = len(character.encode()) if character != "\N{REPLACEMENT CHARACTER}" else 1
            stretch = next(cells.stretches(at, min(at + size, leaf.end)), None)
            if stretch is None:
                break
            shown = visible(character)
            middle = stretch.x + stretch.width / 2
            yield svg.text(
                middle, stretch.y + cells.height + 18, shown, size=15, mono=True, anchor="middle"
            )
            at += size


def visible(character: str) -> str:
    """Return a character that can be seen: a blank and a line break have signs of their own."""
    if character == " ":
        return SPACE
    return character if character.isprintable() else "·"


def ribbon(
    leaves: Iterable[Region], x: float, y: float, scale: float, height: float = 28
) -> Iterator[str]:
    """Yield regions to scale, without their bytes. The first one begins at x.

    Args:
        leaves: regions one after another.
        x, y: the upper left corner.
        scale: units for a byte.
        height: of the ribbon.
    """
    first = None
    for leaf in leaves:
        first = leaf.start if first is None else first
        place = (x + (leaf.start - first) * scale, y, (leaf.end - leaf.start) * scale, height)
        if leaf.end > leaf.start:
            yield svg.box(*place, TOKENS[leaf.kind], radius=0)
