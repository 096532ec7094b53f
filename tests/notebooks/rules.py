"""The rules that notebooks follow, beyond what strict nbval checks.

A rule is a function that yields one line for each place where a notebook breaks it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from kvlib.classroom.notebooks import WIDGET_VIEW
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.glossary import WORDS, glossary
from notebooks.reading import (
    abilities,
    beyond,
    code_cells,
    exercises_in,
    form_of,
    headings,
    in_italics,
    minutes,
    number_of,
    options,
    prose,
    questions,
    right_options,
    section_minutes,
    set_exercises,
    shown,
    spine,
    terms,
)
from tools.notebooks import (
    CELL_METADATA,
    NOTEBOOK_METADATA,
    SUMMARY,
    Cell,
    Notebook,
    glossary_id,
    tags,
    text_of,
    without_glossary,
)

# The check of an exercise, and the stub above it.
STUBS = {exercise.cells[1]: exercise.cells[0] for exercise in EXERCISES.values()}
SPINE_MINUTES = 4  # a longer exercise belongs in the workshop
LONGEST = 45  # minutes of a spine

Rule = Callable[[Notebook], Iterator[str]]


def code_was_run_in_order(notebook: Notebook) -> Iterator[str]:
    """Code cells were run once each, from the top; nbval accepts a cell that was never run."""
    for number, cell in enumerate(code_cells(notebook), start=1):
        if cell["execution_count"] != number:
            yield f"{cell['id']}: execution count should be {number}, is {cell['execution_count']}"


def ids_are_named_and_unique(notebook: Notebook) -> Iterator[str]:
    """Each cell has an id that someone chose, because Jupyter invents or changes ids silently."""
    names = [cell.get("id", "") for cell in notebook["cells"]]
    of_exercises = {*STUBS, *STUBS.values()}
    for name, count in Counter(names).items():
        if name not in of_exercises and not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", name):
            yield f"{name!r}: should be a name like encode-first-try"
        # Jupyter uses eight hex digits, or a UUID.
        if re.match(r"[0-9a-f]{8}(-|$)", name):
            yield f"{name!r}: looks generated"
        if count > 1:
            yield f"{name!r}: used {count} times"


def nothing_of_a_machine_is_shown(notebook: Notebook) -> Iterator[str]:
    """Cells show no path and no memory address, which differ from machine to machine."""
    path = r"/(?:home|Users|root|tmp|var/folders)\b|\bC:\\|site-packages|ipykernel_"
    machine = re.compile(rf"{path}|\bat 0x[0-9a-f]{{6,}}")
    for cell in notebook["cells"]:
        for text in [cell["source"], *map(shown, cell.get("outputs", []))]:
            if found := machine.search(text):
                yield f"{cell['id']}: {found[0]}"


def nothing_is_hidden_from_nbval(notebook: Notebook) -> Iterator[str]:
    """Nbval checks every output, and only a cell tagged `raises-exception` has an error."""
    for cell in code_cells(notebook):
        marks = [tag for tag in tags(cell) if "nbval" in tag.lower()]
        marks += re.findall(r"\bNBVAL_\w+|\bPYTEST_VALIDATE\w+", cell["source"])
        if marks:
            yield f"{cell['id']}: {', '.join(marks)}"
        failed = any(output["output_type"] == "error" for output in cell["outputs"])
        if failed != ("raises-exception" in tags(cell)):
            yield f"{cell['id']}: has {'an' if failed else 'no'} error, but its tags say otherwise"


def only_what_is_needed_is_stored(notebook: Notebook) -> Iterator[str]:
    """The file stores no widget state, no versions and no editor settings."""
    if notebook["metadata"] != NOTEBOOK_METADATA:
        yield f"the notebook's metadata: {notebook['metadata']}"
    for cell in notebook["cells"]:
        if unknown := cell["metadata"].keys() - CELL_METADATA:
            yield f"{cell['id']}: {', '.join(sorted(unknown))} in its metadata"
        for output in cell.get("outputs", []):
            if WIDGET_VIEW in output.get("data", {}):
                yield f"{cell['id']}: the view of a widget"


def headings_form_an_outline(notebook: Notebook) -> Iterator[str]:
    """A notebook has one title, skips no heading level, and starts each section in a new cell."""
    outline = headings(notebook)
    if [level for level, _ in outline].count(1) != 1 or outline[0][0] != 1:
        yield "needs exactly one title, at the top"
    for (above, _), (level, title) in pairwise(outline):
        if level > above + 1:
            yield f"{title}: skips a level"
    for cell in notebook["cells"]:
        if re.search(r"(?<!\A)^## ", prose(cell), re.M):
            yield f"{cell['id']}: a section starts in the middle of a cell"


def code_is_introduced(notebook: Notebook) -> Iterator[str]:
    """Each code cell follows text that introduces it, or checks the stub above it."""
    for above, cell in pairwise([{"cell_type": None}, *notebook["cells"]]):
        if cell["cell_type"] != "code" or STUBS.get(cell.get("id"), cell) == above.get("id"):
            continue
        if above["cell_type"] != "markdown":
            yield f"{cell['id']}: no text introduces it"


def pictures_are_described(notebook: Notebook) -> Iterator[str]:
    """Each picture has alternative text."""
    for cell in notebook["cells"]:
        bare = re.findall(r"!\[\s*\]\(\S*\)", prose(cell))
        bare += [
            tag
            for tag in re.findall(r"<img\b[^>]*>", prose(cell))
            if not re.search(r"""\balt=(["']).*\S.*\1""", tag)
        ]
        for picture in bare:
            yield f"{cell['id']}: {picture}"


