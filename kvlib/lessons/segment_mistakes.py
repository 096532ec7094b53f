"""Wrong answers that people give in notebook 2, as functions; see mistakes.py."""

import pickle
from collections.abc import Callable
from typing import Any

from kvlib.lessons import solutions
from kvlib.lessons.mistakes import Operations, Records, snapshot_counts_characters

Header = Callable[[int, int], bytes]
Part = tuple[int, int, bytes]  # index, total, piece
Segments = list[bytes]


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _size(limit: int) -> int:
    if limit < 9:
        raise ValueError("no room for a byte")
    return limit - 8


def _pieces(stream: bytes, size: int) -> list[bytes]:
    return [stream[at : at + size] for at in range(0, len(stream), size)] or [b""]


def _headed(
    pieces: list[bytes], header: Header = lambda index, total: _u32(index) + _u32(total)
) -> Segments:
    return [header(index, len(pieces)) + piece for index, piece in enumerate(pieces)]


# -------------------------------------------------------------------------------------- 02-header


def header_counts_from_1(pieces: list[bytes]) -> Segments:
    """Calls the first one 1."""
    return _headed(pieces, lambda index, total: _u32(index + 1) + _u32(total))


def header_totals_the_last_index(pieces: list[bytes]) -> Segments:
    """Takes the last index for the total."""
    return _headed(pieces, lambda index, total: _u32(index) + _u32(total - 1))


def header_is_little_endian(pieces: list[bytes]) -> Segments:
    """Writes the byte first that is worth least."""
    return _headed(
        pieces, lambda index, total: index.to_bytes(4, "little") + total.to_bytes(4, "little")
    )


def header_has_the_total_first(pieces: list[bytes]) -> Segments:
    """Writes total, index."""
    return _headed(pieces, lambda index, total: _u32(total) + _u32(index))


def header_without_total(pieces: list[bytes]) -> Segments:
    """Writes the index alone."""
    return _headed(pieces, lambda index, total: _u32(index))


def header_totals_the_bytes(pieces: list[bytes]) -> Segments:
    """Counts bytes instead of pieces."""
    stream = b"".join(pieces)
    return _headed(pieces, lambda index, total: _u32(index) + _u32(len(stream)))


def header_has_the_length_of_the_piece(pieces: list[bytes]) -> Segments:
    """Writes a length, as a field does."""
    return _headed(pieces, lambda index, total: _u32(index) + _u32(len(pieces[index])))


def header_in_two_bytes(pieces: list[bytes]) -> Segments:
    """Gives each number two bytes."""
    return _headed(pieces, lambda index, total: (index << 16 | total).to_bytes(4, "big"))


def header_in_one_byte(pieces: list[bytes]) -> Segments:
    """Gives each number one byte; a ValueError from 256 on."""
    return _headed(pieces, lambda index, total: bytes([index, total]))


def header_in_eight_bytes(pieces: list[bytes]) -> Segments:
    """Gives each number eight bytes."""
    return _headed(pieces, lambda index, total: index.to_bytes(8, "big") + total.to_bytes(8, "big"))


def header_in_zeros(pieces: list[bytes]) -> Segments:
    """Takes a number of bytes for the byte of a number."""
    return _headed(pieces, lambda index, total: bytes(index) + bytes(total))


def header_holds_the_piece(pieces: list[bytes]) -> Segments:
    """Adds the piece, which the line below adds again."""
    return _headed(pieces, lambda index, total: _u32(index) + _u32(total) + pieces[index])


def header_is_no_bytes(pieces: list[bytes]) -> Segments:
    """Returns a text, or nothing: a TypeError."""
    raise TypeError("no bytes")


def header_as_digits(pieces: list[bytes]) -> Segments:
    """Writes the digits of the numbers."""
    return _headed(pieces, lambda index, total: f"{index:04}{total:04}".encode())


# --------------------------------------------------------------------------------------- 02-split


def cut_forgets_the_header(stream: bytes, limit: int) -> list[bytes]:
    """Leaves no room for the header."""
    _size(limit)
    return _pieces(stream, limit)


def cut_leaves_room_for_the_index(stream: bytes, limit: int) -> list[bytes]:
    """Leaves room for half a header."""
    _size(limit)
    return _pieces(stream, limit - 4)


