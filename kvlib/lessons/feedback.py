"""The feedback for an answer whose mistake has no name: kind, specific, never the answer."""

import inspect
from collections import Counter
from collections.abc import Iterator
from types import CoroutineType, GeneratorType
from typing import Any, Final

from kvlib.lessons.exercise import Case, Exercise
from kvlib.lessons.sandbox import LINES, SECONDS, Outcome, run
from kvlib.plural import count
from kvlib.views.plain import Foreign, isinstance_of, kind_of, name_of, plain, same, written

STATE: Final = (
    "The same call gives another result the second time: something is kept between the calls, "
    "such as a global variable or a default argument like `out=[]`."
)
CHANGED: Final = (
    "It changed what it was given, and that belongs to the caller. Look for what adds to or "
    "removes from the argument, and work on a value of your own."
)
PRINTED: Final = (
    "It printed its result and returned nothing: a caller gets None. Look for `return`."
)
NOTHING: Final = "It gave None. Is there a `return` on each way through the function?"
STRANGE: Final = (
    "That isn't it. Write down how you came to it, step by step: which of the steps can you check?"
)
NAMES: Final = {
    int: "a whole number",
    bytes: "bytes",
    str: "a text",
    dict: "a dict",
    list: "a list",
}
ASKED: Final = (
    "It asks for input. A function gets its data from its arguments, without asking: leave out "
    "`input`."
)
VAST: Final = "The result is far too long. Which loop adds to it, and when does that loop end?"


def passed(cases: int) -> str:
    """Return how an answer was tried."""
    return f"Tried on {cases:,} cases, the smallest first." if cases > 1 else "Yes, exactly."


def stumbled(kind: str) -> str:
    """Return the feedback after a bug of ours."""
    return f"The check itself has failed ({kind}). This is a bug in kvlib, not your mistake."


def nothing_handed(exercise: Exercise) -> str:
    """Return the feedback for a name without an answer."""
    return f"Hand over your answer too: {_call(exercise)}."


def _call(exercise: Exercise) -> str:
    return f'`check("{exercise.name}", {exercise.handed})`'


# ---------------------------------------------------------------------------- what was handed over


def about_answer(exercise: Exercise, answer: object) -> str:
    """Return what is wrong with an answer before it is tried, or ""."""
    if exercise.kind == "predict":
        return ""
    if exercise.kind == "order":
        return _about_order(exercise, plain(answer))
    if exercise.kind == "function":
        return _about_function(exercise, 0, answer)
    functions = _items(answer)
    if len(functions) != len(exercise.names):
        return f"This exercise takes {len(exercise.names)} functions at once: {_call(exercise)}."
    problems = (_about_function(exercise, of, one) for of, one in enumerate(functions))
    return next(filter(None, problems), "")


def _items(answer: Any) -> list[Any]:
    """Return the items of a tuple or a list; nothing for other values."""
    return [*answer] if type(answer) is tuple or type(answer) is list else []


def _about_order(exercise: Exercise, answer: Any) -> str:
    last = len(exercise.lines)
    if type(answer) not in (list, tuple) or not all(type(one) is int for one in answer):
        return f"An order is a list of line numbers, such as `{list(range(1, last + 1))}`."
    strange = [one for one in answer if not 1 <= one <= last]
    if strange:
        return f"There is no line {written(strange[0])}: they are numbered from 1 to {last}."
    twice = [number for number, times in Counter(answer).items() if times > 1]
    if twice:
        return f"Line {twice[0]} is there twice; each line is needed once."
    missing = sorted(set(range(1, last + 1)) - set(answer))
    return f"Line {missing[0]} is missing; each line is needed once." if missing else ""


def _about_function(exercise: Exercise, of: int, answer: Any) -> str:
    name, call = exercise.names[of], _call(exercise)
    if any(answer is one for one in exercise.own.values()):
        return library(next(f"kvlib.{own}" for own, one in exercise.own.items() if one is answer))
    if answer is None:
        return f"This is None instead of `{name}`. Is it the function itself, as in {call}?"
    if isinstance_of(answer, type):
        return f"`{name_of(answer)}` is a class, and a function was asked for: {call}."
    if not callable(answer):
        kind = kind_of(answer)
        return (
            f"Hand over the function itself, not a result of it ({kind}): no parentheses, {call}."
        )
    needed = next(one.arguments for one in exercise.cases if one.of == of)
    if run(_fits, (answer, needed), of=answer, copy=False).value is False:
        number = count(len(needed), "argument")
        return f"`{name}` is called with {number}; yours can't take that."
    return ""


def _fits(answer: Any, needed: tuple[Any, ...]) -> bool:
    """Return whether it can be called so. Raises for a builtin without a signature."""
    signature = inspect.signature(answer)
    try:
        signature.bind(*needed)
    except TypeError:
        return False
    return True


def library(name: str) -> str:
    """Return the feedback for kvlib's own function."""
    return (
        f"`{name}` is the library's own version, the answer key. Read it if you like (`{name}??`), "
        "then write your own."
    )


# ---------------------------------------------------------------------------------- the outcome


def asked(exercise: Exercise, case: Case, answer: object) -> str:
    """Return the call, or the prediction."""
    if exercise.kind == "predict":
        return f"{exercise.names[0]} = {written(plain(answer))}"
    arguments = ", ".join(written(plain(one)) for one in case.arguments)
    name = exercise.names[case.of]
    if exercise.kind == "order":
        name = exercise.solution[0].__name__
    return f"{name}({arguments})"