def spine_is_short(notebook: Notebook) -> Iterator[str]:
    """The spine introduces few terms and views, and all code cells are short."""
    part = spine(notebook)
    new = set(terms(part))
    for what, count, most in [
        ("code cells", len(code_cells(part)), 30),
        ("interactive views", sum("interactive" in tags(cell) for cell in part["cells"]), 6),
        (f"new terms ({', '.join(sorted(new))})", len(new), 8),
    ]:
        if count > most:
            yield f"{count} {what}, but the limit is {most}"
    for cell in code_cells(notebook):
        if cell["id"] in STUBS.values():
            continue  # a stub repeats imports, with blank lines around them
        if (lines := cell["source"].count("\n") + 1) > 12:
            yield f"{cell['id']}: {lines} lines, but the limit is 12"


def minutes_are_honest(notebook: Notebook) -> Iterator[str]:
    """Each section but the glossary takes the minutes it says, and the spine at most 45."""
    for title, said, cells in section_minutes(notebook):
        if title == "## Glossary":
            continue
        taken = minutes({**notebook, "cells": cells})
        if not said:
            yield f"{title}: no minutes; it takes {taken:.0f}"
        elif abs(said - taken) > max(1, taken / 5):
            yield f"{title}: takes {taken:.1f} minutes"
    part = spine(notebook)
    taken = minutes(part)
    said = sum(own for _, own, _ in section_minutes(part))
    if max(taken, said) > LONGEST:
        yield f"the spine takes {taken:.1f} minutes and says {said}"


def predictions_come_first(notebook: Notebook) -> Iterator[str]:
    """The learner predicts at least six times, by a choice of three before seeing the result."""
    cells = notebook["cells"]
    asked = [cell["id"] for cell in cells if "prediction" in tags(cell)]
    if len(asked) < 6:
        yield f"only {len(asked)} predictions, but 6 are needed"
    for first, second, third in zip(cells, cells[1:], cells[2:], strict=False):
        name = str(first.get("id")).removesuffix("-predict")
        marks = [tags(first), tags(second), tags(third)]
        wanted = ["prediction", "answer", "reason"]
        if not any(mark in one for mark, one in zip(wanted, marks, strict=True)):
            continue
        if "prediction" not in marks[0]:
            continue
        ids = [cell.get("id") for cell in (first, second, third)]
        if ids != [f"{name}-predict", f"{name}-run", f"{name}-why"]:
            yield f"{ids}: must be {name}-predict, {name}-run and {name}-why"
        elif not all(mark in one for mark, one in zip(wanted, marks, strict=True)):
            yield f"{name}: needs the tags prediction, answer and reason"
        elif options(first).keys() != set("abc"):
            yield f"{name}: needs the options (a), (b) and (c)"
        elif f'predict("{name}", ' not in second["source"]:
            yield f'{second["id"]}: must call predict("{name}", ...)'
        elif not re.match(re.escape(SUMMARY) + r"\*\*\([abc]\)\*\* ", third["source"]):
            yield f"{third['id']}: must begin with the right letter"
    for mark in "answer", "reason":
        count = sum(mark in tags(cell) for cell in cells)
        if count != len(asked):
            yield f"{len(asked)} predictions, but {count} with the tag {mark}"


def results_are_folded(notebook: Notebook) -> Iterator[str]:
    """The result of an experiment is stored folded, and its text says only what to choose."""
    for cell in code_cells(notebook):
        if "answer" not in tags(cell):
            continue
        data = [output.get("data", {}) for output in cell["outputs"]]
        texts = ["".join(one.get("text/plain", "")) for one in data]
        name = cell["id"].removesuffix("-run")
        if texts != [f"○ {name}: choose (a), (b) or (c)"]:
            yield f"{cell['id']}: says {texts}"
            continue
        html = "".join(data[0]["text/html"])
        html = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
        form = r"<div [^>]*><details><summary>[^<]*</summary>.+</details></div>"
        if not re.fullmatch(form, html, re.DOTALL):
            yield f"{cell['id']}: isn't folded"


