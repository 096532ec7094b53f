"""01-encode-field: write a field: tag, length in bytes, data.

The first line of the function picks the tag, and the data that the field will hold. Replace the
last line: return the field, which is the tag (one byte), the length of the data (four bytes,
big-endian) and the data itself.

Hint: The field has three parts, and `+` joins bytes. Two of the parts already have a name.

Hint: `data` is what you store, so its length is the one you need: `len(data)`.

Hint: `number.to_bytes(size, order)` turns a number into bytes. Which size and which order do you
need?

Why: Encode first, then measure. The length comes before the data, so the reader never has to search
the data.
"""

from typing import Final

from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Case, texts
from kvlib.lessons.relations import Spelling, field_unit


def encode_field(value: str | bytes) -> bytes:
    """Encode first, then measure."""
    tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
    return tag + len(data).to_bytes(4, "big") + data


def spell_field(value: str | bytes) -> Spelling:
    """Return how a field is spelled, and how people spell an empty one."""
    unit = field_unit(value)
    return {
        "": [(unit,)],
        "An empty value becomes only its tag. Its length is 0, and is written too.": [
            (unit if value else unit[:1],)
        ],
        "An empty value becomes nothing at all. It has a tag, and a length of 0.": [
            (unit if value else (),)
        ],
    }


EXERCISE: Final = Coding(
    **texts(__name__),
    minutes=3,
    points=2,
    functions=(encode_field,),
    given_code="""\
def encode_field(value):
    tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
    raise NotImplementedError  # YOUR CODE HERE""",
    cases=(
        Case(("",), "an empty text"),
        Case((b"",), "an empty bytes value, which isn't text either"),
        Case(("a",), "one letter"),
        Case((b"a",), "one byte"),
        Case(("é",), "a character of two bytes"),
        Case(("€é",), "characters of three bytes and of two"),
        Case((b"\xff\0",), "bytes that aren't text"),
        Case(("s\0\0\0\1a",), "a text that looks like a field"),
        Case(("a" * 256,), "a length that needs its second byte"),
        Case((b"a" * 65536,), "a length that needs its third byte"),
    ),
    own=("encode_field",),
    formats=("field",),
    spell=(spell_field,),
)
