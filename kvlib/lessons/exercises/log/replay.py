"""03-replay: what mutations do to a dict."""

from typing import Final

from kvlib import log
from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, mistake
from kvlib.lessons.exercises.collected import mistakes_in
from kvlib.lessons.exercises.fields import Item, Records
from kvlib.lessons.exercises.log.frames import (
    DELETE,
    PUT,
    Apply,
    applying,
    delete_if_empty,
    frames_of,
    insist,
    put_all,
    put_only,
    sealed,
)
from kvlib.log import decode_mutations, encode_put


def _replay(data: bytes, items: Records, applied: Apply) -> Records:
    items = dict(items)
    for frame in frames_of(data):
        applied(decode_mutations(frame.payload), items)
    return items


@mistake("The deleted key is still there, with None as its value. What should be left of it?")
def replay_puts_none(data: bytes, items: Records) -> Records:
    """Store None for a deletion."""
    return _replay(data, items, put_all)


@mistake(
    "The key is already gone, because this deletion was applied before: a log may be replayed "
    "twice. How does a dict remove a key that may be missing?"
)
def replay_insists_on_keys(data: bytes, items: Records) -> Records:
    """Raise a KeyError for a deletion that was applied before, so a second replay fails."""
    return _replay(data, items, insist)


@mistake(
    "You skip the deletion, so the key comes back to life. What does a value of None mean here?"
)
def replay_ignores_deletions(data: bytes, items: Records) -> Records:
    """Bring deleted keys back."""
    return _replay(data, items, put_only)


@mistake(
    "You treat an empty value as a deletion: `if value` is false for both. How do you ask for "
    "None alone?"
)
def replay_deletes_if_empty(data: bytes, items: Records) -> Records:
    """Delete a key when its value is empty."""
    return _replay(data, items, delete_if_empty)


@mistake("The first value stays, whatever comes later. Which of two puts is the newer one?")
def replay_lets_the_first_win(data: bytes, items: Records) -> Records:
    """Keep the oldest value."""
    return _replay(data, items, applying(put=dict.setdefault))


@mistake(
    "You add the new value to the old one, so replaying twice gives another state. A mutation "
    "says what the new value is."
)
def replay_adds_up(data: bytes, items: Records) -> Records:
    """Add to the existing value, so that replaying twice differs from once."""

    def add(items: Records, key: Item, value: Item) -> None:
        items[key] = items[key] + value if key in items else value

    return _replay(data, items, applying(put=add))


@mistake("One key is deleted, but all of them are gone. Which one does the mutation name?")
def replay_deletes_everything(data: bytes, items: Records) -> Records:
    """Clear the dict to delete one key."""
    return _replay(data, items, applying(delete=lambda items, key: items.clear()))


@mistake("You stop at the first deletion and miss the mutations after it. Where does the log end?")
def replay_stops_at_a_deletion(data: bytes, items: Records) -> Records:
    """Stop at the first deletion."""
    items = dict(items)
    for frame in frames_of(data):
        for key, value in decode_mutations(frame.payload):
            if value is None:
                return items
            items[key] = value
    return items


@mistake(
    "You skip a put of a key that isn't there, so a new key never gets in. Does a put depend on "
    "what was there before?"
)
def replay_adds_no_key(data: bytes, items: Records) -> Records:
    """Change only keys that are already there."""

    def change(items: Records, key: Item, value: Item) -> None:
        if key in items:
            items[key] = value

    return _replay(data, items, applying(put=change))


EXERCISE: Final = Exercise(
    name="03-replay",
    kind="function",
    objective="replay a log so that doing it twice is doing it once",
    task=(
        "The lines that apply one mutation to `items` are missing. A mutation is a key and its "
        "new value; the value is None if the key is deleted. `items` may already contain these "
        "changes: replaying them again must change nothing."
    ),
    stub="""\
import kvlib
from kvlib.log import decode_mutations


def replay(data, items):
    items, offset = dict(items), 0
    while offset < len(data):
        frame = kvlib.unseal(data, offset)
        for key, value in decode_mutations(frame.payload):
            raise NotImplementedError  # YOUR CODE HERE
        offset = frame.end
    return items""",
    names=("replay",),
    solution=(solutions.replay,),
    cases=(
        Case((sealed(PUT), {}), "one put"),
        Case((sealed(encode_put("a", "")), {}), "a put of an empty text"),
        Case((sealed(encode_put("a", b"")), {}), "a put of empty bytes"),
        Case((sealed(encode_put(b"a", "1")), {"a": "0"}), "a bytes key next to a text key"),
        Case((sealed(DELETE), {"a": "1"}), "one deletion"),
        Case((sealed(DELETE), {}), "a deletion that was already applied"),
        Case((sealed(PUT), {"a": "1"}), "a put that was already applied"),
        Case((sealed(PUT), {"a": "0"}), "a put over an older value"),
        Case((sealed(DELETE), {"a": "1", "b": "2"}), "a deletion, with another key that stays"),
        Case((sealed(DELETE, PUT), {}), "a put after a deletion"),
        Case((sealed(PUT, encode_put("a", "2"), DELETE), {}), "two puts and a deletion"),
        Case((sealed(PUT + DELETE + encode_put("b", "2")), {}), "three mutations in one frame"),
    ),
    given=("frame",),
    mistakes=mistakes_in(globals()),
    hints=(
        "There are two kinds of mutation, and `if value is None` tells them apart.",
        "A put is one assignment, whatever was there before.",
        "`dict.pop` takes a second argument: what to return if the key is missing. With it, a "
        "missing key raises no error.",
    ),
    why=(
        "A mutation states the result instead of a step, so each key ends up with its last value "
        "however often you replay."
    ),
    points=2,
    minutes=3,
    own={"log.replay": log.replay, "log.apply": log.apply},
)
