"""The command that grades, and what ends it."""

import csv
import importlib
import io
import json
import os
import re
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kvlib.classroom import __main__ as command
from kvlib.classroom import grading
from kvlib.classroom.__main__ import main
from kvlib.classroom.marks import HIDDEN, RIGHT, UNREAD, States
from kvlib.classroom.notebooks import ClassroomError
from kvlib.classroom.runner import Cells
from kvlib.lessons.catalogue import EXERCISES

WORTH = f"{sum(exercise.points for exercise in EXERCISES.values())}"


def hand_in(folder: Path, *learners: str, code: str = "") -> Path:
    """Let learners hand in a right answer to one exercise each, and then their own code."""
    folder.mkdir(exist_ok=True)
    stub = {"cell_type": "code", "id": "01-length-stub", "source": "prediction = 14"}
    for number, learner in enumerate(learners):
        own = {"cell_type": "code", "id": f"{number}", "source": code or f"{number}"}
        (folder / f"{learner}.ipynb").write_text(json.dumps({"cells": [stub, own]}))
    return folder


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let all notebooks be right without running them; return their last cells' sources."""
    ran: list[str] = []

    def graded(cells: Cells, *_: object) -> States:
        ran.append(cells[-1][1])
        return dict.fromkeys(EXERCISES, RIGHT)

    monkeypatch.setattr(grading, "grade_notebook", graded)
    monkeypatch.setattr(grading, "rejected", lambda cells, hidden: [])
    return ran


def status(*arguments: str) -> int:
    """Run the command; return its exit status."""
    try:
        return main(arguments)
    except SystemExit as ended:
        return int(str(ended.code))


