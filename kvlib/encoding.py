r"""Fields and snapshot streams <-> bytes. Pure: bytes in, values out. Integers are big-endian.

    field    = tag u8 | length u32 | data       tag: 'b' bytes, 's' str as UTF-8; length in BYTES
    snapshot = count u32 | count * (key field, value field)

>>> encode_field("café").hex(" ")
'73 00 00 00 05 63 61 66 c3 a9'
>>> decode_field(encode_field("café"))
('café', 10)
>>> decode_snapshot(encode_snapshot({"a": "1", b"a": b"\0"}))
{'a': '1', b'a': b'\x00'}

The length stands before the data, so no byte of the data can be taken for the end of it.
"""

import io
import struct
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from kvlib.errors import CorruptionError, check_bytes

Item = str | bytes  # what a key or a value may be; it comes back with the type it went in

COUNT: Final = struct.Struct(">I")
FIELD: Final = struct.Struct(">cI")
BYTES: Final = b"b"
TEXT: Final = b"s"
MAX_LENGTH: Final = 2**32 - 1
MIN_RECORD: Final = 2 * FIELD.size


@lru_cache(maxsize=1 << 12)  # most keys and values of a store share a few lengths
def _header(tag: bytes, length: int) -> bytes:
    if length > MAX_LENGTH:
        raise ValueError(f"{length} bytes do not fit a field: at most {MAX_LENGTH}")
    return FIELD.pack(tag, length)


def encode_field(value: Item) -> bytes:
    """`value` as tag, length and data: 5 bytes more than its own.

    TypeError for any type but exactly str and bytes; ValueError for a lone surrogate, and for more
    than 2**32 - 1 bytes.
    """
    if type(value) is bytes:
        return _header(BYTES, len(value)) + value
    if type(value) is str:
        data = value.encode()
        return _header(TEXT, len(data)) + data
    raise TypeError(f"keys and values are str or bytes, not {type(value).__name__}")


def decode_field(data: bytes, offset: int = 0) -> tuple[Item, int]:
    """Return the value of the field at `offset`, and the offset where the field ends.

    Raises CorruptionError if there is no whole field, ValueError if `offset` is outside `data`.
    """
    data = check_bytes(data, offset)
    left = len(data) - offset - FIELD.size
    if left < 0:
        raise CorruptionError(
            None, offset, f"the data ends {-left} bytes short of a field's length"
        )
    tag, length = FIELD.unpack_from(data, offset)
    if tag not in (BYTES, TEXT):
        raise CorruptionError(None, offset, f"tag {tag!r} is neither b'b' (bytes) nor b's' (str)")
    if length > left:  # before anything is sliced: a length is not to be trusted
        raise CorruptionError(None, offset + 1, f"length {length}, but only {left} bytes are left")
    start, end = offset + FIELD.size, offset + FIELD.size + length
    raw = data[start:end]
    try:
        return raw.decode() if tag == TEXT else raw, end
    except UnicodeDecodeError as error:
        raise CorruptionError(None, start + error.start, f"not UTF-8: {error.reason}") from error


def encode_snapshot(items: Mapping[Item, Item]) -> bytes:
    """Return all of `items` as one stream, in the mapping's order; 4 bytes when it is empty.

    The stream is the state of one moment, even if other threads change `items` meanwhile.
    """
    if len(items) > MAX_LENGTH:
        raise ValueError(f"{len(items)} records do not fit a snapshot: at most {MAX_LENGTH}")
    items = dict(items)  # one step, during which no other thread runs
    stream = bytearray(COUNT.pack(len(items)))
    for record in items.items():
        for value in record:  # encode_field written out: this loop is the cost of a compaction
            if type(value) is bytes:
                stream += _header(BYTES, len(value))
                stream += value
            else:
                stream += encode_field(value)
    return bytes(stream)


class Record(NamedTuple):
    """A key and its value, with the offsets at which key field, value field and record end."""

    start: int
    key: Item
    key_end: int
    value: Item
    end: int


def decode_count(data: bytes) -> int:
    """Return the number of records that a stream claims, checked against the bytes it has."""
    data = check_bytes(data)
    if len(data) < COUNT.size:
        raise CorruptionError(None, 0, f"{len(data)} bytes, a count needs {COUNT.size}")
    count = int.from_bytes(data[: COUNT.size], "big")
    if count > (len(data) - COUNT.size) // MIN_RECORD:
        reason = f"count {count}, but only {len(data) - COUNT.size} bytes follow"
        raise CorruptionError(None, 0, reason)
    return count


def decode_records(data: bytes) -> Iterator[Record]:
    """The records of a snapshot stream, one by one and checked byte by byte."""
    data, offset = check_bytes(data), COUNT.size
    seen: set[Item] = set()
    for _ in range(decode_count(data)):
        start = offset
        key, key_end = decode_field(data, start)
        if key in seen:
            raise CorruptionError(None, start, f"key {key!r:.60} stands here for the second time")
        value, offset = decode_field(data, key_end)
        seen.add(key)
        yield Record(start, key, key_end, value, offset)
    if offset != len(data):
        raise CorruptionError(None, offset, "the data goes on behind the last record")


class FieldHeaders(dict[bytes, tuple[bool, int]]):
    """Field heads already parsed, as (is it text, length): each distinct head is checked once."""

    def __missing__(self, head: bytes) -> tuple[bool, int]:
        if len(head) != FIELD.size or head[:1] not in (BYTES, TEXT):
            raise CorruptionError(None, 0, "no field head")
        self[head] = parsed = (head[:1] == TEXT, int.from_bytes(head[1:], "big"))
        return parsed


def decode_snapshot(data: bytes) -> dict[Item, Item]:
    """The records of a snapshot stream. Strict: every byte must belong, else CorruptionError."""
    # read() answers with fewer bytes at the end and does not complain. A short read in the middle
    # leaves no whole head behind it; one at the very end shows in the length of the last data.
    # Twice as fast as slicing; whatever is doubtful is left to the strict decoder, which says why.
    items: dict[Item, Item] = {}
    count, length, raw = decode_count(data), 0, b""
    source, heads = io.BytesIO(data), FieldHeaders()
    read = source.read
    read(COUNT.size)
    try:
        for _ in range(count):
            is_text, length = heads[read(5)]
            raw = read(length)
            key = raw.decode() if is_text else raw
            is_text, length = heads[read(5)]
            raw = read(length)
            items[key] = raw.decode() if is_text else raw
        if len(items) == count and len(raw) == length and source.tell() == len(data):
            return items
    except (CorruptionError, UnicodeDecodeError):
        pass
    return {record.key: record.value for record in decode_records(data)}
