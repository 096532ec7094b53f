"""Operations for the interviews, and cases that each isolate one mistake of a store.

The cases come in the order in which a store can fail them: first memory, then saving, then the data
itself. So the first one that fails tells the mistake, and its signs tell which of several it is.
"""

import ast
import builtins
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from kvlib.judge import READING
from kvlib.lessons.exercise import Case, Finding, Function, Sign
from kvlib.lessons.sandbox import run
from kvlib.views.plain import written

Operation = tuple[Any, ...]
Adapt = Callable[[list[Operation]], tuple[Any, ...]]  # the arguments that carry out operations

PICKLED: Final = (
    "You use a format of Python's own, and reading it can run any code inside it. Write a tag, a "
    "length and the data yourself."
)
EVALUATED: Final = (
    "You let Python read the bytes as a program. Write a tag, a length and the data, and read "
    "just those."
)
FORBIDDEN: Final = dict.fromkeys(["pickle", "_pickle", "marshal"], PICKLED) | dict.fromkeys(
    ["eval", "exec", "ast"], EVALUATED
)

SAVE: Final = ("serialize", "p")
LOAD: Final = ("deserialize", "p")


def put(key: str | bytes = "a", value: str | bytes = "1") -> Operation:
    """Return the operation that puts this value under the key."""
    return ("put", key, value)


def get(key: str | bytes = "a") -> Operation:
    """Return the operation that gets this key."""
    return ("get", key)


LONG: Final = ("put", "a", "x" * 70_000)
FAR: Final = "How far can your length count? Two bytes go up to 65,535."
SURVIVES: Final = (
    "Here a new call finds what an earlier call stored, so something survives from one call to the "
    "next: a global variable, or a default argument such as `state={}`."
)


def gets(count: int, keys: int) -> list[Operation]:
    """Return `count` operations that get `key 0`, `key 1` and so on, over `keys` different keys."""
    return [get(f"key {number % keys}") for number in range(count)]


def operation_of(index: int, *arguments: Any) -> str:
    """Name the operation that gave a result; the operations are the last argument."""
    reading = [one for one in enumerate(arguments[-1]) if one[1][0] in READING]
    number, operation = reading[index]
    return f"operation {number}, {written(operation, 60)}"


# ------------------------------------------------------------------------------- cases as a script

TOKEN: Final = re.compile(r"b?'(?:\\.|[^'\\])*'|\"[^\"]*\"|\[[^]]*\]|\{[^}]*\}|;|[^\s;]+")


def operations_of(text: str) -> list[Operation]:
    """Return the operations that a text lists: words are texts, and may be written as literals.

    >>> operations_of("put a ''; get a")
    [('put', 'a', ''), ('get', 'a')]
    """
    found: list[list[Any]] = [[]]
    for token in TOKEN.findall(text):
        if token == ";":
            found.append([])
        else:
            literal = token[:2] == "b'" or token[0] in "'\"[{"
            found[-1].append(ast.literal_eval(token) if literal else token)
    return [tuple(one) for one in found if one]


def cases_of(
    script: str, adapt: Callable[[list[Operation], str], tuple[Any, ...]]
) -> Iterator[Case]:
    """Yield the cases of a script, which lists them with what their wrong results mean.

    An unindented line is a case: what it is about, a colon, and its operations. A number in
    brackets may come first; `adapt` gets it with the operations, and returns the arguments.
    Indented lines belong to the case: "RESULT -> SENTENCE" is a sign, "? SENTENCE" says where to
    look, "later" that a later case tells the cause better, and anything else is more operations.
    Sentences continue in lines that are indented more. "NAME = SENTENCE" names a sentence; the NAME
    stands for it from then on.
    """
    sentences: dict[str, str] = {}
    for block in re.split(r"\n(?=\S)", script.strip()):
        head, *details = re.split(r"\n    (?=\S)", block)
        if name := re.match(r"([A-Z_]+) = ", head):
            sentences[name[1]] = " ".join(block[name.end() :].split())
            continue
        about, _, text = head.partition(":")
        number, about = re.findall(r"(?:\[(\d+)\] )?(.+)", about)[0]
        look, later, signs = "", False, list[Sign]()
        for detail in details:
            result, arrow, says = " ".join(detail.split()).partition(" -> ")
            if arrow:
                error = getattr(builtins, result, None)
                wrong = error if isinstance(error, type) else ast.literal_eval(result)
                signs.append((wrong, sentences.get(says, says)))
            elif detail == "later":
                later = True
            elif detail.startswith("? "):
                look = sentences.get(result[2:], result[2:])
            else:
                text += f" {detail}"
        yield Case(adapt(operations_of(text), number), about, look, tuple(signs), later)


