"""Find an exercise's two cells in a notebook by their ids: the stub and the check."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path

import nbformat

from kvlib.classroom.errors import ClassroomError
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise
from kvlib.lessons.source_code import solved

Notebook = nbformat.NotebookNode
Cell = nbformat.NotebookNode
Notebooks = dict[str, Notebook]


def read_notebook(path: Path) -> Notebook:
    """Return a notebook whose exercises are complete. Raises ClassroomError, naming the file."""
    try:
        notebook: Notebook = nbformat.read(path, as_version=4)
        list(exercises_of(notebook))
    except ClassroomError as error:
        raise ClassroomError(f"{path}: {error}") from error
    except Exception as error:  # anything can be wrong with the file
        raise ClassroomError(
            f"{path} is not a notebook: {type(error).__name__}: {error}"
        ) from error
    return notebook


def exercises_of(notebook: Notebook) -> Iterator[tuple[Exercise, Cell, Cell]]:
    """Yield each exercise in the notebook, with its stub and its check.

    Raises:
        ClassroomError: one of the two cells is missing, or the check is for something else.
    """
    cells = {cell.get("id"): cell for cell in notebook.cells}
    for exercise in EXERCISES.values():
        stub, check = (cells.get(name) for name in exercise.cells)
        if stub is None and check is None:
            continue
        if stub is None or check is None:
            missing = exercise.cells[0 if stub is None else 1]
            raise ClassroomError(f"{exercise.name} has no cell {missing}")
        if check.source.strip() != check_call(exercise):
            raise ClassroomError(f"the cell {check.id} is not `{check_call(exercise)}`")
        yield exercise, stub, check


def check_call(exercise: Exercise) -> str:
    """Return the source of the cell that checks the exercise."""
    return f'check("{exercise.name}", {exercise.handed})'


def left_out(notebooks: Iterable[Notebook], hidden: Mapping[str, str]) -> Iterator[str]:
    """Yield a line that lists the exercises in no notebook, if there are any.

    Raises:
        ClassroomError: one of them has a hidden test.
    """
    present = {exercise.name for one in notebooks for exercise, _, _ in exercises_of(one)}
    for name in sorted(hidden.keys() - present):
        raise ClassroomError(f"there is a hidden test for {name}, which no notebook has")
    missing = [name for name in EXERCISES if name not in present]
    if missing:
        yield f"left out, because no notebook has their cells: {', '.join(missing)}"


def solve(notebook: Notebook) -> Notebook:
    """Return a copy of the notebook, not yet run, with each stub replaced by its solution."""
    notebook = deepcopy(notebook)
    for exercise, stub, _ in exercises_of(notebook):
        stub.source = solved(exercise)
    return notebook
