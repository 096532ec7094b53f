"""An answer meets its cases: which is the smallest that fails, and what mistake is that?"""

import linecache
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import cache, lru_cache
from textwrap import indent
from types import CodeType
from typing import Any, Final, NamedTuple

from kvlib.errors import FormatError, KvlibError
from kvlib.lessons import words
from kvlib.lessons.catalogue import find
from kvlib.lessons.exercise import Case, Exercise, Function, Mistake
from kvlib.lessons.guard import Outcome, run, same
from kvlib.lessons.result import Note, Picture, Result
from kvlib.lessons.rules import END, RULES
from kvlib.lessons.source import code_of, solved
from kvlib.views.layout import dissect

UNLIMITED: Final = 10**15
SLOWER: Final = 20  # times the solution's own time, which an answer may take for a large case
AT_LEAST: Final = 1.0  # seconds that it may take in any case

Functions = tuple[Function, ...]


class Seen(NamedTuple):
    """A case, what became of it, and whether that is right."""

    case: Case
    outcome: Outcome
    right: bool


def check(name: str, answer: object) -> Result:
    """Whether the answer to an exercise is right, and if not, what is wrong with it.

    Args:
        name: the exercise, such as "01-encode-field".
        answer: the function itself, a tuple of functions, or the value that was asked for.
    """
    try:
        exercise = find(name)
    except ValueError as error:
        return Result(f"{name!s:.60}", "wrong", words=(f"{error}",))
    if answer is ... or (exercise.kind == "order" and same(answer, [])):
        return Result(exercise.name, "not tried yet")
    problem = words.about_answer(exercise, answer)
    if problem:
        return _wrong(exercise, problem)
    return _examine(exercise, answer, functions_of(exercise, answer))


def hint(name: str, number: int = 1) -> Note:
    """The first, second or third hint; ValueError for another one.

    Without a number it is the first.
    """
    exercise = find(name)
    if number not in (1, 2, 3):
        raise ValueError(f"hints are numbered 1 to 3, not {number!r:.60}")
    following = f'hint("{name}", {number + 1})' if number < 3 else f'solution("{name}")'
    return Note(f"{name}, hint {number} of 3", (exercise.hints[number - 1],), then=following)


def solution(name: str) -> Note:
    """The clear version, to be pasted into the stub's cell, and what kvlib has in its place.

    Of an order it is the whole function; the words say the order.
    """
    exercise = find(name)
    said, code = [exercise.why], solved(exercise)
    if exercise.kind == "order":
        code = code_of(exercise.solution)
        said.append(f"So the order is {list(exercise.order)}.")
    if exercise.own:
        said.append(f"kvlib's own: {', '.join(f'`kvlib.{own}??`' for own in exercise.own)}")
    return Note(f"{name}, a solution", tuple(said), code)


# ---------------------------------------------------------------------------------------- answers


def functions_of(exercise: Exercise, answer: Any) -> Functions:
    """An answer as functions, whatever its kind."""
    if exercise.kind == "predict":
        return (lambda: answer,)
    if exercise.kind == "order":
        return (assemble(exercise, answer),)
    return (answer,) if exercise.kind == "function" else tuple(answer)


def assemble(exercise: Exercise, order: Sequence[int]) -> Function:
    """The function whose lines stand in this order."""
    body = "\n".join(exercise.lines[number - 1] for number in order)
    source, place = f"{exercise.head}\n{indent(body, '    ')}\n", f"<{exercise.name} {order}>"
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    return _defined(exercise.solution[0].__name__, source, place)


@lru_cache  # each wrong order is looked at in many cases
def _defined(name: str, source: str, place: str) -> Function:
    namespace: dict[str, Any] = {"__name__": place}
    exec(compile(source, place, "exec"), namespace)  # our own lines, in the learner's order
    function: Function = namespace[name]
    return function


# ------------------------------------------------------------------------------------------ cases


