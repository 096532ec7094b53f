"""Wrong answers to the interviews of notebook 3. As mistakes.py says."""

import json
import pickle
from collections.abc import Iterable
from typing import Any

from kvlib.encoding import decode_snapshot, encode_snapshot
from kvlib.lessons.log_mistakes import delete_if_empty, put_only
from kvlib.lessons.mistakes import Item, Operations, Records, with_delimiters
from kvlib.log import Mutation, apply, decode_mutations, encode_delete, encode_put

# -------------------------------------------------------------------------------- 03-run-shutdown


class _Machine:
    """Memory, and what was written; each mistake below changes one of its methods."""

    def __init__(self) -> None:
        self.items: Records = {}
        self.written: Any = self.encode({})
        self.results: list[Any] = []

    def encode(self, items: Records) -> Any:
        return encode_snapshot(items)

    def decode(self, written: Any) -> Records:
        return decode_snapshot(written)

    def set(self, key: Item, value: Item) -> None:
        self.items[key] = value

    def get(self, key: Item) -> None:
        self.results.append(self.items.get(key))

    def shutdown(self) -> None:
        self.written = self.encode(self.items)
        self.items = {}

    def restore(self) -> None:
        self.items = self.decode(self.written)

    def carry_out(self, operations: Iterable[tuple[Any, ...]]) -> list[Any]:
        for name, *arguments in operations:
            getattr(self, name)(*arguments)
        return self.results


class _Merging(_Machine):
    def restore(self) -> None:
        self.items.update(self.decode(self.written))


class _Remembering(_Machine):
    def shutdown(self) -> None:
        self.written = self.encode(self.items)


class _Sharing(_Machine):
    def encode(self, items: Records) -> Any:
        return items

    def decode(self, written: Any) -> Records:
        return dict(written)

    def shutdown(self) -> None:
        self.written = self.items
        self.items.clear()


class _Copying(_Machine):
    def encode(self, items: Records) -> Any:
        return dict(items)

    def decode(self, written: Any) -> Records:
        return dict(written)


class _Collecting(_Machine):
    def shutdown(self) -> None:
        self.written = self.encode(self.decode(self.written) | self.items)
        self.items = {}


class _Insisting(_Machine):
    def get(self, key: Item) -> None:
        self.results.append(self.items[key])


class _Unprepared(_Machine):
    def __init__(self) -> None:
        super().__init__()
        self.written = None

    def decode(self, written: Any) -> Records:
        return decode_snapshot(bytes(memoryview(written)))


class _Blank(_Machine):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""


class _Keeping(_Machine):
    """Restores only if something was written."""

    saved = False

    def shutdown(self) -> None:
        super().shutdown()
        self.saved = True

    def restore(self) -> None:
        if self.saved:
            super().restore()


class _OnceOnly(_Machine):
    def restore(self) -> None:
        super().restore()
        self.written = self.encode({})


class _Dropping(_Machine):
    def encode(self, items: Records) -> Any:
        return encode_snapshot({key: value for key, value in items.items() if value})


class _AllText(_Machine):
    def decode(self, written: Any) -> Records:
        return {_text(key): _text(value) for key, value in decode_snapshot(written).items()}


def _text(item: Item) -> Item:
    return item.decode(errors="replace") if isinstance(item, bytes) else item


class _Showing(_Machine):
    def set(self, key: Item, value: Item) -> None:
        super().set(str(key), str(value))

    def get(self, key: Item) -> None:
        super().get(str(key))


class _Delimiting(_Machine):
    def encode(self, items: Records) -> Any:
        return with_delimiters(items)

    def decode(self, written: Any) -> Records:
        pairs = (record.split("=") for record in written.decode(errors="replace").split(";")[:-1])
        return {key: value for key, value, *_ in pairs}


class _Pickling(_Machine):
    def encode(self, items: Records) -> Any:
        return pickle.dumps(items)

    def decode(self, written: Any) -> Records:
        return dict(pickle.loads(written))


class _Json(_Machine):
    def encode(self, items: Records) -> Any:
        return json.dumps(items).encode()

    def decode(self, written: Any) -> Records:
        return dict(json.loads(written))


class _Evaluating(_Machine):
    def encode(self, items: Records) -> Any:
        return repr(items).encode()

    def decode(self, written: Any) -> Records:
        return dict(eval(written))


