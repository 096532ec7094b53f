"""Load, then replay: what a store's bytes say, after a shutdown or after a crash."""

from dataclasses import dataclass
from typing import NamedTuple

from kvlib import log, snapshot
from kvlib.disk import Disk
from kvlib.encoding import Item
from kvlib.errors import CorruptionError, FormatError, KvlibError, LockedError, MissingError
from kvlib.snapshot import LOG


@dataclass(frozen=True)
class Recovery:
    """What opening found: mutations replayed, and the torn tail that was dropped, if any."""

    replayed: int
    dropped_offset: int | None = None
    dropped_bytes: int = 0


class State(NamedTuple):
    """What recovery read, and where a writer goes on."""

    head: snapshot.Head
    items: dict[Item, Item]
    tail: log.Replay
    recovered: Recovery


def recover(disk: Disk) -> State | None:
    """Load, then replay; changes nothing. None where there is no store yet."""
    names = disk.names()
    if LOG not in names:
        found = [match for match in map(snapshot.SEGMENT_NAME.fullmatch, names) if match]
        if any(int(match[1], 16) != 1 for match in found):  # 1: an unfinished creation
            reason = f"the log is missing, but segments such as {found[-1][0]} are there"
            raise CorruptionError(disk.path(LOG), 0, reason)
        return None
    data = disk.read(LOG)
    try:
        head, start = snapshot.decode_head(data)
        items = snapshot.load(disk, head)
        tail = log.replay(data, start, head.generation, head.salt, items)
    except FormatError as error:
        error = error if error.path else error.within(disk.path(LOG))
        error.add_note("No byte of the store was changed. `kvlib check` says what can be done.")
        raise error from None
    dropped = len(data) - tail.end
    recovered = Recovery(tail.mutations, tail.end if dropped else None, dropped)
    return State(head, items, tail, recovered)


def recover_without_lock(disk: Disk) -> State:
    """Recover without a lock. What looks like a flaw is one only if no writer was at work."""
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
