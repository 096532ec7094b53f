"""Any failure is a line on standard error and an exit status, which is 1 only for damage."""

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

import kvlib
from helpers.commands import COMMANDS, Run, flip, in_a_shell, linux, unix
from helpers.stores import files_in
from helpers.vocabulary import HEAD_END
from kvlib.__main__ import main
from kvlib.cli import commands as cli

# --- no store, no place, no permission ------------------------------------------------------------

READ_ONLY = "store is only read"
FOREIGN = "readme" if os.name == "nt" else "read\nme"
MISSING = "kvlib: nothing: no such file or directory\n"
REFUSALS = [
    *((f"{command} nothing", MISSING) for command in ("dump", "check", "compact")),
    ("backup nothing new", MISSING),
    ("salvage nothing new", MISSING),
    *(
        (f"{command} {path}", f"kvlib: no store at {path}\n")
        for command in ("dump", "check", "compact")
        for path in ("empty", "folder")
    ),
    ("backup folder new", "kvlib: no store at folder\n"),
    ("salvage empty new", "no store at "),
    ("salvage folder new", "no store at "),
    (f"dump {FOREIGN}", "me is not a kvlib file\n"),
    (f"check {FOREIGN}", "me is not a kvlib file\n"),
    ("compact log", "kvlib: log is a file; a store is a directory\n"),
    ("salvage file new", "kvlib: file is a file; a store is a directory\n"),
    ("backup store store", READ_ONLY),
    ("backup store store/new", READ_ONLY),
    ("backup store folder", "folder has files that aren't kvlib's"),
    ("backup store file", "file: "),
    ("backup store missing/new", "parent"),
    ("salvage store store", READ_ONLY),
    ("salvage store store/new", READ_ONLY),
    ("salvage store store/../store/new", READ_ONLY),
    ("salvage store folder", "folder: not empty"),
    ("salvage store file", "file: "),
    ("salvage store missing/new", "new: "),
]


@pytest.mark.parametrize(("line", "words"), REFUSALS)
def test_a_wrong_path_is_refused(run: Run, store: Path, line: str, words: str) -> None:
    """If there is no store, or no place for a new one, nothing is written; the status is 2."""
    for folder in ("empty", "folder"):
        Path(folder).mkdir()
    for file in ("folder/photo", "file", "log", FOREIGN):
        Path(file).write_bytes(b"# Hello")
    before = sorted(Path().rglob("*")), files_in(store)
    status, out, err = run(*line.split(" "))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert (sorted(Path().rglob("*")), files_in(store)) == before


@pytest.mark.parametrize("line", COMMANDS)
def test_a_newer_store_is_not_called_damaged(run: Run, store: Path, line: str) -> None:
    """The only line says which version it has, and the status is 2."""
    for name, data in files_in(store).items():
        (store / name).write_bytes(data[:7] + b"\2" + data[8:])
    status, _, err = run(*line.split())
    assert (status, err.count("\n")) == (2, 1)
    assert "version 2" in err
    assert "offset" not in err
    assert not Path("new").exists()


