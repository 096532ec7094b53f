"""What strict nbval does not see: how the notebooks are built, and that their sections stand alone.

Each rule is a function that gives one line for each place where a notebook breaks it. Beside it
stands how to break it, so that a rule which cannot fail is found out.
"""

import copy
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import kvlib
from helpers.paths import NOTEBOOKS, TESTS
from kvlib import judge
from kvlib.classroom.editions import WIDGET_VIEW, checked
from kvlib.lessons import solutions
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise
from kvlib.lessons.exercises.encode import bug_hunt
from kvlib.lessons.glossary import WORDS, Word, glossary, is_form
from kvlib.log import encode_put
from tools import notebooks as notebook_tool
from tools.notebooks import CELL_METADATA, NOTEBOOK_METADATA, Cell, Notebook, tags

NAMES = ["01_encode", "02_segment", "03_log"]

# The cell that checks an exercise, and the one with its stub, which stands above it.
STUBS = {exercise.cells[1]: exercise.cells[0] for exercise in EXERCISES.values()}
SPINE_MINUTES = 3  # an exercise that takes more belongs into the workshop

Rule = Callable[[Notebook], Iterator[str]]
Change = Callable[[Notebook], None]
RULES: list[Rule] = []
BREAKS: list[tuple[Rule, Change]] = []


def rule(function: Rule) -> Rule:
    """Add a rule."""
    RULES.append(function)
    return function


def breaks(broken: Rule) -> Callable[[Change], Change]:
    """Add a change of the model notebook that breaks a rule."""

    def add(change: Change) -> Change:
        BREAKS.append((broken, change))
        return change

    return add


# --------------------------------------------------------------------------- reading a notebook


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


# ----------------------------------------------------------------------------- a model notebook


def markdown(name: str, source: str, *tags: str) -> Cell:
    """Make a markdown cell."""
    return {
        "cell_type": "markdown",
        "id": name,
        "metadata": {"tags": list(tags)},
        "source": source,
    }


def code(name: str, source: str, *tags: str) -> Cell:
    """Make a code cell."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {"tags": list(tags)},
        "outputs": [],
        "source": source,
    }


def exercise_cells(exercise: Exercise) -> list[Cell]:
    """Make an exercise's three cells, as they are before anyone has tried it."""
    stub, check = exercise.cells
    cells = [
        markdown(f"model-{exercise.name}", "\n".join(["Yours.", *exercise.lines])),
        code(stub, exercise.stub),
        code(check, checked(exercise)),
    ]
    data = {"text/plain": [f"{exercise.name}: not tried yet"]}
    cells[-1]["outputs"] = [{"output_type": "execute_result", "data": data, "metadata": {}}]
    return cells


def listed(exercises: list[Exercise], after: str = "") -> str:
    """Make the list of what one can do afterwards."""
    items = (f"- {one.objective}{after.format(one.minutes)};" for one in exercises)
    return "\n".join(["**Afterwards you can**", "", *items])


def asking(exercises: list[Exercise], first: int) -> str:
    """Make a question for each exercise, with its answer folded."""
    folded = "<details><summary>Answer</summary>\n\nSo.\n\n</details>"
    numbered = enumerate(exercises, start=first)
    return "\n\n".join(
        f"**{n}. Can you {one.objective}?** Well?\n\n{folded}" for n, one in numbered
    )


def marked(word: Word) -> str:
    """Set a word as the notebook that introduces it does."""
    return " ".join(f"**_{name}_**" if word.term else f"*{name}*" for name in word.names)


# JupyterLab shows the first line of a folded output in grey: it must not be the answer.
ASK = 'print("Your guess?")\n'


def model_notebook() -> Notebook:
    """Make the smallest notebook that keeps all the rules."""
    exercises = [one for one in EXERCISES.values() if lesson(one) == "01"]
    in_spine = [one for one in exercises if one.minutes <= SPINE_MINUTES]
    in_workshop = [one for one in exercises if one not in in_spine]
    words = ", ".join(marked(word) for word in WORDS if word.notebook == 1)
    start = f"## Start (30 min)\n\nWords: {words}. ![A drawing](drawing.png)\n\n{listed(in_spine)}"
    time = sum(one.minutes + 1 for one in in_workshop)
    cells = [
        markdown("model-title", "# A model\n\nRun each cell with Shift-Enter."),
        markdown("model-start", start),
        code("model-setup", "import json", "setup"),
        markdown("model-try", "### Try it"),
        code("model-try-slider", "json.dumps('a slider')", "interactive"),
    ]
    for number in range(6):
        cells += [
            markdown(f"model-guess-{number}", "What will it show?", "prediction"),
            code(f"model-answer-{number}", f"{ASK}json.dumps({number})", "answer"),
        ]
        cells[-1]["metadata"]["jupyter"] = {"outputs_hidden": True}
    cells += [cell for one in in_spine for cell in exercise_cells(one)]
    cells += [
        markdown(
            "model-end", f"## Key points (4 min)\n\n### Check yourself\n\n{asking(in_spine, 1)}"
        ),
        markdown("model-workshop", f"## Workshop ({time} min)\n\n{listed(in_workshop, ' ({})')}"),
        code("model-more", "json.dumps('more')"),
        *(cell for one in in_workshop for cell in exercise_cells(one)),
        markdown("model-check", f"### Check yourself again\n\n{asking(in_workshop, 4)}"),
    ]
    cells.append(markdown("model-glossary", glossary(1, notebook_tool.text_of(cells))))
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
    """Give the cell with this id."""
    return next(cell for cell in notebook["cells"] if cell["id"] == name)


