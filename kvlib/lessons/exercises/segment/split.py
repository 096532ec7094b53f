"""02-split: cutting a stream into pieces."""

from typing import Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, mistake
from kvlib.lessons.exercises.segment.pieces import headed, pieces_of, size_of
from kvlib.segments import split

NONE_FOR_EMPTY: Final = (
    "An empty stream gives nothing at all, which looks just as if everything were lost. What is "
    "the least number that there can be?"
)
NUMBERS: Final = (
    "The items are lists of numbers, and each must be bytes. What is a slice of the stream, before "
    "anything is made of it?"
)


@mistake(
    "The header is forgotten: it takes 8 bytes of each segment, and the limit is for both. How "
    "many are left for the stream?"
)
def cut_forgets_the_header(stream: bytes, limit: int) -> list[bytes]:
    """Leaves no room for the header."""
    size_of(limit)
    return pieces_of(stream, limit)


@mistake("The pieces leave room for 4 bytes: that is the index. What else is in a header?")
def cut_leaves_room_for_the_index(stream: bytes, limit: int) -> list[bytes]:
    """Leaves room for half a header."""
    size_of(limit)
    return pieces_of(stream, limit - 4)


@mistake(
    "The pieces are one byte shorter than they could be. A segment may be as long as the "
    "limit says, and 9 is a limit that is allowed."
)
def cut_leaves_too_much_room(stream: bytes, limit: int) -> list[bytes]:
    """Leaves a byte unused, but takes one at least."""
    return pieces_of(stream, max(1, size_of(limit) - 1))


