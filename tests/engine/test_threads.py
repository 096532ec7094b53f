"""What a store promises to many threads at once.

A thread finds what it has put, its mutations stand in the log in its own order, and what was
acknowledged to it is as safe as `sync` says, whatever the others do meanwhile: put, compact, close,
or fail together with it. A batch is never mixed with another's. Readers wait for nobody, and see
for each key the value before a mutation or the one after it.
"""

import errno
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Literal

import pytest

import kvlib
from helpers.vocabulary import Field, disk_of, survivor
from kvlib import Disk, DurableStore, LockedError, MemoryDisk, WriteRefusedError, commit
from kvlib import log as kvlib_log
from kvlib.snapshot import decode_head

Sync = Literal["always", "never"] | int
Items = dict[Field, Field]
MODES = pytest.mark.parametrize("sync", ["always", 3, "never"])
THREADS = 6
TIMEOUT = 20  # seconds, after which something hangs


@pytest.fixture(autouse=True)
def hurry() -> Iterator[None]:
    """Threads change as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


# --- threads and disks ----------------------------------------------------------------------------


class Thread:
    """A function in a thread of its own; `join` raises what it raised."""

    def __init__(self, run: Callable[[], object]) -> None:
        self.error: BaseException | None = None
        self._run = run
        self._thread = threading.Thread(target=self._target, daemon=True)
        self._thread.start()

    def _target(self) -> None:
        try:
            self._run()
        except BaseException as error:
            self.error = error

    def join(self) -> None:
        self._thread.join(TIMEOUT)
        assert not self._thread.is_alive(), "it hangs"
        if self.error is not None:
            raise self.error


def together(run: Callable[[int], object], count: int = THREADS) -> None:
    """`run(0)` to `run(count - 1)`, each in a thread of its own, all beginning at once."""
    barrier = threading.Barrier(count)

    def begin(name: int) -> None:
        barrier.wait(TIMEOUT)
        run(name)

    threads = [Thread(partial(begin, name)) for name in range(count)]
    for thread in threads:
        thread.join()


class Recorder(MemoryDisk):
    """A disk that knows what a loss of power would leave, at any moment: what was fsynced.

    Of a file that is the bytes at its last sync; of the names, those at the last sync_directory.
    """

    def __init__(self) -> None:
        super().__init__()
        self._whole = threading.Lock()  # no image is taken from the middle of a step
        self._durable: dict[int, bytes] = {}  # by the file's identity, which survives a renaming
        self._names: dict[str, bytearray] = {}
        self.log_syncs = 0

    def write(self, name: str, data: bytes) -> None:
        with self._whole:
            super().write(name, data)
            self._durable[id(self._files[name])] = b""

    def append(self, name: str, data: bytes) -> None:
        with self._whole:
            super().append(name, data)

    def rename(self, name: str, target: str) -> None:
        with self._whole:
            super().rename(name, target)

    def delete(self, name: str) -> None:
        with self._whole:
            super().delete(name)

    def sync(self, name: str) -> None:
        with self._whole:
            file = self._file(name)
            self._durable[id(file)] = bytes(file)
            self.log_syncs += name == "log"

    def sync_directory(self) -> None:
        with self._whole:
            self._names = dict(self._files)  # it keeps the files alive, and so their identities

    def after_power_loss(self) -> MemoryDisk:
        """What is left if all that need not be kept is lost."""
        with self._whole:
            return disk_of({name: self._durable[id(file)] for name, file in self._names.items()})

    def after_death(self) -> MemoryDisk:
        """What is left if the process ends now."""
        with self._whole:
            return disk_of({name: bytes(file) for name, file in self._files.items()})


def content(disk: Disk) -> Items:
    """What recovery makes of it."""
    with kvlib.open(disk, read_only=True) as store:
        return dict(store)


def frames(disk: Disk) -> list[list[kvlib_log.Mutation]]:
    """The mutations in the log, by frame; the close frame has none."""
    data = disk.read("log")
    head, start = decode_head(data)
    return [
        [] if frame.kind == b"C" else kvlib_log.decode_mutations(frame.payload)
        for frame in kvlib_log.scan(data, start, head.generation, head.salt)
    ]


@pytest.fixture(params=["memory", "directory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Disk:
    """Each medium."""
    return MemoryDisk() if request.param == "memory" else kvlib.DirectoryDisk(tmp_path / "store")


# --- what each thread is promised -----------------------------------------------------------------


@MODES
def test_each_thread_reads_its_own_writes(place: Disk, sync: Sync) -> None:
    """Puts, deletes, updates, batches, del and pop, while all the others do the same."""
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

    together(run)
    expected = {key: value for mine in models for key, value in mine.items()}
    assert dict(store) == expected
    assert content(place) == expected
    assert store.status().compactions > 0
    store.close()
    with kvlib.open(place) as store:
        assert dict(store) == expected
        assert store.recovered.dropped_bytes == 0


@MODES
def test_the_log_keeps_each_threads_order(place: Disk, sync: Sync) -> None:
    """Every mutation stands in it once, behind those that the same thread did before."""
    store = kvlib.open(place, sync=sync, threshold=10**6)

    def run(name: int) -> None:
        for at in range(40):
            if at % 5 == 4:
                store.delete(f"{name}")
            store["shared" if at % 3 else f"{name}"] = f"{name} {at}"

    together(run)
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
    """With sync="always", the image of a power cut at that very moment holds it."""
    disk = Recorder()
    store = kvlib.open(disk, threshold=threshold, max_segment_size=200)

    def run(name: int) -> None:
        mine: Items = {}
        for at in range(25):
            store[f"{name} {at % 4}"] = mine[f"{name} {at % 4}"] = f"{at}"
            image = content(disk.after_power_loss())
            assert {key: image.get(key) for key in mine} == mine

    together(run)
    assert (store.status().compactions > 4) == (threshold == 20)
    assert content(disk.after_power_loss()) == dict(store)


@pytest.mark.parametrize("sync", [4, "never"])
@pytest.mark.parametrize("threshold", [20, 10**6])
def test_lazy_modes_lose_only_what_came_last(sync: Sync, threshold: int) -> None:
    """The process may die at once; a power cut leaves a prefix of what each thread did."""
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

    together(run)
    lost = len(store) - len(content(disk.after_power_loss()))
    assert lost < 4 if sync == 4 else lost >= 0
    store.sync()
    assert content(disk.after_power_loss()) == dict(store)


@MODES
def test_batches_do_not_mix(sync: Sync) -> None:
    """All threads write the same keys: after any crash these agree, as they do in memory."""
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

    together(run)
    assert agree(dict(store))
    ours = [[change for change in frame if change[0] in keys] for frame in frames(disk)]
    stamps = []
    for frame in ours:
        assert [key for key, _ in frame] == keys * (len(frame) // 3)  # none inside another
        stamps += [value for _, value in frame[::3]]
        for at in range(0, len(frame), 3):
            assert agree({key: str(value) for key, value in frame[at : at + 3]})
    assert len(set(stamps)) == len(stamps) == THREADS * 20


def test_a_batch_of_one_thread_holds_up_no_other() -> None:
    """While it is open the others put and are acknowledged; it comes after them."""
    disk = Recorder()
    store = kvlib.open(disk)
    with store.batch():
        store["a"] = "batch"
        store["b"] = "batch"
        together(lambda name: store.put("a", f"{name}"))
        assert content(disk.after_power_loss()) == dict(store)
        assert set(store) == {"a"}
    assert content(disk.after_power_loss()) == dict(store) == {"a": "batch", "b": "batch"}


# --- shared fsyncs --------------------------------------------------------------------------------


def logged(disk: Disk) -> int:
    """The mutations in the log."""
    return sum(map(len, frames(disk)))


class Gathering(Recorder):
    """A disk whose fsync of the log takes as long as there is a writer that could join the next."""

    store: DurableStore | None = None
    writers = 0  # that have not ended; each has one put under way at a time

    def gather(self, store: DurableStore, writers: int) -> None:
        """From now on wait for all of them."""
        self.synced = logged(self)
        self.store, self.writers = store, writers

    def end(self) -> None:
        """One of them has put its last."""
        with self._whole:
            self.writers -= 1

    def wait_for_all(self) -> None:
        """Return when each of them is in the frame that is being synced, or waits for the next."""
        assert self.store is not None
        waiting, end = self.store._queue._waiting, monotonic() + TIMEOUT
        while len(waiting) + logged(self) - self.synced < self.writers:
            assert monotonic() < end
            sleep(0.0001)

    def sync(self, name: str) -> None:
        if self.store is not None and name == "log":
            self.wait_for_all()
            self.synced = logged(self)
        super().sync(name)


def test_concurrent_puts_share_their_fsyncs() -> None:
    """A slow fsync makes the next one serve all others; each put is durable when acknowledged."""
    disk = Gathering()
    store = kvlib.open(disk)
    disk.gather(store, THREADS)

    def run(name: int) -> None:
        for at in range(20):
            store[f"{name}"] = f"{at}"
            assert content(disk.after_power_loss())[f"{name}"] == f"{at}"
        disk.end()

    together(run)
    puts = THREADS * 20
    groups = [len(frame) for frame in frames(disk)]
    assert sum(groups) == puts == store.status().pending
    assert len(groups) == disk.log_syncs
    # Whoever is not in a group is in the next: any two neighbours hold all writers.
    assert disk.log_syncs <= 2 * 20 + 2 < puts // 2
    assert max(groups) >= THREADS // 2


# --- failing together -----------------------------------------------------------------------------


class Failing(Gathering):
    """Its `fails`-th fsync of the log fails, after the bytes have been written."""

    fails = 0

    def sync(self, name: str) -> None:
        if name == "log" and self.fails:
            self.fails -= 1
            if self.fails == 0:
                self.wait_for_all()
                raise OSError(errno.EIO, "fsync failed")
        super().sync(name)


class Interrupted(Gathering):
    """Ctrl-C in the thread that syncs for all, before its sync has been counted as done."""

    armed = False

    def sync(self, name: str) -> None:
        super().sync(name)
        if name == "log" and self.armed and len(frames(self)[-1]) > 1:
            self.armed = False
            raise KeyboardInterrupt


def test_a_group_whose_writer_is_interrupted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others don't hang. They are refused, for what became of their mutations is in doubt."""
    monkeypatch.setattr(commit, "PATIENCE", 0.01)
    disk = Interrupted()
    store = kvlib.open(disk)
    disk.gather(store, THREADS)
    disk.armed = True
    raised: list[BaseException] = []

    def run(name: int) -> None:
        try:
            for at in range(20):
                store[f"{name} {at}"] = "new"
        except BaseException as error:
            raised.append(error)
        disk.end()

    together(run)
    assert len(raised) == THREADS
    kinds = [type(error) for error in raised]
    assert kinds.count(KeyboardInterrupt) == 1
    assert kinds.count(WriteRefusedError) == THREADS - 1
    assert any("was interrupted" in str(error) for error in raised)
    disk.store = None
    store.compact()
    store["next"] = "1"
    assert content(disk.after_power_loss()) == dict(store)


