"""The exercises of notebook 1, in their order."""

from typing import Final

from kvlib.lessons.exercises.encode import (
    bug_hunt,
    decode_order,
    delimiter,
    encode_field,
    length,
    run_snapshots,
    snapshot,
)

EXERCISES: Final = (
    length.EXERCISE,
    encode_field.EXERCISE,
    decode_order.EXERCISE,
    delimiter.EXERCISE,
    bug_hunt.EXERCISE,
    snapshot.EXERCISE,
    run_snapshots.EXERCISE,
)
