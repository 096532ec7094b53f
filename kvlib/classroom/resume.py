"""Keep a run's marks in a file beside the CSV until that is written, so that a run can resume."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kvlib.classroom.marks import HEADINGS, States, as_csv
from kvlib.classroom.notebooks import ClassroomError
from kvlib.lessons.catalogue import EXERCISES

KEY: Final = "marks of a run that has not ended"
BYTE_ORDER_MARK: Final = "\ufeff"  # tells Excel that a CSV is UTF-8


def fingerprint(*work: object) -> str:
    """Return a hash of what a learner's marks depend on, which must be data for JSON."""
    return hashlib.sha256(json.dumps([*EXERCISES, work], default=str).encode()).hexdigest()


class SavedMarks:
    """The marks of a run, by the fingerprint of the work, until they are written as a CSV.

    Attributes:
        csv: the path of the CSV.
        path: the file that has the marks until then.
    """

    def __init__(self, csv: Path, *, anew: bool = False) -> None:
        """Read the marks of an earlier run unless `anew`, and check that new ones can be written.

        Raises:
            ClassroomError: one of the files has something else in it.
            OSError: the files can't be read or written.
        """
        _require_grades(csv)
        self.csv, self.path = csv, csv.with_name(f"{csv.name}.part")
        self._saved: dict[str, States] = {}
        try:
            found = json.loads(self.path.read_bytes())[KEY]
            self._saved = {} if anew else found
        except FileNotFoundError:
            pass
        except (ValueError, TypeError, KeyError) as error:
            raise ClassroomError(f"{self.path} has no {KEY}: move it") from error
        self._write()

    def close(self) -> None:
        """Delete the file if there is nothing in it."""
        if not self._saved:
            self.path.unlink(missing_ok=True)

    def get(self, work: str) -> States | None:
        """Return the marks for the work with this fingerprint, if they are there."""
        return self._saved.get(work)

    def add(self, work: str, states: States) -> None:
        """Save a learner's marks. When this returns, they are on the disk."""
        self._saved[work] = states
        self._write()

    def finish(self, marks: Mapping[str, States]) -> None:
        """Write the CSV, and only then forget the saved marks."""
        replace(self.csv, f"{BYTE_ORDER_MARK}{as_csv(marks)}".encode())
        self._saved = {}

    def _write(self) -> None:
        replace(self.path, json.dumps({KEY: self._saved}).encode())


def _require_grades(path: Path) -> None:
    """Raise ClassroomError unless the file is ours, or empty, or new in a folder."""
    if not path.parent.is_dir():
        raise ClassroomError(f"there is no folder {path.parent}")
    if not path.exists():
        return
    if not path.is_file():
        raise ClassroomError(f"{path} is not a file: name another one with --csv")
    start = ",".join(HEADINGS)
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        if file.read(len(start)) not in ("", start):
            raise ClassroomError(f"{path} has no grades: move it, or name another file with --csv")


def replace(path: Path, data: bytes) -> None:
    """Replace a file in one step, and keep its mode; if that fails, the old one is still there."""
    path = path.resolve()  # a link stays a link
    aside = path.with_name(f".{secrets.token_hex(8)}.new")
    try:
        with open(aside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, aside)
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
