"""The store on a real medium: killed, full, forbidden, with a failing fsync, and beside others."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

import kvlib
from helpers.crashes import after, carry_out
from helpers.vocabulary import (
    files_of,
    flip_bit,
    frame,
    put,
    python_command,
    run_python,
    store_files,
    survivor,
)
from kvlib import DurableStore, LockedError, MemoryDisk, Recovery, WriteRefusedError
from tools import killing
from tools.killing import Changes, Items

pytestmark = pytest.mark.untraced

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
healing = pytest.mark.parametrize("how", ["compact", "reopen"])
How = Literal["compact", "reopen"]

LIFE: list[Changes] = [
    [("a", "1")],
    [("b", b"\0" * 20)],
    [("a", None)],
    [("a", "2"), ("c", "3"), ("b", None)],
    [("c", "4" * 30)],
    [("ключ", "знач")],
    [("d", "5")],
    [("missing", None)],
    [("a", "6"), ("e", "7" * 9)],
    [("b", b"8")],
]
FINAL: Items = {"c": "4" * 30, "ключ": "знач", "d": "5", "a": "6", "e": "7" * 9, "b": b"8"}


def is_refused(store: DurableStore) -> None:
    """Whatever would write says no; what reads does not."""
    before = dict(store)
    attempts: list[Callable[[], object]]
    attempts = [lambda: store.put("?", "?"), lambda: store.delete("?"), store.sync]
    for attempt in attempts:
        with pytest.raises(WriteRefusedError):
            attempt()
    assert dict(store) == before


def heal(store: DurableStore, how: How, place: Any) -> DurableStore:
    """Mend a store that refuses to write, as its error message says."""
    if how == "compact":
        store.compact()
        return store
    store.close()
    return kvlib.open(place)


def look(place: Any) -> Items:
    """What is in a store that somebody else may have open, or that nobody closed."""
    with kvlib.open(place, read_only=True) as store:
        return dict(store)


# --- killed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [("--kills", "50"), ("--kills", "3", "--spawn")])
def test_a_killed_writer_loses_nothing(options: tuple[str, ...]) -> None:
    """Fifty deaths in one directory; `make crash` dies a thousand times."""
    if "--spawn" not in options and not hasattr(os, "fork"):
        options = (*options, "--spawn")
    command = [sys.executable, "-m", "tools.killing", *options]
    path = os.pathsep.join([os.path.dirname(os.path.dirname(kvlib.__file__)), *sys.path])
    done = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (line.split(":") for line in done.stdout.splitlines())
    figures = {name: int(figure.replace(",", "")) for name, figure in lines}
    assert figures["kills"] == int(options[1])
    assert figures["lost"] == figures["strange"] == figures["refused"] == 0
    if figures["kills"] == 50:
        assert figures["mutations"] > 50
        assert figures["while opening"] > 5
        assert figures["in flight"] > 0


def test_the_judge_of_the_killing_sees_what_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A record missing, one that differs, one too many, and a store that can't be opened."""

    def judge(*allowed: Items) -> tuple[int, int, int]:
        figures = dict.fromkeys(["compactions", "torn tails", "lost", "strange", "refused"], 0)
        killing.look(str(tmp_path), list(allowed), figures, read_only=True)
        return figures["lost"], figures["strange"], figures["refused"]

    assert judge({}) == (0, 0, 0)  # nothing there, nothing acknowledged
    assert judge({"a": "1"}) == (1, 0, 0)
    with kvlib.open(tmp_path) as store:
        store.update({"a": "1", "b": "2"})
    assert judge({"a": "1", "b": "2"}) == (0, 0, 0)
    assert judge({"a": "1"}, {"a": "1", "b": "2"}) == (0, 0, 0)
    assert judge({"a": "1", "b": "3", "c": "4"}) == (2, 0, 0)
    assert judge({"a": "1"}) == (0, 1, 0)
    log = (tmp_path / "log").read_bytes()
    (tmp_path / "log").write_bytes(flip_bit(log, 100))
    assert judge({"a": "1", "b": "2"}) == (0, 0, 1)
    assert "offset" in capsys.readouterr().err


