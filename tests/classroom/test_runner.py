"""Which checks of a learner's notebook count, and what stops it."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from kvlib import lessons
from kvlib.classroom import runner
from kvlib.classroom.marks import DIED, HIDDEN, RIGHT, SILENT, UNTRIED, WRONG
from kvlib.classroom.notebooks import ClassroomError
from kvlib.classroom.runner import Cells, checks_after, run
from kvlib.lessons import checking
from kvlib.lessons.catalogue import EXERCISES

NAME = "01-encode-field"
GOOD = f"from kvlib.lessons import check, hint\n{EXERCISES[NAME].solved}"
BAD = "from kvlib.lessons import check, hint\ndef encode_field(value): return b''"
MINE = GOOD.replace("encode_field", "mine")
SLEEPY = "from kvlib.lessons import check\nimport time\ndef encode_field(value): time.sleep(2)"
CHECK = f'check("{NAME}", encode_field)'

RunHere = Callable[..., list[tuple[str, str]]]


def cells_of(*sources: str) -> Cells:
    """Return cells whose ids belong to no exercise."""
    return [(f"cell-{number}", source) for number, source in enumerate(sources)]


class Finished(BaseException):
    """Raised where the process would end."""


@pytest.fixture
def run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunHere]:
    """Yield a function that runs cells in this process, and returns the recorded states."""

    def finish(status: int) -> None:
        raise Finished(status)

    monkeypatch.setattr(os, "_exit", finish)
    monkeypatch.setattr(os, "dup2", lambda *_: None)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "resource", None)
    for module in lessons, checking:
        monkeypatch.setattr(module, "check", module.check)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])

    def run_here(*sources: str, hidden: dict[str, str] | None = None) -> list[tuple[str, str]]:
        checks = checks_after(cells_of(*sources))
        (tmp_path / "job").write_text(json.dumps([sources, checks, hidden or {}]))
        (tmp_path / "results").touch()
        monkeypatch.setattr(sys, "argv", ["", str(tmp_path)])
        with pytest.raises(Finished, match=f"{runner.FINISHED}"):
            runner.main()
        lines = map(json.loads, (tmp_path / "results").read_text().splitlines())
        return [(name, state) for _, name, state, _ in lines]

    yield run_here
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    "sources",
    [
        pytest.param([BAD, CHECK, GOOD, CHECK], id="the second of two"),
        pytest.param([GOOD, CHECK, BAD, CHECK], id="the first of two"),
        pytest.param([f"{BAD}\n{CHECK}\n{GOOD}\n{CHECK}"], id="twice in a cell"),
        pytest.param([f"{BAD}\n# {CHECK}", GOOD, CHECK], id="after a comment"),
        pytest.param([f"{BAD}\n{CHECK!r}", GOOD, f"x = 1\n{CHECK}"], id="after a text"),
        pytest.param(
            [GOOD, f"n = '{NAME}'\ndef f(x): return check(n, x)\nf(encode_field)"],
            id="inside a function, and the name in a variable",
        ),
        pytest.param([GOOD, f"for f in len, encode_field: check('{NAME}', answer=f)"], id="loop"),
        pytest.param([GOOD, "c = check", CHECK.replace("check", "c")], id="under another name"),
        pytest.param([GOOD, f"import kvlib.lessons\nkvlib.lessons.{CHECK}"], id="an attribute"),
        pytest.param(
            [GOOD, f"from kvlib.lessons.checking import check as c\nc('{NAME}', encode_field)"],
            id="imported from elsewhere",
        ),
        pytest.param([MINE, f"check('{NAME}', mine)"], id="of a function with another name"),
        pytest.param([f"{GOOD}\n1 / 0\n{CHECK}"], id="after an exception, where it can't run"),
        pytest.param([GOOD, "def (", f"%%time\n{CHECK}"], id="under a magic"),
        pytest.param([GOOD, f"%matplotlib nothing\n!true\n{CHECK}"], id="after a bad magic"),
        pytest.param([GOOD.partition("\n")[2], CHECK], id="without the import"),
        pytest.param([GOOD, "check = lambda *_: 0", CHECK], id="replaced by the learner's own"),
        pytest.param([BAD, f"{CHECK}; exit()", GOOD, CHECK], id="after exit"),
        pytest.param(["import sys\nsys.stdout = sys.stderr = None", GOOD, CHECK], id="silent"),
        pytest.param([f"{GOOD}\nawait __import__('asyncio').sleep(0)\n{CHECK}"], id="after await"),
    ],
)
def test_a_right_check_counts(sources: list[str], run_here: RunHere) -> None:
    """A check counts wherever it is and whatever its name; if it can't run, we check the object."""
    assert (NAME, RIGHT) in run_here(*sources)


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ([GOOD, f"# {CHECK}", f"'''{CHECK}'''", f"text = {CHECK!r}", f"hint('{NAME}')"], []),
        ([GOOD, "check('01-nothing', 1); check(name); check()"], []),
        ([BAD, "check = lambda *_: 'right'", CHECK], [(NAME, WRONG)]),
        ([BAD, CHECK, "encode_field = ...", CHECK], [(NAME, WRONG), (NAME, UNTRIED)]),
        (["x = 1", CHECK], [(NAME, "name 'encode_field' is not defined")]),
        ([BAD, "for _ in range(9): " + CHECK], [(NAME, WRONG)]),
    ],
    ids=["only mentioned", "of nothing", "forged", "wrong, then untried", "no name", "in a loop"],
)
def test_what_is_not_right_says_why(
    sources: list[str], found: list[tuple[str, str]], run_here: RunHere
) -> None:
    """A mention isn't a check, a forged check is replaced by ours, and a cell says a thing once."""
    assert run_here(*sources) == found


