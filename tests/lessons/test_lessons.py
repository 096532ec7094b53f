"""What the notebooks share: workspace, characters, attempt, running."""

import os
import signal
import sys
from itertools import islice
from pathlib import Path

import pytest

import kvlib
from kvlib import DirectoryDisk, MemoryDisk
from kvlib.lessons import (
    attempt,
    characters,
    flipped,
    forgiving,
    outcomes,
    running,
    workspace,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which the test runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_workspace_is_a_relative_folder(folder: Path) -> None:
    """Errors and pictures name the file without saying where on the machine it is."""
    disk = workspace("lab")
    assert isinstance(disk, DirectoryDisk)
    assert disk.path("log") == os.path.join("lab", "log")
    assert (folder / "lab").is_dir()


def test_workspace_is_empty_and_gives_the_same_bytes_again(folder: Path) -> None:
    """What an earlier run left is gone, its random numbers come again."""
    logs = []
    for _ in range(2):
        disk = workspace("lab")
        assert disk.names() == []
        with kvlib.open(disk, max_segment_size=20) as store:
            store["café"] = "2,50 €"
            store.compact()
        logs.append(disk.read("log"))
    assert logs[0] == logs[1]


def test_workspaces_of_different_names_differ(folder: Path) -> None:
    """The name is the seed."""
    assert workspace("a").entropy(8) != workspace("b").entropy(8)


@pytest.mark.parametrize("stranger", ["thesis.txt", "log.old", "1.segment"])
def test_a_folder_that_holds_anything_else_is_left_alone(folder: Path, stranger: str) -> None:
    """A learner's own file of that name is not ours to delete, nor the store beside it."""
    with kvlib.open(folder / "lab") as store:
        store["a"] = "1"
    (folder / "lab" / stranger).write_text("mine")
    before = sorted(os.listdir("lab"))
    with pytest.raises(ValueError, match=stranger.replace(".", r"\.")):
        workspace("lab")
    assert sorted(os.listdir("lab")) == before


def test_a_folder_inside_is_left_alone(folder: Path) -> None:
    """Even if it has the name of a store's file."""
    (folder / "lab" / "log").mkdir(parents=True)
    with pytest.raises(ValueError, match="'log'"):
        workspace("lab")


@pytest.mark.parametrize("name", ["", "..", "a/b", "/tmp", "a b"])
def test_a_workspace_has_a_plain_name(folder: Path, name: str) -> None:
    """No name leads out of the notebook's folder."""
    with pytest.raises(ValueError, match="not a name for a workspace"):
        workspace(name)
    assert os.listdir(folder) == []


def test_in_a_browser_the_workspace_is_in_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no directory there that could be fsynced; the bytes come from a seed as well."""
    monkeypatch.setattr(sys, "platform", "emscripten")
    first, second = workspace("lab"), workspace("lab")
    assert isinstance(first, MemoryDisk)
    assert first.entropy(8) == second.entropy(8)
    assert os.listdir(folder) == []


def test_characters_are_thousands_of_records_with_names() -> None:
    """Keys of one to three bytes; a control character has no name, and is left out."""
    found = characters()
    assert found["€"] == "EURO SIGN"
    assert {len(char.encode()) for char in found} == {1, 2, 3}
    assert len(found) == 7952
    assert "\x7f" not in found
    assert characters("a", "b") == {"a": "LATIN SMALL LETTER A", "b": "LATIN SMALL LETTER B"}


def test_attempt_prints_a_result_or_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and no traceback."""
    attempt(int, "7")
    attempt(kvlib.decode_snapshot, b"")
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["7", "CorruptionError: offset 0: 0 bytes, but a count needs 4"]


ENDLESS = "import itertools\nfor number in itertools.count(): print(number, flush=True)"
KILLED = 1 if sys.platform == "win32" else -signal.SIGKILL


def test_a_process_runs_beside_this_one(folder: Path) -> None:
    """In the same folder, with the same kvlib; what it prints is read line by line."""
    with running("import os, kvlib; print(os.getcwd()); print(kvlib.__file__)") as process:
        assert process.stdout is not None
        place, package = process.stdout.read().splitlines()
        assert process.wait() == 0
    assert os.path.samefile(place, folder)
    assert os.path.samefile(package, kvlib.__file__)


def test_a_process_is_killed_by_its_reader(folder: Path) -> None:
    """What it had printed before can still be read, to the end and no further."""
    with running(ENDLESS) as process:
        assert process.stdout is not None
        lines = list(islice(process.stdout, 50))
        process.kill()
        lines += process.stdout
        assert process.wait() == KILLED
    assert [int(line) for line in lines] == list(range(len(lines)))


def test_a_process_ends_with_its_block(folder: Path) -> None:
    """However the block ends: no process, no zombie and no pipe is left."""
    with pytest.raises(ZeroDivisionError), running(ENDLESS) as process:
        raise ZeroDivisionError
    assert process.returncode == KILLED
    assert process.stdout is not None
    assert process.stdout.closed


def test_a_process_that_says_nothing_is_not_waited_for(folder: Path) -> None:
    """Its reader finds the end of the pipe, once the time is over."""
    with running("import time; time.sleep(60)", seconds=0.1) as process:
        assert process.stdout is not None
        assert process.stdout.read() == ""
        assert process.wait() == KILLED


def test_a_process_ends_when_nobody_reads(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """If the notebook is gone, the pipe is closed, and the next print is its last."""
    with running(ENDLESS) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=20) != 0  # by itself, before it is killed
    assert "Error" in capfd.readouterr().err


def test_outcomes_are_counted_the_most_often_first() -> None:
    """An error of kvlib's is a refusal; any other is the reader's own."""

    def read(data: bytes) -> int:
        if data == b"bad":
            raise kvlib.CorruptionError(None, 0, "bad")
        return len(data)

    assert outcomes(read, [b"bad", b"a", b"b"]) == {"1": 2, "refused": 1}


def test_each_bit_is_flipped_once() -> None:
    """In all bytes, or in some of them."""
    assert [one[0] ^ one[1] ^ one[2] for one in flipped(bytes(3))] == [1 << n for n in range(8)] * 3
    assert [*flipped(b"\0\0\0", 1, 2)] == [bytes([0, 1 << n, 0]) for n in range(8)]


def test_the_forgiving_reader_stops_at_the_first_bad_frame() -> None:
    """It forgets what follows, deletions included."""
    disk = kvlib.MemoryDisk()
    shop = kvlib.open(disk)
    shop["a"], shop["b"] = "1", "2"
    del shop["b"]
    log = disk.read("log")
    assert forgiving(log) == {"a": "1"}
    assert forgiving(log[:-1]) == {"a": "1", "b": "2"}