def _examine(exercise: Exercise, answer: object, functions: Functions) -> Result:
    seen = list(_small(exercise, functions))
    failed = next((one for one in seen if not one.right), None)
    if failed and _is_untried(exercise, functions, failed):
        return Result(exercise.name, "not tried yet")
    if failed:
        return _explained(exercise, answer, functions, seen, failed)
    return (
        _forbidden(exercise, functions)
        or _probed(exercise, functions)
        or _large(exercise, functions)
        or Result(
            exercise.name,
            "right",
            words=(words.passed(len(seen)), exercise.why),
            then=f'solution("{exercise.name}")',
        )
    )


def _small(exercise: Exercise, functions: Functions) -> Iterator[Seen]:
    """Each case, up to one that has no end: others would cost as much time again.

    Nor is a later function asked when an earlier one is wrong: what it is given may then be wrong
    too, such as a total of billions.
    """
    wrong = None
    for case in exercise.cases:
        if wrong not in (None, case.of):
            return
        outcome = run(functions[case.of], case.arguments, codes=_codes(exercise))
        right = is_right(exercise, case, outcome)
        yield Seen(case, outcome, right)
        if outcome.kind == "endless":
            return
        if wrong is None and not right:
            wrong = case.of


def _codes(exercise: Exercise) -> dict[CodeType, str]:
    return {function.__code__: f"`kvlib.{name}`" for name, function in exercise.own.items()}


def _is_untried(exercise: Exercise, functions: Functions, failed: Seen) -> bool:
    """Whether each function is still the stub."""
    if not _is_stub(failed.outcome):
        return False
    firsts = {case.of: case for case in reversed(exercise.cases)}
    return all(_is_stub(run(functions[of], case.arguments)) for of, case in firsts.items())


def _is_stub(outcome: Outcome) -> bool:
    return outcome.kind == "raised" and type(outcome.value) is NotImplementedError


def expected(exercise: Exercise, case: Case) -> Any:
    """What the solution gives."""
    return exercise.solution[case.of](*deepcopy(case.arguments))


def is_right(exercise: Exercise, case: Case, outcome: Outcome) -> bool:
    """Whether this is what was to become of the case."""
    if case.refused:
        return not outcome.changed and is_refusal(exercise, outcome)
    return _agrees(exercise, case, outcome, expected(exercise, case))


def is_refusal(exercise: Exercise, outcome: Outcome) -> bool:
    """Whether it was refused: in an order, by the very line that does that."""
    if exercise.kind == "order":
        return type(outcome.value) is ValueError
    return outcome.kind == "raised" and isinstance(outcome.value, (ValueError, FormatError))


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


def _explained(
    exercise: Exercise, answer: object, functions: Functions, seen: list[Seen], failed: Seen
) -> Result:
    case, outcome, _ = failed
    known = recognise(exercise, [one for one in seen if one.case.of == case.of], failed)
    again = run(functions[case.of], case.arguments, codes=_codes(exercise))
    wanted = None if case.refused else expected(exercise, case)
    said: Iterator[str]
    if not _alike(again, outcome):
        said = iter([words.STATE])
    elif known:
        said = iter([known.sentence])
    else:
        said = words.about_outcome(exercise, case, outcome, wanted)
    return _wrong(
        exercise,
        *said,
        asked=words.asked(exercise, case, answer),
        came=words.came(exercise, outcome),
        picture=_picture(exercise, case, outcome, wanted),
        printed=outcome.printed,
    )


def recognise(exercise: Exercise, seen: Sequence[Seen], failed: Seen) -> Mistake | None:
    """The mistake that behaves as the answer does: in the failing case, and in most others."""
    wrong = sum(not one.right for one in seen)
    best, most = None, 0
    for mistake in exercise.mistakes:
        if mistake.of != failed.case.of or not _behaves(exercise, mistake, failed):
            continue
        agreeing = [one for one in seen if _behaves(exercise, mistake, one)]
        if sum(not one.right for one in agreeing) * 2 < wrong:
            continue  # it explains less than half
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
    """In which line of an order what was missing."""
    _, _, text = outcome.line.partition(": ")
    return text, str(outcome.value) if text else ""


