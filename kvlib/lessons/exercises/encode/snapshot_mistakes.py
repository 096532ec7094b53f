"""Wrong answers to 01-snapshot."""

import pickle
from collections.abc import Callable
from typing import Any, Final

from kvlib.lessons.exercise import mistake
from kvlib.lessons.exercises.collected import mistakes_in
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
    """Encode records, with one step replaced for each mistake below."""
    return count(records) + b"".join(field(key) + field(value) for key, value in records.items())


def read(
    data: bytes, strict: bool = True, text: bool = False, order: Any = "big", fields: int = -1
) -> tuple[list[Item], int]:
    """Read fields, with one check left out for each mistake below."""
    offset, items = 4, list[Item]()
    if fields < 0:
        fields = 2 * int.from_bytes(data[:4], order)
    for _ in range(fields):
        head = data[offset : offset + 5]
        length = int.from_bytes(head[1:], order)
        if strict and (len(head) < 5 or offset + 5 + length > len(data)):
            raise ValueError("the data is too short")
        if head[:1] not in (b"s", b"b"):
            raise ValueError("no tag")
        raw = data[offset + 5 : offset + 5 + length]
        items.append(raw.decode() if text or head[:1] == b"s" else raw)
        offset += 5 + length
    return items, offset


def read_all(data: bytes, text: bool = False, order: Any = "big") -> list[Item]:
    """Read fields that must fill the data."""
    items, offset = read(data, text=text, order=order)
    if offset != len(data):
        raise ValueError("extra bytes, or no count")
    return items


def records_of(items: list[Item], strict: bool = True) -> Records:
    """Return the records that these keys and values form."""
    records = dict(zip(items[::2], items[1::2], strict=True))
    if strict and 2 * len(records) < len(items):
        raise ValueError("a key occurs twice")
    return records


@mistake("Your stream begins with the first record. What comes before it in the format?")
def snapshot_without_count(records: Records) -> bytes:
    """Leave out the count."""
    return stream_of(records, count=lambda records: b"")


@mistake(
    "Your count is twice too large, because a record has two fields. What does the count count?"
)
def snapshot_counts_fields(records: Records) -> bytes:
    """Count keys and values."""
    return stream_of(records, count=lambda records: u32(2 * len(records)))


@mistake("Your count says how many bytes follow. What should it count?")
def snapshot_counts_bytes(records: Records) -> bytes:
    """Count the bytes that follow the count."""
    return stream_of(records, count=lambda records: u32(len(stream_of(records)) - 4))


@mistake(field_counts_characters.sentence)
def snapshot_counts_characters(records: Records) -> bytes:
    """Measure the text instead of its bytes."""
    return stream_of(records, field_counts_characters.answer)


@mistake(field_is_little_endian.sentence)
def snapshot_is_little_endian(records: Records) -> bytes:
    """Write numbers in little-endian order."""
    return stream_of(
        records, field_is_little_endian.answer, lambda records: len(records).to_bytes(4, "little")
    )


@mistake("You tag every field as text, so bytes come back as text. When is the tag `b`?")
def snapshot_is_always_text(records: Records) -> bytes:
    """Tag bytes as text."""
    return stream_of(records, field_is_always_text.answer)


@mistake("You leave out records with an empty value. Is `if value` true for an empty text?")
def snapshot_without_empty_values(records: Records) -> bytes:
    """Drop records whose value is empty."""
    return stream_of({key: value for key, value in records.items() if value})


@mistake(
    "You separate the records with delimiters, which can also occur in the data. The format has "
    "none."
)
def snapshot_with_delimiters(records: Records) -> Any:
    """Go back to delimiters."""
    return with_delimiters.answer(records)


@mistake(
    "You use pickle's format, and reading it can run any code inside it. Write the bytes of the "
    "format yourself."
)
def snapshot_by_pickle(records: Records) -> bytes:
    """Let pickle write the bytes."""
    return pickle.dumps(records)


@mistake(
    "You write what Python shows for a dict, and reading it back needs `eval`, which can run any "
    "code inside it. Write the bytes of the format yourself."
)
def snapshot_by_repr(records: Records) -> bytes:
    """Write the dict's `repr`."""
    return repr(records).encode()


@mistake(
    "Your decoder accepts a stream that is cut short, because a slice past the end simply returns "
    "whatever is left. What must you compare before each slice?",
    of=1,
)
def decode_slices_unchecked(data: bytes) -> Records:
    """Trust the lengths and slice past the end."""
    items, offset = read(data, strict=False)
    if offset < len(data) or len(data) < 4:
        raise ValueError("extra bytes, or no count")
    return records_of(items)


@mistake(
    "Your decoder ignores bytes after the last record. Where must the offset be at the end?", of=1
)
def decode_ignores_the_rest(data: bytes) -> Records:
    """Stop after the last record, whatever follows."""
    if len(data) < 4:
        raise ValueError("no count")
    return records_of(read(data)[0])


@mistake(
    "Your decoder skips the count. The count promises a number of records: is that how many you "
    "read?",
    of=1,
)
def decode_ignores_the_count(data: bytes) -> Records:
    """Read to the end of the data, whatever the count says."""
    if len(data) < 4:
        raise ValueError("no count")
    count = 0
    while True:  # try each count until the fields fill the data
        items, offset = read(data, fields=count)
        if offset == len(data):
            return records_of(items)
        count += 1


@mistake(
    "Your decoder accepts a key that occurs twice, and loses one of its values. When could it "
    "notice?",
    of=1,
)
def decode_lets_the_last_win(data: bytes) -> Records:
    """Let the second record of a key overwrite the first."""
    return records_of(read_all(data), strict=False)


@mistake("Your decoder turns everything into text. What does the tag say?", of=1)
def decode_makes_all_text(data: bytes) -> Records:
    """Ignore the tag."""
    return records_of(read_all(data, text=True))


@mistake(
    "Your decoder reads the count and the lengths as little-endian. Which order does the format "
    "ask for?",
    of=1,
)
def decode_is_little_endian(data: bytes) -> Records:
    """Read numbers in little-endian order."""
    return records_of(read_all(data, order="little"))


MISTAKES: Final = mistakes_in(globals())
