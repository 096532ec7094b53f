"""Replace files atomically: the old file or the new one, never half a file."""

import os
import secrets
import stat
from pathlib import Path


def replace(path: Path, data: bytes) -> None:
    """Replace the file at `path` by one with these contents and the same mode.

    The new file is written under another name and then renamed. If that fails, the old file is
    still there, and nothing else is.
    """
    place = Path(os.path.realpath(path))  # a link keeps its target
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
