"""One record on its way through the formats: to scale in bytes, aligned at the right end.

The bytes of key and value are in the same columns everywhere, because every format puts its own
bytes in front of them. The log goes another way: a change becomes a frame, not a segment.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import kvlib
from kvlib.disk import LOG, MemoryDisk
from kvlib.encoding import Item, encode_field, encode_snapshot
from kvlib.errors import check_int
from kvlib.layout.dissect import dissect
from kvlib.layout.regions import Region
from kvlib.layout.text import COLUMNS
from kvlib.snapshot import HEAD_BYTES, segment_name
from kvlib.store import Store
from kvlib.views import svg
from kvlib.views.cells import TOKENS
from kvlib.views.chips import breadth, chip, label
from kvlib.views.figure import Figure, Position

LIMIT: Final = 1000  # bytes of fields; more would dwarf everything else
OPEN: Final = "Each ? is a size that you will find out."
RIGHT: Final = 834.0  # where the last byte of every format ends
BYTES: Final = 262.0  # where the numbers of bytes end
LEFT: Final = 284.0  # where a format may begin
LARGEST: Final = 9.3  # units for a byte
TOP: Final = 100.0  # the middle of the first station
PITCH: Final = 45.0
BOX: Final = 30.0
NOTEBOOKS: Final = {1: (0, 2), 2: (3, 4), 3: (5, 6)}  # the first and the last station of each
PAD: Final = 14.0  # a chip is so much wider than its bytes
HARD: Final = "\u00a0"  # a blank at which no line breaks
WAY, BRANCH, ON_BRANCH = 62.0, 86.0, 5


@dataclass(frozen=True)
class Station:
    """A form of the record.

    Attributes:
        name: what it is called.
        note: a few words on what is new in it.
        parts: its bytes, in order; none for a record in memory.
        records: the records in memory, if it is one.
    """

    name: str
    note: str
    parts: tuple[Region, ...] = ()
    records: tuple[tuple[Item, Item], ...] = ()

    @property
    def size(self) -> int:
        """The number of its bytes."""
        return self.parts[-1].end - self.parts[0].start if self.parts else 0


def journey(notebook: int, key: Item = "café", value: Item = "2,50 €") -> Figure:
    """Show where a notebook is on the way of a record through the formats.

    Args:
        notebook: 1, 2 or 3; its stations are lit.
        key: of the record.
        value: of the record, which has at most 1,000 bytes as fields.

    Raises:
        TypeError: `notebook` isn't an int, or the record isn't str or bytes.
        ValueError: there is no such notebook, or the record is too long.
    """
    check_int("notebook", notebook, 1, len(NOTEBOOKS))
    stations = travel(key, value)
    first, last = NOTEBOOKS[notebook]
    lit = range(first, last + 1)
    says = {
        1: "This notebook encodes a record as two fields, and all records as a snapshot stream.",
        2: "This notebook cuts the stream into segments, and seals each of them in a file.",
        3: "This notebook appends each change to a log as one frame, and recovers the record "
        "after a crash.",
    }
    return Figure(
        "One record, to scale: each format puts bytes in front",
        TOP + (len(stations) - 1) * PITCH + 34,
        "",
        (Position("", f"{says[notebook]} {OPEN}", tuple(_draw(stations, lit, notebook))),),
        _text(stations, lit),
    )


def travel(key: Item, value: Item) -> tuple[Station, ...]:
    """Return the record in each of its forms. Every form comes from the engine.

    Raises TypeError or ValueError if no field can hold the key or the value, ValueError if they
    are too long to be drawn to scale.
    """
    fields = encode_field(key) + encode_field(value)
    stream = encode_snapshot({key: value})
    if len(fields) > LIMIT:
        reason = f"the record is too long: {len(fields):,} bytes as fields"
        raise ValueError(f"{reason}, and a journey to scale has at most {LIMIT:,}")
    store, snapshots, logs = Store(), MemoryDisk(), MemoryDisk()
    store.put(key, value)
    store.serialize(snapshots)
    with kvlib.open(logs) as durable:
        durable.put(key, value)
        after_crash = logs.__copy__()  # before the store is closed
    sealed = _leaves(snapshots.read(segment_name(1, 0)), "sealed")
    bare = next(at for at, leaf in enumerate(sealed) if leaf.name == "segment.index")
    frame = [leaf for leaf in _leaves(after_crash.read(LOG), "log") if leaf.start >= HEAD_BYTES]
    change = next(at for at, leaf in enumerate(frame) if "mutation" in leaf.name)
    recovered = kvlib.open(after_crash, read_only=True)
    in_stream = _leaves(stream, "snapshot")
    return (
        Station("record", "in memory, nothing on disk", records=((key, value),)),
        Station("fields", "tag and length before each", (*in_stream[1:],)),
        Station("stream", "a count before them", (*in_stream,)),
        Station("segment", "which piece it is", (*_numbered(sealed[bare:]),)),
        Station("sealed file", "", (*_envelope(sealed[:bare]), *_numbered(sealed[bare:]))),
        Station("log frame", "one change", (*_envelope(frame[:change]), *frame[change:])),
        Station("back again", "after a crash, at any byte", records=(*recovered.items(),)),
    )


def _leaves(data: bytes, format: str) -> list[Region]:
    return [*dissect(data, format=format).root.leaves()]


def _numbered(leaves: list[Region]) -> Iterator[Region]:
    """Yield a segment's index and total as one region, then the others."""
    index, total = leaves[:2]
    yield Region(
        index.start, total.end, "header", "segment", note=f"{index.value!r} of {total.value!r}"
    )
    yield from leaves[2:]


