"""Cuts and flips. `python tests/test_cuts.py` writes the goldens of their texts anew."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kvlib
from kvlib import CorruptionError, MemoryDisk, MissingError, naive
from kvlib.disk import Place
from kvlib.encoding import Item
from kvlib.views.cuts import Lost, crash, flips
from kvlib.views.film import Film, Moment, Outcome
from kvlib.views.text import COLUMNS, width
from vocabulary import (
    FIELDS,
    HEAD_END,
    delete,
    disk_of,
    every_flip,
    field,
    files_of,
    flip_bit,
    frame,
    put,
    store_files,
)

GOLDENS = Path(__file__).parent / "goldens" / "cuts"
LOSSES: tuple[Lost, ...] = ("missing", "zeros", "garbage")

# A value that ends in zeros: where they are lost and zeros stand there, nothing is lost.
MUTATIONS: list[tuple[bytes, dict[Item, Item]]] = [
    (put("café", "2,50 €"), {"café": "2,50 €"}),
    (put("thé", b"3\0\0"), {"café": "2,50 €", "thé": b"3\0\0"}),
    (delete("café"), {"thé": b"3\0\0"}),
]


def frames_of(*payloads: bytes, first: int = 2, salt: int = 0) -> list[bytes]:
    """A frame around each payload."""
    return [frame(b"M", first + at, payload, salt) for at, payload in enumerate(payloads)]


FRAMES = frames_of(*(payload for payload, _ in MUTATIONS))
BARE = b"".join(FRAMES)
FILES = store_files({}, *FRAMES)
LOG = FILES["log"]
BEGUN = store_files({"old": "1"}, *FRAMES, frame(b"C", 5, b""), generation=1)


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


def verdicts(film: Film, strip: int = 0) -> list[str]:
    """The verdict of each moment."""
    return [moment.outcomes[strip].verdict for moment in film.moments]


def check_width(film: Film) -> None:
    """No line is too wide."""
    assert max(map(width, repr(film).split("\n"))) <= COLUMNS


# ------------------------------------------------------------------------------------------- cuts


@pytest.mark.parametrize("lost", LOSSES)
@pytest.mark.parametrize("name", SUBJECTS)
def test_every_cut_gives_the_whole_frames_that_arrived(name: str, lost: Lost) -> None:
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
def test_the_picture_of_a_cut_is_what_is_there(lost: Lost) -> None:
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
    assert "says that this one had been fsynced" in told(film.moments[whole])


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
    with pytest.raises(ValueError, match="of 18 bytes, which are not in it: give the place"):
        crash(BEGUN["log"])
    with pytest.raises(ValueError, match="a snapshot of 1 record, which recover is not given"):
        crash(disk_of(BEGUN), recover=lambda data: {})
    compacted = store_files({}, frame(b"M", 8, put("a", "1")), generation=7)
    assert verdicts(crash(compacted["log"]))[-1] == "right"


def test_what_cannot_be_cut_is_refused(tmp_path: Path) -> None:
    """Damage, a place without a store, too many bytes, another kind of loss."""
    with pytest.raises(CorruptionError, match="log: offset 49: checksum"):
        crash(flip_bit(LOG, 8 * 60))
    with pytest.raises(CorruptionError, match="offset 0: the data ends 17 bytes short"):
        crash(b"")
    with pytest.raises(MissingError, match=r"no store at .*nothing"):
        crash(tmp_path / "nothing")
    with pytest.raises(
        ValueError, match=r"1,042 bytes, at most 1,024 are .*: take fewer or shorter"
    ):
        crash(frame(b"M", 1, put("k", b"v" * 1013)))
    with pytest.raises(ValueError, match="lost is 'some', expected one of missing, zeros, garbage"):
        crash(LOG, lost="some")  # type: ignore[arg-type]  # the mistake that is tested
    with pytest.raises(TypeError, match="a place is a path or a Disk, not int"):
        crash(5)  # type: ignore[arg-type]  # the mistake that is tested


# --------------------------------------------------------------------------- the learner's recovery


def whole_frames(data: bytes) -> Iterator[bytes]:
    """The payloads of the frames that are whole; nobody looks at a checksum."""
    at = 0
    while at + 17 <= len(data):
        end = at + 17 + int.from_bytes(data[at + 4 : at + 8], "big")
        if end > len(data):
            return
        yield data[at + 17 : end]
        at = end


def pairs(payload: bytes) -> dict[Item, Item | None]:
    """What a payload of one mutation says, read by hand."""
    length = int.from_bytes(payload[2:6], "big")
    key, rest = payload[6 : 6 + length].decode(), payload[6 + length :]
    value = rest[5:].decode() if rest[:1] == b"s" else rest[5:]
    return {key: value if payload[:1] == b"P" else None}


def replayed(payloads: Iterator[bytes]) -> dict[Item, Item]:
    """The mutations applied to nothing."""
    items: dict[Item, Item | None] = {}
    for payload in payloads:
        items |= pairs(payload)
    return {key: value for key, value in items.items() if value is not None}


def forgiving(data: bytes) -> dict[Item, Item]:
    """Reads up to the first frame that is not whole."""
    return replayed(whole_frames(data))


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


def one_outcome(recover: Callable[[bytes], object]) -> Outcome:
    """What is said of a function at a torn tail after one mutation."""
    return crash(BARE, recover).moments[50].outcomes[0]


class Silent(Exception):
    def __str__(self) -> str:
        raise KeyError("no text")


class Odd:
    def __repr__(self) -> str:
        raise ValueError("no repr")

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparison")

    __hash__ = None  # type: ignore[assignment]  # as Python itself does for such a class


def raising(error: BaseException) -> Callable[[bytes], object]:
    """A function that raises it."""

    def recover(data: bytes) -> object:
        raise error

    return recover


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
    assert caught.value.__notes__ == ["The function that was asked had not answered yet: 0 bytes."]


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


# -------------------------------------------------------------------------------------------- flips


def check_flips(film: Film, data: bytes, read: Callable[[bytes], object], strip: int = 0) -> None:
    """Each moment says what `read` makes of the flipped bytes."""
    sound = read(data)
    assert len(film.moments) == 8 * len(data)
    for bit, (moment, spoilt) in enumerate(zip(film.moments, every_flip(data), strict=True)):
        assert moment.label == f"{bit // 8}.{7 - bit % 8}"
        (picture,) = moment.pictures
        assert picture.layout.data == spoilt
        assert [*map(tuple, picture.marks)] == [(bit // 8, bit // 8 + 1, "flipped")]
        try:
            expected = "right" if read(spoilt) == sound else "wrong"
        except kvlib.KvlibError as error:
            expected = "refused"
            assert str(error).removeprefix("log: ") == told(moment)
        assert moment.outcomes[strip].verdict == expected
    check_width(film)


def told(moment: Moment) -> str:
    """What is said of kvlib's answer, in the note or below the bytes, in one line."""
    note, layout = dict(moment.notes)["kvlib"], moment.pictures[0].layout
    if note == "an error: the reason stands below the bytes":
        note = f"offset {layout.stopped_at}: {layout.reason}"
    return " ".join(note.split())


