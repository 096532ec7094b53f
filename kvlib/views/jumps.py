"""Lengths as jumps: an arc from each length over the data that it counts.

One length is turned, and the reader asked again: later arcs land elsewhere, or nowhere. The picture
shows the regions that the engine found, and the place where it stopped.
"""

from collections.abc import Iterator
from typing import Final

from kvlib.layout.dissect import Layout
from kvlib.layout.regions import Region
from kvlib.layout.text import fit
from kvlib.views import svg
from kvlib.views.cells import Cells, fields, letters
from kvlib.views.figure import Figure, Position
from kvlib.views.timeline import Timeline

LEFT: Final = svg.MARGIN + 12
TOP: Final = 150  # the y of the first row of bytes
ANSWER: Final = 28  # the height of a reader's answer
WORDS: Final = 68  # columns of an answer
HINT: Final = "Drag the end of the blue arc, or use the arrow keys: the length changes."


def draw(timeline: Timeline) -> Figure:
    """Return a timeline of turned lengths as a figure."""
    layouts = [moment.pictures[0].layout for moment in timeline.moments]
    original = layouts[timeline.start]
    turned = _turned(layouts)
    cells = cells_of(len(original.data))
    bottom = TOP + cells.rows(len(original.data)) * cells.pitch - 34
    positions = []
    for number, layout in enumerate(layouts):
        leaves = [*layout.root.leaves()]
        shapes = [*fields(cells, layout.data, leaves), *letters(cells, layout.data, leaves)]
        if number != timeline.start:
            shapes += _landed(cells, original, turned)
        shapes += _arcs(cells, leaves, turned)
        shapes += _answers(timeline, number, layout, bottom)
        told = [f"{words}." for words in _told(timeline, number, layout)]
        label, spot = timeline.moments[number].label, _spot(cells, leaves, turned)
        positions.append(Position(label, " ".join(told), tuple(shapes), spot))
    return Figure(
        "A length is a jump: the reader lands where it says",
        bottom + ANSWER * len(timeline.strips) + 14,
        timeline.control,
        tuple(positions),
        repr(timeline),
        (svg.text(svg.MARGIN, 74, HINT, "ink2"),),
        timeline.start,
        moves=(1, -1),
        folded=timeline.folded_runs(),
    )


def cells_of(size: int) -> Cells:
    """Return the cells for so many bytes: a few are drawn larger."""
    columns = max(16, min(30, size))
    return Cells(LEFT, TOP, columns, (svg.WIDTH - 2 * LEFT) / columns, pitch=118)


def _turned(layouts: list[Layout]) -> int:
    """Return the offset of the byte that differs between the moments; the first, if none does."""
    pairs = enumerate(zip(layouts[0].data, layouts[-1].data, strict=True))
    return next((at for at, (one, other) in pairs if one != other), 0)


def _of(leaves: list[Region], turned: int) -> Region | None:
    """Return the length that contains the turned byte, if it counts something."""
    inside = (leaf for leaf in leaves if leaf.start <= turned < leaf.end)
    return next((leaf for leaf in inside if leaf.kind == "length" and leaf.governs), None)


def _spot(
    cells: Cells, leaves: list[Region], turned: int
) -> tuple[float, float, float, float] | None:
    """Return where the turned length lands: there the pointer takes hold of its arc."""
    leaf = _of(leaves, turned)
    if leaf is None or not leaf.governs or leaf.governs[1] - leaf.end != leaf.value:
        return None
    *_, last = [None, *cells.stretches(*leaf.governs)]
    x, y = (last.x + last.width, last.y) if last else cells.at(leaf.end)
    return x - 1, y - 20, 2, cells.height + 20


def _arcs(cells: Cells, leaves: list[Region], turned: int) -> Iterator[str]:
    """Yield an arc for each length that the reader followed, and the handle of the turned one."""
    mine = _of(leaves, turned)
    for leaf in leaves:
        if leaf.kind == "length" and leaf.governs and leaf.status != "unread":
            edge = "you" if leaf is mine else "arc"
            yield from arc(cells, leaf.end, leaf.governs[1], str(leaf.value), edge)
    x, y = cells.at(turned)
    yield svg.box(x, y, cells.width, cells.height, "none", "you", stroke=3.2)
    if spot := _spot(cells, leaves, turned):
        yield svg.handle(spot[0] + 1, spot[1] + 15)


def _landed(cells: Cells, original: Layout, turned: int) -> Iterator[str]:
    """Yield where the jump landed before its length was turned."""
    leaf = _of([*original.root.leaves()], turned)
    if leaf and leaf.governs:
        yield from arc(cells, leaf.end, leaf.governs[1], "", "mark", dashed=True)


def _answers(timeline: Timeline, number: int, layout: Layout, y: float) -> Iterator[str]:
    """Yield a line for each reader, with the sign of its verdict."""
    outcomes = timeline.moments[number].outcomes
    for at, words in enumerate(_told(timeline, number, layout)):
        base, x = y + at * ANSWER, svg.MARGIN + 22
        yield svg.sign(x, base - 6, outcomes[at].verdict)
        yield svg.text(x + 18, base, fit(words, WORDS), f"{outcomes[at].verdict}-t")


def _told(timeline: Timeline, number: int, layout: Layout) -> Iterator[str]:
    """Yield each reader's answer. The layout says where kvlib's own, the last one, stopped."""
    outcomes = timeline.moments[number].outcomes
    for name, (verdict, words) in zip(timeline.strips, outcomes, strict=True):
        if name == timeline.strips[-1] and verdict == "refused":
            words = f"offset {layout.stopped_at}: {layout.reason}"
        before = {"right": "", "refused": "refused: ", "wrong": "wrong, and no error: "}
        yield f"{name}: {before.get(verdict, '')}{words}"


def arc(
    cells: Cells, start: int, end: int, words: str, edge: str = "arc", *, dashed: bool = False
) -> Iterator[str]:
    """Yield a jump over data[start:end]; over several rows, one for each."""
    parts = [*cells.stretches(start, end)]
    for part in parts:
        x1, x2, y = part.x, part.x + part.width, part.y - 3
        rise = min(38.0, 12 + (x2 - x1) / 6)
        middle = (x1 + x2) / 2
        place = [svg.number(n) for n in (x1, y, middle, y - 2 * rise, x2 - 2, y - 5)]
        yield svg.path("M{} {}Q{} {} {} {}".format(*place), edge, stroke=2.5, dashed=dashed)
        if part is parts[-1] and not dashed:
            yield svg.path(f"M{svg.number(x2)} {svg.number(y)}l-10 -5l9 -5Z", fill=edge)
        if words:
            yield svg.text(middle, y - rise - 6, words, edge, bold=True, anchor="middle")
