"""Goldens: what texts looked like when somebody last looked at them, each in a file of its own.

A test compares its pictures with their files; run as a program it writes the files anew.
"""

from collections.abc import Callable, Mapping

from helpers.paths import GOLDENS
from kvlib.layout.text import COLUMNS, width

Pictures = Mapping[str, Callable[[], object]]


def check_golden(folder: str, pictures: Pictures, name: str) -> None:
    """The picture of this name is its golden."""
    path = GOLDENS / folder / f"{name}.txt"
    assert f"{pictures[name]()}\n" == path.read_text(encoding="utf-8")


def check_none_is_left(folder: str, pictures: Pictures) -> None:
    """Each golden in the folder has a picture."""
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
    """No line of its text is too wide."""
    assert max(map(width, repr(shown).split("\n"))) <= COLUMNS