@mistake(
    "What is left at the end, too little to fill a piece, is dropped. Does your division round "
    "down or up?"
)
def cut_drops_the_last(stream: bytes, limit: int) -> list[bytes]:
    """Rounds down."""
    size = size_of(limit)
    return [stream[n * size : (n + 1) * size] for n in range(len(stream) // size)]


@mistake(NONE_FOR_EMPTY)
def cut_gives_none_for_empty(stream: bytes, limit: int) -> list[bytes]:
    """Has nothing to say of nothing."""
    size = size_of(limit)
    return [stream[at : at + size] for at in range(0, len(stream), size)]


@mistake(NONE_FOR_EMPTY)
def cut_gives_none_and_trusts_the_limit(stream: bytes, limit: int) -> list[bytes]:
    """Looks at neither the limit nor the stream: of its two mistakes the first is told."""
    size = limit - 8
    return [stream[at : at + size] for at in range(0, len(stream), size)]


@mistake(NUMBERS)
def cut_gives_numbers(stream: bytes, limit: int) -> list[list[int]]:
    """Makes a list of each piece."""
    return [list(piece) for piece in pieces_of(stream, size_of(limit))]


@mistake(NUMBERS)
def cut_gives_numbers_and_none_for_empty(stream: bytes, limit: int) -> list[list[int]]:
    """Makes a list of each piece, and none of nothing."""
    size = size_of(limit)
    return [list(stream[at : at + size]) for at in range(0, len(stream), size)]


@mistake("There is an empty one at the end. How many are needed when the last is full?")
def cut_adds_an_empty_one(stream: bytes, limit: int) -> list[bytes]:
    """Adds one, whether something is left or not."""
    size = size_of(limit)
    return [stream[n * size : (n + 1) * size] for n in range(len(stream) // size + 1)]


@mistake(
    "The pieces overlap: bytes stand in more than one. How far is it from where one piece "
    "begins to where the next does?"
)
def cut_overlaps(stream: bytes, limit: int) -> list[bytes]:
    """Begins a piece at each byte."""
    size = size_of(limit)
    return [stream[at : at + size] for at in range(len(stream))] or [b""]


@mistake(
    "The last piece is filled up with bytes that nobody stored. How would the reader know "
    "that they don't belong?"
)
def cut_pads(stream: bytes, limit: int) -> list[bytes]:
    """Fills the last one up."""
    return [piece.ljust(size_of(limit), b"\0") for piece in pieces_of(stream, size_of(limit))]


@mistake(
    "Only the first piece comes out, and the rest is lost. Does a `return` stand inside the loop?"
)
def cut_truncates(stream: bytes, limit: int) -> list[bytes]:
    """Returns too early, with the first."""
    return pieces_of(stream, size_of(limit))[:1]


@mistake(
    "The last piece is collected, and doesn't come out. What must happen to it after the loop?"
)
def cut_forgets_the_rest(stream: bytes, limit: int) -> list[bytes]:
    """Adds a piece when the next one begins, and so never the last."""
    return pieces_of(stream, size_of(limit))[:-1] or [b""]


@mistake(
    "Bytes are missing between the pieces, or at the end. Does each piece begin where the "
    "one before it ended?"
)
def cut_skips(stream: bytes, limit: int) -> list[bytes]:
    """Takes pieces that are shorter than the step."""
    return [piece[: size_of(limit) - 1] for piece in pieces_of(stream, size_of(limit))]


@mistake(
    "These have headers already, and here the bare pieces are asked for. Keep the headers "
    "for the next exercise."
)
def cut_with_headers(stream: bytes, limit: int) -> list[bytes]:
    """Does more than was asked."""
    return headed(pieces_of(stream, size_of(limit)))


@mistake("A limit of 9 is refused, and it leaves room for one byte. That is little, but enough.")
def cut_refuses_9(stream: bytes, limit: int) -> list[bytes]:
    """Takes 10 for the smallest limit."""
    size_of(limit - 1)
    return pieces_of(stream, size_of(limit))


@mistake(
    "A limit that leaves no room for data is taken for another one. Only the caller knows what "
    "was meant: refuse it."
)
def cut_mends_the_limit(stream: bytes, limit: int) -> list[bytes]:
    """Takes a limit that is too small for another one."""
    return pieces_of(stream, max(1, limit - 8))


@mistake(
    "A limit that leaves no room at all is accepted, and the bytes are gone. What has to "
    "be looked at before anything is cut?"
)
def cut_trusts_the_limit(stream: bytes, limit: int) -> list[bytes]:
    """Lets happen what will: a step of 0 is a ValueError, and a negative one gives nothing."""
    size = limit - 8
    return [stream[at : at + size] for at in range(0, len(stream), size)] or [b""]


def _large_streams() -> list[Case]:
    return [Case((bytes(2_000_000), 28), "a stream of 2,000,000 bytes, cut into 100,000 pieces")]


EXERCISE: Final = Exercise(
    name="02-split",
    kind="function",
    objective="cut a stream into pieces that leave room for their headers, and lose no byte",
    task=(
        "Write `cut(stream, max_segment_size)`: the list of the pieces, still without headers. "
        "Each is as long as a header of 8 bytes leaves room for, the last as long as what is left; "
        "an empty stream gives one empty piece. A limit below 9 is a ValueError."
    ),
    stub="""\
def cut(stream, max_segment_size):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("cut",),
    solution=(solutions.cut,),
    cases=(
        Case((b"", 9), "an empty stream"),
        Case((b"a", 9), "one byte, and room for just that"),
        Case((b"a", 10), "a piece that is not full"),
        Case((b"ab", 9), "one byte a piece"),
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
    mistakes=(
        cut_forgets_the_header,
        cut_leaves_room_for_the_index,
        cut_leaves_too_much_room,
        cut_drops_the_last,
        cut_gives_none_for_empty,
        cut_gives_none_and_trusts_the_limit,
        cut_gives_numbers,
        cut_gives_numbers_and_none_for_empty,
        cut_adds_an_empty_one,
        cut_overlaps,
        cut_pads,
        cut_truncates,
        cut_forgets_the_rest,
        cut_skips,
        cut_with_headers,
        cut_refuses_9,
        cut_mends_the_limit,
        cut_trusts_the_limit,
    ),
    hints=(
        "First find out how many bytes of a segment are left for the stream, and refuse if none.",
        "`range` takes a step: it gives the offsets at which pieces begin. A slice that runs past "
        "the end gives what is there, and here that is welcome.",
        "Try it on paper with no byte, with one, with a full piece, and with one byte more. If "
        "your list is empty in the end, what should it hold?",
    ),
    why="A slice for each offset, one for nothing at all, and a limit that is checked first.",
    points=3,
    minutes=6,
    own={"split": split},
    large=_large_streams,
)
