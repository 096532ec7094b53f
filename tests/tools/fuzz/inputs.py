"""Make hostile inputs from what the engine wrote.

An input of several files packs each one as name length u8, name, data length u32, data.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from random import Random
from struct import pack
from typing import NamedTuple, TypeVar
from zlib import crc32

import kvlib
from helpers.vocabulary import AWKWARD, survivor
from kvlib import MemoryDisk, encoding, frame, snapshot
from kvlib.layout.dissect import FORMATS

T = TypeVar("T")
Files = Mapping[str, bytes]
Maker = Callable[[Random], bytes]


def pack_files(files: Files) -> bytes:
    """Return files as one input."""
    packed = bytearray()
    for name, data in files.items():
        short = name.encode()[:255]
        packed += bytes([len(short)]) + short + len(data).to_bytes(4, "big") + data
    return bytes(packed)


def unpack_files(data: bytes) -> dict[str, bytes]:
    """Return the files of an input; any bytes are an input."""
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
    """Return a number from 0 to end - 1; randrange takes longer than the code under test."""
    return int(chance.random() * end)


def pick(chance: Random, choices: Sequence[T]) -> T:
    """Return one of the choices."""
    return choices[int(chance.random() * len(choices))]


U8 = [*b"bsPDMmCHS\0\1\xff"]
U32 = [0, 1, 2, 3, 9, 255, 65_535, 2**24, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]
U64 = [*U32, 2**32, 2**53, 2**63 - 2, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1]


def extreme(chance: Random, value: int, choices: list[int]) -> int:
    """Return a number at an end of the range, or close to `value`."""
    if chance.random() < 0.5:
        return pick(chance, choices)
    return max(0, min(choices[-1], value + pick(chance, (-2, -1, 1, 2, 256))))


@dataclass
class Wound:
    """A place in `data` that an accident hits, and other bytes to splice with."""

    data: bytes
    other: bytes
    chance: Random
    at: int = 0

    def __post_init__(self) -> None:
        self.at = below(self.chance, len(self.data) + 1)

    def put(self, new: bytes) -> bytes:
        """Overwrite with `new`."""
        return self.data[: self.at] + new + self.data[self.at + len(new) :]

    def end(self, longest: int) -> int:
        """Return where a range from here ends."""
        return min(len(self.data), self.at + 1 + below(self.chance, longest))

    def flip(self) -> bytes:
        """Flip a bit, or write a byte at the end."""
        old = self.data[self.at] if self.at < len(self.data) else 0
        return self.put(bytes([old ^ 1 << below(self.chance, 8)]))

    def nearby(self) -> bytes:
        """Replace a u32 by one close to it."""
        old = int.from_bytes(self.data[self.at : self.at + 4], "big")
        return self.put(extreme(self.chance, old, U32).to_bytes(4, "big"))

    def insert(self) -> bytes:
        """Insert a few bytes."""
        new = self.chance.randbytes(1 + below(self.chance, 8))
        return self.data[: self.at] + new + self.data[self.at :]

    def splice(self) -> bytes:
        """Continue with the rest of other bytes."""
        return self.data[: self.at] + self.other[below(self.chance, len(self.other) + 1) :]


ACCIDENTS: list[Callable[[Wound], bytes]] = [
    Wound.flip,
    Wound.flip,
    lambda wound: wound.put(bytes([pick(wound.chance, U8)])),
    lambda wound: wound.put(bytes([below(wound.chance, 256)])),
    lambda wound: wound.put(pick(wound.chance, U32).to_bytes(4, "big")),
    lambda wound: wound.put(pick(wound.chance, U64).to_bytes(8, "big")),
    lambda wound: wound.put(bytes(wound.end(16) - wound.at)),
    Wound.nearby,
    Wound.insert,
    Wound.splice,
    lambda wound: wound.data[: wound.at],
    lambda wound: wound.data[: wound.at] + wound.data[wound.end(len(wound.data) + 1) :],
    lambda wound: wound.data[: wound.end(len(wound.data) + 1)] + wound.data[wound.at :],
    lambda wound: wound.data + wound.other,
]


def spoil(data: bytes, others: Sequence[bytes], chance: Random) -> bytes:
    """Let one accident happen, sometimes more; `others` are what data is spliced with."""
    while True:
        data = pick(chance, ACCIDENTS)(Wound(data, pick(chance, others), chance))
        if chance.random() < 0.75:
            return data[:4096]


# --- stores, taken apart --------------------------------------------------------------------------


def seal(kind: bytes, sequence: int, payload: bytes, salt: int = 0, length: int = -1) -> bytes:
    """Return a frame whose checksum is right, even one that the engine would refuse to write."""
    checked = pack(">IQ", len(payload) if length < 0 else length, sequence) + kind + payload
    return crc32(checked, salt).to_bytes(4, "big") + checked


class LogFrame(NamedTuple):
    """A frame of a log; a length of -1 stands for the right one."""

    kind: bytes
    sequence: int
    payload: bytes
    length: int = -1


@dataclass
class Anatomy:
    """Everything that the files of a store say.

    Attributes:
        head: wrong numbers of the head, by the number of their field.
        piece: wrong headers of segments (sequence, index, total), by their index.
    """

    generation: int
    salt: int
    stream: bytes
    size: int  # bytes of the stream per segment
    frames: list[LogFrame]
    head: dict[int, int] = field(default_factory=dict)
    piece: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    version: int = 1

    def files(self) -> dict[str, bytes]:
        """Return the files, with the right checksums."""
        step = self.size
        chunks = [self.stream[at : at + step] for at in range(0, len(self.stream), step)] or [b""]
        total = len(chunks)
        preamble = frame.MAGIC + self.version.to_bytes(2, "big")
        files = {}
        for index, chunk in enumerate(chunks):
            sequence, *header = self.piece.get(index, (self.generation, index, total))
            name = f"{self.generation:016x}.{index:08x}.segment"
            files[name] = preamble + seal(b"S", sequence, pack(">II", *header) + chunk)
        numbers = [self.salt, 0, total, len(self.stream), crc32(self.stream)]
        for place, number in self.head.items():
            numbers[place] = number
        head = seal(b"H", self.generation, pack(">IIIQI", *numbers))
        frames = [seal(*found[:3], numbers[0], found.length) for found in self.frames]
        return files | {"log": preamble + head + b"".join(frames)}


def take_apart(files: Files, size: int) -> Anatomy:
    """Return the anatomy of a whole store, found with the engine's own decoders."""
    data = files["log"]
    head, at = snapshot.decode_head(data)
    names = sorted(name for name in files if name.endswith(".segment"))
    stream = b"".join(files[name][33:] for name in names)
    frames = []
    while at < len(data):
        found = frame.unseal(data, at, head.salt)
        frames.append(LogFrame(found.kind, found.sequence, found.payload))
        at = found.end
    anatomy = Anatomy(head.generation, head.salt, stream, size, frames, {1: head.compactions})
    assert anatomy.files() == files
    return anatomy


