"""Wrong answers to the exercises of notebook 3 that read and write frames. As mistakes.py says."""

from collections.abc import Callable
from contextlib import suppress

from kvlib.errors import CorruptionError, TornError
from kvlib.frame import HEADER, Frame, seal, unseal
from kvlib.lessons.mistakes import Item, Records
from kvlib.log import Mutation, apply, decode_mutations

Apply = Callable[[list[Mutation], Records], None]

# -------------------------------------------------------------------------------------- 03-replay


def _frames(data: bytes) -> list[Frame]:
    frames: list[Frame] = []
    end = 0
    while end < len(data):
        frames.append(unseal(data, end))
        end = frames[-1].end
    return frames


def _replay(data: bytes, items: Records, applied: Apply) -> Records:
    items = dict(items)
    for frame in _frames(data):
        applied(decode_mutations(frame.payload), items)
    return items


def _put_all(mutations: list[Mutation], items: Records) -> None:
    items.update(mutations)


def _insist(mutations: list[Mutation], items: Records) -> None:
    for key, value in mutations:
        if value is None:
            del items[key]
        else:
            items[key] = value


def put_only(mutations: list[Mutation], items: Records) -> None:
    """Apply what is put, and no deletion."""
    items.update((key, value) for key, value in mutations if value is not None)


def delete_if_empty(mutations: list[Mutation], items: Records) -> None:
    """Take an empty value for a deletion."""
    for key, value in mutations:
        if value:
            items[key] = value
        else:
            items.pop(key, None)


def _let_the_first_win(mutations: list[Mutation], items: Records) -> None:
    for key, value in mutations:
        if value is None:
            items.pop(key, None)
        else:
            items.setdefault(key, value)


def _add_up(mutations: list[Mutation], items: Records) -> None:
    for key, value in mutations:
        if value is None:
            items.pop(key, None)
        else:
            items[key] = items[key] + value if key in items else value


def _delete_everything(mutations: list[Mutation], items: Records) -> None:
    for key, value in mutations:
        if value is None:
            items.clear()
        else:
            items[key] = value


def replay_puts_none(data: bytes, items: Records) -> Records:
    """Stores None for a deletion."""
    return _replay(data, items, _put_all)


def replay_insists_on_keys(data: bytes, items: Records) -> Records:
    """Raises a KeyError where the deletion has been made before: so it can't be replayed twice."""
    return _replay(data, items, _insist)


def replay_ignores_deletions(data: bytes, items: Records) -> Records:
    """Lets what was deleted come back."""
    return _replay(data, items, put_only)


def replay_deletes_if_empty(data: bytes, items: Records) -> Records:
    """Takes an empty value for none."""
    return _replay(data, items, delete_if_empty)


def replay_lets_the_first_win(data: bytes, items: Records) -> Records:
    """Keeps the oldest value."""
    return _replay(data, items, _let_the_first_win)


def replay_adds_up(data: bytes, items: Records) -> Records:
    """Adds to the value that is there: twice is more than once."""
    return _replay(data, items, _add_up)


def replay_deletes_everything(data: bytes, items: Records) -> Records:
    """Clears the dict for one key."""
    return _replay(data, items, _delete_everything)


def replay_stops_at_a_deletion(data: bytes, items: Records) -> Records:
    """Takes the first deletion for the end."""
    items = dict(items)
    for frame in _frames(data):
        for key, value in decode_mutations(frame.payload):
            if value is None:
                return items
            items[key] = value
    return items


# ------------------------------------------------------------------------------------ 03-bug-hunt


def _span(log: bytes) -> tuple[int, int, int]:
    """Where the last whole frame begins and ends, and its sequence number."""
    start, end, sequence = 0, 0, 0
    with suppress(CorruptionError):
        while end < len(log):
            frame = unseal(log, end)
            start, end, sequence = frame.start, frame.end, frame.sequence
    return start, end, sequence


def append_behind_the_tail(log: bytes, payload: bytes) -> bytes:
    """The bug itself: what stands behind half a frame is never found."""
    return log + seal(b"M", _span(log)[2] + 1, payload)


def append_over_the_tail(log: bytes, payload: bytes) -> bytes:
    """Writes over the torn tail, and leaves of it what is longer."""
    _, end, sequence = _span(log)
    frame = seal(b"M", sequence + 1, payload)
    return log[:end] + frame + log[end + len(frame) :]


def append_after_zeros(log: bytes, payload: bytes) -> bytes:
    """Wipes the torn tail, and leaves its room."""
    _, end, sequence = _span(log)
    return log[:end] + bytes(len(log) - end) + seal(b"M", sequence + 1, payload)


def append_counts_the_tail(log: bytes, payload: bytes) -> bytes:
    """Gives the torn frame a number too."""
    _, end, sequence = _span(log)
    return log[:end] + seal(b"M", sequence + 1 + (end < len(log)), payload)


def append_repeats_the_number(log: bytes, payload: bytes) -> bytes:
    """Takes the last frame's number once more."""
    _, end, sequence = _span(log)
    return log[:end] + seal(b"M", sequence, payload)


def append_starts_again(log: bytes, payload: bytes) -> bytes:
    """Clears the whole log because of its tail."""
    _, end, sequence = _span(log)
    kept, number = (log, sequence + 1) if end == len(log) else (b"", 1)
    return kept + seal(b"M", number, payload)


