"""Standard streams that are closed, full or broken; test_commands.py has the real ones."""

import io
import os
import sys
from pathlib import Path

import pytest

from kvlib import __main__ as command
from kvlib.cli import streams
from kvlib.cli.streams import OutputError


class Full(io.StringIO):
    """A device that takes no more."""

    def write(self, text: str) -> int:
        """Fail."""
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        """Fail: it had promised to write."""
        raise OSError(28, "No space left on device")


def test_a_closed_output_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has None in its place."""
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match="closed"):
        streams.say("x")
    streams.flush()
    streams.give_up()


def test_a_stream_that_python_closed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written to it would be a ValueError."""
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(OutputError, match="closed file"):
        streams.say("x")


def test_a_full_device_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is written to, or at the latest when that is flushed; then it is given up."""
    monkeypatch.setattr(sys, "stdout", Full())
    for use in (streams.say, streams.flush):
        with pytest.raises(OutputError, match="No space left on device"):
            use()
    streams.give_up()  # a StringIO has no number: there is nothing to let go of


def test_complaints_are_lost_if_nobody_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """They stop nothing."""
    for stream in (None, Full()):
        monkeypatch.setattr(sys, "stderr", stream)
        streams.complain("x")


def test_what_is_given_up_is_not_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number leads to where everything disappears, so that Python's own last flush succeeds."""
    (tmp_path / "file").touch()
    read_only = os.open(tmp_path / "file", os.O_RDONLY)  # each write to it fails
    with open(read_only, "w", encoding="utf-8") as stream:
        stream.write("held back")
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(OutputError):
            streams.flush()
        streams.give_up()
    assert (tmp_path / "file").read_bytes() == b""


def test_numbers_of_closed_streams_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to 2; the next one is given back."""
    numbers = iter([0, 2, 3])
    closed: list[int] = []
    monkeypatch.setattr(os, "open", lambda *_: next(numbers))
    monkeypatch.setattr(os, "close", closed.append)
    streams.open_closed()
    assert closed == [3]


def test_an_output_that_fails_is_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was printed may be held back until the end."""
    monkeypatch.setattr(streams, "flush", fail)
    monkeypatch.setattr("kvlib.cli.commands.run_command", lambda argv: 0)
    assert command.main([]) == 2
    assert capsys.readouterr().err == "kvlib: standard output can't be written: full\n"


def fail() -> None:
    """Fail."""
    raise OutputError("full")
