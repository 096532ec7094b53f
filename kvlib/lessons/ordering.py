"""An exercise whose answer is an order of lines, given as a list of their numbers."""

import ast
import linecache
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from textwrap import indent
from typing import Any, ClassVar

from kvlib.lessons.exercise import Case, Exercise, Finding, Function
from kvlib.lessons.result import Result
from kvlib.lessons.sandbox import Outcome, run
from kvlib.views.plain import plain, same, written


@dataclass(frozen=True, kw_only=True)
class Ordering(Exercise):
    """An exercise that asks for the order of some lines.

    Attributes:
        head: the line above them: "def read_text(data, offset):".
        lines: the lines, numbered from 1 in the task.
        order: a right order.
        cases: calls of the function that the lines form.
        early: what to ask if a `return` comes before other lines.
        judge: finds what is wrong with the function instead of the cases.
        tried: how a right order was tried, if not on the cases.
    """

    way: ClassVar = "order the lines"

    head: str
    lines: tuple[str, ...]
    order: tuple[int, ...]
    cases: tuple[Case, ...] = ()
    early: str = ""
    judge: Callable[[Function], Finding | None] | None = None
    tried: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The one variable."""
        return ("order",)

    @property
    def heading(self) -> str:
        """The task, and the numbered lines."""
        lines = [
            f"{number}   {indent(line, '    ')[4:]}" for number, line in enumerate(self.lines, 1)
        ]
        listed = "\n".join([self.head, "", *lines])
        return f"{super().heading}\n\n```\n{listed}\n```"

    @property
    def solved(self) -> str:
        """The assignment of a right order."""
        return f"order = {list(self.order)}"

    @property
    def source(self) -> str:
        """The function in a right order."""
        return self._source(self.order)

    @property
    def shown(self) -> tuple[str, tuple[str, ...]]:
        """The function in a right order, and the order."""
        return self.source, (self.why, f"So the order is {list(self.order)}.")

    def _source(self, order: Sequence[int]) -> str:
        body = "\n".join(self.lines[number - 1] for number in order)
        return f"{self.head}\n{indent(body, '    ')}\n"

    def check(self, answer: Any) -> Result:
        """Return whether an order is right; if it isn't, why."""
        if answer is ... or (type(answer) is list and not answer):
            return self.untried()
        order = plain(answer)
        if problem := self._about_form(order):
            return self.wrong(problem)
        found = self._find(order)
        if found is None:
            cases = f"Tried on {len(self.cases)} cases, the smallest first."
            return self.right(self.tried or cases)
        asked = f"order = {list(order)}"
        places = [order.index(number) + 1 for number in range(1, len(order) + 1)]
        if self._find(places) is None:
            says = (
                "You have listed the place of each line: the first number is the place of line 1. "
                "List the lines instead: the first number is the line that comes first."
            )
            return self.wrong(says, asked=asked)
        return self.wrong(found.says, asked=found.asked or asked, came=found.came)

    def _about_form(self, order: Any) -> str:
        """Return what is wrong with a list of line numbers as such, or ""."""
        last = len(self.lines)
        if type(order) not in (list, tuple) or not all(type(one) is int for one in order):
            return f"An order is a list of line numbers, such as `{list(range(1, last + 1))}`."
        unknown = [one for one in order if not 1 <= one <= last]
        if unknown:
            return f"There is no line {written(unknown[0])}: they are numbered from 1 to {last}."
        twice = [number for number, times in Counter(order).items() if times > 1]
        if twice:
            return f"Line {twice[0]} is there twice, but each line is needed once."
        missing = sorted(set(range(1, last + 1)) - set(order))
        return f"Line {missing[0]} is missing, but each line is needed once." if missing else ""

    def _find(self, order: Sequence[int]) -> Finding | None:
        """Return what is wrong with an order, or None."""
        function = self.assembled(order)
        if self.judge:
            return self.judge(function)
        failed = next(filter(None, (self._failed(function, case) for case in self.cases)), None)
        if failed is None:
            return None
        case, outcome = failed
        arguments = ", ".join(written(plain(one)) for one in case.arguments)
        asked = f"{function.__name__}({arguments})"
        came = written(outcome.value)
        if outcome.kind == "raised":
            came = f"{outcome.value.kind}: {outcome.value.text}"
        says = next(self._about_lines(order), "") or case.look
        return Finding(asked, came, says or f"This case is about {case.about}.")

    def _failed(self, function: Function, case: Case) -> tuple[Case, Outcome] | None:
        outcome = run(function, case.arguments)
        if case.refused:
            right = outcome.kind == "raised" and outcome.value.cls is ValueError
        else:
            wanted = self.assembled(self.order)(*case.arguments)
            right = outcome.kind == "gave" and same(outcome.value, plain(wanted))
        return None if right else (case, outcome)

    def assembled(self, order: Sequence[int]) -> Function:
        """Return the function with its lines in this order."""
        return _assembled(self._source(order), f"<{self.name} {list(order)}>")

    def _about_lines(self, order: Sequence[int]) -> Iterator[str]:
        """Yield what is wrong with the order as such: a name used too early, a line never run."""
        setters = {name: number for number in order for name in _names(self._line(number))[0]}
        known: set[str] = set()
        for place, number in enumerate(order):
            assigned, used = _names(self._line(number))
            for name in used:
                if name in setters and name not in known:
                    yield f"Line {number} uses `{name}`. Which line sets it?"
            known |= assigned
            rest = order[place + 1 :]
            if self._line(number).startswith("return") and rest:
                named = " and ".join(map(str, rest[-2:]))
                if len(rest) > 2:
                    named = f"{', '.join(map(str, rest[:-2]))}, {named}"
                verb = "Lines {} come" if len(rest) > 1 else "Line {} comes"
                runs = "they never run" if len(rest) > 1 else "it never runs"
                yield f"{verb.format(named)} after the `return`, so {runs}. {self.early}"

    def _line(self, number: int) -> str:
        return self.lines[number - 1]


@lru_cache
def _assembled(source: str, place: str) -> Function:
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    namespace: dict[str, Any] = {"__name__": place}
    exec(compile(source, place, "exec"), namespace)  # our own lines, in the learner's order
    (function,) = (one for name, one in namespace.items() if not name.startswith("__"))
    return function  # type: ignore[no-any-return]  # a namespace holds anything


@lru_cache
def _names(line: str) -> tuple[frozenset[str], Sequence[str]]:
    """Return the names that a line of a function assigns, and those that it uses, in order."""
    body = ast.parse(f"def f():\n{indent(line, '    ')}")
    names = [node for node in ast.walk(body) if isinstance(node, ast.Name)]
    names.sort(key=lambda node: (node.lineno, node.col_offset))
    assigned = frozenset(node.id for node in names if isinstance(node.ctx, ast.Store))
    return assigned, [node.id for node in names if node.id not in assigned]
