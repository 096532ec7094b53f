r"""A disk that loses power: it enumerates every state that a crash may leave.

The bytes of a file are safe after `sync`, its name after `sync_directory`. Until then a crash may
leave

    new bytes          any prefix of them; or all of them, with zeros or garbage from any offset on;
                       or any subset of blocks of 16 bytes, and zeros for the other blocks
    a rewritten file   its old contents, or any of these
    names              any subset of the creations, renames and deletions, each of them whole

Most file systems leave less, because they preserve some order, so a store that survives this
doesn't depend on luck. Not modelled: a disk that lies about `sync`, safe bytes that rot, a rename
torn in two, a second process that writes.

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
SAMPLE: Final = 1024  # how many subsets of more than 10 blocks or names are tried
GARBAGE: Final = b"\xcd" + random.Random(0).randbytes(4095)

EARLY, LATE = "early", "late"

Answer = TypeVar("Answer")
Image = dict[str, bytes]  # what a crash leaves: the bytes of each file, by name


@dataclass
class Fault:
    """An I/O operation that fails: the `at`-th of its kind, counted from 1.

    Attributes:
        operation: write, append, sync, rename, delete or sync_directory.
        at: which call fails.
        for_ever: whether all later calls fail too.
        late: whether the operation is carried out before it fails. Otherwise a failing write or
            append writes half of its bytes, and the others do nothing.
        calls: how many there have been.
    """

    operation: str
    at: int
    for_ever: bool = False
    late: bool = False
    calls: int = 0

    def strikes(self, operation: str) -> bool:
        """Count a call of `operation`, and return whether it fails."""
        self.calls += operation == self.operation
        hit = self.calls >= self.at if self.for_ever else self.calls == self.at
        return hit and operation == self.operation


@dataclass(eq=False)
class _File:
    now: bytes = b""  # what a reader sees
    safe: bytes = b""  # as of the last sync
    rewritten: bool = False  # since then, rather than only appended to
    forgotten: bool = False  # a sync failed, so the kernel won't write these bytes any later

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
    first = BLOCK - len(base) % BLOCK  # blocks are aligned on the disk, not on the new bytes
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
    several = sum(len(one) > 1 for one in states) > 1  # files that aren't synced
    if not several or prod(map(len, states)) <= 2 * SAMPLE:
        return product(*states)
    pick = random.Random(len(states))
    return [tuple(map(pick.choice, states)) for _ in range(2 * SAMPLE)]


class CrashDisk(MemoryDisk):
    """A MemoryDisk that knows what a crash would take away. It starts with `files`, all safe.

    `on_event` is called after each operation, whether it succeeded or failed, because a crash may
    leave something new from then on. `fault` makes an operation fail.
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
        self._changes: list[dict[str, _File | None]] = []  # of names, not yet safe
        for name, file in self._now.items():
            super().write(name, file.now)

    def images(self) -> Iterator[Image]:
        """Yield every state that a power cut may leave at this moment, some of them repeatedly."""
        for choice in _choices(len(self._changes)):
            names = dict(self._safe)
            for change, kept in zip(self._changes, choice, strict=True):
                if kept:
                    _apply(change, names)
            for contents in _combinations([list(file.states()) for file in names.values()]):
                yield dict(zip(names, contents, strict=True))

    def write(self, name: str, data: bytes) -> None:
        """Create the file, or replace its contents."""
        failure = self._failure("write")
        if name not in self._now:
            self._change({name: _File()})
        self._now[name].rewritten, self._now[name].forgotten = True, False
        self._set(name, data[: len(data) // 2] if failure == EARLY else data)
        self._end(failure)

    def append(self, name: str, data: bytes) -> None:
        """Append all of `data` to a file, or raise OSError."""
        failure = self._failure("append")
        before = self.read(name)
        self._set(name, before + (data[: len(data) // 2] if failure == EARLY else data))
        self._end(failure)

    def sync(self, name: str) -> None:
        """Make the file's bytes safe."""
        failure = self._failure("sync")
        super().sync(name)
        file = self._now[name]
        file.forgotten = file.forgotten or failure == EARLY
        if not file.forgotten:
            file.safe, file.rewritten = file.now, False
        self._end(failure)

    def rename(self, name: str, target: str) -> None:
        """Rename the file atomically, replacing a file that has the new name already."""
        failure = self._failure("rename")
        if failure != EARLY:
            super().rename(name, target)
            self._change({name: None, target: self._now[name]})
        self._end(failure)

    def delete(self, name: str) -> None:
        """Delete a file."""
        failure = self._failure("delete")
        if failure != EARLY:
            super().delete(name)
            self._change({name: None})
        self._end(failure)

    def sync_directory(self) -> None:
        """Make the file names safe."""
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
    """Return a disk that holds what a crash has left."""
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
    """Cut the power at every moment of a workload, in every way. Return how many images differ.

    The moments are after each I/O operation and at the end. The disk's `on_event` is replaced.

    Args:
        disk: the disk that the workload runs on.
        workload: changes the disk.
        recover: reads an image; called once for each.
        check: called at each moment with the answer for each image, because what is right at one
            moment may be wrong after the next acknowledgement. It raises if the answer is wrong.

    Raises what `recover` or `check` raises, with a note on the moment of the cut and the
    files that were left.
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
                left = sizes or "nothing"
                error.add_note(f"The power was cut at moment {moments}, leaving {left}")
                raise

    disk.on_event = cut
    workload(disk)
    cut()
    return len(answers)
