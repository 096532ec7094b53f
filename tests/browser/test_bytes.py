"""The view of bytes in JupyterLab, with pointer and keys, in both themes."""

from playwright.sync_api import Locator, Page, expect

from browser.lab import Lab, outputs, run_all, screenshot, shortcut_leaks, violations
from kvlib.views.grid import CELL, GAP, HIGH, LEFT, TOP

FIELD = "import kvlib\nfrom kvlib import views\nviews.dump(kvlib.encode_field('café'))"
LOG = """import kvlib
from kvlib import MemoryDisk, views
disk = MemoryDisk()
with kvlib.open(disk) as store:
    store["café"] = "2,50 €"
views.dump(disk.read("log"), source="log")"""


def shown(page: Page, cell: int) -> Locator:
    """Find the view under a cell."""
    return outputs(page, cell=cell).locator(".kvlib")


def over(page: Page, stage: Locator, x: float, y: float) -> None:
    """Move the pointer over a point of the picture, in its own units."""
    box = stage.locator("svg").bounding_box()
    assert box is not None
    scale = box["width"] / 860
    page.mouse.move(box["x"] + x * scale, box["y"] + y * scale)


def cell(number: int) -> tuple[float, float]:
    """Return the middle of a byte's cell in the first row."""
    return LEFT + number * CELL + GAP * (number > 7) + CELL / 2, TOP + HIGH / 2


def test_pointer_and_keys_say_what_a_byte_is(lab: Lab) -> None:
    """The sentence and the frame follow the pointer and the keys."""
    page = lab.open_cells([FIELD])
    run_all(page)
    view = shown(page, 0)
    say, stage = view.get_by_role("status"), view.locator(".stage")
    expect(say).to_have_text("bytes: 0001-0004. Length, in field 0, 5 bytes of data, outlined.")
    over(page, stage, *cell(6))
    expect(say).to_have_text("bytes: 0005-0009. Data (value), in field 0, 'café'.")
    over(page, stage, *cell(0))
    expect(say).to_contain_text("bytes: 0000. Tag, in field 0")
    stage.focus()
    for key, offsets in (("End", "0005-0009"), ("ArrowLeft", "0001-0004"), ("Home", "0000")):
        page.keyboard.press(key)
        expect(say).to_contain_text(f"bytes: {offsets}.")
    assert stage.locator("svg > g:last-child > rect").count() == 1


def test_rows_are_one_key_apart(lab: Lab) -> None:
    """The arrows up and down go to the row above and below."""
    page = lab.open_cells([LOG])
    run_all(page)
    view = shown(page, 0)
    say, stage = view.get_by_role("status"), view.locator(".stage")
    over(page, stage, *cell(0))
    stage.focus()
    for key, offsets in (("ArrowDown", "0010-0017"), ("ArrowDown", "001D-0020")):
        page.keyboard.press(key)
        expect(say).to_contain_text(f"bytes: {offsets}.")


def test_one_view_may_stand_twice(lab: Lab) -> None:
    """Equal views react separately, also after a second run."""
    page = lab.open_cells([FIELD, FIELD])
    run_all(page)
    run_all(page)
    over(page, shown(page, 0).locator(".stage"), *cell(0))
    expect(shown(page, 0).get_by_role("status")).to_contain_text("bytes: 0000.")
    expect(shown(page, 1).get_by_role("status")).to_contain_text("bytes: 0001-0004.")


def test_no_key_leaves_the_view(lab: Lab) -> None:
    """No key pressed in the picture or the summary reaches the notebook."""
    page = lab.open_cells(["'above'", FIELD, "'below'"])
    run_all(page)
    for part in (".stage", "summary"):
        assert shortcut_leaks(page, shown(page, 1).locator(part)) == []


def test_everyone_can_use_it(lab: Lab) -> None:
    """axe-core finds no fault in either theme, and the view fits 800 pixels."""
    for theme in ("light", "dark"):
        page = lab.open_cells([FIELD, LOG], theme=theme)
        page.set_viewport_size({"width": 800, "height": 900})
        run_all(page)
        shown(page, 1).locator(".stage").focus()
        page.keyboard.press("ArrowRight")
        assert violations(page) == []
        box = shown(page, 1).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 800
        screenshot(page, f"bytes-{theme}")
