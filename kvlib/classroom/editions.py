"""Make a teacher's editions of the notebooks, from the learner's edition and the solutions.

    solved/          each stub replaced by the solution; run, with every check right
    source/kvlib/    for nbgrader: solutions between marks, and points for each check
    release/kvlib/   the class's edition, made from source/ by nbgrader's generate_assignment
    html/            learner/ and solved/ as pages to read, which need no network
    nbgrader_config.py

An exercise's cells are found by their ids, and everything else about them is in its data, so the
learner's notebooks don't mention nbgrader. The same notebooks give the same bytes.
"""

import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import nbformat

from kvlib.classroom.atomic import replace
from kvlib.lessons.catalogue import EXERCISES, find
from kvlib.lessons.exercise import Exercise

COURSE: Final = "kvlib"  # the name of the course, and of its one assignment
FOLDERS: Final = (
    "solved",
    "html/learner",
    "html/solved",
    f"source/{COURSE}",
    f"release/{COURSE}",
)
COLOURS: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # IPython's, and any other
SECONDS: Final = 120  # per cell
WIDGET_VIEW: Final = "application/vnd.jupyter.widget-view+json"  # needs a running kernel
CONFIG: Final = f'''\
"""What nbgrader must know of this course."""

c = get_config()

c.CourseDirectory.course_id = "{COURSE}"
# The stub precedes each solution, so nbgrader needn't put anything in the solution's place.
c.ClearSolutions.code_stub = {{"python": ""}}
c.Execute.timeout = {SECONDS}
c.NbGrader.logfile = ""
'''

# nbconvert's own page, without downloads, and with the notebook's folded answers folded.
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
    """An edition can't be made from this notebook, solution or hidden test."""


class FailedError(EditionError):
    """A cell has failed: `cell`, or None if the notebook failed before its first cell."""

    def __init__(self, words: str, cell: Cell | None = None) -> None:
        super().__init__(words)
        self.cell = cell


# ------------------------------------------------------------------------------------- the command


def build(notebooks: Path, target: Path, overlay: Path | None = None) -> Iterator[str]:
    """Make all editions, and yield a line for each result.

    Everything is made in a temporary folder in the target, and moved at the end. If anything fails
    before that, the target stays as it was.

    Args:
        notebooks: the folder of the learner's notebooks, which is only read.
        target: the folder for the editions. Those of an earlier run are replaced; other files are
            left alone.
        overlay: a folder of hidden tests: see `hidden_tests`.

    Raises:
        EditionError: an edition can't be made from these files, or nbgrader can't be run.
        OSError: the target can't be written.
    """
    learner = {path.name: _read(path) for path in sorted(notebooks.glob("*.ipynb"))}
    if not learner:
        raise EditionError(f"there is no notebook in {notebooks}")
    hidden = hidden_tests(overlay) if overlay else {}
    missing = list(left_out(learner.values(), hidden))
    _require_apart(target, notebooks, overlay)
    _require_nbgrader()
    with _aside(target) as aside:
        yield from missing
        solved = {name: execute(solve(notebook)) for name, notebook in learner.items()}
        for notebook in solved.values():
            require_right(notebook)
        sources = {name: source(notebook, hidden) for name, notebook in learner.items()}
        if overlay and hidden:
            for notebook in sources.values():
                _try_hidden_tests(notebook, overlay)
        write(aside / "solved", {name: text(one) for name, one in solved.items()})
        for edition, made in ("learner", learner), ("solved", solved):
            pages = {f"{Path(name).stem}.html": page(one, name) for name, one in made.items()}
            write(aside / "html" / edition, pages)
        write(aside / "source" / COURSE, {name: text(one) for name, one in sources.items()})
        config = target / "nbgrader_config.py"
        ours = config.read_text(encoding="utf-8") if config.exists() else CONFIG
        release(aside, ours)  # a teacher may have extended our configuration
        for name in FOLDERS:
            swap(aside / name, target / name)
            names = sorted(path.name for path in (target / name).iterdir())
            yield f"{target / name}: {', '.join(names)}"
        if not config.exists():
            replace(config, CONFIG.encode())


