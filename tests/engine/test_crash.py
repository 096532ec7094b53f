"""Every crash: a seeded part of `make crash`, and the disk that loses power itself."""

from typing import Any

import pytest

import kvlib
from helpers.crashes import Sync, death_run, fault_run, faults, power_cuts, second_cuts
from kvlib import MemoryDisk
from kvlib.crash import CrashDisk, Fault, boot, sweep

# ------------------------------------------------------------------------------- the disk itself


def left(disk: CrashDisk, name: str) -> set[bytes | None]:
    """What a crash may leave of a file; None: no such name."""
    return {image.get(name) for image in disk.images()}


def test_safe_bytes_stay() -> None:
    """What was synced, name and bytes, is in every image."""
    disk = CrashDisk({"a": b"old"})
    assert list(disk.images()) == [{"a": b"old"}]
    disk.append("a", b"new")
    disk.sync("a")
    assert list(disk.images()) == [{"a": b"oldnew"}]


def test_appended_bytes_are_torn_at_every_byte() -> None:
    """Each prefix, zeros or garbage in place of the rest; what was safe before is not touched."""
    disk = CrashDisk({"a": b"ab"})
    disk.append("a", b"cd")
    zeros = {b"ab\0\0", b"abc\0"}
    garbage = {
        b"ab\xcd" + found[3:] for found in left(disk, "a") if found and found[2:3] == b"\xcd"
    }
    assert len(garbage) == 1
    assert left(disk, "a") == {b"ab", b"abc", b"abcd", *zeros, *garbage, b"abc\xcd"}


def test_blocks_arrive_in_any_choice() -> None:
    """A later block may be there and an earlier one not; blocks begin at multiples of 16."""
    disk = CrashDisk({"a": b"x" * 8})
    disk.append("a", b"1" * 8 + b"2" * 16 + b"3")
    found = left(disk, "a")
    assert b"x" * 8 + bytes(8) + b"2" * 16 + b"3" in found
    assert b"x" * 8 + b"1" * 8 + bytes(16) + b"3" in found
    assert b"x" * 8 + b"1" * 4 + bytes(4) + b"2" * 16 + b"3" not in found


def test_of_many_blocks_a_sample_is_tried() -> None:
    """All, none, and 1,024 choices between; the same ones each time."""
    disk = CrashDisk({"a": b""})
    disk.append("a", b"1" * 16 * 40)
    found = list(disk.images())
    assert 1024 < len(found) < 4000
    assert found == list(disk.images())


def test_a_rewritten_file_may_be_the_old_one() -> None:
    """Until it is synced: the old bytes, or the new ones in any state."""
    disk = CrashDisk({"a": b"old"})
    disk.write("a", b"n")
    assert left(disk, "a") == {b"old", b"", b"\0", b"\xcd", b"n"}


def test_names_are_forgotten_in_any_choice() -> None:
    """Two renames and a deletion: eight images, until the directory is synced."""
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


def test_where_files_are_many_a_sample_of_their_states_is_tried() -> None:
    """Three unsynced files have more combinations than one can try."""
    disk = CrashDisk({name: b"" for name in "abc"})
    for name in "abc":
        disk.append(name, b"x" * 40)
    assert len(list(disk.images())) == 2048


@pytest.mark.parametrize("operation", ["write", "append", "sync", "delete"])
@pytest.mark.parametrize("late", [False, True])
def test_the_chosen_call_fails_and_the_next_one_works(operation: str, late: bool) -> None:
    """Once: before it is done (half of the bytes are written), or after."""
    disk = CrashDisk({"a": b"old"}, fault=Fault(operation, 2, late=late))
    arguments: dict[str, tuple[Any, ...]] = {
        "write": ("a", b"new!"),
        "append": ("a", b"new!"),
        "sync": ("a",),
        "delete": ("a",),
    }
    call = getattr(disk, operation)
    if operation != "delete":
        call(*arguments[operation])
    else:
        disk.delete("a")
        disk.write("a", b"again")
    with pytest.raises(OSError, match="chosen to fail"):
        call(*arguments[operation])
    if operation in ("write", "append") and not late:
        assert disk.read("a").endswith(b"ne")
    if operation != "delete" or not late:
        call(*arguments[operation])


@pytest.mark.parametrize("late", [False, True])
def test_a_rename_fails_before_or_after_it_is_done(late: bool) -> None:
    """Who asked can't know which."""
    disk = CrashDisk({"a": b"x"}, fault=Fault("rename", 1, late=late))
    with pytest.raises(OSError, match="chosen to fail"):
        disk.rename("a", "b")
    assert disk.names() == (["b"] if late else ["a"])


