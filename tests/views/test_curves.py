"""Curves are measured, and their chart, table and text have the same figures."""

import math
import re
from itertools import pairwise

import pytest

import kvlib
from kvlib import MemoryDisk, encoding
from kvlib.views import charts
from kvlib.views.charts import shown
from kvlib.views.curves import Curves, _trade, compactions, overhead

SMALL = compactions(keys=20, puts=120, thresholds=[40, 5, 20])
STREAM = encoding.encode_snapshot({str(number): b"value" for number in range(50)})


def test_writes_are_the_puts_and_the_snapshots() -> None:
    """120 puts compact 24, 6 and 3 times, and each snapshot has all 20 records."""
    assert [row[:2] for row in SMALL.rows] == [
        (5, (120 + 24 * 20) / 120),
        (20, (120 + 6 * 20) / 120),
        (40, (120 + 3 * 20) / 120),
    ]


def test_replay_lengths_are_those_of_real_recoveries() -> None:
    """A recovery after each put replays as many records as the curve says."""
    replayed: list[int] = []
    disk = MemoryDisk()

    def policy(status: kvlib.Status) -> bool:
        copy = kvlib.open(disk, read_only=True)
        replayed.append(copy.recovered.replayed)
        return status.pending >= 20

    with kvlib.open(disk, policy=policy) as store:
        store.update({str(number): "old" for number in range(20)})
        replayed.clear()
        for number in range(120):
            store[str(number % 20)] = "new"
    row = next(row for row in SMALL.rows if row[0] == 20)
    assert row[2:] == (max(replayed), sum(replayed) / len(replayed))


def test_a_threshold_is_measured_once() -> None:
    """Rows are in rising order, without duplicates."""
    assert [row[0] for row in compactions(1, 9, [3, 2, 3]).rows] == [2, 3]


@pytest.mark.parametrize(
    ("keys", "puts", "thresholds", "words"),
    [
        (0, 10, [1], "keys is 0"),
        (10, 0, [1], "puts is 0"),
        (10, 10, [0], "a threshold is 0"),
        (10, 10, [11], "a threshold is 11, expected 1 to 10"),
        (10, 10, [], "no threshold"),
        (10**6, 1000, [1], "1,000,000,000 records would be written: take fewer"),
    ],
)
def test_impossible_figures_are_rejected(
    keys: int, puts: int, thresholds: list[int], words: str
) -> None:
    """The message says which number is wrong."""
    with pytest.raises(ValueError, match=words):
        compactions(keys, puts, thresholds)


@pytest.mark.parametrize("size", [9, 16, 100, 10_000])
def test_overhead_is_that_of_a_stores_files(size: int) -> None:
    """The sealed sizes are the sizes of the segment files of a store with these records."""
    store, disk = kvlib.Store(), MemoryDisk()
    store["café"] = "x" * 300
    store.serialize(disk, max_segment_size=size)
    stream = encoding.encode_snapshot(store)
    (row,) = overhead(store, [size]).rows
    files = [disk.read(name) for name in disk.names() if name.endswith(".segment")]
    assert row[:2] == (size, len(files))
    assert row[2] == pytest.approx(8 * len(files) / len(stream))
    assert row[3] == pytest.approx((sum(map(len, files)) - len(stream)) / len(stream))
    assert overhead(stream, [size]) == overhead(store, [size])


@pytest.mark.parametrize(
    ("sizes", "words"), [([], "no segment size"), ([8], "max_segment_size is 8")]
)
def test_overhead_needs_possible_sizes(sizes: list[int], words: str) -> None:
    """A size below a segment's header, or no size at all, is rejected."""
    with pytest.raises(ValueError, match=words):
        overhead(STREAM, sizes)


# ------------------------------------------------------------------------------------------ shown


SAMPLES = [SMALL, overhead(STREAM), compactions(1, 1, [1]), overhead(b"x", [9])]


