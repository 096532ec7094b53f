"""Which of a learner's checks counts; see kvlib.classroom.grading and tell."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from kvlib import lessons
from kvlib.classroom import grading, recorder
from kvlib.classroom.grading import (
    DIED,
    HIDDEN,
    RIGHT,
    SILENT,
    UNTRIED,
    WRONG,
    Cell,
    UnreadableError,
    calls,
    grade_notebook,
    places,
    read_cells,
)
from kvlib.lessons import checking
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.source_code import solved

GOOD = f"from kvlib.lessons import check, hint\n{solved(EXERCISES['01-encode-field'])}"
BAD = "from kvlib.lessons import check, hint\ndef encode_field(value): return b''"
CHECK = 'check("01-encode-field", encode_field)'


def states(
    folder: Path, *sources: str, hidden: dict[str, str] | None = None, seconds: float = 60
) -> dict[str, str]:
    """Give what becomes of the exercises of a notebook whose cells have ids of no exercise."""
    cells = [
        {"cell_type": "code", "id": f"cell-{number}", "source": source}
        for number, source in enumerate(sources)
    ]
    (folder / "one.ipynb").write_text(json.dumps({"cells": cells}))
    marks = grade_notebook(folder / "one.ipynb", hidden or {}, seconds=seconds)
    return {mark.exercise.name: mark.state for mark in marks}


@pytest.mark.parametrize(
    "sources",
    [
        pytest.param([BAD, CHECK, GOOD, CHECK], id="the second place"),
        pytest.param([GOOD, CHECK, BAD, CHECK], id="the first place"),
        pytest.param([f"{BAD}\n{CHECK}\n{GOOD}\n{CHECK}"], id="twice in a cell"),
        pytest.param([f"{BAD}\n# {CHECK}", GOOD, CHECK], id="a comment before"),
        pytest.param([f"{BAD}\n{CHECK!r}", GOOD, f"x = 1\n{CHECK}"], id="a text before"),
        pytest.param(
            [GOOD, "n = '01-encode-field'\ndef f(x): return check(n, x)\nf(encode_field)"],
            id="a function, and the name in a variable",
        ),
        pytest.param(
            [GOOD, "for f in len, encode_field: check('01-encode-field', answer=f)"], id="a loop"
        ),
        pytest.param(
            [GOOD, "from kvlib.lessons import check as c\nc('01-encode-field', encode_field)"],
            id="another name",
        ),
        pytest.param([GOOD, f"import kvlib.lessons\nkvlib.lessons.{CHECK}"], id="an attribute"),
        pytest.param(
            [GOOD.replace("encode_field", "mine"), "check('01-encode-field', mine)"],
            id="a function of another name",
        ),
        pytest.param([f"{GOOD}\n1 / 0\n{CHECK}"], id="behind an exception"),
        pytest.param([GOOD, "def (", f"%%time\n{CHECK}"], id="below a magic"),
        pytest.param([GOOD, f"%matplotlib nothing\n!true\n{CHECK}"], id="beside magics"),
        pytest.param([GOOD.partition("\n")[2], CHECK], id="without the import"),
        pytest.param([GOOD, "check = lambda *_: 0", CHECK], id="beside a check of one's own"),
        pytest.param([BAD, f"{CHECK}; exit()", GOOD, CHECK], id="behind exit"),
        pytest.param(
            [
                f"{GOOD}\nimport io, sys\nsys.stdout = sys.stderr = None",
                f"sys.stdout = io.StringIO()\n{CHECK}",
            ],
            id="without output",
        ),
    ],
)
@pytest.mark.untraced
def test_the_best_check_counts(sources: list[str], tmp_path: Path) -> None:
    """Wherever it is, and whatever it is called there, if it runs; a mention is no check."""
    assert states(tmp_path, *sources) == {"01-encode-field": RIGHT}


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ([GOOD, f"# {CHECK}", f"'''{CHECK}'''", f"text = {CHECK!r}", "hint('01-length')"], {}),
        ([BAD, "check = lambda *_: 'right'", CHECK], {"01-encode-field": WRONG}),
        ([BAD, CHECK, "encode_field = ...", CHECK], {"01-encode-field": WRONG}),
        (["from kvlib.lessons import check", CHECK], {"01-encode-field": "name"}),
        (
            [
                "from kvlib.lessons import check\nencode_field = ...",
                CHECK,
                "import os; os._exit(1)",
            ],
            {"01-encode-field": UNTRIED},
        ),
        (
            [f"{GOOD}\n{CHECK}\nimport os; os._exit(1)", "check('01-length', 14)"],
            {"01-encode-field": RIGHT, "01-length": DIED},
        ),
    ],
    ids=["mentions", "forged", "wrong once", "no name", "untried", "dead"],
)
def test_what_is_not_right_says_why(
    sources: list[str], found: dict[str, str], tmp_path: Path
) -> None:
    """Not there, wrong, without a name, not tried, and dead before it could answer, are five."""
    for name, state in states(tmp_path, *sources).items():
        assert state.startswith(found.pop(name))
    assert not found


def test_output_without_end_is_never_read(tmp_path: Path) -> None:
    """Prints, displays and a check in an endless loop: the cell's time is all that they take."""
    flood = f"{BAD}\nwhile True:\n    print('x' * 10**6); display('y' * 10**6); {CHECK}"
    start = time.monotonic()
    assert states(tmp_path, flood, seconds=4) == {"01-encode-field": WRONG}
    assert time.monotonic() - start < 30


