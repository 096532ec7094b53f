"""Read a teacher's own tests from a folder, and try them on our solutions."""

import warnings
from pathlib import Path

from kvlib.classroom.errors import CellError, ClassroomError
from kvlib.classroom.execution import execute
from kvlib.classroom.exercise_cells import Notebook
from kvlib.lessons.catalogue import EXERCISES, find


def read_hidden_tests(overlay: Path) -> dict[str, str]:
    """Return the code of each test by exercise: "01-encode-field.py" tests "01-encode-field".

    A test runs after the exercise's check, in the learner's notebook and with its definitions. If
    it raises an exception, the learner fails the exercise.

    Raises:
        ClassroomError: the folder is missing, or a file isn't named after an exercise or isn't
            Python. The message begins with the file's path.
    """
    if not overlay.is_dir():
        raise ClassroomError(f"there is no folder {overlay}")
    tests = {}
    for path in sorted(overlay.glob("*.py")):
        try:
            tests[find(path.stem).name] = _read_code(path)
        except Exception as error:  # an unreadable file, not UTF-8, RecursionError
            raise ClassroomError(f"{path}: {error}") from error
    return tests


def _read_code(path: Path) -> str:
    if not path.is_file():  # reading a pipe could block forever
        raise ValueError("it is not a file")
    code = path.read_text(encoding="utf-8-sig")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(code, str(path), "exec")
    return code


def try_hidden_tests(notebook: Notebook, overlay: Path) -> None:
    """Run a notebook with solutions and hidden tests. Raises ClassroomError, naming the test."""
    try:
        execute(notebook)
    except CellError as error:
        names = {exercise.cells[1]: exercise.name for exercise in EXERCISES.values()}
        name = names.get(error.cell["id"]) if error.cell else None
        test = overlay / f"{name}.py" if name else overlay
        raise ClassroomError(f"{test}: a hidden test rejects the solution: {error}") from error
