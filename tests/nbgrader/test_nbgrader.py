"""nbgrader itself grades a class whose points we know; `make classroom-check` runs this."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from helpers.paths import ROOT
from helpers.small_notebooks import notebooks, read, write_all
from kvlib.classroom.editions import build, exercises_of
from kvlib.classroom.notebooks import Cell
from kvlib.lessons.catalogue import EXERCISES
from project.test_packaging import missing_pins, pins, project

HALF = list(EXERCISES)[::2]
# Accepts the solution, but not a learner who has guessed.
HIDDEN = 'assert "guessed" not in globals(), "my secret"\n'

# It runs in another process, because nbgrader's libraries emit many warnings.
POINTS = """
import json
from nbgrader.api import Gradebook

with Gradebook("sqlite:///gradebook.db", "kvlib") as book:
    points = {}
    for submission in book.assignment_submissions("kvlib"):
        own = points.setdefault(submission.student.id, {})
        for notebook in submission.notebooks:
            own.update({grade.name: grade.score for grade in notebook.grades})
print(json.dumps(points))
"""


def python(folder: Path, *arguments: str) -> str:
    """Run Python in a folder; return its output. nbgrader looks for alembic on the path."""
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        cwd=folder,
        timeout=900,
        encoding="utf-8",
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def hand_in(course: Path, learner: str, answers: dict[str, str]) -> None:
    """Copy the release, and replace the sources of these cells."""
    made = {path.name: read(path) for path in (course / "release" / "kvlib").glob("*.ipynb")}
    for notebook in made.values():
        for cell in notebook.cells:
            cell.source = answers.get(cell.id, cell.source)
    write_all(course / "submitted" / learner / "kvlib", made)


def answers(names: Iterable[str]) -> dict[str, str]:
    """Return the solutions of these exercises, by the stub's cell."""
    return {EXERCISES[name].cells[0]: EXERCISES[name].solved for name in names}


@pytest.fixture(scope="module", params=["small", "committed"])
def course(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a course that nbgrader has graded: small notebooks, and then the committed ones.

    The committed ones take a minute a learner, and differ only in their prose, so they have fewer.
    """
    folder = tmp_path_factory.mktemp("class")
    course, overlay = folder / "course", folder / "overlay"
    guess = f"guessed = True\n{EXERCISES['01-encode-field'].solved}"
    sly = {exercise.cells[1]: "'right'" for exercise in EXERCISES.values()}
    learners = {"empty": {}, "solved": answers(EXERCISES)}
    if request.param == "small":
        made = notebooks()
        learners |= {"half": answers(HALF), "sly": {**sly, "01-encode-field-stub": guess}}
    else:
        made = {path.name: read(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
        assert sum(len(list(exercises_of(one))) for one in made.values()) == len(EXERCISES)
    overlay.mkdir()
    (overlay / "01-encode-field.py").write_text(HIDDEN)
    list(build(write_all(folder / "notebooks", made), course, overlay))
    shutil.copytree(course / "release", folder / "released without a gradebook")
    python(course, "-m", "nbgrader", "generate_assignment", "kvlib", "--force")
    for learner, own in learners.items():
        hand_in(course, learner, own)
    python(course, "-m", "nbgrader", "autograde", "kvlib", "--create")
    python(course, "-m", "nbgrader", "generate_feedback", "kvlib")
    return course


def released(course: Path) -> list[Path]:
    """Return the paths of the release's notebooks."""
    return list((course / "release" / "kvlib").glob("*.ipynb"))


def test_points_are_right(course: Path) -> None:
    """A right answer has points, unless it fails a hidden test; an edited check gives none."""

    def worth(names: Iterable[str]) -> dict[str, float]:
        return {one.cells[1]: one.points * (name in names) for name, one in EXERCISES.items()}

    found = json.loads(python(course, "-c", POINTS))
    more = {"half": worth(HALF), "sly": worth([])} if "half" in found else {}
    assert found == {"empty": worth([]), "solved": worth(EXERCISES)} | more


def test_release_has_stubs_and_checks_that_raise(course: Path) -> None:
    """It has no solution and no hidden test."""
    for path in released(course):
        assert not re.search("SOLUTION|HIDDEN|my secret", path.read_text(encoding="utf-8"))
        cells: dict[str, Cell] = {cell.id: cell for cell in read(path).cells}
        for name in cells.keys() & {one.cells[0] for one in EXERCISES.values()}:
            exercise = EXERCISES[name.removesuffix("-stub")]
            assert cells[name].source.rstrip() == exercise.stub
            assert cells[exercise.cells[1]].source.rstrip().endswith(").require()")


def test_release_is_the_same_with_a_gradebook(course: Path) -> None:
    """`make classroom` builds the release that the teacher's own nbgrader generates."""
    for path in released(course):
        other = course.parent / "released without a gradebook" / "kvlib" / path.name
        assert path.read_bytes() == other.read_bytes()


def test_an_empty_submission_fails_at_its_checks_only(course: Path) -> None:
    """An untried stub breaks nothing else."""
    failed = {
        cell.id
        for path in (course / "autograded" / "empty" / "kvlib").glob("*.ipynb")
        for cell in read(path).cells
        if any(output.output_type == "error" for output in cell.get("outputs", []))
    }
    assert failed == {exercise.cells[1] for exercise in EXERCISES.values()}


def test_feedback_has_a_page_for_each_notebook(course: Path) -> None:
    """A page has the words of the checks."""
    names = {path.stem for path in released(course)}
    for submitted in (course / "submitted").iterdir():
        pages = (course / "feedback" / submitted.name / "kvlib").glob("*.html")
        assert {path.stem for path in pages} == names
    text = (course / "feedback" / "empty" / "kvlib" / "01_encode.html").read_text(encoding="utf-8")
    assert "01-length: not tried yet" in text


def test_solved_notebooks_pass_strict_nbval(course: Path, tmp_path: Path) -> None:
    """When they run again, each cell shows its stored output."""
    shutil.copytree(course / "solved", tmp_path / "solved")
    options = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120", "-pno:cacheprovider"]
    said = python(tmp_path, "-m", "pytest", "-q", *options, "--rootdir=.", "solved")
    assert re.search(r"^\d+ passed", said, re.M)


def test_constraints_pin_what_a_class_needs() -> None:
    """The versions of nbgrader and its dependencies are fixed."""
    needed = project()["optional-dependencies"]["classroom"]
    assert set().union(*(missing_pins(line, pins()) for line in needed)) == set()
