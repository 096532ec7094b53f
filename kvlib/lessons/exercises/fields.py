"""What the wrong answers of several exercises share: the pieces of a field."""

from typing import Any

Item = str | bytes
Records = dict[Any, Any]


def data_of(value: Item) -> bytes:
    """The bytes of a text or of bytes."""
    return value.encode() if isinstance(value, str) else value


def tag_of(value: Item) -> bytes:
    """The byte that says which of the two it is."""
    return b"s" if isinstance(value, str) else b"b"


def u32(number: int) -> bytes:
    """A number in four bytes, big-endian."""
    return number.to_bytes(4, "big")
