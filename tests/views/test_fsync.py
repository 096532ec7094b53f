"""The view that times an fsync: what it says before and after, and what it leaves behind.

No test depends on a disk: the numbers are given, or the measurement is replaced.
"""

import errno
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.golden import check_width
from kvlib import views
from kvlib.views import svg, timing
from kvlib.views.fsync import (
    BAR,
    BUTTON,
    CHEAPER,
    DECADE,
    FULL,
    KINDS,
    LEFT,
    LESSONS,
    THROUGH,
    TICKS,
    draw,
    in_words,
)
from kvlib.views.timing import Times
from kvlib.views.widgets import Explorer

SSD = Times(1.7e-6, 188e-6, 6.7e-6)
BEFORE = """\
What does an fsync cost on your disk?

time for each write of 100 bytes
  a write                                ?
  a write, then fsync                    ?
  64 writes, one fsync                   ?

To replace each “?” with a time, run this cell and press “Measure on this disk”.
It times a write alone, a write with an fsync, and 64 writes that share one.
That takes about two seconds at most, and the file that it writes to is deleted
at the end."""
AFTER = """\
On this disk, an fsync costs as much as 110 writes

time for each write of 100 bytes    median    rounds
  a write                           1.7 µs       200
  a write, then fsync               190 µs       200
  64 writes, one fsync              6.7 µs       200

A write takes 1.7 µs, and 190 µs with an fsync. If 64 writes share one fsync,
each takes 6.7 µs.
"""


def faked(monkeypatch: pytest.MonkeyPatch, *answers: Times | BaseException) -> None:
    """Replace the measurement: each press gets the next of the answers."""
    left = iter(answers)

    def measure(folder: object) -> Times:
        answer = next(left)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr(timing, "measure", measure)


def press(view: Explorer) -> str:
    """Press the button, and return the text in one line."""
    view.buttons[BUTTON].click()
    return " ".join(repr(view).split())


# --------------------------------------------------------------------------------- before a press


def test_nothing_is_measured_before_the_button_is_pressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each bar has a question mark, and the text is the same everywhere."""
    faked(monkeypatch)  # a measurement would fail
    view = views.fsync(tmp_path)
    assert repr(view) == BEFORE
    bundle = view._repr_mimebundle_()
    assert bundle["text/plain"] == BEFORE
    assert (
        bundle["text/html"] == draw(None).html() == views.fsync()._repr_mimebundle_()["text/html"]
    )
    assert [*tmp_path.iterdir()] == []


def test_the_picture_without_numbers_tells_no_number() -> None:
    """The dashed bars are equally long; the times that are usual for a medium are on the axis."""
    shapes = "".join(draw(None).fixed)
    assert {wide for _, wide in bars(shapes)} == {3 * DECADE}
    assert shapes.count("stroke-dasharray") == shapes.count(">?<") == len(KINDS)
    assert all(f">{words}<" in shapes for words in ("memory", "an SSD", "a hard disk", *TICKS))
    assert not re.search(r"\d [µm]?s\b", draw(None).text)


def test_it_can_be_read_without_a_kernel() -> None:
    """The page has the picture with its text, and what one can conclude."""
    html = draw(None).html()
    assert '<img alt="What does an fsync cost on your disk? To replace each “?” with a time' in html
    assert all(lesson.split(".")[0].replace("'", "&#x27;") in html for lesson in LESSONS)


# ---------------------------------------------------------------------------------- after a press


def test_a_press_draws_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a table, and in the widget as bars; a second press measures again."""
    faked(monkeypatch, SSD, Times(1e-6, 5e-3, 8e-5, (200, 140, 139)))
    view = views.fsync()
    press(view)
    assert repr(view).startswith(AFTER)
    check_width(view)
    assert "as much as 110 writes" in view.screen.value
    assert "<p class=say>A write takes 1.7 µs, and 190 µs with an fsync." in view.screen.value
    assert view._repr_mimebundle_()["text/html"] == draw(SSD).html()
    assert "costs as much as 5,000 writes" in press(view)
    assert "<td>5.0 ms</td><td>140</td>" in view.screen.value


def test_a_real_measurement_leaves_nothing(tmp_path: Path) -> None:
    """Whatever the numbers are, there is one for each bar."""
    view = views.fsync(tmp_path)
    press(view)
    assert len(re.findall(r"^  \w.* [\d.]+ [µm]?s +\d+$", repr(view), re.M)) == len(KINDS)
    assert [*tmp_path.iterdir()] == []


