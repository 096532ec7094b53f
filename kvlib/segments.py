r"""A stream <-> bare segments of bounded size, which can be joined in any order. Pure.

    segment = index u32 | total u32 | up to max_segment_size - 8 bytes of the stream

>>> [segment.hex(" ") for segment in split(b"stream", 12)]
['00 00 00 00 00 00 00 02 73 74 72 65', '00 00 00 01 00 00 00 02 61 6d']
>>> join(reversed(split(b"stream", 12)))
b'stream'

A bare segment says which segment it is, and of how many. It doesn't say which snapshot it belongs
to, or whether a bit has flipped: the envelope in frame.py adds that.
"""

from collections.abc import Iterable
from typing import Final

from kvlib.errors import CorruptionError, check_bytes, check_int
from kvlib.parts import Part, Parts

HEADER: Final = Parts(Part("index", "u32"), Part("total", "u32"))
MIN_SEGMENT_SIZE: Final = HEADER.size + 1
MAX_SEGMENTS: Final = 2**32 - 1


def check_size(max_segment_size: int) -> int:
    """Return `max_segment_size` if it has room for a header and at least one byte."""
    return check_int("max_segment_size", max_segment_size, MIN_SEGMENT_SIZE, 2**32 - 1)


def split(stream: bytes, max_segment_size: int) -> list[bytes]:
    """Return the segments of `stream`, each of at most `max_segment_size` bytes, at least one.

    Raises ValueError if `max_segment_size` is below 9, or so small that the count overflows a u32.
    """
    stream = check_bytes(stream)
    size = check_size(max_segment_size) - HEADER.size
    total = max(1, -(-len(stream) // size))  # rounded up
    if total > MAX_SEGMENTS:
        raise ValueError(f"{total} segments don't fit a u32: choose a larger max_segment_size")
    chunks = (stream[at : at + size] for at in range(0, total * size, size))
    return [HEADER.pack(index, total) + chunk for index, chunk in enumerate(chunks)]


def decode_header(segment: bytes) -> tuple[int, int]:
    """Return a bare segment's index and total. Raises CorruptionError if they are impossible."""
    segment = check_bytes(segment)
    if len(segment) < HEADER.size:
        reason = f"{len(segment)} bytes, but a header needs {HEADER.size}"
        raise CorruptionError(None, 0, reason)
    index, total = HEADER.unpack_from(segment)
    if index >= total:
        raise CorruptionError(None, 0, f"index {index} in a total of {total} segments")
    return index, total


def join(segments: Iterable[bytes]) -> bytes:
    """Return the stream whose segments these are, in any order.

    Raises CorruptionError if a segment is missing, doubled or too short, or has another total than
    the first one. Its path names the segment by position in the order given: "segments[2]".
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
            reason = f"a total of {claimed} segments, but the first segment says {total}"
            raise CorruptionError(path, HEADER.offset("total"), reason)
        if index in chunks:
            raise CorruptionError(path, 0, f"segment {index} is here for the second time")
        chunks[index] = segment[HEADER.size :]
    if len(chunks) != total or not total:
        lost = next((index for index in range(total) if index not in chunks), 0)
        reason = f"segment {lost} of {total or 'at least 1'} is missing"
        raise CorruptionError("segments", 0, reason)
    return b"".join(chunks[index] for index in range(total))
