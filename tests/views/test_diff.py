"""Differences, field by field: nothing is left out, nothing is invented."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvlib
from helpers.vocabulary import MAPPINGS, flip_bit, survivor
from kvlib import MemoryDisk
from kvlib.encoding import Item
from kvlib.layout.dissect import FORMATS, dissect
from kvlib.layout.text import COLUMNS, width
from kvlib.views.diff import LIMIT, diff
from kvlib.views.timeline import Timeline


def words(film: Timeline) -> list[str]:
    """What differs."""
    return [moment.outcomes[0].words for moment in film.moments]


def of_records(before: dict[Item, Item], after: dict[Item, Item]) -> list[str]:
    """What differs between two snapshot streams."""
    return words(diff(kvlib.encode_snapshot(before), kvlib.encode_snapshot(after)))


def store(*, compact: bool = False, **options: Any) -> MemoryDisk:
    """Two records in the log, or in a snapshot."""
    disk = MemoryDisk()
    with kvlib.open(disk, **options) as made:
        made["café"] = "2,50 €"
        made["thé"] = "3,10 €"
        if compact:
            made.compact()
    return disk


def test_a_record_is_found_again_by_its_key() -> None:
    """By hand: changed, only before, only after; the other records are not mentioned."""
    before: dict[Item, Item] = {"café": "2,50 €", "a": "1", "same": b""}
    after: dict[Item, Item] = {"new": "1", "café": "2,80 €", "same": b""}
    assert of_records(before, after) == [
        "record 'new' ('1'): only after",
        "record 'café' value: '2,50 €' -> '2,80 €'",
        "record 'a' ('1'): only before",
    ]


def test_text_and_bytes_are_two_values() -> None:
    """The same letters with another tag differ."""
    assert of_records({"1": "1"}, {"1": b"1"}) == ["record '1' value: '1' -> b'1'"]
    assert of_records({"1": ""}, {b"1": ""}) == [
        "record '1' (''): only before",
        "record b'1' (''): only after",
    ]


def test_another_order_is_a_difference() -> None:
    """The records are the same; the bytes are not."""
    film = diff(
        kvlib.encode_snapshot({"a": "", "b": ""}), kvlib.encode_snapshot({"b": "", "a": ""})
    )
    assert words(film) == ["record 'a' was where record 'b' is now"]
    assert [picture.marks for picture in film.moments[0].pictures] == [((4, 15, "differs"),)] * 2


def test_long_values_differ_from_a_byte_on() -> None:
    """They are cut; what the cut ones can't say is said."""
    before: dict[Item, Item] = {"k": "v" * 100 + "1"}
    assert of_records(before, {"k": "v" * 100 + "2"}) == [
        "record 'k' value: differs from its byte 105 on"
    ]


@given(st.binary(max_size=60), st.binary(max_size=60), st.sampled_from([*FORMATS]))
def test_no_difference_means_the_same_bytes(before: bytes, after: bytes, name: str) -> None:
    """And the same bytes have none; whatever they are, there is no exception."""
    for second in (before, after):
        film = diff(before, second, format=name)
        assert (words(film) == ["no difference"]) == (before == second)


@given(MAPPINGS, MAPPINGS)
def test_the_marks_are_where_bytes_differ(
    before: dict[Item, Item], after: dict[Item, Item]
) -> None:
    """A mark lies in its picture; two of a difference never hold the same bytes, unless moved."""
    film = diff(kvlib.encode_snapshot(before), kvlib.encode_snapshot(after), format="snapshot")
    for moment in film.moments:
        held = []
        for picture in moment.pictures:
            for mark in picture.marks:
                assert 0 <= mark.start <= mark.end <= len(picture.layout.data)
                held.append(picture.layout.data[mark.start : mark.end])
        if len(held) == 2 and "stood where" not in moment.outcomes[0].words:
            assert held[0] != held[1]


