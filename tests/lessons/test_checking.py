"""What a check does with answers of every sort: it comes back, and says something that helps."""

import asyncio
import cProfile
import functools
import io
import itertools
import os
import pickle
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import pytest

import kvlib
from kvlib import naive
from kvlib.layout.dissect import dissect
from kvlib.layout.text import width
from kvlib.lessons import check, coding, collisions, hint, solution
from kvlib.lessons.catalogue import EXERCISES, find
from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Case
from kvlib.lessons.exercises.encode.encode_field import encode_field
from kvlib.lessons.exercises.encode.run_snapshots import run_snapshots
from kvlib.lessons.exercises.encode.snapshot import decode_snapshot, encode_snapshot
from kvlib.lessons.exercises.stores import KEEPSAKE
from kvlib.lessons.picture import BytesPicture
from kvlib.lessons.result import HelpText, Result
from kvlib.lessons.sandbox import Stopped, Watch, run
from kvlib.views import svg
from kvlib.views.plain import same

FIELD = "01-encode-field"
ENCODE, DECODE = encode_snapshot, decode_snapshot


def an_exercise(function: Callable[..., Any], *arguments: Any, **more: Any) -> Coding:
    """Return an exercise of one function and one case."""
    data: dict[str, Any] = {
        "name": "01-made-up",
        "objective": "do it",
        "task": "Do it.",
        "functions": (function,),
        "cases": (Case(arguments),),
        "hints": ("", "", ""),
        "why": "So it is.",
        "points": 1,
        "minutes": 1,
    }
    return Coding(**(data | more))


def counts_characters(value: Any) -> bytes:
    """Measure the text instead of its bytes."""
    data = encode_field(value)
    return data[:1] + len(value).to_bytes(4, "big") + data[5:]


def said(answer: object, name: str = FIELD) -> str:
    """Give the whole text of a check, on one line; it did not pass."""
    result = check(name, answer)
    assert not result.passed
    assert result.html()
    return " ".join(repr(result).split())


# ----------------------------------------------------------------------- answers that are no answer


def endless(value: Any) -> bytes:
    """Never advance."""
    rest = b"data"
    while rest:
        pass
    return rest


def endless_in_a_generator(value: Any) -> bytes:
    """Take from something without end."""
    return bytes(1 for _ in itertools.count())


def endless_and_forgiving(value: Any) -> bytes:
    """Catch whatever stops it, and return."""
    try:
        while True:
            value = value[:0]
    except:  # noqa: E722 # what a learner writes
        return b""


def recursive(value: Any) -> Any:
    """Call itself without end."""
    return recursive(value)


def leaving(value: Any) -> Any:
    """End the program."""
    sys.exit("done")


def printing(value: Any) -> None:
    """Print what should be returned."""
    print(value)


def printing_much(value: Any) -> None:
    """Print a megabyte."""
    for _ in range(1000):
        print("x" * 1000)


def forgetful(value: Any) -> None:
    """Compute, and give nothing."""
    len(value)


def generating(value: Any) -> Iterator[bytes]:
    """Yield what should be returned."""
    yield b"s"


async def waiting(value: Any) -> bytes:
    """Be a coroutine."""
    return b"s"


def unset(value: Any) -> Any:
    """Use a name too early."""
    return tag + value  # type: ignore[name-defined] # noqa: F821 # the mistake


def badly_typed(value: Any) -> Any:
    """Add a number to bytes."""
    return b"s" + len(value)  # type: ignore[operator] # the mistake


