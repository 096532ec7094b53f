"""Keys, values and records as chips: a rounded box with a word in it.

A solid chip is there for certain. A pale one with a dashed edge may be lost, or is only in memory.
"""

from typing import Final

from kvlib.encoding import Item
from kvlib.layout.text import fit
from kvlib.views import svg
from kvlib.views.cells import visible

SIZE: Final = 17  # of the words
PAD: Final = 14  # left and right of the words, together
COLUMN: Final = svg.measure("x", SIZE)


def label(item: Item, units: float) -> str:
    """Return a key or a value as text that is at most so many units wide; "" if nothing fits.

    Empty text is shown as quotation marks.
    """
    columns = int(units / COLUMN)
    item = item if item != "" else '""'
    if columns < 1:
        return ""
    if isinstance(item, bytes):
        return fit(str(item[:columns]) if len(item) > columns else str(item), columns)
    return fit("".join(" " if one == " " else visible(one) for one in item[: columns + 1]), columns)


def breadth(words: str) -> float:
    """Return how wide a chip with these words is; an empty one can still be seen."""
    return max(30.0, svg.measure(words, SIZE) + PAD)


def chip(
    x: float, y: float, width: float, height: float, words: str, token: str, *,
    pale: bool = False, edge: str = "ink",
) -> str:  # fmt: skip
    """Return a chip in the colour of its token, "key" or "value", with words in its middle."""
    fill, ink = (token + "-p", "ink") if pale else (token, token + "-on")
    edge = "mark" if pale else edge
    return svg.box(x, y, width, height, fill, edge, radius=7, dashed=pale) + svg.text(
        x + width / 2, y + height / 2 + 6, words, ink, anchor="middle"
    )


def record(x: float, y: float, height: float, key: str, value: str, *, pale: bool = False) -> str:
    """Return a record as one chip in two colours."""
    left, right = breadth(key), breadth(value)
    width, middle, radius = left + right, y + height / 2 + 6, 7
    suffix, edge = ("-p", "mark") if pale else ("", "ink")
    inks = ("ink", "ink") if pale else ("key-on", "value-on")
    parts = [
        svg.box(x, y, width, height, "value" + suffix, radius=radius),
        svg.box(x, y, left, height, "key" + suffix, radius=radius),
        svg.box(x + left - radius, y, radius, height, "key" + suffix, radius=0),
        svg.box(x, y, width, height, "none", edge, radius=radius, dashed=pale),
        svg.text(x + left / 2, middle, key, inks[0], anchor="middle"),
        svg.text(x + left + right / 2, middle, value, inks[1], anchor="middle"),
    ]
    return "".join(parts)
