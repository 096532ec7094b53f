"""Write the tables in the guide for teachers from the data of the exercises."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from kvlib.classroom.notebooks import ClassroomError
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.result import short

WAYS: Final = {
    "predict": "predict",
    "order": "order the lines",
    "function": "write a function",
    "functions": "write functions",
}


def renewed(guide: str) -> str:
    """Return the guide with a new table between each `<!-- made: NAME -->` and `<!-- end -->`."""

    def part(found: re.Match[str]) -> str:
        start, name, end = found.groups()
        if name not in PARTS:
            raise ClassroomError(f"`{start}` names no part: there are {', '.join(PARTS)}")
        return "\n".join([start, "", *PARTS[name](), "", end])

    return re.sub(r"(<!-- made: (\w+) -->).*?(<!-- end -->)", part, guide, flags=re.DOTALL)


def _points() -> Iterator[str]:
    """Yield a table of each exercise's objective, minutes and points, with sums per notebook."""
    yield "| exercise | afterwards one can | how | minutes | points |"
    yield "|---|---|---|--:|--:|"
    for number, group in groupby(EXERCISES.values(), lambda one: one.name[:2]):
        own = list(group)
        for one in own:
            yield _row(f"`{one.name}`", one.objective, WAYS[one.kind], one.minutes, one.points)
        sums = sum(one.minutes for one in own), sum(one.points for one in own)
        yield _row(f"**notebook {int(number)}**", "", "", *(f"**{one}**" for one in sums))
    yield _row("**all**", "", "", "", f"**{sum(one.points for one in EXERCISES.values())}**")


def _mistakes() -> Iterator[str]:
    """Yield a table per exercise of the wrong answers that its check knows, and their feedback."""
    for number, exercise in enumerate(EXERCISES.values()):
        yield from [""] * (number > 0)
        yield from (f"### {exercise.name}", "", "| the answer | what the check says |", "|---|---|")
        for mistake in exercise.mistakes:
            name = getattr(mistake.answer, "__name__", "").replace("_", " ")
            yield _row(name or f"`{short(mistake.answer, 80)}`", mistake.sentence)


def _row(*cells: object) -> str:
    escaped = (str(cell).replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


PARTS: Final = {"points": _points, "mistakes": _mistakes}