def test_a_hidden_test_meets_what_was_checked(tmp_path: Path) -> None:
    """By the exercise's name for it, and beside what the notebook defines; the best counts."""
    mine = GOOD.replace("encode_field", "mine")
    hidden = {"01-encode-field": "assert encode_field(helper) == b's' + bytes(4)"}
    checked = "check('01-encode-field', mine)"
    assert states(tmp_path, mine, "helper = ''", checked, hidden=hidden) == {
        "01-encode-field": RIGHT
    }
    assert states(tmp_path, mine, checked, "helper = ''", checked, hidden=hidden) == {
        "01-encode-field": RIGHT
    }
    assert states(tmp_path, mine, checked, hidden=hidden) == {"01-encode-field": HIDDEN}
    dead = f"{mine}\n{checked}\nimport os; os._exit(1)"
    assert states(tmp_path, dead, hidden=hidden) == {"01-encode-field": DIED}


def test_a_kernel_dies_with_its_children(tmp_path: Path) -> None:
    """What a learner's code starts doesn't outlive its notebook."""
    beat = "import time\nwhile True:\n    time.sleep(.1); open(%r, 'a').write('x')"
    place = tmp_path / "beats"
    start = f"subprocess.Popen([sys.executable, '-c', {beat!r} % {str(place)!r}])"
    states(tmp_path, f"import subprocess, sys, time\n{start}\ntime.sleep(1)")
    time.sleep(0.5)
    before = place.read_text()
    assert before
    time.sleep(0.5)
    assert place.read_text() == before


# -------------------------------------------------------------------------- what is in a notebook


def test_places_are_checks_and_a_stub_without_one() -> None:
    """A check that has become something else is asked for where it began."""
    stub, check = EXERCISES["01-length"].cells
    call = 'check("01-length", prediction)'
    assert places([Cell("", ""), Cell(stub, ""), Cell(check, call)]) == {2: ["01-length"]}
    assert places([Cell("", ""), Cell(stub, ""), Cell(check, "1")]) == {1: ["01-length"]}
    assert places([Cell("", ""), Cell(check, call), Cell(stub, "")]) == {
        1: ["01-length"],
        2: ["01-length"],
    }
    assert places([Cell("", call), Cell("", f"# {call}"), Cell("", call)]) == {
        0: ["01-length"],
        2: ["01-length"],
    }


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("check('01-length', 1)", {"01-length"}),
        ("!ls\n%matplotlib x\nlessons.check(name='01-length', answer=1)", {"01-length"}),
        ("if False:\n  check('01-length', 1); check('02-count', '\\d')", {"01-length", "02-count"}),
        ("hint('01-length')\ncheck(name)\ncheck('01-nothing', 1)\ncheck(['01-length'])", set()),
        ("check('01-length', 1)\ndef (", set()),
        ("\0", set()),
        ("(" * 100_000, set()),
    ],
)
def test_calls_are_found_in_code_alone(source: str, found: set[str]) -> None:
    """By the exercise's name, beside magics; what can't be read has none."""
    assert calls(source) == found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "JSON"),
        (b"\xff\xfe", "Unicode"),
        (b"{}", "it has no 'cells'"),
        (b"[]", "Error"),
        (b'{"cells": 3}', "TypeError"),
        (b'{"cells": [1]}', "TypeError"),
        (b'{"cells": [{}]}', "it has no 'cell_type'"),
        (b"[" * 200_000, "RecursionError"),
        (None, "not a readable file"),
    ],
)
def test_what_is_no_notebook_says_so(content: bytes | None, said: str, tmp_path: Path) -> None:
    """In words, whatever it is."""
    path = tmp_path / "one.ipynb"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(UnreadableError, match=said):
        read_cells(path)


def test_a_notebook_has_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A larger one isn't even read."""
    monkeypatch.setattr(grading, "LARGEST", 2**20)
    (tmp_path / "one.ipynb").write_bytes(bytes(2**20 + 1))
    with pytest.raises(UnreadableError, match="larger than 1 MB"):
        read_cells(tmp_path / "one.ipynb")


