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
    for threshold in (9, 1):  # once it comes back from the log, once from a snapshot
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
        "Write `run_log(compact_threshold, operations)`: the list of what each `get` and `status` "
        "gave comes out. `put key value` and `delete key` (which may be missing) change memory and "
        "append one record to the log; if it then holds `compact_threshold` records or more, a "
        "snapshot is written and the log cleared. `restart` throws memory away, loads the snapshot "
        "and replays the log. `get key` gives None if it is missing; `status` gives `(live keys, "
        "records in the log, snapshots so far)`. Snapshot and log are bytes; up to 100,000 "
        "operations. kvlib's `encode_snapshot` and `kvlib.log.encode_put` may write them at first."
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
        _case("the deletion of what isn't there", 2, ("delete", "a"), STATUS),
        _case("a log as long as the threshold", 1, put(), STATUS),
        _case("a log that gets as long as the threshold", 2, put(), put("b", "2"), STATUS),
        _case("a key that is put twice", 3, put(), put("a", "2"), STATUS),
        _case("a put and a deletion", 3, put(), ("delete", "a"), STATUS),
        _case("a new store, restarted", 2, RESTART, STATUS),
        _case("a restart", 2, put(), RESTART, get()),
        _case("the status after a restart", 2, put(), RESTART, STATUS),
        _case("an empty value", 2, put("a", ""), RESTART, get()),
        _case("a key that was put twice, restarted", 3, put(), put("a", "2"), RESTART, get()),
        _case("a deletion, restarted", 3, put(), ("delete", "a"), RESTART, get()),
        _case("a snapshot, restarted", 1, put(), RESTART, get()),
        _case("an empty value in a snapshot", 1, put("a", ""), RESTART, get()),
        _case("a count of snapshots, restarted", 1, put(), RESTART, STATUS),
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
            "a deletion of what is in the snapshot",
            2,
            put(),
            put("b", "2"),
            ("delete", "a"),
            RESTART,
            get(),
            STATUS,
        ),
        _case("two snapshots, and a key of the first", 1, put(), put("b", "2"), RESTART, get()),
        _case("two snapshots, and a key of the second", 1, put(), put("b", "2"), RESTART, get("b")),
        _case(
            "two snapshots, and a deletion between them", 1, put(), ("delete", "a"), RESTART, get()
        ),
        _case(
            "a log that goes on after a restart",
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
        _case("bytes that are no text", 1, put("é", b"\xff\0"), RESTART, get("é")),
    ),
    item=operation_of,
    large=_large_log,
    probe=_never_logged,
    forbidden=FORBIDDEN,
    mistakes=MISTAKES,
    hints=(
        "What outlives a restart is `snapshot` and `log`, both bytes; `memory` is made of them. "
        "Where is the number of snapshots, then?",
        "A record of the log is a letter, the key field, and for a put the value field. One "
        "function reads all of them into a dict, and counts them.",
        "A snapshot can be a number and then puts: the function that replays the log reads these "
        "too.",
    ),
    why=(
        "Each change costs its own size, and a restart needs the snapshot and the log alone: "
        "memory is only a copy of these."
    ),
    points=8,
    minutes=30,
    own={
        "judge.run_log": run_log,
        "DurableStore.put": durable.DurableStore.put,
        "Store.serialize": store.Store.serialize,
    },
)
