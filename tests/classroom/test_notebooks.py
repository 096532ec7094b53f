"""Notebooks that are run for their outputs."""

import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook, new_output

from helpers.small_notebooks import small, write_all
from kvlib.classroom.editions import solve, text
from kvlib.classroom.notebooks import ATTEMPTS, WIDGET_VIEW, ClassroomError, clean, execute
from kvlib.lessons.catalogue import EXERCISES
from tools import notebooks as notebook_tool


def dying(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let this many kernels die before they are ready, with nbclient's own error."""
    start, left = NotebookClient.async_setup_kernel, [None] * times

    @asynccontextmanager
    async def setup(client: NotebookClient, **options: Any) -> AsyncGenerator[None]:
        if left:
            left.pop()
            raise RuntimeError("Kernel died before replying to kernel_info")
        async with start(client, **options):
            yield

    monkeypatch.setattr(NotebookClient, "async_setup_kernel", setup)


def test_a_kernel_that_dies_at_its_start_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """All cells run as if nothing had happened."""
    dying(monkeypatch, ATTEMPTS - 1)
    made = execute(new_notebook(cells=[new_code_cell("1 + 1")]))
    assert made.cells[0].outputs[0]["data"]["text/plain"] == "2"


def test_kernels_that_all_die_are_no_cells_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are only so many attempts, and the error names no cell."""
    dying(monkeypatch, ATTEMPTS)
    with pytest.raises(ClassroomError, match=r"^Kernel died"):
        execute(new_notebook(cells=[new_code_cell("1 + 1")]))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os._exit(1)", "the cell last has failed:\n"),
        ("raise Exception('\\x1b[31mred')", "the cell last has failed:\n(?s:.*)Exception: red"),
    ],
)
def test_a_failing_cell_is_named_in_plain_text(code: str, said: str) -> None:
    """The message doesn't have the colours of a terminal."""
    with pytest.raises(ClassroomError, match=said) as caught:
        execute(new_notebook(cells=[new_code_cell("1"), new_code_cell(code, id="last")]))
    assert "\x1b" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_ctrl_c_is_not_a_notebooks_fault() -> None:
    """It raises KeyboardInterrupt; nbclient alone would say that the kernel has died."""
    code = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        execute(new_notebook(cells=[new_code_cell(code)]))


def test_what_varies_is_not_stored() -> None:
    """A traceback's lines and a widget's number are dropped."""
    view = {WIDGET_VIEW: {"model_id": "7"}, "text/plain": "a slider"}
    outputs = [
        new_output("display_data", view, metadata={"x": 1}),
        new_output("error", ename="E", evalue="why", traceback=["in /some/where"]),
        new_output("stream", text="printed"),
    ]
    notebook = new_notebook(cells=[new_code_cell("1", outputs=outputs)])
    clean(notebook)
    shown, error, _ = notebook.cells[0].outputs
    assert (shown["data"], shown["metadata"]) == ({"text/plain": "a slider"}, {})
    assert error["traceback"] == ["E: why"]


def test_solved_notebooks_are_cleaned_like_the_committed_ones() -> None:
    """Cleaning one as the committed notebooks are cleaned changes nothing."""
    notebook = execute(solve(small([EXERCISES["01-length"], EXERCISES["01-decode-order"]])))
    again = json.loads(text(notebook))
    notebook_tool.clean(again)
    assert again == json.loads(text(notebook))


@pytest.mark.parametrize("name", ["missing.ipynb", "broken.ipynb", "folder.ipynb"])
def test_the_notebook_tool_reads_all_notebooks_before_it_runs_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the file that isn't a notebook."""
    write_all(tmp_path / "good", {"01_encode.ipynb": small([])})
    (tmp_path / "broken.ipynb").write_text('{"cells": [3]}')
    (tmp_path / "folder.ipynb").mkdir()
    monkeypatch.setattr(notebook_tool, "renew", lambda path: pytest.fail("it has run"))
    with pytest.raises(SystemExit, match="2"):
        notebook_tool.main([str(tmp_path / "good" / "01_encode.ipynb"), str(tmp_path / name)])
    assert f"{name} is not a notebook" in capsys.readouterr().err
