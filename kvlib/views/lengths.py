"""The length lab: a byte of a length, turned through all its values, and a reader's answers."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from itertools import groupby
from typing import Final

from kvlib import encoding, log, naive
from kvlib.errors import CorruptionError, check_int
from kvlib.layout.dissect import Layout, Region, dissect, guess
from kvlib.layout.regions import RegionKind, RegionStatus, group
from kvlib.layout.text import COLUMNS, fit, hanging, width
from kvlib.views import arguments, jumps, readers
from kvlib.views.plain import collected
from kvlib.views.timeline import Moment, ReaderOutcome, Scene, Timeline

Read = Callable[[bytes], object]

NUMBER: Final = re.compile(r"(0x[0-9a-f]+|\d+)")
YOURS: Final = "yours"
LIMIT: Final = 50  # bytes, shown at each of the 256 values


def lengths(
    data: bytes,
    at: int | None = None,
    *,
    last: int = 255,
    read: Read | None = None,
    format: str | None = None,
) -> Timeline:
    """Show how a reader answers when a byte of a length takes each value from 0 on.

    Args:
        data: at most 50 bytes.
        at: the offset of the byte; by default the last byte of the first length.
        last: the last value, at least the byte's own; a smaller one leaves more room for each.
        read: your own reader, shown above the real one. Its answer for `data` counts as right.
        format: "counted" (of kvlib.naive), "snapshot", "field", "record", "mutations" or "frame";
            by default a guess.

    Raises:
        ValueError: another format, more bytes, an `at` outside of any length, another `last`.
        TypeError: `data` isn't bytes, or `read` isn't a function of the bytes alone.
    """
    arguments.check_kind(
        "lengths", data, (bytes, bytearray), "takes bytes, such as b's\\0\\0\\0\\1k'"
    )
    if read is not None:
        arguments.check_function("read", read, "data")
    data = bytes(data)
    if len(data) > LIMIT:
        reason = f"too long: {len(data):,} bytes, a length lab has at most {LIMIT}"
        raise ValueError(f"{reason}: take fewer records")
    format = _check(data, format)
    at = _place(data, at, format)
    check_int("last", last, data[at], 255)
    name, real = READERS[format]
    all_readers = {name: real} if read is None else {YOURS: read, name: real}
    try:
        truth: object = collected(real(data))
    except Exception:  # damaged from the start, so no answer is right
        truth = READERS
    changed = [data[:at] + bytes([byte]) + data[at + 1 :] for byte in range(last + 1)]
    answers = {
        name: [_ask(reader, one, truth) for one in changed] for name, reader in all_readers.items()
    }
    strips = [list(_shared(outcomes)) for outcomes in answers.values()]
    moments = []
    for byte, one in enumerate(changed):
        picture = Scene(layout_of(one, format))
        notes = [_note(name, outcomes[byte]) for name, outcomes in answers.items()]
        ours = tuple(strip[byte] for strip in strips)
        moments.append(Moment(str(byte), ours, (picture,), tuple(filter(None, notes))))
    caption = (
        f"The byte at offset {at} belongs to a length. It is {data[at]}; here it takes every value."
    )
    return Timeline(
        caption, "length byte", tuple(all_readers), tuple(moments), data[at], jumps.draw
    )


def _ask(read: Read, data: bytes, truth: object) -> ReaderOutcome:
    """Return the outcome, and the complete answer in words."""
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            answer = collected(read(data))
        return ReaderOutcome(
            "right" if readers.same_records(answer, truth) else "wrong", readers.one_line(answer)
        )
    except CorruptionError as error:
        return ReaderOutcome("refused", str(error))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a learner's reader may raise anything
        text = fit(readers.error_line(error), readers.ANSWER)
        return ReaderOutcome("refused", text)


def _shared(outcomes: list[ReaderOutcome]) -> Iterator[ReaderOutcome]:
    """Yield outcomes with texts for neighbours: refusals that differ only in numbers are one."""

    def shape(outcome: ReaderOutcome) -> str:
        return NUMBER.sub("", outcome.words) if outcome.verdict == "refused" else outcome.words

    for _, run in groupby(outcomes, lambda outcome: (outcome.verdict, shape(outcome))):
        alike = list(run)
        pieces = zip(*(NUMBER.split(outcome.words) for outcome in alike), strict=True)
        words = "".join(same[0] if len(set(same)) == 1 else "…" for same in pieces)
        yield from [ReaderOutcome(alike[0].verdict, fit(words, COLUMNS))] * len(alike)


def _note(name: str, outcome: ReaderOutcome) -> tuple[str, str] | None:
    """Return the complete answer, if neither the strip nor the picture has it."""
    in_picture = outcome.verdict == "refused" and name != YOURS
    if in_picture or (outcome.verdict != "refused" and width(outcome.words) <= COLUMNS):
        return None
    return f"{name} answers", "\n".join(hanging("", outcome.words))


def _check(data: bytes, format: str | None) -> str:
    if format is None:
        format = guess(data)
        if format not in READERS or not _reads(format, data):
            format = "counted" if format == "unknown" or _reads("counted", data) else format
    if format not in [*READERS]:  # a list can look for unhashable things too
        raise ValueError(f"no length lab for the format {format!r}, only for {', '.join(READERS)}")
    return format


def _reads(format: str, data: bytes) -> bool:
    try:
        READERS[format][1](data)
    except (ValueError, CorruptionError):
        return False
    return True


def _place(data: bytes, at: int | None, format: str) -> int:
    found = [leaf for leaf in layout_of(data, format).root.leaves() if leaf.kind == "length"]
    offsets = [offset for leaf in found for offset in range(leaf.start, leaf.end)]
    if not offsets:
        raise ValueError("there is no length in these bytes: give a field, records or a frame")
    if at is None:
        return found[0].end - 1
    if check_int("at", at, -sys.maxsize, sys.maxsize) not in offsets:
        raise ValueError(f"no length at offset {at}; bytes of lengths are at {offsets}")
    return at


# ----------------------------------------------------------------------- the readers, and pictures


READERS: Final[dict[str, tuple[str, Read]]] = {
    "counted": ("decode_counted", naive.decode_counted),
    "snapshot": ("kvlib", encoding.decode_snapshot),
    "field": ("kvlib", readers.read_fields),
    "record": ("kvlib", readers.read_records),
    "mutations": ("kvlib", log.decode_mutations),
    "frame": ("kvlib", readers.read_frames),
}


def layout_of(data: bytes, format: str) -> Layout:
    """Return the layout of the bytes, in kvlib's formats or in the counted one."""
    return (
        counted(data) if format == "counted" else dissect(data, format=format, source="the bytes")
    )


