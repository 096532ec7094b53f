"""01-decode-order: put a decoder's steps in an order where each has what it needs.

These are the lines of `read_text(data, offset)`, shuffled. It reads a length of four bytes and then
a text, and refuses a length that promises more than is left. Write down the line numbers in the
right order, such as `[1, 2, 3, 4, 5, 6]`.

Hint: For each line, ask which names it uses. A line above must set each of them.

Hint: Only one line needs nothing but `offset`, so it comes first. The last line is easy to spot
too.

Hint: Don't trust a length: read it, check it, and only then slice with it.

Why: Read the length, check it against what is left, and only then slice. No other order works. Each
line needs a name that an earlier line sets. And if the check came after the slice, a cut inside a
character would raise a UnicodeDecodeError, which blames the text.
"""

from typing import Final

from kvlib.lessons.exercise import Case, refused, texts
from kvlib.lessons.ordering import Ordering

EXERCISE: Final = Ordering(
    **texts(__name__),
    minutes=3,
    points=2,
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
    early="When must the length be checked?",
    cases=(
        Case((b"\0\0\0\0", 0), "an empty text"),
        Case((b"\0\0\0\1a", 0), "one letter"),
        Case((b"!!\0\0\0\1a!", 2), "a text in the middle of the data"),
        refused("a length that promises one byte too many", "", b"\0\0\0\2a", 0),
        refused(
            "an é that is cut in half",
            "Line 3 uses the length before line 5 checks it. If the cut falls inside a character, "
            "the decoder then blames the text, though the length is wrong.",
            b"\0\0\0\2\xc3",
            0,
        ),
        refused("a length that promises 16 megabytes", "", b"\1\0\0\0a", 0),
    ),
)
