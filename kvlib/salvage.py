"""What can be done about damage: name the field that is wrong, save what still verifies.

    the head is wrong        the newest generation whose segments are whole; the log is left out, as
                             only the head knows the salt of its checksums
    a segment is wrong       the records before it, and the log's mutations
    a frame is wrong         the mutations before it, and those of the whole frames behind the hole
    nothing, or a torn tail  exactly what opening the store would give

Nothing is guessed: each record that is saved had a checksum over it that is right. But a store with
a hole may be one that never was: a key may have an older value, or be there after its deletion. So
all that was left out is listed, and the source is only read.
"""

import errno
import os
import re
import shlex
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple
from zlib import crc32

from kvlib import log, segments, snapshot
from kvlib.disk import LOCK, DirectoryDisk, Disk, MemoryDisk, Place, as_disk
from kvlib.encoding import COUNT, Heads, Item, decode_field, decode_snapshot
from kvlib.errors import (
    CorruptionError,
    KvlibError,
    LockedError,
    MissingError,
    TornError,
    VersionError,
)
from kvlib.frame import (
    CLOSE,
    HEADER,
    MAGIC,
    MUTATIONS,
    PREAMBLE,
    UNSYNCED_MUTATIONS,
    VERSION,
    Frame,
    check_preamble,
    unseal,
)
from kvlib.recovery import recover
from kvlib.snapshot import LOG, NEW_LOG, OVERHEAD, SEGMENT_NAME, Head, segment_name
from kvlib.views.layout import format_of, guess, walk
from kvlib.views.text import COLUMNS, count

SEGMENT_SIZE: Final = 2**20
INDENT: Final = "    "
LOST: Final = 2**16  # so many frames more than fit the log may be missing from its middle


@dataclass(frozen=True)
class Finding:
    """Bytes that were not used as they stand.

    Attributes:
        file: the name of the file. offset: where in it that which is wrong begins.
        size: how many bytes were left out for it.
        reason: what is wrong, and what that means for the records.
    """

    file: str
    offset: int
    size: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, offset {self.offset}, {count(self.size, 'byte')}: {self.reason}"


@dataclass(frozen=True)
class Salvage:
    """What `salvage` did.

    Attributes:
        records: how many there are in the new store.
        left_out: what is not in it, and was perhaps acknowledged.
        notes: what was wrong and cost nothing: a torn tail, a preamble that had to be put right.
    """

    records: int
    left_out: tuple[Finding, ...]
    notes: tuple[Finding, ...]

    @property
    def complete(self) -> bool:
        """Whether the new store is exactly what the old one was."""
        return not self.left_out

    @property
    def stored(self) -> bool:
        """Whether there is a new store: not if everything was left out."""
        return self.complete or self.records > 0


class _Found(NamedTuple):
    items: dict[Item, Item]
    left_out: list[Finding]
    notes: list[Finding]


def salvage(source: Place, destination: Place) -> Salvage:
    """Write all that still verifies in the store at `source` into a new one at `destination`.

    `source` is only read, and not locked. `destination` is made if it is missing. If nothing can be
    saved from a damaged store, there is no new one; see Salvage.stored.

    Raises:
        FileExistsError: `destination` is there, and not empty.
        LockedError: somebody writes to `source`, or to `destination`.
        MissingError: there is no store at `source`. VersionError: it needs a newer kvlib.
    """
    old, new = as_disk(source), as_disk(destination)
    with suppress(FileNotFoundError):
        _check_empty(new)
    found = _read(old)
    result = Salvage(len(found.items), tuple(found.left_out), tuple(found.notes))
    if result.stored:
        with new.lock():
            _check_empty(new)
            snapshot.prepare(new, found.items, 1, 0, SEGMENT_SIZE)
            snapshot.commit(new)
    return result


def _check_empty(disk: Disk) -> None:
    # The lock's file is there once somebody locked it; log.new if a salvage before had no space.
    if set(disk.names()) - {LOCK, NEW_LOG}:
        reason = "not empty, a salvaged store needs a place of its own"
        raise FileExistsError(errno.EEXIST, reason, os.path.dirname(disk.path(LOG)) or ".")


