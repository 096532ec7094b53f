"""The decision of recovery, drawn below the log in question: see verdict.py."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from kvlib import frame, log
from kvlib.errors import CorruptionError
from kvlib.frame import Frame
from kvlib.layout.dissect import dissect
from kvlib.layout.regions import Region
from kvlib.layout.text import fit
from kvlib.plural import count
from kvlib.views import readers, svg
from kvlib.views.cases import HEAD, LEFT, RIGHT, Branch, Case, answer
from kvlib.views.cells import bands
from kvlib.views.figure import Figure, Position, Spot

# From top to bottom: what to choose, the log, the question, the three answers.
CHOICE: Final = 60
NAMES: Final = 124
RIBBON: Final = 132
HEIGHT: Final = 30
BELOW: Final = RIBBON + HEIGHT
ASKED: Final = 212
CARDS: Final = 292
BOTTOM: Final = 414
PILL: Final = Spot(LEFT, ASKED, 236, 50)
HEXAGON: Final = Spot(310, ASKED, 522, 50)
CARD: Final = 262
COLUMNS: Final = 23  # of a card

PLACES: Final[dict[Branch, float]] = {"whole": LEFT, "torn": 299, "refused": 570}
TITLES: Final[dict[Branch, str]] = {
    "whole": "nothing is wrong",
    "torn": "a torn tail: drop it",
    "refused": "damage: refuse",
}
USUAL: Final[dict[Branch, str]] = {
    "whole": "all changes come back",
    "torn": "and say how much it was",
    "refused": "and change no byte",
}


def draw(cases: Sequence[Case], text: str) -> Figure:
    """Return the decisions on a log, as it was given and then damaged, as a figure."""
    given = cases[0]
    positions = []
    for case in cases:
        first, second = answer(case)
        shapes = (*_choice(cases, case), *_log(case), *_path(case), *_card(case))
        says = f"Does a later frame vouch? {_sentence(first)} {_sentence(second)}"
        if case.branch == "torn":
            says += " Nothing in the log says that those bytes had been acknowledged."
        positions.append(Position(case.name, says, shapes, _chips(cases)[cases.index(case)]))
    if not given.log.pieces:
        title = "This log has no frames yet, so nothing can be torn"
    elif any(case.voucher for case in cases):
        title = "Only a later frame can tell damage from a torn tail"
    else:
        title = "Without a later frame, damage looks like a torn tail"
    vouched = (at for at, case in enumerate(cases) if case.voucher)
    start = next(vouched, int(given.branch == "whole" and len(cases) > 1))  # else what is torn
    return Figure(title, BOTTOM, "damage", tuple(positions), text, tuple(_still()), start)


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


# -------------------------------------------------------------------------------------- the damage


def _chips(cases: Sequence[Case]) -> list[Spot]:
    """Return a place for each damage to choose."""
    chips, x = [], LEFT
    for case in cases:
        width = svg.measure(case.short) + 44
        chips.append(Spot(x, CHOICE, width, 32))
        x += width + 8
    return chips


def _choice(cases: Sequence[Case], chosen: Case) -> Iterator[str]:
    for case, (x, y, width, height) in zip(cases, _chips(cases), strict=True):
        is_chosen = case is chosen
        yield svg.box(
            x, y, width, height, "you-p" if is_chosen else "card", "you" if is_chosen else "mark",
            radius=16,
        )  # fmt: skip
        yield (
            svg.handle(x + 18, y + 16)
            if is_chosen
            else svg.circle(x + 18, y + 16, 7, "card", "mark")
        )
        yield svg.text(x + 34, y + 22, case.short, "you-t" if is_chosen else "ink")


# ----------------------------------------------------------------------------------------- the log


def _log(case: Case) -> Iterator[str]:
    """Yield the log: whole frames with their fields, what doesn't check, what was cut off."""
    log = case.log
    if log.start:
        yield svg.box(LEFT, RIBBON, HEAD, HEIGHT, "header", "ink")
        yield svg.text(LEFT + HEAD / 2, RIBBON + 21, "head", "header-on", anchor="middle")
    for piece in log.pieces:
        x, width = log.x(piece.start), log.x(piece.end) - log.x(piece.start)
        if piece.frame:
            yield from bands(_leaves(piece.frame), log.x, RIBBON, HEIGHT)
            is_lost = case.is_lost(piece)
            if is_lost:
                yield svg.hatch(x, RIBBON, width, HEIGHT)
            yield svg.box(x, RIBBON, width, HEIGHT, "none", "wrong" if is_lost else "ink", radius=2)
        else:
            yield svg.box(x, RIBBON, width, HEIGHT, "wrong-p", radius=0)
            if case.branch == "torn":  # hatching means that a crash tore it off
                yield svg.hatch(x, RIBBON, width, HEIGHT)
            yield svg.ring(x, RIBBON, width, HEIGHT)
    end = log.x(log.size)
    if log.size < log.full:
        yield svg.box(end, RIBBON, RIGHT - end, HEIGHT, "none", "mark", radius=0, dashed=True)
        if RIGHT - end > svg.measure("cut off") + 12:
            yield svg.text((end + RIGHT) / 2, RIBBON + 21, "cut off", "ink2", anchor="middle")
    if log.flipped is not None:
        x = (log.x(log.flipped) + log.x(log.flipped + 1)) / 2
        yield svg.line(x, RIBBON, x, BELOW, "wrong", stroke=6)
    yield from _names(case)
    yield from _below(case)


