"""03-replay: replay a log so that doing it twice changes nothing.

The lines that apply one mutation to `items` are missing. A mutation is a key and its new value; the
value is None if the key is deleted. `items` may already contain these changes: replaying them again
must change nothing.

Hint: There are two kinds of mutation, and `if value is None` tells them apart.

Hint: A put is one assignment, whatever was there before.

Hint: `dict.pop` takes a second argument: what to return if the key is missing. With it, a missing
key raises no error.

Why: A mutation states the result instead of a step, so each key ends up with its last value however
often you replay.
"""

from typing import Final

import kvlib
from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Case, texts
from kvlib.lessons.exercises.log.frames import DELETE, PUT, sealed, write_log
from kvlib.log import decode_mutations, encode_put

EMPTY: Final = (
    "An empty value is not a deletion, but `if value` is false for both. How do you ask for None "
    "alone?"
)
NONE: Final = "The deleted key is still there, with None as its value. What should be left of it?"
TWICE: Final = (
    "A mutation says what the value is, not how it changes: replayed twice, it must give the same."
)
ENDED: Final = "Nothing after a deletion is applied. Which statement ends the loop there?"
ONE: Final = "Only one of the mutations in a frame is applied. Where does the inner loop end?"


def replay(data: bytes, items: dict[str | bytes, str | bytes]) -> dict[str | bytes, str | bytes]:
    """Whatever the state was, the mutation decides what it is now."""
    items, offset = dict(items), 0
    while offset < len(data):
        frame = kvlib.unseal(data, offset)
        for key, value in decode_mutations(frame.payload):
            if value is None:
                items.pop(key, None)
            else:
                items[key] = value
        offset = frame.end
    return items


EXERCISE: Final = Coding(
    **texts(__name__),
    minutes=3,
    points=2,
    functions=(replay,),
    given_code="""\
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
    cases=(
        Case((b"", {}), "a log without frames"),
        Case((b"", {"a": "1"}), "a log without frames, and a record that stays"),
        Case(
            (sealed(PUT), {}),
            "one put",
            signs=(({}, "The put has changed nothing."), ({"a": None}, NONE)),
        ),
        Case((sealed(encode_put("a", "")), {}), "a put of an empty text", signs=(({}, EMPTY),)),
        Case((sealed(encode_put("a", b"")), {}), "a put of empty bytes", signs=(({}, EMPTY),)),
        Case((sealed(encode_put("", "1")), {}), "an empty key", signs=(({}, EMPTY),)),
        Case(
            (sealed(encode_put(b"a", "1")), {"a": "0"}),
            "a bytes key next to a text key",
            signs=(({"a": "1"}, "A text key and a bytes key have become one."),),
        ),
        Case(
            (sealed(DELETE), {"a": "1"}),
            "one deletion",
            signs=(
                ({"a": None}, NONE),
                (
                    {"a": ""},
                    "The deleted key is still there, with an empty value. What should be left "
                    "of it?",
                ),
            ),
        ),
        Case(
            (sealed(DELETE), {}),
            "a deletion that was already applied",
            "A log may be replayed twice. How does a dict remove a key that may be missing?",
            signs=(({"a": None}, NONE),),
        ),
        Case(
            (sealed(PUT), {"a": "1"}),
            "a put that was already applied",
            TWICE,
            signs=(({"a": "11"}, TWICE),),
        ),
        Case(
            (sealed(PUT), {"a": "0"}),
            "a put over an older value",
            signs=(
                ({"a": "0"}, "The old value stays. Which of two values is the newer one?"),
                ({"a": "01"}, TWICE),
            ),
        ),
        Case(
            (sealed(DELETE), {"a": "1", "b": "2"}),
            "a deletion, with another key that stays",
            signs=(({}, "The deletion of one key has removed them all."),),
        ),
        Case(
            (sealed(DELETE, PUT), {}),
            "a put after a deletion",
            signs=(
                (
                    {},
                    "The key was deleted, and put again later, but it is gone. Does the "
                    "deletion end your loop, or win over what follows?",
                ),
            ),
        ),
        Case(
            (sealed(DELETE + encode_put("b", "2")), {"a": "1"}),
            "a put after a deletion, in one frame",
            signs=(
                ({}, ENDED),
                ({"a": "1"}, ENDED),
                (
                    {"a": "1", "b": "2"},
                    "You skip the deletion, so the key comes back to life. What does a value "
                    "of None "
                    "mean here?",
                ),
            ),
        ),
        Case(
            (sealed(PUT, encode_put("a", "2")), {}),
            "two puts of one key",
            signs=(
                (
                    {"a": "1"},
                    "The first value stays, whatever comes later. Which of two puts is the "
                    "newer one?",
                ),
                ({"a": "12"}, TWICE),
            ),
        ),
        Case(
            (sealed(PUT, encode_put("a", "2"), DELETE), {}),
            "two puts and a deletion",
            signs=(
                (
                    {"a": "1"},
                    "The deletion undoes only the last put. A deletion leaves nothing of the key.",
                ),
                (
                    {"a": "2"},
                    "The last put wins over the deletion that follows. Are the mutations "
                    "applied in the log's order?",
                ),
            ),
        ),
        Case(
            (sealed(PUT + encode_put("b", "2")), {}),
            "two mutations in one frame",
            signs=(({"a": "1"}, ONE), ({"b": "2"}, ONE)),
        ),
        Case(
            (sealed(PUT, encode_put("b", "2")), {}),
            "two frames",
            signs=(
                (
                    {"a": "1"},
                    "Only the first frame is applied. Is there a `return` or `break` inside "
                    "the loop?",
                ),
                (
                    {"b": "2"},
                    "Only the last frame is applied. What becomes of the records before it?",
                ),
            ),
        ),
        Case((sealed(PUT + DELETE + encode_put("b", "2")), {}), "three mutations in one frame"),
        Case(
            (b"", {}),
            "a log without frames again",
            "Something survives from one call to the next, such as a global variable.",
        ),
    ),
    own=(
        "log.replay",
        "log.apply",
    ),
    given=("frame",),
    write=write_log,
)
