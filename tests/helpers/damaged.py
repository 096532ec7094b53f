"""A known store for the tests of salvage to damage, and what must be saved from it."""

import struct
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

import kvlib
from helpers.crashes import after
from helpers.stores import Items
from helpers.vocabulary import Field, delete, disk_of, files_of, frame, put, store_files
from kvlib import Disk, MemoryDisk
from kvlib.salvage import Salvage, salvage

Files = Mapping[str, bytes]

SALT, GENERATION = 0xA1B2C3D4, 3
SIZE = 40  # of a segment in bytes: the snapshot has three
NAMES = [f"{GENERATION:016x}.{index:08x}.segment" for index in range(3)]
# The records of the snapshot, and the mutations of the log.
OLD: Items = {"alpha": "1", b"beta": b"\0\1", "gamma": "three", "delta": ""}
HISTORY: list[tuple[Field, Field | None]] = [
    ("alpha", "one"),
    ("epsilon", b"5"),
    (b"beta", None),
    ("gamma", "3"),
    ("epsilon", "five"),
    ("zeta", "6"),
]


def log_frame(number: int, payload: bytes, kind: bytes = b"M") -> bytes:
    """Return the frame that is number `number` in the log; the first one is number 1."""
    return frame(kind, GENERATION + number, payload, SALT)


FRAMES = [
    log_frame(number, delete(key) if value is None else put(key, value))
    for number, (key, value) in enumerate(HISTORY, 1)
]
CLOSE = log_frame(len(FRAMES) + 1, b"", b"C")


def a_store(*frames: bytes, items: Items = OLD, size: int = SIZE) -> dict[str, bytes]:
    """Return the files of a store with these log frames, by default FRAMES and CLOSE."""
    frames = frames or (*FRAMES, CLOSE)
    return store_files(items, *frames, generation=GENERATION, salt=SALT, size=size)


def without(files: Files, *names: str) -> dict[str, bytes]:
    """Return the files except those with these names."""
    return {name: data for name, data in files.items() if name not in names}


def replayed(snapshot: Items, *left_out: int) -> Items:
    """Return the records after HISTORY, without the mutations that have these indexes."""
    changes = [change for index, change in enumerate(HISTORY) if index not in left_out]
    return after(dict(snapshot), changes)


def before_segment(index: int) -> Items:
    """Return the records of OLD that end before this segment."""
    items, end = {}, 4
    for key, value in OLD.items():
        end += len(put(key, value)) - 1
        if end <= index * (SIZE - 8):
            items[key] = value
    return items


def saved_from(source: Disk | Path) -> tuple[Salvage, Items]:
    """Salvage a store, and return the result with the records of the new store."""
    new = MemoryDisk()
    result = salvage(source, new)
    if not result.stored:
        assert new.names() == []
        return result, {}
    with kvlib.open(new) as store:
        assert len(store) == result.records
        return result, dict(store)


def saved(files: Files) -> tuple[Salvage, Items]:
    """Salvage a store with these files, and check that they are only read."""
    source = disk_of(files)
    answer = saved_from(source)
    assert files_of(source) == files
    return answer


def lures(pieces: list[bytes], sequence: int, kind: bytes) -> bytes:
    """Return the pieces, each after a frame header that claims the rest of the data."""
    header = struct.Struct(">IIQc")
    parts, size = list[bytes](), 0
    for piece in reversed(pieces):
        size += len(piece)
        parts += [piece, header.pack(1, size, sequence, kind)]
        size += header.size
    return b"".join(reversed(parts))


def count_work(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> list[int]:
    """Return a list to which each checksum that `module` computes adds its number of bytes."""
    work: list[int] = []

    def unseal(data: bytes, offset: int = 0, salt: int = 0) -> kvlib.frame.Frame:
        length = int.from_bytes(data[offset + 4 : offset + 8], "big")
        work.append(length if offset + length <= len(data) else 0)
        return kvlib.unseal(data, offset, salt)

    monkeypatch.setattr(module, "unseal", unseal)
    return work
