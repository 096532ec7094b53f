"""01-bug-hunt: find records that break a format that passed its tests.

`their_encode` and `their_decode` passed their tests with text in every script, with photographs,
and with every delimiter. Find records (keys and values are str or bytes) that come back changed.

Hint: A reader must know two things about each piece. One is where it ends. What is the other?

Hint: Follow one piece through `their_decode`. How does the code choose between text and bytes?

Hint: The reader tries UTF-8 first and keeps the piece as bytes only if that fails. For which bytes
does it not fail?

Why: Bytes that happen to be valid UTF-8 come back as text. The format never wrote the type, so the
reader has to guess. The cure is a tag.
"""

from typing import Any, Final

from kvlib.lessons.exercise import texts
from kvlib.lessons.prediction import Prediction
from kvlib.views.plain import kind_of, written

MOST: Final = 100_000  # bytes


def their_encode(records: dict[Any, Any]) -> bytes:
    """Write each key and value after its length in four bytes."""
    stream = b""
    for record in records.items():
        for value in record:
            data = value.encode() if isinstance(value, str) else value
            stream += len(data).to_bytes(4, "big") + data
    return stream


def their_decode(stream: bytes) -> dict[Any, Any]:
    """Read the pieces back and guess which of them are text."""
    items: list[Any] = []
    while stream:
        end = 4 + int.from_bytes(stream[:4], "big")
        data, stream = stream[4:end], stream[end:]
        try:
            items.append(data.decode())
        except UnicodeDecodeError:
            items.append(data)
    return dict(zip(items[::2], items[1::2], strict=True))


def _check(found: Any) -> None:
    """Raise a ValueError for types outside the promise, and for more data than decodes quickly."""
    for value in _all(found):
        if type(value) not in (str, bytes):
            raise ValueError(f"keys and values are str or bytes, not {kind_of(value)}")
        if type(value) is str:
            value.encode()  # a half of a surrogate pair is a UnicodeEncodeError, a ValueError
    if sum(map(len, _all(found))) + 4 * len(_all(found)) > MOST:
        raise ValueError(f"more than {MOST:,} bytes; one record is enough")


def _comes_back_changed(found: Any) -> bool:
    try:
        _check(found)
    except ValueError:
        return False
    return type(found) is dict and their_decode(their_encode(found)) != found


def _their_answer(found: Any) -> str:
    if type(found) is not dict:
        return ""
    try:
        _check(found)
        return f"back as {written(their_decode(their_encode(found)))}"
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


def _all(found: Any) -> list[Any]:
    return [*found, *found.values()] if type(found) is dict else []


def _texts(found: Any) -> list[str]:
    return [one for one in _all(found) if type(one) is str]


def found() -> dict[str | bytes, str | bytes]:
    """Return bytes that happen to be valid UTF-8: they come back as text."""
    return {"drink": b"tea"}


EXERCISE: Final = Prediction(
    **texts(__name__),
    minutes=10,
    points=2,
    answer=found,
    variable="found",
    accepts=_comes_back_changed,
    describe=_their_answer,
    signs=(
        (
            lambda found: any(not one.isascii() for one in _texts(found)),
            "These records come back unchanged, because the length is measured after encoding and "
            "counts bytes. What else does a reader need to know about a piece?",
        ),
        (
            lambda found: any(set("=;|:,\n\\") & set(one) for one in _texts(found)),
            "These records come back unchanged. The reader skips over the data by its length, so "
            "it never sees a delimiter there.",
        ),
        (
            lambda found: "" in _texts(found),
            "These records come back unchanged: an empty text is a length of 0, written in four "
            "bytes. What other kind of value can you try?",
        ),
        (
            lambda found: any(type(one) is bytes for one in _all(found)),
            "These records come back unchanged. But is the reader always right when it decides "
            "that a piece is bytes?",
        ),
        (
            lambda found: any(len(one) > 255 for one in _texts(found)),
            "These records come back unchanged. A length of four bytes is enough for 4 GB.",
        ),
        (
            lambda found: any(type(one) not in (str, bytes) for one in _all(found)),
            "Keys and values are str or bytes here. The format never promised to store anything "
            "else.",
        ),
        (
            lambda found: type(found) is dict and not found,
            "An empty store works: it is written as no bytes, so there is nothing to read.",
        ),
    ),
)
