"""Grade a folder of notebooks without nbgrader.

Each notebook runs in its own process and in an empty folder. Each of the learner's checks that runs
there is recorded, wherever it is and whatever name it has. If a check is missing, we check the
learner's object ourselves. The best result counts. Printed output is never read. A learner who
patches kvlib itself can still cheat, because code can change anything in its own process; with
nbgrader it is the same.
"""

import ast
import csv
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from kvlib.classroom.editions import checked
from kvlib.classroom.printable import distinct, harmless, printable
from kvlib.classroom.recorder import PASSED
from kvlib.layout.text import width
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise

if TYPE_CHECKING:  # takes a second
    from kvlib.classroom.kernel import Kernel

SECONDS: Final = 300.0  # per notebook
CELL_SECONDS: Final = 60.0  # per cell
LARGEST: Final = 32 * 2**20  # bytes of a notebook
NOTES: Final = 2**20  # bytes recorded for one cell
RIGHT, WRONG, UNTRIED = "right", "wrong", "not tried yet"
HIDDEN: Final = "right, but not for a hidden test"
MISSING: Final = "not handed in"
UNREAD: Final = "can't be read as a notebook"
DIED: Final = "its Python has died"
SILENT: Final = "no answer"
# If no result has points, the most informative one counts; others rank like SILENT.
RANKS: Final = {UNTRIED: 0, UNREAD: 1, SILENT: 2, WRONG: 3, HIDDEN: 4, RIGHT: 5}
SIGNS: Final = {WRONG: "0", UNTRIED: "-", MISSING: "."}
LEGEND: Final = "0 not right   - not tried yet   . not handed in   ! see below"
WARNING: Final = """\
This runs the code in {notebooks} notebooks of {learners} learners, on this computer and with your
rights: it can read, change and send whatever you can. Do it where there is nothing to lose, such as
a virtual machine or a container."""

Work = dict[str, list[Path]]
Own = dict[str, "Mark"]
Marks = dict[str, Own]


class UnreadableError(Exception):
    """A file that isn't a notebook."""


class Cell(NamedTuple):
    """A code cell."""

    id: str
    source: str


@dataclass(frozen=True)
class Mark:
    """The result of an exercise: "right", "wrong", "not tried yet", or why it is unknown."""

    exercise: Exercise
    state: str

    @property
    def points(self) -> int:
        """The points earned: all of them or none."""
        return self.exercise.points if self.state == RIGHT else 0


def _rank(state: str) -> int:
    return RANKS.get(state, RANKS[SILENT])


# -------------------------------------------------------------------------------------- the folder


def collect(folder: Path) -> Work:
    """Return each learner's notebooks: FOLDER/<learner>.ipynb, and all below FOLDER/<learner>/.

    A folder that can't be listed is returned as if it were a notebook that can't be read.
    """
    found: Work = {}
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            if _is_notebook(entry.name):
                found.setdefault(entry.stem, []).append(entry)
        elif paths := sorted(_below(entry)):
            found.setdefault(entry.name, []).extend(paths)
    return found


def _below(folder: Path) -> Iterator[Path]:
    closed: list[OSError] = []
    for place, folders, files in os.walk(folder, onerror=closed.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in files if _is_notebook(name))
    yield from (Path(str(error.filename)) for error in closed)


def _is_notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb") and not name.startswith(".")


def grade(
    work: Work, hidden: Mapping[str, str], *, seconds: float = SECONDS, say: Callable[[str], object]
) -> Marks:
    """Run all notebooks in turn, and return each learner's marks."""
    return {
        learner: grade_learner(learner, paths, hidden, seconds=seconds, say=say)
        for learner, paths in work.items()
    }


def grade_learner(
    learner: str,
    paths: Iterable[Path],
    hidden: Mapping[str, str],
    *,
    seconds: float = SECONDS,
    say: Callable[[str], object],
) -> Own:
    """Run a learner's notebooks, and return the best mark for each exercise.

    Args:
        learner: the name.
        paths: the notebooks.
        hidden: a teacher's own tests by exercise: see editions.hidden_tests.
        seconds: the time limit for a notebook.
        say: called with a line about each notebook.

    Raises:
        KernelError: no kernel can be started.
    """
    found: list[Mark] = []
    for path in paths:
        name = printable(f"{learner}, {path.name}")
        try:
            found += (own := grade_notebook(path, hidden, seconds=seconds))
            say(f"{name}: {sum(mark.points for mark in own)} points")
        except UnreadableError as error:
            found += [Mark(one, UNREAD) for one in _expected(path)]
            say(f"{name}: {UNREAD}: {printable(str(error))}")
    return {
        name: _best(exercise, (one for one in found if one.exercise.name == name))
        for name, exercise in EXERCISES.items()
    }


