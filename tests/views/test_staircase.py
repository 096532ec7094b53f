"""The staircase of cuts: it is as high as what came back."""

import re
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kvlib
from helpers.drawings import Shape, check_apart, check_figure, drawn
from helpers.explored import BARE, BEGUN, FRAMES, LOG, forgiving, frames_of, raising
from helpers.vocabulary import FIELDS, HEAD_END, delete, disk_of, frame, put, store_files
from kvlib import MemoryDisk, log, snapshot
from kvlib.encoding import Item
from kvlib.views.crash import Fate, crash
from kvlib.views.figure import Figure
from kvlib.views.stairs import BASE, TOP
from kvlib.views.timeline import Timeline
from views.test_crash import forgetful, hasty, strict, trusting


def figure_of(timeline: Timeline) -> Figure:
    """Return the timeline's figure."""
    return timeline.draw(timeline)


def inside(recover: Callable[[bytes], object]) -> Callable[[bytes], object]:
    """Return a reader of a log's frames that doesn't look at the head."""
    return lambda data: recover(data[HEAD_END:])


def fickle(data: bytes) -> dict[Item, Item]:
    """Answer in three ways, cut by cut."""
    if len(data) % 3 == 1:
        raise ValueError("refused")
    return {} if len(data) % 3 else {"wrong": ""}


def a_long_log(changes: int = 25) -> bytes:
    """Return the log of a store that was changed so often."""
    disk = MemoryDisk(seed=5)
    with kvlib.open(disk, sync="never") as store:
        for number in range(changes):
            store[f"k{number}"] = ""
    return disk.read("log")


BATCH = frame(b"M", 2, put("東京" * 20, b"\xff\0") + delete("x") + put("", "")) + frame(
    b"C", 3, b""
)
TIMELINES: dict[str, Callable[[], Timeline]] = {
    "log": lambda: crash(LOG),
    "frames": lambda: crash(BARE),
    "place": lambda: crash(disk_of(BEGUN)),
    "one frame": lambda: crash(FRAMES[0]),
    "batch": lambda: crash(BATCH, fickle),
    "head alone": lambda: crash(LOG[:HEAD_END]),
    "nothing but close": lambda: crash(frame(b"C", 2, b"")),
    "long": lambda: crash(a_long_log()),
    "long, fickle": lambda: crash(a_long_log(), fickle),
    "many changes": lambda: crash(b"".join(frames_of(*[delete("")] * 44))),
    "zeros": lambda: crash(LOG, inside(forgiving), lost="zeros"),
    "garbage": lambda: crash(LOG, inside(trusting), lost="garbage"),
    "strict": lambda: crash(BARE, strict),
    "hasty": lambda: crash(BARE, hasty),
    "forgetful": lambda: crash(LOG, lambda data: None),
    "fickle": lambda: crash(LOG, fickle),
    "a frame in a value": lambda: crash(frame(b"M", 2, put("backup", FRAMES[1] + b"..."))),
}


@cache
def made(name: str) -> Timeline:
    """Return one of the timelines, made once."""
    return TIMELINES[name]()


@cache
def pictured(name: str) -> Figure:
    """Return its figure."""
    return figure_of(made(name))


VERDICTS = {"right": "right", "refused": "refuses", "wrong": "wrong"}


def handle(figure: Figure, cut: int) -> float:
    """Return where the handle of a cut is."""
    places = {shape.moved for shape in drawn(figure, cut) if shape.token("stroke") == "you"}
    assert len(places) == 1
    return places.pop()


def height(line: Shape, x: float) -> float | None:
    """Return the lowest y of a line above x, or None if it is interrupted there."""
    before: tuple[float, float] | None = None
    found = []
    for command, right, y in line.points:
        if command != "M" and before and before[0] - 0.06 <= x <= right + 0.06:
            found.append(min(before[1], y))
        before = (right, y)
    return min(found, default=None)


def lines(figure: Figure) -> list[Shape]:
    """Return the readers' lines without the legend's, kvlib's last."""
    found = [shape for shape in drawn(figure) if shape.token("stroke") == "right"]
    return [shape for shape in found if "h34" not in shape.found["d"]][::-1]


def replayed(data: bytes) -> int:
    """Return how many changes the engine brings back from a log, or from frames alone."""
    items: dict[Item, Item] = {}
    if not data.startswith(b"kvlib"):
        return log.replay(data, 0, 1, 0, items).mutations
    head, start = snapshot.decode_head(data)
    return log.replay(data, start, head.generation, head.salt, items).mutations


