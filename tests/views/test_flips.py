"""The flip explorer; `make goldens` rewrites the texts that it is compared with."""

from collections.abc import Callable

import pytest

import kvlib
from helpers.explored import (
    BARE,
    BEGUN,
    FILES,
    FRAMES,
    LOG,
    Odd,
    forgiving,
    raising,
    told,
    verdicts,
)
from helpers.golden import check_golden, check_none_is_left, check_width, write
from helpers.vocabulary import HEAD_END, disk_of, every_flip, field, frame, put, store_files
from kvlib import CorruptionError, naive
from kvlib.encoding import Item
from kvlib.views.flips import flips
from kvlib.views.timeline import ReaderOutcome, Timeline


def check_flips(
    film: Timeline, data: bytes, read: Callable[[bytes], object], strip: int = 0
) -> None:
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
    with pytest.raises(CorruptionError, match="offset 51: 1 bytes follow the frame"):
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
        ReaderOutcome("right", "harmless: the same; reported as a torn tail"),
        ReaderOutcome("wrong", "wrong: 1 record added; reported as a torn tail"),
    )
    assert {moment.outcomes[0] for moment in film.moments[-last:]} == {same if closed else another}
    check_flips(
        film, data, lambda log: dict(kvlib.open(disk_of(FILES | {"log": log}), read_only=True))
    )
    assert len([*film.runs(0)]) < 25


def test_the_flips_of_a_place_are_those_of_its_log() -> None:
    """Its other files are at hand, and a span of the bytes is chosen."""
    film = flips(disk_of(BEGUN), start=HEAD_END, end=HEAD_END + 4)
    assert [film.moments[0].label, film.moments[-1].label] == [f"{HEAD_END}.7", f"{HEAD_END + 3}.0"]
    assert dict(film.moments[0].notes)["byte"].endswith(", of frame[0].crc")
    assert [run.outcome.words for run in film.runs(0)] == [
        f"refused at offset {HEAD_END}: checksum …, but the bytes give …"
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
    with pytest.raises(CorruptionError, match="more data follows"):
        flips(STREAM + b"?")
    with pytest.raises(CorruptionError, match="more data follows"):
        flips(STREAM + b"?", forgiving, format="snapshot")
    with pytest.raises(ValueError, match="read fails on the bytes as they are, with ValueError: x"):
        flips(STREAM, raising(ValueError("x")))
    with pytest.raises(ValueError, match="257 bytes to flip, expected 1 to 256: choose them with"):
        flips(field(b"v" * 252))
    with pytest.raises(ValueError, match="0 bytes to flip"):
        flips(STREAM, start=5, end=5)
    with pytest.raises(ValueError, match="1,025 bytes, at most 1,024"):
        flips(field(b"v" * 1020), start=0, end=4)
    with pytest.raises(ValueError, match="format 'tar' is not one of"):
        flips(STREAM, format="tar")


def test_a_long_span_has_its_moments() -> None:
    """256 bytes are 2,048 moments."""
    assert len(flips(field(b"v" * 251)).moments) == 2048


# ------------------------------------------------------------------------------------------ goldens

PICTURES: dict[str, Callable[[], Timeline]] = {
    "flips": lambda: flips(LOG),
    "flips_yours": lambda: flips(BARE, forgiving, end=20),
    "flips_naive": lambda: flips(naive.encode_counted({"tea": "hot"}), naive.decode_counted),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_film_looks_as_it_did(name: str) -> None:
    """Each text is its golden."""
    check_golden("flips", PICTURES, name)
    check_width(PICTURES[name]())


def test_each_golden_has_a_film() -> None:
    """None is left behind."""
    check_none_is_left("flips", PICTURES)


if __name__ == "__main__":
    write("flips", PICTURES)
