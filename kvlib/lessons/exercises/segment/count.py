"""02-count: how many segments there are."""

from typing import Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, Mistake

EXERCISE: Final = Exercise(
    name="02-count",
    kind="predict",
    objective="tell how many segments a stream is split into",
    task="A stream of 120 bytes is split with `max_segment_size=20`. How many segments are there?",
    stub="prediction = ...",
    names=("prediction",),
    solution=(solutions.count,),
    cases=(Case(),),
    mistakes=(
        Mistake(6, "That is 120 / 20. Does a whole segment carry the stream?"),
        Mistake(
            7, "That counts one header, as if the whole stream had one. How many headers are there?"
        ),
        Mistake(8, "That leaves room for an index. What else does a header hold?"),
        Mistake(
            5, "The limit is for the whole segment: the header is part of it, and not on top of it."
        ),
        Mistake(
            9,
            "One is missing: is that the number of segments, or the last index? They differ, since "
            "the index counts from 0.",
        ),
        Mistake(11, "One too many. Is anything left over when the last segment is full?"),
        Mistake(
            12, "That is how many bytes of the stream go into one segment. How often does that fit?"
        ),
        Mistake(
            15, "That is 120 / 8, and 8 bytes are the header. How many does that leave of the 20?"
        ),
        Mistake(80, "That is the bytes of all headers together. How many headers is that?"),
        Mistake(200, "That is the bytes of all segments together. How many segments is that?"),
    ),
    hints=(
        "The limit is for the whole segment. What stands in it before the piece of the stream?",
        "Index and total take four bytes each. What the limit leaves is for the stream.",
        "Divide the stream by what is left for it, and round up: a piece that is not full needs a "
        "segment too.",
    ),
    why="Of 20 bytes 8 are header; 12 carry the stream, and 120 / 12 leaves nothing over.",
    points=1,
    minutes=1,
)
