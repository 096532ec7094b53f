"""The log stepper. `make goldens` rewrites its goldens."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import kvlib
from helpers.explored import verdicts
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
    """Return the note with this heading, or ""."""
    return dict(moment.notes).get(heading, "")


def memory(timeline: Timeline, at: int) -> list[str]:
    """Return the lines of memory at one moment."""
    return note(timeline.moments[at], "memory").splitlines()


def files(moment: Moment) -> dict[str, bytes]:
    """Return the files that a moment shows."""
    return {picture.layout.source: picture.layout.data for picture in moment.pictures}


def marked(moment: Moment) -> dict[str, bytes]:
    """Return the bytes that are marked as new, by file."""
    found = {}
    for picture in moment.pictures:
        for start, end in picture.marks:
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
@example([("put", "00000\x1f", ""), ("delete", "00\x1f\u0e5c⺀")])  # wide, then wrapped
@given(st.lists(OPERATIONS, max_size=10))
def test_memory_and_disk_agree_with_a_dict(operations: list[StepOperation]) -> None:
    """After each operation the marks, the files and the recovery agree with a dict."""
    timeline = steps(operations, threshold=4)
    items: dict[Item, Item] = {}
    for moment, operation in zip(timeline.moments, [("open",), *operations], strict=True):
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
    check_width(timeline)


def test_it_shows_itself_as_a_figure() -> None:
    """In a notebook there is a picture with a position for each moment; the text stays."""
    timeline = steps(PRICES)
    figure = timeline.draw(timeline)
    assert [position.label for position in figure.positions] == [
        moment.label for moment in timeline.moments
    ]
    assert timeline._repr_mimebundle_() == figure._repr_mimebundle_()


@pytest.mark.parametrize("sync", [2, 3, "never"])
def test_a_power_cut_loses_the_puts_since_the_last_fsync(sync: Any) -> None:
    """A moment is right if every put was fsynced, and wrong if recovery misses some."""
    timeline = steps([("put", f"k{number}", "v") for number in range(7)], sync=sync)
    every = 99 if sync == "never" else sync
    for number, moment in enumerate(timeline.moments):
        safe = number - number % every
        (outcome,) = moment.outcomes
        assert outcome.verdict == ("right" if safe == number else "wrong")
        assert f"{safe} mutation" in outcome.words
        assert outcome.words.startswith("wrong") == (safe != number)
        assert len(note(moment, "memory").splitlines()) == max(number, 1)


def test_a_crash_reopens_the_store_with_what_was_fsynced() -> None:
    """The store holds the recovered records, and memory marks the lost ones."""
    puts = [("put", "a", "1"), ("put", "b", "2"), ("put", "c", "3")]
    timeline = steps([*puts, ("crash",)], sync=2)
    assert verdicts(timeline) == ["right", "wrong", "right", "wrong", "right"]
    assert memory(timeline, 4) == ["  'a': '1'", "  'b': '2'", "- 'c': '3'"]
    assert note(timeline.moments[4], "recovered") == "2 mutations replayed, 0 bytes dropped"
    assert verdicts(steps([*puts, ("crash",)])) == ["right"] * 5


def test_new_bytes_are_marked() -> None:
    """A put marks its frame; a compaction marks everything, because it writes new files."""
    timeline = steps(PRICES)
    segment = "0000000000000001.00000000.segment"
    opened, put, _, _, compacted, last = timeline.moments
    assert marked(opened) == files(opened)
    assert marked(put) == {"log": files(put)["log"][HEAD_END:]}
    assert note(put, "new bytes") == f"log: 41 bytes from offset {HEAD_END}"
    assert list(files(put)) == ["log", segment]
    assert marked(compacted) == files(compacted)
    assert segment not in files(compacted)
    assert len(marked(last)["log"]) == 41
    for moment in timeline.moments:
        assert len(note(moment, "new bytes").splitlines()) == len(marked(moment))


def test_each_moment_has_the_stores_figures() -> None:
    """The status is the store's own, and the label names the operation and its key."""
    timeline = steps(PRICES)
    assert [note(moment, "status") for moment in timeline.moments][2:5] == [
        f"2 keys, 2 pending, 0 compactions, generation 1, a log of {HEAD_END + 81} bytes",
        f"1 key, 3 pending, 0 compactions, generation 1, a log of {HEAD_END + 108} bytes",
        f"1 key, 0 pending, 1 compaction, generation 5, a log of {HEAD_END} bytes",
    ]
    assert [moment.label for moment in timeline.moments] == [
        *("open", "put 'café'", "put 'thé'", "delete 'thé'", "compact", "put 'café'")
    ]


def test_a_store_can_be_closed_and_opened_again() -> None:
    """Closing clears memory but not the files; get shows its answer."""
    timeline = steps([("put", "k", "v"), ("close",), ("restart",), ("get", "k"), ("get", "x")])
    closed, reopened, got, missing = timeline.moments[2:]
    assert (note(closed, "memory"), note(closed, "status")) == ("(the store is closed)", "closed")
    assert len(marked(closed)["log"]) == 17
    assert closed.outcomes[0].words == "generation 1, 1 mutation: {'k': 'v'}"
    assert note(reopened, "memory") == "+ 'k': 'v'"
    assert note(reopened, "recovered") == "1 mutation replayed, 0 bytes dropped"
    assert (note(got, "answer"), note(missing, "answer")) == ("'v'", "None")
    assert not marked(got)
    assert [*timeline.runs(0)][-1].first == 1


def test_a_closed_store_can_be_lost_too() -> None:
    """Closing fsyncs what the store wrote, so a second close and a crash lose nothing."""
    timeline = steps([("put", "k", "v"), ("close",), ("close",), ("crash",)], sync="never")
    assert verdicts(timeline) == ["right", "wrong", "right", "right", "right"]


def test_more_than_two_segments_are_counted() -> None:
    """The first two segments are shown, and a note has their number."""
    timeline = steps([("put", "key", "value"), ("compact",)], max_segment_size=16)
    assert len(timeline.moments[2].pictures) == 3
    assert note(timeline.moments[2], "snapshot") == "3 segment files, the first 2 are shown"
    assert not note(timeline.moments[0], "snapshot")


def test_a_large_memory_shows_what_changed() -> None:
    """Memory has at most 16 lines, the changed ones, and the number of the others."""
    timeline = steps([("put", f"{number:02}", "") for number in range(18)], sync="never")
    assert len(memory(timeline, 16)) == 16
    assert memory(timeline, 17) == ["+ '16': ''", "(16 more)"]
    check_width(timeline)


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
def test_a_bad_operation_is_rejected_with_its_index(
    operation: Any, error: type[Exception], words: str
) -> None:
    """The message has the index and the expected form."""
    with pytest.raises(error, match=words):
        steps([("put", "k", "v"), operation, ("put", "k", "w")])


@pytest.mark.parametrize(
    "operation", [("put", "k", "v"), ("delete", "k"), ("get", "k"), ("compact",)]
)
def test_a_closed_store_rejects_operations(operation: StepOperation) -> None:
    """The message is the store's own."""
    with pytest.raises(ValueError, match="operation 1: the store is closed"):
        steps([("close",), operation])


def test_there_are_limits() -> None:
    """There are at most 64 operations, and the store checks its options."""
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
def test_a_text_equals_its_golden(name: str) -> None:
    """The text is that of the golden, in 80 columns."""
    check_golden("steps", PICTURES, name)
    check_width(PICTURES[name]())


def test_each_golden_has_a_picture() -> None:
    """No golden is left over."""
    check_none_is_left("steps", PICTURES)


if __name__ == "__main__":
    write("steps", PICTURES)
