"""Labelled bytes as HTML: tables that read without style, and a script that links them.

A view is one <div class="kvlib">: style, tables, data, script. It is complete without its script
(in a notebook that isn't trusted yet) and without its style. Nothing has an id before the script
runs, so that a page may contain a view twice; equal views are equal text.

The pieces of a table are computed once, here, in the form that a timeline sends to its script. So
the first drawing and the script's later drawings have one source.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from kvlib.errors import FormatError
from kvlib.layout.dissect import Layout, walk_again
from kvlib.layout.regions import Region, Span
from kvlib.layout.text import COLOURS, ROW, SHOWN, Entry, entries, flaw, meaning
from kvlib.plural import count

WAIT: Final = "Run this cell to make it interactive."
LETTERS: Final[dict[str, str]] = {kind[0].upper(): kind for kind in COLOURS}
SAID: Final = {"raw": "raw, not taken apart"}  # a longer word for a kind
STATUSES: Final = {
    "bad": "reading stops here",
    "torn": "torn off by a crash",
    "unread": "not read",
    "beyond": "never reached the disk",
}
SIGNS: Final = {"bad": "!!", "torn": "~~", "unread": "?", "beyond": "//"}


class LeafText(NamedTuple):
    """The text of a leaf's line, without its offset. Equal texts are sent once.

    `about` is the span that the leaf governs, relative to its own start.
    """

    size: int
    letter: str
    status: str
    heading: str
    name: str
    meaning: str
    about: Span | None


HtmlMark = tuple[int, int, str]  # start, end, and a word for the span


class Drawing(NamedTuple):
    """The contents of a picture.

    Attributes:
        title: the name of the bytes.
        data: all bytes, those that never arrived included.
        pieces: the pieces of the data that is there, in order; then those of the rest.
        marks: the spans to outline.
        flaw: where the engine stopped, and why; "" if it read everything.
    """

    title: str
    data: bytes
    pieces: tuple[LeafText, ...]
    marks: tuple[HtmlMark, ...] = ()
    flaw: str = ""


def draw(layout: Layout, beyond: bytes = b"", marks: Iterable[HtmlMark] = ()) -> Drawing:
    """Return the drawing of a layout, and of bytes that would follow but aren't there."""
    return drawing(layout.source, layout.data, walk_again(layout), beyond, marks)


def drawing(
    title: str,
    data: bytes,
    regions: Iterable[Region],
    beyond: bytes = b"",
    marks: Iterable[HtmlMark] = (),
) -> Drawing:
    """Return the drawing of regions as they are read, with the error at their end, if any."""
    pieces: list[LeafText] = []
    error_text = ""
    try:
        for entry in entries(regions):
            pieces.append(_piece(entry))
    except FormatError as error:
        error_text = flaw(error, len(data))
    return Drawing(title, data + beyond, tuple(pieces), tuple(marks), error_text)


def _piece(entry: Entry) -> LeafText:
    leaf = entry.leaf
    about = leaf.governs and (leaf.governs[0] - leaf.start, leaf.governs[1] - leaf.start)
    status = "" if leaf.status == "ok" else leaf.status
    text = meaning(leaf).strip()
    letter = leaf.kind[0].upper()
    return LeafText(leaf.end - leaf.start, letter, status, entry.heading, entry.name, text, about)


# ------------------------------------------------------------------------------------------ tables


def picture(
    made: Drawing,
    windows: Sequence[Span] | None = None,
    wait: str = "<p class=say>",
    brief: bool = False,
) -> str:
    """Return the hex grid, and the table of the parts.

    Args:
        made: the drawing.
        windows: the spans to show, in order and in whole rows; by default everything.
        wait: what the script replaces by its controls.
        brief: whether to leave the rows of the table to the script.
    """
    windows = windows or [(0, len(made.data))]
    bodies = f"<tbody><tr><td colspan=5>{WAIT}" if brief else "".join(_bodies(made, windows))
    title = f"{made.title}: " if made.title else ""
    size = count(len(made.data), "byte")
    # Keys scroll the focused element: the table once its script runs, before that its container.
    scroll = f"<div class=scroll{'' if wait else ' tabindex=0'}>"
    return (
        f"<div class=picture>{wait}{scroll}<table class=grid><caption>{escape(title)}"
        f"{size}{CAPTION}</caption>{GRID_HEAD}<tbody>{''.join(grid_rows(made, windows))}"
        f"</table></div><p class=flaw>{escape(made.flaw)}"
        f"<details open><summary>Every part, annotated</summary>{scroll}"
        f"<table class=parts><caption>What the bytes mean</caption>{PARTS_HEAD}"
        f"{bodies}</table></div></details></div>"
    )


