"""Views with controls, which change while you type."""

from html import unescape
from typing import Any

import pytest

import kvlib
from helpers.golden import check_width
from kvlib.views import dump
from kvlib.views.explore import explore
from kvlib.views.html import Screen
from kvlib.views.widgets import Explorer


def encode(key: str, value: str) -> bytes:
    """Return the snapshot of one record."""
    return kvlib.encode_snapshot({key: value})


def turn(explorer: Explorer, name: str, value: Any) -> None:
    """Set a control, as a learner does."""
    explorer.controls[name].value = value


def screen(explorer: Explorer) -> str:
    """Return the screen's HTML without entities."""
    return unescape(explorer.screen.value)


def test_typing_changes_the_dump() -> None:
    """The screen shows the dump of the function's result for the current values."""
    explorer = explore(encode, key="café", value="2,50 €")
    assert explorer.text == str(dump(encode("café", "2,50 €")))
    turn(explorer, "value", "<b>")
    assert explorer.text == str(dump(encode("café", "<b>")))
    assert explorer.screen.value == dump(encode("café", "<b>"))._repr_html_()
    assert "<script" not in explorer.screen.value
    assert "<b>" not in explorer.screen.value


def test_each_kind_of_value_has_its_control() -> None:
    """A str is a text field, an int or a range a number field, a list a menu, a bool a checkbox."""
    explorer = explore(lambda **values: str(values), a="x", b=3, c=range(9, 65), d=[1, 2], e=True)
    assert explorer.children[0].children == (*explorer.controls.values(),)
    assert all(one.description.rstrip(":") == name for name, one in explorer.controls.items())
    kinds = [type(one).__name__ for one in explorer.controls.values()]
    assert kinds == ["Text", "BoundedIntText", "BoundedIntText", "Dropdown", "Checkbox"]
    assert "{'a': 'x', 'b': 3, 'c': 9, 'd': 1, 'e': True}" in screen(explorer)
    for value, bounded in ((1000, 64), (0, 9)):
        turn(explorer, "c", value)
        assert f"'c': {bounded}" in screen(explorer)


def test_an_error_is_shown_and_the_next_value_works() -> None:
    """An exception is shown by its message, and the controls keep working."""
    explorer = explore(lambda size: kvlib.split(b"stream", size), size=[8, 10])
    assert "ValueError: max_segment_size is 8, expected 9 to" in screen(explorer)
    turn(explorer, "size", 10)
    assert "ValueError" not in screen(explorer)


def test_the_text_is_complete_without_a_kernel() -> None:
    """The text has the values of the controls, and then the whole dump."""
    explorer = explore(encode, key="k" * 300, value="v")
    bundle = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    values, _, shown = repr(explorer).partition("\n\n")
    assert values.replace("\n     ", "") == f"key: {'k' * 300!r}\nvalue: 'v'"
    assert shown == repr(dump(encode("k" * 300, "v")))
    check_width(explorer)
    assert "application/vnd.jupyter.widget-view+json" in bundle


@pytest.mark.parametrize(
    ("result", "text", "page"),
    [
        ("a\nb", "a\nb", ">a\nb</pre>"),
        ({"a": "b\n"}, "{'a': 'b\\n'}", ">{'a': 'b\\n'}</pre>"),
        (Screen("a < b", "<b>page</b>"), "a < b", "<b>page</b>"),
    ],
)
def test_each_result_is_shown_as_text_and_page(result: object, text: str, page: str) -> None:
    """A str is shown as it is, an object with HTML by that, and any other object by its repr."""
    explorer = explore(lambda: result)
    assert explorer.text == text
    assert screen(explorer).endswith(page)


def test_a_button_sets_several_controls() -> None:
    """The buttons are in a row above the controls."""
    presets: dict[str, dict[str, object]] = {"both": {"a": "x", "b": 2}, "one": {"b": 3}}
    explorer = Explorer(lambda a, b: f"{a} {b}", {"a": "", "b": 1}, presets)
    for name, shown in (("both", "x 2"), ("one", "x 3")):
        explorer.buttons[name].click()
        assert explorer.text == shown
    assert [one.description for one in explorer.children[0].children] == ["both", "one"]


def test_keys_do_not_reach_the_notebook() -> None:
    """A hidden guard marks the focused control, so that JupyterLab ignores its keys."""
    explorer = explore(str)
    *_, guard = explorer.children
    assert "data-lm-suppress-shortcuts" in guard.value
    assert f"closest('.{explorer._dom_classes[-1]}')" in guard.value
    assert guard.layout.display == "none"


def test_a_page_without_a_kernel_has_a_screens_page() -> None:
    """It is that of the values at the time; other results have a text only."""

    def show(name: str) -> object:
        return Screen(name, f"<p>{name}", f"<b>{name}</b>") if name else 1 / 0

    explorer = explore(show, name="one")
    explorer.controls["name"].value = "two"
    assert explorer._repr_mimebundle_()["text/html"] == "<b>two</b>"
    explorer.controls["name"].value = ""
    assert "text/html" not in explorer._repr_mimebundle_()
    assert "text/html" not in explore(lambda name: name, name="one")._repr_mimebundle_()