STRANGE = [
    (endless, ["no end, in your line", "stopped after 100,000 lines"]),
    (endless_in_a_generator, ["no end", "100,000 lines"]),
    (endless_and_forgiving, ["no end, in your line", "100,000 lines"]),
    (recursive, ["RecursionError", "calls itself without end"]),
    (leaving, ["SystemExit: done, in your line", "end the whole program"]),
    (printing, ["It prints its result but returns nothing"]),
    (printing_much, ["returns nothing", "It also printed: 'xxx"]),
    (forgetful, ["It returns None", "`return` on every way"]),
    (generating, ["got <generator object>", "It returns a generator, which has not run yet"]),
    (waiting, ["It returns a coroutine, which has not run yet"]),
    (unset, ["NameError", "in your line", "return tag + value", "No line has set this name yet"]),
    (
        badly_typed,
        ["TypeError: can't concat int to bytes, in your line", "A number meets bytes in this line"],
    ),
    (lambda value: bytearray(encode_field(value)), ["A bytearray is nearly right"]),
    (
        lambda value: memoryview(encode_field(value)),
        ["got <memoryview object>", "A memoryview is nearly"],
    ),
    (lambda value: [*encode_field(value)], ["A loop over bytes gives numbers; a slice is bytes"]),
    (lambda value: "s" + repr(value), ["It returns a text, but the format is made of bytes"]),
    (lambda value: 7, ["It should be bytes, but this is of type int"]),
    (
        lambda value: encode_field(value) + b"!",
        ["The data is complete here, but more bytes follow"],
    ),
    (
        lambda value: encode_field(value)[:3],
        ["too early, after 3 bytes. A length belongs next"],
    ),
    (kvlib.encode_field, ["`kvlib.encode_field` is the library's own version, the answer key"]),
    (lambda value: kvlib.encode_field(value), ["That is the library's", "`kvlib.encode_field`"]),
    (lambda: b"", ["`encode_field` is called with 1 argument; yours can't"]),
    (lambda value, tag: b"", ["is called with 1 argument; yours can't"]),
    (None, ["This is None instead of `encode_field`"]),
    (b"s", ["Hand over the function itself, not a result of it (bytes)"]),
    (str, ["`str` is a class, but a function was asked for"]),
]


@pytest.mark.parametrize(("answer", "parts"), STRANGE)
def test_a_strange_answer_gets_words_that_help(answer: Any, parts: list[str]) -> None:
    """Whatever is handed over: no exception, no hanging, and what to look at."""
    text = said(answer)
    for part in parts:
        assert part in text
    assert text.endswith(f'Next: hint("{FIELD}", 1)')


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        ([0, 1, 2, 3, 4, 5], "There is no line 0: they are numbered from 1 to 6"),
        ([1, 1, 2, 3, 4, 5], "Line 1 is there twice"),
        ([6, 4, 2, 5, 3], "Line 1 is missing"),
        ("642531", "An order is a list of line numbers"),
        ([6.0, 4, 2, 5, 3, 1], "An order is a list of line numbers"),
    ],
)
def test_what_is_no_order_is_told_so(answer: Any, part: str) -> None:
    """Before any line runs."""
    assert part in said(answer, "01-decode-order")


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        ("14", "It should be a whole number, but this is of type str. Leave out the quotes."),
        (14.0, "It should be a whole number, but this is of type float."),
        (None, "of type NoneType"),
        (99, "That isn't it. Write down how you got there"),
    ],
)
def test_a_prediction_that_nobody_foresaw_gets_words_too(answer: Any, part: str) -> None:
    """A value of the wrong type, or one without a reason that is known."""
    assert part in said(answer, "01-length")


@pytest.mark.parametrize("untried", [..., []])
def test_what_is_not_tried_says_just_that(untried: Any) -> None:
    """An ordering may be empty as well."""
    assert repr(check("01-decode-order", untried)) == "○ 01-decode-order: not tried yet"


def test_a_pair_is_handed_over_as_one() -> None:
    """One function alone, or three, are told so."""
    assert "takes 2 functions at once" in said(encode_field, "01-snapshot")
    assert "takes 2 functions at once" in said((encode_field,) * 3, "01-snapshot")
    assert "This is None instead of `decode_snapshot`" in said((encode_field, None), "01-snapshot")


def test_half_a_pair_is_told_which_half_is_missing() -> None:
    """What is written is right; the other one is still a stub."""
    encode, decode = (ENCODE, DECODE)

    def stub(argument: object) -> None:
        raise NotImplementedError

    assert "`decode_snapshot` is not tried yet" in said((encode, stub), "01-snapshot")
    assert "`encode_snapshot` is not tried yet" in said((stub, decode), "01-snapshot")
    assert repr(check("01-snapshot", (stub, stub))) == "○ 01-snapshot: not tried yet"


