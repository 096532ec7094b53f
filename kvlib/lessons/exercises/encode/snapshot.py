"""01-snapshot: a whole snapshot, written and read."""

from typing import Final

from kvlib.encoding import decode_field, decode_snapshot, encode_field, encode_snapshot
from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise
from kvlib.lessons.exercises.encode.snapshot_mistakes import MISTAKES

STREAM: Final = solutions.encode_snapshot({"a": "", b"a": "é"})
EMPTY_RECORD: Final = bytes.fromhex("73000000007300000000")


def _decoded(stream: bytes, records: object) -> object:
    return decode_snapshot(stream)


def _large_snapshots() -> list[Case]:
    few: dict[str | bytes, str | bytes] = {f"key {n}": b"v" * 80 for n in range(2_000)}
    many: dict[str | bytes, str | bytes] = {f"key {n}": b"v" * 100 for n in range(8_000)}
    return [
        Case((few,), "a snapshot of 2,000 records"),
        Case((solutions.encode_snapshot(many),), "a stream of 8,000 records", 1),
    ]


EXERCISE: Final = Exercise(
    name="01-snapshot",
    kind="functions",
    objective="write a whole snapshot as bytes, read it back, and refuse what can't be right",
    task=(
        "Write `encode_snapshot(records)` and `decode_snapshot(data)`. A snapshot is a count of "
        "four bytes, then the key field and the value field of each record. The decoder raises a "
        "ValueError for damaged data: a cut, a wrong tag, a key that occurs twice, bytes after "
        "the end."
    ),
    stub="""\
def encode_snapshot(records):
    raise NotImplementedError  # YOUR CODE HERE


def decode_snapshot(data):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("encode_snapshot", "decode_snapshot"),
    solution=(solutions.encode_snapshot, solutions.decode_snapshot),
    cases=(
        Case(({},), "an empty store"),
        Case(({"": ""},), "an empty key and an empty value"),
        Case(({"a": "b"},), "one record"),
        Case(({"é": ""},), "a character of two bytes"),
        Case(({"": b"\xff"},), "bytes that aren't text"),
        Case(({"1": "", b"1": ""},), "a text and bytes that look alike"),
        Case(({"b": "", "a": ""},), "two records"),
        Case(({"a": "b" * 256},), "a length that needs its second byte"),
        Case((bytes(4),), "a stream of an empty store", 1),
        Case((bytes(3) + b"\1" + EMPTY_RECORD,), "an empty key and an empty value", 1),
        Case((solutions.encode_snapshot({"a": "b"}),), "one record", 1),
        Case((solutions.encode_snapshot({"é": ""}),), "a character of two bytes", 1),
        Case((solutions.encode_snapshot({"": b"\xff"}),), "bytes that aren't text", 1),
        Case((STREAM,), "a text and bytes that look alike", 1),
        Case((b"",), "no bytes at all, not even a count", 1, refused=True),
        Case((bytes(3),), "a count that is cut short", 1, refused=True),
        Case((bytes(5),), "an extra byte after the end", 1, refused=True),
        Case((bytes(3) + b"\1",), "a count of one, and no record", 1, refused=True),
        *(
            Case((STREAM[:end],), "a stream that is cut short", 1, refused=True)
            for end in range(5, len(STREAM))
        ),
        Case((bytes(3) + b"\1t" + EMPTY_RECORD[1:],), "an unknown tag", 1, refused=True),
        Case((bytes(3) + b"\2" + 2 * EMPTY_RECORD,), "a key that occurs twice", 1, refused=True),
        Case((STREAM[:-2] + b"\xff\xff",), "a text that isn't valid UTF-8", 1, refused=True),
        Case((b"\xff" * 4,), "a count of four billion, and no record", 1, refused=True),
    ),
    read=(_decoded, None),
    format=("snapshot", ""),
    given=("", "snapshot"),
    large=_large_snapshots,
    mistakes=MISTAKES,
    hints=(
        "First write a function for one field, and its twin that reads one. The twin takes an "
        "offset, and returns the value and the offset where the next field begins.",
        "The count says how many times the decoder reads a key and a value. After that, its "
        "offset must be exactly the length of the data.",
        "Put the check into one small function. It takes an offset and a size, and raises a "
        "ValueError if the data ends too early. Then read everything through it.",
    ),
    why=(
        "The encoder and the decoder mirror each other, and the decoder checks each length before "
        "it slices."
    ),
    points=6,
    minutes=15,
    own={
        "encode_snapshot": encode_snapshot,
        "decode_snapshot": decode_snapshot,
        "encode_field": encode_field,
        "decode_field": decode_field,
    },
)
