"""Grading a folder of notebooks without nbgrader.

Each notebook runs alone, in a process and an empty folder of its own. There, each of the learner's
checks that runs is noted, whatever it is called and wherever it is; where a check should be and
none has run, ours asks the learner's object. The best finding counts. What a cell prints is never
read. Who patches kvlib itself can still deceive us: code that runs in a process can change all of
it, and so it is with nbgrader.
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
from kvlib.lessons.source_code import solved

if TYPE_CHECKING:  # it takes a second
    from kvlib.classroom.kernel import Kernel

SECONDS: Final = 300.0  # that a notebook may take
CELL_SECONDS: Final = 60.0  # and one of its cells
LARGEST: Final = 32 * 2**20  # bytes of a notebook
NOTES: Final = 2**20  # bytes of what is noted of one cell
RIGHT, WRONG, UNTRIED = "right", "wrong", "not tried yet"
HIDDEN: Final = "right, but not for a hidden test"
MISSING: Final = "not handed in"
UNREAD: Final = "can't be read as a notebook"
DIED: Final = "its Python has died"
SILENT: Final = "no answer"
# Of several without points, the one that tells most counts; what is not here ranks as SILENT does.
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
    """A file that is no notebook."""


class Cell(NamedTuple):
    """A code cell."""

    id: str
    source: str


@dataclass(frozen=True)
class Mark:
    """What became of an exercise: "right", "wrong", "not tried yet", or why nobody knows."""

    exercise: Exercise
    state: str

    @property
    def points(self) -> int:
        """All of its points, or none."""
        return self.exercise.points if self.state == RIGHT else 0


def _rank(state: str) -> int:
    return RANKS.get(state, RANKS[SILENT])


# -------------------------------------------------------------------------------------- the folder


def collect(folder: Path) -> Work:
    """Return each learner's notebooks: FOLDER/<learner>.ipynb, and all below FOLDER/<learner>/.

    A folder below that can't be looked into is among them, as a notebook that can't be read.
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
    """Run all notebooks, one after the other; return each learner's marks."""
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
    """Run a learner's notebooks; return the best mark for each exercise.

    Args:
        learner: the name.
        paths: the notebooks.
        hidden: a teacher's own tests, by exercise; see editions.hidden_tests.
        seconds: what a notebook may take.
        say: is told what has become of each notebook.

    Raises:
        KernelError: no kernel can be started, for whichever learner.
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
    """What a file that can't be read may hold: a notebook's exercises, if its name has a number."""
    number = re.split(r"\D", path.name)[0]
    every = list(EXERCISES.values())
    return [one for one in every if one.name.startswith(f"{number}-")] or every


def _best(exercise: Exercise, marks: Iterable[Mark]) -> Mark:
    """Of several, as of a copy of a notebook, that with the most points."""
    return max(marks, key=lambda mark: _rank(mark.state), default=Mark(exercise, MISSING))


def fingerprint(paths: Iterable[Path], hidden: Mapping[str, str], seconds: float) -> str:
    """Return what tells whether a learner's marks could be others now: notebooks, tests, time."""
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
    """Run a notebook; return a mark for each exercise that is in it.

    Raises:
        UnreadableError: it is no notebook.
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
        raise UnreadableError("it is no file that can be read")
    if status.st_size > LARGEST:
        raise UnreadableError(f"it is larger than {LARGEST // 2**20} MB")
    with open(path, "rb") as file:
        return file.read(LARGEST)


def read_cells(path: Path) -> list[Cell]:
    """Return the code cells of a notebook of any version; UnreadableError if it has none."""
    try:
        raw = json.loads(_content(path).decode("utf-8-sig"))
        sheets = raw.get("worksheets", [raw])  # of version 3
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
    """Return the exercises that are asked for behind a cell, if it hasn't checked them itself.

    That is each cell that calls their check; the one before their check's, if that has become
    something else; and the cell with the stub, if it is the last of these: it may have lost its
    check.
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
    """Return the exercises that a cell's code checks by name; of code with a mistake, none."""
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
    """Run all cells, whatever fails in them; return all that was found, by exercise."""
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
    """A notebook that came to no end: the reason."""


class Session:
    """A kernel for one notebook, and what is noted in it.

    Attributes:
        found: the states of each exercise that was asked for, or was checked by the learner.
        message: the error that the code which ran last has raised.
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
        """Let all checks be noted from now on; EndedError as for `run`."""
        self._call("listen", f"{self._notes.name!r}, {self._nonce!r}, get_ipython()")

    def find(self, state: str, *names: str) -> None:
        """Remember what became of these exercises."""
        for name in names:
            self.found.setdefault(name, []).append(state)

    def run(self, cell: Cell, names: Iterable[str]) -> None:
        """Run a cell; ask for these exercises unless the cell has checked them itself.

        Raises:
            EndedError: the kernel has died, or the time is over; `names` have their states.
        """
        names = list(names)
        try:
            late = self._run(cell.source)
            told = self._told()
            for name in names:
                if name in told:
                    continue
                if late and cell.source.strip() == checked(EXERCISES[name]):
                    self.find(late, name)  # to ask again would take as long again
                    continue
                late_again = self._call("tell", f"{name!r}, lambda: {EXERCISES[name].handed}")
                if name not in self._told():
                    self.find(late_again or SILENT, name)
        except EndedError as error:
            self._told(str(error))
            self.find(str(error), *names)
            raise

    def _told(self, ended: str = "") -> set[str]:
        """Remember what was noted since the last time, after a hidden test; return the names."""
        told = dict.fromkeys(self._read())
        for name, state in told:
            if state == RIGHT and name in self._hidden:
                self.find(ended or self._try(name), name)
            else:
                self.find(state, name)
        return {name for name, _ in told}

    def _try(self, name: str) -> str:
        """Run a hidden test; return the state that it makes of "right"."""
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
        """Run code; return words if it had to be stopped."""
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
    """Make a folder for a while; a learner's code may leave in it what can't be deleted."""
    folder = tempfile.mkdtemp(prefix="kvlib-")
    try:
        yield folder
    finally:
        with suppress(Exception):
            shutil.rmtree(folder, ignore_errors=True)


def rejected(hidden: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Try the hidden tests with our own solutions; return each that fails, with its error.

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
            source = f"from kvlib.lessons import check\n{solved(exercise)}\n{checked(exercise)}"
            session.run(Cell("", source), [name])
            if session.found[name] != [RIGHT]:
                yield name, session.message or session.found[name][-1]


# ----------------------------------------------------------------------------------------- the end


def table(marks: Marks) -> str:
    """The points, exercise by learner, for the eye; and below why there are none."""
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
    """What no sign stands for: a line for each learner and state, with its exercises."""
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
    """A row for each exercise; a column of points for each learner, then one of states for each.

    The numbers stand side by side, so that a spreadsheet can reckon with them as one block. No two
    columns have the same heading.
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
