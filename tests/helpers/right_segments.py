"""Answers to notebook 2's exercises in different styles; see right_answers.py."""

import io
import math
import struct
from collections import Counter
from typing import Any

Records = dict[Any, Any]
Operations = list[tuple[Any, ...]]

# ---------------------------------------------------------------------------------------- 02-header


def headers_by_struct(pieces: list[bytes]) -> list[bytes]:
    """Pack each header with one struct."""
    return [struct.pack(">II", at, len(pieces)) + piece for at, piece in enumerate(pieces)]


def headers_in_hex(pieces: list[bytes]) -> list[bytes]:
    """Write hex digits, and turn them into bytes."""
    result = []
    for number in range(len(pieces)):
        result.append(bytes.fromhex(f"{number:08x}{len(pieces):08x}") + pieces[number])
    return result


def headers_in_one_number(pieces: list[bytes]) -> list[bytes]:
    """Write both numbers as one of eight bytes."""
    total = len(pieces)
    return [((at << 32) + total).to_bytes(8, "big") + piece for at, piece in enumerate(pieces)]


# ----------------------------------------------------------------------------------------- 02-split


def cut_by_counting(stream: bytes, limit: int) -> list[bytes]:
    """Compute the number of pieces first."""
    if limit <= 8:
        raise ValueError("too small")
    each = limit - 8
    number = max(1, math.ceil(len(stream) / each))
    return [stream[n * each : n * each + each] for n in range(number)]


def cut_by_reading(stream: bytes, max_segment_size: int) -> list[bytes]:
    """Read a stream in memory to its end."""
    if max_segment_size not in range(9, 2**32):
        raise ValueError(max_segment_size)
    source = io.BytesIO(stream)
    pieces = [source.read(max_segment_size - 8)]
    while piece := source.read(max_segment_size - 8):
        pieces.append(piece)
    return pieces


# -------------------------------------------------------------------------------------- 02-bug-hunt


def segments_of(stream: bytes, size: int, total: int) -> list[bytes]:
    """Return so many segments, as the code with the bug does."""
    heads = [n.to_bytes(4, "big") + total.to_bytes(4, "big") for n in range(total)]
    return [heads[n] + stream[n * size : (n + 1) * size] for n in range(total)]


def mended_by_looking_back(stream: bytes, limit: int) -> list[bytes]:
    """Find the segment of the last byte, and add one."""
    size = limit - 8
    total = (len(stream) - 1) // size + 1 if stream else 1
    return segments_of(stream, size, total)


def mended_by_taking_back(stream: bytes, limit: int) -> list[bytes]:
    """Subtract one at the edge."""
    size = limit - 8
    total = len(stream) // size + 1
    if stream and len(stream) % size == 0:
        total -= 1
    return segments_of(stream, size, total)


# ------------------------------------------------------------------------------------ 02-split-join


def split_in_two_steps(stream: bytes, limit: int) -> list[bytes]:
    """Cut, then add headers."""
    return headers_by_struct(cut_by_reading(stream, limit))


def split_in_a_loop(stream: bytes, limit: int) -> list[bytes]:
    """Cut pieces off until nothing is left."""
    room = limit - 8
    if room <= 0:
        raise ValueError("no room")
    segments: list[bytes] = []
    rest, total = stream, len(stream) // room + bool(len(stream) % room)
    while rest or not segments:
        header = struct.pack("!LL", len(segments), max(total, 1))
        segments.append(header + rest[:room])
        rest = rest[room:]
    return segments


def join_by_class(segments: list[bytes]) -> bytes:
    """Use an object for each segment."""

    class Segment:
        def __init__(self, data: bytes) -> None:
            if len(data) < 8:
                raise ValueError("short")
            self.index, self.total = struct.unpack_from(">II", data)
            self.piece = data[8:]

    found = sorted(map(Segment, segments), key=lambda one: one.index)
    if not found or any(one.total != len(found) for one in found):
        raise ValueError("not that many")
    if any(one.index != at for at, one in enumerate(found)):
        raise ValueError("not those")
    return b"".join(one.piece for one in found)