@unix
@pytest.mark.parametrize("command", ["dump", "check"])
def test_an_unreadable_path_is_refused(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Reading a pipe could take forever; an error of the system is shown in its words."""
    os.mkfifo("log")
    assert run(command, "log") == (2, "", "kvlib: log is neither a file nor a directory\n")
    refused = PermissionError(13, "Permission denied", "store")
    monkeypatch.setattr(os, "listdir", Mock(side_effect=refused))
    assert run(command, store) == (2, "", "kvlib: store: Permission denied\n")


# --- damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "name", "at", "offset"),
    [
        ("check store", "log", 60, HEAD_END),
        ("check store/log", "log", 60, HEAD_END),
        ("check store/0000000000000003.00000001.segment", "*1.segment", 40, 8),
        ("dump store", "log", 60, HEAD_END),
        ("dump store/log", "log", 60, HEAD_END),
        ("compact store", "log", 60, HEAD_END),
        ("backup store new", "log", 60, HEAD_END),
    ],
)
def test_damage_has_a_place_and_advice(
    run: Run, store: Path, line: str, name: str, at: int, offset: int
) -> None:
    """The status is 1, nothing is written, and the first line has file, offset and reason."""
    (file,) = store.glob(name)
    flip(file, at)
    before = files_in(store)
    status, out, err = run(*line.split())
    assert status == 1
    place = rf"kvlib: {re.escape(str(file))}: offset {offset}"
    reason = r"checksum \S+, but .* \S+"
    assert re.match(rf"{place}: {reason}.*\n  the field there: \S+crc\n  what you can do:\n", err)
    if line.startswith("dump"):
        assert "!!C crc" in out
        assert f"!! stopped at {offset:04X} (offset {offset}): checksum" in out
    else:
        assert out == ""
    assert files_in(store) == before
    assert not Path("new").exists()


@unix
@pytest.mark.parametrize("command", ["dump", "check", "compact"])
@pytest.mark.parametrize(
    "make", [lambda path: path.symlink_to("/etc/passwd"), Path.mkdir, os.mkfifo]
)
def test_a_log_must_be_a_regular_file(
    run: Run, store: Path, command: str, make: Callable[[Path], object]
) -> None:
    """If it is a link, a directory or a pipe, it is damage, and it isn't read."""
    (store / "log").unlink()
    make(store / "log")
    status, _, err = run(command, store)
    assert status == 1
    line = r"kvlib: .*: offset 0: [ldp][rwx-]{9} is not a regular file\n(  .*\n)+"
    assert re.fullmatch(line, err)


# --- anything else --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (MemoryError(), "kvlib: there is not enough memory for this"),
        (RecursionError("too deep"), "kvlib: a bug in kvlib, RecursionError: too deep"),
        (ValueError("two\nlines"), "kvlib: a bug in kvlib, ValueError: two lines"),
        (OSError(28, "No space left", "log"), "kvlib: log: No space left"),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "odd"), "kvlib: a bug in kvlib, Unicode"),
    ],
)
@pytest.mark.parametrize("command", ["dump", "check", "compact"])
def test_an_unexpected_error_is_one_line(
    run: Run,
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    error: Exception,
    line: str,
) -> None:
    """It is never a traceback, and never the status of damage."""
    monkeypatch.setattr(cli, "_directory", Mock(side_effect=error))
    status, out, err = run(command, store)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(line)


def test_ctrl_c_ends_a_command(run: Run, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no traceback, and the status is the usual one."""
    monkeypatch.setattr(cli, "lines", Mock(side_effect=KeyboardInterrupt))
    status, _, err = run("dump", store)
    assert (status, err) == (130, "")


@linux
def test_too_little_memory_is_status_2(store: Path) -> None:
    """Python's own memory error is caught, too."""
    with kvlib.open(store) as opened:
        opened["much"] = b"x" * 200_000_000
    status, _, err = in_a_shell("ulimit -v 400000; kvlib check store")
    assert (status, err) == (2, "kvlib: there is not enough memory for this\n")


# --- usage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["dump"], ["check"], ["compact"], ["salvage"]])
def test_help_lists_the_exit_statuses(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """Each command's help fits in 80 columns."""
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, "--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert "exit status:\n  0  " in out
    assert max(map(len, out.split("\n"))) <= 80


def test_wrong_usage_is_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    """A command line without a command shows the usage."""
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    assert "usage: kvlib" in capsys.readouterr().err


def test_the_module_can_be_run(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m kvlib` is the same as `kvlib`."""
    command = [sys.executable, "-m", "kvlib", "--version"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == f"kvlib {kvlib.__version__}\n"
    monkeypatch.setattr(sys, "argv", ["kvlib", "check", str(store)])
    monkeypatch.delitem(sys.modules, "kvlib.__main__")
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("kvlib", run_name="__main__")
    assert stopped.value.code == 0
