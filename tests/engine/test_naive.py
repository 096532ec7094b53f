"""The formats that fail: right for the first examples, then wrong as notebook 1 shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvlib.naive import (
    decode_counted,
    decode_delimited,
    encode_counted,
    encode_delimited,
    read_counted,
    read_delimited,
)

PLAIN = st.text("abcXYZ 019", max_size=20)


@given(st.dictionaries(PLAIN, PLAIN, max_size=5))
def test_plain_text_comes_back(items: dict[str, str]) -> None:
    """Both formats work for the first examples you try, which makes them dangerous."""
    assert decode_delimited(encode_delimited(items)) == items
    assert decode_counted(encode_counted(items)) == items


def test_the_formats_by_hand() -> None:
    """One format puts delimiters after each field, the other a byte with the length before it."""
    assert encode_delimited({"a": "1", "b": ""}) == b"a=1;b=;"
    assert encode_delimited({"a": "1"}, between="|", after="\n") == b"a|1\n"
    assert decode_delimited(b"a|1\nb|2\n", between="|", after="\n") == {"a": "1", "b": "2"}
    assert encode_counted({"ab": "", "": "c"}) == b"\x02ab\x00\x00\x01c"
    assert encode_delimited({}) == encode_counted({}) == b""
    assert decode_delimited(b"") == decode_counted(b"") == {}


@pytest.mark.parametrize(
    ("items", "read"),
    [
        ({"a;b": "1"}, {"a": "", "b": "1"}),
        ({"a=b": "1"}, {"a": "b=1"}),
        ({"a": "1;2"}, {"a": "1", "2": ""}),
        ({"a": "1;b=2"}, {"a": "1", "b": "2"}),
        ({"a": "1=2"}, {"a": "1=2"}),  # by chance: only the first `=` of a record counts
    ],
)
def test_a_delimiter_in_the_data_changes_the_data(
    items: dict[str, str], read: dict[str, str]
) -> None:
    """The wrong records come back, without an error."""
    assert decode_delimited(encode_delimited(items)) == read


def test_a_length_in_characters_cuts_a_character_in_two() -> None:
    """`len("café")` is 4, but it has 5 bytes."""
    assert encode_counted({"café": "9"}) == b"\x04caf\xc3\xa9\x019"
    with pytest.raises(UnicodeDecodeError):
        decode_counted(b"\x04caf\xc3\xa9\x019")


def test_a_length_of_one_byte_ends_at_255() -> None:
    """A value of more than 255 bytes is refused."""
    assert decode_counted(encode_counted({"k": "v" * 255})) == {"k": "v" * 255}
    with pytest.raises(ValueError, match="256"):
        encode_counted({"k": "v" * 256})


def test_the_readers_give_offsets() -> None:
    """Offsets are in bytes; after a wrong length, an offset may be past the end."""
    assert [*read_counted("\x04thé\x09x".encode())] == [(1, "thé", 5), (6, "x", 15)]
    assert [*read_delimited("thé=é;x;rest".encode())] == [
        ((0, "thé", 4), (5, "é", 7)),
        ((8, "x", 9), (9, "", 9)),
    ]
