"""Backups: copies of a store, which are stores themselves."""

from pathlib import Path

import pytest

import kvlib
from helpers.stores import content
from kvlib import DirectoryDisk, MemoryDisk, Store


def test_a_backup_is_a_store_of_its_own(tmp_path: Path) -> None:
    """A backup can be opened, deserialized and replaced, and the source is independent of it."""
    store = kvlib.open(tmp_path / "store")
    store["a"] = "1"
    store.backup(tmp_path / "backup")
    store["b"] = "2"
    memory = Store()
    memory.deserialize(tmp_path / "backup")
    assert memory == {"a": "1"}
    with kvlib.open(tmp_path / "backup") as backup:
        backup["c"] = "3"
        assert backup == {"a": "1", "c": "3"}
        with pytest.raises(kvlib.LockedError):
            store.backup(tmp_path / "backup")
    store.backup(tmp_path / "backup", max_segment_size=20)
    assert content(DirectoryDisk(tmp_path / "backup")) == {"a": "1", "b": "2"}
    assert len(list((tmp_path / "backup").glob("*.segment"))) > 1


def test_what_can_be_read_can_be_backed_up(tmp_path: Path) -> None:
    """A read-only or failed store can be backed up; a closed one can't."""

    class Full(MemoryDisk):
        full = False

        def append(self, name: str, data: bytes) -> None:
            if self.full:
                raise OSError("no space")
            super().append(name, data)

    disk, place = Full(), MemoryDisk()
    store = kvlib.open(disk)
    store["a"] = "1"
    disk.full = True
    with pytest.raises(OSError, match="no space"):
        store["b"] = "2"
    store.backup(place)
    assert content(place) == {"a": "1"}
    kvlib.open(place, read_only=True).backup(tmp_path / "again")
    assert content(DirectoryDisk(tmp_path / "again")) == {"a": "1"}
    store.close()
    with pytest.raises(ValueError, match="closed"):
        store.backup(place)


def test_a_store_is_not_backed_up_into_itself(tmp_path: Path) -> None:
    """Backing a store up into its own place is a LockedError."""
    store = kvlib.open(tmp_path / "store")
    store["a"] = "1"
    for place in (tmp_path / "store", store._disk):
        with pytest.raises(kvlib.LockedError):
            store.backup(place)
    store["b"] = "2"
    store.close()
    assert content(store._disk) == {"a": "1", "b": "2"}
