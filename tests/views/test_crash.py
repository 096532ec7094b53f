"""The crash explorer. `make goldens` rewrites its goldens."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kvlib
from helpers.explored import (
    BARE,
    BEGUN,
    FILES,
    FRAMES,
    LOG,
    MUTATIONS,
    Odd,
    forgiving,
    frames_of,
    pairs,
    raising,
    replayed,
    told,
    verdicts,
    whole_frames,
)
from helpers.golden import check_golden, check_none_is_left, check_width, write
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
from kvlib.disk import Place
from kvlib.encoding import Item
from kvlib.layout.text import COLUMNS
from kvlib.views.crash import Fate, crash
from kvlib.views.flips import flips
from kvlib.views.timeline import ReaderOutcome, Timeline

LOSSES: tuple[Fate, ...] = ("missing", "zeros", "garbage")


def stairs(start: int, *frames: bytes, before: Item | None = None) -> list[tuple[int, object]]:
    """Return the offset of each frame's end with the records up to there."""
    found: list[tuple[int, object]] = [(start, {"old": before} if before else {})]
    for number, one in enumerate(frames):
        items = MUTATIONS[min(number, len(MUTATIONS) - 1)][1]
        found.append((found[-1][0] + len(one), ({"old": before} if before else {}) | items))
    return found


TARGETS: dict[str, tuple[Place | bytes | bytearray, bytes, int, list[tuple[int, object]]]] = {
    "frames": (BARE, BARE, 0, stairs(0, *FRAMES)),
    "log": (bytearray(LOG), LOG, HEAD_END, stairs(HEAD_END, *FRAMES)),
    "place": (
        disk_of(BEGUN),
        BEGUN["log"],
        HEAD_END,
        stairs(HEAD_END, *FRAMES, frame(b"C", 5, b""), before="1"),
    ),
}


@pytest.mark.parametrize("lost", LOSSES)
@pytest.mark.parametrize("name", TARGETS)
def test_every_cut_recovers_the_whole_frames_that_arrived(name: str, lost: Fate) -> None:
    """A cut recovers the state after the last whole frame; a cut inside the head is refused."""
    place, data, start, expected = TARGETS[name]
    timeline = crash(place, lost=lost)
    assert [moment.label for moment in timeline.moments] == [str(n) for n in range(len(data) + 1)]
    for size, moment in enumerate(timeline.moments):
        (picture,) = moment.pictures
        there = picture.layout.data
        (outcome,) = moment.outcomes
        assert there[:size] == data[:size]
        if size < start and there[:start] != data[:start]:
            assert outcome.verdict == "refused"
            assert outcome.words.startswith("refused at offset ")
            continue
        arrived = [items for end, items in expected if there[:end] == data[:end]]
        mutations = min(len(arrived) - 1, len(MUTATIONS))  # a close frame has none
        plural = "" if mutations == 1 else "s"
        assert outcome == ("right", f"{mutations} mutation{plural}: {arrived[-1]!r}")
    check_width(timeline)


@pytest.mark.parametrize("lost", LOSSES)
def test_the_picture_of_a_cut_shows_the_bytes_on_the_disk(lost: Fate) -> None:
    """The file ends or has its full length; lost bytes are counted."""
    for size, moment in enumerate(crash(LOG, lost=lost).moments):
        (picture,) = moment.pictures
        there = picture.layout.data
        assert len(there) == (size if lost == "missing" else len(LOG))
        assert set(there[size:]) <= {0} or lost == "garbage"
        assert dict(moment.notes).get("lost", "0").split()[0] == str(len(LOG) - size)


def test_a_dropped_tail_is_reported_with_its_offset_and_reason() -> None:
    """The note has the offset and size of the tail; the picture has the reason."""
    timeline = crash(LOG)
    first = HEAD_END + len(FRAMES[0])
    moment = timeline.moments[first + 5]
    assert dict(moment.notes)["kvlib"] == (
        f"{MUTATIONS[0][1]!r}\na torn tail dropped, 5 bytes from offset {first} on"
    )
    layout = moment.pictures[0].layout
    assert (layout.root.status, layout.stopped_at) == ("torn", first)
    assert layout.reason == "the data ends 12 bytes short of a frame's header"
    assert dict(timeline.moments[first].notes)["kvlib"] == repr(MUTATIONS[0][1])


