"""The delimiter lab: a record, its bytes, and the parser's result."""

import re
from html import escape
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.golden import check_width
from kvlib import naive
from kvlib.layout.regions import Region, RegionKind
from kvlib.views import parsed, svg
from kvlib.views.cells import Cells, clipped, fields
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
    assert escape("The parser got {'café': '2', '50 €': ''}.") in lab.screen.value
    assert "MISMATCH at byte 7" in lab.screen.value
    assert escape(FIRST.partition("\n\n")[2]) in lab.screen.value
    page = lab._repr_mimebundle_()["text/html"]
    assert escape("The parser got {'café': '2', '50 €': ''}.") in page
    assert "<img alt=" in page


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


# ------------------------------------------------------------------------------------ the picture


def shapes_of(explorer: Explorer) -> str:
    """Return the picture's shapes."""
    found = re.search(r"<svg .*?</svg>", explorer.screen.value)
    assert found
    return found[0]


def coloured(shapes: list[str]) -> str:
    """Return shapes as they are in a widget."""
    return re.sub(r"\$([a-z0-9-]+)", r"var(--kv-\1)", "".join(shapes))


def title_of(explorer: Explorer) -> str:
    """Return the picture's title."""
    found = re.search(r' font-size="23" .*?>(.*?)</text>', shapes_of(explorer))
    assert found
    return found[1]


@given(TRICKY, TRICKY, TRICKY, TRICKY)
@example("café", "2,50 €", ":", ",")
@example("", "", ":", ":")
@example("k", "x" * 200 + ",", "=", ",")
@example("a," * 30, "x", "=", ",")
def test_the_picture_has_both_readings_of_each_byte(
    key: str, value: str, between: str, after: str
) -> None:
    """The upper row has the parts as they were typed, the lower one as the parser reads them."""
    lab = delimiters(key=key, value=value, between=between, after=after)
    shapes, texts = shapes_of(lab), (key, between, value, after)
    data = "".join(texts).encode()
    ends = [len("".join(texts[:number]).encode()) for number in range(5)]
    kinds: tuple[RegionKind, ...] = ("key", "delimiter", "value", "delimiter")
    written = [
        Region(ends[number], ends[number + 1], kind, "") for number, kind in enumerate(kinds)
    ]
    layout = delimited(data, between, after)
    read = [*layout.root.leaves()]
    mine = [leaf.name.rpartition(".")[2] for leaf in read for _ in range(leaf.start, leaf.end)]
    names = [name for name, text in zip(("key", "between", "value", "after"), texts, strict=True)
             for _ in text.encode()]  # fmt: skip
    record = [leaf.name[:9] for leaf in read for _ in range(leaf.start, leaf.end)]
    refused = layout.stopped_at is not None
    wrong = [at for at in range(len(data)) if mine[at] != names[at] or record[at] != "record[0]"]
    at = None if refused or not wrong else wrong[0]
    shown = re.search(r"the picture has bytes ([\d,]+) to ([\d,]+) of", shapes)
    start, end = (int(shown[1]), int(shown[2]) + 1) if shown else (0, len(data))
    assert end - start <= parsed.MOST
    assert end - start == len(data) or len(data) > parsed.MOST
    pitch = 132 if refused else 176
    top = 70 if at is None else 92
    above = Cells(parsed.LEFT, top, parsed.COLUMNS, 26, 30, pitch)
    below = Cells(parsed.LEFT, top + parsed.READ, parsed.COLUMNS, 26, 30, pitch)
    for cells, leaves in ((above, written), (below, read)):
        for shape in fields(cells, data[start:end], [*clipped(leaves, start, end)]):
            assert coloured([shape]) in shapes
    rings = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)"[^>]*height="119.2"', shapes)
    assert len(rings) == (at is not None)
    if at is not None:
        assert start <= at < end
        x, y = above.at(at - start)
        assert rings == [(svg.number(x - 1.6), svg.number(y - 1.6))]
        assert f"byte {at}: written as" in shapes
    marks = shapes.count("l5 -8l5 8Z")
    assert marks == (0 if refused else end - start)
    assert (f"▲ {end - start} of " in shapes) == (marks > 0)


@given(TRICKY, TRICKY, TRICKY, TRICKY)
def test_the_title_has_the_outcome(key: str, value: str, between: str, after: str) -> None:
    """It tells how many records were read, and whether the record came back."""
    lab = delimiters(key=key, value=value, between=between, after=after)
    data = naive.encode_delimited({key: value}, between, after)
    title = title_of(lab)
    assert len(title) <= 60
    try:
        records = [*naive.read_delimited(data, between, after)]
        same = naive.decode_delimited(data, between, after) == {key: value}
    except ValueError:
        assert title == "The parser can't read this"
        assert "no record" in shapes_of(lab)
        return
    assert ("the record comes back" in shapes_of(lab)) == same
    if "read as" in title and title.startswith("Written"):
        assert title.endswith(f" {len(records) or 'none'}")
        assert len(records) != 1
    else:
        assert title.startswith("Byte ") != same
    brackets = re.findall(r"v5H[\d.]+v-5", shapes_of(lab))
    full = [one for one in delimited(data, between, after).root.children if one.end > one.start]
    assert len(brackets) >= len(full)


@pytest.mark.parametrize(
    ("decode", "title"),
    [
        (lambda data: dict(eval(data)), "Your record comes back"),
        (lambda data: {}, "Your record doesn&#x27;t come back"),
        (fail, "No record comes back"),
    ],
)
def test_functions_of_your_own_have_one_row_of_bytes(decode: Decode, title: str) -> None:
    """How they read each byte isn't known, so nothing is marked."""
    lab = delimiters(lambda items: repr(items).encode(), decode)
    assert title_of(lab) == title.replace("&#x27;", "'")
    assert ">bytes<" in shapes_of(lab)
    assert ">written<" not in shapes_of(lab)
    assert "looked at" not in shapes_of(lab)


def test_bytes_that_no_text_has_are_drawn() -> None:
    """An encoder may give any bytes."""
    lab = delimiters(lambda items: b"\xff\x00a" * 40, lambda data: {"café": "2,50 €"})
    assert "the picture has bytes 0 to 55 of 120" in shapes_of(lab)
    assert "FF" in shapes_of(lab)
