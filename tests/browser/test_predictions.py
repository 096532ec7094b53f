"""Predictions in JupyterLab: nothing is told before a choice, by key or by pointer."""

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from browser.lab import (
    Lab,
    change_theme,
    outputs,
    run_all,
    screenshot_all,
    settle,
    shortcut_leaks,
    violations,
)

SETUP = """from kvlib import views
from kvlib.lessons import guesses, predict

asked = guesses.Question({"a": "None", "b": "All `4`", "c": "An error"}, "b", "<p>Because.</p>")
guesses.questions = lambda: {"test-one": asked, "test-two": asked}"""
CELLS = [
    SETUP,
    'predict("test-one", int, "4242")',
    'predict("test-two", views.lengths, b"\\x03tea\\x03hot")',
    "predict()",
]


def button(output: Locator, letter: str) -> Locator:
    """Find the button of an option."""
    return output.get_by_role("button", name=f"({letter})")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_learner_commits_and_then_sees(lab: Lab, theme: str) -> None:
    """By keyboard, and by pointer; the view that an experiment returns can be used."""
    page = lab.open_cells(CELLS)
    run_all(page)
    change_theme(page, theme)
    first, second = outputs(page, 1).first, outputs(page, 2).first
    assert "4242" not in first.inner_text()
    assert second.locator("svg, img[alt*=bytes]").count() == 0

    assert shortcut_leaks(page, button(first, "c")) == []
    button(first, "c").focus()
    page.keyboard.press("Enter")
    expect(first).to_contain_text("You chose (c), but (b) is right")
    expect(first).to_contain_text("4242")
    expect(first).to_contain_text("Because.")
    expect(button(first, "c")).to_be_focused()
    expect(button(first, "a")).to_be_disabled()

    button(second, "b").click()
    expect(second).to_contain_text("that's right")
    figure = second.locator(".kvlib.figure")
    expect(figure.locator(".stage svg")).to_be_visible()
    said = figure.locator("output").inner_text()
    figure.locator(".stage").press("ArrowRight")
    expect(figure.locator("output")).not_to_have_text(said)

    settle(page)
    screenshot_all(page, f"predictions-{theme}")
    assert violations(page) == []
    page.set_viewport_size({"width": 430, "height": 800})
    settle(page)
    screenshot_all(page, f"predictions-{theme}-narrow")
    wide: Any = "(root) => root.scrollWidth > root.clientWidth + 1"
    assert not first.locator(".kvlib.result").first.evaluate(wide)
