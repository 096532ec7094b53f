"""03-run-log: keep a store safe with a log, and the log short with snapshots.

Write `run_log(compact_threshold, operations)`. It returns the list of what each `get` and `status`
found. `put key value` and `delete key` (the key may be missing) change memory and append one record
to the log. If the log then holds `compact_threshold` records or more, write a snapshot and clear
the log. `restart` throws memory away, loads the snapshot and replays the log. `get key` gives None
if the key is missing; `status` gives `(live keys, records in the log, snapshots so far)`. Keep the
snapshot and the log as bytes. There may be up to 100,000 operations. To begin with, you may write
the bytes with kvlib's `encode_snapshot` and `kvlib.log.encode_put`.

Hint: Two things survive a restart, `snapshot` and `log`, both bytes. `memory` is rebuilt from them.
So where must you keep the number of snapshots?

Hint: A record in the log is a letter, the key field and, for a put, the value field. Write one
function that replays all records into a dict and counts them.

Hint: A snapshot can be a number followed by puts. Then the function that replays the log can read
it too.

Why: Each change costs only its own size. A restart needs only the snapshot and the log, because
memory is a copy of them.
"""

from typing import Any, Final

from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Case, texts
from kvlib.lessons.exercises.stores import (
    FAR,
    FORBIDDEN,
    KEEPSAKE,
    LONG,
    SURVIVES,
    Adapt,
    Operation,
    about_data,
    about_memory,
    cases_of,
    get,
    gets,
    keeps_objects,
    operation_of,
    put,
)

