"""The length lab: a reader's answers for all 256 values of a byte."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kvlib
from helpers.explored import Odd
from helpers.golden import check_width
from kvlib import encoding, frame, log, naive
from kvlib.errors import CorruptionError
from kvlib.views.lengths import LIMIT, READERS, Read, counted, lengths
from kvlib.views.timeline import Timeline

CAFE = kvlib.encode_snapshot({"café": "2,50 €"})
TEA = naive.encode_counted({"tea": "hot", "cup": "1"})
FIELDS = encoding.encode_field("café") + encoding.encode_field(b"\0")
FRAME = frame.seal(b"M", 2, log.encode_put("a", "1"))
SAMPLES = {
    "counted": TEA,
    "snapshot": CAFE,
    "field": FIELDS,
    "record": FIELDS,
    "mutations": log.encode_put("a", "1") + log.encode_delete("b"),
    "frame": FRAME,
}


def outcomes(timeline: Timeline, strip: int = 0) -> list[str]:
    """Return the runs of a reader in words."""
    return [f"{timeline.span(run)} {run.outcome.words}" for run in timeline.runs(strip)]


def test_a_wrong_length_goes_unnoticed_by_the_naive_reader() -> None:
    """Lengths of 4, 5 and 6 give wrong records; from 7 on no value is left."""
    timeline = lengths(b"\x03tea\x03hot")
    assert outcomes(timeline) == [
        "0 {'': 'ea\\x03hot'}",
        "1 {'t': 'a\\x03hot'}",
        "2 {'te': '\\x03hot'}",
        "3 {'tea': 'hot'}",
        "4 {'tea\\x03': 'ot'}",
        "5 {'tea\\x03h': 't'}",
        "6 {'tea\\x03ho': ''}",
        "7-255 ValueError: zip() argument 2 is shorter than argument 1",
    ]
    assert (timeline.start, timeline.strips) == (3, ("decode_counted",))


def test_kvlib_refuses_all_but_one() -> None:
    """Only the true length is right, and refusals that differ in numbers share a run."""
    timeline = lengths(CAFE)
    found = outcomes(timeline)
    assert found[5] == "5 {'café': '2,50 €'}"
    assert found[-1] == "19-255 offset 5: length …, but only 18 bytes are left"
    assert [moment.outcomes[0].verdict for moment in timeline.moments].count("refused") == 255


@pytest.mark.parametrize("name", READERS)
def test_each_moment_is_the_readers_answer(name: str) -> None:
    """Verdict, picture and reader agree at all 256 values, in every format."""
    data, read = SAMPLES[name], READERS[name][1]
    truth = read(data)
    timeline = lengths(data, format=name)
    first = timeline.moments[timeline.start].pictures[0].layout
    places = [leaf.end - 1 for leaf in first.root.leaves() if leaf.kind == "length"][:2]
    for at in places:
        timeline = lengths(data, at, format=name)
        for byte, moment in enumerate(timeline.moments):
            (picture,) = moment.pictures
            layout, (outcome,) = picture.layout, moment.outcomes
            assert layout.data == data[:at] + bytes([byte]) + data[at + 1 :]
            assert b"".join(layout.data[one.start : one.end] for one in layout.root.leaves()) == (
                layout.data
            )
            try:
                answer = read(layout.data)
            except (CorruptionError, ValueError) as error:
                assert outcome.verdict == "refused"
                assert layout.stopped_at is not None
                assert layout.reason
                assert layout.reason in f"{type(error).__name__}: {error}"
            else:
                assert layout.stopped_at is None
                assert outcome.verdict == ("right" if answer == truth else "wrong")
                assert repr(answer).startswith(outcome.words.removesuffix("…"))


@settings(max_examples=500)
@given(
    st.binary(max_size=40)
    | st.lists(st.binary(max_size=5)).map(
        lambda texts: b"".join(bytes([len(text)]) + text for text in texts)
    )
)
def test_the_picture_has_what_the_naive_reader_reads(data: bytes) -> None:
    """The leaves cover any data, and their values are the texts that the reader saw."""
    layout = counted(data)
    leaves = [*layout.root.leaves()]
    assert b"".join(data[one.start : one.end] for one in leaves) == data
    texts: list[str] = []
    try:
        for piece in naive.read_counted(data):
            texts.append(piece.text)
        naive.decode_counted(data)
        assert layout.stopped_at is None
    except ValueError as error:
        assert layout.reason == f"{type(error).__name__}: {error}"
        assert layout.stopped_at is not None
        bad = [one for one in leaves if one.status == "bad"]
        assert [one.start <= layout.stopped_at <= one.end for one in bad] == [True]
    assert [
        one.value for one in leaves if one.name.endswith(".data") and one.status == "ok"
    ] == texts


def test_too_large_a_length_is_noted() -> None:
    """The naive reader slices past the end, and the picture's note says so."""
    length, text = counted(b"\x05tea\x01").root.children[0].children[0].children
    assert (length.value, length.note) == (5, "bytes of text, too many")
    assert (text.start, text.end, text.value) == (1, 5, "tea\x01")