def append_refuses_a_tail(log: bytes, payload: bytes) -> bytes:
    """Lets a crash be an error."""
    frames = _frames(log)
    return log + seal(b"M", len(frames) + 1, payload)


def append_always_numbers_one(log: bytes, payload: bytes) -> bytes:
    """Never counts."""
    return log[: _span(log)[1]] + seal(b"M", 1, payload)


def append_without_a_promise(log: bytes, payload: bytes) -> bytes:
    """Takes another kind."""
    _, end, sequence = _span(log)
    return log[:end] + seal(b"m", sequence + 1, payload)


def append_gives_the_frame(log: bytes, payload: bytes) -> bytes:
    """Returns what is new, without the log."""
    return seal(b"M", _span(log)[2] + 1, payload)


def append_only_drops(log: bytes, payload: bytes) -> bytes:
    """Repairs a torn log, and forgets what it was called for."""
    _, end, sequence = _span(log)
    return log[:end] + (b"" if end < len(log) else seal(b"M", sequence + 1, payload))


# ------------------------------------------------------------------------------------- 03-recover

Bad = Callable[[bytes, int, int], None]


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


def recover_raises_when_torn(log: bytes) -> Records:
    """Lets the error of the torn frame out."""
    return _recover(log, _let_it_out)


def recover_refuses_when_torn(log: bytes) -> Records:
    """Raises one of its own."""

    def refuse(log: bytes, bad: int, expected: int) -> None:
        raise ValueError("a bad frame")

    return _recover(log, refuse)


def recover_unpacks_unchecked(log: bytes) -> Records:
    """Unpacks a header of which not all is there."""

    def bad(log: bytes, bad: int, expected: int) -> None:
        HEADER.unpack_from(log, bad)
        raise ValueError("a bad frame")

    return _recover(log, bad)


def recover_gives_up(log: bytes) -> Records:
    """Forgets the whole frames because of the torn one."""
    try:
        return _recover(log, _let_it_out)
    except TornError:
        return {}


def recover_drops_one_too_many(log: bytes) -> Records:
    """Drops the last whole frame with the torn one."""
    _, end, _ = _span(log)
    return _recover(log if end == len(log) else log[: _span(log)[0]])


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


def _sliced(data: bytes) -> tuple[Item, bytes]:
    end = 5 + int.from_bytes(data[1:5], "big")
    raw = data[5:end]
    return raw.decode(errors="replace") if data[:1] != b"b" else raw, data[end:]


def recover_without_checksums(log: bytes) -> Records:
    """Compares lengths only."""
    return _by_length(log, ordered=False)


def recover_by_numbers(log: bytes) -> Records:
    """Compares lengths, and takes another number for damage; a hole of zeros has one."""
    return _by_length(log, ordered=True)


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


def recover_checks_the_payload(log: bytes) -> Records:
    """Computes the checksum of the payload alone: so no frame passes, and nothing comes back."""
    return {}


def recover_forgives(log: bytes) -> Records:
    """Takes every bad frame for a torn tail, and drops all that follows."""
    return _recover(log, lambda log, bad, expected: None)


def recover_goes_on(log: bytes) -> Records:
    """Jumps over the bad frame, and applies what follows."""
    items: Records = {}
    offset = 0
    while len(log) - offset >= HEADER.size:
        with suppress(TornError):
            apply(decode_mutations(unseal(log, offset).payload), items)
        offset += HEADER.size + int.from_bytes(log[offset + 4 : offset + 8], "big")
    return items


def recover_trusts_a_bad_length(log: bytes) -> Records:
    """Looks for the next frame where the bad one says that it ends."""

    def bad(log: bytes, bad: int, expected: int) -> None:
        after = bad + HEADER.size + int.from_bytes(log[bad + 4 : bad + 8], "big")
        with suppress(CorruptionError):
            unseal(log, after)
            raise ValueError("damage")

    return _recover(log, bad)


def recover_refuses_wrong_checksums(log: bytes) -> Records:
    """Takes for torn only what is too short."""

    def bad(log: bytes, bad: int, expected: int) -> None:
        left = len(log) - bad - HEADER.size
        if left >= 0 and int.from_bytes(log[bad + 4 : bad + 8], "big") <= left:
            raise ValueError("a wrong checksum")

    return _recover(log, bad)


def recover_refuses_older_frames(log: bytes) -> Records:
    """Takes any whole frame behind a bad one for a proof."""

    def bad(log: bytes, bad: int, expected: int) -> None:
        for at in range(bad + 1, len(log)):
            with suppress(CorruptionError):
                unseal(log, at)
                raise ValueError("damage")

    return _recover(log, bad)


def recover_ignores_the_sequence(log: bytes) -> Records:
    """Takes frames in whatever order they stand."""
    return _recover(log, ordered=False)


def recover_puts_none(log: bytes) -> Records:
    """Stores None for a deletion."""
    return _recover(log, applied=_put_all)


def recover_insists_on_keys(log: bytes) -> Records:
    """Raises a KeyError for the deletion of what isn't there."""
    return _recover(log, applied=_insist)


def recover_ignores_deletions(log: bytes) -> Records:
    """Lets what was deleted come back."""
    return _recover(log, applied=put_only)


def recover_deletes_if_empty(log: bytes) -> Records:
    """Takes an empty value for none."""
    return _recover(log, applied=delete_if_empty)