def shutdown_merges(operations: Operations) -> list[Any]:
    """Adds what was written to what is in memory."""
    return _Merging().carry_out(operations)


def shutdown_keeps_memory(operations: Operations) -> list[Any]:
    """Writes, and does not clear."""
    return _Remembering().carry_out(operations)


def shutdown_clears_what_it_wrote(operations: Operations) -> list[Any]:
    """Keeps the dict itself, and then clears it."""
    return _Sharing().carry_out(operations)


def shutdown_keeps_a_copy(operations: Operations) -> list[Any]:
    """Keeps a dict, and no bytes."""
    return _Copying().carry_out(operations)


def shutdown_collects(operations: Operations) -> list[Any]:
    """Adds to what an earlier shutdown wrote."""
    return _Collecting().carry_out(operations)


def shutdown_insists_on_keys(operations: Operations) -> list[Any]:
    """Raises a KeyError for a key that isn't there."""
    return _Insisting().carry_out(operations)


def shutdown_expects_one(operations: Operations) -> list[Any]:
    """Raises a TypeError if nothing was ever written."""
    return _Unprepared().carry_out(operations)


def shutdown_decodes_nothing(operations: Operations) -> list[Any]:
    """Raises a CorruptionError if nothing was ever written: no bytes are no snapshot."""
    return _Blank().carry_out(operations)


def shutdown_ignores_early_restores(operations: Operations) -> list[Any]:
    """Leaves memory as it is if nothing was ever written."""
    return _Keeping().carry_out(operations)


def shutdown_restores_once(operations: Operations) -> list[Any]:
    """Forgets what was written as soon as it is read."""
    return _OnceOnly().carry_out(operations)


def shutdown_loses_empty_values(operations: Operations) -> list[Any]:
    """Takes an empty value for none."""
    return _Dropping().carry_out(operations)


def shutdown_forgets_types(operations: Operations) -> list[Any]:
    """Brings everything back as a text."""
    return _AllText().carry_out(operations)


def shutdown_shows_bytes(operations: Operations) -> list[Any]:
    """Makes texts by `str`, which shows bytes and does not decode them."""
    return _Showing().carry_out(operations)


def shutdown_delimits(operations: Operations) -> list[Any]:
    """Goes back to delimiters."""
    return _Delimiting().carry_out(operations)


def shutdown_pickles(operations: Operations) -> list[Any]:
    """Lets Python write the bytes."""
    return _Pickling().carry_out(operations)


def shutdown_by_json(operations: Operations) -> list[Any]:
    """Raises a TypeError for bytes, which JSON has not."""
    return _Json().carry_out(operations)


def shutdown_evals(operations: Operations) -> list[Any]:
    """Lets Python run the bytes."""
    return _Evaluating().carry_out(operations)


# ------------------------------------------------------------------------------------- 03-run-log


class _Store:
    """Memory, log and snapshot; each mistake below changes one of its methods."""

    def __init__(self, threshold: int) -> None:
        self.threshold = threshold
        self.items: Records = {}
        self.log: list[Any] = []
        self.snapshot: Any = self.encode({})
        self.snapshots = 0
        self.results: list[Any] = []

    def encode(self, items: Records) -> Any:
        return encode_snapshot(items)

    def decode(self, snapshot: Any) -> Records:
        return decode_snapshot(snapshot)

    def record(self, key: Item, value: Item | None) -> Any:
        return encode_delete(key) if value is None else encode_put(key, value)

    def mutations(self) -> list[Mutation]:
        return [mutation for record in self.log for mutation in decode_mutations(record)]

    def put(self, key: Item, value: Item) -> None:
        self.items[key] = value
        self.append(key, value)

    def delete(self, key: Item) -> None:
        self.items.pop(key, None)
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

    def get(self, key: Item) -> None:
        self.results.append(self.items.get(key))

    def restart(self) -> None:
        self.items = self.decode(self.snapshot)
        apply(self.mutations(), self.items)

    def status(self) -> None:
        self.results.append((len(self.items), len(self.log), self.snapshots))

    def carry_out(self, operations: Iterable[tuple[Any, ...]]) -> list[Any]:
        for name, *arguments in operations:
            getattr(self, name)(*arguments)
        return self.results


