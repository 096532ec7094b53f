"""The exercises of notebook 2."""

from typing import Any, Final

from kvlib.judge import run_segments
from kvlib.lessons import segment_mistakes as mistakes
from kvlib.lessons import solutions
from kvlib.lessons.encode import LOAD, RUN_SNAPSHOTS, SAVE
from kvlib.lessons.exercise import Case, Exercise, Finding, Function, Mistake
from kvlib.lessons.guard import run
from kvlib.lessons.result import short
from kvlib.segments import join, split

HEADER_COUNTED: Final = (
    "The header is forgotten: it takes 8 bytes of each segment, and the limit is for both. How "
    "many are left for the stream?"
)
FROM_0: Final = "The first index is 1. What does the format say it counts from?"
LAST_INDEX: Final = (
    "The total is one too small: that is the last index. How many are there, if the last is "
    "index 2?"
)
BIG_FIRST: Final = (
    "The numbers are little-endian: the byte that is worth most stands last. Which order does the "
    "format say?"
)
LAST_DROPPED: Final = (
    "What is left at the end, too little to fill a piece, is dropped. Does your division round "
    "down or up?"
)
NONE_FOR_EMPTY: Final = (
    "An empty stream gives nothing at all, which looks just as if everything were lost. What is "
    "the least number that there can be?"
)
EMPTY_ADDED: Final = "There is an empty one at the end. How many are needed when the last is full?"
LIMIT_MENDED: Final = (
    "A limit that leaves no room for data is taken for another one. Only the caller knows what "
    "was meant: refuse it."
)

COUNT: Final = Exercise(
    name="02-count",
    kind="predict",
    objective="tell how many segments a stream is split into",
    task="A stream of 120 bytes is split with `max_segment_size=20`. How many segments are there?",
    stub="prediction = ...",
    names=("prediction",),
    solution=(solutions.count,),
    cases=(Case(),),
    mistakes=(
        Mistake(6, "That is 120 / 20. Does a whole segment carry the stream?"),
        Mistake(
            7, "That counts one header, as if the whole stream had one. How many headers are there?"
        ),
        Mistake(8, "That leaves room for an index. What else does a header hold?"),
        Mistake(
            5, "The limit is for the whole segment: the header is part of it, and not on top of it."
        ),
        Mistake(
            9,
            "One is missing: is that the number of segments, or the last index? They differ, since "
            "the index counts from 0.",
        ),
        Mistake(11, "One too many. Is anything left over when the last segment is full?"),
        Mistake(
            12, "That is how many bytes of the stream go into one segment. How often does that fit?"
        ),
        Mistake(
            15, "That is 120 / 8, and 8 bytes are the header. How many does that leave of the 20?"
        ),
        Mistake(80, "That is the bytes of all headers together. How many headers is that?"),
        Mistake(200, "That is the bytes of all segments together. How many segments is that?"),
    ),
    hints=(
        "The limit is for the whole segment. What stands in it before the piece of the stream?",
        "Index and total take four bytes each. What the limit leaves is for the stream.",
        "Divide the stream by what is left for it, and round up: a piece that is not full needs a "
        "segment too.",
    ),
    why="Of 20 bytes 8 are header; 12 carry the stream, and 120 / 12 leaves nothing over.",
    points=1,
    minutes=1,
)

