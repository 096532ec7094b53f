"""What the rules ask of a notebook: its headings, words, questions and exercises."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise
from kvlib.lessons.glossary import is_form
from tools.notebooks import Cell, Notebook


def code_cells(notebook: Notebook) -> list[Cell]:
    """Give the code cells."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def prose(cell: Cell) -> str:
    """Give a markdown cell's text without its fenced code; nothing for a code cell."""
    if cell["cell_type"] != "markdown":
        return ""
    return re.sub(r"^(```|~~~).*?^\1", "", cell["source"], flags=re.DOTALL | re.MULTILINE)


def headings(notebook: Notebook) -> list[tuple[int, str]]:
    """Give each heading's level and title."""
    text = "\n".join(prose(cell) for cell in notebook["cells"])
    return [(len(marks), title) for marks, title in re.findall(r"^(#{1,6}) +(.+)$", text, re.M)]


def spine(notebook: Notebook) -> Notebook:
    """Give the part that every learner reads: all before the workshop and what goes further."""
    cells = notebook["cells"]
    ends = (
        number
        for number, cell in enumerate(cells)
        if re.match(r"## +(Workshop|Going further)", prose(cell))
    )
    return {**notebook, "cells": cells[: next(ends, len(cells))]}


def shown(output: dict[str, Any]) -> str:
    """Give all the text in an output; a picture's base64 is no text."""
    if output["output_type"] == "stream":
        return "".join(output["text"])
    if output["output_type"] == "error":
        return "\n".join([output["ename"], output["evalue"], *output["traceback"]])
    return json.dumps({kind: data for kind, data in output["data"].items() if kind != "image/png"})


def lesson(exercise: Exercise) -> str:
    """Give the number of the notebook that an exercise belongs to: "01"."""
    return exercise.name.partition("-")[0]


def set_exercises(notebook: Notebook) -> list[Exercise]:
    """Give all exercises of each lesson of which at least one has a cell here."""
    ids = {cell.get("id") for cell in notebook["cells"]}
    begun = {lesson(one) for one in EXERCISES.values() if ids.intersection(one.cells)}
    return [one for one in EXERCISES.values() if lesson(one) in begun]


def section_minutes(notebook: Notebook) -> Iterator[tuple[str, int, list[Cell]]]:
    """Give each section's title, the minutes that it promises, and its cells."""
    cells = notebook["cells"]
    begins = [number for number, cell in enumerate(cells) if prose(cell).startswith("## ")]
    for begin, end in pairwise([*begins, len(cells)]):
        title = prose(cells[begin]).partition("\n")[0]
        found = re.search(r"\((\d+) min\)$", title)
        yield title, int(found[1]) if found else 0, cells[begin:end]


def beyond(notebook: Notebook) -> Notebook:
    """Give the part that follows the spine: the workshop, and what goes further."""
    return {**notebook, "cells": notebook["cells"][len(spine(notebook)["cells"]) :]}


def number_of(notebook: Notebook) -> int:
    """Give the notebook's number, which is that of its exercises."""
    return int(lesson(set_exercises(notebook)[0]))


def terms(notebook: Notebook) -> list[str]:
    """Give what is set as a new term, in small letters; a line may end within it."""
    return _set_off(notebook, r"\*\*_(.+?)_\*\*")


def in_italics(notebook: Notebook) -> list[str]:
    """Give what is set in italics, and not bold, in small letters."""
    return _set_off(notebook, r"(?<!\*)\*(?![\s*])([^*]+)\*(?!\*)")


def _set_off(notebook: Notebook, pattern: str) -> list[str]:
    text = "\n\n".join(prose(cell) for cell in notebook["cells"])
    found = re.findall(pattern, re.sub(r"`[^`]*`", "", text), flags=re.DOTALL)
    return [" ".join(one.lower().split()) for one in found]


def abilities(notebook: Notebook) -> list[tuple[str, int]]:
    """Give what stands in the lists of what one can do afterwards, with minutes or 0."""
    found = []
    for cell in notebook["cells"]:
        _, _, below = prose(cell).partition("**Afterwards you can**")
        items = re.match(r".*\n\n((?:- .+(?:\n +.+)*\n?)*)", below)
        for item in re.split(r"^- ", items[1] if items else "", flags=re.M)[1:]:
            ability = re.fullmatch(r"(.+?)(?: \((\d+)(?: minutes)?\))?[;.]", " ".join(item.split()))
            found.append((ability[1], int(ability[2] or 0)) if ability else (item, 0))
    return found


def questions(notebook: Notebook) -> list[tuple[int, str, str]]:
    """Give number, head and all that follows for each question under "Check yourself"."""
    found: list[tuple[int, str, str]] = []
    for cell in notebook["cells"]:
        for text in re.split(r"^### Check yourself.*$", prose(cell), flags=re.M)[1:]:
            asked = re.split(r"^\*\*(\d+)\. (.+?)\*\*", text, flags=re.M | re.DOTALL)[1:]
            for number, head, below in zip(asked[::3], asked[1::3], asked[2::3], strict=True):
                found.append((int(number), " ".join(head.split()), below))
    return found


def exercises_in(part: Notebook) -> list[Exercise]:
    """Give the exercises whose stub stands in this part, in the order of the cells."""
    stubs = {one.cells[0]: one for one in EXERCISES.values()}
    return [stubs[cell["id"]] for cell in code_cells(part) if cell.get("id") in stubs]


def form_of(text: str, names: list[str]) -> str | None:
    """Give the one of these names that the text is a form of."""
    return next((name for name in names if is_form(text, name)), None)
