"""What the notebooks share: workspace, characters, attempt."""

import os
import sys
from pathlib import Path

import pytest

import kvlib
from kvlib import DirectoryDisk, MemoryDisk
from kvlib.lessons import attempt, characters, workspace


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
    with pytest.raises(ValueError, match="no name for a workspace"):
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
    assert lines == ["7", "CorruptionError: offset 0: 0 bytes, a count needs 4"]
