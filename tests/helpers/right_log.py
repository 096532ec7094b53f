"""Answers to notebook 3's exercises in different styles; see right_answers.py."""

import os
import shutil
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import kvlib
from kvlib.crash import boot
from kvlib.log import decode_mutations, encode_delete, encode_put

Records = dict[Any, Any]
Operations = list[tuple[Any, ...]]

# -------------------------------------------------------------------------------- 03-run-shutdown


class Till:
    """A store with kvlib's encoder, and a method for each operation."""

    def __init__(self) -> None:
        self.memory: Records = {}
        self.file: bytes | None = None

    def set(self, key: Any, value: Any) -> None:
        self.memory |= {key: value}

    def get(self, key: Any) -> Any:
        return self.memory.get(key)

    def shutdown(self) -> None:
        self.file = kvlib.encode_snapshot(self.memory)
        self.memory.clear()

    def restore(self) -> None:
        self.memory = {} if self.file is None else kvlib.decode_snapshot(self.file)


def run_on(till: Till, operations: Operations) -> list[Any]:
    """Call a method for each operation."""
    answers = [(name, getattr(till, name)(*arguments)) for name, *arguments in operations]
    return [answer for name, answer in answers if name == "get"]


def shutdown_by_methods(operations: Operations) -> list[Any]:
    """Use a class with a method for each operation."""
    return run_on(Till(), operations)


def shutdown_by_struct(operations: Operations) -> list[Any]:
    """Write both lengths first, and both types in one byte."""
    memory: Records = {}
    written = b""
    answers: list[Any] = []
    for operation in operations:
        match operation:
            case ("set", key, value):
                memory[key] = value
            case ("get", key):
                answers += [memory.get(key)]
            case ("shutdown",):
                written = b""
                for pair in memory.items():
                    kinds = sum(isinstance(one, str) << at for at, one in enumerate(pair))
                    key, value = (one.encode() if isinstance(one, str) else one for one in pair)
                    written += struct.pack("<BII", kinds, len(key), len(value)) + key + value
                memory = {}
            case ("restore",):
                memory, rest = {}, written
                while rest:
                    kinds, a, b = struct.unpack("<BII", rest[:9])
                    key, value, rest = rest[9 : 9 + a], rest[9 + a : 9 + a + b], rest[9 + a + b :]
                    memory[key.decode() if kinds & 1 else key] = (
                        value.decode() if kinds & 2 else value
                    )
    return answers


# ---------------------------------------------------------------------------------------- 03-torn


def shop_after_the_cut() -> Records:
    """Ask the real store what it recovers."""
    disk = kvlib.MemoryDisk()
    shop = kvlib.open(disk)
    shop["tea"] = "3"
    shop["pie"] = "2"
    shop["tea"] = "4"
    del shop["tea"]
    files = {name: disk.read(name) for name in disk.names()}
    return dict(kvlib.open(boot(files | {"log": files["log"][:170]}), read_only=True))


# -------------------------------------------------------------------------------------- 03-replay


def replay_by_comprehension(data: bytes, items: Records) -> Records:
    """Keep the last value of each key."""
    mutations: list[Any] = []
    while data:
        frame = kvlib.unseal(data)
        mutations += decode_mutations(frame.payload)
        data = data[frame.end :]
    changed = items | dict(mutations)
    return {key: value for key, value in changed.items() if value is not None}


def replay_by_trying(data: bytes, items: Records) -> Records:
    """Store None, then delete the key again."""
    state, offset = items.copy(), 0
    while offset < len(data):
        *_, offset, _, _, payload = 0, *kvlib.unseal(data, offset)[1:]
        for key, value in decode_mutations(payload):
            state[key] = value
            if state[key] is None:
                del state[key]
    return state


# ------------------------------------------------------------------------------------ 03-bug-hunt


def append_to_whole_frames(log: bytes, payload: bytes) -> bytes:
    """Collect the whole frames."""
    frames: list[bytes] = []
    try:
        while True:
            frame = kvlib.unseal(log, sum(map(len, frames)))
            frames.append(log[frame.start : frame.end])
    except kvlib.CorruptionError:
        return b"".join([*frames, kvlib.seal(b"M", len(frames) + 1, payload)])


def append_by_recursion(log: bytes, payload: bytes, number: int = 1) -> bytes:
    """Keep the first frame, and append to the rest."""
    try:
        end = kvlib.unseal(log).end
    except kvlib.CorruptionError:
        return kvlib.seal(b"M", number, payload)
    return log[:end] + append_by_recursion(log[end:], payload, number + 1)


# ------------------------------------------------------------------------------------- 03-recover


def whole(log: bytes, at: int) -> tuple[int, bytes, int] | None:
    """Return number, payload and end of the frame at an offset, checked without `unseal`."""
    if len(log) < at + 17:
        return None
    crc, length, number, kind = struct.unpack_from(">IIQc", log, at)
    end = at + 17 + length
    if end > len(log) or kind == b"\0" or zlib.crc32(log[at + 4 : end]) != crc:
        return None
    return number, log[at + 17 : end], end


def recover_by_struct(log: bytes) -> Records:
    """Recover without `unseal`."""
    items: Records = {}
    at = 0
    for expected in range(1, len(log) + 2):
        found = whole(log, at)
        if found is None:
            break
        number, payload, at = found
        assert_right(number == expected)
        for key, value in decode_mutations(payload):
            items[key] = value
    following = (whole(log, later) for later in range(at + 1, len(log)))
    assert_right(not any(frame and frame[0] > expected for frame in following))
    return {key: value for key, value in items.items() if value is not None}


