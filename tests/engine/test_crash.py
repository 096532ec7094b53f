"""Every crash: the disk that loses power itself, and a sample of `make crash`."""

from typing import Any

import pytest

import kvlib
from helpers.crashes import Sync, death_run, fault_run, faults, power_cuts, second_cuts
from kvlib import MemoryDisk
from kvlib.crash import CrashDisk, Fault, boot, sweep

# ------------------------------------------------------------------------------- the disk itself


def left(disk: CrashDisk, name: str) -> set[bytes | None]:
    """Return what a crash may leave of a file; None means that there is no such name."""
    return {image.get(name) for image in disk.images()}


def test_synced_bytes_stay() -> None:
    """A name and bytes that were synced are in every image, and an image boots as a disk."""
    disk = CrashDisk({"a": b"old"})
    assert list(disk.images()) == [{"a": b"old"}]
    disk.append("a", b"new")
    disk.sync("a")
    (image,) = disk.images()
    booted = boot(image)
    assert isinstance(booted, MemoryDisk)
    assert booted.read("a") == b"oldnew"


def test_appended_bytes_are_torn_at_every_byte() -> None:
    """Each prefix may be left, alone or followed by zeros or garbage; synced bytes stay."""
    disk = CrashDisk({"a": b"ab"})
    disk.append("a", b"cd")
    zeros = {b"ab\0\0", b"abc\0"}
    garbage = {
        b"ab\xcd" + found[3:] for found in left(disk, "a") if found and found[2:3] == b"\xcd"
    }
    assert len(garbage) == 1
    assert left(disk, "a") == {b"ab", b"abc", b"abcd", *zeros, *garbage, b"abc\xcd"}


def test_blocks_arrive_in_any_combination() -> None:
    """A later block may arrive without an earlier one; blocks begin at multiples of 16."""
    disk = CrashDisk({"a": b"x" * 8})
    disk.append("a", b"1" * 8 + b"2" * 16 + b"3")
    found = left(disk, "a")
    assert b"x" * 8 + bytes(8) + b"2" * 16 + b"3" in found
    assert b"x" * 8 + b"1" * 8 + bytes(16) + b"3" in found
    assert b"x" * 8 + b"1" * 4 + bytes(4) + b"2" * 16 + b"3" not in found


def test_too_many_combinations_are_sampled() -> None:
    """Only a thousand or two of very many combinations are tried, always the same ones."""
    disk = CrashDisk({"a": b""})
    disk.append("a", b"1" * 16 * 40)
    found = list(disk.images())
    assert 1024 < len(found) < 4000
    assert found == list(disk.images())
    disk = CrashDisk({name: b"" for name in "abc"})
    for name in "abc":
        disk.append(name, b"x" * 40)
    assert len(list(disk.images())) == 2048


def test_a_rewritten_file_may_be_the_old_one() -> None:
    """Until it is synced, it has the old bytes, or the new ones in any state."""
    disk = CrashDisk({"a": b"old"})
    disk.write("a", b"n")
    assert left(disk, "a") == {b"old", b"", b"\0", b"\xcd", b"n"}


def test_names_are_forgotten_in_any_combination() -> None:
    """Two renames and a deletion make eight images, until the directory is synced."""
    disk = CrashDisk({"a": b"1", "b": b"2", "c": b"3"})
    disk.rename("a", "x")
    disk.rename("b", "x")
    disk.delete("c")
    images = list(disk.images())
    assert len(images) == 8
    assert {"a": b"1", "x": b"2"} in images
    assert {"x": b"1", "b": b"2", "c": b"3"} in images
    disk.sync_directory()
    assert list(disk.images()) == [{"x": b"2"}]


