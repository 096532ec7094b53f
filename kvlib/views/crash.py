"""The crash explorer: a log cut at every byte, and recovered each time.

At each position, kvlib's own recovery reads the remaining bytes, and so does the learner's
function, if there is one. The picture shows only their answers.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from kvlib import frame, log
from kvlib.crash import GARBAGE
from kvlib.disk import Disk, Place
from kvlib.encoding import Item
from kvlib.errors import FormatError
from kvlib.layout.dissect import dissect
from kvlib.layout.text import fit
from kvlib.plural import count
from kvlib.views import arguments, readers, staircase
from kvlib.views.readers import Answer, Reader
from kvlib.views.stairs import Step
from kvlib.views.targets import LogTarget, check_bounds, log_alone, log_of_store
from kvlib.views.timeline import Moment, ReaderOutcome, Scene, Timeline

Fate = Literal["missing", "zeros", "garbage"]

STATE: Final = 60  # columns of an outcome for the recovered records

LOST: Final = {
    "missing": "the file ends there",
    "zeros": "the file is filled up with zeros",
    "garbage": "the file is filled up with garbage",
}


class Stair(NamedTuple):
    """The contents of a log up to the end of one of its frames, in words and as it is drawn."""

    items: dict[Item, Item]
    words: str
    step: Step

    @property
    def end(self) -> int:
        """The offset of the frame's end."""
        return self.step.end


def crash(
    log: Place | bytes | bytearray,
    recover: Callable[[bytes], object] | None = None,
    *,
    lost: Fate = "missing",
) -> Timeline:
    """Cut the power while `log` is being written: at every byte, with a recovery each time.

    An answer is right if it is the sum of the whole frames that arrived. An error is a refusal if
    something is torn, and wrong if every frame is whole. No crash leaves a cut inside the head,
    because it was fsynced before its file became the log.

    Args:
        log: a store's place, which isn't changed; or the bytes of a log whose snapshot is empty, or
            the path of such a file; or frames alone, with unsalted checksums. At most 1,024 bytes.
        recover: your own function from bytes to a dict, or to any Mapping or iterable of pairs. Its
            errors and output are caught. If it never ends, interrupt it: the traceback says where
            it was, and a note says at which cut.
        lost: the contents of the bytes that didn't arrive. "missing": the file ends; "zeros" or
            "garbage": it has its full length.

    Raises:
        CorruptionError, MissingError: the log can't be recovered even without a cut.
        ValueError: the log is empty or too long, or `recover` would need its snapshot.
        TypeError: `log` has another type, or `recover` isn't a function of the bytes alone.
    """
    if lost not in [*LOST]:
        raise ValueError(f"lost is {lost!r}, expected one of {', '.join(LOST)}")
    if recover is not None:
        arguments.check_function("recover", recover, "data")
    target = _target(arguments.taken(log, "crash"))
    all_readers = readers.readers(target.read, recover)
    if recover is not None and target.items:
        records = count(len(target.items), "record")
        reason = f"this log continues a snapshot of {records}, which recover would need"
        raise ValueError(f"{reason}: cut the log of a store that was never compacted")
    stairs = [*_stairs(target)]
    sizes = range(len(target.data) + 1)
    moments = tuple(_cut(target, stairs, all_readers, size, lost) for size in sizes)
    torn = sum(stair.end for stair in stairs[-2:]) // 2
    start = readers.first_wrong(moments, torn)
    caption = f"{_caption(target, lost)} {readers.totals(all_readers, moments)}"
    if target.format == "log":
        caption += f" No crash cuts the first {target.start} bytes: they are the head, which was"
        caption += " fsynced before this file became the log."
    draw = partial(staircase.draw, steps=[stair.step for stair in stairs], lost=lost)
    control = "bytes that reached the disk"
    return Timeline(caption, control, tuple(all_readers), moments, start, draw)


