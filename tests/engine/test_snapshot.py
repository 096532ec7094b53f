"""Publish and load: the files byte for byte, the order of the barriers, and every flaw refused."""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvlib
from helpers.vocabulary import (
    HEAD_END,
    MAPPINGS,
    PREAMBLE,
    Call,
    Fault,
    FaultyDisk,
    Field,
    disk_of,
    every_cut,
    every_flip,
    files_of,
    flip_bit,
    frame,
    put,
    store_files,
)
from kvlib import CorruptionError, DirectoryDisk, Disk, MemoryDisk, VersionError, snapshot
from kvlib.crash import CrashDisk
from kvlib.snapshot import Head

Files = dict[str, bytes]
ITEMS: dict[Field, Field] = {"café": b"menu", b"\0": "", "": "яя"}


def first_segment(generation: int = 1, index: int = 0) -> str:
    """The name of a segment's file."""
    return f"{generation:016x}.{index:08x}.segment"


def load(files: Mapping[str, bytes]) -> dict[Field, Field]:
    """What opening these files for reading gives."""
    return dict(kvlib.open(disk_of(files), read_only=True))


def refused(files: Mapping[str, bytes]) -> CorruptionError:
    """The error with which these files are refused, reading and writing, and left as they are."""
    with pytest.raises(CorruptionError) as reading:
        kvlib.open(disk_of(files), read_only=True)
    disk = disk_of(files)
    with pytest.raises(CorruptionError) as writing:
        kvlib.open(disk)
    assert files_of(disk) == files
    assert str(reading.value) == str(writing.value)
    return writing.value


# --- the disk ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", [MemoryDisk, CrashDisk, DirectoryDisk])
def test_a_file_renamed_to_its_own_name_stays(tmp_path: Path, sort: Callable[..., Disk]) -> None:
    """What publishes a snapshot deletes nothing else: every disk agrees with POSIX on that."""
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
    """The files that Store writes are the ones made by hand from the format's description."""
    store = kvlib.Store()
    store.update(ITEMS)
    disk = MemoryDisk(seed=3)
    salt = int.from_bytes(MemoryDisk(seed=3).entropy(4), "big")
    store.serialize(disk, max_segment_size=size)
    assert files_of(disk) == store_files(ITEMS, salt=salt, size=size)


@pytest.mark.parametrize("size", [9, 20, 2**20])
def test_the_segments_of_a_snapshot_joined_are_its_stream(size: int) -> None:
    """Each can be loaded alone, by the head; one that the head does not number is missing."""
    files = store_files(ITEMS, size=size)
    head, _ = snapshot.decode_head(files["log"])
    pieces = [snapshot.load_segment(disk_of(files), head, at) for at in range(head.segments)]
    assert b"".join(pieces) == kvlib.encode_snapshot(ITEMS)
    with pytest.raises(CorruptionError, match="is missing"):
        snapshot.load_segment(disk_of(files), head, head.segments)


def test_a_snapshot_written_out_byte_by_byte() -> None:
    """One record, one segment, no help from any function but crc32."""
    stream = b"\x00\x00\x00\x01s\x00\x00\x00\x05caf\xc3\xa9b\x00\x00\x00\x04menu"
    sealed = b"\x00\x00\x00\x1f\x00\x00\x00\x00\x00\x00\x00\x01S"
    sealed += b"\x00\x00\x00\x00\x00\x00\x00\x01" + stream
    head = b"\x00\x00\x00\x18\x00\x00\x00\x00\x00\x00\x00\x01H"
    head += b"\x11\x22\x33\x44\x00\x00\x00\x00\x00\x00\x00\x01"
    head += b"\x00\x00\x00\x00\x00\x00\x00\x17" + crc32(stream).to_bytes(4, "big")
    files = {
        "log": b"kvlib\0\x00\x01" + crc32(head).to_bytes(4, "big") + head,
        "0000000000000001.00000000.segment": b"kvlib\0\x00\x01"
        + crc32(sealed).to_bytes(4, "big")
        + sealed,
    }
    assert len(files["log"]) == HEAD_END == 49
    assert len(files["0000000000000001.00000000.segment"]) == 8 + 17 + 8 + 23
    assert load(files) == {"café": b"menu"}

    class Salty(MemoryDisk):
        def entropy(self, size: int) -> bytes:
            return b"\x11\x22\x33\x44"[:size]

    disk = Salty()
    store = kvlib.Store()
    store["café"] = b"menu"
    store.serialize(disk)
    assert files_of(disk) == files


