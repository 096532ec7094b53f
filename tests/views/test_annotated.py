"""Bytes as a picture: every byte is drawn once, in its place, and every field has its sentence."""

import json
import re
from collections.abc import Callable
from html import unescape
from itertools import product
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kvlib
from helpers.explored import LOG
from kvlib import MemoryDisk
from kvlib.layout.dissect import FORMATS, Layout, dissect
from kvlib.layout.regions import Region
from kvlib.layout.text import BLOCK, ROW, meaning
from kvlib.views import dump, svg
from kvlib.views.annotated import annotated, title
from kvlib.views.figure import LIMIT, Figure
from kvlib.views.grid import CELL, GAP, HIGH, LEFT, PITCH, TOP, Grid

SVG = "{http://www.w3.org/2000/svg}"
MIXED = kvlib.encode_snapshot(
    {"café": "2,50 €", "$key": b"\xff\xfe\0", "": "漢字 \N{BLACK HEART SUIT}"}
)
SAMPLES: dict[str, Callable[[], bytes]] = {
    "field": lambda: kvlib.encode_field("café"),
    "record": lambda: kvlib.encode_field("café") + kvlib.encode_field(b"<b>"),
    "snapshot": lambda: MIXED,
    "segment": lambda: kvlib.split(MIXED, 20)[0],
    "mutations": lambda: b"P" + kvlib.encode_field("a") + kvlib.encode_field("b"),
    "frame": lambda: kvlib.seal(b"S", 3, b"anything"),
}


def drawn(figure: Figure) -> dict[tuple[float, float], str]:
    """Return the hex digits in the picture, by x and y."""
    found: dict[tuple[float, float], str] = {}
    for text in ElementTree.fromstring(figure.image()).iter(SVG + "text"):
        xs = [float(x) for x in text.attrib["x"].split()]
        if len(xs) > 1 and LEFT <= xs[0] < 640:
            assert len(xs) == len(text.text or "")
            for x, digit in zip(xs, text.text or "", strict=True):
                place = (x, float(text.attrib["y"]))
                assert place not in found, "a digit is drawn twice"
                found[place] = digit
    return found


