"""Wrong answers to 02-run-segments."""

from typing import Any, Final

from kvlib.lessons import solutions
from kvlib.lessons.exercises.encode.snapshot_mistakes import snapshot_counts_characters
from kvlib.lessons.exercises.fields import Item, Records
from kvlib.lessons.exercises.machines import (
    Coder,
    InsistsOnKeys,
    Pickles,
    machines_in,
)
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
    "You got back the very object that was put, so it never became bytes. Under each path, keep a "
    "list of segments, as files would hold them."
)


class _Segments(Coder):
    """Keep segments under a path."""

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
    sentence = (
        "You join the segments in the order in which they are stored. What in a segment says "
        "where it belongs?"
    )

    def join(self, segments: Segments) -> bytes:
        return glued(parts_of(segments))


class _RunSortsAsText(_Segments):
    sentence = (
        "Your answer is right up to ten segments. Do you sort the indexes as numbers, or as text, "
        "where `10` comes before `2`?"
    )

    def join(self, segments: Segments) -> bytes:
        return glued(sorted(checked(segments), key=lambda part: str(part[0])))


class _RunForgetsTheHeader(_Segments):
    sentence = cut_forgets_the_header.sentence

    def split(self, stream: bytes) -> Any:
        return split_forgets_the_header.answer(stream, self.limit)


class _RunDropsTheLast(_Segments):
    sentence = (
        "You have too few segments, because the short last piece is dropped. Does your division "
        "round down or up?"
    )

    def split(self, stream: bytes) -> Any:
        return split_drops_the_last.answer(stream, self.limit)

    def join(self, segments: Segments) -> Any:
        return join_looks_for_gaps_only.answer(segments)


class _RunAddsAnEmptyOne(_Segments):
    sentence = (
        "You have one segment too many where the last one should be exactly full. Does your "
        "division add one when nothing is left over, or is your stream longer than the format "
        "says?"
    )

    def split(self, stream: bytes) -> Any:
        return split_adds_an_empty_one.answer(stream, self.limit)


class _RunSavesNothingOfNothing(_Segments):
    sentence = (
        "You save an empty state as no segments at all, which looks exactly as if they were all "
        "lost. How many bytes long is the stream of an empty state?"
    )

    def split(self, stream: bytes) -> Segments:
        return super().split(stream) if stream != bytes(4) else []

    def join(self, segments: Segments) -> bytes:
        return super().join(segments) if segments else bytes(4)


class _Countless(_Segments):
    """Use a stream without a count."""

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
    sentence = "Your stream is 4 bytes too short. What comes before the first record?"


class _RunCountsCharacters(_Segments):
    sentence = (
        "Your lengths count characters, but the reader counts bytes. How many bytes does `é` "
        "take, and when do you measure?"
    )

    def encode(self, items: Records) -> Any:
        return snapshot_counts_characters.answer(items)


class _RunSegmentsRecords(_Countless):
    sentence = (
        "You make one segment per record, however long it is. The limit cuts the stream; a "
        "segment knows nothing about records."
    )

    def split(self, stream: bytes) -> Segments:
        records = self.decode(stream).items()
        return headed([self.encode({key: value}) for key, value in records] or [b""])


class _RunUpdatesTheState(_Segments):
    sentence = (
        "Records put after the snapshot are still there. Does your `deserialize` replace the "
        "state, or add to it?"
    )

    def deserialize(self, path: str) -> None:
        self.items.update(self.decode(self.join(self.saved[path])))


class _RunLeavesCountsOut(_Segments):
    sentence = "Your list holds only what `get` gave. Which other operation gives a result?"

    def segment_count(self, path: str) -> None:
        """Report nothing."""


class _RunInsistsOnKeys(InsistsOnKeys, _Segments):
    """Raise a KeyError for a missing key."""


class _RunReordersInPlace(_Segments):
    sentence = (
        "Your `reorder` reads from the list that it is writing to, so a segment is lost. Where "
        "could you keep the old order meanwhile?"
    )

    def reorder(self, path: str, order: list[int]) -> None:
        segments = self.saved[path]
        for new, at in enumerate(order):
            segments[new] = segments[at]


class _RunPickles(Pickles, _Segments):
    """Let pickle write the bytes."""


class _RunKeepsACopy(_Segments):
    sentence = KEPT

    def serialize(self, path: str) -> None:
        self.saved[path] = dict(self.items)

    def segment_count(self, path: str) -> None:
        self.results.append(len(self.split(self.encode(self.saved[path]))))

    def reorder(self, path: str, order: list[int]) -> None:
        """Leave the order as it is."""

    def deserialize(self, path: str) -> None:
        self.items = dict(self.saved[path])


MISTAKES: Final = machines_in(globals())
