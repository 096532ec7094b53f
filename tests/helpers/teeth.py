"""What catches a store that lacks a barrier or a check; `python tests/teeth.py` says what it found.

Run by test_teeth.py on copies of kvlib, each with one thing left out. Exit status 1: caught.
"""

import sys
from collections.abc import Iterator
from zlib import crc32

import kvlib
from helpers.crashes import Oracle, death_run, fault_run, faults, power_cuts
from kvlib import CorruptionError, KvlibError, MemoryDisk
from kvlib.crash import boot
from kvlib.frame import HEADER, seal
from kvlib.log import encode_put
from kvlib.snapshot import HEAD_BYTES, decode_head

Files = dict[str, bytes]


def files_of(disk: MemoryDisk) -> Files:
    """A copy of what is on a disk."""
    return {name: disk.read(name) for name in disk.names()}


def store_files(closed: bool = True, seed: int = 0) -> Files:
    """A store with two segments and three frames."""
    disk = MemoryDisk(seed)
    store = kvlib.open(disk, max_segment_size=40)
    store["café"] = f"2,5{seed} €"
    store["tea"] = "3"
    store.compact()
    store["a"] = "1"
    store["b"] = "2"
    store["c"] = "3"
    if closed:
        store.close()
    return files_of(disk)


def answer(files: Files) -> dict[str | bytes, str | bytes] | None:
    """What opening gives; None if it refuses."""
    try:
        return dict(kvlib.open(boot(files), read_only=True))
    except KvlibError:
        return None


# ------------------------------------------------------------------------------------ the sweeps


def cuts() -> Iterator[str]:
    """Power cuts in small workloads, strict and lazy."""
    for sync in ("always", 4):
        for seed in range(2):
            yield from verdict(
                f"power cut, sync={sync}",
                power_cuts(20, sync, seed, 5 if sync == "always" else 37).oracle,
            )


def deaths() -> Iterator[str]:
    """Power cuts after the process died and came back."""
    for sync in ("always", 4):
        for at in [*range(1, 16), *range(16, 110, 2)]:
            yield from verdict(f"death {at}", death_run(at, 18, sync, stride=61).oracle)


def failing() -> Iterator[str]:
    """Power cuts after a failing operation."""
    for fault in list(faults(18))[::2]:
        yield from verdict(str(fault), fault_run(fault, 18, stride=331).oracle)


def verdict(what: str, oracle: Oracle) -> Iterator[str]:
    """The first broken promise, if there is one."""
    if oracle.bad:
        yield f"{what}: {oracle.example[:200]}"


# --------------------------------------------------------------------------- flips, hostile files


def flips() -> Iterator[str]:
    """Each bit of each file: a closed store never answers wrongly, an open one loses the last."""
    for closed in (True, False):
        files = store_files(closed)
        right = answer(files)
        assert right
        allowed = [right] if closed else [right, {k: v for k, v in right.items() if k != "c"}]
        for name, data in files.items():
            for bit in range(8 * len(data)):
                flipped = bytearray(data)
                flipped[bit // 8] ^= 1 << bit % 8
                found = answer({**files, name: bytes(flipped)})
                if found is not None and found not in allowed:
                    yield f"bit {bit} of {name}, closed {closed}: {found}"


def hostile() -> Iterator[str]:
    """Named files, each made to pass all checks but one."""
    files = store_files(closed=False)
    log, first, second = files["log"], *sorted(name for name in files if "segment" in name)
    head, _ = decode_head(log)
    end = len(log)
    frame = HEADER.size + len(encode_put("c", "3"))

    def sealed(kind: bytes, sequence: int, payload: bytes) -> bytes:
        return seal(kind, sequence, payload, head.salt)

    last = head.generation + 3
    put = encode_put("x", "y")
    other = store_files(closed=False, seed=1)
    cases: dict[str, Files] = {
        "a frame doubled": {"log": log + log[end - frame :]},
        "a frame left out": {"log": log[: end - 2 * frame] + log[end - frame :]},
        "a segment in a log": {"log": log + sealed(b"S", last + 1, put)},
        "a close with a payload": {"log": log + sealed(b"C", last + 1, put)},
        "a mutations frame without mutations": {"log": log + sealed(b"M", last + 1, b"")},
        "an unknown operation": {"log": log + sealed(b"M", last + 1, b"X" + put[1:])},
        "a whole frame of an unknown kind": {"log": log + unknown_kind(last + 1, head.salt)},
        "segments of another store": {first: other[first], second: other[second]},
        "bytes after a segment": {second: files[second] + b"\0"},
        "one segment under the name of another": {second: files[first]},
        "a log's magic gone": {"log": b"kvlic" + log[5:]},
    }
    for name, changes in cases.items():
        try:
            found = dict(kvlib.open(boot({**files, **changes}), read_only=True))
            yield f"{name}: {found}"
        except CorruptionError:
            pass
    yield from _salt()
    yield from _claims()
    if answer({**files, "log": log + bytes(64)}) is None:
        yield "zeros behind the log, as a file system leaves them, were refused"


def unknown_kind(sequence: int, salt: int) -> bytes:
    """A frame that is whole, of a kind that nobody writes."""
    checked = HEADER.pack(0, 0, sequence, b"Z")[4:]
    return crc32(checked, salt).to_bytes(4, "big") + checked


def _salt() -> Iterator[str]:
    """A value that holds frames of another log, torn: they are no promise in this one."""
    inner = MemoryDisk(7)
    store = kvlib.open(inner)
    for number in range(8):
        store[f"k{number}"] = "v"
    frames = inner.read("log")[HEAD_BYTES:]
    disk = MemoryDisk(8)
    kvlib.open(disk)["backup"] = frames
    if answer({**files_of(disk), "log": disk.read("log")[:-1]}) != {}:
        yield "frames inside a value were taken for the log's own"


def _claims() -> Iterator[str]:
    """A count and a length that the bytes do not bear are refused before anything is made."""
    for data in (b"\xff" * 4, b"\0\0\0\1b\xff\xff\xff\xff" + b"x" * 10):
        try:
            kvlib.decode_snapshot(data)
            yield f"{data!r} was decoded"
        except CorruptionError as error:
            if error.offset not in (0, 5):
                yield f"{data!r}: noticed at {error.offset} only"


CATCHERS = {"cuts": cuts, "deaths": deaths, "failing": failing, "flips": flips, "hostile": hostile}


def main() -> int:
    """Run the named catchers; stop at the first thing that is found."""
    for name in sys.argv[1:]:
        try:
            found = next(CATCHERS[name](), "")
        except KvlibError as refused:  # the workload itself could not go on
            found = str(refused)
        if found:
            print(f"{name}: {found}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
