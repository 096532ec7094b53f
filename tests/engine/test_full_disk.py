"""A disk that is full, refuses to be written, or whose fsync fails, at any moment of a life."""

import errno
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import kvlib
from helpers.crashes import after, carry_out
from helpers.stores import FULL, HEALING, Items, assert_refused, content, disk_full, heal, reopened
from helpers.vocabulary import Call, FaultyDisk, Field, files_of, frame, put, store_files, survivor
from kvlib import DurableStore, MemoryDisk, WriteRefusedError

Changes = list[tuple[Field, Field | None]]  # None: delete

pytestmark = pytest.mark.untraced


LIFE: list[Changes] = [
    [("a", "1")],
    [("b", b"\0" * 20)],
    [("a", None)],
    [("a", "2"), ("c", "3"), ("b", None)],
    [("c", "4" * 30)],
    [("ключ", "знач")],
    [("d", "5")],
    [("missing", None)],
    [("a", "6"), ("e", "7" * 9)],
    [("b", b"8")],
]


FINAL: Items = {"c": "4" * 30, "ключ": "знач", "d": "5", "a": "6", "e": "7" * 9, "b": b"8"}


Place = Path | MemoryDisk


def live(
    place: Place, error: int, refused: Callable[[], list[Call]] = list
) -> tuple[DurableStore | None, list[Items]]:
    """Lead LIFE on a disk that may fail with `error`.

    Return the store, if it could be made, and its possible states: the acknowledged one and, after
    a failure, the one with the failed mutation. `refused` returns the disk's failed calls so far.
    """
    allowed: list[Items] = [{}]
    try:
        store = kvlib.open(place, threshold=3, max_segment_size=40)
    except OSError:
        return None, allowed
    for changes in LIFE:
        calls, failed = len(refused()), store.status().failed
        try:
            carry_out(store, changes)
        except OSError as raised:
            assert raised.errno == error
            assert refused()[calls:] in ([], [("append", "log")])
            allowed.append(after(allowed[0], changes))
        except WriteRefusedError:
            assert failed is not None
        else:
            assert failed is None
            allowed = [after(allowed[0], changes)]
            if calls < len(refused()):  # in a compaction, and the mutation succeeded
                assert FULL in str(store.status().compaction_error)
        assert dict(store) == allowed[0]
    return store, allowed


def assert_works(store: DurableStore, disk: MemoryDisk) -> None:
    """Check that the store can be written, closed, and reopened after its process's death."""
    store["next"] = "works"
    now = dict(store)
    assert reopened(disk) == now
    store.close()
    assert content(disk) == now


# --- a full disk ----------------------------------------------------------------------------------


class FullDisk(MemoryDisk):
    """A disk that takes `room` bytes more, and of what doesn't fit as much as does.

    If it `reuses`, deleted and replaced bytes make room again.
    """

    def __init__(self, room: int, *, reuses: bool) -> None:
        super().__init__()
        self.room, self.reuses = room, reuses
        self.refused: list[Call] = []
        self.taken = 0

    def _free(self, name: str) -> None:
        if self.reuses and name in self.names():
            self.room += len(self.read(name))

    def _take(self, verb: str, name: str, data: bytes) -> None:
        fits = data[: self.room]
        self.room -= len(fits)
        self.taken += len(fits)
        super().append(name, fits)
        if len(fits) < len(data):
            self.refused.append((verb, name))
            raise OSError(errno.ENOSPC, "No space left on device")

    def write(self, name: str, data: bytes) -> None:
        self._free(name)
        super().write(name, b"")
        self._take("write", name, data)

    def append(self, name: str, data: bytes) -> None:
        self._take("append", name, data)

    def rename(self, name: str, target: str) -> None:
        self._free(target)
        super().rename(name, target)

    def delete(self, name: str) -> None:
        self._free(name)
        super().delete(name)


def live_on(disk: FullDisk) -> tuple[DurableStore | None, list[Items]]:
    """Lead LIFE on a disk that may become full."""
    return live(disk, errno.ENOSPC, lambda: disk.refused)


@cache
def rooms(*, reuses: bool) -> range:
    """Return every number of bytes after which a disk can become full during LIFE."""
    disk = FullDisk(10**6, reuses=reuses)
    store, allowed = live_on(disk)
    assert store is not None
    assert allowed == [FINAL]
    assert store.status().compactions == 3
    store.close()
    if not reuses:
        return range(disk.taken)
    while live_on(FullDisk(disk.taken, reuses=True))[1] == [FINAL] and disk.taken:
        disk.taken -= 1
    return range(disk.taken + 100)


@pytest.mark.parametrize("reuses", [False, True])
@pytest.mark.parametrize("how", ["compact", "reopen", "close"])
def test_a_disk_full_at_any_byte_loses_nothing(how: str, reuses: bool) -> None:
    """Reads still work, only a failed append fails its mutation, and with new room all heals."""
    failures = compactions_failed = 0
    for room in rooms(reuses=reuses)[:: 2 if how == "compact" else 5]:
        disk = FullDisk(room, reuses=reuses)
        store, allowed = live_on(disk)
        still_full = FullDisk(0, reuses=reuses)
        for name, data in files_of(disk).items():
            MemoryDisk.write(still_full, name, data)
        if store is None:
            with disk_full():
                kvlib.open(still_full)
            disk.room = 10**6
            with kvlib.open(disk) as store:
                assert dict(store) == {}
            continue
        failures += len(allowed) > 1
        compactions_failed += bool(store.status().compaction_error)
        full = kvlib.open(still_full)
        assert dict(full) in allowed
        assert_refused(full)
        if how == "close":
            with suppress(OSError):
                store.close()  # there may be no room for the close frame either
            disk.room = 10**6
            store = kvlib.open(disk)
        else:
            disk.room = 10**6
            store = heal(store, how, disk)
        assert dict(store) in (allowed[:1] if how == "compact" else allowed), room
        assert_works(store, disk)
    assert failures > 20
    assert compactions_failed > 20


