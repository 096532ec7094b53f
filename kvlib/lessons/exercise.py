"""What an exercise is: data, and nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

ExerciseKind = Literal["predict", "order", "function", "functions"]
Function = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """One question that an answer is asked.

    Attributes:
        arguments: what its function is called with; a copy of them, so that it may spoil its own.
        about: what is special here, to go on from "This case is about": "an empty text".
        of: which function is asked, if the answer has more than one.
        refused: whether the function must refuse the arguments, by a ValueError.
    """

    arguments: tuple[Any, ...] = ()
    about: str = ""
    of: int = 0
    refused: bool = False


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give, and what helps them.

    It is used twice: the tests feed it to its check, and a check recognises by it what a learner
    did, because both behave the same.

    Attributes:
        answer: a wrong function; for a prediction a wrong value, for an order a wrong list.
        sentence: what kind of mistake that is, and where to look; not what is right.
        like: of a prediction: whether a value, as plain data of any type, is a mistake of this
            kind; by default, if it equals `answer`. Of two that say so, the first is taken.
        of: which function of the answer it stands for.
    """

    answer: Any
    sentence: str
    like: Callable[[Any], bool] | None = None
    of: int = 0


def mistake(sentence: str, of: int = 0) -> Callable[[Function], Mistake]:
    """Make a Mistake of the wrong function that this stands above."""
    return lambda answer: Mistake(answer, sentence, of=of)


@dataclass(frozen=True)
class Exercise:
    """An exercise.

    Attributes:
        name: the notebook's number and a word: "01-encode-field". Its cells are `cells`.
        kind: "predict": the answer is a value; "order": a list of line numbers; "function";
            "functions": a tuple of them.
        objective: what one can do afterwards, to go on from "You can".
        task: what is asked, as Markdown.
        stub: the cell's source, unsolved.
        names: of the functions asked for, or the one variable.
        solution: the clear version, a function for each of `names`. Of a prediction it takes no
            arguments and computes the value; of an order it is the function in its right order.
        cases: from the smallest up. They are shown to the learner, so they are as small as can be.
        mistakes: at least five.
        hints: three, each saying a little more, none of them the solution.
        why: what to keep, said when the answer is right.
        points: what it is worth in a class.
        minutes: what it takes.
        own: kvlib's functions that would be the answer, by the name that they have there.
        format: what the bytes of a result are, one of views.layout.FORMATS; for each function,
            "" if its result is no bytes.
        given: what the bytes of the first argument are; likewise.
        read: what is compared of a result, for each function; None: the result itself. It gets the
            result and then the arguments. Its ValueError or KvlibError says what is wrong with it.
        item: names an item of a result that is a list; it gets the item's index and the arguments.
        large: makes cases for which time matters.
        forbidden: modules and functions that would do the work, and what to say of them.
        shown: of a prediction: what to show as having come of it, whatever its type.
        probe: another look, after the cases: it gets the functions, and gives what is wrong, or
            else the number of cases that it has tried.
        lines: of an order, numbered from 1 as the task shows them.
        head: of an order: the line above them.
        order: of an order: the right one.
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
        """The ids of the cell with the stub, and of the one that checks it."""
        return f"{self.name}-stub", f"{self.name}-check"

    @property
    def handed(self) -> str:
        """What a learner hands to `check`: a name, or names in parentheses."""
        return self.names[0] if len(self.names) == 1 else f"({', '.join(self.names)})"


@dataclass(frozen=True)
class ProbeResult:
    """What another look has found: the call or the values, what came of them, and the words."""

    asked: str
    came: str
    sentence: str