def test_a_sealed_segment_is_25_bytes_more_than_the_bound() -> None:
    """`max_segment_size` bounds the bare segment; its file has preamble and frame header too."""
    store, disk = kvlib.Store(), MemoryDisk()
    store["key"] = b"v" * 1000
    store.serialize(disk, max_segment_size=100)
    sizes = [len(data) for name, data in files_of(disk).items() if name.endswith(".segment")]
    assert len(sizes) == 12  # 4 + 8 + 1005 bytes in pieces of 92
    assert set(sizes[:-1]) == {125}


@given(MAPPINGS, st.integers(9, 60))
def test_any_snapshot_comes_back(items: dict[Field, Field], size: int) -> None:
    """Whatever a Store holds, and whatever the size of its segments."""
    store, other, disk = kvlib.Store(), kvlib.Store(), MemoryDisk()
    store.update(items)
    store.serialize(disk, max_segment_size=size)
    other["gone"] = "after this"
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
    assert snapshot.encode_head(Head(1, 2, 3, 4, 5, 6))[25:] == struct.pack(">IIIQI", 2, 3, 4, 5, 6)


# --- publishing -----------------------------------------------------------------------------------


def test_the_barriers_stand_in_their_order() -> None:
    """The old names safe; segments and log.new, each synced; names; rename; names; deletions."""
    disk = FaultyDisk(disk_of(store_files({"old": "1"}, size=20, salt=9)))
    store = kvlib.Store()
    store["k"] = "v"  # 4 + 6 + 6 bytes: two pieces of 12
    store.serialize(disk, max_segment_size=20)
    changes = [call for call in disk.calls if call[0] not in ("read", "names", "entropy")]
    assert changes == [
        ("sync_directory", ""),
        ("write", first_segment(2, 0)),
        ("sync", first_segment(2, 0)),
        ("write", first_segment(2, 1)),
        ("sync", first_segment(2, 1)),
        ("write", "log.new"),
        ("sync", "log.new"),
        ("sync_directory", ""),
        ("rename", "log.new"),
        ("sync_directory", ""),
        ("delete", first_segment(1, 0)),
        ("delete", first_segment(1, 1)),
    ]
    assert disk.names() == [first_segment(2, 0), first_segment(2, 1), "log"]


def barrier_calls() -> list[Call]:
    """The calls of one publication that count as steps 1 to 5."""
    disk = FaultyDisk(disk_of(store_files({"old": "1"})))
    kvlib.Store().serialize(disk)
    changes = [call for call in disk.calls if call[0] not in ("read", "names", "entropy")]
    return changes[: changes.index(("rename", "log.new")) + 2]


@pytest.mark.parametrize("step", range(len(barrier_calls())))
@pytest.mark.parametrize("done", ["not", "all"])
def test_a_failed_step_leaves_the_old_snapshot_or_the_new(step: int, done: str) -> None:
    """Before the rename the old one is read, after it the new one, and the error is the disk's."""
    calls = barrier_calls()
    verb, name = calls[step]
    skip = calls[:step].count(calls[step])
    disk = FaultyDisk(disk_of(store_files({"old": "1"}, size=20)))
    disk.fault = Fault(verb, name, skip, "all" if done == "all" else "not")
    store = kvlib.Store()
    store["new"] = "2"
    with pytest.raises(OSError, match="No space"):
        store.serialize(disk)
    renamed = step > calls.index(("rename", "log.new")) or (verb == "rename" and done == "all")
    expected = {"new": "2"} if renamed else {"old": "1"}
    assert dict(kvlib.open(disk, read_only=True)) == expected
    disk.fault = None
    store.serialize(disk)
    assert dict(kvlib.open(disk, read_only=True)) == {"new": "2"}
    assert len(disk.names()) == 2


def test_deletions_are_best_effort() -> None:
    """A segment that can't be deleted, or names that can't be listed, fail no publication."""
    files = store_files({"old": "1"}, size=20)
    for fault in (
        Fault("delete", for_ever=True),
        Fault("delete", first_segment(1, 0)),
        Fault("names", skip=1, for_ever=True),
    ):
        disk = FaultyDisk(disk_of(files))
        disk.fault = fault
        store = kvlib.Store()
        store["new"] = "2"
        store.serialize(disk)
        assert fault.strikes
        disk.fault = None
        assert dict(kvlib.open(disk, read_only=True)) == {"new": "2"}
        left = [name for name in disk.names() if name in files and name != "log"]
        assert (
            left
            == [
                name
                for name in sorted(files)
                if name != "log" and (fault.for_ever or name[20] == "0")
            ][: 2 if fault.for_ever else 1]
        )


