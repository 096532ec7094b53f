r"""A disk that loses power: every state that a crash may leave, one after the other.

The bytes of a file are safe after `sync`, its name after `sync_directory`. Until then a crash may
leave

    new bytes          any prefix of them; or all their length, with zeros or garbage from any
                       place on; or blocks of 16 bytes in any choice, and zeros for the others
    a rewritten file   what it held before, or any of these
    names              any choice of the creations, renames and deletions, each of them whole

That is more than most file systems leave, for they keep some order: what survives this needs no
luck. Not modelled: a disk that lies about `sync`, safe bytes that rot, a rename torn in
two, a second process that writes.

>>> disk = CrashDisk()
>>> disk.write("a", b"x")
>>> {image.get("a") for image in disk.images()} == {None, b"", b"x", b"\x00", b"\xcd"}
True
>>> disk.sync("a"), disk.sync_directory()
(None, None)
>>> list(disk.images())
[{'a': b'x'}]
"""

import errno
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from math import prod
from typing import Final, TypeVar

from kvlib.disk import MemoryDisk

BLOCK: Final = 16
SAMPLE: Final = 1024  # of more than 10 blocks or names not all choices are tried, but so many
GARBAGE: Final = b"\xcd" + random.Random(0).randbytes(4095)

EARLY, LATE = "early", "late"

Answer = TypeVar("Answer")
Image = dict[str, bytes]  # what a crash leaves: each file's name and bytes


@dataclass
class Fault:
    """One I/O operation that fails: the `at`-th of its kind, counted from 1; or that and all later.

    `operation` is write, append, sync, rename, delete or sync_directory. A write or append that
    fails has written half of its bytes. With `late` the operation is done in full, and then fails.
    """

    operation: str
    at: int
    for_ever: bool = False
    late: bool = False
    calls: int = 0

    def strikes(self, operation: str) -> bool:
        """Count a call of `operation`; whether this one fails."""
        self.calls += operation == self.operation
        hit = self.calls >= self.at if self.for_ever else self.calls == self.at
        return hit and operation == self.operation


