"""The packaging: pinned versions, the conda environment, and no machine's paths."""

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
from helpers.paths import PACKAGE, ROOT, text_of
from kvlib.views import dump

pytestmark = pytest.mark.untraced


def project() -> dict[str, Any]:
    """Return the project table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads(text_of("pyproject.toml"))["project"]
    return table


def ranges(requirements: Iterable[str]) -> dict[str, SpecifierSet]:
    """Return the version range of each required package, by its name."""
    parsed = map(Requirement, requirements)
    return {canonicalize_name(one.name): one.specifier for one in parsed if one.name != "kvlib"}


def all_ranges() -> dict[str, SpecifierSet]:
    """Return the range of every package that pyproject.toml names, in extras too."""
    extras = project()["optional-dependencies"].values()
    return ranges([*project()["dependencies"], *(one for extra in extras for one in extra)])


# ------------------------------------------------------------------------------- constraints.txt


def pins() -> dict[str, Version]:
    """Return each pinned version by its name; check that each line is a plain pin."""
    found: dict[str, Version] = {}
    for line in text_of("constraints.txt").splitlines():
        parts = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9._!+]+)", line)
        assert parts, f"{line!r} is not name==version"
        found[canonicalize_name(parts[1])] = Version(parts[2])
    return found


def missing_pins(root: str, pinned: Iterable[str]) -> set[str]:
    """Return the direct and indirect requirements of `root` that have no pin."""
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
    """Return whether a requirement applies to this machine with these extras."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""})


def test_every_installed_package_is_pinned() -> None:
    """Every package that kvlib needs, directly or not, is pinned."""
    assert missing_pins("kvlib[dev]", pins()) == set()


def test_a_missing_pin_is_noticed() -> None:
    """A missing pin of an indirect requirement is found."""
    assert missing_pins("kvlib[dev]", pins().keys() - {"tornado"}) == {"tornado"}


def test_pins_are_within_the_ranges() -> None:
    """Each pinned version is within the range in pyproject.toml."""
    pinned = pins()
    outside = [name for name, range_ in all_ranges().items() if pinned[name] not in range_]
    assert outside == []


def test_the_engine_needs_two_packages() -> None:
    """The engine and the commands need filelock and hexdump; the rest are extras."""
    assert set(ranges(project()["dependencies"])) == {"filelock", "hexdump"}


# ----------------------------------------------------------------------------- environment.yml


def environment() -> dict[str, Any]:
    """Read environment.yml."""
    content: dict[str, Any] = yaml.safe_load(text_of("environment.yml"))
    return content


def conda_lines() -> list[str]:
    """Return the lines that conda itself resolves."""
    return [line for line in environment()["dependencies"] if isinstance(line, str)]


def test_the_environment_is_one_that_conda_reads() -> None:
    """The environment has a name, conda-forge as its channel, and this folder from pip."""
    assert set(environment()) == {"name", "channels", "dependencies"}
    assert environment()["name"] == "kvlib"
    assert environment()["channels"] == ["conda-forge", "nodefaults"]
    assert [one for one in environment()["dependencies"] if not isinstance(one, str)] == [
        {"pip": ["-e ."]}
    ]


def test_environment_lines_are_match_specs() -> None:
    """Conda's own grammar finds the intended name and range in each line."""
    for line in conda_lines():
        name, _, range_ = line.partition(" ")
        spec = MatchSpec(line, strict=True)
        assert spec.name is not None
        assert spec.name.normalized == name
        assert (spec.version or "") == range_


def test_the_environment_has_the_ranges_of_pyproject() -> None:
    """Conda gets pip, and Python and the packages for notebooks in the same ranges."""
    conda = ranges(line for line in conda_lines() if line != "pip")
    wanted = ranges([*project()["dependencies"], *project()["optional-dependencies"]["notebooks"]])
    assert "pip" in conda_lines()
    assert conda == {**wanted, "python": SpecifierSet(project()["requires-python"])}


def test_the_package_is_marked_as_typed() -> None:
    """The package has the file without which type checkers ignore its annotations."""
    assert (PACKAGE / "py.typed").exists()


def test_the_dump_that_is_shown_is_current() -> None:
    """docs/engine.md has what `kvlib dump` prints."""
    disk = kvlib.MemoryDisk()
    kvlib.open(disk).put("café", "2,50 €")
    dumped = textwrap.indent(str(dump(disk.read("log"), source="log")), "    ")
    assert dumped in text_of("docs/engine.md")


# ------------------------------------------------------------------------------ names of machines

# The addresses of package registries, and the home folders of developers.
ELSEWHERE = re.compile(
    r"\bregistry[.]\w|://[\w.]+/simple\b|index[-]url"
    r"|(?<![\w.~$}])/(?:home|Users)/\w|[/]root/|\b[A-Z]:\\Users"
)
MADE = {"__pycache__", "build", "dist", "my-notebooks"}


def repository_files() -> list[Path]:
    """Return the files that are committed, or about to be."""
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
    """No file depends on a developer's home folder or package registry."""
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
def test_the_name_of_a_machine_is_noticed(parts: tuple[str, str]) -> None:
    """Paths and addresses are found; here they are in two parts, or this file would be found."""
    assert ELSEWHERE.search("".join(parts))
