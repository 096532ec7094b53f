"""The guide for teachers says what the exercises say."""

import pytest

from kvlib.lessons.catalogue import EXERCISES
from tools.guide import GUIDE, renewed


def test_guide_is_up_to_date() -> None:
    """If this fails, run `make guide`."""
    text = GUIDE.read_text(encoding="utf-8")
    assert text == renewed(text)
    for exercise in EXERCISES.values():
        assert f"| `{exercise.name}` | {exercise.objective} |" in text


def test_only_the_tables_are_renewed() -> None:
    """Whatever is outside the marks stays."""
    text = renewed("above\n<!-- made: points -->\nbefore it\n<!-- end -->\nbelow\n")
    assert text.startswith("above\n<!-- made: points -->\n\n| exercise |")
    assert text.endswith("<!-- end -->\nbelow\n")
    assert "before it" not in text


def test_an_unknown_table_is_an_error() -> None:
    """The error quotes the mark."""
    with pytest.raises(ValueError, match="`<!-- made: nothing -->` names no part"):
        renewed("<!-- made: nothing -->\n<!-- end -->")
