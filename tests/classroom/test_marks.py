import csv
import io
from itertools import pairwise

from kvlib.classroom.marks import (
    DIED,
    HIDDEN,
    MISSING,
    RIGHT,
    UNREAD,
    UNTRIED,
    WRONG,
    States,
    as_csv,
    best,
    points,
    table,
)
from kvlib.lessons.catalogue import EXERCISES

SOME = {"01-length": RIGHT, "01-encode-field": WRONG, "01-decode-order": UNTRIED}
WORTH = sum(exercise.points for exercise in EXERCISES.values())


def marks(**given: dict[str, str]) -> dict[str, States]:
    """Return marks for each learner; the exercises that aren't given weren't handed in."""
    return {learner: dict.fromkeys(EXERCISES, MISSING) | own for learner, own in given.items()}


def rows(**given: dict[str, str]) -> list[list[str]]:
    """Return the rows of the CSV."""
    return list(csv.reader(io.StringIO(as_csv(marks(**given)))))


def test_the_most_informative_state_counts() -> None:
    """A right answer beats all, an error beats an untried stub, and anything beats nothing."""
    order = [MISSING, UNTRIED, UNREAD, "name 'x' is not defined", WRONG, HIDDEN, RIGHT]
    for worse, better in pairwise(order):
        found = [("01-length", better), ("01-length", worse)]
        assert best(found)["01-length"] == best(found[::-1])["01-length"] == better
    assert best([]) == dict.fromkeys(EXERCISES, MISSING)


def test_an_exercise_gives_all_its_points_or_none() -> None:
    """Right is the only state with points."""
    assert points(dict.fromkeys(EXERCISES, RIGHT)) == WORTH
    assert points({"01-snapshot": RIGHT, "01-length": HIDDEN}) == EXERCISES["01-snapshot"].points


def test_table_shows_points_and_why_there_are_none() -> None:
    """Columns fit their cells in any script. A learner's exercises with one reason share a line."""
    dead = {"01-length": DIED, "01-encode-field": "no answer", "02-count": DIED}
    lines = table(marks(anna=SOME, 小林=dead)).splitlines()
    assert lines[0].split() == ["exercise", "points", "anna", "小林"]
    assert [line.split()[2:] for line in lines[1:4]] == [["1", "!"], ["0", "!"], ["-", "."]]
    assert len(lines[1]) == len(lines[0]) + 2  # 小林 takes four columns
    assert lines[len(EXERCISES) + 1].split() == ["total", f"{WORTH}", "1", "0"]
    assert lines[-2:] == [
        f"! 小林, 01-length, 02-count: {DIED}",
        "! 小林, 01-encode-field: no answer",
    ]


def test_csv_has_a_block_of_points_and_then_the_states() -> None:
    """A row for each exercise, and one of totals."""
    found = rows(anna=SOME, boris={})
    assert found[0] == ["exercise", "points", "anna", "boris", "anna: state", "boris: state"]
    assert found[1] == ["01-length", "1", "1", "0", RIGHT, MISSING]
    assert [row[4] for row in found[1:5]] == [RIGHT, WRONG, UNTRIED, MISSING]
    assert found[-1] == ["total", f"{WORTH}", "1", "0", "", ""]
    assert len(found) == len(EXERCISES) + 2


def test_nothing_in_the_csv_is_a_formula() -> None:
    """Learners' names and states that look like one get an apostrophe."""
    found = rows(**{"=2+2": {"01-length": "@now"}, "＋1": {}})
    assert found[0][2:] == ["'=2+2", "'＋1", "'=2+2: state", "'＋1: state"]
    assert found[1][4] == "'@now"


def test_each_column_of_the_csv_has_its_own_heading() -> None:
    """Names that look alike, or like another's states, or like our headings, get a number."""
    names = ["a\n", "a\\n", "b", "b: state", "points"]
    (heading, *_) = rows(**{name: {} for name in names})
    assert heading[2:7] == ["a\\n", "a\\n (2)", "b", "b: state (2)", "points (2)"]
