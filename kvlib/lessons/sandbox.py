"""Running a function that anybody may have written, so that its caller goes on afterwards.

It runs in this process: a browser has no other. What stops it is a trace function that counts its
own lines, and a clock. Lines of other modules don't count, and an import is never stopped, because
half a module would stay behind. Once an answer has to end, each further line of its own raises the
stop again, so that no `except:` can keep it.

What can't be stopped: a function written in C that never asks for signals, such as
`sum(itertools.count())`; without a timer, as on Windows or in another thread than the main one,
any that is written in C; an import that never ends; and a thread that an answer leaves behind.
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

LINES: Final = 100_000  # of its own module, that an answer may run
SECONDS: Final = 10.0  # that it may take; imports don't count
TICK: Final = 0.1  # seconds between two looks at the clock from outside
ROOM: Final = 100  # calls that our own code needs where an answer has used up all there are
ADDRESS: Final = re.compile(r" at 0x[0-9A-Fa-f]+")
LOOKS: Final = 1_024  # lines between two looks at the clock from inside
OURS: Final = globals()
OUTSIDE: Final = "<frozen importlib"  # how the file names of the import system begin

Why = Literal["", "endless", "library", "forbidden", "asked"]


@dataclass(frozen=True)
class Outcome:
    """What became of a call, as plain data: see kvlib.views.plain.

    Attributes:
        kind: it "gave" a value, "raised" an exception, was stopped as "endless", called a
            "library" function or a "forbidden" tool, or "asked" for input.
        value: what was given; of an exception, a Foreign with its message; or the name of what was
            called.
        printed: the beginning of what it printed.
        changed: whether it changed what it was given.
        line: the number and the text of the caller's own line at which it ended; "" if it gave.
    """

    kind: Literal["gave", "raised", "endless", "library", "forbidden", "asked"]
    value: Any = None
    printed: str = ""
    changed: bool = False
    line: str = ""


class Stopped(BaseException):
    """No Exception, so that `except Exception` doesn't catch it."""


class Again:
    """The trace of a frame that has to end: each line of its own raises the stop once more.

    Python takes the trace function off when it raises, and then drops the frame's own trace, which
    is this: at its end it puts both on again. So whatever catches the stop meets it at its next
    line. Frames of other modules may clean up.
    """

    def __init__(self, watch: "Watch") -> None:
        self.watch = watch

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        """Raise what ends the answer, as long as it runs."""
        watch = self.watch
        if watch.over:
            return None
        if not watch.is_own(frame):
            return watch.glance
        del self, frame  # or the exception's traceback would keep them
        raise watch.ending

    def __del__(self) -> None:
        """Put the trace on again, for the frame in which it was dropped."""
        if not self.watch.over:
            self.watch.arm(sys._getframe(1))


