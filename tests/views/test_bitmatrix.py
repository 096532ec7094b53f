"""The matrix of flipped bits: each cell is the verdict that a reader gave."""

import re
from collections.abc import Callable

import pytest

import kvlib
from helpers.explored import BARE, LOG, forgiving
from helpers.vocabulary import disk_of, every_flip, store_files
from kvlib import CorruptionError, naive, views
from kvlib.views import svg
from kvlib.views.bitmatrix import MOST, WORDS, Grid, grid
from kvlib.views.figure import LIMIT, Figure
from kvlib.views.timeline import Timeline

STREAM = kvlib.encode_snapshot({"café": "2,50 €"})
MIXED = kvlib.encode_snapshot({"日本": "2 €", b"\0": "", "": "x"})
LONG = kvlib.encode_snapshot({"key": "v" * 200, "z": "0" * 25})
COUNTED = naive.encode_counted({"tea": "hot"})
Bits = set[tuple[int, int, int]]

TIMELINES: dict[str, Callable[[], Timeline]] = {
    "stream": lambda: views.flips(STREAM),
    "mixed": lambda: views.flips(MIXED),
    "log": lambda: views.flips(LOG, end=100),
    "part": lambda: views.flips(disk_of(store_files({"a": "b"})), start=10, end=12),
    "two": lambda: views.flips(BARE, forgiving, end=41),
    "counted": lambda: views.flips(COUNTED, naive.decode_counted),
    "byte": lambda: views.flips(b"\1", lambda data: data[0] & 1),
    "long": lambda: views.flips(LONG, kvlib.decode_snapshot),
}


def figure(timeline: Timeline) -> Figure:
    """Return the figure that a timeline draws."""
    return timeline.draw(timeline)


