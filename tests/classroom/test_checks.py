import pytest

from kvlib.classroom.checks import checked_in, checks_after
from kvlib.classroom.submissions import CodeCell
from kvlib.lessons.catalogue import EXERCISES

STUB, CHECK = EXERCISES["01-length"].cells
CALL = 'check("01-length", prediction)'


@pytest.mark.parametrize(
    ("cells", "indexes"),
    [
        ([CodeCell(STUB, ""), CodeCell(CHECK, CALL)], [2]),
        ([CodeCell("other", ""), CodeCell("another", CALL)], [2]),
        ([CodeCell(STUB, ""), CodeCell(CHECK, "1 / 1")], [1]),
        ([CodeCell(CHECK, "1 / 1")], [0]),
        ([CodeCell(CHECK, CALL), CodeCell(STUB, "")], [1, 2]),
        ([CodeCell(STUB, "")], [1]),
        ([CodeCell("", CALL), CodeCell("", f"# {CALL}"), CodeCell("", CALL)], [1, 3]),
        ([CodeCell("", "")], []),
    ],
    ids=["usual", "other ids", "edited", "first", "stub last", "deleted", "twice", "neither"],
)
def test_an_exercise_is_checked_after_its_calls_or_its_stub(
    cells: list[CodeCell], indexes: list[int]
) -> None:
    """An exercise is checked where its check is called, was edited, or was deleted."""
    assert checks_after([CodeCell("", ""), *cells]) == {index: ["01-length"] for index in indexes}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("check('01-length', 1)", {"01-length"}),
        ("!ls\n%matplotlib x\nlessons.check(name='01-length', answer=1)", {"01-length"}),
        ("if False:\n  check('01-length', 1); check('02-count', '\\d')", {"01-length", "02-count"}),
        ("hint('01-length')\ncheck(name)\ncheck('01-nothing', 1)\ncheck(['01-length'])", set()),
        ("check('01-length', 1)\ndef (", set()),
        ("\0", set()),
        ("(" * 100_000, set()),
    ],
)
def test_calls_of_check_are_found_by_the_exercises_name(source: str, names: set[str]) -> None:
    """Magics don't matter, and code with a syntax error checks nothing."""
    assert checked_in(source) == names
