"""02-join-order: the checks of a join, and what they protect."""

from typing import Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, Mistake
from kvlib.lessons.exercises.segment.pieces import A2, A3, B2, B3, C3, LONE

EXERCISE: Final = Exercise(
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
