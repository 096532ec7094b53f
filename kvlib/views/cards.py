"""Segments as cards in a grid: what each of them says about itself, and its piece of the stream."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from kvlib import segments
from kvlib.layout.regions import Region
from kvlib.layout.text import fit
from kvlib.views import svg
from kvlib.views.cells import Cells, fields, ribbon

Field = Literal["index", "total"]  # of a segment's header

HEADER: Final = segments.HEADER.size
ROOM: Final = svg.WIDTH - 2 * svg.MARGIN
HEX: Final = 19  # units, the narrowest cell that has room for a byte in hex
GAP: Final = 11  # from one card to the next
BETWEEN: Final = 28  # from one row of cards to the next, with room for their names
DIGIT: Final = 0.7  # how wide a bold digit is, for its size


@dataclass(frozen=True)
class Card:
    """A segment on the desk.

    Attributes:
        data: all its bytes.
        leaves: the regions of its piece of the stream as it was written; they begin at 0.
        foreign: whether it comes from another snapshot.
        flipped: the offset of a byte with a flipped bit, or None.
    """

    data: bytes
    leaves: tuple[Region, ...]
    foreign: bool = False
    flipped: int | None = None

    @property
    def piece(self) -> bytes:
        """The bytes of the stream in it."""
        return self.data[HEADER:]


class Grid(NamedTuple):
    """Where the cards lie, and how large they are."""

    columns: int
    rows: int
    width: float
    height: float
    top: float = 88

    @classmethod
    def of(cls, places: int) -> "Grid":
        """Return a grid with so many places: large cards in one row, or smaller ones in several."""
        columns = places if places <= 5 else min(7, -(-places // 2)) if places <= 10 else 7
        columns = max(2, columns)
        rows = -(-places // columns)
        height = {1: 166.0, 2: 78.0}.get(rows, 56.0)
        return cls(columns, rows, (ROOM - GAP * (columns - 1)) / columns, height)

    @property
    def pitch(self) -> float:
        """How far it is from one row to the next."""
        return self.height + BETWEEN

    @property
    def bottom(self) -> float:
        """The lower edge of the last row."""
        return self.top + self.pitch * self.rows - BETWEEN

    def at(self, place: int) -> tuple[float, float]:
        """Return the upper left corner of a card."""
        row, column = divmod(place, self.columns)
        return svg.MARGIN + column * (self.width + GAP), self.top + row * self.pitch

    def foot(self, place: int) -> tuple[float, float]:
        """Return the middle of a card's lower edge."""
        x, y = self.at(place)
        return x + self.width / 2, y + self.height

    def card(
        self, x: float, y: float, position: int, card: Card, part: Field | None
    ) -> Iterator[str]:
        """Yield a card; `part` is the guilty part of its header."""
        yield svg.text(x + 2, y - 9, f"segments[{position}]", "ink2", mono=True, size=15)
        edge = "wrong" if card.foreign or part else "mark"
        yield svg.box(
            x, y, self.width, self.height, "wrong-p" if card.foreign else "card", edge, radius=10,
            stroke=2.5 if part else 1.6,
        )  # fmt: skip
        if card.foreign:
            yield svg.hatch(x, y, self.width, self.height)
        draw = self.large if self.rows == 1 else self.small
        yield from draw(x, y, card, part)

    def large(self, x: float, y: float, card: Card, part: Field | None) -> Iterator[str]:
        """Yield the insides of a card that has room for its bytes."""
        ground = "wrong-p" if card.foreign else "card"
        numbers = _numbers(card)
        if numbers:
            yield from self.heading(x + 12, y + 52, numbers, 46, ground, part)
        pitch = 22 if self.width < 180 else 25
        for number, name in enumerate(("index", "total")):
            bytes_ = card.data[4 * number : 4 * number + 4]
            row = y + 66 + 31 * number
            if bytes_:
                cells = Cells(x + 9, row, 4, pitch, 26)
                yield from fields(cells, bytes_, [Region(0, len(bytes_), "header", name)])
            bad = part == name
            if bad:
                yield svg.ring(x + 9, row, 4 * pitch, 26)
            at, words = x + 14 + 4 * pitch, name
            yield svg.box(at - 2, row + 3, svg.measure(words) * 0.9, 20, ground)
            yield svg.text(at, row + 19, words, "wrong-t" if bad else "ink2", bold=bad, size=16)
            if card.flipped is not None and 4 * number <= card.flipped < 4 * number + 4:
                yield _flipped(x + 9 + pitch * (card.flipped - 4 * number), row, pitch, 26)
        yield from self.piece(x + 8, y + 130, card, 26)

    def small(self, x: float, y: float, card: Card, part: Field | None) -> Iterator[str]:
        """Yield the insides of a card that has room for two numbers and a ribbon."""
        ground = "wrong-p" if card.foreign else "card"
        numbers = _numbers(card)
        if numbers:
            size, base = (34, 37) if self.rows == 2 else (25, 27)
            yield from self.heading(x + 10, y + base, numbers, size, ground, part)
        if card.flipped is not None and card.flipped < HEADER:
            yield _flipped(x + 6, y + 5, self.width - 12, self.height - 30)
        tall = 26 if self.rows == 2 else 16
        yield from self.piece(x + 8, y + self.height - tall - 8, card, tall)

    def heading(
        self, x: float, base: float, numbers: tuple[int, int], size: float, ground: str,
        part: Field | None,
    ) -> Iterator[str]:  # fmt: skip
        """Yield "2 of 5", as large as there is room, with a ring around a guilty number."""
        index, total = (f"{number}" for number in numbers)
        room = self.width - 24
        long = len(index) + 0.75 * len(total) + 1.5
        if room / long / DIGIT < 15:
            index, total = fit(index, 5), fit(total, 5)
            long = len(index) + 0.75 * len(total) + 1.5
        size = min(size, room / long / DIGIT)
        small = size * 0.75
        wide = len(index) * DIGIT * size
        of = x + wide + size * 0.12
        after = of + size * 0.8
        end = after + len(total) * DIGIT * small
        yield svg.box(x - 4, base - size * 0.82, end - x + 8, size * 0.95, ground)
        yield svg.text(
            x, base, index, "wrong-t" if part == "index" else "ink", size=size, bold=True
        )
        yield svg.text(of, base, "of", "ink2", size=size * 0.5)
        token = "wrong-t" if part == "total" else "ink"
        yield svg.text(after, base, total, token, size=small, bold=True)
        if part and self.rows > 1:
            low, high = (x, x + wide) if part == "index" else (after, end)
            yield svg.ring(low - 3, base - size * 0.85, high - low + 6, size * 1.05)

    def piece(self, x: float, y: float, card: Card, height: float) -> Iterator[str]:
        """Yield a card's piece of the stream, in hex if there is room."""
        room, piece = self.width - 2 * 7, card.piece
        if not piece:
            return
        width = min(25, room / len(piece))
        yield from strip(piece, card.leaves, x, y, width, height)
        if card.flipped is not None and card.flipped >= HEADER:
            wide = max(width, 6)
            yield _flipped(x + width * (card.flipped - HEADER), y, wide, height)


def strip(
    data: bytes, leaves: Iterable[Region], x: float, y: float, width: float, height: float
) -> Iterator[str]:
    """Yield bytes in one row: in hex if a cell is wide enough, else to scale."""
    leaves = [*leaves]
    if width >= HEX:
        yield from fields(Cells(x, y, len(data) or 1, width, height), data, leaves)
        return
    yield from ribbon(leaves, x, y, width, height)
    for leaf in leaves:
        if leaf.status == "bad":
            yield svg.ring(x + leaf.start * width, y, (leaf.end - leaf.start) * width, height)


def _flipped(x: float, y: float, width: float, height: float) -> str:
    return svg.ring(x, y, width, height, "you")


def _numbers(card: Card) -> tuple[int, int] | None:
    """Return what a card says, even if it is impossible: its index and the total."""
    if len(card.data) < HEADER:
        return None
    index, total = segments.HEADER.unpack_from(card.data)
    return index, total
