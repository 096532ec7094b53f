"""`kvlib notebooks` copies the notebooks from a source tree or a wheel, and overwrites none."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from helpers.commands import Run
from helpers.paths import ROOT
from kvlib.cli import notebooks
from kvlib.cli.notebooks import KEPT, NEW, SAME, copy

NAMES = ["01_encode.ipynb", "02_segment.ipynb", "03_log.ipynb"]


def test_copies_are_the_originals(tmp_path: Path) -> None:
    """Each notebook is copied byte for byte, to a folder that is made if it is missing."""
    target = tmp_path / "with a space" / "mine"
    assert dict(copy(target)) == dict.fromkeys(NAMES, NEW)
    for name in NAMES:
        assert (target / name).read_bytes() == (ROOT / "notebooks" / name).read_bytes()
    assert sorted(os.listdir(target)) == NAMES
    assert dict(copy(target)) == dict.fromkeys(NAMES, SAME)


def test_a_learners_changes_are_kept(run: Run, tmp_path: Path) -> None:
    """An edited notebook, or a folder with its name, stays until the learner removes it."""
    (tmp_path / NAMES[0]).write_text("mine", encoding="utf-8")
    (tmp_path / NAMES[1]).mkdir()
    status, out, _ = run("notebooks", tmp_path)
    assert status == 0
    assert (tmp_path / NAMES[0]).read_text(encoding="utf-8") == "mine"
    lines = out.splitlines()
    assert [line.rpartition(": ")[2] for line in lines[:3]] == [KEPT, KEPT, NEW]
    assert "For a fresh copy, rename or delete the file" in lines[3]
    (tmp_path / NAMES[0]).unlink()
    (tmp_path / NAMES[1]).rmdir()
    assert dict(copy(tmp_path)) == {NAMES[0]: NEW, NAMES[1]: NEW, NAMES[2]: SAME}
    status, out, _ = run("notebooks", tmp_path)
    assert status == 0
    assert "fresh copy" not in out


def test_a_copy_is_whole_or_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a copy would look like the learner's own changes, and never be replaced."""

    def half(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:100])
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr("shutil.copyfile", half)
        with pytest.raises(OSError, match="no space"):
            list(copy(tmp_path))
    assert os.listdir(tmp_path) == []
    assert dict(copy(tmp_path)) == dict.fromkeys(NAMES, NEW)


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("file", "file"),
        ("file/mine", "file"),
        (str(ROOT / "notebooks"), "these are the originals"),
        ("", "empty"),
    ],
)
def test_a_bad_folder_is_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, words: str
) -> None:
    """It may be a file, the folder of the originals, or an empty variable."""
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    status, out, err = run("notebooks", folder)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_a_package_without_notebooks_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A packager may have left them out."""
    monkeypatch.setattr(notebooks, "PLACES", (tmp_path / "nothing",))
    with pytest.raises(FileNotFoundError, match="did not come with this package"):
        list(copy(tmp_path / "mine"))


def test_a_wheel_contains_the_notebooks(tmp_path: Path) -> None:
    """A Python without the source tree copies them from the installed wheel."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "clean")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    python = tmp_path / "clean" / ("Scripts" if os.name == "nt" else "bin") / "python"
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
    code += "from kvlib.cli.notebooks import copy; print(dict(copy('mine')))"
    subprocess.run([str(python), "-c", code], cwd=tmp_path, check=True)
    assert sorted(os.listdir(tmp_path / "mine")) == NAMES


@pytest.mark.skipif(os.name == "nt", reason="needs make")
def test_make_lab_installs_only_what_a_learner_needs() -> None:
    """It installs no development tools, copies the notebooks, and opens the first copy."""
    plan = subprocess.run(
        ["make", "-n", "-B", "lab", "VENV=build/never"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    assert "-e '.[notebooks]'" in plan
    assert ".[dev]" not in plan
    assert "-m kvlib notebooks my-notebooks" in plan
    assert "/lab/tree/01_encode.ipynb" in plan
