"""Record the results of checks in a learner's kernel, while the notebook is graded.

Each call of kvlib's check is recorded, wherever it is and whatever its name. A function of the
learner's that is called `check` is not.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, Final

from kvlib import lessons
from kvlib.lessons import checking
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.checking import check  # before a learner's code can replace it
from kvlib.lessons.result import Result

PASSED: Final = "passed"  # a hidden test
LONGEST: Final = 200  # characters of a state
LIMITS: Final = {"RLIMIT_AS": 4 * 2**30, "RLIMIT_FSIZE": 2**30}  # bytes of memory, bytes per file


class Recorder:
    """Appends the results of checks to a file.

    Attributes:
        path: the file's path, or "" before the recording starts.
        secret: begins each line, so that a learner's code can't forge one.
        recorded: the results in the file since the last `begin_cell`.
        right: the last right answer to each exercise.
    """

    def __init__(self) -> None:
        self.path, self.secret = "", ""
        self.recorded: set[tuple[str, str]] = set()
        self.right: dict[str, Any] = {}

    def begin_cell(self) -> None:
        """Allow results that are in the file to be recorded again."""
        self.recorded.clear()

    def add(self, name: str, state: str) -> None:
        """Append a result, but only once per cell: a check in a loop must not fill the disk."""
        if not self.path or (name, state) in self.recorded:
            return
        self.recorded.add((name, state))
        line = f"{self.secret} {name} {state[:LONGEST].encode('unicode_escape').decode()}\n"
        with suppress(OSError):  # the grader reports a result that is missing
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
            os.write(file, line.encode())
            os.close(file)


RECORDER: Final = Recorder()


@wraps(check)
def recorded_check(*arguments: Any, **named: Any) -> Any:
    """Check an answer, and record the result."""
    result = check(*arguments, **named)
    if type(result) is Result and result.name in EXERCISES:
        if result.passed:
            answer = named.get("answer", arguments[-1] if arguments else None)
            RECORDER.right[result.name] = answer
        RECORDER.add(result.name, result.state)
    return result


def start(path: str, secret: str, shell: Any) -> None:
    """Record the results of checks in an existing file, and limit memory and file sizes.

    From now on `exit()` doesn't end the kernel, because the cells after it still count.
    """
    RECORDER.path, RECORDER.secret = path, secret
    lessons.check = checking.check = recorded_check
    streams = sys.stdout, sys.stderr

    def restore() -> None:
        """Restore the streams: without them a kernel can't report the end of a cell."""
        sys.stdout, sys.stderr = streams

    shell.events.register("pre_execute", RECORDER.begin_cell)
    shell.events.register("post_execute", restore)
    shell.ask_exit = restore  # instead of ending the kernel
    _limit()


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, most in LIMITS.items():
        with suppress(OSError, ValueError):  # some systems lack some limits
            resource.setrlimit(getattr(resource, name), (most, most))


def check_answer(name: str, answer: Callable[[], object]) -> None:
    """Check the answer that `answer` returns. Record the result, or which name is missing."""
    RECORDER.begin_cell()
    try:
        value = answer()
    except NameError as error:
        RECORDER.add(name, f"{error}")
    else:
        recorded_check(name, value)


def run_hidden_test(name: str, code: str, path: str) -> None:
    """Run a hidden test on the right answer, with everything that the notebook defines.

    The answer has the names that the exercise uses, whatever names the learner used.
    """
    names, answer = EXERCISES[name].names, RECORDER.right[name]
    answers = answer if EXERCISES[name].kind == "functions" else (answer,)
    namespace = {**vars(sys.modules["__main__"]), **dict(zip(names, answers, strict=True))}
    exec(compile(code, path, "exec"), namespace)  # the teacher's code
    RECORDER.add(name, PASSED)
