"""The disks that a power cut can leave: every image of one torn append, and recovery's answers.

The engine writes to a CrashDisk, which lists what a crash could leave during the last operation.
Each of these images is opened. In the picture each row is one disk.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from kvlib.encoding import Item
from kvlib.layout.dissect import dissect
from kvlib.layout.regions import Region
from kvlib.layout.text import fit, hanging
from kvlib.plural import count
from kvlib.views import arguments, svg
from kvlib.views.cells import TOKENS, Cells, fields
from kvlib.views.disks import Disk, judged, parts, rank, torn
from kvlib.views.figure import Figure, Position

MOST: Final = 64  # bytes of the torn frame
MOST_BEFORE: Final = 50  # records, which each image is recovered with
LEFT: Final = 46  # the x of the first column
GAP: Final = 24  # between columns
TOP: Final = 130  # the y of the first row of a column
ROWS: Final = 186  # the height of all rows
PANEL: Final = 368  # the y of the enlarged bytes
HEIGHT: Final = 420
STATE: Final = 100  # columns of a state in a sentence
BAD: Final = ("refused", "mixed")

# The words for each answer: as a heading, and after "recovery".
WORDS: Final = {
    "old": "the old state, as if the put had never begun",
    "mixed": "a mixed state",
    "refused": "refused",
    "same": "the same state, before and after",
    "new": "new state",
}
GIVES: Final = {
    "old": "gives the old state",
    "mixed": "gives a mixed state",
    "refused": "refuses this disk",
    "same": "gives the same state as before",
    "new": "gives the new state",
}


@dataclass(frozen=True)
class Column:
    """The disks with one sort of damage and one answer, and where they are drawn."""

    disks: tuple[Disk, ...]
    x: float
    width: float

    @property
    def pitch(self) -> float:
        """The distance from one row to the next, in tenths: so that dashes meet the rows."""
        return min(14.0, ROWS * 10 // len(self.disks) / 10)

    @property
    def tall(self) -> float:
        """The height of a row."""
        return round(self.pitch * 0.8, 1)

    def row(self, number: int) -> tuple[float, float, float, float]:
        """Return a row's rectangle."""
        return self.x, TOP + number * self.pitch, self.width, self.tall


def images(key: Item, value: Item | None, before: Mapping[Item, Item] | None = None) -> Figure:
    """Show every disk that a power cut can leave during one put, and what recovery answers.

    Args:
        key: the key that is put.
        value: its value; or None, to delete the key instead.
        before: the records that are already safe on the disk.

    Raises:
        ValueError: the frame is longer than 64 bytes, or there are more than 50 records before.
        TypeError: a key or value is neither str nor bytes, or `before` isn't a mapping.
    """
    records = {} if before is None else before
    arguments.check_kind("before", records, Mapping, "is a dict of the records before")
    old = dict(records)
    if len(old) > MOST_BEFORE:
        raise ValueError(f"before has {len(old):,} records, expected at most {MOST_BEFORE}")
    new = {name: item for name, item in {**old, key: value}.items() if item is not None}
    base, whole, found = torn(key, value, old)
    frame = whole[len(base) :]
    if len(frame) > MOST:
        reason = f"the frame of this put has {len(frame):,} bytes, expected at most {MOST}"
        raise ValueError(f"{reason}: choose a shorter key or value")
    disks = sorted(
        (judged(image, base, frame, old, new) for image in found),
        key=lambda disk: (rank(disk), disk.at, disk.tail),
    )
    return _draw(disks, base, frame, key, value)


def _draw(disks: list[Disk], base: bytes, frame: bytes, key: Item, value: Item | None) -> Figure:
    leaves = [
        replace(leaf, start=leaf.start - len(base), end=leaf.end - len(base))
        for leaf in dissect(base + frame, format="log").root.leaves()
        if leaf.start >= len(base) and leaf.end > leaf.start
    ]
    columns = [*_columns(disks)]
    fixed = [*_heads(columns, key)]
    positions = []
    for column in columns:
        fixed += _rows(column, leaves, frame, len(base))
        for number, disk in enumerate(column.disks):
            x, y, wide, tall = column.row(number)
            shapes = [
                svg.box(x - 3, y - 3, wide + 6, tall + 6, "none", "you", stroke=3.2),
                svg.circle(x - 9, y + tall / 2, 7, "card", "you", 3.2),
                *_panel(disk, leaves, frame, len(base)),
            ]
            spot = (x, y, wide, column.pitch)
            state = fit(disk.said, STATE)
            says = f"Recovery {GIVES[disk.answer]}: {state}"
            answer = f"{disk.sort} {disk.answer}"
            positions.append(Position(_label(disk, frame), says, tuple(shapes), spot, answer))
    fixed += [*_legend(columns[-1], disks), *_captions(leaves, len(frame))]
    return Figure(
        _title(disks),
        HEIGHT,
        "disk",
        tuple(positions),
        "\n".join(_text(disks, frame, key, value)),
        tuple(fixed),
        len(positions) // 6,
        (1, 1),
    )