@pytest.mark.parametrize(
    ("operation", "arguments", "done"),
    [
        ("write", ("a", b"new!"), b"ne"),
        ("append", ("a", b"new!"), b"oldne"),
        ("sync", ("a",), b"old"),
        ("delete", ("a",), b"old"),
        ("rename", ("a", "b"), b"old"),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_the_chosen_call_fails_once(
    operation: str, arguments: tuple[Any, ...], done: bytes, late: bool
) -> None:
    """A fault strikes once: before the call, halfway through its bytes, or after it."""
    disk = CrashDisk({"a": b"old"}, fault=Fault(operation, 1, late=late))
    call = getattr(disk, operation)
    with pytest.raises(OSError, match="chosen to fail"):
        call(*arguments)
    moved = operation in ("delete", "rename")
    if late and moved:
        assert "a" not in disk.names()
        disk.write("a", b"old")
    elif not late:
        assert disk.read("a") == done
    call(*arguments)
    assert ("a" in disk.names()) != moved


def test_a_fault_may_last_for_ever() -> None:
    """A lasting fault strikes every call of its kind from the chosen one on, and no others."""
    disk = CrashDisk({"a": b""}, fault=Fault("sync", 2, for_ever=True))
    disk.sync("a")
    for _ in range(3):
        with pytest.raises(OSError, match="chosen to fail"):
            disk.sync("a")
    disk.append("a", b"x")
    disk.sync_directory()


def test_bytes_whose_sync_failed_are_never_safe() -> None:
    """After a failed sync, bytes are never safe, because the kernel may have marked them clean."""
    disk = CrashDisk({"a": b""}, fault=Fault("sync", 1))
    disk.append("a", b"x")
    with pytest.raises(OSError, match="chosen to fail"):
        disk.sync("a")
    disk.sync("a")
    assert b"" in left(disk, "a")
    disk.write("a", b"y")
    disk.sync("a")
    assert left(disk, "a") == {b"y"}


def test_names_whose_sync_failed_are_safe_after_the_next() -> None:
    """After a failed sync, names are safe as soon as a later one succeeds."""
    disk = CrashDisk(fault=Fault("sync_directory", 1))
    disk.write("a", b"")
    with pytest.raises(OSError, match="chosen to fail"):
        disk.sync_directory()
    assert left(disk, "a") == {None, b""}
    disk.sync_directory()
    assert left(disk, "a") == {b""}


def test_a_sweep_finds_what_a_naive_store_loses() -> None:
    """A store that replaces its file in place can lose both the old and the new."""

    def workload(disk: CrashDisk) -> None:
        for text in (b"one", b"two"):
            disk.write("state", text)
            disk.sync("state")
            disk.sync_directory()

    found: list[bytes] = []
    images = sweep(
        CrashDisk(), workload, lambda disk: b"".join(map(disk.read, disk.names())), found.append
    )
    assert b"" in found[-20:]
    assert {b"one", b"two"} <= set(found)
    assert images == len({(len(state), state) for state in found}) + 1  # no file, or an empty one


def test_a_sweep_cuts_once_more_at_the_end() -> None:
    """A sweep checks the state at the end too, and notes the moment and the image of a failure."""
    promised = []

    def workload(disk: CrashDisk) -> None:
        disk.write("state", b"x")
        disk.sync_directory()
        promised.append(b"x")  # although nothing was synced

    def check(found: list[bytes]) -> None:
        assert promised in ([], found)

    def recover(disk: MemoryDisk) -> list[bytes]:
        return [disk.read(name) for name in disk.names()]

    with pytest.raises(AssertionError) as caught:
        sweep(CrashDisk(), workload, recover, check)
    (note,) = caught.value.__notes__
    assert "moment 3" in note
    assert "state: 0 bytes" in note


# ---------------------------------------------------------------------------------- the promises


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("sync", "operations", "stride"), [("always", 24, 7), (4, 18, 13), ("never", 8, 7)]
)
def test_no_power_cut_breaks_a_promise(sync: Sync, operations: int, stride: int) -> None:
    """In a sample of images at every I/O event, no durable mutation is lost, and none left out."""
    cuts = power_cuts(operations, sync, stride=stride)
    assert cuts.oracle.bad == 0, cuts.oracle.example
    assert len(cuts.answers) > 900


def test_no_power_cut_in_a_recovery_changes_its_answer() -> None:
    """After another crash inside recovery, the answer is that of the first recovery."""
    images = power_cuts(20, stride=101).images
    total = 0
    for image in images[:: len(images) // 12]:
        count, differ = second_cuts(image, stride=23)
        assert differ == 0
        total += count
    assert total > 500


def test_no_failing_operation_breaks_a_promise() -> None:
    """In a sample of faults, the store heals and continues, and the power is cut again."""
    for fault in list(faults(20))[::7]:
        cuts = fault_run(fault, 20, events=3, stride=151)
        assert cuts.oracle.bad == 0, (fault, cuts.oracle.example)


@pytest.mark.parametrize(
    ("sync", "deaths", "operations", "stride"),
    [
        *((sync, range(1, 70, 6), 12, 101) for sync in ("always", 4, "never")),
        ("always", [6], 4, 7),  # the next process must first make the new log's name safe
    ],
)
def test_no_death_of_the_process_breaks_a_promise(
    sync: Sync, deaths: list[int], operations: int, stride: int
) -> None:
    """If the process dies, the store is reopened, and then the power fails, no promise breaks."""
    for at in deaths:
        cuts = death_run(at, operations, sync, events=8 if stride == 7 else 4, stride=stride)
        assert cuts.oracle.bad == 0, (at, cuts.oracle.example)


def test_after_close_nothing_can_be_lost() -> None:
    """Only deletions of old segments may be outstanding: the log is the same in every image."""
    disk = CrashDisk()
    with kvlib.open(disk, sync="never") as store:
        store["café"] = "2,50 €"
        store.compact()
        store["tea"] = "3"
    assert {image["log"] for image in disk.images()} == {disk.read("log")}
