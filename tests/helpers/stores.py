"""Helpers for the tests of a store: files of a known store, readers of disks, writes, threads.

`content` reads a disk as it is. `reopened` reads a copy of it, as if the process had died.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest

import kvlib
from helpers.vocabulary import (
    HEAD_END,
    Call,
    FaultyDisk,
    Field,
    frame,
    put,
    store_files,
    survivor,
)
from kvlib import Disk, DurableStore, WriteRefusedError
from kvlib.disk import Place

Sync = Literal["always", "never"] | int
Done = Literal["not", "half", "all"]
Items = dict[Field, Field]

SALT = 0xABCD
OLD: Items = {"old": "1"}
FULL = "No space left on device"
TIMEOUT = 20  # seconds, after which a thread hangs
DONE = pytest.mark.parametrize("done", ["not", "half", "all"])  # how much of a failed call
HEALING = pytest.mark.parametrize("how", ["compact", "reopen"])
MODES = pytest.mark.parametrize("sync", ["always", 3, "never"])


# --- files ----------------------------------------------------------------------------------------


def closed_store(**changes: Any) -> dict[str, bytes]:
    """Return the files of a store that holds OLD and was closed."""
    close = frame(b"C", changes.get("generation", 1) + 1, b"", SALT)
    return store_files(OLD, close, salt=SALT, **changes)


def torn_store(tail: bytes = b"torn") -> dict[str, bytes]:
    """Return the files of a store that holds OLD and `a`, whose log ends with a torn tail."""
    return store_files(OLD, frame(b"M", 2, put("a", "1"), SALT), tail, salt=SALT)


def save_files(files: dict[str, bytes], path: Path) -> None:
    """Write the files to a directory, and make it if it is missing."""
    path.mkdir(exist_ok=True)
    for name, data in files.items():
        (path / name).write_bytes(data)


def files_in(path: Path) -> dict[str, bytes]:
    """Return the files in a directory, which may be missing. The lock's file isn't one of them."""
    paths = path.iterdir() if path.exists() else iter(())
    return {file.name: file.read_bytes() for file in paths if file.name != "lock"}


# --- looks at a disk ------------------------------------------------------------------------------


def content(place: Place) -> Items:
    """Return the records that a reader finds; a writer may have the store open."""
    with kvlib.open(place, read_only=True) as store:
        return dict(store)


def reopened(disk: Disk) -> Items:
    """Return the records that the next writer finds if the process dies now."""
    with kvlib.open(survivor(disk)) as store:
        return dict(store)


def frames_of(disk: Disk) -> list[tuple[str, int, int]]:
    """Return the kind, sequence and payload length of each frame that follows the log's head."""
    log = disk.read("log")
    found, offset = [], HEAD_END
    while offset < len(log):
        length = int.from_bytes(log[offset + 4 : offset + 8], "big")
        sequence = int.from_bytes(log[offset + 8 : offset + 16], "big")
        found.append((chr(log[offset + 16]), sequence, length))
        offset += 17 + length
    return found


def kinds_of(disk: Disk) -> str:
    """Return the kinds of the frames in the log, as letters."""
    return "".join(kind for kind, _, _ in frames_of(disk))


def changes_of(disk: FaultyDisk) -> list[Call]:
    """Return the calls that change a disk."""
    return [call for call in disk.calls if call[0] not in ("read", "names", "entropy")]


# --- writes ---------------------------------------------------------------------------------------


def batch(store: DurableStore, items: Items) -> None:
    """Put the records in a batch."""
    with store.batch():
        for key, value in items.items():
            store[key] = value


def writes(store: DurableStore) -> list[Callable[[], object]]:
    """Return every way to write, including those that would write nothing."""
    return [
        partial(store.put, "x", "y"),
        partial(store.delete, "x"),
        partial(store.update, {"x": "y"}),
        partial(store.update, {}),
        store.clear,
        store.sync,
        partial(batch, store, {"x": "y"}),
        partial(batch, store, {}),
    ]


def assert_refused(store: DurableStore, match: str | None = None) -> None:
    """Check that the store refuses every write and still has its records."""
    before = dict(store)
    for write in writes(store):
        with pytest.raises(WriteRefusedError, match=match):
            write()
    assert dict(store) == before


def heal(store: DurableStore, how: str, place: Any) -> DurableStore:
    """Heal a store that refuses to write, in one of the ways its error message names."""
    if how == "compact":
        store.compact()
        return store
    store.close()
    return kvlib.open(place)


@contextmanager
def disk_full() -> Iterator[None]:
    """Check that the block fails for want of room."""
    with pytest.raises(OSError, match=FULL):
        yield


# --- threads --------------------------------------------------------------------------------------


class Thread:
    """A thread that runs a function. `join` raises its exception."""

    def __init__(self, run: Callable[[], object]) -> None:
        self.error: BaseException | None = None
        self._run = run
        self._thread = threading.Thread(target=self._target, daemon=True)
        self._thread.start()

    def _target(self) -> None:
        try:
            self._run()
        except BaseException as error:
            self.error = error

    def wait(self) -> None:
        """Return when the function has ended."""
        self._thread.join(TIMEOUT)
        assert not self._thread.is_alive(), "the thread hangs"

    def join(self) -> None:
        """Return when the function has returned, or raise what it raised."""
        self.wait()
        if self.error is not None:
            raise self.error


def together(run: Callable[[int], object], count: int) -> None:
    """Run `run(0)` to `run(count - 1)` in as many threads, which start at the same time."""
    barrier = threading.Barrier(count)

    def begin(number: int) -> None:
        barrier.wait(TIMEOUT)
        run(number)

    for thread in [Thread(partial(begin, number)) for number in range(count)]:
        thread.join()


@contextmanager
def restless(change: Callable[[int], object]) -> Iterator[None]:
    """Call `change(1)`, `change(2)` ... in another thread until the block ends."""
    stopped = threading.Event()

    def run() -> None:
        for number in itertools.count(1):
            if stopped.is_set():
                return
            change(number)

    thread = Thread(run)
    try:
        yield
    finally:
        stopped.set()
        thread.join()
