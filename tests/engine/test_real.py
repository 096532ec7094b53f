"""The store on a real medium: killed processes, small file systems, and many processes at once."""

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import kvlib
from helpers.stores import Items, assert_refused, content, disk_full
from helpers.vocabulary import flip_bit, python_command, run_python
from kvlib import DurableStore, LockedError, Recovery
from tools import killing

pytestmark = pytest.mark.untraced

healing = pytest.mark.parametrize("how", ["compact", "reopen"])


def heal(store: DurableStore, how: str, place: Any) -> DurableStore:
    """Heal a store that refuses to write, in one of the ways its error message names."""
    if how == "compact":
        store.compact()
        return store
    store.close()
    return kvlib.open(place)


# --- killed ---------------------------------------------------------------------------------------


def test_a_killed_writer_loses_nothing() -> None:
    """Fifty kills in one directory lose nothing (`make crash` kills a thousand times)."""
    options = ["--kills", "50"] if hasattr(os, "fork") else ["--kills", "50", "--spawn"]
    code = "import sys; from tools import killing; sys.exit(killing.main())"
    lines = (line.split(":") for line in run_python(code, *options).splitlines())
    figures = {name: int(figure.replace(",", "")) for name, figure in lines}
    assert figures["kills"] == 50
    assert figures["lost"] == figures["strange"] == figures["refused"] == 0
    assert figures["mutations"] > 50
    assert figures["while opening"] > 5
    assert figures["in flight"] > 0


def test_a_writer_that_was_not_forked_loses_nothing(tmp_path: Path) -> None:
    """The same law for two writers in new processes."""
    figures = killing.run(2, 5, str(tmp_path / "store"), forking=False)
    assert figures["kills"] == sum(figures[name] for name in figures if name.startswith("while"))
    assert figures["lost"] == figures["strange"] == figures["refused"] == 0


def test_the_judge_of_the_killing_sees_what_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The judge counts records that are lost or strange, and stores that can't be opened."""

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


# --- a full file system ---------------------------------------------------------------------------


def mount(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `mount`."""
    return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def small() -> Iterator[Path]:
    """Yield a file system of half a MiB, if one can be mounted."""
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
    """Return how many bytes still fit."""
    figures = os.statvfs(place)
    return figures.f_bavail * figures.f_frsize


@healing
def test_a_full_file_system_loses_nothing(small: Path, how: str) -> None:
    """A full store can be read and reopened, and continues when there is room."""
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
    assert_refused(store)
    assert content(small / "store") in allowed
    with disk_full():
        store.compact()
    assert dict(store) == acknowledged
    store.close()  # of a failed store: it writes nothing, so nothing fails
    store = kvlib.open(small / "store")
    assert dict(store) in allowed
    assert_refused(store)
    ballast.unlink()
    now = dict(store)
    store = heal(store, how, small / "store")
    assert dict(store) == now
    store["next"] = "works"
    store.close()
    assert content(small / "store") == now | {"next": "works"}


def test_a_compaction_for_which_there_is_no_room_fails_no_put(small: Path) -> None:
    """A compaction without room deletes its segments, and is tried again later."""
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
    assert content(small / "store") == dict(store) == expected
    ballast.unlink()
    for at in range(50):
        store[f"key {at}"] = expected[f"key {at}"] = "last"
    status = store.status()
    assert (status.compaction_error, status.compactions, status.pending) == (None, 2, 0)
    store.close()
    assert content(small / "store") == expected


def test_a_close_without_room_for_its_mark_loses_nothing(small: Path) -> None:
    """A close without room for its frame raises and releases the lock, and nothing is lost."""
    store = kvlib.open(small / "store")
    expected: Items = {}
    store["a"] = expected["a"] = "1"
    page = os.statvfs(small).f_frsize
    size = store.status().log_bytes
    filler = "x" * ((-size - 29) % page - 5)  # so that five bytes of the page are left
    store["b"] = expected["b"] = filler
    assert store.status().log_bytes % page == page - 5
    (small / "ballast").write_bytes(bytes(free(small)))
    with disk_full():
        store.close()
    assert content(small / "store") == expected
    (small / "ballast").unlink()
    with kvlib.open(small / "store") as store:
        assert store.recovered == Recovery(2, size + len(filler) + 29, 5)
        assert dict(store) == expected


def test_a_read_only_file_system_is_read_only(small: Path) -> None:
    """On a read-only file system, opening for writing fails and reading works, even for root."""
    with kvlib.open(small / "store") as store:
        store["a"] = "1"
    before = {path.name: path.read_bytes() for path in (small / "store").iterdir()}
    remounted = mount("-o", "remount,ro", small)
    if remounted.returncode != 0:
        pytest.skip(f"this file system can't be made read-only: {remounted.stderr.strip()}")
    for name in ("store", "new"):
        with pytest.raises(OSError, match="Read-only"):
            kvlib.open(small / name)
    assert content(small / "store") == {"a": "1"}
    assert mount("-o", "remount,rw", small).returncode == 0
    assert {path.name: path.read_bytes() for path in (small / "store").iterdir()} == before
    with kvlib.open(small / "store") as store:
        store["b"] = "2"


def test_a_file_that_may_not_grow_is_torn_at_any_byte(tmp_path: Path) -> None:
    """If the system limits the file's size, a frame torn at any byte is handled."""
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


# --- many processes -------------------------------------------------------------------------------


def start(code: str) -> subprocess.Popen[str]:
    """Start another process, with pipes to talk to it."""
    command, environment = python_command(code)
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)


def tell(process: subprocess.Popen[str], line: object) -> None:
    """Send a line to the process."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def answer(process: subprocess.Popen[str]) -> str:
    """Return the next line from the process."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


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


def test_of_many_processes_one_opens_the_store(tmp_path: Path) -> None:
    """One of them opens a store that exists, is new, or whose writer was just killed."""
    processes = [start(OPENER) for _ in range(6)]
    try:
        assert {answer(process) for process in processes} == {"ready"}
        expected: Items = {}
        for number in range(6):
            place = tmp_path / f"store {number // 3}"
            for process in processes:
                tell(process, place)
            answers = [answer(process) for process in processes]
            assert sorted(answers) == ["LockedError"] * (len(processes) - 1) + ["opened"]
            winner = processes[answers.index("opened")]
            expected = expected if number % 3 else {}
            assert content(place) == expected
            if number % 3 == 1:
                winner.kill()
                winner.communicate()
                processes.remove(winner)
                assert (place / "lock").exists()
                continue
            tell(winner, number)
            assert answer(winner) == "closing"
            expected[f"{number}\n"] = f"{number}\n"
            while True:  # the process says so just before it closes
                with suppress(LockedError), kvlib.open(place) as store:
                    assert dict(store) == expected
                    break
    finally:
        for process in processes:
            process.communicate()
