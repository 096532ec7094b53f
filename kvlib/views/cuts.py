"""Two experiments, made in full: a log cut at every byte, and every bit of some bytes flipped.

At each position kvlib's own recovery, or its decoder, is asked what it makes of what is left, and
so is the learner's function, if there is one. Nothing is shown that was not answered.
"""

import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final, Literal, NamedTuple

from kvlib import encoding, frame, log, recovery, segments, snapshot
from kvlib.crash import GARBAGE, boot
from kvlib.disk import Place, as_disk
from kvlib.encoding import Item
from kvlib.errors import CorruptionError, FormatError
from kvlib.snapshot import LOG
from kvlib.store import DurableStore
from kvlib.views.film import Film, Mark, Moment, Outcome, Picture
from kvlib.views.layout import Layout, check, dissect, format_of
from kvlib.views.text import COLUMNS, count, fit, hanging, width

Lost = Literal["missing", "zeros", "garbage"]

MOST_BYTES: Final = 1024  # of the data that is cut, or of which bits are flipped
MOST_FLIPPED: Final = 256  # bytes, 8 moments each
STATE: Final = 60  # columns of an outcome for what was recovered
REFUSAL: Final = 2 * COLUMNS  # of one for an error of the learner's
ANSWER: Final = 5 * COLUMNS  # of the note that tells either at length

LOST: Final = {
    "missing": "the file ends there",
    "zeros": "the file is filled up with zeros",
    "garbage": "the file is filled up with garbage",
}

# What differs from one position to the next in an error's text: quoted data, and numbers.
VARYING: Final = re.compile(
    r"""(?<!\w)b?(?P<quote>['"])(?:\\.|(?!(?P=quote)).)*(?P=quote)|(?<![\w-])-?(?:0x[0-9a-f]+|\d+)"""
)


class Answer(NamedTuple):
    """What a reader made of some bytes.

    Attributes:
        value: what it gave. error: the text of what it raised instead, "" if it gave something.
        refusal: the same in a form that neighbouring positions share.
        dropped: the bytes of the torn tail that it reported.
    """

    value: object = None
    error: str = ""
    refusal: str = ""
    dropped: int = 0


Reader = Callable[[bytes], Answer]


class Stair(NamedTuple):
    """What a log holds up to the end of one of its frames, which is at `end`."""

    end: int
    mutations: int
    items: dict[Item, Item]
    words: str


@dataclass(frozen=True)
class Subject:
    """Bytes to experiment on.

    Attributes:
        source, format: what they are called, and are.
        read: what kvlib makes of them, or of what is left of them.
        stairs: of a log, what it holds at its beginning and behind each of its frames.
    """

    data: bytes
    source: str
    format: str
    read: Reader
    stairs: tuple[Stair, ...] = ()


# ---------------------------------------------------------------------------------- a loss of power


def crash(
    log: Place | bytes | bytearray,
    recover: Callable[[bytes], object] | None = None,
    *,
    lost: Lost = "missing",
) -> Film:
    """The power goes while `log` is written: it is cut at every byte, and recovered each time.

    Right is what the whole frames that arrived add up to. An error is a refusal where something is
    torn, and wrong where every frame is whole. No crash leaves a cut inside the head, because that
    was fsynced before its file became the log.

    Args:
        log: a store's place, which stays as it is; or the bytes of a log whose snapshot is empty;
            or frames alone, their checksums seeded with 0. At most 1,024 bytes of log.
        recover: a function of yours that makes a dict of the bytes: any Mapping will do, a list
            of pairs, or a generator of such. What it raises or prints is caught. One that never
            ends has to be interrupted; the traceback says where it was, and a note at which cut.
        lost: what stands in the place of the bytes that did not arrive. "missing": the file ends;
            "zeros" or "garbage": it has its full length.

    Raises:
        CorruptionError, MissingError: the log can't be recovered even as it is.
        ValueError: it is too long; or `recover`, which gets the log alone, would need its snapshot.
    """
    if lost not in LOST:
        raise ValueError(f"lost is {lost!r}, expected one of {', '.join(LOST)}")
    subject = _a_log(log)
    _check_size(subject.data)
    readers = _readers(subject.read, recover)
    if recover is not None and subject.stairs[0].items:
        records = count(len(subject.stairs[0].items), "record")
        reason = f"this log goes on from a snapshot of {records}, which recover is not given"
        raise ValueError(f"{reason}: cut the log of a store that was never compacted")
    sizes = range(len(subject.data) + 1)
    moments = tuple(_cut(subject, readers, size, lost) for size in sizes)
    caption = f"The power goes. Of {count(len(subject.data), 'byte')} a part reached the disk, and "
    caption += f"{LOST[lost]}. {_totals(readers, moments)}"
    if subject.format == "log":
        caption += f" Cuts below {subject.stairs[0].end} are left by no crash: the head had been"
        caption += " fsynced before this file became the log."
    torn = sum(stair.end for stair in subject.stairs[-2:]) // 2
    return Film(
        caption,
        "bytes that reached the disk",
        tuple(readers),
        moments,
        _first_wrong(moments, torn),
    )


