"""The command line: what it says, its exit status, and that it never answers with a traceback."""

import io
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import kvlib
from helpers.paths import ROOT
from helpers.vocabulary import HEAD_END
from kvlib.__main__ import main
from kvlib.cli import commands as cli
from kvlib.cli import progress
from kvlib.frame import PREAMBLE, seal
from kvlib.layout import advice
from kvlib.segments import split

CLOSE_START = HEAD_END + 62  # two mutations precede the close frame
LOG_SIZE = CLOSE_START + 17

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; its exit status, and what it wrote to the standard output and error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A closed store with a snapshot in three segments and two mutations."""
    path = tmp_path / "store"
    with kvlib.open(path, max_segment_size=30) as made:
        made.update({"café": b"1", "tea": "2"})
        made.compact()
        made["key"] = "value"
        made.delete("tea")
    return path


def tree(path: Path) -> dict[str, bytes]:
    """All files below a path."""
    return {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()}


def leave_open(path: Path) -> None:
    """What a process leaves that died: a log without a close frame."""
    log = (path / "log").read_bytes()
    (path / "log").write_bytes(log[:-17])


def flip(path: Path, at: int) -> None:
    """Turn one bit over."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


# ----------------------------------------------------------------------------------------- check


def test_check_says_what_recovery_would_do(run: Run, store: Path) -> None:
    """A closed store: nothing to mend, and nothing changed."""
    before = tree(store)
    status, out, err = run("check", store)
    assert (status, err) == (0, "")
    assert out.startswith(f"{store}: a store that can be opened\n")
    lines = dict(re.findall(r"^  (\S.*?)  +(.*)$", out, re.M))
    assert lines == {
        "generation": "3",
        "snapshot": "2 segments, 34 bytes",
        "log": f"{LOG_SIZE} bytes, 2 mutations to replay",
        "torn tail": "none",
        "closed": "yes",
        "records": "2",
        "left over": "nothing",
        "not kvlib's": "nothing",
    }
    assert tree(store) == before


def test_check_reports_a_torn_tail(run: Run, store: Path) -> None:
    """Offset and bytes of what would be dropped; it is no damage."""
    leave_open(store)
    with (store / "log").open("ab") as file:
        file.write(b"half a frame")
    before = tree(store)
    status, out, _ = run("check", store)
    assert status == 0
    assert f"torn tail    12 bytes at offset {CLOSE_START} of the log, to be dropped\n" in out
    assert "closed       no: it is open now, or was not closed\n" in out
    assert tree(store) == before


def test_check_of_a_store_that_died_after_it_had_been_closed_once(run: Run, store: Path) -> None:
    """Bytes behind the close frame: somebody had opened it again."""
    with (store / "log").open("ab") as file:
        file.write(b"half a frame")
    _, out, _ = run("check", store)
    assert "closed       no" in out


def test_check_of_a_snapshot_says_that_nothing_is_logged_behind_it(
    run: Run, tmp_path: Path
) -> None:
    """Neither closed nor torn: what serialize leaves, and a store that nobody wrote to yet."""
    said = "closed       a snapshot alone: nothing is logged after it\n"
    records = kvlib.Store()
    records["a"] = "1"
    records.serialize(tmp_path / "backup")
    with kvlib.open(tmp_path / "open") as opened:
        for path in (tmp_path / "backup", tmp_path / "open"):
            assert said in run("check", path)[1]
        opened["a"] = "1"
        assert "closed       no: " in run("check", tmp_path / "open")[1]
        opened.compact()
        assert said in run("check", tmp_path / "open")[1]
    assert "closed       yes\n" in run("check", tmp_path / "open")[1]
    with (tmp_path / "backup" / "log").open("ab") as file:
        file.write(b"half a frame")
    assert "closed       no: " in run("check", tmp_path / "backup")[1]


def test_check_names_what_is_left_over_and_what_is_not_of_the_store(run: Run, store: Path) -> None:
    """Files of an interrupted compaction, and somebody else's, each by name on one line."""
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


