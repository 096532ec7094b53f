"""Fixtures for the tests of the command line."""

from pathlib import Path

import pytest

import kvlib
from helpers.commands import Run
from kvlib.__main__ import main


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command and returns its status, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a closed store with a snapshot in two segments and two mutations; return its path."""
    monkeypatch.chdir(tmp_path)
    with kvlib.open("store", max_segment_size=30) as made:
        made.update({"café": b"1", "tea": "2"})
        made.compact()
        made["key"] = "value"
        made.delete("tea")
    return Path("store")
