"""Keys, values and records as chips: a rounded box with a word in it.

A solid chip is there for certain. A pale one with a dashed edge may be lost, or is only in memory.
"""

from itertools import accumulate
from typing import Final

from kvlib.encoding import Item
from kvlib.layout.text import width
from kvlib.views import svg
from kvlib.views.cells import visible

SIZE: Final = 17  # of the words
PAD: Final = 14  # left and right of the words, together
NARROW: Final = frozenset("fijlrt,.;:'!|()[]{} ")
BROAD: Final = frozenset("MWmw@%…")


def label(item: Item, units: float) -> str:
    """Return a key or a value as text that is at most so many units wide; "" if nothing fits.

    Empty text is shown as quotation marks.
    """
    beginning = item[: max(0, int(units))]  # a character is wider than a unit
    text = '""' if item == "" else str(beginning)
    if isinstance(item, str):
        text = "".join(" " if one == " " else visible(one) for one in text)
    if len(beginning) == len(item) and span(text) <= units:
        return text
    ends = accumulate(map(_span, text))
    kept = sum(end + _span("…") <= units for end in ends)
    return text[:kept] + "…" if kept else ""


def span(words: str) -> float:
    """Return how wide words are at most: by character, because some texts are all capitals."""
    return sum(map(_span, words))


def _span(character: str) -> float:
    if character in NARROW:
        return 0.42 * SIZE
    if character in BROAD:
        return 1.01 * SIZE
    return (0.79 if character.isupper() else 0.64 * width(character)) * SIZE


def breadth(words: str) -> float:
    """Return how wide a chip with these words is; an empty one can still be seen."""
    return max(30.0, span(words) + PAD)


def chip(
    x: float, y: float, across: float, height: float, words: str, token: str, *,
    pale: bool = False, edge: str = "ink",
) -> str:  # fmt: skip
    """Return a chip in the colour of its token, "key" or "value", with words in its middle."""
    fill, ink = (token + "-p", "ink") if pale else (token, token + "-on")
    edge = "mark" if pale else edge
    return svg.box(x, y, across, height, fill, edge, radius=7, dashed=pale) + svg.text(
        x + across / 2, y + height / 2 + 6, words, ink, anchor="middle"
    )


def record(x: float, y: float, height: float, key: str, value: str, *, pale: bool = False) -> str:
    """Return a record as one chip in two colours."""
    left, right = breadth(key), breadth(value)
    across, middle, radius = left + right, y + height / 2 + 6, 7
    suffix, edge = ("-p", "mark") if pale else ("", "ink")
    inks = ("ink", "ink") if pale else ("key-on", "value-on")
    parts = [
        svg.box(x, y, across, height, "value" + suffix, radius=radius),
        svg.box(x, y, left, height, "key" + suffix, radius=radius),
        svg.box(x + left - radius, y, radius, height, "key" + suffix, radius=0),
        svg.box(x, y, across, height, "none", edge, radius=radius, dashed=pale),
        svg.text(x + left / 2, middle, key, inks[0], anchor="middle"),
        svg.text(x + left + right / 2, middle, value, inks[1], anchor="middle"),
    ]
    return "".join(parts)