def test_check_says_where_a_store_is_damaged(run: Run, store: Path) -> None:
    """Exit status 1; file, offset and reason on one line, the field, and what can be done."""
    flip(store / "log", 60)
    before = tree(store)
    for path in (store, store / "log"):
        status, out, err = run("check", path)
        assert (status, out) == (1, "")
        first, *others = err.splitlines()
        place = re.escape(str(store / "log"))
        where = rf"kvlib: {place}: offset {HEAD_END}"
        assert re.fullmatch(rf"{where}: checksum \S+, but .* \S+; .*", first)
        assert others[:3] == [
            "  the field there: frame[0].crc",
            "  what you can do:",
            "    restore a backup, if there is one",
        ]
        assert re.fullmatch(rf"    kvlib salvage .*{re.escape(str(store))}.* NEW", others[3])
        assert re.fullmatch(rf"    kvlib dump .*{place}.*", others[5])
    assert tree(store) == before


def test_check_of_one_file(run: Run, store: Path) -> None:
    """Each file of a store can be looked at alone."""
    for name in sorted(tree(store)):
        if name != "lock":
            status, out, err = run("check", store / name)
            assert (status, err) == (0, "")
            assert re.fullmatch(r".*: \d+ bytes, no flaw found\n", out)


def test_check_of_a_log_with_a_torn_tail(run: Run, store: Path) -> None:
    """It would be dropped; that is no damage."""
    leave_open(store)
    with (store / "log").open("ab") as file:
        file.write(b"12345678")
    status, out, err = run("check", store / "log")
    assert (status, err) == (0, "")
    assert out == (
        f"{store / 'log'}: recovery would drop a torn tail\n"
        f"  8 bytes at offset {CLOSE_START}: the data ends 9 bytes short of a frame's header\n"
    )


def test_check_of_a_damaged_file(run: Run, store: Path) -> None:
    """The first flaw, with status 1."""
    (segment,) = sorted(store.glob("*1.segment"))
    flip(segment, 40)
    status, out, err = run("check", segment)
    assert (status, out) == (1, "")
    assert err.startswith(f"kvlib: {segment}: offset 8: checksum ")


# ------------------------------------------------------------------------------------------ dump


def test_dump_of_a_store_shows_every_file(run: Run, store: Path) -> None:
    """All bytes of all files, the records among them, and what recovery would do, in 80 columns."""
    status, out, err = run("dump", store)
    assert (status, err) == (0, "")
    for name, data in tree(store).items():
        if name != "lock":
            assert f"{name}: {len(data)} bytes\n\n00000000: " in out
    assert "'café'" in out
    assert "G=gap" not in out
    assert f"{store}: a store that can be opened\n" in out
    long = [line for line in out.split("\n") if len(line) > 80 and str(store) not in line]
    assert not long
    assert "\x1b" not in out


def test_dump_of_one_file(run: Run, store: Path) -> None:
    """Nothing but that file."""
    status, out, _ = run("dump", store / "log")
    assert status == 0
    assert out.startswith(f"log: {LOG_SIZE} bytes\n\n00000000: 6B 76 6C 69 62")
    assert "frame[2]: written by close(), everything before it was safe on the disk\n" in out


def test_dump_of_bytes_without_a_name(run: Run, tmp_path: Path) -> None:
    """A bare stream is recognised by what it looks like."""
    (tmp_path / "bytes").write_bytes(kvlib.encode_snapshot({"a": b"b"}))
    status, out, _ = run("dump", tmp_path / "bytes")
    assert status == 0
    assert "record[0]\n" in out


def test_dump_of_damage_shows_it_and_fails(run: Run, store: Path) -> None:
    """The dump is whole, the bad field marked, and the exit status 1."""
    flip(store / "log", 60)
    for path in (store, store / "log"):
        status, out, err = run("dump", path)
        assert status == 1
        assert "!!C crc" in out
        assert f"!! stopped at {HEAD_END:04X} (offset {HEAD_END}): checksum" in out
        assert err.startswith(f"kvlib: {store / 'log'}: offset {HEAD_END}: checksum")


