"""The Length lab: at each of the 256 values, what the reader itself answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kvlib
from kvlib import encoding, frame, log, naive
from kvlib.errors import CorruptionError
from kvlib.layout.text import COLUMNS, width
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


def outcomes(film: Timeline, strip: int = 0) -> list[str]:
    """The runs of a strip, in words."""
    return [f"{film.span(run)} {run.outcome.words}" for run in film.runs(strip)]


def test_tea_by_hand() -> None:
    """Notebook 1's record: 4, 5 and 6 are silent, and from 7 on no value is left."""
    film = lengths(b"\x03tea\x03hot")
    assert outcomes(film) == [
        "0 {'': 'ea\\x03hot'}",
        "1 {'t': 'a\\x03hot'}",
        "2 {'te': '\\x03hot'}",
        "3 {'tea': 'hot'}",
        "4 {'tea\\x03': 'ot'}",
        "5 {'tea\\x03h': 't'}",
        "6 {'tea\\x03ho': ''}",
        "7-255 ValueError: zip() argument 2 is shorter than argument 1",
    ]
    assert (film.start, film.strips) == (3, ("decode_counted",))


def test_kvlib_refuses_all_but_one() -> None:
    """The specimen record: what differs in numbers only is one refusal."""
    film = lengths(CAFE)
    found = outcomes(film)
    assert found[5] == "5 {'café': '2,50 €'}"
    assert found[-1] == "19-255 offset 5: length …, but only 18 bytes are left"
    assert [moment.outcomes[0].verdict for moment in film.moments].count("refused") == 255


@pytest.mark.parametrize("name", READERS)
def test_each_moment_is_the_readers_answer(name: str) -> None:
    """Every length byte of every format: verdict, picture and reader agree at all 256 values."""
    data, read = SAMPLES[name], READERS[name][1]
    truth = read(data)
    film = lengths(data, format=name)
    first = film.moments[film.start].pictures[0].layout
    places = [leaf.end - 1 for leaf in first.root.leaves() if leaf.kind == "length"][:2]
    for at in places:
        film = lengths(data, at, format=name)
        for byte, moment in enumerate(film.moments):
            (picture,) = moment.pictures
            layout, (outcome,) = picture.layout, moment.outcomes
            assert layout.data == data[:at] + bytes([byte]) + data[at + 1 :]
            assert b"".join(layout.data[one.start : one.end] for one in layout.root.leaves()) == (
                layout.data
            )
            assert picture.marks == (((at, at + 1, "differs"),) if byte != data[at] else ())
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
def test_the_counted_picture_is_the_readers(data: bytes) -> None:
    """Any bytes: the leaves are all the data, their values the texts that the reader saw."""
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


def test_a_length_that_is_too_large_is_said_to_be() -> None:
    """The naive reader slices past the end; the picture shows what it got, and what it lacks."""
    length, text = counted(b"\x05tea\x01").root.children[0].children[0].children
    assert (length.value, length.note) == (5, "bytes of text, too many")
    assert (text.start, text.end, text.value) == (1, 5, "tea\x01")


def test_a_reader_of_your_own_is_shown_above() -> None:
    """Right is what the real reader makes of the true bytes; any exception is a refusal."""

    def read(data: bytes) -> object:
        if data[0] == 9:
            raise KeyError("mine")
        return {"tea": "hot", "cup": "1"} if data[0] < 5 else {"x": "y" * 90}

    film = lengths(TEA, read=read)
    assert film.strips == ("yours", "decode_counted")
    assert [run.outcome.verdict for run in film.runs(0)] == ["right", "wrong", "refused", "wrong"]
    assert film.moments[9].notes == (("yours answers", "KeyError: 'mine'"),)
    assert film.moments[4].notes == ()
    assert film.moments[5].notes[0][1].replace("\n", "").count("y") == 90


def test_nothing_is_right_if_the_bytes_were_spoilt_before() -> None:
    """`len(text)` was written for `len(text.encode())`: no value of one byte makes it right."""
    film = lengths(naive.encode_counted({"café": "2,50 €"}))
    assert film.start == 4
    assert "right" not in {moment.outcomes[0].verdict for moment in film.moments}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (TEA, "decode_counted"),
        (b"\x04tea", "decode_counted"),
        (CAFE, "kvlib"),
        (CAFE[:-1], "kvlib"),
        (FRAME, "kvlib"),
        (FIELDS, "kvlib"),
    ],
)
def test_the_format_is_guessed(data: bytes, name: str) -> None:
    """The naive format too, as kvlib's guess knows nothing of it."""
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
def test_mistakes_of_the_caller(data: bytes, at: int | None, name: str | None, reason: str) -> None:
    """Each says what would do."""
    with pytest.raises(ValueError, match=reason):
        lengths(data, at, format=name)


def test_another_byte_of_a_length_can_be_turned() -> None:
    """The highest one of the value's: any value but 0 is far too large."""
    film = lengths(CAFE, 15)
    assert outcomes(film)[1].startswith("1-255 offset 15: length …, but only 8 bytes")


def strange(data: bytes) -> object:
    """An answer that can neither be compared nor shown."""

    class Strange:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("no comparison")

    return Strange()


@pytest.mark.parametrize("read", [strange, lambda data: data.nothing, None])
def test_the_text_has_80_columns(read: Read | None) -> None:
    """Every outcome, then the picture of the true length."""
    for data in SAMPLES.values():
        text = repr(lengths(data, read=read))
        assert max(width(line) for line in text.split("\n")) <= COLUMNS


def test_the_values_can_end_earlier() -> None:
    """Where all that follows is alike, the few that differ get more room; never below the byte."""
    counted = naive.encode_counted({"tea": "hot"})
    film = lengths(counted, last=31)
    assert len(film.moments) == 32
    assert film.moments == lengths(counted).moments[:32]
    for last in (2, 256):
        with pytest.raises(ValueError, match=f"last is {last}, expected 3 to 255"):
            lengths(counted, last=last)
