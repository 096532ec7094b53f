"""Torn or corrupt: the picture shows what recovery did with each damaged log."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kvlib
from helpers.drawings import check_apart, check_figure, drawn
from helpers.explored import BARE, BEGUN, FILES, FRAMES, LOG, frames_of
from helpers.golden import check_width
from helpers.vocabulary import (
    FIELDS,
    HEAD_END,
    delete,
    disk_of,
    files_of,
    flip_bit,
    frame,
    put,
    store_files,
)
from kvlib import CorruptionError, MemoryDisk, MissingError
from kvlib.disk import Disk, Place
from kvlib.encoding import Item
from kvlib.errors import FormatError
from kvlib.log import replay
from kvlib.recovery import Recovery
from kvlib.views import decision
from kvlib.views.figure import Figure
from kvlib.views.verdict import QUESTION, verdict

# Each kind of frame says something else about the frames before it.
PROMISES = [
    frame(b"m" if kind == "m" else b"M", 2 + at, put(f"k{at}", "v"))
    for at, kind in enumerate("Mmmm")
]
CLOSED = [*FRAMES, frame(b"C", 5, b"")]
UNSYNCED = store_files({}, *PROMISES)
SALTED = store_files({}, *frames_of(put("a", "1"), put("b", "2"), salt=77), salt=77)


def a_long_log() -> bytes:
    """Return the log of a store that was changed often."""
    disk = MemoryDisk(seed=5)
    with kvlib.open(disk, sync="never") as store:
        for number in range(25):
            store[f"k{number}"] = ""
    return disk.read("log")


LOGS: dict[str, Place | bytes | bytearray] = {
    "log": bytearray(LOG),
    "frames": BARE,
    "place": disk_of(BEGUN),
    "closed": store_files({}, *CLOSED)["log"],
    "no promise": UNSYNCED["log"],
    "salted": SALTED["log"],
    "one frame": FRAMES[0],
    "head alone": LOG[:HEAD_END],
    "torn": LOG[:-5],
    "flipped": flip_bit(LOG, 8 * (HEAD_END + 6) + 2),
    "flipped twice": flip_bit(flip_bit(LOG, 8 * (HEAD_END + 20)), 8 * len(LOG) - 4),
    "a gap": b"".join([FRAMES[0], frame(b"M", 9, put("東京東京", b"\xff"))]),
    "nonsense": FRAMES[0] + frame(b"M", 3, b"xyz"),
    "another kind": FRAMES[0] + frame(b"H", 3, b"xyz") + frame(b"Z", 4, b"xyz"),
    "long": a_long_log(),
}


@cache
def made(name: str) -> Figure:
    """Return the figure of one of the logs."""
    return verdict(LOGS[name])


def bytes_of(name: str) -> bytes:
    """Return the bytes of one of the logs."""
    given = LOGS[name]
    return given.read("log") if isinstance(given, Disk) else bytes(given)  # type: ignore[arg-type]


def damaged(name: str, figure: Figure) -> list[bytes]:
    """Damage a log by hand, as the positions say."""
    data = bytes_of(name)
    return [damage(data, position.label) for position in figure.positions]


def spans(data: bytes) -> list[tuple[int, int]]:
    """Return where whole frames are, one after another, found by hand from their lengths."""
    at, found = HEAD_END if data.startswith(b"kvlib") else 0, []
    while at < len(data):
        end = at + 17 + int.from_bytes(data[at + 4 : at + 8], "big")
        found.append((at, end))
        at = end
    return found


def damage(data: bytes, label: str) -> bytes:
    """Apply the damage with this label to a whole log."""
    if label.startswith("none"):
        return data
    frames = spans(data)
    number = {"first": 0, "last": -1, "earlier": (len(frames) - 1) // 2}[label.split()[-2]]
    middle = sum(frames[number]) // 2
    if "cut" in label:
        return data[:middle]
    return flip_bit(data, 8 * middle + 7)


def recover(name: str, data: bytes) -> Recovery | FormatError:
    """Recover a log with the store's other files."""
    if not data.startswith(b"kvlib"):
        items: dict[Item, Item] = {}
        try:
            tail = replay(data, 0, 1, 0, items)
        except FormatError as error:
            return error
        left = len(data) - tail.end
        return Recovery(tail.mutations, tail.end if left else None, left)
    files = {"place": BEGUN}.get(name, FILES)
    try:
        return kvlib.open(disk_of(files | {"log": data}), read_only=True).recovered
    except FormatError as error:
        return error


