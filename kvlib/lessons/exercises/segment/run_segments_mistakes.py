"""Wrong answers to 02-run-segments."""

import pickle
from typing import Any, Final

from kvlib.lessons import solutions
from kvlib.lessons.exercises.encode.snapshot_mistakes import snapshot_counts_characters
from kvlib.lessons.exercises.fields import Item, Records
from kvlib.lessons.exercises.machines import MISSING_KEY, PICKLED, Machine, mistakes_of
from kvlib.lessons.exercises.segment.pieces import Segments, headed
from kvlib.lessons.exercises.segment.split import cut_forgets_the_header
from kvlib.lessons.exercises.segment.split_join_mistakes import (
    checked,
    glued,
    join_looks_for_gaps_only,
    parts_of,
    split_adds_an_empty_one,
    split_drops_the_last,
    split_forgets_the_header,
)

KEPT: Final = (
    "The value that came back is the very object that was put in: it never became bytes. Keep "
    "under each path a list of segments, as files would hold them."
)


class _Segments(Machine):
    """Keeps segments under a path."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.saved: dict[str, Any] = {}

    def encode(self, items: Records) -> bytes:
        return solutions.encode_snapshot(items)

    def decode(self, stream: bytes) -> Records:
        return solutions.decode_snapshot(stream)

    def split(self, stream: bytes) -> Segments:
        return solutions.split(stream, self.limit)

    def join(self, segments: Segments) -> bytes:
        return solutions.join(segments)

    def serialize(self, path: str) -> None:
        self.saved[path] = self.split(self.encode(self.items))

    def segment_count(self, path: str) -> None:
        self.results.append(len(self.saved[path]))

    def reorder(self, path: str, order: list[int]) -> None:
        self.saved[path] = [self.saved[path][at] for at in order]

    def deserialize(self, path: str) -> None:
        self.items = self.decode(self.join(self.saved[path]))


class _RunJoinsInStorageOrder(_Segments):
    """Joins as they lie there; what comes of it may be refused, or wrong."""

    sentence = (
        "The segments are joined in the order in which they lie there. What in a segment says "
        "where it belongs?"
    )

    def join(self, segments: Segments) -> bytes:
        return glued(parts_of(segments))


class _RunSortsAsText(_Segments):
    """Puts 10 before 2."""

    sentence = (
        "It is right up to ten segments. Are the indexes sorted as numbers, or as texts, where "
        "`10` comes before `2`?"
    )

    def join(self, segments: Segments) -> bytes:
        return glued(sorted(checked(segments), key=lambda part: str(part[0])))


class _RunForgetsTheHeader(_Segments):
    """Makes segments that are 8 bytes too long."""

    sentence = cut_forgets_the_header.sentence

    def split(self, stream: bytes) -> Any:
        return split_forgets_the_header.answer(stream, self.limit)


class _RunDropsTheLast(_Segments):
    """Rounds down, so that no snapshot can be read."""

    sentence = (
        "There are too few segments: what is left at the end is dropped. Does your division "
        "round down or up?"
    )

    def split(self, stream: bytes) -> Any:
        return split_drops_the_last.answer(stream, self.limit)

    def join(self, segments: Segments) -> Any:
        return join_looks_for_gaps_only.answer(segments)


class _RunAddsAnEmptyOne(_Segments):
    """Makes one too many where the last is full."""

    sentence = (
        "There is one segment too many where the last should be just full. Does your division "
        "add one when nothing is left over, or is the stream longer than the format says?"
    )

    def split(self, stream: bytes) -> Any:
        return split_adds_an_empty_one.answer(stream, self.limit)


class _RunSavesNothingOfNothing(_Segments):
    """Makes no segment of an empty state."""

    sentence = (
        "An empty state is saved as no segment, which looks just as if all were lost. How many "
        "bytes has the stream of an empty state?"
    )

    def split(self, stream: bytes) -> Segments:
        return super().split(stream) if stream != bytes(4) else []

    def join(self, segments: Segments) -> bytes:
        return super().join(segments) if segments else bytes(4)


class _Countless(_Segments):
    """Has a stream of fields alone."""

    def encode(self, items: Records) -> bytes:
        return solutions.encode(items)

    def decode(self, stream: bytes) -> Records:
        records: Records = {}
        while stream:
            key, stream = self.field(stream)
            records[key], stream = self.field(stream)
        return records

    def field(self, data: bytes) -> tuple[Item, bytes]:
        end = 5 + int.from_bytes(data[1:5], "big")
        return data[5:end].decode() if data[:1] == b"s" else data[5:end], data[end:]


class _RunForgetsTheCount(_Countless):
    """Makes a stream of fields alone."""

    sentence = "The stream is 4 bytes too short. What stands before the first record?"


class _RunCountsCharacters(_Segments):
    """Measures texts, and not their bytes; what can't be read is a ValueError."""

    sentence = (
        "A length counts characters, and its reader counts bytes. How many bytes does `é` "
        "take, and when do you measure?"
    )

    def encode(self, items: Records) -> Any:
        return snapshot_counts_characters.answer(items)