def came(exercise: Exercise, outcome: Outcome) -> str:
    """Return the outcome of the call in words."""
    where = f", in your {outcome.line}" if outcome.line else ""
    if exercise.kind == "order":  # its line numbers aren't the task's
        where = where.replace("your line ", "").partition(": ")[2]
        where = f", in {where}" if where else ""
    if outcome.kind == "raised":
        return f"{outcome.value.kind}: {written(outcome.value.text)[1:-1]}{where}"
    if outcome.kind in ("endless", "asked"):
        return f"{'no end' if outcome.kind == 'endless' else 'it asks for input'}{where}"
    if exercise.shown:
        return str(exercise.shown(outcome.value))
    if exercise.kind == "predict":
        return ""
    if outcome.kind == "library":
        return f"a call of {outcome.value}{where}"
    return written(outcome.value)


def about_outcome(
    exercise: Exercise, case: Case, outcome: Outcome, wanted: object
) -> Iterator[str]:
    """Yield the feedback for a wrong outcome; `wanted` is the solution's."""
    if outcome.kind == "library":
        yield library(outcome.value.strip("`"))
        return
    if outcome.kind == "endless":
        yield (
            f"It was stopped after {LINES:,} lines, or {SECONDS:.0f} seconds. Look at its loop: "
            "what changes from one turn to the next, and does that reach the end?"
        )
    elif outcome.kind == "asked":
        yield ASKED
    elif outcome.kind == "raised":
        yield from _about_error(exercise, case, outcome)
    elif case.refused:
        yield "It accepted what can't be right. Raise a ValueError that says what doesn't fit."
    elif outcome.changed:
        yield CHANGED
    elif type(outcome.value) is Foreign and outcome.value.vast:
        yield VAST
    elif type(outcome.value) is not type(wanted):
        yield about_type(exercise, outcome, wanted)
    elif type(outcome.value) is list and type(wanted) is list:
        yield from _about_items(exercise, case, outcome.value, wanted)
    elif exercise.kind == "predict":
        yield STRANGE
    if case.about and case is not exercise.cases[0]:  # the first case isn't special
        yield f"This case is about {case.about}."


def _about_error(exercise: Exercise, case: Case, outcome: Outcome) -> Iterator[str]:
    error = outcome.value
    if error.cls is NotImplementedError:
        yield f"`{exercise.names[case.of]}` is not tried yet; what comes before it is right."
    elif error.is_a(RecursionError):
        yield "It calls itself without end: in which case should it stop?"
    elif error.is_a(SystemExit):
        yield (
            "This would end the whole program, and your variables with it. To leave a function, "
            "`return` or `raise`."
        )
    elif error.is_a(KeyboardInterrupt):
        yield "A KeyboardInterrupt means that Ctrl-C was pressed. Raise another exception."
    elif error.is_a(NameError):
        yield "A name is used before any line has set it. Which line should come first?"
    elif case.refused and error.is_a(AssertionError):
        yield (
            "To refuse is right, but Python can be told to leave out every `assert`. Raise a "
            "ValueError that says what doesn't fit."
        )
    elif case.refused:
        yield (
            "An error is right, but this one happened by accident. Check before you read, and "
            "raise a ValueError that says what doesn't fit."
        )
    else:
        yield "Read the error and its line: which value there is not what you thought?"


def about_type(exercise: Exercise, outcome: Outcome, wanted: object) -> str:
    """Yield the feedback for a result of the wrong type."""
    value, needed = outcome.value, NAMES.get(type(wanted), f"a {kind_of(wanted)}")
    if exercise.kind == "predict":
        said = f"It asks for {needed}, and this is of type {_kind(value)}."
        return f"{said} Leave the quotes out." if _only_quoted(value, wanted) else said
    if value is None:
        return PRINTED if outcome.printed else NOTHING
    if isinstance(wanted, bytes) and _kind(value) in ("bytearray", "memoryview"):
        return f"A {_kind(value)} is nearly right: `bytes(...)` around it makes it bytes."
    if isinstance(wanted, bytes) and type(value) is str:
        return "The result is a text. It must become bytes: where is it encoded?"
    if isinstance(wanted, bytes) and type(value) is list:
        return (
            "The result is a list. Join bytes with `+`, or use `bytes(...)` on a list of numbers."
        )
    if _is(value, GeneratorType):
        return (
            "`yield`, or a `for` between parentheses, makes it a generator, which has not run "
            "yet: collect what it gives, and `return` that."
        )
    if _is(value, CoroutineType):
        return "`async def` makes it a coroutine, which has not run yet: use a plain `def`."
    return f"It should give {needed}, and this is of type {_kind(value)}."


def _kind(value: Any) -> str:
    return value.kind if type(value) is Foreign else kind_of(value)


def _is(value: Any, kind: type) -> bool:
    return type(value) is Foreign and value.is_a(kind)


def _only_quoted(value: object, wanted: object) -> bool:
    """Return whether a text might be right without its quotes: a dict needs its braces."""
    return type(value) is str and (type(wanted) is not dict or "{" in value)


def _about_items(
    exercise: Exercise, case: Case, mine: list[Any], wanted: list[Any]
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
        if type(wanted[at]) is bytes and type(mine[at]) is not bytes:
            yield f"It should be bytes, and is of type {_kind(mine[at])}."


def about_large(exercise: Exercise, case: Case, outcome: Outcome) -> Iterator[str]:
    """Yield the feedback if only a large case fails."""
    yield f"All small cases are right. Then came {case.about}."
    if outcome.kind == "endless":
        where = f" It was stopped in your {outcome.line}." if outcome.line else ""
        yield (
            f"It took more than 20 times the solution's time.{where} What does it copy or search "
            "again in each turn?"
        )
    elif outcome.kind == "gave":
        yield "The result is wrong. What changes when there is a lot of data?"
    else:
        yield f"What came: {came(exercise, outcome)}"
