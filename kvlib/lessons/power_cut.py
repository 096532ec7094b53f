"""Publish a snapshot with its steps in any order, and cut the power after each of them.

The store is as small as possible: `log` contains the number of the segment that it names, and a
segment contains one byte. `kvlib.crash.CrashDisk` enumerates what a power cut may leave; this
module judges it, and explains the flaws.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from kvlib.crash import CrashDisk
from kvlib.lessons.exercise import Finding, Function

RECORDS: Final = b"r"
BEFORE: Final = {"log": b"1", "1.segment": RECORDS}
HEAD: Final = b"2"
OPERATIONS: Final = ("write", "sync", "rename", "delete", "sync_directory")

SENTENCES: Final = {
    "missing file": "This step works on a file that isn't there at that time. Which step makes it?",
    "unwritten segment": (
        "The rename publishes a head that names `2.segment`, and no step has written that yet. "
        "What must be on the disk before the one step that counts?"
    ),
    "unsynced segment": (
        "`log` names `2.segment`, and its bytes may never have reached the medium: half of them, "
        "or zeros. Which step makes the bytes of a file durable, and when?"
    ),
    "unsynced head": (
        "The rename has published a head whose bytes may never have reached the medium. "
        "Which step makes the bytes of `log.new` durable, and when?"
    ),
    "unsynced name": (
        "The rename was kept, and the name `2.segment` was not: names are durable only when "
        "the folder is fsynced. Before which step does that have to happen?"
    ),
    "early deletion": (
        "`1.segment` is gone while `log` still names it: after a power cut nothing can be read. "
        "From which step on is it no longer needed?"
    ),
    "unsynced rename": (
        "The deletion was kept, and the rename was not: the old `log` is back, and its segment is "
        "gone. What makes the rename durable?"
    ),
}


class Bad(NamedTuple):
    """A state after a power cut that can't be read: the kind of flaw, and the files."""

    flaw: str
    image: Mapping[str, bytes]


class BadImageFound(Exception):
    """Raised at the first bad image."""

    def __init__(self, bad: Bad) -> None:
        super().__init__(bad)
        self.bad = bad


def cut_at_every_step(publish: Function) -> Finding | None:
    """Return the first power cut that leaves an unreadable store, or None."""
    steps: list[str] = []
    try:
        publish(_watched(steps), RECORDS, HEAD)
    except FileNotFoundError as error:
        return Finding(_asked(steps), f"{error}", SENTENCES["missing file"])
    except BadImageFound as lost:
        came = f"after a power cut: {_files(lost.bad.image)}"
        return Finding(_asked(steps), came, SENTENCES[lost.bad.flaw])
    return None


def _asked(steps: list[str]) -> str:
    return f"step {len(steps)}, {steps[-1]}"


def _watched(steps: list[str]) -> SimpleNamespace:
    """Return a disk that records its steps, and cuts the power after each."""
    disk = CrashDisk(BEFORE)

    def step(name: str, *arguments: Any) -> None:
        shown = ", ".join(f'"{one}"' if type(one) is str else "..." for one in arguments)
        steps.append(f"disk.{name}({shown})")
        getattr(disk, name)(*arguments)
        for image in disk.images():
            flaw = judge(image, disk)
            if flaw:
                raise BadImageFound(Bad(flaw, image))

    def operation(name: str) -> Function:
        return lambda *arguments: step(name, *arguments)

    return SimpleNamespace(**{name: operation(name) for name in OPERATIONS})


def judge(image: Mapping[str, bytes], disk: CrashDisk) -> str:
    """Return what is wrong with an image, compared with the disk's current state, or ""."""
    head, now = image["log"], disk.names()
    if head not in (BEFORE["log"], HEAD):
        return "unsynced head"
    if head == BEFORE["log"] and "1.segment" not in image:
        return "early deletion" if disk.read("log") == head else "unsynced rename"
    if head == HEAD and "2.segment" not in image:
        return "unsynced name" if "2.segment" in now else "unwritten segment"
    if head == HEAD and image["2.segment"] != RECORDS:
        return "unsynced segment"
    return ""


def _files(image: Mapping[str, bytes]) -> str:
    """Return the files of an image in words."""
    return "; ".join(f"{name} {_holds(data)}" for name, data in sorted(image.items()))


def _holds(data: bytes) -> str:
    names = {BEFORE["log"]: "names 1.segment", HEAD: "names 2.segment", RECORDS: "is whole"}
    return names.get(data, "is not what was written" if data else "is empty")
