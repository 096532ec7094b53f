"""Wrong answers to 02-split-join."""

from typing import Any, Final

from kvlib.lessons.exercise import mistake
from kvlib.lessons.exercises.collected import mistakes_in
from kvlib.lessons.exercises.fields import u32
from kvlib.lessons.exercises.segment.header import (
    header_counts_from_1,
    header_is_little_endian,
    header_totals_the_last_index,
    header_without_total,
)
from kvlib.lessons.exercises.segment.pieces import Segments, headed, pieces_of, size_of
from kvlib.lessons.exercises.segment.split import (
    cut_adds_an_empty_one,
    cut_drops_the_last,
    cut_forgets_the_header,
    cut_gives_none_for_empty,
    cut_mends_the_limit,
)

Part = tuple[int, int, bytes]  # index, total, piece


@mistake(cut_forgets_the_header.sentence)
def split_forgets_the_header(stream: bytes, limit: int) -> Segments:
    """Make segments that are 8 bytes too long."""
    return headed(cut_forgets_the_header.answer(stream, limit))


@mistake(cut_drops_the_last.sentence)
def split_drops_the_last(stream: bytes, limit: int) -> Segments:
    """Round down."""
    return headed(cut_drops_the_last.answer(stream, limit))


@mistake(cut_gives_none_for_empty.sentence)
def split_gives_none_for_empty(stream: bytes, limit: int) -> Segments:
    """Make no segments for an empty stream."""
    return headed(cut_gives_none_for_empty.answer(stream, limit))


@mistake(cut_adds_an_empty_one.sentence)
def split_adds_an_empty_one(stream: bytes, limit: int) -> Segments:
    """Make one too many where the last is full."""
    return headed(cut_adds_an_empty_one.answer(stream, limit))


@mistake(header_counts_from_1.sentence)
def split_counts_from_1(stream: bytes, limit: int) -> Any:
    """Count from 1."""
    return header_counts_from_1.answer(pieces_of(stream, size_of(limit)))


@mistake(header_totals_the_last_index.sentence)
def split_totals_the_last_index(stream: bytes, limit: int) -> Any:
    """Use the last index as the total."""
    return header_totals_the_last_index.answer(pieces_of(stream, size_of(limit)))


@mistake(header_is_little_endian.sentence)
def split_is_little_endian(stream: bytes, limit: int) -> Any:
    """Write numbers in little-endian order."""
    return header_is_little_endian.answer(pieces_of(stream, size_of(limit)))


@mistake(
    "Your piece comes right after the index. How would `join` notice that the last segment is lost?"
)
def split_without_total(stream: bytes, limit: int) -> Any:
    """Write only the index, but leave room for both numbers."""
    return header_without_total.answer(pieces_of(stream, size_of(limit)))


@mistake("You return the bare pieces. How will `join` know their order, and how many there were?")
def split_without_headers(stream: bytes, limit: int) -> Segments:
    """Return the pieces as they are."""
    return pieces_of(stream, size_of(limit))


@mistake(cut_mends_the_limit.sentence)
def split_mends_the_limit(stream: bytes, limit: int) -> Segments:
    """Replace a limit that is too small."""
    return headed(cut_mends_the_limit.answer(stream, limit))


def parts_of(segments: Segments, order: Any = "big") -> list[Part]:
    """Return the index, total and piece of each segment, in the order in which they came."""
    if any(len(segment) < 8 for segment in segments):
        raise ValueError("a header is cut short")
    return [
        (int.from_bytes(one[:4], order), int.from_bytes(one[4:8], order), one[8:])
        for one in segments
    ]


def _demand(right: bool) -> None:
    """Raise a ValueError unless the condition holds."""
    if not right:
        raise ValueError("the segments aren't what their headers promise")


def _indexes(parts: list[Part]) -> list[int]:
    return sorted(index for index, _, _ in parts)


def _totals(parts: list[Part]) -> set[int]:
    return {total for _, total, _ in parts}


def checked(segments: Segments, order: Any = "big") -> list[Part]:
    """Return all the parts, checked and in order."""
    parts = parts_of(segments, order)
    _demand(_totals(parts) == {len(parts)} and _indexes(parts) == [*range(len(parts))])
    return sorted(parts)


def glued(parts: list[Part]) -> bytes:
    """Join the pieces."""
    return b"".join(piece for _, _, piece in parts)


@mistake(
    "You join the pieces in the order in which they came. What in a segment says where it belongs?",
    of=1,
)
def join_in_storage_order(segments: Segments) -> bytes:
    """Check everything, then join in the order of arrival."""
    checked(segments)
    return glued(parts_of(segments))


