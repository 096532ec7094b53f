"""Hostile bytes for everything that reads: `make fuzz SECONDS=60` or `make fuzz INPUTS=10000000`.

For any input there is a result or a KvlibError; anything else is a failure, and so is an answer
that does not give the same bytes again. Each input goes to one target. It is made from what the
engine wrote: bits flipped, pieces cut, doubled, zeroed, spliced or inserted, numbers set to their
extremes; also below the checksums, which are then made right again, for a checksum would hide all
decoders that stand behind it.

An input that holds files is name length u8, name, data length u32, data, for each of them.
"""

import argparse
import contextlib
import hashlib
import importlib.util
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from copy import copy
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from random import Random
from struct import pack
from typing import Any, NamedTuple, TypeVar
from zlib import crc32

import kvlib
from helpers.paths import CORPUS, ROOT, TESTS
from helpers.vocabulary import AWKWARD, disk_of, survivor
from kvlib import (
    KvlibError,
    MemoryDisk,
    VersionError,
    encoding,
    frame,
    log,
    recovery,
    salvage,
    snapshot,
)
from kvlib.__main__ import main as run_command
from kvlib.cli import commands as cli
from kvlib.cli import progress
from kvlib.layout.dissect import FORMATS, dissect, dissect_directory, walk_directory
from kvlib.layout.text import lines
from kvlib.views.dump import dump

T = TypeVar("T")
Files = Mapping[str, bytes]


BUILD = ROOT / "build" / "fuzz"
BATCH = 2_000  # inputs that a process makes from one seed
PATIENCE = 120  # seconds for one batch, which takes less than one
LAST = 2**63 - 4  # behind it the sequence numbers run out, which is a ValueError


# --- inputs that hold files -----------------------------------------------------------------------


def pack_files(files: Files) -> bytes:
    """Files as one input."""
    packed = bytearray()
    for name, data in files.items():
        short = name.encode()[:255]
        packed += bytes([len(short)]) + short + len(data).to_bytes(4, "big") + data
    return bytes(packed)


def unpack_files(data: bytes) -> dict[str, bytes]:
    """The files of an input: those of any bytes at all."""
    files, at = {}, 0
    while at < len(data):
        at, start = at + 1 + data[at], at + 1
        name = data[start:at].decode(errors="replace")
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        files[name] = data[at + 4 : end]
        at = end
    return files


# --- accidents ------------------------------------------------------------------------------------


def below(chance: Random, end: int) -> int:
    """A number from 0 to end - 1; randrange takes longer than what is tested here."""
    return int(chance.random() * end)


def pick(chance: Random, choices: Sequence[T]) -> T:
    """One of them."""
    return choices[int(chance.random() * len(choices))]


U8 = [*b"bsPDMmCHS\0\1\xff"]
U32 = [0, 1, 2, 3, 9, 255, 65_535, 2**24, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]
U64 = [*U32, 2**32, 2**53, 2**63 - 2, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1]


def extreme(chance: Random, value: int, choices: list[int]) -> int:
    """Another number in the place of `value`: at an end of the range, or close to it."""
    if chance.random() < 0.5:
        return pick(chance, choices)
    return max(0, min(choices[-1], value + pick(chance, (-2, -1, 1, 2, 256))))


def _spoil(data: bytes, other: bytes, chance: Random) -> bytes:
    size, what = len(data), below(chance, 14)
    at = below(chance, size + 1)
    end = min(size, at + 1 + below(chance, 16 if what < 10 else size + 1))
    if what < 2 and at < size:
        return data[:at] + bytes([data[at] ^ 1 << below(chance, 8)]) + data[at + 1 :]
    if what == 2:
        return data[:at] + bytes([pick(chance, U8)]) + data[at + 1 :]
    if what == 3:
        return data[:at] + bytes([below(chance, 256)]) + data[at + 1 :]
    if what == 4:
        return data[:at] + pick(chance, U32).to_bytes(4, "big") + data[at + 4 :]
    if what == 5:
        old = int.from_bytes(data[at : at + 4], "big")
        return data[:at] + extreme(chance, old, U32).to_bytes(4, "big") + data[at + 4 :]
    if what == 6:
        return data[:at] + pick(chance, U64).to_bytes(8, "big") + data[at + 8 :]
    if what == 7:
        return data[:at] + chance.randbytes(1 + below(chance, 8)) + data[at:]
    if what == 8:
        return data[:at] + bytes(end - at) + data[end:]
    if what == 9:
        return data[:at]
    if what == 10:
        return data[:at] + data[end:]
    if what == 11:
        return data[:end] + data[at:]
    if what == 12:
        return data[:at] + other[below(chance, len(other) + 1) :]
    return data + other