def insert(notebook: Notebook, cell: Cell, *, before: str) -> None:
    """Put a cell in front of another."""
    notebook["cells"].insert(notebook["cells"].index(find(notebook, before)), cell)


def replace(notebook: Notebook, name: str, old: str, new: str) -> None:
    """Replace text in the source of a cell."""
    cell = find(notebook, name)
    assert old in cell["source"]
    cell["source"] = cell["source"].replace(old, new)


# ---------------------------------------------------------------------------------------- rules


@rule
def code_was_run_in_order(notebook: Notebook) -> Iterator[str]:
    """A cell that was never run passes nbval."""
    for number, cell in enumerate(code_cells(notebook), start=1):
        if cell["execution_count"] != number:
            yield f"{cell['id']}: should be number {number} and is {cell['execution_count']}"


@breaks(code_was_run_in_order)
def _(notebook: Notebook) -> None:
    find(notebook, "model-more")["execution_count"] = None


@breaks(code_was_run_in_order)
def _(notebook: Notebook) -> None:
    find(notebook, "model-more")["execution_count"] += 1


@rule
def ids_are_named_and_unique(notebook: Notebook) -> Iterator[str]:
    """Jupyter makes up an id when a cell has none, and renames doubled ones in silence."""
    names = [cell.get("id", "") for cell in notebook["cells"]]
    of_exercises = {*STUBS, *STUBS.values()}
    for name, count in Counter(names).items():
        if name not in of_exercises and not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", name):
            yield f"{name!r}: is not a name like encode-first-try"
        # What Jupyter makes up: eight hex digits, or the groups of a UUID.
        if re.match(r"[0-9a-f]{8}(-|$)", name):
            yield f"{name!r}: looks made up"
        if count > 1:
            yield f"{name!r}: {count} times"


@breaks(ids_are_named_and_unique)
def _(notebook: Notebook) -> None:
    find(notebook, "model-more")["id"] = "model-end"


@breaks(ids_are_named_and_unique)
def _(notebook: Notebook) -> None:
    find(notebook, "model-more")["id"] = "b1946ac9"


@breaks(ids_are_named_and_unique)
def _(notebook: Notebook) -> None:
    find(notebook, "model-more")["id"] = "b1946ac9-2492-4d23-84c6-235b4d2611184"


@breaks(ids_are_named_and_unique)
def _(notebook: Notebook) -> None:
    del find(notebook, "model-more")["id"]


@rule
def nothing_of_a_machine_is_shown(notebook: Notebook) -> Iterator[str]:
    """Neither a path nor an address in memory: both differ for each learner."""
    path = r"/(?:home|Users|root|tmp|var/folders)\b|\bC:\\|site-packages|ipykernel_"
    machine = re.compile(rf"{path}|\bat 0x[0-9a-f]{{6,}}")
    for cell in notebook["cells"]:
        for text in [cell["source"], *map(shown, cell.get("outputs", []))]:
            if found := machine.search(text):
                yield f"{cell['id']}: {found[0]}"


@breaks(nothing_of_a_machine_is_shown)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-more", "'more'", f"open('{os.sep}tmp{os.sep}log')")


@breaks(nothing_of_a_machine_is_shown)
def _(notebook: Notebook) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": ["in site-packages/kvlib"]}
    find(notebook, "model-more")["outputs"] = [output]


@breaks(nothing_of_a_machine_is_shown)
def _(notebook: Notebook) -> None:
    data = {"text/plain": ["<Thing at 0x7f3a5c0d2e10>"]}
    find(notebook, "model-more")["outputs"] = [{"output_type": "display_data", "data": data}]


@breaks(nothing_of_a_machine_is_shown)
def _(notebook: Notebook) -> None:
    output = {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["ipykernel_7/1.py"]}
    find(notebook, "model-more")["outputs"] = [output]


@rule
def nothing_is_hidden_from_nbval(notebook: Notebook) -> Iterator[str]:
    """No cell is skipped, no output ignored; an error is there just where a tag announces it."""
    for cell in code_cells(notebook):
        marks = [tag for tag in tags(cell) if "nbval" in tag.lower()]
        marks += re.findall(r"\bNBVAL_\w+|\bPYTEST_VALIDATE\w+", cell["source"])
        if marks:
            yield f"{cell['id']}: {', '.join(marks)}"
        failed = any(output["output_type"] == "error" for output in cell["outputs"])
        if failed != ("raises-exception" in tags(cell)):
            yield f"{cell['id']}: has {'an' if failed else 'no'} error, and its tags say otherwise"


@breaks(nothing_is_hidden_from_nbval)
def _(notebook: Notebook) -> None:
    tags(find(notebook, "model-more")).append("nbval-ignore-output")


@breaks(nothing_is_hidden_from_nbval)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-more", "json", "# NBVAL_SKIP\njson")


@breaks(nothing_is_hidden_from_nbval)
def _(notebook: Notebook) -> None:
    tags(find(notebook, "model-more")).append("raises-exception")


@breaks(nothing_is_hidden_from_nbval)
def _(notebook: Notebook) -> None:
    output = {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}
    find(notebook, "model-more")["outputs"] = [output]


