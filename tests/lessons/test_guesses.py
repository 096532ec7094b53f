"""Predictions: what is shown before a choice, after it, and at the end."""

from typing import Any

import pytest

from kvlib import views
from kvlib.lessons import guesses, predict
from kvlib.lessons.guesses import Question

REAL = guesses.questions
OPTIONS = {"a": "Nothing", "b": "`42`", "c": "An error"}
QUESTION = Question(OPTIONS, "b", "<p>Because <code>6 * 7</code> is 42, so &lt;.</p>")


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are two predictions, and none is made yet."""
    questions = {"test-one": QUESTION, "test-two": QUESTION._replace(right="a")}
    monkeypatch.setattr(guesses, "questions", lambda: questions)
    monkeypatch.setattr(guesses, "_chosen", {})


def noisy() -> int:
    """Print a line and return a number."""
    print("a line")
    return 42


def failing() -> None:
    """Print a line and fail."""
    print("a line")
    raise ValueError("no <good>")


def test_nothing_is_told_before_a_choice(capsys: pytest.CaptureFixture[str]) -> None:
    """Not in text; in HTML the result is folded, and the letter and the reason are absent."""
    guess = predict("test-one", noisy)
    assert capsys.readouterr().out == ""
    assert repr(guess) == "○ test-one: choose (a), (b) or (c)"
    html = guess.html()
    shown, _, hidden = html.partition("<details>")
    assert "42" not in shown.partition("</style>")[2]
    assert "a line" in hidden
    assert "Because" not in html


@pytest.mark.parametrize(
    ("letter", "said"),
    [
        ("b", "✓ test-one: you chose (b), and that's right"),
        ("c", "✗ test-one: you chose (c), but (b) is right"),
    ],
)
def test_a_choice_shows_the_result_and_the_reason(letter: str, said: str) -> None:
    """As text and as HTML; the HTML isn't folded."""
    guess = predict("test-one", noisy).choose(letter)
    text = f"{said}\n\na line\n42\n\nBecause 6 * 7 is 42, so <."
    assert repr(guess) == text
    assert "<details>" not in guess.html()
    assert "(b) 42" in guess.verdict_html()


def test_an_experiment_may_fail() -> None:
    """The error is its result."""
    guess = predict("test-one", failing).choose("a")
    assert guess.result == "a line\nValueError: no <good>"
    assert "no &lt;good&gt;" in guess.html()


def test_arguments_are_handed_on() -> None:
    """As they are."""
    assert predict("test-one", divmod, 7, 2).choose("a").result == "(3, 1)"


def test_a_long_result_has_lines() -> None:
    """A list of many items is written in several lines."""
    result = predict("test-one", lambda: ["a word"] * 30).choose("a").result
    assert len(result.splitlines()) > 1
    assert max(map(len, result.splitlines())) <= guesses.COLUMNS


def test_the_first_choice_counts() -> None:
    """Another one, and running the cell again, change nothing."""
    predict("test-one", noisy).choose("a").choose("b")
    assert predict("test-one", noisy).chosen == "a"
    assert repr(predict("test-one", noisy)).startswith("✗")


def test_what_does_not_exist_is_refused() -> None:
    """A prediction, or an option; nothing is chosen then."""
    with pytest.raises(ValueError, match="no prediction 'test-three'"):
        predict("test-three", noisy)
    guess = predict("test-one", noisy)
    with pytest.raises(ValueError, match=r"'d' is no option: choose \(a\), \(b\) or \(c\)"):
        guess.choose("d")
    assert guess.chosen == ""


def test_a_button_chooses() -> None:
    """Pressing one shows the result and disables the others; pressing again does nothing."""
    buttons = predict("test-one", noisy).buttons()
    assert len(buttons.children) == 2
    buttons.buttons["c"].click()
    assert [button.disabled for button in buttons.buttons.values()] == [True, True, False]
    assert [button.description for button in buttons.buttons.values()] == ["(a)", "(b)", "✗ (c)"]
    verdict, result, why = buttons.children[1:4]
    assert "You chose (c), but (b) is right" in verdict.value
    assert "".join(output["text"] for output in result.outputs) == "a line\n42\n"
    assert "6 * 7" in why.value
    buttons.buttons["c"].click()
    assert len(buttons.children) == 5
    assert repr(predict()) == ("Predictions: 1 made, 0 right.\n  ✗ test-one  (c); (b) is right")


def test_a_view_is_shown_after_the_choice() -> None:
    """The view itself, not its text; without a kernel it is in the fold."""
    guess = predict("test-one", views.lengths, b"\x03tea")
    assert guess.html().partition("<details>")[2].count("<svg") or "<img" in guess.html()
    buttons = guess.buttons()
    buttons.buttons["b"].click()
    data = buttons.children[2].outputs[-1]["data"]
    assert "text/html" in data
    assert predict("test-one", noisy).buttons().buttons["b"].description == "✓ (b)"


def test_a_notebook_gets_all_forms() -> None:
    """Text, a page without a kernel, and the widget."""
    bundle: Any = predict("test-one", noisy)._repr_mimebundle_()
    assert bundle.keys() >= {"text/plain", "text/html"}
    assert bundle["text/plain"] == "○ test-one: choose (a), (b) or (c)"


def test_without_widgets_there_is_text_and_html(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as in a notebook viewer."""
    monkeypatch.setattr(guesses, "find_spec", lambda _: None)
    assert predict("test-one", noisy)._repr_mimebundle_().keys() == {"text/plain", "text/html"}


def test_the_score_counts() -> None:
    """How many were made, and how many were right."""
    assert repr(predict()) == "You haven't made a prediction since the kernel started."
    predict("test-one", noisy).choose("b")
    predict("test-two", noisy).choose("b")
    assert repr(predict()) == (
        "Predictions: 2 made, 1 right.\n  ✓ test-one  (b)\n  ✗ test-two  (b); (a) is right"
    )
    html = predict()._repr_mimebundle_()["text/html"]
    assert "2 made" in html
    assert "test-two" in html


def test_every_prediction_of_the_notebooks_is_known() -> None:
    """Each has three options, a right one, and a reason."""
    assert len(REAL()) > 30
    for question in REAL().values():
        assert question.options.keys() == {"a", "b", "c"}
        assert question.right in question.options
        assert question.why.startswith("<p>")


def test_a_view_that_prints_nothing_has_one_output() -> None:
    """And an experiment that returns nothing, only what it printed."""
    assert len(predict("test-one", views.lengths, b"\x03tea").buttons().buttons) == 3
    silent = predict("test-two", print, "").buttons()
    silent.buttons["a"].click()
    assert [output["text"] for output in silent.children[2].outputs] == ["\n"]