def letters_are_balanced(notebook: Notebook) -> Iterator[str]:
    """No letter is right much more often than another, nor three times in a row."""
    letters = "".join(letter for _, letter in right_options(notebook))
    counts = Counter({letter: letters.count(letter) for letter in "abc"})
    if max(counts.values()) - min(counts.values()) > 2:
        yield f"the letters are {dict(counts)}"
    if found := re.search(r"(.)\1\1", letters):
        yield f"{found[1]} is right three times in a row: {letters}"


def nothing_tells_the_answer(notebook: Notebook) -> Iterator[str]:
    """A letter is named only in folded reasons; no number of a right option is shown before it."""
    for cell in notebook["cells"]:
        if "reason" not in tags(cell) and "prediction" not in tags(cell):
            text = re.sub(r"<details>.*?</details>", "", prose(cell), flags=re.DOTALL)
            if found := re.search(r"\*{0,2}\([abc]\)\*{0,2}", text):
                yield f"{cell.get('id')}: {found[0]} outside a reason"
    for title, _, cells in section_minutes(notebook):
        ids = [cell.get("id") for cell in cells]
        for name, letter in right_options({**notebook, "cells": cells}):
            asked = ids.index(f"{name}-predict")
            offered = options(cells[asked])
            others = " ".join(option for one, option in offered.items() if one != letter)
            own = {*_numbers(offered[letter])} - {*_numbers(others)}
            before = "\n".join(map(_visible, cells[:asked]))
            question = prose(cells[asked]).partition("\n- (a)")[0]
            told = own & {*_numbers(f"{title}\n{before}\n{question}")}
            if told:
                yield f"{name}: {', '.join(sorted(told))} is shown before the prediction"


def _numbers(text: str) -> list[str]:
    """Return the numbers in a text that are more than a digit: others are everywhere."""
    return re.findall(r"(?<![\w.,])\d[\d,]*\d(?![\w])", text)


def _visible(cell: Cell) -> str:
    """Return what a reader sees of a cell: no code, and nothing that is folded."""
    if "reason" in tags(cell) or "answer" in tags(cell):
        return ""
    shows = [shown(output) for output in cell.get("outputs", ()) if "data" not in output]
    shows += [
        "".join(output["data"].get("text/plain", ""))
        for output in cell.get("outputs", ())
        if "data" in output and "text/html" not in output["data"]
    ]
    return "\n".join([re.sub(r"<details>.*?</details>", "", prose(cell), flags=re.DOTALL), *shows])


def learner_takes_part(notebook: Notebook) -> Iterator[str]:
    """There is something to move, and the text says to run one cell at a time."""
    text = "\n".join(prose(cell) for cell in notebook["cells"])
    if not any("interactive" in tags(cell) for cell in code_cells(notebook)):
        yield "has no interactive view"
    if "Shift-Enter" not in text:
        yield "does not say Shift-Enter"
    if re.search(r"\brun all\b", text, re.IGNORECASE):
        yield "says Run All"


def exercises_are_complete(notebook: Notebook) -> Iterator[str]:
    """Each exercise has its task, stub and check once, in this order, not tried yet."""
    cells = notebook["cells"]
    for exercise in set_exercises(notebook):
        names = [cell.get("id") for cell in cells]
        if [names.count(name) for name in exercise.cells] != [1, 1]:
            yield f"{exercise.name}: needs exactly one stub and one check"
            continue
        stub, check = (names.index(name) for name in exercise.cells)
        sources = [cells[stub]["source"], cells[check]["source"]]
        if check != stub + 1 or sources != [exercise.stub, exercise.call]:
            yield f"{exercise.name}: needs its own stub, followed by its own check"
        if not any(exercise.heading in cell["source"] for cell in cells[:stub]):
            yield f"{exercise.name}: needs its task, as its module states it"
        said = ["".join(output["data"]["text/plain"]) for output in cells[check]["outputs"]]
        if said != [f"○ {exercise.name}: not tried yet"]:
            yield f"{exercise.name}: the check says {said}"


def objectives_are_listed(notebook: Notebook) -> Iterator[str]:
    """The objectives are listed in the order of the exercises; the workshop adds minutes."""
    for part, times in (spine(notebook), 0), (beyond(notebook), 1):
        wanted = [(one.objective, one.minutes * times) for one in exercises_in(part)]
        if (found := abilities(part)) != wanted:
            yield f"lists {found}, but the exercises are for {wanted}"


