"""Save each learner's marks as soon as they are known, so that an interrupted run can resume.

They are saved in a file next to the CSV until that is written. Its first line identifies it, and
then it has a line of JSON per learner. If a run ends early, the next run reads these lines. It
ignores a line that was cut short, and one for other notebooks, hidden tests or exercises.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple, Self

from kvlib.classroom.atomic import replace
from kvlib.classroom.errors import ClassroomError
from kvlib.classroom.marks import LearnerMarks, Mark, Marks
from kvlib.classroom.report import HEADINGS, as_csv
from kvlib.classroom.submissions import UnreadableError, read_bytes
from kvlib.lessons.catalogue import EXERCISES

FIRST_LINE: Final = '{"kvlib": "marks of a run that has not ended"}'
CSV_BEGINNING: Final = ",".join(HEADINGS)
BYTE_ORDER_MARK: Final = "\ufeff"  # tells Excel that this is UTF-8


def fingerprint(paths: Iterable[Path], hidden: Mapping[str, str], seconds: float) -> str:
    """Return a hash of what a learner's marks depend on: notebooks, hidden tests, time limit."""
    made = hashlib.sha256(json.dumps([sorted(hidden.items()), seconds]).encode())
    for path in paths:
        try:
            content = hashlib.sha256(read_bytes(path)).hexdigest()
        except (OSError, UnreadableError) as error:
            content = f"{error}"
        made.update(json.dumps([str(path), content]).encode())
    return made.hexdigest()


class _Row(NamedTuple):
    learner: str
    fingerprint: str
    states: dict[str, str]


class SavedMarks:
    """The marks of one run, until they are written as a CSV.

    Attributes:
        csv: the path of the CSV.
        path: the file in which the marks are saved until then.
        rows: how many learners' marks this run has saved there or found there.
    """

    def __init__(self, csv: Path, *, anew: bool = False) -> None:
        """Read the marks of an earlier run, and check that new ones can be written.

        Args:
            csv: the path of the CSV.
            anew: whether to forget an earlier run's marks.

        Raises:
            ClassroomError: one of the files is something else.
            OSError: the files can't be written.
        """
        _require_ours(csv, CSV_BEGINNING, "grades")
        if not csv.parent.is_dir():
            raise ClassroomError(f"there is no folder {csv.parent}")
        self.csv, self.path, self.rows = csv, csv.with_name(f"{csv.name}.part"), 0
        _require_ours(self.path, FIRST_LINE, "marks of a run that was stopped")
        self._file = open(self.path, "ab")  # noqa: SIM115 (closed by __exit__)
        lines = [] if anew else self.path.read_bytes().splitlines()
        self._found = {row.learner: row for row in map(_parsed, lines) if row}
        if not self._found:
            self._file.truncate(0)
            self._file.seek(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if not self._found and not self.rows:
            self.path.unlink(missing_ok=True)

    def get(self, learner: str, fingerprint: str) -> LearnerMarks | None:
        """Return the marks of an earlier run, if they are for exactly this work."""
        row = self._found.get(learner)
        if row is None or row.fingerprint != fingerprint:
            return None
        self.rows += 1
        return {name: Mark(EXERCISES[name], state) for name, state in row.states.items()}

    def add(self, learner: str, fingerprint: str, marks: LearnerMarks) -> None:
        """Save a learner's marks. When this returns, they are on the disk."""
        states = {name: mark.state for name, mark in marks.items()}
        line = json.dumps([learner, fingerprint, states])
        # The line break ends a line that was cut short.
        before = FIRST_LINE if self._file.tell() == 0 else ""
        self._file.write(f"{before}\n{line}\n".encode())
        self._file.flush()
        os.fsync(self._file.fileno())
        self.rows += 1

    def finish(self, marks: Marks) -> None:
        """Write the CSV, and let `__exit__` delete the saved marks."""
        replace(self.csv, f"{BYTE_ORDER_MARK}{as_csv(marks)}".encode())
        self._found, self.rows = {}, 0


def _require_ours(path: Path, beginning: str, contents: str) -> None:
    """Raise ClassroomError if the file has another beginning; a part of this one is enough."""
    if not path.exists():
        return
    if not path.is_file():
        raise ClassroomError(f"{path} is not a file: name another one with --csv")
    with open(path, "rb") as file:
        start = file.read(len(beginning) + 3).decode(errors="replace").removeprefix(BYTE_ORDER_MARK)
    if not (start.startswith(beginning) or beginning.startswith(start)):
        raise ClassroomError(f"{path} has no {contents}: move it, or name another file with --csv")


def _parsed(line: bytes) -> _Row | None:
    """Return the row in a line, or None if the line isn't a whole row with these exercises."""
    try:
        learner, fingerprint, states = json.loads(line)
        whole = states.keys() == EXERCISES.keys() and all(
            type(state) is str for state in states.values()
        )
    except (ValueError, TypeError, AttributeError):
        return None
    return _Row(str(learner), str(fingerprint), states) if whole else None
