"""What a run of the graders' command keeps, whatever ends it; see kvlib.classroom.marks."""

import csv
import io
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kvlib.classroom import __main__ as command
from kvlib.classroom import atomic, grading, printable
from kvlib.classroom.__main__ import main
from kvlib.classroom.editions import EditionError
from kvlib.classroom.grading import MISSING, RIGHT, UNREAD, Mark, Marks, Own, as_csv, collect, table
from kvlib.classroom.kernel import KernelError
from kvlib.classroom.marks import FIRST, Kept
from kvlib.lessons.catalogue import EXERCISES

ANSWER = {"cells": [{"cell_type": "code", "id": "01-length-stub", "source": "prediction = 14"}]}


def own(state: str = MISSING) -> Own:
    """Give a learner's marks, all alike."""
    return {name: Mark(exercise, state) for name, exercise in EXERCISES.items()}


def hand_in(folder: Path, *learners: str) -> Path:
    """Let learners hand in one right answer each."""
    folder.mkdir(exist_ok=True)
    for learner in learners:
        (folder / f"{learner}.ipynb").write_text(json.dumps(ANSWER))
    return folder


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let no notebook run: all is right; give the learners who would have run."""
    ran: list[str] = []

    def graded(learner: str, *_: object, **__: object) -> Own:
        ran.append(learner)
        return own(RIGHT)

    monkeypatch.setattr(grading, "grade_learner", graded)
    monkeypatch.setattr(grading, "rejected", lambda hidden: [])
    return ran


def total(place: Path) -> list[str]:
    """Give the last row of a CSV."""
    return list(csv.reader(io.StringIO(place.read_text(encoding="utf-8-sig"))))[-1][2:]


# -------------------------------------------------------------------------------- what ends a run


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KeyboardInterrupt(), 130),
        (OSError(28, "No space left on device"), 2),
        (KernelError("no kernel"), 2),
    ],
)
def test_whatever_ends_a_run_keeps_its_rows(
    error: BaseException,
    status: int,
    tmp_path: Path,
    quick: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The earlier CSV stays; the same command goes on from there, and only then replaces it."""
    folder = hand_in(tmp_path / "class", "anna", "boris", "carl")
    (folder / "grades.csv").write_text("exercise,points,old\n")
    go_on = grading.grade_learner

    def fail(learner: str, *more: object, **named: object) -> Own:
        if learner == "carl":
            raise error
        return go_on(learner, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(grading, "grade_learner", fail)
    assert main(["grade", str(folder), "--yes"]) == status
    out, err = capsys.readouterr()
    assert "2 of 3 learners are graded and kept in" in out
    assert out.count("anna") == 1  # in the table of what there is
    assert err.startswith("kvlib.classroom: ")
    assert (folder / "grades.csv").read_text() == "exercise,points,old\n"
    monkeypatch.setattr(grading, "grade_learner", go_on)
    quick.clear()
    assert main(["grade", str(folder), "--yes"]) == 0
    assert quick == ["carl"]
    assert "anna: graded before the last run was stopped" in capsys.readouterr().out
    worth = str(sum(exercise.points for exercise in EXERCISES.values()))
    assert total(folder / "grades.csv") == [worth] * 3 + [""] * 3
    assert sorted(path.name for path in folder.glob("*csv*")) == ["grades.csv"]


def test_only_what_has_not_changed_is_kept(tmp_path: Path, quick: list[str]) -> None:
    """A notebook handed in anew, another overlay or time, and --anew: all are graded again."""
    folder = hand_in(tmp_path / "class", "anna", "boris")
    overlay = tmp_path / "overlay"
    overlay.mkdir()

    def again(*options: str) -> list[str]:
        with Kept(folder / "grades.csv") as kept:
            for learner, paths in collect(folder).items():
                kept.add(learner, grading.fingerprint(paths, {}, grading.SECONDS), own())
        quick.clear()
        assert main(["grade", str(folder), "--yes", *options]) == 0
        return quick

    assert again() == []
    assert again("--anew") == ["anna", "boris"]
    assert again("--seconds", "7") == ["anna", "boris"]
    (overlay / "01-length.py").write_text("assert 1")
    assert again("--overlay", str(overlay)) == ["anna", "boris"]
    with Kept(folder / "grades.csv") as kept:
        kept.add("anna", grading.fingerprint([folder / "anna.ipynb"], {}, grading.SECONDS), own())
    (folder / "anna.ipynb").write_text("{}")
    quick.clear()
    assert main(["grade", str(folder), "--yes"]) == 0
    assert quick == ["anna", "boris"]


def test_a_line_that_was_cut_short_is_none(tmp_path: Path) -> None:
    """At whichever byte the power went; the rows before it stay, and new ones follow."""
    with Kept(tmp_path / "grades.csv") as kept:
        kept.add("anna\udcff", "1", own())
        first = kept.path.stat().st_size
        kept.add("boris", "2", own())
    whole = kept.path.read_bytes()
    for end in [*range(0, len(whole), 97), first - 1, first, len(whole) - 1]:
        kept.path.write_bytes(whole[:end])
        with Kept(tmp_path / "grades.csv") as again:
            assert (again.get("anna\udcff", "1") is None) == (end < first - 1)
            assert (again.get("boris", "2") is None) == (end < len(whole) - 1)
            again.add("carl", "3", own(RIGHT))
        with Kept(tmp_path / "grades.csv") as again:
            assert again.get("carl", "3") == own(RIGHT)
            assert again.get("carl", "4") is None


def test_rows_of_other_exercises_are_none(tmp_path: Path) -> None:
    """Nor is anything else that isn't what we write."""
    rows = ["[]", "3", '["anna", "1", {}]', '["anna", "1", 2]', '["anna", "1"]']
    (tmp_path / "grades.csv.part").write_text("\n".join([FIRST, *rows]))
    with Kept(tmp_path / "grades.csv") as kept:
        assert kept.get("anna", "1") is None


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("number", ["SIGKILL", "SIGINT"])
def test_a_killed_run_has_kept_its_rows(number: str, tmp_path: Path) -> None:
    """Killed while a learner's endless cell runs; Ctrl-C ends the run, not that notebook alone."""
    folder = hand_in(tmp_path / "class", "anna")
    endless = ANSWER["cells"] + [{"cell_type": "code", "source": "while True: pass"}]
    (folder / "boris.ipynb").write_text(json.dumps({"cells": endless}))
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
        time.sleep(2)
        process.send_signal(getattr(signal, number))
        said = process.stdout.read()
    assert process.returncode == (130 if number == "SIGINT" else -9)
    assert ("1 of 2 learners" in said) == (number == "SIGINT")
    kept = (folder / "grades.csv.part").read_text().splitlines()
    assert [json.loads(line)[0] for line in kept[1:]] == ["anna"]
    assert not (folder / "grades.csv").exists()


# ------------------------------------------------------------------------ looked at before it runs


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--csv", "{}"], "is not a file"),
        (["--csv", "{}/nowhere/grades.csv"], "there is no folder"),
        (["--csv", "{}/anna.ipynb"], "is read for the grades"),
        (["--csv", "{}/link.csv"], "is read for the grades"),
        (["--csv", "{}/thesis.txt"], "holds no grades"),
        (["--csv", "{}/" + "x" * 252], "too long|cannot find|Invalid"),
        (["--csv", "{}/taken.csv"], "holds no marks of a run"),
        (["--csv", "."], "is not a file"),
        (["--csv", os.devnull], "is not a file"),
        (["--csv", ""], "the path is empty"),
        (["--overlay", "{}/nowhere"], "there is no folder"),
        (["--overlay", "{}/overlay"], r"01-length\.py: "),
        (["--seconds", "nan"], "a number above 0"),
        (["--seconds", "-1"], "a number above 0"),
        (["--seconds", "soon"], "invalid"),
    ],
)
def test_options_and_destinations_are_looked_at_first(
    options: list[str],
    said: str,
    tmp_path: Path,
    quick: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing runs, nothing is changed, and what is wrong is said in a line."""
    folder = hand_in(tmp_path / "class", "anna")
    os.link(folder / "anna.ipynb", folder / "link.csv")
    (folder / "thesis.txt").write_text("years of work")
    (folder / "taken.csv.part").write_text("years of work")
    (folder / "overlay").mkdir()
    (folder / "overlay" / "01-length.py").write_text("import")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    try:
        status = main(["grade", str(folder), "--yes", *(one.format(folder) for one in options)])
    except SystemExit as ended:
        status = int(str(ended.code))
    assert status == 2
    error = capsys.readouterr().err
    assert error.splitlines()[-1].count("kvlib.classroom") == 1
    assert re.search(said, error)
    assert quick == []
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("folder", ["", "nowhere", "a file"])
def test_what_is_no_folder_of_notebooks_is_an_error(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty path, as of a shell's variable that isn't set, is not the working directory."""
    hand_in(tmp_path, "anna")
    (tmp_path / "a file").touch()
    monkeypatch.chdir(tmp_path)
    try:
        status = main(["grade", folder, "--yes"])
    except SystemExit as ended:
        status = int(str(ended.code))
    assert status == 2


def test_a_no_leaves_nothing(
    tmp_path: Path, quick: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does input that is closed, or no text."""
    folder = hand_in(tmp_path / "class", "anna")
    for error in (EOFError(), RuntimeError("input(): lost sys.stdin"), ValueError(), OSError()):

        def ask(prompt: str, error: Exception = error) -> str:
            raise error

        monkeypatch.setattr("builtins.input", ask)
        assert main(["grade", str(folder)]) == 2
    assert [path.name for path in folder.iterdir()] == ["anna.ipynb"]


def test_a_hidden_test_that_rejects_our_solution_is_named_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be right to, where it needs what the notebooks define: so it is no error."""
    folder, overlay = hand_in(tmp_path / "class", "anna"), tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "01-length.py").write_text("assert prediction < 14, 'so there'")
    (overlay / "01-encode-field.py").write_text("assert encode_field('')")
    assert main(["grade", str(folder), "--yes", "--overlay", str(overlay)]) == 0
    said = capsys.readouterr().out.splitlines()
    rejects = "it rejects our own solution: AssertionError: so there"
    assert said[0] == f"{overlay / '01-length.py'}: {rejects}"
    assert said[1].startswith("This runs the code")


def test_a_kernel_without_this_kvlib_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any learner has no answer because of it."""
    monkeypatch.setattr(grading.Session, "begin", lambda self: self._run("import nothing_at_all"))
    with pytest.raises(KernelError, match="No module named 'nothing_at_all'"):
        list(grading.rejected({}))


def test_a_run_that_grades_nobody_says_so(
    tmp_path: Path,
    quick: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """There is no table of nobody, and nothing to go on from."""
    folder = hand_in(tmp_path / "class", "anna")

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(grading, "grade_learner", fail)
    assert main(["grade", str(folder), "--yes"]) == 130
    out, err = capsys.readouterr()
    assert out == f"{grading.WARNING.format(notebooks=1, learners=1)}\n"
    assert err == "kvlib.classroom: stopped\n"
    assert [path.name for path in folder.iterdir()] == ["anna.ipynb"]


def test_a_fingerprint_is_of_what_cannot_be_read_too(tmp_path: Path) -> None:
    """It changes when that can be read."""
    path = tmp_path / "one.ipynb"
    found = {grading.fingerprint([path], {}, 1)}
    path.mkdir()
    found.add(grading.fingerprint([path], {}, 1))
    path.rmdir()
    path.touch()
    found.add(grading.fingerprint([path], {}, 1))
    assert len(found) == 3


# ------------------------------------------------------------------------------------------- names

NAMES = [
    "Žofie 李",
    "=2+2",
    "'=2+2",
    "+1",
    "@a",
    "＝1",
    'with "quotes", and commas;',
    "line\nbreak",
    "\u202etxt.exe",
    "عمر",
    "x" * 249,
    "anna",
    "anna: state",
    "points",
    "tab\tbed",
    "\x1b[31mred",
]


def test_no_name_stops_a_run(tmp_path: Path, quick: list[str]) -> None:
    """Each has two columns of its own in a CSV that any reader can read, line by line."""
    learners = [*NAMES, os.fsdecode(b"\xff\xfe")] if sys.platform == "linux" else NAMES[-5:-2]
    folder = hand_in(tmp_path / "class", *learners)
    assert main(["grade", str(folder), "--yes"]) == 0
    assert sorted(quick) == sorted(learners)
    text = (folder / "grades.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(text.splitlines()) == len(rows) == len(EXERCISES) + 2
    assert {len(row) for row in rows} == {2 + 2 * len(learners)}
    assert len({*rows[0]}) == len(rows[0])
    assert not any(cell.startswith(("=", "+", "-", "@", "＝", "\t")) for cell in rows[0])


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "ascii:strict", "utf-8", "utf-16"])
def test_no_encoding_of_the_output_stops_a_run(
    encoding: str, tmp_path: Path, quick: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it lacks is escaped."""
    folder = hand_in(tmp_path / "class", *(NAMES if sys.platform == "linux" else NAMES[-5:-2]))
    name, _, errors = encoding.partition(":")
    out = io.TextIOWrapper(io.BytesIO(), name, errors or "strict")
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["grade", str(folder), "--yes"]) == 0
    assert "written to" in out.buffer.getvalue().decode(name)


