"""The clear version of each exercise: one function, or one for each that is asked for.

What a check compares with, what `solution` shows, and what the solved notebooks are made of; so
each stands alone, as it would in a cell. Nothing here is used by kvlib.
"""

# Exercises hand over whatever the task says: str and bytes, tuples that begin with a name.
from typing import Any

# --------------------------------------------------------------------------------------- notebook 1


def length() -> int:
    """01-length: a tag, a length of four bytes, and nine bytes of text."""
    return 1 + 4 + len("déjà vu".encode())


def encode_field(value: str | bytes) -> bytes:
    """01-encode-field: encode first, then measure."""
    tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
    return tag + len(data).to_bytes(4, "big") + data


def read_text(data: bytes, offset: int) -> tuple[str, int]:
    """01-decode-order: each line uses what those above it have found out."""
    start = offset + 4
    length = int.from_bytes(data[offset:start], "big")
    end = start + length
    if end > len(data):
        raise ValueError("the length promises more than is left")
    text = data[start:end].decode()
    return text, end


def encode(records: dict[str | bytes, str | bytes]) -> bytes:
    """01-delimiter: type and length stand before the data, so nothing in it is looked at."""
    stream = b""
    for record in records.items():
        for value in record:
            tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
            stream += tag + len(data).to_bytes(4, "big") + data
    return stream


def found() -> dict[str | bytes, str | bytes]:
    """01-bug-hunt: bytes that happen to be good UTF-8 come back as a text."""
    return {"drink": b"tea"}


def encode_snapshot(records: dict[str | bytes, str | bytes]) -> bytes:
    """01-snapshot: the number of records, then all fields in a row."""
    stream = bytearray(len(records).to_bytes(4, "big"))
    for record in records.items():
        for value in record:
            tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
            stream += tag + len(data).to_bytes(4, "big") + data
    return bytes(stream)


def decode_snapshot(data: bytes) -> dict[str | bytes, str | bytes]:
    """01-snapshot: each length is checked before it is used, and every byte must belong."""

    def take(offset: int, size: int) -> bytes:
        if offset + size > len(data):
            raise ValueError(f"offset {offset}: {size} bytes are needed")
        return data[offset : offset + size]

    def field(offset: int) -> tuple[str | bytes, int]:
        tag, start = take(offset, 1), offset + 5
        raw = take(start, int.from_bytes(take(offset + 1, 4), "big"))
        if tag not in (b"s", b"b"):
            raise ValueError(f"offset {offset}: {tag!r} is no tag")
        return raw.decode() if tag == b"s" else raw, start + len(raw)

    records: dict[str | bytes, str | bytes] = {}
    offset = 4
    for _ in range(int.from_bytes(take(0, 4), "big")):
        key, offset = field(offset)
        if key in records:
            raise ValueError(f"{key!r} is here for the second time")
        records[key], offset = field(offset)
    if offset != len(data):
        raise ValueError(f"offset {offset}: the data goes on")
    return records


def run_snapshots(operations: list[tuple[Any, ...]]) -> list[str | bytes | None]:
    """01-run-snapshots: a path holds bytes, so no later put can change what was saved."""

    def encode(records: dict[str | bytes, str | bytes]) -> bytes:
        stream = bytearray()
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
        records, offset = {}, 0
        while offset < len(data):
            key, offset = field(data, offset)
            records[key], offset = field(data, offset)
        return records

    state: dict[str | bytes, str | bytes] = {}
    saved: dict[str, bytes] = {}
    results = []
    for name, *arguments in operations:
        if name == "put":
            state[arguments[0]] = arguments[1]
        elif name == "get":
            results.append(state.get(arguments[0]))
        elif name == "delete":
            state.pop(arguments[0], None)
        elif name == "serialize":
            saved[arguments[0]] = encode(state)
        else:
            state = decode(saved[arguments[0]])
    return results
