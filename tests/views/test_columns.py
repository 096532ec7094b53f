"""Memory, log and snapshot side by side: what is drawn is what the store has."""

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers.placed import Text, boxes, check_legible, texts
from helpers.vocabulary import FIELDS, HEAD_END
from kvlib.encoding import Item
from kvlib.views import records
from kvlib.views.columns import BOTTOM, DISK, SNAPSHOT, TOP
from kvlib.views.figure import Figure
from kvlib.views.steps import StepOperation, steps
from kvlib.views.timeline import Timeline

MORNING: list[StepOperation] = [
    ("put", "café", "2,50 €"),
    ("put", "thé", "3,10 €"),
    ("put", "café", "2,80 €"),
    ("delete", "thé"),
]
OPERATIONS = st.one_of(
    st.tuples(st.just("put"), FIELDS, FIELDS),
    st.tuples(st.just("delete"), FIELDS),
    st.sampled_from([("put", "a", "1"), ("put", "a", "2"), ("delete", "a"), ("get", "a")]),
    st.sampled_from([("compact",), ("restart",), ("crash",)]),
)


def drawn(timeline: Timeline) -> Figure:
    """Return the figure of a timeline."""
    return timeline.draw(timeline)


def within(figure: Figure, number: int, column: str) -> list[Text]:
    """Return the texts of a column, or of the answer below, from top to bottom."""
    left, right = {
        "memory": (0.0, DISK.x - 10),
        "log": (DISK.x - 10, SNAPSHOT.x - 10),
        "snapshot": (SNAPSHOT.x - 10, 1000.0),
        "below": (0.0, 1000.0),
    }[column]
    low, high = (BOTTOM + 30, 999.0) if column == "below" else (TOP, BOTTOM)
    shown = [
        text
        for text in texts(figure, number)
        if left <= text.left < right and low <= text.y <= high
    ]
    return sorted(shown, key=lambda text: (text.y, text.left))


def words(figure: Figure, number: int, column: str) -> list[str]:
    """Return the words of a column."""
    return [text.words for text in within(figure, number, column)]


@pytest.mark.parametrize("sync", ["always", 2, "never"])
@settings(max_examples=15)
@example([("put", "k" * 20, "漢" * 20), ("put", b"\xff" * 9, ""), ("restart",)])
@example([*[("put", f"{n}", f"{n}") for n in range(9)], ("compact",), ("delete", "0")])
@given(st.lists(OPERATIONS, max_size=8))
def test_the_columns_agree_with_the_store(sync: Any, operations: list[StepOperation]) -> None:
    """Records, frames and verdicts are those of a dict, of the bytes and of recovery."""
    timeline = steps(operations, sync=sync)
    figure = drawn(timeline)
    check_legible(figure)
    items: dict[Item, Item] = {}
    for number, operation in enumerate([("open",), *operations]):
        moment = timeline.moments[number]
        if operation[0] == "put":
            items[operation[1]] = operation[2]
        elif operation[0] == "delete":
            items.pop(operation[1], None)
        elif operation[0] == "crash":
            items = _memory(timeline, number)
        _check_memory(figure, number, items)
        _check_log(figure, number, moment.pictures[0].layout.data)
        verdict = moment.outcomes[0].verdict
        assert verdict in [text.words for text in texts(figure, number)]
        wrong = {"lost", "old value", "deleted, but back"} & {*words(figure, number, "below")}
        assert bool(wrong) == (verdict == "wrong")


def _memory(timeline: Timeline, number: int) -> dict[Item, Item]:
    """Return the records that the store holds after a crash."""
    return dict(timeline.draw.keywords["steps"][number].memory)  # type: ignore[attr-defined]


def _check_memory(figure: Figure, number: int, items: dict[Item, Item]) -> None:
    """Check that the chips, with those that have no room, are the records."""
    shown = within(figure, number, "memory")
    chips_there = [
        box
        for box in boxes(figure, number)
        if (box.fill, box.height) == ("key", records.HEIGHT) and box.x < DISK.x - 10
        if box.y < BOTTOM
    ]
    more = [int(text.words.split()[1]) for text in shown if text.words.startswith("and ")]
    assert bool(more) or len(chips_there) == len(items)
    assert len(items) <= len(chips_there) + sum(more)
    keys = {records.shown(key) for key in items}
    for box in chips_there:
        (word,) = [
            text.words
            for text in shown
            if 0 < text.y - box.y < box.height and box.x < text.left < box.x + box.width
        ]
        assert any(key.startswith(word.removesuffix("…")) for key in keys)


