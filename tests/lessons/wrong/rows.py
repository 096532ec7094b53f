"""Rows of the tables of wrong answers: what people write, and what the check says."""

import linecache
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from kvlib.lessons.exercise import Exercise


@dataclass(frozen=True)
class Wrong:
    """A solution with one mistake.

    Attributes:
        old: a part of the solution's source. All occurrences are replaced.
        new: what people write instead.
        says: a phrase of the feedback that names the cause.
        also: more replacements that the mistake needs, as pairs of old and new.
    """

    old: str
    new: str
    says: str
    also: tuple[tuple[str, str], ...] = ()

    def source(self, exercise: Exercise) -> str:
        """Return the source of the wrong answer. ValueError if nothing is there to replace."""
        source = _replaced(exercise.solved, self.old, self.new)
        for old, new in self.also:
            source = _replaced(source, old, new)
        return source


@dataclass(frozen=True)
class Whole:
    """A wrong answer that has little in common with the solution.

    Attributes:
        code: the source of the whole answer.
        says: a phrase of the feedback that names the cause.
    """

    code: str
    says: str

    def source(self, exercise: Exercise) -> str:
        """Return the source of the wrong answer."""
        return self.code


@dataclass(frozen=True)
class Value:
    """A wrong prediction or order.

    Attributes:
        value: the answer itself.
        says: a phrase of the feedback that names the cause.
    """

    value: Any
    says: str


Row = Wrong | Whole | Value
Table = Mapping[str, Sequence[Row]]  # by the name of the exercise


def answer_of(exercise: Exercise, row: Row) -> Any:
    """Return the answer to hand to the check: a value, a function, or a tuple of functions."""
    if isinstance(row, Value):
        return row.value
    source = row.source(exercise)
    place = f"<{exercise.name} {crc32(source.encode()):08x}>"
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    namespace: dict[str, Any] = {"__name__": "wrong_answer"}
    exec(compile(source, place, "exec"), namespace)
    functions = tuple(namespace[name] for name in exercise.names)
    return functions if len(functions) > 1 else functions[0]


def _replaced(source: str, old: str, new: str) -> str:
    if old not in source:
        raise ValueError(f"{old!r} isn't in the source")
    return source.replace(old, new)