def test_for_ever_is_from_that_call_on() -> None:
    """And calls of other kinds go on."""
    disk = CrashDisk({"a": b""}, fault=Fault("sync", 2, for_ever=True))
    disk.sync("a")
    for _ in range(3):
        with pytest.raises(OSError, match="chosen to fail"):
            disk.sync("a")
    disk.append("a", b"x")
    disk.sync_directory()


def test_bytes_whose_sync_failed_are_never_safe() -> None:
    """The kernel has forgotten that they must be written; a later sync that succeeds is a lie."""
    disk = CrashDisk({"a": b""}, fault=Fault("sync", 1))
    disk.append("a", b"x")
    with pytest.raises(OSError, match="chosen to fail"):
        disk.sync("a")
    disk.sync("a")
    assert b"" in left(disk, "a")
    disk.write("a", b"y")
    disk.sync("a")
    assert left(disk, "a") == {b"y"}


def test_names_whose_sync_failed_are_not_safe() -> None:
    """The next one that succeeds makes them so."""
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
    assert images == len({(len(one), one) for one in found}) + 1  # no file, or an empty one


def test_a_sweep_cuts_once_more_at_the_end() -> None:
    """What was promised last is lost, too; a note says when the power went, and what is left."""
    promised = []

    def workload(disk: CrashDisk) -> None:
        disk.write("state", b"x")
        disk.sync_directory()
        promised.append(b"x")  # and nothing was synced

    def check(found: list[bytes]) -> None:
        assert promised in ([], found)

    def recover(disk: MemoryDisk) -> list[bytes]:
        return [disk.read(name) for name in disk.names()]

    with pytest.raises(AssertionError) as caught:
        sweep(CrashDisk(), workload, recover, check)
    assert caught.value.__notes__ == ["The power was cut at moment 3, leaving state: 0 bytes"]


# ---------------------------------------------------------------------------------- the promises


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("sync", "operations", "stride"), [("always", 24, 5), (4, 18, 13), ("never", 8, 7)]
)
def test_no_power_cut_breaks_a_promise(sync: Sync, operations: int, stride: int) -> None:
    """At every I/O event, in a sample of all ways: nothing durable is lost, no hole, no refusal."""
    cuts = power_cuts(operations, sync, stride=stride)
    assert cuts.oracle.bad == 0, cuts.oracle.example
    assert len(cuts.answers) > 900


def test_no_power_cut_in_a_recovery_changes_what_it_finds() -> None:
    """Crash again inside recovery: the answer is the one of the first recovery."""
    images = power_cuts(20, stride=101).images
    total = 0
    for image in images[:: len(images) // 12]:
        count, differ = second_cuts(image, stride=23)
        assert differ == 0
        total += count
    assert total > 500


def test_no_failing_operation_breaks_a_promise() -> None:
    """A sample of faults; the store heals, goes on, and the power is cut again."""
    for fault in list(faults(20))[::7]:
        cuts = fault_run(fault, 20, events=3, stride=151)
        assert cuts.oracle.bad == 0, (fault, cuts.oracle.example)


@pytest.mark.parametrize("sync", ["always", 4, "never"])
def test_no_death_of_the_process_breaks_a_promise(sync: Sync) -> None:
    """It dies at an event, is opened again, goes on; then the power is cut."""
    for at in range(1, 70, 6):
        cuts = death_run(at, 12, sync, events=4, stride=101)
        assert cuts.oracle.bad == 0, (at, cuts.oracle.example)


def test_a_creation_that_died_before_its_last_step_can_be_gone_on_with() -> None:
    """Its log's name isn't safe: the next process makes it so before it writes new segments."""
    cuts = death_run(6, 4, "always", events=8)
    assert cuts.oracle.bad == 0, cuts.oracle.example


def test_after_close_nothing_is_left_to_lose() -> None:
    """Only deletions of old segments may be outstanding: the log is the same in every image."""
    disk = CrashDisk()
    with kvlib.open(disk, sync="never") as store:
        store["café"] = "2,50 €"
        store.compact()
        store["tea"] = "3"
    assert {image["log"] for image in disk.images()} == {disk.read("log")}


def test_an_image_boots() -> None:
    """It is a disk like any other."""
    disk = boot({"a": b"x"})
    assert isinstance(disk, MemoryDisk)
    assert disk.read("a") == b"x"