def _title(disks: list[Disk]) -> str:
    answers = len({disk.answer for disk in disks})
    words = {1: "one answer", 2: "two answers"}.get(answers, f"{answers} answers")
    return f"{len(disks):,} disks that a power cut can leave, and {words}"


def _label(disk: Disk, frame: bytes) -> str:
    if disk.sort == "whole":
        return f"whole, all {len(frame)} bytes"
    if disk.sort == "cut short":
        return f"cut short after {count(len(disk.tail), 'byte')}"
    return f"{disk.sort} from byte {disk.at} on" if disk.sort != "lost blocks" else disk.sort


def _columns(disks: list[Disk]) -> Iterator[Column]:
    """Yield the columns from left to right."""
    groups = [tuple(run) for _, run in groupby(disks, rank)]
    room = svg.WIDTH - svg.MARGIN - LEFT
    width = (room - GAP * (len(groups) - 1)) / len(groups)
    for number, group in enumerate(groups):
        yield Column(group, LEFT + number * (width + GAP), width)


def _heads(columns: list[Column], key: Item) -> Iterator[str]:
    """Yield the answers in numbers, above their columns, and the sorts of damage."""
    for answer, run in groupby(columns, lambda column: column.disks[0].answer):
        group = [*run]
        first, last = group[0], group[-1]
        number = f"{sum(len(column.disks) for column in group):,}"
        disk = first.disks[0]
        x = first.x + svg.measure(number, 34, bold=True) + 8
        room = last.x + last.width + GAP - 8 - x
        kept = max(1, int(room / svg.measure("0")))
        token = f"{disk.verdict}-t" if answer != "old" else "ink"
        yield svg.text(first.x, 92, number, token, size=34, bold=True)
        yield svg.text(x, 76, fit(WORDS[answer], kept), token)
        yield svg.text(x, 96, fit(_told(disk, key), kept), "ink2")
    for column in columns:
        number = f"{len(column.disks)}"
        yield svg.text(column.x, TOP - 8, number, bold=True)
        x = column.x + svg.measure(number, bold=True) + 6
        kept = max(1, int((column.width + GAP - 4 - (x - column.x)) / svg.measure("0")))
        yield svg.text(x, TOP - 8, fit(column.disks[0].sort, kept), "ink2")


def _told(disk: Disk, key: Item) -> str:
    """Return what a recovered store has for the key."""
    if disk.items is None:
        return disk.said
    return repr(disk.items[key]) if key in disk.items else f"no {key!r}"


def _rows(column: Column, leaves: list[Region], frame: bytes, before: int) -> Iterator[str]:
    """Yield a column's rows.

    A field that several rows have in full is one dashed line downwards, and the rest is a path for
    each colour.
    """
    scale = column.width / len(frame)
    paths: dict[str, str] = {}

    def add(number: int, token: str, start: int, end: int) -> None:
        y = TOP + number * column.pitch + column.tall / 2
        here = f"M{svg.number(column.x + start * scale)} {svg.number(y)}"
        paths[token] = paths.get(token, "") + f"{here}h{svg.number((end - start) * scale)}"

    whole: dict[Region, list[int]] = {leaf: [] for leaf in leaves}
    for number, disk in enumerate(column.disks):
        for start, end, what in parts(disk, frame, before):
            if what == "arrived":
                for leaf in _within(leaves, start, end):
                    if leaf in whole:
                        whole[leaf].append(number)
                    else:
                        add(number, TOKENS[leaf.kind], leaf.start, leaf.end)
            elif what != "missing":
                add(number, {"zeros": "rule", "garbage": "mark"}[what], start, end)
        if disk.sort == "cut short":
            add(number, "wrong", len(disk.tail), len(disk.tail) + 1)
        elif disk.sort == "garbage":
            for start, end in _dark(disk):
                add(number, "ink2", start, end)
    for token, d in paths.items():
        yield svg.path(d, token, stroke=column.tall)
    for leaf, numbers in whole.items():
        x = svg.number(column.x + (leaf.start + leaf.end) / 2 * scale)
        d = ""
        for _, pairs in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
            alike = [row for _, row in pairs]
            top = TOP + alike[0] * column.pitch
            length = (len(alike) - 1) * column.pitch + column.tall
            d += f"M{x} {svg.number(top)}v{svg.number(length)}"
        if d:
            wide = (leaf.end - leaf.start) * scale
            gap = column.pitch - column.tall
            yield svg.dashes(d, TOKENS[leaf.kind], wide, column.tall, gap)


