"""`kvlib check` reports what recovery would do, and `kvlib dump` shows every byte."""

import os
import re
import sys
from pathlib import Path

import pytest

import kvlib
from helpers.commands import CLOSE_START, LOG_SIZE, Run, tear
from helpers.stores import files_in

FILES = ("log", "0000000000000003.00000000.segment", "0000000000000003.00000001.segment")


def test_check_reports_what_recovery_would_do(run: Run, store: Path) -> None:
    """Checking a store changes none of its files."""
    before = files_in(store)
    status, out, err = run("check", store)
    assert (status, err) == (0, "")
    assert out.startswith("store: a store that can be opened\n")
    assert dict(re.findall(r"^  (\S.*?)  +(.*)$", out, re.M)) == {
        "generation": "3",
        "snapshot": "2 segments, 34 bytes",
        "log": f"{LOG_SIZE} bytes, 2 mutations to replay",
        "torn tail": "none",
        "closed": "yes",
        "records": "2",
        "left over": "nothing",
        "not kvlib's": "nothing",
    }
    assert files_in(store) == before


def test_check_says_whether_a_store_was_closed(run: Run, store: Path) -> None:
    """A log without mutations, as serialize and compact leave it, is a snapshot alone."""

    def closed(path: str) -> str:
        (found,) = re.findall(r"^  closed +(.*)$", run("check", path)[1], re.M)
        return str(found)

    no, alone = "no: it is open now, or was not closed", "a snapshot alone: nothing is logged after"
    with kvlib.open("open") as opened:
        assert closed("open").startswith(alone)
        opened["a"] = "1"
        assert closed("open") == no
        opened.compact()
        assert closed("open").startswith(alone)
    records = kvlib.Store()
    records["a"] = "1"
    records.serialize("copy")
    assert closed("open") == "yes"
    assert closed("copy").startswith(alone)
    for path in ("open", "copy"):  # as if a process had died after opening it again
        with Path(path, "log").open("ab") as file:
            file.write(b"half a frame")
        assert closed(path) == no


def test_check_names_files_that_are_not_the_stores(run: Run, store: Path) -> None:
    """A compaction's leftovers and foreign files are listed, each kind on one line."""
    (store / "log.new").write_bytes(b"")
    (store / "0000000000000001.00000000.segment").write_bytes(b"")
    (store / "notes").mkdir()
    names = "notes"
    if os.name != "nt":
        (store / "two\nlines").write_bytes(b"")
        names += ", two\\nlines"
    status, out, _ = run("check", store)
    assert status == 0
    assert "left over    0000000000000001.00000000.segment, log.new\n" in out
    assert f"not kvlib's  {names}\n" in out


@pytest.mark.parametrize("name", FILES)
def test_check_reads_a_single_file(run: Run, store: Path, name: str) -> None:
    """Each file of a store can be checked alone."""
    status, out, err = run("check", store / name)
    assert (status, err) == (0, "")
    assert re.fullmatch(r".*: \d+ bytes, no flaw found\n", out)


CLOSE = f"{CLOSE_START:04X} (offset {CLOSE_START})"


@pytest.mark.parametrize(
    ("command", "path", "words"),
    [
        ("check", "store", f"torn tail    8 bytes at offset {CLOSE_START} of the log, to be"),
        (
            "check",
            "store/log",
            "log: recovery would drop a torn tail\n"
            f"  8 bytes at offset {CLOSE_START}: the data ends 9 bytes short of a frame's header\n",
        ),
        ("dump", "store", f"~~ a torn tail of 8 bytes at {CLOSE}"),
        ("dump", "store/log", f"~~ a torn tail of 8 bytes at {CLOSE}"),
        ("compact", "store", f"dropped 8 bytes at offset {CLOSE_START} of the log, a torn tail\n"),
    ],
)
def test_a_torn_tail_is_reported(
    run: Run, store: Path, command: str, path: str, words: str
) -> None:
    """A torn tail isn't damage, so the exit status is 0; only compact drops it."""
    tear(store, b"12345678")
    before = files_in(store)
    status, out, err = run(command, path)
    assert (status, err) == (0, "")
    assert words in out
    assert (files_in(store) == before) == (command != "compact")


def test_dump_shows_every_file_of_a_store(run: Run, store: Path) -> None:
    """It shows all bytes, the records, and what recovery would do, in 80 columns."""
    status, out, err = run("dump", store)
    assert (status, err) == (0, "")
    for name in FILES:
        assert f"{name}: {len((store / name).read_bytes())} bytes\n\n00000000: " in out
    assert "'café'" in out
    assert "G=gap" not in out
    assert "store: a store that can be opened\n" in out
    assert max(map(len, out.split("\n"))) <= 80
    assert "\x1b" not in out


def test_dump_shows_a_single_file(run: Run, store: Path) -> None:
    """It shows nothing but that file."""
    status, out, _ = run("dump", store / "log")
    assert status == 0
    assert out.startswith(f"log: {LOG_SIZE} bytes\n\n00000000: 6B 76 6C 69 62")
    assert "frame[2]: written by close(), everything before it was safe on the disk\n" in out
    assert "café" not in out


def test_dump_recognises_a_file_by_its_bytes(run: Run, store: Path) -> None:
    """A bare stream needs no particular name."""
    Path("bytes").write_bytes(kvlib.encode_snapshot({"a": b"b"}))
    status, out, _ = run("dump", "bytes")
    assert status == 0
    assert "record[0]\n" in out


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_dump_colours_a_terminal(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool
) -> None:
    """NO_COLOR turns the colours off."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", no_color)
    assert ("\x1b[38;5;" in run("dump", store)[1]) == coloured