def bytes_of(figure: Figure) -> dict[tuple[int, int], int]:
    """Return the bytes in the picture, by row and column, from the places of their digits."""
    halves: dict[tuple[int, int], dict[float, str]] = {}
    for (x, y), digit in drawn(figure).items():
        column = next(
            at for at in range(ROW) if 0 <= x - (LEFT + at * CELL + GAP * (at > 7)) < CELL
        )
        halves.setdefault((int((y - TOP) // PITCH), column), {})[x] = digit
    found = {}
    for place, digits in halves.items():
        high, low = sorted(digits)
        found[place] = int(digits[high] + digits[low], 16)
    return found


def leaves_of(layout: Layout) -> list[Region]:
    """Return the leaves of a layout."""
    return [leaf for leaf in layout.root.leaves() if leaf.kind != "group"]


@settings(max_examples=150)
@given(st.sampled_from([*FORMATS]), st.data())
def test_every_byte_and_every_field_is_there(format: str, data: st.DataObject) -> None:
    """Each byte is in its row and column, and each leaf has spots over its bytes, and its words."""
    whole = SAMPLES.get(format, lambda: LOG)()
    raw = data.draw(
        st.binary(max_size=70) | st.integers(0, len(whole)).map(lambda end: whole[:end])
    )
    if raw:
        at = data.draw(st.integers(0, len(raw) - 1))
        raw = raw[:at] + bytes([raw[at] ^ data.draw(st.integers(0, 255))]) + raw[at + 1 :]
    layout = dissect(raw, format=format)
    figure = annotated(layout, "text")
    assert bytes_of(figure) == {divmod(at, ROW): byte for at, byte in enumerate(raw)}
    leaves = leaves_of(layout)
    assert len(figure.positions) == max(1, len(leaves))
    covered = list[tuple[int, int]]()
    for position, leaf in zip(figure.positions, leaves, strict=False):
        assert position.label.split("-")[0] == f"{leaf.start:04X}"
        if leaf.end > leaf.start + 1:
            assert position.label.endswith(f"-{leaf.end - 1:04X}")
        if leaf.status == "ok":
            assert " ".join(meaning(leaf).split()).rstrip(".") in position.says
        if leaf.status == "bad":
            assert f"reading stops here: {(layout.reason or '')}".rstrip(".") in position.says
        if leaf.start < leaf.end:
            covered += cells_under(position.spot or ())
            assert leaf.kind in position.says.lower() or leaf.kind == "gap"
        bad = leaf.status == "bad"
        assert not bad or figure.positions[figure.start].says.count("stops here")
    assert covered == [divmod(at, ROW) for at in range(len(raw))]


def cells_under(numbers: tuple[float, ...]) -> list[tuple[int, int]]:
    """Return the rows and columns of the cells that are under spots."""
    found = []
    for x, y, wide, high in zip(*[iter(numbers)] * 4, strict=True):
        assert high == HIGH
        for column in range(ROW):
            middle = LEFT + column * CELL + GAP * (column > 7) + CELL / 2
            if x < middle < x + wide:
                found.append((int((y - TOP) // PITCH), column))
    return found


def test_a_length_outlines_what_it_counts() -> None:
    """The dashed line runs around the key, over several rows too."""
    figure = annotated(dissect(kvlib.encode_field("café")), "text")
    chosen = figure.positions[figure.start]
    assert chosen.says == "Length, in field 0, 5 bytes of data, outlined."
    assert chosen.shapes == (
        svg.path(f"M342 {TOP}h140v{HIGH}h-140Z", "you", stroke=2.2, dashed=True),
    )
    grid = Grid(64, [(0, 64)])
    assert len(grid.outline(14, 18)) == 1  # two boxes that don't touch are one path
    (around,) = grid.outline(5, 40)
    assert around.count("H") == 4
    assert grid.outline(3, 3) == ()


def test_damage_is_ringed_torn_and_unread() -> None:
    """A flaw has a ring and its reason, a torn tail is hatched, what isn't read is empty."""
    stream = kvlib.encode_snapshot({"café": "2,50 €"})
    broken = annotated(dissect(stream[:8] + b"\x06" + stream[9:], format="snapshot"), "text")
    fixed = "".join(broken.fixed)
    assert fixed.count('stroke="$refused"') == 1
    assert 'stroke="$wrong"' not in fixed
    assert "stopped at 000F (offset 15): tag" in fixed
    assert "not read" in fixed
    assert "stops here" in broken.positions[broken.start].says
    torn = annotated(dissect(LOG[:-3], format="log"), "text")
    fixed = "".join(torn.fixed)
    assert "torn off by a crash" in fixed
    assert "a torn tail of" in fixed
    assert 'stroke="$wrong"' in fixed
    missing = annotated(dissect(b"", format="field"), "text")
    assert "stroke-dasharray" in "".join(missing.fixed)
    assert missing.positions[0].says.startswith("Missing, in field 0, reading stops here: ")


@pytest.mark.parametrize("size", [1, 4, 40, 300])
def test_a_page_has_room_for_it(size: int) -> None:
    """The HTML is within its limit with all positions; rows that are left out are counted."""
    data = kvlib.encode_snapshot({f"{number}": "v" * size for number in range(200)})
    html = dump(data, "snapshot")._repr_mimebundle_()["text/html"]
    assert len(html.encode()) <= LIMIT
    assert "positions, from" not in html
    image = unquote(html.partition('src="')[2].partition('"')[0])
    (left,) = re.findall(r"\(([0-9,]+) bytes left out here\)", image)
    xs = re.findall(r'<text x="((?:\d+ )+\d+)" y="\d+">[0-9A-F]+<', image)
    shown = sum(len(found.split()) for found in xs if int(found.split()[0]) < 640) // 2
    assert shown + int(left.replace(",", "")) == len(data)
    assert BLOCK // 2 < shown <= BLOCK + ROW


def test_a_window_in_the_middle() -> None:
    """Bytes are left out before and after the flaw's rows; the fields there have no position."""
    data = bytearray(kvlib.encode_snapshot({f"{number}": "v" * 20 for number in range(200)}))
    data[3100] ^= 0x80
    figure = dump(bytes(data), "snapshot", limit=64).figure()
    assert figure
    assert len(re.findall("left out here", "".join(figure.fixed))) == 2
    assert len(figure.positions) < 40


def test_the_script_gets_the_picture_from_the_image() -> None:
    """The colours of the static image, in order, stand for the tokens of the shapes."""
    figure = annotated(dissect(MIXED, format="snapshot"), "text")
    data = json.loads(figure.data())
    image = figure.image()
    fixed = image[image.index(">") + 1 : image.rindex("<g>")]
    colours = [data["strings"][number] for number in data["colours"]]
    found = re.findall(r'(?<==")#\w{6}(?=")', fixed)
    assert found == [svg.COLOURS[token.removeprefix("$")][0] for token in colours]
    for number, (label, says, _, *spots) in enumerate(data["positions"]):
        position = figure.positions[number]
        assert label == position.label
        assert ", ".join(data["strings"][clause] for clause in says) == position.says
        assert spots == [*(position.spot or ())]


def test_pieces_have_brackets() -> None:
    """A bracket's label says its piece, its content and its size; brackets don't overlap."""
    disk = MemoryDisk()
    with kvlib.open(disk) as store:
        store["café"] = "2,50 €"
        store.delete("café")
        store.update({"a": "1", "b": "2"})
    words = unescape("".join(annotated(dissect(disk.read("log")), "text").fixed))
    for said in ("preamble", "head", "frame 0", "put café", "41 bytes", "2 changes"):
        assert f">{said}<" in words
    small = annotated(dissect(kvlib.encode_snapshot({"": "", "a": ""}), format="snapshot"), "t")
    d = next(shape for shape in small.fixed if "h-8V" in shape)
    ends = [float(number) for number in re.findall(r"M[\d.]+ ([\d.]+)h-8V([\d.]+)", d)[0]]
    assert ends == sorted(ends)


@pytest.mark.parametrize(
    ("source", "size", "names", "said"),
    [
        ("log", 5, ["preamble"], "log, 5 bytes: a preamble"),
        ("", 1, [], "1 byte"),
        ("", 90, ["head", "frame[0]", "frame[1]"], "90 bytes: a head and 2 frames"),
        ("", 9, ["operation", "a_b", "rest"], "9 bytes: an operation, an a b and the rest"),
        ("n" * 40, 9, ["head", "operation"], "n" * 40 + ", 9 bytes"),
        ("n" * 60, 9, ["head"], "n" * 51 + "…"),
    ],
)
def test_the_title_says_what_there_is(source: str, size: int, names: list[str], said: str) -> None:
    """It has the size and the pieces, as far as there is room."""
    assert title(source, size, [Region(0, 1, "group", name) for name in names]) == said


def test_texts_stay_within_the_card() -> None:
    """No text leaves the picture, whatever the keys."""
    keys = ["漢字" * 20, "x" * 90, "\N{WAVING HAND SIGN}" * 9, '="#FFFFFF"', "</text>"]
    data = kvlib.encode_snapshot(dict.fromkeys(keys, "$"))
    figure = annotated(dissect(data, format="snapshot", source="漢" * 40), "text")
    for text in ElementTree.fromstring(figure.image()).iter(SVG + "text"):
        xs = [float(x) for x in text.attrib["x"].split()]
        assert 0 < min(xs) <= max(xs) < svg.WIDTH
        assert float(text.attrib["y"]) < figure.height
        if text.attrib.get("text-anchor") == "end":
            assert xs[0] - svg.measure(text.text or "", 17) > 0
    marked = re.findall(r'(?<==")#\w{6}(?=")', figure.image().partition("<g>")[0])
    assert len(marked) == len(json.loads(figure.data())["colours"])


def test_a_screen_gets_no_script() -> None:
    """Without a script there are the picture and the table of the parts, and no positions."""
    shown = dump(MIXED, "snapshot")
    static = shown._repr_html_()
    assert "<script" not in static
    assert 'role="img" aria-label="' in static
    assert static.count("<th scope=row>") == len(leaves_of(dissect(MIXED, format="snapshot")))
    large = dump(bytes(BLOCK + 1), "field", limit=None)
    assert large._repr_html_() == large.html()
    assert "<pre" in large.html()


def test_spots_of_empty_fields_are_beside_their_neighbours() -> None:
    """An empty field at the end of a row is after its last byte."""
    grid = Grid(64, [(0, 32), (48, 64)])
    for start, kind in product((16, 32, 48, 64), ("value",)):
        spot = grid.spots(Region(start, start, kind, "v"))  # type: ignore[arg-type]
        assert len(spot) == 4
    assert grid.spots(Region(41, 41, "value", "v")) == ()
    assert Grid(16, [(0, 16)], True).place(16) == (LEFT, TOP + PITCH)
