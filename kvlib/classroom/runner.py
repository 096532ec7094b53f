"""Run a learner's notebook in a process of its own, and record the results of its checks.

`run` starts the process, and `main` is what it does. Each call of kvlib's check is recorded,
wherever it is and whatever its name is there, but not a `check` that the learner has defined. What
a notebook prints goes nowhere. The results are in a file that only the two sides know. Code that
patches kvlib from within can forge them, but nbgrader can't prevent that either.
"""

import json
import math
import os
import signal
import subprocess
import sys
import threading
from _thread import interrupt_main
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from traceback import format_exception_only
from typing import Any, Final, NamedTuple

from kvlib import lessons
from kvlib.classroom.marks import DIED, HIDDEN, RIGHT, SILENT, stopped
from kvlib.classroom.notebooks import ClassroomError, environment, temporary_folder
from kvlib.lessons import checking
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.checking import check  # before a learner's code can replace it
from kvlib.lessons.result import Result

CELL_SECONDS: Final = 60.0
FINISHED: Final = 99  # the exit status of a process that has run all cells
LIMITS: Final = {"RLIMIT_AS": 4 * 2**30, "RLIMIT_FSIZE": 2**30}  # bytes of memory, bytes per file


class Finding(NamedTuple):
    """The result of one check: the cell's index, the exercise, its state, and a test's error."""

    cell: int
    name: str
    state: str
    error: str = ""


# -------------------------------------------------------------------------------------- the grader


def run(
    cells: Sequence[str], checks: Sequence[Sequence[str]], hidden: Mapping[str, str], seconds: float
) -> tuple[list[Finding], str]:
    """Run all cells, even if some fail.

    Args:
        cells: the source of each cell.
        checks: for each cell, the exercises that are checked after it unless it does so itself.
        hidden: a teacher's own tests, by exercise.
        seconds: the time limit for all cells together.

    Returns:
        The results, and the state of a check without one.

    Raises:
        ClassroomError: the process can't be started.
    """
    with temporary_folder() as folder, temporary_folder() as private:
        job, results, errors = (Path(private, name) for name in ("job", "results", "errors"))
        job.write_text(json.dumps([cells, checks, hidden]), encoding="utf-8")
        with open(results, "w+b") as found, open(errors, "wb") as complaints:
            process = subprocess.Popen(
                [sys.executable, "-c", f"from {__name__} import main; main()", private],
                cwd=folder,
                env=environment(private),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                start_new_session=True,
            )
            try:
                status = process.wait(seconds)
                missing = SILENT if status == FINISHED else DIED
            except subprocess.TimeoutExpired:
                missing = stopped(seconds)
            finally:
                _kill(process)
            if job.exists():
                said = errors.read_text(errors="replace").splitlines()[-1:]
                raise ClassroomError(f"no notebook can be run: {''.join(said) or missing}")
            return [one for line in found.readlines() for one in _parsed(line)], missing


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and all that it has started."""
    with suppress(AttributeError, OSError):  # Windows has no groups; this one may be empty
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _parsed(line: bytes) -> list[Finding]:
    try:
        cell, name, state, error = json.loads(line)
        return [Finding(int(cell), f"{name}", f"{state}", f"{error}")]
    except (TypeError, ValueError):  # the process was killed while it wrote, or it isn't ours
        return []


# ------------------------------------------------------------------------------------- the learner


class Watchdog(threading.Thread):
    """Interrupts the main thread at a deadline, and every second after that.

    Attributes:
        deadline: the time of the next interrupt.
        late: whether there was one.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.deadline, self.late = math.inf, False
        self._interrupt: Callable[[], None] = interrupt_main
        if hasattr(signal, "pthread_kill"):  # unlike the other, it ends a sleep; Windows lacks it
            main = threading.main_thread().ident or 0
            self._interrupt = partial(signal.pthread_kill, main, signal.SIGINT)

    def run(self) -> None:
        """Watch, as long as the process lives."""
        while True:
            sleep(0.1)
            if monotonic() > self.deadline:
                self.late, self.deadline = True, monotonic() + 1
                self._interrupt()


