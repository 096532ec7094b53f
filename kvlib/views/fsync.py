"""An fsync timed on the learner's own disk. Nothing is measured until a button is pressed."""

import os
import sys
from collections.abc import Iterator
from html import escape
from math import log10
from typing import TYPE_CHECKING, Final

from kvlib.disk import Path
from kvlib.layout.text import COLUMNS, fit, hanging
from kvlib.views import arguments, svg, timing
from kvlib.views.figure import Figure, Position
from kvlib.views.html import Screen
from kvlib.views.timing import SHARED, Times

if TYPE_CHECKING:
    from kvlib.views.widgets import Explorer

BUTTON: Final = "Measure on this disk"
CAPTION: Final = f"time for each write of {len(timing.DATA)} bytes"
# What is timed, as the name of its bar and in words below it.
KINDS: Final = (
    ("a write", "no wait for the disk"),
    ("a write, then fsync", "one wait for each write"),
    (f"{SHARED} writes, one fsync", f"one wait for {SHARED} writes"),
)
INVITED: Final = (
    f"To replace each “?” with a time, run this cell and press “{BUTTON}”. It times a write alone,"
    f" a write with an fsync, and {SHARED} writes that share one. That takes about two seconds at"
    " most, and the file that it writes to is deleted at the end."
)
WAITING: Final = "Measuring. This takes about two seconds at most."
IN_BROWSER: Final = (
    "This Python runs in your browser. Its files are in memory, and an fsync has no disk to wait"
    " for. To time one, run the notebook on your own computer."
)
CHEAP: Final = 3  # writes; an fsync that costs less hasn't waited for a disk
CHEAPER: Final = (
    "A disk is rarely that fast. Perhaps the folder is in memory (a tmpfs has no medium to wait"
    " for), or a drive or a virtual machine says “done” too early."
)
SLOW: Final = 1e-4  # seconds; a write that takes longer does more than fill memory
THROUGH: Final = "Here the write itself seems to wait for the disk."
FULL: Final = "Timed with F_FULLFSYNC: on macOS, os.fsync leaves the bytes in the drive's cache."
LESSONS: Final = (
    "You can conclude what an fsync costs a program here, and how much sharing one saves.",
    "You can't conclude that the bytes are safe. A drive or a virtual machine may say “done” before"
    " they have reached the medium, and the clock can't tell.",
    "You can't conclude much about other disks, or about this one on a busy day.",
    "On macOS, os.fsync leaves the bytes in the drive's cache. So where Python has"
    " fcntl.F_FULLFSYNC, this view calls that.",
)  # fmt: skip

# The axis is logarithmic, from 0.1 microseconds to 100 milliseconds.
TICKS: Final = ("0.1 µs", "1 µs", "10 µs", "100 µs", "1 ms", "10 ms", "100 ms")
LOWEST: Final = 1e-7  # seconds
USUAL: Final = (("memory", 3e-7, 1e-5), ("an SSD", 2e-5, 5e-3), ("a hard disk", 6e-3, 6e-2))
LEFT: Final = 288.0
DECADE: Final = 80.0
TOP: Final = 90.0
ROW: Final = 66.0
BAR: Final = 36.0
BOTTOM: Final = TOP + len(KINDS) * ROW
HEIGHT: Final = BOTTOM + 92


def fsync(folder: Path = ".") -> "Explorer":
    """Show a button that times writes with and without an fsync, on the disk of `folder`.

    It takes about two seconds at most. The file that it writes to is deleted. If the folder can't
    be written to, the view says so, and the button can be pressed again.

    Raises TypeError if `folder` isn't a path.
    """
    arguments.check_kind("fsync", folder, (str, os.PathLike), "takes the path of a folder")
    from kvlib.views.widgets import Explorer

    measured: Times | None = None
    trouble = ""

    def press(_: object) -> dict[str, object]:
        nonlocal measured, trouble
        view.screen.value = _screen(draw(measured, WAITING)).html
        try:
            measured, trouble = timing.measure(folder), ""
        except (OSError, ValueError) as error:
            trouble = _trouble(folder, error)
        except KeyboardInterrupt:
            trouble = "The measurement was interrupted."
        if trouble and measured:
            trouble += " The numbers are from the last measurement that worked."
        return {}

    if sys.platform == "emscripten":
        return Explorer(lambda: _screen(draw(None, IN_BROWSER)), {})
    view = Explorer(lambda: _screen(draw(measured, trouble)), {}, {BUTTON: press})
    return view


def draw(times: Times | None, notice: str = "") -> Figure:
    """Return the bars for measured times, or dashed ones without numbers if there are none yet.

    Args:
        times: what was measured, or None.
        notice: what to say first, such as why nothing could be measured.
    """
    title = _title(times)
    says = " ".join(filter(None, (notice, _says(times) if times or not notice else "")))
    folded = [("What you can conclude, and what you can't", _listed(LESSONS))]
    if times:
        folded.insert(0, ("All numbers", _table(times)))
    return Figure(
        title=title,
        height=HEIGHT,
        control="",
        positions=(Position("", says),),
        text="\n".join(_text(title, times, says)),
        fixed=(*_axis(), *_bars(times)),
        folded=tuple(folded),
    )


def _screen(figure: Figure) -> Screen:
    return Screen(figure.text, figure.still(told=True), figure.html())


def _trouble(folder: Path, error: OSError | ValueError) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    where = fit(repr(os.fspath(folder)), COLUMNS)
    return f"Nothing was measured, because no file can be written in {where}: {reason}."