@rule
def only_what_is_needed_is_stored(notebook: Notebook) -> Iterator[str]:
    """No state of widgets, no versions, no settings of somebody's editor."""
    if notebook["metadata"] != NOTEBOOK_METADATA:
        yield f"the notebook's metadata: {notebook['metadata']}"
    for cell in notebook["cells"]:
        if unknown := cell["metadata"].keys() - CELL_METADATA:
            yield f"{cell['id']}: {', '.join(sorted(unknown))} in its metadata"
        for output in cell.get("outputs", []):
            if WIDGET_VIEW in output.get("data", {}):
                yield f"{cell['id']}: the view of a widget"


@breaks(only_what_is_needed_is_stored)
def _(notebook: Notebook) -> None:
    notebook["metadata"]["widgets"] = {}


@breaks(only_what_is_needed_is_stored)
def _(notebook: Notebook) -> None:
    notebook["metadata"]["language_info"]["version"] = "3.11.7"


@breaks(only_what_is_needed_is_stored)
def _(notebook: Notebook) -> None:
    find(notebook, "model-more")["metadata"]["execution"] = {}


@breaks(only_what_is_needed_is_stored)
def _(notebook: Notebook) -> None:
    data = {WIDGET_VIEW: {"model_id": "1"}}
    find(notebook, "model-more")["outputs"] = [{"output_type": "display_data", "data": data}]


@rule
def headings_form_an_outline(notebook: Notebook) -> Iterator[str]:
    """One title, no level skipped, and each section begins a cell."""
    outline = headings(notebook)
    if [level for level, _ in outline].count(1) != 1 or outline[0][0] != 1:
        yield "there is not exactly one title, at the top"
    for (above, _), (level, title) in pairwise(outline):
        if level > above + 1:
            yield f"{title}: skips a level"
    for cell in notebook["cells"]:
        if re.search(r"(?<!\A)^## ", prose(cell), re.M):
            yield f"{cell['id']}: a section begins in the middle of a cell"


@breaks(headings_form_an_outline)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-workshop", "**Afterwards", "# Another title\n\n**Afterwards")


@breaks(headings_form_an_outline)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-try", "###", "####")


@breaks(headings_form_an_outline)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-workshop", "**Afterwards", "## More (1 min)\n\n**Afterwards")


@rule
def code_is_introduced(notebook: Notebook) -> Iterator[str]:
    """A code cell follows the text that says what it is for, or checks the stub above it."""
    for above, cell in pairwise([{"cell_type": None}, *notebook["cells"]]):
        if cell["cell_type"] != "code" or STUBS.get(cell.get("id"), cell) == above.get("id"):
            continue
        if above["cell_type"] != "markdown":
            yield f"{cell['id']}: nothing introduces it"


@breaks(code_is_introduced)
def _(notebook: Notebook) -> None:
    insert(notebook, code("model-bare", "1"), before="model-more")


@breaks(code_is_introduced)
def _(notebook: Notebook) -> None:
    del notebook["cells"][:2]


@rule
def pictures_are_described(notebook: Notebook) -> Iterator[str]:
    """A picture has a text for those who do not see it."""
    for cell in notebook["cells"]:
        bare = re.findall(r"!\[\s*\]\(\S*\)", prose(cell))
        bare += [
            tag
            for tag in re.findall(r"<img\b[^>]*>", prose(cell))
            if not re.search(r"""\balt=(["']).*\S.*\1""", tag)
        ]
        for picture in bare:
            yield f"{cell['id']}: {picture}"


@breaks(pictures_are_described)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-start", "A drawing", "")


@breaks(pictures_are_described)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-start", "![A drawing](drawing.png)", '<img src="a.png" alt="">')


@rule
def spine_is_short(notebook: Notebook) -> Iterator[str]:
    """What every learner reads fits into a head, and into the time that it promises."""
    part = spine(notebook)
    new = set(terms(part))
    for what, count, most in [
        ("code cells", len(code_cells(part)), 30),
        ("interactive views", sum("interactive" in tags(cell) for cell in part["cells"]), 3),
        (f"new terms ({', '.join(sorted(new))})", len(new), 8),
    ]:
        if count > most:
            yield f"{count} {what}, and at most {most} are wanted"
    for cell in code_cells(notebook):
        if cell["id"] in STUBS.values():
            continue  # it brings its own imports, and blank lines around them
        if (lines := cell["source"].count("\n") + 1) > 12:
            yield f"{cell['id']}: {lines} lines, and at most 12 are wanted"


@breaks(spine_is_short)
def _(notebook: Notebook) -> None:
    for number in range(23):
        insert(notebook, code(f"model-many-{number}", "1"), before="model-workshop")


@breaks(spine_is_short)
def _(notebook: Notebook) -> None:
    for number in range(3):
        insert(notebook, code(f"model-view-{number}", "1", "interactive"), before="model-workshop")


@breaks(spine_is_short)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-try", "Try it", "One **_more\nterm_**")


@breaks(spine_is_short)
def _(notebook: Notebook) -> None:
    find(notebook, "model-more")["source"] = "\n".join(["1"] * 13)


@rule
def minutes_are_given(notebook: Notebook) -> Iterator[str]:
    """Each section says how long it takes, but for the glossary; the spine takes 30 to 45."""
    for level, title in headings(notebook):
        if level == 2 and title != "Glossary" and not re.search(r"\(\d+ min\)$", title):
            yield f"{title}: no minutes"
    titles = " ".join(title for level, title in headings(spine(notebook)) if level == 2)
    total = sum(int(minutes) for minutes in re.findall(r"\((\d+) min\)", titles))
    if not 30 <= total <= 45:
        yield f"the spine takes {total} minutes"