def test_a_reader_of_your_own_is_shown_above() -> None:
    """An answer is right if it is kvlib's answer for the true bytes; an exception is a refusal."""

    def read(data: bytes) -> object:
        if data[0] == 9:
            raise KeyError("mine")
        return {"tea": "hot", "cup": "1"} if data[0] < 5 else {"x": "y" * 90}

    timeline = lengths(TEA, read=read)
    assert timeline.strips == ("yours", "decode_counted")
    assert [run.outcome.verdict for run in timeline.runs(0)] == [
        "right",
        "wrong",
        "refused",
        "wrong",
    ]
    assert timeline.moments[9].notes == (("yours answers", "KeyError: 'mine'"),)
    assert timeline.moments[4].notes == ()
    assert timeline.moments[5].notes[0][1].replace("\n", "").count("y") == 90


def test_no_value_is_right_for_damaged_bytes() -> None:
    """If another length is wrong too, no value of this byte repairs the bytes."""
    timeline = lengths(naive.encode_counted({"café": "2,50 €"}))
    assert timeline.start == 4
    assert "right" not in {moment.outcomes[0].verdict for moment in timeline.moments}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        *[(data, "decode_counted") for data in (TEA, b"\x04tea")],
        *[(data, "kvlib") for data in (CAFE, CAFE[:-1], FRAME, FIELDS)],
    ],
)
def test_the_format_is_guessed(data: bytes, name: str) -> None:
    """The guess includes the naive format, which the engine doesn't know."""
    assert lengths(data).strips == (name,)


@pytest.mark.parametrize(
    ("data", "at", "name", "reason"),
    [
        (bytes(LIMIT + 1), None, None, "too long: 51 bytes, a length lab has at most 50"),
        (CAFE, None, "log", "no length lab for the format 'log', only for counted, "),
        (frame.PREAMBLE, None, None, "no length lab for the format 'log'"),
        (bytes(4), None, "snapshot", "there is no length in these bytes"),
        (CAFE, 9, None, r"no length at offset 9; bytes of lengths are at \[5, 6, 7, 8, 15, "),
    ],
)
def test_bad_arguments_are_rejected(
    data: bytes, at: int | None, name: str | None, reason: str
) -> None:
    """The message says what is possible."""
    with pytest.raises(ValueError, match=reason):
        lengths(data, at, format=name)


def test_any_byte_of_a_length_can_be_chosen() -> None:
    """Any value but 0 of a length's first byte is far too large."""
    timeline = lengths(CAFE, 15)
    assert outcomes(timeline)[1].startswith("1-255 offset 15: length …, but only 8 bytes")


@pytest.mark.parametrize("read", [lambda data: Odd(), lambda data: data.nothing, None])
@pytest.mark.parametrize("name", SAMPLES)
def test_the_text_has_80_columns(name: str, read: Read | None) -> None:
    """Odd answers and long refusals are wrapped."""
    check_width(lengths(SAMPLES[name], read=read))


def test_the_values_can_end_earlier() -> None:
    """The moments end at `last`, which is at least the byte's own value."""
    counted = naive.encode_counted({"tea": "hot"})
    timeline = lengths(counted, last=31)
    assert len(timeline.moments) == 32
    assert timeline.moments == lengths(counted).moments[:32]
    for last in (2, 256):
        with pytest.raises(ValueError, match=f"last is {last}, expected 3 to 255"):
            lengths(counted, last=last)
