"""A staircase: how many changes come back, for every number of bytes that reached the disk.

The steps are the ends of whole frames. Each reader's line runs along them wherever its answer was
right; elsewhere it is interrupted, by a hatched stretch or by a dark bar below.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from kvlib.layout.text import fit
from kvlib.views import svg
from kvlib.views.cells import bands
from kvlib.views.figure import Figure, Position
from kvlib.views.stairs import (
    APART,
    BASE,
    COLUMNS,
    HEAD,
    LEFT,
    LEGEND,
    NAMES,
    RIBBON,
    RIGHT,
    THIN,
    Stairs,
    Step,
    Stretch,
)
from kvlib.views.timeline import Timeline, Verdict

WORDS: Final[dict[Verdict, str]] = {"right": "right", "refused": "refuses", "wrong": "wrong"}
LOST: Final = {"missing": "never arrived", "zeros": "zeros instead", "garbage": "garbage instead"}


def draw(timeline: Timeline, steps: Sequence[Step], lost: str = "missing") -> Figure:
    """Return a timeline of cuts as a figure.

    Args:
        timeline: a moment for each number of bytes that reached the disk, from 0 to all of them.
        steps: the first offset after the head, and the end of each frame.
        lost: what is there instead of the other bytes, one of LOST.
    """
    stairs = Stairs(timeline, steps)
    positions = []
    for cut, moment in enumerate(timeline.moments):
        shapes = tuple(_moving(stairs, cut, lost))
        spot = (stairs.x(cut), 0, 0, stairs.handle)
        positions.append(Position(moment.label, timeline.answers(cut), shapes, spot))
    return Figure(
        _title(stairs),
        stairs.handle + 50,
        timeline.control,
        tuple(positions),
        repr(timeline),
        tuple(_still(stairs)),
        timeline.start,
        folded=timeline.folded_runs(),
    )


def _title(stairs: Stairs) -> str:
    """Return what is to be seen: where a reader fails, or else that none does."""
    for verdict, verb in (("wrong", "is wrong"), ("refused", "refuses")):
        for strip, name in enumerate(stairs.timeline.strips):
            moments = stairs.timeline.moments[stairs.start :]  # any reader may refuse half a head
            failed = sum(moment.outcomes[strip].verdict == verdict for moment in moments)
            if failed:
                shown = "Yours" if name == "yours" else name
                return f"{shown} {verb} at {failed:,} of {len(moments):,} cuts"
    if not stairs.most:
        return "This log has no change to bring back"
    return "A change comes back when its whole frame has arrived"


# ------------------------------------------------------------------- what is the same at every cut


def _still(stairs: Stairs) -> Iterator[str]:
    yield svg.text(svg.MARGIN, LEGEND, "changes recovered", "ink2")
    yield from _names(stairs)
    yield svg.path(f"{stairs.along(stairs.start, stairs.size)}V{BASE}H{LEFT}Z", fill="right-p")
    strips = range(len(stairs.timeline.strips))
    for strip in strips:
        yield from _wrong(stairs, strip)
    for strip in stairs.lanes:
        yield from _refused(stairs, strip)
    for strip in reversed(strips):
        yield from _right(stairs, strip)
        x = _legend_at(strip)
        yield from _stroke(f"M{x} {LEGEND - 6}h34", _is_learner(stairs, strip))
        yield svg.text(x + 44, LEGEND, stairs.timeline.strips[strip])
    for strip in strips:
        yield from _wrong_words(stairs, strip)
    yield from _log(stairs)
    yield from _ticks(stairs)


def _names(stairs: Stairs) -> Iterator[str]:
    """Yield the names of as many steps as there is room for."""
    for level in stairs.named:
        yield _name(stairs, level)
        y = stairs.y(level)
        yield svg.line(LEFT - 6, y, RIGHT, y, "rule", stroke=1.2, dashed=True)


def _name(stairs: Stairs, level: int, *, bold: bool = False) -> str:
    step = stairs.steps[level]
    words = fit(f"{step.changes}\N{NO-BREAK SPACE} {step.words}", COLUMNS)
    return svg.text(
        NAMES, stairs.y(level) + 6, words, "ink" if bold else "ink2", bold=bold, anchor="end"
    )


def _is_learner(stairs: Stairs, strip: int) -> bool:
    return strip < len(stairs.timeline.strips) - 1


def _stroke(d: str, dashed: bool) -> Iterator[str]:
    """Yield a reader's line: the learner's has dashes on it, so that one sees both."""
    yield svg.path(d, "right", stroke=6)
    if dashed:
        yield svg.path(d, "card", stroke=2.4, dashed=True)


def _right(stairs: Stairs, strip: int) -> Iterator[str]:
    """Yield a reader's line along the stairs, wherever it is right."""
    lines = "".join(
        stairs.along(one.first, one.last)
        for one in stairs.stretches(strip)
        if one.verdict == "right" and one.first >= stairs.start
    )
    if lines:
        yield from _stroke(lines, _is_learner(stairs, strip))


