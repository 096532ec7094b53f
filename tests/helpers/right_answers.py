"""Answers to the exercises in different styles, right and wrong.

`RIGHT` has at least two right answers to each exercise, in other styles than the solution.
`VARIANTS` has wrong answers written independently of `kvlib.lessons`, with the mistake each makes.
"""

import ast
import copy
import io
import pickle
import struct
from collections.abc import Callable
from functools import reduce
from typing import Any

from helpers import right_log, right_segments, wrong_log
from kvlib.lessons import collisions

Records = dict[Any, Any]
Operations = list[tuple[Any, ...]]

# ---------------------------------------------------------------------------------- 01-encode-field


def field_by_struct(value: str | bytes) -> bytes:
    """Pack the whole field with one struct."""
    tag, data = (b"s", value.encode("utf-8")) if isinstance(value, str) else (b"b", value)
    return struct.pack(f">cI{len(data)}s", tag, len(data), data)


def field_by_shifting(value: Any) -> bytes:
    """Shift the length out byte by byte."""
    result = bytearray()
    try:
        data = value.encode()
        result.append(ord("s"))
    except AttributeError:
        data = value
        result.append(ord("b"))
    for shift in (24, 16, 8, 0):
        result.append(len(data) >> shift & 0xFF)
    result.extend(data)
    return bytes(result)


def field_by_class(value: Any) -> bytes:
    """Use a class for a field."""

    class Field:
        def __init__(self, data: bytes, tag: str) -> None:
            self.parts = [tag.encode(), bytes.fromhex(f"{len(data):08x}"), data]

    if type(value) is str:
        return b"".join(Field(value.encode(), "s").parts)
    return b"".join(Field(value, "b").parts)


# ------------------------------------------------------------------------------------- 01-delimiter


def as_netstrings(records: Records) -> bytes:
    """Write lengths as digits, each ended by a colon."""

    def piece(item: str | bytes) -> bytes:
        tag, data = (b"s", item.encode()) if isinstance(item, str) else (b"b", item)
        return b"%d:%s%s" % (len(data), tag, data)

    return b"".join(piece(key) + piece(value) for key, value in records.items())


def as_escaped(records: Records) -> bytes:
    """Escape the delimiters, and the escape character too."""

    def piece(item: str | bytes) -> bytes:
        data = b"s" + item.encode() if isinstance(item, str) else b"b" + item
        for mark in (b"\\", b"=", b";"):
            data = data.replace(mark, b"\\" + mark)
        return data

    return b"".join(piece(key) + b"=" + piece(value) + b";" for key, value in records.items())


def as_hex(records: Records) -> bytes:
    """Write two digits per byte, so other characters can be delimiters."""

    def piece(item: str | bytes) -> str:
        return "s" + item.encode().hex() if isinstance(item, str) else "b" + item.hex()

    return ",".join(f"{piece(key)}:{piece(value)}" for key, value in records.items()).encode()


def as_repr_of_sorted(records: Records) -> bytes:
    """Write the `repr` of the sorted records."""
    return repr(sorted(records.items(), key=repr)).encode()


# -------------------------------------------------------------------------------------- 01-snapshot


def stream_by_reduce(records: Records) -> bytes:
    """Encode in one expression."""
    items = [item for record in records.items() for item in record]
    return reduce(lambda done, item: done + field_by_struct(item), items, _u32(len(records)))


def stream_by_writing(records: Records) -> bytes:
    """Write into a stream in memory."""
    out = io.BytesIO()
    out.write(struct.pack("!L", len(records)))
    for key in records:
        out.write(field_by_shifting(key))
        out.write(field_by_shifting(records[key]))
    return out.getvalue()


def stream_of_sorted(records: Records) -> bytes:
    """Write the records in the order of their keys."""
    return stream_by_writing(dict(sorted(records.items(), key=repr)))


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


class Reader:
    def __init__(self, data: bytes) -> None:
        self.source = io.BytesIO(data)

    def take(self, size: int) -> bytes:
        data = self.source.read(size)
        if len(data) != size:
            raise ValueError("cut short")
        return data

    def number(self) -> int:
        return int(struct.unpack("!L", self.take(4))[0])

    def field(self) -> str | bytes:
        tag = self.take(1)
        data = self.take(self.number())
        if tag == b"s":
            return data.decode()
        if tag == b"b":
            return data
        raise ValueError(f"tag {tag!r}")


def records_by_class(data: bytes) -> Records:
    """Read with an object that has a position."""
    reader = Reader(data)
    records: Records = {}
    for _ in range(reader.number()):
        key = reader.field()
        if key in records:
            raise ValueError("twice")
        records[key] = reader.field()
    if reader.source.read():
        raise ValueError("more")
    return records


