"""Find heads and segments in any file, at any offset, whatever the name of the file.

Their checksums have no salt: a match proves that the bytes are as a store wrote them, but not which
store. A value can contain another store's files, and exposes them once the frame around it is
damaged. Two things show that a frame belongs to this store:

    its position     so close to the start of its file that no other frame can be around it
    a head's crc     it is part of the stream that a head in such a position names
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from kvlib import log, segments
from kvlib.errors import CorruptionError
from kvlib.frame import HEAD, HEADER, MAGIC, PREAMBLE, SEGMENT, Frame, find_candidates, unseal
from kvlib.plural import count
from kvlib.salvage.files import DamagedStore
from kvlib.salvage.findings import Finding
from kvlib.snapshot import HEAD_PAYLOAD, LOG, OVERHEAD, Head, head_of, segment_name

SegmentPlace = tuple[int, int, int]  # a segment's generation, index and total


class SealedFrame(NamedTuple):
    """A whole frame in a file."""

    file: str
    frame: Frame

    @property
    def outermost(self) -> bool:
        """Whether it is too close to the start of its file to be part of another frame's data."""
        return self.frame.start < OVERHEAD

    @property
    def bare(self) -> bytes:
        """A segment's part of the stream."""
        return self.frame.payload[segments.HEADER.size :]


def unusual(place: SegmentPlace, piece: SealedFrame) -> Iterator[Finding]:
    """Yield a finding if a segment was found in a file with another name."""
    generation, index, total = place
    frame = piece.frame
    if piece.file != segment_name(generation, index):
        reason = f"segment {index} of {total} of generation {generation}, found here"
        yield Finding(piece.file, frame.start, frame.end - frame.start, reason)


class SealedFrames:
    """All whole heads and segments of a directory, the best ones first.

    Attributes:
        heads: the heads that belong to this store by their position, the log's first.
        segments: for each segment, the different frames that claim to be it.
        totals: how many segments each generation has, according to its first one.
        notes: files that could not be read, or not to their end.
    """

    def __init__(self, source: DamagedStore) -> None:
        self.heads: list[tuple[str, Head, int]] = []
        self.segments: dict[SegmentPlace, list[SealedFrame]] = {}
        self.notes: list[Finding] = []
        self._spans: dict[str, list[tuple[int, int]]] = {}
        self._sizes: dict[str, int] = {}
        self._inner: dict[str, list[Frame]] = {}
        for name in (LOG, *source.others):
            try:
                data = source.read(name)
            except FileNotFoundError:
                continue
            except CorruptionError as error:
                self.notes.append(Finding(name, error.offset, 0, error.reason))
                continue
            self._sizes[name] = len(data)
            if data[: len(MAGIC)] != MAGIC or data[: len(PREAMBLE)] == PREAMBLE:  # else: newer
                for frame in self._search(name, data):
                    self._add(data, SealedFrame(name, frame))
        self.totals: dict[int, int] = {}
        for place, found in self.segments.items():
            self.segments[place] = _best_of_each(place, found)
        for place in sorted(self.segments, key=lambda place: _rank(place, self.segments[place][0])):
            if place[1] == 0 and self.segments[place][0].outermost:
                self.totals.setdefault(place[0], place[2])

    def _search(self, name: str, data: bytes) -> Iterator[Frame]:
        """Yield the whole frames of a file that are inside no other frame, with bounded work."""
        work, end = log.SEARCH_BUDGET * len(data), 0
        for at, size in find_candidates(data, 0, HEAD + SEGMENT):
            if at < end:
                continue
            is_head = HEADER.unpack_from(data, at)[-1] == HEAD
            if is_head and size != HEADER.size + HEAD_PAYLOAD.size:
                continue
            try:
                frame = unseal(data, at)
            except CorruptionError:
                work -= size
                if work < 0:
                    self.notes.append(Finding(name, at, len(data) - at, log.TOO_MUCH_WORK))
                    return
            else:
                yield frame
                end = frame.end

    def _add(self, data: bytes, piece: SealedFrame) -> None:
        frame = piece.frame
        if not piece.outermost:
            self._inner.setdefault(piece.file, []).append(frame)
        if frame.kind == HEAD and piece.outermost:
            self.heads.append((piece.file, head_of(frame), frame.end))
        with suppress(CorruptionError):
            if frame.kind == SEGMENT:
                index, total = segments.decode_header(frame.payload)
                self.segments.setdefault((frame.sequence, index, total), []).append(piece)
        before = frame.start - len(PREAMBLE)
        start = before if data[max(before, 0) : frame.start] == PREAMBLE else frame.start
        self._spans.setdefault(piece.file, []).append((start, frame.end))

    def doubtful(self) -> Iterator[Finding]:
        """Yield the frames that may be part of a value, because no head vouches for them."""
        for name, frames in self._inner.items():
            size = sum(frame.end - frame.start for frame in frames)
            reason = f"{count(len(frames), 'whole frame')} of a snapshot, perhaps part of a value:"
            reason += " no head names this snapshot"
            yield Finding(name, frames[0].start, size, reason)

    def outside(self, file: str) -> Iterator[Finding]:
        """Yield the bytes of a file outside its whole frames, but not of the log."""
        spans = self._spans[file] if file != LOG else []
        at = 0 if spans else self._sizes[file]
        for start, end in [*spans, (self._sizes[file],) * 2]:
            if at < start:
                yield Finding(file, at, start - at, "outside of any whole frame, so not used")
            at = end


def _best_of_each(place: SegmentPlace, found: list[SealedFrame]) -> list[SealedFrame]:
    best: dict[bytes, SealedFrame] = {}
    for piece in sorted(found, key=lambda piece: _rank(place, piece)):
        best.setdefault(piece.bare, piece)
    return list(best.values())


def _rank(place: SegmentPlace, piece: SealedFrame) -> tuple[bool, bool, str, int]:
    named = piece.file == segment_name(place[0], place[1])
    return not piece.outermost, not named, piece.file, piece.frame.start
