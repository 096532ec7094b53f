"""The only code that touches a medium. A Disk is a flat folder of named files.

What a Disk promises is what a real one does, and no more: after `write` or `append` the bytes can
be read, but until `sync` they may be lost, in part or out of order; a new, renamed or deleted name
may be forgotten until `sync_directory`; `rename` replaces the target in one step.
"""

import copy
import errno
import os
import random
import stat
import sys
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, Self, runtime_checkable

from kvlib.errors import CorruptionError, LockedError, WriteRefusedError
from kvlib.scope import Scope

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK: Final = "lock"
LOG: Final = "log"
FORKED: Final = "this process was forked from the one that opened the store"


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
    """A Disk in memory. Its random bytes come from a seed: equal operations give equal bytes.

    A copy, pickled or not, has the same files and goes its own way; nobody has locked it.
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
        self._files[target] = self._files.pop(name)  # also if it is the same name

    def delete(self, name: str) -> None:
        self._file(name)
        del self._files[name]

    def sync_directory(self) -> None:
        """Nothing: there is no power to lose."""

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


_Locks = dict[str, weakref.ref[Scope]]  # empty or one: setdefault takes it in a single step


class _MemoryLock(Scope):
    def __init__(self, locks: _Locks) -> None:
        self._locks = locks

    def begin(self) -> None:
        holder = self._locks.setdefault(LOCK, weakref.ref(self))()
        if holder is None:  # dropped without an end
            self._locks[LOCK] = weakref.ref(self)
        elif holder is not self:
            raise LockedError("this MemoryDisk is open for writing already")

    def end(self) -> None:
        if self._locks.get(LOCK) is weakref.ref(self):
            del self._locks[LOCK]


def _flush(descriptor: int) -> None:
    if sys.platform == "darwin":  # there fsync() leaves the bytes in the drive's own cache
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        getattr(os, "fdatasync", os.fsync)(descriptor)


class _File:
    """A file that this process holds: how errors call it, where and which one it is, and its size.

    A descriptor goes on working after its file was deleted or replaced. Whoever trusts the
    descriptor alone acknowledges what nobody will ever find.
    """

    def __init__(self, shown: str, path: str, status: os.stat_result, descriptor: int = -1) -> None:
        self.shown, self.path, self.status = shown, path, status
        self.size, self.descriptor = status.st_size, descriptor

    def check(self, size: int | None = None) -> None:
        """Raise WriteRefusedError if the open file has lost its name, or isn't of this size.

        This costs a fraction of a microsecond. What gives the file another name escapes it.
        """
        now = os.fstat(self.descriptor)
        if now.st_nlink == 0 or size not in (None, now.st_size):
            self._refuse()

    def check_name(self, size: int | None = None) -> None:
        """Raise WriteRefusedError unless the path leads to this very file, and of this size."""
        try:
            now = os.lstat(self.path)
        except OSError:  # no such name, or no such directory any more
            self._refuse()
        if not os.path.samestat(now, self.status) or size not in (None, now.st_size):
            self._refuse()

    def _refuse(self) -> NoReturn:
        raise WriteRefusedError(
            f"{self.shown} is not the file that was opened: it was deleted, moved, replaced or"
            " changed from elsewhere, and another writer may be using this store. Nothing more is"
            " written to it. backup() saves what is in memory; opening the store again shows what"
            " is on the disk"
        )


class DirectoryDisk:
    """A Disk that is a real directory. `lock` makes it if it is missing; its parent must exist.

    While it is locked, it writes nothing and reports no fsync as done unless `lock` and `log` are
    still the files that they were: otherwise another writer may have come in.

    A file that it makes gets the mode, and where that is permitted the owner and the group, of the
    log beside it; in a new directory those of the log in the directory `like`.

    A copy, pickled or not, is another view of the directory, without the lock. `entropy` takes the
    place of os.urandom where pictures must not change from run to run.
    """

    def __init__(
        self,
        path: Path,
        entropy: Callable[[int], bytes] = os.urandom,
        like: "DirectoryDisk | None" = None,
    ) -> None:
        self._path = os.fspath(path)  # as it was given: so errors name it
        if not self._path:
            raise ValueError("the path of a place is empty; the working directory is '.'")
        self._root = os.path.abspath(self._path)  # where it stays, if the process moves elsewhere
        self._entropy = entropy
        self._like = like._root if like else self._root
        self._begin()

    def _begin(self) -> None:
        self._writer = os.getpid()
        self._lock: _File | None = None
        self._log: _File | None = None  # while locked: the file that `log` must lead to
        # One descriptor is kept, for the file in use: an fsync reports a failed write-back only
        # to a descriptor that was open when it failed.
        self._open: tuple[str, _File] | None = None

    def __getstate__(self) -> dict[str, Any]:
        own = ("_writer", "_lock", "_log", "_open")
        return {name: value for name, value in self.__dict__.items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def path(self, name: str) -> str:
        if name in ("", ".", "..") or set(name) & {"/", "\\", "\0"}:
            raise ValueError(f"{name!r} is no plain file name")
        return os.path.join(self._path, name)

    def names(self) -> list[str]:
        return sorted(os.listdir(self._root))

    def read(self, name: str) -> bytes:
        self._check_regular(name)
        with open(self._at(name), "rb") as file:
            data = file.read()
            if name == LOG and self._lock:
                self._log = _File(self.path(LOG), self._at(LOG), os.fstat(file.fileno()))
        return data

    def write(self, name: str, data: bytes) -> None:
        self._check()
        self._close()
        file = self._file(name, os.O_CREAT | os.O_TRUNC)
        _resemble(file.descriptor, self._at(LOG), os.path.join(self._like, LOG))
        _write(file.descriptor, data)
        file.size = len(data)

    def append(self, name: str, data: bytes) -> None:
        self._check_process()
        file = self._file(name)
        if self._lock:
            self._lock.check()
            file.check(file.size)
        _write(file.descriptor, data)
        file.size += len(data)

    def sync(self, name: str) -> None:
        self._check_process()
        file = self._file(name)
        _flush(file.descriptor)
        self._check()
        if self._lock:
            file.check(file.size)

    def rename(self, name: str, target: str) -> None:
        self._check()
        self._close()  # Windows renames no open file
        status = os.lstat(self._at(name))
        os.replace(self._at(name), self._at(target))
        if target == LOG and self._lock:
            self._log = _File(self.path(LOG), self._at(LOG), status)

    def delete(self, name: str) -> None:
        self._check()
        self._close()
        os.unlink(self._at(name))

    def sync_directory(self) -> None:
        _sync_directory(self._root)
        self._check()

    def entropy(self, size: int) -> bytes:
        return self._entropy(size)

    def lock(self) -> AbstractContextManager[None]:
        return _DirectoryLock(self)

    def _at(self, name: str) -> str:
        return os.path.join(self._root, os.path.basename(self.path(name)))

    def _check(self) -> None:
        self._check_process()
        for file in (self._lock, self._log):
            if file:
                file.check_name()

    def _check_process(self) -> None:
        if os.getpid() != self._writer:
            raise WriteRefusedError(FORKED)

    def _file(self, name: str, flags: int = 0) -> _File:
        if self._open is None or self._open[0] != name:
            self._close()
            path = self._at(name)
            if flags == 0 or os.path.lexists(path):
                self._check_regular(name)
            flags |= os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
            descriptor = os.open(path, flags, 0o666)
            file = _File(self.path(name), path, os.fstat(descriptor), descriptor)
            self._open = name, file
            if name == LOG and self._log:  # read or renamed before, and closed since
                before, self._log = self._log, file
                before.check_name(before.size)
        return self._open[1]

    def _close(self) -> None:
        if self._open is not None:
            descriptor, self._open = self._open[1].descriptor, None
            os.close(descriptor)

    def _check_regular(self, name: str) -> None:
        # A link could lead a write elsewhere, and a pipe would let a read wait for ever.
        mode = os.lstat(self._at(name)).st_mode
        if not stat.S_ISREG(mode):
            raise CorruptionError(self.path(name), 0, f"{stat.filemode(mode)} is no regular file")


class _DirectoryLock(Scope):
    def __init__(self, disk: DirectoryDisk) -> None:
        self._disk = disk
        self._lock: BaseFileLock | None = None

    def begin(self) -> None:
        from filelock import FileLock, Timeout  # it takes longer to import than all of kvlib

        disk = self._disk
        parent = os.path.dirname(disk._root)
        if not os.path.exists(parent):
            raise FileNotFoundError(
                errno.ENOENT, "make the parent of this directory first", disk._path
            )
        with suppress(FileExistsError):
            os.mkdir(disk._root, _mode(disk._like, 0o777))
        if not disk.names():  # made just now, or by a process that died on the way
            _sync_directory(parent)
        if LOCK in disk.names():
            disk._check_regular(LOCK)
        shown, path = disk.path(LOCK), disk._at(LOCK)
        held: list[_File] = []
        self._lock = FileLock(
            path,
            thread_local=False,  # another thread may close the store
            on_acquired=lambda lent: held.append(_File(shown, path, os.fstat(lent), lent)),
        )
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise LockedError(
                f"{disk._path} is open for writing already, in this or another process"
            ) from None
        disk._close()
        disk._begin()
        disk._lock = held[0]

    def end(self) -> None:
        disk, lock = self._disk, self._lock
        if lock is not None and lock.is_locked:
            disk._close()
            disk._lock = disk._log = None
            lock.release()


def _mode(path: str, default: int) -> int:
    """Return the permissions of what is at `path`; `default` where there is nothing."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        return default


def _resemble(descriptor: int, *models: str) -> None:
    """Give the open file the mode, and if permitted owner and group, of the first that exists."""
    model = next(filter(os.path.exists, models), None)
    if model is None or os.name == "nt":
        return
    status = os.stat(model)
    for owner in (status.st_uid, -1):  # root gives it back to its owner; others keep the group
        with suppress(PermissionError):
            os.fchown(descriptor, owner, status.st_gid)
            break
    with suppress(PermissionError):  # a leftover of somebody else
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


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


def as_disk(place: Place, like: Disk | None = None) -> Disk:
    """Return `place` itself if it is a Disk, else the directory of that path.

    A new directory gets the permissions of `like`, if that is one too.
    """
    if isinstance(place, (str, os.PathLike)):
        return DirectoryDisk(place, like=like if isinstance(like, DirectoryDisk) else None)
    if isinstance(place, Disk):
        return place
    raise TypeError(f"a place is a path or a Disk, not {type(place).__name__}")
