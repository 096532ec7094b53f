"""Two states side by side: the rings are around the bytes that differ, and no byte is invented."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import kvlib
from helpers.placed import boxes, check_legible, letters, texts
from helpers.vocabulary import MAPPINGS
from kvlib import MemoryDisk
from kvlib.encoding import Item
from kvlib.layout.dissect import FORMATS, dissect
from kvlib.views.cells import strip
from kvlib.views.diff import Comparable, diff
from kvlib.views.figure import Figure
from kvlib.views.rows import OFFSETS, ROW, ROWS, first_row, joined
from kvlib.views.sides import ACROSS, BYTES, HALVES, THICK
from kvlib.views.timeline import Timeline


def drawn(timeline: Timeline) -> Figure:
    """Return the figure of a timeline."""
    return timeline.draw(timeline)


def of(before: Comparable, after: Comparable) -> Figure:
    """Return the figure of a diff."""
    return drawn(diff(before, after))


def words(figure: Figure, number: int) -> list[str]:
    """Return all words of a position, from top to bottom."""
    shown = sorted(texts(figure, number), key=lambda text: (text.y, text.left))
    return [text.words for text in shown]


def shown_bytes(figure: Figure, number: int, side: str) -> dict[int, int]:
    """Return the bytes that one side shows in hex, by offset."""
    left = HALVES[side] + OFFSETS
    right = left + ROW.columns * ROW.width
    offsets = {
        text.y: int(text.words.replace(",", ""))
        for text in texts(figure, number)
        if HALVES[side] <= text.left < left and re.fullmatch(r"[\d,]+", text.words)
    }
    found: dict[int, int] = {}
    for digits, x, y in letters(figure, number):
        if left <= x < right and re.fullmatch("([0-9A-F]{2})+", digits) and y > BYTES:
            row = min((known for known in offsets if abs(known - y) < 3), default=None)
            if row is not None:
                first = offsets[row] + int((x - left) // ROW.width)
                found.update(enumerate(bytes.fromhex(digits), first))
    return found


def ringed(figure: Figure, number: int, side: str) -> set[int]:
    """Return the offsets whose bytes have a ring on one side."""
    left = HALVES[side] + OFFSETS
    offsets = {
        round((text.y - 19 - BYTES) / ROW.pitch): int(text.words.replace(",", ""))
        for text in texts(figure, number)
        if HALVES[side] <= text.left < left and re.fullmatch(r"[\d,]+", text.words)
    }
    found = set()
    for box in boxes(figure, number):
        row = round((box.y + 1.6 - BYTES) / ROW.pitch)
        if box.edge == "you" and row in offsets and left - 3 <= box.x < left + 336 and box.y > 200:
            first = offsets[row] + round((box.x + 1.6 - left) / ROW.width)
            found |= {*range(first, first + round((box.width - 3.2) / ROW.width))}
    return found


@settings(max_examples=40)
@example({"a": "x" * 60}, {"a": "x" * 59 + "é"})
@example({}, {})
@example({"漢字": b"\xe6\xbc", "$": "$<&"}, {"漢字": b"\xe6\xbc\xa2", "$": "$<"})
@given(MAPPINGS, MAPPINGS)
def test_the_bytes_are_those_of_both_states(
    before: dict[Item, Item], after: dict[Item, Item]
) -> None:
    """Each byte in hex is the one at its offset, and the rings are around the marks."""
    states = {"before": kvlib.encode_snapshot(before), "after": kvlib.encode_snapshot(after)}
    timeline = diff(states["before"], states["after"], format="snapshot")
    figure = drawn(timeline)
    check_legible(figure)
    for number, moment in enumerate(timeline.moments):
        marks = {picture.layout.source: picture.marks for picture in moment.pictures}
        for side, data in states.items():
            there = shown_bytes(figure, number, side)
            assert all(data[offset] == byte for offset, byte in there.items())
            marked = {at for start, end in marks[side] for at in range(start, end)}
            assert marked & {*there} == ringed(figure, number, side) or "moved" in words(
                figure, number
            )
            assert not marked or min(marked) in there


@given(st.binary(max_size=80), st.binary(max_size=80), st.sampled_from([*FORMATS]))
def test_any_bytes_have_a_picture(before: bytes, after: bytes, name: str) -> None:
    """Damaged, torn and unknown bytes are drawn too."""
    check_legible(drawn(diff(before, after, format=name)))


def store(*, compact: bool = False) -> MemoryDisk:
    """Return a disk with a record in the log, or in the snapshot."""
    disk = MemoryDisk()
    with kvlib.open(disk) as made:
        made["café"] = "2,50 €"
        if compact:
            made.compact()
    return disk


def test_a_record_is_followed_from_the_log_to_the_segment() -> None:
    """The same 23 bytes have a ring in the log before and in the segment after."""
    before, after = store(), store(compact=True)
    timeline = diff(before, after)
    figure = drawn(timeline)
    check_legible(figure)
    moved = [number for number in range(len(figure.positions)) if "moved" in words(figure, number)]
    found = [timeline.moments[number].outcomes[0].words for number in moved]
    assert found == [
        "segment 0: record 'café' ('2,50 €'): only after",
        "log: frame 2 ('café', '2,50 €'): only before",
    ]
    log, record = before.read("log"), kvlib.encode_snapshot({"café": "2,50 €"})[4:]
    for number in moved:
        place = log.index(record)
        assert ringed(figure, number, "before") == {*range(place, place + 23)}
        assert ringed(figure, number, "after") == {*range(37, 60)}
        shown = shown_bytes(figure, number, "before")
        assert bytes(shown[at] for at in range(place, place + 23)) == record
    assert "the same 23 bytes, was at offset 67 of the log." in figure.positions[moved[0]].says
    assert "the same 23 bytes, is at offset 37 of segment 0." in figure.positions[moved[1]].says


def test_a_record_that_moved_within_bytes_is_followed() -> None:
    """A record in another frame is the same record; bytes have no file to name."""
    disk = store(compact=True)
    with kvlib.open(disk) as made:
        made["tea"] = "1"
        made["café"] = "2,50 €"
    figure = of(store().read("log"), disk.read("log"))
    check_legible(figure)
    says = [position.says for position in figure.positions]
    assert [line for line in says if "The same record" in line] == [
        "frame 2 ('café', '2,50 €'): only before. "
        "The same record, the same 23 bytes, is at offset 116.",
        "frame 6 ('café', '2,50 €'): only after. "
        "The same record, the same 23 bytes, was at offset 67.",
    ]


def test_a_ring_may_be_between_two_bytes() -> None:
    """What is missing has a place, but no bytes."""
    figure = drawn(diff(b"s\0\0\0\3key", b"s\0\0\2\3", format="record"))
    check_legible(figure)
    (number,) = [at for at, one in enumerate(figure.positions) if "(0 bytes)" in one.says]
    assert figure.positions[number].says.endswith("Before: 0 bytes at offset 8.")
    assert ringed(figure, number, "before") == set()
    assert any(box.edge == "you" and box.y > BYTES - 3 for box in boxes(figure, number))


def test_what_is_on_one_side_only_says_so() -> None:
    """The other side has an empty box, and the handle a word."""
    whole = store().read("log")
    timeline = diff(whole[:60], whole)
    figure = drawn(timeline)
    check_legible(figure)
    assert timeline.moments[0].outcomes[0].words == "tail (11 bytes): only before"
    assert {"only before", "not here"} <= {*words(figure, 0)}
    assert {"only after", "not here"} <= {*words(figure, 1)}
    assert figure.positions[0].says.endswith("Before: 11 bytes at offset 49.")
    both, extra = store(), store()
    extra.write("log.new", b"leftover")
    for before, after in ((both, extra), (extra, both)):
        assert words(of(before, after), 0).count("no such file") == 2


def test_equal_bytes_have_no_ring() -> None:
    """Without a difference nothing is pointed out."""
    for data in (b"", kvlib.encode_snapshot({"a": "1"})):
        figure = of(data, data)
        check_legible(figure)
        assert figure.title == "No difference: the same bytes before and after"
        assert not any(box.edge == "you" for box in boxes(figure, 0))
    assert words(of(b"", b""), 0).count("no bytes") == 2
    assert of(b"", b"b").title == "1 difference between before and after"


def test_a_refusal_has_its_sign() -> None:
    """If the later state can't be read any more, the place where reading stops is shown."""
    whole = store(compact=True).read("log")
    spoilt = bytes([*whole[:30], whole[30] ^ 1, *whole[31:]])
    timeline = diff(whole, spoilt)
    figure = drawn(timeline)
    last = len(figure.positions) - 1
    assert timeline.moments[last].outcomes[0].verdict == "refused"
    assert 'fill="#4F5866"' in figure.image(last)
    assert any(line.startswith("→ stopped at offset 8") for line in words(figure, last))
    assert any(box.edge == "wrong" for box in boxes(figure, last))


