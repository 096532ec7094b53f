import importlib
import json
import re
import runpy
import sys
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import nbformat
import pytest

from helpers.paths import ROOT
from helpers.small_notebooks import read, small, write_all
from kvlib.classroom import editions
from kvlib.classroom.__main__ import main
from kvlib.classroom.editions import (
    EditionError,
    Notebook,
    build,
    execute,
    exercises_of,
    hidden_tests,
    left_out,
    page,
    require_right,
    solve,
    source,
)
from kvlib.classroom.guide import renewed
from kvlib.lessons import check
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise
from kvlib.lessons.source_code import code_of, solved
from tools import notebooks as notebook_tool

ALL = [pytest.param(exercise, id=exercise.name) for exercise in EXERCISES.values()]
# One of each kind, but for a function that needs an import: the last has one.
NAMES = ("01-length", "01-encode-field", "01-decode-order", "01-snapshot", "01-run-snapshots")
SOME = [EXERCISES[name] for name in NAMES]

# What stands in for nbgrader, which only the real class below tests/classroom needs.
NBGRADER = """\
import pathlib, shutil, sys
assert sys.argv[1:] == ["generate_assignment", "kvlib", "--force", "--no-db"], sys.argv
assert pathlib.Path("nbgrader_config.py").exists()
shutil.copytree("source/kvlib", "release/kvlib")
"""