class Notebook:
    """The notebook that runs in this process, and what its checks have found."""

    def __init__(self, shell: Any, hidden: Mapping[str, str], results: str) -> None:
        self._shell, self._hidden = shell, hidden
        self._results = os.open(results, os.O_WRONLY | os.O_APPEND)
        self._streams = sys.stdout, sys.stderr
        self._watchdog = Watchdog()
        self._watchdog.start()
        self._cell = -1
        self._found: set[tuple[str, str]] = set()  # in this cell
        self._right: dict[str, tuple[Any, ...]] = {}  # answers that a hidden test waits for

    def run(self, source: str, names: Sequence[str]) -> None:
        """Run the next cell, then check these exercises unless it has done so itself."""
        self._cell, self._found, self._right = self._cell + 1, set(), {}
        failure = self._limited(self._shell.run_cell, source)
        sys.stdout, sys.stderr = self._streams
        for name in names:
            if name in self._right or any(name == found for found, _ in self._found):
                continue
            if failure == stopped(CELL_SECONDS):
                self._add(name, failure)
            else:
                self._check_answer(name)
        for name, answers in self._right.items():
            self._test(name, answers)

    def check(self, *given: Any, **named: Any) -> Any:
        """Check an answer, and record the result."""
        result = check(*given, **named)
        if type(result) is Result and result.name in EXERCISES:
            if result.passed and result.name in self._hidden:
                self._right[result.name] = (*given, *named.values())[1:]
            else:
                self._add(result.name, result.state)
        return result

    def _check_answer(self, name: str) -> None:
        try:
            answer = eval(EXERCISES[name].handed, self._shell.user_ns)
        except NameError as error:
            self._add(name, f"{error}")
        else:
            if failure := self._limited(self.check, name, answer):
                self._add(name, failure)

    def _test(self, name: str, answers: tuple[Any, ...]) -> None:
        """Run a hidden test with all that is defined, and the answers by the exercise's names."""
        names = EXERCISES[name].names
        own = zip(names, answers if len(answers) == len(names) else answers[0], strict=True)
        test = compile(self._hidden[name], f"{name}.py", "exec")
        failure = self._limited(exec, test, {**self._shell.user_ns, **dict(own)})
        state = failure if failure == stopped(CELL_SECONDS) else HIDDEN if failure else RIGHT
        self._add(name, state, failure)

    def _limited(self, function: Callable[..., object], *arguments: object) -> str:
        """Call a function, and return why it failed or was stopped, or ""."""
        failure = ""
        self._watchdog.late, self._watchdog.deadline = False, monotonic() + CELL_SECONDS
        try:
            function(*arguments)
        except BaseException as error:
            failure = format_exception_only(error)[-1].strip()
        self._watchdog.deadline = math.inf
        return stopped(CELL_SECONDS) if self._watchdog.late else failure

    def _add(self, name: str, state: str, error: str = "") -> None:
        """Record a result, but not twice in a cell: a check in a loop must not fill the disk."""
        if (name, state) not in self._found:
            self._found.add((name, state))
            line = json.dumps(Finding(self._cell, name, state, error[:200]))
            with suppress(OSError):  # then the result is missing
                os.write(self._results, f"{line}\n".encode())


def main() -> None:
    """Run the notebook in the folder that the command line names, and end the process."""
    from IPython.core.interactiveshell import InteractiveShell  # takes a second
    from traitlets.config import Config

    private = Path(sys.argv[1])
    cells, checks, hidden = json.loads((private / "job").read_text(encoding="utf-8"))
    no_history = Config({"HistoryManager": {"enabled": False}})  # it would be a file
    shell = InteractiveShell.instance(config=no_history)
    shell.ask_exit = lambda: None  # the cells after `exit()` still count
    notebook = Notebook(shell, hidden, str(private / "results"))
    lessons.check = checking.check = notebook.check  # type: ignore[assignment]
    _limit()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    (private / "job").unlink()
    for source, names in zip(cells, checks, strict=True):
        notebook.run(source, names)
    os._exit(FINISHED)  # without waiting for the learner's threads


def _limit() -> None:
    """Limit memory and the size of files, where the system can."""
    with suppress(ImportError):  # Windows
        import resource

        for name, most in LIMITS.items():
            with suppress(OSError, ValueError):
                resource.setrlimit(getattr(resource, name), (most, most))
