"""Shapes as SVG text, in the units of a picture that is 860 wide.

A colour is written as a token, `$key`. Live in a notebook it becomes a CSS variable, which follows
the theme; in a static image it becomes the light colour. So a shape is written once.
"""

import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final, Literal

from kvlib.layout.text import width

Anchor = Literal["start", "middle", "end"]

WIDTH: Final = 860
MARGIN: Final = 28
HOLE: Final = "\0"  # the part of a shape that differs between positions: see pieces
SANS: Final = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"
MONO: Final = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"

# Each token in the light theme and in the dark one. The kinds of bytes come from Okabe and Ito's
# palette; `-t` is text on the card, `-p` a pale ground, `-on` text on the colour itself.
COLOURS: Final[dict[str, tuple[str, str]]] = {
    "card": ("#FCFBF8", "#1B1C1F"),
    "rim": ("#DDD8CC", "#34363B"),
    "ink": ("#1C1B1A", "#EDEBE6"),
    "ink2": ("#57534C", "#BBB7AE"),
    "faint": ("#726D64", "#98948B"),
    "mark": ("#8A8478", "#7C7A75"),
    "rule": ("#CFC9BC", "#43444A"),
    "key": ("#F0E442", "#F0E442"),
    "key-on": ("#0A0A0A", "#0A0A0A"),
    "key-p": ("#FAF6C4", "#4A4620"),
    "value": ("#009E73", "#009E73"),
    "value-on": ("#0A0A0A", "#0A0A0A"),
    "value-p": ("#BFE5D8", "#16443A"),
    "length": ("#56B4E9", "#56B4E9"),
    "length-on": ("#0A0A0A", "#0A0A0A"),
    "arc": ("#0072B2", "#56B4E9"),
    "tag": ("#DDA9C9", "#7A4A66"),
    "tag-on": ("#1C1B1A", "#F6E6EF"),
    "header": ("#F1E4CB", "#453A22"),
    "header-on": ("#1C1B1A", "#F3E9D3"),
    "checksum": ("#E3E5E8", "#3A3D44"),
    "checksum-on": ("#1C1B1A", "#E6E8EC"),
    "right": ("#009E73", "#009E73"),
    "right-t": ("#006B4E", "#4FD1A8"),
    "right-p": ("#D5EFE6", "#173F33"),
    "refused": ("#4F5866", "#8893A5"),
    "refused-t": ("#4F5866", "#B4BCC9"),
    "refused-p": ("#DFE2E7", "#33373F"),
    "wrong": ("#D55E00", "#E86A10"),
    "wrong-t": ("#A64500", "#FF9A5A"),
    "wrong-p": ("#FBE3D3", "#4A2A16"),
    "you": ("#0072B2", "#6DB9EE"),
    "you-t": ("#0067A3", "#7CC0EE"),
    "you-p": ("#D6E8F4", "#1C3A50"),
    "you-on": ("#FFFFFF", "#0A0A0A"),
}
_FONTS: Final = {"mono": MONO, "sans": SANS}


def measure(words: str, size: float = 17, *, bold: bool = False, mono: bool = False) -> float:
    """Return about how wide a text is: as wide as DejaVu, the widest of the fonts that we name."""
    each = 0.602 if mono else 0.66 if bold else 0.6
    return width(words) * each * size


def number(value: float) -> str:
    """Return a coordinate with at most one digit after the point."""
    return f"{value:.1f}".removesuffix(".0")


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    fill: str = "none",
    edge: str = "",
    *,
    stroke: float = 1.5,
    radius: float = 4,
    dashed: bool = False,
) -> str:
    """Return a rectangle; `fill` and `edge` are tokens."""
    numbers = zip(("x", "y", "width", "height"), (x, y, width, height), strict=True)
    place = " ".join(f'{name}="{number(value)}"' for name, value in numbers)
    return f'<rect {place} rx="{number(radius)}"{_paint(fill, edge, stroke, dashed)}/>'


def path(
    d: str, edge: str = "", *, fill: str = "none", stroke: float = 1.5, dashed: bool = False
) -> str:
    """Return a path; `edge` and `fill` are tokens."""
    return f'<path d="{d}"{_paint(fill, edge, stroke, dashed)}/>'


