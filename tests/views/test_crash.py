"""The crash explorer; `make goldens` rewrites the texts that it is compared with."""

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
    """The offset at which each frame ends, and what the store holds then."""
    found: list[tuple[int, object]] = [(start, {"old": before} if before else {})]
    for number, one in enumerate(frames):
        items = MUTATIONS[min(number, len(MUTATIONS) - 1)][1]
        found.append((found[-1][0] + len(one), ({"old": before} if before else {}) | items))
    return found


SUBJECTS: dict[str, tuple[Place | bytes | bytearray, bytes, int, list[tuple[int, object]]]] = {
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
@pytest.mark.parametrize("name", SUBJECTS)
def test_every_cut_gives_the_whole_frames_that_arrived(name: str, lost: Fate) -> None:
    """At each byte: the state after the last whole frame; inside the head a refusal."""
    place, data, start, expected = SUBJECTS[name]
    film = crash(place, lost=lost)
    assert [moment.label for moment in film.moments] == [str(n) for n in range(len(data) + 1)]
    for size, moment in enumerate(film.moments):
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
    check_width(film)


@pytest.mark.parametrize("lost", LOSSES)
def test_the_picture_of_a_cut_is_what_is_there(lost: Fate) -> None:
    """A file that ends, or one of full length; what did not arrive is marked, and counted."""
    for size, moment in enumerate(crash(LOG, lost=lost).moments):
        (picture,) = moment.pictures
        there = picture.layout.data
        assert len(there) == (size if lost == "missing" else len(LOG))
        assert picture.beyond == (LOG[size:] if lost == "missing" else b"")
        assert set(there[size:]) <= {0} or lost == "garbage"
        marks = [(size, len(LOG), "lost")] if size < len(LOG) else []
        assert [*map(tuple, picture.marks)] == marks
        assert dict(moment.notes).get("lost", "0").split()[0] == str(len(LOG) - size)


def test_a_dropped_tail_is_told_with_its_offset_and_reason() -> None:
    """What recovery reports is in the note, and why below the bytes."""
    film = crash(LOG)
    first = HEAD_END + len(FRAMES[0])
    moment = film.moments[first + 5]
    assert dict(moment.notes)["kvlib"] == (
        f"{MUTATIONS[0][1]!r}\na torn tail dropped, 5 bytes from offset {first} on"
    )
    layout = moment.pictures[0].layout
    assert (layout.root.status, layout.stopped_at) == ("torn", first)
    assert layout.reason == "the data ends 12 bytes short of a frame's header"
    assert dict(film.moments[first].notes)["kvlib"] == repr(MUTATIONS[0][1])


def test_a_cut_is_a_staircase() -> None:
    """Cuts with the same outcome are one line of the text."""
    film = crash(BARE)
    assert [(run.first, run.last) for run in film.runs(0)] == [
        (0, 40),
        (41, 75),
        (76, 103),
        (104, 104),
    ]
    assert "\n    0-40  = 0 mutations: {}\n" in repr(film)


@pytest.mark.untraced
@settings(max_examples=25)
@given(st.lists(st.tuples(FIELDS, FIELDS | st.none()), min_size=1, max_size=4))
def test_no_cut_is_ever_wrong(mutations: list[tuple[Item, Item | None]]) -> None:
    """Whatever is written: kvlib gives a state that was there before."""
    payloads = [delete(k) if v is None else put(k, v) for k, v in mutations]
    frames = frames_of(*payloads)
    film = crash(b"".join(frames))
    items: dict[Item, Item] = {}
    at = 0
    for (key, value), one in zip(mutations, frames, strict=True):
        for moment in film.moments[at : at + len(one)]:
            told = "".join(dict(moment.notes)["kvlib"].splitlines())
            assert told.startswith(repr(items)[:99])
        if value is None:
            items.pop(key, None)
        else:
            items[key] = value
        at += len(one)
    assert {*verdicts(film)} == {"right"}
    check_width(film)


def test_a_note_loses_no_blank() -> None:
    """Lines are broken, and together they are the answer."""
    film = crash(frame(b"M", 2, put("k", "v" + 200 * " " + "w")))
    lines = dict(film.moments[-1].notes)["kvlib"].split("\n")
    assert "".join(lines) == repr({"k": "v" + 200 * " " + "w"})
    assert max(map(len, lines)) <= COLUMNS


def test_a_frame_inside_a_value_makes_a_crash_look_like_damage() -> None:
    """Without a salt of its own, a log that holds another one's frames refuses some cuts."""
    inner = frame(b"M", 3, put("k", "v"))
    film = crash(frame(b"M", 2, put("backup", inner + b"...")))
    whole = 17 + 1 + 5 + 6 + 5 + len(inner)
    assert verdicts(film) == [*["right"] * whole, *["refused"] * 3, "right"]
    assert film.moments[whole].outcomes[0].words == (
        "refused at offset 4: length …, but only … bytes are left"
    )
    assert "promises that this one had been fsynced" in told(film.moments[whole])


def test_a_place_is_left_as_it_is() -> None:
    """Only copies are cut and flipped; a store that is open for writing can be looked at."""
    disk = MemoryDisk()
    with kvlib.open(disk) as store:
        store["k"] = "v"
        before = files_of(disk)
        assert {*verdicts(crash(disk))} == {"right", "refused"}
        flips(disk, start=60, end=61)
        assert files_of(disk) == before
        store["k"] = "w"


def test_what_a_log_goes_on_from_must_be_at_hand() -> None:
    """The bytes of a log are enough only if nothing was before it."""
    with pytest.raises(ValueError, match="of 18 bytes, which it lacks: give the place"):
        crash(BEGUN["log"])
    with pytest.raises(ValueError, match="a snapshot of 1 record, which recover is not given"):
        crash(disk_of(BEGUN), recover=lambda data: {})
    compacted = store_files({}, frame(b"M", 8, put("a", "1")), generation=7)
    assert verdicts(crash(compacted["log"]))[-1] == "right"


def test_a_log_that_is_too_long_is_not_replayed() -> None:
    """Its size is looked at first: each of its states would be kept, and there may be many."""
    disk = MemoryDisk()
    with kvlib.open(disk, sync="never") as store:
        for number in range(100):
            store[f"{number}"] = ""
    for source in (disk, disk.read("log"), b"x" * 50_000_000):
        with pytest.raises(ValueError, match=r"^too long: [0-9,]+ bytes, at most 1,024 are "):
            crash(source)
        with pytest.raises(ValueError, match=r"^too long: [0-9,]+ bytes, at most 1,024 are "):
            flips(source)


def test_a_log_can_be_given_by_its_file(tmp_path: Path) -> None:
    """Its bytes are cut, and flipped; what is damaged is a log all the same, and so is refused."""
    file = tmp_path / "log"
    file.write_bytes(LOG)
    assert repr(crash(str(file))) == repr(crash(file)) == repr(crash(LOG))
    assert repr(flips(file)) == repr(flips(LOG))
    file.write_bytes(flip_bit(LOG, 3))
    for view in (crash, flips):
        with pytest.raises(CorruptionError, match="offset 0: "):
            view(file)


def test_what_cannot_be_cut_is_refused(tmp_path: Path) -> None:
    """Damage, a place without a store, too many bytes, another kind of loss."""
    with pytest.raises(CorruptionError, match=f"log: offset {HEAD_END}: checksum"):
        crash(flip_bit(LOG, 8 * 60))
    with pytest.raises(CorruptionError, match="offset 0: the data ends 12 bytes short") as caught:
        crash(b"hello")
    assert caught.value.__notes__ == [
        "crash cuts the log of a store, or whole frames; these bytes are neither."
    ]
    with pytest.raises(MissingError, match=r"no store at .*log"):
        crash(tmp_path)
    with pytest.raises(
        ValueError, match=r"too long: 1,042 bytes, at most 1,024 are .*: take fewer or shorter"
    ):
        crash(frame(b"M", 1, put("k", b"v" * 1013)))
    with pytest.raises(ValueError, match="lost is 'some', expected one of missing, zeros, garbage"):
        crash(LOG, lost="some")  # type: ignore[arg-type]  # the mistake that is tested


# --------------------------------------------------------------------------- the learner's recovery


def trusting(data: bytes) -> dict[Item, Item]:
    """Takes what a slice gives for what the length says."""
    payloads, at = [], 0
    while at < len(data):
        end = at + 17 + int.from_bytes(data[at + 4 : at + 8], "big")
        payloads.append(data[at + 17 : end])
        at = end
    return replayed(iter(payloads))


def forgetful(data: bytes) -> None:
    """Has no return."""
    forgiving(data)


def strict(data: bytes) -> dict[Item, Item]:
    """Raises at a torn tail."""
    payloads = [*whole_frames(data)]
    if sum(17 + len(payload) for payload in payloads) != len(data):
        raise ValueError(f"torn after {len(payloads)} frames")
    return replayed(iter(payloads))


def hasty(data: bytes) -> dict[Item, Item]:
    """Applies the first half of a record that is torn: its key."""
    at = sum(17 + len(payload) for payload in whole_frames(data))
    torn = data[at + 17 :]
    items = forgiving(data)
    if len(torn) > 11 and torn[:1] == b"P":
        items |= {pairs(torn + b"s")[key] or key: "" for key in pairs(torn + b"s")}
    return items


def ends() -> list[int]:
    """The cuts at which no frame is torn."""
    return [sum(map(len, FRAMES[:number])) for number in range(len(FRAMES) + 1)]


@pytest.mark.parametrize(
    ("recover", "torn", "whole"),
    [(forgiving, "right", "right"), (strict, "refused", "right"), (forgetful, "wrong", "wrong")],
)
def test_a_recovery_is_judged_by_what_arrived(
    recover: Callable[[bytes], object], torn: str, whole: str
) -> None:
    """A forgiving reader is right, a strict one refuses each torn tail, None is always wrong."""
    film = crash(BARE, recover)
    assert film.strips == ("yours", "kvlib")
    expected = [whole if size in ends() else torn for size in range(len(BARE) + 1)]
    assert verdicts(film) == expected
    assert {*verdicts(film, 1)} == {"right"}
    check_width(film)


@pytest.mark.parametrize("recover", [trusting, hasty])
def test_half_a_record_is_wrong(recover: Callable[[bytes], object]) -> None:
    """Whoever trusts a length, or applies what is there already, gives what nobody wrote."""
    film = crash(BARE, recover)
    assert all(film.moments[size].outcomes[0].verdict == "right" for size in ends())
    wrong = [moment.outcomes[0] for moment in film.moments if moment.outcomes[0].verdict == "wrong"]
    assert len(wrong) > 10
    assert {outcome.words for outcome in wrong} <= {
        "wrong: 1 record added",
        "wrong: 1 record lost",
        "wrong: 1 record lost, 1 record added",
        "wrong: 1 value changed",
    }
    assert film.moments[film.start].outcomes[0].verdict == "wrong"


def test_zeros_and_garbage_deceive_a_forgiving_reader() -> None:
    """Where the length has arrived, it takes what stands there for the data."""
    for lost in LOSSES[1:]:
        found = verdicts(crash(frames_of(put("k", b"vvvv"))[0], forgiving, lost=lost))
        assert found[0] != "wrong" or lost == "zeros"
        assert "wrong" in found
        assert found[-1] == "right"


def test_a_wrong_state_is_wrong_where_the_right_one_is_another() -> None:
    """Being right once is not being right everywhere."""
    film = crash(BARE, lambda data: {"café": "2,50 €"})
    expected = ["right" if 41 <= size < 76 else "wrong" for size in range(len(BARE) + 1)]
    assert verdicts(film) == expected


def one_outcome(recover: Callable[[bytes], object]) -> ReaderOutcome:
    """What is said of a function at a torn tail after one mutation."""
    return crash(BARE, recover).moments[50].outcomes[0]


class Silent(Exception):
    def __str__(self) -> str:
        raise KeyError("no text")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ValueError("crc 0x1f of 'k' is -7, I can't"),
            "refused: ValueError: crc … of … is …, I can't",
        ),
        (SystemExit(3), "refused: SystemExit: …"),
        (RecursionError(), "refused: RecursionError"),
        (GeneratorExit("over"), "refused: GeneratorExit: over"),
        (Silent(), "refused: Silent: <KeyError while it was turned into text>"),
        (ValueError("not UTF-8\nat all"), "refused: ValueError: not UTF-8 at all"),
    ],
)
def test_any_exception_is_a_refusal(error: BaseException, words: str) -> None:
    """Its words are the same where only numbers and quoted data differ."""
    assert one_outcome(raising(error)) == ("refused", words)
    film = crash(BARE, raising(error))
    for size in ends():  # nothing is torn there
        assert film.moments[size].outcomes[0].words == f"wrong, nothing is torn here: {words}"
    check_width(film)


