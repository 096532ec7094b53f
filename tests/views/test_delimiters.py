"""The delimiter lab: a record, its bytes, and the parser's result."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.golden import check_width
from kvlib import naive
from kvlib.views.delimiters import Decode, Encode, delimited, delimiters
from kvlib.views.widgets import Explorer

TRICKY = st.text("a:,é= ", max_size=6)
FIRST = """\
key: 'café'
value: '2,50 €'
between: ':'
after: ','

you meant       {'café': '2,50 €'}

the bytes, as the parser saw them:

00000000: 63 61 66 C3 A9 3A 32 2C  35 30 20 E2 82 AC 2C     caf..:2,50 ...,

K=key V=value D=delimiter
offsets    bytes                     kind, name      meaning
record[0]
0000-0004  63 61 66 C3 A9            K key           'café'
0005       3A                        D between
0006       32                        V value         '2'
0007       2C                        D after
record[1]
0008-000D  35 30 20 E2 82 AC         K key           '50 €'
000E       (none)                    V value         ''
000E       2C                        D after

the parser got  {'café': '2', '50 €': ''}
MISMATCH at byte 7: written as record[0].value, read as record[0].after"""


def typed(explorer: Explorer, **values: Any) -> str:
    """Type values into the lab's fields, and return its text."""
    for name, value in values.items():
        explorer.controls[name].value = value
    return explorer.text


def test_the_text_has_the_record_the_bytes_and_the_result() -> None:
    """The text is complete without a kernel, and the page shows the same."""
    lab = delimiters()
    assert lab._repr_mimebundle_()["text/plain"] == repr(lab) == FIRST
    code = "<code>{&#x27;café&#x27;: &#x27;2,50 €&#x27;}</code>"
    assert all(text in lab.screen.value for text in (code, "MISMATCH at byte 7", ">32<"))


@given(TRICKY, TRICKY, TRICKY, TRICKY)
def test_a_mismatch_is_the_first_byte_read_as_another_part(
    key: str, value: str, between: str, after: str
) -> None:
    """The verdict is the same if the record comes back; the bytes before a mismatch agree."""
    lab = delimiters(key=key, value=value, between=between, after=after)
    *_, shown = lab.text.partition("the parser got  ")
    got, _, verdict = shown.replace("\nrecord", " record").rpartition("\n")
    data = naive.encode_delimited({key: value}, between, after)
    try:
        back = naive.decode_delimited(data, between, after)
    except ValueError as error:
        assert verdict == "MISMATCH: no record"
        assert str(error) in got
        return
    assert verdict.startswith("the same") == (back == {key: value})
    if verdict != "the same":
        at = int(verdict.partition("at byte ")[2].partition(":")[0])
        parts = {"key": key, "between": between, "value": value, "after": after}
        written = [f"record[0].{name}" for name, text in parts.items() for _ in text.encode()]
        leaves = delimited(data, between, after).root.leaves()
        read = [leaf.name for leaf in leaves for _ in range(leaf.start, leaf.end)]
        assert written[:at] == read[:at]
        assert written[at] != read[at]


def test_a_record_may_come_back_by_luck() -> None:
    """An empty record that is read as two equal ones comes back, and the verdict says so."""
    lab = delimiters(key="", value="", between=":", after=":")
    assert lab.text.endswith(
        "{'': ''}\nthe same, by luck at byte 0: written as record[0].between, read as\n"
        "record[0].after"
    )


@given(TRICKY.map(str.encode), TRICKY, TRICKY)
@example("a€b€€c€d".encode(), "é", "€")
@example("aéb€cé€".encode(), "é", "€")
def test_the_picture_has_what_the_parser_reads(data: bytes, between: str, after: str) -> None:
    """The leaves cover all bytes, and their keys and values are the parser's."""
    layout = delimited(data, between, after)
    leaves = [*layout.root.leaves()]
    assert b"".join(data[one.start : one.end] for one in leaves) == data
    if layout.stopped_at is None:
        keys = [one.value for one in leaves if one.kind == "key"]
        values = [one.value for one in leaves if one.kind == "value"]
        assert dict(zip(keys, values, strict=True)) == naive.decode_delimited(data, between, after)
        for one in leaves:
            if one.kind in ("key", "value"):
                assert str(one.value).encode() == data[one.start : one.end]
    else:
        assert "" in (between, after)


def test_a_learners_functions_replace_the_naive_ones() -> None:
    """Only the key and the value can be typed, and the bytes aren't taken apart."""
    lab = delimiters(lambda items: repr(items).encode(), lambda data: dict(eval(data)))
    assert [*lab.controls] == ["key", "value"]
    assert typed(lab, value="a|b;c").endswith("the parser got  {'café': 'a|b;c'}\nthe same")
    assert "as the parser saw them" not in lab.text


def test_one_function_of_a_learner_is_enough() -> None:
    """The naive function with the chosen delimiters is the other one."""
    lab = delimiters(decode=lambda data: {"mine": data.decode()}, between="<")
    assert lab.text.endswith("the parser got  {'mine': 'café<2,50 €,'}\nMISMATCH")
    lab = delimiters(lambda items: b"a|b|", between="|", after="|")
    assert lab.text.endswith("the parser got  {'a': '', 'b': ''}\nMISMATCH")


class Strange:
    """A result whose repr fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def fail(anything: Any) -> Any:
    """Raise an error, like a function that isn't written yet."""
    raise NotImplementedError("yours")


@pytest.mark.parametrize(
    ("encode", "decode", "words"),
    [
        (fail, None, "NotImplementedError: yours"),
        (str, None, "TypeError: your encoder gave str, not bytes"),
        (lambda items: bytearray(b"x:1,"), fail, "NotImplementedError: yours\nMISMATCH: no record"),
        (None, lambda data: Strange(), "<RuntimeError while it was turned into text>\nMISMATCH"),
        (None, lambda data: None, "the parser got  None\nMISMATCH"),
        (lambda items: b"\xff,", None, "MISMATCH: no record"),
    ],
)
def test_broken_functions_are_shown_by_their_message(
    encode: Encode | None, decode: Decode | None, words: str
) -> None:
    """The lab shows the exception or the wrong result, and keeps working."""
    lab = delimiters(encode, decode)
    assert lab.text.endswith(words)
    assert typed(lab, key="k").endswith(words)


@pytest.mark.parametrize("typing", ["", "\ud800", "\0", "値" * 60, "<b>&amp;</b>", "\n", " " * 200])
def test_anything_can_be_typed(typing: str) -> None:
    """Any text in any field is shown without markup, in 80 columns."""
    for name in ("key", "value", "between", "after"):
        lab = delimiters()
        typed(lab, **{name: typing})
        assert "<b>" not in lab.screen.value
        check_width(lab)
