"""The segment desk: any cards on it are read by `join` and `decode_snapshot`."""

from html import escape, unescape
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvlib
from helpers.golden import check_width
from helpers.vocabulary import MAPPINGS, flip_bit
from kvlib import segments
from kvlib.encoding import Item
from kvlib.errors import CorruptionError
from kvlib.views.desk import FLIP, LIMIT, NOTHING, desk

CAFE: dict[Item, Item] = {"café": "2,50 €"}
DEARER: dict[Item, Item] = {"café": "2,80 €"}
PIECES = segments.split(kvlib.encode_snapshot(CAFE), 20)
OTHERS = segments.split(kvlib.encode_snapshot(DEARER), 20)
BYTES = {
    **{f"segment {number}": piece for number, piece in enumerate(PIECES)},
    **{f"other {number}": piece for number, piece in enumerate(OTHERS)},
}
RIGHT = "join gives a stream of 27 bytes\nthe records: {'café': '2,50 €'}\nright"


def result(text: str) -> str:
    """Return the engine's answer, which is above the cards."""
    return text.partition("\n\n")[0]


def answer(cards: list[bytes]) -> str:
    """Return the lines that the desk should show for these cards."""
    try:
        stream = segments.join(cards)
    except CorruptionError as error:
        return f"refused: {error}"
    first = f"join gives a stream of {len(stream)} bytes\n"
    try:
        records = kvlib.decode_snapshot(stream)
    except CorruptionError as error:
        return f"{first}refused: {error}"
    verdict = "right"
    if records != CAFE:
        verdict = "wrong, and no error: these are not the records of the snapshot"
    return f"{first}the records: {records!r}\n{verdict}"


def test_the_desk_starts_with_the_segments_in_order() -> None:
    """One place is empty, and each card is a dump of its segment."""
    lab = desk(CAFE, max_segment_size=20)
    assert [one.value for one in lab.controls.values()] == [*list(BYTES)[:3], NOTHING, 0]
    assert result(lab.text) == RIGHT
    assert "segment 2: 11 bytes\n\n00000000: 00 00 00 02 00 00 00 03  E2 82 AC" in lab.text
    assert lab._repr_mimebundle_()["text/plain"] == repr(lab)
    assert repr(lab).startswith("place 0: 'segment 0'\nplace 1: 'segment 1'\n")


@pytest.mark.parametrize(
    ("name", "cards", "words"),
    [
        ("in order", ["segment 0", "segment 1", "segment 2", NOTHING], RIGHT),
        ("reverse", ["segment 2", "segment 1", "segment 0", NOTHING], RIGHT),
        (
            "drop one",
            ["segment 0", "segment 2", NOTHING, NOTHING],
            "refused: segments: offset 0: segment 1 of 3 is missing",
        ),
        (
            "double one",
            ["segment 0", "segment 1", "segment 2", "segment 1"],
            "refused: segments[3]: offset 0: segment 1 is here for the second time",
        ),
        (
            "mix",
            ["segment 0", "other 1", "segment 2", NOTHING],
            "join gives a stream of 27 bytes\nthe records: {'café': '2,80 €'}\n"
            "wrong, and no error: these are not the records of the snapshot",
        ),
    ],
)
def test_each_accident_has_a_button(name: str, cards: list[str], words: str) -> None:
    """A button lays the cards of its accident."""
    lab = desk(CAFE, max_segment_size=20, other=DEARER)
    lab.buttons[name].click()
    assert [one.value for one in lab.controls.values()] == [*cards, 0]
    assert result(lab.text) == words


@given(st.lists(st.sampled_from([NOTHING, *BYTES]), min_size=4, max_size=4), st.integers(0, 640))
def test_any_cards_and_any_flipped_bit_are_read_by_the_engine(names: list[str], bit: int) -> None:
    """Text and page have the engine's answer; the bit is counted from 1 through all cards."""
    lab = desk(PIECES, other=OTHERS)
    for number, name in enumerate(names):
        lab.controls[f"place {number}"].value = name
    lab.controls[FLIP].value = bit
    cards = [BYTES[name] for name in names if name != NOTHING]
    whole = b"".join(cards)
    if 0 < bit <= 8 * len(whole):
        whole = flip_bit(whole, bit - 1)
    ends = [sum(map(len, cards[:number])) for number in range(len(cards) + 1)]
    spoilt = [whole[start:end] for start, end in pairwise(ends)]
    expected = answer(spoilt)
    shown = " ".join(result(lab.text).split("\n"))
    assert shown.replace(" ", "") == expected.replace("\n", "").replace(" ", "")
    for line in expected.split("\n"):
        assert escape(line) in lab.screen.value
    assert ("flipped" in lab.screen.value.split("</style>")[1]) == (0 < bit <= 8 * len(whole))


@given(MAPPINGS)
def test_any_records_fit_one_segment(records: dict[Item, Item]) -> None:
    """Any records, even none, are right in one large segment."""
    lab = desk(records, max_segment_size=2**16)
    assert result(lab.text).endswith("right")
    assert "mix" not in lab.buttons


def test_incomplete_segments_have_no_right_answer() -> None:
    """If the segments don't join from the start, no card is called right or wrong."""
    lab = desk([PIECES[0]], other=[segments.split(kvlib.encode_snapshot(CAFE), 99)[0]])
    assert result(lab.text) == "refused: segments: offset 0: segment 1 of 3 is missing"
    lab.buttons["mix"].click()
    assert result(lab.text) == RIGHT.removesuffix("\nright")
    assert "café" in unescape(lab.screen.value)


def test_an_empty_desk_is_refused() -> None:
    """Without a card, segment 0 is missing."""
    lab = desk(CAFE, max_segment_size=64)
    lab.controls["place 0"].value = NOTHING
    assert lab.text == "refused: segments: offset 0: segment 0 of at least 1 is missing"


@pytest.mark.parametrize("source", [[b""] * (LIMIT + 1), []])
def test_a_desk_has_room_for_one_to_eight_segments(source: list[bytes]) -> None:
    """Other numbers of segments are rejected, with advice."""
    with pytest.raises(ValueError, match="a desk has room for 1 to 8: choose another max_segm"):
        desk(source)


def test_the_text_has_80_columns() -> None:
    """A desk of eight cards with wide characters is not too wide."""
    lab = desk({"値" * 20: "値" * 20}, max_segment_size=26, other={"k": "v"})
    assert len(lab.controls) == 10
    check_width(lab)
