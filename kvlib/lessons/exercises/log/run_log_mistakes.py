"""Wrong answers to 03-run-log."""

import json
import pickle
from typing import Any, Final

from kvlib.encoding import encode_snapshot
from kvlib.lessons.exercises.fields import Item, Records
from kvlib.lessons.exercises.log.frames import EMPTY_LOST, delete_if_empty, put_only
from kvlib.lessons.exercises.machines import (
    EVALUATED,
    MISSING_KEY,
    PICKLED,
    TEXT_ONLY,
    Coder,
    KeepsDicts,
    machines_in,
)
from kvlib.log import Mutation, apply, decode_mutations, encode_delete, encode_put

LOGGED: Final = (
    "You got back the very object that was put, so it never became bytes. Keep the log and the "
    "snapshot as `bytes`, as files would hold them."
)


class _Store(Coder):
    """A store with memory, a log and a snapshot."""

    def __init__(self, threshold: int) -> None:
        super().__init__()
        self.threshold = threshold
        self.log: list[Any] = []
        self.snapshot: Any = self.encode({})
        self.snapshots = 0

    def record(self, key: Item, value: Item | None) -> Any:
        return encode_delete(key) if value is None else encode_put(key, value)

    def mutations(self) -> list[Mutation]:
        return [mutation for record in self.log for mutation in decode_mutations(record)]

    def put(self, key: Item, value: Item) -> None:
        super().put(key, value)
        self.append(key, value)

    def delete(self, key: Item) -> None:
        super().delete(key)
        self.append(key, None)

    def append(self, key: Item, value: Item | None) -> None:
        self.log.append(self.record(key, value))
        if self.is_due():
            self.compact()

    def is_due(self) -> bool:
        return len(self.log) >= self.threshold

    def compact(self) -> None:
        self.snapshot, self.log = self.encode(self.items), []
        self.snapshots += 1

    def restart(self) -> None:
        self.items = self.decode(self.snapshot)
        apply(self.mutations(), self.items)

    def status(self) -> None:
        self.results.append((len(self.items), len(self.log), self.snapshots))


class _LogCompactsLate(_Store):
    sentence = (
        "The log holds as many records as the threshold, but you haven't written a snapshot. Must "
        "there be more records than the threshold, or are as many enough?"
    )

    def is_due(self) -> bool:
        return len(self.log) > self.threshold


class _LogStaysFull(_Store):
    sentence = (
        "You wrote a snapshot, but the log still has its records. What should happen to them?"
    )

    def compact(self) -> None:
        self.snapshot = self.encode(self.items)
        self.snapshots += 1


class _LogForgetsItsSnapshots(_Store):
    sentence = (
        "The number of snapshots starts over after a restart, because you kept it only in memory. "
        "Where could you keep it so that a restart finds it?"
    )

    def restart(self) -> None:
        super().restart()
        self.snapshots = 0


class _LogIsEmptiedByARestart(_Store):
    sentence = (
        "After a restart your log is empty, because you cleared it after reading it. When may you "
        "clear it?"
    )

    def restart(self) -> None:
        super().restart()
        self.log = []


class _LogWithoutItsSnapshot(_Store):
    sentence = "After a restart, you have only what the log holds. What must you load before it?"

    def restart(self) -> None:
        self.items = {}
        apply(self.mutations(), self.items)


class _LogIsNotReplayed(_Store):
    sentence = (
        "After a restart, you have only what the snapshot holds. Where are the changes that came "
        "after it?"
    )

    def restart(self) -> None:
        self.items = self.decode(self.snapshot)


class _LogSparesDeletions(_Store):
    sentence = (
        "Your deletion left no record in the log, because the key wasn't there. What does the "
        "task say about that?"
    )

    def delete(self, key: Item) -> None:
        if key in self.items:
            super().delete(key)


class _LogSavesAtARestart(_Store):
    sentence = (
        "Your restart wrote a snapshot, but a restart stands for a crash, which saves nothing. "
        "What is there to read?"
    )

    def restart(self) -> None:
        self.compact()


