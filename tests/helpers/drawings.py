"""What a figure draws, as shapes to look at. Colours are tokens: "right", "wrong-p"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from kvlib.views import svg
from kvlib.views.figure import LIMIT, Figure

MOVED = re.compile(r"translate\((-?[0-9.]+)\)")


@dataclass(frozen=True)
class Shape:
    """A rect, path, circle or text.

    Attributes:
        tag: its name.
        found: its attributes.
        text: its words.
        moved: how far its group is moved to the right.
    """

    tag: str
    found: dict[str, str]
    text: str
    moved: float

    def number(self, name: str) -> float:
        """Return an attribute as a number."""
        return float(self.found[name])

    def token(self, name: str) -> str:
        """Return the token of a colour, or ""."""
        return self.found.get(name, "").removeprefix("$")

    @property
    def span(self) -> tuple[float, float]:
        """The left and the right edge of a rect or a text."""
        x = self.number("x") + self.moved
        if self.tag == "rect":
            return x, x + self.number("width")
        room = svg.measure(
            self.text,
            self.number("font-size"),
            bold="font-weight" in self.found,
            mono="font-family" in self.found,
        )
        x -= {"start": 0.0, "middle": room / 2, "end": room}[self.found.get("text-anchor", "start")]
        return x, x + room

    @property
    def points(self) -> list[tuple[str, float, float]]:
        """The corners of a path of straight lines, each with its command; "Z" has none."""
        x = y = 0.0
        corners = []
        for command, rest in re.findall(r"([MLHVhv])([^A-Za-z]*)", self.found["d"]):
            numbers = [float(one) for one in rest.split()]
            if command in "ML":
                x, y = numbers
            elif command in "Hh":
                x = numbers[0] + x * (command == "h")
            else:
                y = numbers[0] + y * (command == "v")
            corners.append((command, x + self.moved, y))
        return corners


def drawn(figure: Figure, position: int | None = None) -> list[Shape]:
    """Return all shapes at a position, or only those that are drawn at every position."""
    shapes = figure.fixed if position is None else figure.positions[position].shapes
    root = ElementTree.fromstring(f"<svg>{''.join(shapes)}</svg>")
    return [*_flat(root, 0.0)]


def _flat(element: ElementTree.Element, moved: float) -> Iterator[Shape]:
    for child in element:
        if child.tag == "g":
            shift = MOVED.fullmatch(child.get("transform", ""))
            yield from _flat(child, moved + (float(shift[1]) if shift else 0))
        else:
            yield Shape(child.tag, dict(child.attrib), child.text or "", moved)


def check_figure(figure: Figure) -> None:
    """Check that the title is short, and that no text leaves the card at any position."""
    assert len(figure.title) <= 60
    assert figure.height <= (420 if len(figure.positions) > 1 else 560)
    assert len(figure.html().encode()) <= LIMIT
    numbers = range(0, len(figure.positions), max(1, len(figure.positions) // 40))
    for shapes in [drawn(figure), *(drawn(figure, number) for number in numbers)]:
        for shape in shapes:
            if shape.tag == "text":
                left, right = shape.span
                assert left >= 12, shape
                assert right <= svg.WIDTH - 8, shape
                assert 0 < shape.number("y") < figure.height, shape
                assert shape.number("font-size") >= 17, shape


def check_apart(shapes: list[Shape]) -> None:
    """Check that no two texts touch."""
    texts = [shape for shape in shapes if shape.tag == "text"]
    for number, one in enumerate(texts):
        for other in texts[:number]:
            if abs(one.number("y") - other.number("y")) < 14:
                assert one.span[1] < other.span[0] or other.span[1] < one.span[0], (one, other)
