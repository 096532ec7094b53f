"""Bare segments: sizes, any order, and every flaw of a set of segments."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvlib
from helpers.vocabulary import every_cut
from kvlib import CorruptionError

# stream, max_segment_size, segments: worked by hand from `index u32 | total u32 | piece`
CASES: list[tuple[bytes, int, list[bytes]]] = [
    (b"", 9, [b"\x00\x00\x00\x00\x00\x00\x00\x01"]),
    (b"x", 9, [b"\x00\x00\x00\x00\x00\x00\x00\x01x"]),
    (
        b"xyz",
        9,
        [
            b"\x00\x00\x00\x00\x00\x00\x00\x03x",
            b"\x00\x00\x00\x01\x00\x00\x00\x03y",
            b"\x00\x00\x00\x02\x00\x00\x00\x03z",
        ],
    ),
    (b"four", 12, [b"\x00\x00\x00\x00\x00\x00\x00\x01four"]),
    (
        b"fours",
        12,
        [b"\x00\x00\x00\x00\x00\x00\x00\x02four", b"\x00\x00\x00\x01\x00\x00\x00\x02s"],
    ),
    (b"x" * 300, 2**20, [b"\x00\x00\x00\x00\x00\x00\x00\x01" + b"x" * 300]),
]


def segment(index: int, total: int, piece: bytes = b"") -> bytes:
    """Return a segment made by hand."""
    return index.to_bytes(4, "big") + total.to_bytes(4, "big") + piece


@pytest.mark.parametrize(("stream", "size", "segments"), CASES)
def test_a_segment_is_index_total_piece(stream: bytes, size: int, segments: list[bytes]) -> None:
    """A segment written out by hand is what split makes, and join takes."""
    assert kvlib.split(stream, size) == segments
    assert kvlib.join(segments) == stream


@given(st.binary(max_size=200), st.integers(9, 60), st.randoms(use_true_random=False))
def test_segments_are_full_and_join_in_any_order(
    stream: bytes, size: int, chance: random.Random
) -> None:
    """There are as few segments as possible, and all but the last one are full."""
    segments = kvlib.split(stream, size)
    assert len(segments) == max(1, -(-len(stream) // (size - 8)))
    assert {len(segment) for segment in segments[:-1]} <= {size}
    assert len(segments[-1]) <= size
    chance.shuffle(segments)
    assert kvlib.join(segments) == stream


@given(st.binary(min_size=2, max_size=60), st.integers(9, 11), st.data())
def test_a_missing_segment_is_refused(stream: bytes, size: int, data: st.DataObject) -> None:
    """A stream isn't joined without one of its segments."""
    segments = kvlib.split(stream, size)
    del segments[data.draw(st.integers(0, len(segments) - 1))]
    with pytest.raises(CorruptionError):
        kvlib.join(segments)


@given(st.binary(max_size=60), st.integers(9, 11), st.data())
def test_a_doubled_segment_is_refused(stream: bytes, size: int, data: st.DataObject) -> None:
    """A segment that comes twice is refused, even if it replaces another."""
    segments = kvlib.split(stream, size)
    twice = data.draw(st.sampled_from(segments))
    with pytest.raises(CorruptionError):
        kvlib.join([*segments, twice])
    if len(segments) > 1:
        segments[data.draw(st.integers(0, len(segments) - 1))] = twice
        if len(set(segments)) < len(segments):
            with pytest.raises(CorruptionError):
                kvlib.join(segments)


@pytest.mark.parametrize(
    ("segments", "word"),
    [
        ([], "missing"),
        ([segment(0, 2, b"x")], "missing"),
        ([segment(1, 2, b"x")], "missing"),
        ([segment(0, 3, b"x"), segment(2, 3, b"z")], "missing"),
        ([segment(0, 2, b"x"), segment(0, 2, b"x")], "second"),
        ([segment(0, 2, b"x"), segment(0, 2, b"y")], "second"),
        ([segment(0, 1, b"x"), segment(0, 1, b"x")], "second"),
        ([segment(1, 1, b"x")], "index"),
        ([segment(0, 2, b"x"), segment(2, 2, b"y")], "index"),
        ([segment(2**32 - 1, 1, b"x")], "index"),
        ([segment(0, 0)], "total"),
        ([segment(0, 2, b"x"), segment(1, 3, b"y")], "total"),
        ([segment(0, 3, b"x"), segment(1, 2, b"y")], "total"),
        ([segment(0, 2, b"x"), segment(1, 1, b"y")], "index"),
        ([segment(0, 2**32 - 1, b"x")], "missing"),
        (kvlib.split(b"abc", 9)[:2] + kvlib.split(b"abcd", 9)[2:3], "total"),
        *(([cut], "header") for cut in every_cut(segment(1, 2))),
        *(([segment(0, 2, b"x"), cut], "header") for cut in every_cut(segment(1, 2))),
    ],
)
def test_each_flaw_of_a_set_of_segments_is_named(segments: list[bytes], word: str) -> None:
    """The reason says what is missing, doubled, out of range or of another snapshot."""
    with pytest.raises(CorruptionError) as caught:
        kvlib.join(segments)
    assert word in caught.value.reason
    position = "" if word == "missing" else f"[{len(segments) - 1}]"  # the last one is wrong
    assert caught.value.path == f"segments{position}"


@pytest.mark.parametrize("size", [8, 7, 1, 0, -1, None, "9", 9.0, True], ids=repr)
def test_a_size_is_an_int_of_at_least_nine(size: Any) -> None:
    """A segment must have room for a byte of the stream."""
    with pytest.raises((TypeError, ValueError), match="max_segment_size"):
        kvlib.split(b"stream", size)


def test_more_segments_than_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Index and total have 32 bits; in this test, fewer."""
    monkeypatch.setattr("kvlib.segments.MAX_SEGMENTS", 3)
    assert len(kvlib.split(b"xyz", 9)) == 3
    with pytest.raises(ValueError, match="4 segments"):
        kvlib.split(b"wxyz", 9)
