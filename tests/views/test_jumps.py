"""Jumps: the arcs end where the engine's lengths land, and the answers are the readers'."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kvlib
from helpers.explored import Odd
from kvlib import naive, views
from kvlib.encoding import Item
from kvlib.views.figure import Figure
from kvlib.views.jumps import cells_of, draw
from kvlib.views.timeline import Timeline

CAFE = kvlib.encode_snapshot({"café": "2,50 €"})
TEA = naive.encode_counted({"tea": "hot", "cup": "1"})
ARC = re.compile(
    r'<path d="M([\d.]+) ([\d.]+)Q[\d.]+ [\d.-]+ ([\d.]+) [\d.]+"[^>]*stroke="\$(\w+)"'
)


def figure(timeline: Timeline) -> Figure:
    """Return the figure of a timeline."""
    return timeline.draw(timeline)


def arcs(shapes: tuple[str, ...], edge: str) -> list[tuple[float, float]]:
    """Return the ends of the arcs of one colour."""
    found = ARC.findall("".join(shapes))
    return [(float(x1), float(x2) + 2) for x1, _, x2, token in found if token == edge]


@pytest.mark.parametrize("data", [CAFE, TEA])
def test_an_arc_ends_where_the_length_lands(data: bytes) -> None:
    """For every value of the byte, and every length that the reader followed."""
    timeline = views.lengths(data)
    cells = cells_of(len(data))
    for moment, position in zip(timeline.moments, figure(timeline).positions, strict=True):
        leaves = moment.pictures[0].layout.root.leaves()
        jumps = [
            (cells.at(leaf.end)[0], cells.at(leaf.governs[1] - 1)[0] + cells.width)
            for leaf in leaves
            if leaf.kind == "length" and leaf.status != "unread" and leaf.governs
            if leaf.governs[0] < leaf.governs[1]
        ]
        drawn = sorted(arcs(position.shapes, "arc") + arcs(position.shapes, "you"))
        assert [end for one in drawn for end in one] == pytest.approx(
            [end for one in jumps for end in one], abs=0.1
        )


def test_the_old_jump_stays_in_sight() -> None:
    """A length that was turned has a dashed arc to where it landed before."""
    timeline = views.lengths(CAFE)
    made = figure(timeline)
    cells = cells_of(len(CAFE))
    assert arcs(made.positions[5].shapes, "mark") == []
    [old] = arcs(made.positions[6].shapes, "mark")
    assert old == pytest.approx((cells.at(9)[0], cells.at(14)[0]), abs=0.1)


def test_the_pointer_takes_hold_of_the_end_of_the_arc() -> None:
    """Each length that stays within the bytes has its spot where it lands."""
    made = figure(views.lengths(CAFE))
    cells = cells_of(len(CAFE))
    for length in range(19):
        spot = made.positions[length].spot
        assert spot
        assert spot[0] + 1 == pytest.approx(cells.at(9)[0] + length * cells.width)
    assert made.positions[19].spot is None


def test_it_says_what_each_reader_answers() -> None:
    """The refusal is the engine's own, with its offset; a wrong answer is shown as it came."""
    made = figure(views.lengths(CAFE, read=naive.decode_counted))
    says = made.positions[6].says
    assert "kvlib: refused: offset 15: tag b'\\x00'" in says
    assert says.startswith("yours: ")
    wrong = figure(views.lengths(TEA)).positions[1].says
    assert wrong.startswith("decode_counted: wrong, and no error: {'t': ")


def test_a_reader_of_ones_own_has_a_line_of_its_own() -> None:
    """The picture grows by it."""
    one, two = (figure(views.lengths(CAFE, read=read)) for read in (None, len))
    assert two.height > one.height
    assert "yours: right" not in two.positions[5].says  # the sign says it


@settings(max_examples=20)
@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), min_size=1, max_size=2))
def test_any_records_can_be_drawn(items: dict[Item, Item]) -> None:
    """More than a row, no text, wide text: everything stays on the card."""
    data = kvlib.encode_snapshot(items)
    if len(data) <= 50:
        made = figure(views.lengths(data, last=max(data[8], 3)))
        for position in made.positions:
            for y in re.findall(r' y="([\d.-]+)"', "".join(position.shapes)):
                assert 0 <= float(y) <= made.height


def test_a_length_of_nothing_and_an_odd_answer() -> None:
    """An empty text has no arc, and any object that a reader returns is told."""
    made = figure(views.lengths(b"\0\0", read=lambda data: Odd()))
    assert arcs(made.positions[0].shapes, "you") == []
    assert isinstance(draw(views.lengths(b"\0\0", last=0)), Figure)


def test_a_length_that_never_fitted_has_no_old_jump() -> None:
    """Bytes that were damaged from the start: nothing is dashed, and no arc leaves the bytes."""
    made = figure(views.lengths(kvlib.encode_field("tea")[:4] + b"\x63tea", format="field"))
    assert made.positions[made.start].spot is None
    assert all(arcs(position.shapes, "mark") == [] for position in made.positions)
