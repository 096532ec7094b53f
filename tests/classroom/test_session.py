"""How a learner's notebook is run and checked; each shared notebook takes one kernel."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from kvlib.classroom import session
from kvlib.classroom.errors import KernelError
from kvlib.classroom.exercise_cells import check_call
from kvlib.classroom.marks import DIED, HIDDEN, RIGHT, SILENT, UNTRIED, WRONG, best
from kvlib.classroom.submissions import CodeCell
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.source_code import solved

IMPORT = "from kvlib.lessons import check, hint"
SOLVED = {name: solved(exercise) for name, exercise in EXERCISES.items()}
CHECK = {name: check_call(exercise) for name, exercise in EXERCISES.items()}
RIGHT_CHECK = {name: f"{SOLVED[name]}\n{CHECK[name]}" for name in EXERCISES}
WRONG_CHECK = {
    name: f"check('{name}', {'7' if exercise.kind == 'predict' else 'lambda *_: 7'})"
    for name, exercise in EXERCISES.items()
}


def states(
    cells: Sequence[str | CodeCell], hidden: dict[str, str] | None = None, seconds: float = 60
) -> dict[str, str]:
    """Run a notebook, and return the state of each exercise. Cells without an id are strings."""
    coded = [cell if isinstance(cell, CodeCell) else CodeCell("", cell) for cell in cells]
    results = session.run_notebook(coded, hidden or {}, seconds)
    return {name: best(found) for name, found in results.items()}


def stub(name: str, source: str) -> CodeCell:
    """Return an exercise's stub with this source."""
    return CodeCell(EXERCISES[name].cells[0], source)


def checked(name: str, source: str) -> CodeCell:
    """Return an exercise's check with this source instead of the right one."""
    return CodeCell(EXERCISES[name].cells[1], source)


# ----------------------------------------------------------------------------- which check counts

# How a notebook may check an exercise, and the exercise's state. All of these are in one notebook.
# {solved} is the code of the solution, {check} checks it, {right} is both, {wrong} is a wrong answer.
WAYS = {
    "no name": ("01-snapshot", "name 'encode_snapshot' is not defined", ["{check}"]),
    "a wrong answer first": ("01-length", RIGHT, ["{wrong}", "{right}"]),
    "a wrong answer later": ("02-count", RIGHT, ["{right}", "{wrong}"]),
    "twice in a cell": ("01-encode-field", RIGHT, ["{wrong}\n{right}"]),
    "mentions first": ("02-run-segments", RIGHT, ["# {check}\n'''{check}'''", "{right}"]),
    "the name in a variable": (
        "02-header",
        RIGHT,
        ["{solved}", "n = '02-header'\ndef f(x): return check(n, x)\nf(add_headers)"],
    ),
    "a loop": (
        "01-delimiter",
        RIGHT,
        ["{solved}", "for f in len, encode: check('01-delimiter', answer=f)"],
    ),
    "another name": (
        "02-split",
        RIGHT,
        ["{solved}", "from kvlib.lessons import check as c\nc('02-split', cut)"],
    ),
    "an attribute": (
        "03-replay",
        RIGHT,
        ["{solved}", "import kvlib.lessons\nkvlib.lessons.{check}"],
    ),
    "an answer with another name": (
        "02-bug-hunt",
        RIGHT,
        ["{solved}", "f = their_split\ndel their_split\ncheck('02-bug-hunt', f)"],
    ),
    "after an exception": ("03-bug-hunt", RIGHT, ["{solved}", "1 / 0\n{check}"]),
    "below a magic": ("03-torn", RIGHT, ["{solved}", "def (", "%%time\n{check}"]),
    "among magics": ("01-bug-hunt", RIGHT, ["{solved}", "%matplotlib nothing\n!true\n{check}"]),
    "after exit": ("03-publish-order", RIGHT, ["{wrong}; exit()", "{right}"]),
    "without output": (
        "03-recover",
        RIGHT,
        ["import sys\nsys.stdout = sys.stderr = None", "sys.stdout = None\n{right}"],
    ),
    "a check of the learner's": (
        "01-decode-order",
        RIGHT,
        ["{solved}", "check = lambda *_: 0", "{check}", IMPORT],
    ),
    "without the import": ("02-join-order", RIGHT, ["{solved}", "del check", "{check}", IMPORT]),
    "forged": (
        "02-split-join",
        WRONG,
        ["split = join = len", "check = lambda *_: 'right'", "{check}", IMPORT],
    ),
    "wrong, then untried": (
        "01-run-snapshots",
        WRONG,
        ["{wrong}", "run_snapshots = ...", "{check}"],
    ),
    "untried": ("03-run-shutdown", UNTRIED, ["run_shutdown = ...", "{check}"]),
    "only mentions": (
        "03-run-log",
        "",
        ["# {check}", "'''{check}'''", "f = {check!r}", "hint('03-run-log')"],
    ),
}