def circle(
    x: float, y: float, radius: float, fill: str, edge: str = "", stroke: float = 1.5
) -> str:
    """Return a circle around (x, y)."""
    centre = f'cx="{number(x)}" cy="{number(y)}" r="{number(radius)}"'
    return f"<circle {centre}{_paint(fill, edge, stroke, False)}/>"


def line(
    x1: float, y1: float, x2: float, y2: float, edge: str = "mark", *, stroke: float = 1.5,
    dashed: bool = False,
) -> str:  # fmt: skip
    """Return a straight line."""
    d = f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}"
    return path(d, edge, stroke=stroke, dashed=dashed)


def arrow(x1: float, y1: float, x2: float, y2: float, edge: str = "ink") -> str:
    """Return a line with a head at its end; it runs along one of the axes."""
    size = 6
    across, down = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
    base = (x2 - size * across, y2 - size * down)
    one = (base[0] - size * down, base[1] - size * across)
    other = (base[0] + size * down, base[1] + size * across)
    corners = "L".join(f"{number(x)} {number(y)}" for x, y in [(x2, y2), one, other])
    return line(x1, y1, *base, edge, stroke=2) + path(f"M{corners}Z", fill=edge)


def text(
    x: float,
    y: float,
    words: str,
    fill: str = "ink",
    *,
    size: float = 17,
    bold: bool = False,
    italic: bool = False,
    mono: bool = False,
    anchor: Anchor = "start",
) -> str:
    """Return a line of text whose baseline is at y. A "$" in the words isn't a token."""
    more = f' text-anchor="{anchor}"' if anchor != "start" else ""
    more += ' font-weight="600"' if bold else ""
    more += ' font-style="italic"' if italic else ""
    more += ' font-family="$mono"' if mono else ""
    shown = escape(words, quote=False).replace("$", "&#36;").replace('="', "=&quot;")
    place = f'x="{number(x)}" y="{number(y)}" font-size="{number(size)}"'
    return f'<text {place}{more} fill="${fill}">{shown}</text>'


def hexes(
    xs: Iterable[float], y: float, data: bytes, cell: float, fill: str, *, size: float = 15
) -> str:
    """Return bytes in hex, each in the middle of a cell that begins at its x.

    Every digit has its place, in any font.
    """
    step = size * 0.6
    places = " ".join(f"{number(x + cell / 2 - step)} {number(x + cell / 2)}" for x in xs)
    return (
        f'<text x="{places}" y="{number(y)}" font-size="{number(size)}" font-family="$mono" '
        f'fill="${fill}">{data.hex().upper()}</text>'
    )


def stacked(
    xs: Iterable[float], y: float, data: bytes, cell: float, fill: str, *, size: float = 15
) -> str:
    """Return bytes in hex with one digit above the other, for cells too narrow for two digits.

    The baseline of the upper digits is at y.
    """
    across = " ".join(" ".join([number(x + cell / 2 - size * 0.3)] * 2) for x in xs)
    down = " ".join([f"{number(y)} {number(y + size)}"] * len(data))
    return (
        f'<text x="{across}" y="{down}" font-size="{number(size)}" font-family="$mono" '
        f'fill="${fill}">{data.hex().upper()}</text>'
    )


def dashes(d: str, edge: str, thick: float, on: float, off: float) -> str:
    """Return thick lines cut into pieces: each is a row of boxes, `on` wide and `off` apart."""
    pieces = f'stroke-dasharray="{number(on)} {number(off)}"'
    return f'<path d="{d}" fill="none" stroke="${edge}" stroke-width="{number(thick)}" {pieces}/>'


def hatch(x: float, y: float, width: float, height: float, edge: str = "wrong") -> str:
    """Return lines at 45 degrees that fill a rectangle and don't leave it."""
    d = ""
    for offset in range(4, int(width + height), 8):
        low, high = max(0.0, offset - height), min(width, offset)
        d += f"M{number(x + low)} {number(y + offset - low)}"
        d += f"L{number(x + high)} {number(y + offset - high)}"
    return path(d, edge, stroke=1.3)


def ring(x: float, y: float, width: float, height: float, edge: str = "wrong") -> str:
    """Return a thick frame around a rectangle: the thing that matters here."""
    return box(x - 1.6, y - 1.6, width + 3.2, height + 3.2, "none", edge, stroke=3.2, radius=5)


