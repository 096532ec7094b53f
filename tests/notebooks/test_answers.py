"""The folded answers to "Check yourself" say what kvlib computes."""

import json
from collections.abc import Callable, Iterator

import pytest

import kvlib
from helpers.paths import NOTEBOOKS
from kvlib import judge
from kvlib.lessons.exercises.log.recover import recover
from kvlib.log import encode_put
from notebooks.reading import questions
from tools.notebooks import load


def rejected(call: Callable[..., object], *arguments: object) -> bool:
    """Return whether a reader rejects its arguments."""
    try:
        call(*arguments)
    except (ValueError, kvlib.KvlibError):
        return True
    return False


def pieces(length: int, limit: int) -> list[int]:
    """Return how many bytes of a stream of this length each segment carries."""
    return [len(segment) - 8 for segment in kvlib.split(bytes(length), limit)]


def frames(*sequences: int) -> bytes:
    """Return complete frames with these sequence numbers."""
    return b"".join(kvlib.seal(b"M", one, encode_put("tea", str(one))) for one in sequences)


def answers_of_encode() -> Iterator[tuple[int, str]]:
    """Yield each question in notebook 1 with words its answer must have."""
    stream = kvlib.encode_snapshot({"né": b""})
    yield 1, f"**{len(stream)}**"
    yield 1, f"`{stream[5:9].hex(' ')}`. So it is **`{stream[8]:02x}`**"
    text, data = kvlib.encode_field("é"), kvlib.encode_field("é".encode())
    yield 2, f"`{text.hex(' ')}` and `{data.hex(' ')}`"
    yield 5, "Yes" if b"a".ljust(8, b"\0") == b"a\0".ljust(8, b"\0") else "No"
    for texts in [], [""]:
        back = "\n".join(texts).split("\n")
        yield 6, f"Both come back as `{json.dumps(back)}`"
    streams = {"a": bytes(4), "b": bytes(5), "c": bytes.fromhex("00000001 62 00000000")}
    right = [name for name, one in streams.items() if not rejected(kvlib.decode_snapshot, one)]
    yield 7, f"{', '.join(right)} is the empty store"
    saved = [("put", "a", "1"), ("serialize", "x"), ("delete", "a"), ("serialize", "y")]
    loaded = [("put", "b", "2"), ("deserialize", "y"), ("get", "a"), ("get", "b")]
    yield 8, "Nothing" if judge.run_snapshots(saved + loaded) == [None, None] else "Something"
    yield 8, f"{len(kvlib.encode_snapshot({}))} bytes, the count 0"


def answers_of_segment() -> Iterator[tuple[int, str]]:
    """Yield each question in notebook 2 with words its answer must have."""
    least, largest = 999 * 1024 + 1, 1000 * 1024
    edges = [len(pieces(length, 1032)) for length in (least - 1, least, largest, largest + 1)]
    yield 1, f"= {least:,} to" if edges[:2] == [999, 1000] else "another"
    yield 1, f"= {largest:,} bytes" if edges[2:] == [1000, 1001] else "another"
    yield 2, f"`{kvlib.split(bytes(300), 9)[-1][:8].hex(' ')}`"
    yield 3, "index 5 of a total of 5" if rejected(kvlib.join, [b"\0\0\0\5" * 2]) else "right"
    single = next(limit for limit in range(9, 2000) if len(pieces(1000, limit)) == 1)
    first, second = pieces(1000, single - 1)
    yield 5, f"From {single} on: "
    yield 5, f"At {single - 1} a piece has at most {first} bytes: "
    yield 5, f"there are two, of {first} and of {second}."
    wrong = [length for length in range(50) if len(pieces(length, 15)) != (length + 7 - 1) // 7]
    yield 6, f"At a length of {', '.join(map(str, wrong))} the total is 0"
    assert kvlib.join(kvlib.split(b"", 9)) == b""
    yield 7, f"`{kvlib.split(b'', 9)[0].hex(' ')}`"
    yield 7, "Eight zeros are index 0" if rejected(kvlib.join, [bytes(8)]) else "Right"
    old, orders = ["A", "B", "C"], []
    for _ in range(3):
        old = [old[place] for place in (2, 0, 1)]
        orders.append(", ".join(old))
    yield 8, f"First {orders[0]}, then {orders[1]}. (After a third time"
    assert orders[2] == "A, B, C"


def answers_of_log() -> Iterator[tuple[int, str]]:
    """Yield each question in notebook 3 with words its answer must have."""
    disk = kvlib.MemoryDisk()
    kvlib.open(disk).put("tea", "hot")
    disk.write("log", disk.read("log") + bytes(40))
    recovered = kvlib.open(disk, read_only=True).recovered
    yield 2, "a torn tail" if recovered and recovered.dropped_bytes == 40 else "damage"
    closed = [("set", "a", "1"), ("shutdown",), ("shutdown",), ("restore",), ("get", "a")]
    yield 5, "Nothing" if judge.run_shutdown(closed) == [None] else "Something"
    torn = frames(1, 2, 3) + frames(4)[:15]
    yield 6, "It refuses the log" if rejected(recover, torn + frames(5)) else "It reads it"
    half = frames(8)[:15]
    tails = {"a": bytes(25), "b": half + frames(5), "c": half + frames(9), "d": frames(9)}
    seven = frames(*range(1, 8))
    bad = [name for name, tail in tails.items() if rejected(recover, seven + tail)]
    yield 7, f"{' and '.join(name for name in tails if name not in bad)} end in a torn tail"
    yield 7, f"{' and '.join(bad)} are refused"
    logged = [("put", "a", "1"), ("put", "a", "2"), ("delete", "b"), ("put", "c", "1")]
    yield 8, f"`{judge.run_log(3, [*logged, ('restart',), ('status',)])[0]!r}`"


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("01_encode", answers_of_encode),
        ("02_segment", answers_of_segment),
        ("03_log", answers_of_log),
    ],
)
def test_answers_say_what_kvlib_says(
    name: str, answers: Callable[[], Iterator[tuple[int, str]]]
) -> None:
    """Each figure and each verdict in a folded answer matches what kvlib computes."""
    notebook = load(NOTEBOOKS / f"{name}.ipynb")
    texts = {number: text for number, _, text in questions(notebook)}
    for number, words in answers():
        assert words in " ".join(texts[number].partition("<details>")[2].split())
