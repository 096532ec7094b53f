"""03-run-shutdown: the interview about data that outlives a program."""

from typing import Final

from kvlib import durable, store
from kvlib.judge import run_shutdown
from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, Function, ProbeResult
from kvlib.lessons.exercises.fields import Item
from kvlib.lessons.exercises.log.run_shutdown_mistakes import MISTAKES, SHUT_DOWN
from kvlib.lessons.exercises.machines import (
    FORBIDDEN,
    KEEPSAKE,
    Operation,
    get,
    gets,
    keeps,
    operation_of,
)

OFF: Final = ("shutdown",)
ON: Final = ("restore",)


def _set(key: Item = "a", value: Item = "1") -> Operation:
    return ("set", key, value)


def _case(about: str, *operations: Operation) -> Case:
    return Case((list(operations),), about)


def _large_shutdowns() -> list[Case]:
    sets = [_set(f"key {number}", b"v" * 50) for number in range(1_000)]
    operations = [*sets, *[OFF, ON] * 10, *gets(98_000, keys=1_000)]
    return [Case((operations,), "100,000 operations on 1,000 records")]


def _never_written(functions: tuple[Function, ...]) -> ProbeResult | int:
    if not keeps(functions[0], [_set("a", KEEPSAKE), OFF, ON, get()]):
        return 1
    asked = 'run_shutdown([("set", "a", "two words"), ("shutdown",), ("restore",), ("get", "a")])'
    return ProbeResult(asked, f"{[KEEPSAKE]}, the same object", SHUT_DOWN)


EXERCISE: Final = Exercise(
    name="03-run-shutdown",
    kind="function",
    objective="bring a store back from nothing but the bytes that it wrote",
    task=(
        "Write `run_shutdown(operations)`. It takes a list of tuples and returns the list of what "
        "each `get` found. The operations are `set key value`, `get key` (None if the key is "
        "missing), `shutdown` (write everything as one `bytes`, then clear memory) and `restore` "
        "(memory becomes exactly what the last shutdown wrote, or empty if there was none). Keys "
        "and values are str or bytes. There may be up to 100,000 operations. To begin with, you "
        "may write the bytes with `kvlib.encode_snapshot`."
    ),
    stub="""\
def run_shutdown(operations):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("run_shutdown",),
    solution=(solutions.run_shutdown,),
    cases=(
        _case("no operations, and no results"),
        _case("a key that was never set", get()),
        _case("one record", _set(), get()),
        _case("an empty value", _set("a", ""), get()),
        _case("memory after a shutdown", _set(), OFF, get()),
        _case("a restore before any shutdown", ON, get()),
        _case("a restore before any shutdown, with a record in memory", _set(), ON, get()),
        _case("one record that comes back", _set(), OFF, ON, get()),
        _case("an empty value that comes back", _set("a", ""), OFF, ON, get()),
        _case("an empty key that comes back", _set("", "1"), OFF, ON, get("")),
        _case("a record that was set after the shutdown", OFF, _set(), ON, get()),
        _case("a second shutdown, with nothing in memory", _set(), OFF, OFF, ON, get()),
        _case("two restores after one shutdown", _set(), OFF, ON, ON, get()),
        _case("a character of two bytes", _set("é", "x"), OFF, ON, get("é")),
        _case("delimiters in a value", _set("a", "=;"), OFF, ON, get()),
        _case("bytes", _set(b"1", b"x"), OFF, ON, get(b"1")),
        _case(
            "a text and bytes that look alike",
            _set("1", "x"),
            _set(b"1", b"y"),
            OFF,
            ON,
            get("1"),
            get(b"1"),
        ),
        _case("bytes that aren't text", _set("a", b"\xff\0"), OFF, ON, get()),
        _case(
            "every delimiter you might think of",
            _set("a|b:c\0", "v1|v2:ok\n\\"),
            OFF,
            ON,
            get("a|b:c\0"),
        ),
        _case("a value of 300 bytes", _set("a", "x" * 300), OFF, ON, get()),
    ),
    item=operation_of,
    large=_large_shutdowns,
    probe=_never_written,
    forbidden=FORBIDDEN,
    mistakes=MISTAKES,
    hints=(
        'Start with `memory = {}`, `written = b""` and one loop with an `if` for each operation. '
        "What does each operation do to these two?",
        "Write one function that turns a dict into bytes and one that turns bytes into a dict, as "
        "in notebook 1. Then shutdown and restore take two lines each.",
        "`restore` begins with an empty dict, whatever memory holds. The bytes you start with are "
        "those of an empty store.",
    ),
    why="Only bytes outlive the program. Anything set after the last shutdown is gone.",
    points=4,
    minutes=15,
    own={
        "judge.run_shutdown": run_shutdown,
        "Store.shutdown": store.Store.shutdown,
        "Store.restore": store.Store.restore,
        "Store.serialize": store.Store.serialize,
        "DurableStore.put": durable.DurableStore.put,
    },
)
