"""Show the marks of a class as a table, and as a CSV for a spreadsheet. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from kvlib.layout.text import width
from kvlib.lessons.catalogue import EXERCISES

RIGHT, WRONG, UNTRIED = "right", "wrong", "not tried yet"
HIDDEN: Final = "right, but not for a hidden test"
MISSING: Final = "not handed in"
UNREAD: Final = "can't be read as a notebook"
DIED: Final = "its Python has died"
SILENT: Final = "no answer"
# Of several states the most informative one counts. Others, such as an error, rank like SILENT.
RANKS: Final = {UNTRIED: 0, UNREAD: 1, SILENT: 2, WRONG: 3, HIDDEN: 4, RIGHT: 5}

HEADINGS: Final = ("exercise", "points")
SIGNS: Final = {WRONG: "0", UNTRIED: "-", MISSING: "."}
LEGEND: Final = "0 not right   - not tried yet   . not handed in   ! see below"
FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
SPACES: Final = "\u00a0\u3000\u200c\u200d"  # they belong to some scripts

States = dict[str, str]  # of one learner, by exercise


def stopped(seconds: float) -> str:
    """Return the state of what was stopped after its time limit."""
    return f"stopped after {seconds:.0f} seconds"


def best(states: Iterable[str]) -> str:
    """Return the state that counts, or MISSING if there are none."""
    return max(states, key=lambda state: RANKS.get(state, RANKS[SILENT]), default=MISSING)


def points(states: Mapping[str, str]) -> int:
    """Return the sum of the points: an exercise gives all of its points or none."""
    return sum(EXERCISES[name].points for name, state in states.items() if state == RIGHT)


def _rows(marks: Mapping[str, States]) -> Iterator[tuple[str, int, list[str]]]:
    """Yield each exercise with its points and the learners' states."""
    for name, exercise in EXERCISES.items():
        yield name, exercise.points, [states[name] for states in marks.values()]


def _totals(marks: Mapping[str, States]) -> list[object]:
    return ["total", points(dict.fromkeys(EXERCISES, RIGHT)), *map(points, marks.values())]


def table(marks: Mapping[str, States]) -> str:
    """Return a table of points, exercise by learner, and the states that have no sign in it."""
    rows: list[list[object]] = [[*HEADINGS, *map(printable, marks)]]
    for name, worth, states in _rows(marks):
        signs = SIGNS | {RIGHT: f"{worth}"}
        rows.append([name, worth, *(signs.get(state, "!") for state in states)])
    rows.append(_totals(marks))
    widths = [max(width(f"{cell}") for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        spaces = [" " * (room - width(f"{cell}")) for cell, room in zip(row, widths, strict=True)]
        others = (f"  {space}{cell}" for space, cell in zip(spaces[1:], row[1:], strict=True))
        lines.append(f"{row[0]}{spaces[0]}{''.join(others)}")
    lines += ["", LEGEND]
    for learner, own in marks.items():
        for state in dict.fromkeys(own.values()):
            if state not in {RIGHT, *SIGNS}:
                names = ", ".join(name for name in own if own[name] == state)
                lines.append(printable(f"! {learner}, {names}: {state}"))
    return "\n".join(lines)


def as_csv(marks: Mapping[str, States]) -> str:
    """Return a row for each exercise, with a column of points for each learner, then of states.

    So the numbers are one block that a spreadsheet can add up.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    learners = list(_headings(marks))
    writer.writerow([*HEADINGS, *learners, *(f"{learner}: state" for learner in learners)])
    for name, worth, states in _rows(marks):
        own = (worth if state == RIGHT else 0 for state in states)
        writer.writerow([name, worth, *own, *map(harmless, states)])
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


def printable(text: str) -> str:
    r"""Return a text, such as a file's name, as one line of valid UTF-8.

    >>> print(printable("Žofie 李"), printable("a\nb\udcff"))
    Žofie 李 a\nb\udcff
    """
    return "".join(
        char if char.isprintable() or char in SPACES else repr(char)[1:-1] for char in text
    )
