"""What the interviews share: operations, and machines that carry them out in a wrong way."""

import re
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from kvlib.judge import READING
from kvlib.lessons.exercise import Function, Mistake
from kvlib.lessons.exercises.fields import Item, Records
from kvlib.lessons.sandbox import run
from kvlib.views.plain import written

Operation = tuple[Any, ...]

PICKLED: Final = (
    "That is a format of Python's own, and reading it can run whatever it says. Write a tag, a "
    "length and the data yourself."
)
EVALUATED: Final = (
    "That lets Python read the bytes as a program. Write a tag, a length and the data, and read "
    "just these."
)
FORBIDDEN: Final = dict.fromkeys(["pickle", "_pickle", "marshal"], PICKLED) | dict.fromkeys(
    ["eval", "exec", "ast"], EVALUATED
)
UNTYPED: Final = "Bytes come back as a text. What in the saved bytes says which it was?"
TEXT_ONLY: Final = (
    "Texts come back, and here are bytes: your format, like JSON, has no place for them. What "
    "could say of each piece which of the two it is?"
)
MISSING_KEY: Final = (
    "A key that isn't there is no error here: `get` gives None, and `delete` does nothing. Which "
    "methods of dict do that?"
)

# ------------------------------------------------------------------------------------- operations

SAVE: Final = ("serialize", "p")
LOAD: Final = ("deserialize", "p")


def put(key: Item = "a", value: Item = "1") -> Operation:
    """The operation that puts this."""
    return ("put", key, value)


def get(key: Item = "a") -> Operation:
    """The operation that gets this."""
    return ("get", key)


def gets(count: int, keys: int) -> list[Operation]:
    """So many operations that get `key 0`, `key 1` and so on, of so many keys."""
    return [get(f"key {number % keys}") for number in range(count)]


def operation_of(index: int, *arguments: Any) -> str:
    """The operation that gave a result; the operations are the last of the arguments."""
    reading = [one for one in enumerate(arguments[-1]) if one[1][0] in READING]
    number, operation = reading[index]
    return f"operation {number}, {written(operation, 60)}"


# A value that no constant of anybody's code can be.
KEEPSAKE: Final = "".join(["two ", "words"])


def keeps(function: Function, *arguments: Any) -> bool:
    """Whether KEEPSAKE comes back as the object that it was: decoding makes a new one."""
    results = run(function, arguments).value
    return type(results) is list and any(one is KEEPSAKE for one in results)


# --------------------------------------------------------------------------------------- machines


class Machine:
    """Carries out operations, with a method for each.

    A wrong answer is a subclass that does one thing in another way, and is named after that.

    Attributes:
        sentence: what helps whoever answers so.
    """

    sentence: ClassVar[str] = ""

    def __init__(self) -> None:
        self.items: Records = {}
        self.results: list[Any] = []

    def put(self, key: Item, value: Item) -> None:
        """Put the value under the key."""
        self.items[key] = value

    def get(self, key: Item) -> None:
        """Give what is there; None if nothing is."""
        self.results.append(self.items.get(key))

    def delete(self, key: Item) -> None:
        """Delete the key, if it is there."""
        self.items.pop(key, None)

    def carry_out(self, operations: Iterable[Operation]) -> list[Any]:
        """All the results."""
        for name, *arguments in operations:
            getattr(self, name)(*arguments)
        return self.results


def mistakes_of(*kinds: type[Machine]) -> tuple[Mistake, ...]:
    """The mistakes that are made by these machines."""
    return tuple(Mistake(_answer_of(kind), kind.sentence) for kind in kinds)


def _answer_of(kind: type[Machine]) -> Function:
    """The function that asks such a machine; the operations are the last of its arguments."""

    def answer(*arguments: Any) -> list[Any]:
        return kind(*arguments[:-1]).carry_out(arguments[-1])

    answer.__name__ = re.sub("(?!^)(?=[A-Z])", "_", kind.__name__.lstrip("_")).lower()
    answer.__doc__ = kind.__doc__
    answer.__module__ = kind.__module__  # where a check looks for its lines
    return answer


def as_text(item: Item) -> Item:
    """What comes back if everything is taken for a text."""
    return item.decode(errors="replace") if isinstance(item, bytes) else item


def without_empty(items: Records) -> Records:
    """The records whose values are not empty."""
    return {key: value for key, value in items.items() if value}


def undelimited(text: str) -> Records:
    """What a reader finds who looks for `=` and `;`."""
    pairs = (record.split("=") for record in text.split(";")[:-1])
    return {key: value for key, value, *_ in pairs}
