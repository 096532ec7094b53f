"""The four exercises, against worked examples and plain dicts."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from helpers.operations import (
    Answers,
    Operations,
    Runner,
    logged,
    parse,
    segments,
    shutdown,
    snapshots,
)
from helpers.vocabulary import AWKWARD, LONG
from kvlib import judge

Field = str | bytes

LABELS = ("p", "", "a/b", "ключ", "../up", "p ")
LISTS = 500  # random lists for each exercise


# the exercise, its operations, and their answers; the first four of each come from the exercise
EXAMPLES: list[tuple[Runner, str, Answers]] = [
    (snapshots, "put a 1, get a, serialize p, put a 2, deserialize p, get a", ["1", "1"]),
    (
        snapshots,
        "put b'a|b' b'v:1', serialize p, delete b'a|b', get b'a|b', deserialize p, get b'a|b'",
        [None, b"v:1"],
    ),
    (snapshots, "serialize empty, put b'x' b'y', deserialize empty, get b'x'", [None]),
    (
        snapshots,
        "put ключ b'value', put b'bin' тест, serialize mix, delete ключ, deserialize mix, "
        "get ключ, get b'bin'",
        [b"value", "тест"],
    ),
    (
        segments(15),
        "put b'a' b'12345', put b'b' b'67890', serialize p, segment_count p, delete b'a', "
        "deserialize p, get b'a', get b'b'",
        [6, b"12345", b"67890"],
    ),
    (
        segments(20),
        "put b'aa' b'xx', put b'bb' b'yy', serialize snap, segment_count snap, "
        "reorder snap [2,0,1], delete b'aa', deserialize snap, get b'aa', get b'bb'",
        [3, b"xx", b"yy"],
    ),
    (
        segments(12),
        "serialize empty, segment_count empty, put b'a' b'b', deserialize empty, get b'a'",
        [1, None],
    ),
    (
        segments(13),
        "put b'k' b'abcdefghij', serialize big, segment_count big, deserialize big, get b'k'",
        [5, b"abcdefghij"],
    ),
    (logged(3), "put a 1, put b 2, restart, get a, get b, status", ["1", "2", (2, 2, 0)]),
    (
        logged(2),
        "put x 1, status, put y 2, status, restart, get x, get y, status",
        [(1, 1, 0), (2, 0, 1), "1", "2", (2, 0, 1)],
    ),
    (
        logged(10),
        "put a 1, put b 2, delete a, restart, get a, get b, status",
        [None, "2", (1, 3, 0)],
    ),
    (
        logged(1),
        "restart, get missing, put b'k' b'v', status, delete b'k', restart, get b'k', status",
        [None, (1, 0, 1), None, (0, 0, 2)],
    ),
    (
        shutdown,
        "set a 1, set b 2, get a, shutdown, get a, restore, get b, get a",
        ["1", None, "2", "1"],
    ),
    (
        shutdown,
        "set x old, set x new, shutdown, restore, get x, "
        "set y 3, shutdown, get y, restore, get y, get x",
        ["new", None, "3", "new"],
    ),
    (
        shutdown,
        "restore, get missing, set '' '', set a|b:c v1|v2:ok, shutdown, restore, "
        "get '', get a|b:c, get missing",
        [None, "", "v1|v2:ok", None],
    ),
    (shutdown, "shutdown, restore, get a", [None]),
    # text and bytes stay what they were
    (
        snapshots,
        "put k v, put b'k' b'v', serialize p, deserialize p, get k, get b'k'",
        ["v", b"v"],
    ),
    (logged(9), "put k b'v', put b'k' v, restart, get k, get b'k'", [b"v", "v"]),
    # a label can be written again: 25 bytes in fours, then 4 in one
    (
        segments(12),
        "put b'k' b'0123456789', serialize p, segment_count p, delete b'k', serialize p, "
        "segment_count p, put b'k' b'y', deserialize p, get b'k'",
        [7, 1, None],
    ),
    # reorderings compound: 18 bytes in eights
    (
        segments(16),
        "put b'aa' b'xx', serialize p, segment_count p, reorder p [2,0,1], reorder p [1,2,0], "
        "reorder p [0,2,1], delete b'aa', deserialize p, get b'aa'",
        [3, b"xx"],
    ),
    # deleting a missing key is one record, and may start a compaction
    (logged(2), "delete x, status, delete x, status", [(0, 1, 0), (0, 0, 1)]),
]


@pytest.mark.parametrize(("run", "operations", "answers"), EXAMPLES)
def test_examples(run: Runner, operations: str, answers: Answers) -> None:
    """Each exercise answers its worked examples, with values of the right types."""
    answered = run(parse(operations))
    assert answered == answers
    assert [type(answer) for answer in answered] == [type(answer) for answer in answers]


@pytest.mark.parametrize("run", [snapshots, segments(9), logged(1), shutdown])
def test_no_operations_give_no_answers(run: Runner) -> None:
    """An empty list is answered by an empty list."""
    assert run([]) == []


# --- random lists, against an oracle of plain dicts -----------------------------------------------


def segments_of(mapping: dict[Field, Field], size: int) -> int:
    """Return how many segments a mapping fills, by the arithmetic of the format."""
    fields = [field.encode() if isinstance(field, str) else field for field in mapping]
    fields += [value.encode() if isinstance(value, str) else value for value in mapping.values()]
    stream = 4 + sum(5 + len(data) for data in fields)
    return max(1, -(-stream // (size - 8)))


def expected(operations: Operations, size: int = 0, threshold: int = 0) -> Answers:
    """Answer an exercise with copies of dicts; `size` is that of segments."""
    live: dict[Field, Field] = {}
    saved: dict[str, dict[Field, Field]] = {"shutdown": {}}
    pending = compactions = 0
    answers: Answers = []
    for operation in operations:
        match operation:
            case ("put" | "set", key, value):
                live[key] = value
            case ("delete", key):
                live.pop(key, None)
            case ("get", key):
                answers.append(live.get(key))
            case ("serialize", label):
                saved[label] = dict(live)
            case ("segment_count", label):
                answers.append(segments_of(saved[label], size))
            case ("deserialize", label):
                live = dict(saved[label])
            case ("shutdown",):
                saved["shutdown"], live = live, {}
            case ("restore",):
                live = dict(saved["shutdown"])
            case ("status",):
                answers.append((len(live), pending, compactions))
        if operation[0] in ("put", "delete"):
            pending += 1
            if pending == threshold:
                pending, compactions = 0, compactions + 1
    return answers


def any_field(chance: random.Random) -> Field:
    """Return an awkward field, seldom a long one, seldom random bytes."""
    roll = chance.random()
    if roll < 0.02:
        return chance.choice(LONG)
    if roll < 0.1:
        return chance.randbytes(chance.randrange(6))
    return chance.choice(AWKWARD)


def random_operations(chance: random.Random, names: str) -> Operations:
    """Return random operations of these names, and a get of every key.

    A label is read only after it was written.
    """
    keys = [any_field(chance) for _ in range(chance.randint(1, 8))]
    written: list[str] = []
    operations: Operations = []
    for name in chance.choices(names.split(), k=chance.randrange(45)):
        if name in ("put", "set"):
            operations.append((name, chance.choice(keys), any_field(chance)))
        elif name in ("get", "delete"):
            operations.append((name, chance.choice(keys)))
        elif name == "serialize" or (name in ("deserialize", "segment_count") and not written):
            written.append(chance.choice(LABELS))
            operations.append(("serialize", written[-1]))
        else:
            operations.append((name, chance.choice(written)) if written else (name,))
    return operations + [("get", key) for key in keys]


def with_reorders(
    operations: Operations, size: int, chance: random.Random
) -> Iterator[tuple[Any, ...]]:
    """Yield the operations, with a random permutation after each count of segments."""
    without_gets = [operation for operation in operations if operation[0] != "get"]
    counts = iter(expected(without_gets, size))
    for operation in operations:
        yield operation
        if operation[0] == "segment_count":
            count = next(counts)
            yield ("reorder", operation[1], chance.sample(range(count), count))


NAMES = {
    "snapshots": "put put delete get get serialize deserialize",
    "segments": "put put delete get get serialize deserialize segment_count",
    "log": "put put delete get get restart status",
    "shutdown": "set set get shutdown restore",
}


@pytest.mark.untraced
@pytest.mark.parametrize("name", NAMES)
def test_random_lists_agree_with_dicts(name: str) -> None:
    """Random operations give what plain dicts and some arithmetic give."""
    for seed in range(LISTS):
        chance = random.Random(seed)
        size = chance.choice((9, 10, 12, 15, 20, 33, 100, 1000, 10**6))
        threshold = chance.choice((1, 2, 3, 5, 8, 1000))
        run = {
            "snapshots": snapshots,
            "segments": segments(size),
            "log": logged(threshold),
            "shutdown": shutdown,
        }[name]
        operations = [*with_reorders(random_operations(chance, NAMES[name]), size, chance)]
        operations += [("status",), ("restart",), ("status",)] if name == "log" else []
        assert run(operations) == expected(operations, size, threshold), seed


def test_each_call_starts_empty() -> None:
    """A call remembers nothing of earlier calls."""
    snapshots(parse("put a 1, serialize p"))
    with pytest.raises(ValueError, match="operation 0"):
        snapshots(parse("deserialize p"))
    logged(1)(parse("put a 1"))
    assert logged(1)(parse("get a, status")) == [None, (0, 0, 0)]
    shutdown(parse("set a 1, shutdown"))
    assert shutdown(parse("restore, get a")) == [None]


def test_the_callers_list_is_left_alone() -> None:
    """The operations and the permutations in them don't change."""
    order = [1, 0]
    operations: Operations = [("serialize", "p"), ("reorder", "p", order), ("deserialize", "p")]
    copy = list(operations)
    judge.run_segments(10, operations)
    assert operations == copy
    assert order == [1, 0]


