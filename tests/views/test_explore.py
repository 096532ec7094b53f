"""Dumps that change while you type."""

from html import unescape
from typing import Any

import ipywidgets
import pytest

import kvlib
from kvlib.views import dump
from kvlib.views.explore import Screen, explore
from kvlib.views.widgets import Explorer


def encode(key: str, value: str) -> bytes:
    """What a notebook gives to explore."""
    return kvlib.encode_snapshot({key: value})


def turn(explorer: Explorer, name: str, value: Any) -> None:
    """Do what a learner does with the control of this name."""
    explorer.controls[name].value = value


def screen(explorer: Explorer) -> str:
    """The text that the browser shows."""
    return unescape(explorer.screen.value)


def test_typing_changes_the_dump() -> None:
    """On the screen stands the dump of what the function gives for the values now."""
    explorer = explore(encode, key="café", value="2,50 €")
    assert explorer.text == str(dump(encode("café", "2,50 €")))
    turn(explorer, "value", "<b>")
    assert explorer.text == str(dump(encode("café", "<b>")))
    assert explorer.screen.value == dump(encode("café", "<b>"))._repr_html_()
    assert "<script" not in explorer.screen.value
    assert "<b>" not in explorer.screen.value


def test_each_kind_of_value_has_its_control() -> None:
    """Text, number, bounded number, menu, box to tick: those that screen readers can name."""
    explorer = explore(lambda **values: str(values), a="x", b=3, c=range(9, 65), d=[1, 2], e=True)
    assert explorer.children[:5] == (*explorer.controls.values(),)
    assert all(one.description.rstrip(":") == name for name, one in explorer.controls.items())
    kinds = [type(one) for one in explorer.controls.values()]
    assert kinds == [
        ipywidgets.Text,
        ipywidgets.BoundedIntText,
        ipywidgets.BoundedIntText,
        ipywidgets.Dropdown,
        ipywidgets.Checkbox,
    ]
    assert "{'a': 'x', 'b': 3, 'c': 9, 'd': 1, 'e': True}" in screen(explorer)
    turn(explorer, "c", 1000)
    assert "'c': 64" in screen(explorer)
    turn(explorer, "c", 0)
    assert "'c': 9" in screen(explorer)


def test_a_value_of_another_kind_is_refused() -> None:
    """With its name, and what would do."""
    with pytest.raises(TypeError, match=r"size is a str, bool, int, range or list, not float"):
        explore(print, size=1.5)  # type: ignore[arg-type]  # the mistake that is tested


def test_an_error_is_shown_and_the_next_value_works() -> None:
    """The learner's own function may raise; the control goes on."""
    explorer = explore(lambda size: kvlib.split(b"stream", size), size=[8, 10])
    assert "ValueError: max_segment_size is 8, expected 9 to" in screen(explorer)
    turn(explorer, "size", 10)
    assert "ValueError" not in screen(explorer)


def test_the_text_of_it_is_whole() -> None:
    """Without a kernel, and for nbval, there is the text: the values, then all of the dump."""
    explorer = explore(encode, key="k" * 300, value="v")
    bundle = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    values, _, shown = repr(explorer).partition("\n\n")
    assert values.replace("\n     ", "") == f"key: {'k' * 300!r}\nvalue: 'v'"
    assert shown == repr(dump(encode("k" * 300, "v")))
    assert max(len(line) for line in repr(explorer).split("\n")) <= 80
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_text_is_shown_as_it_is_and_anything_else_by_its_repr() -> None:
    """Bytes are dumped, a str is text already, a dict shows itself."""
    assert ">a\nb</pre>" in screen(explore(lambda: "a\nb"))
    assert ">{'a': 'b\\n'}</pre>" in screen(explore(lambda: {"a": "b\n"}))


def test_what_has_a_page_of_its_own_shows_it() -> None:
    """In the browser the page, in text the text."""
    explorer = explore(lambda: Screen("a < b", "<b>page</b>"))
    assert (explorer.text, explorer.screen.value) == ("a < b", "<b>page</b>")


def test_a_button_sets_several_controls() -> None:
    """And is in the row above them."""
    presets: dict[str, dict[str, object]] = {"both": {"a": "x", "b": 2}, "one": {"b": 3}}
    explorer = Explorer(lambda a, b: f"{a} {b}", {"a": "", "b": 1}, presets)
    for name, shown in (("both", "x 2"), ("one", "x 3")):
        explorer.buttons[name].click()
        assert explorer.text == shown
    assert [one.description for one in explorer.children[0].children] == ["both", "one"]


def test_the_keys_are_kept_from_the_notebook() -> None:
    """An attribute on whatever has the focus; the guard is in the page once, and is not seen."""
    explorer = explore(str)
    *_, guard = explorer.children
    assert "data-lm-suppress-shortcuts" in guard.value
    assert f"closest('.{explorer._dom_classes[-1]}')" in guard.value
    assert guard.layout.display == "none"
