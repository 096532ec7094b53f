"""A log for the explorers' tests, and readers of it that a learner could write."""

from collections.abc import Callable, Iterator

from helpers.vocabulary import delete, frame, put, store_files
from kvlib.encoding import Item
from kvlib.views.timeline import Moment, Timeline

# One value ends in zeros: zeros that replace them change nothing.
MUTATIONS: list[tuple[bytes, dict[Item, Item]]] = [
    (put("café", "2,50 €"), {"café": "2,50 €"}),
    (put("thé", b"3\0\0"), {"café": "2,50 €", "thé": b"3\0\0"}),
    (delete("café"), {"thé": b"3\0\0"}),
]


def frames_of(*payloads: bytes, first: int = 2, salt: int = 0) -> list[bytes]:
    """Return a frame around each payload."""
    return [frame(b"M", first + at, payload, salt) for at, payload in enumerate(payloads)]


FRAMES = frames_of(*(payload for payload, _ in MUTATIONS))
BARE = b"".join(FRAMES)
FILES = store_files({}, *FRAMES)
LOG = FILES["log"]
BEGUN = store_files({"old": "1"}, *FRAMES, frame(b"C", 5, b""), generation=1)


def verdicts(film: Timeline, strip: int = 0) -> list[str]:
    """Return the verdict of each moment."""
    return [moment.outcomes[strip].verdict for moment in film.moments]


def told(moment: Moment) -> str:
    """Return what a moment shows about kvlib's answer, in one line."""
    note, layout = dict(moment.notes)["kvlib"], moment.pictures[0].layout
    if note == "an error: the reason is below the bytes":
        note = f"offset {layout.stopped_at}: {layout.reason}"
    return " ".join(note.split())


# -------------------------------------------------------------------------- the learner's readers


def whole_frames(data: bytes) -> Iterator[bytes]:
    """Yield the payloads of frames that aren't cut short, without a look at their checksums."""
    at = 0
    while at + 17 <= len(data):
        end = at + 17 + int.from_bytes(data[at + 4 : at + 8], "big")
        if end > len(data):
            return
        yield data[at + 17 : end]
        at = end


def pairs(payload: bytes) -> dict[Item, Item | None]:
    """Return the mutation in a payload, read by hand."""
    length = int.from_bytes(payload[2:6], "big")
    key, rest = payload[6 : 6 + length].decode(), payload[6 + length :]
    value = rest[5:].decode() if rest[:1] == b"s" else rest[5:]
    return {key: value if payload[:1] == b"P" else None}


def replayed(payloads: Iterator[bytes]) -> dict[Item, Item]:
    """Return the records after these mutations."""
    items: dict[Item, Item | None] = {}
    for payload in payloads:
        items |= pairs(payload)
    return {key: value for key, value in items.items() if value is not None}


def forgiving(data: bytes) -> dict[Item, Item]:
    """Read up to the first frame that is cut short."""
    return replayed(whole_frames(data))


class Odd:
    def __repr__(self) -> str:
        raise ValueError("no repr")

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparison")

    __hash__ = None  # type: ignore[assignment]  # as Python itself does for such a class


def raising(error: BaseException) -> Callable[[bytes], object]:
    """Return a reader that raises this error."""

    def recover(data: bytes) -> object:
        raise error

    return recover