def test_a_killing_loop_can_be_run_from_a_program(tmp_path: Path) -> None:
    """Its figures come back by name."""
    figures = killing.run(2, 5, str(tmp_path / "store"), forking=False)
    assert figures["kills"] == sum(figures[name] for name in figures if name.startswith("while"))
    assert figures["lost"] == figures["strange"] == figures["refused"] == 0


# --- a full disk ----------------------------------------------------------------------------------


class FullDisk(MemoryDisk):
    """A disk that takes `room` bytes more. Of what does not fit it takes what does.

    `reuses`: deleted and replaced bytes make room again.
    """

    def __init__(self, room: int, *, reuses: bool) -> None:
        super().__init__()
        self.room, self.reuses = room, reuses
        self.refused: list[tuple[str, str]] = []
        self.taken = 0

    def _free(self, name: str) -> None:
        if self.reuses and name in self.names():
            self.room += len(self.read(name))

    def _take(self, verb: str, name: str, data: bytes) -> None:
        fits = data[: self.room]
        self.room -= len(fits)
        self.taken += len(fits)
        super().append(name, fits)
        if len(fits) < len(data):
            self.refused.append((verb, name))
            raise OSError(errno.ENOSPC, "No space left on device")

    def write(self, name: str, data: bytes) -> None:
        self._free(name)
        super().write(name, b"")
        self._take("write", name, data)

    def append(self, name: str, data: bytes) -> None:
        self._take("append", name, data)

    def rename(self, name: str, target: str) -> None:
        self._free(target)
        super().rename(name, target)

    def delete(self, name: str) -> None:
        self._free(name)
        super().delete(name)


def live_on(disk: FullDisk) -> tuple[DurableStore | None, list[Items]]:
    """LIFE on a disk that may become full; the store, and the states that it may be in.

    The first is what was acknowledged; the second, if there is one, what failed on top of it.
    """
    allowed: list[Items] = [{}]
    try:
        store = kvlib.open(disk, threshold=3, max_segment_size=40)
    except OSError:
        return None, allowed
    for changes in LIFE:
        refusals, failed = len(disk.refused), store.status().failed
        try:
            carry_out(store, changes)
        except OSError as error:
            assert error.errno == errno.ENOSPC
            assert disk.refused[refusals:] == [("append", "log")]
            allowed.append(after(allowed[0], changes))
        except WriteRefusedError:
            assert failed is not None
        else:
            assert failed is None
            allowed = [after(allowed[0], changes)]
            if refusals < len(disk.refused):  # in a compaction, and the mutation does not suffer
                assert "No space" in str(store.status().compaction_error)
        assert dict(store) == allowed[0]
    return store, allowed


@cache
def rooms(*, reuses: bool) -> range:
    """Every number of bytes after which a disk can become full during LIFE."""
    disk = FullDisk(10**6, reuses=reuses)
    store, allowed = live_on(disk)
    assert store is not None
    assert allowed == [FINAL]
    assert store.status().compactions == 3
    store.close()
    if not reuses:
        return range(disk.taken)
    while live_on(FullDisk(disk.taken, reuses=True))[1] == [FINAL] and disk.taken:
        disk.taken -= 1
    return range(disk.taken + 100)


@pytest.mark.parametrize("reuses", [False, True])
@pytest.mark.parametrize("how", ["compact", "reopen", "close"])
def test_a_disk_full_at_any_byte_loses_nothing(
    how: Literal["compact", "reopen", "close"], reuses: bool
) -> None:
    """Reading goes on; only an append that fails fails its mutation; with new room all heals."""
    failures = compactions_failed = 0
    for room in rooms(reuses=reuses):
        disk = FullDisk(room, reuses=reuses)
        store, allowed = live_on(disk)
        failures += len(allowed) > 1
        compactions_failed += store is not None and bool(store.status().compaction_error)
        still_full = FullDisk(0, reuses=reuses)
        for name, data in files_of(disk).items():
            MemoryDisk.write(still_full, name, data)
        if store is None:
            with pytest.raises(OSError, match="No space"):
                kvlib.open(still_full)
            disk.room = 10**6
            with kvlib.open(disk) as store:
                assert dict(store) == {}
            continue
        full = kvlib.open(still_full)
        assert dict(full) in allowed
        is_refused(full)
        full.close()
        if how == "close":
            with suppress(OSError):
                store.close()  # its mark may find no room either
            disk.room = 10**6
            store = kvlib.open(disk)
        else:
            disk.room = 10**6
            store = heal(store, how, disk)
        assert dict(store) in (allowed[:1] if how == "compact" else allowed), room
        store["next"] = "works"
        now = dict(store)
        with kvlib.open(survivor(disk)) as again:
            assert dict(again) == now
        store.close()
        assert look(disk) == now
    assert failures > 100
    assert compactions_failed > 100