def test_leftovers_of_any_generation_are_deleted() -> None:
    """What earlier failures left behind goes; files of other names stay."""
    files = store_files({"old": "1"}) | {
        first_segment(7, 3): b"leftover",
        first_segment(2**63, 0): b"leftover",
        "log.new": b"leftover",
        "notes.txt": b"mine",
        "1.2.segment": b"mine",
        first_segment(1) + ".bak": b"mine",
        "000000000000000G.00000000.segment": b"mine",
    }
    disk = disk_of(files)
    kvlib.Store().serialize(disk)
    assert disk.names() == sorted(
        [
            first_segment(2),
            "log",
            "notes.txt",
            "1.2.segment",
            first_segment(1) + ".bak",
            "000000000000000G.00000000.segment",
        ]
    )
    assert disk.read("notes.txt") == b"mine"


def test_leftovers_of_other_generations_do_not_disturb_loading() -> None:
    """Exactly the segments that the head names are read."""
    files = store_files(ITEMS, generation=5, size=20)
    for name, data in store_files({"x": "y" * 50}, generation=6, size=20).items():
        files.setdefault(name, data)
    files |= {first_segment(5, 99): b"beyond the total", "log.new": b"half a he"}
    assert load(files) == ITEMS


# --- every flaw is refused ------------------------------------------------------------------------


def test_every_flipped_bit_of_a_closed_store_is_detected() -> None:
    """All bits of all files: damage is an error, or changes nothing that is read."""
    files = store_files({"k": "v", b"k": b"w"}, frame(b"M", 2, put("a", "b"), 9), salt=9, size=24)
    files["log"] += frame(b"C", 3, b"", 9)
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
    assert harmless == 17 * 8  # the close frame itself: then the store reads as one not closed


def test_every_cut_of_a_segment_is_refused() -> None:
    """A segment that lost its end is damage: it was synced before the rename."""
    files = store_files(ITEMS)
    for cut in every_cut(files[first_segment()]):
        error = refused({**files, first_segment(): cut})
        assert error.path == first_segment()
        assert error.offset <= len(cut) + 4


def test_every_cut_of_a_head_is_refused() -> None:
    """The head is no torn tail: it was synced before the rename."""
    files = store_files(ITEMS)
    for cut in every_cut(files["log"]):
        assert refused({**files, "log": cut}).path == "log"


@pytest.mark.parametrize("index", [0, 1, 5])
def test_a_missing_segment_is_refused(index: int) -> None:
    """The message names the file and which of how many it is."""
    files = store_files(ITEMS, size=16)
    total = len(files) - 1
    assert total == 6  # 4 + 10 + 9 + 6 + 5 + 5 + 9 bytes in eights
    del files[first_segment(1, index)]
    error = refused(files)
    assert (error.path, error.offset) == (first_segment(1, index), 0)
    assert error.reason == f"segment {index} of 6 is missing"


def test_segments_that_changed_places_are_refused() -> None:
    """A segment's own index must be that of its name."""
    files = store_files(ITEMS, size=16)
    one, two = first_segment(1, 0), first_segment(1, 1)
    files[one], files[two] = files[two], files[one]
    error = refused(files)
    assert error.path == one
    assert error.offset == 25


def test_a_segment_of_another_generation_is_refused() -> None:
    """Its sequence says which snapshot it belongs to."""
    files = store_files(ITEMS, generation=2)
    other = store_files(ITEMS, generation=1)
    error = refused({**files, first_segment(2): other[first_segment(1)]})
    assert (error.path, error.offset) == (first_segment(2), 8 + 8)
    assert "generation 1" in error.reason


def test_a_segment_of_another_total_is_refused() -> None:
    """The bare header must agree with the head."""
    files = store_files(ITEMS, size=16)
    other = store_files(ITEMS, size=30)
    error = refused({**files, first_segment(): other[first_segment()]})
    assert (error.path, error.offset) == (first_segment(), 25)


@pytest.mark.parametrize(
    "bare", [b"", b"\0" * 7, struct.pack(">II", 0, 0), struct.pack(">II", 1, 1)], ids=repr
)
def test_a_segment_whose_bare_header_is_none_is_refused(bare: bytes) -> None:
    """The offset is that of the bare header in the file: behind preamble and frame header."""
    files = store_files({})
    error = refused({**files, first_segment(): PREAMBLE + frame(b"S", 1, bare)})
    assert (error.path, error.offset) == (first_segment(), 25)