def _leaves(found: Frame) -> Iterator[Region]:
    """Yield the regions of a frame, at its place in the log."""
    # The layout of a frame alone takes no salt. The bytes of the checksum aren't drawn.
    alone = frame.seal(found.kind, found.sequence, found.payload)
    for leaf in dissect(alone, format="frame").root.leaves():
        yield Region(leaf.start + found.start, leaf.end + found.start, leaf.kind, leaf.name)


def _beside(middle: float, room: float) -> float:
    """Return the left edge of something wide around a place, within the card."""
    return max(LEFT, min(middle - room / 2, RIGHT - room))


def _names(case: Case) -> Iterator[str]:
    """Yield kind and change of each whole frame, if there is room, and which doesn't check."""
    log, taken = case.log, range(0)
    if case.torn:
        words = "fails its check"
        room = svg.measure(words, bold=True) + 26
        x = _beside((log.x(case.torn.start) + log.x(case.torn.end)) / 2, room)
        yield svg.sign(x + 10, NAMES - 6, "wrong", 9)
        yield svg.text(x + 24, NAMES, words, "wrong-t", bold=True)
        taken = range(int(x - 8), int(x + room + 8))
    for found in filter(None, (piece.frame for piece in log.pieces)):
        x, end = log.x(found.start), log.x(found.end)
        columns = int((end - x) / svg.measure("M", bold=True))
        words = fit(_name(found), columns) if columns > 3 else found.kind.decode() * bool(columns)
        half, middle = svg.measure(words, bold=True) / 2, (x + end) / 2
        if words and not (int(middle - half) in taken or int(middle + half) in taken):
            vouches = found == case.voucher
            fill = "ink" if vouches else "ink2"
            yield svg.text(middle, NAMES, words, fill, bold=vouches, anchor="middle")


def _name(found: Frame) -> str:
    """Return a frame's kind and its change, unless it has none or none that can be read."""
    try:
        words = readers.change(log.decode_mutations(found.payload))
    except CorruptionError:
        words = ""
    return f"{found.kind.decode()} {words}"


def _below(case: Case) -> Iterator[str]:
    """Yield what a later frame says about the bad one, or that none does."""
    log, torn, y = case.log, case.torn, BELOW + 18
    words, fill, middle = "every frame checks", "ink2", (log.x(log.start) + RIGHT) / 2
    if torn:
        at, fill = (log.x(torn.start) + log.x(torn.end)) / 2, "ink"
        if case.voucher:
            other = (log.x(case.voucher.start) + log.x(case.voucher.end)) / 2
            yield svg.path(_d(other, BELOW + 3, other, y, at, y), "ink", stroke=2.5)
            yield svg.arrow(at, y, at, BELOW + 5)
            words = f"{case.voucher.kind.decode()}: “all before me was fsynced”"
        else:
            other = max(RIGHT, at + 20)
            yield svg.path(_d(at, BELOW + 5, at, y, other - 8, y), "ink", stroke=2, dashed=True)
            yield svg.arrow(other - 7, y, other, y)
            words = "no later frame vouches for it"
            if any(case.is_lost(piece) and piece.frame for piece in log.pieces):
                words += ": m doesn't"
        middle = (at + other) / 2
    elif case.offset is not None:
        words, fill, middle = f"wrong at offset {case.offset}", "wrong-t", log.x(case.offset)
        yield svg.arrow(middle, y + 4, middle, BELOW + 5, "wrong")
    room = svg.measure(words, bold=True)
    x = _beside(middle, room) + room / 2
    yield svg.text(x, BELOW + 38, words, fill, bold=bool(torn), anchor="middle")


