"""Make what nbgrader needs: its source notebooks, its configuration and, by running it, a release.

An exercise's cells are found by their ids, and its points are in its data. So the learners'
notebooks don't mention nbgrader.
"""

import subprocess
import sys
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from kvlib.classroom.errors import ClassroomError
from kvlib.classroom.execution import SECONDS
from kvlib.classroom.exercise_cells import Cell, Notebook, check_call, exercises_of
from kvlib.lessons.source_code import solved

COURSE: Final = "kvlib"  # the name of the course and of its only assignment
CONFIG: Final = f'''\
"""What nbgrader must know of this course."""

c = get_config()

c.CourseDirectory.course_id = "{COURSE}"
# The stub precedes each solution, so nbgrader needn't put anything in the solution's place.
c.ClearSolutions.code_stub = {{"python": ""}}
c.Execute.timeout = {SECONDS}
c.NbGrader.logfile = ""
'''


def require_nbgrader() -> None:
    """Raise ClassroomError if nbgrader isn't installed."""
    find = "import importlib.util, sys; sys.exit(not importlib.util.find_spec('nbgrader'))"
    if subprocess.run([sys.executable, "-c", find]).returncode:
        raise ClassroomError("nbgrader is not installed: pip install -e '.[classroom]'")


def source_edition(notebook: Notebook, hidden: Mapping[str, str]) -> Notebook:
    """Return a copy with nbgrader's marks and metadata: solutions, points and hidden tests.

    Each solution follows its stub and redefines it, so nbgrader releases the stub alone.
    """
    notebook = deepcopy(notebook)
    for exercise, stub, check in exercises_of(notebook):
        stub.source = f"{stub.source}\n### BEGIN SOLUTION\n{solved(exercise)}\n### END SOLUTION"
        stub.metadata["nbgrader"] = _metadata(stub, solution=True)
        check.source = f"{check_call(exercise)}.require()"
        if exercise.name in hidden:
            tests = hidden[exercise.name].strip("\n")
            check.source += f"\n### BEGIN HIDDEN TESTS\n{tests}\n### END HIDDEN TESTS"
        check.metadata["nbgrader"] = _metadata(check, grade=True, points=exercise.points)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _metadata(cell: Cell, *, grade: bool = False, solution: bool = False, **more: int) -> Any:
    return {
        "grade": grade,
        "grade_id": cell.id,
        "locked": grade,
        "schema_version": 3,
        "solution": solution,
        "task": False,
        **more,
    }


def generate_release(course: Path, config: str = CONFIG) -> None:
    """Write the configuration, and run nbgrader to make `course`/release from `course`/source.

    Raises:
        ClassroomError: nbgrader failed, or made nothing; the message has its output.
    """
    (course / "nbgrader_config.py").write_text(config, encoding="utf-8", newline="\n")
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", COURSE, "--force"]
    done = subprocess.run(
        [*command, "--no-db"], cwd=course, capture_output=True, encoding="utf-8", errors="replace"
    )
    if done.returncode or not (course / "release" / COURSE).is_dir():
        raise ClassroomError(f"nbgrader generate_assignment failed:\n{done.stderr}")
