"""A kernel that dies at its start; see kvlib.classroom.kernel."""

import json
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from kvlib.classroom.kernel import ATTEMPTS, Client, KernelError, environment, kernel


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


def run() -> Any:
    """Run a notebook of one cell; give what it shows."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    Client(notebook, kernel_name="python3").execute()
    return notebook.cells[0].outputs[0]["data"]["text/plain"]


def test_another_kernel_takes_the_place_of_one_that_died_at_its_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All cells run, as if nothing had been."""
    dying(monkeypatch, ATTEMPTS - 1)
    assert run() == "2"


def test_kernels_that_all_die_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that can't start at all is not tried for ever."""
    dying(monkeypatch, ATTEMPTS)
    with pytest.raises(RuntimeError, match="Kernel died"):
        run()


@pytest.mark.parametrize("times", [1, ATTEMPTS])
def test_a_graded_kernel_is_started_again_as_well(
    times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the third dies too, there is no kernel, and no learner is to blame."""
    start, left = KernelManager.start_kernel, [None] * times

    def dying(manager: KernelManager, **options: Any) -> Any:
        if left:
            left.pop()
            raise RuntimeError("died")
        return start(manager, **options)

    monkeypatch.setattr(KernelManager, "start_kernel", dying)
    failing = pytest.raises(KernelError, match="RuntimeError: died")
    with (
        failing if times == ATTEMPTS else nullcontext(),
        kernel(str(tmp_path), str(tmp_path)) as one,
    ):
        assert one.run("1 / 0", 60, time.monotonic() + 60).error == "ZeroDivisionError"


def test_what_changes_python_is_not_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With PYTHONOPTIMIZE no assert of a hidden test would be left."""
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    monkeypatch.setenv("PYTHONPATH", "here")
    assert "PYTHONOPTIMIZE" not in environment("there")
    assert environment("there")["PYTHONPATH"] == "here"
    assert environment("there")["IPYTHONDIR"] == "there"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_ctrl_c_is_not_a_notebooks_fault() -> None:
    """Else nbclient would end the kernel for it, and say that it has died."""
    code = "import os, signal; os.kill(os.getppid(), signal.SIGINT); import time; time.sleep(60)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    text = json.dumps(notebook)
    run = (
        "import json, nbformat\nfrom kvlib.classroom.editions import execute\n"
        f"try: execute(nbformat.from_dict(json.loads({text!r})))\n"
        "except KeyboardInterrupt: print('Ctrl-C')"
    )
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, timeout=50, text=True)
    assert done.stdout == "Ctrl-C\n", done.stderr
