"""The words that the tests of the engine are written in.

Bytes are spoilt by `flip_bit` and cut by `every_cut`. `frame`, `put`, `delete` and `store_files`
write the format by hand, from its description and not with the engine's own functions.
`FaultyDisk` notes what is asked of a disk, and lets it fail; on a `ChangingDisk` somebody else
writes; `survivor` is what a dead process leaves behind.
"""

import errno
import os
import struct
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal
from zlib import crc32

from hypothesis import strategies as st

import kvlib
from kvlib import Disk, MemoryDisk

Field = str | bytes

AWKWARD: tuple[Field, ...] = (
    "",
    b"",
    "a",
    b"a",
    "1",
    b"1",
    "|",
    b"|",
    ":",
    "a|b:c,d\n",
    b"a|b:c,d\r\n",
    "\0",
    b"\0",
    b"\xff\xfe\x80",
    "ключ",
    "ключ".encode(),
    "café",
    "cafe\u0301",
    "\N{GRINNING FACE}",
    b"s\x00\x00\x00\x01a",
    b"kvlib\0",
    "None",
)
LONG: tuple[Field, ...] = ("я" * 700, b"\0|" * 700)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FIELDS = TEXTS | st.binary(max_size=20)
MAPPINGS = st.dictionaries(FIELDS, FIELDS, max_size=8)


# --- spoiling -------------------------------------------------------------------------------------


