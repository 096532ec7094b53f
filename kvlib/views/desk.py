"""The segment desk: put real segments next to each other, in any order, and let `join` answer."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from kvlib import encoding, segments
from kvlib.encoding import Item
from kvlib.errors import CorruptionError
from kvlib.layout.dissect import Layout, dissect, walk_again
from kvlib.layout.regions import Region
from kvlib.layout.text import hanging, lines
from kvlib.plural import count
from kvlib.views import arguments
from kvlib.views.arguments import Choice
from kvlib.views.assembled import Joined, draw
from kvlib.views.cards import HEADER, Card
from kvlib.views.cells import clipped
from kvlib.views.figure import Figure, Position
from kvlib.views.html import Screen

if TYPE_CHECKING:
    from kvlib.views.widgets import Explorer

SnapshotSource = Mapping[Item, Item] | Sequence[bytes]
Segments = Mapping[str, bytes]  # by the names of their cards
Values = Mapping[str, str | int]  # of the controls, by name

LIMIT: Final = 20
MOST_BYTES: Final = 1024  # of a segment
NOTHING: Final = "nothing"
FLIP: Final = "flip bit"
CHOSEN: Final = "chosen"
EXPECTED: Final = "takes records, as a dict or a store, or a list of segments, each bytes"


def desk(
    source: SnapshotSource, *, max_segment_size: int = 16, other: SnapshotSource | None = None
) -> "Explorer":
    """Show segments as cards: move, lose or double them, or swap in another snapshot's.

    Without a kernel, a figure of the accidents is shown instead.

    Args:
        source: the records of a snapshot, or its bare segments.
        max_segment_size: the size of the segments of records, in bytes.
        other: another snapshot, records or segments.

    Raises ValueError for more than 20 segments per snapshot, TypeError for other types.
    """
    from kvlib.views.widgets import Explorer

    own, others = _cards("segment", source, max_segment_size), {}
    if other is not None:
        others = _cards("other", other, max_segment_size)
    names = [NOTHING, *own, *others]
    places: dict[str, Choice] = {f"place {number}": names for number in range(len(own) + 1)}
    bits = 8 * len(places) * max(map(len, [*own.values(), *others.values()]))
    accidents = dict(_accidents([*own], [*others]))
    presets = {
        name: dict(zip(places, [*row, NOTHING, NOTHING], strict=False))
        for name, row in accidents.items()
    }
    table = Table(own, others)
    explorer = Explorer(
        table.screen,
        {**places, CHOSEN: [*places], FLIP: range(bits + 1)},
        {**presets, **_actions([*places], [*own], [*others])},
        hidden=places,
        page=table.accidents(presets).html(),
    )
    explorer.buttons["in order"].click()
    return explorer


def _cards(title: str, source: SnapshotSource, max_segment_size: int) -> dict[str, bytes]:
    if isinstance(source, Mapping):
        source = segments.split(encoding.encode_snapshot(source), max_segment_size)
    arguments.check_kind("desk", source, (list, tuple), EXPECTED)
    for segment in source:
        arguments.check_kind("desk", segment, (bytes, bytearray), EXPECTED)
        if len(segment) > MOST_BYTES:
            reason = f"a segment of {len(segment):,} bytes, a desk has room for {MOST_BYTES:,}"
            raise ValueError(f"{reason} in each: choose a smaller max_segment_size")
    if not 0 < len(source) <= LIMIT:
        reason = f"{count(len(source), 'segment')}, a desk has room for 1 to {LIMIT}"
        raise ValueError(f"{reason}: choose another max_segment_size, or other records")
    return {f"{title} {number}": bytes(segment) for number, segment in enumerate(source)}


def _accidents(own: list[str], others: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield accidents that happen to segments: their names, and the cards on the desk."""
    middle = len(own) // 2
    yield "in order", own
    yield "reverse", own[::-1]
    yield "drop one", own[:middle] + own[middle + 1 :]
    yield "double one", [*own, own[middle]]
    if middle < len(others):
        yield "mix", [*own[:middle], others[middle], *own[middle + 1 :]]


def _actions(
    places: list[str], own: list[str], others: list[str]
) -> dict[str, Callable[[Values], Values]]:
    """Return what the buttons do to the chosen card, as functions of the controls' values."""

    def move(step: int, values: Values) -> Values:
        at = places.index(str(values[CHOSEN]))
        if not 0 <= at + step < len(places):
            return {}
        here, there = places[at], places[at + step]
        return {here: values[there], there: values[here], CHOSEN: there}

    def replace(new: Callable[[str | int], list[str | int]], values: Values) -> Values:
        row = [values[place] for place in places]
        at = places.index(str(values[CHOSEN]))
        row[at : at + 1] = new(row[at])
        return dict(zip(places, [*row, NOTHING], strict=False))

    def twin(name: str | int) -> list[str | int]:
        for mine, theirs in zip(own, others, strict=False):
            if name in (mine, theirs):
                return [theirs if name == mine else mine]
        return [name]

    return {
        "move left": partial(move, -1),
        "move right": partial(move, 1),
        "lose it": partial(replace, lambda _: []),
        "double it": partial(replace, lambda name: [name, name]),
        **({"swap snapshots": partial(replace, twin)} if others else {}),
    }


