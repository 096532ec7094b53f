"""nbgrader itself, with a class whose points we know; `make classroom-check` runs it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.paths import ROOT
from helpers.small_notebooks import notebooks, read, write_all
from kvlib.classroom.editions import build, exercises_of
from kvlib.classroom.notebooks import Notebook
from kvlib.lessons.catalogue import EXERCISES
from project.test_packaging import missing_pins, pins, project

HALF = list(EXERCISES)[::2]
# Passes with the solution, and not for somebody who has guessed.
HIDDEN = 'assert "guessed" not in globals(), "my secret"\n'

# In a process of its own, because nbgrader's libraries warn of much.
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


def committed() -> dict[str, Notebook]:
    """Give the notebooks of this repository."""
    return {path.name: read(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}


def python(folder: Path, *arguments: str) -> str:
    """Run Python in a folder; give what it prints. nbgrader calls its alembic by its bare name."""
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


def nbgrader(course: Path, command: str, *options: str) -> None:
    """Run one of nbgrader's commands."""
    python(course, "-m", "nbgrader", command, "kvlib", *options)


def hand_in(course: Path, learner: str, answers: dict[str, str]) -> None:
    """Copy the release as it is, but for these cells."""
    made = {path.name: read(path) for path in (course / "release" / "kvlib").glob("*.ipynb")}
    for notebook in made.values():
        for cell in notebook.cells:
            cell.source = answers.get(cell.id, cell.source)
    write_all(course / "submitted" / learner / "kvlib", made)


def answers(names: list[str]) -> dict[str, str]:
    """Give these exercises solved."""
    return {EXERCISES[name].cells[0]: EXERCISES[name].solved for name in names}


def grade(folder: Path, made: dict[str, Notebook], learners: dict[str, dict[str, str]]) -> Path:
    """Build the course, and let nbgrader release, grade, and write feedback."""
    course, overlay = folder / "course", folder / "overlay"
    overlay.mkdir()
    (overlay / "01-encode-field.py").write_text(HIDDEN)
    list(build(write_all(folder / "notebooks", made), course, overlay))
    shutil.copytree(course / "release", folder / "released without a gradebook")
    nbgrader(course, "generate_assignment", "--force")
    for learner, own in learners.items():
        hand_in(course, learner, own)
    nbgrader(course, "autograde", "--create")
    nbgrader(course, "generate_feedback")
    return course


@pytest.fixture(scope="module", params=[notebooks, committed])
def course(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the course: in small with four learners, and what we have committed with two."""
    make: Callable[[], dict[str, Notebook]] = request.param
    made = make()
    if make is committed:
        there = [one for notebook in made.values() for one, _, _ in exercises_of(notebook)]
        assert len(there) == len(EXERCISES)
    sly = dict.fromkeys((exercise.cells[1] for exercise in EXERCISES.values()), "'right'")
    guess = f"guessed = True\n{EXERCISES['01-encode-field'].solved}"
    learners = {
        "empty": {},
        "half": answers(HALF),
        "sly": {**sly, "01-encode-field-stub": guess},
        "solved": answers(list(EXERCISES)),
    }
    if make is committed:  # these take a minute a learner, and differ in their prose only
        learners = {name: learners[name] for name in ("empty", "solved")}
    return grade(tmp_path_factory.mktemp("class"), made, learners)


def points(course: Path) -> dict[str, dict[str, float]]:
    """Give the points in the gradebook: by learner, and by grade id."""
    found: dict[str, dict[str, float]] = json.loads(python(course, "-c", POINTS))
    return found


def worth(names: list[str]) -> dict[str, float]:
    """Give all exercises' points by their grade ids: those of these, and no others."""
    return {one.cells[1]: one.points * (name in names) for name, one in EXERCISES.items()}


def test_points_are_the_right_ones(course: Path) -> None:
    """All for the solved, none for the empty; half for what is right. Editing a check, or
    passing the check and not the hidden test, gives none.
    """
    found = points(course)
    wanted = {"half": worth(HALF), "sly": worth([])} if "half" in found else {}
    assert found == {"empty": worth([]), "solved": worth(list(EXERCISES)), **wanted}


def test_release_is_the_learners_notebook(course: Path) -> None:
    """Stubs as the exercises have them, no solution, no hidden test; checks that raise."""
    for path in (course / "release" / "kvlib").glob("*.ipynb"):
        assert not re.search("SOLUTION|HIDDEN|my secret", path.read_text(encoding="utf-8"))
        released = {cell.id: cell for cell in read(path).cells}
        for name in released.keys() & {one.cells[0] for one in EXERCISES.values()}:
            exercise = EXERCISES[name.removesuffix("-stub")]
            assert released[name].source.rstrip() == exercise.stub
            assert released[exercise.cells[1]].source.rstrip().endswith(").require()")


def test_release_is_the_same_with_a_gradebook(course: Path) -> None:
    """What `make classroom` builds is what a teacher's own nbgrader makes of source/."""
    for path in (course / "release" / "kvlib").glob("*.ipynb"):
        other = course.parent / "released without a gradebook" / "kvlib" / path.name
        assert path.read_bytes() == other.read_bytes()


def test_an_empty_submission_fails_at_the_checks_only(course: Path) -> None:
    """A stub that is not tried breaks nothing else."""
    failed = {
        cell.id
        for path in (course / "autograded" / "empty" / "kvlib").glob("*.ipynb")
        for cell in read(path).cells
        if any(output.output_type == "error" for output in cell.get("outputs", []))
    }
    assert failed == {exercise.cells[1] for exercise in EXERCISES.values()}


def test_feedback_is_written(course: Path) -> None:
    """For each learner and notebook a page; it has the words of the checks."""
    names = {path.stem for path in (course / "release" / "kvlib").glob("*.ipynb")}
    for submitted in (course / "submitted").iterdir():
        pages = list((course / "feedback" / submitted.name / "kvlib").glob("*.html"))
        assert {path.stem for path in pages} == names
    text = (course / "feedback" / "empty" / "kvlib" / "01_encode.html").read_text(encoding="utf-8")
    assert "01-length: not tried yet" in text


def test_solved_notebooks_pass_strict_nbval(course: Path, tmp_path: Path) -> None:
    """Run again, each cell shows what is stored."""
    shutil.copytree(course / "solved", tmp_path / "solved")
    options = [
        "--nbval",
        "--nbval-current-env",
        "--nbval-cell-timeout=120",
        "-p",
        "no:cacheprovider",
    ]
    said = python(tmp_path, "-m", "pytest", "-q", *options, "--rootdir=.", "solved")
    assert re.search(r"^\d+ passed", said, re.M)


def test_constraints_pin_what_a_class_needs() -> None:
    """nbgrader, and all that it brings, has its version fixed."""
    needed = project()["optional-dependencies"]["classroom"]
    assert set().union(*(missing_pins(line, pins()) for line in needed)) == set()
