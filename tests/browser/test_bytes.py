"""The view of bytes in JupyterLab, with pointer and keys, in both themes."""

from playwright.sync_api import Locator, Page, expect

from browser.lab import Lab, outputs, run_all, screenshot, shortcut_leaks, violations

FIELD = "import kvlib\nfrom kvlib import views\nviews.dump(kvlib.encode_field('café'))"
LOG = """import kvlib
from kvlib import MemoryDisk, views
disk = MemoryDisk()
with kvlib.open(disk) as store:
    store["café"] = "2,50 €"
views.dump(disk.read("log"), source="log")"""


def chosen(view: Locator) -> list[str]:
    """Return the hex digits of the selected bytes."""
    return view.locator(".grid [role=gridcell].on").all_inner_texts()


def shown(page: Page, cell: int) -> Locator:
    """Find the view under a cell."""
    return outputs(page, cell=cell).locator(".kvlib")


def test_pointer_and_keys_say_what_a_byte_is(lab: Lab) -> None:
    """The grid, the table and the sentence follow each other."""
    page = lab.open_cells([FIELD])
    run_all(page)
    view = shown(page, 0)
    say = view.get_by_role("status")
    view.locator(".grid .V").first.hover()
    expect(say).to_have_text("0005-0009, 5 bytes: the data of field 0: 'café', 63 61 66 C3 A9")
    view.locator(".parts tr", has_text="length").hover()
    expect(say).to_contain_text("0001-0004, 4 bytes: the length of field 0: 5 bytes of data")
    assert chosen(view) == ["00 00 00 05"]
    assert view.locator(".grid [role=gridcell].about").all_inner_texts() == ["63 61 66  C3 A9"]
    grid = view.locator(".grid")
    grid.focus()
    for key, digits in (("Home", "73"), ("ArrowRight", "00 00 00 05"), ("End", "63 61 66  C3 A9")):
        page.keyboard.press(key)
        assert chosen(view) == [digits]
        active = grid.get_attribute("aria-activedescendant")
        assert view.locator(f"#{active}").inner_text() == digits
    page.keyboard.press("Escape")
    assert len(chosen(view)) == 3
    expect(say).to_contain_text("field[0] (3 parts")
    page.keyboard.press("Enter")
    assert chosen(view) == ["73"]
    page.keyboard.press("g")
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    assert chosen(view) == ["63 61 66  C3 A9"]
    expect(grid).to_be_focused()


def test_one_view_may_stand_twice(lab: Lab) -> None:
    """Equal views have different ids and react separately, also after a second run."""
    page = lab.open_cells([FIELD, FIELD])
    run_all(page)
    run_all(page)
    ids = page.evaluate("[...document.querySelectorAll('.kvlib .picture')].map(({ id }) => id)")
    assert len(ids) == len({*ids}) == 2
    shown(page, 0).locator(".grid .T").first.hover()
    assert chosen(shown(page, 0)) == ["73"]
    assert chosen(shown(page, 1)) == []


def test_no_key_leaves_the_view(lab: Lab) -> None:
    """No key pressed in the grid, the table or the input reaches the notebook."""
    page = lab.open_cells(["'above'", FIELD, "'below'"])
    run_all(page)
    for part in (".grid", ".parts", "input", "summary"):
        assert shortcut_leaks(page, shown(page, 1).locator(part)) == []


def test_everyone_can_use_it(lab: Lab) -> None:
    """axe-core finds no fault in either theme, and the view fits 800 pixels."""
    for theme in ("light", "dark"):
        page = lab.open_cells([FIELD, LOG], theme=theme)
        page.set_viewport_size({"width": 800, "height": 900})
        run_all(page)
        shown(page, 1).locator(".grid").focus()
        page.keyboard.press("ArrowRight")
        assert violations(page) == []
        box = shown(page, 1).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 800
        screenshot(page, f"bytes-{theme}")
