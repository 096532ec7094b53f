"""Grading a folder of notebooks without nbgrader.

Each notebook runs alone, in a process and an empty folder of its own. What its check cells say is
not looked at: in their places our own check asks the learner's object, there in the learner's
kernel. So an edited check changes nothing. Who patches kvlib itself can still deceive us: code that
runs in a process can change all of it, and so it is with nbgrader.
"""

import asyncio
import csv
import io
import logging
import os
import re
import secrets
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import nbformat

from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise
from kvlib.views.text import width

SECONDS: Final = 300.0  # that a notebook may take
CELL_SECONDS: Final = 60.0  # and one of its cells
RIGHT, WRONG, UNTRIED = "right", "wrong", "not tried yet"
HIDDEN: Final = "right, but not for a hidden test"
MISSING: Final = "not handed in"
UNREAD: Final = "can't be read as a notebook"
DIED: Final = "its Python has died"
RANKS: Final = {UNTRIED: 0, UNREAD: 1}  # of two without points, an answer says more than these
SIGNS: Final = {WRONG: "0", UNTRIED: "-", MISSING: "."}
LEGEND: Final = "0 not right   - not tried yet   . not handed in   ! see below"
SILENT: Final = logging.getLogger("kvlib.lessons.grade")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False  # nbclient would speak of each late cell; the marks do
WARNING: Final = """\
This runs the code in {notebooks} notebooks of {learners} learners, on this computer and with your
rights: it can read, change and send whatever you can. Do it where there is nothing to lose, such as
a virtual machine or a container."""

if TYPE_CHECKING:
    from kvlib.lessons.kernel import Client

Notebook = nbformat.NotebookNode
Cell = nbformat.NotebookNode
Work = dict[str, list[Path]]
Marks = dict[str, dict[str, "Mark"]]


class UnreadableError(Exception):
    """A file that is no notebook."""


@dataclass(frozen=True)
class Mark:
    """What became of an exercise: "right", "wrong", "not tried yet", or why nobody knows."""

    exercise: Exercise
    state: str

    @property
    def points(self) -> int:
        """All of its points, or none."""
        return self.exercise.points if self.state == RIGHT else 0


# -------------------------------------------------------------------------------------- the folder


def collect(folder: Path) -> Work:
    """Each learner's notebooks: FOLDER/<learner>.ipynb, and all below FOLDER/<learner>/."""
    found: Work = {}
    for path in sorted(folder.rglob("*.ipynb")):
        parts = path.relative_to(folder).with_suffix("").parts
        if not any(part.startswith(".") for part in parts):
            found.setdefault(parts[0], []).append(path)
    return found


def grade(
    work: Work, hidden: Mapping[str, str], *, seconds: float = SECONDS, say: Callable[[str], object]
) -> Marks:
    """Run all notebooks, one after the other; each learner's best mark for each exercise.

    Args:
        work: the notebooks, by learner.
        hidden: a teacher's own tests, by exercise; see editions.hidden_tests.
        seconds: what a notebook may take.
        say: is told what has become of each notebook.
    """
    marks: Marks = {}
    for learner, paths in work.items():
        found: list[Mark] = []
        for path in paths:
            try:
                found += (own := grade_notebook(path, hidden, seconds=seconds))
                say(f"{learner}, {path.name}: {sum(mark.points for mark in own)} points")
            except UnreadableError as error:
                found += [Mark(one, UNREAD) for one in _expected(path)]
                say(f"{learner}, {path.name}: {UNREAD}: {error}")
        marks[learner] = {
            name: _best(exercise, (one for one in found if one.exercise.name == name))
            for name, exercise in EXERCISES.items()
        }
    return marks


def _expected(path: Path) -> list[Exercise]:
    """What a file that can't be read may hold: a notebook's exercises, if its name has a number."""
    number = re.split(r"\D", path.name)[0]
    every = list(EXERCISES.values())
    return [one for one in every if one.name.startswith(f"{number}-")] or every


def _best(exercise: Exercise, marks: Iterable[Mark]) -> Mark:
    """Of several, as of a copy of a notebook, that with the most points."""

    def says(mark: Mark) -> tuple[int, int]:
        return mark.points, RANKS.get(mark.state, len(RANKS))

    return max(marks, key=says, default=Mark(exercise, MISSING))


# ------------------------------------------------------------------------------------ one notebook


def grade_notebook(
    path: Path, hidden: Mapping[str, str] = {}, *, seconds: float = SECONDS
) -> list[Mark]:
    """A mark for each exercise that is in the notebook."""
    notebook = _read(path)
    nonce = secrets.token_hex(8)  # no output of a learner's can begin with it
    asked = prepare(notebook, hidden, nonce)
    checks = {id(hidden): cells[0] for _, cells in asked for hidden in cells[1:]}

    def wanted(cell: Cell) -> bool:
        """Not a hidden test of what is wrong already: it could only take long."""
        return id(cell) not in checks or _told(checks[id(cell)], nonce) == RIGHT

    stopped = run(notebook, seconds, wanted)
    return [Mark(one, _state(cells, nonce) or stopped or "no answer") for one, cells in asked]


def _read(path: Path) -> Notebook:
    try:
        notebook: Notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # of such a file anything may be wrong
        raise UnreadableError(f"{type(error).__name__}: {error!s:.80}") from error
    return notebook


