"""Where a put's bytes are: memory of the process, cache of the system, medium.

A real store puts one or two records on a disk that can lose power. After each step, recovery is
asked what comes back if the process is killed now, and for every disk that a power cut may leave.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from kvlib.encoding import Item, encode_field
from kvlib.layout.text import width
from kvlib.views import svg
from kvlib.views.accidents import Records, Step, watch
from kvlib.views.arguments import check_kind
from kvlib.views.chips import breadth, chip, label, record
from kvlib.views.figure import Figure, Position

PUTS: Final[Mapping[Item, Item]] = {"café": "2,50 €", "thé": "3,10 €"}
LIMIT: Final = 100  # bytes of a record as fields, because each adds disks that may be left
ACCIDENTS: Final = ("no accident", "kill -9", "power cut")
SHELVES: Final = (
    ("memory", "of the process"),
    ("cache", "of the system"),
    ("medium", "disk or flash"),
)
WIPED: Final = {"no accident": 0, "kill -9": 1, "power cut": 2}  # how many shelves, from the top

KEY, VALUE = 40.0, 62.0  # the room for words on a chip
ROWS, PITCH = 118.0, 34.0
TRACK, NAMES, COLUMNS = 42.0, 58.0, (176.0, 290.0)
PANEL, SHELF, END = 432.0, 566.0, 836.0
BOARDS: Final = (178.0, 252.0, 326.0)
BACK, HEIGHT = 350.0, 420.0


def shelves(
    *, sync: Literal["always", "never"] | int = "always", puts: Mapping[Item, Item] = PUTS
) -> Figure:
    """Show where the bytes of a put are, step by step, and what an accident leaves of them.

    Args:
        sync: when the store fsyncs, as for `kvlib.open`.
        puts: one or two records of at most 100 bytes as fields, put in this order.

    Raises:
        TypeError: `puts` isn't a mapping of str or bytes.
        ValueError: another number of records, a longer record, another `sync`.
    """
    check_kind("puts", puts, Mapping, "is one or two records as a dict, such as {'a': '1'}")
    if len(puts) not in (1, 2):
        raise ValueError(f"puts has {len(puts)} records, expected one or two")
    for key, value in puts.items():
        size = len(encode_field(key) + encode_field(value))
        if size > LIMIT:
            raise ValueError(f"a record is too long: {size:,} bytes as fields, at most {LIMIT}")
    steps = watch(puts, sync)
    positions = tuple(
        Position(
            _name(step) if step.name == "append" else f"{step.name} ({label(step.key, KEY)})",
            _says(step, accident),
            tuple(_draw(steps, number, accident, puts)),
            (svg.MARGIN - 6, _row(number) - PITCH / 2, 386, PITCH),
        )
        for accident in ACCIDENTS
        for number, step in enumerate(steps)
    )
    last_append = max(at for at, step in enumerate(steps) if step.name == "append")
    durable = all(step.key in step.medium for step in steps if step.name == "return")
    return Figure(
        "A put is safe once its bytes have reached the medium"
        if durable
        else "A put that returns before its fsync may be lost",
        HEIGHT,
        "step",
        positions,
        "\n".join(_text(steps)),
        tuple(_frame(len(steps))),
        ACCIDENTS.index("power cut") * len(steps) + last_append,
        (1, 1),
        ACCIDENTS,
    )


def _name(step: Step) -> str:
    return f"append {label(step.key, KEY)}" if step.name == "append" else step.name


def _says(step: Step, accident: str) -> str:
    key = label(step.key, 240)
    if accident == "no accident":
        if step.name == "append":
            return f"The bytes of {key} are in the system's cache, and put is still running."
        if step.name == "fsync":
            return f"The bytes of {key} have reached the medium, and put is still running."
        where = "on the medium" if step.key in step.medium else "in the cache, not on the medium"
        return f"put has returned. {key} is in memory and {where}."
    if accident == "kill -9":
        return f"The process loses its memory. The system keeps its cache: {_coming(step.killed)}."
    if step.disks == 1:
        return f"Memory and cache are wiped, the medium keeps its bytes: {_coming(step.medium)}."
    certain = [one for one, number in step.left.items() if number == step.disks]
    perhaps = " and ".join(label(one, 240) for one in step.left if one not in certain)
    what = f"{_coming(certain)}, {perhaps} perhaps" if certain else f"{perhaps} may come back"
    return f"Memory and cache are wiped; any part of {key} may have reached the medium: {what}."


def _coming(keys: Iterable[Item]) -> str:
    """Return which records come back."""
    names = [label(key, 240) for key in keys]
    return f"{' and '.join(names)} {'comes' if len(names) == 1 else 'come'} back"


# ------------------------------------------------------------------------------------- the picture


def _row(number: int) -> float:
    """Return the middle of a step's row."""
    return ROWS + number * PITCH


