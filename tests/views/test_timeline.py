"""Timelines: their script unpacks what was packed, and their pages are small."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvlib
from helpers.golden import check_width
from kvlib import MemoryDisk, views
from kvlib.layout.dissect import dissect
from kvlib.views import html, timeline
from kvlib.views.delta import changes, squeeze
from kvlib.views.timeline import Highlight, Moment, ReaderOutcome, Scene, Timeline
from views.test_html import Reader, grid

T = TypeVar("T")


# ----------------------------------------------------------------- static/timeline.js, in Python


def grown(text: str, steps: Sequence[str]) -> str:
    """Return the text with a step added to each of its numbers."""
    parts = re.split("([0-9]{1,9})", text)
    parts[1::2] = [str(int(old) + int(step)) for old, step in zip(parts[1::2], steps, strict=True)]
    return "".join(parts)


def expand(column: Sequence[str], read: Callable[[str], T]) -> list[str | T]:
    """Return the strings of a column."""
    texts: list[Any] = []
    for item in column:
        if not item.startswith("*"):
            texts.append(read(item))
            continue
        count, *steps = re.findall("[-+]?[0-9]+", item)
        for _ in range(int(count)):
            texts.append(grown(texts[-1], steps) if steps else texts[-1])
    return texts


def undo(
    column: Sequence[str], parse: Callable[[list[str]], Sequence[T]], from_first: bool = False
) -> list[list[T]]:
    """Return the lists that the changes describe."""
    lists: list[list[T]] = []
    for change in expand(column, str):
        kept, *rest = change.split(" ")
        fresh = parse(rest)
        old = (lists[0] if from_first else lists[-1]) if lists else []
        head, _, tail = kept.partition(".")
        end = len(old) - (int(tail) if tail else len(old) - int(head) - len(fresh))
        lists.append([*old[: int(head)], *fresh, *old[end:]])
    return lists


def unpack(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the moments of a page's data."""
    strings = ["".join(text) for text in undo(data["strings"], lambda rest: list(" ".join(rest)))]

    def joined(numbers: str) -> str:
        return ": ".join(strings[int(number)] for number in numbers.split(" "))

    def texts(column: str) -> list[str]:
        if column.startswith("~"):
            return [joined(text) for text in expand(column[1:].split("|"), str)]
        return expand(column.split("|"), joined)

    def piece(text: str) -> html.LeafText:
        size, letter, status, heading, name, meaning, low, *high = text.split(":")
        about = (int(low), int(high[0])) if high else None
        return html.LeafText(
            int(size), letter, status, joined(heading), joined(name), joined(meaning), about
        )

    pieces = [piece(text) for text in expand(data["pieces"], str)]
    slots: list[dict[str, Any]] = [
        {
            "there": expand(slot["there"].split("|"), str),
            "title": texts(slot["titles"]),
            "data": undo(
                slot["data"].split("|"), lambda r: bytes.fromhex("".join(r)), slot["first"]
            ),
            "pieces": undo(slot["pieces"].split("|"), lambda rest: [pieces[int(n)] for n in rest]),
            "marks": expand(slot["marks"].split("|"), str),
            "flaw": texts(slot["flaws"]),
        }
        for slot in data["slots"]
    ]
    results = [expand(column.split("|"), str) for column in data["results"]]
    notes = [texts(column) for column in data["notes"]]
    return [
        {
            "label": label,
            "outcomes": [tuple(data["outcomes"][int(result[at])]) for result in results],
            "notes": [note[at] for note in notes],
            "pictures": [{key: column[at] for key, column in slot.items()} for slot in slots],
        }
        for at, label in enumerate(texts(data["labels"]))
    ]


# ------------------------------------------------------------------------------------ what is shown


@cache
def a_store() -> MemoryDisk:
    """Return a store with a log of some 170 bytes."""
    disk = MemoryDisk()
    with kvlib.open(disk) as store:
        store["café"] = "2,50 €"
        store["tea"] = "1,20 €"
        store["café"] = "3"
    return disk


