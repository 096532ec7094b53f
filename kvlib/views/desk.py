"""The segment desk: put real segments next to each other, in any order, and let `join` answer."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Final

from kvlib import encoding, segments
from kvlib.encoding import Item
from kvlib.errors import CorruptionError
from kvlib.layout.dissect import Layout, dissect, walk_again
from kvlib.layout.text import hanging, lines
from kvlib.plural import count
from kvlib.views import arguments, html
from kvlib.views.arguments import Choice
from kvlib.views.explore import Screen
from kvlib.views.timeline import Highlight

if TYPE_CHECKING:
    from kvlib.views.widgets import Explorer

SnapshotSource = Mapping[Item, Item] | Sequence[bytes]

LIMIT: Final = 8
MOST_BYTES: Final = 1024  # of a segment
NOTHING: Final = "nothing"
FLIP: Final = "flip bit"
EXPECTED: Final = "takes records, as a dict or a store, or a list of segments, each bytes"


def desk(
    source: SnapshotSource, *, max_segment_size: int = 16, other: SnapshotSource | None = None
) -> "Explorer":
    """Show segments as cards: leave them out, double or move them, or take another snapshot's.

    Args:
        source: the records of a snapshot, or its bare segments.
        max_segment_size: the size of the segments of records, in bytes.
        other: another snapshot, records or segments.

    Raises ValueError for more than 8 segments per snapshot, TypeError for other types.
    """
    from kvlib.views.widgets import Explorer

    own, others = _cards("segment", source, max_segment_size), {}
    if other is not None:
        others = _cards("other", other, max_segment_size)
    names = [NOTHING, *own, *others]
    places: dict[str, Choice] = {f"place {number}": names for number in range(len(own) + 1)}
    bits = 8 * len(places) * max(map(len, [*own.values(), *others.values()]))
    presets = {
        name: dict(zip(places, [*cards, NOTHING, NOTHING], strict=False))
        for name, cards in _accidents([*own], [*others])
    }
    show = partial(_answer, own, others)
    explorer = Explorer(show, {**places, FLIP: range(bits + 1)}, presets)
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


def _answer(own: dict[str, bytes], others: dict[str, bytes], **controls: str | int) -> Screen:
    bit = int(controls.pop(FLIP))
    names = [str(name) for name in controls.values() if name != NOTHING]
    cards, flipped = _flipped([{**own, **others}[name] for name in names], bit)
    layouts = [
        dissect(card, format="segment", source=f"segments[{position}], {name}")
        for position, (card, name) in enumerate(zip(cards, names, strict=True))
    ]
    sentences = list(_sentences(cards, [*own.values()]))
    return Screen("\n".join(_text(layouts, sentences)), _page(layouts, sentences, flipped))


def _flipped(cards: list[bytes], bit: int) -> tuple[list[bytes], tuple[int, int]]:
    """Return the cards with one bit of them flipped, counted from 1, and the place of that bit."""
    for position, card in enumerate(cards):
        if 0 < bit <= 8 * len(card):
            at, place = divmod(bit - 1, 8)
            changed = card[:at] + bytes([card[at] ^ 0x80 >> place]) + card[at + 1 :]
            return [*cards[:position], changed, *cards[position + 1 :]], (position, at)
        bit -= 8 * len(card)
    return cards, (-1, 0)


def _sentences(cards: list[bytes], own: list[bytes]) -> Iterator[str]:
    """Yield the engine's answer, step by step, and whether it is right."""
    try:
        stream = segments.join(cards)
        yield f"join gives a stream of {count(len(stream), 'byte')}"
        records = encoding.decode_snapshot(stream)
    except CorruptionError as error:
        yield f"refused: {error}"
        return
    yield f"the records: {records!r}"
    try:
        truth = encoding.decode_snapshot(segments.join(own))
    except CorruptionError:  # the segments were damaged from the start
        return
    same = list(records.items()) == list(truth.items())
    yield "right" if same else "wrong, and no error: these are not the records of the snapshot"


def _text(layouts: list[Layout], sentences: list[str]) -> Iterator[str]:
    for sentence in sentences:  # first, because the cards may need more than a screen
        yield from hanging("", sentence)
    for layout in layouts:
        yield from ("", f"{layout.source}: {count(len(layout.data), 'byte')}", "")
        yield from lines(layout.data, walk_again(layout))


def _page(layouts: list[Layout], sentences: list[str], flipped: tuple[int, int]) -> str:
    position, at = flipped
    drawings = [
        html.draw(layout, marks=[Highlight(at, at + 1, "flipped")] if number == position else [])
        for number, layout in enumerate(layouts)
    ]
    answers = "".join(f"<p><strong>{escape(sentence)}</strong>" for sentence in sentences)
    return html.root(
        "",
        answers + html.legend(drawings) + "".join(html.picture(one, wait="") for one in drawings),
    )
