"""Every view of the notebooks, in JupyterLab. For every control, used with pointer or keys, a view
shows kvlib's answer as it is computed in this process.

The tests share one notebook with all views.
"""

import json
import random
import re
import time
from collections.abc import Iterator
from functools import cache
from html import unescape
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
from helpers.paths import ROOT
from helpers.vocabulary import HEAD_END
from kvlib import naive, segments
from kvlib.encoding import Item
from kvlib.layout.dissect import Layout
from kvlib.views import dump
from kvlib.views.timeline import Moment, Timeline

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SETUP = """import kvlib
from kvlib import naive, views
from kvlib.crash import boot
from kvlib.frame import unseal
from kvlib.log import decode_mutations
from kvlib.snapshot import decode_head

cafe = {"café": "2,50 €"}
disk = kvlib.MemoryDisk()
shop = kvlib.open(disk)
shop["café"] = "2,50 €"
files = {name: disk.read(name) for name in disk.names()}
shop["thé"] = "3,10 €"
shop["café"] = "2,80 €"
data = disk.read("log")
shop.compact()
morning = [
    ("put", "café", "2,50 €"),
    ("put", "thé", "3,10 €"),
    ("put", "café", "2,80 €"),
    ("delete", "thé"),
]


def forgiving(data):
    head, offset = decode_head(data)
    items = {}
    while offset < len(data):
        try:
            frame = unseal(data, offset, head.salt)
        except kvlib.CorruptionError:
            break
        items.update(decode_mutations(frame.payload))
        offset = frame.end
    return items


def show(key, value, as_bytes):
    record = {key: value.encode() if as_bytes else value}
    return views.dump(kvlib.encode_snapshot(record), format="snapshot")"""
CALLS = {
    "dump": 'views.dump(data, format="log")',
    "crash": "views.crash(data, recover=forgiving)",
    "flips": f"views.flips(data, forgiving, start={HEAD_END}, end={HEAD_END + 41})",
    "steps": "views.steps(morning)",
    "lengths": 'views.lengths(naive.encode_counted({"tea": "hot", "ale": "dry"}), last=31)',
    "diff": "views.diff(boot(files), disk)",
    "delimiters": 'views.delimiters(key="café", value="2,50 €", between=":", after=",")',
    "desk": 'views.desk(cafe, max_segment_size=15, other={"café": "2,50 € to go"})',
    "explore": 'views.explore(show, key="café", value="2,50 €", as_bytes=False)',
    "compactions": "views.compactions(keys=1000, puts=8000)",
}
Part = tuple[str, str, int, int]  # path, the letter of its kind, start and end
FILMS = ["crash", "flips", "steps", "lengths", "diff"]
TYPED = ["delimiters", "desk", "explore"]
CELLS = [SETUP, *CALLS.values(), CALLS["crash"]]
BUTTONS = ["First", "Back", "Next", "Last", "Next change"]


@cache
def made(name: str) -> Any:
    """Return a view, computed in this process."""
    names: dict[str, Any] = {}
    exec(SETUP, names)
    return eval(CALLS[name], names)


@pytest.fixture(scope="module")
def page(server: Server, window: Browser) -> Iterator[Page]:
    """Yield a notebook with all views, after a run."""
    lab = Lab(server, window.new_context())
    opened = lab.open_cells(CELLS)
    run_all(opened)
    opened.set_default_timeout(10_000)
    yield opened
    lab.close()
    assert lab.problems == []


def output(page: Page, name: str) -> Locator:
    """Find the output of a view's cell."""
    return outputs(page, 1 + list(CALLS).index(name))


def player(page: Page, name: str) -> Locator:
    """Find a timeline, and go to its first moment."""
    view = output(page, name).locator(".film")
    view.get_by_role("button", name="First", exact=True).click()
    return view


def test_notebooks_have_these_views() -> None:
    """Every call that is tested here is in a notebook."""
    cells = [cell for path in NOTEBOOKS for cell in json.loads(path.read_text("utf-8"))["cells"]]
    source = "\n".join("".join(cell["source"]) for cell in cells)
    assert [call for call in CALLS.values() if call not in source] == []


# -------------------------------------------------------------------------- what a timeline shows

