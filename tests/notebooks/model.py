"""The smallest notebook that keeps every rule, for tests that break one rule at a time."""

import copy

from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise
from kvlib.lessons.glossary import WORDS, Word, glossary
from notebooks.reading import code_cells, lesson
from notebooks.rules import SPINE_MINUTES
from tools.notebooks import NOTEBOOK_METADATA, Cell, Notebook, folded, text_of

QUESTION = "**Predict.** What will it show?\n\n- (a) {n}11\n- (b) {n}22\n- (c) {n}33"


def markdown(name: str, source: str, *tags: str) -> Cell:
    """Return a Markdown cell."""
    return {
        "cell_type": "markdown",
        "id": name,
        "metadata": {"tags": list(tags)},
        "source": source,
    }


def code(name: str, source: str, *tags: str) -> Cell:
    """Return a code cell that was not run."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {"tags": list(tags)},
        "outputs": [],
        "source": source,
    }


def exercise_cells(exercise: Exercise) -> list[Cell]:
    """Return an exercise's three cells, not tried yet."""
    stub, check = exercise.cells
    cells = [
        markdown(f"model-{exercise.name}", exercise.heading),
        code(stub, exercise.stub),
        code(check, exercise.call),
    ]
    data = {"text/plain": [f"○ {exercise.name}: not tried yet"]}
    cells[-1]["outputs"] = [{"output_type": "execute_result", "data": data, "metadata": {}}]
    return cells


def listed(exercises: list[Exercise], after: str = "") -> str:
    """Return the list of objectives."""
    items = (f"- {one.objective}{after.format(one.minutes)};" for one in exercises)
    return "\n".join(["**Afterwards you can**", "", *items])


def asking(exercises: list[Exercise], first: int) -> str:
    """Return a question for each exercise, with its answer folded."""
    folded = "<details><summary>Answer</summary>\n\nSo.\n\n</details>"
    numbered = enumerate(exercises, start=first)
    return "\n\n".join(
        f"**{n}. Can you {one.objective}?** Well?\n\n{folded}" for n, one in numbered
    )


def marked(word: Word) -> str:
    """Return a word in the type that introduces it: bold italics for a term, else italics."""
    return " ".join(f"**_{name}_**" if word.term else f"*{name}*" for name in word.names)


def model_notebook() -> Notebook:
    """Return the smallest notebook that keeps every rule."""
    exercises = [one for one in EXERCISES.values() if lesson(one) == "01"]
    in_spine = [one for one in exercises if one.minutes <= SPINE_MINUTES]
    in_workshop = [one for one in exercises if one not in in_spine]
    words = ", ".join(marked(word) for word in WORDS if word.notebook == 1)
    start = f"## Start (21 min)\n\nWords: {words}. ![A drawing](drawing.png)\n\n{listed(in_spine)}"
    time = round(1.5 * sum(one.minutes for one in in_workshop))
    cells = [
        markdown("model-title", "# A model\n\nRun each cell with Shift-Enter."),
        markdown("model-start", start),
        code("model-setup", "import json", "setup"),
        markdown("model-try", "### Try it"),
        code("model-try-slider", "json.dumps('a slider')", "interactive"),
    ]
    for number in range(6):
        name, letter = f"model-{number}", "abc"[number % 3]
        cells += [
            markdown(f"{name}-predict", QUESTION.format(n=number), "prediction"),
            code(f"{name}-run", f'predict("{name}", json.dumps, {number})', "answer"),
            markdown(f"{name}-why", folded(f"({letter}) Because."), "reason"),
        ]
        data = {
            "text/plain": [f"○ {name}: choose (a), (b) or (c)"],
            "text/html": ["<div class=a><details><summary>Choose</summary>1</details></div>"],
        }
        cells[-2]["outputs"] = [{"output_type": "execute_result", "data": data, "metadata": {}}]
    cells += [cell for one in in_spine for cell in exercise_cells(one)]
    cells += [
        markdown("model-end", f"## The end (1 min)\n\n### Check yourself\n\n{asking(in_spine, 1)}"),
        markdown("model-workshop", f"## Workshop ({time} min)\n\n{listed(in_workshop, ' ({})')}"),
        code("model-more", "json.dumps('more')"),
        *(cell for one in in_workshop for cell in exercise_cells(one)),
        markdown("model-check", f"### Check yourself again\n\n{asking(in_workshop, 4)}"),
    ]
    cells.append(markdown("model-glossary", glossary(1, text_of(cells))))
    notebook = {
        "cells": cells,
        "metadata": copy.deepcopy(NOTEBOOK_METADATA),
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    for number, cell in enumerate(code_cells(notebook), start=1):
        cell["execution_count"] = number
    return notebook


def find(notebook: Notebook, name: str) -> Cell:
    """Return the cell with this id."""
    return next(cell for cell in notebook["cells"] if cell["id"] == name)


def insert(notebook: Notebook, cell: Cell, *, before: str) -> None:
    """Insert a cell before another."""
    notebook["cells"].insert(notebook["cells"].index(find(notebook, before)), cell)


def replace(notebook: Notebook, name: str, old: str, new: str) -> None:
    """Replace text that a cell has in its source."""
    cell = find(notebook, name)
    assert old in cell["source"]
    cell["source"] = cell["source"].replace(old, new)
