"""Publishing a snapshot: two generations, and one pointer that turns when log.new is renamed.

Each fsync can be left out. Then some power cut leaves a disk that recovery refuses.
"""

from collections.abc import Iterator
from html import escape
from typing import Final

from kvlib.layout.text import hanging
from kvlib.plural import count
from kvlib.views import svg
from kvlib.views.figure import Figure, Position
from kvlib.views.publishing import (
    FSYNCS,
    GENERATIONS,
    NEW,
    OLD,
    REFUSED,
    FileState,
    Left,
    Stage,
    publish,
)

STEPS: Final = (  # each with its head in the picture
    ("write the segments", "segments", "write, fsync"),
    ("write log.new", "log.new", "write, fsync"),
    ("fsync the folder", "folder", "fsync"),
    ("rename log.new to log", "log", "rename"),
    ("fsync the folder", "folder", "fsync"),
    ("delete the old files", "old files", "delete"),
)
HEIGHT: Final = 420.0
COLUMN, FIRST = 110.0, 231.0
LANES: Final = {1: (140.0, OLD), 2: (192.0, NEW)}  # the top of each, and its price
LANE, BEGIN, END = 22.0, 171.0, 836.0
ANSWERS: Final = 228.0
CHIP: Final = 24.0
DISKS: Final = 308.0  # the top of the disks that may be left


def commit(*, without: int | None = None) -> Figure:
    """Show how a snapshot is published, and what recovery reads after a power cut at each step.

    Args:
        without: the step whose fsync is left out at first: 1, 2, 3 or 5; by default none.

    Raises ValueError if that step has no fsync.
    """
    variants = (0, *FSYNCS)
    if without is not None and without not in [*FSYNCS]:
        listed = ", ".join(map(str, FSYNCS))
        raise ValueError(f"without is {without!r}, expected a step that has an fsync: {listed}")
    published = {left_out: publish(left_out) for left_out in variants}
    positions = []
    for left_out, (stages, _) in published.items():
        rest = tuple(_variant(stages, left_out))
        for step, stage in enumerate(stages, 1):
            skipped = "The fsync of this step is left out. " if step == left_out else ""
            positions.append(
                Position(
                    f"step {step}, {STEPS[step - 1][0]}",
                    skipped + _says(stage),
                    (*rest, *_chosen(stages, step)),
                    (_x(step) - COLUMN / 2, 60, COLUMN, DISKS - 60),
                )
            )
    chosen = without or 0
    stages = published[chosen][0]
    first = next(step for step, stage in enumerate(stages, 1) if len([*stage.groups()]) > 1)
    if without is not None:
        first = min(_breaks(stages))
    return Figure(
        "One rename decides which snapshot recovery reads",
        HEIGHT,
        "power cut",
        tuple(positions),
        "\n".join(_text(published)),
        tuple(_fixed()),
        variants.index(chosen) * len(STEPS) + first - 1,
        switch=("every fsync", *(f"without fsync {step}" for step in FSYNCS)),
        folded=(("What each fsync is there for", _table(published)),),
    )


def _breaks(stages: list[Stage]) -> dict[int, list[Left]]:
    """Return the disks that are refused, for each step that may leave some."""
    groups = {step: dict(stage.groups()) for step, stage in enumerate(stages, 1)}
    return {step: found[REFUSED] for step, found in groups.items() if REFUSED in found}


def _says(stage: Stage) -> str:
    """Return what recovery reads, from how many of the disks."""
    size = len(stage.disks)
    disks = "Only one disk can be left" if size == 1 else f"{size:,} different disks can be left"
    groups = dict(stage.groups())
    if len(groups) == 1:
        (answer,) = groups
        return f"{disks}, and recovery reads {answer} from {'it' if size == 1 else 'all of them'}."
    refused = groups.pop(REFUSED, [])
    told = [f"{answer} from {len(found):,}" for answer, found in groups.items()]
    says = f"{disks}. Recovery reads {' and '.join(told)}"
    if refused:
        reason = f' ("{refused[0].reason}")' if len(refused) == 1 else ""
        says += f", and refuses {len(refused):,}{reason}: {_flaw(refused[0])}"
    return says + "."


def _flaw(left: Left) -> str:
    """Return what is wrong with a disk that is refused."""
    if left.names is None:
        return "log is torn"
    return f"log names {left.names}.segment, which is {left.files[left.names]}"


# ------------------------------------------------------------------------------------- the picture


def _x(step: int) -> float:
    """Return the middle of a step's column."""
    return FIRST + (step - 1) * COLUMN


