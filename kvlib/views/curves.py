"""Measured curves: the costs of a threshold and of a segment size, as a chart and as a table.

The chart is a Vega-Lite specification: plain data, which JupyterLab draws without a network and
without another package. Elsewhere its description is shown instead. The table has every figure,
and is always shown.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final, NamedTuple

from kvlib import encoding, segments
from kvlib.disk import MemoryDisk
from kvlib.durable import DurableStore, Status
from kvlib.encoding import Item
from kvlib.errors import check_int
from kvlib.frame import PREAMBLE, SEGMENT, seal
from kvlib.layout.text import hanging
from kvlib.plural import count
from kvlib.views import arguments
from kvlib.views.plain import first

CHART: Final = "application/vnd.vegalite.v5+json"  # JupyterLab 4 draws this version
INKS: Final = ("#009E73", "#D55E00")  # 3:1 or more on white, and on the dark theme's #333333
SHAPES: Final = ("circle", "square")
MAX_RECORDS: Final = 50_000_000  # for all compactions of one call: about half a minute

Number = int | float


class Panel(NamedTuple):
    """The columns that share a pair of axes, and their unit."""

    title: str
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Curves:
    """Figures that show themselves, in a notebook as a chart above a table.

    Attributes:
        caption: the subject of the measurement.
        columns: the headings; the first column is the choice.
        rows: a tuple of numbers for each choice, in rising order.
        panels: the panels of the chart, from top to bottom.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Number, ...], ...]
    panels: tuple[Panel, ...]

    @property
    def description(self) -> str:
        """Describe the chart in words."""
        first, last = self.rows[0], self.rows[-1]
        x = self.columns[0]
        ends = [
            f"{self.columns[at]} goes from {_shown(first[at])} to {_shown(last[at])}"
            for panel in self.panels
            for at in panel.columns
        ]
        between = f"From {x} {_shown(first[0])} to {x} {_shown(last[0])}"
        return f"Line chart. {self.caption}. {between}, {'; '.join(ends)}."

    def chart(self) -> dict[str, Any]:
        """Return the Vega-Lite specification."""
        return {
            "description": self.description,
            # No menu, because it offers to send the chart to another site.
            "usermeta": {"embedOptions": {"actions": False, "renderer": "svg"}},
            "vconcat": [self._drawn(panel) for panel in self.panels],
            "resolve": {"scale": {"color": "independent", "shape": "independent"}},
        }

    def _drawn(self, panel: Panel) -> dict[str, Any]:
        names = [self.columns[at] for at in panel.columns]
        values = [
            {"x": row[0], "y": row[at], "line": self.columns[at]}
            for row in self.rows
            for at in panel.columns
        ]
        legend = {"orient": "top", "title": None} if len(names) > 1 else None
        encoding = {
            "x": _axis("x", self.columns[0], values=[row[0] for row in self.rows]),
            "y": _axis("y", panel.title),
            "color": _by_line(names, INKS, legend),
        }
        points = {
            "mark": {"type": "point", "filled": True, "opacity": 1, "size": 70, "tooltip": True},
            "encoding": {"shape": _by_line(names, SHAPES, legend)},
        }
        layers = [{"mark": "line"}, points]
        size = {"width": 270, "height": 170}
        return {"data": {"values": values}, "encoding": encoding, "layer": layers, **size}

    def lines(self) -> Iterator[str]:
        """Yield the table as text."""
        table = [self.columns, *(tuple(map(_shown, row)) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        yield from hanging("", self.caption)
        for row in table:
            yield "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        # allows a line break
        names = [escape(name).replace("_", "_<wbr>") for name in self.columns]
        heads = "".join(f'<th scope="col">{name}</th>' for name in names)
        rows = "\n".join(
            f'<tr><th scope="row">{_shown(row[0])}</th>'
            f"{''.join(f'<td>{_shown(cell)}</td>' for cell in row[1:])}</tr>"
            for row in self.rows
        )
        return (
            f'<table class="kvlib-curves">\n<caption>{escape(self.caption)}</caption>\n'
            f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
        )

    def _ipython_display_(self) -> None:
        # Two outputs, because a page shows a single form of an output.
        from IPython.display import display

        words = "\n".join(hanging("", self.description))
        display({CHART: self.chart(), "text/plain": words}, raw=True)
        display({"text/html": self._repr_html_(), "text/plain": repr(self)}, raw=True)


def _axis(field: str, title: str, **ticks: object) -> dict[str, Any]:
    axis = {"grid": False, "labelOverlap": "greedy", **ticks}
    scale = {"type": "log", "nice": False, "padding": 12}
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, "axis": axis}


def _by_line(names: list[str], marks: Sequence[str], legend: object) -> dict[str, Any]:
    scale = {"domain": names, "range": [*marks[: len(names)]]}
    return {"field": "line", "type": "nominal", "scale": scale, "legend": legend}


def _shown(number: Number) -> str:
    if isinstance(number, int):
        return f"{number:,}"
    return f"{number:,.1f}" if number >= 100 else f"{number:#.3g}"


def compactions(
    keys: int = 1000, puts: int = 8000, thresholds: Iterable[int] = (50, 100, 200, 500, 1000, 2000)
) -> Curves:
    """Measure a fixed threshold: its cost in records written, its gain in records replayed.

    A real store with `keys` keys takes `puts` puts, once for each threshold, and compacts when it
    has so many pending mutations. Records are counted in the log and in snapshots. The length of a
    replay is measured after each put, before the compaction that the put may cause.

    Raises ValueError for a threshold above `puts`, which would never compact, and for very many
    compactions; TypeError for other types.
    """
    check_int("keys", keys, 1, 10**6)
    check_int("puts", puts, 1, 10**6)
    arguments.check_kind("thresholds", thresholds, Iterable, "is a list of ints")
    chosen = sorted(
        {check_int("a threshold", threshold, 1, puts) for threshold in first(thresholds)}
    )
    if not chosen:
        raise ValueError("no threshold is given")
    written = sum(puts // threshold * keys for threshold in chosen)
    if written > MAX_RECORDS:
        raise ValueError(f"{written:,} records would be written: take fewer keys, or fewer puts")
    columns = ("threshold", "written per put", "replayed at worst", "replayed on average")
    rows = tuple(_compacted(keys, puts, threshold) for threshold in chosen)
    panels = Panel("records written per put", (1,)), Panel("records replayed", (2, 3))
    caption = f"The cost of compacting at a threshold: {count(keys, 'key')}, {count(puts, 'put')}"
    return Curves(caption, columns, rows, panels)


def _compacted(keys: int, puts: int, threshold: int) -> tuple[Number, ...]:
    replayed: list[int] = []

    def policy(status: Status) -> bool:
        replayed.append(status.pending)
        return status.pending >= threshold

    with DurableStore(MemoryDisk(), sync="never", policy=policy) as store:
        store.update({str(number): "old" for number in range(keys)})
        store.compact()
        before = store.status().compactions
        replayed.clear()
        for number in range(puts):
            store.put(str(number % keys), "new")
        snapshots = store.status().compactions - before
    written = (puts + snapshots * keys) / puts
    return threshold, written, max(replayed), sum(replayed) / puts


def overhead(
    stream: bytes | bytearray | Mapping[Item, Item],
    sizes: Iterable[int] = (16, 32, 64, 128, 256, 1024, 4096, 16384),
) -> Curves:
    """Measure how many bytes of headers segments add to each byte of a stream, bare and sealed.

    Args:
        stream: a snapshot stream, or its records. Not empty.
        sizes: the largest bare segments, in bytes, each 9 or more.

    Raises ValueError for an empty stream and impossible sizes, TypeError for other types.
    """
    expected = "takes a snapshot stream, or records, as a dict or a store"
    arguments.check_kind("overhead", stream, (bytes, bytearray, Mapping), expected)
    arguments.check_kind("sizes", sizes, Iterable, "is a list of ints")
    data = encoding.encode_snapshot(stream) if isinstance(stream, Mapping) else bytes(stream)
    chosen = sorted({segments.check_size(size) for size in first(sizes)})
    if not data or not chosen:
        raise ValueError("there is no byte to split" if chosen else "no segment size is given")
    columns = ("max_segment_size", "segments", "bare", "sealed")
    caption = f"Bytes of headers for each byte of a stream of {count(len(data), 'byte')}"
    rows = tuple(_split(data, size) for size in chosen)
    return Curves(caption, columns, rows, (Panel("bytes of headers per byte", (2, 3)),))


def _split(data: bytes, size: int) -> tuple[Number, ...]:
    bare = segments.split(data, size)
    sealed = [PREAMBLE + seal(SEGMENT, 1, segment) for segment in bare]
    extra = [(sum(map(len, pieces)) - len(data)) / len(data) for pieces in (bare, sealed)]
    return size, len(bare), *extra
