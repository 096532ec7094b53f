"""Callers' mistakes in the four exercises: each names the operation."""

from typing import Any

import pytest

import kvlib
from helpers.operations import Operations, Runner, logged, parse, segments, shutdown, snapshots
from kvlib import judge

# each exercise, and its operation that changes a record; two segments hold an empty snapshot
RUNNERS: dict[str, tuple[Runner, str]] = {
    "snapshots": (snapshots, "put"),
    "segments": (segments(10), "put"),
    "log": (logged(2), "put"),
    "shutdown": (shutdown, "set"),
}


NOT_FIELDS: list[Any] = [0, 1, None, True, False, 1.5, bytearray(b"a"), memoryview(b"a"), ["a"], ()]
every_exercise = pytest.mark.parametrize("name", RUNNERS)


def refuse(
    name: str, bad: Any, kind: type[Exception] | tuple[type[Exception], ...], word: str
) -> None:
    """Check that `bad` is refused as operation 3, by an error of this kind with this word."""
    run, put = RUNNERS[name]
    before: Operations = [(put, "a", "1"), ("get", "a"), (put, b"a", b"2")]
    with pytest.raises(kind, match=r"operation 3\b") as caught:
        run([*before, bad, ("get", "a")])
    assert not isinstance(caught.value, kvlib.KvlibError)
    assert word in str(caught.value)


UNKNOWN = ["Put", "", "flush", "append", "clear", "__init__", b"put", None]


@every_exercise
@pytest.mark.parametrize("bad", [*((unknown,) for unknown in UNKNOWN), (), None, 5, "get"])
def test_an_unknown_operation_is_refused(name: str, bad: Any) -> None:
    """An operation is a tuple with a known name; the message says what was expected."""
    refuse(name, bad, (TypeError, ValueError), RUNNERS[name][1] if bad == ("Put",) else "expected")


MISFITS = {
    "snapshots": "restart, segment_count p, set a b, put a, put a b c, get, get a b, delete, "
    "serialize, deserialize p q",
    "segments": "status, segment_count, reorder p, reorder p q r",
    "log": "serialize p, shutdown, restart now, status 1, delete a b",
    "shutdown": "put a b, delete a, set a, shutdown p, restore p, get",
}


@every_exercise
def test_misfits_are_refused(name: str) -> None:
    """An operation of another exercise, or with too few or too many arguments; it is named."""
    for bad in parse(MISFITS[name]):
        refuse(name, bad, ValueError, bad[0])


@every_exercise
@pytest.mark.parametrize("wrong", NOT_FIELDS, ids=lambda wrong: type(wrong).__name__)
def test_keys_and_values_are_str_or_bytes(name: str, wrong: Any) -> None:
    """A key or value of another type is a TypeError, even for reading operations."""
    put = RUNNERS[name][1]
    refuse(name, (put, wrong, "v"), TypeError, "str or bytes")
    refuse(name, (put, "k", wrong), TypeError, "str or bytes")
    refuse(name, ("get", wrong), TypeError, "str or bytes")
    if name != "shutdown":
        refuse(name, ("delete", wrong), TypeError, "str or bytes")


@every_exercise
@pytest.mark.parametrize("surrogate", ["\ud800", "a\udfffb", "\ude00\ud83d"], ids=ascii)
def test_a_lone_surrogate_is_refused(name: str, surrogate: str) -> None:
    """A lone surrogate is a ValueError, because it has no UTF-8 encoding."""
    put = RUNNERS[name][1]
    refuse(name, (put, surrogate, "v"), ValueError, "surrogate")
    refuse(name, (put, "k", surrogate), ValueError, "surrogate")


LABELLED = [("snapshots", operation) for operation in ("serialize", "deserialize")]
LABELLED += [("segments", operation) for operation in ("serialize", "deserialize", "segment_count")]


@pytest.mark.parametrize(("name", "operation"), LABELLED)
@pytest.mark.parametrize("wrong", [0, None, True, b"p", bytearray(b"p"), ["p"]], ids=repr)
def test_a_label_is_a_str(name: str, operation: str, wrong: Any) -> None:
    """A label of another type is a TypeError."""
    refuse(name, (operation, wrong), TypeError, "str")


def test_a_label_is_written_before_it_is_read() -> None:
    """The message names a label that was never written."""
    refuse("snapshots", ("deserialize", "never"), ValueError, "never")
    for bad in (("deserialize", "never"), ("segment_count", "never"), ("reorder", "never", [0])):
        refuse("segments", bad, ValueError, "never")


NOT_PERMUTATIONS = [[], [0], (0, 0), [1, 1], [0, 2], [-1, 0], [0, 1, 1], [0, 1, 2], [1, -2]]
NOT_ORDERS = [None, 1, "01", b"\0\1", [0, "1"], [0, 1.0], [False, True], [0, None], {0: 1, 1: 0}]


@pytest.mark.parametrize(
    ("order", "kind"),
    [*((order, ValueError) for order in NOT_PERMUTATIONS), *((o, TypeError) for o in NOT_ORDERS)],
)
def test_an_order_is_a_list_of_each_index_once(order: Any, kind: type[Exception]) -> None:
    """Indexes are int, counted from 0, and True isn't one."""
    with pytest.raises(kind, match=r"operation 1\b"):
        judge.run_segments(10, [("serialize", "p"), ("reorder", "p", order)])


@pytest.mark.parametrize("wrong", [8, 0, -1, -(10**9), None, "9", 9.5, b"9", True, [9]], ids=repr)
def test_sizes_and_thresholds_are_checked(wrong: Any) -> None:
    """A segment has at least 9 bytes, a threshold is at least 1, and both are int."""
    with pytest.raises((TypeError, ValueError), match="max_segment_size"):
        judge.run_segments(wrong, [])
    if wrong != 8:
        with pytest.raises((TypeError, ValueError), match="threshold"):
            judge.run_log(wrong, [])
