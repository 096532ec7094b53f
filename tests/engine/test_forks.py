"""Forked children: they read, and leave the store and its lock to their parent."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import kvlib
from helpers.processes import ask, end, start
from helpers.stores import MODES, OLD, Sync, content, files_in, restless, writes
from kvlib import DirectoryDisk, DurableStore, LockedError, MemoryDisk, WriteRefusedError

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


# --- without a fork -------------------------------------------------------------------------------


def test_another_process_number_is_a_forked_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process with another number every write is refused, and close writes nothing."""
    disk = DirectoryDisk(tmp_path)
    store = kvlib.open(disk)
    store["a"] = "1"
    before = files_in(tmp_path)
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        for write in (*writes(store), store.compact):
            with pytest.raises(WriteRefusedError, match="forked"):
                write()
        assert store["a"] == "1"
        store.close()
    assert files_in(tmp_path) == before
    with pytest.raises(ValueError, match="closed"):
        len(store)
    with pytest.raises(LockedError):
        kvlib.open(tmp_path)


def test_a_disk_knows_its_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A DirectoryDisk refuses to write in a process that did not lock it."""
    disk = DirectoryDisk(tmp_path)
    with disk.lock():
        disk.write("a", b"1")
        calls: list[Callable[[], object]] = [
            lambda: disk.append("a", b"?"),
            lambda: disk.sync("a"),
            lambda: disk.write("a", b"?"),
        ]
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", lambda: -1)
            for call in calls:
                with pytest.raises(WriteRefusedError, match="forked"):
                    call()
        disk.append("a", b"2")
        assert disk.read("a") == b"12"


# --- real forks -----------------------------------------------------------------------------------

PARENT = """
    import gc, os, signal, sys, kvlib

    def end(how):
        global store, write
        if how == "close":
            store.close()
        if how == "forget":
            write = store = None
            gc.collect()
        if how == "sys.exit":
            sys.exit(0)
        if how == "raise":
            sys.stderr = open(os.devnull, "w")
            raise ValueError("the child's own")
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)

    store = kvlib.open(sys.argv[1], threshold=3)
    for how in sys.stdin:
        store.put("parent", how)
        if os.fork() == 0:
            for write in (lambda: store.put("child", "?"), store.clear, store.compact):
                try:
                    assert store["parent"] == how
                    write()
                    store["child"] = "it could write"
                except kvlib.WriteRefusedError:
                    pass
            sys.stdout = open(os.devnull, "w")  # print nothing twice that is buffered
            end(how.strip())
        os.wait()
        print("ended", flush=True)
    store.close()
"""


@needs_fork
def test_a_forked_child_leaves_the_store_to_its_parent(tmp_path: Path) -> None:
    """However a child ends, the store keeps its records and its lock, and its parent continues."""
    parent = start(PARENT, str(tmp_path / "store"))
    try:
        for how in ("sys.exit", "os._exit", "close", "raise", "forget", "kill"):
            assert ask(parent, how) == "ended"
            with pytest.raises(LockedError):
                kvlib.open(tmp_path / "store")
            assert content(tmp_path / "store") == {"parent": f"{how}\n"}
    finally:
        end(parent)
    assert parent.returncode == 0
    with kvlib.open(tmp_path / "store") as store:
        assert dict(store) == {"parent": "kill\n"}
        assert store.recovered.dropped_bytes == 0
        assert store.status().compactions == 2


@needs_fork
def test_a_child_that_outlives_its_parent_writes_nothing(tmp_path: Path) -> None:
    """If the parent is killed, the next writer has the lock, and the child is still refused."""
    code = """
        import os, sys, time, kvlib
        store = kvlib.open(sys.argv[1])
        store["a"] = "1"
        sys.stdin.readline()
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
        assert ask(parent).isdigit()
        parent.kill()
        parent.wait()
        assert ask(parent) == "refused"
        with kvlib.open(tmp_path / "store") as store:
            assert dict(store) == {"a": "1"}
            store["c"] = "3"
            assert ask(parent, "end") == ""
            with pytest.raises(LockedError):
                kvlib.open(tmp_path / "store")
        assert content(tmp_path / "store") == {"a": "1", "c": "3"}
    finally:
        end(parent)


def child_status(store: DurableStore, write: Callable[[], object]) -> int:
    """Fork a child that reads, backs up and writes; return 0 if exactly the write was refused."""
    if (child := os.fork()) == 0:
        status = 1
        signal.alarm(10)
        try:
            assert store["old"] == "1"
            store.backup(MemoryDisk())
            write()
            status = 2
        except WriteRefusedError as error:
            status = 0 if "forked" in str(error) else 3
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@needs_fork
@pytest.mark.untraced  # a tracer has locks, too, which nothing in the child would release
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@MODES
@pytest.mark.parametrize("kind", ["memory", "directory"])
def test_a_forked_child_is_refused_at_once(kind: str, sync: Sync, tmp_path: Path) -> None:
    """A child waits for no lock, even if a thread of its parent held it during the fork."""
    disk = MemoryDisk() if kind == "memory" else DirectoryDisk(tmp_path / "store")
    store = kvlib.open(disk, sync=sync)
    store.update(OLD)
    busy = partial(store.put, "busy")
    with restless(lambda _: busy("1")), restless(lambda _: busy("2")):
        for write in (*writes(store), store.compact):
            time.sleep(0.002)
            assert child_status(store, write) == 0
    store["last"] = "1"
    with pytest.raises(LockedError):  # the end of a child has not released the lock
        kvlib.open(disk)
    assert content(disk) == dict(store)
    store.close()
