"""What still verifies of a log: the whole frames, also those behind a hole.

Each frame has its checksum and its sequence number, so it can be found and believed without those
before it; what is missing is told by the numbers. The search takes time linear in the log's length.
"""

import re
from contextlib import suppress
from typing import Final, NamedTuple

from kvlib import log
from kvlib.encoding import Heads
from kvlib.errors import CorruptionError, TornError
from kvlib.frame import CLOSE, HEADER, MUTATIONS, UNSYNCED_MUTATIONS, Frame, unseal
from kvlib.salvage.findings import Finding, Found, torn_tail
from kvlib.snapshot import LOG, Head

LOST: Final = 2**16  # so many frames more than fit the log may be missing from its middle


class _Hole(NamedTuple):
    start: int
    reason: str
    torn: bool = False  # whether a crash can be why


def replay(data: bytes, at: int, head: Head, found: Found) -> None:
    """Apply the mutations of the log from `at` on, and go on behind each hole."""
    frames, expected = _Frames(data, head), head.generation + 1
    hole: _Hole | None = None
    while at < len(data):
        frame: Frame | None = None
        try:
            frame = frames.at(at)
            mutations = frames.mutations(frame, expected)
        except CorruptionError as flaw:
            torn = hole is None and isinstance(flaw, TornError)
            hole = hole._replace(torn=False) if hole else _Hole(at, flaw.reason, torn)
            at = frame.end if frame else frames.behind(at, expected)
            continue
        if hole or frame.sequence > expected:
            hole = hole or _Hole(at, "whole frames stand side by side")
            found.left_out.append(_passed(hole, at, expected, frame.sequence))
        log.apply(mutations, found.items)
        hole, expected, at = None, frame.sequence + 1, frame.end
    if hole and hole.torn and not frames.exhausted:
        found.notes.append(torn_tail(hole.start, len(data) - hole.start))
    elif hole:
        found.left_out.append(_open(hole, len(data), frames.exhausted))


def _passed(hole: _Hole, end: int, expected: int, sequence: int) -> Finding:
    reason = f"{hole.reason}; {_numbers(expected, sequence)}: all from {sequence} on"
    return Finding(LOG, hole.start, end - hole.start, reason + " is applied after a hole")


def _numbers(expected: int, sequence: int) -> str:
    missing = sequence - expected
    if not missing:
        return "no sequence number is missing"
    if missing == 1:
        return f"1 sequence number is missing, {expected}"
    return f"{missing:,} sequence numbers are missing, {expected} to {sequence - 1}"


def _open(hole: _Hole, end: int, exhausted: bool) -> Finding:
    """A hole behind which nothing was found, or looked for no longer."""
    more = "; what follows is made to keep a reader searching for ever" if exhausted else ""
    return Finding(LOG, hole.start, end - hole.start, hole.reason + more)


class _Frames:
    """The frames that could be this log's, wherever they stand."""

    def __init__(self, data: bytes, head: Head) -> None:
        self._data, self._salt, self._heads = data, head.salt, Heads()
        self._work = log.SEARCH_BUDGET * len(data)  # bytes of checksums that may turn out wrong
        low = head.generation + 1
        self._highest = low + len(data) + LOST
        # As in log.py: only places where a sequence and a kind could stand are tried.
        first, last = low.to_bytes(8, "big"), self._highest.to_bytes(8, "big")
        same = next(at for at in range(8) if first[at] != last[at])
        kinds = MUTATIONS + UNSYNCED_MUTATIONS + CLOSE
        pattern = b"(?=%b.{%d}[%b])" % (re.escape(first[:same]), 8 - same, kinds)
        self._places = re.compile(pattern, re.DOTALL)

    @property
    def exhausted(self) -> bool:
        """Whether the log is made to keep a reader searching for ever."""
        return self._work < 0

    def at(self, offset: int) -> Frame:
        """The frame at `offset`; CorruptionError if there is none."""
        try:
            return unseal(self._data, offset, self._salt)
        except CorruptionError:
            length = int.from_bytes(self._data[offset + 4 : offset + 8], "big")
            if offset + HEADER.size + length <= len(self._data):
                self._work -= HEADER.size + length
            raise

    def mutations(self, frame: Frame, expected: int) -> list[log.Mutation]:
        """What a whole frame says; CorruptionError if no log says that in this place."""
        if not expected <= frame.sequence <= self._highest:
            reason = f"sequence {frame.sequence}, expected {expected}"
            raise CorruptionError(None, frame.start + 8, reason)
        if frame.kind not in (MUTATIONS, UNSYNCED_MUTATIONS, CLOSE):
            raise CorruptionError(None, frame.start + 16, f"kind {frame.kind!r} inside a log")
        if frame.kind != CLOSE:
            return log.decode_mutations(frame.payload, self._heads)
        if frame.payload:
            raise CorruptionError(None, frame.start + 4, "a close frame with a payload")
        return []

    def behind(self, offset: int, expected: int) -> int:
        """Where the next whole frame begins that could be a later one; else the log's end."""
        data = self._data
        for match in self._places.finditer(data, offset + 9):
            if self.exhausted:
                break
            at = match.start() - 8
            _, length, sequence, _ = HEADER.unpack_from(data, at)
            fits = at + HEADER.size + length <= len(data)
            if fits and expected <= sequence <= self._highest:
                with suppress(CorruptionError):
                    return self.at(at).start
        return len(data)
