r"""Bytes -> labelled regions: the model from which every picture of bytes is drawn. Pure.

A layout keeps these laws for any bytes:

    the leaves follow each other without gaps and cover all the data; children fill their parent
    their values are the values that the engine decodes
    if the engine raises, stopped_at and reason come from its error, and the leaf there is "bad"

An empty leaf is the data of an empty field, or marks where bytes are missing.

>>> for leaf in dissect(b"s\0\0\0\3key").root.leaves():
...     print(leaf.start, leaf.end, leaf.name, leaf.value)
0 1 field[0].tag b's'
1 5 field[0].length 3
5 8 field[0].data key
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, takewhile

from kvlib import encoding, frame, log, segments, snapshot
from kvlib.directory import as_disk
from kvlib.disk import Disk, Place
from kvlib.errors import CorruptionError, FormatError, TornError
from kvlib.layout.decode import FORMATS, walk
from kvlib.layout.regions import Region, group
from kvlib.recovery import recover

__all__ = [
    "FORMATS",
    "Layout",
    "Region",
    "check_format",
    "dissect",
    "dissect_directory",
    "format_of",
    "guess",
    "walk",
    "walk_again",
    "walk_directory",
]


@dataclass(frozen=True)
class Layout:
    """All regions of `data`, whose name is `source`.

    Attributes:
        root: the tree of regions.
        stopped_at: the offset at which the engine stopped reading, or None if it read everything.
        reason: why it stopped there: damage if root.status is "bad", a torn tail if it is "torn".
    """

    source: str
    data: bytes
    root: Region
    stopped_at: int | None = None
    reason: str | None = None


def dissect(data: bytes, *, format: str | None = None, source: str = "") -> Layout:
    """Return the layout of any bytes, damaged ones included.

    Args:
        data: a field, record, snapshot stream, segment, mutations, frame, or a store's file.
        format: one of FORMATS; by default the result of `guess`.
        source: a name for the bytes.

    Raises ValueError for an unknown format.
    """
    return _collect(source, data, walk(data, check_format(data, format)))


def _collect(source: str, data: bytes, walked: Iterator[Region]) -> Layout:
    pieces: list[Region] = []
    try:
        for piece in walked:
            pieces.append(piece)
    except FormatError as error:
        return Layout(source, data, _nest(pieces), error.offset, error.reason)
    return Layout(source, data, _nest(pieces))


def walk_again(layout: Layout) -> Iterator[Region]:
    """Yield the pieces of a layout and raise its error at the end, as `walk` does."""
    yield from layout.root.children
    if layout.stopped_at is not None:
        error = TornError if layout.root.status == "torn" else CorruptionError
        raise error(None, layout.stopped_at, layout.reason or "")


def dissect_directory(place: Place) -> Iterator[Layout]:
    """Yield the layouts of a store's files; see `walk_directory`."""
    for name, data, pieces in walk_directory(as_disk(place)):
        yield _collect(name, data, pieces)


def walk_directory(disk: Disk) -> Iterator[tuple[str, bytes, Iterator[Region]]]:
    """Yield name, bytes and pieces of each file of a store, a missing segment included.

    The records of a snapshot are shown across its segments. A flaw that a single file can't show,
    such as a segment of another snapshot, is marked where the engine reports it.
    """
    files: dict[str, bytes] = {}
    flaws: dict[str, FormatError] = {}
    for name in filter(format_of, disk.names()):
        files[name] = b""
        try:
            files[name] = disk.read(name)
        except FormatError as error:
            flaws[name] = error
        except OSError as error:
            flaws[name] = CorruptionError(None, 0, f"can't be read: {error.strerror}")
    shares: Mapping[str, Iterator[Region]] = {}
    try:
        if snapshot.LOG not in files:
            recover(
                disk
            )  # returns None for a store that is just being created; else it says what is wrong
        else:
            head, _ = snapshot.decode_head(files[snapshot.LOG])
            snapshot.load(disk, head)
            shares = _shares(files, head) if head.segments > 1 else {}
    except FormatError as error:
        name = os.path.basename(error.path or snapshot.LOG)
        if format_of(name):
            files.setdefault(name, b"")
            flaws.setdefault(name, error.within(None))  # a head is never torn
    for name in sorted(files):
        flaw = flaws.get(name)
        if flaw and not files[name]:
            yield name, b"", _mark(iter(()), flaw)
        else:
            pieces = shares.get(name) or walk(files[name], format_of(name))
            yield name, files[name], _mark(pieces, flaw) if flaw else pieces