# The contents of a timeline on the screen.
SEE = """
const texts = (nodes) => [...nodes].map((node) => node.textContent);
const see = (view) => ({
    said: view.querySelector(".player output").textContent,
    notes: texts(view.querySelector("dl").children),
    pictures: [...view.querySelectorAll(".picture:not([hidden])")].map((picture) => ({
        title: picture.querySelector("caption").textContent,
        bytes: texts(picture.querySelectorAll(".grid td:nth-child(2)")).join(" "),
        parts: [...picture.querySelectorAll(".parts [scope=row]")].map((head) => [
            texts(head.closest("tbody").querySelectorAll("[scope=rowgroup]")).join(),
            ...texts(head.parentNode.children)]),
        flaw: picture.querySelector(".flaw").textContent,
    })),
});"""


def seen(view: Locator) -> dict[str, Any]:
    """Return the contents of a timeline on the screen, in the form of `due`."""
    return tidy(view.evaluate(f"(view) => {{{SEE} return see(view)}}"))


def tidy(shown: dict[str, Any]) -> dict[str, Any]:
    """Replace digits by bytes, and rows by the paths and spans of their parts."""
    for picture in shown["pictures"]:
        picture["bytes"] = bytes.fromhex(picture["bytes"])
        picture["parts"] = [part(*texts) for texts in picture["parts"]]
    return shown


def part(heading: str, offsets: str, digits: str, kind: str, name: str, _: str) -> Part:
    """Return a row's path, the letter of its kind, and its span."""
    first, _, last = offsets.partition("-")
    start = int(first, 16)
    end = start if digits == "(none)" else int(last or first, 16) + 1
    path = heading.split(":")[0] + "." if heading else ""
    return path + name, kind[-1:] if kind[-1:].isupper() else "", start, end


def due(film: Timeline, number: int) -> dict[str, Any]:
    """Return the contents that a timeline should have, from the engine's answers alone."""
    moment = film.moments[number]
    pictures = [
        {
            "bytes": picture.layout.data + picture.beyond,
            "parts": [*parts(picture.layout, picture.beyond)],
        }
        for picture in moment.pictures
    ]
    notes = [text for note in moment.notes for text in note]
    return {"said": said(film, moment), "notes": notes, "pictures": pictures}


def parts(layout: Layout, beyond: bytes = b"") -> Iterator[Part]:
    """Yield the result of `part` for each leaf, and for missing bytes."""
    for leaf in layout.root.leaves():
        yield leaf.name, leaf.kind[0].upper(), leaf.start, leaf.end
    if beyond:
        size = len(layout.data)
        yield "beyond", "", size, size + len(beyond)


def said(film: Timeline, moment: Moment) -> str:
    """Return the sentence about a moment and its outcomes."""
    answers = []
    for strip, (verdict, words) in zip(film.strips, moment.outcomes, strict=True):
        spoken = verdict == "told" or words.startswith(verdict)
        answers.append(f"{strip}: {words}" if spoken else f"{strip}: {verdict}: {words}")
    return f"{film.control}: {moment.label}. {'. '.join(answers)}"


def assert_shows(film: Timeline, number: int, shown: dict[str, Any]) -> None:
    """Check that a timeline shows the engine's answer or error for a moment."""
    wanted = due(film, number)
    moment = film.moments[number]
    for picture, drawn in zip(moment.pictures, shown["pictures"], strict=True):
        title, flaw = drawn.pop("title"), drawn.pop("flaw")
        layout = picture.layout
        assert title.startswith(layout.source)
        assert bool(flaw) == (layout.reason is not None)
        assert (layout.reason or "") in flaw
    assert shown == wanted


@pytest.mark.parametrize("name", FILMS)
def test_every_moment_is_what_the_engine_answered(page: Page, name: str) -> None:
    """The slider has all moments, each with its bytes, parts, error and outcomes."""
    film = made(name)
    all_moments = f"""(view) => {{{SEE}
        const slider = view.querySelector("[type=range]"), shown = [];
        for (let number = 0; number <= +slider.max; number++) {{
            slider.value = number;
            slider.dispatchEvent(new Event("input"));
            shown.push(see(view));
        }}
        return shown;
    }}"""
    shown = player(page, name).evaluate(all_moments)
    assert len(shown) == len(film.moments)
    for number, one in enumerate(shown):
        assert_shows(film, number, tidy(one))


# ----------------------------------------------------------------------- the controls of a timeline


