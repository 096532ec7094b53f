"""03-replay: what mutations do to a dict."""

from typing import Final

from kvlib import log
from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, mistake
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


@mistake("The deleted key is still there, and has None as its value. What should be left of it?")
def replay_puts_none(data: bytes, items: Records) -> Records:
    """Stores None for a deletion."""
    return _replay(data, items, put_all)


@mistake(
    "The key isn't there any more: this deletion has been made before, and a log may be "
    "replayed twice. How does a dict remove a key that may be missing?"
)
def replay_insists_on_keys(data: bytes, items: Records) -> Records:
    """Raises a KeyError where the deletion has been made before: so it can't be replayed twice."""
    return _replay(data, items, insist)


@mistake(
    "The deletion is passed over, so the key comes back to life. What does a value of None "
    "mean here?"
)
def replay_ignores_deletions(data: bytes, items: Records) -> Records:
    """Lets what was deleted come back."""
    return _replay(data, items, put_only)


@mistake(
    "A value that is empty is taken for a deletion: `if value` says no to both. How do you "
    "ask for None alone?"
)
def replay_deletes_if_empty(data: bytes, items: Records) -> Records:
    """Takes an empty value for none."""
    return _replay(data, items, delete_if_empty)


@mistake("The value that was there first stays. Which of two puts is the newer one?")
def replay_lets_the_first_win(data: bytes, items: Records) -> Records:
    """Keeps the oldest value."""
    return _replay(data, items, applying(put=dict.setdefault))


@mistake(
    "The value is added to the one that is there, so replaying twice gives another state. "
    "A mutation says what the value is."
)
def replay_adds_up(data: bytes, items: Records) -> Records:
    """Adds to the value that is there: twice is more than once."""

    def add(items: Records, key: Item, value: Item) -> None:
        items[key] = items[key] + value if key in items else value

    return _replay(data, items, applying(put=add))


@mistake("One key is deleted, and all are gone. Which one does the mutation name?")
def replay_deletes_everything(data: bytes, items: Records) -> Records:
    """Clears the dict for one key."""
    return _replay(data, items, applying(delete=lambda items, key: items.clear()))


@mistake(
    "It stops at the first deletion, and leaves out what stands behind it. Where does the log end?"
)
def replay_stops_at_a_deletion(data: bytes, items: Records) -> Records:
    """Takes the first deletion for the end."""
    items = dict(items)
    for frame in frames_of(data):
        for key, value in decode_mutations(frame.payload):
            if value is None:
                return items
            items[key] = value
    return items


@mistake(
    "A put of a key that isn't there is passed over, so no new key ever gets in. Does a put depend "
    "on what was there before?"
)
def replay_adds_no_key(data: bytes, items: Records) -> Records:
    """Changes the keys that it was given."""

    def change(items: Records, key: Item, value: Item) -> None:
        if key in items:
            items[key] = value

    return _replay(data, items, applying(put=change))


EXERCISE: Final = Exercise(
    name="03-replay",
    kind="function",
    objective="replay a log so that doing it twice is doing it once",
    task=(
        "What one mutation does to `items` is missing. Each is a key and its new value; the value "
        "is None if the key is deleted. `items` may have these changes already: replaying them "
        "once more changes nothing."
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
        Case((sealed(encode_put("a", b"")), {}), "a put of no bytes"),
        Case((sealed(encode_put(b"a", "1")), {"a": "0"}), "a key of bytes, beside a text"),
        Case((sealed(DELETE), {"a": "1"}), "one deletion"),
        Case((sealed(DELETE), {}), "a deletion that was made before"),
        Case((sealed(PUT), {"a": "1"}), "a put that was made before"),
        Case((sealed(PUT), {"a": "0"}), "a put over an older value"),
        Case((sealed(DELETE), {"a": "1", "b": "2"}), "a deletion, with another key beside it"),
        Case((sealed(DELETE, PUT), {}), "a put behind a deletion"),
        Case((sealed(PUT, encode_put("a", "2"), DELETE), {}), "two puts and a deletion"),
        Case((sealed(PUT + DELETE + encode_put("b", "2")), {}), "three mutations in one frame"),
    ),
    given=("frame",),
    mistakes=(
        replay_puts_none,
        replay_insists_on_keys,
        replay_ignores_deletions,
        replay_deletes_if_empty,
        replay_lets_the_first_win,
        replay_adds_up,
        replay_deletes_everything,
        replay_stops_at_a_deletion,
        replay_adds_no_key,
    ),
    hints=(
        "There are two kinds of mutation: `if value is None` tells them apart.",
        "A put is one assignment, whatever was there before.",
        "`dict.pop` takes a second argument: what to give if the key is missing. Then it is no "
        "error.",
    ),
    why="A mutation says what is, not what to do: so the last word on each key is always the same.",
    points=2,
    minutes=3,
    own={"log.replay": log.replay, "log.apply": log.apply},
)
