"""An exercise whose answer is code: one function or several."""

import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, Final

import kvlib
from kvlib.errors import FormatError, KvlibError
from kvlib.layout.dissect import dissect
from kvlib.lessons import feedback
from kvlib.lessons.diagnosis import Functions, Seen, diagnose, is_vast, part_of
from kvlib.lessons.exercise import Case, Exercise, Finding, Function
from kvlib.lessons.picture import BytesPicture, picture_of
from kvlib.lessons.relations import Message, Spelling
from kvlib.lessons.result import Result
from kvlib.lessons.sandbox import Outcome, run
from kvlib.lessons.source_code import code_of
from kvlib.views.plain import plain, same, written

UNLIMITED: Final = 10**15
SLOWER: Final = 20  # an answer may need this many times the solution's time for a large case
AT_LEAST: Final = 1.0  # seconds that are always allowed


@dataclass(frozen=True, kw_only=True)
class Coding(Exercise):
    """An exercise that asks for code.

    Attributes:
        functions: the solution: a function for each that is asked for, with the same name.
        cases: the cases, the smallest first. Learners see them, so they are as small as possible.
        given_code: the cell's code, if it is more than the functions' heads.
        own: the names in kvlib of the functions that would be the answer.
        formats: the format of each function's result, one of layout.FORMATS, or "".
        given: the format of each function's first argument, or "".
        reads: for each function, what to compare instead of the result, computed from the result
            and the arguments. Its ValueError or KvlibError means that the result is wrong.
        spell: for each function, or None: how its result for these arguments is spelled, and how
            people get it wrong; see `relations`.
        samples: for each function, or (): right messages, and what they mean to it.
        write: writes an argument or a result.
        item: names an item of a result that is a list, from the item's index and the arguments.
        large: makes cases in which time matters.
        forbidden: modules and functions that would do the work, and what to say about them.
        attack: tries the functions after the cases; returns what is wrong, or how many it tried.
    """

    way: ClassVar = "write code"

    functions: Functions
    cases: tuple[Case, ...]
    given_code: str = ""
    own: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    reads: tuple[Function | None, ...] = ()
    spell: tuple[Callable[..., Spelling] | None, ...] = ()
    samples: tuple[Sequence[tuple[Sequence[Message], Any]], ...] = ()
    write: Callable[[Any], str] = written
    item: Function | None = None
    large: Callable[[], Sequence[Case]] | None = None
    forbidden: Mapping[str, str] = field(default_factory=dict)
    attack: Callable[[Functions], Finding | int] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The functions' names."""
        return tuple(one.__name__ for one in self.functions)

    @property
    def stub(self) -> str:
        """The functions without their bodies, or the code that is given."""
        return self.given_code or "\n\n\n".join(
            f"def {one.__name__}({', '.join(inspect.signature(one).parameters)}):\n"
            "    raise NotImplementedError  # YOUR CODE HERE"
            for one in self.functions
        )

    @property
    def solved(self) -> str:
        """The functions."""
        return code_of(self.functions)

    @property
    def shown(self) -> tuple[str, tuple[str, ...]]:
        """The functions, and kvlib's own."""
        own = f"kvlib's own: {', '.join(f'`kvlib.{name}??`' for name in self.own)}"
        return self.solved, (self.why, *([own] if self.own else []))

    # ------------------------------------------------------------------------------ the check

    def check(self, answer: Any) -> Result:
        """Return whether functions are right; if they aren't, why."""
        if answer is ...:
            return self.untried()
        call = f"`{self.call}`"
        functions: list[Any] = [answer]
        if len(self.names) > 1:
            # `in` would compare, and a metaclass may have its own idea of equality
            functions = [*answer] if type(answer) is tuple or type(answer) is list else []
        if len(functions) != len(self.names):
            return self.wrong(f"This exercise takes {len(self.names)} functions at once: {call}.")
        for of, one in enumerate(functions):
            needed = next(case.arguments for case in self.cases if case.of == of)
            problem = feedback.about_function(self.names[of], call, one, needed, self._library())
            if problem:
                return self.wrong(problem)
        return self._tried(tuple(functions))

    def _tried(self, functions: Functions) -> Result:
        seen = list(self._small(functions))
        failed = next((one for one in seen if one.failed), None)
        if failed and self._is_untried(functions, failed):
            return self.untried()
        if found := self._forbidden(functions, [failed.case] if failed else self.cases):
            return found
        if failed:
            return self._explained(functions, seen, failed)
        tried = len(seen)
        for look in (self._attacked, self._large):
            more = look(functions)
            if isinstance(more, Result):
                return more
            tried += more
        return self.right(f"Tried on {tried:,} cases, the smallest first.")

    def _small(self, functions: Functions) -> Iterator[Seen]:
        """Try each case twice, up to the first that never ends: others would take as long again.

        If an earlier function is wrong, later ones aren't tried: their arguments might be wrong
        too, such as a total of billions.
        """
        codes = {one.__code__: f"`kvlib.{name}`" for name, one in self._library().items()}
        wrong = None
        for case in self.cases:
            if wrong not in (None, case.of):
                return
            outcome = run(functions[case.of], case.arguments, codes=codes)
            if outcome.kind in ("endless", "asked") or is_vast(outcome.value):
                yield Seen(case, outcome, False, True)
                return
            again = run(functions[case.of], case.arguments, codes=codes)
            steady = (again.kind, again.changed) == (outcome.kind, outcome.changed)
            steady = steady and same(again.value, outcome.value)
            found = Seen(case, outcome, self._is_right(case, outcome), steady)
            yield found
            if wrong is None and found.failed:
                wrong = case.of

    def _library(self) -> dict[str, Any]:
        """Return kvlib's own functions by name."""
        return {name: attrgetter(name)(kvlib) for name in self.own}

    def _is_untried(self, functions: Functions, failed: Seen) -> bool:
        """Return whether each function is still the stub."""
        firsts = {case.of: case for case in (*reversed(self.cases), failed.case)}
        return all(_is_stub(run(functions[of], case.arguments)) for of, case in firsts.items())

    def wanted(self, case: Case) -> Any:
        """Return the solution's result."""
        return self.functions[case.of](*deepcopy(case.arguments))

    def _is_right(self, case: Case, outcome: Outcome) -> bool:
        if case.refused:
            return not outcome.changed and is_refusal(outcome)
        return self._agrees(case, outcome, self.wanted(case))

    def _agrees(self, case: Case, outcome: Outcome, wanted: object) -> bool:
        if outcome.kind != "gave" or outcome.changed or type(outcome.value) is not type(wanted):
            return False
        read = part_of(self.reads, case.of) or (lambda value, *_: value)
        try:
            return same(read(outcome.value, *case.arguments), read(wanted, *case.arguments))
        except (ValueError, KvlibError):
            return False

    # ---------------------------------------------------------------------------- what is wrong

    def _explained(self, functions: Functions, seen: list[Seen], failed: Seen) -> Result:
        shown, says = diagnose(
            self, functions, [one for one in seen if one.case.of == failed.case.of], failed
        )
        case, outcome = shown.case, shown.outcome
        wanted = None if case.refused else self.wanted(case)
        arguments = ", ".join(self.write(plain(one)) for one in case.arguments)
        return self.wrong(
            *says,
            asked=f"{self.names[case.of]}({arguments})",
            came=self.write(outcome.value) if outcome.kind == "gave" else feedback.came(outcome),
            picture=self._picture(case, outcome, wanted),
            printed=outcome.printed,
        )

    def _picture(self, case: Case, outcome: Outcome, wanted: object) -> BytesPicture | None:
        """Return a picture of the result, its first wrong byte marked, or else of the argument."""
        format, given = part_of(self.formats, case.of), part_of(self.given, case.of)
        if format and outcome.kind == "gave" and wanted is not None:
            return picture_of(format, outcome.value, wanted)
        if given and type(case.arguments[0]) is bytes:
            return BytesPicture(
                dissect(case.arguments[0], format=given, source="what it was given")
            )
        return None

    # ---------------------------------------------------------------------------- after the cases

    def _forbidden(self, functions: Functions, cases: Iterable[Case]) -> Result | None:
        for case in cases if self.forbidden else ():
            outcome = run(functions[case.of], case.arguments, tools=self.forbidden)
            if outcome.kind == "forbidden":
                return self.wrong(self.forbidden[outcome.value])
        return None

    def _attacked(self, functions: Functions) -> Result | int:
        """Return what the attack has found, or how many cases it tried."""
        found = self.attack(functions) if self.attack else 0
        if isinstance(found, Finding):
            return self.wrong(found.says, asked=found.asked, came=found.came)
        return found

    def _large(self, functions: Functions) -> Result | int:
        """Return what is wrong in a large case, or the number of large cases."""
        if self.large is None:
            return 0
        clear = _clear_version(self.large, self.functions)
        for case, (wanted, seconds) in zip(self.large(), clear, strict=True):
            outcome = _timed(functions, case, max(AT_LEAST, SLOWER * seconds))
            if not self._agrees(case, outcome, wanted):
                return self.wrong(*_about_large(case, outcome), printed=outcome.printed)
        return len(clear)