def filled_in(name: str, cell: str) -> str:
    """Return the source of a cell from the table above."""
    return cell.format(
        solved=SOLVED[name], check=CHECK[name], right=RIGHT_CHECK[name], wrong=WRONG_CHECK[name]
    )


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    """Return the states of the exercises in the notebook with all of these cells."""
    cells = [filled_in(name, cell) for name, _, cells in WAYS.values() for cell in cells]
    return states([IMPORT, *cells], seconds=300)


@pytest.mark.parametrize("way", WAYS)
def test_the_best_check_counts(way: str, found: dict[str, str]) -> None:
    """Wherever a check runs and whatever its name, its result counts; a mention isn't a check."""
    name, state, _ = WAYS[way]
    assert found.get(name, "") == state


def test_an_edited_check_changes_nothing() -> None:
    """Printed output, a patched `check` and the text of the check's cell don't count."""
    faked = """\
class Yes:
    state, passed = "right", True
import kvlib.lessons, kvlib.lessons.checking
check = kvlib.lessons.check = kvlib.lessons.checking.check = lambda *_: Yes()
prediction = 7"""
    cells = [
        stub("01-length", faked),
        checked("01-length", 'print("01-length: right")'),
        stub("01-encode-field", EXERCISES["01-encode-field"].stub),
        checked("01-encode-field", "1 / 1"),
        stub("01-decode-order", "order = [1, 2, 3, 4, 5, 6]"),
        checked("01-decode-order", "order = [6, 4, 2, 5, 3, 1]"),
    ]
    assert states(cells) == {
        "01-length": WRONG,
        "01-encode-field": UNTRIED,
        "01-decode-order": WRONG,
    }


def test_a_result_that_was_not_recorded_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A learner who deletes the grader's file gets no points."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    record = str(tmp_path / "kvlib-*" / "record")
    delete = f"import glob, os\nfor path in glob.glob({record!r}): os.unlink(path)"
    assert states([IMPORT, delete, RIGHT_CHECK["01-length"]]) == {"01-length": SILENT}


# ----------------------------------------------------------------------------------- hidden tests


def test_a_hidden_test_runs_on_a_right_answer() -> None:
    """It gets the answer by the exercise's name, and all that the notebook defines so far."""
    cells = [
        IMPORT,
        f"{SOLVED['01-encode-field'].replace('encode_field', 'mine')}\nempty = ''",
        "check('01-encode-field', mine)",
        "check('01-length', 14)",
        "late = 1",
        "check('01-length', 14)",
        "check('02-count', 10)",
        "check('03-torn', 7)",
        f"order = ...\n{CHECK['01-decode-order']}",
    ]
    hidden = {
        "01-encode-field": "assert encode_field(empty) == b's' + bytes(4)",
        "01-length": "assert prediction == 14 and late",
        "02-count": "assert prediction == 11",
        "03-torn": "while True:\n    pass",
        "01-decode-order": "while True:\n    pass",
    }
    assert states(cells, hidden) == {
        "01-encode-field": RIGHT,
        "01-length": RIGHT,
        "02-count": HIDDEN,
        "03-torn": WRONG,
        "01-decode-order": UNTRIED,
    }


