"""Make the teacher's editions of the notebooks from the learner's edition and the solutions.

    solved/          each stub replaced by its solution; run, and every check is right
    source/kvlib/    for nbgrader: solutions between marks, and points for each check
    release/kvlib/   the class's edition, which nbgrader's generate_assignment makes from source/
    html/            learner/ and solved/ as pages that can be read without a network
    nbgrader_config.py

The same notebooks give the same bytes.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import nbformat

from kvlib.classroom.atomic import replace
from kvlib.classroom.errors import ClassroomError
from kvlib.classroom.execution import execute, require_right
from kvlib.classroom.exercise_cells import Notebook, Notebooks, left_out, read_notebook, solve
from kvlib.classroom.hidden_tests import read_hidden_tests, try_hidden_tests
from kvlib.classroom.nbgrader import (
    CONFIG,
    COURSE,
    generate_release,
    require_nbgrader,
    source_edition,
)
from kvlib.classroom.pages import page

FOLDERS: Final = (
    "solved",
    "html/learner",
    "html/solved",
    f"source/{COURSE}",
    f"release/{COURSE}",
)


def build(notebooks: Path, target: Path, overlay: Path | None = None) -> Iterator[str]:
    """Make all editions, and yield a line for each result.

    Everything is made in a temporary folder inside the target, and moved at the end. If anything
    fails before that, the target doesn't change.

    Args:
        notebooks: the folder of the learner's notebooks, which is only read.
        target: the folder for the editions. Those of an earlier run are replaced; other files are
            left alone.
        overlay: a folder of hidden tests: see `read_hidden_tests`.

    Raises:
        ClassroomError: no edition can be made from these files, or nbgrader can't be run.
        OSError: the target can't be written.
    """
    learner = {path.name: read_notebook(path) for path in sorted(notebooks.glob("*.ipynb"))}
    if not learner:
        raise ClassroomError(f"there is no notebook in {notebooks}")
    hidden = read_hidden_tests(overlay) if overlay else {}
    missing = list(left_out(learner.values(), hidden))
    _require_apart(target, notebooks, overlay)
    require_nbgrader()  # now, because it is needed only after minutes of work
    config = target / "nbgrader_config.py"
    with _temporary_folder_in(target) as new:
        yield from missing
        _make_all(new, learner, hidden, overlay)
        # A teacher may have extended the configuration.
        generate_release(new, config.read_text(encoding="utf-8") if config.exists() else CONFIG)
        for name in FOLDERS:
            move(new / name, target / name)
            names = sorted(path.name for path in (target / name).iterdir())
            yield f"{target / name}: {', '.join(names)}"
        if not config.exists():
            replace(config, CONFIG.encode())


def _require_apart(target: Path, notebooks: Path, overlay: Path | None) -> None:
    """Raise ClassroomError if making the editions would replace what they are made from."""
    real = target.resolve()
    for read in filter(None, (notebooks, overlay)):
        if real.is_relative_to(read.resolve()):
            raise ClassroomError(f"{target} is in {read}, which is only read")
        for name in FOLDERS:
            if read.resolve().is_relative_to((target / name).resolve()):
                raise ClassroomError(f"{read} is in {target / name}, which each build replaces")


@contextmanager
def _temporary_folder_in(target: Path) -> Iterator[Path]:
    """Make a temporary folder in the target, and the target and its parents if they are missing.

    At the end, the temporary folder is removed, and the new parents too if they are empty.
    """
    missing = [path for path in (target, *target.parents) if not path.exists()]
    target.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(
            prefix=".new-", dir=target, ignore_cleanup_errors=True
        ) as new:
            yield Path(new)
    finally:
        with suppress(OSError):  # it isn't empty
            for path in missing:
                path.rmdir()


def _make_all(
    folder: Path, learner: Notebooks, hidden: Mapping[str, str], overlay: Path | None
) -> None:
    """Make all editions in a new folder, except for nbgrader's release."""
    solved = {name: execute(solve(notebook)) for name, notebook in learner.items()}
    for notebook in solved.values():
        require_right(notebook)
    sources = {name: source_edition(notebook, hidden) for name, notebook in learner.items()}
    if overlay and hidden:
        for notebook in sources.values():
            try_hidden_tests(notebook, overlay)
    _write(folder / "solved", _texts(solved))
    _write(folder / "source" / COURSE, _texts(sources))
    for edition, notebooks in ("learner", learner), ("solved", solved):
        _write(folder / "html" / edition, _pages(notebooks))


def _texts(notebooks: Notebooks) -> dict[str, str]:
    return {name: text(notebook) for name, notebook in notebooks.items()}


def _pages(notebooks: Notebooks) -> dict[str, str]:
    return {f"{Path(name).stem}.html": page(one, name) for name, one in notebooks.items()}


def text(notebook: Notebook) -> str:
    """Return the text of a notebook's file."""
    written: str = nbformat.writes(notebook)
    return written.rstrip("\n") + "\n"


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")


def move(new: Path, place: Path) -> None:
    """Move a folder to `place`, and a folder that is there now to where the new one was.

    If the second of these steps fails, the first one is undone.
    """
    old = new.with_name(f"{new.name}.old")
    place.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(place):
        os.rename(place, old)
    try:
        os.rename(new, place)
    except BaseException:
        if os.path.lexists(old):
            os.rename(old, place)
        raise
