"""Each notebook, opened and run from top to bottom, at two widths and in both themes.

The `lab` fixture fails a test for errors in the console and requests to other machines.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from browser.lab import Lab, outputs, read, run_all, screenshot_all, settle, unfold, violations
from helpers.paths import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=NAMES)
@pytest.mark.parametrize(("theme", "widths"), [("light", (1280, 800)), ("dark", (800, 1280))])
def test_notebook_runs_and_shuts_nobody_out(
    lab: Lab, notebook: Path, theme: str, widths: tuple[int, int]
) -> None:
    """Only cells that should fail do, and axe-core finds no fault in any output at either width."""
    page = lab.open(notebook, theme=theme, width=widths[0])
    run_all(page)
    unfold(page)
    faults = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        settle(page)
        screenshot_all(page, f"{notebook.stem}-{theme}-{width}")
        faults += [f"{width} pixels wide: {fault}" for fault in violations(page)]
    assert not faults, "\n\n".join(faults)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=NAMES)
def test_notebook_that_was_not_run_can_be_read(lab: Lab, notebook: Path) -> None:
    """Every stored output of an untrusted notebook can be read."""
    page = lab.open(notebook)
    unfold(page)
    screenshot_all(page, f"{notebook.stem}-untrusted")
    cells = read(page)["cells"]
    assert not any(cell["metadata"].get("trusted") for cell in cells if cell.get("outputs"))
    stored = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    for number, cell in enumerate(stored):
        texts = outputs(page, number).all_inner_texts()
        assert len(texts) == len(cell.get("outputs", [])), cell["id"]
        for text, output in zip(texts, cell.get("outputs", []), strict=True):
            assert is_readable(text, output), f"{cell['id']}: {text!r}"
    faults = violations(page)
    assert not faults, "\n\n".join(faults)


def is_readable(text: str, output: dict[str, Any]) -> bool:
    """Return whether the output has text; if it is stored only as text, the same text."""
    data = output.get("data", {})
    stored = output.get("text") or output.get("traceback") or data.get("text/plain", "")
    same = text.split() == "".join(stored).split()
    return bool(text.strip()) and (same or not data.keys() <= {"text/plain"})
