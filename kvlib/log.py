r"""Mutations <-> frames, and what the end of a log can look like after a crash. Pure.

    mutations payload = one or more of  'P' key field value field | 'D' key field
    kind 'M': every frame before this one had been fsynced when it was written; 'm': no such promise

>>> encode_put("k", b"v").hex(" ")
'50 73 00 00 00 01 6b 62 00 00 00 01 76'
>>> decode_mutations(encode_put("k", b"v") + encode_delete("k"))
[('k', b'v'), ('k', None)]

A bad frame is a torn tail if nothing after it had been acknowledged: it is dropped and reported. If
a later frame promises that the bad one had been fsynced, the log is damaged and is rejected. A
forgiving reader would drop everything after one flipped bit and call it a crash.
"""

import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import call, itemgetter
from typing import Any, Final, NamedTuple

from kvlib.encoding import FieldHeaders, Item, decode_field, encode_field
from kvlib.errors import CorruptionError, TornError, check_bytes
from kvlib.frame import (
    CLOSE,
    HEADER,
    MUTATIONS,
    UNSYNCED_MUTATIONS,
    Frame,
    find_candidates,
    unseal,
)
from kvlib.parts import Part, Parts

Mutation = tuple[Item, Item | None]  # a key and its new value; None: the key is deleted

OPERATION: Final = Parts(Part("operation", "1 byte"))
PUT: Final = b"P"
DELETE: Final = b"D"
LOG_KINDS: Final = (MUTATIONS, UNSYNCED_MUTATIONS, CLOSE)
SEARCH_BUDGET: Final = 64  # bytes checksummed in a search, per byte searched

TOO_MUCH_WORK: Final = "what follows was made to keep a reader searching forever"


def encode_put(key: Item, value: Item) -> bytes:
    """Return the mutation that sets `key` to `value`."""
    return PUT + encode_field(key) + encode_field(value)


def encode_delete(key: Item) -> bytes:
    """Return the mutation that deletes `key`."""
    return DELETE + encode_field(key)


class Step(NamedTuple):
    """One mutation of a payload: its start, the end of its key field, and its end, as offsets."""

    start: int
    key: Item
    key_end: int
    value: Item | None
    end: int


def decode_steps(payload: bytes) -> Iterator[Step]:
    """Yield the mutations of a payload, checking every byte; CorruptionError at a flaw."""
    payload = check_bytes(payload)
    offset = 0
    if not payload:
        raise CorruptionError(None, 0, "a mutations frame without a mutation")
    while offset < len(payload):
        (operation,) = OPERATION.unpack_from(payload, offset)
        if operation not in (PUT, DELETE):
            reason = f"operation {operation!r} is neither b'P' (put) nor b'D' (delete)"
            raise CorruptionError(None, offset, reason)
        key, key_end = decode_field(payload, offset + OPERATION.size)
        value, end = decode_field(payload, key_end) if operation == PUT else (None, key_end)
        yield Step(offset, key, key_end, value, end)
        offset = end


def decode_mutations(payload: bytes, headers: FieldHeaders | None = None) -> list[Mutation]:
    """Return the mutations of a payload. Calls that share `headers` are faster.

    Raises CorruptionError, its offset counted from the start of the payload.
    """
    # Fast, as encoding.decode_snapshot is; in doubt the strict decoder runs and says what is wrong.
    headers = FieldHeaders() if headers is None else headers
    read = io.BytesIO(payload).read
    mutations: list[Mutation] = []
    size = 0
    try:
        while operation := read(1):
            is_text, length = headers[read(5)]
            size += 6 + length
            raw = read(length)
            key, value = raw.decode() if is_text else raw, None
            if operation == PUT:
                is_text, length = headers[read(5)]
                size += 5 + length
                raw = read(length)
                value = raw.decode() if is_text else raw
            elif operation != DELETE:
                break
            mutations.append((key, value))
        else:
            if size == len(payload) and payload:
                return mutations
    except (CorruptionError, UnicodeDecodeError):
        pass
    return [(step.key, step.value) for step in decode_steps(payload)]