def _refused(stairs: Stairs, strip: int) -> Iterator[str]:
    """Yield dark bars where a reader refuses, with the words in each that has room for them."""
    y, bars = stairs.lane(strip), ""
    words = f"{stairs.timeline.strips[strip]} refuses"
    room = svg.measure(words, bold=True) + 12
    middles = []
    for stretch in stairs.stretches(strip):
        if stretch.verdict == "refused":
            x, end = stairs.edges(stretch)
            bars += f"M{svg.number(x)} {y}v22H{svg.number(end)}v-22z"
            middles += [(x + end) / 2] * (room < end - x)
    if bars:
        yield svg.path(bars, fill="refused")
    for middle in middles:
        yield svg.text(middle, y + 17, words, "card", bold=True, anchor="middle")
    if bars and not middles:
        yield svg.box(NAMES - room, y, room + 2, 22, "card", radius=0)
        yield svg.text(NAMES, y + 17, words, "refused-t", bold=True, anchor="end")


def _wrong(stairs: Stairs, strip: int) -> Iterator[str]:
    """Yield hatched stretches where a reader is wrong."""
    thin = ""
    for stretch in stairs.stretches(strip):
        x, end = stairs.edges(stretch)
        if stretch.verdict != "wrong":
            continue
        if stairs.in_head(stretch):
            place = (x, stairs.lane(strip), end - x, 22)
            yield svg.box(*place, "wrong-p", "wrong", radius=0) + svg.hatch(*place)
        elif end - x < THIN:
            y = svg.number(_top(stairs, stretch.first))
            thin += f"M{svg.number(x)} {BASE}V{y}H{svg.number(end)}V{BASE}z"
        else:
            yield from _hatched(stairs, stretch)
    if thin:
        yield svg.path(thin, fill="wrong")


def _top(stairs: Stairs, cut: int) -> float:
    """Return how high a wrong answer is drawn: up to the step, and visibly for no change."""
    return min(BASE - 16, stairs.y(stairs.levels[cut] or 0))


def _hatched(stairs: Stairs, stretch: Stretch) -> Iterator[str]:
    """Yield a stretch below the steps, hatched, with an edge around all of it."""
    d, (left, _) = "", stairs.edges(stretch)
    cuts = range(stretch.first, stretch.last + 1)
    for y, members in groupby(cuts, lambda cut: _top(stairs, cut)):
        numbers = [*members]
        x, end = stairs.edges(Stretch(numbers[0], numbers[-1], "wrong"))
        yield svg.box(x, y, end - x, BASE - y, "wrong-p", radius=0)
        yield svg.hatch(x, y, end - x, BASE - y)
        d += f"{'L' if d else 'M'}{svg.number(x)} {svg.number(y)}H{svg.number(end)}"
    yield svg.path(f"{d}V{BASE}H{svg.number(left)}Z", "wrong", stroke=2.4)


def _wrong_words(stairs: Stairs, strip: int) -> Iterator[str]:
    """Yield the words for each stretch where a reader is wrong, as many as there is room for."""
    name = stairs.timeline.strips[strip]
    for stretch in stairs.stretches(strip):
        left, right = stairs.edges(stretch)
        middle = (left + right) / 2
        for words in (f"{name}: wrong, no error", f"{name}: wrong", "wrong"):
            room = svg.measure(words, bold=True) + 14
            if stretch.verdict == "wrong" and room < right - left - 8:
                bottom = stairs.lane(strip) + 22 if stairs.in_head(stretch) else BASE
                yield svg.box(middle - room / 2, bottom - 23, room, 23, "card", "wrong")
                yield svg.text(middle, bottom - 6, words, "wrong-t", bold=True, anchor="middle")
                break


def _log(stairs: Stairs) -> Iterator[str]:
    """Yield the log as a ribbon: the head as one box, frames with their fields."""
    leaves = (leaf for leaf in stairs.layout.root.leaves() if leaf.start >= stairs.start)
    yield from bands(leaves, stairs.x, stairs.ribbon, RIBBON)
    outlines = "".join(
        f"M{svg.number(x)} {stairs.ribbon}v{RIBBON}H{svg.number(end)}v-{RIBBON}z"
        for x, end in stairs.frames
    )
    yield svg.path(outlines, "ink", stroke=1.5)
    if stairs.start:
        yield svg.box(HEAD[0], stairs.ribbon, HEAD[1] - HEAD[0], RIBBON, "header", "ink")
        yield svg.text(
            sum(HEAD) / 2, stairs.ribbon + 21, "head: fsynced earlier", "header-on", anchor="middle"
        )


def _ticks(stairs: Stairs) -> Iterator[str]:
    """Yield offsets below the log, where there is room, and their unit."""
    y = stairs.handle + 30
    yield svg.text(LEFT - 22, y, "bytes on the disk", "ink2", anchor="end")
    if stairs.start:
        yield svg.text(HEAD[0], y, "0", "ink2", anchor="middle")
    last = stairs.size
    edge = -1.0  # the right edge of the tick before
    for offset in dict.fromkeys(step.end for step in stairs.steps):
        half = svg.measure(f"{offset}") / 2 + 10
        x = stairs.x(offset)
        least = stairs.x(last) - svg.measure(f"{last}") / 2 - 10
        if x - half > edge and (offset == last or x + half < least):
            yield svg.text(x, y, f"{offset}", "ink2", anchor="middle")
            edge = x + half


