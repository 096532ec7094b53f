"""Labelled bytes as text in 80 columns: the rows of the hexdump package, then a line per region.

    00000000: 73 00 00 00 05 63 61 66  C3 A9                    s....caf..

    L=length T=tag V=value
    offsets    bytes                     kind, name      meaning
    field[0]
    0000       73                        T tag           b's' str, as UTF-8
    0001-0004  00 00 00 05               L length        5 bytes of data
    0005-0009  63 61 66 C3 A9            V data          'café'

Offsets are those of the first and the last byte, hexadecimal as in the rows. Lengths are decimal.
`hexdump.restore` turns the rows back into bytes. A long dump is a sequence of such blocks.
"""

import textwrap
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import hexdump

from kvlib.errors import FormatError, TornError
from kvlib.layout.regions import Region, RegionKind, RegionStatus, Span
from kvlib.plural import count

Paint = Callable[[str, RegionKind, RegionStatus], str]

COLUMNS: Final = 80
ROW: Final = 16
BLOCK: Final = 64 * ROW
SHOWN: Final = 8  # bytes on a region's line, enough for a sequence number

# Okabe and Ito's colours, which colour-blind people can tell apart: the nearest of the 256 colours
# that terminals have.
COLOURS: Final[dict[RegionKind, int]] = {
    "magic": 253, "header": 214, "checksum": 253, "length": 74, "sequence": 214, "tag": 175,
    "key": 227, "value": 36, "delimiter": 253, "raw": 253, "gap": 250,
}  # fmt: skip
STYLES: Final = {"bad": "97;41", "torn": "2", "unread": "2"}  # white on red, and dim
WORDS: Final = {"ok": "", "bad": "", "torn": "torn", "unread": "not read"}
MARKS: Final = {"ok": "", "bad": "!!", "torn": "~~", "unread": " ?"}


class Entry(NamedTuple):
    """A leaf, the heading of the piece that contains it, and its name within that piece."""

    heading: str
    name: str
    leaf: Region


def lines(
    data: bytes,
    pieces: Iterable[Region],
    windows: Iterable[Span] | None = None,
    colour: bool = False,
) -> Iterator[str]:
    """Yield the text, line by line, reading the pieces only as they are needed.

    Args:
        data: all bytes.
        pieces: the regions in them; an error of the engine at their end is shown, not raised.
        windows: the spans to show, in order and in whole rows; by default everything.
        colour: whether to colour each kind with a terminal's escape codes.
    """
    flaws: list[str] = []
    rest = entries(_until_flaw(data, pieces, flaws))
    entry = next(rest, None)
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
                break  # the next window shows the rest
            entry = next(rest, None)
        yield from _rows(data, start, end, [entry.leaf for entry in here], colour)
        yield from _table(data, [entry for entry in here if entry.leaf.start >= at], colour)
        at = end
    yield from _left_out(len(data) - at)
    deque(rest, 0)  # runs to the end, where the flaw is
    if flaws:
        yield from ("", *flaws)


def _left_out(number: int) -> Iterator[str]:
    if number:
        yield from ("", f"({count(number, 'byte')} left out here; limit=None shows them)")


def _blocks(size: int) -> Iterator[Span]:
    for start in range(0, max(size, 1), BLOCK):
        yield start, min(start + BLOCK, size)


def _until_flaw(data: bytes, pieces: Iterable[Region], flaws: list[str]) -> Iterator[Region]:
    try:
        yield from pieces
    except FormatError as error:
        text = flaw(error, len(data))
        columns = COLUMNS if width(text) == len(text) else COLUMNS // 2
        flaws += textwrap.wrap(text, columns, max_lines=9, placeholder=" …")


def flaw(error: FormatError, size: int) -> str:
    """Return where in `size` bytes the engine stopped, and why."""
    place = f"{error.offset:04X} (offset {error.offset})"
    if isinstance(error, TornError):
        left = count(size - error.offset, "byte")
        return f"{MARKS['torn']} a torn tail of {left} at {place}: {error.reason}"
    return f"{MARKS['bad']} stopped at {place}: {error.reason}"


def entries(regions: Iterable[Region], heading: str = "", path: str = "") -> Iterator[Entry]:
    """Yield the leaves, each with its heading in a table."""
    for region in regions:
        if region.kind != "group":
            yield Entry(heading, region.name.removeprefix(path), region)
        elif region.name.endswith((".key", ".value")):  # not worth a heading
            yield from entries(region.children, heading, path)
        else:
            own = f"{region.name}: {region.note}" if region.note else region.name
            yield from entries(region.children, own, region.name + ".")


