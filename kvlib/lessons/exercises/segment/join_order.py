"""02-join-order: the checks of a join, and the order they need."""

from typing import Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, Mistake
from kvlib.lessons.exercises.segment.pieces import A2, A3, B2, B3, C3, LONE


def _never_run(order: list[int], sentence: str) -> Mistake:
    return Mistake(order, f"{sentence} When is it safe to join?")


EXERCISE: Final = Exercise(
    name="02-join-order",
    kind="order",
    objective="put the checks of a join before what they protect",
    task=(
        "Here are the lines of `join_sorted(segments)`, shuffled. It joins segments that arrive "
        "in any order. It must refuse them if one is lost, if one occurs twice, or if one comes "
        "from a snapshot with another total. Every segment has a whole header. Write down the "
        "line numbers in the right order."
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
        Case(([A2, B2, B2],), "a segment that occurs twice", refused=True),
        Case(([A2, A2],), "one segment twice, and another one lost", refused=True),
        Case(([A2, B3],), "a segment of another total", refused=True),
    ),
    mistakes=(
        Mistake(
            [5, 1, 4, 6, 2, 3],
            "Line 1 comes before every check, and nothing after a `return` runs. When is it safe "
            "to join?",
        ),
        _never_run([4, 6, 2, 5, 1, 3], "Line 3 comes after the `return`, so it never runs."),
        _never_run([4, 6, 5, 3, 1, 2], "Line 2 comes after the `return`, so it never runs."),
        _never_run([4, 6, 5, 1, 2, 3], "Lines 2 and 3 come after the `return`, so they never run."),
        _never_run([4, 5, 3, 1, 6, 2], "Lines 6 and 2 come after the `return`, so they never run."),
        _never_run([4, 2, 5, 1, 6, 3], "Lines 6 and 3 come after the `return`, so they never run."),
        Mistake(
            [4, 2, 6, 5, 3, 1],
            "Line 2 takes the first of the totals, but line 6 hasn't checked yet that there is "
            "one. Which of them must come first?",
        ),
        Mistake([6, 4, 2, 5, 3, 1], "Line 6 looks at `totals`. Which line sets it?"),
        Mistake([2, 4, 6, 5, 3, 1], "Line 2 takes one of `totals`. Which line sets it?"),
        Mistake([4, 6, 2, 3, 5, 1], "Line 3 goes through `ordered`. Which line sets it?"),
        Mistake([4, 6, 2, 1, 5, 3], "Line 1 joins what is in `ordered`. Which line sets it?"),
    ),
    hints=(
        "For each line, ask which names it uses. A line above must set each of them.",
        "Two lines need nothing but `segments`. One of them collects what the first check looks "
        "at.",
        "Don't trust a total: check that all are the same, then compare one of them with the "
        "number of segments. The `return` comes last, because nothing after it runs.",
    ),
    why=(
        "Check first, and only then join. You may check the totals or the indexes first, so more "
        "than one order is right."
    ),
    points=2,
    minutes=3,
)