def _frame(rows: int) -> Iterator[str]:
    """Yield what doesn't change: the table's head and legend, the boards and their names."""
    yield svg.text(NAMES, 86, "step", "ink2")
    yield svg.box(418, 62, 430, BACK, "none", "rule", radius=10)
    for x, name in zip(COLUMNS, ACCIDENTS[1:], strict=True):
        yield _accident(x, 86, name)
    yield svg.line(TRACK, _row(0), TRACK, _row(rows - 1), stroke=4)
    yield svg.text(NAMES, BACK - 8, "what comes back", "ink2")
    x = NAMES
    for pale, words in ((False, "for certain"), (True, "perhaps")):
        yield chip(x, BACK + 6, 40, 28, "", "key", pale=pale)
        yield svg.text(x + 48, BACK + 26, words, "ink2")
        x += 60 + svg.measure(words) + 12
    for y, (name, whose) in zip(BOARDS, SHELVES, strict=True):
        thick = 8 if name == "medium" else 5
        yield svg.box(SHELF, y, END - SHELF, thick, "mark", radius=2)
        yield svg.text(PANEL, y - 24, name, size=18, bold=True)
        yield svg.text(PANEL, y - 3, whose, "ink2")
    yield svg.text(PANEL, BACK + 16, "comes back", size=18, bold=True)


def _accident(x: float, y: float, name: str) -> str:
    """Return an accident's sign and name; the baseline is at y."""
    if name == "kill -9":
        cross = svg.path(
            f"M{svg.number(x)} {svg.number(y - 12)}l11 11m0 -11l-11 11", "wrong", stroke=3
        )
        return cross + svg.text(x + 19, y, name, "wrong-t", bold=True, mono=True)
    bolt = f"M{svg.number(x + 8)} {svg.number(y - 16)}l-8 10h5l-3 9l9 -11h-5l4 -8Z"
    return svg.path(bolt, fill="wrong") + svg.text(x + 19, y, name, "wrong-t", bold=True)


def _draw(
    steps: list[Step], chosen: int, accident: str, puts: Mapping[Item, Item]
) -> Iterator[str]:
    step = steps[chosen]
    yield svg.box(svg.MARGIN - 6, _row(chosen) - 16, 386, 32, "you-p", radius=8)
    for number, one in enumerate(steps):
        yield from _step(one, _row(number), number - chosen)
    yield svg.handle(TRACK, _row(chosen))
    words = f"after {_name(step)}"
    yield svg.text(PANEL, 88, words, "you-t", bold=True)
    if accident != "no accident":
        x = COLUMNS[ACCIDENTS.index(accident) - 1]
        yield svg.box(x - 5, _row(chosen) - 16, 118, 32, "none", "you", stroke=3.2, radius=8)
        yield _accident(PANEL + svg.measure(words, bold=True) + 12, 88, accident)
    for number, y in enumerate(BOARDS):
        if number < WIPED[accident]:
            yield from _wiped(y, bool(step.shelf(number)))
        else:
            yield from _shelf(step, number, y, puts)
    if accident == "no accident":
        yield from _move(step, puts)
    yield from _back(step, accident)


