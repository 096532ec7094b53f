"""The exercises of notebook 3, in their order."""

from typing import Final

from kvlib.lessons.exercises.log import (
    bug_hunt,
    publish_order,
    recover,
    replay,
    run_log,
    run_shutdown,
    torn,
)

EXERCISES: Final = (
    run_shutdown.EXERCISE,
    torn.EXERCISE,
    replay.EXERCISE,
    publish_order.EXERCISE,
    bug_hunt.EXERCISE,
    recover.EXERCISE,
    run_log.EXERCISE,
)
