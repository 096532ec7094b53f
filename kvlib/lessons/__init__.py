"""For the notebooks: a place to work in, real data, a process to kill, and the exercises."""

import os
import random
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from unicodedata import ucd_3_2_0  # this version's characters are the same in every Python

from kvlib.directory import DirectoryDisk
from kvlib.disk import LOCK, Disk, MemoryDisk
from kvlib.encoding import Item
from kvlib.errors import CorruptionError, KvlibError
from kvlib.frame import unseal
from kvlib.lessons.checking import check, hint, solution
from kvlib.lessons.guesses import predict
from kvlib.log import apply, decode_mutations
from kvlib.snapshot import LOG, NEW_LOG, SEGMENT_NAME, decode_head

__all__ = [
    "attempt",
    "characters",
    "check",
    "flipped",
    "forgiving",
    "hint",
    "outcomes",
    "predict",
    "running",
    "solution",
    "workspace",
]


def attempt(call: Callable[..., object], *arguments: object) -> None:
    """Print the result of a call, or the error that it raises, on one line.

    >>> attempt(int, "12"), attempt(int, "a dozen")
    12
    ValueError: invalid literal for int() with base 10: 'a dozen'
    (None, None)
    """
    try:
        print(repr(call(*arguments)))
    except Exception as error:
        print(f"{type(error).__name__}: {error}")


def flipped(data: bytes, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Yield a copy of `data` for each bit from byte `start` to byte `end`, with that bit flipped.

    >>> [one.hex() for one in flipped(bytes(1))]
    ['01', '02', '04', '08', '10', '20', '40', '80']
    """
    for bit in range(8 * start, 8 * (len(data) if end is None else end)):
        copy = bytearray(data)
        copy[bit // 8] ^= 1 << bit % 8
        yield bytes(copy)


def outcomes(read: Callable[[bytes], object], files: Iterable[bytes]) -> dict[str, int]:
    """Return how often each result comes of reading the files, or "refused"; the most often first.

    >>> outcomes(len, [b"a", b"b", b"cc"])
    {'1': 2, '2': 1}
    """
    found = Counter[str]()
    for data in files:
        try:
            found[str(read(data))] += 1
        except KvlibError:
            found["refused"] += 1
    return dict(found.most_common())


def forgiving(log: bytes) -> dict[Item, Item]:
    """Return the records of a log up to the first frame that isn't whole; forget the rest.

    Many readers do this. kvlib doesn't: a bad frame may also be damage.
    """
    head, offset = decode_head(log)
    items: dict[Item, Item] = {}
    while offset < len(log):
        try:
            frame = unseal(log, offset, head.salt)
        except CorruptionError:
            break  # surely a crash
        apply(decode_mutations(frame.payload), items)
        offset = frame.end
    return items


def workspace(name: str) -> Disk:
    """Return an empty Disk for a notebook: the folder `name` next to it; in a browser a MemoryDisk.

    The folder is made if it is missing, and the files of an earlier run are deleted. If it contains
    anything else, it isn't changed, and a ValueError names the file. The disk's random bytes are
    seeded with its name, so that pictures of them are the same in every run. For real use, open a
    store by its path: then the random bytes are the system's.
    """
    if not name.isidentifier():
        raise ValueError(f"{name!r} is not a name for a workspace: use letters, digits and _")
    entropy = random.Random(name).randbytes
    if sys.platform == "emscripten":
        return MemoryDisk(seed=int.from_bytes(entropy(4), "big"))
    if os.path.lexists(name):
        _empty(name)
    else:
        os.mkdir(name)
    return DirectoryDisk(name, entropy=entropy)


def _empty(folder: str) -> None:
    names = sorted(os.listdir(folder))
    for name in names:
        ours = name in (LOCK, LOG, NEW_LOG) or SEGMENT_NAME.fullmatch(name)
        if not ours or not stat.S_ISREG(os.lstat(os.path.join(folder, name)).st_mode):
            raise ValueError(f"{folder} holds {name!r}, which no store wrote: move it elsewhere")
    for name in names:
        os.unlink(os.path.join(folder, name))


def characters(first: str = " ", last: str = "\u2fff") -> dict[str, str]:
    """Return the characters from `first` to `last`, and their names in Unicode 3.2.

    >>> characters("é", "ê")
    {'é': 'LATIN SMALL LETTER E WITH ACUTE', 'ê': 'LATIN SMALL LETTER E WITH CIRCUMFLEX'}
    """
    everything = map(chr, range(ord(first), ord(last) + 1))
    return {char: name for char in everything if (name := ucd_3_2_0.name(char, ""))}


@contextmanager
def running(script: str, seconds: float = 30) -> Iterator["subprocess.Popen[str]"]:
    """Start a Python process that runs `script` in this working directory, with the same kvlib.

    Its output can be read from `stdout`; its errors appear with ours. It is killed when the block
    ends, or after `seconds`, so that reading `stdout` can't block forever.
    """
    path = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": path},
    ) as process:  # at its end, closes the pipe and waits for the process
        watchdog = threading.Timer(seconds, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()
