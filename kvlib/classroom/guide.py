"""Write the tables in the guide for teachers from the data of the exercises."""

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, Final

from kvlib.classroom.marks import most_points
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise
from kvlib.lessons.result import short

WAYS: Final = {
    "predict": "predict",
    "order": "order the lines",
    "function": "write a function",
    "functions": "write functions",
}


def renewed(guide: str) -> str:
    """Return the guide with a new table between each `<!-- made: NAME -->` and `<!-- end -->`.

    Raises:
        ValueError: there is no table with that name.
    """
    return re.sub(r"(<!-- made: (\w+) -->).*?(<!-- end -->)", _renewed, guide, flags=re.DOTALL)


def _renewed(found: re.Match[str]) -> str:
    start, name, end = found.groups()
    if name not in TABLES:
        raise ValueError(f"`{start}`: no such table; there are {', '.join(TABLES)}")
    return "\n".join([start, *TABLES[name](), end])


def points() -> Iterator[str]:
    """Yield a table of each exercise's objective, minutes and points, with sums per notebook."""
    yield from (
        "",
        "| exercise | afterwards one can | how | minutes | points |",
        "|---|---|---|--:|--:|",
    )
    for number, group in groupby(EXERCISES.values(), lambda one: one.name[:2]):
        exercises = list(group)
        for one in exercises:
            yield _row(f"`{one.name}`", one.objective, WAYS[one.kind], one.minutes, one.points)
        minutes = sum(one.minutes for one in exercises)
        worth = sum(one.points for one in exercises)
        yield _row(f"**notebook {int(number)}**", "", "", f"**{minutes}**", f"**{worth}**")
    yield _row("**all**", "", "", "", f"**{most_points()}**")
    yield ""


def mistakes() -> Iterator[str]:
    """Yield a table per exercise of the wrong answers that its check knows, and their feedback."""
    for exercise in EXERCISES.values():
        yield from (
            "",
            f"### {exercise.name}",
            "",
            "| the answer | what the check says |",
            "|---|---|",
        )
        for mistake in exercise.mistakes:
            yield _row(_answer(exercise, mistake.answer), mistake.sentence)
    yield ""


def _answer(exercise: Exercise, answer: Any) -> str:
    """Return a mistake's name, or the wrong value itself."""
    if callable(answer):
        return str(answer.__name__).replace("_", " ")
    return f"`{short(answer, 80)}`"


def _row(*cells: object) -> str:
    escaped = (str(cell).replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


TABLES: Final[dict[str, Callable[[], Iterator[str]]]] = {"points": points, "mistakes": mistakes}
