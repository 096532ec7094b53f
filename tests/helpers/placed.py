"""Where the shapes of a picture are: its SVG read again, with all moves added up."""

import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree

from kvlib.views import svg
from kvlib.views.figure import LIMIT, Figure

SHARE = {"start": 0.0, "middle": 0.5, "end": 1.0}
# The first name of each colour, but an arc has that of what you can move.
COLOURS = {
    light.lower(): name for name, (light, _) in reversed(svg.COLOURS.items()) if name != "arc"
}


class Text(NamedTuple):
    """A text, where it begins and ends, and its colour."""

    words: str
    left: float
    y: float
    right: float
    size: float
    fill: str


class Box(NamedTuple):
    """A rectangle, and the colours of its inside and its edge."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    edge: str


def elements(figure: Figure, number: int) -> Iterator[tuple[ElementTree.Element, float, float]]:
    """Yield the elements of a position's image, and how far each is moved."""
    yield from _walk(ElementTree.fromstring(figure.image(number)), 0, 0)


def _walk(
    parent: ElementTree.Element, x: float, y: float
) -> Iterator[tuple[ElementTree.Element, float, float]]:
    for child in parent:
        yield child, x, y
        move = re.fullmatch(r"translate\((\S+) (\S+)\)", child.get("transform", ""))
        yield from _walk(child, x + float(move[1]), y + float(move[2])) if move else ()


def texts(figure: Figure, number: int) -> list[Text]:
    """Return the texts of a position, without bytes and their characters."""
    found = []
    for element, dx, dy in elements(figure, number):
        place = element.get("x", "").split()
        if element.tag.endswith("text") and not _is_bytes(element) and element.text:
            size, bold = float(element.get("font-size", 0)), element.get("font-weight") is not None
            wide = svg.measure(element.text, size, bold=bold)
            left = dx + float(place[0]) - wide * SHARE[element.get("text-anchor", "start")]
            y = dy + float(element.get("y", 0))
            fill = COLOURS[element.get("fill", "").lower()]
            found.append(Text(element.text, left, y, left + wide, size, fill))
    return found


def _is_bytes(element: ElementTree.Element) -> bool:
    return element.get("font-size") == "15" or " " in element.get("x", "")


def letters(figure: Figure, number: int) -> list[tuple[str, float, float]]:
    """Return bytes and their characters, each text with the place of its first letter."""
    found = []
    for element, dx, dy in elements(figure, number):
        first = element.get("x", "").partition(" ")[0]
        if element.tag.endswith("text") and _is_bytes(element) and element.text:
            found.append((element.text, dx + float(first), dy + float(element.get("y", 0))))
    return found


def boxes(figure: Figure, number: int) -> list[Box]:
    """Return the rectangles of a position."""
    found = []
    for element, dx, dy in elements(figure, number):
        if element.tag.endswith("rect"):
            x, y, wide, high = (
                float(element.get(name, 0)) for name in ("x", "y", "width", "height")
            )
            paint = [COLOURS.get(element.get(name, "").lower(), "") for name in ("fill", "stroke")]
            found.append(Box(dx + x, dy + y, wide, high, *paint))
    return found


def check_legible(figure: Figure) -> None:
    """Check that the texts of all positions are large enough, within the card, and apart."""
    assert len(figure.title) <= 60
    assert len(figure.html().encode()) <= LIMIT
    for number in range(len(figure.positions)):
        shown = sorted(texts(figure, number), key=lambda text: text.left)
        for at, text in enumerate(shown):
            assert text.size >= 17, text
            assert text.left > 0, text
            assert text.words == figure.title or text.right < svg.WIDTH, text
            assert 0 < text.y < figure.height - 4, text
            for other in shown[at + 1 :]:
                apart = abs(other.y - text.y) > 16 or other.left >= text.right - 1
                assert apart, (text, other)
