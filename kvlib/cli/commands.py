"""The commands: kvlib dump, check, compact, backup, salvage and notebooks."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence

import kvlib
from kvlib.cli.notebooks import KEPT, copy
from kvlib.cli.progress import ProgressLine, WatchedDisk
from kvlib.cli.streams import DAMAGED, FAILED, OK, complain, flush, say
from kvlib.directory import DirectoryDisk
from kvlib.disk import LOCK
from kvlib.errors import (
    CorruptionError,
    FormatError,
    KvlibError,
    MissingError,
    TornError,
    VersionError,
)
from kvlib.layout.advice import advice
from kvlib.layout.dissect import Region, format_of, guess, walk, walk_directory
from kvlib.layout.text import lines
from kvlib.plural import count
from kvlib.recovery import State, recover_without_lock
from kvlib.salvage import report, salvage
from kvlib.snapshot import HEAD_BYTES, LOG, segment_name

STATUS = """exit status:
  0  done; for check: recovery would succeed, perhaps by dropping a torn tail;
     for salvage: the new store has everything that the old one had
  1  bytes are damaged: standard error says in which file, at which offset,
     why, and what you can do; salvage lists everything that it left out
  2  anything else: no store there, a newer format, locked, not permitted,
     wrong usage, an output that is closed or full, too little memory
  130  interrupted"""


def run_command(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status. Unexpected errors are raised."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit:  # argparse has printed the help, or an error about the usage
        flush()
        raise
    progress = ProgressLine()
    try:
        status: int = arguments.command(*arguments.paths, progress)
        return status
    except (KvlibError, OSError) as error:
        progress.clear()
        complain(f"kvlib: {_explain(error)}")
        if not isinstance(error, CorruptionError):
            return FAILED
        for line in advice(error, arguments.paths[0]):
            complain(line)
        return DAMAGED
    finally:
        progress.clear()


class _Parser(argparse.ArgumentParser):
    def _print_message(self, message: str, file: object = None) -> None:
        # argparse's own method ignores an output that can't be written to.
        (complain if file is sys.stderr else say)(message.rstrip("\n"))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        "kvlib",
        description="Look into, copy or save a kvlib store, and get the notebooks.",
        epilog=STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"kvlib {kvlib.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    store, place = ("PATH", "a store"), ("PATH", "a store, or one file of it")
    source = ("SOURCE", "a store, which is only read")
    new = ("DESTINATION", "where the new store will be: nothing yet, or an empty directory")
    folder = ("DESTINATION", "the folder; files that it has already are not changed")
    older = ("DESTINATION", "where the copy will be: like a new store, or an older copy")
    for name, command, text, *paths in (
        ("dump", _dump, "show every byte, labelled", place),
        ("check", _check, "say what recovery would do", place),
        ("compact", _compact, "publish a new snapshot, start an empty log", store),
        ("backup", _backup, "copy a store as it is at this moment", source, older),
        ("salvage", _salvage, "write what still verifies into a new store", source, new),
        ("notebooks", _notebooks, "copy the notebooks into your folder", folder),
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


def _dump(path: str, progress: ProgressLine) -> int:
    terminal = sys.stdout is not None and sys.stdout.isatty()
    colour = terminal and not os.environ.get("NO_COLOR")
    errors: list[FormatError] = []
    disk = _directory(path, progress) if os.path.isdir(path) else None
    for name, data, pieces in walk_directory(disk) if disk else [_file(path)]:
        progress.clear()
        say(f"{_printable(name)}: {count(len(data), 'byte')}\n")
        watched = pieces if terminal else _watch(name, data, pieces, progress)
        for line in lines(data, _keep_error(watched, errors), colour=colour):
            say(line)
        say()
    if disk:
        return _report(path, disk, progress)
    for error in errors:
        if not isinstance(error, TornError):
            raise error.within(path)
    return OK


def _check(path: str, progress: ProgressLine) -> int:
    if os.path.isdir(path):
        return _report(path, _directory(path, progress), progress)
    name, data, pieces = _file(path)
    try:
        for _ in _watch(name, data, pieces, progress):
            pass
        say(f"{_printable(path)}: {count(len(data), 'byte')}, no flaw found")
    except TornError as error:
        tail = count(len(data) - error.offset, "byte")
        say(f"{_printable(path)}: recovery would drop a torn tail")
        say(f"  {tail} at offset {error.offset}: {error.reason}")
    except FormatError as error:
        raise error.within(path) from None
    finally:
        progress.clear()
    return OK


def _compact(path: str, progress: ProgressLine) -> int:
    disk = _directory(path, progress)
    if LOG not in disk.names():
        recover_without_lock(disk)  # says why there is no log; open() would make one
    before = _size(disk)
    with kvlib.open(disk) as store:
        store.compact()
        records, recovered = len(store), store.recovered
    progress.clear()
    if recovered.dropped_bytes:
        tail = count(recovered.dropped_bytes, "byte")
        say(f"dropped {tail} at offset {recovered.dropped_offset} of the log, a torn tail")
    say(f"{_printable(path)}: {count(records, 'record')}")
    say(f"  {before:>15,} bytes before")
    say(f"  {_size(disk):>15,} bytes now")
    return OK


def _backup(source: str, destination: str, progress: ProgressLine) -> int:
    disk = _directory(source, progress)
    _refuse_inside(source, destination)
    there = os.listdir(destination) if os.path.isdir(destination) else []
    if there and not any(map(format_of, there)):
        raise MissingError(f"{destination} has files that aren't kvlib's")
    with kvlib.open(disk, read_only=True) as store:
        store.backup(WatchedDisk(destination, progress, like=disk))
        records = len(store)
    progress.clear()
    say(f"{_printable(destination)}: a copy with {count(records, 'record')}")
    return OK


def _salvage(source: str, destination: str, progress: ProgressLine) -> int:
    disk = _place(source, progress)
    _refuse_inside(source, destination)
    result = salvage(disk, WatchedDisk(destination, progress, like=disk))
    progress.clear()
    for line in report(result, _printable(destination)):
        say(line)
    return OK if result.complete else DAMAGED


def _notebooks(destination: str, progress: ProgressLine) -> int:
    if not destination:
        raise MissingError("the path of the folder is empty; the working directory is '.'")
    kept = False
    for name, outcome in copy(destination):
        say(f"{_printable(os.path.join(destination, name))}: {outcome}")
        kept = kept or outcome == KEPT
    if kept:
        say("Your own changes are kept. For a fresh copy, rename or delete the file first.")
    return OK


def _refuse_inside(source: str, destination: str) -> None:
    if os.path.join(os.path.realpath(destination), "").startswith(
        os.path.join(os.path.realpath(source), "")
    ):
        raise MissingError(f"{destination} is {source} or is inside it, and {source} is only read")


def _report(path: str, disk: DirectoryDisk, progress: ProgressLine) -> int:
    """Report what opening the store would find, and change nothing. Damage is raised."""
    state = recover_without_lock(disk)
    progress.clear()
    head, tail, recovered = state.head, state.tail, state.recovered
    torn = "none"
    if recovered.dropped_bytes:
        dropped = count(recovered.dropped_bytes, "byte")
        torn = f"{dropped} at offset {recovered.dropped_offset} of the log, to be dropped"
    ours = {segment_name(head.generation, index) for index in range(head.segments)} | {LOG, LOCK}
    other = [name for name in disk.names() if name not in ours]
    say(f"{_printable(path)}: a store that can be opened")
    for what, text in (
        ("generation", str(head.generation)),
        ("snapshot", f"{count(head.segments, 'segment')}, {count(head.stream_length, 'byte')}"),
        ("log", f"{count(tail.end, 'byte')}, {count(tail.mutations, 'mutation')} to replay"),
        ("torn tail", torn),
        ("closed", _closed(state)),
        ("records", f"{len(state.items):,}"),
        ("left over", ", ".join(filter(format_of, other)) or "nothing"),
        ("not kvlib's", ", ".join(_printable(n) for n in other if not format_of(n)) or "nothing"),
    ):
        say(f"  {what:<13}{text}")
    return OK


def _closed(state: State) -> str:
    whole = not state.recovered.dropped_bytes
    if whole and state.tail.end == HEAD_BYTES:  # the state after serialize or compact
        return "a snapshot alone: nothing is logged after it"
    return "yes" if whole and state.tail.closed else "no: it is open now, or was not closed"


def _place(path: str, progress: ProgressLine) -> WatchedDisk:
    if not os.path.isdir(path):
        _refuse_missing(path)
        raise MissingError(f"{path} is a file; a store is a directory")
    return WatchedDisk(path, progress)


def _directory(path: str, progress: ProgressLine) -> WatchedDisk:
    disk = _place(path, progress)
    if not any(map(format_of, disk.names())):
        raise MissingError(f"no store at {path}")
    return disk


def _file(path: str) -> tuple[str, bytes, Iterator[Region]]:
    _refuse_missing(path)
    if not os.path.isfile(path):  # reading a pipe or a device may never end
        raise MissingError(f"{path} is neither a file nor a directory")
    with open(path, "rb") as file:
        data = file.read()
    name = os.path.basename(path)
    format = format_of(name) or guess(data)
    if format == "unknown":
        raise MissingError(f"{path} is not a kvlib file")
    return name, data, walk(data, format)


def _refuse_missing(path: str) -> None:
    if not os.path.exists(path):
        raise MissingError(f"{path or repr(path)}: no such file or directory")


def _size(disk: DirectoryDisk) -> int:
    return sum(os.lstat(disk.path(name)).st_size for name in disk.names() if format_of(name))


def _keep_error(pieces: Iterable[Region], errors: list[FormatError]) -> Iterator[Region]:
    try:
        yield from pieces
    except FormatError as error:
        errors.append(error)
        raise


def _watch(
    name: str, data: bytes, pieces: Iterable[Region], progress: ProgressLine
) -> Iterator[Region]:
    for piece in pieces:
        progress.show(f"{_printable(name)}: {piece.end:,} of {len(data):,} bytes")
        yield piece
    progress.clear()


def _explain(error: KvlibError | OSError) -> str:
    text = str(error)
    if isinstance(error, VersionError):  # the reader needs a newer kvlib, not an offset
        text = f"{error.path}: {error.reason}"
    elif isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
    return _printable(text)


def _printable(text: str) -> str:
    """Return the text, with escapes if it has line breaks or could confuse a terminal."""
    return text if text.isprintable() else repr(text)[1:-1]
