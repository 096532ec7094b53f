"""The exercises of notebook 2."""

from typing import Final

from kvlib.lessons.exercise import Exercise

EXERCISES: Final[tuple[Exercise, ...]] = ()
