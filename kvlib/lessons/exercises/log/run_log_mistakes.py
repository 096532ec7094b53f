"""Wrong answers to 03-run-log."""

import json
import pickle
from typing import Any, Final

from kvlib.encoding import decode_snapshot, encode_snapshot
from kvlib.lessons.exercises.fields import Item, Records
from kvlib.lessons.exercises.log.frames import EMPTY_LOST, delete_if_empty, put_only
from kvlib.lessons.exercises.machines import EVALUATED, PICKLED, TEXT_ONLY, Machine, mistakes_of
from kvlib.log import Mutation, apply, decode_mutations, encode_delete, encode_put

LOGGED: Final = (
    "The value that came back is the very object that was put: it never became bytes. Keep the "
    "log and the snapshot as `bytes`, as files would hold them."
)
MISSING_KEY: Final = (
    "A key that isn't there is no error here: `get` gives None, and a deletion changes nothing. "
    "Which methods of dict do that?"
)


class _Store(Machine):
    """Has memory, a log and a snapshot."""

    def __init__(self, threshold: int) -> None:
        super().__init__()
        self.threshold = threshold
        self.log: list[Any] = []
        self.snapshot: Any = self.encode({})
        self.snapshots = 0

    def encode(self, items: Records) -> Any:
        return encode_snapshot(items)

    def decode(self, snapshot: Any) -> Records:
        return decode_snapshot(snapshot)

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
    """Compacts after the threshold, and not on it."""

    sentence = (
        "The log holds as many records as the threshold, and there is no snapshot yet. Does it "
        "have to be more than the threshold, or is as many enough?"
    )

    def is_due(self) -> bool:
        return len(self.log) > self.threshold


class _LogStaysFull(_Store):
    """Publishes a snapshot, and leaves the log as it was."""

    sentence = "A snapshot was written, and the log still has its records. What has become of them?"

    def compact(self) -> None:
        self.snapshot = self.encode(self.items)
        self.snapshots += 1


class _LogForgetsItsSnapshots(_Store):
    """Counts the snapshots in memory, which a restart throws away."""

    sentence = (
        "The number of snapshots begins again after a restart: it was in memory only. Where "
        "could it be kept, so that a restart finds it?"
    )

    def restart(self) -> None:
        super().restart()
        self.snapshots = 0


class _LogIsEmptiedByARestart(_Store):
    """Replays the log and throws it away, without a snapshot."""

    sentence = (
        "After a restart the log is empty: reading it has used it up. When may it be cleared?"
    )

    def restart(self) -> None:
        super().restart()
        self.log = []


class _LogWithoutItsSnapshot(_Store):
    """Replays the log over nothing."""

    sentence = "After a restart only what is in the log is back. What has to be loaded before it?"

    def restart(self) -> None:
        self.items = {}
        apply(self.mutations(), self.items)


class _LogIsNotReplayed(_Store):
    """Loads the snapshot only."""

    sentence = "After a restart only what is in the snapshot is back. What came after it?"

    def restart(self) -> None:
        self.items = self.decode(self.snapshot)


class _LogSparesDeletions(_Store):
    """Writes no record for the deletion of what isn't there."""

    sentence = (
        "A deletion left no record in the log, because the key wasn't there. What does the "
        "task say of that?"
    )

    def delete(self, key: Item) -> None:
        if key in self.items:
            super().delete(key)


class _LogSavesAtARestart(_Store):
    """Saves memory when it should throw it away."""

    sentence = (
        "A restart has written a snapshot. It is a crash, and nobody saves anything in one: "
        "what is there to read?"
    )

    def restart(self) -> None:
        self.compact()


class _LogRevives(_Store):
    """Replays no deletion."""

    sentence = "A key is back that was deleted. What does a record of a deletion do in a replay?"

    def restart(self) -> None:
        self.items = self.decode(self.snapshot)
        put_only(self.mutations(), self.items)


class _LogLosesEmptyValues(_Store):
    """Takes an empty value for none."""

    sentence = EMPTY_LOST

    def restart(self) -> None:
        self.items = self.decode(self.snapshot)
        delete_if_empty(self.mutations(), self.items)


class _LogCountsKeys(_Store):
    """Counts each key of the log once."""

    sentence = (
        "The number of records in the log is wrong: a key that was changed twice counts once. "
        "What does the log do at each change?"
    )

    def status(self) -> None:
        self.results.append((len(self.items), len(dict(self.mutations())), self.snapshots))


class _LogInsistsOnKeys(_Store):
    """Raises a KeyError for a key that isn't there."""

    sentence = MISSING_KEY

    def get(self, key: Item) -> None:
        self.results.append(self.items[key])


