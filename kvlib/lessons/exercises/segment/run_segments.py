"""02-run-segments: keep a snapshot in segments that may be shuffled, and restore it exactly.

Write `run_segments(max_segment_size, operations)`. It works like `run_snapshots`, but `serialize
path` keeps a list of segments, each of at most `max_segment_size` bytes (9 or more). `segment_count
path` gives the number of segments, `reorder path order` shuffles them (`new[i] = old[order[i]]`),
and `deserialize path` restores exactly what was saved. Return the list of what `get` and
`segment_count` gave. The stream is a count of 4 bytes, then a field for each key and value (tag,
length of 4 bytes, data). A segment is index, total, piece. There may be up to 100,000 operations.
Don't use kvlib, pickle, repr or eval.

Hint: Reuse your functions for the stream and its segments: `serialize` is encode, then split;
`deserialize` is join, then decode.

Hint: `reorder` changes only the list that is kept under the path. `segment_count` is the length of
that list.

Hint: Each segment begins with its index, so start joining by sorting. Then replace the state with a
new dict.

Why: Each segment carries its own index, so it doesn't matter in which order they are stored.
"""

from typing import Any, Final

from kvlib import encoding, segments
from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Case, texts
from kvlib.lessons.exercises import stores
from kvlib.lessons.exercises.segment.pieces import spell_pieces
from kvlib.lessons.exercises.stores import (
    FAR,
    FORBIDDEN,
    KEEPSAKE,
    LOAD,
    SAVE,
    Adapt,
    Operation,
    about_data,
    about_memory,
    about_saving,
    cases_of,
    get,
    gets,
    keeps_objects,
    operation_of,
    put,
)

HOW_MANY: Final = ("segment_count", "p")
LONG: Final = "abcdefghijklmno"
ELEVEN_PIECES: Final = "-" + "".join(8 * mark for mark in "23456789X")
KEPT: Final = (
    "You got back the very object that was put, so it never became bytes. Under each path, keep a "
    "list of segments, as files would hold them."
)
COUNTED: Final = (
    "The stream has a count of 4 bytes, and 5 bytes before the data of each key and each value. A "
    "segment has 8 bytes of header, which belong to the limit. How many segments is that?"
)


# The sizes of the values under one key; the streams have 15 bytes more.
SIZES: Final = (1, 2, 3, 4, 5, 6, 8, 9, 20)
NO_COUNT: Final = "The stream is 4 bytes too short. What comes before the first record?"
NO_TAGS: Final = (
    "The stream is one byte too short for each key and value. What says which type it is?"
)
SHORT: Final = "The lengths in the stream take too few bytes: a length has 4."
ONE: Final = (
    "There is one segment, however long the record is. The limit cuts the stream, wherever records "
    "begin or end."
)


