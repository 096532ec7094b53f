"""03-recover: recover from any crash, and refuse damage that no crash can cause.

Write `recover(log)`. It takes the bytes of frames, numbered from 1, and returns the dict that they
add up to. The log may stop anywhere, or end in zeros or garbage: drop such a torn tail. Raise a
ValueError if a whole frame with a higher number follows a bad one, if a number is missing or occurs
twice, or if a whole frame makes no sense (the error of `decode_mutations` will do).
`kvlib.unseal(log, offset)` returns the whole frame at that offset (`end`, `sequence`, `payload`),
or raises a `kvlib.CorruptionError`.

Hint: Write it for whole logs first: `unseal`, apply, continue at `frame.end`. Then look at
`views.crash(log, recover=recover)`. What should happen at the first `x`?

Hint: A bad frame ends the loop. Before you stop, ask: is there a later offset where `unseal` finds
a whole frame?

Hint: You can't trust the bad frame's length, so try every offset after it. A whole frame there with
a higher number than the bad one's proves damage.

Why: You drop only what no later frame vouches for, and refuse everything else. So recovery returns
a state that really existed, or says that it can't.
"""

from typing import Final

import kvlib
from kvlib.crash import GARBAGE
from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Case, Finding, Function, refused, texts
from kvlib.lessons.exercises.log.frames import DELETE, FIRST, PUT, SECOND, log_of, sealed, write_log
from kvlib.lessons.exercises.stores import cases_of
from kvlib.lessons.sandbox import run
from kvlib.log import decode_mutations, encode_put
from kvlib.views.crash import Fate, crash
from kvlib.views.plain import Foreign

LOG: Final = sealed(PUT, encode_put("b", ""), DELETE)
ENDS: Final = (len(FIRST), len(sealed(PUT, encode_put("b", ""))), len(LOG))
WAYS: Final[tuple[Fate, ...]] = ("missing", "zeros", "garbage")
WHOLE_LOGS: Final = r"""
EMPTY = An empty value is not a deletion, but `if value` is false for both. How do you ask for None
    alone?
NONE = The deleted key is still there, with None as its value. What should be left of it?
ONE = Only one of the mutations in a frame is applied. Where does the inner loop end?
a log without frames:
one put: put a 1
    {} -> No frame passes. Print what `unseal` returns or raises.
    {'a': None} -> NONE
an empty key and an empty value: put '' ''
    {} -> EMPTY
an empty value: put a ''
    {} -> EMPTY
deleting a key that isn't there, which leaves an empty dict: delete a
    KeyError -> The key isn't there. How does a dict remove a key that may be missing?
    {'a': None} -> NONE
two puts: put a 1; put b ''
    {'a': '1'} -> Only the first frame is applied. Is there a `return` or `break` inside the loop?
    {'b': ''} -> Only the last frame is applied.
two puts and a deletion: put a 1; put b ''; delete a
    {'a': '1', 'b': ''} -> The deletion is skipped. What does a value of None mean?
    {'a': None, 'b': ''} -> NONE
a key that was put twice: put a 1; put a 2
    {'a': '1'} -> The first value stays, whatever comes later.
a put after a deletion: put a 1; delete a; put b 2
    {} -> Nothing after a deletion is applied. Which statement ends the loop there?
two mutations in one frame: put a 1; and put b b'\xff'
    {'a': '1'} -> ONE
    {'b': b'\xff'} -> ONE
a missing key that is deleted and then put, in one frame: delete a; and put a 2
    {} -> The key was put after its deletion, in the same frame. Are a frame's mutations applied in
        order, and all of them?
"""
SEE: Final = (
    "Every crash may leave a torn tail, and a slice past the end returns whatever is left. "
    "`views.crash(log, recover=recover)` shows every cut."
)
FILLED: Final = (
    "After a crash a file may have its full length before its bytes arrive: zeros or garbage fill "
    "the space. That is a torn tail, as long as no whole frame follows. Only the checksum tells."
)
OLDER: Final = (
    "A whole frame after a bad one proves damage only if its number is higher than the bad "
    "frame's. "
    "An older one may have been on the disk before."
)
LATER: Final = (
    "Whole frames follow the bad one, so no crash did this: they were acknowledged. How can you "
    "find them?"
)
LENGTH: Final = (
    "The damaged length points past the frames that follow. Do you look for a whole frame at every "
    "later offset, and does any higher number prove damage?"
)
HIGHER: Final = (
    "The later frame's number may be higher by more than one, because several frames may be bad. "
    "Which numbers prove damage?"
)
EVERY_BYTE: Final = (
    "The frame's number is a line break or a space, read as text. A frame may contain any byte, so "
    "is your search right for all of them?"
)
NUMBERS: Final = (
    "Each frame is whole, but the log isn't. Which number should come next, and where do you "
    "compare it?"
)
WHOLE: Final = (
    "The frame itself is whole, so it isn't torn. Does your `try` also catch what "
    "`decode_mutations` "
    "raises?"
)
EVERYWHERE: Final = (
    "Your function is right for most cuts, but not for this one. `views.crash(log, "
    "recover=recover)` shows every cut. What is special about this one?"
)