@breaks(minutes_are_given)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-workshop", " min)", ")")


@breaks(minutes_are_given)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-start", "30", "25")


@breaks(minutes_are_given)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-start", "30", "42")


@rule
def predictions_come_first(notebook: Notebook) -> Iterator[str]:
    """At least six times the learner is asked before the answer, which is folded, can be seen."""
    cells = notebook["cells"]
    if (count := sum("prediction" in tags(cell) for cell in cells)) < 6:
        yield f"only {count} predictions"
    for cell, below in pairwise([{"metadata": {}}, *cells, {"metadata": {}}]):
        if ("prediction" in tags(cell)) != ("answer" in tags(below)):
            yield f"{cell.get('id')}, {below.get('id')}: a prediction and its answer are apart"
    for cell in cells:
        if "prediction" in tags(cell) and cell["cell_type"] != "markdown":
            yield f"{cell['id']}: a prediction is asked for in text"
        if "answer" in tags(cell) and (
            cell["cell_type"] != "code"
            or cell["metadata"].get("jupyter", {}).get("outputs_hidden") is not True
        ):
            yield f"{cell['id']}: an answer is a code cell with its output folded"
        elif "answer" in tags(cell) and not cell["source"].startswith(ASK):
            yield f"{cell['id']}: the first line of a folded output is seen, so ask there"


@breaks(predictions_come_first)
def _(notebook: Notebook) -> None:
    for name in ["model-guess-0", "model-answer-0"]:
        find(notebook, name)["metadata"] = {}


@breaks(predictions_come_first)
def _(notebook: Notebook) -> None:
    insert(notebook, markdown("model-between", "Well?"), before="model-answer-0")


@breaks(predictions_come_first)
def _(notebook: Notebook) -> None:
    find(notebook, "model-answer-0")["metadata"]["jupyter"] = {"outputs_hidden": False}


@breaks(predictions_come_first)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-answer-0", ASK, "")


@breaks(predictions_come_first)
def _(notebook: Notebook) -> None:
    find(notebook, "model-answer-0")["cell_type"] = "raw"


@breaks(predictions_come_first)
def _(notebook: Notebook) -> None:
    find(notebook, "model-guess-0")["cell_type"] = "raw"


@rule
def learner_takes_part(notebook: Notebook) -> Iterator[str]:
    """Something to move, and told how to run a cell: one after the other."""
    text = "\n".join(prose(cell) for cell in notebook["cells"])
    if not any("interactive" in tags(cell) for cell in code_cells(notebook)):
        yield "no interactive view"
    if "Shift-Enter" not in text:
        yield "does not say Shift-Enter"
    if re.search(r"\brun all\b", text, re.IGNORECASE):
        yield "says Run All"


@breaks(learner_takes_part)
def _(notebook: Notebook) -> None:
    tags(find(notebook, "model-try-slider")).clear()


@breaks(learner_takes_part)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-title", "Shift-Enter", "a click")


@breaks(learner_takes_part)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-try", "Try it", "Try it with Run All")


@rule
def exercises_stand_as_they_are(notebook: Notebook) -> Iterator[str]:
    """Each exercise is there once, with its own stub and check, and nobody has tried it yet."""
    cells = notebook["cells"]
    for exercise in set_exercises(notebook):
        names = [cell.get("id") for cell in cells]
        if [names.count(name) for name in exercise.cells] != [1, 1]:
            yield f"{exercise.name}: a stub and a check, each once, are wanted"
            continue
        stub, check = (names.index(name) for name in exercise.cells)
        sources = [cells[stub]["source"], cells[check]["source"]]
        if check != stub + 1 or sources != [exercise.stub, checked(exercise)]:
            yield f"{exercise.name}: the stub and the check below it are not the exercise's"
        task = cells[stub - 1]["source"]
        lines = [line.strip() for line in "\n".join(exercise.lines).splitlines()]
        if missing := [line for line in lines if line not in task]:
            yield f"{exercise.name}: the task does not show {missing[0]}"
        said = ["".join(output["data"]["text/plain"]) for output in cells[check]["outputs"]]
        if said != [f"{exercise.name}: not tried yet"]:
            yield f"{exercise.name}: the check says {said}"


@breaks(exercises_stand_as_they_are)
def _(notebook: Notebook) -> None:
    notebook["cells"].remove(find(notebook, "01-length-stub"))


@breaks(exercises_stand_as_they_are)
def _(notebook: Notebook) -> None:
    for cell in exercise_cells(EXERCISES["01-bug-hunt"]):
        notebook["cells"].remove(find(notebook, cell["id"]))


@breaks(exercises_stand_as_they_are)
def _(notebook: Notebook) -> None:
    notebook["cells"] += exercise_cells(EXERCISES["01-length"])


@breaks(exercises_stand_as_they_are)
def _(notebook: Notebook) -> None:
    notebook["cells"] += exercise_cells(EXERCISES["02-count"])


@breaks(exercises_stand_as_they_are)
def _(notebook: Notebook) -> None:
    insert(notebook, markdown("model-apart", "Well?"), before="01-length-check")


@breaks(exercises_stand_as_they_are)
def _(notebook: Notebook) -> None:
    replace(notebook, "01-length-stub", "...", "14")


@breaks(exercises_stand_as_they_are)
def _(notebook: Notebook) -> None:
    replace(notebook, "01-length-check", "prediction", "14")


@breaks(exercises_stand_as_they_are)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-01-decode-order", "end = start + length", "end = length")


