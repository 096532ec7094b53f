"""What stands around the code: versions, layers, commands, and that no file names a machine."""

import ast
import io
import re
import subprocess
import sys
import textwrap
import tokenize
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from rattler import MatchSpec

import kvlib
from kvlib.views import dump

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "kvlib"


def text_of(name: str) -> str:
    """Read a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    """Give the project table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads(text_of("pyproject.toml"))["project"]
    return table


def ranges(requirements: Iterable[str]) -> dict[str, SpecifierSet]:
    """Give each required package's range by its name."""
    parsed = map(Requirement, requirements)
    return {canonicalize_name(one.name): one.specifier for one in parsed if one.name != "kvlib"}


def all_ranges() -> dict[str, SpecifierSet]:
    """Give the range of all that pyproject.toml names, the extras included."""
    extras = project()["optional-dependencies"].values()
    return ranges([*project()["dependencies"], *(one for extra in extras for one in extra)])


# ------------------------------------------------------------------------------- constraints.txt


def pins() -> dict[str, Version]:
    """Give each pinned version by its name; a line that is no plain pin fails."""
    found: dict[str, Version] = {}
    for line in text_of("constraints.txt").splitlines():
        parts = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9._!+]+)", line)
        assert parts, f"{line!r} is not name==version"
        found[canonicalize_name(parts[1])] = Version(parts[2])
    return found


def missing_pins(root: str, pinned: Iterable[str]) -> set[str]:
    """Walk through what `root` requires here, and what that requires; give what has no pin."""
    missing: set[str] = set()
    seen: set[str] = set()
    todo = [root]
    while todo:
        requirement = Requirement(todo.pop())
        name = canonicalize_name(requirement.name)
        if name not in pinned and name != "kvlib":
            missing.add(name)
        for line in requires(name) or []:
            if line not in seen and is_needed(Requirement(line), requirement.extras):
                seen.add(line)
                todo.append(line)
    return missing


def is_needed(requirement: Requirement, extras: set[str]) -> bool:
    """Say whether a requirement holds on this machine, with these extras chosen."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""})


def test_constraints_pin_all_that_is_installed() -> None:
    """Each package that kvlib needs, and each that those need, has its version fixed."""
    assert missing_pins("kvlib[dev]", pins()) == set()


def test_missing_pin_is_noticed() -> None:
    """A package that only another package asks for is missed when its pin is taken away."""
    assert missing_pins("kvlib[dev]", pins().keys() - {"tornado"}) == {"tornado"}


def test_pins_lie_in_the_ranges() -> None:
    """What is pinned is what pyproject.toml allows."""
    pinned = pins()
    outside = [name for name, range_ in all_ranges().items() if pinned[name] not in range_]
    assert outside == []


def test_base_needs_two_packages() -> None:
    """The engine and the command line need filelock and hexdump; all else is an extra."""
    assert set(ranges(project()["dependencies"])) == {"filelock", "hexdump"}


# ----------------------------------------------------------------------------- environment.yml


def environment() -> dict[str, Any]:
    """Read environment.yml."""
    content: dict[str, Any] = yaml.safe_load(text_of("environment.yml"))
    return content


def conda_lines() -> list[str]:
    """Give the lines that conda itself resolves."""
    return [line for line in environment()["dependencies"] if isinstance(line, str)]


def test_environment_has_the_form_that_conda_reads() -> None:
    """It has a name, the community's channel, and installs this folder with pip."""
    assert set(environment()) == {"name", "channels", "dependencies"}
    assert environment()["name"] == "kvlib"
    assert environment()["channels"] == ["conda-forge", "nodefaults"]
    assert [one for one in environment()["dependencies"] if not isinstance(one, str)] == [
        {"pip": ["-e ."]}
    ]


def test_environment_lines_are_strict_match_specs() -> None:
    """Conda's own grammar accepts each line, and finds the name and the range that we mean."""
    for line in conda_lines():
        name, _, range_ = line.partition(" ")
        spec = MatchSpec(line, strict=True)
        assert spec.name is not None
        assert spec.name.normalized == name
        assert (spec.version or "") == range_


def test_environment_has_the_ranges_of_pyproject() -> None:
    """Conda gets Python, pip, and what the engine and the notebooks need, in the same ranges."""
    conda = ranges(line for line in conda_lines() if line != "pip")
    wanted = ranges([*project()["dependencies"], *project()["optional-dependencies"]["notebooks"]])
    assert "pip" in conda_lines()
    assert conda == {**wanted, "python": SpecifierSet(project()["requires-python"])}


# --------------------------------------------------------------------------------------- layers

