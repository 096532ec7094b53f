"""Operations for the interviews, and machines that carry them out wrongly."""

import pickle
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from kvlib.encoding import decode_snapshot, encode_snapshot
from kvlib.judge import READING
from kvlib.lessons.exercise import Function, Mistake
from kvlib.lessons.exercises.fields import Item, Records
from kvlib.lessons.sandbox import run
from kvlib.views.plain import written

Operation = tuple[Any, ...]

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
UNTYPED: Final = "Bytes come back as text. What in your saved bytes says which type it was?"
TEXT_ONLY: Final = (
    "Your format stores only text, like JSON, but here it gets bytes. What could mark each piece "
    "as text or bytes?"
)
MISSING_KEY: Final = (
    "A missing key isn't an error here: `get` gives None, and `delete` does nothing. Which "
    "methods of dict do that?"
)

# ------------------------------------------------------------------------------------- operations

SAVE: Final = ("serialize", "p")
LOAD: Final = ("deserialize", "p")


def put(key: Item = "a", value: Item = "1") -> Operation:
    """Return the operation that puts this value under the key."""
    return ("put", key, value)


def get(key: Item = "a") -> Operation:
    """Return the operation that gets this key."""
    return ("get", key)


def gets(count: int, keys: int) -> list[Operation]:
    """Return `count` operations that get `key 0`, `key 1` and so on, over `keys` different keys."""
    return [get(f"key {number % keys}") for number in range(count)]


def operation_of(index: int, *arguments: Any) -> str:
    """Name the operation that gave a result; the operations are the last argument."""
    reading = [one for one in enumerate(arguments[-1]) if one[1][0] in READING]
    number, operation = reading[index]
    return f"operation {number}, {written(operation, 60)}"


# Built at run time, so it is never the same object as a literal in a learner's code.
KEEPSAKE: Final = "".join(["two ", "words"])


def keeps(function: Function, *arguments: Any) -> bool:
    """Return whether KEEPSAKE comes back as the same object; decoding would make a new one."""
    results = run(function, arguments).value
    return type(results) is list and any(one is KEEPSAKE for one in results)


# --------------------------------------------------------------------------------------- machines


class Machine:
    """A store that carries out operations, with one method for each.

    A wrong answer is a subclass that does one thing wrong and is named after it.

    Attributes:
        sentence: the sentence that helps a learner who makes this mistake.
    """

    sentence: ClassVar[str] = ""

    def __init__(self) -> None:
        self.items: Records = {}
        self.results: list[Any] = []

    def put(self, key: Item, value: Item) -> None:
        """Put the value under the key."""
        self.items[key] = value

    def get(self, key: Item) -> None:
        """Record the value under the key, or None if the key is missing."""
        self.results.append(self.items.get(key))

    def delete(self, key: Item) -> None:
        """Delete the key if it is there."""
        self.items.pop(key, None)

    def carry_out(self, operations: Iterable[Operation]) -> list[Any]:
        """Carry out the operations and return all the results."""
        for name, *arguments in operations:
            getattr(self, name)(*arguments)
        return self.results


def machines_in(namespace: Mapping[str, object]) -> tuple[Mistake, ...]:
    """Return the mistakes of the machines that a module defines, in order, given its `globals()`.

    Machines that the module imports don't count, and neither do those without a sentence.
    """
    kinds = [
        value
        for value in namespace.values()
        if isinstance(value, type) and issubclass(value, Machine) and value.sentence
    ]
    own = (kind for kind in kinds if kind.__module__ == namespace["__name__"])
    return tuple(Mistake(_answer_of(kind), kind.sentence) for kind in own)


def _answer_of(kind: type[Machine]) -> Function:
    """Return the function that runs such a machine; the operations are its last argument."""

    def answer(*arguments: Any) -> list[Any]:
        return kind(*arguments[:-1]).carry_out(arguments[-1])

    answer.__name__ = re.sub("(?!^)(?=[A-Z])", "_", kind.__name__.lstrip("_")).lower()
    answer.__module__ = kind.__module__  # a check looks up its lines there
    return answer


def as_text(item: Item) -> Item:
    """Decode bytes into text, whatever they were before."""
    return item.decode(errors="replace") if isinstance(item, bytes) else item


def undelimited(text: str) -> Records:
    """Read records by searching for `=` and `;`."""
    pairs = (record.split("=") for record in text.split(";")[:-1])
    return {key: value for key, value, *_ in pairs}


# ---------------------------------------------------------------------------------- shared mistakes


class Coder(Machine):
    """A machine that encodes its items, and decodes them again."""

    def encode(self, items: Records) -> Any:
        """Encode all items."""
        return encode_snapshot(items)

    def decode(self, saved: Any) -> Records:
        """Decode what `encode` returned."""
        return decode_snapshot(saved)


class Pickles(Coder):
    """Let pickle write the bytes."""

    sentence = PICKLED

    def encode(self, items: Records) -> Any:
        """Pickle the items."""
        return pickle.dumps(items)

    def decode(self, saved: Any) -> Records:
        """Unpickle the items."""
        return dict(pickle.loads(saved))


class Evals(Coder):
    """Let Python run the bytes as code."""

    sentence = EVALUATED

    def encode(self, items: Records) -> Any:
        """Write the dict's `repr`."""
        return repr(items).encode()

    def decode(self, saved: Any) -> Records:
        """Evaluate the `repr`."""
        return dict(eval(saved))


class KeepsDicts(Coder):
    """Keep a dict instead of bytes."""

    def encode(self, items: Records) -> Any:
        """Copy the dict."""
        return dict(items)

    def decode(self, saved: Any) -> Records:
        """Copy the copy."""
        return dict(saved)


class LosesEmptyValues(Coder):
    """Drop records whose value is empty."""

    def encode(self, items: Records) -> Any:
        """Encode the records whose values aren't empty."""
        return super().encode({key: value for key, value in items.items() if value})


class ForgetsTypes(Coder):
    """Bring everything back as text."""

    sentence = UNTYPED

    def decode(self, saved: Any) -> Records:
        """Decode the items, and then their bytes too."""
        return {as_text(key): as_text(value) for key, value in super().decode(saved).items()}


class InsistsOnKeys(Machine):
    """Raise a KeyError for a missing key."""

    sentence = MISSING_KEY

    def get(self, key: Item) -> None:
        """Record the value under a key that must be there."""
        self.results.append(self.items[key])

    def delete(self, key: Item) -> None:
        """Delete a key that must be there."""
        del self.items[key]
