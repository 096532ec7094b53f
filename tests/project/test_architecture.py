"""The architecture: who may import whom, and how long the reading path is."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from typing import Final

import pytest

from helpers.paths import PACKAGE, ROOT
from helpers.vocabulary import run_python

pytestmark = pytest.mark.untraced

PURE: Final = {"errors", "encoding", "segments", "frame", "log", "naive", "parts", "plural"}
PURE_TOO: Final = {"views.plain", "layout.regions", "layout.decode"}
# What reaches a file, a clock, or another process. (`io` does not, but for io.open.)
OUTSIDE: Final = {"fcntl", "mmap", "os", "pathlib", "random", "shutil", "socket", "subprocess"}
OUTSIDE_TOO: Final = {"tempfile", "threading", "time", "kvlib.disk", "kvlib.directory"}

# The engine, in the order in which the README says to read it.
ENGINE = ["errors", "parts", "encoding", "segments", "frame", "log", "scope", "disk"]
ENGINE += ["directory", "snapshot", "recovery", "writer", "store", "commit", "durable"]
MOST_LINES: Final = 1500


def picture() -> list[list[str]]:
    """Return the lines of the picture in CONTRIBUTING.md, the lowest first: names of modules."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawn = re.search(r"^```architecture\n(.*?)^```", text, re.M | re.S)
    assert drawn, "CONTRIBUTING.md has no picture of the architecture"
    return [re.split(" {2,}", line)[0].split(" ") for line in drawn[1].splitlines()[::-1]]


def modules() -> dict[str, ast.Module]:
    """Parse each module of kvlib; the name is what follows `kvlib.`, and kvlib itself is ''."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(module: ast.Module, known: Iterable[str]) -> set[str]:
    """Give what a module imports, also within functions; modules of kvlib by their full name."""
    known = {f"kvlib.{name}" for name in known if name}
    return set(_imports(module, known))


def _imports(module: ast.Module, known: set[str]) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that they read the same everywhere"
            assert node.module
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & known
            yield from inner
            if len(inner) < len(node.names):
                yield node.module


def place_of(name: str) -> str:
    """Return the name under which a module is in the picture: its package's, if it has one."""
    return name.removeprefix("kvlib.").split(".")[0]


def imported() -> dict[str, set[str]]:
    """Return the modules of kvlib that each imports, but for kvlib itself and an old name."""
    parsed = modules()
    parsed["kvlib"] = parsed.pop("")
    del parsed["lessons.__main__"]  # the commands' old name, which leads to the new one
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


def test_the_picture_has_every_module() -> None:
    """Each module or package of kvlib is in the picture once, and nothing else is."""
    drawn = [name for line in picture() for name in line]
    assert sorted(drawn) == sorted({place_of(name) for name in imported()})


def test_imports_run_downward_only() -> None:
    """A module imports only from lower lines of the picture, so it can be read after those."""
    above = {name: upward(name, found) for name, found in imported().items()}
    assert {name: wrong for name, wrong in above.items() if wrong} == {}


def test_imports_run_in_no_circle() -> None:
    """Within a package too, one module is the first that can be read."""
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
def test_upward_import_is_noticed(name: str, source: str, above: set[str]) -> None:
    """An import from the same line or a higher one, in whatever form, is seen."""
    found = {one for one in imports(ast.parse(source), modules()) if one.startswith("kvlib")}
    assert upward(name, {one.removeprefix("kvlib.") for one in found}) == above


def test_pure_modules_touch_nothing_outside() -> None:
    """Bytes in, values out: what turns bytes into values opens no file, and asks no clock."""
    everything = modules()
    for name in PURE | PURE_TOO:
        found = imports(everything[name], everything)
        outside = OUTSIDE | OUTSIDE_TOO
        assert not {one for one in found if one.split(".")[0] in outside or one in outside}
        assert not {
            ast.unparse(node)
            for node in ast.walk(everything[name])
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"open", "io.open"}
        }, f"kvlib.{name} opens a file"


@pytest.mark.parametrize(
    ("library", "places"),
    [("ipywidgets", {"views.widgets"}), ("hexdump", {"layout.text"})],
)
def test_library_is_imported_in_its_own_place(library: str, places: set[str]) -> None:
    """Widgets are made in views.widgets, dumps in layout.text, and nowhere else."""
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
    """Count the lines that hold code: not blank ones, comments and docstrings."""
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


def test_lines_of_code_are_counted_without_text() -> None:
    """Of these seven lines three hold code: a statement over two lines, and one more."""
    assert lines_of_code('"""Text\nin two lines."""\n\n# why\nx = (\n    1)\ny = 2  # so\n') == 3


def test_the_engine_can_be_read_in_an_evening() -> None:
    """All of the engine, group commit and the real disk included, stays below a number of lines."""
    lines = {
        name: lines_of_code((PACKAGE / f"{name}.py").read_text(encoding="utf-8")) for name in ENGINE
    }
    assert sum(lines.values()) <= MOST_LINES, lines


def test_readme_tells_the_reading_path() -> None:
    """The modules that are counted are those that the README tells to read, in that order."""
    rows = re.findall(
        r"^\| \[(\w+)\]\(kvlib/\1\.py\) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.M
    )
    assert rows == ENGINE
