"""Small logs for the exercises of notebook 3."""

from collections.abc import Iterator
from typing import Any, Final

from kvlib.errors import KvlibError
from kvlib.frame import seal, unseal
from kvlib.lessons.exercises.stores import Operation
from kvlib.log import decode_mutations, encode_delete, encode_put
from kvlib.plural import count
from kvlib.views.plain import written


def sealed(*payloads: bytes) -> bytes:
    """Return frames around the payloads, numbered from 1."""
    return b"".join(seal(b"M", number, payload) for number, payload in enumerate(payloads, 1))


PUT: Final = encode_put("a", "1")
DELETE: Final = encode_delete("a")
FIRST: Final = sealed(PUT)
SECOND: Final = sealed(PUT, DELETE)


def log_of(operations: list[Operation]) -> bytes:
    """Return the log of these puts and deletions: a frame for each, unless it begins with "and"."""
    payloads: list[bytes] = []
    for operation in operations:
        name, *arguments = operation[1:] if operation[0] == "and" else operation
        mutation = encode_put(*arguments) if name == "put" else encode_delete(*arguments)
        if operation[0] == "and":
            payloads[-1] += mutation
        else:
            payloads.append(mutation)
    return sealed(*payloads)


def write_log(value: Any) -> str:
    """Return the bytes of a log as its frames, and any other value as Python writes it.

    >>> write_log(FIRST + b"?")
    "<log: frame 1 puts 'a' = '1', 1 other byte>"
    """
    if type(value) is not bytes or len(value) > MOST:
        return written(value)
    return f"<log: {', '.join(_frames(value)) or 'no bytes'}>"


MOST: Final = 1_000  # bytes of a log that is written as frames


def _frames(log: bytes) -> Iterator[str]:
    offset = others = 0
    while offset < len(log):
        try:
            frame = unseal(log, offset)
        except KvlibError:
            offset, others = offset + 1, others + 1
            continue
        yield from _others(others)
        others, offset = 0, frame.end
        yield f"frame {frame.sequence} {_mutations(frame.payload)}"
    yield from _others(others)


def _others(number: int) -> Iterator[str]:
    if number:
        yield count(number, "other byte")


def _mutations(payload: bytes) -> str:
    try:
        mutations = decode_mutations(payload)
    except KvlibError:
        return f"holds {written(payload, 60)}"
    return " and ".join(
        f"deletes {key!r}" if value is None else f"puts {key!r} = {written(value, 60)}"
        for key, value in mutations
    )
