"""Torn or corrupt: the question that recovery asks when a frame doesn't check.

A log is damaged in a few ways, and recovered each time on a copy. Everything shown is the answer of
that recovery: the torn tail that it dropped, or the error that it raised.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from kvlib import frame, log, recovery, snapshot
from kvlib.crash import boot
from kvlib.disk import LOG, Disk, Place
from kvlib.durable import DurableStore
from kvlib.encoding import Item
from kvlib.errors import CorruptionError, FormatError
from kvlib.layout.dissect import format_of
from kvlib.layout.text import COLUMNS, fit
from kvlib.plural import count
from kvlib.recovery import Recovery
from kvlib.views import arguments, decision
from kvlib.views.cases import Branch, Case, Log, Piece, answer
from kvlib.views.figure import Figure
from kvlib.views.targets import check_bounds, files_beside

QUESTION: Final = (
    "Torn or corrupt? Is a later frame whole, and does it vouch that everything",
    "before it had been fsynced? Frames of kind M and C vouch, those of kind m don't.",
)
VOUCHES: Final = re.compile(r"; not a torn tail: the frame at offset (\d+) ")


@dataclass(frozen=True)
class Target:
    """A log to damage.

    Attributes:
        data: its bytes.
        files: the other files of its store, or None for frames alone.
        start: the offset of the first frame to replay.
        sequence: the sequence of the frame before it.
        salt: seeds the checksums.
    """

    data: bytes
    files: dict[str, bytes] | None
    start: int
    sequence: int
    salt: int

    def recover(self, data: bytes) -> Recovery:
        """Recover the store with other bytes as its log, on a copy. Raises FormatError."""
        if self.files is not None:
            return DurableStore(boot(self.files | {LOG: data}), read_only=True).recovered
        items: dict[Item, Item] = {}
        tail = log.replay(data, self.start, self.sequence, self.salt, items)
        dropped = len(data) - tail.end
        return Recovery(tail.mutations, tail.end if dropped else None, dropped)

    def pieces(self, data: bytes) -> Iterator[Piece]:
        """Yield whole frames, and the bytes between them."""
        at, expected = self.start, self.sequence + 1
        while at < len(data):
            try:
                found: frame.Frame | None = frame.unseal(data, at, self.salt)
            except CorruptionError:
                found = None
            end = found.end if found else self._next(data, at, expected)
            yield Piece(at, end, found)
            at, expected = end, (found.sequence if found else expected) + 1

    def _next(self, data: bytes, bad: int, expected: int) -> int:
        """Return where the next whole frame begins after a bad one, or the end of the log."""
        kinds = b"".join(log.LOG_KINDS)
        highest = expected + (len(data) - bad) // frame.HEADER.size
        for at, _ in frame.find_candidates(data, bad + 1, kinds, expected + 1, highest):
            try:
                return frame.unseal(data, at, self.salt).start
            except CorruptionError:
                continue
        return len(data)


class Damage(NamedTuple):
    """A way to damage a log: its name, short and full, the bytes, and where one is flipped."""

    short: str
    name: str
    data: bytes
    flipped: int | None = None


def verdict(log: Place | bytes | bytearray) -> Figure:
    """Show how recovery tells a torn tail from damage, with a log and a few ways to damage it.

    Args:
        log: a store's place, which isn't changed; or the bytes of a log whose snapshot is empty, or
            the path of such a file; or frames alone, with unsalted checksums. At most 1,024 bytes.
            Its frames may be damaged.

    Raises:
        CorruptionError, MissingError: the head or the snapshot can't be read, or the first of
            frames alone.
        ValueError: the log is empty or too long, or needs its snapshot.
        TypeError: `log` has another type.
    """
    target = _target(arguments.taken(log, "verdict"))
    given, *others = (_case(target, damage) for damage in _damages(target))
    known = None if given.branch == "refused" else given.changes
    cases = [given, *(replace(case, given=known) for case in others)]
    return decision.draw(cases, "\n".join(_text(cases)))


def _target(source: arguments.File | Disk) -> Target:
    if isinstance(source, arguments.File):
        data = source.data
        check_bounds(data)
        if source.format(None) != "log" and not data.startswith(frame.MAGIC):
            try:
                return Target(data, None, 0, frame.unseal(data).sequence - 1, 0)
            except FormatError as error:
                error.add_note("verdict takes a store's log, or frames; the first must be whole.")
                raise
        files = files_beside(data)
    else:
        files = {name: source.read(name) for name in source.names() if format_of(name)}
        if LOG not in files:
            recovery.recover_without_lock(source)  # says what is missing
        data = files.pop(LOG)
        check_bounds(data)
    head, start = snapshot.decode_head(data)
    snapshot.load(boot(files), head)
    return Target(data, files, start, head.generation, head.salt)


# ------------------------------------------------------------------------------------- the damages


def _damages(target: Target) -> Iterator[Damage]:
    """Yield the log as it was given, and the damages that it is long enough for."""
    data = target.data
    yield Damage("as given", "none, the log as it was given", data)
    pieces = [*target.pieces(data)]
    frames = [piece for piece in pieces if piece.frame]
    if not frames:
        return
    first, last = frames[0], frames[-1]
    noun = "frame" if frames == pieces else "whole frame"
    cut = f"a cut in the middle of the last {noun}"
    yield Damage("cut last", cut, data[: last.middle])
    if first is not last:
        yield _flip(data, first.middle, "first", noun)
    yield _flip(data, last.middle, "last", noun)
    if first is not last:
        earlier = frames[(len(frames) - 1) // 2].middle
        yield Damage("cut earlier", f"a cut in the middle of an earlier {noun}", data[:earlier])


def _flip(data: bytes, at: int, which: str, noun: str) -> Damage:
    flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    return Damage(f"flip {which}", f"one bit flipped in the {which} {noun}", flipped, at)


def _case(target: Target, damage: Damage) -> Case:
    """Recover a damaged log, and return what happened."""
    pieces = (*target.pieces(damage.data),)
    log = Log(pieces, target.start, len(damage.data), len(target.data), damage.flipped)
    try:
        recovered = target.recover(damage.data)
    except FormatError as error:
        voucher = VOUCHES.search(error.reason)
        reason = error.reason[: voucher.start()] if voucher else error.reason
        at = voucher and frame.unseal(damage.data, int(voucher[1]), target.salt)
        return Case(damage.short, damage.name, log, "refused", 0, error.offset, 0, reason, at)
    branch: Branch = "torn" if recovered.dropped_bytes else "whole"
    offset, dropped = recovered.dropped_offset, recovered.dropped_bytes
    return Case(damage.short, damage.name, log, branch, recovered.replayed, offset, dropped)


def _text(cases: list[Case]) -> Iterator[str]:
    """Yield the question, and two lines of answer for each damage."""
    yield from QUESTION
    for case in cases:
        yield ""
        yield f"{case.name} ({count(case.log.size, 'byte')})"
        for line in answer(case):
            yield fit(f"  {line}", COLUMNS)
