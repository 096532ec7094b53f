"""A matrix of all flipped bits: a column for each byte, a row for each bit, bit 7 at the top.

The colour and the sign of a cell are a reader's verdict on that flip. So the bits that no reader
checks are seen at once: they have the form of the data. With two readers, one matrix is above the
other.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, NamedTuple

from kvlib.layout.dissect import Layout
from kvlib.layout.regions import Region
from kvlib.layout.text import fit
from kvlib.views import svg
from kvlib.views.cells import ABREAST, STACKED, TOKENS, Cells, fields, visible
from kvlib.views.figure import Figure, Position
from kvlib.views.timeline import Timeline, Verdict

LEFT: Final = 112  # the x of the first column; names and numbers are to the left of it
TOP: Final = 60
MOST: Final = 420  # units of height
LEGEND: Final = 30  # a line of the legend
WIDEST: Final = 44  # a cell
FLATTEST: Final = 20
ANSWER: Final = 60  # columns of an answer in a sentence

WORDS: Final[dict[Verdict, str]] = {
    "wrong": "wrong, and no error",
    "refused": "refused",
    "right": "harmless",
}


@dataclass(frozen=True)
class Grid:
    """Where each bit is. Long data is broken into bands, which have as many columns each.

    Attributes:
        size: how many bytes.
        readers: how many matrices there are in a band.
        bands: how many bands there are.
    """

    size: int
    readers: int
    bands: int

    @property
    def columns(self) -> int:
        """Bytes in a band."""
        return -(-self.size // self.bands)

    @property
    def width(self) -> int:
        """The width of a cell. It is a whole number, which keeps thousands of places short."""
        return min(WIDEST, (svg.WIDTH - svg.MARGIN - LEFT) // self.columns)

    @property
    def above(self) -> tuple[int, int]:
        """The heights of the texts of keys and values, and of the bytes, above a matrix."""
        if self.width < STACKED:
            return 4, 24
        return 24, 38 if self.width < ABREAST else 30

    @property
    def height(self) -> int:
        """The height of a cell."""
        room = (MOST - TOP - 14 - LEGEND * self.readers) / self.bands - sum(self.above) - 14
        return min(FLATTEST, int(room / self.readers - 6) // 8)

    @property
    def pitch(self) -> int:
        """The distance from one band to the next."""
        return sum(self.above) + self.readers * (8 * self.height + 6) + 14

    @property
    def end(self) -> int:
        """The y at which the last band ends."""
        return TOP + self.bands * self.pitch

    def cells(self) -> Cells:
        """Return where the bytes are."""
        letters, tall = self.above
        return Cells(LEFT, TOP + letters, self.columns, self.width, tall, self.pitch)

    def at(self, reader: int, byte: int, bit: int) -> tuple[int, int]:
        """Return the upper left corner of a bit's cell; byte counts from the first column."""
        band, column = divmod(byte, self.columns)
        y = TOP + band * self.pitch + sum(self.above) + 5 + reader * (8 * self.height + 6)
        return LEFT + column * self.width, y + (7 - bit) * self.height


class Cell(NamedTuple):
    """A reader's verdict on the flip of a bit."""

    byte: int
    bit: int
    verdict: Verdict


def grid(size: int, readers: int) -> Grid:
    """Return the grid with the largest cells."""
    grids = [Grid(size, readers, bands) for bands in range(1, 5)]
    return max(grids, key=lambda one: (min(one.width, one.height), -one.bands))


