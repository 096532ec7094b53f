"""Wrong answers to 02-split-join."""

from typing import Any, Final

from kvlib.lessons.exercise import mistake
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
    """Makes segments that are 8 bytes too long."""
    return headed(cut_forgets_the_header.answer(stream, limit))


@mistake(cut_drops_the_last.sentence)
def split_drops_the_last(stream: bytes, limit: int) -> Segments:
    """Rounds down."""
    return headed(cut_drops_the_last.answer(stream, limit))


@mistake(cut_gives_none_for_empty.sentence)
def split_gives_none_for_empty(stream: bytes, limit: int) -> Segments:
    """Makes no segment of an empty stream."""
    return headed(cut_gives_none_for_empty.answer(stream, limit))


@mistake(cut_adds_an_empty_one.sentence)
def split_adds_an_empty_one(stream: bytes, limit: int) -> Segments:
    """Makes one too many where the last is full."""
    return headed(cut_adds_an_empty_one.answer(stream, limit))


@mistake(header_counts_from_1.sentence)
def split_counts_from_1(stream: bytes, limit: int) -> Any:
    """Calls the first one 1."""
    return header_counts_from_1.answer(pieces_of(stream, size_of(limit)))


@mistake(header_totals_the_last_index.sentence)
def split_totals_the_last_index(stream: bytes, limit: int) -> Any:
    """Takes the last index for the total."""
    return header_totals_the_last_index.answer(pieces_of(stream, size_of(limit)))


@mistake(header_is_little_endian.sentence)
def split_is_little_endian(stream: bytes, limit: int) -> Any:
    """Writes numbers the other way round."""
    return header_is_little_endian.answer(pieces_of(stream, size_of(limit)))


@mistake(
    "The piece begins at once behind the index. How would `join` notice that the last "
    "segment is lost?"
)
def split_without_total(stream: bytes, limit: int) -> Any:
    """Writes the index alone, and leaves room for both."""
    return header_without_total.answer(pieces_of(stream, size_of(limit)))


@mistake("These are the bare pieces. How will `join` know their order, and how many there were?")
def split_without_headers(stream: bytes, limit: int) -> Segments:
    """Gives the pieces as they are."""
    return pieces_of(stream, size_of(limit))


@mistake(cut_mends_the_limit.sentence)
def split_mends_the_limit(stream: bytes, limit: int) -> Segments:
    """Takes a limit that is too small for another one."""
    return headed(cut_mends_the_limit.answer(stream, limit))


def parts_of(segments: Segments, order: Any = "big") -> list[Part]:
    """What each segment says, in the order in which they lie."""
    if any(len(segment) < 8 for segment in segments):
        raise ValueError("a header is cut short")
    return [
        (int.from_bytes(one[:4], order), int.from_bytes(one[4:8], order), one[8:])
        for one in segments
    ]


def _demand(right: bool) -> None:
    """Refuse, as a learner's join does."""
    if not right:
        raise ValueError("what is here is not what was promised")


def _indexes(parts: list[Part]) -> list[int]:
    return sorted(index for index, _, _ in parts)


def _totals(parts: list[Part]) -> set[int]:
    return {total for _, total, _ in parts}


def checked(segments: Segments, order: Any = "big") -> list[Part]:
    """All the parts, in order and checked."""
    parts = parts_of(segments, order)
    _demand(_totals(parts) == {len(parts)} and _indexes(parts) == [*range(len(parts))])
    return sorted(parts)


def glued(parts: list[Part]) -> bytes:
    """The pieces, joined."""
    return b"".join(piece for _, _, piece in parts)


@mistake(
    "The pieces are joined in the order in which they came. What in a segment says where "
    "it belongs?",
    of=1,
)
def join_in_storage_order(segments: Segments) -> bytes:
    """Checks everything, and joins as they come."""
    checked(segments)
    return glued(parts_of(segments))


@mistake(
    "It joins what doesn't belong together, or isn't complete. Each header makes two "
    "promises: which are they, and where do you check both, for each segment?",
    of=1,
)
def join_checks_nothing(segments: Segments) -> bytes:
    """Sorts and joins whatever is there."""
    return glued(sorted(parts_of(segments)))


@mistake(
    "No segment at all is taken for an empty stream. But an empty stream is one segment: "
    "what does it mean if none is there?",
    of=1,
)
def join_takes_none(segments: Segments) -> bytes:
    """Takes no segment for an empty stream."""
    return glued(checked(segments)) if segments else b""