def test_checks_follow_the_cells_that_call_them_or_should() -> None:
    """If its check was edited or deleted, an exercise is checked before that cell, or the stub's
    end; with its check above its stub, it is checked after the stub too.
    """
    stub, check = EXERCISES["01-length"].cells
    call = 'check("01-length", prediction)'
    name = ["01-length"]
    assert checks_after([(stub, ""), (check, call)]) == [[], name]
    assert checks_after([(stub, ""), ("", "x"), (check, "edited")]) == [[], name, []]
    assert checks_after([(stub, "")]) == [name]
    assert checks_after([(check, call), (stub, "")]) == [name, name]
    assert checks_after([(check, "edited")]) == [[]]
    assert checks_after([("", call), ("", f"# {call}"), ("", f"def (\n{call}")]) == [name, [], name]


@pytest.mark.parametrize("signals", [True, False])
@pytest.mark.parametrize(
    ("sources", "test", "state"),
    [
        ([f"{GOOD}\nwhile True: pass", CHECK], "", RIGHT),
        ([f"{GOOD}\nwhile True: pass\n{CHECK}"], "", "stopped after 1 seconds"),
        ([SLEEPY, CHECK], "", "stopped after 1 seconds"),
        ([GOOD, CHECK], "while True: pass", "stopped after 1 seconds"),
        ([BAD, CHECK], "while True: pass", WRONG),
    ],
    ids=["cell", "cell with the check", "answer", "hidden test", "no hidden test"],
)
def test_what_takes_too_long_is_stopped(
    sources: list[str],
    test: str,
    state: str,
    signals: bool,
    run_here: RunHere,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An endless cell, answer or hidden test is interrupted, and the cells after it run."""
    monkeypatch.setattr(runner, "CELL_SECONDS", 1)
    if not signals:  # on Windows
        monkeypatch.delattr(signal, "pthread_kill")
    found = run_here(*sources, "check('01-length', 14)", hidden={NAME: test})
    assert found == [(NAME, state), ("01-length", RIGHT)]


def test_a_hidden_test_gets_the_answer_that_was_checked(run_here: RunHere) -> None:
    """It finds the answer under the exercise's name for it, next to the notebook's variables."""
    hidden = {NAME: "assert encode_field(helper) == b's' + bytes(4)"}
    check = f"check('{NAME}', mine)"
    assert run_here(MINE, check, "helper = ''", check, hidden=hidden) == [
        (NAME, HIDDEN),
        (NAME, RIGHT),
    ]


def test_a_hidden_test_gets_all_functions_of_an_answer(run_here: RunHere) -> None:
    """They may come in a tuple or one by one; a wrong answer isn't tested."""
    exercise = EXERCISES["01-snapshot"]
    first, second = exercise.names
    hidden = {exercise.name: f"assert callable({first}) and callable({second})"}
    code = f"from kvlib.lessons import check\n{exercise.solved}"
    for answer in f"({first}, {second})", f"{first}, {second}":
        found = run_here(code, f"check('{exercise.name}', {answer})", hidden=hidden)
        assert found[-1] == (exercise.name, RIGHT)
    assert run_here(BAD, CHECK, hidden={NAME: "1 / 0"})[-1] == (NAME, WRONG)


def test_a_result_that_cannot_be_written_breaks_nothing(
    run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check still shows its result, and the next one is recorded."""
    write = os.write

    def fail(file: int, data: bytes) -> int:
        if NAME.encode() in data:
            raise OSError
        return write(file, data)

    monkeypatch.setattr(os, "write", fail)
    assert run_here(GOOD, CHECK, "check('01-length', 14)") == [("01-length", RIGHT)]


@pytest.mark.parametrize("refused", [False, True])
def test_memory_and_files_have_limits(
    refused: bool, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system that refuses a limit runs the notebook without."""
    asked: list[str] = []

    def limit(name: str, most: tuple[int, int]) -> None:
        asked.append(name)
        if refused:
            raise ValueError("not this one")

    resource: Any = ModuleType("resource")
    resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.setrlimit = "memory", "file", limit
    monkeypatch.setitem(sys.modules, "resource", resource)
    assert run_here(GOOD, CHECK) == [(NAME, RIGHT)]
    assert asked == ["file"] if refused else ["file", "memory"]


# ------------------------------------------------------------------------------- the other process


def found(*sources: str, hidden: dict[str, str] | None = None, seconds: float = 60) -> list[Any]:
    """Run cells in another process; return the states."""
    return [(name, state) for name, state, _ in run(cells_of(*sources), hidden or {}, seconds)]


def test_a_process_that_dies_keeps_what_it_found() -> None:
    """A check that was still to come has the reason, and so has a hidden test that killed it."""
    dead = "import os; os._exit(0)"
    length = "check('01-length', 14)"
    assert found(f"{GOOD}\n{CHECK}\n{dead}", length) == [(NAME, RIGHT), ("01-length", DIED)]
    assert found(GOOD, CHECK, hidden={NAME: dead}) == [(NAME, DIED)]


def test_a_notebook_that_cannot_be_interrupted_is_killed() -> None:
    """It ends when its time is up, however much it prints; what was found before that counts."""
    flood = f"{BAD}\n{CHECK}\nwhile True:\n  try: print('x' * 10**6); display('y' * 10**6)"
    start = time.monotonic()
    length = "check('01-length', 14)"
    states = found(f"{flood}\n  except BaseException: pass", length, seconds=4)
    assert states == [(NAME, WRONG), ("01-length", "stopped after 4 seconds")]
    assert time.monotonic() - start < 30


def test_what_a_notebook_starts_dies_with_it(tmp_path: Path) -> None:
    """A child process is killed, a thread isn't waited for, and results in our file count."""
    beats = tmp_path / "beats"
    beat = f"import time\nwhile True: time.sleep(.1); open({str(beats)!r}, 'a').write('x')"
    start = f"subprocess.Popen([sys.executable, '-c', {beat!r}]); time.sleep(1)"
    thread = "threading.Thread(target=time.sleep, args=[99]).start()"
    assert found(f"import subprocess, sys, threading, time\n{start}\n{thread}", GOOD, CHECK) == [
        (NAME, RIGHT)
    ]
    before = beats.read_text()
    assert before
    time.sleep(0.5)
    assert beats.read_text() == before


def test_a_check_without_a_result_has_no_answer() -> None:
    """Here the learner's code has closed the file in which the result would be."""
    assert found(f"{GOOD}\nimport os; os.closerange(3, 99)", CHECK) == [(NAME, SILENT)]


def test_our_environment_does_not_change_the_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """With PYTHONOPTIMIZE a hidden test would have no asserts."""
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    assert found(GOOD, CHECK, hidden={NAME: "assert False"}) == [(NAME, HIDDEN)]


def test_a_process_that_cannot_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """No learner is to blame for it; the message has the reason."""
    monkeypatch.setattr(runner, "__name__", "kvlib.classroom.nothing")
    with pytest.raises(ClassroomError, match="no notebook can be run: ModuleNotFoundError"):
        list(run([], {}, 60))
