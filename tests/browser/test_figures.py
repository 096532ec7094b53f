"""Every figure in JupyterLab: by keys, by pointer, by buttons, without scripts, for everyone.

A figure shows at each position what Python drew there, so what is checked here is that each control
leads to the right position. The tests share one notebook with all figures.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from browser.lab import (
    Lab,
    Server,
    change_theme,
    outputs,
    read,
    run_all,
    screenshot_all,
    settle,
    shortcut_leaks,
    unfold,
    violations,
)
from helpers.figures import CALLS, SETUP, figure
from helpers.paths import ROOT
from kvlib.views import svg
from kvlib.views.figure import Figure

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOVING = [name for name in CALLS if len(figure(name).positions) > 1]
POINTED = [name for name in MOVING if any(one.spot for one in figure(name).positions)]
SWITCHED = [name for name in MOVING if figure(name).switch]
CELLS = [SETUP, *CALLS.values(), CALLS[MOVING[0]]]


@pytest.fixture(scope="module")
def page(server: Server, window: Browser) -> Iterator[Page]:
    """Yield a notebook with all figures, after a run."""
    lab = Lab(server, window.new_context())
    opened = lab.open_cells(CELLS)
    run_all(opened)
    opened.set_default_timeout(10_000)
    yield opened
    lab.close()
    assert lab.problems == []


def shown(page: Page, name: str) -> Locator:
    """Find a figure."""
    return outputs(page, 1 + list(CALLS).index(name)).locator(".kvlib.figure")


# What the picture shows now: its sentence, and the shapes above the fixed ones.
SEE = """(root) => [root.querySelector("output").textContent,
    root.querySelector(".stage svg > g:last-child").innerHTML]"""
PARSED = """(text) => {
    const holder = document.createElementNS("http://www.w3.org/2000/svg", "g");
    holder.innerHTML = text;
    return holder.innerHTML;
}"""


def assert_shows(view: Locator, made: Figure, number: int) -> None:
    """Check that a figure shows what Python drew for a position."""
    position = made.positions[number]
    live = re.sub(r"\$([a-z0-9-]+)", r"var(--kv-\1)", "".join(made.moving(number)))
    assert view.evaluate(SEE) == [made.sentence(position), view.page.evaluate(PARSED, live)]
    stage = view.locator(".stage")
    if len(made.positions) > 1:
        assert stage.get_attribute("aria-valuetext") == made.sentence(position)


def begin(page: Page, name: str) -> tuple[Locator, Figure]:
    """Return a figure at its first position, with the focus, and as it was made here."""
    view, made = shown(page, name), figure(name)
    if made.switch:
        view.locator("[type=radio]").first.check()
    view.locator(".stage").focus()
    page.keyboard.press("Home")
    return view, made


@pytest.mark.parametrize("name", CALLS)
def test_it_comes_alive_where_its_image_stood(page: Page, name: str) -> None:
    """The picture has the image's proportions, and what it shows first is what the image shows."""
    view, made = shown(page, name), figure(name)
    assert view.locator("img").count() == 0
    box = view.locator("svg").bounding_box()
    assert box
    assert box["height"] / box["width"] == pytest.approx(made.height / svg.WIDTH, abs=0.02)
    if name in MOVING:
        assert_shows(view, made, made.start)
    else:
        assert view.locator("[role=slider], button").count() == 0


@pytest.mark.parametrize("name", MOVING)
def test_every_position_is_what_python_drew(page: Page, name: str) -> None:
    """Key by key through all of them: across, back and to both ends."""
    view, made = begin(page, name)
    size = len(made.positions) // max(1, len(made.switch))
    assert_shows(view, made, 0)
    across, down = made.moves
    seen, number = {0}, 0
    for _ in range(min(size, 40)):
        key, step = ("ArrowRight", across) if number + across < size else ("ArrowDown", down)
        if not 0 <= number + step < size:
            break
        page.keyboard.press(key)
        number += step
        seen.add(number)
        assert_shows(view, made, number)
    assert len(seen) == min(size, 41) or len(seen) > 5
    page.keyboard.press("ArrowLeft")
    assert_shows(view, made, number - across)
    page.keyboard.press("End")
    assert_shows(view, made, size - 1)
    page.keyboard.press("ArrowRight")  # nothing comes after the last one
    assert_shows(view, made, size - 1)


@pytest.mark.parametrize("name", MOVING)
def test_buttons_lead_on(page: Page, name: str) -> None:
    """Back, Next and Next change, by click and by Enter."""
    view, made = begin(page, name)
    size = len(made.positions) // max(1, len(made.switch))
    view.get_by_role("button", name="Next", exact=True).click()
    assert_shows(view, made, 1)
    view.get_by_role("button", name="Back").focus()
    page.keyboard.press("Enter")
    assert_shows(view, made, 0)
    further = view.get_by_role("button", name="Next change")
    if further.count():
        answers = [one.answer or one.says for one in made.positions[:size]]
        further.click()
        first = next(at for at in range(1, size) if answers[at] != answers[at - 1])
        assert_shows(view, made, first)


