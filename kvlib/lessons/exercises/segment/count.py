"""02-count: tell how many segments a stream is split into.

A stream of 120 bytes is split with `max_segment_size=20`. How many segments are there?

Hint: The limit is for the whole segment. What comes before the piece of the stream?

Hint: The index and the total take four bytes each. The rest of the limit is for the stream.

Hint: Divide the stream by the room that is left, and round up: a piece that isn't full needs a
segment too.

Why: The header takes 8 of the 20 bytes, so 12 carry the stream. 120 / 12 leaves no remainder.
"""

from typing import Final

from kvlib.lessons.exercise import texts
from kvlib.lessons.prediction import Prediction


def count() -> int:
    """Divide by the 12 of 20 bytes that carry the stream, and count a piece that isn't full too."""
    return -(-120 // (20 - 8))


EXERCISE: Final = Prediction(
    **texts(__name__),
    minutes=1,
    points=1,
    answer=count,
    signs=(
        (6, "You computed 120 / 20. Does a whole segment carry the stream?"),
        (
            7,
            "You counted one header, as if the whole stream had just one. How many headers "
            "are there?",
        ),
        (8, "You left room for an index. What else does a header hold?"),
        (
            5,
            "The limit is for the whole segment, so the header is part of it and doesn't come "
            "on top.",
        ),
        (
            9,
            "One segment is missing. Did you give the number of segments, or the last index, "
            "which counts from 0?",
        ),
        (11, "You have one too many. Is anything left over when the last segment is full?"),
        (
            12,
            "You found how many bytes of the stream go into one segment. How many times does "
            "that fit into the stream?",
        ),
        (
            15,
            "You computed 120 / 8, but 8 bytes are the header. How many of the 20 bytes does "
            "that leave?",
        ),
        (80, "You counted the bytes of all headers together. How many headers is that?"),
        (200, "You counted the bytes of all segments together. How many segments is that?"),
    ),
)
