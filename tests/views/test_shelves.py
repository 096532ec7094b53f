"""The shelves: what is where, and what comes back, is asked of the engine at every step."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kvlib
from helpers.golden import check_width
from kvlib.crash import CrashDisk, boot
from kvlib.encoding import Item
from kvlib.views.accidents import Step, watch
from kvlib.views.shelves import ACCIDENTS, LIMIT, shelves

ITEM = st.text(st.characters(codec="utf-8"), max_size=6) | st.binary(max_size=6)
SYNC = st.sampled_from(["always", "never", 1, 2, 3])
PUTS: dict[Item, Item] = {"café": "2,50 €", "thé": "3,10 €"}


def names(steps: list[Step]) -> str:
    """Return the steps' initials."""
    return "".join(step.name[0] for step in steps)


def test_the_steps_of_two_puts() -> None:
    """Append, fsync, return; without an fsync of each put there are fewer steps."""
    assert names(watch(PUTS, "always")) == "afrafr"
    assert names(watch(PUTS, "never")) == "arar"
    assert names(watch(PUTS, 2)) == "arafr"


def test_the_text_form() -> None:
    """A line for each step says where the records are and what comes back."""
    assert str(shelves()).splitlines() == [
        "step           memory     cache  medium     kill -9    power cut",
        "1 append café  -          café   -          café       perhaps café",
        "2 fsync        -          -      café       café       café",
        "3 return       café       -      café       café       café",
        "4 append thé   café       thé    café       café, thé  café, perhaps thé",
        "5 fsync        café       -      café, thé  café, thé  café, thé",
        "6 return       café, thé  -      café, thé  café, thé  café, thé",
    ]


@settings(max_examples=12)
@given(st.dictionaries(ITEM, ITEM, min_size=1, max_size=2), SYNC)
def test_each_step_is_what_the_engine_does(puts: dict[Item, Item], sync: object) -> None:
    """Another run of the same puts gives the same answers, and only values that were put."""
    steps = watch(puts, sync)  # type: ignore[arg-type]
    disk = CrashDisk()
    store = kvlib.open(disk, sync=sync)  # type: ignore[arg-type]
    asked: list[tuple[dict[Item, int], int, set[Item]]] = []

    def ask() -> None:
        left: dict[Item, int] = {}
        images = {tuple(sorted(image.items())) for image in disk.images()}
        for image in images:
            found = dict(kvlib.open(boot(dict(image)), read_only=True))
            assert found.items() <= puts.items()
            for key in found:
                left[key] = left.get(key, 0) + 1
        now = {name: disk.read(name) for name in disk.names()}
        asked.append((left, len(images), {*kvlib.open(boot(now), read_only=True)}))

    disk.on_event = ask
    for key, value in puts.items():
        store.put(key, value)
        ask()
    assert [(dict(step.left), step.disks, {*step.killed}) for step in steps] == asked
    assert steps[-1].memory == tuple(puts)


@settings(max_examples=12)
@given(st.dictionaries(ITEM, ITEM, min_size=1, max_size=2), SYNC)
def test_the_promises_of_a_put(puts: dict[Item, Item], sync: object) -> None:
    """A put that returned survives kill -9, and with sync="always" a power cut too."""
    for step in watch(puts, sync):  # type: ignore[arg-type]
        assert {*step.medium} | {*step.cache} == {*step.killed}
        assert {*step.memory} <= {*step.killed}
        if sync in ("always", 1):
            assert {*step.memory} <= {*step.medium}
        if sync == "never":
            assert step.medium == ()


@settings(max_examples=12)
@given(st.dictionaries(ITEM, ITEM, min_size=1, max_size=2), SYNC)
def test_every_position_is_drawn_from_its_step(puts: dict[Item, Item], sync: object) -> None:
    """Solid chips are on the medium only, and answers that are still to come aren't drawn."""
    figure = shelves(sync=sync, puts=puts)  # type: ignore[arg-type]
    steps = watch(puts, sync)  # type: ignore[arg-type]
    check_width(figure)
    assert len(figure.positions) == 3 * len(steps)
    assert (figure.switch, len(figure.title) <= 60) == (ACCIDENTS, True)
    assert figure.start // len(steps) == 2
    for at, position in enumerate(figure.positions):
        accident, number = divmod(at, len(steps))
        shapes = "".join(position.shapes)
        solid = len(re.findall(r'fill="\$value"', shapes))
        pale = len(re.findall(r'fill="\$value-p"', shapes))
        step = steps[number]
        lost = (0, len(step.memory), len(step.memory) + len(step.cache))[accident]
        assert solid == len(step.medium)
        assert pale == len(step.memory) + len(step.cache) - lost
        assert shapes.count(">wiped<") + shapes.count(">was empty<") == accident
        told = steps[: number + 1]
        below = len(step.comes_back(ACCIDENTS[accident])) if accident else 0
        keys = sum(len(one.killed) + len(one.left) for one in told) + below
        assert len(re.findall(r'fill="\$key(-p)?" stroke', shapes)) == keys
        perhaps = sum(not sure for sure in step.comes_back(ACCIDENTS[accident]).values())
        assert shapes.count(">perhaps<") == (perhaps if accident else 0)


def test_the_sentences() -> None:
    """Each says what is true at its step."""
    figure = shelves(sync="never")
    told = [figure.sentence(position) for position in figure.positions]
    returned = "step: return (café). put has returned. café is in memory and in the cache"
    assert told[1] == f"{returned}, not on the medium."
    assert told[6].endswith("The system keeps its cache: café and thé come back.")
    assert told[8].endswith("any part of café may have reached the medium: café may come back.")
    assert told[10].endswith("may have reached the medium: café and thé may come back.")
    told = [position.says for position in shelves().positions]
    assert told[1] == "The bytes of café have reached the medium, and put is still running."
    assert told[2] == "put has returned. café is in memory and on the medium."
    assert told[15].endswith("may have reached the medium: café comes back, thé perhaps.")
    assert told[13].endswith("the medium keeps its bytes: café comes back.")
    assert told[17].endswith("the medium keeps its bytes: café and thé come back.")


def test_the_title_tells_whether_a_put_that_returned_is_safe() -> None:
    """It isn't if one of them may be lost."""
    safe, lost = (shelves(sync=sync).title for sync in (1, 2))
    assert safe == "A put is safe once its bytes have reached the medium"
    assert lost == "A put that returns before its fsync may be lost"


def test_what_cannot_be_shown_is_refused() -> None:
    """One or two short records; the store checks the rest."""
    with pytest.raises(TypeError, match="puts is one or two records as a dict"):
        shelves(puts=[("a", "1")])  # type: ignore[arg-type]
    none: dict[Item, Item] = {}
    for puts in (none, {**PUTS, "eau": "0"}):
        with pytest.raises(ValueError, match=f"puts has {len(puts)} records, expected one or two"):
            shelves(puts=puts)
    with pytest.raises(ValueError, match="too long: 111 bytes as fields, at most 100"):
        shelves(puts={"a": "b" * LIMIT})
    with pytest.raises(ValueError, match="sync is 'often'"):
        shelves(sync="often")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="str or bytes"):
        shelves(puts={1: "b"})  # type: ignore[dict-item]
