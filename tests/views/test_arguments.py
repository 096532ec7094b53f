"""What a caller gives to a view by mistake: each answer says what was expected."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import kvlib
from helpers.explored import LOG
from kvlib import KvlibError, MissingError, views

FIELD = kvlib.encode_field("café")
VIEWS: dict[str, Callable[[Any], object]] = {
    "dump": views.dump,
    "crash": views.crash,
    "flips": views.flips,
    "diff": lambda given: views.diff(given, given),
    "steps": views.steps,
    "lengths": views.lengths,
    "delimiters": views.delimiters,
    "desk": views.desk,
    "explore": views.explore,
    "compactions": lambda given: views.compactions(given, 9, [3]),
    "overhead": views.overhead,
}
PLACES = ["dump", "crash", "flips", "diff"]
EXPECTED = {
    **{
        name: f"{name} takes bytes, a Disk, or the path of a store or of one file"
        for name in PLACES
    },
    "steps": "steps takes a list of operations such as ('put', 'k', 'v'), for a new store in",
    "lengths": r"lengths takes bytes, such as b's\0\0\0\1k'",
    "delimiters": "encode is a function, called as encode(record)",
    "desk": "desk takes records, as a dict or a store, or a list of segments, each bytes",
    "explore": "show is a function, called as show()",
    "compactions": "keys must be an int",
    "overhead": "overhead takes a snapshot stream, or records, as a dict or a store",
}
GIVEN = ["None", "5", "text", "[]", "missing path", "open", "closed", "read-only", "in memory"]
GIVEN += ["surrogate", "NUL", "memoryview", "pipe", "empty folder"]

# A view's answer that is not a TypeError with the words above; of those with None nothing is wrong.
NOT_THERE = MissingError, "no file or directory .*: a str is a path, bytes are written b'...'"
CLOSED = ValueError, "the store is closed"
OTHERS: dict[tuple[str, str], tuple[type[Exception], str] | None] = {
    **{(view, one): NOT_THERE for view in PLACES for one in ("text", "missing path")},
    **{(view, one): NOT_THERE for view in PLACES for one in ("surrogate", "NUL")},
    **{(view, "pipe"): (MissingError, "neither a file nor a directory") for view in PLACES},
    **{(view, "empty folder"): (MissingError, "no store at .*log") for view in PLACES},
    ("diff", "empty folder"): None,
    **{(view, one): None for view in ("desk", "overhead") for one in ("open", "read-only")},
    **{(view, "in memory"): None for view in ("desk", "overhead")},
    ("desk", "closed"): CLOSED,
    ("overhead", "closed"): CLOSED,
    ("desk", "[]"): (ValueError, "0 segments, a desk has room for 1 to 8: choose another"),
    ("steps", "[]"): None,
    ("steps", "memoryview"): (ValueError, "more than 64 operations, .*: take fewer"),
    ("delimiters", "None"): None,
    ("compactions", "5"): None,
}


@pytest.fixture
def given(tmp_path: Path) -> Iterator[dict[str, object]]:
    """What is given, by the names in GIVEN."""
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    kvlib.open(tmp_path / "data").close()
    closed = kvlib.open(tmp_path / "closed")
    closed.close()
    memory = kvlib.Store()
    with kvlib.open(tmp_path / "data") as store:
        reader = kvlib.open(tmp_path / "data", read_only=True)
        paths = [tmp_path / name for name in ("nothing", "pipe", "empty")]
        values: list[object] = [
            None,
            5,
            "text",
            [],
            paths[0],
            store,
            closed,
            reader,
            memory,
            "\ud800",
            "a\0b",
        ]
        yield dict(zip(GIVEN, [*values, memoryview(LOG), *paths[1:]], strict=True))


@pytest.mark.parametrize("one", GIVEN)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_says_what_it_takes(view: str, one: str, given: dict[str, object]) -> None:
    """A TypeError with the view's own words, unless the table above knows better."""
    answer = OTHERS.get((view, one), (TypeError, re.escape(EXPECTED[view])))
    if answer is None:
        assert repr(VIEWS[view](given[one]))
        return
    kind, words = answer
    with pytest.raises(kind, match=words) as caught:
        VIEWS[view](given[one])
    assert str(caught.value).isprintable()


def test_a_store_is_looked_at_where_it_is(given: dict[str, object]) -> None:
    """What was given has a place, or has bytes: that is what to do next."""
    for one, advice in {
        "open": "not DurableStore: give the path or the Disk that it was opened on",
        "in memory": "not Store: serialize it to a path or a Disk, or give kvlib.encode_snapshot",
        "memoryview": "not memoryview: give bytes of it",
    }.items():
        with pytest.raises(TypeError, match=advice):
            views.dump(given[one])  # type: ignore[call-overload]  # the mistake that is tested


def none() -> None:
    """A function of nothing."""


def two(data: bytes, salt: int) -> None:
    """A function of too much."""


def never(status: object) -> bool:
    """A policy."""
    return False


