"""02-split-join: a stream that comes back from any order, or is refused."""

from typing import Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise
from kvlib.lessons.exercises.segment.pieces import A2, A3, B2, B3, C3, LONE
from kvlib.lessons.exercises.segment.split_join_mistakes import MISTAKES
from kvlib.segments import join, split


def _large_segments() -> list[Case]:
    stream = bytes(range(256)) * 400
    return [
        Case((stream, 28), "a stream of 102,400 bytes"),
        # Totals stay small here: an answer that reads them as little-endian and then lists all the
        # numbers up to one would need 16 million numbers per segment.
        Case(
            (solutions.split(b"abcdefghijkl", 9),),
            "12 segments, so some indexes have two digits",
            1,
        ),
        Case(  # a nested loop would run too many lines for a small case
            (solutions.split(stream[:260], 9)[::-1],),
            "a join of 260 segments, so that an index needs its second byte",
            1,
        ),
        Case((solutions.split(stream, 28)[::-1],), "a join of 5,120 segments", 1),
    ]


EXERCISE: Final = Exercise(
    name="02-split-join",
    kind="functions",
    objective="split a stream so that it comes back from any order, or is refused",
    task=(
        "Write `split(stream, max_segment_size)` and `join(segments)`. A segment is index, total "
        "(four bytes each, big-endian) and a piece of the stream, and is no longer than the "
        "limit. There is always at least one segment, and a limit below 9 is a ValueError. `join` "
        "takes the segments in any order. It raises a ValueError if one is lost, occurs twice, "
        "has another total, or lacks a whole header. (Check a total before you count up to it: it "
        "may promise four billion.)"
    ),
    stub="""\
def split(stream, max_segment_size):
    raise NotImplementedError  # YOUR CODE HERE


def join(segments):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("split", "join"),
    solution=(solutions.split, solutions.join),
    cases=(
        Case((b"", 9), "an empty stream"),
        Case((b"a", 9), "one byte, and room for exactly one"),
        Case((b"a", 10), "a segment that is not full"),
        Case((b"ab", 9), "two segments"),
        Case((b"abcd", 10), "a last segment that is full"),
        Case((b"abcde", 10), "a last segment that is not full"),
        Case((b"abc", 64), "more room than bytes"),
        Case((bytes(257), 9), "an index and a total that need their second byte"),
        Case((b"a", 8), "a limit that leaves no room for data", refused=True),
        Case((b"abc", 7), "a limit that leaves no room for a header", refused=True),
        Case((solutions.split(b"", 9),), "an empty stream", 1),
        Case(([LONE],), "one segment", 1),
        Case(([A2, B2],), "two segments", 1),
        Case(([B2, A2],), "two segments in the wrong order", 1),
        Case(([C3, A3, B3],), "three segments in some order", 1),
        Case((solutions.split(b"abcde", 10)[::-1],), "a short last segment that comes first", 1),
        Case(([],), "no segment at all", 1, refused=True),
        Case(([A2],), "the last segment lost", 1, refused=True),
        Case(([B2],), "the first segment lost", 1, refused=True),
        Case(([C3, A3],), "a segment in the middle lost", 1, refused=True),
        Case(([LONE, LONE],), "a segment that occurs twice", 1, refused=True),
        Case(([B2, A2, B2],), "a segment that occurs twice, and none lost", 1, refused=True),
        Case(([A2, A2],), "one segment twice, and another one lost", 1, refused=True),
        Case(([A2, B3],), "a segment of another total", 1, refused=True),
        Case(([B3, A2],), "a segment of another total that comes first", 1, refused=True),
        Case(([A2, B2, C3],), "an extra segment, with another total", 1, refused=True),
        Case(([LONE[:4]],), "half a header", 1, refused=True),
        Case(([LONE[1:8]],), "a header without its first byte", 1, refused=True),
        Case(([b""],), "a segment with nothing in it", 1, refused=True),
        Case(([bytes(8)],), "a total of 0", 1, refused=True),
    ),
    mistakes=MISTAKES,
    hints=(
        "`split` has two steps: cut the stream into pieces, then put a header before each. Cut "
        "all the pieces first, because each header says how many there are.",
        "While you fill a dict from index to piece, it shows you which index occurs twice. When "
        "it is full, look up the indexes in order.",
        "Collect the totals in a set. At the end it must hold exactly one number: the number of "
        "segments you got. Every index must be smaller than that.",
    ),
    why=(
        "`join` trusts nothing. It compares the segments with what each header promises, and only "
        "then joins them. Segments from another snapshot with the same total still get through."
    ),
    points=6,
    minutes=15,
    own={"split": split, "join": join},
    format=("segment", ""),
    large=_large_segments,
)
