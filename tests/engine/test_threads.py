"""A store used by many threads at once.

A mutation is as safe as `sync` says, whatever other threads do meanwhile.
"""

import errno
import threading
from contextlib import suppress
from pathlib import Path

import pytest

import kvlib
from helpers.recorder import Recorder
from helpers.stores import FULL, MODES, TIMEOUT, Items, Sync, content, together
from helpers.vocabulary import Field
from kvlib import Disk, DurableStore, LockedError, WriteRefusedError
from kvlib import log as kvlib_log
from kvlib.snapshot import decode_head

THREADS = 4

pytestmark = pytest.mark.usefixtures("hurry")


def frames(disk: Disk) -> list[list[kvlib_log.Mutation]]:
    """Return the mutations in the log, frame by frame. A close frame has none."""
    data = disk.read("log")
    head, start = decode_head(data)
    return [
        [] if frame.kind == b"C" else kvlib_log.decode_mutations(frame.payload)
        for frame in kvlib_log.scan(data, start, head.generation, head.salt)
    ]


def merged(models: list[Items]) -> Items:
    """Return the records of all threads, whose keys differ."""
    return {key: value for mine in models for key, value in mine.items()}


# --- what each thread is promised -----------------------------------------------------------------


@MODES
def test_each_thread_reads_its_own_writes(place: Disk, sync: Sync) -> None:
    """A thread reads what it wrote, while others write too."""
    store = kvlib.open(place, sync=sync, threshold=25, max_segment_size=300)
    models: list[Items] = [{} for _ in range(THREADS)]

    def run(name: int) -> None:
        mine = models[name]
        keys: list[Field] = [f"{name} {at}" for at in range(4)] + [b"%d" % name]
        for at in range(30):
            key, other, value = keys[at % 5], keys[at % 3], f"{at}"
            if at % 7 == 6:
                store.delete(key)
                mine.pop(key, None)
                with pytest.raises(KeyError):
                    del store[key]
            elif at % 7 == 5:
                assert store.pop(key, None) == mine.pop(key, None)
            elif at % 7 == 4:
                store.update({key: value, other: value})
                mine |= {key: value, other: value}
            elif at % 7 == 3:
                with store.batch():
                    store[key] = value
                    store.delete(other)
                    assert store.get(key) == mine.get(key)  # inside, the old state
                mine[key] = value
                mine.pop(other, None)
            else:
                store[key] = mine[key] = value
            assert {key: store[key] for key in keys if key in store} == mine

    together(run, THREADS)
    expected = merged(models)
    assert dict(store) == content(place) == expected
    assert store.status().compactions > 0
    store.close()
    with kvlib.open(place) as store:
        assert dict(store) == expected
        assert store.recovered.dropped_bytes == 0


@MODES
def test_the_log_keeps_each_threads_order(place: Disk, sync: Sync) -> None:
    """The log has every mutation once, those of one thread in their order."""
    store = kvlib.open(place, sync=sync, threshold=10**6)

    def run(name: int) -> None:
        for at in range(40):
            if at % 5 == 4:
                store.delete(f"{name}")
            store["shared" if at % 3 else f"{name}"] = f"{name} {at}"

    together(run, THREADS)
    logged = [value for mutations in frames(place) for _, value in mutations if value is not None]
    assert len(logged) == THREADS * 40
    for name in range(THREADS):
        mine = [value for value in logged if str(value).startswith(f"{name} ")]
        assert mine == [f"{name} {at}" for at in range(40)]
    last = [value for mutations in frames(place) for key, value in mutations if key == "shared"][-1]
    assert store["shared"] == last  # memory has them in the order of the log
    store.close()


@pytest.mark.parametrize("threshold", [20, 10**6])
def test_what_is_acknowledged_has_been_fsynced(threshold: int) -> None:
    """With sync="always", a power cut right after a mutation returned does not lose it."""
    disk = Recorder()
    store = kvlib.open(disk, threshold=threshold, max_segment_size=200)

    def run(name: int) -> None:
        mine: Items = {}
        for at in range(25):
            store[f"{name} {at % 4}"] = mine[f"{name} {at % 4}"] = f"{at}"
            image = content(disk.after_power_loss())
            assert {key: image.get(key) for key in mine} == mine

    together(run, THREADS)
    assert (store.status().compactions > 2) == (threshold == 20)
    assert content(disk.after_power_loss()) == dict(store)


