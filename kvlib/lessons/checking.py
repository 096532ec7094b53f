"""Check an answer: find the smallest case that fails, and the mistake that explains it."""

import linecache
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import cache, lru_cache
from textwrap import indent
from types import CodeType
from typing import Any, Final, NamedTuple, overload

from kvlib.errors import FormatError, KvlibError
from kvlib.layout.dissect import Layout, dissect
from kvlib.layout.regions import Region, group
from kvlib.lessons import feedback
from kvlib.lessons.catalogue import EXERCISES, find
from kvlib.lessons.exercise import Case, Exercise, Function, Mistake, ProbeResult
from kvlib.lessons.format_rules import END, RULES
from kvlib.lessons.result import PICTURED, BytesPicture, CheckState, HelpText, Progress, Result
from kvlib.lessons.sandbox import Outcome, run, tidy
from kvlib.lessons.source_code import code_of, solved
from kvlib.views.plain import Foreign, kind_of, plain, same, written

UNLIMITED: Final = 10**15
SLOWER: Final = 20  # an answer may need this many times the solution's time for a large case
AT_LEAST: Final = 1.0  # seconds that are always allowed

Functions = tuple[Function, ...]


NOTHING: Final = object()  # no answer can be this
DISSECTED: Final = 64 * PICTURED  # a larger result isn't labelled

_states: dict[str, CheckState] = {}  # of the exercises checked in this process


class Seen(NamedTuple):
    """A case, its outcome, and whether that is right, and the same in each run."""

    case: Case
    outcome: Outcome
    right: bool
    steady: bool


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
        result = _checked(exercise, (answer, *more) if more else answer)
    except Exception as error:  # a bug of ours: an answer's errors are caught where it is called
        result = _wrong(exercise, feedback.stumbled(kind_of(error)))
    _states[exercise.name] = result.state
    tidy()
    return result


def _checked(exercise: Exercise, answer: object) -> Result:
    if answer is ... or (exercise.kind == "order" and type(answer) is list and not answer):
        return Result(exercise.name, "not tried yet")
    if answer is NOTHING:
        return _wrong(exercise, feedback.nothing_handed(exercise))
    problem = feedback.about_answer(exercise, answer)
    if problem:
        return _wrong(exercise, problem)
    return _examine(exercise, answer, functions_of(exercise, answer))


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

    For an order, the code is the whole function, and the text gives the order.
    """
    exercise = find(name)
    said, code = [exercise.why], solved(exercise)
    if exercise.kind == "order":
        code = code_of(exercise.solution)
        said.append(f"So the order is {list(exercise.order)}.")
    if exercise.own:
        said.append(f"kvlib's own: {', '.join(f'`kvlib.{own}??`' for own in exercise.own)}")
    return HelpText(f"{name}, a solution", tuple(said), code)


# ---------------------------------------------------------------------------------------- answers


def functions_of(exercise: Exercise, answer: Any) -> Functions:
    """Return any answer as a tuple of functions."""
    if exercise.kind == "predict":
        return (lambda: answer,)
    if exercise.kind == "order":
        return (assemble(exercise, answer),)
    return (answer,) if exercise.kind == "function" else tuple(answer)


def assemble(exercise: Exercise, order: Sequence[int]) -> Function:
    """Return the function with its lines in this order."""
    body = "\n".join(exercise.lines[number - 1] for number in order)
    source, place = f"{exercise.head}\n{indent(body, '    ')}\n", f"<{exercise.name} {order}>"
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    return _defined(exercise.solution[0].__name__, source, place)


@lru_cache  # each wrong order is tried with many cases
def _defined(name: str, source: str, place: str) -> Function:
    namespace: dict[str, Any] = {"__name__": place}
    exec(compile(source, place, "exec"), namespace)  # our own lines, in the learner's order
    function: Function = namespace[name]
    return function


# ------------------------------------------------------------------------------------------ cases


def _examine(exercise: Exercise, answer: object, functions: Functions) -> Result:
    seen = list(_small(exercise, functions))
    failed = next((one for one in seen if not (one.right and one.steady)), None)
    if failed and _is_untried(exercise, functions, failed):
        return Result(exercise.name, "not tried yet")
    if failed:
        return _explained(exercise, answer, seen, failed)
    forbidden = _forbidden(exercise, functions)
    if forbidden:
        return forbidden
    tried = len(seen)
    for look in (_probed, _large):
        found = look(exercise, functions)
        if isinstance(found, Result):
            return found
        tried += found
    return Result(
        exercise.name,
        "right",
        words=(feedback.passed(tried), exercise.why),
        then=f'solution("{exercise.name}")',
    )


def _small(exercise: Exercise, functions: Functions) -> Iterator[Seen]:
    """Try each case twice, up to the first that never ends: others would take as long again.

    If an earlier function is wrong, later ones aren't tried: their arguments might be wrong too,
    such as a total of billions.
    """
    wrong = None
    for case in exercise.cases:
        if wrong not in (None, case.of):
            return
        outcome = run(functions[case.of], case.arguments, codes=_codes(exercise))
        if outcome.kind in ("endless", "asked") or _is_vast(outcome.value):
            yield Seen(case, outcome, False, True)
            return
        again = run(functions[case.of], case.arguments, codes=_codes(exercise))
        right, steady = is_right(exercise, case, outcome), _alike(again, outcome)
        yield Seen(case, outcome, right, steady)
        if wrong is None and not (right and steady):
            wrong = case.of


def _is_vast(value: object) -> bool:
    return type(value) is Foreign and value.vast


def _codes(exercise: Exercise) -> dict[CodeType, str]:
    return {function.__code__: f"`kvlib.{name}`" for name, function in exercise.own.items()}


def _is_untried(exercise: Exercise, functions: Functions, failed: Seen) -> bool:
    """Return whether each function is still the stub."""
    if not _is_stub(failed.outcome):
        return False
    firsts = {case.of: case for case in reversed(exercise.cases)}
    return all(_is_stub(run(functions[of], case.arguments)) for of, case in firsts.items())


def _is_stub(outcome: Outcome) -> bool:
    return outcome.kind == "raised" and outcome.value.cls is NotImplementedError


def expected(exercise: Exercise, case: Case) -> Any:
    """Return the solution's outcome."""
    return exercise.solution[case.of](*deepcopy(case.arguments))


