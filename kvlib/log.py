r"""Mutations <-> frames, and what the end of a log can look like after a crash. Pure.

    mutations payload = one or more of  'P' key field value field | 'D' key field
    kind 'M': every frame before this one had been fsynced when it was written; 'm': no such promise

>>> encode_put("k", b"v").hex(" ")
'50 73 00 00 00 01 6b 62 00 00 00 01 76'
>>> decode_mutations(encode_put("k", b"v") + encode_delete("k"))
[('k', b'v'), ('k', None)]

A bad frame is a torn tail if nothing behind it had been acknowledged: then it is dropped, and
reported. If a later frame promises that the bad one had been fsynced, it is damage, and refused.
A forgiving reader would drop everything behind one flipped bit and call it a crash.
"""

import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import call, itemgetter
from typing import Any, Final, NamedTuple

from kvlib.encoding import FieldHeaders, Item, decode_field, encode_field
from kvlib.errors import CorruptionError, TornError, check_bytes
from kvlib.frame import CLOSE, HEADER, MUTATIONS, UNSYNCED_MUTATIONS, Frame, unseal

Mutation = tuple[Item, Item | None]  # a key and its new value; None: the key is deleted

PUT: Final = b"P"
DELETE: Final = b"D"
SEARCH_BUDGET: Final = 64


def encode_put(key: Item, value: Item) -> bytes:
    """The mutation that gives `key` the value `value`."""
    return PUT + encode_field(key) + encode_field(value)


def encode_delete(key: Item) -> bytes:
    """The mutation that deletes `key`."""
    return DELETE + encode_field(key)


class Step(NamedTuple):
    """One mutation of a payload, with the offsets at which its key field and the whole end."""

    start: int
    key: Item
    key_end: int
    value: Item | None
    end: int


def decode_steps(payload: bytes) -> Iterator[Step]:
    """The mutations of a payload, one by one and checked byte by byte."""
    payload = check_bytes(payload)
    offset = 0
    if not payload:
        raise CorruptionError(None, 0, "a mutations frame without a mutation")
    while offset < len(payload):
        operation = payload[offset : offset + 1]
        if operation not in (PUT, DELETE):
            reason = f"operation {operation!r} is neither b'P' (put) nor b'D' (delete)"
            raise CorruptionError(None, offset, reason)
        key, key_end = decode_field(payload, offset + 1)
        value, end = decode_field(payload, key_end) if operation == PUT else (None, key_end)
        yield Step(offset, key, key_end, value, end)
        offset = end


def decode_mutations(payload: bytes, heads: FieldHeaders | None = None) -> list[Mutation]:
    """The mutations of a payload. `heads` is shared between calls for speed."""
    # The fast reading of encoding.decode_snapshot; the strict decoder speaks when in doubt.
    heads = FieldHeaders() if heads is None else heads
    read = io.BytesIO(payload).read
    mutations: list[Mutation] = []
    size = 0
    try:
        while operation := read(1):
            is_text, length = heads[read(5)]
            size += 6 + length
            raw = read(length)
            key, value = raw.decode() if is_text else raw, None
            if operation == PUT:
                is_text, length = heads[read(5)]
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


def scan(data: bytes, offset: int, sequence: int, salt: int) -> Iterator[Frame]:
    """The frames of a log from `offset` on; `sequence` is that of the frame before.

    Ends before a torn tail, if there is one: the caller sees it by the bytes that are left.
    Raises CorruptionError where something that was acknowledged is damaged.
    """
    data = check_bytes(data, offset)
    while offset < len(data):
        try:
            frame = unseal(data, offset, salt)
        except TornError as flaw:
            _refuse_damage(data, offset, sequence + 1, salt, flaw)
            return
        if frame.sequence != sequence + 1:
            reason = f"sequence {frame.sequence}, expected {sequence + 1}"
            raise CorruptionError(None, offset + 8, reason)
        if frame.kind not in (MUTATIONS, UNSYNCED_MUTATIONS, CLOSE):
            raise CorruptionError(None, offset + 16, f"kind {frame.kind!r} inside a log")
        if frame.kind == CLOSE and frame.payload:
            raise CorruptionError(None, offset + 4, "a close frame with a payload")
        yield frame
        offset, sequence = frame.end, frame.sequence


def _refuse_damage(data: bytes, bad: int, expected: int, salt: int, flaw: TornError) -> None:
    """Raise if behind the bad frame stands a whole one that promises it had been fsynced."""
    left = len(data) - bad
    low, high = expected + 1, expected + left // HEADER.size
    # Only places where sequence and kind could stand are tried: the high bytes of the sequence are
    # the same for all of them, and a regular expression finds those fast.
    first, last = low.to_bytes(8, "big"), high.to_bytes(8, "big")
    same = next((at for at in range(8) if first[at] != last[at]), 8)
    pattern = b"(?=%b.{%d}[%b%b])" % (re.escape(first[:same]), 8 - same, MUTATIONS, CLOSE)
    work = 0
    for match in re.compile(pattern, re.DOTALL).finditer(data, bad + 9):
        at = match.start() - 8
        _, length, sequence, _ = HEADER.unpack_from(data, at)
        if not low <= sequence <= high or at + HEADER.size + length > len(data):
            continue
        work += HEADER.size + length
        if work > SEARCH_BUDGET * left:
            reason = f"{flaw.reason}; what follows is made to keep a reader searching for ever"
            raise CorruptionError(None, flaw.offset, reason)
        try:
            unseal(data, at, salt)
        except TornError:
            continue
        reason = f"{flaw.reason}; no torn tail: the frame at offset {at} (sequence {sequence})"
        reason += " says that this one had been fsynced"
        raise CorruptionError(None, flaw.offset, reason)


@dataclass(frozen=True)
class Replay:
    """What a log held behind its head.

    Attributes:
        sequence: that of the last whole frame. end: the offset behind it.
        mutations: how many were applied. closed: whether the last frame is a close.
    """

    sequence: int
    end: int
    mutations: int
    closed: bool


def replay(data: bytes, offset: int, sequence: int, salt: int, items: dict[Item, Item]) -> Replay:
    """Apply the mutations of the log `data` from `offset` on to `items`, in place."""
    count, closed, heads = 0, False, FieldHeaders()
    for frame in scan(data, offset, sequence, salt):
        offset, sequence, closed = frame.end, frame.sequence, frame.kind == CLOSE
        if closed:
            continue
        try:
            mutations = decode_mutations(frame.payload, heads)
        except CorruptionError as error:
            raise error.within(None, frame.start + HEADER.size) from error
        apply(mutations, items)
        count += len(mutations)
    return Replay(sequence, offset, count, closed)


def apply(mutations: list[Mutation], items: dict[Item, Item]) -> None:
    """Change `items` as `mutations` say, in one step; doing so twice is doing it once."""
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
    """Call all of `changes`, which are methods of built-in types, so that nothing comes between.

    Python handles signals and changes threads between two bytecodes. A loop has many of them; here
    a single one consumes the whole list, so neither Ctrl-C nor another thread sees a part of it.
    """
    deque(map(call, list(changes)), maxlen=0)
