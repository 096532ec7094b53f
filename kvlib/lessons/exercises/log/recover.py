"""03-recover: from a log to what was in the store."""

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
    "Most cuts are right, and this one isn't. `views.crash(log, recover=recover)` shows each cut: "
    "what is special here?"
)


def _flipped(at: int, bit: int = 1) -> bytes:
    return LOG[:at] + bytes([LOG[at] ^ bit]) + LOG[at + 1 :]


def _filled(end: int, filling: bytes) -> bytes:
    return LOG[:end] + filling[end : len(LOG)]


def _large_logs() -> list[Case]:
    puts = [encode_put(f"key {number % 500}", f"{number}") for number in range(3_000)]
    return [Case((sealed(*puts)[:-5],), "a log of 3,000 frames, the last of them torn")]


def _refused(log: bytes, about: str) -> Case:
    return Case((log,), about, refused=True)


def _cut_everywhere(functions: tuple[Function, ...]) -> ProbeResult | int:
    """The first byte at which the crash explorer finds something wrong, or a refusal.

    If there is none, it is the number of cuts.
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
        "Write `recover(log)`: the bytes of frames go in, numbered from 1, the dict that they add "
        "up to comes out. The log may end anywhere, or in zeros or garbage: such a torn tail is "
        "dropped. Raise a ValueError if a whole frame with a higher number stands behind a bad "
        "one, if a number is missing or doubled, or if a whole frame makes no sense. "
        "`kvlib.unseal(log, offset)` gives the frame that is there whole (`end`, `sequence`, "
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
        Case((sealed(DELETE),), "the deletion of what isn't there, which leaves nothing"),
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
        Case((_flipped(len(LOG) - 1),), "a bit of the last frame that has flipped"),
        Case(
            (FIRST + bytes(24) + FIRST,),
            "an older frame behind a torn tail: the medium held it before",
        ),
        _refused(_flipped(0), "a bit that has flipped in the first checksum"),
        _refused(_flipped(ENDS[0] - 1), "a bit that has flipped in the first value"),
        _refused(_flipped(4), "a bit that has flipped in the first length"),
        _refused(_flipped(ENDS[0] + 7), "a bit that has flipped in the second length"),
        _refused(bytes(ENDS[0]) + LOG[ENDS[0] :], "zeros in place of the first frame"),
        _refused(LOG[:10] + LOG[ENDS[0] :], "a frame that was cut, and others behind it"),
        _refused(LOG[ENDS[0] :], "a log that begins with its second frame"),
        _refused(FIRST + LOG[ENDS[1] :], "a log without its second frame"),
        _refused(FIRST + FIRST, "a frame that is there twice"),
        _refused(sealed(b"X"), "a whole frame with a mutation that is none"),
        _refused(sealed(b""), "a whole frame without a mutation"),
    ),
    given=("frame",),
    large=_large_logs,
    probe=_cut_everywhere,
    mistakes=MISTAKES,
    hints=(
        "Write it for whole logs first: `unseal`, apply, go on at `frame.end`. Then look at "
        "`views.crash(log, recover=recover)`: what should happen at the first `x`?",
        "A bad frame ends the loop. Before that, ask: is there a place behind it at which `unseal` "
        "finds a whole frame?",
        "The bad frame's length can't be trusted, so try every offset behind it. A whole frame "
        "there with a higher number than the bad one's is the proof of damage.",
    ),
    why=(
        "Dropped is what no later frame vouches for; all else is refused. So recovery gives what "
        "once was, or says that it can't."
    ),
    points=6,
    minutes=20,
    own={"log.replay": log.replay, "log.scan": log.scan, "recovery.recover": recovery.recover},
)
