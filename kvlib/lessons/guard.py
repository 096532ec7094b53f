"""Running a function that anybody may have written, so that its caller goes on afterwards.

It runs in this process: a browser has no other. So what stops it is a count of its lines, kept by a
trace function; a loop inside a C function, such as `sum(itertools.count())`, can't be stopped, nor
one whose bare `except:` catches the stop itself.
"""

import io
import linecache
import sys
import time
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from copy import deepcopy
from dataclasses import dataclass
from types import CodeType, FrameType, TracebackType
from typing import Any, Final, Literal

LINES: Final = 100_000
PRINTED: Final = 2_000


@dataclass(frozen=True)
class Outcome:
    """What became of a call.

    Attributes:
        kind: it "gave" a value, "raised" an exception, was stopped as "endless", or called a
            "library" function, or a "forbidden" tool.
        value: what was given, the exception, or the name of what was called.
        printed: the beginning of what it printed.
        changed: whether it changed what it was given.
        line: the number and the text of the caller's own line at which it ended; "" if it gave.
    """

    kind: Literal["gave", "raised", "endless", "library", "forbidden"]
    value: Any = None
    printed: str = ""
    changed: bool = False
    line: str = ""


class Stopped(BaseException):
    """No Exception, so that `except Exception` doesn't catch it."""


class Watch:
    """What is looked at while a function runs.

    Attributes:
        lines: that may still be run.
        until: the time at which it is stopped, by time.process_time.
        codes: whose call stops it, with their names.
        tools: modules and builtin functions whose call stops it.
        why: "" until it is stopped.
    """

    def __init__(
        self,
        function: object,
        lines: int,
        seconds: float,
        codes: Mapping[CodeType, str],
        tools: Collection[str],
    ) -> None:
        self.lines, self.until = lines, time.process_time() + seconds
        self.codes, self.tools = codes, tools
        self.home = getattr(function, "__module__", None)
        self.why: Literal["", "endless", "library", "forbidden"] = ""
        self.called, self.line = "", ""

    def trace(self, frame: FrameType, event: str, arg: object) -> Any:
        """For sys.settrace: a function is called. What it gives hears of that function's lines."""
        if frame.f_code in self.codes:
            self.stop("library", self.codes[frame.f_code], frame)
        return self.count

    def count(self, frame: FrameType, event: str, arg: object) -> None:
        """A line begins, most of the time: as little is done as can be."""
        self.lines -= 1
        if self.lines < 0 or (not self.lines & 255 and time.process_time() > self.until):
            self.stop("endless", "", frame)

    def profile(self, frame: FrameType, event: str, arg: Any) -> None:
        """For sys.setprofile, which alone hears of functions written in C."""
        if event == "c_call" and frame.f_globals.get("__name__") == self.home:
            for tool in (arg.__module__, type(arg.__self__).__module__, arg.__name__):
                if tool in self.tools:
                    self.stop("forbidden", tool, frame)
        elif event == "call" and frame.f_globals.get("__name__") in self.tools:
            self.stop("forbidden", frame.f_globals["__name__"], frame)

    def stop(
        self, why: Literal["endless", "library", "forbidden"], called: str, frame: FrameType
    ) -> None:
        """End the function; even if it catches that, it is known."""
        own = next(filter(self.is_own, _outward(frame)), None)
        self.why, self.called = why, called
        self.line = _line(own.f_code, own.f_lineno) if own else ""
        raise Stopped

    def is_own(self, frame: FrameType) -> bool:
        """Whether a frame runs code of the module that the function is from."""
        return frame.f_globals.get("__name__") == self.home

    def last_own_line(self, traceback: TracebackType | None) -> str:
        """Where in that module an exception comes from; "" if it was raised elsewhere only."""
        line = ""
        while traceback:
            if self.is_own(traceback.tb_frame):
                line = _line(traceback.tb_frame.f_code, traceback.tb_lineno)
            traceback = traceback.tb_next
        return line


def run(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    *,
    lines: int = LINES,
    seconds: float = float("inf"),
    codes: Mapping[CodeType, str] | None = None,
    tools: Collection[str] = (),
    copy: bool = True,
) -> Outcome:
    """What becomes of function(*arguments). Only a KeyboardInterrupt gets out.

    The function may neither print nor run on without end; see Watch for what else is looked at.
    It gets a copy of the arguments, if `copy`; else it is not known whether it changed them.
    """
    given = deepcopy(arguments) if copy else arguments
    watch = Watch(function, lines, seconds, codes or {}, tools)
    said = Beginning()
    with redirect_stdout(said), redirect_stderr(said):
        value, error = _call(watch, function, given)
    changed = copy and not same(given, arguments)
    if watch.why:
        return Outcome(watch.why, watch.called, said.getvalue(), changed, watch.line)
    if error is not None:
        line = watch.last_own_line(error.__traceback__)
        return Outcome("raised", error.with_traceback(None), said.getvalue(), changed, line)
    if isinstance(value, Coroutine):
        value.close()  # it would complain that nobody has waited for it
    return Outcome("gave", value, said.getvalue(), changed)


def _call(
    watch: Watch, function: Callable[..., Any], given: tuple[Any, ...]
) -> tuple[Any, BaseException | None]:
    """What it gave, or raised. Whoever traced before, such as a debugger, goes on afterwards."""
    trace, profile = sys.gettrace(), sys.getprofile()
    listens = bool(watch.tools) and (profile is None or callable(profile))  # cProfile's is not
    if listens:
        sys.setprofile(watch.profile)
    sys.settrace(watch.trace)
    try:
        return function(*given), None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return None, error
    finally:
        sys.settrace(trace)
        if listens:
            sys.setprofile(profile)


class Beginning(io.StringIO):
    """Keeps the beginning of what is written."""

    def write(self, text: str) -> int:
        """Take the text, and keep what there is room for."""
        super().write(text[: max(0, PRINTED - self.tell())])
        return len(text)


def _outward(frame: FrameType | None) -> Iterator[FrameType]:
    while frame:
        yield frame
        frame = frame.f_back


def _line(code: CodeType, number: int) -> str:
    text = linecache.getline(code.co_filename, number).strip()
    return f"line {number}: {text}" if text else f"line {number}"


def same(mine: object, other: object) -> bool:
    """Whether two values are equal, and of equal types all the way down: True is not 1."""
    if type(mine) is not type(other):
        return False
    if isinstance(mine, dict) and isinstance(other, dict):
        first, second = _by_type(mine), _by_type(other)
        return first.keys() == second.keys() and all(
            same(value, second[key]) for key, value in first.items()
        )
    if isinstance(mine, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(mine) == len(other) and all(map(same, mine, other))
    return bool(mine == other)


def _by_type(items: dict[Any, Any]) -> dict[tuple[type, Any], Any]:
    return {(type(key), key): value for key, value in items.items()}
