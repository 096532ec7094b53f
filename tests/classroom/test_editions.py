import os
import re
from pathlib import Path

import pytest

from helpers.paths import ROOT
from helpers.small_notebooks import read, small, write_all
from kvlib.classroom import editions
from kvlib.classroom.__main__ import main
from kvlib.classroom.editions import (
    build,
    exercises_of,
    hidden_tests,
    release,
    source,
    text,
)
from kvlib.classroom.notebooks import Cell, ClassroomError, Notebook, execute
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.coding import Coding
from kvlib.lessons.source_code import code_of

# One of each kind, and one with an import.
NAMES = ("01-length", "01-encode-field", "01-decode-order", "01-snapshot", "01-run-snapshots")
SOME = [EXERCISES[name] for name in NAMES]

# Stands in for nbgrader, which only tests/nbgrader needs.
NBGRADER = """\
import pathlib, shutil, sys
assert sys.argv[1:] == ["generate_assignment", "kvlib", "--force", "--no-db"], sys.argv
assert pathlib.Path("nbgrader_config.py").exists()
shutil.copytree("source/kvlib", "release/kvlib")
"""


def fake_nbgrader(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str = NBGRADER) -> None:
    """Let Python find this module where it looks for nbgrader."""
    package = folder / "fake" / "nbgrader"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(code)
    monkeypatch.syspath_prepend(str(folder / "fake"))
    monkeypatch.setenv("PYTHONPATH", str(folder / "fake"), prepend=os.pathsep)