def objectives_are_checked(notebook: Notebook) -> Iterator[str]:
    """Each objective has a question with a folded answer; questions are numbered in order."""
    for part in spine(notebook), beyond(notebook):
        wanted = [f"Can you {one.objective}?" for one in exercises_in(part)]
        heads = [head for _, head, _ in questions(part) if head != "One more."]
        if heads != wanted:
            yield f"asks {heads}, but the exercises are for {wanted}"
    numbers = [number for number, _, _ in questions(notebook)]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the questions have the numbers {numbers}"
    for number, _, below in questions(notebook):
        folded = r"\s*\S.*?\n\n<details><summary>Answer</summary>\n\n.+?\n\n</details>\s*(#.*)?"
        if below.count("<details>") != 1 or not re.fullmatch(folded, below, re.DOTALL):
            yield f"question {number}: needs a question and one folded answer"


def glossary_comes_last(notebook: Notebook) -> Iterator[str]:
    """Only the last cell is a glossary, and it is up to date."""
    cells = without_glossary(notebook)
    prefix = code_cells(notebook)[0]["id"].partition("-")[0]
    last = notebook["cells"][-1]
    if len(cells) != len(notebook["cells"]) - 1:
        yield "needs exactly one glossary"
    if last["id"] != glossary_id(prefix):
        yield f"{last['id']}: the last cell must be the glossary"
    elif last["source"] != glossary(number_of(notebook), text_of(cells)):
        yield f"{last['id']}: the glossary is out of date: run `make notebooks`"


def words_are_introduced(notebook: Notebook) -> Iterator[str]:
    """The notebook introduces each of its terms once and its other words at least once."""
    words = [word for word in WORDS if word.notebook == number_of(notebook)]
    to_learn = [name for word in words if word.term for name in word.names]
    in_passing = [name for word in words if not word.term for name in word.names]
    bold = Counter(form_of(term, to_learn) or term for term in terms(notebook))
    for name in bold.keys() | to_learn:
        if name not in to_learn:
            yield f"{name}: set as a new term, but the glossary has no such term for this notebook"
        elif bold[name] != 1:
            yield f"{name}: set as a new term {bold[name]} times, not once"
    for name in set(in_passing) - {form_of(one, in_passing) for one in in_italics(notebook)}:
        yield f"{name}: never in italics"


def words_are_explained_once(notebook: Notebook) -> Iterator[str]:
    """Only the glossary is a table of words."""
    for cell in without_glossary(notebook):
        if re.search(r"^\| *(words?|terms?) *\|", prose(cell), re.M | re.IGNORECASE):
            yield f"{cell['id']}: a table of words"


def spine_has_short_exercises(notebook: Notebook) -> Iterator[str]:
    """The spine has three short exercises: one to predict, one to write, and one more."""
    here = {cell.get("id") for cell in spine(notebook)["cells"]}
    there = [one for one in set_exercises(notebook) if one.cells[0] in here]
    if there and (len(there) != 3 or not {"predict", "write code"} <= {one.way for one in there}):
        yield f"the spine has the exercises {', '.join(one.way for one in there)}"
    for one in there:
        if one.minutes > SPINE_MINUTES:
            yield f"{one.name} takes {one.minutes} minutes; the limit is {SPINE_MINUTES}"


def setup_comes_first(notebook: Notebook) -> Iterator[str]:
    """The first code cell is the set-up cell, and there is only one; only the journey is above."""
    cells = [cell for cell in code_cells(notebook) if not cell["id"].endswith("-journey")]
    marked = ["setup" in tags(cell) for cell in cells]
    if marked[:1] != [True] or sum(marked) != 1:
        yield "the first code cell must have the tag setup, and no other cell may have it"
    elif not cells[0]["id"].endswith("-setup"):
        yield f"{cells[0]['id']}: the set-up cell's id must end in -setup"


RULES: list[Rule] = [
    code_was_run_in_order,
    ids_are_named_and_unique,
    nothing_of_a_machine_is_shown,
    nothing_is_hidden_from_nbval,
    only_what_is_needed_is_stored,
    headings_form_an_outline,
    code_is_introduced,
    pictures_are_described,
    spine_is_short,
    minutes_are_honest,
    predictions_come_first,
    results_are_folded,
    letters_are_balanced,
    nothing_tells_the_answer,
    learner_takes_part,
    exercises_are_complete,
    objectives_are_listed,
    objectives_are_checked,
    glossary_comes_last,
    words_are_introduced,
    words_are_explained_once,
    spine_has_short_exercises,
    setup_comes_first,
]
