"""Make the teacher's editions of the notebooks from the learner's edition and the solutions.

    solved/          each stub replaced by its solution; run, and every check is right
    source/kvlib/    for nbgrader: solutions between marks, and points for each check
    release/kvlib/   the class's edition, which nbgrader's generate_assignment makes from source/
    html/            learner/ and solved/ as pages that can be read without a network
    nbgrader_config.py

An exercise's cells are found by their ids. The same notebooks give the same bytes.
"""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Final

import nbformat

from kvlib.classroom.files import replace
from kvlib.classroom.grading import rejected
from kvlib.classroom.notebooks import SECONDS, Cell, ClassroomError, Notebook, execute
from kvlib.lessons.catalogue import EXERCISES, find
from kvlib.lessons.exercise import Exercise

COURSE: Final = "kvlib"  # the name of the course and of its only assignment
FOLDERS: Final = ["solved", "html/learner", "html/solved", "source/kvlib", "release/kvlib"]
NBGRADER: Final = {"schema_version": 3} | dict.fromkeys(
    ("grade", "locked", "solution", "task"), False
)
CONFIG: Final = f'''\
"""What nbgrader must know of this course."""

c = get_config()

c.CourseDirectory.course_id = "{COURSE}"
# The stub precedes each solution, so nbgrader needn't put anything in the solution's place.
c.ClearSolutions.code_stub = {{"python": ""}}
c.Execute.timeout = {SECONDS}
c.NbGrader.logfile = ""
'''

# nbconvert's own page, without downloads.
PAGE: Final = """\
{%- extends "index.html.j2" -%}
{%- block html_head_js_requirejs -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
"""


def build(notebooks: Path, target: Path, overlay: Path | None = None) -> Iterator[str]:
    """Make all editions of the notebooks in a folder, and yield a line for each result.

    They are made in a temporary folder inside the target, and moved at the end. If anything fails
    before that, the earlier ones are still there. Other files in the target are left alone.
    Raises ClassroomError if these files won't do, or nbgrader isn't there, and OSError.
    """
    learner = {path.name: _read(path) for path in sorted(notebooks.glob("*.ipynb"))}
    if not learner:
        raise ClassroomError(f"there is no notebook in {notebooks}")
    hidden = hidden_tests(overlay) if overlay else {}
    for read in filter(None, (notebooks, overlay)):
        for made in (target / name for name in FOLDERS):
            if read.resolve().is_relative_to(made.resolve()):
                raise ClassroomError(f"{read} is in {made}, which is made anew")
    if not importlib.util.find_spec("nbgrader"):  # it is needed only after minutes of work
        raise ClassroomError("nbgrader is not installed: pip install -e '.[classroom]'")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, ignore_cleanup_errors=True) as folder:
        new = Path(folder)
        config = target / "nbgrader_config.py"  # a teacher may have extended it
        written = config.read_bytes() if config.exists() else CONFIG.encode()
        for name, notebook in learner.items():
            _make(new, name, notebook, hidden)
        release(new, written)
        for number, name in enumerate(FOLDERS):
            (made := target / name).parent.mkdir(exist_ok=True)
            if os.path.lexists(made):
                os.rename(made, new / f"old-{number}")
            os.rename(new / name, made)
            yield f"{made}: {', '.join(sorted(os.listdir(made)))}"
        replace(config, written)


def _make(new: Path, name: str, notebook: Notebook, hidden: Mapping[str, str]) -> None:
    finished = execute(solve(notebook))
    cells = [(cell.id, cell.source) for cell in finished.cells if cell.cell_type == "code"]
    for exercise, error in rejected(cells, hidden):
        test = f"{exercise}.py" if exercise in hidden else "the check"
        raise ClassroomError(f"{name}, {exercise}: {test} rejects the solution: {error}")
    stem = Path(name).stem
    for path, content in {
        f"solved/{name}": text(finished),
        f"source/{COURSE}/{name}": text(source(notebook, hidden)),
        f"html/learner/{stem}.html": page(notebook, name),
        f"html/solved/{stem}.html": page(finished, name),
    }.items():
        (new / path).parent.mkdir(parents=True, exist_ok=True)
        (new / path).write_text(content, encoding="utf-8", newline="\n")