def files(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder, by their paths there."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def cell(notebook: Notebook, name: str) -> Cell:
    """Return the cell with this id."""
    found: Cell = next(one for one in notebook.cells if one.id == name)
    return found


def overlay(folder: Path, **tests: str) -> Path:
    """Make a folder of hidden tests; `_` stands for `-`."""
    folder.mkdir()
    for name, code in tests.items():
        (folder / f"{name[1:].replace('_', '-')}.py").write_text(code, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a learner's notebook that was run, like the committed ones."""
    folder = tmp_path_factory.mktemp("class") / "notebooks"
    return write_all(folder, {"01_encode.ipynb": execute(small(SOME))})


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of notebooks that aren't really run, next to editions made earlier."""
    fake_nbgrader(tmp_path, monkeypatch)
    monkeypatch.setattr(editions, "execute", lambda notebook: notebook)
    monkeypatch.setattr(editions, "rejected", lambda cells, hidden: [])
    write_all(tmp_path / "notebooks", {"01_encode.ipynb": small(SOME[:1])})
    list(build(tmp_path / "notebooks", tmp_path / "made"))
    return tmp_path / "notebooks"


# ------------------------------------------------------------------------------------------- build


def test_the_same_notebooks_give_the_same_editions(
    learner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is where nbgrader or a reader looks for it, and only source/ has hidden tests."""
    fake_nbgrader(tmp_path, monkeypatch, "import os; os.makedirs('release/kvlib')")
    folder = overlay(tmp_path / "mine", _01_length="assert prediction == 14, 'my secret'")
    lines = list(build(learner, tmp_path / "one", folder))
    first = files(tmp_path / "one")
    assert list(first) == [
        "html/learner/01_encode.html",
        "html/solved/01_encode.html",
        "nbgrader_config.py",
        "solved/01_encode.ipynb",
        "source/kvlib/01_encode.ipynb",
    ]
    assert lines[-1] == f"{tmp_path / 'one' / 'release' / 'kvlib'}: "
    assert [name for name in first if b"my secret" in first[name]] == [
        "source/kvlib/01_encode.ipynb"
    ]
    assert b"01-length: right" in first["solved/01_encode.ipynb"]
    list(build(learner, tmp_path / "two", folder))
    assert files(tmp_path / "two") == first


def test_building_again_replaces_the_editions_and_nothing_else(quick: Path) -> None:
    """Submissions stay, and so does a configuration that the teacher has changed."""
    course = quick.parent / "made"
    for name in ("submitted/anna/one.ipynb", "nbgrader_config.py", "solved/00_old.ipynb"):
        (course / name).parent.mkdir(parents=True, exist_ok=True)
        (course / name).write_text("mine")
    list(build(quick, course))
    mine = {name for name, data in files(course).items() if data == b"mine"}
    assert mine == {"submitted/anna/one.ipynb", "nbgrader_config.py"}


@pytest.mark.parametrize("stage", ["execute", "page", "release"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_build_that_fails_leaves_the_earlier_editions(
    stage: str, error: BaseException, quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a full disk or Ctrl-C they are there, and nothing else."""
    before = files(quick.parent)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(editions, stage, fail)
    with pytest.raises(type(error)):
        list(build(quick, quick.parent / "made"))
    assert files(quick.parent) == before


@pytest.mark.parametrize(
    ("notebooks", "target", "said"),
    [
        ("made/solved", "made", "is made anew"),
        ("notebooks", "file", "exists|is a file|Not a directory"),
        ("nowhere", "made", "no notebook in"),
        ("broken", "made", r"01_encode\.ipynb is not a notebook for classes: "),
        ("half", "made", r"01_encode\.ipynb is .*: 01-length needs the cells 01-length-stub and"),
    ],
)
def test_a_build_that_cannot_work_runs_nothing(
    notebooks: str, target: str, said: str, quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read is never replaced, and a bad notebook or target is noticed at once."""
    folder = quick.parent
    (folder / "file").touch()
    half = small([])
    half.cells[0].id = "01-length-stub"
    write_all(folder / "half", {"01_encode.ipynb": half})
    (folder / "broken").mkdir()
    (folder / "broken" / "01_encode.ipynb").write_text("{")
    monkeypatch.setattr(editions, "execute", lambda notebook: pytest.fail("it has run"))
    before = files(folder)
    with pytest.raises((ClassroomError, OSError), match=said):
        list(build(folder / notebooks, folder / target))
    assert files(folder) == before


def test_a_missing_nbgrader_is_noticed_first(quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build takes minutes and needs it at the end."""
    monkeypatch.setattr(editions, "execute", lambda notebook: pytest.fail("it has run"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ClassroomError, match=r"pip install -e '\.\[classroom\]'"):
        list(build(quick, quick.parent / "made"))


@pytest.mark.parametrize("code", ["raise SystemExit('its own words')", "print('its own words')"])
def test_nbgrader_that_fails_is_quoted(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails too if it ends well and has made nothing."""
    fake_nbgrader(tmp_path, monkeypatch, f"import sys; sys.stdout = sys.stderr; {code}")
    with pytest.raises(ClassroomError, match=r"failed:\nits own words"):
        release(tmp_path, b"")


def test_command_says_what_it_makes(quick: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has a line for each edition, or says why there is none."""
    made = quick.parent / "made"
    assert main(["editions", str(quick), str(made)]) == 0
    assert f"{made / 'solved'}: 01_encode.ipynb\n" in capsys.readouterr().out
    assert main(["editions", str(quick.parent), str(made)]) == 2
    assert "kvlib.classroom: there is no notebook in" in capsys.readouterr().err


# --------------------------------------------------------------------------------------- notebooks


def test_committed_notebooks_know_nothing_of_nbgrader() -> None:
    """There are three, and all that a class needs is made from them."""
    paths = sorted((ROOT / "notebooks").glob("*.*"))
    assert [path.name for path in paths] == ["01_encode.ipynb", "02_segment.ipynb", "03_log.ipynb"]
    for path in paths:
        assert not any("nbgrader" in cell.metadata for cell in read(path).cells)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("01-length-check", {"id": "elsewhere"}),
        ("01-length-stub", {"id": "elsewhere"}),
        ("01-length-check", {"source": 'check("01-length", 14)'}),
    ],
)
def test_an_exercise_has_both_cells_and_the_right_check(name: str, change: dict[str, str]) -> None:
    """The error says which cells it needs."""
    notebook = small(SOME)
    cell(notebook, name).update(change)
    said = r"01-length needs .*01-length-check: `check\(\"01-length\", prediction\)`"
    with pytest.raises(ClassroomError, match=said):
        list(exercises_of(notebook))


def test_source_has_what_nbgrader_wants(learner: Path) -> None:
    """The solution is between marks below the stub. Ids, points and locks are in the metadata."""
    notebook = read(learner / "01_encode.ipynb")
    before = text(notebook)
    made = source(notebook, {})
    assert text(notebook) == before  # `made` is a copy
    common = {"schema_version": 3, "task": False}
    for exercise in SOME:
        stub, check = (cell(made, name) for name in exercise.cells)
        start, _, rest = stub.source.partition("\n### BEGIN SOLUTION\n")
        assert (start, rest) == (exercise.stub, f"{exercise.solved}\n### END SOLUTION")
        own = {"grade_id": stub.id, "grade": False, "locked": False, "solution": True}
        assert stub.metadata.nbgrader == common | own
        assert check.source == f"{exercise.call}.require()"
        own = {"grade_id": check.id, "grade": True, "locked": True, "solution": False}
        assert check.metadata.nbgrader == common | own | {"points": exercise.points}
    shown = [one for one in made.cells if one.cell_type == "code"]
    assert {(len(one.outputs), one.execution_count) for one in shown} == {(0, None)}


# ------------------------------------------------------------------------------------ hidden tests


def test_hidden_tests_are_where_nbgrader_hides_them(tmp_path: Path) -> None:
    """They follow the check, between nbgrader's marks. Other files in the folder are ignored."""
    folder = overlay(tmp_path / "mine", _01_length="\ufeff# é\nassert prediction > 7\n")
    (folder / "README.md").write_text("Notes.")
    hidden = hidden_tests(folder)
    assert hidden == {"01-length": "# é\nassert prediction > 7\n"}
    assert cell(source(small(SOME), hidden), "01-length-check").source == (
        'check("01-length", prediction).require()\n'
        "### BEGIN HIDDEN TESTS\n# é\nassert prediction > 7\n### END HIDDEN TESTS"
    )


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        ("assert prediction == 15, 'so there'", r"01-length\.py rejects .*: .*Error: so there"),
        (None, "01-encode-field: the check rejects the solution: wrong"),
    ],
)
def test_a_solution_that_is_rejected_stops_the_build(
    hidden: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check or the hidden test is named, with its error, and nothing is made."""
    fake_nbgrader(tmp_path, monkeypatch)
    monkeypatch.setattr(editions, "execute", lambda notebook: notebook)
    bad = {"01-encode-field": "encode_field = bytes"}
    if not hidden:
        code = property(lambda one: bad.get(one.name) or code_of(one.functions))
        monkeypatch.setattr(Coding, "solved", code)
    write_all(tmp_path / "notebooks", {"01_encode.ipynb": small(SOME[:2])})
    folder = overlay(tmp_path / "mine", _01_length=hidden) if hidden else None
    with pytest.raises(ClassroomError, match=said):
        list(build(tmp_path / "notebooks", tmp_path / "made", folder))
    assert not files(tmp_path / "made")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("01-lenght", b"assert 1", "There is no exercise .* mean 01-length"),
        ("01-length", b"1 +", "invalid syntax"),
        ("01-length", b"\xff", "utf-8"),
        ("01-length", b"\0", "null bytes"),
        ("01-length", b"(" * 1000, "too many nested"),
        ("01-length", None, "directory|Permission"),
    ],
)
def test_an_error_in_an_overlay_names_its_file(
    name: str, content: bytes | None, said: str, tmp_path: Path
) -> None:
    """A typing mistake must not release a class without its tests."""
    path = tmp_path / f"{name}.py"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(ClassroomError, match=f"^{re.escape(str(path))}: .*{said}"):
        hidden_tests(tmp_path)
    with pytest.raises(ClassroomError, match="there is no folder"):
        hidden_tests(tmp_path / "nowhere")
