r"""The one envelope: it makes damage visible. Pure.

    file  = magic "kvlib\0" | version u16 (= 1) | frame ...
    frame = crc u32 | length u32 | sequence u64 | kind u8 | payload           17 bytes of header

    crc   crc32 of everything behind it, seeded with a log's salt (0 elsewhere): flipped bits, torn
          and zeroed data. It covers the length too, which LevelDB's covers not.
    length, of the payload in bytes: bounded by the bytes that are there
    sequence, at most 2**63: frames lost, doubled or out of order
    kind  'H' head, 'S' segment, 'C' close, 'M' or 'm' mutations. Never 0: zeros are no frame

The version stands outside the checksum, so that "newer" is not taken for "damaged".

>>> frame = seal(b"S", 1, b"payload")
>>> frame.hex(" ", 1)[:50]
'3c d5 b2 cb 00 00 00 07 00 00 00 00 00 00 00 01 53'
>>> unseal(frame).payload
b'payload'
"""

import struct
from typing import Final, NamedTuple
from zlib import crc32

from kvlib.errors import CorruptionError, TornError, VersionError, check_bytes, check_int

MAGIC: Final = b"kvlib\0"
VERSION: Final = 1
PREAMBLE: Final = MAGIC + VERSION.to_bytes(2, "big")

HEADER: Final = struct.Struct(">IIQc")
CHECKED: Final = struct.Struct(">IQc")  # the header behind its crc
HEAD, SEGMENT, CLOSE, MUTATIONS, UNSYNCED_MUTATIONS = b"H", b"S", b"C", b"M", b"m"
KINDS: Final = (HEAD, SEGMENT, CLOSE, MUTATIONS, UNSYNCED_MUTATIONS)
MAX_PAYLOAD: Final = 2**32 - 1
MAX_SEQUENCE: Final = 2**63
MAX_SALT: Final = 2**32 - 1


class Frame(NamedTuple):
    """A frame that was whole, at data[start:end]."""

    start: int
    end: int
    kind: bytes
    sequence: int
    payload: bytes


def check_preamble(data: bytes) -> None:
    """Raise unless `data` begins like a file of this format: VersionError if it is newer."""
    data = check_bytes(data)
    if data[: len(MAGIC)] != MAGIC:
        raise CorruptionError(None, 0, f"{data[: len(MAGIC)]!r} is not the magic {MAGIC!r}")
    version = int.from_bytes(data[len(MAGIC) : len(PREAMBLE)], "big")
    if len(data) < len(PREAMBLE) or version == 0:
        raise CorruptionError(None, len(MAGIC), f"no version here, expected {VERSION}")
    if version > VERSION:
        reason = f"format version {version}, this kvlib reads {VERSION}: use a newer one"
        raise VersionError(None, len(MAGIC), reason)


def seal(kind: bytes, sequence: int, payload: bytes, salt: int = 0) -> bytes:
    """A frame around `payload`: 17 bytes more. ValueError for what does not fit its field."""
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is none of {KINDS}")
    check_int("sequence", sequence, 0, MAX_SEQUENCE)
    check_int("salt", salt, 0, MAX_SALT)
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"{len(payload)} bytes do not fit a frame: at most {MAX_PAYLOAD}")
    checked = CHECKED.pack(len(payload), sequence, kind) + payload
    return crc32(checked, salt).to_bytes(4, "big") + checked


def unseal(data: bytes, offset: int = 0, salt: int = 0) -> Frame:
    """The frame at `offset`.

    TornError if there is no whole one; another CorruptionError if it is whole, and says what no
    writer of this format says.
    """
    data = check_bytes(data, offset)
    check_int("salt", salt, 0, MAX_SALT)
    start = offset + HEADER.size
    if start > len(data):
        missing = start - len(data)
        raise TornError(None, offset, f"the data ends {missing} bytes short of a frame's header")
    crc, length, sequence, kind = HEADER.unpack_from(data, offset)
    end, left = start + length, len(data) - start
    if length > left:
        raise TornError(None, offset + 4, f"length {length}, but only {left} bytes are left")
    actual = crc32(data[offset + 4 : end], salt)
    if crc != actual or kind == b"\0":  # under one salt in 2**32 zeros have the checksum zero
        raise TornError(None, offset, f"checksum {crc:#010x}, but the bytes give {actual:#010x}")
    if kind not in KINDS:
        raise CorruptionError(None, offset + 16, f"unknown kind {kind!r} in a whole frame")
    if sequence > MAX_SEQUENCE:
        raise CorruptionError(None, offset + 8, f"sequence {sequence} is above {MAX_SEQUENCE}")
    return Frame(offset, end, kind, sequence, data[start:end])
