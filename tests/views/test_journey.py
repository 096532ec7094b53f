"""A record's journey: its sizes and fields are the engine's, and every station fits the card."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kvlib
from helpers.golden import check_width
from kvlib.encoding import Item, encode_field
from kvlib.segments import split
from kvlib.views.journey import LEFT, LIMIT, RIGHT, journey, travel

ITEM = st.text(st.characters(codec="utf-8"), max_size=40) | st.binary(max_size=40)


def test_the_way_as_text_has_the_notebooks_stations_in_brackets() -> None:
    """Sizes that are still to be guessed aren't told; the line is wrapped between stations."""
    told = [str(journey(number)).replace("\n ", "") for number in (1, 2, 3)]
    assert told == [
        "One record, in bytes: [record 0 > fields ? > stream ?] > segment ? > sealed file ? > "
        "log frame ? > back again",
        "One record, in bytes: record 0 > fields 23 > stream 27 > [segment ? > sealed file ?] > "
        "log frame ? > back again",
        "One record, in bytes: record 0 > fields 23 > stream 27 > segment 35 > sealed file 60 > "
        "[log frame ? > back again]",
    ]


@settings(max_examples=30)
@given(ITEM, ITEM)
def test_the_stations_are_the_engines(key: Item, value: Item) -> None:
    """Sizes, fields and what comes back are the same as those of the engine's own functions."""
    record, fields, stream, segment, sealed, frame, back = travel(key, value)
    encoded = kvlib.encode_snapshot({key: value})
    (bare,) = split(encoded, 10_000)
    assert fields.size == len(encode_field(key) + encode_field(value))
    assert (stream.size, segment.size) == (len(encoded), len(bare))
    disk = kvlib.MemoryDisk()
    store = kvlib.Store()
    store.put(key, value)
    store.serialize(disk)
    assert sealed.size == len(disk.read(disk.names()[0]))
    with kvlib.open(kvlib.MemoryDisk()) as durable:
        before = durable.status().log_bytes
        durable.put(key, value)
        assert frame.size == durable.status().log_bytes - before
    assert record.records == back.records == ((key, value),)
    for station in (fields, stream, segment, sealed, frame):
        ends = [part.end for part in station.parts]
        assert [part.start for part in station.parts[1:]] == ends[:-1]
        (key_part,) = (part for part in station.parts if part.kind == "key")
        assert key_part.value == key
        assert (station.parts[-1].kind, station.parts[-1].value) == ("value", value)


@settings(max_examples=30)
@given(ITEM, ITEM)
def test_all_stations_are_aligned_and_stay_on_the_card(key: Item, value: Item) -> None:
    """Widths are to scale, and every ribbon ends at the same place."""
    figure = journey(2, key, value)
    check_width(figure)
    shapes = "".join(figure.positions[0].shapes)
    frames = re.findall(
        r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="30" rx="4"', shapes
    )
    sizes = [station.size for station in travel(key, value) if station.parts]
    scale = float(frames[3][1]) / sizes[3]
    assert len(frames) == len(sizes)
    for (x, width), size in zip(frames, sizes, strict=True):
        assert float(x) + float(width) == pytest.approx(RIGHT, abs=0.2)
        assert float(width) == pytest.approx(size * scale, abs=1)
        assert float(x) >= LEFT - 0.1
    boxes = re.findall(r'<rect x="(-?[\d.]+)" y="[\d.]+" width="(-?[\d.]+)"', shapes)
    assert all(float(x) >= 0 and 0 <= float(w) <= 850 - float(x) for x, w in boxes)


def test_each_notebook_says_what_it_does() -> None:
    """The sentence gives no size away, and no control is named."""
    figures = [journey(number, "k", "v") for number in (1, 2, 3)]
    assert [figure.sentence(figure.positions[0]) for figure in figures] == [
        "This notebook encodes a record as two fields, and all records as a snapshot stream. "
        "Each ? is a size that you will find out.",
        "This notebook cuts the stream into segments, and seals each of them in a file. Each "
        "? is a size that you will find out.",
        "This notebook appends each change to a log as one frame, and recovers the record after "
        "a crash. Each ? is a size that you will find out.",
    ]
    assert all(len(figure.title) <= 60 for figure in figures)


def test_a_part_too_narrow_for_words_has_none() -> None:
    """An envelope says what it is, or only its size, or nothing."""
    found = [journey(3, "k", "v" * size).image() for size in (6, 50, 300, 900)]
    assert ["an envelope: 25 bytes" in image for image in found] == [True, False, False, False]
    assert [">25<" in image for image in found] == [False, True, True, False]


def test_an_empty_text_can_be_seen_in_memory() -> None:
    """A chip without text has quotation marks; fields without bytes have nothing."""
    assert journey(1, "", "").image().count('>""<') == 4


def test_what_cannot_be_shown_is_refused() -> None:
    """There are three notebooks, and a picture to scale has room for 1,000 bytes."""
    with pytest.raises(ValueError, match="notebook"):
        journey(4)
    with pytest.raises(TypeError, match="notebook"):
        journey("1")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="str or bytes"):
        journey(1, 5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the record is too long: 1,011 bytes as fields"):
        journey(1, "k", "v" * LIMIT)
    assert journey(1, "", "v" * (LIMIT - 10))