@dataclass(eq=False)
class _File:
    now: bytes = b""  # what a reader gets
    safe: bytes = b""  # what its last sync made safe
    rewritten: bool = False  # since then, and not only appended to
    forgotten: bool = False  # by the kernel: a sync failed, and later ones don't write these bytes

    def states(self) -> Iterator[bytes]:
        if self.now == self.safe and not self.rewritten:
            yield self.safe
            return
        base, new = self.safe, self.now[len(self.safe) :]
        if self.rewritten:
            if self.safe:
                yield self.safe
            base, new = b"", self.now
        for cut in range(len(new) + 1):
            yield base + new[:cut]
            if left := len(new) - cut:
                yield base + new[:cut] + bytes(left)
                yield base + new[:cut] + (GARBAGE * (left // len(GARBAGE) + 1))[:left]
        yield from _in_blocks(base, new)


def _in_blocks(base: bytes, new: bytes) -> Iterator[bytes]:
    first = BLOCK - len(base) % BLOCK  # blocks begin where the disk's do, not where the bytes do
    edges = [0, *range(first, len(new), BLOCK), len(new)]
    blocks = [new[start:end] for start, end in pairwise(edges)]
    for choice in _choices(len(blocks)):
        yield base + b"".join(
            block if kept else bytes(len(block)) for block, kept in zip(blocks, choice, strict=True)
        )


def _choices(size: int) -> Iterable[tuple[bool, ...]]:
    if 2**size <= SAMPLE:
        return product((False, True), repeat=size)
    pick = random.Random(size)
    some = (tuple(pick.random() < 0.5 for _ in range(size)) for _ in range(SAMPLE))
    return [(False,) * size, (True,) * size, *some]


def _combinations(states: list[list[bytes]]) -> Iterable[tuple[bytes, ...]]:
    several = sum(len(one) > 1 for one in states) > 1  # files that are not synced
    if not several or prod(map(len, states)) <= 2 * SAMPLE:
        return product(*states)
    pick = random.Random(len(states))
    return [tuple(map(pick.choice, states)) for _ in range(2 * SAMPLE)]


class CrashDisk(MemoryDisk):
    """A MemoryDisk that knows what a crash would take from it; at first it holds `files`, safe.

    `on_event` is called whenever a crash may leave something new: after each operation, carried out
    or failed. `fault` makes one of them fail.
    """

    def __init__(
        self,
        files: Mapping[str, bytes] | None = None,
        seed: int = 0,
        on_event: Callable[[], None] = lambda: None,
        fault: Fault | None = None,
    ) -> None:
        super().__init__(seed)
        self.on_event, self.fault = on_event, fault
        self._now = {name: _File(data, data) for name, data in (files or {}).items()}
        self._safe = dict(self._now)
        self._changes: list[dict[str, _File | None]] = []  # of names, not safe yet
        for name, file in self._now.items():
            super().write(name, file.now)

    def images(self) -> Iterator[Image]:
        """Every state that a loss of power may leave at this moment; some more than once."""
        for choice in _choices(len(self._changes)):
            names = dict(self._safe)
            for change, kept in zip(self._changes, choice, strict=True):
                if kept:
                    _apply(change, names)
            for contents in _combinations([list(file.states()) for file in names.values()]):
                yield dict(zip(names, contents, strict=True))

    def write(self, name: str, data: bytes) -> None:
        """Create the file, or replace what is in it."""
        failure = self._failure("write")
        if name not in self._now:
            self._change({name: _File()})
        self._now[name].rewritten, self._now[name].forgotten = True, False
        self._set(name, data[: len(data) // 2] if failure == EARLY else data)
        self._end(failure)

    def append(self, name: str, data: bytes) -> None:
        """Add to the end of a file: all of `data`, or OSError."""
        failure = self._failure("append")
        before = self.read(name)
        self._set(name, before + (data[: len(data) // 2] if failure == EARLY else data))
        self._end(failure)

    def sync(self, name: str) -> None:
        """Make the bytes of the file safe."""
        failure = self._failure("sync")
        super().sync(name)
        file = self._now[name]
        file.forgotten = file.forgotten or failure == EARLY
        if not file.forgotten:
            file.safe, file.rewritten = file.now, False
        self._end(failure)

    def rename(self, name: str, target: str) -> None:
        """Give the file another name, atomically; a file of that name is replaced."""
        failure = self._failure("rename")
        if failure != EARLY:
            super().rename(name, target)
            self._change({name: None, target: self._now[name]})
        self._end(failure)

    def delete(self, name: str) -> None:
        """Remove a file."""
        failure = self._failure("delete")
        if failure != EARLY:
            super().delete(name)
            self._change({name: None})
        self._end(failure)

    def sync_directory(self) -> None:
        """Make the names safe."""
        failure = self._failure("sync_directory")
        if failure != EARLY:
            self._safe, self._changes = dict(self._now), []
        self._end(failure)

    def _set(self, name: str, data: bytes) -> None:
        self._now[name].now = data
        super().write(name, data)

    def _change(self, change: dict[str, _File | None]) -> None:
        self._changes.append(change)
        _apply(change, self._now)

    def _failure(self, operation: str) -> str:
        if self.fault is None or not self.fault.strikes(operation):
            return ""
        return LATE if self.fault.late else EARLY

    def _end(self, failure: str) -> None:
        self.on_event()
        if failure:
            raise OSError(errno.EIO, "this operation was chosen to fail")


def _apply(change: dict[str, _File | None], names: dict[str, _File]) -> None:
    for name, file in change.items():
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def boot(image: Mapping[str, bytes]) -> MemoryDisk:
    """A disk that holds what a crash has left."""
    disk = MemoryDisk()
    for name, data in image.items():
        disk.write(name, data)
    return disk


def sweep(
    disk: CrashDisk,
    workload: Callable[[CrashDisk], object],
    recover: Callable[[MemoryDisk], Answer],
    check: Callable[[Answer], object],
) -> int:
    """Cut the power at every moment of a workload, in every way; the number of distinct images.

    The moments are those after each I/O operation, and the one at the end; the disk's `on_event` is
    replaced. `recover` is asked once for each image that is left, `check` at each moment for each
    image what `recover` answered: what is right at one moment may be wrong after the next
    acknowledgement. It raises if the answer is wrong (what it returns is ignored); a note on what
    is raised says at which moment the power went, and what was left.
    """
    answers: dict[int, Answer] = {}
    moments = 0

    def cut() -> None:
        nonlocal moments
        moments += 1
        for image in disk.images():
            key = hash(frozenset(image.items()))
            try:
                if key not in answers:
                    answers[key] = recover(boot(image))
                check(answers[key])
            except Exception as error:
                sizes = ", ".join(f"{name}: {len(data)} bytes" for name, data in image.items())
                error.add_note(f"The power went at moment {moments}, and left {sizes or 'nothing'}")
                raise

    disk.on_event = cut
    workload(disk)
    cut()
    return len(answers)
