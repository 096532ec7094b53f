"""Make the tables in the guide for teachers, from the exercises."""

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final

from kvlib.lessons.catalogue import EXERCISES


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
            yield _row(f"`{one.name}`", one.objective, one.way, one.minutes, one.points)
        sums = sum(one.minutes for one in own), sum(one.points for one in own)
        yield _row(f"**notebook {int(number)}**", "", "", *(f"**{one}**" for one in sums))
    worth = sum(one.points for one in EXERCISES.values())
    yield _row("**all**", "", "", "", f"**{worth}**")
    yield ""


def _row(*cells: object) -> str:
    escaped = (str(cell).replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


PARTS: Final[dict[str, Callable[[], Iterator[str]]]] = {"points": points}
