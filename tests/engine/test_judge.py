"""The four exercises, against worked examples, plain-dict oracles, and callers' mistakes."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

import kvlib
from helpers.vocabulary import AWKWARD, LONG
from kvlib import judge

Operations = list[tuple[Any, ...]]
Answers = list[Any]
Field = str | bytes

LABELS = ("p", "", "a/b", "ключ", "../up", "p ")
LISTS = 2_000


# --- the sixteen examples of the exercises, letter for letter -----------------------------------

SNAPSHOT_EXAMPLES: list[tuple[Operations, Answers]] = [
    (
        [
            ("put", "a", "1"),
            ("get", "a"),
            ("serialize", "snap1"),
            ("put", "a", "2"),
            ("deserialize", "snap1"),
            ("get", "a"),
        ],
        ["1", "1"],
    ),
    (
        [
            ("put", b"a|b", b"v:1"),
            ("serialize", "p"),
            ("delete", b"a|b"),
            ("get", b"a|b"),
            ("deserialize", "p"),
            ("get", b"a|b"),
        ],
        [None, b"v:1"],
    ),
    (
        [("serialize", "empty"), ("put", b"x", b"y"), ("deserialize", "empty"), ("get", b"x")],
        [None],
    ),
    (
        [
            ("put", "ключ", b"value"),
            ("put", b"bin", "тест"),
            ("serialize", "mix"),
            ("delete", "ключ"),
            ("deserialize", "mix"),
            ("get", "ключ"),
            ("get", b"bin"),
        ],
        [b"value", "тест"],
    ),
]

SEGMENT_EXAMPLES: list[tuple[int, Operations, Answers]] = [
    (
        15,
        [
            ("put", b"a", b"12345"),
            ("put", b"b", b"67890"),
            ("serialize", "p"),
            ("segment_count", "p"),
            ("delete", b"a"),
            ("deserialize", "p"),
            ("get", b"a"),
            ("get", b"b"),
        ],
        [6, b"12345", b"67890"],
    ),
    (
        20,
        [
            ("put", b"aa", b"xx"),
            ("put", b"bb", b"yy"),
            ("serialize", "snap"),
            ("segment_count", "snap"),
            ("reorder", "snap", [2, 0, 1]),
            ("delete", b"aa"),
            ("deserialize", "snap"),
            ("get", b"aa"),
            ("get", b"bb"),
        ],
        [3, b"xx", b"yy"],
    ),
    (
        12,
        [
            ("serialize", "empty"),
            ("segment_count", "empty"),
            ("put", b"a", b"b"),
            ("deserialize", "empty"),
            ("get", b"a"),
        ],
        [1, None],
    ),
    (
        13,
        [
            ("put", b"k", b"abcdefghij"),
            ("serialize", "big"),
            ("segment_count", "big"),
            ("deserialize", "big"),
            ("get", b"k"),
        ],
        [5, b"abcdefghij"],
    ),
]

LOG_EXAMPLES: list[tuple[int, Operations, Answers]] = [
    (
        3,
        [
            ("put", "a", "1"),
            ("put", "b", "2"),
            ("restart",),
            ("get", "a"),
            ("get", "b"),
            ("status",),
        ],
        ["1", "2", (2, 2, 0)],
    ),
    (
        2,
        [
            ("put", "x", "1"),
            ("status",),
            ("put", "y", "2"),
            ("status",),
            ("restart",),
            ("get", "x"),
            ("get", "y"),
            ("status",),
        ],
        [(1, 1, 0), (2, 0, 1), "1", "2", (2, 0, 1)],
    ),
    (
        10,
        [
            ("put", "a", "1"),
            ("put", "b", "2"),
            ("delete", "a"),
            ("restart",),
            ("get", "a"),
            ("get", "b"),
            ("status",),
        ],
        [None, "2", (1, 3, 0)],
    ),
    (
        1,
        [
            ("restart",),
            ("get", "missing"),
            ("put", b"k", b"v"),
            ("status",),
            ("delete", b"k"),
            ("restart",),
            ("get", b"k"),
            ("status",),
        ],
        [None, (1, 0, 1), None, (0, 0, 2)],
    ),
]

SHUTDOWN_EXAMPLES: list[tuple[Operations, Answers]] = [
    (
        [
            ("set", "a", "1"),
            ("set", "b", "2"),
            ("get", "a"),
            ("shutdown",),
            ("get", "a"),
            ("restore",),
            ("get", "b"),
            ("get", "a"),
        ],
        ["1", None, "2", "1"],
    ),
    (
        [
            ("set", "x", "old"),
            ("set", "x", "new"),
            ("shutdown",),
            ("restore",),
            ("get", "x"),
            ("set", "y", "3"),
            ("shutdown",),
            ("get", "y"),
            ("restore",),
            ("get", "y"),
            ("get", "x"),
        ],
        ["new", None, "3", "new"],
    ),
    (
        [
            ("restore",),
            ("get", "missing"),
            ("set", "", ""),
            ("set", "a|b:c", "v1|v2:ok"),
            ("shutdown",),
            ("restore",),
            ("get", ""),
            ("get", "a|b:c"),
            ("get", "missing"),
        ],
        [None, "", "v1|v2:ok", None],
    ),
    ([("shutdown",), ("restore",), ("get", "a")], [None]),
]


@pytest.mark.parametrize(("operations", "answers"), SNAPSHOT_EXAMPLES)
def test_the_examples_of_run_snapshots(operations: Operations, answers: Answers) -> None:
    """Exercise 1 answers its four worked examples."""
    assert judge.run_snapshots(operations) == answers


@pytest.mark.parametrize(("size", "operations", "answers"), SEGMENT_EXAMPLES)
def test_the_examples_of_run_segments(size: int, operations: Operations, answers: Answers) -> None:
    """Exercise 2 answers its four worked examples."""
    assert judge.run_segments(size, operations) == answers


@pytest.mark.parametrize(("threshold", "operations", "answers"), LOG_EXAMPLES)
def test_the_examples_of_run_log(threshold: int, operations: Operations, answers: Answers) -> None:
    """Exercise 3 answers its four worked examples, with statuses that are plain tuples."""
    given = judge.run_log(threshold, operations)
    assert given == answers
    assert [type(answer) for answer in given] == [type(answer) for answer in answers]


@pytest.mark.parametrize(("operations", "answers"), SHUTDOWN_EXAMPLES)
def test_the_examples_of_run_shutdown(operations: Operations, answers: Answers) -> None:
    """Exercise 4 answers its four worked examples."""
    assert judge.run_shutdown(operations) == answers


def test_no_operations_give_no_answers() -> None:
    """An empty list of operations is answered by an empty list."""
    assert judge.run_snapshots([]) == []
    assert judge.run_segments(9, []) == []
    assert judge.run_log(1, []) == []
    assert judge.run_shutdown([]) == []


# --- 2,000 random operation lists for each, against oracles of plain dicts ----------------------


def field_length(field: Field) -> int:
    """Bytes of a field: five for tag and length, then its data."""
    return 5 + len(field.encode() if isinstance(field, str) else field)


def segments_of(mapping: dict[Field, Field], size: int) -> int:
    """How many segments a mapping fills, by the arithmetic of the format."""
    stream = 4 + sum(field_length(key) + field_length(value) for key, value in mapping.items())
    return max(1, -(-stream // (size - 8)))


def expected_of_snapshots(operations: Operations, size: int = 0) -> Answers:
    """Exercises 1 and 2 over dicts that are copied; reordering changes nothing that can be read.

    `size` is that of the segments, where they are counted.
    """
    live: dict[Field, Field] = {}
    shelf: dict[str, dict[Field, Field]] = {}
    answers: Answers = []
    for name, *arguments in operations:
        match name:
            case "put":
                live[arguments[0]] = arguments[1]
            case "get":
                answers.append(live.get(arguments[0]))
            case "delete":
                live.pop(arguments[0], None)
            case "serialize":
                shelf[arguments[0]] = dict(live)
            case "segment_count":
                answers.append(segments_of(shelf[arguments[0]], size))
            case "deserialize":
                live = dict(shelf[arguments[0]])
    return answers


def expected_of_log(threshold: int, operations: Operations) -> Answers:
    """Exercise 3 over a snapshot and a list of records, replayed at each restart."""
    snapshot: dict[Field, Field] = {}
    log: list[tuple[Any, ...]] = []
    compactions = 0
    answers: Answers = []

    def replayed() -> dict[Field, Field]:
        state = dict(snapshot)
        for record in log:
            if record[0] == "put":
                state[record[1]] = record[2]
            else:
                state.pop(record[1], None)
        return state

    live = replayed()
    for operation in operations:
        match operation[0]:
            case "put" | "delete":
                log.append(operation)
                live = replayed()
                if len(log) >= threshold:
                    snapshot, log, compactions = live, [], compactions + 1
            case "get":
                answers.append(live.get(operation[1]))
            case "status":
                answers.append((len(live), len(log), compactions))
            case "restart":
                live = replayed()
    return answers


def expected_of_shutdown(operations: Operations) -> Answers:
    """Exercise 4 over two dicts."""
    live: dict[Field, Field] = {}
    saved: dict[Field, Field] = {}
    answers: Answers = []
    for name, *arguments in operations:
        match name:
            case "set":
                live[arguments[0]] = arguments[1]
            case "get":
                answers.append(live.get(arguments[0]))
            case "shutdown":
                saved, live = live, {}
            case "restore":
                live = dict(saved)
    return answers


def any_field(chance: random.Random) -> Field:
    """An awkward field, seldom a long one, seldom random bytes."""
    roll = chance.random()
    if roll < 0.02:
        return chance.choice(LONG)
    if roll < 0.1:
        return chance.randbytes(chance.randrange(6))
    return chance.choice(AWKWARD)


def mutation(chance: random.Random, keys: Sequence[Field]) -> tuple[Any, ...]:
    """A put or a delete."""
    if chance.random() < 0.7:
        return ("put", chance.choice(keys), any_field(chance))
    return ("delete", chance.choice(keys))


def snapshot_operations(chance: random.Random) -> Operations:
    """A random list for exercise 1; a label is read only after it was written."""
    keys = [any_field(chance) for _ in range(chance.randint(1, 8))]
    operations: Operations = []
    written: list[str] = []
    for _ in range(chance.randrange(40)):
        roll = chance.random()
        if roll < 0.4:
            operations.append(mutation(chance, keys))
        elif roll < 0.7:
            operations.append(("get", chance.choice(keys)))
        elif roll < 0.85 or not written:
            written.append(chance.choice(LABELS))
            operations.append(("serialize", written[-1]))
        else:
            operations.append(("deserialize", chance.choice(written)))
    return operations + [("get", key) for key in keys]


def segment_operations(chance: random.Random, size: int) -> Operations:
    """A random list for exercise 2: one for exercise 1, with counts and shuffles put in."""
    operations: Operations = []
    live: dict[Field, Field] = {}
    shelf: dict[str, dict[Field, Field]] = {}
    for operation in snapshot_operations(chance):
        operations.append(operation)
        match operation:
            case ("put", key, value):
                live[key] = value
            case ("delete", key):
                live.pop(key, None)
            case ("serialize", label):
                shelf[label] = dict(live)
            case ("deserialize", label):
                live = dict(shelf[label])
        if shelf and chance.random() < 0.3:
            label = chance.choice(sorted(shelf))
            count = segments_of(shelf[label], size)
            operations.append(("segment_count", label))
            operations.append(("reorder", label, chance.sample(range(count), count)))
    return operations


def log_operations(chance: random.Random) -> Operations:
    """A random list for exercise 3."""
    keys = [any_field(chance) for _ in range(chance.randint(1, 8))]
    operations: Operations = []
    for _ in range(chance.randrange(30)):
        roll = chance.random()
        if roll < 0.5:
            operations.append(mutation(chance, keys))
        elif roll < 0.7:
            operations.append(("get", chance.choice(keys)))
        else:
            operations.append((chance.choice(("restart", "status")),))
    return operations + [("status",), ("restart",), ("status",)] + [("get", key) for key in keys]


def shutdown_operations(chance: random.Random) -> Operations:
    """A random list for exercise 4."""
    keys = [any_field(chance) for _ in range(chance.randint(1, 8))]
    operations: Operations = []
    for _ in range(chance.randrange(50)):
        roll = chance.random()
        if roll < 0.4:
            operations.append(("set", chance.choice(keys), any_field(chance)))
        elif roll < 0.7:
            operations.append(("get", chance.choice(keys)))
        else:
            operations.append((chance.choice(("shutdown", "restore")),))
    return operations + [("get", key) for key in keys]


def test_run_snapshots_agrees_with_a_dict() -> None:
    """2,000 random lists of exercise 1 give what dicts give."""
    for seed in range(LISTS):
        operations = snapshot_operations(random.Random(f"snapshots {seed}"))
        assert judge.run_snapshots(operations) == expected_of_snapshots(operations), seed


@pytest.mark.untraced
def test_run_segments_agrees_with_a_dict() -> None:
    """2,000 random lists of exercise 2, shuffled at random, give what dicts and arithmetic give."""
    for seed in range(LISTS):
        chance = random.Random(f"segments {seed}")
        size = chance.choice((9, 10, 12, 15, 20, 33, 100, 1000, 10**6))
        operations = segment_operations(chance, size)
        assert judge.run_segments(size, operations) == expected_of_snapshots(operations, size), seed


@pytest.mark.untraced
def test_run_log_agrees_with_a_dict() -> None:
    """2,000 random lists of exercise 3 give what a dict and a list of records give."""
    for seed in range(LISTS):
        chance = random.Random(f"log {seed}")
        threshold = chance.choice((1, 2, 3, 5, 8, 1000))
        operations = log_operations(chance)
        expected = expected_of_log(threshold, operations)
        assert judge.run_log(threshold, operations) == expected, seed


@pytest.mark.untraced
def test_run_shutdown_agrees_with_a_dict() -> None:
    """2,000 random lists of exercise 4 give what two dicts give."""
    for seed in range(LISTS):
        operations = shutdown_operations(random.Random(f"shutdown {seed}"))
        assert judge.run_shutdown(operations) == expected_of_shutdown(operations), seed


# --- particular laws ------------------------------------------------------------------------------


def test_answers_keep_their_type() -> None:
    """A str value comes back as str, a bytes value as bytes, also from a snapshot and a log."""
    answers = judge.run_snapshots(
        [
            ("put", "k", "v"),
            ("put", b"k", b"v"),
            ("serialize", "p"),
            ("deserialize", "p"),
            ("get", "k"),
            ("get", b"k"),
        ]
    )
    assert answers == ["v", b"v"]
    assert judge.run_log(
        9, [("put", "k", b"v"), ("put", b"k", "v"), ("restart",), ("get", "k"), ("get", b"k")]
    ) == [b"v", "v"]


def test_a_label_can_be_written_again() -> None:
    """Serializing to a label again replaces all that it held, its old segments included."""
    operations: Operations = [
        ("put", b"k", b"x" * 50),
        ("serialize", "p"),
        ("segment_count", "p"),
        ("delete", b"k"),
        ("serialize", "p"),
        ("segment_count", "p"),
        ("put", b"k", b"y"),
        ("deserialize", "p"),
        ("get", b"k"),
    ]
    assert judge.run_segments(12, operations) == [17, 1, None]  # 65 bytes in fours; 4 in one


def test_reorderings_compound() -> None:
    """A second permutation acts on the segments as the first one left them."""
    operations: Operations = [
        ("put", b"aa", b"xx"),
        ("serialize", "p"),
        ("segment_count", "p"),
        ("reorder", "p", [2, 0, 1]),
        ("reorder", "p", [1, 2, 0]),
        ("reorder", "p", [0, 2, 1]),
        ("delete", b"aa"),
        ("deserialize", "p"),
        ("get", b"aa"),
    ]
    assert judge.run_segments(16, operations) == [3, b"xx"]  # 4 + 7 + 7 bytes in eights


def test_a_delete_of_a_missing_key_is_one_record() -> None:
    """Deleting what is not there is logged, and may set off a compaction."""
    assert judge.run_log(2, [("delete", "x"), ("status",), ("delete", "x"), ("status",)]) == [
        (0, 1, 0),
        (0, 0, 1),
    ]


def test_one_run_knows_nothing_of_the_one_before() -> None:
    """Each call starts with an empty store and an empty medium."""
    judge.run_snapshots([("put", "a", "1"), ("serialize", "p")])
    with pytest.raises(ValueError, match="operation 0"):
        judge.run_snapshots([("deserialize", "p")])
    judge.run_log(1, [("put", "a", "1")])
    assert judge.run_log(1, [("get", "a"), ("status",)]) == [None, (0, 0, 0)]
    judge.run_shutdown([("set", "a", "1"), ("shutdown",)])
    assert judge.run_shutdown([("restore",), ("get", "a")]) == [None]


def test_the_callers_list_is_left_alone() -> None:
    """Neither the operations nor a permutation in them are changed."""
    order = [1, 0]
    operations: Operations = [("serialize", "p"), ("reorder", "p", order), ("deserialize", "p")]
    copy = list(operations)
    judge.run_segments(10, operations)
    assert operations == copy
    assert order == [1, 0]


# --- mistakes -------------------------------------------------------------------------------------

Runner = Callable[[Operations], Answers]


def run_segments(operations: Operations) -> Answers:
    """Exercise 2 with a size that makes two segments of an empty snapshot."""
    return judge.run_segments(10, operations)


def run_log(operations: Operations) -> Answers:
    """Exercise 3 with a threshold that is reached."""
    return judge.run_log(2, operations)


NOT_FIELDS: list[Any] = [0, 1, None, True, False, 1.5, bytearray(b"a"), memoryview(b"a"), ["a"], ()]
RUNNERS: list[tuple[Runner, str]] = [
    (judge.run_snapshots, "put"),
    (run_segments, "put"),
    (run_log, "put"),
    (judge.run_shutdown, "set"),
]
LABELLED: list[tuple[Runner, str]] = [
    (judge.run_snapshots, "serialize"),
    (judge.run_snapshots, "deserialize"),
    (run_segments, "serialize"),
    (run_segments, "deserialize"),
    (run_segments, "segment_count"),
]


def refuse(run: Runner, good: str, bad: Any, kind: type[Exception], says: str) -> None:
    """The mistake `bad` after three good operations is refused as operation 3, with `says`."""
    before: Operations = [(good, "a", "1"), ("get", "a"), (good, b"a", b"2")]
    with pytest.raises((ValueError, TypeError), match=r"operation 3\b") as caught:
        run([*before, bad, ("get", "a")])
    assert isinstance(caught.value, kind)
    assert not isinstance(caught.value, kvlib.KvlibError)
    assert says in str(caught.value)


@pytest.mark.parametrize(("run", "good"), RUNNERS)
@pytest.mark.parametrize("name", ["Put", "", "flush", "append", "clear", "__init__", b"put", None])
def test_an_unknown_operation_is_refused(run: Runner, good: str, name: Any) -> None:
    """A name outside the exercise is a mistake; the message lists the names that exist."""
    refuse(run, good, (name,), Exception, good)


@pytest.mark.parametrize(
    ("run", "good", "foreign"),
    [
        (judge.run_snapshots, "put", ("restart",)),
        (judge.run_snapshots, "put", ("segment_count", "p")),
        (judge.run_snapshots, "put", ("set", "a", "b")),
        (run_segments, "put", ("status",)),
        (run_log, "put", ("serialize", "p")),
        (run_log, "put", ("shutdown",)),
        (judge.run_shutdown, "set", ("put", "a", "b")),
        (judge.run_shutdown, "set", ("delete", "a")),
    ],
)
def test_an_operation_of_another_exercise_is_refused(
    run: Runner, good: str, foreign: tuple[Any, ...]
) -> None:
    """Each exercise knows its own operations only."""
    refuse(run, good, foreign, ValueError, "expected")


@pytest.mark.parametrize(("run", "good"), RUNNERS)
@pytest.mark.parametrize("bad", [(), None, 5, "get"])
def test_what_is_no_operation_is_refused(run: Runner, good: str, bad: Any) -> None:
    """An operation is a tuple that starts with a name."""
    refuse(run, good, bad, Exception, "expected")


@pytest.mark.parametrize(
    ("run", "good", "bad"),
    [
        (judge.run_snapshots, "put", ("put", "a")),
        (judge.run_snapshots, "put", ("put", "a", "b", "c")),
        (judge.run_snapshots, "put", ("get",)),
        (judge.run_snapshots, "put", ("get", "a", "b")),
        (judge.run_snapshots, "put", ("delete",)),
        (judge.run_snapshots, "put", ("serialize",)),
        (judge.run_snapshots, "put", ("deserialize", "p", "q")),
        (run_segments, "put", ("segment_count",)),
        (run_segments, "put", ("reorder", "p")),
        (run_segments, "put", ("reorder", "p", [0], [0])),
        (run_log, "put", ("restart", "now")),
        (run_log, "put", ("status", 1)),
        (run_log, "put", ("delete", "a", "b")),
        (judge.run_shutdown, "set", ("set", "a")),
        (judge.run_shutdown, "set", ("shutdown", "p")),
        (judge.run_shutdown, "set", ("restore", "p")),
        (judge.run_shutdown, "set", ("get",)),
    ],
)
def test_a_wrong_number_of_arguments_is_refused(
    run: Runner, good: str, bad: tuple[Any, ...]
) -> None:
    """Too few or too many arguments are a mistake; the message names the operation."""
    refuse(run, good, bad, Exception, bad[0])


@pytest.mark.parametrize(("run", "good"), RUNNERS)
@pytest.mark.parametrize("wrong", NOT_FIELDS, ids=lambda one: type(one).__name__)
def test_a_key_of_another_type_is_refused(run: Runner, good: str, wrong: Any) -> None:
    """A key is str or bytes, in a reading operation too."""
    refuse(run, good, (good, wrong, "v"), TypeError, "str or bytes")
    refuse(run, good, ("get", wrong), TypeError, "str or bytes")


@pytest.mark.parametrize(("run", "good"), RUNNERS)
@pytest.mark.parametrize("wrong", NOT_FIELDS, ids=lambda one: type(one).__name__)
def test_a_value_of_another_type_is_refused(run: Runner, good: str, wrong: Any) -> None:
    """A value is str or bytes."""
    refuse(run, good, (good, "k", wrong), TypeError, "str or bytes")


@pytest.mark.parametrize("run", [judge.run_snapshots, run_segments, run_log])
@pytest.mark.parametrize("wrong", NOT_FIELDS, ids=lambda one: type(one).__name__)
def test_a_key_to_delete_of_another_type_is_refused(run: Runner, wrong: Any) -> None:
    """A key to delete is str or bytes."""
    refuse(run, "put", ("delete", wrong), TypeError, "str or bytes")


@pytest.mark.parametrize(("run", "good"), RUNNERS)
@pytest.mark.parametrize("surrogate", ["\ud800", "a\udfffb", "\ude00\ud83d"], ids=ascii)
def test_a_lone_surrogate_is_refused(run: Runner, good: str, surrogate: str) -> None:
    """Half a character has no UTF-8, so no exercise takes it."""
    refuse(run, good, (good, surrogate, "v"), ValueError, "surrogate")
    refuse(run, good, (good, "k", surrogate), ValueError, "surrogate")


@pytest.mark.parametrize(("run", "name"), LABELLED)
@pytest.mark.parametrize("wrong", [0, None, True, b"p", bytearray(b"p"), ["p"]], ids=repr)
def test_a_path_of_another_type_is_refused(run: Runner, name: str, wrong: Any) -> None:
    """The label of a snapshot is a str."""
    refuse(run, "put", (name, wrong), TypeError, "str")


@pytest.mark.parametrize(
    ("run", "bad"),
    [
        (judge.run_snapshots, ("deserialize", "never")),
        (run_segments, ("deserialize", "never")),
        (run_segments, ("segment_count", "never")),
        (run_segments, ("reorder", "never", [0])),
    ],
)
def test_a_path_never_serialized_is_refused(run: Runner, bad: tuple[Any, ...]) -> None:
    """What was never written cannot be read; the message names it."""
    refuse(run, "put", bad, ValueError, "never")


@pytest.mark.parametrize(
    "order",
    [[], [0], [0, 0], [1, 1], [0, 2], [-1, 0], [0, 1, 1], [0, 1, 2], [1, -2], (0, 0)],
    ids=repr,
)
def test_what_is_no_permutation_is_refused(order: Any) -> None:
    """Each of two segments stands in the order exactly once, counted from nought."""
    before: Operations = [("serialize", "p")]
    with pytest.raises(ValueError, match=r"operation 1\b.*permutation"):
        judge.run_segments(10, [*before, ("reorder", "p", order)])


@pytest.mark.parametrize(
    "order", [None, 1, "01", b"\0\1", [0, "1"], [0, 1.0], [False, True], [0, None], {0: 1, 1: 0}]
)
def test_a_permutation_of_another_type_is_refused(order: Any) -> None:
    """An order is a list of whole numbers, and True is not one of them."""
    with pytest.raises(TypeError, match=r"operation 1\b.*list of int"):
        judge.run_segments(10, [("serialize", "p"), ("reorder", "p", order)])


@pytest.mark.parametrize("size", [8, 1, 0, -1, -(10**9)])
def test_a_segment_size_below_nine_is_refused(size: int) -> None:
    """Eight bytes hold a segment's header and nothing of the stream."""
    with pytest.raises(ValueError, match="9"):
        judge.run_segments(size, [])


