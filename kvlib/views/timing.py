"""Time writes to a real file, with and without an fsync."""

import os
import tempfile
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Final, NamedTuple

from kvlib.disk import Path

DATA: Final = bytes(100)
SHARED: Final = 64  # writes for one fsync
ROUNDS: Final = 200  # of each kind, at most
SECONDS: Final = 0.7  # of each kind; no round begins later

Clock = Callable[[], float]
Flush = Callable[[int], object]


class Times(NamedTuple):
    """Medians, in seconds for each write of 100 bytes.

    Attributes:
        alone: for a write alone.
        synced: for a write and the fsync after it.
        shared: for each of 64 writes with one fsync after the last.
        rounds: how often each of the three was timed.
        call: the function that did the fsync.
    """

    alone: float
    synced: float
    shared: float
    rounds: tuple[int, int, int] = (ROUNDS, ROUNDS, ROUNDS)
    call: str = "os.fsync"

    @property
    def seconds(self) -> tuple[float, float, float]:
        """The three medians."""
        return self.alone, self.synced, self.shared


def measure(folder: Path, clock: Clock = perf_counter) -> Times:
    """Time writes to a new file in `folder`, and delete the file.

    Raises OSError if the file can't be created, written or fsynced, ValueError for a path that no
    system accepts.
    """
    # The file keeps its name until the end: some file systems skip the fsync of a file without one.
    descriptor, path = tempfile.mkstemp(prefix="kvlib-fsync-", dir=folder)
    try:
        call, flush = _flush(descriptor)
        medians, rounds = [], []
        for writes, synced in ((SHARED, False), (1, True), (SHARED, True)):
            times = _rounds(descriptor, writes, flush if synced else None, clock)
            medians.append(median(times))
            rounds.append(len(times))
            flush(descriptor)  # so that the next kind doesn't wait for these bytes
    finally:
        os.close(descriptor)
        os.unlink(path)
    alone, once, shared = medians
    return Times(alone, once, shared, (rounds[0], rounds[1], rounds[2]), call)


def _rounds(descriptor: int, writes: int, flush: Flush | None, clock: Clock) -> list[float]:
    """Return the time per write of each round."""
    times: list[float] = []
    start = begin = clock()
    while not times or (len(times) < ROUNDS and begin - start < SECONDS):
        for _ in range(writes):
            os.write(descriptor, DATA)
        if flush:
            flush(descriptor)
        end = clock()
        times.append((end - begin) / writes)
        begin = end
    return times


def _flush(descriptor: int) -> tuple[str, Flush]:
    """Return the call that reaches the medium, and its name."""
    try:
        import fcntl
    except ImportError:  # on Windows
        return "os.fsync", os.fsync
    full = getattr(fcntl, "F_FULLFSYNC", None)  # only macOS has it
    if full is None:
        return "os.fsync", os.fsync
    command: int = full

    def flush(file: int) -> object:
        return fcntl.fcntl(file, command)

    try:
        flush(descriptor)
    except OSError:  # some network drives don't know it
        return "os.fsync", os.fsync
    return "fcntl.F_FULLFSYNC", flush
