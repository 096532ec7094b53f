"""Operations for the interviews, and cases that each isolate one mistake of a store.

The cases come in the order in which a store can fail them: first memory, then saving, then the data
itself. So the first one that fails tells the mistake, and its signs tell which of several it is.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from kvlib.judge import READING
from kvlib.lessons.exercise import Case, Finding, Function, Sign
from kvlib.lessons.sandbox import run
from kvlib.views.plain import written

Operation = tuple[Any, ...]
Adapt = Callable[[list[Operation]], tuple[Any, ...]]  # the arguments that carry out operations

PICKLED: Final = (
    "You use a format of Python's own, and reading it can run any code inside it. Write a tag, a "
    "length and the data yourself."
)
EVALUATED: Final = (
    "You let Python read the bytes as a program. Write a tag, a length and the data, and read "
    "just those."
)
FORBIDDEN: Final = dict.fromkeys(["pickle", "_pickle", "marshal"], PICKLED) | dict.fromkeys(
    ["eval", "exec", "ast"], EVALUATED
)
EMPTY: Final = (
    "An empty value is gone. `if value`, and `or`, treat it as missing. How can you tell an empty "
    "value from a missing one?"
)
SURVIVES: Final = (
    "Here a new call finds what an earlier call stored, so something survives from one call to the "
    "next: a global variable, or a default argument such as `state={}`."
)
ALIASED: Final = (
    "After `{load}`, memory has what was put after `{save}`. Either `{load}` changes nothing, or "
    "what you saved is the dict itself, which later puts change too. What would a file hold?"
)
MERGED: Final = (
    "After `{load}`, memory has a record that wasn't saved: it was there before. How much of the "
    "old memory should be left?"
)
MISSING: Final = (
    "A missing key isn't an error here: `get` gives None, and `delete` does nothing. Which methods "
    "of dict do that?"
)
SAME_KEY: Final = (
    "The text `1` and the byte `1` have become the same key. What must your format, and your dict, "
    "keep apart?"
)

SAVE: Final = ("serialize", "p")
LOAD: Final = ("deserialize", "p")


def put(key: str | bytes = "a", value: str | bytes = "1") -> Operation:
    """Return the operation that puts this value under the key."""
    return ("put", key, value)


def get(key: str | bytes = "a") -> Operation:
    """Return the operation that gets this key."""
    return ("get", key)


def delete(key: str | bytes = "a") -> Operation:
    """Return the operation that deletes this key."""
    return ("delete", key)


def gets(count: int, keys: int) -> list[Operation]:
    """Return `count` operations that get `key 0`, `key 1` and so on, over `keys` different keys."""
    return [get(f"key {number % keys}") for number in range(count)]


def operation_of(index: int, *arguments: Any) -> str:
    """Name the operation that gave a result; the operations are the last argument."""
    reading = [one for one in enumerate(arguments[-1]) if one[1][0] in READING]
    number, operation = reading[index]
    return f"operation {number}, {written(operation, 60)}"


# -------------------------------------------------------------------------------------- the cases


def _plain(operations: list[Operation]) -> tuple[Any, ...]:
    return (operations,)


def about_memory(adapt: Adapt = _plain, *, deletes: bool = True) -> Iterator[Case]:
    """Yield cases about the store in memory, before anything is saved."""

    def case(
        about: str, *operations: Operation, look: str = "", signs: tuple[Sign, ...] = ()
    ) -> Case:
        return Case(adapt(list(operations)), about, look, signs)

    yield case("no operations, and no results")
    yield case(
        "a key that was never put",
        get(),
        look=MISSING,
        signs=(([], "A `get` gives a result even if the key is missing: None."),),
    )
    yield case("one record", put(), get(), signs=(([None], "`get` doesn't find what was put."),))
    yield case("a new store, after others were used", get(), signs=((["1"], SURVIVES),))
    yield case("an empty value", put("a", ""), get(), signs=(([None], EMPTY),))
    yield case("an empty key", put("", "x"), get(""), look="Is `if key` true for an empty text?")
    yield case(
        "a key that is put twice",
        *(put(), put("a", "2"), get()),
        signs=((["1"], "The first value stays. What should a second put of the same key do?"),),
    )
    yield case("two records", put(), put("b", "2"), get(), get("b"))
    yield case(
        "a text and bytes that look alike",
        *(put("1", "x"), put(b"1", b"y"), get("1"), get(b"1")),
        signs=(([b"y", b"y"], SAME_KEY),),
    )
    if deletes:
        yield case("deleting a key that isn't there", delete(), get(), look=MISSING)
        yield case(
            "a deleted record",
            *(put(), delete(), get()),
            signs=((["1"], "The record is still there. What should `delete` leave of it?"),),
        )
        yield case(
            "a deletion, and another record",
            *(put(), put("b", "2"), delete(), get("b")),
            signs=(([None], "`delete` removes more than its own key."),),
        )


def about_saving(adapt: Adapt = _plain) -> Iterator[Case]:
    """Yield cases about serialize and deserialize, with paths and deletions."""

    def case(
        about: str, *operations: Operation, look: str = "", signs: tuple[Sign, ...] = ()
    ) -> Case:
        return Case(adapt(list(operations)), about, look, signs)

    to_q, from_q = ("serialize", "q"), ("deserialize", "q")
    names = {"save": "serialize", "load": "deserialize"}
    yield case(
        "memory after saving",
        *(put(), SAVE, get()),
        signs=(
            ([None], "Saving empties memory here. `serialize` only writes: what does it change?"),
        ),
    )
    yield case(
        "one record, saved and loaded",
        *(put(), SAVE, delete(), LOAD, get()),
        signs=(
            (
                [None],
                "`deserialize` doesn't bring back what was saved. Does its result reach the dict "
                "that `get` reads, and was it bytes that were saved, or the dict itself?",
            ),
        ),
    )
    yield case(
        "a record that was changed after it was saved",
        *(put(), SAVE, put("a", "2"), LOAD, get()),
        signs=((["2"], ALIASED.format(**names)),),
    )
    yield case(
        "a record that was put after saving",
        *(put(), SAVE, put("b", "2"), LOAD, get("b")),
        signs=((["2"], MERGED.format(**names)),),
    )
    yield case(
        "an empty state, saved and loaded",
        *(SAVE, put(), LOAD, get()),
        signs=(
            (
                ["1"],
                "An empty state was saved, and the old one is still there after loading. Is `if` "
                "true for an empty dict, or for no bytes?",
            ),
        ),
    )
    yield case(
        "an empty value, saved and loaded",
        put("a", ""),
        SAVE,
        LOAD,
        get(),
        signs=(([None], EMPTY),),
    )
    yield case(
        "two paths",
        *(put(), SAVE, put("a", "2"), to_q, LOAD, get(), from_q, get()),
        signs=(
            (["2", "2"], "Both paths give what was saved last, so the path is ignored."),
            (["1", "1"], "Both paths give what was saved first. Where does the path come in?"),
        ),
    )
    yield case(
        "a path that is loaded twice",
        *(put(), SAVE, LOAD, put("a", "2"), LOAD, get()),
        signs=(
            (
                ["2"],
                "After the first `deserialize`, memory and what was saved are the same dict, so a "
                "put changes both.",
            ),
            (
                [None],
                "The second `deserialize` finds nothing: the first one used up what was saved. "
                "Does reading a file empty it?",
            ),
        ),
    )
    yield case(
        "a path that is saved to twice",
        *(put(), SAVE, put("a", "2"), SAVE, LOAD, get()),
        signs=((["1"], "The second `serialize` doesn't replace what the first one saved."),),
    )
    yield case(
        "a record that was deleted between two saves",
        *(put(), SAVE, delete(), SAVE, LOAD, get()),
        signs=(
            (
                ["1"],
                "A record that is no longer in memory comes back: the second `serialize` adds to "
                "the first instead of replacing it.",
            ),
        ),
    )


TYPES: Final = "Bytes must come back as bytes. What in the saved bytes says which it was?"
MARK: Final = (
    "Does your format use a character as a mark that the data may contain too? How could the "
    "reader "
    "find the end without searching?"
)


def about_data(adapt: Adapt, *, around: tuple[Operation, ...]) -> Iterator[Case]:
    """Yield cases about keys and values that a format may lose; `around` saves and loads."""

    def case(about: str, key: Any, value: Any, look: str = "") -> Case:
        return Case(adapt([put(key, value), *around, get(key)]), about, look)

    yield case("a character of two bytes", "é", "x", "Do your lengths count characters, or bytes?")
    yield case("characters of three and four bytes", "€", "\N{GRINNING FACE}")
    yield case("delimiters in a value", "a", "=;", MARK)
    yield case("digits", "1", "23", "If lengths are written in digits, where does a length end?")
    yield case("bytes", b"1", b"x", TYPES)
    yield Case(
        adapt([put("1", "x"), put(b"1", b"y"), *around, get("1"), get(b"1")]),
        "a text and bytes that look alike",
        TYPES,
        signs=(([b"y", b"y"], SAME_KEY), (["y", "y"], SAME_KEY)),
    )
    yield case("bytes that aren't text", "a", b"\xff\0", TYPES)
    yield case("every delimiter you might think of", "a|b:c\0", "\0v1|v2:1;\n\\,\t", MARK)
    yield case("an empty key", "", "1", "Is `if key` true for an empty text?")
    yield case("empty bytes", b"", b"")
    yield case("a value of 300 bytes", "a", "x" * 300, "How far can your length count?")
    yield case("white space at both ends", " a\n", " x\n", "Something strips the data.")
    yield Case(
        adapt([put(), put("b", "2"), put("c", "3"), *around, get(), get("b"), get("c")]),
        "three records",
        "Which of the records come back, and which don't?",
    )


# -------------------------------------------------------------------------------------- keepsakes

# Built at run time, so it is never the same object as a literal in a learner's code.
KEEPSAKE: Final = "".join(["two ", "words"])


def keeps_objects(
    says: str, *calls: tuple[Any, ...]
) -> Callable[[tuple[Function, ...]], Finding | int]:
    """Return an attack: it looks whether a value comes back as the very object that was put.

    Decoding would make a new one.

    Args:
        says: the feedback if it does.
        calls: the arguments for each call; they put KEEPSAKE and get it again.
    """

    def attack(functions: tuple[Function, ...]) -> Finding | int:
        for arguments in calls:
            results = run(functions[0], arguments).value
            if type(results) is list and any(one is KEEPSAKE for one in results):
                name = functions[0].__name__
                asked = f"{name}({', '.join(written(one) for one in arguments)})"
                return Finding(asked, f"{[KEEPSAKE]}, the same object", says)
        return len(calls)

    return attack
