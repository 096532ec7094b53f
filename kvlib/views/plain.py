"""Turn the results of a learner's code into plain data, and plain data into bounded text.

An object of a learner's class can do anything when it is compared, printed or asked for its length:
raise, lie, or never return. So it is inspected once, here, by Python's own knowledge of it. The
result of `plain` contains only Python's own types and a bounded number of items; everything that
compares, shows or draws a learner's objects works with that.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import EllipsisType, NoneType
from typing import Any, Final

from kvlib.plural import count

MOST: Final = 250_000  # items of a value, nested ones included
DEEPEST: Final = 40  # levels of nested lists
READ: Final = 10_000  # items read from an iterator
SHOWN: Final = 200  # characters of a value
NAME: Final = 60  # characters of a type's name
WRITTEN: Final = 10_000  # characters of a value before it is cut
BITS: Final = 1_000  # bits of a number written in digits

LEAVES: Final = (bytes, str, int, float, bool, complex, NoneType, EllipsisType)
ENDS: Final[dict[type, tuple[str, str]]] = {
    dict: ("{", "}"),
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}

# How to read Python's own types without calling a method that a subclass may have replaced: the
# items of containers, and the value of other types.
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
# A metaclass may change how classes are compared and hashed, but not their `id`.
LEAF_IDS: Final = frozenset(map(id, LEAVES))
ROOM_IDS: Final = frozenset(map(id, ENDS))


@dataclass(frozen=True, eq=False)
class Foreign:
    """Represents an object that isn't plain data: a generator, an exception, a learner's own.

    Attributes:
        cls: its type; for a class, the class itself.
        kind: the name of its type.
        text: its text; for a raised exception, its message.
        vast: whether it is plain data with more than `MOST` items.
    """

    cls: type
    kind: str
    text: str
    vast: bool = False

    def is_a(self, *classes: type) -> bool:
        """Return whether it has one of these types, according to Python itself."""
        return issubclass(self.cls, classes)

    def __repr__(self) -> str:
        return self.text


class _VastError(Exception):
    """Ends a copy with too many items."""


def plain(value: object) -> Any:
    """Return a copy with only Python's own types, and a Foreign for every other object.

    A value with more than `MOST` items becomes a Foreign as a whole.
    """
    return _copied(value)[0]


def _copied(value: object, most: int = MOST) -> tuple[Any, int]:
    """Return the copy, and the number of objects in it that aren't plain data."""
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
        self.path: set[int] = set()  # of the objects being copied, which may contain themselves

    def copy(self, value: Any, depth: int = 0) -> Any:
        kind = type(value)
        if id(kind) in LEAF_IDS or kind is Foreign:
            return value
        self.left -= 1
        if id(kind) in ROOM_IDS and depth <= DEEPEST and id(value) not in self.path:
            return self.filled(kind, value, depth)
        return self.foreign(value, depth)

    def filled(self, kind: type, value: Any, depth: int) -> Any:
        """Copy the items, taken in one step because another thread may be changing them."""
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
    """Return whether the value's type is `kind` or derived from it.

    `isinstance` would also believe the value's `__class__`.
    """
    return any(one is kind for one in type.__dict__["__mro__"].__get__(type(value)))


def kind_of(value: object) -> str:
    """Return the name of the value's type."""
    return name_of(type(value))


def name_of(cls: type) -> str:
    """Return a class's name in at most 60 printable characters, whatever its metaclass says."""
    name = str.__getitem__(type.__dict__["__name__"].__get__(cls), slice(NAME))
    return name if name.isprintable() else repr(name)[1:-1]


def collected(value: object) -> Any:
    """Return a dict for a mapping, a list for a list, tuple or iterator, else the value itself.

    The items may be a learner's own objects. Raises ValueError for more than `READ` items.
    """
    if isinstance(value, Mapping):
        value = dict(first(value.items()))
    elif isinstance(value, (list, tuple, Iterator)):
        value = first(value)
    data, strangers = _copied(value, READ)
    return value if strangers else data


def first(items: Iterable[Any], most: int = READ) -> list[Any]:
    """Return the items of an iterable. Raises ValueError if there are more than `most`."""
    found = list(islice(items, most + 1))
    if len(found) > most:
        raise ValueError(f"more than {most:,} items")
    return found


def told(value: object, limit: int = SHOWN) -> str:
    """Return any object as bounded text, by its own `repr` if it isn't plain data.

    Use it where a learner has asked to see the object, and can interrupt it.
    """
    data, strangers = _copied(value, READ)
    if not strangers:
        return written(data, limit)
    text = str.__getitem__(repr(value), slice(limit + 1))
    return text if len(text) <= limit else f"{text[:limit]}…"


def same(mine: Any, other: Any) -> bool:
    """Return whether two plain values are equal and have equal types throughout.

    True is not 1. Objects that aren't plain data count as equal if they are of the same kind.
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
    return bool(mine == other or (mine != mine and other != other))  # NaN equals NaN here


def _by_type(items: dict[Any, Any]) -> dict[tuple[type, Any], Any]:
    return {(type(key), key): value for key, value in items.items()}


# -------------------------------------------------------------------------------------------- text


def written(value: Any, limit: int = SHOWN, size: int = 0) -> str:
    """Return plain data as it would be written, cut if it is long.

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
        yield f"<int of {value.bit_length():,} bits>"  # Python refuses to write very long ones
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
    """Return the size of a value in its own units, or ""."""
    if type(value) in (str, bytes):
        return count(max(size, len(value)), "byte" if type(value) is bytes else "character")
    if len(text) > WRITTEN:
        return count(len(value), "item")
    return f"{count(len(text), 'character')} as Python writes it"
