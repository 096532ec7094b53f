"""02-split: cutting a stream into pieces."""

from typing import Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, mistake
from kvlib.lessons.exercises.collected import mistakes_in
from kvlib.lessons.exercises.segment.pieces import headed, pieces_of, size_of
from kvlib.segments import split

NONE_FOR_EMPTY: Final = (
    "You return nothing for an empty stream, which looks exactly as if everything were lost. How "
    "many pieces must there be at least?"
)
NUMBERS: Final = (
    "Your items are lists of numbers, but each must be bytes. What do you get if you just slice "
    "the stream?"
)


@mistake(
    "You forgot the header, which takes 8 bytes of each segment. The limit covers both, so how "
    "many bytes are left for the stream?"
)
def cut_forgets_the_header(stream: bytes, limit: int) -> list[bytes]:
    """Leave no room for the header."""
    size_of(limit)
    return pieces_of(stream, limit)


@mistake("Your pieces leave room for 4 bytes, which is the index. What else is in a header?")
def cut_leaves_room_for_the_index(stream: bytes, limit: int) -> list[bytes]:
    """Leave room for half a header."""
    size_of(limit)
    return pieces_of(stream, limit - 4)


@mistake(
    "Your pieces are one byte shorter than they could be. A segment may be exactly as long as the "
    "limit, and a limit of 9 is allowed."
)
def cut_leaves_too_much_room(stream: bytes, limit: int) -> list[bytes]:
    """Leave one byte unused, but take at least one."""
    return pieces_of(stream, max(1, size_of(limit) - 1))


