"""A damaged store's files are only read, whatever their names, links, versions and permissions."""

import errno
import os
from pathlib import Path

import pytest

from helpers.damaged import (
    NAMES,
    OLD,
    a_store,
    before_segment,
    replayed,
    saved,
    saved_from,
    without,
)
from helpers.stores import Items, files_in, save_files
from helpers.vocabulary import (
    PREAMBLE,
    Fault,
    FaultyDisk,
    disk_of,
    every_flip,
    files_of,
    store_files,
)
from kvlib import DirectoryDisk, MemoryDisk, VersionError
from kvlib.salvage import Finding, report, salvage

# --- preambles and versions -----------------------------------------------------------------------

BAD_PREAMBLES = [
    *every_flip(PREAMBLE),
    b"KVLIB\0\0\1",
    bytes(8),
    b"kvlib\0\xff\xff",
    b"kvlib\0\0\0",
]


@pytest.mark.parametrize("name", ["log", *NAMES])
def test_a_wrong_preamble_costs_nothing(name: str) -> None:
    """If one file has it, that file is read as if it were right, and the preamble is noted."""
    for bad in BAD_PREAMBLES:
        result, items = saved({**a_store(), name: bad + a_store()[name][8:]})
        assert items == replayed(OLD)
        assert result.complete
        (note,) = result.notes
        assert (note.file, note.size) == (name, 8)
        assert note.reason.endswith("; read as if it were right")


@pytest.mark.parametrize("name", ["log", *NAMES])
def test_a_newer_version_is_not_salvaged(name: str) -> None:
    """If every file of the newest snapshot has it, or one that doesn't verify, it is an error."""

    def refused(files: dict[str, bytes]) -> VersionError:
        source, new = disk_of(files), MemoryDisk()
        with pytest.raises(VersionError) as caught:
            salvage(source, new)
        assert (files_of(source), new.names()) == (files, [])
        return caught.value

    files = a_store()
    newer = {file: data[:7] + b"\2" + data[8:] for file, data in files.items()}
    leftover = without(store_files({"old": "1"}, generation=1), "log")
    assert refused({**leftover, **newer}).path == "log"
    unknown = newer[name][:8] + bytes(4) + newer[name][12:]
    refused({**files, name: unknown})
    if name != "log":
        refused({**files, "log": b"", name: unknown})
        assert saved({**files, "log": b"", name: newer[name]})[1] == OLD


# --- files that can't be read ---------------------------------------------------------------------


class MediumError(OSError):
    def __init__(self, reason: str) -> None:
        super().__init__(errno.EIO, reason)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MediumError, "struck"),
        (PermissionError, "struck"),
        (MemoryError, "it doesn't fit in memory"),
    ],
)
def test_an_unreadable_file_is_listed(error: type[BaseException], reason: str) -> None:
    """It is left out with the reason, or only noted if it isn't the store's."""
    reason = f"it can't be read: {reason}"

    def saved_without(name: str, files: dict[str, bytes]) -> tuple[list[Finding], Items]:
        source = FaultyDisk(disk_of(files))
        source.fault = Fault("read", name, error=error, for_ever=True)
        result, items = saved_from(source)
        return [*result.left_out, *result.notes], items

    for name, expected in ("log", OLD), (NAMES[2], replayed(before_segment(2))):
        findings, items = saved_without(name, a_store())
        assert items == expected
        assert findings[0].file == name
        assert findings[0].reason.startswith(reason)
    findings, items = saved_without("extra", {**a_store(), NAMES[1]: b"", "extra": b""})
    assert items == replayed(before_segment(1))
    assert findings[-1] == Finding("extra", 0, 0, reason)


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """Folders, pipes, devices and broken links are noted; reading a pipe could take forever."""
    files = a_store()
    save_files(without(files, NAMES[2]), tmp_path)
    os.mkfifo(tmp_path / NAMES[2])
    save_files({NAMES[2]: files[NAMES[2]]}, tmp_path / "folder")
    os.mkfifo(tmp_path / "pipe")
    for name, target in (
        ("device", "/dev/zero"),
        ("to-pipe", "pipe"),
        ("to-folder", "folder"),
        ("nowhere", "nothing"),
        ("circle", "circle"),
    ):
        (tmp_path / name).symlink_to(target)
    result, items = saved_from(tmp_path)
    assert items == replayed(before_segment(2))
    reasons = {note.file: note.reason for note in result.notes}
    for name in ("folder", "pipe", "device", "to-pipe", "to-folder", NAMES[2]):
        assert "is not a regular file" in reasons[name]
    assert "leads nowhere" in reasons["nowhere"]
    assert "can't be read" in reasons["circle"]
    assert result.left_out[0].file == NAMES[2]


