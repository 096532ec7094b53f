"""The exercises of notebook 3."""

from typing import Final

from kvlib.lessons.exercise import Exercise

EXERCISES: Final[tuple[Exercise, ...]] = ()
