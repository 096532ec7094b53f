"""Publishing with and without each fsync: the answers are recovery's, and the picture has them."""

import re
from collections import Counter

import pytest

import kvlib
from helpers.golden import check_width
from kvlib.crash import CrashDisk, boot
from kvlib.views.commit import LANES, STEPS, commit
from kvlib.views.publishing import FSYNCS, KEY, NEW, OLD, REFUSED, Stage, publish


def answers(stages: list[Stage]) -> list[dict[str, int]]:
    """Return how many disks give each answer, step by step."""
    return [{answer: len(found) for answer, found in stage.groups()} for stage in stages]


@pytest.fixture(scope="module", name="published")
def _published() -> dict[int, list[Stage]]:
    return {step: publish(step)[0] for step in (0, *FSYNCS)}


def test_with_every_fsync_the_rename_decides() -> None:
    """Until the rename recovery reads the old price, then either, after the fsync the new one."""
    stages, size = publish()
    assert (answers(stages), size) == (
        [{OLD: 165}, {OLD: 268}, {OLD: 1}, {OLD: 1, NEW: 1}, {NEW: 1}, {NEW: 2}],
        433,
    )
    assert [stage.names for stage in stages] == [1, 1, 1, 2, 2, 2]
    assert [{*stage.present} for stage in stages] == [{1, 2}] * 5 + [{2}]


def test_an_ordinary_disk_gives_the_same_answers() -> None:
    """The disks and their answers are those of a CrashDisk that leaves nothing out."""
    before = kvlib.MemoryDisk()
    store = kvlib.Store()
    store.put(KEY, OLD)
    store.serialize(before)
    found: dict[frozenset[tuple[str, bytes]], str] = {}

    def ask() -> None:
        for image in disk.images():
            read = kvlib.open(boot(image), read_only=True)
            found[frozenset(image.items())] = str(read[KEY])

    disk = CrashDisk({name: before.read(name) for name in before.names()}, on_event=ask)
    store.put(KEY, NEW)
    store.serialize(disk)
    stages, size = publish()
    assert len(found) == size
    prices = Counter(found.values())
    assert prices == {OLD: 431, NEW: 2}
    assert sum(one.get(NEW, 0) for one in answers(stages)[3:5]) == prices[NEW]


def test_without_any_fsync_some_disk_is_refused(published: dict[int, list[Stage]]) -> None:
    """Each fsync is needed: these disks are what it is there for."""
    assert answers(published[1])[3:] == [
        {OLD: 164, NEW: 1, REFUSED: 163},
        {NEW: 1, REFUSED: 163},
        {NEW: 2, REFUSED: 326},
    ]
    assert [REFUSED in one for one in answers(published[2])] == [False] * 3 + [True] * 3
    assert answers(published[3])[3:] == [{OLD: 4, NEW: 1, REFUSED: 1}, {NEW: 1}, {NEW: 2}]
    assert answers(published[5])[4:] == [{OLD: 1, NEW: 1}, {OLD: 1, NEW: 2, REFUSED: 1}]


def test_a_refused_disk_names_a_segment_that_is_not_whole(
    published: dict[int, list[Stage]],
) -> None:
    """A disk is refused exactly if its log is torn or names a segment that isn't whole."""
    for stages in published.values():
        for left in (left for stage in stages for left in stage.disks):
            sound = left.names is not None and left.files[left.names] == "whole"
            assert (left.answer != REFUSED) == sound
            assert bool(left.reason) == (left.answer == REFUSED)
            if sound:
                assert left.answer == {1: OLD, 2: NEW}[left.names or 0]


