"""A store and a dict go through the same random operations, and must agree after each."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

import kvlib
from helpers.stores import Items
from helpers.vocabulary import AWKWARD, FIELDS, Field, survivor
from kvlib import DirectoryDisk, Disk, DurableStore, MemoryDisk

pytestmark = pytest.mark.untraced

Plan = list[tuple[Field, Field | None]]  # None: delete

NEW_VALUES = FIELDS | st.sampled_from(AWKWARD)
SIZES = st.sampled_from([9, 13, 30, 2**20])


class GivenUp(Exception):
    """Raised in a batch that is to be discarded."""


class StoreAgainstDict(RuleBasedStateMachine):
    """A DurableStore and a dict, with the counts that the store's status should give."""

    keys: Bundle[Field] = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.disk: Disk = self.new_disk()
        self.model: Items = {}
        self.kept: Items | None = None  # serialized last
        self.shelf: Disk = MemoryDisk()
        self.pending = self.compactions = 0
        self.marked = False  # the log ends with CLOSE
        self.store: DurableStore
        self.parameters: dict[str, Any] = {}

    def new_disk(self) -> Disk:
        """Return an empty disk."""
        return MemoryDisk()

    def after_death(self) -> Disk:
        """Return what the death of the process leaves."""
        return survivor(self.disk)

    @initialize(
        sync=st.sampled_from(["always", 1, 3, "never"]),
        threshold=st.sampled_from([1, 3, 10, 1000]),
        size=SIZES,
    )
    def create(self, sync: Any, threshold: int, size: int) -> None:
        self.threshold = threshold
        self.parameters = {"sync": sync, "threshold": threshold, "max_segment_size": size}
        self.store = kvlib.open(self.disk, **self.parameters)

    def logged(self, mutations: int) -> None:
        """Count mutations, and compact when the default policy should."""
        self.pending += mutations
        self.marked = self.marked and not mutations
        if mutations and self.pending >= max(self.threshold, len(self.model)):
            self.pending, self.compactions = 0, self.compactions + 1

    @rule(target=keys, key=st.sampled_from(AWKWARD) | FIELDS)
    def think_of_a_key(self, key: Field) -> Field:
        return key

    @rule(key=keys, value=NEW_VALUES)
    def put(self, key: Field, value: Field) -> None:
        self.store[key] = value
        self.model[key] = value
        self.logged(1)

    @rule(key=keys)
    def delete(self, key: Field) -> None:
        self.store.delete(key)
        self.model.pop(key, None)
        self.logged(1)

    @rule(key=keys)
    def del_or_key_error(self, key: Field) -> None:
        if key in self.model:
            del self.store[key]
            del self.model[key]
            self.logged(1)
        else:
            with pytest.raises(KeyError):
                del self.store[key]

    @rule(items=st.dictionaries(NEW_VALUES, NEW_VALUES, max_size=5))
    def update(self, items: Items) -> None:
        self.store.update(items)
        self.model.update(items)
        self.logged(len(items))

    @rule()
    def clear(self) -> None:
        count = len(self.model)
        self.store.clear()
        self.model.clear()
        self.logged(count)

    @rule(plan=st.lists(st.tuples(keys, NEW_VALUES | st.none()), max_size=6), abort=st.booleans())
    def batch(self, plan: Plan, abort: bool) -> None:
        before = dict(self.model)
        try:
            with self.store.batch():
                for key, value in plan:
                    if value is None:
                        self.store.delete(key)
                    else:
                        self.store[key] = value
                    assert dict(self.store) == before
                if abort:
                    raise GivenUp
        except GivenUp:
            return
        for key, value in plan:
            if value is None:
                self.model.pop(key, None)
            else:
                self.model[key] = value
        self.logged(len(plan))

    @rule()
    def compact(self) -> None:
        self.store.compact()
        self.marked = False
        self.pending, self.compactions = 0, self.compactions + 1

    @rule()
    def sync(self) -> None:
        self.store.sync()

    @rule()
    def close_and_reopen(self) -> None:
        self.store.close()
        self.store = kvlib.open(self.disk, **self.parameters)
        assert self.store.recovered == kvlib.Recovery(self.pending)
        self.marked = True

    @rule()
    def die_and_reopen(self) -> None:
        self.disk = self.after_death()
        self.store = kvlib.open(self.disk, **self.parameters)
        assert self.store.recovered == kvlib.Recovery(self.pending)
        if not self.marked:  # then a fresh snapshot was published
            self.pending = 0

    @rule(size=SIZES)
    def serialize(self, size: int) -> None:
        plain = kvlib.Store()
        plain.update(self.store)
        plain.serialize(self.shelf, max_segment_size=size)
        self.kept = dict(self.model)

    @rule()
    def deserialize(self) -> None:
        plain = kvlib.Store()
        if self.kept is None:
            with pytest.raises(kvlib.MissingError):
                plain.deserialize(self.shelf)
            return
        plain.deserialize(self.shelf)
        assert dict(plain) == self.kept
        with self.store.batch():
            self.store.clear()
            self.store.update(plain)
        mutations = len(self.model) + len(self.kept)
        self.model = dict(self.kept)
        self.logged(mutations)

    @invariant()
    def they_agree(self) -> None:
        assert dict(self.store) == self.model
        assert {type(key) for key in self.store} == {type(key) for key in self.model}
        status = self.store.status()
        assert (status.keys, status.failed) == (len(self.model), None)
        assert (status.pending, status.compactions) == (self.pending, self.compactions)
        assert status.log_bytes == len(self.disk.read("log"))

    @invariant()
    def readers_see_the_same(self) -> None:
        with kvlib.open(self.disk, read_only=True) as reader:
            assert dict(reader) == self.model
            assert reader.recovered == kvlib.Recovery(self.pending)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            with kvlib.open(self.disk) as store:
                assert dict(store) == self.model


class StoreOnDirectoryAgainstDict(StoreAgainstDict):
    """The same in a directory, which is copied at a death because its lock is still held."""

    def new_disk(self) -> Disk:
        self.directories: list[Path] = []
        return self.new_directory()

    def new_directory(self) -> DirectoryDisk:
        self.directories.append(Path(tempfile.mkdtemp(prefix="kvlib-test-")))
        return DirectoryDisk(self.directories[-1])

    def after_death(self) -> Disk:
        old, disk = self.directories[-1], self.new_directory()
        for path in old.iterdir():
            shutil.copy(path, self.directories[-1])
        return disk

    def teardown(self) -> None:
        super().teardown()
        for directory in self.directories:
            shutil.rmtree(directory)


TestStoreAgainstDict = StoreAgainstDict.TestCase
TestStoreAgainstDict.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
TestStoreOnDirectoryAgainstDict = StoreOnDirectoryAgainstDict.TestCase
TestStoreOnDirectoryAgainstDict.settings = settings(
    max_examples=10, stateful_step_count=25, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
