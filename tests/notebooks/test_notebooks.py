"""The three notebooks keep the rules, and each rule catches what breaks it."""

import copy
import re
from collections import Counter
from typing import Any

import pytest

from helpers.paths import NOTEBOOKS
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercises.encode import bug_hunt
from kvlib.lessons.glossary import WORDS, glossary, is_form
from notebooks.breaks import BREAKS, Change
from notebooks.model import find, insert, markdown, model_notebook
from notebooks.reading import exercises_in, lesson, questions, set_exercises
from notebooks.rules import RULES, Rule
from tools.notebooks import end_with_glossary, load, without_glossary

NAMES = ["01_encode", "02_segment", "03_log"]


def test_there_are_three_notebooks() -> None:
    """The series has exactly three notebooks."""
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == NAMES


def test_exercises_are_in_their_own_notebook() -> None:
    """Each notebook contains only its own exercises."""
    for name in NAMES:
        found = set_exercises(load(NOTEBOOKS / f"{name}.ipynb"))
        assert {lesson(one) for one in found} == {name[:2]}


def test_each_objective_has_an_exercise_and_a_question() -> None:
    """The three notebooks ask about each objective exactly once."""
    notebooks = [load(NOTEBOOKS / f"{name}.ipynb") for name in NAMES]
    stubs = [one for notebook in notebooks for one in exercises_in(notebook)]
    heads = Counter(head for notebook in notebooks for _, head, _ in questions(notebook))
    assert sorted(one.name for one in stubs) == sorted(EXERCISES)
    assert heads.pop("One more.") == 2
    assert heads == {f"Can you {one.objective}?": 1 for one in EXERCISES.values()}
    assert len(heads) == len(EXERCISES) == 22


@pytest.mark.parametrize("records", [{}, {"é": b"\xff", b"": "a"}, {"a": b"b"}])
def test_the_bug_hunt_shows_the_bug_it_checks(records: dict[Any, Any]) -> None:
    """The buggy functions in notebook 1 do the same as the ones its check uses."""
    notebook = load(NOTEBOOKS / "01_encode.ipynb")
    shown: dict[str, Any] = {}
    for name in ["encode-bug-hunt-encode", "encode-bug-hunt-decode"]:
        exec(find(notebook, name)["source"], shown)
    stream = bug_hunt.their_encode(records)
    assert shown["their_encode"](records) == stream
    assert shown["their_decode"](stream) == bug_hunt.their_decode(stream)


def test_words_are_in_the_glossary_once() -> None:
    """No word is in the glossary twice, not even in another form."""
    names = [name for word in WORDS for name in word.names]
    pairs = [(one, other) for one in names for other in names if is_form(one, other)]
    assert pairs == [(name, name) for name in names]


def test_words_are_few_and_each_has_one_sentence() -> None:
    """A notebook introduces 8 to 14 words and explains each in one sentence of one line."""
    counts = Counter(word.notebook for word in WORDS)
    assert counts.keys() == {1, 2, 3}
    assert all(8 <= count <= 14 for count in counts.values())
    for word in WORDS:
        assert re.fullmatch(r"[A-Z][^.|]{10,118}\.", word.meaning), word


def test_glossary_has_the_words_that_are_used() -> None:
    """The glossary has a word from an earlier notebook if the text uses it outside code."""
    text = "Two RECORDS, a length\nprefix, ending a delimiter; `tag`.\n```\nfield\n```"
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", glossary(2, text), re.M)[1:]
    own = {", ".join(word.names) for word in WORDS if word.notebook == 2}
    earlier = {
        name for name, meaning in rows if meaning.endswith(" ([notebook 1](01_encode.ipynb))")
    }
    assert earlier == {"record", "length prefix", "delimiter"}
    assert [name for name, _ in rows] == sorted(own | earlier)


def test_glossary_of_the_first_notebook_is_all_its_own() -> None:
    """A glossary has no words from later notebooks, and its order ignores capitals."""
    names = re.findall(r"^\| (.+?) \|", glossary(1, "segments, a log"), re.M)[1:]
    assert names == sorted(
        (", ".join(word.names) for word in WORDS if word.notebook == 1), key=str.lower
    )


def test_tool_ends_a_notebook_with_its_glossary() -> None:
    """A new glossary replaces the old one; a notebook outside the series gets none."""
    notebook = model_notebook()
    insert(notebook, markdown("encode-glossary", "Old."), before="model-more")
    before = copy.deepcopy(notebook)
    end_with_glossary(notebook, "a_draft")
    assert notebook == before
    end_with_glossary(notebook, "01_encode")
    assert notebook["cells"][-1]["id"] == "encode-glossary"
    assert notebook["cells"][-1]["source"] == find(before, "model-glossary")["source"]
    assert notebook["cells"][:-1] == without_glossary(before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_notebooks_keep_the_rules(name: str, rule: Rule) -> None:
    """Each notebook keeps each rule."""
    assert list(rule(load(NOTEBOOKS / f"{name}.ipynb"))) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_model_notebook_keeps_the_rules(rule: Rule) -> None:
    """The model notebook keeps each rule, so only the change below can break it."""
    assert list(rule(model_notebook())) == []


@pytest.mark.parametrize(
    ("rule", "change"), [(rule, change) for rule in BREAKS for change in BREAKS[rule]]
)
def test_a_broken_rule_is_reported(rule: Rule, change: Change) -> None:
    """Each rule reports every change that breaks it."""
    notebook = model_notebook()
    change(notebook)
    assert list(rule(notebook)) != []


def test_each_rule_can_be_broken() -> None:
    """Each rule has at least one change that breaks it."""
    assert all(BREAKS[rule] for rule in RULES)
