"""Show the marks of a class as a table, and as a CSV for a spreadsheet. Pure."""

import csv
import io
import unicodedata
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

ESCAPED: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # breaks a line, reverses it, or isn't text
JOINERS: Final = {"\u200c", "\u200d"}  # needed in some scripts, although they are Cf
FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")

States = dict[str, str]  # of one learner, by exercise


def stopped(seconds: float) -> str:
    """Return the state of an answer, or a notebook, that was stopped after its time limit."""
    return f"stopped after {seconds:.0f} seconds"


def best(states: Iterable[str]) -> str:
    """Return the state that counts, or MISSING if there are none."""
    return max(states, key=lambda state: RANKS.get(state, RANKS[SILENT]), default=MISSING)


def points(states: Mapping[str, str]) -> int:
    """Return the sum of the points: all those of each right exercise, and none of the others."""
    return sum(EXERCISES[name].points for name, state in states.items() if state == RIGHT)


def table(marks: Mapping[str, States]) -> str:
    """Return a table of points, exercise by learner, and the states that have no sign in it."""
    rows = [[*HEADINGS, *map(printable, marks)]]
    for name, exercise in EXERCISES.items():
        shown = SIGNS | {RIGHT: f"{exercise.points}"}
        rows.append([name, shown[RIGHT], *(shown.get(own[name], "!") for own in marks.values())])
    rows.append(["total", *(f"{one}" for one in _totals(marks))])
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(_padded, row, widths, range(len(row)))) for row in rows]
    return "\n".join([*lines, "", LEGEND, *_others(marks)])


def _padded(cell: str, room: int, column: int) -> str:
    spaces = " " * (room - width(cell))
    return f"{spaces}{cell}" if column else f"{cell}{spaces}"


def _totals(marks: Mapping[str, States]) -> list[int]:
    return [points(dict.fromkeys(EXERCISES, RIGHT)), *map(points, marks.values())]


def _others(marks: Mapping[str, States]) -> Iterator[str]:
    for learner, own in marks.items():
        for state in dict.fromkeys(own.values()):
            if state != RIGHT and state not in SIGNS:
                names = ", ".join(name for name in own if own[name] == state)
                yield printable(f"! {learner}, {names}: {state}")


def as_csv(marks: Mapping[str, States]) -> str:
    """Return a row for each exercise, with a column of points for each learner, then of states.

    So the numbers are one block that a spreadsheet can add up.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    learners = list(_headings(marks))
    writer.writerow([*HEADINGS, *learners, *(f"{learner}: state" for learner in learners)])
    for name, exercise in EXERCISES.items():
        states = [own[name] for own in marks.values()]
        numbers = [points({name: state}) for state in states]
        writer.writerow([name, exercise.points, *numbers, *map(harmless, states)])
    writer.writerow(["total", *_totals(marks), *("" for _ in marks)])
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
    shown = printable(text)
    return f"'{shown}" if shown.startswith(FORMULA) else shown


def printable(text: str) -> str:
    r"""Return a text, such as a file's name, as one line of valid UTF-8.

    >>> print(printable("Žofie 李"), printable("a\nb\udcff"))
    Žofie 李 a\nb\udcff
    """
    return "".join(
        char
        if char in JOINERS or unicodedata.category(char) not in ESCAPED
        else char.encode("unicode_escape").decode()
        for char in text
    )
