"""Show the marks of a class as a table, and as a CSV for a spreadsheet. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from kvlib.classroom.files import printable
from kvlib.layout.text import width
from kvlib.lessons.catalogue import EXERCISES

RIGHT, WRONG, UNTRIED = "right", "wrong", "not tried yet"
HIDDEN: Final = "right, but not for a hidden test"
MISSING: Final = "not handed in"
UNREAD: Final = "can't be read as a notebook"
DIED: Final = "its Python has died"
SILENT: Final = "no answer"
# The most informative state counts; others, such as an error, rank like SILENT.
RANKS: Final = {MISSING: 0, UNTRIED: 1, UNREAD: 2, SILENT: 3, WRONG: 4, HIDDEN: 5, RIGHT: 6}

HEADINGS: Final = ("exercise", "points")
SIGNS: Final = {WRONG: "0", UNTRIED: "-", MISSING: "."}
LEGEND: Final = "0 not right   - not tried yet   . not handed in   ! see below"
FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")

States = dict[str, str]  # of one learner, by exercise


def best(found: Iterable[tuple[str, str]]) -> States:
    """Return the most informative state that was found for each exercise."""
    states = dict.fromkeys(EXERCISES, MISSING)
    for name, state in found:
        states[name] = max(states[name], state, key=lambda one: RANKS.get(one, RANKS[SILENT]))
    return states


def points(states: Mapping[str, str]) -> int:
    """Return the sum of the points: an exercise gives all of its points or none."""
    return sum(EXERCISES[name].points for name, state in states.items() if state == RIGHT)


def _totals(marks: Mapping[str, States]) -> list[object]:
    return ["total", points(dict.fromkeys(EXERCISES, RIGHT)), *map(points, marks.values())]


def table(marks: Mapping[str, States]) -> str:
    """Return a table of points, exercise by learner, and the states that have no sign in it."""
    rows: list[list[object]] = [[*HEADINGS, *map(printable, marks)]]
    for name, exercise in EXERCISES.items():
        signs = SIGNS | {RIGHT: f"{exercise.points}"}
        states = (signs.get(own[name], "!") for own in marks.values())
        rows.append([name, exercise.points, *states])
    rows.append(_totals(marks))
    widths = [max(width(f"{cell}") for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        spaces = [" " * (room - width(f"{cell}")) for cell, room in zip(row, widths, strict=True)]
        lines.append(f"{row[0]}{spaces[0]}" + "".join(map("  {}{}".format, spaces[1:], row[1:])))
    lines += ["", LEGEND]
    for learner, own in marks.items():
        for state in dict.fromkeys(own.values()):
            if state not in {RIGHT, *SIGNS}:
                names = ", ".join(name for name in own if own[name] == state)
                lines.append(printable(f"! {learner}, {names}: {state}"))
    return "\n".join(lines)


def as_csv(marks: Mapping[str, States]) -> str:
    """Return a row for each exercise; its numbers are one block, and the states follow them."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    learners = list(_headings(marks))
    writer.writerow([*HEADINGS, *learners, *(f"{learner}: state" for learner in learners)])
    for name, exercise in EXERCISES.items():
        states = [own[name] for own in marks.values()]
        numbers = (points({name: state}) for state in states)
        writer.writerow([name, exercise.points, *numbers, *map(harmless, states)])
    writer.writerow([*_totals(marks), *("" for _ in marks)])
    return file.getvalue()


def _headings(learners: Iterable[str]) -> Iterator[str]:
    """Yield a heading for each learner, so that all columns have different ones."""
    taken = {*HEADINGS}
    for learner in learners:
        heading, number = harmless(learner), 1
        while taken & {heading, f"{heading}: state"}:
            number += 1
            heading = f"{harmless(learner)} ({number})"
        taken |= {heading, f"{heading}: state"}
        yield heading


def harmless(text: str) -> str:
    """Return a text that a spreadsheet doesn't read as a formula."""
    return f"'{printable(text)}" if text.startswith(FORMULA) else printable(text)