STREAM = kvlib.encode_snapshot({"café": "2,50 €", b"k": ""})
SEALED = BEGUN["0000000000000001.00000000.segment"]


def fields_by_hand(data: bytes) -> list[Item]:
    """Field behind field."""
    values, at = [], 0
    while at < len(data):
        value, at = kvlib.decode_field(data, at)
        values.append(value)
    return values


def sealed_by_hand(data: bytes) -> object:
    """What a store's only segment holds."""
    disk = disk_of(BEGUN | {"0000000000000001.00000000.segment": data})
    return dict(kvlib.open(disk, read_only=True))


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (field("café"), fields_by_hand),
        (field("café") + field(b"\0"), fields_by_hand),
        (STREAM, kvlib.decode_snapshot),
        (kvlib.split(STREAM, 99)[0], lambda data: kvlib.join([data])),
        (frame(b"M", 3, put("k", "v")), kvlib.unseal),
        (
            frame(b"M", 3, b"x") + frame(b"C", 9, b""),
            lambda data: (kvlib.unseal(data), kvlib.unseal(data, 18)),
        ),
    ],
    ids=["field", "record", "snapshot", "segment", "frame", "frames"],
)
def test_every_flip_is_read_by_its_decoder(data: bytes, read: Callable[[bytes], object]) -> None:
    """Verdict, text of the error, bytes and mark of each bit."""
    if read(data) == STREAM:  # a total of 3 is no error for a segment alone, as one of 3
        found = verdicts(flips(data))
        assert found[:64].count("refused") == 33
        assert {*found[64:]} == {"wrong"}
    else:
        check_flips(flips(data), data, read)


def test_no_flip_of_a_sealed_file_passes() -> None:
    """Each is refused, as a store refuses it."""
    film = flips(SEALED)
    assert {*verdicts(film)} == {"refused"}
    for spoilt, moment in zip(every_flip(SEALED), film.moments, strict=True):
        with pytest.raises(kvlib.KvlibError) as caught:
            sealed_by_hand(spoilt)
        assert str(caught.value).split(": ", 1)[1] in told(moment)
    with pytest.raises(CorruptionError, match="offset 51: bytes behind the frame"):
        flips(SEALED + b"\0")


def test_flips_in_mutations_are_read() -> None:
    """An operation that becomes none is refused; a letter that becomes another is not."""
    film = flips(put("k", "v"))
    assert verdicts(film)[:8] == ["refused"] * 8
    assert film.moments[-1].outcomes[0] == ("wrong", "wrong: another result")


