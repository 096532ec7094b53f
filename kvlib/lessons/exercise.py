"""The common part of the three kinds of exercise: predictions, orderings and code."""

import ast
import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from kvlib.lessons.result import Result
from kvlib.views.plain import Foreign, same

Function = Callable[..., Any]


# A wrong result that only one mistake gives, the type of an exception, or a function that tells
# whether a result is such a one; and the feedback for it: what is wrong, and where to look.
Sign = tuple[Any, str]


def sign_of(signs: Iterable[Sign], result: Any) -> str:
    """Return the feedback of the first sign that a result, as plain data, matches; or ""."""
    for wrong, says in signs:
        if isinstance(wrong, type):
            matches = type(result) is Foreign and result.is_a(wrong)
        else:
            matches = wrong(result) if callable(wrong) else same(wrong, result)
        if matches:
            return says
    return ""


@dataclass(frozen=True)
class Case:
    """One call of an answer.

    Attributes:
        arguments: the arguments of the call. The answer gets a copy, which it may change.
        about: the point of the case, to follow "This case is about": "an empty text".
        look: what to look at if the answer fails here; for a refusal, if it doesn't refuse.
        signs: wrong results whose cause is known.
        later: whether a later case tells the cause better, by a sign.
        of: the index of the function, if the answer has more than one.
        refused: whether the answer must refuse the arguments with a ValueError.
    """

    arguments: tuple[Any, ...] = ()
    about: str = ""
    look: str = ""
    signs: tuple[Sign, ...] = ()
    later: bool = False
    of: int = 0
    refused: bool = False


class Finding(NamedTuple):
    """Something wrong: the call or the values, what came of it, and the feedback."""

    asked: str
    came: str
    says: str


def texts(module: str) -> dict[str, Any]:
    """Return the texts of an exercise, which its module's docstring states.

    The first line is "NAME: OBJECTIVE."; then come the task, three paragraphs that begin with
    "Hint: ", and one with "Why: ".
    """
    doc = sys.modules[module].__doc__  # None if Python runs with -OO
    doc = doc or ast.get_docstring(ast.parse(inspect.getsource(sys.modules[module]))) or ""
    head, *paragraphs = (" ".join(one.split()) for one in doc.strip().split("\n\n"))
    name, _, objective = head.removesuffix(".").partition(": ")
    hints = [one.removeprefix("Hint: ") for one in paragraphs if one.startswith("Hint: ")]
    why = next(one.removeprefix("Why: ") for one in paragraphs if one.startswith("Why: "))
    task = [one for one in paragraphs if not one.startswith(("Hint: ", "Why: "))]
    return {
        "name": name,
        "objective": objective,
        "task": "\n\n".join(task),
        "hints": tuple(hints),
        "why": why,
    }


def refused(about: str, look: str, *arguments: Any, of: int = 0) -> Case:
    """Return a case whose arguments must be refused."""
    return Case(arguments, about, look, of=of, refused=True)


@dataclass(frozen=True, kw_only=True)
class Exercise(ABC):
    """An exercise.

    Attributes:
        name: the notebook's number and a word: "01-encode-field".
        objective: the learner's new skill, to follow "You can".
        task: the task, as Markdown.
        hints: three hints, each giving a little more away, none of them the solution.
        why: the point to remember, shown when the answer is right.
        points: the points in a class.
        minutes: the time it takes.
    """

    way: ClassVar[str]

    name: str
    objective: str
    task: str
    hints: tuple[str, str, str]
    why: str
    points: int
    minutes: int

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The names that the answer's cell defines."""

    @property
    def stub(self) -> str:
        """The source of the answer's cell, unsolved."""
        return f"{self.handed} = ..."

    @property
    def call(self) -> str:
        """The source of the cell that checks the answer."""
        return f'check("{self.name}", {self.handed})'

    @property
    def heading(self) -> str:
        """The task as a notebook has it, with its name and minutes."""
        return f"**Exercise `{self.name}` ({self.minutes} min).** {self.task}"

    @property
    @abstractmethod
    def solved(self) -> str:
        """The source of the answer's cell, solved."""

    @property
    def shown(self) -> tuple[str, tuple[str, ...]]:
        """The code of the solution, and paragraphs about it."""
        return self.solved, (self.why,)

    @property
    def cells(self) -> tuple[str, str]:
        """The ids of the stub's cell and of the cell that checks it."""
        return f"{self.name}-stub", f"{self.name}-check"

    @property
    def handed(self) -> str:
        """The second argument of `check`: a name, or several in parentheses."""
        return self.names[0] if len(self.names) == 1 else f"({', '.join(self.names)})"

    @abstractmethod
    def check(self, answer: Any) -> Result:
        """Return whether an answer is right; if it isn't, why."""

    # ------------------------------------------------------------------------------ results

    def untried(self) -> Result:
        """Return the result for an answer that is still the stub."""
        return Result(self.name, "not tried yet")

    def right(self, said: str) -> Result:
        """Return the result for a right answer."""
        return Result(self.name, "right", words=(said, self.why), then=f'solution("{self.name}")')

    def wrong(self, *words: str, **more: Any) -> Result:
        """Return the result for a wrong answer."""
        then = f'hint("{self.name}", 1)'
        return Result(self.name, "wrong", words=tuple(filter(None, words)), then=then, **more)
