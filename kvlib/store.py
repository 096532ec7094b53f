"""A store in memory, with snapshots and no log; and what both stores have in common."""

import sys
from abc import abstractmethod
from collections.abc import Iterator, Mapping, MutableMapping
from copy import copy
from functools import partial
from typing import Any, Final

from kvlib import log, snapshot
from kvlib.directory import as_disk
from kvlib.disk import Disk, MemoryDisk, Place
from kvlib.encoding import Item, encode_field
from kvlib.errors import MissingError
from kvlib.recovery import recover, recover_without_lock

MAX_SEGMENT_SIZE: Final = 2**20


class Records(MutableMapping[Item, Item]):
    """The reading half of a store, around a dict. `==` compares the records."""

    _items: dict[Item, Item]

    def __init__(self) -> None:
        self._hold({})

    def _hold(self, items: dict[Item, Item]) -> None:
        held: dict[str, Any] = {"_items": items}
        # `get` is the dict's own method, because a Python function around it costs more than the
        # method itself. But a subclass may override it; for python -b see kvlib/__init__.py.
        own = type(self).get, type(self).__getitem__
        if own == (Records.get, Records.__getitem__) and not sys.flags.bytes_warning:
            held["get"] = items.get
        self.__dict__.update(held)  # in one step

    def __getitem__(self, key: Item) -> Item:
        return self._items[key]

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __eq__(self, other: object) -> bool:
        return dict(self._items) == dict(other) if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # like a dict: what is equal now may change

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._items)} keys>"

    @abstractmethod
    def put(self, key: Item, value: Item) -> None:
        """Set `key` to `value`. `store[key] = value` calls it."""

    @abstractmethod
    def delete(self, key: Item) -> None:
        """Remove `key` if it is there. `del store[key]` calls it if it is."""

    def __setitem__(self, key: Item, value: Item) -> None:
        self.put(key, value)

    def __delitem__(self, key: Item) -> None:
        self._items[key]  # KeyError if it is missing
        self.delete(key)


class Store(Records):
    """Records in memory, a MutableMapping of str or bytes, with snapshots and no log.

    `shutdown` writes to `medium` and `restore` reads from it: a path or a Disk, by default a
    MemoryDisk that belongs to the store. `serialize` and `deserialize` take a place.

    A copy (a pickled one too) has the same records and is independent of the original. It gets
    another MemoryDisk, while a `medium` that was given is shared.
    """

    def __init__(self, medium: Place | None = None) -> None:
        super().__init__()
        self._owns_medium = medium is None
        self._medium = MemoryDisk() if medium is None else as_disk(medium)

    def __getstate__(self) -> dict[str, Any]:
        medium = copy(self._medium) if self._owns_medium else self._medium
        state = self.__dict__ | {"_items": dict(self._items), "_medium": medium}
        state.pop("get", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._hold(self._items)

    def put(self, key: Item, value: Item) -> None:
        """Set `key` to `value`. Raises TypeError or ValueError for what no field can hold."""
        encode_field(key), encode_field(value)  # refuses now what can't be written later
        self._items[key] = value

    def set(self, key: Item, value: Item) -> None:
        """Set `key` to `value`, as `put` does."""
        self.put(key, value)

    def delete(self, key: Item) -> None:
        """Remove `key` if it is there. `del store[key]` raises KeyError if it is missing."""
        self._items.pop(key, None)

    def update(self, other: Any = (), /, **more: Item) -> None:
        """Put many records in one step, or none of them if one is refused."""
        records = dict(other, **more)
        for key, value in records.items():
            encode_field(key), encode_field(value)
        self._items.update(records)

    def clear(self) -> None:
        """Remove all records in one step."""
        self._items.clear()

    def serialize(self, place: Place, max_segment_size: int = MAX_SEGMENT_SIZE) -> None:
        """Publish a snapshot at `place`, replacing an older one in one step.

        It holds the records of one moment, even if other threads change them meanwhile. A sealed
        segment's file is 25 bytes larger than `max_segment_size`.
        """
        serialize(as_disk(place), self._items, max_segment_size)

    def deserialize(self, place: Place) -> None:
        """Replace all records by those serialized at `place`. After an error nothing has changed.

        Raises MissingError if there is no store, CorruptionError or VersionError as `open` does.
        """
        state = recover_without_lock(as_disk(place))
        log.in_one_step([self._items.clear, partial(self._items.update, state.items)])
        self.recovered = state.recovered

    def shutdown(self) -> None:
        """Write everything to the medium as bytes, then clear memory."""
        self.serialize(self._medium)
        self._items.clear()

    def restore(self) -> None:
        """Load the last snapshot from the medium; without one the store is empty."""
        try:
            self.deserialize(self._medium)
        except MissingError:
            self._items.clear()


def serialize(disk: Disk, items: Mapping[Item, Item], max_segment_size: int) -> None:
    """Publish `items`, as they are when encoding begins, over whatever store is on `disk`."""
    with disk.lock():
        before = recover(disk)
        generation, compactions = 1, 0
        if before is not None:
            generation, compactions = 1 + before.tail.sequence, before.head.compactions
            disk.sync_directory()  # as after a crash, see LogWriter.resume
        snapshot.prepare(disk, items, generation, compactions, max_segment_size)
        snapshot.commit(disk)
        snapshot.delete_others(disk, generation)
