"""Standard streams may be closed, full or broken, in this process and in a shell."""

import io
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

import kvlib
from helpers.commands import COMMANDS, flip, in_a_shell, linux, unix
from kvlib import __main__ as command
from kvlib.__main__ import main
from kvlib.cli import streams
from kvlib.cli.streams import OutputError


class Full(io.StringIO):
    """A full device."""

    def write(self, text: str) -> int:
        """Fail."""
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        """Fail, because buffered text can't be written."""
        raise OSError(28, "No space left on device")


def closed_stream() -> io.StringIO:
    """Return a stream that raises ValueError if it is written to."""
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize(
    ("stream", "reason"),
    [(None, "it is closed"), (closed_stream(), "closed file"), (Full(), "No space left on device")],
)
def test_an_output_that_fails_says_why(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None, reason: str
) -> None:
    """It may be missing, closed by Python, or full. Giving it up never fails."""
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(OutputError, match=reason):
        streams.say("x")
    if isinstance(stream, Full):
        with pytest.raises(OutputError, match=reason):
            streams.flush()
    else:
        streams.flush()
    streams.give_up()


@pytest.mark.parametrize("stream", [None, Full()])
def test_errors_may_be_lost(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None) -> None:
    """A missing or full standard error stops nothing."""
    monkeypatch.setattr(sys, "stderr", stream)
    streams.complain("x")


def test_text_that_was_given_up_is_not_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream's file is replaced by the null device, so that Python's last flush succeeds."""
    (tmp_path / "file").touch()
    read_only = os.open(tmp_path / "file", os.O_RDONLY)  # each write to it fails
    with open(read_only, "w", encoding="utf-8") as stream:
        stream.write("held back")
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(OutputError):
            streams.flush()
        streams.give_up()
    assert (tmp_path / "file").read_bytes() == b""


def test_the_numbers_of_closed_streams_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are opened up to number 2; the next one is closed again."""
    numbers = iter([0, 2, 3])
    closed: list[int] = []
    monkeypatch.setattr(os, "open", lambda *_: next(numbers))
    monkeypatch.setattr(os, "close", closed.append)
    streams.open_closed()
    assert closed == [3]


def test_a_failing_last_flush_is_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Buffered text may only fail at the end."""
    monkeypatch.setattr(streams, "flush", Mock(side_effect=OutputError("full")))
    monkeypatch.setattr("kvlib.cli.commands.run_command", lambda argv: 0)
    assert command.main([]) == 2
    assert capsys.readouterr().err == "kvlib: standard output can't be written: full\n"


def test_text_that_cannot_be_encoded_is_escaped(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal that only knows ASCII shows a dump, too."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["dump", str(store)]) == 0
    assert b"'caf\\xe9'" in raw.getvalue()
    monkeypatch.setattr(sys, "stdout", io.StringIO())  # no encoding at all
    assert main(["dump", str(store)]) == 0


# --- in a shell -----------------------------------------------------------------------------------

LINES = [*COMMANDS, "--help", "--version"]


@unix
def test_a_broken_pipe_is_status_2(store: Path) -> None:
    """`kvlib dump store | head -1` ends with one line on standard error."""
    with kvlib.open(store) as opened:
        opened["much"] = "x" * 10**6
    dump = subprocess.Popen(
        [sys.executable, "-m", "kvlib", "dump", str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert dump.stdout is not None
    assert dump.stderr is not None
    dump.stdout.readline()
    dump.stdout.close()
    assert dump.wait(timeout=60) == 2
    assert dump.stderr.read() == b"kvlib: standard output can't be written: Broken pipe\n"
    dump.stderr.close()


@linux
@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("output", [">&-", ">/dev/full", "| head -c 0"])
def test_a_useless_output_is_status_2(store: Path, output: str, line: str) -> None:
    """If it is closed, full or not read, each command fails with one line."""
    status, out, err = in_a_shell(f"set -o pipefail; kvlib {line} {output}")
    if "head" in output and status == 0:
        return  # kvlib ended before head did
    if line.startswith("--") and output == ">&-":
        assert status in (0, 2)  # argparse prints to standard error, or not at all
        return
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("kvlib: standard output can't be written: ")


@linux
@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("others", ["2>&-", "2>/dev/full", "<&-", "<&- 2>&-"])
def test_other_streams_may_be_useless(store: Path, others: str, line: str) -> None:
    """The command succeeds, and writes nothing into a file that has the stream's number."""
    status, out, _ = in_a_shell(f"kvlib {line} {others}")
    assert status == 0
    assert out
    with kvlib.open(store) as opened:
        assert "café" in opened


@linux
@pytest.mark.parametrize("line", ["check store", "compact store", "backup store new"])
@pytest.mark.parametrize("useless", [">&-", ">/dev/full", "2>&-", "2>/dev/full", ">&- 2>&-"])
def test_damage_is_status_1_without_streams(store: Path, useless: str, line: str) -> None:
    """The status doesn't depend on whether the reason can be shown."""
    flip(store / "log", 20)
    assert in_a_shell(f"kvlib {line} {useless}")[0] == 1
