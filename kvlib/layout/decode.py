"""Bytes -> labelled regions, as the engine decodes them. Pure.

Nothing is decoded twice: the engine is called step by step, and its answers become regions, with
the offsets that it returns or that its errors carry. So a picture shows what the engine sees, up to
the byte at which it stops, where the function raises the engine's own error.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from kvlib import encoding, frame, log, segments, snapshot
from kvlib.encoding import Item, Record
from kvlib.errors import CorruptionError, FormatError, TornError
from kvlib.frame import Frame
from kvlib.layout.regions import (
    COUNT,
    DOUBLED,
    FIELD,
    FRAME,
    FRAME_NOTES,
    HEAD,
    OPERATION,
    PREAMBLE,
    READ,
    SEGMENT,
    TORN,
    UNCHECKED,
    Labelled,
    Region,
    RegionKind,
    Statuses,
    broken,
    group,
    leaf,
    whole,
)
from kvlib.log import Step

T = TypeVar("T")


def answers(engine: Iterator[T]) -> Iterator[T | CorruptionError]:
    """Yield what the engine yields, and then the error that it raises, if any."""
    try:
        yield from engine
    except CorruptionError as error:
        yield error


def _field(data: bytes, at: int, end: int, value: Item, name: str, kind: RegionKind) -> Region:
    start = at + encoding.FIELD.size
    tag, length = FIELD
    return group(name, [
        leaf(data, at, tag, name + "."),
        leaf(data, at + tag.size, length, name + ".", (start, end)),
        Region(start, end, kind, name + ".data", value),
    ])  # fmt: skip


def _broken_field(
    data: bytes, at: int, end: int, name: str, kind: RegionKind, offset: int, marks: Statuses = READ
) -> Region:
    if offset <= at + 1 and marks is not DOUBLED:
        # After a wrong tag, the meaning of the bytes is unknown.
        table = FIELD[: 1 + (offset > at)]
        return group(name, broken(data, at, end, table, name + ".", offset, marks))
    _, length = encoding.FIELD.unpack_from(data, at)  # tag and length were right
    table = (*FIELD, Labelled("data", kind, length))
    tag, size, *rest = broken(data, at, end, table, name + ".", offset, marks)
    if marks is READ:
        size = replace(size, governs=(size.end, size.end + length))
    return group(name, [tag, size, *rest])


def _pair(data: bytes, base: int, pair: Record | Step, name: str) -> Region:
    at, middle, end = base + pair.start, base + pair.key_end, base + pair.end
    regions = []
    if isinstance(pair, Step):
        regions = whole(data, at, OPERATION, name + ".")
        at += 1
    regions.append(_field(data, at, middle, pair.key, name + ".key", "key"))
    if pair.value is not None:
        regions.append(_field(data, middle, end, pair.value, name + ".value", "value"))
    return group(name, regions)


def _broken_pair(data: bytes, at: int, end: int, name: str, offset: int, operation: bool) -> Region:
    if operation and offset == at:
        return group(name, broken(data, at, end, OPERATION, name + ".", offset, READ))
    regions = []
    if operation:
        regions = whole(data, at, OPERATION, name + ".")
        at += 1
    try:
        key, middle = encoding.decode_field(data[:end], at)
    except CorruptionError:
        regions.append(_broken_field(data, at, end, name + ".key", "key", offset))
        return group(name, regions)
    if offset == at:  # a correct key that was there before
        regions.append(_broken_field(data, at, end, name + ".key", "key", offset, DOUBLED))
    else:
        regions.append(_field(data, at, middle, key, name + ".key", "key"))
        regions.append(_broken_field(data, middle, end, name + ".value", "value", offset))
    return group(name, regions)


def _pairs(
    data: bytes,
    base: int,
    engine: Iterator[Record | Step],
    name: str,
    at: int,
    end: int,
    count: int | None = None,
) -> Iterator[Region]:
    """Yield the records or mutations in data[at:end]; their offsets are relative to `base`."""
    for number, pair in enumerate(answers(engine)):
        path = f"{name}[{number}]"
        if not isinstance(pair, CorruptionError):
            yield _pair(data, base, pair, path)
        elif number == count:
            yield Region(at, end, "gap", "trailing", status="bad")
            raise pair.within(None, base) from pair
        else:
            offset = base + pair.offset
            yield _broken_pair(data, at, end, path, offset, name.endswith("mutation"))
            raise pair.within(None, base) from pair
        at = base + pair.end


def fields(data: bytes) -> Iterator[Region]:
    """Yield a sequence of fields."""
    at = number = 0
    while at < len(data) or not number:
        name = f"field[{number}]"
        try:
            value, end = encoding.decode_field(data, at)
        except CorruptionError as error:
            yield _broken_field(data, at, len(data), name, "value", error.offset)
            raise
        yield _field(data, at, end, value, name, "value")
        at, number = end, number + 1


def records(data: bytes) -> Iterator[Region]:
    """Yield a sequence of records: a snapshot stream without its count."""

    def decode() -> Iterator[Record]:
        at = 0
        while at < len(data) or not at:
            key, key_end = encoding.decode_field(data, at)
            value, end = encoding.decode_field(data, key_end)
            yield Record(at, key, key_end, value, end)
            at = end

    return _pairs(data, 0, decode(), "record", 0, len(data))


def mutations(
    data: bytes, start: int = 0, end: int | None = None, prefix: str = ""
) -> Iterator[Region]:
    """Yield the mutations in data[start:end]."""
    payload = data[start:end]
    steps = log.decode_steps(payload)
    return _pairs(data, start, steps, prefix + "mutation", start, start + len(payload))


def snapshot_stream(data: bytes, base: int = 0) -> Iterator[Region]:
    """Yield the count and the records of the snapshot stream data[base:]."""
    stream = data[base:]
    at, end = base + encoding.COUNT.size, len(data)
    try:
        count = encoding.decode_count(stream)
    except CorruptionError as error:
        yield from broken(data, base, end, COUNT, "", base + error.offset, READ)
        raise error.within(None, base) from error
    yield leaf(data, base, COUNT[0], "", (at, end))
    records = encoding.decode_records(stream)
    yield from _pairs(data, base, records, "record", at, end, count)


# ------------------------------------------------------------------------------- frames and files


def walk(data: bytes, format: str) -> Iterator[Region]:
    """Yield the pieces of `data`: headers, records, mutations.

    A piece belongs to an earlier piece if its name continues that piece's name. If the engine
    stops, its error is raised after the last piece: a TornError for the torn tail of a log, and
    only for that.
    """
    at, torn = 0, False
    try:
        for piece in FORMATS[format](data):
            yield piece
            at, torn = piece.end, piece.status == "torn"
    except FormatError as error:
        if at < len(data):
            yield Region(at, len(data), "gap", "rest", status="unread")
        if isinstance(error, TornError) and not torn:
            raise CorruptionError(None, error.offset, error.reason) from error
        raise


def _preamble(data: bytes) -> Iterator[Region]:
    try:
        frame.check_preamble(data)
    except FormatError as error:
        parts = broken(data, 0, len(data), PREAMBLE, "preamble.", error.offset, READ)
        yield group("preamble", parts)
        raise
    yield group("preamble", whole(data, 0, PREAMBLE, "preamble."))


def _header(data: bytes, found: Frame, name: str, inside: Sequence[Labelled] = ()) -> Region:
    """Return the header of a whole frame, and the fixed parts at the start of its payload."""
    payload = found.start + frame.HEADER.size
    governs = {
        "crc": (found.start + frame.HEADER.size - frame.CHECKED.size, found.end),
        "length": (payload, found.end),
    }
    regions, at = [], found.start
    for part in (*FRAME, *inside):
        regions.append(leaf(data, at, part, name + ".", governs.get(part.name)))
        at += part.size
    return group(name, regions, FRAME_NOTES[found.kind])


def _broken_header(data: bytes, at: int, name: str, salt: int, offset: int) -> Region:
    marks = READ
    try:
        frame.unseal(data, at, salt)
    except CorruptionError as error:
        if isinstance(error, TornError):  # without a matching checksum, nothing is certain
            marks = UNCHECKED
    return group(name, broken(data, at, len(data), FRAME, name + ".", offset, marks))


def _frame(data: bytes, found: Frame, name: str) -> Iterator[Region]:
    header, start = _header(data, found, name), found.start + frame.HEADER.size
    if found.kind in (frame.MUTATIONS, frame.UNSYNCED_MUTATIONS):
        yield header
        yield from mutations(data, start, found.end, name + ".")
    else:
        payload = Region(start, found.end, "raw", name + ".payload", len(found.payload), "bytes")
        yield group(name, [*header.children, payload][: 4 + bool(found.payload)], header.note)


def _frames(data: bytes) -> Iterator[Region]:
    at = number = 0
    while at < len(data) or not number:
        name = f"frame[{number}]"
        try:
            found = frame.unseal(data, at)
        except CorruptionError as error:
            yield _broken_header(data, at, name, 0, error.offset)
            raise
        yield from _frame(data, found, name)
        at, number = found.end, number + 1


def _log(data: bytes) -> Iterator[Region]:
    yield from _preamble(data)
    at = len(frame.PREAMBLE)
    try:
        head, end = snapshot.decode_head(data)
    except CorruptionError as error:
        yield _broken_header(data, at, "head", 0, error.offset)
        raise
    yield _header(data, frame.unseal(data, at), "head", HEAD)
    at = end
    for number, found in enumerate(answers(log.scan(data, at, head.generation, head.salt))):
        name = f"frame[{number}]"
        if isinstance(found, CorruptionError):
            yield _broken_header(data, at, name, head.salt, found.offset)
            raise found
        yield from _frame(data, found, name)
        at = found.end
    if at < len(data):
        table = [*FRAME, Labelled("payload", "raw", len(data))]
        yield group("tail", broken(data, at, len(data), table, "tail.", at, TORN))
        try:
            frame.unseal(data, at, head.salt)
        except TornError as error:  # scan found it too; recovery drops the whole frame
            raise TornError(None, at, error.reason) from error


def _sealed(data: bytes) -> Iterator[Region]:
    yield from _preamble(data)
    start = len(frame.PREAMBLE)
    try:
        found = snapshot.unseal_first(data, frame.SEGMENT)
    except CorruptionError as error:
        yield _broken_header(data, start, "frame", 0, error.offset)
        raise
    yield _header(data, found, "frame")
    start += frame.HEADER.size
    if found.end == len(data):
        yield from _segment(data, start)
        return
    yield Region(start, found.end, "raw", "payload", len(found.payload), "bytes")
    yield Region(found.end, len(data), "gap", "trailing", status="bad")
    snapshot.check_end(found, data)


def _segment(data: bytes, base: int = 0) -> Iterator[Region]:
    try:
        _, total = segments.decode_header(data[base : base + segments.HEADER.size])
    except CorruptionError as error:
        offset = base + error.offset
        yield group("segment", broken(data, base, len(data), SEGMENT, "segment.", offset, READ))
        raise error.within(None, base) from error
    yield group("segment", whole(data, base, SEGMENT, "segment."))
    base += segments.HEADER.size
    if total == 1 and _is_snapshot(data[base:]):
        yield from snapshot_stream(data, base)
    elif base < len(data):
        yield Region(base, len(data), "raw", "piece", len(data) - base, "bytes of the stream")


def _is_snapshot(stream: bytes) -> bool:
    # join() accepts any stream, so this only decides how the bytes are shown.
    try:
        encoding.decode_snapshot(stream)
    except CorruptionError:
        return False
    return True


def _unknown(data: bytes) -> Iterator[Region]:
    yield from ()
    raise CorruptionError(None, 0, "these bytes don't look like any of kvlib's formats")


FORMATS: Final[dict[str, Callable[[bytes], Iterator[Region]]]] = {
    "field": fields,
    "record": records,
    "mutations": mutations,
    "snapshot": snapshot_stream,
    "segment": _segment,
    "frame": _frames,
    "log": _log,
    "sealed": _sealed,
    "unknown": _unknown,
}
