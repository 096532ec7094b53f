"""A terminal shows the progress of a command on one line, which is gone at the end."""

import io
import itertools
import re
import sys
from pathlib import Path

import pytest

from helpers.commands import LOG_SIZE, Run
from kvlib.cli import progress


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second pass between any two lines."""
    seconds = itertools.count()
    monkeypatch.setattr(progress, "monotonic", lambda: next(seconds))


@pytest.mark.parametrize("command", ["dump", "check", "compact"])
def test_progress_is_only_shown_on_a_terminal(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The line says how many bytes were read and written, and is erased at the end."""
    assert "\r" not in run(command, store)[2]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _, _, err = run(command, store)
    shown = err.split("\r")
    assert any(re.match(r"[\d,]+ bytes read, [\d,]+ written", text) for text in shown)
    assert (shown[-2].strip(), shown[-1]) == ("", "")


def test_progress_through_a_file_is_shown(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is none while a dump itself appears on the terminal."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for command in ("dump", "check"):
        assert f"\rlog: {LOG_SIZE} of {LOG_SIZE} bytes" in run(command, store / "log")[2]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run("dump", store / "log")[2] == ""


def test_progress_is_shown_four_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is erased that wasn't shown."""
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", screen)
    clock = iter([0.0, 0.1, 0.3, 0.4])
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    line = progress.ProgressLine()
    for text in ("one", "two", "three"):
        line.show(text)
    line.clear()
    line.clear()
    assert screen.getvalue() == "\rtwo\r   \r"
