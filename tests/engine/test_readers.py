"""Readers: they take no lock, and wait for nothing."""

import threading
from pathlib import Path

import pytest

import kvlib
from helpers.stores import (
    MODES,
    OLD,
    SALT,
    TIMEOUT,
    Items,
    Sync,
    Thread,
    assert_refused,
    closed_store,
    content,
    kinds_of,
    save_files,
    together,
    torn_store,
)
from helpers.vocabulary import (
    HEAD_END,
    Call,
    ChangingDisk,
    FaultyDisk,
    disk_of,
    frame,
    put,
    store_files,
    survivor,
)
from kvlib import (
    Disk,
    LockedError,
    MemoryDisk,
    MissingError,
    Recovery,
    WriteRefusedError,
)


class Gate(FaultyDisk):
    """A disk on which one call stops until `go` is set."""

    stops: Call | None = None

    def __init__(self) -> None:
        super().__init__()
        self.stopped, self.go = threading.Event(), threading.Event()

    def _do(self, verb: str, name: str, *arguments: str | bytes) -> None:
        if self.stops and self.stops[0] == verb and name.endswith(self.stops[1]):
            self.stops = None
            self.stopped.set()
            assert self.go.wait(TIMEOUT)
        super()._do(verb, name, *arguments)


COMPACTING = [("write", "segment"), ("sync", "log.new"), ("rename", "")]


@pytest.mark.parametrize("stops", [("append", "log"), ("sync", "log"), *COMPACTING])
def test_readers_wait_neither_for_a_put_nor_for_a_compaction(stops: Call) -> None:
    """Readers see the old value until the new one is durable; a put waits for a compaction."""
    disk = Gate()
    store = kvlib.open(disk)
    store.update({"a": "old", "b": "1"})
    disk.stops = stops
    threads = [Thread(store.compact)] if stops in COMPACTING else []
    threads.append(Thread(lambda: store.put("a", "new")))
    assert disk.stopped.wait(TIMEOUT)
    assert store["a"] == store.get("a") == "old"
    assert ("a" in store, len(store), list(store)) == (True, 2, ["a", "b"])
    assert store.status().keys == 2
    assert content(survivor(disk))["a"] == ("new" if stops == ("sync", "log") else "old")
    disk.go.set()
    for thread in threads:
        thread.join()
    if stops in COMPACTING:
        assert kinds_of(disk) == "M"
    assert dict(store) == content(survivor(disk)) == {"a": "new", "b": "1"}


@pytest.mark.usefixtures("hurry")
@MODES
def test_readers_see_old_values_or_new_ones_and_never_others(place: Disk, sync: Sync) -> None:
    """A reader sees values between the last acknowledged and the last begun, never an older one."""
    store = kvlib.open(place, sync=sync, threshold=10)
    count = 3  # of writers, and as many readers
    begun, acknowledged = [0] * count, [0] * count
    store.update({f"{name}": "0" for name in range(count)})
    ended: list[int] = []

    def write(name: int) -> None:
        try:
            for at in range(1, 31):
                begun[name] = at
                store[f"{name}"] = f"{at}"
                acknowledged[name] = at
        finally:
            ended.append(name)

    def read(name: int) -> None:
        last = [0] * count
        going_on = True
        while going_on:
            going_on = len(ended) < count
            for key in range(count):
                low = acknowledged[key]
                seen = int(str(store[f"{key}"]))
                assert max(low, last[key]) <= seen <= begun[key]
                last[key] = seen
        assert last == [30] * count

    together(lambda name: write(name) if name < count else read(name - count), 2 * count)
    store.close()


def test_a_reader_changes_nothing_and_takes_no_lock(tmp_path: Path) -> None:
    """A reader takes no lock and changes no file; it reports a torn tail and refuses writes."""
    files = torn_store()
    save_files(files, tmp_path)
    with kvlib.open(tmp_path, read_only=True) as reader:
        assert reader.recovered == Recovery(1, HEAD_END + 30, 4)
        assert dict(reader) == OLD | {"a": "1"}
        assert_refused(reader, "read_only")
        with pytest.raises(WriteRefusedError, match="read_only"):
            reader.compact()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files
    with kvlib.open(tmp_path) as writer, kvlib.open(tmp_path, read_only=True) as reader:
        writer["b"] = "2"
        assert dict(reader) == OLD | {"a": "1"}


def test_a_reader_calls_for_no_change() -> None:
    """A reader calls nothing but `names` and `read`."""
    disk = FaultyDisk(disk_of(closed_store()))
    kvlib.open(disk, read_only=True).close()
    assert {verb for verb, _ in disk.calls} == {"names", "read"}


def moving(files: dict[str, bytes], *versions: dict[str, bytes] | None) -> ChangingDisk:
    """Return a disk of `files` that changes to the next version after each reading of its log.

    None leaves it as it is.
    """

    def change(disk: ChangingDisk, reads: int) -> None:
        version = versions[reads - 1] if reads <= len(versions) else None
        if version is not None:
            for name in disk.names():
                disk.delete(name)
            for name, data in version.items():
                disk.write(name, data)

    return ChangingDisk(files, change)


WHOLE = frame(b"M", 2, put("a", "1"), SALT)


@pytest.mark.parametrize(
    ("before", "later", "expected"),
    [
        (closed_store(), store_files({"new": "2"}, generation=9), {"new": "2"}),
        (
            store_files(OLD, WHOLE[:20], salt=SALT),
            store_files(OLD, WHOLE, salt=SALT),
            OLD | {"a": "1"},
        ),
    ],
    ids=["a new snapshot", "the log grew"],
)
def test_a_reader_starts_again_if_the_log_changes_meanwhile(
    before: dict[str, bytes], later: dict[str, bytes], expected: Items
) -> None:
    """The segments are gone, or a torn tail was an append under way."""
    disk = moving(before, None, later)
    reader = kvlib.open(disk, read_only=True)
    assert dict(reader) == expected
    assert reader.recovered.dropped_bytes == 0


@pytest.mark.parametrize("flaw", ["torn", "damaged"])
def test_a_reader_gives_up_after_three_changes(flaw: str) -> None:
    """A reader raises LockedError if the log changes during each of three readings."""
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


def test_a_store_that_vanishes_is_missing() -> None:
    """A store that vanishes while it is read is a MissingError."""
    disk = moving(closed_store(), {})
    with pytest.raises(MissingError):
        kvlib.open(disk, read_only=True)


def test_a_reader_of_a_log_that_vanishes_between_names_and_read_starts_again() -> None:
    """A reader starts again if the log is gone between `names` and `read`."""
    answers = [b"before", None]  # then the log

    class Blinking(MemoryDisk):
        def read(self, name: str) -> bytes:
            if name != "log" or not answers:
                return super().read(name)
            answer = answers.pop(0)
            if answer is None:
                raise FileNotFoundError(name)
            return answer

    disk = Blinking()
    for name, data in closed_store().items():
        disk.write(name, data)
    assert dict(kvlib.open(disk, read_only=True)) == OLD
