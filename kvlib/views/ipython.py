"""Show stores, disks and errors in a notebook, although the engine doesn't know of views.

`register` gives IPython an HTML table and a text of 80 columns for each class of the engine. The
text is the object's own repr, if that fits. An error shows the bytes that caused it: see `explain`.
"""

import os
import sys
import textwrap
from collections.abc import Iterator
from html import escape
from typing import Any, Final, NamedTuple

from kvlib.directory import DirectoryDisk
from kvlib.disk import LOCK, Disk, MemoryDisk
from kvlib.durable import DurableStore, Status
from kvlib.encoding import Item
from kvlib.errors import FormatError
from kvlib.frame import KINDS, Frame
from kvlib.layout.regions import FRAME_NOTES
from kvlib.layout.text import COLUMNS, ROW, fit
from kvlib.plural import count
from kvlib.recovery import Recovery
from kvlib.salvage import Salvage
from kvlib.salvage.findings import report
from kvlib.snapshot import LOG, NEW_LOG, SEGMENT_NAME, Head
from kvlib.store import Store
from kvlib.views.explain import explain

FIRST: Final = 5  # records that a store's table shows
CELL: Final = 60  # columns of a key or a value there
LEFT: Final = "text-align: left"  # JupyterLab aligns tables for numbers

Rows = list[tuple[str, str]]


class Table(NamedTuple):
    """An object as HTML: a caption, and a row for each of its properties."""

    caption: str
    rows: Rows
    heads: tuple[str, str] | None = None
    more: str = ""


# ------------------------------------------------------------------------------------------ tables


def tables(shown: object) -> Iterator[Table]:
    """Yield the tables for an object of the engine. Raises TypeError for other objects."""
    match shown:
        case Store() | DurableStore():
            yield from _of_store(shown)
        case Disk():
            yield _of_disk(shown)
        case Status():
            yield Table("Status of a DurableStore", _of_status(shown))
        case Recovery():
            yield Table("Result of opening the store", _of_recovery(shown))
        case Salvage():
            lines = [line.strip() for line in report(shown, "the new store")]
            yield Table("Result of the salvage", [(str(at + 1), it) for at, it in enumerate(lines)])
        case Head():
            yield Table("Head of a log", _of_head(shown))
        case Frame():
            yield Table(f"Frame at offset {shown.start}", _of_frame(shown))
        case _:
            raise TypeError(f"there is no table of a {type(shown).__name__}")


def _of_store(store: Store | DurableStore) -> Iterator[Table]:
    title = text(store).strip("<>")
    if title.endswith("closed"):
        yield Table(title, [("records", "there are none until the store is opened again")])
        return
    rows = [("keys", f"{len(store):,}")]
    yield Table(title, _of_status(store.status()) if isinstance(store, DurableStore) else rows)
    if items := list(store.items()):
        left = len(items) - FIRST
        more = f"and {count(left, 'more record')}" if left > 0 else ""
        rows = [(_cell(key), _cell(value)) for key, value in items[:FIRST]]
        yield Table("Records", rows, ("key", "value"), more)


def _of_disk(disk: Disk) -> Table:
    try:
        rows = [(name, _role(name, len(disk.read(name)))) for name in disk.names()]
    except (OSError, FormatError) as error:
        rows = [("cannot be read", str(error))]
    return Table(text(disk).strip("<>"), rows, ("file", "what it is"))


def _role(name: str, size: int) -> str:
    roles = {LOG: "head and log", NEW_LOG: "of a snapshot that is not published", LOCK: "the lock"}
    role = roles.get(name, "not kvlib's")
    if match := SEGMENT_NAME.fullmatch(name):
        role = f"segment {int(match[2], 16)} of generation {int(match[1], 16)}"
    return f"{count(size, 'byte')}, {role}"


def _of_status(status: Status) -> Rows:
    return [
        ("keys", f"{status.keys:,}"),
        ("pending", f"{count(status.pending, 'mutation')} in the log"),
        ("log_bytes", f"{status.log_bytes:,}"),
        ("compactions", f"{status.compactions:,}"),
        ("generation", f"{status.generation:,}"),
        ("failed", status.failed or "no"),
        ("compaction_error", status.compaction_error or "none"),
    ]


