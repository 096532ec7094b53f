"""Wrong answers to 01-run-snapshots."""

from typing import Any, Final

from kvlib.lessons.exercises.encode.delimiter import with_delimiters
from kvlib.lessons.exercises.encode.encode_field import field_counts_characters
from kvlib.lessons.exercises.encode.snapshot_mistakes import (
    read,
    records_of,
    snapshot_counts_characters,
    stream_of,
)
from kvlib.lessons.exercises.fields import Records
from kvlib.lessons.exercises.machines import (
    Coder,
    Evals,
    ForgetsTypes,
    InsistsOnKeys,
    KeepsDicts,
    LosesEmptyValues,
    Pickles,
    machines_in,
    undelimited,
)

KEPT: Final = (
    "You got back the very object that was put, so it never became bytes. Under each path, keep "
    "one `bytes`, as a file would hold it."
)


class _Snapshots(Coder):
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
    sentence = (
        "After `deserialize`, the state has more in it than you saved. How much of the old state "
        "should be left?"
    )

    def deserialize(self, path: str) -> None:
        self.items.update(self.decode(self.saved[path]))


class _RunKeepsTheDictItself(_Snapshots):
    sentence = (
        "A put after `serialize` changes what you saved, because both are the same dict. What "
        "would a file hold?"
    )

    def encode(self, items: Records) -> Any:
        return items

    def decode(self, saved: Any) -> Any:
        return saved


class _RunKeepsACopy(KeepsDicts, _Snapshots):
    sentence = KEPT


class _RunPickles(Pickles, _Snapshots):
    """Let pickle write the bytes."""


class _RunEvals(Evals, _Snapshots):
    """Let Python run the bytes as code."""


class _RunDelimits(_Snapshots):
    sentence = (
        "The value is cut short at a character that your format uses as a mark. How could the "
        "reader find the end of the value without searching it?"
    )

    def encode(self, items: Records) -> Any:
        return with_delimiters.answer(items)

    def decode(self, saved: Any) -> Records:
        return undelimited(saved.decode())


class _RunForgetsTypes(ForgetsTypes, _Snapshots):
    """Bring everything back as text."""


class _RunCountsCharacters(_Snapshots):
    sentence = field_counts_characters.sentence

    def encode(self, items: Records) -> Any:
        return snapshot_counts_characters.answer(items)


class _RunLosesEmptyValues(LosesEmptyValues, _Snapshots):
    sentence = "A record with an empty value is gone. Is `if value` true for an empty text?"


class _RunInsistsOnKeys(InsistsOnKeys, _Snapshots):
    """Raise a KeyError for a missing key."""


MISTAKES: Final = machines_in(globals())
