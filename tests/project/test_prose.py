"""The English of docstrings, comments and messages."""

import ast
import re

import pytest

from helpers.paths import PACKAGE, ROOT, text_of
from kvlib.lessons.glossary import NOTEBOOKS
from tools.prose import Text, files_in, places_in, rate, texts_of_markdown, texts_of_python

pytestmark = pytest.mark.untraced

PAGES = [
    *("README.md", "CONTRIBUTING.md", "docs/engine.md", "docs/teaching.md", "docs/claims.md"),
    *(f"notebooks/source/{name}.md" for name in NOTEBOOKS.values()),
]
MOST = 1.5  # in 1,000 words; well-edited Python packages have 0.4 to 0.8


def test_the_code_reads_like_english() -> None:
    """The package has few constructions that sound translated."""
    figure, found = rate(files_in(PACKAGE))
    assert figure <= MOST, "\n".join(f"{path}:{place}" for path, place in found)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_reads_like_english(page: str) -> None:
    """So does each page, and each notebook's source."""
    figure, found = rate([ROOT / page])
    assert figure <= MOST, "\n".join(f"{path}:{place}" for path, place in found)


def test_the_readme_is_short() -> None:
    """A visitor reads it in a few minutes."""
    assert len(text_of("README.md").split()) <= 1200


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """A link to a file of ours leads to one that is there."""
    for target in re.findall(r"\]\(([^)\s#]+)", text_of(page)):
        if not target.startswith("http"):
            folder = ROOT / "notebooks" if "source" in page else (ROOT / page).parent
            assert (folder / target).exists(), target


NO_VERB = {"A", "All", "An", "Each", "Everything", "How", "If", "Its", "Of", "One", "The", "These"}
NO_VERB |= {"This", "Those", "What", "Where", "Whether", "Which", "Without"}


def test_docstrings_of_functions_start_with_a_verb() -> None:
    """A function's docstring starts with a verb, such as Return, Yield or Check."""
    wrong = []
    for path in files_in(PACKAGE):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (text := ast.get_docstring(node)):
                decorators = " ".join(map(ast.unparse, node.decorator_list))
                word = text.split()[0]
                is_verb = word[0].isupper() and word not in NO_VERB
                if not is_verb and "property" not in decorators:
                    wrong.append(f"{path.name}:{node.lineno}: {text.splitlines()[0]}")
    assert wrong == []


@pytest.mark.parametrize(
    ("sentence", "habit"),
    [
        ("There stands the length, four bytes.", "stands, lies"),
        ("The value lies in memory.", "stands, lies"),
        ("`after` behind the value is lost.", "behind"),
        ("What is lost has no place.", "free relative"),
        ("The reader is told by who asks for it.", "free relative"),
        ("These are all that a store needs.", "all that, that which"),
        ("Both are accepted, for they break none.", "for = because"),
        ("Write a dict in the place of the dots.", "in the place of"),
        ("This function makes text out of bytes.", "make X of Y"),
        ("A zero is taken for a length.", "taken for"),
        ("A bool is no int here.", "is no, is none"),
        ("So is recovery just this.", "floating so, that, it"),
        ("Of a number's bytes the first is the largest.", "inverted"),
        ("A delimiter that nobody uses is rare.", "nobody, somebody"),
        ("The reader goes on with the next frame.", "goes on"),
        ("How many segments has an empty store?", "how many has"),
    ],
)
def test_a_habit_is_noticed(sentence: str, habit: str) -> None:
    """Each habit is found in an example."""
    assert habit in {place.habit for place in places_in(Text(1, sentence))}


@pytest.mark.parametrize(
    "sentence",
    [
        "Return the frame at `offset`.",
        "The reader finds the extra byte at offset 15.",
        "crc stands for cyclic redundancy check.",
        "There is no store at this place.",
        "Both are accepted, because they don't break any rule.",
        "How many segments does an empty store have?",
        "A lost segment has no position.",
        "Create the directory for its parent, then fsync it.",
    ],
)
def test_plain_english_is_left_alone(sentence: str) -> None:
    """Ordinary sentences have no habit."""
    assert not [*places_in(Text(1, sentence))]


def test_only_text_for_people_is_searched() -> None:
    """Docstrings, comments and messages are searched; code, examples and other strings are not."""
    source = '''
"""A module's docstring is read.

    >>> what(is_code)
    what is printed is not read
"""
# A comment over
# two lines is read.
raise ValueError(f"the message for {name} is read")
key = "behind"
'''
    texts = [" ".join(text.text.split()) for text in texts_of_python(source)]
    assert sorted(texts) == [
        "A comment over two lines is read.",
        "A module's docstring is read.",
        "the message for x is read",
    ]
    page = "# A title\n\nText with `code` in it.\n\n```python\nwhat = is_code\n```\n\nThe end.\n"
    assert [text.text.strip() for text in texts_of_markdown(page)] == [
        "# A title",
        "Text with x in it.",
        "The end.",
    ]
