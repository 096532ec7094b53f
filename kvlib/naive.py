"""Formats that look right and aren't. Notebook 1 takes them apart; kvlib itself doesn't use them.

Each pair of functions works for the examples that come to mind first.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

__all__ = ["decode_counted", "decode_delimited", "encode_counted", "encode_delimited"]


class Piece(NamedTuple):
    """A text that a reader found, and the byte offsets at which the reader believes it is.

    With a wrong length, `end` may be past the end of the data: the reader slices without a check.
    """

    start: int
    text: str
    end: int


def encode_delimited(items: Mapping[str, str], between: str = "=", after: str = ";") -> bytes:
    """Return `key=value;` for each record, as UTF-8. What if a key contains a `=` or a `;`?

    >>> encode_delimited({"name": "Ada", "job": "poet"})
    b'name=Ada;job=poet;'
    """
    return "".join(f"{key}{between}{value}{after}" for key, value in items.items()).encode()


def decode_delimited(data: bytes, between: str = "=", after: str = ";") -> dict[str, str]:
    """Return what a parser finds that splits at the delimiters.

    >>> decode_delimited(b"name=Ada;job=poet;")
    {'name': 'Ada', 'job': 'poet'}
    >>> decode_delimited(encode_delimited({"sum": "1+1=2;"}))
    {'sum': '1+1=2', '': ''}
    """
    return {key.text: value.text for key, value in read_delimited(data, between, after)}


def read_delimited(
    data: bytes, between: str = "=", after: str = ";"
) -> Iterator[tuple[Piece, Piece]]:
    """Yield the keys and values that `decode_delimited` sees, empty values included."""
    start = 0
    for record in data.decode().split(after)[:-1]:
        key, found, value = record.partition(between)
        key_end = start + len(key.encode())
        value_start, end = key_end + len(found.encode()), start + len(record.encode())
        yield Piece(start, key, key_end), Piece(value_start, value, end)
        start = end + len(after.encode())


def encode_counted(items: Mapping[str, str]) -> bytes:
    r"""Return each key and value after one byte of length. What if a character takes two bytes?

    >>> encode_counted({"tea": "hot"})
    b'\x03tea\x03hot'
    """
    data = bytearray()
    for record in items.items():
        for text in record:
            data += bytes([len(text)]) + text.encode()
    return bytes(data)


def decode_counted(data: bytes) -> dict[str, str]:
    r"""Return what a reader finds that reads each length as a number of bytes.

    >>> decode_counted(b"\x03tea\x03hot")
    {'tea': 'hot'}
    >>> decode_counted(encode_counted({"café": "9"}))
    Traceback (most recent call last):
    UnicodeDecodeError: 'utf-8' codec can't decode byte 0xc3 in position 3: unexpected end of data
    """
    texts = [piece.text for piece in read_counted(data)]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def read_counted(data: bytes) -> Iterator[Piece]:
    """Yield the texts that `decode_counted` sees: key, value, key, value, and so on."""
    offset = 0
    while offset < len(data):
        end = offset + 1 + data[offset]
        yield Piece(offset + 1, data[offset + 1 : end].decode(), end)
        offset = end
