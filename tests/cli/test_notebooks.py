"""A learner's own copies of the notebooks, out of a source tree or a wheel; none is overwritten."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from helpers.paths import ROOT
from kvlib.__main__ import main
from kvlib.cli import notebooks
from kvlib.cli.notebooks import KEPT, NEW, SAME, copy

NAMES = ["01_encode.ipynb", "02_segment.ipynb", "03_log.ipynb"]


def test_copies_are_the_originals(tmp_path: Path) -> None:
    """Each notebook, byte for byte, in a folder that is made."""
    target = tmp_path / "with a space" / "mine"
    assert dict(copy(target)) == dict.fromkeys(NAMES, NEW)
    for name in NAMES:
        assert (target / name).read_bytes() == (ROOT / "notebooks" / name).read_bytes()
    assert sorted(os.listdir(target)) == NAMES
    assert dict(copy(target)) == dict.fromkeys(NAMES, SAME)


def test_what_a_learner_has_changed_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever it is by now: an edited notebook, a folder. It says how to get a fresh one."""
    (tmp_path / NAMES[0]).write_text("mine", encoding="utf-8")
    (tmp_path / NAMES[1]).mkdir()
    assert main(["notebooks", str(tmp_path)]) == 0
    assert (tmp_path / NAMES[0]).read_text(encoding="utf-8") == "mine"
    out = capsys.readouterr().out.splitlines()
    assert [line.rpartition(": ")[2] for line in out[:3]] == [KEPT, KEPT, NEW]
    assert "For a fresh copy, rename or delete the file" in out[3]
    (tmp_path / NAMES[0]).unlink()
    (tmp_path / NAMES[1]).rmdir()
    assert dict(copy(tmp_path)) == {NAMES[0]: NEW, NAMES[1]: NEW, NAMES[2]: SAME}
    assert main(["notebooks", str(tmp_path)]) == 0
    assert "fresh copy" not in capsys.readouterr().out


def test_a_copy_is_there_as_a_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a notebook would be taken for the learner's own, and never be replaced."""

    def half(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:100])
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr("shutil.copyfile", half)
        with pytest.raises(OSError, match="no space"):
            list(copy(tmp_path))
    assert os.listdir(tmp_path) == []
    assert dict(copy(tmp_path)) == dict.fromkeys(NAMES, NEW)


def test_bad_folders_are_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file, the folder of the originals itself, and a variable that was forgotten."""
    (tmp_path / "file").touch()
    for folder, words in (
        (tmp_path / "file", "file"),
        (tmp_path / "file" / "mine", "file"),
        (ROOT / "notebooks", "these are the originals"),
        ("", "empty"),
    ):
        assert main(["notebooks", str(folder)]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert words in err


def test_a_package_without_notebooks_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a packager may have left them out."""
    monkeypatch.setattr(notebooks, "PLACES", (tmp_path / "nothing",))
    with pytest.raises(FileNotFoundError, match="did not come with this package"):
        list(copy(tmp_path / "mine"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built from this source tree with what is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_a_wheel_brings_the_notebooks(wheel: Path, tmp_path: Path) -> None:
    """In a Python where there is nothing of the source tree, they come out of it."""
    venv.create(tmp_path / "clean")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    python = tmp_path / "clean" / ("Scripts" if os.name == "nt" else "bin") / "python"
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
    code += "from kvlib.cli.notebooks import copy; print(dict(copy('mine')))"
    subprocess.run([str(python), "-c", code], cwd=tmp_path, check=True)
    assert sorted(os.listdir(tmp_path / "mine")) == NAMES


@pytest.mark.skipif(os.name == "nt", reason="make is not at home there")
def test_make_lab_installs_no_more_than_a_learner_needs() -> None:
    """No linter, type checker or test runner but nbval; it opens the first of the copies."""
    plan = subprocess.run(
        ["make", "-n", "-B", "lab", "VENV=build/never"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    assert "-e '.[notebooks]'" in plan
    assert ".[dev]" not in plan
    assert "-m kvlib notebooks my-notebooks" in plan
    assert "/lab/tree/01_encode.ipynb" in plan