def _envelope(leaves: list[Region]) -> Iterator[Region]:
    """Yield a preamble and a frame's header as one region."""
    size = leaves[-1].end - leaves[0].start
    name = "an envelope" if leaves[0].kind == "magic" else "header"
    yield Region(leaves[0].start, leaves[-1].end, "checksum", name, size, f"{name}: {size} bytes")


# ------------------------------------------------------------------------------------- the picture


def _draw(stations: tuple[Station, ...], lit: range, notebook: int) -> Iterator[str]:
    scale = min(LARGEST, (RIGHT - LEFT) / max(station.size for station in stations))
    first, last = _middle(lit[0]), _middle(lit[-1])
    yield svg.box(10, first - 22, 840, last - first + 44, "you-p", radius=10)
    bands = [*_bands(stations[1], scale)]
    for x, width, token in bands:
        yield svg.box(x, TOP, width, _middle(len(stations) - 1) - TOP, token + "-p", radius=0)
    yield svg.text(BYTES, 72, "bytes", "ink2", anchor="end")
    for number, (start, end) in NOTEBOOKS.items():
        yield from _bracket(number, _middle(start), _middle(end), number == notebook)
    yield from _ways(stations)
    for number, station in enumerate(stations):
        y, on = _middle(number), number in lit
        x = BRANCH if number == ON_BRANCH else WAY
        yield svg.circle(x, y, 8.5, "you" if on else "card", "you" if on else "mark", 3)
        ink = "ink" if on else "ink2"
        yield svg.text(104, y + 6, station.name, ink, size=18, bold=on)
        if station.parts or number == 0:
            size = _size(station, number, lit)
            yield svg.text(BYTES, y + 6, size, ink, size=18, bold=on, anchor="end")
        edge = "ink" if on else "mark"
        if station.parts:
            begin = RIGHT - station.size * scale
            yield from _parts(station, y, scale, edge, told=number < lit[0])
        else:
            shapes, begin = _record(station, bands, y, edge)
            yield shapes
        if station.note and begin - 10 - svg.measure(station.note) > BYTES + 10:
            yield svg.text(begin - 10, y + 6, station.note, ink, anchor="end")


def _size(station: Station, number: int, lit: range) -> str:
    """Return how many bytes a station has, unless its notebook lets one guess that."""
    return f"{station.size:,}" if number < max(lit[0], 1) else "?"


def _middle(number: int) -> float:
    return TOP + number * PITCH


def _bands(fields: Station, scale: float) -> Iterator[tuple[float, float, str]]:
    """Yield the columns of the key and of the value: x, width and colour."""
    for leaf in fields.parts:
        if leaf.kind in ("key", "value"):
            x = RIGHT - (fields.parts[-1].end - leaf.start) * scale
            yield x, (leaf.end - leaf.start) * scale, TOKENS[leaf.kind]


