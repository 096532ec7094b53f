"""The check of 03-save: what a function does in a real folder, and what a power cut leaves.

The functions are called directly here too, because a check runs them under its own tracer.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kvlib.lessons.exercise import Finding
from kvlib.lessons.exercises.log.save import EXERCISE, save
from kvlib.lessons.saving import NAME, NEW, OLD, SENTENCES, Folder, _watched, check_saving

Save = Callable[[str, bytes], object]


def beside(path: str, data: bytes) -> str:
    """Write to a new file, make its bytes safe, and return its path."""
    new = f"{path}.new"
    with open(new, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file)
    return new


def sync_folder(path: str) -> None:
    """Make the names in a folder safe."""
    folder = os.open(path, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def in_place(path: str, data: bytes) -> None:
    """Overwrite the file."""
    Path(path).write_bytes(data)


def without_flush(path: str, data: bytes) -> None:
    """Leave the bytes in Python's buffer."""
    with open(f"{path}.new", "wb") as file:
        file.write(data)
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)
    sync_folder(os.path.dirname(path))


def without_fsync(path: str, data: bytes) -> None:
    """Rename a file that may be empty."""
    Path(f"{path}.new").write_bytes(data)
    os.replace(f"{path}.new", path)
    sync_folder(os.path.dirname(path))


def without_folder(path: str, data: bytes) -> None:
    """Leave the rename unsafe."""
    os.rename(beside(path, data), path)


def with_another_folder(path: str, data: bytes) -> None:
    """Make the wrong folder's names safe."""
    os.rename(beside(path, data), path)
    sync_folder(os.sep)


def with_the_folder_first(path: str, data: bytes) -> None:
    """Make the names safe before the rename."""
    new = beside(path, data)
    sync_folder(os.path.dirname(path))
    os.replace(new, path)


def with_a_gap(path: str, data: bytes) -> None:
    """Delete the old file before the rename."""
    new = beside(path, data)
    if os.path.exists(path):
        os.unlink(path)
    os.rename(new, path)
    sync_folder(os.path.dirname(path))


def not_at_all(path: str, data: bytes) -> None:
    """Write the new file, and leave it."""
    beside(path, data)


WRONG: list[tuple[Save, str]] = [
    (in_place, "in place"),
    (without_flush, "early fsync"),
    (without_fsync, "no fsync"),
    (without_folder, "no folder"),
    (with_another_folder, "no folder"),
    (with_the_folder_first, "early folder"),
    (with_a_gap, "removed"),
    (not_at_all, "unchanged"),
]


def watched(function: Save, place: Path) -> Folder:
    """Call a function in a folder, as a check does, and cut the power after it."""
    folder = Folder(str(place), {NAME: OLD}, NEW)
    (place / NAME).write_bytes(OLD)
    (place / "a folder").mkdir()
    with _watched(folder):
        function(str(place / NAME), NEW)
    folder.look()
    folder.judge("while it runs", (OLD, NEW))
    folder.judge("after it has returned", (NEW,))
    return folder


@pytest.mark.parametrize(("function", "cause"), WRONG)
def test_a_power_cut_tells_the_cause(function: Save, cause: str, tmp_path: Path) -> None:
    """In the folder itself, and as feedback; each sentence ends in a question."""
    folder = watched(function, tmp_path)
    assert folder.bad is not None
    assert folder.bad[1] == SENTENCES[cause]
    found = check_saving(function)
    assert isinstance(found, Finding)
    assert found.says == SENTENCES[cause]
    assert found.says.count("?") + found.says.endswith(".") >= 1


def by_way_of_a_third_name(path: str, data: bytes) -> None:
    """Rename the new file twice."""
    os.rename(beside(path, data), f"{path}.almost")
    os.rename(f"{path}.almost", path)
    sync_folder(os.path.dirname(path))


@pytest.mark.parametrize("function", [save, by_way_of_a_third_name])
def test_a_right_answer_loses_nothing(function: Save, tmp_path: Path) -> None:
    """At any moment, in every case."""
    assert watched(function, tmp_path).bad is None
    assert check_saving(function) == 3


def test_the_solution_works_where_a_folder_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves out that step on Windows."""
    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        save(f"{tmp_path}{os.sep}file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_the_check_is_asked_like_any_other() -> None:
    """For the stub, a wrong answer and a right one."""
    stub: dict[str, Any] = {}
    exec(EXERCISE.stub, stub)
    assert EXERCISE.check(stub["save"]).state == "not tried yet"
    assert EXERCISE.check(in_place).state == "wrong"
    assert EXERCISE.check(save).passed


def test_where_no_folder_can_be_synced_a_rename_is_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows the fsync of the folder is left out."""
    folder = Folder(str(tmp_path), {NAME: OLD}, NEW)
    (tmp_path / NAME).write_bytes(OLD)
    new = beside(str(tmp_path / NAME), b"")
    os.unlink(new)
    with _watched(folder), monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        os.replace(beside(str(tmp_path / NAME), NEW), tmp_path / NAME)
    folder.judge("after it has returned", (NEW,))
    assert folder.bad is None


def test_files_elsewhere_are_left_alone(tmp_path: Path) -> None:
    """A file from another folder is seen when it arrives, and one that leaves when it is gone."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()

    def from_there(path: str, data: bytes) -> None:
        (there / "file").write_bytes(data)
        os.replace(there / "file", path)
        os.replace(path, there / "file")
        os.remove(there / "file")

    folder = watched(from_there, here)
    assert folder.bad is not None
    assert folder.known == {}
    assert folder.bad[1] == SENTENCES["in place"]


def test_a_file_that_stays_is_noticed() -> None:
    """Though the saved one is right."""

    def with_a_copy(path: str, data: bytes) -> None:
        Path(f"{path}.bak").write_bytes(b"copy")
        save(path, data)

    found = check_saving(with_a_copy)
    assert found == Finding(
        f'save("{NAME}", {len(NEW)} bytes)',
        f"left in the folder: {NAME}.bak",
        SENTENCES["leftover"],
    )


def test_an_error_is_its_own_finding() -> None:
    """With the learner's line."""

    def failing(path: str, data: bytes) -> None:
        raise OSError("no room")

    found = check_saving(failing)
    assert isinstance(found, Finding)
    assert found.came.startswith("OSError: no room")
