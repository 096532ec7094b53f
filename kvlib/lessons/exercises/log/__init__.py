"""The exercises of notebook 3, in their order."""

from typing import Final

from kvlib.lessons.exercises.log import (
    bug_hunt,
    publish_order,
    recover,
    replay,
    run_log,
    run_shutdown,
    save,
    torn,
)

EXERCISES: Final = (
    replay.EXERCISE,
    torn.EXERCISE,
    save.EXERCISE,
    publish_order.EXERCISE,
    run_shutdown.EXERCISE,
    bug_hunt.EXERCISE,
    recover.EXERCISE,
    run_log.EXERCISE,
)
