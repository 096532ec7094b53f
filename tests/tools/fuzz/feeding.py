"""Feed inputs to targets, one by one or in batches, and keep those that fail."""

import contextlib
import hashlib
import os
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import NamedTuple

from helpers.paths import ROOT
from kvlib import CorruptionError, KvlibError, VersionError
from tools.fuzz.targets import NAMES, TARGETS

BUILD = ROOT / "build" / "fuzz"
BATCH = 2_000  # inputs that a process makes from one seed
PATIENCE = 120.0  # seconds for a batch, which takes less than one


class Failure(NamedTuple):
    """An input that led to neither a result nor a KvlibError."""

    target: str
    data: bytes
    report: str


Tally = Counter[tuple[str, str]]  # inputs by target and outcome
BatchResult = tuple[Tally, Failure | None]


@contextlib.contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in a block that takes longer, on systems that have alarms."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def give_up(*_: object) -> None:
        raise TimeoutError(f"no answer in {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def feed(name: str, data: bytes) -> str:
    """Feed one input and return its outcome. Errors other than a KvlibError get through."""
    try:
        TARGETS[name].feed(data)
    except VersionError:
        return "newer"
    except CorruptionError as error:
        assert 0 <= error.offset <= len(data)
        return "refused"
    except KvlibError:
        return "refused"
    return "read"


def inputs(seed: int, batch: int, size: int) -> Iterator[tuple[str, bytes]]:
    """Yield the inputs of a batch: the same ones whenever it is made."""
    chance = Random(f"{seed} {batch}")
    for name in chance.choices(NAMES, [target.share for target in TARGETS.values()], k=size):
        yield name, TARGETS[name].make(chance)


def run_batch(seed: int, batch: int, size: int) -> BatchResult:
    """Feed a batch, up to the first failure."""
    tally: Tally = Counter()
    name, data = "", b""
    with warnings.catch_warnings(), patience(PATIENCE):
        warnings.simplefilter("error")
        try:
            for name, data in inputs(seed, batch, size):
                tally[name, feed(name, data)] += 1
        except Exception:
            return tally, Failure(name, data, traceback.format_exc())
    return tally, None


def batch_sizes(seconds: float | None, number: int | None) -> Iterator[int]:
    """Yield the sizes of batches for `number` inputs, or until the time is over."""
    if number is not None:
        yield from (min(BATCH, number - made) for made in range(0, number, BATCH))
        return
    started = time.monotonic()
    while seconds is None or time.monotonic() - started < seconds:
        yield BATCH


def mutate(seed: int, seconds: float | None, number: int | None, processes: int) -> BatchResult:
    """Feed `number` inputs, or as many as the time allows, up to the first failure."""
    tally: Tally = Counter()
    failure: Failure | None = None
    numbers, sizes = count(), batch_sizes(seconds, number)
    shown = time.monotonic()
    running: set[Future[BatchResult]] = set()
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        while True:
            while len(running) < 3 * processes and not failure and (size := next(sizes, 0)):
                running.add(pool.submit(run_batch, seed, next(numbers), size))
            if not running:
                return tally, failure
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for counted, failed in (future.result() for future in done):
                tally += counted
                failure = failure or failed
            if time.monotonic() - shown > 60:
                shown = time.monotonic()
                print(f"{tally.total():,} inputs so far", file=sys.stderr, flush=True)


def table(tally: Tally) -> Iterator[str]:
    """Yield the counts, a line for each target."""
    outcomes = ("read", "refused", "newer")
    yield f"{'target':<12}{'inputs':>12}" + "".join(f"{outcome:>12}" for outcome in outcomes)
    rows = [[tally[name, outcome] for outcome in outcomes] for name in NAMES]
    rows.append([sum(column) for column in zip(*rows, strict=True)])
    for name, row in zip([*NAMES, "in all"], rows, strict=True):
        yield f"{name:<12}" + "".join(f"{number:>12,}" for number in (sum(row), *row))


# --- inputs that are kept -------------------------------------------------------------------------


def write_input(folder: Path, name: str, data: bytes) -> Path:
    """Keep an input: the name of its target, then its bytes in hexadecimal."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{hashlib.sha256(data).hexdigest()[:8]}.hex"
    path.write_text(f"{name}\n{hex_lines(data)}\n", encoding="ascii")
    return path


def read_input(path: Path) -> tuple[str, bytes]:
    """Return the target and the bytes of a kept input."""
    name, _, digits = path.read_text(encoding="ascii").partition("\n")
    return name, bytes.fromhex(digits)


def hex_lines(data: bytes) -> str:
    """Return bytes in hexadecimal, 32 a line."""
    return data.hex(" ", -32).replace(" ", "\n")


def explain(failure: Failure) -> None:
    """Print a failure and how to repeat it."""
    path = write_input(BUILD / "failures", failure.target, failure.data)
    print(f"{failure.report}\nThe target {failure.target} failed on these bytes:\n")
    print(hex_lines(failure.data))
    print(f"\nAgain: PYTHONPATH=tests python -m tools.fuzz --replay {os.path.relpath(path)}")