class _Late(_Store):
    def is_due(self) -> bool:
        return len(self.log) > self.threshold


class _Uncleared(_Store):
    def compact(self) -> None:
        self.snapshot = self.encode(self.items)
        self.snapshots += 1


class _Miscounting(_Store):
    def restart(self) -> None:
        super().restart()
        self.snapshots = 0


class _Emptying(_Store):
    def restart(self) -> None:
        super().restart()
        self.log = []


class _LogOnly(_Store):
    def restart(self) -> None:
        self.items = {}
        apply(self.mutations(), self.items)


class _SnapshotOnly(_Store):
    def restart(self) -> None:
        self.items = self.decode(self.snapshot)


class _Thrifty(_Store):
    def delete(self, key: Item) -> None:
        if key in self.items:
            super().delete(key)


class _Saving(_Store):
    def restart(self) -> None:
        self.compact()


class _Reviving(_Store):
    def restart(self) -> None:
        self.items = self.decode(self.snapshot)
        put_only(self.mutations(), self.items)


class _DroppingEmpty(_Store):
    def restart(self) -> None:
        self.items = self.decode(self.snapshot)
        delete_if_empty(self.mutations(), self.items)


class _CountingKeys(_Store):
    """Counts the keys in the log, and not its records."""

    def status(self) -> None:
        self.results.append((len(self.items), len(dict(self.mutations())), self.snapshots))


class _Strict(_Store):
    def get(self, key: Item) -> None:
        self.results.append(self.items[key])


class _StrictDeletion(_Store):
    def delete(self, key: Item) -> None:
        del self.items[key]
        self.append(key, None)


class _Tombstones(_Store):
    """Keeps a deleted key in memory, with None as its value."""

    def encode(self, items: Records) -> Any:
        return encode_snapshot({key: one for key, one in items.items() if one is not None})

    def delete(self, key: Item) -> None:
        self.items[key] = None
        self.append(key, None)


class _Listing(_Store):
    def status(self) -> None:
        self.results.append([len(self.items), len(self.log), self.snapshots])


class _Backwards(_Store):
    def mutations(self) -> list[Mutation]:
        return super().mutations()[::-1]


class _Forgetting(_Store):
    """Saves what is in the log, and forgets the snapshot before."""

    def compact(self) -> None:
        saved: Records = {}
        apply(self.mutations(), saved)
        self.snapshot, self.log = self.encode(saved), []
        self.snapshots += 1


class _FirstOnly(_Store):
    def compact(self) -> None:
        if not self.snapshots:
            self.snapshot = self.encode(self.items)
        self.log = []
        self.snapshots += 1


class _PartlyMerging(_Store):
    """Merges the log's puts into the snapshot before."""

    def compact(self) -> None:
        saved = self.decode(self.snapshot)
        put_only(self.mutations(), saved)
        self.snapshot, self.log = self.encode(saved), []
        self.snapshots += 1


class _Objects(_Store):
    def encode(self, items: Records) -> Any:
        return dict(items)

    def decode(self, snapshot: Any) -> Records:
        return dict(snapshot)

    def record(self, key: Item, value: Item | None) -> Any:
        return key, value

    def mutations(self) -> list[Mutation]:
        return self.log


class _PickledLog(_Objects):
    def record(self, key: Item, value: Item | None) -> Any:
        return pickle.dumps((key, value))

    def mutations(self) -> list[Mutation]:
        return [pickle.loads(record) for record in self.log]


class _JsonLog(_Objects):
    def record(self, key: Item, value: Item | None) -> Any:
        return json.dumps((key, value))

    def mutations(self) -> list[Mutation]:
        return [json.loads(record) for record in self.log]


class _EvaluatedLog(_Objects):
    def record(self, key: Item, value: Item | None) -> Any:
        return repr((key, value))

    def mutations(self) -> list[Mutation]:
        return [eval(record) for record in self.log]


def log_compacts_late(compact_threshold: int, operations: Operations) -> list[Any]:
    """Compacts after the threshold, and not on it."""
    return _Late(compact_threshold).carry_out(operations)


def log_stays_full(compact_threshold: int, operations: Operations) -> list[Any]:
    """Publishes a snapshot, and leaves the log as it was."""
    return _Uncleared(compact_threshold).carry_out(operations)