def places(timeline: Timeline) -> Grid:
    """Return where the bits of a timeline are."""
    return grid(len(timeline.moments) // 8, len(timeline.strips))


def drawn(timeline: Timeline, token: str) -> Bits:
    """Return the reader, byte and bit of each cell that is drawn in a colour."""
    where = places(timeline)
    centres: dict[tuple[float, float], tuple[int, int, int]] = {}
    for reader in range(where.readers):
        for number in range(len(timeline.moments)):
            x, y = where.at(reader, number // 8, 7 - number % 8)
            centres[x, y + (where.height - 1) / 2] = (reader, number // 8, 7 - number % 8)
    found: Bits = set()
    on = svg.number(where.width - 1)
    for shape in figure(timeline).fixed:
        if f'stroke="${token}"' not in shape or f'stroke-dasharray="{on} 1"' not in shape:
            continue
        for x, y, length in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)", shape):
            cells, rest = divmod(float(length) + 1, where.width)
            assert rest == 0
            for cell in range(int(cells)):
                bit = centres[float(x) + cell * where.width, float(y)]
                assert bit not in found
                found.add(bit)
    return found


@pytest.mark.parametrize("name", TIMELINES)
def test_each_cell_has_the_colour_of_its_verdict(name: str) -> None:
    """Every bit of every reader is drawn once, as the reader answered."""
    timeline = TIMELINES[name]()
    for verdict in WORDS:
        assert drawn(timeline, verdict) == {
            (strip, at // 8, 7 - at % 8)
            for at, moment in enumerate(timeline.moments)
            for strip, outcome in enumerate(moment.outcomes)
            if outcome.verdict == verdict
        }


def test_orange_cells_are_the_flips_that_the_decoder_misses() -> None:
    """The decoder itself gives other records, without an error, for just these bits."""
    missed: Bits = set()
    for at, spoilt in enumerate(every_flip(STREAM)):
        try:
            assert kvlib.decode_snapshot(spoilt) != kvlib.decode_snapshot(STREAM)
        except CorruptionError:
            continue
        missed.add((0, at // 8, 7 - at % 8))
    timeline = TIMELINES["stream"]()
    assert drawn(timeline, "wrong") == missed
    assert figure(timeline).title == f"{len(missed)} of 216 flips give another answer, and no error"


@pytest.mark.parametrize("name", [name for name in TIMELINES if name != "long"])
def test_a_verdict_is_never_colour_alone(name: str) -> None:
    """There is a slash in each wrong cell, and a hole in each harmless one."""
    timeline = TIMELINES[name]()
    where = places(timeline)
    slashes = [shape for shape in figure(timeline).fixed if re.search(r"M[^h]*l[\d.]+-", shape)]
    side = round(min(where.width - 1, where.height - 1) * 0.7, 1)
    number = sum(shape.count(f"l{svg.number(side)}-{svg.number(side)}") for shape in slashes)
    assert number == len(drawn(timeline, "wrong"))
    holes = [one for one in figure(timeline).fixed if "dasharray" in one and "$card" in one]
    assert bool(holes) == bool(drawn(timeline, "right"))


@pytest.mark.parametrize("name", TIMELINES)
def test_the_counts_are_said(name: str) -> None:
    """The legend has each reader's verdicts in numbers, and the title is short."""
    timeline = TIMELINES[name]()
    picture = figure(timeline)
    texts = re.findall(r'font-weight="600" fill="\$(\w+)-t">([\d,]+)<', "".join(picture.fixed))
    expected = [
        (
            verdict,
            f"{sum(moment.outcomes[strip].verdict == verdict for moment in timeline.moments):,}",
        )
        for strip in range(len(timeline.strips))
        for verdict in WORDS
    ]
    assert texts == expected
    assert len(picture.title) <= 60
    assert picture.text == repr(timeline)


@pytest.mark.parametrize("name", TIMELINES)
def test_a_position_is_a_bit(name: str) -> None:
    """The spot is the bit's cell, and the sentence has the byte and the readers' answers."""
    timeline = TIMELINES[name]()
    where, picture = places(timeline), figure(timeline)
    assert len(picture.positions) == len(timeline.moments)
    for at, (position, moment) in enumerate(zip(picture.positions, timeline.moments, strict=True)):
        corner = where.at(0, at // 8, 7 - at % 8)
        assert [*(position.spot or ())] == [*corner, where.width, where.height]
        offset, byte = int(moment.label.split(".")[0]), moment.pictures[0].layout.data
        bit = int(moment.label.split(".")[1])
        old = byte[offset] ^ 1 << bit
        assert position.label == f"{moment.label} ({old:02X} becomes {byte[offset]:02X})"
        assert position.answer == " ".join(outcome.verdict for outcome in moment.outcomes)
        for strip, outcome in zip(timeline.strips, moment.outcomes, strict=True):
            words = "wrong, and no error: " if outcome.verdict == "wrong" else outcome.words
            assert f"{strip}: {words}" in position.says


def test_a_wrong_answer_is_told() -> None:
    """The sentence shows the records that came back."""
    picture = figure(TIMELINES["stream"]())
    assert (
        picture.positions[picture.start].says == "kvlib: wrong, and no error: {'#afé': '2,50 €'}."
    )


@pytest.mark.parametrize("size", [1, 2, 27, 28, 60, 64, 65, 128, 129, 255, 256])
@pytest.mark.parametrize("readers", [1, 2])
def test_the_matrices_stay_in_the_picture(size: int, readers: int) -> None:
    """No cell leaves the card or is on another, and the picture isn't too high."""
    where = grid(size, readers)
    corners = {
        where.at(reader, byte, bit)
        for reader in range(readers)
        for byte in range(size)
        for bit in range(8)
    }
    assert len(corners) == 8 * size * readers
    assert max(x for x, _ in corners) + where.width <= svg.WIDTH - svg.MARGIN
    assert max(y for _, y in corners) + where.height <= where.end
    assert (where.width >= 5, where.height >= 5) == (True, True)
    assert where.end + 30 * readers + 8 <= MOST


def test_the_longest_data_has_a_whole_matrix() -> None:
    """The page has fewer positions, but all cells, within its limit."""
    timeline = views.flips(b"\1" * 256, lambda data: sum(data) * 7 % 3 == 0 or 1 / (sum(data) % 5))
    html = figure(timeline).html()
    assert len(html.encode()) <= LIMIT
    assert "positions, from" in html
    assert len(
        drawn(timeline, "refused") | drawn(timeline, "wrong") | drawn(timeline, "right")
    ) == (2048)


@pytest.mark.parametrize(
    ("read", "title"),
    [
        (lambda data: data == b"\1" or 1 / 0, "All 8 flips are refused"),
        (lambda data: data[0] & 1 or 1 / 0, "1 of 8 flips is refused, the others do no harm"),
        (lambda data: data[0] & 1, "1 of 8 flips gives another answer, and no error"),
        (lambda data: data, "8 of 8 flips give another answer, and no error"),
    ],
)
def test_the_title_says_what_came_of_it(read: Callable[[bytes], object], title: str) -> None:
    """It is a sentence about the reader at the top."""
    assert figure(views.flips(b"\1", read)).title == title


def test_two_readers_are_compared() -> None:
    """The title has the numbers of both."""
    assert figure(TIMELINES["two"]()).title == "91 of 328 flips fool your reader, none fools kvlib"


def test_many_outcomes_are_left_to_the_text() -> None:
    """The folded table would take the room of the positions."""
    assert "<table" in figure(TIMELINES["stream"]()).folded[0][1]
    noisy = views.flips(bytes(range(60)), lambda data: dict.fromkeys(range(sum(data) % 97)))
    assert "<table" not in figure(noisy).folded[0][1]
