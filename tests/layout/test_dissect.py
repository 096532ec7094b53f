"""The layouts of a store's files, and the guess at a format."""

import random
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

import kvlib
from helpers.layouts import checked_leaves
from helpers.vocabulary import AWKWARD, Fault, FaultyDisk, disk_of, every_flip, files_of
from kvlib import DirectoryDisk, MemoryDisk, encoding, frame, log, recovery, segments, snapshot
from kvlib.crash import CrashDisk
from kvlib.errors import FormatError
from kvlib.layout.dissect import (
    Layout,
    dissect,
    dissect_directory,
    guess,
    walk_directory,
)
from tools.fuzz.accidents import spoil
from tools.fuzz.inputs import mend, mend_files

# ------------------------------------------------------------------------------------- the format


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "unknown"),
        (b"kvl", "log"),
        (snapshot.encode_head(snapshot.Head(1, 2, 0, 1, 4, 0)), "log"),
        (frame.PREAMBLE + frame.seal(b"S", 1, segments.split(b"", 9)[0]), "sealed"),
        (frame.seal(b"M", 1, log.encode_delete("k")), "frame"),
        (encoding.encode_field("k"), "field"),
        (encoding.encode_field("k")[:-1], "field"),
        (encoding.encode_field("k") + encoding.encode_field(b"v"), "record"),
        (log.encode_delete("k"), "mutations"),
        (log.encode_put("k", b"v")[:-1], "mutations"),
        (encoding.encode_snapshot({}), "snapshot"),
        (encoding.encode_snapshot({"a": b"1"}), "snapshot"),
        (encoding.encode_snapshot({"a": b"1"})[:-1], "snapshot"),
        (segments.split(encoding.encode_snapshot({"a": "b"}), 9)[3], "segment"),
        (b"# Any other text", "unknown"),
        (b"\xff" * 20, "unknown"),
    ],
)
def test_the_format_is_guessed(data: bytes, name: str) -> None:
    """The guess recognizes each format, even without its end."""
    assert guess(data) == name
    assert dissect(data) == dissect(data, format=name)


def test_an_unknown_format_is_refused() -> None:
    """An unknown format is a ValueError that lists the formats."""
    with pytest.raises(ValueError, match="'tar' is not one of field, record, "):
        dissect(b"", format="tar")


# ---------------------------------------------------------------------------------- whole stores


def closed_store(size: int = 20) -> MemoryDisk:
    """Return a store with a snapshot in segments of `size`, and a log."""
    disk = MemoryDisk()
    with kvlib.open(disk, max_segment_size=size) as store:
        store.update({"café": b"coffee", "": "", b"b": "x" * 9})
        store.compact()
        store.update({"new": b"1", b"b": "2"})
        store.delete("")
    return disk


def by_name(disk: kvlib.Disk) -> dict[str, Layout]:
    """Return the layouts of a store's files, with their shape checked."""
    found = {file.source: file for file in dissect_directory(disk)}
    for file in found.values():
        checked_leaves(file)
    return found


@pytest.mark.parametrize("size", [*range(9, 40), 2**20])
def test_every_byte_of_a_store_has_a_label(size: int) -> None:
    """A record that spans segments is labelled in each, and its value is where it ends."""
    disk = closed_store(size)
    found = by_name(disk)
    assert [*found] == disk.names()
    assert {file.stopped_at for file in found.values()} == {None}
    everything = [leaf for file in found.values() for leaf in file.root.leaves()]
    assert not [leaf for leaf in everything if leaf.kind == "gap" or leaf.status != "ok"]
    del found["log"]
    shown = [
        leaf.value
        for file in found.values()
        for leaf in file.root.leaves()
        if leaf.kind in ("key", "value") and leaf.value is not None
    ]
    assert shown == ["café", b"coffee", "", "", b"b", "x" * 9]


def test_every_byte_has_a_label_at_every_moment() -> None:
    """Every byte has a label at each event on a disk, for all kinds of frames."""
    kinds: set[object] = set()

    def look() -> None:
        for file in dissect_directory(disk):
            for leaf in file.root.leaves():
                assert leaf.status == "ok"
                assert leaf.kind != "gap"
                kinds.update([leaf.value] if leaf.name.endswith(".kind") else [])

    disk = CrashDisk(on_event=look)
    for sync in (1, 3):
        with kvlib.open(disk, max_segment_size=60, sync=sync, threshold=15) as store:
            for number, (key, value) in enumerate(product(AWKWARD, AWKWARD[:2])):
                store[key] = value * number
            with store.batch():
                store.delete("café")
                store.update({"a": b"1", b"a": "2"})
            assert store.status().compactions > 0
    assert kinds == {b"H", b"S", b"M", b"m", b"C"}


