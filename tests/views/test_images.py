"""The disks that a power cut can leave, and recovery's answers."""

import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kvlib
from helpers.golden import check_width
from kvlib import CorruptionError, DurableStore
from kvlib.crash import GARBAGE, CrashDisk, boot
from kvlib.disk import MemoryDisk
from kvlib.encoding import Item
from kvlib.views import disks
from kvlib.views.disks import damage
from kvlib.views.figure import LIMIT, Figure
from kvlib.views.images import MOST, images

BEFORE: dict[Item, Item] = {"café": "2,50 €", "thé": "3,10 €"}
ITEMS = st.text("aé日 \0", max_size=3) | st.binary(max_size=6)


def torn_by_hand(key: Item, value: Item, before: dict[Item, Item]) -> dict[bytes, dict[Item, Item]]:
    """Return recovery's answer for each log that the put can leave."""
    disk = CrashDisk()
    found: dict[bytes, dict[Item, Item]] = {}
    store = kvlib.open(disk)
    for name, item in before.items():
        store.put(name, item)

    def cut() -> None:
        for image in disk.images():
            found[image["log"]] = dict(kvlib.open(boot(image), read_only=True))

    disk.on_event = cut
    store.put(key, value)
    return found


def disk_with(log: bytes) -> MemoryDisk:
    """Return a disk with a log, and the segment of the empty snapshot."""
    disk = CrashDisk()
    kvlib.open(disk)
    segment = next(name for name in disk.names() if name.endswith(".segment"))
    return boot({segment: disk.read(segment), "log": log})


def cafe() -> Figure:
    """Return the figure of the lesson."""
    return images("café", "2,80 €", BEFORE)


def test_the_text_has_the_counts() -> None:
    """111 disks give the old state, one the new one."""
    assert cafe().text.splitlines() == [
        "112 disks that a power cut can leave, and two answers.",
        "Torn: put 'café': '2,80 €', 41 bytes in the log.",
        "",
        "111 old: cut short 41, zeros 25, garbage 41, lost blocks 4",
        "    {'café': '2,50 €', 'thé': '3,10 €'}",
        "1 new: whole 1",
        "    {'café': '2,80 €', 'thé': '3,10 €'}",
        "none refused, none mixed",
    ]


@settings(max_examples=25, deadline=None)
@given(ITEMS, ITEMS, st.dictionaries(ITEMS, ITEMS, max_size=3))
def test_each_row_is_a_disk_that_recovery_answered(
    key: Item, value: Item, before: dict[Item, Item]
) -> None:
    """There is a position for each log, with the state that recovery gives."""
    figure = images(key, value, before)
    truth = torn_by_hand(key, value, before)
    assert len(figure.positions) == len(truth)
    assert figure.title.startswith(f"{len(truth)} disks")
    said = Counter(position.says.split(": ", 1)[1][:60] for position in figure.positions)
    assert said == Counter(repr(items)[:60] for items in truth.values())
    check_width(figure)
    assert len(figure.html().encode()) <= LIMIT
    for position in figure.positions:
        assert position.spot
        x, y, width, height = position.spot
        assert x > 0
        assert x + width <= 833
        assert y + height <= 330


def test_rows_have_what_arrived() -> None:
    """In the column of cut logs, each row's colours end at the byte where the file ends."""
    figure = cafe()
    columns = Counter(position.answer for position in figure.positions)
    sorts = ["cut short old", "zeros old", "garbage old", "lost blocks old", "whole new"]
    assert columns == dict(zip(sorts, [41, 25, 41, 4, 1], strict=True))
    marks = next(shape for shape in figure.fixed if '"$wrong"' in shape and "h" in shape)
    xs = [float(x) for x in re.findall(r"M([\d.]+) ", marks)]
    assert len(xs) == 41
    assert xs == sorted(xs)
    cut = [position.label for position in figure.positions[:41]]
    assert cut == [f"cut short after {n} byte{'s' * (n != 1)}" for n in range(41)]


def painted(figure: Figure, x: float, y: float) -> str:
    """Return the colour that the rows have at a point, or "" where nothing is drawn."""
    top = ""
    for shape in figure.fixed:
        found = re.fullmatch(
            r'<path d="(.*?)".* stroke="\$(.*?)" stroke-width="(.*?)"(?: stroke-dash.*)?/>', shape
        )
        if not found:
            continue
        d, token, thick = found[1], found[2], float(found[3])
        for left, down, way, length in re.findall(r"M([\d.]+) ([\d.]+)([hv])([\d.]+)", d):
            along, across = x - float(left), y - float(down)
            if way == "v":
                along, across = across, along
            if 0 <= along <= float(length) and abs(across) <= thick / 2:
                top = token
    return top