def written(folder: Path) -> list[list[str]]:
    """Return the rows of the CSV."""
    text = (folder / "grades.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(text.splitlines()) == len(rows) == len(EXERCISES) + 2
    return rows


def test_command_grades_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It warns, runs, says what it can't read, and writes the best of several notebooks."""
    folder = hand_in(tmp_path / "class", "boris")
    hand_in(folder / "anna", "02", "01")
    (folder / "anna" / "02.ipynb").write_text('{"cells": 3}')
    assert main(["grade", str(folder), "--yes"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("This runs the code in 3 notebooks of 2 learners, on this computer")
    assert "anna, 01.ipynb: 1 points" in said
    assert f"anna, 02.ipynb: {UNREAD}: TypeError" in said
    assert said.endswith(f"\nwritten to {folder / 'grades.csv'}\n")
    assert (
        (folder / "grades.csv").read_bytes().startswith(b"\xef\xbb\xbfexercise,points,anna,boris")
    )
    states = {row[0]: row[4:] for row in written(folder)}
    assert states["01-length"] == [RIGHT, RIGHT]
    assert states["02-count"] == [UNREAD, "not handed in"]
    assert sorted(path.name for path in folder.glob("*csv*")) == ["grades.csv"]


def test_hidden_tests_are_tried_on_our_solutions_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that rejects a solution is named. It may be right to, so the teacher decides."""
    folder, overlay = hand_in(tmp_path / "class", "anna"), tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "01-length.py").write_text("assert prediction < 14, 'so there'")
    (overlay / "01-encode-field.py").write_text("assert encode_field('')")
    monkeypatch.setattr("builtins.input", lambda prompt: "Y ")
    options = ["--overlay", str(overlay), "--csv", str(tmp_path / "grades.csv")]
    assert main(["grade", str(folder), *options]) == 0
    said = capsys.readouterr().out.splitlines()
    rejects = "it rejects our own solution: AssertionError: so there"
    assert said[0] == f"{overlay / '01-length.py'}: {rejects}"
    assert said[1].startswith("This runs the code")
    assert written(tmp_path)[1] == ["01-length", "1", "0", HIDDEN]


@pytest.mark.parametrize("answer", ["n", "", "yep", EOFError()])
def test_nothing_runs_unless_the_teacher_agrees(
    answer: str | Exception, tmp_path: Path, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anything but a yes is a no, and so is nobody there; no file is left."""
    folder = hand_in(tmp_path / "class", "anna")

    def ask(prompt: str) -> str:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("builtins.input", ask)
    assert main(["grade", str(folder)]) == 2
    assert ran == []
    assert [path.name for path in folder.iterdir()] == ["anna.ipynb"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--csv", "{}"], "Is a directory|has no grades|Permission"),
        (["--csv", "{}/nowhere/grades.csv"], "No such file"),
        (["--csv", "{}/anna.ipynb"], "has no grades"),
        (["--csv", "{}/thesis.txt"], "has no grades"),
        (["--csv", "{}/" + "x" * 252], "too long|cannot find|Invalid"),
        (["--csv", "{}/taken.csv"], "has no marks of a run"),
        (["--csv", os.devnull], "has no grades"),
        (["--csv", ""], "the path is empty"),
        (["--overlay", "{}/nowhere"], "there is no folder"),
        (["--overlay", "{}/overlay"], r"01-length\.py: "),
        (["--seconds", "nan"], "a number above 0"),
        (["--seconds", "-1"], "a number above 0"),
        (["--seconds", "soon"], "invalid"),
    ],
)
def test_options_and_places_are_checked_before_anything_runs(
    options: list[str],
    said: str,
    tmp_path: Path,
    ran: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No file changes, and the last line says what is wrong."""
    folder = hand_in(tmp_path / "class", "anna")
    (folder / "thesis.txt").write_text("years of work")
    (folder / "taken.csv.part").write_text("years of work")
    (folder / "overlay").mkdir()
    (folder / "overlay" / "01-length.py").write_text("import")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert status("grade", str(folder), "--yes", *(one.format(folder) for one in options)) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.count("kvlib.classroom") == 1
    assert re.search(said, error)
    assert ran == []
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("folder", ["", "nowhere", "a file", "empty"])
def test_what_is_no_folder_of_notebooks_is_an_error(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty path, as of an unset variable in a shell, isn't the working directory."""
    hand_in(tmp_path, "anna")
    (tmp_path / "a file").touch()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    assert status("grade", folder, "--yes") == 2


# -------------------------------------------------------------------------------- what ends a run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (OSError(28, "No space left on device"), 2),
        (ClassroomError("no notebook can be run"), 2),
    ],
)
def test_whatever_ends_a_run_keeps_its_marks(
    error: BaseException,
    code: int,
    tmp_path: Path,
    ran: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same command goes on from there, even after a no, and only then replaces the old CSV."""
    folder = hand_in(tmp_path / "class", "anna", "boris", "carl")
    (folder / "grades.csv").write_text("exercise,points,old\n")
    graded = grading.grade_notebook

    def fail(cells: Cells, *_: object) -> States:
        if cells[-1][1] == "2":
            raise error
        return graded(cells)

    monkeypatch.setattr(grading, "grade_notebook", fail)
    assert main(["grade", str(folder), "--yes"]) == code
    out, err = capsys.readouterr()
    assert "exercise          points  anna  boris\n" in out
    assert "Stopped: 2 of 3 learners are graded and kept in" in out
    assert err.startswith("kvlib.classroom: ")
    assert (folder / "grades.csv").read_text() == "exercise,points,old\n"
    monkeypatch.setattr("builtins.input", lambda prompt: "no")
    assert main(["grade", str(folder)]) == 2
    monkeypatch.setattr(grading, "grade_notebook", graded)
    ran.clear()
    assert main(["grade", str(folder), "--yes"]) == 0
    assert ran == ["2"]
    assert written(folder)[-1][2:5] == [WORTH] * 3
    assert sorted(path.name for path in folder.glob("*csv*")) == ["grades.csv"]


def test_a_csv_that_cannot_be_written_keeps_the_marks(
    tmp_path: Path, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has to run again when the disk has room."""
    folder = hand_in(tmp_path / "class", "anna")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(command, "replace", fail)
        assert main(["grade", str(folder), "--yes"]) == 2
    ran.clear()
    assert main(["grade", str(folder), "--yes"]) == 0
    assert (ran, written(folder)[-1][2]) == ([], WORTH)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("number", ["SIGKILL", "SIGINT"])
def test_a_killed_run_has_kept_its_marks(number: str, tmp_path: Path) -> None:
    """Ctrl-C while a learner's endless cell runs ends the run, and not only that notebook."""
    folder = hand_in(tmp_path / "class", "anna")
    hand_in(folder, "boris", code="while True: pass")
    process = subprocess.Popen(
        [sys.executable, "-m", "kvlib.classroom", "grade", str(folder), "--yes"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    with process:
        assert process.stdout
        while "anna" not in process.stdout.readline():
            pass
        time.sleep(1)
        process.send_signal(getattr(signal, number))
        said = process.stdout.read()
    assert process.returncode == (130 if number == "SIGINT" else -9)
    assert ("Stopped: 1 of 2 learners" in said) == (number == "SIGINT")
    (kept,) = json.loads((folder / "grades.csv.part").read_text())[grading.KEY].values()
    assert kept["01-length"] == RIGHT
    assert not (folder / "grades.csv").exists()


# ---------------------------------------------------------------------------- names and streams

NAMES = [
    "Žofie 李",
    "=2+2",
    "'=2+2",
    'with "quotes", and commas;',
    "line\nbreak",
    "\u202etxt.exe",
    "x" * 249,
    "tab\tbed",
    "\x1b[31mred",
    os.fsdecode(b"\xff\xfe"),
]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8", "utf-16"])
def test_no_name_and_no_encoding_stops_a_run(
    encoding: str, tmp_path: Path, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each learner has two columns in a CSV that any reader can read line by line."""
    learners = NAMES if sys.platform == "linux" else ["Žofie 李", "x" * 200]
    folder = hand_in(tmp_path / "class", *learners)
    out = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["grade", str(folder), "--yes"]) == 0
    assert "written to" in out.buffer.getvalue().decode(encoding)
    assert len(ran) == len(learners)
    rows = written(folder)
    assert {len(row) for row in rows} == {2 + 2 * len(learners)}
    assert len({*rows[0]}) == len(rows[0])
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in rows[0])


class Broken(io.StringIO):
    """A stream that fails when it is written to, like a full device."""

    def write(self, text: str) -> int:
        """Fail."""
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("stream", [Broken, lambda: None], ids=["full", "closed"])
def test_a_run_whose_output_breaks_is_an_error(
    stream: Callable[[], object],
    tmp_path: Path,
    ran: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is said where it can be."""
    folder = hand_in(tmp_path / "class", "anna")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream())
        assert main(["grade", str(folder), "--yes"]) == 2
    assert "kvlib.classroom: standard output can't be written: " in capsys.readouterr().err


@pytest.mark.parametrize("package", ["kvlib.classroom", "kvlib.lessons"])
def test_package_can_be_run(
    package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There are two commands. The package's old name works for one version, with a warning."""
    monkeypatch.setattr(sys, "argv", [package, "--help"])
    monkeypatch.delitem(sys.modules, f"{package}.__main__", raising=False)
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module(package, run_name="__main__")
    out, err = capsys.readouterr()
    assert re.findall(r"^    (\w+)", out, re.M) == ["editions", "grade"]
    assert callable(importlib.import_module(f"{package}.__main__").main)
    assert ("now python -m kvlib.classroom" in err) == (package == "kvlib.lessons")
