"""The segment desk: any cards on it are read by `join` and `decode_snapshot`."""

import re
from html import escape, unescape
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import kvlib
from helpers.golden import check_width
from helpers.vocabulary import MAPPINGS, flip_bit
from kvlib import segments
from kvlib.encoding import Item
from kvlib.errors import CorruptionError
from kvlib.layout.dissect import dissect
from kvlib.views import cards, svg
from kvlib.views.assembled import slots
from kvlib.views.cards import Card, Grid
from kvlib.views.desk import CHOSEN, FLIP, LIMIT, NOTHING, Table, desk
from kvlib.views.figure import Figure
from kvlib.views.widgets import Explorer

CAFE: dict[Item, Item] = {"café": "2,50 €"}
DEARER: dict[Item, Item] = {"café": "2,80 €"}
PIECES = segments.split(kvlib.encode_snapshot(CAFE), 20)
OTHERS = segments.split(kvlib.encode_snapshot(DEARER), 20)
BYTES = {
    **{f"segment {number}": piece for number, piece in enumerate(PIECES)},
    **{f"other {number}": piece for number, piece in enumerate(OTHERS)},
}
NAMES = st.sampled_from([NOTHING, *BYTES])
RIGHT = "join gives a stream of 27 bytes\nthe records: {'café': '2,50 €'}\nright"


def result(text: str) -> str:
    """Return the engine's answer, which is above the cards."""
    return text.partition("\n\n")[0]


def placed(lab: Explorer) -> list[str]:
    """Return what lies on the places."""
    return [one.value for name, one in lab.controls.items() if name.startswith("place ")]


def answer(cards: list[bytes]) -> str:
    """Return the lines that the desk should show for these cards."""
    try:
        stream = segments.join(cards)
    except CorruptionError as error:
        return f"refused: {error}"
    first = f"join gives a stream of {len(stream)} bytes\n"
    try:
        records = kvlib.decode_snapshot(stream)
    except CorruptionError as error:
        return f"{first}refused: {error}"
    verdict = "right"
    if records != CAFE:
        verdict = "wrong, and no error: these are not the records of the snapshot"
    return f"{first}the records: {records!r}\n{verdict}"


def test_the_desk_starts_with_the_segments_in_order() -> None:
    """One place is empty, and each card is a dump of its segment."""
    lab = desk(CAFE, max_segment_size=20)
    assert placed(lab) == [*list(BYTES)[:3], NOTHING]
    assert (lab.controls[CHOSEN].value, lab.controls[FLIP].value) == ("place 0", 0)
    assert result(lab.text) == RIGHT
    assert "segment 2: 11 bytes\n\n00000000: 00 00 00 02 00 00 00 03  E2 82 AC" in lab.text
    assert lab._repr_mimebundle_()["text/plain"] == repr(lab)
    assert repr(lab).startswith("place 0: 'segment 0'\nplace 1: 'segment 1'\n")


@pytest.mark.parametrize(
    ("name", "cards", "words"),
    [
        ("in order", ["segment 0", "segment 1", "segment 2", NOTHING], RIGHT),
        ("reverse", ["segment 2", "segment 1", "segment 0", NOTHING], RIGHT),
        (
            "drop one",
            ["segment 0", "segment 2", NOTHING, NOTHING],
            "refused: segments: offset 0: segment 1 of 3 is missing",
        ),
        (
            "double one",
            ["segment 0", "segment 1", "segment 2", "segment 1"],
            "refused: segments[3]: offset 0: segment 1 is here for the second time",
        ),
        (
            "mix",
            ["segment 0", "other 1", "segment 2", NOTHING],
            "join gives a stream of 27 bytes\nthe records: {'café': '2,80 €'}\n"
            "wrong, and no error: these are not the records of the snapshot",
        ),
    ],
)
def test_each_accident_has_a_button(name: str, cards: list[str], words: str) -> None:
    """A button lays the cards of its accident."""
    lab = desk(CAFE, max_segment_size=20, other=DEARER)
    lab.buttons[name].click()
    assert placed(lab) == cards
    assert result(lab.text) == words


