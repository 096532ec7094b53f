"""Run a learner's function, whatever it does, so that its caller can continue afterwards.

The function runs in this process, because a browser has no other. A trace function that counts its
lines stops it, and so does a clock. Lines of other modules don't count, and an import is never
stopped, because half a module would remain. Once an answer has to end, each of its further lines
raises the stop again, so that no `except:` can swallow it.

Some things can't be stopped: a function written in C that never checks for signals, such as
`sum(itertools.count())`; without a timer (on Windows, or outside the main thread), any function
written in C; an import that never ends; and threads that the answer has started.
"""

import functools
import gc
import linecache
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType, MethodType, TracebackType
from typing import Any, Final, Literal, NoReturn

from kvlib.lessons.isolation import kept
from kvlib.views import plain as plainly
from kvlib.views.plain import Foreign, kind_of, plain, same

LINES: Final = 100_000  # of the answer's module, per call
SECONDS: Final = 2.0  # per call, without imports
TICK: Final = 0.1  # seconds between two looks at the clock from outside
ROOM: Final = 100  # calls that our own code needs after the answer has used up the recursion limit
ADDRESS: Final = re.compile(r" at 0x[0-9A-Fa-f]+")
LOOKS: Final = 1_024  # lines between two looks at the clock from inside
OURS: Final = globals()
OUTSIDE: Final = "<frozen importlib"  # the import system's file names start with this

Why = Literal["", "endless", "library", "forbidden", "asked"]


@dataclass(frozen=True)
class Outcome:
    """The outcome of a call, as plain data: see kvlib.views.plain.

    Attributes:
        kind: the call "gave" a value, "raised" an exception, was stopped as "endless", called a
            "library" function or a "forbidden" tool, or "asked" for input.
        value: the value; for an exception, a Foreign with its message; or the name of the function
            that was called.
        printed: the beginning of its output.
        changed: whether it changed its arguments.
        line: the number and the text of the learner's line at which it ended, or "".
    """

    kind: Literal["gave", "raised", "endless", "library", "forbidden", "asked"]
    value: Any = None
    printed: str = ""
    changed: bool = False
    line: str = ""


class Stopped(BaseException):
    """Stops an answer. `except Exception` doesn't catch it."""


class Again:
    """The trace of a frame that has to end: each of its lines raises the stop again.

    When a trace function raises, Python removes it and drops the frame's trace, which is this
    object. Its `__del__` sets both again, so that code which catches the stop meets it at its next
    line. Frames of other modules may clean up.
    """

    def __init__(self, watch: "Watch") -> None:
        self.watch = watch

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        """Raise the stop, while the answer runs."""
        watch = self.watch
        if watch.over:
            return None
        if not watch.is_own(frame):
            return watch.glance
        del self, frame  # otherwise the exception's traceback would keep them
        raise watch.ending

    def __del__(self) -> None:
        """Set the trace again for the frame in which it was dropped."""
        if not self.watch.over:
            self.watch.arm(sys._getframe(1))


