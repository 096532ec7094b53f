"""Keep marks on disk as soon as they are known, in a file next to the CSV, until that is written.

The file has a first line that identifies it, then a line of JSON per learner. If a run ends early,
the lines of the learners who were graded stay, and the next run continues after them. A line that
was cut short doesn't count, nor does one for other notebooks, hidden tests or exercises.
"""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kvlib.classroom.atomic import replace
from kvlib.classroom.editions import EditionError
from kvlib.classroom.grading import HEADINGS, Mark, Marks, Own, as_csv
from kvlib.lessons.catalogue import EXERCISES

FIRST: Final = '{"kvlib": "marks of a run that has not ended"}'
BEGINNING: Final = ",".join(HEADINGS)
MARK: Final = "\ufeff"  # tells Excel that this is UTF-8


class Kept:
    """The marks of one run, to be written as a CSV.

    Attributes:
        place: the path of the CSV.
        path: the file that keeps the marks until then.
        rows: how many learners it has.
    """

    def __init__(self, place: Path, *, anew: bool = False) -> None:
        """Read the marks of an earlier run, and check that new ones can be written.

        Args:
            place: where the CSV will be.
            anew: whether to forget an earlier run's marks.

        Raises:
            EditionError: one of the files is something else.
            OSError: the files can't be written.
        """
        _require_ours(place, BEGINNING, "grades")
        if not place.parent.is_dir():
            raise EditionError(f"there is no folder {place.parent}")
        self.place, self.path = place, place.with_name(f"{place.name}.part")
        _require_ours(self.path, FIRST, "marks of a run that was stopped")
        there = self.path.exists()
        self._file = open(self.path, "ab")  # noqa: SIM115 (closed by __exit__)
        lines = self.path.read_bytes().splitlines() if there and not anew else []
        self._found = dict(filter(None, map(_read, lines)))
        self.rows = 0
        if not self._found:
            self._file.truncate(0)
            self._file.seek(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._file.close()
        if not self._found and not self.rows:
            self.path.unlink(missing_ok=True)

    def get(self, learner: str, fingerprint: str) -> Own | None:
        """Return the marks of an earlier run, if they are for exactly this work."""
        found = self._found.get(learner)
        if found is None or found[0] != fingerprint:
            return None
        self.rows += 1
        return {name: Mark(EXERCISES[name], state) for name, state in found[1].items()}

    def add(self, learner: str, fingerprint: str, own: Own) -> None:
        """Keep a learner's marks. When this returns, they are on the disk."""
        states = {name: mark.state for name, mark in own.items()}
        line = json.dumps([learner, fingerprint, states])
        before = FIRST if self._file.tell() == 0 else ""  # ends a line that was cut short
        self._file.write(f"{before}\n{line}\n".encode())
        self._file.flush()
        os.fsync(self._file.fileno())
        self.rows += 1

    def finish(self, marks: Marks) -> None:
        """Write the CSV, and only then delete the kept marks."""
        replace(self.place, f"{MARK}{as_csv(marks)}".encode())
        self._file.close()
        self._found, self.rows = {}, 0


def _require_ours(path: Path, beginning: str, what: str) -> None:
    if not path.exists():
        return
    if not path.is_file():
        raise EditionError(f"{path} is not a file: name another one with --csv")
    with open(path, "rb") as file:
        begins = file.read(len(beginning) + 3).decode(errors="replace").removeprefix(MARK)
    if not (begins.startswith(beginning) or beginning.startswith(begins)):
        raise EditionError(f"{path} holds no {what}: move it, or name another file with --csv")


def _read(line: bytes) -> tuple[str, tuple[str, dict[str, str]]] | None:
    try:
        learner, fingerprint, states = json.loads(line)
        whole = states.keys() == EXERCISES.keys() and all(
            type(one) is str for one in states.values()
        )
    except (ValueError, TypeError, AttributeError):
        return None
    return (str(learner), (str(fingerprint), states)) if whole else None
