"""Mistakes in the arguments of views. Every message says what was expected."""

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
    "diff": lambda value: views.diff(value, value),
    "steps": views.steps,
    "lengths": views.lengths,
    "delimiters": views.delimiters,
    "desk": views.desk,
    "explore": views.explore,
    "compactions": lambda value: views.compactions(value, 9, [3]),
    "overhead": views.overhead,
    "fsync": views.fsync,
}
PLACES = ["dump", "crash", "flips", "diff"]
PLACE = "takes bytes, a Disk, or the path of a store or of one file"
EXPECTED = {
    **{name: f"{name} {PLACE}" for name in PLACES},
    "steps": "steps takes a list of operations such as ('put', 'k', 'v'), for a new store in",
    "lengths": r"lengths takes bytes, such as b's\0\0\0\1k'",
    "delimiters": "encode is a function, called as encode(record)",
    "desk": "desk takes records, as a dict or a store, or a list of segments, each bytes",
    "explore": "show is a function, called as show()",
    "compactions": "keys must be an int",
    "overhead": "overhead takes a snapshot stream, or records, as a dict or a store",
    "fsync": "fsync takes the path of a folder, not",
}
ARGUMENTS = ["None", "5", "text", "[]", "missing path", "open", "closed", "read-only", "in memory"]
ARGUMENTS += ["surrogate", "NUL", "memoryview", "pipe", "empty folder"]

# Results other than a TypeError with the words above; None: the view accepts the argument.
NOT_THERE = MissingError, "no file or directory .*: a str is a path, bytes are written b'...'"
CLOSED = ValueError, "the store is closed"
ABSENT = ["text", "missing path", "surrogate", "NUL"]
OTHERS: dict[tuple[str, str], tuple[type[Exception], str] | None] = {
    **{(view, one): NOT_THERE for view in PLACES for one in ABSENT},
    **{(view, "pipe"): (MissingError, "neither a file nor a directory") for view in PLACES},
    **{(view, "empty folder"): (MissingError, "no store at .*log") for view in PLACES},
    ("diff", "empty folder"): None,
    **{(view, one): None for view in ("desk", "overhead") for one in ("open", "read-only")},
    **{(view, "in memory"): None for view in ("desk", "overhead")},
    ("desk", "closed"): CLOSED,
    ("overhead", "closed"): CLOSED,
    ("desk", "[]"): (ValueError, "0 segments, a desk has room for 1 to 20: choose another"),
    ("steps", "[]"): None,
    ("steps", "memoryview"): (ValueError, "more than 64 operations, .*: take fewer"),
    ("delimiters", "None"): None,
    ("compactions", "5"): None,
    **{("fsync", one): None for one in [*ABSENT, "pipe", "empty folder"]},
}


@pytest.fixture
def values(tmp_path: Path) -> Iterator[dict[str, object]]:
    """Yield the values to pass, by the names in ARGUMENTS."""
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    closed = kvlib.open(tmp_path / "closed")
    closed.close()
    nothing, pipe, empty = (tmp_path / name for name in ("nothing", "pipe", "empty"))
    with kvlib.open(tmp_path / "data") as store:
        reader = kvlib.open(tmp_path / "data", read_only=True)
        passed: list[object] = [
            None,
            5,
            "text",
            [],
            nothing,
            store,
            closed,
            reader,
            kvlib.Store(),
            "\ud800",
        ]
        passed += ["a\0b", memoryview(LOG), pipe, empty]
        yield dict(zip(ARGUMENTS, passed, strict=True))


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_says_what_it_takes(view: str, name: str, values: dict[str, object]) -> None:
    """A view rejects other arguments with a TypeError in its own words, or as OTHERS says."""
    expected = OTHERS.get((view, name), (TypeError, re.escape(EXPECTED[view])))
    if expected is None:
        assert repr(VIEWS[view](values[name]))
        return
    kind, words = expected
    with pytest.raises(kind, match=words) as caught:
        VIEWS[view](values[name])
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("open", "not DurableStore: give the path or the Disk that it was opened on"),
        ("in memory", "not Store: serialize it to a path or a Disk, or give kvlib.encode_snapshot"),
        ("memoryview", "not memoryview: give bytes of it"),
    ],
)
def test_the_message_for_an_object_says_what_to_pass_instead(
    name: str, advice: str, values: dict[str, object]
) -> None:
    """A store's message asks for its place, a memoryview's for bytes."""
    with pytest.raises(TypeError, match=advice):
        views.dump(values[name])  # type: ignore[call-overload]  # the mistake that is tested


def none() -> None:
    """Take no argument."""


def two(data: bytes, salt: int) -> None:
    """Take one argument too many."""


