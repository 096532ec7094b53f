"""The segment desk's picture: the cards, the stream that they give, and `join`'s answer."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from kvlib import segments
from kvlib.errors import CorruptionError
from kvlib.layout.dissect import dissect
from kvlib.layout.text import fit, width
from kvlib.plural import count
from kvlib.views import svg
from kvlib.views.cards import ROOM, Card, Field, Grid, strip
from kvlib.views.figure import Figure, Position
from kvlib.views.html import as_html
from kvlib.views.timeline import Verdict

Sizes = Mapping[int, Sequence[int]]  # of the pieces of known snapshots, by their total

PHRASES: Final[dict[Verdict, str]] = {
    "right": "right",
    "refused": "refused",
    "wrong": "wrong, and no error",
    "told": "joined",
}


class Joined(NamedTuple):
    """The engine's answer: what `join` and `decode_snapshot` said to the cards.

    Attributes:
        verdict: whether the records are right; "told" if that isn't known.
        words: the records, or the error.
        stream: what `join` gave, or None.
        error: what `join` raised, or None.
    """

    verdict: Verdict
    words: str
    stream: bytes | None = None
    error: CorruptionError | None = None


class Slot(NamedTuple):
    """A part of the stream: a card's piece, or the gap between two of them.

    Attributes:
        first, last: the index of its segment; of several if they are missing.
        position: the position of the card, or None.
        size: its bytes; None for a gap of unknown size.
    """

    first: int
    last: int
    position: int | None
    size: int | None


def slots(cards: Sequence[Card], sizes: Sizes) -> list[Slot]:
    """Return the stream that the cards give, by their headers.

    A card has a slot if its total is that of the first card, and its index is there for the first
    time. `join` would stop at the first other card; here the rest follows.

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
    sizes: Sizes,
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
    grid = Grid.of(max(laid, default=0) + 1)
    shapes = [*_laid(grid, places[: max(laid, default=0) + 1], joined, chosen)]
    at = [place for place, card in enumerate(places) if card]
    spots = [grid.foot(place) for place in at] if grid.rows == 1 else []
    y = grid.bottom + (40 if spots else 20)
    shapes += _stream(cards, joined, slots(cards, sizes), y, spots)
    shapes.append(svg.text(svg.MARGIN, y + 50, _caption(cards, joined, sizes), "ink2"))
    y += 84
    words = PHRASES[joined.verdict]
    token = f"{joined.verdict}-t" if joined.verdict != "told" else "ink"
    shapes.append(svg.sign(svg.MARGIN + 10, y - 6, joined.verdict))
    shapes.append(svg.text(svg.MARGIN + 28, y, words, token, bold=True))
    indent = svg.MARGIN + 28 + svg.measure(words + "  ", bold=True)
    for line in _wrapped(joined.words, indent):
        shapes.append(svg.text(indent, y, line))
        y += 23
    says = f"{words.capitalize()}: {joined.words}"
    return Figure(
        _title(cards, joined),
        y - 5,
        "",
        (Position("", says, tuple(shapes)),),
        text,
        folded=(("Every byte of the cards", as_html(text)),),
    )


def _laid(
    grid: Grid, places: Sequence[Card | None], joined: Joined, chosen: int | None
) -> Iterator[str]:
    """Yield the cards; rings mark the blame of `join`."""
    blamed = _blamed(joined.error)
    position = 0
    for place, card in enumerate(places):
        x, y = grid.at(place)
        if card is None:
            yield svg.box(x, y, grid.width, grid.height, "none", "mark", dashed=True)
            middle = x + grid.width / 2, y + grid.height / 2 + 6
            yield svg.text(*middle, "nothing", "faint", anchor="middle")
        else:
            part = blamed[1] if blamed and blamed[0] == position else None
            yield from grid.card(x, y, position, card, part)
            position += 1
        if place == chosen:
            frame = (x - 3, y - 3, grid.width + 6, grid.height + 6)
            yield svg.box(*frame, "none", "you", stroke=3.2, radius=12)
            yield svg.handle(x + grid.width - 4, y)


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
        if len(cards) == 1:
            return "One card, and it says that it is the only one"
        return f"{len(cards)} cards, and each says where it belongs: all joined"
    if (blamed := _blamed(joined.error)) and blamed[1] == "total":
        _, own = segments.decode_header(cards[blamed[0]].data)
        _, first = segments.decode_header(cards[0].data)
        return f"One card says {own}, the first says {first}: join refuses"
    reason = joined.error.reason[0].upper() + joined.error.reason[1:]
    return fit(f"{reason}: join refuses", 60)


def _blamed(error: CorruptionError | None) -> tuple[int, Field] | None:
    """Return the position of the card that `join` blames, and the part of its header."""
    if error is None or error.path is None or not error.path.startswith("segments["):
        return None
    position = int(error.path.removeprefix("segments[").removesuffix("]"))
    return position, "total" if error.offset >= segments.HEADER.offset("total") else "index"


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
    known = sum(part.size or 0 for part in parts)
    sizes = [max(8, known / 6) if part.size is None else part.size for part in parts]
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
            one = part.first == part.last
            name = f"{part.first}" if one else f"{part.first}-{part.last}"
            there = "is missing" if one else "are missing"
            for words in (f"{name} of {total} {there}", f"{name} {there}", f"{name}?"):
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


def _caption(cards: Sequence[Card], joined: Joined, sizes: Sizes) -> str:
    if joined.stream is not None:
        return f"the stream: {count(len(joined.stream), 'byte')}"
    parts = slots(cards, sizes)
    there = sum(part.size or 0 for part in parts if part.position is not None)
    if parts and all(part.size is not None for part in parts):
        whole = sum(part.size or 0 for part in parts)
        return f"the stream so far: {there:,} of {count(whole, 'byte')}"
    return f"the stream so far: {count(there, 'byte')}"
