"""03-bug-hunt: a log that keeps growing after a torn tail."""

from typing import Final

from kvlib import durable
from kvlib.frame import seal
from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, mistake
from kvlib.lessons.exercises.collected import mistakes_in
from kvlib.lessons.exercises.log.frames import DELETE, FIRST, PUT, SECOND, frames_of, span


@mistake(
    "The new frame follows a torn one, so no reader will ever reach it. Where does the last whole "
    "frame end?"
)
def append_behind_the_tail(log: bytes, payload: bytes) -> bytes:
    """Append after half a frame, where no reader gets: the original bug."""
    return log + seal(b"M", span(log)[2] + 1, payload)


@mistake(
    "You write the new frame over the torn one, but the end of a longer torn frame is still "
    "there. What may follow the last frame?"
)
def append_over_the_tail(log: bytes, payload: bytes) -> bytes:
    """Overwrite the torn tail, and leave the end of a longer one."""
    _, end, sequence = span(log)
    frame = seal(b"M", sequence + 1, payload)
    return log[:end] + frame + log[end + len(frame) :]


@mistake(
    "You turned the torn bytes into zeros, but zeros aren't a frame either, so a reader stops "
    "there. What may come between two frames?"
)
def append_after_zeros(log: bytes, payload: bytes) -> bytes:
    """Fill the torn tail with zeros."""
    _, end, sequence = span(log)
    return log[:end] + bytes(len(log) - end) + seal(b"M", sequence + 1, payload)


@mistake(
    "Your new frame skips a number, as if the torn frame had used it. What will a reader that "
    "looks for gaps conclude?"
)
def append_counts_the_tail(log: bytes, payload: bytes) -> bytes:
    """Count the torn frame too."""
    _, end, sequence = span(log)
    return log[:end] + seal(b"M", sequence + 1 + (end < len(log)), payload)


@mistake("Your new frame has the same number as the frame before it. Which number comes next?")
def append_repeats_the_number(log: bytes, payload: bytes) -> bytes:
    """Repeat the last frame's number."""
    _, end, sequence = span(log)
    return log[:end] + seal(b"M", sequence, payload)


@mistake(
    "Your new frame is always number 1, whatever the log holds. How does it learn the number of "
    "the frame before it?"
)
def append_always_numbers_one(log: bytes, payload: bytes) -> bytes:
    """Number every new frame 1."""
    return log[: span(log)[1]] + seal(b"M", 1, payload)


@mistake(
    "Your frame is of kind `m`, which doesn't promise that the frames before it are safe. Which "
    "kind did the code use?"
)
def append_without_a_promise(log: bytes, payload: bytes) -> bytes:
    """Use another kind of frame."""
    _, end, sequence = span(log)
    return log[:end] + seal(b"m", sequence + 1, payload)


@mistake(
    "You removed the torn tail, but all the whole frames went with it. Which bytes of the log are "
    "good?"
)
def append_starts_again(log: bytes, payload: bytes) -> bytes:
    """Clear the whole log because of its tail."""
    _, end, sequence = span(log)
    kept, number = (log, sequence + 1) if end == len(log) else (b"", 1)
    return kept + seal(b"M", number, payload)


@mistake(
    "You raise an error for a torn tail, but every crash may leave one. What should happen to it "
    "before you add the new frame?"
)
def append_refuses_a_tail(log: bytes, payload: bytes) -> bytes:
    """Raise an error for a torn tail."""
    frames = frames_of(log)
    return log + seal(b"M", len(frames) + 1, payload)


@mistake("You return only the new frame. Where are the frames that were in the log?")
def append_gives_the_frame(log: bytes, payload: bytes) -> bytes:
    """Return the new frame without the log."""
    return seal(b"M", span(log)[2] + 1, payload)


@mistake("You removed the torn tail, but appended nothing. What was the function called for?")
def append_only_drops(log: bytes, payload: bytes) -> bytes:
    """Repair a torn log without appending to it."""
    _, end, sequence = span(log)
    return log[:end] + (b"" if end < len(log) else seal(b"M", sequence + 1, payload))


EXERCISE: Final = Exercise(
    name="03-bug-hunt",
    kind="function",
    objective="append to a log so that nothing is lost behind a torn tail",
    task=(
        "`append(log, payload)` returns the bytes of the log with one more frame; frames are "
        "numbered from 1. Its tests passed for years. Then a store was opened after a crash and "
        "kept writing. At the next restart, everything it had written since the crash was lost. "
        "Remove the `raise` and fix the bug. (The log you get is whole frames, and perhaps a torn "
        "tail.)"
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
        Case((FIRST[:1], PUT), "a log that holds only the first byte of a frame"),
        Case((FIRST[:-1], PUT), "a frame whose last byte is missing"),
        Case((FIRST[:17], DELETE), "a header without its payload"),
        Case((FIRST + SECOND[len(FIRST) :][:1], DELETE), "one byte of a second frame"),
        Case((SECOND[:-1], DELETE), "a second frame whose last byte is missing"),
        Case((FIRST + bytes(24), DELETE), "zeros where the second frame should be"),
        Case((FIRST + bytes(40), DELETE), "a torn tail that is longer than the new frame"),
    ),
    format=("frame",),
    given=("frame",),
    mistakes=mistakes_in(globals()),
    hints=(
        'Call `append` with a log of one byte, `b"?"`, and read the result as a reader would: '
        "from the front.",
        "When the loop ends, `offset` says how far the log is whole. Does the last line use it?",
        "Nothing after the last whole frame was ever acknowledged. It may go, and it has to.",
    ),
    why=(
        "Frames that follow a torn tail are lost. kvlib goes further: after a crash it writes a "
        "fresh snapshot and starts a new log, so it never touches the old one."
    ),
    points=2,
    minutes=6,
    own={"DurableStore.put": durable.DurableStore.put},
)
