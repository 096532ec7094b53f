"""01-bug-hunt: a format that forgets what is a text."""

from typing import Any, Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, Mistake
from kvlib.views.plain import kind_of, written

MOST: Final = 100_000  # bytes


def their_encode(records: dict[Any, Any]) -> bytes:
    """Bug hunt: each key and value behind a length of four bytes."""
    stream = b""
    for record in records.items():
        for value in record:
            data = value.encode() if isinstance(value, str) else value
            stream += len(data).to_bytes(4, "big") + data
    return stream


def their_decode(stream: bytes) -> dict[Any, Any]:
    """Bug hunt: what it believes that it wrote."""
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
    """ValueError for what nobody promised, and for more than their decoder reads in a moment."""
    for value in _all(found):
        if type(value) not in (str, bytes):
            raise ValueError(f"keys and values are str or bytes, not {kind_of(value)}")
    if sum(map(len, _all(found))) + 4 * len(_all(found)) > MOST:
        raise ValueError(f"more than {MOST:,} bytes; one record is enough")


def _comes_back(found: dict[Any, Any]) -> bool:
    _check(found)
    return their_decode(their_encode(found)) == found


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


EXERCISE: Final = Exercise(
    name="01-bug-hunt",
    kind="predict",
    objective="find the records for which a format that passed its tests fails",
    task=(
        "`their_encode` and `their_decode` kept their promise for texts in every script, for "
        "photographs, and for every delimiter. Find records, str or bytes, that don't come back as "
        "they were."
    ),
    stub="found = ...",
    names=("found",),
    solution=(solutions.found,),
    cases=(Case(),),
    read=(_comes_back,),
    shown=_their_answer,
    mistakes=(
        Mistake(
            {"café": "2,50 €"},
            "These come back: the length is measured after encoding, so it counts bytes. What "
            "besides the length must a reader know?",
            lambda found: any(not one.isascii() for one in _texts(found)),
        ),
        Mistake(
            {"a=b;": "|"},
            "These come back: the reader jumps over the data, and no delimiter in it is looked at.",
            lambda found: any(set("=;|:,\n\\") & set(one) for one in _texts(found)),
        ),
        Mistake(
            {"": ""},
            "These come back: an empty text is a length of 0, which is four bytes. What else can "
            "be empty?",
            lambda found: "" in _texts(found),
        ),
        Mistake(
            {"photo": b"\xff\xd8"},
            "These come back. Look at how the reader notices that they are bytes and no text: does "
            "it always?",
            lambda found: any(type(one) is bytes for one in _all(found)),
        ),
        Mistake(
            {"a": "b" * 300},
            "These come back: four bytes of length are enough for 4 GB.",
            lambda found: any(len(one) > 255 for one in _texts(found)),
        ),
        Mistake(
            {1: "a"},
            "Keys and values are str or bytes here; nobody promised that others come back.",
            lambda found: any(type(one) not in (str, bytes) for one in _all(found)),
        ),
        Mistake(
            {},
            "No records are no problem: no bytes, and nothing to read.",
            lambda found: type(found) is dict and not found,
        ),
    ),
    hints=(
        "A reader must know two things of each piece: where it ends, and what else?",
        "Follow a piece through `their_decode`: how does it decide between a text and bytes?",
        "It tries UTF-8, and takes the piece for bytes if that fails. For which bytes doesn't it "
        "fail?",
    ),
    why=(
        "Bytes that happen to be good UTF-8 come back as a text. The type was never written, and "
        "what is not written can only be guessed: the cure is a tag."
    ),
    points=2,
    minutes=5,
)
