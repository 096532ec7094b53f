"""The targets of the explorers: bytes, and kvlib's way to read them or the rest of them.

A store's log is read as recovery reads it, with the store's other files. A log alone can be read
only if its snapshot is empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kvlib import encoding, frame, recovery, segments, snapshot
from kvlib.crash import boot
from kvlib.disk import Disk
from kvlib.durable import DurableStore
from kvlib.encoding import Item
from kvlib.errors import FormatError
from kvlib.layout.dissect import format_of
from kvlib.snapshot import LOG
from kvlib.views.readers import Answer, Reader, refusal

MOST_BYTES: Final = 1024


@dataclass(frozen=True)
class Target:
    """Bytes to experiment on.

    Attributes:
        source: their name.
        format: their format.
        read: kvlib's reader for them, whole or damaged.
    """

    data: bytes
    source: str
    format: str
    read: Reader


@dataclass(frozen=True)
class LogTarget(Target):
    """A log, or frames alone.

    Attributes:
        start: the offset of the first frame to replay.
        sequence: the sequence of the frame before it.
        salt: seeds the checksums of its frames.
        items: the records of the snapshot, to which it is applied.
    """

    start: int
    sequence: int
    salt: int
    items: Mapping[Item, Item]


def check_bounds(data: bytes) -> None:
    """Raise ValueError for no bytes, or too many to look at one by one."""
    if not data:
        raise ValueError(
            "there are no bytes to try it on: give a store's place, the bytes of a log, or frames"
        )
    if len(data) > MOST_BYTES:
        reason = f"{len(data):,} bytes, at most {MOST_BYTES:,} are looked at one by one"
        raise ValueError(f"too long: {reason}: take fewer or shorter records, which show the same")


def log_of_store(disk: Disk) -> LogTarget:
    """Return the log of a store that can be recovered."""
    recovery.recover_without_lock(disk)
    files = {name: disk.read(name) for name in disk.names() if format_of(name)}
    return _stored(files.pop(LOG), files)


def log_alone(data: bytes) -> LogTarget:
    """Return the bytes of a log as a target. Raises ValueError if its snapshot isn't empty."""
    check_bounds(data)
    return _stored(data, files_beside(data))


def files_beside(data: bytes) -> dict[str, bytes]:
    """Return the other files of the store whose log this is. Its snapshot must be empty.

    Raises ValueError if it isn't, CorruptionError or VersionError for a head that can't be read.
    """
    head, _ = snapshot.decode_head(data)
    stream = encoding.encode_snapshot({})
    if head.stream_length != len(stream):
        reason = f"this log continues a snapshot of {head.stream_length} bytes, which isn't here"
        raise ValueError(f"{reason}: give the place of its store")
    (bare,) = segments.split(stream, segments.HEADER.size + len(stream))
    sealed = frame.PREAMBLE + frame.seal(frame.SEGMENT, head.generation, bare)
    return {snapshot.segment_name(head.generation, 0): sealed}


def _stored(data: bytes, others: dict[str, bytes]) -> LogTarget:
    """Raise CorruptionError if the log has a flaw, or doesn't match the other files."""
    check_bounds(data)

    def read(data: bytes) -> Answer:
        try:
            store = DurableStore(boot(others | {LOG: data}), read_only=True)
        except FormatError as error:
            return refusal(error)
        return Answer(dict(store), dropped=store.recovered.dropped_bytes)

    disk = boot(others | {LOG: data})
    recovery.recover_without_lock(disk)
    head, start = snapshot.decode_head(data)
    items = snapshot.load(disk, head)
    return LogTarget(data, LOG, "log", read, start, head.generation, head.salt, items)