@pytest.mark.parametrize("name", POINTED)
def test_the_pointer_chooses_what_it_points_at(page: Page, name: str) -> None:
    """A press in the middle of a spot chooses its position, and a drag goes on to others."""
    view, made = begin(page, name)
    size = len(made.positions) // max(1, len(made.switch))
    spots = {at: one.spot for at, one in enumerate(made.positions[:size]) if one.spot}
    some = [*spots][:: max(1, len(spots) // 12)]
    for number in some:
        page.mouse.click(*point(view, spots[number]))
        assert spot_of(view, made) == spots[number]
    page.mouse.move(*point(view, spots[some[0]]))
    page.mouse.down()
    page.mouse.move(*point(view, spots[some[-1]]), steps=4)
    page.mouse.up()
    assert spot_of(view, made) == spots[some[-1]]
    page.mouse.move(*point(view, spots[some[0]]))  # without a button held
    assert spot_of(view, made) == spots[some[0 if made.dense else -1]]


def point(view: Locator, spot: Any) -> tuple[float, float]:
    """Return the middle of a spot on the page."""
    picture = view.locator("svg")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    assert box
    scale = box["width"] / svg.WIDTH
    x, y, width, height = spot[:4]
    return box["x"] + (x + width / 2) * scale, box["y"] + (y + height / 2) * scale


def spot_of(view: Locator, made: Figure) -> Any:
    """Return the spot of the position that is shown; several may have the same."""
    number = int(view.locator(".stage").get_attribute("aria-valuenow") or 0)
    return made.positions[number].spot


@pytest.mark.parametrize("name", SWITCHED)
def test_a_switch_keeps_the_step(page: Page, name: str) -> None:
    """Each variant shows its own position, at the step where one was."""
    view, made = begin(page, name)
    size = len(made.positions) // len(made.switch)
    page.keyboard.press("ArrowRight")
    for number, variant in enumerate(made.switch):
        view.get_by_label(variant, exact=True).check()
        assert_shows(view, made, number * size + 1)
    view.locator(".stage").focus()
    page.keyboard.press("Home")
    assert_shows(view, made, (len(made.switch) - 1) * size)


@pytest.mark.parametrize("part", [".stage", "button", "summary", "[type=radio]"])
def test_no_key_leaves_a_control(page: Page, part: str) -> None:
    """No shortcut of the notebook works while a control has the focus."""
    target = page.locator(f".kvlib.figure {part}").first
    if target.count():
        target.scroll_into_view_if_needed()
        assert shortcut_leaks(page, target) == []


def test_two_copies_are_two_figures(page: Page) -> None:
    """The same figure twice on a page: each has its own position."""
    one, made = begin(page, MOVING[0])
    other = outputs(page, len(CELLS) - 1).locator(".kvlib.figure")
    other.locator(".stage").focus()
    page.keyboard.press("End")
    assert_shows(one, made, 0)
    assert_shows(other, made, len(made.positions) // max(1, len(made.switch)) - 1)


@pytest.mark.parametrize("name", MOVING)
def test_control_and_effect_are_on_one_screen(page: Page, name: str) -> None:
    """The picture, its buttons and its sentence fit into a screen of 1,366 by 768 pixels."""
    view = shown(page, name)
    picture, say = (view.locator(part).bounding_box() for part in ("svg", "output"))
    assert picture
    assert say
    assert say["y"] + say["height"] - picture["y"] < 660


@pytest.mark.parametrize(("width", "zoom"), [(800, 1), (640, 2)])
def test_nothing_leaves_a_small_page(page: Page, width: int, zoom: int) -> None:
    """At 800 pixels and at doubled size nothing is wider than the page, and axe finds nothing."""
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": width, "height": 800 // zoom})
    settle(page)
    try:
        wide = "(roots) => roots.filter((root) => root.scrollWidth > root.clientWidth + 1).length"
        assert page.locator(".kvlib.figure").evaluate_all(wide) == 0
        assert violations(page) == []
    finally:
        screenshot_all(page, f"figures-{width}")
        page.set_viewport_size(size)
        settle(page)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_everyone_can_use_them(page: Page, theme: str) -> None:
    """axe-core finds no fault in either theme, with everything unfolded; the card has the theme."""
    change_theme(page, theme)
    page.evaluate("document.querySelectorAll('.kvlib details').forEach((one) => one.open = true)")
    assert violations(page) == []
    card = page.locator(".stage svg rect").first.evaluate("(card) => getComputedStyle(card).fill")
    light = theme == "light"
    wanted = svg.COLOURS["card"][not light]
    assert card == f"rgb({', '.join(str(int(wanted[at : at + 2], 16)) for at in (1, 3, 5))})"
    screenshot_all(page, f"figures-{theme}")
    page.evaluate("document.querySelectorAll('.kvlib details').forEach((one) => one.open = false)")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_figure_that_did_not_run_is_a_picture(lab: Lab, notebook: Any) -> None:
    """In a notebook that isn't trusted, each figure is an image with a text, and its sentence."""
    page = lab.open(notebook)
    unfold(page)
    found = 0
    for number, cell in enumerate(read(page)["cells"]):
        for output, stored in zip(
            outputs(page, number).all(), cell.get("outputs", []), strict=True
        ):
            html = "".join(stored.get("data", {}).get("text/html", ""))
            if 'class="kvlib figure' not in html:
                continue
            found += 1
            image = output.locator("img").first
            expect(image).to_be_visible()
            assert image.evaluate("(img) => img.naturalWidth") == svg.WIDTH
            assert image.get_attribute("alt")
            assert output.locator("script, style").count() == 0
    assert found


def test_every_figure_is_in_a_notebook() -> None:
    """What is tested here is what learners see."""
    source = "\n".join(
        path.read_text("utf-8") for path in (ROOT / "notebooks" / "source").glob("*")
    )
    names = {call.partition("(")[0] for call in CALLS.values()}
    assert [name for name in names if not re.search(rf"{name}[(,]", source)] == []