# ------------------------------------------------------------------------ what belongs to one cut


def _moving(stairs: Stairs, cut: int, lost: str) -> Iterator[str]:
    """Yield what is drawn at one cut: in pieces, because there are up to 1,025 of them."""
    level = stairs.levels[cut]
    if level is not None:
        yield _chosen(stairs, level)
    yield _verdicts(stairs, cut)
    begin = stairs.steps[level].end if level is not None else 0
    torn = 0.0
    if cut > begin:
        yield _torn(stairs, level)
        torn = stairs.x(cut) - stairs.x(begin)
    beyond = max(cut, begin)
    x = stairs.x(cut)
    # Missing bytes are covered, and the handle is moved to the cut.
    shapes = ""
    if beyond < stairs.size:
        corner = f"M{svg.number(stairs.end)} {stairs.ribbon}"
        d = f"{corner}v{RIBBON}H{svg.HOLE}v-{RIBBON}z"
        shapes = f'<g opacity=".92">{svg.path(d, "mark", fill="card", dashed=True)}</g>'
    shapes += f'<g transform="translate({svg.HOLE})">'
    shapes += svg.line(0, LEGEND + 16, 0, stairs.handle, "you", stroke=3)
    shapes += svg.handle(0, stairs.handle)
    places = [svg.number(place) for place in (stairs.x(beyond), x)]
    yield from svg.pieces(shapes, *places[beyond == stairs.size :])
    yield "".join(_signs(stairs, cut))
    side = -1 if x > RIGHT - 60 else 1
    number = "".join(_words(stairs, torn, stairs.end - stairs.x(beyond), lost)) + svg.text(
        16 * side, stairs.handle + 6, svg.HOLE, "you-t", bold=True,
        anchor="start" if side > 0 else "end",
    )  # fmt: skip
    yield from svg.pieces(f"{number}</g>", f"{cut}")


def _chosen(stairs: Stairs, level: int) -> str:
    """Return the name of a step in bold, over the names that it would touch."""
    y = stairs.y(level)
    near = [stairs.y(other) for other in stairs.named if abs(stairs.y(other) - y) < APART - 1]
    top, bottom = svg.number(min([*near, y]) - 13), svg.number(max([*near, y]) + 12)
    left = svg.MARGIN - 8
    cover = svg.path(f"M{left} {top}H{LEFT - 10:.0f}V{bottom}H{left}Z", fill="card")
    return cover + _name(stairs, level, bold=True)


def _legend_at(strip: int) -> float:
    return LEFT + 230 * strip


def _verdicts(stairs: Stairs, cut: int) -> str:
    """Return what each reader answers here, after its name."""
    found = ""
    for strip, name in enumerate(stairs.timeline.strips):
        verdict = stairs.timeline.moments[cut].outcomes[strip].verdict
        x = _legend_at(strip) + 44 + svg.measure(name) + 18
        found += svg.sign(x, LEGEND - 6, verdict)
        found += svg.text(x + 16, LEGEND, WORDS[verdict], f"{verdict}-t", bold=True)
    return found


def _torn(stairs: Stairs, level: int | None) -> str:
    """Return the frame after a step as torn, or the head: the part that isn't there is covered."""
    x, end = HEAD if level is None else stairs.frames[level]
    place = (x, stairs.ribbon, end - x, RIBBON)
    return svg.box(*place, "wrong-p", "wrong", radius=0) + svg.hatch(*place)


def _words(stairs: Stairs, torn: float, beyond: float, lost: str) -> Iterator[str]:
    """Yield the words on both sides of the cut, where there is room."""
    y = stairs.ribbon + 21
    if torn > 62:
        yield svg.box(-53, stairs.ribbon + 4, 45, RIBBON - 8, "card")
        yield svg.text(-10, y, "torn", "wrong-t", bold=True, anchor="end")
    if beyond > svg.measure(LOST[lost]) + 24:
        yield svg.text(12, y, LOST[lost], "ink2")


def _signs(stairs: Stairs, cut: int) -> Iterator[str]:
    """Yield a sign on the line, for each verdict once, and on the bar of a reader that refuses."""
    level = stairs.levels[cut]
    verdicts = [outcome.verdict for outcome in stairs.timeline.moments[cut].outcomes]
    for strip, verdict in enumerate(verdicts):
        if verdict == "refused":
            yield svg.circle(0, stairs.lane(strip) + 11, 11, "card")
            yield svg.sign(0, stairs.lane(strip) + 11, verdict, 9)
    if level is not None and "right" in verdicts:
        yield svg.circle(0, stairs.y(level), 8, "right", "card", 2.5)
    if "wrong" in verdicts:
        yield svg.sign(
            0, min(BASE - 16, stairs.y(level or 0)) - 14 * ("right" in verdicts), "wrong"
        )