def spoil(data: bytes, others: Sequence[bytes], chance: Random) -> bytes:
    """One accident, seldom more; `others` are what it is spliced with."""
    data = _spoil(data, pick(chance, others), chance)
    while chance.random() < 0.25:
        data = _spoil(data, pick(chance, others), chance)
    return data[:4096]


# --- stores, taken apart --------------------------------------------------------------------------


def seal(kind: bytes, sequence: int, payload: bytes, salt: int = 0, length: int = -1) -> bytes:
    """A frame with the right checksum, whatever it says: the engine would refuse to write some."""
    checked = pack(">IQ", len(payload) if length < 0 else length, sequence) + kind + payload
    return crc32(checked, salt).to_bytes(4, "big") + checked


@dataclass
class Anatomy:
    """All that the files of a store say."""

    generation: int
    salt: int
    stream: bytes
    size: int
    frames: list[tuple[bytes, int, bytes, int]]  # kind, sequence, payload, length (-1: the right)
    head: dict[int, int] = field(default_factory=dict)  # what is not right: by number of the field
    piece: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # sequence, index, total
    version: int = 1

    def files(self) -> dict[str, bytes]:
        """The files, with checksums that are right."""
        step = self.size
        chunks = [self.stream[at : at + step] for at in range(0, len(self.stream), step)] or [b""]
        total = len(chunks)
        preamble = frame.MAGIC + self.version.to_bytes(2, "big")
        files = {}
        for index, chunk in enumerate(chunks):
            found = self.piece.get(index, (self.generation, index, total))
            payload = pack(">II", *found[1:]) + chunk
            name = f"{self.generation:016x}.{index:08x}.segment"
            files[name] = preamble + seal(b"S", found[0], payload)
        numbers = [self.salt, 0, total, len(self.stream), crc32(self.stream)]
        for place, number in self.head.items():
            numbers[place] = number
        head = pack(">IIIQI", *numbers)
        parts = [preamble, seal(b"H", self.generation, head)]
        parts += [
            seal(kind, sequence, payload, numbers[0], length)
            for kind, sequence, payload, length in self.frames
        ]
        return files | {"log": b"".join(parts)}


def take_apart(files: Files, size: int) -> Anatomy:
    """What a whole store says, by the engine's own decoders."""
    data = files["log"]
    head, at = snapshot.decode_head(data)
    names = sorted(name for name in files if name.endswith(".segment"))
    stream = b"".join(files[name][33:] for name in names)
    frames = []
    while at < len(data):
        found = frame.unseal(data, at, head.salt)
        frames.append((found.kind, found.sequence, found.payload, -1))
        at = found.end
    anatomy = Anatomy(head.generation, head.salt, stream, size, frames)
    anatomy.head[1] = head.compactions
    assert anatomy.files() == files
    return anatomy


def whole_stores() -> Iterator[tuple[dict[str, bytes], int]]:
    """The files of stores in every state, and the size of their segments' pieces."""
    awkward = {key: AWKWARD[-number] for number, key in enumerate(AWKWARD)}
    for number, size in enumerate([9, 20, 30, 60, 2**20]):
        for sync in (1, 3):
            disk = MemoryDisk(seed=number)
            with kvlib.open(disk, max_segment_size=size, sync=sync) as store:
                for key in AWKWARD[: 3 * number]:
                    store[key] = awkward[key]
                if number:
                    store.compact()
                store.update(list(awkward.items())[:number])
                for key in AWKWARD[:number]:
                    store.delete(key)
                store["café"] = "x" * 10 * number
                left = survivor(disk)
            for one in (left, disk):
                yield {name: one.read(name) for name in one.names()}, size - 8


STORES = [take_apart(*made) for made in whole_stores()]
FILES = [anatomy.files() for anatomy in STORES]
FIELDS = [encoding.encode_field(value) for value in AWKWARD]
STREAMS = [anatomy.stream for anatomy in STORES if len(anatomy.stream) < 600]
PAYLOADS = [payload for anatomy in STORES for _, _, payload, _ in anatomy.frames]
LOGS = [files["log"] for files in FILES]
SEALED = [data for files in FILES for name, data in files.items() if name != "log"]
FRAMES = [
    seal(kind, sequence, payload, 0, length)
    for anatomy in STORES
    for kind, sequence, payload, length in anatomy.frames
]
PIECES = [
    [data[25:] for name, data in files.items() if name != "log"]
    for files in FILES
    if len(files) < 20
]
RECORDS = [first + second for first in FIELDS for second in FIELDS[:5]]


# --- making inputs --------------------------------------------------------------------------------