def _d(x: float, y: float, *more: float) -> str:
    """Return a path from one point to the next."""
    points = [svg.number(one) for one in (x, y, *more)]
    return "M" + "L".join(f"{points[at]} {points[at + 1]}" for at in range(0, len(points), 2))


# ------------------------------------------------------------------------------------ the decision


def _still() -> Iterator[str]:
    """Yield the whole decision, quietly: the branch that is taken is drawn over it."""
    yield _pill("card", "mark", "ink2")
    yield _hexagon("card", "mark", "ink2")
    for branch in PLACES:
        yield _arrow(branch, "mark", "ink2")
        x = PLACES[branch]
        yield svg.box(x, CARDS, CARD, BOTTOM - 14 - CARDS, "none", "mark", radius=10)
        yield svg.text(x + 16, CARDS + 28, TITLES[branch], "ink2", bold=True)
        yield svg.text(x + 16, CARDS + 56, USUAL[branch], "ink2")
    yield _asked("mark", "ink2")


def _path(case: Case) -> Iterator[str]:
    """Yield the way to the answer, if it leads over the questions."""
    if case.branch == "whole" or case.torn:
        yield _pill("card", "ink", "ink")
        yield _arrow(case.branch, "ink", "ink")
    if case.torn:
        yield _asked("ink", "ink")
        yield _hexagon("card", "ink", "ink")


def _pill(fill: str, edge: str, ink: str) -> str:
    x, y, width, height = PILL
    words = svg.text(x + width / 2, y + 31, "Is every frame whole?", ink, anchor="middle")
    return svg.box(x, y, width, height, fill, edge, radius=25, stroke=2) + words


def _hexagon(fill: str, edge: str, ink: str) -> str:
    x, y, width, height = HEXAGON
    points = _d(x, y + height / 2, x + 20, y, x + width - 20, y, x + width, y + height / 2,
                x + width - 20, y + height, x + 20, y + height)  # fmt: skip
    middle = x + width / 2
    return (
        svg.path(points + "Z", edge, fill=fill, stroke=2)
        + svg.text(
            middle,
            y + 21,
            "Does a later whole frame vouch for it?",
            ink,
            bold=True,
            anchor="middle",
        )
        + svg.text(
            middle,
            y + 42,
            "M and C do: “all before me was fsynced”; m doesn't",
            ink,
            anchor="middle",
        )
    )


def _asked(edge: str, ink: str) -> str:
    """Return the arrow from the first question to the second."""
    x, y = PILL.x + PILL.width, ASKED + 25
    return svg.arrow(x, y, HEXAGON.x, y, edge) + svg.text(x + 10, y - 8, "no", ink, bold=True)


def _arrow(branch: Branch, edge: str, ink: str) -> str:
    """Return the arrow to one of the answers, and its word."""
    x, y = PLACES[branch] + CARD / 2, ASKED + 50
    word = "no" if branch == "torn" else "yes"
    return svg.arrow(x, y, x, CARDS, edge) + svg.text(x + 12, y + 20, word, ink, bold=True)


def _card(case: Case) -> Iterator[str]:
    """Yield the answer with its sign, and what recovery said."""
    token = "refused" if case.branch == "refused" else "right"
    x = PLACES[case.branch]
    yield svg.box(x, CARDS, CARD, BOTTOM - 14 - CARDS, f"{token}-p", token, radius=10, stroke=2)
    yield svg.sign(x + 22, CARDS + 22, token)
    yield svg.text(x + 40, CARDS + 28, TITLES[case.branch], f"{token}-t", bold=True)
    lines = [f"{case.told} back"]
    if case.branch == "torn":
        lines = [
            f"{count(case.dropped, 'byte')} dropped,",
            f"from offset {case.offset} on;",
            *lines,
        ]
    if case.branch == "refused":
        said = f"offset {case.offset}: {case.reason}"
        lines = wrap(said, COLUMNS, max_lines=3, placeholder=" …")
    for number, line in enumerate(lines):
        yield svg.text(x + 16, CARDS + 56 + 22 * number, fit(line, COLUMNS))