HEADER: Final = Exercise(
    name="02-header",
    kind="function",
    objective="write a header that says which piece this is, and of how many",
    task=(
        "One line is missing: it returns the header of the piece `pieces[index]`. A header is the "
        "index (four bytes, big-endian, counted from 0) and the total (four bytes, big-endian, "
        "the number of pieces)."
    ),
    stub="""\
def add_headers(pieces):
    def header(index):
        raise NotImplementedError  # YOUR CODE HERE

    return [header(index) + piece for index, piece in enumerate(pieces)]""",
    names=("add_headers",),
    solution=(solutions.add_headers,),
    cases=(
        Case(([b""],), "an empty piece, the only one"),
        Case(([b"a"],), "one piece"),
        Case(([b"a", b"b"],), "two pieces"),
        Case(([b"abc", b"d"],), "a last piece that is shorter"),
        Case(([b"ab", b"cd", b"ef"],), "three pieces"),
        Case(([b""] * 257,), "an index and a total that need their second byte"),
    ),
    mistakes=(
        Mistake(mistakes.header_counts_from_1, FROM_0),
        Mistake(mistakes.header_totals_the_last_index, LAST_INDEX),
        Mistake(mistakes.header_is_little_endian, BIG_FIRST),
        Mistake(
            mistakes.header_has_the_total_first,
            "Both numbers are there, and their order is not right: which one comes first?",
        ),
        Mistake(
            mistakes.header_without_total,
            "The piece begins at once behind the index. How would a reader notice that the last "
            "segment is lost?",
        ),
        Mistake(
            mistakes.header_totals_the_bytes,
            "The total counts the bytes of the stream. Of what should it be the number?",
        ),
        Mistake(
            mistakes.header_has_the_length_of_the_piece,
            "The second number is the length of this piece, as in a field. A total is the same in "
            "all segments: the number of what?",
        ),
        Mistake(
            mistakes.header_in_two_bytes,
            "Each number takes two bytes, which end at 65,535. How many does the format give them?",
        ),
        Mistake(
            mistakes.header_in_one_byte,
            "Each number takes one byte, which ends at 255. How many does the format give them?",
        ),
        Mistake(
            mistakes.header_in_eight_bytes,
            "Each number takes eight bytes. How many does the format give them?",
        ),
        Mistake(
            mistakes.header_in_zeros,
            "`bytes(2)` is two bytes of 0, and not a byte of 2. Which method of int makes bytes of "
            "a number?",
        ),
        Mistake(
            mistakes.header_holds_the_piece,
            "The piece stands there twice: the last line of the cell adds it already.",
        ),
        Mistake(
            mistakes.header_is_no_bytes,
            "A header must be bytes, and yours isn't: does it become bytes, and is there a "
            "`return` before it?",
        ),
        Mistake(
            mistakes.header_as_digits,
            "The numbers are written as digits, `0` being the byte 30. Which method of int makes "
            "bytes of a number?",
        ),
    ),
    hints=(
        "Two numbers, one behind the other: `+` joins bytes. One of them is `index`.",
        "The other is the same for each piece: how many there are, so the length of a list.",
        "A number becomes bytes by `number.to_bytes(size, order)`. Which size, which order?",
    ),
    why="Each segment knows its place and how many there are, so any one tells what to wait for.",
    points=2,
    minutes=3,
    own={"split": split},
    format=("segment",),
)

(LONE,) = solutions.split(b"a", 9)
A2, B2 = solutions.split(b"ab", 9)
A3, B3, C3 = solutions.split(b"abc", 9)

JOIN_ORDER: Final = Exercise(
    name="02-join-order",
    kind="order",
    objective="put the checks of a join before what they protect",
    task=(
        "These are the lines of `join_sorted(segments)`, shuffled. It joins segments that come in "
        "any order, and must refuse it if one is lost, doubled, or from a snapshot of another "
        "total; each has a whole header. Write down the order of their numbers."
    ),
    stub="order = ...",
    names=("order",),
    solution=(solutions.join_sorted,),
    head="def join_sorted(segments):",
    lines=(
        'return b"".join(segment[8:] for segment in ordered)',
        'if int.from_bytes(totals[0], "big") != len(segments):\n'
        '    raise ValueError("a segment is missing, or one too many")',
        'if any(int.from_bytes(segment[:4], "big") != n for n, segment in enumerate(ordered)):\n'
        '    raise ValueError("a segment is doubled, and another missing")',
        "totals = [segment[4:8] for segment in segments]",
        "ordered = sorted(segments)",
        "if len(set(totals)) != 1:\n"
        '    raise ValueError("no segment at all, or of different totals")',
    ),
    order=(4, 6, 2, 5, 3, 1),
    cases=(
        Case(([LONE],), "one segment"),
        Case(([B2, A2],), "two segments in the wrong order"),
        Case(([C3, A3, B3],), "three segments in some order"),
        Case(([],), "no segment at all", refused=True),
        Case(([A2],), "the last segment lost", refused=True),
        Case(([A2, B2, B2],), "a segment that is doubled", refused=True),
        Case(([A2, A2],), "one segment doubled in the place of another", refused=True),
        Case(([A2, B3],), "a segment of another total", refused=True),
    ),
    mistakes=(
        Mistake(
            [5, 1, 4, 6, 2, 3],
            "Line 1 stands before every check, and nothing behind a `return` is reached. When is "
            "it safe to join?",
        ),
        Mistake(
            [4, 6, 2, 5, 1, 3],
            "Line 3 stands behind the `return`, so it is never reached. When is it safe to join?",
        ),
        Mistake(
            [4, 6, 5, 3, 1, 2],
            "Line 2 stands behind the `return`, so it is never reached. When is it safe to join?",
        ),
        Mistake(
            [4, 6, 5, 1, 2, 3],
            "Lines 2 and 3 stand behind the `return`, so they are never reached. When is it safe "
            "to join?",
        ),
        Mistake(
            [4, 5, 3, 1, 6, 2],
            "Lines 6 and 2 stand behind the `return`, so they are never reached. When is it safe "
            "to join?",
        ),
        Mistake(
            [4, 2, 5, 1, 6, 3],
            "Lines 6 and 3 stand behind the `return`, so they are never reached. When is it safe "
            "to join?",
        ),
        Mistake(
            [4, 2, 6, 5, 3, 1],
            "Line 2 takes the first of the totals, and line 6 has not yet looked whether there is "
            "one. Which of them must come first?",
        ),
        Mistake([6, 4, 2, 5, 3, 1], "Line 6 looks at `totals`. Which line collects them?"),
        Mistake([2, 4, 6, 5, 3, 1], "Line 2 takes one of `totals`. Which line collects them?"),
        Mistake([4, 6, 2, 3, 5, 1], "Line 3 goes through `ordered`. Which line makes that?"),
        Mistake([4, 6, 2, 1, 5, 3], "Line 1 joins what is in `ordered`. Which line makes that?"),
    ),
    hints=(
        "Ask of each line: which names does it use? Each must be set by a line above it.",
        "Two lines use nothing but `segments`. One of them collects what the first check looks at.",
        "A total is not to be trusted: it is checked that all are the same, and then one is held "
        "against what came. The `return` is last, for nothing behind it is reached.",
    ),
    why=(
        "Check, and only then join. Whether the totals or the indexes are checked first "
        "makes no difference, so more than one order is right."
    ),
    points=2,
    minutes=3,
)