def _read(path: Path) -> Notebook:
    try:
        notebook: Notebook = nbformat.read(path, as_version=4)
        list(exercises_of(notebook))
        return notebook
    except Exception as error:  # anything can be wrong with the file
        raise ClassroomError(f"{path} is not a notebook for classes: {error}") from error


def text(notebook: Notebook) -> str:
    """Return the text of the notebook's file."""
    return f"{nbformat.writes(notebook).rstrip()}\n"


def exercises_of(notebook: Notebook) -> Iterator[tuple[Exercise, Cell, Cell]]:
    """Yield each exercise with its stub's cell and its check's. ClassroomError if one is bad."""
    cells = {cell.get("id"): cell for cell in notebook.cells}
    for exercise in EXERCISES.values():
        stub, check = (cells.get(name) for name in exercise.cells)
        if stub or check:
            if not (stub and check and check.source.strip() == exercise.call):
                needed = f"the cells {' and '.join(exercise.cells)}: `{exercise.call}`"
                raise ClassroomError(f"{exercise.name} needs {needed}")
            yield exercise, stub, check


def solve(notebook: Notebook) -> Notebook:
    """Return a copy of the notebook, not yet run, with each stub replaced by its solution."""
    notebook = deepcopy(notebook)
    for exercise, stub, _ in exercises_of(notebook):
        stub.source = exercise.solved
    return notebook


def source(notebook: Notebook, hidden: Mapping[str, str]) -> Notebook:
    """Return a copy with nbgrader's marks and metadata: solutions, points and hidden tests.

    Each solution follows its stub and redefines it, so nbgrader releases the stub alone.
    """
    notebook = deepcopy(notebook)
    for exercise, stub, check in exercises_of(notebook):
        stub.source = f"{stub.source}\n### BEGIN SOLUTION\n{exercise.solved}\n### END SOLUTION"
        stub.metadata["nbgrader"] = NBGRADER | {"grade_id": stub.id, "solution": True}
        check.source = f"{exercise.call}.require()"
        if exercise.name in hidden:
            tests = hidden[exercise.name].strip("\n")
            check.source += f"\n### BEGIN HIDDEN TESTS\n{tests}\n### END HIDDEN TESTS"
        graded = {"grade": True, "grade_id": check.id, "locked": True, "points": exercise.points}
        check.metadata["nbgrader"] = NBGRADER | graded
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def release(course: Path, config: bytes) -> None:
    """Have nbgrader make `course`/release from `course`/source. Raises ClassroomError."""
    (course / "nbgrader_config.py").write_bytes(config)
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", COURSE, "--force"]
    done = subprocess.run(
        [*command, "--no-db"], cwd=course, capture_output=True, encoding="utf-8", errors="replace"
    )
    if done.returncode or not (course / "release" / COURSE).is_dir():
        raise ClassroomError(f"nbgrader generate_assignment failed:\n{done.stderr}")


def hidden_tests(overlay: Path) -> dict[str, str]:
    """Return a teacher's own tests by exercise. Raises ClassroomError, which names the file."""
    if not overlay.is_dir():
        raise ClassroomError(f"there is no folder {overlay}")
    found = {}
    for path in sorted(overlay.glob("*.py")):
        try:
            code = path.read_text(encoding="utf-8-sig")
            compile(code, str(path), "exec")
            found[find(path.stem).name] = code
        except Exception as error:  # an unreadable file, not UTF-8, RecursionError
            raise ClassroomError(f"{path}: {error}") from error
    return found


def page(notebook: Notebook, name: str) -> str:
    """Return the notebook as a self-contained page, with links to the other pages."""
    from nbconvert import HTMLExporter  # takes a second

    exporter = HTMLExporter(raw_template=PAGE, embed_images=True)
    resources = {"metadata": {"name": Path(name).stem}}
    body: str
    body, _ = exporter.from_notebook_node(notebook, resources=resources)
    return re.sub(r'(<a href="[\w-]+)\.ipynb([#"])', r"\1.html\2", body).rstrip("\n") + "\n"