# From the bottom up: a module imports from the rows above its own, never from its own or below.
LAYERS = [
    {"errors", "wording", "scope", "streams", "copies"},
    {"encoding", "segments", "frame", "naive"},
    {"log", "disk"},
    {"snapshot", "crash", "commit"},
    {"recovery"},
    {"store"},
    {"judge"},
    {"salvage.findings"},
    {"salvage.source"},
    {"salvage.sealed", "salvage.frames"},
    {"salvage.snapshots"},
    {"salvage.rules"},
    {"salvage"},
    {"views.plain", "views.regions"},
    {"views.fields"},
    {"views.files"},
    {"views.layout"},
    {"views.text", "advice"},
    {"views.columns", "views.given", "views.html"},
    {"views.dumps", "views.film"},
    {"views.asking"},
    {"views.widgets"},
    {"views.subjects"},
    {"views.curves", "views.cuts", "views.diff", "views.flips", "views.lengths", "views.shown"}
    | {"views.delimiter_lab", "views.segment_desk", "views.steps"},
    {"views"},
    {"lessons"},
]
ENGINE = set().union(*LAYERS[:7])
PURE = {"errors", "encoding", "segments", "frame", "log", "naive", "wording"}
PURE |= {"views.plain", "views.regions", "views.fields", "views.files"}
# What reaches a file, a clock, or another process. (`io` does not, but for io.open.)
OUTSIDE = {"fcntl", "mmap", "os", "pathlib", "random", "shutil", "socket", "subprocess", "tempfile"}
OUTSIDE |= {"threading", "time", "kvlib.disk"}

# What the README tells to read, in its order; __init__ lists the names. Beside them stands what
# keeps threads, tasks and Ctrl-C apart: scope and commit.
READING_PATH = ["errors", "encoding", "segments", "frame", "log", "disk", "snapshot", "recovery"]
READING_PATH += ["store"]


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


def upward(name: str, imported: Iterable[str]) -> set[str]:
    """Give the modules of kvlib that `name` imports and that do not lie below it."""
    rank = {one: number for number, layer in enumerate(LAYERS) for one in layer}
    inner = {one.removeprefix("kvlib.") for one in imported if one.split(".")[0] == "kvlib"}
    rank["kvlib"] = rank["lessons"]  # above all others; the lessons may lean on each other
    return {one for one in inner if rank[place_of(one)] >= rank[place_of(name)] != rank["lessons"]}


def place_of(name: str) -> str:
    """Give the name under which a module stands in LAYERS: all the lessons share theirs."""
    return "lessons" if name.startswith("lessons.") else name


def layered() -> dict[str, set[str]]:
    """Give what each module imports, without those on top: kvlib itself and the commands."""
    parsed = modules()
    return {
        name: imports(module, parsed)
        for name, module in parsed.items()
        if name not in {"", "__main__", "commands"}
    }


def test_imports_run_downward_only() -> None:
    """A module imports only from the layers below its own, so that each can be read after those."""
    found = layered()
    assert {place_of(name) for name in found} <= set().union(*LAYERS), "a module has no layer yet"
    above = {name: upward(name, imported) for name, imported in found.items()}
    assert {name: wrong for name, wrong in above.items() if wrong} == {}


@pytest.mark.parametrize(
    ("name", "source", "above"),
    [
        ("frame", "from kvlib.errors import CorruptionError", set()),
        ("frame", "from kvlib.segments import split", {"segments"}),
        ("frame", "from kvlib import log", {"log"}),
        ("frame", "from kvlib import open", {"kvlib"}),
        ("disk", "import kvlib.store", {"store"}),
        ("store", "def late():\n    from kvlib.views.text import dump", {"views.text"}),
        ("store", "import json, os.path", set()),
    ],
)
def test_upward_import_is_noticed(name: str, source: str, above: set[str]) -> None:
    """An import from the same layer or a higher one, in whatever form, is seen."""
    known = [one for layer in LAYERS for one in layer]
    assert upward(name, imports(ast.parse(source), known)) == above


def test_engine_knows_nothing_of_views_and_lessons() -> None:
    """The store runs where nothing can be drawn: neither kvlib nor its engine imports a view."""
    everything = modules()
    for name in [*(ENGINE & everything.keys()), ""]:
        imported = imports(everything[name], everything)
        assert not {one for one in imported if one.startswith(("kvlib.views", "kvlib.lessons"))}


def test_pure_modules_touch_nothing_outside() -> None:
    """Bytes in, values out: what turns bytes into values opens no file, and asks no clock."""
    everything = modules()
    for name in PURE & everything.keys():
        imported = imports(everything[name], everything)
        assert not {one for one in imported if one.split(".")[0] in OUTSIDE or one in OUTSIDE}
        assert not {
            ast.unparse(node)
            for node in ast.walk(everything[name])
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"open", "io.open"}
        }, f"kvlib.{name} opens a file"


