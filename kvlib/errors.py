"""What can go wrong, as types.

A caller's mistake is a TypeError or a ValueError, and a full or broken medium the OSError that the
system gave; everything that the bytes of a store or its state can cause is a KvlibError.
"""


class KvlibError(Exception):
    """Base of every error that the bytes of a store, or its state, can cause."""


class FormatError(KvlibError):
    """Bytes that cannot be read: a CorruptionError or a VersionError.

    Attributes:
        path: the file, or None while pure functions decode bytes that belong to none.
        offset: where the first wrong byte stands, from the start of the file or the data.
        reason: what stands there, and what was expected.
    """

    def __init__(self, path: str | None, offset: int, reason: str) -> None:
        super().__init__(path, offset, reason)
        self.path, self.offset, self.reason = path, offset, reason

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path is not None else ""
        return f"{where}offset {self.offset}: {self.reason}"

    def within(self, path: str | None, start: int = 0) -> "FormatError":
        """The same error, seen from a larger whole in which the decoded bytes begin at `start`."""
        kind = VersionError if isinstance(self, VersionError) else CorruptionError
        return kind(path, start + self.offset, self.reason)


class CorruptionError(FormatError):
    """Bytes that the format does not allow."""


class TornError(CorruptionError):
    """No whole frame: cut short, zeroed or changed. At a log's end that is what a crash leaves."""


class VersionError(FormatError):
    """The file was written by a newer version of the format; it is not damaged."""


class MissingError(KvlibError):
    """There is no store at this place."""


class LockedError(KvlibError):
    """Another process, or this one, has the store open for writing."""


class WriteRefusedError(KvlibError):
    """The store reads but does not write: opened read-only, forked, or a write failed before."""


def check_bytes(data: bytes, offset: int = 0) -> bytes:
    """Return `data`, any kind of bytes, as bytes; ValueError for an `offset` before its start."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"expected bytes, not {type(data).__name__}")
    if type(offset) is not int:
        raise TypeError(f"offset is an int, not {type(offset).__name__}")
    if offset < 0:
        raise ValueError(f"offset is {offset}, and the first byte is at 0")
    return bytes(data)


def check_int(name: str, value: int, low: int, high: int) -> int:
    """`value` itself, if it is an int from `low` to `high`; a bool is none."""
    if type(value) is not int:
        raise TypeError(f"{name} is an int, not {type(value).__name__}")
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}, expected {low} to {high}")
    return value