def records_by_recursion(data: bytes) -> Records:
    """Read with an offset."""

    def field(at: int) -> tuple[Any, int]:
        if len(data) - at < 5:
            raise ValueError("no field")
        end = at + 5 + int.from_bytes(data[at + 1 : at + 5], "big")
        if end > len(data) or data[at] not in b"sb":
            raise ValueError("no field either")
        return (data[at + 5 : end].decode() if data[at] == 115 else data[at + 5 : end]), end

    if len(data) < 4 or int.from_bytes(data[:4], "big") * 10 > len(data) - 4:
        raise ValueError("no such count")
    pairs, at = list[tuple[Any, Any]](), 4
    while len(pairs) < int.from_bytes(data[:4], "big"):
        key, at = field(at)
        value, at = field(at)
        pairs.append((key, value))
    if at < len(data) or len(dict(pairs)) < len(pairs):
        raise ValueError("too much, or a key twice")
    return dict(pairs)


# --------------------------------------------------------------------------------- 01-run-snapshots


class Machine:
    def __init__(self) -> None:
        self.items: Records = {}
        self.paths: dict[str, bytes] = {}
        self.results: list[Any] = []

    def put(self, key: Any, value: Any) -> None:
        self.items |= {key: value}

    def get(self, key: Any) -> None:
        self.results += [self.items.get(key)]

    def delete(self, key: Any) -> None:
        if key in self.items:
            del self.items[key]

    def serialize(self, path: str) -> None:
        self.paths[path] = stream_by_writing(self.items)

    def deserialize(self, path: str) -> None:
        self.items = records_by_class(self.paths[path])


def run_on(machine: Machine, operations: Operations) -> list[Any]:
    """Call a method for each operation."""
    for name, *arguments in operations:
        getattr(machine, name)(*arguments)
    return machine.results


def run_by_methods(operations: Operations) -> list[Any]:
    """Use a class with a method for each operation."""
    return run_on(Machine(), operations)


def run_by_match(operations: Operations) -> list[Any]:
    """Use one match statement."""
    state: Records = {}
    files: dict[str, bytes] = {}
    found = []
    for operation in operations:
        match operation:
            case ("put", key, value):
                state[key] = value
            case ("get", key):
                found.append(state.get(key, None))
            case ("delete", key) if key in state:
                state = {one: state[one] for one in state if one != key}
            case ("serialize", path):
                files[path] = stream_by_writing(state)
            case ("deserialize", path):
                state.clear()
                state.update(records_by_recursion(files[path]))
    return found


RIGHT: dict[str, list[Any]] = {
    "01-length": [14, sum([1, 4, len(b"d\xc3\xa9j\xc3\xa0 vu")])],
    "01-encode-field": [field_by_struct, field_by_shifting, field_by_class],
    "01-decode-order": [(6, 4, 2, 5, 3, 1), [*(6, 4, 2), *(5, 3), 1]],
    "01-delimiter": [as_netstrings, as_escaped, as_hex, as_repr_of_sorted],
    "01-bug-hunt": [{b"": ""}, {"a": b"1", b"b": "x"}, {b"1": "", "1": ""}],
    "01-snapshot": [
        (stream_by_reduce, records_by_class),
        [stream_by_writing, records_by_recursion],
        (stream_of_sorted, records_by_class),
    ],
    "01-run-snapshots": [run_by_methods, run_by_match],
}

# ------------------------------------------------------------------------------------------- wrong


def their_field_counts_characters(value: Any) -> bytes:
    """Measure bytes correctly, but text in characters."""
    if isinstance(value, bytes):
        return b"b" + struct.pack(">I", len(value)) + value
    return b"s" + struct.pack(">I", len(value)) + bytes(value, "utf-8")


def their_field_is_little_endian(value: Any) -> bytes:
    """Pack a struct with the wrong byte order."""
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<cI", b"s" if isinstance(value, str) else b"b", len(data)) + data


def their_field_in_hex(value: Any) -> str:
    """Return hex digits."""
    return field_by_struct(value).hex()


def their_field_with_a_long_length(value: Any) -> bytes:
    """Pack a struct with the wrong length format."""
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(">cQ", b"s" if isinstance(value, str) else b"b", len(data)) + data


def their_field_of_zeros(value: Any) -> bytes:
    """Write as many zeros as the length says."""
    field = field_by_struct(value)
    return field[:1] + b"\0" * len(field[5:]) + field[5:]


def their_csv(records: Records) -> bytes:
    """Write one line per record."""
    lines = [f"{key},{value}" for key, value in records.items()]
    return "\n".join(lines).encode()


def their_xml(records: Records) -> bytes:
    """Write elements without escaping."""
    return "".join(f"<k>{key}</k><v>{value}</v>" for key, value in records.items()).encode()


def their_columns(records: Records) -> bytes:
    """Write columns nine characters wide."""
    return "".join(f"{key:<9}{value:<9}" for key, value in records.items()).encode()


def their_words(records: Records) -> bytes:
    """Write lengths and spaces, and only ASCII."""
    return " ".join(
        f"{len(key)} {key} {len(value)} {value}" for key, value in records.items()
    ).encode("ascii", "ignore")


def their_typeless_stream(records: Records) -> bytes:
    """Write lengths of two bytes, and leave out longer values."""
    items = [item for record in records.items() for item in record]
    data = [item.encode() if isinstance(item, str) else item for item in items]
    return b"".join(struct.pack("<H", len(one) % 65536) + one for one in data if len(one) < 65536)


