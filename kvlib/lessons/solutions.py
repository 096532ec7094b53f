"""The clear version of each exercise, with one function for each that the exercise asks for.

Checks compare answers with these functions, `solution` shows them, and the solved notebooks are
built from them. Each works on its own, as it would in a cell, so shared steps are repeated on
purpose. The rest of kvlib doesn't use them.
"""

# An operation is a tuple: its name, then arguments of different types.
from typing import Any

import kvlib
from kvlib.log import decode_mutations

# --------------------------------------------------------------------------------------- notebook 1


def length() -> int:
    """01-length: a tag, a length of four bytes, and nine bytes of text."""
    return 1 + 4 + len("déjà vu".encode())


def encode_field(value: str | bytes) -> bytes:
    """01-encode-field: encode first, then measure."""
    tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
    return tag + len(data).to_bytes(4, "big") + data


def read_text(data: bytes, offset: int) -> tuple[str, int]:
    """01-decode-order: each line uses what the lines above it have set."""
    start = offset + 4
    length = int.from_bytes(data[offset:start], "big")
    end = start + length
    if end > len(data):
        raise ValueError("the length promises more than is left")
    text = data[start:end].decode()
    return text, end


def encode(records: dict[str | bytes, str | bytes]) -> bytes:
    """01-delimiter: type and length come before the data, so the reader never searches it."""
    stream = b""
    for record in records.items():
        for value in record:
            tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
            stream += tag + len(data).to_bytes(4, "big") + data
    return stream


def found() -> dict[str | bytes, str | bytes]:
    """01-bug-hunt: bytes that happen to be valid UTF-8 come back as text."""
    return {"drink": b"tea"}


def encode_snapshot(records: dict[str | bytes, str | bytes]) -> bytes:
    """01-snapshot: the number of records, then all the fields in a row."""
    stream = bytearray(len(records).to_bytes(4, "big"))
    for record in records.items():
        for value in record:
            tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
            stream += tag + len(data).to_bytes(4, "big") + data
    return bytes(stream)


def decode_snapshot(data: bytes) -> dict[str | bytes, str | bytes]:
    """01-snapshot: check each length before using it, and account for every byte."""

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


def run_snapshots(operations: list[tuple[Any, ...]]) -> list[str | bytes | None]:
    """01-run-snapshots: a path holds bytes, so later puts can't change what was saved."""

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


# --------------------------------------------------------------------------------------- notebook 2


