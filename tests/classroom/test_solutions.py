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
from kvlib.lessons.source_code import code_of, solved


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.name)
def test_a_solved_cell_stands_alone_and_is_right(exercise: Exercise) -> None:
    """In an empty namespace it defines the answer for the check."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(solved(exercise), namespace)
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


def test_a_function_gets_the_name_that_the_exercise_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two exercises may ask for the same name, though their solutions share a module."""
    exercise = EXERCISES["01-encode-field"]
    monkeypatch.setitem(vars(exercise), "names", ("write_field",))
    assert solved(exercise).endswith("\n\n\nwrite_field = encode_field")