@given(st.lists(NAMES, min_size=4, max_size=4), st.integers(0, 640))
def test_any_cards_and_any_flipped_bit_are_read_by_the_engine(names: list[str], bit: int) -> None:
    """Text and page have the engine's answer; the bit is counted from 1 through all cards."""
    lab = desk(PIECES, other=OTHERS)
    for number, name in enumerate(names):
        lab.controls[f"place {number}"].value = name
    lab.controls[FLIP].value = bit
    cards = [BYTES[name] for name in names if name != NOTHING]
    whole = b"".join(cards)
    if 0 < bit <= 8 * len(whole):
        whole = flip_bit(whole, bit - 1)
    ends = [sum(map(len, cards[:number])) for number in range(len(cards) + 1)]
    spoilt = [whole[start:end] for start, end in pairwise(ends)]
    expected = answer(spoilt)
    shown = " ".join(result(lab.text).split("\n"))
    assert shown.replace(" ", "") == expected.replace("\n", "").replace(" ", "")
    words = expected.split("\n")[-1] if "refused" in expected else expected.split("\n")[1]
    assert escape(words.partition(": ")[2]) in lab.screen.value


@given(MAPPINGS)
def test_any_records_fit_one_segment(records: dict[Item, Item]) -> None:
    """Any records, even none, are right in one large segment."""
    lab = desk(records, max_segment_size=2**16)
    assert result(lab.text).endswith("right")
    assert "mix" not in lab.buttons


def test_incomplete_segments_have_no_right_answer() -> None:
    """If the segments don't join from the start, no card is called right or wrong."""
    lab = desk([PIECES[0]], other=[segments.split(kvlib.encode_snapshot(CAFE), 99)[0]])
    assert result(lab.text) == "refused: segments: offset 0: segment 1 of 3 is missing"
    lab.buttons["mix"].click()
    assert result(lab.text) == RIGHT.removesuffix("\nright")
    assert "café" in unescape(lab.screen.value)


def test_an_empty_desk_is_refused() -> None:
    """Without a card, segment 0 is missing."""
    lab = desk(CAFE, max_segment_size=64)
    lab.controls["place 0"].value = NOTHING
    assert lab.text == "refused: segments: offset 0: segment 0 of at least 1 is missing"


@pytest.mark.parametrize("source", [[b""] * (LIMIT + 1), []])
def test_a_desk_has_room_for_one_to_twenty_segments(source: list[bytes]) -> None:
    """Other numbers of segments are rejected, with advice."""
    with pytest.raises(ValueError, match="a desk has room for 1 to 20: choose another max_segm"):
        desk(source)


def test_the_text_has_80_columns() -> None:
    """A desk of eight cards with wide characters is not too wide."""
    lab = desk({"値" * 20: "値" * 20}, max_segment_size=26, other={"k": "v"})
    assert len(lab.controls) == 11
    check_width(lab)


# ------------------------------------------------------------------------------------ the buttons


def chosen(lab: Explorer, place: int, *buttons: str) -> list[str]:
    """Choose a place, press buttons, and return what lies on the places that hold a card."""
    lab.controls[CHOSEN].value = f"place {place}"
    for name in buttons:
        lab.buttons[name].click()
    return [name for name in placed(lab) if name != NOTHING]


def test_buttons_move_the_chosen_card() -> None:
    """A card that moves stays chosen, and stops at the ends of the desk."""
    lab = desk(CAFE, max_segment_size=20)
    names = [*BYTES][:3]
    assert chosen(lab, 2, "move left", "move left", "move left") == [names[2], *names[:2]]
    assert lab.controls[CHOSEN].value == "place 0"
    assert chosen(lab, 0, *["move right"] * 2) == names
    assert chosen(lab, 2, *["move right"] * 3) == names
    assert lab.controls[CHOSEN].value == "place 3"
    assert placed(lab)[2] == NOTHING