LOGGED: Final = (
    "You got back the very object that was put, so it never became bytes. Keep the log and the "
    "snapshot as `bytes`, as files would hold them."
)
CASES: Final = """
[99] a new store: status
    [] -> `status` gives a result too, as `get` does.
NO_SNAPSHOT = The log holds as many records as the threshold, but there is no snapshot. Must there
    be more records than the threshold, or are as many enough?
STILL_FULL = You wrote a snapshot, but the log still has its records. What happens to them?
TOO_EARLY = The change that made the log long enough is gone after a restart. Was it in memory
    already when you wrote the snapshot, or do you write the snapshot first?
FORGOTTEN = The number of snapshots starts over after a restart, because it was kept only in memory.
    Where could you keep it so that a restart finds it?
ONLY_LOG = After a restart, you have only what the log holds. What must you load before it?
ONLY_SNAPSHOT = After a restart, you have only what the snapshot holds. Where are the changes that
    came after it?
CLEARED = After a restart the log is empty, because you cleared it after reading it. When may you
    clear it?
UNCOUNTED = After a restart the log seems to be empty: did you clear it after reading it, or did you
    forget to count the records that you read?
REVIVED = A deleted key is back. Is there a record of the deletion in the log, and what does a
    replay do with it?
SAVED = A restart wrote a snapshot, but a restart stands for a crash, which saves nothing. What is
    there to read?
COUNTED = The number of records in the log is wrong: it counts keys. What does the log do at each
    change?
EMPTY = An empty value is gone. `if value`, and `or`, treat it as missing. How can you tell an empty
    value from a missing one?
[2] the status after a put: put a 1; status
    [(1, 0, 0)] -> A put has left no record in the log.
    [(0, 1, 0)] -> The record isn't in memory.
    [(1, 0, 1)] -> The snapshot was written too early: the log has fewer records than the threshold.
[3] a key that is put twice: put a 1; put a 2; status
    [(1, 1, 0)] -> COUNTED
[3] a put and a deletion: put a 1; delete a; status
    [(1, 2, 0)] -> A deleted key counts as live: is it still in memory, with None as its value?
    [(0, 1, 0)] -> A deletion is a record too, but it isn't counted.
    [(0, 0, 0)] -> COUNTED
[2] the status after deleting a key that isn't there: delete a; status
    [(0, 0, 0)] -> A deletion left no record in the log, because the key wasn't there. What does the
        task say about that?
    [(1, 1, 0)] -> A deleted key counts as live. What should be left of it?
[1] a log that has just reached the threshold: put a 1; status
    [(1, 1, 0)] -> NO_SNAPSHOT
    [(1, 1, 1)] -> STILL_FULL
    [(1, 0, 0)] -> The log was cleared, but the snapshot isn't counted.
    [(0, 0, 1)] -> Writing a snapshot empties memory here. It only writes.
    [(1, 0, 2)] -> One change wrote two snapshots.
[2] a log that grows to the threshold: put a 1; put b 2; status
    [(2, 2, 0)] -> NO_SNAPSHOT
    [(2, 2, 1)] -> STILL_FULL
    [(2, 1, 1)] -> The record that made the log long enough came after the snapshot. First append,
        then look at the length.
[2] a deletion that makes the log long enough: put a 1; delete a; status
    [(0, 2, 0)] -> A deletion is a record too: it can make the log long enough for a snapshot.
[2] a log that grows after a snapshot: put a 1; put b 2; put a 1; status
    [(2, 0, 2)] -> After the first snapshot, each change writes another one. Which number do you
        compare with the threshold?
[9] a restart: put a 1; restart; get a
    [None] -> After a restart the record is gone, though it is in the log. Is the log replayed into
        the dict that `get` reads?
[2] a restart of a new store: restart; status
    [(0, 0, 1)] -> SAVED
[2] the status after a restart: put a 1; restart; status
    [(1, 0, 0)] -> UNCOUNTED
    [(1, 0, 1)] -> SAVED
    [(1, 2, 0)] -> A restart counts the log's records once more, or appends them again. A replay
        only reads.
[9] an empty value after a restart: put a ''; restart; get a
    [None] -> EMPTY
[9] a key that is put twice, then a restart: put a 1; put a 2; restart; get a
    ['1'] -> An older value is back. In which order do you replay the log's records?
[9] a deletion, then a restart: put a 1; delete a; restart; get a
    ['1'] -> REVIVED
[9] deleting a missing key, then a restart: delete a; restart; get a
    KeyError -> The log may delete a key that isn't there. How does a dict remove a key that may be
        missing?
[9] a put after a deletion, then a restart: put a 1; delete a; put a 2; restart; get a
    [None] -> The key was deleted and put again. Does the deletion end your replay?
    ['1'] -> REVIVED
[9] a deletion and another key, then a restart: put a 1; delete a; put b 2; restart; get b
    [None] -> Nothing after a deletion is replayed. What ends your loop there?
[1] a snapshot, then a restart: put a 1; restart; get a
    later
[2] a snapshot of two, then a restart: put a 1; put b 2; restart; get a; get b
    ['1', None] -> TOO_EARLY
    [None, '2'] -> The snapshot holds only the last change. What should it contain?
    [None, None] -> ONLY_LOG
[1] an empty value in a snapshot: put a ''; restart; get a
    [None] -> EMPTY
[1] the count of snapshots after a restart: put a 1; restart; status
    [(1, 0, 0)] -> FORGOTTEN
    [(1, 1, 1)] -> STILL_FULL
    [(1, 0, 2)] -> SAVED
[2] a snapshot, and a new key in the log: put a 1; put b 2; put c 3; restart; get c
    [None] -> ONLY_SNAPSHOT
[2] a snapshot and a log: put a 1; put b 2; put a 3; restart; get a; get b; status
    ['3', None, (1, 1, 1)] -> ONLY_LOG
    ['1', '2', (2, 1, 1)] -> The snapshot's old values win over the log's newer ones. Which of
        the two do you load first?
    ['3', '2', (2, 0, 1)] -> UNCOUNTED
    ['3', '2', (2, 1, 0)] -> FORGOTTEN
    ['3', '2', (2, 0, 2)] -> SAVED
[2] deleting a key that is in the snapshot: put a 1; put b 2; delete a; restart; get a; status
    ['1', (2, 1, 1)] -> REVIVED
[1] two snapshots, and a key from the first: put a 1; put b 2; restart; get a
    [None] -> The second snapshot holds only the log's records, so a key from the first snapshot is
        gone. What should a snapshot contain?
[1] two snapshots, and a key from the second: put a 1; put b 2; restart; get b
    [None] -> You cleared the log for a second snapshot, but its contents are gone. Which snapshot
        does a restart load?
[1] two snapshots, and a deletion between them: put a 1; delete a; restart; get a
    ['1'] -> A key is back that was deleted before the last snapshot. What should a snapshot keep of
        the older one?
[2] a log that keeps growing after a restart: put a 1; restart; put b 2; status; restart; get a
    [(2, 1, 0), '1'] -> After a restart the log is counted from 0, though it holds records. How many
        has it?
    [(2, 1, 0), None] -> CLEARED
[2] a log that reaches the threshold through a restart: put a 1; restart; status; put b 2; status
[9] two restarts in a row: put a 1; restart; restart; get a; status
    [None, (0, 0, 0)] -> CLEARED
    ['1', (1, 0, 0)] -> UNCOUNTED
[2] a change of memory after a snapshot: put a 1; put b 2; put b 3; get b; restart; get b
    ['3', '2'] -> ONLY_SNAPSHOT
[2] a key that was never put, after a restart: put a 1; put b 2; restart; get c
[1] three snapshots: put a 1; put b 2; put c 3; restart; get a; get b; get c; status
"""


