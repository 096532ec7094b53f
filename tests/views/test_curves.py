"""Curves are measured, and their chart, table and text have the same figures."""

import json
import re

import pytest

import kvlib
from kvlib import MemoryDisk, encoding
from kvlib.views.curves import CHART, Curves, compactions, overhead

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


@pytest.mark.parametrize("curves", [SMALL, overhead(STREAM)])
def test_chart_table_and_text_have_the_same_figures(curves: Curves) -> None:
    """Each point of the chart is a cell of the table, and the text has every cell."""
    chart = json.loads(json.dumps(curves.chart()))
    points = [point for panel in chart["vconcat"] for point in panel["data"]["values"]]
    drawn = {(point["line"], point["x"], point["y"]) for point in points}
    columns = [at for panel in curves.panels for at in panel.columns]
    assert drawn == {(curves.columns[at], row[0], row[at]) for row in curves.rows for at in columns}
    assert chart["description"] == curves.description
    html = curves._repr_html_().replace("<wbr>", "")
    cells = re.findall(r"<t[hd](?: [^>]*)?>(.*?)</t[hd]>", html)
    assert " ".join(repr(curves).split()) == " ".join([curves.caption, *cells])
    assert max(map(len, repr(curves).splitlines())) <= 80


def test_the_chart_needs_no_network() -> None:
    """The chart has no address, no script, and no menu that would send it to another site."""
    text = json.dumps(SMALL.chart())
    assert "http" not in text
    assert SMALL.chart()["usermeta"]["embedOptions"]["actions"] is False
    assert "<script" not in SMALL._repr_html_()


def test_a_notebook_shows_chart_and_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chart and the table are two outputs, each with a text."""
    shown: list[dict[str, object]] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    overhead(bytes(100), [9, 20])._ipython_display_()
    chart, table = shown
    assert set(chart) == {CHART, "text/plain"}
    assert chart[CHART] == overhead(bytes(100), [9, 20]).chart()
    words = str(chart["text/plain"]).splitlines()
    assert " ".join(words) == overhead(bytes(100), [9, 20]).description
    assert max(map(len, words)) <= 80
    assert set(table) == {"text/html", "text/plain"}
    assert table["text/plain"] == repr(overhead(bytes(100), [9, 20]))