def whole_stores() -> Iterator[tuple[dict[str, bytes], int]]:
    """Yield the files of stores in every state, and the bytes of the stream per segment."""
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
                unclosed = survivor(disk)
            for state in (unclosed, disk):
                yield {name: state.read(name) for name in state.names()}, size - 8


STORES = [take_apart(*made) for made in whole_stores()]
FILES = [anatomy.files() for anatomy in STORES]
FIELDS = [encoding.encode_field(value) for value in AWKWARD]
RECORDS = [first + second for first in FIELDS for second in FIELDS[:5]]
STREAMS = [anatomy.stream for anatomy in STORES if len(anatomy.stream) < 600]
FRAMES = [seal(*found[:3]) for anatomy in STORES for found in anatomy.frames]
PAYLOADS = [found.payload for anatomy in STORES for found in anatomy.frames]
LOGS = [files["log"] for files in FILES]
SEALED = [data for files in FILES for name, data in files.items() if name != "log"]
PIECES = [
    [data[25:] for name, data in files.items() if name != "log"]
    for files in FILES
    if len(files) < 20
]


# --- stores that say something wrong --------------------------------------------------------------


def _spoil_stream(store: Anatomy, chance: Random) -> None:
    store.stream = spoil(store.stream, STREAMS, chance)


def _spoil_payload(found: LogFrame, chance: Random) -> LogFrame:
    return found._replace(payload=spoil(found.payload, PAYLOADS, chance))


def _spoil_header(found: LogFrame, chance: Random) -> LogFrame:
    what = below(chance, 3)
    if what == 0:
        return found._replace(kind=bytes([pick(chance, U8)]))
    if what == 1:
        return found._replace(sequence=extreme(chance, found.sequence, U64))
    return found._replace(length=extreme(chance, len(found.payload), U32))


def _spoil_frame(store: Anatomy, chance: Random) -> None:
    if store.frames:
        at = below(chance, len(store.frames))
        spoil_part = pick(chance, (_spoil_payload, _spoil_payload, _spoil_header))
        store.frames[at] = spoil_part(store.frames[at], chance)


def _spoil_order(store: Anatomy, chance: Random) -> None:
    frames = store.frames
    if frames:
        first, second, what = (below(chance, end) for end in (len(frames), len(frames), 3))
        if what == 0:
            del frames[first]
        elif what == 1:
            frames.insert(second, frames[first])
        else:
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
    """Let the sequences end near the last possible one, which is allowed."""
    start = pick(chance, (2**63, 2**63 - 1, 2**63 - 2, 2**32, 255)) - below(chance, 8)
    shift = start - store.generation
    store.generation = start
    store.frames = [
        found._replace(sequence=min(max(found.sequence + shift, 0), 2**64 - 1))
        for found in store.frames
    ]


LIES: list[Callable[[Anatomy, Random], None]] = [
    lambda store, chance: None,
    *[_spoil_stream] * 2,
    *[_spoil_frame] * 5,
    _spoil_order,
    _spoil_head,
    _spoil_piece,
    _renumber,
]


