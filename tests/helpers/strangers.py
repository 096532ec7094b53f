"""Values and functions as a hostile learner could hand them over, made anew each time.

`VALUES` are values of every sort; `FUNCTIONS` give them, raise, or do worse.
"""

import functools
import itertools
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from kvlib.lessons.sandbox import Stopped, Watch

SPECIAL = """
add bool call contains copy deepcopy dir eq format getattr getitem hash index
int iter len lt ne reduce_ex repr str
"""
METHODS = [f"__{name}__" for name in SPECIAL.split()]


def raising(*_: Any, **__: Any) -> Any:
    """Raise, whatever is asked."""
    raise RuntimeError("hostile")


def endlessly(*_: Any, **__: Any) -> Any:
    """Never come back, whatever is asked."""
    while True:
        try:
            _ = _[:0]
        except BaseException:
            continue


def derived(base: type, *arguments: Any) -> Any:
    """Make an object of a builtin type whose methods are all replaced."""
    methods = {name: raising for name in METHODS if name not in ("__call__", "__reduce_ex__")}
    return type(f"My{base.__name__}", (base,), methods)(*arguments)


class ArrayLike:
    """Compares like an array: to something that is neither true nor false."""

    def __eq__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")

    __hash__ = object.__hash__


class Liar:
    """Says that it is a dict."""

    __class__ = dict  # type: ignore[assignment]


class Secretive:
    """Doesn't say what it is."""

    @property
    def __class__(self) -> Any:
        raise RuntimeError

    @__class__.setter
    def __class__(self, other: Any) -> None:
        raise RuntimeError


class Meta(type):
    """A class of classes that answer nothing."""

    __call__ = type.__call__
    __hash__ = raising
    __eq__ = __repr__ = __instancecheck__ = __subclasscheck__ = __getattribute__ = raising


def metaed() -> Any:
    """Make such a class; pytest would ask one that is in a module whether it has examples."""
    return Meta("Metaed", (), {})


class UntellableError(BaseException):
    """Has no words."""

    __str__ = __repr__ = raising


class EndlessError(Exception):
    """Has words without end."""

    __str__ = endlessly


def nested(levels: int = 100_000) -> list[Any]:
    """Make lists in lists."""
    made: list[Any] = []
    for _ in range(levels):
        made = [made]
    return made


def in_itself() -> list[Any]:
    """Make a list that holds itself, ten times."""
    made: list[Any] = []
    made += [made] * 10
    return made


def shared() -> list[Any]:
    """Make lists that hold another one ten times each."""
    made: list[Any] = []
    for _ in range(30):
        made = [made] * 10
    return made


def dict_in_itself() -> dict[str, Any]:
    """Make a dict that holds itself."""
    made: dict[str, Any] = {}
    made["a"] = made
    return made


def nested_dicts() -> dict[str, Any]:
    """Make dicts in dicts."""
    made: dict[str, Any] = {}
    for _ in range(1_000):
        made = {"a": made}
    return made


def generator() -> Iterator[int]:
    """Have no end."""
    yield from itertools.count()


async def coroutine() -> None:
    """Be awaited by nobody."""


def closed_coroutine() -> Any:
    """Make a coroutine that doesn't complain of that, since it has come to its end."""
    made = coroutine()
    made.close()
    return made