@pytest.mark.parametrize("threshold", [0, -1, -(10**9)])
def test_a_threshold_below_one_is_refused(threshold: int) -> None:
    """A log can't be compacted after fewer than one record."""
    with pytest.raises(ValueError, match="1"):
        judge.run_log(threshold, [])


@pytest.mark.parametrize("wrong", [None, "9", 9.5, b"9", True, [9]], ids=repr)
def test_a_size_or_threshold_of_another_type_is_refused(wrong: Any) -> None:
    """Sizes and thresholds are whole numbers."""
    with pytest.raises((TypeError, ValueError), match="max_segment_size"):
        judge.run_segments(wrong, [])
    with pytest.raises((TypeError, ValueError), match="threshold"):
        judge.run_log(wrong, [])


# --- large inputs finish --------------------------------------------------------------------------

RECORDS: Operations = [("put", f"key {number:05}", b"v" * 189) for number in range(5_000)]
GETS: Operations = [("get", f"key {number:05}") for number in range(4_900)]
LIVE = 5_000 * (9 + 189)  # bytes of keys and values: 990,000
STREAM = 4 + LIVE + 5_000 * 10


def test_ten_thousand_operations_on_a_million_bytes_finish() -> None:
    """Exercise 1 at its limits, with fifty snapshots of everything."""
    saves: Operations = [("serialize", "p"), ("deserialize", "p")] * 50
    assert judge.run_snapshots([*RECORDS, *saves, *GETS]) == [b"v" * 189] * 4_900


