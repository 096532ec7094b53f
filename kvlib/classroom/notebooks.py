"""Find the exercises in a notebook, and run a notebook for its outputs."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Final

import nbformat

from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise

ATTEMPTS: Final = 3  # to start a kernel, because another program may take its ports meanwhile
SECONDS: Final = 120  # per cell
WIDGET_VIEW: Final = "application/vnd.jupyter.widget-view+json"  # needs a running kernel
# Only these of Python's environment variables are passed on. PYTHONOPTIMIZE, for instance, would
# remove the asserts of hidden tests.
PASSED_ON: Final = {"PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONPATH", "PYTHONUSERBASE"}

Notebook = nbformat.NotebookNode
Cell = nbformat.NotebookNode


class ClassroomError(Exception):
    """A teacher's command can't do its work with these files, or on this machine."""


class CellError(ClassroomError):
    """A notebook has failed in the cell with this id; it is "" if no cell has begun."""

    def __init__(self, message: str, cell: str) -> None:
        super().__init__(message)
        self.cell = cell


def exercises_of(notebook: Notebook) -> Iterator[tuple[Exercise, Cell, Cell]]:
    """Yield each exercise in the notebook, with the cells of its stub and its check.

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


def text(notebook: Notebook) -> str:
    """Return the text of the notebook's file."""
    written: str = nbformat.writes(notebook)
    return written.rstrip("\n") + "\n"


@contextmanager
def temporary_folder() -> Iterator[str]:
    """Make a temporary folder, and delete as much of it as a learner's code lets us delete."""
    folder = tempfile.mkdtemp(prefix="kvlib-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment(folder: str) -> dict[str, str]:
    """Return a process's environment variables. IPython looks for its files in `folder`."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") or name in PASSED_ON
    }
    return {**inherited, "IPYTHONDIR": folder}


def execute(notebook: Notebook) -> Notebook:
    """Return a copy that was run in a new kernel and an empty folder, without what varies.

    Raises:
        CellError: a cell has failed, or no kernel can be started.
    """
    from nbclient import NotebookClient  # takes a second
    from nbclient.exceptions import CellExecutionError

    notebook = deepcopy(notebook)
    begun: list[str] = []
    with temporary_folder() as folder, temporary_folder() as private:
        for left in reversed(range(ATTEMPTS)):
            client = NotebookClient(
                notebook,
                coalesce_streams=True,  # how prints are grouped into messages depends on the clock
                extra_arguments=["--log-level=ERROR"],  # no warning that other users might listen
                kernel_name="python3",
                on_cell_start=lambda cell, cell_index: begun.append(f"{cell.get('id')}"),
                record_timing=False,
                resources={"metadata": {"path": folder}},
                store_widget_state=False,
                timeout=SECONDS,
            )
            try:
                client.execute(env=environment(private))
                break
            except (CellExecutionError, RuntimeError, TimeoutError) as error:
                if hasattr(client, "_async_cleanup_kernel_future"):
                    raise KeyboardInterrupt from error  # nbclient has killed the kernel for it
                message = re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", f"{error}")  # without colours
                if begun:
                    where = f"the cell {begun[-1]} has failed:\n{message}"
                    raise CellError(where, begun[-1]) from error
                if not left:
                    raise CellError(message, "") from error
    clean(notebook)
    return notebook


def clean(notebook: Notebook) -> None:
    """Drop what differs between runs and machines."""
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":  # a traceback names this machine's files
                output["traceback"] = [f"{output.ename}: {output.evalue}"]
            if "data" in output:
                output["data"].pop(WIDGET_VIEW, None)
                output["metadata"] = {}
