"""Wrong answers to 03-recover."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from kvlib.errors import CorruptionError, TornError
from kvlib.frame import HEADER, unseal
from kvlib.lessons.exercise import mistake
from kvlib.lessons.exercises.fields import Item, Records
from kvlib.lessons.exercises.log.frames import (
    EMPTY_LOST,
    Apply,
    delete_if_empty,
    insist,
    put_all,
    put_only,
    span,
)
from kvlib.log import apply, decode_mutations

SEE: Final = "`views.crash(log, recover=recover)` shows each cut"

Bad = Callable[[bytes, int, int], None]  # what becomes of a log's bad frame at an offset


def _refuse_damage(log: bytes, bad: int, expected: int) -> None:
    """As the solution does: a whole frame behind a bad one says that it was good once."""
    for at in range(bad + 1, len(log)):
        with suppress(CorruptionError):
            if unseal(log, at).sequence > expected:
                raise ValueError("damage")


def _recover(
    log: bytes, bad: Bad = _refuse_damage, applied: Apply = apply, ordered: bool = True
) -> Records:
    """Recovery with what each of the mistakes below leaves out; `bad` may raise."""
    items: Records = {}
    offset, expected = 0, 1
    while offset < len(log):
        try:
            frame = unseal(log, offset)
        except TornError:
            bad(log, offset, expected)
            break
        if ordered and frame.sequence != expected:
            raise ValueError("a frame is missing")
        applied(decode_mutations(frame.payload), items)
        offset, expected = frame.end, expected + 1
    return items


def _let_it_out(log: bytes, bad: int, expected: int) -> None:
    unseal(log, bad)


def _sliced(data: bytes) -> tuple[Item, bytes]:
    end = 5 + int.from_bytes(data[1:5], "big")
    raw = data[5:end]
    return raw.decode(errors="replace") if data[:1] != b"b" else raw, data[end:]


def _by_length(log: bytes, ordered: bool) -> Records:
    items: Records = {}
    offset, expected = 0, 1
    while len(log) - offset >= HEADER.size:
        _, length, sequence, _ = HEADER.unpack_from(log, offset)
        start = offset + HEADER.size
        if length > len(log) - start:
            break
        if ordered and sequence != expected:
            raise ValueError("a frame is missing")
        apply(decode_mutations(log[start : start + length]), items)
        offset, expected = start + length, expected + 1
    return items


@mistake(f"A torn tail is what a crash leaves, and here it raises. {SEE}.")
def recover_raises_when_torn(log: bytes) -> Records:
    """Lets the error of the torn frame out."""
    return _recover(log, _let_it_out)


@mistake(f"A torn tail is what a crash leaves, and it is no error. {SEE}.")
def recover_refuses_when_torn(log: bytes) -> Records:
    """Raises one of its own."""

    def refuse(log: bytes, bad: int, expected: int) -> None:
        raise ValueError("a bad frame")

    return _recover(log, refuse)


@mistake(f"Not even the header of the frame is all there. {SEE}.")
def recover_unpacks_unchecked(log: bytes) -> Records:
    """Unpacks a header of which not all is there."""

    def bad(log: bytes, bad: int, expected: int) -> None:
        HEADER.unpack_from(log, bad)
        raise ValueError("a bad frame")

    return _recover(log, bad)


@mistake(f"One torn frame, and the whole frames before it are forgotten. {SEE}.")
def recover_gives_up(log: bytes) -> Records:
    """Forgets the whole frames because of the torn one."""
    try:
        return _recover(log, _let_it_out)
    except TornError:
        return {}


@mistake(f"The last whole frame is dropped together with the torn one. {SEE}.")
def recover_drops_one_too_many(log: bytes) -> Records:
    """Drops the last whole frame with the torn one."""
    _, end, _ = span(log)
    return _recover(log if end == len(log) else log[: span(log)[0]])


@mistake(f"Half a frame came back as a record: a slice takes what is there. {SEE}.")
def recover_takes_what_is_there(log: bytes) -> Records:
    """Slices, and trusts: half a record comes back."""
    items: Records = {}
    offset = 0
    while offset + HEADER.size <= len(log):
        _, length, _, _ = HEADER.unpack_from(log, offset)
        offset += HEADER.size + length
        payload = log[offset - length : offset]
        key, rest = _sliced(payload[1:])
        apply([(key, _sliced(rest)[0] if payload[:1] == b"P" else None)], items)
    return items


@mistake(
    "Lengths and numbers can't tell that the bytes of a frame never came: zeros or garbage stand "
    "in their place. Which field of the header tells?"
)
def recover_without_checksums(log: bytes) -> Records:
    """Compares lengths only."""
    return _by_length(log, ordered=False)


@mistake(recover_without_checksums.sentence)
def recover_by_numbers(log: bytes) -> Records:
    """Compares lengths, and takes another number for damage; a hole of zeros has one."""
    return _by_length(log, ordered=True)


@mistake(
    "Not one frame passes your checksum. It covers more than the payload: which bytes "
    "stand between the two?"
)
def recover_checks_the_payload(log: bytes) -> Records:
    """Computes the checksum of the payload alone: so no frame passes, and nothing comes back."""
    return {}


@mistake(
    "Frames were dropped that had been acknowledged: whole ones stand behind the bad one, "
    "so it was no crash. How can you find them?"
)
def recover_forgives(log: bytes) -> Records:
    """Takes every bad frame for a torn tail, and drops all that follows."""
    return _recover(log, lambda log, bad, expected: None)


@mistake(
    "It jumped over a bad frame and went on, so the state is one that never was. What has "
    "to happen if a whole frame stands behind a bad one?"
)
def recover_goes_on(log: bytes) -> Records:
    """Jumps over the bad frame, and applies what follows."""
    items: Records = {}
    offset = 0
    while len(log) - offset >= HEADER.size:
        with suppress(TornError):
            apply(decode_mutations(unseal(log, offset).payload), items)
        offset += HEADER.size + int.from_bytes(log[offset + 4 : offset + 8], "big")
    return items


@mistake(
    "The damaged length leads past the frames that follow, so they look as if they had "
    "never been. Where else could a whole frame begin?"
)
def recover_trusts_a_bad_length(log: bytes) -> Records:
    """Looks for the next frame where the bad one says that it ends."""

    def bad(log: bytes, bad: int, expected: int) -> None:
        after = bad + HEADER.size + int.from_bytes(log[bad + 4 : bad + 8], "big")
        with suppress(CorruptionError):
            unseal(log, after)
            raise ValueError("damage")

    return _recover(log, bad)


@mistake(
    "A wrong checksum at the end is no proof of damage: after a crash a file may have its "
    "length before its bytes. What would be a proof?"
)
def recover_refuses_wrong_checksums(log: bytes) -> Records:
    """Takes for torn only what is too short."""

    def bad(log: bytes, bad: int, expected: int) -> None:
        left = len(log) - bad - HEADER.size
        if left >= 0 and int.from_bytes(log[bad + 4 : bad + 8], "big") <= left:
            raise ValueError("a wrong checksum")

    return _recover(log, bad)


@mistake(
    "A whole frame behind a torn one is no proof of damage if it is an older one, which "
    "the medium held before. Which numbers can only have come later?"
)
def recover_refuses_older_frames(log: bytes) -> Records:
    """Takes any whole frame behind a bad one for a proof."""

    def bad(log: bytes, bad: int, expected: int) -> None:
        for at in range(bad + 1, len(log)):
            with suppress(CorruptionError):
                unseal(log, at)
                raise ValueError("damage")

    return _recover(log, bad)


@mistake(
    "Each frame is whole, and yet the log isn't: look at their numbers. Which one should come next?"
)
def recover_ignores_the_sequence(log: bytes) -> Records:
    """Takes frames in whatever order they stand."""
    return _recover(log, ordered=False)


@mistake("The deleted key is still there, and has None as its value. What should be left of it?")
def recover_puts_none(log: bytes) -> Records:
    """Stores None for a deletion."""
    return _recover(log, applied=put_all)


@mistake("A deletion of what isn't there raises. How does a dict remove a key that may be missing?")
def recover_insists_on_keys(log: bytes) -> Records:
    """Raises a KeyError for the deletion of what isn't there."""
    return _recover(log, applied=insist)


@mistake("The deletion is passed over. What does a value of None mean?")
def recover_ignores_deletions(log: bytes) -> Records:
    """Lets what was deleted come back."""
    return _recover(log, applied=put_only)


@mistake(EMPTY_LOST)
def recover_deletes_if_empty(log: bytes) -> Records:
    """Takes an empty value for none."""
    return _recover(log, applied=delete_if_empty)


MISTAKES: Final = (
    recover_raises_when_torn,
    recover_refuses_when_torn,
    recover_unpacks_unchecked,
    recover_gives_up,
    recover_drops_one_too_many,
    recover_takes_what_is_there,
    recover_without_checksums,
    recover_by_numbers,
    recover_checks_the_payload,
    recover_forgives,
    recover_goes_on,
    recover_trusts_a_bad_length,
    recover_refuses_wrong_checksums,
    recover_refuses_older_frames,
    recover_ignores_the_sequence,
    recover_puts_none,
    recover_insists_on_keys,
    recover_ignores_deletions,
    recover_deletes_if_empty,
)
