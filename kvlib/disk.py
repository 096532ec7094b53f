"""The interface between a store and its medium. A Disk is a flat folder of named files.

A Disk promises what a real one does, and no more: after `write` or `append` the bytes can be read,
but until `sync` they may be lost, in part or out of order. A new, renamed or deleted name may be
forgotten until `sync_directory`. `rename` replaces its target in one step.

MemoryDisk is here; the real one, DirectoryDisk, is in directory.py.
"""

import copy
import os
import random
import weakref
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol, Self, runtime_checkable

from kvlib.errors import LockedError
from kvlib.scope import Scope

LOCK: Final = "lock"
LOG: Final = "log"


@runtime_checkable
class Disk(Protocol):
    """A medium for a store. Methods raise FileNotFoundError for a missing file, else OSError."""

    def path(self, name: str) -> str:
        """Return what error messages call the file."""

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""

    def read(self, name: str) -> bytes:
        """Return all bytes of a file."""

    def write(self, name: str, data: bytes) -> None:
        """Create the file, or replace its contents."""

    def append(self, name: str, data: bytes) -> None:
        """Append all of `data` to a file, or raise OSError."""

    def sync(self, name: str) -> None:
        """Return once the file's bytes survive a power cut."""

    def rename(self, name: str, target: str) -> None:
        """Rename the file atomically, replacing a file that has the new name already."""

    def delete(self, name: str) -> None:
        """Delete a file."""

    def sync_directory(self) -> None:
        """Return once the file names survive a power cut."""

    def entropy(self, size: int) -> bytes:
        """Return `size` random bytes."""

    def lock(self) -> AbstractContextManager[None]:
        """Return a context that keeps other writers out; LockedError if there is one."""


Path = str | os.PathLike[str]
Place = Path | Disk


class MemoryDisk:
    """A Disk in memory. Its random bytes come from `seed`: equal operations give equal bytes.

    A copy (a pickled one too) has the same files and is independent of the original and unlocked.
    """

    def __init__(self, seed: int = 0) -> None:
        self._files: dict[str, bytearray] = {}
        self._random = random.Random(seed)
        self._locks: _Locks = {}

    def path(self, name: str) -> str:
        return name

    def names(self) -> list[str]:
        return sorted(self._files)

    def read(self, name: str) -> bytes:
        return bytes(self._file(name))

    def write(self, name: str, data: bytes) -> None:
        self._files[name] = bytearray(data)

    def append(self, name: str, data: bytes) -> None:
        self._file(name).extend(data)

    def sync(self, name: str) -> None:
        self._file(name)

    def rename(self, name: str, target: str) -> None:
        self._file(name)
        self._files[target] = self._files.pop(name)  # works if both names are the same, too

    def delete(self, name: str) -> None:
        self._file(name)
        del self._files[name]

    def sync_directory(self) -> None:
        """Do nothing: memory has no power to lose."""

    def entropy(self, size: int) -> bytes:
        return self._random.randbytes(size)

    def lock(self) -> AbstractContextManager[None]:
        return _MemoryLock(self._locks)

    def __copy__(self) -> Self:
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_locks": {}}

    def _file(self, name: str) -> bytearray:
        if name not in self._files:
            raise FileNotFoundError(f"no file {name!r} on this MemoryDisk")
        return self._files[name]


_Locks = dict[str, weakref.ref[Scope]]  # at most one; setdefault takes the lock in a single step


class _MemoryLock(Scope):
    def __init__(self, locks: _Locks) -> None:
        self._locks = locks

    def begin(self) -> None:
        holder = self._locks.setdefault(LOCK, weakref.ref(self))()
        if holder is None:  # its holder was dropped without an end
            self._locks[LOCK] = weakref.ref(self)
        elif holder is not self:
            raise LockedError("this MemoryDisk is open for writing already")

    def end(self) -> None:
        if self._locks.get(LOCK) is weakref.ref(self):
            del self._locks[LOCK]