def _flipped(at: int, bit: int = 1) -> bytes:
    return LOG[:at] + bytes([LOG[at] ^ bit]) + LOG[at + 1 :]


def _filled(end: int, filling: bytes) -> bytes:
    return LOG[:end] + filling[end : len(LOG)]


def _large_logs() -> list[Case]:
    puts = [encode_put(f"key {number % 500}", f"{number}") for number in range(1_200)]
    return [Case((sealed(*puts)[:-5],), "a log of 1,200 frames, the last one torn")]


def _refused(log: bytes, about: str, look: str) -> Case:
    return refused(about, look, log)


def _cut_everywhere(functions: tuple[Function, ...]) -> Finding | int:
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
                return Finding(asked, outcome.words, EVERYWHERE)
    return cuts


def recover(log: bytes) -> dict[str | bytes, str | bytes]:
    """Drop a bad frame as torn, unless a later whole frame proves damage."""

    def refuse_damage(bad: int, sequence: int) -> None:
        for offset in range(bad + 1, len(log)):
            try:
                later = kvlib.unseal(log, offset)
            except kvlib.CorruptionError:
                continue
            if later.sequence > sequence:
                raise ValueError(f"offset {bad}: damage, because a whole frame is at {offset}")

    items: dict[str | bytes, str | bytes] = {}
    offset, sequence = 0, 1
    while offset < len(log):
        try:
            frame = kvlib.unseal(log, offset)
        except kvlib.CorruptionError:
            refuse_damage(offset, sequence)
            break
        if frame.sequence != sequence:
            raise ValueError(f"offset {offset}: frame {frame.sequence}, expected {sequence}")
        for key, value in decode_mutations(frame.payload):
            if value is None:
                items.pop(key, None)
            else:
                items[key] = value
        offset, sequence = frame.end, sequence + 1
    return items


