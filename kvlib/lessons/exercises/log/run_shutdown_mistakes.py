"""Wrong answers to 03-run-shutdown."""

import json
import pickle
from typing import Any, Final

from kvlib.encoding import decode_snapshot, encode_snapshot
from kvlib.lessons.exercises.encode.delimiter import with_delimiters
from kvlib.lessons.exercises.fields import Item, Records
from kvlib.lessons.exercises.log.frames import EMPTY_LOST
from kvlib.lessons.exercises.machines import (
    EVALUATED,
    PICKLED,
    TEXT_ONLY,
    UNTYPED,
    Machine,
    as_text,
    mistakes_of,
    undelimited,
    without_empty,
)

SHUT_DOWN: Final = (
    "The value that came back is the very object that was set: it never became bytes. What "
    "shutdown writes is one `bytes`, as a file would hold it."
)
EARLY: Final = (
    "Here `restore` comes before any shutdown. What has been written by then, and what does "
    "memory become?"
)


class _Shutdown(Machine):
    """Has memory, and what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: Any = self.encode({})

    def encode(self, items: Records) -> Any:
        return encode_snapshot(items)

    def decode(self, written: Any) -> Records:
        return decode_snapshot(written)

    def set(self, key: Item, value: Item) -> None:
        self.put(key, value)

    def shutdown(self) -> None:
        self.written = self.encode(self.items)
        self.items = {}

    def restore(self) -> None:
        self.items = self.decode(self.written)


class _ShutdownMerges(_Shutdown):
    """Adds what was written to what is in memory."""

    sentence = (
        "After `restore` there is more than was written: what was set since then stays. "
        "What of memory must be left?"
    )

    def restore(self) -> None:
        self.items.update(self.decode(self.written))


class _ShutdownKeepsMemory(_Shutdown):
    """Writes, and does not clear."""

    sentence = (
        "After `shutdown` a `get` still finds the record. Which step of a shutdown is missing?"
    )

    def shutdown(self) -> None:
        self.written = self.encode(self.items)


class _ShutdownClearsWhatItWrote(_Shutdown):
    """Keeps the dict itself, and then clears it."""

    sentence = (
        "What was written is the dict itself, and clearing memory clears it too. What would a "
        "file hold?"
    )

    def decode(self, written: Any) -> Records:
        return dict(written)

    def encode(self, items: Records) -> Any:
        return items

    def shutdown(self) -> None:
        self.written = self.items
        self.items.clear()


class _ShutdownKeepsACopy(_Shutdown):
    """Keeps a dict, and no bytes."""

    sentence = SHUT_DOWN

    def encode(self, items: Records) -> Any:
        return dict(items)

    def decode(self, written: Any) -> Records:
        return dict(written)


class _ShutdownCollects(_Shutdown):
    """Adds to what an earlier shutdown wrote."""

    sentence = (
        "A record comes back that the last shutdown didn't write: it is of an earlier one. "
        "What does a shutdown of empty memory write?"
    )

    def shutdown(self) -> None:
        self.written = self.encode(self.decode(self.written) | self.items)
        self.items = {}


class _ShutdownInsistsOnKeys(_Shutdown):
    """Raises a KeyError for a key that isn't there."""

    sentence = (
        "A key that isn't there is no error here: `get` gives None. Which method of dict does that?"
    )

    def get(self, key: Item) -> None:
        self.results.append(self.items[key])


class _ShutdownExpectsOne(_Shutdown):
    """Raises a TypeError if nothing was ever written."""

    sentence = EARLY

    def __init__(self) -> None:
        super().__init__()
        self.written = None

    def decode(self, written: Any) -> Records:
        return decode_snapshot(bytes(memoryview(written)))


class _ShutdownDecodesNothing(_Shutdown):
    """Raises a CorruptionError if nothing was ever written: no bytes are no snapshot."""

    sentence = EARLY

    def __init__(self) -> None:
        super().__init__()
        self.written = b""


class _ShutdownIgnoresEarlyRestores(_Shutdown):
    """Leaves memory as it is if nothing was ever written."""

    sentence = (
        "With nothing written, `restore` leaves memory as it is. What does the task say that "
        "it becomes?"
    )
    saved = False

    def shutdown(self) -> None:
        super().shutdown()
        self.saved = True

    def restore(self) -> None:
        if self.saved:
            super().restore()


class _ShutdownRestoresOnce(_Shutdown):
    """Forgets what was written as soon as it is read."""

    sentence = (
        "The second `restore` finds nothing: reading has used up what was written. Does a file "
        "get empty by being read?"
    )

    def restore(self) -> None:
        super().restore()
        self.written = self.encode({})


class _ShutdownLosesEmptyValues(_Shutdown):
    """Takes an empty value for none."""

    sentence = EMPTY_LOST

    def encode(self, items: Records) -> Any:
        return super().encode(without_empty(items))


class _ShutdownForgetsTypes(_Shutdown):
    """Brings everything back as a text."""

    sentence = UNTYPED

    def decode(self, written: Any) -> Records:
        return {as_text(key): as_text(value) for key, value in super().decode(written).items()}


class _ShutdownShowsBytes(_Shutdown):
    """Makes texts by `str`, which shows bytes and does not decode them."""

    sentence = (
        "`str` of bytes is a text that shows them, with a `b` and quotes. How can bytes stay bytes?"
    )

    def set(self, key: Item, value: Item) -> None:
        super().set(str(key), str(value))

    def get(self, key: Item) -> None:
        super().get(str(key))


class _ShutdownDelimits(_Shutdown):
    """Goes back to delimiters."""

    sentence = (
        "The data holds a character that your format uses as a mark. How could the reader "
        "know where a value ends without searching in it?"
    )

    def encode(self, items: Records) -> Any:
        return with_delimiters.answer(items)

    def decode(self, written: Any) -> Records:
        return undelimited(written.decode(errors="replace"))


class _ShutdownByJson(_Shutdown):
    """Raises a TypeError for bytes, which JSON has not."""

    sentence = TEXT_ONLY

    def encode(self, items: Records) -> Any:
        return json.dumps(items).encode()

    def decode(self, written: Any) -> Records:
        return dict(json.loads(written))


class _ShutdownPickles(_Shutdown):
    """Lets Python write the bytes."""

    sentence = PICKLED

    def encode(self, items: Records) -> Any:
        return pickle.dumps(items)

    def decode(self, written: Any) -> Records:
        return dict(pickle.loads(written))


class _ShutdownEvals(_Shutdown):
    """Lets Python run the bytes."""

    sentence = EVALUATED

    def encode(self, items: Records) -> Any:
        return repr(items).encode()

    def decode(self, written: Any) -> Records:
        return dict(eval(written))


MISTAKES: Final = mistakes_of(
    _ShutdownMerges,
    _ShutdownKeepsMemory,
    _ShutdownClearsWhatItWrote,
    _ShutdownKeepsACopy,
    _ShutdownCollects,
    _ShutdownInsistsOnKeys,
    _ShutdownExpectsOne,
    _ShutdownDecodesNothing,
    _ShutdownIgnoresEarlyRestores,
    _ShutdownRestoresOnce,
    _ShutdownLosesEmptyValues,
    _ShutdownForgetsTypes,
    _ShutdownShowsBytes,
    _ShutdownDelimits,
    _ShutdownByJson,
    _ShutdownPickles,
    _ShutdownEvals,
)