class Broken(io.StringIO):
    """A stream that nothing can be written to."""

    def write(self, text: str) -> int:
        """Fail as a full device does."""
        raise OSError(28, "No space left on device")


def closed() -> io.StringIO:
    """Give a stream that was closed."""
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [Broken, closed, lambda: None], ids=["full", "closed", "none"])
def test_no_broken_stream_stops_a_run(
    stream: Callable[[], object],
    tmp_path: Path,
    quick: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The CSV is there all the same; that something wasn't said is an error, said where it can."""
    folder = hand_in(tmp_path / "class", "anna")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream())
        assert main(["grade", str(folder), "--yes"]) == 2
    assert "not everything could be written" in capsys.readouterr().err
    assert (folder / "grades.csv").exists()
    (folder / "grades.csv").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream())
        patch.setattr(sys, "stderr", stream())
        assert main(["grade", str(folder), "--yes"]) == 2
    assert (folder / "grades.csv").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the shell's words are others")
@pytest.mark.parametrize("how", [">&- 2>&- <&-", "| head -c 1", "> /dev/full 2>&1"])
def test_no_shell_stops_a_run(how: str, tmp_path: Path) -> None:
    """Closed streams, and readers that go: no traceback, and the CSV is whole."""
    folder = hand_in(tmp_path / "class", "Žofie 李", "boris")
    run = f'"{sys.executable}" -m kvlib.classroom grade "{folder}" --yes'
    env = os.environ | {"PYTHONIOENCODING": "cp1252"}
    if "/dev/full" in how and not os.path.exists("/dev/full"):
        pytest.skip("this system has no such device")
    done = subprocess.run(f"{run} {how}", shell=True, capture_output=True, env=env, timeout=60)
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr
    assert total(folder / "grades.csv") == ["1", "1", "", ""]