def _expected(path: Path) -> list[Exercise]:
    """Return the exercises that an unreadable file may have, judging by the number in its name."""
    number = re.split(r"\D", path.name)[0]
    every = list(EXERCISES.values())
    return [one for one in every if one.name.startswith(f"{number}-")] or every


def _best(exercise: Exercise, marks: Iterable[Mark]) -> Mark:
    """Return the mark with the most points, of those from several copies of a notebook."""
    return max(marks, key=lambda mark: _rank(mark.state), default=Mark(exercise, MISSING))


def fingerprint(paths: Iterable[Path], hidden: Mapping[str, str], seconds: float) -> str:
    """Return a hash of what a learner's marks depend on: notebooks, tests, time limit."""
    made = hashlib.sha256(json.dumps([sorted(hidden.items()), seconds]).encode())
    for path in paths:
        try:
            content = hashlib.sha256(_content(path)).hexdigest()
        except (OSError, UnreadableError) as error:
            content = f"{error}"
        made.update(json.dumps([str(path), content]).encode())
    return made.hexdigest()


# ------------------------------------------------------------------------------------ one notebook


def grade_notebook(
    path: Path, hidden: Mapping[str, str] = {}, *, seconds: float = SECONDS
) -> list[Mark]:
    """Run a notebook, and return a mark for each exercise in it.

    Raises:
        UnreadableError: the file isn't a notebook.
        KernelError: no kernel can be started.
    """
    cells = read_cells(path)
    found = run_notebook(cells, hidden, seconds)
    return [
        Mark(one, max(found[name], key=_rank)) for name, one in EXERCISES.items() if found.get(name)
    ]


def _content(path: Path) -> bytes:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError("it is not a readable file")
    if status.st_size > LARGEST:
        raise UnreadableError(f"it is larger than {LARGEST // 2**20} MB")
    with open(path, "rb") as file:
        return file.read(LARGEST)


def read_cells(path: Path) -> list[Cell]:
    """Return the code cells of a notebook of any version. Raises UnreadableError if it has none."""
    try:
        raw = json.loads(_content(path).decode("utf-8-sig"))
        sheets = raw.get("worksheets", [raw])  # version 3
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
        return [
            Cell(str(cell.get("id")), _source(cell))
            for cell in cells
            if cell["cell_type"] == "code"
        ]
    except UnreadableError:
        raise
    except KeyError as error:
        raise UnreadableError(f"it has no {error}") from error
    except Exception as error:  # of such a file anything may be wrong
        raise UnreadableError(f"{type(error).__name__}: {error!s:.80}") from error


def _source(cell: Mapping[str, object]) -> str:
    source = cell.get("source", cell.get("input", ""))
    lines = source if isinstance(source, list) else [source]
    return "".join(map(str, lines)).encode("utf-8", "replace").decode()


def places(cells: Sequence[Cell]) -> dict[int, list[str]]:
    """Return the exercises to check after each cell, unless the cell checks them itself.

    An exercise is checked after every cell that calls its check; before the cell that used to be
    its check, if that cell has changed; and after its stub, if that comes last, because the check
    may have been deleted.
    """
    called = [calls(cell.source) for cell in cells]
    found: dict[int, list[str]] = {}
    for name, exercise in EXERCISES.items():
        stub, check = exercise.cells
        own = [at for at, names in enumerate(called) if name in names]
        own += [at - 1 for at, cell in enumerate(cells) if cell.id == check and at not in own]
        own += [
            at for at, cell in enumerate(cells) if cell.id == stub and at > max(own, default=-1)
        ]
        for at in sorted({*own}):
            found.setdefault(at, []).append(name)
    return found


