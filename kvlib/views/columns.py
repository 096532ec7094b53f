"""A store after each operation: memory, log and snapshot side by side.

Below them, recovery's answer if the power went now. Everything is drawn from the layouts of the
store's files, from its records, and from what recovery gave back.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from kvlib.encoding import Item
from kvlib.layout.regions import Region, RegionKind
from kvlib.layout.text import fit
from kvlib.plural import count
from kvlib.snapshot import LOG, SEGMENT_NAME
from kvlib.views import records, svg
from kvlib.views.cells import TOKENS, strip
from kvlib.views.figure import Figure, Position
from kvlib.views.timeline import Scene, Timeline, Verdict

HEIGHT: Final = 416
LEFT, RIGHT = svg.MARGIN, svg.WIDTH - svg.MARGIN
TRACK: Final = 95  # the y of the operations
TOP, BOTTOM = 140, 334  # of what the columns hold
INDENT: Final = 18  # room for a sign
ROW: Final = 28
FRAME: Final = 38
CARD: Final = 54
PALE: Final[dict[RegionKind, str]] = {"key": "key-p", "value": "value-p"}
WORDS: Final = {"+": "new", "~": "changed", "-": "gone", " ": ""}


class Column(NamedTuple):
    """A column: its name, and where it is."""

    name: str
    x: float
    width: float


MEMORY: Final = Column("memory", LEFT, 236)
DISK: Final = Column("log", 284, 320)
SNAPSHOT: Final = Column("snapshot", 624, 208)


class Step(NamedTuple):
    """A store after an operation.

    Attributes:
        before: the records in memory before the operation.
        memory: the records in memory, or None while the store is closed.
        held: the records that recovery should give back.
        back: the records that it gives back if the power goes now.
        safe: how many bytes of the log an fsync has made safe.
        files: all files, the log first; new bytes are marked.
    """

    before: records.Records
    memory: records.Records | None
    held: records.Records
    back: records.Records
    safe: int
    files: tuple[Scene, ...]


def draw(timeline: Timeline, steps: Sequence[Step]) -> Figure:
    """Return a timeline of operations as a figure, with the store after each of them."""
    sizes = [end - start for step in steps for start, end in map(_span, _frames(step.files[0]))]
    scale = (DISK.width - INDENT) / max(sizes)
    positions = []
    for number, (moment, step) in enumerate(zip(timeline.moments, steps, strict=True)):
        verdict = moment.outcomes[0].verdict
        shapes = [
            *_operations(timeline, number),
            *_memory(step),
            *_log(step, scale),
            *_snapshot(step),
            *_power_cut(step, verdict),
        ]
        says = " ".join(_says(step, dict(moment.notes), verdict))
        spot = (_place(timeline, number) - 6, TRACK - 12, 12, 24)
        positions.append(Position(moment.label, says, tuple(shapes), spot, verdict))
    return Figure(
        _title(timeline),
        HEIGHT,
        timeline.control,
        tuple(positions),
        repr(timeline),
        tuple(_fixed(timeline)),
        len(positions) - 1,  # the last one shows most
        folded=timeline.folded_runs(),
    )


def _title(timeline: Timeline) -> str:
    done = len(timeline.moments) - 1
    wrong = sum(moment.outcomes[0].verdict == "wrong" for moment in timeline.moments)
    if not done:
        return "A new store: memory, log and snapshot"
    if not wrong:
        return f"After each of {count(done, 'operation')}, a power cut loses nothing"
    after = "" if done == 1 else "each of " if wrong == done else f"{wrong} of "
    return f"After {after}{count(done, 'operation')}, a power cut may lose changes"


# ---------------------------------------------------------------------- the operations, at the top


def _place(timeline: Timeline, number: int) -> float:
    """Return the x of an operation."""
    return LEFT + (number + 0.5) * (RIGHT - LEFT) / len(timeline.moments)


def _fixed(timeline: Timeline) -> Iterator[str]:
    """Yield the track with a verdict for each operation, and the lines between the columns."""
    pitch = (RIGHT - LEFT) / len(timeline.moments)
    ends = (_place(timeline, 0), _place(timeline, len(timeline.moments) - 1))
    yield svg.line(ends[0], TRACK, ends[1], TRACK, "rule", stroke=4 if pitch >= 24 else 1)
    ticks, crosses = "", ""
    for number, moment in enumerate(timeline.moments):
        verdict, x = moment.outcomes[0].verdict, _place(timeline, number)
        if pitch >= 24:
            yield svg.sign(x, TRACK, verdict, 9)
        elif verdict == "right":
            ticks += f"M{svg.number(x - 4)} {TRACK}l3 4l5 -8"
        else:
            crosses += f"M{svg.number(x - 4)} {TRACK - 4}l8 8m-8 0l8 -8"
    for d, ink in ((ticks, "right-t"), (crosses, "wrong")):
        if d:
            yield svg.path(d, ink, stroke=2.5)
    for column in (MEMORY, DISK, SNAPSHOT):
        yield svg.text(column.x, TOP - 10, column.name, size=18, bold=True)
        if column is not MEMORY:
            yield svg.line(column.x - 10, TOP - 24, column.x - 10, BOTTOM - 6, "rule")


def _operations(timeline: Timeline, number: int) -> Iterator[str]:
    """Yield the labels, all of them if there is room, and the handle on the chosen one."""
    pitch = (RIGHT - LEFT) / len(timeline.moments)
    labels = [moment.label for moment in timeline.moments]
    roomy = all(svg.measure(label, bold=True) + 8 < pitch for label in labels)
    for at, label in enumerate(labels):
        if roomy or at == number:
            half = svg.measure(label, bold=True) / 2
            x = min(max(_place(timeline, at), LEFT + half), RIGHT - half)
            ink, bold = ("you-t", True) if at == number else ("ink2", False)
            yield svg.text(x, TRACK - 17, label, ink, bold=bold, anchor="middle")
    yield from svg.shift(_place(timeline, number), TRACK, [svg.handle(0, 0)])


# -------------------------------------------------------------------------------------- the columns


def _memory(step: Step) -> Iterator[str]:
    """Yield the records in memory, those that changed in any case."""
    if step.memory is None:
        yield _told(MEMORY, "the store is closed")
        return
    rows = [*records.compared(step.before, step.memory)]
    room = int((BOTTOM - TOP) / ROW)
    hidden = 0
    if len(rows) > room:
        ranked = sorted(range(len(rows)), key=lambda at: (rows[at][0] == " ", -at))
        hidden = len(rows) - room + 1
        rows = [rows[at] for at in sorted(ranked[: room - 1])]
    for number, (mark, key, value) in enumerate(rows):
        word = WORDS[mark]
        left = MEMORY.width - INDENT - (svg.measure(word) + 6 if word else 0)
        made = records.chip(key, value, left, "gone" if mark == "-" else "solid")
        shapes = [*made.shapes]
        if word:
            right = MEMORY.width - INDENT
            shapes += [_sign(mark), svg.text(right, 17.5, word, "ink2", anchor="end")]
        yield from svg.shift(MEMORY.x + INDENT, TOP + number * ROW, shapes)
    if hidden:
        yield from _more(MEMORY, TOP + len(rows) * ROW, hidden, "record")
    if not rows:
        yield _told(MEMORY, "empty")


def _log(step: Step, scale: float) -> Iterator[str]:
    """Yield the frames of the log, the last ones if there is no room for all."""
    scene = step.files[0]
    size, frames = len(scene.layout.data), _frames(scene)
    words = f"{size:,} B, {'all' if step.safe == size else f'{step.safe:,}'} fsynced"
    yield svg.text(DISK.x + DISK.width, TOP - 10, words, "ink2", anchor="end")
    y, hidden = float(TOP), max(0, len(frames) - int((BOTTOM - TOP) / FRAME))
    if hidden:
        hidden += 1
        yield from _more(DISK, y, hidden, "earlier frame")
        y += 24
    for frame in frames[hidden:]:
        new = any(start < frame[-1].end <= end for start, end in scene.marks)
        safe = frame[-1].end <= step.safe
        yield from svg.shift(DISK.x + INDENT, y, _frame(frame, scale, new, safe))
        y += FRAME


def _frames(scene: Scene) -> list[list[Region]]:
    """Return the leaves of each frame of a log; the preamble belongs to the head."""
    preamble, *frames = [[*child.leaves()] for child in scene.layout.root.children]
    return [preamble + frames[0], *frames[1:]]


def _span(leaves: list[Region]) -> tuple[int, int]:
    return leaves[0].start, leaves[-1].end


def _frame(leaves: list[Region], scale: float, new: bool, safe: bool) -> Iterator[str]:
    """Yield a frame at (0, 0): its kind, its key, its size and offset, and its bytes to scale."""
    start, end = _span(leaves)
    kind = next(leaf.note for leaf in leaves if leaf.name.endswith(".kind"))
    if kind == "mutations":
        kind = next(leaf.note for leaf in leaves if leaf.name.endswith(".operation"))
    words = f"{end - start:,} B" + (f" at {start:,}" if start else "")
    room = DISK.width - INDENT - svg.measure("new: " + words)
    x = svg.measure(kind, bold=True) + 8
    yield svg.text(0, 17.5, kind, bold=True)
    named = {leaf.kind: leaf.value for leaf in leaves if leaf.value is not None}
    if kind == "head":
        yield records.tile(f"generation {named['sequence']!r}", "header", room - x - 8, x)
    elif "key" in named:
        yield records.tile(records.shown(_item(named["key"])), "key", room - x - 8, x)
    yield svg.text(DISK.width - INDENT, 17.5, words, "ink2", anchor="end")
    data = next((leaf.start for leaf in leaves if leaf.kind == "key"), end)
    for part in (range(start, data), range(data, end)):  # the header recurs in every frame
        held = [leaf for leaf in leaves if leaf.start in part]
        x = (part.start - start) * scale
        yield strip(held, x, 26, scale, 8, TOKENS if safe else PALE)
    if new:
        yield _sign("+") + svg.text(room, 17.5, "new:", "ink2")
    if new or not safe:
        edge, stroke = ("ink", 2.2) if new else ("mark", 1.5)
        wide = (end - start) * scale
        yield svg.box(0, 26, wide, 8, "none", edge, stroke=stroke, radius=2, dashed=not safe)


def _item(value: Item | int | None) -> Item:
    return value if isinstance(value, (str, bytes)) else repr(value)


def _snapshot(step: Step) -> Iterator[str]:
    """Yield the snapshot's generation, and its segment files."""
    segments = [
        (int(match[1], 16), int(match[2], 16), scene)
        for scene in step.files
        if (match := SEGMENT_NAME.fullmatch(scene.layout.source))
    ]
    made = records.tile(f"generation {segments[0][0]}", "header", SNAPSHOT.width)
    yield from svg.shift(SNAPSHOT.x, TOP, [made])
    y, room = TOP + 30, int((BOTTOM - TOP - 30) / CARD)
    kept = segments if len(segments) <= room else segments[: room - 1]
    for _, index, scene in kept:
        yield from svg.shift(SNAPSHOT.x, y, _card(index, scene))
        y += CARD
    if len(kept) < len(segments):
        yield from _more(SNAPSHOT, y, len(segments) - len(kept), "segment")


