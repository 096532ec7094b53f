"""Compaction: when it happens, what it leaves, and how it fails."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

import kvlib
from helpers.stores import (
    DONE,
    OLD,
    Done,
    assert_refused,
    changes_of,
    closed_store,
    frames_of,
    kinds_of,
    reopened,
    torn_store,
)
from helpers.vocabulary import HEAD_END, Fault, FaultyDisk, disk_of, files_of, survivor
from kvlib import MemoryDisk, Recovery, Status

# --- generations ----------------------------------------------------------------------------------


def test_a_generation_is_one_more_than_anything_before() -> None:
    """A generation follows the log's last sequence and every generation that was tried."""
    disk = FaultyDisk()
    store = kvlib.open(disk)
    store["a"] = "1"  # sequence 2
    for _ in range(2):
        disk.fault = Fault("sync", ".segment")
        with pytest.raises(OSError, match="No space"):
            store.compact()  # tries 3, then 4
    store["b"] = "2"  # continues with 3
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
    """The counter of compactions stops at its maximum, and compaction continues."""
    disk = disk_of(closed_store(compactions=2**32 - 2))
    with kvlib.open(disk) as store:
        for expected in (2**32 - 1, 2**32 - 1):
            store.compact()
            assert store.status().compactions == expected
    assert kvlib.open(disk).status().compactions == 2**32 - 1


def test_a_log_at_the_last_sequence_takes_no_more() -> None:
    """At the last sequence a write is a ValueError that changes nothing."""
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
    store.close()  # without a close frame
    assert files_of(disk) == before


# --- when -----------------------------------------------------------------------------------------


def test_compaction_clears_the_log_and_keeps_the_state() -> None:
    """Compaction leaves the new snapshot and an empty log, and the records are the same."""
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
    assert reopened(disk) == {"b": "2"}


def test_the_default_policy_waits_for_as_many_mutations_as_keys() -> None:
    """The default policy waits for `threshold` mutations, and for as many as there are keys."""
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
    """A policy is asked after each mutation, with the status at that moment."""
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


def test_a_policy_that_raises_loses_nothing() -> None:
    """If a policy raises, so does the mutation, which is durable and visible."""

    def policy(_: Status) -> bool:
        raise ZeroDivisionError

    disk = MemoryDisk()
    store = kvlib.open(disk, policy=policy)
    with pytest.raises(ZeroDivisionError):
        store["a"] = "1"
    assert dict(store) == reopened(disk) == {"a": "1"}
    assert store.status().failed is None


def test_compactions_survive_reopening_with_and_without_close() -> None:
    """Recovery and creation do not count as compactions, and the counter survives both."""
    disk = MemoryDisk()
    store = kvlib.open(disk)
    store.compact()
    store.compact()
    store["a"] = "1"
    assert kvlib.open(survivor(disk)).status().compactions == 2
    store.close()
    assert kvlib.open(disk).status().compactions == 2


# --- failures -------------------------------------------------------------------------------------


PREPARING = [
    ("write", ".segment"),
    ("sync", ".segment"),
    ("write", "log.new"),
    ("sync", "log.new"),
    ("sync_directory", ""),
]


@pytest.mark.parametrize(("verb", "name"), PREPARING)
@DONE
def test_a_full_disk_in_compaction_fails_no_mutation(verb: str, name: str, done: Done) -> None:
    """If a compaction finds the disk full, the mutation returns and the status gives the error."""
    disk = FaultyDisk()
    store = kvlib.open(disk, threshold=2)
    store["a"] = "1"
    disk.fault = Fault(verb, name, done=done)
    store["b"] = "2"
    status = store.status()
    assert disk.fault.strikes == 1
    assert "No space" in str(status.compaction_error)
    assert (status.failed, status.pending, status.compactions) == (None, 2, 0)
    assert reopened(disk) == {"a": "1", "b": "2"}
    store["c"] = "3"
    assert reopened(disk) == {"a": "1", "b": "2", "c": "3"}
    assert kinds_of(disk) == "MMM"


def test_a_failed_compaction_is_tried_again_when_pending_has_doubled() -> None:
    """A failed compaction is tried again when the number of pending mutations has doubled."""
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
    assert reopened(disk) == {"k": "12"}


def test_a_failed_compaction_leaves_the_disk_no_fuller() -> None:
    """A failed compaction deletes its segments."""
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
    """If the rename is in doubt, writes are refused until a compaction succeeds."""
    disk = FaultyDisk()
    store = kvlib.open(disk, threshold=2)
    store["a"] = "1"
    disk.fault = Fault(verb, name, skip, done)
    store["b"] = "2"  # durable before the compaction began
    assert disk.fault.strikes == 1
    disk.calls.clear()
    assert dict(store) == {"a": "1", "b": "2"}
    assert_refused(store, "compact")
    assert changes_of(disk) == []
    assert reopened(disk) == {"a": "1", "b": "2"}
    store.compact()
    assert store.status().generation > 4
    store["c"] = "3"
    assert reopened(disk) == {"a": "1", "b": "2", "c": "3"}


def test_a_directory_called_log_new_fails_no_put(tmp_path: Path) -> None:
    """A directory called log.new fails compactions, and no put."""
    store = kvlib.open(tmp_path / "d", threshold=2)
    (tmp_path / "d" / "log.new").mkdir()
    for number in range(4):
        store[str(number)] = "v"
    assert "not a regular file" in str(store.status().compaction_error)
    (tmp_path / "d" / "log.new").rmdir()
    store.compact()
    store.close()
    assert len(kvlib.open(tmp_path / "d", read_only=True)) == 4


@pytest.mark.parametrize(("verb", "name"), [*PREPARING, ("rename", "")])
def test_a_store_that_cannot_publish_after_a_crash_opens_for_reading(verb: str, name: str) -> None:
    """A store that can't publish after a crash is read, and refuses writes until healed."""
    disk = FaultyDisk(disk_of(torn_store()))
    disk.fault = Fault(verb, name)
    store = kvlib.open(disk)
    assert disk.fault.strikes == 1
    assert dict(store) == OLD | {"a": "1"}
    assert store.recovered == Recovery(1, HEAD_END + 30, 4)
    disk.calls.clear()
    assert_refused(store, "No space")
    assert changes_of(disk) == []
    assert reopened(disk) == OLD | {"a": "1"}
    store.compact()
    store["b"] = "2"
    assert reopened(disk) == OLD | {"a": "1", "b": "2"}