def _fixed() -> Iterator[str]:
    """Yield what is the same with every fsync and without one."""
    for step, (_, name, _) in enumerate(STEPS, 1):
        x = _x(step)
        yield svg.text(x, 74, name, size=18, bold=True, anchor="middle")
        yield svg.line(x, 110, x, ANSWERS, stroke=1.2, dashed=True)
    for generation, (y, price) in LANES.items():
        yield svg.text(svg.MARGIN, y + 9, f"generation {generation}", size=18, bold=True)
        yield svg.text(svg.MARGIN, y + 29, price, "ink2")
    yield svg.text(svg.MARGIN, ANSWERS + 26, "after a cut", size=18, bold=True)
    yield svg.text(svg.MARGIN, ANSWERS + 47, "recovery reads", "ink2")


def _variant(stages: list[Stage], left_out: int) -> Iterator[str]:
    """Yield what is the same at all steps: the generations, the pointer, the answers."""
    for step, (_, _, how) in enumerate(STEPS, 1):
        if step == left_out:
            yield svg.text(_x(step), 95, "no fsync", "wrong-t", bold=True, anchor="middle")
        else:
            yield svg.text(_x(step), 95, how, "ink2", anchor="middle")
        yield svg.circle(_x(step), 114, 11, "ink2")
        yield svg.text(_x(step), 120, str(step), "card", bold=True, anchor="middle")
    for generation, (y, _) in LANES.items():
        yield from _lane(stages, generation, y)
    yield from _pointer(stages)
    for step, stage in enumerate(stages, 1):
        for row, (answer, _) in enumerate(stage.groups()):
            yield _answer(_x(step), ANSWERS + row * (CHIP + 2), answer)


def _lane(stages: list[Stage], generation: int, y: float) -> Iterator[str]:
    """Yield how long a generation's segment exists."""
    exists = [step for step, stage in enumerate(stages, 1) if generation in stage.present]
    begin = BEGIN if exists[0] == 1 and generation == stages[0].names else _x(exists[0])
    end = END if exists[-1] == len(stages) else _x(exists[-1] + 1)
    yield svg.box(begin, y, end - begin, LANE, "checksum", "mark")
    if end < END:
        yield svg.box(end, y, END - end, LANE, "none", "mark", stroke=1.3, dashed=True)
        yield svg.text((end + END) / 2, y + 17, "gone", "ink2", italic=True, anchor="middle")


def _pointer(stages: list[Stage]) -> Iterator[str]:
    """Yield the line that follows what log names, and where a power cut may still turn it back."""
    turn = next(step for step, stage in enumerate(stages, 1) if stage.names != stages[0].names)
    upper, lower = (LANES[generation][0] + LANE / 2 for generation in GENERATIONS)
    x, ys = _x(turn), [svg.number(y) for y in (upper, lower)]
    xs = [svg.number(n) for n in (BEGIN, x - 22, x + 14, x - 14, x + 22, END - 2)]
    way = f"M{xs[0]} {ys[0]}H{xs[1]}C{xs[2]} {ys[0]} {xs[3]} {ys[1]} {xs[4]} {ys[1]}H{xs[5]}"
    yield svg.path(way, "card", stroke=9)
    back = [step for step, stage in enumerate(stages, 1) if step >= turn and _may_turn(stage)]
    end = min(END - 4, _x(back[-1] + 1)) if back[-1] < len(stages) else _x(len(stages))
    yield svg.path(
        f"M{svg.number(x + 12)} {ys[0]}H{svg.number(end - 6)}", "you", stroke=4, dashed=True
    )
    middle = (upper + lower) / 2
    yield svg.box(x - 168, middle - 12, 328, 24, "card", radius=0)  # above the dashed lines
    yield svg.path(way, "you", stroke=5)
    yield svg.text(x - 22, middle + 6, "what log names", "you-t", bold=True, anchor="end")
    yield svg.text(x + 22, middle + 6, "a cut may bring this back", "you-t")


def _may_turn(stage: Stage) -> bool:
    """Return whether a power cut may leave an older log."""
    return any(left.names not in (stage.names, None) for left in stage.disks)


def _answer(x: float, y: float, answer: str) -> str:
    """Return an answer as a chip around x."""
    if answer == REFUSED:
        chip = svg.box(x - 52, y, 104, CHIP, "refused-p", "refused", radius=7)
        words = svg.text(x - 26, y + 18, answer, "refused-t", bold=True)
        return chip + svg.sign(x - 39, y + CHIP / 2, "refused", 8) + words
    fill, ink = ("value-p", "ink") if answer == OLD else ("value", "value-on")
    chip = svg.box(x - 37, y, 74, CHIP, fill, "right-t", radius=7)
    return chip + svg.text(x, y + 18, answer, ink, anchor="middle")