@mistake(
    "You drop the bytes at the end that don't fill a piece. Does your division round down or up?"
)
def cut_drops_the_last(stream: bytes, limit: int) -> list[bytes]:
    """Round down."""
    size = size_of(limit)
    return [stream[n * size : (n + 1) * size] for n in range(len(stream) // size)]


@mistake(NONE_FOR_EMPTY)
def cut_gives_none_for_empty(stream: bytes, limit: int) -> list[bytes]:
    """Return no pieces for an empty stream."""
    size = size_of(limit)
    return [stream[at : at + size] for at in range(0, len(stream), size)]


@mistake(NONE_FOR_EMPTY)
def cut_gives_none_and_trusts_the_limit(stream: bytes, limit: int) -> list[bytes]:
    """Check neither the limit nor the stream: the check reports the first of the two mistakes."""
    size = limit - 8
    return [stream[at : at + size] for at in range(0, len(stream), size)]


@mistake(NUMBERS)
def cut_gives_numbers(stream: bytes, limit: int) -> list[list[int]]:
    """Turn each piece into a list."""
    return [list(piece) for piece in pieces_of(stream, size_of(limit))]


@mistake(NUMBERS)
def cut_gives_numbers_and_none_for_empty(stream: bytes, limit: int) -> list[list[int]]:
    """Turn each piece into a list, and return none for an empty stream."""
    size = size_of(limit)
    return [list(stream[at : at + size]) for at in range(0, len(stream), size)]


@mistake(
    "There is an empty piece at the end. How many pieces do you need when the last one is full?"
)
def cut_adds_an_empty_one(stream: bytes, limit: int) -> list[bytes]:
    """Add one piece, whether anything is left over or not."""
    size = size_of(limit)
    return [stream[n * size : (n + 1) * size] for n in range(len(stream) // size + 1)]


@mistake(
    "Your pieces overlap: some bytes are in more than one. How far apart should two pieces begin?"
)
def cut_overlaps(stream: bytes, limit: int) -> list[bytes]:
    """Begin a piece at each byte."""
    size = size_of(limit)
    return [stream[at : at + size] for at in range(len(stream))] or [b""]


@mistake(
    "You filled up the last piece with bytes that were never stored. How would the reader know "
    "that they don't belong?"
)
def cut_pads(stream: bytes, limit: int) -> list[bytes]:
    """Fill up the last piece."""
    return [piece.ljust(size_of(limit), b"\0") for piece in pieces_of(stream, size_of(limit))]


@mistake(
    "You return only the first piece, and the rest is lost. Is there a `return` inside the loop?"
)
def cut_truncates(stream: bytes, limit: int) -> list[bytes]:
    """Return too early, with only the first piece."""
    return pieces_of(stream, size_of(limit))[:1]


@mistake("You collect the last piece, but never return it. What must happen to it after the loop?")
def cut_forgets_the_rest(stream: bytes, limit: int) -> list[bytes]:
    """Add a piece when the next one begins, so the last one is never added."""
    return pieces_of(stream, size_of(limit))[:-1] or [b""]


@mistake(
    "Bytes are missing between the pieces, or at the end. Does each piece begin where the "
    "one before it ended?"
)
def cut_skips(stream: bytes, limit: int) -> list[bytes]:
    """Take pieces that are shorter than the step."""
    return [piece[: size_of(limit) - 1] for piece in pieces_of(stream, size_of(limit))]


@mistake(
    "Your pieces already have headers, but this exercise asks for bare pieces. Keep the headers "
    "for the next exercise."
)
def cut_with_headers(stream: bytes, limit: int) -> list[bytes]:
    """Add headers, which this exercise doesn't ask for."""
    return headed(pieces_of(stream, size_of(limit)))


@mistake(
    "You refuse a limit of 9, but it leaves room for one byte. One byte isn't much, but it is "
    "enough."
)
def cut_refuses_9(stream: bytes, limit: int) -> list[bytes]:
    """Treat 10 as the smallest limit."""
    size_of(limit - 1)
    return pieces_of(stream, size_of(limit))


@mistake(
    "You replace a limit that leaves no room for data with another one. Only the caller knows "
    "what was meant, so refuse it."
)
def cut_mends_the_limit(stream: bytes, limit: int) -> list[bytes]:
    """Replace a limit that is too small."""
    return pieces_of(stream, max(1, limit - 8))


@mistake(
    "You accept a limit that leaves no room at all, and the bytes are gone. What must you check "
    "before you cut?"
)
def cut_trusts_the_limit(stream: bytes, limit: int) -> list[bytes]:
    """Skip the check: a step of 0 raises a ValueError, and a negative step returns nothing."""
    size = limit - 8
    return [stream[at : at + size] for at in range(0, len(stream), size)] or [b""]


def _large_streams() -> list[Case]:
    return [Case((bytes(2_000_000), 28), "a stream of 2,000,000 bytes, cut into 100,000 pieces")]


EXERCISE: Final = Exercise(
    name="02-split",
    kind="function",
    objective="cut a stream into pieces that leave room for their headers, and lose no byte",
    task=(
        "Write `cut(stream, max_segment_size)`. It returns the list of the pieces, without "
        "headers yet. Each piece is as long as it can be when a header takes 8 bytes of the "
        "segment, and the last one may be shorter. An empty stream gives one empty piece. A limit "
        "below 9 is a ValueError."
    ),
    stub="""\
def cut(stream, max_segment_size):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("cut",),
    solution=(solutions.cut,),
    cases=(
        Case((b"", 9), "an empty stream"),
        Case((b"a", 9), "one byte, and room for exactly one"),
        Case((b"a", 10), "a piece that is not full"),
        Case((b"ab", 9), "one byte in each piece"),
        Case((b"ab", 10), "a last piece that is full"),
        Case((b"abc", 10), "a last piece that is not full"),
        Case((b"abcd", 10), "two full pieces"),
        Case((b"abcdefg", 11), "two full pieces, and one that is not"),
        Case((b"abcdefghi", 12), "two full pieces, and one byte more"),
        Case((b"abc", 64), "more room than bytes"),
        Case((b"a", 8), "a limit that leaves no room for data", refused=True),
        Case((b"", 8), "an empty stream, and a limit that leaves no room", refused=True),
        Case((b"abc", 7), "a limit that leaves no room for a header", refused=True),
        Case((b"a", 0), "a limit of 0", refused=True),
    ),
    mistakes=mistakes_in(globals()),
    hints=(
        "First work out how many bytes of a segment are left for the stream, and refuse the limit "
        "if there are none.",
        "`range` takes a step, so it can give you the offsets at which pieces begin. A slice past "
        "the end returns whatever is left, which is just what you want here.",
        "Try it on paper with an empty stream, with one byte, with a full piece, and with one "
        "byte more. If your list ends up empty, what should it hold?",
    ),
    why=(
        "You check the limit first, take a slice at each offset, and return one empty piece for "
        "an empty stream."
    ),
    points=3,
    minutes=6,
    own={"split": split},
    large=_large_streams,
)
