"""Run a learner's notebook in a kernel, and collect the results of its checks.

The checks that the learner's code calls are recorded by `kvlib.classroom.recorder`, which runs in
the same kernel. Where a check is missing, we check the learner's answer ourselves.
"""

import io
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kvlib.classroom.checks import checks_after
from kvlib.classroom.errors import KernelError
from kvlib.classroom.exercise_cells import check_call
from kvlib.classroom.marks import DIED, HIDDEN, RIGHT, SILENT
from kvlib.classroom.printable import printable
from kvlib.classroom.recorder import PASSED
from kvlib.classroom.submissions import CodeCell
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.source_code import solved

if TYPE_CHECKING:  # takes a second
    from kvlib.classroom.kernel import Kernel

SECONDS: Final = 300.0  # per notebook
CELL_SECONDS: Final = 60.0  # per cell
RECORDED: Final = 2**20  # bytes that are read of the record of one cell


class EndedError(Exception):
    """A notebook can't be run to its end; the message is the reason."""


class Session:
    """A kernel for one notebook, and the results of its checks.

    Attributes:
        results: the states of each exercise, from the learner's checks and from ours.
        error: the exception that the last code raised, as text, or "".
    """

    def __init__(
        self, kernel: "Kernel", record: io.FileIO, hidden: Mapping[str, str], seconds: float
    ) -> None:
        self._kernel, self._record, self._hidden = kernel, record, hidden
        self._secret = secrets.token_hex(8)
        self._seconds, self._until = seconds, time.monotonic() + seconds
        self.results: dict[str, list[str]] = {}
        self.error = ""

    def start(self) -> None:
        """Start recording checks. Raises EndedError if the kernel dies or is too slow."""
        self._call("start", f"{self._record.name!r}, {self._secret!r}, get_ipython()")

    def add(self, state: str, *names: str) -> None:
        """Add a result for these exercises."""
        for name in names:
            self.results.setdefault(name, []).append(state)

    def run(self, cell: CodeCell, names: Iterable[str]) -> None:
        """Run a cell, then check these exercises unless the cell has checked them itself.

        Raises:
            EndedError: the kernel died or the time is up. Each of `names` has a result.
        """
        names = list(names)
        try:
            stopped = self._execute(cell.source)
            recorded = self._collect()
            for name in names:
                if name not in recorded:
                    self._check(name, cell, stopped)
        except EndedError as error:
            self._collect(ended=str(error))
            self.add(str(error), *names)
            raise

    def _check(self, name: str, cell: CodeCell, stopped: str) -> None:
        """Check an answer that the cell has not checked. `stopped` says why it was stopped."""
        if stopped and cell.source.strip() == check_call(EXERCISES[name]):
            self.add(stopped, name)  # checking the answer again would take as long
            return
        stopped = self._call("check_answer", f"{name!r}, lambda: {EXERCISES[name].handed}")
        if name not in self._collect():
            self.add(stopped or SILENT, name)

    def _collect(self, ended: str = "") -> set[str]:
        """Add the results recorded since the last call, and return their exercises.

        A right answer must also pass its hidden test. If the session has ended, the test can't run,
        and the reason is the result.
        """
        recorded = dict.fromkeys(self._read())
        for name, state in recorded:
            if state == RIGHT and name in self._hidden:
                self.add(ended or self._try_hidden_test(name), name)
            else:
                self.add(state, name)
        return {name for name, _ in recorded}

    def _try_hidden_test(self, name: str) -> str:
        """Run a hidden test, and return the state of its exercise."""
        file = f"{name}.py"
        try:
            stopped = self._call("run_hidden_test", f"{name!r}, {self._hidden[name]!r}, {file!r}")
        except EndedError as error:
            self.add(str(error), name)
            raise
        if (name, PASSED) in self._read():
            return RIGHT
        return stopped or HIDDEN

    def _call(self, function: str, arguments: str) -> str:
        recorder = f'__import__("kvlib.classroom.recorder", fromlist=["{function}"])'
        return self._execute(f"{recorder}.{function}({arguments})", quiet=True)

    def _execute(self, source: str, *, quiet: bool = False) -> str:
        """Run code, and return why it had to be stopped, or ""."""
        from kvlib.classroom.kernel import DiedError, LateError

        try:
            reply = self._kernel.run(source, CELL_SECONDS, self._until, quiet=quiet)
        except DiedError:
            raise EndedError(DIED) from None
        except LateError:
            raise EndedError(_stopped(self._seconds)) from None
        self.error = f"{reply.error}: {reply.message}" if reply.error else ""
        return _stopped(CELL_SECONDS) if reply.late else ""

    def _read(self) -> list[tuple[str, str]]:
        text = (self._record.read(RECORDED) or b"").decode("ascii", "replace")
        lines = re.findall(rf"^{self._secret} (\S+) (.*)$", text, re.M)
        return [(name, _unescaped(state)) for name, state in lines if name in EXERCISES]


def _unescaped(state: str) -> str:
    return printable(state.encode("ascii", "replace").decode("unicode_escape", "replace"))


def _stopped(seconds: float) -> str:
    return f"stopped after {seconds:.0f} seconds"


@contextmanager
def _session(hidden: Mapping[str, str], seconds: float) -> Iterator[Session]:
    from kvlib.classroom.kernel import kernel, temporary_folder

    with temporary_folder() as folder, temporary_folder() as private:
        path = Path(private, "record")
        path.touch()
        with open(path, "rb", buffering=0) as record, kernel(folder, private) as started:
            yield Session(started, record, hidden, seconds)


def run_notebook(
    cells: Sequence[CodeCell], hidden: Mapping[str, str], seconds: float = SECONDS
) -> dict[str, list[str]]:
    """Run all cells, even if some fail, and return the states of each exercise."""
    cells = [CodeCell("", ""), *cells]  # a check before the first cell follows this one
    checks = checks_after(cells)
    with _session(hidden, seconds) as session:
        try:
            session.start()
            for index, cell in enumerate(cells):
                session.run(cell, checks.pop(index, []))
        except EndedError as error:
            session.add(str(error), *(name for names in checks.values() for name in names))
    return session.results


def rejected(hidden: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each hidden test that rejects our own solution, and its error.

    Raises:
        KernelError: no kernel can be started, or not with this kvlib.
    """
    with _session(hidden, SECONDS) as session:
        session.start()
        if session.error:
            raise KernelError(f"a kernel started, but not with this kvlib: {session.error}")
        for name in hidden:
            exercise = EXERCISES[name]
            source = f"from kvlib.lessons import check\n{solved(exercise)}\n{check_call(exercise)}"
            session.run(CodeCell("", source), [name])
            if session.results[name] != [RIGHT]:
                yield name, session.error or session.results[name][-1]
