"""Bytes in rows of 16, as hex and as characters: a picture that stays small for 1,024 bytes.

A field is one box in the colour of its kind, even over the gap in the middle of a row. Boxes of one
colour are one path, and the digits of a row with one colour are one text.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final, NamedTuple

from kvlib.layout.regions import Region, Span
from kvlib.layout.text import ROW
from kvlib.plural import count
from kvlib.views import svg
from kvlib.views.cells import TOKENS, visible

LEFT: Final = 212  # the x of the first cell
TOP: Final = 72  # the y of the first row
CELL: Final = 26
HIGH: Final = 30
PITCH: Final = 36
GAP: Final = 10  # in the middle of a row
RIGHT: Final = LEFT + ROW * CELL + GAP
CHARACTERS: Final = 666  # the x of the first character
STEP: Final = 11  # from one character to the next
BASE: Final = 21  # from the top of a row to the baseline of its text
STRONG: Final = ("key", "value", "length")  # kinds whose digits are dark in both themes


class Part(NamedTuple):
    """The part of a span that is in one row: its offsets and its box."""

    start: int
    end: int
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Grid:
    """Where bytes are drawn.

    Attributes:
        size: of the data, in bytes.
        windows: the spans that are shown, in order and in whole rows.
        extra: whether there is a place after the last byte, even if a row begins there.
        rows: the y of each row, by the offset of its first byte.
        gaps: the y of each place where bytes are left out, and how many.
        bottom: the y below the last row.
    """

    size: int
    windows: Sequence[Span]
    extra: bool = False
    rows: dict[int, float] = field(init=False)
    gaps: list[tuple[float, int]] = field(init=False)
    bottom: float = field(init=False)

    def __post_init__(self) -> None:
        y, end = float(TOP), 0
        rows, gaps = dict[int, float](), list[tuple[float, int]]()
        for start, stop in [*self.windows, (self.size, self.size)]:
            if start > end:
                gaps.append((y, start - end))
                y += PITCH
            for at in range(start, stop, ROW):
                rows[at] = y
                y += PITCH
            end = stop
        if not rows or (self.extra and self.size % ROW == 0 and self.size not in rows):
            rows[self.size] = y
            y += PITCH
        for name, value in (("rows", rows), ("gaps", gaps), ("bottom", y)):
            object.__setattr__(self, name, value)

    def x(self, offset: int) -> float:
        """Return the left edge of a byte's cell."""
        column = offset % ROW
        return LEFT + column * CELL + GAP * (column >= ROW // 2)

    def parts(self, start: int, end: int) -> Iterator[Part]:
        """Yield the parts of a span that are shown, row by row; an empty span has none."""
        for at in range(start // ROW * ROW, end, ROW):
            if at in self.rows and start < end:
                low, high = max(start, at), min(end, at + ROW)
                right = self.x(high - 1) + CELL
                yield Part(low, high, self.x(low), self.rows[at], right - self.x(low))

    def place(self, offset: int) -> tuple[float, float] | None:
        """Return the upper left corner of the cell at an offset, or None if it isn't shown."""
        row = offset // ROW * ROW
        if row in self.rows:
            return self.x(offset), self.rows[row]
        if row == offset and offset - ROW in self.rows:  # the end of the row before
            return RIGHT, self.rows[offset - ROW]
        return None

    def spots(self, leaf: Region) -> tuple[float, ...]:
        """Return where the pointer chooses a leaf, which may be several places; () if nowhere."""
        if leaf.start < leaf.end:
            boxes = [(part.x, part.y, part.width) for part in self.parts(leaf.start, leaf.end)]
        else:
            place = self.place(leaf.start)
            wide = CELL if leaf.start == self.size else 6
            boxes = [] if place is None else [(*place, wide)]
        return tuple(number for box in boxes for number in (*box, HIGH))

    def outline(self, start: int, end: int) -> tuple[str, ...]:
        """Return a dashed line around a span that the chosen field covers."""
        parts = [*self.parts(start, end)]
        apart = len(parts) == 2 and parts[1].x + parts[1].width <= parts[0].x
        d = _around(parts) if len(parts) > 1 and not apart else "".join(map(_rectangle, parts))
        return (svg.path(d, "you", stroke=2.2, dashed=True),) if d else ()


def _rectangle(part: Part) -> str:
    x, y, width = map(svg.number, (part.x, part.y, part.width))
    return f"M{x} {y}h{width}v{HIGH}h-{width}Z"


def _around(parts: Sequence[Part]) -> str:
    """Return the edge of several rows: two steps, where the first begins and the last one ends."""
    first, last = parts[0], parts[-1]
    end = last.x + last.width
    numbers = (first.x, first.y, RIGHT, last.y - 3, end, last.y + HIGH, LEFT, first.y + HIGH + 3)
    x, top, right, above, stop, bottom, left, below = map(svg.number, numbers)
    return f"M{x} {top}H{right}V{above}H{stop}V{bottom}H{left}V{below}H{x}Z"


def picture(grid: Grid, data: bytes, leaves: Sequence[Region]) -> Iterator[str]:
    """Yield the offsets, the boxes with their digits, and the characters."""
    digits = digits_of(len(data))
    offsets = "".join(
        f'<text x="{LEFT - 10}" y="{svg.number(y + BASE)}">{at:0{digits}X}</text>'
        for at, y in grid.rows.items()
    )
    yield f'<g font-family="$mono" font-size="17" text-anchor="end" fill="$ink2">{offsets}</g>'
    yield from _boxes(grid, leaves)
    yield from _digits(grid, data, leaves)
    yield from _characters(grid, data, leaves)
    for y, size in grid.gaps:
        words = f"({count(size, 'byte')} left out here)"
        yield svg.text((LEFT + RIGHT) / 2, y + BASE, words, "ink2", anchor="middle")


def digits_of(size: int) -> int:
    """Return how many hexadecimal digits the offsets in so many bytes have."""
    return max(4, 2 * -(-len(f"{max(size - 1, 0):X}") // 2))


def paint_of(leaf: Region) -> str:
    """Return how a leaf is painted: "torn", "unread", or the token of its colour."""
    return leaf.status if leaf.status in ("torn", "unread") else TOKENS[leaf.kind]


def _boxes(grid: Grid, leaves: Sequence[Region]) -> Iterator[str]:
    paths: dict[str, str] = {}
    rings = hatches = empty = ""
    for leaf in leaves:
        paint = paint_of(leaf)
        for part in grid.parts(leaf.start, leaf.end):
            paths[paint] = paths.get(paint, "") + rounded(part.x, part.y, part.width)
            hatches += _hatch(part) if paint == "torn" else ""
            if leaf.status == "bad":
                rings += svg.ring(part.x - 2, part.y - 2, part.width + 4, HIGH + 4, "refused")
        if leaf.start == leaf.end and (place := grid.place(leaf.start)):
            empty += _empty(leaf, *place, at_end=leaf.start == grid.size)
    for paint, d in paths.items():
        fill, edge = {"torn": ("wrong-p", "wrong-p"), "unread": ("card", "mark")}.get(
            paint, (paint, paint)
        )
        if paint == "unread":  # empty, with a thin edge: the card's colour on the edge's
            yield f'<g stroke-linejoin="round">{svg.path(d, edge, fill=edge, stroke=5)}'
            yield svg.path(d, fill, fill=fill, stroke=2.4) + "</g>"
        else:
            yield f'<g stroke-linejoin="round">{svg.path(d, edge, fill=fill, stroke=5)}</g>'
    if hatches:
        yield svg.path(hatches, "wrong", stroke=1.3)
    seams = [LEFT + column * CELL + GAP * (column > 8) for column in range(1, ROW) if column != 8]
    yield svg.path(
        "".join(f"M{x} {TOP}V{svg.number(grid.bottom)}" for x in seams), "card", stroke=0.9
    )
    yield empty + rings


def rounded(x: float, y: float, width: float) -> str:
    """Return the path of a box in a row; a round line of 5 around it fills the cell."""
    across = svg.number(width - 6)
    return f"M{svg.number(x + 3)} {svg.number(y + 2)}h{across}v{HIGH - 4}h-{across}Z"


def _hatch(part: Part) -> str:
    """Return lines at 45 degrees, two for each cell, that don't leave the box."""
    d, wide = "", part.width - 1.2
    offset = 13.0
    while offset < wide + HIGH:
        low, high = max(0.0, offset - HIGH), min(wide, offset)
        start = f"M{svg.number(part.x + 0.6 + low)} {svg.number(part.y + offset - low)}"
        d += f"{start}l{svg.number(high - low)} {svg.number(low - high)}"
        offset += 13
    return d


def _empty(leaf: Region, x: float, y: float, *, at_end: bool) -> str:
    """Return a field without bytes as a thin bar, missing bytes as a dashed box."""
    if leaf.kind == "gap":
        wide = CELL - 4 if at_end else 6
        shape = svg.box(x + 2, y, wide, HIGH, "card", "refused", stroke=2, dashed=True)
        return shape if leaf.status == "bad" else shape.replace("$refused", "$mark")
    edge = "refused" if leaf.status == "bad" else "mark"
    return svg.box(x - 2.5, y, 5, HIGH, TOKENS[leaf.kind], edge, stroke=1, radius=2)


def _digits(grid: Grid, data: bytes, leaves: Sequence[Region]) -> Iterator[str]:
    """Yield the hex digits, each in its place: a text for each row and colour."""
    rows: dict[str, dict[float, tuple[list[str], str]]] = {}
    for leaf in leaves:
        strong = paint_of(leaf) in STRONG
        ink = "key-on" if strong else "ink2" if leaf.status == "unread" else "ink"
        for part in grid.parts(leaf.start, leaf.end):
            xs, text = rows.setdefault(ink, {}).get(part.y, ([], ""))
            for at in range(part.start, part.end):
                xs += [svg.number(grid.x(at) + 3), svg.number(grid.x(at) + 13)]
            text += data[part.start : part.end].hex().upper()
            rows[ink][part.y] = (xs, text)
    for ink, found in rows.items():
        texts = "".join(
            f'<text x="{" ".join(xs)}" y="{svg.number(y + BASE)}">{text}</text>'
            for y, (xs, text) in found.items()
        )
        yield f'<g font-family="$mono" font-size="17" fill="${ink}">{texts}</g>'


def _characters(grid: Grid, data: bytes, leaves: Sequence[Region]) -> Iterator[str]:
    """Yield the characters: those of keys and values have their bytes' width, on a pale ground."""
    pale: dict[str, str] = {}
    plain: dict[float, list[tuple[float, str]]] = {}
    dots: dict[float, list[int]] = {}
    wide = ""
    for leaf in leaves:
        told = leaf.kind in ("key", "value") and leaf.status in ("ok", "torn")
        for part in grid.parts(leaf.start, leaf.end):
            if told:
                token = TOKENS[leaf.kind] + "-p"
                size = svg.number((part.end - part.start) * STEP)
                corner = f"{svg.number(_column(part.start))} {svg.number(part.y + 2)}"
                pale[token] = pale.get(token, "") + f"M{corner}h{size}v{HIGH - 4}h-{size}Z"
        for at, end, shown in _spelled(data[leaf.start : leaf.end], leaf.start, told=told):
            here = next(grid.parts(at, end), None)
            if here is None:
                continue
            middle = _column(here.start) + (here.end - here.start) * STEP / 2
            if shown == "":
                dots.setdefault(here.y, []).append(at % ROW)
            elif shown.isascii():
                plain.setdefault(here.y, []).append((middle - 5.5, shown))
            else:
                place = f'x="{svg.number(middle)}" y="{svg.number(here.y + BASE)}"'
                wide += f"<text {place}>{shown}</text>"
    for token, d in pale.items():
        yield svg.path(d, fill=token)
    if dots:
        yield f'<path d="{_dotted(dots)}" stroke="$faint" stroke-width="2" stroke-dasharray="2 9"/>'
    texts = ""
    for y, found in plain.items():
        places = " ".join(svg.number(x) for x, _ in found)
        words = escape("".join(shown for _, shown in found)).replace("$", "&#36;")
        texts += f'<text x="{places}" y="{svg.number(y + BASE)}">{words}</text>'
    texts += f'<g text-anchor="middle">{wide}</g>' if wide else ""
    yield f'<g font-family="$mono" font-size="17" fill="$ink">{texts}</g>'


def _column(offset: int) -> float:
    return CHARACTERS + offset % ROW * STEP


def _dotted(columns: dict[float, list[int]]) -> str:
    """Return lines that dashes turn into dots: one for each run of columns."""
    d = ""
    for y, found in columns.items():
        for column in found:
            if column - 1 in found:
                continue
            end = next(at for at in range(column, ROW + 1) if at not in found)
            x, wide = CHARACTERS + column * STEP + 5, (end - column - 1) * STEP + 2
            d += f"M{x} {svg.number(y + 15)}h{wide}"
    return d


def _spelled(data: bytes, at: int, *, told: bool) -> Iterator[tuple[int, int, str]]:
    """Yield the offsets and the sign of each character; "" for one that can't be shown."""
    # A byte that isn't UTF-8 becomes a separate character.
    text = data.decode(errors="surrogateescape") if told else data.decode("latin-1")
    for character in text:
        end = at + (len(character.encode(errors="surrogateescape")) if told else 1)
        sign = visible(character) if told or character.isascii() else ""
        yield at, end, "" if sign == "·" and character != "·" else sign
        at = end


def legend(leaves: Iterable[Region], y: float) -> tuple[list[str], float]:
    """Return the meaning of the colours in rows from y on, and the y below them."""
    found: dict[str, dict[str, None]] = {}
    for leaf in leaves:
        paint = paint_of(leaf)
        word = {"torn": "torn off by a crash", "unread": "not read"}.get(paint, leaf.kind)
        if leaf.kind != "gap" or paint == "unread":
            word = "raw, not taken apart" if word == "raw" else word
            found.setdefault(paint, {})[word] = None
    order = [*STRONG, "tag", "header", "checksum", "torn", "unread"]
    shapes, x = list[str](), float(svg.MARGIN)
    for paint in sorted(found, key=order.index):
        words = ", ".join(sorted(found[paint]))
        if x > svg.MARGIN and x + 26 + svg.measure(words) > svg.WIDTH - svg.MARGIN:
            x, y = float(svg.MARGIN), y + 26
        shapes += [_swatch(paint, x, y), svg.text(x + 26, y + 15, words, "ink2")]
        x += 26 + svg.measure(words) + 22
    return shapes, y + 26 * bool(shapes)


def _swatch(paint: str, x: float, y: float) -> str:
    if paint == "torn":
        return svg.box(x, y, 18, 18, "wrong-p", "wrong", stroke=1) + svg.hatch(x, y, 18, 18)
    return svg.box(x, y, 18, 18, "card" if paint == "unread" else paint, "mark", stroke=1)
