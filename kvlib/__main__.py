"""The command line: kvlib dump, check, compact and salvage. `python -m kvlib` is the same."""

import argparse
import io
import os
import sys
from collections.abc import Iterable, Iterator
from time import monotonic

import kvlib
from kvlib.advice import advice
from kvlib.disk import LOCK, DirectoryDisk
from kvlib.errors import (
    CorruptionError,
    FormatError,
    KvlibError,
    MissingError,
    TornError,
    VersionError,
)
from kvlib.recovery import State, read
from kvlib.salvage import report, salvage
from kvlib.snapshot import HEAD_BYTES, LOG, segment_name
from kvlib.views.layout import Region, format_of, guess, walk, walk_directory
from kvlib.views.text import lines
from kvlib.wording import count

OK, DAMAGED, FAILED, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141
STATUS = """exit status:
  0  done; for check: recovery would succeed, perhaps by dropping a torn tail;
     for salvage: the new store has everything that the old one had
  1  bytes are damaged: file, offset, reason and what can be done are on the
     standard error output; for salvage: what was left out is listed
  2  anything else: no store there, a newer format, locked, not permitted, usage"""


class Progress:
    """One line on the standard error output that says how far a long work is, if anybody looks."""

    def __init__(self) -> None:
        self._enabled, self._shown_at, self._width = sys.stderr.isatty(), monotonic(), 0

    def show(self, text: str) -> None:
        """Replace the line, four times a second at most."""
        now = monotonic()
        if self._enabled and now - self._shown_at >= 0.25:
            print(f"\r{text:<{self._width}}", end="", file=sys.stderr, flush=True)
            self._shown_at, self._width = now, len(text)

    def clear(self) -> None:
        """Leave no trace of it."""
        if self._width:
            print(f"\r{'':<{self._width}}\r", end="", file=sys.stderr, flush=True)
            self._width = 0


class WatchedDisk(DirectoryDisk):
    """A directory that shows how many bytes went in and out."""

    def __init__(self, path: str, progress: Progress) -> None:
        super().__init__(path)
        self._progress, self._read_bytes, self._written_bytes = progress, 0, 0

    def read(self, name: str) -> bytes:
        """All bytes of a file."""
        data = super().read(name)
        self._read_bytes += len(data)
        self._show()
        return data

    def write(self, name: str, data: bytes) -> None:
        """Create the file, or replace what is in it."""
        super().write(name, data)
        self._written_bytes += len(data)
        self._show()

    def _show(self) -> None:
        done = f"{self._read_bytes:,} bytes read, {self._written_bytes:,} written"
        self._progress.show(done)