def _cut(subject: Subject, readers: dict[str, Reader], size: int, lost: Lost) -> Moment:
    left = len(subject.data) - size
    there, beyond = subject.data[:size], subject.data[size:]
    if lost != "missing":
        there, beyond = there + _filling(size, len(subject.data), lost), b""
    truth = _truth(subject, there)
    layout = dissect(there, format=subject.format, source=subject.source)
    answers = {name: _ask(read, there, f"{size} bytes") for name, read in readers.items()}
    outcomes = tuple(_judge(answer, truth, len(there)) for answer in answers.values())
    marks = (Mark(size, len(subject.data), "lost"),) if left else ()
    notes = [(name, _told(answer, layout)) for name, answer in answers.items()]
    if left:
        notes.insert(0, ("lost", f"{count(left, 'byte')} from offset {size} on: {LOST[lost]}"))
    return Moment(f"{size}", outcomes, (Picture(layout, beyond, marks),), tuple(notes))


def _filling(start: int, end: int, lost: Lost) -> bytes:
    """What stands there instead: at one offset always the same, so that little moves."""
    return bytes(end - start) if lost == "zeros" else GARBAGE[start:end]


def _truth(subject: Subject, there: bytes) -> Stair:
    """What the frames that are whole in `there` add up to: zeros may be just what is missing."""
    whole = [stair for stair in subject.stairs if there.startswith(subject.data[: stair.end])]
    return whole[-1] if whole else subject.stairs[0]


def _judge(answer: Answer, truth: Stair, size: int) -> Outcome:
    if answer.error:
        if size != truth.end:
            return Outcome("refused", answer.refusal)
        return Outcome("wrong", f"wrong, nothing is torn here: {answer.refusal}")
    items = _as_dict(answer.value)
    if items is None:
        return Outcome("wrong", f"wrong: {type(answer.value).__name__}, expected a dict")
    if _same(items, truth.items):
        return Outcome("right", truth.words)
    return Outcome("wrong", _difference(truth.items, items))


def _as_dict(value: object) -> dict[Any, Any] | None:
    if isinstance(value, dict):
        return value
    try:
        return dict(value) if isinstance(value, list) else None
    except (TypeError, ValueError):  # a list of something else than pairs
        return None


# ------------------------------------------------------------------------------------- flipped bits