@pytest.mark.parametrize("name", ["01-encode-feild", "", None, 7, []])
def test_an_unknown_name_is_no_exception_in_a_check(name: Any) -> None:
    """It says which names there are; hint and solution raise."""
    result = check(name, encode_field)
    assert "did you mean 01-" in " ".join(result.words)
    assert not result.passed
    with pytest.raises(ValueError, match="did you mean"):
        hint(name, 1)
    with pytest.raises(ValueError, match="did you mean"):
        solution(name)


@pytest.mark.parametrize("number", [0, 4, "1", None])
def test_hints_are_numbered_1_to_3(number: Any) -> None:
    """Another number is refused."""
    with pytest.raises(ValueError, match="1 to 3"):
        hint(FIELD, number)


def test_the_first_hint_needs_no_number() -> None:
    """Who asks for a hint gets it, and is told how to ask for the next."""
    assert hint(FIELD) == hint(FIELD, 1)


# -------------------------------------------------------------------------------- what functions do


def test_an_accident_is_no_refusal() -> None:
    """A decoder that falls over its own feet has not checked anything."""

    def accident(data: bytes) -> Any:
        if len(data) < 4:
            return dict[bytes, bytes]()[data]
        return DECODE(data)

    encode, _ = (ENCODE, DECODE)
    text = said((encode, accident), "01-snapshot")
    assert "KeyError" in text
    assert "happened by accident" in text


def test_an_assert_is_no_check() -> None:
    """Python can be run without them."""

    def asserting(data: bytes) -> Any:
        assert len(data) >= 4
        return DECODE(data)

    encode, _ = (ENCODE, DECODE)
    assert "leave out every `assert`" in said((encode, asserting), "01-snapshot")


def test_a_later_function_is_not_asked_once_an_earlier_one_is_wrong() -> None:
    """What it would be given may be wrong, too."""
    asked = []

    def decode(data: bytes) -> Any:
        asked.append(data)

    assert not check("01-snapshot", (lambda records: b"", decode)).passed
    assert len(asked) <= 1  # to see whether it is a stub


def test_what_accepts_everything_is_told_to_refuse() -> None:
    """Bytes that can't be a snapshot, and a result all the same."""

    def accepting(data: bytes) -> Any:
        try:
            return DECODE(data)
        except ValueError:
            return {}

    encode, _ = (ENCODE, DECODE)
    text = said((encode, accepting), "01-snapshot")
    assert "It accepts no bytes at all, not even a count, and this must be refused" in text
    assert "what it was given: 0 bytes" in text


def test_what_changes_its_argument_is_told_so() -> None:
    """Though its result is right."""

    def popping(records: dict[Any, Any]) -> bytes:
        data = b""
        while records:
            key, value = records.popitem()
            data += encode_field(key) + encode_field(value)
        return data

    text = said(popping, "01-delimiter")
    assert "It changes what it was given" in text


def test_what_keeps_something_between_calls_is_told_so() -> None:
    """A default argument that grows, or a global; also when the check runs again."""

    def collecting(value: Any, out: list[bytes] = []) -> bytes:  # noqa: B006 # the mistake
        out.append(encode_field(value))
        return b"".join(out)

    assert "something survives from one call to the next" in said(collecting)
    assert "something survives from one call to the next" in said(collecting)


def test_a_rare_mistake_is_shown_at_its_smallest_case() -> None:
    """Nobody foresaw it: the case, the offset and the rule are there, and no guess at a reason."""

    def capped(value: Any) -> bytes:
        data = encode_field(value)
        return data if len(data) < 200 else data[:1] + bytes([0, 0, 0, 255]) + data[5:]

    text = said(capped)
    assert "The first wrong byte is at offset 3 (0003 in the dump)" in text
    assert "A length belongs here: four bytes" in text
    assert "This case is about a length that needs its second byte." in text


def test_a_mistake_that_explains_little_is_not_named() -> None:
    """It agrees in the smallest failing case, by chance, and in no other."""

    def odd(value: Any) -> bytes:
        if value == "é":
            return bytes(counts_characters(value))
        return b"?" if len(value) > 1 else encode_field(value)

    text = said(odd)
    assert "This case is about a character of two bytes." in text
    assert "Your " not in text