def mount(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What `mount` does and says."""
    return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def small() -> Iterator[Path]:
    """A file system of half a MiB, where one may be mounted."""
    place = Path(tempfile.mkdtemp())
    mounted = None
    try:
        if shutil.which("mount") is None:
            pytest.skip("there is no mount command")
        mounted = mount("-t", "tmpfs", "-o", "size=512k", "tmpfs", place)
        if mounted.returncode != 0:
            pytest.skip(f"no file system can be mounted here: {mounted.stderr.splitlines()[:1]}")
        yield place
    finally:
        if mounted is not None and mounted.returncode == 0:
            subprocess.run(["umount", "-l", place], check=True)
        place.rmdir()


def free(place: Path) -> int:
    """The bytes that still fit."""
    figures = os.statvfs(place)
    return figures.f_bavail * figures.f_frsize


@healing
def test_a_full_file_system_loses_nothing(small: Path, how: How) -> None:
    """What fitted stays and is read, also from a new opening; given room, the store goes on."""
    ballast = small / "ballast"
    ballast.write_bytes(bytes(280_000))
    store = kvlib.open(small / "store", threshold=10**6)
    acknowledged: Items = {}
    for at in range(1000):
        key, value = f"key {at}", str(at) * (at % 1000)
        try:
            store[key] = value
        except OSError as error:
            assert error.errno == errno.ENOSPC
            break
        acknowledged[key] = value
    else:
        pytest.fail("it never became full")
    allowed = [acknowledged, acknowledged | {key: value}]
    assert dict(store) == acknowledged
    is_refused(store)
    assert look(small / "store") in allowed
    with pytest.raises(OSError, match="No space"):
        store.compact()
    assert dict(store) == acknowledged
    store.close()  # of a failed store: it writes nothing, so nothing fails
    store = kvlib.open(small / "store")
    assert dict(store) in allowed
    is_refused(store)
    ballast.unlink()
    now = dict(store)
    store = heal(store, how, small / "store")
    assert dict(store) == now
    store["next"] = "works"
    store.close()
    assert look(small / "store") == now | {"next": "works"}


def test_a_compaction_for_which_there_is_no_room_fails_no_put(small: Path) -> None:
    """It leaves nothing behind that takes room, and is tried again when pending has doubled."""
    store = kvlib.open(small / "store", threshold=100, max_segment_size=2**14)
    expected: Items = {f"key {at}": str(at % 10) * 1000 for at in range(100)}
    store.update(expected)
    assert store.status().compactions == 1
    ballast = small / "ballast"
    ballast.write_bytes(bytes(free(small) - 50_000))
    for at in range(150):
        store[f"key {at % 10}"] = expected[f"key {at % 10}"] = f"new {at}" + " " * 100
    status = store.status()
    assert (status.failed, status.compactions, status.pending) == (None, 1, 150)
    assert "No space" in str(status.compaction_error)
    generations = {path.name.split(".")[0] for path in (small / "store").glob("*.segment")}
    assert generations == {f"{status.generation:016x}"}
    assert look(small / "store") == dict(store) == expected
    ballast.unlink()
    for at in range(50):
        store[f"key {at}"] = expected[f"key {at}"] = "last"
    status = store.status()
    assert (status.compaction_error, status.compactions, status.pending) == (None, 2, 0)
    store.close()
    assert look(small / "store") == expected


def test_a_close_without_room_for_its_mark_loses_nothing(small: Path) -> None:
    """It says so, releases the lock all the same, and the next opening finds everything."""
    store = kvlib.open(small / "store")
    expected: Items = {}
    store["a"] = expected["a"] = "1"
    page = os.statvfs(small).f_frsize
    size = store.status().log_bytes
    filler = "x" * ((-size - 29) % page - 5)  # so that five bytes of the page are left
    store["b"] = expected["b"] = filler
    assert store.status().log_bytes % page == page - 5
    (small / "ballast").write_bytes(bytes(free(small)))
    with pytest.raises(OSError, match="No space"):
        store.close()
    assert look(small / "store") == expected
    (small / "ballast").unlink()
    with kvlib.open(small / "store") as store:
        assert store.recovered == Recovery(2, size + len(filler) + 29, 5)
        assert dict(store) == expected


def test_a_read_only_file_system_is_read_only(small: Path) -> None:
    """Opening for writing fails and changes nothing, reading does not; also for root."""
    with kvlib.open(small / "store") as store:
        store["a"] = "1"
    before = {path.name: path.read_bytes() for path in (small / "store").iterdir()}
    remounted = mount("-o", "remount,ro", small)
    if remounted.returncode != 0:
        pytest.skip(f"this file system can't be made read-only: {remounted.stderr.strip()}")
    for name in ("store", "new"):
        with pytest.raises(OSError, match="Read-only"):
            kvlib.open(small / name)
    assert look(small / "store") == {"a": "1"}
    assert mount("-o", "remount,rw", small).returncode == 0
    assert {path.name: path.read_bytes() for path in (small / "store").iterdir()} == before
    with kvlib.open(small / "store") as store:
        store["b"] = "2"


def test_a_file_that_may_not_grow_is_torn_at_any_byte(tmp_path: Path) -> None:
    """The system's own limit, for anybody: it takes what fits of a frame, and refuses the rest."""
    pytest.importorskip("resource")
    code = """
        import errno, resource, signal, sys, kvlib
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        place, expected, torn = sys.argv[1], {}, set()
        store = kvlib.open(place)
        for round in range(100):
            room, frame = round // 2, 38
            before = store.status().log_bytes
            resource.setrlimit(resource.RLIMIT_FSIZE, (before + room, hard))
            whole = dict(expected, key=f"{round:07}")
            try:
                store["key"] = whole["key"]
                assert room >= frame, room
                expected = whole
            except OSError as error:
                assert error.errno == errno.EFBIG and room < frame, (error, room)
                assert dict(store) == expected
                try:
                    store["key"] = "refused"
                    raise SystemExit("it was written")
                except kvlib.WriteRefusedError:
                    pass
            with kvlib.open(place, read_only=True) as reader:
                assert dict(reader) == expected
                torn.add(reader.recovered.dropped_bytes)
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            if round % 2:
                store.compact()
            else:
                store.close()
                store = kvlib.open(place)
            assert dict(store) == expected
            store["other"] = expected["other"] = str(round)
            store.compact()
        store.close()
        assert torn == set(range(38)), torn
        print(dict(kvlib.open(place, read_only=True)) == expected)
    """
    assert run_python(code, str(tmp_path / "store")) == "True"


# --- a disk that refuses --------------------------------------------------------------------------


class Forbidden(MemoryDisk):
    """A disk that can be read and, while `error` is a number, not written. Even root can't."""

    error: int | None = None
    locks = True

    def _check(self) -> None:
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))

    def write(self, name: str, data: bytes) -> None:
        self._check()
        super().write(name, data)

    def append(self, name: str, data: bytes) -> None:
        self._check()
        super().append(name, data)

    def sync(self, name: str) -> None:
        self._check()
        super().sync(name)

    def rename(self, name: str, target: str) -> None:
        self._check()
        super().rename(name, target)

    def delete(self, name: str) -> None:
        self._check()
        super().delete(name)

    def sync_directory(self) -> None:
        self._check()

    @contextmanager
    def lock(self) -> Iterator[None]:
        if not self.locks:
            self._check()
        with super().lock():
            yield


