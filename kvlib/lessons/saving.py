"""Watch a function save a file in a real folder, and cut the power at every moment.

The function uses Python's own calls. Before each call that orders or renames something, and when
the function returns, whatever has changed in the folder since the last look is an unsynced write.
So bytes that are still in a Python buffer aren't there yet. A `kvlib.crash.CrashDisk` does the same
in memory, and enumerates what a power cut would leave.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from stat import S_ISDIR
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest.mock import patch

from kvlib.crash import CrashDisk
from kvlib.lessons import feedback
from kvlib.lessons.coding import Coding, _is_stub
from kvlib.lessons.exercise import Finding, Function
from kvlib.lessons.result import Result
from kvlib.lessons.sandbox import run

NAME: Final = "prices.bin"
OLD: Final = b"the old prices"
NEW: Final = b"the new prices, 2,80 EUR"
LONG: Final = b"a longer file than the one that replaces it"

SENTENCES: Final = {
    "in place": (
        "While the old bytes are being overwritten, a power cut leaves neither the old file nor "
        "the new one. Write the new bytes to another file in the same folder. When are they safe "
        "enough to take over the name?"
    ),
    "no fsync": (
        "The rename can reach the medium before the bytes do. Which call waits until the bytes of "
        "a file are there, and when must it come?"
    ),
    "early fsync": (
        "You did fsync this file, but not all of its bytes had left Python's buffer then. What "
        "hands them to the operating system first?"
    ),
    "no folder": (
        "`save` has returned, and a power cut still brings back the old file: the rename "
        "changed the folder, and that change isn't safe yet. How do you open a folder and fsync it?"
    ),
    "early folder": (
        "You fsync the folder before the rename, so the rename itself isn't safe when `save` "
        "returns. Which step comes last?"
    ),
    "removed": (
        "There is a moment at which the name is missing altogether. `os.replace` puts one file in "
        "place of another in a single step."
    ),
    "unchanged": "`save` has returned, and the file doesn't hold the new bytes. What replaces it?",
    "leftover": "The file is right, but another one is left in the folder. Who deletes it?",
}


class Folder:
    """A folder with the file to save, and the same on a disk that can lose power."""

    def __init__(self, place: str, before: Mapping[str, bytes], data: bytes) -> None:
        self.place, self.old, self.new = place, before.get(NAME), data
        self.disk = CrashDisk(before)
        self.known = dict(before)
        self.synced: dict[str, bytes] = {}  # what each file held when it was last fsynced
        self.replaced = self.removed = self.in_place = self.folder_synced = False
        self.bad: tuple[str, str] | None = None  # the first power cut that loses something

    def look(self) -> None:
        """Take over what has changed since the last look, as unsynced writes."""
        now = {}
        for entry in os.scandir(self.place):
            if entry.is_file(follow_symlinks=False):
                with open(entry.path, "rb") as file:
                    now[entry.name] = file.read()
        for name, data in now.items():
            before = self.known.get(name)
            if before is None or not data.startswith(before):
                self.disk.write(name, data)
            elif data != before:
                self.disk.append(name, data[len(before) :])
            if name == NAME and data != before:
                self.in_place = True
        for name in self.known.keys() - now.keys():
            self.disk.delete(name)
        self.known = now

    def judge(self, moment: str, allowed: tuple[bytes | None, ...]) -> None:
        """Keep what is wrong if a power cut at this moment can leave anything else in the file."""
        for image in self.disk.images() if self.bad is None else ():
            found = image.get(NAME)
            if found not in allowed:
                left = f"a power cut {moment} leaves {_told(found, self.old)}"
                self.bad = left, SENTENCES[self._cause(found, allowed)]
                return

    def _cause(self, found: bytes | None, allowed: tuple[bytes | None, ...]) -> str:
        if found == self.old and self.old not in allowed:
            if not self.replaced:
                return "unchanged"
            return "early folder" if self.folder_synced else "no folder"
        if self.in_place and not self.replaced:
            return "in place"
        if found is None and self.removed:
            return "removed"
        return "early fsync" if NAME in self.synced else "no fsync"


def _told(found: bytes | None, old: bytes | None) -> str:
    if found is None:
        return f"no {NAME}"
    if found == old:
        return f"the old {NAME}"
    return f"a {NAME} of {len(found)} bytes that is neither the old one nor the new one"


def check_saving(save: Function) -> Finding | int:
    """Return what is wrong with a `save(path, data)`, or how many times it was tried."""
    tries = [({NAME: OLD}, NEW), ({}, NEW), ({NAME: LONG}, b"")]
    for before, data in tries:
        if found := _tried(save, before, data):
            return found
    return len(tries)


def _tried(save: Function, before: Mapping[str, bytes], data: bytes) -> Finding | None:
    asked = f'save("{NAME}", {len(data)} bytes)'
    with TemporaryDirectory() as place:
        for name, content in before.items():
            with open(os.path.join(place, name), "wb") as file:
                file.write(content)
        folder = Folder(place, before, data)
        path = os.path.join(place, NAME)
        with _watched(folder):
            outcome = run(save, (path, data))
        folder.look()
        if outcome.kind != "gave" and folder.bad is None:
            says = "It should return without an error. What happens in that line?"
            return Finding(asked, feedback.came(outcome), says)
        folder.judge("while it runs", (folder.old, data))
        folder.judge("after it has returned", (data,))
        if folder.bad:
            return Finding(asked, *folder.bad)
        if folder.known.keys() - {NAME}:
            left = ", ".join(sorted(folder.known.keys() - {NAME}))
            return Finding(asked, f"left in the folder: {left}", SENTENCES["leftover"])
    return None


@contextmanager
def _watched(folder: Folder) -> Iterator[None]:
    """Let the calls that matter pass through the folder."""
    moments = (folder.old, folder.new)

    def name_of(path: Any) -> str:
        path = os.path.abspath(os.fsdecode(path))
        return os.path.basename(path) if os.path.dirname(path) == folder.place else ""

    def step(moment: str, change: Callable[[], None]) -> None:
        change()
        folder.judge(moment, moments)

    def syncing(real: Function) -> Function:
        def sync(descriptor: Any) -> None:
            folder.look()
            folder.judge("before the fsync", moments)
            real(descriptor)
            number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
            status = os.fstat(number)
            if S_ISDIR(status.st_mode):
                if os.path.samestat(status, os.stat(folder.place)):
                    folder.folder_synced = True
                    step("after the fsync of the folder", folder.disk.sync_directory)
                return
            for name in folder.known:
                if os.path.samestat(status, os.stat(os.path.join(folder.place, name))):
                    folder.synced[name] = folder.known[name]
                    step(f"after the fsync of {name}", partial(folder.disk.sync, name))

        return sync

    def renaming(real: Function) -> Function:
        def rename(source: Any, target: Any, **more: Any) -> None:
            folder.look()
            folder.judge("before the rename", moments)
            real(source, target, **more)
            old, new = name_of(source), name_of(target)
            if old not in folder.known or not new:
                return  # seen at the next look
            folder.known[new] = folder.known.pop(old)
            if old in folder.synced:
                folder.synced[new] = folder.synced.pop(old)
            if new == NAME:
                folder.replaced = True
            step("after the rename", lambda: folder.disk.rename(old, new))
            if os.name == "nt":  # a folder can't be fsynced there
                folder.disk.sync_directory()

        return rename

    def removing(real: Function) -> Function:
        def remove(path: Any, **more: Any) -> None:
            folder.look()
            real(path, **more)
            name = name_of(path)
            if name in folder.known:
                del folder.known[name]
                folder.removed |= name == NAME
                step("after the deletion", lambda: folder.disk.delete(name))

        return remove

    around = {"fsync": syncing, "fdatasync": syncing, "replace": renaming, "rename": renaming}
    around |= {"remove": removing, "unlink": removing}
    with ExitStack() as stack:
        for name in [one for one in around if hasattr(os, one)]:
            stack.enter_context(patch.object(os, name, around[name](getattr(os, name))))
        yield


@dataclass(frozen=True, kw_only=True)
class Saving(Coding):
    """The exercise to save a file, checked in a real folder instead of by cases."""

    def _tried(self, functions: tuple[Function, ...]) -> Result:
        with TemporaryDirectory() as place:
            outcome = run(functions[0], (os.path.join(place, NAME), NEW))
        if _is_stub(outcome):
            return self.untried()
        found = check_saving(functions[0])
        if isinstance(found, Finding):
            return self.wrong(found.says, asked=found.asked, came=found.came)
        return self.right(
            f"Saved {found} times, with the power cut after every step: the file always holds the "
            "old bytes or the new ones, and the new ones once `save` has returned."
        )
