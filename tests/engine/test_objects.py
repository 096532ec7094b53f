"""What a store means to Python: copies, pickles, subclasses, `==`, contexts, and odd arguments."""

import asyncio
import copy
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import kvlib
from kvlib import DirectoryDisk, DurableStore, MemoryDisk, Store, WriteRefusedError, commit
from kvlib.encoding import Item
from kvlib.log import decode_mutations, decode_steps, scan
from kvlib.segments import decode_header
from kvlib.snapshot import decode_head

Records = dict[Item, Item]


def content(place: kvlib.Disk) -> Records:
    """What recovery makes of it."""
    with kvlib.open(place, read_only=True) as store:
        return dict(store)


# --- copies --------------------------------------------------------------------------------------

COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda one: pickle.loads(pickle.dumps(one)),
    "old pickle": lambda one: pickle.loads(pickle.dumps(one, protocol=2)),
}
EACH = pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)


class Named(Store):
    """A subclass with something of its own."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __getitem__(self, key: Item) -> Item:
        return f"{self.name}: {super().__getitem__(key)!r}"


@EACH
def test_a_copy_of_a_store_in_memory_goes_its_own_way(duplicate: Callable[[Any], Any]) -> None:
    """Neither sees what the other changes, saves or restores."""
    store = Store()
    store.update({"a": "1", b"a": b"2"})
    store.shutdown()
    store["b"] = "2"
    other = duplicate(store)
    assert type(other) is Store
    assert other == store == {"b": "2"}
    other["c"] = "3"
    store["d"] = "4"
    assert dict(other) == {"b": "2", "c": "3"}
    assert (other.get("c"), other.get("d"), store.get("c")) == ("3", None, None)
    other.shutdown()
    store.restore()
    other.restore()
    assert dict(store) == {"a": "1", b"a": b"2"}
    assert dict(other) == {"b": "2", "c": "3"}


@EACH
def test_a_copy_of_a_subclass_is_one_too(duplicate: Callable[[Any], Any]) -> None:
    """With its attributes, and its own methods."""
    store = Named("shop")
    store["a"] = "1"
    other = duplicate(store)
    assert type(other) is Named
    assert other.name == "shop"
    assert other["a"] == other.get("a") == "shop: '1'"


def test_a_medium_that_was_named_is_shared(tmp_path: Path) -> None:
    """A place on a disk is one place, however many stores are told of it."""
    store = Store(tmp_path / "store")
    store["a"] = "1"
    other = copy.copy(store)
    other.shutdown()
    store.restore()
    assert store == {"a": "1"}


@EACH
@pytest.mark.parametrize("read_only", [False, True])
def test_a_durable_store_cannot_be_copied(duplicate: Callable[[Any], Any], read_only: bool) -> None:
    """Two objects would write one log. It says what to do, and nothing happens to the store."""
    disk = MemoryDisk()
    kvlib.open(disk).close()
    store = kvlib.open(disk, read_only=read_only)
    with pytest.raises(TypeError, match=r"dict\(store\).*backup\(\).*read_only=True"):
        duplicate(store)
    store.close()


def test_a_durable_store_cannot_be_sent_to_another_process(tmp_path: Path) -> None:
    """What a process pool says is the same."""
    code = """
        import multiprocessing, sys, kvlib
        if __name__ == "__main__":
            store = kvlib.open(sys.argv[1])
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                try:
                    pool.apply(len, (store,))
                except TypeError as error:
                    print(error)
    """
    path = tmp_path / "code.py"
    path.write_text("\n".join(line[8:] for line in code.split("\n")), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path), str(tmp_path / "store")], capture_output=True, text=True
    )
    assert done.stdout.startswith("a DurableStore can't be copied or pickled"), done.stderr


@EACH
def test_a_copy_of_a_memory_disk_goes_its_own_way(duplicate: Callable[[Any], Any]) -> None:
    """Even of one that is locked: nobody has locked the copy."""
    disk = MemoryDisk()
    store = kvlib.open(disk)
    store["a"] = "1"
    with kvlib.open(duplicate(disk)) as other:
        other["a"] = "2"
    assert duplicate(disk).entropy(4) == disk.entropy(4)  # both go on with the same random bytes
    store["b"] = "3"
    assert content(disk) == {"a": "1", "b": "3"}


@EACH
def test_a_copy_of_a_directory_disk_is_another_view_of_it(
    duplicate: Callable[[Any], Any], tmp_path: Path
) -> None:
    """It has neither the lock nor the descriptor of the one that is in use."""
    disk = DirectoryDisk(tmp_path / "store")
    store = kvlib.open(disk)
    store["a"] = "1"
    other = duplicate(disk)
    with pytest.raises(kvlib.LockedError):
        kvlib.open(other)
    assert content(other) == {"a": "1"}
    other.write("note", b"x")
    other.append("note", b"y")
    store["b"] = "2"
    assert content(disk) == {"a": "1", "b": "2"}
    store.close()
    with kvlib.open(other) as again:
        again["c"] = "3"


@pytest.mark.parametrize(
    "error",
    [
        kvlib.CorruptionError("log", 3, "reason"),
        kvlib.VersionError("log", 6, "newer"),
        kvlib.LockedError("busy"),
        WriteRefusedError("no"),
    ],
)
def test_errors_can_be_sent_to_another_process(error: kvlib.KvlibError) -> None:
    """With all that they say."""
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


# --- subclasses ----------------------------------------------------------------------------------


def durable() -> DurableStore:
    """An empty one."""
    return kvlib.open(MemoryDisk())


def test_a_subclass_says_how_records_are_read_and_written() -> None:
    """Each way to read goes through its `__getitem__`, each way to write one through its `put`."""

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
    """The dict's own, which is faster, doesn't hide it."""

    class Default(Store):
        def get(self, key: Item, default: Any = "nothing") -> Any:
            return super().get(key, default)

    store = Default()
    store["a"] = "1"
    assert (store.get("a"), store.get("b")) == ("1", "nothing")
    store.shutdown()
    store.restore()
    assert (store.get("a"), store.get("b")) == ("1", "nothing")


def test_get_is_as_fast_as_a_dict() -> None:
    """It is the dict's own method, and stays bound to the same dict."""
    for store in (Store(), durable()):
        get = store.get
        assert get.__self__ is store._items  # type: ignore[attr-defined]
        store["a"] = "1"
        assert get("a") == "1"
    memory = Store()
    get = memory.get
    memory["a"] = "1"
    memory.shutdown()
    assert get("a") is None
    memory.restore()
    assert get("a") == "1"


