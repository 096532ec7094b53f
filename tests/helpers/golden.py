"""Goldens: texts as they were when a person last checked them, each in its own file.

A test compares its pictures with the files; run as a program, it rewrites them.
"""

from collections.abc import Callable, Mapping

from helpers.paths import GOLDENS
from kvlib.layout.text import COLUMNS, width

Pictures = Mapping[str, Callable[[], object]]


def check_golden(folder: str, pictures: Pictures, name: str) -> None:
    """Check that the picture of this name equals its golden."""
    path = GOLDENS / folder / f"{name}.txt"
    assert f"{pictures[name]()}\n" == path.read_text(encoding="utf-8")


def check_none_is_left(folder: str, pictures: Pictures) -> None:
    """Check that each golden in the folder has a picture."""
    assert {path.stem for path in (GOLDENS / folder).glob("*.txt")} == {*pictures}


def write(folder: str, pictures: Pictures) -> None:
    """Replace the goldens in the folder."""
    (GOLDENS / folder).mkdir(exist_ok=True)
    for path in (GOLDENS / folder).glob("*.txt"):
        path.unlink()
    for name, picture in pictures.items():
        path = GOLDENS / folder / f"{name}.txt"
        path.write_text(f"{picture()}\n", encoding="utf-8", newline="\n")


def check_width(shown: object) -> None:
    """Check that no line of a text is too wide."""
    assert max(map(width, repr(shown).split("\n"))) <= COLUMNS
