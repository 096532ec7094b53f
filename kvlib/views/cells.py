"""Bytes as cells in rows, and as ribbons to scale. Every picture of bytes uses these.

A field is one box, however many bytes it has, in the colour of its kind. The colours of structure
are quiet; key, value and length are strong.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
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
    """The part of a span of bytes that fits into one row."""

    start: int
    end: int
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Cells:
    """The places of bytes: in rows of `columns` cells.

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


def clipped(leaves: Iterable[Region], start: int, end: int) -> Iterator[Region]:
    """Yield the parts of regions within start:end, counted from start."""
    for leaf in leaves:
        low, high = max(leaf.start, start), min(leaf.end, end)
        if low < high:
            yield replace(leaf, start=low - start, end=high - start, governs=None)


def fields(cells: Cells, data: bytes, leaves: Iterable[Region]) -> Iterator[str]:
    """Yield the boxes of regions, with their bytes in hex.

    In narrow cells one digit is above the other, and in the narrowest there are none. Unread
    bytes are empty with a thin edge, torn ones are hatched, and a flaw has a ring.
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
        # A byte that isn't UTF-8 becomes a separate character.
        for character in data[leaf.start : leaf.end].decode(errors="surrogateescape"):
            end = at + len(character.encode(errors="surrogateescape"))
            part = next(cells.stretches(at, end))
            place = (part.x + part.width / 2, part.y + cells.height + 18)
            yield svg.text(*place, visible(character), size=15, mono=True, anchor="middle")
            at = end


def visible(character: str) -> str:
    """Return a character that can be seen: a blank and a line break have signs."""
    if character == " ":
        return SPACE
    return character if character.isprintable() else "·"


def ribbon(
    leaves: Iterable[Region], x: float, y: float, scale: float, height: float = 28
) -> Iterator[str]:
    """Yield regions to scale, without their bytes.

    The first one begins at (x, y), and a byte is `scale` units wide.
    """
    first = None
    for leaf in leaves:
        first = leaf.start if first is None else first
        place = (x + (leaf.start - first) * scale, y, (leaf.end - leaf.start) * scale, height)
        if leaf.end > leaf.start:
            yield svg.box(*place, TOKENS[leaf.kind], radius=0)


def bands(
    leaves: Iterable[Region], x: Callable[[float], float], y: float, height: float = 28
) -> Iterator[str]:
    """Yield regions to scale, in one path for each colour: small, even with hundreds of regions.

    Args:
        leaves: regions in any order.
        x: from an offset to its place.
        y: the upper edge.
        height: of the ribbon.
    """
    strokes: dict[str, str] = {}
    middle = svg.number(y + height / 2)
    for leaf in leaves:
        if leaf.end > leaf.start:
            stroke = f"M{svg.number(x(leaf.start))} {middle}H{svg.number(x(leaf.end))}"
            token = TOKENS[leaf.kind]
            strokes[token] = strokes.get(token, "") + stroke
    for token, d in strokes.items():
        yield svg.path(d, token, stroke=height)


def strip(
    leaves: Iterable[Region],
    x: float,
    y: float,
    scale: float,
    height: float = 8,
    tokens: Mapping[RegionKind, str] = TOKENS,
) -> str:
    """Return regions to scale as one line a colour: a ribbon for pictures that have many.

    Bytes that weren't read are left out, torn ones are hatched. With less than a unit for a byte
    only keys and values have their colours.

    Args:
        leaves: regions one after another.
        x: the left edge.
        y: the upper edge.
        scale: units for a byte.
        height: of the ribbon.
        tokens: the colours of the kinds; a kind without one is left out.
    """
    middle = svg.number(y + height / 2)
    lines: dict[str, str] = {}
    hatched, first, last = "", None, ("", 0.0)
    for leaf in leaves:
        first = leaf.start if first is None else first
        left, right = (x + (at - first) * scale for at in (leaf.start, leaf.end))
        token = tokens.get(leaf.kind, "") if leaf.status in ("ok", "bad") else ""
        if token and scale < 1 and leaf.kind not in ("key", "value"):
            token = "header"
        if leaf.status == "torn":
            hatched += svg.hatch(left, y, right - left, height)
        elif token and right > left:
            line = lines.get(token, "")
            if last == (token, left):  # it continues
                line = line[: line.rindex("H")]
            else:
                line += f"M{svg.number(left)} {middle}"
            lines[token] = line + f"H{svg.number(right)}"
            last = token, right
    paint = f'stroke-width="{svg.number(height)}"'  # a straight line needs no fill="none"
    drawn = [f'<path d="{d}" stroke="${token}" {paint}/>' for token, d in lines.items()]
    return "".join(drawn) + hatched
