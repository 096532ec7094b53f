"""01-delimiter: a format that can't be confused."""

from typing import Final

from kvlib.encoding import encode_field, encode_snapshot
from kvlib.lessons import collisions, solutions
from kvlib.lessons.exercise import Case, Exercise, mistake
from kvlib.lessons.exercises.collected import mistakes_in
from kvlib.lessons.exercises.fields import Item, Records, data_of, u32


@mistake(collisions.SENTENCES["marks"])
def with_delimiters(records: Records) -> bytes:
    """End keys and values with one character each."""
    return b"".join(data_of(key) + b"=" + data_of(value) + b";" for key, value in records.items())


@mistake(collisions.SENTENCES["marks"])
def with_long_delimiters(records: Records) -> bytes:
    """End keys and values with two characters each, as if that were safer."""
    return b"".join(data_of(key) + b"->" + data_of(value) + b"||" for key, value in records.items())


@mistake(collisions.SENTENCES["marks"])
def with_escaped_delimiters_only(records: Records) -> bytes:
    """Escape the delimiters, but not the escape character itself."""

    def escaped(item: Item) -> bytes:
        return data_of(item).replace(b"=", b"\\=").replace(b";", b"\\;")

    return b"".join(escaped(key) + b"=" + escaped(value) + b";" for key, value in records.items())


@mistake(collisions.SENTENCES["lengths"])
def with_decimal_lengths(records: Records) -> bytes:
    """Write lengths as digits, with nothing to end them."""
    items = [data_of(item) for record in records.items() for item in record]
    return b"".join(str(len(item)).encode() + item for item in items)


@mistake(collisions.SENTENCES["lengths"])
def with_lengths_modulo_256(records: Records) -> bytes:
    """Write only the last byte of the length."""
    items = [data_of(item) for record in records.items() for item in record]
    return b"".join(bytes([len(item) % 256]) + item for item in items)


@mistake(collisions.REFUSED["lengths"])
def with_lengths_of_one_byte(records: Records) -> bytes:
    """Write each length in one byte, and raise a ValueError from 256 on."""
    items = [data_of(item) for record in records.items() for item in record]
    return b"".join(bytes([len(item)]) + item for item in items)


@mistake(collisions.SENTENCES["characters"])
def with_ascii_only(records: Records) -> bytes:
    """Replace every character outside ASCII with a question mark."""
    return repr(records).encode("ascii", "replace")


@mistake(collisions.SENTENCES["types"])
def without_types(records: Records) -> bytes:
    """Write lengths, but not the type of the data."""
    items = [data_of(item) for record in records.items() for item in record]
    return b"".join(u32(len(item)) + item for item in items)


@mistake(collisions.REFUSED["types"])
def with_text_only(records: Records) -> bytes:
    """Encode text only, and raise an AttributeError for bytes."""
    items = [item for record in records.items() for item in record]
    return b"".join(u32(len(item.encode())) + item.encode() for item in items)


def _is_bytes(stream: bytes, records: object) -> bool:
    return True


EXERCISE: Final = Exercise(
    name="01-delimiter",
    kind="function",
    objective="judge whether a format can be confused by what it stores",
    task=(
        "Write `encode(records)`. It may return any bytes you like, but different records must "
        "never give the same bytes. Keys and values are str or bytes. The check tries to confuse "
        "your format."
    ),
    stub="""\
def encode(records):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("encode",),
    solution=(solutions.encode,),
    cases=(
        Case(({},), "an empty store"),
        Case(({"a": "1"},), "one record"),
        Case(({"a": "1", "b": "2"},), "two records"),
    ),
    read=(_is_bytes,),
    probe=collisions.break_encoder,
    mistakes=mistakes_in(globals()),
    hints=(
        "How does the reader know where a key ends? If that mark can occur in a key, your format "
        "can be confused.",
        "A reader that never searches the data can't be confused. What must it know before it "
        "reads the data?",
        "Before each key and value, write its length in a fixed number of bytes. Before the "
        "length, write one byte for the type.",
    ),
    why=(
        "The check compared thousands of small stores, and no two gave the same bytes. A type and "
        "a length of fixed size come before the data, so the data can't be mistaken for them."
    ),
    points=3,
    minutes=8,
    own={"encode_snapshot": encode_snapshot, "encode_field": encode_field},
)
