"""Format version 1: bytes written once, which every later kvlib has to read.

These goldens are never rewritten. If a test fails here, the format has changed: that needs a new
version, a new folder of goldens, and a line under "Format" in the changelog.
"""

from itertools import permutations
from pathlib import Path

import pytest

import kvlib
from helpers.paths import GOLDENS, ROOT
from helpers.vocabulary import disk_of, files_of, survivor
from kvlib import MemoryDisk, Recovery, frame
from kvlib.layout.dissect import dissect_directory

pytestmark = pytest.mark.untraced

FORMAT_1 = GOLDENS / "format1"

Records = dict[str | bytes, str | bytes]

SNAPSHOT: Records = {
    "café": b"2,50 \xe2\x82\xac",
    "": b"",
    b"": "",
    "\N{GRINNING FACE}": "two words\r\n",
    b"kvlib\0": b"\0\xff" * 20,
}
CLOSED: Records = {
    "café": "3 €",
    "": b"",
    b"": "",
    b"kvlib\0": b"\0\xff" * 20,
    "1": b"1",
    b"1": "1",
    "ключ": "значение",
}
UNCLOSED: Records = {"b": "2", b"c": b"", "d": "4"}


# --- the operations -------------------------------------------------------------------------------


def make_closed() -> MemoryDisk:
    """Make a snapshot in several segments, five mutations in three frames, and a close frame."""
    disk = MemoryDisk(seed=1)
    with kvlib.open(disk, max_segment_size=48) as store:
        store.update(SNAPSHOT)
        store.compact()
        store["café"] = "3 €"
        store.delete("\N{GRINNING FACE}")
        with store.batch():
            store.put("1", b"1")
            store.put(b"1", "1")
            store.put("ключ", "значение")
    return disk


def make_unclosed() -> MemoryDisk:
    """Let a process die that has fsynced only some of its mutations."""
    disk = MemoryDisk(seed=2)
    with kvlib.open(disk, sync=3) as store:
        for key, value in (("a", b"1"), ("b", "2"), (b"c", b""), ("d", "4")):
            store.put(key, value)
        store.delete("a")
        return survivor(disk)


def make_torn() -> MemoryDisk:
    """Cut the last frame of that store."""
    disk = make_unclosed()
    disk.write("log", disk.read("log")[:-3])
    return disk


MAKERS = {"closed": make_closed, "unclosed": make_unclosed, "torn": make_torn}
RECORDS = {"closed": CLOSED, "unclosed": UNCLOSED, "torn": UNCLOSED | {"a": b"1"}}
RECOVERED = {
    "closed": Recovery(5),
    "unclosed": Recovery(5),
    "torn": Recovery(4, dropped_offset=168, dropped_bytes=21),
}
stores = pytest.mark.parametrize("name", MAKERS)


# --- the goldens ----------------------------------------------------------------------------------


def golden(path: Path) -> bytes:
    """Return bytes that are kept as hexadecimal digits."""
    return bytes.fromhex(path.read_text(encoding="ascii"))


def golden_store(name: str) -> dict[str, bytes]:
    """Return the files of a store."""
    return {path.stem: golden(path) for path in sorted((FORMAT_1 / name).glob("*.hex"))}


def golden_segments() -> list[bytes]:
    """Return the bare segments of the bare stream."""
    return [golden(path) for path in sorted(FORMAT_1.glob("segment*.hex"))]


@stores
def test_golden_stores_are_read(name: str) -> None:
    """A golden store has the same records, however it is opened."""
    files = golden_store(name)
    disk = disk_of(files)
    with kvlib.open(disk, read_only=True) as store:
        assert dict(store) == RECORDS[name]
        assert store.recovered == RECOVERED[name]
    memory = kvlib.Store()
    memory.deserialize(disk)
    assert dict(memory) == RECORDS[name]
    assert files_of(disk) == files
    with kvlib.open(disk) as store:
        assert dict(store) == RECORDS[name]
        store["later"] = "1"
    assert dict(kvlib.open(disk)) == RECORDS[name] | {"later": "1"}


@stores
def test_golden_stores_are_drawn(name: str) -> None:
    """Every byte has a label, and none is damage."""
    for file in dissect_directory(disk_of(golden_store(name))):
        statuses = {leaf.status for leaf in file.root.leaves()}
        assert statuses <= ({"ok", "torn"} if name == "torn" else {"ok"})


@stores
def test_the_same_operations_give_the_same_bytes(name: str) -> None:
    """On a disk with seeded random bytes, today's kvlib writes the goldens."""
    assert files_of(MAKERS[name]()) == golden_store(name)


def test_a_golden_store_has_this_status() -> None:
    """A golden store has a known status, and frames of known kinds."""
    files = golden_store("closed")
    assert len(files) == 5
    status = kvlib.open(disk_of(files), read_only=True).status()
    assert (status.generation, status.compactions, status.pending) == (3, 1, 5)
    assert (status.keys, status.log_bytes) == (7, len(files["log"]))
    for name, kinds in (("closed", "H M M M C"), ("unclosed", "H M m m M m")):
        log = golden_store(name)["log"]
        at, salt, found = len(frame.PREAMBLE), 0, []
        while at < len(log):
            unsealed = frame.unseal(log, at, salt)
            salt = salt or int.from_bytes(unsealed.payload[:4], "big")
            at = unsealed.end
            found.append(unsealed.kind.decode())
        assert " ".join(found) == kinds


def test_the_golden_stream_and_its_segments() -> None:
    """Bare bytes are encoded and decoded, and segments join in any order."""
    stream, pieces = golden(FORMAT_1 / "stream.hex"), golden_segments()
    assert [*kvlib.decode_snapshot(stream).items()] == [*SNAPSHOT.items()]
    assert kvlib.encode_snapshot(SNAPSHOT) == stream
    assert len(pieces) == 4
    assert kvlib.split(stream, 48) == pieces
    for order in permutations(pieces):
        assert kvlib.join(order) == stream


def test_all_goldens_are_used() -> None:
    """The folder holds only goldens that a test reads, with at most 16 bytes on a line."""
    stores = {f"{name}/{file}.hex" for name in MAKERS for file in golden_store(name)}
    bare = {"stream.hex", *(f"segment{number}.hex" for number in range(4))}
    found = {path.relative_to(FORMAT_1).as_posix(): path for path in FORMAT_1.rglob("*.*")}
    assert found.keys() - {name for name, path in found.items() if path.is_dir()} == stores | bare
    for path in FORMAT_1.rglob("*.hex"):
        assert max(map(len, path.read_text(encoding="ascii").splitlines())) <= 47


def test_every_version_has_goldens_and_a_line_in_the_changelog() -> None:
    """A new version keeps the bytes of the old one."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "### Format\n" in changelog
    for version in range(1, frame.VERSION + 1):
        assert (GOLDENS / f"format{version}").is_dir()
        assert f"\n- Version {version}: " in changelog