class Watch:
    """The trace functions, limits and state for one call.

    Attributes:
        lines: how many lines may still run.
        seconds: how much CPU time may still be used.
        codes: code objects whose call stops it, with their names.
        tools: modules and builtin functions whose call stops it.
        why: why it was stopped, or "".
        must_end: whether each further line of the answer raises `ending`.
        interrupt: the exception of the learner's own Ctrl-C, if any.
        over: whether our own code is running.
    """

    def __init__(
        self,
        function: object,
        lines: int = LINES,
        seconds: float = float("inf"),
        codes: Mapping[CodeType, str] = {},
        tools: Collection[str] = (),
    ) -> None:
        self.lines, self.codes, self.tools = lines, codes, tools
        self.until_cpu = time.process_time() + seconds
        self.until = time.monotonic() + (SECONDS if seconds == float("inf") else 10 * seconds)
        self.looked = time.process_time(), time.monotonic()
        self.homes = _homes(function)
        self.looks = LOOKS
        self.why: Why = ""
        self.called, self.line = "", ""
        self.ending: type[BaseException] = Stopped
        self.interrupt: BaseException | None = None
        self.must_end, self.over = False, True
        self.base: FrameType | None = None
        self.limit = sys.getrecursionlimit()

    # ------------------------------------------------------------------------- from the inside

    def trace(self, frame: FrameType, event: str, arg: object) -> Any:
        """Trace a function call, for sys.settrace; return the tracer of the function's lines."""
        if frame.f_globals is OURS or frame.f_globals is plainly.__dict__:
            return None
        if self.codes and frame.f_code in self.codes:
            self.stop("library", self.codes[frame.f_code], frame)
        if not self.is_own(frame):
            return self.glance
        if self.must_end:
            frame.f_trace = Again(self)
            raise self.ending
        return self.count

    def count(self, frame: FrameType, event: str, arg: object) -> Any:
        """Trace a line of the answer, as fast as possible."""
        self.lines -= 1
        if self.lines < 0 and not self.imports(frame):
            self.stop("endless", "", frame)
        if not self.lines & 255:
            self.look(frame)
        return self.count

    def glance(self, frame: FrameType, event: str, arg: object) -> Any:
        """Trace a line of another module, for which only time counts."""
        self.looks -= 1
        if self.looks < 0:
            self.looks = LOOKS
            self.look(frame)
        return self.glance

    def look(self, frame: FrameType | None) -> None:
        """Stop the answer if its time is up. The time of an import is added to the limit."""
        cpu, now = time.process_time(), time.monotonic()
        if self.over or frame is self.base:
            return
        if self.imports(frame):
            self.until_cpu += cpu - self.looked[0]
            self.until += now - self.looked[1]
        elif self.must_end or cpu > self.until_cpu or now > self.until:
            self.stop(self.why or "endless", self.called, frame)
        self.looked = cpu, now

    def profile(self, frame: FrameType, event: str, arg: Any) -> None:
        """Trace calls of functions written in C, for sys.setprofile."""
        if event == "c_call" and self.is_own(frame):
            for tool in (arg.__module__, type(arg.__self__).__module__, arg.__name__):
                if type(tool) is str and tool in self.tools:
                    self.stop("forbidden", tool, frame)
        elif event == "call" and (name := _module_of(frame)) in self.tools:
            self.stop("forbidden", name, frame)

    def asked(self, *_: object, **__: object) -> NoReturn:
        """Replace `input` and the like: stop an answer that asks for input."""
        self.stop("asked", "", sys._getframe(1))

    # ------------------------------------------------------------------------------- its end

    def stop(self, why: Why, called: str, frame: FrameType | None) -> NoReturn:
        """Stop the answer, and remember why, even if it catches the exception."""
        if not self.must_end:
            own = next(filter(self.is_own, self.inside(frame)), None)
            self.why, self.called = why, called
            self.line = _line(own.f_code, own.f_lineno) if own else ""
            self.must_end = True
            sys.setrecursionlimit(sys.getrecursionlimit() + ROOM)
        self.arm(frame)
        raise self.ending

    def arm(self, frame: FrameType | None) -> None:
        """Make each further line of the answer raise again."""
        for one in self.inside(frame):
            if type(one.f_trace) is not Again and (one is frame or self.is_own(one)):
                one.f_trace = Again(self)
        if self.base:
            sys.settrace(self.trace)

    def interrupted(self, interrupt: BaseException, frame: FrameType | None) -> None:
        """Stop the answer for the learner's Ctrl-C."""
        self.interrupt, self.ending, self.must_end = interrupt, type(interrupt), True
        if not self.over:
            self.arm(frame)
            raise interrupt

    def told(self, error: BaseException) -> Foreign:
        """Return an exception as plain data. Its message may run the answer's own code."""
        self.line = self.line or self.last_own_line(error.__traceback__)
        outer, self.base = self.base, sys._getframe()
        try:
            self.over = False
            text = str.__getitem__(str(error), slice(plainly.WRITTEN))
        except BaseException:
            text = "(no message)"
        self.over, self.base = True, outer
        return Foreign(type(error), kind_of(error), ADDRESS.sub("", text))

    # -------------------------------------------------------------------------------- frames

    def inside(self, frame: FrameType | None) -> Iterator[FrameType]:
        """Yield the frames from this one outwards, up to the call of the answer."""
        while self.base and frame and frame is not self.base:
            yield frame
            frame = frame.f_back

    def is_own(self, frame: FrameType) -> bool:
        """Return whether a frame runs code from the answer's module."""
        return _module_of(frame) in self.homes

    def imports(self, frame: FrameType | None) -> bool:
        """Return whether a frame is part of an import."""
        return any(one.f_code.co_filename.startswith(OUTSIDE) for one in self.inside(frame))

    def last_own_line(self, traceback: TracebackType | None) -> str:
        """Return the line of that module that an exception comes from, or ""."""
        line = ""
        while traceback:
            if self.is_own(traceback.tb_frame):
                line = _line(traceback.tb_frame.f_code, traceback.tb_lineno)
            traceback = traceback.tb_next
        return line


def _module_of(frame: FrameType) -> str:
    """Return the name of the module whose code a frame runs; "" if there is none."""
    name = dict.get(frame.f_globals, "__name__", "")
    return name if type(name) is str else ""


