"""Records as chips: the key and the value side by side, each in its colour."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

from kvlib.encoding import Item
from kvlib.layout.text import fit
from kvlib.views import svg

Records = Mapping[Item, Item]
Style = Literal["solid", "gone", "lost"]

HEIGHT: Final = 24
PAD: Final = 5
FLAG: Final = 20  # the hatched end of a lost record
QUOTES: Final = ("'", '"', "b'", 'b"')  # the beginnings of what Python would write


class Chip(NamedTuple):
    """The shapes of a chip whose upper left corner is (0, 0), and its width."""

    shapes: tuple[str, ...]
    width: float


def shown(item: Item) -> str:
    r"""Return a key or value in words: text as it is, anything else as Python writes it.

    >>> shown("café"), shown(""), shown(b"tea"), shown("'tea'")
    ('café', "''", "b'tea'", '"\'tea\'"')
    """
    if not isinstance(item, str) or not item.isprintable() or item.strip() != item or not item:
        return repr(item)
    return repr(item) if item.startswith(QUOTES) else item


def shorten(words: str, room: float, size: float = 17) -> str:
    """Return words, cut to a room in units."""
    return fit(words, max(1, int(room / (0.6 * size))))


def tile(words: str, token: str, room: float, x: float = 0) -> str:
    """Return a text in a box that begins at (x, 0), at most as wide as `room`.

    `token` is the colour of the box.
    """
    words = shorten(words, room - 2 * PAD)
    ground = svg.box(x, 0, svg.measure(words) + 2 * PAD, HEIGHT, token)
    return ground + svg.text(x + PAD, 17.5, words, token + "-on")


def chip(key: Item, value: Item, room: float, style: Style = "solid") -> Chip:
    """Return a record as a chip, at most as wide as `room`.

    Args:
        key: the record's key.
        value: its value.
        room: the greatest width; longer texts are shortened, each to at least half of it.
        style: "gone" is dashed; "lost" is hatched too.
    """
    flag = FLAG if style == "lost" else 0
    room -= flag
    wish = svg.measure(shown(value)) + 2 * PAD
    first = shorten(shown(key), max(room / 2, room - wish) - 2 * PAD)
    left = svg.measure(first) + 2 * PAD
    second = shorten(shown(value), room - left - 2 * PAD)
    width = left + svg.measure(second) + 2 * PAD
    if style == "solid":
        ground = svg.box(0, 0, width, HEIGHT, "value") + svg.box(0, 0, left, HEIGHT, "key")
        inks = ("key-on", "value-on")
    else:
        ground = svg.box(0, 0, width, HEIGHT, "card", "mark", dashed=True)
        ground += svg.line(left, 0, left, HEIGHT, "mark", dashed=True)
        inks = ("ink2", "ink2")
    words = svg.text(PAD, 17.5, first, inks[0]) + svg.text(left + PAD, 17.5, second, inks[1])
    shapes: tuple[str, ...] = (ground + words,)
    if flag:  # next to the words, which must be easy to read
        hatched = svg.box(0, 0, flag, HEIGHT, "wrong-p", "wrong") + svg.hatch(0, 0, flag, HEIGHT)
        shapes = (hatched, *svg.shift(flag, 0, shapes))
    return Chip(shapes, flag + width)


def compared(before: Records, now: Records) -> Iterator[tuple[str, Item, Item]]:
    """Yield a sign, the key and the value of each record: `+` new, `~` changed, `-` gone."""
    for key, value in now.items():
        yield "+" if key not in before else " " if before[key] == value else "~", key, value
    for key, value in before.items():
        if key not in now:
            yield "-", key, value
