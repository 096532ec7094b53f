"""What an answer can't do to the process that it runs in: go on for ever, end it, or change it."""

import asyncio
import contextlib
import functools
import io
import json
import os
import re
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from helpers.strangers import stopping
from kvlib.lessons import check, collisions, feedback, isolation, sandbox
from kvlib.lessons.sandbox import Watch, run

FIELD = "01-encode-field"


# ----------------------------------------------------------------------- what never ends is stopped


def bare_except(value: Any) -> None:
    """Catch whatever comes."""
    while True:
        try:
            value = value[:0]
        except:  # noqa: E722 # what a learner writes
            continue


def base_exception(value: Any) -> None:
    """Catch it, and keep it."""
    kept = []
    while True:
        try:
            value = value[:0]
        except BaseException as error:
            kept.append(error)


def finally_continue(value: Any) -> None:
    """Forget it at each turn."""
    while True:
        try:
            value = value[:0]
        finally:
            continue  # noqa: B012 # what is tried


def suppressing(value: Any) -> None:
    """Suppress it."""
    while True:
        with contextlib.suppress(BaseException):
            value = value[:0]


class Swallower:
    """A context that swallows what leaves it."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, *_: object) -> bool:
        """Swallow."""
        return True


def swallowing(value: Any) -> None:
    """Swallow it in a context of its own, with a loop within a loop."""
    while True:
        with Swallower():
            while True:
                value = value[:0]


def nested_tries(value: Any) -> None:
    """Catch it at three levels."""
    while True:
        try:
            try:
                try:
                    value = value[:0]
                except BaseException:
                    value = value[:0]
            except BaseException:
                value = value[:0]
        except BaseException:
            value = value[:0]


def recursive(value: Any) -> None:
    """Call itself twice at each of a thousand levels, and catch whatever comes of it."""
    try:
        recursive(value)
    except:  # noqa: E722 # what a learner writes
        recursive(value)


class Undying:
    """Doesn't end when nobody needs it any more."""

    def __del__(self) -> None:
        while True:
            with contextlib.suppress(BaseException):
                len("")


def undying(value: Any) -> Any:
    """Give an object whose end never comes."""
    return Undying()


def undying_inside(value: Any) -> int:
    """Drop such an object."""
    Undying()
    return 1


def uncloseable(value: Any) -> int:
    """Drop a generator that goes on when it is closed."""

    def generator() -> Iterator[int]:
        try:
            yield 1
        finally:
            while True:
                value[:0]

    next(generator())
    return 1


def comprehension(value: Any) -> Any:
    """Collect from something without end."""
    return [number for number in count() if number < 0]


def coroutine(value: Any) -> Any:
    """Wait for what never comes."""

    async def never() -> None:
        while True:
            await asyncio.sleep(0)

    return asyncio.run(never())


def calling_others(value: Any) -> None:
    """Call another module at each turn."""
    while True:
        json.dumps(value)


BY_LINES = [
    bare_except,
    base_exception,
    finally_continue,
    suppressing,
    swallowing,
    nested_tries,
    undying,
    undying_inside,
    uncloseable,
    comprehension,
    coroutine,
    calling_others,
]


@pytest.mark.parametrize("answer", BY_LINES)
def test_whatever_never_ends_is_stopped(answer: Callable[..., Any]) -> None:
    """However it catches the stop, or hides from it: it ends soon, and is told where."""
    before, begin = sys.gettrace(), time.monotonic()
    outcome = run(answer, ("a",), lines=3_000)
    assert outcome.kind == "endless"
    assert outcome.line
    assert time.monotonic() - begin < 8
    assert sys.gettrace() is before
    assert asyncio._get_running_loop() is None


def test_an_event_loop_left_running_is_forgotten() -> None:
    """A stop may come inside asyncio's own clean-up; later cells can still use asyncio.run."""

    async def nothing() -> None:
        """Return at once."""

    loop = asyncio.new_event_loop()
    run(lambda value: asyncio._set_running_loop(loop), ("a",))
    loop.close()
    asyncio.run(nothing())


def one_line(value: Any) -> None:
    """Have no line that begins."""
    while True: pass  # noqa: E701 # fmt: skip


