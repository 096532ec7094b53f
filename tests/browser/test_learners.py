"""Three learners do the exercises of each notebook in JupyterLab, with the keyboard.

The first has every answer right. The second makes a mistake in each exercise, reads the feedback
and corrects the answer. The third reads the hints and copies the solution. Afterwards the notebook
still runs from top to bottom, and axe-core finds no fault in the outputs of the exercises.
"""

import linecache
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest
from playwright.sync_api import Locator, Page

from browser.lab import (
    THEMES,
    Lab,
    add_below,
    change_theme,
    editor_of,
    errors,
    outputs_of,
    read,
    read_cell,
    run_all,
    run_cell,
    violations,
    write,
)
from helpers.paths import ROOT
from helpers.right_answers import RIGHT
from kvlib.lessons import check
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Exercise
from kvlib.lessons.ordering import Ordering
from kvlib.lessons.picture import BytesPicture
from kvlib.lessons.prediction import Prediction
from kvlib.lessons.result import Result
from kvlib.lessons.source_code import code_of
from kvlib.views.grid import CHARACTERS
from kvlib.views.svg import COLOURS

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=[one.stem for one in NOTEBOOKS])

# ------------------------------------------------------------------------ what a learner gets wrong

Write = Callable[[Exercise], str]


class Slip(NamedTuple):
    """A wrong answer, and words that its feedback must have.

    Attributes:
        written: writes the contents of the stub's cell.
        names: words that name the mistake.
    """

    written: Write
    names: str


def says(value: str) -> Write:
    """Return a writer of a cell that assigns this value."""
    return lambda exercise: f"{exercise.names[0]} = {value}"


def instead(*changes: tuple[str, str]) -> Write:
    """Return a writer of the solution with the first of each two pieces replaced by the second."""

    def changed(exercise: Exercise) -> str:
        source = exercise.solved
        for right, wrong in changes:
            assert right in source, f"{exercise.name}: no {right!r} is in its solution"
            source = source.replace(right, wrong, 1)
        return source

    return changed


def as_it_was(exercise: Exercise) -> str:
    """Return the stub without its NotImplementedError line, and with its bug."""
    lines = exercise.stub.splitlines()
    return "\n".join(line for line in lines if "NotImplementedError" not in line)


FIELD = 'tag + len(data).to_bytes(4, "big") + data'
HEADER = 'index.to_bytes(4, "big") + len(pieces).to_bytes(4, "big")'
stands_still = instead(("key, offset =", "key, _ ="), ("[key], offset =", "[key], _ ="))
keeps_the_dict = instead(("= encode(state)", "= state"), ("decode(saved", "(saved"))
takes_them_as_they_lie = instead(("sorted(saved[arguments[0]])", "saved[arguments[0]]"))

SLIPS: dict[str, list[Slip]] = {
    "01-length": [
        Slip(says('"14"'), "It should be a whole number"),
        Slip(says("7"), "You counted the characters"),
    ],
    "01-encode-field": [
        Slip(
            instead((f"return {FIELD}", f"print({FIELD})")),
            "It prints its result but returns nothing",
        ),
        Slip(instead(("len(data)", "len(value)")), "the number of characters"),
    ],
    "01-decode-order": [
        Slip(says("[6, 4, 2, 3, 1, 5]"), "Line 5 comes after the return, so it never runs")
    ],
    "01-delimiter": [
        Slip(instead((FIELD, 'data + b";"')), "no reader can know which one was meant")
    ],
    "01-bug-hunt": [Slip(says('{"café": "2,50 €"}'), "the length is measured after encoding")],
    "01-snapshot": [Slip(instead(("len(records)", "(2 * len(records))")), "the number of fields")],
    "01-run-snapshots": [
        Slip(stands_still, "It was stopped after"),
        Slip(keeps_the_dict, "or the dict itself"),
    ],
    "02-count": [
        Slip(says("120 / 12"), "It should be a whole number"),
        Slip(says("120 // 20"), "Does a whole segment carry the stream?"),
    ],
    "02-header": [Slip(instead((HEADER, HEADER.replace("big", "little"))), "little-endian")],
    "02-join-order": [Slip(says("[4, 6, 2, 1, 5, 3]"), "Line 1 uses `ordered`")],
    "02-split": [Slip(instead((" - 8", ""), ("size < 1", "size < 9")), "You forgot the header")],
    "02-bug-hunt": [Slip(as_it_was, "The bug is still there")],
    "02-split-join": [Slip(instead(("[index.to", "[(index + 1).to")), "counted from 1")],
    "02-run-segments": [Slip(takes_them_as_they_lie, "in the order in which they are stored")],
    "03-run-shutdown": [
        Slip(instead(("memory, offset = {}, 0", "offset = 0")), "a record that wasn't saved")
    ],
    "03-torn": [Slip(says('{"tea": "3", "pie": "2"}'), "which price comes last?")],
    "03-replay": [
        Slip(instead(("    return items", "")), "It returns None"),
        Slip(
            instead(("items.pop(key, None)", "del items[key]")), "remove a key that may be missing"
        ),
    ],
    "03-save": [Slip(instead(("        file.flush()\n", "")), "What hands them to")],
    "03-publish-order": [Slip(says("[2, 6, 8, 4, 3, 7, 1, 5]"), "What makes the rename durable?")],
    "03-bug-hunt": [Slip(as_it_was, "follows a torn one")],
    "03-recover": [
        Slip(instead(("refuse_damage(offset, sequence)", "")), "Whole frames follow the bad one")
    ],
    "03-run-log": [Slip(instead((">= compact", "> compact")), "or are as many enough?")],
}


