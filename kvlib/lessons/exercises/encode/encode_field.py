"""01-encode-field: writing a field."""

from typing import Final

from kvlib.encoding import encode_field
from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, mistake
from kvlib.lessons.exercises.fields import Item, data_of, tag_of, u32


@mistake(
    "The length counts characters, and its reader counts bytes. How many bytes does `é` take, and "
    "when do you measure?"
)
def field_counts_characters(value: Item) -> bytes:
    """Measures the text, and not its bytes."""
    return tag_of(value) + u32(len(value)) + data_of(value)


@mistake(
    "The length is little-endian: the byte that is worth most stands last. Which order does the "
    "format say?"
)
def field_is_little_endian(value: Item) -> bytes:
    """Writes the byte first that is worth least."""
    return tag_of(value) + len(data_of(value)).to_bytes(4, "little") + data_of(value)


@mistake("The length is five too large: does it count the data, or the whole field?")
def field_counts_its_head(value: Item) -> bytes:
    """Counts tag and length too."""
    return tag_of(value) + u32(5 + len(data_of(value))) + data_of(value)


@mistake("The field begins with its length. How will the reader know a text from bytes?")
def field_has_no_tag(value: Item) -> bytes:
    """Does not say what the data is."""
    return u32(len(data_of(value))) + data_of(value)


@mistake("Every field is tagged as a text. What does `tag` hold for bytes?")
def field_is_always_text(value: Item) -> bytes:
    """Says of bytes that they are a text."""
    return b"s" + u32(len(data_of(value))) + data_of(value)


@mistake("The length takes one byte, which ends at 255. How many does the format give it?")
def field_has_a_short_length(value: Item) -> bytes:
    """Writes the length in one byte; a ValueError from 256 on."""
    return tag_of(value) + bytes([len(data_of(value))]) + data_of(value)


@mistake("The length takes eight bytes. How many does the format give it?")
def field_has_a_long_length(value: Item) -> bytes:
    """Writes the length in eight bytes."""
    return tag_of(value) + len(data_of(value)).to_bytes(8, "big") + data_of(value)


@mistake(
    "`bytes(2)` is two bytes of 0, and not a byte of 2. Which method of int makes bytes of "
    "a number?"
)
def field_has_zeros_for_a_length(value: Item) -> bytes:
    """Takes a number of bytes for the byte of a number."""
    return tag_of(value) + bytes(len(data_of(value))) + data_of(value)


@mistake(
    "The length is written as digits, `0` being the byte 30. Which method of int makes "
    "bytes of a number?"
)
def field_writes_length_as_text(value: Item) -> bytes:
    """Writes the digits of the length."""
    return tag_of(value) + f"{len(data_of(value)):04}".encode() + data_of(value)


@mistake("The parts are right, and their order is not: what comes first in a field?")
def field_has_its_length_first(value: Item) -> bytes:
    """Puts the length before the tag."""
    return u32(len(data_of(value))) + tag_of(value) + data_of(value)


@mistake("Tag and length are there. Where is the data?")
def field_has_no_data(value: Item) -> bytes:
    """Forgets the data."""
    return tag_of(value) + u32(len(data_of(value)))


@mistake("That is a text that shows the bytes in hex digits. Return the bytes themselves.")
def field_as_hex(value: Item) -> str:
    """Gives what shows the bytes."""
    return (tag_of(value) + u32(len(data_of(value))) + data_of(value)).hex()


EXERCISE: Final = Exercise(
    name="01-encode-field",
    kind="function",
    objective="write a field: tag, length in bytes, data",
    task=(
        "One line is missing. A field is a tag (one byte), the length of the data (four bytes, "
        "big-endian) and the data."
    ),
    stub="""\
def encode_field(value):
    tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("encode_field",),
    solution=(solutions.encode_field,),
    cases=(
        Case(("",), "an empty text"),
        Case((b"",), "no bytes at all, which are no text either"),
        Case(("a",), "one letter"),
        Case((b"a",), "one byte"),
        Case(("é",), "a character of two bytes"),
        Case(("€é",), "characters of three bytes and of two"),
        Case((b"\xff\0",), "bytes that are no text"),
        Case(("s\0\0\0\1a",), "a text that looks like a field"),
        Case(("a" * 256,), "a length that needs its second byte"),
        Case((b"a" * 65536,), "a length that needs its third byte"),
    ),
    mistakes=(
        field_counts_characters,
        field_is_little_endian,
        field_counts_its_head,
        field_has_no_tag,
        field_is_always_text,
        field_has_a_short_length,
        field_has_a_long_length,
        field_has_zeros_for_a_length,
        field_writes_length_as_text,
        field_has_its_length_first,
        field_has_no_data,
        field_as_hex,
    ),
    hints=(
        "Three parts, one behind the other: `+` joins bytes. Two of them have a name already.",
        "`data` is what is stored, so its length is the one that counts: `len(data)`.",
        "A number becomes bytes by `number.to_bytes(size, order)`. Which size, which order?",
    ),
    why="Encode first, then measure; the length stands in front, so nobody searches in the data.",
    points=2,
    minutes=3,
    own={"encode_field": encode_field},
    format=("field",),
)
