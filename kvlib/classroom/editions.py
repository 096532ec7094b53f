"""Make the teacher's editions of the notebooks from the learner's edition and the solutions.

    solved/          each stub replaced by its solution; run, and every check is right
    source/kvlib/    for nbgrader: solutions between marks, and points for each check
    release/kvlib/   the class's edition, which nbgrader's generate_assignment makes from source/
    html/            learner/ and solved/ as pages that can be read without a network
    nbgrader_config.py

An exercise's cells are found by their ids, and its points are in its data, so the learner's
notebooks don't mention nbgrader. The same notebooks give the same bytes.
"""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import nbformat

from kvlib.classroom.notebooks import (
    SECONDS,
    Cell,
    CellError,
    ClassroomError,
    Notebook,
    check_call,
    execute,
    exercises_of,
    text,
)
from kvlib.classroom.resume import replace
from kvlib.lessons.catalogue import EXERCISES, find
from kvlib.lessons.source_code import solved

COURSE: Final = "kvlib"  # the name of the course and of its only assignment
FOLDERS: Final = (
    "solved",
    "html/learner",
    "html/solved",
    f"source/{COURSE}",
    f"release/{COURSE}",
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


def build(notebooks: Path, target: Path, overlay: Path | None = None) -> Iterator[str]:
    """Make all editions, and yield a line for each result.

    They are made in a temporary folder inside the target, and moved at the end. If anything fails
    before that, the earlier ones are still there.

    Args:
        notebooks: the folder of the learner's notebooks, which is only read.
        target: the folder for the editions. Those of an earlier run are replaced; other files are
            left alone.
        overlay: a folder of hidden tests: see `hidden_tests`.

    Raises:
        ClassroomError: no edition can be made from these files, or nbgrader can't be run.
        OSError: the target can't be written.
    """
    learner = {path.name: _read(path) for path in sorted(notebooks.glob("*.ipynb"))}
    if not learner:
        raise ClassroomError(f"there is no notebook in {notebooks}")
    hidden = hidden_tests(overlay) if overlay else {}
    missing = list(left_out(learner, hidden))
    _require_apart(target, notebooks, overlay)
    if not importlib.util.find_spec("nbgrader"):  # it is needed only after minutes of work
        raise ClassroomError("nbgrader is not installed: pip install -e '.[classroom]'")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, ignore_cleanup_errors=True) as folder:
        yield from missing
        new = Path(folder)
        config = target / "nbgrader_config.py"
        _make_all(new, learner, hidden, overlay)
        # A teacher may have extended the configuration.
        release(new, config.read_text(encoding="utf-8") if config.exists() else CONFIG)
        for number, name in enumerate(FOLDERS):
            (target / name).parent.mkdir(exist_ok=True)
            if os.path.lexists(target / name):
                os.rename(target / name, new / f"old-{number}")
            os.rename(new / name, target / name)
            names = sorted(path.name for path in (target / name).iterdir())
            yield f"{target / name}: {', '.join(names)}"
        if not config.exists():
            replace(config, CONFIG.encode())


def _make_all(
    new: Path, learner: Mapping[str, Notebook], hidden: Mapping[str, str], overlay: Path | None
) -> None:
    finished = {name: execute(solve(notebook)) for name, notebook in learner.items()}
    for notebook in finished.values():
        require_right(notebook)
    sources = {name: source(notebook, hidden) for name, notebook in learner.items()}
    if overlay and hidden:
        for notebook in sources.values():
            _try_hidden_tests(notebook, overlay)
    for folder, notebooks in ("solved", finished), (f"source/{COURSE}", sources):
        _write(new / folder, {name: text(notebook) for name, notebook in notebooks.items()})
    for edition, notebooks in ("learner", learner), ("solved", finished):
        pages = {f"{Path(name).stem}.html": page(one, name) for name, one in notebooks.items()}
        _write(new / "html" / edition, pages)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")