CAPTION: Final = f", {ROW} in a row; two digits are one byte"
# Optional end tags are left out, here and below: they would be half of a table.
GRID_HEAD: Final = (
    "<thead><tr><th scope=col>offset<th scope=col>"
    " 0  1  2  3  4  5  6  7   8  9  A  B  C  D  E  F<th scope=col>as characters"
)
PARTS_HEAD: Final = (
    "<thead><tr><th scope=col>offsets<th scope=col>bytes<th scope=col>kind<th scope=col>name"
    "<th scope=col>meaning"
)


def grid_rows(made: Drawing, windows: Sequence[Span]) -> Iterator[str]:
    """Yield the rows of the hex grid, 16 bytes each; bytes with one meaning are one element."""
    digits = _digits(made)
    runs = list(_runs(made))
    first = end = 0
    for start, stop in windows:
        yield from _left_out(start - end)
        for at in range(start, stop, ROW):
            while first < len(runs) and runs[first][1] <= at:
                first += 1
            yield _grid_row(made.data, at, runs, first, digits)
        end = stop
    yield from _left_out(len(made.data) - end)


def _left_out(size: int) -> Iterator[str]:
    if size:
        yield f"<tr><td colspan=3>({count(size, 'byte')} left out here)"


def _grid_row(
    data: bytes, at: int, runs: Sequence[tuple[int, int, str]], first: int, digits: int
) -> str:
    stop = min(at + ROW, len(data))
    hexes = ""
    while first < len(runs) and runs[first][0] < stop:
        low, high = max(runs[first][0], at), min(runs[first][1], stop)
        text = data[low:high].hex(" ").upper()
        if low < at + 8 < high:
            middle = 3 * (at + 8 - low)
            text = f"{text[:middle]} {text[middle:]}"
        gap = "" if low == at else "  " if low == at + 8 else " "
        hexes += f"{gap}<b class={runs[first][2]}>{text}</b>"
        first += 1
    shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data[at:stop])
    return f"<tr><th scope=row>{at:0{digits}X}<td>{hexes}<td>{escape(shown, quote=False)}"