def test_two_names_that_look_alike_have_two_columns() -> None:
    """Also one that looks like another's states, or like a heading of ours."""
    marks: Marks = {name: own() for name in ("a\n", "a\\n", "b", "b: state", "points")}
    heading = next(csv.reader(io.StringIO(as_csv(marks))))
    assert heading[2:7] == ["a\\n", "a\\n (2)", "b", "b: state (2)", "points (2)"]
    assert table(marks).splitlines()[0].split()[:4] == ["exercise", "points", "a\\n", "a\\n"]


# ------------------------------------------------------------------------------------ the folder


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
def test_what_is_no_readable_file_is_told_in_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe would be waited for without end; a folder that is closed must not look empty."""
    folder = tmp_path / "class"
    for learner in ("anna", "boris", "carl"):
        (folder / learner).mkdir(parents=True)
    os.mkfifo(folder / "anna" / "01.ipynb")
    (folder / "boris" / "02.ipynb").symlink_to("nowhere")
    (folder / "carl" / "03.ipynb").mkdir()
    (folder / "DORA.IPYNB").touch()
    scandir = os.scandir

    def closed(path: str | Path) -> object:
        if Path(path).name == "03.ipynb":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    found = grading.grade(collect(folder), {}, say=lambda line: None)
    for learner, name in ("anna", "01-length"), ("boris", "02-count"), ("carl", "03-torn"):
        assert found[learner][name].state == UNREAD
    assert found["DORA"]["01-length"].state == UNREAD


# ------------------------------------------------------------------------------------------- files


@pytest.mark.skipif(sys.platform == "win32", reason="only some users may make links")
def test_a_replaced_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    """Grades that only their owner could read stay so."""
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(stat.S_IRUSR | stat.S_IWUSR)
    before = (tmp_path / "real").stat().st_mode
    (tmp_path / "link").symlink_to("real")
    atomic.replace(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "real").stat().st_mode == before


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_file_that_cannot_be_replaced_stays(
    function: str, error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails, and nothing is left beside it."""
    (tmp_path / "file").write_text("old")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(error):
        atomic.replace(tmp_path / "file", b"new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_names_keep_what_a_script_needs() -> None:
    """Joiners, and spaces of other scripts, are letters' own; what turns a line round is not."""
    assert printable.printable("می\u200cخواهم　李\u00a0x") == "می\u200cخواهم　李\u00a0x"
    assert printable.printable("\u202e\u2028\0") == "\\u202e\\u2028\\x00"


def test_streams_that_are_missing_are_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    """So no file of ours takes the number of one; a machine without a null device goes on."""
    opened = iter([1, 2, 3])
    monkeypatch.setattr(os, "open", lambda *_: next(opened))
    left: list[int] = []
    monkeypatch.setattr(os, "close", left.append)
    command._fill_streams()
    assert left == [3]


def test_errors_of_kept_marks_are_the_commands_own(tmp_path: Path) -> None:
    """They name the file."""
    (tmp_path / "grades.csv.part").mkdir()
    with pytest.raises(EditionError, match=r"grades\.csv\.part is not a file"):
        Kept(tmp_path / "grades.csv")
