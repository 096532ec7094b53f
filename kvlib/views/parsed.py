"""The same bytes twice: as they were written, and as a parser read them."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from kvlib.layout.dissect import Layout
from kvlib.layout.regions import Region
from kvlib.layout.text import fit
from kvlib.plural import count
from kvlib.views import svg
from kvlib.views.cells import Cells, clipped, fields, letters, visible
from kvlib.views.figure import Figure, Position
from kvlib.views.html import as_html
from kvlib.views.timeline import Verdict

COLUMNS: Final = 28
MOST: Final = 2 * COLUMNS  # bytes in the picture
LEFT: Final = svg.MARGIN + 76
READ: Final = 62  # from a row as it was written to the same row as it was read
WRAP: Final = 76  # characters in a line of text
WORDS: Final[dict[Verdict, str]] = {
    "right": "the record comes back",
    "wrong": "wrong records, and no error",
    "refused": "no record",
}
PARTS: Final = {
    "key": "part of the key",
    "between": "the delimiter after the key",
    "value": "part of the value",
    "after": "the delimiter after the value",
    "rest": "nothing",
}


class Parse(NamedTuple):
    """The parser's answer.

    Attributes:
        verdict: whether the record came back.
        written: the regions of the bytes as they were written; none if that isn't known.
        records: how many records were read.
        at: the first byte that was read as something else, or None.
        looked: says whether the parser looked at the byte with this offset.
    """

    verdict: Verdict
    written: Sequence[Region] = ()
    records: int = 0
    at: int | None = None
    looked: Callable[[int], bool] | None = None


def draw(layout: Layout, got: str, verdict: str, parse: Parse, text: str) -> Figure:
    """Return the picture of a parser at work.

    Args:
        layout: the bytes as they were read.
        got: the parser's result, in words.
        verdict: what came of it.
        parse: more about it.
        text: the text form.
    """
    size = len(layout.data)
    last = max(0, -(-size // COLUMNS) * COLUMNS - MOST)
    start = min(last, (parse.at or 0) // COLUMNS * COLUMNS)
    end = min(size, start + MOST)
    two, known = bool(parse.written), bool(parse.written) and layout.stopped_at is None
    pitch = 176 if known else 132 if two else 78
    cells = Cells(LEFT, 70 if parse.at is None else 92, COLUMNS, 26, 30, pitch)
    seen = [at for at in range(start, end) if parse.looked and parse.looked(at)]
    shapes = [*_rows(cells, layout, parse.written, start, end)]
    if known:
        below = replace(cells, y=cells.y + READ)
        shapes += _records(below, layout.root, start, end)
        shapes.append(_marks(below, [at - start for at in seen]))
    if parse.at is not None:
        shapes += _ring(cells, parse.at, start)
    y = cells.y + cells.rows(end - start) * pitch + 6
    words = WORDS[parse.verdict] + ", by luck" * (parse.verdict == "right" and parse.at is not None)
    shapes.append(svg.sign(svg.MARGIN + 10, y - 6, parse.verdict))
    shapes.append(svg.text(svg.MARGIN + 28, y, words, f"{parse.verdict}-t", bold=True))
    for note in _notes(layout, parse, got, len(seen), (start, end, size)):
        for line in textwrap.wrap(note, WRAP, max_lines=2, placeholder=" …"):
            y += 23
            shapes.append(svg.text(svg.MARGIN + 28, y, line))
    says = f"{verdict[0].upper()}{verdict[1:]}. The parser got {got}."
    return Figure(
        _title(layout, parse),
        y + 18,
        "",
        (Position("", says, tuple(shapes)),),
        text,
        folded=(("Every byte, as the parser read it", as_html(text)),),
    )


def _rows(
    cells: Cells, layout: Layout, written: Sequence[Region], start: int, end: int
) -> Iterator[str]:
    """Yield the bytes: as they were written, if that is known, and below as they were read."""
    data = layout.data[start:end]
    two = bool(written)
    for row in range(cells.rows(len(data))):
        y = cells.y + row * cells.pitch + 20
        if two:
            yield svg.text(svg.MARGIN, y, "written", bold=True)
        yield svg.text(svg.MARGIN, y + READ * two, "read" if two else "bytes", bold=True)
    for region in written:
        yield from _opinion(cells, data, [*clipped(region.leaves(), start, end)])
    below = replace(cells, y=cells.y + READ * two)
    yield from _opinion(below, data, [*clipped(layout.root.leaves(), start, end)])


def _ring(cells: Cells, at: int, start: int) -> Iterator[str]:
    """Yield a ring around a byte in both rows."""
    x, y = cells.at(at - start)
    yield svg.ring(x, y, cells.width, READ + 54)
    anchor: svg.Anchor = "end" if x > svg.WIDTH / 2 else "start"
    x += cells.width * (anchor == "end")
    yield svg.text(x, y - 9, f"byte {at}", "wrong-t", bold=True, anchor=anchor)


def _notes(
    layout: Layout, parse: Parse, got: str, looked: int, window: tuple[int, int, int]
) -> Iterator[str]:
    start, end, size = window
    if parse.at is not None:
        written = _part(parse.written, parse.at)
        read = _part(layout.root.children, parse.at)
        yield f"byte {parse.at}: written as {written}, read as {read}"
    yield fit(f"the parser got {got}", WRAP)
    if parse.looked is not None and looked:
        yield f"▲ {looked} of {count(end - start, 'byte')} looked at: a delimiter may be anywhere"
    if end - start < size:
        yield f"the picture has bytes {start:,} to {end - 1:,} of {size:,}"


def _title(layout: Layout, parse: Parse) -> str:
    if not parse.written:
        return {
            "right": "Your record comes back",
            "wrong": "Your record doesn't come back",
            "refused": "No record comes back",
        }[parse.verdict]
    if parse.verdict == "refused":
        return "The parser can't read this"
    if parse.at is None:
        return f"Each of the {count(len(layout.data), 'byte')} is read as it was written"
    if parse.verdict == "right":
        return "The record comes back, by luck"
    if parse.records != 1:
        return f"Written as one record, read as {parse.records or 'none'}"
    return f"Byte {parse.at} is read as something else"


def _part(regions: Iterable[Region], at: int) -> str:
    """Return in words which part of a record a byte belongs to."""
    leaves = (leaf for region in regions for leaf in region.leaves())
    name = next(leaf.name for leaf in leaves if leaf.start <= at < leaf.end)
    record, _, part = name.rpartition(".")
    number = record.removeprefix("record[").removesuffix("]")
    return PARTS[part] + (f" in record {number}" if number not in ("", "0") else "")


def _opinion(cells: Cells, data: bytes, leaves: Sequence[Region]) -> Iterator[str]:
    """Yield the bytes in the colours of their kinds, and their characters below."""
    yield from fields(cells, data, leaves)
    yield from letters(cells, data, leaves)
    for leaf in leaves:
        if leaf.kind not in ("key", "value"):
            for start, stop, character in _characters(data[leaf.start : leaf.end], leaf.start):
                part = next(cells.stretches(start, stop))
                x, y = part.x + part.width / 2, part.y + cells.height + 18
                yield svg.text(x, y, character, size=15, mono=True, anchor="middle")


def _characters(data: bytes, at: int) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and a visible form of each character."""
    for character in data.decode(errors="replace"):
        size = len(character.encode()) if character != "\N{REPLACEMENT CHARACTER}" else 1
        yield at, at + size, visible(character)
        at += size


def _records(cells: Cells, root: Region, start: int, end: int) -> Iterator[str]:
    """Yield a bracket below each record that was read."""
    for number, record in enumerate(root.children):
        low, high = max(record.start, start), min(record.end, end)
        name = f"record {number}" if record.kind == "group" else "dropped"
        for part in cells.stretches(low - start, high - start):
            y = part.y + cells.height + 44
            x1, x2 = part.x + 3, part.x + part.width - 3
            yield svg.path(
                f"M{svg.number(x1)} {svg.number(y - 5)}v5H{svg.number(x2)}v-5", "mark", stroke=1.5
            )
            words = name if svg.measure(name) < part.width else str(number)
            yield svg.text((x1 + x2) / 2, y + 17, words, "ink2", anchor="middle")


def _marks(cells: Cells, offsets: Iterable[int]) -> str:
    """Return a mark under each of these bytes."""
    d = ""
    for offset in offsets:
        x, y = cells.at(offset)
        d += f"M{svg.number(x + 8)} {svg.number(y + cells.height + 35)}l5 -8l5 8Z"
    return svg.path(d, fill="arc")