FORBIDDEN = pytest.mark.parametrize("error", [errno.EROFS, errno.EACCES])


@FORBIDDEN
@healing
@pytest.mark.parametrize("end", [frame(b"C", 3, b"", 9), b"", b"torn"])
def test_a_disk_that_refuses_to_be_written_is_read(error: int, how: How, end: bytes) -> None:
    """Whatever the log ends with: the store opens, tells its records, and changes no byte."""
    files = store_files({"old": "1"}, frame(b"M", 2, put("a", "2"), 9), end, salt=9)
    disk = Forbidden()
    for name, data in files.items():
        disk.write(name, data)
    disk.error = error
    store = kvlib.open(disk)
    for _ in range(2):
        assert dict(store) == {"old": "1", "a": "2"}
        assert os.strerror(error) in str(store.status().failed)
        is_refused(store)
        with pytest.raises(OSError, match=os.strerror(error)):
            store.compact()
    assert files_of(disk) == files
    disk.error = None
    store = heal(store, how, disk)
    store["b"] = "3"
    assert look(survivor(disk)) == {"old": "1", "a": "2", "b": "3"}


@FORBIDDEN
@healing
def test_a_disk_that_begins_to_refuse_keeps_what_it_has(error: int, how: How) -> None:
    """As a system does that has found an error on its disk; the first put learns why."""
    disk = Forbidden()
    store = kvlib.open(disk, threshold=2)
    store["a"] = "1"
    disk.error = error
    with pytest.raises(OSError, match=os.strerror(error)):
        store["b"] = "2"
    is_refused(store)
    assert dict(store) == look(disk) == {"a": "1"}
    store.close()  # nothing is written, so nothing is refused
    store = kvlib.open(disk)
    assert dict(store) == {"a": "1"}
    is_refused(store)
    disk.error = None
    store = heal(store, how, disk)
    store["b"] = "3"
    assert look(survivor(disk)) == {"a": "1", "b": "3"}


