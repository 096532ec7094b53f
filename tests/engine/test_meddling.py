"""Someone else's hands in a store's directory while it is open.

A descriptor still works when its file has been deleted or replaced. So the store compares the files
that it has open with those that the names lead to, before it acknowledges anything.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import kvlib
from helpers.stores import MODES, Sync, batch, content, files_in
from kvlib import DirectoryDisk, DurableStore, Store, WriteRefusedError

posix = pytest.mark.skipif(os.name == "nt", reason="an open file keeps its name there")


# --- what happens to the files --------------------------------------------------------------------


Event = Callable[[Path], None]
Act = Callable[[DurableStore], object]


def write_elsewhere(path: Path, compact: bool = False) -> None:
    """Open the store as another writer, put a record, and close it."""
    with kvlib.open(path) as store:
        store["theirs"] = "2"
        if compact:
            store.compact()


def lock_deleted(path: Path) -> None:
    """Delete the lock, as a user does who finds a store locked."""
    (path / "lock").unlink()
    write_elsewhere(path)


def lock_deleted_and_compacted(path: Path) -> None:
    """Delete the lock, and let another writer replace the log."""
    (path / "lock").unlink()
    write_elsewhere(path, compact=True)


def lock_replaced(path: Path) -> None:
    """Replace the lock, as an editor or a synchronizing tool does."""
    (path / "lock.new").touch()
    (path / "lock.new").replace(path / "lock")
    write_elsewhere(path)


def lock_moved(path: Path) -> None:
    """Rename the lock."""
    (path / "lock").rename(path / "lock.old")
    write_elsewhere(path)


def log_deleted(path: Path) -> None:
    """Delete the log."""
    (path / "log").unlink()


def log_moved(path: Path) -> None:
    """Rename the log."""
    (path / "log").rename(path / "log.bak")


def log_replaced(path: Path) -> None:
    """Replace the log by another file with the same bytes."""
    shutil.copy(path / "log", path / "copy")
    (path / "copy").replace(path / "log")


def log_truncated(path: Path) -> None:
    """Remove the last byte of the log."""
    os.truncate(path / "log", os.path.getsize(path / "log") - 1)


def log_appended_to(path: Path) -> None:
    """Append a byte to the log."""
    with (path / "log").open("ab") as log:
        log.write(b"\0")


def directory_moved(path: Path) -> None:
    """Rename the directory."""
    path.rename(path.with_name("elsewhere"))


def directory_replaced(path: Path) -> None:
    """Delete the directory, and make another store at its path."""
    shutil.rmtree(path)
    write_elsewhere(path)


SEEN_AT_ONCE: list[Event] = [
    lock_deleted,
    lock_deleted_and_compacted,
    log_deleted,
    log_truncated,
    log_appended_to,
    shutil.rmtree,
    directory_replaced,
]
# Seen by what depends on names: an fsync, a snapshot, a close.
SEEN_BY_NAME: list[Event] = [lock_replaced, lock_moved, log_moved, log_replaced, directory_moved]
BOTH = SEEN_AT_ONCE + SEEN_BY_NAME
SIZE_CHANGED = [log_truncated, log_appended_to]

ACTS: dict[str, Act] = {
    "put": lambda store: store.put("lost", "3"),
    "update": lambda store: store.update({"lost": "3"}),
    "batch": lambda store: batch(store, {"lost": "3"}),
    "delete": lambda store: store.delete("ours"),
    "compact": lambda store: store.compact(),
}


def opened(path: Path, sync: Sync, how: str) -> DurableStore:
    """Return a store with one record: new, reopened and written to, or only reopened ("closed")."""
    if how != "new":
        with kvlib.open(path) as store:
            store["ours"] = "1"
    store = kvlib.open(path, sync=sync)
    if how != "closed":
        store["ours"] = "1"
        store.sync()
    return store


# --- writes are refused ---------------------------------------------------------------------------

# In each mode a put, and in one mode the rest.
WAYS: list[tuple[Sync, str, str]]
WAYS = [(sync, "put", how) for sync in ("always", 3, "never") for how in ("new", "closed")]
WAYS += [("always", "put", "reopened"), ("always", "update", "new"), ("never", "batch", "new")]
WAYS += [("always", "delete", "new"), ("always", "compact", "closed")]
# A snapshot of everything in memory may replace a log whose size has changed.
CASES = [
    (event, *way)
    for event in SEEN_AT_ONCE
    for way in WAYS
    if way[1] != "compact" or event not in SIZE_CHANGED
]


@posix
@pytest.mark.parametrize(("event", "sync", "act", "how"), CASES)
def test_a_file_that_is_gone_or_changed_is_not_written_to(
    event: Event, act: str, sync: Sync, how: str, tmp_path: Path
) -> None:
    """The write is refused before its first byte, so the other writer loses nothing."""
    path = tmp_path / "store"
    store = opened(path, sync, how)
    event(path)
    before, held = files_in(path), dict(store)
    with pytest.raises((WriteRefusedError, FileNotFoundError)) as info:
        ACTS[act](store)
    if isinstance(info.value, WriteRefusedError):
        assert str(path) in str(info.value)
        assert "backup()" in str(info.value)
    assert store == held
    with pytest.raises((WriteRefusedError, FileNotFoundError)):
        store["next"] = "3"
    assert files_in(path) == before


@posix
@pytest.mark.parametrize("how", ["new", "reopened", "closed"])
@MODES
@pytest.mark.parametrize("event", SEEN_BY_NAME)
def test_a_name_that_leads_elsewhere_is_seen_by_the_next_fsync(
    event: Event, sync: Sync, how: str, tmp_path: Path
) -> None:
    """An fsync is not acknowledged; a put without one may be. Nothing is written afterwards."""
    path = tmp_path / "store"
    store = opened(path, sync, how)
    event(path)
    with pytest.raises(WriteRefusedError, match="backup"):
        store["lost"] = "3"
        if sync != "always":
            store.sync()
    assert sync != "always" or "lost" not in store
    with pytest.raises(WriteRefusedError):
        store["next"] = "3"
    before = files_in(path)
    with pytest.raises((WriteRefusedError, FileNotFoundError)):
        store.compact()
    store.close()  # the error has been raised already
    assert files_in(path) == before


@posix
@pytest.mark.parametrize("event", BOTH)
@pytest.mark.parametrize("sync", [2, "never"])
def test_a_close_raises_if_it_loses_what_was_acknowledged(
    event: Event, sync: Sync, tmp_path: Path
) -> None:
    """Close raises if a mutation was acknowledged before the event and not fsynced."""
    store = kvlib.open(tmp_path / "store", sync=sync)
    store["ours"] = "1"
    event(tmp_path / "store")
    with pytest.raises(WriteRefusedError):
        store.close()
    with pytest.raises(ValueError, match="closed"):
        len(store)


@posix
@pytest.mark.parametrize("event", [event for event in BOTH if event not in SIZE_CHANGED])
def test_what_is_in_memory_can_be_saved_elsewhere(event: Event, tmp_path: Path) -> None:
    """`backup` saves the records, while `compact` doesn't heal a store that has lost its files."""
    store = opened(tmp_path / "store", "always", "new")
    event(tmp_path / "store")
    with pytest.raises(WriteRefusedError):
        store["lost"] = "3"
    store.backup(tmp_path / "saved")
    assert content(tmp_path / "saved") == {"ours": "1"}
    with pytest.raises((WriteRefusedError, FileNotFoundError)):
        store.compact()
    store.close()


# --- who does it ----------------------------------------------------------------------------------


@posix
def test_two_workspaces_of_one_name_are_two_stores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a notebook's cell makes its workspace again, the first store refuses to write."""
    from kvlib.lessons import workspace

    monkeypatch.chdir(tmp_path)
    first = kvlib.open(workspace("lab"))
    first["a"] = "1"
    second = kvlib.open(workspace("lab"))
    second["b"] = "2"
    with pytest.raises(WriteRefusedError):
        first["c"] = "3"
    second["d"] = "4"
    second.close()
    with kvlib.open(second._disk) as store:
        assert store == {"b": "2", "d": "4"}


@posix
def test_a_snapshot_replaces_nothing_that_came_after_it_looked(tmp_path: Path) -> None:
    """Serializing does not replace a store that appeared after it had looked."""

    class Meddled(DirectoryDisk):
        def entropy(self, size: int) -> bytes:
            log_replaced(tmp_path / "store")
            return super().entropy(size)

    store = Store()
    store["a"] = "1"
    store.serialize(tmp_path / "store")
    store["a"] = "2"
    with pytest.raises(WriteRefusedError):
        store.serialize(Meddled(tmp_path / "store"))
    assert content(tmp_path / "store") == {"a": "1"}