EXERCISE: Final = Coding(
    **texts(__name__),
    minutes=45,
    points=6,
    functions=(recover,),
    given_code="""\
import kvlib
from kvlib.log import decode_mutations, encode_delete, encode_put

log = kvlib.seal(b"M", 1, encode_put("a", "1"))  # one to try it with
log += kvlib.seal(b"M", 2, encode_put("b", ""))
log += kvlib.seal(b"M", 3, encode_delete("a"))


def recover(log):
    raise NotImplementedError  # YOUR CODE HERE""",
    cases=(
        *cases_of(WHOLE_LOGS, lambda operations, _: (log_of(operations),)),
        *(
            Case(
                (LOG[:end],),
                f"a cut: {end} of the log's {len(LOG)} bytes have arrived",
                SEE,
                signs=(
                    (
                        lambda found, end=end: end > ENDS[1] and found == {},
                        "One torn frame makes you forget the whole frames before it.",
                    ),
                    (
                        lambda found, end=end: end > ENDS[1] and found == {"a": "1"},
                        "The last whole frame is dropped along with the torn one.",
                    ),
                ),
            )
            for end in (1, 16, 17, 18, ENDS[0] - 1, len(LOG) - 1, ENDS[0] + 1, ENDS[1] - 1)
        ),
        *(
            Case((_filled(end, bytes(len(LOG))),), f"zeros from offset {end} on", FILLED)
            for end in (0, 4, ENDS[0], ENDS[1], ENDS[1] + 8, len(LOG) - 1)
        ),
        *(
            Case((_filled(end, GARBAGE),), f"garbage from offset {end} on", FILLED)
            for end in (0, 8, ENDS[0] + 17, ENDS[1], len(LOG) - 2)
        ),
        Case((_flipped(len(LOG) - 1),), "a flipped bit in the last frame", FILLED),
        Case(
            (FIRST + bytes(24) + FIRST,),
            "an older frame after a torn tail: the disk held it before",
            OLDER,
        ),
        Case((FIRST[:20] + FIRST,), "a whole frame of the same number after a torn one", OLDER),
        _refused(_flipped(0), "a flipped bit in the first checksum", LATER),
        _refused(_flipped(ENDS[0] - 1), "a flipped bit in the first value", LATER),
        _refused(_flipped(4), "a flipped bit in the first length", LENGTH),
        _refused(_flipped(ENDS[0] + 7), "a flipped bit in the second length", LENGTH),
        _refused(bytes(ENDS[0]) + LOG[ENDS[0] :], "zeros in place of the first frame", LATER),
        _refused(
            bytes(ENDS[1]) + LOG[ENDS[1] :],
            "zeros in place of two frames, before a whole one",
            HIGHER,
        ),
        _refused(
            FIRST + bytes(40) + kvlib.seal(b"M", 4, PUT),
            "two bad frames, and a whole one with a higher number",
            HIGHER,
        ),
        _refused(
            LOG[:10] + LOG[ENDS[0] :], "a frame that is cut, with whole frames after it", LATER
        ),
        _refused(
            FIRST + GARBAGE[:5] + kvlib.seal(b"M", 3, PUT),
            "five bytes of garbage, and a whole frame with a higher number right after them",
            LENGTH,
        ),
        _refused(
            FIRST + LOG[ENDS[0] :][:10] + FIRST + kvlib.seal(b"M", 3, PUT),
            "a bad frame, then an older whole frame, then one with a higher number",
            "The first whole frame after the bad one proves nothing, because it is older. Do you "
            "look on?",
        ),
        *(
            _refused(
                sealed(*[PUT] * (number - 1)) + bytes(30) + kvlib.seal(b"M", number + 1, PUT),
                f"a bad frame {number}, and a whole frame {number + 1}",
                EVERY_BYTE,
            )
            for number in (9, 12, 31)  # the number after it is a line break, in ASCII, or a space
        ),
        _refused(LOG[ENDS[0] :], "a log that begins with its second frame", NUMBERS),
        _refused(LOG[ENDS[0] : ENDS[1]], "a log that holds only its second frame", NUMBERS),
        _refused(SECOND + kvlib.seal(b"M", 4, PUT), "a log without its third frame", NUMBERS),
        _refused(FIRST + LOG[ENDS[1] :], "a log without its second frame", NUMBERS),
        _refused(FIRST + FIRST, "a frame that occurs twice", NUMBERS),
        _refused(sealed(b"X"), "a whole frame whose mutation makes no sense", WHOLE),
        _refused(sealed(b""), "a whole frame without a mutation", WHOLE),
        _refused(sealed(PUT, b"Ps\0\0\0\1"), "a whole frame with half a mutation", WHOLE),
    ),
    given=("frame",),
    write=write_log,
    large=_large_logs,
    attack=_cut_everywhere,
)
