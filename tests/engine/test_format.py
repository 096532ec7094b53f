"""Format version 1: bytes written once, which every later kvlib has to read.

They are never made anew. If a test fails here, the format has changed: that needs a new version, a
folder of its own beside this one, and a line under "Format" in the changelog.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import permutations
from pathlib import Path

import pytest

import kvlib
from helpers.paths import GOLDENS, ROOT
from helpers.vocabulary import disk_of, files_of, survivor
from kvlib import CorruptionError, MemoryDisk, Recovery, VersionError, frame
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


# --- what was done, then and now ------------------------------------------------------------------


def make_closed() -> MemoryDisk:
    """A snapshot in several segments, five mutations in three frames, and the mark of close()."""
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
    """What the death of a process leaves that had fsynced only some of its mutations."""
    disk = MemoryDisk(seed=2)
    with kvlib.open(disk, sync=3) as store:
        for key, value in (("a", b"1"), ("b", "2"), (b"c", b""), ("d", "4")):
            store.put(key, value)
        store.delete("a")
        return survivor(disk)


def make_torn() -> MemoryDisk:
    """The same, of which the last frame has not arrived as a whole."""
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


# --- what was written -----------------------------------------------------------------------------


def golden(path: Path) -> bytes:
    """Bytes that are kept as hexadecimal digits, 16 to a line."""
    return bytes.fromhex(path.read_text(encoding="ascii"))


def golden_store(name: str) -> dict[str, bytes]:
    """The files of a store."""
    return {path.stem: golden(path) for path in sorted((FORMAT_1 / name).glob("*.hex"))}


def golden_segments() -> list[bytes]:
    """The bare segments of the bare stream."""
    return [golden(path) for path in sorted(FORMAT_1.glob("segment*.hex"))]


@stores
def test_golden_stores_are_read(name: str) -> None:
    """Read-only, as a snapshot in memory, and for writing: the same records."""
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
        assert [*store.items()] == [*RECORDS[name].items()] or dict(store) == RECORDS[name]
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
    """A disk whose random bytes come from a seed holds what it held then."""
    assert files_of(MAKERS[name]()) == golden_store(name)


def test_what_a_golden_store_says_of_itself() -> None:
    """Generation, compactions and pending mutations; segments, kinds of frames."""
    files = golden_store("closed")
    assert len(files) == 5
    status = kvlib.open(disk_of(files), read_only=True).status()
    assert (status.generation, status.compactions, status.pending) == (3, 1, 5)
    assert (status.keys, status.log_bytes) == (7, len(files["log"]))
    for name, kinds in (("closed", "H M M M C"), ("unclosed", "H M m m M m")):
        log = golden_store(name)["log"]
        at, salt, found = len(frame.PREAMBLE), 0, []
        while at < len(log):
            one = frame.unseal(log, at, salt)
            salt = salt or int.from_bytes(one.payload[:4], "big")
            at = one.end
            found.append(one.kind.decode())
        assert " ".join(found) == kinds


def test_golden_stream() -> None:
    """A bare snapshot stream, both ways, in the order in which its records went in."""
    stream = golden(FORMAT_1 / "stream.hex")
    assert [*kvlib.decode_snapshot(stream).items()] == [*SNAPSHOT.items()]
    assert kvlib.encode_snapshot(SNAPSHOT) == stream


def test_golden_segments() -> None:
    """Bare segments, both ways, in any order."""
    stream, pieces = golden(FORMAT_1 / "stream.hex"), golden_segments()
    assert len(pieces) == 4
    assert kvlib.split(stream, 48) == pieces
    for order in permutations(pieces):
        assert kvlib.join(order) == stream


def test_all_goldens_are_used() -> None:
    """No file there that no test reads, and one line is at most 16 bytes."""
    stores = {f"{name}/{file}.hex" for name in MAKERS for file in golden_store(name)}
    bare = {"stream.hex", *(f"segment{number}.hex" for number in range(4))}
    found = {path.relative_to(FORMAT_1).as_posix(): path for path in FORMAT_1.rglob("*.*")}
    assert found.keys() - {name for name, path in found.items() if path.is_dir()} == stores | bare
    for path in FORMAT_1.rglob("*.hex"):
        assert max(map(len, path.read_text(encoding="ascii").splitlines())) <= 47


# --- versions -------------------------------------------------------------------------------------


def saying(version: int, files: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    """The files, one of which says that it has this version of the format."""
    return {**files, name: frame.MAGIC + version.to_bytes(2, "big") + files[name][8:]}


@stores
@pytest.mark.parametrize("version", [2, 3, 65_535])
def test_a_file_of_a_later_version_is_refused(name: str, version: int) -> None:
    """Whichever file says so: a VersionError that names it, and nothing is changed."""
    files = golden_store(name)
    for file in files:
        newer = saying(version, files, file)
        disk = disk_of(newer)
        actions: list[Callable[[], object]] = [
            partial(kvlib.open, disk),
            partial(kvlib.open, disk, read_only=True),
            partial(kvlib.Store().deserialize, disk),
            partial(kvlib.Store().serialize, disk),
        ]
        for action in actions:
            with pytest.raises(VersionError, match=f"version {version}, .*newer") as caught:
                action()
            assert (caught.value.path, caught.value.offset) == (file, 6)
        assert files_of(disk) == newer


@stores
def test_version_0_was_never_written(name: str) -> None:
    """It is damage."""
    files = golden_store(name)
    for file in files:
        with pytest.raises(CorruptionError, match="no version here"):
            kvlib.open(disk_of(saying(0, files, file)))


def test_every_version_has_goldens_and_a_line_in_the_changelog() -> None:
    """Whoever raises the version keeps the bytes of the one before."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "### Format\n" in changelog
    for version in range(1, frame.VERSION + 1):
        assert (GOLDENS / f"format{version}").is_dir()
        assert f"\n- Version {version}: " in changelog
