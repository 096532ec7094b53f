"""The exercises of notebook 2: what their checks say that no other exercise's does."""

from itertools import permutations
from typing import Any

import pytest

from helpers.right_segments import (
    headers_by_struct,
    join_by_class,
    run_by_methods,
    split_in_two_steps,
)
from kvlib.lessons import check, coding
from kvlib.lessons.exercises.segment.split import cut as right_cut


def test_an_order_of_the_join_is_right_if_each_check_comes_in_time() -> None:
    """Ten orders are right; of all, one in five is tried here."""
    for order in list(permutations(range(1, 7)))[::5]:
        totals = [one for one in order if one in (4, 6, 2)] == [4, 6, 2]
        indexes = [one for one in order if one in (5, 3)] == [5, 3]
        assert check("02-join-order", order).passed == (totals and indexes and order[-1] == 1)


def test_a_wrong_header_is_shown_labelled() -> None:
    """Of the learner's own segments the first wrong one, with the rule for its first wrong byte."""

    def add_headers(pieces: list[bytes]) -> list[bytes]:
        right = headers_by_struct(pieces)
        return [segment[:4] + bytes([0, 0, 0, 9]) + segment[8:] for segment in right]

    result = check("02-header", add_headers)
    assert result.picture
    assert result.picture.wrong == 7
    assert result.picture.rule.startswith("The total belongs here: four bytes, big-endian")
    assert "00 00 00 09               H total         9" in repr(result)


def test_a_wrong_answer_of_many_names_its_operation() -> None:
    """Of all that was asked, the first wrong answer, with what was asked there."""

    def run_segments(limit: int, operations: list[tuple[Any, ...]]) -> list[Any]:
        return ["" if one is None else one for one in run_by_methods(limit, operations)]

    result = check("02-run-segments", run_segments)
    assert "answer to operation 0, ('get', 'a'): ''" in repr(result)


@pytest.mark.parametrize("kind", [bytearray, bytes.hex])
def test_a_piece_of_another_type_is_told_so(kind: Any) -> None:
    """A list is right, and what is in it isn't bytes."""

    def cut(stream: bytes, limit: int) -> list[Any]:
        return [kind(piece) for piece in right_cut(stream, limit)]

    first, second = check("02-split", cut).words
    assert first.startswith("The first wrong one is item 0")
    assert second.startswith({bytearray: "A bytearray is nearly right", bytes.hex: "It"}[kind])


def test_a_piece_of_other_bytes_is_told_no_type() -> None:
    """They are bytes already."""
    words = check("02-split", lambda stream, limit: [b"?"]).words
    assert words[0] == "The first wrong one is item 0 (counted from 0): b'?'."
    assert "type" not in " ".join(words)


def test_a_slow_join_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that looks for each segment among all others is right, up to some thousands of them."""
    monkeypatch.setattr(coding, "AT_LEAST", 0.4)

    def join(segments: list[bytes]) -> bytes:
        join_by_class(segments)
        stream = b""
        for index in range(len(segments)):
            for segment in segments:
                if int.from_bytes(segment[:4], "big") == index:
                    stream += segment[8:]
        return stream

    result = check("02-split-join", (split_in_two_steps, join))
    assert not result.passed
    assert "join of 5,120 segments" in result.words[0]
    assert "search again" in result.words[1]


def test_an_index_of_two_bytes_is_tried() -> None:
    """An order that is right up to 255 segments is not enough."""

    def join(segments: list[bytes]) -> bytes:
        join_by_class(segments)
        return b"".join(segment[8:] for segment in sorted(segments, key=lambda one: one[3]))

    result = check("02-split-join", (split_in_two_steps, join))
    assert not result.passed
    assert "260 segments" in result.words[0]
