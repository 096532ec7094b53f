"""Feedback says how a value differs from the right one, and no more."""

from typing import Any

import pytest

from kvlib.lessons.feedback import about_type, differences
from kvlib.views.plain import plain

STORE = {"a": "1", b"b": b"2"}
DIFFERENCES = [
    ({"a": "1"}, STORE, "The record with the key b'b' is missing."),
    (STORE | {"c": ""}, STORE, "There is a record too many: its key is 'c'."),
    ({"a": "1", "b": b"2"}, STORE, "The key b'b' was bytes and is text now."),
    ({"1": "a", b"2": b"b"}, STORE, "Keys and values have changed places."),
    ({"a": "", b"b": b"2"}, STORE, "The value of 'a' is cut short: '1' is missing at its end."),
    ("x", None, "It should be None, because nothing is there."),
    (None, "x", "It should not be None."),
    (7, "x", ""),
    ("b'x'", b"x", "It is a text that shows bytes, with a `b` and quotes."),
    ("x", b"x", "It was bytes and is text now."),
    (b"x", "x", "It was text and is bytes now."),
    ("ab", "abc", "It is cut short: 'c' is missing at its end."),
    ("xabc", "abc", "It begins too early: 'x' doesn't belong to it."),
    ("abcx", "abc", "It doesn't end where it should: 'x' is too much."),
    ("bc", "abc", "It begins too late: 'a' is missing at its start."),
    ("xyz", "abc", "It should be 'abc'."),
    ((1, 0, 0), (0, 1, 0), "The parts are right, but in another order."),
    ((1, 0, 0), (1, 1, 0), "It should be (1, 1, 0)."),
]


@pytest.mark.parametrize(("mine", "wanted", "says"), DIFFERENCES)
def test_the_first_difference_is_said(mine: Any, wanted: Any, says: str) -> None:
    """One difference, in terms of the value; nothing about values of other types."""
    words = list(differences(mine, wanted, "It"))
    assert words == [] if not says else words[0].startswith(says)
    assert len(words) <= 1


def test_a_record_of_another_type_is_said() -> None:
    """A number in place of a text is named by its type."""
    assert [*differences({"a": 1}, {"a": "1"})] == [
        "The value of 'a' should be a text, not of type int."
    ]


def yielding() -> Any:
    """Yield nothing."""
    yield from ()


TYPES = [
    (None, b"", "It returns None."),
    (ValueError("no"), b"", "It returns an exception"),
    (bytearray(), b"", "A bytearray is nearly right"),
    ("00ff", b"", "It returns a text, but the format is made of bytes. Don't turn them into hex"),
    ("x", b"", "It returns a text, but the format is made of bytes. Where is it made?"),
    ([1], b"", "It should be bytes, and is a list."),
    (b"", [], "It returns bytes, but a list of bytes is asked for."),
    ((), [], "It returns a tuple, but a list is asked for."),
    (yielding(), [], "It returns a generator, which has not run yet. Return a list"),
    ({1}, (), "It should be a tuple, but this is of type set."),
]


@pytest.mark.parametrize(("value", "wanted", "says"), TYPES)
def test_a_value_of_the_wrong_type_is_told_so(value: Any, wanted: object, says: str) -> None:
    """The words say what came, and what was asked for."""
    assert about_type(plain(value), wanted).startswith(says)


def test_a_printed_result_is_not_returned() -> None:
    """Whoever prints has the result, and loses it."""
    assert about_type(None, b"", "s").startswith("It prints its result but returns nothing")