class Table:
    """The cards of two snapshots, and the engine's answers to any row of them."""

    def __init__(self, own: Segments, others: Segments) -> None:
        self.data, self.others = {**own, **others}, others
        self.own = [*own.values()]
        self.leaves = {**_written(own), **_written(others)}
        self.sizes = {
            len(known): [len(piece) - HEADER for piece in sorted(known.values())]
            for known in (others, own)
            if _joins(known.values())
        }

    def screen(self, **controls: str | int) -> Screen:
        """Return the text and the picture for the values of the controls."""
        bit, chosen = int(controls.pop(FLIP)), str(controls.pop(CHOSEN))
        names = [str(name) for name in controls.values()]
        figure = self.figure(names, bit, [*controls].index(chosen))
        return Screen(figure.text, figure.still())

    def figure(self, row: list[str], bit: int = 0, chosen: int | None = None) -> Figure:
        """Return the picture of a row of cards, with one bit flipped, counted from 1."""
        names = [name for name in row if name != NOTHING]
        data, (at, offset) = _flipped([self.data[name] for name in names], bit)
        joined = _joined(data, self.own)
        layouts = [
            dissect(card, format="segment", source=f"segments[{position}], {name}")
            for position, (card, name) in enumerate(zip(data, names, strict=True))
        ]
        made = [
            Card(card, self.leaves[name], name in self.others, offset if number == at else None)
            for number, (card, name) in enumerate(zip(data, names, strict=True))
        ]
        laid = iter(made)
        places = [None if name == NOTHING else next(laid) for name in row]
        text = "\n".join(_text(layouts, joined))
        return draw(places, joined, self.sizes, text, chosen)

    def accidents(self, presets: Mapping[str, Mapping[str, str]]) -> Figure:
        """Return the accidents as the positions of one figure, which needs no kernel."""
        figures = [self.figure([*preset.values()]) for preset in presets.values()]
        positions = tuple(
            Position(name, one.positions[0].says, one.positions[0].shapes)
            for name, one in zip(presets, figures, strict=True)
        )
        title = "Each segment has its number, and says how many there are"
        height = max(one.height for one in figures)
        return Figure(title, height, "the cards", positions, figures[0].text)


def _written(known: Segments) -> dict[str, tuple[Region, ...]]:
    """Return the regions of each segment's piece of the stream, as it was written."""
    regions: list[Region] = []
    if _joins(known.values()):
        stream = segments.join(known.values())
        regions += dissect(stream, format="snapshot", source="the stream").root.leaves()
    written, at = dict[str, tuple[Region, ...]](), 0
    for name in sorted(known, key=known.__getitem__):  # the index comes first
        size = max(0, len(known[name]) - HEADER)
        found = tuple(clipped(regions, at, at + size))
        written[name] = found or (Region(0, size, "raw", "piece"),)
        at += size
    return written


def _joins(cards: Iterable[bytes]) -> bool:
    try:
        segments.join(cards)
    except CorruptionError:
        return False
    return True


def _flipped(cards: list[bytes], bit: int) -> tuple[list[bytes], tuple[int, int]]:
    """Return the cards with one bit of them flipped, counted from 1, and the place of that bit."""
    for position, card in enumerate(cards):
        if 0 < bit <= 8 * len(card):
            at, place = divmod(bit - 1, 8)
            changed = card[:at] + bytes([card[at] ^ 0x80 >> place]) + card[at + 1 :]
            return [*cards[:position], changed, *cards[position + 1 :]], (position, at)
        bit -= 8 * len(card)
    return cards, (-1, 0)


def _joined(cards: list[bytes], own: list[bytes]) -> Joined:
    """Return the engine's answer, and whether it is right."""
    try:
        stream = segments.join(cards)
    except CorruptionError as error:
        return Joined("refused", str(error), error=error)
    try:
        records = encoding.decode_snapshot(stream)
    except CorruptionError as error:
        return Joined("refused", str(error), stream)
    try:
        truth = encoding.decode_snapshot(segments.join(own))
    except CorruptionError:  # the segments were damaged from the start
        return Joined("told", repr(records), stream)
    same = list(records.items()) == list(truth.items())
    return Joined("right" if same else "wrong", repr(records), stream)


def _sentences(joined: Joined) -> Iterator[str]:
    """Yield the engine's answer, step by step."""
    if joined.stream is not None:
        yield f"join gives a stream of {count(len(joined.stream), 'byte')}"
    if joined.verdict == "refused":
        yield f"refused: {joined.words}"
        return
    yield f"the records: {joined.words}"
    if joined.verdict == "right":
        yield "right"
    elif joined.verdict == "wrong":
        yield "wrong, and no error: these are not the records of the snapshot"


def _text(layouts: list[Layout], joined: Joined) -> Iterator[str]:
    for sentence in _sentences(joined):  # first, because the cards may need more than a screen
        yield from hanging("", sentence)
    for layout in layouts:
        yield from ("", f"{layout.source}: {count(len(layout.data), 'byte')}", "")
        yield from lines(layout.data, walk_again(layout))