def counted(data: bytes) -> Layout:
    """Return the bytes as `naive.decode_counted` sees them, even after too large a length."""
    texts: list[Region] = []
    stopped_at = reason = None
    at = 0
    try:
        for piece in naive.read_counted(data):
            texts.append(_text(data, len(texts), piece))
            at = piece.end
        naive.decode_counted(data)  # checks that each key has a value
    except ValueError as error:  # Python's own errors
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        stopped_at, reason = min(at + 1, len(data)) + start, f"{type(error).__name__}: {error}"
        texts.append(_stopped(data, len(texts), at))
    pairs = [texts[number : number + 2] for number in range(0, len(texts), 2)]
    parts = [group(f"record[{number}]", pair) for number, pair in enumerate(pairs)]
    if parts and parts[-1].end < len(data):
        parts.append(Region(parts[-1].end, len(data), "gap", "rest", status="unread"))
    root = group("data", parts) if parts else Region(0, 0, "group", "data")
    return Layout("the bytes", data, root, stopped_at, reason)


def _text(data: bytes, number: int, piece: naive.Piece, status: RegionStatus = "ok") -> Region:
    """Return the length and the text of the key or value with this number."""
    kind: RegionKind = "value" if number % 2 else "key"
    name = f"record[{number // 2}].{kind}"
    at, end = piece.start - 1, min(piece.end, len(data))
    note = "byte of text" if data[at] == 1 else "bytes of text"
    if piece.end > end:
        note += ", too many"
    value = piece.text if status == "ok" else None
    return group(name, [
        Region(at, at + 1, "length", name + ".length", data[at], note, governs=(at + 1, end)),
        Region(at + 1, end, kind, name + ".data", value, status=status),
    ])  # fmt: skip


def _stopped(data: bytes, number: int, at: int) -> Region:
    """Return where the reader stopped: at a text that isn't UTF-8, or at a missing value."""
    if at < len(data):
        return _text(data, number, naive.Piece(at + 1, "", at + 1 + data[at]), "bad")
    name = f"record[{number // 2}].value.missing"
    return Region(len(data), len(data), "gap", name, status="bad")