@FORBIDDEN
def test_where_no_lock_can_be_had_there_is_still_reading(error: int) -> None:
    """Opening for writing gives the disk's own error; where there is no store, none is left."""
    disk = Forbidden()
    disk.error = error
    with pytest.raises(OSError, match=os.strerror(error)):
        kvlib.open(disk)
    assert files_of(disk) == {}
    disk.error = None
    with kvlib.open(disk) as store:  # its lock is free
        store["a"] = "1"
    disk.error, disk.locks = error, False
    with pytest.raises(OSError, match=os.strerror(error)):
        kvlib.open(disk)
    assert look(disk) == {"a": "1"}


# --- an fsync that fails --------------------------------------------------------------------------


class Fsyncs:
    """In the place of the system's fsync: the `first` call fails, or all from it on.

    The others do nothing: what happens without them is the business of the simulated crashes.
    """

    def __init__(self, first: int, last: float) -> None:
        self.first, self.last, self.calls = first, last, 0

    def __call__(self, descriptor: int) -> None:
        os.fstat(descriptor)  # it is one
        self.calls += 1
        if self.first <= self.calls <= self.last:
            raise OSError(errno.EIO, "fsync failed")


def break_fsync(monkeypatch: pytest.MonkeyPatch, first: int, last: float) -> Fsyncs:
    """Let the fsyncs from `first` to `last` fail."""
    fsyncs = Fsyncs(first, last)
    monkeypatch.setattr(os, "fsync", fsyncs)
    monkeypatch.setattr(os, "fdatasync", fsyncs, raising=False)
    if sys.platform == "darwin":
        import fcntl

        real: Any = fcntl.fcntl

        def control(descriptor: int, command: int, *rest: Any) -> Any:
            if command == fcntl.F_FULLFSYNC:
                return fsyncs(descriptor)
            return real(descriptor, command, *rest)

        monkeypatch.setattr(fcntl, "fcntl", control)
    return fsyncs


def live_in(place: Path) -> tuple[DurableStore | None, list[Items]]:
    """LIFE in a directory whose fsync may fail; the store, and the states that it may be in."""
    allowed: list[Items] = [{}]
    try:
        store = kvlib.open(place, threshold=3, max_segment_size=40)
    except OSError:
        return None, allowed
    for changes in LIFE:
        failed = store.status().failed
        try:
            carry_out(store, changes)
        except OSError as error:
            assert error.errno == errno.EIO
            allowed.append(after(allowed[0], changes))
        except WriteRefusedError:
            assert failed is not None
        else:
            assert failed is None
            allowed = [after(allowed[0], changes)]
        assert dict(store) == allowed[0]
        if store.status().failed is not None:
            is_refused(store)
    return store, allowed


