"""Grade a folder of learners' notebooks without nbgrader.

Each call of kvlib's check that runs is recorded, and the best result counts. Where an exercise's
check doesn't run, we check the object that the learner's code has made. Stored outputs are never
read.
"""

import json
import os
import re
import stat
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from kvlib.classroom.marks import RIGHT, UNREAD, States, best, points, printable
from kvlib.classroom.notebooks import check_call
from kvlib.classroom.runner import Finding, run
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.source_code import solved

SECONDS: Final = 300.0  # per notebook
LARGEST: Final = 32 * 2**20  # bytes of a notebook
# In a line of code that has no text or comment before it.
CHECK: Final = re.compile(r"""^[^#'"\n]*\bcheck\(\s*['"]([\w-]+)['"]""", re.MULTILINE)
WARNING: Final = """\
This runs the code in {notebooks} notebooks of {learners} learners, on this computer and with your
rights: it can read, change and send whatever you can. Do it where there is nothing to lose, such as
a virtual machine or a container."""


class Cell(NamedTuple):
    """The id and the source of a code cell."""

    id: str
    source: str


class HandedIn(NamedTuple):
    """A file that a learner has handed in: its code cells, or why it can't be read."""

    path: Path
    cells: list[Cell]
    problem: str = ""


def collect(folder: Path) -> dict[str, list[Path]]:
    """Return each learner's notebooks: FOLDER/<learner>.ipynb, and all below FOLDER/<learner>/.

    Raises:
        OSError: a folder can't be listed.
    """
    found: dict[str, list[Path]] = {}
    for place, folders, files in os.walk(folder, onerror=_fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(place, name) for name in sorted(files) if not name.startswith(".")):
            if path.suffix.lower() == ".ipynb":
                top = path.relative_to(folder).parts[0]
                learner = path.stem if top == path.name else top
                found.setdefault(learner, []).append(path)
    return dict(sorted(found.items()))


def _fail(error: OSError) -> NoReturn:
    raise error


def read(path: Path) -> HandedIn:
    """Read a notebook. Only what grading needs must be valid, so stored outputs can be anything."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe could block forever
            raise ValueError("it is not a readable file")
        if status.st_size > LARGEST:
            raise ValueError(f"it is larger than {LARGEST // 2**20} MB")
        cells = json.loads(path.read_bytes())["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        return HandedIn(path, [Cell(f"{one.get('id')}", "".join(one["source"])) for one in code])
    except Exception as error:  # anything can be wrong with the file
        return HandedIn(path, [], f"{type(error).__name__}: {error!s:.80}")


def grade_learner(
    learner: str,
    work: Sequence[HandedIn],
    hidden: Mapping[str, str],
    seconds: float,
    say: Callable[[str], object],
) -> States:
    """Run a learner's notebooks, and return the best state of each exercise.

    Args:
        learner: the learner's name.
        work: the notebooks.
        hidden: a teacher's own tests by exercise: see editions.hidden_tests.
        seconds: the time limit for each notebook.
        say: called with a line about each notebook.

    Raises:
        ClassroomError: no notebook can be run.
    """
    found = []
    for one in work:
        if one.problem:
            number = re.split(r"\D", one.path.name)[0]  # of the notebook that it may be
            states = {name: UNREAD for name in EXERCISES if name.startswith(f"{number}-")}
            states = states or dict.fromkeys(EXERCISES, UNREAD)
            result = f"{UNREAD}: {one.problem}"
        else:
            states = grade_notebook(one.cells, hidden, seconds)
            result = f"{points(states)} points"
        say(printable(f"{learner}, {one.path.name}: {result}"))
        found.append(states)
    return {name: best(states[name] for states in found if name in states) for name in EXERCISES}


def grade_notebook(
    cells: Sequence[Cell], hidden: Mapping[str, str] = {}, seconds: float = SECONDS
) -> States:
    """Run a notebook, and return the best state of each exercise in it."""
    checks = checks_after(cells)
    findings, missing = run([cell.source for cell in cells], checks, hidden, seconds)
    found = defaultdict(list)
    for finding in findings:
        found[finding.name].append(finding.state)
    done = {(finding.cell, finding.name) for finding in findings}
    for index, names in enumerate(checks):
        for name in names:
            if (index, name) not in done:
                found[name].append(missing)
    return {name: best(found[name]) for name in EXERCISES if name in found}


def checks_after(cells: Sequence[Cell]) -> list[list[str]]:
    """Return, for each cell, the names of the exercises to check after it.

    They are those whose check it calls. If that was edited or deleted, the exercise is checked
    before the cell where it was, or after the stub.
    """
    found = [[name for name in CHECK.findall(cell.source) if name in EXERCISES] for cell in cells]
    index = {cell.id: number for number, cell in enumerate(cells)}
    for name, exercise in EXERCISES.items():
        stub, check = exercise.cells
        place = max(index.get(stub, -1), index.get(check, 0) - 1)
        if place >= 0 and not any(name in names for names in found[place:]):
            found[place].append(name)
    return found


def rejected(hidden: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each hidden test that rejects our own solution, with its error.

    Raises:
        ClassroomError: no notebook can be run.
    """
    start = "from kvlib.lessons import check"
    exercises = [EXERCISES[name] for name in hidden]
    cells = [f"{start}\n{solved(one)}\n{check_call(one)}" for one in exercises]
    findings, missing = run(cells, [[name] for name in hidden], hidden, SECONDS)
    for index, name in enumerate(hidden):
        own = [finding for finding in findings if finding.cell == index]
        last = own[-1] if own else Finding(index, name, missing)
        if last.state != RIGHT:
            yield name, last.error or last.state