@pytest.mark.untraced
def test_every_flipped_bit_is_shown_where_it_is() -> None:
    """The byte lies in a mark of the first picture; what the engine says then comes last."""
    data = store().read("log")
    for bit in range(8 * len(data)):
        spoilt = flip_bit(data, bit)
        film = diff(data, spoilt)
        marked = [
            mark.start <= bit // 8 < mark.end
            for moment in film.moments
            for mark in moment.pictures[0].marks
        ]
        assert any(marked), bit
        layout = dissect(spoilt, format="log")
        outcome = film.moments[-1].outcomes[0]
        if layout.stopped_at is not None:
            assert f"at offset {layout.stopped_at}, {layout.reason}" in outcome.words
            assert outcome.verdict == ("told" if layout.root.status == "torn" else "refused")


def test_what_cannot_be_read_is_compared_with_what_stood_there() -> None:
    """By hand: a frame whose checksum is wrong, and a record whose tag is."""
    data = store().read("log")
    at = len(data) - 17 - 40 + 8  # of frame 3: 17 bytes of close frame behind it, 40 of its own
    assert words(diff(data, flip_bit(data, 8 * at)))[0] == (
        "frame 3 sequence: 3 -> not read 80 00 00 00 00 00 00 03"
    )
    stream = kvlib.encode_snapshot({"a": "1"})
    assert words(diff(stream, flip_bit(stream, 39)))[0] == ("record 'a' key: 'a' -> 72")


def test_a_frame_is_found_again_by_its_sequence() -> None:
    """By hand: recovery drops a torn tail; the frames before it are not mentioned."""
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


def test_a_compaction_file_by_file() -> None:
    """Segments are found again by their index, and the new name is said."""
    found = words(diff(store(), store(compact=True)))
    assert found[0].startswith("segment 0: the file 0000000000000001.00000000.segment is now 0")
    assert "segment 0: record 'thé' ('3,10 €'): only after" in found
    assert "log: head compactions: 0 -> 1" in found
    assert "log: frame 2 ('café', '2,50 €'): only before" in found


def test_a_file_on_one_side_only_is_said_so(tmp_path: Path) -> None:
    """Before and after, also for the path of a directory; its whole picture is marked."""
    for name in store().names():
        (tmp_path / name).write_bytes(store().read(name))
    disk = store()
    disk.write("log.new", b"leftover")
    for film, side in ((diff(disk, tmp_path), "before"), (diff(str(tmp_path), disk), "after")):
        assert words(film) == [f"log.new: only {side}"]
        (picture,) = film.moments[0].pictures
        assert (picture.layout.data, picture.marks) == (b"leftover", ((0, 8, "differs"),))
    assert words(diff(disk, disk)) == ["no difference"]


def test_layouts_can_be_given() -> None:
    """As they are; their names are in the titles."""
    data = kvlib.encode_snapshot({"a": "1"})
    film = diff(dissect(data, source="old"), data[:-1] + b"2")
    assert words(film) == ["record 'a' value: '1' -> '2'"]
    assert [one.layout.source for one in film.moments[0].pictures] == ["before: old", "after"]
    assert words(diff(b"", b"")) == ["no difference"]


def test_mistakes_of_the_caller() -> None:
    """Two kinds of things; more than a page can show; an unknown format."""
    with pytest.raises(
        TypeError, match="diff takes two states of one thing: bytes or files, or else two stores"
    ):
        diff(b"", MemoryDisk())
    with pytest.raises(
        ValueError, match="2,049 bytes before and after, a diff shows at most 2,048"
    ):
        diff(b"s" + bytes(LIMIT // 2 - 1), b"b" + bytes(LIMIT // 2))
    with pytest.raises(ValueError, match="format 'x' is not one of"):
        diff(b"", b"", format="x")


def test_the_text_has_80_columns() -> None:
    """All differences, then the pictures of the first."""
    text = repr(diff(store(), store(compact=True, max_segment_size=20)))
    assert "log: head segments: 1 -> 5" in text
    assert max(width(line) for line in text.split("\n")) <= COLUMNS
