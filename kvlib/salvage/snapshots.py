"""Find what still verifies in a snapshot: all its records, or those before the damaged segment.

Segments are combined if the result has the checksum that a head names for the whole stream. Without
a head their numbers decide, and only segments count that belong to this store by their position in
a file: see sealed.py.

A segment's checksum vouches for its bytes, but only the segments before it tell where a record
begins. So the segments after a lost one can't be read, even if they are whole.
"""

from collections.abc import Iterable
from contextlib import suppress
from itertools import islice, product
from typing import Final
from zlib import crc32

from kvlib import segments
from kvlib.encoding import COUNT, Item, decode_field, decode_snapshot
from kvlib.errors import CorruptionError
from kvlib.frame import PREAMBLE
from kvlib.plural import count
from kvlib.salvage.files import DamagedStore
from kvlib.salvage.findings import Finding, Found
from kvlib.salvage.frames import replay_whole_frames
from kvlib.salvage.sealed import SealedFrame, SealedFrames, unusual
from kvlib.snapshot import HEAD_BYTES, LOG, OVERHEAD, Head, load_segment, segment_name

COMBINATIONS: Final = 64  # how many are tried if several frames claim to be the same segment
HEAD_FRAME: Final = HEAD_BYTES - len(PREAMBLE)


def newest(source: DamagedStore, pieces: SealedFrames, flaw: Finding) -> Found:
    """Return the newest whole generation, or else the first records of the newest one.

    `flaw` says why the log doesn't name its generation. A copy of the log, or a log.new, can name
    its own, and then its mutations are saved too.
    """
    left_out = [flaw]
    part = Found({}, left_out, [])
    heads = {head.generation for _, head, _ in pieces.heads}
    for generation in sorted({*source.segments, *pieces.totals, *heads}, reverse=True):
        found = _by_a_copy(source, pieces, generation, left_out)
        whole = found is not None
        if found is None and generation in {*source.segments, *pieces.totals}:
            total = pieces.totals.get(generation, 1)  # 1: the flaw of the first segment is reported
            head = Head(generation, segments=total)
            found = generation_of(source, pieces, head, named=False)
            whole = not found.left_out
        if found is None:
            continue
        left_out += found.left_out
        if whole:
            best = found if found.items or not part.items else part
            return Found(best.items, left_out, best.notes)
        if found.items and not part.items:
            part = Found(found.items, left_out[:], found.notes)
    part.left_out.extend(pieces.doubtful())
    return part


def _by_a_copy(
    source: DamagedStore, pieces: SealedFrames, generation: int, left_out: list[Finding]
) -> Found | None:
    """Return the snapshot that a head in a file other than the log names, and that file's log."""
    for name, head, end in pieces.heads:
        if head.generation == generation and name != LOG:
            found = generation_of(source, pieces, head, named=True)
            start = end - HEAD_FRAME
            if not found.left_out:
                reason = f"the head of generation {generation}, because the log has none"
                found.notes.append(Finding(name, start, HEAD_FRAME, reason))
                replay_whole_frames(source, name, end, head, found)
                return found
            reason = f"a head of generation {generation}, whose snapshot is not whole"
            left_out.append(Finding(name, start, source.size(name) - start, reason))
    return None


def generation_of(source: DamagedStore, pieces: SealedFrames, head: Head, named: bool) -> Found:
    """Return the records of a generation, or those before its first flaw.

    `named` says that the head was read from a file, so that it names the right stream.
    """
    there: list[list[SealedFrame]] = []
    for index in range(head.segments):
        if not (found := pieces.segments.get((head.generation, index, head.segments))):
            break
        there.append(found)
    if named and len(there) == head.segments:
        for combination in islice(product(*there), COMBINATIONS):
            stream = b"".join(piece.bare for piece in combination)
            if (len(stream), crc32(stream)) == (head.stream_length, head.stream_crc):
                return _decoded(head, stream, _unusual(pieces, head, combination))
    chosen, flaw = _chosen(source, head, there)
    notes = _unusual(pieces, head, chosen)
    chunks = [piece.bare for piece in chosen]
    if flaw is not None:
        return _before(source, head, chunks, flaw, notes)
    stream = b"".join(chunks)
    if named:  # a segment belongs to another snapshot, and it is unknown which one
        reason = "its segments are whole, but aren't those that the head names"
        return Found({}, [Finding(_whole(head), 0, len(stream), reason)], notes)
    return _decoded(head, stream, notes)