def calls(source: str) -> set[str]:
    """Return the exercises that a cell's code checks by name; none if it has a syntax error."""
    from IPython.core.inputtransformer2 import TransformerManager  # takes a second

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(TransformerManager().transform_cell(source))
    except Exception:  # from SyntaxError to RecursionError
        return set()
    made = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {
        one.value
        for call in made
        if getattr(call.func, "attr", getattr(call.func, "id", "")) == "check"
        for one in [*call.args[:1], *(word.value for word in call.keywords)]
        if isinstance(one, ast.Constant) and one.value in EXERCISES
    }


# ----------------------------------------------------------------------------------------- running


def run_notebook(
    cells: Sequence[Cell], hidden: Mapping[str, str], seconds: float = SECONDS
) -> dict[str, list[str]]:
    """Run all cells, even if some fail, and return the results by exercise."""
    cells = [Cell("", ""), *cells]
    asked = places(cells)
    with _session(hidden, seconds) as session:
        try:
            session.begin()
            for number, cell in enumerate(cells):
                session.run(cell, asked.pop(number, []))
        except EndedError as error:
            session.find(str(error), *(name for names in asked.values() for name in names))
    return session.found


class EndedError(Exception):
    """A notebook could not be run to its end; the message is the reason."""


class Session:
    """A kernel for one notebook, and the results recorded in it.

    Attributes:
        found: the results of each exercise, from the learner's checks and from ours.
        message: the error that the last code has raised.
    """

    def __init__(
        self, kernel: "Kernel", notes: io.FileIO, hidden: Mapping[str, str], seconds: float
    ) -> None:
        self._kernel, self._notes, self._hidden = kernel, notes, hidden
        self._nonce = secrets.token_hex(8)
        self._seconds, self._until = seconds, time.monotonic() + seconds
        self.found: dict[str, list[str]] = {}
        self.message = ""

    def begin(self) -> None:
        """Start recording checks. Raises EndedError, as `run` does."""
        self._call("listen", f"{self._notes.name!r}, {self._nonce!r}, get_ipython()")

    def find(self, state: str, *names: str) -> None:
        """Add a result for these exercises."""
        for name in names:
            self.found.setdefault(name, []).append(state)

    def run(self, cell: Cell, names: Iterable[str]) -> None:
        """Run a cell, then check these exercises unless the cell has checked them itself.

        Raises:
            EndedError: the kernel has died or the time is up; `names` have their results.
        """
        names = list(names)
        try:
            late = self._run(cell.source)
            told = self._told()
            for name in names:
                if name in told:
                    continue
                if late and cell.source.strip() == checked(EXERCISES[name]):
                    self.find(late, name)  # another check would take as long again
                    continue
                late_again = self._call("tell", f"{name!r}, lambda: {EXERCISES[name].handed}")
                if name not in self._told():
                    self.find(late_again or SILENT, name)
        except EndedError as error:
            self._told(str(error))
            self.find(str(error), *names)
            raise

    def _told(self, ended: str = "") -> set[str]:
        """Add the results recorded since the last call, after hidden tests; return the names."""
        told = dict.fromkeys(self._read())
        for name, state in told:
            if state == RIGHT and name in self._hidden:
                self.find(ended or self._try(name), name)
            else:
                self.find(state, name)
        return {name for name, _ in told}

    def _try(self, name: str) -> str:
        """Run a hidden test, and return the result that replaces "right"."""
        try:
            late = self._call("try_hidden", f"{name!r}, {self._hidden[name]!r}, {f'{name}.py'!r}")
        except EndedError as error:
            self.find(str(error), name)
            raise
        if (name, PASSED) in self._read():
            return RIGHT
        return late or HIDDEN

    def _call(self, function: str, arguments: str) -> str:
        ours = f'__import__("kvlib.classroom.recorder", fromlist=["tell"]).{function}'
        return self._run(f"{ours}({arguments})", quiet=True)

    def _run(self, source: str, *, quiet: bool = False) -> str:
        """Run code, and return why it had to be stopped, or ""."""
        from kvlib.classroom.kernel import DiedError, LateError

        try:
            reply = self._kernel.run(source, CELL_SECONDS, self._until, quiet=quiet)
        except DiedError:
            raise EndedError(DIED) from None
        except LateError:
            raise EndedError(_stopped(self._seconds)) from None
        self.message = f"{reply.error}: {reply.message}" if reply.error else ""
        return _stopped(CELL_SECONDS) if reply.late else ""

    def _read(self) -> list[tuple[str, str]]:
        text = (self._notes.read(NOTES) or b"").decode("ascii", "replace")
        lines = re.findall(rf"^{self._nonce} (\S+) (.*)$", text, re.M)
        return [(name, _unescaped(state)) for name, state in lines if name in EXERCISES]


