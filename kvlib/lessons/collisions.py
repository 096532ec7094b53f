"""Find two different stores that an encoder writes as the same bytes, the shortest such pair.

The search tries small stores first, and remembers the store of each result. It learns the encoder's
marks by observation: characters that are in its bytes but not in the data are likely delimiters,
escapes or digits of a length, so stores are built from them. Later stages try other problems:
other scripts, long texts, bytes mixed with texts.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, combinations, islice, permutations, product
from typing import Any, Final, NamedTuple

from kvlib.lessons.exercise import Finding
from kvlib.lessons.sandbox import Outcome, run
from kvlib.views.plain import plain, written

Records = dict[Any, Any]
Encoder = Callable[[Records], Any]

SINGLES: Final = 12_000  # stores of one record, made of marks
PAIRS: Final = 8_000  # stores of up to two records, made of marks
BATCH: Final = 500  # candidates per run, at most; it starts small and doubles
LINES: Final = 400_000  # per run, many more than these encoders need
MARKS: Final = 6
PIECE: Final = 60  # bytes; every slice of them is tried as a text
HEADS: Final = 6
LONG: Final = 12
LENGTHS: Final = (1, 2, 9, 10, 11, 12, 99, 100, 101, 255, 256, 257)

SENTENCES: Final = {
    "marks": (
        "Two different stores, and the same bytes: no reader can know which one was meant. What in "
        "your bytes says where a key or a value ends, and can the data hold that too?"
    ),
    "characters": (
        "Two different texts became the same bytes. Which characters does your way of encoding "
        "text not know, and what does it write for them?"
    ),
    "lengths": (
        "The two differ in how long their texts are. From which length on can your bytes no longer "
        "say where a text ends?"
    ),
    "types": (
        "The two differ in type only: one has a text where the other has bytes. What in your bytes "
        "says which it was?"
    ),
}
REFUSED: Final = {
    "marks": "It can't write this store, and keys and values may be any text.",
    "characters": "It can't write this store: texts may be of any script, and have emoji.",
    "lengths": "It can't write this store: its texts are too long for your format.",
    "types": "Texts are right. But keys and values may be bytes too, and it can't write these.",
}


class Collision(NamedTuple):
    """The result of a search: two stores and their bytes, or one store that wasn't encoded."""

    stage: str
    stores: tuple[Records, ...]
    came: Outcome


def break_encoder(functions: tuple[Encoder, ...]) -> Finding | int:
    """Return the shortest pair of stores that the encoder confuses, in words.

    If there is none, return the number of stores that were tried.
    """
    found = confuse(functions[0])
    if isinstance(found, int):
        return found
    asked = " and ".join(f"encode({_written(store)})" for store in found.stores)
    if len(found.stores) == 2:
        came = f"{_item(found.came.value)}, both times"
        return Finding(asked, came, SENTENCES[found.stage])
    return Finding(asked, _became(found.came), REFUSED[found.stage])


def _written(store: Records) -> str:
    return f"{{{', '.join(f'{_item(key)}: {_item(value)}' for key, value in store.items())}}}"


def _item(item: str | bytes) -> str:
    """Return a text as it would be written, a long run of one character as a product."""
    if len(item) > LONG and len(set(item)) == 1:
        return f"{item[:1]!r} * {len(item)}"
    return written(item)


def _became(outcome: Outcome) -> str:
    if outcome.kind == "raised":
        where = f", in your {outcome.line}" if outcome.line else ""
        return f"{outcome.value.kind}: {written(outcome.value.text)[1:-1]}{where}"
    return written(outcome.value) if outcome.kind == "gave" else "no end"


def confuse(encode: Encoder) -> Collision | int:
    """Return the first pair that any stage finds, or the number of stores that were tried."""
    seen: dict[bytes, Records] = {}
    texts = ["a", *find_marks(encode)]
    stages: list[tuple[str, Iterable[Records]]] = [
        (
            "marks",
            chain(
                islice(stores(texts), PAIRS), islice(stores(texts, (1,)), SINGLES), embedded(encode)
            ),
        ),
        ("characters", small_stores(["é", "è", "?", "€", "\N{GRINNING FACE}", "A", " ", "\0"])),
        ("lengths", chain(long_stores(texts), shifted(encode))),
        ("types", chain(typed_stores(), disguised(encode))),
    ]
    for stage, candidates in stages:
        found = _first(encode, stage, iter(candidates), seen)
        if found:
            return found
    return len(seen)


def _first(
    encode: Encoder, stage: str, candidates: Iterator[Records], seen: dict[bytes, Records]
) -> Collision | None:
    size = 50
    while batch := list(islice(candidates, size)):
        size = min(2 * size, BATCH)
        for store, outcome in _encoded(encode, batch):
            data = outcome.value
            if outcome.kind != "gave" or type(data) is not bytes:
                return Collision(stage, (store,), outcome)
            other = seen.setdefault(data, store)
            if other != store:
                return Collision(stage, (other, store), outcome)
    return None


def _encoded(encode: Encoder, batch: list[Records]) -> Iterator[tuple[Records, Outcome]]:
    """Yield each store with its outcome, in one run, up to the first without a result."""
    results: list[Any] = []

    run(_collect, (encode, batch, results), of=encode, lines=LINES, copy=False)
    for store, value in zip(batch, results, strict=False):
        yield store, Outcome("gave", value)
    if len(results) < len(batch):
        yield batch[len(results)], run(encode, (batch[len(results)],))


