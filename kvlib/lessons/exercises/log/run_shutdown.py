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
    ALIASED,
    EMPTY,
    FORBIDDEN,
    KEEPSAKE,
    MERGED,
    Operation,
    about_data,
    about_memory,
    get,
    gets,
    keeps_objects,
    operation_of,
)

OFF: Final = ("shutdown",)


ON: Final = ("restore",)


SHUT_DOWN: Final = (
    "You got back the very object that was set, so it never became bytes. `shutdown` must write "
    "one `bytes`, as a file would hold it."
)
EARLY: Final = (
    "Here `restore` comes before any shutdown. What has been written by then, and what does "
    "memory become?"
)


def _adapted(operations: list[Operation]) -> tuple[Any, ...]:
    return ([("set", *one[1:]) if one[0] == "put" else one for one in operations],)


def _set(key: str | bytes = "a", value: str | bytes = "1") -> Operation:
    return ("set", key, value)


def _large_shutdowns() -> list[Case]:
    sets = [_set(f"key {number}", b"v" * 50) for number in range(1_000)]
    operations = [*sets, *[OFF, ON] * 10, *gets(98_000, keys=1_000)]
    return [Case((operations,), "100,000 operations on 1,000 records")]


def run_shutdown(operations: list[tuple[Any, ...]]) -> list[str | bytes | None]:
    """Only bytes remain between shutdown and restore."""

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
    minutes=15,
    points=4,
    functions=(run_shutdown,),
    cases=(
        *about_memory(_adapted, deletes=False),
        Case(
            ([_set(), OFF, get()],),
            "memory after a shutdown",
            signs=(
                (
                    ["1"],
                    "After `shutdown`, a `get` still finds the record. Which step of a "
                    "shutdown is missing?",
                ),
            ),
        ),
        Case(
            ([_set(), OFF, ON, get()],),
            "one record that comes back",
            signs=(
                (
                    [None],
                    "`restore` doesn't bring back what was written. Does its result reach the "
                    "dict that "
                    "`get` reads? And was it bytes that were written, or the dict itself, which "
                    "`shutdown` clears?",
                ),
            ),
        ),
        Case(
            ([_set("a", ""), OFF, ON, get()],),
            "an empty value that comes back",
            signs=(([None], EMPTY),),
        ),
        Case(
            ([_set(), OFF, _set("b", "2"), ON, get("b"), get()],),
            "a record that was set after the shutdown, and one before",
            signs=((["2", "1"], MERGED.format(load="restore")),),
        ),
        Case(
            ([_set(), OFF, _set("a", "2"), ON, get()],),
            "a record that was changed after the shutdown",
            signs=((["2"], ALIASED.format(save="shutdown", load="restore")),),
        ),
        Case(
            ([OFF, _set(), ON, get()],),
            "a record that was set after a shutdown with empty memory",
            signs=(
                (
                    ["1"],
                    "Nothing was in memory at the shutdown, and `restore` leaves memory as it "
                    "is. Is "
                    "`if` true for an empty dict, or for no bytes?",
                ),
            ),
        ),
        Case(
            ([_set(), OFF, OFF, ON, get()],),
            "a second shutdown, with nothing in memory",
            signs=(
                (
                    ["1"],
                    "You got back a record that the last shutdown didn't write: it is from an "
                    "earlier one. What does a shutdown write when memory is empty?",
                ),
            ),
        ),
        Case(
            ([_set(), OFF, ON, ON, get()],),
            "two restores after one shutdown",
            signs=(
                (
                    [None],
                    "The second `restore` finds nothing, because the first one used up what "
                    "was written. Does reading a file empty it?",
                ),
            ),
        ),
        Case(
            ([_set(), OFF, ON, _set("a", "2"), ON, get()],),
            "two restores after one shutdown, and a change between them",
            signs=(
                (
                    ["2"],
                    "After the first `restore`, memory and what was written are the same dict, "
                    "so setting a record changes both.",
                ),
            ),
        ),
        Case(
            ([_set(), OFF, ON, _set("b", "2"), OFF, ON, get(), get("b")],),
            "two shutdowns",
            signs=((["1", None], "The second shutdown doesn't replace what the first one wrote."),),
        ),
        Case(([ON, get()],), "a restore before any shutdown", EARLY),
        Case(
            ([_set(), ON, get()],),
            "a restore before any shutdown, with a record in memory",
            EARLY,
            signs=(
                (
                    ["1"],
                    "Nothing has been written, but `restore` leaves memory as it is. What does "
                    "the task say memory becomes?",
                ),
            ),
        ),
        *about_data(_adapted, around=(OFF, ON)),
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
    attack=keeps_objects(SHUT_DOWN, ([_set("a", KEEPSAKE), OFF, ON, get()],)),
)
