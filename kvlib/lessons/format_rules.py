"""What the formats demand, part by part: what a check says of the place of the first wrong byte."""

from collections.abc import Mapping
from typing import Final

# By the last word of a region's name in views.layout.
RULES: Final[Mapping[str, str]] = {
    "tag": "Here stands a tag: one byte for the type, s for str, b for bytes.",
    "length": "Here stands a length: four bytes, big-endian, the number of BYTES of data.",
    "data": "Here stands the data, at once behind the length: bytes as they are, text as UTF-8.",
    "count": "Here stands the count: four bytes, big-endian, the number of records.",
    "index": "Here stands the index: four bytes, big-endian, counted from 0.",
    "total": "Here stands the total: four bytes, big-endian, the same in each segment.",
    "piece": "Here stands the piece of the stream, at once behind the header of 8 bytes.",
    "operation": "Here stands the operation: one byte, P for put, D for delete.",
    "crc": "Here stands the checksum: four bytes, big-endian, over all that follows in the frame.",
    "sequence": "Here stands the sequence number: eight bytes, big-endian.",
    "kind": "Here stands the kind of the frame: one byte.",
}
END: Final = "Here everything was said, and the bytes go on."