def cut_leaves_too_much_room(stream: bytes, limit: int) -> list[bytes]:
    """Leaves a byte unused, but takes one at least."""
    return _pieces(stream, max(1, _size(limit) - 1))


def cut_drops_the_last(stream: bytes, limit: int) -> list[bytes]:
    """Rounds down."""
    size = _size(limit)
    return [stream[n * size : (n + 1) * size] for n in range(len(stream) // size)]


def cut_gives_none_for_empty(stream: bytes, limit: int) -> list[bytes]:
    """Has nothing to say of nothing."""
    size = _size(limit)
    return [stream[at : at + size] for at in range(0, len(stream), size)]


def cut_adds_an_empty_one(stream: bytes, limit: int) -> list[bytes]:
    """Adds one, whether something is left or not."""
    size = _size(limit)
    return [stream[n * size : (n + 1) * size] for n in range(len(stream) // size + 1)]


def cut_overlaps(stream: bytes, limit: int) -> list[bytes]:
    """Begins a piece at each byte."""
    size = _size(limit)
    return [stream[at : at + size] for at in range(len(stream))] or [b""]


def cut_pads(stream: bytes, limit: int) -> list[bytes]:
    """Fills the last one up."""
    return [piece.ljust(_size(limit), b"\0") for piece in _pieces(stream, _size(limit))]


def cut_truncates(stream: bytes, limit: int) -> list[bytes]:
    """Returns too early, with the first."""
    return _pieces(stream, _size(limit))[:1]


def cut_forgets_the_rest(stream: bytes, limit: int) -> list[bytes]:
    """Adds a piece when the next one begins, and so never the last."""
    return _pieces(stream, _size(limit))[:-1] or [b""]


def cut_skips(stream: bytes, limit: int) -> list[bytes]:
    """Takes pieces that are shorter than the step."""
    return [piece[: _size(limit) - 1] for piece in _pieces(stream, _size(limit))]


def cut_with_headers(stream: bytes, limit: int) -> list[bytes]:
    """Does more than was asked."""
    return _headed(_pieces(stream, _size(limit)))


def cut_refuses_9(stream: bytes, limit: int) -> list[bytes]:
    """Takes 10 for the smallest limit."""
    _size(limit - 1)
    return _pieces(stream, _size(limit))


def cut_mends_the_limit(stream: bytes, limit: int) -> list[bytes]:
    """Takes a limit that is too small for another one."""
    return _pieces(stream, max(1, limit - 8))


def cut_trusts_the_limit(stream: bytes, limit: int) -> list[bytes]:
    """Lets happen what will: a step of 0 is a ValueError, and a negative one gives nothing."""
    size = limit - 8
    return [stream[at : at + size] for at in range(0, len(stream), size)] or [b""]


# ------------------------------------------------------------------------------------ 02-bug-hunt


def _their_split(stream: bytes, size: int, total: int) -> Segments:
    """What their function does once it has a size and a total."""
    return [_u32(n) + _u32(total) + stream[n * size : (n + 1) * size] for n in range(max(total, 0))]


def hunt_not_mended(stream: bytes, limit: int) -> Segments:
    """As it was."""
    return _their_split(stream, limit - 8, len(stream) // (limit - 8) + 1)


def hunt_rounds_down(stream: bytes, limit: int) -> Segments:
    """Takes the + 1 away."""
    return _their_split(stream, limit - 8, len(stream) // (limit - 8))


def hunt_rounds_down_to_one(stream: bytes, limit: int) -> Segments:
    """Takes the + 1 away, and thinks of the empty stream."""
    return _their_split(stream, limit - 8, max(1, len(stream) // (limit - 8)))


def hunt_gives_none_for_empty(stream: bytes, limit: int) -> Segments:
    """Rounds up, and forgets the empty stream."""
    return _their_split(stream, limit - 8, -(-len(stream) // (limit - 8)))


def hunt_rounds_to_the_nearest(stream: bytes, limit: int) -> Segments:
    """Uses `round`."""
    return _their_split(stream, limit - 8, max(1, round(len(stream) / (limit - 8))))


def hunt_removes_what_is_empty(stream: bytes, limit: int) -> Segments:
    """Removes the segment, and leaves the totals as they are."""
    segments = hunt_not_mended(stream, limit)
    return [segment for segment in segments if len(segment) > 8] or segments


def hunt_removes_all_that_is_empty(stream: bytes, limit: int) -> Segments:
    """Removes the only segment of an empty stream too."""
    return [segment for segment in hunt_not_mended(stream, limit) if len(segment) > 8]


def hunt_changes_the_size(stream: bytes, limit: int) -> Segments:
    """Makes the pieces larger."""
    return _their_split(stream, limit - 7, len(stream) // (limit - 7) + 1)


def hunt_forgets_the_header(stream: bytes, limit: int) -> Segments:
    """Makes the pieces as large as the segments."""
    return _their_split(stream, limit, len(stream) // limit + 1)


# ---------------------------------------------------------------------------------- 02-split-join


def split_forgets_the_header(stream: bytes, limit: int) -> Segments:
    """Makes segments that are 8 bytes too long."""
    return _headed(cut_forgets_the_header(stream, limit))


def split_drops_the_last(stream: bytes, limit: int) -> Segments:
    """Rounds down."""
    return _headed(cut_drops_the_last(stream, limit))


def split_gives_none_for_empty(stream: bytes, limit: int) -> Segments:
    """Makes no segment of an empty stream."""
    return _headed(cut_gives_none_for_empty(stream, limit))


def split_adds_an_empty_one(stream: bytes, limit: int) -> Segments:
    """Makes one too many where the last is full."""
    return _headed(cut_adds_an_empty_one(stream, limit))


def split_counts_from_1(stream: bytes, limit: int) -> Segments:
    """Calls the first one 1."""
    return header_counts_from_1(_pieces(stream, _size(limit)))


def split_totals_the_last_index(stream: bytes, limit: int) -> Segments:
    """Takes the last index for the total."""
    return header_totals_the_last_index(_pieces(stream, _size(limit)))


def split_is_little_endian(stream: bytes, limit: int) -> Segments:
    """Writes numbers the other way round."""
    return header_is_little_endian(_pieces(stream, _size(limit)))


def split_without_total(stream: bytes, limit: int) -> Segments:
    """Writes the index alone, and leaves room for both."""
    return header_without_total(_pieces(stream, _size(limit)))


def split_without_headers(stream: bytes, limit: int) -> Segments:
    """Gives the pieces as they are."""
    return _pieces(stream, _size(limit))


def split_mends_the_limit(stream: bytes, limit: int) -> Segments:
    """Takes a limit that is too small for another one."""
    return _headed(cut_mends_the_limit(stream, limit))


def _parts(segments: Segments, order: Any = "big") -> list[Part]:
    if any(len(segment) < 8 for segment in segments):
        raise ValueError("a header is cut short")
    return [
        (int.from_bytes(one[:4], order), int.from_bytes(one[4:8], order), one[8:])
        for one in segments
    ]


def _demand(right: bool) -> None:
    """Refuse, as a learner's join does."""
    if not right:
        raise ValueError("what is here is not what was promised")


def _indexes(parts: list[Part]) -> list[int]:
    return sorted(index for index, _, _ in parts)


def _totals(parts: list[Part]) -> set[int]:
    return {total for _, total, _ in parts}


def _strict(segments: Segments, order: Any = "big") -> list[Part]:
    """All the parts, in order and checked."""
    parts = _parts(segments, order)
    _demand(_totals(parts) == {len(parts)} and _indexes(parts) == [*range(len(parts))])
    return sorted(parts)


def _glued(parts: list[Part]) -> bytes:
    return b"".join(piece for _, _, piece in parts)


def join_in_storage_order(segments: Segments) -> bytes:
    """Checks everything, and joins as they come."""
    _strict(segments)
    return _glued(_parts(segments))


def join_sorts_as_text(segments: Segments) -> bytes:
    """Puts 10 before 2."""
    return _glued(sorted(_strict(segments), key=lambda part: str(part[0])))


def join_checks_nothing(segments: Segments) -> bytes:
    """Sorts and joins whatever is there."""
    return _glued(sorted(_parts(segments)))


def join_takes_none(segments: Segments) -> bytes:
    """Takes no segment for an empty stream."""
    return _glued(_strict(segments)) if segments else b""


def join_takes_doubled(segments: Segments) -> bytes:
    """Lets the second overwrite the first."""
    pieces = {index: (index, total, piece) for index, total, piece in _parts(segments)}
    parts = sorted(pieces.values())
    _demand(_totals(parts) == {len(parts)} and _indexes(parts) == [*range(len(parts))])
    return _glued(parts)


def join_looks_for_gaps_only(segments: Segments) -> bytes:
    """Looks at the indexes, and never at a total."""
    parts = _parts(segments)
    _demand(bool(parts) and _indexes(parts) == [*range(len(parts))])
    return _glued(sorted(parts))


def join_counts_only(segments: Segments) -> bytes:
    """Compares how many there are with the total."""
    parts = _parts(segments)
    _demand(_totals(parts) == {len(parts)})
    return _glued(sorted(parts))


def join_asks_one_for_the_total(segments: Segments) -> bytes:
    """Asks the first for the total, and none of the others."""
    parts = _parts(segments)
    _demand(bool(parts) and parts[0][1] == len(parts) and _indexes(parts) == [*range(len(parts))])
    return _glued(sorted(parts))


def join_compares_one_total(segments: Segments) -> bytes:
    """Asks one for the total, and compares it with the number."""
    parts = sorted(_parts(segments))
    _demand(bool(parts) and parts[0][1] == len(parts))
    return _glued(parts)


def join_stops_at_a_gap(segments: Segments) -> bytes:
    """Gives what it has, up to the first that is missing."""
    parts = _parts(segments)
    _demand(len(_totals(parts)) == 1 and len(set(_indexes(parts))) == len(parts))
    _demand(_indexes(parts)[-1] < max(_totals(parts)))
    return _glued([part for at, part in enumerate(sorted(parts)) if part[0] == at])


def join_leaves_the_header(segments: Segments) -> bytes:
    """Joins whole segments."""
    return b"".join(_u32(index) + _u32(total) + piece for index, total, piece in _strict(segments))


def join_leaves_the_total(segments: Segments) -> bytes:
    """Cuts off the index alone."""
    return b"".join(_u32(total) + piece for _, total, piece in _strict(segments))


def join_is_little_endian(segments: Segments) -> bytes:
    """Reads numbers the other way round, and finds that they can't be right."""
    return _glued(_strict(segments, "little"))


def join_takes_half_a_header(segments: Segments) -> bytes:
    """Slices past the end."""
    return _glued(_strict([segment[:4] + segment[4:].rjust(4, b"\0") for segment in segments]))


# ------------------------------------------------------------------------------- 02-run-segments


def _reordered(old: Segments, order: list[int]) -> Segments:
    return [old[at] for at in order]


def _run(
    limit: int,
    operations: Operations,
    split: Callable[[bytes, int], Segments] = solutions.split,
    join: Callable[[Segments], bytes] = solutions.join,
    encode: Callable[[Records], bytes] = solutions.encode_snapshot,
    decode: Callable[[bytes], Records] = solutions.decode_snapshot,
    reorder: Callable[[Segments, list[int]], Segments] = _reordered,
    update: bool = False,
) -> list[Any]:
    state: Records = {}
    saved: dict[str, Segments] = {}
    results: list[Any] = []
    for name, key, *rest in operations:
        if name == "put":
            state[key] = rest[0]
        elif name == "get":
            results.append(state.get(key))
        elif name == "delete":
            state.pop(key, None)
        elif name == "serialize":
            saved[key] = split(encode(state), limit)
        elif name == "segment_count":
            results.append(len(saved[key]))
        elif name == "reorder":
            saved[key] = reorder(saved[key], rest[0])
        else:
            state = (state if update else {}) | decode(join(saved[key]))
    return results


def run_joins_in_storage_order(limit: int, operations: Operations) -> list[Any]:
    """Joins as they lie there; what comes of it may be refused, or wrong."""
    return _run(limit, operations, join=lambda segments: _glued(_parts(segments)))


def run_sorts_as_text(limit: int, operations: Operations) -> list[Any]:
    """Puts 10 before 2."""
    return _run(limit, operations, join=join_sorts_as_text)


def run_forgets_the_header(limit: int, operations: Operations) -> list[Any]:
    """Makes segments that are 8 bytes too long."""
    return _run(limit, operations, split_forgets_the_header)


def run_drops_the_last(limit: int, operations: Operations) -> list[Any]:
    """Rounds down, so that no snapshot can be read."""
    return _run(limit, operations, split_drops_the_last, join_looks_for_gaps_only)


def run_adds_an_empty_one(limit: int, operations: Operations) -> list[Any]:
    """Makes one too many where the last is full."""
    return _run(limit, operations, split_adds_an_empty_one)


def run_saves_nothing_of_nothing(limit: int, operations: Operations) -> list[Any]:
    """Makes no segment of an empty state."""
    return _run(
        limit,
        operations,
        lambda stream, limit: solutions.split(stream, limit) if stream != bytes(4) else [],
        lambda segments: solutions.join(segments) if segments else bytes(4),
    )


def run_forgets_the_count(limit: int, operations: Operations) -> list[Any]:
    """Makes a stream of fields alone."""
    return _run(limit, operations, encode=solutions.encode, decode=_without_count)


def _without_count(data: bytes) -> Records:
    """Read fields to the end: as many records as there are."""
    records: Records = {}
    offset = 0
    while offset < len(data):
        fields = []
        for _ in "kv":
            end = offset + 5 + int.from_bytes(data[offset + 1 : offset + 5], "big")
            raw = data[offset + 5 : end]
            fields.append(raw.decode() if data[offset] == ord("s") else raw)
            offset = end
        records[fields[0]] = fields[1]
    return records


def run_counts_characters(limit: int, operations: Operations) -> list[Any]:
    """Measures texts, and not their bytes; what can't be read is a ValueError."""
    return _run(limit, operations, encode=snapshot_counts_characters)


def run_segments_records(limit: int, operations: Operations) -> list[Any]:
    """Makes a segment of each record, however long it is."""

    def split(stream: bytes, limit: int) -> Segments:
        records = _without_count(stream).items()
        return _headed([solutions.encode({key: value}) for key, value in records] or [b""])

    return _run(limit, operations, split, encode=solutions.encode, decode=_without_count)


def run_updates_the_state(limit: int, operations: Operations) -> list[Any]:
    """Leaves in the state what was put after the snapshot."""
    return _run(limit, operations, update=True)


def run_leaves_counts_out(limit: int, operations: Operations) -> list[Any]:
    """Collects what `get` gives, and nothing else."""
    return _run(limit, [one for one in operations if one[0] != "segment_count"])


def run_insists_on_keys(limit: int, operations: Operations) -> list[Any]:
    """Raises a KeyError for a key that isn't there."""
    put = {key for name, key, *_ in operations if name == "put"}
    for name, key, *_ in operations:
        if name in ("get", "delete") and key not in put:
            raise KeyError(key)
    return _run(limit, operations)


def run_reorders_in_place(limit: int, operations: Operations) -> list[Any]:
    """Reads from the list that it is just writing to."""

    def reorder(segments: Segments, order: list[int]) -> Segments:
        for new, at in enumerate(order):
            segments[new] = segments[at]
        return segments

    return _run(limit, operations, reorder=reorder)


def run_pickles(limit: int, operations: Operations) -> list[Any]:
    """Lets Python write the bytes."""
    return _run(limit, operations, encode=pickle.dumps, decode=pickle.loads)


def run_keeps_a_copy(limit: int, operations: Operations) -> list[Any]:
    """Keeps a dict, and computes how many segments it would have been."""
    counts = iter(_run(limit, [one for one in operations if one[0] != "get"]))
    kept: dict[str, Records] = {}
    state: Records = {}
    results: list[Any] = []
    for name, key, *rest in operations:
        if name == "put":
            state[key] = rest[0]
        elif name == "get":
            results.append(state.get(key))
        elif name == "delete":
            state.pop(key, None)
        elif name == "serialize":
            kept[key] = dict(state)
        elif name == "segment_count":
            results.append(next(counts))
        elif name == "deserialize":
            state = dict(kept[key])
    return results
