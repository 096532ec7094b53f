r"""Fields and snapshot streams <-> bytes. Pure: bytes in, values out. Integers are big-endian.

    field    = tag u8 | length u32 | data       tag: 'b' bytes, 's' str as UTF-8; length in BYTES
    snapshot = count u32 | count * (key field, value field)

>>> encode_field("café").hex(" ")
'73 00 00 00 05 63 61 66 c3 a9'
>>> decode_field(encode_field("café"))
('café', 10)
>>> decode_snapshot(encode_snapshot({"a": "1", b"a": b"\0"}))
{'a': '1', b'a': b'\x00'}

The length precedes the data, so no byte of the data can be mistaken for the end of it.
"""

import io
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from kvlib.errors import CorruptionError, check_bytes
from kvlib.parts import Part, Parts

Item = str | bytes  # a key or a value; it comes back with the type it went in with

COUNT: Final = Parts(Part("count", "u32", "records"))
FIELD: Final = Parts(Part("tag", "1 byte"), Part("length", "u32", "bytes of data"))
BYTES: Final = b"b"
TEXT: Final = b"s"
MAX_LENGTH: Final = 2**32 - 1
MIN_RECORD: Final = 2 * FIELD.size


@lru_cache(maxsize=1 << 12)  # the keys and values of a store share a few lengths
def _header(tag: bytes, length: int) -> bytes:
    if length > MAX_LENGTH:
        raise ValueError(f"{length} bytes don't fit a field: at most {MAX_LENGTH}")
    return FIELD.pack(tag, length)


def encode_field(value: Item) -> bytes:
    """Return the field of `value`: tag, length and data, 5 bytes longer than the data.

    Raises TypeError for any type but str and bytes, subclasses included; ValueError for a lone
    surrogate and for more than 2**32 - 1 bytes.
    """
    if type(value) is bytes:
        return _header(BYTES, len(value)) + value
    if type(value) is str:
        data = value.encode()
        return _header(TEXT, len(data)) + data
    raise TypeError(f"keys and values are str or bytes, not {type(value).__name__}")


def decode_field(data: bytes, offset: int = 0) -> tuple[Item, int]:
    """Return the value of the field at `offset`, and the offset at which the field ends.

    Raises CorruptionError if there is no whole field, ValueError if `offset` is negative.
    """
    data = check_bytes(data, offset)
    start = offset + FIELD.size
    left = len(data) - start
    if left < 0:
        raise CorruptionError(None, offset, f"the data ends {-left} bytes short of a field header")
    tag, length = FIELD.unpack_from(data, offset)
    if tag not in (BYTES, TEXT):
        raise CorruptionError(None, offset, f"tag {tag!r} is neither b'b' (bytes) nor b's' (str)")
    if length > left:  # before anything is sliced: the length is not trusted yet
        at = offset + FIELD.offset("length")
        raise CorruptionError(None, at, f"length {length}, but only {left} bytes are left")
    end = start + length
    raw = data[start:end]
    try:
        return raw.decode() if tag == TEXT else raw, end
    except UnicodeDecodeError as error:
        raise CorruptionError(None, start + error.start, f"not UTF-8: {error.reason}") from error


def encode_snapshot(items: Mapping[Item, Item]) -> bytes:
    """Return all of `items` as one stream, in the mapping's order; 4 bytes if it is empty.

    The stream is the state at one moment, even if other threads change `items` meanwhile.
    """
    if len(items) > MAX_LENGTH:
        raise ValueError(f"{len(items)} records don't fit a snapshot: at most {MAX_LENGTH}")
    items = dict(items)  # a single step, during which no other thread runs
    stream = bytearray(COUNT.pack(len(items)))
    for record in items.items():
        for value in record:  # encode_field, inlined: this loop is the cost of a compaction
            if type(value) is bytes:
                stream += _header(BYTES, len(value))
                stream += value
            else:
                stream += encode_field(value)
    return bytes(stream)


class Record(NamedTuple):
    """A key and its value, with the offsets of key field and value field and the record's end."""

    start: int
    key: Item
    key_end: int
    value: Item
    end: int


def decode_count(data: bytes) -> int:
    """Return the number of records that a stream claims. CorruptionError if they can't fit."""
    data = check_bytes(data)
    if len(data) < COUNT.size:
        raise CorruptionError(None, 0, f"{len(data)} bytes, but a count needs {COUNT.size}")
    (count,) = COUNT.unpack_from(data)
    left = len(data) - COUNT.size
    if count > left // MIN_RECORD:
        raise CorruptionError(None, 0, f"count {count}, but only {left} bytes follow")
    return int(count)


def decode_records(data: bytes) -> Iterator[Record]:
    """Yield the records of a snapshot stream, checking every byte; CorruptionError at a flaw."""
    data, offset = check_bytes(data), COUNT.size
    seen: set[Item] = set()
    for _ in range(decode_count(data)):
        start = offset
        key, key_end = decode_field(data, start)
        if key in seen:
            raise CorruptionError(None, start, f"key {key!r:.60} is here for the second time")
        value, offset = decode_field(data, key_end)
        seen.add(key)
        yield Record(start, key, key_end, value, offset)
    if offset != len(data):
        raise CorruptionError(None, offset, "more data follows the last record")


class FieldHeaders(dict[bytes, tuple[bool, int]]):
    """Field headers already decoded, as (is it text, length), so each is checked only once."""

    def __missing__(self, header: bytes) -> tuple[bool, int]:
        if len(header) != FIELD.size or header[:1] not in (BYTES, TEXT):
            raise CorruptionError(None, 0, "no field header")
        tag, length = FIELD.unpack(header)
        self[header] = decoded = (tag == TEXT, length)
        return decoded


def decode_snapshot(data: bytes) -> dict[Item, Item]:
    """Return the records of a snapshot stream. CorruptionError unless every byte belongs to one."""
    # Reading from a BytesIO is twice as fast as slicing. read() returns fewer bytes at the end
    # instead of raising: after a short read in the middle there is no whole header, and a short
    # read at the very end shows in the length of the last data. Whenever something looks wrong,
    # the strict decoder runs and says what.
    items: dict[Item, Item] = {}
    count, length, raw = decode_count(data), 0, b""
    source, headers = io.BytesIO(data), FieldHeaders()
    read = source.read
    read(COUNT.size)
    try:
        for _ in range(count):
            is_text, length = headers[read(5)]
            raw = read(length)
            key = raw.decode() if is_text else raw
            is_text, length = headers[read(5)]
            raw = read(length)
            items[key] = raw.decode() if is_text else raw
        if len(items) == count and len(raw) == length and source.tell() == len(data):
            return items
    except (CorruptionError, UnicodeDecodeError):
        pass
    return {record.key: record.value for record in decode_records(data)}