# --- equality ------------------------------------------------------------------------------------


def test_stores_are_equal_when_their_records_are() -> None:
    """As dicts are: whichever kind they are of, and in whatever order."""
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
    """What is equal now may not be later."""
    with pytest.raises(TypeError, match="unhashable"):
        hash(make())


def test_a_closed_store_is_equal_to_nothing() -> None:
    """Its records can't be asked for, not even on the other side."""
    closed = durable()
    closed.close()
    pairs: list[tuple[object, object]] = [(closed, {}), ({}, closed), (Store(), closed)]
    for one, other in pairs:
        with pytest.raises(ValueError, match="closed"):
            assert one != other


# --- bytes and text under -bb --------------------------------------------------------------------


@pytest.mark.parametrize("options", [["-bb"], ["-b", "-Werror"], ["-OO", "-bb"]])
def test_bytes_and_text_are_two_keys_under_any_option(options: list[str], tmp_path: Path) -> None:
    """`python -bb` makes an error of comparing them, which a dict must do when hashes are equal."""
    code = """
import sys, kvlib
records = {}
with kvlib.open(sys.argv[1], threshold=3) as store:
    for key in ("", b"", "a", b"a"):
        store[key] = key
    with store.batch():
        store.delete("a")
        store["a"] = "again"
    store.update([("b", "1"), (b"b", b"2")])
    store.setdefault(b"c", "1")
    store.setdefault("c", "2")
    store.backup(sys.argv[1] + ".backup")
for path in (sys.argv[1], sys.argv[1] + ".backup"):
    with kvlib.open(path) as store:
        assert store.get("") == "" and store.get(b"") == b""
        assert store["a"] == "again" and store[b"a"] == b"a"
        assert "b" in store and b"b" in store and len(store) == 8
        assert store == store
        store.clear()
memory = kvlib.Store()
memory[""], memory[b""] = "1", b"2"
memory.shutdown()
memory.restore()
assert memory.get(b"") == b"2" and memory.pop("") == "1"
print("all of them")
"""
    command = [sys.executable, *options, "-c", code, str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("all of them\n", "")


# --- batches and contexts ------------------------------------------------------------------------


def test_two_coroutines_have_a_batch_each() -> None:
    """One fails; what the other has put is acknowledged, and stays."""
    disk = MemoryDisk()
    store = kvlib.open(disk)

    async def fails(ready: asyncio.Event, go: asyncio.Event) -> None:
        with suppress(LookupError), store.batch():
            store["a"] = "discarded"
            ready.set()
            await go.wait()
            store["b"] = "discarded"
            raise LookupError

    async def puts(ready: asyncio.Event, go: asyncio.Event) -> None:
        await ready.wait()
        store["c"] = "kept"
        assert content(disk) == {"c": "kept"}
        with store.batch():
            store["d"] = "kept"
            go.set()
            await asyncio.sleep(0)
            store["e"] = "kept"

    async def main() -> None:
        ready, go = asyncio.Event(), asyncio.Event()
        await asyncio.gather(fails(ready, go), puts(ready, go))

    asyncio.run(main())
    assert dict(store) == content(disk) == {"c": "kept", "d": "kept", "e": "kept"}


def test_what_a_batch_starts_is_not_in_it() -> None:
    """A task or a thread has a context of its own, though it begins as a copy."""
    disk = MemoryDisk()
    store = kvlib.open(disk)

    async def put(key: str) -> None:
        store[key] = "kept"

    async def main() -> None:
        with suppress(LookupError), store.batch():
            store["a"] = "discarded"
            await asyncio.create_task(put("task"))
            await asyncio.to_thread(store.put, "thread", "kept")
            await put("a")
            store["b"] = "discarded"
            raise LookupError
        with store.batch():
            await put("last")

    asyncio.run(main())
    assert dict(store) == content(disk) == {"task": "kept", "thread": "kept", "last": "kept"}


def test_a_batch_can_be_wrapped() -> None:
    """In a context manager of the user's own, or in a generator that is gone through."""
    disk = MemoryDisk()
    store = kvlib.open(disk)

    @contextmanager
    def transaction() -> Iterator[None]:
        store["begun"] = "1"
        with store.batch():
            yield

    with transaction():
        store["a"] = "1"
        assert content(disk) == {"begun": "1"}
    assert content(disk) == {"begun": "1", "a": "1"}
    with suppress(LookupError), transaction():
        store["b"] = "1"
        raise LookupError
    assert content(disk) == {"begun": "1", "a": "1"}


def test_a_batch_object_can_be_used_again() -> None:
    """It begins empty each time."""
    store = durable()
    batch = store.batch()
    for number in range(2):
        with batch:
            store[f"{number}"] = "1"
    assert store.status().pending == len(store) == 2


def test_batches_of_two_stores_are_apart() -> None:
    """One inside the other, and each takes its own."""
    one, two = durable(), durable()
    with one.batch():
        one["a"] = "1"
        two["a"] = "1"
        with two.batch():
            one["b"] = "2"
            two["b"] = "2"
            with pytest.raises(ValueError, match="nest"), one.batch():
                pytest.fail("nested")
        assert dict(two) == {"a": "1", "b": "2"}
        assert dict(one) == {}
    assert dict(one) == {"a": "1", "b": "2"}


def test_what_promises_durability_is_refused_in_a_batch() -> None:
    """Nothing of it is written yet: sync(), compact() and backup() would say what isn't so."""
    store = durable()
    with store.batch():
        store["a"] = "1"
        for call in (store.sync, store.compact, lambda: store.backup(MemoryDisk())):
            with pytest.raises(ValueError, match="a batch is open"):
                call()
        thread = threading.Thread(target=store.sync)  # of another thread it is none of its business
        thread.start()
        thread.join()
    store.sync()


# --- backups -------------------------------------------------------------------------------------


def test_a_backup_is_a_store_of_its_own(tmp_path: Path) -> None:
    """To be opened, deserialized, backed up over; the source goes on."""
    store = kvlib.open(tmp_path / "store")
    store["a"] = "1"
    store.backup(tmp_path / "backup")
    store["b"] = "2"
    memory = Store()
    memory.deserialize(tmp_path / "backup")
    assert memory == {"a": "1"}
    with kvlib.open(tmp_path / "backup") as backup:
        backup["c"] = "3"
        assert backup == {"a": "1", "c": "3"}
        with pytest.raises(kvlib.LockedError):
            store.backup(tmp_path / "backup")
    store.backup(tmp_path / "backup", max_segment_size=20)
    assert content(DirectoryDisk(tmp_path / "backup")) == {"a": "1", "b": "2"}
    assert len(list((tmp_path / "backup").glob("*.segment"))) > 1


def test_what_can_be_read_can_be_backed_up(tmp_path: Path) -> None:
    """A store that was opened read-only, and one that refuses to write; not one that is closed."""

    class Full(MemoryDisk):
        full = False

        def append(self, name: str, data: bytes) -> None:
            if self.full:
                raise OSError("no space")
            super().append(name, data)

    disk, place = Full(), MemoryDisk()
    store = kvlib.open(disk)
    store["a"] = "1"
    disk.full = True
    with pytest.raises(OSError, match="no space"):
        store["b"] = "2"
    store.backup(place)
    assert content(place) == {"a": "1"}
    kvlib.open(place, read_only=True).backup(tmp_path / "again")
    assert content(DirectoryDisk(tmp_path / "again")) == {"a": "1"}
    store.close()
    with pytest.raises(ValueError, match="closed"):
        store.backup(place)


def test_a_store_is_not_backed_up_into_itself(tmp_path: Path) -> None:
    """Its own place is taken, by itself."""
    store = kvlib.open(tmp_path / "store")
    store["a"] = "1"
    for place in (tmp_path / "store", store._disk):
        with pytest.raises(kvlib.LockedError):
            store.backup(place)
    store["b"] = "2"
    store.close()
    assert content(store._disk) == {"a": "1", "b": "2"}


# --- odd arguments -------------------------------------------------------------------------------


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
    """It is a forgotten variable, not the working directory."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"empty.*'\.'"):
        use("")
    assert list(tmp_path.iterdir()) == []


DECODERS: dict[str, tuple[Callable[..., Any], bytes]] = {
    "decode_field": (kvlib.decode_field, kvlib.encode_field("abc")),
    "unseal": (kvlib.unseal, kvlib.seal(b"S", 1, b"abc")),
    "scan": (lambda data, offset: list(scan(data, offset, 0, 0)), kvlib.seal(b"M", 1, b"abc")),
}


@pytest.mark.parametrize("name", DECODERS)
def test_a_decoder_takes_no_offset_before_the_data(name: str) -> None:
    """A negative offset counts from the end elsewhere; here it is a mistake in somebody's sum."""
    decode, data = DECODERS[name]
    decode(data, 0)
    for offset in range(-2 * len(data), 0):
        with pytest.raises(ValueError, match=f"offset is {offset}"):
            decode(data, offset)
    for wrong in (None, "0", 0.0, True):
        with pytest.raises(TypeError, match="offset must be an int"):
            decode(data, wrong)


@pytest.mark.parametrize("name", DECODERS)
def test_an_offset_in_or_behind_the_data_gives_what_stands_there_or_an_error(name: str) -> None:
    """At each offset the answer is that of the bytes from there on."""
    decode, data = DECODERS[name]
    padded = b"\xee" * 5 + data
    for offset in range(len(padded) + 20):
        try:
            found = repr(decode(padded, offset))
        except kvlib.CorruptionError as error:
            assert error.offset >= offset
        else:
            assert offset == 5 or (name == "scan" and found == "[]")


BYTES: dict[str, tuple[Callable[[Any], Any], bytes]] = {
    "decode_field": (kvlib.decode_field, kvlib.encode_field(b"abc")),
    "decode_snapshot": (kvlib.decode_snapshot, kvlib.encode_snapshot({b"a": b"1", "b": "2"})),
    "unseal": (kvlib.unseal, kvlib.seal(b"S", 1, b"abc")),
    "split": (lambda stream: kvlib.split(stream, 20), b"stream"),
    "join": (lambda segment: kvlib.join([segment]), kvlib.split(b"stream", 20)[0]),
    "decode_header": (decode_header, kvlib.split(b"stream", 20)[0]),
    "decode_steps": (lambda data: list(decode_steps(data)), b"D" + kvlib.encode_field(b"a")),
    "decode_mutations": (decode_mutations, b"D" + kvlib.encode_field(b"a")),
    "decode_head": (decode_head, b"kvlib\0\0\1" + kvlib.seal(b"H", 1, bytes(24))),
}


@pytest.mark.parametrize("name", BYTES)
def test_any_kind_of_bytes_is_decoded_and_nothing_else(name: str) -> None:
    """And what comes out is bytes and str, whichever kind it was."""
    decode, data = BYTES[name]
    wanted = decode(data)
    for kind in (bytearray, memoryview):
        assert repr(decode(kind(data))) == repr(wanted)
    not_bytes: list[Any] = ["text", None, 7, [1, 2, 3], {}]
    for wrong in not_bytes:
        with pytest.raises(TypeError):
            decode(wrong)


@pytest.mark.parametrize(
    ("kind", "sequence", "salt", "error"),
    [
        (b"S", -1, 0, ValueError),
        (b"S", 2**63 + 1, 0, ValueError),
        (b"S", True, 0, TypeError),
        (b"S", 1.0, 0, TypeError),
        (b"S", 1, -1, ValueError),
        (b"S", 1, 2**32, ValueError),
        (b"S", 1, None, TypeError),
        (b"?", 1, 0, ValueError),
    ],
)
def test_what_does_not_fit_a_frame_is_the_callers_mistake(
    kind: bytes, sequence: Any, salt: Any, error: type[Exception]
) -> None:
    """A salt of 33 bits, for example, would be cut to another."""
    with pytest.raises(error):
        kvlib.seal(kind, sequence, b"x", salt)
    if salt != 0:
        with pytest.raises(error):
            kvlib.unseal(kvlib.seal(b"S", 1, b"x"), 0, salt)


def test_a_mapping_that_contradicts_itself_is_encoded_as_what_it_holds() -> None:
    """The count is that of the records written, not what `len` said before."""

    class Odd(dict[Item, Item]):
        def __len__(self) -> int:
            return 7

    assert kvlib.decode_snapshot(kvlib.encode_snapshot(Odd(a="1"))) == {"a": "1"}


# --- refusals of a whole kind --------------------------------------------------------------------


def test_a_batch_in_an_exit_stack_is_written_at_its_end() -> None:
    """As in a with statement of its own."""
    store = durable()
    with ExitStack() as stack:
        stack.enter_context(store.batch())
        store["a"] = "1"
        assert dict(store) == {}
    assert dict(store) == {"a": "1"}
    with suppress(LookupError), ExitStack() as stack:
        stack.enter_context(store.batch())
        store["b"] = "1"
        raise LookupError
    store["c"] = "1"
    assert dict(store) == {"a": "1", "c": "1"}


def test_a_batch_goes_on_after_an_interrupted_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between the two steps that tell one context from another: the next put is in it."""
    store = durable()

    probe = commit._probe

    class Broken:
        def reset(self, token: Any) -> None:
            probe.reset(token)

        def set(self, value: None) -> None:
            raise KeyboardInterrupt

    with store.batch():
        store["a"] = "1"
        with monkeypatch.context() as patch:
            patch.setattr(commit, "_probe", Broken())
            with pytest.raises(KeyboardInterrupt):
                store["b"] = "2"
        store["c"] = "3"
        assert dict(store) == {}
    assert dict(store) == {"a": "1", "c": "3"}


def test_a_change_of_process_is_seen_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the child of a fork is told, without a fork; closing forgets, and writes nothing."""
    disk = MemoryDisk()
    store = kvlib.open(disk)
    store["a"] = "1"
    before = disk.read("log")
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        calls: list[Callable[[], object]] = [lambda: store.put("b", "2"), store.sync, store.clear]
        for call in [*calls, store.compact]:
            with pytest.raises(WriteRefusedError, match="forked"):
                call()
        assert store["a"] == "1"
        store.close()
    assert disk.read("log") == before
    with pytest.raises(ValueError, match="closed"):
        len(store)
    with pytest.raises(kvlib.LockedError):
        kvlib.open(disk)


def test_a_policy_that_writes_is_refused() -> None:
    """It is asked in the middle of a write. What it was asked after has been written."""

    def policy(status: kvlib.Status) -> bool:
        store["inner"] = "1"
        return False

    disk = MemoryDisk()
    store = kvlib.open(disk, policy=policy)
    with pytest.raises(WriteRefusedError, match="middle of a write"):
        store["a"] = "1"
    assert dict(store) == content(disk) == {"a": "1"}


def test_a_disk_that_nobody_has_locked_trusts_its_user(tmp_path: Path) -> None:
    """Whoever uses it without a lock is alone with it: nothing is compared."""
    disk = DirectoryDisk(tmp_path)
    disk.write("a", b"1")
    (tmp_path / "a").unlink()
    disk.append("a", b"2")
    disk.sync("a")
    disk.sync_directory()
