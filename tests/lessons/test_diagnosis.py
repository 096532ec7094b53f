import pytest

from kvlib.lessons import check
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.result import Result
from lessons.wrong import GAPS, WRONG
from lessons.wrong.rows import Row, Table, answer_of


def _params(table: Table) -> list[object]:
    return [
        pytest.param(name, row, id=f"{name}-{number}")
        for name, rows in table.items()
        for number, row in enumerate(rows)
    ]


def _checked(name: str, row: Row) -> Result:
    return check(name, answer_of(EXERCISES[name], row))


def _plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(("name", "row"), _params(WRONG))
def test_a_wrong_answer_is_told_its_cause(name: str, row: Row) -> None:
    """Each known wrong answer is refused, with words that name its cause."""
    result = _checked(name, row)
    assert result.state == "wrong"
    assert _plain(row.says) in _plain(repr(result))


@pytest.mark.parametrize(("name", "row"), _params(GAPS))
def test_a_wrong_answer_is_refused_even_if_its_cause_is_not_named(name: str, row: Row) -> None:
    """The cause of these isn't named yet, but none of them passes."""
    assert _checked(name, row).state == "wrong"


@pytest.mark.parametrize("name", EXERCISES)
def test_each_exercise_has_known_wrong_answers(name: str) -> None:
    """Five rows at least, and no row twice."""
    rows = [*WRONG[name], *GAPS.get(name, ())]
    assert len(WRONG[name]) >= 5
    assert all(row not in rows[:number] for number, row in enumerate(rows))


def test_what_cannot_be_replaced_is_an_error() -> None:
    """A row goes stale loudly when the solution changes."""
    row = WRONG["01-encode-field"][0]
    with pytest.raises(ValueError, match="isn't in the source"):
        answer_of(EXERCISES["02-split"], row)
