"""Decide after which cells of a learner's notebook each exercise has to be checked."""

import ast
import warnings
from collections.abc import Iterator, Sequence

from kvlib.classroom.submissions import CodeCell
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise


def checks_after(cells: Sequence[CodeCell]) -> dict[int, list[str]]:
    """Return the names of the exercises to check after each cell, by the cell's index.

    An exercise is checked after every cell that calls its check. If the cell that used to be its
    check has changed, the exercise is checked just before it. If the stub comes last, perhaps
    because the check was deleted, the exercise is checked after the stub.
    """
    called = [checked_in(cell.source) for cell in cells]
    found: dict[int, list[str]] = {}
    for name, exercise in EXERCISES.items():
        for index in sorted(_indexes(exercise, cells, called)):
            found.setdefault(index, []).append(name)
    return found


def _indexes(exercise: Exercise, cells: Sequence[CodeCell], called: Sequence[set[str]]) -> set[int]:
    stub, check = exercise.cells
    found = {index for index, names in enumerate(called) if exercise.name in names}
    changed = {index for index, cell in enumerate(cells) if cell.id == check} - found
    found |= {index - 1 for index in changed}
    last = max(found, default=-1)
    return found | {index for index, cell in enumerate(cells) if cell.id == stub and index > last}


def checked_in(source: str) -> set[str]:
    """Return the names of the exercises that a cell checks; none if it has a syntax error."""
    from IPython.core.inputtransformer2 import TransformerManager  # takes a second

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(TransformerManager().transform_cell(source))
    except Exception:  # SyntaxError, RecursionError, and others
        return set()
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {name for call in calls if _is_check(call) for name in _exercises_named(call)}


def _is_check(call: ast.Call) -> bool:
    return getattr(call.func, "attr", getattr(call.func, "id", "")) == "check"


def _exercises_named(call: ast.Call) -> Iterator[str]:
    for argument in [*call.args[:1], *(keyword.value for keyword in call.keywords)]:
        if isinstance(argument, ast.Constant) and argument.value in EXERCISES:
            yield str(argument.value)