def _caption(target: LogTarget, lost: Fate) -> str:
    size = count(len(target.data), "byte")
    return f"The power is cut: part of {size} reached the disk, and {LOST[lost]}."


def _cut(
    target: LogTarget, stairs: list[Stair], all_readers: dict[str, Reader], size: int, lost: Fate
) -> Moment:
    left = len(target.data) - size
    there = target.data[:size]
    if lost != "missing":
        there += _filling(size, len(target.data), lost)
    # The sum of the whole frames: the missing bytes may be zeros anyway.
    whole = [stair for stair in stairs if there.startswith(target.data[: stair.end])]
    truth = whole[-1] if whole else stairs[0]
    layout = dissect(there, format=target.format, source=target.source)
    answers = {
        name: readers.ask(read, there, f"{size} bytes") for name, read in all_readers.items()
    }
    outcomes = tuple(_judge(answer, truth, len(there)) for answer in answers.values())
    notes = [(name, readers.describe(answer, layout)) for name, answer in answers.items()]
    if left:
        notes.insert(0, ("lost", f"{count(left, 'byte')} from offset {size} on: {LOST[lost]}"))
    return Moment(f"{size}", outcomes, (Scene(layout),), tuple(notes))


def _filling(start: int, end: int, lost: Fate) -> bytes:
    """Return the bytes that replace lost ones; at the same offset always the same bytes."""
    return bytes(end - start) if lost == "zeros" else GARBAGE[start:end]


def _judge(answer: Answer, truth: Stair, size: int) -> ReaderOutcome:
    if answer.error:
        if size != truth.end:
            return ReaderOutcome("refused", answer.refusal)
        return ReaderOutcome("wrong", f"wrong, nothing is torn here: {answer.refusal}")
    items = _as_dict(answer.value)
    if items is None:
        return ReaderOutcome("wrong", f"wrong: {type(answer.value).__name__}, expected a dict")
    if readers.same_records(items, truth.items):
        return ReaderOutcome("right", truth.words)
    return ReaderOutcome("wrong", readers.difference(truth.items, items))


def _as_dict(value: object) -> dict[Any, Any] | None:
    if isinstance(value, dict):
        return value
    try:
        return dict(value) if isinstance(value, list) else None
    except (TypeError, ValueError):  # a list of something other than pairs
        return None


# ------------------------------------------------------------------------------------ what is cut


def _target(source: arguments.File | Disk) -> LogTarget:
    if not isinstance(source, arguments.File):
        return log_of_store(source)
    check_bounds(source.data)
    if source.format(None) == "log" or source.data.startswith(frame.MAGIC):
        return log_alone(source.data)
    try:
        return _bare(source.data)
    except FormatError as error:
        error.add_note("crash cuts the log of a store, or whole frames; these bytes are neither.")
        raise


def _bare(data: bytes) -> LogTarget:
    """Return frames without a head."""
    before = frame.unseal(data).sequence - 1

    def read(data: bytes) -> Answer:
        items: dict[Item, Item] = {}
        try:
            tail = log.replay(data, 0, before, 0, items)
        except FormatError as error:
            return readers.refusal(error)
        return Answer(items, dropped=len(data) - tail.end)

    return LogTarget(data, "frames", "frame", read, 0, before, 0, {})


def _stairs(target: LogTarget) -> Iterator[Stair]:
    items, mutations = dict(target.items), 0
    words = "snapshot only" if items else "none"
    yield Stair(dict(items), _state(0, items), Step(target.start, 0, words))
    for found in log.scan(target.data, target.start, target.sequence, target.salt):
        if found.kind != frame.CLOSE:
            decoded = log.decode_mutations(found.payload)
            log.apply(decoded, items)
            mutations += len(decoded)
            words = readers.change(decoded)
        step = Step(found.end, mutations, words)
        yield Stair(dict(items), _state(mutations, items), step)


def _state(mutations: int, items: dict[Item, Item]) -> str:
    return f"{count(mutations, 'mutation')}: {fit(repr(items), STATE)}"
