"""Files that are there as they were, or as they are to be, and never half written."""

import os
import secrets
import stat
from pathlib import Path


def replace(path: Path, data: bytes) -> None:
    """Write a file aside, and rename it into its place; it keeps its mode.

    If that fails, whatever was there is still there, and nothing else.
    """
    place = Path(os.path.realpath(path))  # a link goes on leading where it led
    aside = place.with_name(f".{secrets.token_hex(8)}.new")
    try:
        with open(aside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if place.exists():
            os.chmod(aside, stat.S_IMODE(place.stat().st_mode))
        os.replace(aside, place)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
