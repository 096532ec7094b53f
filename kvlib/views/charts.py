"""Charts: lines through measured points, on logarithmic axes. One choice is marked at a time."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil, floor, log10
from typing import Final, NamedTuple

from kvlib.views import svg
from kvlib.views.figure import Figure, Position

Number = int | float

LEFT: Final = 104  # of the plots
RIGHT: Final = 704
TOP: Final = 98
HEIGHTS: Final = {1: 216, 2: 100}  # of each plot, by their number
BETWEEN: Final = 52
TOKENS: Final = ("ink", "mark")  # of the lines; their points are circles and squares
APART: Final = 20  # from one number on an axis to the next
SIGN: Final = 5  # half the size of a point
MOST: Final = 120  # choices; a chart of more has a part of them


class Panel(NamedTuple):
    """The columns that share a pair of axes, and their unit."""

    title: str
    columns: tuple[int, ...]


class Scale(NamedTuple):
    """A logarithmic axis: the numbers low and high are at `start` and `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, number: float) -> float:
        """Return the coordinate of a number."""
        part = (log10(number) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return self.start + part * (self.end - self.start)

    @classmethod
    def around(cls, numbers: Sequence[float], start: float, end: float) -> "Scale":
        """Return a scale with a little room around numbers, which are above 0."""
        low, high = min(numbers), max(numbers)
        room = max((high / low) ** 0.06, 1.1)
        return cls(low / room, high * room, start, end)

    def ticks(self) -> list[float]:
        """Return round numbers within the scale, far enough apart for their words."""
        powers = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        digits: tuple[int, ...] = (1, 2, 5)
        step = 1
        while True:
            numbers = [n * 10.0**power for power in powers if not power % step for n in digits]
            found = [number for number in numbers if self.low <= number <= self.high]
            places = [self.at(number) for number in found]
            if all(abs(one - other) >= APART for one, other in pairwise(places)):
                return found
            digits, step = (1,), step if len(digits) > 1 else 2 * step


def shown(number: Number) -> str:
    """Return a figure in words, with three digits or more."""
    if isinstance(number, int):
        return f"{number:,}"
    return f"{number:,.1f}" if number >= 100 else f"{number:#.3g}"


def draw(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Number]],
    panels: Sequence[Panel],
    sentences: Sequence[str],
    text: str,
    folded: tuple[tuple[str, str], ...],
) -> Figure:
    """Return a chart. The first column is the horizontal axis.

    Args:
        title: what is to be seen.
        columns: the headings.
        rows: a row of numbers for each choice, in rising order; all are above 0.
        panels: one or two, from top to bottom, each with one or two columns.
        sentences: what is true, for each row.
        text: the text form.
        folded: details.
    """
    step = -(-len(rows) // MOST)
    chosen = sorted({*range(0, len(rows), step), len(rows) - 1})
    rows, sentences = [rows[at] for at in chosen], [sentences[at] for at in chosen]
    across = Scale.around([row[0] for row in rows], LEFT, RIGHT)
    height = HEIGHTS[len(panels)]
    bottom = TOP + len(panels) * (height + BETWEEN) - BETWEEN
    fixed = [*_axis(columns[0], rows, across, bottom)]
    marks: list[list[str]] = [[] for _ in rows]
    for number, panel in enumerate(panels):
        top = TOP + number * (height + BETWEEN)
        points = [row[at] for row in rows for at in panel.columns]
        down = Scale.around(points, top + height, top)
        fixed += _plot(panel, columns, rows, across, down)
        for row, mark in zip(rows, marks, strict=True):
            mark += _marked(panel, row, rows, across, down)
    edges = [across.at(row[0]) for row in rows]
    positions = []
    for row, x, mark, says in zip(rows, edges, marks, sentences, strict=True):
        spot = (x - 12, TOP, 24, bottom - TOP)
        shapes = (*mark, svg.handle(x, bottom))
        positions.append(Position(shown(row[0]), says, shapes, spot))
    start = len(rows) // 2
    return Figure(
        title, bottom + 66, columns[0], tuple(positions), text, tuple(fixed), start, folded=folded
    )


def _axis(
    name: str, rows: Sequence[Sequence[Number]], across: Scale, bottom: float
) -> Iterator[str]:
    """Yield the horizontal axis: a tick for each choice, and as many numbers as there is room."""
    yield svg.line(LEFT, bottom, RIGHT, bottom, "mark")
    free = 0.0
    for row in rows:
        x, words = across.at(row[0]), shown(row[0])
        half = svg.measure(words) / 2
        yield svg.line(x, bottom, x, bottom + 6, "mark")
        if x - half > free:
            yield svg.text(x, bottom + 27, words, "ink2", anchor="middle")
            free = x + half + 8
    yield svg.text((LEFT + RIGHT) / 2, bottom + 50, name, "ink2", anchor="middle")


def _plot(
    panel: Panel,
    columns: Sequence[str],
    rows: Sequence[Sequence[Number]],
    across: Scale,
    down: Scale,
) -> Iterator[str]:
    """Yield the lines of a panel over its grid, each with its name at its end."""
    yield svg.text(svg.MARGIN, down.end - 18, panel.title, size=18, bold=True)
    for tick in down.ticks():
        y = down.at(tick)
        yield svg.line(LEFT, y, RIGHT, y, "rule", stroke=1.2)
        yield svg.text(LEFT - 10, y + 6, f"{tick:,.12g}", "ink2", anchor="end")
    heights = []
    for token, at in zip(TOKENS, panel.columns, strict=False):
        places = [(across.at(row[0]), down.at(row[at])) for row in rows]
        d = "L".join(f"{svg.number(x)} {svg.number(y)}" for x, y in places)
        yield svg.path(f"M{d}", token, stroke=2.5)
        for x, y in places:
            yield _point(x, y, token)
        heights.append(places[-1][1])
    if len(heights) > 1:
        apart = max(0.0, 22 - abs(heights[0] - heights[1])) / 2  # the names need room
        for at, y in zip(panel.columns, heights, strict=True):
            base = y + 6 + (apart if y == max(heights) else -apart)
            words = (word for word in columns[at].split() if word not in panel.title.split())
            yield svg.text(RIGHT + 6, base, " ".join(words), "ink2", bold=True)


def _point(x: float, y: float, token: str) -> str:
    if token == TOKENS[0]:
        return svg.circle(x, y, SIGN, token)
    return svg.box(x - SIGN, y - SIGN, 2 * SIGN, 2 * SIGN, token, radius=0)


def _marked(
    panel: Panel,
    row: Sequence[Number],
    rows: Sequence[Sequence[Number]],
    across: Scale,
    down: Scale,
) -> Iterator[str]:
    """Yield rings around the points of a row, and their figures where no line runs."""
    x = across.at(row[0])
    yield svg.line(x, down.end, x, down.start, "you", stroke=1.5)
    highest = max(panel.columns, key=lambda at: row[at])
    for at in panel.columns:
        y, words = down.at(row[at]), shown(row[at])
        above = at == highest
        right = (rows[-1][at] < rows[0][at]) == above
        wide = svg.measure(words, bold=True)
        left = x + 12 if right else x - 12 - wide
        left = min(max(left, LEFT + 2), RIGHT + 60 - wide)
        base = y - 9 if above else min(y + 22, down.start - 4)
        yield svg.circle(x, y, 9, "none", "you", 3.2)
        yield svg.box(left - 2, base - 15, wide + 4, 19, "card")
        yield svg.text(left, base, words, "you-t", bold=True)
