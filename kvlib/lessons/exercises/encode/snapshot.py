"""01-snapshot: write a whole snapshot as bytes, read it back, and refuse damaged data.

Write `encode_snapshot(records)` and `decode_snapshot(data)`. A snapshot is a count of four bytes,
then the key field and the value field of each record. The decoder raises a ValueError for damaged
data: a cut, a wrong tag, a key that occurs twice, bytes after the end.

Hint: First write a function for one field, and its twin that reads one. The twin takes an offset,
and returns the value and the offset where the next field begins.

Hint: The count says how many times the decoder reads a key and a value. After that, its offset must
be exactly the length of the data.

Hint: Put the check into one small function. It takes an offset and a size, and raises a ValueError
if the data ends too early. Then read everything through it.

Why: The encoder and the decoder mirror each other, and the decoder checks each length before it
slices.
"""

import pickle
from typing import Any, Final

from kvlib import encoding
from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Case, refused, texts
from kvlib.lessons.relations import Part, Spelling, snapshot_message

STREAM: Final = encoding.encode_snapshot({"a": "", b"a": "é"})
OFFSET: Final = (
    "Where does the first record begin? By how much does your offset move on after a field?"
)
SLICE: Final = (
    "A slice past the end returns whatever is left, without an error. What must you compare before "
    "each slice?"
)
REST: Final = "Where must the offset be when the last record has been read?"
COUNT: Final = "The count promises a number of records. Is that how many you read?"
TAG: Final = "Only two tags exist. What does your code do with any other?"
DOUBLED: Final = "In a dict the second value replaces the first. When could you notice?"
TWICE: Final = encoding.encode_snapshot({"a": "1", "b": "2", "c": "3"}).replace(b"c", b"a")
SAMPLES: Final = tuple(
    ([snapshot_message(records)], records)
    for records in ({"a": "b"}, {"é": b"\xff"}, {"a": "", b"bc": "d"}, {"a": "x" * 300, "b": "y"})
)
EMPTY_RECORD: Final = bytes.fromhex("73000000007300000000")


def _decoded(stream: bytes, records: object) -> object:
    return encoding.decode_snapshot(stream)


def _large_snapshots() -> list[Case]:
    few: dict[str | bytes, str | bytes] = {f"key {n}": b"v" * 80 for n in range(2_000)}
    many: dict[str | bytes, str | bytes] = {f"key {n}": b"v" * 100 for n in range(8_000)}
    return [
        Case((few,), "a snapshot of 2,000 records"),
        Case((encoding.encode_snapshot(many),), "a stream of 8,000 records", of=1),
    ]


def encode_snapshot(records: dict[str | bytes, str | bytes]) -> bytes:
    """Write the number of records, then all the fields in a row."""
    stream = bytearray(len(records).to_bytes(4, "big"))
    for record in records.items():
        for value in record:
            tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
            stream += tag + len(data).to_bytes(4, "big") + data
    return bytes(stream)


def decode_snapshot(data: bytes) -> dict[str | bytes, str | bytes]:
    """Check each length before using it, and account for every byte."""

    def take(offset: int, size: int) -> bytes:
        if offset + size > len(data):
            raise ValueError(f"offset {offset}: the data ends before {size} bytes")
        return data[offset : offset + size]

    def field(offset: int) -> tuple[str | bytes, int]:
        tag, start = take(offset, 1), offset + 5
        raw = take(start, int.from_bytes(take(offset + 1, 4), "big"))
        if tag not in (b"s", b"b"):
            raise ValueError(f"offset {offset}: {tag!r} isn't a tag")
        return raw.decode() if tag == b"s" else raw, start + len(raw)

    records: dict[str | bytes, str | bytes] = {}
    offset = 4
    for _ in range(int.from_bytes(take(0, 4), "big")):
        key, offset = field(offset)
        if key in records:
            raise ValueError(f"{key!r} occurs twice")
        records[key], offset = field(offset)
    if offset != len(data):
        raise ValueError(f"offset {offset}: extra bytes after the last record")
    return records


DELIMITED: Final = (
    "You separate the records with delimiters, which can also occur in the data. The format "
    "has none."
)


def _delimited(records: dict[Any, Any], *marks: int) -> bytes:
    pieces = [bytes([mark]) for mark in marks]
    items = [
        (item.encode() if isinstance(item, str) else item) + mark
        for record in records.items()
        for item, mark in zip(record, pieces, strict=True)
    ]
    return b"".join(items)


