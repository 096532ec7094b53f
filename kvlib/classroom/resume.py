"""Save a run's marks as soon as they are known, so that a run that was stopped can resume."""

import hashlib
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Final

from kvlib.classroom.marks import HEADINGS, States
from kvlib.classroom.notebooks import ClassroomError
from kvlib.lessons.catalogue import EXERCISES

KEY: Final = "marks of a run that has not ended"

Saved = dict[str, States]  # by the fingerprint of the work


def fingerprint(*work: object) -> str:
    """Return a hash of what a learner's marks depend on, which must be data for JSON."""
    return hashlib.sha256(json.dumps([*EXERCISES, work]).encode()).hexdigest()


def load(path: Path, csv: Path) -> Saved:
    """Return the marks that an earlier run has saved there, before it could write the CSV.

    Raises:
        ClassroomError: one of the two files is something else.
    """
    start = ",".join(HEADINGS)
    if csv.exists() and not (
        csv.is_file() and csv.read_text("utf-8-sig", "replace").startswith(start)
    ):
        raise ClassroomError(f"{csv} has no grades: move it, or name another file with --csv")
    try:
        saved: Saved = json.loads(path.read_bytes())[KEY]
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError) as error:
        raise ClassroomError(f"{path} has no {KEY}: move it") from error
    return saved


def save(path: Path, saved: Saved) -> None:
    """Save marks; when this returns, they are on the disk."""
    replace(path, json.dumps({KEY: saved}).encode())


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
