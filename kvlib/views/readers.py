"""Asking a reader what it makes of some bytes: kvlib's own, or a function of the learner's.

What they answer, each in its own way, becomes an Answer; the words for it are found here too. An
exception of a learner's function is an answer as good as any, and what it prints is not shown.
"""

import re
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any, Final, NamedTuple

from kvlib.errors import FormatError
from kvlib.layout.dissect import Layout
from kvlib.layout.text import COLUMNS, fit, hanging, width
from kvlib.plural import count
from kvlib.views.plain import WRITTEN, collected
from kvlib.views.plain import told as told_of
from kvlib.views.timeline import Moment

REFUSAL: Final = 2 * COLUMNS  # of an outcome for an error of the learner's
ANSWER: Final = 5 * COLUMNS  # of the note that tells an answer at length

# What differs from one position to the next in an error's text: quoted data, and numbers.
VARYING: Final = re.compile(
    r"""(?<!\w)b?(?P<quote>['"])(?:\\.|(?!(?P=quote)).)*(?P=quote)|(?<![\w-])-?(?:0x[0-9a-f]+|\d+)"""
)


class Answer(NamedTuple):
    """What a reader made of some bytes.

    Attributes:
        value: what it gave. error: the text of what it raised instead, "" if it gave something.
        refusal: the same in a form that neighbouring positions share.
        dropped: the bytes of the torn tail that it reported.
    """

    value: object = None
    error: str = ""
    refusal: str = ""
    dropped: int = 0


Reader = Callable[[bytes], Answer]


# ------------------------------------------------------------------------------------------ asking


def readers(kvlibs: Reader | None, learners: Callable[[bytes], object] | None) -> dict[str, Reader]:
    """Those that there are, by the names of their strips."""
    found = {} if learners is None else {"yours": _guarded(learners)}
    return found if kvlibs is None else found | {"kvlib": kvlibs}


def _guarded(function: Callable[[bytes], object]) -> Reader:
    """Whatever a learner's function does is an answer, but for Ctrl-C."""

    def read(data: bytes) -> Answer:
        try:
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
                return Answer(collected(function(data)))  # it may be changed at the next call
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too
            text = f"{type(error).__name__}: {one_line(error)}".removesuffix(": ")
            return Answer(None, text, f"refused: {fit(VARYING.sub('…', text), REFUSAL)}")

    return read


def ask(read: Reader, data: bytes, where: str) -> Answer:
    """Its answer; Ctrl-C says at which position, `where`, it was still owed."""
    try:
        return read(data)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"The function that was asked had not answered yet: {where}.")
        raise


def refusal(error: FormatError) -> Answer:
    """The answer of a reader of kvlib's that raised."""
    reason, _, _ = error.reason.partition("; ")
    shared = f"refused at offset {error.offset}: {VARYING.sub('…', reason)}"
    return Answer(None, f"{error}", shared)


# --------------------------------------------------------------------------------------- comparing


def same_records(one: object, other: object) -> bool:
    """Whether they are equal, and can say so."""
    try:
        return bool(one == other)
    except KeyboardInterrupt:
        raise
    except BaseException:  # a learner's type may refuse to be compared
        return False


def difference(truth: Mapping[Any, Any], items: Mapping[Any, Any]) -> str:
    """What is wrong with `items`, in numbers."""
    kept = truth.keys() & items.keys()
    changed = sum(not same_records(truth[key], items[key]) for key in kept)
    parts = [
        (len(truth) - len(kept), "record", "lost"),
        (len(items) - len(kept), "record", "added"),
        (changed, "value", "changed"),
    ]
    return "wrong: " + ", ".join(f"{count(n, noun)} {verb}" for n, noun, verb in parts if n)


# ----------------------------------------------------------------------------------------- telling


def describe(answer: Answer, layout: Layout) -> str:
    """The whole answer in lines of 80 columns, without a reason that stands below the bytes."""
    if answer.error:
        if answer.error.endswith(f"offset {layout.stopped_at}: {layout.reason}"):
            return "an error: the reason stands below the bytes"
        return "\n".join(hanging("", fit(answer.error, ANSWER)))
    text = fit(one_line(answer.value), ANSWER)
    columns = COLUMNS if width(text) == len(text) else COLUMNS // 2
    lines = textwrap.wrap(text, columns, drop_whitespace=False)  # blanks may be of the data
    if answer.dropped:
        at = len(layout.data) - answer.dropped
        lines.append(f"a torn tail dropped, {count(answer.dropped, 'byte')} from offset {at} on")
    return "\n".join(lines)


def one_line(value: object) -> str:
    """A learner's object as one line of bounded text, also if its own method for that fails."""
    try:
        text = str(value)[:WRITTEN] if isinstance(value, BaseException) else told_of(value, WRITTEN)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return f"<{type(error).__name__} while it was turned into text>"
    return " ".join(text.splitlines())


def totals(readers: Mapping[str, Reader], moments: tuple[Moment, ...]) -> str:
    """How often each reader was right, refused, or wrong."""
    sums = []
    for number, name in enumerate(readers):
        verdicts = Counter(moment.outcomes[number].verdict for moment in moments)
        counts = (f"{verdicts[verdict]:,} {verdict}" for verdict in verdicts)
        sums.append(f"{name}: {', '.join(counts)}.")
    return " ".join(sums)


def first_wrong(moments: tuple[Moment, ...], otherwise: int) -> int:
    """The moment to begin with: the first at which the reader on top is wrong."""
    wrong = (at for at, moment in enumerate(moments) if moment.outcomes[0].verdict == "wrong")
    return next(wrong, otherwise)
