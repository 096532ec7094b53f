"""The views in which one types, in JupyterLab: they show kvlib's answer for what was typed.

The expected answer is computed in this process. The tests share one notebook; the views that draw
figures are tested in test_figures.py.
"""

import re
import time
from collections.abc import Iterator
from html import escape
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import kvlib
from browser.lab import (
    OUTPUT,
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
from helpers.figures import SETUP, TYPED
from helpers.figures import made as made_by
from helpers.paths import ROOT
from kvlib import naive, segments
from kvlib.encoding import Item
from kvlib.views import dump
from kvlib.views.fsync import BUTTON

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DRAWN = ["delimiters", "desk"]


def made(name: str) -> Any:
    """Return a view, computed in this process."""
    return made_by(TYPED[name])


@pytest.fixture(scope="module")
def page(server: Server, window: Browser) -> Iterator[Page]:
    """Yield a notebook with all these views, after a run."""
    lab = Lab(server, window.new_context())
    opened = lab.open_cells([SETUP, *TYPED.values()])
    run_all(opened)
    opened.set_default_timeout(10_000)
    yield opened
    lab.close()
    assert lab.problems == []


def output(page: Page, name: str) -> Locator:
    """Find the output of a view's cell."""
    return outputs(page, 1 + list(TYPED).index(name))


def assert_answers(page: Page, name: str, **values: object) -> str:
    """Wait until the screen shows the result for these values. Return its text."""
    explorer = made(name)
    for control, value in values.items():
        explorer.controls[control].value = value
    text = "(html) => new DOMParser().parseFromString(html, 'text/html').body.textContent"
    wanted: str = page.evaluate(text, explorer.screen.value)
    screen = output(page, name).locator(".widget-html-content").first
    end = time.monotonic() + 20
    while screen.text_content() != wanted and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert screen.text_content() == wanted
    picture = screen.locator("svg").get_attribute("aria-label") if name in DRAWN else None
    return picture or screen.inner_text()


def fill(page: Page, field: Locator, text: str) -> None:
    """Replace the text of a field by typing."""
    field.focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Backspace")
    page.keyboard.type(text)


def test_delimiters_that_are_typed_are_parsed(page: Page) -> None:
    """Typing in any of the four fields shows the parser's result."""
    values = {"key": "café", "value": "2,50 €", "between": ":", "after": ","}
    typed = [("value", "2.50"), ("between", "="), ("key", "a=b"), ("after", ";"), ("after", "")]
    assert "MISMATCH at byte 7" in assert_answers(page, "delimiters", **values)
    for name, text in typed:
        values[name] = text
        fill(page, output(page, "delimiters").get_by_label(f"{name}:"), text)
        answer = assert_answers(page, "delimiters", **values)
        marks = values["between"], values["after"]
        data = naive.encode_delimited({values["key"]: values["value"]}, *marks)
        try:
            got = repr(dict(naive.decode_delimited(data, *marks)))
        except ValueError as error:
            got = str(error)
        assert got in answer


def test_segments_on_the_desk_are_joined(page: Page) -> None:
    """Buttons, menus and the flipped bit show the answers of join and decode."""
    view = output(page, "desk")
    for name, act in (
        ("drop one", "click"),
        ("reverse", "Enter"),
        ("double one", "click"),
        ("mix", "Space"),
        ("in order", "Enter"),
    ):
        button = view.get_by_role("button", name=name, exact=True)
        if act == "click":
            button.click()
        else:
            button.focus()
            page.keyboard.press(act)
        made("desk").buttons[name].click()
        assert joined() in assert_answers(page, "desk")
    chosen = view.get_by_label("chosen:")
    chosen.select_option("place 1")
    made("desk").controls["chosen"].value = "place 1"
    for name in ("move right", "lose it", "double it", "move left", "swap snapshots"):
        view.get_by_role("button", name=name, exact=True).click()
        made("desk").buttons[name].click()
        assert joined() in assert_answers(page, "desk")
    chosen.focus()
    page.keyboard.press("ArrowDown")
    below = made("desk").controls["chosen"].index + 1
    assert_answers(page, "desk", chosen=f"place {below}")
    view.get_by_role("button", name="in order", exact=True).click()
    made("desk").buttons["in order"].click()
    fill(page, view.get_by_label("flip bit:"), "71")
    page.keyboard.press("Enter")
    assert joined({"flip bit": 71}) in assert_answers(page, "desk")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert joined({"flip bit": 72}) in assert_answers(page, "desk")


def joined(values: dict[str, object] | None = None) -> str:
    """Return the engine's answer for the desk, with these controls changed."""
    desk = made("desk")
    for name, value in (values or {}).items():
        desk.controls[name].value = value
    records: dict[str, dict[Item, Item]] = {
        "segment": {"café": "2,50 €"},
        "other": {"café": "2,50 € to go"},
    }
    cards = {
        f"{title} {number}": card
        for title, record in records.items()
        for number, card in enumerate(segments.split(kvlib.encode_snapshot(record), 15))
    }
    places = [one.value for name, one in desk.controls.items() if name.startswith("place ")]
    sizes = [cards[name] for name in places if name != "nothing"]
    flat = bytearray().join(sizes)
    if bit := desk.controls["flip bit"].value:
        flat[(bit - 1) // 8] ^= 0x80 >> (bit - 1) % 8
    given = []
    for card in sizes:
        given.append(bytes(flat[: len(card)]))
        del flat[: len(card)]
    try:
        return repr(kvlib.decode_snapshot(kvlib.join(given)))
    except kvlib.CorruptionError as error:
        return f"Refused: {error}"


def test_record_that_is_typed_is_encoded(page: Page) -> None:
    """Text fields and a checkbox show the bytes of the typed record."""
    view = output(page, "explore")
    box = view.get_by_role("checkbox")

    def assert_encodes(key: str, value: str, as_bytes: bool) -> None:
        assert_answers(page, "explore", key=key, value=value, as_bytes=as_bytes)
        record: dict[Item, Item] = {key: value.encode() if as_bytes else value}
        shown = dump(kvlib.encode_snapshot(record), format="snapshot")
        label = view.locator("svg").get_attribute("aria-label")
        assert label is not None
        assert escape(label) in shown._repr_html_()

    fill(page, view.get_by_label("key:"), "日本")
    assert_encodes("日本", "2,50 €", False)
    box.click()
    assert_encodes("日本", "2,50 €", True)
    fill(page, view.get_by_label("value:"), "")
    assert_encodes("日本", "", True)
    box.focus()
    page.keyboard.press("Space")
    assert_encodes("日本", "", False)


def test_an_fsync_is_timed_when_a_key_is_pressed(page: Page, server: Server) -> None:
    """Before, there is no number; afterwards, the bars have theirs, and the folder is as it was."""
    view = output(page, "fsync")
    button = view.get_by_role("button", name=BUTTON)
    picture = view.locator("svg")
    expect(picture).to_have_attribute("aria-label", re.compile(r"cost on your disk\? To replace"))
    expect(picture.get_by_text("?", exact=True)).to_have_count(3)
    before = sorted(server.folder.iterdir())
    for key in ("Enter", "Space"):
        button.focus()
        page.keyboard.press(key)
        told = re.compile(r"an fsync costs .*A write takes [\d.]+ [µm]?s, and [\d.]+ [µm]?s with")
        expect(picture).to_have_attribute("aria-label", told)
        expect(picture.get_by_text(re.compile(r"^[\d.]+ [µm]?s$"))).to_have_count(3 + 7)
        expect(view.locator(".say")).to_contain_text("A write takes")
        expect(button).to_be_focused()
    assert sorted(server.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "part"),
    [
        *[("delimiters", "input >> nth=0"), ("desk", "button"), ("desk", "select")],
        *[("desk", "[type=number]"), ("explore", "[type=checkbox]")],
        ("fsync", "button"),
    ],
)
def test_no_key_leaves_a_control(page: Page, name: str, part: str) -> None:
    """No shortcut of the notebook works while a control has the focus."""
    target = output(page, name).locator(part).first
    target.scroll_into_view_if_needed()
    assert shortcut_leaks(page, target) == []


# The texts and pictures that can't be scrolled into view, because an element around them cuts them
# off without a scroll bar. Decoration is left out.
CUT = """(outputs) => {
    const hidden = [];
    const small = "[aria-hidden=true] *, script, style, option, .kvlib-explorer img";
    for (const node of outputs.flatMap((output) => [...output.querySelectorAll("*")])) {
        const own = [...node.childNodes].some((child) => child.data && child.data.trim());
        if (node.matches(small) || !(own || node.matches("svg, img, input, select"))) continue;
        if (node.namespaceURI.endsWith("svg") && node.tagName !== "svg") continue;
        let { left, right } = node.getBoundingClientRect();
        if (left === right) continue;
        const last = node.closest(".jp-OutputArea-child");
        for (let around = node; around !== last; around = around.parentElement) {
            const box = around.getBoundingClientRect();
            const { overflowX } = getComputedStyle(around);
            const over = around === node ? around.scrollWidth > around.clientWidth + 1 && own
                : right > box.right + 1 || left < box.left - 1;
            if (["auto", "scroll"].includes(overflowX)) {
                if (right > box.right || around === node) [left, right] = [box.left, box.right];
            } else if (over && overflowX !== "visible") {
                hidden.push(`${node.tagName}.${node.className}: ${node.textContent.slice(0, 40)}`);
                break;
            }
        }
        if (right > innerWidth) hidden.push(`${node.tagName}.${node.className} leaves the window`);
    }
    return hidden;
}"""


@pytest.mark.parametrize(("width", "zoom"), [(800, 1), (640, 2)])
def test_nothing_is_cut_off_on_a_small_page(page: Page, width: int, zoom: int) -> None:
    """Wide contents have a scroll bar, at 800 pixels and at 1,280 with doubled text."""
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": width, "height": 800 // zoom})
    fold = "() => jupyterapp.commands.execute('application:toggle-left-area')"
    if zoom > 1:
        page.evaluate(fold)  # the list of files would take up half of the window
    settle(page)
    try:
        assert outputs(page).evaluate_all(CUT) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert violations(page) == []
    finally:
        screenshot_all(page, f"views-{width}")
        page.set_viewport_size(size)
        if zoom > 1:
            page.evaluate(fold)
        settle(page)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_everyone_can_use_them(page: Page, theme: str) -> None:
    """axe-core finds no fault in either theme, with every table unfolded."""
    change_theme(page, theme)
    page.evaluate("document.querySelectorAll('.kvlib details').forEach((one) => one.open = true)")
    assert violations(page) == []
    screenshot_all(page, f"views-{theme}")
    page.evaluate("document.querySelectorAll('.kvlib details').forEach((one) => one.open = false)")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_view_without_a_kernel_has_its_text_or_a_picture(lab: Lab, notebook: Any) -> None:
    """In a notebook that isn't trusted, what one would type into is a text or an image."""
    page = lab.open(notebook)
    unfold(page)
    found = 0
    for number, cell in enumerate(read(page)["cells"]):
        for shown, stored in zip(outputs(page, number).all(), cell.get("outputs", []), strict=True):
            data = stored.get("data", {})
            *_, call = "".join(cell["source"]).splitlines()
            if not data or not call.startswith(tuple(f"views.{name}(" for name in TYPED)):
                continue
            found += 1
            if "text/html" in data:
                assert shown.locator("img").first.is_visible()
            else:
                assert shown.inner_text().split() == "".join(data["text/plain"]).split()
    assert found
    assert page.locator(f"{OUTPUT} script").count() == 0