def test_the_pieces_of_a_file_can_be_skipped() -> None:
    """A segment has the same pieces if those of the segments before it were not read."""
    disk = closed_store()
    *_, (name, _, pieces), _ = walk_directory(disk)
    assert [*pieces] == [*by_name(disk)[name].root.children]


def test_each_file_of_a_store_has_a_layout(tmp_path: Path) -> None:
    """The lock and foreign names are left out; a directory with a store's name is a flaw."""
    place = tmp_path / "store"
    with kvlib.open(place, max_segment_size=20) as store:
        store["café"] = "2,50 €"
        store.compact()
    (place / "log.new").mkdir()
    (place / "notes").mkdir()
    disk = DirectoryDisk(place)
    found = by_name(disk)
    assert {*disk.names()} - {*found} == {"lock", "notes"}
    assert disk.read("lock") == b""
    assert (found["log.new"].stopped_at, found["log.new"].data) == (0, b"")
    assert "not a regular file" in str(found["log.new"].reason)


def test_a_file_that_cannot_be_read_is_a_flaw() -> None:
    """A file that can't be read has an empty layout, with the system's reason."""
    disk = FaultyDisk()
    disk.write("log", b"")
    disk.fault = Fault("read", "log")
    assert by_name(disk)["log"].reason == "can't be read: No space left on device"


# ------------------------------------------------------------------------------------ their flaws


def stop_of(disk: MemoryDisk) -> Layout | None:
    """Return the bad layout, if any; check that it is the only one, and has recovery's error."""
    bad = [file for file in by_name(disk).values() if file.root.status == "bad"]
    try:
        recovery.recover_without_lock(disk)
    except FormatError as error:
        (file,) = bad
        assert (file.source, file.stopped_at, file.reason) == (
            error.path,
            error.offset,
            error.reason,
        )
        return file
    assert not bad
    return None


@pytest.mark.parametrize("size", [20, 2**20])
def test_damage_is_shown_where_recovery_stops(size: int) -> None:
    """Damage that recovery rejects is shown in one file; what it tolerates is not damage."""
    disk, chance = closed_store(size), random.Random(size)
    refused = []
    for name in disk.names():
        data = disk.read(name)
        disk.delete(name)
        refused.append(stop_of(disk) is not None)
        accidents = [spoil(data, [data], chance) for _ in range(60)]
        for damaged in [*accidents, *chance.sample([*every_flip(data)], 60)]:
            disk.write(name, damaged)
            refused.append(stop_of(disk) is not None)
        disk.write(name, data)
    assert len(refused) / 3 < sum(refused) < len(refused)


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """Return a segment's file with other bytes at one place, and the right checksum."""
    return mend(data[:at] + new + data[at + len(new) :])


FIRST = snapshot.segment_name(3, 0)


@pytest.mark.parametrize(
    ("damage", "source", "bad", "reason"),
    [
        (lambda first, _: None, FIRST, "missing", "is missing"),
        (lambda _, second: second, FIRST, "segment.index", "not segment 0"),
        (lambda first, _: patched(first, 23, b"c"), FIRST, "frame.sequence", "generation 99"),
        (lambda first, _: patched(first, 28, b"\7"), FIRST, "segment.index", "not segment 0"),
        (lambda first, _: patched(first, 44, b"?"), "log", "head.stream_length", "not the stream"),
    ],
    ids=["missing", "another segment", "another generation", "no such index", "another snapshot"],
)
def test_a_segment_that_the_head_does_not_name_is_a_flaw(
    damage: Callable[[bytes, bytes], bytes | None], source: str, bad: str, reason: str
) -> None:
    """The store's error is shown where recovery reports it, even if each file is whole."""
    disk = closed_store()
    segment = damage(disk.read(FIRST), disk.read(snapshot.segment_name(3, 1)))
    disk.delete(FIRST) if segment is None else disk.write(FIRST, segment)
    file = stop_of(disk)
    assert file
    assert (file.source, file.reason and reason in file.reason) == (source, True)
    assert [leaf.name for leaf in file.root.leaves() if leaf.status == "bad"] == [bad]


def test_a_flaw_of_the_stream_is_in_no_file() -> None:
    """If the stream is wrong, but every checksum is right, all files are drawn as they are."""
    files = files_of(closed_store())
    files[FIRST] = patched(files[FIRST], 36, b"\x09")  # nine records
    disk = disk_of(mend_files(files))
    with pytest.raises(FormatError, match="the stream of generation 3"):
        recovery.recover(disk)
    assert {file.root.status for file in by_name(disk).values()} == {"ok"}