def _large_streams() -> list[Case]:
    return [Case((bytes(2_000_000), 28), "a stream of 2,000,000 bytes, cut into 100,000 pieces")]


SPLIT: Final = Exercise(
    name="02-split",
    kind="function",
    objective="cut a stream into pieces that leave room for their headers, and lose no byte",
    task=(
        "Write `cut(stream, max_segment_size)`: the list of the pieces, still without headers. "
        "Each is as long as a header of 8 bytes leaves room for, the last as long as what is left; "
        "an empty stream gives one empty piece. A limit below 9 is a ValueError."
    ),
    stub="""\
def cut(stream, max_segment_size):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("cut",),
    solution=(solutions.cut,),
    cases=(
        Case((b"", 9), "an empty stream"),
        Case((b"a", 9), "one byte, and room for just that"),
        Case((b"a", 10), "a piece that is not full"),
        Case((b"ab", 9), "one byte a piece"),
        Case((b"ab", 10), "a last piece that is full"),
        Case((b"abc", 10), "a last piece that is not full"),
        Case((b"abcd", 10), "two full pieces"),
        Case((b"abcdefg", 11), "two full pieces, and one that is not"),
        Case((b"abcdefghi", 12), "two full pieces, and one byte more"),
        Case((b"abc", 64), "more room than bytes"),
        Case((b"a", 8), "a limit that leaves no room for data", refused=True),
        Case((b"", 8), "an empty stream, and a limit that leaves no room", refused=True),
        Case((b"abc", 7), "a limit that leaves no room for a header", refused=True),
        Case((b"a", 0), "a limit of 0", refused=True),
    ),
    mistakes=(
        Mistake(mistakes.cut_forgets_the_header, HEADER_COUNTED),
        Mistake(
            mistakes.cut_leaves_room_for_the_index,
            "The pieces leave room for 4 bytes: that is the index. What else is in a header?",
        ),
        Mistake(
            mistakes.cut_leaves_too_much_room,
            "The pieces are one byte shorter than they could be. A segment may be as long as the "
            "limit says, and 9 is a limit that is allowed.",
        ),
        Mistake(mistakes.cut_drops_the_last, LAST_DROPPED),
        Mistake(mistakes.cut_gives_none_for_empty, NONE_FOR_EMPTY),
        Mistake(mistakes.cut_adds_an_empty_one, EMPTY_ADDED),
        Mistake(
            mistakes.cut_overlaps,
            "The pieces overlap: bytes stand in more than one. How far is it from where one piece "
            "begins to where the next does?",
        ),
        Mistake(
            mistakes.cut_pads,
            "The last piece is filled up with bytes that nobody stored. How would the reader know "
            "that they don't belong?",
        ),
        Mistake(
            mistakes.cut_truncates,
            "Only the first piece comes out, and the rest is lost. Does a `return` stand inside "
            "the loop?",
        ),
        Mistake(
            mistakes.cut_forgets_the_rest,
            "The last piece is collected, and doesn't come out. What must happen to it after the "
            "loop?",
        ),
        Mistake(
            mistakes.cut_skips,
            "Bytes are missing between the pieces, or at the end. Does each piece begin where the "
            "one before it ended?",
        ),
        Mistake(
            mistakes.cut_with_headers,
            "These have headers already, and here the bare pieces are asked for. Keep the headers "
            "for the next exercise.",
        ),
        Mistake(
            mistakes.cut_refuses_9,
            "A limit of 9 is refused, and it leaves room for one byte. That is little, but enough.",
        ),
        Mistake(mistakes.cut_mends_the_limit, LIMIT_MENDED),
        Mistake(
            mistakes.cut_trusts_the_limit,
            "A limit that leaves no room at all is accepted, and the bytes are gone. What has to "
            "be looked at before anything is cut?",
        ),
    ),
    hints=(
        "First find out how many bytes of a segment are left for the stream, and refuse if none.",
        "`range` takes a step: it gives the offsets at which pieces begin. A slice that runs past "
        "the end gives what is there, and here that is welcome.",
        "Try it on paper with no byte, with one, with a full piece, and with one byte more. If "
        "your list is empty in the end, what should it hold?",
    ),
    why="A slice for each offset, one for nothing at all, and a limit that is checked first.",
    points=3,
    minutes=6,
    own={"split": split},
    large=_large_streams,
)

BUG_HUNT: Final = Exercise(
    name="02-bug-hunt",
    kind="function",
    objective="find the edge at which a function that passed its tests fails, and mend it",
    task=(
        "`their_split` passed every test that its author thought of, and its segments join. But "
        "for some streams they are not those of the format. Take the first line out, find the bug "
        "and mend it."
    ),
    stub="""\
def their_split(stream, limit):
    raise NotImplementedError  # YOUR CODE HERE: take this line out, and mend one below
    size = limit - 8
    total = len(stream) // size + 1
    heads = [n.to_bytes(4, "big") + total.to_bytes(4, "big") for n in range(total)]
    return [heads[n] + stream[n * size : (n + 1) * size] for n in range(total)]""",
    names=("their_split",),
    solution=(solutions.their_split,),
    cases=(
        Case((b"", 9), "an empty stream"),
        Case((b"", 10), "an empty stream, and room for two bytes"),
        Case((b"a", 10), "a segment that is not full"),
        Case((b"a", 9), "a segment that is full"),
        Case((b"ab", 10), "a segment that is full"),
        Case((b"abc", 10), "a last segment that is not full"),
        Case((b"abcd", 10), "a last segment that is full"),
        Case((b"abcdefghi", 11), "three full segments"),
        Case((b"abcdefgh", 15), "a last segment of one byte"),
        Case((b"abcdefghijklm", 15), "a last segment that lacks one byte"),
    ),
    mistakes=(
        Mistake(
            mistakes.hunt_not_mended,
            "The bug is still there: this segment is full, and one follows it that is empty. Which "
            "line decides how many there are?",
        ),
        Mistake(mistakes.hunt_rounds_down, LAST_DROPPED),
        Mistake(
            mistakes.hunt_rounds_down_to_one,
            "An empty stream is right now, and a full last segment too. What of one that is not "
            "full, behind others?",
        ),
        Mistake(mistakes.hunt_gives_none_for_empty, NONE_FOR_EMPTY),
        Mistake(
            mistakes.hunt_rounds_to_the_nearest,
            "`round` goes to the nearest number, so a short rest is dropped. Which way must it go?",
        ),
        Mistake(
            mistakes.hunt_removes_what_is_empty,
            "The empty segment is gone, but the others still count it in their total: a reader "
            "would wait for it. Mend the number, and not the list.",
        ),
        Mistake(
            mistakes.hunt_removes_all_that_is_empty,
            "The empty segments are taken out, and an empty stream has nothing else. Mend the "
            "number, and not the list.",
        ),
        Mistake(
            mistakes.hunt_changes_the_size,
            "The segments are now longer than the limit. The size was right: look at what is "
            "computed from it.",
        ),
        Mistake(
            mistakes.hunt_forgets_the_header,
            "The size was right: 8 bytes of the limit are for the header. Look at what is computed "
            "from it.",
        ),
    ),
    hints=(
        "Look at the edges: no byte, one byte less than a full segment, a full one, one more.",
        "With a limit of 15, a segment carries 7 bytes. What is `total` for 6, 7 and 8 bytes, and "
        "what should it be?",
        "It rounds down and adds one; but when nothing is left over, nothing must be added. Round "
        "up instead, and mind the empty stream.",
    ),
    why="A bug of that kind sits exactly at an edge, so test there: none, one, full, full and one.",
    points=2,
    minutes=5,
    own={"split": split},
    format=("segment",),
)


def _large_segments() -> list[Case]:
    stream = bytes(range(256)) * 400
    return [
        Case((stream, 28), "a stream of 102,400 bytes"),
        # Small cases have small totals: whoever reads them as little-endian, and then makes a list
        # of all the numbers up to one, gets 16 million for each segment.
        Case((solutions.split(b"abcdefghijkl", 9),), "12 segments, so an index has two digits", 1),
        Case(  # a loop within a loop would have too many lines for a small case
            (solutions.split(stream[:260], 9)[::-1],),
            "a join of 260 segments, so that an index needs its second byte",
            1,
        ),
        Case((solutions.split(stream, 28)[::-1],), "a join of 5,120 segments", 1),
    ]


SPLIT_JOIN: Final = Exercise(
    name="02-split-join",
    kind="functions",
    objective="split a stream so that it comes back from any order, or is refused",
    task=(
        "Write `split(stream, max_segment_size)` and `join(segments)`. A segment is index, total "
        "(four bytes each, big-endian) and a piece of the stream, none longer than the limit; "
        "there is always at least one, and a limit below 9 is a ValueError. `join` takes them in "
        "any order, and raises a ValueError for whatever can't be right: one that is lost, "
        "doubled, of another total, or without a whole header. (Don't count up to a total before "
        "you have checked it: it may promise four billion.)"
    ),
    stub="""\
def split(stream, max_segment_size):
    raise NotImplementedError  # YOUR CODE HERE


def join(segments):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("split", "join"),
    solution=(solutions.split, solutions.join),
    cases=(
        Case((b"", 9), "an empty stream"),
        Case((b"a", 9), "one byte, and room for just that"),
        Case((b"a", 10), "a segment that is not full"),
        Case((b"ab", 9), "two segments"),
        Case((b"abcd", 10), "a last segment that is full"),
        Case((b"abcde", 10), "a last segment that is not full"),
        Case((b"abc", 64), "more room than bytes"),
        Case((bytes(257), 9), "an index and a total that need their second byte"),
        Case((b"a", 8), "a limit that leaves no room for data", refused=True),
        Case((b"abc", 7), "a limit that leaves no room for a header", refused=True),
        Case((solutions.split(b"", 9),), "an empty stream", 1),
        Case(([LONE],), "one segment", 1),
        Case(([A2, B2],), "two segments", 1),
        Case(([B2, A2],), "two segments in the wrong order", 1),
        Case(([C3, A3, B3],), "three segments in some order", 1),
        Case((solutions.split(b"abcde", 10)[::-1],), "a short last segment that comes first", 1),
        Case(([],), "no segment at all", 1, refused=True),
        Case(([A2],), "the last segment lost", 1, refused=True),
        Case(([B2],), "the first segment lost", 1, refused=True),
        Case(([C3, A3],), "a segment in the middle lost", 1, refused=True),
        Case(([LONE, LONE],), "a segment that is doubled", 1, refused=True),
        Case(([B2, A2, B2],), "a segment that is doubled, and none lost", 1, refused=True),
        Case(([A2, A2],), "one segment doubled in the place of another", 1, refused=True),
        Case(([A2, B3],), "a segment of another total", 1, refused=True),
        Case(([B3, A2],), "a segment of another total that comes first", 1, refused=True),
        Case(([A2, B2, C3],), "a segment more, of another total", 1, refused=True),
        Case(([LONE[:4]],), "half a header", 1, refused=True),
        Case(([LONE[1:8]],), "a header that lacks its first byte", 1, refused=True),
        Case(([b""],), "a segment with nothing in it", 1, refused=True),
        Case(([bytes(8)],), "a total of 0", 1, refused=True),
    ),
    mistakes=(
        Mistake(mistakes.split_forgets_the_header, HEADER_COUNTED),
        Mistake(mistakes.split_drops_the_last, LAST_DROPPED),
        Mistake(mistakes.split_gives_none_for_empty, NONE_FOR_EMPTY),
        Mistake(mistakes.split_adds_an_empty_one, EMPTY_ADDED),
        Mistake(mistakes.split_counts_from_1, FROM_0),
        Mistake(mistakes.split_totals_the_last_index, LAST_INDEX),
        Mistake(mistakes.split_is_little_endian, BIG_FIRST),
        Mistake(
            mistakes.split_without_total,
            "The piece begins at once behind the index. How would `join` notice that the last "
            "segment is lost?",
        ),
        Mistake(
            mistakes.split_without_headers,
            "These are the bare pieces. How will `join` know their order, and how many there were?",
        ),
        Mistake(mistakes.split_mends_the_limit, LIMIT_MENDED),
        Mistake(
            mistakes.join_in_storage_order,
            "The pieces are joined in the order in which they came. What in a segment says where "
            "it belongs?",
            of=1,
        ),
        Mistake(
            mistakes.join_checks_nothing,
            "It joins what doesn't belong together, or isn't complete. Each header makes two "
            "promises: which are they, and where do you check both, for each segment?",
            of=1,
        ),
        Mistake(
            mistakes.join_takes_none,
            "No segment at all is taken for an empty stream. But an empty stream is one segment: "
            "what does it mean if none is there?",
            of=1,
        ),
        Mistake(
            mistakes.join_takes_doubled,
            "A segment that comes twice is accepted: in a dict, the second overwrites the first. "
            "When could you notice?",
            of=1,
        ),
        Mistake(
            mistakes.join_looks_for_gaps_only,
            "A lost end leaves no gap between the indexes, so it looks like a shorter stream. What "
            "else is in a header?",
            of=1,
        ),
        Mistake(
            mistakes.join_counts_only,
            "The number of segments is right, but not each index is there once. How can one be "
            "doubled and another lost, and the number still be right?",
            of=1,
        ),
        Mistake(
            mistakes.join_asks_one_for_the_total,
            "A segment of another total is accepted, so pieces of two streams are mixed. How many "
            "of the totals did you look at?",
            of=1,
        ),
        Mistake(
            mistakes.join_compares_one_total,
            "One total is compared with the number of segments, and that is all. Could one be "
            "doubled while another is lost, or come from elsewhere?",
            of=1,
        ),
        Mistake(
            mistakes.join_stops_at_a_gap,
            "It gives what there is up to the first gap. Half a stream that looks like a whole one "
            "is worse than an error.",
            of=1,
        ),
        Mistake(
            mistakes.join_leaves_the_header,
            "The headers are joined too. Where does the piece begin in a segment?",
            of=1,
        ),
        Mistake(
            mistakes.join_leaves_the_total,
            "The totals are joined too: only half of each header is cut off.",
            of=1,
        ),
        Mistake(
            mistakes.join_is_little_endian,
            "It refuses segments that are right. Print the index and the total that it reads: are "
            "they read as big-endian, and counted from 0?",
            of=1,
        ),
        Mistake(
            mistakes.join_takes_half_a_header,
            "A slice that runs past the end gives what is there, and doesn't complain. How long is "
            "a segment at least?",
            of=1,
        ),
    ),
    hints=(
        "`split` is two steps: cut into pieces, then put a header before each. It needs all the "
        "pieces first, because each header says how many there are.",
        "A dict from index to piece shows what is doubled while you fill it. When it is full, "
        "look up the indexes in order.",
        "Collect the totals in a set. In the end it must have one number, the very number of "
        "segments that came; and no index may reach it.",
    ),
    why=(
        "`join` believes nothing: it compares what is there with what each header promises, and "
        "joins only then. Segments of another snapshot with the same total still pass."
    ),
    points=6,
    minutes=15,
    own={"split": split, "join": join},
    format=("segment", ""),
    large=_large_segments,
)

