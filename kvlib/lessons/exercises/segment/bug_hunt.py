"""02-bug-hunt: a split that fails at an edge."""

from typing import Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, mistake
from kvlib.lessons.exercises.fields import u32
from kvlib.lessons.exercises.segment.pieces import Segments
from kvlib.lessons.exercises.segment.split import cut_drops_the_last, cut_gives_none_for_empty
from kvlib.segments import split


def _their_split(stream: bytes, size: int, total: int) -> Segments:
    """What their function does once it has a size and a total."""
    return [u32(n) + u32(total) + stream[n * size : (n + 1) * size] for n in range(max(total, 0))]


@mistake(
    "The bug is still there: this segment is full, and one follows it that is empty. Which "
    "line decides how many there are?"
)
def hunt_not_mended(stream: bytes, limit: int) -> Segments:
    """As it was."""
    return _their_split(stream, limit - 8, len(stream) // (limit - 8) + 1)


@mistake(cut_drops_the_last.sentence)
def hunt_rounds_down(stream: bytes, limit: int) -> Segments:
    """Takes the + 1 away."""
    return _their_split(stream, limit - 8, len(stream) // (limit - 8))


@mistake(
    "An empty stream is right now, and a full last segment too. What of one that is not "
    "full, behind others?"
)
def hunt_rounds_down_to_one(stream: bytes, limit: int) -> Segments:
    """Takes the + 1 away, and thinks of the empty stream."""
    return _their_split(stream, limit - 8, max(1, len(stream) // (limit - 8)))


@mistake(cut_gives_none_for_empty.sentence)
def hunt_gives_none_for_empty(stream: bytes, limit: int) -> Segments:
    """Rounds up, and forgets the empty stream."""
    return _their_split(stream, limit - 8, -(-len(stream) // (limit - 8)))


@mistake("`round` goes to the nearest number, so a short rest is dropped. Which way must it go?")
def hunt_rounds_to_the_nearest(stream: bytes, limit: int) -> Segments:
    """Uses `round`."""
    return _their_split(stream, limit - 8, max(1, round(len(stream) / (limit - 8))))


@mistake(
    "The empty segment is gone, but the others still count it in their total: a reader "
    "would wait for it. Mend the number, and not the list."
)
def hunt_removes_what_is_empty(stream: bytes, limit: int) -> Segments:
    """Removes the segment, and leaves the totals as they are."""
    segments = hunt_not_mended.answer(stream, limit)
    return [segment for segment in segments if len(segment) > 8] or segments


@mistake(
    "The empty segments are taken out, and an empty stream has nothing else. Mend the "
    "number, and not the list."
)
def hunt_removes_all_that_is_empty(stream: bytes, limit: int) -> Segments:
    """Removes the only segment of an empty stream too."""
    return [segment for segment in hunt_not_mended.answer(stream, limit) if len(segment) > 8]


@mistake(
    "The segments are now longer than the limit. The size was right: look at what is "
    "computed from it."
)
def hunt_changes_the_size(stream: bytes, limit: int) -> Segments:
    """Makes the pieces larger."""
    return _their_split(stream, limit - 7, len(stream) // (limit - 7) + 1)


@mistake(
    "The size was right: 8 bytes of the limit are for the header. Look at what is computed from it."
)
def hunt_forgets_the_header(stream: bytes, limit: int) -> Segments:
    """Makes the pieces as large as the segments."""
    return _their_split(stream, limit, len(stream) // limit + 1)


EXERCISE: Final = Exercise(
    name="02-bug-hunt",
    kind="function",
    objective="find the edge at which a function that passed its tests fails, and mend it",
    task=(
        "`their_split` passed every test that its author thought of, and its segments join. But "
        "for some streams they are not those of the format. Take the first line out, find the bug "
        "and mend it."
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
        Case((b"abcdefgh", 15), "a last segment of one byte"),
        Case((b"abcdefghijklm", 15), "a last segment that lacks one byte"),
    ),
    mistakes=(
        hunt_not_mended,
        hunt_rounds_down,
        hunt_rounds_down_to_one,
        hunt_gives_none_for_empty,
        hunt_rounds_to_the_nearest,
        hunt_removes_what_is_empty,
        hunt_removes_all_that_is_empty,
        hunt_changes_the_size,
        hunt_forgets_the_header,
    ),
    hints=(
        "Look at the edges: no byte, one byte less than a full segment, a full one, one more.",
        "With a limit of 15, a segment carries 7 bytes. What is `total` for 6, 7 and 8 bytes, and "
        "what should it be?",
        "It rounds down and adds one; but when nothing is left over, nothing must be added. Round "
        "up instead, and mind the empty stream.",
    ),
    why="A bug of that kind sits exactly at an edge, so test there: none, one, full, full and one.",
    points=2,
    minutes=5,
    own={"split": split},
    format=("segment",),
)
