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

from typing import Any, Final

import kvlib
from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import texts
from kvlib.lessons.exercises.log.frames import log_of, write_log
from kvlib.lessons.exercises.stores import Operation, cases_of
from kvlib.log import decode_mutations

CASES: Final = """
EMPTY = An empty value is not a deletion, but `if value` is false for both. How do you ask for None
    alone?
NONE = The deleted key is still there, with None as its value. What should be left of it?
TWICE = A mutation says what the value is, not how it changes: replayed twice, it gives the same.
ONE = Only one of the mutations in a frame is applied. Where does the inner loop end?
ENDED = Nothing after a deletion is applied. Which statement ends the loop there?
FIRST = The first value stays, whatever comes later. Which of two puts is the newer one?
a log without frames:
a log without frames, and a record that stays: have {'a': '1'}
one put: put a 1
    {} -> A put of a new key changes nothing. Is a condition the wrong way round, or does the put
        depend on what was there before?
    {'a': None} -> NONE
two frames: put a 1; put b 2
    {'a': '1'} -> Only the first frame is applied. Is there a `return` or `break` inside the loop?
    {'b': '2'} -> Only the last frame is applied. What becomes of the records before it?
two mutations in one frame: put a 1; and put b 2
    {'a': '1'} -> ONE
    {'b': '2'} -> ONE
a put of an empty text: put a ''
    {} -> EMPTY
a put of empty bytes: put a b''
    {} -> EMPTY
an empty key: put '' 1
    {} -> EMPTY
a bytes key next to a text key: have {'a': '0'}; put b'a' 1
    {'a': '1'} -> A text key and a bytes key have become one.
one deletion: have {'a': '1'}; delete a
    later
    {'a': None} -> NONE
    {'a': ''} -> The deleted key is still there, with an empty value. What should be left of it?
    {'a': b''} -> The deleted key is still there, with an empty value. What should be left of it?
a deletion that was already applied: delete a
    KeyError -> A log may be replayed twice. How does a dict remove a key that may be missing?
    {'a': None} -> NONE
a put that was already applied: have {'a': '1'}; put a 1
    ? TWICE
    {'a': '11'} -> TWICE
a put over an older value: have {'a': '0'}; put a 1
    {'a': '0'} -> The old value stays. Which of two values is the newer one?
    {'a': '01'} -> TWICE
a deletion, with another key that stays: have {'a': '1', 'b': '2'}; delete a
    {} -> The deletion of one key has removed them all.
a put after a deletion: delete a; put a 1
    {} -> The key was deleted, and put again later, but it is gone. Does the deletion end your loop,
        or win over what follows?
a put after a deletion, in one frame: have {'a': '1'}; delete a; and put b 2
    {} -> ENDED
    {'a': '1'} -> ENDED
    {'a': '1', 'b': '2'} -> You skip the deletion, so the key comes back to life. What does a value
        of None mean here?
a deletion and a put of the same key, in one frame: have {'a': '1'}; delete a; and put a 2
    {} -> The deletion wins over the put that follows it. Are a frame's mutations applied in order?
a missing key that is deleted and then put, in one frame: delete a; and put a 2
    {} -> The deletion of a missing key ends the frame. What is left out by your `try`?
two puts of one key: put a 1; put a 2
    {'a': '1'} -> FIRST
    {'a': '12'} -> TWICE
two puts and a deletion: put a 1; put a 2; delete a
    {'a': '1'} -> The deletion undoes only the last put. A deletion leaves nothing of the key.
    {'a': '2'} -> The last put wins over the deletion that follows. Are the mutations applied in the
        log's order?
three mutations in one frame: put a 1; and delete a; and put b 2
a log without frames again:
    ? Something survives from one call to the next, such as a global variable.
"""


def _adapted(operations: list[Operation], _: str) -> tuple[Any, ...]:
    items: dict[Any, Any] = next((one[1] for one in operations if one[0] == "have"), {})
    return log_of([one for one in operations if one[0] != "have"]), items


def replay(data: bytes, items: dict[str | bytes, str | bytes]) -> dict[str | bytes, str | bytes]:
    """Let the mutation decide what the state is now, whatever it was."""
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
    cases=tuple(cases_of(CASES, _adapted)),
    own=(
        "log.replay",
        "log.apply",
    ),
    given=("frame",),
    write=write_log,
)
