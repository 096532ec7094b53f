"""Grade learners' notebooks without nbgrader.

Each notebook runs in its own process and in an empty folder. Each call of kvlib's check there is
recorded, wherever it is and whatever its name. If a check is missing, we check the learner's object
ourselves. The best result counts. Printed output is never read. A learner who patches kvlib itself
can still cheat, because code can change anything in its own process; nbgrader can't prevent that
either.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from kvlib.classroom.marks import UNREAD, LearnerMarks, Mark, best
from kvlib.classroom.printable import printable
from kvlib.classroom.session import SECONDS, run_notebook
from kvlib.classroom.submissions import UnreadableError, read_cells
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise

WARNING: Final = """\
This runs the code in {notebooks} notebooks of {learners} learners, on this computer and with your
rights: it can read, change and send whatever you can. Do it where there is nothing to lose, such as
a virtual machine or a container."""


def grade_learner(
    learner: str,
    paths: Iterable[Path],
    hidden: Mapping[str, str],
    *,
    seconds: float = SECONDS,
    say: Callable[[str], object],
) -> LearnerMarks:
    """Run a learner's notebooks, and return the best mark for each exercise.

    Args:
        learner: the learner's name.
        paths: the notebooks.
        hidden: a teacher's own tests by exercise: see hidden_tests.read_hidden_tests.
        seconds: the time limit for each notebook.
        say: called with a line about each notebook.

    Raises:
        KernelError: no kernel can be started.
    """
    found: list[Mark] = []
    for path in paths:
        name = printable(f"{learner}, {path.name}")
        try:
            marks = grade_notebook(path, hidden, seconds=seconds)
            say(f"{name}: {sum(mark.points for mark in marks)} points")
        except UnreadableError as error:
            marks = [Mark(exercise, UNREAD) for exercise in _expected_in(path)]
            say(f"{name}: {UNREAD}: {printable(str(error))}")
        found += marks
    return {
        name: Mark(exercise, best(mark.state for mark in found if mark.exercise.name == name))
        for name, exercise in EXERCISES.items()
    }


def _expected_in(path: Path) -> list[Exercise]:
    """Return the exercises that an unreadable file may have, judging by the number in its name."""
    number = re.split(r"\D", path.name)[0]
    every = list(EXERCISES.values())
    return [one for one in every if one.name.startswith(f"{number}-")] or every


def grade_notebook(
    path: Path, hidden: Mapping[str, str] = {}, *, seconds: float = SECONDS
) -> list[Mark]:
    """Run a notebook, and return a mark for each exercise in it.

    Raises:
        UnreadableError: the file isn't a notebook.
        KernelError: no kernel can be started.
    """
    results = run_notebook(read_cells(path), hidden, seconds)
    return [
        Mark(exercise, best(results[name]))
        for name, exercise in EXERCISES.items()
        if name in results
    ]
