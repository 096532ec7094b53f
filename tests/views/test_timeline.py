"""Timelines: the text and the folded tables have every outcome."""

from collections.abc import Callable
from functools import cache
from html import unescape

import pytest

import kvlib
from helpers.golden import check_width
from kvlib import MemoryDisk, views
from kvlib.layout.dissect import dissect
from kvlib.views.figure import Figure, Position
from kvlib.views.timeline import (
    SIGNS,
    TABLES,
    Moment,
    ReaderOutcome,
    Scene,
    Timeline,
)


@cache
def a_store() -> MemoryDisk:
    """Return a store with a log of some 170 bytes."""
    disk = MemoryDisk()
    with kvlib.open(disk) as store:
        store["café"] = "2,50 €"
        store["tea"] = "1,20 €"
        store["café"] = "3"
    return disk


def drawn(timeline: Timeline) -> Figure:
    """Return a plain figure of a timeline."""
    numbers = range(len(timeline.moments))
    positions = [Position(timeline.moments[at].label, timeline.answers(at)) for at in numbers]
    return Figure(
        timeline.caption, 60, timeline.control, tuple(positions), repr(timeline),
        start=timeline.start, folded=timeline.folded_runs(),
    )  # fmt: skip


def tiny(count: int) -> Timeline:
    """Return a timeline with missing pictures and several marks."""
    moments = [
        Moment(
            f"{number}: *|~",
            (ReaderOutcome("right" if number % 2 else "wrong", f"{number} | of 09"),),
            tuple(
                Scene(
                    dissect(kvlib.encode_field("|<b>" * index), source=f"file {index}"),
                    ((0, 2), (index, 5)),
                )
                for index in range(number % 3)
            ),
            (("memory", "a: b\n*7+1 <b>"),) * (number % 2),
        )
        for number in range(count)
    ]
    return Timeline("<i>What if?</i>", "number", ("yours",), tuple(moments), count // 2, drawn)


TIMELINES: dict[str, Callable[[], Timeline]] = {
    "crash": lambda: views.crash(a_store()),
    "flips": cache(lambda: views.flips(a_store())),  # 1,440 moments, which take a while
    "tiny": lambda: tiny(8),
    "one": lambda: tiny(1),
}


@pytest.mark.parametrize("name", TIMELINES)
def test_the_text_is_complete_and_not_too_wide(name: str) -> None:
    """The text has every outcome, in 80 columns."""
    played = TIMELINES[name]()
    check_width(played)
    for number in range(len(played.strips)):
        for run in played.runs(number):
            line = f"  {played.span(run)}  {SIGNS[run.outcome.verdict]} {run.outcome.words}"
            assert line[:40] in repr(played)


@pytest.mark.parametrize("name", TIMELINES)
def test_the_folded_table_has_every_outcome(name: str) -> None:
    """Each run has a row with its ends, its verdict and its words."""
    played = TIMELINES[name]()
    ((summary, found),) = played.folded_runs()
    assert summary == "All outcomes"
    rows = found.split("<tr>")[2:]
    runs = [run for number in range(len(played.strips)) for run in played.runs(number)]
    for row, run in zip(rows, runs, strict=True):
        sign = f"{SIGNS[run.outcome.verdict]} {run.outcome.verdict}"
        assert row.startswith("<th scope=row>")
        assert f"<td>{sign}<td>" in row
        assert unescape(row.partition("<th scope=row>")[2]).startswith(played.span(run))
        assert run.outcome.words in unescape(row)


def test_a_long_table_is_left_to_the_text() -> None:
    """It would take the room of the figure's positions; the text still has it all."""
    long = tiny(2 * TABLES // 100)
    ((_, found),) = long.folded_runs()
    assert found == f"<p>There are {len(long.moments):,}: print this view to list them."
    assert len(repr(long).splitlines()) > len(long.moments)


def test_it_shows_itself_as_text_and_as_the_figure() -> None:
    """A notebook gets both; the sentences are the answers."""
    played = tiny(3)
    bundle = played._repr_mimebundle_()
    assert bundle == {"text/plain": repr(played), "text/html": drawn(played).html()}
    assert [played.answers(number) for number in range(3)] == [
        "yours: wrong: 0 | of 09.",
        "yours: right: 1 | of 09.",
        "yours: wrong: 2 | of 09.",
    ]


def test_an_answer_that_names_its_verdict_says_it_once() -> None:
    """Neither "refused: refused at ..." nor a verdict where there is none."""
    refused, told = ReaderOutcome("refused", "refused at offset 4"), ReaderOutcome("told", "new")
    moment = Moment("0", (refused, told))
    played = Timeline("c", "n", ("kvlib", "the comparison"), (moment,), 0, drawn)
    assert played.answers(0) == "kvlib: refused at offset 4. the comparison: new."


def test_the_old_name_of_a_timeline_still_works() -> None:
    """`views.Film` warns for one version."""
    with pytest.warns(DeprecationWarning, match="now views.Timeline"):
        assert views.Film is views.Timeline