def _runs(made: Drawing) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and classes of bytes that look the same; marks may divide a piece."""
    edges = sorted({edge for start, end, _ in made.marks for edge in (start, end)})
    for at, piece in _placed(made):
        end = at + piece.size
        cuts = [at, *(edge for edge in edges if at < edge < end), end]
        for low, high in pairwise(cuts):
            words = [word for start, stop, word in made.marks if start <= low < stop]
            if low < high:
                yield low, high, _classes(piece, words)


def _bodies(made: Drawing, windows: Sequence[Span]) -> Iterator[str]:
    """Yield the rows of the table of parts, with a <tbody> for each group."""
    digits = _digits(made)
    for heading, group in groupby(_placed(made), lambda placed: placed[1].heading):
        rows = [
            _part_row(made.data, at, piece, digits)
            for at, piece in group
            if any(at < end and at + piece.size > start for start, end in windows)
            or (not piece.size and any(start <= at <= end for start, end in windows))
        ]
        if rows:
            above = f"<tr><th colspan=5 scope=rowgroup>{escape(heading, quote=False)}"
            yield f"<tbody>{above if heading else ''}{''.join(rows)}"


def _placed(made: Drawing) -> Iterator[tuple[int, LeafText]]:
    at = 0
    for piece in made.pieces:
        yield at, piece
        at += piece.size
    if size := len(made.data) - at:
        yield at, LeafText(size, "", "beyond", "", "beyond", STATUSES["beyond"], None)


def _part_row(data: bytes, at: int, piece: LeafText, digits: int) -> str:
    about = ""
    if piece.about:
        about = f" data-about={_span(at + piece.about[0], at + piece.about[1], digits)}"
    hexes = data[at : at + min(piece.size, SHOWN)].hex(" ").upper() or "(none)"
    if piece.size > SHOWN:
        hexes = hexes[:-2] + "…"
    kind = f"{SIGNS.get(piece.status, '')} {piece.letter}".strip()
    return (
        f"<tr{about}><th scope=row>{_span(at, at + piece.size, digits)}<td>{hexes}"
        f"<td class={_classes(piece)}>{kind}<td>{escape(piece.name, quote=False)}"
        f"<td>{escape(piece.meaning, quote=False)}"
    )


def _classes(piece: LeafText, words: Sequence[str] = ()) -> str:
    """Return the value of a class attribute, quoted if necessary."""
    names = [name for name in (piece.letter, piece.status, *words) if name]
    return names[0] if len(names) == 1 else f'"{" ".join(names)}"'


def _span(start: int, end: int, digits: int) -> str:
    first = f"{start:0{digits}X}"
    return f"{first}-{end - 1:0{digits}X}" if end > start + 1 else first


def _digits(made: Drawing) -> int:
    return max(4, 2 * -(-len(f"{max(len(made.data) - 1, 0):X}") // 2))


def legend(drawings: Iterable[Drawing]) -> str:
    """Return the meaning of the letters and signs in a drawing."""
    letters, signs, words = set[str](), set[str](), set[str]()
    for made in drawings:
        letters.update(piece.letter for piece in made.pieces)
        signs.update(piece.status for _, piece in _placed(made))
        words.update(word for _, _, word in made.marks)
    items = [(key, key, SAID.get(kind, kind)) for key, kind in LETTERS.items() if key in letters]
    items += [(sign, SIGNS[sign], text) for sign, text in STATUSES.items() if sign in signs]
    items += [(word, "00", word) for word in sorted(words)]
    spans = [
        f'<span class="{names}">{sign}</span>\N{NO-BREAK SPACE}{text}'
        for names, sign, text in items
    ]
    return f"<p class=legend>{' '.join(spans)}"


# ------------------------------------------------------------------------------------------- pages


def root(
    name: str,
    body: str,
    data: object = None,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
) -> str:
    """Return the element around a view.

    Args:
        name: its class, by which the script finds it.
        body: its contents, without ids and scripts.
        data: data for the script, as anything that json can write.
        styles: files in static/, in addition to view.css.
        scripts: files in static/, run as one.
    """
    style = "".join(_static(file) for file in ("view.css", *styles))
    classes = " ".join(filter(None, ["kvlib", name, "mathjax_ignore"]))
    html = f'<div class="{classes}"><style>{style}</style>{body}'
    if data is not None:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
        html += f'<script type="application/json">{text}</script>'
    if scripts:
        html += f"<script>{{{''.join(_static(file) for file in scripts)}}}</script>"
    return f"{html}</div>"


def as_html(text: str) -> str:
    """Return a text that keeps its columns; the pages that show notebooks restyle a bare <pre>."""
    style = "font-family: monospace; line-height: 1.3; white-space: pre; overflow-x: auto"
    return f'<pre class="kvlib-dump" style="{style}">{escape(text)}</pre>'


@cache
def _static(name: str) -> str:
    """Return a file's text without comments, indentation and unneeded spaces."""
    text = (files("kvlib.views") / "static" / name).read_text(encoding="utf-8")
    if name.endswith(".css"):
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        return re.sub(r"\s*([{};,>])\s*|(?<=:)\s+|\n\s*", r"\1", " ".join(text.split())).replace(
            ";}", "}"
        )
    text = re.sub(r"(?m)^\s*(//.*)?\n|^\s+", "", text)
    return re.sub(QUOTED_OR_SPACED, lambda found: found[1] or found[2], text).replace(";}", "}")


# A string, which is kept, or a sign with the spaces around it, which are dropped. A line break is
# kept unless the line continues.
QUOTED_OR_SPACED: Final = (
    r'("[^"\n]*"|`[^`]*`)| *([*/=<>&|?:,;(){}[\]!]+)(?: |(?<=[{(,;=>?:&|])\n)*'
)
