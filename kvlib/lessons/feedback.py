"""Say what is wrong with an answer, from the evidence: kind, specific, and never the answer itself.

Nothing here guesses. An error is explained by the line that raised it, and a wrong result by how it
differs from the right one. Where that doesn't tell the cause, the words say what is known and no
more.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from types import CoroutineType, GeneratorType
from typing import Any, Final

from kvlib.lessons.sandbox import LINES, SECONDS, Outcome, run
from kvlib.plural import count
from kvlib.views.plain import Foreign, isinstance_of, kind_of, name_of, same, written

STATE: Final = (
    "The same call gives another result the second time, so something survives from one call to "
    "the next: a global variable, or a default argument such as `out=[]`."
)
CHANGED: Final = (
    "It changes what it was given, and that belongs to the caller. Which line adds to the argument "
    "or removes from it? Work on a copy."
)
PRINTED: Final = "It prints its result but returns nothing, so its caller gets None. Use `return`."
NOTHING: Final = "It returns None. Is there a `return` on every way through the function?"
NAMES: Final = {
    int: "a whole number",
    bytes: "bytes",
    str: "a text",
    dict: "a dict",
    list: "a list",
}
ASKED: Final = "It asks for input. A function gets its data from its arguments: leave out `input`."
VAST: Final = "The result is far too long. Which loop adds to it, and when does that loop end?"
RETURNED: Final = (
    "It returns an exception, so the caller gets it as if it were a result. To refuse something, "
    "`raise` it."
)


def stumbled(kind: str) -> str:
    """Return the feedback after a bug of ours."""
    return f"The check itself has failed ({kind}). This is a bug in kvlib, not your mistake."


# ---------------------------------------------------------------------------- what was handed over


def about_function(
    name: str, call: str, answer: Any, needed: tuple[Any, ...], own: Mapping[str, Any]
) -> str:
    """Return what is wrong with a function before it is called, or "".

    Args:
        name: the name that the task gives it.
        call: the call of `check`, as the task writes it.
        answer: what was handed over.
        needed: arguments that it must take.
        own: kvlib's own functions that would be the answer, by name.
    """
    library = next((key for key, one in own.items() if answer is one), "")
    if library:
        return about_library(f"kvlib.{library}")
    if answer is None:
        return f"This is None instead of `{name}`. Is it the function itself, as in {call}?"
    if isinstance_of(answer, type):
        return f"`{name_of(answer)}` is a class, but a function was asked for: {call}."
    if not callable(answer):
        kind = kind_of(answer)
        return (
            f"Hand over the function itself, not a result of it ({kind}): no parentheses, {call}."
        )
    if run(_fits, (answer, needed), of=answer, copy=False).value is False:
        return f"`{name}` is called with {count(len(needed), 'argument')}; yours can't take that."
    return ""


def _fits(answer: Any, needed: tuple[Any, ...]) -> bool:
    """Return whether it can be called so. Raises for a builtin without a signature."""
    signature = inspect.signature(answer)
    try:
        signature.bind(*needed)
    except TypeError:
        return False
    return True


def about_library(name: str) -> str:
    """Return the feedback for kvlib's own function."""
    return (
        f"`{name}` is the library's own version, the answer key. Read it if you like (`{name}??`), "
        "then write your own."
    )


# -------------------------------------------------------------------------------------- the outcome


def came(outcome: Outcome) -> str:
    """Return in words how a call ended that gave no result."""
    where = f", in your {outcome.line}" if outcome.line else ""
    if outcome.kind == "raised":
        return f"{outcome.value.kind}: {written(outcome.value.text)[1:-1]}{where}"
    if outcome.kind == "endless":
        return f"no end{where}"
    if outcome.kind == "asked":
        return f"it asks for input{where}"
    return f"a call of {outcome.value}{where}"


def about_end(outcome: Outcome) -> str:
    """Return the feedback for a call that had to be stopped, or ""."""
    if outcome.kind == "library":
        return about_library(outcome.value.strip("`"))
    if outcome.kind == "endless":
        return (
            f"It was stopped after {LINES:,} lines or {SECONDS:.0f} seconds. Look at its loop: "
            "what changes from one turn to the next, and does that ever reach the end?"
        )
    return ASKED if outcome.kind == "asked" else ""


