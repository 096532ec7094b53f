"""A teacher's editions of the notebooks, made from the learner's and from the solutions.

    solved/          each stub replaced by the clear version, run, each check right
    source/kvlib/    for nbgrader: solutions between marks, each check worth its points
    release/kvlib/   what nbgrader's generate_assignment makes of that, for the class
    html/            learner/ and solved/, to read; they ask nothing of a network
    nbgrader_config.py

An exercise's cells are known by their ids, and all else of them comes from its data; so the
learner's notebooks say nothing of nbgrader. The same notebooks give the same bytes.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import nbformat

from kvlib.lessons.catalogue import EXERCISES, find
from kvlib.lessons.exercise import Exercise
from kvlib.lessons.source import solved

COURSE: Final = "kvlib"  # the name of the course, and of its one assignment
SECONDS: Final = 120  # that a cell may take
WIDGET_VIEW: Final = "application/vnd.jupyter.widget-view+json"  # of a kernel that is no more
CONFIG: Final = f'''\
"""What nbgrader must know of this course."""

c = get_config()

c.CourseDirectory.course_id = "{COURSE}"
# The stub stands above each solution: nothing has to be put into the solution's place.
c.ClearSolutions.code_stub = {{"python": ""}}
c.Execute.timeout = {SECONDS}
c.NbGrader.logfile = ""
'''

# nbconvert's own page without what it fetches, and with those answers folded that are folded in
# the notebook.
PAGE: Final = """\
{%- extends "index.html.j2" -%}
{%- block html_head_js_requirejs -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block outputs -%}
{%- if cell.metadata.get("jupyter", {}).get("outputs_hidden") -%}
<details><summary>Guess first, then look</summary>{{ super() }}</details>
{%- else -%}
{{ super() }}
{%- endif -%}
{%- endblock -%}
"""

Notebook = nbformat.NotebookNode
Cell = nbformat.NotebookNode
Notebooks = dict[str, Notebook]


class EditionError(Exception):
    """A notebook, a solution or a hidden test that no edition can be made of."""


# ------------------------------------------------------------------------------------- the command


def build(notebooks: Path, target: Path, overlay: Path | None = None) -> Iterator[str]:
    """Make all editions, and say line by line what was made.

    Args:
        notebooks: the folder of the learner's notebooks, which is only read.
        target: what is made of an earlier run there is replaced; all else is left alone.
        overlay: a folder of hidden tests, see `hidden_tests`.

    Raises:
        EditionError: what is there can't be made an edition of, or nbgrader can't be run.
    """
    learner = {path.name: _read(path) for path in sorted(notebooks.glob("*.ipynb"))}
    if not learner:
        raise EditionError(f"there is no notebook in {notebooks}")
    hidden = hidden_tests(overlay) if overlay else {}
    yield from left_out(learner.values(), hidden)
    solved = {name: execute(solve(notebook)) for name, notebook in learner.items()}
    for notebook in solved.values():
        require_right(notebook)
    sources = {name: source(notebook, hidden) for name, notebook in learner.items()}
    if hidden:
        for notebook in sources.values():
            _try_hidden_tests(notebook)
    yield write(target / "solved", {name: text(one) for name, one in solved.items()})
    for edition, made in ("learner", learner), ("solved", solved):
        pages = {f"{Path(name).stem}.html": page(one, name) for name, one in made.items()}
        yield write(target / "html" / edition, pages)
    yield write(target / "source" / COURSE, {name: text(one) for name, one in sources.items()})
    yield release(target)


def _read(path: Path) -> Notebook:
    notebook: Notebook = nbformat.read(path, as_version=4)
    return notebook


def text(notebook: Notebook) -> str:
    """What the notebook's file holds."""
    written: str = nbformat.writes(notebook)
    return written.rstrip("\n") + "\n"


def write(folder: Path, files: Mapping[str, str]) -> str:
    """Make the folder anew, with these files; a line that says so."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")
    return f"{folder}: {', '.join(files)}"


def release(target: Path) -> str:
    """Let nbgrader make the class's edition of source/; a line that says so."""
    config = target / "nbgrader_config.py"
    if not config.exists():  # a teacher may have gone on from ours
        config.write_text(CONFIG, encoding="utf-8", newline="\n")
    folder = target / "release" / COURSE
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", COURSE, "--force"]
    done = subprocess.run(
        [*command, "--no-db"], cwd=target, capture_output=True, encoding="utf-8", errors="replace"
    )
    if "No module named nbgrader" in done.stderr:
        raise EditionError("nbgrader is not installed: pip install -e '.[classroom]'")
    if done.returncode:
        raise EditionError(f"nbgrader generate_assignment failed:\n{done.stderr}")
    return f"{folder}: {', '.join(sorted(path.name for path in folder.glob('*.ipynb')))}"


# ------------------------------------------------------------------------------------ the exercises


def exercises_of(notebook: Notebook) -> Iterator[tuple[Exercise, Cell, Cell]]:
    """Each exercise that has its cells here, with the stub and the check.

    Raises:
        EditionError: one of the two is missing, or the check is not the exercise's.
    """
    cells = {cell.get("id"): cell for cell in notebook.cells}
    for exercise in EXERCISES.values():
        stub, check = (cells.get(name) for name in exercise.cells)
        if stub is None and check is None:
            continue
        if stub is None or check is None:
            missing = exercise.cells[0 if stub is None else 1]
            raise EditionError(f"{exercise.name} has no cell {missing}")
        if check.source.strip() != checked(exercise):
            raise EditionError(f"the cell {check.id} is not `{checked(exercise)}`")
        yield exercise, stub, check


