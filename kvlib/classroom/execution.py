"""Run a notebook, and drop what differs between runs and machines from its outputs."""

import re
from copy import deepcopy
from typing import Final

from kvlib.classroom.errors import CellError, ClassroomError
from kvlib.classroom.exercise_cells import Cell, Notebook, exercises_of

COLOURS: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # IPython's and any others
SECONDS: Final = 120  # per cell
WIDGET_VIEW: Final = "application/vnd.jupyter.widget-view+json"  # needs a running kernel


def execute(notebook: Notebook) -> Notebook:
    """Return a copy of the notebook that was run in a new kernel and an empty folder, and cleaned.

    Raises:
        CellError: a cell failed, or no kernel can be started.
    """
    from nbclient.exceptions import CellExecutionError  # takes a second

    from kvlib.classroom.kernel import Client, environment, temporary_folder

    notebook = deepcopy(notebook)
    started: list[Cell] = []
    with temporary_folder() as folder, temporary_folder() as private:
        client = Client(
            notebook,
            coalesce_streams=True,  # how prints are grouped into messages depends on the clock
            extra_arguments=["--log-level=ERROR"],  # no warning that other users might listen
            kernel_name="python3",
            on_cell_start=lambda cell, cell_index: started.append(cell),
            record_timing=False,
            resources={"metadata": {"path": folder}},
            store_widget_state=False,
            timeout=SECONDS,
        )
        try:
            client.execute(env=environment(private))
        except (CellExecutionError, RuntimeError, TimeoutError) as error:
            raise _failure(error, started) from error
    clean(notebook)
    return notebook


def _failure(error: Exception, started: list[Cell]) -> CellError:
    message = COLOURS.sub("", f"{error}")
    if not started:  # there was no kernel
        return CellError(message)
    return CellError(f"the cell {started[-1].get('id')} has failed:\n{message}", started[-1])


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


def require_right(notebook: Notebook) -> None:
    """Raise ClassroomError, with the check's feedback, if a check in the notebook isn't right."""
    for exercise, _, check in exercises_of(notebook):
        shown = "".join(output.data["text/plain"] for output in check.outputs if "data" in output)
        if shown.partition("\n")[0] != f"{exercise.name}: right":
            raise ClassroomError(f"the solution does not pass: {shown or exercise.name}")
