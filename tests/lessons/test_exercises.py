"""Every exercise, whatever its notebook: what is right passes, each mistake meets its sentence."""

import re
from functools import cache
from itertools import permutations
from typing import Any

import pytest

from helpers.right_answers import RIGHT, VARIANTS
from kvlib.errors import FormatError
from kvlib.lessons import check, hint, solution
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.checking import assemble, expected, is_right, outcome_of
from kvlib.lessons.exercise import Exercise, Mistake
from kvlib.lessons.feedback import asked
from kvlib.lessons.result import Result

ALL = [pytest.param(exercise, id=exercise.name) for exercise in EXERCISES.values()]


def name_of(answer: Any) -> str:
    """Give an answer a short name, for the name of its test."""
    return getattr(answer, "__name__", re.sub(r"\W+", "-", repr(answer))[:30])


def solved(exercise: Exercise) -> Any:
    """Give the answer that the solution is."""
    if exercise.kind == "predict":
        return exercise.solution[0]()
    if exercise.kind == "order":
        return list(exercise.order)
    return exercise.solution if exercise.kind == "functions" else exercise.solution[0]


def with_mistake(exercise: Exercise, mistake: Mistake) -> Any:
    """Give the answer of somebody who makes this mistake, and no other."""
    if exercise.kind != "functions":
        return mistake.answer
    functions = enumerate(exercise.solution)
    return tuple(mistake.answer if of == mistake.of else one for of, one in functions)


def mistakes() -> list[Any]:
    """Give each exercise with the place of each of its mistakes."""
    return [
        pytest.param(exercise, at, id=f"{exercise.name}-{name_of(mistake.answer)}")
        for exercise in EXERCISES.values()
        for at, mistake in enumerate(exercise.mistakes)
    ]


@cache
def checked(name: str, at: int) -> Result:
    """Check the mistake at a place, once for all laws: it is what takes long."""
    exercise = EXERCISES[name]
    return check(name, with_mistake(exercise, exercise.mistakes[at]))


@pytest.mark.parametrize("exercise", ALL)
def test_the_solution_passes(exercise: Exercise) -> None:
    """The clear version is right, and told so with what to keep."""
    result = check(exercise.name, solved(exercise))
    assert result.passed, result
    assert exercise.why in result.words
    assert result.require() is result


@pytest.mark.parametrize("exercise", ALL)
def test_the_solution_refuses_what_it_must(exercise: Exercise) -> None:
    """By a ValueError, as the task says."""
    for case in exercise.cases:
        if case.refused:
            with pytest.raises((ValueError, FormatError)):
                exercise.solution[case.of](*case.arguments)


@pytest.mark.parametrize("exercise", ALL)
@pytest.mark.untraced
def test_a_right_answer_in_another_style_passes(exercise: Exercise) -> None:
    """At least two for each: what counts is what an answer does."""
    assert len(RIGHT[exercise.name]) >= 2
    for answer in RIGHT[exercise.name]:
        result = check(exercise.name, answer)
        assert result.passed, result


@pytest.mark.parametrize(("exercise", "at"), mistakes())
def test_a_mistake_is_rejected_with_its_sentence(exercise: Exercise, at: int) -> None:
    """It says what kind of mistake this is, and gives no other reason."""
    result = checked(exercise.name, at)
    assert not result.passed
    assert result.words == (exercise.mistakes[at].sentence,)
    with pytest.raises(AssertionError, match=exercise.name):
        result.require()


@pytest.mark.parametrize(("exercise", "at"), mistakes())
def test_a_mistake_comes_to_an_end(exercise: Exercise, at: int) -> None:
    """A check runs it without a guard; and it is no right answer, but where a probe finds it."""
    mistake = exercise.mistakes[at]
    cases = [case for case in exercise.cases if case.of == mistake.of]
    right = [is_right(exercise, case, outcome_of(exercise, mistake, case)) for case in cases]
    assert not all(right) or exercise.probe or exercise.forbidden


@pytest.mark.parametrize(
    ("name", "answer", "mistake"),
    [pytest.param(*one, id=f"{one[0]}-{name_of(one[1])}-{n}") for n, one in enumerate(VARIANTS)],
)
def test_a_mistake_is_known_in_other_words(name: str, answer: Any, mistake: Any) -> None:
    """Somebody else's code, and the same sentence: the mistake is known by what it does."""
    sentences = [
        one.sentence
        for one in EXERCISES[name].mistakes
        if mistake in (one.answer, getattr(one.answer, "__name__", None))
    ]
    assert check(name, answer).words == ((sentences or [mistake])[0],)


@pytest.mark.parametrize("exercise", ALL)
def test_an_exercise_knows_five_mistakes(exercise: Exercise) -> None:
    """Each with a sentence or two, short and of its own."""
    assert len(exercise.mistakes) >= 5
    for mistake in exercise.mistakes:
        assert len(re.findall(r"[.?](?: |$)", mistake.sentence)) <= 2, mistake.sentence
        assert len(mistake.sentence) <= 200


