"""Timelines in JupyterLab: every moment looks as it was computed."""

import pytest
from playwright.sync_api import Locator, Page, expect

import kvlib
from browser.lab import Lab, outputs, run_all, screenshot, shortcut_leaks, violations
from kvlib import MemoryDisk, views
from kvlib.views.timeline import Timeline

STORE = """import kvlib
from dataclasses import replace
from kvlib import MemoryDisk, views
disk = MemoryDisk()
with kvlib.open(disk) as store:
    store["café"] = "2,50 €"
"""
TABLES = """(root) => [...root.querySelectorAll(".picture")].map((picture) =>
    [picture.hidden, ...[...picture.querySelectorAll("tr, caption, .flaw")].map((row) =>
        [row.outerHTML.replace(/ (id|class)="[^"]*"/g, "")])])"""


def film(kind: str) -> Timeline:
    """Return the notebook's timeline, computed in this process."""
    disk = MemoryDisk()
    with kvlib.open(disk) as store:
        store["café"] = "2,50 €"
    return views.crash(disk) if kind == "crash" else views.flips(disk)


def shown(page: Page, cell: int) -> Locator:
    """Find the timeline under a cell."""
    return outputs(page, cell=cell).locator(".kvlib")


def to(view: Locator, moment: int) -> None:
    """Move the slider to a moment."""
    view.locator("[type=range]").evaluate(
        "(slider, to) => { slider.value = to; slider.dispatchEvent(new Event('input')); }", moment
    )


@pytest.mark.parametrize("kind", ["crash", "flips"])
def test_each_moment_is_what_python_would_show(lab: Lab, kind: str) -> None:
    """The script draws the same tables as a page that starts at that moment."""
    played = film(kind)
    moments = [played.start + step for step in (-20, -1, 1, 9)]
    cells = [f"{STORE}film = views.{kind}(disk)\nfilm"]
    cells += [f"replace(film, start={moment})" for moment in moments]
    page = lab.open_cells(cells)
    run_all(page)
    view = shown(page, 0)
    for number, moment in enumerate(moments, 1):
        label = shown(page, number).locator(".player output").inner_text()
        to(view, moment)
        expect(view.locator(".player output")).to_have_text(label)
        assert view.evaluate(TABLES) == shown(page, number).evaluate(TABLES)
    say = view.locator(".player output")
    to(view, 5)
    first = say.inner_text()
    view.get_by_role("button", name="Next", exact=True).click()
    assert say.inner_text() != first
    view.get_by_role("button", name="Back").click()
    assert say.inner_text() == first


def test_everything_can_be_done_by_keys_and_by_pointer(lab: Lab) -> None:
    """The slider, the buttons and the strip lead to the same moments."""
    played = film("crash")
    page = lab.open_cells([f"{STORE}views.crash(disk)", "'below'"])
    run_all(page)
    view = shown(page, 0)
    say = view.locator(".player output")
    slider = view.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    expect(say).to_contain_text(f": {played.moments[0].label}. kvlib")
    page.keyboard.press("ArrowRight")
    expect(say).to_contain_text(f": {played.moments[1].label}. kvlib")
    view.get_by_role("button", name="Last").focus()
    page.keyboard.press("Enter")
    last = played.moments[-1]
    expect(say).to_contain_text(f": {last.label}. kvlib: right: {last.outcomes[0].words}")
    cells = view.locator(".cells")
    box = cells.bounding_box()
    assert box is not None
    cells.click(position={"x": box["width"] / 2, "y": 5})
    assert int(slider.input_value()) in (len(played.moments) // 2, len(played.moments) // 2 - 1)
    for part in ("[type=range]", "button >> nth=1"):
        assert shortcut_leaks(page, view.locator(part)) == []


def test_everyone_can_use_it(lab: Lab) -> None:
    """axe-core finds nothing in either theme."""
    for theme in ("light", "dark"):
        page = lab.open_cells([f"{STORE}views.crash(disk)"], theme=theme)
        run_all(page)
        assert violations(page) == []
        screenshot(page, f"film-{theme}")
