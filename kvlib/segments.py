r"""A stream <-> bare segments of bounded size, which join in any order. Pure.

    segment = index u32 | total u32 | up to max_segment_size - 8 bytes of the stream

>>> [segment.hex(" ") for segment in split(b"stream", 12)]
['00 00 00 00 00 00 00 02 73 74 72 65', '00 00 00 01 00 00 00 02 61 6d']
>>> join(reversed(split(b"stream", 12)))
b'stream'

A bare segment says which piece it is, and of how many; not of which snapshot, nor whether a bit
has flipped. That is what the envelope in frame.py adds.
"""

import struct
from collections.abc import Iterable
from typing import Final

from kvlib.errors import CorruptionError, check_bytes, check_int

HEADER: Final = struct.Struct(">II")
MIN_SEGMENT_SIZE: Final = HEADER.size + 1
MAX_SEGMENTS: Final = 2**32 - 1


def check_size(max_segment_size: int) -> int:
    """`max_segment_size` itself, if a segment of that size holds a header and a byte."""
    return check_int("max_segment_size", max_segment_size, MIN_SEGMENT_SIZE, 2**32 - 1)


def split(stream: bytes, max_segment_size: int) -> list[bytes]:
    """The segments of `stream`, each at most `max_segment_size` bytes; never none."""
    stream = check_bytes(stream)
    size = check_size(max_segment_size) - HEADER.size
    total = max(1, -(-len(stream) // size))
    if total > MAX_SEGMENTS:
        raise ValueError(f"{total} segments do not fit a u32: choose a larger max_segment_size")
    chunks = (stream[at : at + size] for at in range(0, total * size, size))
    return [HEADER.pack(index, total) + chunk for index, chunk in enumerate(chunks)]


def decode_header(segment: bytes) -> tuple[int, int]:
    """(index, total) of a bare segment. CorruptionError if it has none, or they contradict."""
    segment = check_bytes(segment)
    if len(segment) < HEADER.size:
        raise CorruptionError(None, 0, f"{len(segment)} bytes, a header needs {HEADER.size}")
    index, total = HEADER.unpack_from(segment)
    if index >= total:
        raise CorruptionError(None, 0, f"index {index} in a total of {total} segments")
    return index, total


def join(segments: Iterable[bytes]) -> bytes:
    """The stream whose segments these are, in any order.

    Raises CorruptionError, its path the position in the order given, for a segment that is lost,
    doubled, too short, or that counts another total than the first.
    """
    chunks: dict[int, bytes] = {}
    total = 0
    for position, segment in enumerate(segments):
        path = f"segments[{position}]"
        try:
            index, claimed = decode_header(segment)
        except CorruptionError as error:
            raise error.within(path) from None
        total = total or claimed
        if claimed != total:
            raise CorruptionError(path, 4, f"a total of {claimed} segments, the others say {total}")
        if index in chunks:
            raise CorruptionError(path, 0, f"segment {index} is here for the second time")
        chunks[index] = segment[HEADER.size :]
    if len(chunks) != total or not total:
        lost = next((index for index in range(total) if index not in chunks), 0)
        raise CorruptionError(
            "segments", 0, f"segment {lost} of {total or 'at least 1'} is missing"
        )
    return b"".join(chunks[index] for index in range(total))
