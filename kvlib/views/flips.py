"""The flip explorer: every bit of some bytes flipped, one at a time, and read again.

At each position, kvlib's decoder or its recovery reads the bytes, and so does the learner's reader,
if there is one. The picture shows only their answers.
"""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from kvlib import encoding, frame, log, segments, snapshot
from kvlib.disk import Place
from kvlib.errors import FormatError, check_int
from kvlib.layout.dissect import Layout, check_format, dissect
from kvlib.layout.text import fit
from kvlib.plural import count
from kvlib.views import arguments, bitmatrix, readers
from kvlib.views.readers import ANSWER, Answer, Reader
from kvlib.views.targets import Target, check_bounds, log_alone, log_of_store
from kvlib.views.timeline import Moment, ReaderOutcome, Scene, Timeline

MOST_FLIPPED: Final = 256  # bytes, 8 moments each


def flips(
    data: Place | bytes | bytearray,
    read: Callable[[bytes], object] | None = None,
    *,
    format: str | None = None,
    start: int = 0,
    end: int | None = None,
) -> Timeline:
    """Flip every bit of `data`, one at a time, and read the bytes again each time.

    An answer is right if it is the same as without the flip. Another answer without an error is
    wrong. A position is labelled by byte and bit: "57.7" is the highest bit of byte 57.

    Args:
        data: bytes in any of kvlib's formats, at most 1,024, or the path of such a file; or a
            store's place, for its log.
        read: your own function of the bytes; its results are compared with ==. Its errors and
            output are caught, as in `crash`. It alone is called for bytes that kvlib can't read.
        format: the format of the bytes, one of layout.FORMATS; by default a guess.
        start: flip only the bits of data[start:end], at most 256 bytes.
        end: see start.

    Raises:
        FormatError: kvlib can't read the bytes even without a flip, and `read` is not given.
        MissingError: there is nothing at that path.
        ValueError: no bytes, or too many, or bytes that can't be read without a flip.
        TypeError: `data` has another type, or `read` isn't a function of the bytes alone.
    """
    if read is not None:
        arguments.check_function("read", read, "data")
    target = _target(data, format, read is not None)
    span = _span(len(target.data), start, end)
    all_readers = readers.readers(None if target.format == "unknown" else target.read, read)
    sound = {
        name: readers.ask(reader, target.data, "no flip") for name, reader in all_readers.items()
    }
    if error := next((answer.error for answer in sound.values() if answer.error), None):
        raise ValueError(f"read fails on the bytes as they are, with {fit(error, ANSWER)}")
    layout = dissect(target.data, format=target.format, source=target.source)
    names = _names(layout, target.format)
    moments = tuple(
        _flip(target, all_readers, sound, at, bit, names[at])
        for at in span
        for bit in range(7, -1, -1)
    )
    caption = f"Each bit of {count(len(span), 'byte')} is flipped, one at a time, and the "
    caption += f"{count(len(target.data), 'byte')} are read again. "
    caption += readers.totals(all_readers, moments)
    first = readers.first_wrong(moments, len(moments) // 2)
    draw = partial(bitmatrix.draw, sound=layout)
    return Timeline(caption, "flipped bit", tuple(all_readers), moments, first, draw)


def _span(size: int, start: int, end: int | None) -> range:
    for name, edge in (("start", start), ("end", size if end is None else end)):
        check_int(name, edge, -sys.maxsize, sys.maxsize)
    span = range(*slice(start, end).indices(size))
    if not 0 < len(span) <= MOST_FLIPPED:
        reason = f"{len(span)} bytes to flip, expected 1 to {MOST_FLIPPED}"
        raise ValueError(f"{reason}: choose them with start and end")
    return span


def _flip(
    target: Target,
    all_readers: dict[str, Reader],
    sound: dict[str, Answer],
    at: int,
    bit: int,
    name: str,
) -> Moment:
    byte = target.data[at] ^ 1 << bit
    spoilt = target.data[:at] + bytes([byte]) + target.data[at + 1 :]
    layout = dissect(spoilt, format=target.format, source=target.source)
    label = f"{at}.{bit}"
    answers = {who: readers.ask(read, spoilt, f"bit {label}") for who, read in all_readers.items()}
    outcomes = tuple(_compare(answer, sound[who]) for who, answer in answers.items())
    changed = f"it was {target.data[at]:02X}" + f", of {name}" * bool(name)
    notes = [(who, readers.describe(answer, layout)) for who, answer in answers.items()]
    picture = Scene(layout)
    return Moment(label, outcomes, (picture,), (("byte", changed), *notes))


def _names(layout: Layout, format: str) -> list[str]:
    """Return the name of each byte's region in the sound data, or "" in an unknown format."""
    names: list[str] = []
    if format == "unknown":
        return [""] * len(layout.data)
    for leaf in layout.root.leaves():
        names += [leaf.name] * (leaf.end - leaf.start)
    return names


def _compare(answer: Answer, sound: Answer) -> ReaderOutcome:
    if answer.error:
        return ReaderOutcome("refused", answer.refusal)
    tail = "; reported as a torn tail" if answer.dropped > sound.dropped else ""
    if readers.same_records(answer.value, sound.value):
        return ReaderOutcome("right", f"harmless: the same{tail}")
    if isinstance(answer.value, dict) and isinstance(sound.value, dict):
        return ReaderOutcome("wrong", readers.difference(sound.value, answer.value) + tail)
    return ReaderOutcome("wrong", "wrong: another result")


# -------------------------------------------------------------------------------- what is flipped


def _target(data: Place | bytes | bytearray, format: str | None, optional: bool) -> Target:
    source = arguments.taken(data, "flips")
    if not isinstance(source, arguments.File):
        return log_of_store(source)
    data = source.data
    check_bounds(data)
    known = check_format(data, source.format(format))
    try:
        if known == "log":
            return log_alone(data)
        if known == "unknown" and not optional:
            raise ValueError("kvlib has no format that these bytes look like: give format or read")
        if known != "unknown":
            DECODERS[known](data)
    except FormatError:
        if format is not None or not optional:
            raise
        known = "unknown"  # it looked like one of kvlib's, but is one of the learner's
    return Target(data, source.name or "data", known, _decoding(known))


def _sealed(data: bytes) -> frame.Frame:
    found = snapshot.unseal_first(data, frame.SEGMENT)
    snapshot.check_end(found, data)
    return found


DECODERS: Final[Mapping[str, Callable[[bytes], object]]] = {
    "field": readers.read_fields,
    "record": readers.read_fields,
    "mutations": log.decode_mutations,
    "snapshot": encoding.decode_snapshot,
    "segment": lambda data: (segments.decode_header(data), data[segments.HEADER.size :]),
    "frame": readers.read_frames,
    "sealed": _sealed,
}


def _decoding(format: str) -> Reader:
    def read(data: bytes) -> Answer:
        try:
            return Answer(DECODERS[format](data))
        except FormatError as error:
            return readers.refusal(error)

    return read