def test_dump_of_a_torn_tail_succeeds(run: Run, store: Path) -> None:
    """A torn tail is nothing that failed."""
    leave_open(store)
    with (store / "log").open("ab") as file:
        file.write(b"12345678")
    for path in (store, store / "log"):
        status, out, err = run("dump", path)
        assert (status, err) == (0, "")
        assert f"~~ a torn tail of 8 bytes at {CLOSE_START:04X} (offset {CLOSE_START})" in out


@pytest.mark.parametrize(("variable", "coloured"), [("", True), ("1", False)])
def test_colour_is_for_terminals(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch, variable: str, coloured: bool
) -> None:
    """Colour if somebody looks, and has not asked for none."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", variable)
    _, out, _ = run("dump", store)
    assert ("\x1b[38;5;" in out) == coloured


# --------------------------------------------------------------------------------------- compact


def test_compact_publishes_a_snapshot(run: Run, store: Path) -> None:
    """The log is empty afterwards, and nothing is lost."""
    before = sum(len(data) for data in tree(store).values())
    status, out, err = run("compact", store)
    assert (status, err) == (0, "")
    now = sum(len(data) for data in tree(store).values())
    assert out == f"{store}: 2 records\n  {before:>15,} bytes before\n  {now:>15,} bytes now\n"
    with kvlib.open(store, read_only=True) as opened:
        assert dict(opened) == {"café": b"1", "key": "value"}
        assert opened.status().pending == 0


def test_compact_reports_a_torn_tail(run: Run, store: Path) -> None:
    """What recovery dropped is said."""
    leave_open(store)
    with (store / "log").open("ab") as file:
        file.write(b"1")
    status, out, _ = run("compact", store)
    assert status == 0
    assert out.startswith(f"dropped 1 byte at offset {CLOSE_START} of the log, a torn tail\n")


def test_compact_makes_no_store(run: Run, tmp_path: Path) -> None:
    """Neither at a missing path, nor in a folder of something else, nor from a file."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "photo").write_bytes(b"")
    (tmp_path / "log").write_bytes(b"")
    for path, words in (
        (tmp_path / "missing", "no such file or directory"),
        (tmp_path / "folder", "no store at"),
        (tmp_path / "log", "is a file; a store is a directory"),
    ):
        status, out, err = run("compact", path)
        assert (status, out) == (2, "")
        assert words in err
        assert err.count("\n") == 1
    assert [*tree(tmp_path / "folder")] == ["photo"]
    assert not (tmp_path / "missing").exists()


def test_compact_finishes_no_unfinished_creation(run: Run, store: Path) -> None:
    """Segments without a log: of generation 1 they are no store yet, others are damage."""
    (store / "log").unlink()
    status, _, err = run("compact", store)
    assert status == 1
    assert "the log is missing" in err
    for segment in store.glob("*.segment"):
        segment.unlink()
    (store / f"{1:016x}.{0:08x}.segment").write_bytes(PREAMBLE + seal(b"S", 1, split(b"", 9)[0]))
    status, _, err = run("compact", store)
    assert status == 2
    assert "no store at" in err
    assert not (store / "log").exists()


def test_compact_leaves_a_damaged_store_alone(run: Run, store: Path) -> None:
    """Whoever can't read it must not write it."""
    flip(store / "log", 60)
    before = tree(store)
    status, _, err = run("compact", store)
    assert status == 1
    assert f"offset {HEAD_END}" in err
    assert tree(store) == before


def test_compact_waits_for_nobody(run: Run, store: Path) -> None:
    """Another writer: that is said, at once."""
    with kvlib.open(store):
        status, out, err = run("compact", store)
    assert (status, out) == (2, "")
    assert err == f"kvlib: {store} is open for writing already, in this or another process\n"


# --------------------------------------------------------------------------------------- salvage


def test_salvage_of_a_whole_store_saves_everything(run: Run, store: Path) -> None:
    """Status 0; the new store can be opened, the old one is as it was, also under its lock."""
    before, new = tree(store), store.parent / "new"
    with kvlib.open(store.parent / "open") as opened:
        opened["a"] = "1"
        assert run("salvage", store.parent / "open", store.parent / "copy")[0] == 0
    status, out, err = run("salvage", store, new)
    assert (status, out, err) == (0, f"{new}: 2 records, everything was saved\n", "")
    assert tree(store) == before
    with kvlib.open(new) as opened:
        assert dict(opened) == {"café": b"1", "key": "value"}


