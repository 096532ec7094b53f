"""The stepper; `make goldens` rewrites the texts that it is compared with."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import kvlib
from helpers.golden import check_golden, check_none_is_left, check_width, write
from helpers.vocabulary import FIELDS, HEAD_END, disk_of
from kvlib.encoding import Item
from kvlib.views.steps import StepOperation, steps
from kvlib.views.timeline import Moment, Timeline

PRICES: list[StepOperation] = [
    ("put", "café", "2,50 €"),
    ("put", "thé", "3,10 €"),
    ("delete", "thé"),
    ("compact",),
    ("put", "café", "2,80 €"),
]


def note(moment: Moment, heading: str) -> str:
    """One of its notes; "" if there is none of that heading."""
    return dict(moment.notes).get(heading, "")


def memory(film: Timeline, at: int) -> list[str]:
    """The lines of memory at one moment."""
    return note(film.moments[at], "memory").splitlines()


def files(moment: Moment) -> dict[str, bytes]:
    """The files that a moment shows."""
    return {picture.layout.source: picture.layout.data for picture in moment.pictures}


def marked(moment: Moment) -> dict[str, bytes]:
    """The bytes that are marked as new."""
    found = {}
    for picture in moment.pictures:
        for start, end, word in picture.marks:
            assert word == "new"
            found[picture.layout.source] = picture.layout.data[start:end]
    return found


OPERATIONS = st.one_of(
    st.tuples(st.just("put"), FIELDS, FIELDS),
    st.tuples(st.just("delete"), FIELDS),
    st.sampled_from([("put", "a", "1"), ("put", "a", "2"), ("delete", "a"), ("get", "a")]),
    st.sampled_from([("compact",), ("restart",), ("crash",)]),
)


@settings(max_examples=40)
@example([*[("put", "", "")] * 4, ("crash",), ("put", "", ""), ("restart",), ("crash",)])
@example([("put", "00000\x1f", ""), ("delete", "00\x1f\u0e5c⺀")])  # wide before what hangs
@given(st.lists(OPERATIONS, max_size=10))
def test_memory_and_disk_are_what_a_dict_would_be(operations: list[StepOperation]) -> None:
    """At each moment the marks, the files that are shown and recovery agree with a dict."""
    film = steps(operations, threshold=4)
    items: dict[Item, Item] = {}
    for moment, operation in zip(film.moments, [("open",), *operations], strict=True):
        before = dict(items)
        if operation[0] == "put":
            items[operation[1]] = operation[2]
        elif operation[0] == "delete":
            items.pop(operation[1], None)
        marks = {
            **{key: "+" for key in items.keys() - before.keys()},
            **{key: "-" for key in before.keys() - items.keys()},
            **{key: "~" for key in items.keys() & before.keys() if items[key] != before[key]},
        }
        lines = note(moment, "memory").splitlines()
        assert sorted(line[0] for line in lines if line[0] in "+~-") == sorted(marks.values())
        for key, mark in marks.items():
            assert any(line.startswith(f"{mark} {key!r}"[:40]) for line in lines)
        assert dict(kvlib.open(disk_of(files(moment)), read_only=True)) == items
        assert moment.outcomes[0].verdict == "right"
    check_width(film)


@pytest.mark.parametrize("sync", [2, 3, "never"])
def test_what_is_not_fsynced_is_not_there_after_a_loss_of_power(sync: Any) -> None:
    """Of n puts those are right that an fsync came behind."""
    film = steps([("put", f"k{number}", "v") for number in range(7)], sync=sync)
    every = 99 if sync == "never" else sync
    for number, moment in enumerate(film.moments):
        safe = number - number % every
        (outcome,) = moment.outcomes
        assert outcome.verdict == ("right" if safe == number else "wrong")
        assert f"{safe} mutation" in outcome.words
        assert outcome.words.startswith("wrong") == (safe != number)
        assert len(note(moment, "memory").splitlines()) == max(number, 1)


def test_a_crash_takes_what_was_not_fsynced() -> None:
    """The store is opened on what was safe; what is gone from memory is marked."""
    film = steps([("put", "a", "1"), ("put", "b", "2"), ("put", "c", "3"), ("crash",)], sync=2)
    assert [outcome.verdict for (outcome,) in (m.outcomes for m in film.moments)] == [
        *("right", "wrong", "right", "wrong", "right")
    ]
    assert memory(film, 4) == ["  'a': '1'", "  'b': '2'", "- 'c': '3'"]
    assert note(film.moments[4], "recovered") == "2 mutations replayed, 0 bytes dropped"
    assert steps([("put", "a", "1"), ("crash",)]).moments[2].outcomes[0].verdict == "right"


def test_new_bytes_are_marked() -> None:
    """A frame at the end of the log; after a compaction everything, for the files are others."""
    film = steps(PRICES)
    segment = "0000000000000001.00000000.segment"
    opened, put, _, _, compacted, last = film.moments
    assert marked(opened) == files(opened)
    assert marked(put) == {"log": files(put)["log"][HEAD_END:]}
    assert note(put, "new bytes") == f"log: 41 bytes from offset {HEAD_END}"
    assert list(files(put)) == ["log", segment]
    assert marked(compacted) == files(compacted)
    assert segment not in files(compacted)
    assert len(marked(last)["log"]) == 41
    for moment in film.moments:
        told = note(moment, "new bytes").splitlines()
        assert len(told) == len(marked(moment))


def test_each_moment_has_the_stores_figures() -> None:
    """Keys, pending, compactions, generation, size of the log."""
    film = steps(PRICES)
    assert [note(moment, "status") for moment in film.moments][2:5] == [
        "2 keys, 2 pending, 0 compactions, generation 1, a log of 130 bytes",
        "1 key, 3 pending, 0 compactions, generation 1, a log of 157 bytes",
        f"1 key, 0 pending, 1 compaction, generation 5, a log of {HEAD_END} bytes",
    ]
    assert [moment.label for moment in film.moments] == [
        *("open", "put 'café'", "put 'thé'", "delete 'thé'", "compact", "put 'café'")
    ]


def test_a_store_can_be_closed_and_opened_again() -> None:
    """Memory is gone when it is closed, the bytes are not; `get` shows its answer."""
    film = steps([("put", "k", "v"), ("close",), ("restart",), ("get", "k"), ("get", "x")])
    closed, reopened, got, missing = film.moments[2:]
    assert (note(closed, "memory"), note(closed, "status")) == ("(the store is closed)", "closed")
    assert len(marked(closed)["log"]) == 17
    assert closed.outcomes[0].words == "generation 1, 1 mutation: {'k': 'v'}"
    assert note(reopened, "memory") == "+ 'k': 'v'"
    assert note(reopened, "recovered") == "1 mutation replayed, 0 bytes dropped"
    assert (note(got, "answer"), note(missing, "answer")) == ("'v'", "None")
    assert not marked(got)
    assert [*film.runs(0)][-1].first == 1


def test_a_closed_store_can_be_lost_too() -> None:
    """Close, close again, crash: nothing happens to the bytes."""
    film = steps([("put", "k", "v"), ("close",), ("close",), ("crash",)], sync="never")
    assert [moment.outcomes[0].verdict for moment in film.moments[1:]] == ["wrong", *["right"] * 3]


def test_more_than_two_segments_are_counted() -> None:
    """Two are shown, and a note says how many there are."""
    film = steps([("put", "key", "value"), ("compact",)], max_segment_size=16)
    assert len(film.moments[2].pictures) == 3
    assert note(film.moments[2], "snapshot") == "3 segment files, the first 2 are shown"
    assert not note(film.moments[0], "snapshot")


def test_a_large_memory_shows_what_changed() -> None:
    """At most 16 lines, and how many more there are."""
    film = steps([("put", f"{number:02}", "") for number in range(18)], sync="never")
    assert len(memory(film, 16)) == 16
    assert memory(film, 17) == ["+ '16': ''", "(16 more)"]
    check_width(film)


@pytest.mark.parametrize(
    ("operation", "error", "words"),
    [
        ("put", TypeError, r"operation 1: expected a tuple such as \('get', 'a'\), not 'put'"),
        ((), TypeError, "operation 1: expected a tuple"),
        (("pop", "a"), ValueError, "operation 1: expected one of put, delete, get, compact, close"),
        ((5,), ValueError, "operation 1: expected one of .* crash, not 5"),
        (("put", "a"), ValueError, r"operation 1: expected put\(key, value\), got 1 arguments"),
        (("compact", 1), ValueError, r"operation 1: expected compact\(\), got 1 arguments"),
        (("put", "a", 1), TypeError, "operation 1: keys and values are str or bytes, not int"),
        (("put", "a", "\ud800"), ValueError, "operation 1: .*surrogates not allowed"),
        (("put", "a", "x" * 1000), ValueError, "operation 1: log has 1,.* bytes then, at most"),
    ],
)
def test_an_operation_that_is_none_is_named(
    operation: Any, error: type[Exception], words: str
) -> None:
    """Which one, and what is allowed."""
    with pytest.raises(error, match=words):
        steps([("put", "k", "v"), operation, ("put", "k", "w")])


def test_a_closed_store_refuses() -> None:
    """With the store's own words."""
    for operation in (("put", "k", "v"), ("delete", "k"), ("get", "k"), ("compact",)):
        with pytest.raises(ValueError, match="operation 1: the store is closed"):
            steps([("close",), operation])


def test_there_are_limits() -> None:
    """64 operations; and options are the store's."""
    assert len(steps([("get", "k")] * 64).moments) == 65
    with pytest.raises(ValueError, match="more than 64 operations"):
        steps([("get", "k")] * 65)
    with pytest.raises(ValueError, match="sync is 'often'"):
        steps([], sync="often")  # type: ignore[arg-type]  # the mistake that is tested
    assert steps([]).start == 0


PICTURES: dict[str, Callable[[], Timeline]] = {
    "prices": lambda: steps(PRICES),
    "unsynced": lambda: steps([*PRICES[:3], ("crash",), ("close",)], sync=2),
    "segments": lambda: steps([("restart",)], max_segment_size=10),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_film_looks_as_it_did(name: str) -> None:
    """Each text is its golden."""
    check_golden("steps", PICTURES, name)
    check_width(PICTURES[name]())


def test_each_golden_has_a_film() -> None:
    """None is left behind."""
    check_none_is_left("steps", PICTURES)


if __name__ == "__main__":
    write("steps", PICTURES)
