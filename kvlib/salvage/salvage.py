"""Decide what can be believed in a damaged store, and write it to a new one."""

import errno
import os
from contextlib import suppress
from typing import Final

from kvlib import snapshot
from kvlib.directory import as_disk
from kvlib.disk import LOCK, Disk, Place
from kvlib.errors import CorruptionError, KvlibError, LockedError, MissingError
from kvlib.recovery import recover
from kvlib.salvage.files import DamagedStore
from kvlib.salvage.findings import Finding, Found, Salvage, torn_tail
from kvlib.salvage.frames import replay_whole_frames
from kvlib.salvage.sealed import SealedFrames
from kvlib.salvage.snapshots import generation_of, newest
from kvlib.snapshot import HEAD_BYTES, LOG, NEW_LOG

SEGMENT_SIZE: Final = 2**20


def salvage(source: Place, destination: Place) -> Salvage:
    """Write everything that still verifies in the store at `source` to a new one.

    `source` is only read, and not locked. `destination` is made if it is missing. If nothing can be
    saved, there is no new store: see Salvage.stored.

    Raises:
        FileExistsError: `destination` exists and isn't empty.
        LockedError: someone is writing to `source` or `destination`.
        MissingError: there is no store at `source`.
        VersionError: `source` needs a newer kvlib.
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
    # Locking a disk leaves the lock's file; a salvage that ran out of space leaves log.new.
    if set(disk.names()) - {LOCK, NEW_LOG}:
        reason = "not empty: a salvaged store needs a new place"
        raise FileExistsError(errno.EEXIST, reason, os.path.dirname(disk.path(LOG)) or ".")


def _read(disk: Disk) -> Found:
    """Return what can be saved. As in recovery, the log must not have changed meanwhile."""
    for _ in range(3):
        source = DamagedStore(disk)
        before = source.log_or_reason()
        found: Found | KvlibError
        try:
            found = _examine(source)
        except KvlibError as error:
            found = error
        except FileNotFoundError:
            found = MissingError(f"no store at {disk.path(LOG)}")
        if source.log_or_reason() != before:
            continue
        if isinstance(found, KvlibError):
            raise found
        found.notes.extend(note for notes in source.notes.values() for note in notes)
        return found
    raise LockedError(f"{disk.path(LOG)} is being written to: it changed during three readings")


def _examine(source: DamagedStore) -> Found:
    try:
        state = recover(source)
    except CorruptionError as error:
        found = _search(source)
        if not found.left_out and not found.notes and not source.notes:
            name = os.path.basename(error.path or LOG)  # opening it would fail, so it has a flaw
            found.left_out.append(Finding(name, error.offset, 0, error.reason))
        return found
    if state is None:
        return _search(source)
    found = Found(state.items, [], [])
    replay_whole_frames(source, LOG, HEAD_BYTES, state.head, found, end=state.tail.end)
    offset, size = state.recovered.dropped_offset, state.recovered.dropped_bytes
    if offset is not None:
        found.notes.append(torn_tail(LOG, offset, size))
    return found


def _search(source: DamagedStore) -> Found:
    pieces = SealedFrames(source)
    data = source.log_or_reason()
    for name, head, end in pieces.heads:
        if name == LOG:
            found = generation_of(source, pieces, head, named=True)
            replay_whole_frames(source, LOG, end, head, found)
            if end > HEAD_BYTES:
                reason = "bytes before the log's head"
                found.notes.append(Finding(LOG, 0, end - HEAD_BYTES, reason))
            found.notes.extend(pieces.notes)
            return found
    flaw = Finding(LOG, 0, 0, data) if isinstance(data, str) else _flaw_of(data)
    found = newest(source, pieces, flaw)
    if not (found.items or pieces.segments or source.segments or isinstance(data, bytes)):
        raise MissingError(f"no store at {source.path(LOG)}")
    found.notes.extend(pieces.notes)
    return found


def _flaw_of(log: bytes) -> Finding:
    offset, reason = 0, "without the head, the salt of this log's checksums is unknown,"
    reason += " so none of its mutations can be verified"
    try:
        snapshot.decode_head(log)
    except CorruptionError as error:
        offset, reason = error.offset, f"{error.reason}; {reason}"
    return Finding(LOG, offset, len(log), reason)
