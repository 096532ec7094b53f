"""Fields and snapshot streams: bytes by hand, both directions, and everything that is no stream."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvlib
from helpers.vocabulary import AWKWARD, FIELDS, LONG, MAPPINGS, every_cut
from kvlib import CorruptionError
from kvlib.encoding import decode_records

Field = str | bytes

# One table, both directions: worked by hand from `tag u8 | length u32 | data`.
FIELD_CASES: list[tuple[Field, bytes]] = [
    ("", b"s\x00\x00\x00\x00"),
    (b"", b"b\x00\x00\x00\x00"),
    ("a", b"s\x00\x00\x00\x01a"),
    (b"a", b"b\x00\x00\x00\x01a"),
    ("café", b"s\x00\x00\x00\x05caf\xc3\xa9"),
    ("ключ", b"s\x00\x00\x00\x08\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87"),
    ("\N{GRINNING FACE}", b"s\x00\x00\x00\x04\xf0\x9f\x98\x80"),
    ("\0", b"s\x00\x00\x00\x01\x00"),
    (b"\xff\x00", b"b\x00\x00\x00\x02\xff\x00"),
    (b"s\x00\x00\x00\x01a", b"b\x00\x00\x00\x06s\x00\x00\x00\x01a"),
    ("a|b:c\n", b"s\x00\x00\x00\x06a|b:c\n"),
    (b"x" * 258, b"b\x00\x00\x01\x02" + b"x" * 258),
    ("я" * 40_000, b"s\x00\x01\x38\x80" + b"\xd1\x8f" * 40_000),
]

SNAPSHOT_CASES: list[tuple[dict[Field, Field], bytes]] = [
    ({}, b"\x00\x00\x00\x00"),
    ({"": b""}, b"\x00\x00\x00\x01s\x00\x00\x00\x00b\x00\x00\x00\x00"),
    (
        {"café": b"menu"},
        b"\x00\x00\x00\x01s\x00\x00\x00\x05caf\xc3\xa9b\x00\x00\x00\x04menu",
    ),
    (
        {"a": "1", b"a": b"2"},
        b"\x00\x00\x00\x02s\x00\x00\x00\x01as\x00\x00\x00\x011b\x00\x00\x00\x01ab\x00\x00\x00\x012",
    ),
]


@pytest.mark.parametrize(("value", "data"), FIELD_CASES)
def test_a_field_is_tag_length_data(value: Field, data: bytes) -> None:
    """The table holds in both directions, and a decoded field knows where it ends."""
    assert kvlib.encode_field(value) == data
    assert kvlib.decode_field(data) == (value, len(data))
    assert kvlib.decode_field(b"??" + data + b"rest", 2) == (value, 2 + len(data))


@pytest.mark.parametrize(("mapping", "data"), SNAPSHOT_CASES)
def test_a_snapshot_is_a_count_and_records(mapping: dict[Field, Field], data: bytes) -> None:
    """The table holds in both directions, and keeps the order of the records."""
    assert kvlib.encode_snapshot(mapping) == data
    decoded = kvlib.decode_snapshot(data)
    assert list(decoded.items()) == list(mapping.items())


@given(FIELDS)
def test_any_field_comes_back(value: Field) -> None:
    """Whatever str or bytes goes in comes out, with its type."""
    data = kvlib.encode_field(value)
    decoded, end = kvlib.decode_field(data)
    assert decoded == value
    assert type(decoded) is type(value)
    assert end == len(data)


@given(MAPPINGS)
def test_any_snapshot_comes_back(mapping: dict[Field, Field]) -> None:
    """Whatever mapping goes in comes out, in its order, with its types."""
    decoded = kvlib.decode_snapshot(kvlib.encode_snapshot(mapping))
    assert [(type(key), key, value) for key, value in decoded.items()] == [
        (type(key), key, value) for key, value in mapping.items()
    ]


def test_awkward_fields_stay_apart() -> None:
    """Every awkward key keeps a value of its own in one snapshot."""
    mapping: dict[Field, Field] = {key: f"{number}" for number, key in enumerate((*AWKWARD, *LONG))}
    assert len(mapping) == len(AWKWARD) + len(LONG)
    assert kvlib.decode_snapshot(kvlib.encode_snapshot(mapping)) == mapping


def test_fields_follow_one_another() -> None:
    """Fields laid end to end are read back one by one, each from where the last one ended."""
    data = b"".join(data for _, data in FIELD_CASES)
    offset, values = 0, []
    while offset < len(data):
        value, offset = kvlib.decode_field(data, offset)
        values.append(value)
    assert values == [value for value, _ in FIELD_CASES]


@pytest.mark.parametrize("data", [data for _, data in FIELD_CASES[:-2]])
def test_every_cut_of_a_field_is_refused(data: bytes) -> None:
    """No prefix of a field is a field."""
    for prefix in every_cut(data):
        with pytest.raises(CorruptionError):
            kvlib.decode_field(prefix)


@given(MAPPINGS)
def test_every_cut_of_a_snapshot_is_refused(mapping: dict[Field, Field]) -> None:
    """No prefix of a snapshot is a snapshot."""
    for prefix in every_cut(kvlib.encode_snapshot(mapping)):
        with pytest.raises(CorruptionError):
            kvlib.decode_snapshot(prefix)


@given(MAPPINGS, st.binary(min_size=1, max_size=9))
def test_trailing_bytes_are_refused(mapping: dict[Field, Field], rest: bytes) -> None:
    """What stands behind the last record is damage, and begins where the records end."""
    data = kvlib.encode_snapshot(mapping)
    with pytest.raises(CorruptionError) as caught:
        kvlib.decode_snapshot(data + rest)
    assert caught.value.offset == len(data)


@given(st.binary(max_size=60))
def test_hostile_bytes_are_refused_or_decoded(data: bytes) -> None:
    """Any bytes are the encoding of what they decode to, or a CorruptionError within them."""
    try:
        offset = len(kvlib.encode_snapshot(kvlib.decode_snapshot(data)))
        assert kvlib.encode_snapshot(kvlib.decode_snapshot(data)) == data
    except CorruptionError as error:
        offset = error.offset
    assert 0 <= offset <= len(data)


ONE = b"\x00\x00\x00\x01"
TWO = b"\x00\x00\x00\x02"
KEY = b"s\x00\x00\x00\x01k"  # 6 bytes: a key here spans 4..10, its value starts at 10
VALUE = b"b\x00\x00\x00\x01v"

# bytes, the offset to be named, a word of the reason
BAD_SNAPSHOTS: dict[str, tuple[bytes, int, str]] = {
    "no count": (b"\x00\x00\x00", 0, "count"),
    "unknown tag of a key": (ONE + b"S\x00\x00\x00\x01k" + VALUE, 4, "tag"),
    "unknown tag of a value": (ONE + KEY + b"\x00\x00\x00\x00\x01v", 10, "tag"),
    "bad UTF-8 in a key": (ONE + b"s\x00\x00\x00\x03ab\xff" + VALUE, 11, "UTF-8"),
    "bad UTF-8 in a value": (ONE + KEY + b"s\x00\x00\x00\x03\xc3\xa9\x80", 17, "UTF-8"),
    "half a character": (ONE + KEY + b"s\x00\x00\x00\x02a\xc3", 16, "UTF-8"),
    "a surrogate in UTF-8": (ONE + KEY + b"s\x00\x00\x00\x03\xed\xa0\x80", 15, "UTF-8"),
    "a long form in UTF-8": (ONE + KEY + b"s\x00\x00\x00\x02\xc0\x80", 15, "UTF-8"),
    "a doubled key": (TWO + KEY + VALUE + KEY + VALUE, 16, "second time"),
    "a key past the end": (ONE + b"s\x00\x00\x00\x08k" + VALUE, 5, "length 8"),
    "a value past the end": (ONE + KEY + b"b\x00\x00\x00\x02v", 11, "length 2"),
    "a huge length": (ONE + KEY + b"b\xff\xff\xff\xffv", 11, "length 4294967295"),
    "trailing bytes": (ONE + KEY + VALUE + b"\x00", 16, "last record"),
    "a count too large": (TWO + KEY + VALUE, 0, "count"),
    "a huge count": (b"\xff\xff\xff\xff" + KEY + VALUE, 0, "count"),
    "a count too small": (b"\x00\x00\x00\x00" + KEY + VALUE, 4, "last record"),
}


@pytest.mark.parametrize("case", BAD_SNAPSHOTS)
def test_each_flaw_of_a_snapshot_is_named_with_its_offset(case: str) -> None:
    """Each way to be no snapshot is a CorruptionError of its own, at its own offset."""
    data, offset, word = BAD_SNAPSHOTS[case]
    with pytest.raises(CorruptionError) as caught:
        kvlib.decode_snapshot(data)
    assert (caught.value.path, caught.value.offset) == (None, offset)
    assert word in caught.value.reason
    assert f"{offset}" in str(caught.value)


# bytes, where to start, the offset to be named, a word of the reason
BAD_FIELDS: dict[str, tuple[bytes, int, int, str]] = {
    "nothing": (b"", 0, 0, "field"),
    "nothing left": (KEY, 6, 6, "field"),
    "a tag alone": (b"xxs", 2, 2, "field"),
    "half a length": (b"xxs\x00\x00", 2, 2, "field"),
    "unknown tag": (b"xxB\x00\x00\x00\x01k", 2, 2, "tag"),
    "length past the end": (b"xxs\x00\x00\x00\x02k", 2, 3, "length 2"),
    "bad UTF-8": (b"xxs\x00\x00\x00\x02k\xff", 2, 8, "UTF-8"),
}


@pytest.mark.parametrize("case", BAD_FIELDS)
def test_each_flaw_of_a_field_is_named_with_its_offset(case: str) -> None:
    """Each way to be no field is a CorruptionError, at an offset counted from the first byte."""
    data, start, offset, word = BAD_FIELDS[case]
    with pytest.raises(CorruptionError) as caught:
        kvlib.decode_field(data, start)
    assert caught.value.offset == offset
    assert word in caught.value.reason


def test_a_count_is_checked_before_anything_is_allocated() -> None:
    """A count of four thousand million records in ten bytes is refused for the count alone."""
    with pytest.raises(CorruptionError) as caught:
        kvlib.decode_snapshot(b"\xff\xff\xff\xff" + b"?" * 6)
    assert caught.value.offset == 0


def test_records_know_where_their_fields_end() -> None:
    """Start, end of the key, and end of each record, worked by hand."""
    records = list(decode_records(kvlib.encode_snapshot({"a": "1", b"": b"xyz"})))
    assert records == [(4, "a", 10, "1", 16), (16, b"", 21, b"xyz", 29)]


def test_more_records_than_fit_are_refused() -> None:
    """A count has 32 bits; nothing is encoded before that is clear."""

    class Huge(dict[Field, Field]):
        def __len__(self) -> int:
            return 2**32

    with pytest.raises(ValueError, match="4294967296 records"):
        kvlib.encode_snapshot(Huge())


def test_bad_utf8_keeps_its_cause() -> None:
    """The decoder's own complaint stays attached as the cause."""
    with pytest.raises(CorruptionError) as caught:
        kvlib.decode_field(b"s\x00\x00\x00\x01\xff")
    assert isinstance(caught.value.__cause__, UnicodeDecodeError)