def test_salvage_lists_what_it_left_out(run: Run, store: Path) -> None:
    """Status 1, in 80 columns; the old store is as it was."""
    flip(store / "log", 60)
    before, new = tree(store), store.parent / "new"
    status, out, err = run("salvage", store, new)
    assert (status, err) == (1, "")
    first, *others = out.splitlines()
    assert first == f"{new}: 1 record, not everything was saved"
    assert others[:2] == ["left out:", f"  log, offset {HEAD_END}, 36 bytes"]
    assert max(map(len, others)) <= 80
    assert tree(store) == before
    with kvlib.open(new) as opened:
        assert dict(opened) == {"café": b"1"}


def test_salvage_of_nothing_makes_no_store(run: Run, store: Path) -> None:
    """Status 1, and no directory."""
    for path in store.iterdir():
        path.write_bytes(b"")
    status, out, _ = run("salvage", store, store.parent / "new")
    assert status == 1
    assert out.startswith("nothing could be saved; there is no store at ")
    assert not (store.parent / "new").exists()


def test_salvage_needs_a_place_of_its_own(run: Run, store: Path, tmp_path: Path) -> None:
    """Status 2: neither into a directory with something in it, nor into the old store itself."""
    before = tree(store)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "photo").write_bytes(b"")
    (tmp_path / "file").write_bytes(b"")
    for new, words in (
        (tmp_path / "folder", "folder: not empty"),
        (store, "is only read"),
        (store / "new", "is only read"),
        (store / ".." / "store" / "new", "is only read"),
        (tmp_path / "file", "file: "),
        (tmp_path / "missing" / "new", "new: "),
    ):
        status, out, err = run("salvage", store, new)
        assert (status, out) == (2, "")
        assert words in err
        assert err.count("\n") == 1
    assert sorted(path.name for path in store.iterdir()) == sorted(before)
    assert tree(store) == before
    status, _, err = run("salvage", tmp_path / "file", tmp_path / "new")
    assert (status, err) == (2, f"kvlib: {tmp_path / 'file'} is a file; a store is a directory\n")


def test_salvage_needs_no_name_of_kvlibs(run: Run, store: Path) -> None:
    """A store is what its bytes are, though all its files have other names."""
    for number, file in enumerate(sorted(store.iterdir())):
        file.rename(store / f"file {number}")
    assert run("check", store)[0] == 2
    status, out, _ = run("salvage", store, store.parent / "new")
    assert "file 0" in out
    with kvlib.open(store.parent / "new") as saved:
        assert "café" in saved
    status, out, err = run("salvage", store.parent, store.parent / "newer")
    assert (status, out, err.count("\n")) == (2, "", 1)


def test_salvage_refuses_a_newer_store(run: Run, store: Path) -> None:
    """Status 2, and nothing is done."""
    for file in store.iterdir():
        data = file.read_bytes()
        file.write_bytes(data[:7] + b"\2" + data[8:] if data else data)
    status, _, err = run("salvage", store, store.parent / "new")
    assert status == 2
    assert "version 2" in err
    assert not (store.parent / "new").exists()


@pytest.mark.parametrize("make", [False, True])
def test_salvage_of_no_store_is_just_that(run: Run, tmp_path: Path, make: bool) -> None:
    """One line, status 2."""
    if make:
        (tmp_path / "old").mkdir()
    status, out, err = run("salvage", tmp_path / "old", tmp_path / "new")
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert "no s" in err


# ---------------------------------------------------------------------- what is there is no store

COMMANDS = ("dump", "check", "compact")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_path_is_just_that(run: Run, tmp_path: Path, command: str) -> None:
    """One line, status 2."""
    status, out, err = run(command, tmp_path / "nothing")
    assert (status, out) == (2, "")
    assert err == f"kvlib: {tmp_path / 'nothing'}: no such file or directory\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_an_empty_directory_is_no_store(run: Run, tmp_path: Path, command: str) -> None:
    """One line, status 2."""
    status, out, err = run(command, tmp_path)
    assert (status, out, err) == (2, "", f"kvlib: no store at {tmp_path}\n")


