"""03-run-shutdown: restore a store from nothing but the bytes it wrote.

Write `run_shutdown(operations)`. It takes a list of tuples and returns the list of what each `get`
found. The operations are `set key value`, `get key` (None if the key is missing), `shutdown` (write
everything as one `bytes`, then clear memory) and `restore` (memory becomes exactly what the last
shutdown wrote, or empty if there was none). Keys and values are str or bytes. There may be up to
100,000 operations. To begin with, you may write the bytes with `kvlib.encode_snapshot`.

Hint: Start with `memory = {}`, `written = b""` and one loop with an `if` for each operation. What
does each operation do to these two?

Hint: Write one function that turns a dict into bytes and one that turns bytes into a dict, as in
notebook 1. Then shutdown and restore take two lines each.

Hint: `restore` begins with an empty dict, whatever memory holds. The bytes you start with are those
of an empty store.

Why: Only bytes outlive the program. Anything set after the last shutdown is gone.
"""

from typing import Any, Final

from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Case, texts
from kvlib.lessons.exercises.stores import (
    FAR,
    FORBIDDEN,
    KEEPSAKE,
    LONG,
    Operation,
    about_data,
    about_memory,
    cases_of,
    get,
    gets,
    keeps_objects,
    operation_of,
)

SHUT_DOWN: Final = (
    "You got back the very object that was set, so it never became bytes. `shutdown` must write "
    "one `bytes`, as a file would hold it."
)
CASES: Final = """
EARLY = Here `restore` comes before any shutdown. What is written by then, and what does memory
    become?
MERGED = After `restore`, memory has a record that wasn't saved: it was there before. How much of
    the old memory should be left?
memory after a shutdown: set a 1; shutdown; get a
    ['1'] -> After `shutdown`, a `get` still finds the record. Which step of a shutdown is missing?
one record that comes back: set a 1; shutdown; restore; get a
    [None] -> `restore` doesn't bring back what was written. Does its result reach the dict that
        `get` reads? And was it bytes that were written, or the dict itself, which `shutdown`
        clears?
two records that come back: set a 1; set b 2; shutdown; restore; get a; get b
    ['1', None] -> Only the first record comes back. Does the loop over the bytes end too early?
an empty value that comes back: set a ''; shutdown; restore; get a
    [None] -> An empty value is gone. `if value`, and `or`, treat it as missing. How can you tell an
        empty value from a missing one?
a record that was set after the shutdown, and one before: set a 1; shutdown; set b 2; restore;
    get b; get a
    ['2', '1'] -> MERGED
a record that was changed after the shutdown: set a 1; shutdown; set a 2; restore; get a
    ['2'] -> After `restore`, memory has what was set after `shutdown`. Either `restore` changes
        nothing, or what you wrote is the dict itself, which changes too. What would a file hold?
a record that was set after a shutdown with empty memory: shutdown; set a 1; restore; get a
    ['1'] -> Nothing was in memory at the shutdown, and `restore` leaves memory as it is. Is `if`
        true for an empty dict, or for no bytes?
a second shutdown, with nothing in memory: set a 1; shutdown; shutdown; restore; get a
    ['1'] -> You got back a record that the last shutdown didn't write: it is from an earlier one.
        What does a shutdown write when memory is empty?
two restores after one shutdown: set a 1; shutdown; restore; restore; get a
    [None] -> The second `restore` finds nothing, because the first one used up what was written.
        Does reading a file empty it?
two restores, and a change between them: set a 1; shutdown; restore; set a 2; restore; get a
    ['2'] -> After the first `restore`, memory and what was written are the same dict, so setting a
        record changes both.
two shutdowns: set a 1; shutdown; restore; set b 2; shutdown; restore; get a; get b
    ['1', None] -> The second shutdown doesn't replace what the first one wrote.
a restore before any shutdown: restore; get a
    ? EARLY
a restore before any shutdown, with a record in memory: set a 1; restore; get a
    ? EARLY
    ['1'] -> Nothing has been written, but `restore` leaves memory as it is. What does the task say
        memory becomes?
"""


def _adapted(operations: list[Operation], _: str = "") -> tuple[Any, ...]:
    return ([("set", *one[1:]) if one[0] == "put" else one for one in operations],)


def _large_shutdowns() -> list[Case]:
    sets = [("set", f"key {number}", b"v" * 50) for number in range(1_000)]
    operations = [*sets, *[("shutdown",), ("restore",)] * 3, *gets(19_000, keys=1_000)]
    return [
        Case((operations,), "20,000 operations on 1,000 records"),
        Case(_adapted([LONG, ("shutdown",), ("restore",), get()]), "a value of 70,000 bytes", FAR),
    ]


def run_shutdown(operations: list[tuple[Any, ...]]) -> list[str | bytes | None]:
    """Keep only bytes between shutdown and restore."""

    def field(value: str | bytes) -> bytes:
        tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
        return tag + len(data).to_bytes(4, "big") + data

    def read(data: bytes, offset: int) -> tuple[str | bytes, int]:
        end = offset + 5 + int.from_bytes(data[offset + 1 : offset + 5], "big")
        raw = data[offset + 5 : end]
        return raw.decode() if data[offset : offset + 1] == b"s" else raw, end

    memory: dict[str | bytes, str | bytes] = {}
    written = b""
    results = []
    for name, *arguments in operations:
        if name == "set":
            memory[arguments[0]] = arguments[1]
        elif name == "get":
            results.append(memory.get(arguments[0]))
        elif name == "shutdown":
            written = b"".join(field(key) + field(value) for key, value in memory.items())
            memory = {}
        else:
            memory, offset = {}, 0
            while offset < len(written):
                key, offset = read(written, offset)
                memory[key], offset = read(written, offset)
    return results


EXERCISE: Final = Coding(
    **texts(__name__),
    minutes=20,
    points=4,
    functions=(run_shutdown,),
    cases=(
        *about_memory(_adapted, deletes=False),
        *cases_of(CASES, _adapted),
        *about_data(_adapted, "shutdown; restore"),
    ),
    own=(
        "judge.run_shutdown",
        "Store.shutdown",
        "Store.restore",
        "Store.serialize",
        "DurableStore.put",
    ),
    item=operation_of,
    large=_large_shutdowns,
    forbidden=FORBIDDEN,
    attack=keeps_objects(
        SHUT_DOWN, ([("set", "a", KEEPSAKE), ("shutdown",), ("restore",), get()],)
    ),
)
