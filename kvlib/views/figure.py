"""A figure: one picture, and what changes in it from one position to the next.

A view asks the engine at every position before anything is shown. The figure holds the answers: a
sentence for each position, and the shapes that are drawn only there. Python draws everything; the
script in static/figure.js picks a position and shows it.

    Figure(
        title="Three bytes, and where the reader is",
        height=160,
        control="byte",
        fixed=(svg.box(28, 70, 90, 30, "key"),),
        positions=tuple(
            Position(str(n), "read", (svg.handle(43 + 30 * n, 110),), (28 + 30 * n, 60, 30, 60))
            for n in range(3)
        ),
        text="bytes 0-2: read",
    )

A figure is complete without its script: a static image of the position to start with, its sentence,
and the folded details. Nothing in it has an id, so that a page may contain a figure twice.
"""

import json
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final, NamedTuple
from urllib.parse import quote

from kvlib.views import svg

LIMIT: Final = 120_000  # bytes of HTML


class Spot(NamedTuple):
    """The part of the picture where the pointer chooses a position."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Position:
    """One thing to choose, such as a place to cut.

    Attributes:
        label: its name, a word or two: "57", "put café".
        says: one sentence: what is true here.
        shapes: what is drawn only here, above the rest.
        spot: where the pointer chooses it: x, y, width and height, once or several times; None if
            only keys and buttons do.
        answer: equal for neighbours that answer alike; by default the sentence.
    """

    label: str
    says: str
    shapes: tuple[str, ...] = ()
    spot: tuple[float, ...] | None = None
    answer: str = ""


@dataclass(frozen=True)
class Figure:
    """A picture with positions. It shows itself.

    Attributes:
        title: one sentence: what is to be seen.
        height: of the picture, in units of which its width has 860.
        control: what one chooses: "bytes that reached the disk".
        positions: at least one; with a single one there is nothing to choose.
        text: the whole figure as text.
        fixed: the shapes that are drawn at every position.
        start: the index of the position to show first.
        moves: how many positions the right arrow goes ahead, and how many the down arrow; 0 for
            the down arrow means to the nearest spot below.
        switch: names of variants, such as ("every fsync", "without the third"); the positions are
            then as many for each of them, one variant after the other.
        folded: details: a summary and HTML for each.
        dense: whether there are many small things to choose: a pointer chooses without a button
            pressed, and the script frames the spots of a position, which needs no shapes for that.
        notice: what else has to be said, such as that positions are missing.
    """

    title: str
    height: float
    control: str
    positions: tuple[Position, ...]
    text: str
    fixed: tuple[str, ...] = ()
    start: int = 0
    moves: tuple[int, int] = (1, -1)
    switch: tuple[str, ...] = ()
    folded: tuple[tuple[str, str], ...] = ()
    dense: bool = False
    notice: str = ""

    def image(self, position: int | None = None) -> str:
        """Return a position as an SVG that reads alone, by default the one to start with."""
        return svg.image(self.shapes(position), self.height)

    def shapes(self, position: int | None = None) -> list[str]:
        """Return what is drawn at a position, by default at the one to start with."""
        now = self.moving(self.start if position is None else position)
        # The script of a dense figure takes what is before the last group from the image.
        return [self._backdrop(), *self.fixed, *(["<g>", *now, "</g>"] if self.dense else now)]

    def moving(self, position: int) -> list[str]:
        """Return what is drawn only at one position."""
        chosen = self.positions[position]
        return [*chosen.shapes, *(_frames(chosen) if self.dense else ())]

    def img(self) -> str:
        """Return the position to start with as an HTML image, with its sentence as the text."""
        source = "data:image/svg+xml," + quote(self.image(), safe=" =:/,;'()!*@")
        return f'<img alt="{escape(self._label())}" src="{source}" style="max-width:100%">'

    def html(self) -> str:
        """Return the figure as HTML, within LIMIT bytes: if need be with fewer positions."""
        return self.fitted()._html()

    @property
    def fits(self) -> bool:
        """Whether the HTML has all positions."""
        return len(self._html().encode()) <= LIMIT

    def fitted(self) -> "Figure":
        """Return the figure with as many positions as a page has room for, around the start."""
        shown, kept = self, len(self.positions)
        while (size := len(shown._html().encode())) > LIMIT and kept > 1:
            kept = min(kept - 1, kept * LIMIT // size * 9 // 10) or 1
            first = max(0, min(self.start - kept // 2, len(self.positions) - kept))
            part = self.positions[first : first + kept]
            notice = (
                f"The picture has {kept:,} of {len(self.positions):,} positions, from "
                f"{part[0].label} to {part[-1].label}: more would make this page too large."
            )
            start = self.start - first
            shown = replace(self, positions=part, start=start, switch=(), notice=notice)
        return shown

    def _html(self) -> str:
        now = self.sentence(self.positions[self.start])
        notice = f"<p>{escape(self.notice)}</p>" if self.notice else ""
        html = (
            f'<div class="kvlib figure mathjax_ignore"><style>{style()}</style>'
            f"{self.img()}<p class=say>{escape(now)}</p>{notice}{self._details()}"
        )
        html += f'<script type="application/json">{self.data()}</script>'
        return f"{html}<script>{script()}</script></div>"

    def still(self, *, told: bool = False) -> str:
        """Return the position to start with as HTML for a widget, where no script runs.

        The picture is inline, so that its colours follow the theme. If it doesn't show all that its
        sentence says, `told` puts the sentence below it.
        """
        picture = svg.inline(self.shapes(), self.height, self._label())
        head = f'<div class="kvlib figure mathjax_ignore" data-on><style>{style()}</style>'
        says = f"<p class=say>{escape(self.positions[self.start].says)}</p>" if told else ""
        return f"{head}{picture}{says}{self._details()}</div>"

    def _label(self) -> str:
        stop = "" if self.title.endswith("?") else "."
        return f"{self.title}{stop} {self.sentence(self.positions[self.start])}"

    def _details(self) -> str:
        return "".join(
            f"<details><summary>{escape(summary)}</summary>{html}</details>"
            for summary, html in self.folded
        )

    def sentence(self, position: Position) -> str:
        """Return what is said at a position."""
        if not self.control:
            return position.says
        return f"{self.control}: {position.label}. {position.says}"

    def data(self) -> str:
        """Return what the script needs, as JSON.

        Strings that recur are sent once, and numbered. A dense figure's sentences are sent as
        clauses, and its fixed shapes not at all: the static image has them.
        """
        numbers: dict[str, int] = {}

        def intern(string: str) -> int:
            return numbers.setdefault(string, len(numbers))

        def told(says: str) -> int | list[int]:
            clauses = says.split(", ")
            return [intern(clause) for clause in clauses] if self.dense else intern(says)

        answers = [position.answer or position.says for position in self.positions]
        size = len(self.positions) // max(1, len(self.switch))
        found = {
            "title": self.title,
            "size": [svg.WIDTH, self.height],
            "control": self.control,
            "start": self.start,
            "moves": self.moves,
            "switch": self.switch,
            "fixed": "".join([self._backdrop(), *self.fixed]),
            "changes": [
                at for at in range(len(answers)) if at % size and answers[at] != answers[at - 1]
            ],
            "positions": [
                [
                    position.label,
                    told(position.says),
                    [intern(shape) for shape in position.shapes],
                    *[round(number, 1) for number in position.spot or ()],
                ]
                for position in self.positions
            ],
            "strings": [*numbers],
        }
        if self.dense:
            colours = [token for token in svg.tokens(str(found["fixed"])) if token in svg.COLOURS]
            found |= {"fixed": "", "colours": [intern(f"${token}") for token in colours]}
            found["strings"] = [*numbers]
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        return text.replace("</", "<\\/").replace("<!--", "<\\u0021--")

    def _backdrop(self) -> str:
        """Return the card and the title."""
        card = svg.box(1, 1, svg.WIDTH - 2, self.height - 2, "card", "rim", radius=14)
        return card + svg.text(svg.MARGIN, 44, self.title, size=23, bold=True)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html()}


def _frames(position: Position) -> list[str]:
    """Return the frames that the script draws around the spots of a dense figure's position."""
    numbers = position.spot or ()
    spots = zip(*[iter(numbers)] * 4, strict=True)
    return [svg.box(x, y, wide, high, "none", "you", stroke=3.2) for x, y, wide, high in spots]


@cache
def style() -> str:
    """Return the style of all figures, with the colours."""
    return svg.variables() + _static("figure.css")


@cache
def script() -> str:
    """Return the script of all figures, in a block."""
    return f"{{{_static('figure.js')}}}"


def _static(name: str) -> str:
    return (files("kvlib.views") / "static" / name).read_text(encoding="utf-8")
