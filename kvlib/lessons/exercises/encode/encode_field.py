"""01-encode-field: writing a field."""

from typing import Final

from kvlib.encoding import encode_field
from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, mistake
from kvlib.lessons.exercises.collected import mistakes_in
from kvlib.lessons.exercises.fields import Item, data_of, tag_of, u32


@mistake(
    "Your length counts characters, but the reader counts bytes. How many bytes does `é` take, "
    "and when do you measure?"
)
def field_counts_characters(value: Item) -> bytes:
    """Measure the text instead of its bytes."""
    return tag_of(value) + u32(len(value)) + data_of(value)


@mistake(
    "Your length is little-endian: its most significant byte comes last. Which order does the "
    "format ask for?"
)
def field_is_little_endian(value: Item) -> bytes:
    """Write the least significant byte first."""
    return tag_of(value) + len(data_of(value)).to_bytes(4, "little") + data_of(value)


@mistake("Your length is five too large. Does it count the data, or the whole field?")
def field_counts_its_head(value: Item) -> bytes:
    """Count the tag and the length too."""
    return tag_of(value) + u32(5 + len(data_of(value))) + data_of(value)


@mistake("Your field begins with its length. How will the reader tell text from bytes?")
def field_has_no_tag(value: Item) -> bytes:
    """Leave out the type of the data."""
    return u32(len(data_of(value))) + data_of(value)


@mistake("You tag every field as text. What does `tag` hold for bytes?")
def field_is_always_text(value: Item) -> bytes:
    """Tag bytes as text."""
    return b"s" + u32(len(data_of(value))) + data_of(value)


@mistake(
    "Your length takes one byte, so it can't go past 255. How many bytes does the format give it?"
)
def field_has_a_short_length(value: Item) -> bytes:
    """Write the length in one byte, and raise a ValueError from 256 on."""
    return tag_of(value) + bytes([len(data_of(value))]) + data_of(value)


@mistake("Your length takes eight bytes. How many does the format give it?")
def field_has_a_long_length(value: Item) -> bytes:
    """Write the length in eight bytes."""
    return tag_of(value) + len(data_of(value)).to_bytes(8, "big") + data_of(value)


@mistake(
    "`bytes(2)` gives you two zero bytes, not one byte with the value 2. Which method of int "
    "turns a number into bytes?"
)
def field_has_zeros_for_a_length(value: Item) -> bytes:
    """Call `bytes` with the length, which gives that many zeros."""
    return tag_of(value) + bytes(len(data_of(value))) + data_of(value)


@mistake(
    "Your length is written as digits: the digit `0` is the byte 30. Which method of int turns a "
    "number into bytes?"
)
def field_writes_length_as_text(value: Item) -> bytes:
    """Write the digits of the length."""
    return tag_of(value) + f"{len(data_of(value)):04}".encode() + data_of(value)


@mistake("You have all the parts, but in the wrong order. What comes first in a field?")
def field_has_its_length_first(value: Item) -> bytes:
    """Put the length before the tag."""
    return u32(len(data_of(value))) + tag_of(value) + data_of(value)


@mistake("The tag and the length are here. Where is the data?")
def field_has_no_data(value: Item) -> bytes:
    """Forget the data."""
    return tag_of(value) + u32(len(data_of(value)))


@mistake("You return a text that shows the bytes as hex digits. Return the bytes themselves.")
def field_as_hex(value: Item) -> str:
    """Return hex digits instead of bytes."""
    return (tag_of(value) + u32(len(data_of(value))) + data_of(value)).hex()


EXERCISE: Final = Exercise(
    name="01-encode-field",
    kind="function",
    objective="write a field: tag, length in bytes, data",
    task=(
        "One line is missing. A field is a tag (one byte), the length of the data (four bytes, "
        "big-endian) and the data itself."
    ),
    stub="""\
def encode_field(value):
    tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("encode_field",),
    solution=(solutions.encode_field,),
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
    mistakes=mistakes_in(globals()),
    hints=(
        "The field has three parts, and `+` joins bytes. Two of the parts already have a name.",
        "`data` is what you store, so its length is the one you need: `len(data)`.",
        "`number.to_bytes(size, order)` turns a number into bytes. Which size and which order do "
        "you need?",
    ),
    why=(
        "Encode first, then measure. The length comes before the data, so the reader never has to "
        "search the data."
    ),
    points=2,
    minutes=3,
    own={"encode_field": encode_field},
    format=("field",),
)