def test_the_picture_has_the_answers_of_each_step(published: dict[int, list[Stage]]) -> None:
    """Chips show every step's answers, a row each disk of the chosen step, the handle its place."""
    figure = commit()
    assert figure.switch == ("every fsync", *(f"without fsync {step}" for step in (1, 2, 3, 5)))
    assert len(figure.positions) == len(figure.switch) * len(STEPS)
    for number, position in enumerate(figure.positions):
        variant, step = divmod(number, len(STEPS))
        stages = [*published.values()][variant]
        shapes = "".join(position.shapes)
        told = [answer for one in answers(stages) for answer in one]
        rows = answers(stages)[step]
        for answer in (OLD, NEW, REFUSED):
            assert shapes.count(f">{answer}<") == told.count(answer) + (answer in rows)
        assert re.findall(r">([\d,]+) disks?<", shapes) == [f"{one:,}" for one in rows.values()]
        assert shapes.count('fill="$value-p"') == told.count(OLD)
        assert shapes.count('fill="$refused"') == told.count(REFUSED) + (REFUSED in rows)
        assert shapes.count('fill="$right"') == sum(answer != REFUSED for answer in rows)
        named = [str(found[0].names or "") for _, found in stages[step].groups()]
        assert re.findall(r">names<.*?>(\d)\.segment<", shapes) == [*filter(None, named)]
        flaws = re.findall(r'fill="\$wrong-t">(missing|torn|is torn)<', shapes)
        assert len(flaws) == (REFUSED in rows)
        assert ("no fsync" in shapes) == (variant > 0)
        assert ("is left out" in position.says) == (step + 1 == (0, *FSYNCS)[variant])
        places = re.findall(r'cy="([\d.]+)" r="9" fill="\$card" stroke="\$you"', shapes)
        middles = [top + 11 for top, _ in LANES.values()]
        turn = sum(middles) / 2
        assert float(places[0]) == (turn if step == 3 else middles[stages[step].names - 1])
        assert ("wrong-p" in shapes) == (REFUSED in rows)


def test_where_the_pointer_may_turn_back() -> None:
    """Without fsync 5 the old log may be back until the end."""
    dotted = r'M573 151H([\d.]+)" fill="none" stroke="\$you" stroke-width="4" stroke-dasharray'
    figure = commit()
    ends = [re.findall(dotted, "".join(figure.positions[at].shapes)) for at in range(0, 30, 6)]
    assert ends == [["665"], ["665"], ["665"], ["665"], ["775"]]


def test_the_sentences() -> None:
    """Each has the numbers, and what is wrong with the disks that are refused."""
    says = [position.says for position in commit().positions]
    assert says[0] == "165 different disks can be left, and recovery reads 2,50 € from all of them."
    assert says[2] == "Only one disk can be left, and recovery reads 2,50 € from it."
    both = "2 different disks can be left. Recovery reads 2,50 € from 1 and 2,80 € from 1."
    assert says[3] == both
    torn = "2,50 € from 133 and 2,80 € from 1, and refuses 132: log is torn."
    assert says[15] == f"266 different disks can be left. Recovery reads {torn}"
    missing = 'refuses 1 ("segment 0 of 1 is missing"): log names 2.segment, which is missing.'
    assert says[21].endswith(f"2,50 € from 4 and 2,80 € from 1, and {missing}")
    assert says[28] == f"The fsync of this step is left out. {both}"


def test_the_text_and_the_table() -> None:
    """A line a step, then what each fsync is there for."""
    figure = commit()
    check_width(figure)
    assert str(figure).splitlines()[:9] == [
        "After a power cut, recovery reads (433 different disks in all):",
        "  1 write the segments     2,50 €",
        "  2 write log.new          2,50 €",
        "  3 fsync the folder       2,50 €",
        "  4 rename log.new to log  2,50 € or 2,80 €",
        "  5 fsync the folder       2,80 €",
        "  6 delete the old files   2,80 €",
        "  without the fsync of 1: 163 disks of 328 can't be read if the power goes at",
        "                          step 4: log names 2.segment, which is torn",
    ]
    ((_, table),) = figure.folded
    assert (
        "<td>1 disk of 4 can&#x27;t be read if the power goes at step 6: log names 1.segment"
        in table
    )
    assert table.count("<tr>") == 1 + len(FSYNCS)
    assert len(figure.title) <= 60


def test_an_fsync_can_be_left_out_at_first() -> None:
    """The picture starts at the first step that may leave a refused disk."""
    assert [commit(without=step).start for step in FSYNCS] == [9, 15, 21, 29]
    assert commit().start == 3
    with pytest.raises(ValueError, match="without is 4, expected a step that has an fsync: 1, 2"):
        commit(without=4)
