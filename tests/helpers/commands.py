"""Helpers for the tests of the command line, whose store is `store` in the working directory."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.vocabulary import HEAD_END, flip_bit

Run = Callable[..., tuple[int, str, str]]

CLOSE_START = HEAD_END + 62  # after two mutations
LOG_SIZE = CLOSE_START + 17
COMMANDS = ("dump store", "check store", "compact store", "backup store new", "salvage store new")

unix = pytest.mark.skipif(sys.platform == "win32", reason="needs links, pipes and a shell")
linux = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's devices")


def flip(path: Path, at: int) -> None:
    """Flip a bit of the byte at this offset."""
    path.write_bytes(flip_bit(path.read_bytes(), 8 * at + 7))


def tear(store: Path, tail: bytes) -> None:
    """Replace the log's close frame with a torn tail, as if the process had died."""
    log = (store / "log").read_bytes()
    (store / "log").write_bytes(log[:CLOSE_START] + tail)


def in_a_shell(line: str) -> tuple[int, str, str]:
    """Run a line of bash; return its exit status, standard output and standard error."""
    line = line.replace("kvlib", f"{sys.executable} -m kvlib")
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()