def _spoil_stream(store: Anatomy, chance: Random) -> None:
    store.stream = spoil(store.stream, STREAMS, chance)


def _spoil_payload(store: Anatomy, chance: Random) -> None:
    if store.frames:
        at = below(chance, len(store.frames))
        kind, sequence, payload, length = store.frames[at]
        store.frames[at] = kind, sequence, spoil(payload, PAYLOADS, chance), length


def _spoil_frame(store: Anatomy, chance: Random) -> None:
    if store.frames:
        at = below(chance, len(store.frames))
        kind, sequence, payload, length = store.frames[at]
        what = below(chance, 3)
        if what == 0:
            kind = bytes([pick(chance, U8)])
        elif what == 1:
            sequence = extreme(chance, sequence, U64)
        else:
            length = extreme(chance, len(payload), U32)
        store.frames[at] = kind, sequence, payload, length


def _spoil_order(store: Anatomy, chance: Random) -> None:
    if store.frames:
        first, second = below(chance, len(store.frames)), below(chance, len(store.frames))
        what = below(chance, 3)
        if what == 0:
            del store.frames[first]
        elif what == 1:
            store.frames.insert(second, store.frames[first])
        else:
            frames = store.frames
            frames[first], frames[second] = frames[second], frames[first]


def _spoil_head(store: Anatomy, chance: Random) -> None:
    place = below(chance, 7)
    if place == 5:
        store.generation = extreme(chance, store.generation, U64)
    elif place == 6:
        store.version = pick(chance, (0, 2, 255, 256, 65_535))
    else:
        right = (store.salt, 0, 1, len(store.stream), 0)[place]
        store.head[place] = extreme(chance, right, U64 if place == 3 else U32)