def _count_case() -> Case:
    """Return a case with several counts, and the counts that each misunderstanding gives."""
    limit = 16
    operations = [one for size in SIZES for one in (put("a", "x" * size), SAVE, HOW_MANY)]
    lengths = [15 + size for size in SIZES]
    wrong: dict[str, list[int]] = {ONE: [1] * len(SIZES)}
    for says in spell_pieces(bytes(limit), limit):
        if says and not says.startswith("Bytes are missing"):  # as many as without a header
            wrong[says] = [len(spell_pieces(bytes(size), limit)[says]) for size in lengths]
    for says, less in ((NO_COUNT, 4), (NO_TAGS, 2), (SHORT, 6)):
        wrong[says] = [-(-(size - less) // (limit - 8)) for size in lengths]
    wrong = {says: counts for says, counts in wrong.items() if says == ONE or max(counts) > 1}
    right = [-(-size // (limit - 8)) for size in lengths]
    signs = [
        (counts, says)
        for says, counts in wrong.items()
        if counts != right and all(_alike(says, one) for one in wrong if wrong[one] == counts)
    ]
    return Case((limit, operations), "states of several sizes", COUNTED, tuple(signs))


def _alike(one: str, other: str) -> bool:
    """Return whether two sentences name the same mistake: they begin in the same way."""
    return one[:40] == other[:40]


SEGMENTS: Final = """
ORDER = Which segments are there after `reorder`, and in which order do you join them?
SHUFFLED = You join the segments in the order in which they are stored. What in a segment says where
    it belongs?
NEW = `reorder` builds a new list from the old one: `new[i] = old[order[i]]`. Don't read from the
    list that you are changing.
TEXT = Up to ten segments it was right. Do you sort the indexes as numbers, or as text, where `10`
    comes before `2`?
[16] two segments, in their order: put a 1; serialize p; deserialize p; get a
[13] six segments, in their order: put a LONG; serialize p; deserialize p; get a
[16] 11 segments, in their order: put a ELEVEN; serialize p; deserialize p; get a
    ? TEXT
[13] two segments that are swapped, both from the middle of a value: put a abcdefghij; serialize p;
    reorder p [0,1,2,4,3]; deserialize p; get a
    ? ORDER
    ['fghijabcde'] -> SHUFFLED
    ['fghijfghij'] -> NEW
    ['abcdeabcde'] -> NEW
[16] two segments that are swapped: put a 1; serialize p; reorder p [1,0]; deserialize p; get a
    ? ORDER
[13] three segments that are shuffled: put a LONG; serialize p; reorder p [0,1,2,4,5,3];
    deserialize p; get a
    ? ORDER
[13] segments that are shuffled twice: put a LONG; serialize p; reorder p [0,1,2,4,5,3];
    reorder p [0,1,2,4,5,3]; deserialize p; get a
    ? `reorder` builds a new list from the old one: `new[i] = old[order[i]]`.
[16] 11 segments, most of them in the opposite order: put a ELEVEN; serialize p;
    reorder p [0,1,10,9,8,7,6,5,4,3,2]; deserialize p; get a
    ? TEXT
[14] a path that is saved to twice: put a 1; serialize p; segment_count p; put a xxxxxxxxx;
    segment_count p; serialize p; segment_count p
    ? `segment_count` counts what is saved under the path, not what is in memory.
[16] a deleted record: put a 1; serialize p; delete a; deserialize p; get a; segment_count p
"""


def _limited(operations: list[Operation], limit: str) -> tuple[Any, ...]:
    return (int(limit), operations)


def _at(limit: int) -> Adapt:
    return lambda operations: (limit, operations)


def _reorder(*order: int) -> Operation:
    return ("reorder", "p", list(order))


def _large_operations() -> list[Case]:
    records: dict[str | bytes, str | bytes] = {f"key {n}": b"v" * 50 for n in range(1_000)}
    puts = [put(key, value) for key, value in records.items()]
    count = len(segments.split(encoding.encode_snapshot(records), 64))
    saves = [SAVE, _reorder(*reversed(range(count))), put("key 0"), LOAD, HOW_MANY] * 3
    operations = [*puts, *saves, *gets(19_000, keys=1_000)]
    return [
        Case((64, operations), "20,000 operations on 1,000 records"),
        Case((999, [stores.LONG, SAVE, LOAD, get()]), "a value of 70,000 bytes", FAR),
    ]


def run_segments(
    max_segment_size: int, operations: list[tuple[Any, ...]]
) -> list[str | bytes | int | None]:
    """Keep segments under a path; each carries its index."""

    def encode(records: dict[str | bytes, str | bytes]) -> bytes:
        stream = bytearray(len(records).to_bytes(4, "big"))
        for record in records.items():
            for value in record:
                tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
                stream += tag + len(data).to_bytes(4, "big") + data
        return bytes(stream)

    def field(data: bytes, offset: int) -> tuple[str | bytes, int]:
        end = offset + 5 + int.from_bytes(data[offset + 1 : offset + 5], "big")
        raw = data[offset + 5 : end]
        return raw.decode() if data[offset : offset + 1] == b"s" else raw, end

    def decode(data: bytes) -> dict[str | bytes, str | bytes]:
        records, offset = {}, 4
        while offset < len(data):
            key, offset = field(data, offset)
            records[key], offset = field(data, offset)
        return records

    def split(stream: bytes) -> list[bytes]:
        size = max_segment_size - 8
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        total = len(pieces).to_bytes(4, "big")
        return [index.to_bytes(4, "big") + total + piece for index, piece in enumerate(pieces)]

    state: dict[str | bytes, str | bytes] = {}
    saved: dict[str, list[bytes]] = {}
    results: list[str | bytes | int | None] = []
    for name, *arguments in operations:
        if name == "put":
            state[arguments[0]] = arguments[1]
        elif name == "get":
            results.append(state.get(arguments[0]))
        elif name == "delete":
            state.pop(arguments[0], None)
        elif name == "serialize":
            saved[arguments[0]] = split(encode(state))
        elif name == "segment_count":
            results.append(len(saved[arguments[0]]))
        elif name == "reorder":
            saved[arguments[0]] = [saved[arguments[0]][at] for at in arguments[1]]
        else:  # big-endian headers of one size sort as their numbers do
            state = decode(b"".join(segment[8:] for segment in sorted(saved[arguments[0]])))
    return results


EXERCISE: Final = Coding(
    **texts(__name__),
    minutes=40,
    points=6,
    functions=(run_segments,),
    cases=(
        *about_memory(_at(64)),
        Case(
            (12, [SAVE, HOW_MANY]),
            "an empty state, in one full segment",
            COUNTED,
            signs=(
                ([], "`segment_count` gives a result too, as `get` does."),
                (
                    [0],
                    "An empty state is saved as no segments at all, as if all were lost. How "
                    "many bytes does its stream have?",
                ),
            ),
            later=True,
        ),
        _count_case(),
        Case((9, [SAVE, HOW_MANY]), "an empty state, with one byte in each segment", COUNTED),
        Case((24, [put(), SAVE, HOW_MANY]), "one record, in one full segment", COUNTED),
        Case(
            (9, [put("a", "é"), SAVE, HOW_MANY]),
            "one record, with one byte in each segment",
            COUNTED,
        ),
        *about_saving(_at(64)),
        *cases_of(SEGMENTS.replace("LONG", LONG).replace("ELEVEN", ELEVEN_PIECES), _limited),
        *about_saving(_at(9)),
        Case(
            (9, [put("a", "v" * 300), SAVE, HOW_MANY, LOAD, get()]),
            "314 segments, so an index needs its second byte",
            "An index has four bytes, big-endian. Do you write all of them, and sort by all of "
            "them?",
        ),
        *about_data(_at(64), "serialize p; deserialize p"),
        *about_data(_at(9), "serialize p; deserialize p"),
    ),
    own=(
        "judge.run_segments",
        "split",
        "join",
    ),
    item=operation_of,
    large=_large_operations,
    forbidden=FORBIDDEN,
    attack=keeps_objects(KEPT, (64, [put("a", KEEPSAKE), SAVE, LOAD, get()])),
)
