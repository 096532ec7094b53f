"""The data of an exercise."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

ExerciseKind = Literal["predict", "order", "function", "functions"]
Function = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """One case for an answer.

    Attributes:
        arguments: the arguments of the call. The answer gets a copy, which it may change.
        about: the point of the case, to follow "This case is about": "an empty text".
        of: the index of the function, if the answer has more than one.
        refused: whether the function must refuse the arguments with a ValueError.
    """

    arguments: tuple[Any, ...] = ()
    about: str = ""
    of: int = 0
    refused: bool = False


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give, and a sentence that helps them.

    It has two uses: the tests feed it to its check, and a check compares a learner's answer with
    it, because the same mistake behaves the same way.

    Attributes:
        answer: a wrong function; for a prediction a wrong value, for an order a wrong list.
        sentence: the kind of mistake and where to look, but not the right answer.
        like: for a prediction, a function that says whether a value is this kind of mistake; by
            default, whether it equals `answer`. If two match, the first one counts.
        of: the index of the function with the mistake.
    """

    answer: Any
    sentence: str
    like: Callable[[Any], bool] | None = None
    of: int = 0


def mistake(sentence: str, of: int = 0) -> Callable[[Function], Mistake]:
    """Turn the decorated wrong function into a Mistake."""
    return lambda answer: Mistake(answer, sentence, of=of)


@dataclass(frozen=True)
class Exercise:
    """An exercise.

    Attributes:
        name: the notebook's number and a word: "01-encode-field".
        kind: "predict", the answer is a value; "order", a list of line numbers; "function";
            "functions", a tuple of functions.
        objective: the learner's new skill, to follow "You can".
        task: the task, as Markdown.
        stub: the source of the cell, unsolved.
        names: the names of the functions, or of the one variable.
        solution: a function for each of `names`. For a prediction, it takes no arguments and
            computes the value; for an order, it is the function in the right order.
        cases: the cases, the smallest first. Learners see them, so they are as small as possible.
        mistakes: wrong answers, at least five.
        hints: three hints, each giving a little more away, none of them the solution.
        why: the point to remember, shown when the answer is right.
        points: the points in a class.
        minutes: the time it takes.
        own: kvlib's own functions that would be the answer, by name.
        format: the format of each function's result, one of layout.FORMATS, or "".
        given: the format of each function's first argument, or "".
        read: for each function, computes what to compare from the result and the arguments; None
            compares the result itself. Its ValueError or KvlibError says what is wrong.
        item: names an item of a result that is a list, from the item's index and the arguments.
        large: makes cases in which time matters.
        forbidden: modules and functions that would do the work, and what to say about them.
        shown: for a prediction, makes the text for a result of any type.
        probe: checks the functions after the cases; returns what is wrong, or how many cases it
            has tried.
        lines: for an order, the lines, numbered from 1 in the task.
        head: for an order, the line above them.
        order: for an order, the right order.
    """

    name: str
    kind: ExerciseKind
    objective: str
    task: str
    stub: str
    names: tuple[str, ...]
    solution: tuple[Function, ...]
    cases: tuple[Case, ...]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, str, str]
    why: str
    points: int
    minutes: int
    own: Mapping[str, Function] = field(default_factory=dict)
    format: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    read: tuple[Function | None, ...] = ()
    item: Function | None = None
    large: Callable[[], Sequence[Case]] | None = None
    forbidden: Mapping[str, str] = field(default_factory=dict)
    shown: Function | None = None
    probe: Callable[[tuple[Function, ...]], "ProbeResult | int"] | None = None
    lines: tuple[str, ...] = ()
    head: str = ""
    order: tuple[int, ...] = ()

    @property
    def cells(self) -> tuple[str, str]:
        """The ids of the stub's cell and of the cell that checks it."""
        return f"{self.name}-stub", f"{self.name}-check"

    @property
    def handed(self) -> str:
        """The second argument of `check`: a name, or several in parentheses."""
        return self.names[0] if len(self.names) == 1 else f"({', '.join(self.names)})"


@dataclass(frozen=True)
class ProbeResult:
    """The result of a probe: the call or the values, their outcome, and the feedback."""

    asked: str
    came: str
    sentence: str
