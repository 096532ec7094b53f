"""Find what still verifies in a log: its whole frames, wherever they are.

Each frame has a checksum that only this log's salt makes right, and a sequence number. So it can be
found and believed after a hole, out of order, or in another file, and the numbers tell what is
missing. The search takes time linear in the size of the files.
"""

from bisect import bisect_left
from contextlib import suppress
from itertools import pairwise
from typing import Final, NamedTuple

from kvlib import log
from kvlib.encoding import FieldHeaders
from kvlib.errors import CorruptionError, TornError
from kvlib.frame import CLOSE, HEADER, Frame, find_candidates, unseal
from kvlib.plural import count
from kvlib.salvage.files import DamagedStore
from kvlib.salvage.findings import Finding, Found, torn_tail
from kvlib.snapshot import LOG, Head

LOST: Final = 2**16  # how many frames may be missing, beyond what would fit the log


class _Hole(NamedTuple):
    start: int
    reason: str
    torn: bool = False  # whether a crash can have caused it


class _Passed(NamedTuple):
    """A hole, and the frame after it."""

    start: int
    end: int
    reason: str
    expected: int
    sequence: int


class _Known(NamedTuple):
    """A frame, and its mutations."""

    frame: Frame
    mutations: list[log.Mutation]


def replay_whole_frames(
    source: DamagedStore, name: str, at: int, head: Head, found: Found, end: int | None = None
) -> None:
    """Apply the mutations of a log to `found.items`: those in a file from `at` on, and elsewhere.

    The search continues after each hole. Frames in another file count only if their checksums have
    the log's salt, and if that file doesn't contradict this one.
    """
    data = source.read(name)[:end]
    known: dict[int, _Known] = {}
    frames = _Frames(data, head, known)
    passed, expected, hole = frames.collect(at)
    for other in [LOG, *source.others]:
        if other != name:
            _add(source, other, head, known, found.notes)
    numbers = sorted(known)
    for one in passed:
        _tell(name, one, numbers, found)
    for before, after in pairwise([expected - 1, *numbers[bisect_left(numbers, expected) :]]):
        if after > before + 1:
            jump = _Passed(len(data), len(data), "the log ends", before + 1, after)
            _tell(name, jump, numbers, found)
    if hole and hole.torn and not frames.exhausted:
        found.notes.append(torn_tail(name, hole.start, len(data) - hole.start))
    elif hole:
        found.left_out.append(_open(name, hole, len(data), frames.exhausted))
    for number in numbers:
        log.apply(known[number].mutations, found.items)


def _add(
    source: DamagedStore, name: str, head: Head, known: dict[int, _Known], notes: list[Finding]
) -> None:
    """Add the frames that only the other file has."""
    theirs: dict[int, _Known] = {}
    with suppress(FileNotFoundError, CorruptionError):
        _Frames(source.read(name), head, theirs).collect(0)
    new = [theirs[number].frame for number in theirs if number not in known]
    if not new:
        return
    start, size = min(frame.start for frame in new), sum(frame.end - frame.start for frame in new)
    for number in theirs.keys() & known.keys():
        if theirs[number].frame.payload != known[number].frame.payload:
            reason = f"another history: its frame {number} is different, so it is not used"
            notes.append(Finding(name, start, size, reason))
            return
    known.update((frame.sequence, theirs[frame.sequence]) for frame in new)
    notes.append(Finding(name, start, size, f"{count(len(new), 'frame')} of this log, found here"))


def _tell(name: str, passed: _Passed, numbers: list[int], found: Found) -> None:
    start, end, reason, expected, sequence = passed
    missing, words = _missing(numbers, expected, sequence)
    if sequence < expected:
        words, findings = "the frame after it is out of order", found.notes
    elif expected < sequence and not missing:
        words, findings = "the missing frames were found elsewhere", found.notes
    else:
        words = f"{words}: everything from {sequence} on was applied after a hole"
        findings = found.left_out
    findings.append(Finding(name, start, end - start, f"{reason}; {words}"))


