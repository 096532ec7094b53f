"""What the explorers' tests experiment on: a log, and readers of it that a learner could write."""

from collections.abc import Callable, Iterator

from helpers.vocabulary import delete, frame, put, store_files
from kvlib.encoding import Item
from kvlib.views.timeline import Moment, Timeline

# A value that ends in zeros: where they are lost and zeros stand there, nothing is lost.
MUTATIONS: list[tuple[bytes, dict[Item, Item]]] = [
    (put("café", "2,50 €"), {"café": "2,50 €"}),
    (put("thé", b"3\0\0"), {"café": "2,50 €", "thé": b"3\0\0"}),
    (delete("café"), {"thé": b"3\0\0"}),
]


def frames_of(*payloads: bytes, first: int = 2, salt: int = 0) -> list[bytes]:
    """A frame around each payload."""
    return [frame(b"M", first + at, payload, salt) for at, payload in enumerate(payloads)]


FRAMES = frames_of(*(payload for payload, _ in MUTATIONS))
BARE = b"".join(FRAMES)
FILES = store_files({}, *FRAMES)
LOG = FILES["log"]
BEGUN = store_files({"old": "1"}, *FRAMES, frame(b"C", 5, b""), generation=1)


def verdicts(film: Timeline, strip: int = 0) -> list[str]:
    """The verdict of each moment."""
    return [moment.outcomes[strip].verdict for moment in film.moments]


def told(moment: Moment) -> str:
    """What is said of kvlib's answer, in the note or below the bytes, in one line."""
    note, layout = dict(moment.notes)["kvlib"], moment.pictures[0].layout
    if note == "an error: the reason stands below the bytes":
        note = f"offset {layout.stopped_at}: {layout.reason}"
    return " ".join(note.split())


# -------------------------------------------------------------------------- the learner's readers


def whole_frames(data: bytes) -> Iterator[bytes]:
    """The payloads of the frames that are whole; nobody looks at a checksum."""
    at = 0
    while at + 17 <= len(data):
        end = at + 17 + int.from_bytes(data[at + 4 : at + 8], "big")
        if end > len(data):
            return
        yield data[at + 17 : end]
        at = end


def pairs(payload: bytes) -> dict[Item, Item | None]:
    """What a payload of one mutation says, read by hand."""
    length = int.from_bytes(payload[2:6], "big")
    key, rest = payload[6 : 6 + length].decode(), payload[6 + length :]
    value = rest[5:].decode() if rest[:1] == b"s" else rest[5:]
    return {key: value if payload[:1] == b"P" else None}


def replayed(payloads: Iterator[bytes]) -> dict[Item, Item]:
    """The mutations applied to nothing."""
    items: dict[Item, Item | None] = {}
    for payload in payloads:
        items |= pairs(payload)
    return {key: value for key, value in items.items() if value is not None}


def forgiving(data: bytes) -> dict[Item, Item]:
    """Reads up to the first frame that is not whole."""
    return replayed(whole_frames(data))


class Odd:
    def __repr__(self) -> str:
        raise ValueError("no repr")

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparison")

    __hash__ = None  # type: ignore[assignment]  # as Python itself does for such a class


def raising(error: BaseException) -> Callable[[bytes], object]:
    """A function that raises it."""

    def recover(data: bytes) -> object:
        raise error

    return recover
