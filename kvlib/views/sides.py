"""Two states of the same bytes: all of them as ribbons, and the place that differs as bytes.

One difference is chosen. Its place has a ring in both states, joined by a line. A record that left
one file and is in another is followed there.
"""

import textwrap
from collections.abc import Iterator
from typing import Final, NamedTuple

from kvlib.layout.dissect import Layout
from kvlib.layout.text import fit, width
from kvlib.plural import count
from kvlib.snapshot import LOG, SEGMENT_NAME
from kvlib.views import records, svg
from kvlib.views.cells import strip, visible
from kvlib.views.figure import Figure, Position
from kvlib.views.rows import OFFSETS, ROW, WIDTH, first_row, joined, ring, rings, rows
from kvlib.views.timeline import Moment, Timeline

HEIGHT: Final = 420
SIDES: Final = ("before", "after")
ACROSS: Final = {"before": 84, "after": 136}  # the y of the ribbons
THICK: Final = 18
FIRST, RIGHT = svg.MARGIN + 82, svg.WIDTH - svg.MARGIN  # where the ribbons begin and end
GAP: Final = 14  # between files
MIDDLE: Final = 119  # the y of the handle
HALVES: Final = {"before": 28, "after": 442}  # the x of the bytes
HEADS, BYTES = 201, 212  # the y of the headings, and of the bytes
LINE: Final = 78  # columns of the words below
ARROW: Final = "\N{RIGHTWARDS ARROW}"


class Place(NamedTuple):
    """A span of bytes in a file, before or after; an empty one is between two bytes."""

    layout: Layout
    start: int
    end: int


class Shown(NamedTuple):
    """One side of a difference.

    Attributes:
        layout: the file, or None if there is no such file.
        places: the spans that differ, or else the whole file.
        differs: whether the spans differ; if not, they only say which file it is.
    """

    layout: Layout | None
    places: tuple[Place, ...] = ()
    differs: bool = False


def draw(timeline: Timeline) -> Figure:
    """Return a timeline of differences as a figure."""
    ribbons = _Ribbons(timeline)
    alone = _one_sided(timeline)
    positions = []
    with_records = []
    for number, moment in enumerate(timeline.moments):
        sides = {side: _shown(moment, side) for side in SIDES}
        moved = _followed(sides, alone)
        if any(side.differs and _records(side) for side in sides.values()):
            with_records.append(number)
        shapes = [
            *(() if _is_equal(moment) else ribbons.ringed(sides, moved)),
            *_half(sides, "before", moved),
            *_half(sides, "after", moved),
            *_words(moment),
        ]
        says = " ".join(_says(moment, sides, moved))
        spot = ribbons.spot(sides)
        positions.append(Position(moment.label, says, tuple(shapes), spot, timeline.control))
    return Figure(
        _title(timeline),
        HEIGHT,
        timeline.control,
        tuple(positions),
        repr(timeline),
        tuple(ribbons.fixed()),
        next(iter(with_records), timeline.start),  # a record says more than a number in a header
        folded=timeline.folded_runs(),
    )


def _title(timeline: Timeline) -> str:
    if _is_equal(timeline.moments[0]):
        return "No difference: the same bytes before and after"
    return f"{count(len(timeline.moments), 'difference')} between before and after"


def _is_equal(moment: Moment) -> bool:
    return moment.outcomes[0].words == "no difference"


def _side(layout: Layout) -> str:
    return layout.source.partition(":")[0]


def _file(layout: Layout) -> str:
    """Return the short name of a file, or "" for bytes."""
    name = "".join(map(visible, layout.source.partition(": ")[2]))
    match = SEGMENT_NAME.fullmatch(name)
    return f"segment {int(match[2], 16)}" if match else name


def _shown(moment: Moment, side: str) -> Shown:
    for scene in moment.pictures:
        if _side(scene.layout) == side:
            places = tuple(Place(scene.layout, *mark) for mark in scene.marks)
            if not places and any(other.marks for other in moment.pictures):
                return Shown(scene.layout)
            stop = scene.layout.stopped_at
            whole = Place(scene.layout, stop or 0, len(scene.layout.data))
            return Shown(scene.layout, places or (whole,), bool(places))
    return Shown(None)