def expression(value: Any) -> Any:
    """Look for what isn't there."""
    return re.match("(a+)+$", "a" * 40 + "b")


def sleeping(value: Any) -> None:
    """Sleep."""
    while True:
        try:
            time.sleep(99)
        except BaseException:
            continue


def untraced(value: Any) -> None:
    """Take the trace off."""
    while True:
        try:
            sys.settrace(None)
        except BaseException:
            continue


class WordlessError(Exception):
    """Has words without end."""

    def __str__(self) -> str:
        while True: pass  # noqa: E701 # fmt: skip


def wordless(value: Any) -> None:
    """Raise it."""
    raise WordlessError


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer")
@pytest.mark.parametrize("answer", [one_line, expression, sleeping, untraced, wordless, recursive])
def test_a_timer_stops_what_has_no_lines(
    answer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop in C, a sleep, or a trace that was taken off: after some seconds it ends too."""
    monkeypatch.setattr(sandbox, "SECONDS", 0.4)
    limit = sys.getrecursionlimit()
    outcome = run(answer, ("a",))
    assert outcome.kind == "endless"
    assert sys.getrecursionlimit() == limit
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_a_timer_of_somebody_elses_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there afterwards; lines are counted all the same."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("there is no timer")
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        assert run(bare_except, ("a",), lines=3_000).kind == "endless"
        while not rung:
            time.sleep(0.01)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_in_another_thread_lines_are_counted() -> None:
    """There are no signals there."""
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(run(bare_except, ("a",), lines=3_000)))
    thread.start()
    thread.join(20)
    assert outcomes[0].kind == "endless"


# ----------------------------------------------------------------------------- other modules' lines


def a_module(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str) -> None:
    """Write a module that can be imported."""
    (folder / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, name, raising=False)


def test_lines_of_an_import_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of 300,000 lines is imported whole, and takes what time it needs."""
    monkeypatch.setattr(sandbox, "SECONDS", 0.3)
    source = "import time\nfor number in range(150_000):\n    done = number\ntime.sleep(0.5)\n"
    a_module(tmp_path, monkeypatch, "of_many_lines", source + "whole = True\n")

    def importing(value: Any) -> bool:
        import of_many_lines  # type: ignore[import-not-found]

        return bool(of_many_lines.whole)

    outcome = run(importing, ("a",), lines=100)
    assert (outcome.kind, outcome.value) == ("gave", True)
    del sys.modules["of_many_lines"]


def test_an_import_is_not_left_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that has run out of its lines, or its time, is stopped behind the import."""
    monkeypatch.setattr(sandbox, "SECONDS", 0.3)
    source = "import __main__, time\nfor _ in range(9): __main__.own()\ntime.sleep(0.5)\n"
    a_module(tmp_path, monkeypatch, "that_calls_back", source + "whole = True\n")

    def own() -> None:
        for _ in range(100):
            pass

    monkeypatch.setattr(sys.modules["__main__"], "own", own, raising=False)

    def importing(value: Any) -> None:
        import that_calls_back  # type: ignore[import-not-found] # noqa: F401

        while True:
            pass

    assert run(importing, ("a",), lines=50).kind == "endless"
    assert sys.modules["that_calls_back"].whole
    del sys.modules["that_calls_back"]


def test_an_endless_loop_in_another_module_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines don't count, but its time does; also where it catches the stop."""
    monkeypatch.setattr(sandbox, "SECONDS", 0.3)
    source = "def go(value):\n    while True:\n        value = value[:0]\n"
    a_module(tmp_path, monkeypatch, "without_end", source)

    def calling(value: Any) -> None:
        import without_end  # type: ignore[import-not-found]

        while True:
            try:
                without_end.go(value)
            except BaseException:
                continue

    assert run(calling, ("a",)).kind == "endless"
    assert "without_end.go" in run(calling, ("a",)).line
    del sys.modules["without_end"]


def test_the_lines_of_whatever_is_handed_over_are_its_own() -> None:
    """Wrapped, bound or partial: the function inside is meant."""

    class Endless:
        def __call__(self, value: Any) -> None:
            bare_except(value)

        def method(self, value: Any) -> None:
            bare_except(value)

    wrapped = contextlib.contextmanager(functools.wraps(bare_except)(lambda value: iter([1])))
    for answer in (Endless(), Endless().method, functools.partial(bare_except)):
        assert run(answer, ("a",), lines=3_000).kind == "endless"
    assert {__name__, "contextlib"} <= Watch(wrapped).homes
    assert Watch(max).homes == {"__main__", ""}
    made: dict[str, Any] = {}
    exec("def endless(value):\n    while True:\n        value = value[:0]", made)
    made["__name__"] = 5
    assert run(made["endless"], ("a",), lines=3_000).kind == "endless"


# --------------------------------------------------------------------------- the end of the process


def ends() -> dict[str, Callable[[], Any]]:
    """Give each way in which an answer may try to end this process."""
    own = os.getpid()
    found: dict[str, Callable[[], Any]] = {
        "exit": lambda: exit(),
        "quit": lambda: quit(),
        "sys.exit": lambda: sys.exit("done"),
        "raise": functools.partial(_raise, SystemExit()),
        "_exit": lambda: os._exit(3),
        "abort": lambda: os.abort(),
        "kill": lambda: os.kill(own, signal.SIGTERM),
        "raise_signal": lambda: signal.raise_signal(signal.SIGTERM),
        "execv": lambda: os.execv(sys.executable, [sys.executable, "-c", ""]),
        "execvp": lambda: os.execvp(sys.executable, [sys.executable, "-c", ""]),
    }
    if hasattr(os, "killpg"):
        found["killpg"] = lambda: os.killpg(os.getpgrp(), signal.SIGTERM)
        found["group"] = lambda: os.kill(0, signal.SIGTERM)
    return found


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("name", ends())
def test_no_answer_ends_the_process(name: str) -> None:
    """It is told what that would do, and everything is there afterwards."""
    before = os._exit, os.kill, signal.raise_signal
    result = check(FIELD, lambda value: ends()[name]())
    assert "end the whole program, and your variables with it" in repr(result).replace("\n", " ")
    assert (os._exit, os.kill, signal.raise_signal) == before
    assert not sys.stdin.closed


def test_the_shell_is_not_asked_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """In IPython `exit` raises nothing: it asks the shell, and that ends a moment later."""
    asked: list[int] = []
    shell = types.SimpleNamespace(ask_exit=lambda: asked.append(1))
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert "end the whole program" in repr(check(FIELD, lambda value: shell.ask_exit()))
    assert asked == []
    shell.ask_exit()
    assert asked == [1]
    monkeypatch.setattr(ipython, "get_ipython", lambda: None)
    assert run(len, ("a",)).value == 1


def test_other_threads_and_processes_may_end_what_they_like() -> None:
    """Only the answer's own thread is held back, and only from ending this process."""
    sent: list[int] = []
    closed = isolation._closed("kill", lambda number, signal: sent.append(number))
    with pytest.raises(SystemExit):
        closed(os.getpid(), 9)
    closed(os.getpid(), 0)  # only asks whether it is there
    closed(2**22 + 1, 9)
    thread = threading.Thread(target=closed, args=(os.getpid(), 9))
    thread.start()
    thread.join()
    assert sent == [os.getpid(), 2**22 + 1, os.getpid()]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_ends_with_the_answer() -> None:
    """It would otherwise go on in the notebook, as a second kernel."""
    outcome = run(lambda value: os.fork(), ("a",))
    assert outcome.kind == "gave"
    assert os.waitstatus_to_exitcode(os.waitpid(outcome.value, 0)[1]) == 1


# --------------------------------------------------------------------------------- what is put back


def test_descriptors_and_streams_are_there_afterwards(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever an answer closes or puts in their place."""

    def closing(value: Any) -> None:
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            assert stream is not None
            stream.close()
        print("still here")
        for number in (0, 1, 2):
            os.close(number)
        os.chdir(tmp_path)
        sys.setrecursionlimit(60)
        sys.stdout = io.StringIO()

    before = [os.fstat(number).st_ino for number in (0, 1, 2)]
    streams = [getattr(sys, name) for name in isolation.STREAMS]
    folder, limit = os.getcwd(), sys.getrecursionlimit()
    assert run(closing, ("a",)).printed == "still here\n"
    assert [os.fstat(number).st_ino for number in (0, 1, 2)] == before
    assert [getattr(sys, name) for name in isolation.STREAMS] == streams
    assert (os.getcwd(), sys.getrecursionlimit()) == (folder, limit)
    os.write(1, b"and here\n")
    assert capfd.readouterr().out == "and here\n"


def test_what_was_missing_before_stays_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed descriptor, or a folder that was deleted: a check doesn't need them."""

    def missing(*_: object) -> Any:
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", missing)
    monkeypatch.setattr(os, "dup", missing)
    assert run(len, ("a",)).value == 1


def test_only_the_beginning_is_kept() -> None:
    """Of what is printed, whatever its type; the rest needs no memory."""
    said = isolation.Streams(lambda: _never())

    class Text(str):
        __slots__ = ()

        def __getitem__(self, key: Any) -> str:
            raise ValueError

        def __len__(self) -> int:
            raise ValueError

    for _ in range(3):
        assert said.write(Text("x" * 999)) == 999
    assert len(said.kept) == 2000
    assert said.writable()


def _never() -> Any:
    raise AssertionError


ASKING: dict[str, Callable[[], Any]] = {
    "input": lambda: input("name? "),
    "readline": lambda: sys.stdin.readline(),
    "read": lambda: sys.stdin.read(),
    "lines": lambda: [*sys.stdin],
    "breakpoint": lambda: breakpoint(),
    "getpass": lambda: __import__("getpass").getpass(),
    "debugger": lambda: __import__("bdb").Bdb().set_trace(),
}


@pytest.mark.parametrize("name", ASKING)
def test_nobody_is_asked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer gets arguments, without asking; not even once, whatever it catches."""
    prompts: list[str] = []
    monkeypatch.setattr("builtins.input", prompts.append)

    def asking(value: Any) -> Any:
        while True:
            try:
                return ASKING[name]()
            except BaseException:
                continue

    result = check(FIELD, asking)
    assert "got    it asks for input, in your line" in repr(result)
    assert "leave out `input`" in " ".join(repr(result).split())
    assert prompts == []


# --------------------------------------------------------------------------------------- interrupts


def test_an_interrupt_waits_for_our_own_code() -> None:
    """Ctrl-C while things are put back: they are, and then it is raised."""
    watch = Watch(len)
    with sandbox._signals(watch):
        pressed = signal.getsignal(signal.SIGINT)
        assert callable(pressed)
        pressed(signal.SIGINT, None)
    assert type(watch.interrupt) is KeyboardInterrupt


def test_an_interrupt_that_the_shell_takes_is_none() -> None:
    """Whoever handled Ctrl-C before is asked, and may say that it is nothing."""
    taken: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: taken.append(number))
    try:
        press = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
        press.start()
        assert run(lambda value: press.join(), ("a",)).kind == "gave"
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert run(len, ("a",)).value == 1
    finally:
        signal.signal(signal.SIGINT, before)
    assert taken == [signal.SIGINT]


# ----------------------------------------------------------------------------------------- by hand
# What runs while an answer is traced can't be traced itself; so its steps are taken here.


def under(function: object, **more: Any) -> Watch:
    """Make a watch for an answer that was called by whoever called the test."""
    watch = Watch(function, **more)
    watch.base, watch.over = sys._getframe(2), False
    return watch


def a_frame(name: str, file: str = "", back: Any = None) -> Any:
    """Make what looks like a frame of a module."""
    code = types.SimpleNamespace(co_filename=file)
    return types.SimpleNamespace(f_globals={"__name__": name}, f_code=code, f_back=back)


def test_a_stop_is_raised_again_in_its_own_frames_only() -> None:
    """Until it is over; and the frame in which it was raised is traced again."""
    frame, own, other = sys._getframe(), under(bare_except), under(max)
    again = sandbox.Again(own)
    assert stopping(own, again, frame, "line", None)
    assert own.over
    assert again(frame, "line", None) is None
    elsewhere = sandbox.Again(other)
    assert elsewhere(frame, "line", None) == other.glance
    other.over = True
    own.over = False
    assert not stopping(own, again.__del__)


def test_calls_after_the_stop_are_stopped() -> None:
    """Those of its own; another module's may clean up, and ours aren't looked at."""
    frame = sys._getframe()
    watch = under(bare_except)
    watch.must_end = True
    assert stopping(watch, watch.trace, frame, "call", None)
    assert watch.trace(a_frame("json"), "call", None) == watch.glance
    assert watch.trace(types.SimpleNamespace(f_globals=sandbox.OURS), "call", None) is None  # type: ignore[arg-type]


def test_the_clock_stops_while_something_is_imported() -> None:
    """What that takes is added to the time; else the stop comes when the time is over."""
    frame = sys._getframe()
    watch = under(bare_except, seconds=-1.0)
    before = watch.until_cpu, watch.until
    watch.looks = 1
    for _ in range(2):
        watch.glance(a_frame("a", f"{sandbox.OUTSIDE}._bootstrap>"), "line", None)
    assert watch.until_cpu > before[0]
    assert watch.until > before[1]
    watch.until = watch.until_cpu = time.monotonic() + 99
    watch.look(frame)
    watch.until = 0.0
    assert stopping(watch, watch.look, frame)
    assert watch.why == "endless"
    watch.over = False
    assert stopping(watch, watch.stop, "asked", "", frame)
    assert watch.why == "endless"
    sys.setrecursionlimit(watch.limit)
    watch.look(frame)  # it is over: nothing is raised


def test_nobody_is_traced_who_was_not_called() -> None:
    """Before an answer runs, and afterwards, nothing is armed."""
    before = sys.gettrace()
    Watch(max).arm(sys._getframe())
    assert sys.gettrace() is before


def test_whoever_asks_is_stopped() -> None:
    """By `input`, or by reading what stands for a terminal."""
    for step in ("asked", "read", "readline"):
        watch = under(bare_except)
        place: Any = watch if step == "asked" else isolation.Streams(watch.asked)
        assert stopping(watch, getattr(place, step))
        assert watch.why == "asked"
        sys.setrecursionlimit(watch.limit)


def test_an_interrupt_ends_what_runs() -> None:
    """It is what is raised from then on."""
    watch = under(max)
    assert stopping(watch, watch.interrupted, KeyboardInterrupt(), sys._getframe())
    assert watch.ending is KeyboardInterrupt


def test_an_error_is_told_with_its_line_and_its_words() -> None:
    """Without the address of anything; and if it has no words, that."""
    watch = under(bare_except)
    watch.over = True
    try:
        json.loads(object())  # type: ignore[arg-type]
    except TypeError as error:
        assert watch.told(error).kind == "TypeError"
    assert watch.line.endswith("json.loads(object())  # type: ignore[arg-type]")
    assert watch.told(ValueError(f"no {object()}")).text == "no <object object>"

    class Untold(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert watch.told(Untold()).text == "(no message)"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer")
def test_a_tick_in_our_own_code_waits_for_the_next() -> None:
    """It could otherwise leave half of it undone."""
    watch = under(bare_except)
    watch.until = 0.0
    with sandbox._signals(watch):
        tick: Any = signal.getsignal(signal.SIGALRM)
        tick(signal.SIGALRM, types.SimpleNamespace(f_globals=sandbox.OURS))
        watch.over = True
        tick(signal.SIGALRM, None)
    assert not watch.why


def test_without_a_timer_lines_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows."""
    monkeypatch.delattr(signal, "setitimer", raising=False)
    assert run(bare_except, ("a",), lines=3_000).kind == "endless"


def test_a_process_that_is_no_more_itself_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps of a fork, without one."""
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    with isolation._forks_ended():
        monkeypatch.setattr(os, "getpid", lambda: -1)
    assert left == [1]


def test_parameters_are_looked_at() -> None:
    """Whether a call would fit; whoever doesn't tell raises."""
    assert feedback._fits(len, ("a",))
    assert not feedback._fits(len, ())
    with pytest.raises(ValueError, match="no signature"):
        feedback._fits(max, ())


def test_a_batch_is_encoded_from_copies() -> None:
    """An encoder may spoil what it gets."""
    results: list[Any] = []
    collisions._collect(lambda store: b"%d" % len(store.popitem()), stores := [{"a": "b"}], results)
    assert results == [b"2"]
    assert stores == [{"a": "b"}]
