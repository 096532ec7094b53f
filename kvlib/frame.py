r"""The envelope around everything durable: it makes damage visible. Pure.

    file  = magic "kvlib\0" | version u16 (= 1) | frame ...
    frame = crc u32 | length u32 | sequence u64 | kind u8 | payload           17 bytes of header

    crc       crc32 of everything after it, seeded with the log's salt (0 in heads and segments). It
              catches flipped bits, torn and zeroed data. It covers the length; LevelDB's doesn't.
    length    of the payload in bytes, never more than the bytes that are there
    sequence  at most 2**63; catches frames that are lost, doubled or out of order
    kind      'H' head, 'S' segment, 'C' close, 'M' or 'm' mutations. Never 0: zeros aren't a frame

The checksum doesn't cover the version, so that a newer file isn't mistaken for a damaged one.

>>> frame = seal(b"S", 1, b"payload")
>>> frame.hex(" ", 1)[:50]
'3c d5 b2 cb 00 00 00 07 00 00 00 00 00 00 00 01 53'
>>> unseal(frame).payload
b'payload'
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from zlib import crc32

from kvlib.errors import CorruptionError, TornError, VersionError, check_bytes, check_int
from kvlib.parts import Part, Parts

PREAMBLE_PARTS: Final = Parts(Part("magic", "6 bytes"), Part("version", "u16", "of the format"))
MAGIC: Final = b"kvlib\0"
VERSION: Final = 1
PREAMBLE: Final = PREAMBLE_PARTS.pack(MAGIC, VERSION)

HEADER: Final = Parts(
    Part("crc", "u32"),
    Part("length", "u32", "bytes of payload"),
    Part("sequence", "u64"),
    Part("kind", "1 byte"),
)
CHECKED: Final = HEADER.after("crc")  # the part of the header that the crc covers
CRC_SIZE: Final = HEADER.size - CHECKED.size
HEAD, SEGMENT, CLOSE, MUTATIONS, UNSYNCED_MUTATIONS = b"H", b"S", b"C", b"M", b"m"
KINDS: Final = (HEAD, SEGMENT, CLOSE, MUTATIONS, UNSYNCED_MUTATIONS)
MAX_PAYLOAD: Final = 2**32 - 1
MAX_SEQUENCE: Final = 2**63
MAX_SALT: Final = 2**32 - 1


class Frame(NamedTuple):
    """A whole frame, at data[start:end]."""

    start: int
    end: int
    kind: bytes
    sequence: int
    payload: bytes

    def corruption(self, part: str, reason: str) -> CorruptionError:
        """Return an error about a part of this frame's header."""
        return CorruptionError(None, self.start + HEADER.offset(part), reason)


def check_preamble(data: bytes) -> None:
    """Raise CorruptionError unless `data` begins like a kvlib file; VersionError if it is newer."""
    data = check_bytes(data)
    magic = data[: len(MAGIC)]
    if magic != MAGIC:
        raise CorruptionError(None, 0, f"{magic!r} is not the magic {MAGIC!r}")
    version = int.from_bytes(data[len(MAGIC) : len(PREAMBLE)], "big")
    if len(data) < len(PREAMBLE) or version == 0:
        raise CorruptionError(None, len(MAGIC), f"no version here, expected {VERSION}")
    if version > VERSION:
        reason = f"format version {version}, but this kvlib reads {VERSION}: use a newer kvlib"
        raise VersionError(None, len(MAGIC), reason)


def seal(kind: bytes, sequence: int, payload: bytes, salt: int = 0) -> bytes:
    """Return a frame around `payload`, 17 bytes longer. Raises ValueError for what doesn't fit."""
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is not one of {KINDS}")
    check_int("sequence", sequence, 0, MAX_SEQUENCE)
    check_int("salt", salt, 0, MAX_SALT)
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"{len(payload)} bytes don't fit a frame: at most {MAX_PAYLOAD}")
    checked = CHECKED.pack(len(payload), sequence, kind) + payload
    return crc32(checked, salt).to_bytes(CRC_SIZE, "big") + checked


def unseal(data: bytes, offset: int = 0, salt: int = 0) -> Frame:
    """Return the frame at `offset`.

    Raises TornError if there is no whole frame, and another CorruptionError if there is one with
    contents that this format doesn't have.
    """
    data = check_bytes(data, offset)
    check_int("salt", salt, 0, MAX_SALT)
    start = offset + HEADER.size
    if start > len(data):
        missing = start - len(data)
        raise TornError(None, offset, f"the data ends {missing} bytes short of a frame's header")
    crc, length, sequence, kind = HEADER.unpack_from(data, offset)
    end, left = start + length, len(data) - start
    if length > left:  # before anything is sliced: the length is not trusted yet
        at = offset + HEADER.offset("length")
        raise TornError(None, at, f"length {length}, but only {left} bytes are left")
    actual = crc32(data[offset + CRC_SIZE : end], salt)
    if crc != actual or kind == b"\0":  # with one salt in 2**32, zeros have the checksum zero
        raise TornError(None, offset, f"checksum {crc:#010x}, but the bytes give {actual:#010x}")
    frame = Frame(offset, end, kind, sequence, data[start:end])
    if kind not in KINDS:
        raise frame.corruption("kind", f"unknown kind {kind!r} in a whole frame")
    if sequence > MAX_SEQUENCE:
        raise frame.corruption("sequence", f"sequence {sequence} is above {MAX_SEQUENCE}")
    return frame


def find_candidates(
    data: bytes, start: int, kinds: bytes, low: int = 0, high: int = MAX_SEQUENCE
) -> Iterator[tuple[int, int]]:
    """Yield offset and size of everything from `start` on that may be a frame: unseal decides.

    The kind must be one of `kinds`, the sequence from `low` to `high`, and the payload must end
    within `data`. The high bytes of `low` and `high` that agree are in every such frame, and a
    regular expression finds them fast.
    """
    before, width = HEADER.offset("sequence"), HEADER.offset("kind") - HEADER.offset("sequence")
    first, last = low.to_bytes(width, "big"), high.to_bytes(width, "big")
    same = next((at for at in range(width) if first[at] != last[at]), width)
    pattern = b"(?=%b.{%d}[%b])" % (re.escape(first[:same]), width - same, kinds)
    for match in re.compile(pattern, re.DOTALL).finditer(data, start + before):
        offset = match.start() - before
        _, length, sequence, _ = HEADER.unpack_from(data, offset)
        if low <= sequence <= high and offset + HEADER.size + length <= len(data):
            yield offset, HEADER.size + length