def never(status: object) -> bool:
    """Never compact."""
    return False


untyped: Any = views  # the type checker would find most of these mistakes
MISTAKES: list[tuple[Callable[[], object], str]] = [
    (lambda: untyped.crash(LOG, 5), "recover is a function, called as recover(data), not int"),
    (
        lambda: untyped.crash(LOG, none),
        "recover is called as recover(data), which none() -> None does not allow",
    ),
    (lambda: untyped.crash(LOG, two), "which two(data: bytes, salt: int) -> None does not"),
    (lambda: untyped.crash(LOG, lost=[]), "lost is [], expected one of missing, zeros, garbage"),
    (lambda: views.crash(b""), "there are no bytes to try it on: give a store's place, the"),
    (lambda: untyped.flips(LOG, "fast"), "read is a function, called as read(data), not str"),
    (lambda: untyped.flips(LOG, none), "read is called as read(data), which none() -> None"),
    (lambda: untyped.flips(LOG, start="4"), "start must be an int, not str"),
    (lambda: untyped.flips(LOG, end=4.5), "end must be an int, not float"),
    (lambda: views.flips(b""), "there are no bytes to try it on: give a store's place, the"),
    (lambda: untyped.flips(LOG, format=[]), "format [] is not one of field, record,"),
    (lambda: untyped.dump(LOG, 5), "format 5 is not one of field, record,"),
    (lambda: untyped.dump(LOG, limit="9"), "limit must be an int, not str"),
    (lambda: views.dump(LOG, limit=-1), "limit is -1, expected 0 to"),
    (lambda: views.diff(LOG, kvlib.MemoryDisk()), "diff takes two states of one thing: bytes or"),
    (lambda: views.diff(b"", b"", format="x"), "format 'x' is not one of"),
    (lambda: untyped.lengths(FIELD, read=5), "read is a function, called as read(data)"),
    (lambda: untyped.lengths(FIELD, read=none), "read is called as read(data), which"),
    (lambda: untyped.lengths(FIELD, "1"), "at must be an int, not str"),
    (lambda: untyped.lengths(FIELD, format=[]), "no length lab for the format []"),
    (lambda: views.lengths(b""), "there is no length in these bytes: give a field,"),
    (lambda: views.lengths(bytes(5000)), "too long: 5,000 bytes, a length lab has at most"),
    (
        lambda: untyped.steps([], read_only=True),
        "steps has no option 'read_only', only sync, max_segment_size, threshold, policy",
    ),
    (
        lambda: untyped.steps([], sync=None),
        "sync, if neither 'always' nor 'never', must be an int",
    ),
    (lambda: untyped.steps([], policy=none), "policy is called as policy(status), which none"),
    (lambda: untyped.delimiters(None, 5), "decode is a function, called as decode(data), not"),
    (lambda: untyped.delimiters(none), "encode is called as encode(record), which none() ->"),
    (lambda: untyped.delimiters(key=5), "key is a str, not int"),
    (lambda: untyped.desk(["text"]), "a list of segments, each bytes, not str"),
    (lambda: untyped.desk({"a": "b"}, other=5), "desk takes records, as a dict or a store, or"),
    (lambda: views.desk([bytes(1025)]), "a segment of 1,025 bytes, a desk has room for 1,024"),
    (lambda: untyped.explore(5, a=1, b=2), "show is a function, called as show(a, b), not int"),
    (lambda: untyped.explore(repr, a=1.5), "a is a str, bool, int, range or list, not float"),
    (lambda: views.explore(repr, a=range(0)), "a has nothing to choose from: range(0, 0)"),
    (lambda: untyped.compactions(9, 9, 3), "thresholds is a list of ints, not int"),
    (lambda: untyped.overhead(FIELD, 9), "sizes is a list of ints, not int"),
    (lambda: untyped.overhead(FIELD, [[9]]), "max_segment_size must be an int, not list"),
    (lambda: views.overhead(b""), "there is no byte to split"),
]


@pytest.mark.parametrize(("call", "words"), MISTAKES)
def test_every_parameter_says_what_it_takes(call: Callable[[], object], words: str) -> None:
    """A wrong type raises TypeError, a wrong value ValueError."""
    with pytest.raises((TypeError, ValueError), match=re.escape(words)) as caught:
        call()
    assert not isinstance(caught.value, UnicodeError | KvlibError)


def test_a_function_without_a_signature_is_called() -> None:
    """A function written in C that hides its parameters is accepted, and judged by its result."""
    assert views.crash(LOG, max).moments[-1].outcomes[0].verdict == "wrong"
    assert views.steps([("put", "k", "v")], policy=never).moments