def _read(path: Path) -> Notebook:
    try:
        notebook: Notebook = nbformat.read(path, as_version=4)
        list(exercises_of(notebook))
    except ClassroomError as error:
        raise ClassroomError(f"{path}: {error}") from error
    except Exception as error:  # anything can be wrong with the file
        why = f"{type(error).__name__}: {error}"
        raise ClassroomError(f"{path} is not a notebook: {why}") from error
    return notebook


def left_out(notebooks: Mapping[str, Notebook], hidden: Mapping[str, str]) -> Iterator[str]:
    """Yield a line that lists the exercises in no notebook, if there are any.

    Raises:
        ClassroomError: one of them has a hidden test.
    """
    there = {exercise.name for one in notebooks.values() for exercise, _, _ in exercises_of(one)}
    for name in sorted(hidden.keys() - there):
        raise ClassroomError(f"there is a hidden test for {name}, which no notebook has")
    missing = [name for name in EXERCISES if name not in there]
    if missing:
        yield f"left out, because no notebook has their cells: {', '.join(missing)}"


def _require_apart(target: Path, notebooks: Path, overlay: Path | None) -> None:
    """Raise ClassroomError if making the editions would replace what they are made from."""
    for read in filter(None, (notebooks, overlay)):
        if target.resolve().is_relative_to(read.resolve()):
            raise ClassroomError(f"{target} is in {read}, which is only read")
        for name in FOLDERS:
            if read.resolve().is_relative_to((target / name).resolve()):
                raise ClassroomError(f"{read} is in {target / name}, which is made anew")


def solve(notebook: Notebook) -> Notebook:
    """Return a copy of the notebook, not yet run, with each stub replaced by its solution."""
    notebook = deepcopy(notebook)
    for exercise, stub, _ in exercises_of(notebook):
        stub.source = solved(exercise)
    return notebook


def require_right(notebook: Notebook) -> None:
    """Raise ClassroomError, with the check's feedback, if a check in the notebook isn't right."""
    for exercise, _, check in exercises_of(notebook):
        said = "".join(output.data["text/plain"] for output in check.outputs if "data" in output)
        if said.partition("\n")[0] != f"{exercise.name}: right":
            raise ClassroomError(f"the solution does not pass: {said or exercise.name}")


# ---------------------------------------------------------------------------------------- nbgrader


def source(notebook: Notebook, hidden: Mapping[str, str]) -> Notebook:
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


def release(course: Path, config: str = CONFIG) -> None:
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


def hidden_tests(overlay: Path) -> dict[str, str]:
    """Return the code of a teacher's own tests: "01-encode-field.py" tests "01-encode-field".

    A test runs after the exercise's check, in the learner's notebook and with its definitions. If
    it raises an exception, the learner fails the exercise.

    Raises:
        ClassroomError: the folder is missing, or a file isn't named after an exercise or isn't
            Python. The message begins with the file's path.
    """
    if not overlay.is_dir():
        raise ClassroomError(f"there is no folder {overlay}")
    found = {}
    for path in sorted(overlay.glob("*.py")):
        try:
            code = path.read_text(encoding="utf-8-sig")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(code, str(path), "exec")
            found[find(path.stem).name] = code
        except Exception as error:  # an unreadable file, not UTF-8, RecursionError
            raise ClassroomError(f"{path}: {error}") from error
    return found


def _try_hidden_tests(notebook: Notebook, overlay: Path) -> None:
    try:
        execute(notebook)
    except CellError as error:
        name = error.cell.removesuffix("-check")
        test = overlay / f"{name}.py" if name in EXERCISES else overlay
        raise ClassroomError(f"{test}: a hidden test rejects the solution: {error}") from error


# -------------------------------------------------------------------------------------------- HTML


def page(notebook: Notebook, name: str) -> str:
    """Return the notebook as a self-contained page, with links to the other pages."""
    from nbconvert import HTMLExporter  # takes a second

    exporter = HTMLExporter(raw_template=PAGE, embed_images=True)
    resources = {"metadata": {"name": Path(name).stem}}
    body: str
    body, _ = exporter.from_notebook_node(notebook, resources=resources)
    return re.sub(r'(<a href="[\w-]+)\.ipynb([#"])', r"\1.html\2", body).rstrip("\n") + "\n"