@breaks(exercises_stand_as_they_are)
def _(notebook: Notebook) -> None:
    find(notebook, "01-length-check")["outputs"].clear()


@rule
def objectives_are_listed(notebook: Notebook) -> Iterator[str]:
    """What one can do afterwards is listed, as the exercises follow; the long ones with minutes."""
    for part, minutes in (spine(notebook), 0), (beyond(notebook), 1):
        wanted = [(one.objective, one.minutes * minutes) for one in exercises_in(part)]
        if (found := abilities(part)) != wanted:
            yield f"listed are {found}, and the exercises are for {wanted}"


def exercises_in(part: Notebook) -> list[Exercise]:
    """Give the exercises whose stub stands in this part, in the order of the cells."""
    stubs = {one.cells[0]: one for one in EXERCISES.values()}
    return [stubs[cell["id"]] for cell in code_cells(part) if cell.get("id") in stubs]


@breaks(objectives_are_listed)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-start", EXERCISES["01-length"].objective, "do it")


@breaks(objectives_are_listed)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-workshop", "(15)", "(14)")


@breaks(objectives_are_listed)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-workshop", "**Afterwards you can**", "Afterwards you can")


@breaks(objectives_are_listed)
def _(notebook: Notebook) -> None:
    first, second = (EXERCISES[f"01-{name}"].objective for name in ("length", "encode-field"))
    replace(notebook, "model-start", f"- {first};\n- {second};", f"- {second};\n- {first};")


@rule
def objectives_are_checked(notebook: Notebook) -> Iterator[str]:
    """For each objective a question asks whether one can do it, with the answer folded below."""
    for part in spine(notebook), beyond(notebook):
        wanted = [f"Can you {one.objective}?" for one in exercises_in(part)]
        heads = [head for _, head, _ in questions(part) if head != "One more."]
        if heads != wanted:
            yield f"asked is {heads}, and the exercises are for {wanted}"
    numbers = [number for number, _, _ in questions(notebook)]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the questions have the numbers {numbers}"
    for number, _, below in questions(notebook):
        folded = r"\s*\S.*?\n\n<details><summary>Answer</summary>\n\n.+?\n\n</details>\s*(#.*)?"
        if below.count("<details>") != 1 or not re.fullmatch(folded, below, re.DOTALL):
            yield f"question {number}: a question and one folded answer are wanted"


@breaks(objectives_are_checked)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-end", EXERCISES["01-length"].objective, "do it")


@breaks(objectives_are_checked)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-end", "Check yourself", "Questions")


@breaks(objectives_are_checked)
def _(notebook: Notebook) -> None:
    notebook["cells"].remove(find(notebook, "model-check"))


@breaks(objectives_are_checked)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-check", "**4. ", "**3. ")


@breaks(objectives_are_checked)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-end", "<summary>Answer", "<summary>Why?")


@breaks(objectives_are_checked)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-end", "</details>", "")


@breaks(objectives_are_checked)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-check", " Well?", "")


@breaks(objectives_are_checked)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-end", "So.", "So.\n\n<details>More.</details>")


@rule
def glossary_comes_last(notebook: Notebook) -> Iterator[str]:
    """The last cell, and no other, is the glossary, as it is made."""
    cells = notebook_tool.without_glossary(notebook)
    prefix = code_cells(notebook)[0]["id"].removesuffix("-setup")
    last = notebook["cells"][-1]
    if len(cells) != len(notebook["cells"]) - 1:
        yield "there is not exactly one glossary"
    if last["id"] != notebook_tool.glossary_id(prefix):
        yield f"{last['id']}: the glossary is not the last cell"
    elif last["source"] != glossary(number_of(notebook), notebook_tool.text_of(cells)):
        yield f"{last['id']}: `make notebooks` makes another one"


@breaks(glossary_comes_last)
def _(notebook: Notebook) -> None:
    notebook["cells"].remove(find(notebook, "model-glossary"))


@breaks(glossary_comes_last)
def _(notebook: Notebook) -> None:
    insert(notebook, find(notebook, "model-glossary"), before="model-more")


@breaks(glossary_comes_last)
def _(notebook: Notebook) -> None:
    notebook["cells"].append(markdown("model-after", "More."))


@breaks(glossary_comes_last)
def _(notebook: Notebook) -> None:
    find(notebook, "model-glossary")["id"] = "other-glossary"


@breaks(glossary_comes_last)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-glossary", "One key and its value.", "One key.")


@rule
def words_are_introduced(notebook: Notebook) -> Iterator[str]:
    """The notebook sets off the words that it introduces, terms once; it has no other terms."""
    words = [word for word in WORDS if word.notebook == number_of(notebook)]
    to_learn = [name for word in words if word.term for name in word.names]
    in_passing = [name for word in words if not word.term for name in word.names]
    bold = Counter(form_of(term, to_learn) or term for term in terms(notebook))
    for name in bold.keys() | to_learn:
        if name not in to_learn:
            yield f"{name}: is set as a new term, and the glossary has none of this notebook"
        elif bold[name] != 1:
            yield f"{name}: is set as a new term {bold[name]} times"
    for name in set(in_passing) - {form_of(one, in_passing) for one in in_italics(notebook)}:
        yield f"{name}: is nowhere in italics"


def form_of(text: str, names: list[str]) -> str | None:
    """Give the one of these names that the text is a form of."""
    return next((name for name in names if is_form(text, name)), None)