def join_by_places(segments: list[bytes]) -> bytes:
    """Fill a list with one place for each segment."""
    places: list[bytes | None] = [None] * len(segments)
    for segment in segments:
        index, total = (int(segment[at : at + 4].hex() or "-1", 16) for at in (0, 4))
        if len(segment) < 8 or total != len(places) or index >= total or places[index] is not None:
            raise ValueError(f"segment {index} of {total}")
        places[index] = segment[8:]
    if not places:
        raise ValueError("nothing")
    stream = bytearray()
    for place in places:
        stream += place or b""
    return bytes(stream)


# ---------------------------------------------------------------------------------- 02-run-segments


def _stream(records: Records) -> bytes:
    """Encode the records."""
    out = io.BytesIO()
    out.write(struct.pack(">I", len(records)))
    for item in (item for record in records.items() for item in record):
        data = item.encode() if isinstance(item, str) else item
        out.write(struct.pack(">cI", b"s" if isinstance(item, str) else b"b", len(data)) + data)
    return out.getvalue()


def _records(stream: bytes) -> Records:
    """Decode the records."""
    items, source = list[Any](), io.BytesIO(stream)
    source.read(4)
    while head := source.read(5):
        data = source.read(int.from_bytes(head[1:], "big"))
        items.append(data.decode() if head.startswith(b"s") else data)
    return {items[at]: items[at + 1] for at in range(0, len(items), 2)}


