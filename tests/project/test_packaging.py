"""What stands around the code: versions, layers, commands, and that no file names a machine."""

import re
import subprocess
import textwrap
import tomllib
from collections.abc import Iterable
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
from helpers.paths import PACKAGE, ROOT
from kvlib.views import dump

pytestmark = pytest.mark.untraced


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