def _mark(pieces: Iterator[Region], flaw: FormatError) -> Iterator[Region]:
    end = 0
    with suppress(FormatError):  # the store's error is raised instead
        for piece in pieces:
            yield _marked(piece, flaw.offset)
            end = piece.end
    if flaw.offset >= end:
        yield Region(end, end, "gap", "missing", status="bad")
    raise flaw


def _marked(region: Region, offset: int) -> Region:
    if not region.start <= offset < region.end:
        return region
    children = tuple(_marked(child, offset) for child in region.children)
    return replace(region, status="bad", children=children)


def _shares(files: dict[str, bytes], head: snapshot.Head) -> Mapping[str, Iterator[Region]]:
    """Return each segment's own pieces, and its share of the stream's pieces."""
    names = [snapshot.segment_name(head.generation, index) for index in range(head.segments)]
    before = snapshot.OVERHEAD + segments.HEADER.size
    pieces = walk(b"".join(files[name][before:] for name in names), "snapshot")
    held: list[Region] = []
    shares, start = {}, 0
    for name in names:
        end = start + len(files[name]) - before
        own = takewhile(lambda piece: piece.name != "piece", walk(files[name], "sealed"))
        shares[name] = chain(own, _share(pieces, held, start, end, before - start))
        start = end
    return shares


def _share(
    pieces: Iterator[Region], held: list[Region], start: int, end: int, shift: int
) -> Iterator[Region]:
    for piece in chain(held[:], pieces):
        held[:] = [piece]  # the next segment may need it too
        if cut := _cut(piece, start, end, shift):
            yield cut
        if piece.end > end:
            return


def _cut(region: Region, start: int, end: int, shift: int) -> Region | None:
    """Return the part of a region from start to end, moved by `shift`."""
    if region.children:
        children = [cut for child in region.children if (cut := _cut(child, start, end, shift))]
        return group(region.name, children, region.note) if children else None
    low, high = max(region.start, start), min(region.end, end)
    if low > high or (low == high and not start < region.start == region.end):
        return None  # an empty region belongs to the segment before
    cut = replace(region, start=low + shift, end=high + shift, governs=None)
    if high < region.end:
        return replace(cut, value=None, note="continues in the next segment")
    return replace(cut, note=f"{region.note} (continued)".lstrip()) if low > region.start else cut


def format_of(name: str) -> str:
    """Return the format of a store's file with this name, or "" if a store has no such file."""
    if snapshot.SEGMENT_NAME.fullmatch(name):
        return "sealed"
    return "log" if name in (snapshot.LOG, snapshot.NEW_LOG) else ""


def check_format(data: bytes, format: str | None) -> str:
    """Return `format`, or a guess if it is None. Raises ValueError for an unknown format."""
    if format is not None and format not in [*FORMATS]:  # a list can look for unhashable things too
        raise ValueError(f"format {format!r} is not one of {', '.join(FORMATS)}")
    return format or guess(data)


def guess(data: bytes) -> str:
    """Return the format that the bytes look like: the first of these that fits.

    The magic, or its beginning: "sealed" if the first frame is a segment, else "log". A whole frame
    with its checksum: "frame". A tag: "field", or "record" if more than the field is there. An
    operation: "mutations". Four bytes and a tag, or four zeros: "snapshot". An index below a total
    of less than 2**24: "segment". Otherwise "unknown".
    """
    if data and frame.MAGIC.startswith(data[: len(frame.MAGIC)]):
        kind = data[snapshot.OVERHEAD - 1 : snapshot.OVERHEAD]
        return "sealed" if kind == frame.SEGMENT else "log"
    try:
        frame.unseal(data)
        return "frame"
    except CorruptionError:
        pass
    if data[:1] in (encoding.BYTES, encoding.TEXT):
        try:
            return "field" if encoding.decode_field(data)[1] == len(data) else "record"
        except CorruptionError:
            return "field"
    if data[:1] in (log.PUT, log.DELETE):
        return "mutations"
    if data[4:5] in (encoding.BYTES, encoding.TEXT) or data == bytes(4):
        return "snapshot"
    try:
        _, total = segments.decode_header(data)
    except CorruptionError:
        return "unknown"
    return "segment" if total < 2**24 else "unknown"


def _nest(pieces: list[Region]) -> Region:
    families: list[list[Region]] = []
    for piece in pieces:
        if families and piece.name.startswith(families[-1][0].name + "."):
            families[-1].append(piece)
        else:
            families.append([piece])
    children = [
        group(first.name, [*first.children, *rest], first.note) if rest else first
        for first, *rest in families
    ]
    return group("data", children) if children else Region(0, 0, "group", "data")