def points(curves: Curves) -> list[tuple[float, float, bool]]:
    """Return the centres of the points that are drawn, and whether each is a circle."""
    found = []
    for shape in curves.figure().fixed:
        if one := re.match(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="5"', shape):
            found.append((float(one[1]), float(one[2]), True))
        if one := re.match(r'<rect x="([\d.]+)" y="([\d.]+)" width="10" height="10"', shape):
            found.append((float(one[1]) + 5, float(one[2]) + 5, False))
    return found


@pytest.mark.parametrize("curves", SAMPLES)
def test_points_are_where_the_figures_are(curves: Curves) -> None:
    """On each axis, a step is as long as the logarithm of the factor between two figures."""
    drawn = iter(points(curves))
    for panel in curves.panels:
        pairs: list[tuple[float, float]] = []
        for number, at in enumerate(panel.columns):
            for row in curves.rows:
                x, y, circle = next(drawn)
                pairs += [(row[0], x), (-row[at], y)]
                assert circle == (number == 0)
        for axis in (pairs[::2], [(-figure, -place) for figure, place in pairs[1::2]]):
            (low, first), (high, last) = min(axis), max(axis)
            for figure, place in axis:
                part = math.log(figure / low) / math.log(high / low) if high > low else 0
                assert place == pytest.approx(first + part * (last - first), abs=0.2)
                assert high == low or last - first > 30
    assert next(drawn, None) is None


@pytest.mark.parametrize("curves", SAMPLES)
def test_each_choice_is_a_position_with_its_figures(curves: Curves) -> None:
    """The sentence and the picture have all figures of the row."""
    figure = curves.figure()
    assert [one.label for one in figure.positions] == [f"{row[0]:,}" for row in curves.rows]
    drawn = points(curves)
    for number, (position, row) in enumerate(zip(figure.positions, curves.rows, strict=True)):
        words = [shown(row[at]) for panel in curves.panels for at in panel.columns]
        assert all(word in position.says for word in words)
        texts = re.findall(r"<text.*?>(.*?)</text>", "".join(position.shapes))
        assert texts == words
        rings = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="9" fill="none"',
                           "".join(position.shapes))  # fmt: skip
        mine = [(x, y) for x, y, _ in drawn[number :: len(curves.rows)]]
        for ring, point in zip(rings, mine, strict=True):
            assert [float(number) for number in ring] == pytest.approx([*point], abs=0.2)


@pytest.mark.parametrize("curves", SAMPLES)
def test_table_and_text_have_the_same_figures(curves: Curves) -> None:
    """The page has the table folded, and the text has every cell."""
    cells = re.findall(r"<t[hd](?: [^>]*)?>(.*?)</t[hd]>", curves.table())
    assert " ".join(repr(curves).split()) == " ".join([curves.caption, *cells])
    assert max(map(len, repr(curves).splitlines())) <= 80
    bundle = curves._repr_mimebundle_()
    assert bundle["text/plain"] == repr(curves)
    assert f"<details><summary>All numbers</summary>{curves.table()}" in bundle["text/html"]


def test_the_title_is_what_the_figures_say() -> None:
    """From 5 to 40 is a factor of 8; 5 records per put become 1.5, and 5 replayed become 40."""
    assert SMALL.title == "A threshold 8× as high: 1/3.3 of the writing, 8× the replay"
    assert overhead(bytes(80), [9, 88]).title == "Sealed headers add 3,300% at 9 bytes, 41% at 88"
    assert overhead(bytes(9**5), [9**6]).title == (
        "Headers of sealed segments add 0.056% at 531,441 bytes"
    )
    assert compactions(1, 1, [1]).title == "At a threshold of 1, a put writes 2.00 records"
    for curves in (*SAMPLES, compactions(1, 10**4, [1, 10**4]), overhead(STREAM, [9, 2**32 - 1])):
        assert len(curves.title) <= 60


def test_a_title_that_is_too_long_leaves_out_the_price() -> None:
    """The saving is enough."""
    rows = ((1, 12_345.0, 1, 1.0), (98_765, 1.0, 98_765, 1.0))
    assert _trade(rows) == "A threshold 98,765× as high: 1/12,345 of the writing"


def test_a_chart_of_very_many_choices_has_a_part_of_them() -> None:
    """The first and the last choice are there, and the page stays small; the text has all."""
    curves = overhead(STREAM, range(9, 2_000))
    figure = curves.figure()
    assert len(figure.positions) <= charts.MOST + 1
    assert [figure.positions[at].label for at in (0, -1)] == ["9", "1,999"]
    assert len(repr(curves).splitlines()) == 1_993


@pytest.mark.parametrize("ends", [(1, 1), (1, 2), (0.5, 30), (1e-6, 1e6), (3, 9), (1, 1e9)])
def test_numbers_on_an_axis_are_apart(ends: tuple[float, float]) -> None:
    """They are round, within the axis, and never closer than a line of text."""
    for size in (100, 216):
        scale = charts.Scale.around(ends, size, 0)
        places = [scale.at(tick) for tick in scale.ticks()]
        assert all(0 <= place <= size for place in places)
        assert all(one - other >= charts.APART for one, other in pairwise(places))