@pytest.mark.parametrize("how", ["compact", "reopen"])
@pytest.mark.parametrize("fails", [1, 2, 7])
def test_a_failing_fsync_fails_its_whole_group(how: str, fails: int) -> None:
    """Nobody in it is acknowledged, nor anybody after it; the group is kept or lost as a whole."""
    disk = Failing()
    store = kvlib.open(disk)
    store["old"] = "1"
    disk.gather(store, THREADS)
    disk.fails = fails
    acknowledged: list[Items] = [{} for _ in range(THREADS)]
    errors: list[Exception] = []

    def run(name: int) -> None:
        mine = acknowledged[name]
        for at in range(20):
            key = f"{name} {at}"
            try:
                store[key] = "new"
            except (OSError, WriteRefusedError) as error:
                assert key not in store
                errors.append(error)
                break
            mine[key] = "new"
            assert content(disk.after_power_loss()).items() >= mine.items()
        else:
            pytest.fail("nothing failed")
        disk.end()

    together(run)
    assert len(errors) == THREADS
    assert sum(isinstance(error, OSError) for error in errors) == 1
    assert all("fsync" in str(error) for error in errors)
    expected: Items = {"old": "1"}
    for mine in acknowledged:
        expected |= mine
    assert dict(store) == content(disk.after_power_loss()) == expected
    with pytest.raises(WriteRefusedError):
        store["next"] = "refused"
    # The process's own death keeps the group that could not be synced, and nothing behind it.
    *_, failed = frames(disk)
    kept = expected | {key: value for key, value in failed if value is not None}
    assert len(kept) > len(expected)
    assert content(disk.after_death()) == kept
    if how == "reopen":
        store.close()
        store = kvlib.open(disk)
        expected = kept
    else:
        store.compact()
    disk.store = None
    together(lambda name: store.put(f"{name}", "works"))
    expected |= {f"{name}": "works" for name in range(THREADS)}
    assert dict(store) == content(disk.after_power_loss()) == expected


