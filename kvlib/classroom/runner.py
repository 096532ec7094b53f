"""Run a learner's notebook in a process of its own, and record the results of its checks.

`run` starts the process, and `main` is what it does. Each call of kvlib's check is recorded,
wherever it is and whatever its name is there, but not a `check` that the learner has defined. What
a notebook prints is dropped: only a file next to it counts. Code that patches kvlib from within can
forge results, but nbgrader can't prevent that either.
"""

import json
import os
import signal
import subprocess
import sys
from _thread import interrupt_main
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer, main_thread
from time import monotonic
from traceback import format_exception_only
from typing import Any, Final

from kvlib import lessons
from kvlib.classroom.marks import DIED, HIDDEN, RIGHT, SILENT, stopped
from kvlib.classroom.notebooks import ClassroomError
from kvlib.lessons import checking
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.checking import check  # before a learner's code can replace it
from kvlib.lessons.result import Result

CELL_SECONDS: Final = 60.0
FINISHED: Final = 99  # the exit status of a process that has run all cells
STOPPED: Final = stopped(CELL_SECONDS)
LIMITS: Final = {"RLIMIT_AS": 4 * 2**30, "RLIMIT_FSIZE": 2**30}  # bytes of memory, bytes per file

Finding = tuple[int, str, str, str]  # a cell's index, an exercise, its state, its test's error


def run(
    cells: Sequence[str], checks: Sequence[Sequence[str]], hidden: Mapping[str, str], seconds: float
) -> tuple[list[Finding], str]:
    """Run all cells, even if some fail. Return the results, and the state where there is none.

    `checks` are the exercises that are checked after each cell unless it does so itself, `hidden`
    the hidden tests of some, and `seconds` is the time for all cells. Raises ClassroomError if no
    process can be started.
    """
    temporary = TemporaryDirectory(prefix="kvlib-", ignore_cleanup_errors=True)
    with temporary as folder, TemporaryDirectory() as private:
        job, results, errors = (Path(private, name) for name in ("job", "results", "errors"))
        job.write_text(json.dumps([cells, checks, hidden]))
        with open(results, "w+b") as found, open(errors, "wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-c", f"from {__name__} import main; main()", private],
                cwd=folder,
                env=os.environ | {"IPYTHONDIR": private, "PYTHONOPTIMIZE": ""},  # tests need assert
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
            try:
                missing = SILENT if process.wait(seconds) == FINISHED else DIED
            except subprocess.TimeoutExpired:
                missing = stopped(seconds)
            finally:  # with all that it has started; Windows has no groups
                with suppress(AttributeError, OSError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.kill()
                process.wait()
            if job.exists():
                said = errors.read_text(errors="replace").splitlines()
                raise ClassroomError(f"no notebook can be run: {(said or [missing])[-1]}")
            findings = []
            for line in found:
                with suppress(ValueError):  # it was killed while it wrote this
                    findings.append(tuple(json.loads(line)))
            return findings, missing


class Notebook:
    """The notebook that runs in this process, and the results of its checks."""

    def __init__(self, shell: Any, hidden: Mapping[str, str], results: Path) -> None:
        self._shell, self._hidden = shell, hidden
        self._results = os.open(results, os.O_WRONLY | os.O_APPEND)
        self._cell = -1
        self._found: set[tuple[str, str]] = set()  # in this cell
        self._right: dict[str, tuple[Any, ...]] = {}  # answers that a hidden test has to try

    def run(self, source: str, names: Sequence[str]) -> None:
        """Run the next cell, then check these exercises unless it has done so itself."""
        self._cell, self._found, self._right = self._cell + 1, set(), {}
        late = _limited(self._shell.run_cell, source) == STOPPED
        for name in {*names} - self._right.keys() - {name for name, _ in self._found}:
            if failure := STOPPED if late else _limited(self._check_object, name):
                self._add(name, failure.removeprefix("NameError: "))
        for name, answers in self._right.items():
            self._test(name, answers)

    def _check_object(self, name: str) -> None:
        self.check(name, eval(EXERCISES[name].handed, self._shell.user_ns))

    def check(self, *given: Any, **named: Any) -> Any:
        """Check an answer, and record the result."""
        result = check(*given, **named)
        if type(result) is Result and result.name in EXERCISES:
            if result.passed and result.name in self._hidden:
                self._right[result.name] = (*given, *named.values())[1:]
            else:
                self._add(result.name, result.state)
        return result

    def _test(self, name: str, answers: tuple[Any, ...]) -> None:
        """Run a hidden test with all that is defined, and the answers by the exercise's names."""
        names = EXERCISES[name].names
        own = zip(names, answers if len(answers) == len(names) else answers[0], strict=True)
        code = compile(self._hidden[name], f"{name}.py", "exec")
        failure = _limited(exec, code, {**self._shell.user_ns, **dict(own)})
        state = failure if failure == STOPPED else HIDDEN if failure else RIGHT
        self._add(name, state, failure[:200])

    def _add(self, name: str, state: str, error: str = "") -> None:
        """Record a result, but not twice in a cell: a check in a loop must not fill the disk."""
        if (name, state) not in self._found:
            self._found.add((name, state))
            with suppress(OSError):  # then the result is missing
                line = json.dumps([self._cell, name, state, error])
                os.write(self._results, f"{line}\n".encode())


def _limited(function: Callable[..., object], *arguments: object) -> str:
    """Call a function for at most a minute, and return why it failed or was stopped, or ""."""
    # Unlike interrupt_main, a signal ends a sleep; Windows has none for a thread.
    interrupt = getattr(signal, "pthread_kill", lambda *_: interrupt_main())
    timer = Timer(CELL_SECONDS, interrupt, (main_thread().ident, signal.SIGINT))
    start, failure = monotonic(), ""
    try:
        timer.start()
        function(*arguments)
    except BaseException as error:
        failure = format_exception_only(error)[-1].strip()
    timer.cancel()
    return STOPPED if monotonic() - start > CELL_SECONDS else failure


def main() -> None:
    """Run the notebook in the folder that the command line names, and end the process."""
    from IPython.core.interactiveshell import InteractiveShell  # takes a second
    from traitlets.config import Config

    private = Path(sys.argv[1])
    cells, checks, hidden = json.loads((private / "job").read_text())
    no_history = Config({"HistoryManager": {"enabled": False}})  # it would be a file
    shell: Any = InteractiveShell.instance(config=no_history)
    shell.ask_exit = lambda: None  # the cells after `exit()` still count
    notebook = Notebook(shell, hidden, private / "results")
    lessons.check = checking.check = notebook.check
    with suppress(ImportError):  # Windows
        import resource

        for name, most in LIMITS.items():
            with suppress(OSError, ValueError):  # the system has no such limit
                resource.setrlimit(getattr(resource, name), (most, most))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    (private / "job").unlink()
    for source, names in zip(cells, checks, strict=True):
        notebook.run(source, names)
    os._exit(FINISHED)  # without waiting for the learner's threads