def assert_right(condition: bool) -> None:
    """Raise a ValueError unless the condition holds."""
    if not condition:
        raise ValueError("not what a crash leaves")


def recover_from_everywhere(log: bytes) -> Records:
    """Find all whole frames first, then check that they follow each other."""
    frames: list[Any] = []
    at = 0
    while at < len(log):
        try:
            frames.append(kvlib.unseal(log, at))
            at = frames[-1].end
        except kvlib.CorruptionError:
            at += 1
    items: Records = {}
    end, number, broken = 0, 0, False
    for frame in frames:
        broken = broken or frame.start > end
        if (frame.sequence > number + 1) if broken else (frame.sequence != number + 1):
            raise ValueError("numbers")
        for key, value in decode_mutations(frame.payload) if not broken else ():
            items.pop(key, None)
            items.update({} if value is None else {key: value})
        end, number = (end, number) if broken else (frame.end, frame.sequence)
    return items


# ------------------------------------------------------------------------------------- 03-run-log


class Diary:
    """A store with kvlib's encoders, and one frame per record."""

    def __init__(self, threshold: int, log: bytes, snapshot: bytes) -> None:
        self.threshold, self.log, self.snapshot = threshold, log, snapshot
        self.memory: Records = kvlib.decode_snapshot(snapshot[2:])
        self.pending = 0
        at = 0
        while at < len(log):
            frame = kvlib.unseal(log, at)
            for key, value in decode_mutations(frame.payload):
                self.change(key, value)
            self.pending, at = self.pending + 1, frame.end

    def change(self, key: Any, value: Any) -> None:
        self.memory[key] = value
        if value is None:
            del self.memory[key]

    def add(self, key: Any, value: Any) -> None:
        payload = encode_delete(key) if value is None else encode_put(key, value)
        self.log += kvlib.seal(b"M", self.pending, payload)
        self.change(key, value)
        self.pending += 1
        if self.pending == self.threshold:
            number = (1 + self.number()).to_bytes(2, "little")
            self.log, self.snapshot = b"", number + kvlib.encode_snapshot(self.memory)
            self.pending = 0

    def number(self) -> int:
        return int.from_bytes(self.snapshot[:2], "little")


def log_by_class(
    compact_threshold: int, operations: Operations, kind: type[Diary] = Diary
) -> list[Any]:
    """Restart with a new object."""
    diary = kind(compact_threshold, b"", bytes(6))
    answers: list[Any] = []
    for operation in operations:
        match operation:
            case ("put", key, value):
                diary.add(key, value)
            case ("delete", key):
                diary.add(key, None)
            case ("get", key):
                answers.append(diary.memory.get(key))
            case ("status",):
                answers.append((len(diary.memory), diary.pending, diary.number()))
            case _:
                diary = kind(compact_threshold, diary.log, diary.snapshot)
    return answers


def log_of_records(compact_threshold: int, operations: Operations) -> list[Any]:
    """Keep the log and the snapshot as lists of bytes."""
    memory: Records = {}
    log: list[bytes] = []
    base: list[bytes] = []
    compacted = b"\0\0\0"
    answers: list[Any] = []

    def piece(one: str | bytes) -> bytes:
        return b"t" + one.encode().hex().encode() if isinstance(one, str) else one.hex().encode()

    def thing(one: bytes) -> str | bytes:
        if one[:1] == b"t":
            return bytes.fromhex(one[1:].decode()).decode()
        return bytes.fromhex(one.decode())

    def read(records: list[bytes]) -> None:
        for record in records:
            key, _, value = record.partition(b"=")
            if value == b"-":
                memory.pop(thing(key), None)
            else:
                memory[thing(key)] = thing(value)

    for name, *arguments in operations:
        if name == "restart":
            memory = {}
            read(base)
            read(log)
        elif name == "status":
            answers.append((len(memory), len(log), int.from_bytes(compacted, "big")))
        elif name == "get":
            answers.extend([memory[arguments[0]]] if arguments[0] in memory else [None])
        else:
            value = piece(arguments[1]) if name == "put" else b"-"
            log.append(piece(arguments[0]) + b"=" + value)
            read(log[-1:])
            if not len(log) < compact_threshold:
                base = [piece(key) + b"=" + piece(value) for key, value in memory.items()]
                compacted = (int.from_bytes(compacted, "big") + 1).to_bytes(3, "big")
                log.clear()
    return answers


def save_by_numbers(path: str, data: bytes) -> None:
    """Use file descriptors alone."""
    target = Path(path)
    beside = target.with_suffix(".tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def save_by_moving(path: str, data: bytes) -> None:
    """Let the library choose the name of the new file."""
    folder = os.path.dirname(path)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(data)
        file.flush()
        os.fsync(file)
    shutil.move(file.name, path)
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


RIGHT: dict[str, list[Any]] = {
    "03-run-shutdown": [shutdown_by_methods, shutdown_by_struct],
    "03-torn": [shop_after_the_cut(), {"pie": "2", "tea": "4"}],
    "03-replay": [replay_by_comprehension, replay_by_trying],
    "03-save": [save_by_numbers, save_by_moving],
    "03-publish-order": [
        [2, 6, 8, 4, 7, 1, 3, 5],  # the two steps that sync the folder are the same
        (8, 4, 2, 6, 3, 1, 7, 5),
        [2, 8, 3, 6, 4, 1, 7, 5],
    ],
    "03-bug-hunt": [append_to_whole_frames, append_by_recursion],
    "03-recover": [recover_by_struct, recover_from_everywhere],
    "03-run-log": [log_by_class, log_of_records],
}
