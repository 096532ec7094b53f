"""02-run-segments: the interview about segments in any order."""

from typing import Final

from kvlib.judge import run_segments
from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, Function, ProbeResult
from kvlib.lessons.exercises.machines import (
    FORBIDDEN,
    KEEPSAKE,
    LOAD,
    SAVE,
    Operation,
    get,
    gets,
    keeps,
    operation_of,
    put,
)
from kvlib.lessons.exercises.segment.run_segments_mistakes import KEPT, MISTAKES
from kvlib.segments import join, split

HOW_MANY: Final = ("segment_count", "p")
LONG: Final = "abcdefghijklmno"
# An answer that joins segments in storage order must get a wrong value, whatever its decoder is
# like. So most cases shuffle only segments that hold a piece of the value and nothing else: from 3
# on at a limit of 13, and from 2 to 10 (the X's) at a limit of 16.
ELEVEN_PIECES: Final = "-" + "".join(8 * mark for mark in "23456789X")


def _reorder(*order: int) -> Operation:
    return ("reorder", "p", list(order))


def _large_operations() -> list[Case]:
    records: dict[str | bytes, str | bytes] = {f"key {n}": b"v" * 50 for n in range(1_000)}
    puts = [put(key, value) for key, value in records.items()]
    count = len(solutions.split(solutions.encode_snapshot(records), 64))
    saves = [SAVE, _reorder(*reversed(range(count))), put("key 0"), LOAD, HOW_MANY] * 10
    operations = [*puts, *saves, *gets(98_950, keys=1_000)]
    return [Case((64, operations), "100,000 operations on 1,000 records")]


def _never_bytes(functions: tuple[Function, ...]) -> ProbeResult | int:
    operations = [put("a", KEEPSAKE), SAVE, LOAD, get()]
    if not keeps(functions[0], 64, operations):
        return 1
    return ProbeResult(f"run_segments(64, {operations})", f"{[KEEPSAKE]}", KEPT)


EXERCISE: Final = Exercise(
    name="02-run-segments",
    kind="function",
    objective="keep a snapshot in segments that may be shuffled, and restore it exactly",
    task=(
        "Write `run_segments(max_segment_size, operations)`. It works like `run_snapshots`, but "
        "`serialize path` keeps a list of segments, each of at most `max_segment_size` bytes (9 "
        "or more). `segment_count path` gives the number of segments, `reorder path order` "
        "shuffles them (`new[i] = old[order[i]]`), and `deserialize path` restores exactly what "
        "was saved. Return the list of what `get` and `segment_count` gave. The stream is a count "
        "of 4 bytes, then a field for each key and value (tag, length of 4 bytes, data). A "
        "segment is index, total, piece. There may be up to 100,000 operations. Don't use kvlib, "
        "pickle, repr or eval."
    ),
    stub="""\
def run_segments(max_segment_size, operations):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("run_segments",),
    solution=(solutions.run_segments,),
    cases=(
        Case((9, []), "no operations, and no results"),
        Case((9, [get()]), "a key that was never put"),
        Case((9, [put(), get()]), "one record"),
        Case((9, [("delete", "a"), get()]), "deleting a key that isn't there"),
        Case((12, [SAVE, HOW_MANY]), "an empty state, in one full segment"),
        Case((9, [SAVE, HOW_MANY]), "an empty state, with one byte in each segment"),
        Case((12, [SAVE, put(), LOAD, get()]), "an empty state, saved and loaded"),
        Case((24, [put(), SAVE, HOW_MANY]), "one record, in one full segment"),
        Case((23, [put(), SAVE, HOW_MANY]), "one record, in a segment that is one byte too small"),
        Case((64, [put("a", "é"), SAVE, LOAD, get()]), "a character of two bytes"),
        Case((64, [put("a", ""), SAVE, LOAD, get()]), "an empty value"),
        Case((64, [put(b"1", b"x"), SAVE, LOAD, get(b"1")]), "bytes"),
        Case((64, [put("a", b"\xff\0"), SAVE, LOAD, get()]), "bytes that aren't text"),
        Case(
            (64, [put("1", "x"), put(b"1", b"y"), SAVE, LOAD, get("1"), get(b"1")]),
            "a text and bytes that look alike",
        ),
        Case((64, [put(), SAVE, put("a", "2"), LOAD, get()]), "a change after the state was saved"),
        Case((16, [put(), SAVE, LOAD, get()]), "two segments, in their order"),
        Case(
            (13, [put("a", "abcdefghij"), SAVE, _reorder(0, 1, 2, 4, 3), LOAD, get()]),
            "two segments that are swapped, both from the middle of a value",
        ),
        Case((16, [put(), SAVE, _reorder(1, 0), LOAD, get()]), "two segments that are swapped"),
        Case(
            (13, [put("a", LONG), SAVE, _reorder(0, 1, 2, 4, 5, 3), LOAD, get()]),
            "three segments that are shuffled",
        ),
        Case(
            (13, [put("a", LONG), SAVE, *2 * [_reorder(0, 1, 2, 4, 5, 3)], LOAD, get()]),
            "segments that are shuffled twice",
        ),
        Case(
            (16, [put("a", ELEVEN_PIECES), SAVE, _reorder(0, 1, *range(10, 1, -1)), LOAD, get()]),
            "11 segments, most of them in the opposite order",
        ),
        Case((9, [put(), SAVE, HOW_MANY, LOAD, get()]), "16 segments of one byte each"),
        Case(
            (14, [put(), SAVE, HOW_MANY, put("a", "x" * 9), HOW_MANY, SAVE, HOW_MANY]),
            "a path that is saved to twice",
        ),
        Case((16, [put(), SAVE, ("delete", "a"), LOAD, get(), HOW_MANY]), "a deleted record"),
        Case((20, [put("a", "x" * 300), SAVE, HOW_MANY, LOAD, get()]), "a value of 300 bytes"),
    ),
    item=operation_of,
    large=_large_operations,
    probe=_never_bytes,
    forbidden=FORBIDDEN,
    mistakes=MISTAKES,
    hints=(
        "Reuse your functions for the stream and its segments: `serialize` is encode, then split; "
        "`deserialize` is join, then decode.",
        "`reorder` changes only the list that is kept under the path. `segment_count` is the "
        "length of that list.",
        "Each segment begins with its index, so start joining by sorting. Then replace the state "
        "with a new dict.",
    ),
    why="Each segment carries its own index, so it doesn't matter in which order they are stored.",
    points=6,
    minutes=20,
    own={"judge.run_segments": run_segments, "split": split, "join": join},
)
