"""What is noted in a learner's kernel when a folder is graded; so it needs nothing but checks.

Each check that runs there is noted, whatever it is called and wherever the call is; a `check` of
the learner's own is not.
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
from kvlib.lessons.checking import check  # before any learner's code can put another in its place
from kvlib.lessons.result import Result

PASSED: Final = "passed"  # a hidden test
MOST: Final = 200  # characters of a state
LIMITS: Final = {"RLIMIT_AS": 4 * 2**30, "RLIMIT_FSIZE": 2**30}  # bytes: of memory, and of a file


class Notes:
    """What the checks in this kernel have found.

    Attributes:
        place: the file that each new finding is appended to.
        nonce: what each line begins with: nobody else can know it.
        noted: what is in the file since the last `listen` or `begin`.
        right: the last right answer to each exercise.
    """

    def __init__(self) -> None:
        self.place, self.nonce = "", ""
        self.noted: set[tuple[str, str]] = set()
        self.right: dict[str, Any] = {}

    def begin(self) -> None:
        """Note everything anew: another cell begins."""
        self.noted.clear()

    def add(self, name: str, state: str) -> None:
        """Append a line, unless it is there already: a check in a loop fills no disk."""
        if not self.place or (name, state) in self.noted:
            return
        self.noted.add((name, state))
        line = f"{self.nonce} {name} {state[:MOST].encode('unicode_escape').decode()}\n"
        with suppress(OSError):  # then there is no answer
            file = os.open(self.place, os.O_WRONLY | os.O_APPEND)
            os.write(file, line.encode())
            os.close(file)


NOTES: Final = Notes()


@wraps(check)
def noted(*given: Any, **named: Any) -> Any:
    """Check, and note what was found."""
    result = check(*given, **named)
    if type(result) is Result and result.name in EXERCISES:
        if result.passed:
            NOTES.right[result.name] = named.get("answer", given[-1] if given else None)
        NOTES.add(result.name, result.state)
    return result


def listen(place: str, nonce: str, shell: Any) -> None:
    """Note from now on what each check finds, in a file that is there; limit what code can take.

    `exit()` ends nothing any more: in a notebook what comes after it still counts.
    """
    NOTES.place, NOTES.nonce = place, nonce
    lessons.check = checking.check = noted
    streams = sys.stdout, sys.stderr

    def restore() -> None:
        """Give back the streams: a kernel without them can't say that a cell has ended."""
        sys.stdout, sys.stderr = streams

    shell.events.register("pre_execute", NOTES.begin)
    shell.events.register("post_execute", restore)
    shell.ask_exit = restore  # which ends nothing
    _limit()


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, most in LIMITS.items():
        with suppress(OSError, ValueError):  # not every system knows each
            resource.setrlimit(getattr(resource, name), (most, most))


def tell(name: str, answer: Callable[[], object]) -> None:
    """Check an answer, and note what was found, or that a name is missing."""
    NOTES.begin()
    try:
        given = answer()
    except NameError as error:
        NOTES.add(name, f"{error}")
    else:
        noted(name, given)


def try_hidden(name: str, code: str, place: str) -> None:
    """Run a hidden test with the right answer, and with all that its notebook defines.

    What was checked has the names that the exercise gives it, whatever the learner called it.
    """
    names, answer = EXERCISES[name].names, NOTES.right[name]
    answers = answer if EXERCISES[name].kind == "functions" else (answer,)
    space = {**vars(sys.modules["__main__"]), **dict(zip(names, answers, strict=True))}
    exec(compile(code, place, "exec"), space)  # the teacher's own
    NOTES.add(name, PASSED)
