"""Copy the notebooks that come with the package into a learner's folder."""

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parent.parent
# In a wheel, and in a source tree.
PLACES: Final = (PACKAGE / "_notebooks", PACKAGE.parent / "notebooks")
NEW, SAME, KEPT = "copied", "already there", "kept as it is"


def originals() -> Path:
    """Return the folder of the package's notebooks. Raises FileNotFoundError if there is none."""
    for place in PLACES:
        if any(place.glob("*.ipynb")):
            return place
    raise FileNotFoundError(f"the notebooks did not come with this package, {PACKAGE}")


def copy(destination: str | os.PathLike[str]) -> Iterator[tuple[str, str]]:
    """Copy each notebook into the folder `destination`, and make the folder if it is missing.

    An existing file is never changed. Yields each name with NEW, SAME or KEPT. Raises OSError if
    the folder can't be made or written to, or if it has the originals.
    """
    source, target = originals(), Path(destination)
    if os.path.realpath(target) == os.path.realpath(source):
        raise FileExistsError(f"{target}: these are the originals; copy them somewhere else")
    target.mkdir(parents=True, exist_ok=True)
    for original in sorted(path for path in source.iterdir() if path.is_file()):
        yield original.name, _copy(original, target / original.name)


def _copy(original: Path, own: Path) -> str:
    if os.path.lexists(own):
        same = own.is_file() and own.read_bytes() == original.read_bytes()
        return SAME if same else KEPT
    # Under another name first, because half a copy would never be replaced.
    part = own.with_name(f"{own.name}.{secrets.token_hex(4)}.part")
    try:
        shutil.copyfile(original, part)
        os.rename(part, own)
    finally:
        part.unlink(missing_ok=True)
    return NEW