WHOLE = ["log", "frames", "place", "closed", "no promise", "one frame"]


@pytest.mark.parametrize("name", WHOLE)
def test_each_answer_is_that_of_recovery(name: str) -> None:
    """Text, sentence and card have the offset and the size of what was dropped, or the error."""
    figure = made(name)
    blocks = figure.text.split("\n\n")[1:]
    datas = damaged(name, figure)
    assert len(blocks) == len(datas) == len(figure.positions)
    for number, (data, block) in enumerate(zip(datas, blocks, strict=True)):
        first, asked, answer = block.split("\n")
        assert first == f"{figure.positions[number].label} ({len(data)} bytes)"
        found = recover(name, data)
        lit = card(figure, number)
        says = figure.positions[number].says
        if isinstance(found, FormatError):
            assert asked.startswith("  yes: ")
            reason = found.reason.partition("; not a torn tail")[0]
            assert answer == f"  refused at offset {found.offset}: {reason}"
            assert lit == "refused"
            (at,) = [int(word) for word in asked.split()[-2:-1]]
            assert f"the frame at offset {at} " in found.reason
            assert bytes_of(name)[at + 16 : at + 17] in (b"M", b"C")
        elif found.dropped_bytes:
            size = f"{found.dropped_bytes} byte{'s' * (found.dropped_bytes > 1)}"
            assert f"offset {found.dropped_offset} fails its check" in asked
            assert f"a torn tail: {size} dropped from offset {found.dropped_offset} on" in answer
            assert lit == "torn"
            assert "Nothing in the log says" in says
        else:
            assert lit == "whole"
        if not isinstance(found, FormatError):
            given = recover(name, datas[0])
            assert isinstance(given, Recovery)
            of = "" if found.replayed == given.replayed else f" of {given.replayed}"
            plural = "" if given.replayed == 1 else "s"
            assert answer.endswith(f" {found.replayed}{of} change{plural} came back")
        assert answer[3:] in says


def card(figure: Figure, number: int) -> str:
    """Return the branch whose card is lit."""
    boxes = [
        shape
        for shape in drawn(figure, number)
        if shape.tag == "rect" and shape.token("fill") in ("right-p", "refused-p")
    ]
    (lit,) = boxes
    (branch,) = [key for key, x in decision.PLACES.items() if x == lit.number("x")]
    assert lit.token("fill") == ("refused-p" if branch == "refused" else "right-p")
    return branch


def test_a_promise_decides() -> None:
    """The same flipped bit is damage if a later frame is of kind M or C, and else a torn tail."""
    for kind, branch in ((b"M", "refused"), (b"C", "refused"), (b"m", "torn")):
        last = frame(kind, 3, b"" if kind == b"C" else put("k", "v"))
        figure = verdict(FRAMES[0] + last)
        labels = [position.label for position in figure.positions]
        flipped = labels.index("one bit flipped in the first frame")
        assert card(figure, flipped) == branch
        assert (figure.title == "Only a later frame can tell damage from a torn tail") == (
            kind != b"m"
        )


def hatched(figure: Figure, number: int) -> list[tuple[float, float]]:
    """Return what is drawn as bad."""
    return [shape.span for shape in drawn(figure, number) if shape.token("fill") == "wrong-p"]


def frames_drawn(figure: Figure, number: int, edge: str = "ink") -> list[tuple[float, float]]:
    """Return the frames with an outline in this colour."""
    return [
        shape.span
        for shape in drawn(figure, number)
        if shape.tag == "rect"
        and shape.number("y") == decision.RIBBON
        and (shape.token("fill"), shape.token("stroke")) == ("none", edge)
    ]