@pytest.mark.parametrize("closed", [False, True])
def test_a_log_refuses_what_a_later_frame_vouches_for(closed: bool) -> None:
    """All flips but those of the last frame, which looks like a crash and is reported as one."""
    frames = [*FRAMES, frame(b"C", 5, b"")][: 3 + closed]
    data = store_files({}, *frames)["log"]
    film = flips(data)
    last = 8 * len(frames[-1])
    assert {*verdicts(film)[:-last]} == {"refused"}
    same, another = (
        Outcome("right", "harmless: the same; reported as a torn tail"),
        Outcome("wrong", "wrong: 1 record added; reported as a torn tail"),
    )
    assert {moment.outcomes[0] for moment in film.moments[-last:]} == {same if closed else another}
    check_flips(
        film, data, lambda log: dict(kvlib.open(disk_of(FILES | {"log": log}), read_only=True))
    )
    assert len([*film.runs(0)]) < 25


def test_the_flips_of_a_place_are_those_of_its_log() -> None:
    """Its other files are at hand, and a span of the bytes is chosen."""
    film = flips(disk_of(BEGUN), start=HEAD_END, end=HEAD_END + 4)
    assert [film.moments[0].label, film.moments[-1].label] == ["49.7", "52.0"]
    assert dict(film.moments[0].notes)["byte"].endswith(", of frame[0].crc")
    assert [run.outcome.words for run in film.runs(0)] == [
        "refused at offset 49: checksum …, but the bytes give …"
    ]


def test_a_learners_reader_stands_above() -> None:
    """A reader that looks at no checksum gives wrong records; kvlib refuses."""
    data = frame(b"M", 3, put("k", "v"))
    film = flips(data, forgiving)
    assert film.strips == ("yours", "kvlib")
    assert film.moments[-1].outcomes[0] == ("wrong", "wrong: 1 value changed")
    assert {*verdicts(film, 1)} == {"refused"}
    assert verdicts(film)[:32] == ["right"] * 32
    assert film.moments[0].outcomes[0].words == "harmless: the same"
    check_width(film)


def test_bytes_of_another_format_are_read_by_the_learner_alone() -> None:
    """Nothing is said in kvlib's name, also where they look like a format of kvlib's."""
    for items in ({"tea": "hot"}, {"cabs": "1"}):  # a b behind four bytes looks like a snapshot
        film = flips(naive.encode_counted(items), naive.decode_counted)
        assert film.strips == ("yours",)
        assert {*verdicts(film)} == {"refused", "wrong", "right"}
        assert "," not in dict(film.moments[0].notes)["byte"]  # nobody knows what a byte is
    film = flips(b"\1\2", lambda data: (data[0] & 1, Odd()))
    assert {*verdicts(film)} == {"wrong"}
    assert dict(film.moments[0].notes)["yours"] == "<ValueError while it was turned into text>"


def test_what_cannot_be_flipped_is_refused() -> None:
    """Bytes that nobody reads, too many, none."""
    with pytest.raises(ValueError, match=r"kvlib has no format .*: give format or read"):
        flips(b"hello")
    with pytest.raises(CorruptionError, match="the data goes on"):
        flips(STREAM + b"?")
    with pytest.raises(CorruptionError, match="the data goes on"):
        flips(STREAM + b"?", forgiving, format="snapshot")
    with pytest.raises(ValueError, match="read fails on the bytes as they are, with ValueError: x"):
        flips(STREAM, raising(ValueError("x")))
    with pytest.raises(ValueError, match="257 bytes to flip, expected 1 to 256: choose them with"):
        flips(field(b"v" * 252))
    with pytest.raises(ValueError, match="0 bytes to flip"):
        flips(STREAM, start=5, end=5)
    with pytest.raises(ValueError, match="1,025 bytes, at most 1,024"):
        flips(field(b"v" * 1020), start=0, end=4)
    with pytest.raises(ValueError, match="format 'tar' is none of"):
        flips(STREAM, format="tar")


def test_a_long_span_has_its_moments() -> None:
    """256 bytes are 2,048 moments."""
    assert len(flips(field(b"v" * 251)).moments) == 2048


# ------------------------------------------------------------------------------------------ goldens

PICTURES: dict[str, Callable[[], Film]] = {
    "crash": lambda: crash(LOG),
    "crash_garbage": lambda: crash(LOG, lost="garbage"),
    "crash_yours": lambda: crash(BARE, trusting),
    "flips": lambda: flips(LOG),
    "flips_yours": lambda: flips(BARE, forgiving, end=20),
    "flips_naive": lambda: flips(naive.encode_counted({"tea": "hot"}), naive.decode_counted),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_film_looks_as_it_did(name: str) -> None:
    """Each text is its golden."""
    film = PICTURES[name]()
    assert f"{film!r}\n" == (GOLDENS / f"{name}.txt").read_text(encoding="utf-8")
    check_width(film)


def test_each_golden_has_a_film() -> None:
    """None is left behind."""
    assert {path.stem for path in GOLDENS.glob("*.txt")} == {*PICTURES}


if __name__ == "__main__":
    GOLDENS.mkdir(exist_ok=True)
    for path in GOLDENS.glob("*.txt"):
        path.unlink()
    for name, picture in PICTURES.items():
        text = f"{picture()!r}\n"
        (GOLDENS / f"{name}.txt").write_text(text, encoding="utf-8", newline="\n")