def test_buttons_lose_and_double_the_chosen_card() -> None:
    """The cards behind it close up or make room; what falls off the desk's end is gone."""
    lab = desk(CAFE, max_segment_size=20)
    zero, one, two = [*BYTES][:3]
    assert chosen(lab, 1, "lose it") == [zero, two]
    assert chosen(lab, 0, "double it") == [zero, zero, two]
    assert "segments[1]: offset 0: segment 0 is here for the second time" in lab.text
    assert chosen(lab, 0, "double it", "double it") == [zero] * 4
    assert one not in chosen(lab, 3, *["lose it"] * 4)
    assert "swap snapshots" not in lab.buttons


def test_a_button_swaps_a_card_for_that_of_the_other_snapshot() -> None:
    """A second press swaps it back; a card without a twin stays."""
    longer = desk(CAFE, max_segment_size=20, other={"café": "2,50 €, or 2,80 € at the bar"})
    assert chosen(longer, 1, "swap snapshots")[1] == "other 1"
    assert "a total of 5 segments, but the first segment\nsays 3" in result(longer.text)
    assert chosen(longer, 1, "swap snapshots")[1] == "segment 1"
    longer.controls["place 1"].value = "segment 2"
    assert chosen(longer, 1, "swap snapshots")[1] == "other 2"
    longer.controls["place 0"].value = "other 4"
    assert chosen(longer, 0, "swap snapshots")[0] == "other 4"


def test_a_button_is_one_update() -> None:
    """A preset sets all places before the answer is computed."""
    lab = desk(CAFE, max_segment_size=20)
    shown: list[str] = []
    lab.screen.observe(lambda change: shown.append(change["new"]), names="value")
    lab.buttons["reverse"].click()
    assert len(shown) == 1


def test_only_buttons_set_the_places() -> None:
    """The menus of the places aren't shown, because the picture has the cards."""
    lab = desk(CAFE, max_segment_size=20)
    sets, acts, screen, _ = lab.children
    assert [one.description for one in sets.children] == [
        "in order",
        "reverse",
        "drop one",
        "double one",
    ]
    assert acts.children[:2] == (lab.controls[CHOSEN], lab.controls[FLIP])
    assert [one.description for one in acts.children[2:]] == [
        "move left",
        "move right",
        "lose it",
        "double it",
    ]
    assert screen is lab.screen


def test_without_a_kernel_there_is_a_figure_of_the_accidents() -> None:
    """It has the pictures and answers that the buttons give."""
    lab = desk(CAFE, max_segment_size=20, other=DEARER)
    bundle = lab._repr_mimebundle_()
    table = Table({k: v for k, v in BYTES.items() if k[0] == "s"},
                  {k: v for k, v in BYTES.items() if k[0] == "o"})  # fmt: skip
    presets: dict[str, dict[str, str]] = {}
    for name in ("in order", "reverse", "drop one", "double one", "mix"):
        lab.buttons[name].click()
        presets[name] = dict(zip("abcd", placed(lab), strict=True))
    figure = table.accidents(presets)
    assert bundle["text/html"] == figure.html()
    assert [one.label for one in figure.positions] == [*presets]
    for position, row in zip(figure.positions, presets.values(), strict=True):
        assert position == figure_of(row).positions[0].__class__(
            position.label, figure_of(row).positions[0].says, figure_of(row).positions[0].shapes
        )


# ------------------------------------------------------------------------------------ the picture


def figure_of(row: "dict[str, str] | list[str]", bit: int = 0) -> Figure:
    """Return the picture of these cards."""
    names = [*(row.values() if isinstance(row, dict) else row)]
    own = {name: data for name, data in BYTES.items() if name.startswith("segment")}
    others = {name: data for name, data in BYTES.items() if name.startswith("other")}
    return Table(own, others).figure(names, bit)