def outcome_of(exercise: Exercise, mistake: Mistake, case: Case) -> Outcome:
    """What becomes of a case with a mistake's function: one of ours, so that it comes to an end."""
    if exercise.kind == "order":  # with its line, which tells two of the same error apart
        return run(assemble(exercise, mistake.answer), case.arguments)
    function = mistake.answer if callable(mistake.answer) else lambda: mistake.answer
    given = deepcopy(case.arguments)
    try:
        value = function(*given)
    except Exception as error:
        return Outcome("raised", error, changed=not same(given, case.arguments))
    return Outcome("gave", value, changed=not same(given, case.arguments))


def _alike(mine: Outcome, other: Outcome) -> bool:
    if (mine.kind, mine.changed) != (other.kind, other.changed):
        return False
    if mine.kind == "raised" or not words.is_plain(mine.value):
        return type(mine.value) is type(other.value)
    return same(mine.value, other.value)


def _wrong(exercise: Exercise, *said: str, **more: Any) -> Result:
    then = f'hint("{exercise.name}", 1)'
    return Result(exercise.name, "wrong", words=said, then=then, **more)


def _picture(exercise: Exercise, case: Case, outcome: Outcome, wanted: object) -> Picture | None:
    """The bytes that came out, with the first wrong one marked; else those that were given."""
    format = _one(exercise.format, case.of)
    if format and outcome.kind == "gave" and wanted is not None:
        mine, right = _first_different(outcome.value, wanted)
        if type(mine) is bytes and type(right) is bytes:
            return _marked(format, mine, right)
    given = _one(exercise.given, case.of)
    if given and type(case.arguments[0]) is bytes:
        return Picture(dissect(case.arguments[0], format=given, source="what it was given"))
    return None


def _first_different(mine: object, right: object) -> tuple[object, object]:
    """The values themselves; of two lists the first items that differ."""
    if type(mine) is list and type(right) is list:
        pairs = zip(mine, right, strict=False)
        return next((pair for pair in pairs if not same(*pair)), (None, None))
    return mine, right


def _marked(format: str, mine: bytes, right: bytes) -> Picture:
    layout = dissect(mine, format=format, source="your bytes")
    pairs = enumerate(zip(mine, right, strict=False))
    at = next((at for at, (a, b) in pairs if a != b), min(len(mine), len(right)))
    if at == len(right):
        return Picture(layout, at, END)
    leaves = dissect(right, format=format).root.leaves()
    leaf = next(leaf for leaf in leaves if leaf.start <= at < leaf.end)
    return Picture(layout, at, RULES.get(leaf.name.rpartition(".")[2], ""))


# -------------------------------------------------------------------------------- after the cases


def _forbidden(exercise: Exercise, functions: Functions) -> Result | None:
    for case in exercise.cases if exercise.forbidden else ():
        outcome = run(functions[case.of], case.arguments, tools=exercise.forbidden)
        if outcome.kind == "forbidden":
            return _wrong(exercise, exercise.forbidden[outcome.value])
    return None


def _large(exercise: Exercise, functions: Functions) -> Result | None:
    if exercise.large is None:
        return None
    clear = _clear_version(exercise.large, exercise.solution)
    for case, (wanted, seconds) in zip(exercise.large(), clear, strict=True):
        limit = max(AT_LEAST, SLOWER * seconds)
        outcome = _timed(functions, case, limit)
        if not _agrees(exercise, case, outcome, wanted):
            said = words.about_large(exercise, case, outcome)
            return _wrong(exercise, *said, printed=outcome.printed)
    return None


@cache  # who mends an answer and checks it again need not wait for this again
def _clear_version(
    large: Callable[[], Sequence[Case]], solution: Functions
) -> list[tuple[Any, float]]:
    """What the solution gives for each large case, and the seconds that it takes."""
    found = []
    for case in large():  # made anew, because an answer may spoil its own
        start = time.process_time()
        outcome = _timed(solution, case)
        found.append((outcome.value, time.process_time() - start))
    return found


def _timed(functions: Functions, case: Case, seconds: float = float("inf")) -> Outcome:
    function = functions[case.of]
    return run(function, case.arguments, lines=UNLIMITED, seconds=seconds, copy=False)


def _probed(exercise: Exercise, functions: Functions) -> Result | None:
    finding = exercise.probe(functions) if exercise.probe else None
    if finding is None:
        return None
    return _wrong(exercise, finding.sentence, asked=finding.asked, came=finding.came)
