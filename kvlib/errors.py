"""Errors: the ways in which reading and writing a store can fail.

A caller's mistake is a TypeError or a ValueError. A full or broken medium is the OSError that the
system raised. Everything that the bytes of a store or its state can cause is a KvlibError.
"""


class KvlibError(Exception):
    """The base of every error that a store's bytes, or its state, can cause."""


class FormatError(KvlibError):
    """Bytes that can't be read: a CorruptionError or a VersionError.

    Attributes:
        path: the file, or None while a pure function decodes bytes that belong to no file.
        offset: the offset of the first wrong byte, from the start of the file or the data.
        reason: what was found there, and what was expected.
    """

    def __init__(self, path: str | None, offset: int, reason: str) -> None:
        super().__init__(path, offset, reason)
        self.path, self.offset, self.reason = path, offset, reason

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path is not None else ""
        return f"{where}offset {self.offset}: {self.reason}"

    def within(self, path: str | None, start: int = 0) -> "FormatError":
        """Return the same error for a file, or larger data, with these bytes at `start`."""
        kind = VersionError if isinstance(self, VersionError) else CorruptionError
        return kind(path, start + self.offset, self.reason)


class CorruptionError(FormatError):
    """Bytes that the format doesn't allow."""


class TornError(CorruptionError):
    """A frame that is cut short, zeroed or changed: at a log's end, what a crash leaves."""


class VersionError(FormatError):
    """A file written by a newer version of the format. It isn't damaged."""


class MissingError(KvlibError):
    """There is no store at this place."""


class LockedError(KvlibError):
    """The store is open for writing already, in this process or another."""


class WriteRefusedError(KvlibError):
    """The store can only be read: it is read-only, forked, or an earlier write failed."""


def check_bytes(data: bytes, offset: int = 0) -> bytes:
    """Return `data` as bytes; it may be a bytearray or a memoryview.

    Raises TypeError for other types, ValueError for a negative `offset`.
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"expected bytes, not {type(data).__name__}")
    if type(offset) is not int:
        raise TypeError(f"offset must be an int, not {type(offset).__name__}")
    if offset < 0:
        raise ValueError(f"offset is {offset}, and the first byte is at 0")
    return bytes(data)


def check_int(name: str, value: int, low: int, high: int) -> int:
    """Return `value` if it is an int from `low` to `high`; else TypeError or ValueError."""
    if type(value) is not int:
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}, expected {low} to {high}")
    return value