def is_right(exercise: Exercise, case: Case, outcome: Outcome) -> bool:
    """Return whether the outcome of the case is right."""
    if case.refused:
        return not outcome.changed and is_refusal(exercise, outcome)
    return _agrees(exercise, case, outcome, expected(exercise, case))


def is_refusal(exercise: Exercise, outcome: Outcome) -> bool:
    """Return whether the arguments were refused: in an order, by the line that is meant to."""
    if outcome.kind != "raised":
        return False
    if exercise.kind == "order":
        return outcome.value.cls is ValueError
    return bool(outcome.value.is_a(ValueError, FormatError))


def _agrees(exercise: Exercise, case: Case, outcome: Outcome, wanted: object) -> bool:
    if outcome.kind != "gave" or outcome.changed:
        return False
    if type(outcome.value) is not type(wanted):
        return False
    try:
        return same(_read(exercise, case, outcome.value), _read(exercise, case, wanted))
    except (ValueError, KvlibError):
        return False


def _read(exercise: Exercise, case: Case, value: object) -> object:
    read = _one(exercise.read, case.of)
    return read(value, *case.arguments) if read else value


def _one(of_each: Sequence[Any], number: int) -> Any:
    return of_each[number] if number < len(of_each) else None


# ----------------------------------------------------------------------------------- what is wrong


def _explained(exercise: Exercise, answer: object, seen: list[Seen], failed: Seen) -> Result:
    case, outcome = failed.case, failed.outcome
    wanted = None if case.refused else expected(exercise, case)
    said: Iterator[str]
    if not failed.steady:
        said = iter([feedback.STATE])
    elif known := recognise(exercise, [one for one in seen if one.case.of == case.of], failed):
        said = iter([known.sentence])
    else:
        said = feedback.about_outcome(exercise, case, outcome, wanted)
    return _wrong(
        exercise,
        *said,
        asked=feedback.asked(exercise, case, answer),
        came=feedback.came(exercise, outcome),
        picture=_picture(exercise, case, outcome, wanted),
        printed=outcome.printed,
    )


def recognise(exercise: Exercise, seen: Sequence[Seen], failed: Seen) -> Mistake | None:
    """Return the mistake that behaves like the answer in the failing case and most others."""
    wrong = sum(not one.right for one in seen)
    best, most = None, 0
    for mistake in exercise.mistakes:
        if mistake.of != failed.case.of or not _behaves(exercise, mistake, failed):
            continue
        agreeing = [one for one in seen if _behaves(exercise, mistake, one)]
        if sum(not one.right for one in agreeing) * 2 < wrong:
            continue  # it explains less than half of the cases
        if len(agreeing) > most:
            best, most = mistake, len(agreeing)
    return best


def _behaves(exercise: Exercise, mistake: Mistake, seen: Seen) -> bool:
    if mistake.like and seen.outcome.kind == "gave":
        return mistake.like(seen.outcome.value)
    its, mine = outcome_of(exercise, mistake, seen.case), seen.outcome
    if exercise.kind == "order" and _failure(its) != _failure(mine):
        return False
    return _alike(its, mine)


