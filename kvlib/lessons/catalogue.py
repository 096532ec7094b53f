"""All exercises, by name."""

from difflib import get_close_matches
from typing import Final

from kvlib.lessons.exercise import Exercise
from kvlib.lessons.exercises import encode, log, segment
from kvlib.views.plain import plain, written

EXERCISES: Final[dict[str, Exercise]] = {
    exercise.name: exercise for exercise in (*encode.EXERCISES, *segment.EXERCISES, *log.EXERCISES)
}


def find(name: object) -> Exercise:
    """Return the exercise with this name. ValueError, with similar names, if there is none."""
    if type(name) is not str or name not in EXERCISES:
        said = written(plain(name), 60)
        near = get_close_matches(said, EXERCISES, 3, 0.4) or list(EXERCISES)
        raise ValueError(f"There is no exercise {said}: did you mean {', '.join(near)}?")
    return EXERCISES[name]
