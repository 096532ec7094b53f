"""Replace a file atomically: a crash leaves the old file or the new one, never half a file."""

import os
import secrets
import stat
from pathlib import Path


def replace(path: Path, data: bytes) -> None:
    """Replace the file at `path` with a file that has these contents and the same mode.

    The new file is written under another name and then renamed. If that fails, it is deleted, and
    the old file is still there. A link is kept, and the file that it leads to is replaced.
    """
    place = Path(os.path.realpath(path))
    new = place.with_name(f".{secrets.token_hex(8)}.new")
    try:
        with open(new, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if place.exists():
            os.chmod(new, stat.S_IMODE(place.stat().st_mode))
        os.replace(new, place)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