def _collect(encode: Encoder, batch: list[Records], results: list[Any]) -> None:
    """Encode copies, because an encoder may change them; keep the results up to an error."""
    for store in batch:
        results.append(plain(encode(dict(store))))


# --------------------------------------------------------------------------------------- the marks


def find_marks(encode: Encoder) -> list[str]:
    """Return the marks in an encoder's bytes, as texts: `=`, `;`, a backslash, `1`.

    An escape only appears where something is escaped, so the marks are encoded once more.
    """
    marks: list[str] = []
    for _ in range(2):
        probes = [{"a": "a", "b": "a"}, {"": ""}, *({mark: mark} for mark in marks)]
        for text in _as_texts(encode, probes):
            marks += _strange(text, marks)
    return sorted(marks, key=len)[:MARKS]


def _as_texts(encode: Encoder, stores: list[Records]) -> Iterator[str]:
    for _, outcome in _encoded(encode, stores):
        if outcome.kind == "gave" and type(outcome.value) is bytes:
            yield outcome.value.decode(errors="ignore")


def _strange(text: str, known: list[str]) -> list[str]:
    """Yield runs of characters that aren't data, and their single characters, once each."""
    runs = re.findall(r"[^ab]{1,4}", text)
    pieces = dict.fromkeys([char for run in runs for char in run] + runs)
    return [piece for piece in pieces if piece not in known]


# -------------------------------------------------------------------------------------- the stores


def stores(texts: list[str], counts: tuple[int, ...] = (1, 2)) -> Iterator[Records]:
    """Yield stores of so many records with these texts as keys and values, the smallest first.

    >>> list(islice(stores(["a", ";"]), 5))
    [{}, {'': ''}, {'': 'a'}, {'': ';'}, {'a': ''}]
    """
    yield {}
    size = 0
    while True:
        for count in counts:
            for sizes in _shares(size, 2 * count):
                made = [["".join(one) for one in product(texts, repeat=size)] for size in sizes]
                for items in product(*made):
                    store = dict(zip(items[::2], items[1::2], strict=True))
                    if len(store) == count:
                        yield store
        size += 1


def _shares(size: int, places: int) -> Iterator[tuple[int, ...]]:
    if places == 1:
        yield (size,)
        return
    for first in range(size + 1):
        yield from ((first, *rest) for rest in _shares(size - first, places - 1))


def small_stores(texts: list[str]) -> Iterator[Records]:
    """Yield stores of one record with a short key or value."""
    for text in texts:
        yield from ({text: ""}, {"": text}, {text: text})
    yield from ({one: other} for one, other in permutations(texts, 2))


def embedded(encode: Encoder) -> Iterator[Records]:
    """Yield two small records, and stores with a text that looks like part of their bytes."""
    records = {"": "", "a": ""}
    for text in _as_texts(encode, [records]):
        yield records
        for start, end in combinations(range(min(len(text), PIECE) + 1), 2):
            yield from ({"": text[start:end]}, {text[start:end]: ""})


def shifted(encode: Encoder) -> Iterator[Records]:
    """Yield stores whose texts contain what the encoder writes before a text, its head.

    In one the first text is a single character, in the other it is long. If heads of different
    lengths can look alike, the long text of one is the short text and the head of the other.
    """
    sizes = [*range(13), *range(245, 260), *range(65_530, 65_540)]
    texts = _as_texts(encode, [{"a": "a" * size} for size in (1, 9, 10, 11, 12, 257, 65_537)])
    heads = list(dict.fromkeys(head for text in texts for head in re.findall(r"[^a]{1,6}", text)))
    for head in heads[:HEADS]:
        for size in sizes:
            run = "a" * size
            yield from (
                {char: f"{run}{head}{last}"} for char in "a0123456789" for last in ("", "a")
            )
            yield from ({f"{head}{run}": last} for last in ("", "a"))
            yield from ({f"a{head}{run}": last} for last in ("", "a"))


def long_stores(texts: list[str]) -> Iterator[Records]:
    """Yield stores with texts at the limits of a length of one digit, two digits, or one byte."""
    for text in texts:
        if len(text) == 1:
            repeated = [text * length for length in LENGTHS]
            yield from ({one: other} for one, other in product(repeated, repeat=2))
    yield from ({"a" * length: ""} for length in (999, 1000, 65_535, 65_536, 100_000))


def disguised(encode: Encoder) -> Iterator[Records]:
    """Yield stores of texts that look like bytes as the encoder writes them, with its mark."""
    for store in ({b"": ""}, {"": b""}, {b"a": ""}, {"": b"a"}):
        for text in _as_texts(encode, [store]):
            for start, end in combinations(range(min(len(text), PIECE) + 1), 2):
                yield from ({text[start:end]: ""}, {"": text[start:end]})


def typed_stores() -> Iterator[Records]:
    """Yield stores with bytes and texts: the same letters, and bytes that aren't UTF-8."""
    for one, other in product(["", b"", "a", b"a", b"\xff", b"\0"], repeat=2):
        yield {one: other}
    yield from ({"1": "", b"1": ""}, {b"1": "", "1": ""}, {"b'a'": "a"}, {"'a'": b"a"})
    for one, other in product([b"", b"\xbb", b"\x73", b"b", b"s"], repeat=2):
        yield {one: other}
    yield from ({"b'a'": ""}, {"61": ""}, {"YQ==": ""}, {"": "b'a'"}, {"": "61"}, {"": "YQ=="})
