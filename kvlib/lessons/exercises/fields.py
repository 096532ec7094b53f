"""The parts of a field, which the wrong answers of several exercises share."""

from typing import Any

Item = str | bytes
Records = dict[Any, Any]


def data_of(value: Item) -> bytes:
    """Return the data bytes of a text or of bytes."""
    return value.encode() if isinstance(value, str) else value


def tag_of(value: Item) -> bytes:
    """Return the tag that tells text from bytes."""
    return b"s" if isinstance(value, str) else b"b"


def u32(number: int) -> bytes:
    """Return a number as four bytes, big-endian."""
    return number.to_bytes(4, "big")