def draw(timeline: Timeline, sound: Layout) -> Figure:
    """Return a timeline of flipped bits as a figure.

    Args:
        timeline: a moment for each bit, from bit 7 of the first byte on.
        sound: the bytes without a flip.
    """
    size = len(timeline.moments) // 8
    first = int(timeline.moments[0].label.partition(".")[0])
    places = grid(size, len(timeline.strips))
    fixed = [*_bytes(places, sound, first)]
    for number, reader in enumerate(timeline.strips):
        cells = [
            Cell(at // 8, 7 - at % 8, moment.outcomes[number].verdict)
            for at, moment in enumerate(timeline.moments)
        ]
        fixed += [*_names(places, number, reader), *_matrix(places, number, cells)]
        fixed += _legend(places, number, reader, Counter(cell.verdict for cell in cells))
    return Figure(
        _title(timeline),
        places.end + LEGEND * places.readers + 8,
        timeline.control,
        tuple(_position(timeline, places, sound, number) for number in range(8 * size)),
        repr(timeline),
        tuple(fixed),
        timeline.start,
        (8, 1),
        folded=timeline.folded_runs(),
    )


def _title(timeline: Timeline) -> str:
    """Return how many flips fool each reader."""
    total = len(timeline.moments)
    wrong = [
        sum(moment.outcomes[strip].verdict == "wrong" for moment in timeline.moments)
        for strip in range(len(timeline.strips))
    ]
    if len(wrong) > 1:
        yours = "All" if wrong[0] == total else f"{wrong[0]:,} of"
        none = f"{wrong[1]:,} fool" if wrong[1] else "none fools"
        return f"{yours} {total:,} flips fool your reader, {none} kvlib"
    if wrong[0]:
        verb = "gives" if wrong[0] == 1 else "give"
        return f"{wrong[0]:,} of {total:,} flips {verb} another answer, and no error"
    refused = sum(moment.outcomes[0].verdict == "refused" for moment in timeline.moments)
    if refused == total:
        return f"All {total:,} flips are refused"
    verb = "is" if refused == 1 else "are"
    return f"{refused:,} of {total:,} flips {verb} refused, the others do no harm"


def _position(timeline: Timeline, places: Grid, sound: Layout, number: int) -> Position:
    """Return one bit: a frame around its cells and its byte, and every reader's answer."""
    moment = timeline.moments[number]
    byte, bit = number // 8, 7 - number % 8
    offset, flipped = int(moment.label.partition(".")[0]), moment.pictures[0].layout.data
    change = f"{sound.data[offset]:02X} becomes {flipped[offset]:02X}"
    corners = [places.at(reader, byte, bit) for reader in range(places.readers)]
    wide, tall = places.width + 1, places.height + 1
    frames = "".join(f"M{x - 1} {y - 1}h{wide}v{tall}h-{wide}z" for x, y in corners)
    cells = places.cells()
    x, y = cells.at(byte)
    return Position(
        f"{moment.label} ({change})",
        " ".join(_told(timeline, number)),
        (
            svg.box(x, y, cells.width, cells.height, "none", "you", stroke=3.2),
            svg.path(frames, "you", stroke=3),
        ),
        (*corners[0], places.width, places.height),
        " ".join(outcome.verdict for outcome in moment.outcomes),
    )


def _told(timeline: Timeline, number: int) -> Iterator[str]:
    """Yield a sentence for each reader's answer: a wrong one in full."""
    moment = timeline.moments[number]
    notes = dict(moment.notes)
    for strip, (verdict, words) in zip(timeline.strips, moment.outcomes, strict=True):
        if verdict == "wrong":
            answer, torn, tail = notes[strip].partition("\na torn tail")
            answer = fit("".join(answer.splitlines()), ANSWER)  # it was wrapped
            words = f"{WORDS[verdict]}: {answer}{torn.replace(chr(10), '; ')}{tail}"
        yield f"{strip}: {words}" + "." * (not words.endswith("…"))


def _bytes(places: Grid, sound: Layout, first: int) -> Iterator[str]:
    """Yield the bytes above the matrices, and the texts of keys and values above them."""
    cells, end = places.cells(), first + places.size
    leaves = [
        replace(leaf, start=max(leaf.start, first) - first, end=min(leaf.end, end) - first)
        for leaf in sound.root.leaves()
        if max(leaf.start, first) < min(leaf.end, end)
    ]
    yield from fields(cells, sound.data[first:end], leaves)
    for leaf in leaves:
        yield from _caption(cells, leaf)
    for band in range(places.bands):
        _, y = cells.at(band * places.columns)
        yield svg.text(
            LEFT - 10, y + cells.height / 2 + 6, f"byte {first + band * places.columns}", "ink2",
            anchor="end",
        )  # fmt: skip


def _caption(cells: Cells, leaf: Region) -> Iterator[str]:
    """Yield the text of a key or value above its bytes; without digits, any name on them."""
    part = max(cells.stretches(leaf.start, leaf.end), key=lambda one: one.width)
    words, token, y = leaf.name.rpartition(".")[2], "ink", part.y - 6
    if leaf.kind in ("key", "value"):
        text = leaf.value
        words = "".join(map(visible, text)) if isinstance(text, str) else repr(text)
    if cells.width < STACKED:
        token = TOKENS[leaf.kind] + "-on" if leaf.status == "ok" else "ink"
        y = part.y + cells.height / 2 + 6
        if svg.measure(words) > part.width:
            return
    elif leaf.kind not in ("key", "value"):
        return
    words = fit(words, max(1, int((part.width + cells.width) / svg.measure("0"))))
    yield svg.text(part.x + part.width / 2, y, words, token, anchor="middle")


def _names(places: Grid, reader: int, name: str) -> Iterator[str]:
    """Yield the reader's name and the numbers of the bits, to the left of each matrix."""
    for band in range(places.bands):
        _, top = places.at(reader, band * places.columns, 7)
        tall = 8 * places.height
        if tall >= 3 * 20:
            yield svg.text(LEFT - 10, top + 14, "bit 7", "ink2", anchor="end")
            yield svg.text(LEFT - 10, top + tall - 2, "bit 0", "ink2", anchor="end")
        yield svg.text(LEFT - 10, top + tall / 2 + 6, name, bold=True, anchor="end")


def _matrix(places: Grid, reader: int, cells: list[Cell]) -> Iterator[str]:
    """Yield the cells, by verdict: runs of equal cells in a row are one line of dashes.

    Refused is full, wrong has a line through it, and harmless is hollow.
    """
    wide, tall = places.width - 1, places.height - 1
    edge = min(2, tall / 4)
    side = round(min(wide, tall) * 0.7, 1)
    lines: dict[Verdict, str] = {"refused": "", "wrong": "", "right": ""}
    holes = slashes = ""
    for verdict, first, length in _runs(places, cells):
        x, y = places.at(reader, first.byte, first.bit)
        middle = svg.number(y + tall / 2)
        right = (length - 1) * places.width
        lines[verdict] += f"M{svg.number(x)} {middle}h{svg.number(right + wide)}"
        if verdict == "right":
            holes += f"M{svg.number(x + edge)} {middle}h{svg.number(right + wide - 2 * edge)}"
        elif verdict == "wrong" and places.width < STACKED:
            slashes += f"M{x} {middle}h{right + wide}"
        elif verdict == "wrong":
            low, half = svg.number(y + (tall + side) / 2), (wide - side) / 2
            slash = f"l{svg.number(side)}-{svg.number(side)}"
            step = f"m{svg.number(places.width - side)} {svg.number(side)}"
            slashes += f"M{svg.number(x + half)} {low}" + step.join([slash] * length)
    for verdict, d in lines.items():
        if d:
            yield svg.dashes(d, verdict, tall, wide, 1)
    if holes:
        yield svg.dashes(holes, "card", tall - 2 * edge, wide - 2 * edge, 1 + 2 * edge)
    if slashes:
        yield svg.path(slashes, "card", stroke=max(1, min(2, side / 6)))


def _runs(places: Grid, cells: list[Cell]) -> Iterator[tuple[Verdict, Cell, int]]:
    """Yield the runs of equal cells in each row: the verdict, the first cell, how many they are."""

    def row(cell: Cell) -> tuple[int, int]:
        return cell.byte // places.columns, -cell.bit

    in_rows = sorted(cells, key=row)  # stable, so the bytes of a row stay in order
    for (_, verdict), run in groupby(in_rows, lambda cell: (row(cell), cell.verdict)):
        found = [*run]
        yield verdict, found[0], len(found)


def _legend(places: Grid, reader: int, name: str, counts: Counter[Verdict]) -> Iterator[str]:
    """Yield a line that says how often a reader gave each verdict, with a cell as the sign."""
    y = places.end + LEGEND * reader + 6
    x: float = LEFT
    yield svg.text(LEFT - 10, y + 14, name, bold=True, anchor="end")
    for verdict, words in WORDS.items():
        yield from _swatch(x, y, verdict, places.width < STACKED)
        number = f"{counts[verdict]:,}"
        yield svg.text(x + 26, y + 14, number, f"{verdict}-t", size=18, bold=True)
        x += 26 + svg.measure(number, 18, bold=True) + 7
        yield svg.text(x, y + 14, words, "ink2")
        x += svg.measure(words) + 28


def _swatch(x: float, y: int, verdict: Verdict, level: bool) -> Iterator[str]:
    """Yield a cell of the legend."""
    yield svg.box(x, y, 18, 16, verdict, radius=0)
    if verdict == "wrong":
        d = f"M{svg.number(x)} {y + 8}h18" if level else f"M{svg.number(x + 3)} {y + 14}l12-12"
        yield svg.path(d, "card", stroke=2)
    if verdict == "right":
        yield svg.box(x + 2, y + 2, 14, 12, "card", radius=0)