def test_wrong_items_of_a_list_are_named() -> None:
    """For an interview: the operation whose answer is wrong, too few of them, too many."""

    def nothing(operations: Any) -> list[Any]:
        return []

    def double(operations: Any) -> list[Any]:
        return [None] * 2 * len(operations)

    def one_key(operations: Any) -> list[Any]:
        return [
            None if one == ("get", "b") else x
            for one, x in zip(
                (one for one in operations if one[0] == "get"),
                run_snapshots(operations),
                strict=True,
            )
        ]

    assert "A `get` gives a result even" in said(nothing, "01-run-snapshots")
    assert "The list is too long: it continues with None." in said(double, "01-run-snapshots")
    assert "The first wrong one is the answer to operation 3, ('get', 'b'): None." in said(
        one_key, "01-run-snapshots"
    )


def test_an_answer_of_three_dots_is_not_tried() -> None:
    """Code may be left out as a value is."""
    assert check(FIELD, ...).state == "not tried yet"


def test_more_than_can_be_looked_at_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A result of millions of items, and one that changes its argument."""
    assert "The result is far too long" in said(lambda value: [0] * 300_000)

    def clearing(numbers: list[int]) -> int:
        total = sum(numbers)
        numbers.clear()
        return total

    exercise = an_exercise(sum, [1, 2])
    assert "It changes what it was given" in exercise.check(clearing).words[0]


def test_a_refusal_that_changes_its_argument_is_told_so() -> None:
    """And one that raises another error on purpose."""

    def refuse(numbers: list[int]) -> int:
        raise ValueError(len(numbers))

    exercise = an_exercise(refuse, [1], cases=(Case(([1],), "a list", refused=True),))

    def clearing(numbers: list[int]) -> int:
        numbers.clear()
        raise ValueError("no")

    def another(numbers: list[int]) -> int:
        raise OSError("no")

    assert "must be a ValueError, not ValueError" not in exercise.check(clearing).words[0]
    assert "It changes what it was given" in exercise.check(clearing).words[0]
    assert "must be a ValueError, not OSError" in exercise.check(another).words[0]
    accident = exercise.check(lambda numbers: numbers["first"])
    assert "happened by accident" in accident.words[0]
    assert len(accident.words) == 1


def test_an_item_without_a_name_has_its_index() -> None:
    """A list of whatever: item 1 is wrong."""
    exercise = an_exercise(lambda size: list(range(size)), 3)
    result = exercise.check(lambda size: [0, 7, 2])
    assert "The first wrong one is item 1 (counted from 0): 7." in result.words


def test_the_first_wrong_item_of_bytes_is_pictured() -> None:
    """Of a list of bytes, the one that differs; nothing if only the number does."""
    exercise = an_exercise(lambda: [bytes(9), bytes(9)], formats=("segment",))
    result = exercise.check(lambda: [bytes(9), bytes(8) + b"x"])
    assert result.picture
    assert result.picture.wrong == 8
    assert not exercise.check(lambda: [bytes(9)]).picture


# -------------------------------------------------------------------------------------- large cases


def test_a_slow_answer_is_stopped_by_the_solutions_own_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All small cases are right; the large one is about time, and says so without a time."""
    monkeypatch.setattr(coding, "AT_LEAST", 0.1)
    exercise = an_exercise(sum, [1], large=lambda: [Case((list(range(1000)),), "a long list")])

    def slow(numbers: list[int]) -> int:
        total = 0
        while len(numbers) > 1:
            total += 0
        return sum(numbers)

    result = exercise.check(slow)
    assert "All small cases are right. Then came a long list." in result.words
    assert "more than 20 times the solution's time" in result.words[1]
    assert "in your line" in result.words[1]


def test_a_large_case_can_be_wrong_or_raise() -> None:
    """Then that is what is said."""
    exercise = an_exercise(sum, [1], large=lambda: [Case(([9] * 300,), "a long list")])
    wrong = exercise.check(lambda numbers: sum(numbers[:255]))
    assert "What changes when there is a lot of data?" in wrong.words[1]
    raising = exercise.check(lambda numbers: bytes([len(numbers)])[0])
    assert "What came: ValueError" in raising.words[1]


