"""Salvage: all that still verifies comes over, nothing is invented, and the source is only read."""

import errno
import os
import random
import struct
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvlib
import kvlib.salvage.frames
import kvlib.salvage.sealed
from helpers.crashes import after as changed
from helpers.vocabulary import (
    HEAD_END,
    MAPPINGS,
    PREAMBLE,
    SEGMENT_START,
    ChangingDisk,
    Fault,
    FaultyDisk,
    Field,
    delete,
    disk_of,
    every_cut,
    every_flip,
    files_of,
    frame,
    head_payload,
    put,
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
from kvlib.layout.advice import advice
from kvlib.salvage import Finding, Salvage, report, salvage

Files = Mapping[str, bytes]
Items = dict[Field, Field]

SALT, GENERATION = 0xA1B2C3D4, 3
OLD: Items = {"alpha": "1", b"beta": b"\0\1", "gamma": "three", "delta": ""}
HISTORY: list[tuple[Field, Field | None]] = [
    ("alpha", "one"),
    ("epsilon", b"5"),
    (b"beta", None),
    ("gamma", "3"),
    ("epsilon", "five"),
    ("zeta", "6"),
]
SIZE = 40  # of a segment: three of them for the snapshot of OLD


def mutation(key: Field, value: Field | None) -> bytes:
    """A mutation's bytes."""
    return delete(key) if value is None else put(key, value)


FRAMES = [
    frame(b"M", GENERATION + number, mutation(*change), SALT)
    for number, change in enumerate(HISTORY, 1)
]
CLOSE = frame(b"C", GENERATION + len(HISTORY) + 1, b"", SALT)
NAMES = [f"{GENERATION:016x}.{index:08x}.segment" for index in range(3)]


def a_store(
    *frames: bytes, items: Mapping[Field, Field] = OLD, size: int = SIZE
) -> dict[str, bytes]:
    """The files of a store of OLD with these frames; by default all of HISTORY, closed."""
    frames = frames or (*FRAMES, CLOSE)
    return store_files(items, *frames, generation=GENERATION, salt=SALT, size=size)


def after(snapshot: Mapping[Field, Field], *left_out: int) -> Items:
    """What the snapshot becomes by HISTORY without the mutations of these numbers."""
    changes = [change for number, change in enumerate(HISTORY) if number not in left_out]
    return changed(dict(snapshot), changes)


def saved(files: Files) -> tuple[Salvage, Items]:
    """The result for these files and the records of the new store; the source is as it was."""
    source, new = disk_of(files), MemoryDisk()
    result = salvage(source, new)
    assert files_of(source) == files
    if not result.stored:
        assert new.names() == []
        return result, {}
    items = recovery.recover_without_lock(new).items
    assert len(items) == result.records
    with kvlib.open(new) as store:
        assert dict(store) == items
    return result, items


def opened(files: Files) -> Items:
    """What opening the store gives."""
    with kvlib.open(disk_of(files), read_only=True) as store:
        return dict(store)


def whole_before(end: int) -> Items:
    """The records of OLD that lie in the first `end` bytes of the snapshot's stream."""
    items, at = {}, 4
    for key, value in OLD.items():
        at += len(mutation(key, value)) - 1
        if at <= end:
            items[key] = value
    return items


def before_segment(index: int) -> Items:
    """The records of OLD that lie before this segment."""
    return whole_before(index * (SIZE - 8))


# ---------------------------------------------------------------------------------- nothing wrong


@given(MAPPINGS, MAPPINGS, st.integers(9, 60))
def test_an_undamaged_store_comes_over_whole(old: Items, new: Items, size: int) -> None:
    """Exactly what opening gives, also an empty store; complete, with nothing to say."""
    disk = MemoryDisk()
    with kvlib.open(disk, max_segment_size=size) as store:
        store.update(old)
        store.compact()
        store.update(new)
    result, items = saved(files_of(disk))
    assert items == {**old, **new}
    assert result == Salvage(len(items), (), ())
    assert result.complete


def test_a_torn_tail_costs_nothing() -> None:
    """The log of a dead process, cut at any byte: what opening gives; the tail is noted."""
    files = a_store(*FRAMES)
    for log in every_cut(files["log"]):
        if len(log) >= HEAD_END:
            torn = {**files, "log": log}
            result, items = saved(torn)
            assert items == opened(torn)
            assert result.complete
            ends = [HEAD_END + len(b"".join(FRAMES[:number])) for number in range(len(FRAMES))]
            if len(log) in ends:
                assert result.notes == ()
            else:
                start = max(end for end in ends if end < len(log))
                reason = "a torn tail, which recovery drops too"
                assert result.notes == (Finding("log", start, len(log) - start, reason),)


# ---------------------------------------------------------------------- every bit and every cut


def test_every_bit_of_a_frame_costs_that_frame() -> None:
    """All other mutations are applied exactly; of the close frame nothing is lost at all."""
    files = a_store()
    start = HEAD_END
    for number, sealed in enumerate([*FRAMES, CLOSE]):
        end = start + len(sealed)
        for spoilt in every_flip(sealed):
            log = files["log"][:start] + spoilt + files["log"][end:]
            result, items = saved({**files, "log": log})
            if sealed is CLOSE:
                assert items == after(OLD) == opened({**files, "log": log})
                assert result.complete
                continue
            assert items == after(OLD, number)
            (finding,) = result.left_out
            assert (finding.file, finding.offset, finding.size) == ("log", start, len(sealed))
            sequence = GENERATION + number + 1
            assert finding.reason.endswith(
                f"; 1 sequence number is missing, {sequence}: "
                f"everything from {sequence + 1} on was applied after a hole"
            )
        start = end


def test_every_bit_of_a_head_costs_the_log() -> None:
    """What is left is the snapshot, exactly. A wrong preamble alone costs nothing."""
    files = a_store()
    for bit, spoilt in enumerate(every_flip(files["log"][:HEAD_END])):
        damaged = {**files, "log": spoilt + files["log"][HEAD_END:]}
        if bit < 8 * len(PREAMBLE):
            result, items = saved(damaged)
            assert items == after(OLD)
            assert result.complete
            (note,) = result.notes
            assert (note.file, note.size) == ("log", 8)
            assert note.reason.endswith("; read as if it were right")
        else:
            result, items = saved(damaged)
            assert items == OLD
            (finding,) = result.left_out
            assert (finding.file, finding.size) == ("log", len(files["log"]))
            assert "without the head, the salt" in finding.reason


def test_every_bit_of_a_segment_costs_what_is_behind_it() -> None:
    """The records that end before it are saved, then the log is applied."""
    files = a_store()
    for index, name in enumerate(NAMES):
        for bit, spoilt in enumerate(every_flip(files[name])):
            result, items = saved({**files, name: spoilt})
            if bit < 8 * len(PREAMBLE):
                assert items == after(OLD)
                assert result.complete
            else:
                assert items == after(before_segment(index))
                assert result.left_out[0].file == name
                assert result.left_out[0].size == len(spoilt)


def test_every_cut_of_a_file() -> None:
    """A log is torn or has no head; a segment is as good as none."""
    files = a_store()
    for log in every_cut(files["log"]):
        cut = {**files, "log": log}
        result, items = saved(cut)
        assert items == (OLD if len(log) < HEAD_END else opened(cut))
        assert result.complete == (len(log) >= HEAD_END)
    for index, name in enumerate(NAMES):
        for data in every_cut(files[name]):
            result, items = saved({**files, name: data})
            assert items == after(before_segment(index))
            assert not result.complete
        del files[name]
        result, items = saved(files)
        assert items == after(before_segment(index))
        assert result.left_out[0].reason.startswith(f"segment {index} of 3 is missing; ")
        files = a_store()


def refused(kind: type[KvlibError], files: Files) -> KvlibError:
    """The error, after which nothing has been done."""
    source, new = disk_of(files), MemoryDisk()
    with pytest.raises(kind) as caught:
        salvage(source, new)
    assert (files_of(source), new.names()) == (files, [])
    return caught.value


# -------------------------------------------------------------------------------------- the rules


def test_a_missing_segment_is_listed_with_all_that_it_takes_along() -> None:
    """The hole, the record that it cuts, and the whole segments behind it, byte by byte."""
    files = a_store()
    del files[NAMES[1]]
    result, items = saved(files)
    assert items == after({"alpha": "1"})
    start = 4 + len(mutation("alpha", "1")) - 1
    assert result.left_out == (
        Finding(NAMES[1], 0, 0, "segment 1 of 3 is missing; 1 record of 4 before it"),
        Finding(NAMES[0], 33 + start, 32 - start, "a record that ends in the lost part"),
        Finding(
            NAMES[2],
            0,
            len(files[NAMES[2]]),
            "1 segment from here on: it is unknown where a record begins after the hole",
        ),
    )


def test_a_record_that_is_cut_begins_in_any_segment() -> None:
    """It is named with the file in which it begins, however many segments it spans."""
    items: Items = {"a": "1", "b": "x" * 50}
    files = a_store(CLOSE, items=items, size=20)
    names = sorted(name for name in files if name != "log")
    del files[names[4]], files[names[5]]
    result, left = saved(files)
    assert left == {"a": "1"}
    start = 4 + 12
    index, within = divmod(start, 12)
    assert result.left_out[1] == Finding(
        names[index], 33 + within, 48 - start, "a record that ends in the lost part"
    )
    assert result.left_out[2].size == sum(len(files[name]) for name in names[6:])


@pytest.mark.parametrize("size", [9, 10, 11, 12])
def test_a_count_that_is_cut_promises_nothing(size: int) -> None:
    """Of a snapshot whose first segments hold less than its count nothing can be said."""
    files = a_store(FRAMES[0], size=size)
    del files[NAMES[1]]
    result, items = saved(files)
    assert items == {"alpha": "one"}
    of = " of 4" if size == 12 else ""
    assert result.left_out[0].reason.endswith(f"; 0 records{of} before it")


def test_without_a_head_the_newest_whole_generation_counts() -> None:
    """A newer one that is not whole is listed; older ones are leftovers and not mentioned."""
    old = store_files({"old": "1"}, generation=1)
    middle = store_files({"middle": "2"}, generation=2)
    new = a_store()
    files = {**old, **middle, **new}
    files["log"] = b"kvlib"
    assert saved(files)[1] == OLD
    del files[NAMES[2]]
    result, items = saved(files)
    assert items == {"middle": "2"}
    assert [finding.file for finding in result.left_out] == ["log", NAMES[2], NAMES[1]]
    del files["log"]
    result, items = saved(files)
    assert items == {"middle": "2"}
    assert result.left_out[0] == Finding("log", 0, 0, "it is missing")


def test_without_a_head_and_a_whole_generation_the_newest_part_counts() -> None:
    """Also before an older generation that is whole and empty."""
    files = a_store()
    del files["log"], files[NAMES[2]]
    expected = before_segment(2)
    assert expected
    assert saved(files)[1] == expected
    result, items = saved({**files, **without_log(store_files({}, generation=1))})
    assert items == expected
    assert not result.complete
    part = a_store(size=20)
    del part["log"], part[NAMES[2]]
    older = store_files(OLD, generation=2, size=SIZE)
    del older["log"], older[NAMES[1].replace("3", "2")]
    result, items = saved({**part, **older})
    assert items == {"alpha": "1"}


def test_an_empty_newest_generation_hides_older_ones() -> None:
    """All had been deleted: what a sweep left behind does not come back."""
    files = {**a_store(), **store_files({}, generation=GENERATION + 1)}
    del files["log"]
    result, items = saved(files)
    assert (items, result.stored) == ({}, False)


def test_nothing_to_save_makes_no_store() -> None:
    """Of a damaged store without one good record there is nothing but the list."""
    for files in (
        {"log": b""},
        {"log": b"\0" * 4096},
        {NAMES[0]: b"", "log": b"kvlib\0\0\1"},
        without_log(store_files({}, generation=1)),
    ):
        result, _ = saved(files)
        assert not result.stored
        assert not result.complete
        assert result.left_out


def without_log(files: dict[str, bytes]) -> dict[str, bytes]:
    """The segments alone."""
    return {name: data for name, data in files.items() if name != "log"}


def test_no_store_is_an_error(tmp_path: Path) -> None:
    """Neither an empty disk nor a missing directory has anything in it."""
    with pytest.raises(MissingError):
        salvage(MemoryDisk(), MemoryDisk())
    with pytest.raises(MissingError):
        salvage(tmp_path / "nothing", tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_segment_that_is_another_snapshots_leaves_the_snapshot_out() -> None:
    """All are whole, and their stream is not the head's: a record across two could be invented."""
    other = a_store(items={**OLD, "alpha": "2"})
    files = {**a_store(), NAMES[0]: other[NAMES[0]]}
    result, items = saved(files)
    assert items == after({})
    assert result.left_out == (
        Finding(
            "the stream of generation 3",
            0,
            sum(len(data) - 33 for name, data in files.items() if name != "log"),
            "its segments are whole, but aren't those that the head names",
        ),
    )


def test_a_stream_that_no_writer_writes_is_saved_up_to_its_flaw() -> None:
    """Two records of one key: the first stays, and what follows is left out."""
    files = hand_made(put("a", "1")[1:], put("b", "2")[1:], put("a", "3")[1:], put("c", "4")[1:])
    result, items = saved(files)
    assert items == {"a": "1", "b": "2"}
    (finding,) = result.left_out
    assert finding.reason.endswith("for the second time; 2 records before it")
    assert (finding.offset, finding.size) == (28, 24)
    shown = list(report(result, "new"))
    assert max(map(len, shown)) <= 80


def hand_made(*records: bytes) -> dict[str, bytes]:
    """A closed store whose snapshot has these records, whatever they are."""
    files = store_files({str(number): "" for number in range(len(records))}, generation=1)
    stream = struct.pack(">I", len(records)) + b"".join(records)
    head = head_payload(stream)
    (name,) = without_log(files)
    return {
        name: PREAMBLE + frame(b"S", 1, struct.pack(">II", 0, 1) + stream),
        "log": PREAMBLE + frame(b"H", 1, head) + frame(b"C", 2, b""),
    }


def test_several_holes_are_listed_one_by_one() -> None:
    """Each with its place and the numbers that are missing; a frame lost whole is a hole, too."""
    spoilt = bytes(len(FRAMES[0])), FRAMES[1], b"noise", FRAMES[2], FRAMES[5], CLOSE
    result, items = saved(a_store(*spoilt))
    assert items == after(OLD, 0, 3, 4)
    at = HEAD_END + len(FRAMES[0])
    noise = at + len(FRAMES[1])
    assert [(finding.offset, finding.size) for finding in result.left_out] == [
        (HEAD_END, len(FRAMES[0])),
        (noise, 5),
        (noise + 5 + len(FRAMES[2]), 0),
    ]
    reasons = [finding.reason.split("; ", 1)[1] for finding in result.left_out]
    assert reasons == [
        "1 sequence number is missing, 4: everything from 5 on was applied after a hole",
        "no sequence number is missing: everything from 6 on was applied after a hole",
        "2 sequence numbers are missing, 7 to 8: everything from 9 on was applied after a hole",
    ]


def test_frames_behind_a_hole_need_no_promise() -> None:
    """Those of sync=n are applied, too, if the store is damaged anyway."""
    lazy = [b"\0" + frame(b"m", GENERATION + 2, put("lazy", "1"), SALT)]
    files = a_store(b"noise", *lazy)
    assert saved(files)[0].complete  # merely torn: recovery drops it, and so do we
    del files[NAMES[2]]
    assert saved(files)[1] == {**before_segment(2), "lazy": "1"}


STRANGE = {
    "doubled": FRAMES[0],
    "far too high": frame(b"M", 2**40, put("x", "y"), SALT),
    "not a sequence": frame(b"M", 2**63 + 1, put("x", "y"), SALT),
    "of another kind": frame(b"S", GENERATION + 2, put("x", "y"), SALT),
    "of no kind": frame(b"?", GENERATION + 2, put("x", "y"), SALT),
    "no mutation": frame(b"M", GENERATION + 2, b"", SALT),
    "half a mutation": frame(b"M", GENERATION + 2, put("x", "y")[:-1], SALT),
    "close with a payload": frame(b"C", GENERATION + 2, put("x", "y"), SALT),
    "of another log": frame(b"M", GENERATION + 2, put("x", "y"), SALT + 1),
}


@pytest.mark.parametrize("strange", STRANGE)
def test_a_frame_that_no_writer_writes_is_left_out(strange: str) -> None:
    """What it says is not believed, wherever it stands; the frames around it are."""
    odd = STRANGE[strange]
    result, items = saved(a_store(FRAMES[0], odd, *FRAMES[1:], CLOSE))
    assert items == after(OLD)
    (finding,) = result.left_out
    assert (finding.offset, finding.size) == (HEAD_END + len(FRAMES[0]), len(odd))
    result, items = saved(a_store(FRAMES[0], b"noise", odd, b"noise", *FRAMES[1:], CLOSE))
    assert items == after(OLD)
    files = a_store(FRAMES[0], odd)
    del files[NAMES[2]]
    result, items = saved(files)
    assert items == {**before_segment(2), "alpha": "one"}
    at_the_end = [finding for finding in result.left_out if finding.file == "log"]
    assert len(at_the_end) == (strange != "of another log")
    files = a_store(FRAMES[0], b"noise" * 9, odd)
    del files[NAMES[2]]
    assert saved(files)[1] == {**before_segment(2), "alpha": "one"}


def test_a_torn_tail_of_a_damaged_store_is_noted() -> None:
    """It looks like what a crash leaves, so it is not counted as left out."""
    files = a_store(*FRAMES, CLOSE[:-1])
    del files[NAMES[0]]
    result, items = saved(files)
    assert items == after({})
    assert {finding.file for finding in result.left_out} == {*NAMES[:2]}
    assert [(note.file, note.size) for note in result.notes] == [("log", len(CLOSE) - 1)]


def test_a_log_made_to_search_for_ever_costs_bounded_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 places that look like a long frame: the budget is kept, and the rest left out."""
    calls: list[int] = []

    def unseal(data: bytes, offset: int = 0, salt: int = 0) -> kvlib.frame.Frame:
        length = int.from_bytes(data[offset + 4 : offset + 8], "big")
        calls.append(length if offset + length <= len(data) else 0)
        return kvlib.unseal(data, offset, salt)

    monkeypatch.setattr(kvlib.salvage.frames, "unseal", unseal)
    number, lure = 10_000, struct.Struct(">IIQc")
    lures = [lure.pack(1, (number - at - 1) * 17, GENERATION + 3, b"M") for at in range(number)]
    files = a_store(FRAMES[0], b"".join(lures))
    result, items = saved(files)
    assert items == after(OLD, 1, 2, 3, 4, 5)
    (finding,) = result.left_out
    assert finding.reason.endswith("what follows was made to keep a reader searching forever")
    assert sum(calls) <= 66 * len(files["log"])
    # The same cost, each followed by a good frame: the budget is for all holes together.
    calls.clear()
    goods = [frame(b"M", GENERATION + at, put("k", str(at)), SALT) for at in range(1, 3000)]
    pairs = b"".join(
        lure.pack(1, (len(goods) - at) * 40, 1, b"M") + good for at, good in enumerate(goods)
    )
    files = a_store(pairs)
    result, items = saved(files)
    assert sum(calls) <= 68 * len(files["log"])
    assert result.left_out[-1].reason.endswith("searching forever")
    assert items.keys() == {*OLD, "k"}


def test_what_opening_refuses_is_never_called_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """If nothing is found wrong where recovery found something, its words are the list."""

    def refuse(_: kvlib.Disk) -> None:
        raise CorruptionError("log", 7, "because")

    monkeypatch.setattr(sys.modules[salvage.__module__], "recover", refuse)
    result, items = saved(a_store())
    assert items == after(OLD)
    assert result.left_out == (Finding("log", 7, 0, "because"),)


@pytest.mark.parametrize("name", ["log", *NAMES])
def test_a_newer_version_is_not_salvaged(name: str) -> None:
    """If all files of the newest snapshot say so, or a frame behind it doesn't verify."""
    files = a_store()
    newer = {file: data[:7] + b"\2" + data[8:] for file, data in files.items()}
    leftover = without_log(store_files({"old": "1"}, generation=1))
    error = refused(VersionError, {**leftover, **newer})
    assert isinstance(error, VersionError)
    assert error.path == "log"
    unknown = newer[name][:8] + bytes(4) + newer[name][12:]
    assert refused(VersionError, {**files, name: unknown})
    if name != "log":
        refused(VersionError, {**files, "log": b"", name: unknown})
        assert saved({**files, "log": b"", name: newer[name]})[1] == OLD


# --------------------------------------------------------------------- others at work, and media


def test_a_store_that_is_written_to_is_read_again() -> None:
    """Three times at most; then it is locked, in the words that reading has."""

    def compact_once(disk: ChangingDisk, reads: int) -> None:
        if reads == 2:  # in the middle of the first reading
            for name, data in a_store(items={"new": "1"}).items():
                disk.write(name.replace("3.", "4.", 1), data)
            disk.write("log", store_files({"new": "1"}, generation=4, size=SIZE)["log"])
            disk.write(
                NAMES[0].replace("3", "4"),
                store_files({"new": "1"}, generation=4, size=SIZE)[NAMES[0].replace("3", "4")],
            )
            for name in NAMES:
                disk.delete(name)

    new = MemoryDisk()
    assert salvage(ChangingDisk(a_store(), compact_once), new).complete
    assert recovery.recover_without_lock(new).items == {"new": "1"}

    def append(disk: ChangingDisk, reads: int) -> None:
        disk.append("log", b"x")

    with pytest.raises(LockedError, match="being written to"):
        salvage(ChangingDisk(a_store(), append), new := MemoryDisk())
    assert new.names() == []


def test_an_error_counts_only_if_nothing_changed_meanwhile() -> None:
    """A newer version that came and went is nobody's concern."""
    files = a_store()

    def upgrade(disk: ChangingDisk, reads: int) -> None:
        log = files["log"]
        newer, older = log[:7] + b"\2" + log[8:], log[: -len(CLOSE)]
        disk.write("log", newer if reads == 1 else older)

    assert salvage(ChangingDisk(files, upgrade), MemoryDisk()).complete


def test_an_open_store_that_nobody_writes_to_can_be_salvaged(tmp_path: Path) -> None:
    """No lock is taken on the source."""
    with kvlib.open(tmp_path / "old") as store:
        store["a"] = "1"
        assert salvage(tmp_path / "old", tmp_path / "new").complete
    with kvlib.open(tmp_path / "new") as store:
        assert dict(store) == {"a": "1"}


def test_the_source_directory_is_not_touched(tmp_path: Path) -> None:
    """Bytes, names and times of all of it are as before, damaged or not."""
    for number, name in enumerate(["log", NAMES[1], None]):
        old, new = tmp_path / f"old{number}", tmp_path / f"new{number}"
        old.mkdir()
        for file, data in a_store().items():
            spoilt = data[:60] + b"?" + data[61:] if file == name else data
            (old / file).write_bytes(spoilt)
            os.utime(old / file, ns=(10**18, 10**18))
        os.utime(old, ns=(10**18, 10**18))
        before = picture(old)
        result = salvage(old, new)
        assert picture(old) == before
        assert result.complete == (name is None)
        assert sorted(path.name for path in new.glob("*.segment"))
        with kvlib.open(new) as store:
            assert len(store) == result.records


def picture(path: Path) -> list[tuple[str, int, bytes]]:
    """Name, time and bytes of a directory and of all that is in it."""
    there = [(file.name, file.stat().st_mtime_ns, file.read_bytes()) for file in path.iterdir()]
    return [("", path.stat().st_mtime_ns, b""), *sorted(there)]


def test_a_place_that_is_taken_is_refused(tmp_path: Path) -> None:
    """Also the source itself, and a file; a directory with nothing but an old lock is empty."""
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


def test_a_place_that_is_taken_meanwhile_is_refused() -> None:
    """It is looked at again once it is locked."""
    new = FaultyDisk()

    class Slow(MemoryDisk):
        def names(self) -> list[str]:
            new.inner.write("log", b"somebody else's")
            return super().names()

    source = Slow()
    for name, data in a_store().items():
        source.write(name, data)
    with pytest.raises(FileExistsError):
        salvage(source, new)
    assert files_of(new) == {"log": b"somebody else's"}


def test_a_full_disk_can_be_salvaged_to_again() -> None:
    """What the first try left behind does not stand in the way of the second."""
    for verb, name in [("write", "segment"), ("write", "log.new"), ("sync", "log.new")]:
        new = FaultyDisk()
        new.fault = Fault(verb, name, done="half")
        with pytest.raises(OSError, match="No space"):
            salvage(disk_of(a_store()), new)
        new.fault = None
        assert salvage(disk_of(a_store()), new).complete
        assert recovery.recover_without_lock(new).items == after(OLD)


def test_what_a_broken_medium_holds_is_left_out() -> None:
    """The rest comes over."""

    class Eio(OSError):
        def __init__(self, word: str) -> None:
            super().__init__(errno.EIO, word)

    for name, expected in [("log", OLD), (NAMES[2], after(before_segment(2)))]:
        source = FaultyDisk(disk_of(a_store()))
        source.fault = Fault("read", name, error=Eio, for_ever=True)
        result = salvage(source, new := MemoryDisk())
        assert recovery.recover_without_lock(new).items == expected
        assert result.left_out[0].reason.startswith("it can't be read")


def test_what_may_not_be_read_is_left_out() -> None:
    """The list says why; with the permission, all of it can be saved."""
    for name, expected in [("log", OLD), (NAMES[2], after(before_segment(2)))]:
        source = FaultyDisk(disk_of(a_store()))
        source.fault = Fault("read", name, error=PermissionError, for_ever=True)
        result = salvage(source, new := MemoryDisk())
        assert recovery.recover_without_lock(new).items == expected
        assert result.left_out[0].file == name
        assert result.left_out[0].reason.startswith("it can't be read")


# ----------------------------------------------------------- whatever a checksum proves, anywhere

JUNK = [b"\n", b"\xef\xbb\xbf", b"\0" * 16]
LOG_COPY = a_store()["log"]


def moved(files: Files, **names: str) -> dict[str, bytes]:
    """The same files under other names: `log="FOO"`, or `s1=...` for segment 1."""
    known = {"log": "log", **{f"s{at}": name for at, name in enumerate(NAMES)}}
    other = {known[short]: name for short, name in names.items()}
    return {other.get(name, name): data for name, data in files.items()}


def rearranged() -> dict[str, dict[str, bytes]]:
    """Stores that can't be opened, or not as they were, and that lost no frame."""
    files, far = a_store(), b"x" * 5000
    early, late = LOG_COPY[: HEAD_END + len(FRAMES[0])], LOG_COPY[HEAD_END + len(FRAMES[0]) :]
    stranger = a_store(items={**OLD, b"beta": b"\7\7"})[NAMES[1]]
    cases = {
        "a segment under another name": moved(files, s1="FOO"),
        "all segments under other names": moved(files, s0="a", s1="log.1", s2="log.bak"),
        "two segments that changed their names": moved(files, s0=NAMES[1], s1=NAMES[0]),
        "a segment in capitals": moved(files, s1=NAMES[1].upper()),
        "a segment damaged, but not in a copy": {
            **files,
            NAMES[1]: b"",
            "copy": files[NAMES[1]],
        },
        "all segments in one file": {
            "log": files["log"],
            "all": b"".join(files[name] for name in NAMES),
        },
        "a segment behind the log": {
            **{name: data for name, data in files.items() if name != NAMES[1]},
            "log": LOG_COPY + files[NAMES[1]],
        },
        "a frame without a preamble": {**files, NAMES[1]: files[NAMES[1]][8:]},
        "another store's segment beside it": {**moved(files, s1="FOO"), "BAR": stranger},
        "another store's segment in its place": {
            **files,
            NAMES[1]: stranger,
            "FOO": far + files[NAMES[1]] + far,
        },
        "the log under another name": moved(files, log="FOO"),
        "the log as log.new": moved(files, log="log.new"),
        "the log as log.new, and an empty one": {**moved(files, log="log.new"), "log": b""},
        "the head damaged, but not in a copy": {
            **files,
            "log": bytes(HEAD_END),
            "log.old": LOG_COPY,
        },
        "the log cut, but not a copy": {**files, "log": LOG_COPY[:70], "log.bak": LOG_COPY},
        "the log cut between frames": {**files, "log": early, "log.bak": LOG_COPY},
        "the log in two files": {**files, "log": early, "rest": late},
        "the log in two files, far inside": {**files, "log": early, "rest": far + late + far},
        "a frame damaged, but not in a copy": {
            **files,
            "log": early[:-1] + b"?" + late,
            "FOO": LOG_COPY[:-40],
        },
        "frames out of order": a_store(*FRAMES[2:4], FRAMES[0], FRAMES[5], FRAMES[4], FRAMES[1]),
    }
    for junk in JUNK:
        for name in files:
            cases[f"{junk!r} before {name}"] = {**files, name: junk + files[name]}
        for name in NAMES:
            cases[f"{junk!r} behind {name}"] = {**files, name: files[name] + junk}
    for name, data in files.items():
        for bad in (b"KVLIB\0\0\1", bytes(8), b"kvlib\0\xff\xff", b"kvlib\0\0\0"):
            cases[f"{bad!r} as preamble of {name}"] = {**files, name: bad + data[8:]}
    return cases


REARRANGED = rearranged()


@pytest.mark.parametrize("case", REARRANGED)
def test_whatever_a_checksum_proves_is_saved(case: str) -> None:
    """Wherever it stands, and whatever its file is called; what is unusual is told."""
    files = REARRANGED[case]
    result, items = saved(files)
    assert items == after(OLD)
    findings = (*result.notes, *result.left_out)
    assert findings
    for finding in findings:
        size = len(files.get(finding.file, b""))
        assert 0 <= finding.offset <= size >= finding.size >= 0


def test_what_was_not_used_is_told_byte_by_byte() -> None:
    """File, offset and number of bytes: around a segment, and where it was found."""
    files = a_store()
    data = files.pop(NAMES[1])
    files["FOO"] = b"\n\n" + data + b"tail"
    files[NAMES[0]] += b"\r\n"
    result, _ = saved(files)
    assert result.complete
    words = "outside of any whole frame, so not used"
    assert result.notes == (
        Finding("FOO", 10, len(data) - 8, "segment 1 of 3 of generation 3, found here"),
        Finding(NAMES[0], len(a_store()[NAMES[0]]), 2, words),
        Finding("FOO", 0, 2, words),
        Finding("FOO", 2 + len(data), 4, words),
    )


def test_very_many_segments_in_one_file_take_linear_work() -> None:
    """20,000 of them, each with a byte between; a quadratic search would take minutes."""
    items: Items = {"a": "x" * 80_000}
    files = a_store(CLOSE, items=items, size=12)
    data = b"!".join(files[name] for name in sorted(without_log(files)))
    result, found = saved({"log": files["log"], "FOO": data})
    assert found == items
    assert len(result.notes) > 40_000


def other_store(generation: int) -> dict[str, bytes]:
    """A store of the same form that has nothing to do with ours."""
    sealed = [frame(b"M", generation + at, put("evil", str(at)), SALT + 1) for at in range(1, 4)]
    evil: Items = {"evil": "0", "alpha": "evil"}
    return store_files(evil, *sealed, generation=generation, salt=SALT + 1)


@pytest.mark.untraced
@pytest.mark.parametrize("generation", [1, GENERATION, GENERATION + 1])
@pytest.mark.parametrize("where", ["snapshot", "log", "both"])
def test_another_store_in_a_value_stays_a_value(where: str, generation: int) -> None:
    """Whichever byte is damaged, and with any head: its records are never taken for ours."""
    inner = b"".join(other_store(generation).values())
    items: Items = {"value": inner} if where != "log" else {"x": "y"}
    frames = [frame(b"M", GENERATION + 1, put("value", inner), SALT)] if where != "snapshot" else []
    files = store_files(items, *frames, generation=GENERATION, salt=SALT)
    heads = [files["log"], b"", files["log"][:9] + bytes(HEAD_END - 9) + files["log"][HEAD_END:]]
    for name in files:
        for head in heads if name != "log" else heads[:1]:
            data = {**files, "log": head}[name]
            for at in range(0, len(data), 5):
                for spoilt in (
                    data[:at] + b"\xa5" + data[at + 1 :],
                    data[:at],
                    bytes(at) + data[at:],
                ):
                    _, found = saved({**files, "log": head, name: spoilt})
                    assert not {"evil", "alpha"} & found.keys()


def test_two_segments_for_one_place_are_not_chosen_by_chance() -> None:
    """Without a head that says which is right, what stands before them is all that is sure."""
    other = a_store(items={**OLD, b"beta": b"\7\7"})
    files = {**moved(a_store(), s1="FOO"), "BAR": other[NAMES[1]], "log": b""}
    result, items = saved(files)
    assert items == before_segment(1)
    assert "is in several files, all different" in result.left_out[1].reason


def test_many_segments_for_one_place_take_bounded_work() -> None:
    """Whole copies are one; of many different ones only so many combinations are tried."""
    files = a_store()
    copies = {f"copy{at}": b"".join(files[name] for name in NAMES) for at in range(50)}
    assert saved({**copies, "log": files["log"]})[1] == after(OLD)
    several = {
        f"copy{at}{name}": PREAMBLE + frame(b"S", GENERATION, data[25:33] + bytes([at]) * 32)
        for at in range(100)
        for name, data in without_log(files).items()
    }
    result, items = saved({**moved(files, s0="z0", s1="z1", s2="z2"), **several})
    assert items == after({})
    assert not result.complete


def test_a_copy_that_went_its_own_way_is_not_mixed_in() -> None:
    """Under one number it says something else: none of its frames is used, and it is told."""
    another = frame(b"M", GENERATION + 1, put("alpha", "other"), SALT)
    more = frame(b"M", GENERATION + 7, put("more", "1"), SALT)
    copy = LOG_COPY[:HEAD_END] + another + b"".join(FRAMES[1:]) + more
    result, items = saved({**a_store(*FRAMES), "copy": copy})
    assert items == after(OLD)
    (note,) = result.notes
    assert note.reason == "another history: its frame 4 is different, so it is not used"


def test_numbers_that_are_missing_before_those_of_another_file_are_listed() -> None:
    """They are a hole like any other."""
    late = frame(b"M", GENERATION + 9, put("late", "1"), SALT)
    result, items = saved({**a_store(*FRAMES), "rest": late})
    assert items == {**after(OLD), "late": "1"}
    end = len(LOG_COPY) - len(CLOSE)
    reason = "the log ends; 2 sequence numbers are missing, 10 to 11: everything from 12 on was"
    assert result.left_out == (Finding("log", end, 0, reason + " applied after a hole"),)


def test_numbers_that_are_missing_on_both_sides_of_another_files_are_counted() -> None:
    """What was found there is not among them."""
    result, items = saved({**a_store(FRAMES[0], FRAMES[5]), "rest": FRAMES[1] + FRAMES[4]})
    assert items == after(OLD, 2, 3)
    assert "2 sequence numbers are missing, 6 to 7: " in result.left_out[0].reason


def test_a_copied_head_without_its_snapshot_is_left_out() -> None:
    """Its mutations would change a snapshot that it doesn't belong to."""
    newer = store_files({"x": "y"}, *FRAMES, generation=GENERATION + 1, salt=SALT)["log"]
    result, items = saved({**a_store(), "log": b"", "log.new": newer})
    assert items == OLD
    assert [(one.file, one.offset, one.size) for one in result.left_out] == [
        ("log", 0, 0),
        ("log.new", 8, len(newer) - 8),
    ]


def test_whole_frames_that_could_be_a_values_are_listed() -> None:
    """Far inside a file, and without a head that vouches for them."""
    (sealed,) = without_log(store_files(OLD)).values()
    result, _ = saved({"log": b"", "FOO": b"x" * 100 + sealed + sealed})
    assert not result.stored
    reason = "2 whole frames of a snapshot, perhaps part of a value: no head names this"
    assert result.left_out[-1] == Finding("FOO", 108, 2 * (len(sealed) - 8), reason + " snapshot")


def test_a_file_made_to_search_for_ever_costs_bounded_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of places that look like long segments: the budget is kept."""
    calls: list[int] = []

    def unseal(data: bytes, offset: int = 0, salt: int = 0) -> kvlib.frame.Frame:
        calls.append(int.from_bytes(data[offset + 4 : offset + 8], "big"))
        return kvlib.unseal(data, offset, salt)

    monkeypatch.setattr(kvlib.salvage.sealed, "unseal", unseal)
    number, lure = 10_000, struct.Struct(">IIQc")
    lures = b"".join(lure.pack(1, (number - at - 1) * 17, 1, b"S") for at in range(number))
    result, items = saved({**a_store(), NAMES[1]: b"", "lures": lures})
    assert items == after(before_segment(1))
    assert sum(calls) <= 66 * len(lures)
    assert result.notes[-1].reason.endswith("searching forever")


def test_a_store_of_nothing_but_strange_names(tmp_path: Path) -> None:
    """Also names that no store gives; each is shown in one line."""
    strange = ["a\nb", "-rf", "\u202ex", "back\\slash"] if os.name != "nt" else ["a", "b", "c", "d"]
    for name, data in zip(strange, a_store().values(), strict=True):
        (tmp_path / name).write_bytes(data)
    result = salvage(tmp_path, new := MemoryDisk())
    assert recovery.recover_without_lock(new).items == after(OLD)
    assert all(line.isprintable() for line in report(result, "new"))


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_links_are_read_where_they_lead(tmp_path: Path) -> None:
    """Outside the store, through other links, and as hard links; each is told."""
    store, elsewhere = tmp_path / "store", tmp_path / "elsewhere"
    store.mkdir()
    elsewhere.mkdir()
    for name, data in a_store().items():
        (elsewhere / name).write_bytes(data)
    (store / "log").symlink_to(elsewhere / "log")
    (store / NAMES[0]).symlink_to(Path("..") / "elsewhere" / NAMES[0])
    (elsewhere / "chain").symlink_to(elsewhere / NAMES[1])
    (store / "FOO").symlink_to(elsewhere / "chain")
    (store / "BAR").hardlink_to(elsewhere / NAMES[2])
    before = picture(elsewhere)
    result = salvage(store, new := MemoryDisk())
    assert recovery.recover_without_lock(new).items == after(OLD)
    assert picture(elsewhere) == before
    told = {note.file for note in result.notes if note.reason.startswith("it is a link")}
    assert told == {"log", NAMES[0], "FOO"}


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
def test_what_is_no_file_is_skipped_with_a_word(tmp_path: Path) -> None:
    """Nothing is waited for: folders, pipes, devices, links to them, to nothing, in a circle."""
    for name, data in a_store().items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / NAMES[2]).unlink()
    os.mkfifo(tmp_path / NAMES[2])
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / NAMES[2]).write_bytes(a_store()[NAMES[2]])
    os.mkfifo(tmp_path / "pipe")
    for name, target in (
        ("device", "/dev/zero"),
        ("to-pipe", "pipe"),
        ("to-folder", "folder"),
        ("nowhere", "nothing"),
        ("circle", "circle"),
    ):
        (tmp_path / name).symlink_to(target)
    result = salvage(tmp_path, new := MemoryDisk())
    assert recovery.recover_without_lock(new).items == after(before_segment(2))
    told = {note.file: note.reason for note in result.notes}
    for name in ("folder", "pipe", "device", "to-pipe", "to-folder", NAMES[2]):
        assert "is not a regular file" in told[name]
    assert "leads nowhere" in told["nowhere"]
    assert "can't be read" in told["circle"]
    assert result.left_out[0].file == NAMES[2]


@pytest.mark.skipif(os.name == "nt", reason="needs links, and names with a backslash")
def test_another_kind_of_disk_says_itself_what_it_reads(tmp_path: Path) -> None:
    """Only of a directory we know where a link leads, and how to read a strange name."""
    for name, data in a_store().items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / NAMES[1]).rename(tmp_path / "a\\b")
    (tmp_path / NAMES[1]).symlink_to("a\\b")
    result = salvage(FaultyDisk(DirectoryDisk(tmp_path)), new := MemoryDisk())
    assert recovery.recover_without_lock(new).items == after(before_segment(1))
    told = {note.file: note.reason for note in result.notes}
    assert "is not a regular file" in told[NAMES[1]]
    assert "is not a plain file name" in told["a\\b"]


def test_what_no_head_proves_must_be_in_its_place() -> None:
    """With another segment lost, the stream can't be checked: far inside a file it is nobody's."""
    files = a_store()
    del files[NAMES[2]]
    far = b"x" * 100 + files.pop(NAMES[1])
    assert saved({**files, "FOO": far})[1] == after(before_segment(1))
    assert saved({**files, "FOO": far[90:]})[1] == after(before_segment(2))


def test_a_segment_that_says_nothing_is_none() -> None:
    """Its frame is whole, and its number is not among its total."""
    files = {**a_store(), NAMES[1]: PREAMBLE + frame(b"S", GENERATION, struct.pack(">II", 3, 3))}
    assert saved(files)[1] == after(before_segment(1))


def test_a_head_that_comes_back_is_none_that_was_missing() -> None:
    """Somebody mended the log while it was read: the next reading sees it."""
    source = ShiftyDisk({**a_store(), "log": b""}, "log", 3, a_store()["log"])
    assert salvage(source, MemoryDisk()).complete


def test_a_file_larger_than_the_memory_is_told() -> None:
    """It is one that can't be read."""
    source = FaultyDisk(disk_of({**a_store(), NAMES[1]: b"", "huge": b""}))
    source.fault = Fault("read", "huge", error=MemoryError, for_ever=True)
    result = salvage(source, new := MemoryDisk())
    assert recovery.recover_without_lock(new).items == after(before_segment(1))
    reason = "it can't be read: it doesn't fit in memory"
    assert result.notes[-1] == Finding("huge", 0, 0, reason)


class ShiftyDisk(MemoryDisk):
    """A disk on which a file changes, or vanishes, each time that it was read so many times."""

    def __init__(self, files: Files, name: str, reads: int, data: bytes | None) -> None:
        super().__init__()
        for file, there in files.items():
            self.write(file, there)
        self._name, self._left, self._data = name, reads, data

    def read(self, name: str) -> bytes:
        if name == self._name:
            self._left -= 1
            if self._left < 0:
                if self._data is None:
                    raise FileNotFoundError(name)
                return self._data
        return super().read(name)


@pytest.mark.parametrize("reads", range(5))
@pytest.mark.parametrize("data", [None, b"", a_store()[NAMES[2]]])
def test_files_that_change_meanwhile_are_no_traceback(reads: int, data: bytes | None) -> None:
    """What was read first may be gone, or be another, when it is looked at again."""
    files = {**a_store(), NAMES[2]: b"x", NAMES[0]: b"y"}
    for name in (NAMES[0], NAMES[2], "extra"):
        source = ShiftyDisk({**files, "extra": b""}, name, reads, data)
        with suppress(KvlibError):
            assert salvage(source, MemoryDisk()).left_out


# ------------------------------------------------------------------------------------- any bytes


def written() -> set[tuple[Field, Field]]:
    """All that any mutation or snapshot of the history ever wrote."""
    pairs = [*OLD.items(), *HISTORY]
    return {(key, value) for key, value in pairs if value is not None}


def mutants(count: int, seed: int) -> Iterator[dict[str, bytes]]:
    """Damaged stores: bits flipped, bytes set, cut, doubled, swapped, zeroed; files lost, mixed."""
    chance = random.Random(seed)
    leftover = without_log(store_files({"alpha": "1"}, generation=2))
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
    """5,000 damaged stores: no other exception, no record that was never written, and what is
    called complete is what opening gives.
    """
    pairs, outcomes = written(), {"complete": 0, "part": 0, "nothing": 0, "error": 0}
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
        assert items.items() <= pairs
        if result.complete:
            outcomes["complete"] += 1
            try:
                assert opened(files) == items
            except (CorruptionError, VersionError):
                assert result.notes
        else:
            outcomes["part"] += 1
    assert min(outcomes.values()) > 50, outcomes


@given(
    st.dictionaries(st.sampled_from(["log", "log.new", *NAMES]), st.binary(max_size=200)),
    st.booleans(),
)
def test_any_bytes_give_a_result_or_an_error_of_ours(files: dict[str, bytes], head: bool) -> None:
    """Also behind a head that is right, and in segments that are."""
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
    """Bytes under a checksum that is right are not believed either."""
    frames = [
        frame(b"MmCS"[at % 4 :][:1], GENERATION + 1 + at, data, SALT)
        for at, data in enumerate(payloads)
    ]
    pieces = {
        name: PREAMBLE + frame(b"S", GENERATION, struct.pack(">II", at, len(payloads)) + data)
        for at, (name, data) in enumerate(zip(NAMES, payloads, strict=False))
    }
    for files in (a_store(*frames, CLOSE), {**a_store(*frames), **pieces}, pieces):
        try:
            result = salvage(disk_of(files), MemoryDisk())
        except MissingError:
            assert not files
        else:
            assert result.complete or result.left_out


def test_many_generations_take_linear_work() -> None:
    """1,000 leftovers without a head: each is listed once, and read a few times at most."""
    source = FaultyDisk(disk_of({f"{at:016x}.00000000.segment": b"" for at in range(1_000)}))
    result = salvage(source, MemoryDisk())
    assert len(result.left_out) == 1_001
    assert not result.stored
    assert len(source.calls) < 4_000
    assert source.calls.count(("names", "")) == 1


def test_a_head_that_claims_everything_is_not_believed() -> None:
    """2**32 - 1 segments of 2**64 - 1 bytes: what is there is read, and no more."""
    head = head_payload(b"", salt=SALT, segments=2**32 - 1, stream_length=2**64 - 1, stream_crc=0)
    files = {**a_store(), "log": PREAMBLE + frame(b"H", GENERATION, head) + b"".join(FRAMES)}
    assert saved(files)[1] == after({})
    segment = PREAMBLE + frame(
        b"S", 2**63, struct.pack(">II", 0, 2**32 - 1) + b"\xff" * 4 + put("a", "b")[1:]
    )
    result, items = saved({f"{2**63:016x}.00000000.segment": segment})
    assert items == {"a": "b"}
    assert result.left_out[1].reason == (
        "segment 1 of 4294967295 is missing; 1 record of 4,294,967,295 before it"
    )


# -------------------------------------------------------------------------------------- in words


def test_the_report_says_what_came_over_and_what_did_not() -> None:
    """In 80 columns, each finding with file, offset, bytes and reason."""
    files = a_store(FRAMES[0], b"noise", *FRAMES[2:], CLOSE[:-1])
    del files[NAMES[1]]
    result, _ = saved(files)
    text = "\n".join(report(result, "new"))
    assert text == (
        "new: 4 records, not everything was saved\n"
        "left out:\n"
        "  0000000000000003.00000001.segment, offset 0, 0 bytes\n"
        "    segment 1 of 3 is missing; 1 record of 4 before it\n"
        "  0000000000000003.00000000.segment, offset 53, 12 bytes\n"
        "    a record that ends in the lost part\n"
        "  0000000000000003.00000002.segment, offset 0, 40 bytes\n"
        "    1 segment from here on: it is unknown where a record begins after the hole\n"
        f"  log, offset {HEAD_END + 36}, 5 bytes\n"
        "    length 1707368261, but only 137 bytes are left; 1 sequence number is\n"
        "    missing, 5: everything from 6 on was applied after a hole\n"
        "wrong, but no loss:\n"
        f"  log, offset {HEAD_END + 174}, 16 bytes\n"
        "    a torn tail, which recovery drops too"
    )


def test_the_report_of_everything_and_of_nothing() -> None:
    """One line each, if there is no more to say."""
    assert list(report(Salvage(1, (), ()), "new")) == ["new: 1 record, everything was saved"]
    nothing = Salvage(0, (Finding("log", 0, 0, "it is missing"),), ())
    assert next(report(nothing, "new")) == "nothing could be saved; there is no store at new"


FLAWS: list[tuple[str, int, str]] = [
    ("log", 0, "preamble.magic"),
    ("log", 9, "head.crc"),
    ("log", 37, "head.stream_length"),
    ("log", HEAD_END + 3, "frame[0].crc"),
    (NAMES[0], 25, "segment.index"),
]


@pytest.mark.parametrize(("name", "offset", "field"), FLAWS)
def test_advice_names_the_field_and_what_can_be_done(
    tmp_path: Path, name: str, offset: int, field: str
) -> None:
    """The field as a dump calls it; the commands can be copied as they are."""
    store = tmp_path / "my store"
    store.mkdir()
    for file, data in a_store().items():
        (store / file).write_bytes(data)
    error = CorruptionError(str(store / name), offset, "because")
    quote = '"' if os.name == "nt" else "'"
    for path in (store, store / name):
        assert list(advice(error, str(path))) == [
            f"  the field there: {field}",
            "  what you can do:",
            "    restore a backup, if there is one",
            f"    kvlib salvage {quote}{store}{quote} NEW",
            "      writes everything that still verifies to a new store, NEW",
            f"    kvlib dump {quote}{store / name}{quote}",
            "      shows every byte, labelled",
        ]


def test_a_finding_reads_as_one_line() -> None:
    """File, offset, bytes and reason."""
    assert str(Finding("log", 9, 1, "why")) == "log, offset 9, 1 byte: why"


def test_advice_where_bytes_are_missing(tmp_path: Path) -> None:
    """The place at the end has a name; a file that is not there has none."""
    (tmp_path / "bytes").write_bytes(b"s\0\0\0\0s\0")
    text = list(advice(CorruptionError(str(tmp_path / "bytes"), 7, ""), str(tmp_path / "bytes")))
    assert not [line for line in text if "salvage" in line]
    (tmp_path / "log").write_bytes(PREAMBLE)
    text = list(advice(CorruptionError(str(tmp_path / "log"), 8, ""), str(tmp_path)))
    assert text[0] == "  the field there: head.missing"
    for path in ("the stream of generation 3", str(tmp_path / NAMES[0]), None):
        text = list(advice(CorruptionError(path, 0, ""), str(tmp_path)))
        assert text[0] == "  what you can do:"
        assert f"    kvlib dump {tmp_path}" in text
