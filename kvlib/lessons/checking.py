"""The functions that learners call: check, hint, solution."""

from dataclasses import replace
from typing import Final, overload

from kvlib.lessons.catalogue import EXERCISES, find
from kvlib.lessons.feedback import stumbled
from kvlib.lessons.result import CheckState, HelpText, Progress, Result
from kvlib.lessons.sandbox import tidy
from kvlib.views.plain import kind_of, plain, written

NOTHING: Final = object()  # no answer can be this

_states: dict[str, CheckState] = {}  # of the exercises checked in this process


@overload
def check() -> Progress: ...
@overload
def check(name: object, answer: object = ..., *more: object) -> Result: ...
def check(name: object = NOTHING, answer: object = NOTHING, *more: object) -> Result | Progress:
    """Check the answer to an exercise; if it is wrong, say why.

    Without arguments, show your progress. Nothing but KeyboardInterrupt is ever raised.

    Args:
        name: the exercise, such as "01-encode-field".
        answer: the function itself, a tuple of functions, or a value.
        more: unused; put several functions into one tuple.
    """
    if name is NOTHING:
        return Progress({one: _states.get(one, "not tried yet") for one in EXERCISES})
    try:
        exercise = find(name)
    except ValueError as error:
        return Result(written(plain(name), 60).strip("'"), "wrong", words=(f"{error}",))
    try:
        if answer is NOTHING:
            result = exercise.wrong(f"Hand over your answer too: `{exercise.call}`.")
        else:
            result = exercise.check((answer, *more) if more else answer)
    except Exception as error:  # a bug of ours: an answer's errors are caught where it is called
        result = exercise.wrong(stumbled(kind_of(error)))
    _states[exercise.name] = result.state
    tidy()
    return replace(result, states=_of_notebook(exercise.name))


def _of_notebook(name: str) -> dict[str, CheckState]:
    """Return the states of the exercises in the notebook of one of them."""
    return {one: _states.get(one, "not tried yet") for one in EXERCISES if one[:2] == name[:2]}


def hint(name: object, number: int = 1) -> HelpText:
    """Return the first, second or third hint, by default the first.

    Raises ValueError for another number.
    """
    exercise = find(name)
    if type(number) is not int or number not in (1, 2, 3):
        raise ValueError(f"hints are numbered 1 to 3, not {written(plain(number), 60)}")
    following = f'hint("{name}", {number + 1})' if number < 3 else f'solution("{name}")'
    return HelpText(f"{name}, hint {number} of 3", (exercise.hints[number - 1],), then=following)


def solution(name: object) -> HelpText:
    """Return the solution, to paste into the stub's cell, and kvlib's own version of it.

    For an ordering, the code is the whole function, and the text gives the order.
    """
    code, words = find(name).shown
    return HelpText(f"{name}, a solution", words, code)
