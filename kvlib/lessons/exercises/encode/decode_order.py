"""01-decode-order: the lines of a decoder."""

from typing import Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, Mistake

EXERCISE: Final = Exercise(
    name="01-decode-order",
    kind="order",
    objective="put the steps of a decoder in an order in which each has what it needs",
    task=(
        "These are the lines of `read_text(data, offset)`, which reads a length of four bytes and "
        "then a text; they are shuffled. It must refuse a length that promises too much. Write "
        "down the order of their numbers."
    ),
    stub="order = ...",
    names=("order",),
    solution=(solutions.read_text,),
    head="def read_text(data, offset):",
    lines=(
        "return text, end",
        "end = start + length",
        "text = data[start:end].decode()",
        'length = int.from_bytes(data[offset:start], "big")',
        'if end > len(data):\n    raise ValueError("the length promises more than is left")',
        "start = offset + 4",
    ),
    order=(6, 4, 2, 5, 3, 1),
    cases=(
        Case((b"\0\0\0\0", 0), "an empty text"),
        Case((b"\0\0\0\1a", 0), "one letter"),
        Case((b"!!\0\0\0\1a!", 2), "a text in the middle of the data"),
        Case((b"\0\0\0\2a", 0), "a length that promises one byte too many", refused=True),
        Case((b"\0\0\0\2\xc3", 0), "an é that is cut in half", refused=True),
        Case((b"\1\0\0\0a", 0), "a length that promises 16 megabytes", refused=True),
    ),
    mistakes=(
        Mistake(
            [6, 4, 2, 3, 1, 5],
            "Line 5 stands behind the `return`, so it is never reached. When is a length checked?",
        ),
        Mistake(
            [4, 6, 2, 5, 3, 1],
            "Line 4 reads up to `start`. Which line says where that is?",
        ),
        Mistake([2, 6, 4, 5, 3, 1], "Line 2 begins at `start`. Which line says where that is?"),
        Mistake([3, 6, 4, 2, 5, 1], "Line 3 slices from `start`. Which line says where that is?"),
        Mistake([6, 2, 4, 5, 3, 1], "Line 2 adds `length`. Which line finds that out?"),
        Mistake([6, 4, 5, 2, 3, 1], "Line 5 compares `end`. Which line computes it?"),
        Mistake([6, 4, 2, 5, 1, 3], "Line 1 returns `text`. Which line makes it?"),
        Mistake([6, 4, 3, 2, 5, 1], "Line 3 slices up to `end`. Which line computes that?"),
        Mistake(
            [6, 4, 2, 3, 5, 1],
            "Line 3 uses the length before line 5 has checked it. Half a character then makes the "
            "decoder complain of the text, and the length is to blame.",
        ),
    ),
    hints=(
        "Ask of each line: which names does it use? Each must be set by a line above it.",
        "Only one line uses nothing but `offset`: it is the first. The last is clear too.",
        "A length is not to be trusted: it is read, then checked, and only then used to slice.",
    ),
    why="Read the length, check it against what is there, and only then slice.",
    points=2,
    minutes=3,
)
