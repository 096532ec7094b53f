"""Turning what anybody's code gave into plain data, and plain data into bounded text.

An object of a learner's class can do anything when it is compared, printed or asked for its length:
raise, lie, or never come back. So it is looked at once, here, by what Python itself knows of it.
What `plain` gives has no code but Python's own, and has a bounded number of items; everything that
compares, shows or draws what a learner made works with that.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import EllipsisType, NoneType
from typing import Any, Final

from kvlib.wording import count

MOST: Final = 1_000_000  # items of a value, those of the values in it included
DEEPEST: Final = 40  # levels of lists in lists
READ: Final = 10_000  # items that are read of an iterator
SHOWN: Final = 200  # characters of a value
NAME: Final = 60  # characters of a type's name
WRITTEN: Final = 10_000  # characters that are written of a value before it is cut
BITS: Final = 1_000  # of a number that is written in digits

LEAVES: Final = frozenset({bytes, str, int, float, bool, complex, NoneType, EllipsisType})
ROOMS: Final = (dict, list, tuple, set, frozenset)
ENDS: Final[dict[type, tuple[str, str]]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}

# How Python's own types are read, without a method that a subclass may have replaced.
READERS: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (dict, dict.copy),
    (list, lambda value: list.__getitem__(value, slice(None))),
    (tuple, lambda value: tuple.__getitem__(value, slice(None))),
    (set, lambda value: set(set.__iter__(value))),
    (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
    (str, lambda value: str.__getitem__(value, slice(WRITTEN))),
    (bytes, lambda value: bytes.__getitem__(value, slice(WRITTEN))),
    (bytearray, lambda value: bytes(bytearray.__getitem__(value, slice(WRITTEN)))),
    (int, int.__int__),
    (float, float.__pos__),
)


@dataclass(frozen=True, eq=False)
class Foreign:
    """Stands for an object that is no plain data: a generator, an exception, a learner's own.

    Attributes:
        cls: its type; of a class, the class itself.
        kind: the name of its type.
        text: what is shown of it; of an exception that was raised, its message.
        vast: whether it is plain data of more than `MOST` items.
    """

    cls: type
    kind: str
    text: str
    vast: bool = False

    def is_a(self, *classes: type) -> bool:
        """Whether it is of one of these types, as Python sees it."""
        return issubclass(self.cls, classes)

    def __repr__(self) -> str:
        return self.text


class _VastError(Exception):
    """Ends a copy that has too many items."""


def plain(value: object) -> Any:
    """Return a copy of Python's own types only, with a Foreign for each object of another.

    A value of more than `MOST` items is a Foreign as a whole.
    """
    try:
        return _Copier().copy(value, 0)
    except _VastError:
        kind = kind_of(value)
        return Foreign(type(value), kind, f"<{kind} of more than {MOST:,} items>", vast=True)


class _Copier:
    def __init__(self) -> None:
        self.left = MOST

    def copy(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in LEAVES or kind is Foreign:
            return value
        if kind not in ROOMS or depth > DEEPEST:
            return self.foreign(value, depth)
        return self.fill(kind, self.items(value), depth)

    def items(self, value: Any) -> list[Any]:
        """Take the items at once: another thread may go on changing them."""
        self.left -= len(value)
        if self.left < 0:
            raise _VastError
        return list(value.items() if type(value) is dict else value)

    def fill(self, kind: type, items: list[Any], depth: int) -> Any:
        if not LEAVES.issuperset(map(type, items)):
            items = [self.copy(item, depth + (kind is not dict)) for item in items]
        return kind(items)

    def foreign(self, value: Any, depth: int) -> Foreign:
        kind = kind_of(value)
        if isinstance_of(value, type):
            return Foreign(value, kind, f"<class {name_of(value)!r}>")
        for base, read in READERS:
            if isinstance_of(value, base) and depth <= DEEPEST:
                inside = self.copy(read(value), depth + 1)
                size = base.__len__(value) if type(inside) in (str, bytes) else 0  # type: ignore[attr-defined]
                return Foreign(type(value), kind, f"{kind}({written(inside, size=size)})")
        return Foreign(type(value), kind, f"<{kind} object>")


def isinstance_of(value: object, kind: type) -> bool:
    """Return whether the value's type is `kind` or is derived from it.

    `isinstance` would also believe the value's own `__class__`.
    """
    return any(one is kind for one in type.__dict__["__mro__"].__get__(type(value)))


def kind_of(value: object) -> str:
    """Return the name of the value's type."""
    return name_of(type(value))


