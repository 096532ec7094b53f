"""Stores that contradict themselves below right checksums."""

from collections.abc import Mapping
from struct import pack

import kvlib
from helpers.vocabulary import (
    PREAMBLE,
    Field,
    frame,
    head_payload,
    log_bytes,
    store_files,
)

Files = Mapping[str, bytes]
SALT = 0x5EED
ITEMS: dict[Field, Field] = {"café": b"1", b"k": "v" * 50}
STREAM = kvlib.encode_snapshot(ITEMS)
FIRST, SECOND = (f"{1:016x}.{index:08x}.segment" for index in (0, 1))
ONE_RECORD = b"\0\0\0\1"
TOP = 2**63
FAR = 2**32 - 1
SEGMENTS, LENGTH, CRC = "segments", "stream_length", "stream_crc"


def lying(
    stream: bytes = STREAM,
    head: dict[str, int] | None = None,
    piece: tuple[int, int, int] = (1, 0, 1),
) -> dict[str, bytes]:
    """Return a store of one segment that contradicts itself below right checksums.

    `head` gives fields of the head; `piece` the generation, index and total in the segment.
    """
    sequence, *header = piece
    payload = head_payload(stream, **{"salt": SALT} | (head or {}))
    return {
        "log": log_bytes(head=frame(b"H", 1, payload)),
        FIRST: PREAMBLE + frame(b"S", sequence, pack(">II", *header) + stream),
    }


def with_frames(*frames: bytes) -> dict[str, bytes]:
    """Return a store whose log holds these frames."""
    return store_files(ITEMS, *frames, salt=SALT)
