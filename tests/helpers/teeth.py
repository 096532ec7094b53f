"""Catch a store that lacks a barrier or a check.

test_teeth.py runs this on copies of kvlib, each with something left out. Exit status 1: caught.
"""

import sys
from collections.abc import Iterator
from contextlib import suppress

import kvlib
from helpers.crashes import Oracle, death_run, fault_run, faults, power_cuts
from helpers.vocabulary import files_of, flip_bit, frame, put
from kvlib import CorruptionError, KvlibError, MemoryDisk
from kvlib.crash import boot
from kvlib.snapshot import HEAD_BYTES, decode_head

Files = dict[str, bytes]


def make_store(closed: bool = True, seed: int = 0) -> Files:
    """Return the files of a store with two segments and three frames."""
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


def read(files: Files) -> dict[str | bytes, str | bytes] | None:
    """Return the records of a store, or None if it is refused."""
    try:
        return dict(kvlib.open(boot(files), read_only=True))
    except KvlibError:
        return None


# ------------------------------------------------------------------------------------ the sweeps


def cuts() -> Iterator[str]:
    """Cut the power in small workloads, strict and lazy."""
    for sync in (4, "always"):  # the cheaper one first
        for seed in range(2):
            found = power_cuts(20, sync, seed, 5 if sync == "always" else 37)
            yield from verdict(f"power cut, sync={sync}", found.oracle)


def deaths() -> Iterator[str]:
    """Cut the power after the process died and came back."""
    for sync in ("always", 4):
        for at in [*range(1, 16), *range(16, 110, 2)]:
            yield from verdict(f"death {at}", death_run(at, 18, sync, stride=61).oracle)


def failing() -> Iterator[str]:
    """Cut the power after a failing operation."""
    for fault in sorted(faults(18), key=lambda fault: -fault.at)[::2]:
        yield from verdict(str(fault), fault_run(fault, 18, stride=331).oracle)


def verdict(what: str, oracle: Oracle) -> Iterator[str]:
    """Yield a broken promise, if there is one."""
    if oracle.bad:
        yield f"{what}: {oracle.example[:200]}"


# --------------------------------------------------------------------------- flips, hostile files


def flips() -> Iterator[str]:
    """Flip each bit of each file: a closed store never answers wrongly, an open one loses "c"."""
    for closed in (True, False):
        files = make_store(closed)
        right = read(files)
        assert right
        allowed = [right] if closed else [right, {k: v for k, v in right.items() if k != "c"}]
        for name, data in files.items():
            for bit in range(8 * len(data)):
                found = read({**files, name: flip_bit(data, bit)})
                if found is not None and found not in allowed:
                    yield f"bit {bit} of {name}, closed {closed}: {found}"


def hostile() -> Iterator[str]:
    """Open stores that pass all checks but one."""
    files = make_store(closed=False)
    log, first, second = files["log"], *sorted(name for name in files if "segment" in name)
    head, _ = decode_head(log)
    size = len(frame(b"M", 0, put("c", "3")))

    def and_then(kind: bytes, payload: bytes) -> Files:
        return {"log": log + frame(kind, head.generation + 4, payload, head.salt)}

    mutation = put("x", "y")
    other = make_store(closed=False, seed=1)
    cases: dict[str, Files] = {
        "a frame doubled": {"log": log + log[-size:]},
        "a frame left out": {"log": log[: -2 * size] + log[-size:]},
        "a segment in a log": and_then(b"S", mutation),
        "a close with a payload": and_then(b"C", mutation),
        "a mutations frame without mutations": and_then(b"M", b""),
        "an unknown operation": and_then(b"M", b"X" + mutation[1:]),
        "a whole frame of an unknown kind": and_then(b"Z", b""),
        "segments of another store": {first: other[first], second: other[second]},
        "bytes after a segment": {second: files[second] + b"\0"},
        "one segment under the name of another": {second: files[first]},
        "a log without its magic": {"log": b"kvlic" + log[5:]},
    }
    for name, changes in cases.items():
        with suppress(CorruptionError):
            yield f"{name}: {dict(kvlib.open(boot({**files, **changes}), read_only=True))}"
    yield from _salt()
    yield from _claims()
    if read({**files, "log": log + bytes(64)}) is None:
        yield "zeros after the log, as a file system leaves them, were refused"


def _salt() -> Iterator[str]:
    """Tear a value that holds frames of another log: they promise nothing in this one."""
    inner = MemoryDisk(7)
    store = kvlib.open(inner)
    for number in range(8):
        store[f"k{number}"] = "v"
    disk = MemoryDisk(8)
    kvlib.open(disk)["backup"] = inner.read("log")[HEAD_BYTES:]
    if read({**files_of(disk), "log": disk.read("log")[:-1]}) != {}:
        yield "frames inside a value were mistaken for the log's own"


def _claims() -> Iterator[str]:
    """Decode a count and a length that are larger than the data."""
    for data in (b"\xff" * 4, b"\0\0\0\1b\xff\xff\xff\xff" + b"x" * 10):
        try:
            kvlib.decode_snapshot(data)
            yield f"{data!r} was decoded"
        except CorruptionError as error:
            if error.offset not in (0, 5):
                yield f"{data!r}: noticed only at {error.offset}"


CATCHERS = {"cuts": cuts, "deaths": deaths, "failing": failing, "flips": flips, "hostile": hostile}


def main() -> int:
    """Run the named catchers, up to the first thing they find."""
    for name in sys.argv[1:]:
        try:
            found = next(CATCHERS[name](), "")
        except KvlibError as refused:  # the workload itself failed
            found = str(refused)
        if found:
            print(f"{name}: {found}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
