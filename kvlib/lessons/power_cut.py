"""A snapshot published in any order of its steps, with the power cut after each of them.

The store is as small as can be: `log` holds the number of the segment that it names, and a segment
holds one byte. What a power cut may leave, `kvlib.crash.CrashDisk` knows; what comes back from it
is judged here, and said in words.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from kvlib.crash import CrashDisk
from kvlib.lessons.exercise import Function, ProbeResult

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
        "From which step on does nobody need it?"
    ),
    "unsynced rename": (
        "The deletion was kept, and the rename was not: the old `log` is back, and its segment is "
        "gone. What makes the rename durable?"
    ),
}


class Bad(NamedTuple):
    """What a power cut left that can't be read: which kind of flaw, and the files."""

    flaw: str
    image: Mapping[str, bytes]


class BadImageFound(Exception):
    """Ends a rehearsal at its first bad image."""

    def __init__(self, bad: Bad) -> None:
        super().__init__(bad)
        self.bad = bad


def _nothing(*_: object) -> None:
    """Do nothing."""


def paper() -> SimpleNamespace:
    """A disk on which each step succeeds, and does nothing."""
    return SimpleNamespace(**dict.fromkeys(OPERATIONS, _nothing))


def cut_at_every_step(functions: tuple[Function, ...]) -> ProbeResult | int:
    """The first moment at which a power cut leaves what can't be read, or the number of steps."""
    steps: list[str] = []
    try:
        functions[0](_watched(steps), RECORDS, HEAD)
    except FileNotFoundError as error:
        return ProbeResult(_asked(steps), f"{error}", SENTENCES["missing file"])
    except BadImageFound as lost:
        came = f"after a power cut: {_files(lost.bad.image)}"
        return ProbeResult(_asked(steps), came, SENTENCES[lost.bad.flaw])
    return len(steps)


def _asked(steps: list[str]) -> str:
    return f"step {len(steps)}, {steps[-1]}"


def _watched(steps: list[str]) -> SimpleNamespace:
    """A disk that writes its steps down, and cuts the power after each."""
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
    """What is wrong with an image, seen beside what the disk holds now; "" if nothing is."""
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
    """Each file of the image in words."""
    return "; ".join(f"{name} {_holds(data)}" for name, data in sorted(image.items()))


def _holds(data: bytes) -> str:
    names = {BEFORE["log"]: "names 1.segment", HEAD: "names 2.segment", RECORDS: "is whole"}
    return names.get(data, "is not what was written" if data else "is empty")
