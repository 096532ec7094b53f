"""Wrong answers to 03-recover."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from kvlib.errors import CorruptionError, TornError
from kvlib.frame import HEADER, unseal
from kvlib.lessons.exercise import mistake
from kvlib.lessons.exercises.collected import mistakes_in
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

SEE: Final = "`views.crash(log, recover=recover)` shows every cut"

Bad = Callable[
    [bytes, int, int], None
]  # called with the log, the bad frame's offset and the number expected there


def _refuse_damage(log: bytes, bad: int, expected: int) -> None:
    """Raise a ValueError if a later frame follows the bad one, as the solution does."""
    for at in range(bad + 1, len(log)):
        with suppress(CorruptionError):
            if unseal(log, at).sequence > expected:
                raise ValueError("damage")


def _recover(
    log: bytes, bad: Bad = _refuse_damage, applied: Apply = apply, ordered: bool = True
) -> Records:
    """Recover, with one check left out for each mistake below; `bad` may raise."""
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


@mistake(f"You raise an error for a torn tail, but every crash may leave one. {SEE}.")
def recover_raises_when_torn(log: bytes) -> Records:
    """Let the torn frame's error escape."""
    return _recover(log, _let_it_out)


@mistake(f"You refuse a torn tail, but every crash may leave one. {SEE}.")
def recover_refuses_when_torn(log: bytes) -> Records:
    """Raise another error for a torn frame."""

    def refuse(log: bytes, bad: int, expected: int) -> None:
        raise ValueError("a bad frame")

    return _recover(log, refuse)


@mistake(f"You unpack a header that isn't all there. {SEE}.")
def recover_unpacks_unchecked(log: bytes) -> Records:
    """Unpack a header that isn't all there."""

    def bad(log: bytes, bad: int, expected: int) -> None:
        HEADER.unpack_from(log, bad)
        raise ValueError("a bad frame")

    return _recover(log, bad)


@mistake(f"One torn frame makes you forget the whole frames before it. {SEE}.")
def recover_gives_up(log: bytes) -> Records:
    """Forget the whole frames because of the torn one."""
    try:
        return _recover(log, _let_it_out)
    except TornError:
        return {}


@mistake(f"You drop the last whole frame along with the torn one. {SEE}.")
def recover_drops_one_too_many(log: bytes) -> Records:
    """Drop the last whole frame along with the torn one."""
    _, end, _ = span(log)
    return _recover(log if end == len(log) else log[: span(log)[0]])


@mistake(f"You return half a frame as a record: a slice returns whatever is left. {SEE}.")
def recover_takes_what_is_there(log: bytes) -> Records:
    """Slice without checks, so half a record comes back."""
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
    "Lengths and numbers don't tell you that a frame's bytes never arrived: zeros or garbage may "
    "fill the space. Which field of the header does tell you?"
)
def recover_without_checksums(log: bytes) -> Records:
    """Compare lengths only."""
    return _by_length(log, ordered=False)


@mistake(recover_without_checksums.sentence)
def recover_by_numbers(log: bytes) -> Records:
    """Compare lengths, and report a wrong number as damage; a hole full of zeros has one."""
    return _by_length(log, ordered=True)


@mistake(
    "No frame passes your check: the checksum covers more than the payload. Which bytes come "
    "between the checksum and the payload?"
)
def recover_checks_the_payload(log: bytes) -> Records:
    """Compute the checksum of the payload alone, so no frame passes and nothing comes back."""
    return {}


@mistake(
    "You dropped frames that had been acknowledged: whole frames follow the bad one, so this "
    "wasn't a crash. How can you find them?"
)
def recover_forgives(log: bytes) -> Records:
    """Treat every bad frame as a torn tail, and drop everything after it."""
    return _recover(log, lambda log, bad, expected: None)


@mistake(
    "You skipped a bad frame and carried on, so you return a state that never existed. What must "
    "happen if a whole frame follows a bad one?"
)
def recover_goes_on(log: bytes) -> Records:
    """Skip the bad frame, and apply the frames after it."""
    items: Records = {}
    offset = 0
    while len(log) - offset >= HEADER.size:
        with suppress(TornError):
            apply(decode_mutations(unseal(log, offset).payload), items)
        offset += HEADER.size + int.from_bytes(log[offset + 4 : offset + 8], "big")
    return items


@mistake(
    "The damaged length points past the frames that follow, so you never see them. Where else "
    "could a whole frame begin?"
)
def recover_trusts_a_bad_length(log: bytes) -> Records:
    """Look for the next frame only where the bad one claims to end."""

    def bad(log: bytes, bad: int, expected: int) -> None:
        after = bad + HEADER.size + int.from_bytes(log[bad + 4 : bad + 8], "big")
        with suppress(CorruptionError):
            unseal(log, after)
            raise ValueError("damage")

    return _recover(log, bad)


@mistake(
    "A wrong checksum at the end doesn't prove damage: after a crash, a file may have its full "
    "length before its bytes arrive. What would prove it?"
)
def recover_refuses_wrong_checksums(log: bytes) -> Records:
    """Treat only a frame that is too short as torn."""

    def bad(log: bytes, bad: int, expected: int) -> None:
        left = len(log) - bad - HEADER.size
        if left >= 0 and int.from_bytes(log[bad + 4 : bad + 8], "big") <= left:
            raise ValueError("a wrong checksum")

    return _recover(log, bad)


@mistake(
    "A whole frame after a torn one doesn't prove damage if it is an old one that was on the disk "
    "before. Which numbers can only have come later?"
)
def recover_refuses_older_frames(log: bytes) -> Records:
    """Treat any whole frame after a bad one as proof of damage."""

    def bad(log: bytes, bad: int, expected: int) -> None:
        for at in range(bad + 1, len(log)):
            with suppress(CorruptionError):
                unseal(log, at)
                raise ValueError("damage")

    return _recover(log, bad)


@mistake(
    "Each frame is whole, but the log isn't. Look at the frames' numbers: which one should come "
    "next?"
)
def recover_ignores_the_sequence(log: bytes) -> Records:
    """Accept frames in any order."""
    return _recover(log, ordered=False)


@mistake("The deleted key is still there, with None as its value. What should be left of it?")
def recover_puts_none(log: bytes) -> Records:
    """Store None for a deletion."""
    return _recover(log, applied=put_all)


@mistake(
    "You raise an error when you delete a key that isn't there. How does a dict remove a key that "
    "may be missing?"
)
def recover_insists_on_keys(log: bytes) -> Records:
    """Raise a KeyError for deleting a missing key."""
    return _recover(log, applied=insist)


@mistake("You skip the deletion. What does a value of None mean?")
def recover_ignores_deletions(log: bytes) -> Records:
    """Bring deleted keys back."""
    return _recover(log, applied=put_only)


@mistake(EMPTY_LOST)
def recover_deletes_if_empty(log: bytes) -> Records:
    """Delete a key when its value is empty."""
    return _recover(log, applied=delete_if_empty)


MISTAKES: Final = mistakes_in(globals())