@pytest.mark.parametrize("sync", [4, "never"])
@pytest.mark.parametrize("threshold", [20, 10**6])
def test_lazy_modes_lose_only_what_came_last(sync: Sync, threshold: int) -> None:
    """With fewer fsyncs, a power cut leaves a prefix of each thread's mutations."""
    disk = Recorder()
    store = kvlib.open(disk, sync=sync, threshold=threshold, max_segment_size=200)

    def run(name: int) -> None:
        for at in range(25):
            store[f"{name} {at}"] = f"{at}"
            dead, dark = content(disk.after_death()), content(disk.after_power_loss())
            assert all(dead.get(f"{name} {before}") == f"{before}" for before in range(at + 1))
            kept = [before for before in range(at + 1) if f"{name} {before}" in dark]
            assert kept == list(range(len(kept)))
            if at == 12:
                store.sync()
                dark = content(disk.after_power_loss())
                assert all(f"{name} {before}" in dark for before in range(13))

    together(run, THREADS)
    lost = len(store) - len(content(disk.after_power_loss()))
    assert lost < 4 if sync == 4 else lost >= 0
    store.sync()
    assert content(disk.after_power_loss()) == dict(store)


@MODES
def test_batches_do_not_mix(sync: Sync) -> None:
    """Batches and updates of many threads are never interleaved, in memory or after a crash."""
    disk = Recorder()
    store = kvlib.open(disk, sync=sync, threshold=10**6)
    keys: list[Field] = ["x", b"y", "z"]

    def agree(items: Items) -> bool:
        return len({items.get(key) for key in keys}) == 1

    def run(name: int) -> None:
        for at in range(20):
            if at % 2:
                with store.batch():
                    for key in keys:
                        store[key] = f"{name} {at}"
            else:
                store.update(dict.fromkeys(keys, f"{name} {at}"))
            store[f"{name}"] = f"{at}"
            assert agree(content(disk.after_death()))
            assert agree(content(disk.after_power_loss()))

    together(run, THREADS)
    assert agree(dict(store))
    ours = [[change for change in frame if change[0] in keys] for frame in frames(disk)]
    stamps = []
    for frame in ours:
        assert [key for key, _ in frame] == keys * (len(frame) // 3)  # none inside another
        stamps += [value for _, value in frame[::3]]
        for at in range(0, len(frame), 3):
            assert agree({key: str(value) for key, value in frame[at : at + 3]})
    assert len(set(stamps)) == len(stamps) == THREADS * 20


def test_an_open_batch_blocks_no_other_thread() -> None:
    """While a batch is open, other threads write and are acknowledged."""
    disk = Recorder()
    store = kvlib.open(disk)
    with store.batch():
        store["a"] = "batch"
        store["b"] = "batch"
        together(lambda name: store.put("a", f"{name}"), THREADS)
        assert content(disk.after_power_loss()) == dict(store)
        assert set(store) == {"a"}
    assert content(disk.after_power_loss()) == dict(store) == {"a": "batch", "b": "batch"}


# --- failures, closing and compaction meanwhile ---------------------------------------------------


@MODES
def test_a_disk_that_fails_among_threads_loses_nothing(sync: Sync) -> None:
    """If any append fails, each thread gets an error and keeps what was acknowledged."""

    class Torn(Recorder):
        left = 0

        def append(self, name: str, data: bytes) -> None:
            self.left -= 1
            if self.left < 0:
                super().append(name, data[: len(data) // 2])
                raise OSError(errno.ENOSPC, FULL)
            super().append(name, data)

    for appends in range(0, 40, 7):
        disk = Torn()
        store = kvlib.open(disk, sync=sync, threshold=7)
        disk.left = appends
        acknowledged: list[Items] = [{} for _ in range(THREADS)]

        def run(
            name: int, store: DurableStore = store, acknowledged: list[Items] = acknowledged
        ) -> None:
            with suppress(OSError, WriteRefusedError):
                while len(acknowledged[name]) < 100:
                    key = f"{name} {len(acknowledged[name])}"
                    store[key] = "new"
                    acknowledged[name][key] = "new"
                pytest.fail("nothing failed")

        together(run, THREADS)
        expected = merged(acknowledged)
        assert dict(store) == content(disk.after_death()) == expected
        if sync == "always":
            assert content(disk.after_power_loss()) == expected
        disk.left = 1000
        store.compact()
        store["next"] = "works"
        assert content(disk.after_power_loss() if sync == "always" else disk.after_death()) == (
            expected | {"next": "works"}
        )


@MODES
def test_a_store_closed_among_puts_keeps_all_that_it_acknowledged(place: Disk, sync: Sync) -> None:
    """A put during a close is acknowledged and kept, or an error and absent.

    The next store is opened at once, and would suffer from a late write.
    """
    store = kvlib.open(place, sync=sync, threshold=30)
    acknowledged: list[Items] = [{} for _ in range(THREADS)]
    some = threading.Semaphore(0)

    def run(name: int) -> None:
        if name == 0:
            for _ in range(15):
                assert some.acquire(timeout=TIMEOUT)
            store.close()
            with kvlib.open(place) as successor:
                assert successor.recovered.dropped_bytes == 0
                for at in range(20):
                    successor[f"after {at}"] = "the close"
            return
        for at in range(10**6):
            try:
                store[f"{name} {at}"] = f"{at}"
            except (ValueError, WriteRefusedError) as error:
                assert "closed" in str(error)
                break
            acknowledged[name][f"{name} {at}"] = f"{at}"
            some.release()
        with pytest.raises(ValueError, match="closed"):
            store.get("a")

    together(run, THREADS)
    expected = merged(acknowledged) | {f"after {at}": "the close" for at in range(20)}
    assert frames(place)[-1] == []  # a close frame
    assert content(place) == expected
    kvlib.open(place).close()


def test_all_threads_may_close_a_store_at_once(place: Disk) -> None:
    """If many threads close a store, one close frame is written."""
    store = kvlib.open(place)
    store["a"] = "1"
    together(lambda _: store.close(), THREADS)
    assert frames(place) == [[("a", "1")], []]
    kvlib.open(place).close()


def test_threads_race_for_the_lock(tmp_path: Path) -> None:
    """If many threads open a directory at once, one succeeds."""
    for round in range(4):
        opened: list[DurableStore] = []

        def run(_: int, round: int = round, opened: list[DurableStore] = opened) -> None:
            with suppress(LockedError):
                opened.append(kvlib.open(tmp_path / f"{round // 2}"))

        together(run, THREADS)
        [store] = opened
        store[f"{round}"] = "1"
        store.close()
        assert len(content(kvlib.DirectoryDisk(tmp_path / f"{round // 2}"))) == 1 + round % 2


@MODES
def test_compactions_among_puts_lose_nothing(sync: Sync) -> None:
    """Compactions by policy and on demand lose no put of another thread."""
    disk = Recorder()
    store = kvlib.open(disk, sync=sync, threshold=5, max_segment_size=100)
    left = threading.Semaphore(0)

    def run(name: int) -> None:
        if name == 0:
            for _ in range(THREADS - 1):
                while not left.acquire(blocking=False):
                    store.compact()
            return
        try:
            for at in range(30):
                store[f"{name} {at % 5}"] = f"{at}"
                images = [disk.after_death()]
                if sync == "always":
                    images.append(disk.after_power_loss())
                for image in map(content, images):
                    for before in range(max(0, at - 4), at + 1):
                        assert image[f"{name} {before % 5}"] == f"{before}"
        finally:
            left.release()

    together(run, THREADS)
    assert store.status().compactions > 5
    expected: Items = {
        f"{name} {at % 5}": f"{at}" for name in range(1, THREADS) for at in range(25, 30)
    }
    assert dict(store) == content(disk.after_death()) == expected
    store.close()
    assert content(disk.after_power_loss()) == expected