def test_an_answer_spoils_only_its_own_large_case() -> None:
    """It may do what it likes with what it is given: whoever is checked next gets it anew."""
    exercise = an_exercise(sum, [1], large=lambda: [Case(([9] * 300,), "a long list")])

    def spoiling(numbers: list[int]) -> int:
        return sum(numbers.pop() for _ in range(len(numbers))) if len(numbers) > 1 else 1

    for function in (spoiling, spoiling, sum):
        assert exercise.check(function).passed


def test_the_clear_version_is_timed_once() -> None:
    """Who mends an answer and checks it again doesn't wait for that once more."""
    asked = []

    def clear(number: int) -> int:
        asked.append(number)
        return number

    exercise = an_exercise(clear, 1, large=lambda: [Case((1000,), "a large number")])
    for _ in range(3):
        assert exercise.check(lambda number: number).passed
    assert asked.count(1000) == 1


def test_a_value_that_an_answer_falls_over_is_no_value_that_it_kept() -> None:
    """The look for objects that never became bytes comes back, whatever the answer does then."""

    def falling(operations: Any) -> Any:
        assert ("put", "a", KEEPSAKE) not in operations
        return run_snapshots(operations)

    assert check("01-run-snapshots", falling).came.startswith("AssertionError") is False


# ------------------------------------------------------------------------------------------- guards


def test_whoever_traced_before_goes_on() -> None:
    """A debugger, or what measures coverage, is there again afterwards, also after an exception."""
    seen: list[str] = []

    def trace(frame: Any, event: str, argument: Any) -> Any:
        seen.append(frame.f_code.co_name)
        return trace

    before, profiled = sys.gettrace(), sys.getprofile()
    sys.settrace(trace)
    try:
        for function in (encode_field, leaving, endless):
            run(function, ("a",), tools=["pickle"])
            assert sys.gettrace() is trace
            assert sys.getprofile() is profiled
        same(1, 1)
    finally:
        sys.settrace(before)
    assert "same" in seen
    assert "leaving" not in seen


def test_lines_are_counted() -> None:
    """What the trace does, done by hand: it can't be traced itself. At the end it raises."""
    before, frame = sys.gettrace(), sys._getframe()
    watch = Watch(endless, 300)
    watch.base = frame.f_back
    try:
        assert watch.trace(frame, "call", None) == watch.count
        for _ in range(300):
            watch.count(frame, "line", None)
        assert not watch.line
        with pytest.raises(Stopped):
            watch.count(frame, "line", None)
    finally:
        watch.over, frame.f_trace = True, None
        sys.settrace(before)
    assert watch.why == "endless"
    assert watch.line.endswith('watch.count(frame, "line", None)')


def test_calls_are_heard() -> None:
    """Of a function that is the library's, and of a tool, in C or in Python; else of none."""
    before, frame, here = sys.gettrace(), sys._getframe(), __name__

    def heard(watch: Watch, event: str, arg: object) -> Watch:
        watch.base = frame.f_back
        try:
            with pytest.raises(Stopped):
                (watch.profile if event else watch.trace)(frame, event, arg)
        finally:
            frame.f_trace = None
            sys.settrace(before)
        return watch

    watch = heard(Watch(max, codes={frame.f_code: "its name"}), "", None)
    assert (watch.why, watch.called, watch.line) == ("library", "its name", "")
    quiet = Watch(endless, tools=["_pickle", "eval"])
    quiet.profile(frame, "c_call", len)
    quiet.profile(frame, "call", None)
    quiet.profile(frame, "return", None)
    for tool in (eval, pickle.dumps, pickle.Pickler(io.BytesIO()).dump):
        watch = heard(Watch(endless, tools=["_pickle", "eval"]), "c_call", tool)
        assert watch.called in ("eval", "_pickle")
    assert heard(Watch(max, tools=[here]), "call", None).called == here


def test_a_profiler_is_left_alone() -> None:
    """One that is written in C can't be put back, so it is not taken away."""
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        outcome = run(encode_field, ("a",), tools=["pickle"])
    finally:
        profiler.disable()
    assert outcome.value == encode_field("a")