def test_while_it_measures_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen changes before the measurement begins."""
    view, seen = views.fsync(), list[str]()

    def measure(folder: object) -> Times:
        seen.append(view.screen.value)
        return SSD

    monkeypatch.setattr(timing, "measure", measure)
    press(view)
    assert "<p class=say>Measuring." in seen[0]
    assert "Measuring" not in view.screen.value


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            OSError(errno.EROFS, "Read-only file system", "/x/kvlib-fsync-1"),
            "Read-only file system",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (ValueError("embedded null byte"), "embedded null byte"),
        (KeyboardInterrupt(), "The measurement was interrupted"),
    ],
)
def test_what_fails_is_said_in_a_line(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, reason: str
) -> None:
    """The view stays, with the numbers that it had, and can be pressed again."""
    faked(monkeypatch, error, SSD, error, SSD)
    view = views.fsync("data")
    said = press(view)
    assert f"{reason}." in said
    assert "?" in said
    assert "The numbers" not in said
    assert ("no file can be written in 'data'" in said) == (
        not isinstance(error, KeyboardInterrupt)
    )
    assert reason not in press(view)
    said = press(view)
    assert f"{reason}. The numbers are from the last measurement that worked. A write takes" in said
    assert "110 writes" in said
    assert repr(view) != BEFORE
    assert press(view) == " ".join(repr(draw(SSD)).split())


def test_a_folder_may_come_later(tmp_path: Path) -> None:
    """A folder that is missing is no error of the call."""
    view = views.fsync(tmp_path / "later")
    assert "Nothing was measured, because no file can be written in" in press(view)
    (tmp_path / "later").mkdir()
    assert "Nothing was measured" not in press(view)


# -------------------------------------------------------------------------------------- the words


@pytest.mark.parametrize(
    ("times", "title", "more"),
    [
        (SSD, "On this disk, an fsync costs as much as 110 writes", ""),
        (Times(5e-7, 0.0121, 2e-4), "On this disk, an fsync costs as much as 24,000 writes", ""),
        (Times(2e-6, 8.6e-6, 2e-6), "On this disk, an fsync costs as much as 3.3 writes", ""),
        (Times(1e-6, 2e-6, 1e-6), "Here an fsync costs hardly more than a write", CHEAPER),
        (Times(2e-6, 1e-6, 1e-6), "Here an fsync costs hardly more than a write", CHEAPER),
        (Times(6e-3, 7e-3, 6e-3), "Here an fsync costs hardly more than a write", THROUGH),
        (SSD._replace(call="fcntl.F_FULLFSYNC"), "On this disk, an fsync costs", FULL),
    ],
)
def test_the_words_are_those_of_the_numbers(times: Times, title: str, more: str) -> None:
    """The title compares; an fsync that costs nothing is doubted; macOS is mentioned there."""
    figure = draw(times)
    assert figure.title.startswith(title)
    assert len(figure.title) <= 60
    (position,) = figure.positions
    assert [one for one in (CHEAPER, THROUGH, FULL) if one in position.says] == [more] * bool(more)
    assert all(in_words(seconds) in position.says for seconds in times.seconds)
    assert f"measured with {times.call}</caption>" in figure.folded[0][1]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (2.3e-6, "2.3 µs"),
        (4e-7, "0.40 µs"),
        (9.96e-7, "1.0 µs"),
        (1.48e-4, "150 µs"),
        (9.96e-4, "1.0 ms"),
        (0.0212, "21 ms"),
        (0.3, "300 ms"),
        (0.999, "1.0 s"),
        (0.0, "0.0 µs"),
    ],
)
def test_a_time_has_two_digits(seconds: float, shown: str) -> None:
    """And a unit in which it is easy to read."""
    assert in_words(seconds) == shown


def test_in_the_browser_there_is_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """There the view says so, and has no button."""
    monkeypatch.setattr("sys.platform", "emscripten")
    view = views.fsync()
    assert view.buttons == {}
    assert "This Python runs in your browser." in repr(view)
    assert BUTTON not in repr(view)


# ------------------------------------------------------------------------------------ the picture


def bars(shapes: str) -> Iterator[tuple[float, float]]:
    """Yield where each bar begins, and how wide it is."""
    for x, wide in re.findall(rf'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="{BAR:g}"',
                              shapes):  # fmt: skip
        yield float(x), float(wide)


def test_a_bar_is_as_long_as_the_logarithm_of_its_time() -> None:
    """From 0.1 µs; a time that is ten times as long is one step further."""
    shapes = "".join(draw(Times(1e-6, 1e-2, 1e-4)).fixed)
    assert [*bars(shapes)] == [(LEFT, DECADE), (LEFT, 5 * DECADE), (LEFT, 3 * DECADE)]


@pytest.mark.parametrize("seconds", [0, 1e-12, 1e-7, 9e-4, 0.0499, 0.1, 99.0])
def test_everything_stays_in_the_picture(seconds: float) -> None:
    """However fast or slow the disk is, its bar and its number are within the margins."""
    figure = draw(Times(seconds, seconds, seconds))
    shapes = "".join(figure.fixed)
    for x, wide in bars(shapes):
        assert wide > 0
        assert x + wide <= LEFT + (len(TICKS) - 1) * DECADE
    for x, size, bold, words in re.findall(
        r'<text x="([\d.]+)" y="[\d.]+" font-size="([\d.]+)"( font-weight="600")? fill[^>]*>(.*?)<',
        shapes,
    ):
        assert float(x) + svg.measure(words, float(size), bold=bool(bold)) <= svg.WIDTH - 20


def test_names_leave_room_for_the_bars() -> None:
    """In DejaVu, the widest of the fonts."""
    for name, words in KINDS:
        assert svg.MARGIN + svg.measure(words) < LEFT - 10
        assert svg.MARGIN + svg.measure(name, 18, bold=True) < LEFT - 10