class Watch:
    """What is looked at while a function runs.

    Attributes:
        lines: that may still be run.
        seconds: of CPU time that may still be used.
        codes: whose call stops it, with their names.
        tools: modules and builtin functions whose call stops it.
        why: "" until it is stopped.
        must_end: whether each further line of its own raises `ending`.
        interrupt: what the learner's own Ctrl-C raised, if there was one.
        over: whether it is our own code that runs.
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
        """For sys.settrace: a function is called. What it gives hears of that function's lines."""
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
        """A line begins, most of the time: as little is done as can be."""
        self.lines -= 1
        if self.lines < 0 and not self.imports(frame):
            self.stop("endless", "", frame)
        if not self.lines & 255:
            self.look(frame)
        return self.count

    def glance(self, frame: FrameType, event: str, arg: object) -> Any:
        """A line of another module begins: only the time that it takes counts."""
        self.looks -= 1
        if self.looks < 0:
            self.looks = LOOKS
            self.look(frame)
        return self.glance

    def look(self, frame: FrameType | None) -> None:
        """See whether the time is over. What an import takes is added to it."""
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
        """For sys.setprofile, which alone hears of functions written in C."""
        if event == "c_call" and self.is_own(frame):
            for tool in (arg.__module__, type(arg.__self__).__module__, arg.__name__):
                if type(tool) is str and tool in self.tools:
                    self.stop("forbidden", tool, frame)
        elif event == "call" and (name := _module_of(frame)) in self.tools:
            self.stop("forbidden", name, frame)

    def asked(self, *_: object, **__: object) -> NoReturn:
        """Stand for `input` and its like: an answer asks nobody."""
        self.stop("asked", "", sys._getframe(1))

    # ------------------------------------------------------------------------------- its end

    def stop(self, why: Why, called: str, frame: FrameType | None) -> NoReturn:
        """End the function; even if it catches that, it is known."""
        if not self.must_end:
            own = next(filter(self.is_own, self.inside(frame)), None)
            self.why, self.called = why, called
            self.line = _line(own.f_code, own.f_lineno) if own else ""
            self.must_end = True
            sys.setrecursionlimit(sys.getrecursionlimit() + ROOM)
        self.arm(frame)
        raise self.ending

    def arm(self, frame: FrameType | None) -> None:
        """See to it that each further line of its own raises again."""
        for one in self.inside(frame):
            if type(one.f_trace) is not Again and (one is frame or self.is_own(one)):
                one.f_trace = Again(self)
        if self.base:
            sys.settrace(self.trace)

    def interrupted(self, interrupt: BaseException, frame: FrameType | None) -> None:
        """End it because the learner wants that."""
        self.interrupt, self.ending, self.must_end = interrupt, type(interrupt), True
        if not self.over:
            self.arm(frame)
            raise interrupt

    def told(self, error: BaseException) -> Foreign:
        """Return what is shown of an exception. Its words may be the answer's own code."""
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
        """Give the frames from this one outwards, up to where the answer was called."""
        while self.base and frame and frame is not self.base:
            yield frame
            frame = frame.f_back

    def is_own(self, frame: FrameType) -> bool:
        """Return whether a frame runs code of the module that the function is from."""
        return _module_of(frame) in self.homes

    def imports(self, frame: FrameType | None) -> bool:
        """Return whether a frame is a part of an import."""
        return any(one.f_code.co_filename.startswith(OUTSIDE) for one in self.inside(frame))

    def last_own_line(self, traceback: TracebackType | None) -> str:
        """Where in that module an exception comes from; "" if it was raised elsewhere only."""
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
    """Return the modules whose lines are a function's own: those that it is wrapped from too."""
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
    """Return what a class, or one it is derived from, holds under a name; nothing is called."""
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
    """Return what becomes of function(*arguments). Only the learner's own interrupt gets out.

    The function may neither print nor ask nor run on without end; see Watch for what else is looked
    at. It gets a copy of the arguments, if `copy`; else it is not known whether it changed them.
    `of` is the learner's function, if `function` is one of ours that calls it.
    """
    given = deepcopy(arguments) if copy else arguments
    watch = Watch(function if of is None else of, lines, seconds, codes or {}, tools)
    with _signals(watch), kept(watch.asked) as said:
        value, error = _call(watch, function, given)
        changed = copy and not same(plain(given), plain(arguments))
        del given  # what it holds may have an end of its own
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
    """Return what it gave, or raised. Whoever traced before, such as a debugger, goes on then."""
    trace, profile = sys.gettrace(), sys.getprofile()
    listens = bool(watch.tools) and (profile is None or callable(profile))  # cProfile's is not
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
    """Call it, and drop what it gave or raised: the end of that may be the answer's own code."""
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
    """Look at the clock from outside too, and know the learner's Ctrl-C from an answer's own.

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
                with suppress(RecursionError):  # it is at a depth that this would forbid
                    sys.setrecursionlimit(watch.limit)

            stack.callback(signal.signal, signal.SIGALRM, signal.getsignal(signal.SIGALRM) or 0)
            stack.callback(signal.setitimer, signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, tick)
            signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
        yield


def tidy() -> None:
    """Let go of what answers have left behind, without a word of what was never awaited."""
    with kept(Watch(tidy).asked):
        gc.collect(1)


def _line(code: CodeType, number: int) -> str:
    text = linecache.getline(code.co_filename, number).strip()
    return f"line {number}: {text}" if text else f"line {number}"
