"""03-bug-hunt: a log that goes on behind a torn tail."""

from typing import Final

from kvlib import durable
from kvlib.frame import seal
from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, mistake
from kvlib.lessons.exercises.log.frames import DELETE, FIRST, PUT, SECOND, frames_of, span


@mistake(
    "The new frame stands behind a torn one, where no reader will find it. Where does the "
    "last whole frame end?"
)
def append_behind_the_tail(log: bytes, payload: bytes) -> bytes:
    """The bug itself: what stands behind half a frame is never found."""
    return log + seal(b"M", span(log)[2] + 1, payload)


@mistake(
    "The new frame is written over the torn one, and what that had more is still there. "
    "What may stand behind the last frame?"
)
def append_over_the_tail(log: bytes, payload: bytes) -> bytes:
    """Writes over the torn tail, and leaves of it what is longer."""
    _, end, sequence = span(log)
    frame = seal(b"M", sequence + 1, payload)
    return log[:end] + frame + log[end + len(frame) :]


@mistake(
    "The torn bytes became zeros, and zeros are no frame either: a reader stops there. "
    "What may stand between two frames?"
)
def append_after_zeros(log: bytes, payload: bytes) -> bytes:
    """Wipes the torn tail, and leaves its room."""
    _, end, sequence = span(log)
    return log[:end] + bytes(len(log) - end) + seal(b"M", sequence + 1, payload)


@mistake(
    "A number is left out, as if the torn frame had one. What will a reader think who "
    "looks for gaps?"
)
def append_counts_the_tail(log: bytes, payload: bytes) -> bytes:
    """Gives the torn frame a number too."""
    _, end, sequence = span(log)
    return log[:end] + seal(b"M", sequence + 1 + (end < len(log)), payload)


@mistake("The new frame has the number of the one before it. Which number comes next?")
def append_repeats_the_number(log: bytes, payload: bytes) -> bytes:
    """Takes the last frame's number once more."""
    _, end, sequence = span(log)
    return log[:end] + seal(b"M", sequence, payload)


@mistake(
    "The new frame has the number 1, whatever was there. How does it get the number of the "
    "frame before it?"
)
def append_always_numbers_one(log: bytes, payload: bytes) -> bytes:
    """Never counts."""
    return log[: span(log)[1]] + seal(b"M", 1, payload)


@mistake(
    "The frame is of kind `m`: it doesn't promise that those before it are safe. Which "
    "kind did the code use?"
)
def append_without_a_promise(log: bytes, payload: bytes) -> bytes:
    """Takes another kind."""
    _, end, sequence = span(log)
    return log[:end] + seal(b"m", sequence + 1, payload)


@mistake("The torn tail is gone, and all whole frames with it. Which bytes of the log are good?")
def append_starts_again(log: bytes, payload: bytes) -> bytes:
    """Clears the whole log because of its tail."""
    _, end, sequence = span(log)
    kept, number = (log, sequence + 1) if end == len(log) else (b"", 1)
    return kept + seal(b"M", number, payload)


@mistake(
    "A torn tail is what a crash leaves, and here it is an error. What should come before "
    "the new frame instead?"
)
def append_refuses_a_tail(log: bytes, payload: bytes) -> bytes:
    """Lets a crash be an error."""
    frames = frames_of(log)
    return log + seal(b"M", len(frames) + 1, payload)


@mistake("That is the new frame alone. Where are those that were in the log?")
def append_gives_the_frame(log: bytes, payload: bytes) -> bytes:
    """Returns what is new, without the log."""
    return seal(b"M", span(log)[2] + 1, payload)


@mistake("The torn tail is gone, but nothing was appended. What was the function called for?")
def append_only_drops(log: bytes, payload: bytes) -> bytes:
    """Repairs a torn log, and forgets what it was called for."""
    _, end, sequence = span(log)
    return log[:end] + (b"" if end < len(log) else seal(b"M", sequence + 1, payload))


EXERCISE: Final = Exercise(
    name="03-bug-hunt",
    kind="function",
    objective="append to a log so that nothing is lost behind a torn tail",
    task=(
        "`append(log, payload)` gives the bytes of the log with one frame more, numbered from 1. "
        "Its tests passed for years. Then a store was opened after a crash and went on "
        "writing, and all that it wrote from then on was lost at the next restart. Take the "
        "`raise` away, and mend it. (The bytes given are whole frames, and perhaps a torn tail.)"
    ),
    stub="""\
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
    names=("append",),
    solution=(solutions.append,),
    cases=(
        Case((b"", PUT), "the first frame of a log"),
        Case((FIRST, DELETE), "a second frame, which needs the next number"),
        Case((SECOND, PUT), "a third frame, which needs the next number"),
        Case((FIRST[:1], PUT), "a log that has nothing but the first byte of a frame"),
        Case((FIRST[:-1], PUT), "a frame whose last byte is missing"),
        Case((FIRST[:17], DELETE), "a header without its payload"),
        Case((FIRST + SECOND[len(FIRST) :][:1], DELETE), "one byte of a second frame"),
        Case((SECOND[:-1], DELETE), "a second frame whose last byte is missing"),
        Case((FIRST + bytes(24), DELETE), "zeros where the second frame should be"),
        Case((FIRST + bytes(40), DELETE), "a torn tail that is longer than the new frame"),
    ),
    format=("frame",),
    given=("frame",),
    mistakes=(
        append_behind_the_tail,
        append_over_the_tail,
        append_after_zeros,
        append_counts_the_tail,
        append_repeats_the_number,
        append_always_numbers_one,
        append_without_a_promise,
        append_starts_again,
        append_refuses_a_tail,
        append_gives_the_frame,
        append_only_drops,
    ),
    hints=(
        'Call it with a log that is one byte, `b"?"`, and read what it gives as a reader would: '
        "from the front.",
        "When the loop ends, `offset` says up to where the log is whole. Is that used?",
        "All that stands behind the last whole frame was never acknowledged: it may go, and it "
        "has to.",
    ),
    why=(
        "What stands behind a torn tail is lost. kvlib goes further: after a crash it writes a "
        "fresh snapshot and starts a new log, so the old one is never touched."
    ),
    points=2,
    minutes=6,
    own={"DurableStore.put": durable.DurableStore.put},
)
