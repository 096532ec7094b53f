"""Every exercise, whatever its notebook: what is right passes, each mistake meets its sentence."""

import re
import sys
from itertools import permutations
from typing import Any

import pytest

from helpers.right_answers import RIGHT
from kvlib.errors import FormatError
from kvlib.lessons import check, hint, solution
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Exercise, texts
from kvlib.lessons.ordering import Ordering
from kvlib.lessons.prediction import Prediction

ALL = [pytest.param(exercise, id=exercise.name) for exercise in EXERCISES.values()]


def solved(exercise: Exercise) -> Any:
    """Return the answer that the solution is."""
    namespace: dict[str, Any] = {"__name__": "solved"}
    exec(exercise.solved, namespace)
    answers = tuple(namespace[name] for name in exercise.names)
    return answers if len(answers) > 1 else answers[0]


@pytest.mark.parametrize("exercise", ALL)
def test_the_solution_passes(exercise: Exercise) -> None:
    """The clear version is right, and told so with what to keep."""
    result = check(exercise.name, solved(exercise))
    assert result.passed, result
    assert exercise.why in result.words
    assert result.require() is result


CODING = [one for one in EXERCISES.values() if isinstance(one, Coding)]


@pytest.mark.parametrize("exercise", [pytest.param(one, id=one.name) for one in CODING])
def test_the_solution_refuses_what_it_must(exercise: Coding) -> None:
    """It raises a ValueError, or an error of the format."""
    for case in exercise.cases:
        if case.refused:
            with pytest.raises((ValueError, FormatError)):
                exercise.functions[case.of](*case.arguments)


@pytest.mark.parametrize("exercise", ALL)
def test_a_heading_has_the_whole_task(exercise: Exercise) -> None:
    """With the exercise's name and minutes, and an ordering's lines."""
    heading = f"**Exercise `{exercise.name}` ({exercise.minutes} min).** {exercise.task}"
    assert exercise.heading.startswith(heading)
    for number, line in enumerate(exercise.lines if isinstance(exercise, Ordering) else (), 1):
        assert f"\n{number}   {line.splitlines()[0]}\n" in exercise.heading


@pytest.mark.parametrize("exercise", ALL)
@pytest.mark.untraced
def test_a_right_answer_in_another_style_passes(exercise: Exercise) -> None:
    """At least two for each: what counts is what an answer does."""
    assert len(RIGHT[exercise.name]) >= 2
    for answer in RIGHT[exercise.name]:
        result = check(exercise.name, answer)
        assert result.passed, result


@pytest.mark.parametrize("exercise", ALL)
def test_a_stub_is_not_tried_yet(exercise: Exercise) -> None:
    """What a learner finds in the cell gives exactly this text."""
    namespace: dict[str, Any] = {}
    exec(exercise.stub, namespace)
    answers = tuple(namespace[name] for name in exercise.names)
    result = check(exercise.name, answers if len(answers) > 1 else answers[0])
    assert repr(result) == f"○ {exercise.name}: not tried yet"
    marked = "raise NotImplementedError  # YOUR CODE HERE"
    assert exercise.stub.count(marked) == isinstance(exercise, Coding) * len(answers)


@pytest.mark.parametrize("exercise", ALL)
def test_hints_say_more_and_more_but_not_the_solution(exercise: Exercise) -> None:
    """Three of them, then the solution; no line of that is in one, nor a predicted value."""
    shown = repr(solution(exercise.name))
    lines = [line.strip() for line in shown.splitlines() if line.startswith("        ")]
    code = [line for line in lines if not line.startswith(('"""', "else", "return text"))]
    for number in (1, 2, 3):
        said = hint(exercise.name, number)
        assert exercise.hints[number - 1] in said.words
        assert not [line for line in code if len(line) > 14 and line in exercise.hints[number - 1]]
        if isinstance(exercise, Prediction):
            assert repr(solved(exercise)) not in exercise.hints[number - 1]
        assert said.then in (
            f'hint("{exercise.name}", {number + 1})',
            f'solution("{exercise.name}")',
        )


@pytest.mark.parametrize("exercise", ALL)
def test_the_data_of_an_exercise_is_whole(exercise: Exercise) -> None:
    """Names, cells, points: what the editions are made from."""
    assert re.fullmatch(r"0[123]-[a-z]+(-[a-z]+)*", exercise.name)
    assert exercise.cells == (f"{exercise.name}-stub", f"{exercise.name}-check")
    assert exercise.points >= 1
    assert exercise.minutes >= 1
    assert exercise.objective[0].islower()
    assert all(text.strip() for text in (exercise.task, exercise.why, *exercise.hints))
    if isinstance(exercise, Coding):
        assert {case.of for case in exercise.cases} == set(range(len(exercise.names)))


@pytest.mark.parametrize("exercise", ALL)
def test_the_texts_of_a_solution_lead_to_it(exercise: Exercise) -> None:
    """An ordering shows the function, and gives the order in words; code names kvlib's own."""
    shown = solution(exercise.name)
    assert exercise.why in shown.words
    if isinstance(exercise, Ordering):
        assert f"So the order is {list(exercise.order)}." in shown.words
        assert shown.code == exercise.source
    if isinstance(exercise, Coding) and exercise.own:
        assert shown.words[-1].startswith("kvlib's own: `kvlib.")


ORDERS = [one for one in EXERCISES.values() if isinstance(one, Ordering)]


@pytest.mark.parametrize("exercise", [pytest.param(one, id=one.name) for one in ORDERS])
def test_lines_are_shuffled(exercise: Ordering) -> None:
    """The order of the task isn't the solution; a list of places is told so."""
    assert list(exercise.order) != sorted(exercise.order)
    places = [exercise.order.index(number) + 1 for number in range(1, len(exercise.order) + 1)]
    assert "You have listed the place of each line" in check(exercise.name, places).words[0]


@pytest.mark.parametrize("name", ["01-decode-order", "02-join-order"])
def test_every_wrong_order_is_explained(name: str) -> None:
    """Of all the orders one in five is tried: each wrong one names a line or a place."""
    exercise = EXERCISES[name]
    for order in list(permutations(range(1, 7)))[::5]:
        result = check(exercise.name, list(order))
        words = " ".join(result.words)
        assert result.passed or "Line" in words or "You have listed" in words, (order, words)


def test_a_module_without_docstrings_has_its_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python drops docstrings with -OO; then they are read from the source."""
    module = "kvlib.lessons.exercises.encode.length"
    before = texts(module)
    monkeypatch.setattr(sys.modules[module], "__doc__", None)
    assert texts(module) == before
    assert before["name"] == "01-length"
