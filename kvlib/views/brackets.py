"""The structure of bytes: a bracket in the margin for each piece, and a line between two pieces."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from kvlib.layout.regions import Region
from kvlib.layout.text import ROW, fit
from kvlib.plural import count
from kvlib.views import svg
from kvlib.views.cells import visible
from kvlib.views.grid import HIGH, LEFT, RIGHT, Grid, digits_of

LINE: Final = 20  # from one line of a label to the next


class Bracket(NamedTuple):
    """A piece, and where its bracket begins and ends."""

    piece: Region
    top: float
    bottom: float


def brackets(grid: Grid, pieces: Sequence[Region]) -> list[Bracket]:
    """Return the brackets of the pieces that are shown; pieces in one row share its height."""
    there = [piece for piece in pieces if piece.start < piece.end]
    shares: dict[float, list[Region]] = {}
    for piece in there:
        for part in grid.parts(piece.start, piece.end):
            shares.setdefault(part.y, []).append(piece)
    ends: dict[int, tuple[float, float]] = {}
    for y, inside in shares.items():
        high = HIGH / len(inside)
        for number, piece in enumerate(inside):
            top = ends.get(piece.start, (y + number * high, 0.0))[0]
            ends[piece.start] = (top, y + (number + 1) * high)
    return [Bracket(piece, *ends[piece.start]) for piece in there if piece.start in ends]


def structure(grid: Grid, pieces: Sequence[Region]) -> Iterator[str]:
    """Yield the brackets with their labels, and the stepped lines."""
    # Offsets are right-aligned and have at least four digits.
    x = LEFT - 10 - 10.3 * digits_of(grid.size) - 14
    d, labels = "", list[str]()
    free = 0.0
    for piece, top, bottom in brackets(grid, pieces):
        top, bottom = top + 1, bottom - 1
        d += f"M{svg.number(x)} {svg.number(top)}h-8V{svg.number(bottom)}h8"
        lines = _label(piece, int((x - 18 - svg.MARGIN) / 10.3))
        lines = lines[: max(1, int((bottom - top + 4) / LINE))]
        first = (top + bottom) / 2 + 6 - (len(lines) - 1) * LINE / 2
        if first - 14 < free:
            continue  # there is no room; its sentence names it
        for number, words in enumerate(lines):
            place = (x - 18, first + number * LINE)
            ink = "ink2" if number else "ink"
            labels.append(
                svg.text(*place, words, ink, bold=not number and len(words) < 9, anchor="end")
            )
        free = first + (len(lines) - 1) * LINE + 3
    if d:
        yield svg.path(d, "mark")
    yield from labels
    steps = "".join(_step(grid, after.start) for _, after in pairwise(pieces) if after.start)
    if steps:
        yield svg.path(steps, "mark", stroke=1.2)


def _step(grid: Grid, offset: int) -> str:
    """Return the line before an offset: over the rest of its row, and under what is before it."""
    row = offset // ROW * ROW
    if row not in grid.rows or offset >= grid.size:
        return ""
    top = svg.number(grid.rows[row] - 3)
    line = f"M{RIGHT + 2} {top}H"
    if offset == row:
        return f"{line}{LEFT - 2}"
    x = svg.number(grid.x(offset))
    return f"{line}{x}v{HIGH + 6}H{LEFT - 2}"


def _label(piece: Region, columns: int) -> list[str]:
    """Return a piece's name, its content if that is a word or two, and its size."""
    lines = [name_of(piece.name)]
    leaves = [*piece.leaves()]
    keys = [leaf for leaf in leaves if leaf.kind == "key" and leaf.status == "ok"]
    operations = [leaf.note for leaf in leaves if leaf.name.endswith("operation") and leaf.note]
    if len(keys) == 1:
        key = keys[0].value
        shown = "".join(map(visible, key)) if isinstance(key, str) else repr(key)
        lines.append(" ".join([*operations[:1], shown]))
    elif keys:
        lines.append(count(len(keys), "change" if operations else "record"))
    lines.append(count(piece.end - piece.start, "byte"))
    return [fit(line, columns) for line in lines]


def name_of(path: str) -> str:
    """Return a region's path in words: "mutation 0 of frame 1"."""
    words = [step.replace("[", " ").replace("]", "").replace("_", " ") for step in path.split(".")]
    return " of ".join(reversed(words))
