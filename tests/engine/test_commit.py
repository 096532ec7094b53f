"""Group commit: writers that arrive during an fsync share the next one, and fail together."""

import threading
import time
from functools import partial

import pytest

import kvlib
from helpers.recorder import Recorder
from helpers.stores import TIMEOUT, Items, Thread, content, frames_of, kinds_of
from kvlib import DurableStore, WriteRefusedError, commit

pytestmark = pytest.mark.usefixtures("hurry")


WRITERS = 6


class Waiting(Recorder):
    """A disk whose first fsync of the log waits until all other writers are in line.

    The second one, that of the group, raises `error` if there is one.
    """

    error: BaseException | None = None
    store: DurableStore | None = None

    def __init__(self) -> None:
        super().__init__()
        self.started = threading.Event()

    def sync(self, name: str) -> None:
        if name == "log" and self.store is not None:
            if not self.started.is_set():
                self.started.set()
                while len(self.store._queue._waiting) < WRITERS:
                    time.sleep(0.001)
            elif self.error is not None:
                error, self.error = self.error, None
                raise error
        super().sync(name)


def put_together(disk: Waiting, store: DurableStore) -> list[BaseException | None]:
    """Put k0, and while it is fsynced k1 to k6, each in its own thread; return their errors."""
    disk.store = store

    def put(number: int) -> None:
        store[f"k{number}"] = f"v{number}"
        assert content(disk.after_power_loss())[f"k{number}"] == f"v{number}"

    threads = [Thread(partial(put, 0))]
    assert disk.started.wait(TIMEOUT)
    threads += [Thread(partial(put, number)) for number in range(1, WRITERS + 1)]
    for thread in threads:
        thread.wait()
    disk.store = None
    return [thread.error for thread in threads]


ALL: Items = {f"k{number}": f"v{number}" for number in range(WRITERS + 1)}


def test_puts_that_arrive_during_an_fsync_share_the_next() -> None:
    """The puts in line become one frame with one fsync, and each is durable when it returns."""
    disk = Waiting()
    store = kvlib.open(disk)
    assert put_together(disk, store) == [None] * (WRITERS + 1)
    assert disk.log_syncs == 2
    assert kinds_of(disk) == "MM"
    assert dict(store) == content(disk.after_power_loss()) == ALL
    assert store.status().pending == WRITERS + 1


def test_a_group_takes_no_more_than_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that is large enough is closed, and the next writer begins another."""
    monkeypatch.setattr(commit, "GROUP_BYTES", 20)
    disk = Waiting()
    store = kvlib.open(disk)
    assert put_together(disk, store) == [None] * (WRITERS + 1)
    assert [length for _, _, length in frames_of(disk)] == [15, 30, 30, 30]  # 15 bytes each
    assert dict(store) == content(disk) == ALL


@pytest.mark.parametrize("how", ["compact", "reopen"])
def test_when_an_fsync_fails_its_whole_group_fails(how: str) -> None:
    """One writer raises the disk's error, the others a refusal that carries it; no record is seen.

    The group is still in the log, whole, and a power cut loses it whole.
    """
    disk = Waiting()
    disk.error = OSError("broken")
    store = kvlib.open(disk)
    first, *others = put_together(disk, store)
    assert first is None
    raised = [error for error in others if error is not None]
    kinds = sorted(type(error).__name__ for error in raised)
    assert kinds == ["OSError"] + ["WriteRefusedError"] * (WRITERS - 1)
    assert all("broken" in str(error) for error in raised)
    assert all(isinstance(error.__cause__ or error, OSError) for error in raised)
    assert dict(store) == content(disk.after_power_loss()) == {"k0": "v0"}
    assert content(disk.after_death()) == ALL
    with pytest.raises(WriteRefusedError):
        store["next"] = "refused"
    expected: Items = {"k0": "v0"}
    if how == "compact":
        store.compact()
    else:
        store.close()
        store, expected = kvlib.open(disk), ALL
    store["next"] = "works"
    assert dict(store) == content(disk.after_power_loss()) == expected | {"next": "works"}


def test_a_group_whose_writer_is_interrupted_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """If Ctrl-C strikes the thread that writes for all, the others don't hang: they are refused."""
    monkeypatch.setattr(commit, "PATIENCE", 0.01)
    disk = Waiting()
    disk.error = KeyboardInterrupt()
    store = kvlib.open(disk)
    first, *others = put_together(disk, store)
    assert first is None
    kinds = sorted(type(error).__name__ for error in others)
    assert kinds == ["KeyboardInterrupt"] + ["WriteRefusedError"] * (WRITERS - 1)
    assert any("interrupted" in str(error) for error in others)
    store.compact()
    store["next"] = "1"
    assert dict(store) == content(disk.after_power_loss())