@pytest.mark.untraced
def test_a_million_segments_finish() -> None:
    """Exercise 2 at its limits: the smallest segments, turned back to front."""
    backwards = list(range(STREAM - 1, -1, -1))
    operations: Operations = [
        *RECORDS,
        ("serialize", "p"),
        ("segment_count", "p"),
        ("reorder", "p", backwards),
        ("delete", "key 00000"),
        ("deserialize", "p"),
        *GETS,
    ]
    assert judge.run_segments(9, operations) == [STREAM, *[b"v" * 189] * 4_900]


def test_a_log_of_ten_thousand_operations_finishes() -> None:
    """Exercise 3 with a million live bytes, compacted ten times and restarted."""
    operations = [*RECORDS, ("restart",), ("status",), *GETS, ("restart",), ("status",)]
    status = (5_000, 0, 10)
    assert judge.run_log(500, operations) == [status, *[b"v" * 189] * 4_900, status]


def test_a_hundred_thousand_operations_finish() -> None:
    """Exercise 4 at its limits."""
    sets: Operations = [("set", str(number), number.to_bytes(4, "big")) for number in range(49_990)]
    gets: Operations = [("get", str(number)) for number in range(50_000)]
    operations: Operations = [*sets, ("shutdown",), ("get", "1"), ("restore",), *gets]
    expected = [None, *(number.to_bytes(4, "big") for number in range(49_990)), *[None] * 10]
    assert judge.run_shutdown(operations) == expected