def test_a_cut_is_a_staircase() -> None:
    """Neighbouring cuts with the same outcome share a line of the text."""
    timeline = crash(BARE)
    assert [timeline.span(run) for run in timeline.runs(0)] == ["0-40", "41-75", "76-103", "104"]
    assert "\n    0-40  = 0 mutations: {}\n" in repr(timeline)


@pytest.mark.untraced
@settings(max_examples=25)
@given(st.lists(st.tuples(FIELDS, FIELDS | st.none()), min_size=1, max_size=4))
def test_no_cut_is_ever_wrong(mutations: list[tuple[Item, Item | None]]) -> None:
    """Every cut of any log recovers a state that the store had while it was written."""
    payloads = [delete(k) if v is None else put(k, v) for k, v in mutations]
    frames = frames_of(*payloads)
    timeline = crash(b"".join(frames))
    items: dict[Item, Item] = {}
    at = 0
    for (key, value), one in zip(mutations, frames, strict=True):
        for moment in timeline.moments[at : at + len(one)]:
            told = "".join(dict(moment.notes)["kvlib"].splitlines())
            assert told.startswith(repr(items)[:99])
        if value is None:
            items.pop(key, None)
        else:
            items[key] = value
        at += len(one)
    assert {*verdicts(timeline)} == {"right"}
    check_width(timeline)


def test_a_note_keeps_every_blank() -> None:
    """The lines of a wrapped answer, joined, are the answer."""
    timeline = crash(frame(b"M", 2, put("k", "v" + 200 * " " + "w")))
    lines = dict(timeline.moments[-1].notes)["kvlib"].split("\n")
    assert "".join(lines) == repr({"k": "v" + 200 * " " + "w"})
    assert max(map(len, lines)) <= COLUMNS


def test_a_frame_inside_a_value_makes_a_crash_look_like_damage() -> None:
    """If a value contains a frame with the same salt, some cuts of it are refused."""
    inner = frame(b"M", 3, put("k", "v"))
    timeline = crash(frame(b"M", 2, put("backup", inner + b"...")))
    whole = 17 + 1 + 5 + 6 + 5 + len(inner)
    assert verdicts(timeline) == [*["right"] * whole, *["refused"] * 3, "right"]
    assert timeline.moments[whole].outcomes[0].words == (
        "refused at offset 4: length …, but only … bytes are left"
    )
    assert "promises that this one had been fsynced" in told(timeline.moments[whole])


def test_a_place_is_not_changed() -> None:
    """An explorer works on copies, so it accepts a store that is open for writing."""
    disk = MemoryDisk()
    with kvlib.open(disk) as store:
        store["k"] = "v"
        before = files_of(disk)
        assert {*verdicts(crash(disk))} == {"right", "refused"}
        flips(disk, start=60, end=61)
        assert files_of(disk) == before
        store["k"] = "w"


def test_a_log_alone_must_continue_an_empty_snapshot() -> None:
    """A log whose snapshot has records is rejected without it, and so is a learner's recovery."""
    with pytest.raises(ValueError, match="of 18 bytes, which isn't here: give the place"):
        crash(BEGUN["log"])
    with pytest.raises(ValueError, match="a snapshot of 1 record, which recover would need"):
        crash(disk_of(BEGUN), recover=lambda data: {})
    compacted = store_files({}, frame(b"M", 8, put("a", "1")), generation=7)
    assert verdicts(crash(compacted["log"]))[-1] == "right"


def test_a_log_that_is_too_long_is_not_replayed() -> None:
    """The size is checked before the log is replayed, for both explorers."""
    disk = MemoryDisk()
    with kvlib.open(disk, sync="never") as store:
        for number in range(100):
            store[f"{number}"] = ""
    for source in (disk, disk.read("log"), b"x" * 50_000_000):
        for view in (crash, flips):
            with pytest.raises(
                ValueError, match=r"^too long: .* bytes, at most 1,024 are .*: take"
            ):
                view(source)


def test_a_log_can_be_passed_as_a_file(tmp_path: Path) -> None:
    """A file named log is read as a log even if its magic is damaged, and then rejected."""
    file = tmp_path / "log"
    file.write_bytes(LOG)
    assert repr(crash(str(file))) == repr(crash(file)) == repr(crash(LOG))
    assert repr(flips(file)) == repr(flips(LOG))
    file.write_bytes(flip_bit(LOG, 3))
    for view in (crash, flips):
        with pytest.raises(CorruptionError, match="offset 0: "):
            view(file)