def _has_something(result: Any) -> bool:
    return type(result) is list and len(result) == 1 and type(result[0]) is tuple and any(result[0])


def _large_log() -> list[Case]:
    puts = [put(f"key {number % 700}", b"v" * 50) for number in range(6_000)]
    operations = [*puts, *[("restart",), ("status",)] * 4, *gets(14_000, keys=900)]
    return [
        Case((1_000, operations), "20,000 operations, and a threshold of 1,000"),
        Case(
            (1, [*puts[:300], ("status",), ("restart",), ("status",)]),
            "300 snapshots",
            "The number of snapshots goes past 255. How many bytes did you give it?",
        ),
        Case((9, [LONG, ("restart",), get()]), "a value of 70,000 bytes", FAR),
        Case((1, [LONG, ("restart",), get()]), "a value of 70,000 bytes in a snapshot", FAR),
    ]


def _at(threshold: int) -> Adapt:
    return lambda operations: (threshold, operations)


def _compacting(operations: list[Operation], threshold: str) -> tuple[Any, ...]:
    return (int(threshold), operations)


def run_log(
    compact_threshold: int, operations: list[tuple[Any, ...]]
) -> list[str | bytes | tuple[int, int, int] | None]:
    """Rebuild memory from the bytes of the snapshot and the log alone."""

    def field(value: str | bytes) -> bytes:
        tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
        return tag + len(data).to_bytes(4, "big") + data

    def read(data: bytes, offset: int) -> tuple[str | bytes, int]:
        end = offset + 5 + int.from_bytes(data[offset + 1 : offset + 5], "big")
        raw = data[offset + 5 : end]
        return raw.decode() if data[offset : offset + 1] == b"s" else raw, end

    def replay(data: bytes, offset: int) -> int:
        count = 0
        while offset < len(data):
            operation = data[offset : offset + 1]
            key, offset = read(data, offset + 1)
            if operation == b"P":
                memory[key], offset = read(data, offset)
            else:
                memory.pop(key, None)
            count += 1
        return count

    memory: dict[str | bytes, str | bytes] = {}
    snapshot, log, pending = bytes(4), bytearray(), 0  # four bytes: the number of snapshots
    results: list[str | bytes | tuple[int, int, int] | None] = []
    for name, *arguments in operations:
        if name == "get":
            results.append(memory.get(arguments[0]))
        elif name == "status":
            results.append((len(memory), pending, int.from_bytes(snapshot[:4], "big")))
        elif name == "restart":
            memory = {}
            replay(snapshot, 4)
            pending = replay(bytes(log), 0)
        else:
            if name == "put":
                memory[arguments[0]] = arguments[1]
                log += b"P" + field(arguments[0]) + field(arguments[1])
            else:
                memory.pop(arguments[0], None)
                log += b"D" + field(arguments[0])
            pending += 1
            if pending >= compact_threshold:
                records = (b"P" + field(key) + field(value) for key, value in memory.items())
                count = int.from_bytes(snapshot[:4], "big") + 1
                snapshot = count.to_bytes(4, "big") + b"".join(records)
                log, pending = bytearray(), 0
    return results


EXERCISE: Final = Coding(
    **texts(__name__),
    minutes=60,
    points=8,
    functions=(run_log,),
    cases=(
        *about_memory(_at(99)),
        Case(
            (99, [("status",)]),
            "a new store, after others were used",
            signs=((_has_something, SURVIVES),),
        ),
        *cases_of(CASES, _compacting),
        *about_data(_at(99), "restart"),
        *about_data(_at(1), "restart"),
    ),
    own=(
        "judge.run_log",
        "DurableStore.put",
        "Store.serialize",
    ),
    item=operation_of,
    large=_large_log,
    forbidden=FORBIDDEN,
    attack=keeps_objects(
        LOGGED,
        (9, [put("a", KEEPSAKE), ("restart",), get()]),  # from the log
        (1, [put("a", KEEPSAKE), ("restart",), get()]),  # from a snapshot
    ),
)
