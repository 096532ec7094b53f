"""Advice for damaged bytes: which field is wrong, and what you can do."""

import os
import shlex
import string
from collections.abc import Iterator
from contextlib import suppress

from kvlib.directory import DirectoryDisk
from kvlib.errors import CorruptionError, KvlibError
from kvlib.layout.dissect import format_of, guess, walk


def advice(error: CorruptionError, path: str) -> Iterator[str]:
    """Yield lines that name the damaged field and the remedies; `path` is the store or the file."""
    folder, name = os.path.split(error.path or "")
    field = _field(folder or ".", name, error.offset)
    store = path if os.path.isdir(path) else (folder or ".") if format_of(name) else ""
    if field:
        yield f"  the field there: {field}"
    yield "  what you can do:"
    yield "    restore a backup, if there is one"
    if store:
        yield f"    kvlib salvage {_quoted(store)} NEW"
        yield "      writes everything that still verifies to a new store, NEW"
    yield f"    kvlib dump {_quoted(error.path or '' if field else store)}"
    yield "      shows every byte, labelled"


def _field(folder: str, name: str, offset: int) -> str:
    """Return the name that a dump gives to the place, or "" if it has none."""
    field = ""
    with suppress(KvlibError, OSError, ValueError):
        data = DirectoryDisk(folder).read(name)
        for piece in walk(data, format_of(name) or guess(data)):
            for leaf in piece.leaves():
                if leaf.start <= offset < leaf.end:
                    return leaf.name
                if leaf.start == offset:
                    field = leaf.name  # an empty region, where bytes are missing
    return field


def _quoted(path: str) -> str:
    """Return a path that can be pasted into a shell, whatever bytes it has."""
    path = os.path.join(os.curdir, path) if path.startswith("-") else path  # not an option
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
