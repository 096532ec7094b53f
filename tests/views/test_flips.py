"""The flip explorer. `make goldens` rewrites its goldens."""

from collections.abc import Callable
from typing import Any

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
    timeline: Timeline, data: bytes, read: Callable[[bytes], object], strip: int = 0
) -> None:
    """Check every moment's bytes, mark, verdict and error against `read`."""
    sound = read(data)
    assert len(timeline.moments) == 8 * len(data)
    for bit, (moment, spoilt) in enumerate(zip(timeline.moments, every_flip(data), strict=True)):
        assert moment.label == f"{bit // 8}.{7 - bit % 8}"
        (picture,) = moment.pictures
        assert picture.layout.data == spoilt
        try:
            expected = "right" if read(spoilt) == sound else "wrong"
        except kvlib.KvlibError as error:
            expected = "refused"
            assert str(error).removeprefix("log: ") == told(moment)
        assert moment.outcomes[strip].verdict == expected
    check_width(timeline)


STREAM = kvlib.encode_snapshot({"café": "2,50 €", b"k": ""})
SEALED = BEGUN["0000000000000001.00000000.segment"]


def fields_by_hand(data: bytes) -> list[Item]:
    """Decode fields up to the end of the data."""
    values, at = [], 0
    while at < len(data):
        value, at = kvlib.decode_field(data, at)
        values.append(value)
    return values


def sealed_by_hand(data: bytes) -> object:
    """Return the records of a store with this sealed segment."""
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
    """The verdict and the error of each flip are the decoder's."""
    if read(data) == STREAM:  # alone, segment 1 of 3 is valid too
        found = verdicts(flips(data))
        assert found[:64].count("refused") == 33
        assert {*found[64:]} == {"wrong"}
    else:
        check_flips(flips(data), data, read)


def test_every_flip_of_a_sealed_file_is_refused() -> None:
    """Each error is the store's own error for that file."""
    timeline = flips(SEALED)
    assert {*verdicts(timeline)} == {"refused"}
    for spoilt, moment in zip(every_flip(SEALED), timeline.moments, strict=True):
        with pytest.raises(kvlib.KvlibError) as caught:
            sealed_by_hand(spoilt)
        assert str(caught.value).split(": ", 1)[1] in told(moment)


def test_flips_of_mutations_are_decoded() -> None:
    """A flipped operation is refused; a flipped letter is another value, without an error."""
    timeline = flips(put("k", "v"))
    assert verdicts(timeline)[:8] == ["refused"] * 8
    assert timeline.moments[-1].outcomes[0] == ("wrong", "wrong: another result")


@pytest.mark.parametrize("closed", [False, True])
def test_a_flip_is_refused_unless_it_is_in_the_last_frame(closed: bool) -> None:
    """A damaged last frame looks like a crash, and is reported as a torn tail."""
    frames = [*FRAMES, frame(b"C", 5, b"")][: 3 + closed]
    data = store_files({}, *frames)["log"]
    timeline = flips(data)
    last = 8 * len(frames[-1])
    assert {*verdicts(timeline)[:-last]} == {"refused"}
    same, another = (
        ReaderOutcome("right", "harmless: the same; reported as a torn tail"),
        ReaderOutcome("wrong", "wrong: 1 record added; reported as a torn tail"),
    )
    assert {moment.outcomes[0] for moment in timeline.moments[-last:]} == {
        same if closed else another
    }
    check_flips(
        timeline, data, lambda log: dict(kvlib.open(disk_of(FILES | {"log": log}), read_only=True))
    )
    assert len([*timeline.runs(0)]) < 25


def test_a_place_has_its_log_flipped() -> None:
    """The log is read with the store's other files, and only the chosen span is flipped."""
    timeline = flips(disk_of(BEGUN), start=HEAD_END, end=HEAD_END + 4)
    assert [timeline.moments[0].label, timeline.moments[-1].label] == [
        f"{HEAD_END}.7",
        f"{HEAD_END + 3}.0",
    ]
    assert dict(timeline.moments[0].notes)["byte"].endswith(", of frame[0].crc")
    assert [run.outcome.words for run in timeline.runs(0)] == [
        f"refused at offset {HEAD_END}: checksum …, but the bytes give …"
    ]


def test_a_learners_reader_is_shown_above_kvlibs() -> None:
    """A reader that ignores checksums returns wrong records where kvlib refuses."""
    data = frame(b"M", 3, put("k", "v"))
    timeline = flips(data, forgiving)
    assert timeline.strips == ("yours", "kvlib")
    assert timeline.moments[-1].outcomes[0] == ("wrong", "wrong: 1 value changed")
    assert {*verdicts(timeline, 1)} == {"refused"}
    assert verdicts(timeline)[:32] == ["right"] * 32
    assert timeline.moments[0].outcomes[0].words == "harmless: the same"
    check_width(timeline)


def test_bytes_of_another_format_are_read_by_the_learner_alone() -> None:
    """The learner's reader is the only one, even if the bytes look like a format of kvlib's."""
    for items in ({"tea": "hot"}, {"cabs": "1"}):  # a b after four bytes looks like a snapshot
        timeline = flips(naive.encode_counted(items), naive.decode_counted)
        assert timeline.strips == ("yours",)
        assert {*verdicts(timeline)} == {"refused", "wrong", "right"}
        assert "," not in dict(timeline.moments[0].notes)["byte"]  # no name for the byte
    timeline = flips(b"\1\2", lambda data: (data[0] & 1, Odd()))
    assert {*verdicts(timeline)} == {"wrong"}
    assert dict(timeline.moments[0].notes)["yours"] == "<ValueError while it was turned into text>"


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (b"hello", {}, r"kvlib has no format .*: give format or read"),
        (STREAM + b"?", {}, "more data follows"),
        (STREAM + b"?", {"read": forgiving, "format": "snapshot"}, "more data follows"),
        (SEALED + b"\0", {}, "offset 51: 1 bytes follow the frame"),
        (
            STREAM,
            {"read": raising(ValueError("x"))},
            "read fails on the bytes .*, with ValueError: x",
        ),
        (field(b"v" * 252), {}, "257 bytes to flip, expected 1 to 256: choose them with"),
        (STREAM, {"start": 5, "end": 5}, "0 bytes to flip"),
        (field(b"v" * 1020), {"start": 0, "end": 4}, "1,025 bytes, at most 1,024"),
        (STREAM, {"format": "tar"}, "format 'tar' is not one of"),
    ],
)
def test_bytes_that_cannot_be_flipped_are_rejected(
    data: bytes, options: dict[str, Any], words: str
) -> None:
    """No reader accepts the bytes, or there are too many or none to flip."""
    with pytest.raises((ValueError, CorruptionError), match=words):
        flips(data, **options)


def test_the_longest_span_has_2048_moments() -> None:
    """A span of 256 bytes has a moment for each of its bits."""
    assert len(flips(field(b"v" * 251)).moments) == 2048


# ------------------------------------------------------------------------------------------ goldens

PICTURES: dict[str, Callable[[], Timeline]] = {
    "flips": lambda: flips(LOG),
    "flips_yours": lambda: flips(BARE, forgiving, end=20),
    "flips_naive": lambda: flips(naive.encode_counted({"tea": "hot"}), naive.decode_counted),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_text_equals_its_golden(name: str) -> None:
    """The text is that of the golden, in 80 columns."""
    check_golden("flips", PICTURES, name)
    check_width(PICTURES[name]())


def test_each_golden_has_a_picture() -> None:
    """No golden is left over."""
    check_none_is_left("flips", PICTURES)


if __name__ == "__main__":
    write("flips", PICTURES)
