"""Bare segments: sizes, any order, and everything that is not one whole stream."""

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
    """A segment made by hand."""
    return index.to_bytes(4, "big") + total.to_bytes(4, "big") + piece


@pytest.mark.parametrize(("stream", "size", "segments"), CASES)
def test_a_segment_is_index_total_piece(stream: bytes, size: int, segments: list[bytes]) -> None:
    """The table holds in both directions."""
    assert kvlib.split(stream, size) == segments
    assert kvlib.join(segments) == stream


@given(st.binary(max_size=200), st.integers(9, 60), st.randoms(use_true_random=False))
def test_segments_join_in_any_order(stream: bytes, size: int, chance: random.Random) -> None:
    """Whatever the order, the stream comes back."""
    segments = kvlib.split(stream, size)
    chance.shuffle(segments)
    assert kvlib.join(segments) == stream


@given(st.binary(min_size=1, max_size=200), st.integers(9, 60))
def test_no_segment_is_larger_than_allowed(stream: bytes, size: int) -> None:
    """All segments but the last are full, and there are as few as can be."""
    segments = kvlib.split(stream, size)
    assert len(segments) == -(-len(stream) // (size - 8))
    assert [len(segment) for segment in segments[:-1]] == [size] * (len(segments) - 1)
    assert 8 < len(segments[-1]) <= size


@given(st.binary(min_size=2, max_size=60), st.integers(9, 11), st.data())
def test_a_missing_segment_is_refused(stream: bytes, size: int, data: st.DataObject) -> None:
    """Without one of its segments a stream is not joined."""
    segments = kvlib.split(stream, size)
    del segments[data.draw(st.integers(0, len(segments) - 1))]
    with pytest.raises(CorruptionError):
        kvlib.join(segments)


@given(st.binary(max_size=60), st.integers(9, 11), st.data())
def test_a_doubled_segment_is_refused(stream: bytes, size: int, data: st.DataObject) -> None:
    """A segment that is there twice is refused, beside the others or instead of one."""
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
        ([segment(0, 2, b"x"), segment(0, 2, b"x")], "second time"),
        ([segment(0, 2, b"x"), segment(0, 2, b"y")], "second time"),
        ([segment(0, 1, b"x"), segment(0, 1, b"x")], "second time"),
        ([segment(1, 1, b"x")], "index"),
        ([segment(0, 2, b"x"), segment(2, 2, b"y")], "index"),
        ([segment(2**32 - 1, 1, b"x")], "index"),
        ([segment(0, 0)], "total"),
        ([segment(0, 2, b"x"), segment(1, 3, b"y")], "total"),
        ([segment(0, 2, b"x"), segment(1, 1, b"y")], "total"),
        ([segment(0, 2**32 - 1, b"x")], "missing"),
    ],
)
def test_each_flaw_of_a_set_of_segments_is_named(segments: list[bytes], word: str) -> None:
    """None, lost, doubled, out of range, or of another snapshot: each has a reason of its own."""
    with pytest.raises(CorruptionError) as caught:
        kvlib.join(segments)
    assert word in caught.value.reason


def test_every_cut_of_a_header_is_refused() -> None:
    """A segment shorter than its header is refused, alone or among others."""
    for short in every_cut(segment(1, 2)):
        with pytest.raises(CorruptionError, match="header"):
            kvlib.join([short])
        with pytest.raises(CorruptionError, match="header"):
            kvlib.join([segment(0, 2, b"x"), short])


def test_segments_of_two_snapshots_are_refused() -> None:
    """Segments of snapshots of different length do not join."""
    old, new = kvlib.split(b"abc", 9), kvlib.split(b"abcd", 9)
    with pytest.raises(CorruptionError, match="total"):
        kvlib.join([*old[:2], *new[2:]])


@given(st.lists(st.binary(max_size=12), max_size=4))
def test_hostile_segments_are_refused_or_joined(segments: list[bytes]) -> None:
    """Any list of bytes joins to the pieces it holds, or is a CorruptionError."""
    pieces = sorted((bytes_[:4], bytes_[8:]) for bytes_ in segments)
    try:
        stream = kvlib.join(segments)
    except CorruptionError:
        return
    assert stream == b"".join(piece for _, piece in pieces)


@pytest.mark.parametrize("size", [8, 7, 1, 0, -1])
def test_a_size_below_nine_is_refused(size: int) -> None:
    """A segment must have room for a byte of the stream."""
    with pytest.raises(ValueError, match="9"):
        kvlib.split(b"stream", size)


def test_more_segments_than_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Index and total have 32 bits; here, for once, fewer."""
    from kvlib import segments

    monkeypatch.setattr(segments, "MAX_SEGMENTS", 3)
    assert len(kvlib.split(b"xyz", 9)) == 3
    with pytest.raises(ValueError, match="4 segments"):
        kvlib.split(b"wxyz", 9)


@pytest.mark.parametrize("size", [None, "9", 9.0, True], ids=repr)
def test_a_size_of_another_type_is_refused(size: Any) -> None:
    """The size is a whole number."""
    with pytest.raises((TypeError, ValueError)):
        kvlib.split(b"stream", size)