def test_an_interrupt_gets_through() -> None:
    """Who presses Stop wants the check itself to stop, whatever the answer catches."""

    def endless_and_deaf(value: Any) -> None:
        while True:
            try:
                value = value[:0]
            except BaseException:
                continue

    press = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    before, streams = sys.gettrace(), (sys.stdin, sys.stdout)
    press.start()
    with pytest.raises(KeyboardInterrupt):
        run(endless_and_deaf, ("a",), lines=10**12)
    press.join()
    assert (sys.stdin, sys.stdout) == streams
    assert sys.gettrace() is before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_that_an_answer_raises_is_its_own() -> None:
    """Nobody has pressed anything."""

    def interrupted(value: Any) -> None:
        raise KeyboardInterrupt

    assert "KeyboardInterrupt" in said(interrupted)


def test_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A check gives its result; what the answer prints is part of it."""
    check(FIELD, printing_much)
    assert capsys.readouterr() == ("", "")


def test_a_line_is_the_learners_own() -> None:
    """The error may come from deep within a library: the line is where the learner called it."""

    def asking(value: Any) -> Any:
        return asyncio.run(value)

    assert re.search(r"ValueError: a coroutine.*in your line \d+: return asyncio.run", said(asking))


def test_a_function_without_source_has_a_line_number() -> None:
    """Typed at a prompt, or made by exec."""
    namespace: dict[str, Any] = {"__name__": "made"}
    exec("def divide(value):\n    return 1 / 0", namespace)
    assert "division by zero, in your line 2 Read" in said(namespace["divide"])


def test_hostile_values_do_not_break_a_check() -> None:
    """Classes of a learner's own, whose methods raise."""

    class Bad:
        def __repr__(self) -> str:
            raise ValueError

        __str__ = __repr__

        def __eq__(self, other: object) -> bool:
            raise ValueError

        __hash__ = object.__hash__

    class BadError(Exception):
        def __str__(self) -> str:
            raise ValueError

    def raising(value: Any) -> Any:
        raise BadError

    assert "got <Bad object>" in said(lambda value: Bad())
    assert "BadError: (no message)" in said(raising)
    assert "Hand over the function" in said(Bad())


def test_callables_of_every_sort_are_answers() -> None:
    """Methods, partials and objects can be called; builtins may not say how."""

    class Encoder:
        def encode(self, value: Any) -> bytes:
            return encode_field(value)

        def __call__(self, value: Any) -> bytes:
            return encode_field(value)

    class Forgetful(Encoder):
        def __call__(self, value: Any) -> bytes:
            raise LookupError(value)

    for answer in (Encoder().encode, Encoder(), functools.partial(encode_field)):
        assert check(FIELD, answer).passed
    assert re.search(r"in your line \d+: raise LookupError", said(Forgetful()))
    assert "A NoneType" not in said(print)
    assert "ValueError: max() " in said(max)


def test_equal_means_of_equal_types() -> None:
    """True is not 1, however deep it stands."""
    assert same({"a": [1, (b"x", None)]}, {"a": [1, (b"x", None)]})
    assert not same([1], [True])
    assert not same({1: "a"}, {True: "a"})
    assert not same({"a": 1}, {"a": 1, "b": 1})
    assert not same(b"a", bytearray(b"a"))
    assert not same([1], [1, 2])


# --------------------------------------------------------------------------------------- delimiters


def test_the_shortest_pair_is_found() -> None:
    """By hand: with `=` and `;`, the first two stores that are confused have one character each."""
    result = check("01-delimiter", naive.encode_delimited)
    assert result.asked == "encode({'': '='}) and encode({'=': ''})"
    assert result.came == "b'==;', both times"


def test_each_pair_is_confused_indeed() -> None:
    """Two stores, different, and the encoder gives the same bytes for both."""
    encoders: list[Callable[[dict[Any, Any]], bytes]] = [
        naive.encode_delimited,
        lambda records: repr(records).encode("ascii", "replace"),
        lambda records: b"".join(encode_field(one)[1:] for pair in records.items() for one in pair),
    ]
    for encode in encoders:
        pair = collisions.confuse(encode)
        assert isinstance(pair, collisions.Collision)
        one, other = pair.stores
        assert one != other
        assert encode(one) == encode(other) == pair.came.value