def checked_here(exercise: Exercise, setup: str, source: str) -> Result:
    """Return the check's result for this source, computed in this process."""
    place, names = f"<{exercise.name}>", dict[str, Any]()
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    exec(setup, names)
    exec(compile(source, place, "exec"), names)
    return check(exercise.name, eval(exercise.handed, names))


# -------------------------------------------------------------------------------- what learners do


def begin(lab: Lab, notebook: Path) -> tuple[Page, list[Exercise]]:
    """Open a copy of a notebook and run its setup. Return the page and the exercises."""
    page = lab.open(notebook)
    setup = setup_of(page)["id"]
    editor_of(page, setup).click()
    run_cell(page, setup)
    return page, [one for one in EXERCISES.values() if one.name[:2] == notebook.name[:2]]


def setup_of(page: Page) -> dict[str, Any]:
    """Return the cell with the imports."""
    cells: list[dict[str, Any]] = read(page)["cells"]
    return next(cell for cell in cells if "setup" in cell["metadata"].get("tags", []))


def answer(page: Page, exercise: Exercise, source: str) -> None:
    """Write a source into the stub's cell, and run that cell and the check with Shift+Enter."""
    write(page, exercise.cells[0], source)
    run_stub_and_check(page, exercise)


def run_stub_and_check(page: Page, exercise: Exercise) -> None:
    """Press Shift+Enter twice, in the stub's cell."""
    stub, check = exercise.cells
    run_cell(page, stub)
    assert errors(read_cell(page, stub)) == [], read_cell(page, stub)["source"]
    run_cell(page, check)


def ask(page: Page, name: str, call: str) -> str:
    """Paste a call into a learner's cell, run it, and return its text."""
    write(page, name, call, paste=True)
    run_cell(page, name, "ControlOrMeta+Enter")
    return said(page, name)


def ask_for_everything(page: Page, exercise: Exercise) -> tuple[list[str], str]:
    """Ask for each hint below the check. Return the hints, and the solution's code."""
    editor_of(page, exercise.cells[1]).click()
    name, hints, call = add_below(page), list[str](), f'hint("{exercise.name}", 1)'
    while not call.startswith("solution("):
        hints.append(ask(page, name, call))
        call = hints[-1].partition("Next: ")[2]
    ask(page, name, call)
    return hints, copy_solution(page, exercise, name)


def copy_solution(page: Page, exercise: Exercise, name: str) -> str:
    """Return the code to type, copied from the solution under a cell.

    For an order, the code is taken from the words.
    """
    if isinstance(exercise, Ordering):
        return f"order = {said(page, name).partition('So the order is ')[2].partition('.')[0]}"
    drawn(page, name).locator("pre code").evaluate("(it) => getSelection().selectAllChildren(it)")
    page.keyboard.press("ControlOrMeta+C")
    code: str = page.evaluate("() => navigator.clipboard.readText()")
    return code


def in_another_style(exercise: Exercise) -> str:
    """Return a right answer in another style than the solution's."""
    right: Any = RIGHT[exercise.name][0]
    if not isinstance(exercise, Coding):
        return f"{exercise.names[0]} = {right!r}"
    functions = right if type(right) is tuple else (right,)
    pairs = zip(exercise.names, functions, strict=True)
    return "\n".join([code_of(functions), *(f"{name} = {one.__name__}" for name, one in pairs)])


# ---------------------------------------------------------------------------- what they get to read


def drawn(page: Page, name: str) -> Locator:
    """Find the result, hint or solution that is drawn under a cell."""
    return outputs_of(page, name).locator(".kvlib.result")


def said(page: Page, name: str) -> str:
    """Return the visible words under a cell in one line."""
    return in_one_line(drawn(page, name).inner_text())


def text_of(page: Page, name: str) -> str:
    """Return the plain text of a cell's output."""
    (output,) = read_cell(page, name)["outputs"]
    return "".join(output["data"]["text/plain"])


def in_one_line(text: str) -> str:
    """Return the words of a text as they are drawn: without backticks, on one line."""
    return " ".join(text.replace("`", "").split())


def assert_right(page: Page, exercise: Exercise) -> None:
    """Check that both forms of the result say that the answer is right, and name the lesson."""
    for read_there in (
        said(page, exercise.cells[1]),
        in_one_line(text_of(page, exercise.cells[1])),
    ):
        assert read_there.startswith(f"✓ {exercise.name}: right "), read_there
        assert in_one_line(exercise.why) in read_there


