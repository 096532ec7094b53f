"""Notebook 3's exercises hold what the store itself holds: crashes, and orders of publishing."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

import kvlib
from kvlib import views
from kvlib.lessons import check, power_cut, solutions
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercises.log import recover_mistakes
from kvlib.lessons.exercises.log.recover import EVERYWHERE, LOG

Recover = Callable[[bytes], object]
PUBLISH_ORDER, RECOVER = EXERCISES["03-publish-order"], EXERCISES["03-recover"]
WAYS: list[Any] = ["missing", "zeros", "garbage"]


def verdicts(recover: Recover, lost: Any) -> set[str]:
    """What the crash explorer says of a function, at all cuts."""
    film = views.crash(LOG, recover=recover, lost=lost)
    return {moment.outcomes[0].verdict for moment in film.moments}


@pytest.mark.parametrize("lost", WAYS)
def test_the_solution_is_right_wherever_the_crash_explorer_cuts(lost: Any) -> None:
    """At every byte, whatever stands in the place of what is lost; so is kvlib's own."""
    film = views.crash(LOG, recover=solutions.recover, lost=lost)
    assert len(film.moments) == len(LOG) + 1
    assert {one.verdict for moment in film.moments for one in moment.outcomes} == {"right"}


@pytest.mark.parametrize(
    "recover",
    [
        recover_mistakes.recover_raises_when_torn.answer,
        recover_mistakes.recover_gives_up.answer,
        recover_mistakes.recover_drops_one_too_many.answer,
        recover_mistakes.recover_takes_what_is_there.answer,
    ],
)
def test_what_the_check_sends_to_the_crash_explorer_is_seen_there(recover: Recover) -> None:
    """A sentence that names `views.crash` is said only of what it shows."""
    assert verdicts(recover, "missing") != {"right"}
    assert "views.crash(log, recover=recover)" in check("03-recover", recover).words[0]


def test_a_cut_that_is_in_no_case_is_found_by_the_crash_explorer() -> None:
    """Each of 84 cuts, in three ways: a wrong dict, an error, and a loop without an end."""

    def wrong(log: bytes) -> object:
        return {"a": ""} if len(log) == 40 else solutions.recover(log)

    def raising(log: bytes) -> object:
        if len(log) == 40:
            raise KeyError("a")
        return solutions.recover(log)

    def endless(log: bytes) -> object:
        while len(log) == 40:
            pass
        return solutions.recover(log)

    for recover in (wrong, raising, endless):
        result = check("03-recover", recover)
        assert "40 bytes have arrived" in result.asked
        assert result.words == (EVERYWHERE,)


def test_kvlib_refuses_what_a_recovery_has_to_refuse() -> None:
    """The cases of the exercise are no stricter than the log of a real store."""
    refused = [case.arguments[0] for case in RECOVER.cases if case.refused]
    for log in refused:
        with pytest.raises(kvlib.CorruptionError):
            kvlib.log.replay(log, 0, 0, 0, {})
    for case in RECOVER.cases:
        if not case.refused:
            items: dict[str | bytes, str | bytes] = {}
            kvlib.log.replay(case.arguments[0], 0, 0, 0, items)
            assert items == solutions.recover(*case.arguments)


def test_an_order_of_publishing_is_right_if_bytes_names_and_the_rename_are_safe_in_time() -> None:
    """By rule, beside what the power cuts say: of 40,320 orders one in 21."""
    rename, write, folder, sync_head, delete, sync, folder_too, write_head = range(1, 9)
    for order in list(permutations(range(1, 9)))[::21]:
        at = {number: order.index(number) for number in order}
        before = at[write] < at[sync] < at[rename] and at[write_head] < at[sync_head] < at[rename]
        folders = (at[folder], at[folder_too])
        named = any(max(at[write], at[write_head]) < one < at[rename] for one in folders)
        unneeded = any(at[rename] < one < at[delete] for one in folders)
        assert check(PUBLISH_ORDER.name, list(order)).passed == (before and named and unneeded)


def test_each_flaw_of_an_order_has_a_sentence_and_an_order() -> None:
    """No sentence is there for nothing."""
    assert {one.sentence for one in PUBLISH_ORDER.mistakes} == set(power_cut.SENTENCES.values())


@pytest.mark.parametrize("at", range(len(PUBLISH_ORDER.mistakes)))
def test_a_wrong_order_is_met_with_the_image_that_a_crash_leaves(at: int) -> None:
    """The step behind which the power goes, and what each file is then."""
    result = check(PUBLISH_ORDER.name, PUBLISH_ORDER.mistakes[at].answer)
    assert result.asked.startswith("step ")
    assert "log" in result.came or "no file" in result.came


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ([("tea", "4"), ("pie", "2")], "list."),
        ("tea 4 pie 2", "str."),
        ('{"tea": "4", "pie": "2"}', "str. Leave the quotes out."),
        (4, "int."),
        (None, "NoneType."),
        (verdicts, "function."),
        (int, "type."),
    ],
)
def test_what_comes_back_from_a_torn_log_is_a_dict(answer: object, kind: str) -> None:
    """Another value is told what it is; that nothing is refused, only to who says so."""
    words = check("03-torn", answer).words
    assert words == (f"It asks for a dict, and this is of type {kind}",)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("03-run-shutdown", lambda operations: [""] * len(solutions.run_shutdown(operations))),
        ("03-run-log", lambda threshold, operations: [""] * len(operations)),
    ],
)
def test_a_wrong_item_is_named_by_its_operation(name: str, answer: Any) -> None:
    """Where no mistake is known, it is said which operation has the wrong answer."""
    assert "the answer to operation 0, ('get', 'a'): ''" in check(name, answer).words[0]