def test_bytes_that_cannot_be_cut_are_rejected(tmp_path: Path) -> None:
    """Damage, bytes in another format and a directory without a store raise the engine's errors."""
    with pytest.raises(CorruptionError, match=f"log: offset {HEAD_END}: checksum"):
        crash(flip_bit(LOG, 8 * (HEAD_END + 11)))
    with pytest.raises(CorruptionError, match="offset 0: the data ends 12 bytes short") as caught:
        crash(b"hello")
    (note,) = caught.value.__notes__
    assert note == "crash cuts the log of a store, or whole frames; these bytes are neither."
    with pytest.raises(MissingError, match=r"no store at .*log"):
        crash(tmp_path)


# --------------------------------------------------------------------------- the learner's recovery


def trusting(data: bytes) -> dict[Item, Item]:
    """Trust every length, even past the end of the data."""
    payloads, at = [], 0
    while at < len(data):
        end = at + 17 + int.from_bytes(data[at + 4 : at + 8], "big")
        payloads.append(data[at + 17 : end])
        at = end
    return replayed(iter(payloads))


def forgetful(data: bytes) -> None:
    """Return nothing."""
    forgiving(data)


def strict(data: bytes) -> dict[Item, Item]:
    """Raise an error for a torn tail."""
    payloads = [*whole_frames(data)]
    if sum(17 + len(payload) for payload in payloads) != len(data):
        raise ValueError(f"torn after {len(payloads)} frames")
    return replayed(iter(payloads))


def hasty(data: bytes) -> dict[Item, Item]:
    """Apply the key of a torn record."""
    at = sum(17 + len(payload) for payload in whole_frames(data))
    torn = data[at + 17 :]
    items = forgiving(data)
    if len(torn) > 11 and torn[:1] == b"P":
        items |= {pairs(torn + b"s")[key] or key: "" for key in pairs(torn + b"s")}
    return items


def ends() -> list[int]:
    """Return the cuts at which no frame is torn."""
    return [sum(map(len, FRAMES[:number])) for number in range(len(FRAMES) + 1)]


@pytest.mark.parametrize(
    ("recover", "torn", "whole"),
    [(forgiving, "right", "right"), (strict, "refused", "right"), (forgetful, "wrong", "wrong")],
)
def test_a_recovery_is_judged_by_what_arrived(
    recover: Callable[[bytes], object], torn: str, whole: str
) -> None:
    """A learner's recovery is right, refused or wrong, cut by cut, next to kvlib's."""
    timeline = crash(BARE, recover)
    assert timeline.strips == ("yours", "kvlib")
    expected = [whole if size in ends() else torn for size in range(len(BARE) + 1)]
    assert verdicts(timeline) == expected
    assert {*verdicts(timeline, 1)} == {"right"}
    check_width(timeline)


@pytest.mark.parametrize("recover", [trusting, hasty])
def test_half_a_record_is_wrong(recover: Callable[[bytes], object]) -> None:
    """A recovery that applies part of a torn record is wrong, and the slider starts there."""
    timeline = crash(BARE, recover)
    assert all(timeline.moments[size].outcomes[0].verdict == "right" for size in ends())
    outcomes = [moment.outcomes[0] for moment in timeline.moments]
    wrong = [outcome for outcome in outcomes if outcome.verdict == "wrong"]
    assert len(wrong) > 10
    assert {outcome.words for outcome in wrong} <= {
        "wrong: 1 record added",
        "wrong: 1 record lost",
        "wrong: 1 record lost, 1 record added",
        "wrong: 1 value changed",
    }
    assert timeline.moments[timeline.start].outcomes[0].verdict == "wrong"


def test_zeros_and_garbage_deceive_a_forgiving_reader() -> None:
    """A reader without checksums mistakes zeros and garbage after a length for the payload."""
    for lost in LOSSES[1:]:
        found = verdicts(crash(frames_of(put("k", b"vvvv"))[0], forgiving, lost=lost))
        assert found[0] != "wrong" or lost == "zeros"
        assert "wrong" in found
        assert found[-1] == "right"


def test_an_answer_is_right_only_at_its_own_cuts() -> None:
    """A constant answer is right where it is the state that arrived, and wrong elsewhere."""
    timeline = crash(BARE, lambda data: {"café": "2,50 €"})
    expected = ["right" if 41 <= size < 76 else "wrong" for size in range(len(BARE) + 1)]
    assert verdicts(timeline) == expected


def one_outcome(recover: Callable[[bytes], object]) -> ReaderOutcome:
    """Return a recovery's outcome for a torn tail after one mutation."""
    return crash(BARE, recover).moments[50].outcomes[0]


