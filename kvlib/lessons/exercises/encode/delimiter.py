"""01-delimiter: judge whether the data can confuse a format.

Write `encode(records)`. It may return any bytes you like, but different records must never give the
same bytes. Keys and values are str or bytes. The check tries to confuse your format.

Hint: How does the reader know where a key ends? If that mark can occur in a key, your format can be
confused.

Hint: A reader that never searches the data can't be confused. What must it know before it reads the
data?

Hint: Before each key and value, write its length in a fixed number of bytes. Before the length,
write one byte for the type.

Why: The check compared thousands of small stores, and no two gave the same bytes. A type and a
length of fixed size come before the data, so the data can't be mistaken for them.
"""

from typing import Final

from kvlib.lessons.coding import Coding
from kvlib.lessons.collisions import break_encoder
from kvlib.lessons.exercise import Case, texts


def _is_bytes(stream: bytes, records: object) -> bool:
    return True


def encode(records: dict[str | bytes, str | bytes]) -> bytes:
    """Put type and length before the data, so that the reader never searches it."""
    stream = b""
    for record in records.items():
        for value in record:
            tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
            stream += tag + len(data).to_bytes(4, "big") + data
    return stream


EXERCISE: Final = Coding(
    **texts(__name__),
    minutes=15,
    points=3,
    functions=(encode,),
    cases=(
        Case(({},), "an empty store"),
        Case(({"a": "1"},), "one record"),
        Case(({"a": "1", "b": "2"},), "two records"),
    ),
    own=(
        "encode_snapshot",
        "encode_field",
    ),
    reads=(_is_bytes,),
    attack=break_encoder,
)