@pytest.mark.parametrize("name", FILMS)
def test_keys_lead_to_each_moment(page: Page, name: str) -> None:
    """The slider's keys, and Enter and Space on each button, lead to the right moment."""
    film, view = made(name), player(page, name)
    slider, last = view.get_by_role("slider"), len(film.moments) - 1
    slider.focus()
    for key, number in (("End", last), ("ArrowLeft", last - 1), ("Home", 0), ("ArrowRight", 1)):
        page.keyboard.press(key)
        assert_shows(film, number, seen(view))
        assert slider.input_value() == str(number)
        assert slider.get_attribute("aria-valuetext") == said(film, film.moments[number])
    number = 1
    for button in ("Next", "Next", "Next change", "Back", "Last", "Next", "Next change", "First"):
        view.get_by_role("button", name=button, exact=True).focus()
        page.keyboard.press(random.Random(button).choice(["Enter", "Space"]))
        number = after(film, number, button)
        assert_shows(film, number, seen(view))
    page.keyboard.press("Shift+Tab")  # from the first button
    expect(slider).to_be_focused()


def after(film: Timeline, number: int, button: str) -> int:
    """Return the moment to which a button leads."""
    last = len(film.moments) - 1
    if button == "Next change":
        here = film.moments[number].outcomes
        later = range(number, last + 1)
        return next((at for at in later if film.moments[at].outcomes != here), last)
    steps = {"First": -number, "Back": -1, "Next": 1, "Last": last}
    return max(0, min(number + steps[button], last))