def test_ctrl_c_is_not_an_answer() -> None:
    """It ends the experiment, and tells where it was."""
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
    """Anything else is wrong, however odd; so are bytes in the place of a text."""
    outcome = one_outcome(lambda data: value)
    assert outcome.verdict == verdict
    assert outcome.words == words or words is None


def test_a_generator_and_a_store_are_answers() -> None:
    """Pairs that are yielded, and any Mapping; an exception on the way is a refusal."""

    def yielding(data: bytes) -> Iterator[tuple[Item, Item]]:
        yield from strict(data).items()

    def opening(data: bytes) -> object:
        disk = disk_of(FILES | {"log": LOG[:HEAD_END] + data})
        return kvlib.open(disk, read_only=True)

    assert verdicts(crash(BARE, yielding)) == verdicts(crash(BARE, strict))
    assert {*verdicts(crash(BARE, opening))} == {"right"}


def test_what_a_function_prints_and_keeps_does_no_harm(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed; a dict that is used again, and a copy that is spoilt, are harmless."""
    kept: dict[Item, Item] = {}

    def recover(data: bytes) -> object:
        print("reading", len(data))
        print("reading", file=sys.stderr)
        copy = bytearray(data)
        kept.clear()
        kept.update(forgiving(bytes(copy)))
        copy.clear()
        return kept

    film = crash(BARE, recover)
    assert {*verdicts(film)} == {"right"}
    assert dict(film.moments[-1].notes)["yours"] == repr(MUTATIONS[-1][1])
    assert dict(film.moments[0].notes)["yours"] == "{}"
    assert capsys.readouterr() == ("", "")


# ------------------------------------------------------------------------------------------ goldens

PICTURES: dict[str, Callable[[], Timeline]] = {
    "crash": lambda: crash(LOG),
    "crash_garbage": lambda: crash(LOG, lost="garbage"),
    "crash_yours": lambda: crash(BARE, trusting),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_film_looks_as_it_did(name: str) -> None:
    """Each text is its golden."""
    check_golden("cuts", PICTURES, name)
    check_width(PICTURES[name]())


def test_each_golden_has_a_film() -> None:
    """None is left behind."""
    check_none_is_left("cuts", PICTURES)


if __name__ == "__main__":
    write("cuts", PICTURES)
