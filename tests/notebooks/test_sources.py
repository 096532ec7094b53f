"""The sources of the notebooks, in MyST Markdown, and the notebooks that are built from them."""

import json
import os
from pathlib import Path

import pytest

from helpers.paths import NOTEBOOKS, SOURCES
from tools.notebooks import (
    PREDICTIONS,
    copy_of_predictions,
    disagreement,
    folded,
    load,
    main,
    predictions,
    read_source,
    source_of,
    unfolded,
    without_glossary,
    write_source,
)

NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
SMALL = """\
+++ {"id": "small-title"}

# A title

```{code-cell}
:id: small-answer
:tags: [answer]

print("one line")
```
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A built notebook and its source, in a temporary folder."""
    path = tmp_path / "small.ipynb"
    source_of(path).parent.mkdir()
    source_of(path).write_text(SMALL, encoding="utf-8")
    notebook = read_source(source_of(path))
    path.write_text(json.dumps({**notebook, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    return path


def age(path: Path, seconds: float) -> None:
    """Make a file look older."""
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


@pytest.mark.parametrize("name", NAMES)
def test_notebook_and_source_agree(name: str) -> None:
    """Each notebook has the cells of its source."""
    assert disagreement(NOTEBOOKS / f"{name}.ipynb") == "", (
        f"edit notebooks/source/{name}.md, then run `make notebooks NOTEBOOK={name}`; if you edited"
        f" the notebook itself, `make sources NOTEBOOK={name}` copies your edits into the source"
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_source_survives_the_way_there_and_back(name: str) -> None:
    """Writing the source of a built notebook gives back its source."""
    source = (SOURCES / f"{name}.md").read_text(encoding="utf-8")
    assert write_source(load(NOTEBOOKS / f"{name}.ipynb"), source) == source


def test_each_notebook_has_a_source_and_each_source_a_notebook() -> None:
    """The two folders have the same names."""
    assert sorted(path.stem for path in SOURCES.glob("*")) == NAMES


def test_a_reason_is_folded_when_a_notebook_is_built() -> None:
    """The source has the bare reason; the way back unfolds it."""
    reason = "(b) Because of `x`.\n\nAnd (c) is tempting."
    assert folded(reason) == (
        "<details><summary>The answer, if you read without a kernel</summary>\n\n"
        "**(b)** Because of `x`.\n\nAnd (c) is tempting.\n\n</details>"
    )
    assert unfolded(folded(reason)) == reason


def test_predictions_are_read_from_their_cells() -> None:
    """Options, letter and reason; a reason without a letter is refused."""
    texts = {
        "a-name-predict": "**Predict.** Well?\n\n- (a) One\n- (b) Two\n  lines\n- (c) `3`",
        "a-name-why": "(b) It *is*.",
    }
    cells = [{"id": name, "source": source} for name, source in texts.items()]
    options = {"a": "One", "b": "Two lines", "c": "`3`"}
    wanted = {"options": options, "right": "b", "why": "<p>It <em>is</em>.</p>"}
    assert predictions(cells) == {"a-name": wanted}
    cells[1]["source"] = "It is."
    with pytest.raises(ValueError, match="a-name-why: a reason begins with the right letter"):
        predictions(cells)


def test_kvlib_has_a_copy_of_the_predictions() -> None:
    """`make notebooks` renews it."""
    assert PREDICTIONS.read_text(encoding="utf-8") == copy_of_predictions()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("one line", "another line", "cell small-answer differs from source/small.md"),
        ("# A title", "# The title", "cell small-title differs from source/small.md"),
        ("[answer]", "[setup]", "cell small-answer differs from source/small.md"),
        ("small-title", "small-head", "cell small-title is not in source/small.md"),
    ],
)
def test_a_difference_is_named(small: Path, old: str, new: str, said: str) -> None:
    """In text, code, tags or ids."""
    assert disagreement(small) == ""
    source_of(small).write_text(SMALL.replace(old, new), encoding="utf-8")
    assert disagreement(small) == said


def test_a_cell_that_only_the_source_has_is_noticed(small: Path) -> None:
    """The notebook has yet to be built."""
    source_of(small).write_text(SMALL + '\n+++ {"id": "small-end"}\n\nThe end.\n', encoding="utf-8")
    assert disagreement(small).startswith("the cells of source/small.md differ")


def test_a_cell_without_an_id_is_refused(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its id would be another one in each build."""
    source_of(small).write_text(SMALL.replace(":id: small-answer\n", ""), encoding="utf-8")
    age(small, 60)
    assert main([str(small)]) == 1
    assert "small.md: cell 1 has no id: 'print(\"one line\")'" in capsys.readouterr().err


def test_edits_of_a_notebook_are_not_lost(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A notebook edited after its source isn't overwritten; `make sources` keeps the edits."""
    age(source_of(small), 60)
    edited = small.read_text(encoding="utf-8").replace("one line", "an edit")
    small.write_text(edited, encoding="utf-8")
    assert main([str(small)]) == 1
    said = capsys.readouterr().err
    assert "small-answer differs" in said
    assert "make sources" in said
    assert small.read_text(encoding="utf-8") == edited
    assert main(["--sources", str(small)]) == 0
    assert disagreement(small) == ""
    assert "an edit" in source_of(small).read_text(encoding="utf-8")


def test_the_glossary_is_in_no_source() -> None:
    """A source has every cell of its notebook but the glossary, which is generated."""
    for name in NAMES:
        ids = [cell.id for cell in read_source(SOURCES / f"{name}.md").cells]
        assert ids == [cell["id"] for cell in without_glossary(load(NOTEBOOKS / f"{name}.ipynb"))]