def table_of(segments_: list[bytes]) -> Table:
    """Return a table with these segments only."""
    return Table({f"{number}": segment for number, segment in enumerate(segments_)}, {})


def shapes_of(figure: Figure) -> tuple[str, ...]:
    """Return the shapes of a picture with one position."""
    (position,) = figure.positions
    return position.shapes


def rings(figure: Figure, token: str) -> list[tuple[float, float]]:
    """Return the upper left corners of rings in a colour."""
    found = [
        re.match(r'<rect x="([\d.]+)" y="([\d.]+)".* stroke="\$(.*?)" stroke-width="3.2"/>$', one)
        for one in shapes_of(figure)
    ]
    return [(float(one[1]), float(one[2])) for one in found if one and one[3] == token]


def hexes(figure: Figure, low: float, high: float, left: float = 0, right: float = 999) -> bytes:
    """Return the bytes written in hex in a part of the picture, row by row, left to right."""
    found = []
    for shape in shapes_of(figure):
        one = re.match(r'<text x="([\d.]+) .*" y="([\d.]+)".*>([0-9A-F]+)</text>', shape)
        if one and low < float(one[2]) < high and left < float(one[1]) < right:
            found.append((float(one[2]), float(one[1]), one[3]))
    return bytes.fromhex("".join(text for _, _, text in sorted(found)))


@given(st.lists(NAMES, min_size=4, max_size=4), st.integers(0, 640))
@example(["segment 0", "segment 2", NOTHING, "segment 1"], 0)
@example(["segment 0", "segment 1", "segment 2", "segment 1"], 0)
@example(["segment 0", "segment 1", "segment 2", NOTHING], 40)
def test_the_picture_has_the_cards_and_what_join_said(names: list[str], bit: int) -> None:
    """Each byte of a card is on it; a ring is on the card and the number that `join` blames."""
    cards_ = [BYTES[name] for name in names if name != NOTHING]
    whole = b"".join(cards_)
    flips = 0 < bit <= 8 * len(whole)
    whole = flip_bit(whole, bit - 1) if flips else whole
    ends = [sum(map(len, cards_[:number])) for number in range(len(cards_) + 1)]
    cards_ = [whole[start:end] for start, end in pairwise(ends)]
    figure = figure_of(names, bit)
    places = [place for place, name in enumerate(names) if name != NOTHING]
    grid = Grid.of(max(places, default=0) + 1)
    assert len(rings(figure, "you")) == flips
    shapes = "".join(shapes_of(figure))
    assert shapes.count("segments[") - len(re.findall(r"segments\[\d\]: off", shapes)) == len(
        cards_
    )
    for place, card in zip(places, cards_, strict=True):
        x, y = grid.at(place)
        if grid.width > 250:  # 12 bytes have room
            assert hexes(figure, y, y + grid.height, x, x + grid.width) == card
        assert hexes(figure, y, y + 125, x, x + grid.width) == card[: cards.HEADER]
    marked = [(x, y) for x, y in rings(figure, "wrong") if y < grid.bottom]
    try:
        stream = segments.join(cards_)
    except CorruptionError as error:
        blamed = re.fullmatch(r"segments\[(\d)\]", error.path or "")
        assert len(marked) == bool(blamed)
        if blamed:
            x, y = grid.at(places[int(blamed[1])])
            assert x < marked[0][0] < x + grid.width
            assert marked[0][1] - y > 80 if error.offset == 4 else 60 < marked[0][1] - y < 80
            assert figure.title.endswith("join refuses")
        assert "the stream so far" in "".join(shapes_of(figure))
    else:
        assert marked == []
        assert hexes(figure, grid.bottom, 999) == stream
        assert f"the stream: {len(stream)} bytes" in "".join(shapes_of(figure))
    assert len(figure.title) <= 60
    assert figure.height <= 420