def name_of(cls: type) -> str:
    """Return the class's name, whatever its metaclass says, in at most 60 printable characters."""
    name = str.__getitem__(type.__dict__["__name__"].__get__(cls), slice(NAME))
    return name if name.isprintable() else repr(name)[1:-1]


def collected(given: object) -> Any:
    """Return plain data, with the items of a mapping or an iterator in place of itself.

    ValueError if an iterator gives more than `READ` items.
    """
    items: Iterable[Any] = ()
    if isinstance(given, (Mapping, Iterator)):
        items = given.items() if isinstance(given, Mapping) else given
        found = list(islice(items, READ + 1))
        if len(found) > READ:
            raise ValueError(f"more than {READ:,} items")
        given = dict(found) if isinstance(given, Mapping) else found
    return plain(given)


def same(mine: Any, other: Any) -> bool:
    """Return whether two plain values are equal, and of equal types all the way down.

    True is not 1. Objects that are no plain data are taken for the same if they are of one kind.
    """
    if type(mine) is not type(other):
        return False
    if type(mine) is Foreign:
        return bool(mine.kind == other.kind)
    if type(mine) is dict:
        first, second = _by_type(mine), _by_type(other)
        return first.keys() == second.keys() and all(
            same(value, second[key]) for key, value in first.items()
        )
    if type(mine) in (list, tuple):
        return len(mine) == len(other) and all(map(same, mine, other))
    return bool(mine == other or (mine != mine and other != other))  # a NaN is no other number


def _by_type(items: dict[Any, Any]) -> dict[tuple[type, Any], Any]:
    return {(type(key), key): value for key, value in items.items()}


# -------------------------------------------------------------------------------------------- text


def written(value: Any, limit: int = SHOWN, size: int = 0) -> str:
    """Return plain data as one would write it, cut where it gets long.

    `size` is the length of the whole text or bytes, if `value` is only the beginning.
    """
    text, whole = "", True
    for piece in _pieces(value):
        text += piece
        if len(text) > WRITTEN:
            whole = False
            break
    if len(text) <= limit:
        return text
    end = f" {text[-20:]}" if whole else ""
    return f"{text[: limit - 40]} …{end} ({_size(value, text, size)})"


def _pieces(value: Any) -> Iterator[str]:
    kind = type(value)
    if kind in (str, bytes):
        yield repr(value[: WRITTEN + 1])
    elif kind is int and value.bit_length() > BITS:
        yield f"<int of {value.bit_length():,} bits>"  # Python refuses to write the longest
    elif kind is dict:
        yield "{"
        for number, (key, one) in enumerate(value.items()):
            yield ", " if number else ""
            yield from _pieces(key)
            yield ": "
            yield from _pieces(one)
        yield "}"
    elif kind in ROOMS and (value or kind in (list, tuple)):
        before, after = ENDS[kind]
        yield before
        for number, one in enumerate(value):
            yield ", " if number else ""
            yield from _pieces(one)
        yield f",{after}" if kind is tuple and len(value) == 1 else after
    else:
        yield repr(value)


def _size(value: Any, text: str, size: int) -> str:
    """Return how long a value is, in its own units if it has any."""
    if type(value) in (str, bytes):
        return count(max(size, len(value)), "byte" if type(value) is bytes else "character")
    if len(text) > WRITTEN:
        return count(len(value), "item")
    return f"{count(len(text), 'character')} as Python writes it"