# --- large inputs finish --------------------------------------------------------------------------

RECORDS: Operations = [("put", f"key {number:05}", b"v" * 189) for number in range(5_000)]
GETS: Operations = [("get", f"key {number:05}") for number in range(4_900)]
STREAM = 4 + 5_000 * (10 + 9 + 189)
BACKWARDS = range(STREAM - 1, -1, -1)


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("run", "operations", "status"),
    [
        pytest.param(snapshots, parse("serialize p, deserialize p") * 50, [], id="50 snapshots"),
        pytest.param(
            segments(9),
            [
                *parse("serialize p, segment_count p"),
                *[("reorder", "p", BACKWARDS), ("deserialize", "p")],
            ],
            [STREAM],
            id="a million segments",
        ),
        pytest.param(logged(500), parse("restart, status"), [(5_000, 0, 10)], id="ten compactions"),
    ],
)
def test_a_million_bytes_finish(run: Runner, operations: Operations, status: Answers) -> None:
    """Exercises 1 to 3 finish at their limits: 10,000 operations and a million live bytes."""
    assert run([*RECORDS, *operations, *GETS]) == [*status, *[b"v" * 189] * 4_900]


@pytest.mark.untraced
def test_a_hundred_thousand_operations_finish() -> None:
    """Exercise 4 finishes at its limit of 100,000 operations."""
    sets: Operations = [("set", str(number), number.to_bytes(4, "big")) for number in range(49_990)]
    gets: Operations = [("get", str(number)) for number in range(50_000)]
    operations: Operations = [*sets, ("shutdown",), ("get", "1"), ("restore",), *gets]
    expected = [None, *(number.to_bytes(4, "big") for number in range(49_990)), *[None] * 10]
    assert judge.run_shutdown(operations) == expected