def _factor(times: Times) -> float:
    """Return how many writes take as long as an fsync."""
    return max(0.0, times.synced - times.alone) / max(times.alone, 1e-9)


def _title(times: Times | None) -> str:
    if times is None:
        return "What does an fsync cost on your disk?"
    factor = _factor(times)
    if factor < CHEAP:
        return "Here an fsync costs hardly more than a write"
    return f"On this disk, an fsync costs as much as {_rounded(factor):,g} writes"


def _says(times: Times | None) -> str:
    if times is None:
        return INVITED
    said = (
        f"A write takes {in_words(times.alone)}, and {in_words(times.synced)} with an fsync. If"
        f" {SHARED} writes share one fsync, each takes {in_words(times.shared)}."
    )
    if _factor(times) < CHEAP:
        said = f"{said} {THROUGH if times.alone > SLOW else CHEAPER}"
    return said if times.call == "os.fsync" else f"{said} {FULL}"


def _rounded(number: float) -> float:
    return float(f"{number:.2g}")


def in_words(seconds: float) -> str:
    """Return a time with two digits and its unit.

    >>> in_words(0.0000023), in_words(0.000148), in_words(0.0212)
    ('2.3 µs', '150 µs', '21 ms')
    """
    micro = _rounded(seconds * 1e6)
    unit, size = ("µs", 1.0) if micro < 1e3 else ("ms", 1e3) if micro < 1e6 else ("s", 1e6)
    number = micro / size
    return f"{number:#.2g} {unit}" if number < 10 else f"{number:.0f} {unit}"


# ---------------------------------------------------------------------------------------- as text


def _rows(times: Times | None) -> list[tuple[str, str, str]]:
    """Return the name, the time and the number of rounds of each kind."""
    if times is None:
        return [(name, "?", "") for name, _ in KINDS]
    return [
        (name, in_words(seconds), f"{rounds:,}")
        for (name, _), seconds, rounds in zip(KINDS, times.seconds, times.rounds, strict=True)
    ]


def _text(title: str, times: Times | None, says: str) -> Iterator[str]:
    yield title
    yield ""
    yield f"{CAPTION:<34}{'median':>8}{'rounds':>10}" if times else CAPTION
    for name, shown, rounds in _rows(times):
        yield f"  {name:<32}{shown:>8}{rounds:>10}".rstrip()
    yield ""
    yield from hanging("", says)
    if times:
        yield ""
        for lesson in LESSONS:
            yield from hanging("- ", lesson)


def _table(times: Times) -> str:
    rows = "".join(
        f"<tr><th scope=row>{name}</th><td>{shown}</td><td>{rounds}</td></tr>"
        for name, shown, rounds in _rows(times)
    )
    return (
        f"<table><caption>{CAPTION}, measured with {escape(times.call)}</caption><tr>"
        "<th scope=col>timed</th><th scope=col>median</th><th scope=col>rounds</th></tr>"
        f"{rows}</table>"
    )


def _listed(lines: tuple[str, ...]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


# --------------------------------------------------------------------------------- as a picture


def _x(seconds: float) -> float:
    """Return where a time is on the axis, or the nearest place on it."""
    steps = log10(max(seconds, LOWEST) / LOWEST)
    return LEFT + min(steps, len(TICKS) - 1) * DECADE


def _axis() -> Iterator[str]:
    """Yield the axis, and which times are usual for what."""
    yield svg.text(svg.MARGIN, 70, f"{CAPTION}; each line is ten times the one before", "ink2")
    for step, tick in enumerate(TICKS):
        x = LEFT + step * DECADE
        yield svg.line(x, TOP, x, BOTTOM, "rule", stroke=1.2)
        yield svg.text(x, BOTTOM + 21, tick, "ink2", anchor="middle")
    yield svg.line(LEFT, BOTTOM, LEFT + (len(TICKS) - 1) * DECADE, BOTTOM, "mark")
    y = BOTTOM + 40
    yield svg.text(svg.MARGIN, y + 26, "usual times for", "ink2")
    for name, low, high in USUAL:
        left, right = _x(low), _x(high)
        d = f"M{svg.number(left)} {svg.number(y - 5)}v6H{svg.number(right)}v-6"
        yield svg.path(d, "mark")
        yield svg.text((left + right) / 2, y + 26, name, "ink2", anchor="middle")


def _bars(times: Times | None) -> Iterator[str]:
    """Yield a bar with its name for each kind: equally long and dashed without times."""
    for row, (name, words) in enumerate(KINDS):
        y = TOP + 10 + row * ROW
        yield svg.text(svg.MARGIN, y + 14, name, size=18, bold=True)
        yield svg.text(svg.MARGIN, y + 35, words, "ink2")
        if times is None:
            wide = 3 * DECADE
            yield svg.box(LEFT, y, wide, BAR, "card", "mark", dashed=True)
            yield svg.text(LEFT + wide / 2, y + 26, "?", size=22, bold=True, anchor="middle")
            continue
        wide = max(_x(times.seconds[row]) - LEFT, 3)
        shown = in_words(times.seconds[row])
        room = svg.measure(shown, 18, bold=True)
        yield svg.box(LEFT, y, wide, BAR, "rule", "mark")
        end = LEFT + wide
        left = end + 10 if end + 10 + room < svg.WIDTH - svg.MARGIN else end - 10 - room
        if left > end:  # over the lines of the axis
            yield svg.box(left - 4, y + 7, room + 4, 22, "card")
        yield svg.text(left, y + 25, shown, size=18, bold=True)
