import json
import os
import sys
from pathlib import Path

import pytest

from helpers.small_notebooks import small, write_all
from kvlib.classroom import grading
from kvlib.classroom.editions import solve
from kvlib.classroom.grading import KEY, Grader, collect, grade_notebook, read
from kvlib.classroom.marks import MISSING, RIGHT, UNREAD, UNTRIED, WRONG, States
from kvlib.classroom.notebooks import ClassroomError
from kvlib.classroom.runner import Cells
from kvlib.lessons.catalogue import EXERCISES

NAMES = ("01-length", "01-encode-field", "01-decode-order")
ALL_RIGHT = dict.fromkeys(EXERCISES, RIGHT)


def cells(*names: str, **sources: str) -> Cells:
    """Return the code cells of a notebook with three exercises.

    Those of `names` are solved, and `sources` replace cells; `_` stands for `-`.
    """
    exercises = [EXERCISES[name] for name in NAMES]
    given = {f"01-{name.replace('_', '-')}": source for name, source in sources.items()}
    right = {cell.id: cell.source for cell in solve(small(EXERCISES[one] for one in names)).cells}
    return [
        (cell.id, (right | given).get(cell.id, cell.source))
        for cell in small(exercises).cells
        if cell.cell_type == "code"
    ]


def states(work: Cells) -> list[str]:
    """Return the states of the three exercises; the others must be missing."""
    found = grade_notebook(work)
    assert {found[name] for name in EXERCISES if name not in NAMES} == {MISSING}
    return [found[name] for name in NAMES]


def test_notebooks_are_found_by_learner(tmp_path: Path) -> None:
    """A learner has a file, or a folder of any depth; hidden files and folders don't count."""
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


def test_a_notebook_may_have_what_only_its_editor_needs(tmp_path: Path) -> None:
    """A byte order mark, bad outputs, an unknown kernel and half a character don't matter."""
    notebook = {
        "metadata": {"kernelspec": {"name": "nothing"}},
        "cells": [
            {"cell_type": "markdown", "source": "no code"},
            {"cell_type": "code", "id": "new", "source": ["a\n", "b\ud800"], "outputs": 3},
            {"cell_type": "code", "source": "no id"},
        ],
    }
    (tmp_path / "one.ipynb").write_text(json.dumps(notebook), encoding="utf-8-sig")
    assert read(tmp_path / "one.ipynb") == [("new", "a\nb\ud800"), ("None", "no id")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "JSONDecodeError: Expecting value"),
        (b"\xff\xfe\xff", "UnicodeDecodeError: "),
        (b"{}", "KeyError: 'cells'"),
        (b"[]", "TypeError: "),
        (b'{"cells": 3}', "TypeError: "),
        (b'{"cells": [1]}', "TypeError: "),
        (b'{"cells": [{"cell_type": "code"}]}', "KeyError: 'source'"),
        (b"[" * 200_000, "RecursionError: "),
        (bytes(2**20 + 1), "ValueError: it is larger than 1 MB"),
        ("folder", "ValueError: it is not a readable file"),
        ("link", "ValueError: it is not a readable file"),
        ("pipe", "ValueError: it is not a readable file"),
    ],
)
def test_what_is_no_notebook_has_a_reason(
    content: bytes | str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is too strange for it, and reading a pipe doesn't block."""
    monkeypatch.setattr(grading, "LARGEST", 2**20)
    path = tmp_path / "one.ipynb"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif sys.platform == "win32" and content != "folder":
        pytest.skip("there are no such files")
    else:
        make = {"folder": path.mkdir, "link": lambda: path.symlink_to("x")}
        make.get(content, lambda: os.mkfifo(path))()
    found = read(path)
    assert isinstance(found, str)
    assert found.startswith(said)


def test_each_exercise_has_its_own_state() -> None:
    """A solved, an untried and a wrong one are told apart."""
    work = cells("01-length", decode_order_stub="order = [1, 2, 3, 4, 5, 6]")
    assert states(work) == [RIGHT, UNTRIED, WRONG]
    assert states(cells()[:1]) == [MISSING] * 3


def test_edited_and_deleted_checks_change_nothing() -> None:
    """A check's text, the learner's own `check` and printed output don't count."""
    faked = """\
class Yes:
    state, passed = "right", True
import kvlib.lessons, kvlib.lessons.checking
check = kvlib.lessons.check = kvlib.lessons.checking.check = lambda *_: Yes()
prediction = 7"""
    work = cells(
        length_stub=faked, length_check='print("01-length: right")', encode_field_check="1 / 1"
    )
    assert states(work[:-1]) == [WRONG, UNTRIED, UNTRIED]


def test_checks_count_without_their_ids() -> None:
    """Some editors change ids: a call of the check will do, and so will a stub's id."""
    *others, stub, _ = cells(*NAMES)
    assert states([*(("new", source) for _, source in others), stub]) == [RIGHT] * 3


# ------------------------------------------------------------------------------------ kept marks


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Cells]:
    """Let all notebooks be right without running them; return those that would have run."""
    ran: list[Cells] = []

    def graded(cells: Cells, *_: object) -> States:
        ran.append(cells)
        return ALL_RIGHT

    monkeypatch.setattr(grading, "grade_notebook", graded)
    return ran


def test_only_what_has_not_changed_is_kept(tmp_path: Path, ran: list[Cells]) -> None:
    """Other cells, hidden tests or time limits, and `anew`, let the notebook run again."""
    part = tmp_path / "grades.csv.part"
    one, two = (write_all(tmp_path / name, {"01.ipynb": small([])}) for name in "ab")
    write_all(tmp_path / "c", {"01.ipynb": small([EXERCISES["01-length"]])})
    for path, hidden, seconds, anew, runs in (
        (one, {}, 9, False, 1),
        (one, {}, 9, False, 0),
        (two, {}, 9, False, 0),  # the same cells
        (tmp_path / "c", {}, 9, False, 1),
        (one, {"01-length": "assert 1"}, 9, False, 1),
        (one, {}, 8, False, 1),
        (one, {}, 9, True, 1),
    ):
        ran.clear()
        grader = Grader(part, hidden, seconds, anew)
        assert grader.grade(path / "01.ipynb") == (ALL_RIGHT, "71 points")
        assert len(ran) == runs


def test_an_unreadable_file_stands_for_what_it_may_be(tmp_path: Path) -> None:
    """It stands for the exercises of the notebook with its number, or else for all."""
    grader = Grader(tmp_path / "part", {}, 9, False)
    for name, number in ("02_segment copy.ipynb", "02"), ("0123.ipynb", ""), ("x", ""):
        (tmp_path / name).touch()
        found, said = grader.grade(tmp_path / name)
        assert found == {one: UNREAD for one in EXERCISES if one.startswith(number)}
        assert said.startswith(f"{UNREAD}: JSONDecodeError: ")


@pytest.mark.parametrize("content", ["years of work", "{}", "[]", "3", "\ud800"])
def test_a_file_of_something_else_is_not_replaced(content: str, tmp_path: Path) -> None:
    """The error names it."""
    part = tmp_path / "grades.csv.part"
    part.write_text(content, errors="surrogatepass")
    for anew in False, True:
        with pytest.raises(ClassroomError, match=rf"grades\.csv\.part has no {KEY}"):
            Grader(part, {}, 9, anew)
    assert part.read_text(errors="surrogatepass") == content