def count() -> int:
    """02-count: 12 of the 20 bytes carry the stream, and a piece that isn't full counts too."""
    return -(-120 // (20 - 8))


def add_headers(pieces: list[bytes]) -> list[bytes]:
    """02-header: the index, counted from 0, and how many pieces there are."""

    def header(index: int) -> bytes:
        return index.to_bytes(4, "big") + len(pieces).to_bytes(4, "big")

    return [header(index) + piece for index, piece in enumerate(pieces)]


def join_sorted(segments: list[bytes]) -> bytes:
    """02-join-order: check the totals, then the indexes, and only then join."""
    totals = [segment[4:8] for segment in segments]
    if len(set(totals)) != 1:
        raise ValueError("no segment at all, or of different totals")
    if int.from_bytes(totals[0], "big") != len(segments):
        raise ValueError("a segment is missing, or one too many")
    ordered = sorted(segments)
    if any(int.from_bytes(segment[:4], "big") != n for n, segment in enumerate(ordered)):
        raise ValueError("a segment is doubled, and another missing")
    return b"".join(segment[8:] for segment in ordered)


def cut(stream: bytes, max_segment_size: int) -> list[bytes]:
    """02-split: pieces that leave room for the header, and always at least one."""
    size = max_segment_size - 8
    if size < 1:
        raise ValueError(f"max_segment_size is {max_segment_size}: it must be 9 or more")
    return [stream[at : at + size] for at in range(0, len(stream), size)] or [b""]


def their_split(stream: bytes, limit: int) -> list[bytes]:
    """02-bug-hunt: round up, but never to zero."""
    size = limit - 8
    total = max(1, -(-len(stream) // size))
    heads = [n.to_bytes(4, "big") + total.to_bytes(4, "big") for n in range(total)]
    return [heads[n] + stream[n * size : (n + 1) * size] for n in range(total)]


def split(stream: bytes, max_segment_size: int) -> list[bytes]:
    """02-split-join: cut first, because each header says how many pieces there are."""
    size = max_segment_size - 8
    if size < 1:
        raise ValueError(f"max_segment_size is {max_segment_size}: it must be 9 or more")
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)] or [b""]
    total = len(pieces).to_bytes(4, "big")
    return [index.to_bytes(4, "big") + total + piece for index, piece in enumerate(pieces)]


def join(segments: list[bytes]) -> bytes:
    """02-split-join: check the segments against their headers, and only then join."""
    pieces: dict[int, bytes] = {}
    totals: set[int] = set()
    for segment in segments:
        index, total = int.from_bytes(segment[:4], "big"), int.from_bytes(segment[4:8], "big")
        if len(segment) < 8 or index >= total:
            raise ValueError(f"bad header: {segment[:8]!r}")
        if index in pieces:
            raise ValueError(f"segment {index} occurs twice")
        pieces[index] = segment[8:]
        totals.add(total)
    if totals != {len(pieces)}:
        raise ValueError(f"{len(pieces)} segments, but their totals are {sorted(totals)}")
    return b"".join(pieces[index] for index in range(len(pieces)))


def run_segments(
    max_segment_size: int, operations: list[tuple[Any, ...]]
) -> list[str | bytes | int | None]:
    """02-run-segments: a path holds segments, and each carries its index."""

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


# --------------------------------------------------------------------------------------- notebook 3


def run_shutdown(operations: list[tuple[Any, ...]]) -> list[str | bytes | None]:
    """03-run-shutdown: only bytes remain between shutdown and restore."""

    def field(value: str | bytes) -> bytes:
        tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
        return tag + len(data).to_bytes(4, "big") + data

    def read(data: bytes, offset: int) -> tuple[str | bytes, int]:
        end = offset + 5 + int.from_bytes(data[offset + 1 : offset + 5], "big")
        raw = data[offset + 5 : end]
        return raw.decode() if data[offset : offset + 1] == b"s" else raw, end

    memory: dict[str | bytes, str | bytes] = {}
    written = b""
    results = []
    for name, *arguments in operations:
        if name == "set":
            memory[arguments[0]] = arguments[1]
        elif name == "get":
            results.append(memory.get(arguments[0]))
        elif name == "shutdown":
            written = b"".join(field(key) + field(value) for key, value in memory.items())
            memory = {}
        else:
            memory, offset = {}, 0
            while offset < len(written):
                key, offset = read(written, offset)
                memory[key], offset = read(written, offset)
    return results


def torn() -> dict[str, str]:
    """03-torn: a change counts if its frame is whole; half a deletion deletes nothing."""
    puts = [(49 + 32, "tea", "3"), (49 + 64, "pie", "2"), (49 + 96, "tea", "4")]
    return {key: price for end, key, price in puts if end <= 170}  # the deletion ends at 171


def replay(data: bytes, items: dict[str | bytes, str | bytes]) -> dict[str | bytes, str | bytes]:
    """03-replay: whatever the state was, the mutation decides what it is now."""
    items, offset = dict(items), 0
    while offset < len(data):
        frame = kvlib.unseal(data, offset)
        for key, value in decode_mutations(frame.payload):
            if value is None:
                items.pop(key, None)
            else:
                items[key] = value
        offset = frame.end
    return items


def publish(disk: Any, records: bytes, head: bytes) -> None:
    """03-publish-order: bytes and names first, then the one commit point, deletion last."""
    disk.write("2.segment", records)
    disk.sync("2.segment")
    disk.write("log.new", head)
    disk.sync("log.new")
    disk.sync_directory()
    disk.rename("log.new", "log")
    disk.sync_directory()
    disk.delete("1.segment")


def append(log: bytes, payload: bytes) -> bytes:
    """03-bug-hunt: the new frame begins where the last whole one ends."""
    offset, sequence = 0, 0
    while offset < len(log):
        try:
            frame = kvlib.unseal(log, offset)
        except kvlib.CorruptionError:
            break
        offset, sequence = frame.end, frame.sequence
    return log[:offset] + kvlib.seal(b"M", sequence + 1, payload)


def recover(log: bytes) -> dict[str | bytes, str | bytes]:
    """03-recover: a bad frame is torn, unless a later whole frame proves damage."""

    def refuse_damage(bad: int, sequence: int) -> None:
        for offset in range(bad + 1, len(log)):
            try:
                later = kvlib.unseal(log, offset)
            except kvlib.CorruptionError:
                continue
            if later.sequence > sequence:
                raise ValueError(f"offset {bad}: damage, because a whole frame is at {offset}")

    items: dict[str | bytes, str | bytes] = {}
    offset, sequence = 0, 1
    while offset < len(log):
        try:
            frame = kvlib.unseal(log, offset)
        except kvlib.CorruptionError:
            refuse_damage(offset, sequence)
            break
        if frame.sequence != sequence:
            raise ValueError(f"offset {offset}: frame {frame.sequence}, expected {sequence}")
        for key, value in decode_mutations(frame.payload):
            if value is None:
                items.pop(key, None)
            else:
                items[key] = value
        offset, sequence = frame.end, sequence + 1
    return items


def run_log(
    compact_threshold: int, operations: list[tuple[Any, ...]]
) -> list[str | bytes | tuple[int, int, int] | None]:
    """03-run-log: a restart has only the bytes of the snapshot and the log."""

    def field(value: str | bytes) -> bytes:
        tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
        return tag + len(data).to_bytes(4, "big") + data

    def read(data: bytes, offset: int) -> tuple[str | bytes, int]:
        end = offset + 5 + int.from_bytes(data[offset + 1 : offset + 5], "big")
        raw = data[offset + 5 : end]
        return raw.decode() if data[offset : offset + 1] == b"s" else raw, end

    def replay(data: bytes, offset: int) -> int:
        count = 0
        while offset < len(data):
            operation = data[offset : offset + 1]
            key, offset = read(data, offset + 1)
            if operation == b"P":
                memory[key], offset = read(data, offset)
            else:
                memory.pop(key, None)
            count += 1
        return count

    memory: dict[str | bytes, str | bytes] = {}
    snapshot, log, pending = bytes(4), bytearray(), 0  # four bytes: the number of snapshots
    results: list[str | bytes | tuple[int, int, int] | None] = []
    for name, *arguments in operations:
        if name == "get":
            results.append(memory.get(arguments[0]))
        elif name == "status":
            results.append((len(memory), pending, int.from_bytes(snapshot[:4], "big")))
        elif name == "restart":
            memory = {}
            replay(snapshot, 4)
            pending = replay(bytes(log), 0)
        else:
            if name == "put":
                memory[arguments[0]] = arguments[1]
                log += b"P" + field(arguments[0]) + field(arguments[1])
            else:
                memory.pop(arguments[0], None)
                log += b"D" + field(arguments[0])
            pending += 1
            if pending >= compact_threshold:
                records = (b"P" + field(key) + field(value) for key, value in memory.items())
                count = int.from_bytes(snapshot[:4], "big") + 1
                snapshot = count.to_bytes(4, "big") + b"".join(records)
                log, pending = bytearray(), 0
    return results
