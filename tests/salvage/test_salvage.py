"""Salvage writes everything that still verifies to a new store, and doesn't touch the old one."""

import random
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvlib
from helpers.damaged import (
    CLOSE,
    GENERATION,
    HISTORY,
    NAMES,
    OLD,
    SIZE,
    Files,
    a_store,
    log_frame,
    replayed,
    saved,
    saved_from,
    without,
)
from helpers.stores import Items, content, disk_full
from helpers.vocabulary import (
    HEAD_END,
    MAPPINGS,
    PREAMBLE,
    SEGMENT_START,
    ChangingDisk,
    Fault,
    FaultyDisk,
    disk_of,
    every_cut,
    every_flip,
    files_of,
    frame,
    store_files,
)
from kvlib import (
    CorruptionError,
    DirectoryDisk,
    KvlibError,
    LockedError,
    MemoryDisk,
    MissingError,
    VersionError,
    recovery,
)
from kvlib.salvage import Finding, Salvage, report, salvage

# --- the result -----------------------------------------------------------------------------------


@given(MAPPINGS, MAPPINGS, st.integers(9, 60))
def test_an_undamaged_store_is_saved_whole(old: Items, new: Items, size: int) -> None:
    """Salvage gives the same records as opening the store, even if there are none."""
    disk = MemoryDisk()
    with kvlib.open(disk, max_segment_size=size) as store:
        store.update(old)
        store.compact()
        store.update(new)
    result, items = saved(files_of(disk))
    assert items == {**old, **new}
    assert result == Salvage(len(items), (), ())
    assert result.complete
    assert result.stored


def test_a_damaged_head_costs_the_log() -> None:
    """With a flipped bit or cut, it leaves exactly the records of the snapshot."""
    log = a_store()["log"]
    flips = [PREAMBLE + flip + log[HEAD_END:] for flip in every_flip(log[len(PREAMBLE) : HEAD_END])]
    for spoilt in (*flips, *every_cut(log[:HEAD_END])):
        result, items = saved({**a_store(), "log": spoilt})
        assert items == OLD
        (finding,) = result.left_out
        assert (finding.file, finding.size) == ("log", len(spoilt))
        assert "without the head, the salt" in finding.reason


@pytest.mark.parametrize(
    "files",
    [
        {"log": b""},
        {"log": b"\0" * 4096},
        {NAMES[0]: b"", "log": PREAMBLE},
        without(store_files({}), "log"),
    ],
)
def test_nothing_to_save_makes_no_store(files: Files) -> None:
    """If a damaged store has no whole record, there is only the list."""
    result, _ = saved(files)
    assert not result.stored
    assert not result.complete
    assert result.left_out


def test_a_store_that_opening_refuses_is_never_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """If recovery fails and salvage finds no flaw, recovery's error is listed."""
    refuse = Mock(side_effect=CorruptionError("log", 7, "because"))
    monkeypatch.setattr(sys.modules[salvage.__module__], "recover", refuse)
    result, items = saved(a_store())
    assert items == replayed(OLD)
    assert result.left_out == (Finding("log", 7, 0, "because"),)


# --- the source, while others write to it ---------------------------------------------------------


