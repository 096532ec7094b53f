"""Make hostile inputs from what the engine wrote.

An input of several files packs each one as name length u8, name, data length u32, data.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from struct import pack
from typing import NamedTuple
from zlib import crc32

import kvlib
from helpers.vocabulary import (
    AWKWARD,
    HEAD_END,
    SEGMENT_START,
    files_of,
    head_fields,
    head_payload,
    survivor,
)
from kvlib import MemoryDisk, encoding, frame
from kvlib.layout.dissect import FORMATS
from tools.fuzz.accidents import U8, U32, U64, below, extreme, pick, spoil

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


# --- stores, taken apart --------------------------------------------------------------------------


def seal(kind: bytes, sequence: int, payload: bytes, length: int = -1) -> bytes:
    """Return a frame without a salt, even one that the engine would refuse to write."""
    checked = pack(">IQ", len(payload) if length < 0 else length, sequence) + kind + payload
    return crc32(checked).to_bytes(4, "big") + checked


class Frame(NamedTuple):
    """A frame of a file; a length of -1 stands for the right one."""

    kind: bytes
    sequence: int
    payload: bytes
    length: int = -1


def take_apart(data: bytes) -> list[Frame]:
    """Return the frames of a whole file, found by their lengths."""
    frames, at = [], 8
    while at < len(data):
        end = at + 17 + int.from_bytes(data[at + 4 : at + 8], "big")
        sequence = int.from_bytes(data[at + 8 : at + 16], "big")
        frames.append(Frame(data[at + 16 : at + 17], sequence, data[at + 17 : end]))
        at = end
    return frames


def put_together(frames: Iterable[Frame]) -> bytes:
    """Return a file of these frames, with checksums that ignore the salt."""
    return frame.PREAMBLE + b"".join(seal(*found) for found in frames)


def mend(data: bytes) -> bytes:
    """Return a file with the right checksums, up to the first wrong length."""
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


def mend_files(files: Files) -> dict[str, bytes]:
    """Return files with the right checksums, including that of the joined segments."""
    mended = {name: mend(data) for name, data in files.items()}
    head = mended.get("log", b"")
    if len(head) >= HEAD_END:
        names = sorted(name for name in mended if name.endswith(".segment"))
        stream = b"".join(mended[name][SEGMENT_START + 8 :] for name in names)
        claims = {"stream_length": len(stream), "stream_crc": crc32(stream)}
        payload = head_payload(stream, **head_fields(head) | claims)
        mended["log"] = mend(head[:SEGMENT_START] + payload + head[HEAD_END:])
    return mended


def whole_stores() -> Iterator[dict[str, bytes]]:
    """Yield the files of stores in every state."""
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
                yield files_of(survivor(disk))
            yield files_of(disk)


FILES = [*whole_stores()]
STORES = [{name: take_apart(data) for name, data in files.items()} for files in FILES]
FIELDS = [encoding.encode_field(value) for value in AWKWARD]
RECORDS = [first + second for first in FIELDS for second in FIELDS[:5]]
LOGS = [files["log"] for files in FILES]
SEALED = [data for files in FILES for name, data in files.items() if name != "log"]
FRAMES = [seal(*found) for store in STORES for found in store["log"][1:]]
PAYLOADS = [found.payload for store in STORES for found in store["log"][1:]]
PIECES = [
    [data[25:] for name, data in files.items() if name != "log"]
    for files in FILES
    if len(files) < 20
]
STREAMS = [kvlib.join(pieces) for pieces in PIECES]


# --- stores that say something wrong --------------------------------------------------------------


def _spoil_payload(found: Frame, chance: Random) -> Frame:
    return found._replace(payload=spoil(found.payload, PAYLOADS, chance))


def _spoil_number(found: Frame, chance: Random) -> Frame:
    at = 4 * below(chance, 6)  # where the numbers of heads and segments are
    size, choices = (8, U64) if found.kind == b"H" and at == 12 else (4, U32)
    old = int.from_bytes(found.payload[at : at + size], "big")
    new = extreme(chance, old, choices).to_bytes(size, "big")
    return found._replace(payload=found.payload[:at] + new + found.payload[at + size :])


def _spoil_header(found: Frame, chance: Random) -> Frame:
    what = below(chance, 3)
    if what == 0:
        return found._replace(kind=bytes([pick(chance, U8)]))
    if what == 1:
        return found._replace(sequence=extreme(chance, found.sequence, U64))
    return found._replace(length=extreme(chance, len(found.payload), U32))


PARTS = [*[_spoil_payload] * 3, *[_spoil_header] * 2, _spoil_number]


def spoil_frames(frames: list[Frame], chance: Random) -> None:
    """Spoil one of the frames of a file, or their order."""
    first, second = (below(chance, len(frames)) for _ in range(2))
    what = below(chance, 10)
    if what == 0:
        del frames[first]
    elif what == 1:
        frames.insert(second, frames[first])
    elif what == 2:
        frames[first], frames[second] = frames[second], frames[first]
    else:
        frames[first] = pick(chance, PARTS)(frames[first], chance)


def renumber(files: Mapping[str, list[Frame]], chance: Random) -> dict[str, list[Frame]]:
    """Return a store whose sequences end near the last possible one, which is allowed."""
    generation = files["log"][0].sequence
    start = pick(chance, (2**63, 2**63 - 1, 2**63 - 2, 2**32, 255)) - below(chance, 8)
    return {
        name.replace(f"{generation:016x}", f"{start:016x}"): [
            found._replace(sequence=found.sequence - generation + start) for found in frames
        ]
        for name, frames in files.items()
    }


def make_files(chance: Random) -> dict[str, bytes]:
    """Return a store that says something wrong, below checksums that are right."""
    store = {name: frames[:] for name, frames in pick(chance, STORES).items()}
    if chance.random() < 0.1:
        store = renumber(store, chance)
    while chance.random() < 0.9:
        name = "log" if chance.random() < 0.7 else pick(chance, [*store])
        if store[name]:
            spoil_frames(store[name], chance)
        if chance.random() < 0.8:
            break
    files = {name: put_together(frames) for name, frames in store.items()}
    if chance.random() < 0.8:
        return mend_files(files)
    return {name: mend(data) for name, data in files.items()}


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
        files = make_files(chance)
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
    data = make_files(chance)["log"]
    return data if chance.random() < 0.7 else spoil(data, LOGS, chance)


def make_head(chance: Random) -> bytes:
    """Return the beginning of a log."""
    if chance.random() < 0.3:
        return spoil(pick(chance, LOGS)[:60], SEALED, chance)
    found = pick(chance, STORES)["log"][0]
    spoil_part = pick(chance, (_spoil_number, _spoil_number, _spoil_number, *PARTS))
    return mend(put_together([spoil_part(found, chance)]))


def make_frame(chance: Random) -> bytes:
    """Return a frame without a salt."""
    if chance.random() < 0.5:
        return spoil(pick(chance, FRAMES), FRAMES, chance)
    return seal(*pick(chance, PARTS)(pick(chance, pick(chance, STORES)["log"]), chance))


def make_pieces(chance: Random) -> bytes:
    """Return bare segments, in any order."""
    pieces = pick(chance, PIECES)[:]
    while True:
        at, what = below(chance, len(pieces)), below(chance, 6)
        number = extreme(chance, len(pieces), U32).to_bytes(4, "big")
        if what == 0:
            pieces.insert(at, pick(chance, pieces))
        elif what == 1 and len(pieces) > 1:
            del pieces[at]
        elif what == 2:
            pieces[at] = pick(chance, pick(chance, PIECES))
        elif what == 3:
            pieces = pieces[at:] + pieces[:at]
        elif what == 4:
            pieces[at] = spoil(pieces[at], [b""], chance)
        else:
            place = pick(chance, (0, 4))
            pieces[at] = pieces[at][:place] + number + pieces[at][place + 4 :]
        if chance.random() < 0.6:
            return pack_files({str(number): piece for number, piece in enumerate(pieces)})


def make_sealed(chance: Random) -> bytes:
    """Return a segment's file."""
    if chance.random() < 0.3:
        return spoil(pick(chance, SEALED), SEALED, chance)
    frames = take_apart(pick(chance, SEALED))
    spoil_frames(frames, chance)
    return put_together(frames)


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
