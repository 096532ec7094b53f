"""Segments as cards: what each says about itself, and the stream as far as it is there."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

from kvlib import segments
from kvlib.errors import CorruptionError
from kvlib.layout.dissect import dissect
from kvlib.layout.regions import Region
from kvlib.layout.text import fit, width
from kvlib.plural import count
from kvlib.views import svg
from kvlib.views.cells import Cells, fields, ribbon
from kvlib.views.figure import Figure, Position
from kvlib.views.html import as_html
from kvlib.views.timeline import Verdict

HEADER: Final = segments.HEADER.size
ROOM: Final = svg.WIDTH - 2 * svg.MARGIN
HEX: Final = 19  # units, the narrowest cell that has room for a byte in hex
GAP: Final = 11
DIGIT: Final = 0.7  # how wide a bold digit is, for its size
PHRASES: Final[dict[Verdict, str]] = {
    "right": "right",
    "refused": "refused",
    "wrong": "wrong, and no error",
    "told": "joined",
}


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


class Joined(NamedTuple):
    """The engine's answer: what `join` and `decode_snapshot` said to the cards.

    Attributes:
        verdict: whether the records are right; "told" if nobody knows.
        words: the records, or the error.
        stream: what `join` gave, or None.
        error: what `join` raised, or None.
    """

    verdict: Verdict
    words: str
    stream: bytes | None = None
    error: CorruptionError | None = None


class Slot(NamedTuple):
    """A part of the stream: a card's piece, or what is missing between two of them.

    Attributes:
        first, last: the index of its segment; of several if they are missing.
        position: the position of the card, or None.
        size: its bytes; None if the size of what is missing isn't known.
    """

    first: int
    last: int
    position: int | None
    size: int | None


def slots(cards: Sequence[Card], sizes: Mapping[int, Sequence[int]]) -> list[Slot]:
    """Return the stream as far as the cards have it, by what their headers say.

    A card has a slot if its total is that of the first card, and its index is there for the first
    time. `join` would stop at the first other card; this goes on.

    Args:
        cards: in the order given to `join`.
        sizes: the sizes of the pieces of known snapshots, by their total.
    """
    total, found = 0, dict[int, int]()
    for position, card in enumerate(cards):
        with suppress(CorruptionError):
            index, claimed = segments.decode_header(card.data)
            total = total or claimed
            if claimed == total:
                found.setdefault(index, position)
    known, made, at = sizes.get(total), list[Slot](), 0
    for index in [*sorted(found), total]:
        if at < index:
            made.append(Slot(at, index - 1, None, sum(known[at:index]) if known else None))
        if index < total:
            made.append(Slot(index, index, found[index], len(cards[found[index]].piece)))
        at = index + 1
    return made


def draw(
    places: Sequence[Card | None],
    joined: Joined,
    sizes: Mapping[int, Sequence[int]],
    text: str,
    chosen: int | None = None,
) -> Figure:
    """Return the picture of a desk.

    Args:
        places: the cards, and None for each place with nothing.
        joined: the engine's answer.
        sizes: the sizes of the pieces of known snapshots, by their total.
        text: the text form.
        chosen: the place that the buttons act on, or None.
    """
    cards = [card for card in places if card]
    laid = [place for place, card in enumerate(places) if card or place == chosen]
    places = places[: max(laid, default=0) + 1]
    desk = _Desk.of(len(places))
    guilty = _guilty(joined.error)
    shapes, number, spots = list[str](), 0, list[tuple[float, float]]()
    for place, card in enumerate(places):
        x, y = desk.at(place)
        if card is None:
            shapes.append(svg.box(x, y, desk.width, desk.height, "none", "mark", dashed=True))
            middle = x + desk.width / 2, y + desk.height / 2 + 6
            shapes.append(svg.text(*middle, "nothing", "faint", anchor="middle"))
        else:
            part = guilty[1] if guilty and guilty[0] == number else None
            shapes += desk.card(x, y, number, card, part)
            spots.append((x + desk.width / 2, y + desk.height))
            number += 1
        if place == chosen:
            frame = (x - 3, y - 3, desk.width + 6, desk.height + 6)
            shapes.append(svg.box(*frame, "none", "you", stroke=3.2, radius=12))
            shapes.append(svg.handle(x + desk.width - 4, y))
    y = desk.bottom + (40 if desk.rows == 1 else 20)
    shapes += _stream(cards, joined, slots(cards, sizes), y, spots if desk.rows == 1 else [])
    y += 50
    shapes.append(svg.text(svg.MARGIN, y, _caption(cards, joined, sizes), "ink2"))
    y += 34
    words = PHRASES[joined.verdict]
    shapes.append(svg.sign(svg.MARGIN + 10, y - 6, joined.verdict))
    token = f"{joined.verdict}-t" if joined.verdict != "told" else "ink"
    shapes.append(svg.text(svg.MARGIN + 28, y, words, token, bold=True))
    indent = svg.MARGIN + 28 + svg.measure(words + "  ", bold=True)
    for line in _wrapped(joined.words, indent):
        shapes.append(svg.text(indent, y, line))
        y += 23
    y -= 8
    says = f"{words.capitalize()}: {joined.words}"
    folded = (("Every byte of the cards", as_html(text)),)
    position = Position("", says, tuple(shapes))
    return Figure(_title(cards, joined), y, "", (position,), text, folded=folded)


def _wrapped(words: str, x: float) -> list[str]:
    """Return a text in at most two lines that end at the right margin."""
    columns = int((svg.WIDTH - svg.MARGIN - x) / svg.measure("n"))
    columns = columns if width(words) == len(words) else columns // 2
    return textwrap.wrap(words, columns, max_lines=2, placeholder=" …", break_on_hyphens=False)


def _title(cards: Sequence[Card], joined: Joined) -> str:
    if joined.error is None:
        if joined.verdict == "refused":
            return "join finds no fault, but the stream can't be decoded"
        if joined.verdict == "wrong":
            return "join finds no fault, but the records are wrong"
        return f"{count(len(cards), 'card')}, and each says where it belongs: join is content"
    if (guilty := _guilty(joined.error)) and guilty[1] == "total":
        _, own = segments.decode_header(cards[guilty[0]].data)
        _, first = segments.decode_header(cards[0].data)
        return f"One card says {own}, the first says {first}: join refuses"
    reason = joined.error.reason[0].upper() + joined.error.reason[1:]
    return fit(f"{reason}: join refuses", 60)


def _guilty(error: CorruptionError | None) -> tuple[int, str] | None:
    """Return the position of the card that `join` blames, and the part of its header."""
    if error is None or error.path is None or not error.path.startswith("segments["):
        return None
    position = int(error.path.removeprefix("segments[").removesuffix("]"))
    return position, "total" if error.offset >= segments.HEADER.offset("total") else "index"


# ------------------------------------------------------------------------------------- the cards


class _Desk(NamedTuple):
    """Where the cards lie, and how large they are."""

    columns: int
    rows: int
    width: float
    height: float
    top: float = 88

    @classmethod
    def of(cls, places: int) -> "_Desk":
        columns = places if places <= 5 else min(7, -(-places // 2)) if places <= 10 else 7
        columns = max(2, columns)
        rows = -(-places // columns)
        height = {1: 166.0, 2: 84.0, 3: 62.0}.get(rows, 62.0)
        return cls(columns, rows, (ROOM - GAP * (columns - 1)) / columns, height)

    @property
    def pitch(self) -> float:
        return self.height + 32

    @property
    def bottom(self) -> float:
        return self.top + self.pitch * self.rows - 32

    def at(self, place: int) -> tuple[float, float]:
        row, column = divmod(place, self.columns)
        return svg.MARGIN + column * (self.width + GAP), self.top + row * self.pitch

    def card(
        self, x: float, y: float, position: int, card: Card, part: str | None
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

    def large(self, x: float, y: float, card: Card, part: str | None) -> Iterator[str]:
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

    def small(self, x: float, y: float, card: Card, part: str | None) -> Iterator[str]:
        """Yield the insides of a card that has room for two numbers and a ribbon."""
        ground = "wrong-p" if card.foreign else "card"
        numbers = _numbers(card)
        if numbers:
            size, base = (34, 40) if self.rows == 2 else (25, 29)
            yield from self.heading(x + 10, y + base, numbers, size, ground, part)
        if card.flipped is not None and card.flipped < HEADER:
            yield _flipped(x + 6, y + 5, self.width - 12, self.height - 30)
        tall = 26 if self.rows == 2 else 16
        yield from self.piece(x + 8, y + self.height - tall - 8, card, tall)

    def heading(
        self, x: float, base: float, numbers: tuple[int, int], size: float, ground: str,
        part: str | None,
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


# ------------------------------------------------------------------------------------ the stream


def _stream(
    cards: Sequence[Card],
    joined: Joined,
    parts: Sequence[Slot],
    y: float,
    spots: Sequence[tuple[float, float]],
) -> Iterator[str]:
    """Yield the pieces in the order of their indices, each with a thread from its card.

    A dashed box is where pieces are missing.
    """
    there = sum(part.size or 0 for part in parts)
    sizes = [max(6, there / 6) if part.size is None else part.size for part in parts]
    total = parts[-1].last + 1 if parts else 0
    scale = min(29.0, ROOM / max(1, sum(sizes)))
    x, ends = float(svg.MARGIN), dict[int, float]()
    for part, size in zip(parts, sizes, strict=True):
        width = size * scale
        if part.position is not None:
            ends[part.position] = x + width / 2
            card = cards[part.position]
            if joined.stream is None:
                yield from strip(card.piece, card.leaves, x, y, scale, 30)
        else:
            yield svg.box(x + 1.5, y, max(2.0, width - 3), 30, "none", "wrong", dashed=True)
            name = f"{part.first}" if part.first == part.last else f"{part.first}-{part.last}"
            for words in (f"{name} of {total} is not here", f"{name} is not here", f"{name}?"):
                if svg.measure(words, 16, bold=True) < width - 8:
                    place = x + width / 2, y + 21
                    yield svg.text(*place, words, "wrong-t", size=16, bold=True, anchor="middle")
                    break
        x += width
    if joined.stream is not None:
        leaves = dissect(joined.stream, format="snapshot", source="").root.leaves()
        yield from strip(joined.stream, leaves, svg.MARGIN, y, scale, 30)
    for position, (start, top) in enumerate(spots):
        yield from _thread(start, top, ends.get(position), y)


def _thread(x: float, top: float, end: float | None, y: float) -> Iterator[str]:
    """Yield the line from a card to its piece; it ends in a cross if the card has none."""
    if end is None:
        yield svg.line(x, top + 3, x, top + 12, "wrong", stroke=2, dashed=True)
        yield svg.sign(x, top + 20, "wrong", 9)
        return
    middle = (top + y) / 2
    spell = [svg.number(n) for n in (x, top + 3, x, middle, end, middle, end, y - 4)]
    yield svg.path("M{} {}C{} {} {} {} {} {}".format(*spell), "mark", stroke=2)


def _caption(cards: Sequence[Card], joined: Joined, sizes: Mapping[int, Sequence[int]]) -> str:
    if joined.stream is not None:
        return f"the stream: {count(len(joined.stream), 'byte')}"
    parts = slots(cards, sizes)
    there = sum(part.size or 0 for part in parts if part.position is not None)
    if parts and all(part.size is not None for part in parts):
        whole = sum(part.size or 0 for part in parts)
        return f"the stream as far as it is there: {there:,} of {count(whole, 'byte')}"
    return f"the stream as far as it is there: {count(there, 'byte')}"
