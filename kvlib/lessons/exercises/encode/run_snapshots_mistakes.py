"""Wrong answers to 01-run-snapshots."""

import pickle
from typing import Any, Final

from kvlib.lessons.exercises.encode.delimiter import with_delimiters
from kvlib.lessons.exercises.encode.encode_field import field_counts_characters
from kvlib.lessons.exercises.encode.snapshot_mistakes import (
    read,
    records_of,
    snapshot_counts_characters,
    stream_of,
)
from kvlib.lessons.exercises.fields import Item, Records
from kvlib.lessons.exercises.machines import (
    EVALUATED,
    MISSING_KEY,
    PICKLED,
    UNTYPED,
    Machine,
    as_text,
    mistakes_of,
    undelimited,
    without_empty,
)

KEPT: Final = (
    "You got back the very object that was put, so it never became bytes. Under each path, keep "
    "one `bytes`, as a file would hold it."
)


class _Snapshots(Machine):
    """Keep the encoded state under its path."""

    def __init__(self) -> None:
        super().__init__()
        self.saved: dict[str, Any] = {}

    def encode(self, items: Records) -> Any:
        return stream_of(items)

    def decode(self, saved: Any) -> Records:
        return records_of(read(saved)[0])

    def serialize(self, path: str) -> None:
        self.saved[path] = self.encode(self.items)

    def deserialize(self, path: str) -> None:
        self.items = self.decode(self.saved[path])


class _RunUpdatesTheState(_Snapshots):
    """Leave in the state the records that were put after the snapshot."""

    sentence = (
        "After `deserialize`, the state has more in it than you saved. How much of the old state "
        "should be left?"
    )

    def deserialize(self, path: str) -> None:
        self.items.update(self.decode(self.saved[path]))


class _RunKeepsTheDictItself(_Snapshots):
    """Keep the state itself, which later operations change."""

    sentence = (
        "A put after `serialize` changes what you saved, because both are the same dict. What "
        "would a file hold?"
    )

    def encode(self, items: Records) -> Any:
        return items

    def decode(self, saved: Any) -> Any:
        return saved


class _RunKeepsACopy(_Snapshots):
    """Keep a dict instead of bytes."""

    sentence = KEPT

    def encode(self, items: Records) -> Any:
        return dict(items)

    def decode(self, saved: Any) -> Records:
        return dict(saved)


class _RunPickles(_Snapshots):
    """Let pickle write the bytes."""

    sentence = PICKLED

    def encode(self, items: Records) -> Any:
        return pickle.dumps(items)

    def decode(self, saved: Any) -> Records:
        return dict(pickle.loads(saved))


class _RunEvals(_Snapshots):
    """Let Python run the bytes as code."""

    sentence = EVALUATED

    def encode(self, items: Records) -> Any:
        return repr(items).encode()

    def decode(self, saved: Any) -> Records:
        return dict(eval(saved))


class _RunDelimits(_Snapshots):
    """Go back to delimiters."""

    sentence = (
        "The value is cut short at a character that your format uses as a mark. How could the "
        "reader find the end of the value without searching it?"
    )

    def encode(self, items: Records) -> Any:
        return with_delimiters.answer(items)

    def decode(self, saved: Any) -> Records:
        return undelimited(saved.decode())


class _RunForgetsTypes(_Snapshots):
    """Bring everything back as text."""

    sentence = UNTYPED

    def decode(self, saved: Any) -> Records:
        return {as_text(key): as_text(value) for key, value in super().decode(saved).items()}


class _RunCountsCharacters(_Snapshots):
    """Measure the text instead of its bytes."""

    sentence = field_counts_characters.sentence

    def encode(self, items: Records) -> Any:
        return snapshot_counts_characters.answer(items)


class _RunLosesEmptyValues(_Snapshots):
    """Drop records whose value is empty."""

    sentence = "A record with an empty value is gone. Is `if value` true for an empty text?"

    def encode(self, items: Records) -> Any:
        return super().encode(without_empty(items))


class _RunInsistsOnKeys(_Snapshots):
    """Raise a KeyError for a missing key."""

    sentence = MISSING_KEY

    def get(self, key: Item) -> None:
        self.results.append(self.items[key])

    def delete(self, key: Item) -> None:
        del self.items[key]


MISTAKES: Final = mistakes_of(
    _RunUpdatesTheState,
    _RunKeepsTheDictItself,
    _RunKeepsACopy,
    _RunPickles,
    _RunEvals,
    _RunDelimits,
    _RunForgetsTypes,
    _RunCountsCharacters,
    _RunLosesEmptyValues,
    _RunInsistsOnKeys,
)
