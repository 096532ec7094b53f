"""01-run-snapshots: save and restore the state of a store as bytes, exactly.

Write `run_snapshots(operations)`. It takes a list of tuples, one for each operation, and returns a
list with the value that each `get` found. The operations are `put key value`, `get key` (None if
the key is missing), `delete key` (does nothing if the key is missing), `serialize path` (keep the
whole state under this path, as one `bytes`) and `deserialize path` (the state becomes exactly what
was saved). Keys and values are str or bytes. There may be up to 100,000 operations. Don't use
kvlib, pickle, repr or eval.

Hint: Start with `state = {}`, `saved = {}` and `results = []`, then write one loop with an `if` for
each operation. Later puts would change a dict kept in `saved`, so keep bytes.

Hint: Write a function that turns one value into a field: tag, length, data. Its twin takes bytes
and an offset, and returns the value and the offset where the next field begins.

Hint: "Exactly" means that `deserialize` replaces the state with a new dict. If you only update the
old dict, records from after the snapshot stay in it.

Why: You save bytes, so later changes can't reach them, and they would outlive the program.
"""

from typing import Any, Final

from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Case, texts
from kvlib.lessons.exercises.stores import (
    FAR,
    FORBIDDEN,
    KEEPSAKE,
    LOAD,
    LONG,
    SAVE,
    Operation,
    about_data,
    about_memory,
    about_saving,
    get,
    gets,
    keeps_objects,
    operation_of,
    put,
)

KEPT: Final = (
    "You got back the very object that was put, so it never became bytes. Under each path, keep "
    "one `bytes`, as a file would hold it."
)


def _alone(operations: list[Operation]) -> tuple[Any, ...]:
    return (operations,)


def _large_operations() -> list[Case]:
    puts = [put(f"key {number}", b"v" * 50) for number in range(1_000)]
    operations = [*puts, *[SAVE, put(), LOAD] * 3, *gets(19_000, keys=1_000)]
    return [
        Case((operations,), "20,000 operations on 1,000 records"),
        Case(([LONG, SAVE, LOAD, get()],), "a value of 70,000 bytes", FAR),
    ]


def run_snapshots(operations: list[tuple[Any, ...]]) -> list[str | bytes | None]:
    """Keep bytes under a path, so later puts can't change what was saved."""

    def encode(records: dict[str | bytes, str | bytes]) -> bytes:
        stream = bytearray()
        for record in records.items():
            for value in record:
                tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
                stream += tag + len(data).to_bytes(4, "big") + data
        return bytes(stream)

    def field(data: bytes, offset: int) -> tuple[str | bytes, int]:
        end = offset + 5 + int.from_bytes(data[offset + 1 : offset + 5], "big")
        raw = data[offset + 5 : end]
        return raw.decode() if data[offset : offset + 1] == b"s" else raw, end

    def decode(data: bytes) -> dict[str | bytes, str | bytes]:
        records, offset = {}, 0
        while offset < len(data):
            key, offset = field(data, offset)
            records[key], offset = field(data, offset)
        return records

    state: dict[str | bytes, str | bytes] = {}
    saved: dict[str, bytes] = {}
    results = []
    for name, *arguments in operations:
        if name == "put":
            state[arguments[0]] = arguments[1]
        elif name == "get":
            results.append(state.get(arguments[0]))
        elif name == "delete":
            state.pop(arguments[0], None)
        elif name == "serialize":
            saved[arguments[0]] = encode(state)
        else:
            state = decode(saved[arguments[0]])
    return results


EXERCISE: Final = Coding(
    **texts(__name__),
    minutes=40,
    points=6,
    functions=(run_snapshots,),
    cases=(
        *about_memory(_alone),
        *about_saving(_alone),
        *about_data(_alone, "serialize p; deserialize p"),
    ),
    own=(
        "judge.run_snapshots",
        "encode_snapshot",
    ),
    item=operation_of,
    large=_large_operations,
    forbidden=FORBIDDEN,
    attack=keeps_objects(KEPT, ([put("a", KEEPSAKE), SAVE, LOAD, get()],)),
)