def _dark(disk: Disk) -> Iterator[tuple[int, int]]:
    """Yield the spans of garbage that are drawn dark: the bytes above 127."""
    for dark, run in groupby(range(disk.at, len(disk.tail)), lambda at: disk.tail[at] > 127):
        if dark:
            offsets = [*run]
            yield offsets[0], offsets[-1] + 1


def _within(leaves: list[Region], start: int, end: int) -> list[Region]:
    """Return the parts of leaves that are in a span."""
    return [
        replace(leaf, start=max(leaf.start, start), end=min(leaf.end, end))
        for leaf in leaves
        if max(leaf.start, start) < min(leaf.end, end)
    ]


def _panel(disk: Disk, leaves: list[Region], frame: bytes, before: int) -> Iterator[str]:
    """Yield the bytes of one disk, enlarged.

    Missing bytes are drawn first, in the whole width: so it is the same in many positions.
    """
    cells = _cells(len(frame))
    place = (svg.MARGIN, PANEL, len(frame) * cells.width, cells.height)
    if disk.sort == "cut short":
        yield svg.box(*place, "none", "wrong", dashed=True)
    elif disk.sort == "garbage":
        yield svg.box(*place, "card", "mark") + svg.hatch(*place, "ink2")
    elif disk.sort != "whole":
        zeros = replace(leaves[0], start=0, end=len(frame), status="unread")
        yield "".join(fields(cells, bytes(len(frame)), [zeros]))
    for start, end, what in parts(disk, frame, before):
        if what == "arrived":
            yield from fields(cells, frame, _within(leaves, start, end))
    yield svg.sign(svg.MARGIN + 10, PANEL - 34, disk.verdict)
    words = f"recovery {GIVES[disk.answer]}"
    yield svg.text(svg.MARGIN + 28, PANEL - 28, words, f"{disk.verdict}-t", bold=True)


def _cells(size: int) -> Cells:
    """Return the cells of the enlarged bytes."""
    width = min(26, int(2 * svg.WIDTH - 4 * svg.MARGIN) // size / 2)
    return Cells(svg.MARGIN, PANEL, size, width, 34)


def _captions(leaves: list[Region], size: int) -> Iterator[str]:
    """Yield the names of fields above the enlarged bytes, where they have room."""
    cells = _cells(size)
    for leaf in leaves:
        part = next(cells.stretches(leaf.start, leaf.end))
        words = leaf.name.rpartition(".")[2]
        words = leaf.kind if words in ("data", "crc") else words
        if svg.measure(words) < part.width:
            yield svg.text(part.x + part.width / 2, PANEL - 6, words, "ink2", anchor="middle")


def _legend(last: Column, disks: list[Disk]) -> Iterator[str]:
    """Yield what the colours mean, and what recovery never answered; below the last column."""
    x, y = last.x, TOP + len(last.disks) * last.pitch + 22
    yield svg.text(x, y, "a row: a disk", "ink2")
    y += 23
    arrived = ("header", "length", "key", "value")
    for tokens, words in [
        (arrived, "arrived"), (("rule",), "zeros"), (("ink2",), "garbage"), ((), "file ends"),
    ]:  # fmt: skip
        for number, token in enumerate(tokens):
            width = 18 / len(tokens)
            yield svg.box(x + number * width, y - 12, width, 14, token, radius=0)
        if not tokens:
            yield svg.box(x + 8, y - 12, 3, 14, "wrong", radius=0)
        yield svg.text(x + 26, y, words, "ink2")
        y += 23
    for answer in BAD:
        number = sum(disk.answer == answer for disk in disks)
        yield svg.text(x, y + 8, f"{number or 'none'} {answer}", bold=True)
        y += 22


def _text(disks: list[Disk], frame: bytes, key: Item, value: Item | None) -> Iterator[str]:
    """Yield the text: the answers, and how many disks of each sort give them."""
    yield f"{_title(disks)}."
    change = f"delete {key!r}" if value is None else f"put {key!r}: {value!r}"
    yield from hanging("", f"Torn: {change}, {count(len(frame), 'byte')} in the log.")
    yield ""
    for _, run in groupby(disks, lambda disk: disk.answer):
        group = [*run]
        sorts = [(sort, len([*same])) for sort, same in groupby(group, lambda disk: disk.sort)]
        listed = ", ".join(f"{sort} {number}" for sort, number in sorts)
        answer = group[0].answer
        yield from hanging("", f"{len(group):,} {answer}: {listed}")
        yield from hanging("    ", group[0].said)
    rest = [f"{sum(disk.answer == one for disk in disks) or 'none'} {one}" for one in BAD]
    yield ", ".join(rest)