def their_pickle(records: Records) -> bytes:
    """Pickle the records."""
    return pickle.dumps(records)


def their_loose_decoder(data: bytes) -> Records:
    """Slice without checking lengths."""
    if len(data) < 4:
        raise ValueError("no count")
    items: list[Any] = []
    count, rest = int.from_bytes(data[:4], "big"), data[4:]
    for _ in range(2 * count):
        tag, length, rest = rest[:1], int.from_bytes(rest[1:5], "big"), rest[5:]
        if tag == b"s":
            items.append(rest[:length].decode())
        elif tag == b"b":
            items.append(rest[:length])
        else:
            raise ValueError("no tag")
        rest = rest[length:]
    if rest or len(set(items[::2])) < count:
        raise ValueError("too much, or too often")
    return dict(zip(items[::2], items[1::2], strict=True))


class UpdatingMachine(Machine):
    def deserialize(self, path: str) -> None:
        self.items.update(records_by_class(self.paths[path]))


class CopyingMachine(Machine):
    def __init__(self) -> None:
        super().__init__()
        self.saved: dict[str, Records] = {}

    def serialize(self, path: str) -> None:
        self.saved[path] = copy.deepcopy(self.items)

    def deserialize(self, path: str) -> None:
        self.items = copy.deepcopy(self.saved[path])


class LiteralMachine(Machine):
    def serialize(self, path: str) -> None:
        self.paths[path] = str(self.items).encode()

    def deserialize(self, path: str) -> None:
        self.items = ast.literal_eval(self.paths[path].decode())


class PicklingMachine(Machine):
    def serialize(self, path: str) -> None:
        out = io.BytesIO()
        pickle.Pickler(out).dump(self.items)
        self.paths[path] = out.getvalue()

    def deserialize(self, path: str) -> None:
        self.items = pickle.Unpickler(io.BytesIO(self.paths[path])).load()


def their_updating_run(operations: Operations) -> list[Any]:
    """Keep what was put after the snapshot."""
    return run_on(UpdatingMachine(), operations)


def their_run_with_copies(operations: Operations) -> list[Any]:
    """Save copies of dicts."""
    return run_on(CopyingMachine(), operations)


def their_run_with_literals(operations: Operations) -> list[Any]:
    """Save the dict's `str`, and read it as a literal."""
    return run_on(LiteralMachine(), operations)


def their_run_with_a_pickler(operations: Operations) -> list[Any]:
    """Pickle through the class Pickler."""
    return run_on(PicklingMachine(), operations)


def _good_stream_with(decode: Callable[[bytes], Records]) -> tuple[Any, Any]:
    return stream_by_writing, decode


# Each with its mistake: the function's name, the wrong value, or the sentence itself.
VARIANTS: list[tuple[str, Any, Any]] = [
    ("01-length", len("déjà vu"), 7),
    ("01-length", 5 + len("déjà vu"), 12),
    ("01-encode-field", their_field_counts_characters, "field_counts_characters"),
    ("01-encode-field", their_field_is_little_endian, "field_is_little_endian"),
    ("01-encode-field", their_field_in_hex, "field_as_hex"),
    ("01-encode-field", their_field_with_a_long_length, "field_has_a_long_length"),
    ("01-encode-field", their_field_of_zeros, "field_has_zeros_for_a_length"),
    ("01-decode-order", [6, 4, 1, 2, 5, 3], [6, 4, 2, 5, 1, 3]),
    ("01-decode-order", (4, 1, 2, 3, 5, 6), [4, 6, 2, 5, 3, 1]),
    ("01-delimiter", their_csv, collisions.SENTENCES["marks"]),
    ("01-delimiter", their_xml, collisions.SENTENCES["marks"]),
    ("01-delimiter", their_columns, collisions.SENTENCES["marks"]),
    ("01-delimiter", their_words, collisions.SENTENCES["characters"]),
    ("01-delimiter", their_typeless_stream, collisions.SENTENCES["lengths"]),
    ("01-bug-hunt", {"ключ": "тест"}, {"café": "2,50 €"}),
    ("01-bug-hunt", {"": b"\xff"}, {"": ""}),
    ("01-snapshot", (their_pickle, records_by_class), "snapshot_by_pickle"),
    ("01-snapshot", _good_stream_with(their_loose_decoder), "decode_slices_unchecked"),
    ("01-run-snapshots", their_updating_run, "run_updates_the_state"),
    ("01-run-snapshots", their_run_with_copies, "run_keeps_a_copy"),
    ("01-run-snapshots", their_run_with_literals, "run_evals"),
    ("01-run-snapshots", their_run_with_a_pickler, "run_pickles"),
]

# -------------------------------------------------------------------------------- notebooks 2 and 3

RIGHT |= right_segments.RIGHT
VARIANTS += right_segments.VARIANTS

RIGHT |= right_log.RIGHT
VARIANTS += wrong_log.VARIANTS
