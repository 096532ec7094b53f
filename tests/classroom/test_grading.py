import csv
import io
from pathlib import Path

import pytest

from helpers.small_notebooks import small, write_all
from kvlib.classroom import grading
from kvlib.classroom.__main__ import main
from kvlib.classroom.editions import Notebook, solve
from kvlib.classroom.grading import (
    HIDDEN,
    MISSING,
    RIGHT,
    UNREAD,
    UNTRIED,
    WRONG,
    Mark,
    Marks,
    as_csv,
    collect,
    grade_notebook,
    table,
)
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.source_code import solved

NAMES = ("01-length", "01-encode-field", "01-decode-order")
WORTH = {name: EXERCISES[name].points for name in NAMES}


def handed_in(**sources: str) -> Notebook:
    """Give a notebook with the three exercises, and with these sources; `_` stands for `-`."""
    notebook = small(EXERCISES[name] for name in NAMES)
    for cell in notebook.cells:
        cell.source = sources.get(cell.id.replace("01-", "").replace("-", "_"), cell.source)
    return notebook


def states(folder: Path, notebook: Notebook, seconds: float = grading.SECONDS) -> dict[str, str]:
    """Give what becomes of each exercise."""
    write_all(folder / "work", {"one.ipynb": notebook})
    marks = grade_notebook(folder / "work" / "one.ipynb", seconds=seconds)
    return {mark.exercise.name: mark.state for mark in marks}


# -------------------------------------------------------------------------------------- the folder