def check_log_frame(frame: Frame) -> None:
    """Raise CorruptionError for a whole frame that no log contains."""
    if frame.kind not in LOG_KINDS:
        raise frame.corruption("kind", f"kind {frame.kind!r} inside a log")
    if frame.kind == CLOSE and frame.payload:
        raise frame.corruption("length", "a close frame with a payload")


def scan(data: bytes, offset: int, sequence: int, salt: int) -> Iterator[Frame]:
    """Yield the frames of a log from `offset` on; `sequence` is that of the frame before.

    Stops before a torn tail: the caller sees it by the bytes that are left. Raises CorruptionError
    if something that was acknowledged is damaged.
    """
    data = check_bytes(data, offset)
    while offset < len(data):
        try:
            frame = unseal(data, offset, salt)
        except TornError as flaw:
            _reject_damage(data, offset, sequence + 1, salt, flaw)
            return
        if frame.sequence != sequence + 1:
            reason = f"sequence {frame.sequence}, expected {sequence + 1}"
            raise frame.corruption("sequence", reason)
        check_log_frame(frame)
        yield frame
        offset, sequence = frame.end, frame.sequence


def _reject_damage(data: bytes, bad: int, expected: int, salt: int, flaw: TornError) -> None:
    """Raise CorruptionError if a later frame promises that the bad one had been fsynced."""
    left = len(data) - bad
    highest = expected + left // HEADER.size
    work = 0
    for at, size in find_candidates(data, bad + 1, MUTATIONS + CLOSE, expected + 1, highest):
        work += size
        if work > SEARCH_BUDGET * left:
            raise CorruptionError(None, flaw.offset, f"{flaw.reason}; {TOO_MUCH_WORK}")
        try:
            later = unseal(data, at, salt)
        except TornError:
            continue
        reason = f"{flaw.reason}; not a torn tail: the frame at offset {at}"
        reason += f" (sequence {later.sequence}) promises that this one had been fsynced"
        raise CorruptionError(None, flaw.offset, reason)


@dataclass(frozen=True)
class Replay:
    """The result of replaying a log.

    Attributes:
        sequence: the last whole frame's sequence.
        end: the offset at which that frame ends.
        mutations: how many mutations were applied.
        closed: whether the last frame is a close frame.
    """

    sequence: int
    end: int
    mutations: int
    closed: bool


def replay(data: bytes, offset: int, sequence: int, salt: int, items: dict[Item, Item]) -> Replay:
    """Apply the mutations of the log `data` from `offset` on to `items`, in place.

    Raises CorruptionError, as `scan` does, and for a whole frame with a bad payload.
    """
    count, closed, headers = 0, False, FieldHeaders()
    for frame in scan(data, offset, sequence, salt):
        offset, sequence, closed = frame.end, frame.sequence, frame.kind == CLOSE
        if closed:
            continue
        try:
            mutations = decode_mutations(frame.payload, headers)
        except CorruptionError as error:
            raise error.within(None, frame.start + HEADER.size) from error
        apply(mutations, items)
        count += len(mutations)
    return Replay(sequence, offset, count, closed)


def apply(mutations: list[Mutation], items: dict[Item, Item]) -> None:
    """Change `items` as `mutations` say, in one step. Doing it twice is the same as once."""
    if None in map(itemgetter(1), mutations):
        in_one_step(
            partial(items.pop, key, None)
            if value is None
            else partial(items.__setitem__, key, value)
            for key, value in mutations
        )
    else:
        items.update(mutations)  # type: ignore[arg-type]  # there is no None


def in_one_step(changes: Iterable[Callable[[], Any]]) -> None:
    """Call all of `changes`, which are methods of built-in types, with nothing in between.

    Python handles signals and switches threads between two bytecodes. A loop runs many of them, but
    here a single one consumes the whole list: neither Ctrl-C nor another thread sees part of it.
    """
    deque(map(call, list(changes)), maxlen=0)
