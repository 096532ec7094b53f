"""Where the repository's folders are."""

from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).resolve().parent.parent
ROOT: Final = TESTS.parent
PACKAGE: Final = ROOT / "kvlib"
NOTEBOOKS: Final = ROOT / "notebooks"
SOURCES: Final = NOTEBOOKS / "source"
GOLDENS: Final = TESTS / "goldens"
CORPUS: Final = TESTS / "corpus"


def text_of(name: str) -> str:
    """Return the text of a file in the repository."""
    return (ROOT / name).read_text(encoding="utf-8")
