"""Labelled bytes as text in 80 columns: the rows of the hexdump package, then a line a region.

    00000000: 73 00 00 00 05 63 61 66  C3 A9                    s....caf..

    L length  T tag  V value
    offsets    bytes                     kind, name      meaning
    field[0]
    0000       73                         T tag           b's' str, as UTF-8
    0001-0004  00 00 00 05                L length        5 bytes of data
    0005-0009  63 61 66 C3 A9             V data          'café'

Offsets are hexadecimal, as the rows have them, of the first and the last byte; lengths are decimal.
`hexdump.restore` makes bytes of the rows again. A long dump is such blocks one after the other.
"""

import html
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import hexdump

from kvlib.errors import CorruptionError, FormatError, TornError
from kvlib.views.layout import Layout, Region, check, walk
from kvlib.views.regions import Span

COLUMNS: Final = 80
ROW: Final = 16
BLOCK: Final = 64 * ROW
SHOWN: Final = 8  # bytes on a region's line: a sequence number, whole

# Okabe and Ito's colours, which people who see few colours can tell apart: the nearest ones of
# those 256 that terminals have.
COLOURS: Final = {
    "magic": 253, "header": 214, "checksum": 253, "length": 74, "sequence": 214, "tag": 175,
    "key": 227, "value": 36, "gap": 250,
}  # fmt: skip
WORDS: Final = {"ok": "", "bad": "", "torn": "torn", "unread": "not read"}
MARKS: Final = {"ok": "", "bad": "!!", "torn": "~~", "unread": " ?"}


class Entry(NamedTuple):
    """A leaf, the heading of the piece that it stands in, and its name there."""

    heading: str
    name: str
    leaf: Region


class Dump:
    """Shows itself as labelled bytes: its repr is text, in a notebook too."""

    def __init__(
        self,
        data: bytes | bytearray | Layout,
        format: str | None,
        source: str | None,
        limit: int | None,
    ) -> None:
        self._layout = data if isinstance(data, Layout) else None
        if isinstance(data, Layout):
            source = data.source if source is None else source
            data = data.data
        if not isinstance(data, (bytes, bytearray)):
            raise TypeError(f"a dump is of bytes, not of {type(data).__name__}")
        self._data = bytes(data)
        self._format = check(self._data, format)
        self._source, self._limit = source, limit

    def lines(self, colour: bool = False) -> Iterator[str]:
        """The text, line by line."""
        size = len(self._data)
        if self._source:
            yield f"{self._source}: {count(size, 'byte')}"
            yield ""
        windows = None
        if self._limit is not None and size > max(self._limit, 2 * ROW):
            windows = _two_windows(size, self._limit, self._stopped_at())
        yield from lines(self._data, self._pieces(), windows, colour)

    def _pieces(self) -> Iterator[Region]:
        if self._layout is None:
            return walk(self._data, self._format)
        return _replay(self._layout)

    def _stopped_at(self) -> int:
        try:
            for _ in self._pieces():
                pass
        except FormatError as error:
            return error.offset
        return len(self._data)

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        text = repr(self)
        return {
            "text/plain": text,
            "text/html": f'<pre class="kvlib-dump">{html.escape(text)}</pre>',
        }


def dump(
    data: bytes | bytearray | Layout,
    format: str | None = None,
    source: str | None = None,
    limit: int | None = BLOCK,
) -> Dump:
    """Every byte of `data`, labelled.

    Args:
        data: any bytes, or a layout of them.
        format: what they are, one of FORMATS; by default what they look like.
        source: a title.
        limit: leave out what is more, but not what is around a flaw; None: show everything.
    """
    return Dump(data, format, source, limit)


def lines(
    data: bytes,
    pieces: Iterable[Region],
    windows: Iterable[Span] | None = None,
    colour: bool = False,
) -> Iterator[str]:
    """The text, line by line; the pieces are read as they are needed.

    Args:
        data: all bytes.
        pieces: what stands in them; the engine's error at their end is shown, not raised.
        windows: the spans to show, whole rows and in order; by default everything.
        colour: give each kind its colour, by the codes that terminals understand.
    """
    flaws: list[str] = []
    entries = _entries(_until_flaw(data, pieces, flaws))
    entry = next(entries, None)
    at = 0
    for start, end in windows or _blocks(len(data)):
        yield from _left_out(start - at)
        if at:
            yield ""
        here = []
        while entry and (entry.leaf.start < end or end == len(data)):
            if entry.leaf.end > start or entry.leaf.start >= start:
                here.append(entry)
            if entry.leaf.end > end:
                break  # it goes on in the next window
            entry = next(entries, None)
        yield from _rows(data, start, end, [entry.leaf for entry in here], colour)
        yield from _table(data, [entry for entry in here if entry.leaf.start >= at], colour)
        at = end
    yield from _left_out(len(data) - at)
    for _ in entries:
        pass  # to its end, where the flaw is
    if flaws:
        yield from ("", *flaws)


