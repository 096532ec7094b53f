"""The store on a real medium: killed processes, small file systems, and many processes at once."""

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import kvlib
from helpers.processes import answer, ask, end, start, tell
from helpers.stores import HEALING, Items, assert_refused, content, disk_full, heal
from helpers.vocabulary import flip_bit, run_python
from kvlib import LockedError
from tools import killing

pytestmark = pytest.mark.untraced

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
    """Writers in new processes lose nothing either."""
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


@HEALING
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
                end(winner)
                processes.remove(winner)
                assert (place / "lock").exists()
                continue
            assert ask(winner, number) == "closing"
            expected[f"{number}\n"] = f"{number}\n"
            while True:  # the process says so just before it closes
                with suppress(LockedError), kvlib.open(place) as store:
                    assert dict(store) == expected
                    break
    finally:
        for process in processes:
            end(process)