@pytest.mark.parametrize(
    ("library", "places"),
    [("ipywidgets", {"views.widgets", "lessons"}), ("hexdump", {"views.text"})],
)
def test_library_is_imported_in_its_own_place(library: str, places: set[str]) -> None:
    """Widgets are made in views.widgets and lessons, dumps in views.text, and nowhere else."""
    everything = modules()
    users = {
        place_of(name)
        for name, module in everything.items()
        if library in {one.split(".")[0] for one in imports(module, everything)}
    }
    assert users <= places


def test_importing_kvlib_loads_nothing_heavy() -> None:
    """A program that uses the store pays neither for widgets nor for Jupyter, nor for dumps."""
    script = "import sys, kvlib; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, encoding="utf-8"
    ).stdout.split()
    assert "kvlib" in loaded
    assert not {"IPython", "hexdump", "ipykernel", "ipywidgets", "jupyterlab"} & set(loaded)


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


def test_reading_path_has_at_most_1200_lines() -> None:
    """The engine that one reads to learn what such stores promise stays as short as we say."""
    lines = {name: lines_of_code(text_of(f"kvlib/{name}.py")) for name in READING_PATH}
    assert sum(lines.values()) <= 1200, lines


def test_package_says_that_it_is_typed() -> None:
    """Type checkers look for this file before they believe the annotations."""
    assert (PACKAGE / "py.typed").exists()


# ------------------------------------------------------------------------------------- commands


def test_readme_shows_what_is_printed() -> None:
    """The picture of a log is the one that `kvlib dump` draws today."""
    disk = kvlib.MemoryDisk()
    kvlib.open(disk).put("café", "2,50 €")
    dumped = textwrap.indent(str(dump(disk.read("log"), source="log")), "    ")
    assert dumped in text_of("README.md")


def test_readme_tells_the_reading_path() -> None:
    """The modules that are counted are those that the README tells to read, in that order."""
    rows = re.findall(r"^\| \[(\w+)\]\(kvlib/\1\.py\) \|", text_of("README.md"), re.M)
    assert rows == READING_PATH


def test_readme_names_commands_that_exist() -> None:
    """Each `make` command of the README is in the Makefile, and the two that matter are there."""
    targets = set(re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.M))
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", "\n".join(code_of(text_of("README.md")))))
    assert {"lab", "test"} <= named
    assert named <= targets


def code_of(text: str) -> list[str]:
    """Give what a markdown text shows as code: in a fence, indented, or within a line."""
    fences = re.findall(r"^```.*?\n(.*?)^```", text, re.DOTALL | re.M)
    return fences + re.findall(r"^ {4}.*", text, re.M) + re.findall(r"`([^`\n]+)`", text)


def test_ci_calls_the_test_command_of_the_readme() -> None:
    """What a reader runs and what is run for each change are one command."""
    assert re.search(r"^[^#\n]* make test\b", text_of(".ci/run"), re.M)


# ------------------------------------------------------------------------------ nobody's machine

# Where packages come from, and where somebody works: neither is any of a reader's business.
ELSEWHERE = re.compile(
    r"\bregistry[.]\w|://[\w.]+/simple\b|index[-]url"
    r"|(?<![\w.~$}])/(?:home|Users)/\w|[/]root/|\b[A-Z]:\\Users"
)
MADE = {"__pycache__", "build", "dist", "my-notebooks"}


def repository_files() -> list[Path]:
    """Give the files that are, or are about to be, committed."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            check=True,
            cwd=ROOT,
            encoding="utf-8",
        ).stdout
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive, or no git at all
        found = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
        hidden = re.compile(r"[.](?!ci$).*")
        return [
            ROOT / path
            for path in found
            if not any(part in MADE or hidden.fullmatch(part) for part in path.parts)
        ]
    return [path for name in listed.split("\0") if (path := ROOT / name).is_file()]


def test_committed_files_name_no_machine_and_no_registry() -> None:
    """A clone works wherever it lies, with whatever source of packages its owner has set up."""
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in repository_files()
        if b"\0" not in (content := path.read_bytes())
        for match in ELSEWHERE.finditer(content.decode("utf-8", errors="replace"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "parts",
    [
        ("https://py", "pi.org/simple"),
        ("/ho", "me/anna/kvlib"),
        ("/Us", "ers/anna"),
        ("in /ro", "ot/kvlib"),
        ("C:\\Us", "ers"),
        ("--index", "-url=x"),
    ],
)
def test_name_of_a_machine_is_noticed(parts: tuple[str, str]) -> None:
    """The pattern finds what it is there for (written in two parts, or it would find this test)."""
    assert ELSEWHERE.search("".join(parts))
