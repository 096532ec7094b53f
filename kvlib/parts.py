r"""Parts of fixed size: their names, types and meanings, declared once for each format.

>>> point = Parts(Part("x", "u32", "pixels from the left"), Part("y", "u16"))
>>> point.pack(1, 2).hex(" "), point.size, point.offset("y")
('00 00 00 01 00 02', 6, 4)
>>> point.unpack_from(b"......\0\0\0\1\0\2", 6)
(1, 2)

Everything else derives from the declaration: what the engine packs, the offsets in its errors, the
labels in a dump, and what salvage looks for. All integers are big-endian.
"""

import struct
from typing import Final, NamedTuple

_CODES: Final = {"u16": "H", "u32": "I", "u64": "Q", "1 byte": "c", "6 bytes": "6s"}


class Part(NamedTuple):
    """One part: its name, its type, and a few words that follow its value in a dump."""

    name: str
    type: str
    meaning: str = ""

    @property
    def size(self) -> int:
        """The part's size in bytes."""
        return struct.calcsize(">" + _CODES[self.type])


class Parts:
    """Parts in a row, with the methods of a `struct.Struct` that packs them.

    Attributes:
        parts: the parts, in order.
        size: their size in bytes.
    """

    def __init__(self, *parts: Part) -> None:
        self.parts = parts
        packer = struct.Struct(">" + "".join(_CODES[part.type] for part in parts))
        self.size = packer.size
        self.pack, self.unpack, self.unpack_from = packer.pack, packer.unpack, packer.unpack_from

    def offset(self, name: str) -> int:
        """Return how many bytes precede the part of this name."""
        names = [part.name for part in self.parts]
        return sum(part.size for part in self.parts[: names.index(name)])

    def after(self, name: str) -> "Parts":
        """Return the parts that follow the part of this name."""
        names = [part.name for part in self.parts]
        return Parts(*self.parts[names.index(name) + 1 :])
