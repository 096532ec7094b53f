"""How the project is worked on: what contributors are told, and what runs for each change."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from helpers.paths import PACKAGE, ROOT
from kvlib import views

pytestmark = pytest.mark.untraced


def text_of(name: str) -> str:
    """Return the text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def loaded(name: str) -> Any:
    """Return the contents of a YAML file."""
    return yaml.safe_load(text_of(name))


def targets() -> set[str]:
    """Return the names of the Makefile's commands."""
    return set(re.findall(r"^([a-z][a-z-]*):.*##", text_of("Makefile"), re.M))


def test_the_workflow_only_calls_make() -> None:
    """What runs for a change on GitHub is what anyone can run."""
    jobs = loaded(".github/workflows/tests.yml")["jobs"].values()
    commands = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert commands == ["make test"]


def test_the_workflow_has_the_pythons_that_are_promised() -> None:
    """Each version that the package names is tested."""
    (job,) = loaded(".github/workflows/tests.yml")["jobs"].values()
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert job["strategy"]["matrix"]["python"] == named


def test_hooks_call_what_is_there() -> None:
    """Each hook of pre-commit runs a module from .venv, and names files that exist."""
    (repository,) = loaded(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        python, option, module, *arguments = hook["entry"].split()
        assert (python, option) == (".venv/bin/python", "-m")
        assert module in {"ruff", "mypy", "pytest"}
        assert all((ROOT / name).exists() for name in arguments if "/" in name)


def test_the_citation_is_of_this_version() -> None:
    """Version, title and licence are the package's."""
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    citation = loaded("CITATION.cff")
    assert citation["version"] == project["version"]
    assert (citation["title"], citation["license"]) == (project["name"], project["license"])
    assert citation["keywords"] == project["keywords"]


def test_contributors_are_told_of_commands_and_files_that_exist() -> None:
    """Each `make` command, and each path, in CONTRIBUTING.md and in the templates."""
    pages = ["CONTRIBUTING.md", ".github/pull_request_template.md"]
    text = "\n".join(map(text_of, pages))
    code = "\n".join(re.findall(r"`([^`\n]+)`", text) + re.findall(r"^ {4}(.*)", text, re.M))
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) <= targets() | {"help"}
    paths = re.findall(r"(?:kvlib|tests|notebooks|build)/[\w./*-]*", code)
    missing = [
        path
        for path in paths
        if "NAME" not in path and not path.startswith("build/") and not [*ROOT.glob(path)]
    ]
    assert missing == []


def test_each_public_view_is_in_the_module_of_its_name() -> None:
    """`views.crash` is in kvlib/views/crash.py; curves.py has both of the curves."""
    for name in views.__all__:
        module = {"overhead": "curves", "compactions": "curves"}.get(name, name.lower())
        assert getattr(views, name).__module__ == f"kvlib.views.{module}"


def test_each_test_file_is_named_after_what_it_tests() -> None:
    """A module's tests are in the folder of its package; other files are named after a subject."""
    for package in ("views", "layout", "cli"):
        tests = {
            path.stem.removeprefix("test_") for path in (ROOT / "tests" / package).glob("test_*")
        }
        modules = {path.stem for path in (PACKAGE / package).glob("*.py")}
        assert tests <= modules, package
