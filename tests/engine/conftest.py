"""Fixtures that several test files share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kvlib import DirectoryDisk, Disk, MemoryDisk


@pytest.fixture
def hurry() -> Iterator[None]:
    """Switch threads as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(params=["memory", "directory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Disk:
    """Return a disk of each kind."""
    return MemoryDisk() if request.param == "memory" else DirectoryDisk(tmp_path / "store")
