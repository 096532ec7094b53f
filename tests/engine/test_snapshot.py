"""Publish and load a snapshot: the files byte for byte, and the order of the barriers.

How each flaw of a snapshot is refused is in test_hostile.py.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvlib
from helpers.stores import changes_of
from helpers.vocabulary import (
    HEAD_END,
    HEAD_FIELDS,
    MAPPINGS,
    Call,
    Fault,
    FaultyDisk,
    Field,
    disk_of,
    every_flip,
    files_of,
    frame,
    head_fields,
    put,
    store_files,
)
from kvlib import CorruptionError, DirectoryDisk, Disk, MemoryDisk, VersionError, snapshot
from kvlib.crash import CrashDisk
from kvlib.snapshot import Head

ITEMS: dict[Field, Field] = {"café": b"menu", b"\0": "", "": "яя"}
OLD = store_files({"old": "1"}, size=20, salt=9)


def segment_name(generation: int = 1, index: int = 0) -> str:
    """Return the name of a segment's file."""
    return f"{generation:016x}.{index:08x}.segment"


def load(files: Mapping[str, bytes]) -> dict[Field, Field]:
    """Return the records in these files."""
    return dict(kvlib.open(disk_of(files), read_only=True))


def store_of(items: Mapping[Field, Field]) -> kvlib.Store:
    """Return a store in memory with these records."""
    store = kvlib.Store()
    store.update(items)
    return store


@pytest.mark.parametrize("sort", [MemoryDisk, CrashDisk, DirectoryDisk])
def test_a_file_renamed_to_its_own_name_stays(tmp_path: Path, sort: Callable[..., Disk]) -> None:
    """Renaming a file to its own name changes nothing, as in POSIX."""
    disk = sort(tmp_path) if sort is DirectoryDisk else sort()
    disk.write("log", b"1")
    disk.rename("log", "log")
    assert disk.names() == ["log"]
    disk.append("log", b"2")
    assert disk.read("log") == b"12"
    if isinstance(disk, CrashDisk):
        disk.sync("log")
        assert {image.get("log") for image in disk.images()} == {None, b"12"}
        disk.sync_directory()
        assert list(disk.images()) == [{"log": b"12"}]
    with pytest.raises(FileNotFoundError):
        disk.rename("missing", "missing")
    assert disk.names() == ["log"]


# --- the format -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [9, 20, 50, 2**20])
def test_a_published_snapshot_is_these_bytes(size: int) -> None:
    """Store writes the files that the format's description gives, and each segment loads alone."""
    disk = MemoryDisk(seed=3)
    salt = int.from_bytes(MemoryDisk(seed=3).entropy(4), "big")
    store_of(ITEMS).serialize(disk, max_segment_size=size)
    assert files_of(disk) == store_files(ITEMS, salt=salt, size=size)
    head, _ = snapshot.decode_head(disk.read("log"))
    pieces = [snapshot.load_segment(disk, head, index) for index in range(head.segments)]
    assert b"".join(pieces) == kvlib.encode_snapshot(ITEMS)
    with pytest.raises(CorruptionError, match="missing"):
        snapshot.load_segment(disk, head, head.segments)


def test_a_snapshot_written_out_byte_by_byte() -> None:
    """A snapshot of one record has the bytes worked out by hand."""
    stream = b"\x00\x00\x00\x01s\x00\x00\x00\x05caf\xc3\xa9b\x00\x00\x00\x04menu"
    sealed = b"\x00\x00\x00\x1f\x00\x00\x00\x00\x00\x00\x00\x01S"
    sealed += b"\x00\x00\x00\x00\x00\x00\x00\x01" + stream
    head = b"\x00\x00\x00\x18\x00\x00\x00\x00\x00\x00\x00\x01H"
    head += b"\x11\x22\x33\x44\x00\x00\x00\x00\x00\x00\x00\x01"
    head += b"\x00\x00\x00\x00\x00\x00\x00\x17" + crc32(stream).to_bytes(4, "big")
    preamble = b"kvlib\0\x00\x01"
    files = {
        "log": preamble + crc32(head).to_bytes(4, "big") + head,
        segment_name(): preamble + crc32(sealed).to_bytes(4, "big") + sealed,
    }
    assert len(files["log"]) == HEAD_END == 49
    assert load(files) == {"café": b"menu"}

    class Salty(MemoryDisk):
        def entropy(self, size: int) -> bytes:
            return b"\x11\x22\x33\x44"[:size]

    disk = Salty()
    store_of({"café": b"menu"}).serialize(disk)
    assert files_of(disk) == files


def test_a_sealed_segment_is_25_bytes_larger_than_the_bound() -> None:
    """`max_segment_size` bounds the bare segment, without preamble and frame header."""
    disk = MemoryDisk()
    store_of({"key": b"v" * 1000}).serialize(disk, max_segment_size=100)
    sizes = [len(data) for name, data in files_of(disk).items() if name != "log"]
    assert len(sizes) == 12  # 4 + 8 + 1005 bytes in pieces of 92
    assert set(sizes[:-1]) == {125}


@given(MAPPINGS, st.integers(9, 60))
def test_any_snapshot_comes_back(items: dict[Field, Field], size: int) -> None:
    """A store loads what another one saved, in any size of segments, and forgets its own."""
    other, disk = store_of({"gone": "after this"}), MemoryDisk()
    store_of(items).serialize(disk, max_segment_size=size)
    other.deserialize(disk)
    assert list(other.items()) == list(items.items())


