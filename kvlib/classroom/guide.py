"""Make the tables in the guide for teachers, from the exercises."""

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, Final

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
    """Return the guide with each part between `<!-- made: NAME -->` and `<!-- end -->` made anew.

    Raises:
        ValueError: there is no part with that name.
    """

    def part(found: re.Match[str]) -> str:
        if found[2] not in PARTS:
            raise ValueError(f"`{found[1]}` names no part: there are {', '.join(PARTS)}")
        return "\n".join([found[1], *PARTS[found[2]](), found[3]])

    return re.sub(r"(<!-- made: (\w+) -->).*?(<!-- end -->)", part, guide, flags=re.DOTALL)


def points() -> Iterator[str]:
    """Return a table of each exercise's objective, minutes and points, with sums per notebook."""
    yield from (
        "",
        "| exercise | afterwards one can | how | minutes | points |",
        "|---|---|---|--:|--:|",
    )
    for number, group in groupby(EXERCISES.values(), lambda one: one.name[:2]):
        own = list(group)
        for one in own:
            yield _row(f"`{one.name}`", one.objective, WAYS[one.kind], one.minutes, one.points)
        sums = sum(one.minutes for one in own), sum(one.points for one in own)
        yield _row(f"**notebook {int(number)}**", "", "", *(f"**{one}**" for one in sums))
    worth = sum(one.points for one in EXERCISES.values())
    yield _row("**all**", "", "", "", f"**{worth}**")
    yield ""


def mistakes() -> Iterator[str]:
    """Return the mutation table: each wrong answer that a check knows, and its feedback."""
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


PARTS: Final[dict[str, Callable[[], Iterator[str]]]] = {"points": points, "mistakes": mistakes}
