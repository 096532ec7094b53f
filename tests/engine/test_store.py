"""The API of both stores: mappings, subclasses, equality, and a Store's snapshots."""

from collections.abc import Callable, Iterator, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import kvlib
from helpers.stores import OLD, SALT, Items, closed_store
from helpers.vocabulary import (
    AWKWARD,
    HEAD_END,
    Fault,
    FaultyDisk,
    disk_of,
    files_of,
    flip_bit,
    frame,
    put,
    run_python,
    store_files,
)
from kvlib import (
    CorruptionError,
    DirectoryDisk,
    DurableStore,
    LockedError,
    MemoryDisk,
    MissingError,
    Recovery,
    Status,
    Store,
)
from kvlib.encoding import Item

# --- both are mappings ----------------------------------------------------------------------------


@pytest.fixture(params=["Store", "on MemoryDisk", "on a directory"])
def mapping(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Yield a Store, and a DurableStore on each medium."""
    if request.param == "Store":
        yield kvlib.Store()
        return
    with kvlib.open(MemoryDisk() if "Memory" in request.param else tmp_path / "d") as store:
        yield store


def test_a_store_is_a_mutable_mapping(mapping: Any) -> None:
    """A store does whatever a dict does."""
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
    """A missing key is handled as in a dict, and `delete` ignores it."""
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
    """Awkward keys are never mixed up."""
    for at, key in enumerate(AWKWARD):
        mapping[key] = f"{at}"
    assert dict(mapping) == {key: f"{at}" for at, key in enumerate(AWKWARD)}


@pytest.mark.parametrize("wrong", [0, None, True, 1.5, bytearray(b"a"), ["a"]], ids=repr)
def test_other_types_are_refused_and_change_nothing(mapping: Any, wrong: Any) -> None:
    """A key or value of another type is a TypeError, and the records stay as they were."""
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
    """Text that has no UTF-8 encoding is refused, because it could not be written."""
    for key, value in (("\ud800", "v"), ("k", "\udfff"), ("a\ud800b", b"")):
        with pytest.raises(ValueError, match="surrogate"):
            mapping.put(key, value)
    assert dict(mapping) == {}


def test_a_length_that_does_not_fit_its_field_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key or value that is too long for its length field changes nothing."""
    from kvlib import encoding

    monkeypatch.setattr(encoding, "MAX_LENGTH", 54_320)  # instead of 32 bits
    disk = disk_of(closed_store())
    store, plain = kvlib.open(disk), Store()
    for value in (b"x" * 54_321, "x" * 54_321, "я" * 27_161):
        for write in (store.put, plain.put):
            with pytest.raises(ValueError, match="fit"):
                write("k", value)
            with pytest.raises(ValueError, match="fit"):
                write(value, "v")
    assert (dict(store), dict(plain)) == (OLD, {})
    assert files_of(disk) == closed_store()
    store["k"] = "x" * 54_319


def test_the_repr_gives_the_number_of_keys(mapping: Any) -> None:
    """The repr of a store names its type and the number of its keys."""
    mapping.update({"a": "1", "b": "2"})
    assert repr(mapping).startswith(f"<{type(mapping).__name__}")
    assert ": 2 keys" in repr(mapping)


# --- subclasses and equality ----------------------------------------------------------------------


def durable() -> DurableStore:
    """Return an empty durable store."""
    return kvlib.open(MemoryDisk())


def test_get_is_the_dicts_own_method(mapping: Any) -> None:
    """`get` is the dict's own method, and still sees every change."""
    get = mapping.get
    assert get.__self__ is mapping._items
    mapping["a"] = "1"
    assert get("a") == "1"
    if isinstance(mapping, Store):
        mapping.shutdown()
        assert get("a") is None
        mapping.restore()
        assert get("a") == "1"
    mapping.clear()
    assert get("a") is None


def test_a_subclass_says_how_records_are_read_and_written() -> None:
    """Every read goes through `__getitem__` of a subclass, and every write through its `put`."""

    class Upper:
        def __getitem__(self, key: Item) -> Item:
            return str(super().__getitem__(key)).upper()  # type: ignore[misc]

        def put(self, key: Item, value: Item) -> None:
            super().put(key, f"<{value!r}>")  # type: ignore[misc]

        def delete(self, key: Item) -> None:
            super().delete(key)  # type: ignore[misc]
            self.deleted = key

    class UpperStore(Upper, Store):
        pass

    class UpperDurable(Upper, DurableStore):
        pass

    for store in (UpperStore(), UpperDurable(MemoryDisk())):
        store["a"] = "x"
        store.setdefault("b", "y")
        assert store["a"] == store.get("a") == "<'X'>"
        assert store.get("none") is None
        assert store.get("none", "z") == "z"
        assert dict(store) == {"a": "<'X'>", "b": "<'Y'>"}
        assert store.pop("b") == "<'Y'>"
        assert store.deleted == "b"


def test_a_subclass_may_have_its_own_get() -> None:
    """A subclass can define `get`."""

    class Default(Store):
        def get(self, key: Item, default: Any = "nothing") -> Any:
            return super().get(key, default)

    store = Default()
    store["a"] = "1"
    assert (store.get("a"), store.get("b")) == ("1", "nothing")
    store.shutdown()
    store.restore()
    assert (store.get("a"), store.get("b")) == ("1", "nothing")


def test_stores_are_equal_when_their_records_are() -> None:
    """Stores are equal if their records are, whatever their type and order."""
    makers: list[Callable[[], Any]] = [Store, durable, dict]
    for make in makers:
        for other in makers:
            one, two = make(), other()
            one.update({"a": "1", b"a": b"2"})
            two.update({b"a": b"2", "a": "1"})
            assert one == two
            two["a"] = "2"
            assert one != two
    assert Store() != []
    assert Store() != "a"
    assert durable() != 1


@pytest.mark.parametrize("make", [Store, durable])
def test_a_store_has_no_hash(make: Callable[[], Any]) -> None:
    """A store is unhashable, because it can change."""
    with pytest.raises(TypeError, match="unhashable"):
        hash(make())


def test_a_closed_store_is_equal_to_nothing() -> None:
    """Comparing a closed store, on either side, is a ValueError."""
    closed = durable()
    closed.close()
    pairs: list[tuple[object, object]] = [(closed, {}), ({}, closed), (Store(), closed)]
    for one, other in pairs:
        with pytest.raises(ValueError, match="closed"):
            assert one != other


# --- snapshots of a Store -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "directory"])
def test_serialize_and_deserialize_any_number_of_times(kind: str, tmp_path: Path) -> None:
    """A place holds exactly what was serialized last, even if that was empty."""
    place: Any = MemoryDisk() if kind == "memory" else tmp_path / "d"
    store, other = kvlib.Store(), kvlib.Store()
    contents: list[Items] = [{"a": "1", b"a": b"2"}, {}, {"c": "3"}]
    for items in contents:
        store.clear()
        store.update(items)
        store.serialize(place, max_segment_size=12)
        other["gone"] = "afterwards"
        get = other.get
        other.deserialize(place)
        assert dict(other) == items
        assert get("c") == items.get("c")


def test_a_serialized_place_can_be_opened_and_continued(tmp_path: Path) -> None:
    """Store and DurableStore read and continue each other's places."""
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
    """A snapshot's generation follows the last sequence of the log that it replaces."""
    files = store_files(OLD, frame(b"M", 8, put("a", "1"), SALT), generation=7, salt=SALT)
    disk = disk_of(files)
    store = kvlib.Store()
    store.serialize(disk)
    assert disk.names() == ["0000000000000009.00000000.segment", "log"]
    assert dict(kvlib.open(disk, read_only=True)) == {}


def test_a_place_in_use_is_not_serialized_over(tmp_path: Path) -> None:
    """Serializing needs the writer's lock, and reading doesn't."""
    store = kvlib.Store()
    with kvlib.open(tmp_path) as durable:
        durable["a"] = "1"
        with pytest.raises(LockedError):
            store.serialize(tmp_path)
        store.deserialize(tmp_path)
        assert dict(store) == {"a": "1"}
    store.serialize(tmp_path)


def test_a_damaged_place_is_not_serialized_over() -> None:
    """A damaged store is not overwritten, because it might still be rescued."""
    files = closed_store()
    files["log"] = flip_bit(files["log"], 100)
    disk = disk_of(files)
    with pytest.raises(CorruptionError):
        kvlib.Store().serialize(disk)
    assert files_of(disk) == files


def test_deserializing_reports_what_was_dropped() -> None:
    """Deserializing reports the tail that was dropped."""
    disk = MemoryDisk()
    kvlib.open(disk)["k"] = "v"
    disk.append("log", b"torn")
    store = kvlib.Store()
    store.deserialize(disk)
    assert store.recovered == Recovery(1, HEAD_END + 30, 4)


@pytest.mark.parametrize("read", [Store().deserialize, partial(kvlib.open, read_only=True)])
def test_a_missing_store_is_not_read(read: Callable[[Any], object], tmp_path: Path) -> None:
    """Reading where there is no store is a MissingError, and makes nothing."""
    places: list[Any] = [MemoryDisk(), tmp_path / "missing", str(tmp_path / "missing"), tmp_path]
    for place in places:
        with pytest.raises(MissingError, match="no store"):
            read(place)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_deserialize_keeps_memory() -> None:
    """A store that could not be read leaves the records in memory alone."""
    store = Store()
    store["a"] = "1"
    with pytest.raises(MissingError):
        store.deserialize(MemoryDisk())
    assert dict(store) == {"a": "1"}


@pytest.mark.parametrize("kind", ["own", "memory", "directory"])
def test_shutdown_writes_and_clears_and_restore_replaces(kind: str, tmp_path: Path) -> None:
    """`shutdown` writes to the medium and clears memory, and `restore` reads it back."""
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
    """Memory is cleared only after the bytes have been written."""
    disk = FaultyDisk()
    store = kvlib.Store(medium=disk)
    store["a"] = "1"
    disk.fault = Fault("sync", "log.new")
    with pytest.raises(OSError, match="No space"):
        store.shutdown()
    assert dict(store) == {"a": "1"}


# --- parameters -----------------------------------------------------------------------------------


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
    """A bad parameter is named in the error, and no directory is made."""
    parameters = {name: wrong}
    with pytest.raises(kind, match=name):
        kvlib.open(tmp_path / "d", **parameters)
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("size", [8, 0, -1])
def test_a_bad_segment_size_publishes_nothing(size: int) -> None:
    """A bad segment size is refused before any file is written."""
    disk = MemoryDisk()
    with pytest.raises(ValueError, match="max_segment_size"):
        kvlib.Store().serialize(disk, max_segment_size=size)
    with pytest.raises(ValueError, match="max_segment_size"):
        kvlib.open(disk, max_segment_size=size)
    assert disk.names() == []


def test_segments_have_the_size_that_was_asked_for() -> None:
    """Creation, recovery and compaction cut segments to the requested size."""
    disk = MemoryDisk()
    with kvlib.open(disk, max_segment_size=9) as store:
        assert len(disk.names()) == 5  # 4 bytes of an empty snapshot, and the log
        store["k"] = "v"
        store.compact()
        assert len(disk.names()) == 4 + 6 + 6 + 1
    with kvlib.open(disk) as store:
        store.compact()
        assert len(disk.names()) == 2


def test_the_status_gives_the_figures() -> None:
    """The status gives keys, pending mutations, compactions, bytes of the log, generation."""
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


def test_a_place_is_a_path_or_a_disk() -> None:
    """Anything that is neither a path nor a Disk is a TypeError."""
    not_places: list[Any] = [None, 1, b"path", ["path"], {}]
    for wrong in not_places:
        with pytest.raises(TypeError, match="path or a Disk"):
            kvlib.open(wrong)


@pytest.mark.parametrize(
    "use",
    [
        kvlib.open,
        DirectoryDisk,
        Store,
        lambda place: kvlib.open(place, read_only=True),
        lambda place: Store().serialize(place),
        lambda place: Store().deserialize(place),
        lambda place: durable().backup(place),
    ],
)
def test_an_empty_path_is_no_place(
    use: Callable[[Any], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty path is refused: it is a forgotten variable, not the working directory."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"empty.*'\.'"):
        use("")
    assert list(tmp_path.iterdir()) == []


def test_importing_kvlib_does_not_import_the_lock() -> None:
    """Importing kvlib and using a MemoryDisk imports no optional or slow module."""
    code = """
        import sys, kvlib
        kvlib.open(kvlib.MemoryDisk()).close()
        print([name for name in ("filelock", "ipywidgets", "hexdump") if name in sys.modules])
    """
    assert run_python(code) == "[]"
