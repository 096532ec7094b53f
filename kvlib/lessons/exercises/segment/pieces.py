"""Small segments for the exercises of notebook 2, and how people cut a stream wrongly."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from kvlib.lessons.relations import Message, Part, Spelling, segment_messages
from kvlib.segments import split

(LONE,) = split(b"a", 9)
A2, B2 = split(b"ab", 9)
A3, B3, C3 = split(b"abc", 9)
A4, _, _, D4 = split(b"abcd", 9)


def _sliced(stream: bytes, size: int, step: int = 0) -> list[bytes]:
    size = max(size, 1)
    return [stream[at : at + size] for at in range(0, len(stream), step or size)] or [b""]


def _first_short(stream: bytes, size: int) -> list[bytes]:
    cut = len(stream) % size
    return [piece for piece in (stream[:cut], *_sliced(stream[cut:], size)) if piece] or [b""]


# How people cut a stream wrongly, from the stream and the room in a segment, and what to say.
WRONG_CUTS: Final[Mapping[str, Callable[[bytes, int], list[bytes]]]] = {
    "You forgot the header, which takes 8 bytes of each segment. The limit covers both, so how "
    "many "
    "bytes are left for the stream?": lambda s, n: _sliced(s, n + 8),
    "Your pieces leave room for too small a header: it has two numbers of 4 bytes each.": (
        lambda s, n: _sliced(s, n + 4)
    ),
    "Your pieces are 8 bytes longer than the limit: the header's size was added, not taken away.": (
        lambda s, n: _sliced(s, n + 16)
    ),
    "A stream that is no longer than the limit is not cut, but its header needs room too.": (
        lambda s, n: [s] if len(s) <= n + 8 else _sliced(s, n)
    ),
    "Your pieces are one byte shorter than they could be. A segment may be exactly as long as the "
    "limit.": lambda s, n: _sliced(s, n - 1),
    "Your pieces are one byte too long for the limit.": lambda s, n: _sliced(s, n + 1),
    "Your pieces leave room for two headers.": lambda s, n: _sliced(s, n - 8),
    "You drop the bytes at the end that don't fill a piece. Does your division round down or up?": (
        lambda s, n: [s[at * n : (at + 1) * n] for at in range(len(s) // n)]
    ),
    "You drop the bytes at the end that don't fill a piece, except where there is nothing "
    "else. Does "
    "your division round down or up?": (
        lambda s, n: [s[at * n : (at + 1) * n] for at in range(max(1, len(s) // n))]
    ),
    "You return nothing for an empty stream, which looks exactly as if everything were lost. How "
    "many pieces must there be at least?": lambda s, n: _sliced(s, n) if s else [],
    "There is an empty piece too many where the last one is exactly full. Round up instead of "
    "rounding down and adding one.": (
        lambda s, n: [s[at * n : (at + 1) * n] for at in range(len(s) // n + 1)]
    ),
    "There is an empty piece too many at the end.": lambda s, n: [*_sliced(s, n), b""],
    "Your pieces are all about the same length. Fill each one up to the limit instead: only "
    "the last "
    "may be shorter.": lambda s, n: _sliced(s, -(-len(s) // len(_sliced(s, n)))),
    "Your first piece is the short one. Only the last may be shorter.": _first_short,
    "You fill up the last piece with bytes that were never stored. How would a reader know "
    "that they "
    "don't belong to the stream?": lambda s, n: [one.ljust(n, b"\0") for one in _sliced(s, n)],
    "You return only the first piece, and the rest is lost. Is there a `return` inside the loop?": (
        lambda s, n: _sliced(s, n)[:1]
    ),
    "The last piece is missing. What must happen to what was collected when the loop ends?": (
        lambda s, n: _sliced(s, n)[:-1] or [b""]
    ),
    "The last piece is missing.": lambda s, n: _sliced(s, n)[:-1],
    "The first piece is missing.": lambda s, n: _sliced(s, n)[1:] or [b""],
    "A piece begins at each byte of the stream. By how much does your loop move on?": (
        lambda s, n: _sliced(s, n, 1)
    ),
    "Bytes are missing between the pieces. Does each piece begin where the one before it ended?": (
        lambda s, n: [one[: n - 1] for one in _sliced(s, n)]
    ),
    "Bytes are missing between the pieces: they begin a whole limit apart, header included.": (
        lambda s, n: _sliced(s, n, n + 8)
    ),
    "Pieces overlap. Does each one begin where the one before it ended?": (
        lambda s, n: _sliced(s, n, max(1, n - 1))
    ),
    "The pieces are in the opposite order.": lambda s, n: _sliced(s, n)[::-1],
    "The whole stream is in one piece, however long it is.": lambda s, n: [s],
    "The byte 0a is lost: in a pattern, `.` matches any byte but that one. The stream is "
    "bytes, not "
    "lines.": lambda s, n: re.findall(b".{1,%d}" % n, s) or [b""],
    "The byte 0a is lost: in a pattern, `.` matches any byte but that one. And an empty stream "
    "gives "
    "no piece.": lambda s, n: re.findall(b".{1,%d}" % n, s),
    "The byte 0a is lost: the stream is bytes, not lines.": (
        lambda s, n: _sliced(s.replace(b"\n", b""), n)
    ),
    "White space at the ends of the stream is lost. Every byte counts: don't strip.": (
        lambda s, n: _sliced(s.strip(), n)
    ),
}


HEADED: Final = (
    "Your pieces already have headers, but this exercise asks for bare pieces. Keep the "
    "headers for "
    "the next exercise."
)


def _spell(pack: Callable[[list[bytes]], list[Message]]) -> Callable[[bytes, int], Spelling]:
    def spell(stream: bytes, limit: int) -> Spelling:
        wrong = {says: pack(cut(stream, limit - 8)) for says, cut in WRONG_CUTS.items()}
        return {"": pack(_sliced(stream, limit - 8)), **wrong}

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
