"""What to say where bytes are damaged: the field that is wrong there, and what can be done."""

import os
import shlex
import string
from collections.abc import Iterator
from contextlib import suppress

from kvlib.directory import DirectoryDisk
from kvlib.errors import CorruptionError, KvlibError
from kvlib.layout.dissect import format_of, guess, walk


def advice(error: CorruptionError, path: str) -> Iterator[str]:
    """The field in which the damage stands, and what can be done; `path` is what was looked at."""
    folder, name = os.path.split(error.path or "")
    field = _field(folder or ".", name, error.offset)
    store = path if os.path.isdir(path) else (folder or ".") if format_of(name) else ""
    if field:
        yield f"  the field there: {field}"
    yield "  what can be done:"
    yield "    restore a backup, if there is one"
    if store:
        yield f"    kvlib salvage {_quoted(store)} NEW"
        yield "      writes all that still verifies into a new store, NEW"
    yield f"    kvlib dump {_quoted(error.path or '' if field else store)}"
    yield "      shows every byte, labelled"


def _field(folder: str, name: str, offset: int) -> str:
    """What a dump calls the place; "" if there is no such file, or nothing there has a name."""
    field = ""
    with suppress(KvlibError, OSError, ValueError):
        data = DirectoryDisk(folder).read(name)
        for piece in walk(data, format_of(name) or guess(data)):
            for leaf in piece.leaves():
                if leaf.start <= offset < leaf.end:
                    return leaf.name
                if leaf.start == offset:
                    field = leaf.name  # of no bytes, where some are missing
    return field


def _quoted(path: str) -> str:
    """Return a path as one can paste it into a shell, whatever bytes it has."""
    path = os.path.join(os.curdir, path) if path.startswith("-") else path  # no option
    if os.name == "nt":
        return f'"{path}"'
    if path.isprintable():
        return shlex.quote(path)
    plain = string.ascii_letters + string.digits + "/._-"
    return (
        "$'"
        + "".join(
            chr(byte) if chr(byte) in plain else f"\\x{byte:02x}" for byte in os.fsencode(path)
        )
        + "'"
    )
