"""Record the results of checks in a learner's kernel, while a folder is graded.

Each call of kvlib's check is recorded, wherever it is and whatever name it has. Another function
called `check`, which the learner has defined, is not.
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
MOST: Final = 200  # characters of a state
LIMITS: Final = {"RLIMIT_AS": 4 * 2**30, "RLIMIT_FSIZE": 2**30}  # bytes of memory, bytes per file


class Notes:
    """The results of the checks in this kernel.

    Attributes:
        place: the file to which each new result is appended.
        nonce: the secret that begins each line, so that a learner's code can't forge one.
        noted: the lines added since the last `listen` or `begin`.
        right: the last right answer to each exercise.
    """

    def __init__(self) -> None:
        self.place, self.nonce = "", ""
        self.noted: set[tuple[str, str]] = set()
        self.right: dict[str, Any] = {}

    def begin(self) -> None:
        """Start a new cell: results that were recorded before may be recorded again."""
        self.noted.clear()

    def add(self, name: str, state: str) -> None:
        """Append a line, but not twice: a check in a loop must not fill the disk."""
        if not self.place or (name, state) in self.noted:
            return
        self.noted.add((name, state))
        line = f"{self.nonce} {name} {state[:MOST].encode('unicode_escape').decode()}\n"
        with suppress(OSError):  # then the result is missing
            file = os.open(self.place, os.O_WRONLY | os.O_APPEND)
            os.write(file, line.encode())
            os.close(file)


NOTES: Final = Notes()


@wraps(check)
def noted(*given: Any, **named: Any) -> Any:
    """Check an answer, and record the result."""
    result = check(*given, **named)
    if type(result) is Result and result.name in EXERCISES:
        if result.passed:
            NOTES.right[result.name] = named.get("answer", given[-1] if given else None)
        NOTES.add(result.name, result.state)
    return result


def listen(place: str, nonce: str, shell: Any) -> None:
    """Record the results of checks in an existing file, and limit memory and file sizes.

    `exit()` no longer ends the kernel, because the cells after it still count.
    """
    NOTES.place, NOTES.nonce = place, nonce
    lessons.check = checking.check = noted
    streams = sys.stdout, sys.stderr

    def restore() -> None:
        """Restore the streams: without them a kernel can't report the end of a cell."""
        sys.stdout, sys.stderr = streams

    shell.events.register("pre_execute", NOTES.begin)
    shell.events.register("post_execute", restore)
    shell.ask_exit = restore  # so exit() has no effect
    _limit()


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, most in LIMITS.items():
        with suppress(OSError, ValueError):  # some systems lack some limits
            resource.setrlimit(getattr(resource, name), (most, most))


def tell(name: str, answer: Callable[[], object]) -> None:
    """Check an answer, and record the result, or that a name is missing."""
    NOTES.begin()
    try:
        given = answer()
    except NameError as error:
        NOTES.add(name, f"{error}")
    else:
        noted(name, given)


def try_hidden(name: str, code: str, place: str) -> None:
    """Run a hidden test with the right answer and with everything that the notebook defines.

    The answer has the names that the exercise uses, whatever names the learner used.
    """
    names, answer = EXERCISES[name].names, NOTES.right[name]
    answers = answer if len(EXERCISES[name].names) > 1 else (answer,)
    space = {**vars(sys.modules["__main__"]), **dict(zip(names, answers, strict=True))}
    exec(compile(code, place, "exec"), space)  # the teacher's code
    NOTES.add(name, PASSED)
