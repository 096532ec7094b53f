"""The files of a damaged store, as far as they can be read. Nothing in them is believed yet."""

import errno
from contextlib import suppress
from functools import cached_property

from kvlib.disk import Disk, MemoryDisk
from kvlib.errors import CorruptionError, VersionError
from kvlib.frame import MAGIC, PREAMBLE, VERSION, check_preamble
from kvlib.salvage.findings import Finding
from kvlib.snapshot import LOG, SEGMENT_NAME


class Source(MemoryDisk):
    """The files of another disk, to be read; whatever is written, that disk never sees.

    The preamble of a file has no checksum. If it is wrong, and claims no newer version, the file is
    read as if it were right: the checksums of the frames behind it decide.

    Attributes:
        mended: for each file that was read in that way, what is wrong with its preamble.
    """

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self._disk = disk
        self.mended: dict[str, Finding] = {}

    def path(self, name: str) -> str:
        """What an error message calls the file."""
        return self._disk.path(name)

    def names(self) -> list[str]:
        """The names of all files, sorted."""
        return self._disk.names()

    @cached_property
    def segments(self) -> dict[int, list[str]]:
        """The names of each generation's segments, in order."""
        found: dict[int, list[str]] = {}
        for name in self.names():
            if match := SEGMENT_NAME.fullmatch(name):
                found.setdefault(int(match[1], 16), []).append(name)
        return found

    def read(self, name: str) -> bytes:
        """All bytes of a file. What a broken medium can't read is damage, too."""
        try:
            data = self._disk.read(name)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            raise CorruptionError(self.path(name), 0, "the medium cannot read it") from error
        try:
            check_preamble(data)
        except VersionError:
            pass  # the engine says so, and where
        except CorruptionError as error:
            return self._mend(name, data, error)
        return data

    def _mend(self, name: str, data: bytes, flaw: CorruptionError) -> bytes:
        claimed = int.from_bytes(data[len(MAGIC) : len(PREAMBLE)], "big")
        if len(data) < len(PREAMBLE) or claimed > VERSION:
            return data
        reason = f"{flaw.reason}; read as if it were right"
        self.mended[name] = Finding(name, flaw.offset, len(PREAMBLE), reason)
        return PREAMBLE + data[len(PREAMBLE) :]

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
