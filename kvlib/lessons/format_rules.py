"""The rules of the formats, part by part, for feedback about the first wrong byte."""

from collections.abc import Mapping
from typing import Final

# By the last word of a region's name.
RULES: Final[Mapping[str, str]] = {
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
END: Final = "The data is complete here, but more bytes follow."