def test_long_words_are_in_two_lines() -> None:
    """A file's old name and its new one don't leave the card."""
    figure = of(store(), store(compact=True))
    assert words(figure, 0)[-2:] == [
        "segment 0: the file 0000000000000001.00000000.segment is now",
        "0000000000000003.00000000.segment",
    ]
    assert "segment 0" in words(figure, 0)
    assert words(figure, 0).count("before") == 2


def test_files_are_named_where_there_is_room() -> None:
    """Segments come first, in order; a narrow one has only its number, or no name."""
    parts = MemoryDisk()
    with kvlib.open(parts, max_segment_size=20) as made:
        made.update({"café": "2,50 €", "thé": "3,10 €"})
        made.compact()
    figure = of(store(), parts)
    check_legible(figure)
    names = [text for text in texts(figure, 0) if text.y == ACROSS["after"] + 35]
    names.sort(key=lambda text: text.left)
    assert [text.words for text in names] == [
        *("segment 0", "segment 1", "segment 2", "segment 3", "4", "log")
    ]
    tiny = of(
        kvlib.encode_snapshot({}), dissect(kvlib.encode_snapshot({"a": "b" * 900}), source="x" * 9)
    )
    assert {text.y for text in texts(tiny, 0)} & {ACROSS["before"] - 7} == set()