def test_no_store_is_an_error(tmp_path: Path) -> None:
    """An empty disk and a missing directory have nothing to save, and no new store is made."""
    for source in (MemoryDisk(), tmp_path / "nothing"):
        with pytest.raises(MissingError):
            salvage(source, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_an_open_store_can_be_salvaged(tmp_path: Path) -> None:
    """Salvage takes no lock on its source."""
    with kvlib.open(tmp_path / "old") as store:
        store["a"] = "1"
        assert salvage(tmp_path / "old", tmp_path / "new").complete
    assert content(tmp_path / "new") == {"a": "1"}


def test_a_source_that_changes_is_read_again() -> None:
    """After three readings, salvage gives up as if the store were locked."""

    def compact_once(disk: ChangingDisk, reads: int) -> None:
        if reads == 2:  # in the middle of the first reading
            for name, data in store_files({"new": "1"}, generation=4, size=SIZE).items():
                disk.write(name, data)
            for name in NAMES:
                disk.delete(name)

    result, items = saved_from(ChangingDisk(a_store(), compact_once))
    assert result.complete
    assert items == {"new": "1"}

    def append(disk: ChangingDisk, reads: int) -> None:
        disk.append("log", b"x")

    new = MemoryDisk()
    with pytest.raises(LockedError, match="being written to"):
        salvage(ChangingDisk(a_store(), append), new)
    assert new.names() == []


def test_an_error_is_only_raised_if_the_source_did_not_change() -> None:
    """A newer version that is gone at the second reading doesn't matter."""
    log = a_store()["log"]

    def upgrade(disk: ChangingDisk, reads: int) -> None:
        newer, older = log[:7] + b"\2" + log[8:], log[: -len(CLOSE)]
        disk.write("log", newer if reads == 1 else older)

    assert salvage(ChangingDisk(a_store(), upgrade), MemoryDisk()).complete


class ShiftyDisk(MemoryDisk):
    """A disk on which a file changes, or vanishes, after some readings of it."""

    def __init__(self, files: Files, name: str, reads: int, data: bytes | None) -> None:
        super().__init__()
        for file, before in files.items():
            self.write(file, before)
        self._name, self._left, self._data = name, reads, data

    def read(self, name: str) -> bytes:
        if name == self._name:
            self._left -= 1
            if self._left < 0:
                if self._data is None:
                    raise FileNotFoundError(name)
                return self._data
        return super().read(name)


def test_a_repaired_log_is_read_again() -> None:
    """A head that was missing at first is found at the next reading."""
    source = ShiftyDisk({**a_store(), "log": b""}, "log", 3, a_store()["log"])
    assert salvage(source, MemoryDisk()).complete


@pytest.mark.parametrize("reads", range(5))
@pytest.mark.parametrize("data", [None, b"", a_store()[NAMES[2]]])
def test_a_file_that_changes_gives_a_list_or_an_error(reads: int, data: bytes | None) -> None:
    """A file may be gone or different at any later reading."""
    files = {**a_store(), NAMES[2]: b"x", NAMES[0]: b"y", "extra": b""}
    for name in (NAMES[0], NAMES[2], "extra"):
        with suppress(KvlibError):
            assert salvage(ShiftyDisk(files, name, reads, data), MemoryDisk()).left_out


# --- the destination ------------------------------------------------------------------------------


def test_a_destination_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    """It may be the source, a file, or have any file in it except an old lock."""
    old, new = tmp_path / "old", tmp_path / "new"
    with kvlib.open(old) as store:
        store["a"] = "1"
    new.mkdir()
    (new / "no\\thing").write_bytes(b"")
    for place in (old, new):
        with pytest.raises(FileExistsError) as caught:
            salvage(old, place)
        assert caught.value.filename == str(place)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        salvage(old, tmp_path / "file")
    (new / "no\\thing").rename(new / "lock")
    assert salvage(old, new).complete
    with pytest.raises(FileExistsError):
        salvage(DirectoryDisk(old), disk_of({"other": b""}))


def test_a_destination_that_is_filled_meanwhile_is_refused() -> None:
    """Salvage looks again when it has the lock."""
    new = MemoryDisk()

    def fill(_: ChangingDisk, reads: int) -> None:
        new.write("log", b"another's")

    with pytest.raises(FileExistsError):
        salvage(ChangingDisk(a_store(), fill), new)
    assert files_of(new) == {"log": b"another's"}


@pytest.mark.parametrize(
    ("verb", "name"), [("write", "segment"), ("write", "log.new"), ("sync", "log.new")]
)
def test_salvage_to_a_full_disk_can_be_repeated(verb: str, name: str) -> None:
    """Files left by the first attempt don't prevent the second one."""
    new = FaultyDisk()
    new.fault = Fault(verb, name, done="half")
    with disk_full():
        salvage(disk_of(a_store()), new)
    new.fault = None
    assert salvage(disk_of(a_store()), new).complete
    assert content(new) == replayed(OLD)


# --- any damage -----------------------------------------------------------------------------------


def mutants(count: int, seed: int) -> Iterator[dict[str, bytes]]:
    """Yield stores with bytes changed, cut, doubled or mixed up, and with files lost or added."""
    chance = random.Random(seed)
    leftover = without(store_files({"alpha": "1"}, generation=2), "log")
    for _ in range(count):
        files = a_store(size=chance.choice([12, 20, SIZE, 2**20]))
        files |= leftover if chance.random() < 0.3 else {}
        for _ in range(chance.choice([1, 1, 2, 5])):
            name = chance.choice(sorted(files))
            data = bytearray(files[name])
            at, end = sorted(chance.choices(range(len(data) + 1), k=2))
            match chance.randrange(8):
                case 0 if data:
                    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
                case 1:
                    data[at : at + 4] = chance.choice([b"\xff" * 4, bytes(4), b"\0\0\0\1"])
                case 2:
                    del data[at:end]
                case 3:
                    data[at:at] = data[at:end]
                case 4:
                    data[at:end] = bytes(end - at)
                case 5:
                    data = bytearray(files[chance.choice(sorted(files))])
                case 6 if len(files) > 1:
                    del files[name]
                    continue
                case _:
                    data[at:] = chance.randbytes(chance.randrange(40))
            files[name] = bytes(data)
        yield files


@pytest.mark.untraced
def test_any_damage_gives_a_result_or_an_error_of_ours() -> None:
    """In 5,000 damaged stores, only records that were once written are saved, and a complete
    result is what opening gives.
    """
    written = {(key, value) for key, value in (*OLD.items(), *HISTORY) if value is not None}
    outcomes = {"complete": 0, "part": 0, "nothing": 0, "error": 0}
    for files in mutants(5_000, seed=1):
        source, new = disk_of(files), MemoryDisk()
        try:
            result = salvage(source, new)
        except KvlibError:
            outcomes["error"] += 1
            assert new.names() == []
            continue
        finally:
            assert files_of(source) == files
        if not result.stored:
            outcomes["nothing"] += 1
            continue
        items = recovery.recover_without_lock(new).items
        assert items.items() <= written
        if not result.complete:
            outcomes["part"] += 1
            continue
        outcomes["complete"] += 1
        try:
            assert content(disk_of(files)) == items
        except (CorruptionError, VersionError):
            assert result.notes
    assert min(outcomes.values()) > 50, outcomes


@given(
    st.dictionaries(st.sampled_from(["log", "log.new", *NAMES]), st.binary(max_size=200)),
    st.booleans(),
)
def test_any_bytes_give_a_result_or_an_error_of_ours(files: dict[str, bytes], head: bool) -> None:
    """They may be a file's only bytes, or follow a right head or a right segment header."""
    if head:
        files = {
            name: a_store()[name][: HEAD_END if name == "log" else SEGMENT_START] + data
            for name, data in files.items()
            if name != "log.new"
        }
    try:
        result = salvage(disk_of(files), MemoryDisk())
    except KvlibError:
        return
    assert all(len(line) <= 80 for line in report(result, "new"))


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_sealed_payloads_give_a_result(payloads: list[bytes]) -> None:
    """Payloads may be nonsense even if their checksums are right."""
    frames = [
        log_frame(at, data, b"CMmS"[at % 4 :][:1]) for at, data in enumerate(payloads, start=1)
    ]
    pieces = {
        name: PREAMBLE + frame(b"S", GENERATION, struct.pack(">II", at, len(payloads)) + data)
        for at, (name, data) in enumerate(zip(NAMES, payloads, strict=False))
    }
    for files in (a_store(*frames, CLOSE), {**a_store(*frames), **pieces}, pieces):
        try:
            result, _ = saved(files)
        except MissingError:
            assert not files
        else:
            assert result.complete or result.left_out