class Folder:
    """A store that keeps segments by path."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.state: Records = {}
        self.paths: dict[str, list[bytes]] = {}

    def put(self, key: Any, value: Any) -> None:
        self.state[key] = value

    def get(self, key: Any) -> Any:
        return self.state.get(key)

    def delete(self, key: Any) -> None:
        if key in self.state:
            del self.state[key]

    def serialize(self, path: str) -> None:
        self.paths[path] = split_in_two_steps(_stream(self.state), self.limit)

    def segment_count(self, path: str) -> int:
        return len(self.paths[path])

    def reorder(self, path: str, order: list[int]) -> None:
        self.paths[path][:] = [self.paths[path][at] for at in order]

    def deserialize(self, path: str) -> None:
        self.state = _records(join_by_class(self.paths[path]))


def run_on(folder: Folder, operations: Operations) -> list[Any]:
    """Call a method for each operation."""
    results = [(name, getattr(folder, name)(*rest)) for name, *rest in operations]
    return [result for name, result in results if name in ("get", "segment_count")]


def run_by_methods(limit: int, operations: Operations) -> list[Any]:
    """Use a class with a method for each operation."""
    return run_on(Folder(limit), operations)


def run_by_match(limit: int, operations: Operations) -> list[Any]:
    """Use one match statement."""
    state: Records = {}
    files: dict[str, list[bytes]] = {}
    found: list[Any] = []
    for operation in operations:
        match operation:
            case ("put", key, value):
                state |= {key: value}
            case ("get", key):
                found.append(state[key] if key in state else None)  # noqa: SIM401 # another style
            case ("delete", key):
                state.pop(key, None)
            case ("serialize", path):
                files[path] = split_in_a_loop(_stream(state), limit)
            case ("segment_count", path):
                found.append(len(files[path]))
            case ("reorder", path, order):
                old = tuple(files[path])
                for new, at in enumerate(order):
                    files[path][new] = old[at]
            case ("deserialize", path):
                state = _records(join_by_places(files[path]))
    return found


RIGHT: dict[str, list[Any]] = {
    "02-count": [10, math.ceil(120 / 12)],
    "02-header": [headers_by_struct, headers_in_hex, headers_in_one_number],
    "02-join-order": [
        [4, 6, 2, 5, 3, 1],
        (4, 6, 5, 2, 3, 1),
        [4, 5, 6, 2, 3, 1],
        [5, 3, 4, 6, 2, 1],
    ],
    "02-split": [cut_by_counting, cut_by_reading],
    "02-bug-hunt": [mended_by_looking_back, mended_by_taking_back, split_in_two_steps],
    "02-split-join": [(split_in_two_steps, join_by_class), [split_in_a_loop, join_by_places]],
    "02-run-segments": [run_by_methods, run_by_match],
}

# ------------------------------------------------------------------------------------------- wrong


def their_headers_from_1(pieces: list[bytes]) -> list[bytes]:
    """Count from 1."""
    return [struct.pack(">II", at, len(pieces)) + one for at, one in enumerate(pieces, start=1)]


def their_native_headers(pieces: list[bytes]) -> list[bytes]:
    """Pack a struct with the wrong byte order."""
    return [struct.pack("<II", at, len(pieces)) + one for at, one in enumerate(pieces)]


def their_short_headers(pieces: list[bytes]) -> list[bytes]:
    """Pack a struct with numbers that are too short."""
    return [struct.pack(">HH", at, len(pieces)) + one for at, one in enumerate(pieces)]


def their_cut_of_the_limit(stream: bytes, limit: int) -> list[bytes]:
    """Cut pieces as long as a segment."""
    if limit < 9:
        raise ValueError("no")
    pieces = [stream[:limit]]
    while len(pieces) * limit < len(stream):
        pieces.append(stream[len(pieces) * limit :][:limit])
    return pieces


def their_cut_by_zip(stream: bytes, limit: int) -> list[bytes]:
    """Keep only full pieces."""
    if limit < 9:
        raise ValueError("no")
    groups = zip(*[iter(stream)] * (limit - 8), strict=False)
    return [bytes(group) for group in groups]


def their_endless_cut(stream: bytes, limit: int) -> list[bytes]:
    """Return no pieces for an empty stream, and never end if a piece has no room."""
    pieces = []
    while stream:
        pieces.append(stream[: limit - 8])
        stream = stream[limit - 8 :]
    return pieces


def their_cut_of_what_is_left(stream: bytes, limit: int) -> list[bytes]:
    """Return no pieces for an empty stream."""
    if limit < 9:
        raise ValueError("no")
    return their_endless_cut(stream, limit)


def their_cut_without_a_check(stream: bytes, limit: int) -> list[bytes]:
    """Return no pieces for an empty stream, or for a limit below 8."""
    offsets = range(0, len(stream), limit - 8)
    return [stream[at:][: limit - 8] for at in offsets]


def their_cut_into_numbers(stream: bytes, limit: int) -> list[list[int]]:
    """Return lists of numbers, and ignore the limit."""
    return [[*stream[at : at + limit - 8]] for at in range(0, len(stream), limit - 8)]


def their_cut_into_numbers_of_nothing(stream: bytes, limit: int) -> list[list[int]]:
    """Return lists of numbers, with an empty one for an empty stream."""
    return their_cut_into_numbers(stream, limit) or [[]]


def their_early_return(stream: bytes, limit: int) -> list[bytes]:
    """Return inside the loop."""
    if limit < 9:
        raise ValueError("no")
    pieces = []
    for at in range(0, len(stream) or 1, limit - 8):
        pieces.append(stream[at : at + limit - 8])
        return pieces
    return pieces


def their_mended_list(stream: bytes, limit: int) -> list[bytes]:
    """Drop the last segment if it is empty."""
    size = limit - 8
    total = len(stream) // size + 1
    segments = segments_of(stream, size, total)
    if total > 1 and len(segments[-1]) == 8:
        segments.pop()
    return segments


def their_true_division(stream: bytes, limit: int) -> list[bytes]:
    """Round down with `int`."""
    size = limit - 8
    total = int(len(stream) / size)
    return segments_of(stream, size, total)


def their_trusting_join(segments: list[bytes]) -> bytes:
    """Sort, and check nothing."""
    stream = b""
    for segment in sorted(segments, key=lambda one: int.from_bytes(one[:4], "big")):
        stream += segment[8:]
    return stream


def their_join_as_it_comes(segments: list[bytes]) -> bytes:
    """Check with a Counter, and join in the order of arrival."""
    join_by_class(segments)
    assert set(Counter(segment[:4] for segment in segments).values()) == {1}
    return b"".join(segment[8:] for segment in segments)


def their_join_of_a_dict(segments: list[bytes]) -> bytes:
    """Let the second of two segments win."""
    kept = {struct.unpack(">I", one[:4].rjust(4, b"\xff"))[0]: one for one in segments}
    return join_by_places(list(kept.values()))


def their_join_by_gaps(segments: list[bytes]) -> bytes:
    """Check for gaps only."""
    if not segments or min(map(len, segments)) < 8:
        raise ValueError("no header")
    for at, segment in enumerate(sorted(segments)):
        if int.from_bytes(segment[:4], "big") != at:
            raise ValueError(f"{at} is missing")
    return b"".join(segment[8:] for segment in sorted(segments))


class UnsortedFolder(Folder):
    def deserialize(self, path: str) -> None:
        self.state = _records(b"".join(segment[8:] for segment in self.paths[path]))


class AddingFolder(Folder):
    def deserialize(self, path: str) -> None:
        self.state.update(_records(join_by_class(self.paths[path])))


def their_unsorted_run(limit: int, operations: Operations) -> list[Any]:
    """Join the segments in storage order, without any check."""
    return run_on(UnsortedFolder(limit), operations)


def their_run_with_full_pieces(limit: int, operations: Operations) -> list[Any]:
    """Make the pieces as long as segments."""
    return run_by_methods(limit + 8, operations)


def their_run_that_adds(limit: int, operations: Operations) -> list[Any]:
    """Keep what was put after the snapshot."""
    return run_on(AddingFolder(limit), operations)


# Each with its mistake: the function's name, or the wrong value.
VARIANTS: list[tuple[str, Any, Any]] = [
    ("02-count", 120 // 20, 6),
    ("02-count", 10 * 20, 200),
    ("02-header", their_headers_from_1, "header_counts_from_1"),
    ("02-header", their_native_headers, "header_is_little_endian"),
    ("02-header", their_short_headers, "header_in_two_bytes"),
    ("02-join-order", [5, 1, 2, 3, 4, 6], [5, 1, 4, 6, 2, 3]),
    ("02-join-order", (4, 5, 6, 1, 2, 3), [4, 6, 5, 1, 2, 3]),
    ("02-join-order", (5, 3, 1, 2, 4, 6), [4, 5, 3, 1, 6, 2]),
    ("02-join-order", [1, 2, 3, 4, 5, 6], [4, 6, 2, 1, 5, 3]),
    ("02-split", their_cut_of_the_limit, "cut_forgets_the_header"),
    ("02-split", their_cut_by_zip, "cut_drops_the_last"),
    ("02-split", their_cut_of_what_is_left, "cut_gives_none_for_empty"),
    ("02-split", their_endless_cut, "cut_gives_none_for_empty"),
    ("02-split", their_cut_without_a_check, "cut_gives_none_and_trusts_the_limit"),
    ("02-split", their_cut_into_numbers, "cut_gives_numbers_and_none_for_empty"),
    ("02-split", their_cut_into_numbers_of_nothing, "cut_gives_numbers"),
    ("02-split", their_early_return, "cut_truncates"),
    ("02-bug-hunt", their_mended_list, "hunt_removes_what_is_empty"),
    ("02-bug-hunt", their_true_division, "hunt_rounds_down"),
    ("02-split-join", (split_in_a_loop, their_trusting_join), "join_checks_nothing"),
    ("02-split-join", (split_in_a_loop, their_join_as_it_comes), "join_in_storage_order"),
    ("02-split-join", (split_in_a_loop, their_join_of_a_dict), "join_takes_doubled"),
    ("02-split-join", (split_in_a_loop, their_join_by_gaps), "join_looks_for_gaps_only"),
    ("02-run-segments", their_unsorted_run, "run_joins_in_storage_order"),
    ("02-run-segments", their_run_with_full_pieces, "run_forgets_the_header"),
    ("02-run-segments", their_run_that_adds, "run_updates_the_state"),
]
