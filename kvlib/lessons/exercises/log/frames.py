"""Small logs for the exercises of notebook 3, and ways to read and apply them wrongly."""

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
    """Return frames around the payloads, numbered from 1."""
    frames = (kvlib.seal(b"M", number, payload) for number, payload in enumerate(payloads, 1))
    return b"".join(frames)


PUT: Final = encode_put("a", "1")
DELETE: Final = encode_delete("a")
FIRST: Final = sealed(PUT)
SECOND: Final = sealed(PUT, DELETE)

EMPTY_LOST: Final = (
    "An empty value is gone: `if value` treats it as missing. How can you tell an empty value "
    "from a missing one?"
)


def frames_of(data: bytes) -> list[Frame]:
    """Return the frames, all of which must be whole."""
    frames: list[Frame] = []
    end = 0
    while end < len(data):
        frames.append(unseal(data, end))
        end = frames[-1].end
    return frames


def span(log: bytes) -> tuple[int, int, int]:
    """Return the start, the end and the sequence number of the last whole frame."""
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
    """Return a function that applies mutations, with its own way to put or delete."""

    def applied(mutations: list[Mutation], items: Records) -> None:
        for key, value in mutations:
            if value is None:
                delete(items, key)
            else:
                put(items, key, value)

    return applied


insist: Final = applying(delete=dict.__delitem__)


def put_all(mutations: list[Mutation], items: Records) -> None:
    """Apply a deletion by putting None."""
    items.update(mutations)


def put_only(mutations: list[Mutation], items: Records) -> None:
    """Apply puts, and skip deletions."""
    items.update((key, value) for key, value in mutations if value is not None)


def delete_if_empty(mutations: list[Mutation], items: Records) -> None:
    """Delete the key if the value is empty."""
    for key, value in mutations:
        if value:
            items[key] = value
        else:
            items.pop(key, None)