def assert_shows(page: Page, exercise: Exercise, result: Result) -> None:
    """Check that both forms have the smallest case, the outcome and the feedback of a result."""
    check = exercise.cells[1]
    assert text_of(page, check) == repr(result)
    shown = said(page, check)
    for text in (result.headline, result.asked, result.came, *result.paragraphs(), result.then):
        assert in_one_line(text) in shown
    assert result.asked
    assert drawn(page, check).evaluate("(it) => it.scrollWidth <= it.clientWidth"), "text is cut"
    if result.picture:
        assert_pictures(drawn(page, check), result.picture)


def assert_pictures(output: Locator, picture: BytesPicture) -> None:
    """Check that the bytes are drawn, with a ring around the wrong one or the missing one."""
    source = output.locator("img").get_attribute("src")
    assert source is not None
    image = unquote(source)
    digits = re.findall(r'<text x="((?:\d+ )+\d+)" y="(\d+)">([0-9A-F]+)<', image)
    placed = [
        ((float(y), float(x)), digit)
        for xs, y, text in digits
        for x, digit in zip(xs.split(), text, strict=False)
        if float(x) < CHARACTERS
    ]
    assert bytes.fromhex("".join(digit for _, digit in sorted(placed))) == picture.layout.data
    rings = image.count(f'fill="none" stroke="{COLOURS["wrong"][0]}" stroke-width="3.2"')
    assert rings == (picture.wrong is not None)


def assert_own_bytes_are_marked(exercise: Exercise, result: Result) -> None:
    """Check that a result with bytes has a picture, with the first wrong byte."""
    if isinstance(exercise, Coding) and any(exercise.formats):
        assert result.picture
        assert result.picture.layout.source == "your bytes"
        assert result.picture.wrong is not None


def telling_lines(exercise: Exercise, code: str) -> list[str]:
    """Return the texts that no hint may have: the lines, the order or the value of a solution."""
    lines = [line.strip() for line in code.removeprefix("order = ").splitlines()]
    value = [repr(exercise.answer())] if isinstance(exercise, Prediction) else []
    return value + [in_one_line(line) for line in lines if len(line) > 14]


def judge(page: Page, themes: Iterable[str] = THEMES) -> None:
    """Check the results and solutions with axe-core in these themes; the last theme stays."""
    for theme in themes:
        change_theme(page, theme)
        faults = violations(page, ".kvlib.result")
        assert not faults, "\n\n".join([theme, *faults])


def run_to_the_end(page: Page, exercises: Sequence[Exercise]) -> None:
    """Check that after Run All each answer is still right, without a fault for axe-core."""
    run_all(page)
    for exercise in exercises:
        assert_right(page, exercise)
    judge(page, reversed(THEMES))


# ------------------------------------------------------------------------------------------- paths


@each_notebook
def test_right_answers_are_told_so(lab: Lab, notebook: Path) -> None:
    """Answers in another style than the solution's are right at the first attempt."""
    page, exercises = begin(lab, notebook)
    for exercise in exercises:
        answer(page, exercise, in_another_style(exercise))
        assert_right(page, exercise)
    run_to_the_end(page, exercises)


@each_notebook
def test_mistakes_are_explained_and_can_be_mended(lab: Lab, notebook: Path) -> None:
    """Each mistake gets its own feedback, and the next answer in the same kernel is right."""
    page, exercises = begin(lab, notebook)
    setup = setup_of(page)["source"]
    for exercise in exercises:
        for slip in SLIPS[exercise.name]:
            source = slip.written(exercise)
            answer(page, exercise, source)
            result = checked_here(exercise, setup, source)
            assert_shows(page, exercise, result)
            assert in_one_line(slip.names) in said(page, exercise.cells[1])
        assert_own_bytes_are_marked(exercise, result)
    judge(page)
    for exercise in exercises:
        answer(page, exercise, exercise.solved)
        assert_right(page, exercise)
    run_to_the_end(page, exercises)


@each_notebook
def test_hints_lead_on_and_the_solution_can_be_copied(lab: Lab, notebook: Path) -> None:
    """The hints lead from "not tried yet" to the solution, and the copied solution is right."""
    page, exercises = begin(lab, notebook)
    for exercise in exercises:
        editor_of(page, exercise.cells[0]).click()
        run_stub_and_check(page, exercise)
        assert text_of(page, exercise.cells[1]) == f"○ {exercise.name}: not tried yet"
        assert said(page, exercise.cells[1]).startswith(f"○ {exercise.name}: not tried yet ○")
    judge(page)
    for exercise in exercises:
        hints, code = ask_for_everything(page, exercise)
        for hint, meant in zip(hints, exercise.hints, strict=True):
            assert in_one_line(meant) in hint
        for hint in hints[:2]:
            assert not [line for line in telling_lines(exercise, code) if line in hint]
        answer(page, exercise, code)
        assert_right(page, exercise)
    run_to_the_end(page, exercises)
