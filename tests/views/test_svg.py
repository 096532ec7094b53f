"""Shapes: valid SVG whatever the text, colours that can be read, lines that stay inside."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvlib.views import svg

PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))
LENGTHS = st.floats(1, 400)


def luminance(colour: str) -> float:
    """Return the relative luminance of "#RRGGBB", as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1])
def test_every_text_can_be_read_on_its_ground(theme: int) -> None:
    """Text has a contrast of at least 4.5 on the card, on its own colour and on its pale ground."""
    colours = {name: both[theme] for name, both in svg.COLOURS.items()}
    pairs = [(name, "card") for name in ("ink", "ink2", "faint", "arc", "you")]
    pairs += [(name, "card") for name in colours if name.endswith("-t")]
    pairs += [(name, name.removesuffix("-on")) for name in colours if name.endswith("-on")]
    pairs += [("ink", name) for name in colours if name.endswith("-p")]
    pairs += [(name, name[:-2] + "-p") for name in colours if name.endswith("-t")]
    assert len(pairs) > 25
    low = {pair: contrast(*(colours[name] for name in pair)) for pair in pairs}
    assert {pair: value for pair, value in low.items() if value < 4.5} == {}


@given(PRINTABLE)
def test_any_text_is_shown_as_it_is(words: str) -> None:
    """Neither markup nor a token can come out of a text."""
    root = ElementTree.fromstring(svg.image([svg.text(0, 0, words)], 10))
    assert "".join(root.itertext()) == words


def test_a_token_becomes_a_colour_and_a_text_does_not() -> None:
    """In an image a token is its light colour; "$key" in a text stays that text."""
    made = svg.image([svg.box(0, 0, 1, 1, "key", "ink"), svg.text(0, 0, "$key", mono=True)], 10)
    assert 'fill="#F0E442" stroke="#1C1B1A"' in made
    assert "&#36;key</text>" in made
    assert not re.search(r"\$", made)
    assert svg.MONO in made


@given(st.floats(0, 100), st.floats(0, 100), LENGTHS, LENGTHS)
def test_hatching_stays_in_its_rectangle(x: float, y: float, width: float, height: float) -> None:
    """No line leaves the rectangle by more than rounding, and each goes up at 45 degrees."""
    ends = re.findall(r"M([\d.-]+) ([\d.-]+)L([\d.-]+) ([\d.-]+)", svg.hatch(x, y, width, height))
    for x1, y1, x2, y2 in (map(float, found) for found in ends):
        assert x - 0.1 <= x1 <= x2 <= x + width + 0.1
        assert y - 0.1 <= y2 <= y1 <= y + height + 0.1
        assert x2 - x1 == pytest.approx(y1 - y2, abs=0.3)


def test_signs_differ_in_shape() -> None:
    """A verdict is told by the shape of its sign too, not by colour alone."""
    signs = [svg.sign(0, 0, verdict) for verdict in ("right", "refused", "wrong", "told")]
    shapes = {re.sub(r'(fill|stroke)="[^"]*"', "", sign) for sign in signs}
    assert len(shapes) == 4


def test_an_arrow_ends_where_it_points() -> None:
    """Its tip is at the end, in all four directions."""
    for x, y in ((50, 0), (-50, 0), (0, 50), (0, -50)):
        assert f"M{x} {y}L" in svg.arrow(0, 0, x, y)


def test_each_token_has_a_colour_in_both_themes() -> None:
    """The dark colours are there twice: for a page that says its theme, and for the system."""
    style = svg.variables()
    for name, (light, dark) in svg.COLOURS.items():
        assert style.count(f"--kv-{name}:{light}") >= 1
        assert style.count(f"--kv-{name}:{dark}") >= 2


def test_text_is_measured_generously() -> None:
    """Wide characters count twice, bold text is wider."""
    assert svg.measure("漢") == 2 * svg.measure("k")
    assert svg.measure("key", bold=True) > svg.measure("key") > svg.measure("key", 10)
    assert svg.measure("key", mono=True) == pytest.approx(3 * 0.602 * 17)
