"""The cases of a verdict: damaged logs, and what recovery did with each. See verdict.py."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from kvlib.frame import Frame
from kvlib.plural import count
from kvlib.views import svg

Branch = Literal["whole", "torn", "refused"]

LEFT: Final = float(svg.MARGIN)  # a log is drawn from here
RIGHT: Final = 832.0  # to here
HEAD: Final = 100  # how wide the head is drawn


class Piece(NamedTuple):
    """A whole frame, or bytes in which there is none."""

    start: int
    end: int
    frame: Frame | None

    @property
    def middle(self) -> int:
        """The offset of a byte in the middle."""
        return (self.start + self.end) // 2


class Log(NamedTuple):
    """A damaged log.

    Attributes:
        pieces: of everything after the head.
        start: the offset of the first piece.
        size: of the log in bytes.
        full: its size before the damage.
        flipped: the offset of a byte with a flipped bit, or None.
    """

    pieces: tuple[Piece, ...]
    start: int
    size: int
    full: int
    flipped: int | None

    @property
    def bad(self) -> Piece | None:
        """The first piece that isn't a whole frame."""
        return next((piece for piece in self.pieces if not piece.frame), None)

    def x(self, offset: float) -> float:
        """Return where an offset after the head is."""
        left = LEFT + (HEAD + 10) * bool(self.start)
        return left + (RIGHT - left) * (offset - self.start) / max(1, self.full - self.start)


@dataclass(frozen=True)
class Case:
    """A damaged log, and what recovery did.

    Attributes:
        short, name: of the damage.
        log: the log, damaged.
        branch: what recovery did.
        changes: how many mutations came back.
        offset: where the torn tail begins, or the error's offset.
        dropped: the size of the torn tail in bytes.
        reason: the error's reason, without the frame that vouches.
        voucher: the frame that vouches, or None.
        given: how many mutations come back from the log as it was given, or None if it is refused.
    """

    short: str
    name: str
    log: Log
    branch: Branch
    changes: int
    offset: int | None = None
    dropped: int = 0
    reason: str = ""
    voucher: Frame | None = None
    given: int | None = None

    @property
    def told(self) -> str:
        """How many changes came back, in words: all of them, or how many of how many."""
        if self.given in (None, self.changes):
            return count(self.changes, "change")
        return f"{self.changes:,} of {count(self.given or 0, 'change')}"

    @property
    def torn(self) -> Piece | None:
        """The piece that fails its check, if that is what recovery decided about.

        Otherwise it read whole frames only, or refused one of them for its contents.
        """
        return self.log.bad if self.branch == "torn" or self.voucher else None

    def is_lost(self, piece: Piece) -> bool:
        """Return whether a piece is in the torn tail. A whole frame may be, if it is of kind m."""
        return self.branch == "torn" and piece.start >= (self.offset or 0)


def answer(case: Case) -> tuple[str, str]:
    """Return the answer to the question, and what recovery did, in a line each."""
    if case.branch == "whole":
        return "no need to ask: every frame is whole", f"nothing is wrong: {case.told} came back"
    if case.branch == "torn":
        dropped = count(case.dropped, "byte")
        bad = f"the frame at offset {case.offset} fails its check"
        return (
            f"no: {bad}, and no later frame vouches for it",
            f"a torn tail: {dropped} dropped from offset {case.offset} on, {case.told} came back",
        )
    refused = f"refused at offset {case.offset}: {case.reason}"
    if case.voucher is None or case.torn is None:
        return "not asked: a frame that checks has wrong contents", refused
    kind, at = case.voucher.kind.decode(), case.voucher.start
    bad = f"offset {case.torn.start} fails its check"
    return f"yes: the frame at {bad}, but the {kind} frame at offset {at} vouches for it", refused