@pytest.mark.parametrize("exercise", ALL)
def test_a_stub_is_not_tried_yet(exercise: Exercise) -> None:
    """What a learner finds in the cell gives exactly this text."""
    namespace: dict[str, Any] = {}
    exec(exercise.stub, namespace)
    answers = tuple(namespace[name] for name in exercise.names)
    result = check(exercise.name, answers if exercise.kind == "functions" else answers[0])
    assert repr(result) == f"{exercise.name}: not tried yet"
    marked = "raise NotImplementedError  # YOUR CODE HERE"
    assert exercise.stub.count(marked) == exercise.kind.startswith("function") * len(answers)


@pytest.mark.parametrize("exercise", ALL)
def test_hints_say_more_and_more_but_not_the_solution(exercise: Exercise) -> None:
    """Three of them, then the solution; no line of that is in one, nor a predicted value."""
    shown = repr(solution(exercise.name))
    assert f"    def {exercise.solution[0].__name__}(" in shown
    lines = [line.strip() for line in shown.splitlines() if line.startswith("        ")]
    code = [line for line in lines if not line.startswith(('"""', "else", "return text"))]
    for number in (1, 2, 3):
        said = hint(exercise.name, number)
        assert exercise.hints[number - 1] in said.words
        assert not [line for line in code if len(line) > 14 and line in exercise.hints[number - 1]]
        if exercise.kind == "predict":
            assert repr(solved(exercise)) not in exercise.hints[number - 1]
        assert said.then in (
            f'hint("{exercise.name}", {number + 1})',
            f'solution("{exercise.name}")',
        )


@pytest.mark.parametrize("exercise", ALL)
def test_nothing_right_is_given_away(exercise: Exercise) -> None:
    """No check of a mistake shows the bytes that were expected; nor does it hold an address."""
    for at, mistake in enumerate(exercise.mistakes):
        answer = with_mistake(exercise, mistake)
        result = checked(exercise.name, at)
        assert not re.search(r" at 0x[0-9a-f]{6}|/home|/tmp|\.py", repr(result))
        for case in exercise.cases:
            if result.asked == asked(exercise, case, answer) and not case.refused:
                wanted = repr(expected(exercise, case))
                assert len(wanted) < 5 or wanted not in f"{result.came}{result.words}"


@pytest.mark.parametrize("exercise", ALL)
def test_a_check_says_the_same_each_time(exercise: Exercise) -> None:
    """Nothing is kept between checks, and no text depends on the moment."""
    for at, mistake in enumerate(exercise.mistakes[:3]):
        first = checked(exercise.name, at)._repr_mimebundle_()
        again = check(exercise.name, with_mistake(exercise, mistake))
        assert first == again._repr_mimebundle_()
        assert first["text/html"].startswith('<div class="kvlib result mathjax_ignore">')
        assert exercise.name in first["text/html"]


@pytest.mark.parametrize("exercise", ALL)
def test_the_data_of_an_exercise_is_whole(exercise: Exercise) -> None:
    """Names, cells, points: what the editions are made from."""
    assert re.fullmatch(r"0[123]-[a-z]+(-[a-z]+)*", exercise.name)
    assert exercise.cells == (f"{exercise.name}-stub", f"{exercise.name}-check")
    assert exercise.points >= 1
    assert exercise.minutes >= 1
    assert exercise.objective[0].islower()
    assert all(text.strip() for text in (exercise.task, exercise.why, *exercise.hints))
    assert len(exercise.names) == len(exercise.solution)
    assert {case.of for case in exercise.cases} == set(range(len(exercise.names)))


ORDERS = [one for one in EXERCISES.values() if one.kind == "order"]


@pytest.mark.untraced
@pytest.mark.parametrize("exercise", ALL)
def test_a_solution_can_be_pasted(exercise: Exercise) -> None:
    """It stands alone in the stub's cell, and gives the stub's names what the check asks for.

    An order's is the function itself: the order is in the words.
    """
    shown, namespace = solution(exercise.name), dict[str, Any]()
    exec(shown.code, namespace)
    if exercise.kind == "order":
        assert callable(namespace[exercise.solution[0].__name__])
        assert f"So the order is {list(exercise.order)}." in shown.words
    else:
        made = tuple(namespace[name] for name in exercise.names)
        assert check(exercise.name, made if len(made) > 1 else made[0]).passed


@pytest.mark.parametrize("exercise", [pytest.param(one, id=one.name) for one in ORDERS])
def test_an_order_gives_the_solution(exercise: Exercise) -> None:
    """The lines, put in their order, do what the clear version does; shuffled they are shown."""
    function = assemble(exercise, exercise.order)
    for case in exercise.cases:
        if not case.refused:
            assert function(*case.arguments) == expected(exercise, case)
    assert list(exercise.order) != sorted(exercise.order)


def test_each_wrong_order_of_the_decoder_meets_a_sentence() -> None:
    """One order is right, and of the others, one in five is tried here, each mistake is known."""
    exercise = EXERCISES["01-decode-order"]
    sentences = {(mistake.sentence,) for mistake in exercise.mistakes}
    orders = [one for one in permutations(range(1, 7)) if one != exercise.order]
    for order in orders[::5]:
        assert check(exercise.name, list(order)).words in sentences
