"""03-recover: rebuild the store from its log."""

from typing import Final

from kvlib import log, recovery
from kvlib.crash import GARBAGE
from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, Function, ProbeResult
from kvlib.lessons.exercises.log.frames import DELETE, FIRST, PUT, sealed
from kvlib.lessons.exercises.log.recover_mistakes import MISTAKES
from kvlib.lessons.sandbox import run
from kvlib.log import encode_put
from kvlib.views.crash import Fate, crash
from kvlib.views.plain import Foreign

LOG: Final = sealed(PUT, encode_put("b", ""), DELETE)
ENDS: Final = (len(FIRST), len(sealed(PUT, encode_put("b", ""))), len(LOG))
WAYS: Final[tuple[Fate, ...]] = ("missing", "zeros", "garbage")
EVERYWHERE: Final = (
    "Your function is right for most cuts, but not for this one. `views.crash(log, "
    "recover=recover)` shows every cut. What is special about this one?"
)


def _flipped(at: int, bit: int = 1) -> bytes:
    return LOG[:at] + bytes([LOG[at] ^ bit]) + LOG[at + 1 :]


def _filled(end: int, filling: bytes) -> bytes:
    return LOG[:end] + filling[end : len(LOG)]


def _large_logs() -> list[Case]:
    puts = [encode_put(f"key {number % 500}", f"{number}") for number in range(3_000)]
    return [Case((sealed(*puts)[:-5],), "a log of 3,000 frames, the last one torn")]


def _refused(log: bytes, about: str) -> Case:
    return Case((log,), about, refused=True)


def _cut_everywhere(functions: tuple[Function, ...]) -> ProbeResult | int:
    """Return the first cut that the crash explorer finds wrong, or else the number of cuts.

    A refusal counts as wrong too.
    """

    def recover(log: bytes) -> object:
        outcome = run(functions[0], (log,))
        if outcome.kind == "raised":
            raise ValueError(outcome.value.kind)
        if outcome.kind != "gave" or type(outcome.value) is Foreign:
            raise ValueError("no end" if outcome.kind == "endless" else "no dict")
        return outcome.value

    cuts = 0
    for lost in WAYS:
        for moment in crash(LOG, recover, lost=lost).moments:
            cuts += 1
            outcome = moment.outcomes[0]
            if outcome.verdict != "right":
                asked = f"recover(log), {moment.label} bytes have arrived, the others: {lost}"
                return ProbeResult(asked, outcome.words, EVERYWHERE)
    return cuts


EXERCISE: Final = Exercise(
    name="03-recover",
    kind="function",
    objective="recover from any crash, and refuse what no crash can have done",
    task=(
        "Write `recover(log)`. It takes the bytes of frames, numbered from 1, and returns the "
        "dict that they add up to. The log may stop anywhere, or end in zeros or garbage: drop "
        "such a torn tail. Raise a ValueError if a whole frame with a higher number follows a bad "
        "one, if a number is missing or occurs twice, or if a whole frame makes no sense. "
        "`kvlib.unseal(log, offset)` returns the whole frame at that offset (`end`, `sequence`, "
        "`payload`), or raises a `kvlib.CorruptionError`."
    ),
    stub="""\
import kvlib
from kvlib.log import decode_mutations, encode_delete, encode_put

log = kvlib.seal(b"M", 1, encode_put("a", "1"))  # one to try it with
log += kvlib.seal(b"M", 2, encode_put("b", ""))
log += kvlib.seal(b"M", 3, encode_delete("a"))


def recover(log):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("recover",),
    solution=(solutions.recover,),
    cases=(
        Case((b"",), "a log without frames"),
        Case((FIRST,), "one put"),
        Case((sealed(encode_put("", "")),), "an empty key and an empty value"),
        Case((sealed(DELETE),), "deleting a key that isn't there, which leaves an empty dict"),
        Case((LOG[: ENDS[1]],), "two puts"),
        Case((LOG,), "two puts and a deletion"),
        Case((sealed(PUT, encode_put("a", "2")),), "a key that was put twice"),
        Case((sealed(PUT + encode_put("b", b"\xff")),), "two mutations in one frame"),
        *(
            Case((LOG[:end],), f"a cut: {end} of the log's {len(LOG)} bytes have arrived")
            for end in (1, 16, 17, 18, ENDS[0] - 1, ENDS[0] + 1, ENDS[1] - 1, len(LOG) - 1)
        ),
        *(
            Case((_filled(end, bytes(len(LOG))),), f"zeros from offset {end} on")
            for end in (0, 4, ENDS[0], ENDS[1], ENDS[1] + 8, len(LOG) - 1)
        ),
        *(
            Case((_filled(end, GARBAGE),), f"garbage from offset {end} on")
            for end in (0, 8, ENDS[0] + 17, ENDS[1], len(LOG) - 2)
        ),
        Case((_flipped(len(LOG) - 1),), "a flipped bit in the last frame"),
        Case(
            (FIRST + bytes(24) + FIRST,),
            "an older frame after a torn tail: the disk held it before",
        ),
        _refused(_flipped(0), "a flipped bit in the first checksum"),
        _refused(_flipped(ENDS[0] - 1), "a flipped bit in the first value"),
        _refused(_flipped(4), "a flipped bit in the first length"),
        _refused(_flipped(ENDS[0] + 7), "a flipped bit in the second length"),
        _refused(bytes(ENDS[0]) + LOG[ENDS[0] :], "zeros in place of the first frame"),
        _refused(LOG[:10] + LOG[ENDS[0] :], "a frame that is cut, with whole frames after it"),
        _refused(LOG[ENDS[0] :], "a log that begins with its second frame"),
        _refused(FIRST + LOG[ENDS[1] :], "a log without its second frame"),
        _refused(FIRST + FIRST, "a frame that occurs twice"),
        _refused(sealed(b"X"), "a whole frame whose mutation makes no sense"),
        _refused(sealed(b""), "a whole frame without a mutation"),
    ),
    given=("frame",),
    large=_large_logs,
    probe=_cut_everywhere,
    mistakes=MISTAKES,
    hints=(
        "Write it for whole logs first: `unseal`, apply, continue at `frame.end`. Then look at "
        "`views.crash(log, recover=recover)`. What should happen at the first `x`?",
        "A bad frame ends the loop. Before you stop, ask: is there a later offset where `unseal` "
        "finds a whole frame?",
        "You can't trust the bad frame's length, so try every offset after it. A whole frame "
        "there with a higher number than the bad one's proves damage.",
    ),
    why=(
        "You drop only what no later frame vouches for, and refuse everything else. So recovery "
        "returns a state that really existed, or says that it can't."
    ),
    points=6,
    minutes=20,
    own={"log.replay": log.replay, "log.scan": log.scan, "recovery.recover": recovery.recover},
)
