"""The harness notices faults in the browser, so that the other tests can fail."""

import pytest

from browser.lab import Lab, outputs, run_all, shortcut_leaks, violations

SHOW = "from IPython.display import HTML\n"


def test_output_of_a_cell_is_found(lab: Lab) -> None:
    """Each cell has run, and its output is found."""
    page = lab.open_cells(["print('hello')", "2 + 2"], theme="dark")
    run_all(page)
    assert outputs(page, cell=0).inner_text() == "hello\n"
    assert outputs(page, cell=1).inner_text() == "4"
    assert outputs(page).count() == 2


def test_cell_that_fails_is_named(lab: Lab) -> None:
    """A failed cell ends the wait, with its source and its error."""
    page = lab.open_cells(["1 / 0", "print('never')"])
    with pytest.raises(AssertionError, match=r"(?s)1 / 0.*ZeroDivisionError"):
        run_all(page)


def test_request_and_error_are_problems(lab: Lab) -> None:
    """A request to another machine is refused and recorded, and so is an error in a script."""
    tags = "<img alt='far' src='http://far.invalid/x'><script>console.error('ours')</script>"
    page = lab.open_cells([f"{SHOW}HTML({tags!r})"])
    run_all(page)
    assert "a request to http://far.invalid/x" in lab.problems
    assert "console: ours" in lab.problems
    lab.problems.clear()


def test_fault_is_shown_with_its_html(lab: Lab) -> None:
    """axe-core reports a button without a name, with its HTML."""
    page = lab.open_cells([f"{SHOW}HTML('<button></button>')"])
    run_all(page)
    (fault,) = violations(page)
    assert fault.startswith("button-name (critical)")
    assert "<button></button>" in fault


def test_key_that_leaks_is_noticed(lab: Lab) -> None:
    """The x key in a plain button cuts the cell; in a button that keeps its keys it doesn't."""
    keep = "data-lm-suppress-shortcuts=true"
    buttons = f"<button id=open>a</button><button id=kept {keep}>b</button>"
    page = lab.open_cells(["'above'", f"{SHOW}HTML('{buttons}')", "'below'"])
    run_all(page)
    assert shortcut_leaks(page, page.locator("#kept")) == []
    assert shortcut_leaks(page, page.locator("#open")) == ["x changes: cells, focus"]
