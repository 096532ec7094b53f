"""The smallest notebooks that hold all the exercises, to build editions of and to grade."""

from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from kvlib.classroom.editions import text
from kvlib.classroom.notebooks import Cell, Notebook
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise

NAMES = {"01": "01_encode", "02": "02_segment", "03": "03_log"}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def cells_of(exercise: Exercise) -> list[Cell]:
    """Give the prose, the stub and the check of an exercise."""
    stub, check = exercise.cells
    return [
        new_markdown_cell(f"### {exercise.name}\n\n{exercise.task}", id=f"{exercise.name}-task"),
        new_code_cell(exercise.stub, id=stub),
        new_code_cell(exercise.call, id=check),
    ]


def small(exercises: Iterable[Exercise], name: str = "01_encode") -> Notebook:
    """Give a notebook with these exercises, not yet run."""
    links = "".join(f"[{other}]({other}.ipynb) " for other in NAMES.values())
    cells = [
        new_markdown_cell(f"# {name}\n\n{links}", id="small-title"),
        new_code_cell("from kvlib.lessons import check", id="small-setup"),
        *(cell for exercise in exercises for cell in cells_of(exercise)),
    ]
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    made: Notebook = new_notebook(cells=cells, metadata=metadata)
    return made


def notebooks() -> dict[str, Notebook]:
    """Give a notebook for each number, with all the exercises of that number."""
    made = {}
    for number, name in NAMES.items():
        own = [exercise for exercise in EXERCISES.values() if exercise.name.startswith(number)]
        if own:
            made[f"{name}.ipynb"] = small(own, name)
    return made


def write_all(folder: Path, made: dict[str, Notebook]) -> Path:
    """Write the notebooks into a new folder, and give it."""
    folder.mkdir(parents=True)
    for name, notebook in made.items():
        (folder / name).write_text(text(notebook), encoding="utf-8")
    return folder


def read(path: Path) -> Notebook:
    """Read a notebook."""
    found: Notebook = nbformat.read(path, as_version=4)
    return found