@MODES
def test_a_disk_that_fails_among_threads_loses_nothing(sync: Sync) -> None:
    """Whichever append fails, half done: each thread ends with an error, and has its puts."""

    class Torn(Recorder):
        left = 0

        def append(self, name: str, data: bytes) -> None:
            self.left -= 1
            if self.left < 0:
                super().append(name, data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
            super().append(name, data)

    for appends in range(0, 40, 3):
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

        together(run)
        expected: Items = {}
        for mine in acknowledged:
            expected |= mine
        assert dict(store) == content(disk.after_death()) == expected
        if sync == "always":
            assert content(disk.after_power_loss()) == expected
        disk.left = 1000
        store.compact()
        store["next"] = "works"
        assert content(disk.after_power_loss() if sync == "always" else disk.after_death()) == (
            expected | {"next": "works"}
        )


# --- close, compaction and readers meanwhile ------------------------------------------------------


@MODES
@pytest.mark.parametrize("round", range(3))
def test_a_store_closed_among_puts_keeps_all_that_it_acknowledged(
    place: Disk, sync: Sync, round: int
) -> None:
    """Each put is acknowledged and kept, or an error and absent; nothing is written afterwards.

    The next store is opened at once: it would suffer from a late writer.
    """
    store = kvlib.open(place, sync=sync, threshold=30)
    acknowledged: list[Items] = [{} for _ in range(THREADS)]
    some = threading.Semaphore(0)

    def run(name: int) -> None:
        if name == 0:
            for _ in range(10 * (1 + round)):
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

    together(run)
    expected: Items = {f"after {at}": "the close" for at in range(20)}
    for mine in acknowledged:
        expected |= mine
    assert frames(place)[-1] == []  # CLOSE
    assert content(place) == expected
    kvlib.open(place).close()


def test_all_threads_may_close_a_store_at_once(place: Disk) -> None:
    """One of them does, and its mark stands once in the log."""
    store = kvlib.open(place)
    store["a"] = "1"
    together(lambda _: store.close())
    assert frames(place) == [[("a", "1")], []]
    kvlib.open(place).close()


def test_threads_race_for_the_lock(tmp_path: Path) -> None:
    """Of those that open the same directory at once, one succeeds, at each round."""
    for round in range(10):
        opened: list[DurableStore] = []

        def run(_: int, round: int = round, opened: list[DurableStore] = opened) -> None:
            with suppress(LockedError):
                opened.append(kvlib.open(tmp_path / f"{round // 2}"))

        together(run)
        [store] = opened
        store[f"{round}"] = "1"
        store.close()
        assert len(content(kvlib.DirectoryDisk(tmp_path / f"{round // 2}"))) == 1 + round % 2


@MODES
def test_compactions_among_puts_lose_nothing(sync: Sync) -> None:
    """By policy from all threads, and on demand from one that does nothing else."""
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

    together(run)
    assert store.status().compactions > 10
    expected: Items = {
        f"{name} {at % 5}": f"{at}" for name in range(1, THREADS) for at in range(25, 30)
    }
    assert dict(store) == content(disk.after_death()) == expected
    store.close()
    assert content(disk.after_power_loss()) == expected


class Gate(MemoryDisk):
    """A disk on which one call stops, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.stops: tuple[str, str] | None = None
        self.stopped, self.go = threading.Event(), threading.Event()

    def _pass(self, verb: str, name: str) -> None:
        if self.stops and self.stops[0] == verb and name.endswith(self.stops[1]):
            self.stops = None
            self.stopped.set()
            assert self.go.wait(TIMEOUT)

    def write(self, name: str, data: bytes) -> None:
        self._pass("write", name)
        super().write(name, data)

    def append(self, name: str, data: bytes) -> None:
        self._pass("append", name)
        super().append(name, data)

    def sync(self, name: str) -> None:
        self._pass("sync", name)
        super().sync(name)

    def rename(self, name: str, target: str) -> None:
        self._pass("rename", name)
        super().rename(name, target)


@pytest.mark.parametrize("stops", [("append", "log"), ("sync", "log")])
def test_readers_do_not_wait_for_a_put(stops: tuple[str, str]) -> None:
    """While the disk is at work they see the old value, and the new one when it is durable."""
    disk = Gate()
    store = kvlib.open(disk)
    store.update({"a": "old", "b": "1"})
    disk.stops = stops
    writer = Thread(lambda: store.put("a", "new"))
    assert disk.stopped.wait(TIMEOUT)
    assert store["a"] == store.get("a") == "old"
    assert ("a" in store, len(store), list(store)) == (True, 2, ["a", "b"])
    assert store.status().keys == 2
    assert content(survivor(disk))["a"] == ("new" if stops[0] == "sync" else "old")
    disk.go.set()
    writer.join()
    assert dict(store) == content(survivor(disk)) == {"a": "new", "b": "1"}


@pytest.mark.parametrize("stops", [("write", "segment"), ("sync", "log.new"), ("rename", "")])
def test_readers_do_not_wait_for_a_compaction(stops: tuple[str, str]) -> None:
    """Writers do: a put that arrives meanwhile goes into the new log."""
    disk = Gate()
    store = kvlib.open(disk)
    store.update({"a": "old", "b": "1"})
    disk.stops = stops
    compactor = Thread(store.compact)
    assert disk.stopped.wait(TIMEOUT)
    writer = Thread(lambda: store.put("a", "new"))
    assert dict(store) == content(survivor(disk)) == {"a": "old", "b": "1"}
    disk.go.set()
    compactor.join()
    writer.join()
    assert frames(disk) == [[("a", "new")]]
    assert dict(store) == content(survivor(disk)) == {"a": "new", "b": "1"}


@MODES
def test_readers_see_old_values_or_new_ones_and_never_others(place: Disk, sync: Sync) -> None:
    """If a value only grows: from what was acknowledged to what was begun, and never back."""
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