SMALL = st.binary(max_size=12) | st.builds(
    lambda index, total, piece: segments.HEADER.pack(index, total) + piece,
    st.integers(0, 4), st.integers(0, 4), st.binary(max_size=3),
)  # fmt: skip


@given(
    st.lists(SMALL, max_size=5) | st.binary(max_size=30).map(lambda one: segments.split(one, 14))
)
def test_the_stream_is_as_far_there_as_the_headers_say(data: list[bytes]) -> None:
    """If the segments join, their pieces in the order of the slots are the stream."""
    made = slots([Card(one, ()) for one in data], {})
    ends = [0, *(slot.last + 1 for slot in made)]
    assert [slot.first for slot in made] == ends[:-1]
    there = [(slot.first, data[slot.position]) for slot in made if slot.position is not None]
    possible = [one for one in data if len(one) >= 8 and one[:4] < one[4:8]]
    same = [one for one in possible if one[4:8] == possible[0][4:8]]
    assert {one[:8] for _, one in there} == {one[:8] for one in same}
    assert all(int.from_bytes(one[:4]) == index for index, one in there)
    pieces = [one[8:] for _, one in there]
    try:
        stream = segments.join(data)
    except CorruptionError as error:
        if lost := re.match(r"segment (\d) of \d is missing", error.reason):
            assert next(slot.first for slot in made if slot.position is None) == int(lost[1])
    else:
        assert b"".join(pieces) == stream
        assert len(pieces) == len(made)


def test_a_missing_piece_has_its_size_if_a_snapshot_is_known() -> None:
    """Without segment 1, 15 of 27 bytes are there; of strangers' segments only what is there."""
    figure = figure_of(["segment 0", "segment 2", NOTHING, NOTHING])
    assert "15 of 27 bytes" in "".join(shapes_of(figure))
    assert "1 of 3 is missing" in "".join(shapes_of(figure))
    strangers = desk([PIECES[0]])
    assert "the stream so far: 12 bytes" in strangers.screen.value
    assert "1-2 of 3 are missing" in strangers.screen.value


def test_a_card_without_a_place_in_the_stream_has_a_cross() -> None:
    """One of another total is refused, and its thread ends before the stream."""
    other = segments.split(kvlib.encode_snapshot({"café": "2,50 € to go"}), 15)
    own = segments.split(kvlib.encode_snapshot(CAFE), 15)
    table = Table(dict(zip("abcd", own, strict=True)), dict(zip("vwxyz", other, strict=True)))
    figure = table.figure(["a", "b", "x", "d"])
    assert figure.title == "One card says 5, the first says 4: join refuses"
    assert "20 of 27 bytes" in "".join(shapes_of(figure))
    x, y = Grid.of(4).foot(2)
    assert svg.sign(x, y + 20, "wrong", 9) in shapes_of(figure)
    assert sum(shape.count('fill="$wrong"') for shape in shapes_of(figure)) == 1


def test_of_two_equal_cards_the_first_is_in_the_stream() -> None:
    """`join` refuses the second, so the cross is below that one."""
    figure = figure_of(["segment 1", "segment 0", "segment 1", "segment 2"])
    x, y = Grid.of(4).foot(2)
    assert svg.sign(x, y + 20, "wrong", 9) in shapes_of(figure)


@given(st.permutations(PIECES))
def test_pieces_have_the_colours_of_the_stream(pieces: list[bytes]) -> None:
    """Each byte of a piece has the kind that it has in the stream, whatever the order given."""
    written = table_of(pieces).leaves
    stream = dissect(kvlib.encode_snapshot(CAFE), format="snapshot").root.leaves()
    kinds = [leaf.kind for leaf in stream for _ in range(leaf.start, leaf.end)]
    found = []
    for _, leaves in sorted((piece, written[f"{at}"]) for at, piece in enumerate(pieces)):
        found += [leaf.kind for leaf in leaves for _ in range(leaf.start, leaf.end)]
    assert found == kinds