class _LogRevives(_Store):
    sentence = "A deleted key is back. What should a replay do with the record of a deletion?"

    def restart(self) -> None:
        self.items = self.decode(self.snapshot)
        put_only(self.mutations(), self.items)


class _LogLosesEmptyValues(_Store):
    sentence = EMPTY_LOST

    def restart(self) -> None:
        self.items = self.decode(self.snapshot)
        delete_if_empty(self.mutations(), self.items)


class _LogCountsKeys(_Store):
    sentence = (
        "The number of records in the log is wrong: you count a key that changed twice only once. "
        "What does the log do at each change?"
    )

    def status(self) -> None:
        self.results.append((len(self.items), len(dict(self.mutations())), self.snapshots))


class _LogInsistsOnKeys(_Store):
    """Raise a KeyError for a missing key."""

    sentence = MISSING_KEY

    def get(self, key: Item) -> None:
        self.results.append(self.items[key])


class _LogInsistsOnDeletions(_Store):
    """Raise a KeyError for deleting a missing key."""

    sentence = MISSING_KEY

    def delete(self, key: Item) -> None:
        del self.items[key]
        self.append(key, None)


class _LogCountsDeletedKeys(_Store):
    sentence = (
        "You count a deleted key as live, because it is still in memory with None as its value. "
        "What should be left of it?"
    )

    def encode(self, items: Records) -> Any:
        return encode_snapshot({key: one for key, one in items.items() if one is not None})

    def delete(self, key: Item) -> None:
        self.items[key] = None
        self.append(key, None)


class _LogListsItsStatus(_Store):
    sentence = (
        "The numbers may be right, but a status is a tuple and yours is a list. Which brackets "
        "does the task use?"
    )

    def status(self) -> None:
        self.results.append([len(self.items), len(self.log), self.snapshots])


class _LogIsReplayedBackwards(_Store):
    sentence = "An older state of a key is back. In which order do you replay the log's records?"

    def mutations(self) -> list[Mutation]:
        return super().mutations()[::-1]


class _LogSnapshotsItself(_Store):
    sentence = (
        "Your second snapshot holds only the log's records, so a key from the first snapshot is "
        "gone. What should a snapshot contain?"
    )

    def compact(self) -> None:
        saved: Records = {}
        apply(self.mutations(), saved)
        self.snapshot, self.log = self.encode(saved), []
        self.snapshots += 1


class _LogKeepsTheFirstSnapshot(_Store):
    sentence = (
        "You cleared the log for a second snapshot, but its contents are gone. Which snapshot "
        "does a restart load?"
    )

    def compact(self) -> None:
        if not self.snapshots:
            self.snapshot = self.encode(self.items)
        self.log = []
        self.snapshots += 1


class _LogMergesPartly(_Store):
    sentence = (
        "A key is back that was deleted before the last snapshot. You merged the log's puts into "
        "the snapshot, but what happened to its deletions?"
    )

    def compact(self) -> None:
        saved = self.decode(self.snapshot)
        put_only(self.mutations(), saved)
        self.snapshot, self.log = self.encode(saved), []
        self.snapshots += 1


class _LogOfObjects(KeepsDicts, _Store):
    sentence = LOGGED

    def record(self, key: Item, value: Item | None) -> Any:
        return key, value

    def mutations(self) -> list[Mutation]:
        return self.log


class _LogOfJson(_LogOfObjects):
    """Raise a TypeError for bytes, which JSON can't hold."""

    sentence = TEXT_ONLY

    def record(self, key: Item, value: Item | None) -> Any:
        return json.dumps((key, value))

    def mutations(self) -> list[Mutation]:
        return [json.loads(record) for record in self.log]


class _LogOfPickles(_LogOfObjects):
    sentence = PICKLED

    def record(self, key: Item, value: Item | None) -> Any:
        return pickle.dumps((key, value))

    def mutations(self) -> list[Mutation]:
        return [pickle.loads(record) for record in self.log]


class _LogOfLiterals(_LogOfObjects):
    sentence = EVALUATED

    def record(self, key: Item, value: Item | None) -> Any:
        return repr((key, value))

    def mutations(self) -> list[Mutation]:
        return [eval(record) for record in self.log]


MISTAKES: Final = machines_in(globals())