@pytest.mark.parametrize("command", ["dump", "check"])
def test_a_file_of_somebody_else_is_no_store(run: Run, tmp_path: Path, command: str) -> None:
    """One line, status 2, also if its name would need more than one."""
    path = tmp_path / ("read me" if os.name == "nt" else "read\nme")
    path.write_text("# Hello")
    status, out, err = run(command, path)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert "is not a kvlib file" in err


@pytest.mark.parametrize("command", COMMANDS)
def test_a_newer_store_is_not_called_damaged(run: Run, store: Path, command: str) -> None:
    """One line that says so, status 2."""
    data = (store / "log").read_bytes()
    (store / "log").write_bytes(data[:7] + b"\2" + data[8:])
    status, _, err = run(command, store)
    assert status == 2
    assert "version 2" in err
    assert "offset" not in err
    assert err.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
@pytest.mark.parametrize("command", COMMANDS)
def test_hostile_directories_get_a_clear_line(run: Run, tmp_path: Path, command: str) -> None:
    """A log that is a link, a directory or a pipe is neither followed nor waited for."""
    makers: dict[str, Callable[[Path], object]] = {
        "link": lambda path: path.symlink_to("/etc/passwd"),
        "directory": lambda path: path.mkdir(),
        "pipe": os.mkfifo,
    }
    for name, make in makers.items():
        (tmp_path / name).mkdir()
        make(tmp_path / name / "log")
        status, _, err = run(command, tmp_path / name)
        assert status == 1
        assert re.fullmatch(
            r"kvlib: .*: offset 0: [ldp][rwx-]{9} is not a regular file\n(  .*\n)+", err
        )