@healing
@pytest.mark.parametrize("for_ever", [False, True])
def test_a_directory_on_which_fsync_fails_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: How, for_ever: bool
) -> None:
    """At each of its calls, once or from then on: nothing acknowledged is lost, all reads go on."""
    call = failures = in_compaction = 0
    while True:
        call += 1
        place = tmp_path / str(call)
        fsyncs = break_fsync(monkeypatch, call, float("inf") if for_ever else call)
        store, allowed = live_in(place)
        if fsyncs.calls < call:
            break
        if store is None:
            if for_ever:
                # If the creation's very last fsync failed, what it made can be read.
                with suppress(OSError), kvlib.open(place) as store:
                    is_refused(store)
                fsyncs.last = 0
            with kvlib.open(place) as store:  # nobody holds the lock
                assert dict(store) == {}
            continue
        failures += len(allowed) == 2
        in_compaction += store.status().compaction_error is not None
        assert look(place) in allowed
        if for_ever:
            with pytest.raises(OSError, match="fsync failed"):
                store.compact()
            assert dict(store) == allowed[0]
            allowed = [allowed[0], look(place)]
            with suppress(OSError):
                store.close()
            store = kvlib.open(place)
            assert dict(store) in allowed
            allowed = [dict(store)]
            is_refused(store)
            fsyncs.last = 0
        store = heal(store, how, place)
        assert dict(store) in (allowed[:1] if how == "compact" else allowed)
        store["next"] = "works"
        now = dict(store)
        assert look(place) == now
        store.close()
        assert look(place) == now
    assert failures >= 10
    assert in_compaction >= 4


# --- the same directory by another name -----------------------------------------------------------


def spellings(place: Path) -> Iterator[str | Path]:
    """Ways to say `place`, of which the current directory is the parent."""
    name = place.name
    yield place
    yield str(place)
    yield f"{place}{os.sep}"
    yield name
    yield os.path.join(".", name)
    yield os.path.join(name, ".")
    yield os.path.join(name, "..", name)
    yield os.path.join("..", place.parent.name, name)
    if hasattr(os, "symlink"):
        with suppress(OSError):  # Windows asks for a privilege
            (place.parent / "link").symlink_to(name, target_is_directory=True)
            (place.parent / "here").symlink_to(place.parent, target_is_directory=True)
            yield "link"
            yield place.parent / "here" / "link"


def test_a_directory_is_locked_under_all_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second opening is refused, whichever name each of both has used."""
    monkeypatch.chdir(tmp_path)
    names = list(spellings(tmp_path / "store"))
    kvlib.open(names[0]).close()
    for round, first in enumerate(names):
        with kvlib.open(first) as store:
            for second in names:
                with pytest.raises(LockedError):
                    kvlib.open(second)
                assert len(look(second)) == round
            store[str(round)] = "written"
            store.compact()


def test_a_store_stays_where_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever becomes the current directory later, and whichever store is of that name there."""
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        with kvlib.open(tmp_path / folder / "store") as other:
            other["folder"] = folder
    monkeypatch.chdir(tmp_path / "here")
    with kvlib.open("store") as store:
        store["a"] = "1"
        monkeypatch.chdir(tmp_path / "there")
        store["b"] = "2"
        store.compact()
        store["c"] = "3"
    assert look(tmp_path / "there" / "store") == {"folder": "there"}
    assert look(tmp_path / "here" / "store") == {"folder": "here", "a": "1", "b": "2", "c": "3"}


# --- other processes ------------------------------------------------------------------------------

Process = subprocess.Popen[str]


def start(code: str, *arguments: str) -> Process:
    """Another process, with pipes to talk to it."""
    command, environment = python_command(code, *arguments)
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)


def ask(process: Process, question: str = "") -> str:
    """Send a line to it, and read one."""
    tell(process, question)
    return answer(process)


def tell(process: Process, line: str) -> None:
    """Send a line to it."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def answer(process: Process) -> str:
    """A line from it."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: Process) -> None:
    """Close the pipes to it, and end it if it does not end by that."""
    with process:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