def _check_log(figure: Figure, number: int, data: bytes) -> None:
    """Check that the frames follow each other, and that the last one ends with the log."""
    shown = words(figure, number, "log")
    sizes = [
        match for text in shown if (match := re.fullmatch(r"([\d,]+) B(?: at ([\d,]+))?", text))
    ]
    ends = [int((match[2] or "0").replace(",", "")) + int(match[1]) for match in sizes]
    starts = [int((match[2] or "0").replace(",", "")) for match in sizes]
    assert starts[1:] == ends[:-1]
    assert ends[-1] == len(data)
    hidden = [int(text.split()[1]) for text in shown if text.startswith("and ")]
    assert bool(hidden) == (starts[0] > 0)


def test_the_title_has_the_finding() -> None:
    """The title says after how many operations changes would be lost."""
    assert drawn(steps(MORNING)).title == "After each of 4 operations, a power cut loses nothing"
    assert drawn(steps([])).title == "A new store: memory, log and snapshot"
    for count, sync, end in [
        (4, "never", "After each of 4 operations, a power cut may lose changes"),
        (4, 2, "After 2 of 4 operations, a power cut may lose changes"),
        (1, 2, "After 1 operation, a power cut may lose changes"),
    ]:
        assert drawn(steps(MORNING[:count], sync=sync)).title == end  # type: ignore[arg-type]


def test_the_morning_of_the_third_notebook() -> None:
    """After the delete there is one record, five frames and an empty snapshot."""
    figure = drawn(steps(MORNING))
    assert words(figure, 4, "memory") == ["café", "2,80 €", "-", "thé", "3,10 €", "gone"]
    assert words(figure, 3, "memory")[:4] == ["~", "café", "2,80 €", "changed"]
    assert words(figure, 4, "log") == [
        *("head", "generation 1", "49 B", "put", "café", "41 B at 49", "put", "thé", "40 B at 90"),
        *("put", "café", "41 B at 130", "+", "delete", "thé", "new:", "27 B at 171"),
    ]
    assert words(figure, 4, "snapshot") == ["generation 1", "segment 0", "37 B", "no records"]
    assert words(figure, 4, "below") == ["café", "2,80 €"]
    assert figure.positions[4].says == (
        "New on the disk: 27 bytes at offset 171 of the log. "
        "If the power went now, nothing would be lost."
    )
    labels = [text for text in texts(figure, 4) if text.y < 90 and text.words != figure.title]
    assert [text.words for text in labels if text.fill == "you-t"] == ["delete 'thé'"]
    assert len(labels) == 5


@pytest.mark.parametrize("sync", [1, 2, 3, "never"])
def test_frames_that_are_not_safe_are_dashed(sync: Any) -> None:
    """The log's heading has the size that was fsynced, and frames beyond it have a dashed edge."""
    timeline = steps([("put", f"k{number}", "v") for number in range(4)], sync=sync)
    figure = drawn(timeline)
    every = 99 if sync == "never" else sync
    for number, moment in enumerate(timeline.moments):
        size, frame = len(moment.pictures[0].layout.data), 31
        unsafe = number % every
        heads = [text.words for text in texts(figure, number) if "fsynced" in text.words]
        safe = f"{size - unsafe * frame:,}" if unsafe else "all"
        assert heads == [f"{size:,} B, {safe} fsynced"]
        assert figure.image(number).count("stroke-dasharray") - _lost(figure, number) == unsafe


def _lost(figure: Figure, number: int) -> int:
    """Return how many dashed shapes the records that are gone or lost have."""
    shown = words(figure, number, "below") + words(figure, number, "memory")
    return 2 * sum(word in ("lost", "gone") for word in shown)


def test_what_a_power_cut_changes_comes_first() -> None:
    """Old values, lost records and deleted ones have a word and come before the others."""
    start: list[StepOperation] = [("put", key, "1") for key in "abcd"]
    changes: list[StepOperation] = [("put", "c", "2"), ("delete", "d"), ("put", "e", "1")]
    figure = drawn(steps([*start, *changes], sync=4))
    assert words(figure, 7, "below") == [
        *("old value", "c", "1", "deleted, but back", "d", "1", "lost", "e", "1"),
        *("a", "1", "b", "1"),
    ]
    assert figure.positions[7].says.endswith(
        "recovery would give back {'a': '1', 'b': '1', 'c': '1', 'd': '1'}."
    )
    assert figure.positions[4].answer == "right"


def test_a_compaction_fills_the_snapshot() -> None:
    """The new segments are marked, the log starts anew, and a split record is in two segments."""
    figure = drawn(steps([*MORNING, ("compact",)]))
    assert words(figure, 5, "snapshot") == [
        *("generation 6", "+", "segment 0", "60 B", "café", "new"),
    ]
    assert words(figure, 5, "log") == ["+", "head", "generation 6", "new:", "49 B"]
    assert "segment 0" in figure.positions[5].says
    small = drawn(steps([*MORNING, ("compact",)], max_segment_size=20))
    assert words(small, 5, "snapshot")[1:] == [
        *("+", "segment 0", "45 B", "a split record", "new"),
        *("+", "segment 1", "45 B", "café", "new"),
        *("+", "segment 2", "36 B", "a split record", "new"),
    ]
    many = drawn(steps([("put", "key", "v" * 80), ("compact",)], max_segment_size=20))
    assert words(many, 2, "snapshot")[-1] == "and 7 more segments"
    check_legible(many)