# ---------------------------------------------------------------------------- a record that moved


def _one_sided(timeline: Timeline) -> dict[str, dict[bytes, Place]]:
    """Return the records that are only before, and those that are only after, by their bytes."""
    found: dict[str, dict[bytes, Place]] = {side: {} for side in SIDES}
    for moment in timeline.moments:
        shown = {side: _shown(moment, side) for side in SIDES}
        for side, other in (SIDES, SIDES[::-1]):
            if shown[side].differs and not shown[other].differs:
                found[side].update(_records(shown[side]))
    return found


def _followed(sides: dict[str, Shown], alone: dict[str, dict[bytes, Place]]) -> dict[str, Place]:
    """Return both places of a record that was in one file and is in another, or {}."""
    for side, other in (SIDES, SIDES[::-1]):
        if sides[side].differs and not sides[other].differs:
            for record, place in _records(sides[side]).items():
                if record in alone[other]:
                    return {side: place, other: alone[other][record]}
    return {}


def _records(shown: Shown) -> dict[bytes, Place]:
    """Return the places of the records in what differs, by their bytes."""
    found = {}
    for layout, start, end in shown.places:
        begin = None
        for leaf in layout.root.leaves():
            if start <= leaf.start and leaf.end <= end and leaf.status == "ok":
                begin = leaf.start if leaf.name.endswith(".key.tag") else begin
                if leaf.kind == "value" and begin is not None:
                    found[layout.data[begin : leaf.end]] = Place(layout, begin, leaf.end)
    return found


# ---------------------------------------------------------------------------- all bytes, at the top


class _Ribbons:
    """The files of both sides, to the same scale."""

    def __init__(self, timeline: Timeline) -> None:
        self._files: dict[str, dict[str, Layout]] = {side: {} for side in SIDES}
        for moment in timeline.moments:
            for scene in moment.pictures:
                self._files[_side(scene.layout)].setdefault(scene.layout.source, scene.layout)
        total = [sum(len(one.data) for one in files.values()) for files in self._files.values()]
        gaps = max(0, *(len(files) - 1 for files in self._files.values()))
        self._scale = (RIGHT - FIRST - GAP * gaps) / max(1, *total)
        self._starts: dict[str, float] = {}
        for files in self._files.values():
            x = float(FIRST)
            for name, layout in sorted(files.items()):  # segments first, the log last
                self._starts[name] = x
                x += len(layout.data) * self._scale + GAP

    def fixed(self) -> Iterator[str]:
        """Yield the ribbons, with the names of the files that have room for one."""
        for side, files in self._files.items():
            y = ACROSS[side]
            yield svg.text(svg.MARGIN, y + 15, side, size=18, bold=True)
            if not files:
                yield svg.text(FIRST, y + 15, "no such file", "ink2", italic=True)
            for name, layout in files.items():
                x, wide = self._starts[name], len(layout.data) * self._scale
                yield svg.box(x, y, max(wide, 1), THICK, "card", "rule", stroke=1, radius=0)
                yield strip(layout.root.leaves(), x, y, self._scale, THICK)
                label = _file(layout)
                if svg.measure(label) > wide:
                    label = records.shorten(label.removeprefix("segment "), wide)
                if label.strip("…"):
                    yield svg.text(x, y - 7 if side == "before" else y + 35, label, "ink2")

    def _box(self, place: Place) -> tuple[float, float, float, float]:
        x = self._starts[place.layout.source] + place.start * self._scale
        wide = max(4.0, (place.end - place.start) * self._scale)
        return x, ACROSS[_side(place.layout)], wide, THICK

    def ringed(self, sides: dict[str, Shown], moved: dict[str, Place]) -> Iterator[str]:
        """Yield the rings around what differs, and the line that joins them."""
        ends = {}
        for side in SIDES:
            places = sides[side].places or ((moved[side],) if side in moved else ())
            for start, end in joined((place.start, place.end) for place in places):
                yield from ring(*self._box(places[0]._replace(start=start, end=end)))
            if places:
                x, y, wide, high = self._box(moved.get(side, places[0]))
                ends[side] = x + wide / 2, y + (high + 3 if side == "before" else -3)
        x = sum(x for x, _ in ends.values()) / len(ends)
        for place in ends.values():
            yield svg.line(*place, x, MIDDLE, "you", stroke=2.5)
        yield from svg.shift(x, MIDDLE, [svg.handle(0, 0)])
        words = "moved" if moved else f"only {next(iter(ends))}" if len(ends) == 1 else ""
        if words:
            wide = svg.measure(words, bold=True)
            x = x - 18 - wide if x + 18 + wide > RIGHT else x + 18
            yield svg.box(x - 4, MIDDLE - 10, wide + 8, 20, "card")
            yield svg.text(x, MIDDLE + 6, words, "you-t", bold=True)

    def spot(self, sides: dict[str, Shown]) -> tuple[float, float, float, float]:
        """Return where the pointer chooses a difference: its first place, or its file's name."""
        shown = next(shown for shown in sides.values() if shown.places)
        x, y, wide, high = self._box(shown.places[0])
        return (x, y, wide, high) if shown.differs else (x, y - 24, wide, 18)


