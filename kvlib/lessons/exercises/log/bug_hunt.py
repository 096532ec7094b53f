"""03-bug-hunt: append to a log without losing frames after a torn tail.

`append(log, payload)` returns the bytes of the log with one more frame; frames are numbered from 1.
Its tests passed for years. Then a store was opened after a crash and kept writing. At the next
restart, everything it had written since the crash was lost. Remove the `raise` and fix the bug.
(The log you get is whole frames, and perhaps a torn tail.)

Hint: Call `append` with a log of one byte, `b"?"`, and read the result as a reader would: from the
front.

Hint: When the loop ends, `offset` says how far the log is whole. Does the last line use it?

Hint: Nothing after the last whole frame was ever acknowledged. It may go, and it has to.

Why: Frames that follow a torn tail are lost. kvlib goes further: after a crash it writes a fresh
snapshot and starts a new log, so it never touches the old one.
"""

from typing import Final

import kvlib
from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Case, texts
from kvlib.lessons.exercises.log.frames import DELETE, FIRST, PUT, SECOND, write_log
from kvlib.lessons.relations import Part, Spelling


def append(log: bytes, payload: bytes) -> bytes:
    """Begin the new frame where the last whole one ends."""
    offset, sequence = 0, 0
    while offset < len(log):
        try:
            frame = kvlib.unseal(log, offset)
        except kvlib.CorruptionError:
            break
        offset, sequence = frame.end, frame.sequence
    return log[:offset] + kvlib.seal(b"M", sequence + 1, payload)


def spell_append(log: bytes, payload: bytes) -> Spelling:
    """Return the log with the new frame, and how it looks if the bug is fixed wrongly."""
    offset, sequence, start = 0, 0, 0
    while offset < len(log):
        try:
            frame = kvlib.unseal(log, offset)
        except kvlib.CorruptionError:
            break
        start, offset, sequence = frame.start, frame.end, frame.sequence
    whole, torn = log[:offset], log[offset:]

    def new(number: int = sequence + 1, kind: bytes = b"M") -> bytes:
        return kvlib.seal(kind, number, payload)

    wrong = {
        "": whole + new(),
        "The new frame follows a torn one, so no reader will ever reach it. Where does the last "
        "whole frame end?": log + new(),
        "The new frame replaces the beginning of the torn tail, but the end of a longer tail is "
        "still there. What may follow the last frame?": whole + new() + torn[len(new()) :],
        "The torn bytes have become zeros, but zeros aren't a frame either, so a reader stops "
        "there. What may come between two frames?": whole + bytes(len(torn)) + new(),
        "The new frame skips a number, as if the torn one had used it. What will a reader that "
        "looks for gaps conclude?": whole + new(sequence + 1 + bool(torn)),
        "The new frame has the same number as the frame before it. Which number comes next?": whole
        + new(sequence),
        "The new frame's number is one too high.": whole + new(sequence + 2),
        "The new frame is always number 1, whatever the log holds. How does it learn the number of "
        "the frame before it?": whole + new(1),
        "The new frame is of another kind. Which kind did the code use?": whole + new(kind=b"m"),
        "You removed the torn tail, but all the whole frames went with it. Which bytes of the log "
        "are good?": new(1) if torn else whole + new(),
        "You removed the torn tail, and all the whole frames with it. Which bytes of the log are "
        "good?": new() if torn else whole + new(),
        "Where nothing is torn, all the frames are gone: `log[:-0]` is empty.": (
            whole + new() if torn else new()
        ),
        "The end of the last whole frame is gone. Where does the last whole frame end?": (
            log[: offset - 1] + new()
        ),
        "You return only the new frame. Where are the frames that were in the log?": new(),
        "The torn tail is gone, but nothing was appended. What was the function called for?": whole
        if torn
        else whole + new(),
        "Nothing is appended.": log,
        "The last whole frame is gone too: the log ends where that frame starts. Where does it "
        "end?": log[:start] + new(),
        "The payload is appended without a frame.": whole + payload,
    }
    return {says: [((Part("log", data),),)] for says, data in wrong.items()}


EXERCISE: Final = Coding(
    **texts(__name__),
    minutes=10,
    points=2,
    functions=(append,),
    given_code="""\
import kvlib


def append(log, payload):
    raise NotImplementedError  # YOUR CODE HERE
    # Take the line above away: below is the code with the bug.
    offset, sequence = 0, 0
    while offset < len(log):
        try:
            frame = kvlib.unseal(log, offset)
        except kvlib.CorruptionError:
            break
        offset, sequence = frame.end, frame.sequence
    return log + kvlib.seal(b"M", sequence + 1, payload)""",
    cases=(
        Case((b"", PUT), "the first frame of a log"),
        Case((FIRST, DELETE), "a second frame, which needs the next number"),
        Case((SECOND, PUT), "a third frame, which needs the next number"),
        Case((FIRST[:1], PUT), "a log that holds only the first byte of a frame"),
        Case((FIRST[:-1], PUT), "a frame whose last byte is missing"),
        Case((FIRST[:17], DELETE), "a header without its payload"),
        Case((FIRST + SECOND[len(FIRST) :][:1], DELETE), "one byte of a second frame"),
        Case((SECOND[:-1], DELETE), "a second frame whose last byte is missing"),
        Case((FIRST + bytes(24), DELETE), "zeros where the second frame should be"),
        Case((FIRST + bytes(40), DELETE), "a torn tail that is longer than the new frame"),
    ),
    own=("DurableStore.put",),
    formats=("frame",),
    given=("frame",),
    write=write_log,
    spell=(spell_append,),
)
