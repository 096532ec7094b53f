"""Fields, records, mutations and snapshot streams -> regions, as the engine decodes them. Pure.

Nothing is decoded twice: the engine is called step by step, and its answers become regions, with
the offsets that it returns or that its errors carry. So a picture shows what the engine sees, up to
the byte at which it stops, where the function raises the engine's own error.
"""

from collections.abc import Iterator
from typing import TypeVar

from kvlib import encoding, log
from kvlib.encoding import Item, Record
from kvlib.errors import CorruptionError
from kvlib.layout.regions import (
    COUNT,
    DOUBLED,
    FIELD,
    OPERATION,
    READ,
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
    table = FIELD[: 1 + (offset > at)]  # after a wrong tag, the meaning of the bytes is unknown
    if offset > at + 1 or marks is DOUBLED:  # tag and length were right
        _, length = encoding.FIELD.unpack_from(data, at)
        table = (*FIELD, Labelled("data", kind, length))
    return group(name, broken(data, at, end, table, name + ".", offset, marks))


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
