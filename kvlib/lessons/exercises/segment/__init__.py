"""The exercises of notebook 2, in their order."""

from typing import Final

from kvlib.lessons.exercises.segment import (
    bug_hunt,
    count,
    header,
    join_order,
    run_segments,
    split,
    split_join,
)

EXERCISES: Final = (
    count.EXERCISE,
    header.EXERCISE,
    join_order.EXERCISE,
    split.EXERCISE,
    bug_hunt.EXERCISE,
    split_join.EXERCISE,
    run_segments.EXERCISE,
)