class _Source(MemoryDisk):
    """The files of another disk, to be read; whatever is written, that disk never sees.

    The preamble of a file has no checksum. If it is wrong, and claims no newer version, the file is
    read as if it were right: the checksums of the frames behind it decide.
    """

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self._disk = disk
        self.mended: dict[str, Finding] = {}

    def path(self, name: str) -> str:
        return self._disk.path(name)

    def names(self) -> list[str]:
        return self._disk.names()

    @cached_property
    def segments(self) -> dict[int, list[str]]:
        """The names of each generation's segments, in order."""
        found: dict[int, list[str]] = {}
        for name in self.names():
            if match := SEGMENT_NAME.fullmatch(name):
                found.setdefault(int(match[1], 16), []).append(name)
        return found

    def read(self, name: str) -> bytes:
        """All bytes of a file. What a broken medium can't read is damage, too."""
        try:
            data = self._disk.read(name)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            raise CorruptionError(self.path(name), 0, "the medium cannot read it") from error
        try:
            check_preamble(data)
        except VersionError:
            pass  # the engine says so, and where
        except CorruptionError as error:
            claimed = int.from_bytes(data[len(MAGIC) : len(PREAMBLE)], "big")
            if len(data) >= len(PREAMBLE) and claimed <= VERSION:
                reason = f"{error.reason}; read as if it were right"
                self.mended[name] = Finding(name, error.offset, len(PREAMBLE), reason)
                return PREAMBLE + data[len(PREAMBLE) :]
        return data


def _read(disk: Disk) -> _Found:
    """What can be saved. As in recovery.read: the log must be the same after it as before."""
    for _ in range(3):
        source = _Source(disk)
        before = _log_or_reason(source)
        found: _Found | KvlibError
        try:
            found = _examine(source)
        except KvlibError as error:
            found = error
        except FileNotFoundError:
            found = MissingError(f"no store at {disk.path(LOG)}")
        if _log_or_reason(source) != before:
            continue
        if isinstance(found, KvlibError):
            raise found
        found.notes.extend(source.mended.values())
        return found
    raise LockedError(f"{disk.path(LOG)} is being written to: it changed during three readings")


def _log_or_reason(source: _Source) -> bytes | str:
    try:
        return source.read(LOG)
    except FileNotFoundError:
        return "it is missing"
    except CorruptionError as error:
        return error.reason


def _examine(source: _Source) -> _Found:
    try:
        state = recover(source)
    except CorruptionError as error:
        found = _search(source)
        if not found.left_out:  # opening it would fail, so it is not complete
            name = os.path.basename(error.path or LOG)
            found.left_out.append(Finding(name, error.offset, 0, error.reason))
        return found
    if state is not None:
        offset, size = state.recovered.dropped_offset, state.recovered.dropped_bytes
        tail = [] if offset is None else [_tail(offset, size)]
        return _Found(state.items, [], tail)
    if not source.segments:
        raise MissingError(f"no store at {source.path(LOG)}")
    return _search(source)


def _tail(offset: int, size: int) -> Finding:
    return Finding(LOG, offset, size, "a torn tail, which recovery drops too")


def _search(source: _Source) -> _Found:
    data = _log_or_reason(source)
    if isinstance(data, str):
        return _without_head(source, Finding(LOG, 0, 0, data))
    try:
        head, start = snapshot.decode_head(data)
    except CorruptionError as error:
        reason = f"{error.reason}; without the head nobody knows the salt of this log's"
        reason += " checksums, so none of its mutations can be verified"
        return _without_head(source, Finding(LOG, error.offset, len(data), reason))
    found = _snapshot(source, head, named=True)
    _replay(data, start, head, found)
    return found


# ------------------------------------------------------------------------------------- snapshots


def _without_head(source: _Source, flaw: Finding) -> _Found:
    """The newest whole generation, or else what stands at the beginning of the newest one."""
    left_out = [flaw]
    part = _Found({}, left_out, [])
    for generation in sorted(source.segments, reverse=True):
        total = _claimed_total(source, generation)
        found = _snapshot(source, Head(generation, 0, 0, total, 0, 0), named=False)
        if not found.left_out:
            return _Found(found.items, left_out, []) if found.items or not part.items else part
        left_out += found.left_out
        if found.items and not part.items:
            part = _Found(found.items, left_out[:], [])
    return part


def _claimed_total(source: _Source, generation: int) -> int:
    with suppress(FileNotFoundError, CorruptionError):
        bare = source.read(segment_name(generation, 0))[OVERHEAD:]
        return segments.decode_header(bare)[1]
    return 1  # so that the first one is looked at, and what is wrong with it is said