MEMORY: Final = """
EMPTY = An empty value is gone. `if value`, and `or`, treat it as missing. How can you tell an empty
    value from a missing one?
MISSING = A missing key isn't an error here: `get` gives None, and `delete` does nothing. Which
    methods of dict do that?
no operations, and no results:
a key that was never put: get a
    KeyError -> MISSING
    [] -> A `get` gives a result even if the key is missing: None.
one record: put a 1; get a
    [None] -> `get` doesn't find what was put.
a new store, after others were used: get a
    ['1'] -> Here a new call finds what an earlier call stored, so something survives from one call
        to the next: a global variable, or a default argument such as `state={}`.
an empty value: put a ''; get a
    [None] -> EMPTY
an empty key: put '' x; get ''
    ? Is `if key` true for an empty text?
a key that is put twice: put a 1; put a 2; get a
    ['1'] -> The first value stays. What should a second put of the same key do?
two records: put a 1; put b 2; get a; get b
a text and bytes that look alike: put 1 x; put b'1' b'y'; get 1; get b'1'
    [b'y', b'y'] -> The text `1` and the byte `1` have become the same key. What must your dict keep
        apart?
a text that looks like bytes: put "b'1'" x; put b'1' b'y'; get "b'1'"; get b'1'
    [b'y', b'y'] -> A text that looks like bytes and these bytes have become the same key. What must
        your dict keep apart?
"""
DELETING: Final = """
deleting a key that isn't there: delete a; get a
    [''] -> The key is there now, with an empty value. What should `delete` leave of it?
    KeyError -> A missing key isn't an error here: `get` gives None, and `delete` does nothing.
        Which methods of dict do that?
a deleted record: put a 1; delete a; get a
    ['1'] -> The record is still there. What should `delete` leave of it?
    [''] -> The key is still there, with an empty value. What should `delete` leave of it?
a deleted record with a key of bytes: put b'1' x; delete b'1'; get b'1'
    ['x'] -> A record with a key of bytes isn't deleted. Is the key changed on its way?
a deletion, and another record: put a 1; put b 2; delete a; get b
    [None] -> `delete` removes more than its own key.
"""
SAVING: Final = """
memory after saving: put a 1; serialize p; get a
    [None] -> Saving empties memory here. `serialize` only writes: what does it change?
one record, saved and loaded: put a 1; serialize p; delete a; deserialize p; get a
    [None] -> After `deserialize` the record isn't there. Follow it: is it in what was saved, and
        was that bytes, or the dict itself? Is it read back? Does the result reach the dict that
        `get` reads?
a record that was changed after it was saved: put a 1; serialize p; put a 2; deserialize p; get a
    ['2'] -> After `deserialize`, memory has what was put after `serialize`. Either `deserialize`
        changes nothing, or what you saved is the dict itself, which later puts change too. What
        would a file hold?
a record that was put after saving: put a 1; serialize p; put b 2; deserialize p; get b
    ['2'] -> After `deserialize`, memory has a record that wasn't saved: it was there before. How
        much of the old memory should be left?
an empty state, saved and loaded: serialize p; put a 1; deserialize p; get a
    ['1'] -> An empty state was saved, and the old one is still there after loading. Is `if` true
        for an empty dict, or for no bytes?
an empty value, saved and loaded: put a ''; serialize p; deserialize p; get a
    [None] -> An empty value is gone. `if value`, and `or`, treat it as missing. How can you tell an
        empty value from a missing one?
two paths: put a 1; serialize p; put a 2; serialize q; deserialize p; get a; deserialize q; get a
    ['2', '2'] -> Both paths give what was saved last: the path is ignored, or all share one object.
    ['1', '1'] -> Both paths give what was saved first. Where does the path come in?
a path that is loaded twice: put a 1; serialize p; deserialize p; put a 2; deserialize p; get a
    ? Does the first `deserialize` use up what was saved, or change it?
    KeyError -> The second `deserialize` finds nothing: the first one took away what was saved. Does
        reading a file delete it?
    ['2'] -> After the first `deserialize`, memory and what was saved are the same dict, so a put
        changes both.
    [None] -> The second `deserialize` finds nothing: the first one used up what was saved. Does
        reading a file empty it?
a path that is saved to twice: put a 1; serialize p; put a 2; serialize p; deserialize p; get a
    ['1'] -> The second `serialize` doesn't replace what the first one saved.
a record that was deleted between two saves: put a 1; serialize p; delete a; serialize p;
    deserialize p; get a
    ? What is left of a deleted key in memory?
    ['1'] -> A record that is no longer in memory comes back: the second `serialize` adds to the
        first instead of replacing it.
"""
DATA: Final = r"""
MARK = Does your format use a character as a mark that the data may contain too? How could the
    reader find the end without searching?
TYPES = Bytes must come back as bytes. What in the saved bytes says which it was?
SAME_KEY = The text `1` and the byte `1` have become the same key. What must your format keep apart?
three records: put a 1; put b 2; put c 3; AROUND; get a; get b; get c
    ? Which of the records come back, and which don't?
    ['1', None, None] -> Only the first record comes back. Does the loop over the bytes end too
        early?
white space at both ends: put ' a\n' ' x\n'; AROUND; get ' a\n'
    ? Something strips the data.
a character of two bytes: put é x; AROUND; get é
    ? How is `é` encoded, and do your lengths count characters, or bytes?
characters of three and four bytes: put € 😀; AROUND; get €
    ? Do your lengths count characters, or bytes?
delimiters in a value: put a '=;'; AROUND; get a
    ? MARK
a zero byte in a value: put a 'x\0y'; AROUND; get a
    ? MARK
line ends in a value: put a 'x\ny\r\nz'; AROUND; get a
    ? MARK
commas, tabs and quotes in a value: put a 'x,y\tz"'; AROUND; get a
    ? MARK
digits: put 1 23; AROUND; get 1
    ? If lengths are written in digits, where does a length end?
bytes: put b'1' b'x'; AROUND; get b'1'
    ? TYPES
a text and bytes that look alike: put 1 x; put b'1' b'y'; AROUND; get 1; get b'1'
    ? TYPES
    [b'y', b'y'] -> SAME_KEY
    ['y', 'y'] -> SAME_KEY
bytes that aren't text: put a b'\xff\0'; AROUND; get a
    ? TYPES
every delimiter you might think of: put 'a|b:c\0' '\0v1|v2:1;\n\\,\t'; AROUND; get 'a|b:c\0'
    ? MARK
an empty key: put '' 1; AROUND; get ''
    ? Is `if key` true for an empty text?
empty bytes: put b'' b''; AROUND; get b''
"""


