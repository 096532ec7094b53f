"""The delimiter lab: type a key and a value, and see how a parser reads them."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

from kvlib import naive
from kvlib.layout.dissect import Layout, Region, walk_again
from kvlib.layout.regions import group
from kvlib.layout.text import BLOCK, fit, hanging, lines
from kvlib.views import arguments, parsed, readers
from kvlib.views.dump import windows
from kvlib.views.html import Screen
from kvlib.views.parsed import Parse
from kvlib.views.plain import told

if TYPE_CHECKING:
    from kvlib.views.widgets import Explorer

Encode = Callable[[dict[str, str]], bytes]
Decode = Callable[[bytes], Mapping[str, str]]

SEEN = "the bytes, as the parser saw them"
MEANT, GOT = "you meant       ", "the parser got  "


def delimiters(
    encode: Encode | None = None,
    decode: Decode | None = None,
    *,
    key: str = "café",
    value: str = "2,50 €",
    between: str = ":",
    after: str = ",",
) -> "Explorer":
    """Show your input, its bytes, and the result of a parser, for a record that you type.

    Args:
        encode: your own function {key: value} -> bytes; by default `naive.encode_delimited`.
        decode: your own function bytes -> {key: value}; by default `naive.decode_delimited`.
        key: the first key.
        value: the first value.
        between: the delimiter after the key. With your own function it can't be typed, and applies
            to the other, default function.
        after: the delimiter after the value; likewise.

    Raises TypeError unless functions are functions of one argument, and the others are str.
    """
    for name, text in (("key", key), ("value", value), ("between", between), ("after", after)):
        arguments.check_kind(name, text, str, "is a str")
    if encode is not None:
        arguments.check_function("encode", encode, "record")
    if decode is not None:
        arguments.check_function("decode", decode, "data")
    from kvlib.views.widgets import Explorer

    if encode is None and decode is None:
        fields = {"key": key, "value": value, "between": between, "after": after}
        return Explorer(_cut_at_delimiters, fields)
    show = partial(
        _by_your_functions,
        encode or partial(naive.encode_delimited, between=between, after=after),
        decode or partial(naive.decode_delimited, between=between, after=after),
    )
    return Explorer(show, {"key": key, "value": value})


def _cut_at_delimiters(key: str, value: str, between: str, after: str) -> Screen:
    meant = {key: value}
    data = naive.encode_delimited(meant, between, after)
    layout = delimited(data, between, after)
    record = [_written(data, key, value, between, after)]
    try:
        got = naive.decode_delimited(data, between, after)
    except ValueError as error:
        words = f"{type(error).__name__}: {error}"
        return _screen(meant, layout, words, "MISMATCH: no record", Parse("refused", record))
    read = naive.read_delimited
    parse = Parse("right" if got == meant else "wrong", record, len([*read(data, between, after)]))
    parse = parse._replace(looked=partial(_looked_at, data, between, after))
    own = [leaf.name for leaf in record[0].leaves() for _ in range(leaf.start, leaf.end)]
    its = [leaf.name for leaf in layout.root.leaves() for _ in range(leaf.start, leaf.end)]
    for at, (mine, name) in enumerate(zip(own, its, strict=True)):
        if mine != name:
            word = "the same, by luck" if got == meant else "MISMATCH"
            verdict = f"{word} at byte {at}: written as {mine}, read as {name}"
            return _screen(meant, layout, repr(got), verdict, parse._replace(at=at))
    return _screen(meant, layout, repr(got), "the same", parse)


def _written(data: bytes, key: str, value: str, between: str, after: str) -> Region:
    """Return the record as its writer meant it."""
    ends = [*accumulate(len(text.encode()) for text in (key, between, value, after))]
    return _record(
        "record[0]",
        naive.Piece(0, key, ends[0]),
        naive.Piece(ends[1], value, ends[2]),
        len(data) - ends[2],
    )


def _looked_at(data: bytes, between: str, after: str, at: int) -> bool:
    """Return whether the parser's answer changes with a byte: it becomes one that no text has."""
    changed = data[:at] + b"\xff" + data[at + 1 :]
    return _answer(changed, between, after) != _answer(data, between, after)


def _answer(data: bytes, between: str, after: str) -> dict[str, str] | str:
    try:
        return naive.decode_delimited(data, between, after)
    except ValueError as error:
        return str(error)


def _by_your_functions(encode: Encode, decode: Decode, key: str, value: str) -> Screen:
    meant = {key: value}
    data = encode(dict(meant))
    if not isinstance(data, (bytes, bytearray)):
        raise TypeError(f"your encoder gave {type(data).__name__}, not bytes")
    data = bytes(data)
    whole = Region(0, len(data), "raw", "bytes", len(data), "bytes, as they are written")
    layout = Layout("the bytes", data, group("data", [whole]))
    try:
        got = decode(data)
        same = readers.same_records(got, meant)
        parse = Parse("right" if same else "wrong")
        return _screen(
            meant, layout, readers.one_line(got), "the same" if same else "MISMATCH", parse
        )
    except Exception as error:  # a learner's function may raise anything
        words = readers.error_line(error)
        return _screen(meant, layout, words, "MISMATCH: no record", Parse("refused"))


def _screen(meant: dict[str, str], layout: Layout, got: str, verdict: str, parse: Parse) -> Screen:
    heading, written, got = f"{layout.source}:", told(meant), fit(got, readers.ANSWER)
    shown = windows(len(layout.data), BLOCK, len(layout.data))

    def text() -> Iterator[str]:
        yield from hanging(MEANT, written)
        yield from ("", heading, "")
        yield from lines(layout.data, walk_again(layout), shown)
        yield from ("", *hanging(GOT, got), *hanging("", verdict))

    whole = "\n".join(text())
    figure = parsed.draw(layout, got, verdict, parse, whole)
    return Screen(whole, figure.still(), figure.html())


def delimited(data: bytes, between: str, after: str) -> Layout:
    """Return the bytes as `naive.decode_delimited` sees them."""
    parts: list[Region] = []
    try:
        for number, (key, value) in enumerate(naive.read_delimited(data, between, after)):
            parts.append(_record(f"record[{number}]", key, value, len(after.encode())))
    except ValueError as error:  # an empty delimiter: Python's own error
        whole = Region(0, len(data), "gap", "rest", status="bad")
        reason = f"{type(error).__name__}: {error}"
        return Layout(SEEN, data, group("data", [whole]), 0, reason)
    if not parts or parts[-1].end < len(data):
        at = parts[-1].end if parts else 0
        note = "after the last delimiter: the parser drops it"
        parts.append(Region(at, len(data), "gap", "rest", None, note, "unread"))
    return Layout(SEEN, data, group("data", parts))


def _record(name: str, key: naive.Piece, value: naive.Piece, after: int) -> Region:
    parts = [Region(key.start, key.end, "key", name + ".key", key.text)]
    if value.start > key.end:
        parts.append(Region(key.end, value.start, "delimiter", name + ".between"))
    parts.append(Region(value.start, value.end, "value", name + ".value", value.text))
    end = Region(value.end, value.end + after, "delimiter", name + ".after")
    return group(name, [*parts, end])
