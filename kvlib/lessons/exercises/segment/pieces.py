"""Small segments for the exercises of notebook 2, and how people cut a stream wrongly."""

from collections.abc import Callable, Iterator
from typing import Final

from kvlib.lessons.relations import Message, Part, Spelling, segment_messages
from kvlib.segments import split

(LONE,) = split(b"a", 9)
A2, B2 = split(b"ab", 9)
A3, B3, C3 = split(b"abc", 9)


def _sliced(stream: bytes, size: int, step: int = 0) -> list[bytes]:
    size = max(size, 1)
    return [stream[at : at + size] for at in range(0, len(stream), step or size)] or [b""]


def _wrong_cuts(stream: bytes, limit: int) -> Iterator[tuple[str, list[bytes]]]:
    """Yield wrong ways to cut a stream into pieces, and the feedback for each."""
    size = limit - 8
    right = _sliced(stream, size)
    yield (
        (
            "You forgot the header, which takes 8 bytes of each segment. The limit covers "
            "both, so how "
            "many bytes are left for the stream?"
        ),
        _sliced(stream, limit),
    )
    yield (
        ("Your pieces leave room for 4 bytes of header, but it has two numbers of 4 bytes each."),
        _sliced(stream, limit - 4),
    )
    yield (
        (
            "Your pieces are 8 bytes longer than the limit: the header's size was added, not "
            "taken away."
        ),
        _sliced(stream, limit + 8),
    )
    yield (
        (
            "Your pieces are one byte shorter than they could be. A segment may be exactly as "
            "long as "
            "the limit."
        ),
        _sliced(stream, size - 1),
    )
    yield "Your pieces are one byte too long for the limit.", _sliced(stream, size + 1)
    yield "Your pieces leave room for two headers.", _sliced(stream, size - 8)
    yield (
        (
            "You drop the bytes at the end that don't fill a piece. Does your division round "
            "down or up?"
        ),
        [stream[n * size : (n + 1) * size] for n in range(len(stream) // size)],
    )
    yield (
        (
            "You drop the bytes at the end that don't fill a piece, except where there is "
            "nothing else. "
            "Does your division round down or up?"
        ),
        [stream[n * size : (n + 1) * size] for n in range(max(1, len(stream) // size))],
    )
    yield (
        (
            "You return nothing for an empty stream, which looks exactly as if everything were "
            "lost. "
            "How many pieces must there be at least?"
        ),
        right if stream else [],
    )
    yield (
        (
            "There is an empty piece too many where the last one is exactly full. Round up "
            "instead of "
            "rounding down and adding one."
        ),
        [stream[n * size : (n + 1) * size] for n in range(len(stream) // size + 1)],
    )
    yield "There is an empty piece too many at the end.", [*right, b""]
    count = len(right)
    even = -(-len(stream) // count) or 1
    yield (
        (
            "Your pieces are all about the same length. Fill each one up to the limit instead: "
            "only the "
            "last may be shorter."
        ),
        _sliced(stream, even),
    )
    yield (
        ("Your first piece is the short one. Only the last may be shorter than the others."),
        [
            piece
            for piece in [
                stream[: len(stream) % size],
                *_sliced(stream[len(stream) % size :], size),
            ]
            if piece
        ]
        or [b""],
    )
    yield (
        (
            "You fill up the last piece with bytes that were never stored. How would a reader "
            "know that "
            "they don't belong to the stream?"
        ),
        [piece.ljust(size, b"\0") for piece in right],
    )
    yield (
        (
            "You return only the first piece, and the rest is lost. Is there a `return` inside "
            "the loop?"
        ),
        right[:1],
    )
    yield (
        ("The last piece is missing. What must happen to what was collected when the loop ends?"),
        right[:-1] or [b""],
    )
    yield "The last piece is missing.", right[:-1]
    yield "The first piece is missing.", right[1:] or [b""]
    yield (
        ("A piece begins at each byte of the stream. By how much does your loop move on?"),
        _sliced(stream, size, 1),
    )
    yield (
        (
            "Bytes are missing between the pieces. Does each piece begin where the one before "
            "it ended?"
        ),
        [piece[: size - 1] for piece in right],
    )
    yield (
        ("Pieces overlap. Does each one begin where the one before it ended?"),
        _sliced(stream, size, max(1, size - 1)),
    )
    yield "The pieces are in the opposite order.", right[::-1]
    yield "The whole stream is in one piece, however long it is.", [stream]
    lines = b"".join(stream.split(b"\n"))
    yield (
        (
            "The byte 0a is lost: in a pattern, `.` matches any byte but that one, and "
            "`splitlines` "
            "splits at it. The stream is bytes, not lines."
        ),
        _sliced(lines, size) if b"\n" in stream else right,
    )
    yield (
        ("White space at the ends of the stream is lost. Every byte counts: don't strip."),
        _sliced(stream.strip(), size),
    )


HEADED: Final = (
    "Your pieces already have headers, but this exercise asks for bare pieces. Keep the "
    "headers for "
    "the next exercise."
)


def _spell(pack: Callable[[list[bytes]], list[Message]]) -> Callable[[bytes, int], Spelling]:
    def spell(stream: bytes, limit: int) -> Spelling:
        right = {"": pack(_sliced(stream, limit - 8))}
        return right | {says: pack(pieces) for says, pieces in _wrong_cuts(stream, limit)}

    return spell


def _bare(pieces: list[bytes]) -> list[Message]:
    return [((Part("piece", piece),),) for piece in pieces]


def spell_headers(pieces: list[bytes]) -> Spelling:
    """Return how segments of these pieces are spelled."""
    return {"": segment_messages(pieces)}


def spell_pieces(stream: bytes, limit: int) -> Spelling:
    """Return how the pieces of a stream are spelled."""
    return {**_spell(_bare)(stream, limit), HEADED: segment_messages(_sliced(stream, limit - 8))}


spell_segments: Final = _spell(segment_messages)
READABLE: Final = tuple(
    (segment_messages(pieces), b"".join(pieces))
    for pieces in ([b"a"], [b"ab", b"c"], [b"abc", b"def", b"g"], [bytes([n]) for n in range(12)])
)
