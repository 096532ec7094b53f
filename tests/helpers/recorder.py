"""A disk that knows which of its bytes are durable."""

import threading

from helpers.vocabulary import disk_of
from kvlib import MemoryDisk


class Recorder(MemoryDisk):
    """A disk that can tell at any moment what a loss of power would leave.

    It keeps the bytes of each file at its last sync, and the names at the last sync_directory.
    """

    def __init__(self) -> None:
        super().__init__()
        self._whole = threading.Lock()  # so that no image is taken in the middle of a step
        self._durable: dict[int, bytes] = {}  # by the file's identity, which survives a renaming
        self._names: dict[str, bytearray] = {}
        self.log_syncs = 0

    def write(self, name: str, data: bytes) -> None:
        with self._whole:
            super().write(name, data)
            self._durable[id(self._files[name])] = b""

    def append(self, name: str, data: bytes) -> None:
        with self._whole:
            super().append(name, data)

    def rename(self, name: str, target: str) -> None:
        with self._whole:
            super().rename(name, target)

    def delete(self, name: str) -> None:
        with self._whole:
            super().delete(name)

    def sync(self, name: str) -> None:
        with self._whole:
            file = self._file(name)
            self._durable[id(file)] = bytes(file)
            self.log_syncs += name == "log"

    def sync_directory(self) -> None:
        with self._whole:
            self._names = dict(self._files)  # keeps the files alive, and with them their identities

    def after_power_loss(self) -> MemoryDisk:
        """Return what is left if everything that is not durable is lost."""
        with self._whole:
            return disk_of({name: self._durable[id(file)] for name, file in self._names.items()})

    def after_death(self) -> MemoryDisk:
        """Return what is left if the process ends now."""
        with self._whole:
            return disk_of({name: bytes(file) for name, file in self._files.items()})
