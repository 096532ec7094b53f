"""A check never raises, and what it shows is bounded, whatever it meets."""

import asyncio
import itertools
import os
import re
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote

import pytest

import kvlib
from helpers.strangers import (
    FUNCTIONS,
    VALUES,
    ArrayLike,
    UntellableError,
    derived,
    endlessly,
    in_itself,
    shared,
)
from kvlib import views
from kvlib.lessons import check, checking, hint, sandbox, solution
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Exercise
from kvlib.lessons.exercises.encode.delimiter import encode
from kvlib.lessons.exercises.encode.encode_field import encode_field
from kvlib.lessons.exercises.encode.run_snapshots import run_snapshots
from kvlib.lessons.exercises.encode.snapshot import decode_snapshot, encode_snapshot
from kvlib.lessons.exercises.segment.header import add_headers as headed
from kvlib.lessons.result import Progress, Result
from kvlib.views import plain as plainly
from kvlib.views.plain import Foreign, collected, first, plain, same, told, written

ALL = [pytest.param(exercise, id=exercise.name) for exercise in EXERCISES.values()]
FIELD = "01-encode-field"
TEXT, HTML = 6_000, 30_000  # characters of what a check shows
ANY_BYTES = "01-delimiter"  # an exercise that takes whatever bytes it gets


def holds(result: Result) -> None:
    """See that it is right for nobody, bounded, and can be written in UTF-8."""
    text, html = repr(result), result.html()
    assert "The check itself has failed" not in text
    assert not result.passed
    assert len(text.encode()) <= TEXT
    assert len(html.encode()) <= HTML


def share(everything: Iterable[Any], number: int) -> list[Any]:
    """Give every fourth, beginning with another one for each number.

    So each value meets some exercises, and each exercise some values, in a fourth of the time. With
    EVERYTHING in the environment they all meet.
    """
    them = list(everything)
    return them if os.environ.get("EVERYTHING") else them[number % 4 :: 4]


