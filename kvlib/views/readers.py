"""Call readers on bytes: kvlib's own, or a learner's function.

Every result becomes an Answer, and this module finds the words for it. An exception of a learner's
function is an answer too, and its output is not shown.
"""

import re
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any, Final, NamedTuple

from kvlib import encoding, frame
from kvlib.encoding import Item
from kvlib.errors import FormatError
from kvlib.layout.dissect import Layout
from kvlib.layout.text import COLUMNS, fit, hanging, width
from kvlib.log import Mutation
from kvlib.plural import count
from kvlib.views.plain import WRITTEN, collected
from kvlib.views.plain import told as told_of
from kvlib.views.timeline import Moment

REFUSAL: Final = 2 * COLUMNS  # columns of an outcome for a learner's error
ANSWER: Final = 5 * COLUMNS  # columns of a complete answer

# The parts of an error's text that differ between positions: quoted data, and numbers.
VARYING: Final = re.compile(
    r"""(?<!\w)b?(?P<quote>['"])(?:\\.|(?!(?P=quote)).)*(?P=quote)|(?<![\w-])-?(?:0x[0-9a-f]+|\d+)"""
)


class Answer(NamedTuple):
    """A reader's answer.

    Attributes:
        value: the result.
        error: the text of the exception that it raised instead, or "".
        refusal: the same error in a form that neighbouring positions share.
        dropped: the size of the torn tail that it reported, in bytes.
    """

    value: object = None
    error: str = ""
    refusal: str = ""
    dropped: int = 0


Reader = Callable[[bytes], Answer]


# ------------------------------------------------------------------------------------------ asking


def readers(kvlibs: Reader | None, learners: Callable[[bytes], object] | None) -> dict[str, Reader]:
    """Return the readers, by the names of their strips."""
    found = {} if learners is None else {"yours": _guarded(learners)}
    return found if kvlibs is None else found | {"kvlib": kvlibs}


def _guarded(function: Callable[[bytes], object]) -> Reader:
    """Turn anything that a learner's function does into an answer, except Ctrl-C."""

    def read(data: bytes) -> Answer:
        try:
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
                return Answer(collected(function(data)))  # the next call may change it
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # including SystemExit
            text = error_line(error).removesuffix(": ")
            return Answer(None, text, f"refused: {fit(VARYING.sub('…', text), REFUSAL)}")

    return read


def ask(read: Reader, data: bytes, where: str) -> Answer:
    """Return a reader's answer. After Ctrl-C a note says at which position, `where`, it was."""
    try:
        return read(data)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"The function was interrupted at: {where}.")
        raise


def refusal(error: FormatError) -> Answer:
    """Return the answer of one of kvlib's readers that has raised an error."""
    reason, _, _ = error.reason.partition("; ")
    shared = f"refused at offset {error.offset}: {VARYING.sub('…', reason)}"
    return Answer(None, f"{error}", shared)


# ---------------------------------------------------------------- kvlib's own readers of sequences


def read_fields(data: bytes) -> list[Item]:
    """Read fields up to the end of `data`, at least one. Raises CorruptionError."""
    values: list[Item] = []
    at = 0
    while at < len(data) or not values:
        value, at = encoding.decode_field(data, at)
        values.append(value)
    return values


def read_records(data: bytes) -> list[Item]:
    """Read fields as keys and values in turn. Raises CorruptionError if the last has no value."""
    values = read_fields(data)
    if len(values) % 2:
        encoding.decode_field(data, len(data))  # raises an error that says what is missing
    return values


def read_frames(data: bytes) -> list[frame.Frame]:
    """Read frames up to the end of `data`, at least one. Raises CorruptionError."""
    frames: list[frame.Frame] = []
    at = 0
    while at < len(data) or not frames:
        frames.append(frame.unseal(data, at))
        at = frames[-1].end
    return frames


# --------------------------------------------------------------------------------------- comparing


def same_records(one: object, other: object) -> bool:
    """Return whether two values are equal, and can be compared."""
    try:
        return bool(one == other)
    except KeyboardInterrupt:
        raise
    except BaseException:  # a learner's type may refuse comparisons
        return False


def difference(truth: Mapping[Any, Any], items: Mapping[Any, Any]) -> str:
    """Return what is wrong with `items`, in numbers."""
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
    """Return the whole answer in lines of 80 columns, without a reason shown elsewhere."""
    if answer.error:
        if answer.error.endswith(f"offset {layout.stopped_at}: {layout.reason}"):
            return "an error: the reason is below the bytes"
        return "\n".join(hanging("", fit(answer.error, ANSWER)))
    text = fit(one_line(answer.value), ANSWER)
    columns = COLUMNS if width(text) == len(text) else COLUMNS // 2
    lines = textwrap.wrap(text, columns, drop_whitespace=False)  # blanks may be data
    if answer.dropped:
        at = len(layout.data) - answer.dropped
        lines.append(f"a torn tail dropped, {count(answer.dropped, 'byte')} from offset {at} on")
    return "\n".join(lines)


def one_line(value: object) -> str:
    """Return a learner's object as one line of bounded text, even if its own method fails."""
    try:
        text = str(value)[:WRITTEN] if isinstance(value, BaseException) else told_of(value, WRITTEN)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return f"<{type(error).__name__} while it was turned into text>"
    return " ".join(text.splitlines())


def error_line(error: BaseException) -> str:
    """Return an exception's type and message as one line of bounded text."""
    return f"{type(error).__name__}: {one_line(error)}"


def change(mutations: Sequence[Mutation]) -> str:
    """Return a frame's mutations in a few words: the first of them."""
    ((key, value), *others) = mutations
    more = f" +{len(others)}" if others else ""
    told = "deleted" if value is None else _shown(value)
    return f"{_shown(key)} {told}{more}"


def _shown(item: Item) -> str:
    return item if isinstance(item, str) and item.isprintable() and item else repr(item)


def totals(readers: Mapping[str, Reader], moments: tuple[Moment, ...]) -> str:
    """Return how often each reader was right, refused, or was wrong."""
    sums = []
    for number, name in enumerate(readers):
        verdicts = Counter(moment.outcomes[number].verdict for moment in moments)
        counts = (f"{verdicts[verdict]:,} {verdict}" for verdict in verdicts)
        sums.append(f"{name}: {', '.join(counts)}.")
    return " ".join(sums)


def first_wrong(moments: tuple[Moment, ...], otherwise: int) -> int:
    """Return the moment to start with: the first one at which the top reader is wrong."""
    wrong = (at for at, moment in enumerate(moments) if moment.outcomes[0].verdict == "wrong")
    return next(wrong, otherwise)
