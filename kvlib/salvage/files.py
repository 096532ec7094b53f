"""The files of a damaged store, as far as they can be read. Nothing in them is believed yet."""

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
    """The files of another disk, to be read; whatever is written, that disk never sees.

    A link is followed, wherever it leads. The preamble of a file has no checksum: if it is wrong,
    the file is read as if it were right, and the checksums of the frames behind it decide. A newer
    version is taken for damage only if another file of the same snapshot has the version of today.

    Attributes:
        notes: for each file that was read in such a way, what is unusual about it.
    """

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self._disk = disk
        self.notes: dict[str, list[Finding]] = {}

    def path(self, name: str) -> str:
        """What an error message calls the file."""
        with suppress(ValueError):
            return self._disk.path(name)
        return os.path.join(os.path.dirname(self._disk.path(LOG)), name)

    def names(self) -> list[str]:
        """The names of all files, sorted; the same ones each time."""
        return self._names

    @cached_property
    def _names(self) -> list[str]:
        return self._disk.names()

    @cached_property
    def others(self) -> list[str]:
        """The names of all files but the log: segments, leftovers, copies and whatever is there."""
        return [name for name in self.names() if name != LOG]

    @cached_property
    def segments(self) -> dict[int, list[str]]:
        """The names of each generation's segments, in order."""
        found: dict[int, list[str]] = {}
        for name in self.names():
            if match := SEGMENT_NAME.fullmatch(name):
                found.setdefault(int(match[1], 16), []).append(name)
        return found

    def read(self, name: str) -> bytes:
        """All bytes of a file. If it is there and can't be read, that is damage, too."""
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
            reason = "it can't be read: it is larger than the memory"
        raise CorruptionError(self.path(name), 0, reason)

    def _read_or_follow(self, name: str) -> bytes:
        try:
            return self._disk.read(name)
        except (CorruptionError, ValueError) as error:
            if isinstance(self._disk, DirectoryDisk):  # a link, or a name that no store gives
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
            return data  # the engine says so, and where
        reason = f"{flaw.reason}; read as if it were right"
        self._note(name, Finding(name, flaw.offset, len(PREAMBLE), reason))
        return mended

    @cached_property
    def _is_mixed(self) -> bool:
        """Whether a file of the newest snapshot, or the log, has the version of today."""
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
        """All bytes of the log, or why there are none."""
        try:
            return self.read(LOG)
        except FileNotFoundError:
            return "it is missing"
        except CorruptionError as error:
            return error.reason

    def size(self, name: str) -> int:
        """The bytes of a file; 0 if it can't be read."""
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
