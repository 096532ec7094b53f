"""A Store's snapshots: serialize and deserialize, shutdown and restore."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import kvlib
from helpers.stores import OLD, SALT, Items, closed_store
from helpers.vocabulary import (
    HEAD_END,
    Fault,
    FaultyDisk,
    disk_of,
    files_of,
    flip_bit,
    frame,
    put,
    store_files,
)
from kvlib import (
    CorruptionError,
    LockedError,
    MemoryDisk,
    MissingError,
    Recovery,
    Store,
)


@pytest.mark.parametrize("kind", ["memory", "directory"])
def test_serialize_and_deserialize_any_number_of_times(kind: str, tmp_path: Path) -> None:
    """A place holds exactly what was serialized last, even if that was empty."""
    place: Any = MemoryDisk() if kind == "memory" else tmp_path / "d"
    store, other = kvlib.Store(), kvlib.Store()
    contents: list[Items] = [{"a": "1", b"a": b"2"}, {}, {"c": "3"}]
    for items in contents:
        store.clear()
        store.update(items)
        store.serialize(place, max_segment_size=12)
        other["gone"] = "afterwards"
        get = other.get
        other.deserialize(place)
        assert dict(other) == items
        assert get("c") == items.get("c")


def test_a_serialized_place_can_be_opened_and_continued(tmp_path: Path) -> None:
    """Store and DurableStore read and continue each other's places."""
    store = kvlib.Store()
    store["a"] = "1"
    store.serialize(tmp_path)
    with kvlib.open(tmp_path) as durable:
        assert dict(durable) == {"a": "1"}
        durable["b"] = "2"
        durable.compact()
        durable["c"] = "3"
    store.deserialize(tmp_path)
    assert dict(store) == {"a": "1", "b": "2", "c": "3"}
    store.serialize(tmp_path)
    with kvlib.open(tmp_path) as durable:
        assert dict(durable) == {"a": "1", "b": "2", "c": "3"}
        assert durable.status().compactions == 1


def test_serialize_takes_the_next_generation() -> None:
    """A snapshot's generation follows the last sequence of the log that it replaces."""
    files = store_files(OLD, frame(b"M", 8, put("a", "1"), SALT), generation=7, salt=SALT)
    disk = disk_of(files)
    store = kvlib.Store()
    store.serialize(disk)
    assert disk.names() == ["0000000000000009.00000000.segment", "log"]
    assert dict(kvlib.open(disk, read_only=True)) == {}


def test_a_place_in_use_is_not_serialized_over(tmp_path: Path) -> None:
    """Serializing needs the writer's lock, and reading doesn't."""
    store = kvlib.Store()
    with kvlib.open(tmp_path) as durable:
        durable["a"] = "1"
        with pytest.raises(LockedError):
            store.serialize(tmp_path)
        store.deserialize(tmp_path)
        assert dict(store) == {"a": "1"}
    store.serialize(tmp_path)


def test_a_damaged_place_is_not_serialized_over() -> None:
    """A damaged store is not overwritten, because it might still be rescued."""
    files = closed_store()
    files["log"] = flip_bit(files["log"], 100)
    disk = disk_of(files)
    with pytest.raises(CorruptionError):
        kvlib.Store().serialize(disk)
    assert files_of(disk) == files


def test_deserializing_reports_what_was_dropped() -> None:
    """Deserializing reports the tail that was dropped."""
    disk = MemoryDisk()
    kvlib.open(disk)["k"] = "v"
    disk.append("log", b"torn")
    store = kvlib.Store()
    store.deserialize(disk)
    assert store.recovered == Recovery(1, HEAD_END + 30, 4)


@pytest.mark.parametrize("read", [Store().deserialize, partial(kvlib.open, read_only=True)])
def test_a_missing_store_is_not_read(read: Callable[[Any], object], tmp_path: Path) -> None:
    """Reading where there is no store is a MissingError, and makes nothing."""
    places: list[Any] = [MemoryDisk(), tmp_path / "missing", str(tmp_path / "missing"), tmp_path]
    for place in places:
        with pytest.raises(MissingError, match="no store"):
            read(place)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["own", "memory", "directory"])
def test_shutdown_writes_and_clears_and_restore_replaces(kind: str, tmp_path: Path) -> None:
    """`shutdown` writes to the medium and clears memory, and `restore` reads it back."""
    medium: Any = {"own": None, "memory": MemoryDisk(), "directory": tmp_path / "d"}[kind]
    store = kvlib.Store(medium=medium)
    store.set("a", "1")
    store.restore()
    assert dict(store) == {}
    store.set("a", "1")
    store.set("", b"")
    store.shutdown()
    assert dict(store) == {}
    store.set("not", "merged")
    store.restore()
    assert dict(store) == {"a": "1", "": b""}
    if medium is not None:
        other = kvlib.Store(medium=medium)
        other.restore()
        assert dict(other) == dict(store)


def test_a_failed_shutdown_keeps_memory() -> None:
    """Memory is cleared only after the bytes have been written."""
    disk = FaultyDisk()
    store = kvlib.Store(medium=disk)
    store["a"] = "1"
    disk.fault = Fault("sync", "log.new")
    with pytest.raises(OSError, match="No space"):
        store.shutdown()
    assert dict(store) == {"a": "1"}