@pytest.mark.parametrize(
    ("data", "lost"),
    [(LOG, "missing"), (BARE, "missing"), (BARE, "zeros"), (BATCH, "missing"), (LOG, "garbage")],
)
def test_the_line_is_as_high_as_what_came_back(data: bytes, lost: Fate) -> None:
    """At each cut, the line above the handle has the height of the changes recovered."""
    timeline = crash(data, lost=lost)
    figure = figure_of(timeline)
    (line,) = lines(figure)
    most = replayed(data)
    start = HEAD_END if data == LOG else 0
    for cut in range(start, len(data) + 1):
        there = timeline.moments[cut].pictures[0].layout.data
        expected = BASE - (BASE - TOP) * replayed(there) / most
        assert height(line, handle(figure, cut)) == pytest.approx(expected, abs=0.1)
        (dot,) = [shape for shape in drawn(figure, cut) if shape.token("fill") == "right"][-1:]
        assert dot.number("cy") in (pytest.approx(expected, abs=0.1), 70)  # or the legend's sign


def stretches(figure: Figure, top: float, bottom: float, token: str) -> list[tuple[float, float]]:
    """Return the stretches of the axis with this colour, between two heights."""
    found = []
    for shape in drawn(figure):
        if shape.token("fill") != token:
            continue
        if shape.tag == "rect" and top <= shape.number("y") <= bottom:
            found.append(shape.span)
        elif shape.tag == "path":
            corners: list[tuple[str, float, float]] = []
            for corner in [*shape.points, ("M", 0.0, 0.0)]:
                if corner[0] == "M" and corners:
                    if top <= min(y for _, _, y in corners) <= bottom:
                        xs = [x for _, x, _ in corners]
                        found.append((min(xs), max(xs)))
                    corners = []
                corners.append(corner)
    return found


def covered(spans: list[tuple[float, float]], x: float) -> bool:
    """Return whether x is in one of the spans."""
    return any(left - 0.06 <= x <= right + 0.06 for left, right in spans)


@pytest.mark.parametrize("name", ["garbage", "strict", "hasty", "fickle", "batch", "forgetful"])
def test_each_verdict_has_its_shape(name: str) -> None:
    """Above the handle is a line where a reader is right, a hatched stretch where it is wrong, and
    a bar below where it refuses.
    """
    timeline, figure = made(name), pictured(name)
    start = HEAD_END if timeline.moments[-1].pictures[0].layout.data == LOG else 0
    wrong = stretches(figure, 0, BASE, "wrong-p") + stretches(figure, 0, BASE, "wrong")
    refused = stretches(figure, BASE, 400, "refused")
    seen = lines(figure)
    for cut, moment in list(enumerate(timeline.moments))[start:]:
        x = handle(figure, cut)
        verdicts = [outcome.verdict for outcome in moment.outcomes]
        assert covered(wrong, x) == ("wrong" in verdicts)
        assert covered(refused, x) == ("refused" in verdicts)
        if len(seen) == 2:
            assert (height(seen[1], x) is not None) == (verdicts[1] == "right")
        says = figure.positions[cut].says
        assert says == timeline.answers(cut)
        words = [shape.text for shape in drawn(figure, cut) if shape.text in VERDICTS.values()]
        assert words == [VERDICTS[verdict] for verdict in verdicts]
    if start:
        hatched = stretches(figure, BASE, 400, "wrong-p")
        for cut, moment in enumerate(timeline.moments[:start]):
            x = handle(figure, cut)
            assert covered(refused, x)  # kvlib refuses half a head
            assert covered(hatched, x) == (moment.outcomes[0].verdict == "wrong")


@pytest.mark.parametrize("lost", ["missing", "zeros", "garbage"])
@pytest.mark.parametrize("data", [LOG, BARE, BATCH])
def test_the_torn_part_is_hatched_and_the_rest_is_covered(data: bytes, lost: Fate) -> None:
    """What recovery drops is hatched from the end of the last whole frame up to the cut, where the
    cover of what never arrived begins.
    """
    timeline = crash(data, lost=lost)
    figure = figure_of(timeline)
    start = HEAD_END if data == LOG else 0
    for cut in range(start, len(data) + 1):
        there = timeline.moments[cut].pictures[0].layout.data
        whole = len(there) - dropped(there)
        shapes = drawn(figure, cut)
        torn = [shape.span[0] for shape in shapes if shape.found.get("height") == "30"]
        assert torn == ([pytest.approx(handle(figure, whole), abs=0.1)] if cut > whole else [])
        covers = [shape for shape in shapes if "stroke-dasharray" in shape.found]
        left = max(cut, whole)
        assert bool(covers) == (left < len(data))
        for cover in covers:
            assert min(x for _, x, _ in cover.points) == pytest.approx(
                handle(figure, left), abs=0.1
            )
        words = [shape.text for shape in shapes if shape.text in LOST]
        assert {*words} <= {LOST[("missing", "zeros", "garbage").index(lost)]}


LOST = ("never arrived", "zeros instead", "garbage instead")


def dropped(data: bytes) -> int:
    """Return the size of the torn tail that the engine drops."""
    if not data.startswith(b"kvlib"):
        return len(data) - log.replay(data, 0, 1, 0, {}).end
    head, start = snapshot.decode_head(data)
    return len(data) - log.replay(data, start, head.generation, head.salt, {}).end


