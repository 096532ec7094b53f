"""Lengths as jumps: an arc from each length over the data that it counts.

One length is turned, and the reader asked again: later arcs land elsewhere, or nowhere. The picture
has the regions that the engine made of the bytes, and where it stopped.
"""

from collections.abc import Iterator

from kvlib.layout.dissect import Layout
from kvlib.layout.regions import Region
from kvlib.views import svg
from kvlib.views.cells import Cells, fields, letters
from kvlib.views.figure import Figure, Position
from kvlib.views.timeline import Timeline

TOP = 134  # the y of the first row of bytes


def draw(timeline: Timeline) -> Figure:
    """Return a timeline of turned lengths as a figure."""
    layouts = [moment.pictures[0].layout for moment in timeline.moments]
    original = layouts[timeline.start]
    cells = Cells(svg.MARGIN + 12, TOP, pitch=118)
    rows = cells.rows(len(original.data))
    turned = _turned(timeline, original)
    x, y = cells.at(turned)
    positions = []
    for number, layout in enumerate(layouts):
        leaves = [*layout.root.leaves()]
        shapes = [*fields(cells, layout.data, leaves), *letters(cells, layout.data, leaves)]
        if number != timeline.start:
            shapes += _landed(cells, original, turned)
        shapes += _arcs(cells, leaves, turned)
        shapes.append(svg.box(x, y, cells.width, cells.height, "none", "you", stroke=3.2))
        shapes.append(_verdict(timeline, number, TOP + rows * cells.pitch - 10))
        answers = timeline.answers(number)
        positions.append(Position(timeline.moments[number].label, answers, tuple(shapes)))
    hint = svg.text(
        svg.MARGIN, 74, "Turn the length with the blue frame: arrow keys, or Back and Next.", "ink2"
    )
    return Figure(
        "A length is a jump: the reader lands where it says",
        TOP + rows * cells.pitch + 14,
        timeline.control,
        tuple(positions),
        repr(timeline),
        (hint,),
        timeline.start,
        folded=timeline.folded_runs(),
    )


def _turned(timeline: Timeline, original: Layout) -> int:
    """Return the offset of the byte that differs between the moments."""
    other = timeline.moments[timeline.start - 1 if timeline.start else 1].pictures[0].layout
    return next(at for at, byte in enumerate(original.data) if byte != other.data[at])


def _arcs(cells: Cells, leaves: list[Region], turned: int) -> Iterator[str]:
    """Yield an arc for each length that the reader followed."""
    for leaf in leaves:
        if leaf.kind == "length" and leaf.governs and leaf.status != "unread":
            edge = "you" if leaf.start <= turned < leaf.end else "arc"
            yield from arc(cells, leaf.end, leaf.governs[1], str(leaf.value), edge)


def _landed(cells: Cells, original: Layout, turned: int) -> Iterator[str]:
    """Yield where the jump landed before its length was turned."""
    for leaf in original.root.leaves():
        if leaf.kind == "length" and leaf.governs and leaf.start <= turned < leaf.end:
            yield from arc(cells, leaf.end, leaf.governs[1], "", "mark", dashed=True)


def _verdict(timeline: Timeline, number: int, y: float) -> str:
    """Return the last reader's verdict: it is the one that draws the regions."""
    outcome = timeline.moments[number].outcomes[-1]
    token = {"right": "right-t", "refused": "refused-t", "wrong": "wrong-t"}.get(
        outcome.verdict, "ink"
    )
    words = {"right": "right", "refused": "refused", "wrong": "wrong, and no error"}[
        outcome.verdict
    ]
    x = svg.MARGIN + 22
    return svg.sign(x, y - 6, outcome.verdict) + svg.text(x + 18, y, words, token, bold=True)


def arc(
    cells: Cells, start: int, end: int, words: str, edge: str = "arc", *, dashed: bool = False
) -> Iterator[str]:
    """Yield a jump over data[start:end]; over several rows, one for each."""
    parts = [*cells.stretches(start, end)]
    for part in parts:
        x1, x2, y = part.x, part.x + part.width, part.y - 3
        rise = min(38.0, 12 + (x2 - x1) / 6)
        middle = (x1 + x2) / 2
        spell = [svg.number(n) for n in (x1, y, middle, y - 2 * rise, x2 - 2, y - 5)]
        d = "M{} {}Q{} {} {} {}".format(*spell)
        yield svg.path(d, edge, stroke=2.5, dashed=dashed)
        if part is parts[-1] and not dashed:
            tip = "M{} {}l-10 -5l9 -5Z".format(svg.number(x2), svg.number(y))
            yield svg.path(tip, fill=edge)
        if words:
            yield svg.text(middle, y - rise - 6, words, edge, bold=True, anchor="middle")
