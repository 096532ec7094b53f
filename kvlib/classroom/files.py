"""Replace files, and show their names."""

import os
import secrets
import shutil
from pathlib import Path


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


def printable(text: str) -> str:
    """Return a text, such as a file's name, as one line of valid UTF-8."""
    spaces = "\u00a0\u3000\u200c\u200d"  # they belong to some scripts
    return "".join(c if c.isprintable() or c in spaces else repr(c)[1:-1] for c in text)