def _step(step: Step, y: float, ahead: int) -> Iterator[str]:
    """Yield a row of the table; a step that is still to come has no answers."""
    waits = ahead > 0
    indent = 0 if step.name == "append" else 16
    ink = "faint" if waits else "ink"
    yield svg.text(NAMES + indent, y + 6, _name(step), ink)
    yield svg.circle(TRACK, y, 5, "card" if waits else "mark", "mark", 2)
    if waits:
        return
    for x, accident in zip(COLUMNS, ACCIDENTS[1:], strict=True):
        yield from _keys(x, y - 12, 24, step.comes_back(accident))


def _keys(
    x: float, y: float, height: float, keys: Mapping[Item, bool], gap: float = 3
) -> Iterator[str]:
    """Yield keys as chips; those that don't come back for certain are pale."""
    for key, surely in keys.items():
        words = label(key, KEY)
        across = breadth(words) - 4
        yield chip(x, y, across, height, words, "key", pale=not surely)
        x += across + gap


def _places(keys: Records, puts: Mapping[Item, Item]) -> Iterator[tuple[Item, float, float]]:
    """Yield the records on a shelf: key, x and width."""
    x = SHELF
    for key in keys:
        across = breadth(label(key, KEY)) + breadth(label(puts[key], VALUE))
        yield key, x, across
        x += across + 8


def _shelf(step: Step, number: int, y: float, puts: Mapping[Item, Item]) -> Iterator[str]:
    end = SHELF
    for key, x, across in _places(step.shelf(number), puts):
        halves = label(key, KEY), label(puts[key], VALUE)
        yield record(x, y - 30, 30, *halves, pale=number < 2)
        end = x + across + 8
    if number == 0 and step.name != "return":
        words = "running …" if step.memory else "put is running …"
        yield svg.text(end + 4, y - 10, words, "faint", italic=True)


def _wiped(y: float, lost: bool) -> Iterator[str]:
    """Yield a shelf that an accident wipes, and whether anything was lost there."""
    place = (SHELF, y - 56, END - SHELF, 54)
    yield svg.box(*place, "none", "wrong", radius=0, dashed=True)
    words = "wiped" if lost else "was empty"
    middle = (SHELF + END) / 2
    yield svg.text(middle, y - 23, words, "wrong-t", bold=True, anchor="middle")


def _move(step: Step, puts: Mapping[Item, Item]) -> Iterator[str]:
    """Yield the way that a step takes the bytes of its record: an arrow down, or the return."""
    if step.name == "return":
        yield svg.sign(SHELF + 10, BOARDS[0] - 48, "right")
        yield svg.text(SHELF + 26, BOARDS[0] - 42, "returned", "right-t", bold=True)
        return
    number = 1 if step.name == "append" else 2
    for key, x, across in _places(step.shelf(number), puts):
        if key == step.key:
            y = BOARDS[number]
            yield svg.arrow(x + across / 2, BOARDS[number - 1] + 8, x + across / 2, y - 33)


def _back(step: Step, accident: str) -> Iterator[str]:
    """Yield what comes back after an accident, with a word for each record."""
    if accident == "no accident":
        yield svg.text(SHELF, BACK + 18, "no accident yet", "ink2")
        return
    x = SHELF
    for key, surely in step.comes_back(accident).items():
        yield from _keys(x, BACK - 4, 28, {key: surely})
        words, ink = ("for certain", "right-t") if surely else ("perhaps", "ink2")
        yield svg.text(x, BACK + 46, words, ink)
        x += 100


def _text(steps: list[Step]) -> Iterator[str]:
    """Yield a line for each step: where the records are, and which come back."""

    def listed(keys: Records) -> str:
        return ", ".join(label(key, KEY) for key in keys) or "-"

    rows = [("step", *(name for name, _ in SHELVES), *ACCIDENTS[1:])]
    for number, step in enumerate(steps, 1):
        surely, perhaps = step.medium, [key for key in step.left if key not in step.medium]
        back = [listed(surely)] * bool(surely) + [f"perhaps {listed((*perhaps,))}"] * bool(perhaps)
        power = ", ".join(back) or "-"
        places = [listed(step.shelf(place)) for place in range(3)]
        rows.append((f"{number} {_name(step)}", *places, listed(step.killed), power))
    sizes = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, sizes, strict=True)
        yield "  ".join(word + " " * (size - width(word)) for word, size in cells).rstrip()
