"""The project's conventions: its workflow, its commands, and the names of files."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from helpers.paths import PACKAGE, ROOT, text_of
from kvlib import views

pytestmark = pytest.mark.untraced


def loaded(name: str) -> Any:
    """Return the contents of a YAML file."""
    return yaml.safe_load(text_of(name))


def project() -> dict[str, Any]:
    """Return the project table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads(text_of("pyproject.toml"))["project"]
    return table


def test_each_change_runs_make_test() -> None:
    """The workflow on GitHub runs `make test` and nothing else; the longer checks run it too."""
    jobs = loaded(".github/workflows/tests.yml")["jobs"].values()
    commands = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert commands == ["make test"]
    assert re.search(r"^[^#\n]* make test\b", text_of(".ci/run"), re.M)


def test_the_workflow_has_every_supported_python() -> None:
    """The workflow tests each Python version that the package names."""
    (job,) = loaded(".github/workflows/tests.yml")["jobs"].values()
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(project()["classifiers"]))
    assert job["strategy"]["matrix"]["python"] == named


def test_hooks_run_modules_that_exist() -> None:
    """Each pre-commit hook runs a known module from .venv on files that exist."""
    (repository,) = loaded(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        python, option, module, *arguments = hook["entry"].split()
        assert (python, option) == (".venv/bin/python", "-m")
        assert module in {"ruff", "mypy", "pytest"}
        assert all((ROOT / name).exists() for name in arguments if "/" in name)


def test_the_citation_agrees_with_the_package() -> None:
    """The citation has the version, title, license and keywords of the package."""
    citation, package = loaded("CITATION.cff"), project()
    assert citation["title"] == package["name"]
    for name in ("version", "license", "keywords"):
        assert citation[name] == package[name]


def code_of(text: str) -> str:
    """Return the code in a Markdown text: fenced, indented or inline."""
    fences = re.findall(r"^```.*?\n(.*?)^```", text, re.DOTALL | re.M)
    lines = re.findall(r"^ {4}.*", text, re.M) + re.findall(r"`([^`\n]+)`", text)
    return "\n".join(fences + lines)


@pytest.mark.parametrize(
    ("page", "needed"),
    [
        ("README.md", {"lab", "test"}),
        ("CONTRIBUTING.md", {"test"}),
        (".github/pull_request_template.md", {"test"}),
    ],
)
def test_a_page_names_commands_and_files_that_exist(page: str, needed: set[str]) -> None:
    """Each `make` command and each path that a page names exists."""
    code = code_of(text_of(page))
    commands = set(re.findall(r"\bmake ([a-z][a-z-]*)", code))
    assert needed <= commands <= {*re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.M)}
    paths = re.findall(r"(?<![\w/.-])(?:kvlib|tests|notebooks)/[\w./*-]*", code)
    assert [path for path in paths if "NAME" not in path and not [*ROOT.glob(path)]] == []


def test_each_public_view_is_in_the_module_of_its_name() -> None:
    """A view is in the module of its name; the two curves share curves.py."""
    for name in views.__all__:
        module = {"overhead": "curves", "compactions": "curves"}.get(name, name.lower())
        assert getattr(views, name).__module__ == f"kvlib.views.{module}"


def test_each_test_file_is_named_after_its_module() -> None:
    """In the folders of a package's tests, each file has the name of a module."""
    for package in ("views", "layout", "cli"):
        tests = {
            path.stem.removeprefix("test_") for path in (ROOT / "tests" / package).glob("test_*")
        }
        modules = {path.stem for path in (PACKAGE / package).glob("*.py")}
        assert tests <= modules, package
