"""Operations for the four exercises, written as text."""

from ast import literal_eval
from collections.abc import Callable
from functools import partial
from typing import Any

from kvlib import judge

Operations = list[tuple[Any, ...]]
Answers = list[Any]
Runner = Callable[[Operations], Answers]
snapshots, shutdown = judge.run_snapshots, judge.run_shutdown


def segments(size: int) -> Runner:
    """Return exercise 2 with this size of segments."""
    return partial(judge.run_segments, size)


def logged(threshold: int) -> Runner:
    """Return exercise 3 with this threshold."""
    return partial(judge.run_log, threshold)


def parse(text: str) -> Operations:
    """Return operations written as "put a b'1', reorder p [1,0]": words are str unless marked."""
    return [tuple(map(parse_word, operation.split())) for operation in text.split(", ")]


def parse_word(word: str) -> Any:
    """Return bytes for b'...', a list for [...], "" for '', and any other word as it is."""
    return literal_eval(word) if word.startswith(("'", "b'", "[")) else word