def tiny(count: int) -> Timeline:
    """Return a timeline with missing pictures and several marks."""
    moments = [
        Moment(
            f"{number}: *|~",
            (ReaderOutcome("right" if number % 2 else "wrong", f"{number} | of 09"),),
            tuple(
                Scene(
                    dissect(kvlib.encode_field("|<b>" * index), source=f"file {index}"),
                    b"?" * number,
                    (Highlight(0, 2, "new"), Highlight(index, 5, "differs")),
                )
                for index in range(number % 3)
            ),
            (("memory", "a: b\n*7+1 <b>"),) * (number % 2),
        )
        for number in range(count)
    ]
    return Timeline("<i>What if?</i>", "number", ("yours",), tuple(moments), count // 2)


TIMELINES: dict[str, Callable[[], Timeline]] = {
    "crash": lambda: views.crash(a_store()),
    "flips": cache(lambda: views.flips(a_store())),  # 1,440 moments, which take a while
    "tiny": lambda: tiny(8),
    "one": lambda: tiny(1),
}


def data_of(text: str) -> dict[str, Any]:
    """Return the data in a page."""
    found = Reader(text).raw["script"][0]
    loaded: dict[str, Any] = json.loads(found)
    return loaded


@pytest.mark.parametrize("name", TIMELINES)
def test_the_script_unpacks_the_timeline(name: str) -> None:
    """Labels, outcomes, notes, bytes, pieces, marks and flaws of every moment come back."""
    played = TIMELINES[name]()
    shots = timeline._shots(played)
    moments = unpack(json.loads(json.dumps(timeline.reel(played, shots))))
    assert len(moments) == len(played.moments)
    for found, moment, shot in zip(moments, played.moments, shots, strict=True):
        assert found["label"] == moment.label
        expected = [(timeline.SIGNS[outcome.verdict], outcome.words) for outcome in moment.outcomes]
        assert found["outcomes"] == expected
        notes = [text for note in moment.notes for text in note]
        assert found["notes"] == notes + [""] * (len(found["notes"]) - len(notes))
        for drawn, made in zip(found["pictures"], shot, strict=True):
            assert bool(drawn["there"]) == (made is not None)
            if made is None:
                continue
            assert (drawn["title"], bytes(drawn["data"])) == (made.title, made.data)
            assert (tuple(drawn["pieces"]), drawn["flaw"]) == (made.pieces, made.flaw)
            marks = [mark.split(":") for mark in drawn["marks"].split()]
            assert [
                (int(start), int(start) + int(size) if size else len(made.data), word)
                for word, start, size in marks
            ] == [tuple(mark) for mark in made.marks]


@given(
    st.lists(st.sampled_from(["a", "1", "2", "3 of 9", "4 of 8", "09", "10", "9" * 12]) | st.text())
)
def test_a_squeezed_column_expands_again(texts: list[str]) -> None:
    """Any texts come back from a squeezed column."""
    column = squeeze(texts, lambda text: f"={text}")
    assert expand(column, lambda text: text[1:]) == texts


@given(st.lists(st.lists(st.integers(0, 3), max_size=6)), st.booleans())
def test_changes_give_the_lists_again(lists: list[list[int]], from_first: bool) -> None:
    """Any lists come back from changes to the previous or to the first list."""
    column = changes(lists, from_first=from_first)
    assert undo(column, lambda rest: [int(n) for n in rest], from_first) == lists


def test_an_experiment_takes_little_room() -> None:
    """All cuts of a log take 15 KB of data, and all flips of its bits 45 KB."""
    for name, most in (("crash", 15_000), ("flips", 45_000)):
        played = TIMELINES[name]()
        data = timeline.reel(played, timeline._shots(played))
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        assert len(text.encode()) <= most


@pytest.mark.parametrize("name", TIMELINES)
def test_a_page_is_complete_before_its_script_runs(name: str) -> None:
    """The page has every outcome and the first moment, without ids, and is always the same."""
    played = TIMELINES[name]()
    text = timeline.page(played)
    assert text == timeline.page(TIMELINES[name]())
    assert len(text.encode()) <= timeline.LIMIT
    reader = Reader(text)
    assert html.WAIT in reader.text
    assert not [1 for _, attributes in reader.tags if "id" in attributes]
    rows = [row for table in reader.tables[: len(played.strips)] for row in table[1:]]
    runs = [run for number in range(len(played.strips)) for run in played.runs(number)]
    assert [row[0] for row in rows] == [played.span(run) for run in runs]
    assert [row[2] for row in rows] == [run.outcome.words for run in runs]
    start = played.moments[played.start]
    for number, picture in enumerate(start.pictures):
        shown = grid(reader, len(played.strips) + 2 * number)
        assert shown == picture.layout.data + picture.beyond
    for heading, note in start.notes:
        assert f"{heading}{note}" in reader.text


def test_a_large_timeline_leaves_out_moments() -> None:
    """The slider keeps the moments around its start; a page without room for one is text."""
    played = TIMELINES["flips"]()
    text = timeline.page(played)
    data = data_of(text)
    (kept,) = re.findall(r"The slider has ([0-9,]+) of 1,", text)
    moments = unpack(data)
    assert len(moments) == int(kept.replace(",", "")) < len(played.moments)
    assert moments[data["start"]]["label"] == played.moments[played.start].label
    for start in (0, len(played.moments) - 1):
        end = replace(played, start=start)
        assert (
            unpack(found := data_of(timeline.page(end)))[found["start"]]["label"]
            == end.moments[start].label
        )
    long = replace(TIMELINES["tiny"](), caption="long " * 20_000)
    assert timeline.page(long) == html.as_html(repr(long))


def test_the_parts_of_many_bytes_are_left_to_the_script() -> None:
    """The page has all bytes, and a single row for the parts."""
    layout = dissect(kvlib.encode_snapshot({f"{n}": "" for n in range(60)}))
    played = Timeline(
        "c", "n", ("kvlib",), (Moment("0", (ReaderOutcome("right", "x"),), (Scene(layout),)),)
    )
    reader = Reader(timeline.page(played))
    assert grid(reader, 1) == layout.data
    assert reader.tables[2][1:] == [[html.WAIT]]


@pytest.mark.parametrize("name", TIMELINES)
def test_the_text_is_complete_and_not_too_wide(name: str) -> None:
    """The text has every outcome, in 80 columns."""
    played = TIMELINES[name]()
    check_width(played)
    for number in range(len(played.strips)):
        for run in played.runs(number):
            line = (
                f"  {played.span(run)}  {timeline.SIGNS[run.outcome.verdict]} {run.outcome.words}"
            )
            assert line[:40] in repr(played)


def test_the_old_name_of_a_timeline_still_works() -> None:
    """`views.Film` warns for one version."""
    with pytest.warns(DeprecationWarning, match="now views.Timeline"):
        assert views.Film is views.Timeline