# Each error: its type, what its message says, and below what usually causes it in that line.
ERRORS: Final = re.findall(
    r"^(\S+): (.*)\n((?:    .*\n)+)",
    r"""
TypeError: exceptions must derive
    `raise` needs an exception: `raise ValueError(...)`.
TypeError: not JSON serializable|keys must be str
    JSON stores text and numbers, but here it gets bytes. What could mark each piece as text or
    bytes?
TypeError: str.*bytes|bytes.*str
    Text meets bytes in this line, and they don't mix. Which of the two has to be encoded or
    decoded first?
TypeError: can't concat int|int instance found|an? (bytes|str)[^ ]* object is required, not 'int'
    A number meets bytes in this line. A single byte taken out of bytes, as in `data[0]`, is a
    number; a slice, as in `data[0:1]`, is bytes.
AttributeError: 'bytes' object has no attribute 'encode'|encoding without a string argument
    This value is bytes already, and only text can be encoded. Values may be either: how do you
    tell them apart?
AttributeError: 'str' object has no attribute 'decode'
    This value is text already, and only bytes can be decoded. Where did it change?
TypeError|AttributeError: NoneType
    Something here is None. Which call gave it: a function without `return`, or a lookup that
    found nothing?
error: argument for 's' must be
    In struct, `s` stands for bytes, with their number before it: `1s` is one byte.
error: requires a buffer|not enough data
    struct reads exactly as many bytes as its format says, and here there are fewer or more. How
    many are left at that offset?
error: format requires|too large|out of range
    The number doesn't fit the format's width.
OverflowError|ValueError: too big to convert|range\(0, 256\)|byte must be in range
    The number doesn't fit into so few bytes: one byte goes up to 255, two up to 65,535. How
    many does the format give it?
OverflowError|ValueError: negative
    A number has become negative here. How?
UnicodeEncodeError: ascii|latin|charmap
    This encoding doesn't know the character. UTF-8 knows them all.
UnicodeDecodeError: .*
    These bytes aren't valid UTF-8: they aren't text, or a character is cut in half. Which bytes
    do you decode here, and does the tag say that they are text?
UnboundLocalError: .*
    A name is used before this call has given it a value. A function that assigns to a name
    anywhere has its own; to assign to the outer one takes `nonlocal`.
NameError: .*
    No line has set this name yet. Is it misspelled, or set too late?
ValueError: values to unpack
    There are more or fewer items than names here. How many does each operation, or each call,
    give?
KeyError: .*
    This key isn't in the dict. Is that an error here, or what `get` and `pop` with a default
    are for?
IndexError: .*
    There is no item at that index. How many are there in this case?
RuntimeError: changed size during iteration
    The loop goes through a dict while its body changes it. Loop over a copy.
TypeError: not subscriptable|not iterable|not callable|has no len
    The value in this line is of another type than the line needs. Print it just before.
TypeError: positional argument|unexpected keyword
    A function is called with other arguments than it takes. Compare the call with its `def`.
TypeError: unhashable
    A list or a dict can't be a key, because it can change.
AttributeError: no attribute
    The value has no such attribute. What type is it here?
ValueError: invalid literal for int
    `int` reads digits, and these bytes aren't. `int.from_bytes` reads a number from bytes.
RecursionError: .*
    It calls itself without end. In which case should it stop?
SystemExit: .*
    This would end the whole program, and your variables with it. To leave a function, `return`
    or `raise`.
KeyboardInterrupt: .*
    A KeyboardInterrupt means that Ctrl-C was pressed. Raise another exception.
MemoryError: .*
    It needs too much memory. Which number makes it so large?
CorruptionError: .*
    Nothing catches this error here. Which bytes did the call get, and should they be whole?
StopIteration: .*
    The iterator is used up: each of its items can be read only once.
""",
    re.M,
)


def is_own_refusal(outcome: Outcome) -> bool:
    """Return whether an exception comes from a `raise` or `assert` in the answer."""
    return re.match(r"line \d+: .*\b(raise|assert)\b", outcome.line) is not None


def about_error(outcome: Outcome) -> str:
    """Return what causes an error in its line."""
    error = outcome.value
    names = [cls.__name__ for cls in type.__dict__["__mro__"].__get__(error.cls)]
    for kinds, pattern, says in ERRORS:
        if set(kinds.split("|")) & set(names) and re.search(pattern, error.text):
            return " ".join(says.split())
    return "Read the error and its line: which value there is not what you expected?"


# ------------------------------------------------------------------------------------ wrong results


