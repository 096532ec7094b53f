"""Wrong answers to 01-snapshot."""

import pickle
from collections.abc import Callable
from typing import Any, Final

from kvlib.lessons.exercise import mistake
from kvlib.lessons.exercises.encode.delimiter import with_delimiters
from kvlib.lessons.exercises.encode.encode_field import (
    field_counts_characters,
    field_is_always_text,
    field_is_little_endian,
)
from kvlib.lessons.exercises.fields import Item, Records, data_of, tag_of, u32


def stream_of(
    records: Records,
    field: Callable[[Item], bytes] = lambda value: (
        tag_of(value) + u32(len(data_of(value))) + data_of(value)
    ),
    count: Callable[[Records], bytes] = lambda records: u32(len(records)),
) -> bytes:
    """An encoder with what each of the mistakes below does in another way."""
    return count(records) + b"".join(field(key) + field(value) for key, value in records.items())


def read(
    data: bytes, strict: bool = True, text: bool = False, order: Any = "big", fields: int = -1
) -> tuple[list[Item], int]:
    """A reader with what each of the mistakes below leaves out."""
    offset, items = 4, list[Item]()
    if fields < 0:
        fields = 2 * int.from_bytes(data[:4], order)
    for _ in range(fields):
        head = data[offset : offset + 5]
        length = int.from_bytes(head[1:], order)
        if strict and (len(head) < 5 or offset + 5 + length > len(data)):
            raise ValueError("more is promised than is left")
        if head[:1] not in (b"s", b"b"):
            raise ValueError("no tag")
        raw = data[offset + 5 : offset + 5 + length]
        items.append(raw.decode() if text or head[:1] == b"s" else raw)
        offset += 5 + length
    return items, offset


def records_of(items: list[Item], strict: bool = True) -> Records:
    """The records that these keys and values make."""
    records = dict(zip(items[::2], items[1::2], strict=True))
    if strict and 2 * len(records) < len(items):
        raise ValueError("a key is doubled")
    return records


@mistake("The stream begins with the first record. What stands before it in the format?")
def snapshot_without_count(records: Records) -> bytes:
    """Writes the records alone."""
    return stream_of(records, count=lambda records: b"")


@mistake("The count is twice too large: a record has two fields. Which of them are counted?")
def snapshot_counts_fields(records: Records) -> bytes:
    """Counts keys and values."""
    return stream_of(records, count=lambda records: u32(2 * len(records)))


@mistake("The count says how many bytes follow. What should it count?")
def snapshot_counts_bytes(records: Records) -> bytes:
    """Counts the bytes behind the count."""
    return stream_of(records, count=lambda records: u32(len(stream_of(records)) - 4))


@mistake(field_counts_characters.sentence)
def snapshot_counts_characters(records: Records) -> bytes:
    """Measures texts, and not their bytes."""
    return stream_of(records, field_counts_characters.answer)


@mistake(field_is_little_endian.sentence)
def snapshot_is_little_endian(records: Records) -> bytes:
    """Writes numbers the other way round."""
    return stream_of(
        records, field_is_little_endian.answer, lambda records: len(records).to_bytes(4, "little")
    )


@mistake("Every field is tagged as a text, so bytes come back as one. When is the tag `b`?")
def snapshot_is_always_text(records: Records) -> bytes:
    """Says of bytes that they are a text."""
    return stream_of(records, field_is_always_text.answer)


@mistake("A record whose value is empty is left out. What does `if value` say of an empty text?")
def snapshot_without_empty_values(records: Records) -> bytes:
    """Takes an empty value for none."""
    return stream_of({key: value for key, value in records.items() if value})


@mistake("The records are divided by delimiters, and data may hold those. The format has none.")
def snapshot_with_delimiters(records: Records) -> Any:
    """Goes back to delimiters."""
    return with_delimiters.answer(records)


@mistake(
    "That is pickle's format, and reading it runs whatever it says. Write the bytes of "
    "the format yourself."
)
def snapshot_by_pickle(records: Records) -> bytes:
    """Lets Python write the bytes."""
    return pickle.dumps(records)


@mistake(
    "That is Python's way to show a dict, and reading it needs `eval`, which runs "
    "whatever it says. Write the bytes of the format yourself."
)
def snapshot_by_repr(records: Records) -> bytes:
    """Writes what Python would show."""
    return repr(records).encode()


@mistake(
    "A stream that is cut short is accepted: a slice that runs past the end gives what is there, "
    "and doesn't complain. What has to be compared before each slice?",
    of=1,
)
def decode_slices_unchecked(data: bytes) -> Records:
    """Trusts the lengths, and slices past the end."""
    items, offset = read(data, strict=False)
    if offset < len(data) or len(data) < 4:
        raise ValueError("the data goes on, or has no count")
    return records_of(items)


@mistake("Bytes behind the last record are ignored. Where must the offset be in the end?", of=1)
def decode_ignores_the_rest(data: bytes) -> Records:
    """Stops after the last record, whatever follows."""
    if len(data) < 4:
        raise ValueError("no count")
    return records_of(read(data)[0])


@mistake("The count is jumped over. It promises a number of records: is that how many came?", of=1)
def decode_ignores_the_count(data: bytes) -> Records:
    """Reads on to the end of the data."""
    if len(data) < 4:
        raise ValueError("no count")
    count = 0
    while True:  # as many fields as make up the data
        items, offset = read(data, fields=count)
        if offset == len(data):
            return records_of(items)
        count += 1


@mistake(
    "A key that stands there twice is accepted, and one of its values is lost. When does "
    "the decoder notice?",
    of=1,
)
def decode_lets_the_last_win(data: bytes) -> Records:
    """Lets a doubled key overwrite the first."""
    items, offset = read(data)
    if offset != len(data):
        raise ValueError("the data goes on, or has no count")
    return records_of(items, strict=False)


@mistake("Everything is decoded as a text. What does the tag say?", of=1)
def decode_makes_all_text(data: bytes) -> Records:
    """Does not look at the tag."""
    items, offset = read(data, text=True)
    if offset != len(data):
        raise ValueError("the data goes on, or has no count")
    return records_of(items)


@mistake(
    "The count and the lengths are read as little-endian. Which order does the format say?", of=1
)
def decode_is_little_endian(data: bytes) -> Records:
    """Reads numbers the other way round."""
    items, offset = read(data, order="little")
    if offset != len(data):
        raise ValueError("the data goes on, or has no count")
    return records_of(items)


MISTAKES: Final = (
    snapshot_without_count,
    snapshot_counts_fields,
    snapshot_counts_bytes,
    snapshot_counts_characters,
    snapshot_is_little_endian,
    snapshot_is_always_text,
    snapshot_without_empty_values,
    snapshot_with_delimiters,
    snapshot_by_pickle,
    snapshot_by_repr,
    decode_slices_unchecked,
    decode_ignores_the_rest,
    decode_ignores_the_count,
    decode_lets_the_last_win,
    decode_makes_all_text,
    decode_is_little_endian,
)