# -------------------------------------------------------------------------- the place that differs


def _half(sides: dict[str, Shown], side: str, moved: dict[str, Place]) -> Iterator[str]:
    """Yield the bytes around what differs on one side, or that there are none."""
    shown, x = sides[side], HALVES[side]
    yield svg.text(x, HEADS, side, size=18, bold=True)
    if shown.layout is None and side not in moved:
        yield from _nothing(x, "no such file")
        return
    places = (moved[side],) if side in moved else shown.places
    if not places:
        yield from _nothing(x, "not here")
        return
    layout, start, end = places[0]
    words = f"{count(end - start, 'byte')} at {start:,}"
    name = records.shorten(_file(layout), WIDTH - 88 - svg.measure(words))
    yield svg.text(x + 80, HEADS, name, "ink2")
    yield svg.text(x + WIDTH, HEADS, words, "ink2", anchor="end")
    if not layout.data:
        yield from _nothing(x, "no bytes")
        return
    differs = shown.differs or bool(moved)
    first = first_row(len(layout.data), start, end if differs else start)
    yield from rows(layout, first, x, BYTES)
    if differs:
        yield from rings([(place.start, place.end) for place in places], first, x, BYTES)


def _nothing(x: float, words: str) -> Iterator[str]:
    wide = WIDTH - OFFSETS
    yield svg.box(x + OFFSETS, BYTES, wide, ROW.height, "none", "mark", dashed=True)
    middle = x + OFFSETS + wide / 2
    yield svg.text(middle, BYTES + 19, words, "ink2", italic=True, anchor="middle")


# --------------------------------------------------------------------------------------- in words


def _words(moment: Moment) -> Iterator[str]:
    """Yield the difference in words, in at most two lines."""
    verdict, words = moment.outcomes[0]
    x, room = svg.MARGIN, LINE
    if verdict == "refused":
        yield svg.sign(x + 10, HEIGHT - 40, verdict)
        x, room = x + 28, LINE - 3
    lines = [words]
    if width(words) > room:
        before, arrow, after = words.partition(" -> ")
        lines = [before, "-> " + after] if arrow else textwrap.wrap(words, room)[:2]
    for number, line in enumerate(lines):
        shown = fit(line.replace("->", ARROW), room)
        yield svg.text(x, HEIGHT - 34 + 21 * number, shown)


def _says(moment: Moment, sides: dict[str, Shown], moved: dict[str, Place]) -> Iterator[str]:
    """Yield sentences: what differs, and where."""
    yield moment.outcomes[0].words.replace("->", ARROW) + "."
    found = [(side, place) for side in SIDES for place in sides[side].places[:1]]
    if moved:
        (side,) = [side for side in SIDES if not sides[side].differs]
        place = moved[side]
        size = count(place.end - place.start, "byte")
        verb = "is" if side == "after" else "was"
        file = _file(place.layout)
        where = f" of {'the ' if file == LOG else ''}{file}" if file else ""
        yield f"The same record, the same {size}, {verb} at offset {place.start:,}{where}."
    elif all(sides[side].differs for side, _ in found):
        for side, place in found:
            size = count(place.end - place.start, "byte")
            yield f"{side.capitalize()}: {size} at offset {place.start:,}."
