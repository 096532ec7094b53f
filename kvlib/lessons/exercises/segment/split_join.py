"""02-split-join: split a stream so that you can join it from any order, or refuse it.

Write `split(stream, max_segment_size)` and `join(segments)`. A segment is index, total (four bytes
each, big-endian) and a piece of the stream, and is no longer than the limit. There is always at
least one segment, and a limit below 9 is a ValueError. `join` takes the segments in any order. It
raises a ValueError if one is lost, occurs twice, has another total, or lacks a whole header. (Check
a total before you count up to it: it may promise four billion.)

Hint: `split` has two steps: cut the stream into pieces, then put a header before each. Cut all the
pieces first, because each header says how many there are.

Hint: While you fill a dict from index to piece, it shows you which index occurs twice. When it is
full, look up the indexes in order.

Hint: Collect the totals in a set. At the end it must hold exactly one number: the number of
segments you got. Every index must be smaller than that.

Why: `join` trusts nothing. It compares the segments with what each header promises, and only then
joins them. Segments from another snapshot with the same total still get through.
"""

from typing import Final

from kvlib import segments
from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Case, refused, texts
from kvlib.lessons.exercises.segment.pieces import (
    A2,
    A3,
    A4,
    B2,
    B3,
    C3,
    D4,
    LONE,
    READABLE,
    spell_segments,
)

LOST: Final = "Each header says how many segments there are. Where do you compare that?"
TWICE: Final = "In a dict the second replaces the first. When could you notice?"
TOTALS: Final = "Pieces of two streams would be mixed. How many of the totals do you look at?"
SHORT: Final = "A slice past the end returns whatever is left. How long is a segment at least?"
RANGE: Final = "Indexes count from 0, so the largest is one less than the total."


def _large_segments() -> list[Case]:
    stream = bytes(range(256)) * 400
    return [
        Case((stream, 28), "a stream of 102,400 bytes"),
        # Totals stay small here: an answer that reads them as little-endian and then lists all the
        # numbers up to one would need 16 million numbers per segment.
        Case(
            (split(b"abcdefghijkl", 9),),
            "12 segments, so some indexes have two digits",
            "Do you sort the indexes as numbers, or as text, where `10` comes before `2`?",
            of=1,
        ),
        Case(  # a nested loop would run too many lines for a small case
            (split(stream[:260], 9)[::-1],),
            "a join of 260 segments, so that an index needs its second byte",
            of=1,
        ),
        Case((split(stream, 28)[::-1],), "a join of 5,120 segments", of=1),
    ]


def split(stream: bytes, max_segment_size: int) -> list[bytes]:
    """Cut first, because each header says how many pieces there are."""
    size = max_segment_size - 8
    if size < 1:
        raise ValueError(f"max_segment_size is {max_segment_size}: it must be 9 or more")
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)] or [b""]
    total = len(pieces).to_bytes(4, "big")
    return [index.to_bytes(4, "big") + total + piece for index, piece in enumerate(pieces)]


def join(segments: list[bytes]) -> bytes:
    """Check the segments against their headers, and only then join."""
    pieces: dict[int, bytes] = {}
    totals: set[int] = set()
    for segment in segments:
        index, total = int.from_bytes(segment[:4], "big"), int.from_bytes(segment[4:8], "big")
        if len(segment) < 8 or index >= total:
            raise ValueError(f"bad header: {segment[:8]!r}")
        if index in pieces:
            raise ValueError(f"segment {index} occurs twice")
        pieces[index] = segment[8:]
        totals.add(total)
    if totals != {len(pieces)}:
        raise ValueError(f"{len(pieces)} segments, but their totals are {sorted(totals)}")
    return b"".join(pieces[index] for index in range(len(pieces)))