def spell_snapshot(records: dict[Any, Any]) -> Spelling:
    """Return how a snapshot is spelled, and what else people return."""
    wholes = {
        "You use pickle's format, and reading it can run any code inside it. Write the bytes "
        "of the "
        "format yourself.": pickle.dumps(records),
        "You write what Python shows for a dict, and reading it back needs `eval`, which can "
        "run any "
        "code inside it. Write the bytes of the format yourself.": repr(records).encode(),
        "You write JSON. Write the bytes of the format yourself.": repr(records)
        .replace("'", '"')
        .encode(),
    }
    marks = {pair: _delimited(records, *pair) for pair in (b"=;", b":,", b",\n", b"|\n", b"\0\0")}
    parts = {
        "Records with an empty value are left out. Is `if value` true for an empty text?": {
            key: value for key, value in records.items() if value
        },
        "Records with an empty key are left out. Is `if key` true for an empty text?": {
            key: value for key, value in records.items() if key
        },
        "An empty text becomes empty bytes: `or` replaces it.": {
            key or b"": value or b"" for key, value in records.items()
        },
        "An empty value becomes empty bytes: `or` replaces it.": {
            key: value or b"" for key, value in records.items()
        },
        "Only the first record is there. Is there a `return` inside the loop?": dict(
            list(records.items())[:1]
        ),
        "The last record is missing.": dict(list(records.items())[:-1]),
    }
    return (
        {"": [snapshot_message(records)]}
        | {says: [((Part("all", data),),)] for says, data in wholes.items()}
        | {f"{DELIMITED} ({pair!r})": [((Part("all", data),),)] for pair, data in marks.items()}
        | {says: [snapshot_message(some)] for says, some in parts.items()}
    )


EXERCISE: Final = Coding(
    **texts(__name__),
    minutes=35,
    points=6,
    functions=(
        encode_snapshot,
        decode_snapshot,
    ),
    cases=(
        Case(({},), "an empty store"),
        Case(({"": ""},), "an empty key and an empty value"),
        Case(({"a": "b"},), "one record"),
        Case(({"é": ""},), "a character of two bytes"),
        Case(({"": b"\xff"},), "bytes that aren't text"),
        Case(({"1": "", b"1": ""},), "a text and bytes that look alike"),
        Case(({"b": "", "a": ""},), "two records"),
        Case(({"a": "b" * 256},), "a length that needs its second byte"),
        Case((bytes(4),), "a stream of an empty store", OFFSET, of=1),
        Case((bytes(3) + b"\1" + EMPTY_RECORD,), "an empty key and an empty value", OFFSET, of=1),
        Case((encoding.encode_snapshot({"a": "b"}),), "one record", OFFSET, of=1),
        Case((encoding.encode_snapshot({"é": ""}),), "a character of two bytes", of=1),
        Case((encoding.encode_snapshot({"": b"\xff"}),), "bytes that aren't text", of=1),
        Case((STREAM,), "a text and bytes that look alike", of=1),
        refused(
            "no bytes at all, not even a count",
            "A slice past the end is empty, and makes a 0.",
            b"",
            of=1,
        ),
        refused("a count that is cut short", SLICE, bytes(3), of=1),
        refused("an extra byte after the end", REST, bytes(5), of=1),
        refused("a newline after the end", REST, STREAM + b"\n", of=1),
        refused("a count of one, and no record", COUNT, bytes(3) + b"\1", of=1),
        refused("a count of zero, and one record", COUNT, bytes(4) + EMPTY_RECORD, of=1),
        refused("a count of two, and one record", COUNT, bytes(3) + b"\2" + EMPTY_RECORD, of=1),
        *(
            refused("a stream that is cut short", SLICE, STREAM[:end], of=1)
            for end in range(5, len(STREAM))
        ),
        refused("an unknown tag", TAG, bytes(3) + b"\1t" + EMPTY_RECORD[1:], of=1),
        refused("a tag of 0", TAG, bytes(3) + b"\1\0" + EMPTY_RECORD[1:], of=1),
        refused(
            "an unknown tag of a value",
            TAG,
            bytes(3) + b"\1" + EMPTY_RECORD[:5] + b"S" + EMPTY_RECORD[6:],
            of=1,
        ),
        refused("a key that occurs twice", DOUBLED, bytes(3) + b"\2" + 2 * EMPTY_RECORD, of=1),
        refused("a key that occurs twice, with another one between", DOUBLED, TWICE, of=1),
        refused(
            "a text that isn't valid UTF-8",
            "Does your `decode` ignore or replace what it can't read?",
            STREAM[:-2] + b"\xff\xff",
            of=1,
        ),
        refused("a count of four billion, and no record", COUNT, b"\xff" * 4, of=1),
    ),
    own=(
        "encode_snapshot",
        "decode_snapshot",
        "encode_field",
        "decode_field",
    ),
    formats=("snapshot", ""),
    given=("", "snapshot"),
    spell=(spell_snapshot, None),
    samples=((), SAMPLES),
    reads=(_decoded, None),
    large=_large_snapshots,
)