VALUES: dict[str, Callable[[], Any]] = {
    "raises": lambda: type("Bad", (), dict.fromkeys(METHODS, raising))(),
    "endless": lambda: type("Slow", (), dict.fromkeys(METHODS, endlessly))(),
    "array": ArrayLike,
    "liar": Liar,
    "secretive": Secretive,
    "of a metaclass": lambda: type.__call__(metaed()),
    "metaclass": metaed,
    "str": lambda: derived(str, "a"),
    "int": lambda: derived(int, 14),
    "float": lambda: derived(float, 14.0),
    "bytes": lambda: derived(bytes, b"a"),
    "dict": lambda: derived(dict, {"a": 1}),
    "list": lambda: derived(list, [1]),
    "tuple": lambda: derived(tuple, (1,)),
    "set": lambda: derived(set, {1}),
    "in a list": lambda: [ArrayLike(), Liar(), EndlessError()],
    "in a dict": lambda: {"a": ArrayLike(), b"b": derived(str, "a")},
    "as a key": lambda: {ArrayLike(): 1, (ArrayLike(),): 2},
    "as an item of a set": lambda: {ArrayLike(), 1},
    "nested": nested,
    "in itself": in_itself,
    "shared": shared,
    "dict in itself": dict_in_itself,
    "nested dicts": nested_dicts,
    "long int": lambda: 10**10_000,
    "long ints": lambda: [10**10_000] * 6,
    "many bytes": lambda: bytes(3_000_000),
    "bytes that make sense": lambda: b"s\0\0\0\0" * 20_000,
    "long text": lambda: "x" * 3_000_000,
    "many items": lambda: list(range(1_100_000)),
    "long order": lambda: [1] * 300_000,
    "large dict": lambda: {n: n for n in range(20_000)},
    "large items": lambda: [bytes(10_000)] * 1_000,
    "large texts": lambda: {"x" * 100_000: "y" * 100_000},
    "many texts": lambda: {f"{n}": "x" * 9 for n in range(5_000)},
    "bytearray": lambda: bytearray(1_000_000),
    "memoryview": lambda: memoryview(bytes(1_000_000)),
    "range": lambda: range(10**12),
    "defaultdict": lambda: defaultdict(list, a=[1]),
    "OrderedDict": lambda: OrderedDict(a="1"),
    "generator": generator,
    "count": itertools.count,
    "coroutine": closed_coroutine,
    "coroutine function": lambda: coroutine,
    "NaN": lambda: float("nan"),
    "surrogate": lambda: "\ud800",
    "surrogates": lambda: {"\ud800": "\udfff"},
    "class": lambda: int,
    "odd class": lambda: type("a\nb" * 999, (), {}),
    "exception": lambda: ValueError("x"),
    "exception class": lambda: ValueError,
    "untellable": UntellableError,
    "pairs": lambda: [("a", "=")],
    "partial": lambda: functools.partial(int),
    "module": lambda: sys,
    "None": lambda: None,
    "NotImplemented": lambda: NotImplemented,
    "True": lambda: True,
    "negative": lambda: -1,
    "frozenset": frozenset,
    "records in records": lambda: {"a": {"b": b"c"}},
    "complex": lambda: 1j,
}


def giving(make: Callable[[], Any]) -> Callable[..., Any]:
    """Make an answer that gives such a value."""
    return lambda *_: make()


def failing(error: type[BaseException]) -> Callable[..., Any]:
    """Make an answer that raises such an error."""

    def fail(*_: Any) -> Any:
        raise error

    return fail


def key_error(*_: Any) -> Any:
    """Raise an error whose words are those of something without any."""
    raise KeyError(UntellableError())


def spoiling(*given: Any) -> Any:
    """Put strangers, and itself, into what is given."""
    for one in given:
        if type(one) is dict:
            one[ArrayLike()] = one
        if type(one) is list:
            one += [ArrayLike(), one]
    return 1


ERRORS: tuple[type[BaseException], ...] = (
    UntellableError,
    EndlessError,
    SystemExit,
    KeyboardInterrupt,
    GeneratorExit,
    StopIteration,
    MemoryError,
    BaseException,
)
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f"gives {name}": giving(make) for name, make in VALUES.items()},
    **{f"raises {error.__name__}": failing(error) for error in ERRORS},
    "key error": key_error,
    "spoiling": spoiling,
}


def stopping(watch: Watch, step: Callable[..., Any], *arguments: Any) -> bool:
    """Take a step, with whoever traces back afterwards; say whether it raised the stop."""
    before, frame = sys.gettrace(), sys._getframe(1)
    try:
        step(*arguments)
        return False
    except (Stopped, KeyboardInterrupt):
        return True
    finally:
        watch.over, frame.f_trace = True, None
        sys.settrace(before)