def main(argv: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # rather an escape than no output at all
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = _parser().parse_args(argv)
    progress = Progress()
    try:
        status: int = arguments.command(*arguments.paths, progress)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `kvlib dump x | head`: nothing that Python still holds can be written
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        progress.clear()
        return INTERRUPTED
    except (KvlibError, OSError) as error:
        progress.clear()
        print(f"kvlib: {_explain(error)}", file=sys.stderr)
        if not isinstance(error, CorruptionError):
            return FAILED
        print(*advice(error, arguments.paths[0]), sep="\n", file=sys.stderr)
        return DAMAGED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "kvlib",
        description="Look into the files of a kvlib store, compact it, save what is left of it.",
        epilog=STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"kvlib {kvlib.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    store, place = ("PATH", "a store"), ("PATH", "a store, or one file of it")
    source = ("SOURCE", "a store, which is only read")
    new = ("DESTINATION", "where the new store will be: nothing yet, or an empty directory")
    for name, command, text, *paths in (
        ("dump", _dump, "show every byte, labelled", place),
        ("check", _check, "say what recovery would do", place),
        ("compact", _compact, "publish a new snapshot, start an empty log", store),
        ("salvage", _salvage, "write what still verifies into a new store", source, new),
    ):
        subparser = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=STATUS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for path, what in paths:
            subparser.add_argument("paths", metavar=path, action="append", help=what)
        subparser.set_defaults(command=command)
    return parser


def _dump(path: str, progress: Progress) -> int:
    terminal = sys.stdout.isatty()
    colour = terminal and not os.environ.get("NO_COLOR")
    errors: list[FormatError] = []
    disk = _directory(path, progress) if os.path.isdir(path) else None
    for name, data, pieces in walk_directory(disk) if disk else [_file(path)]:
        progress.clear()
        print(f"{_printable(name)}: {count(len(data), 'byte')}\n")
        watched = pieces if terminal else _watch(name, data, pieces, progress)
        for line in lines(data, _keep_error(watched, errors), colour=colour):
            print(line)
        print()
    if disk:
        return _report(path, disk, progress)
    for error in errors:
        if not isinstance(error, TornError):
            raise error.within(path)
    return OK


def _check(path: str, progress: Progress) -> int:
    if os.path.isdir(path):
        return _report(path, _directory(path, progress), progress)
    name, data, pieces = _file(path)
    try:
        for _ in _watch(name, data, pieces, progress):
            pass
        print(f"{_printable(path)}: {count(len(data), 'byte')}, nothing is wrong with them")
    except TornError as error:
        tail = count(len(data) - error.offset, "byte")
        print(f"{_printable(path)}: recovery would drop a torn tail")
        print(f"  {tail} at offset {error.offset}: {error.reason}")
    except FormatError as error:
        raise error.within(path) from None
    finally:
        progress.clear()
    return OK


def _compact(path: str, progress: Progress) -> int:
    disk = _directory(path, progress)
    if LOG not in disk.names():
        read(disk)  # raises the reason why there is no log; open() would make one
    before = _size(disk)
    with kvlib.open(disk) as store:
        store.compact()
        records, recovered = len(store), store.recovered
    progress.clear()
    if recovered.dropped_bytes:
        tail = count(recovered.dropped_bytes, "byte")
        print(f"dropped {tail} at offset {recovered.dropped_offset} of the log, a torn tail")
    print(f"{_printable(path)}: {count(records, 'record')}")
    print(f"  {before:>15,} bytes before")
    print(f"  {_size(disk):>15,} bytes now")
    return OK


def _salvage(source: str, destination: str, progress: Progress) -> int:
    disk = _place(source, progress)
    inside = os.path.join(os.path.realpath(source), "")
    if os.path.realpath(destination).startswith(inside):
        raise MissingError(f"{destination} lies in {source}, which salvage doesn't change")
    result = salvage(disk, WatchedDisk(destination, progress))
    progress.clear()
    for line in report(result, _printable(destination)):
        print(line)
    return OK if result.complete else DAMAGED


def _report(path: str, disk: DirectoryDisk, progress: Progress) -> int:
    """Say what opening the store would find, and change nothing. Its damage is raised."""
    state = read(disk)
    progress.clear()
    head, tail, recovered = state.head, state.tail, state.recovered
    torn = "none"
    if recovered.dropped_bytes:
        dropped = count(recovered.dropped_bytes, "byte")
        torn = f"{dropped} at offset {recovered.dropped_offset} of the log, to be dropped"
    ours = {segment_name(head.generation, index) for index in range(head.segments)} | {LOG, LOCK}
    other = [name for name in disk.names() if name not in ours]
    print(f"{_printable(path)}: a store that can be opened")
    for what, text in (
        ("generation", str(head.generation)),
        ("snapshot", f"{count(head.segments, 'segment')}, {count(head.length, 'byte')}"),
        ("log", f"{count(tail.end, 'byte')}, {count(tail.records, 'mutation')} to replay"),
        ("torn tail", torn),
        ("closed", _closed(state)),
        ("records", f"{len(state.items):,}"),
        ("left over", ", ".join(filter(format_of, other)) or "nothing"),
        ("not kvlib's", ", ".join(_printable(n) for n in other if not format_of(n)) or "nothing"),
    ):
        print(f"  {what:<13}{text}")
    return OK


def _closed(state: State) -> str:
    whole = not state.recovered.dropped_bytes
    if whole and state.tail.end == HEAD_BYTES:  # as serialize and compact leave it
        return "a snapshot alone: nothing is logged behind it"
    return "yes" if whole and state.tail.closed else "no: it is open now, or was not closed"


def _place(path: str, progress: Progress) -> WatchedDisk:
    if not os.path.isdir(path):
        _refuse_missing(path)
        raise MissingError(f"{path} is a file; a store is a directory")
    return WatchedDisk(path, progress)


def _directory(path: str, progress: Progress) -> WatchedDisk:
    disk = _place(path, progress)
    if not any(map(format_of, disk.names())):
        raise MissingError(f"no store at {path}")
    return disk


def _file(path: str) -> tuple[str, bytes, Iterator[Region]]:
    _refuse_missing(path)
    if not os.path.isfile(path):  # reading a pipe or a device might never end
        raise MissingError(f"{path} is neither a file nor a directory")
    with open(path, "rb") as file:
        data = file.read()
    name = os.path.basename(path)
    format = format_of(name) or guess(data)
    if format == "unknown":
        raise MissingError(f"{path} is no file of kvlib")
    return name, data, walk(data, format)


def _refuse_missing(path: str) -> None:
    if not os.path.exists(path):
        raise MissingError(f"{path}: no such file or directory")


def _size(disk: DirectoryDisk) -> int:
    return sum(os.lstat(disk.path(name)).st_size for name in disk.names() if format_of(name))


def _keep_error(pieces: Iterable[Region], errors: list[FormatError]) -> Iterator[Region]:
    try:
        yield from pieces
    except FormatError as error:
        errors.append(error)
        raise


def _watch(
    name: str, data: bytes, pieces: Iterable[Region], progress: Progress
) -> Iterator[Region]:
    for piece in pieces:
        progress.show(f"{_printable(name)}: {piece.end:,} of {len(data):,} bytes")
        yield piece
    progress.clear()


def _explain(error: KvlibError | OSError) -> str:
    text = str(error)
    if isinstance(
        error, VersionError
    ):  # the offset says nothing to who must only get a newer kvlib
        text = f"{error.path}: {error.reason}"
    elif isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
    return _printable(text)


def _printable(text: str) -> str:
    """The text itself, or with escapes if it would take more than a line or confuse a terminal."""
    return text if text.isprintable() else repr(text)[1:-1]


if __name__ == "__main__":
    sys.exit(main())