def _unescaped(state: str) -> str:
    return printable(state.encode("ascii", "replace").decode("unicode_escape", "replace"))


def _stopped(seconds: float) -> str:
    return f"stopped after {seconds:.0f} seconds"


@contextmanager
def _session(hidden: Mapping[str, str], seconds: float) -> Iterator[Session]:
    from kvlib.classroom.kernel import kernel

    with _folder() as folder, _folder() as private:
        notes = Path(private, "notes")
        notes.touch()
        with open(notes, "rb", buffering=0) as file, kernel(folder, private) as started:
            yield Session(started, file, hidden, seconds)


@contextmanager
def _folder() -> Iterator[str]:
    """Make a temporary folder. A learner's code may leave files in it that can't be deleted."""
    folder = tempfile.mkdtemp(prefix="kvlib-")
    try:
        yield folder
    finally:
        with suppress(Exception):
            shutil.rmtree(folder, ignore_errors=True)


def rejected(hidden: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Run the hidden tests with our own solutions, and return those that fail, with their errors.

    Raises:
        KernelError: no kernel can be started.
    """
    from kvlib.classroom.kernel import KernelError

    with _session(hidden, SECONDS) as session:
        session.begin()
        if session.message:
            raise KernelError(f"a kernel started, but not with this kvlib: {session.message}")
        for name in hidden:
            exercise = EXERCISES[name]
            source = f"from kvlib.lessons import check\n{exercise.solved}\n{checked(exercise)}"
            session.run(Cell("", source), [name])
            if session.found[name] != [RIGHT]:
                yield name, session.message or session.found[name][-1]


# ----------------------------------------------------------------------------------------- the end


def table(marks: Marks) -> str:
    """Yield a table of points, exercise by learner, and then the reasons for missing points."""
    rows = [["exercise", "points", *map(printable, marks)]]
    for exercise in EXERCISES.values():
        own = [marks[learner][exercise.name] for learner in marks]
        signs = [
            SIGNS.get(one.state, "!") if one.state != RIGHT else f"{one.points}" for one in own
        ]
        rows.append([exercise.name, f"{exercise.points}", *signs])
    rows.append(["total", f"{_worth()}", *(f"{_total(one)}" for one in marks.values())])
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([*lines, "", LEGEND, *_notes(marks)])


def _notes(marks: Marks) -> Iterator[str]:
    """Yield the reasons that have no sign in the table, for each learner with the exercises."""
    for learner, own in marks.items():
        for state in dict.fromkeys(mark.state for mark in own.values()):
            if state not in {RIGHT, *SIGNS}:
                names = (name for name, mark in own.items() if mark.state == state)
                yield printable(f"! {learner}, {', '.join(names)}: {state}")


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (" " * (room - width(one)) for one, room in zip(row, widths, strict=True))
    cells = [row[0] + first, *(f"{space}{one}" for space, one in zip(others, row[1:], strict=True))]
    return "  ".join(cells)


def as_csv(marks: Marks) -> str:
    """Return a CSV: a row per exercise, a column of points per learner, then a column of results.

    The points are in adjacent columns, so that a spreadsheet can add them up as one block. All
    headings are different.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    learners = list(distinct(marks, ("", ": state"), {*HEADINGS}))
    writer.writerow([*HEADINGS, *learners, *(f"{learner}: state" for learner in learners)])
    for name, exercise in EXERCISES.items():
        found = [own[name] for own in marks.values()]
        states = (harmless(one.state) for one in found)
        writer.writerow([name, exercise.points, *(one.points for one in found), *states])
    writer.writerow(["total", _worth(), *map(_total, marks.values()), *("" for _ in marks)])
    return file.getvalue()


HEADINGS: Final = ("exercise", "points")


def _worth() -> int:
    return sum(exercise.points for exercise in EXERCISES.values())


def _total(own: Mapping[str, Mark]) -> int:
    return sum(mark.points for mark in own.values())
