"""Any bytes, annotated: each field has a place in the picture, and a sentence."""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from textwrap import wrap
from typing import Final

from kvlib.errors import FormatError, TornError
from kvlib.layout.dissect import Layout, walk_again
from kvlib.layout.regions import Region, Span
from kvlib.layout.text import COLUMNS, MARKS, Entry, entries, fit, flaw, meaning, width
from kvlib.plural import count
from kvlib.views import svg
from kvlib.views.brackets import name_of, structure
from kvlib.views.figure import Figure, Position
from kvlib.views.grid import BASE, CELL, HIGH, Grid, digits_of, legend, picture

TITLE: Final = 52  # columns
REASON: Final = 74  # columns of a line that says why reading stopped
STATUSES: Final = {"torn": "torn off by a crash", "unread": "not read"}


def annotated(
    layout: Layout,
    text: str,
    windows: Sequence[Span] | None = None,
    wrong: int | None = None,
) -> Figure:
    """Return a figure of bytes, in which one chooses a field.

    Args:
        layout: the bytes and their regions.
        text: the figure as text.
        windows: the spans to show, in order and in whole rows; by default everything.
        wrong: the offset of a byte to mark as wrong; then there is nothing to choose.
    """
    data, pieces, error = layout.data, layout.root.children, None
    try:
        [*walk_again(layout)]
    except FormatError as found:
        error = found
    all_leaves = [leaf for piece in pieces for leaf in piece.leaves()]
    extra = wrong == len(data) or any(leaf.start == leaf.end == len(data) for leaf in all_leaves)
    grid = Grid(len(data), windows or [(0, len(data))], extra)
    shown = [entry for entry in entries(pieces) if grid.spots(entry.leaf)]
    leaves = [entry.leaf for entry in shown]
    drawn, y = _reason(error, len(data), grid.bottom + 4)
    colours, y = legend(leaves, y + 6)
    digits = digits_of(len(data))
    positions = tuple(_position(grid, entry, digits, error) for entry in shown) or (NOTHING,)
    start = _start(leaves, error)
    if wrong is not None:
        left, top = grid.place(wrong) or (0.0, 0.0)
        ring = svg.ring(left + 1, top, CELL - 2, HIGH)
        positions, start = (Position(f"{wrong:0{digits}X}", "Wrong from here on.", (ring,)),), 0
    return Figure(
        title(layout.source, len(data), pieces),
        y + 14,
        "bytes",
        positions,
        text,
        (*picture(grid, data, leaves), *structure(grid, pieces), *drawn, *colours),
        start,
        (1, 0),
        folded=(("Every part", table(shown, digits)),) if shown else (),
        dense=wrong is None,
    )


NOTHING: Final = Position("none", "There is nothing to read.")


def title(source: str, size: int, pieces: Sequence[Region]) -> str:
    """Return how many bytes there are and which pieces they form, if there is room."""
    names = [piece.name.partition("[")[0].replace("_", " ") for piece in pieces]
    parts = [
        count(number, name) if number > 1 else f"{_article(name)} {name}"
        for name, number in ((name, names.count(name)) for name in dict.fromkeys(names))
    ]
    listed = ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + "".join(parts[-1:])
    bytes_ = count(size, "byte")
    whole = f"{bytes_}: {listed}" if listed else bytes_
    before = f"{source}, " if source else ""
    choices = (before + whole, before + bytes_)
    return next((words for words in choices if width(words) <= TITLE), fit(before + bytes_, TITLE))


def _article(name: str) -> str:
    return "the" if name == "rest" else "an" if name[0] in "aeiou" else "a"


