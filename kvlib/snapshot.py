"""Publish and load a snapshot: segments, and a head that names them. One commit point.

    log                                          preamble | HEAD frame | frames of log.py
    <generation 016x>.<index 08x>.segment        preamble | SEGMENT frame around one bare segment
    log.new                                      at most a leftover
    head payload = salt u32 | compactions u32 | segments u32 | stream length u64 | stream crc u32

The log's first frame is the head, so renaming log.new to log publishes the snapshot and clears the
log in one step: no crash can fall between the two. Every barrier of a publish is needed:

    1 write the segments, fsync each       else the head could name bytes that never arrived
    2 write log.new, fsync it              else the rename could publish a torn head
    3 fsync the directory                  else the rename could survive, and a segment be lost
    4 rename log.new to log                the commit point
    5 fsync the directory                  else the old log could return after the next mutation
    6 delete the other generations         last, and only best effort: nothing refers to them
"""

import re
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
from kvlib.parts import Part, Parts

NEW_LOG: Final = "log.new"
HEAD_PAYLOAD: Final = Parts(
    Part("salt", "u32", "seeds the crcs"),
    Part("compactions", "u32"),
    Part("segments", "u32"),
    Part("stream_length", "u64", "bytes, joined"),
    Part("stream_crc", "u32"),
)
SEGMENT_NAME: Final = re.compile(r"([0-9a-f]{16})\.([0-9a-f]{8})\.segment")
OVERHEAD: Final = len(PREAMBLE) + HEADER.size  # 25 bytes more in a sealed file than in a bare one
HEAD_BYTES: Final = OVERHEAD + HEAD_PAYLOAD.size


@dataclass(frozen=True)
class Head:
    """The first frame of a log: which snapshot the log continues.

    Attributes:
        generation: the head's sequence, and the first part of its segments' file names.
        salt: seeds the checksums of this log, so that no other log's frames pass for its own.
        compactions: how many snapshots were published by policy or by compact().
        segments: the number of segments.
        stream_length: the size of the joined stream in bytes.
        stream_crc: the crc32 of the joined stream.
    """

    generation: int
    salt: int = 0
    compactions: int = 0
    segments: int = 0
    stream_length: int = 0
    stream_crc: int = 0


def encode_head(head: Head) -> bytes:
    """Return the first 49 bytes of a log: preamble and HEAD frame."""
    payload = HEAD_PAYLOAD.pack(*(getattr(head, part.name) for part in HEAD_PAYLOAD.parts))
    return PREAMBLE + seal(HEAD, head.generation, payload)


def decode_head(data: bytes) -> tuple[Head, int]:
    """Return the head of a log, and the offset at which it ends.

    Any flaw is damage, never a torn tail, because the head was fsynced before its file became the
    log: CorruptionError, or VersionError for a newer format.
    """
    frame = unseal_first(data, HEAD)
    if len(frame.payload) != HEAD_PAYLOAD.size:
        raise frame.corruption("length", f"a head of {len(frame.payload)} bytes")
    return head_of(frame), frame.end


def head_of(frame: Frame) -> Head:
    """Return the head in a HEAD frame's payload, which must have the right size."""
    return Head(frame.sequence, *HEAD_PAYLOAD.unpack(frame.payload))


def unseal_first(data: bytes, kind: bytes) -> Frame:
    """Return the frame that follows a file's preamble, and don't look any further.

    Raises CorruptionError if it is not of this kind or not whole, VersionError for a newer format.
    """
    check_preamble(data)
    frame = unseal(data, len(PREAMBLE))
    if frame.kind != kind:
        raise frame.corruption("kind", f"kind {frame.kind!r}, expected {kind!r}")
    return frame


def check_end(frame: Frame, data: bytes) -> None:
    """Raise CorruptionError if anything follows the only frame of a file."""
    if frame.end != len(data):
        raise CorruptionError(None, frame.end, f"{len(data) - frame.end} bytes follow the frame")


def segment_name(generation: int, index: int) -> str:
    """Return the file name of a segment."""
    return f"{generation:016x}.{index:08x}.segment"


def prepare(
    disk: Disk, items: Mapping[Item, Item], generation: int, compactions: int, max_segment_size: int
) -> Head:
    """Do steps 1 to 3. An error here leaves the published snapshot as it was."""
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
    except OSError:  # if the disk is full, half a snapshot would keep it full
        _delete(disk, lambda found: found == generation)
        raise
    return head


def commit(disk: Disk) -> None:
    """Do steps 4 and 5. After an error here, a crash may leave either snapshot."""
    disk.rename(NEW_LOG, LOG)
    disk.sync_directory()


def delete_others(disk: Disk, generation: int) -> None:
    """Do step 6: delete the segments of other generations, or as many of them as possible."""
    _delete(disk, lambda found: found != generation)


def _delete(disk: Disk, is_unwanted: Callable[[int], bool]) -> None:
    with suppress(OSError, WriteRefusedError):
        for name in disk.names():
            if (match := SEGMENT_NAME.fullmatch(name)) and is_unwanted(int(match[1], 16)):
                with suppress(OSError):
                    disk.delete(name)


def load(disk: Disk, head: Head) -> dict[Item, Item]:
    """Return the records of the snapshot that `head` names.

    Raises CorruptionError if a segment is missing or any byte is not as it was sealed.
    """
    chunks = [load_segment(disk, head, index) for index in range(head.segments)]
    stream = b"".join(chunks)
    length, crc = len(stream), crc32(stream)
    if (length, crc) != (head.stream_length, head.stream_crc):
        reason = f"{length} bytes, crc {crc:#010x}: not the stream that the head names"
        at = OVERHEAD + HEAD_PAYLOAD.offset("stream_length")
        raise CorruptionError(disk.path(LOG), at, reason)
    try:
        return decode_snapshot(stream)
    except CorruptionError as error:
        raise error.within(f"the stream of generation {head.generation}") from error


def load_segment(disk: Disk, head: Head, index: int) -> bytes:
    """Return the part of the stream in segment `index` of the snapshot that `head` names.

    Raises CorruptionError if the file is missing or any of its bytes is not as it was sealed.
    """
    name = segment_name(head.generation, index)
    try:
        data = disk.read(name)
        frame = unseal_first(data, SEGMENT)
        check_end(frame, data)
        if frame.sequence != head.generation:
            raise frame.corruption("sequence", f"a segment of generation {frame.sequence}")
        if frame.payload[: segments.HEADER.size] != segments.HEADER.pack(index, head.segments):
            raise CorruptionError(None, OVERHEAD, f"not segment {index} of {head.segments}")
    except FileNotFoundError:
        reason = f"segment {index} of {head.segments} is missing"
        raise CorruptionError(disk.path(name), 0, reason) from None
    except FormatError as error:
        raise (error if error.path else error.within(disk.path(name))) from None
    return frame.payload[segments.HEADER.size :]
