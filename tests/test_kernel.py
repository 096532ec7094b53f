"""A kernel that dies at its start; see kvlib.lessons.kernel."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from kvlib.lessons.kernel import ATTEMPTS, Client


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