@mistake(
    "You join segments that don't belong together, or aren't complete. Which two promises does "
    "each header make, and where do you check them for each segment?",
    of=1,
)
def join_checks_nothing(segments: Segments) -> bytes:
    """Sort and join without any check."""
    return glued(sorted(parts_of(segments)))


@mistake(
    "You treat no segments as an empty stream. But an empty stream has one segment, so what does "
    "it mean if there is none?",
    of=1,
)
def join_takes_none(segments: Segments) -> bytes:
    """Accept no segments as an empty stream."""
    return glued(checked(segments)) if segments else b""


@mistake(
    "You accept a segment that occurs twice: in a dict, the second overwrites the first. When "
    "could you notice?",
    of=1,
)
def join_takes_doubled(segments: Segments) -> bytes:
    """Let the second segment overwrite the first."""
    pieces = {index: (index, total, piece) for index, total, piece in parts_of(segments)}
    parts = sorted(pieces.values())
    _demand(_totals(parts) == {len(parts)} and _indexes(parts) == [*range(len(parts))])
    return glued(parts)


@mistake(
    "When segments are lost at the end, the indexes have no gap, so you see a shorter stream. "
    "What else is in a header?",
    of=1,
)
def join_looks_for_gaps_only(segments: Segments) -> bytes:
    """Check the indexes, but never a total."""
    parts = parts_of(segments)
    _demand(bool(parts) and _indexes(parts) == [*range(len(parts))])
    return glued(sorted(parts))


@mistake(
    "The number of segments is right, but some index occurs twice or is missing. How can both "
    "happen at once and the number still be right?",
    of=1,
)
def join_counts_only(segments: Segments) -> bytes:
    """Compare only the number of segments with the total."""
    parts = parts_of(segments)
    _demand(_totals(parts) == {len(parts)})
    return glued(sorted(parts))


@mistake(
    "You accept a segment with another total, so you mix pieces from two streams. How many of the "
    "totals did you look at?",
    of=1,
)
def join_asks_one_for_the_total(segments: Segments) -> bytes:
    """Check the total of the first segment only."""
    parts = parts_of(segments)
    _demand(bool(parts) and parts[0][1] == len(parts) and _indexes(parts) == [*range(len(parts))])
    return glued(sorted(parts))


@mistake(
    "You compare one total with the number of segments, and that is all. Could one segment occur "
    "twice while another is lost, or could one come from elsewhere?",
    of=1,
)
def join_compares_one_total(segments: Segments) -> bytes:
    """Compare one total with the number of segments."""
    parts = sorted(parts_of(segments))
    _demand(bool(parts) and parts[0][1] == len(parts))
    return glued(parts)


@mistake(
    "You return everything up to the first gap. Half a stream that looks whole is worse than an "
    "error.",
    of=1,
)
def join_stops_at_a_gap(segments: Segments) -> bytes:
    """Return the pieces up to the first gap."""
    parts = parts_of(segments)
    _demand(len(_totals(parts)) == 1 and len(set(_indexes(parts))) == len(parts))
    _demand(_indexes(parts)[-1] < max(_totals(parts)))
    return glued([part for at, part in enumerate(sorted(parts)) if part[0] == at])


@mistake("You joined the headers too. Where does the piece begin in a segment?", of=1)
def join_leaves_the_header(segments: Segments) -> bytes:
    """Join whole segments."""
    return b"".join(u32(index) + u32(total) + piece for index, total, piece in checked(segments))


@mistake("You joined the totals too, because you cut off only half of each header.", of=1)
def join_leaves_the_total(segments: Segments) -> bytes:
    """Cut off only the index."""
    return b"".join(u32(total) + piece for _, total, piece in checked(segments))


@mistake(
    "You refuse segments that are right. Print the index and the total that you read: do you read "
    "them as big-endian, and count from 0?",
    of=1,
)
def join_is_little_endian(segments: Segments) -> bytes:
    """Read numbers in little-endian order, and refuse them."""
    return glued(checked(segments, "little"))


@mistake(
    "A slice past the end doesn't complain: it returns whatever is left. How long is a segment at "
    "least?",
    of=1,
)
def join_takes_half_a_header(segments: Segments) -> bytes:
    """Slice past the end."""
    return glued(checked([segment[:4] + segment[4:].rjust(4, b"\0") for segment in segments]))


MISTAKES: Final = mistakes_in(globals())