def flips(
    data: Place | bytes | bytearray,
    read: Callable[[bytes], object] | None = None,
    *,
    format: str | None = None,
    start: int = 0,
    end: int | None = None,
) -> Film:
    """Every bit of `data` is flipped, one at a time, and each time the bytes are read again.

    Right is the same result as without the flip. Another result and no error is wrong. A position
    is labelled by byte and bit: "57.7" is the highest bit of byte 57, which stands leftmost.

    Args:
        data: bytes of any of kvlib's formats, at most 1,024; or a store's place, for its log.
        read: a function of yours that reads the bytes; its results are compared with ==. What it
            raises or prints is caught, as in `crash`. Of bytes that kvlib can't read, it alone is
            asked.
        format: what the bytes are, one of layout.FORMATS; by default what they look like.
        start: flip only the bits of data[start:end], at most 256 bytes.
        end: see start.

    Raises:
        FormatError: kvlib can't read the bytes even as they are, and `read` is not given.
        ValueError: too many bytes; or nobody can read them as they are.
    """
    subject = _any_bytes(data, format, read is not None)
    _check_size(subject.data)
    span = range(*slice(start, end).indices(len(subject.data)))
    if not 0 < len(span) <= MOST_FLIPPED:
        reason = f"{len(span)} bytes to flip, expected 1 to {MOST_FLIPPED}"
        raise ValueError(f"{reason}: choose them with start and end")
    readers = _readers(None if subject.format == "unknown" else subject.read, read)
    sound = {name: _ask(reader, subject.data, "no flip") for name, reader in readers.items()}
    if error := next((answer.error for answer in sound.values() if answer.error), None):
        raise ValueError(f"read fails on the bytes as they are, with {fit(error, ANSWER)}")
    names = _names(subject)
    moments = tuple(
        _flip(subject, readers, sound, at, bit, names[at])
        for at in span
        for bit in range(7, -1, -1)
    )
    caption = f"Each bit of {count(len(span), 'byte')} is flipped, one at a time, and the "
    caption += f"{count(len(subject.data), 'byte')} are read again. {_totals(readers, moments)}"
    return Film(
        caption, "flipped bit", tuple(readers), moments, _first_wrong(moments, len(moments) // 2)
    )


def _flip(
    subject: Subject,
    readers: dict[str, Reader],
    sound: dict[str, Answer],
    at: int,
    bit: int,
    name: str,
) -> Moment:
    byte = subject.data[at] ^ 1 << bit
    spoilt = subject.data[:at] + bytes([byte]) + subject.data[at + 1 :]
    layout = dissect(spoilt, format=subject.format, source=subject.source)
    label = f"{at}.{bit}"
    answers = {who: _ask(read, spoilt, f"bit {label}") for who, read in readers.items()}
    outcomes = tuple(_compare(answer, sound[who]) for who, answer in answers.items())
    changed = f"it was {subject.data[at]:02X}" + f", of {name}" * bool(name)
    notes = [(who, _told(answer, layout)) for who, answer in answers.items()]
    picture = Picture(layout, marks=(Mark(at, at + 1, "flipped"),))
    return Moment(label, outcomes, (picture,), (("byte", changed), *notes))


def _names(subject: Subject) -> list[str]:
    """For each byte what it is, as long as it is sound; of an unknown format that is not known."""
    names: list[str] = []
    if subject.format == "unknown":
        return [""] * len(subject.data)
    layout = dissect(subject.data, format=subject.format)
    for leaf in layout.root.leaves():
        names += [leaf.name] * (leaf.end - leaf.start)
    return names


def _compare(answer: Answer, sound: Answer) -> Outcome:
    if answer.error:
        return Outcome("refused", answer.refusal)
    tail = "; reported as a torn tail" if answer.dropped > sound.dropped else ""
    if _same(answer.value, sound.value):
        return Outcome("right", f"harmless: the same{tail}")
    if isinstance(answer.value, dict) and isinstance(sound.value, dict):
        return Outcome("wrong", _difference(sound.value, answer.value) + tail)
    return Outcome("wrong", "wrong: another result")


# -------------------------------------------------------------------------- what is experimented on


def _a_log(log: Place | bytes | bytearray) -> Subject:
    if not isinstance(log, (bytes, bytearray)):
        return _stored(*_files(log))
    data = bytes(log)
    if data[: len(frame.MAGIC)] == frame.MAGIC:
        return _stored(data, _empty_snapshot(data))
    return _bare(data)


def _any_bytes(data: Place | bytes | bytearray, format: str | None, optional: bool) -> Subject:
    if not isinstance(data, (bytes, bytearray)):
        return _stored(*_files(data))
    data = bytes(data)
    known = check(data, format)
    try:
        if known == "log":
            return _stored(data, _empty_snapshot(data))
        if known == "unknown" and not optional:
            raise ValueError("kvlib has no format that these bytes look like: give format or read")
        if known != "unknown":
            DECODERS[known](data)
    except FormatError:
        if format is not None or not optional:
            raise
        known = "unknown"  # it looked like one of kvlib's, but is one of the learner's
    return Subject(data, "data", known, _decoding(known))


def _files(place: Place) -> tuple[bytes, dict[str, bytes]]:
    """The log and the other files of a store that can be recovered."""
    disk = as_disk(place)
    recovery.read(disk)
    files = {name: disk.read(name) for name in disk.names() if format_of(name)}
    return files.pop(LOG), files


def _empty_snapshot(data: bytes) -> dict[str, bytes]:
    """The segment that a log without mutations before it goes on from."""
    head, _ = snapshot.decode_head(data)
    stream = encoding.encode_snapshot({})
    if head.length != len(stream):
        reason = f"this log goes on from a snapshot of {head.length} bytes, which are not in it"
        raise ValueError(f"{reason}: give the place of its store")
    (bare,) = segments.split(stream, segments.HEADER.size + len(stream))
    sealed = frame.PREAMBLE + frame.seal(frame.SEGMENT, head.generation, bare)
    return {snapshot.segment_name(head.generation, 0): sealed}


def _stored(data: bytes, others: dict[str, bytes]) -> Subject:
    """The log of a store, whose other files are at hand; CorruptionError if it has a flaw."""

    def read(data: bytes) -> Answer:
        try:
            store = DurableStore(boot(others | {LOG: data}), read_only=True)
        except FormatError as error:
            return _refusal(error)
        return Answer(dict(store), dropped=store.recovered.dropped_bytes)

    disk = boot(others | {LOG: data})
    recovery.read(disk)
    head, start = snapshot.decode_head(data)
    stairs = _stairs(data, start, head.generation, head.salt, snapshot.load(disk, head))
    return Subject(data, LOG, "log", read, tuple(stairs))


def _bare(data: bytes) -> Subject:
    """Frames without a head."""
    before = frame.unseal(data).sequence - 1

    def read(data: bytes) -> Answer:
        items: dict[Item, Item] = {}
        try:
            tail = log.replay(data, 0, before, 0, items)
        except FormatError as error:
            return _refusal(error)
        return Answer(items, dropped=len(data) - tail.end)

    stairs = _stairs(data, 0, before, 0, {})
    return Subject(data, "frames", "frame", read, tuple(stairs))


def _stairs(
    data: bytes, at: int, sequence: int, salt: int, items: dict[Item, Item]
) -> Iterator[Stair]:
    mutations = 0
    yield Stair(at, 0, dict(items), _state(0, items))
    for found in log.scan(data, at, sequence, salt):
        if found.kind != frame.CLOSE:
            decoded = log.decode_mutations(found.payload)
            log.apply(decoded, items)
            mutations += len(decoded)
        yield Stair(found.end, mutations, dict(items), _state(mutations, items))


def _state(mutations: int, items: dict[Item, Item]) -> str:
    return f"{count(mutations, 'mutation')}: {fit(repr(items), STATE)}"


def _fields(data: bytes) -> list[Item]:
    values: list[Item] = []
    at = 0
    while at < len(data) or not values:
        value, at = encoding.decode_field(data, at)
        values.append(value)
    return values


def _frames(data: bytes) -> list[frame.Frame]:
    found = [frame.unseal(data)]
    while found[-1].end < len(data):
        found.append(frame.unseal(data, found[-1].end))
    return found


def _sealed(data: bytes) -> frame.Frame:
    found = snapshot.unseal_first(data, frame.SEGMENT)
    if found.end < len(data):
        raise CorruptionError(None, found.end, "bytes behind the frame")
    return found


DECODERS: Final[Mapping[str, Callable[[bytes], object]]] = {
    "field": _fields,
    "record": _fields,
    "mutations": log.decode_mutations,
    "snapshot": encoding.decode_snapshot,
    "segment": lambda data: (segments.decode_header(data), data[segments.HEADER.size :]),
    "frame": _frames,
    "sealed": _sealed,
}


def _decoding(format: str) -> Reader:
    def read(data: bytes) -> Answer:
        try:
            return Answer(DECODERS[format](data))
        except FormatError as error:
            return _refusal(error)

    return read


# ------------------------------------------------------------------------------- asking and telling


def _check_size(data: bytes) -> None:
    if len(data) > MOST_BYTES:
        reason = f"{len(data):,} bytes, at most {MOST_BYTES:,} are looked at one by one"
        raise ValueError(f"{reason}: take fewer or shorter records, which show the same")


def _readers(
    kvlibs: Reader | None, learners: Callable[[bytes], object] | None
) -> dict[str, Reader]:
    readers = {} if learners is None else {"yours": _guarded(learners)}
    return readers if kvlibs is None else readers | {"kvlib": kvlibs}


def _guarded(function: Callable[[bytes], object]) -> Reader:
    """Whatever a learner's function does is an answer, but for Ctrl-C."""

    def read(data: bytes) -> Answer:
        try:
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
                value = function(data)
                if isinstance(value, Mapping):  # a copy: it may be changed at the next call
                    return Answer(dict(value))
                return Answer([*value] if isinstance(value, (list, tuple, Iterator)) else value)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too
            text = f"{type(error).__name__}: {_plain(error)}".removesuffix(": ")
            return Answer(None, text, f"refused: {fit(VARYING.sub('…', text), REFUSAL)}")

    return read


def _plain(value: object) -> str:
    """A learner's object as one line of text, also if its own method for that fails."""
    try:
        text = str(value) if isinstance(value, BaseException) else repr(value)
    except Exception as error:
        return f"<{type(error).__name__} while it was turned into text>"
    return " ".join(text.splitlines())


def _ask(read: Reader, data: bytes, where: str) -> Answer:
    try:
        return read(data)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"The function that was asked had not answered yet: {where}.")
        raise