NOT_FIELDS: list[Any] = [0, None, True, 1.5, bytearray(b"a"), memoryview(b"a"), ["a"], ()]


@pytest.mark.parametrize("wrong", NOT_FIELDS, ids=lambda one: type(one).__name__)
def test_only_str_and_bytes_are_encoded(wrong: Any) -> None:
    """Another type is the caller's mistake, as a field, a key or a value."""
    with pytest.raises(TypeError, match="str or bytes"):
        kvlib.encode_field(wrong)
    with pytest.raises(TypeError, match="str or bytes"):
        kvlib.encode_snapshot({"k": wrong})


@pytest.mark.parametrize(
    "wrong", [0, None, True, 1.5, memoryview(b"a"), ()], ids=lambda one: type(one).__name__
)
def test_only_str_and_bytes_are_keys(wrong: Any) -> None:
    """Another type of key, where a dict can have it, is the caller's mistake."""
    with pytest.raises(TypeError, match="str or bytes"):
        kvlib.encode_snapshot({wrong: "v"})


@pytest.mark.parametrize("surrogate", ["\ud800", "a\udfff", "\ude00\ud83d"], ids=ascii)
def test_a_lone_surrogate_is_a_value_error(surrogate: str) -> None:
    """Half a character has no UTF-8; a bare UnicodeEncodeError would not say which field."""
    attempts: list[Callable[[], bytes]] = [
        lambda: kvlib.encode_field(surrogate),
        lambda: kvlib.encode_snapshot({surrogate: "v"}),
        lambda: kvlib.encode_snapshot({"k": surrogate}),
    ]
    for encode in attempts:
        with pytest.raises(ValueError, match="surrogate"):
            encode()