def _chosen(stages: list[Stage], step: int) -> Iterator[str]:
    """Yield the mark of the chosen step, and the disks that may be left."""
    x, stage = _x(step), stages[step - 1]
    yield svg.line(x, 114, x, ANSWERS, "you", stroke=2.5)
    yield svg.circle(x, 114, 12, "you")
    yield svg.text(x, 120, str(step), "you-on", bold=True, anchor="middle")
    turns = step > 1 and stage.names != stages[step - 2].names
    upper, lower = (LANES[generation][0] + LANE / 2 for generation in GENERATIONS)
    y = (upper + lower) / 2 if turns else (upper, lower)[stage.names - 1]
    yield svg.handle(x, y)
    groups = [*stage.groups()]
    broken = any(answer == REFUSED for answer, _ in groups)
    yield svg.box(14, DISKS, 832, HEIGHT - DISKS - 10, "wrong-p" if broken else "you-p", radius=10)
    size = len(stage.disks)
    words = "One disk can be left" if size == 1 else f"{size:,} different disks can be left"
    yield svg.text(svg.MARGIN, DISKS + 20, words, "wrong-t" if broken else "you-t", bold=True)
    for row, (answer, found) in enumerate(groups):
        yield from _disks(DISKS + 38 + row * 24.5, answer, found)


def _disks(y: float, answer: str, found: list[Left]) -> Iterator[str]:
    """Yield a row for the disks with one answer: log, the segment that it names, the other one."""
    names = found[0].names
    yield _file(40, 46, y, "log", "torn" if names is None else "whole", False)
    if names is None:
        yield svg.text(92, y + 6, "is torn", "wrong-t")
    else:
        yield svg.text(92, y + 6, "names", "you-t")
        yield svg.arrow(150, y, 171, y, "you")
    x = 174.0
    states = {one: {left.files[one] for left in found} for one in GENERATIONS}
    for one in sorted(GENERATIONS, key=lambda one: (one != names, len(states[one]))):
        state = _state(states[one])
        wrong = one == names and state != "whole"
        yield _file(x, 106, y, f"{one}.segment", state, wrong)
        yield svg.text(x + 112, y + 6, state, "wrong-t" if wrong else "ink2")
        x += 196
    verdict = "refused" if answer == REFUSED else "right"
    yield svg.sign(620, y, verdict, 9)
    yield svg.text(636, y + 6, answer, f"{verdict}-t", bold=True)
    yield svg.text(834, y + 6, count(len(found), "disk"), "ink2", anchor="end")


def _state(states: set[FileState]) -> str:
    """Return the state of a file on several disks in a word or three."""
    if len(states) == 1:
        (state,) = states
        return state
    if len(states) > 2:
        return "in any state"
    return "perhaps torn" if "torn" in states else "perhaps gone"


def _file(x: float, width: float, y: float, name: str, state: str, wrong: bool) -> str:
    """Return a file's box; only a whole one has a solid edge."""
    place = (x, y - 11, width, 22)
    edge = "ink" if state == "whole" else "wrong" if wrong or state == "torn" else "mark"
    shapes = svg.box(*place, "card", edge, dashed=state != "whole")
    if state == "torn":
        shapes += svg.hatch(*place, "wrong-p")
    ink = "ink2" if state == "missing" and not wrong else "ink"
    return shapes + svg.text(x + width / 2, y + 6, name, ink, anchor="middle")


# --------------------------------------------------------------------------------- text and table


def _text(published: dict[int, tuple[list[Stage], int]]) -> Iterator[str]:
    stages, size = published[0]
    yield f"After a power cut, recovery reads ({count(size, 'different disk')} in all):"
    for step, stage in enumerate(stages, 1):
        answers = " or ".join(answer for answer, _ in stage.groups())
        yield f"  {step} {STEPS[step - 1][0]:23}{answers}"
    for left_out in FSYNCS:
        yield from hanging(f"  without the fsync of {left_out}: ", _purpose(published[left_out][0]))


def _purpose(stages: list[Stage]) -> str:
    """Return what goes wrong without an fsync, in words."""
    broken = _breaks(stages)
    step, found = next(iter(broken.items()))
    disks = f"{count(len(found), 'disk')} of {len(stages[step - 1].disks):,}"
    return f"{disks} can't be read if the power goes at step {step}: {_flaw(found[0])}"


def _table(published: dict[int, tuple[list[Stage], int]]) -> str:
    rows = "".join(
        f"<tr><th scope=row>{step} {escape(STEPS[step - 1][0])}</th>"
        f"<td>{escape(_purpose(published[step][0]))}</td></tr>"
        for step in FSYNCS
    )
    return f"<table><tr><th scope=col>fsync</th><th scope=col>without it</th></tr>{rows}</table>"