def _reason(error: FormatError | None, size: int, y: float) -> tuple[list[str], float]:
    """Return where and why the engine stopped, from y on, and the y below it."""
    if error is None:
        return [], y
    torn = isinstance(error, TornError)
    words = flaw(error, size).removeprefix(MARKS["torn" if torn else "bad"]).strip()
    room = REASON if width(words) == len(words) else REASON // 2
    lines = wrap(words, room, max_lines=4, placeholder=" …")
    x = svg.MARGIN
    if torn:
        sign = svg.box(x, y + 4, 20, 20, "wrong-p", "wrong") + svg.hatch(x, y + 4, 20, 20)
    else:
        sign = svg.sign(x + 10, y + 15, "refused")
    ink = "wrong-t" if torn else "refused-t"
    texts = [
        svg.text(x + 30, y + BASE + 24 * number, line, ink) for number, line in enumerate(lines)
    ]
    return [sign, *texts], y + 24 * len(lines) + 8


def _start(leaves: Sequence[Region], error: FormatError | None) -> int:
    """Return the leaf to show first: the flaw, or a length right before what it counts."""
    flawed = [at for at, leaf in enumerate(leaves) if leaf.status in ("bad", "torn")]
    counted = [
        at
        for at, leaf in enumerate(leaves[:-1])
        if leaf.kind == "length"
        and leaves[at + 1].kind in ("key", "value")
        and leaf.governs == (leaves[at + 1].start, leaves[at + 1].end)
        and leaves[at + 1].start < leaves[at + 1].end
    ]
    return (flawed or [0] if error else counted or [0])[0]


def _position(grid: Grid, entry: Entry, digits: int, error: FormatError | None) -> Position:
    leaf = entry.leaf
    shapes: tuple[str, ...] = ()
    if leaf.governs:
        shapes = grid.outline(*leaf.governs)
    says = sentence(entry, error, outlined=bool(leaf.governs and leaf.governs[0] < leaf.governs[1]))
    return Position(place_of(leaf, digits), says, shapes, grid.spots(leaf), "part")


def place_of(leaf: Region, digits: int) -> str:
    """Return a leaf's first and last offset, in hexadecimal."""
    first = f"{leaf.start:0{digits}X}"
    return f"{first}-{leaf.end - 1:0{digits}X}" if leaf.end > leaf.start + 1 else first


def sentence(entry: Entry, error: FormatError | None, *, outlined: bool = False) -> str:
    """Return a leaf's name, kind, place and meaning as one sentence.

    Its clauses recur from leaf to leaf, which keeps the figure small.
    """
    leaf, name = entry.leaf, name_of(entry.name)
    kind = "" if leaf.kind in (*name.split(), "gap") else f" ({leaf.kind})"
    clauses = [f"{name[0].upper()}{name[1:]}{kind}"]
    if entry.heading:
        clauses.append(f"in {name_of(entry.heading.partition(':')[0])}")
    if leaf.status == "ok":
        clauses.append(" ".join(meaning(leaf).split()))
        if outlined:
            clauses.append("outlined")
    elif leaf.status == "bad":
        clauses.append(f"reading stops here: {error.reason}" if error else "reading stops here")
    else:
        clauses.append(STATUSES[leaf.status])
    if leaf.start == leaf.end and leaf.kind != "gap":
        clauses.append("no bytes")
    return ", ".join(filter(None, clauses)).rstrip(".") + "."


def table(shown: Sequence[Entry], digits: int) -> str:
    """Return the parts as an HTML table. End tags that HTML does without are left out."""
    head = "".join(f"<th scope=col>{name}" for name in ("offsets", "kind", "name", "meaning"))
    rows = ""
    for heading, group in groupby(shown, lambda entry: entry.heading):
        if heading:
            rows += (
                f"<tr><th colspan=4 scope=rowgroup><strong>{escape(heading, quote=False)}</strong>"
            )
        for _, name, leaf in group:
            mark = f"{MARKS[leaf.status].strip()} {leaf.kind}".strip()
            words = fit(" ".join(meaning(leaf).split()), 2 * COLUMNS)
            rows += (
                f"<tr><th scope=row>{place_of(leaf, digits)}<td>{mark}"
                f"<td>{escape(name, quote=False)}<td>{escape(words, quote=False)}"
            )
    return f"<table><caption>What the bytes mean</caption><tr>{head}{rows}</table>"