HOW_MANY: Final = ("segment_count", "p")
LONG: Final = "abcdefghijklmno"
# Whoever joins segments as they lie shall get a wrong value, whatever their decoder is like: so in
# most cases only those are shuffled that hold a piece of the value, and nothing else. At a limit of
# 13 these are the segments from 3 on; at a limit of 16 those from 2 to 10, where the X are.
ELEVEN_PIECES: Final = "-" + "".join(8 * mark for mark in "23456789X")


def _put(value: object = "1", key: object = "a") -> tuple[Any, ...]:
    return ("put", key, value)


def _get(key: object = "a") -> tuple[Any, ...]:
    return ("get", key)


def _reorder(*order: int) -> tuple[Any, ...]:
    return ("reorder", "p", list(order))


def _asked(index: int, limit: int, operations: list[tuple[Any, ...]]) -> str:
    reading = [(n, one) for n, one in enumerate(operations) if one[0] in ("get", HOW_MANY[0])]
    number, operation = reading[index]
    return f"operation {number}, {short(operation, 60)}"


def _large_operations() -> list[Case]:
    records: dict[str | bytes, str | bytes] = {f"key {n}": b"v" * 50 for n in range(1_000)}
    puts = [_put(value, key) for key, value in records.items()]
    count = len(solutions.split(solutions.encode_snapshot(records), 64))
    saves = [SAVE, _reorder(*reversed(range(count))), _put("1", "key 0"), LOAD, HOW_MANY] * 10
    gets = [_get(f"key {number % 1000}") for number in range(98_950)]
    return [Case((64, [*puts, *saves, *gets]), "100,000 operations on 1,000 records")]