@pytest.mark.parametrize("name", WHOLE)
def test_the_ribbon_shows_the_log_given(name: str) -> None:
    """Each frame keeps its place: whole frames in their colours, what is dropped is hatched from
    the offset where recovery stopped, and what was cut off is dashed.
    """
    figure, data = made(name), bytes_of(name)
    start = HEAD_END if data.startswith(b"kvlib") else 0
    left = 28 + 110 * bool(start)

    def x(offset: int) -> float:
        return left + (832 - left) * (offset - start) / (len(data) - start)

    def near(found: list[tuple[float, float]], expected: list[tuple[int, int]]) -> bool:
        flat = [x(offset) for span in expected for offset in span]
        return [place for span in found for place in span] == pytest.approx(flat, abs=0.2)

    for number, there in enumerate(damaged(name, figure)):
        changed = [at for at, byte in enumerate(there) if byte != data[at]]
        last = changed[0] if changed else len(there)
        whole, bad = [], []
        for begin, end in spans(data):
            is_bad = begin <= last < end if changed else begin < last < end
            if is_bad:
                bad.append((begin, min(end, len(there))))
            elif end <= len(there):
                whole.append((begin, end))
        assert near(hatched(figure, number), bad)
        found = recover(name, there)
        kept = found.dropped_offset if isinstance(found, Recovery) else None
        kept = len(data) if kept is None else kept
        assert near(frames_drawn(figure, number), [span for span in whole if span[0] < kept])
        assert near(
            frames_drawn(figure, number, "wrong"), [span for span in whole if span[0] > kept]
        )
        if kept < len(data):
            assert bad[0][0] == kept
        strokes = [s for s in drawn(figure, number) if s.found.get("stroke-width") == "1.3"]
        lost = [span for span in [*whole, *bad] if span[0] >= kept]
        assert sorted(min(x for _, x, _ in one.points) for one in strokes) == [
            pytest.approx(x(begin), abs=0.2) for begin, _ in sorted(lost)
        ]
        dashed = [
            s.span
            for s in drawn(figure, number)
            if "stroke-dasharray" in s.found and s.tag == "rect"
        ]
        assert near(dashed, [(len(there), len(data))] if len(there) < len(data) else [])


def test_the_arrow_leads_from_the_frame_that_vouches() -> None:
    """With a flipped bit in the first frame, M points back; the frames of kind m say nothing."""
    figure = made("no promise")
    number = [one.label for one in figure.positions].index("one bit flipped in the first frame")
    texts = [shape.text for shape in drawn(figure, number)]
    assert "no later frame vouches for it: m doesn't" in texts
    assert [text for text in texts if text.startswith("m ")] == ["m k1 v", "m k2 v", "m k3 v"]
    figure = made("closed")
    shapes = drawn(figure, figure.start)
    assert figure.positions[figure.start].label == "one bit flipped in the first frame"
    (words,) = [shape for shape in shapes if "fsynced”" in shape.text and shape.number("y") < 212]
    assert words.text == "M: “all before me was fsynced”"
    paths = [shape for shape in shapes if shape.tag == "path" and shape.token("stroke") == "ink"]
    (hook,) = [path for path in paths if path.points[0][2] == decision.BELOW + 3]
    bad, voucher = hatched(figure, figure.start)[0], frames_drawn(figure, figure.start)[0]
    assert hook.points[0][1] == pytest.approx(sum(voucher) / 2, abs=0.2)
    assert hook.points[-1][1] == pytest.approx(sum(bad) / 2, abs=0.2)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("torn", "no: the frame at offset 125 ", "a torn tail: 23 bytes dropped from offset 125"),
        (
            "flipped",
            "yes: the frame at offset 49 fails its check, but the M frame at offset 90",
            "refused at",
        ),
        (
            "flipped twice",
            "yes: the frame at offset 49 fails its",
            "refused at offset 49: checksum ",
        ),
        (
            "a gap",
            "not asked: a frame that checks has",
            "refused at offset 49: sequence 9, expected",
        ),
        (
            "nonsense",
            "not asked: a frame that checks has",
            "refused at offset 58: operation b'x' is",
        ),
        (
            "another kind",
            "not asked: a frame that checks",
            "refused at offset 57: kind b'H' inside",
        ),
    ],
)
def test_a_log_may_be_damaged_already(name: str, first: str, second: str) -> None:
    """The log as it was given gets its verdict too, whatever is wrong with it."""
    figure = made(name)
    _, asked, answer = figure.text.split("\n\n")[1].split("\n")
    assert asked.startswith(f"  {first}")
    assert answer.startswith(f"  {second}")
    assert card(figure, 0) == ("torn" if name == "torn" else "refused")
    if first.startswith("not asked"):  # so no question is lit
        lit = [shape.text for shape in drawn(figure, 0)]
        assert "Is every frame whole?" not in lit
    whole = figure.positions[1].label.endswith(" whole frame")
    assert whole == (name in ("torn", "flipped", "flipped twice", "another kind"))