MISTAKES: dict[str, tuple[Callable[..., object], list[object], dict[str, Any], str]] = {
    "recover": (
        views.crash,
        [LOG, 5],
        {},
        "recover is a function, called as recover(data), not int",
    ),
    "recover()": (
        views.crash,
        [LOG, none],
        {},
        "recover is called as recover(data), which none() -> None does not allow",
    ),
    "recover(,)": (
        views.crash,
        [LOG, two],
        {},
        "which two(data: bytes, salt: int) -> None does not",
    ),
    "lost": (
        views.crash,
        [LOG],
        {"lost": []},
        "lost is [], expected one of missing, zeros, garbage",
    ),
    "no log": (
        views.crash,
        [b""],
        {},
        "there are no bytes to try it on: give a store's place, the",
    ),
    "read": (views.flips, [LOG, "fast"], {}, "read is a function, called as read(data), not str"),
    "read()": (views.flips, [LOG, none], {}, "read is called as read(data), which none() -> None"),
    "start": (views.flips, [LOG], {"start": "4"}, "start must be an int, not str"),
    "end": (views.flips, [LOG], {"end": 4.5}, "end must be an int, not float"),
    "no bytes": (
        views.flips,
        [b""],
        {},
        "there are no bytes to try it on: give a store's place, the",
    ),
    "format": (views.flips, [LOG], {"format": []}, "format [] is not one of field, record,"),
    "dump format": (views.dump, [LOG, 5], {}, "format 5 is not one of field, record,"),
    "limit": (views.dump, [LOG], {"limit": "9"}, "limit must be an int, not str"),
    "no limit": (views.dump, [LOG], {"limit": -1}, "limit is -1, expected 0 to"),
    "two kinds": (views.diff, [LOG, kvlib.MemoryDisk()], {}, "diff takes two states of one thing"),
    "lengths read": (
        views.lengths,
        [FIELD],
        {"read": 5},
        "read is a function, called as read(data)",
    ),
    "lengths read()": (
        views.lengths,
        [FIELD],
        {"read": none},
        "read is called as read(data), which",
    ),
    "at": (views.lengths, [FIELD, "1"], {}, "at must be an int, not str"),
    "lengths format": (views.lengths, [FIELD], {"format": []}, "no length lab for the format []"),
    "no lengths": (views.lengths, [b""], {}, "there is no length in these bytes: give a field,"),
    "too long": (
        views.lengths,
        [bytes(5000)],
        {},
        "too long: 5,000 bytes, a length lab has at most",
    ),
    "option": (
        views.steps,
        [[]],
        {"read_only": True},
        "steps has no option 'read_only', only sync, max_segment_size, threshold, policy",
    ),
    "sync": (
        views.steps,
        [[]],
        {"sync": None},
        "sync, if neither 'always' nor 'never', must be an int",
    ),
    "policy": (
        views.steps,
        [[]],
        {"policy": none},
        "policy is called as policy(status), which none",
    ),
    "decode": (
        views.delimiters,
        [None, 5],
        {},
        "decode is a function, called as decode(data), not",
    ),
    "encode()": (
        views.delimiters,
        [none],
        {},
        "encode is called as encode(record), which none() ->",
    ),
    "key": (views.delimiters, [], {"key": 5}, "key is a str, not int"),
    "not bytes": (views.desk, [["text"]], {}, "a list of segments, each bytes, not str"),
    "other": (
        views.desk,
        [{"a": "b"}],
        {"other": 5},
        "desk takes records, as a dict or a store, or",
    ),
    "show": (
        views.explore,
        [5],
        {"a": 1, "b": 2},
        "show is a function, called as show(a, b), not int",
    ),
    "choice": (
        views.explore,
        [repr],
        {"a": 1.5},
        "a is a str, bool, int, range or list, not float",
    ),
    "no choice": (
        views.explore,
        [repr],
        {"a": range(0)},
        "a has nothing to choose from: range(0, 0)",
    ),
    "thresholds": (views.compactions, [9, 9, 3], {}, "thresholds is a list of ints, not int"),
    "sizes": (views.overhead, [FIELD, 9], {}, "sizes is a list of ints, not int"),
    "size": (views.overhead, [FIELD, [[9]]], {}, "max_segment_size must be an int, not list"),
    "nothing to split": (views.overhead, [b""], {}, "there is no byte to split"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_every_parameter_says_what_it_is(name: str) -> None:
    """TypeError for another kind of thing, ValueError for one that won't do."""
    view, positional, named, words = MISTAKES[name]
    with pytest.raises((TypeError, ValueError), match=re.escape(words)) as caught:
        view(*positional, **named)
    assert not isinstance(caught.value, UnicodeError | KvlibError)


def test_a_function_that_tells_nothing_of_its_parameters_is_called() -> None:
    """Some that are written in C don't; what they do with the bytes is their answer."""
    assert views.crash(LOG, max).moments[-1].outcomes[0].verdict == "wrong"
    assert views.steps([("put", "k", "v")], policy=never).moments