def about_type(value: Any, wanted: object, printed: str = "") -> str:
    """Return the feedback for a result of the wrong type."""
    needed = NAMES.get(type(wanted), f"a {kind_of(wanted)}")
    kind = value.kind if type(value) is Foreign else kind_of(value)
    if value is None:
        return PRINTED if printed else NOTHING
    if type(value) is Foreign and value.is_a(BaseException):
        return RETURNED
    if isinstance(wanted, bytes) and kind in ("bytearray", "memoryview"):
        return f"A {kind} is nearly right: `bytes(...)` around it makes it bytes."
    if isinstance(wanted, bytes) and type(value) is str:
        digits = len(value) > 1 and re.fullmatch("[0-9a-f]+", value)
        said = "It returns a text, but the format is made of bytes."
        return f"{said} Don't turn them into hex digits." if digits else f"{said} Where is it made?"
    if isinstance(wanted, bytes) and kind == "list":
        return (
            "It should be bytes, and is a list. A loop over bytes gives numbers; a slice is bytes."
        )
    if isinstance(wanted, list) and type(value) is bytes:
        return "It returns bytes, but a list of bytes is asked for. Don't join the pieces."
    if isinstance(wanted, list) and type(value) is tuple:
        return "It returns a tuple, but a list is asked for."
    if type(value) is Foreign and value.is_a(GeneratorType):
        return (
            f"It returns a generator, which has not run yet. Return {needed}: `list(...)` "
            "or no `yield`."
        )
    if type(value) is Foreign and value.is_a(CoroutineType):
        return "It returns a coroutine, which has not run yet: use a plain `def`."
    return f"It should be {needed}, but this is of type {kind}."


def differences(mine: Any, wanted: Any, what: str = "The result") -> Iterator[str]:
    """Yield how a value of the right type differs from the right one, the first difference only."""
    if type(mine) is dict and type(wanted) is dict:
        yield from _about_records(mine, wanted)
    elif type(mine) in (str, bytes, type(None)) and type(wanted) in (str, bytes, type(None)):
        yield from _about_item(mine, wanted, what)
    elif type(mine) is tuple and type(wanted) is tuple:
        if len(mine) == len(wanted) and sorted(map(repr, mine)) == sorted(map(repr, wanted)):
            yield "The parts are right, but in another order."
        else:
            yield f"{what} should be {written(wanted, 60)}."


def _about_records(mine: dict[Any, Any], wanted: dict[Any, Any]) -> Iterator[str]:
    swapped = {value: key for key, value in wanted.items()}
    if swapped != wanted and same(mine, swapped):
        yield "Keys and values have changed places."
        return
    for key in wanted:
        if not any(same(key, other) for other in mine):
            twin = next((one for one in mine if _content(one) == _content(key)), None)
            if twin is None:
                yield f"The record with the key {written(key, 60)} is missing."
            else:
                yield from _about_item(twin, key, f"The key {written(key, 60)}")
            return
    for key in mine:
        if not any(same(key, other) for other in wanted):
            yield f"There is a record too many: its key is {written(key, 60)}."
            return
    wrong = next(key for key, value in wanted.items() if not same(mine[key], value))
    yield from _about_item(mine[wrong], wanted[wrong], f"The value of {written(wrong, 60)}")


def _content(item: Any) -> Any:
    return item.encode(errors="surrogatepass") if type(item) is str else item


def _about_item(mine: Any, wanted: Any, what: str) -> Iterator[str]:
    if wanted is None:
        yield f"{what} should be None, because nothing is there."
    elif mine is None:
        yield f"{what} should not be None."
    elif type(mine) is not type(wanted):
        if type(mine) not in (str, bytes):
            yield f"{what} should be {NAMES[type(wanted)]}, not of type {kind_of(mine)}."
        elif type(wanted) is bytes and mine == repr(wanted):
            yield (
                f"{what} is a text that shows bytes, with a `b` and quotes. How do bytes "
                "stay bytes?"
            )
        elif type(wanted) is bytes:
            yield f"{what} was bytes and is text now. What in the saved bytes says which it was?"
        else:
            yield f"{what} was text and is bytes now. What in the saved bytes says which it was?"
    elif wanted.startswith(mine):
        lost = wanted[len(mine) :]
        yield f"{what} is cut short: {written(lost, 60)} is missing at its end."
    elif mine.endswith(wanted):
        more = mine[: len(mine) - len(wanted)]
        yield f"{what} begins too early: {written(more, 60)} doesn't belong to it."
    elif mine.startswith(wanted):
        yield f"{what} doesn't end where it should: {written(mine[len(wanted) :], 60)} is too much."
    elif wanted.endswith(mine):
        lost = wanted[: len(wanted) - len(mine)]
        yield f"{what} begins too late: {written(lost, 60)} is missing at its start."
    else:
        yield f"{what} should be {written(wanted, 60)}."
