"""Run a notebook for its outputs, and drop what differs between runs and machines from them."""

import os
import re
from copy import deepcopy
from tempfile import TemporaryDirectory
from typing import Final

import nbformat

ATTEMPTS: Final = 3  # to start a kernel, because another program may take its ports meanwhile
SECONDS: Final = 120  # per cell
WIDGET_VIEW: Final = "application/vnd.jupyter.widget-view+json"  # needs a running kernel

Notebook = nbformat.NotebookNode
Cell = nbformat.NotebookNode


class ClassroomError(Exception):
    """A teacher's command can't do its work with these files, or on this machine."""


def execute(notebook: Notebook) -> Notebook:
    """Return a copy that was run in a new kernel and folder. Raises ClassroomError if it fails."""
    from nbclient import NotebookClient  # takes a second

    notebook = deepcopy(notebook)
    begun: list[str] = []
    with TemporaryDirectory() as folder, TemporaryDirectory() as ipython:
        left = ATTEMPTS
        while True:
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
                client.execute(env=os.environ | {"IPYTHONDIR": ipython})  # without its user's files
                break
            except Exception as error:  # of many kinds, from a notebook and from nbclient
                left -= 1
                if hasattr(client, "_async_cleanup_kernel_future"):
                    raise KeyboardInterrupt from error  # nbclient has killed the kernel for it
                message = re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", f"{error}")  # without colours
                if begun:
                    message = f"the cell {begun[-1]} has failed:\n{message}"
                if begun or not left:
                    raise ClassroomError(message) from error
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