def test_notebooks_are_found_by_learner(tmp_path: Path) -> None:
    """A folder for each, however deep, or a file; not what an editor keeps beside them."""
    for name in (
        "anna/01.ipynb",
        "anna/kvlib/02.ipynb",
        "anna/.ipynb_checkpoints/01-checkpoint.ipynb",
        "boris.ipynb",
        "carl/readme.txt",
        ".trash/dora.ipynb",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert collect(tmp_path) == {
        "anna": [tmp_path / "anna/01.ipynb", tmp_path / "anna/kvlib/02.ipynb"],
        "boris": [tmp_path / "boris.ipynb"],
    }


# ------------------------------------------------------------------------------------ one notebook


def test_what_is_solved_gets_its_points_and_no_more(tmp_path: Path) -> None:
    """Right, wrong and untried are told apart, exercise by exercise."""
    notebook = handed_in(
        length_stub=solved(EXERCISES["01-length"]), decode_order_stub="order = [1, 2, 3, 4, 5, 6]"
    )
    found = states(tmp_path, notebook)
    assert found == dict(zip(NAMES, (RIGHT, UNTRIED, WRONG), strict=True))


def test_an_edited_check_changes_nothing(tmp_path: Path) -> None:
    """Neither the cell's text counts, nor a `check` of the learner's own, nor what is printed."""
    faked = """\
class Yes:
    state, passed = "right", True
import kvlib.lessons, kvlib.lessons.checking
check = kvlib.lessons.check = kvlib.lessons.checking.check = lambda *_: Yes()
prediction = 7"""
    notebook = handed_in(
        length_stub=faked,
        length_check='print("01-length: right")',
        encode_field_check="1 / 1",
        decode_order_check="order = [6, 4, 2, 5, 3, 1]",
    )
    assert states(tmp_path, notebook) == dict(zip(NAMES, (WRONG, UNTRIED, UNTRIED), strict=True))


def test_checks_are_found_without_their_ids(tmp_path: Path) -> None:
    """Some editors change them: a cell that calls the check will do, then one with the stub."""
    notebook = solve(handed_in())
    del notebook.cells[-1]  # the check of 01-decode-order
    for number, cell in enumerate(notebook.cells[:-1]):
        cell.id = f"other-{number}"
    assert states(tmp_path, notebook) == dict.fromkeys(NAMES, RIGHT)


def test_a_notebook_without_exercises_has_no_marks(tmp_path: Path) -> None:
    """It is run, and that is all."""
    assert states(tmp_path, small(())) == {}


def test_a_hidden_test_can_fail_what_is_right(tmp_path: Path) -> None:
    """It sees the learner's names; where the answer is wrong already, that is what is said."""
    hidden = {"01-length": "assert prediction == 15", "01-encode-field": "assert 0"}
    hidden["01-decode-order"] = "assert order[-1] == 1"
    notebook = handed_in(length_stub="prediction = 14", decode_order_stub="order = [6,4,2,5,3,1]")
    write_all(tmp_path / "work", {"one.ipynb": notebook})
    marks = grade_notebook(tmp_path / "work" / "one.ipynb", hidden)
    assert [mark.state for mark in marks] == [HIDDEN, UNTRIED, RIGHT]
    assert [mark.points for mark in marks] == [0, 0, WORTH["01-decode-order"]]


def test_a_hidden_test_runs_only_if_the_answer_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a wrong answer stays wrong, however long a hidden test would take with it."""
    monkeypatch.setattr(grading, "CELL_SECONDS", 5.0)
    notebook = handed_in(length_stub="prediction = 7", decode_order_stub="order = [6,4,2,5,3,1]")
    write_all(tmp_path / "work", {"one.ipynb": notebook})
    hidden = dict.fromkeys(("01-length", "01-decode-order"), "while True:\n    pass")
    marks = grade_notebook(tmp_path / "work" / "one.ipynb", hidden)
    assert [mark.state for mark in marks] == [WRONG, UNTRIED, "stopped after 5 seconds"]


def test_an_endless_cell_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is interrupted, and what follows is still looked at."""
    monkeypatch.setattr(grading, "CELL_SECONDS", 5.0)
    notebook = handed_in(
        length_stub="prediction = 7",
        encode_field_stub="while True:\n    pass",
        decode_order_stub="order = [6, 4, 2, 5, 3, 1]",
    )
    found = states(tmp_path, notebook)
    assert found["01-length"] == WRONG
    assert found["01-encode-field"] == "name 'encode_field' is not defined"
    assert found["01-decode-order"] == RIGHT


def test_an_endless_answer_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no count of lines can stop is interrupted too."""
    monkeypatch.setattr(grading, "CELL_SECONDS", 5.0)
    stub = "import time\ndef encode_field(value):\n    time.sleep(1000)"
    found = states(tmp_path, handed_in(encode_field_stub=stub))
    assert found["01-encode-field"] == "stopped after 5 seconds"


def test_a_notebook_that_cannot_be_interrupted_ends(tmp_path: Path) -> None:
    """After its time; what was found out before that counts."""
    deaf = """\
import time
while True:
    try:
        time.sleep(1)
    except KeyboardInterrupt:
        pass"""
    notebook = handed_in(length_stub="prediction = 14", encode_field_stub=deaf)
    found = states(tmp_path, notebook, seconds=10)
    assert found == dict(zip(NAMES, (RIGHT, *["stopped after 10 seconds"] * 2), strict=True))


def test_a_dead_kernel_is_reported(tmp_path: Path) -> None:
    """A learner's code may end its own process."""
    notebook = handed_in(length_stub="prediction = 14", encode_field_stub="import os; os._exit(1)")
    found = states(tmp_path, notebook)
    assert found == dict(zip(NAMES, (RIGHT, *["its Python has died"] * 2), strict=True))


def test_a_kernel_that_dies_in_a_hidden_test_gives_nothing(tmp_path: Path) -> None:
    """Right is only what passed that too."""
    write_all(tmp_path / "work", {"one.ipynb": handed_in(length_stub="prediction = 14")})
    hidden = {"01-length": "import os; os._exit(1)"}
    marks = grade_notebook(tmp_path / "work" / "one.ipynb", hidden)
    assert marks[0].state == "its Python has died"


# ------------------------------------------------------------------------------------- the results


def marks(**given: dict[str, str]) -> Marks:
    """Give marks for each learner: those given, and all others not handed in."""
    return {
        learner: {name: Mark(one, own.get(name, MISSING)) for name, one in EXERCISES.items()}
        for learner, own in given.items()
    }


SOME = {"01-length": RIGHT, "01-encode-field": WRONG, "01-decode-order": UNTRIED}


def test_table_shows_points_and_why_there_are_none() -> None:
    """Columns are as wide as what stands in them, in any script; the rest is told below."""
    lines = table(marks(anna=SOME, 小林={"01-length": "no answer"})).splitlines()
    assert lines[0].split() == ["exercise", "points", "anna", "小林"]
    assert [line.split()[2:] for line in lines[1:4]] == [["1", "!"], ["0", "."], ["-", "."]]
    assert len(lines[1]) == len(lines[0]) + 2  # 小林 takes four columns
    assert lines[len(EXERCISES) + 1].split()[2:] == ["1", "0"]
    assert lines[-1] == "! 小林, 01-length: no answer"


def test_exercises_of_one_fate_share_a_line() -> None:
    """A learner's, below the table, in the order of the exercises."""
    fates = {"01-length": UNREAD, "01-encode-field": "no answer", "02-count": UNREAD}
    assert table(marks(anna=fates)).splitlines()[-2:] == [
        f"! anna, 01-length, 02-count: {UNREAD}",
        "! anna, 01-encode-field: no answer",
    ]


def test_what_cannot_be_read_is_not_what_was_not_handed_in(tmp_path: Path) -> None:
    """It stands for the notebook whose number its name has, or for all; an answer says more."""
    for name in ("anna/02_segment copy.ipynb", "anna/01.ipynb", "0123.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    one = handed_in(length_stub="prediction = 14", decode_order_stub="order = [1, 2, 3, 4, 5, 6]")
    write_all(tmp_path / "anna" / "copies", {"01.ipynb": one})
    found = grading.grade(collect(tmp_path), {}, say=lambda line: None)
    assert {mark.state for mark in found["0123"].values()} == {UNREAD}
    states = {name: mark.state for name, mark in found["anna"].items()}
    assert [states[name] for name in NAMES] == [RIGHT, UNREAD, WRONG]
    assert (states["02-count"], states["03-torn"]) == (UNREAD, MISSING)


def test_csv_is_exercise_by_learner() -> None:
    """The points that there are, and sums; behind all of them, what became of each exercise."""
    rows = list(csv.reader(io.StringIO(as_csv(marks(anna=SOME, boris={})))))
    worth = sum(exercise.points for exercise in EXERCISES.values())
    assert rows[0] == ["exercise", "points", "anna", "boris", "anna: state", "boris: state"]
    assert rows[1] == ["01-length", "1", "1", "0", RIGHT, MISSING]
    assert [row[4] for row in rows[1:5]] == [RIGHT, WRONG, UNTRIED, MISSING]
    assert rows[-1] == ["total", f"{worth}", "1", "0", "", ""]
    assert len(rows) == len(EXERCISES) + 2


def test_nothing_in_the_csv_is_a_formula() -> None:
    """Neither a learner's name nor a state."""
    rows = list(csv.reader(io.StringIO(as_csv(marks(**{"=2+2": {"01-length": "@now"}})))))
    assert rows[0][2:] == ["'=2+2", "'=2+2: state"]
    assert rows[1][2:] == ["0", "'@now"]


# ------------------------------------------------------------------------------------- the command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a class of two learners; one has handed in twice, and what is no notebook."""
    first = handed_in(length_stub="prediction = 14")
    write_all(tmp_path / "class" / "anna", {"01.ipynb": first, "02.ipynb": handed_in()})
    (tmp_path / "class" / "boris.ipynb").write_text('{"cells": 3}')
    return tmp_path / "class"


def test_command_grades_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It warns, runs, says what it can't read, and writes the best of several."""
    assert main(["grade", str(folder), "--yes"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("This runs the code in 3 notebooks of 2 learners, on this computer")
    assert "anna, 01.ipynb: 1 points" in said
    assert "boris, boris.ipynb: can't be read as a notebook" in said
    written = (folder / "grades.csv").read_text(encoding="utf-8-sig")
    assert f"! boris, {', '.join(EXERCISES)}: {UNREAD}" in said
    assert f"\n01-length,1,1,0,{RIGHT},{UNREAD}\n" in written
    assert written.splitlines()[-1].endswith(",1,0,,")


@pytest.mark.parametrize("answer", ["n", "", "yep", None])
def test_nothing_runs_unless_agreed(
    folder: Path,
    answer: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever is not a yes is a no, and so is nobody there."""

    def ask(prompt: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", ask)
    assert main(["grade", str(folder)]) == 2
    assert "Nothing was run." in capsys.readouterr().out
    assert not (folder / "grades.csv").exists()


def test_yes_runs_with_hidden_tests(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of --overlay, and the file is where --csv says."""
    monkeypatch.setattr("builtins.input", lambda prompt: "Y ")
    (folder / "boris.ipynb").unlink()
    (folder / "anna" / "02.ipynb").unlink()
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "01-length.py").write_text("assert prediction > 14")
    place = tmp_path / "here.csv"
    assert main(["grade", str(folder), "--overlay", str(overlay), "--csv", str(place)]) == 0
    assert f'\n01-length,1,0,"{HIDDEN}"\n' in place.read_text(encoding="utf-8-sig")


def test_an_empty_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to grade, and nothing to ask."""
    assert main(["grade", str(tmp_path)]) == 2
    assert "there is no notebook in" in capsys.readouterr().err