def _spoil_piece(store: Anatomy, chance: Random) -> None:
    total = -(-len(store.stream) // store.size)
    index = below(chance, total)
    numbers = [store.generation, index, total]
    place = below(chance, 3)
    numbers[place] = extreme(chance, numbers[place], U32 if place else U64)
    store.piece[index] = (numbers[0], numbers[1], numbers[2])


def _renumber(store: Anatomy, chance: Random) -> None:
    """All sequences end near the last one there is: nothing is wrong with that."""
    start = pick(chance, (2**63, 2**63 - 1, 2**63 - 2, 2**32, 255)) - below(chance, 8)
    shift = start - store.generation
    store.generation = start
    store.frames = [
        (kind, min(max(sequence + shift, 0), 2**64 - 1), payload, length)
        for kind, sequence, payload, length in store.frames
    ]


WAYS: list[Callable[[Anatomy, Random], None]] = [
    lambda store, chance: None,
    _spoil_stream,
    _spoil_stream,
    _spoil_payload,
    _spoil_payload,
    _spoil_payload,
    _spoil_frame,
    _spoil_frame,
    _spoil_order,
    _spoil_head,
    _spoil_piece,
    _renumber,
]


def make_anatomy(chance: Random) -> Anatomy:
    """A store that says something wrong, below checksums that are right."""
    store = copy(pick(chance, STORES))
    store.frames, store.head, store.piece = store.frames[:], store.head.copy(), {}
    pick(chance, WAYS)(store, chance)
    if chance.random() < 0.2:
        pick(chance, WAYS)(store, chance)
    return store


def spoil_files(files: dict[str, bytes], chance: Random) -> None:
    """An accident to one of the files, or to its name."""
    name = "log" if chance.random() < 0.5 else pick(chance, [*files])
    what, other = below(chance, 10), pick(chance, FILES)
    if what == 0:
        del files[name]
    elif what == 1:
        files[pick(chance, [*files])] = files[name]
    elif what == 2:
        files[pick(chance, ["log", "log.new", f"{1:016x}.{0:08x}.segment", "x"])] = files[name]
    elif what == 3:
        files |= other
    else:
        files[name] = spoil(files[name], LOGS if name == "log" else SEALED, chance)


def make_store(chance: Random) -> bytes:
    """The files of a store, spoilt below or above the checksums, or both."""
    if chance.random() < 0.6:
        files = make_anatomy(chance).files()
        if chance.random() < 0.2:
            spoil_files(files, chance)
    else:
        files = dict(pick(chance, FILES))
        spoil_files(files, chance)
    return pack_files(files)


def make_log(chance: Random) -> bytes:
    """A log alone."""
    if chance.random() < 0.6:
        store = make_anatomy(chance)
        store.stream = b""  # nobody reads it here
        data = store.files()["log"]
        return data if chance.random() < 0.7 else spoil(data, LOGS, chance)
    return spoil(pick(chance, LOGS), LOGS, chance)


def make_head(chance: Random) -> bytes:
    """The beginning of a log."""
    if chance.random() < 0.3:
        return spoil(pick(chance, LOGS)[:60], SEALED, chance)
    head = list(pick(chance, STORES).head.values())
    numbers = [7, *head, 1, 4, 0]
    place = below(chance, 5)
    numbers[place] = extreme(chance, numbers[place], U64 if place == 3 else U32)
    payload = pack(">IIIQI", *numbers)
    if chance.random() < 0.2:
        payload = spoil(payload, PAYLOADS, chance)
    kind = b"H" if chance.random() < 0.9 else bytes([pick(chance, U8)])
    sequence = pick(chance, U64) if chance.random() < 0.3 else 5
    return frame.PREAMBLE + seal(kind, sequence, payload)


def make_frame(chance: Random) -> bytes:
    """A frame without a salt."""
    if chance.random() < 0.5:
        return spoil(pick(chance, FRAMES), FRAMES, chance)
    payload = spoil(pick(chance, PAYLOADS), PAYLOADS, chance)
    length = pick(chance, U32) if chance.random() < 0.2 else -1
    return seal(bytes([pick(chance, U8)]), pick(chance, U64), payload, 0, length)


def make_pieces(chance: Random) -> bytes:
    """Bare segments, in any order."""
    pieces = pick(chance, PIECES)[:]
    while True:
        at, what = below(chance, len(pieces)), below(chance, 6)
        if what == 0:
            pieces.insert(at, pick(chance, pieces))
        elif what == 1 and len(pieces) > 1:
            del pieces[at]
        elif what == 2:
            pieces[at] = pick(chance, pick(chance, PIECES))
        elif what == 3:
            pieces = pieces[at:] + pieces[:at]
        else:
            number = extreme(chance, len(pieces), U32).to_bytes(4, "big")
            piece = pieces[at]
            choices = (
                number + piece[4:],
                piece[:4] + number + piece[8:],
                _spoil(piece, b"", chance),
            )
            pieces[at] = pick(chance, choices)
        if chance.random() < 0.6:
            return pack_files({str(number): piece for number, piece in enumerate(pieces)})


def make_sealed(chance: Random) -> bytes:
    """A segment's file."""
    data = spoil(pick(chance, SEALED)[25:], SEALED, chance)
    if chance.random() < 0.7:
        return frame.PREAMBLE + seal(b"S", pick(chance, U64), data)
    return spoil(frame.PREAMBLE + seal(b"S", 1, data), SEALED, chance)


def make_any(chance: Random) -> bytes:
    """Anything but a whole store."""
    return pick(chance, ANYTHING)(chance)


def of(pool: list[bytes]) -> Callable[[Random], bytes]:
    """What makes inputs by spoiling one of these."""
    return lambda chance: spoil(pick(chance, pool), pool, chance)


make_field, make_stream, make_payload = of(FIELDS), of(STREAMS), of(PAYLOADS)
MAKERS: dict[str, Callable[[Random], bytes]] = {
    "field": make_field,
    "record": of(RECORDS),
    "mutations": make_payload,
    "snapshot": make_stream,
    "segment": of([piece for pieces in PIECES for piece in pieces]),
    "frame": make_frame,
    "log": make_log,
    "sealed": make_sealed,
    "unknown": make_field,
}
ANYTHING = list(MAKERS.values())


# --- what is fed ----------------------------------------------------------------------------------


def feed_field(data: bytes) -> None:
    """decode_field; a value that comes out gives the same bytes again."""
    value, end = kvlib.decode_field(data)
    assert kvlib.encode_field(value) == data[:end]


def feed_snapshot(data: bytes) -> None:
    """decode_snapshot."""
    assert kvlib.encode_snapshot(kvlib.decode_snapshot(data)) == data


def feed_mutations(data: bytes) -> None:
    """The payload of a frame."""
    again = b""
    for key, value in log.decode_mutations(data):
        again += log.encode_delete(key) if value is None else log.encode_put(key, value)
    assert again == data


def feed_join(data: bytes) -> None:
    """The stream of bare segments, which has all their bytes."""
    pieces = list(unpack_files(data).values())
    assert len(kvlib.join(pieces)) == sum(map(len, pieces)) - 8 * len(pieces)


def feed_unseal(data: bytes) -> None:
    """A frame at the beginning, and one at any other place."""
    with contextlib.suppress(KvlibError):
        kvlib.unseal(data, len(data) // 3, len(data))
    found = kvlib.unseal(data)
    assert kvlib.seal(found.kind, found.sequence, found.payload) == data[: found.end]


def feed_head(data: bytes) -> None:
    """The beginning of a log."""
    head, end = snapshot.decode_head(data)
    assert snapshot.encode_head(head) == data[:end]


def feed_log(data: bytes) -> None:
    """All frames of a log, once as they stand and once applied."""
    head, start = snapshot.decode_head(data)
    items: dict[encoding.Item, encoding.Item] = {}
    tail = log.replay(data, start, head.generation, head.salt, items)
    end = start
    for found in log.scan(data, start, head.generation, head.salt):
        end = found.end
    assert start <= tail.end == end <= len(data)


def feed_recover(data: bytes) -> None:
    """Recovery."""
    state = recovery.recover(disk_of(unpack_files(data)))
    if state is not None:
        assert state.tail.end + state.recovered.dropped_bytes == len(unpack_files(data)["log"])


def feed_deserialize(data: bytes) -> None:
    """The store in memory: after an error nothing has changed."""
    store = kvlib.Store()
    store["before"] = "1"
    try:
        store.deserialize(disk_of(unpack_files(data)))
    except KvlibError:
        assert dict(store) == {"before": "1"}
        raise


def feed_open(data: bytes) -> None:
    """Opened for writing: damage changes nothing, and what recovery finds is kept."""
    files = unpack_files(data)
    disk = disk_of(files)
    try:
        found = recovery.recover(disk)
        store = kvlib.open(disk)
    except KvlibError:
        assert {name: disk.read(name) for name in disk.names()} == files
        raise
    items: dict[encoding.Item, encoding.Item] = {} if found is None else dict(found.items)
    assert dict(store) == items
    if found is not None and found.tail.sequence > LAST:
        return
    store["put"] = items["put"] = b"later"
    store.close()
    with kvlib.open(disk, read_only=True) as store:
        assert dict(store) == items


def feed_layout(data: bytes) -> None:
    """The picture of a file in the format that its first byte chooses: it shows all bytes."""
    name = [*FORMATS][data[0] % len(FORMATS)] if data else "unknown"
    found = dissect(data[1:], format=name)
    assert b"".join(data[1:][r.start : r.end] for r in found.root.leaves()) == data[1:]


def make_layout(chance: Random) -> bytes:
    """A format, and mostly bytes of that format."""
    number = below(chance, len(FORMATS))
    maker = make_any if chance.random() < 0.1 else MAKERS[[*FORMATS][number]]
    return bytes([number]) + maker(chance)


def feed_guess(data: bytes) -> None:
    """The picture of bytes that nobody names."""
    found = dissect(data)
    assert b"".join(data[r.start : r.end] for r in found.root.leaves()) == data


def feed_dump(data: bytes) -> None:
    """The text of a picture, short and whole, plain and coloured."""
    assert repr(dump(data, limit=64))
    assert [*dump(data, limit=None).lines(colour=True)]


def feed_pictures(data: bytes) -> None:
    """The pictures of all files of a store."""
    for found in dissect_directory(disk_of(unpack_files(data))):
        assert b"".join(found.data[r.start : r.end] for r in found.root.leaves()) == found.data


def feed_salvage(data: bytes) -> None:
    """Saving what can be saved: the source stays, and a store that opens is saved as it is.

    Unless another file has more of its log.
    """
    files = unpack_files(data)
    disk, saved = disk_of(files), MemoryDisk()
    result = salvage.salvage(disk, saved)
    assert [*salvage.report(result, "there")]
    assert {name: disk.read(name) for name in disk.names()} == files
    with contextlib.suppress(KvlibError):
        state = recovery.recover(disk)
        if state is not None and not any("found here" in note.reason for note in result.notes):
            assert dict(kvlib.open(saved, read_only=True)) == state.items


def feed_check(data: bytes) -> None:
    """`kvlib check` and the text of `kvlib dump`, of files in memory."""
    disk: Any = disk_of(unpack_files(data))  # of a DirectoryDisk nothing but the reading is used
    for _, found, pieces in walk_directory(disk):
        for _ in lines(found, pieces):
            pass
    with contextlib.redirect_stdout(io.StringIO()):
        cli._report("store", disk, progress.ProgressLine())


def feed_commands(data: bytes) -> None:
    """The commands themselves, on a directory: a report and a status, and nothing changed."""
    with tempfile.TemporaryDirectory() as place:
        for name, content in unpack_files(data).items():
            with contextlib.suppress(OSError, ValueError):  # not every name is one of a file
                (Path(place) / name.replace("/", "_")).write_bytes(content)
        before = {path.name: path.read_bytes() for path in Path(place).iterdir()}
        statuses = []
        for command in ("check", "dump"):
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                statuses.append(run_command([command, place]))
            assert statuses[-1] in (0, 1, 2)
            assert (statuses[-1] == 0) == (not err.getvalue())
        assert statuses[0] == statuses[1]
        assert before == {path.name: path.read_bytes() for path in Path(place).iterdir()}
        if statuses[0]:
            raise KvlibError("refused, as it should be")


class Target(NamedTuple):
    """What is fed, with which inputs, and with how many of 1,000."""

    make: Callable[[Random], bytes]
    feed: Callable[[bytes], None]
    share: int


TARGETS = {
    "field": Target(make_field, feed_field, 110),
    "snapshot": Target(make_stream, feed_snapshot, 170),
    "mutations": Target(make_payload, feed_mutations, 140),
    "join": Target(make_pieces, feed_join, 80),
    "unseal": Target(make_frame, feed_unseal, 80),
    "head": Target(make_head, feed_head, 70),
    "log": Target(make_log, feed_log, 150),
    "recover": Target(make_store, feed_recover, 64),
    "deserialize": Target(make_store, feed_deserialize, 20),
    "open": Target(make_store, feed_open, 50),
    "layout": Target(make_layout, feed_layout, 30),
    "guess": Target(make_any, feed_guess, 15),
    "dump": Target(make_any, feed_dump, 8),
    "salvage": Target(make_store, feed_salvage, 6),
    "pictures": Target(make_store, feed_pictures, 4),
    "check": Target(make_store, feed_check, 2),
    "commands": Target(make_store, feed_commands, 1),
}
NAMES = [*TARGETS]
SHARES = [target.share for target in TARGETS.values()]


# --- feeding --------------------------------------------------------------------------------------


class Failure(NamedTuple):
    """An input for which there was neither a result nor a KvlibError."""

    target: str
    data: bytes
    report: str


Tally = Counter[tuple[str, str]]  # how many inputs, by target and outcome


@contextlib.contextmanager
def patience(seconds: int) -> Iterator[None]:
    """Let what takes longer fail, where the system can tell."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def give_up(*_: object) -> None:
        raise TimeoutError(f"no answer in {seconds} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def feed(name: str, data: bytes) -> str:
    """Feed one input; what came of it. Whatever is no KvlibError gets through."""
    try:
        TARGETS[name].feed(data)
    except VersionError:
        return "newer"
    except KvlibError:
        return "refused"
    return "read"


def inputs(seed: int, batch: int, size: int) -> Iterator[tuple[str, bytes]]:
    """The inputs of a batch: the same ones whenever it is made."""
    chance = Random(f"{seed} {batch}")
    for name in chance.choices(NAMES, SHARES, k=size):
        yield name, TARGETS[name].make(chance)


def run_batch(seed: int, batch: int, size: int) -> tuple[Tally, Failure | None]:
    """Feed a batch, up to the first failure."""
    tally: Tally = Counter()
    name, data = "", b""
    with warnings.catch_warnings(), patience(PATIENCE):
        warnings.simplefilter("error")
        try:
            for name, data in inputs(seed, batch, size):
                tally[name, feed(name, data)] += 1
        except Exception:
            return tally, Failure(name, data, traceback.format_exc())
    return tally, None


def mutate(
    seed: int, seconds: float | None, number: int | None, processes: int
) -> tuple[Tally, Failure | None]:
    """Feed `number` inputs, or as many as the time allows."""
    tally: Tally = Counter()
    started, batches, made = time.monotonic(), count(), 0
    shown = started
    running: set[Future[tuple[Tally, Failure | None]]] = set()
    failure: Failure | None = None
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        while True:
            is_late = seconds is not None and time.monotonic() - started > seconds
            while len(running) < 3 * processes and not (is_late or failure):
                size = BATCH if number is None else min(BATCH, number - made)
                if not size:
                    break
                running.add(pool.submit(run_batch, seed, next(batches), size))
                made += size
            if not running:
                return tally, failure
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                counted, failed = future.result()
                tally += counted
                failure = failure or failed
            if time.monotonic() - shown > 60:
                shown = time.monotonic()
                print(f"{tally.total():,} inputs so far", file=sys.stderr, flush=True)


def table(tally: Tally) -> Iterator[str]:
    """The counts, a line for each target."""
    outcomes = ("read", "refused", "newer")
    yield f"{'target':<12}{'inputs':>12}" + "".join(f"{outcome:>12}" for outcome in outcomes)
    rows = [[tally[name, outcome] for outcome in outcomes] for name in NAMES]
    rows.append([sum(column) for column in zip(*rows, strict=True)])
    for name, row in zip([*NAMES, "in all"], rows, strict=True):
        yield f"{name:<12}" + "".join(f"{number:>12,}" for number in (sum(row), *row))


# --- inputs that are kept -------------------------------------------------------------------------


def write_input(folder: Path, name: str, data: bytes) -> Path:
    """Keep an input: the name of its target, then its bytes in hexadecimal."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{hashlib.sha256(data).hexdigest()[:8]}.hex"
    path.write_text(f"{name}\n{data.hex(' ', -32)}\n".replace(" ", "\n"), encoding="ascii")
    return path


def read_input(path: Path) -> tuple[str, bytes]:
    """A kept input."""
    name, _, digits = path.read_text(encoding="ascii").partition("\n")
    return name, bytes.fromhex(digits)


def explain(failure: Failure) -> None:
    """Print a failure, and how to see it again."""
    path = write_input(BUILD / "failures", failure.target, failure.data)
    print(f"{failure.report}\nA failure of the target {failure.target}, for these bytes:\n")
    print(failure.data.hex(" ", -32).replace(" ", "\n"))
    shown = os.path.relpath(path)
    print(f"\nAgain: {os.path.basename(sys.executable)} {sys.argv[0]} --replay {shown}")


Arc = tuple[str, int, int]
ENGINE = str(Path(kvlib.__file__).parent)


def arcs(name: str, data: bytes) -> set[Arc]:
    """The steps from line to line in kvlib that an input leads to."""
    found: set[Arc] = set()

    def local(of: Any, before: int) -> Callable[..., Any]:
        last = before

        def step(_: Any, event: str, __: Any) -> Any:
            nonlocal last
            found.add((of.f_code.co_filename, last, of.f_lineno))
            last = of.f_lineno
            return step

        return step

    def enter(of: Any, event: str, _: Any) -> Any:
        return local(of, -1) if of.f_code.co_filename.startswith(ENGINE) else None

    previous = sys.gettrace()
    sys.settrace(enter)
    try:
        feed(name, data)
    finally:
        sys.settrace(previous)
    return found


def distil(candidates: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """A few of the inputs, that together lead wherever all of them do, and to every target."""
    kept = sorted(candidates, key=lambda one: len(one[1]))
    found = [{*arcs(name, data), (name, 0, 0)} for name, data in kept]
    known: set[Arc] = set()
    queue = [(-len(steps), number) for number, steps in enumerate(found)]
    heapify(queue)
    while queue:
        promised, number = heappop(queue)
        gain = len(found[number] - known)
        if gain < -promised:  # since then others have led there: it may not be the best any more
            if gain:
                heappush(queue, (-gain, number))
        else:
            known |= found[number]
            yield kept[number]


# --- guided by coverage ---------------------------------------------------------------------------

GUIDED = """
import sys
import atheris
with atheris.instrument_imports(include=["kvlib"]):
    from tools import fuzz
fuzz.guided(sys.argv[1:])
"""
HOLDS_FILES = {"join", "recover", "deserialize", "open", "salvage", "pictures", "check", "commands"}
GUIDABLE = [name for name in NAMES if name != "commands"]  # which are too slow for it


def mend(data: bytes) -> bytes:
    """A file with checksums that are right, as far as its lengths can be followed."""
    mended, at, salt = bytearray(data), 8, 0
    while at + 17 <= len(mended):
        end = at + 17 + int.from_bytes(mended[at + 4 : at + 8], "big")
        if end > len(mended):
            break
        mended[at : at + 4] = crc32(mended[at + 4 : end], salt).to_bytes(4, "big")
        if mended[at + 16 : at + 17] == b"H":
            salt = int.from_bytes(mended[at + 17 : at + 21], "big")
        at = end
    return bytes(mended)


def mend_files(files: dict[str, bytes]) -> dict[str, bytes]:
    """Files with the right checksums, that of the joined segments included."""
    mended = {name: mend(data) for name, data in files.items()}
    head = mended.get("log", b"")
    if len(head) >= 49:
        stream = b"".join(mended[name][33:] for name in sorted(mended) if name.endswith(".segment"))
        claim = len(stream).to_bytes(8, "big") + crc32(stream).to_bytes(4, "big")
        mended["log"] = mend(head[:37] + claim + head[49:])
    return mended


def guided(arguments: list[str]) -> None:
    """Let libFuzzer look for inputs that lead to new lines. Runs in a process of its own."""
    atheris = importlib.import_module("atheris")

    def one(data: bytes) -> None:
        if data:
            name = GUIDABLE[data[0] % len(GUIDABLE)]
            try:
                feed(name, data[1:])
            except Exception:
                write_input(BUILD / "failures", name, data[1:])
                raise

    def change(data: bytes, size: int, seed: int) -> bytes:
        chance = Random(seed)
        if not data or chance.random() < 0.05:
            number = below(chance, len(GUIDABLE))
            return bytes([number]) + TARGETS[GUIDABLE[number]].make(chance)[: size - 1]
        name = GUIDABLE[data[0] % len(GUIDABLE)]
        if name in HOLDS_FILES and chance.random() < 0.9:
            files = unpack_files(data[1:]) or {"log": b""}
            chosen = pick(chance, [*files])
            files[chosen] = atheris.Mutate(files[chosen], len(files[chosen]) + 32)
            changed = pack_files(mend_files(files) if chance.random() < 0.8 else files)
        else:
            changed = atheris.Mutate(data[1:], max(size - 1, 1))
            if name in ("log", "head") and chance.random() < 0.8:
                changed = mend(changed)
            elif name == "unseal" and chance.random() < 0.5:
                changed = mend(bytes(8) + changed)[8:]
        return (data[:1] + changed)[:size]

    atheris.Setup([sys.argv[0], *arguments], one, custom_mutator=change)
    atheris.Fuzz()


def guide(seed: int, seconds: float, processes: int) -> tuple[int, bool]:
    """Run the guided part; the number of inputs, and whether one of them failed."""
    folder = BUILD / "guided"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    kept = [read_input(path) for path in sorted(CORPUS.glob("*.hex"))]
    fresh = list(inputs(seed, -1, 300))
    for name, data in [*kept, *fresh]:
        if name in GUIDABLE:
            raw = bytes([GUIDABLE.index(name)]) + data
            (folder / hashlib.sha256(raw).hexdigest()[:16]).write_bytes(raw)
    options = ["-max_len=4096", f"-max_total_time={max(1, int(seconds))}", "-print_final_stats=1"]
    options += ["-timeout=30", "-rss_limit_mb=2048", f"-artifact_prefix={BUILD}{os.sep}"]
    path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", GUIDED, *options, f"-seed={seed + number + 1}", str(folder)],
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        for number in range(processes)
    ]
    total, failed = 0, False
    for one in running:
        output, _ = one.communicate()
        total += sum(
            int(line.split()[-1])
            for line in output.splitlines()
            if line.startswith("stat::number_of_executed_units:")
        )
        if one.returncode:
            failed = True
            print(output[-6000:])
    return total, failed


def keep(limit: int = 48 * 1024) -> None:
    """Make the corpus anew: of what is in it, and what the guided part has found."""
    found = [read_input(path) for path in sorted(CORPUS.glob("*.hex"))]
    for path in sorted((BUILD / "guided").glob("*")):
        raw = path.read_bytes()
        found.append((GUIDABLE[raw[0] % len(GUIDABLE)], raw[1:]))
    for old in CORPUS.glob("*.hex"):
        old.unlink()
    for name, data in distil(found):
        limit -= 2 * len(data)
        if limit < 0:
            break
        write_input(CORPUS, name, data)


# --- the command ----------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; 1 if anything failed."""
    parser = argparse.ArgumentParser("fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="for each of the two parts")
    parser.add_argument("--inputs", type=int, help="mutate this many, however long it takes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--no-guided", action="store_true", help="without the second part")
    parser.add_argument("--keep", action="store_true", help="make tests/corpus/ anew afterwards")
    parser.add_argument("--replay", type=Path, nargs="+", help="feed inputs that were kept")
    chosen = parser.parse_args(arguments)
    if chosen.replay:
        for path in chosen.replay:
            name, data = read_input(path)
            print(f"{path}: {feed(name, data)}")
        return 0
    started = time.monotonic()
    seconds = None if chosen.inputs is not None else chosen.seconds
    tally, failure = mutate(chosen.seed, seconds, chosen.inputs, chosen.processes)
    took = time.monotonic() - started
    print(*table(tally), sep="\n")
    print(f"{tally.total():,} inputs in {took:.0f} s: {tally.total() / took:,.0f} per second")
    if failure:
        explain(failure)
        return 1
    guided_inputs, failed = 0, False
    if chosen.no_guided or importlib.util.find_spec("atheris") is None:
        print("Not guided by coverage: " + ("as asked" if chosen.no_guided else "no atheris here"))
    else:
        guided_inputs, failed = guide(chosen.seed, chosen.seconds, chosen.processes)
        print(f"{guided_inputs:,} inputs guided by coverage in {chosen.seconds:.0f} s")
        if chosen.keep and not failed:
            keep()
    print(f"{tally.total() + guided_inputs:,} inputs in all, {int(failed)} failures")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
