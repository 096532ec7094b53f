"""Read the files of a damaged store, believing nothing in them yet."""

import os
import stat
from contextlib import suppress
from functools import cached_property
from typing import Final

from kvlib.directory import DirectoryDisk
from kvlib.disk import Disk, MemoryDisk
from kvlib.errors import CorruptionError, VersionError
from kvlib.frame import MAGIC, PREAMBLE, VERSION, check_preamble, unseal
from kvlib.salvage.findings import Finding
from kvlib.snapshot import LOG, SEGMENT_NAME

NO_WAITING: Final = getattr(os, "O_NONBLOCK", 0)


class DamagedStore(MemoryDisk):
    """A read-only view of another disk's files: nothing that is written reaches that disk.

    Links are followed, wherever they lead. A preamble has no checksum, so a wrong one is read as if
    it were right, and the checksums of the frames after it decide. A newer version counts as damage
    only if another file of the same snapshot has the current version.

    Attributes:
        notes: the flaws of the files that were read in spite of them, by file name.
    """

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self._disk = disk
        self.notes: dict[str, list[Finding]] = {}

    def path(self, name: str) -> str:
        """Return what error messages call the file."""
        with suppress(ValueError):
            return self._disk.path(name)
        return os.path.join(os.path.dirname(self._disk.path(LOG)), name)

    def names(self) -> list[str]:
        """Return the names of all files, sorted; the same names every time."""
        return self._names

    @cached_property
    def _names(self) -> list[str]:
        return self._disk.names()

    @cached_property
    def others(self) -> list[str]:
        """The names of all files but the log: segments, leftovers, copies and anything else."""
        return [name for name in self.names() if name != LOG]

    @cached_property
    def segments(self) -> dict[int, list[str]]:
        """The names of the segments, in order, by generation."""
        found: dict[int, list[str]] = {}
        for name in self.names():
            if match := SEGMENT_NAME.fullmatch(name):
                found.setdefault(int(match[1], 16), []).append(name)
        return found

    def read(self, name: str) -> bytes:
        """Return all bytes of a file. CorruptionError if the file exists but can't be read."""
        data = self._bytes(name)
        try:
            check_preamble(data)
        except (CorruptionError, VersionError) as error:
            return self._mend(name, data, error)
        return data

    def _bytes(self, name: str) -> bytes:
        try:
            return self._read_or_follow(name)
        except FileNotFoundError:
            if name not in self.names() or not os.path.islink(self.path(name)):
                raise
            reason = "it is a link that leads nowhere"
        except OSError as error:
            reason = f"it can't be read: {error.strerror or error}"
        except MemoryError:
            reason = "it can't be read: it doesn't fit in memory"
        raise CorruptionError(self.path(name), 0, reason)

    def _read_or_follow(self, name: str) -> bytes:
        try:
            return self._disk.read(name)
        except (CorruptionError, ValueError) as error:
            if isinstance(self._disk, DirectoryDisk):  # a link, or a name that isn't a store's
                return self._follow(name)
            reason = f"it can't be read: {error}"
        raise CorruptionError(self.path(name), 0, reason)

    def _follow(self, name: str) -> bytes:
        path = self.path(name)
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):  # reading a pipe or a device might never end
            raise CorruptionError(path, 0, f"{stat.filemode(mode)} is not a regular file")
        with open(path, "rb", opener=_open_at_once) as file:
            data = file.read()
        if os.path.islink(path):
            target = os.path.realpath(path)
            self._note(name, Finding(name, 0, 0, f"it is a link, read where it leads: {target}"))
        return data

    def _mend(self, name: str, data: bytes, flaw: CorruptionError | VersionError) -> bytes:
        if len(data) < len(PREAMBLE):
            return data
        mended = PREAMBLE + data[len(PREAMBLE) :]
        if _is_newer(data) and not (self._is_mixed and _is_sealed(mended)):
            return data  # the engine reports it, with its offset
        reason = f"{flaw.reason}; read as if it were right"
        self._note(name, Finding(name, flaw.offset, len(PREAMBLE), reason))
        return mended

    @cached_property
    def _is_mixed(self) -> bool:
        """Whether the log or a file of the newest snapshot has the current version."""
        newest = self.segments[max(self.segments)] if self.segments else []
        for name in (LOG, *newest):
            with suppress(OSError, CorruptionError):
                if self._bytes(name)[: len(PREAMBLE)] == PREAMBLE:
                    return True
        return False

    def _note(self, name: str, finding: Finding) -> None:
        if finding not in self.notes.setdefault(name, []):
            self.notes[name].append(finding)

    def log_or_reason(self) -> bytes | str:
        """Return all bytes of the log, or the reason why there are none."""
        try:
            return self.read(LOG)
        except FileNotFoundError:
            return "it is missing"
        except CorruptionError as error:
            return error.reason

    def size(self, name: str) -> int:
        """Return the size of a file in bytes; 0 if it can't be read."""
        with suppress(FileNotFoundError, CorruptionError):
            return len(self.read(name))
        return 0


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | NO_WAITING)


def _is_newer(data: bytes) -> bool:
    return int.from_bytes(data[len(MAGIC) : len(PREAMBLE)], "big") > VERSION


def _is_sealed(data: bytes) -> bool:
    with suppress(CorruptionError):
        unseal(data, len(PREAMBLE))
        return True
    return False
