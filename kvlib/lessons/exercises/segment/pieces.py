"""Small segments for the exercises of notebook 2, and ways to build wrong ones."""

from collections.abc import Callable

from kvlib.lessons import solutions
from kvlib.lessons.exercises.fields import u32

Segments = list[bytes]
Header = Callable[[int, int], bytes]  # called with an index and a total

(LONE,) = solutions.split(b"a", 9)
A2, B2 = solutions.split(b"ab", 9)
A3, B3, C3 = solutions.split(b"abc", 9)


def size_of(limit: int) -> int:
    """Return how many bytes of a stream fit into a segment; raise a ValueError if none do."""
    if limit < 9:
        raise ValueError("no room for a byte")
    return limit - 8


def pieces_of(stream: bytes, size: int) -> list[bytes]:
    """Return the pieces, without headers."""
    return [stream[at : at + size] for at in range(0, len(stream), size)] or [b""]


def headed(
    pieces: list[bytes], header: Header = lambda index, total: u32(index) + u32(total)
) -> Segments:
    """Return each piece after its header."""
    return [header(index, len(pieces)) + piece for index, piece in enumerate(pieces)]
