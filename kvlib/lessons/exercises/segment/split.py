"""02-split: cut a stream into pieces that leave room for their headers, and lose no byte.

Write `cut(stream, max_segment_size)`. It returns the list of the pieces, without headers yet. Each
piece is as long as it can be when a header takes 8 bytes of the segment, and the last one may be
shorter. An empty stream gives one empty piece. A limit below 9 is a ValueError.

Hint: First work out how many bytes of a segment are left for the stream, and refuse the limit if
there are none.

Hint: `range` takes a step, so it can give you the offsets at which pieces begin. A slice past the
end returns whatever is left, which is just what you want here.

Hint: Try it on paper with an empty stream, with one byte, with a full piece, and with one byte
more. If your list ends up empty, what should it hold?

Why: You check the limit first, take a slice at each offset, and return one empty piece for an empty
stream.
"""

from typing import Final

from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Case, refused, texts
from kvlib.lessons.exercises.segment.pieces import spell_pieces

ROOM: Final = "What must you check before you cut?"


def _large_streams() -> list[Case]:
    return [Case((bytes(2_000_000), 28), "a stream of 2,000,000 bytes, cut into 100,000 pieces")]


def cut(stream: bytes, max_segment_size: int) -> list[bytes]:
    """Return pieces that leave room for the header, and always at least one."""
    size = max_segment_size - 8
    if size < 1:
        raise ValueError(f"max_segment_size is {max_segment_size}: it must be 9 or more")
    return [stream[at : at + size] for at in range(0, len(stream), size)] or [b""]


EXERCISE: Final = Coding(
    **texts(__name__),
    minutes=10,
    points=3,
    functions=(cut,),
    cases=(
        Case((b"", 10), "an empty stream"),
        Case((b"", 9), "the smallest limit: a segment has room for one byte"),
        Case((b"a", 9), "one byte, and room for exactly one"),
        Case((b"a", 10), "a piece that is not full"),
        Case((b"ab", 9), "one byte in each piece"),
        Case((b"ab", 10), "a last piece that is full"),
        Case((b"abc", 10), "a last piece that is not full"),
        Case((b"abcd", 10), "two full pieces"),
        Case((b"abcdefg", 11), "two full pieces, and one that is not"),
        Case((b"abcdefghi", 12), "two full pieces, and one byte more"),
        Case((b"abc", 64), "more room than bytes"),
        Case((b"a\nb\r\n ", 10), "bytes that are line ends in a text"),
        Case((bytes(range(256)), 100), "every byte there is"),
        refused("a limit that leaves no room for data", ROOM, b"a", 8),
        refused("an empty stream, and a limit that leaves no room", ROOM, b"", 8),
        refused("a limit that leaves no room for a header", ROOM, b"abc", 7),
        refused("a limit of 0", ROOM, b"a", 0),
    ),
    own=("split",),
    spell=(spell_pieces,),
    large=_large_streams,
)