def test_an_encoder_that_stops_in_the_middle_is_told_where() -> None:
    """No end, or no bytes, for some store only."""

    def endless_for_colons(records: dict[Any, Any]) -> bytes:
        text = repr(records)
        while "é" in text:
            pass
        return text.encode()

    def text_for_bytes(records: dict[Any, Any]) -> Any:
        text = repr(sorted(records.items(), key=repr))
        return text if any(type(key) is bytes for key in records) else text.encode()

    def nothing_for_nothing(records: dict[Any, Any]) -> bytes:
        if "" in records:
            raise KeyError("a key is empty")
        return repr(records).encode()

    text = said(nothing_for_nothing, "01-delimiter")
    assert "tried encode({'': ''}) got KeyError: 'a key is empty', in your line" in text
    assert "It can't write this store" in text
    assert "got no end" in said(endless_for_colons, "01-delimiter")
    assert "encode({b'': ''})" in said(text_for_bytes, "01-delimiter")


def test_stores_come_from_the_smallest_up() -> None:
    """Each is there once, and none is larger than one that follows."""
    made = list(itertools.islice(collisions.stores(["a", "="]), 300))
    sizes = [sum(map(len, itertools.chain(*store.items()))) for store in made]
    assert sizes == sorted(sizes)
    assert made[1] == {"": ""}
    assert {"a": "", "=": ""} in made


# ------------------------------------------------------------------------------------------ results


def test_html_holds_what_a_learner_wrote_as_text() -> None:
    """A value that looks like a tag is none."""

    def tagging(value: Any) -> Any:
        raise ValueError("<b>&")

    html = check(FIELD, tagging).html()
    assert "&lt;b&gt;&amp;" in html
    assert "<b>" not in html
    assert f"Next: <code>hint(&quot;{FIELD}&quot;, 1)</code>" in html


def test_html_has_the_words_and_the_mark() -> None:
    """The picture is the views' own, with the wrong byte marked; no script, no id."""
    html = check(FIELD, counts_characters).html()
    assert 'class="card wrong"' in html
    assert unquote(html).count(f'stroke="{svg.COLOURS["wrong"][0]}"') == 1  # the ring
    assert "offset 4" in html
    assert "<script" not in html
    assert " id=" not in html


def test_a_right_result_requires_nothing() -> None:
    """`require` is for grading: it gives the result, or an AssertionError with the text."""
    result = check("01-length", 14)
    assert result.require() is result
    assert result._repr_mimebundle_() == {"text/plain": repr(result), "text/html": result.html()}
    assert repr(result).startswith("✓ 01-length: right\n")
    untried = check("01-length", ...)
    assert "<strong>○ 01-length: not tried yet</strong>" in untried.html()
    with pytest.raises(AssertionError, match="01-length: not tried yet"):
        untried.require()


def test_lines_stay_within_80_columns() -> None:
    """Also in a script whose characters are two columns wide."""
    result = Result(
        "01-x", "wrong", asked="f('" + "中" * 90 + "')", came="b" * 100, words=("中" * 90,)
    )
    assert max(map(width, repr(result).splitlines())) <= 80


def test_a_picture_without_a_mark_says_nothing() -> None:
    """What was given is shown, and nothing in it is wrong."""
    assert BytesPicture(dissect(b"")).where() == ""


def test_a_note_shows_itself() -> None:
    """Title, code, words and what is next, in both forms."""
    note = HelpText("01-x, hint", ("Use `a < b`.",), "if a < b:\n\n    pass", "more()")
    assert repr(note) == (
        "01-x, hint\n\n    if a < b:\n\n        pass\n\nUse `a < b`.\n\nNext: more()"
    )
    bundle = note._repr_mimebundle_()
    assert bundle["text/plain"] == repr(note)
    assert "Use <code>a &lt; b</code>." in bundle["text/html"]
    for shown in (hint(FIELD, 1), solution(FIELD)):
        assert shown.title in shown._repr_mimebundle_()["text/html"]


def test_names_find_exercises() -> None:
    """And what is near is proposed."""
    assert find("01-length") is EXERCISES["01-length"]
    with pytest.raises(ValueError, match="did you mean 01-length"):
        find("length")