def _refusal(error: FormatError) -> Answer:
    reason, _, _ = error.reason.partition("; ")
    shared = f"refused at offset {error.offset}: {VARYING.sub('…', reason)}"
    return Answer(None, f"{error}", shared)


def _same(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except Exception:  # a learner's type may refuse to be compared
        return False


def _difference(truth: Mapping[Any, Any], items: Mapping[Any, Any]) -> str:
    kept = truth.keys() & items.keys()
    changed = sum(not _same(truth[key], items[key]) for key in kept)
    parts = [
        (len(truth) - len(kept), "record", "lost"),
        (len(items) - len(kept), "record", "added"),
        (changed, "value", "changed"),
    ]
    return "wrong: " + ", ".join(f"{count(n, noun)} {verb}" for n, noun, verb in parts if n)


def _told(answer: Answer, layout: Layout) -> str:
    """The whole answer in lines of 80 columns, without a reason that stands below the bytes."""
    if answer.error:
        if answer.error.endswith(f"offset {layout.stopped_at}: {layout.reason}"):
            return "an error: the reason stands below the bytes"
        return "\n".join(hanging("", fit(answer.error, ANSWER)))
    text = fit(_plain(answer.value), ANSWER)
    columns = COLUMNS if width(text) == len(text) else COLUMNS // 2
    lines = textwrap.wrap(text, columns, drop_whitespace=False)  # blanks may be of the data
    if answer.dropped:
        at = len(layout.data) - answer.dropped
        lines.append(f"a torn tail dropped, {count(answer.dropped, 'byte')} from offset {at} on")
    return "\n".join(lines)


def _totals(readers: Mapping[str, Reader], moments: tuple[Moment, ...]) -> str:
    totals = []
    for number, name in enumerate(readers):
        verdicts = Counter(moment.outcomes[number].verdict for moment in moments)
        counts = (f"{verdicts[verdict]:,} {verdict}" for verdict in verdicts)
        totals.append(f"{name}: {', '.join(counts)}.")
    return " ".join(totals)


def _first_wrong(moments: tuple[Moment, ...], otherwise: int) -> int:
    wrong = (at for at, moment in enumerate(moments) if moment.outcomes[0].verdict == "wrong")
    return next(wrong, otherwise)
