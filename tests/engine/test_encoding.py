"""Fields and snapshot streams: bytes by hand, in both directions, and every flaw."""

from functools import partial
from typing import Any

import pytest
from hypothesis import given

import kvlib
from helpers.vocabulary import AWKWARD, LONG, MAPPINGS, every_cut
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
    """The table holds in both directions, and decoding returns where the field ends."""
    assert kvlib.encode_field(value) == data
    assert kvlib.decode_field(data) == (value, len(data))
    assert kvlib.decode_field(b"??" + data + b"rest", 2) == (value, 2 + len(data))


@pytest.mark.parametrize(("mapping", "data"), SNAPSHOT_CASES)
def test_a_snapshot_is_a_count_and_records(mapping: dict[Field, Field], data: bytes) -> None:
    """The table holds in both directions, and keeps the order of the records."""
    assert kvlib.encode_snapshot(mapping) == data
    decoded = kvlib.decode_snapshot(data)
    assert list(decoded.items()) == list(mapping.items())


@given(MAPPINGS)
def test_any_snapshot_comes_back(mapping: dict[Field, Field]) -> None:
    """A decoded mapping keeps its order and its types."""
    decoded = kvlib.decode_snapshot(kvlib.encode_snapshot(mapping))
    assert [(type(key), key, value) for key, value in decoded.items()] == [
        (type(key), key, value) for key, value in mapping.items()
    ]


def test_awkward_fields_stay_apart() -> None:
    """Every awkward key keeps its own value in one snapshot."""
    mapping: dict[Field, Field] = {key: f"{number}" for number, key in enumerate((*AWKWARD, *LONG))}
    assert len(mapping) == len(AWKWARD) + len(LONG)
    assert kvlib.decode_snapshot(kvlib.encode_snapshot(mapping)) == mapping


def test_fields_follow_one_another() -> None:
    """Each field is decoded from where the last one ended."""
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


ONE = b"\x00\x00\x00\x01"
TWO = b"\x00\x00\x00\x02"
KEY = b"s\x00\x00\x00\x01k"  # 6 bytes: a key here spans 4..10, its value starts at 10
VALUE = b"b\x00\x00\x00\x01v"

# bytes, the offset to be named, a word of the reason
BAD_SNAPSHOTS: dict[str, tuple[bytes, int, str]] = {
    "no count": (b"\x00\x00\x00", 0, "count"),
    "a huge count of nothing": (b"\xff\xff\xff\xff??????", 0, "count"),
    "unknown tag of a key": (ONE + b"S\x00\x00\x00\x01k" + VALUE, 4, "tag"),
    "unknown tag of a value": (ONE + KEY + b"\x00\x00\x00\x00\x01v", 10, "tag"),
    "bad UTF-8 in a key": (ONE + b"s\x00\x00\x00\x03ab\xff" + VALUE, 11, "UTF-8"),
    "bad UTF-8 in a value": (ONE + KEY + b"s\x00\x00\x00\x03\xc3\xa9\x80", 17, "UTF-8"),
    "UTF-8 above U+10FFFF": (ONE + KEY + b"s\x00\x00\x00\x04\xf4\x90\x80\x80", 15, "UTF-8"),
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
def test_each_flaw_of_a_snapshot_has_its_offset(case: str) -> None:
    """The error names the first wrong byte, and no file."""
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
def test_each_flaw_of_a_field_has_its_offset(case: str) -> None:
    """The offset counts from the start of the data."""
    data, start, offset, word = BAD_FIELDS[case]
    with pytest.raises(CorruptionError) as caught:
        kvlib.decode_field(data, start)
    assert caught.value.offset == offset
    assert word in caught.value.reason


def test_records_know_where_their_fields_end() -> None:
    """Each record has the offsets of its start, its value and its end."""
    records = list(decode_records(kvlib.encode_snapshot({"a": "1", b"": b"xyz"})))
    assert records == [(4, "a", 10, "1", 16), (16, b"", 21, b"xyz", 29)]


def test_more_records_than_fit_are_refused() -> None:
    """A count has 32 bits, which is checked before any record is encoded."""

    class Huge(dict[Field, Field]):
        def __len__(self) -> int:
            return 2**32

    with pytest.raises(ValueError, match="4294967296 records"):
        kvlib.encode_snapshot(Huge())


def test_bad_utf8_keeps_its_cause() -> None:
    """The UnicodeDecodeError is the cause of the error."""
    with pytest.raises(CorruptionError) as caught:
        kvlib.decode_field(b"s\x00\x00\x00\x01\xff")
    assert isinstance(caught.value.__cause__, UnicodeDecodeError)


NOT_FIELDS: list[Any] = [0, None, True, 1.5, bytearray(b"a"), memoryview(b"a"), ["a"], ()]


@pytest.mark.parametrize("wrong", NOT_FIELDS, ids=lambda wrong: type(wrong).__name__)
def test_only_str_and_bytes_are_encoded(wrong: Any) -> None:
    """A field, key or value of another type is a TypeError."""
    attempts = [partial(kvlib.encode_field, wrong), partial(kvlib.encode_snapshot, {"k": wrong})]
    if not isinstance(wrong, (bytearray, list)):  # which can't be keys
        attempts.append(partial(kvlib.encode_snapshot, {wrong: "v"}))
    for encode in attempts:
        with pytest.raises(TypeError, match="str or bytes"):
            encode()


@pytest.mark.parametrize("surrogate", ["\ud800", "a\udfff", "\ude00\ud83d"], ids=ascii)
def test_a_lone_surrogate_is_refused(surrogate: str) -> None:
    """A lone surrogate is a ValueError, because it has no UTF-8 encoding."""
    for encode in (
        partial(kvlib.encode_field, surrogate),
        partial(kvlib.encode_snapshot, {surrogate: "v"}),
        partial(kvlib.encode_snapshot, {"k": surrogate}),
    ):
        with pytest.raises(ValueError, match="surrogate"):
            encode()