@breaks(words_are_introduced)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-try", "Try it", "A **_term_**")


@breaks(words_are_introduced)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-start", "**_record_**", "record")


@breaks(words_are_introduced)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-start", "*tag*", "tag")


@breaks(words_are_introduced)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-start", "*decode*", "decode")


@breaks(words_are_introduced)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-start", "*tag*", "**_tag_**")


@breaks(words_are_introduced)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-try", "Try it", "Two **_records_**")


@breaks(words_are_introduced)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-try", "Try it", "A **_segment_**")


@rule
def words_are_explained_once(notebook: Notebook) -> Iterator[str]:
    """No table of words but the glossary, which would say the same in two ways."""
    for cell in notebook_tool.without_glossary(notebook):
        if re.search(r"^\| *(words?|terms?) *\|", prose(cell), re.M | re.IGNORECASE):
            yield f"{cell['id']}: a table of words"


@breaks(words_are_explained_once)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-try", "Try it", "Try it\n\n| term | meaning |\n|---|---|\n| a | b |")


@rule
def exercises_have_their_time(notebook: Notebook) -> Iterator[str]:
    """A section has time for its exercises, and a minute for each question.

    The exercises for everyone are three, and short.
    """
    for title, minutes, cells in section_minutes(notebook):
        part = {**notebook, "cells": cells}
        taken = sum(one.minutes for one in exercises_in(part)) + len(questions(part))
        if taken > minutes:
            yield f"{title}: its exercises and questions take {taken} minutes"
    here = {cell.get("id") for cell in spine(notebook)["cells"]}
    there = [one for one in set_exercises(notebook) if one.cells[0] in here]
    if there and [one.kind for one in there] != ["predict", "function", "order"]:
        yield f"the spine asks to {', '.join(one.kind for one in there)}"
    for one in there:
        if one.minutes > SPINE_MINUTES:
            yield f"{one.name} takes {one.minutes} minutes, which are too many for the spine"


@breaks(exercises_have_their_time)
def _(notebook: Notebook) -> None:
    replace(notebook, "model-workshop", "57", "56")


@breaks(exercises_have_their_time)
def _(notebook: Notebook) -> None:
    notebook["cells"].remove(find(notebook, "01-decode-order-stub"))


@breaks(exercises_have_their_time)
def _(notebook: Notebook) -> None:
    notebook["cells"].remove(find(notebook, "model-workshop"))


@rule
def setup_comes_first(notebook: Notebook) -> Iterator[str]:
    """One cell, the first with code, is all that a section needs before it."""
    marked = ["setup" in tags(cell) for cell in code_cells(notebook)]
    if marked[:1] != [True] or sum(marked) != 1:
        yield "the first code cell, and no other, has the tag setup"
    elif not code_cells(notebook)[0]["id"].endswith("-setup"):
        yield f"{code_cells(notebook)[0]['id']}: the set-up cell's id ends in -setup"


@breaks(setup_comes_first)
def _(notebook: Notebook) -> None:
    tags(find(notebook, "model-setup")).clear()


@breaks(setup_comes_first)
def _(notebook: Notebook) -> None:
    tags(find(notebook, "model-more")).append("setup")


@breaks(setup_comes_first)
def _(notebook: Notebook) -> None:
    find(notebook, "model-setup")["id"] = "model-imports"


# ---------------------------------------------------------------------------------------- tests


def test_there_are_three_notebooks() -> None:
    """The series has its three notebooks, and none besides."""
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == NAMES


def test_exercises_stand_in_their_own_notebook() -> None:
    """Each notebook holds exercises of its own, and none of another's."""
    for name in NAMES:
        found = set_exercises(notebook_tool.load(NOTEBOOKS / f"{name}.ipynb"))
        assert {lesson(one) for one in found} == {name[:2]}


def test_each_objective_has_an_exercise_and_a_question() -> None:
    """What one shall be able to do is asked once, over the three notebooks, and nothing besides."""
    notebooks = [notebook_tool.load(NOTEBOOKS / f"{name}.ipynb") for name in NAMES]
    stubs = [one for notebook in notebooks for one in exercises_in(notebook)]
    heads = Counter(head for notebook in notebooks for _, head, _ in questions(notebook))
    assert sorted(one.name for one in stubs) == sorted(EXERCISES)
    assert heads.pop("One more.") == 3
    assert heads == {f"Can you {one.objective}?": 1 for one in EXERCISES.values()}
    assert len(heads) == len(EXERCISES) == 21


@pytest.mark.parametrize("records", [{}, {"é": b"\xff", b"": "a"}, {"a": b"b"}])
def test_bug_that_is_hunted_is_the_one_that_is_shown(records: dict[Any, Any]) -> None:
    """What notebook 1 shows of the bug hunt does what its check does."""
    notebook = notebook_tool.load(NOTEBOOKS / "01_encode.ipynb")
    shown: dict[str, Any] = {}
    for name in ["encode-bug-hunt-encode", "encode-bug-hunt-decode"]:
        exec(find(notebook, name)["source"], shown)
    stream = bug_hunt.their_encode(records)
    assert shown["their_encode"](records) == stream
    assert shown["their_decode"](stream) == bug_hunt.their_decode(stream)


def test_words_are_in_the_glossary_once() -> None:
    """No word, and no form of one, is there twice."""
    names = [name for word in WORDS for name in word.names]
    pairs = [(one, other) for one in names for other in names if is_form(one, other)]
    assert pairs == [(name, name) for name in names]