def test_the_pointer_chooses_the_place_that_differs() -> None:
    """The spot of a difference is its ring in the ribbon; for a file, it is its name."""
    timeline = diff(store(), store(compact=True))
    figure = drawn(timeline)
    for position, moment in zip(figure.positions, timeline.moments, strict=True):
        assert position.spot is not None
        differs = any(picture.marks for picture in moment.pictures)
        assert (position.spot[1] in ACROSS.values()) == differs
        assert position.spot[3] == THICK


@pytest.mark.parametrize("name", ["before", "a" * 90, "café\n", "\udcff", "a: b"])
def test_any_name_is_shown(name: str) -> None:
    """A file's name is shortened, and characters that can't be seen are dots."""
    layout = dissect(kvlib.encode_snapshot({"a": "1"}), source=name)
    check_legible(of(layout, kvlib.encode_snapshot({"a": "2"})))


def test_2048_bytes_fit() -> None:
    """Many records have a picture within the limit, if need be with fewer positions."""
    before = kvlib.encode_snapshot({str(number): "" for number in range(80)})
    after = kvlib.encode_snapshot({str(number): "z" for number in range(70)})
    figure = of(before, after)
    check_legible(figure)
    assert len(figure.positions) == 81
    assert "of 81 positions" in figure.html()


@given(MAPPINGS, st.sampled_from([0.5, 2.0, 10.0]))
def test_a_strip_is_to_scale(items: dict[Item, Item], scale: float) -> None:
    """The lines of a colour are as long as its bytes, and together they are the whole."""
    layout = dissect(kvlib.encode_snapshot(items), format="snapshot")
    made = strip(layout.root.leaves(), 7, 0, scale)
    lengths = {
        token: sum(
            float(end) - float(start) for start, end in re.findall(r"M([\d.]+) 4H([\d.]+)", d)
        )
        for d, token in re.findall(r'd="([^"]*)" stroke="\$(\w+)"', made)
    }
    assert sum(lengths.values()) == pytest.approx(len(layout.data) * scale)
    values = sum(
        len(value.encode() if isinstance(value, str) else value) for value in items.values()
    )
    assert lengths.get("value", 0) == pytest.approx(values * scale)


@given(st.integers(1, 2000), st.data())
def test_the_rows_contain_what_differs(size: int, data: st.DataObject) -> None:
    """The first byte that differs is shown, and all of them if there is room."""
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start, size))
    first = first_row(size, start, end)
    rows = range(first, first + ROWS)
    assert start // ROW.columns in rows
    assert 0 <= first < ROW.rows(size)
    if end - start <= (ROWS - 1) * ROW.columns:
        assert max(end - 1, start) // ROW.columns in rows


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5))))
def test_spans_that_touch_are_one(pairs: list[tuple[int, int]]) -> None:
    """The joined spans hold the same offsets, and none touches the next."""
    spans = [(start, start + size) for start, size in pairs]
    found = [*joined(spans)]
    held = {at for start, end in spans for at in range(start, end)}
    assert {at for start, end in found for at in range(start, end)} == held
    assert all(one[1] < other[0] for one, other in pairwise(found))