def _bracket(number: int, first: float, last: float, on: bool) -> Iterator[str]:
    top, bottom = svg.number(first - 14), svg.number(last + 14)
    yield svg.path(f"M38 {top}H33V{bottom}H38", "you" if on else "mark", stroke=2)
    ink = "you-t" if on else "ink2"
    y = (first + last) / 2 + 6
    yield svg.text(22, y, str(number), ink, size=18, bold=on, anchor="middle")


def _ways(stations: tuple[Station, ...]) -> Iterator[str]:
    """Yield the two ways: the snapshot's, straight down, and the log's, from the fields on."""
    fork, log, end = _middle(1), _middle(ON_BRANCH), _middle(len(stations) - 1)
    yield svg.line(WAY, TOP, WAY, end, stroke=4)
    ys = [
        svg.number(y) for y in (fork, fork + 26, fork + 8, fork + 38, log + 6, log + 34, log + 14)
    ]
    way = "M62 {}C62 {} 86 {} 86 {}V{}C86 {} 62 {} 62 ".format(*ys)
    yield svg.path(way + svg.number(end), "mark", stroke=4)


def _parts(station: Station, y: float, scale: float, edge: str, *, told: bool) -> Iterator[str]:
    """Yield the bytes of a station, each part to scale, with a word where there is room for it.

    Unless the size is `told`, an envelope has only its name.
    """
    end, top = station.parts[-1].end, y - BOX / 2
    for part in station.parts:
        x, width = RIGHT - (end - part.start) * scale, (part.end - part.start) * scale
        token = TOKENS[part.kind]
        yield svg.box(x, top, width, BOX, token, "card", stroke=1.2 * min(1, scale / 4), radius=0)
        words = _words(part, width - 2, told=told)
        if words:
            yield svg.text(x + width / 2, y + 6, words, token + "-on", anchor="middle")
    begin = RIGHT - station.size * scale
    stroke = 2.0 if edge == "ink" else 1.3
    yield svg.box(begin, top, RIGHT - begin, BOX, "none", edge, stroke=stroke)


def _words(part: Region, room: float, *, told: bool) -> str:
    """Return what is written into a part: all of it, or a number alone, or nothing."""
    if part.kind in ("key", "value"):
        return label(part.value, room) if isinstance(part.value, (str, bytes)) else ""
    if part.kind == "tag":
        return ""
    choices = [part.note]
    if part.value is not None:
        choices = [part.note, part.note.removesuffix(" bytes"), str(part.value)]
        choices = choices if part.kind == "checksum" else choices[-1:]
        if part.kind == "checksum" and not told:
            choices = [part.name]
    return next((words for words in choices if svg.measure(words) <= room), "")


def _record(
    station: Station, bands: list[tuple[float, float, str]], y: float, edge: str
) -> tuple[str, float]:
    """Return a record in memory as two chips above their bytes, and where the first begins."""
    ((key, value),) = station.records
    (key_x, key_width, _), (_, value_width, _) = bands
    top = y - BOX / 2
    words = label(value, max(value_width, 100))
    width = max(value_width + PAD, breadth(words))
    x = RIGHT + PAD / 2 - width
    shapes = chip(x, top, width, BOX, words, "value", edge=edge)
    words = label(key, max(key_width, 100))
    width = max(key_width + PAD, breadth(words))
    end = min(key_x + key_width / 2 + width / 2, x - 30)
    begin = max(LEFT, end - width)
    words = label(key, end - begin - PAD + 0.5)
    shapes += chip(begin, top, end - begin, BOX, words, "key", edge=edge)
    return shapes + svg.arrow(end + 3, y, x - 3, y), begin


def _text(stations: tuple[Station, ...], lit: range) -> str:
    """Return the way as text, with the notebook's own stations in brackets."""
    names = []
    for number, station in enumerate(stations):
        size = f" {_size(station, number, lit)}" if station.parts or number == 0 else ""
        names.append((number in lit, (station.name + size).replace(" ", HARD)))
    runs = [(on, " > ".join(name for _, name in run)) for on, run in groupby(names, lambda n: n[0])]
    way = " > ".join(f"[{run}]" if on else run for on, run in runs)
    lines = textwrap.wrap(f"One record, in bytes: {way}", COLUMNS, subsequent_indent="  ")
    return "\n".join(lines).replace(HARD, " ")
