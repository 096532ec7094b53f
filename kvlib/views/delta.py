"""What moments have in common is sent once: columns of strings, and lists as changes. Pure.

The script that plays a film undoes this. A column has a string for each moment. In the place of
more of them, "*3" says that there are three more of the same, and "*3-1+0" that in each the numbers
that the text has are that much greater than in the one before it.

>>> squeeze(["3 of 8 left", "2 of 8 left", "1 of 8 left", "end", "end"], str)
['3 of 8 left', '*2-1+0', 'end', '*1']
>>> changes([[1, 2, 3], [1, 9, 3], [1, 9, 3, 4]])
['0.0 1 2 3', '1 9', '3.0 4']
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

NUMBER: Final = re.compile("[0-9]{1,9}")


class Numbers(dict[T, int]):
    """Things and their numbers, in the order in which they were first asked for."""

    def __missing__(self, key: T) -> int:
        self[key] = len(self)
        return self[key]


def squeeze(texts: Iterable[str], write: Callable[[str], str]) -> list[str]:
    """A column without repetition; what can't be left out is written by `write`, without a "*"."""
    column: list[str] = []
    before: str | None = None
    count, steps = 0, ""
    for text in texts:
        way = None if before is None else _steps(before, text)
        if count and way != steps:
            column.append(f"*{count}{steps}")
            count = 0
        if way is None:
            column.append(write(text))
        else:
            count, steps = count + 1, way
        before = text
    return [*column, f"*{count}{steps}"] if count else column


def _steps(before: str, text: str) -> str | None:
    """What "*1" is followed by if it stands for `text`; None if no number of it changes by one."""
    if before == text:
        return ""
    if NUMBER.sub("#", before) != NUMBER.sub("#", text):
        return None
    pairs = zip(NUMBER.findall(before), NUMBER.findall(text), strict=True)
    steps = [int(new) - int(old) for old, new in pairs]
    by_hand = iter(steps)
    if min(steps) < -1 or max(steps) > 1:
        return None
    if NUMBER.sub(lambda found: str(int(found[0]) + next(by_hand)), before) != text:
        return None  # it has zeros in front
    return "".join(f"{step:+}" for step in steps)


def changes(
    lists: Iterable[Sequence[T]],
    write: Callable[[Sequence[T]], str] = lambda fresh: " ".join(map(str, fresh)),
    from_first: bool = False,
) -> list[str]:
    """Each list as a change to the one before it, or to the first.

    A change is how many members stay at the beginning; after a dot, how many at the end, if that
    can't be told from the length that the list had; and what stands between, as `write` puts it.
    """
    made: list[str] = []
    old: Sequence[T] = ()
    for new in lists:
        head = _common(old, new)
        tail = _common(old[head:][::-1], new[head:][::-1])
        kept = f"{head}.{tail}" if len(old) != len(new) or not made else f"{head}"
        fresh = new[head : len(new) - tail]
        made.append(f"{kept} {write(fresh)}" if fresh else kept)
        if not from_first or len(made) == 1:
            old = new
    return made


def _common(left: Sequence[T], right: Sequence[T]) -> int:
    """How many members are the same at the beginning."""
    size = min(len(left), len(right))
    if left[:size] == right[:size]:
        return size  # most lists are, and this is faster
    return next((at for at in range(size) if left[at] != right[at]), size)
