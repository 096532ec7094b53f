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
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NoReturn

from kvlib.classroom.marks import RIGHT, UNREAD, States, best, points, printable
from kvlib.classroom.runner import run
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise
from kvlib.lessons.source_code import solved

SECONDS: Final = 300.0  # per notebook
LARGEST: Final = 32 * 2**20  # bytes of a notebook
# In a line of code that has no text or comment before it.
CHECK: Final = re.compile(r"""^[^#'"\n]*\bcheck\(\s*['"]([\w-]+)['"]""", re.MULTILINE)
WARNING: Final = """\
This runs the code in {notebooks} notebooks of {learners} learners, on this computer and with your
rights: it can read, change and send whatever you can. Do it where there is nothing to lose, such as
a virtual machine or a container."""


Cells = list[tuple[str, str]]  # the id and the source of each code cell


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


def read(path: Path) -> Cells | str:
    """Return a notebook's code cells, or why it can't be read; other parts of it may be invalid."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe could block forever
            raise ValueError("it is not a readable file")
        if status.st_size > LARGEST:
            raise ValueError(f"it is larger than {LARGEST // 2**20} MB")
        cells = json.loads(path.read_bytes())["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        return [(f"{cell.get('id')}", "".join(cell["source"])) for cell in code]
    except Exception as error:  # anything can be wrong with the file
        return f"{type(error).__name__}: {error!s:.80}"


def grade_learner(
    learner: str,
    work: Mapping[str, Cells | str],
    hidden: Mapping[str, str],
    seconds: float,
    say: Callable[[str], object],
) -> States:
    """Run a learner's notebooks, and return the best state of each exercise.

    `work` has the code cells by file: see `read`. `say` is called with a line about each file.
    """
    found = []
    for file, cells in work.items():
        name = Path(file).name
        if isinstance(cells, str):
            number = re.split(r"\D", name)[0]  # of the notebook that it may be
            own = [one for one in EXERCISES if one.startswith(f"{number}-")]
            states, result = dict.fromkeys(own or EXERCISES, UNREAD), f"{UNREAD}: {cells}"
        else:
            states = grade_notebook(cells, hidden, seconds)
            result = f"{points(states)} points"
        say(printable(f"{learner}, {name}: {result}"))
        found.append(states)
    return {name: best(states[name] for states in found if name in states) for name in EXERCISES}


def grade_notebook(
    cells: Cells, hidden: Mapping[str, str] = {}, seconds: float = SECONDS
) -> States:
    """Run a notebook, and return the best state of each exercise in it."""
    found = defaultdict(list)
    for name, state, _ in results(cells, hidden, seconds):
        found[name].append(state)
    return {name: best(found[name]) for name in EXERCISES if name in found}


def results(
    cells: Cells, hidden: Mapping[str, str], seconds: float
) -> Iterator[tuple[str, str, str]]:
    """Run a notebook, and yield each check's exercise and state, and the error of a hidden test."""
    checks = checks_after(cells)
    findings, missing = run([source for _, source in cells], checks, hidden, seconds)
    for _, name, state, error in findings:
        yield name, state, error
    found = {(cell, name) for cell, name, _, _ in findings}
    for cell, names in enumerate(checks):
        for name in names:
            if (cell, name) not in found:
                yield name, missing, ""


def checks_after(cells: Cells) -> list[list[str]]:
    """Return, for each cell, the names of the exercises to check after it.

    They are those whose check it calls. If that was edited or deleted, the exercise is checked
    before the cell where it was, or after the stub.
    """
    found = [[name for name in CHECK.findall(code) if name in EXERCISES] for _, code in cells]
    index = {cell: number for number, (cell, _) in enumerate(cells)}
    for name, exercise in EXERCISES.items():
        stub, check = exercise.cells
        place = max(index.get(stub, -1), index.get(check, 0) - 1)
        if place >= 0 and not any(name in names for names in found[place:]):
            found[place].append(name)
    return found


def rejected(cells: Cells, hidden: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Run our own solutions, and yield the exercise and the error of each that isn't right."""
    for name, state, error in results(cells, hidden, SECONDS):
        if state != RIGHT:
            yield name, error or state


def check_call(exercise: Exercise) -> str:
    """Return the source of the cell that checks the exercise."""
    return f'check("{exercise.name}", {exercise.handed})'


def solutions(names: Iterable[str]) -> Cells:
    """Return a notebook's cells with nothing but the solutions of these exercises."""
    start = "from kvlib.lessons import check"
    exercises = [EXERCISES[name] for name in names]
    return [("", f"{start}\n{solved(one)}\n{check_call(one)}") for one in exercises]