@pytest.mark.parametrize("name", FILMS)
def test_pointer_leads_to_each_moment(page: Page, name: str) -> None:
    """Clicks on buttons, slider and strips, and dragging on a strip, lead to the right moment."""
    film, view = made(name), player(page, name)
    number = 0
    for button in ("Next change", "Next", "Back", "Last", "Back", "First"):
        view.get_by_role("button", name=button, exact=True).click()
        number = after(film, number, button)
        assert_shows(film, number, seen(view))
    size = len(film.moments)
    strips = view.locator(".cells").all()
    assert len(strips) == len(film.strips)
    for control in (*strips, view.get_by_role("slider")):
        for number in (size // 3, size - 1, 0):
            page.mouse.click(*spot(view, control, (number + 0.5) / size))
            assert_shows(film, number, seen(view))
    page.mouse.move(*spot(view, strips[-1], 0.5 / size))
    page.mouse.down()
    page.mouse.move(*spot(view, strips[-1], 1 - 0.5 / size), steps=3)
    page.mouse.up()
    assert_shows(film, size - 1, seen(view))
    page.mouse.move(*spot(view, strips[-1], 0.5 / size))  # without a button held, nothing moves
    assert_shows(film, size - 1, seen(view))


def spot(view: Locator, control: Locator, share: float) -> tuple[float, float]:
    """Return a point of the window: at a moment of the strips, at the height of a control."""
    control.scroll_into_view_if_needed()
    box, strip = control.bounding_box(), view.locator(".cells").first.bounding_box()
    assert box is not None
    assert strip is not None
    return strip["x"] + 1 + share * (strip["width"] - 2), box["y"] + box["height"] / 2


# --------------------------------------------------------------------------------- grids and tables


def picture_of(page: Page, name: str) -> tuple[Locator, bytes, list[Part]]:
    """Return a picture, and the bytes and parts that it should have."""
    view = player(page, name)
    view.get_by_role("button", name="Next change").click()
    film = made(name)
    shown = film.moments[after(film, 0, "Next change")].pictures[0]
    picture = view.locator(".picture:not([hidden])").first
    return picture, shown.layout.data + shown.beyond, [*parts(shown.layout, shown.beyond)]


def chosen(picture: Locator) -> bytes:
    """Return the selected bytes."""
    return bytes.fromhex(" ".join(picture.locator(".grid [role=gridcell].on").all_inner_texts()))


@pytest.mark.parametrize("name", FILMS)
def test_keys_walk_through_the_bytes(page: Page, name: str) -> None:
    """Arrows, Home, End, Enter, Esc and g select the right part, with its sentence and outline."""
    picture, data, found = picture_of(page, name)
    grid, say = picture.locator(".grid"), picture.get_by_role("status")
    spans = [(start, end) for _, _, start, end in found]
    grid.focus()

    def press(key: str, number: int) -> None:
        page.keyboard.press(key)
        start, end = spans[number]
        assert chosen(picture) == data[start:end]
        assert (say.text_content() or "").startswith(offsets(start, end))
        active = grid.get_attribute("aria-activedescendant")
        if start < end:
            text = page.locator(f"#{active}").inner_text()
            assert data[start:end].startswith(bytes.fromhex(text))

    last = len(found) - 1
    for key, number in (("Home", 0), ("ArrowLeft", 0), ("End", last), ("ArrowRight", last)):
        press(key, number)
    for number in range(last - 1, -1, -1):
        press("ArrowLeft", number)
    below = next((at for at, (_, end) in enumerate(spans) if end > max(16, spans[0][1])), last)
    press("ArrowDown", below)
    page.keyboard.press("Escape")
    family = [
        span for (path, *_), span in zip(found, spans, strict=True) if kin(path, found[below])
    ]
    assert chosen(picture) == data[family[0][0] : family[-1][1]]
    press("Enter", spans.index(family[0]))
    page.keyboard.press("g")
    expect(picture.get_by_label("Go to offset, in hexadecimal")).to_be_focused()
    middle = last // 2
    page.keyboard.press("Control+a")
    page.keyboard.type(f"{spans[middle][0]:x}")
    press("Enter", next(at for at, (_, end) in enumerate(spans) if end > spans[middle][0]))
    expect(grid).to_be_focused()


def kin(path: str, other: Part) -> bool:
    """Return whether two parts have the same heading."""
    return group_of(path) == group_of(other[0])


def group_of(path: str) -> str:
    """Return the group of a part: a frame, a mutation, a record, a preamble ..."""
    numbered = re.findall(r".*\]", path)
    return numbered[0] if numbered else path.split(".")[0]


def offsets(start: int, end: int) -> str:
    """Return the beginning of the sentence about a part."""
    first, size = f"{start:04X}", end - start
    span = f"{first}-{end - 1:04X}" if size > 1 else first
    return f"{span}, {size} byte{'' if size == 1 else 's'}: "


@pytest.mark.parametrize("name", ["crash"])
def test_pointer_finds_every_part(page: Page, name: str) -> None:
    """Pointing at bytes, characters and rows of the table selects their part."""
    picture, data, found = picture_of(page, name)
    if name == "crash":
        picture.locator("summary").click()
    say, rows = picture.get_by_role("status"), picture.locator(".parts tr:has([scope=row])")
    for number, (_, _, start, end) in enumerate(found):
        row = rows.nth(number)
        row.hover()
        assert chosen(picture) == data[start:end]
        assert (say.text_content() or "").startswith(offsets(start, end))
    for start, end in [(start, end) for _, _, start, end in found if start < end][::3]:
        line = picture.locator(".grid tbody tr").nth(start // 16)
        for column in ("td:nth-child(2) [role=gridcell]", "td:nth-child(3) b"):
            runs = line.locator(column).all()
            at = start // 16 * 16
            for run in runs:
                size = run.evaluate("(run) => run.textContent.split(/\\s+/).length")
                size = size if "gridcell" in column else len(run.text_content() or "")
                if at <= start < at + size:
                    page.locator("#jp-main-statusbar").hover()
                    run.hover()
                    assert chosen(picture) == data[start:end]
                at += size
    if name == "crash":
        picture.locator("summary").click()


# --------------------------------------------------------------------------------- what is typed in


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
    return screen.inner_text()


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
    view.get_by_label("place 1:").select_option("other 2")
    assert joined({"place 1": "other 2"}) in assert_answers(page, "desk")
    view.get_by_label("place 1:").focus()
    page.keyboard.press("ArrowUp")
    assert joined({"place 1": "other 1"}) in assert_answers(page, "desk")
    view.get_by_label("place 1:").select_option("segment 1")
    fill(page, view.get_by_label("flip bit:"), "71")
    page.keyboard.press("Enter")
    assert joined({"place 1": "segment 1", "flip bit": 71}) in assert_answers(page, "desk")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert joined({"flip bit": 72}) in assert_answers(page, "desk")
    assert view.locator(".flipped").first.inner_text() != ""


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
    places = [control.value for name, control in desk.controls.items() if name != "flip bit"]
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
        return f"refused: {error}"


def test_record_that_is_typed_is_encoded(page: Page) -> None:
    """Text fields and a checkbox show the bytes of the typed record."""
    view = output(page, "explore")
    box = view.get_by_role("checkbox")

    def assert_encodes(key: str, value: str, as_bytes: bool) -> None:
        assert_answers(page, "explore", key=key, value=value, as_bytes=as_bytes)
        record: dict[Item, Item] = {key: value.encode() if as_bytes else value}
        shown = dump(kvlib.encode_snapshot(record), format="snapshot")
        source = view.locator("img[src*=svg]").get_attribute("src")
        assert source is not None
        assert source in unescape(shown._repr_html_())

    fill(page, view.get_by_label("key:"), "日本")
    assert_encodes("日本", "2,50 €", False)
    box.click()
    assert_encodes("日本", "2,50 €", True)
    fill(page, view.get_by_label("value:"), "")
    assert_encodes("日本", "", True)
    box.focus()
    page.keyboard.press("Space")
    assert_encodes("日本", "", False)


def test_chart_has_a_point_for_each_figure(page: Page) -> None:
    """The chart has a description and labelled points, and the table has all their figures."""
    curves = made("compactions")
    chart, table = output(page, "compactions").all()
    assert curves.description in (
        chart.locator("svg").get_attribute("aria-label") or chart.inner_html()
    )
    points = chart.locator("svg .mark-symbol.role-mark path")
    columns = [at for panel in curves.panels for at in panel.columns]
    assert points.count() == len(curves.rows) * len(columns)
    points.first.hover()
    shown = [re.split(r"\t|\n", row) for row in table.locator("tbody").inner_text().split("\n")]
    assert [float(row[0].replace(",", "")) for row in shown] == [row[0] for row in curves.rows]
    for row, figures in zip(shown, curves.rows, strict=True):
        for text, figure in zip(row, figures, strict=True):
            assert float(text.replace(",", "")) == pytest.approx(figure, rel=0.01)


# --------------------------------------------------------------------------- what holds for all


@pytest.mark.parametrize(
    ("name", "part"),
    [
        *[("crash", part) for part in ("[type=range]", "button", ".outcomes summary")],
        *[("crash", part) for part in (".grid", "[size='6']", ".picture summary")],
        *[("delimiters", "input >> nth=0"), ("desk", "button"), ("desk", "select")],
        *[("desk", "[type=number]"), ("explore", "[type=checkbox]")],
    ],
)
def test_no_key_leaves_a_control(page: Page, name: str, part: str) -> None:
    """No shortcut of the notebook works while a control has the focus."""
    target = output(page, name).locator(part).first
    target.scroll_into_view_if_needed()
    assert shortcut_leaks(page, target) == []


def test_no_id_stands_twice(page: Page) -> None:
    """Two copies of a timeline have different ids, and react separately."""
    one, two = (outputs(page, cell).locator(".film") for cell in (2, len(CELLS) - 1))
    for view, button in ((two, "First"), (one, "Last")):
        view.get_by_role("button", name=button).click()
        view.locator(".grid").first.focus()
    film = made("crash")
    assert_shows(film, 0, seen(two))
    assert_shows(film, len(film.moments) - 1, seen(one))
    ids = page.evaluate(f"[...document.querySelectorAll('{OUTPUT} .kvlib [id]')].map(n => n.id)")
    assert len(ids) == len({*ids}) > 2
    active = f"document.querySelectorAll('{OUTPUT} [aria-activedescendant]')"
    named = page.evaluate(f"[...{active}].map(n => n.getAttribute('aria-activedescendant'))")
    assert {*named} - {""} <= {*ids}


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
    page.evaluate("document.querySelectorAll('.film details').forEach((one) => one.open = false)")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_views_that_did_not_run_read_as_tables(lab: Lab, notebook: Any) -> None:
    """Without a trusted script a view has its tables, and a line that says what to do."""
    page = lab.open(notebook)
    unfold(page)
    found = 0
    for number, cell in enumerate(read(page)["cells"]):
        for shown, stored in zip(outputs(page, number).all(), cell.get("outputs", []), strict=True):
            html = "".join(stored.get("data", {}).get("text/html", ""))
            if re.search(r'class="kvlib (bytes|film)\b', html):
                found += 1
                assert_reads(shown, html)
            elif "application/vnd.jupyter.widget-view+json" in stored.get("data", {}):
                assert shown.inner_text().split() == "".join(stored["data"]["text/plain"]).split()
    assert found
    assert page.locator(f"{OUTPUT} script").count() == 0


def assert_reads(shown: Locator, html: str) -> None:
    """Check that a stored view has the bytes of its stored text, and the line."""
    assert shown.get_by_text("Run this cell to make it interactive.").first.is_visible()
    grids = shown.locator(".grid").all()
    assert len(grids) == html.count("class=grid")
    for grid in grids:
        assert grid.locator("caption").is_visible() or not grid.is_visible()
    for part in (".grid", ".runs", ".parts"):
        rows = shown.locator(f"{part} tr").count()
        stored = re.findall(rf"<table class={part[1:]}>.*?</table>", html, re.DOTALL)
        assert rows == sum(table.count("<tr") for table in stored)