def _snapshot(source: _Source, head: Head, named: bool) -> _Found:
    """The records of a generation; those before what is wrong with it, if something is.

    `named`: the head is one that was read, and says which stream it is.
    """
    chunks: list[bytes] = []
    flaw: CorruptionError | None = None
    for index in range(head.segments):
        try:
            chunks.append(snapshot._load_segment(source, head, index))
        except CorruptionError as error:
            flaw = error
            break
    stream = b"".join(chunks)
    if flaw is not None:
        return _before(source, head, chunks, stream, flaw)
    whole = f"the stream of generation {head.generation}"
    if named and (len(stream), crc32(stream)) != (head.length, head.crc):
        # One of the segments is another snapshot's, and there is no telling which.
        reason = "its segments are whole, but not those that the head names"
        return _Found({}, [Finding(whole, 0, len(stream), reason)], [])
    try:
        return _Found(decode_snapshot(stream), [], [])
    except CorruptionError as error:
        items, end = _prefix(stream)
        reason = f"{error.reason}; {count(len(items), 'record')} stood before it"
        return _Found(items, [Finding(whole, error.offset, len(stream) - end, reason)], [])


def _before(
    source: _Source, head: Head, chunks: list[bytes], stream: bytes, flaw: CorruptionError
) -> _Found:
    """The records that end before the segment that is wrong, number len(chunks)."""
    items, end = _prefix(stream)
    name = segment_name(head.generation, len(chunks))
    size = _size(source, name)
    claimed = int.from_bytes(stream[: COUNT.size], "big")
    of = f" of {claimed:,}" if len(stream) >= COUNT.size else ""
    reason = f"{flaw.reason}; {count(len(items), 'record')}{of} stood before it"
    left_out = [Finding(name, flaw.offset, size, reason)]
    if chunks and end < len(stream):
        index, start = 0, 0
        while start + len(chunks[index]) <= end:
            start += len(chunks[index])
            index += 1
        at = OVERHEAD + segments.HEADER.size + end - start
        place = segment_name(head.generation, index), at, len(stream) - end
        left_out.append(Finding(*place, "a record whose end is in the part that is lost"))
    behind = [other for other in source.segments.get(head.generation, ()) if other > name]
    if behind:
        size = sum(_size(source, other) for other in behind)
        reason = f"{count(len(behind), 'segment')} from here on: where a record begins in what"
        left_out.append(Finding(behind[0], 0, size, reason + " is behind the hole nobody knows"))
    return _Found(items, left_out, [])


def _size(source: _Source, name: str) -> int:
    with suppress(FileNotFoundError, CorruptionError):
        return len(source.read(name))
    return 0


def _prefix(stream: bytes) -> tuple[dict[Item, Item], int]:
    """The records at the beginning of a stream that may be cut, and the offset behind them."""
    items: dict[Item, Item] = {}
    end = min(COUNT.size, len(stream))
    with suppress(CorruptionError):
        for _ in range(int.from_bytes(stream[:end], "big")):
            key, middle = decode_field(stream, end)
            value, behind = decode_field(stream, middle)
            if key in items:
                break
            items[key], end = value, behind
    return items, end


# ------------------------------------------------------------------------------------------- log


