"""What still verifies of a snapshot: all its records, or those before the segment that is wrong.

A segment's checksum vouches for its bytes, but only those before them say where in it a record
begins. So behind a segment that is lost nothing can be read, though it may be whole.
"""

from contextlib import suppress
from zlib import crc32

from kvlib import segments
from kvlib.encoding import COUNT, Item, decode_field, decode_snapshot
from kvlib.errors import CorruptionError
from kvlib.salvage.findings import Finding, Found
from kvlib.salvage.source import Source
from kvlib.snapshot import OVERHEAD, Head, load_segment, segment_name
from kvlib.wording import count


def newest(source: Source, flaw: Finding) -> Found:
    """The newest whole generation, or else what stands at the beginning of the newest one.

    `flaw` is why no head says which generation it is.
    """
    left_out = [flaw]
    part = Found({}, left_out, [])
    for generation in sorted(source.segments, reverse=True):
        total = _claimed_total(source, generation)
        found = generation_of(source, Head(generation, 0, 0, total, 0, 0), named=False)
        if not found.left_out:
            return Found(found.items, left_out, []) if found.items or not part.items else part
        left_out += found.left_out
        if found.items and not part.items:
            part = Found(found.items, left_out[:], [])
    return part


def _claimed_total(source: Source, generation: int) -> int:
    with suppress(FileNotFoundError, CorruptionError):
        bare = source.read(segment_name(generation, 0))[OVERHEAD:]
        return segments.decode_header(bare)[1]
    return 1  # so that the first one is looked at, and what is wrong with it is said


def generation_of(source: Source, head: Head, named: bool) -> Found:
    """The records of a generation; those before what is wrong with it, if something is.

    `named`: the head is one that was read, and says which stream it is.
    """
    chunks, flaw = _whole_segments(source, head)
    stream = b"".join(chunks)
    if flaw is not None:
        return _before(source, head, chunks, flaw)
    whole = f"the stream of generation {head.generation}"
    if named and (len(stream), crc32(stream)) != (head.length, head.crc):
        # One of the segments is another snapshot's, and there is no telling which.
        reason = "its segments are whole, but not those that the head names"
        return Found({}, [Finding(whole, 0, len(stream), reason)], [])
    try:
        return Found(decode_snapshot(stream), [], [])
    except CorruptionError as error:
        items, end = _prefix(stream)
        reason = f"{error.reason}; {count(len(items), 'record')} stood before it"
        return Found(items, [Finding(whole, error.offset, len(stream) - end, reason)], [])


def _whole_segments(source: Source, head: Head) -> tuple[list[bytes], CorruptionError | None]:
    """What the segments hold up to the first that is wrong, and what is wrong with that one."""
    chunks: list[bytes] = []
    for index in range(head.segments):
        try:
            chunks.append(load_segment(source, head, index))
        except CorruptionError as flaw:
            return chunks, flaw
    return chunks, None


def _before(source: Source, head: Head, chunks: list[bytes], flaw: CorruptionError) -> Found:
    """The records that end before the segment that is wrong, number len(chunks)."""
    stream, name = b"".join(chunks), segment_name(head.generation, len(chunks))
    items, end = _prefix(stream)
    claimed = int.from_bytes(stream[: COUNT.size], "big")
    of = f" of {claimed:,}" if len(stream) >= COUNT.size else ""
    reason = f"{flaw.reason}; {count(len(items), 'record')}{of} stood before it"
    left_out = [Finding(name, flaw.offset, source.size(name), reason)]
    if chunks and end < len(stream):
        left_out.append(_cut_record(head, chunks, end))
    if behind := [other for other in source.segments.get(head.generation, ()) if other > name]:
        left_out.append(_unreadable(source, behind))
    return Found(items, left_out, [])


def _cut_record(head: Head, chunks: list[bytes], end: int) -> Finding:
    """What of a record stands before the hole: from `end` of the chunks' stream on."""
    index, start, size = 0, 0, sum(map(len, chunks)) - end
    while start + len(chunks[index]) <= end:
        start += len(chunks[index])
        index += 1
    offset = OVERHEAD + segments.HEADER.size + end - start
    reason = "a record whose end is in the part that is lost"
    return Finding(segment_name(head.generation, index), offset, size, reason)


def _unreadable(source: Source, behind: list[str]) -> Finding:
    reason = f"{count(len(behind), 'segment')} from here on: where a record begins in what"
    reason += " is behind the hole nobody knows"
    return Finding(behind[0], 0, sum(map(source.size, behind)), reason)


def _prefix(stream: bytes) -> tuple[dict[Item, Item], int]:
    """The records at the beginning of a stream that may be cut, and the offset behind them."""
    items: dict[Item, Item] = {}
    end = min(COUNT.size, len(stream))
    with suppress(CorruptionError):
        for _ in range(int.from_bytes(stream[:end], "big")):
            key, middle = decode_field(stream, end)
            value, behind = decode_field(stream, middle)
            if key in items:
                break
            items[key], end = value, behind
    return items, end