def test_notebooks_of_each_version_are_read(tmp_path: Path) -> None:
    """With a mark of Windows, lines in a list, a kernel that isn't there; half characters too."""
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": "old"}]}]}
    kernel = {"kernelspec": {"name": "nothing"}}
    new = {
        "metadata": kernel,
        "cells": [
            {"cell_type": "markdown", "source": "no code"},
            {"cell_type": "code", "id": "new", "source": ["a\n", "b\ud800"], "outputs": 3},
        ],
    }
    for raw, found in (old, [Cell("None", "old")]), (new, [Cell("new", "a\nb?")]):
        (tmp_path / "one.ipynb").write_text(json.dumps(raw), encoding="utf-8-sig")
        assert read_cells(tmp_path / "one.ipynb") == found


# ------------------------------------------------------------------------------------- the notes


class Shell(SimpleNamespace):
    """What is needed of IPython's shell."""

    def __init__(self) -> None:
        super().__init__(events=self, called={}, ask_exit=None)

    def register(self, event: str, function: Callable[[], None]) -> None:
        """Remember what is called at an event."""
        self.called[event] = function


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Shell]:
    """Give the file of notes, and the shell of the kernel that has this process's modules."""
    for module in (lessons, checking):
        monkeypatch.setattr(module, "check", checking.check)
    monkeypatch.setattr(recorder, "NOTES", recorder.Notes())
    monkeypatch.setattr(recorder, "_limit", lambda: None)
    (tmp_path / "notes").touch()
    shell = Shell()
    recorder.listen(str(tmp_path / "notes"), "nonce", shell)
    return tmp_path / "notes", shell


def test_each_finding_is_noted_once_a_cell(notes: tuple[Path, Shell]) -> None:
    """By whatever name `check` is called; a name of no exercise, or an error, isn't noted."""
    path, shell = notes
    for _ in range(2):
        shell.called["pre_execute"]()
        for _ in range(3):
            lessons.check("01-length", 14)
            checking.check("01-length", answer=9)
    lessons.check("01-nothing", 1)
    assert path.read_text().splitlines() == ["nonce 01-length right", "nonce 01-length wrong"] * 2


def test_tell_notes_what_the_check_finds_or_which_name_is_missing(
    notes: tuple[Path, Shell],
) -> None:
    """In one line each, however long and strange the name is."""
    path, _ = notes
    recorder.tell("01-length", lambda: 14)
    recorder.tell("01-length", lambda: unknown)  # type: ignore[name-defined]  # noqa: F821 (that)

    def strange() -> None:
        raise NameError("\n李" * 10_000)

    recorder.tell("01-length", strange)
    lines = path.read_text().splitlines()
    assert lines[:2] == ["nonce 01-length right", "nonce 01-length name 'unknown' is not defined"]
    assert lines[2].startswith(r"nonce 01-length \n\u674e\n")
    assert len(path.read_bytes()) < 2_000


def test_a_hidden_test_is_noted_if_it_comes_to_its_end(notes: tuple[Path, Shell]) -> None:
    """With the answers by their names; those of several functions too."""
    path, _ = notes
    exercise = EXERCISES["01-snapshot"]
    lessons.check("01-length", 14)
    lessons.check("01-snapshot", exercise.solution)
    recorder.try_hidden("01-length", "assert prediction == 14", "hidden.py")
    first, second = exercise.names
    recorder.try_hidden(
        "01-snapshot", f"assert callable({first}) and callable({second})", "hidden.py"
    )
    with pytest.raises(AssertionError):
        recorder.try_hidden("01-length", "assert prediction == 15", "hidden.py")
    assert path.read_text().splitlines()[2:] == [
        "nonce 01-length passed",
        "nonce 01-snapshot passed",
    ]


def test_notes_that_cannot_be_written_break_nothing(notes: tuple[Path, Shell]) -> None:
    """The learner's check says what it says."""
    path, _ = notes
    path.unlink()
    assert lessons.check("01-length", 14).passed
    assert not path.exists()


def test_a_kernel_keeps_its_streams_and_goes_on(
    notes: tuple[Path, Shell], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each cell they are what they were; `exit()` ends nothing."""
    _, shell = notes
    before = sys.stdout
    for restore in (shell.called["post_execute"], shell.ask_exit):
        monkeypatch.setattr(sys, "stdout", None)
        restore()
        assert sys.stdout is before


def test_memory_and_files_have_limits_where_the_system_has_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And where it has none, or refuses, all runs without."""
    asked: list[Any] = []

    def refuse(*limit: Any) -> None:
        asked.append(limit)
        raise ValueError("not this one")

    resource = ModuleType("resource")
    vars(resource).update({name: name for name in recorder.LIMITS}, setrlimit=refuse)
    monkeypatch.setitem(sys.modules, "resource", resource)
    recorder._limit()
    assert asked == [(name, (most, most)) for name, most in recorder.LIMITS.items()]
    monkeypatch.setitem(sys.modules, "resource", None)
    recorder._limit()


def test_an_answer_that_never_came_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a learner who has taken our file away, or its directory."""
    place = str(tmp_path / "kvlib-*" / "notes")
    away = f"import glob, os\nfor path in glob.glob({place!r}): os.unlink(path)"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert states(tmp_path, f"{GOOD}\n{away}", CHECK) == {"01-encode-field": SILENT}