def test_bytes_behind_a_segment_are_refused() -> None:
    """A file holds one frame and nothing else."""
    files = store_files(ITEMS)
    end = len(files[first_segment()])
    for rest in (b"\0", files[first_segment()][8:]):
        error = refused({**files, first_segment(): files[first_segment()] + rest})
        assert (error.path, error.offset) == (first_segment(), end)


@pytest.mark.parametrize("kind", [b"H", b"C", b"M"])
def test_a_segment_of_another_kind_is_refused(kind: bytes) -> None:
    """Kind is the 17th byte of the frame's header."""
    files = store_files({})
    bare = struct.pack(">II", 0, 1) + bytes(4)
    error = refused({**files, first_segment(): PREAMBLE + frame(kind, 1, bare)})
    assert (error.path, error.offset) == (first_segment(), 8 + 16)
    assert "kind" in error.reason


@pytest.mark.parametrize("kind", [b"S", b"C", b"M"])
def test_a_head_of_another_kind_is_refused(kind: bytes) -> None:
    """A log begins with a head."""
    files = store_files({})
    error = refused({**files, "log": PREAMBLE + frame(kind, 1, files["log"][25:])})
    assert (error.path, error.offset) == ("log", 8 + 16)


@pytest.mark.parametrize("length", [0, 23, 25])
def test_a_head_of_another_length_is_refused(length: int) -> None:
    """A head's payload has 24 bytes."""
    files = store_files({})
    error = refused({**files, "log": PREAMBLE + frame(b"H", 1, bytes(length))})
    assert (error.path, error.offset) == ("log", 8 + 4)
    assert f"{length} bytes" in error.reason


def head_with(files: Files, **changes: int) -> Files:
    """The same files with a head that says something else."""
    names = ("salt", "compactions", "segments", "length", "crc")
    values = dict(zip(names, struct.unpack(">IIIQI", files["log"][25:49]), strict=True)) | changes
    head = frame(b"H", 1, struct.pack(">IIIQI", *(values[name] for name in names)))
    return {**files, "log": PREAMBLE + head + files["log"][49:]}


@pytest.mark.parametrize("changes", [{"length": 5}, {"crc": 5}, {"length": 2**64 - 1}])
def test_a_stream_that_is_not_the_heads_is_refused(changes: dict[str, int]) -> None:
    """Segments that are whole, and of this generation, but not the stream that was sealed."""
    error = refused(head_with(store_files(ITEMS), **changes))
    assert error.path == "log"
    assert error.offset == 25 + 12


@pytest.mark.parametrize("segments", [0, 1, 5, 7, 2**32 - 1])
def test_a_head_with_another_count_of_segments_is_refused(segments: int) -> None:
    """Each segment says how many there are, so one that is not named is missed at once."""
    refused(head_with(store_files(ITEMS, size=16), segments=segments))


def test_a_stream_that_is_no_snapshot_is_refused() -> None:
    """Sealed with good checksums by something that is no kvlib."""
    for stream in (b"", b"\0\0\0\1", b"\0\0\0\0?"):
        bare = struct.pack(">II", 0, 1) + stream
        files = head_with(store_files({}), length=len(stream), crc=crc32(stream))
        error = refused({**files, first_segment(): PREAMBLE + frame(b"S", 1, bare)})
        assert error.path == "the stream of generation 1"


def test_another_magic_is_refused() -> None:
    """A file that kvlib did not write is not read by guessing."""
    files = store_files(ITEMS)
    for name in files:
        error = refused({**files, name: b"sqlite" + files[name][6:]})
        assert (error.path, error.offset) == (name, 0)
        assert "magic" in error.reason


def test_a_newer_version_is_not_damage() -> None:
    """Newer files are refused as such, are named, and are left as they are."""
    files = store_files(ITEMS)
    for name in files:
        newer = {**files, name: b"kvlib\0\x00\x02" + files[name][8:]}
        for read_only in (False, True):
            disk = disk_of(newer)
            with pytest.raises(VersionError, match=f"^{name}: .*version 2"):
                kvlib.open(disk, read_only=read_only)
            assert files_of(disk) == newer


def test_a_flipped_bit_is_refused_before_the_store_changes() -> None:
    """A Store that can't load keeps what it has."""
    files = store_files(ITEMS)
    store = kvlib.Store()
    store["mine"] = "kept"
    with pytest.raises(CorruptionError):
        store.deserialize(disk_of({**files, "log": flip_bit(files["log"], 300)}))
    assert dict(store) == {"mine": "kept"}