@pytest.mark.skipif(os.name == "nt", reason="needs pipes and file modes")
@pytest.mark.parametrize("command", ["dump", "check"])
def test_a_path_that_cannot_be_read_is_just_that(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A pipe is not waited for; what the system refuses is said in its words."""
    os.mkfifo(tmp_path / "log")
    status, _, err = run(command, tmp_path / "log")
    assert (status, err) == (2, f"kvlib: {tmp_path / 'log'} is neither a file nor a directory\n")

    def refuse(path: str) -> list[str]:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "listdir", refuse)
    status, _, err = run(command, tmp_path)
    assert (status, err) == (2, f"kvlib: {tmp_path}: Permission denied\n")


# ------------------------------------------------------------------------------ around the commands


def test_help_tells_the_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    """For each command, and all of it fits a terminal."""
    for arguments in ([], ["dump"], ["check"], ["compact"], ["salvage"]):
        with pytest.raises(SystemExit) as stopped:
            main([*arguments, "--help"])
        assert stopped.value.code == 0
        out = capsys.readouterr().out
        assert "exit status:\n  0  " in out
        assert max(map(len, out.split("\n"))) <= 80


def test_wrong_usage_is_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    """As argparse has it."""
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    assert "usage: kvlib" in capsys.readouterr().err


def test_the_module_can_be_run(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m kvlib` is the command, and knows its version."""
    command = [sys.executable, "-m", "kvlib", "--version"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == f"kvlib {kvlib.__version__}\n"
    monkeypatch.setattr(sys, "argv", ["kvlib", "check", str(store)])
    monkeypatch.delitem(sys.modules, "kvlib.__main__")
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("kvlib", run_name="__main__")
    assert stopped.value.code == 0


@pytest.mark.skipif(os.name == "nt", reason="needs a shell with pipes")
def test_a_closed_pipe_is_no_error(store: Path) -> None:
    """`kvlib dump store | head -1` ends with a line and status 2: not all could be said."""
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


def raise_it(error: BaseException) -> Callable[..., Iterator[str]]:
    """A function that raises."""

    def fail(*_: object, **__: object) -> Iterator[str]:
        raise error

    return fail


def test_ctrl_c_ends_it(run: Run, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a traceback, with the status that shells expect."""
    monkeypatch.setattr(cli, "lines", raise_it(KeyboardInterrupt()))
    status, _, err = run("dump", store)
    assert (status, err) == (130, "")


def test_what_cannot_be_encoded_is_escaped(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal that knows ASCII only there is a dump all the same."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["dump", str(store)]) == 0
    assert b"'caf\\xe9'" in raw.getvalue()
    monkeypatch.setattr(sys, "stdout", io.StringIO())  # no encoding at all
    assert main(["dump", str(store)]) == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_progress_is_shown_to_a_terminal_only(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """One line that is written over, and gone at the end."""
    clock = iter(range(10**6))
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    assert "\r" not in run(command, store)[2]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _, _, err = run(command, store)
    shown = err.split("\r")
    assert any(re.match(r"[\d,]+ bytes read, [\d,]+ written", text) for text in shown)
    assert err.endswith("\r")
    assert shown[-2].strip() == ""


def test_progress_through_a_file_is_shown(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many of so many bytes; but not while the dump itself runs over the same terminal."""
    clock = iter(range(10**6))
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for command in ("dump", "check"):
        assert f"\rlog: {LOG_SIZE} of {LOG_SIZE} bytes" in run(command, store / "log")[2]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run("dump", store / "log")[2] == ""


def test_progress_is_not_shown_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times a second; nothing is cleared that was not shown."""
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


# --- whatever happens, a line and an exit status --------------------------------------------------

shells = pytest.mark.skipif(not Path("/dev/full").exists(), reason="these redirections need Linux")


def in_a_shell(line: str, *arguments: object) -> tuple[int, str, str]:
    """Run a line of bash with arguments; its status, what it wrote, and its errors."""
    command = ["bash", "-c", line.replace("kvlib", f"{sys.executable} -m kvlib"), "bash"]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


NO_OUTPUT = [">&-", ">/dev/full", "| head -c 0"]
DOINGS = [
    "dump $1",
    "check $1",
    "compact $1",
    "backup $1 $2",
    "salvage $1 $2",
    "--help",
    "--version",
]


@shells
@pytest.mark.parametrize("doing", DOINGS)
@pytest.mark.parametrize("output", NO_OUTPUT)
def test_an_output_that_takes_nothing_is_no_damage(
    output: str, doing: str, store: Path, tmp_path: Path
) -> None:
    """Closed, full, or read by nobody: status 2 and one line, whichever the command."""
    line = f"set -o pipefail; kvlib {doing} {output}"
    status, out, err = in_a_shell(line, store, tmp_path / "new")
    if "head" in output and status == 0:
        return  # it was quicker than the reader was gone
    if doing.startswith("--") and output == ">&-":
        assert status in (0, 2)  # argparse says it elsewhere, or nowhere
        return
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("kvlib: standard output can't be written: ")


@shells
@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full", "<&-", "<&- 2>&-"])
@pytest.mark.parametrize("doing", DOINGS)
def test_other_streams_may_be_missing(
    doing: str, streams: str, store: Path, tmp_path: Path
) -> None:
    """What has nothing to do with them is done."""
    status, out, _ = in_a_shell(f"kvlib {doing} {streams}", store, tmp_path / "new")
    assert status == 0
    assert out
    with kvlib.open(store) as opened:  # nothing was written into a file that got a stream's number
        assert "café" in opened


@shells
@pytest.mark.parametrize("streams", ["", ">&-", ">/dev/full", "2>&-", "2>/dev/full", ">&- 2>&-"])
@pytest.mark.parametrize("doing", ["check $1", "compact $1", "backup $1 $2"])
def test_damage_is_damage_whatever_can_be_said(
    doing: str, streams: str, store: Path, tmp_path: Path
) -> None:
    """Status 1, even if nobody reads why."""
    flip(store / "log", 20)
    assert in_a_shell(f"kvlib {doing} {streams}", store, tmp_path / "new")[0] == 1


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
@pytest.mark.parametrize("command", COMMANDS)
def test_what_nobody_expects_is_a_line_and_status_2(
    run: Run,
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    error: Exception,
    line: str,
) -> None:
    """Never a traceback, and never the status of damage."""
    monkeypatch.setattr(cli, "_directory", raise_it(error))
    status, out, err = run(command, store)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(line)


@shells
def test_too_little_memory_is_status_2(store: Path) -> None:
    """A store that doesn't fit, and Python itself that doesn't."""
    with kvlib.open(store) as opened:
        opened["much"] = b"x" * 200_000_000
    status, _, err = in_a_shell("ulimit -v 400000; kvlib check $1", store)
    assert (status, err) == (2, "kvlib: there is not enough memory for this\n")


NAMES = [
    b"plain",
    b"two words",
    b'it\'s "quoted"',
    b"$(touch never) `id` $HOME",
    b"-n",
    b"--help",
    b"line\nbreak\ttab",
    b"caf\xe9 \xff\xfe",
    "\u202eright to left \u2028".encode(),
    b"back\\slash\\x41",
    b"*?[a-z]{1,2}~!#&|;<>",
]


@shells
@pytest.mark.parametrize("name", NAMES)
def test_advice_can_be_pasted_into_a_shell(name: bytes, tmp_path: Path) -> None:
    """Whatever bytes the path has: what is pasted leads to the store that was meant."""
    folder = os.fsencode(tmp_path)
    path = os.path.join(folder, name)
    with kvlib.open(os.fsdecode(path)) as opened:
        opened["a"] = "1"
        opened["b"] = "2"
    flip(Path(os.fsdecode(path)) / "log", 60)
    for shown in (name, path):
        if shown.startswith(b"-"):
            shown = b"./" + shown
        done = subprocess.run(
            [sys.executable, "-m", "kvlib", "check", shown], capture_output=True, cwd=folder
        )
        assert done.returncode == 1
        *_, salvage, _, dump, _ = done.stderr.decode().splitlines()
        assert salvage.strip().startswith("kvlib salvage ")
        assert salvage.isprintable()
        line = f"{salvage.replace('NEW', 'saved')} && {dump}"
        line = line.replace("kvlib", f"PYTHONPATH={ROOT} {sys.executable} -m kvlib")
        pasted = subprocess.run(["bash", "-c", line], capture_output=True, cwd=folder)
        assert pasted.returncode == 1, pasted.stderr
        assert b"saved: " in pasted.stdout
        shutil.rmtree(tmp_path / "saved")


@pytest.mark.parametrize(
    ("system", "path", "pasted"),
    [
        ("posix", "data", "data"),
        ("posix", "my data", "'my data'"),
        ("posix", "-n", "./-n"),
        ("posix", "line\nbreak/é\udcff", r"$'line\x0abreak/\xc3\xa9\xff'"),
        ("nt", "my data", '"my data"'),
    ],
)
def test_advice_quotes_a_path_for_its_shell(
    system: str, path: str, pasted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words that stand for themselves stay as they are."""
    quote = advice._quoted
    monkeypatch.setattr(os, "name", system)
    assert quote(path) == pasted


# --- backups --------------------------------------------------------------------------------------


def test_a_backup_is_taken_of_a_store_in_use(run: Run, store: Path, tmp_path: Path) -> None:
    """Its writer goes on; the copy is replaced by the next one, in one step."""
    with kvlib.open(store) as writer:
        for number in range(3):
            writer["number"] = f"{number}"
            status, out, err = run("backup", store, tmp_path / "copy")
            assert (status, err) == (0, "")
            assert out == f"{tmp_path / 'copy'}: a copy with {len(writer)} records\n"
            with kvlib.open(tmp_path / "copy") as copy:
                assert copy == writer


def test_a_backup_needs_a_place_of_its_own(run: Run, store: Path, tmp_path: Path) -> None:
    """Status 2: no store, the store itself, or a directory of something else."""
    before = tree(store)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "photo").write_bytes(b"")
    (tmp_path / "file").write_bytes(b"")
    for source, new, words in (
        (store, store, "is only read"),
        (store, store / "new", "is only read"),
        (store, tmp_path / "folder", "aren't kvlib's"),
        (store, tmp_path / "file", "file"),
        (store, tmp_path / "missing" / "new", "parent"),
        (tmp_path / "nothing", tmp_path / "new", "no such file"),
        (tmp_path / "folder", tmp_path / "new", "no store"),
    ):
        status, out, err = run("backup", source, new)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert words in err
    assert tree(store) == before
    assert not (tmp_path / "new").exists()
