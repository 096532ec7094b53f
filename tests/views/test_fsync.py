"""The view that times an fsync: what it says before and after, and what it leaves behind."""

import re
from itertools import count
from pathlib import Path

import pytest

from kvlib import views
from kvlib.views.fsync import BUTTON, NAMES, Times, _shown, draw, measure


def test_nothing_is_measured_before_the_button_is_pressed(tmp_path: Path) -> None:
    """The picture has a question mark for each bar, and is the same everywhere."""
    view = views.fsync(tmp_path)
    text = repr(view)
    assert text.count("?") == 1 + len(NAMES)
    assert BUTTON in text
    assert list(tmp_path.iterdir()) == []
    bundle = view._repr_mimebundle_()
    assert bundle["text/html"] == draw(None).html()
    assert bundle["text/plain"] == repr(views.fsync())


def test_the_button_measures_and_leaves_nothing(tmp_path: Path) -> None:
    """A number stands for each question mark afterwards; the folder is as it was."""
    view = views.fsync(tmp_path)
    view.buttons[BUTTON].click()
    numbers = re.findall(r"[\d.]+ (?:µs|ms)$", repr(view), re.MULTILINE)
    assert len(numbers) == len(NAMES)
    assert list(tmp_path.iterdir()) == []
    assert "<svg" in view.screen.value


def test_a_folder_that_cannot_be_written_is_said_in_a_line(tmp_path: Path) -> None:
    """The view stays, and can be pressed again."""
    view = views.fsync(tmp_path / "missing")
    view.buttons[BUTTON].click()
    assert "couldn't be measured" in " ".join(repr(view).split())
    (tmp_path / "missing").mkdir()
    view.buttons[BUTTON].click()
    assert "couldn't" not in repr(view)


def test_times_are_medians_for_one_write(tmp_path: Path) -> None:
    """By a clock that goes one second at each look, a write in a group costs a 64th of one."""
    ticks = count()
    assert measure(tmp_path, lambda: next(ticks)) == Times(1, 1, 1 / 64)


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (Times(2e-6, 150e-6, 4e-6), "take as long as 75 writes alone. If 64 writes share one"),
        (Times(2e-6, 3e-6, 2e-6), "costs next to nothing here"),
    ],
)
def test_the_sentence_says_what_the_numbers_say(times: Times, said: str) -> None:
    """An fsync that costs nothing is doubted."""
    assert said in draw(times).positions[0].says


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (2.3e-6, "2.3 µs"),
        (4e-7, "0.4 µs"),
        (1.48e-4, "150 µs"),
        (9.96e-4, "1.0 ms"),
        (0.0212, "21 ms"),
        (0.3, "300 ms"),
    ],
)
def test_a_time_has_two_digits(seconds: float, shown: str) -> None:
    """And a unit in which it is easy to read."""
    assert _shown(seconds) == shown


def test_in_a_browser_there_is_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """There the view says so."""
    monkeypatch.setattr("sys.platform", "emscripten")
    assert "In a browser" in draw(None).positions[0].says


def test_a_bar_stays_in_the_picture() -> None:
    """However fast or slow the disk is."""
    for seconds in (1e-9, 1e-3, 9.0):
        shapes = "".join(draw(Times(seconds, seconds * 10, seconds)).fixed)
        for x, wide in re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', shapes):
            assert float(wide) > 0
            assert float(x) + float(wide) <= 860
