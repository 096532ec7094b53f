"""What goes wrong in the browser is noticed; otherwise the other tests here could not fail."""

import pytest

from browser.lab import Lab, outputs, run_all, shortcut_leaks, violations

SHOW = "from IPython.display import HTML\n"


def test_output_of_a_cell_is_found(lab: Lab) -> None:
    """Cells given as text have run, each with its own output."""
    page = lab.open_cells(["print('hello')", "2 + 2"], theme="dark")
    run_all(page)
    assert outputs(page, cell=0).inner_text() == "hello\n"
    assert outputs(page, cell=1).inner_text() == "4"
    assert outputs(page).count() == 2


def test_cell_that_fails_is_named(lab: Lab) -> None:
    """With its source and its error; what comes after it isn't waited for."""
    page = lab.open_cells(["1 / 0", "print('never')"])
    with pytest.raises(AssertionError, match=r"(?s)1 / 0.*ZeroDivisionError"):
        run_all(page)


def test_request_and_error_are_problems(lab: Lab) -> None:
    """What a page asks of another machine is refused and told, and so is an error of a script."""
    tags = "<img alt='far' src='http://far.invalid/x'><script>console.error('ours')</script>"
    page = lab.open_cells([f"{SHOW}HTML({tags!r})"])
    run_all(page)
    assert "a request to http://far.invalid/x" in lab.problems
    assert "console: ours" in lab.problems
    lab.problems.clear()


def test_fault_is_shown_with_its_html(lab: Lab) -> None:
    """A button without a name can't be used by those who don't see it."""
    page = lab.open_cells([f"{SHOW}HTML('<button></button>')"])
    run_all(page)
    (fault,) = violations(page)
    assert fault.startswith("button-name (critical)")
    assert "<button></button>" in fault


def test_key_that_leaks_is_noticed(lab: Lab) -> None:
    """A plain button lets JupyterLab cut its cell; one that keeps its keys does not."""
    keep = "data-lm-suppress-shortcuts=true"
    buttons = f"<button id=open>a</button><button id=kept {keep}>b</button>"
    page = lab.open_cells(["'above'", f"{SHOW}HTML('{buttons}')", "'below'"])
    run_all(page)
    assert shortcut_leaks(page, page.locator("#kept")) == []
    assert shortcut_leaks(page, page.locator("#open")) == ["x changes: cells, focus"]
