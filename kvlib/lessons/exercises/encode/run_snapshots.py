"""01-run-snapshots: the interview about saving and restoring a store."""

from typing import Final

from kvlib.encoding import encode_snapshot
from kvlib.judge import run_snapshots
from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, Function, ProbeResult
from kvlib.lessons.exercises.encode.run_snapshots_mistakes import KEPT, MISTAKES
from kvlib.lessons.exercises.machines import (
    FORBIDDEN,
    KEEPSAKE,
    LOAD,
    SAVE,
    get,
    gets,
    keeps,
    operation_of,
    put,
)


def _large_operations() -> list[Case]:
    puts = [put(f"key {number}", b"v" * 50) for number in range(1_000)]
    operations = [*puts, *[SAVE, put(), LOAD] * 10, *gets(97_000, keys=1_000)]
    return [Case((operations,), "100,000 operations on 1,000 records")]


def _never_bytes(functions: tuple[Function, ...]) -> ProbeResult | int:
    operations = [put("a", KEEPSAKE), SAVE, LOAD, get()]
    if not keeps(functions[0], operations):
        return 1
    return ProbeResult(f"run_snapshots({operations})", f"{[KEEPSAKE]}", KEPT)


EXERCISE: Final = Exercise(
    name="01-run-snapshots",
    kind="function",
    objective="save and restore the state of a store as bytes, exactly",
    task=(
        "Write `run_snapshots(operations)`. It takes a list of tuples and returns the list of "
        "what each `get` found. The operations are `put key value`, `get key` (None if the key is "
        "missing), `delete key` (does nothing if the key is missing), `serialize path` (keep the "
        "whole state under this path, as one `bytes`) and `deserialize path` (the state becomes "
        "exactly what was saved). Keys and values are str or bytes. There may be up to 100,000 "
        "operations. Don't use kvlib, pickle, repr or eval."
    ),
    stub="""\
def run_snapshots(operations):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("run_snapshots",),
    solution=(solutions.run_snapshots,),
    cases=(
        Case(([],), "no operations, and no results"),
        Case(([get()],), "a key that was never put"),
        Case(([put(), get()],), "one record"),
        Case(([("delete", "a"), get()],), "deleting a key that isn't there"),
        Case(([put("a", ""), get()],), "an empty value"),
        Case(([put(), SAVE, LOAD, get()],), "one record, saved and loaded"),
        Case(([put("a", ""), SAVE, LOAD, get()],), "an empty value, saved and loaded"),
        Case(([SAVE, put(), LOAD, get()],), "an empty state, saved and loaded"),
        Case(
            ([put(), SAVE, put("a", "2"), LOAD, get()],),
            "a record that was changed after it was saved",
        ),
        Case(([put("é", "x"), SAVE, LOAD, get("é")],), "a character of two bytes"),
        Case(([put("a", "=;"), SAVE, LOAD, get()],), "delimiters in a value"),
        Case(([put(b"1", b"x"), SAVE, LOAD, get(b"1")],), "bytes, saved and loaded"),
        Case(
            ([put("1", "x"), put(b"1", b"y"), SAVE, LOAD, get("1"), get(b"1")],),
            "a text and bytes that look alike",
        ),
        Case(([put("a", b"\xff\0"), SAVE, LOAD, get()],), "bytes that aren't text"),
        Case(
            ([put("a|b\0", "\0v:1;\n\\"), SAVE, LOAD, get("a|b\0")],),
            "every delimiter you might think of",
        ),
        Case(
            ([put(), SAVE, ("delete", "a"), SAVE, LOAD, get()],),
            "a path that is saved to twice",
        ),
        Case(
            ([put(), SAVE, LOAD, put("a", "2"), LOAD, get()],),
            "a path that is loaded twice",
        ),
        Case(([put("a", "x" * 300), SAVE, LOAD, get()],), "a value of 300 bytes"),
    ),
    item=operation_of,
    large=_large_operations,
    probe=_never_bytes,
    forbidden=FORBIDDEN,
    mistakes=MISTAKES,
    hints=(
        "Start with `state = {}`, `saved = {}` and `results = []`, then write one loop with an "
        "`if` for each operation. Later puts would change a dict kept in `saved`, so keep bytes.",
        "Write a function that turns one value into a field: tag, length, data. Its twin takes "
        "bytes and an offset, and returns the value and the offset where the next field begins.",
        '"Exactly" means that `deserialize` replaces the state with a new dict. If you only '
        "update the old dict, records from after the snapshot stay in it.",
    ),
    why="You save bytes, so later changes can't reach them, and they would outlive the program.",
    points=6,
    minutes=25,
    own={"judge.run_snapshots": run_snapshots, "encode_snapshot": encode_snapshot},
)