def _about_large(case: Case, outcome: Outcome) -> Iterator[str]:
    yield f"All small cases are right. Then came {case.about}."
    if outcome.kind == "endless":
        where = f" It was stopped in your {outcome.line}." if outcome.line else ""
        yield (
            f"It took more than {SLOWER} times the solution's time.{where} What does it copy or "
            "search again in each turn?"
        )
    elif outcome.kind == "gave":
        yield case.look or "The result is wrong. What changes when there is a lot of data?"
    else:
        yield f"What came: {feedback.came(outcome)}"


@cache  # checking an improved answer shouldn't take this long again
def _clear_version(
    large: Callable[[], Sequence[Case]], solution: Functions
) -> list[tuple[Any, float]]:
    """Return the solution's outcome for each large case, and its time in seconds."""
    found = []
    for case in large():  # made anew, because an answer may change its arguments
        start = time.process_time()
        outcome = _timed(solution, case)
        found.append((outcome.value, time.process_time() - start))
    return found


def _timed(functions: Functions, case: Case, seconds: float = float("inf")) -> Outcome:
    function = functions[case.of]
    return run(function, case.arguments, lines=UNLIMITED, seconds=seconds, copy=False)


def is_refusal(outcome: Outcome) -> bool:
    """Return whether an answer refused its arguments."""
    return outcome.kind == "raised" and bool(outcome.value.is_a(ValueError, FormatError))


def _is_stub(outcome: Outcome) -> bool:
    return outcome.kind == "raised" and outcome.value.cls is NotImplementedError