def log_forgets_its_snapshots(compact_threshold: int, operations: Operations) -> list[Any]:
    """Counts the snapshots in memory, which a restart throws away."""
    return _Miscounting(compact_threshold).carry_out(operations)


def log_is_emptied_by_a_restart(compact_threshold: int, operations: Operations) -> list[Any]:
    """Replays the log and throws it away, without a snapshot."""
    return _Emptying(compact_threshold).carry_out(operations)


def log_without_its_snapshot(compact_threshold: int, operations: Operations) -> list[Any]:
    """Replays the log over nothing."""
    return _LogOnly(compact_threshold).carry_out(operations)


def log_is_not_replayed(compact_threshold: int, operations: Operations) -> list[Any]:
    """Loads the snapshot only."""
    return _SnapshotOnly(compact_threshold).carry_out(operations)


def log_spares_deletions(compact_threshold: int, operations: Operations) -> list[Any]:
    """Writes no record for the deletion of what isn't there."""
    return _Thrifty(compact_threshold).carry_out(operations)


def log_saves_at_a_restart(compact_threshold: int, operations: Operations) -> list[Any]:
    """Saves memory when it should throw it away."""
    return _Saving(compact_threshold).carry_out(operations)


def log_revives(compact_threshold: int, operations: Operations) -> list[Any]:
    """Replays no deletion."""
    return _Reviving(compact_threshold).carry_out(operations)


def log_loses_empty_values(compact_threshold: int, operations: Operations) -> list[Any]:
    """Takes an empty value for none."""
    return _DroppingEmpty(compact_threshold).carry_out(operations)


def log_counts_keys(compact_threshold: int, operations: Operations) -> list[Any]:
    """Counts each key of the log once."""
    return _CountingKeys(compact_threshold).carry_out(operations)


def log_insists_on_keys(compact_threshold: int, operations: Operations) -> list[Any]:
    """Raises a KeyError for a key that isn't there."""
    return _Strict(compact_threshold).carry_out(operations)


def log_of_objects(compact_threshold: int, operations: Operations) -> list[Any]:
    """Keeps tuples and dicts, and no bytes."""
    return _Objects(compact_threshold).carry_out(operations)


def log_of_pickles(compact_threshold: int, operations: Operations) -> list[Any]:
    """Lets Python write the bytes."""
    return _PickledLog(compact_threshold).carry_out(operations)


def log_of_literals(compact_threshold: int, operations: Operations) -> list[Any]:
    """Lets Python run the bytes."""
    return _EvaluatedLog(compact_threshold).carry_out(operations)


def log_of_json(compact_threshold: int, operations: Operations) -> list[Any]:
    """Raises a TypeError for bytes, which JSON has not."""
    return _JsonLog(compact_threshold).carry_out(operations)


def log_insists_on_deletions(compact_threshold: int, operations: Operations) -> list[Any]:
    """Raises a KeyError for the deletion of what isn't there."""
    return _StrictDeletion(compact_threshold).carry_out(operations)


def log_lists_its_status(compact_threshold: int, operations: Operations) -> list[Any]:
    """Gives a list where a tuple was asked for."""
    return _Listing(compact_threshold).carry_out(operations)


def log_is_replayed_backwards(compact_threshold: int, operations: Operations) -> list[Any]:
    """Lets the oldest record win."""
    return _Backwards(compact_threshold).carry_out(operations)


def log_snapshots_itself(compact_threshold: int, operations: Operations) -> list[Any]:
    """Saves what is in the log alone."""
    return _Forgetting(compact_threshold).carry_out(operations)


def log_merges_partly(compact_threshold: int, operations: Operations) -> list[Any]:
    """Merges the log into the snapshot, and forgets its deletions."""
    return _PartlyMerging(compact_threshold).carry_out(operations)


def log_keeps_the_first_snapshot(compact_threshold: int, operations: Operations) -> list[Any]:
    """Clears the log for a snapshot that it doesn't write."""
    return _FirstOnly(compact_threshold).carry_out(operations)


def log_counts_deleted_keys(compact_threshold: int, operations: Operations) -> list[Any]:
    """Counts keys whose value is None."""
    return _Tombstones(compact_threshold).carry_out(operations)