def test_the_scale_of_a_segment_is_that_of_its_card() -> None:
    """A large segment has a ribbon as wide as a small one."""
    figure = drawn(steps([("put", "key", "v" * 400), ("compact",)]))
    check_legible(figure)
    assert words(figure, 2, "snapshot")[3:] == ["450 B", "key", "new"]
    ends = [float(end) for end in re.findall(r"H([\d.]+)", "".join(figure.positions[2].shapes))]
    assert max(end for end in ends if end < 210) == SNAPSHOT.width - 6


def test_a_closed_store_says_so() -> None:
    """Memory is empty while the store is closed, and recovery is asked all the same."""
    figure = drawn(steps([("put", "k", "v"), ("close",), ("restart",), ("get", "k")]))
    assert words(figure, 0, "memory") == ["empty"]
    assert words(figure, 0, "below") == ["no records"]
    assert words(figure, 2, "memory") == ["the store is closed"]
    assert words(figure, 2, "log")[-4:] == ["+", "close", "new:", "17 B at 79"]
    assert words(figure, 2, "below") == ["k", "v"]
    assert figure.positions[3].says.startswith("Opening the store: 1 mutation replayed, 0 bytes")
    assert figure.positions[4].says == (
        "The store returns 'v'. No byte on the disk changes. "
        "If the power went now, nothing would be lost."
    )


def test_64_operations_fit() -> None:
    """The picture of 64 operations has all positions, and a tick or a cross for each."""
    puts: list[StepOperation] = [("put", f"key {number:02}", f"v{number}") for number in range(18)]
    timeline = steps([*puts, ("compact",), *puts, ("compact",), *puts, *[("get", "x")] * 8], sync=5)
    figure = drawn(timeline)
    check_legible(figure)
    assert "positions, from" not in figure.html()
    verdicts = [moment.outcomes[0].verdict for moment in timeline.moments]
    crosses = re.search(r'<path d="([^"]*)" fill="none" stroke="\$wrong"', "".join(figure.fixed))
    assert crosses is not None
    assert crosses[1].count("l8 8") == verdicts.count("wrong") > 0
    assert "".join(figure.fixed).count("l3 4") == verdicts.count("right") > 0
    spots = [position.spot for position in figure.positions]
    assert spots == sorted(spots, key=lambda spot: spot[0] if spot else 0)


def test_a_change_is_shown_in_a_large_memory() -> None:
    """If there are more records than rows, the changed one is among them."""
    puts: list[StepOperation] = [("put", f"{number:02}", "1") for number in range(18)]
    figure = drawn(steps([*puts, ("compact",), ("put", "03", "2"), ("delete", "05")], sync="never"))
    assert words(figure, 20, "memory")[:4] == ["~", "03", "2", "changed"]
    assert words(figure, 21, "memory")[-7:] == [
        "17",
        "1",
        "-",
        "05",
        "1",
        "gone",
        "and 13 more records",
    ]


@given(st.dictionaries(FIELDS, FIELDS), st.dictionaries(FIELDS, FIELDS))
def test_records_are_compared(before: dict[Item, Item], now: dict[Item, Item]) -> None:
    """The signs tell how to get from one dict to the other."""
    rebuilt = dict(before)
    for mark, key, value in records.compared(before, now):
        assert (mark in "+ ~") == (now.get(key) == value)
        if mark == "-":
            del rebuilt[key]
        elif mark != " ":
            rebuilt[key] = value
    assert rebuilt == now


@given(FIELDS, FIELDS, st.floats(100, 300), st.sampled_from(["solid", "gone", "lost"]))
def test_a_chip_keeps_to_its_room(key: Item, value: Item, room: float, style: Any) -> None:
    """A chip isn't wider than its room."""
    assert records.chip(key, value, room, style).width <= room + 0.1


def test_what_is_no_plain_text_is_written_as_python_writes_it() -> None:
    """Text and bytes that would look alike don't."""
    items: list[Item] = ["tea", b"tea", "b'tea'", "'", "", " ", "a\n", "\u200b", 'b"']
    shown = [records.shown(item) for item in items]
    assert shown[:2] == ["tea", "b'tea'"]
    assert len({*shown}) == len(items)


def test_new_bytes_are_outlined() -> None:
    """The outline of a new frame is as long as the frame, to the scale of the head."""
    figure = drawn(steps(MORNING[:1]))
    (frame,) = [box for box in boxes(figure, 1) if box.height == 8 and box.edge == "ink"]
    (head,) = [box for box in boxes(figure, 0) if box.height == 8 and box.edge == "ink"]
    assert frame.width / head.width == pytest.approx(41 / HEAD_END, abs=0.01)