class _LogInsistsOnDeletions(_Store):
    """Raises a KeyError for the deletion of what isn't there."""

    sentence = MISSING_KEY

    def delete(self, key: Item) -> None:
        del self.items[key]
        self.append(key, None)


class _LogCountsDeletedKeys(_Store):
    """Counts keys whose value is None."""

    sentence = (
        "A deleted key counts as live: it is still in memory, with None as its value. What "
        "should be left of it?"
    )

    def encode(self, items: Records) -> Any:
        return encode_snapshot({key: one for key, one in items.items() if one is not None})

    def delete(self, key: Item) -> None:
        self.items[key] = None
        self.append(key, None)


class _LogListsItsStatus(_Store):
    """Gives a list where a tuple was asked for."""

    sentence = (
        "The numbers may be right, but a status is a tuple and this is a list: which brackets "
        "does the task write?"
    )

    def status(self) -> None:
        self.results.append([len(self.items), len(self.log), self.snapshots])


class _LogIsReplayedBackwards(_Store):
    """Lets the oldest record win."""

    sentence = "An older state of a key is back. In which order are the log's records replayed?"

    def mutations(self) -> list[Mutation]:
        return super().mutations()[::-1]


class _LogSnapshotsItself(_Store):
    """Saves what is in the log alone."""

    sentence = (
        "The second snapshot has only what was in the log by then, and a key of the first is "
        "gone. What is a snapshot of?"
    )

    def compact(self) -> None:
        saved: Records = {}
        apply(self.mutations(), saved)
        self.snapshot, self.log = self.encode(saved), []
        self.snapshots += 1


class _LogKeepsTheFirstSnapshot(_Store):
    """Clears the log for a snapshot that it doesn't write."""

    sentence = (
        "The log was cleared for a second snapshot, and what that should hold is gone. Which "
        "snapshot does a restart load?"
    )

    def compact(self) -> None:
        if not self.snapshots:
            self.snapshot = self.encode(self.items)
        self.log = []
        self.snapshots += 1


class _LogMergesPartly(_Store):
    """Merges the log into the snapshot, and forgets its deletions."""

    sentence = (
        "A key is back that was deleted before the last snapshot: the log was merged into the "
        "snapshot before, and its deletions were not."
    )

    def compact(self) -> None:
        saved = self.decode(self.snapshot)
        put_only(self.mutations(), saved)
        self.snapshot, self.log = self.encode(saved), []
        self.snapshots += 1


class _LogOfObjects(_Store):
    """Keeps tuples and dicts, and no bytes."""

    sentence = LOGGED

    def encode(self, items: Records) -> Any:
        return dict(items)

    def decode(self, snapshot: Any) -> Records:
        return dict(snapshot)

    def record(self, key: Item, value: Item | None) -> Any:
        return key, value

    def mutations(self) -> list[Mutation]:
        return self.log


class _LogOfJson(_LogOfObjects):
    """Raises a TypeError for bytes, which JSON has not."""

    sentence = TEXT_ONLY

    def record(self, key: Item, value: Item | None) -> Any:
        return json.dumps((key, value))

    def mutations(self) -> list[Mutation]:
        return [json.loads(record) for record in self.log]


class _LogOfPickles(_LogOfObjects):
    """Lets Python write the bytes."""

    sentence = PICKLED

    def record(self, key: Item, value: Item | None) -> Any:
        return pickle.dumps((key, value))

    def mutations(self) -> list[Mutation]:
        return [pickle.loads(record) for record in self.log]


class _LogOfLiterals(_LogOfObjects):
    """Lets Python run the bytes."""

    sentence = EVALUATED

    def record(self, key: Item, value: Item | None) -> Any:
        return repr((key, value))

    def mutations(self) -> list[Mutation]:
        return [eval(record) for record in self.log]


MISTAKES: Final = mistakes_of(
    _LogCompactsLate,
    _LogStaysFull,
    _LogForgetsItsSnapshots,
    _LogIsEmptiedByARestart,
    _LogWithoutItsSnapshot,
    _LogIsNotReplayed,
    _LogSparesDeletions,
    _LogSavesAtARestart,
    _LogRevives,
    _LogLosesEmptyValues,
    _LogCountsKeys,
    _LogInsistsOnKeys,
    _LogInsistsOnDeletions,
    _LogCountsDeletedKeys,
    _LogListsItsStatus,
    _LogIsReplayedBackwards,
    _LogSnapshotsItself,
    _LogKeepsTheFirstSnapshot,
    _LogMergesPartly,
    _LogOfObjects,
    _LogOfJson,
    _LogOfPickles,
    _LogOfLiterals,
)
