"""A learner's result for an exercise: its points, or the reason that there are none."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise

RIGHT, WRONG, UNTRIED = "right", "wrong", "not tried yet"
HIDDEN: Final = "right, but not for a hidden test"
MISSING: Final = "not handed in"
UNREAD: Final = "can't be read as a notebook"
DIED: Final = "its Python has died"
SILENT: Final = "no answer"
# The most informative state counts; those that aren't listed, such as errors, rank like SILENT.
RANKS: Final = {UNTRIED: 0, UNREAD: 1, SILENT: 2, WRONG: 3, HIDDEN: 4, RIGHT: 5}


@dataclass(frozen=True)
class Mark:
    """The result of an exercise.

    Attributes:
        exercise: the exercise.
        state: one of the constants above, or an error that kept the check from running.
    """

    exercise: Exercise
    state: str

    @property
    def points(self) -> int:
        """The points earned: all of them or none."""
        return self.exercise.points if self.state == RIGHT else 0


LearnerMarks = dict[str, Mark]
Marks = dict[str, LearnerMarks]


def best(states: Iterable[str]) -> str:
    """Return the state that counts, or MISSING if there are none."""
    return max(states, key=lambda state: RANKS.get(state, RANKS[SILENT]), default=MISSING)


def total(marks: LearnerMarks) -> int:
    """Return the sum of a learner's points."""
    return sum(mark.points for mark in marks.values())


def most_points() -> int:
    """Return the sum of all exercises' points."""
    return sum(exercise.points for exercise in EXERCISES.values())
