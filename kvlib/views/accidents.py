"""Puts on a disk that can lose power, and what recovery finds after each of their steps."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import kvlib
from kvlib.crash import CrashDisk, Image, boot
from kvlib.disk import LOG
from kvlib.encoding import Item

Records = tuple[Item, ...]  # their keys


@dataclass(frozen=True)
class Step:
    """A moment of a put, and what recovery finds then.

    Attributes:
        name: "append", "fsync" or "return".
        key: of the record that is put.
        memory: the keys that the store has.
        killed: the keys that come back if the process is killed.
        left: for each key, how many of the disks that a power cut may leave give it back.
        disks: how many different disks there are.
    """

    name: str
    key: Item
    memory: Records
    killed: Records
    left: Mapping[Item, int]
    disks: int

    @property
    def medium(self) -> Records:
        """The keys that come back after any power cut: their bytes are on the medium."""
        return tuple(key for key in self.left if self.left[key] == self.disks)

    @property
    def cache(self) -> Records:
        """The keys that a reader finds and that aren't on the medium for certain."""
        return tuple(key for key in self.killed if key not in self.medium)

    def shelf(self, number: int) -> Records:
        """Return the keys on a shelf, from the top."""
        return (self.memory, self.cache, self.medium)[number]

    def comes_back(self, accident: str) -> dict[Item, bool]:
        """Return the keys that come back after an accident, and whether each does for certain."""
        if accident == "kill -9":
            return dict.fromkeys(self.killed, True)
        return {key: number == self.disks for key, number in self.left.items()}


def different(disk: CrashDisk) -> list[Image]:
    """Return every state that a power cut may leave at this moment, each of them once."""
    return [*{frozenset(image.items()): image for image in disk.images()}.values()]


def watch(puts: Mapping[Item, Item], sync: Literal["always", "never"] | int) -> list[Step]:
    """Put records into a new store, and return what recovery finds after each step."""
    disk = CrashDisk()
    store = kvlib.open(disk, sync=sync)
    steps: list[Step] = []
    size = len(disk.read(LOG))
    key: Item = ""

    def look(name: str) -> None:
        images = different(disk)
        left = Counter(key for image in images for key in _recovered(image))
        ordered = {key: left[key] for key in puts if left[key]}
        killed = _recovered({name: disk.read(name) for name in disk.names()})
        steps.append(Step(name, key, tuple(store), killed, ordered, len(images)))

    def on_event() -> None:
        nonlocal size
        before, size = size, len(disk.read(LOG))
        look("append" if size > before else "fsync")

    disk.on_event = on_event
    for key, value in puts.items():
        store.put(key, value)
        look("return")
    return steps


def _recovered(image: Image) -> Records:
    return tuple(kvlib.open(boot(image), read_only=True))
