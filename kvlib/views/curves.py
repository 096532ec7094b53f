"""Measured curves: the costs of a threshold and of a segment size, as a chart and as a table."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

from kvlib import encoding, segments
from kvlib.disk import MemoryDisk
from kvlib.durable import DurableStore, Status
from kvlib.encoding import Item
from kvlib.errors import check_int
from kvlib.frame import PREAMBLE, SEGMENT, seal
from kvlib.layout.text import hanging
from kvlib.plural import count
from kvlib.views import arguments, charts
from kvlib.views.charts import Number, Panel, shown
from kvlib.views.figure import Figure
from kvlib.views.plain import first

MAX_RECORDS: Final = 50_000_000  # for all compactions of one call: about half a minute
TITLE: Final = 60  # characters


@dataclass(frozen=True)
class Curves:
    """Figures that show themselves, in a notebook as a chart above a folded table.

    Attributes:
        title: what the figures say.
        caption: the subject of the measurement.
        columns: the headings; the first column is the choice.
        rows: a tuple of numbers for each choice, in rising order.
        panels: the panels of the chart, from top to bottom.
        says: a row as a sentence, with {1} for the figure in column 1.
    """

    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Number, ...], ...]
    panels: tuple[Panel, ...]
    says: str

    def figure(self) -> Figure:
        """Return the chart, with the table below it."""
        sentences = [self.says.format(*map(shown, row)) for row in self.rows]
        folded = (("All numbers", self.table()),)
        return charts.draw(
            self.title, self.columns, self.rows, self.panels, sentences, repr(self), folded
        )

    def lines(self) -> Iterator[str]:
        """Yield the table as text."""
        table = [self.columns, *(tuple(map(shown, row)) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        yield from hanging("", self.caption)
        for row in table:
            yield "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))

    def table(self) -> str:
        """Return the table as HTML."""
        heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.columns)
        rows = "\n".join(
            f'<tr><th scope="row">{shown(row[0])}</th>'
            f"{''.join(f'<td>{shown(cell)}</td>' for cell in row[1:])}</tr>"
            for row in self.rows
        )
        return (
            f"<table>\n<caption>{escape(self.caption)}</caption>\n"
            f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
        )

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.figure().html()}


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}×" if ratio >= 10 else f"{ratio:.2g}×"


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
    says = "Each put writes {1} records; a recovery replays {2} at worst, {3} on average."
    return Curves(_trade(rows), caption, columns, rows, panels, says)


def _trade(rows: tuple[tuple[Number, ...], ...]) -> str:
    """Return the saving of a larger threshold, and its price."""
    (low, most, fewest, _), (high, least, longest, _) = rows[0], rows[-1]
    if low == high:
        return f"At a threshold of {low:,}, a put writes {shown(most)} records"
    rarer = (
        f"A threshold {_times(high / low)} as high: 1/{_times(most / least)[:-1]} of the writing"
    )
    whole = f"{rarer}, {_times(longest / fewest)} the replay"
    return whole if len(whole) <= TITLE else rarer


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
    caption = f"Header bytes for each byte of a stream of {count(len(data), 'byte')}"
    rows = tuple(_split(data, size) for size in chosen)
    panels = (Panel("header bytes per byte of stream", (2, 3)),)
    says = "Segments: {1}. Headers add {2} bytes to each byte of the stream, or {3} if sealed."
    (low, *_, most), (high, *_, least) = rows[0], rows[-1]
    title = f"Headers of sealed segments add {_percent(most)} at {low:,} bytes"
    if low < high:
        title = f"Sealed headers add {_percent(most)} at {low:,} bytes, "
        title += f"{_percent(least)} at {high:,}"
    return Curves(title, caption, columns, rows, panels, says)


def _percent(part: float) -> str:
    return f"{100 * part:,.0f}%" if part >= 0.1 else f"{100 * part:.2g}%"


def _split(data: bytes, size: int) -> tuple[Number, ...]:
    bare = segments.split(data, size)
    sealed = [PREAMBLE + seal(SEGMENT, 1, segment) for segment in bare]
    extra = [(sum(map(len, pieces)) - len(data)) / len(data) for pieces in (bare, sealed)]
    return size, len(bare), *extra
