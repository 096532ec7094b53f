"""Progress on a terminal, while a command reads and writes."""

import sys
from contextlib import suppress
from time import monotonic

from kvlib.directory import DirectoryDisk


class ProgressLine:
    """A line on standard error that shows the progress of long work, on a terminal only."""

    def __init__(self) -> None:
        self._enabled = sys.stderr is not None and sys.stderr.isatty()
        self._shown_at, self._width = monotonic(), 0

    def show(self, text: str) -> None:
        """Replace the line, at most four times a second."""
        now = monotonic()
        if self._enabled and now - self._shown_at >= 0.25:
            with suppress(OSError):
                print(f"\r{text:<{self._width}}", end="", file=sys.stderr, flush=True)
            self._shown_at, self._width = now, len(text)

    def clear(self) -> None:
        """Remove the line."""
        if self._width:
            with suppress(OSError):
                print(f"\r{'':<{self._width}}\r", end="", file=sys.stderr, flush=True)
            self._width = 0


class WatchedDisk(DirectoryDisk):
    """A directory that shows how many bytes were read and written."""

    def __init__(
        self, path: str, progress: ProgressLine, like: DirectoryDisk | None = None
    ) -> None:
        super().__init__(path, like=like)
        self._progress, self._read_bytes, self._written_bytes = progress, 0, 0

    def read(self, name: str) -> bytes:
        """Return all bytes of a file."""
        data = super().read(name)
        self._read_bytes += len(data)
        self._show()
        return data

    def write(self, name: str, data: bytes) -> None:
        """Create the file, or replace its contents."""
        super().write(name, data)
        self._written_bytes += len(data)
        self._show()

    def _show(self) -> None:
        done = f"{self._read_bytes:,} bytes read, {self._written_bytes:,} written"
        self._progress.show(done)
