"""Accidents that happen to bytes."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def below(chance: Random, end: int) -> int:
    """Return a number from 0 to end - 1; randrange takes longer than the code under test."""
    return int(chance.random() * end)


def pick(chance: Random, choices: Sequence[T]) -> T:
    """Return one of the choices."""
    return choices[int(chance.random() * len(choices))]


U8 = [*b"bsPDMmCHS\0\1\xff"]
U32 = [0, 1, 2, 3, 9, 255, 65_535, 2**24, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]
U64 = [*U32, 2**32, 2**53, 2**63 - 2, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1]


def extreme(chance: Random, value: int, choices: list[int]) -> int:
    """Return a number at an end of the range, or close to `value`."""
    if chance.random() < 0.5:
        return pick(chance, choices)
    return max(0, min(choices[-1], value + pick(chance, (-2, -1, 1, 2, 256))))


def _overwrite(old: bytes, what: int, chance: Random) -> bytes:
    """Return bytes that overwrite others; the next four are `old`."""
    if what < 2:
        return bytes([(old[0] if old else 0) ^ 1 << below(chance, 8)])
    if what == 2:
        return bytes([pick(chance, U8)])
    if what == 3:
        return chance.randbytes(1)
    if what == 4:
        return pick(chance, U32).to_bytes(4, "big")
    if what == 5:
        return pick(chance, U64).to_bytes(8, "big")
    if what == 6:
        return extreme(chance, int.from_bytes(old, "big"), U32).to_bytes(4, "big")
    return bytes(1 + below(chance, 16))


def _cut(size: int, other: bytes, chance: Random) -> tuple[int, bytes, int]:
    """Return where data stops, what follows, and where data resumes."""
    at = below(chance, size + 1)
    end = min(size, at + 1 + below(chance, size + 1))
    accidents = [
        (at, chance.randbytes(1 + below(chance, 8)), at),  # an insertion
        (at, b"", size),  # a cut
        (at, b"", end),  # a loss
        (end, b"", at),  # a repetition
        (at, other[below(chance, len(other) + 1) :], size),  # another end
        (size, other, size),  # an addition
    ]
    return pick(chance, accidents)


def _spoil(data: bytes, other: bytes, chance: Random) -> bytes:
    what = below(chance, 14)
    if what < 8:
        at = below(chance, len(data) + 1)
        new = _overwrite(data[at : at + 4], what, chance)
        return data[:at] + new + data[at + len(new) :]
    stop, new, resume = _cut(len(data), other, chance)
    return data[:stop] + new + data[resume:]


def spoil(data: bytes, others: Sequence[bytes], chance: Random) -> bytes:
    """Let one accident happen, sometimes more; `others` are what data is spliced with."""
    while True:
        data = _spoil(data, pick(chance, others), chance)
        if chance.random() < 0.75:
            return data[:4096]
