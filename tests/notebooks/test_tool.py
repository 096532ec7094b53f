"""The notebook tool runs notebooks in another process, and stores their outputs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import NOTEBOOKS, ROOT, TESTS
from notebooks import rules
from notebooks.model import code, find, markdown, model_notebook
from tools.notebooks import Cell, disagreement, load, source_of, tags, write_source

NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


def run_tool(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the notebook tool, with Jupyter's own files kept in `folder`."""
    places = ["IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"]
    return subprocess.run(
        [sys.executable, "-m", "tools.notebooks", *map(str, arguments)],
        capture_output=True,
        cwd=folder,
        encoding="utf-8",
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(TESTS)]),
            **{place: str(folder / "jupyter") for place in places},
        },
        timeout=600,
    )


def write(path: Path, *cells: Cell) -> Path:
    """Write a notebook with the model's title, its set-up cell and these cells."""
    model = model_notebook()
    notebook = {**model, "metadata": {}, "cells": [*model["cells"][:3], *cells]}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.untraced
def test_sections_stand_alone(name: str, tmp_path: Path) -> None:
    """Each section runs after nothing but the set-up cell."""
    done = run_tool(tmp_path, "--sections", NOTEBOOKS / f"{name}.ipynb")
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.untraced
def test_running_again_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    """`make notebooks` changes nothing in the committed notebooks."""
    done = run_tool(tmp_path, "--check", NOTEBOOKS / f"{name}.ipynb")
    assert (done.stdout, done.returncode) == (f"{name}.ipynb: unchanged\n", 0)


def test_section_that_leans_on_another_is_named(tmp_path: Path) -> None:
    """A section that uses a name or a file from another section fails, and is named."""
    path = write(
        tmp_path / "leaning.ipynb",
        markdown("lean-first", "## First (1 min)"),
        code("lean-makes", "made = 1; open('made', 'w').close(); json.dumps('set up')"),
        markdown("lean-name", "## Name (1 min)"),
        code("lean-uses-name", "made"),
        markdown("lean-file", "## File (1 min)"),
        code("lean-uses-file", "open('made')"),
        markdown("lean-error", "## Error (1 min)"),
        code("lean-fails", "1 / 0", "raises-exception"),
    )
    done = run_tool(tmp_path, "--sections", path)
    name, file = done.stdout.splitlines()
    assert name.startswith("leaning.ipynb: Name (1 min): lean-uses-name: NameError")
    assert file.startswith("leaning.ipynb: File (1 min): lean-uses-file: FileNotFoundError")
    assert done.returncode == 1


@pytest.mark.untraced
def test_tool_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    """Anything that differs from run to run is removed, and no file is left."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    path = write(
        folder / "restless.ipynb",
        markdown("restless-start", "## Start (1 min)"),
        code("restless-files", "open('left', 'w').close()"),
        code("restless-print", "for n in range(99):\n    print(n, flush=True)"),
        code("restless-widget", "import ipywidgets\nipywidgets.IntSlider()", "interactive"),
        code("restless-error", "json.loads('?')", "raises-exception"),
    )
    raw = path.read_bytes()
    assert run_tool(tmp_path, "--check", path).returncode == 1
    assert path.read_bytes() == raw

    assert run_tool(tmp_path, path).returncode == 0
    once = path.read_bytes()
    assert run_tool(tmp_path, path).stdout == "restless.ipynb: unchanged\n"
    assert path.read_bytes() == once
    assert [left.name for left in folder.iterdir()] == ["restless.ipynb"]

    notebook = load(path)
    for rule in [
        rules.code_was_run_in_order,
        rules.nothing_is_hidden_from_nbval,
        rules.nothing_of_a_machine_is_shown,
        rules.only_what_is_needed_is_stored,
    ]:
        assert list(rule(notebook)) == []
    assert tags(find(notebook, "restless-widget")) == ["interactive"]
    assert once.endswith(b"}\n")


@pytest.mark.untraced
def test_notebook_that_fails_is_left_alone(tmp_path: Path) -> None:
    """An unexpected error stops the tool, which names the error and changes nothing."""
    path = write(
        tmp_path / "failing.ipynb",
        markdown("failing-start", "## Start (1 min)"),
        code("failing-cell", "1 / 0"),
    )
    raw = path.read_bytes()
    done = run_tool(tmp_path, path)
    assert "ZeroDivisionError" in done.stderr
    assert (path.read_bytes(), done.returncode) == (raw, 1)


@pytest.mark.untraced
def test_an_edit_of_the_source_reaches_the_notebook(tmp_path: Path) -> None:
    """A notebook is built from its source: an edited cell is run again, under the same id."""
    path = write(tmp_path / "edited.ipynb", code("edited-cell", "print('before')", "setup"))
    source = source_of(path)
    source.parent.mkdir()
    source.write_text(write_source(load(path)).replace("before", "after"), encoding="utf-8")
    done = run_tool(tmp_path, path)
    assert (done.stdout, done.returncode) == ("edited.ipynb: renewed\n", 0)
    cell = find(load(path), "edited-cell")
    assert (cell["source"], cell["outputs"][0]["text"]) == ("print('after')", ["after\n"])
    assert disagreement(path) == ""
