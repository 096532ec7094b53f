"""Find the notebooks that learners have handed in, and read their code cells."""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

LARGEST: Final = 32 * 2**20  # bytes of a notebook

Submissions = dict[str, list[Path]]


class UnreadableError(Exception):
    """A file isn't a notebook."""


class CodeCell(NamedTuple):
    """A code cell's id and source."""

    id: str
    source: str


def collect(folder: Path) -> Submissions:
    """Return each learner's notebooks: FOLDER/<learner>.ipynb, and all below FOLDER/<learner>/.

    A folder that can't be listed is returned as if it were a notebook, which can't be read.
    """
    found: Submissions = {}
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            if _is_notebook(entry.name):
                found.setdefault(entry.stem, []).append(entry)
        elif paths := sorted(_notebooks_below(entry)):
            found.setdefault(entry.name, []).extend(paths)
    return found


def _notebooks_below(folder: Path) -> Iterator[Path]:
    errors: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=errors.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in files if _is_notebook(name))
    yield from (Path(str(error.filename)) for error in errors)


def _is_notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb") and not name.startswith(".")


def read_bytes(path: Path) -> bytes:
    """Return a file's contents.

    Raises:
        UnreadableError: it is too large, or not a regular file.
        OSError: it can't be read.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # reading a pipe could block forever
        raise UnreadableError("it is not a readable file")
    if status.st_size > LARGEST:
        raise UnreadableError(f"it is larger than {LARGEST // 2**20} MB")
    with open(path, "rb") as file:
        return file.read(LARGEST)


def read_cells(path: Path) -> list[CodeCell]:
    """Return the code cells of a notebook of any version. Raises UnreadableError if it isn't one.

    Only what grading needs must be there and valid, so stored outputs can be anything.
    """
    try:
        raw = json.loads(read_bytes(path).decode("utf-8-sig"))
        sheets = raw.get("worksheets", [raw])  # version 3
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
        return [
            CodeCell(str(cell.get("id")), _source(cell))
            for cell in cells
            if cell["cell_type"] == "code"
        ]
    except UnreadableError:
        raise
    except KeyError as error:
        raise UnreadableError(f"it has no {error}") from error
    except Exception as error:  # anything can be wrong with the file
        raise UnreadableError(f"{type(error).__name__}: {error!s:.80}") from error


def _source(cell: Mapping[str, object]) -> str:
    source = cell.get("source", cell.get("input", ""))
    lines = source if isinstance(source, list) else [source]
    return "".join(map(str, lines)).encode("utf-8", "replace").decode()