def test_a_head_comes_back() -> None:
    """Each field of a head has its place, at its smallest and its largest."""
    for head in (
        Head(0, 0, 0, 0, 0, 0),
        Head(1, 2, 3, 4, 5, 6),
        Head(2**63, 2**32 - 1, 2**32 - 1, 2**32 - 1, 2**64 - 1, 2**32 - 1),
    ):
        data = snapshot.encode_head(head)
        assert snapshot.decode_head(data + b"rest") == (head, HEAD_END)
    fields = {name: number for number, name in enumerate(HEAD_FIELDS, start=2)}
    assert head_fields(snapshot.encode_head(Head(1, **fields))) == fields


# --- publishing -----------------------------------------------------------------------------------


def test_the_barriers_are_in_order() -> None:
    """Old names; segments and log.new, each synced; names; rename; names; deletions."""
    disk = FaultyDisk(disk_of(OLD))
    store_of({"k": "v"}).serialize(disk, max_segment_size=20)  # 16 bytes in pieces of 12
    assert changes_of(disk) == [
        ("sync_directory", ""),
        ("write", segment_name(2, 0)),
        ("sync", segment_name(2, 0)),
        ("write", segment_name(2, 1)),
        ("sync", segment_name(2, 1)),
        ("write", "log.new"),
        ("sync", "log.new"),
        ("sync_directory", ""),
        ("rename", "log.new"),
        ("sync_directory", ""),
        ("delete", segment_name(1, 0)),
        ("delete", segment_name(1, 1)),
    ]
    assert disk.names() == [segment_name(2, 0), segment_name(2, 1), "log"]


def barrier_calls() -> list[Call]:
    """Return the calls of one publication that count as steps 1 to 5."""
    disk = FaultyDisk(disk_of(OLD))
    kvlib.Store().serialize(disk)
    changes = changes_of(disk)
    return changes[: changes.index(("rename", "log.new")) + 2]


@pytest.mark.parametrize("step", range(len(barrier_calls())))
@pytest.mark.parametrize("done", ["not", "all"])
def test_a_failed_step_leaves_the_old_snapshot_or_the_new(
    step: int, done: Literal["not", "all"]
) -> None:
    """The rename decides which one is read; the error is the disk's, and a retry succeeds."""
    calls = barrier_calls()
    verb, name = calls[step]
    disk = FaultyDisk(disk_of(OLD))
    disk.fault = Fault(verb, name, calls[:step].count(calls[step]), done)
    store = store_of({"new": "2"})
    with pytest.raises(OSError, match="No space"):
        store.serialize(disk)
    renamed = step > calls.index(("rename", "log.new")) or (verb == "rename" and done == "all")
    assert load(files_of(disk)) == ({"new": "2"} if renamed else {"old": "1"})
    disk.fault = None
    store.serialize(disk)
    assert load(files_of(disk)) == {"new": "2"}
    assert len(disk.names()) == 2


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        (Fault("delete", for_ever=True), [0, 1]),
        (Fault("delete", segment_name(1, 0)), [0]),
        (Fault("names", skip=1, for_ever=True), [0, 1]),
    ],
)
def test_deletions_are_best_effort(fault: Fault, left: list[int]) -> None:
    """A segment that can't be deleted, or names that can't be listed, fail no publication."""
    disk = FaultyDisk(disk_of(OLD))
    disk.fault = fault
    store_of({"new": "2"}).serialize(disk)
    assert fault.strikes
    disk.fault = None
    assert load(files_of(disk)) == {"new": "2"}
    assert [name for name in disk.names() if name in OLD and name != "log"] == [
        segment_name(1, index) for index in left
    ]


def test_leftovers_of_any_generation_are_deleted() -> None:
    """Segments of earlier failures are deleted; files of other names stay."""
    mine = [
        "notes.txt",
        "1.2.segment",
        segment_name() + ".bak",
        "000000000000000G.00000000.segment",
    ]
    leftovers = [segment_name(7, 3), segment_name(2**63, 0), "log.new"]
    disk = disk_of(OLD | dict.fromkeys(mine, b"mine") | dict.fromkeys(leftovers, b"leftover"))
    kvlib.Store().serialize(disk)
    assert disk.names() == sorted([segment_name(2), "log", *mine])
    assert {disk.read(name) for name in mine} == {b"mine"}


def test_leftovers_are_not_loaded() -> None:
    """Only the segments that the head names are read."""
    files = store_files({"x": "y" * 50}, generation=6, size=20)
    files |= store_files(ITEMS, generation=5, size=20)
    files |= {segment_name(5, 99): b"beyond the total", "log.new": b"half a he"}
    assert load(files) == ITEMS


def test_every_flipped_bit_of_a_closed_store_is_detected() -> None:
    """A flipped bit in any file is an error, unless it changes no record."""
    frames = frame(b"M", 2, put("a", "b"), 9), frame(b"C", 3, b"", 9)
    files = store_files({"k": "v", b"k": b"w"}, *frames, salt=9, size=24)
    expected = {"k": "v", b"k": b"w", "a": "b"}
    assert load(files) == expected
    harmless = 0
    for name, data in files.items():
        for bit, spoilt in enumerate(every_flip(data)):
            try:
                assert load({**files, name: spoilt}) == expected
                harmless += 1
            except VersionError:
                assert 6 * 8 <= bit < 8 * 8
            except CorruptionError as error:
                assert error.path in (name, "log")
    assert harmless == 17 * 8  # the close frame: without it the store reads as one not closed


def test_a_store_that_cannot_load_keeps_its_records() -> None:
    """A missing or damaged place is an error before memory changes."""
    store = store_of({"mine": "kept"})
    for disk, error in (
        (disk_of(OLD | {"log": OLD["log"][:-1]}), CorruptionError),
        (MemoryDisk(), kvlib.MissingError),
    ):
        with pytest.raises(error):
            store.deserialize(disk)
    assert dict(store) == {"mine": "kept"}