def _card(index: int, scene: Scene) -> Iterator[str]:
    """Yield a segment file at (0, 0): its index, its size, its bytes to scale, its keys."""
    leaves = [*scene.layout.root.leaves()]
    size, wide, new = len(scene.layout.data), SNAPSHOT.width - 12, bool(scene.marks)
    yield svg.box(0, 0, SNAPSHOT.width, CARD - 6, "card", "ink" if new else "rule")
    words = f"{size:,} B"
    shape = svg.text(24, 17.5, records.shorten(f"segment {index}", wide - 26 - svg.measure(words)))
    shape += svg.text(wide + 6, 17.5, words, "ink2", anchor="end")
    shape += strip(leaves, 6, 22, wide / size, 6)
    keys = [_item(leaf.value) for leaf in leaves if leaf.kind == "key" and leaf.value is not None]
    part = any(leaf.name.startswith("record[") for leaf in leaves)
    listed = ", ".join(map(records.shown, keys)) or ("a split record" if part else "no records")
    yield shape + svg.text(6, 43.5, records.shorten(listed, wide - 36), "ink2")
    if new:
        yield from svg.shift(INDENT + 4, 0, [_sign("+")])
        yield svg.text(wide + 6, 43.5, "new", "ink2", anchor="end")


def _sign(mark: str) -> str:
    return svg.text(-INDENT, 17.5, mark, size=18, bold=True, mono=True)