@mistake(
    "A segment that comes twice is accepted: in a dict, the second overwrites the first. "
    "When could you notice?",
    of=1,
)
def join_takes_doubled(segments: Segments) -> bytes:
    """Lets the second overwrite the first."""
    pieces = {index: (index, total, piece) for index, total, piece in parts_of(segments)}
    parts = sorted(pieces.values())
    _demand(_totals(parts) == {len(parts)} and _indexes(parts) == [*range(len(parts))])
    return glued(parts)


@mistake(
    "A lost end leaves no gap between the indexes, so it looks like a shorter stream. What "
    "else is in a header?",
    of=1,
)
def join_looks_for_gaps_only(segments: Segments) -> bytes:
    """Looks at the indexes, and never at a total."""
    parts = parts_of(segments)
    _demand(bool(parts) and _indexes(parts) == [*range(len(parts))])
    return glued(sorted(parts))


@mistake(
    "The number of segments is right, but not each index is there once. How can one be "
    "doubled and another lost, and the number still be right?",
    of=1,
)
def join_counts_only(segments: Segments) -> bytes:
    """Compares how many there are with the total."""
    parts = parts_of(segments)
    _demand(_totals(parts) == {len(parts)})
    return glued(sorted(parts))


@mistake(
    "A segment of another total is accepted, so pieces of two streams are mixed. How many "
    "of the totals did you look at?",
    of=1,
)
def join_asks_one_for_the_total(segments: Segments) -> bytes:
    """Asks the first for the total, and none of the others."""
    parts = parts_of(segments)
    _demand(bool(parts) and parts[0][1] == len(parts) and _indexes(parts) == [*range(len(parts))])
    return glued(sorted(parts))


@mistake(
    "One total is compared with the number of segments, and that is all. Could one be "
    "doubled while another is lost, or come from elsewhere?",
    of=1,
)
def join_compares_one_total(segments: Segments) -> bytes:
    """Asks one for the total, and compares it with the number."""
    parts = sorted(parts_of(segments))
    _demand(bool(parts) and parts[0][1] == len(parts))
    return glued(parts)


@mistake(
    "It gives what there is up to the first gap. Half a stream that looks like a whole one "
    "is worse than an error.",
    of=1,
)
def join_stops_at_a_gap(segments: Segments) -> bytes:
    """Gives what it has, up to the first that is missing."""
    parts = parts_of(segments)
    _demand(len(_totals(parts)) == 1 and len(set(_indexes(parts))) == len(parts))
    _demand(_indexes(parts)[-1] < max(_totals(parts)))
    return glued([part for at, part in enumerate(sorted(parts)) if part[0] == at])


@mistake("The headers are joined too. Where does the piece begin in a segment?", of=1)
def join_leaves_the_header(segments: Segments) -> bytes:
    """Joins whole segments."""
    return b"".join(u32(index) + u32(total) + piece for index, total, piece in checked(segments))


@mistake("The totals are joined too: only half of each header is cut off.", of=1)
def join_leaves_the_total(segments: Segments) -> bytes:
    """Cuts off the index alone."""
    return b"".join(u32(total) + piece for _, total, piece in checked(segments))


@mistake(
    "It refuses segments that are right. Print the index and the total that it reads: are "
    "they read as big-endian, and counted from 0?",
    of=1,
)
def join_is_little_endian(segments: Segments) -> bytes:
    """Reads numbers the other way round, and finds that they can't be right."""
    return glued(checked(segments, "little"))


@mistake(
    "A slice that runs past the end gives what is there, and doesn't complain. How long is "
    "a segment at least?",
    of=1,
)
def join_takes_half_a_header(segments: Segments) -> bytes:
    """Slices past the end."""
    return glued(checked([segment[:4] + segment[4:].rjust(4, b"\0") for segment in segments]))


MISTAKES: Final = (
    split_forgets_the_header,
    split_drops_the_last,
    split_gives_none_for_empty,
    split_adds_an_empty_one,
    split_counts_from_1,
    split_totals_the_last_index,
    split_is_little_endian,
    split_without_total,
    split_without_headers,
    split_mends_the_limit,
    join_in_storage_order,
    join_checks_nothing,
    join_takes_none,
    join_takes_doubled,
    join_looks_for_gaps_only,
    join_counts_only,
    join_asks_one_for_the_total,
    join_compares_one_total,
    join_stops_at_a_gap,
    join_leaves_the_header,
    join_leaves_the_total,
    join_is_little_endian,
    join_takes_half_a_header,
)