def checked(exercise: Exercise) -> str:
    """The source of the cell that checks it."""
    return f'check("{exercise.name}", {exercise.handed})'


def left_out(notebooks: Any, hidden: Mapping[str, str]) -> Iterator[str]:
    """A line for each exercise that no notebook has; EditionError if it has a hidden test."""
    there = {exercise.name for one in notebooks for exercise, _, _ in exercises_of(one)}
    for name in EXERCISES.keys() - there & hidden.keys():
        raise EditionError(f"there is a hidden test for {name}, which no notebook has")
    missing = [name for name in EXERCISES if name not in there]
    if missing:
        yield f"left out, because no notebook has their cells: {', '.join(missing)}"


# ----------------------------------------------------------------------------------------- solved


def solve(notebook: Notebook) -> Notebook:
    """The notebook with each stub replaced by the solution; it has yet to be run."""
    notebook = deepcopy(notebook)
    for exercise, stub, _ in exercises_of(notebook):
        stub.source = solved(exercise)
    return notebook


# ---------------------------------------------------------------------------------------- running


def execute(notebook: Notebook) -> Notebook:
    """Run the notebook, here, in a kernel and a folder of its own; without what varies.

    Raises:
        EditionError: a cell has failed.
    """
    from nbclient.exceptions import CellExecutionError

    from kvlib.lessons.kernel import Client  # takes a second, and who only reads doesn't need it

    notebook = deepcopy(notebook)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as ipython,
    ):
        client = Client(
            notebook,
            extra_arguments=["--log-level=ERROR"],  # no warning that other users might listen
            coalesce_streams=True,  # how prints are grouped into messages depends on the clock
            kernel_name="python3",
            record_timing=False,
            resources={"metadata": {"path": folder}},
            store_widget_state=False,
            timeout=SECONDS,
        )
        try:
            client.execute(env={**os.environ, "IPYTHONDIR": ipython})  # nobody's start-up files
        except CellExecutionError as error:
            raise EditionError(f"a cell has failed:\n{error}") from error
    clean(notebook)
    return notebook


def clean(notebook: Notebook) -> None:
    """Drop what differs between machines and between runs."""
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":  # its frames name files of this machine
                output["traceback"] = [f"{output.ename}: {output.evalue}"]
            if "data" in output:
                output["data"].pop(WIDGET_VIEW, None)
                output["metadata"] = {}


def require_right(notebook: Notebook) -> None:
    """EditionError, with what it says, for a check that isn't right."""
    for exercise, _, check in exercises_of(notebook):
        said = "".join(output.data["text/plain"] for output in check.outputs if "data" in output)
        if said.partition("\n")[0] != f"{exercise.name}: right":
            raise EditionError(f"the solution does not pass: {said or exercise.name}")


# --------------------------------------------------------------------------------------- nbgrader


def source(notebook: Notebook, hidden: Mapping[str, str]) -> Notebook:
    """The notebook as nbgrader wants it: solutions between marks, points, hidden tests.

    The solution stands below the stub and replaces it; so what nbgrader releases is the stub.
    """
    notebook = deepcopy(notebook)
    for exercise, stub, check in exercises_of(notebook):
        stub.source = f"{stub.source}\n### BEGIN SOLUTION\n{solved(exercise)}\n### END SOLUTION"
        stub.metadata["nbgrader"] = _metadata(stub, solution=True)
        check.source = f"{checked(exercise)}.require()"
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


def hidden_tests(overlay: Path) -> dict[str, str]:
    """A teacher's own tests by exercise: of "01-encode-field.py" the code.

    They run behind the exercise's check, in the learner's notebook, with what it defines; an
    exception fails the exercise.

    Raises:
        EditionError: there is no such folder, a file is named after no exercise, or is no Python.
    """
    if not overlay.is_dir():
        raise EditionError(f"there is no folder {overlay}")
    found = {}
    for path in sorted(overlay.glob("*.py")):
        try:
            code = path.read_text(encoding="utf-8")
            compile(code, str(path), "exec")
            found[find(path.stem).name] = code
        except (SyntaxError, ValueError) as error:
            raise EditionError(f"{path}: {error}") from error
    return found


def _try_hidden_tests(notebook: Notebook) -> None:
    try:
        execute(notebook)
    except EditionError as error:
        raise EditionError(f"a hidden test rejects the solution: {error}") from error


# ------------------------------------------------------------------------------------------- HTML


def page(notebook: Notebook, name: str) -> str:
    """The notebook as a page that stands alone; links to notebooks lead to their pages."""
    from nbconvert import HTMLExporter  # takes a second

    exporter = HTMLExporter(raw_template=PAGE, embed_images=True)
    resources = {"metadata": {"name": Path(name).stem}}
    body: str
    body, _ = exporter.from_notebook_node(notebook, resources=resources)
    return re.sub(r'(<a href="[\w-]+)\.ipynb([#"])', r"\1.html\2", body).rstrip("\n") + "\n"
