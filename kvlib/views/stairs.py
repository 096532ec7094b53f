"""The stairs of a cut log: where each offset and each number of changes is drawn."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from kvlib.views import svg
from kvlib.views.timeline import Timeline, Verdict

# The picture, from top to bottom: readers, stairs, a lane for each reader that fails, the log.
LEGEND: Final = 76
TOP: Final = 112  # the y of the highest step
BASE: Final = 238  # the y of no change
LANE: Final = 26
RIBBON: Final = 30
HEAD: Final = (40.0, 260.0)  # left of the frames, under the names of the steps
LEFT: Final = 270.0
RIGHT: Final = 822.0
TAIL: Final = 10  # the last step's tread: it has no byte
NAMES: Final = 256.0  # the right edge of the names of the steps
APART: Final = 25  # from one name to the next
COLUMNS: Final = 20  # of a name
THIN: Final = 6  # a stretch that is narrower is a stroke


class Step(NamedTuple):
    """The end of a frame, the number of changes up to there, and the last change in words."""

    end: int
    changes: int
    words: str


class Stretch(NamedTuple):
    """Neighbouring cuts with one verdict, from the first to the last."""

    first: int
    last: int
    verdict: Verdict


class Stairs:
    """Where everything is: offsets along the axis, changes upwards."""

    def __init__(self, timeline: Timeline, steps: Sequence[Step]) -> None:
        self.timeline, self.steps = timeline, steps
        self.layout = timeline.moments[-1].pictures[0].layout
        self.size = len(self.layout.data)
        self.start = steps[0].end
        self.scale = (RIGHT - LEFT) / max(1, self.size - self.start)
        self.end = RIGHT if self.size > self.start else HEAD[1]
        self.most = steps[-1].changes
        self.levels = [*map(self._level, range(len(timeline.moments)))]
        self.lanes = [
            strip
            for strip in range(len(timeline.strips))
            if any(
                one.verdict == "refused" or (one.verdict == "wrong" and self.in_head(one))
                for one in self.stretches(strip)
            )
        ]
        self.ribbon = BASE + 16 + LANE * len(self.lanes)
        self.handle = self.ribbon + RIBBON + 16

    def _level(self, cut: int) -> int | None:
        """Return the last step whose bytes are all there, or None if not even the head is whole."""
        there, data = self.timeline.moments[cut].pictures[0].layout.data, self.layout.data
        ends = (step.end for step in self.steps)
        whole = (number for number, end in enumerate(ends) if there[:end] == data[:end])
        return max(whole, default=None)

    def x(self, offset: float) -> float:
        """Return where an offset is. The head has another scale."""
        if offset < self.start:
            return HEAD[0] + (HEAD[1] - HEAD[0]) * offset / self.start
        x = LEFT + (offset - self.start) * self.scale
        return round(x) if self.scale < 1 else x  # a shorter number, so that more cuts fit a page

    def y(self, level: int) -> float:
        """Return the height of a step."""
        return BASE - (BASE - TOP) * self.steps[level].changes / max(1, self.most)

    def lane(self, strip: int) -> float:
        """Return the upper edge of the lane of a reader that refuses, or is wrong in the head."""
        return BASE + 15 + LANE * self.lanes.index(strip)

    def stretches(self, strip: int) -> Iterator[Stretch]:
        """Yield the verdicts on a reader. A stretch doesn't go from the head into the frames."""
        cuts = enumerate(moment.outcomes[strip].verdict for moment in self.timeline.moments)
        for (verdict, _), members in groupby(cuts, lambda pair: (pair[1], pair[0] < self.start)):
            numbers = [number for number, _ in members]
            yield Stretch(numbers[0], numbers[-1], verdict)

    def edges(self, stretch: Stretch) -> tuple[float, float]:
        """Return where a stretch begins and ends: half a byte around its cuts."""
        left, right, half = LEFT, RIGHT, self.scale / 2
        if self.in_head(stretch):
            (left, right), half = HEAD, (HEAD[1] - HEAD[0]) / self.start / 2
        return max(left, self.x(stretch.first) - half), min(right, self.x(stretch.last) + half)

    def in_head(self, stretch: Stretch) -> bool:
        """Return whether a stretch is in the head."""
        return stretch.last < self.start

    @cached_property
    def named(self) -> list[int]:
        """The steps whose names fit: the lowest, the highest, and some between them."""
        highest, chosen = len(self.steps) - 1, [0]
        for level in range(1, highest):
            y = self.y(level)
            if self.y(chosen[-1]) - y >= APART and y - self.y(highest) >= APART:
                chosen.append(level)
        return chosen + [highest] * (self.y(highest) < BASE)

    def along(self, first: int, last: int) -> str:
        """Return a path along the stairs, from one cut to another."""
        d, level = "", None
        for cut in range(first, last + 1):
            now = self.levels[cut] or 0
            x, y = svg.number(self.x(cut)), svg.number(self.y(now))
            d += f"M{x} {y}" if not d else f"H{x}V{y}" if now != level else ""
            level = now
        return f"{d}H{svg.number(self.x(last) + TAIL * (last == self.size))}"

    @cached_property
    def frames(self) -> list[tuple[float, float]]:
        """Where each frame begins and ends."""
        return [(self.x(one.end), self.x(other.end)) for one, other in pairwise(self.steps)]
