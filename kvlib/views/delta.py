"""Delta-encode a timeline: columns of strings, and lists as changes to the one before. Pure.

The script that plays a timeline undoes this. A column has a string for each moment. "*3" says that
the next three are the same; "*3-1+0" says that the numbers in each of the next three strings differ
by -1 and 0 from those in the string before it.

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
    """Numbers for things, in the order of their first use."""

    def __missing__(self, key: T) -> int:
        self[key] = len(self)
        return self[key]


def squeeze(texts: Iterable[str], write: Callable[[str], str]) -> list[str]:
    """Return a column without repetitions. `write` writes the other strings, without a "*"."""
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
    """Return what follows "*1" if it is to mean `text`; None if the difference is too large."""
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
        return None  # it has leading zeros
    return "".join(f"{step:+}" for step in steps)


def changes(
    lists: Iterable[Sequence[T]],
    write: Callable[[Sequence[T]], str] = lambda fresh: " ".join(map(str, fresh)),
    from_first: bool = False,
) -> list[str]:
    """Return each list as a change to the one before it, or to the first.

    A change is the number of members that stay at the beginning; then, after a dot, the number that
    stay at the end, unless the length tells it; then the members in between, as written by `write`.
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
    """Return how many members are the same at the beginning."""
    size = min(len(left), len(right))
    if left[:size] == right[:size]:
        return size  # the usual case, and faster
    return next((at for at in range(size) if left[at] != right[at]), size)
