"""The API of both stores: mappings, subclasses, equality and status."""

from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest

import kvlib
from helpers.stores import OLD, closed_store
from helpers.vocabulary import (
    AWKWARD,
    HEAD_END,
    disk_of,
    files_of,
)
from kvlib import (
    DurableStore,
    MemoryDisk,
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


# --- parameters -----------------------------------------------------------------------------------


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