def _homes(function: Any) -> set[str]:
    """Return the modules whose lines count as the function's, those of its wrappers included."""
    homes: set[Any] = {"__main__", ""}
    for _ in range(9):
        kind = type(function)
        if kind is MethodType:
            function = function.__func__
        elif kind is functools.partial:
            function = function.func
        elif kind is FunctionType:
            homes |= {dict.get(function.__globals__, "__name__", ""), function.__module__}
            function = dict.get(function.__dict__, "__wrapped__")
        else:
            function = _attribute(function, "__wrapped__") or _attribute(function, "__call__")
    return {home for home in homes if type(home) is str}


def _attribute(given: object, name: str) -> object:
    """Return a class's attribute, inherited or not, without calling anything."""
    for cls in type.__dict__["__mro__"].__get__(type(given)):
        found = type.__dict__["__dict__"].__get__(cls).get(name)
        if type(found) is FunctionType:
            return found
    return None


# ------------------------------------------------------------------------------------------ a call


def run(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    *,
    of: object = None,
    lines: int = LINES,
    seconds: float = float("inf"),
    codes: Mapping[CodeType, str] | None = None,
    tools: Collection[str] = (),
    copy: bool = True,
) -> Outcome:
    """Return the outcome of function(*arguments). Only the learner's own interrupt is raised.

    The function may neither print nor ask nor run on without end; see Watch for what else is looked
    at. It gets a copy of the arguments, if `copy`; else it is not known whether it changed them.
    `of` is the learner's function, if `function` is one of ours that calls it.
    """
    given = deepcopy(arguments) if copy else arguments
    watch = Watch(function if of is None else of, lines, seconds, codes or {}, tools)
    with _signals(watch), kept(watch.asked) as said:
        value, error = _call(watch, function, given)
        changed = copy and not same(plain(given), plain(arguments))
        del given  # its contents may have a `__del__`
    if watch.interrupt is not None:
        raise watch.interrupt
    if watch.why:
        return Outcome(watch.why, watch.called, said.kept, changed, watch.line)
    if error is not None:
        return Outcome("raised", error, said.kept, changed, watch.line)
    return Outcome("gave", value, said.kept, changed)


def _call(
    watch: Watch, function: Callable[..., Any], given: tuple[Any, ...]
) -> tuple[Any, Foreign | None]:
    """Return its value or its exception, and restore an earlier tracer, such as a debugger."""
    trace, profile = sys.gettrace(), sys.getprofile()
    listens = bool(watch.tools) and (
        profile is None or callable(profile)
    )  # cProfile's is not callable
    try:
        if listens:
            sys.setprofile(watch.profile)
        return _traced(watch, function, given)
    finally:
        sys.settrace(trace)
        if listens:
            sys.setprofile(profile)


def _traced(
    watch: Watch, function: Callable[..., Any], given: tuple[Any, ...]
) -> tuple[Any, Foreign | None]:
    """Call it, and drop the value or exception: its `__del__` may be the answer's own code."""
    watch.base, told = sys._getframe(), None
    sys.settrace(watch.trace)
    try:
        watch.over = False
        return plain(function(*given)), None
    except BaseException as error:
        watch.over = True
        told = watch.told(error)
        watch.over = False
    finally:
        watch.over = True
    return None, told


@contextmanager
def _signals(watch: Watch) -> Iterator[None]:
    """Watch the clock with a timer too, and tell the learner's Ctrl-C from the answer's own.

    Only the main thread can have that.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with ExitStack() as stack:
        before = signal.getsignal(signal.SIGINT)
        if callable(before):

            def interrupted(number: int, frame: FrameType | None) -> None:
                try:
                    before(number, frame)
                except BaseException as interrupt:
                    watch.interrupted(interrupt, frame)

            stack.callback(signal.signal, signal.SIGINT, before)
            signal.signal(signal.SIGINT, interrupted)
        if hasattr(signal, "setitimer") and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0):

            def tick(number: int, frame: FrameType | None) -> None:
                sys.setrecursionlimit(min(sys.getrecursionlimit(), watch.limit + 20 * ROOM) + ROOM)
                if frame is None or frame.f_globals is not OURS:
                    watch.look(frame)
                with suppress(RecursionError):  # the stack is deeper than this limit
                    sys.setrecursionlimit(watch.limit)

            stack.callback(signal.signal, signal.SIGALRM, signal.getsignal(signal.SIGALRM) or 0)
            stack.callback(signal.setitimer, signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, tick)
            signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
        yield


def tidy() -> None:
    """Collect the garbage of answers, without warnings about coroutines never awaited."""
    with kept(Watch(tidy).asked):
        gc.collect(1)


def _line(code: CodeType, number: int) -> str:
    text = linecache.getline(code.co_filename, number).strip()
    return f"line {number}: {text}" if text else f"line {number}"