def handle(x: float, y: float) -> str:
    """Return the sign of something that you can move."""
    return circle(x, y, 9, "card", "you", 3.2) + circle(x, y, 3, "you")


def sign(x: float, y: float, verdict: str, size: float = 10) -> str:
    """Return a verdict's sign around (x, y): a tick, a stop or a cross; else a ring."""
    half = size * 0.42

    def stroke(d: str) -> str:
        return path(d, "card", stroke=size / 4)

    if verdict == "right":
        tick = f"M{number(x - half)} {number(y)}l{number(half * 0.7)} {number(half * 0.7)}"
        tick += f"l{number(half * 1.2)} {number(-half * 1.4)}"
        return circle(x, y, size, "right") + stroke(tick)
    if verdict == "refused":
        a, b = size, size * 0.42
        corners = [(-b, -a), (b, -a), (a, -b), (a, b), (b, a), (-b, a), (-a, b), (-a, -b)]
        d = "L".join(f"{number(x + dx)} {number(y + dy)}" for dx, dy in corners)
        bar = f"M{number(x - half)} {number(y)}h{number(2 * half)}"
        return path(f"M{d}Z", fill="refused") + stroke(bar)
    if verdict == "wrong":
        side = number(2 * half)
        cross = f"M{number(x - half)} {number(y - half)}l{side} {side}m-{side} 0l{side} -{side}"
        return circle(x, y, size, "wrong") + stroke(cross)
    return circle(x, y, size - 1.5, "card", "mark", 2.5)


def pieces(shape: str, *values: str) -> tuple[str, ...]:
    """Return a shape in pieces, with a value for each HOLE in it.

    A figure sends equal strings once, and joins them again. So a shape that moves with every
    position costs little, because the pieces around its number are the same everywhere.
    """
    first, *rest = shape.split(HOLE)
    between = zip(values, rest, strict=True)
    return (first, *(piece for pair in between for piece in pair))


def shift(x: float, y: float, shapes: Iterable[str]) -> Iterator[str]:
    """Yield shapes that were drawn at (0, 0), moved to (x, y). They recur exactly anywhere."""
    yield f'<g transform="translate({number(x)} {number(y)})">'
    yield from shapes
    yield "</g>"


def _paint(fill: str, edge: str, stroke: float, dashed: bool) -> str:
    paint = ' fill="none"' if fill == "none" else f' fill="${fill}"'
    if edge:
        paint += f' stroke="${edge}" stroke-width="{number(stroke)}"'
        paint += ' stroke-dasharray="4 4"' if dashed else ""
    return paint


def tokens(shapes: str) -> list[str]:
    """Return the tokens in shapes, in order."""
    return re.findall(r"\$([a-z0-9-]+)", shapes)


def image(shapes: Iterable[str], height: float) -> str:
    """Return a complete SVG in the light colours, which needs nothing around it."""
    found = {**{name: light for name, (light, _) in COLOURS.items()}, **_FONTS}
    body = re.sub(r"\$([a-z0-9-]+)", lambda token: found[token[1]], "".join(shapes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {number(height)}" '
        f'width="{WIDTH}" height="{number(height)}" font-family="{SANS}">{body}</svg>'
    )


def inline(shapes: Iterable[str], height: float, label: str) -> str:
    """Return an SVG for a page that has the variables, so that it follows the page's theme."""
    body = re.sub(r"\$([a-z0-9-]+)", r"var(--kv-\1)", "".join(shapes))
    return (
        f'<svg viewBox="0 0 {WIDTH} {number(height)}" role="img" aria-label="{escape(label)}">'
        f"{body}</svg>"
    )


def variables() -> str:
    """Return the style that gives the tokens their colours, in both themes.

    JupyterLab and Notebook say on the body which theme they have; elsewhere the system decides.
    """

    def listed(theme: int) -> str:
        pairs = [f"--kv-{name}:{both[theme]}" for name, both in COLOURS.items()]
        return ";".join(
            pairs + [f"--kv-{name}:{fonts}" for name, fonts in _FONTS.items()] * (not theme)
        )

    dark = f"{{{listed(1)}}}"
    return (
        f".kvlib{{{listed(0)}}}[data-jp-theme-light=false] .kvlib{dark}"
        f"@media(prefers-color-scheme:dark){{:root:not(:has([data-jp-theme-light])) .kvlib{dark}}}"
    )
