"""An exercise whose answer is a value, such as a number of bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from kvlib.lessons.exercise import Exercise, Function, Sign, sign_of
from kvlib.lessons.feedback import NAMES
from kvlib.lessons.result import Result
from kvlib.lessons.source_code import code_of
from kvlib.views.plain import Foreign, kind_of, plain, same, written

UNKNOWN: Final = (
    "That isn't it. Write down how you got there, step by step: which of the steps can you check?"
)


def _nothing(_: Any) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Prediction(Exercise):
    """An exercise that asks for a value.

    Attributes:
        answer: computes a right value.
        signs: wrong values, and the feedback for each; the first that matches counts.
        accepts: returns whether a value is right; by default, whether it equals the answer.
        describe: returns what comes of a value, as text.
        variable: the name that the cell assigns.
    """

    way: ClassVar = "predict"

    answer: Function
    signs: tuple[Sign, ...]
    accepts: Callable[[Any], bool] | None = None
    describe: Callable[[Any], str] = _nothing
    variable: str = "prediction"

    @property
    def names(self) -> tuple[str, ...]:
        """The one variable."""
        return (self.variable,)

    @property
    def solved(self) -> str:
        """A function that computes the value, and its call."""
        return f"{code_of((self.answer,))}\n\n\n{self.variable} = {self.answer.__name__}()"

    def check(self, answer: Any) -> Result:
        """Return whether a value is right; if it isn't, which mistake leads to it."""
        if answer is ...:
            return self.untried()
        value, wanted = plain(answer), self.answer()
        if self.accepts(value) if self.accepts else same(value, wanted):
            return self.right("Yes, exactly.")
        says = sign_of(self.signs, value)
        if not says and type(value) is not type(wanted):
            kind = value.kind if type(value) is Foreign else kind_of(value)
            says = f"It should be {NAMES[type(wanted)]}, but this is of type {kind}."
            if type(value) is str and (type(wanted) is not dict or "{" in value):
                says += " Leave out the quotes."
        asked = f"{self.variable} = {written(value)}"
        return self.wrong(says or UNKNOWN, asked=asked, came=self.describe(value))