class _RunSegmentsRecords(_Countless):
    """Makes a segment of each record, however long it is."""

    sentence = (
        "There is a segment for each record, however long that is. The limit cuts the stream, "
        "and a segment knows nothing of records."
    )

    def split(self, stream: bytes) -> Segments:
        records = self.decode(stream).items()
        return headed([self.encode({key: value}) for key, value in records] or [b""])


class _RunUpdatesTheState(_Segments):
    """Leaves in the state what was put after the snapshot."""

    sentence = (
        "What was put after the snapshot is still there. Does `deserialize` replace the state, "
        "or add to it?"
    )

    def deserialize(self, path: str) -> None:
        self.items.update(self.decode(self.join(self.saved[path])))


class _RunLeavesCountsOut(_Segments):
    """Collects what `get` gives, and nothing else."""

    sentence = "Only what `get` gave is in the list. Which other operation gives something?"

    def segment_count(self, path: str) -> None:
        """Give nothing."""


class _RunInsistsOnKeys(_Segments):
    """Raises a KeyError for a key that isn't there."""

    sentence = MISSING_KEY

    def get(self, key: Item) -> None:
        self.results.append(self.items[key])

    def delete(self, key: Item) -> None:
        del self.items[key]


class _RunReordersInPlace(_Segments):
    """Reads from the list that it is just writing to."""

    sentence = (
        "`reorder` reads from the list that it is just writing to, so a segment is lost. Where "
        "could the old order stay meanwhile?"
    )

    def reorder(self, path: str, order: list[int]) -> None:
        segments = self.saved[path]
        for new, at in enumerate(order):
            segments[new] = segments[at]


class _RunPickles(_Segments):
    """Lets Python write the bytes."""

    sentence = PICKLED

    def encode(self, items: Records) -> bytes:
        return pickle.dumps(items)

    def decode(self, stream: bytes) -> Records:
        return dict(pickle.loads(stream))


class _RunKeepsACopy(_Segments):
    """Keeps a dict, and computes how many segments it would have been."""

    sentence = KEPT

    def serialize(self, path: str) -> None:
        self.saved[path] = dict(self.items)

    def segment_count(self, path: str) -> None:
        self.results.append(len(self.split(self.encode(self.saved[path]))))

    def reorder(self, path: str, order: list[int]) -> None:
        """Leave it as it is."""

    def deserialize(self, path: str) -> None:
        self.items = dict(self.saved[path])


MISTAKES: Final = mistakes_of(
    _RunJoinsInStorageOrder,
    _RunSortsAsText,
    _RunForgetsTheHeader,
    _RunDropsTheLast,
    _RunAddsAnEmptyOne,
    _RunSavesNothingOfNothing,
    _RunForgetsTheCount,
    _RunCountsCharacters,
    _RunSegmentsRecords,
    _RunUpdatesTheState,
    _RunLeavesCountsOut,
    _RunInsistsOnKeys,
    _RunReordersInPlace,
    _RunPickles,
    _RunKeepsACopy,
)
