"""03-save: replace a file so that a power cut leaves the old bytes or the new.

Write `save(path, data)` with Python's own calls. If the power goes, the file at `path` must hold
all of its old bytes or all of the new ones; once `save` has returned, the new ones. Five steps do
it: write `data` to a new file next to the old one, `flush`, `os.fsync`, `os.replace`, and an fsync
of the folder, which you open with `os.open(folder, os.O_RDONLY)`. (Windows can't open a folder:
skip this step if `os.name == "nt"`.)

Hint: `file.write` only fills a buffer inside your process, `file.flush()` hands it to the operating
system, and `os.fsync` waits until the medium has it. All three are needed, in this order.
(`os.fsync` takes the number that `file.fileno()` returns.)

Hint: The `os.replace` comes after the `with` block, when the new file is complete and safe.

Hint: The rename changes the folder, so the folder needs an fsync too: open
`os.path.dirname(path)`, fsync the number that `os.open` returns, and close it.

Why: The bytes come first, then the name, then the folder. Each fsync is there for something that a
power cut could otherwise undo.
"""

import os
from typing import Final

from kvlib.lessons.exercise import Case, texts
from kvlib.lessons.saving import NAME, NEW, Saving


def save(path: str, data: bytes) -> None:
    """Write beside it, make that safe, then let it take over the name."""
    new = f"{path}.new"
    with open(new, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    if os.name != "nt":
        folder = os.open(os.path.dirname(path), os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


EXERCISE: Final = Saving(
    **texts(__name__),
    minutes=4,
    points=2,
    functions=(save,),
    given_code="""\
import os


def save(path, data):
    new, folder = f"{path}.new", os.path.dirname(path)
    raise NotImplementedError  # YOUR CODE HERE""",
    cases=(Case((NAME, NEW), "one file"),),
)