def _missing(numbers: list[int], expected: int, sequence: int) -> tuple[int, str]:
    """Return how many sequence numbers are missing between the two, as a number and in words."""
    there = numbers[bisect_left(numbers, expected) : bisect_left(numbers, sequence)]
    missing = sequence - expected - len(there)
    if missing <= 0:
        return 0, "no sequence number is missing"
    first, last = expected, sequence - 1
    for number in there:
        first += number == first
    for number in reversed(there):
        last -= number == last
    if missing == 1:
        return 1, f"1 sequence number is missing, {first}"
    return missing, f"{missing:,} sequence numbers are missing, {first} to {last}"


def _open(name: str, hole: _Hole, end: int, exhausted: bool) -> Finding:
    """Return the finding for a hole after which no more frames were found."""
    more = f"; {log.TOO_MUCH_WORK}" if exhausted else ""
    return Finding(name, hole.start, end - hole.start, hole.reason + more)


class _Frames:
    """The frames of a log in a file. Each frame that is found is added to `known`."""

    def __init__(self, data: bytes, head: Head, known: dict[int, _Known]) -> None:
        self._data, self._salt, self._heads, self._known = data, head.salt, FieldHeaders(), known
        self._work = log.SEARCH_BUDGET * len(data)  # how many bytes may be checksummed in vain
        self._lowest = head.generation + 1
        self._highest = self._lowest + len(data) + LOST

    def collect(self, at: int) -> tuple[list[_Passed], int, _Hole | None]:
        """Find all frames from `at` on.

        Returns the holes between them, the next sequence number, and the hole at the end, if any.
        """
        data, expected = self._data, self._lowest
        passed: list[_Passed] = []
        hole: _Hole | None = None
        while at < len(data):
            frame: Frame | None = None
            try:
                frame = self.at(at)
                mutations = self.mutations(frame, expected)
            except CorruptionError as flaw:
                torn = hole is None and isinstance(flaw, TornError)
                hole = hole._replace(torn=False) if hole else _Hole(at, flaw.reason, torn)
                at = frame.end if frame else self.next_after(at)
                continue
            if hole or frame.sequence != expected:
                hole = hole or _Hole(at, "whole frames follow each other here")
                passed.append(_Passed(hole.start, at, hole.reason, expected, frame.sequence))
            self._known[frame.sequence] = _Known(frame, mutations)
            hole, expected, at = None, max(expected, frame.sequence + 1), frame.end
        return passed, expected, hole

    @property
    def exhausted(self) -> bool:
        """Whether the search has used up its budget."""
        return self._work < 0

    def at(self, offset: int) -> Frame:
        """Return the frame at `offset`. Raises CorruptionError if there is none."""
        try:
            return unseal(self._data, offset, self._salt)
        except CorruptionError:
            start = offset + HEADER.size
            if start <= len(self._data):
                _, length, _, _ = HEADER.unpack_from(self._data, offset)
                if start + length <= len(self._data):
                    self._work -= HEADER.size + length
            raise

    def mutations(self, frame: Frame, expected: int) -> list[log.Mutation]:
        """Return the mutations of a whole frame. Raises CorruptionError if it can't be here."""
        if not self._is_new(frame.sequence):
            reason = f"sequence {frame.sequence}, expected {expected}"
            raise frame.corruption("sequence", reason)
        log.check_log_frame(frame)
        if frame.kind == CLOSE:
            return []
        return log.decode_mutations(frame.payload, self._heads)

    def _is_new(self, sequence: int) -> bool:
        return self._lowest <= sequence <= self._highest and sequence not in self._known

    def next_after(self, offset: int) -> int:
        """Return the offset of the next whole frame that isn't known yet, or the file's end."""
        kinds = b"".join(log.LOG_KINDS)
        places = find_candidates(self._data, offset + 1, kinds, self._lowest, self._highest)
        for at, _ in places:
            if self.exhausted:
                break
            _, _, sequence, _ = HEADER.unpack_from(self._data, at)
            if sequence not in self._known:
                with suppress(CorruptionError):
                    return self.at(at).start
        return len(self._data)
