"""A figure: its static form, its data for the script, and its size."""

import json
import re
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvlib.views import figure, svg
from kvlib.views.figure import LIMIT, Figure, Position

THREE = tuple(
    Position(
        str(n), f"this is {n}", (svg.handle(100 * n, 50), svg.box(0, 0, 9, 9, "key")), (n, 0, 1, 1)
    )
    for n in range(3)
)
PLAIN = Figure("Three", 100, "number", THREE, "text of it", (svg.box(1, 2, 3, 4, "value"),))


def data_of(html: str) -> dict[str, object]:
    """Return the JSON in a figure's HTML."""
    found = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    read: dict[str, object] = json.loads(found[1])
    return read


def static(html: str) -> tuple[str, str]:
    """Return a figure's alternative text, and its static SVG."""
    found = re.search(r'<img alt="([^"]*)" src="data:image/svg\+xml,([^"]*)"', html)
    assert found
    return found[1], unquote(found[2])


def test_it_shows_itself_as_text_and_as_html() -> None:
    """Both forms are there, and the repr is the text."""
    bundle = PLAIN._repr_mimebundle_()
    assert bundle["text/plain"] == repr(PLAIN) == "text of it"
    assert bundle["text/html"] == PLAIN.html()


def test_the_static_form_is_complete() -> None:
    """Without script and style there are the picture, its sentence and its alternative text."""
    shown = Figure(**{**PLAIN.__dict__, "start": 1, "folded": (("More", "<p>more"),)})
    html = re.sub(r"<(script|style).*?</\1>", "", shown.html(), flags=re.DOTALL)
    alt, image = static(html)
    assert alt == "Three. number: 1. this is 1"
    assert image == shown.image() == shown.image(1)
    ElementTree.fromstring(image)
    assert "<p class=say>number: 1. this is 1</p>" in html
    assert "<details><summary>More</summary><p>more</details>" in html


def test_the_script_gets_every_position() -> None:
    """Shapes that recur are sent once; the pieces put together are what Python draws."""
    data = data_of(PLAIN.html())
    strings, positions = data["strings"], data["positions"]
    assert isinstance(strings, list)
    assert isinstance(positions, list)
    assert len(strings) == len(set(strings)) == 3 + 3 + 1
    for number, (label, says, shapes, *spot) in enumerate(positions):
        assert (label, strings[says], spot) == (str(number), f"this is {number}", [number, 0, 1, 1])
        drawn = [data["fixed"], *(strings[shape] for shape in shapes)]
        assert svg.image(drawn, 100) == PLAIN.image(number)
    assert (data["size"], data["start"], data["changes"]) == ([860, 100], 0, [1, 2])


def test_of_a_single_position_no_control_is_named() -> None:
    """Then there is nothing to choose; the sentence stands alone."""
    html = Figure("One", 50, "", (Position("", "it is so"),), "text").html()
    assert static(html)[0] == "One. it is so"
    assert data_of(html)["changes"] == []


def test_neighbours_that_answer_alike_are_no_change() -> None:
    """A change is where the answer differs from the one before, within a variant."""
    answers = ["a", "a", "b", "b", "c", "c"]
    positions = tuple(Position(str(n), f"{n}", answer=answer) for n, answer in enumerate(answers))
    assert data_of(Figure("t", 9, "c", positions, "").html())["changes"] == [2, 4]
    two = Figure("t", 9, "c", positions, "", switch=("one", "other"))
    assert data_of(two.html())["changes"] == [2, 4]
    three = Figure("t", 9, "c", positions, "", switch=("x", "y", "z"))
    assert data_of(three.html())["changes"] == []


def test_a_figure_that_would_be_too_large_has_fewer_positions() -> None:
    """It says which ones it has, and the one to start with is among them."""
    shapes = [svg.text(0, 0, f"{n}" * 60) for n in range(2000)]
    positions = tuple(Position(f"p{n}", f"s{n}", (shapes[n],)) for n in range(2000))
    html = Figure("t", 9, "c", positions, "", start=1700).html()
    assert 0.7 * LIMIT < len(html.encode()) <= LIMIT
    found = re.search(r"The picture has (\d+) of 2,000 positions, from (p\d+) to (p\d+):", html)
    assert found
    data = data_of(html)
    labels = [label for label, *_ in data["positions"]]  # type: ignore[attr-defined]
    assert [len(labels), labels[0], labels[-1]] == [int(found[1]), found[2], found[3]]
    assert labels[data["start"]] == "p1700"  # type: ignore[call-overload]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_any_text_stays_a_text(words: str) -> None:
    """Neither the page nor the script can be broken by a title, a sentence or a label."""
    html = Figure(words, 9, words, (Position(words, words), Position("b", "c")), words).html()
    assert html.count("</script>") == 2
    assert html.count("<img") == 1
    data = data_of(html)
    assert data["title"] == words
    assert data["strings"][0] == words  # type: ignore[index]


@pytest.mark.parametrize("words", ["</script>", "<!--<script>", "$key", "]]>"])
def test_hostile_texts_stay_texts(words: str) -> None:
    """The same for what a page would fall for."""
    test_any_text_stays_a_text.hypothesis.inner_test(words)  # type: ignore[attr-defined]


def test_equal_figures_are_equal_html_without_ids() -> None:
    """A page may have the same figure twice."""
    assert PLAIN.html() == Figure(**PLAIN.__dict__).html()
    assert not re.search(r"\sid=", PLAIN.html())


def test_style_and_script_are_read_once() -> None:
    """They are the same text for every figure."""
    assert figure.style() is figure.style()
    assert figure.script() is figure.script()
    assert "prefers-color-scheme:dark" in figure.style()