def _failure(outcome: Outcome) -> tuple[str, str]:
    """Return the line of an order that failed, and the name it lacked."""
    _, _, text = outcome.line.partition(": ")
    return text, f"{outcome.value}" if text else ""


def outcome_of(exercise: Exercise, mistake: Mistake, case: Case) -> Outcome:
    """Return the outcome of a case for a mistake's function, which is ours and so always ends."""
    if exercise.kind == "order":  # with its line, to tell two equal errors apart
        return run(assemble(exercise, mistake.answer), case.arguments)
    function = mistake.answer if callable(mistake.answer) else lambda: mistake.answer
    given = deepcopy(case.arguments)
    try:
        kind, value = "gave", plain(function(*given))
    except Exception as error:
        kind, value = "raised", Foreign(type(error), kind_of(error), f"{error}")
    changed = not same(plain(given), plain(case.arguments))
    return Outcome("gave" if kind == "gave" else "raised", value, changed=changed)


def _alike(mine: Outcome, other: Outcome) -> bool:
    if (mine.kind, mine.changed) != (other.kind, other.changed):
        return False
    return same(mine.value, other.value)


def _wrong(exercise: Exercise, *said: str, **more: Any) -> Result:
    then = f'hint("{exercise.name}", 1)'
    return Result(exercise.name, "wrong", words=said, then=then, **more)


def _picture(
    exercise: Exercise, case: Case, outcome: Outcome, wanted: object
) -> BytesPicture | None:
    """Return a picture of the result, its first wrong byte marked, or else of the argument."""
    format = _one(exercise.format, case.of)
    if format and outcome.kind == "gave" and wanted is not None:
        mine, right = _first_different(outcome.value, wanted)
        if type(mine) is bytes and type(right) is bytes:
            return _marked(format, mine, right)
    given = _one(exercise.given, case.of)
    if given and type(case.arguments[0]) is bytes:
        return BytesPicture(dissect(case.arguments[0], format=given, source="what it was given"))
    return None


def _first_different(mine: object, right: object) -> tuple[object, object]:
    """Return the two values, or the first items that differ if both are lists."""
    if type(mine) is list and type(right) is list:
        pairs = zip(mine, right, strict=False)
        return next((pair for pair in pairs if not same(*pair)), (None, None))
    return mine, right


def _marked(format: str, mine: bytes, right: bytes) -> BytesPicture:
    layout = _layout(format, mine)
    pairs = enumerate(zip(mine, right, strict=False))
    at = next((at for at, (a, b) in pairs if a != b), min(len(mine), len(right)))
    if at == len(right):
        return BytesPicture(layout, at, END)
    leaves = dissect(right, format=format).root.leaves()
    leaf = next(leaf for leaf in leaves if leaf.start <= at < leaf.end)
    return BytesPicture(layout, at, RULES.get(leaf.name.rpartition(".")[2], ""))


def _layout(format: str, mine: bytes) -> Layout:
    if len(mine) <= DISSECTED:
        return dissect(mine, format=format, source="your bytes")
    whole = Region(0, len(mine), "raw", "bytes", len(mine), "bytes, too many to label")
    return Layout("your bytes", mine, group("data", [whole]))


# -------------------------------------------------------------------------------- after the cases


def _forbidden(exercise: Exercise, functions: Functions) -> Result | None:
    for case in exercise.cases if exercise.forbidden else ():
        outcome = run(functions[case.of], case.arguments, tools=exercise.forbidden)
        if outcome.kind == "forbidden":
            return _wrong(exercise, exercise.forbidden[outcome.value])
    return None


def _large(exercise: Exercise, functions: Functions) -> Result | int:
    """Return what is wrong in a large case, or the number of large cases."""
    if exercise.large is None:
        return 0
    clear = _clear_version(exercise.large, exercise.solution)
    for case, (wanted, seconds) in zip(exercise.large(), clear, strict=True):
        limit = max(AT_LEAST, SLOWER * seconds)
        outcome = _timed(functions, case, limit)
        if not _agrees(exercise, case, outcome, wanted):
            said = feedback.about_large(exercise, case, outcome)
            return _wrong(exercise, *said, printed=outcome.printed)
    return len(clear)


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


def _probed(exercise: Exercise, functions: Functions) -> Result | int:
    """Return what the exercise's probe has found, or the number of cases it tried."""
    found = exercise.probe(functions) if exercise.probe else 0
    if isinstance(found, ProbeResult):
        return _wrong(exercise, found.sentence, asked=found.asked, came=found.came)
    return found