def _chosen(
    source: DamagedStore, head: Head, there: list[list[SealedFrame]]
) -> tuple[list[SealedFrame], CorruptionError | None]:
    """Return the segments that belong to this store, up to a flaw, and the flaw."""
    chosen: list[SealedFrame] = []
    for index, found in enumerate(there):
        own = [piece for piece in found if piece.outermost]
        name = segment_name(head.generation, index)
        if not own:
            break
        if own[0].file != name and len(own) > 1:
            reason = f"segment {index} of {head.segments} is in several files, all different"
            return chosen, CorruptionError(source.path(name), 0, reason)
        chosen.append(own[0])
    if len(chosen) == head.segments:
        return chosen, None
    name = segment_name(head.generation, len(chosen))
    flaw = CorruptionError(source.path(name), 0, "it changed while it was read")
    try:
        load_segment(source, head, len(chosen))
    except CorruptionError as error:
        flaw = error
    return chosen, flaw


def _unusual(pieces: SealedFrames, head: Head, chosen: Iterable[SealedFrame]) -> list[Finding]:
    notes: list[Finding] = []
    files: dict[str, None] = {}
    for index, piece in enumerate(chosen):
        notes += unusual((head.generation, index, head.segments), piece)
        files[piece.file] = None
    return notes + [note for file in files for note in pieces.outside(file)]


def _whole(head: Head) -> str:
    return f"the stream of generation {head.generation}"


def _decoded(head: Head, stream: bytes, notes: list[Finding]) -> Found:
    try:
        return Found(decode_snapshot(stream), [], notes)
    except CorruptionError as error:
        items, end = _prefix(stream)
        reason = f"{error.reason}; {count(len(items), 'record')} before it"
        left_out = [Finding(_whole(head), error.offset, len(stream) - end, reason)]
        return Found(items, left_out, notes)


def _before(
    source: DamagedStore,
    head: Head,
    chunks: list[bytes],
    flaw: CorruptionError,
    notes: list[Finding],
) -> Found:
    """Return the records that end before the damaged segment, whose index is len(chunks)."""
    stream, name = b"".join(chunks), segment_name(head.generation, len(chunks))
    items, end = _prefix(stream)
    claimed = int.from_bytes(stream[: COUNT.size], "big")
    of = f" of {claimed:,}" if len(stream) >= COUNT.size else ""
    reason = f"{flaw.reason}; {count(len(items), 'record')}{of} before it"
    left_out = [Finding(name, flaw.offset, source.size(name), reason)]
    if chunks and end < len(stream):
        left_out.append(_cut_record(head, chunks, end))
    if later := [other for other in source.segments.get(head.generation, ()) if other > name]:
        left_out.append(_unreadable(source, later))
    return Found(items, left_out, notes)


def _cut_record(head: Head, chunks: list[bytes], end: int) -> Finding:
    """Return the finding for the first part of a record that is cut off by the hole."""
    index, start, size = 0, 0, sum(map(len, chunks)) - end
    while start + len(chunks[index]) <= end:
        start += len(chunks[index])
        index += 1
    offset = OVERHEAD + segments.HEADER.size + end - start
    reason = "a record that ends in the lost part"
    return Finding(segment_name(head.generation, index), offset, size, reason)


def _unreadable(source: DamagedStore, later: list[str]) -> Finding:
    reason = f"{count(len(later), 'segment')} from here on: it is unknown where a record begins"
    reason += " after the hole"
    return Finding(later[0], 0, sum(map(source.size, later)), reason)


def _prefix(stream: bytes) -> tuple[dict[Item, Item], int]:
    """Return the first records of a stream that may be cut, and the offset after them."""
    items: dict[Item, Item] = {}
    end = min(COUNT.size, len(stream))
    with suppress(CorruptionError):
        for _ in range(int.from_bytes(stream[:end], "big")):
            key, middle = decode_field(stream, end)
            value, after = decode_field(stream, middle)
            if key in items:
                break
            items[key], end = value, after
    return items, end