def prepare(
    notebook: Notebook, hidden: Mapping[str, str], nonce: str
) -> list[tuple[Exercise, list[Cell]]]:
    """Put our checks in the place of the notebook's, and hidden tests behind them; give them."""
    asked, cells = [], [_code('__import__("kvlib.lessons.tell");')]
    places = {_place(notebook, one): one for one in EXERCISES.values()}
    for number, cell in enumerate(notebook.cells):
        exercise = places.get(number)
        if exercise is None or cell.get("id") != exercise.cells[1]:
            cells.append(cell)
        if exercise is not None:
            ours = [_code(_question(exercise, nonce))]
            if exercise.name in hidden:  # if it comes to its end, it says so
                ours.append(_code(f'{hidden[exercise.name]}\nprint("{nonce}")'))
            asked.append((exercise, ours))
            cells += ours
    if asked:  # what comes behind can change nothing
        cells = cells[: next(at for at, one in enumerate(cells) if one is asked[-1][1][-1]) + 1]
    notebook.cells = cells
    return asked


def _place(notebook: Notebook, exercise: Exercise) -> int | None:
    """The number of its check; of a cell that calls it, if an editor has changed the ids."""
    stub, checking = exercise.cells
    call = re.compile(rf"""\bcheck\(\s*["']{exercise.name}["']""")
    code = [(at, one) for at, one in enumerate(notebook.cells) if one.cell_type == "code"]
    places = (
        *(at for at, cell in code if cell.get("id") == checking),
        *(at for at, cell in code if call.search(cell.source)),
        *(at for at, cell in code if cell.get("id") == stub),
    )
    return next(iter(places), None)


def _code(source: str) -> Cell:
    cell: Cell = nbformat.v4.new_code_cell(source)
    return cell


def _question(exercise: Exercise, nonce: str) -> str:
    ours = '__import__("kvlib.lessons.tell", fromlist=["tell"])'
    return f'{ours}.tell("{nonce}", "{exercise.name}", lambda: {exercise.handed})'


def _state(cells: Sequence[Cell], nonce: str) -> str:
    """What `tell` has told, and a hidden test after it; "" if one of them has told nothing."""
    told, hidden = _told(cells[0], nonce), map(_printed, cells[1:])
    errors = {one.ename for cell in cells for one in cell.outputs if one.output_type == "error"}
    if "KeyboardInterrupt" in errors:
        return f"stopped after {CELL_SECONDS:.0f} seconds"
    if told == RIGHT and not all(nonce in text for text in hidden):
        return HIDDEN if errors else ""
    return told


def _told(cell: Cell, nonce: str) -> str:
    """What `tell` has told there, or ""."""
    found = re.search(f"^{nonce}(.*)$", _printed(cell), re.M)
    return found[1] if found else ""


def _printed(cell: Cell) -> str:
    return "".join(one.get("text", "") for one in cell.outputs)


def run(notebook: Notebook, seconds: float, wanted: Callable[[Cell], bool]) -> str:
    """Run all cells that are wanted, whatever fails in them; what has ended it early, or "".

    A cell is asked for when it is its turn: what the cells before it have printed is known then.
    """
    from kvlib.lessons.kernel import Client  # takes a second

    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as ipython,
    ):
        client = Client(
            notebook,
            allow_errors=True,
            interrupt_on_timeout=True,
            kernel_name="python3",  # whatever it is called where the notebook comes from
            log=SILENT,
            resources={"metadata": {"path": folder}},
            shutdown_kernel="immediate",
            store_widget_state=False,
            timeout=round(CELL_SECONDS),
        )
        return asyncio.run(_run(client, ipython, seconds, wanted))


async def _run(
    client: "Client", ipython: str, seconds: float, wanted: Callable[[Cell], bool]
) -> str:
    env = {**os.environ, "IPYTHONDIR": ipython}  # a start-up file is nobody's answer
    async with client.async_setup_kernel(env=env, stderr=subprocess.DEVNULL):
        try:
            async with asyncio.timeout(seconds) as limit:
                for number, cell in enumerate(client.nb.cells):
                    if wanted(cell):
                        await client.async_execute_cell(cell, number)
        except (RuntimeError, TimeoutError):  # the first is nbclient's for a kernel that has died
            return f"stopped after {seconds:.0f} seconds" if limit.expired() else DIED
    return ""


# ----------------------------------------------------------------------------------------- the end


def table(marks: Marks) -> str:
    """The points, exercise by learner, for the eye; and below why there are none."""
    rows = [["exercise", "points", *marks]]
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
                yield f"! {learner}, {', '.join(names)}: {state}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (" " * (room - width(one)) for one, room in zip(row, widths, strict=True))
    cells = [row[0] + first, *(f"{space}{one}" for space, one in zip(others, row[1:], strict=True))]
    return "  ".join(cells)


def as_csv(marks: Marks) -> str:
    """A row for each exercise; a column of points for each learner, then one of states for each.

    The numbers stand side by side, so that a spreadsheet can reckon with them as one block.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    headings = [*marks, *(f"{learner}: state" for learner in marks)]
    writer.writerow(["exercise", "points", *map(_harmless, headings)])
    for name, exercise in EXERCISES.items():
        found = [own[name] for own in marks.values()]
        states = (_harmless(one.state) for one in found)
        writer.writerow([name, exercise.points, *(one.points for one in found), *states])
    writer.writerow(["total", _worth(), *map(_total, marks.values()), *("" for _ in marks)])
    return file.getvalue()


def _harmless(text: str) -> str:
    """What a learner has a hand in as a text, even if a spreadsheet would see a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text


def _worth() -> int:
    return sum(exercise.points for exercise in EXERCISES.values())


def _total(own: Mapping[str, Mark]) -> int:
    return sum(mark.points for mark in own.values())