@pytest.mark.parametrize("exercise", ALL)
def test_a_check_never_raises_whatever_it_is_given(
    exercise: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is handed over as an answer: words, of a bounded length, and no exception."""
    monkeypatch.setattr(sandbox, "SECONDS", 2)
    for make in share(VALUES.values(), list(EXERCISES).index(exercise.name)):
        holds(check(exercise.name, make()))


@pytest.mark.parametrize(
    "exercise",
    [pytest.param(one, id=name) for name, one in EXERCISES.items() if isinstance(one, Coding)],
)
@pytest.mark.untraced
def test_a_check_never_raises_whatever_an_answer_does(
    exercise: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it returns, raises, or puts into what it was given."""
    monkeypatch.setattr(sandbox, "SECONDS", 2)
    for answer in share(FUNCTIONS.values(), list(EXERCISES).index(exercise.name)):
        every: Any = (answer,) * len(exercise.names)
        result = check(exercise.name, answer if len(exercise.names) == 1 else every)
        if exercise.name != ANY_BYTES:
            holds(result)


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.untraced
def test_a_name_may_be_anything(name: str) -> None:
    """A check says which exercises there are; hint and solution raise a ValueError, no other."""
    given = VALUES[name]()
    holds(check(given, len))
    holds(check(given))
    for ask in (hint, solution, lambda one: hint(FIELD, one)):
        with pytest.raises(ValueError, match=r"did you mean|1 to 3") as caught:
            ask(given)
        assert len(str(caught.value).encode()) < 1_000


def test_what_is_our_own_fault_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that fails itself says that, and blames nobody else."""
    monkeypatch.setattr(Coding, "check", lambda *_: 1 / 0)
    assert "The check itself has failed (ZeroDivisionError)" in repr(check(FIELD, len))


def test_too_few_and_too_many_answers_are_told_so() -> None:
    """Each call that a learner may type gives words."""
    assert f'`check("{FIELD}", encode_field)`' in check(FIELD).words[0]
    assert "takes 2 functions at once" in check("01-snapshot", len, len, len).words[0]
    encode, decode = (encode_snapshot, decode_snapshot)
    assert check("01-snapshot", encode, decode).passed
    assert "not a result of it (tuple)" in check(FIELD, len, len).words[0]


def test_a_check_without_arguments_shows_how_far_one_has_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For each notebook what is right, not yet right, and not tried; in text and in HTML."""
    monkeypatch.setattr(checking, "_states", {})
    check("01-length", 14)
    check("01-bug-hunt", {})
    shown = check()
    assert isinstance(shown, Progress)
    text = repr(shown)
    assert text.startswith(
        "Notebook 1: 1 of 7 right, 1 not yet  ✓○○○✗○○\n  ✓ 01-length          right\n"
    )
    assert "  ✗ 01-bug-hunt        not yet\n" in text
    assert "\n\nNotebook 3: 0 of 8 right  ○○○○○○○○\n" in text
    assert text.count("not tried yet") == len(EXERCISES) - 2
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"] == text
    assert "<p>Notebook 1: 1 of 7 right, 1 not yet" in bundle["text/html"]
    check("01-bug-hunt", {"drink": b"tea"})
    assert "Notebook 1: 2 of 7 right  ✓○○○✓○○\n" in repr(check())


# ----------------------------------------------------------------------------- asked the same twice


def counting(keep: list[int]) -> int:
    """Count the calls."""
    keep.append(0)
    return len(keep)


def by_global() -> Callable[..., Any]:
    """Keep a number in what is around the function."""
    keep: list[int] = []
    return lambda records: counting(keep).to_bytes(4, "big")


def by_default() -> Callable[..., Any]:
    """Keep a number in a default argument."""

    def encode(records: Any, keep: list[int] = []) -> bytes:  # noqa: B006 # the mistake
        return counting(keep).to_bytes(4, "big")

    return encode


def by_attribute() -> Callable[..., Any]:
    """Keep a number in the function itself."""

    def encode(records: Any) -> bytes:
        return counting(encode.keep).to_bytes(4, "big")  # type: ignore[attr-defined]

    encode.keep = []  # type: ignore[attr-defined]
    return encode


def by_iterator() -> Callable[..., Any]:
    """Take the next number of an iterator."""
    numbers = itertools.count()
    return lambda records: next(numbers).to_bytes(4, "big")


def by_turns() -> Callable[..., Any]:
    """Be right every second time."""
    turns = itertools.cycle([True, False])
    right = encode
    return lambda records: right(records) if next(turns) else b"?"


@pytest.mark.parametrize("make", [by_global, by_default, by_attribute, by_iterator, by_turns])
def test_each_answer_is_asked_the_same_twice(make: Callable[[], Callable[..., Any]]) -> None:
    """What gives another result the second time is no function, and is told so."""
    result = check(ANY_BYTES, make())
    assert not result.passed
    assert "The same call gives another result the second time" in result.words[0]


def test_a_value_that_is_no_number_is_steady() -> None:
    """A NaN is not equal to itself, and gives the same all the same."""
    assert "second time" not in repr(check("01-length", float("nan")))


def test_all_that_was_tried_is_counted() -> None:
    """Small cases, large ones, and those of a search: 40, 1 and 2, and some thousands."""
    assert check("01-run-snapshots", run_snapshots).words[0] == (
        "Tried on 43 cases, the smallest first."
    )
    words = check(ANY_BYTES, encode).words[0]
    assert int(words.split()[2].replace(",", "")) > 8_000


# ----------------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize("size", [0, 4, 7, 300, 5_000, 20_000, 1_000_000])
def test_a_picture_shows_the_byte_that_its_words_name(size: int) -> None:
    """Wherever the first wrong byte is, its row is there; and what is shown stays small."""
    right = headed

    def add_headers(pieces: list[bytes]) -> list[bytes]:
        made = right(pieces)
        return made if len(pieces) < 2 else [made[0][:size], *made[1:]] if size < 8 else made

    def join_pieces(pieces: list[bytes]) -> list[bytes]:
        return [one + bytes(size) for one in right(pieces)]

    for answer in (add_headers, join_pieces):
        result = check("02-header", answer)
        if result.passed:
            continue
        holds(result)
        assert result.picture
        assert result.picture.wrong is not None
        if "the first wrong byte" in repr(result).lower():
            row = f"{result.picture.wrong // 16 * 16:08X}: "
            assert row in repr(result)
            offset = f"{result.picture.wrong // 16 * 16:04X}"
            assert re.search(rf">0*{offset}</text>", unquote(result.html()))
        else:
            assert result.picture.wrong == len(result.picture.layout.data)
            assert "offset" not in result.picture.where()


def test_a_wrong_byte_far_within_is_in_sight() -> None:
    """Between the first rows and the last: the rows around it are shown."""
    right = encode_field

    def late(value: Any) -> bytes:
        data = bytearray(right(value))
        if len(data) > 60_000:
            data[40_000] ^= 1
        return bytes(data)

    result = check(FIELD, late)
    holds(result)
    assert result.picture
    assert result.picture.wrong == 40_000
    assert "00009C40: " in repr(result)


# --------------------------------------------------------------------------------------- plain data


@pytest.mark.parametrize("name", VALUES)
def test_plain_data_has_no_code_of_a_strangers(name: str) -> None:
    """Only Python's own types are left, and text of a bounded length."""
    value = plain(VALUES[name]())

    def look(one: Any) -> None:
        assert type(one) in (*plainly.LEAVES, *plainly.ENDS, Foreign)
        if type(one) is dict:
            deque(map(look, (*one, *one.values())), 0)
        elif type(one) in plainly.ENDS:
            deque(map(look, one), 0)
        if type(one) is Foreign:
            assert len(one.text) < 1_000

    look(value)
    assert same(value, value)
    for limit in (60, 200):
        assert len(written(value, limit)) <= limit + 60


def test_foreign_objects_say_what_they_are() -> None:
    """By Python's own account of their type, and by what a builtin type holds in them."""
    assert written(plain([derived(str, "a" * 99_999)])).endswith("(99,999 characters))]")
    assert repr(plain(derived(dict, {"a": [1]}))) == "Mydict({'a': [1]})"
    assert repr(plain(bytearray(b"a"))) == "bytearray(b'a')"
    assert repr(plain(ArrayLike)) == "<class 'ArrayLike'>"
    assert repr(plain(ArrayLike())) == "<ArrayLike object>"
    assert plain(UntellableError()).is_a(BaseException)
    assert plain([1] * 250_001).vast
    assert not same(plain(bytearray()), plain(memoryview(b"")))
    assert written({1, 2}) == "{1, 2}"
    assert written(set()) == "set()"
    assert written(frozenset([1])) == "frozenset({1})"
    assert written((1,)) == "(1,)"
    assert written([list(range(9_000))]).endswith(" (1 item)")


def test_what_has_no_end_is_read_to_a_bound() -> None:
    """Of an iterator or a mapping so many items are read, and no more."""
    assert collected(iter("ab")) == ["a", "b"]
    assert collected(kvlib.Store()) == {}
    assert collected(5) == 5
    assert collected(shared()).vast
    for endless in (itertools.count(), range(20_000).__iter__(), [0] * 20_000):
        with pytest.raises(ValueError, match="more than 10,000 items"):
            collected(endless)
    with pytest.raises(ValueError, match="more than 3 items"):
        first(itertools.repeat(1), 3)


def test_an_object_is_told_in_its_own_words_to_whoever_asked() -> None:
    """A view shows a learner's own object by its repr, and large ones cut."""

    class Point:
        def __repr__(self) -> str:
            return "Point" * 100

    assert told([Point()], 50) == f"[{'Point' * 100}]"[:50] + "…"
    assert told([kvlib.Store()]) == f"[{kvlib.Store()!r}]"
    assert told(shared()) == "<list of more than 10,000 items>"
    assert told(in_itself()).startswith("[[...], [...]")


# -------------------------------------------------------------------------------------------- views

LOG = kvlib.seal(b"M", 1, kvlib.log.encode_put("a", "1"))
BOUND = 400_000  # characters of a film, whatever a reader gives


@pytest.mark.parametrize("name", share((one for one in VALUES if "endless" not in one), 1))
def test_views_of_a_learners_function_are_bounded(name: str) -> None:
    """Whatever a reader gives, or raises, is an answer, and a short one."""
    field = kvlib.encode_field("a")
    ask: dict[Callable[[Any], Any], Callable[[bytes], Any]] = {
        lambda read: views.crash(LOG, read): lambda data: {},
        lambda read: views.flips(field, read, end=1): lambda data: 1,
        lambda read: views.lengths(field, read=read, last=9): lambda data: 1,
    }
    for view, usual in ask.items():
        small = len(repr(view(usual)))
        try:
            shown = view(giving_of(name))
        except ValueError as error:  # it fails on bytes that are whole
            assert len(str(error)) < 1_000
            continue
        assert len(repr(shown)) < 9 * small + 9_000
        assert len(shown._repr_mimebundle_()["text/html"]) < BOUND


def giving_of(name: str) -> Callable[[bytes], Any]:
    """Make a reader that gives this value, whatever it reads."""
    return lambda data: VALUES[name]()


def test_a_desk_and_curves_have_bounds() -> None:
    """Too large a segment, and sizes without end, are refused in words."""
    with pytest.raises(ValueError, match="a segment of 2,000 bytes, a desk has room for 1,024"):
        views.desk([bytes(2_000)])
    with pytest.raises(ValueError, match="more than 10,000 items"):
        views.overhead(b"abc", itertools.repeat(9))
    with pytest.raises(ValueError, match="more than 10,000 items"):
        views.compactions(9, 9, itertools.repeat(9))


def test_a_lab_shows_a_part_of_what_is_large() -> None:
    """A million bytes of an encoder's, and a text of any length, are cut."""
    lab = views.delimiters(lambda record: bytes(1_000_000), lambda data: {"x": "y" * 1_000_000})
    assert len(lab.text) < 20_000
    assert len(lab.screen.value) < 60_000
    long = views.explore(lambda a: "x" * 1_000_000, a="b")
    assert long.text.endswith("(980,000 more characters)")
    assert len(views.explore(lambda a: [a * 1_000_000], a="b").text) < 21_000


def test_exit_in_a_lab_is_its_answer() -> None:
    """It would otherwise end the kernel."""
    assert "SystemExit" in views.explore(lambda a: exit(), a="b").text


def test_interrupts_of_a_view_get_through() -> None:
    """Who presses Stop wants the view to stop, wherever it is."""

    class Pressed:
        def __repr__(self) -> str:
            raise KeyboardInterrupt

        def __eq__(self, other: object) -> bool:
            raise KeyboardInterrupt

        __hash__ = object.__hash__

    def pressed(data: bytes) -> Any:
        raise KeyboardInterrupt

    for read in (pressed, lambda data: Pressed()):
        with pytest.raises(KeyboardInterrupt):
            views.lengths(kvlib.encode_field("a"), read=read)
    with pytest.raises(KeyboardInterrupt):
        views.readers.one_line(Pressed())


# --------------------------------------------------------------------------------------- coroutines


def test_no_warning_has_our_path(recwarn: pytest.WarningsRecorder) -> None:
    """Whatever is never awaited in an answer ends with it, and without a word."""

    async def nothing() -> None:
        """Be a coroutine."""

    def running(value: Any) -> Any:
        return asyncio.run(nothing())  # there is a loop already, as in a notebook

    def nested(value: Any) -> Any:
        return [nothing(), {"a": nothing()}]

    async def cell() -> None:
        for answer in (running, nested, lambda value: nothing()):
            assert not check(FIELD, answer).passed

    asyncio.run(cell())
    assert [str(one.message) for one in recwarn.list] == []


@pytest.mark.untraced
def test_words_without_end_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error's own words may be code; they are counted too."""
    monkeypatch.setattr(sandbox, "SECONDS", 0.5)

    class Error(Exception):
        __str__ = endlessly

    def failing(value: Any) -> Any:
        raise Error

    assert not check(FIELD, failing).passed


@pytest.mark.parametrize("found", [{"a": 1}, {1: "a"}, {("a",): "b"}, {"a": None}])
def test_a_record_that_no_store_takes_is_told_so(found: dict[Any, Any]) -> None:
    """A hunt for a bug is for one among what is promised."""
    shown = repr(check("01-bug-hunt", found))
    assert "keys and values are str or bytes" in shown


def test_records_that_take_their_decoder_too_long_are_told_so() -> None:
    """It looks at each byte; one small record is enough to find its bug."""
    assert "one record is enough" in repr(check("01-bug-hunt", {"a": b"\xff" * 10**6}))