class _Frames:
    """The whole frames of a log, also those behind a hole, in time linear in its length."""

    def __init__(self, data: bytes, head: Head) -> None:
        self._data, self._salt, self._heads = data, head.salt, Heads()
        self._work = log.SEARCH_BUDGET * len(data)  # bytes of checksums that may turn out wrong
        low = head.generation + 1
        self._highest = low + len(data) + LOST
        # As in log.py: only places where a sequence and a kind could stand are tried.
        first, last = low.to_bytes(8, "big"), self._highest.to_bytes(8, "big")
        same = next(at for at in range(8) if first[at] != last[at])
        kinds = MUTATIONS + UNSYNCED_MUTATIONS + CLOSE
        pattern = b"(?=%b.{%d}[%b])" % (re.escape(first[:same]), 8 - same, kinds)
        self._places = re.compile(pattern, re.DOTALL)

    @property
    def exhausted(self) -> bool:
        """Whether the log is made to keep a reader searching for ever."""
        return self._work < 0

    def at(self, offset: int) -> Frame:
        """The frame at `offset`; CorruptionError if there is none."""
        try:
            return unseal(self._data, offset, self._salt)
        except CorruptionError:
            length = int.from_bytes(self._data[offset + 4 : offset + 8], "big")
            if offset + HEADER.size + length <= len(self._data):
                self._work -= HEADER.size + length
            raise

    def mutations(self, frame: Frame, expected: int) -> list[log.Mutation]:
        """What a whole frame says; CorruptionError if no log says that in this place."""
        if not expected <= frame.sequence <= self._highest:
            reason = f"sequence {frame.sequence}, expected {expected}"
            raise CorruptionError(None, frame.start + 8, reason)
        if frame.kind not in (MUTATIONS, UNSYNCED_MUTATIONS, CLOSE):
            raise CorruptionError(None, frame.start + 16, f"kind {frame.kind!r} inside a log")
        if frame.kind != CLOSE:
            return log.decode_mutations(frame.payload, self._heads)
        if frame.payload:
            raise CorruptionError(None, frame.start + 4, "a close frame with a payload")
        return []

    def behind(self, offset: int, expected: int) -> int:
        """Where the next whole frame begins that could be a later one; else the log's end."""
        data = self._data
        for match in self._places.finditer(data, offset + 9):
            if self.exhausted:
                break
            at = match.start() - 8
            _, length, sequence, _ = HEADER.unpack_from(data, at)
            fits = at + HEADER.size + length <= len(data)
            if fits and expected <= sequence <= self._highest:
                with suppress(CorruptionError):
                    return self.at(at).start
        return len(data)


def _replay(data: bytes, at: int, head: Head, found: _Found) -> None:
    """Apply the mutations of the log from `at` on, and go on behind each hole."""
    frames, expected = _Frames(data, head), head.generation + 1
    hole: tuple[int, str, bool] | None = None  # where it begins, why, and if a crash can be why
    while at < len(data):
        frame: Frame | None = None
        try:
            frame = frames.at(at)
            mutations = frames.mutations(frame, expected)
        except CorruptionError as flaw:
            torn = hole is None and isinstance(flaw, TornError)
            hole = (hole[0], hole[1], torn) if hole else (at, flaw.reason, torn)
            at = frame.end if frame else frames.behind(at, expected)
            continue
        if hole or frame.sequence > expected:
            start, reason, _ = hole or (at, "whole frames stand side by side", False)
            reason += f"; {_numbers(expected, frame.sequence)}: all from {frame.sequence} on"
            reason += " is applied after a hole"
            found.left_out.append(Finding(LOG, start, at - start, reason))
        log.apply(mutations, found.items)
        hole, expected, at = None, frame.sequence + 1, frame.end
    if hole:
        start, reason, torn = hole
        if frames.exhausted:
            reason += "; what follows is made to keep a reader searching for ever"
        elif torn:
            found.notes.append(_tail(start, len(data) - start))
            return
        found.left_out.append(Finding(LOG, start, len(data) - start, reason))


def _numbers(expected: int, sequence: int) -> str:
    missing = sequence - expected
    if not missing:
        return "no sequence number is missing"
    if missing == 1:
        return f"1 sequence number is missing, {expected}"
    return f"{missing:,} sequence numbers are missing, {expected} to {sequence - 1}"


# ------------------------------------------------------------------------------------- in words


def report(result: Salvage, destination: str) -> Iterator[str]:
    """What `salvage` did, line by line; `destination` is what to call the new store."""
    if result.stored:
        whole = "everything was saved" if result.complete else "not all that was there"
        yield f"{destination}: {count(result.records, 'record')}, {whole}"
    else:
        yield f"nothing could be saved; there is no store at {destination}"
    for title, findings in (("left out", result.left_out), ("wrong, but no loss", result.notes)):
        if findings:
            yield f"{title}:"
        for finding in findings:
            size = count(finding.size, "byte")
            yield f"  {finding.file}, offset {finding.offset}, {size}"
            plain = finding.reason.encode("ascii", "backslashreplace").decode()
            yield from textwrap.wrap(
                plain, COLUMNS, initial_indent=INDENT, subsequent_indent=INDENT
            )


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
    path = path if path.isprintable() else repr(path)[1:-1]
    return f'"{path}"' if os.name == "nt" else shlex.quote(path)