def about_memory(adapt: Adapt, *, deletes: bool = True) -> Iterator[Case]:
    """Yield cases about the store in memory, before anything is saved."""
    return cases_of(MEMORY + DELETING * deletes, lambda operations, _: adapt(operations))


def about_saving(adapt: Adapt) -> Iterator[Case]:
    """Yield cases about serialize and deserialize, with paths and deletions."""
    return cases_of(SAVING, lambda operations, _: adapt(operations))


def about_data(adapt: Adapt, around: str) -> Iterator[Case]:
    """Yield cases about keys and values that a format may lose; `around` saves and loads."""
    yield from cases_of(DATA.replace("AROUND", around), lambda operations, _: adapt(operations))
    operations = [put("a", "x" * 300), *operations_of(around), get()]
    yield Case(adapt(operations), "a value of 300 bytes", "How far can your length count?")


# -------------------------------------------------------------------------------------- keepsakes

# Built at run time, so it is never the same object as a literal in a learner's code.
KEEPSAKE: Final = "".join(["two ", "words"])


def keeps_objects(
    says: str, *calls: tuple[Any, ...]
) -> Callable[[tuple[Function, ...]], Finding | int]:
    """Return an attack: it looks whether a value comes back as the very object that was put.

    Decoding would make a new one.

    Args:
        says: the feedback if it does.
        calls: the arguments for each call; they put KEEPSAKE and get it again.
    """

    def attack(functions: tuple[Function, ...]) -> Finding | int:
        for arguments in calls:
            results = run(functions[0], arguments).value
            if type(results) is list and any(one is KEEPSAKE for one in results):
                name = functions[0].__name__
                asked = f"{name}({', '.join(written(one) for one in arguments)})"
                return Finding(asked, f"{[KEEPSAKE]}, the same object", says)
        return len(calls)

    return attack
