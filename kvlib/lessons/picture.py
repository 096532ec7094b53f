"""A picture of bytes in a result: the first wrong one is marked, and its rule said."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kvlib.layout import text
from kvlib.layout.dissect import Layout, dissect, walk_again
from kvlib.layout.regions import Region, Span, group
from kvlib.plural import count
from kvlib.views.dump import windows
from kvlib.views.plain import same

PICTURED: Final = 256  # bytes of a picture
DISSECTED: Final = 64 * PICTURED  # bytes; a larger result isn't labelled
END: Final = "The data is complete here, but more bytes follow."
# By the last word of a region's name.
RULES: Final = {
    "tag": "A tag belongs here: one byte for the type, s for str, b for bytes.",
    "length": "A length belongs here: four bytes, big-endian, the number of BYTES of data.",
    "data": "The data is here, right after the length: bytes as they are, text as UTF-8.",
    "count": "The count belongs here: four bytes, big-endian, the number of records.",
    "index": "The index belongs here: four bytes, big-endian, counted from 0.",
    "total": "The total belongs here: four bytes, big-endian, the same in each segment.",
    "piece": "The part of the stream is here, right after the 8 bytes of header.",
    "operation": "The operation belongs here: one byte, P for put, D for delete.",
    "crc": "The checksum belongs here: four bytes, big-endian, of the rest of the frame.",
    "sequence": "The sequence number belongs here: eight bytes, big-endian.",
    "kind": "The kind of the frame belongs here: one byte.",
}


@dataclass(frozen=True)
class BytesPicture:
    """A picture of bytes.

    Attributes:
        layout: the bytes, as the real decoder sees them.
        wrong: the offset of the first wrong byte, or None.
        rule: the rule for that byte.
    """

    layout: Layout
    wrong: int | None = None
    rule: str = ""

    def where(self) -> str:
        """Return the text for the mark."""
        if self.wrong is None:
            return ""
        if self.wrong >= len(self.layout.data):
            size = count(len(self.layout.data), "byte")
            return (
                f"The bytes end too early, after {size}. {self.rule.replace(' here', ' next', 1)}"
            )
        place = f"offset {self.wrong} ({self.wrong:04X} in the dump)"
        return f"The first wrong byte is at {place}. {self.rule}".rstrip()

    def windows(self) -> list[Span] | None:
        """Return the rows to show: the first, and those around the mark or the flaw."""
        size = len(self.layout.data)
        around = self.layout.stopped_at if self.wrong is None else self.wrong
        return windows(size, PICTURED, size if around is None else around)

    def lines(self) -> Iterator[str]:
        """Yield the text, line by line."""
        layout = self.layout
        yield from (f"{layout.source}: {count(len(layout.data), 'byte')}", "")
        yield from text.lines(layout.data, walk_again(layout), self.windows())


def picture_of(format: str, mine: object, right: object) -> BytesPicture | None:
    """Return a picture of bytes, or of the first items that differ if both values are lists."""
    if type(mine) is list and type(right) is list:
        pairs = zip(mine, right, strict=False)
        mine, right = next((pair for pair in pairs if not same(*pair)), (None, None))
    if type(mine) is bytes and type(right) is bytes:
        return _marked(format, mine, right)
    return None


def _marked(format: str, mine: bytes, right: bytes) -> BytesPicture:
    layout = _layout(format, mine)
    pairs = enumerate(zip(mine, right, strict=False))
    at = next((at for at, (a, b) in pairs if a != b), min(len(mine), len(right)))
    if at == len(right):
        return BytesPicture(layout, at, END)
    leaves = dissect(right, format=format).root.leaves()
    leaf = next(leaf for leaf in leaves if leaf.start <= at < leaf.end)
    return BytesPicture(layout, at, RULES.get(leaf.name.rpartition(".")[2], ""))


def _layout(format: str, mine: bytes) -> Layout:
    if len(mine) <= DISSECTED:
        return dissect(mine, format=format, source="your bytes")
    whole = Region(0, len(mine), "raw", "bytes", len(mine), "bytes, too many to label")
    return Layout("your bytes", mine, group("data", [whole]))