def test_our_own_solutions_are_tried_on_hidden_tests() -> None:
    """Each test that rejects a solution is named, with the error."""
    hidden = {
        "01-length": "assert prediction < 14, 'so there'",
        "01-decode-order": "assert order[-1] == 1",
    }
    assert list(session.rejected(hidden)) == [("01-length", "AssertionError: so there")]


def test_a_kernel_without_this_kvlib_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported before any learner is graded with it."""
    monkeypatch.setattr(session.Session, "start", lambda self: self._execute("import nothing"))
    with pytest.raises(KernelError, match="No module named 'nothing'"):
        list(session.rejected({}))


# ----------------------------------------------------------------------------------------- limits


def test_endless_code_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless cell, answer or hidden test is stopped, and the cells that follow still run."""
    monkeypatch.setattr(session, "CELL_SECONDS", 4.0)
    endless = "while True:\n    time.sleep(1)"
    cells = [
        f"{IMPORT}\nimport time",
        endless,
        f"def add_headers(segments):\n    {endless.replace('    ', ' ' * 8)}",
        CHECK["02-header"],
        CHECK["01-encode-field"],
        "check('01-length', 14)",
        "check('02-count', 10)",
    ]
    assert states(cells, {"01-length": f"import time\n{endless}"}) == {
        "02-header": "stopped after 4 seconds",
        "01-encode-field": "name 'encode_field' is not defined",
        "01-length": "stopped after 4 seconds",
        "02-count": RIGHT,
    }


def test_a_notebook_that_cannot_be_interrupted_ends() -> None:
    """It is stopped when its time is up. Results from before that count."""
    deaf = """\
import time
while True:
    try:
        time.sleep(1)
    except KeyboardInterrupt:
        pass"""
    cells = [IMPORT, "check('01-length', 14)", stub("01-encode-field", deaf), CHECK["02-count"]]
    late = "stopped after 6 seconds"
    assert states(cells, seconds=6) == {
        "01-length": RIGHT,
        "01-encode-field": late,
        "02-count": late,
    }


def test_endless_output_is_never_read() -> None:
    """Prints, displays and checks in an endless loop take no longer than the notebook may."""
    flood = f"print('x' * 10**6); display('y' * 10**6); {WRONG_CHECK['01-length']}"
    start = time.monotonic()
    assert states([IMPORT, f"while True:\n    {flood}"], seconds=4) == {"01-length": WRONG}
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    ("cells", "hidden", "state"),
    [
        (["check('01-length', 14)", "import os; os._exit(1)"], {}, RIGHT),
        (["check('01-length', 14)\nimport os; os._exit(1)"], {"01-length": "1"}, DIED),
        (["check('01-length', 14)"], {"01-length": "import os; os._exit(1)"}, DIED),
    ],
    ids=["later", "before the hidden test", "in the hidden test"],
)
def test_a_learner_may_kill_the_kernel(
    cells: list[str], hidden: dict[str, str], state: str
) -> None:
    """Exercises that were right before stay right, if they have passed their hidden test too."""
    left = CHECK["01-encode-field"]
    assert states([IMPORT, *cells, left], hidden) == {"01-length": state, "01-encode-field": DIED}


def test_a_kernel_dies_with_its_children(tmp_path: Path) -> None:
    """No process that a learner's code has started outlives its notebook."""
    beats = tmp_path / "beats"
    beat = f"import time\nwhile True:\n    time.sleep(.1); open({str(beats)!r}, 'a').write('x')"
    start = f"subprocess.Popen([sys.executable, '-c', {beat!r}])"
    wait = f"while not os.path.exists({str(beats)!r}): time.sleep(.1)"
    states([f"import os, subprocess, sys, time\n{start}\n{wait}"])
    time.sleep(0.3)
    before = beats.read_text()
    time.sleep(0.5)
    assert beats.read_text() == before
