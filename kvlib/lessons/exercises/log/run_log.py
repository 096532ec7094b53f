"""03-run-log: the interview about a log and its snapshots."""

from typing import Final

from kvlib import durable, store
from kvlib.judge import run_log
from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, Function, ProbeResult
from kvlib.lessons.exercises.log.run_log_mistakes import LOGGED, MISTAKES
from kvlib.lessons.exercises.machines import (
    FORBIDDEN,
    KEEPSAKE,
    Operation,
    get,
    gets,
    keeps,
    operation_of,
    put,
)

RESTART: Final = ("restart",)
STATUS: Final = ("status",)


def _case(about: str, threshold: int, *operations: Operation) -> Case:
    return Case((threshold, list(operations)), about)


def _large_log() -> list[Case]:
    puts = [put(f"key {number % 700}", b"v" * 50) for number in range(10_000)]
    operations = [*puts, *[RESTART, STATUS] * 10, *gets(89_000, keys=900)]
    return [Case((1_000, operations), "100,000 operations, and a threshold of 1,000")]


def _never_logged(functions: tuple[Function, ...]) -> ProbeResult | int:
    for threshold in (9, 1):  # first from the log, then from a snapshot
        if keeps(functions[0], threshold, [put("a", KEEPSAKE), RESTART, get()]):
            operations = '[("put", "a", "two words"), ("restart",), ("get", "a")]'
            asked = f"run_log({threshold}, {operations})"
            return ProbeResult(asked, f"{[KEEPSAKE]}, the same object", LOGGED)
    return 2


EXERCISE: Final = Exercise(
    name="03-run-log",
    kind="function",
    objective="keep a store safe by a log, and the log short by snapshots",
    task=(
        "Write `run_log(compact_threshold, operations)`. It returns the list of what each `get` "
        "and `status` found. `put key value` and `delete key` (the key may be missing) change "
        "memory and append one record to the log. If the log then holds `compact_threshold` "
        "records or more, write a snapshot and clear the log. `restart` throws memory away, loads "
        "the snapshot and replays the log. `get key` gives None if the key is missing; `status` "
        "gives `(live keys, records in the log, snapshots so far)`. Keep the snapshot and the log "
        "as bytes. There may be up to 100,000 operations. To begin with, you may write the bytes "
        "with kvlib's `encode_snapshot` and `kvlib.log.encode_put`."
    ),
    stub="""\
def run_log(compact_threshold, operations):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("run_log",),
    solution=(solutions.run_log,),
    cases=(
        _case("no operations, and no results", 2),
        _case("a key that was never put", 2, get()),
        _case("a new store", 2, STATUS),
        _case("one record", 2, put(), get()),
        _case("the status after a put", 2, put(), STATUS),
        _case("deleting a key that isn't there", 2, ("delete", "a"), STATUS),
        _case("a log that has just reached the threshold", 1, put(), STATUS),
        _case(
            "a log that grows to the threshold",
            2,
            put(),
            put("b", "2"),
            STATUS,
        ),
        _case("a key that is put twice", 3, put(), put("a", "2"), STATUS),
        _case("a put and a deletion", 3, put(), ("delete", "a"), STATUS),
        _case("a restart of a new store", 2, RESTART, STATUS),
        _case("a restart", 2, put(), RESTART, get()),
        _case("the status after a restart", 2, put(), RESTART, STATUS),
        _case("an empty value", 2, put("a", ""), RESTART, get()),
        _case("a key that is put twice, then a restart", 3, put(), put("a", "2"), RESTART, get()),
        _case("a deletion, then a restart", 3, put(), ("delete", "a"), RESTART, get()),
        _case("a snapshot, then a restart", 1, put(), RESTART, get()),
        _case("an empty value in a snapshot", 1, put("a", ""), RESTART, get()),
        _case("the count of snapshots after a restart", 1, put(), RESTART, STATUS),
        _case(
            "a snapshot and a log",
            2,
            put(),
            put("b", "2"),
            put("a", "3"),
            RESTART,
            get(),
            get("b"),
            STATUS,
        ),
        _case(
            "deleting a key that is in the snapshot",
            2,
            put(),
            put("b", "2"),
            ("delete", "a"),
            RESTART,
            get(),
            STATUS,
        ),
        _case("two snapshots, and a key from the first", 1, put(), put("b", "2"), RESTART, get()),
        _case(
            "two snapshots, and a key from the second", 1, put(), put("b", "2"), RESTART, get("b")
        ),
        _case(
            "two snapshots, and a deletion between them", 1, put(), ("delete", "a"), RESTART, get()
        ),
        _case(
            "a log that keeps growing after a restart",
            2,
            put(),
            RESTART,
            put("b", "2"),
            STATUS,
            RESTART,
            get(),
        ),
        _case("two restarts in a row", 3, put(), RESTART, RESTART, get(), STATUS),
        _case("bytes", 2, put(b"1", b"x"), RESTART, get(b"1"), get("1")),
        _case("delimiters", 2, put("P|\n", "=;D\0"), RESTART, get("P|\n"), get("P")),
        _case("bytes that aren't text", 1, put("é", b"\xff\0"), RESTART, get("é")),
    ),
    item=operation_of,
    large=_large_log,
    probe=_never_logged,
    forbidden=FORBIDDEN,
    mistakes=MISTAKES,
    hints=(
        "Two things survive a restart, `snapshot` and `log`, both bytes. `memory` is rebuilt from "
        "them. So where must you keep the number of snapshots?",
        "A record in the log is a letter, the key field and, for a put, the value field. Write "
        "one function that replays all records into a dict and counts them.",
        "A snapshot can be a number followed by puts. Then the function that replays the log can "
        "read it too.",
    ),
    why=(
        "Each change costs only its own size. A restart needs only the snapshot and the log, "
        "because memory is a copy of them."
    ),
    points=8,
    minutes=30,
    own={
        "judge.run_log": run_log,
        "DurableStore.put": durable.DurableStore.put,
        "Store.serialize": store.Store.serialize,
    },
)
