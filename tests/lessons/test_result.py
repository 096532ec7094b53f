"""A check's card: state, call, bytes and progress, readable without its style."""

import re
from urllib.parse import unquote

import pytest

import kvlib
from kvlib.layout.text import ROW
from kvlib.lessons import check, checking
from kvlib.lessons.picture import BytesPicture, picture_of
from kvlib.lessons.result import CLASSES, HEADLINES, SIGNS, CheckState, Result
from kvlib.views import svg
from kvlib.views.grid import CELL, GAP, LEFT, PITCH, TOP


@pytest.mark.parametrize("state", SIGNS)
def test_a_state_is_a_sign_a_word_and_a_colour(state: CheckState) -> None:
    """Without style, sign and word are left."""
    html = Result("01-x", state, asked="f('<')", came="b''", words=("Use `a`.",)).html()
    bare = re.sub(r"<style>.*?</style>|<[^>]*>", "", html)
    assert bare.startswith(f"{SIGNS[state]} 01-x: {HEADLINES[state]}given f(&#x27;&lt;&#x27;)got")
    assert ("Use a." in bare) == (state != "not tried yet")
    assert f'class="card {CLASSES[state]}"' in html
    assert html.count("<div") == html.count("</div>") == 2


@pytest.mark.parametrize("at", [0, 4, 15, 16, 40])
def test_the_first_wrong_byte_is_ringed(at: int) -> None:
    """The ring is around the byte's own cell, and nothing else is in its colour."""
    right = kvlib.encode_field("v" * 60)
    mine = right[:at] + bytes([right[at] ^ 1]) + right[at + 1 :]
    picture = picture_of("field", mine, right)
    assert picture
    html = unquote(Result("01-x", "wrong", picture=picture).html())
    rects = re.findall(
        rf'<rect x="([\d.]+)" y="([\d.]+)"[^>]*stroke="{svg.COLOURS["wrong"][0]}"', html
    )
    row, column = divmod(at, ROW)
    ((x, y),) = rects
    gap = GAP if column > 7 else 0
    assert abs(float(x) - (LEFT + column * CELL + gap)) < 3
    assert abs(float(y) - (TOP + row * PITCH)) < 3


def test_bytes_that_end_too_early_have_a_place_for_the_next() -> None:
    """The ring is around the cell after the last byte, even if a row begins there."""
    right = kvlib.encode_field("v" * 60)
    picture = picture_of("field", right[:ROW], right)
    assert picture
    assert picture.wrong == ROW
    html = unquote(Result("01-x", "wrong", picture=picture).html())
    assert f'y="{svg.number(TOP + PITCH - 1.6)}"' in html
    assert "end too early" in html


def test_bytes_without_a_mark_are_shown() -> None:
    """Then no byte has a ring."""
    found = picture_of("field", b"s\0\0\0\1k", b"s\0\0\0\1v")
    assert found
    html = unquote(Result("01-x", "wrong", picture=BytesPicture(found.layout)).html())
    assert "<img alt=" in html
    assert svg.COLOURS["wrong"][0] + '" stroke-width="3.2' not in html


def test_a_check_says_how_far_the_notebook_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exercises of its own notebook are dots, the one that was checked has a ring."""
    monkeypatch.setattr(checking, "_states", {})
    assert "Notebook" not in Result("01-x", "right").html()
    check("03-order", ...)
    check("01-bug-hunt", {})
    html = check("01-length", 14).html()
    assert "Notebook 1: 1 of 7 right, 1 not yet" in html
    dots = re.findall(r'<span class="([a-z ]+)" title="([^"]*)">(.)</span>', html)
    assert len(dots) == 7
    assert dots[0] == ("right here", "01-length: right", "✓")
    assert ("wrong", "01-bug-hunt: not yet", "✗") in dots
    assert [classes for classes, *_ in dots].count("new") == 5
