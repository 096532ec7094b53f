"""An fsync timed on your own disk. Nothing is measured until you press the button."""

import sys
from collections.abc import Callable, Iterator
from html import escape
from math import log10
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Final, NamedTuple

from kvlib.directory import DirectoryDisk
from kvlib.disk import Path
from kvlib.layout.text import hanging
from kvlib.views import svg
from kvlib.views.figure import Figure, Position
from kvlib.views.html import Screen

if TYPE_CHECKING:
    from kvlib.views.widgets import Explorer

BUTTON: Final = "Measure on this disk"
DATA: Final = bytes(100)
SHARED: Final = 64  # writes for one fsync
ROUNDS: Final = 100
SECONDS: Final = 2.0  # no round begins later
NAMES: Final = ("write", "write, then fsync", f"{SHARED} writes share an fsync")
# The axis is logarithmic, from one microsecond to a tenth of a second.
TICKS: Final = ("1 µs", "10 µs", "100 µs", "1 ms", "10 ms", "100 ms")
LEFT: Final = 250.0
DECADE: Final = (svg.WIDTH - svg.MARGIN - LEFT - 90) / (len(TICKS) - 1)
TOP: Final = 108.0
ROW: Final = 46.0

Clock = Callable[[], float]


class Times(NamedTuple):
    """The medians of what was measured, in seconds for each write of 100 bytes.

    Attributes:
        write: for a write alone.
        synced: for a write and its fsync.
        shared: for one of 64 writes that share an fsync.
    """

    write: float
    synced: float
    shared: float


def fsync(folder: Path = ".") -> "Explorer":
    """Show a button that times writes with and without fsync on the disk of `folder`.

    It takes about two seconds. The file it writes is deleted at the end.
    """
    from kvlib.views.widgets import Explorer

    found: list[Times | OSError | None] = [None]

    def press(_: object) -> dict[str, object]:
        try:
            found[0] = measure(folder)
        except OSError as error:
            found[0] = error
        return {}

    def show() -> Screen:
        if isinstance(found[0], OSError):
            figure = draw(None, f"This couldn't be measured: {found[0]}.")
        else:
            figure = draw(found[0])
        said = escape(figure.positions[0].says)
        return Screen(figure.text, f"{figure.still()}<p>{said}</p>", figure.html())

    return Explorer(show, {}, {BUTTON: press})


def measure(folder: Path, clock: Clock = perf_counter) -> Times:
    """Return the times of writes to a new file in `folder`, which is then deleted.

    Raises OSError if nothing can be written there.
    """
    times: tuple[list[float], list[float], list[float]] = ([], [], [])
    with TemporaryDirectory(dir=folder) as place:
        disk = DirectoryDisk(place)
        with disk.lock():
            disk.write("times", b"")
            end = clock() + SECONDS
            for _ in range(ROUNDS):
                for row, (writes, synced) in enumerate([(1, False), (1, True), (SHARED, True)]):
                    begin = clock()
                    for _ in range(writes):
                        disk.append("times", DATA)
                    if synced:
                        disk.sync("times")
                    times[row].append((clock() - begin) / writes)
                disk.sync("times")  # the next write alone shall not wait for this round's bytes
                if clock() > end:
                    break
    return Times(*map(median, times))


def draw(times: Times | None, trouble: str = "") -> Figure:
    """Return the bars, or what will be measured if there are no times yet."""
    says = trouble or _verdict(times)
    title = "What does an fsync cost on your disk?"
    height = TOP + len(NAMES) * ROW + 34
    lines = [title, "", *_lines(times), "", *hanging("", says)]
    return Figure(
        title=title,
        height=height,
        control="",
        positions=(Position("", says),),
        text="\n".join(lines),
        fixed=tuple(_shapes(times)),
    )


def _verdict(times: Times | None) -> str:
    if sys.platform == "emscripten":
        return "In a browser there is no disk to wait for, so an fsync costs nothing here."
    if times is None:
        return f"Press “{BUTTON}”. It takes about two seconds, and leaves nothing on your disk."
    factor = times.synced / times.write
    if factor < 3:
        return (
            "An fsync costs next to nothing here. Perhaps this folder is in memory, or something"
            " between you and the disk answers before the bytes are safe."
        )
    return (
        f"On this disk, a write and its fsync take as long as {factor:,.0f} writes alone. If"
        f" {SHARED} writes share one fsync, each of them takes {_shown(times.shared)}."
    )


def _lines(times: Times | None) -> Iterator[str]:
    width = max(map(len, NAMES))
    for name, value in zip(NAMES, times or [None] * len(NAMES), strict=True):
        yield f"  {name:<{width}}  {'?' if value is None else _shown(value):>8}"


def _shown(seconds: float) -> str:
    """Return a time with two digits and its unit.

    >>> _shown(0.0000023), _shown(0.000148), _shown(0.0212)
    ('2.3 µs', '150 µs', '21 ms')
    """
    micro = seconds * 1e6
    digits = 10.0 ** (1 - int(log10(micro)) if micro >= 1 else 1)
    micro = round(micro * digits) / digits
    value, unit = (micro / 1000, "ms") if micro >= 1000 else (micro, "µs")
    return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"


def _shapes(times: Times | None) -> Iterator[str]:
    yield svg.text(svg.MARGIN, 68, "time for each write of 100 bytes, in steps of ten", "ink2")
    bottom = TOP + len(NAMES) * ROW - 8
    for step, tick in enumerate(TICKS):
        x = LEFT + step * DECADE
        yield svg.line(x, TOP - 10, x, bottom, "rule", stroke=1)
        yield svg.text(x, bottom + 20, tick, "ink2", size=15, anchor="middle")
    for row, name in enumerate(NAMES):
        y = TOP + row * ROW
        yield svg.text(LEFT - 14, y + 21, name, size=17, anchor="end")
        if times is None:
            yield svg.box(LEFT, y, 2 * DECADE, 30, "card", "mark", dashed=True)
            yield svg.text(LEFT + DECADE, y + 22, "?", "ink2", size=19, bold=True, anchor="middle")
            continue
        steps = min(max(log10(times[row] * 1e6), 0.05), len(TICKS) - 1)
        yield svg.box(LEFT, y, steps * DECADE, 30, "header" if row == 0 else "length", "mark")
        yield svg.text(LEFT + steps * DECADE + 10, y + 21, _shown(times[row]), bold=True)
