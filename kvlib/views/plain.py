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

from kvlib.plural import count

MOST: Final = 250_000  # items of a value, those of the values in it included
DEEPEST: Final = 40  # levels of lists in lists
READ: Final = 10_000  # items that are read of an iterator
SHOWN: Final = 200  # characters of a value
NAME: Final = 60  # characters of a type's name
WRITTEN: Final = 10_000  # characters that are written of a value before it is cut
BITS: Final = 1_000  # of a number that is written in digits

LEAVES: Final = (bytes, str, int, float, bool, complex, NoneType, EllipsisType)
ENDS: Final[dict[type, tuple[str, str]]] = {
    dict: ("{", "}"),
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}

# How Python's own types are read, without a method that a subclass may have replaced: the items of
# those that have some, and the value of the others.
ITEMS: Final[tuple[tuple[type, Callable[[Any], Iterable[Any]]], ...]] = (
    (dict, dict.items),
    (list, list.__iter__),
    (tuple, tuple.__iter__),
    (set, set.__iter__),
    (frozenset, frozenset.__iter__),
)
VALUES: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (str, lambda value: str.__getitem__(value, slice(WRITTEN))),
    (bytes, lambda value: bytes.__getitem__(value, slice(WRITTEN))),
    (bytearray, lambda value: bytes(bytearray.__getitem__(value, slice(WRITTEN)))),
    (int, int.__int__),
    (float, float.__pos__),
)
# A metaclass may say how classes are compared and hashed; what `id` gives can't be changed.
LEAF_IDS: Final = frozenset(map(id, LEAVES))
ROOM_IDS: Final = frozenset(map(id, ENDS))


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
    return _copied(value)[0]


def _copied(value: object, most: int = MOST) -> tuple[Any, int]:
    """Return the copy, and how many objects in it are no plain data."""
    copier = _Copier(most)
    try:
        return copier.copy(value), copier.strangers
    except _VastError:
        kind = kind_of(value)
        return Foreign(type(value), kind, f"<{kind} of more than {most:,} items>", vast=True), 0


class _Copier:
    def __init__(self, most: int) -> None:
        self.left = most
        self.strangers = 0
        self.path: set[int] = set()  # of what is being copied: it may be in itself

    def copy(self, value: Any, depth: int = 0) -> Any:
        kind = type(value)
        if id(kind) in LEAF_IDS or kind is Foreign:
            return value
        self.left -= 1
        if id(kind) in ROOM_IDS and depth <= DEEPEST and id(value) not in self.path:
            return self.filled(kind, value, depth)
        return self.foreign(value, depth)

    def filled(self, kind: type, value: Any, depth: int) -> Any:
        """Copy the items, taken at once: another thread may go on changing them."""
        self.left -= kind.__len__(value)  # type: ignore[attr-defined]  # dict's, list's and so on
        if self.left < 0:
            raise _VastError
        items = list(next(read for base, read in ITEMS if base is kind)(value))
        self.path.add(id(value))
        if kind is dict:
            items = [(self.copy(key, depth + 1), self.copy(one, depth + 1)) for key, one in items]
        elif not LEAF_IDS.issuperset(map(id, map(type, items))):
            items = [self.copy(item, depth + 1) for item in items]
        self.path.remove(id(value))
        return kind(items)

    def foreign(self, value: Any, depth: int) -> Foreign:
        self.strangers += 1
        kind, cls = kind_of(value), type(value)
        if isinstance_of(value, type):
            return Foreign(value, kind, f"<class {name_of(value)!r}>")
        if depth > DEEPEST or id(value) in self.path:
            return Foreign(cls, kind, f"<{kind}>")
        for base, _ in ITEMS:
            if isinstance_of(value, base):
                inside = self.filled(base, value, depth)
                return Foreign(cls, kind, f"{kind}({written(inside)})")
        for base, read in VALUES:
            if isinstance_of(value, base):
                measure = getattr(base, "__len__", lambda _: 0)
                return Foreign(cls, kind, f"{kind}({written(read(value), size=measure(value))})")
        return Foreign(cls, kind, f"<{kind} object>")


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
    """Return a dict for a mapping, and a list for a list, a tuple or an iterator; else the same.

    It is plain data but for the objects of a learner's own. ValueError if there are more than
    `READ` items.
    """
    if isinstance(given, Mapping):
        given = dict(first(given.items()))
    elif isinstance(given, (list, tuple, Iterator)):
        given = first(given)
    data, strangers = _copied(given, READ)
    return given if strangers else data


def first(items: Iterable[Any], most: int = READ) -> list[Any]:
    """Return the items, which may have no end; ValueError if there are more than `most`."""
    found = list(islice(items, most + 1))
    if len(found) > most:
        raise ValueError(f"more than {most:,} items")
    return found


def told(value: object, limit: int = SHOWN) -> str:
    """Return any object in bounded text: by its own `repr` if it is no plain data.

    For where a learner asks to see it, and can interrupt that.
    """
    data, strangers = _copied(value, READ)
    if not strangers:
        return written(data, limit)
    text = str.__getitem__(repr(value), slice(limit + 1))
    return text if len(text) <= limit else f"{text[:limit]}…"


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
    elif kind in ENDS and (value or kind in (dict, list, tuple)):
        before, after = ENDS[kind]
        yield before
        for number, one in enumerate(value.items() if kind is dict else value):
            yield ", " if number else ""
            yield from _entry(*one) if kind is dict else _pieces(one)
        yield f",{after}" if kind is tuple and len(value) == 1 else after
    else:
        yield repr(value)


def _entry(key: Any, value: Any) -> Iterator[str]:
    yield from _pieces(key)
    yield ": "
    yield from _pieces(value)


def _size(value: Any, text: str, size: int) -> str:
    """Return how long a value is, in its own units if it has any."""
    if type(value) in (str, bytes):
        return count(max(size, len(value)), "byte" if type(value) is bytes else "character")
    if len(text) > WRITTEN:
        return count(len(value), "item")
    return f"{count(len(text), 'character')} as Python writes it"
