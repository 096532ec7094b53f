"""The architecture: which module may import which, and the length of the reading path."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable
from graphlib import TopologicalSorter
from typing import Final

import pytest

from helpers.paths import PACKAGE, text_of
from helpers.vocabulary import run_python

pytestmark = pytest.mark.untraced

PURE = {"errors", "encoding", "segments", "frame", "log", "naive", "parts", "plural"}
PURE |= {"views.plain", "layout.regions", "layout.decode"}
# Modules that reach a file, a clock or another process. (In `io`, only io.open does.)
OUTSIDE = {"fcntl", "mmap", "os", "pathlib", "random", "shutil", "socket", "subprocess"}
OUTSIDE |= {"tempfile", "threading", "time", "kvlib.disk", "kvlib.directory"}

# The engine, in the reading order of docs/engine.md.
ENGINE = ["errors", "parts", "encoding", "segments", "frame", "log", "scope", "disk"]
ENGINE += ["directory", "snapshot", "recovery", "writer", "store", "commit", "durable"]
MOST_LINES: Final = 1500


def picture() -> list[list[str]]:
    """Return the module names on each line of the picture in CONTRIBUTING.md, the lowest first."""
    drawn = re.search(r"^```architecture\n(.*?)^```", text_of("CONTRIBUTING.md"), re.M | re.S)
    assert drawn, "CONTRIBUTING.md has no picture of the architecture"
    return [re.split(" {2,}", line)[0].split(" ") for line in drawn[1].splitlines()[::-1]]


def modules() -> dict[str, ast.Module]:
    """Parse each module of kvlib. Names have no `kvlib.`, and that of kvlib itself is empty."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(module: ast.Module, known: Iterable[str]) -> set[str]:
    """Return what a module imports, even within functions; modules of kvlib by their full name."""
    found, known = set(), {f"kvlib.{name}" for name in known if name}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that they read the same everywhere"
            assert node.module
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & known
            found |= inner if len(inner) == len(node.names) else inner | {node.module}
    return found


def place_of(name: str) -> str:
    """Return a module's name in the picture: that of its package, if it has one."""
    return name.removeprefix("kvlib.").split(".")[0]


def imported() -> dict[str, set[str]]:
    """Return the modules of kvlib that each module imports."""
    parsed = modules()
    parsed["kvlib"] = parsed.pop("")
    del parsed["lessons.__main__"]  # the old name of the commands imports the new one
    return {
        name: {
            one.removeprefix("kvlib.")
            for one in imports(module, parsed)
            if one.split(".")[0] == "kvlib"
        }
        for name, module in parsed.items()
    }


def upward(name: str, found: Iterable[str]) -> set[str]:
    """Return the modules that `name` imports and that aren't on a lower line of the picture."""
    rank = {one: number for number, line in enumerate(picture()) for one in line}
    place = place_of(name)
    others = (one for one in found if place_of(one) != place)
    return {one for one in others if rank[place_of(one)] >= rank[place]}


def test_the_picture_shows_every_module() -> None:
    """The picture shows each module or package once, and nothing else."""
    drawn = [name for line in picture() for name in line]
    assert sorted(drawn) == sorted({place_of(name) for name in imported()})


def test_imports_point_downward() -> None:
    """A module imports only from lower lines of the picture."""
    above = {name: upward(name, found) for name, found in imported().items()}
    assert {name: wrong for name, wrong in above.items() if wrong} == {}


def test_imports_have_no_cycle() -> None:
    """There are no import cycles, even within a package."""
    tuple(TopologicalSorter(imported()).static_order())


@pytest.mark.parametrize(
    ("name", "source", "above"),
    [
        ("frame", "from kvlib.errors import CorruptionError", set()),
        ("frame", "from kvlib.segments import split", {"segments"}),
        ("frame", "from kvlib import log", {"log"}),
        ("frame", "from kvlib import open", {"kvlib"}),
        ("disk", "import kvlib.store", {"store"}),
        ("store", "def late():\n    from kvlib.layout.text import dump", {"layout.text"}),
        ("store", "import json, os.path", set()),
    ],
)
def test_an_upward_import_is_noticed(name: str, source: str, above: set[str]) -> None:
    """An import from the same line or a higher one is found, whatever its form."""
    found = {one for one in imports(ast.parse(source), modules()) if one.startswith("kvlib")}
    assert upward(name, {one.removeprefix("kvlib.") for one in found}) == above


def test_pure_modules_touch_nothing_outside() -> None:
    """A module that turns bytes into values opens no file and reads no clock."""
    everything = modules()
    for name in PURE:
        found = imports(everything[name], everything)
        assert not found & OUTSIDE
        assert not {one.split(".")[0] for one in found} & OUTSIDE
        calls = (node for node in ast.walk(everything[name]) if isinstance(node, ast.Call))
        assert not {ast.unparse(call.func) for call in calls} & {"open", "io.open"}, name


@pytest.mark.parametrize(
    ("library", "places"),
    [("ipywidgets", {"views.widgets"}), ("hexdump", {"layout.text"})],
)
def test_a_library_is_used_by_one_module(library: str, places: set[str]) -> None:
    """Only views.widgets makes widgets, and only layout.text imports hexdump."""
    everything = modules()
    users = {
        name
        for name, module in everything.items()
        if library in {one.split(".")[0] for one in imports(module, everything)}
    }
    assert users <= places


def test_importing_kvlib_loads_nothing_heavy() -> None:
    """A program with a store in memory loads no Jupyter, no dumps, and no file locks."""
    code = """
        import sys, kvlib
        kvlib.open(kvlib.MemoryDisk()).close()
        print(*{name.split(".")[0] for name in sys.modules})
    """
    heavy = {"IPython", "filelock", "hexdump", "ipykernel", "ipywidgets", "jupyterlab"}
    assert heavy & {*run_python(code).split()} == set()


def lines_of_code(source: str) -> int:
    """Count the lines of code, without blank lines, comments and docstrings."""
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in silent and token.type != tokenize.ENDMARKER:
            lines.update(range(token.start[0], token.end[0] + 1))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and ast.get_docstring(node):
            text = node.body[0]
            lines.difference_update(range(text.lineno, (text.end_lineno or 0) + 1))
    return len(lines)


def test_comments_and_docstrings_are_not_counted() -> None:
    """Seven lines have a statement of two lines, and one of a single line."""
    assert lines_of_code('"""Text\nin two lines."""\n\n# why\nx = (\n    1)\ny = 2  # so\n') == 3


def test_the_engine_can_be_read_in_an_evening() -> None:
    """The engine, with group commit and the real disk, has at most 1,500 lines of code."""
    lines = {name: lines_of_code(text_of(f"kvlib/{name}.py")) for name in ENGINE}
    assert sum(lines.values()) <= MOST_LINES, lines


def test_the_guide_to_the_engine_has_the_reading_path() -> None:
    """It lists the engine's modules in the reading order."""
    rows = re.findall(r"^\| \[(\w+)\]\(\.\./kvlib/\1\.py\) \|", text_of("docs/engine.md"), re.M)
    assert rows == ENGINE
