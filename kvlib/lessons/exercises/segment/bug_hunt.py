"""02-bug-hunt: find and fix the edge case where a tested function fails.

`their_split` passed every test its author thought of, and its segments join correctly. But for some
streams, they aren't the segments that the format asks for. Remove the first line, find the bug and
fix it.

Hint: Try the edges: an empty stream, one byte less than a full segment, a full segment, and one
byte more.

Hint: With a limit of 15, a segment carries 7 bytes. What is `total` for 6, 7 and 8 bytes, and what
should it be?

Hint: The code rounds down and adds one. When nothing is left over, it must not add one. Round up
instead, and remember the empty stream.

Why: Bugs like this sit exactly at an edge. So test there: empty, one byte, full, and full plus one.
"""

from collections.abc import Sequence
from typing import Final

from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Case, texts
from kvlib.lessons.exercises.segment.pieces import spell_segments
from kvlib.lessons.relations import Message, Spelling, segment_messages


def their_split(stream: bytes, limit: int) -> list[bytes]:
    """Round up, but never to zero."""
    size = limit - 8
    total = max(1, -(-len(stream) // size))
    heads = [n.to_bytes(4, "big") + total.to_bytes(4, "big") for n in range(total)]
    return [heads[n] + stream[n * size : (n + 1) * size] for n in range(total)]


def spell_hunt(stream: bytes, limit: int) -> Spelling:
    """Return how segments are spelled, and how they look if the bug is fixed wrongly."""
    size, right = limit - 8, spell_segments(stream, limit)
    total = len(stream) // size + 1
    pieces = [stream[n * size : (n + 1) * size] for n in range(total)]
    with_empty = segment_messages(pieces)
    nearest = max(1, round(len(stream) / size))
    wrong: dict[str, Sequence[Message]] = {
        "": right[""],
        "You removed the empty segment, but the others still count it in their total, so a reader "
        "would wait for it. Fix the number, not the list.": [
            one for one, piece in zip(with_empty, pieces, strict=True) if piece
        ]
        or with_empty,
        "You removed the empty segments, but an empty stream has no other segment. Fix the number, "
        "not the list.": [one for one, piece in zip(with_empty, pieces, strict=True) if piece],
        "The size was right: 8 bytes of the limit belong to the header. But the number of "
        "segments is "
        "computed from the whole limit.": segment_messages(
            [stream[n * size : (n + 1) * size] for n in range(max(1, -(-len(stream) // limit)))]
        ),
        "The number of segments is computed from the whole limit and its header.": segment_messages(
            [stream[n * size : (n + 1) * size] for n in range(len(stream) // limit + 1)]
        ),
        "Only a stream of exactly one full piece is mended. What about two full pieces?": (
            right[""] if len(stream) == size else with_empty
        ),
        "`round` goes to the nearest number, so you drop a short last piece. Which way must you "
        "round?": segment_messages([stream[n * size : (n + 1) * size] for n in range(nearest)]),
        "The bug is still there: where the last segment is full, an empty one follows it. Which "
        "line decides how many segments there are?": with_empty,
    }
    return {**wrong, **right}


EXERCISE: Final = Coding(
    **texts(__name__),
    minutes=10,
    points=2,
    functions=(their_split,),
    given_code="""\
def their_split(stream, limit):
    raise NotImplementedError  # YOUR CODE HERE: take this line out, and mend one below
    size = limit - 8
    total = len(stream) // size + 1
    heads = [n.to_bytes(4, "big") + total.to_bytes(4, "big") for n in range(total)]
    return [heads[n] + stream[n * size : (n + 1) * size] for n in range(total)]""",
    cases=(
        Case((b"", 9), "an empty stream"),
        Case((b"", 10), "an empty stream, and room for two bytes"),
        Case((b"a", 10), "a segment that is not full"),
        Case((b"a", 9), "a segment that is full"),
        Case((b"ab", 10), "a segment that is full"),
        Case((b"abc", 10), "a last segment that is not full"),
        Case((b"abcd", 10), "a last segment that is full"),
        Case((b"abcdefghi", 11), "three full segments"),
        Case((b"abcdefgh", 15), "a last segment that carries one byte"),
        Case((b"abcdefghijklm", 15), "a last segment that is one byte short of full"),
    ),
    own=("split",),
    formats=("segment",),
    spell=(spell_hunt,),
)