class Silent(Exception):
    def __str__(self) -> str:
        raise KeyError("no text")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("crc 0x1f of 'k' is -7, can't"), "refused: ValueError: crc … of … is …, can't"),
        (SystemExit(3), "refused: SystemExit: …"),
        (RecursionError(), "refused: RecursionError"),
        (GeneratorExit("over"), "refused: GeneratorExit: over"),
        (Silent(), "refused: Silent: <KeyError while it was turned into text>"),
        (ValueError("not UTF-8\nat all"), "refused: ValueError: not UTF-8 at all"),
    ],
)
def test_any_exception_is_a_refusal(error: BaseException, words: str) -> None:
    """An exception counts as a refusal, with numbers and quoted data left out of its text."""
    assert one_outcome(raising(error)) == ("refused", words)
    timeline = crash(BARE, raising(error))
    for size in ends():  # nothing is torn there
        assert timeline.moments[size].outcomes[0].words == f"wrong, nothing is torn here: {words}"
    check_width(timeline)


def test_ctrl_c_ends_the_experiment() -> None:
    """KeyboardInterrupt passes through, with a note of the position."""
    with pytest.raises(KeyboardInterrupt) as caught:
        crash(BARE, raising(KeyboardInterrupt()))
    assert caught.value.__notes__ == ["The function was interrupted at: 0 bytes."]


@pytest.mark.parametrize(
    ("value", "verdict", "words"),
    [
        ([("café", "2,50 €")], "right", None),
        ((("café", "2,50 €"),), "right", None),
        (iter([("café", "2,50 €")]), "wrong", None),  # it is used up at the first byte
        ([("café", "2,50 €", 1)], "wrong", "wrong: list, expected a dict"),
        ([5], "wrong", "wrong: list, expected a dict"),
        (b"2,50", "wrong", "wrong: bytes, expected a dict"),
        (Odd(), "wrong", "wrong: Odd, expected a dict"),
        ({"café": Odd()}, "wrong", "wrong: 1 value changed"),
        ({b"caf\xc3\xa9": "2,50 €"}, "wrong", "wrong: 1 record lost, 1 record added"),
    ],
)
def test_an_answer_is_a_dict_or_pairs(value: object, verdict: str, words: str | None) -> None:
    """A dict, and a list or tuple of pairs, can be right; any other value is wrong."""
    outcome = one_outcome(lambda data: value)
    assert (outcome.verdict, words or outcome.words) == (verdict, outcome.words)


def test_generators_and_mappings_are_answers() -> None:
    """Yielded pairs count as a dict, and so does an open store."""

    def yielding(data: bytes) -> Iterator[tuple[Item, Item]]:
        yield from strict(data).items()

    def opening(data: bytes) -> object:
        disk = disk_of(FILES | {"log": LOG[:HEAD_END] + data})
        return kvlib.open(disk, read_only=True)

    assert verdicts(crash(BARE, yielding)) == verdicts(crash(BARE, strict))
    assert {*verdicts(crash(BARE, opening))} == {"right"}


def test_output_and_reused_objects_do_no_harm(capsys: pytest.CaptureFixture[str]) -> None:
    """Output is swallowed, and an answer is copied before the function changes it again."""
    kept: dict[Item, Item] = {}

    def recover(data: bytes) -> object:
        print("reading", len(data))
        print("reading", file=sys.stderr)
        copy = bytearray(data)
        kept.clear()
        kept.update(forgiving(bytes(copy)))
        copy.clear()
        return kept

    timeline = crash(BARE, recover)
    assert {*verdicts(timeline)} == {"right"}
    assert dict(timeline.moments[-1].notes)["yours"] == repr(MUTATIONS[-1][1])
    assert dict(timeline.moments[0].notes)["yours"] == "{}"
    assert capsys.readouterr() == ("", "")


# ------------------------------------------------------------------------------------------ goldens

PICTURES: dict[str, Callable[[], Timeline]] = {
    "crash": lambda: crash(LOG),
    "crash_garbage": lambda: crash(LOG, lost="garbage"),
    "crash_yours": lambda: crash(BARE, trusting),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_text_equals_its_golden(name: str) -> None:
    """The text is that of the golden, in 80 columns."""
    check_golden("cuts", PICTURES, name)
    check_width(PICTURES[name]())


def test_each_golden_has_a_picture() -> None:
    """No golden is left over."""
    check_none_is_left("cuts", PICTURES)


if __name__ == "__main__":
    write("cuts", PICTURES)
