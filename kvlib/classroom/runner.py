"""Run a learner's notebook in another process, and record the results of its checks.

`run` starts the process, and `main` is what it does. Each call of kvlib's check is recorded, even
under another name. If an exercise's check doesn't run, we check the object that the learner's code
has made. Printed output is dropped. Code that patches kvlib from within can forge results, but
nbgrader can't prevent that either.
"""

import json
import os
import re
import signal
import subprocess
import sys
from _thread import interrupt_main
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer, main_thread
from time import monotonic
from traceback import format_exception_only
from typing import Any, Final

from kvlib import lessons
from kvlib.classroom.marks import DIED, HIDDEN, RIGHT, SILENT
from kvlib.classroom.notebooks import ClassroomError
from kvlib.lessons import checking
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.checking import check  # before a learner's code can replace it
from kvlib.lessons.result import Result

CELL_SECONDS: Final = 60.0
STOPPED: Final = "stopped after {:.0f} seconds"
FINISHED: Final = 99  # the exit status of a process that has run all cells
# A check in a line of code that has no text or comment before it.
CHECK: Final = re.compile(r"""^[^#'"\n]*\bcheck\(\s*['"]([\w-]+)['"]""", re.MULTILINE)

Cells = list[tuple[str, str]]  # the id and the source of each code cell


def run(cells: Cells, hidden: Mapping[str, str], seconds: float) -> Iterator[tuple[str, str, str]]:
    """Run all cells, even if some fail. Yield each check's exercise, state, and test's error.

    `hidden` has the hidden tests of some exercises, and `seconds` is the time for all cells.
    Raises ClassroomError if no process can be started.
    """
    checks = checks_after(cells)
    temporary = TemporaryDirectory(prefix="kvlib-", ignore_cleanup_errors=True)
    with temporary as folder, TemporaryDirectory() as private:
        job, results = Path(private, "job"), Path(private, "results")
        job.write_text(json.dumps([[source for _, source in cells], checks, hidden]))
        with open(results, "w+b") as found:
            process = subprocess.Popen(
                [sys.executable, "-c", f"from {__name__} import main; main()", private],
                cwd=folder,
                env=os.environ | {"IPYTHONDIR": private, "PYTHONOPTIMIZE": ""},  # tests need assert
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=found,  # until the first cell runs
                start_new_session=True,
            )
            try:
                missing = SILENT if process.wait(seconds) == FINISHED else DIED
            except subprocess.TimeoutExpired:
                missing = STOPPED.format(seconds)
            finally:  # and the processes that it has started; Windows has no groups
                with suppress(AttributeError, OSError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.kill()
                process.wait()
            found.seek(0)
            lines = found.read().decode(errors="replace").splitlines()
            if job.exists():
                raise ClassroomError(f"no notebook can be run: {[missing, *lines][-1]}")
            done = set()
            for line in lines:
                with suppress(TypeError, ValueError):  # the process was killed meanwhile
                    cell, name, state, error = json.loads(line)
                    done.add((cell, name))
                    yield name, state, error
            for cell, names in enumerate(checks):
                for name in names:
                    if (cell, name) not in done:
                        yield name, missing, ""


def checks_after(cells: Cells) -> list[list[str]]:
    """Return, for each cell, the exercises to check after it: those whose check it calls.

    An exercise whose check was edited or deleted is checked before that cell, or after its stub.
    """
    found = [[name for name in CHECK.findall(code) if name in EXERCISES] for _, code in cells]
    index = {cell: number for number, (cell, _) in enumerate(cells)}
    for name, exercise in EXERCISES.items():
        stub, check = exercise.cells
        place = max(index.get(stub, -1), index.get(check, 0) - 1)
        if place >= 0 and not any(name in names for names in found[place:]):
            found[place].append(name)
    return found


class Notebook:
    """The notebook that runs in this process, and the results of its checks."""

    def __init__(self, shell: Any, hidden: Mapping[str, str], results: Path) -> None:
        self._shell, self._hidden = shell, hidden
        self._results = os.open(results, os.O_WRONLY | os.O_APPEND)
        self._streams = sys.stdout, sys.stderr
        self._cell = -1
        self._found: set[tuple[str, str]] = set()  # in this cell

    def run(self, source: str, names: Sequence[str]) -> None:
        """Run the next cell, then check these exercises unless it has done so itself."""
        self._cell, self._found = self._cell + 1, set()
        sys.stdout, sys.stderr = self._streams  # without them IPython runs nothing
        late = _limited(self._shell.run_cell, source) == STOPPED.format(CELL_SECONDS)
        for name in {*names} - {name for name, _ in self._found}:
            failure = STOPPED.format(CELL_SECONDS) if late else _limited(self._check_object, name)
            if failure:
                self._add(name, failure)

    def _check_object(self, name: str) -> None:
        self.check(name, eval(EXERCISES[name].handed, self._shell.user_ns))

    def check(self, *given: Any, **named: Any) -> Any:
        """Check an answer, and record the result."""
        result = check(*given, **named)
        if type(result) is Result and result.name in EXERCISES:
            state, error = str(result.state), ""
            if state == RIGHT and result.name in self._hidden:
                error = self._failure(result.name, (*given, *named.values())[1:])
                state = HIDDEN if error else RIGHT
            self._add(result.name, state, error)
        return result

    def _failure(self, name: str, answers: tuple[Any, ...]) -> str:
        """Run a hidden test with the notebook's variables and the answers, and return its error."""
        names = EXERCISES[name].names
        own = zip(names, answers if len(answers) == len(names) else answers[0], strict=True)
        code = compile(self._hidden[name], f"{name}.py", "exec")
        try:
            exec(code, {**self._shell.user_ns, **dict(own)})
        except Exception as error:
            return format_exception_only(error)[-1].strip()[:200]
        return ""

    def _add(self, name: str, state: str, error: str = "") -> None:
        """Record a result, but not twice in a cell: a check in a loop must not fill the disk."""
        if (name, state) not in self._found:
            self._found.add((name, state))
            with suppress(OSError):  # then the result is missing
                line = json.dumps([self._cell, name, state, error])
                os.write(self._results, f"{line}\n".encode())


def _limited(function: Callable[[str], object], argument: str) -> str:
    """Call a function for at most a minute, and return why it failed or was stopped, or ""."""
    # Unlike interrupt_main, a signal ends a sleep; Windows has none for a thread.
    interrupt = getattr(signal, "pthread_kill", lambda *_: interrupt_main())
    timer = Timer(CELL_SECONDS, interrupt, (main_thread().ident, signal.SIGINT))
    start, failure = monotonic(), ""
    try:
        timer.start()
        function(argument)
    except BaseException as error:
        failure = f"{error}"
    timer.cancel()
    return STOPPED.format(CELL_SECONDS) if monotonic() - start > CELL_SECONDS else failure


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
    with suppress(ImportError, OSError, ValueError):  # Windows has no limits, others have not all
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (2**30, 2**30))  # bytes of a file
        resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))  # bytes of memory
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    (private / "job").unlink()
    for source, names in zip(cells, checks, strict=True):
        notebook.run(source, names)
    os._exit(FINISHED)  # without waiting for the learner's threads