@pytest.mark.parametrize("name", LOGS)
def test_a_picture_has_room_for_its_words(name: str) -> None:
    """Texts stay on the card and don't touch each other, and the text form has 80 columns."""
    figure = made(name)
    check_figure(figure)
    check_width(figure)
    for number in range(len(figure.positions)):
        check_apart(drawn(figure, number))
    assert figure.text.startswith("\n".join(QUESTION))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("Mm"), FIELDS, FIELDS | st.none()), min_size=1, max_size=6),
    st.integers(0, 10_000),
)
def test_any_log_fits(mutations: list[tuple[str, Item, Item | None]], bit: int) -> None:
    """Any log with any flipped bit has a picture, and each damage a verdict."""
    data = b"".join(
        frame(kind.encode(), 2 + at, delete(key) if value is None else put(key, value))
        for at, (kind, key, value) in enumerate(mutations)
    )
    data = store_files({}, *[data])["log"]
    data = flip_bit(data, 8 * HEAD_END + bit % (8 * (len(data) - HEAD_END)))
    figure = verdict(data)
    check_figure(figure)
    check_width(figure)
    for number in range(len(figure.positions)):
        check_apart(drawn(figure, number))
        card(figure, number)


def test_a_frame_from_before_is_no_later_frame() -> None:
    """A whole frame that isn't newer than the bad one neither vouches nor is shown as whole."""
    stale = frame(b"M", 3, put("old", "1"))
    figure = verdict(FRAMES[0] + flip_bit(FRAMES[1], 200) + stale)
    assert card(figure, 0) == "torn"
    assert frames_drawn(figure, 0, "wrong") == []
    ((_, end),) = hatched(figure, 0)
    assert end == pytest.approx(832, abs=0.1)


def test_only_damages_that_a_log_is_long_enough_for() -> None:
    """A log without frames is shown as given; with one frame there is no earlier one."""
    assert [one.label for one in made("head alone").positions] == ["none, the log as it was given"]
    assert made("head alone").title == "This log has no frames yet, so nothing can be torn"
    assert made("one frame").title == "Without a later frame, damage looks like a torn tail"
    assert [one.label for one in made("one frame").positions][1:] == [
        "a cut in the middle of the last frame",
        "one bit flipped in the last frame",
    ]
    assert len(made("log").positions) == 5


def test_the_chosen_damage_has_the_handle() -> None:
    """The handle is on the chip of the damage, and the pointer chooses chips."""
    figure = made("log")
    for number, position in enumerate(figure.positions):
        handles = [
            s for s in drawn(figure, number) if s.tag == "circle" and s.token("fill") == "you"
        ]
        assert position.spot
        (one,) = handles
        assert position.spot[0] < one.number("cx") < position.spot[0] + position.spot[2]
    ends = [spot[0] + spot[2] for spot in (one.spot for one in figure.positions) if spot]
    assert max(ends) <= 832


def test_a_place_is_not_changed(tmp_path: Path) -> None:
    """A store may be open, a file may be given by its path, and nothing is written."""
    disk = MemoryDisk()
    with kvlib.open(disk) as store:
        store["k"] = "v"
        before = files_of(disk)
        assert "1 change came back" in repr(verdict(disk))
        assert files_of(disk) == before
    file = tmp_path / "log"
    file.write_bytes(LOG)
    assert repr(verdict(file)) == repr(verdict(str(file))) == repr(made("log"))


def test_bad_arguments_are_rejected(tmp_path: Path) -> None:
    """The message says what was expected, or what is wrong besides the frames."""
    with pytest.raises(TypeError, match="verdict takes bytes, a Disk, or the path of a store"):
        verdict(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no bytes"):
        verdict(b"")
    with pytest.raises(ValueError, match="too long: 2,000 bytes"):
        verdict(bytes(2000))
    with pytest.raises(ValueError, match="which isn't here: give the place of its store"):
        verdict(BEGUN["log"])
    with pytest.raises(CorruptionError, match="offset 0: ") as caught:
        verdict(b"hello")
    assert caught.value.__notes__ == [
        "verdict takes a store's log, or frames; the first must be whole."
    ]
    with pytest.raises(CorruptionError, match="offset 8: checksum"):
        verdict(flip_bit(LOG, 8 * 30))
    with pytest.raises(MissingError, match="no store at"):
        verdict(tmp_path)
    segment = next(name for name in BEGUN if name != "log")
    with pytest.raises(CorruptionError, match="segment"):
        verdict(disk_of({name: data for name, data in BEGUN.items() if name != segment}))
