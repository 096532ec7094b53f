"""HTML editions."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from helpers.paths import ROOT
from helpers.small_notebooks import read, small
from kvlib.classroom.editions import page


class Fetched(HTMLParser):
    """Collects what a browser would fetch for a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)
        self.found += re.findall(r"url\(\s*[\"']?((?!data:)[^\"')\s]+)", text)
        self.found += re.findall(r"@import|\bimport\s*\(?\s*[\"'][^\"']*|\bfetch\(", text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the attributes that a browser follows by itself."""
        for name, value in attrs:
            follows = name in {"src", "srcset", "data", "poster"} or (name, tag) == ("href", "link")
            if follows and value is not None and not value.startswith("data:"):
                self.found.append(value)


COMMITTED = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_pages_fetch_nothing(path: Path) -> None:
    """A page is one file that needs no network; its title is the notebook's name."""
    made = page(read(path), path.name)
    assert Fetched(made).found == []
    assert f"<title>{path.stem}</title>" in made


def test_pages_lead_to_pages() -> None:
    """A link to another notebook leads to its page."""
    made = page(small([]), "01_encode.ipynb")
    assert '<a href="02_segment.html">' in made
    assert ".ipynb" not in made
