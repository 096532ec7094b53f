"""The real Disk: a directory. No other module touches files.

While a DirectoryDisk is locked, it writes nothing, and reports no fsync as done, unless `lock` and
`log` are still the files that were opened. Otherwise another writer may be at work.
"""

import errno
import os
import stat
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn

from kvlib.disk import LOCK, LOG, Disk, Path, Place
from kvlib.errors import CorruptionError, LockedError, WriteRefusedError
from kvlib.scope import Scope

if TYPE_CHECKING:
    from filelock import BaseFileLock

FORKED: Final = "this process was forked from the one that opened the store"


class DirectoryDisk:
    """A Disk that is a directory. `lock` makes it if it is missing; its parent must exist.

    A new file gets the mode of the log beside it and, where that is permitted, its owner and group;
    in a new directory, those of the log in the directory `like`.

    A copy (a pickled one too) is another view of the directory, without the lock. `entropy`
    replaces os.urandom where pictures must not change from run to run.
    """

    def __init__(
        self,
        path: Path,
        entropy: Callable[[int], bytes] = os.urandom,
        like: "DirectoryDisk | None" = None,
    ) -> None:
        self._path = os.fspath(path)  # as it was given, for error messages
        if not self._path:
            raise ValueError("the path of a place is empty; the working directory is '.'")
        self._root = os.path.abspath(self._path)  # still right if the process changes directory
        self._entropy = entropy
        self._like = like._root if like else self._root
        self._reset()

    def _reset(self) -> None:
        self._writer = os.getpid()
        self._lock: _HeldFile | None = None
        self._log: _HeldFile | None = None  # while locked: the file that `log` must be
        # One descriptor stays open, for the file in use: an fsync reports a failed write-back only
        # to descriptors that were open when it failed.
        self._open: tuple[str, _HeldFile] | None = None

    def __getstate__(self) -> dict[str, Any]:
        own = ("_writer", "_lock", "_log", "_open")
        return {name: value for name, value in self.__dict__.items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()

    def path(self, name: str) -> str:
        if name in ("", ".", "..") or set(name) & {"/", "\\", "\0"}:
            raise ValueError(f"{name!r} is not a plain file name")
        return os.path.join(self._path, name)

    def names(self) -> list[str]:
        return sorted(os.listdir(self._root))

    def read(self, name: str) -> bytes:
        self._check_regular(name)
        with open(self._at(name), "rb") as file:
            data = file.read()
            if name == LOG and self._lock:
                self._log = self._held(LOG, os.fstat(file.fileno()))
        return data

    def write(self, name: str, data: bytes) -> None:
        self._check()
        self._close()
        file = self._file(name, os.O_CREAT | os.O_TRUNC)
        _copy_permissions(file.descriptor, self._at(LOG), os.path.join(self._like, LOG))
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
        _sync(file.descriptor)
        self._check()
        if self._lock:
            file.check(file.size)

    def rename(self, name: str, target: str) -> None:
        self._check()
        self._close()  # Windows can't rename an open file
        status = os.lstat(self._at(name))
        os.replace(self._at(name), self._at(target))
        if target == LOG and self._lock:
            self._log = self._held(LOG, status)

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

    def _held(self, name: str, status: os.stat_result, descriptor: int = -1) -> "_HeldFile":
        return _HeldFile(self.path(name), self._at(name), status, descriptor)

    def _check(self) -> None:
        self._check_process()
        for file in (self._lock, self._log):
            if file:
                file.check_name()

    def _check_process(self) -> None:
        if os.getpid() != self._writer:
            raise WriteRefusedError(FORKED)

    def _file(self, name: str, flags: int = 0) -> "_HeldFile":
        if self._open is None or self._open[0] != name:
            self._close()
            path = self._at(name)
            if flags == 0 or os.path.lexists(path):
                self._check_regular(name)
            flags |= os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
            descriptor = os.open(path, flags, 0o666)
            file = self._held(name, os.fstat(descriptor), descriptor)
            self._open = name, file
            if name == LOG and self._log:  # it was read or renamed before, and closed since
                before, self._log = self._log, file
                before.check_name(before.size)
        return self._open[1]

    def _close(self) -> None:
        if self._open is not None:
            descriptor, self._open = self._open[1].descriptor, None
            os.close(descriptor)

    def _check_regular(self, name: str) -> None:
        # A link could send a write elsewhere, and reading a pipe could block forever.
        mode = os.lstat(self._at(name)).st_mode
        if not stat.S_ISREG(mode):
            reason = f"{stat.filemode(mode)} is not a regular file"
            raise CorruptionError(self.path(name), 0, reason)


class _HeldFile:
    """A file that this process relies on: its name in messages, its path, identity and size.

    A descriptor keeps working after its file was deleted or replaced. A writer that trusts the
    descriptor alone acknowledges bytes that can never be found again.
    """

    def __init__(self, shown: str, path: str, status: os.stat_result, descriptor: int) -> None:
        self.shown, self.path, self.status = shown, path, status
        self.size, self.descriptor = status.st_size, descriptor

    def check(self, size: int | None = None) -> None:
        """Raise WriteRefusedError if the open file was deleted or has another size.

        This costs a fraction of a microsecond. It doesn't notice that the file was renamed.
        """
        now = os.fstat(self.descriptor)
        if now.st_nlink == 0 or size not in (None, now.st_size):
            self._refuse()

    def check_name(self, size: int | None = None) -> None:
        """Raise WriteRefusedError unless the path leads to this very file, with this size."""
        try:
            now = os.lstat(self.path)
        except OSError:  # the name or its directory is gone
            self._refuse()
        if not os.path.samestat(now, self.status) or size not in (None, now.st_size):
            self._refuse()

    def _refuse(self) -> NoReturn:
        raise WriteRefusedError(
            f"{self.shown} is not the file that was opened: it was deleted, moved, replaced or"
            " changed, and another writer may be using this store. Nothing more is written to it."
            " backup() saves what is in memory; reopening the store shows what is on the disk"
        )


class _DirectoryLock(Scope):
    def __init__(self, disk: DirectoryDisk) -> None:
        self._disk = disk
        self._lock: BaseFileLock | None = None

    def begin(self) -> None:
        from filelock import FileLock, Timeout  # importing it takes longer than importing kvlib

        disk = self._disk
        self._make_directory()
        if LOCK in disk.names():
            disk._check_regular(LOCK)
        held: list[_HeldFile] = []
        self._lock = FileLock(
            disk._at(LOCK),
            thread_local=False,  # another thread may close the store
            on_acquired=lambda lent: held.append(disk._held(LOCK, os.fstat(lent), lent)),
        )
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise LockedError(
                f"{disk._path} is open for writing already, in this or another process"
            ) from None
        disk._close()
        disk._reset()
        disk._lock = held[0]

    def _make_directory(self) -> None:
        disk, parent = self._disk, os.path.dirname(self._disk._root)
        if not os.path.exists(parent):
            reason = "make the parent of this directory first"
            raise FileNotFoundError(errno.ENOENT, reason, disk._path)
        with suppress(FileExistsError):
            os.mkdir(disk._root, _mode(disk._like, 0o777))
        if not disk.names():  # made just now, or by a process that died before the fsync
            _sync_directory(parent)

    def end(self) -> None:
        disk, lock = self._disk, self._lock
        if lock is not None and lock.is_locked:
            disk._close()
            disk._lock = disk._log = None
            lock.release()


def _mode(path: str, default: int) -> int:
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        return default


def _copy_permissions(descriptor: int, *models: str) -> None:
    """Set an open file's mode, and if possible its owner and group, to those of the first model."""
    model = next(filter(os.path.exists, models), None)
    if model is None or os.name == "nt":
        return
    status = os.stat(model)
    for owner in (status.st_uid, -1):  # only root may set the owner; anyone may try the group
        with suppress(PermissionError):
            os.fchown(descriptor, owner, status.st_gid)
            break
    with suppress(PermissionError):  # someone else's leftover
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


def _write(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):  # after a signal, or when the disk is nearly full
        written += os.write(descriptor, data[written:])


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":  # there, fsync() leaves the bytes in the drive's cache
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        getattr(os, "fdatasync", os.fsync)(descriptor)


def _sync_directory(path: str) -> None:
    if os.name == "nt":  # directories can't be opened there, and NTFS journals names anyway
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def as_disk(place: Place, like: Disk | None = None) -> Disk:
    """Return `place` itself if it is a Disk, else a DirectoryDisk for that path.

    A new directory gets the permissions of `like`, if that is a DirectoryDisk as well.
    """
    if isinstance(place, (str, os.PathLike)):
        return DirectoryDisk(place, like=like if isinstance(like, DirectoryDisk) else None)
    if isinstance(place, Disk):
        return place
    raise TypeError(f"a place is a path or a Disk, not {type(place).__name__}")
