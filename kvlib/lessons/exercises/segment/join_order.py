"""02-join-order: put a join's checks before the steps they protect.

Here are the lines of `join_sorted(segments)`, shuffled. It joins segments that arrive in any order.
It must refuse them if one is lost, if one occurs twice, or if one comes from a snapshot with
another total. Every segment has a whole header. Write down the line numbers in the right order.

Hint: For each line, ask which names it uses. A line above must set each of them.

Hint: Two lines need nothing but `segments`. One of them collects what the first check looks at.

Hint: Don't trust a total: check that all are the same, then compare one of them with the number of
segments. The `return` comes last, because nothing after it runs.

Why: Check first, and only then join. You may check the totals or the indexes first, so more than
one order is right.
"""

from typing import Final

from kvlib.lessons.exercise import Case, refused, texts
from kvlib.lessons.exercises.segment.pieces import A2, A3, B2, B3, C3, LONE
from kvlib.lessons.ordering import Ordering

EXERCISE: Final = Ordering(
    **texts(__name__),
    minutes=3,
    points=2,
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
    early="When is it safe to join?",
    cases=(
        Case(([LONE],), "one segment"),
        Case(([B2, A2],), "two segments in the wrong order"),
        Case(([C3, A3, B3],), "three segments in some order"),
        refused(
            "no segment at all",
            "Line 2 takes the first of the totals, but line 6 hasn't checked yet that there is "
            "one. "
            "Which of them must come first?",
            [],
        ),
        refused("segments without the last one", "", [A2]),
        refused("a segment that occurs twice", "", [A2, B2, B2]),
        refused("one segment twice, and another one lost", "", [A2, A2]),
        refused("a segment of another total", "", [A2, B3]),
    ),
)