def count(number: int, noun: str) -> str:
    """A number and its noun, which is a regular one."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _replay(layout: Layout) -> Iterator[Region]:
    yield from layout.root.children
    if layout.stopped_at is not None:
        error = TornError if layout.root.status == "torn" else CorruptionError
        raise error(None, layout.stopped_at, layout.reason or "")


def _left_out(number: int) -> Iterator[str]:
    if number:
        yield from ("", f"({count(number, 'byte')} left out here; limit=None shows them)")


def _blocks(size: int) -> Iterator[Span]:
    for start in range(0, max(size, 1), BLOCK):
        yield start, min(start + BLOCK, size)


def _two_windows(size: int, limit: int, middle: int) -> list[Span]:
    half = max(ROW, limit // 2 // ROW * ROW)
    last = -(-(size - half) // ROW) * ROW
    start = max(half, min(last, (middle - half // 2) // ROW * ROW))
    return [(0, half), (start, min(start + half, size))]


def _until_flaw(data: bytes, pieces: Iterable[Region], flaws: list[str]) -> Iterator[Region]:
    try:
        yield from pieces
    except FormatError as error:
        place = f"{error.offset:04X} (offset {error.offset})"
        text = f"{MARKS['bad']} stopped at {place}: {error.reason}"
        if isinstance(error, TornError):
            left = count(len(data) - error.offset, "byte")
            text = f"{MARKS['torn']} a torn tail of {left} at {place}: {error.reason}"
        columns = COLUMNS if width(text) == len(text) else COLUMNS // 2
        flaws += textwrap.wrap(text, columns, max_lines=9, placeholder=" …")


def _entries(regions: Iterable[Region], heading: str = "", path: str = "") -> Iterator[Entry]:
    for region in regions:
        if region.kind != "group":
            yield Entry(heading, region.name.removeprefix(path), region)
        elif region.name.endswith((".key", ".value")):  # not worth a heading
            yield from _entries(region.children, heading, path)
        else:
            own = f"{region.name}: {region.note}" if region.note else region.name
            yield from _entries(region.children, own, region.name + ".")


def _rows(data: bytes, start: int, end: int, leaves: list[Region], colour: bool) -> Iterator[str]:
    if start == end:
        yield "(no bytes)"
        return
    rows = hexdump.hexdump(data[start:end], result="return").split("\n")
    for at, row in zip(range(start, end, ROW), rows, strict=True):
        row = f"{at:08X}{row[8:]}"  # the package counts from 0
        yield _paint_row(row, at, leaves) if colour else row


def _paint_row(row: str, at: int, leaves: list[Region]) -> str:
    painted, done = "", 0
    for leaf in leaves:
        first, last = max(leaf.start - at, 0), min(leaf.end - at, ROW) - 1
        if first <= last:
            left, right = 10 + 3 * first + first // 8, 12 + 3 * last + last // 8
            painted += row[done:left] + _paint(row[left:right], leaf)
            done = right
    return painted + row[done:]


def _paint(text: str, leaf: Region) -> str:
    if leaf.status in ("unread", "torn"):
        return f"\x1b[2m{text}\x1b[0m"
    if leaf.status == "bad":
        return f"\x1b[97;41m{text}\x1b[0m"
    return f"\x1b[38;5;233;48;5;{COLOURS[leaf.kind]}m{text}\x1b[0m"


def _table(data: bytes, entries: list[Entry], colour: bool) -> Iterator[str]:
    if not entries:
        return
    digits = max(4, 2 * -(-len(f"{max(len(data) - 1, 0):X}") // 2))
    there = {entry.leaf.kind for entry in entries}
    legend = "  ".join(f"{kind[0].upper()} {kind}" for kind in COLOURS if kind in there)
    yield from ("", *textwrap.wrap(legend, COLUMNS))
    yield f"{'offsets':<{2 * digits + 3}}{'bytes':<26}{'kind, name':<16}meaning"
    above = ""
    for heading, name, leaf in entries:
        if heading not in ("", above):
            yield heading
        above = heading
        span = f"{leaf.start:0{digits}X}"
        if leaf.end > leaf.start + 1:
            span += f"-{leaf.end - 1:0{digits}X}"
        shown = data[leaf.start : leaf.end]
        hexes = shown.hex(" ").upper() or "(none)"
        if len(shown) > SHOWN:
            hexes = shown[: SHOWN - 1].hex(" ").upper() + " …"
        letter = leaf.kind[0].upper()
        line = f"{span:<{2 * digits + 1}}  {hexes:<23} {MARKS[leaf.status]:<2}{letter} {name:<13} "
        yield (line + fit(meaning(leaf), COLUMNS - len(line))).rstrip()


def meaning(leaf: Region) -> str:
    """What a leaf's value and its note say."""
    value = leaf.value
    if value is None:
        return leaf.note or WORDS[leaf.status]
    if not isinstance(value, int):
        return f"{value[:COLUMNS]!r} {leaf.note}"
    hexadecimal = leaf.name.endswith(("crc", "salt"))
    return f"{value:#010x} {leaf.note}" if hexadecimal else f"{value:,} {leaf.note}"


def fit(text: str, columns: int) -> str:
    """`text`, cut where it would be wider than `columns`."""
    if width(text) <= columns:
        return text
    text = text[: columns - 1]
    while width(text) > columns - 1:
        text = text[:-1]
    return text + "…"


def width(text: str) -> int:
    """The columns that a terminal needs for it."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))