def test_foreign_cards_are_hatched() -> None:
    """A card of another snapshot is hatched, whether `join` notices or not."""
    for names, number in ((["segment 0", "other 1", "other 2"], 2), (["segment 0"], 0)):
        figure = figure_of([*names, NOTHING])
        grid = Grid.of(len(names))
        lines = [svg.hatch(*grid.at(place), grid.width, grid.height) for place in range(3)]
        assert sum(line in shapes_of(figure) for line in lines) == number


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 9, 10, 11, 20])
def test_any_number_of_cards_stays_in_the_picture(number: int) -> None:
    """One to twenty-one cards are within the margins, and don't overlap."""
    stream = kvlib.encode_snapshot({str(n): "value" for n in range(20)})
    lab = desk(segments.split(stream, 8 - -len(stream) // -1 // -number))
    assert len(placed(lab)) - 1 == number
    lab.buttons["double one"].click()
    assert len(lab.screen.value) < 60_000
    grid = Grid.of(number + 1)
    corners = [grid.at(place) for place in range(number + 1)]
    assert all(x + grid.width <= svg.WIDTH - svg.MARGIN + 1 for x, _ in corners)
    assert all(y + grid.height <= grid.bottom <= 360 for _, y in corners)
    assert len({*corners}) == number + 1


def test_numbers_without_end_are_cut() -> None:
    """A header of any eight bytes has room on its card."""
    for data in (b"\xff" * 8, b"\0\0\0\1" + b"\xff" * 4, b"", b"abc", b"\xff" * 20):
        for count in (1, 8, 20):
            lab = desk([data] * count)
            lab.controls[CHOSEN].value = f"place {count - 1}"
            assert "refused" in lab.text


def test_a_stream_that_cannot_be_decoded_has_a_ring() -> None:
    """`join` is content, `decode_snapshot` isn't: the ring is where it stops."""
    figure = figure_of(["segment 0", "segment 1", "segment 2"], 8 * 12 + 1)
    assert figure.title == "join finds no fault, but the stream can't be decoded"
    ((_, y),) = rings(figure, "wrong")
    assert y > Grid.of(3).bottom


def test_small_cards_and_long_streams_have_their_rings_too() -> None:
    """Where bytes have no room in hex, a ring is around the number, or the part of a ribbon."""
    pieces = segments.split(kvlib.encode_snapshot({"key": "value" * 60}), 60)
    names = [f"{number}" for number in range(len(pieces))]
    assert Grid.of(len(pieces)).rows == 2
    figure = table_of(pieces).figure(names, 1)
    assert len(rings(figure, "you")) == 1
    assert figure.title == "Index 2147483648 in a total of 7 segments: join refuses"
    ((_, y),) = rings(figure, "wrong")
    assert y < Grid.of(7).at(0)[1] + 60
    assert len(rings(table_of(pieces).figure(names, 8 * 8 + 1), "you")) == 1
    refused = table_of(pieces).figure(names, 8 * 12 + 1)
    assert refused.title == "join finds no fault, but the stream can't be decoded"
    ((_, y),) = rings(refused, "wrong")
    assert y > Grid.of(7).bottom


def test_a_gap_without_room_has_no_words() -> None:
    """One byte of 601 is missing: the dashed box is thin."""
    stream = kvlib.encode_snapshot({"key": "v" * 582})
    one, two = segments.split(stream, len(stream) + 7)
    figure = table_of([one, two]).figure(["0", NOTHING])
    assert "dasharray" in "".join(shapes_of(figure))
    assert not re.search(r">1( of 2)?( is missing|\?)<", "".join(shapes_of(figure)))
    assert f"{len(stream) - 1} of {len(stream)} bytes" in "".join(shapes_of(figure))