def _read(path: Path) -> Notebook:
    try:
        notebook: Notebook = nbformat.read(path, as_version=4)
        list(exercises_of(notebook))
    except EditionError as error:
        raise EditionError(f"{path}: {error}") from error
    except Exception as error:  # anything can be wrong with such a file
        raise EditionError(f"{path} is not a notebook: {type(error).__name__}: {error}") from error
    return notebook


def _require_apart(target: Path, notebooks: Path, overlay: Path | None) -> None:
    """Raise EditionError if one folder would be inside the other, and so be replaced."""
    real = target.resolve()
    for read in filter(None, (notebooks, overlay)):
        if real.is_relative_to(read.resolve()):
            raise EditionError(f"{target} is in {read}, which is only read")
        for name in FOLDERS:
            if read.resolve().is_relative_to((target / name).resolve()):
                raise EditionError(f"{read} is in {target / name}, which is made anew")


def _require_nbgrader() -> None:
    """Raise EditionError if nbgrader is missing: a build takes minutes and needs it at the end."""
    there = "import importlib.util, sys; sys.exit(not importlib.util.find_spec('nbgrader'))"
    if subprocess.run([sys.executable, "-c", there]).returncode:
        raise EditionError("nbgrader is not installed: pip install -e '.[classroom]'")


@contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """Make a temporary folder in the target, and the target if it is missing.

    Both are removed again if they are empty at the end.
    """
    missing = [path for path in (target, *target.parents) if not path.exists()]
    target.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(
            prefix=".new-", dir=target, ignore_cleanup_errors=True
        ) as aside:
            yield Path(aside)
    finally:
        with suppress(OSError):  # it isn't empty
            for path in missing:
                path.rmdir()


def swap(new: Path, place: Path) -> None:
    """Move a folder to its destination; an older folder there moves back, to be deleted."""
    old = new.with_name(f"{new.name}.old")
    place.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(place):
        os.rename(place, old)
    try:
        os.rename(new, place)
    except BaseException:
        if os.path.lexists(old):
            os.rename(old, place)
        raise


def text(notebook: Notebook) -> str:
    """Return the text of the notebook's file."""
    written: str = nbformat.writes(notebook)
    return written.rstrip("\n") + "\n"


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Make a new folder with these files."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")


def release(course: Path, config: str = CONFIG) -> None:
    """Have nbgrader make the class's edition from source/, in a new course."""
    (course / "nbgrader_config.py").write_text(config, encoding="utf-8", newline="\n")
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", COURSE, "--force"]
    done = subprocess.run(
        [*command, "--no-db"], cwd=course, capture_output=True, encoding="utf-8", errors="replace"
    )
    if done.returncode or not (course / "release" / COURSE).is_dir():
        raise EditionError(f"nbgrader generate_assignment failed:\n{done.stderr}")


# ------------------------------------------------------------------------------------ the exercises


def exercises_of(notebook: Notebook) -> Iterator[tuple[Exercise, Cell, Cell]]:
    """Return each exercise in the notebook, with its cells for the stub and the check.

    Raises:
        EditionError: one of the two is missing, or the check belongs to another exercise.
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
    """Return the source of the cell that checks the exercise."""
    return f'check("{exercise.name}", {exercise.handed})'


def left_out(notebooks: Any, hidden: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each exercise in no notebook. EditionError if it has a hidden test."""
    there = {exercise.name for one in notebooks for exercise, _, _ in exercises_of(one)}
    for name in sorted(hidden.keys() - there):
        raise EditionError(f"there is a hidden test for {name}, which no notebook has")
    missing = [name for name in EXERCISES if name not in there]
    if missing:
        yield f"left out, because no notebook has their cells: {', '.join(missing)}"


# ----------------------------------------------------------------------------------------- solved


def solve(notebook: Notebook) -> Notebook:
    """Return the notebook with each stub replaced by the solution, not yet run."""
    notebook = deepcopy(notebook)
    for exercise, stub, _ in exercises_of(notebook):
        stub.source = exercise.solved
    return notebook


# ---------------------------------------------------------------------------------------- running