EXERCISE: Final = Coding(
    **texts(__name__),
    minutes=30,
    points=6,
    functions=(
        split,
        join,
    ),
    cases=(
        Case((b"", 10), "an empty stream"),
        Case((b"", 9), "the smallest limit: a segment has room for one byte"),
        Case((b"a", 9), "one byte, and room for exactly one"),
        Case((b"a", 10), "a segment that is not full"),
        Case((b"ab", 9), "two segments"),
        Case((b"abcd", 10), "a last segment that is full"),
        Case((b"abcde", 10), "a last segment that is not full"),
        Case((b"abc", 64), "more room than bytes"),
        Case((bytes(257), 9), "an index and a total that need their second byte"),
        refused(
            "a limit that leaves no room for data", "What must you check before you cut?", b"a", 8
        ),
        refused(
            "a limit that leaves no room for a header",
            "What must you check before you cut?",
            b"abc",
            7,
        ),
        Case((split(b"", 9),), "an empty stream", later=True, of=1),
        Case(
            ([LONE],),
            "one segment",
            signs=(
                (LONE, "You joined the headers too. Where does the piece begin in a segment?"),
                (
                    LONE[4:],
                    "You joined the totals too, because you cut off only half of each header.",
                ),
            ),
            of=1,
        ),
        Case(([A2, B2],), "two segments", of=1),
        Case(
            ([B2, A2],),
            "two segments in the wrong order",
            signs=(
                (
                    b"ba",
                    "You join the pieces in the order in which they came. What in a segment says "
                    "where it belongs?",
                ),
            ),
            of=1,
        ),
        Case(([C3, A3, B3],), "three segments in some order", of=1),
        Case((segments.split(b"aa", 9),), "two segments with the same piece", of=1),
        Case(
            ([LONE[:8] * 2],),
            "a piece that looks like its header",
            "Take the header off by its place: `segment[8:]`.",
            of=1,
        ),
        Case((split(b"abcde", 10)[::-1],), "a short last segment that comes first", of=1),
        refused(
            "no segment at all",
            "An empty stream has one segment. So what does it mean if there is none?",
            [],
            of=1,
        ),
        refused("segments without the last one", LOST, [A2], of=1),
        refused("segments without the first one", LOST, [B2], of=1),
        refused("segments without one in the middle", LOST, [C3, A3], of=1),
        refused("a segment that occurs twice", TWICE, [LONE, LONE], of=1),
        refused("a segment that occurs twice, and none lost", TWICE, [B2, A2, B2], of=1),
        refused(
            "one segment twice, and another one lost",
            "The number of segments is right, and one of them is still missing. Which indexes "
            "are there?",
            [A2, A2],
            of=1,
        ),
        refused("a segment of another total", TOTALS, [A2, B3], of=1),
        refused("a segment of another total that comes first", TOTALS, [B3, A2], of=1),
        refused("an extra segment, with another total", TOTALS, [A2, B2, C3], of=1),
        refused("half a header", SHORT, [LONE[:4]], of=1),
        refused("a header without its first byte", SHORT, [LONE[1:8]], of=1),
        refused("a segment with nothing in it", SHORT, [b""], of=1),
        refused("an index that is not below the total", RANGE, [b"\0\0\0\1\0\0\0\1a"], of=1),
        refused("an index beyond the total", RANGE, [A2, B2[:3] + b"\2" + B2[4:]], of=1),
        refused(
            "a total of four billion",
            "Check a total before you count up to it.",
            [bytes(4) + b"\xff" * 4 + b"a"],
            of=1,
        ),
        refused(
            "a segment, and one with half a header",
            "Is what can't be read skipped, or refused?",
            [LONE, LONE[:5]],
            of=1,
        ),
        refused(
            "two segments that occur twice, and two lost",
            "The number of segments is right, and so is the sum of the indexes. Which are there?",
            [A4, A4, D4, D4],
            of=1,
        ),
        refused(
            "a total of 0",
            "How many segments are there if there is one? What must its total be?",
            [bytes(8)],
            of=1,
        ),
    ),
    own=(
        "split",
        "join",
    ),
    formats=("segment", ""),
    spell=(spell_segments, None),
    samples=((), READABLE),
    large=_large_segments,
)
