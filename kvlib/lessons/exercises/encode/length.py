"""01-length: tell how many bytes a text's field has.

How many bytes long is the field for the text `"déjà vu"`? Count the tag, the length and the data.

Hint: A field is tag, length, data. How many bytes do the tag and the length take, whatever the text
is?

Hint: In UTF-8, the letters of plain English and the space take one byte each. `é` and `à` take two
each.

Hint: Let Python count: `len("déjà vu".encode())` is the size of the data. The rest is the same for
every field.

Why: The tag and the length take five bytes. The seven characters take nine, because two of them
need two bytes each.
"""

from typing import Final

from kvlib.lessons.exercise import texts
from kvlib.lessons.prediction import Prediction


def length() -> int:
    """Return the size of a tag, a length of four bytes, and nine bytes of text."""
    return 1 + 4 + len("déjà vu".encode())


EXERCISE: Final = Prediction(
    **texts(__name__),
    minutes=1,
    points=1,
    answer=length,
    signs=(
        (7, "You counted the characters. A field holds bytes, and it holds more than the data."),
        (9, "You counted only the data. What comes before it in a field?"),
        (
            12,
            "You counted characters, but `é` and `à` are one character each. How many bytes does "
            "each take?",
        ),
        (13, "One byte is missing. Did you count the tag, and two bytes for each of `é` and `à`?"),
        (
            11,
            "A length of one byte could only go up to 255. How many bytes does a field use "
            "for its length?",
        ),
        (18, "A count of four bytes begins a snapshot. A field by itself has none."),
        (21, "You counted in UTF-16, where each character takes two bytes or more."),
        (
            10,
            "A length of one byte could only go up to 255. How many bytes does a field use "
            "for its length?",
        ),
        (19, "Not every character takes two bytes in UTF-8. Which of these do?"),
        (
            15,
            "You counted one too many. A field has no end mark, because its length says where it "
            "ends.",
        ),
    ),
)