def test_half_a_head_is_torn() -> None:
    """A cut in the head leaves no step: the head is hatched, and kvlib's sign is on its bar."""
    figure = figure_of(crash(LOG))
    shapes = drawn(figure, 20)
    (torn,) = [shape for shape in shapes if shape.found.get("height") == "30"]
    assert [*torn.span] == [40, 260]
    assert not [shape for shape in shapes if shape.token("fill") == "right"]
    assert "1  café" not in "".join(shape.text for shape in shapes)


@pytest.mark.parametrize("name", TIMELINES)
def test_a_picture_has_room_for_its_words(name: str) -> None:
    """Texts stay on the card and don't touch each other, and the page keeps its limit."""
    timeline, figure = made(name), pictured(name)
    check_figure(figure)
    check_apart([shape for shape in drawn(figure) if shape.token("fill") != "wrong-t"])
    assert len(figure.positions) == len(timeline.moments)
    assert [place.label for place in figure.positions] == [one.label for one in timeline.moments]
    assert figure.text == repr(timeline)
    places = [handle(figure, cut) for cut in range(len(figure.positions))]
    assert places == sorted(places)
    assert [place.spot[0] if place.spot else None for place in figure.positions] == [
        pytest.approx(x, abs=0.1) for x in places
    ]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(FIELDS, FIELDS | st.none()), min_size=1, max_size=9))
def test_any_log_fits(mutations: list[tuple[Item, Item | None]]) -> None:
    """Keys and values of any sort and length stay on the card, and so does a chosen name."""
    payloads = [delete(k) if v is None else put(k, v) for k, v in mutations]
    figure = figure_of(crash(store_files({}, *frames_of(*payloads))["log"], fickle))
    check_figure(figure)
    check_apart([shape for shape in drawn(figure) if shape.token("fill") != "wrong-t"])


@pytest.mark.parametrize("name", ["log", "place", "long", "many changes"])
def test_the_chosen_step_has_its_name_in_bold(name: str) -> None:
    """The bold name begins with the number of changes, and nothing shows below it."""
    timeline, figure = made(name), pictured(name)
    names = [
        s for s in drawn(figure) if s.tag == "text" and s.span[1] == 256 and s.number("y") < 250
    ]
    assert len(names) >= 2
    for cut in range(HEAD_END, len(figure.positions), 7):
        words = timeline.moments[cut].outcomes[0].words
        cover, *_ = [s for s in drawn(figure, cut) if s.tag == "path" and s.token("fill") == "card"]
        (bold,) = [s for s in drawn(figure, cut) if s.tag == "text" and s.span[1] == 256]
        assert bold.text.split("\N{NO-BREAK SPACE}")[0] == words.split()[0]
        ys = [y for _, _, y in cover.points]
        for other in names:
            y = other.number("y") - 6
            hidden = min(ys) <= y - 9 and y + 9 <= max(ys) + 1
            assert hidden or y + 9 < min(ys) or y - 9 > max(ys)


@pytest.mark.parametrize(
    ("timeline", "title"),
    [
        (lambda: crash(LOG), "A change comes back when its whole frame has arrived"),
        (lambda: crash(BARE, forgiving), "A change comes back when its whole frame has arrived"),
        (lambda: crash(BARE, strict), "Yours refuses at 101 of 105 cuts"),
        (lambda: crash(BARE, forgetful), "Yours is wrong at 105 of 105 cuts"),
        (lambda: crash(LOG, inside(raising(OSError()))), "Yours is wrong at 4 of 105 cuts"),
        (TIMELINES["a frame in a value"], "kvlib refuses at 3 of 73 cuts"),
        (TIMELINES["head alone"], "This log has no change to bring back"),
        (TIMELINES["nothing but close"], "This log has no change to bring back"),
    ],
)
def test_the_title_says_what_is_to_be_seen(timeline: Callable[[], Timeline], title: str) -> None:
    """A reader that fails is in the title, with its number of cuts."""
    assert figure_of(timeline()).title == title


def test_a_long_table_of_outcomes_is_left_out() -> None:
    """The outcomes of a reader that changes its mind at each byte don't take up the page."""
    for name, kept in (("fickle", True), ("long, fickle", False)):
        ((summary, found),) = pictured(name).folded
        assert summary == "All outcomes"
        assert ("<table" in found) == kept
    assert "print this view to list them" in found


def test_a_log_of_nearly_1_kb_keeps_most_of_its_cuts() -> None:
    """All cuts of 700 bytes are on the page, and most of those of a full log with many frames."""
    whole = figure_of(crash(b"".join(frames_of(*[delete("k" * 30)] * 13)))).html()
    part = pictured("many changes").html()
    assert "more would make this page too large" not in whole
    (kept,) = re.findall(r"The picture has ([0-9,]+) of 1,013 positions", part)
    assert int(kept) > 700
