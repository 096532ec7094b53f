"""Notebook 3's exercises hold what the store itself holds: crashes, and orders of publishing."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

import kvlib
from kvlib import views
from kvlib.lessons import check, power_cut
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.exercises.log import recover as recover_module
from kvlib.lessons.exercises.log.recover import EVERYWHERE, LOG
from kvlib.lessons.exercises.log.recover import recover as right_recover

Recover = Callable[[bytes], object]
PUBLISH_ORDER, RECOVER = EXERCISES["03-publish-order"], recover_module.EXERCISE
WAYS: list[Any] = ["missing", "zeros", "garbage"]


def verdicts(recover: Recover, lost: Any) -> set[str]:
    """What the crash explorer says of a function, at all cuts."""
    film = views.crash(LOG, recover=recover, lost=lost)
    return {moment.outcomes[0].verdict for moment in film.moments}


@pytest.mark.parametrize("lost", WAYS)
def test_the_solution_is_right_wherever_the_crash_explorer_cuts(lost: Any) -> None:
    """At every byte, whatever stands in the place of what is lost; so is kvlib's own."""
    film = views.crash(LOG, recover=right_recover, lost=lost)
    assert len(film.moments) == len(LOG) + 1
    assert {one.verdict for moment in film.moments for one in moment.outcomes} == {"right"}


def test_a_cut_that_is_in_no_case_is_found_by_the_crash_explorer() -> None:
    """Each of 84 cuts, in three ways: a wrong dict, an error, and a loop without an end."""

    def wrong(log: bytes) -> object:
        return {"a": ""} if len(log) == 40 else right_recover(log)

    def raising(log: bytes) -> object:
        if len(log) == 40:
            raise KeyError("a")
        return right_recover(log)

    def endless(log: bytes) -> object:
        while len(log) == 40:
            pass
        return right_recover(log)

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
            assert items == right_recover(*case.arguments)


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


FLAWS = {
    "unsynced name": [2, 6, 8, 4, 1, 3, 7, 5],
    "unsynced rename": [2, 6, 8, 4, 3, 7, 1, 5],
    "early deletion": [5, 2, 6, 8, 4, 3, 1, 7],
    "unsynced segment": [2, 8, 4, 3, 1, 6, 7, 5],
    "unsynced head": [2, 6, 8, 3, 1, 4, 7, 5],
    "unwritten segment": [8, 4, 3, 1, 2, 6, 7, 5],
    "missing file": [6, 2, 8, 4, 3, 1, 7, 5],
}


def test_each_flaw_has_a_sentence_and_an_order() -> None:
    """The step after which the power goes is shown, and what each file is then."""
    assert FLAWS.keys() == power_cut.SENTENCES.keys()
    for flaw, order in FLAWS.items():
        result = check("03-publish-order", order)
        assert result.words == (power_cut.SENTENCES[flaw],)
        assert result.asked.startswith("step ")
        assert "log" in result.came or "no file" in result.came


def test_prices_as_bytes_are_nearly_right() -> None:
    """The records are right, but keys and prices went in as text."""
    answer = {"tea": b"4", b"pie": "2"}
    assert "keys and prices went in as text" in check("03-torn", answer).words[0]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ([("tea", "4"), ("pie", "2")], "list."),
        ("tea 4 pie 2", "str."),
        ('{"tea": "4", "pie": "2"}', "str. Leave out the quotes."),
        (4, "int."),
        (None, "NoneType."),
        (verdicts, "function."),
        (int, "type."),
    ],
)
def test_what_comes_back_from_a_torn_log_is_a_dict(answer: object, kind: str) -> None:
    """Another value is told what it is; that nothing is refused, only to who says so."""
    words = check("03-torn", answer).words
    assert words == (f"It should be a dict, but this is of type {kind}",)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("03-run-shutdown", lambda operations: [""] * sum(one[0] == "get" for one in operations)),
        ("03-run-log", lambda threshold, operations: [""] * len(operations)),
    ],
)
def test_a_wrong_item_is_named_by_its_operation(name: str, answer: Any) -> None:
    """Where no mistake is known, it is said which operation has the wrong answer."""
    assert "the answer to operation 0, ('get', 'a'): ''" in check(name, answer).words[0]
