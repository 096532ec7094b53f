"""02-bug-hunt: a split that fails at an edge."""

from typing import Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, mistake
from kvlib.lessons.exercises.collected import mistakes_in
from kvlib.lessons.exercises.fields import u32
from kvlib.lessons.exercises.segment.pieces import Segments
from kvlib.lessons.exercises.segment.split import cut_drops_the_last, cut_gives_none_for_empty
from kvlib.segments import split


def _their_split(stream: bytes, size: int, total: int) -> Segments:
    """Return the segments that their function makes, given a size and a total."""
    return [u32(n) + u32(total) + stream[n * size : (n + 1) * size] for n in range(max(total, 0))]


@mistake(
    "The bug is still there: this segment is full, and an empty one follows it. Which line "
    "decides how many segments there are?"
)
def hunt_not_mended(stream: bytes, limit: int) -> Segments:
    """Leave the bug in."""
    return _their_split(stream, limit - 8, len(stream) // (limit - 8) + 1)


@mistake(cut_drops_the_last.sentence)
def hunt_rounds_down(stream: bytes, limit: int) -> Segments:
    """Remove the + 1."""
    return _their_split(stream, limit - 8, len(stream) // (limit - 8))


@mistake(
    "You fixed the empty stream and the full last segment. What about a last segment that isn't "
    "full, when others come before it?"
)
def hunt_rounds_down_to_one(stream: bytes, limit: int) -> Segments:
    """Remove the + 1, but handle the empty stream."""
    return _their_split(stream, limit - 8, max(1, len(stream) // (limit - 8)))


@mistake(cut_gives_none_for_empty.sentence)
def hunt_gives_none_for_empty(stream: bytes, limit: int) -> Segments:
    """Round up, but forget the empty stream."""
    return _their_split(stream, limit - 8, -(-len(stream) // (limit - 8)))


@mistake(
    "`round` goes to the nearest number, so you drop a short last piece. Which way must you round?"
)
def hunt_rounds_to_the_nearest(stream: bytes, limit: int) -> Segments:
    """Use `round`."""
    return _their_split(stream, limit - 8, max(1, round(len(stream) / (limit - 8))))


@mistake(
    "You removed the empty segment, but the others still count it in their total, so a reader "
    "would wait for it. Fix the number, not the list."
)
def hunt_removes_what_is_empty(stream: bytes, limit: int) -> Segments:
    """Remove the empty segment, but leave the totals as they are."""
    segments = hunt_not_mended.answer(stream, limit)
    return [segment for segment in segments if len(segment) > 8] or segments


@mistake(
    "You removed the empty segments, but an empty stream has no other segment. Fix the number, "
    "not the list."
)
def hunt_removes_all_that_is_empty(stream: bytes, limit: int) -> Segments:
    """Remove the only segment of an empty stream too."""
    return [segment for segment in hunt_not_mended.answer(stream, limit) if len(segment) > 8]


@mistake(
    "Your segments are now longer than the limit. The size was right, so look at the number "
    "that is computed from it."
)
def hunt_changes_the_size(stream: bytes, limit: int) -> Segments:
    """Make the pieces larger."""
    return _their_split(stream, limit - 7, len(stream) // (limit - 7) + 1)


@mistake(
    "The size was right: 8 bytes of the limit belong to the header. Look at the number that is "
    "computed from it."
)
def hunt_forgets_the_header(stream: bytes, limit: int) -> Segments:
    """Make the pieces as large as the segments."""
    return _their_split(stream, limit, len(stream) // limit + 1)


EXERCISE: Final = Exercise(
    name="02-bug-hunt",
    kind="function",
    objective="find the edge at which a function that passed its tests fails, and mend it",
    task=(
        "`their_split` passed every test its author thought of, and its segments join correctly. "
        "But for some streams, they aren't the segments that the format asks for. Remove the "
        "first line, find the bug and fix it."
    ),
    stub="""\
def their_split(stream, limit):
    raise NotImplementedError  # YOUR CODE HERE: take this line out, and mend one below
    size = limit - 8
    total = len(stream) // size + 1
    heads = [n.to_bytes(4, "big") + total.to_bytes(4, "big") for n in range(total)]
    return [heads[n] + stream[n * size : (n + 1) * size] for n in range(total)]""",
    names=("their_split",),
    solution=(solutions.their_split,),
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
    mistakes=mistakes_in(globals()),
    hints=(
        "Try the edges: an empty stream, one byte less than a full segment, a full segment, and "
        "one byte more.",
        "With a limit of 15, a segment carries 7 bytes. What is `total` for 6, 7 and 8 bytes, and "
        "what should it be?",
        "The code rounds down and adds one. When nothing is left over, it must not add one. Round "
        "up instead, and remember the empty stream.",
    ),
    why=(
        "Bugs like this sit exactly at an edge. So test there: empty, one byte, full, and full "
        "plus one."
    ),
    points=2,
    minutes=5,
    own={"split": split},
    format=("segment",),
)