FORKER = """
    import os, signal, sys, kvlib

    def end(how):
        if how == "sys.exit":
            sys.exit(0)
        if how == "os._exit":
            os._exit(0)
        if how == "raise":
            sys.stderr = open(os.devnull, "w")
            raise ValueError("the child's own")
        os.kill(os.getpid(), signal.SIGKILL)

    with kvlib.open(sys.argv[1], threshold=3) as store:
        for how in sys.stdin:
            store.put("parent", how)
            if os.fork() == 0:
                for attempt in (lambda: store.put("child", "?"), store.clear, store.compact):
                    try:
                        attempt()
                        store["child"] = "it could write"
                    except kvlib.WriteRefusedError:
                        pass
                sys.stdout = open(os.devnull, "w")  # nothing of what is buffered is printed twice
                end(how.strip())
            os.wait()
            print("ended", flush=True)
"""


@needs_fork
def test_a_forked_child_leaves_the_store_to_its_parent(tmp_path: Path) -> None:
    """However it ends, the store neither changes nor loses its lock, and the parent goes on."""
    parent = start(FORKER, str(tmp_path / "store"))
    try:
        for how in ("sys.exit", "os._exit", "raise", "kill") * 2:
            assert ask(parent, how) == "ended"
            with pytest.raises(LockedError):
                kvlib.open(tmp_path / "store")
            assert look(tmp_path / "store") == {"parent": f"{how}\n"}
    finally:
        end(parent)
    assert parent.returncode == 0
    with kvlib.open(tmp_path / "store") as store:
        assert store.recovered == Recovery(2)
        assert dict(store) == {"parent": "kill\n"}
        assert store.status().compactions == 2


@needs_fork
def test_a_child_that_outlives_its_parent_writes_nothing(tmp_path: Path) -> None:
    """The parent is killed; its child, which never opened the store, has no part in it."""
    code = """
        import os, sys, time, kvlib
        store = kvlib.open(sys.argv[1])
        store["a"] = "1"
        if child := os.fork():
            print(child, flush=True)
            time.sleep(600)
        sys.stdin.readline()
        try:
            store["b"] = "2"
            print("it could write", flush=True)
        except kvlib.WriteRefusedError:
            print("refused", flush=True)
        sys.stdin.readline()
    """
    parent = start(code, str(tmp_path / "store"))
    try:
        assert answer(parent).isdigit()
        parent.kill()
        parent.wait()
        assert ask(parent) == "refused"
        with kvlib.open(tmp_path / "store") as store:
            assert dict(store) == {"a": "1"}
            store["c"] = "3"
            tell(parent, "the child may end")
            assert answer(parent) == ""
            with pytest.raises(LockedError):
                kvlib.open(tmp_path / "store")
        assert look(tmp_path / "store") == {"a": "1", "c": "3"}
    finally:
        end(parent)


OPENER = """
    import sys, kvlib
    print("ready", flush=True)
    for place in sys.stdin:
        try:
            with kvlib.open(place.strip()) as store:
                print("opened", flush=True)
                number = sys.stdin.readline()
                store[number] = number
                print("closing", flush=True)
        except kvlib.LockedError:
            print("LockedError", flush=True)
"""


def test_of_twenty_processes_one_opens_the_store(tmp_path: Path) -> None:
    """Whether it is there already, has just been made, or its writer has just been killed."""
    processes = [start(OPENER) for _ in range(20)]
    try:
        assert {answer(process) for process in processes} == {"ready"}
        expected: Items = {}
        for round in range(6):
            place = tmp_path / f"store {round // 3}"
            for process in processes:
                tell(process, str(place))
            answers = [answer(process) for process in processes]
            assert sorted(answers) == ["LockedError"] * (len(processes) - 1) + ["opened"]
            winner = processes[answers.index("opened")]
            expected = expected if round % 3 else {}
            assert look(place) == expected
            if round % 3 == 1:
                winner.kill()
                end(winner)
                processes.remove(winner)
                assert (place / "lock").exists()
            else:
                assert ask(winner, str(round)) == "closing"
                expected[f"{round}\n"] = f"{round}\n"
                while True:  # it says so just before it closes
                    with suppress(LockedError), kvlib.open(place) as store:
                        assert dict(store) == expected
                        break
    finally:
        for process in processes:
            end(process)