# --- a disk that refuses --------------------------------------------------------------------------


class Forbidden(FaultyDisk):
    """A disk that can be read, and not written while `error` is a number, even by root."""

    error: int | None = None
    locks = True

    def _check(self) -> None:
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))

    def _do(self, verb: str, name: str, *arguments: str | bytes) -> None:
        self._check()
        super()._do(verb, name, *arguments)

    def sync_directory(self) -> None:
        self._check()

    def lock(self) -> AbstractContextManager[None]:
        if not self.locks:
            self._check()
        return super().lock()


FORBIDDEN = pytest.mark.parametrize("error", [errno.EROFS, errno.EACCES])


@FORBIDDEN
@HEALING
@pytest.mark.parametrize("end", [frame(b"C", 3, b"", 9), b"", b"torn"])
def test_a_disk_that_refuses_to_be_written_is_read(error: int, how: str, end: bytes) -> None:
    """The store opens and can be read, however its log ends, and no byte changes."""
    files = store_files({"old": "1"}, frame(b"M", 2, put("a", "2"), 9), end, salt=9)
    disk = Forbidden()
    for name, data in files.items():
        disk.write(name, data)
    disk.error = error
    store = kvlib.open(disk)
    for _ in range(2):
        assert dict(store) == {"old": "1", "a": "2"}
        assert os.strerror(error) in str(store.status().failed)
        assert_refused(store)
        with pytest.raises(OSError, match=os.strerror(error)):
            store.compact()
    assert files_of(disk) == files
    disk.error = None
    store = heal(store, how, disk)
    store["b"] = "3"
    assert content(survivor(disk)) == {"old": "1", "a": "2", "b": "3"}


@FORBIDDEN
def test_where_no_lock_can_be_had_there_is_still_reading(error: int) -> None:
    """If the disk refuses, opening for writing raises its error, and reading works."""
    disk = Forbidden()
    disk.error = error
    with pytest.raises(OSError, match=os.strerror(error)):
        kvlib.open(disk)
    assert files_of(disk) == {}
    disk.error = None
    with kvlib.open(disk) as store:  # its lock is free
        store["a"] = "1"
    disk.error, disk.locks = error, False
    with pytest.raises(OSError, match=os.strerror(error)):
        kvlib.open(disk)
    assert content(disk) == {"a": "1"}


# --- an fsync that fails --------------------------------------------------------------------------


class Fsyncs:
    """A replacement for the system's fsync, which fails from the `first` call to the `last`.

    The other calls do nothing; what a power cut leaves without them is for the simulated crashes.
    """

    def __init__(self, first: int, last: float) -> None:
        self.first, self.last, self.calls = first, last, 0

    def __call__(self, descriptor: int) -> None:
        os.fstat(descriptor)  # it is one
        self.calls += 1
        if self.first <= self.calls <= self.last:
            raise OSError(errno.EIO, "fsync failed")


def break_fsync(monkeypatch: pytest.MonkeyPatch, first: int, last: float) -> Fsyncs:
    """Replace the system's fsync by one that fails from call `first` to `last`."""
    fsyncs = Fsyncs(first, last)
    monkeypatch.setattr(os, "fsync", fsyncs)
    monkeypatch.setattr(os, "fdatasync", fsyncs, raising=False)
    if sys.platform == "darwin":
        import fcntl

        real: Any = fcntl.fcntl

        def control(descriptor: int, command: int, *rest: Any) -> Any:
            if command == fcntl.F_FULLFSYNC:
                return fsyncs(descriptor)
            return real(descriptor, command, *rest)

        monkeypatch.setattr(fcntl, "fcntl", control)
    return fsyncs


@HEALING
@pytest.mark.parametrize("for_ever", [False, True])
def test_a_directory_on_which_fsync_fails_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, for_ever: bool
) -> None:
    """If any fsync fails, once or from then on, nothing acknowledged is lost."""
    call = failures = in_compaction = 0
    while True:
        call += 1
        place = tmp_path / str(call)
        fsyncs = break_fsync(monkeypatch, call, float("inf") if for_ever else call)
        store, allowed = live(place, errno.EIO)
        if fsyncs.calls < call:
            break
        if store is None:
            if for_ever:
                # If the last fsync of the creation failed, its result can be read.
                with suppress(OSError), kvlib.open(place) as store:
                    assert_refused(store)
                fsyncs.last = 0
            with kvlib.open(place) as store:  # its lock is free
                assert dict(store) == {}
            continue
        failures += len(allowed) == 2
        in_compaction += store.status().compaction_error is not None
        if store.status().failed is not None:
            assert_refused(store)
        assert content(place) in allowed
        if for_ever:
            with pytest.raises(OSError, match="fsync failed"):
                store.compact()
            assert dict(store) == allowed[0]
            allowed = [allowed[0], content(place)]
            with suppress(OSError):
                store.close()
            store = kvlib.open(place)
            assert dict(store) in allowed
            allowed = [dict(store)]
            assert_refused(store)
            fsyncs.last = 0
        store = heal(store, how, place)
        assert dict(store) in (allowed[:1] if how == "compact" else allowed)
        store["next"] = "works"
        now = dict(store)
        assert content(place) == now
        store.close()
        assert content(place) == now
    assert failures >= 10
    assert in_compaction >= 4
