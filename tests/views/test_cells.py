"""Bytes as cells: each byte is drawn once, in its place and in the colour of its field."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvlib
from kvlib.layout.dissect import dissect
from kvlib.layout.regions import Region
from kvlib.views.cells import SPACE, TOKENS, Cells, fields, letters, ribbon, visible

CAFE = kvlib.encode_snapshot({"café": "2,50 €"})
DIGITS = re.compile(r'<text x="([^"]*)" y="([^"]*)"[^>]*fill="\$([^"]*)">([0-9A-F]*)</text>')


def drawn(cells: Cells, shapes: Iterator[str]) -> Iterator[tuple[float, float, str, str]]:
    """Yield the middle of each byte, its row's baseline, its colour and its digits."""
    for xs, y, colour, digits in DIGITS.findall("".join(shapes)):
        places = [float(x) for x in xs.split()]
        assert len(places) == len(digits)
        for at in range(0, len(digits), 2):
            yield places[at + 1], float(y), colour, digits[at : at + 2]


@given(st.binary(max_size=70), st.integers(1, 40))
def test_every_byte_is_drawn_once_in_its_cell(data: bytes, columns: int) -> None:
    """Reading the cells row by row gives the data back, whatever it is."""
    cells = Cells(10, 20, columns)
    leaves = dissect(data).root.leaves()
    found = list(drawn(cells, fields(cells, data, leaves)))
    assert bytes.fromhex("".join(digits for *_, digits in found)) == data
    for at, (x, y, _, _) in enumerate(found):
        left, top = cells.at(at)
        assert left < x < left + cells.width
        assert top < y < top + cells.height


def test_a_field_has_the_colour_of_its_kind() -> None:
    """The digits' colour goes with the field's."""
    cells = Cells(0, 0)
    layout = dissect(CAFE, format="snapshot")
    found = [colour for *_, colour, _ in drawn(cells, fields(cells, CAFE, layout.root.leaves()))]
    expected = [
        TOKENS[leaf.kind] + "-on"
        for leaf in layout.root.leaves()
        for _ in range(leaf.start, leaf.end)
    ]
    assert found == expected


def test_what_was_not_read_torn_or_bad_is_seen_without_colour() -> None:
    """A ring, hatching and an empty box are marks of their own."""
    data = b"\0\1\2"
    leaves = [
        Region(0, 1, "tag", "tag", status="bad"),
        Region(1, 2, "value", "data", status="torn"),
        Region(2, 3, "value", "data", status="unread"),
    ]
    bad, torn, unread = ("".join(fields(Cells(0, 0), data, [leaf])) for leaf in leaves)
    assert 'stroke-width="3.2"' in bad
    assert "L" in torn.partition("<path")[2]
    assert 'fill="$card"' in unread
    assert "stroke-width" in unread


@pytest.mark.parametrize("text", ["café", "2,50 €", "漢字", "a b", "\n", "𝄞", ""])
def test_characters_stand_under_their_bytes(text: str) -> None:
    """The middle of each character is the middle of its bytes."""
    data, cells = text.encode(), Cells(0, 0)
    leaf = Region(0, len(data), "key", "data", text)
    shapes = "".join(letters(cells, data, [leaf]))
    middles = [float(x) for x in re.findall(r'<text x="([^"]*)"', shapes)]
    at, expected = 0, []
    for character in text:
        size = len(character.encode())
        expected.append((at + size / 2) * cells.width)
        at += size
    assert middles == pytest.approx(expected, abs=0.1)


@given(st.binary(max_size=40))
def test_any_bytes_have_characters(data: bytes) -> None:
    """Bytes that aren't UTF-8 don't stop the picture."""
    leaf = Region(0, len(data), "value", "data", data)
    assert "".join(letters(Cells(0, 0), data, [leaf])).count("<text") >= bool(data)


def test_characters_that_cannot_be_seen_have_signs() -> None:
    """A blank, a line break, and something that needs none."""
    assert [visible(" "), visible("\n"), visible("é")] == [SPACE, "·", "é"]


def test_only_data_has_characters() -> None:
    """Lengths, tags and unread bytes have none."""
    other = [
        Region(0, 1, "length", "length", 65),
        Region(1, 2, "value", "data", status="unread"),
    ]
    assert list(letters(Cells(0, 0), b"AA", other)) == []


def test_a_ribbon_is_to_scale() -> None:
    """The boxes follow one another, each as wide as its bytes; empty regions have none."""
    leaves = [*dissect(CAFE, format="snapshot").root.leaves()]
    empty = Region(5, 5, "gap", "missing")
    boxes = re.findall(
        r'x="([\d.]+)" y="7" width="([\d.]+)"', "".join(ribbon([*leaves, empty], 10, 7, 3))
    )
    assert [(float(x), float(width)) for x, width in boxes] == [
        (10 + 3 * leaf.start, 3 * (leaf.end - leaf.start)) for leaf in leaves
    ]


def test_a_span_over_two_rows_has_two_stretches() -> None:
    """Each row has its part; the spot for the pointer is the first."""
    cells = Cells(0, 0, columns=4, width=10, pitch=50)
    parts = [(part.start, part.end, part.x, part.y, part.width) for part in cells.stretches(2, 9)]
    assert parts == [(2, 4, 20, 0, 20), (4, 8, 0, 50, 40), (8, 9, 0, 100, 10)]
    assert cells.spot(2, 9) == (20, 0, 20, cells.height)
    assert cells.spot(3, 3) == (30, 0, 10, cells.height)
    assert [cells.rows(size) for size in (0, 1, 4, 5)] == [1, 1, 1, 2]
