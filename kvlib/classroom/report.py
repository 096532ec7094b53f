"""Show the marks of a class as a table, and as CSV for a spreadsheet."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from kvlib.classroom.marks import (
    MISSING,
    RIGHT,
    UNTRIED,
    WRONG,
    Mark,
    Marks,
    most_points,
    total,
)
from kvlib.classroom.printable import distinct, harmless, printable
from kvlib.layout.text import width
from kvlib.lessons.catalogue import EXERCISES

HEADINGS: Final = ("exercise", "points")
SIGNS: Final = {WRONG: "0", UNTRIED: "-", MISSING: "."}
LEGEND: Final = "0 not right   - not tried yet   . not handed in   ! see below"


def table(marks: Marks) -> str:
    """Return a table of points, exercise by learner, and then the reasons for missing points."""
    rows = [[*HEADINGS, *map(printable, marks)]]
    for name, exercise in EXERCISES.items():
        signs = [_sign(learner[name]) for learner in marks.values()]
        rows.append([name, f"{exercise.points}", *signs])
    rows.append(["total", f"{most_points()}", *(f"{total(own)}" for own in marks.values())])
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([*lines, "", LEGEND, *_reasons(marks)])


def _sign(mark: Mark) -> str:
    return f"{mark.points}" if mark.state == RIGHT else SIGNS.get(mark.state, "!")


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    """Return a row with its first cell on the left of its column, and the others on the right."""
    spaces = [" " * (room - width(cell)) for cell, room in zip(row, widths, strict=True)]
    numbers = (space + cell for space, cell in zip(spaces[1:], row[1:], strict=True))
    return "  ".join([row[0] + spaces[0], *numbers])


def _reasons(marks: Marks) -> Iterator[str]:
    """Yield a line for each reason that has no sign in the table, with its learner's exercises."""
    for learner, own in marks.items():
        for state in dict.fromkeys(mark.state for mark in own.values()):
            if state not in {RIGHT, *SIGNS}:
                names = (name for name, mark in own.items() if mark.state == state)
                yield printable(f"! {learner}, {', '.join(names)}: {state}")


def as_csv(marks: Marks) -> str:
    """Return a CSV: a row per exercise, a column of points per learner, then a column of states.

    The columns of points are adjacent, so that a spreadsheet can add them up as one block. No two
    headings are the same.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    learners = list(distinct(marks, ("", ": state"), {*HEADINGS}))
    writer.writerow([*HEADINGS, *learners, *(f"{learner}: state" for learner in learners)])
    for name, exercise in EXERCISES.items():
        own = [learner[name] for learner in marks.values()]
        states = (harmless(mark.state) for mark in own)
        writer.writerow([name, exercise.points, *(mark.points for mark in own), *states])
    writer.writerow(["total", most_points(), *map(total, marks.values()), *("" for _ in marks)])
    return file.getvalue()
