"""Read the headings, words, questions and exercises of a notebook."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise
from kvlib.lessons.glossary import is_form
from tools.notebooks import Cell, Notebook, tags
from tools.prose import count_words, texts_of_markdown


def code_cells(notebook: Notebook) -> list[Cell]:
    """Return the code cells."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def prose(cell: Cell) -> str:
    """Return a Markdown cell's text without its fenced code, or "" for any other cell."""
    if cell["cell_type"] != "markdown":
        return ""
    return re.sub(r"^(```|~~~).*?^\1", "", cell["source"], flags=re.DOTALL | re.MULTILINE)


def headings(notebook: Notebook) -> list[tuple[int, str]]:
    """Return each heading's level and title."""
    text = "\n".join(prose(cell) for cell in notebook["cells"])
    return [(len(marks), title) for marks, title in re.findall(r"^(#{1,6}) +(.+)$", text, re.M)]


def spine(notebook: Notebook) -> Notebook:
    """Return the part that every learner reads: it ends before the workshop or "Going further"."""
    cells = notebook["cells"]
    ends = (
        number
        for number, cell in enumerate(cells)
        if re.match(r"## +(Workshop|Going further)", prose(cell))
    )
    return {**notebook, "cells": cells[: next(ends, len(cells))]}


def shown(output: dict[str, Any]) -> str:
    """Return the text in an output, leaving out the base64 of pictures."""
    if output["output_type"] == "stream":
        return "".join(output["text"])
    if output["output_type"] == "error":
        return "\n".join([output["ename"], output["evalue"], *output["traceback"]])
    return json.dumps({kind: data for kind, data in output["data"].items() if kind != "image/png"})


def lesson(exercise: Exercise) -> str:
    """Return the number of the notebook an exercise belongs to, such as "01"."""
    return exercise.name.partition("-")[0]


def set_exercises(notebook: Notebook) -> list[Exercise]:
    """Return all exercises of each lesson that has at least one cell in this notebook."""
    ids = {cell.get("id") for cell in notebook["cells"]}
    begun = {lesson(one) for one in EXERCISES.values() if ids.intersection(one.cells)}
    return [one for one in EXERCISES.values() if lesson(one) in begun]


def section_minutes(notebook: Notebook) -> Iterator[tuple[str, int, list[Cell]]]:
    """Yield each section's title, the minutes it promises (0 if it doesn't say) and its cells."""
    cells = notebook["cells"]
    begins = [number for number, cell in enumerate(cells) if prose(cell).startswith("## ")]
    for begin, end in pairwise([*begins, len(cells)]):
        title = prose(cells[begin]).partition("\n")[0]
        found = re.search(r"\((\d+) min\)$", title)
        yield title, int(found[1]) if found else 0, cells[begin:end]


# How fast a learner is: words of prose and lines of code a minute, and the minutes of one of each.
WORDS, LINES = 150, 10
PREDICTION, VIEW, EXERCISE = 1, 3, 1.5  # an exercise takes longer than its own minutes


def minutes(part: Notebook) -> float:
    """Return how long a part takes: to read its words and code, to predict, explore and solve."""
    exercises = exercises_in(part)
    own = {name for one in exercises for name in one.cells}
    code = [cell["source"] for cell in code_cells(part) if cell["id"] not in own]
    lines = sum(1 for source in code for line in source.splitlines() if line.strip())
    words = sum(
        count_words(texts_of_markdown(cell["source"])) for cell in part["cells"] if prose(cell)
    )
    marks = [mark for cell in part["cells"] for mark in tags(cell)]
    return (
        words / WORDS
        + lines / LINES
        + PREDICTION * marks.count("prediction")
        + VIEW * marks.count("interactive")
        + EXERCISE * sum(one.minutes for one in exercises)
    )


def options(cell: Cell) -> dict[str, str]:
    """Return the options of a prediction, by letter."""
    return dict(re.findall(r"^- \(([a-z])\) (.+(?:\n {2,}.+)*)", prose(cell), re.M))


def right_options(notebook: Notebook) -> list[tuple[str, str]]:
    """Return the name and the right letter of each prediction."""
    return [
        (cell["id"].removesuffix("-why"), found[1])
        for cell in notebook["cells"]
        if "reason" in tags(cell) and (found := re.search(r"\*\*\(([abc])\)\*\*", cell["source"]))
    ]


def beyond(notebook: Notebook) -> Notebook:
    """Return the part after the spine: the workshop and "Going further"."""
    return {**notebook, "cells": notebook["cells"][len(spine(notebook)["cells"]) :]}


def number_of(notebook: Notebook) -> int:
    """Return the notebook's number, taken from its exercises."""
    return int(lesson(set_exercises(notebook)[0]))


def terms(notebook: Notebook) -> list[str]:
    """Return the new terms (bold italics), in lower case and each on one line."""
    return _set_off(notebook, r"\*\*_(.+?)_\*\*")


def in_italics(notebook: Notebook) -> list[str]:
    """Return the words in plain italics, in lower case and each on one line."""
    return _set_off(notebook, r"(?<!\*)\*(?![\s*])([^*]+)\*(?!\*)")


def _set_off(notebook: Notebook, pattern: str) -> list[str]:
    text = "\n\n".join(prose(cell) for cell in notebook["cells"])
    found = re.findall(pattern, re.sub(r"`[^`]*`", "", text), flags=re.DOTALL)
    return [" ".join(one.lower().split()) for one in found]


def abilities(notebook: Notebook) -> list[tuple[str, int]]:
    """Return each item listed under "Afterwards you can" with its minutes, or 0."""
    found = []
    for cell in notebook["cells"]:
        _, _, below = prose(cell).partition("**Afterwards you can**")
        items = re.match(r".*\n\n((?:- .+(?:\n +.+)*\n?)*)", below)
        for item in re.split(r"^- ", items[1] if items else "", flags=re.M)[1:]:
            ability = re.fullmatch(r"(.+?)(?: \((\d+)(?: minutes)?\))?[;.]", " ".join(item.split()))
            found.append((ability[1], int(ability[2] or 0)) if ability else (item, 0))
    return found


def questions(notebook: Notebook) -> list[tuple[int, str, str]]:
    """Return the number, heading and text of each question under "Check yourself"."""
    found: list[tuple[int, str, str]] = []
    for cell in notebook["cells"]:
        for text in re.split(r"^### Check yourself.*$", prose(cell), flags=re.M)[1:]:
            asked = re.split(r"^\*\*(\d+)\. (.+?)\*\*", text, flags=re.M | re.DOTALL)[1:]
            for number, head, below in zip(asked[::3], asked[1::3], asked[2::3], strict=True):
                found.append((int(number), " ".join(head.split()), below))
    return found


def exercises_in(part: Notebook) -> list[Exercise]:
    """Return the exercises with a stub in this part, in the order of the cells."""
    stubs = {one.cells[0]: one for one in EXERCISES.values()}
    return [stubs[cell["id"]] for cell in code_cells(part) if cell.get("id") in stubs]


def form_of(text: str, names: list[str]) -> str | None:
    """Return the first of these names that the text is a form of, or None."""
    return next((name for name in names if is_form(text, name)), None)
