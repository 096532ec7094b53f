"""Writes and fsyncs, timed by a clock that the test moves on."""

import errno
import os
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from kvlib.views import timing
from kvlib.views.timing import DATA, ROUNDS, SECONDS, SHARED, Times, measure


class Machine:
    """A clock that a write and an fsync move on, in whole microseconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, write: int, fsync: int) -> None:
        self.now, self.done = 0, list[str]()
        real = os.write

        def slow_write(descriptor: int, data: bytes) -> int:
            self.now += write
            self.done.append("write")
            assert data == DATA
            return real(descriptor, data)

        def slow_fsync(descriptor: int) -> None:
            self.now += fsync
            self.done.append("fsync")
            os.fstat(descriptor)

        monkeypatch.setattr(os, "write", slow_write)
        monkeypatch.setattr(os, "fsync", slow_fsync)
        monkeypatch.setitem(sys.modules, "fcntl", SimpleNamespace())

    def clock(self) -> float:
        """Return the time in seconds."""
        return self.now / 1e6


def test_each_kind_is_the_median_for_one_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 writes share the time of their fsync; a write alone has none."""
    machine = Machine(monkeypatch, write=2, fsync=128)
    found = measure(tmp_path, machine.clock)
    assert found.seconds == pytest.approx((2e-6, 130e-6, 4e-6))
    assert found[3:] == ((ROUNDS,) * 3, "os.fsync")
    alone, rest = machine.done[: ROUNDS * SHARED], machine.done[ROUNDS * SHARED + 1 :]
    assert alone == ["write"] * len(alone)
    once, shared = rest[: 2 * ROUNDS], rest[2 * ROUNDS + 1 :]
    assert once == ["write", "fsync"] * ROUNDS
    assert shared == [*["write"] * SHARED, "fsync"] * ROUNDS + ["fsync"]


def test_a_slow_disk_is_timed_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No round of a kind begins after its time, but each has at least one."""
    slow = Machine(monkeypatch, write=1, fsync=100_000)
    assert measure(tmp_path, slow.clock).rounds == (ROUNDS, 7, 7)
    assert SECONDS == 0.7
    stuck = Machine(monkeypatch, write=1, fsync=9_000_000)
    assert measure(tmp_path, stuck.clock).rounds == (ROUNDS, 1, 1)


def test_the_file_has_a_name_while_it_is_timed_and_none_afterwards(tmp_path: Path) -> None:
    """An fsync of a file without a name may do less."""
    seen = []

    def clock() -> float:
        seen.append([path.name for path in tmp_path.iterdir()])
        return float(len(seen))

    measure(tmp_path, clock)
    assert {len(names) for names in seen} == {1}
    assert seen[0][0].startswith("kvlib-fsync-")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
@pytest.mark.parametrize("name", ["write", "fsync"])
def test_the_file_is_deleted_whatever_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException
) -> None:
    """After a full disk and after Ctrl-C."""
    Machine(monkeypatch, 1, 1)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, name, fail)
    with pytest.raises(type(error)):
        measure(tmp_path)
    assert [*tmp_path.iterdir()] == []


def full(answer: Callable[[int], object]) -> SimpleNamespace:
    """Return an fcntl as macOS has it."""

    def control(descriptor: int, command: int) -> object:
        assert command == 51
        return answer(descriptor)

    return SimpleNamespace(F_FULLFSYNC=51, fcntl=control)


def test_macos_is_asked_for_a_full_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where os.fsync doesn't reach the medium; unless the drive doesn't know it."""
    asked: list[int] = []
    monkeypatch.setitem(sys.modules, "fcntl", full(asked.append))
    ticks = count()
    assert measure(tmp_path, lambda: next(ticks)).call == "fcntl.F_FULLFSYNC"
    assert len(asked) == 1 + 3 + 2  # to try it, after each kind, and in the rounds

    def unknown(_: int) -> None:
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setitem(sys.modules, "fcntl", full(unknown))
    assert measure(tmp_path, lambda: next(ticks)).call == "os.fsync"


def test_windows_has_no_fcntl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There os.fsync is all there is."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    ticks = count()
    assert measure(tmp_path, lambda: next(ticks)) == Times(1 / 64, 1, 1 / 64, (1, 1, 1))


def test_the_call_here_is_the_one_that_python_has() -> None:
    """On this machine."""
    with open(__file__, "rb") as file:
        name, flush = timing._flush(file.fileno())
        assert name == ("fcntl.F_FULLFSYNC" if sys.platform == "darwin" else "os.fsync")
        flush(file.fileno())
