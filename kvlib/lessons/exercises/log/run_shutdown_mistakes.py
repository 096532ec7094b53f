"""Wrong answers to 03-run-shutdown."""

import json
from typing import Any, Final

from kvlib.encoding import decode_snapshot
from kvlib.lessons.exercises.encode.delimiter import with_delimiters
from kvlib.lessons.exercises.fields import Item, Records
from kvlib.lessons.exercises.log.frames import EMPTY_LOST
from kvlib.lessons.exercises.machines import (
    TEXT_ONLY,
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

SHUT_DOWN: Final = (
    "You got back the very object that was set, so it never became bytes. `shutdown` must write "
    "one `bytes`, as a file would hold it."
)
EARLY: Final = (
    "Here `restore` comes before any shutdown. What has been written by then, and what does "
    "memory become?"
)


class _Shutdown(Coder):
    """A store with memory, and with the bytes of its last shutdown."""

    def __init__(self) -> None:
        super().__init__()
        self.written: Any = self.encode({})

    def set(self, key: Item, value: Item) -> None:
        self.put(key, value)

    def shutdown(self) -> None:
        self.written = self.encode(self.items)
        self.items = {}

    def restore(self) -> None:
        self.items = self.decode(self.written)


class _ShutdownMerges(_Shutdown):
    sentence = (
        "After `restore`, memory has more in it than you wrote, because records set since then "
        "are still there. How much of the old memory should be left?"
    )

    def restore(self) -> None:
        self.items.update(self.decode(self.written))


class _ShutdownKeepsMemory(_Shutdown):
    sentence = (
        "After `shutdown`, a `get` still finds the record. Which step of a shutdown is missing?"
    )

    def shutdown(self) -> None:
        self.written = self.encode(self.items)


class _ShutdownClearsWhatItWrote(_Shutdown):
    sentence = "You kept the dict itself, so clearing memory clears it too. What would a file hold?"

    def decode(self, written: Any) -> Records:
        return dict(written)

    def encode(self, items: Records) -> Any:
        return items

    def shutdown(self) -> None:
        self.written = self.items
        self.items.clear()


class _ShutdownKeepsACopy(KeepsDicts, _Shutdown):
    sentence = SHUT_DOWN


class _ShutdownCollects(_Shutdown):
    sentence = (
        "You got back a record that the last shutdown didn't write: it is from an earlier one. "
        "What does a shutdown write when memory is empty?"
    )

    def shutdown(self) -> None:
        self.written = self.encode(self.decode(self.written) | self.items)
        self.items = {}


class _ShutdownInsistsOnKeys(InsistsOnKeys, _Shutdown):
    """Raise a KeyError for a missing key."""

    sentence = (
        "A missing key isn't an error here: `get` gives None. Which method of dict does that?"
    )


class _ShutdownExpectsOne(_Shutdown):
    """Raise a TypeError if nothing was ever written."""

    sentence = EARLY

    def __init__(self) -> None:
        super().__init__()
        self.written = None

    def decode(self, written: Any) -> Records:
        return decode_snapshot(bytes(memoryview(written)))


class _ShutdownDecodesNothing(_Shutdown):
    """Raise a CorruptionError if nothing was ever written: empty bytes aren't a snapshot."""

    sentence = EARLY

    def __init__(self) -> None:
        super().__init__()
        self.written = b""


class _ShutdownIgnoresEarlyRestores(_Shutdown):
    sentence = (
        "When nothing has been written, your `restore` leaves memory as it is. What does the task "
        "say memory becomes?"
    )
    saved = False

    def shutdown(self) -> None:
        super().shutdown()
        self.saved = True

    def restore(self) -> None:
        if self.saved:
            super().restore()


class _ShutdownRestoresOnce(_Shutdown):
    sentence = (
        "The second `restore` finds nothing, because the first one used up what was written. Does "
        "reading a file empty it?"
    )

    def restore(self) -> None:
        super().restore()
        self.written = self.encode({})


class _ShutdownLosesEmptyValues(LosesEmptyValues, _Shutdown):
    sentence = EMPTY_LOST


class _ShutdownForgetsTypes(ForgetsTypes, _Shutdown):
    """Bring everything back as text."""


class _ShutdownShowsBytes(_Shutdown):
    sentence = (
        "`str` turns bytes into a text that shows them, with a `b` and quotes. How can bytes stay "
        "bytes?"
    )

    def set(self, key: Item, value: Item) -> None:
        super().set(str(key), str(value))

    def get(self, key: Item) -> None:
        super().get(str(key))


class _ShutdownDelimits(_Shutdown):
    sentence = (
        "The data contains a character that your format uses as a mark. How could the reader find "
        "the end of a value without searching it?"
    )

    def encode(self, items: Records) -> Any:
        return with_delimiters.answer(items)

    def decode(self, written: Any) -> Records:
        return undelimited(written.decode(errors="replace"))


class _ShutdownByJson(_Shutdown):
    """Raise a TypeError for bytes, which JSON can't hold."""

    sentence = TEXT_ONLY

    def encode(self, items: Records) -> Any:
        return json.dumps(items).encode()

    def decode(self, written: Any) -> Records:
        return dict(json.loads(written))


class _ShutdownPickles(Pickles, _Shutdown):
    """Let pickle write the bytes."""


class _ShutdownEvals(Evals, _Shutdown):
    """Let Python run the bytes as code."""


MISTAKES: Final = machines_in(globals())
