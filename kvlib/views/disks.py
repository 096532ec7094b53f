"""Every disk image that one torn append can leave, its damage, and what recovery answers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from kvlib.crash import BLOCK, GARBAGE, CrashDisk, Image, boot
from kvlib.durable import DurableStore
from kvlib.encoding import Item
from kvlib.errors import FormatError
from kvlib.snapshot import LOG
from kvlib.views.timeline import Verdict

Sort = Literal["cut short", "zeros", "garbage", "lost blocks", "whole"]

SORTS: Final[tuple[Sort, ...]] = ("cut short", "zeros", "garbage", "lost blocks", "whole")
ANSWERS: Final = ("old", "mixed", "refused", "same", "new")


@dataclass(frozen=True)
class Disk:
    """One image that a power cut can leave, and the answer of recovery.

    Attributes:
        tail: what reached the disk of the torn append.
        sort: the sort of damage.
        at: the offset in the append of the first byte that isn't right.
        items: the recovered records, or None if the image is refused.
        verdict: right for the state before the operation or after it.
        answer: what recovery says, in a word: "old", "new", "same", "mixed" or "refused".
        said: the recovered records or the error, in full.
    """

    tail: bytes
    sort: Sort
    at: int
    items: Mapping[Item, Item] | None
    verdict: Verdict
    answer: str
    said: str


def torn(key: Item, value: Item | None, old: dict[Item, Item]) -> tuple[bytes, bytes, list[Image]]:
    """Return the log before the operation, the log after it, and the images during its append."""
    disk = CrashDisk()
    found: dict[bytes, Image] = {}
    with DurableStore(disk, threshold=2 * len(old) + 2) as store:
        for name, item in old.items():
            store.put(name, item)
        base = disk.read(LOG)

        def cut() -> None:
            for image in disk.images():
                found.setdefault(image[LOG], image)

        disk.on_event = cut
        if value is None:
            store.delete(key)
        else:
            store.put(key, value)
        disk.on_event = lambda: None
        whole = disk.read(LOG)
    return base, whole, [*found.values()]


def judged(
    image: Image, base: bytes, frame: bytes, old: dict[Item, Item], new: dict[Item, Item]
) -> Disk:
    """Return an image with its sort of damage and recovery's answer."""
    tail = image[LOG][len(base) :]
    sort, at = damage(tail, frame)
    try:
        items = dict(DurableStore(boot(image), read_only=True))
    except FormatError as error:
        return Disk(tail, sort, at, None, "refused", "refused", str(error))
    if items not in (old, new):
        return Disk(tail, sort, at, items, "wrong", "mixed", repr(items))
    answer = "same" if old == new else "new" if items == new else "old"
    return Disk(tail, sort, at, items, "right", answer, repr(items))


def damage(tail: bytes, frame: bytes) -> tuple[Sort, int]:
    """Return how the bytes that were left differ from the frame, and where they begin to."""
    at = next((at for at, byte in enumerate(tail) if byte != frame[at]), len(tail))
    if len(tail) < len(frame):
        return "cut short", at
    if at == len(frame):
        return "whole", at
    if not any(tail[at:]):
        return "zeros", at
    for start in range(at, -1, -1):  # garbage may begin with bytes that are right by chance
        if tail[start:] == GARBAGE[: len(tail) - start]:
            return "garbage", start
    return "lost blocks", at


def rank(disk: Disk) -> tuple[int, int]:
    """Return where a disk's column is: the old state first, whole frames last."""
    whole = disk.sort == "whole"
    answer = ANSWERS.index(disk.answer)
    return (4 if whole else answer), SORTS.index(disk.sort)


def parts(disk: Disk, frame: bytes, before: int) -> Iterator[tuple[int, int, str]]:
    """Yield spans of the frame, and their contents: arrived, zeros, garbage or missing."""

    def there(at: int) -> str:
        if disk.sort == "cut short":
            return "arrived" if at < len(disk.tail) else "missing"
        if disk.sort in ("zeros", "garbage"):
            return "arrived" if at < disk.at else disk.sort
        low = max(0, (before + at) // BLOCK * BLOCK - before)
        high = (before + at) // BLOCK * BLOCK + BLOCK - before
        return "arrived" if disk.tail[low:high] == frame[low:high] else "zeros"

    for what, run in groupby(range(len(frame)), there):
        offsets = [*run]
        yield offsets[0], offsets[-1] + 1, what