def test_words_are_few_and_each_has_one_sentence() -> None:
    """A notebook introduces 8 to 14 words; each has a sentence that is as long as a line."""
    counts = Counter(word.notebook for word in WORDS)
    assert counts.keys() == {1, 2, 3}
    assert all(8 <= count <= 14 for count in counts.values())
    for word in WORDS:
        assert re.fullmatch(r"[A-Z][^.|]{10,118}\.", word.meaning), word


def test_glossary_has_the_words_that_are_used() -> None:
    """A word of an earlier notebook is there if the text uses it, in any form, and not in code."""
    text = "Two RECORDS, a length\nprefix, ending a delimiter; `tag`.\n```\nfield\n```"
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", glossary(2, text), re.M)[1:]
    own = {", ".join(word.names) for word in WORDS if word.notebook == 2}
    earlier = {
        name for name, meaning in rows if meaning.endswith(" ([notebook 1](01_encode.ipynb))")
    }
    assert earlier == {"record", "length prefix", "delimiter"}
    assert [name for name, _ in rows] == sorted(own | earlier)


def test_glossary_of_the_first_notebook_is_all_its_own() -> None:
    """A word of a later notebook isn't there, even if the text has it; order minds no capitals."""
    names = re.findall(r"^\| (.+?) \|", glossary(1, "segments, a log"), re.M)[1:]
    assert names == sorted(
        (", ".join(word.names) for word in WORDS if word.notebook == 1), key=str.lower
    )


