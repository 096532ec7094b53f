"""Stores, disks and errors that show themselves in a notebook, though the engine knows of no views.

`register` gives IPython, for each class of the engine, an HTML table and a text of 80 columns. The
text is the object's own repr as far as that fits. An error shows the bytes where it arose: see
`explain`.
"""

import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from html import escape
from types import TracebackType
from typing import Any, Final, NamedTuple

from kvlib import advice
from kvlib.disk import LOCK, DirectoryDisk, Disk, MemoryDisk
from kvlib.encoding import Item
from kvlib.errors import CorruptionError, FormatError
from kvlib.frame import KINDS, Frame
from kvlib.recovery import Recovery
from kvlib.salvage import Salvage
from kvlib.salvage.findings import report
from kvlib.snapshot import LOG, NEW_LOG, SEGMENT_NAME, Head
from kvlib.store import DurableStore, Status, Store
from kvlib.views.dumps import Dump, dump
from kvlib.views.layout import FORMATS, Layout, dissect, dissect_directory
from kvlib.views.regions import FRAME_NOTES
from kvlib.views.text import COLUMNS, ROW, fit, hanging
from kvlib.wording import count

FIRST: Final = 5  # records that a store's table shows
CELL: Final = 60  # columns of a key or a value there
AROUND: Final = 8 * ROW  # bytes of a damaged file that are shown: its beginning, and the place
LEFT: Final = "text-align: left"  # JupyterLab takes what stands in a table for numbers
SEARCHED: Final = 2**20  # larger bytes are not searched for an error's place

Rows = list[tuple[str, str]]


class Table(NamedTuple):
    """What an object's HTML says: a caption, and a row for each of its properties."""

    caption: str
    rows: Rows
    heads: tuple[str, str] | None = None
    more: str = ""


# ------------------------------------------------------------------------------------------ tables


def tables(shown: object) -> Iterator[Table]:
    """The tables that show an object of the engine; TypeError for any other."""
    match shown:
        case Store() | DurableStore():
            yield from _of_store(shown)
        case Disk():
            yield _of_disk(shown)
        case Status():
            yield Table("Status of a DurableStore", _of_status(shown))
        case Recovery():
            yield Table("What opening the store found", _of_recovery(shown))
        case Salvage():
            lines = [line.strip() for line in report(shown, "the new store")]
            yield Table("What could be saved", [(str(at + 1), it) for at, it in enumerate(lines)])
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
        ("length", f"{count(head.length, 'byte')} of stream"),
        ("crc", f"{head.crc:#010x} of the stream"),
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
    """An object of the engine, or an error, as HTML."""
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
    """An object of the engine, or an error, in lines of 80 columns."""
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


# ------------------------------------------------------------------------------------------ errors


class Explanation:
    """An error, the bytes where it arose, and what can be done; made by `explain`."""

    def __init__(self, error: FormatError, dump: Dump | None, steps: Sequence[str]) -> None:
        self._error, self._dump, self._steps = error, dump, steps

    @property
    def _title(self) -> str:
        return f"{type(self._error).__name__}: {self._error}"

    def lines(self) -> Iterator[str]:
        """The text: message, bytes, advice."""
        yield from hanging("", self._title)
        if self._dump:
            yield from ("", *repr(self._dump).splitlines())
        if self._steps:
            yield from ("", *self._steps)

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{escape(self._title)}</b></p>"]
        if self._dump:
            parts.append(self._dump._repr_mimebundle_()["text/html"])
        if self._steps:
            parts.append(f"<pre>{escape(chr(10).join(self._steps))}</pre>")
        return "\n".join(parts)


def explain(error: FormatError, disk: Disk | None = None) -> Explanation:
    """The bytes around an error's offset, the wrong field marked, and what can be done.

    Args:
        error: from reading a store, or from decoding bytes.
        disk: where its file is; by default the directory that its path names, or else what the
            functions that raised it were reading.

    Bytes are shown only if the error can be seen in them now. Without them the message stays.
    """
    if not isinstance(error, FormatError):
        raise TypeError(f"an error of reading bytes is explained, not {type(error).__name__}")
    wanted = error.offset, error.reason
    found = (one for one in _layouts(error, disk) if (one.stopped_at, one.reason) == wanted)
    layout = next(found, None)
    return Explanation(error, dump(layout, limit=AROUND) if layout else None, [*_steps(error)])


def _layouts(error: FormatError, disk: Disk | None) -> Iterator[Layout]:
    folder, name = os.path.split(error.path or "")
    if disk is None and folder:
        disk = DirectoryDisk(folder)
    for place in [disk] if disk else _locals(error.__traceback__):
        if isinstance(place, bytes):
            for format in FORMATS if len(place) <= SEARCHED else ():
                yield dissect(place, format=format, source=error.path or "the bytes")
        elif isinstance(place, Disk):
            yield from _files(place, name or LOG)


def _files(disk: Disk, name: str) -> Iterator[Layout]:
    try:
        yield from (file for file in dissect_directory(disk) if file.source == name)
    except OSError:
        return  # it is not there any more


def _locals(traceback: TracebackType | None) -> list[object]:
    """What the engine's functions were given, from the innermost outwards."""
    found: list[object] = []
    while traceback:
        frame = traceback.tb_frame
        if frame.f_globals.get("__name__", "").startswith("kvlib."):
            found[:0] = frame.f_locals.values()
        traceback = traceback.tb_next
    return found


def _steps(error: FormatError) -> Iterator[str]:
    notes = getattr(error, "__notes__", [])
    for note in notes:
        yield from hanging("", note)
    folder = os.path.dirname(error.path or "")
    if folder and isinstance(error, CorruptionError):
        yield from (line.removeprefix("  ") for line in advice.advice(error, folder))
    elif notes and isinstance(error, CorruptionError):  # a store on a Disk of another kind
        yield "salvage(disk, other), of kvlib.salvage, writes what still verifies to another disk"


# ----------------------------------------------------------------------------------------- IPython

SHOWN: Final = (Store, DurableStore, Status, Recovery, Head, Frame, Salvage, FormatError)
DISKS: Final = (MemoryDisk, DirectoryDisk)  # and what is made of them: CrashDisk


def register() -> None:
    """Teach IPython to show the engine's objects and errors, if it is what runs this."""
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
    """The traceback as always, and then the bytes."""
    from IPython.display import display

    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
    display(explain(error))