def execute(notebook: Notebook) -> Notebook:
    """Run the notebook in a new kernel and an empty folder, and drop what varies between runs.

    Raises:
        FailedError: a cell has failed.
    """
    from nbclient.exceptions import CellExecutionError

    from kvlib.classroom.kernel import (
        Client,
        environment,
    )  # takes a second, and only running needs it

    notebook = deepcopy(notebook)
    ran: list[Cell] = []

    def begin(cell: Cell, cell_index: int) -> None:
        ran.append(cell)

    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as ipython,
    ):
        client = Client(
            notebook,
            extra_arguments=[
                "--log-level=ERROR"
            ],  # without the warning that other users might listen
            coalesce_streams=True,  # how prints are grouped into messages depends on the clock
            kernel_name="python3",
            on_cell_start=begin,
            record_timing=False,
            resources={"metadata": {"path": folder}},
            store_widget_state=False,
            timeout=SECONDS,
        )
        try:
            client.execute(env=environment(ipython))
        except CellExecutionError as error:
            plain = COLOURS.sub("", f"{error}")
            raise FailedError(
                f"the cell {ran[-1].get('id')} has failed:\n{plain}", ran[-1]
            ) from error
        except (RuntimeError, TimeoutError) as error:  # its kernel has died or was too slow
            where = f"the cell {ran[-1].get('id')} has failed: " if ran else ""
            raise FailedError(f"{where}{COLOURS.sub('', str(error))}", *ran[-1:]) from error
    clean(notebook)
    return notebook


def clean(notebook: Notebook) -> None:
    """Drop what differs between machines and runs."""
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":  # its frames name this machine's files
                output["traceback"] = [f"{output.ename}: {output.evalue}"]
            if "data" in output:
                output["data"].pop(WIDGET_VIEW, None)
                output["metadata"] = {}


def require_right(notebook: Notebook) -> None:
    """Raise EditionError, with the check's text, for a check that isn't right."""
    for exercise, _, check in exercises_of(notebook):
        said = "".join(output.data["text/plain"] for output in check.outputs if "data" in output)
        if said.partition("\n")[0] != f"{exercise.name}: right":
            raise EditionError(f"the solution does not pass: {said or exercise.name}")


# --------------------------------------------------------------------------------------- nbgrader


def source(notebook: Notebook, hidden: Mapping[str, str]) -> Notebook:
    """Return the notebook as nbgrader wants it: solutions between marks, points, hidden tests.

    The solution follows the stub and redefines it, so nbgrader releases the stub alone.
    """
    notebook = deepcopy(notebook)
    for exercise, stub, check in exercises_of(notebook):
        stub.source = f"{stub.source}\n### BEGIN SOLUTION\n{exercise.solved}\n### END SOLUTION"
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
    """Return a teacher's own tests by exercise: the code of "01-encode-field.py", for instance.

    They run after the exercise's check, in the learner's notebook and with its definitions. An
    exception fails the exercise.

    Raises:
        EditionError: the folder is missing, or a file isn't named after an exercise or isn't
            Python. The message begins with the file's path.
    """
    if not overlay.is_dir():
        raise EditionError(f"there is no folder {overlay}")
    found = {}
    for path in sorted(overlay.glob("*.py")):
        try:
            if not path.is_file():  # reading a pipe could block forever
                raise ValueError("it is not a file")
            code = path.read_text(encoding="utf-8-sig")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(code, str(path), "exec")
            found[find(path.stem).name] = code
        except Exception as error:  # an unreadable file, not UTF-8, RecursionError
            raise EditionError(f"{path}: {error}") from error
    return found


def _try_hidden_tests(notebook: Notebook, overlay: Path) -> None:
    try:
        execute(notebook)
    except FailedError as error:
        names = {exercise.cells[1]: exercise.name for exercise in EXERCISES.values()}
        name = names.get(error.cell["id"]) if error.cell else None
        test = overlay / f"{name}.py" if name else overlay
        raise EditionError(f"{test}: a hidden test rejects the solution: {error}") from error


# ------------------------------------------------------------------------------------------- HTML


def page(notebook: Notebook, name: str) -> str:
    """Return the notebook as a self-contained page, with links to the other pages."""
    from nbconvert import HTMLExporter  # takes a second

    exporter = HTMLExporter(raw_template=PAGE, embed_images=True)
    resources = {"metadata": {"name": Path(name).stem}}
    body: str
    body, _ = exporter.from_notebook_node(notebook, resources=resources)
    return re.sub(r'(<a href="[\w-]+)\.ipynb([#"])', r"\1.html\2", body).rstrip("\n") + "\n"
