"""The exercises of notebook 3: first the spine's, sorted by kind, then the Workshop's in order.

The notebook itself has `replay` before `torn`.
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
