"""Load, then replay: read a store back, after a shutdown or after a crash."""

from dataclasses import dataclass
from typing import NamedTuple

from kvlib import log, snapshot
from kvlib.disk import Disk
from kvlib.encoding import Item
from kvlib.errors import CorruptionError, FormatError, KvlibError, LockedError, MissingError
from kvlib.snapshot import LOG


@dataclass(frozen=True)
class Recovery:
    """The result of opening a store.

    Attributes:
        replayed: how many mutations of the log were applied.
        dropped_offset: the offset of the torn tail that was dropped, or None.
        dropped_bytes: the size of that tail.
    """

    replayed: int
    dropped_offset: int | None = None
    dropped_bytes: int = 0


class State(NamedTuple):
    """The result of recovery: the records, and where a writer continues."""

    head: snapshot.Head
    items: dict[Item, Item]
    tail: log.Replay
    recovered: Recovery


def recover(disk: Disk) -> State | None:
    """Return the store on `disk`, or None if there is none yet. Changes nothing.

    Raises CorruptionError if acknowledged bytes are damaged, VersionError for a newer format.
    """
    names = disk.names()
    if LOG not in names:
        found = [match for match in map(snapshot.SEGMENT_NAME.fullmatch, names) if match]
        if any(int(match[1], 16) != 1 for match in found):  # 1 is an unfinished creation
            reason = f"the log is missing, but there are segments such as {found[-1][0]}"
            raise CorruptionError(disk.path(LOG), 0, reason)
        return None
    data = disk.read(LOG)
    try:
        head, start = snapshot.decode_head(data)
        items = snapshot.load(disk, head)
        tail = log.replay(data, start, head.generation, head.salt, items)
    except FormatError as error:
        error = error if error.path else error.within(disk.path(LOG))
        error.add_note("No byte of the store was changed. `kvlib check` says what you can do.")
        raise error from None
    dropped = len(data) - tail.end
    recovered = Recovery(tail.mutations, tail.end if dropped else None, dropped)
    return State(head, items, tail, recovered)


def recover_without_lock(disk: Disk) -> State:
    """Return the store on `disk`, which another process may be writing to.

    A flaw only counts if the log hasn't changed meanwhile. Raises LockedError if it
    keeps changing, MissingError if there is no store, and what `recover` raises.
    """
    for _ in range(3):
        before = _log_bytes(disk)
        try:
            state = recover(disk)
        except FileNotFoundError:
            state = None
        except KvlibError:
            if _log_bytes(disk) == before:
                raise
            continue
        if state is None and before is None:
            raise MissingError(f"no store at {disk.path(LOG)}")
        if state and (not state.recovered.dropped_bytes or _log_bytes(disk) == before):
            return state
    raise LockedError(f"{disk.path(LOG)} is being written to: it changed during three readings")


def _log_bytes(disk: Disk) -> bytes | None:
    try:
        return disk.read(LOG)
    except FileNotFoundError:
        return None