KEPT: Final = (
    "The value that came back is the very object that was put in: it never became bytes. Keep "
    "under each path a list of segments, as files would hold them."
)


def _never_bytes(functions: tuple[Function, ...]) -> Finding | None:
    """Whether a value survives as the object that it was: decoding makes a new one."""
    value = "".join(["two ", "words"])
    operations = [_put(value), SAVE, LOAD, _get()]
    outcome = run(functions[0], (64, operations))
    if outcome.value[0] is not value:
        return None
    return Finding(f"run_segments(64, {operations})", short(outcome.value), KEPT)


RUN_SEGMENTS: Final = Exercise(
    name="02-run-segments",
    kind="function",
    objective="keep a snapshot in segments that may be shuffled, and restore it exactly",
    task=(
        "Write `run_segments(max_segment_size, operations)`: as `run_snapshots`, but `serialize "
        "path` keeps a list of segments, each of at most `max_segment_size` bytes (9 or more). "
        "`segment_count path` gives their number, `reorder path order` shuffles them, "
        "`new[i] = old[order[i]]`, and `deserialize path` restores exactly what was saved. The "
        "list of what `get` and `segment_count` gave comes out. The stream is a count of 4 bytes, "
        "then a field for each key and value (tag, length of 4 bytes, data); a segment is index, "
        "total, piece. Up to 100,000 operations; neither kvlib nor pickle, neither repr nor eval."
    ),
    stub="""\
def run_segments(max_segment_size, operations):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("run_segments",),
    solution=(solutions.run_segments,),
    cases=(
        Case((9, []), "no operations, and no results"),
        Case((9, [_get()]), "a key that was never put"),
        Case((9, [_put(), _get()]), "one record"),
        Case((9, [("delete", "a"), _get()]), "the deletion of what isn't there"),
        Case((12, [SAVE, HOW_MANY]), "an empty state, in a segment that is full"),
        Case((9, [SAVE, HOW_MANY]), "an empty state, a byte of it in each segment"),
        Case((12, [SAVE, _put(), LOAD, _get()]), "an empty state, saved and loaded"),
        Case((24, [_put(), SAVE, HOW_MANY]), "one record, in a segment that is full"),
        Case((23, [_put(), SAVE, HOW_MANY]), "one record, which lacks one byte of room"),
        Case((64, [_put("é"), SAVE, LOAD, _get()]), "a character of two bytes"),
        Case((64, [_put(""), SAVE, LOAD, _get()]), "an empty value"),
        Case((64, [_put(b"x", b"1"), SAVE, LOAD, _get(b"1")]), "bytes"),
        Case((64, [_put(b"\xff\0"), SAVE, LOAD, _get()]), "bytes that are no text"),
        Case(
            (64, [_put("x", "1"), _put(b"y", b"1"), SAVE, LOAD, _get("1"), _get(b"1")]),
            "a text and bytes that look alike",
        ),
        Case((64, [_put(), SAVE, _put("2"), LOAD, _get()]), "a change after it was saved"),
        Case((16, [_put(), SAVE, LOAD, _get()]), "two segments, in their order"),
        Case(
            (13, [_put("abcdefghij"), SAVE, _reorder(0, 1, 2, 4, 3), LOAD, _get()]),
            "two segments that are swapped, both from the middle of a value",
        ),
        Case((16, [_put(), SAVE, _reorder(1, 0), LOAD, _get()]), "two segments that are swapped"),
        Case(
            (13, [_put(LONG), SAVE, _reorder(0, 1, 2, 4, 5, 3), LOAD, _get()]),
            "three segments that are shuffled",
        ),
        Case(
            (13, [_put(LONG), SAVE, *2 * [_reorder(0, 1, 2, 4, 5, 3)], LOAD, _get()]),
            "segments that are shuffled twice",
        ),
        Case(
            (16, [_put(ELEVEN_PIECES), SAVE, _reorder(0, 1, *range(10, 1, -1)), LOAD, _get()]),
            "11 segments, most of them in the opposite order",
        ),
        Case((9, [_put(), SAVE, HOW_MANY, LOAD, _get()]), "16 segments of a byte each"),
        Case(
            (14, [_put(), SAVE, HOW_MANY, _put("x" * 9), HOW_MANY, SAVE, HOW_MANY]),
            "a path that is saved to twice",
        ),
        Case((16, [_put(), SAVE, ("delete", "a"), LOAD, _get(), HOW_MANY]), "a deleted record"),
        Case((20, [_put("x" * 300), SAVE, HOW_MANY, LOAD, _get()]), "a value of 300 bytes"),
    ),
    item=_asked,
    large=_large_operations,
    probe=_never_bytes,
    forbidden=RUN_SNAPSHOTS.forbidden,
    mistakes=(
        Mistake(
            mistakes.run_joins_in_storage_order,
            "The segments are joined in the order in which they lie there. What in a segment says "
            "where it belongs?",
        ),
        Mistake(
            mistakes.run_sorts_as_text,
            "It is right up to ten segments. Are the indexes sorted as numbers, or as texts, where "
            "`10` comes before `2`?",
        ),
        Mistake(mistakes.run_forgets_the_header, HEADER_COUNTED),
        Mistake(
            mistakes.run_drops_the_last,
            "There are too few segments: what is left at the end is dropped. Does your division "
            "round down or up?",
        ),
        Mistake(
            mistakes.run_adds_an_empty_one,
            "There is one segment too many where the last should be just full. Does your division "
            "add one when nothing is left over, or is the stream longer than the format says?",
        ),
        Mistake(
            mistakes.run_saves_nothing_of_nothing,
            "An empty state is saved as no segment, which looks just as if all were lost. How many "
            "bytes has the stream of an empty state?",
        ),
        Mistake(
            mistakes.run_forgets_the_count,
            "The stream is 4 bytes too short. What stands before the first record?",
        ),
        Mistake(
            mistakes.run_counts_characters,
            "A length counts characters, and its reader counts bytes. How many bytes does `é` "
            "take, and when do you measure?",
        ),
        Mistake(
            mistakes.run_segments_records,
            "There is a segment for each record, however long that is. The limit cuts the stream, "
            "and a segment knows nothing of records.",
        ),
        Mistake(
            mistakes.run_updates_the_state,
            "What was put after the snapshot is still there. Does `deserialize` replace the state, "
            "or add to it?",
        ),
        Mistake(
            mistakes.run_leaves_counts_out,
            "Only what `get` gave is in the list. Which other operation gives something?",
        ),
        Mistake(
            mistakes.run_insists_on_keys,
            "A key that isn't there is no error here: `get` gives None, and `delete` does nothing. "
            "Which methods of dict do that?",
        ),
        Mistake(
            mistakes.run_reorders_in_place,
            "`reorder` reads from the list that it is just writing to, so a segment is lost. Where "
            "could the old order stay meanwhile?",
        ),
        Mistake(mistakes.run_pickles, RUN_SNAPSHOTS.forbidden["pickle"]),
        Mistake(mistakes.run_keeps_a_copy, KEPT),
    ),
    hints=(
        "Take your functions for the stream and for its segments: `serialize` is encode, then "
        "split; `deserialize` is join, then decode.",
        "`reorder` changes the list that is kept under the path, and nothing else. `segment_count` "
        "is the length of that list.",
        "Because each segment begins with its index, joining begins with sorting. A new dict then "
        "takes the place of the state.",
    ),
    why="The order is in the segments, so no order in which they are stored can spoil it.",
    points=6,
    minutes=20,
    own={"judge.run_segments": run_segments, "split": split, "join": join},
)

EXERCISES: Final = (COUNT, HEADER, JOIN_ORDER, SPLIT, BUG_HUNT, SPLIT_JOIN, RUN_SEGMENTS)