def nbgrader(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str = NBGRADER) -> None:
    """Put something else in nbgrader's place."""
    (folder / "fake" / "nbgrader").mkdir(parents=True)
    (folder / "fake" / "nbgrader" / "__init__.py").touch()  # else a real one comes first
    (folder / "fake" / "nbgrader" / "__main__.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder / "fake"))


def files(folder: Path) -> dict[str, bytes]:
    """Give all files below a folder, by their path there."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def answer(exercise: Exercise, namespace: Mapping[str, Any]) -> Any:
    """Give what is handed to the check."""
    answers = tuple(namespace[name] for name in exercise.names)
    return answers if len(answers) > 1 else answers[0]


# -------------------------------------------------------------------------------------- committed


def test_three_notebooks_are_committed_and_know_nothing_of_nbgrader() -> None:
    """They are the learner's; whatever a class needs is made from them."""
    paths = sorted((ROOT / "notebooks").glob("*.*"))
    assert [path.name for path in paths] == ["01_encode.ipynb", "02_segment.ipynb", "03_log.ipynb"]
    for path in paths:
        assert not any("nbgrader" in cell.metadata for cell in read(path).cells)


# ----------------------------------------------------------------------------------------- solved


@pytest.mark.parametrize("exercise", ALL)
def test_a_solved_cell_stands_alone_and_is_right(exercise: Exercise) -> None:
    """In an empty namespace it defines what the check gets."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(solved(exercise), namespace)
    result = check(exercise.name, answer(exercise, namespace))
    assert result.passed, result


def test_code_comes_with_what_it_uses_of_its_module(tmp_path: Path) -> None:
    """Imports and helpers, also those of helpers; but not what has the same name elsewhere."""
    text = '''\
"""Solutions."""

import os.path as place
from typing import Any, Final

SIZE: Final = 4
first = "another"


def helper(name: str) -> int:
    return SIZE + len(place.join(name))


def twice(function: Any) -> Any:
    return function


@twice
def wanted(value: Any) -> int:
    first = helper(value)
    return first


def other() -> int:
    return SIZE
'''
    (tmp_path / "solutions_here.py").write_text(text)
    module = ModuleType("solutions_here")
    module.__file__ = str(tmp_path / "solutions_here.py")
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    sys.modules["solutions_here"] = module
    try:
        code = code_of([module.wanted])
    finally:
        del sys.modules["solutions_here"]
    assert code.splitlines()[:5] == [
        "import os.path as place",
        "from typing import Any, Final",
        "",
        "",
        "SIZE: Final = 4",
    ]
    assert re.findall(r"^(?:def|@|first).*", code, re.M) == [
        "def helper(name: str) -> int:",
        "def twice(function: Any) -> Any:",
        "@twice",
        "def wanted(value: Any) -> int:",
    ]


def test_a_function_of_another_name_is_given_the_one_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two notebooks may ask for functions of one name; in solutions.py each has its own."""
    exercise = EXERCISES["01-encode-field"]
    monkeypatch.setitem(vars(exercise), "names", ("write_field",))
    assert solved(exercise).endswith("\n\n\nwrite_field = encode_field")


# ---------------------------------------------------------------------------------------- building


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a learner's notebook, run as the committed ones are."""
    folder = tmp_path_factory.mktemp("class") / "notebooks"
    return write_all(folder, {"01_encode.ipynb": execute(small(SOME))})


def test_all_editions_are_built_twice_the_same(
    learner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each where nbgrader and a reader look for it, in the same bytes each time."""
    nbgrader(tmp_path, monkeypatch)
    lines = list(build(learner, tmp_path / "one"))
    first = files(tmp_path / "one")
    assert list(first) == [
        "html/learner/01_encode.html",
        "html/solved/01_encode.html",
        "nbgrader_config.py",
        "release/kvlib/01_encode.ipynb",
        "solved/01_encode.ipynb",
        "source/kvlib/01_encode.ipynb",
    ]
    assert lines[0].startswith("left out, because no notebook has their cells: 01-delimiter, ")
    assert lines[-1] == f"{tmp_path / 'one' / 'release' / 'kvlib'}: 01_encode.ipynb"
    list(build(learner, tmp_path / "two"))
    assert files(tmp_path / "two") == first


def test_nothing_is_said_of_what_is_complete() -> None:
    """A line of what is left out stands there only if something is."""
    assert list(left_out([small(EXERCISES.values())], {})) == []


def test_building_again_replaces_its_own_and_nothing_else(
    learner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the class handed in is there as it was, and so is a configuration that was changed."""
    nbgrader(tmp_path, monkeypatch)
    monkeypatch.setattr(editions, "execute", lambda notebook: notebook)
    monkeypatch.setattr(editions, "require_right", lambda notebook: None)
    kept = tmp_path / "course" / "submitted" / "anna" / "kvlib" / "01_encode.ipynb"
    config = tmp_path / "course" / "nbgrader_config.py"
    stale = tmp_path / "course" / "solved" / "00_old.ipynb"
    for path in (kept, config, stale):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    list(build(learner, tmp_path / "course"))
    assert (kept.read_text(), config.read_text()) == ("mine", "mine")
    assert not stale.exists()


def test_command_builds(
    learner: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It says what it makes, or why it can't."""
    nbgrader(tmp_path, monkeypatch)
    assert main(["editions", str(learner), str(tmp_path / "made")]) == 0
    assert f"{tmp_path / 'made' / 'solved'}: 01_encode.ipynb\n" in capsys.readouterr().out
    assert main(["editions", str(tmp_path), str(tmp_path / "made")]) == 2
    assert "kvlib.classroom: there is no notebook in" in capsys.readouterr().err


@pytest.mark.parametrize("code", ["raise SystemExit('its own word')", "print('its own word')"])
def test_nbgrader_that_fails_is_reported(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its own words, also if all that it does is nothing."""
    nbgrader(tmp_path, monkeypatch, f"import sys; sys.stdout = sys.stderr; {code}")
    with pytest.raises(EditionError, match=r"failed:\nits own word"):
        editions.release(tmp_path)


def cell(notebook: Notebook, name: str) -> nbformat.NotebookNode:
    """Give the cell of this id."""
    found: nbformat.NotebookNode = next(one for one in notebook.cells if one.id == name)
    return found


def test_half_an_exercise_is_no_exercise() -> None:
    """A stub without its check, and a check of something else, are found out."""
    notebook = small(SOME)
    cell(notebook, "01-length-check").id = "elsewhere"
    with pytest.raises(EditionError, match="01-length has no cell 01-length-check"):
        list(exercises_of(notebook))
    notebook = small(SOME)
    cell(notebook, "01-length-stub").id = "elsewhere"
    with pytest.raises(EditionError, match="01-length has no cell 01-length-stub"):
        list(exercises_of(notebook))
    notebook = small(SOME)
    cell(notebook, "01-length-check").source = 'check("01-length", 14)'
    with pytest.raises(EditionError, match=r'is not `check\("01-length", prediction\)`'):
        list(exercises_of(notebook))


def test_a_cell_that_fails_stops_the_build() -> None:
    """No edition is made of a notebook that doesn't run."""
    notebook = small(SOME[:1])
    cell(notebook, "small-setup").source = "1 / 0"
    with pytest.raises(EditionError, match="ZeroDivisionError"):
        execute(notebook)


def test_a_solution_that_is_not_right_stops_the_build() -> None:
    """What the check says is shown."""
    notebook = small(SOME[:1])
    cell(notebook, "01-length-stub").source = "prediction = 7"
    with pytest.raises(EditionError, match="does not pass: 01-length: not yet"):
        require_right(execute(notebook))


def test_what_varies_is_not_stored() -> None:
    """Neither frames of a traceback, nor the number of a widget."""
    notebook = small([])
    view = {editions.WIDGET_VIEW: {"model_id": "7"}, "text/plain": "a slider"}
    cell(notebook, "small-setup").outputs = [
        nbformat.v4.new_output("display_data", view, metadata={"x": 1}),
        nbformat.v4.new_output("error", ename="E", evalue="why", traceback=["in /some/where"]),
        nbformat.v4.new_output("stream", text="printed"),
    ]
    editions.clean(notebook)
    shown, error, _ = cell(notebook, "small-setup").outputs
    assert (shown["data"], shown["metadata"]) == ({"text/plain": "a slider"}, {})
    assert error["traceback"] == ["E: why"]


def test_solved_notebooks_are_cleaned_as_the_committed_ones() -> None:
    """Running one as the committed notebooks are run changes nothing."""
    notebook = execute(solve(small(SOME[:3])))
    again = json.loads(editions.text(notebook))
    notebook_tool.clean(again)
    assert again == json.loads(editions.text(notebook))


# --------------------------------------------------------------------------------------- nbgrader


def test_source_has_what_nbgrader_wants() -> None:
    """Ids, points, and locks from the exercise; the solution between marks, below the stub."""
    notebook = source(small(SOME), {})
    for exercise, (stub, checking) in ((one, one.cells) for one in SOME):
        code = cell(notebook, stub)
        before, _, rest = code.source.partition("\n### BEGIN SOLUTION\n")
        assert before == exercise.stub
        assert rest == f"{solved(exercise)}\n### END SOLUTION"
        assert code.metadata.nbgrader == {
            "schema_version": 3,
            "grade_id": stub,
            "grade": False,
            "locked": False,
            "solution": True,
            "task": False,
        }
        graded = cell(notebook, checking)
        assert graded.source == f"{editions.checked(exercise)}.require()"
        assert graded.metadata.nbgrader == {
            "schema_version": 3,
            "grade_id": checking,
            "grade": True,
            "locked": True,
            "solution": False,
            "task": False,
            "points": exercise.points,
        }


def test_source_shows_nothing(learner: Path) -> None:
    """What the learner's notebook shows is of its unsolved stubs."""
    cells = source(read(learner / "01_encode.ipynb"), {}).cells
    shown = [one for one in cells if one.cell_type == "code"]
    assert {(len(one.outputs), one.execution_count) for one in shown} == {(0, None)}


def test_source_leaves_the_learners_notebook_alone() -> None:
    """Editions are made of copies."""
    notebook = small(SOME)
    before = editions.text(notebook)
    source(notebook, {"01-length": "assert 1"})
    solve(notebook)
    assert editions.text(notebook) == before


# ---------------------------------------------------------------------------------- the destination


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of notebooks that needn't run, beside what was made of them before."""
    nbgrader(tmp_path, monkeypatch)
    monkeypatch.setattr(editions, "execute", lambda notebook: notebook)
    monkeypatch.setattr(editions, "require_right", lambda notebook: None)
    write_all(tmp_path / "notebooks", {"01_encode.ipynb": small(SOME[:1])})
    list(build(tmp_path / "notebooks", tmp_path / "made"))
    return tmp_path / "notebooks"


@pytest.mark.parametrize("stage", ["execute", "page", "release", "swap"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_build_that_fails_anywhere_changes_nothing(
    stage: str, error: BaseException, quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk or Ctrl-C leaves what an earlier build made, and nothing besides."""
    before = files(quick.parent)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(editions, stage, fail)
    with pytest.raises(type(error)):
        list(build(quick, quick.parent / "made"))
    assert files(quick.parent) == before
    with pytest.raises(type(error)):
        list(build(quick, quick.parent / "new" / "place"))
    assert not (quick.parent / "new").exists()


def test_a_folder_whose_successor_cannot_be_renamed_stays(tmp_path: Path) -> None:
    """Between the two renames there is one step, and it is taken back."""
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "file").touch()
    for place in (tmp_path / "place", tmp_path / "nothing"):
        with pytest.raises(FileNotFoundError):
            editions.swap(tmp_path / "missing", place)
    assert list(files(tmp_path)) == ["place/file"]


@pytest.mark.parametrize(
    ("notebooks", "target", "said"),
    [
        ("notebooks", "notebooks", "is only read"),
        ("notebooks", "notebooks/made", "is only read"),
        ("made/solved", "made", "is made anew"),
        ("notebooks", "file", "exists|is a file|Not a directory"),
        ("notebooks", "file/below", "[Nn]ot a directory|cannot find|exists"),
        ("nowhere", "made", "no notebook in"),
        ("broken", "made", r"01_encode\.ipynb is no notebook: "),
        ("half", "made", r"01_encode\.ipynb: 01-length has no cell"),
    ],
)
def test_all_is_looked_at_before_anything_runs(
    notebooks: str, target: str, said: str, quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read is never replaced, and what can't be written is found out at once."""
    folder = quick.parent
    (folder / "file").touch()
    write_all(folder / "half", {"01_encode.ipynb": small([])})
    half = read(folder / "half" / "01_encode.ipynb")
    half.cells[0].id = "01-length-stub"
    (folder / "half" / "01_encode.ipynb").write_text(editions.text(half))
    (folder / "broken").mkdir()
    (folder / "broken" / "01_encode.ipynb").write_text("{")
    monkeypatch.setattr(editions, "execute", lambda notebook: pytest.fail("it has run"))
    before = files(folder)
    with pytest.raises((EditionError, OSError), match=said):
        list(build(folder / notebooks, folder / target))
    assert files(folder) == before


def test_a_missing_nbgrader_is_found_out_first(
    quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not after the minutes that a build takes."""
    monkeypatch.setattr(editions, "execute", lambda notebook: pytest.fail("it has run"))
    monkeypatch.setattr("subprocess.run", lambda *_: SimpleNamespace(returncode=1))
    with pytest.raises(EditionError, match=r"pip install -e '\.\[classroom\]'"):
        list(build(quick, quick.parent / "made"))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os._exit(1)", "the cell last has failed: "),
        ("raise Exception('\\x1b[31mred')", "the cell last has failed:(?s:.*)Exception: red"),
    ],
)
def test_a_failing_cell_is_named_in_plain_text(code: str, said: str) -> None:
    """Whatever it did, and without the colours of a terminal."""
    notebook = small([])
    notebook.cells.append(nbformat.v4.new_code_cell(code, id="last"))
    with pytest.raises(editions.FailedError, match=said) as caught:
        execute(notebook)
    assert "\x1b" not in str(caught.value)


def test_a_kernel_that_does_not_start_is_no_cells_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no cell to name."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no kernel")

    monkeypatch.setattr("nbclient.NotebookClient.execute", fail)
    with pytest.raises(editions.FailedError, match=r"^no kernel$") as caught:
        execute(small([]))
    assert caught.value.cell is None


# ----------------------------------------------------------------------------------------- overlay


def overlay(folder: Path, **tests: str) -> Path:
    """Make a folder of hidden tests; `_` stands for `-`."""
    folder.mkdir()
    for name, code in tests.items():
        (folder / f"{name[1:].replace('_', '-')}.py").write_text(code, encoding="utf-8")
    return folder


def test_hidden_tests_stand_where_nbgrader_hides_them(tmp_path: Path) -> None:
    """Behind the check, between nbgrader's marks; what is no Python file is no test."""
    folder = overlay(tmp_path / "mine", _01_length="# é\nassert prediction > 7\n")
    (folder / "README.md").write_text("What these are for.")
    hidden = hidden_tests(folder)
    assert hidden == {"01-length": "# é\nassert prediction > 7\n"}
    assert cell(source(small(SOME), hidden), "01-length-check").source == (
        'check("01-length", prediction).require()\n'
        "### BEGIN HIDDEN TESTS\n# é\nassert prediction > 7\n### END HIDDEN TESTS"
    )


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ({"_01_lenght": "assert 1"}, r"01-lenght\.py: There is no exercise .* mean 01-length"),
        ({"_01_length": "assert"}, r"01-length\.py: invalid syntax"),
        ({"_01_bug_hunt": "assert 1"}, "hidden test for 01-bug-hunt, which no notebook has"),
        (
            {"_01_length": "assert prediction == 15"},
            r"^[^\n]*01-length\.py: a hidden test rejects the solution: [^\x1b]*Assert[^\x1b]*$",
        ),
    ],
)
def test_a_hidden_test_that_can_do_no_good_stops_the_build(
    tests: dict[str, str],
    said: str,
    learner: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One for no exercise, no Python, for what is not there, or that no answer could pass."""
    nbgrader(tmp_path, monkeypatch)
    folder = overlay(tmp_path / "mine", **tests)
    with pytest.raises(EditionError, match=said):
        list(build(learner, tmp_path / "made", folder))
    assert not (tmp_path / "made").exists()


def test_a_missing_overlay_is_an_error(tmp_path: Path) -> None:
    """A typing mistake must not release a class without its tests."""
    with pytest.raises(EditionError, match="there is no folder"):
        hidden_tests(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content",
    [b"\xff", b"\0", b"(" * 1000, b"import", None],
    ids=["bytes", "nul", "deep", "no", "dir"],
)
def test_an_error_in_an_overlay_names_its_file(content: bytes | None, tmp_path: Path) -> None:
    """Whatever is wrong with it."""
    path = tmp_path / "01-length.py"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(EditionError, match=f"^{re.escape(str(path))}: "):
        hidden_tests(tmp_path)


def test_a_hidden_test_may_begin_with_a_mark_and_be_warned_of(tmp_path: Path) -> None:
    """As an editor on Windows saves it; Python's warnings of its style are the teacher's."""
    (tmp_path / "01-length.py").write_bytes(b"\xef\xbb\xbfassert 1 is 1")
    assert hidden_tests(tmp_path) == {"01-length": "assert 1 is 1"}


def test_hidden_tests_are_in_source_only(
    learner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in what is shown to anybody."""
    nbgrader(tmp_path, monkeypatch, "import os; os.makedirs('release/kvlib')")
    folder = overlay(tmp_path / "mine", _01_length="assert prediction == 14, 'my secret'")
    list(build(learner, tmp_path / "made", folder))
    assert [name for name, data in files(tmp_path / "made").items() if b"my secret" in data] == [
        "source/kvlib/01_encode.ipynb"
    ]


# ------------------------------------------------------------------------------------------- HTML


class Fetched(HTMLParser):
    """Collects what a browser would fetch for a page, wherever it stands."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)
        self.found += re.findall(r"url\(\s*[\"']?((?!data:)[^\"')\s]+)", text)
        self.found += re.findall(r"@import|\bimport\s*\(?\s*[\"'][^\"']*|\bfetch\(", text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what stands in an attribute that a browser follows by itself."""
        for name, value in attrs:
            follows = name in {"src", "srcset", "data", "poster"} or (name, tag) == ("href", "link")
            if follows and value is not None and not value.startswith("data:"):
                self.found.append(value)


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example/require.js"></script>',
        '<link rel="stylesheet" href="style.css">',
        "<style>@import 'https://x.example/a.css'</style>",
        "<style>p {background: url(//x.example/a.png)}</style>",
        "<script type=module>await import('https://x.example/a.mjs')</script>",
        "<img src=picture.png>",
    ],
)
def test_what_is_fetched_is_noticed(text: str) -> None:
    """In each of the ways that there are; a link to click on is none."""
    assert Fetched(text).found
    assert not Fetched('<a href="https://x.example">there</a><img src="data:,">').found


COMMITTED = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_pages_fetch_nothing(path: Path) -> None:
    """A page is one file, and reads without a network; its title is the notebook's name."""
    made = page(read(path), path.name)
    assert Fetched(made).found == []
    assert f"<title>{path.stem}</title>" in made


def test_pages_lead_to_pages(learner: Path) -> None:
    """A link to another notebook leads to its page."""
    made = page(read(learner / "01_encode.ipynb"), "01_encode.ipynb")
    assert '<a href="02_segment.html">' in made
    assert ".ipynb" not in made


def test_folded_answers_are_folded_in_pages() -> None:
    """Who reads is asked to guess too."""
    notebook = small([])
    answer = cell(notebook, "small-setup")
    answer.outputs = [nbformat.v4.new_output("stream", text="the answer")]
    folded = "<details><summary>Guess first, then look</summary>"
    assert folded not in page(notebook, "one.ipynb")
    answer.metadata["jupyter"] = {"outputs_hidden": True}
    assert folded in page(notebook, "one.ipynb")


# ------------------------------------------------------------------------------------------- guide


def test_package_can_be_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `python -m kvlib.classroom`, with three commands."""
    monkeypatch.setattr(sys, "argv", ["kvlib.classroom", "--help"])
    monkeypatch.delitem(sys.modules, "kvlib.classroom.__main__")
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module("kvlib.classroom", run_name="__main__")
    assert re.findall(r"^    (\w+)", capsys.readouterr().out, re.M) == [
        "editions",
        "grade",
        "guide",
    ]


def test_guide_has_the_tables_of_today() -> None:
    """If not: python -m kvlib.classroom guide docs/teaching.md."""
    text = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    assert text == renewed(text)
    for exercise in EXERCISES.values():
        assert f"| `{exercise.name}` | {exercise.objective} |" in text
        for mistake in exercise.mistakes:
            assert mistake.sentence.replace("|", r"\|") in text


def test_command_renews_the_guide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is ours between the marks is made anew, what is the author's stays."""
    path = tmp_path / "guide.md"
    path.write_text("above\n<!-- made: points -->\nold\n<!-- end -->\nbelow\n", encoding="utf-8")
    assert main(["guide", str(path), "--check"]) == 1
    assert "old" in path.read_text(encoding="utf-8")
    assert main(["guide", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert text.startswith("above\n<!-- made: points -->\n\n| exercise |")
    assert text.endswith("<!-- end -->\nbelow\n")
    assert "old" not in text
    assert main(["guide", str(path), "--check"]) == 0
    said = [line.rpartition(": ")[2] for line in capsys.readouterr().out.splitlines()]
    assert said == ["would change", "renewed", "unchanged"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff", "utf-8"),
        (b"<!-- made: nothing -->\n<!-- end -->", "`<!-- made: nothing -->` names no part"),
    ],
)
def test_a_guide_that_cannot_be_renewed_stays(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is named, and what is wrong with it."""
    path = tmp_path / "guide.md"
    path.write_bytes(content)
    assert main(["guide", str(path)]) == 2
    error = capsys.readouterr().err
    assert str(path) in error
    assert said in error
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["missing.ipynb", "broken.ipynb", "folder.ipynb"])
def test_the_notebook_tool_looks_at_all_before_the_first_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the file that is no notebook."""
    write_all(tmp_path / "good", {"01_encode.ipynb": small([])})
    (tmp_path / "broken.ipynb").write_text('{"cells": [3]}')
    (tmp_path / "folder.ipynb").mkdir()
    monkeypatch.setattr(notebook_tool, "renew", lambda path: pytest.fail("it has run"))
    with pytest.raises(SystemExit, match="2"):
        notebook_tool.main([str(tmp_path / "good" / "01_encode.ipynb"), str(tmp_path / name)])
    assert f"{name} is not a notebook" in capsys.readouterr().err


def test_the_old_name_of_the_commands_still_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For one version, `python -m kvlib.lessons` says its new name, and does what it did."""
    importlib.import_module("kvlib.lessons.__main__")  # which does nothing
    monkeypatch.delitem(sys.modules, "kvlib.lessons.__main__")
    with pytest.raises(SystemExit):
        runpy.run_module("kvlib.lessons", run_name="__main__")
    shown = capsys.readouterr()
    assert "now python -m kvlib.classroom" in shown.err
