"""The only code that touches a medium. A Disk is a flat folder of named files.

What a Disk promises is what a real one does, and no more: after `write` or `append` the bytes can
be read, but until `sync` they may be lost, in part or out of order; a new, renamed or deleted name
may be forgotten until `sync_directory`; `rename` replaces the target in one step.
"""

import errno
import os
import random
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Final, Protocol, runtime_checkable

from kvlib.errors import CorruptionError, LockedError, WriteRefusedError

LOCK: Final = "lock"


@runtime_checkable
class Disk(Protocol):
    """What a store asks of a medium. A missing file is FileNotFoundError, any failure OSError."""

    def path(self, name: str) -> str:
        """What an error message calls the file."""

    def names(self) -> list[str]:
        """The names of all files, sorted."""

    def read(self, name: str) -> bytes:
        """All bytes of a file."""

    def write(self, name: str, data: bytes) -> None:
        """Create the file, or replace what is in it."""

    def append(self, name: str, data: bytes) -> None:
        """Add to the end of a file: all of `data`, or OSError."""

    def sync(self, name: str) -> None:
        """Return when the bytes of the file survive a loss of power."""

    def rename(self, name: str, target: str) -> None:
        """Give the file another name, atomically; a file of that name is replaced."""

    def delete(self, name: str) -> None:
        """Remove a file."""

    def sync_directory(self) -> None:
        """Return when the names survive a loss of power."""

    def entropy(self, size: int) -> bytes:
        """`size` random bytes."""

    def lock(self) -> AbstractContextManager[None]:
        """Be the only writer while the context lasts; LockedError at once if there is another."""


Path = str | os.PathLike[str]
Place = Path | Disk


class MemoryDisk:
    """A Disk in memory. Its random bytes come from a seed: equal operations give equal bytes."""

    def __init__(self, seed: int = 0) -> None:
        self._files: dict[str, bytearray] = {}
        self._random = random.Random(seed)
        self._lock = threading.Lock()

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
        self._files[target] = self._files.pop(name)  # also if it is the same name

    def delete(self, name: str) -> None:
        self._file(name)
        del self._files[name]

    def sync_directory(self) -> None:
        """Nothing: there is no power to lose."""

    def entropy(self, size: int) -> bytes:
        return self._random.randbytes(size)

    @contextmanager
    def lock(self) -> Iterator[None]:
        if not self._lock.acquire(blocking=False):
            raise LockedError("this MemoryDisk is open for writing already")
        try:
            yield
        finally:
            self._lock.release()

    def _file(self, name: str) -> bytearray:
        if name not in self._files:
            raise FileNotFoundError(f"no file {name!r} on this MemoryDisk")
        return self._files[name]


def _flush(descriptor: int) -> None:
    if sys.platform == "darwin":  # there fsync() leaves the bytes in the drive's own cache
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        getattr(os, "fdatasync", os.fsync)(descriptor)


class DirectoryDisk:
    """A Disk that is a real directory. `lock` makes it if it is missing; its parent must exist.

    `entropy` takes the place of os.urandom where pictures must not change from run to run.
    """

    def __init__(self, path: Path, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._path = os.fspath(path)  # as it was given: so errors name it
        self._root = os.path.abspath(self._path)  # where it stays, if the process moves elsewhere
        self._entropy = entropy
        self._writer = os.getpid()
        # One descriptor is kept, for the file in use: an fsync reports a failed write-back only
        # to a descriptor that was open when it failed.
        self._open: tuple[str, int] | None = None

    def path(self, name: str) -> str:
        if name in ("", ".", "..") or set(name) & {"/", "\\", "\0"}:
            raise ValueError(f"{name!r} is no plain file name")
        return os.path.join(self._path, name)

    def names(self) -> list[str]:
        return sorted(os.listdir(self._root))

    def read(self, name: str) -> bytes:
        self._check_regular(name)
        with open(self._at(name), "rb") as file:
            return file.read()

    def write(self, name: str, data: bytes) -> None:
        self._close()
        _write(self._descriptor(name, os.O_CREAT | os.O_TRUNC), data)

    def append(self, name: str, data: bytes) -> None:
        _write(self._descriptor(name), data)

    def sync(self, name: str) -> None:
        _flush(self._descriptor(name))

    def rename(self, name: str, target: str) -> None:
        self._close()  # Windows renames no open file, and the descriptor's name changes
        os.replace(self._at(name), self._at(target))

    def delete(self, name: str) -> None:
        self._close()
        os.unlink(self._at(name))

    def sync_directory(self) -> None:
        _sync_directory(self._root)

    def entropy(self, size: int) -> bytes:
        return self._entropy(size)

    @contextmanager
    def lock(self) -> Iterator[None]:
        from filelock import FileLock, Timeout  # it takes longer to import than all of kvlib

        parent = os.path.dirname(self._root)
        if not os.path.exists(parent):
            raise FileNotFoundError(
                errno.ENOENT, "make the parent of this directory first", self._path
            )
        with suppress(FileExistsError):
            os.mkdir(self._root)
        if not self.names():  # made just now, or by a process that died on the way
            _sync_directory(parent)
        if LOCK in self.names():
            self._check_regular(LOCK)
        lock = FileLock(self._at(LOCK), thread_local=False)  # another thread may close the store
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise LockedError(
                f"{self._path} is open for writing already, in this or another process"
            ) from None
        self._writer = os.getpid()
        try:
            yield
        finally:
            self._close()
            lock.release()

    def _at(self, name: str) -> str:
        return os.path.join(self._root, os.path.basename(self.path(name)))

    def _descriptor(self, name: str, flags: int = 0) -> int:
        if os.getpid() != self._writer:
            raise WriteRefusedError("this process was forked from the one that opened the store")
        if self._open is None or self._open[0] != name:
            self._close()
            if flags == 0 or os.path.lexists(self._at(name)):
                self._check_regular(name)
            flags |= os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._open = name, os.open(self._at(name), flags, 0o666)
        return self._open[1]

    def _close(self) -> None:
        if self._open is not None:
            descriptor, self._open = self._open[1], None
            os.close(descriptor)

    def _check_regular(self, name: str) -> None:
        # A link could lead a write elsewhere, and a pipe would let a read wait for ever.
        mode = os.lstat(self._at(name)).st_mode
        if not stat.S_ISREG(mode):
            raise CorruptionError(self.path(name), 0, f"{stat.filemode(mode)} is no regular file")


def _write(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):  # a signal or a nearly full disk: the rest gives bytes or an error
        written += os.write(descriptor, data[written:])


def _sync_directory(path: str) -> None:
    if os.name == "nt":  # a directory can't be opened there, and NTFS keeps a journal of names
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def as_disk(place: Place) -> Disk:
    """`place` itself if it is a Disk, else the directory of that path."""
    if isinstance(place, (str, os.PathLike)):
        return DirectoryDisk(place)
    if isinstance(place, Disk):
        return place
    raise TypeError(f"a place is a path or a Disk, not {type(place).__name__}")
