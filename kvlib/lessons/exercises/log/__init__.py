"""The exercises of notebook 3: the spine's, by kind as in the others, then the Workshop's in order.

In the notebook `replay` comes before `torn`.
"""

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
    torn.EXERCISE,
    replay.EXERCISE,
    publish_order.EXERCISE,
    run_shutdown.EXERCISE,
    bug_hunt.EXERCISE,
    recover.EXERCISE,
    run_log.EXERCISE,
)
