"""The pictures in docs/pictures are what the engine's answers look like today."""

import re

import pytest

from helpers.figures import CALLS, figure
from helpers.paths import ROOT

PICTURES = ROOT / "docs" / "pictures"
FORMS = ("light", "dark", "narrow", "stripped")


@pytest.mark.parametrize("name", CALLS)
def test_a_stored_picture_is_the_one_that_is_drawn(name: str) -> None:
    """`make pictures` would change nothing in it."""
    stored = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert stored == figure(name).image(), "run `make pictures`"


def test_every_picture_is_there_in_its_four_forms() -> None:
    """There is no picture but those, and none is missing."""
    wanted = {f"{name}.svg" for name in CALLS}
    wanted |= {f"{name}-{form}.png" for name in CALLS for form in FORMS}
    assert {path.name for path in PICTURES.iterdir()} == wanted


def test_the_readme_begins_with_a_picture() -> None:
    """It is directly below the first sentence, is drawn by `make pictures`, and has a text."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, question, picture, *_ = text.split("\n\n")
    assert question.startswith("**Three notebooks show how a key-value store becomes bytes")
    source, alt = re.findall(
        r'<img src="docs/pictures/(\w+)\.svg" width="\d+" alt="([^"]+)">', picture
    )[0]
    assert source in CALLS
    assert len(alt) > 100
    named = re.findall(r'<img src="(docs/pictures/[^"]+)"', text)
    assert all((ROOT / name).exists() for name in named)