def test_each_byte_of_a_row_has_the_colour_of_what_is_there() -> None:
    """A field that arrived, zeros, garbage or nothing: as on the disk with that log."""
    figure = cafe()
    logs = sorted(torn_by_hand("café", "2,80 €", BEFORE), key=len)
    frame = next(log for log in logs if dict(kvlib.open(disk_with(log), read_only=True)) != BEFORE)
    base = len(frame) - 41
    fields = [
        (4, "checksum"), (4, "length"), (8, "header"), (1, "tag"), (1, "tag"), (1, "tag"),
        (4, "length"), (5, "key"), (1, "tag"), (4, "length"), (8, "value"),
    ]  # fmt: skip
    colours = [token for size, token in fields for _ in range(size)]
    tails = [(log[base:], *damage(log[base:], frame[base:])) for log in logs]
    tails.sort(key=lambda one: (disks.SORTS.index(one[1]), one[2], one[0]))
    for position, (tail, sort, at) in zip(figure.positions, tails, strict=True):
        assert position.spot
        x, y, width, _ = position.spot
        for byte in range(41):
            expected = colours[byte]
            if sort == "cut short" and byte >= len(tail):
                expected = "wrong" if byte == len(tail) else ""
            elif sort == "garbage" and byte >= at:
                expected = "ink2" if tail[byte] > 127 else "mark"
            elif sort == "zeros" and byte >= at:
                expected = "rule"
            elif sort == "lost blocks":
                block = range((base + byte) // 16 * 16, (base + byte) // 16 * 16 + 16)
                there = [(base + n) // 16 for n in range(41) if tail[n] != frame[base + n]]
                expected = "rule" if block.start // 16 in there else expected
            assert painted(figure, x + (byte + 0.5) * width / 41, y + 1) == expected, position.label


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        (b"", ("cut short", 0)),
        (b"ab", ("cut short", 2)),
        (b"abc\xcd", ("whole", 4)),
        (b"ab\0\0", ("zeros", 2)),
        (b"a" + GARBAGE[:3], ("garbage", 1)),
        (b"\0\0c\xcd", ("lost blocks", 0)),
    ],
)
def test_damage_is_named_by_the_first_wrong_byte(tail: bytes, expected: tuple[str, int]) -> None:
    """What follows that byte decides."""
    assert damage(tail, b"abc\xcd") == expected


def test_garbage_may_begin_with_a_right_byte() -> None:
    """It begins where the disk's garbage begins, not at the first byte that differs."""
    frame = b"a" + GARBAGE[:1] + b"bc"
    assert damage(b"a" + GARBAGE[:3], frame) == ("garbage", 1)


def test_a_delete_can_be_torn() -> None:
    """The new state lacks the key."""
    figure = images("k", None, {"k": "v"})
    assert "1 new: whole 1\n    {}" in figure.text
    assert "delete 'k'" in figure.text
    assert "no 'k'" in "".join(figure.fixed)


def test_a_put_that_changes_nothing_has_one_answer() -> None:
    """The states before and after are the same."""
    for figure in (images("k", "v", {"k": "v"}), images("k", None)):
        assert figure.title.endswith(", and one answer")
        assert {position.answer.split()[-1] for position in figure.positions} == {"same"}


class Forgetful(DurableStore):
    """A store that refuses some damaged logs, and loses records after others."""

    def __init__(self, place: Any, **options: Any) -> None:
        super().__init__(place, **options)
        size = len(place.read("log"))
        if options.get("read_only") and size % 7 == 0:
            raise CorruptionError(None, 3, "refused by chance")
        if options.get("read_only") and size % 5 == 0:
            self._hold({"other": "1"})


def test_other_answers_would_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """If recovery refused or mixed anything, counts, columns and signs would say so."""
    monkeypatch.setattr(disks, "DurableStore", Forgetful)
    figure = cafe()
    kinds = Counter(position.answer.rsplit(" ", 1)[-1] for position in figure.positions)
    assert kinds["refused"] > 0
    assert kinds["mixed"] > 0
    assert f"{kinds['refused']} refused, {kinds['mixed']} mixed" in figure.text
    assert figure.title.endswith("answers")
    fixed = "".join(figure.fixed)
    assert f">{kinds['refused']} refused<" in fixed
    assert f">{kinds['mixed']} mixed<" in fixed
    refused = next(one for one in figure.positions if one.answer.endswith("refused"))
    assert refused.says.startswith("Recovery refuses this disk: ")
    assert "$refused" in "".join(refused.shapes)


@pytest.mark.parametrize(
    ("arguments", "error", "reason"),
    [
        (("k", "v" * 40), ValueError, "the frame of this put has 69 bytes, expected at most 64"),
        (("k", "v", [("a", "b")]), TypeError, "before is a dict of the records before, not list"),
        (
            ("k", "v", {str(n): "" for n in range(51)}),
            ValueError,
            "before has 51 records, expected",
        ),
        ((1, "v"), TypeError, "int"),
    ],
)
def test_bad_arguments_are_rejected(
    arguments: tuple[Any, ...], error: type[Exception], reason: str
) -> None:
    """The message says what was expected."""
    with pytest.raises(error, match=reason):
        images(*arguments)


def test_the_longest_frame_fits() -> None:
    """Its page is within the limit, with fewer positions."""
    figure = images("k" * 18, "v" * 17 + "\0", {"long " * 30: "value " * 30})
    assert f"{MOST} bytes" in figure.text
    assert len(figure.html().encode()) <= LIMIT
    check_width(figure)
