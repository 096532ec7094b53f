"""Grade a folder of learners' notebooks without nbgrader; the best result of each check counts."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from kvlib.classroom.files import replace
from kvlib.classroom.marks import RIGHT, UNREAD, States, best, points
from kvlib.classroom.notebooks import ClassroomError
from kvlib.classroom.runner import Cells, run
from kvlib.lessons.catalogue import EXERCISES

SECONDS: Final = 300.0  # per notebook
LARGEST: Final = 32 * 2**20  # bytes of a notebook
KEY: Final = "marks of a run that has not ended"


def collect(folder: Path) -> dict[str, list[Path]]:
    """Return each learner's notebooks: FOLDER/<learner>.ipynb, and all below FOLDER/<learner>/."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.ipynb")):
        top, *others = path.relative_to(folder).parts
        if not any(part.startswith(".") for part in (top, *others)):
            found.setdefault(top if others else path.stem, []).append(path)
    return found


def read(path: Path) -> Cells | str:
    """Return a notebook's code cells, or why it can't be read; other parts of it may be invalid."""
    try:
        if not path.is_file():  # reading a pipe could block forever
            raise ValueError("it is not a readable file")
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it is larger than {LARGEST // 2**20} MB")
        cells = json.loads(path.read_bytes())["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        return [(f"{cell.get('id')}", "".join(cell["source"])) for cell in code]
    except Exception as error:  # anything can be wrong with the file
        return f"{type(error).__name__}: {error!s:.80}"


class Grader:
    """Grades notebooks, and keeps their marks in a file, so that the next run can continue.

    `marks` are the states of each notebook's exercises, by a hash of what they depend on.
    """

    def __init__(self, path: Path, hidden: Mapping[str, str], seconds: float, anew: bool) -> None:
        """Read the file of an earlier run. Raises ClassroomError if it is something else."""
        self._path, self._options = path, (hidden, seconds)
        try:
            kept: dict[str, States] = json.loads(path.read_bytes())[KEY] if path.exists() else {}
        except (ValueError, TypeError, KeyError) as error:
            raise ClassroomError(f"{path} has no {KEY}: move it") from error
        self.marks = {} if anew else kept
        self._save()  # now, in case that it can't be written

    def _save(self) -> None:
        replace(self._path, json.dumps({KEY: self.marks}).encode())

    def close(self) -> None:
        """Delete the file if it has no marks."""
        if not self.marks:
            self._path.unlink(missing_ok=True)

    def grade(self, path: Path) -> tuple[States, str]:
        """Return the state of each exercise in a notebook, and a sentence about it."""
        cells = read(path)
        if isinstance(cells, str):
            number = re.split(r"\D", path.name)[0]  # of the notebook that it may be
            own = [name for name in EXERCISES if name.startswith(f"{number}-")]
            return dict.fromkeys(own or EXERCISES, UNREAD), f"{UNREAD}: {cells}"
        work = json.dumps([*EXERCISES, cells, *self._options])
        key = hashlib.sha256(work.encode()).hexdigest()
        if key not in self.marks:
            self.marks[key] = grade_notebook(cells, *self._options)
            self._save()
        return self.marks[key], f"{points(self.marks[key])} points"


def grade_notebook(
    cells: Cells, hidden: Mapping[str, str] = {}, seconds: float = SECONDS
) -> States:
    """Run a notebook, and return the best state of each exercise."""
    return best((name, state) for name, state, _ in run(cells, hidden, seconds))


def rejected(cells: Cells, hidden: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Run our own solutions, and yield the exercise and error of each that isn't right."""
    found = run(cells, hidden, SECONDS)
    return ((name, error or state) for name, state, error in found if state != RIGHT)
