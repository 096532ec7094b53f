"""The Delimiter lab: what was meant, the bytes, and what the parser says that it got."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kvlib import naive
from kvlib.layout.text import COLUMNS, width
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
    """What the lab says when these values stand in its fields."""
    for name, value in values.items():
        explorer.controls[name].value = value
    return explorer.text


def test_the_text_of_it_by_hand() -> None:
    """The specimen record and the delimiters of notebook 1; complete, for where no kernel is."""
    lab = delimiters()
    assert lab._repr_mimebundle_()["text/plain"] == repr(lab) == FIRST
    for text in (
        "<code>{&#x27;café&#x27;: &#x27;2,50 €&#x27;}</code>",
        "MISMATCH at byte 7",
        ">32<",
    ):
        assert text in lab.screen.value


@given(TRICKY, TRICKY, TRICKY, TRICKY)
def test_a_mismatch_is_where_the_parser_leaves_what_was_meant(
    key: str, value: str, between: str, after: str
) -> None:
    """It is called the same if and only if the record comes back; else the bytes before agree."""
    lab = delimiters(key=key, value=value, between=between, after=after)
    *_, shown = lab.text.partition("the parser got  ")
    got, _, said = shown.replace("\nrecord", " record").rpartition("\n")
    data = naive.encode_delimited({key: value}, between, after)
    try:
        back = naive.decode_delimited(data, between, after)
    except ValueError as error:
        assert said == "MISMATCH: no record"
        assert str(error) in got
        return
    assert said.startswith("the same") == (back == {key: value})
    if said != "the same":
        at = int(said.partition("at byte ")[2].partition(":")[0])
        parts = [
            (f"record[0].{name}", text)
            for name, text in (
                ("key", key),
                ("between", between),
                ("value", value),
                ("after", after),
            )
        ]
        written = [name for name, text in parts for _ in text.encode()]
        read = [
            one.name
            for one in delimited(data, between, after).root.leaves()
            for _ in range(one.start, one.end)
        ]
        assert written[:at] == read[:at]
        assert written[at] != read[at]


def test_a_record_that_comes_back_by_luck_is_said_to() -> None:
    """With one delimiter for both purposes the empty record becomes two, which are one again."""
    lab = delimiters(key="", value="", between=":", after=":")
    assert lab.text.endswith(
        "{'': ''}\nthe same, by luck at byte 0: written as record[0].between, read as\n"
        "record[0].after"
    )


@given(TRICKY.map(str.encode), TRICKY, TRICKY)
@example("a€b€€c€d".encode(), "é", "€")
@example("aéb€cé€".encode(), "é", "€")
def test_the_picture_is_the_parsers(data: bytes, between: str, after: str) -> None:
    """Any text: the leaves are all the bytes, keys and values those that the parser gives."""
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


def test_the_learners_functions_answer() -> None:
    """Only key and value are typed; all that is known of the bytes is the bytes."""
    lab = delimiters(lambda items: repr(items).encode(), lambda data: dict(eval(data)))
    assert [*lab.controls] == ["key", "value"]
    assert typed(lab, value="a|b;c").endswith("the parser got  {'café': 'a|b;c'}\nthe same")
    assert "as the parser saw them" not in lab.text


def test_one_function_of_the_learners_is_enough() -> None:
    """The other is the naive one, with the delimiters given."""
    lab = delimiters(decode=lambda data: {"mine": data.decode()}, between="<")
    assert lab.text.endswith("the parser got  {'mine': 'café<2,50 €,'}\nMISMATCH")
    lab = delimiters(lambda items: b"a|b|", between="|", after="|")
    assert lab.text.endswith("the parser got  {'a': '', 'b': ''}\nMISMATCH")


class Strange:
    """An answer that can't be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def fail(anything: Any) -> Any:
    """A function that isn't finished yet."""
    raise NotImplementedError("yours")


@pytest.mark.parametrize(
    ("encode", "decode", "said"),
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
    encode: Encode | None, decode: Decode | None, said: str
) -> None:
    """None of them ends the lab."""
    lab = delimiters(encode, decode)
    assert lab.text.endswith(said)
    assert typed(lab, key="k").endswith(said)


@pytest.mark.parametrize("typing", ["", "\ud800", "\0", "値" * 60, "<b>&amp;</b>", "\n", " " * 200])
def test_anything_can_be_typed(typing: str) -> None:
    """In each field: never an exception, never markup, never more than 80 columns."""
    for name in ("key", "value", "between", "after"):
        lab = delimiters()
        typed(lab, **{name: typing})
        assert "<b>" not in lab.screen.value
        assert max(width(line) for line in repr(lab).split("\n")) <= COLUMNS
