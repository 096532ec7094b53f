"""Differences, field by field: none is missing, and none is invented."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvlib
from helpers.golden import check_width
from helpers.vocabulary import MAPPINGS, flip_bit, survivor
from kvlib import MemoryDisk
from kvlib.encoding import Item
from kvlib.layout.dissect import FORMATS, dissect
from kvlib.views.diff import LIMIT, diff
from kvlib.views.timeline import Timeline


def words(timeline: Timeline) -> list[str]:
    """Return the differences in words."""
    return [moment.outcomes[0].words for moment in timeline.moments]


def of_records(before: dict[Item, Item], after: dict[Item, Item]) -> list[str]:
    """Return the differences between the snapshots of two dicts."""
    return words(diff(kvlib.encode_snapshot(before), kvlib.encode_snapshot(after)))


def store(*, compact: bool = False, **options: Any) -> MemoryDisk:
    """Return a disk with two records in the log, or in a snapshot."""
    disk = MemoryDisk()
    with kvlib.open(disk, **options) as made:
        made["café"] = "2,50 €"
        made["thé"] = "3,10 €"
        if compact:
            made.compact()
    return disk


def test_records_are_matched_by_key() -> None:
    """Changed, added and removed records are listed, and equal ones are not."""
    before: dict[Item, Item] = {"café": "2,50 €", "a": "1", "same": b""}
    after: dict[Item, Item] = {"new": "1", "café": "2,80 €", "same": b""}
    assert of_records(before, after) == [
        "record 'new' ('1'): only after",
        "record 'café' value: '2,50 €' -> '2,80 €'",
        "record 'a' ('1'): only before",
    ]


def test_it_shows_itself_as_a_figure() -> None:
    """In a notebook there is a picture with a position for each moment; the text stays."""
    timeline = diff(b"", b"b")
    figure = timeline.draw(timeline)
    assert [position.label for position in figure.positions] == [
        moment.label for moment in timeline.moments
    ]
    assert timeline._repr_mimebundle_() == figure._repr_mimebundle_()


def test_text_and_bytes_are_two_values() -> None:
    """Equal letters with different tags are a difference."""
    assert of_records({"1": "1"}, {"1": b"1"}) == ["record '1' value: '1' -> b'1'"]
    assert of_records({"1": ""}, {b"1": ""}) == [
        "record '1' (''): only before",
        "record b'1' (''): only after",
    ]


def test_another_order_is_a_difference() -> None:
    """Equal records in another order are different bytes."""
    timeline = diff(
        kvlib.encode_snapshot({"a": "", "b": ""}), kvlib.encode_snapshot({"b": "", "a": ""})
    )
    assert words(timeline) == ["record 'a' was where record 'b' is now"]
    assert [picture.marks for picture in timeline.moments[0].pictures] == [((4, 15),)] * 2


def test_long_values_have_the_first_byte_that_differs() -> None:
    """If two values look alike once they are shortened, the byte is named instead."""
    before: dict[Item, Item] = {"k": "v" * 100 + "1"}
    assert of_records(before, {"k": "v" * 100 + "2"}) == [
        "record 'k' value: differs from its byte 105 on"
    ]


@given(st.binary(max_size=60), st.binary(max_size=60), st.sampled_from([*FORMATS]))
def test_no_difference_means_the_same_bytes(before: bytes, after: bytes, name: str) -> None:
    """Any bytes, in any format, are equal if and only if there is no difference."""
    for second in (before, after):
        timeline = diff(before, second, format=name)
        assert (words(timeline) == ["no difference"]) == (before == second)


@given(MAPPINGS, MAPPINGS)
def test_the_marks_are_where_bytes_differ(
    before: dict[Item, Item], after: dict[Item, Item]
) -> None:
    """The two marks of a difference hold different bytes, unless a record has moved."""
    timeline = diff(kvlib.encode_snapshot(before), kvlib.encode_snapshot(after), format="snapshot")
    for moment in timeline.moments:
        held = []
        for picture in moment.pictures:
            for start, end in picture.marks:
                assert 0 <= start <= end <= len(picture.layout.data)
                held.append(picture.layout.data[start:end])
        assert len(held) < 2 or held[0] != held[1] or " was where " in moment.outcomes[0].words


@pytest.mark.untraced
def test_every_flipped_bit_is_marked() -> None:
    """A mark covers the flipped byte, and the last difference is where reading stops."""
    data = store().read("log")
    for bit in range(8 * len(data)):
        spoilt = flip_bit(data, bit)
        timeline = diff(data, spoilt)
        marked = [
            start <= bit // 8 < end
            for moment in timeline.moments
            for start, end in moment.pictures[0].marks
        ]
        assert any(marked), bit
        layout = dissect(spoilt, format="log")
        outcome = timeline.moments[-1].outcomes[0]
        if layout.stopped_at is not None:
            assert f"at offset {layout.stopped_at}, {layout.reason}" in outcome.words
            assert outcome.verdict == ("told" if layout.root.status == "torn" else "refused")


def test_unreadable_fields_are_matched_with_the_readable_ones() -> None:
    """A damaged frame and a damaged record keep the names that they had before."""
    data = store().read("log")
    at = len(data) - 17 - 40 + 8  # frame 3 has 40 bytes, and a close frame of 17 follows
    assert words(diff(data, flip_bit(data, 8 * at)))[0] == (
        "frame 3 sequence: 3 -> not read 80 00 00 00 00 00 00 03"
    )
    stream = kvlib.encode_snapshot({"a": "1"})
    assert words(diff(stream, flip_bit(stream, 39)))[0] == ("record 'a' key: 'a' -> 72")


def test_frames_are_matched_by_sequence() -> None:
    """A torn tail is listed, and the equal frames before it are not."""
    disk = store()
    whole = disk.read("log")
    torn = whole[: len(whole) - 20]
    fresh = survivor(disk)
    fresh.write("log", torn)
    before = diff(torn, whole)
    assert words(before)[:2] == [
        "tail (37 bytes): only before",
        "frame 3 ('thé', '3,10 €'): only after",
    ]
    with kvlib.open(fresh):
        pass
    assert "tail (37 bytes): only before" in words(diff(torn, fresh.read("log")))


def test_a_compaction_is_shown_file_by_file() -> None:
    """Segments are matched by index, and a new file name is a difference."""
    found = words(diff(store(), store(compact=True)))
    assert found[0].startswith("segment 0: the file 0000000000000001.00000000.segment is now 0")
    assert "segment 0: record 'thé' ('3,10 €'): only after" in found
    assert "log: head compactions: 0 -> 1" in found
    assert "log: frame 2 ('café', '2,50 €'): only before" in found


def test_a_file_on_one_side_only_is_marked_whole(tmp_path: Path) -> None:
    """A file that exists only before or after is listed, and all its bytes are marked."""
    for name in store().names():
        (tmp_path / name).write_bytes(store().read(name))
    disk = store()
    disk.write("log.new", b"leftover")
    for timeline, side in ((diff(disk, tmp_path), "before"), (diff(str(tmp_path), disk), "after")):
        assert words(timeline) == [f"log.new: only {side}"]
        (picture,) = timeline.moments[0].pictures
        assert (picture.layout.data, picture.marks) == (b"leftover", ((0, 8),))
    assert words(diff(disk, disk)) == ["no difference"]


def test_layouts_can_be_compared() -> None:
    """A layout is compared as it is, and its source is in the title."""
    data = kvlib.encode_snapshot({"a": "1"})
    timeline = diff(dissect(data, source="old"), data[:-1] + b"2")
    assert words(timeline) == ["record 'a' value: '1' -> '2'"]
    assert [one.layout.source for one in timeline.moments[0].pictures] == ["before: old", "after"]
    assert words(diff(b"", b"")) == ["no difference"]


def test_more_bytes_than_a_page_holds_are_rejected() -> None:
    """The bytes of both states count."""
    with pytest.raises(ValueError, match="2,049 bytes before and after, a diff shows at most 2,0"):
        diff(b"s" + bytes(LIMIT // 2 - 1), b"b" + bytes(LIMIT // 2))


def test_the_text_has_80_columns() -> None:
    """All differences and the pictures of the first are in 80 columns."""
    timeline = diff(store(), store(compact=True, max_segment_size=20))
    assert "log: head segments: 1 -> 5" in repr(timeline)
    check_width(timeline)
