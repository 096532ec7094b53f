"""What the exercises about a log share: small logs, and how wrong answers read and apply theirs."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import kvlib
from kvlib.errors import CorruptionError
from kvlib.frame import Frame, unseal
from kvlib.lessons.exercises.fields import Item, Records
from kvlib.log import Mutation, encode_delete, encode_put

Apply = Callable[[list[Mutation], Records], None]


def sealed(*payloads: bytes) -> bytes:
    """Frames around the payloads, numbered from 1."""
    frames = (kvlib.seal(b"M", number, payload) for number, payload in enumerate(payloads, 1))
    return b"".join(frames)


PUT: Final = encode_put("a", "1")
DELETE: Final = encode_delete("a")
FIRST: Final = sealed(PUT)
SECOND: Final = sealed(PUT, DELETE)

EMPTY_LOST: Final = (
    "A value that is empty is gone: `if value` takes it for none. What tells an empty value from a "
    "missing one?"
)


def frames_of(data: bytes) -> list[Frame]:
    """The frames, which all have to be whole."""
    frames: list[Frame] = []
    end = 0
    while end < len(data):
        frames.append(unseal(data, end))
        end = frames[-1].end
    return frames


def span(log: bytes) -> tuple[int, int, int]:
    """Where the last whole frame begins and ends, and its sequence number."""
    start, end, sequence = 0, 0, 0
    with suppress(CorruptionError):
        while end < len(log):
            frame = unseal(log, end)
            start, end, sequence = frame.start, frame.end, frame.sequence
    return start, end, sequence


def _forget(items: Records, key: Item) -> None:
    items.pop(key, None)


def applying(
    put: Callable[[Records, Item, Item], object] = dict.__setitem__,
    delete: Callable[[Records, Item], object] = _forget,
) -> Apply:
    """A way to apply mutations that puts, or deletes, in another way."""

    def applied(mutations: list[Mutation], items: Records) -> None:
        for key, value in mutations:
            if value is None:
                delete(items, key)
            else:
                put(items, key, value)

    return applied


insist: Final = applying(delete=dict.__delitem__)


def put_all(mutations: list[Mutation], items: Records) -> None:
    """Apply a deletion as if None were put."""
    items.update(mutations)


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