def make_anatomy(chance: Random) -> Anatomy:
    """Return a store that says something wrong, below checksums that are right."""
    store = copy(pick(chance, STORES))
    store.frames, store.head, store.piece = store.frames[:], store.head.copy(), {}
    pick(chance, LIES)(store, chance)
    if chance.random() < 0.2:
        pick(chance, LIES)(store, chance)
    return store


def spoil_files(files: dict[str, bytes], chance: Random) -> None:
    """Let an accident happen to one of the files, or to its name."""
    name = "log" if chance.random() < 0.5 else pick(chance, [*files])
    what = below(chance, 10)
    if what == 0:
        del files[name]
    elif what == 1:
        files[pick(chance, [*files])] = files[name]
    elif what == 2:
        files[pick(chance, ["log", "log.new", f"{1:016x}.{0:08x}.segment", "x"])] = files[name]
    elif what == 3:
        files |= pick(chance, FILES)
    else:
        files[name] = spoil(files[name], LOGS if name == "log" else SEALED, chance)


# --- inputs ---------------------------------------------------------------------------------------


def make_store(chance: Random) -> bytes:
    """Return the files of a store, spoilt below or above the checksums, or both."""
    if chance.random() < 0.6:
        files = make_anatomy(chance).files()
        if chance.random() < 0.2:
            spoil_files(files, chance)
    else:
        files = dict(pick(chance, FILES))
        spoil_files(files, chance)
    return pack_files(files)


def make_log(chance: Random) -> bytes:
    """Return a log alone."""
    if chance.random() < 0.4:
        return spoil(pick(chance, LOGS), LOGS, chance)
    store = make_anatomy(chance)
    store.stream = b""  # segments aren't needed
    data = store.files()["log"]
    return data if chance.random() < 0.7 else spoil(data, LOGS, chance)


def make_head(chance: Random) -> bytes:
    """Return the beginning of a log."""
    if chance.random() < 0.3:
        return spoil(pick(chance, LOGS)[:60], SEALED, chance)
    numbers = [7, 0, 1, 4, 0]
    place = below(chance, 5)
    numbers[place] = extreme(chance, numbers[place], U64 if place == 3 else U32)
    payload = pack(">IIIQI", *numbers)
    if chance.random() < 0.2:
        payload = spoil(payload, PAYLOADS, chance)
    kind = b"H" if chance.random() < 0.9 else bytes([pick(chance, U8)])
    sequence = pick(chance, U64) if chance.random() < 0.3 else 5
    return frame.PREAMBLE + seal(kind, sequence, payload)


def make_frame(chance: Random) -> bytes:
    """Return a frame without a salt."""
    if chance.random() < 0.5:
        return spoil(pick(chance, FRAMES), FRAMES, chance)
    payload = spoil(pick(chance, PAYLOADS), PAYLOADS, chance)
    length = pick(chance, U32) if chance.random() < 0.2 else -1
    return seal(bytes([pick(chance, U8)]), pick(chance, U64), payload, 0, length)


def make_pieces(chance: Random) -> bytes:
    """Return bare segments, in any order."""
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
            piece, number = pieces[at], extreme(chance, len(pieces), U32).to_bytes(4, "big")
            renumbered, recounted = number + piece[4:], piece[:4] + number + piece[8:]
            pieces[at] = pick(chance, (renumbered, recounted, spoil(piece, [b""], chance)))
        if chance.random() < 0.6:
            return pack_files({str(number): piece for number, piece in enumerate(pieces)})


def make_sealed(chance: Random) -> bytes:
    """Return a segment's file."""
    data = spoil(pick(chance, SEALED)[25:], SEALED, chance)
    if chance.random() < 0.7:
        return frame.PREAMBLE + seal(b"S", pick(chance, U64), data)
    return spoil(frame.PREAMBLE + seal(b"S", 1, data), SEALED, chance)


def spoiling(pool: list[bytes]) -> Maker:
    """Return a maker that spoils one of these."""
    return lambda chance: spoil(pick(chance, pool), pool, chance)


make_field, make_stream, make_payload = spoiling(FIELDS), spoiling(STREAMS), spoiling(PAYLOADS)
BY_FORMAT: dict[str, Maker] = {
    "field": make_field,
    "record": spoiling(RECORDS),
    "mutations": make_payload,
    "snapshot": make_stream,
    "segment": spoiling([piece for pieces in PIECES for piece in pieces]),
    "frame": make_frame,
    "log": make_log,
    "sealed": make_sealed,
    "unknown": make_field,
}


def make_any(chance: Random) -> bytes:
    """Return bytes of any format but a whole store."""
    return pick(chance, [*BY_FORMAT.values()])(chance)


def make_layout(chance: Random) -> bytes:
    """Return the number of a format, and mostly bytes of that format."""
    number = below(chance, len(FORMATS))
    maker = make_any if chance.random() < 0.1 else BY_FORMAT[[*FORMATS][number]]
    return bytes([number]) + maker(chance)
