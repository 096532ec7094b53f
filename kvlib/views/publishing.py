"""Publish a snapshot on a disk that can lose power, with each fsync or without one of them.

The store has one record, a price. The old price is in generation 1, the new one in generation 2.
Recovery is asked about every disk that a power cut may leave at each of the six steps of
kvlib/snapshot.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import kvlib
from kvlib.crash import CrashDisk, Image, boot
from kvlib.disk import LOG
from kvlib.errors import FormatError
from kvlib.snapshot import NEW_LOG, decode_head, segment_name
from kvlib.store import Store
from kvlib.views.accidents import different

KEY, OLD, NEW = "café", "2,50 €", "2,80 €"
REFUSED: Final = "refused"
GENERATIONS: Final = (1, 2)
FSYNCS: Final = (1, 2, 3, 5)  # the steps that have one

FileState = Literal["whole", "torn", "missing"]


@dataclass(frozen=True)
class Left:
    """A disk that a power cut may leave.

    Attributes:
        names: the generation that its log names; None if the log is torn.
        files: the state of each generation's segment.
        answer: the price that recovery reads, or "refused".
        reason: why it was refused, or "".
    """

    names: int | None
    files: Mapping[int, FileState]
    answer: str
    reason: str = ""


@dataclass(frozen=True)
class Stage:
    """A step of publishing.

    Attributes:
        names: the generation that the log names now, if nothing happens.
        present: the generations whose segment exists now.
        disks: all different disks that a power cut may leave in this step.
    """

    names: int
    present: frozenset[int]
    disks: tuple[Left, ...]

    def groups(self) -> Iterator[tuple[str, list[Left]]]:
        """Yield the answers, each with the disks that give it."""
        for answer in (OLD, NEW, REFUSED):
            found = [disk for disk in self.disks if disk.answer == answer]
            if found:
                yield answer, found


class Publishing(CrashDisk):
    """A disk that knows which step of publishing it is in. It can leave one fsync out."""

    def __init__(self, files: Mapping[str, bytes], without: int) -> None:
        super().__init__(files)
        self._without, self.step = without, 0
        self.images_in: dict[int, dict[frozenset[tuple[str, bytes]], Image]] = {}
        self.now: dict[int, Image] = {}
        self.on_event = self._look

    def _look(self) -> None:
        seen = self.images_in.setdefault(self.step, {})
        seen.update((frozenset(image.items()), image) for image in different(self))
        self.now[self.step] = {name: self.read(name) for name in self.names()}

    def write(self, name: str, data: bytes) -> None:
        """Begin step 1 or 2."""
        self.step = 2 if name == NEW_LOG else 1
        super().write(name, data)

    def sync(self, name: str) -> None:
        """End step 1 or 2."""
        if self.step == self._without:
            self._look()
        else:
            super().sync(name)

    def sync_directory(self) -> None:
        """Do step 3 or 5. There is one more fsync before step 1."""
        self.step += self.step in (2, 4)
        if self.step == self._without:
            self._look()
        else:
            super().sync_directory()

    def rename(self, name: str, target: str) -> None:
        """Do step 4."""
        self.step = 4
        super().rename(name, target)

    def delete(self, name: str) -> None:
        """Do step 6."""
        self.step = 6
        super().delete(name)


def publish(without: int = 0) -> tuple[list[Stage], int]:
    """Return the six steps, and how many different disks may be left in all of them.

    Args:
        without: the step whose fsync is left out, or 0.
    """
    before = kvlib.MemoryDisk()
    _store(OLD).serialize(before)
    disk = Publishing({name: before.read(name) for name in before.names()}, without)
    _store(NEW).serialize(disk)
    segments = {
        1: before.read(segment_name(1, 0)),
        2: disk.read(segment_name(2, 0)),
    }
    asked: dict[frozenset[tuple[str, bytes]], Left] = {}
    stages = []
    for step in range(1, 7):
        for image_key, image in disk.images_in[step].items():
            if image_key not in asked:
                asked[image_key] = _ask(image, segments)
        now = disk.now[step]
        present = frozenset(one for one in GENERATIONS if segment_name(one, 0) in now)
        names = decode_head(now[LOG])[0].generation
        stages.append(Stage(names, present, tuple(asked[one] for one in disk.images_in[step])))
    return stages, len(asked)


def _store(price: str) -> Store:
    store = Store()
    store.put(KEY, price)
    return store


def _ask(image: Image, segments: Mapping[int, bytes]) -> Left:
    """Return the answer of recovery for a disk."""
    files = {one: _state(image.get(segment_name(one, 0)), segments[one]) for one in GENERATIONS}
    try:
        names = decode_head(image[LOG])[0].generation
    except FormatError:
        names = None
    try:
        records = dict(kvlib.open(boot(image), read_only=True))
    except FormatError as error:
        return Left(names, files, REFUSED, error.reason)
    return Left(names, files, str(records[KEY]))


def _state(data: bytes | None, whole: bytes) -> FileState:
    if data is None:
        return "missing"
    return "whole" if data == whole else "torn"