def flip_bit(data: bytes, bit: int) -> bytes:
    """`data` with one bit turned over; bit 0 is the highest bit of the first byte."""
    spoilt = bytearray(data)
    spoilt[bit // 8] ^= 0x80 >> bit % 8
    return bytes(spoilt)


def every_flip(data: bytes) -> Iterator[bytes]:
    """`data` with each of its bits turned over in turn."""
    return (flip_bit(data, bit) for bit in range(8 * len(data)))


def every_cut(data: bytes) -> Iterator[bytes]:
    """Every prefix of `data` that lacks at least its last byte."""
    return (data[:length] for length in range(len(data)))


# --- the format, by hand --------------------------------------------------------------------------

PREAMBLE = b"kvlib\0\x00\x01"


def field(value: Field) -> bytes:
    """Tag, length, data."""
    data = value.encode() if isinstance(value, str) else value
    return (b"s" if isinstance(value, str) else b"b") + len(data).to_bytes(4, "big") + data


def put(key: Field, value: Field) -> bytes:
    """The mutation that gives `key` the value `value`."""
    return b"P" + field(key) + field(value)


def delete(key: Field) -> bytes:
    """The mutation that deletes `key`."""
    return b"D" + field(key)


def frame(kind: bytes, sequence: int, payload: bytes, salt: int = 0) -> bytes:
    """Crc, length, sequence, kind, payload."""
    checked = struct.pack(">IQ", len(payload), sequence) + kind + payload
    return crc32(checked, salt).to_bytes(4, "big") + checked


# The fields of a head, written by hand once for all tests.
HEAD_FIELDS = {
    "salt": "I",
    "compactions": "I",
    "segments": "I",
    "stream_length": "Q",
    "stream_crc": "I",
}
HEAD_FORMAT = ">" + "".join(HEAD_FIELDS.values())
HEAD_START = 8  # after the preamble
SEGMENT_START = HEAD_START + 17  # where the payload of a file's first frame begins
HEAD_END = SEGMENT_START + struct.calcsize(HEAD_FORMAT)  # where a log's other frames begin


def head_payload(stream: bytes, **fields: int) -> bytes:
    """The payload of a head that names this stream, in one segment if nothing else is said."""
    right = {"segments": 1, "stream_length": len(stream), "stream_crc": crc32(stream)}
    values = dict.fromkeys(HEAD_FIELDS, 0) | right | fields
    return struct.pack(HEAD_FORMAT, *values.values())


def head_fields(log: bytes) -> dict[str, int]:
    """The fields of a log's head."""
    values = struct.unpack_from(HEAD_FORMAT, log, SEGMENT_START)
    return dict(zip(HEAD_FIELDS, values, strict=True))


def log_bytes(*frames: bytes, head: bytes = b"") -> bytes:
    """A log file of these frames behind a head; b"" for a head that no test reads."""
    return PREAMBLE + head + b"".join(frames)


def store_files(
    items: Mapping[Field, Field],
    *frames: bytes,
    generation: int = 1,
    salt: int = 0,
    compactions: int = 0,
    size: int = 2**20,
) -> dict[str, bytes]:
    """The files of a store: a snapshot of `items` as `generation`, and a log with `frames`."""
    stream = len(items).to_bytes(4, "big")
    stream += b"".join(field(key) + field(value) for key, value in items.items())
    pieces = [stream[at : at + size - 8] for at in range(0, len(stream), size - 8)]
    files = {
        f"{generation:016x}.{index:08x}.segment": PREAMBLE
        + frame(b"S", generation, struct.pack(">II", index, len(pieces)) + piece)
        for index, piece in enumerate(pieces)
    }
    head = head_payload(stream, salt=salt, compactions=compactions, segments=len(pieces))
    return files | {"log": log_bytes(*frames, head=frame(b"H", generation, head))}


# --- disks ----------------------------------------------------------------------------------------


def disk_of(files: Mapping[str, bytes]) -> MemoryDisk:
    """A MemoryDisk that holds these files."""
    disk = MemoryDisk(seed=7)
    for name, data in files.items():
        disk.write(name, data)
    return disk


def files_of(disk: Disk) -> dict[str, bytes]:
    """All that is on a disk, but the file that a lock needs."""
    return {name: disk.read(name) for name in disk.names() if name != "lock"}


def survivor(disk: Disk) -> MemoryDisk:
    """What the death of the process leaves of `disk`, on a disk that nobody has locked."""
    return disk_of(files_of(disk))


Call = tuple[str, str]


@dataclass
class Fault:
    """A call that fails.

    `verb` and `name` choose the calls ("" stands for any; a name is chosen by its ending), `skip`
    of them succeed. Half of an append or write that fails may have been done, or all of it.
    """

    verb: str = ""
    name: str = ""
    skip: int = 0
    done: Literal["not", "half", "all"] = "not"
    error: type[BaseException] | None = None
    for_ever: bool = False
    strikes: int = 0

    def hits(self, verb: str, name: str) -> bool:
        if (self.verb not in ("", verb)) or not name.endswith(self.name):
            return False
        self.skip -= 1
        if self.skip >= 0 or (self.strikes and not self.for_ever):
            return False
        self.strikes += 1
        return True

    def strike(self) -> BaseException:
        if self.error is None:
            return OSError(errno.ENOSPC, "No space left on device")
        return self.error("struck")


class FaultyDisk:
    """A disk around another: it notes each call, and fails where `fault` says so."""

    def __init__(self, inner: Disk | None = None) -> None:
        self.inner: Disk = MemoryDisk() if inner is None else inner
        self.fault: Fault | None = None
        self.calls: list[Call] = []

    def _due(self, verb: str, name: str = "") -> Fault | None:
        self.calls.append((verb, name))
        return self.fault if self.fault and self.fault.hits(verb, name) else None

    def _do(self, verb: str, name: str, *arguments: str | bytes) -> None:
        fault = self._due(verb, name)
        data = arguments[-1] if arguments else None
        if fault is None or fault.done == "all":
            getattr(self.inner, verb)(name, *arguments)
        elif fault.done == "half" and isinstance(data, bytes):
            getattr(self.inner, verb)(name, data[: len(data) // 2])
        if fault is not None:
            raise fault.strike()

    def path(self, name: str) -> str:
        return self.inner.path(name)

    def names(self) -> list[str]:
        if fault := self._due("names"):
            raise fault.strike()
        return self.inner.names()

    def read(self, name: str) -> bytes:
        if fault := self._due("read", name):
            raise fault.strike()
        return self.inner.read(name)

    def write(self, name: str, data: bytes) -> None:
        self._do("write", name, data)

    def append(self, name: str, data: bytes) -> None:
        self._do("append", name, data)

    def sync(self, name: str) -> None:
        self._do("sync", name)

    def rename(self, name: str, target: str) -> None:
        self._do("rename", name, target)

    def delete(self, name: str) -> None:
        self._do("delete", name)

    def sync_directory(self) -> None:
        fault = self._due("sync_directory")
        if fault is None or fault.done == "all":
            self.inner.sync_directory()
        if fault is not None:
            raise fault.strike()

    def entropy(self, size: int) -> bytes:
        if fault := self._due("entropy"):
            raise fault.strike()
        return self.inner.entropy(size)

    def lock(self) -> AbstractContextManager[None]:
        return self.inner.lock()

    def syncs(self) -> int:
        """How often the log was synced."""
        return self.calls.count(("sync", "log"))


class ChangingDisk(MemoryDisk):
    """A disk on which somebody else writes: after each reading of the log comes `event`.

    It is given the disk, and how often the log has been read by then.
    """

    def __init__(
        self, files: Mapping[str, bytes], event: Callable[["ChangingDisk", int], None]
    ) -> None:
        super().__init__()
        self.reads, self._event = 0, event
        for name, data in files.items():
            self.write(name, data)

    def read(self, name: str) -> bytes:
        data = super().read(name)
        if name == "log":
            self.reads += 1
            self._event(self, self.reads)
        return data


# --- other processes ------------------------------------------------------------------------------


def python_command(code: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """How to run `code` in a process that finds kvlib where this one does, and its environment."""
    path = os.pathsep.join([os.path.dirname(os.path.dirname(kvlib.__file__)), *sys.path])
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    return command, os.environ | {"PYTHONPATH": path}


def run_python(code: str, *arguments: str) -> str:
    """What `code` prints in a process of its own, its arguments in sys.argv[1:]."""
    command, environment = python_command(code, *arguments)
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
