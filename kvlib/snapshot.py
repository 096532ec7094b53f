"""Publish and load a snapshot: segments, and a head that names them. One commit point.

    log                                          preamble | HEAD frame | frames of log.py
    <generation 016x>.<index 08x>.segment        preamble | SEGMENT frame around one bare segment
    log.new                                      at most a leftover
    head payload = salt u32 | compactions u32 | segments u32 | stream length u64 | stream crc u32

The log's first frame is the head, so that renaming log.new to log publishes the snapshot and clears
the log in one step: no crash can fall between the two. Each barrier of `publish` is needed:

    1 write the segments, fsync each       else the head could name bytes that never arrived
    2 write log.new, fsync it              else the rename could publish a torn head
    3 fsync the directory                  else the rename could be kept, and a segment's name lost
    4 rename log.new to log                the commit point
    5 fsync the directory                  else the old log could come back after the next mutation
    6 delete the other generations         last, and only best effort: nothing refers to them
"""

import re
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from kvlib import segments
from kvlib.disk import LOG as LOG
from kvlib.disk import Disk
from kvlib.encoding import Item, decode_snapshot, encode_snapshot
from kvlib.errors import CorruptionError, FormatError, WriteRefusedError
from kvlib.frame import HEAD, HEADER, PREAMBLE, SEGMENT, Frame, check_preamble, seal, unseal

NEW_LOG: Final = "log.new"
HEAD_PAYLOAD: Final = struct.Struct(">IIIQI")
HEAD_BYTES: Final = len(PREAMBLE) + HEADER.size + HEAD_PAYLOAD.size
SEGMENT_NAME: Final = re.compile(r"([0-9a-f]{16})\.([0-9a-f]{8})\.segment")
OVERHEAD: Final = len(PREAMBLE) + HEADER.size  # 25 bytes more in a sealed file than in a bare one


@dataclass(frozen=True)
class Head:
    """What the first frame of a log says: which snapshot the log goes on from.

    Attributes:
        generation: the head's sequence, and the first part of its segments' names.
        salt: seeds the checksums of this log, so that no frame of another passes for one of its.
        compactions: how many snapshots were published by policy or on demand.
        segments, length, crc: the number of segments, and of the joined stream its bytes and crc32.
    """

    generation: int
    salt: int
    compactions: int
    segments: int
    length: int
    crc: int


def encode_head(head: Head) -> bytes:
    """The beginning of a log: preamble and HEAD frame, 49 bytes."""
    payload = HEAD_PAYLOAD.pack(head.salt, head.compactions, head.segments, head.length, head.crc)
    return PREAMBLE + seal(HEAD, head.generation, payload)


def decode_head(data: bytes) -> tuple[Head, int]:
    """The head of a log, and the offset behind it.

    Any flaw is damage, never a torn tail: the head was fsynced before its file became the log.
    """
    frame = unseal_first(data, HEAD)
    if len(frame.payload) != HEAD_PAYLOAD.size:
        raise CorruptionError(None, frame.start + 4, f"a head of {len(frame.payload)} bytes")
    return Head(frame.sequence, *HEAD_PAYLOAD.unpack(frame.payload)), frame.end


def unseal_first(data: bytes, kind: bytes) -> Frame:
    """The frame behind a file's preamble. CorruptionError if it is not of this kind, or not whole.

    VersionError if the preamble says so. What follows the frame is not looked at.
    """
    check_preamble(data)
    frame = unseal(data, len(PREAMBLE))
    if frame.kind != kind:
        raise CorruptionError(None, frame.start + 16, f"kind {frame.kind!r}, expected {kind!r}")
    return frame


def segment_name(generation: int, index: int) -> str:
    """The file name of a segment."""
    return f"{generation:016x}.{index:08x}.segment"


def prepare(
    disk: Disk, items: Mapping[Item, Item], generation: int, compactions: int, max_segment_size: int
) -> Head:
    """Steps 1 to 3. An error here leaves what was published before as it was."""
    stream = encode_snapshot(items)
    bare = segments.split(stream, max_segment_size)
    salt = int.from_bytes(disk.entropy(4), "big")
    head = Head(generation, salt, compactions, len(bare), len(stream), crc32(stream))
    try:
        for index, segment in enumerate(bare):
            name = segment_name(generation, index)
            disk.write(name, PREAMBLE + seal(SEGMENT, generation, segment))
            disk.sync(name)
        disk.write(NEW_LOG, encode_head(head))
        disk.sync(NEW_LOG)
        disk.sync_directory()
    except OSError:  # perhaps the disk is full: half a snapshot would keep it so
        _delete(disk, lambda found: found == generation)
        raise
    return head


def commit(disk: Disk) -> None:
    """Steps 4 and 5. After an error here nobody knows which snapshot a crash would leave."""
    disk.rename(NEW_LOG, LOG)
    disk.sync_directory()


def delete_others(disk: Disk, generation: int) -> None:
    """Step 6: delete the segments of other generations, as far as that is possible."""
    _delete(disk, lambda found: found != generation)


def _delete(disk: Disk, is_unwanted: Callable[[int], bool]) -> None:
    with suppress(OSError, WriteRefusedError):
        for name in disk.names():
            if (match := SEGMENT_NAME.fullmatch(name)) and is_unwanted(int(match[1], 16)):
                with suppress(OSError):
                    disk.delete(name)


def load(disk: Disk, head: Head) -> dict[Item, Item]:
    """The records of the snapshot that `head` names. Any byte not as sealed is corruption."""
    chunks = [load_segment(disk, head, index) for index in range(head.segments)]
    stream = b"".join(chunks)
    length, crc = len(stream), crc32(stream)
    if (length, crc) != (head.length, head.crc):
        reason = f"stream of {length} bytes, crc {crc:#010x}: not the one that the head names"
        raise CorruptionError(disk.path(LOG), OVERHEAD + 12, reason)
    try:
        return decode_snapshot(stream)
    except CorruptionError as error:
        raise error.within(f"the stream of generation {head.generation}") from error


def load_segment(disk: Disk, head: Head, index: int) -> bytes:
    """The piece of the stream in segment `index` of the snapshot that `head` names.

    CorruptionError if the file is missing, or if any of its bytes is not as sealed.
    """
    name = segment_name(head.generation, index)
    try:
        data = disk.read(name)
        frame = unseal_first(data, SEGMENT)
        if frame.end != len(data):
            raise CorruptionError(None, frame.end, f"{len(data) - frame.end} bytes after the frame")
        if frame.sequence != head.generation:
            raise CorruptionError(
                None, frame.start + 8, f"a segment of generation {frame.sequence}"
            )
        if frame.payload[: segments.HEADER.size] != segments.HEADER.pack(index, head.segments):
            raise CorruptionError(None, OVERHEAD, f"not segment {index} of {head.segments}")
    except FileNotFoundError:
        reason = f"segment {index} of {head.segments} is missing"
        raise CorruptionError(disk.path(name), 0, reason) from None
    except FormatError as error:
        raise (error if error.path else error.within(disk.path(name))) from None
    return frame.payload[segments.HEADER.size :]