def _told(column: Column, words: str) -> str:
    return svg.text(column.x + INDENT, TOP + 17.5, words, "ink2", italic=True)


def _more(column: Column, y: float, number: int, unit: str) -> Iterator[str]:
    words = f"and {count(number, unit if column is DISK else f'more {unit}')}"
    yield svg.text(column.x + INDENT, y + 17.5, words, "ink2", italic=True)


# -------------------------------------------------------------------------- recovery, at the bottom


def _power_cut(step: Step, verdict: Verdict) -> Iterator[str]:
    """Yield what recovery gives back if the power goes now; what is wrong comes first."""
    yield svg.box(LEFT - 8, BOTTOM + 2, RIGHT - LEFT + 16, 70, f"{verdict}-p", radius=8)
    y = BOTTOM + 24
    yield svg.sign(LEFT + 10, y - 6, verdict)
    yield svg.text(LEFT + 28, y, verdict, f"{verdict}-t", bold=True)
    would = "would" if verdict == "right" else "would not"
    words = f"If the power went now, recovery {would} give back the same records:"
    yield svg.text(LEFT + 42 + svg.measure(verdict, bold=True), y, words)
    names = {" ": "", "~": "old value", "+": "deleted, but back", "-": "lost"}
    rows = sorted(records.compared(step.held, step.back), key=lambda row: row[0] == " ")
    x, y, room = LEFT + 4.0, y + 11, RIGHT - 150
    for number, (mark, key, value) in enumerate(rows):
        word = names[mark]
        made = records.chip(key, value, 240, "lost" if mark == "-" else "solid")
        before = svg.measure(word, bold=True) + 8 if word else 0
        wide = before + made.width
        if x + wide > (room if number + 1 < len(rows) else RIGHT):
            yield svg.text(x, y + 17.5, f"and {len(rows) - number} more", "ink2", italic=True)
            return
        if word:
            yield svg.text(x, y + 17.5, word, "wrong-t", bold=True)
        yield from svg.shift(x + before, y, made.shapes)
        x += wide + 14
    if not rows:
        yield svg.text(x, y + 17.5, "no records", "ink2", italic=True)


def _says(step: Step, notes: Mapping[str, str], verdict: Verdict) -> Iterator[str]:
    """Yield sentences: what the operation did, and what a power cut would do."""
    if "recovered" in notes:
        yield f"Opening the store: {notes['recovered']}."
    if "answer" in notes:
        yield f"The store returns {notes['answer']}."
    new = [
        f"{count(end - start, 'byte')} at offset {start:,} of {_named(scene)}"
        for scene in step.files
        for start, end in scene.marks
    ]
    yield f"New on the disk: {fit(', '.join(new), 160)}." if new else "No byte on the disk changes."
    if verdict == "right":
        yield "If the power went now, nothing would be lost."
    else:
        yield f"If the power went now, recovery would give back {fit(repr(dict(step.back)), 48)}."


def _named(scene: Scene) -> str:
    match = SEGMENT_NAME.fullmatch(scene.layout.source)
    return f"segment {int(match[2], 16)}" if match else f"the {LOG}"
