"""Explain why an answer of code fails, from the strongest evidence to the weakest.

First come bytes that one misunderstanding of the format explains, then wrong results that only one
mistake gives, then a reader that reads another format. If the cause can't be told, the words say
what the outcome of the smallest case shows.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from kvlib.lessons import feedback
from kvlib.lessons.exercise import Case, Function, sign_of
from kvlib.lessons.relations import Message, Spelling, explain_reading, explain_writing
from kvlib.lessons.sandbox import Outcome, run
from kvlib.views.plain import Foreign, same, written

Functions = tuple[Function, ...]


class Explained(Protocol):
    """What a diagnosis needs of an exercise; see kvlib.lessons.coding.Coding."""

    @property
    def names(self) -> tuple[str, ...]:
        """The functions' names."""

    @property
    def functions(self) -> Functions:
        """The solution."""

    @property
    def cases(self) -> tuple[Case, ...]:
        """The cases."""

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats of the results."""

    @property
    def spell(self) -> tuple[Callable[..., Spelling] | None, ...]:
        """How the results are spelled."""

    @property
    def samples(self) -> tuple[Sequence[tuple[Sequence[Message], Any]], ...]:
        """Messages to read."""

    @property
    def item(self) -> Function | None:
        """Names an item of a result."""

    def wanted(self, case: Case) -> Any:
        """Return the solution's result."""


class Seen(NamedTuple):
    """A case, its outcome, and whether that is right, and the same in each run."""

    case: Case
    outcome: Outcome
    right: bool
    steady: bool

    @property
    def failed(self) -> bool:
        """Whether something is wrong."""
        return not (self.right and self.steady)


def diagnose(
    exercise: Explained, functions: Functions, seen: list[Seen], failed: Seen
) -> tuple[Seen, Sequence[str]]:
    """Return the case to show and what to say, from the strongest evidence to the weakest."""
    if not failed.steady:
        return failed, [feedback.STATE]
    returned = failed.outcome.kind == "gave" and not failed.outcome.changed
    if returned and not failed.case.refused and (words := _about_writing(exercise, seen)):
        return failed, words
    others = [one for one in seen if one.failed] if failed.case.later else []
    for one in (failed, *others):
        sign = sign_of(one.case.signs, one.outcome.value)
        if sign and one.outcome.kind in ("gave", "raised"):
            return one, [sign]
    if not failed.case.refused and (
        says_reading := _about_reading(exercise, functions, failed.case.of)
    ):
        return failed, [says_reading]
    return failed, list(_about(exercise, failed))


def _about_writing(exercise: Explained, seen: Sequence[Seen]) -> list[str]:
    """Return which misunderstanding of the format explains all results."""
    spell = part_of(exercise.spell, seen[0].case.of)
    if not spell:
        return []
    wanted = type(exercise.wanted(seen[0].case))
    return explain_writing(
        [
            (spell(*one.case.arguments), one.outcome.value, one.right)
            for one in seen
            if one.outcome.kind == "gave"
            and not one.case.refused
            and type(one.outcome.value) is wanted
        ]
    )


def _about_reading(exercise: Explained, functions: Functions, of: int) -> str:
    """Return which misunderstanding of the format makes a reader fail."""
    samples = part_of(exercise.samples, of)
    if not samples:
        return ""
    like = next((case.arguments[0] for case in exercise.cases if case.of == of), None)

    def read(data: Any) -> Any:
        outcome = run(functions[of], (data,), lines=5_000)
        return outcome.value if outcome.kind == "gave" else Foreign(type(None), "error", "")

    return explain_reading(samples, read, like)


def _about(exercise: Explained, failed: Seen) -> Iterator[str]:
    """Yield what the outcome of one case itself says."""
    case, outcome = failed.case, failed.outcome
    if said := feedback.about_end(outcome):
        yield said
    elif case.refused:
        yield from _about_refusal(case, outcome)
        return
    elif outcome.kind == "raised":
        yield from _about_error(exercise, case, outcome)
    elif outcome.changed:
        yield feedback.CHANGED
    elif is_vast(outcome.value):
        yield feedback.VAST
    else:
        yield from _about_value(exercise, case, outcome)
    if case.look:
        yield case.look
    elif case.about and (outcome.kind == "raised" or case is not exercise.cases[0]):
        yield f"This case is about {case.about}."


def _about_refusal(case: Case, outcome: Outcome) -> Iterator[str]:
    if outcome.kind == "gave":
        if type(outcome.value) is Foreign and outcome.value.is_a(BaseException):
            yield feedback.RETURNED
        else:
            yield (
                f"It accepts {case.about}, and this must be refused with a ValueError. {case.look}"
            )
    elif outcome.value.is_a(AssertionError):
        yield (
            "To refuse this is right, but Python can be told to leave out every `assert`. "
            "Raise "
            "a ValueError that says what doesn't fit."
        )
    elif outcome.changed:
        yield feedback.CHANGED
    elif feedback.is_own_refusal(outcome):
        yield (
            "To refuse this is right. But the error must be a ValueError, not "
            f"{outcome.value.kind}."
        )
    else:
        yield (
            f"This is {case.about}. An error is right, but this one happened by accident: "
            "check "
            "first, and raise a ValueError that says what doesn't fit."
        )
        if case.look:
            yield case.look


def _about_error(exercise: Explained, case: Case, outcome: Outcome) -> Iterator[str]:
    error = outcome.value
    if error.cls is NotImplementedError:
        yield f"`{exercise.names[case.of]}` is not tried yet; what comes before it is right."
    elif feedback.is_own_refusal(outcome) and error.is_a(Exception):
        yield "It refuses something that is right. Which of your checks is too strict, and why?"
    else:
        yield feedback.about_error(outcome)


def _about_value(exercise: Explained, case: Case, outcome: Outcome) -> Iterator[str]:
    mine, wanted = outcome.value, exercise.wanted(case)
    if type(mine) is not type(wanted):
        yield feedback.about_type(mine, wanted, outcome.printed)
    elif type(mine) is list:
        yield from _about_items(exercise, case, mine, wanted)
    elif not part_of(exercise.formats, case.of):  # otherwise the picture says it
        yield from feedback.differences(mine, wanted)


def _about_items(
    exercise: Explained, case: Case, mine: list[Any], wanted: list[Any]
) -> Iterator[str]:
    pairs = enumerate(zip(mine, wanted, strict=False))
    at = next((at for at, (a, b) in pairs if not same(a, b)), min(len(mine), len(wanted)))
    name = f"item {at} (counted from 0)"
    if exercise.item and at < len(wanted):
        name = f"the answer to {exercise.item(at, *case.arguments)}"
    if at == len(mine):
        yield f"The list is too short: {name} is missing."
    elif at == len(wanted):
        yield f"The list is too long: it continues with {written(mine[at], 80)}."
    else:
        yield f"The first wrong one is {name}: {written(mine[at], 80)}."
        if type(mine[at]) is Foreign or type(mine[at]) in (list, bytearray):
            yield feedback.about_type(mine[at], wanted[at])
        else:
            yield from feedback.differences(mine[at], wanted[at], "It")


def is_vast(value: object) -> bool:
    """Return whether a value is too large to be looked at."""
    return type(value) is Foreign and value.vast


def part_of(of_each: Sequence[Any], number: int) -> Any:
    """Return what belongs to a function, by its number; None if there is nothing."""
    return of_each[number] if number < len(of_each) else None