def _of_recovery(recovered: Recovery) -> Rows:
    tail = "none"
    if recovered.dropped_bytes:
        dropped = count(recovered.dropped_bytes, "byte")
        tail = f"{dropped} from offset {recovered.dropped_offset} of the log on, dropped"
    return [("replayed", count(recovered.replayed, "mutation")), ("torn tail", tail)]


def _of_head(head: Head) -> Rows:
    return [
        ("generation", f"{head.generation:,}"),
        ("salt", f"{head.salt:#010x}, seeds the log's checksums"),
        ("compactions", f"{head.compactions:,}"),
        ("segments", f"{head.segments:,}"),
        ("length", f"{count(head.stream_length, 'byte')} of stream"),
        ("crc", f"{head.stream_crc:#010x} of the stream"),
    ]


def _of_frame(frame: Frame) -> Rows:
    note = FRAME_NOTES[frame.kind] if frame.kind in KINDS else "unknown"
    return [
        ("bytes", f"{frame.start} to {frame.end - 1}"),
        ("kind", f"{frame.kind!r}: {note}"),
        ("sequence", f"{frame.sequence:,}"),
        ("payload", f"{count(len(frame.payload), 'byte')}: {_cell(frame.payload)}"),
    ]


def _cell(item: Item) -> str:
    return fit(repr(item[:CELL]) + "…" * (len(item) > CELL), CELL + 4)


def html(shown: object) -> str:
    """Return an object of the engine, or an error, as HTML."""
    if isinstance(shown, FormatError):
        return explain(shown)._repr_html_()
    return "\n".join(map(_drawn, tables(shown)))


def _drawn(table: Table) -> str:
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in table.heads or ())
    rows = [
        f'<tr><th scope="row">{escape(name)}</th><td style="{LEFT}">{escape(value)}</td></tr>'
        for name, value in table.rows
    ]
    more = [f"<p>{escape(table.more)}</p>"] if table.more else []
    return "\n".join([
        f'<table class="kvlib-shown"><caption>{escape(table.caption)}</caption>',
        *([f"<thead><tr>{heads}</tr></thead>"] if heads else []),
        *["<tbody>", *rows, "</tbody></table>", *more],
    ])  # fmt: skip


# -------------------------------------------------------------------------------------------- text


def text(shown: object) -> str:
    """Return an object of the engine, or an error, in lines of 80 columns."""
    match shown:
        case FormatError():
            return repr(explain(shown))
        case MemoryDisk() | DirectoryDisk():
            return fit(_disk(shown), COLUMNS)
        case Frame() if len(shown.payload) > ROW:
            payload = f"payload=<{len(shown.payload):,} bytes>"
            return _wrapped(repr(shown._replace(payload=b"")).replace("payload=b''", payload))
        case Store() | DurableStore():
            return fit(repr(shown), COLUMNS)
    return _wrapped(repr(shown))


def _wrapped(whole: str) -> str:
    indent = " " * (1 + whole.find("("))
    return "\n".join(textwrap.wrap(whole, COLUMNS, subsequent_indent=indent))


def _disk(disk: MemoryDisk | DirectoryDisk) -> str:
    # A path is shown as it was given.
    place = f" {os.path.dirname(disk.path(LOG))!r}" if isinstance(disk, DirectoryDisk) else ""
    try:
        files = count(len(disk.names()), "file")
    except OSError:
        files = "not there yet"
    return f"<{type(disk).__name__}{place}: {files}>"


# ----------------------------------------------------------------------------------------- IPython

SHOWN: Final = (Store, DurableStore, Status, Recovery, Head, Frame, Salvage, FormatError)
DISKS: Final = (MemoryDisk, DirectoryDisk)  # and their subclasses, such as CrashDisk


def register() -> None:
    """Teach IPython to show the engine's objects and errors, if IPython is running."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return
    formatters = shell.display_formatter.formatters
    for kind in SHOWN + DISKS:
        formatters["text/plain"].for_type(kind, _print)
        formatters["text/html"].for_type(kind, html)
    shell.set_custom_exc((FormatError,), _show_error)


def _print(shown: object, printer: Any, cycle: bool) -> None:
    printer.text(text(shown))


def _show_error(
    shell: Any, kind: type, error: FormatError, traceback: object, tb_offset: int | None = None
) -> None:
    """Show the usual traceback, and then the bytes."""
    from IPython.display import display

    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
    display(explain(error))