def test_tool_ends_a_notebook_with_its_glossary() -> None:
    """It is made anew in the place of an older one; a notebook of no series gets none."""
    notebook = model_notebook()
    insert(notebook, markdown("encode-glossary", "Old."), before="model-more")
    before = copy.deepcopy(notebook)
    notebook_tool.end_with_glossary(notebook, "a_draft")
    assert notebook == before
    notebook_tool.end_with_glossary(notebook, "01_encode")
    assert notebook["cells"][-1]["id"] == "encode-glossary"
    assert notebook["cells"][-1]["source"] == find(before, "model-glossary")["source"]
    assert notebook["cells"][:-1] == notebook_tool.without_glossary(before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kept", RULES, ids=lambda kept: kept.__name__)
def test_notebooks_keep_the_rules(name: str, kept: Rule) -> None:
    """Each notebook keeps each rule."""
    assert list(kept(notebook_tool.load(NOTEBOOKS / f"{name}.ipynb"))) == []


@pytest.mark.parametrize("kept", RULES, ids=lambda kept: kept.__name__)
def test_model_notebook_keeps_the_rules(kept: Rule) -> None:
    """The model notebook keeps each rule, so that only the change can break it."""
    assert list(kept(model_notebook())) == []


@pytest.mark.parametrize(("broken", "change"), BREAKS)
def test_rules_can_be_broken(broken: Rule, change: Change) -> None:
    """Each way to break a rule is noticed by that rule."""
    notebook = model_notebook()
    change(notebook)
    assert list(broken(notebook)) != []


def test_each_rule_has_a_way_to_break_it() -> None:
    """No rule is without a proof that it can fail."""
    assert {broken.__name__ for broken, _ in BREAKS} == {kept.__name__ for kept in RULES}


# ------------------------------------------------------- the answers to "Check yourself", computed


def refused(call: Callable[..., object], *arguments: object) -> bool:
    """Say whether a reader refuses this."""
    try:
        call(*arguments)
    except (ValueError, kvlib.KvlibError):
        return True
    return False


def pieces(length: int, limit: int) -> list[int]:
    """Give how many bytes of a stream of this length each segment carries."""
    return [len(segment) - 8 for segment in kvlib.split(bytes(length), limit)]


def frames(*sequences: int) -> bytes:
    """Make whole frames with these numbers."""
    return b"".join(kvlib.seal(b"M", one, encode_put("tea", str(one))) for one in sequences)


def said_of_encode() -> Iterator[tuple[int, str]]:
    """Give what the answers in notebook 1 have to say, and the question."""
    stream = kvlib.encode_snapshot({"né": b""})
    yield 1, f"**{len(stream)}**"
    yield 1, f"`{stream[5:9].hex(' ')}`. So it is **`{stream[8]:02x}`**"
    text, data = kvlib.encode_field("é"), kvlib.encode_field("é".encode())
    yield 2, f"`{text.hex(' ')}` and `{data.hex(' ')}`"
    yield 5, "Yes" if b"a".ljust(8, b"\0") == b"a\0".ljust(8, b"\0") else "No"
    for texts in [], [""]:
        back = "\n".join(texts).split("\n")
        yield 6, f"Both come back as `{json.dumps(back)}`"
    streams = {"a": bytes(4), "b": bytes(5), "c": bytes.fromhex("00000001 62 00000000")}
    right = [name for name, one in streams.items() if not refused(kvlib.decode_snapshot, one)]
    yield 7, f"{', '.join(right)} is the empty store"
    saved = [("put", "a", "1"), ("serialize", "x"), ("delete", "a"), ("serialize", "y")]
    loaded = [("put", "b", "2"), ("deserialize", "y"), ("get", "a"), ("get", "b")]
    yield 8, "Nothing" if judge.run_snapshots(saved + loaded) == [None, None] else "Something"
    yield 8, f"{len(kvlib.encode_snapshot({}))} bytes, the count 0"


def said_of_segment() -> Iterator[tuple[int, str]]:
    """Give what the answers in notebook 2 have to say, and the question."""
    least, largest = 999 * 1024 + 1, 1000 * 1024
    edges = [len(pieces(length, 1032)) for length in (least - 1, least, largest, largest + 1)]
    yield 1, f"= {least:,} to" if edges[:2] == [999, 1000] else "another"
    yield 1, f"= {largest:,} bytes" if edges[2:] == [1000, 1001] else "another"
    yield 2, f"`{kvlib.split(bytes(300), 9)[-1][:8].hex(' ')}`"
    yield 3, "index 5 of a total of 5" if refused(kvlib.join, [b"\0\0\0\5" * 2]) else "right"
    single = next(limit for limit in range(9, 2000) if len(pieces(1000, limit)) == 1)
    first, second = pieces(1000, single - 1)
    yield 5, f"From {single} on: "
    yield 5, f"At {single - 1} a piece has at most {first} bytes: "
    yield 5, f"there are two, of {first} and of {second}."
    wrong = [length for length in range(50) if len(pieces(length, 15)) != (length + 7 - 1) // 7]
    yield 6, f"At a length of {', '.join(map(str, wrong))} the total is 0"
    assert kvlib.join(kvlib.split(b"", 9)) == b""
    yield 7, f"`{kvlib.split(b'', 9)[0].hex(' ')}`"
    yield 7, "Eight zeros are index 0" if refused(kvlib.join, [bytes(8)]) else "Right"
    old, orders = ["A", "B", "C"], []
    for _ in range(3):
        old = [old[place] for place in (2, 0, 1)]
        orders.append(", ".join(old))
    yield 8, f"First {orders[0]}, then {orders[1]}. (After a third time"
    assert orders[2] == "A, B, C"


def said_of_log() -> Iterator[tuple[int, str]]:
    """Give what the answers in notebook 3 have to say, and the question."""
    disk = kvlib.MemoryDisk()
    kvlib.open(disk).put("tea", "hot")
    disk.write("log", disk.read("log") + bytes(40))
    recovered = kvlib.open(disk, read_only=True).recovered
    yield 2, "a torn tail" if recovered and recovered.dropped_bytes == 40 else "damage"
    closed = [("set", "a", "1"), ("shutdown",), ("shutdown",), ("restore",), ("get", "a")]
    yield 5, "Nothing" if judge.run_shutdown(closed) == [None] else "Something"
    torn = frames(1, 2, 3) + frames(4)[:15]
    yield 6, "It refuses it" if refused(solutions.recover, torn + frames(5)) else "It reads it"
    half = frames(8)[:15]
    tails = {"a": bytes(25), "b": half + frames(5), "c": half + frames(9), "d": frames(9)}
    seven = frames(*range(1, 8))
    bad = [name for name, tail in tails.items() if refused(solutions.recover, seven + tail)]
    yield 7, f"{' and '.join(name for name in tails if name not in bad)} are torn tails"
    yield 7, f"{' and '.join(bad)} are refused"
    logged = [("put", "a", "1"), ("put", "a", "2"), ("delete", "b"), ("put", "c", "1")]
    yield 8, f"`{judge.run_log(3, [*logged, ('restart',), ('status',)])[0]!r}`"


@pytest.mark.parametrize(
    ("name", "said"), list(zip(NAMES, [said_of_encode, said_of_segment, said_of_log], strict=True))
)
def test_answers_say_what_kvlib_says(
    name: str, said: Callable[[], Iterator[tuple[int, str]]]
) -> None:
    """Each figure and each verdict in a folded answer is the one that comes out."""
    notebook = notebook_tool.load(NOTEBOOKS / f"{name}.ipynb")
    below = {number: text for number, _, text in questions(notebook)}
    for number, words in said():
        assert words in " ".join(below[number].partition("<details>")[2].split())


# ---------------------------------------------------------- running them, in a process of its own


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
            "PYTHONPATH": str(TESTS),
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
    """Each section runs after the set-up cell alone."""
    done = run_tool(tmp_path, "--sections", NOTEBOOKS / f"{name}.ipynb")
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.untraced
def test_running_again_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    """What is committed is what `make notebooks` gives."""
    done = run_tool(tmp_path, "--check", NOTEBOOKS / f"{name}.ipynb")
    assert (done.stdout, done.returncode) == (f"{name}.ipynb: unchanged\n", 0)


def test_section_that_leans_on_another_is_named(tmp_path: Path) -> None:
    """A name or a file that another section made is missing, and the report says where."""
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
    """A notebook with all that differs from run to run is stored without it, and leaves no file."""
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

    notebook = notebook_tool.load(path)
    for kept in [
        code_was_run_in_order,
        nothing_is_hidden_from_nbval,
        nothing_of_a_machine_is_shown,
        only_what_is_needed_is_stored,
    ]:
        assert list(kept(notebook)) == []
    assert tags(find(notebook, "restless-widget")) == ["interactive"]
    assert once.endswith(b"}\n")


@pytest.mark.untraced
def test_notebook_that_fails_is_left_alone(tmp_path: Path) -> None:
    """An error that no tag announces stops the tool, which names the cell and changes nothing."""
    path = write(
        tmp_path / "failing.ipynb",
        markdown("failing-start", "## Start (1 min)"),
        code("failing-cell", "1 / 0"),
    )
    raw = path.read_bytes()
    done = run_tool(tmp_path, path)
    assert "ZeroDivisionError" in done.stderr
    assert (path.read_bytes(), done.returncode) == (raw, 1)
