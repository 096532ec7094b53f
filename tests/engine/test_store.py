"""Both stores: as mappings, through crashes and failures, behind locks, and among threads."""

import functools
import gc
import operator
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import pytest

import kvlib
from helpers.vocabulary import (
    AWKWARD,
    HEAD_END,
    Call,
    ChangingDisk,
    Fault,
    FaultyDisk,
    Field,
    delete,
    disk_of,
    every_cut,
    files_of,
    flip_bit,
    frame,
    put,
    python_command,
    run_python,
    store_files,
    survivor,
)
from kvlib import (
    CorruptionError,
    DirectoryDisk,
    Disk,
    DurableStore,
    KvlibError,
    LockedError,
    MemoryDisk,
    MissingError,
    Recovery,
    Status,
    WriteRefusedError,
)

ENGINE = os.path.dirname(kvlib.__file__)
SALT = 0xABCD
OLD: dict[Field, Field] = {"old": "1"}


def closed_store(**changes: Any) -> dict[str, bytes]:
    """The files of a store that holds `old`, and was closed."""
    generation = changes.get("generation", 1)
    close = frame(b"C", generation + 1, b"", SALT)
    return store_files(OLD, close, salt=SALT, **changes)


def frames_of(disk: Disk) -> list[tuple[str, int, int]]:
    """Kind, sequence and length of the payload of each frame behind the log's head."""
    log = disk.read("log")
    found, offset = [], HEAD_END
    while offset < len(log):
        length = int.from_bytes(log[offset + 4 : offset + 8], "big")
        sequence = int.from_bytes(log[offset + 8 : offset + 16], "big")
        found.append((chr(log[offset + 16]), sequence, length))
        offset += 17 + length
    return found


def kinds_of(disk: Disk) -> str:
    """The kinds of the frames behind the log's head, as letters."""
    return "".join(kind for kind, _, _ in frames_of(disk))


def changes_of(disk: FaultyDisk) -> list[Call]:
    """The calls that change a disk."""
    return [call for call in disk.calls if call[0] not in ("read", "names", "entropy")]


def content(disk: Disk) -> dict[Field, Field]:
    """What opening the disk after the death of the process gives."""
    with kvlib.open(survivor(disk)) as store:
        return dict(store)


# --- both are mappings ----------------------------------------------------------------------------


