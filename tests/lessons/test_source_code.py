"""Solutions as code for a cell; see kvlib.lessons.source_code."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kvlib.lessons import check
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercise import Exercise
from kvlib.lessons.source_code import code_of


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.name)
def test_a_solved_cell_stands_alone_and_is_right(exercise: Exercise) -> None:
    """In an empty namespace it defines the answer for the check."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(exercise.solved, namespace)
    assert check(exercise.name, eval(exercise.handed, namespace)).passed


def test_code_comes_with_what_it_uses_of_its_module(tmp_path: Path) -> None:
    """It has its imports and helpers, and their helpers, but nothing that only shares a name."""
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
