"""Labelled regions of bytes, and the labels of the formats' fixed parts. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from kvlib import encoding, frame, log, segments, snapshot
from kvlib.encoding import Item
from kvlib.parts import Parts

RegionKind = Literal[
    "magic",
    "header",
    "length",
    "tag",
    "key",
    "value",
    "checksum",
    "sequence",
    "delimiter",
    "group",
    "raw",
    "gap",
]
RegionStatus = Literal["ok", "bad", "torn", "unread"]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Region:
    """A region of the data, data[start:end], and its meaning.

    Attributes:
        start, end: offsets in bytes.
        kind: the sort of region. A "group" has children. A "raw" region isn't taken apart, such as
            a segment's part of the stream. A "gap" is missing, superfluous, or follows a flaw.
        name: its path, such as "record[3].key.length".
        value: the value that the engine decoded, or None.
        note: a few words that follow the value: 5 "bytes of data".
        status: "ok"; "bad", the engine stops here; "torn", part of a torn tail; "unread".
        governs: the span that a length or a checksum covers.
    """

    start: int
    end: int
    kind: RegionKind
    name: str
    value: Item | int | None = None
    note: str = ""
    status: RegionStatus = "ok"
    governs: Span | None = None
    children: tuple["Region", ...] = ()

    def leaves(self) -> Iterator["Region"]:
        """Yield the regions without children, in order."""
        if self.kind != "group":
            yield self
        for child in self.children:
            yield from child.leaves()


class Labelled(NamedTuple):
    """A part of known size, and how it is labelled."""

    name: str
    kind: RegionKind
    size: int
    note: str = ""


# The kind of each named part, unless it is just part of a header.
_KINDS: Final[dict[str, RegionKind]] = {
    "magic": "magic",
    "crc": "checksum",
    "stream_crc": "checksum",
    "length": "length",
    "stream_length": "length",
    "sequence": "sequence",
    "kind": "tag",
    "operation": "tag",
    "tag": "tag",
}


def labelled(parts: Parts) -> tuple[Labelled, ...]:
    """Return the parts that a format declares, labelled."""
    return tuple(
        Labelled(part.name, _KINDS.get(part.name, "header"), part.size, part.meaning)
        for part in parts.parts
    )


PREAMBLE: Final = labelled(frame.PREAMBLE_PARTS)
FRAME: Final = labelled(frame.HEADER)
HEAD: Final = labelled(snapshot.HEAD_PAYLOAD)
SEGMENT: Final = labelled(segments.HEADER)
COUNT: Final = labelled(encoding.COUNT)
OPERATION: Final = labelled(log.OPERATION)
FIELD: Final = labelled(encoding.FIELD)

MEANING: Final = {
    ("tag", encoding.TEXT): "str, as UTF-8",
    ("tag", encoding.BYTES): "bytes",
    ("operation", log.PUT): "put",
    ("operation", log.DELETE): "delete",
    ("kind", frame.HEAD): "head",
    ("kind", frame.SEGMENT): "segment",
    ("kind", frame.CLOSE): "close",
    ("kind", frame.MUTATIONS): "mutations",
    ("kind", frame.UNSYNCED_MUTATIONS): "mutations",
}
FRAME_NOTES: Final = {
    frame.HEAD: "names the snapshot that the log continues",
    frame.SEGMENT: "the envelope around a segment",
    frame.CLOSE: "written by close(), everything before it was safe on the disk",
    frame.MUTATIONS: "M, everything before it was already safe on the disk",
    frame.UNSYNCED_MUTATIONS: "m, no promise that everything before it was safe on the disk",
}

# The statuses of the parts of something in which the engine stopped: the parts before the offset of
# its error, the part there, and the parts after it.
Statuses = tuple[RegionStatus, RegionStatus, RegionStatus]
READ: Final[Statuses] = ("ok", "bad", "unread")
UNCHECKED: Final[Statuses] = ("unread", "bad", "unread")
DOUBLED: Final[Statuses] = ("ok", "bad", "bad")
TORN: Final[Statuses] = ("torn", "torn", "torn")
_RANK: Final = {"ok": 0, "unread": 1, "torn": 2, "bad": 3}


def group(name: str, children: Sequence[Region], note: str = "") -> Region:
    """Return the region around `children`; its status is the worst of theirs."""
    status = max((child.status for child in children), key=_RANK.__getitem__)
    start, end = children[0].start, children[-1].end
    return Region(start, end, "group", name, None, note, status, None, tuple(children))


def leaf(data: bytes, at: int, part: Labelled, prefix: str, governs: Span | None = None) -> Region:
    """Return the region of the part at `at`, with its value."""
    end = at + part.size
    raw = data[at:end]
    value = raw if part.kind in ("tag", "magic") else int.from_bytes(raw, "big")
    note = part.note or MEANING.get((part.name, raw), "")
    if value == 1:
        note = note.replace("bytes", "byte").replace("records", "record")
    return Region(at, end, part.kind, prefix + part.name, value, note, "ok", governs)


def whole(data: bytes, at: int, table: Sequence[Labelled], prefix: str) -> list[Region]:
    """Return the regions of the parts from `at` on."""
    regions = []
    for part in table:
        regions.append(leaf(data, at, part, prefix))
        at += part.size
    return regions


def broken(
    data: bytes,
    at: int,
    end: int,
    table: Sequence[Labelled],
    prefix: str,
    offset: int,
    marks: Statuses,
) -> list[Region]:
    """Return the regions of the parts within data[at:end], where the engine stopped at `offset`.

    If it stopped at the end, an empty region is last: it marks the missing bytes.
    """
    regions = []
    for part in table:
        stop = min(at + part.size, end)
        if at == stop:
            break
        before, here, after = marks
        status = before if stop <= offset else here if at <= offset else after
        if status == "ok":
            regions.append(leaf(data, at, part, prefix))
        else:
            regions.append(Region(at, stop, part.kind, prefix + part.name, status=status))
        at = stop
    if at == offset == end:
        regions.append(Region(at, at, "gap", prefix + "missing", status="bad"))
    return regions