@pytest.fixture(params=["Store", "on MemoryDisk", "on a directory"])
def mapping(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A Store, and a DurableStore on each medium."""
    if request.param == "Store":
        yield kvlib.Store()
        return
    with kvlib.open(MemoryDisk() if "Memory" in request.param else tmp_path / "d") as store:
        yield store


def test_a_store_is_a_mutable_mapping(mapping: Any) -> None:
    """Whatever a dict does, a store does."""
    assert issubclass(type(mapping), MutableMapping)
    mapping["a"] = "1"
    mapping[b"a"] = b"2"
    mapping.put("b", "3")
    assert (mapping["a"], mapping[b"a"], mapping.get("b")) == ("1", b"2", "3")
    assert (len(mapping), list(mapping), "a" in mapping, "c" in mapping) == (
        3,
        ["a", b"a", "b"],
        True,
        False,
    )
    assert mapping.setdefault("a", "x") == "1"
    assert mapping.setdefault("c", "4") == "4"
    assert mapping.pop("a") == "1"
    assert mapping.pop("a", None) is None
    assert dict(mapping) == {b"a": b"2", "b": "3", "c": "4"}
    assert mapping == {b"a": b"2", "b": "3", "c": "4"}
    key, value = mapping.popitem()
    assert {key: value}.items() < {b"a": b"2", "b": "3", "c": "4"}.items()
    mapping.update({"d": "5"}, e=b"6")
    mapping.update([("f", "7")])
    assert (mapping["d"], mapping["e"], mapping["f"]) == ("5", b"6", "7")
    mapping.clear()
    assert (len(mapping), dict(mapping), bool(mapping)) == (0, {}, False)


def test_a_missing_key_is_a_key_error_or_none(mapping: Any) -> None:
    """As in a dict; `delete` returns where `del` complains."""
    assert mapping.get("a") is None
    assert mapping.get("a", "else") == "else"
    with pytest.raises(KeyError, match="a"):
        mapping["a"]
    with pytest.raises(KeyError, match="a"):
        del mapping["a"]
    with pytest.raises(KeyError, match="a"):
        mapping.pop("a")
    mapping.delete("a")
    mapping["a"] = "1"
    mapping.delete("a")
    mapping[b"a"] = "1"
    del mapping[b"a"]
    assert dict(mapping) == {}


def test_awkward_keys_stay_apart_in_a_store(mapping: Any) -> None:
    """Each has a value of its own."""
    for at, key in enumerate(AWKWARD):
        mapping[key] = f"{at}"
    assert dict(mapping) == {key: f"{at}" for at, key in enumerate(AWKWARD)}


def test_get_is_the_dicts_own_method(mapping: Any) -> None:
    """No Python function stands around it, and it goes on to see every change."""
    get = mapping.get
    assert isinstance(get.__self__, dict)
    mapping["a"] = "1"
    assert get("a") == "1"
    mapping.clear()
    assert get("a") is None


@pytest.mark.parametrize("wrong", [0, None, True, 1.5, bytearray(b"a"), ["a"]], ids=repr)
def test_other_types_are_refused_and_change_nothing(mapping: Any, wrong: Any) -> None:
    """A key or value of another type is a TypeError; what was there stays."""
    mapping["a"] = "1"
    attempts: list[Callable[[], object]] = [
        lambda: mapping.put("a", wrong),
        lambda: mapping.put(wrong, "a"),
        lambda: mapping.update({"b": "2", "a": wrong}),
        lambda: mapping.setdefault("c", wrong),
    ]
    for attempt in attempts:
        with pytest.raises(TypeError):
            attempt()
    mapping.pop("b", None)
    assert dict(mapping) == {"a": "1"}


def test_lone_surrogates_are_refused_and_change_nothing(mapping: Any) -> None:
    """What has no UTF-8 can't be stored, so it is not taken."""
    for key, value in (("\ud800", "v"), ("k", "\udfff"), ("a\ud800b", b"")):
        with pytest.raises(ValueError, match="surrogate"):
            mapping.put(key, value)
    assert dict(mapping) == {}


def test_a_store_says_how_many_keys_it_has(mapping: Any) -> None:
    """Its repr is short however much it holds."""
    mapping.update({"a": "1", "b": "2"})
    assert repr(mapping).startswith(f"<{type(mapping).__name__}")
    assert ": 2 keys" in repr(mapping)


# --- Store ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "directory"])
def test_serialize_and_deserialize_any_number_of_times(kind: str, tmp_path: Path) -> None:
    """A place holds what was serialized last, exactly, also when that was empty."""
    place: Any = MemoryDisk() if kind == "memory" else tmp_path / "d"
    store, other = kvlib.Store(), kvlib.Store()
    contents: list[dict[Field, Field]] = [{"a": "1", b"a": b"2"}, {}, {"c": "3"}]
    for items in contents:
        store.clear()
        store.update(items)
        store.serialize(place, max_segment_size=12)
        other["gone"] = "afterwards"
        get = other.get
        other.deserialize(place)
        assert dict(other) == items
        assert get("c") == items.get("c")


def test_a_serialized_place_is_a_store_to_go_on_from(tmp_path: Path) -> None:
    """One layout, one loader: Store and DurableStore read each other's places."""
    store = kvlib.Store()
    store["a"] = "1"
    store.serialize(tmp_path)
    with kvlib.open(tmp_path) as durable:
        assert dict(durable) == {"a": "1"}
        durable["b"] = "2"
        durable.compact()
        durable["c"] = "3"
    store.deserialize(tmp_path)
    assert dict(store) == {"a": "1", "b": "2", "c": "3"}
    store.serialize(tmp_path)
    with kvlib.open(tmp_path) as durable:
        assert dict(durable) == {"a": "1", "b": "2", "c": "3"}
        assert durable.status().compactions == 1


def test_serialize_takes_the_next_generation() -> None:
    """One more than the last sequence of the log that it replaces; compactions are kept."""
    files = store_files(OLD, frame(b"M", 8, put("a", "1"), SALT), generation=7, salt=SALT)
    disk = disk_of(files)
    store = kvlib.Store()
    store.serialize(disk)
    assert disk.names() == ["0000000000000009.00000000.segment", "log"]
    assert dict(kvlib.open(disk, read_only=True)) == {}


def test_a_place_in_use_is_not_serialized_over(tmp_path: Path) -> None:
    """A writer's lock counts for Store too, and reading needs none."""
    store = kvlib.Store()
    with kvlib.open(tmp_path) as durable:
        durable["a"] = "1"
        with pytest.raises(LockedError):
            store.serialize(tmp_path)
        store.deserialize(tmp_path)
        assert dict(store) == {"a": "1"}
    store.serialize(tmp_path)


def test_a_damaged_place_is_not_serialized_over() -> None:
    """What is refused for reading might still be rescued, so it is not replaced."""
    files = closed_store()
    files["log"] = flip_bit(files["log"], 100)
    disk = disk_of(files)
    with pytest.raises(CorruptionError):
        kvlib.Store().serialize(disk)
    assert files_of(disk) == files


def test_a_missing_place_is_not_deserialized(tmp_path: Path) -> None:
    """No store is no empty store; memory stays, and nothing is made."""
    store = kvlib.Store()
    store["a"] = "1"
    places: list[Any] = [MemoryDisk(), tmp_path / "missing", str(tmp_path / "missing"), tmp_path]
    for place in places:
        with pytest.raises(MissingError, match="no store"):
            store.deserialize(place)
    assert dict(store) == {"a": "1"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [8, 0, -1])
def test_a_bad_segment_size_publishes_nothing(size: int) -> None:
    """The mistake is found before any file is written."""
    disk = MemoryDisk()
    with pytest.raises(ValueError, match="max_segment_size"):
        kvlib.Store().serialize(disk, max_segment_size=size)
    with pytest.raises(ValueError, match="max_segment_size"):
        kvlib.open(disk, max_segment_size=size)
    assert disk.names() == []


@pytest.mark.parametrize("kind", ["own", "memory", "directory"])
def test_shutdown_writes_and_clears_and_restore_replaces(kind: str, tmp_path: Path) -> None:
    """To and from the store's medium; without a snapshot, restore makes it empty."""
    medium: Any = {"own": None, "memory": MemoryDisk(), "directory": tmp_path / "d"}[kind]
    store = kvlib.Store(medium=medium)
    store.set("a", "1")
    store.restore()
    assert dict(store) == {}
    store.set("a", "1")
    store.set("", b"")
    store.shutdown()
    assert dict(store) == {}
    store.set("not", "merged")
    store.restore()
    assert dict(store) == {"a": "1", "": b""}
    if medium is not None:
        other = kvlib.Store(medium=medium)
        other.restore()
        assert dict(other) == dict(store)


def test_a_failed_shutdown_keeps_memory() -> None:
    """Memory is cleared only once the bytes are written."""
    disk = FaultyDisk()
    store = kvlib.Store(medium=disk)
    store["a"] = "1"
    disk.fault = Fault("sync", "log.new")
    with pytest.raises(OSError, match="No space"):
        store.shutdown()
    assert dict(store) == {"a": "1"}


# --- the log, byte for byte -----------------------------------------------------------------------


def test_a_store_writes_these_bytes() -> None:
    """Creation, put, delete, update, batch, clear and close, against files made by hand."""
    disk = MemoryDisk(seed=11)
    salt = int.from_bytes(MemoryDisk(seed=11).entropy(4), "big")
    with kvlib.open(disk) as store:
        store["café"] = b"menu"
        store.delete("missing")
        store.update({"a": "1", "b": "2"}, c="3")
        with store.batch():
            del store["a"]
            store["b"] = "4"
            store.update({"d": "5"})
        store.clear()
    frames = [
        put("café", b"menu"),
        delete("missing"),
        put("a", "1") + put("b", "2") + put("c", "3"),
        delete("a") + put("b", "4") + put("d", "5"),
        delete("café") + delete("b") + delete("c") + delete("d"),
    ]
    sealed = [frame(b"M", 2 + at, payload, salt) for at, payload in enumerate(frames)]
    assert files_of(disk) == store_files({}, *sealed, frame(b"C", 7, b"", salt), salt=salt)


def test_the_same_operations_give_the_same_bytes(tmp_path: Path) -> None:
    """With a seeded source of randomness a directory's pictures never change."""
    for name in ("one", "two"):
        disk = DirectoryDisk(tmp_path / name, entropy=MemoryDisk(seed=5).entropy)
        with kvlib.open(disk) as store:
            store["a"] = "1"
            store.compact()
            store["b"] = "2"
    one = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    two = {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}
    assert one == two


def test_each_log_has_a_salt_of_its_own() -> None:
    """So that no frame of an older log can pass for one of a newer."""
    disk = MemoryDisk()
    salts = set()
    with kvlib.open(disk) as store:
        for _ in range(5):
            salts.add(disk.read("log")[25:29])
            store.compact()
    assert len(salts) == 5


# --- acknowledged is kept -------------------------------------------------------------------------


def test_what_was_acknowledged_survives_the_death_of_the_process() -> None:
    """After each of many mutations, what a dead process leaves holds exactly the dict's state."""
    disk = MemoryDisk()
    store, expected = kvlib.open(disk, threshold=3), dict[Field, Field]()
    for at, key in enumerate(AWKWARD * 2):
        if at % 5 == 4:
            store.delete(key)
            expected.pop(key, None)
        else:
            store[key] = expected[key] = f"value {at}"
        assert content(disk) == expected


@pytest.mark.parametrize("kind", ["memory", "directory"])
def test_a_closed_store_goes_on_in_its_log(kind: str, tmp_path: Path) -> None:
    """Nothing is replayed twice or published: the log grows behind its CLOSE."""
    disk: Any = MemoryDisk() if kind == "memory" else DirectoryDisk(tmp_path)
    for at in range(4):
        with kvlib.open(disk) as store:
            assert store.recovered == Recovery(at, None, 0)
            assert store.status().pending == at
            store["k"] = f"{at}"
    assert frames_of(disk) == [
        ("M", 2, 13),
        ("C", 3, 0),
        ("M", 4, 13),
        ("C", 5, 0),
        ("M", 6, 13),
        ("C", 7, 0),
        ("M", 8, 13),
        ("C", 9, 0),
    ]


def test_a_store_that_was_not_closed_gets_a_fresh_snapshot() -> None:
    """Never append behind a doubtful tail; the generation is one more than the last sequence."""
    disk = MemoryDisk()
    store = kvlib.open(disk)
    store["a"] = "1"
    store["b"] = "2"
    after = survivor(disk)
    again = kvlib.open(after)
    assert again.recovered == Recovery(2, None, 0)
    status = again.status()
    assert (status.generation, status.pending, status.compactions) == (4, 0, 0)
    assert after.names() == ["0000000000000004.00000000.segment", "log"]
    assert dict(again) == {"a": "1", "b": "2"}


def test_a_torn_tail_is_dropped_and_reported() -> None:
    """At every cut: what is whole is kept, offset and bytes are told, and writing goes on."""
    parts = [frame(b"M", 2 + at, put(f"k{at}", "v"), SALT) for at in range(3)]
    files = store_files(OLD, *parts, salt=SALT)
    for cut in every_cut(b"".join(parts)):
        disk = disk_of({**files, "log": files["log"][:HEAD_END] + cut})
        whole = len(cut) // len(parts[0])
        torn = len(cut) % len(parts[0])
        store = kvlib.open(disk)
        offset = HEAD_END + whole * len(parts[0]) if torn else None
        assert store.recovered == Recovery(whole, offset, torn)
        expected = OLD | {f"k{at}": "v" for at in range(whole)}
        assert dict(store) == expected
        store["next"] = "works"
        store.close()
        again = kvlib.open(disk)
        assert dict(again) == expected | {"next": "works"}
        assert again.recovered.dropped_bytes == 0


@pytest.mark.parametrize("tail", [b"\0" * 40, b"\xff" * 3, b"M", b"\0"])
def test_a_torn_tail_behind_a_close_is_dropped_too(tail: bytes) -> None:
    """A crash may follow a reopening; the log is not gone on with."""
    files = closed_store()
    end = len(files["log"])
    disk = disk_of({**files, "log": files["log"] + tail})
    store = kvlib.open(disk)
    assert store.recovered == Recovery(0, end, len(tail))
    assert dict(store) == OLD
    assert (store.status().generation, kinds_of(disk)) == (3, "")


def test_damage_inside_a_log_is_refused_and_nothing_is_touched(tmp_path: Path) -> None:
    """Where, what, and in which file; neither reading nor writing changes a byte."""
    parts = [frame(b"M", 2 + at, put(f"k{at}", "v"), SALT) for at in range(3)]
    files = store_files(OLD, *parts, salt=SALT)
    second = HEAD_END + len(parts[0])
    files["log"] = flip_bit(files["log"], 8 * (second + 20))
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    for read_only in (True, False):
        with pytest.raises(CorruptionError) as caught:
            kvlib.open(tmp_path, read_only=read_only)
        assert (caught.value.path, caught.value.offset) == (str(tmp_path / "log"), second)
        left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert (left.pop("lock", b""), left) == (b"", files)
    (tmp_path / "log").write_bytes(flip_bit(files["log"], 8 * (second + 20)))
    with kvlib.open(tmp_path) as store:
        assert len(store) == 4


def test_a_value_may_hold_a_whole_store() -> None:
    """A torn record whose value is another log does not make its frames evidence."""
    inner = MemoryDisk(seed=99)
    with kvlib.open(inner) as store:
        for at in range(5):
            store[f"{at}"] = "x"
    disk = MemoryDisk()
    outer = kvlib.open(disk)
    outer["a"] = "1"
    end = len(disk.read("log"))
    outer["log"] = inner.read("log")
    disk.write("log", disk.read("log")[:-1])
    recovered = kvlib.open(survivor(disk))
    assert dict(recovered) == {"a": "1"}
    assert recovered.recovered.dropped_offset == end


# --- creation and missing logs --------------------------------------------------------------------


def creation() -> list[Call]:
    """The calls that change the disk while a store is made."""
    disk = FaultyDisk()
    kvlib.open(disk)
    return changes_of(disk)


def test_creation_publishes_generation_one() -> None:
    """An empty snapshot, through the same barriers as every other."""
    segment = "0000000000000001.00000000.segment"
    assert creation() == [
        ("write", segment),
        ("sync", segment),
        ("write", "log.new"),
        ("sync", "log.new"),
        ("sync_directory", ""),
        ("rename", "log.new"),
        ("sync_directory", ""),
    ]


@pytest.mark.parametrize("step", range(len(creation())))
@pytest.mark.parametrize("done", ["not", "half", "all"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_unfinished_creation_is_begun_again(
    step: int, done: Literal["not", "half", "all"], error: type[BaseException]
) -> None:
    """Whatever call failed, the lock is free, and opening again makes an empty store."""
    verb, name = creation()[step]
    disk = FaultyDisk()
    disk.fault = Fault(verb, name, creation()[:step].count((verb, name)), done, error)
    with pytest.raises(error):
        kvlib.open(disk)
    assert content(disk) == {}
    with kvlib.open(disk) as store:
        store["a"] = "1"
    assert content(disk) == {"a": "1"}


@pytest.mark.parametrize("generation", [0, 2, 17, 2**63])
def test_a_missing_log_beside_later_segments_is_refused(generation: int) -> None:
    """Somebody lost a log: never initialise over what is left."""
    files = store_files(OLD, generation=generation)
    del files["log"]
    for more in ({}, {"log.new": b"x"}, {"0000000000000001.00000000.segment": b"x"}):
        for read_only in (False, True):
            disk = disk_of({**files, **more})
            with pytest.raises(CorruptionError, match="missing") as caught:
                kvlib.open(disk, read_only=read_only)
            assert (caught.value.path, caught.value.offset) == ("log", 0)
            assert files_of(disk) == {**files, **more}


def test_a_missing_log_beside_segments_of_generation_one_is_an_unfinished_creation() -> None:
    """They may be what a crash left before the first rename; so is a log.new."""
    segment = "0000000000000001.0000000{}.segment"
    left = {segment.format(0): b"half", segment.format(5): b"", "log.new": b"x", "note": b"mine"}
    disk = disk_of(left)
    with pytest.raises(MissingError):
        kvlib.open(disk, read_only=True)
    assert files_of(disk) == left
    assert dict(kvlib.open(disk)) == {}
    assert disk.read("note") == b"mine"


# --- generations ----------------------------------------------------------------------------------


def test_a_generation_is_one_more_than_anything_before() -> None:
    """Than the log's last sequence, and than every generation that this process tried."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    store["a"] = "1"  # sequence 2
    for _ in range(2):
        disk.fault = Fault("sync", ".segment")
        with pytest.raises(OSError, match="No space"):
            store.compact()  # tries 3, then 4
    store["b"] = "2"  # goes on with 3
    assert [sequence for _, sequence, _ in frames_of(disk)] == [2, 3]
    store.compact()
    assert store.status().generation == 5
    for at in range(4):
        store[f"{at}"] = ""  # 6 to 9
    store.compact()
    assert store.status().generation == 10
    assert [call for call in disk.calls if call[0] == "write" and "segment" in call[1]] == [
        ("write", f"{generation:016x}.00000000.segment") for generation in (1, 3, 4, 5, 10)
    ]


def test_the_compactions_counter_stops_at_its_top() -> None:
    """It has 32 bits, and counting on matters less than going on."""
    disk = disk_of(closed_store(compactions=2**32 - 2))
    with kvlib.open(disk) as store:
        for expected in (2**32 - 1, 2**32 - 1):
            store.compact()
            assert store.status().compactions == expected
    assert kvlib.open(disk).status().compactions == 2**32 - 1


def test_a_log_at_the_last_sequence_takes_no_more() -> None:
    """A ValueError before log or memory change, and the store is none the worse for it."""
    disk = disk_of(closed_store(generation=2**63 - 3))  # close is 2**63 - 2
    store = kvlib.open(disk)
    store["a"] = "1"
    store["b"] = "2"
    before = files_of(disk)
    attempts: list[Callable[[], object]] = [
        lambda: store.put("c", "3"),
        lambda: store.delete("a"),
        store.compact,
    ]
    for attempt in attempts:
        with pytest.raises(ValueError, match="sequence"):
            attempt()
    assert files_of(disk) == before
    assert dict(store) == OLD | {"a": "1", "b": "2"}
    assert store.status().failed is None


def test_a_store_at_the_last_sequence_still_opens() -> None:
    """Hostile or very old, it is read, or refused as a KvlibError: nothing else escapes."""
    last = frame(b"M", 2**63, put("a", "1"), SALT)
    disk = disk_of(store_files(OLD, last, generation=2**63 - 1, salt=SALT))
    assert dict(kvlib.open(disk, read_only=True)) == OLD | {"a": "1"}
    try:
        store = kvlib.open(disk)
    except KvlibError:
        return
    assert dict(store) == OLD | {"a": "1"}
    store.close()


# --- compaction -----------------------------------------------------------------------------------


def test_compaction_clears_the_log_and_keeps_the_state() -> None:
    """A new snapshot, an empty log, no old segment, and one compaction more."""
    disk = MemoryDisk()
    store = kvlib.open(disk)
    store.update({"a": "1", "b": "2"})
    store.delete("a")
    store.compact()
    assert store.status() == Status(
        keys=1,
        pending=0,
        compactions=1,
        log_bytes=HEAD_END,
        generation=4,
        failed=None,
        compaction_error=None,
    )
    assert disk.names() == ["0000000000000004.00000000.segment", "log"]
    assert len(disk.read("log")) == HEAD_END
    assert content(disk) == {"b": "2"}


def test_the_default_policy_waits_for_as_many_mutations_as_keys() -> None:
    """`pending >= max(threshold, len(store))`: so the cost of a mutation does not grow."""
    store = kvlib.open(MemoryDisk(), threshold=3)
    pending = []
    for at in range(12):
        store[f"{at % 6}"] = "x"
        pending.append((store.status().pending, store.status().compactions))
    # 3 of 3 keys; then, with 6 keys, 6 more; the last three wait
    assert pending == [
        (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 1),
        (4, 1), (5, 1), (0, 2), (1, 2), (2, 2), (3, 2),
    ]  # fmt: skip


def test_a_policy_decides_from_the_status() -> None:
    """It is asked after each mutation, with what `status()` says then."""
    seen: list[Status] = []

    def policy(status: Status) -> bool:
        seen.append(status)
        return status.log_bytes > HEAD_END + 60

    store = kvlib.open(MemoryDisk(), policy=policy, threshold=1)
    for _ in range(3):
        store["k"] = "v"  # frames of 30 bytes
    assert [(status.pending, status.log_bytes - HEAD_END) for status in seen] == [
        (1, 30),
        (2, 60),
        (3, 90),
    ]
    assert (store.status().pending, store.status().compactions) == (0, 1)


def test_compactions_survive_reopening_with_and_without_close() -> None:
    """The counter is in the head; recovery and creation do not count."""
    disk = MemoryDisk()
    store = kvlib.open(disk)
    store.compact()
    store.compact()
    store["a"] = "1"
    assert kvlib.open(survivor(disk)).status().compactions == 2
    store.close()
    assert kvlib.open(disk).status().compactions == 2


PREPARING = [
    ("write", ".segment"),
    ("sync", ".segment"),
    ("write", "log.new"),
    ("sync", "log.new"),
    ("sync_directory", ""),
]


@pytest.mark.parametrize(("verb", "name"), PREPARING)
@pytest.mark.parametrize("done", ["not", "half", "all"])
def test_a_full_disk_in_compaction_fails_no_mutation(
    verb: str, name: str, done: Literal["not", "half", "all"]
) -> None:
    """The mutation is durable already: it returns, the error is kept, writing goes on."""
    disk = FaultyDisk()
    store = kvlib.open(disk, threshold=2)
    store["a"] = "1"
    disk.fault = Fault(verb, name, done=done)
    store["b"] = "2"
    status = store.status()
    assert disk.fault.strikes == 1
    assert "No space" in str(status.compaction_error)
    assert (status.failed, status.pending, status.compactions) == (None, 2, 0)
    assert content(disk) == {"a": "1", "b": "2"}
    store["c"] = "3"
    assert content(disk) == {"a": "1", "b": "2", "c": "3"}
    assert kinds_of(disk) == "MMM"


def test_a_failed_compaction_is_tried_again_when_pending_has_doubled() -> None:
    """At 3, 6 and 12 mutations; and once it succeeds, the error is forgotten."""
    disk = FaultyDisk()
    store = kvlib.open(disk, threshold=3)
    disk.fault = Fault("sync", "log.new", for_ever=True)
    tried = []
    for at in range(1, 13):
        if at == 12:
            disk.fault = None
        before = disk.calls.count(("entropy", ""))
        store["k"] = f"{at}"
        if disk.calls.count(("entropy", "")) > before:
            tried.append(at)
    assert tried == [3, 6, 12]
    assert (store.status().compaction_error, store.status().pending) == (None, 0)
    assert content(disk) == {"k": "12"}


def test_a_failed_compaction_leaves_the_disk_no_fuller() -> None:
    """Half a snapshot would keep a full disk full; its segments go."""
    disk = FaultyDisk()
    store = kvlib.open(disk, threshold=1, max_segment_size=12)
    disk.fault = Fault("write", "0004.segment")
    store["key"] = "a long value"
    assert disk.fault.strikes == 1
    left = [name for name in disk.names() if name.endswith(".segment")]
    assert left == ["0000000000000001.00000000.segment"]


@pytest.mark.parametrize(("verb", "name", "skip"), [("rename", "", 0), ("sync_directory", "", 1)])
@pytest.mark.parametrize("done", ["not", "all"])
def test_a_compaction_in_doubt_stops_writing_until_the_next(
    verb: str, name: str, skip: int, done: Literal["not", "all"]
) -> None:
    """Nobody knows which log a crash would leave: nothing may be appended to either."""
    disk = FaultyDisk()
    store = kvlib.open(disk, threshold=2)
    store["a"] = "1"
    disk.fault = Fault(verb, name, skip, done)
    store["b"] = "2"  # durable before the compaction began
    assert disk.fault.strikes == 1
    disk.calls.clear()
    assert dict(store) == {"a": "1", "b": "2"}
    for attempt in writes(store):
        with pytest.raises(WriteRefusedError, match="compact"):
            attempt()
    assert changes_of(disk) == []
    assert content(disk) == {"a": "1", "b": "2"}
    store.compact()
    assert store.status().generation > 4
    store["c"] = "3"
    assert content(disk) == {"a": "1", "b": "2", "c": "3"}


# --- failures -------------------------------------------------------------------------------------


def writes(store: DurableStore) -> list[Callable[[], object]]:
    """Every way to write, also those that would write nothing."""

    def a_batch() -> None:
        with store.batch():
            store["x"] = "y"

    def an_empty_batch() -> None:
        with store.batch():
            pass

    return [
        lambda: store.put("x", "y"),
        lambda: store.delete("x"),
        lambda: store.update({"x": "y"}),
        lambda: store.update({}),
        store.clear,
        store.sync,
        a_batch,
        an_empty_batch,
    ]


@pytest.mark.parametrize("verb", ["append", "sync"])
@pytest.mark.parametrize("done", ["not", "half", "all"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("heal", ["compact", "reopen", "reopen after close"])
def test_a_failed_append_stops_writing_until_healed(
    verb: str, done: Literal["not", "half", "all"], error: type[BaseException], heal: str
) -> None:
    """Reads go on with the old state, writes are refused, and nothing touches the log."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    store["a"] = "1"
    disk.fault = Fault(verb, "log", done=done, error=error)
    with pytest.raises(error):
        store["b"] = "2"
    disk.calls.clear()
    assert dict(store) == {"a": "1"}
    assert store.get("b") is None
    assert store.status().failed
    for attempt in writes(store):
        with pytest.raises(WriteRefusedError, match="compact"):
            attempt()
    assert changes_of(disk) == []
    assert content(disk) in ({"a": "1"}, {"a": "1", "b": "2"})
    if heal == "compact":
        store.compact()
        assert store.status().failed is None
        assert dict(store) == content(disk) == {"a": "1"}
    else:
        if heal == "reopen after close":
            store.close()
            assert changes_of(disk) == []  # neither fsync nor CLOSE
        disk = FaultyDisk(survivor(disk))
        store = kvlib.open(disk)
        assert dict(store) in ({"a": "1"}, {"a": "1", "b": "2"})
    store["c"] = "3"
    assert store["c"] == content(disk)["c"] == "3"


def test_healing_takes_a_generation_beyond_the_failed_frame() -> None:
    """The failed frame may be in the log after all, so its sequence is spent."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    disk.fault = Fault("append", "log", done="all")
    with pytest.raises(OSError, match="No space"):
        store["a"] = "1"  # sequence 2
    store.compact()
    assert store.status().generation == 3


def test_a_failed_fsync_is_never_tried_again() -> None:
    """The kernel may have marked the pages clean: a second fsync would lie."""
    disk = FaultyDisk()
    store = kvlib.open(disk, sync=2)
    store["a"] = "1"
    disk.fault = Fault("sync", "log")
    with pytest.raises(OSError, match="No space"):
        store["b"] = "2"
    before = disk.syncs()
    for attempt in writes(store):
        with pytest.raises(WriteRefusedError):
            attempt()
    store.close()
    assert disk.syncs() == before


def test_a_failed_sync_stops_writing() -> None:
    """`sync()` makes the same promise as a put."""
    disk = FaultyDisk()
    store = kvlib.open(disk, sync="never")
    store["a"] = "1"
    disk.fault = Fault("sync", "log")
    with pytest.raises(OSError, match="No space"):
        store.sync()
    with pytest.raises(WriteRefusedError, match="fsync"):
        store["b"] = "2"
    store.compact()
    store["b"] = "2"
    assert content(disk) == {"a": "1", "b": "2"}


def test_a_disk_that_stays_full_fails_healing_but_not_reading() -> None:
    """compact() raises the disk's error; then room is made, and it succeeds."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    store["a"] = "1"
    disk.fault = Fault("", ".segment", for_ever=True)
    with pytest.raises(OSError, match="No space"):
        store.compact()
    store["b"] = "2"
    disk.fault = Fault("append", "log", for_ever=True)
    with pytest.raises(OSError, match="No space"):
        store["c"] = "3"
    disk.fault = Fault("", ".segment", for_ever=True)
    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            store.compact()
    with pytest.raises(WriteRefusedError):
        store["c"] = "3"
    disk.fault = None
    store.compact()
    store["c"] = "3"
    assert content(disk) == {"a": "1", "b": "2", "c": "3"}


@pytest.mark.parametrize(("verb", "name"), [*PREPARING, ("rename", "")])
def test_a_store_that_cannot_publish_after_a_crash_opens_for_reading(verb: str, name: str) -> None:
    """A full disk need not keep anybody from what is on it: writes are refused till healed."""
    files = store_files(OLD, frame(b"M", 2, put("a", "1"), SALT), b"torn", salt=SALT)
    disk = FaultyDisk(disk_of(files))
    disk.fault = Fault(verb, name)
    store = kvlib.open(disk)
    assert disk.fault.strikes == 1
    assert dict(store) == OLD | {"a": "1"}
    assert store.recovered == Recovery(1, HEAD_END + 30, 4)
    disk.calls.clear()
    for attempt in writes(store):
        with pytest.raises(WriteRefusedError, match="No space"):
            attempt()
    assert changes_of(disk) == []
    assert content(disk) == OLD | {"a": "1"}
    store.compact()
    store["b"] = "2"
    assert content(disk) == OLD | {"a": "1", "b": "2"}


def test_an_error_that_is_not_the_disks_leaves_the_lock_free() -> None:
    """Ctrl-C during recovery: the next opening finds an unlocked store."""
    files = store_files(OLD, b"torn", salt=SALT)
    whole = FaultyDisk(disk_of(files))
    kvlib.open(whole)
    for skip in range(len(whole.calls)):
        disk = FaultyDisk(disk_of(files))
        disk.fault = Fault(skip=skip, error=KeyboardInterrupt)
        try:
            kvlib.open(disk)
        except KeyboardInterrupt:
            pass
        else:
            pytest.fail(f"there is no call {skip}")
        disk.fault = None
        with kvlib.open(disk) as store:
            assert dict(store) == OLD


def scenario(disk: Disk, expected: list[dict[Field, Field]]) -> None:
    """Puts, a batch, compactions and a close; `expected` grows by each state acknowledged."""
    state: dict[Field, Field] = {}
    with kvlib.open(disk, sync=2, threshold=3) as store:
        expected.append(dict(state))
        for at in range(5):
            expected.append(state | {f"k{at}": "v"})
            store[f"k{at}"] = "v"
            state = expected[-1]
            expected[:-1] = []
        expected.append({"k0": "w"})
        with store.batch():
            store["k0"] = "w"
            for at in range(1, 5):
                del store[f"k{at}"]
        expected[:-1] = []
        store.compact()


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("done", ["not", "half", "all"])
def test_an_interruption_at_any_disk_call_leaves_a_whole_state(
    error: type[BaseException], done: Literal["not", "half", "all"]
) -> None:
    """At each call of a store's whole life: what is left is the state before, or the one after."""
    whole = FaultyDisk()
    scenario(whole, [])
    for skip in range(len(whole.calls)):
        disk = FaultyDisk()
        disk.fault = Fault(skip=skip, done=done, error=error)
        expected: list[dict[Field, Field]] = [{}]
        try:
            scenario(disk, expected)
        except error:
            pass
        except WriteRefusedError:
            assert error is OSError  # a compaction in doubt, which the put itself outlived
        assert content(disk) in expected
        with kvlib.open(disk) as store:  # the lock is free
            assert dict(store) in expected
            store["next"] = "works"
        assert content(disk)["next"] == "works"


class Interrupter:
    """Ctrl-C at the n-th place of the engine where Python looks for signals.

    That is where a function begins, and where a built-in one has returned.
    """

    def __init__(self, place: int) -> None:
        self.left = place

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event in ("call", "c_return") and frame.f_code.co_filename.startswith(ENGINE):
            self.left -= 1
            if self.left == 0:
                sys.setprofile(None)
                raise KeyboardInterrupt


def finishes(action: Callable[[], object], interruption: int = 0) -> list[BaseException]:
    """Run `action` where it can't hang the tests; the exception that it raised, if it did."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            sys.setprofile(Interrupter(interruption) if interruption else None)
            action()
        except BaseException as error:
            raised.append(error.with_traceback(None))
        finally:
            sys.setprofile(None)

    thread = threading.Thread(target=run, daemon=True)
    gc.disable()  # what is collected on the way is not to be interrupted
    thread.start()
    thread.join(10)
    gc.enable()
    assert not thread.is_alive(), "it hangs"
    return raised


@pytest.mark.parametrize("sync", ["always", 2])
@pytest.mark.parametrize("what", ["put", "batch", "compact"])
def test_an_interruption_anywhere_in_the_engine_is_survived(
    sync: Literal["always"] | int, what: str
) -> None:
    """Reads go on with a whole state, the next write works or is refused, compact() heals."""
    new: dict[Field, Field] = OLD | {"new": "2"} if what == "put" else {"new": "2"}
    states = [OLD] if what == "compact" else [OLD, new]

    def act(store: DurableStore) -> None:
        if what == "put":
            store["new"] = "2"
        elif what == "compact":
            store.compact()
        else:
            with store.batch():
                store["new"] = "2"
                del store["old"]

    place, going_on = 0, True
    while going_on:
        place += 1
        disk = disk_of(closed_store())
        store = kvlib.open(disk, sync=sync, threshold=2)
        going_on = finishes(functools.partial(act, store), place) != []
        assert dict(store) in states or store.status().failed, place
        assert content(disk) in states, place
        refusals = finishes(functools.partial(store.put, "next", "1"))
        assert [type(error) for error in refusals] in ([], [WriteRefusedError]), place
        assert finishes(store.compact) == []
        assert finishes(functools.partial(store.put, "last", "1")) == []
        kept = {key: value for key, value in store.items() if key not in ("next", "last")}
        assert kept in states, place
        assert content(disk) == dict(store), place
    assert place > 20


def test_memory_is_mended_by_compaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a durable batch is applied: what is missing is applied before compacting."""
    from kvlib import log

    real = log.apply

    def half(mutations: list[log.Mutation], items: dict[Field, Field]) -> None:
        real(mutations[: len(mutations) // 2], items)
        raise KeyboardInterrupt

    disk = disk_of(closed_store())
    store = kvlib.open(disk)
    with monkeypatch.context() as broken:
        broken.setattr(log, "apply", half)
        with pytest.raises(KeyboardInterrupt):
            store.update({"a": "1", "b": "2"})
    with pytest.raises(WriteRefusedError):
        store["c"] = "3"
    store.compact()
    assert dict(store) == content(disk) == OLD | {"a": "1", "b": "2"}


def test_a_policy_that_raises_loses_nothing() -> None:
    """The mutation is durable and visible; the policy's own error is the caller's to see."""

    def policy(_: Status) -> bool:
        raise ZeroDivisionError

    disk = MemoryDisk()
    store = kvlib.open(disk, policy=policy)
    with pytest.raises(ZeroDivisionError):
        store["a"] = "1"
    assert dict(store) == content(disk) == {"a": "1"}
    assert store.status().failed is None


def test_what_does_not_fit_its_field_is_refused_before_anything_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A length has 32 bits; here, for once, fewer."""
    from kvlib import encoding

    monkeypatch.setattr(encoding, "MAX_LENGTH", 54_320)
    disk = disk_of(closed_store())
    store, plain = kvlib.open(disk), kvlib.Store()
    for value in (b"x" * 54_321, "x" * 54_321, "я" * 27_161):
        for attempt in (store.put, plain.put):
            with pytest.raises(ValueError, match="don't fit"):
                attempt("k", value)
            with pytest.raises(ValueError, match="don't fit"):
                attempt(value, "v")
    assert (dict(store), dict(plain)) == (OLD, {})
    assert files_of(disk) == closed_store()
    store["k"] = "x" * 54_319


# --- deletes --------------------------------------------------------------------------------------


def test_delete_of_a_missing_key_is_logged_and_del_is_not() -> None:
    """`delete` is a mutation, whatever was there; `del` is the dict's, and raises first."""
    disk = MemoryDisk()
    store = kvlib.open(disk)
    store.delete("x")
    assert frames_of(disk) == [("M", 2, 7)]
    with pytest.raises(KeyError):
        del store["x"]
    with pytest.raises(KeyError):
        store.pop("x")
    assert frames_of(disk) == [("M", 2, 7)]
    assert store.status().pending == 1


# --- batches --------------------------------------------------------------------------------------


def test_a_batch_is_one_frame_and_one_fsync() -> None:
    """However many mutations it has; and they count one by one."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    before = disk.syncs()
    with store.batch():
        for at in range(10):
            store[f"{at}"] = "x"
        store.delete("3")
        store.delete("0")
    assert len(frames_of(disk)) == 1
    assert disk.syncs() == before + 1
    assert store.status().pending == 12
    assert len(store) == 8


def test_a_batch_is_all_or_nothing_at_every_cut() -> None:
    """A crash in the middle of its bytes leaves none of it."""
    disk = disk_of(closed_store())
    store = kvlib.open(disk)
    before = disk.read("log")
    with store.batch():
        store["a"] = "1"
        store["b"] = "2"
        store.delete("old")
    after = disk.read("log")
    for end in range(len(before), len(after)):
        assert content(disk_of({**files_of(disk), "log": after[:end]})) == OLD
    assert content(disk) == {"a": "1", "b": "2"}


def test_reads_inside_a_batch_see_the_old_state() -> None:
    """Nothing has happened yet."""
    store = kvlib.open(disk_of(closed_store()))
    with store.batch():
        store["old"] = "2"
        store["new"] = "1"
        assert dict(store) == OLD
        with pytest.raises(KeyError):
            del store["new"]
        del store["old"]
        assert dict(store) == OLD
    assert dict(store) == {"new": "1"}


def test_an_exception_discards_a_batch() -> None:
    """Nothing is logged, nothing changes, and the next batch is a new one."""
    disk = disk_of(closed_store())
    store = kvlib.open(disk)
    with pytest.raises(ZeroDivisionError), store.batch():
        store["a"] = "1"
        raise ZeroDivisionError
    assert (dict(store), files_of(disk)) == (OLD, closed_store())
    with store.batch():
        store["b"] = "2"
    assert dict(store) == OLD | {"b": "2"}


def test_batches_do_not_nest() -> None:
    """It would be unclear when the inner one is durable; the outer one goes on."""
    store = kvlib.open(disk_of(closed_store()))
    with store.batch():
        store["a"] = "1"
        with pytest.raises(ValueError, match="nest"), store.batch():
            pytest.fail("nested")
        store["b"] = "2"
    assert dict(store) == OLD | {"a": "1", "b": "2"}


def test_an_empty_batch_or_update_writes_nothing() -> None:
    """No frame, no fsync."""
    disk = FaultyDisk(disk_of(closed_store()))
    store = kvlib.open(disk)
    disk.calls.clear()
    with store.batch():
        pass
    with store.batch():
        store.update({})
    store.update({})
    store.update()
    kvlib.open(disk_of(store_files({}))).clear()
    assert changes_of(disk) == []


def test_a_mistake_inside_a_batch_adds_nothing_to_it() -> None:
    """A caller may catch the error of one mutation, or of one update, and go on."""
    store = kvlib.open(disk_of(closed_store()))
    wrong: Any = 7
    with store.batch():
        store["a"] = "1"
        with pytest.raises(TypeError):
            store["b"] = wrong
        with pytest.raises(TypeError):
            store.update({"c": "3", "d": wrong})
        store["e"] = "5"
    assert dict(store) == OLD | {"a": "1", "e": "5"}


def test_compaction_comes_after_a_batch() -> None:
    """Never in the middle, and never before its frame is durable."""
    disk = FaultyDisk()
    store = kvlib.open(disk, threshold=2)
    disk.calls.clear()
    with store.batch():
        for at in range(5):
            store[f"{at}"] = "x"
        assert changes_of(disk) == []
    assert changes_of(disk)[:3] == [
        ("append", "log"),
        ("sync", "log"),
        ("write", "0000000000000003.00000000.segment"),
    ]
    assert (store.status().compactions, store.status().pending) == (1, 0)


def test_a_batch_belongs_to_its_thread() -> None:
    """Another thread's mutations are its own, and durable at once."""
    disk = disk_of(closed_store())
    store = kvlib.open(disk)
    with store.batch():
        store["mine"] = "1"
        assert finishes(lambda: store.put("theirs", "2")) == []
        assert dict(store) == content(disk) == OLD | {"theirs": "2"}
    assert dict(store) == content(disk) == OLD | {"theirs": "2", "mine": "1"}


@pytest.mark.parametrize("what", ["update", "batch", "clear"])
def test_a_failed_batch_changes_nothing_in_memory(what: str) -> None:
    """Its fsync fails: reads go on with the state before it."""
    disk = FaultyDisk(disk_of(closed_store()))
    store = kvlib.open(disk)
    disk.fault = Fault("sync", "log")
    with pytest.raises(OSError, match="No space"):
        if what == "update":
            store.update({"a": "1", "b": "2"})
        elif what == "clear":
            store.clear()
        else:
            with store.batch():
                store["a"] = "1"
    assert dict(store) == OLD


def test_update_is_all_or_nothing() -> None:
    """One frame for all forms of it; and a wrong value anywhere discards it all."""
    disk = disk_of(closed_store())
    store = kvlib.open(disk)
    wrong: Any = None
    for records in ({"a": "1", "b": wrong}, [("a", "1"), ("b", "2"), (wrong, "3")]):
        with pytest.raises(TypeError):
            store.update(records)
    assert files_of(disk) == closed_store()
    store.update({"a": "1", "b": "2"}, c="3")
    store.update([("a", "4"), ("d", "5")])
    store.update(kvlib.open(disk_of(store_files({"e": "6", "f": "7"}))))
    assert frames_of(disk)[1:] == [("M", 3, 39), ("M", 4, 26), ("M", 5, 26)]
    assert dict(store) == OLD | {"a": "4", "b": "2", "c": "3", "d": "5", "e": "6", "f": "7"}


# --- closing --------------------------------------------------------------------------------------


def test_close_marks_the_log_once() -> None:
    """CLOSE is appended and synced; a store that is opened and closed gets no second one."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    disk.calls.clear()
    store.close()
    assert changes_of(disk) == [("append", "log"), ("sync", "log")]
    once = files_of(disk)
    assert kinds_of(disk) == "C"
    with kvlib.open(disk):
        pass
    assert files_of(disk) == once


def test_close_syncs_before_and_after_its_mark() -> None:
    """The mark promises that all before it had been synced."""
    disk = FaultyDisk()
    store = kvlib.open(disk, sync="never")
    store["a"] = "1"
    disk.calls.clear()
    store.close()
    assert changes_of(disk) == [("sync", "log"), ("append", "log"), ("sync", "log")]
    assert kinds_of(disk) == "MC"


def test_opening_a_closed_log_syncs_it_before_the_first_append() -> None:
    """Its CLOSE may exist in the page cache only, and M would promise more."""
    disk = FaultyDisk(disk_of(closed_store()))
    store = kvlib.open(disk)
    assert changes_of(disk) == [("sync", "log")]
    store["a"] = "1"
    assert changes_of(disk) == [("sync", "log"), ("append", "log"), ("sync", "log")]


def test_a_closed_log_that_cannot_be_synced_is_read_and_not_written() -> None:
    """The same as for every fsync that failed."""
    disk = FaultyDisk(disk_of(closed_store()))
    disk.fault = Fault("sync", "log")
    store = kvlib.open(disk)
    assert dict(store) == OLD
    with pytest.raises(WriteRefusedError):
        store["a"] = "1"
    store.compact()
    store["a"] = "1"
    assert content(disk) == OLD | {"a": "1"}


def test_close_can_be_called_again() -> None:
    """The second call does nothing, not even after somebody else has opened the store."""
    disk = MemoryDisk()
    store = kvlib.open(disk)
    store.close()
    with kvlib.open(disk) as other:
        other["a"] = "1"
        store.close()
        other["b"] = "2"
        with pytest.raises(LockedError):
            kvlib.open(disk)
    assert content(disk) == {"a": "1", "b": "2"}


def test_a_closed_store_refuses_everything() -> None:
    """A ValueError, as from a closed file; and its repr says what it is."""
    disk = MemoryDisk()
    for read_only in (False, True):
        store = kvlib.open(disk, read_only=read_only)
        store.close()
        before = files_of(disk)
        attempts: list[Callable[[], object]] = [
            functools.partial(operator.getitem, store, "a"),
            functools.partial(store.get, "a"),
            functools.partial(operator.contains, store, "a"),
            functools.partial(len, store),
            functools.partial(list, store),
            store.status,
            store.compact,
            functools.partial(operator.delitem, store, "a"),
            *writes(store),
        ]
        for attempt in attempts:
            with pytest.raises(ValueError, match="closed"):
                attempt()
        assert files_of(disk) == before
        assert "closed" in repr(store)


@pytest.mark.parametrize(("verb", "skip"), [("sync", 0), ("append", 0), ("sync", 1)])
@pytest.mark.parametrize("done", ["not", "half", "all"])
def test_a_close_that_fails_still_closes(
    verb: str, skip: int, done: Literal["not", "half", "all"]
) -> None:
    """The error is raised, the lock is free, and nothing acknowledged is lost."""
    disk = FaultyDisk()
    store = kvlib.open(disk, sync="never")
    store["a"] = "1"
    disk.fault = Fault(verb, "log", skip, done)
    with pytest.raises(OSError, match="No space"):
        store.close()
    with pytest.raises(ValueError, match="closed"):
        len(store)
    with kvlib.open(disk) as again:
        assert dict(again) == {"a": "1"}


def test_leaving_the_context_closes() -> None:
    """Also by an exception; what was acknowledged stays."""
    disk = MemoryDisk()
    with pytest.raises(ZeroDivisionError), kvlib.open(disk) as store:
        store["a"] = "1"
        raise ZeroDivisionError
    assert kinds_of(disk) == "MC"
    with kvlib.open(disk) as store:
        assert dict(store) == {"a": "1"}


# --- locks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "directory", "one DirectoryDisk"])
def test_a_second_opener_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    """Also in the same process; the first is not disturbed, and after it the next may come."""
    disk: Any = {
        "memory": MemoryDisk(),
        "directory": tmp_path / "d",
        "one DirectoryDisk": DirectoryDisk(tmp_path / "d"),
    }[kind]
    store = kvlib.open(disk)
    store["a"] = "1"
    for _ in range(2):
        with pytest.raises(LockedError):
            kvlib.open(disk)
    store["b"] = "2"
    store.close()
    with kvlib.open(disk) as store:
        assert dict(store) == {"a": "1", "b": "2"}


def test_a_second_process_is_refused_at_once(tmp_path: Path) -> None:
    """And sees everything once the first has closed."""
    code = """
        import sys, kvlib
        try:
            with kvlib.open(sys.argv[1]) as store:
                print(dict(store))
        except kvlib.LockedError as error:
            print("LockedError")
    """
    with kvlib.open(tmp_path) as store:
        store["a"] = "1"
        assert run_python(code, str(tmp_path)) == "LockedError"
        store["b"] = "2"
    assert run_python(code, str(tmp_path)) == "{'a': '1', 'b': '2'}"


@pytest.mark.parametrize("kind", ["memory", "directory"])
def test_a_forgotten_store_releases_its_lock(kind: str, tmp_path: Path) -> None:
    """Nothing refers to it any more, so nobody can write through it."""
    place: Any = MemoryDisk() if kind == "memory" else tmp_path
    store: DurableStore | None = kvlib.open(place)
    assert store is not None
    store["a"] = "1"
    store = None
    gc.collect()
    with kvlib.open(place) as again:
        assert dict(again) == {"a": "1"}
        assert again.recovered.replayed == 1


def test_an_opening_that_fails_releases_its_lock(tmp_path: Path) -> None:
    """Damage, or a mistake in the parameters: the next opening is not refused for it."""
    kvlib.open(tmp_path).close()
    log = (tmp_path / "log").read_bytes()
    (tmp_path / "log").write_bytes(flip_bit(log, 100))
    for _ in range(2):
        with pytest.raises(CorruptionError):
            kvlib.open(tmp_path)
    (tmp_path / "log").write_bytes(log)
    with pytest.raises(ValueError, match="threshold"):
        kvlib.open(tmp_path, threshold=0)
    kvlib.open(tmp_path).close()


def test_acknowledged_puts_survive_kill(tmp_path: Path) -> None:
    """A real process, killed between any two instructions: all that it reported is there."""
    command, environment = python_command(
        """
        import sys, kvlib
        store = kvlib.open(sys.argv[1], threshold=7)
        for number in range(len(store), 10**9):
            store[str(number)] = str(number)
            print(number, flush=True)
        """,
        str(tmp_path),
    )
    for _ in range(3):
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            reported = [process.stdout.readline() for _ in range(20)]
            process.kill()
            reported += process.stdout.readlines()
        whole = [int(line) for line in reported if line.endswith("\n")]
        with kvlib.open(tmp_path) as store:
            assert len(store) - whole[-1] in (1, 2)
            assert dict(store) == {str(number): str(number) for number in range(len(store))}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_reads_and_does_not_write(tmp_path: Path) -> None:
    """Nor does it take its parent's lock away, by closing the store or by forgetting it."""
    code = """
        import gc, os, sys, kvlib
        store = kvlib.open(sys.argv[1])
        store["a"] = "1"
        for leave in ("close", "forget"):
            if (child := os.fork()) == 0:
                assert dict(store) == {"a": "1"}
                for attempt in (lambda: store.put("b", "?"), store.compact):
                    try:
                        attempt()
                        print("written")
                    except kvlib.WriteRefusedError:
                        pass
                if leave == "close":
                    store.close()
                attempt = store = None
                gc.collect()
                try:
                    kvlib.open(sys.argv[1])
                    print("two writers after", leave)
                except kvlib.LockedError:
                    pass
                sys.stdout.flush()
                os._exit(0)
            os.waitpid(child, 0)
        store["c"] = "3"
        store.close()
        print(dict(kvlib.open(sys.argv[1])))
    """
    assert run_python(code, str(tmp_path)) == "{'a': '1', 'c': '3'}"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_that_closes_first_writes_nothing(tmp_path: Path) -> None:
    """No CLOSE either, though its copy of the store looks fit to write one."""
    code = """
        import os, sys, kvlib
        store = kvlib.open(sys.argv[1])
        store["a"] = "1"
        if (child := os.fork()) == 0:
            try:
                store.close()
            except kvlib.WriteRefusedError:
                pass
            os._exit(0)
        os.waitpid(child, 0)
        store["b"] = "2"
        store.close()
        print(dict(kvlib.open(sys.argv[1])))
    """
    assert run_python(code, str(tmp_path)) == "{'a': '1', 'b': '2'}"


# --- reading only ---------------------------------------------------------------------------------


def test_a_reader_changes_nothing_and_takes_no_lock(tmp_path: Path) -> None:
    """Not even a file for the lock; a writer may be at work, a torn tail is only reported."""
    files = store_files(OLD, frame(b"M", 2, put("a", "1"), SALT), b"torn", salt=SALT)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with kvlib.open(tmp_path, read_only=True) as reader:
        assert reader.recovered == Recovery(1, HEAD_END + 30, 4)
        assert dict(reader) == OLD | {"a": "1"}
        for attempt in (*writes(reader), reader.compact):
            with pytest.raises(WriteRefusedError, match="read_only"):
                attempt()
        assert dict(reader) == OLD | {"a": "1"}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files
    with kvlib.open(tmp_path) as writer, kvlib.open(tmp_path, read_only=True) as reader:
        writer["b"] = "2"
        assert dict(reader) == OLD | {"a": "1"}


def test_a_reader_calls_for_no_change() -> None:
    """Names and reads are all that it asks of a disk."""
    disk = FaultyDisk(disk_of(closed_store()))
    kvlib.open(disk, read_only=True).close()
    assert {verb for verb, _ in disk.calls} == {"names", "read"}


def test_a_reader_of_nothing_is_told_so(tmp_path: Path) -> None:
    """A missing directory is not made; an empty one is no store."""
    for place in (tmp_path / "missing", tmp_path):
        with pytest.raises(MissingError, match="no store"):
            kvlib.open(place, read_only=True)
    assert list(tmp_path.iterdir()) == []


def moving(files: dict[str, bytes], *versions: dict[str, bytes] | None) -> ChangingDisk:
    """A disk of these files; after each of the first readings of the log it has other ones.

    None: it has the same.
    """

    def change(disk: ChangingDisk, reads: int) -> None:
        version = versions[reads - 1] if reads <= len(versions) else None
        if version is not None:
            for name in disk.names():
                disk.delete(name)
            for name, data in version.items():
                disk.write(name, data)

    return ChangingDisk(files, change)


def test_a_reader_starts_again_if_a_snapshot_is_published_meanwhile() -> None:
    """The segments that it was going to read are gone, and so is the log that named them."""
    new = store_files({"new": "2"}, generation=9)
    disk = moving(closed_store(), None, new)
    assert dict(kvlib.open(disk, read_only=True)) == {"new": "2"}
    assert disk.reads == 5  # two and one that shows the change; two more


def test_a_reader_starts_again_if_the_log_grows_meanwhile() -> None:
    """What looked like a torn tail was an append under way."""
    whole = frame(b"M", 2, put("a", "1"), SALT)
    torn, full = store_files(OLD, whole[:20], salt=SALT), store_files(OLD, whole, salt=SALT)
    disk = moving(torn, None, full)
    reader = kvlib.open(disk, read_only=True)
    assert dict(reader) == OLD | {"a": "1"}
    assert reader.recovered == Recovery(1, None, 0)


@pytest.mark.parametrize("flaw", ["torn", "damaged"])
def test_a_reader_gives_up_after_three_changes(flaw: str) -> None:
    """LockedError: somebody is writing all the time."""
    versions = []
    for at in range(8):
        files = store_files({"a": f"{at}"}, b"torn", generation=at + 1)
        if flaw == "damaged":
            del files[f"{at + 1:016x}.00000000.segment"]
        versions.append(files)
    disk = moving(store_files(OLD, b"torn"), *versions)
    with pytest.raises(LockedError, match="three"):
        kvlib.open(disk, read_only=True)
    assert disk.reads == 9


def test_a_reader_of_a_store_that_vanishes_is_told_so() -> None:
    """First there was a log, then no more."""
    disk = moving(closed_store(), {})
    with pytest.raises(MissingError):
        kvlib.open(disk, read_only=True)


def test_a_reader_of_a_log_that_vanishes_between_names_and_read_starts_again() -> None:
    """A name that was listed is gone when it is read; then there is a store again."""

    class Blinking(MemoryDisk):
        blinks = 2

        def read(self, name: str) -> bytes:
            if name == "log":
                self.blinks -= 1
                if self.blinks >= 0:
                    if self.blinks == 0:
                        self.blinks = -1
                        raise FileNotFoundError(name)
                    return b"before"
            return super().read(name)

    disk = Blinking()
    for name, data in closed_store().items():
        disk.write(name, data)
    assert dict(kvlib.open(disk, read_only=True)) == OLD


# --- what is not a regular file -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["log", "0000000000000001.00000000.segment"])
@pytest.mark.parametrize("what", ["symlink", "directory", "fifo"])
def test_what_is_no_regular_file_in_a_store_is_corruption(
    tmp_path: Path, name: str, what: str
) -> None:
    """Neither followed, nor waited for, nor replaced."""
    place = tmp_path / "d"
    place.mkdir()
    for found, data in closed_store().items():
        (place / found).write_bytes(data)
    (place / name).rename(tmp_path / "moved")
    if what == "symlink":
        (place / name).symlink_to(tmp_path / "moved")
    elif what == "directory":
        (place / name).mkdir()
    elif hasattr(os, "mkfifo"):
        os.mkfifo(place / name)
    else:
        pytest.skip("no fifo on this system")
    for read_only in (True, False):
        with pytest.raises(CorruptionError, match="regular file") as caught:
            kvlib.open(place, read_only=read_only)
        assert caught.value.path == str(place / name)
    (place / name).rmdir() if what == "directory" else (place / name).unlink()
    (tmp_path / "moved").rename(place / name)
    with kvlib.open(place) as store:
        assert dict(store) == OLD


# --- durability modes -----------------------------------------------------------------------------


def test_always_syncs_each_mutation() -> None:
    """After every return nothing is left to be synced, and every frame says so."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    before = disk.syncs()
    for at in range(7):
        store["k"] = f"{at}"
        assert disk.syncs() == before + at + 1
    assert kinds_of(disk) == "M" * 7
    store.sync()
    assert disk.syncs() == before + 7


def test_n_syncs_every_n_mutations() -> None:
    """The frame after an fsync is M, the others m; `sync()` counts too."""
    disk = FaultyDisk()
    store = kvlib.open(disk, sync=3)
    before = disk.syncs()
    synced = []
    for at in range(8):
        store["k"] = f"{at}"
        synced.append(disk.syncs() - before)
    assert synced == [0, 0, 1, 1, 1, 2, 2, 2]
    store.sync()
    store.sync()
    assert disk.syncs() == before + 3
    store["k"] = "9"
    store["k"] = "10"
    assert kinds_of(disk) == "MmmMmmMmMm"


def test_a_batch_counts_its_mutations_for_the_next_fsync() -> None:
    """Five in one frame are more than three."""
    disk = FaultyDisk()
    store = kvlib.open(disk, sync=3)
    before = disk.syncs()
    store["a"] = "1"
    store.update({f"{at}": "x" for at in range(5)})
    assert disk.syncs() == before + 1
    store["b"] = "1"
    assert kinds_of(disk) == "MmM"


def test_never_syncs_only_when_told() -> None:
    """Publishing and closing sync all the same."""
    disk = FaultyDisk()
    store = kvlib.open(disk, sync="never")
    before = disk.syncs()
    for at in range(50):
        store[f"{at}"] = "x"
    assert disk.syncs() == before
    store.sync()
    assert disk.syncs() == before + 1
    store["k"] = "v"
    assert kinds_of(disk) == "M" + "m" * 49 + "M"
    store.compact()
    store["k"] = "w"
    assert kinds_of(disk) == "M"


@pytest.mark.parametrize(
    ("name", "wrong", "kind"),
    [
        ("sync", "Always", ValueError),
        ("sync", "", ValueError),
        ("sync", 0, ValueError),
        ("sync", -1, ValueError),
        ("sync", True, TypeError),
        ("sync", None, TypeError),
        ("sync", 1.5, TypeError),
        ("threshold", 0, ValueError),
        ("threshold", -5, ValueError),
        ("threshold", True, TypeError),
        ("threshold", "1", TypeError),
        ("threshold", None, TypeError),
        ("policy", 5, TypeError),
        ("policy", True, TypeError),
        ("max_segment_size", 8, ValueError),
        ("max_segment_size", 2**32, ValueError),
        ("max_segment_size", True, TypeError),
        ("max_segment_size", "9", TypeError),
    ],
)
def test_bad_parameters_are_refused_before_anything_is_made(
    name: str, wrong: Any, kind: type[Exception], tmp_path: Path
) -> None:
    """The message names the parameter; no directory is made."""
    parameters = {name: wrong}
    with pytest.raises(kind, match=name):
        kvlib.open(tmp_path / "d", **parameters)
    assert not (tmp_path / "d").exists()


def test_segments_have_the_size_that_was_asked_for() -> None:
    """In creation, recovery and compaction."""
    disk = MemoryDisk()
    with kvlib.open(disk, max_segment_size=9) as store:
        assert len(disk.names()) == 5  # 4 bytes of an empty snapshot, and the log
        store["k"] = "v"
        store.compact()
        assert len(disk.names()) == 4 + 6 + 6 + 1
    with kvlib.open(disk) as store:
        store.compact()
        assert len(disk.names()) == 2


def test_the_status_tells_the_figures() -> None:
    """Keys, pending mutations, compactions, bytes of the log, generation."""
    disk = MemoryDisk()
    store = kvlib.open(disk)
    assert store.status() == Status(0, 0, 0, HEAD_END, 1, None, None)
    store["k"] = "v"  # 17 + 13
    store.delete("missing")  # 17 + 1 + 5 + 7
    assert store.status() == Status(1, 2, 0, HEAD_END + 30 + 30, 1, None, None)
    store.close()
    reader = kvlib.open(disk, read_only=True)
    assert reader.status() == Status(1, 2, 0, HEAD_END + 30 + 30 + 17, 1, None, None)
    assert len(disk.read("log")) == HEAD_END + 77


# --- threads --------------------------------------------------------------------------------------


class Waiting(MemoryDisk):
    """A disk whose fsync of the log, once told to, waits until something is true."""

    def __init__(self) -> None:
        super().__init__()
        self.until: Callable[[], bool] | None = None
        self.started = threading.Event()
        self.syncs = 0

    def sync(self, name: str) -> None:
        super().sync(name)
        if name == "log":
            self.syncs += 1
            if self.until is not None:
                until, self.until = self.until, None
                self.started.set()
                while not until():
                    threading.Event().wait(0.001)


def put_together(disk: Waiting, store: DurableStore, count: int) -> list[list[BaseException]]:
    """One put, and while it is being synced `count` more, each from a thread of its own."""
    disk.until = lambda: len(store._queue._waiting) == count
    outcomes: list[list[BaseException]] = [[] for _ in range(count + 1)]

    def run(at: int) -> None:
        try:
            store.put(f"k{at}", f"v{at}")
        except BaseException as error:
            outcomes[at].append(error)

    threads = [threading.Thread(target=run, args=(at,), daemon=True) for at in range(count + 1)]
    threads[0].start()
    assert disk.started.wait(10)
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    return outcomes


def test_puts_that_arrive_during_an_fsync_share_the_next() -> None:
    """The first of them writes all that wait as one frame, and syncs once for them all."""
    disk = Waiting()
    store = kvlib.open(disk)
    assert put_together(disk, store, 8) == [[]] * 9
    assert disk.syncs == 2
    assert [kind for kind, _, _ in frames_of(disk)] == ["M", "M"]
    assert dict(store) == content(disk) == {f"k{at}": f"v{at}" for at in range(9)}
    assert store.status().pending == 9


def test_a_group_takes_no_more_than_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large one is closed, and the next writer begins another."""
    from kvlib import commit

    monkeypatch.setattr(commit, "GROUP_BYTES", 20)
    disk = Waiting()
    store = kvlib.open(disk)
    assert put_together(disk, store, 8) == [[]] * 9  # 15 bytes each
    assert [length for _, _, length in frames_of(disk)] == [15, 30, 30, 30, 30]
    assert dict(store) == content(disk) == {f"k{at}": f"v{at}" for at in range(9)}


def test_when_a_group_fails_all_its_writers_are_told() -> None:
    """One has the disk's own error, the others a refusal that carries it; memory is unchanged."""

    class Failing(Waiting):
        def append(self, name: str, data: bytes) -> None:
            if self.started.is_set():
                raise OSError("broken")
            super().append(name, data)

    disk = Failing()
    store = kvlib.open(disk)
    first, *others = put_together(disk, store, 8)
    assert first == []
    raised = [error for errors in others for error in errors]
    assert (
        sorted(type(error).__name__ for error in raised) == ["OSError"] + ["WriteRefusedError"] * 7
    )
    for error in raised:
        assert "broken" in str(error)
        if isinstance(error, WriteRefusedError):
            assert isinstance(error.__cause__, OSError)
    assert dict(store) == content(disk) == {"k0": "v0"}


@pytest.mark.parametrize("sync", ["always", 3, "never"])
def test_many_threads_keep_all(sync: Literal["always", "never"] | int) -> None:
    """Puts, deletes, batches and compactions of eight threads: each finds what it wrote."""
    disk = MemoryDisk()
    store = kvlib.open(disk, sync=sync, threshold=40)
    raised: list[BaseException] = []

    def run(name: int) -> None:
        try:
            for at in range(40):
                store[f"{name} {at}"] = f"{at}"
                if at % 4 == 1:
                    store.delete(f"{name} {at}")
                if at % 10 == 2:
                    with store.batch():
                        store[f"{name} {at} a"] = "1"
                        store[f"{name} {at} b"] = "2"
            if name == 3:
                store.compact()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
    expected: dict[Field, Field] = {}
    for name in range(8):
        expected |= {f"{name} {at}": f"{at}" for at in range(40) if at % 4 != 1}
        expected |= {f"{name} {at} a": "1" for at in (2, 12, 22, 32)}
        expected |= {f"{name} {at} b": "2" for at in (2, 12, 22, 32)}
    assert dict(store) == content(disk) == expected
    store.close()
    with kvlib.open(disk) as store:
        assert dict(store) == expected


def test_another_thread_may_close(tmp_path: Path) -> None:
    """A store belongs to no thread, nor does its lock."""
    store = kvlib.open(tmp_path)
    assert finishes(store.close) == []
    kvlib.open(tmp_path).close()


def test_a_store_stays_where_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that changes its directory goes on with the store it has, in errors by its name."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    store = kvlib.open("data")
    monkeypatch.chdir(tmp_path / "b")
    store["k"] = "v"
    store.compact()
    store["l"] = "w"
    store.close()
    assert not (tmp_path / "b" / "data").exists()
    monkeypatch.chdir(tmp_path / "a")
    assert dict(kvlib.open("data", read_only=True)) == {"k": "v", "l": "w"}
    assert DirectoryDisk("data").path("log") == os.path.join("data", "log")


@pytest.mark.parametrize("moment", ["close", "open"])
def test_a_close_frame_whose_fsync_failed_is_not_trusted(moment: str) -> None:
    """A later fsync would succeed, and prove nothing: so opening publishes a fresh snapshot."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    store["k"] = "v"
    if moment == "close":
        disk.fault = Fault("sync", "log")
        with pytest.raises(OSError, match="No space"):
            store.close()
    else:
        store.close()
        disk.fault = Fault("sync", "log")
        failed = kvlib.open(disk)
        assert failed.status().failed
        failed.close()
    disk.fault = None
    generation = kvlib.open(disk, read_only=True).status().generation
    with kvlib.open(disk) as store:
        assert store.status().generation > generation
        assert dict(store) == {"k": "v"}


def test_the_reason_of_a_failed_append_is_kept() -> None:
    """Later writes are refused with what the system said when the first one failed."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    disk.fault = Fault("append")
    with pytest.raises(OSError, match="No space"):
        store["k"] = "v"
    reason = str(store.status().failed)
    assert reason.startswith("an append failed (")
    with pytest.raises(WriteRefusedError, match=re.escape(reason)):
        store["k"] = "v"


def test_deserializing_tells_what_was_dropped() -> None:
    """A store in memory says it as a durable one does: `recovered`."""
    disk = MemoryDisk()
    kvlib.open(disk)["k"] = "v"
    disk.append("log", b"torn")
    store = kvlib.Store()
    store.deserialize(disk)
    assert store.recovered == Recovery(1, HEAD_END + 30, 4)


def test_a_missing_parent_is_named_as_such(tmp_path: Path) -> None:
    """`open` makes a directory, not the path to it."""
    with pytest.raises(FileNotFoundError, match="make the parent of this directory first"):
        kvlib.open(tmp_path / "no" / "data")


def test_a_compaction_that_meets_a_stranger_fails_no_put(tmp_path: Path) -> None:
    """A directory in the place of log.new: the put is durable, the status says what is wrong."""
    store = kvlib.open(tmp_path / "d", threshold=2)
    (tmp_path / "d" / "log.new").mkdir()
    for number in range(4):
        store[str(number)] = "v"
    assert "not a regular file" in str(store.status().compaction_error)
    (tmp_path / "d" / "log.new").rmdir()
    store.compact()
    store.close()
    assert len(kvlib.open(tmp_path / "d", read_only=True)) == 4