# --- names and links ------------------------------------------------------------------------------


def test_every_file_name_is_read_and_shown_on_one_line(tmp_path: Path) -> None:
    """The names may all be ones that no store gives."""
    strange = ["a\nb", "-rf", "\u202ex", "back\\slash"] if os.name != "nt" else ["a", "b", "c", "d"]
    save_files(dict(zip(strange, a_store().values(), strict=True)), tmp_path)
    result, items = saved_from(tmp_path)
    assert items == replayed(OLD)
    assert all(line.isprintable() for line in report(result, "new"))
    assert not [note for note in result.notes if "link" in note.reason]


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_links_are_followed_and_noted(tmp_path: Path) -> None:
    """They may lead out of the store, and through other links; a hard link isn't noted."""
    store, elsewhere = tmp_path / "store", tmp_path / "elsewhere"
    store.mkdir()
    save_files(a_store(), elsewhere)
    (store / "log").symlink_to(elsewhere / "log")
    (store / NAMES[0]).symlink_to(Path("..") / "elsewhere" / NAMES[0])
    (elsewhere / "chain").symlink_to(elsewhere / NAMES[1])
    (store / "FOO").symlink_to(elsewhere / "chain")
    (store / "BAR").hardlink_to(elsewhere / NAMES[2])
    before = picture(elsewhere)
    result, items = saved_from(store)
    assert items == replayed(OLD)
    assert picture(elsewhere) == before
    links = {note.file for note in result.notes if note.reason.startswith("it is a link")}
    assert links == {"log", NAMES[0], "FOO"}


@pytest.mark.skipif(os.name == "nt", reason="needs links, and names with a backslash")
def test_another_kind_of_disk_decides_what_it_reads(tmp_path: Path) -> None:
    """Links and strange names are only followed in a DirectoryDisk."""
    save_files(a_store(), tmp_path)
    (tmp_path / NAMES[1]).rename(tmp_path / "a\\b")
    (tmp_path / NAMES[1]).symlink_to("a\\b")
    result, items = saved_from(FaultyDisk(DirectoryDisk(tmp_path)))
    assert items == replayed(before_segment(1))
    reasons = {note.file: note.reason for note in result.notes}
    assert "is not a regular file" in reasons[NAMES[1]]
    assert "is not a plain file name" in reasons["a\\b"]


# --- reading only ---------------------------------------------------------------------------------


@pytest.mark.parametrize("damaged", ["log", NAMES[1], None])
def test_the_source_directory_is_not_touched(tmp_path: Path, damaged: str | None) -> None:
    """The names, bytes and times of all its files stay as they were."""
    old, new = tmp_path / "old", tmp_path / "new"
    files = a_store()
    if damaged:
        files[damaged] = files[damaged][:60] + b"?" + files[damaged][61:]
    save_files(files, old)
    for path in (*old.iterdir(), old):
        os.utime(path, ns=(10**18, 10**18))
    before = picture(old)
    result = salvage(old, new)
    assert picture(old) == before
    assert result.complete == (damaged is None)
    assert files_in(new).keys() > {"log"}


def picture(path: Path) -> list[tuple[str, int, bytes]]:
    """Return the names, times and bytes of a directory and its files."""
    files = [(file.name, file.stat().st_mtime_ns, file.read_bytes()) for file in path.iterdir()]
    return [("", path.stat().st_mtime_ns, b""), *sorted(files)]