def _rows(data: bytes, start: int, end: int, leaves: list[Region], colour: bool) -> Iterator[str]:
    if start == end:
        yield "(no bytes)"
        return
    in_row: dict[int, list[Region]] = {at: [] for at in range(start, end, ROW)}
    for leaf in [leaf for leaf in leaves if colour and leaf.end > leaf.start]:
        for at in range(max(leaf.start // ROW * ROW, start), min(leaf.end, end), ROW):
            in_row[at].append(leaf)
    rows = hexdump.hexdump(data[start:end], result="return").split("\n")
    for (at, there), row in zip(in_row.items(), rows, strict=True):
        row = f"{at:08X}{row[8:]}"  # the package always counts from 0
        yield _paint_row(row, at, there) if colour else row


def _paint_row(row: str, at: int, leaves: list[Region]) -> str:
    painted, done = "", 0
    for leaf in leaves:
        first, last = max(leaf.start - at, 0), min(leaf.end - at, ROW) - 1
        left, right = 10 + 3 * first + first // 8, 12 + 3 * last + last // 8
        painted += row[done:left] + _paint(row[left:right], leaf.kind, leaf.status)
        done = right
    return painted + row[done:]


def _paint(text: str, kind: RegionKind, status: RegionStatus) -> str:
    style = f"38;5;233;48;5;{COLOURS[kind]}" if status == "ok" else STYLES[status]
    return f"\x1b[{style}m{text}\x1b[0m"


def _plain(text: str, kind: RegionKind, status: RegionStatus) -> str:
    return text


def _table(data: bytes, entries: list[Entry], colour: bool) -> Iterator[str]:
    if not entries:
        return
    paint = _paint if colour else _plain
    there = {entry.leaf.kind for entry in entries}
    kinds = [kind for kind in COLOURS if kind in there]
    yield ""
    yield " ".join(paint(f"{kind[0].upper()}={kind}", kind, "ok") for kind in kinds)
    digits = max(4, 2 * -(-len(f"{max(len(data) - 1, 0):X}") // 2))
    yield f"{'offsets':<{2 * digits + 3}}{'bytes':<26}{'kind, name':<16}meaning"
    above = ""
    for heading, name, leaf in entries:
        if heading not in ("", above):
            yield heading
        above = heading
        yield _line(data, name, leaf, digits, paint)


def _line(data: bytes, name: str, leaf: Region, digits: int, paint: Paint) -> str:
    span = f"{leaf.start:0{digits}X}"
    if leaf.end > leaf.start + 1:
        span += f"-{leaf.end - 1:0{digits}X}"
    shown = data[leaf.start : min(leaf.end, leaf.start + SHOWN)]
    hexes = shown.hex(" ").upper() or "(none)"
    if leaf.end > leaf.start + SHOWN:
        hexes = hexes[:-2] + "…"
    left = f"{span:<{2 * digits + 1}}  "
    right = f"{'':{23 - len(hexes)}} {MARKS[leaf.status]:<2}{leaf.kind[0].upper()} {name:<13} "
    right += fit(meaning(leaf), COLUMNS - len(left + hexes + right))
    return left + paint(hexes, leaf.kind, leaf.status) + right.rstrip()


def meaning(leaf: Region) -> str:
    """Return a leaf's value and note as text."""
    value = leaf.value
    if value is None:
        return leaf.note or WORDS[leaf.status]
    if not isinstance(value, int):
        return f"{value[:COLUMNS]!r} {leaf.note}"
    hexadecimal = leaf.name.endswith(("crc", "salt"))
    return f"{value:#010x} {leaf.note}" if hexadecimal else f"{value:,} {leaf.note}"


def hanging(before: str, text: str) -> Iterator[str]:
    """Yield `before` and the text in lines of 80 columns, with a hanging indent."""
    room = COLUMNS - width(before)
    columns = room if width(text) == len(text) else room // 2
    for line in textwrap.wrap(text, columns, break_on_hyphens=False) or [""]:
        yield f"{before}{line}".rstrip()
        before = " " * width(before)


def fit(text: str, columns: int) -> str:
    """Return `text`, cut to `columns` columns."""
    if width(text) <= columns:
        return text
    text = text[: columns - 1]
    while width(text) > columns - 1:
        text = text[:-1]
    return text + "…"


def width(text: str) -> int:
    """Return how many columns a terminal needs for the text."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))
