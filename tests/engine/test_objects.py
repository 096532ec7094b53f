"""Copies and pickles of stores, disks and errors; `python -bb`."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kvlib
from helpers.stores import content
from kvlib import DirectoryDisk, MemoryDisk, Store, WriteRefusedError
from kvlib.encoding import Item

COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda one: pickle.loads(pickle.dumps(one)),
    "old pickle": lambda one: pickle.loads(pickle.dumps(one, protocol=2)),
}


EACH = pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)


class Named(Store):
    """A subclass with an attribute."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __getitem__(self, key: Item) -> Item:
        return f"{self.name}: {super().__getitem__(key)!r}"


@EACH
def test_a_copy_of_a_store_in_memory_is_independent(duplicate: Callable[[Any], Any]) -> None:
    """A copy and its original do not see each other's changes or snapshots."""
    store = Store()
    store.update({"a": "1", b"a": b"2"})
    store.shutdown()
    store["b"] = "2"
    other = duplicate(store)
    assert type(other) is Store
    assert other == store == {"b": "2"}
    other["c"] = "3"
    store["d"] = "4"
    assert dict(other) == {"b": "2", "c": "3"}
    assert (other.get("c"), other.get("d"), store.get("c")) == ("3", None, None)
    other.shutdown()
    store.restore()
    other.restore()
    assert dict(store) == {"a": "1", b"a": b"2"}
    assert dict(other) == {"b": "2", "c": "3"}


@EACH
def test_a_copy_of_a_subclass_is_one_too(duplicate: Callable[[Any], Any]) -> None:
    """A copy of a subclass keeps its type and its attributes."""
    store = Named("shop")
    store["a"] = "1"
    other = duplicate(store)
    assert type(other) is Named
    assert other.name == "shop"
    assert other["a"] == other.get("a") == "shop: '1'"


def test_a_medium_that_was_named_is_shared(tmp_path: Path) -> None:
    """A medium that was given is shared by all copies."""
    store = Store(tmp_path / "store")
    store["a"] = "1"
    other = copy.copy(store)
    other.shutdown()
    store.restore()
    assert store == {"a": "1"}


@EACH
@pytest.mark.parametrize("read_only", [False, True])
def test_a_durable_store_cannot_be_copied(duplicate: Callable[[Any], Any], read_only: bool) -> None:
    """Copying a durable store is a TypeError that says what to do instead."""
    disk = MemoryDisk()
    kvlib.open(disk).close()
    store = kvlib.open(disk, read_only=read_only)
    with pytest.raises(TypeError, match=r"dict\(store\).*backup\(\).*read_only=True"):
        duplicate(store)
    store.close()


@EACH
def test_a_copy_of_a_memory_disk_is_independent(duplicate: Callable[[Any], Any]) -> None:
    """A copy of a MemoryDisk is independent and unlocked."""
    disk = MemoryDisk()
    store = kvlib.open(disk)
    store["a"] = "1"
    with kvlib.open(duplicate(disk)) as other:
        other["a"] = "2"
    assert duplicate(disk).entropy(4) == disk.entropy(4)  # the same random bytes follow
    store["b"] = "3"
    assert content(disk) == {"a": "1", "b": "3"}


@EACH
def test_a_copy_of_a_directory_disk_is_another_view_of_it(
    duplicate: Callable[[Any], Any], tmp_path: Path
) -> None:
    """A copy of a DirectoryDisk has the same files, and neither the lock nor the descriptor."""
    disk = DirectoryDisk(tmp_path / "store")
    store = kvlib.open(disk)
    store["a"] = "1"
    other = duplicate(disk)
    with pytest.raises(kvlib.LockedError):
        kvlib.open(other)
    assert content(other) == {"a": "1"}
    other.write("note", b"x")
    other.append("note", b"y")
    store["b"] = "2"
    assert content(disk) == {"a": "1", "b": "2"}
    store.close()
    with kvlib.open(other) as again:
        again["c"] = "3"


@pytest.mark.parametrize(
    "error",
    [
        kvlib.CorruptionError("log", 3, "reason"),
        kvlib.VersionError("log", 6, "newer"),
        kvlib.LockedError("busy"),
        WriteRefusedError("no"),
    ],
)
def test_errors_can_be_sent_to_another_process(error: kvlib.KvlibError) -> None:
    """A pickled error keeps its type, message and attributes."""
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize("options", [["-bb"], ["-b", "-Werror"], ["-OO", "-bb"]])
def test_bytes_and_text_are_two_keys_under_any_option(options: list[str], tmp_path: Path) -> None:
    """Text and bytes stay apart even under `python -bb`, which forbids comparing them."""
    code = """
import sys, kvlib
records = {}
with kvlib.open(sys.argv[1], threshold=3) as store:
    for key in ("", b"", "a", b"a"):
        store[key] = key
    with store.batch():
        store.delete("a")
        store["a"] = "again"
    store.update([("b", "1"), (b"b", b"2")])
    store.setdefault(b"c", "1")
    store.setdefault("c", "2")
    store.backup(sys.argv[1] + ".backup")
for path in (sys.argv[1], sys.argv[1] + ".backup"):
    with kvlib.open(path) as store:
        assert store.get("") == "" and store.get(b"") == b""
        assert store["a"] == "again" and store[b"a"] == b"a"
        assert "b" in store and b"b" in store and len(store) == 8
        assert store == store
        store.clear()
memory = kvlib.Store()
memory[""], memory[b""] = "1", b"2"
memory.shutdown()
memory.restore()
assert memory.get(b"") == b"2" and memory.pop("") == "1"
print("all of them")
"""
    command = [sys.executable, *options, "-c", code, str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("all of them\n", "")
