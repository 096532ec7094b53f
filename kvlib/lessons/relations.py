"""Explain wrong bytes by a misunderstanding of the format that turns the right ones into them.

The right bytes are given as messages: units, which are sequences of parts. A `Relation` changes the
parts of a message as one mistake does, everywhere: it writes each length little-endian, or counts
characters, or puts the length before the tag. If that gives exactly what the answer gave, in every
case, then that is the mistake. The same relations explain a reader: if it can read the changed
bytes, and not the right ones, it has misunderstood the format in the same way.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, islice, permutations
from typing import Any, Final

from kvlib.encoding import Item


@dataclass(frozen=True)
class Part:
    """A part of a unit.

    Attributes:
        role: what it is: "tag", "length", "data", "count", "index", "total", "piece".
        data: its right bytes.
        number: the number that they are, or None.
        instead: what else people write here, by a description of it.
    """

    role: str
    data: bytes
    number: int | None = None
    instead: Mapping[str, bytes] = field(default_factory=dict)


Unit = tuple[Part, ...]
Message = tuple[Unit, ...]
Change = Callable[[Message], Message]


@dataclass(frozen=True)
class Relation:
    """A way to misunderstand a format.

    Attributes:
        writing: what to say to a writer: "Your length is little-endian."
        reading: what to say to a reader: "You read the length as little-endian."
        look: where to look.
        change: changes right messages in this way.
    """

    writing: str
    reading: str
    look: str
    change: Change


# --------------------------------------------------------------------------------- right messages


def u32(number: int) -> bytes:
    """Return a number in four bytes, big-endian; what is out of range is cut."""
    return (number % 2**32).to_bytes(4, "big")


def _number(role: str, number: int, instead: Mapping[str, int]) -> Part:
    others = {what: u32(other) for what, other in instead.items()}
    return Part(role, u32(number), number, others)


def field_unit(value: Item) -> Unit:
    """Return a field: tag, length, data."""
    data = value.encode() if isinstance(value, str) else value
    tag, other = (b"s", b"b") if isinstance(value, str) else (b"b", b"s")
    size = len(data)
    tags = {
        "`s` for bytes too": b"s",
        "`b` for text too": b"b",
        "`b` for text and `s` for bytes": other,
        "a capital letter": tag.upper(),
        "a number": b"\0" if tag == b"s" else b"\1",
        "a digit": b"0" if tag == b"s" else b"1",
        "two bytes": tag * 2,
        "`t`": b"t" if tag == b"s" else b"b",
    }
    lengths = {
        "the number of characters": len(value),
        "the size of the whole field": size + 5,
        "the size of the data and of the length itself": size + 4,
        "one more than the number of bytes": size + 1,
        "one less than the number of bytes": size - 1,
        "0 for every field": 0,
        "the number of bits": 8 * size,
    }
    text = value if isinstance(value, str) else None
    datas = {
        "written as Python shows it, with quotes": repr(value).encode(),
        "written as hex digits": data.hex().encode(),
        "encoded in Latin-1": data if text is None else text.encode("latin-1", "replace"),
        "encoded in UTF-16": data if text is None else text.encode("utf-16"),
        "encoded in ASCII, which doesn't know the character": (
            data if text is None else text.encode("ascii", "replace")
        ),
        "encoded in ASCII, which drops what it doesn't know": (
            data if text is None else text.encode("ascii", "ignore")
        ),
        "followed by a zero byte": data + b"\0",
        "followed by a newline": data + b"\n",
        "without its first byte": data[1:],
        "without its last byte": data[:-1],
        "cut to one byte: in struct, a single `s` is one byte": data[:1] or b"\0",
        "reversed": data[::-1],
        "stripped of white space": data.strip(),
    }
    return (
        Part("tag", tag, None, tags),
        _number("length", size, lengths),
        Part("data", data, None, datas),
    )


def snapshot_message(records: Mapping[Any, Any]) -> Message:
    """Return a snapshot: a count, then the key field and the value field of each record."""
    fields = [field_unit(item) for record in records.items() for item in record]
    size = sum(len(part.data) for unit in fields for part in unit)
    number = len(records)
    count = _number(
        "count",
        number,
        {
            "the number of fields": 2 * number,
            "the number of bytes that follow": size,
            "the size of the whole stream": size + 4,
            "one less than the number of records": number - 1,
            "one more than the number of records": number + 1,
            "1, whatever there is": 1,
            "0, whatever there is": 0,
        },
    )
    return ((count,), *fields)


def segment_messages(pieces: Sequence[bytes]) -> list[Message]:
    """Return segments: index, total, piece."""
    last, size = len(pieces) - 1, sum(map(len, pieces))
    found: list[Message] = []
    for index, piece in enumerate(pieces):
        indexes = {
            "that of the first piece with the same bytes": pieces.index(piece),
            "counted from 1": index + 1,
            "counted backwards": last - index,
            "an offset in the stream": sum(map(len, pieces[:index])),
            "0 in every segment": 0,
            "the length of the piece": len(piece),
        }
        totals = {
            "the last index": last,
            "one more than the number of segments": last + 2,
            "the number of bytes in the stream": size,
            "the number of bytes in all segments": size + 8 * len(pieces),
            "the length of the piece": len(piece),
            "the length of the whole segment": len(piece) + 8,
            "the number of segments that are left": last - index,
            "the number of segments from here on": last - index + 1,
            "the number of segments so far": index + 1,
            "1 in every segment": 1,
        }
        parts: Unit = (
            _number("index", index, indexes),
            _number("total", len(pieces), totals),
            Part("piece", piece, None, {}),
        )
        found.append((parts,))
    return found


# -------------------------------------------------------------------------------------- relations

BYTES: Final = "The reader counts bytes. How many bytes does `é` take, and when do you measure?"
ORDER: Final = "Which byte order does the format ask for?"
WIDTH: Final = "How many bytes does the format give it?"
DIGITS: Final = "The digit `0` is the byte 30. Which method of int turns a number into bytes?"
LOOKS: Final = {
    "tag": "Which byte stands for text, and which for bytes?",
    "length": "What should the length count?",
    "data": "Text is stored as UTF-8, and bytes as they are.",
    "count": "What should the count count?",
    "index": "Where does the format start counting, and what does it count?",
    "total": "What does a total count, so that it is the same in every segment?",
    "the number of characters": BYTES,
}

# How else a number is written, what that is called, and where to look.
FORMS: Final[tuple[tuple[Callable[[int], bytes], str, str], ...]] = (
    (
        lambda n: n.to_bytes(4, "little"),
        "little-endian: its least significant byte comes first",
        ORDER,
    ),
    (lambda n: bytes([n]), "only one byte long, so it can't go past 255", WIDTH),
    (lambda n: bytes([n % 256]), "cut to its last byte, so 256 becomes 0", WIDTH),
    (lambda n: u32(n % 256), "cut to its last byte, so 256 becomes 0", WIDTH),
    (lambda n: n.to_bytes(2, "big"), "only two bytes long, so it can't go past 65,535", WIDTH),
    (lambda n: n.to_bytes(3, "big"), "only three bytes long", WIDTH),
    (lambda n: n.to_bytes(8, "big"), "eight bytes long", WIDTH),
    (lambda n: n.to_bytes(2, "little"), "two bytes long, and little-endian", WIDTH),
    (lambda n: n.to_bytes(8, "little"), "eight bytes long, and little-endian", WIDTH),
    (lambda n: b"%d" % n, "written in digits", DIGITS),
    (lambda n: b"%04d" % n, "written in four digits", DIGITS),
    (lambda n: b"%08d" % n, "written in eight digits", DIGITS),
    (lambda n: b"%x" % n, "written in hex digits", DIGITS),
    (lambda n: b"%04x" % n, "written in four hex digits", DIGITS),
    (lambda n: b"%08x" % n, "written in eight hex digits", DIGITS),
    (lambda n: b"0x%x" % n, "written in hex digits", DIGITS),
    (lambda n: b"%d:" % n, "written in digits, with a colon", DIGITS),
    (
        lambda n: bytes(n),
        "made of zero bytes, as many as the number says",
        "`bytes(2)` is two zero bytes. Which method of int turns a number into bytes?",
    ),
    (
        lambda n: bytes(3) + n.to_bytes(4, "little"),
        "preceded by three zero bytes, and little-endian",
        "struct pads and uses the machine's own byte order, unless the format begins with `>`.",
    ),
    (
        lambda n: bytes(3) + n.to_bytes(4, "big"),
        "preceded by three zero bytes",
        "The parts of the format follow each other without padding.",
    ),
    (
        lambda n: bytes(7) + n.to_bytes(8, "little"),
        "preceded by seven zero bytes, eight bytes long and little-endian",
        "struct pads and uses the machine's own byte order, unless the format begins with `>`.",
    ),
)


def relations(messages: Sequence[Message]) -> list[Relation]:
    """Return the relations that make sense for these messages, the likeliest first."""
    parts = [part for message in messages for unit in message for part in unit]
    roles = list(dict.fromkeys(part.role for part in parts))
    numbers = list(dict.fromkeys(part.role for part in parts if part.number is not None))
    groups = [[role] for role in numbers] + ([numbers] if len(numbers) > 1 else [])
    found = []
    for role in roles:
        found += [_instead(role, what) for what in parts_instead(parts, role)]
    if {"data", "length"} <= set(roles):
        found[:0] = [_recoded(what) for what in parts_instead(parts, "data")]
    found += [_form(group, *form) for form in FORMS for group in groups[::-1]]
    found += [_without([role]) for role in roles]
    found += [_without(list(pair)) for pair in combinations(roles, 2)]
    shapes = dict.fromkeys(
        tuple(part.role for part in unit) for message in messages for unit in message
    )
    for shape in shapes:
        found += [_ordered(shape, order) for order in list(permutations(shape))[1:]]
        found += [_twice(role) for role in shape]
    found += [_columns(), _grouped(), _swapped(), _spread()] if len(roles) > 3 else []
    return found


def _instead(role: str, what: str) -> Relation:
    def changed(part: Part) -> Part:
        return replace(part, data=part.instead.get(what, part.data)) if part.role == role else part

    return Relation(
        f"Your {role} is {what}.",
        f"You read the {role} as if it were {what}.",
        LOOKS.get(what) or LOOKS[role],
        _each(changed),
    )


def parts_instead(parts: Sequence[Part], role: str) -> list[str]:
    """Return what else people write for a part, by its descriptions."""
    return list(dict.fromkeys(what for one in parts if one.role == role for what in one.instead))


def _recoded(what: str) -> Relation:
    """Return a relation that changes data, and the length that is measured afterwards."""

    def changed(unit: Unit) -> Unit:
        data = [part.instead.get(what, part.data) for part in unit if part.role == "data"]
        new = {"data": data[0], "length": u32(len(data[0]))} if data else {}
        return tuple(replace(part, data=new.get(part.role, part.data)) for part in unit)

    return Relation(
        f"Your data is {what}.",
        f"You read the data as if it were {what}.",
        LOOKS["data"],
        lambda message: tuple(map(changed, message)),
    )


def _form(roles: Sequence[str], form: Callable[[int], bytes], what: str, look: str) -> Relation:
    def changed(part: Part) -> Part:
        if part.role in roles and part.number is not None:
            return replace(part, data=form(part.number))
        return part

    if len(roles) == 1:
        writing, reading = (
            f"Your {roles[0]} is {what}.",
            f"You read the {roles[0]} as if it were {what}.",
        )
        return Relation(writing, reading, look, _each(changed))
    plural = re.sub(r"\bits\b", "their", re.sub(r"\bit\b", "they", what))
    plural = plural.replace("the number says", "they say")
    writing, reading = (
        f"Your numbers are {plural}.",
        f"You read the numbers as if they were {plural}.",
    )
    return Relation(writing, reading, look.replace(" it?", " them?"), _each(changed))


def _without(roles: Sequence[str]) -> Relation:
    names = " and the ".join(roles)
    verb = "are" if len(roles) > 1 else "is"
    return Relation(
        f"The {names} {verb} missing.",
        f"You read the data as if there were no {' and no '.join(roles)} in it.",
        "Which parts does the format have, and in which order?",
        lambda message: tuple(
            tuple(part for part in unit if part.role not in roles) for unit in message
        ),
    )


def _twice(role: str) -> Relation:
    return Relation(
        f"The {role} is there twice.",
        f"You read the {role} twice.",
        "Which line adds it a second time?",
        lambda message: tuple(
            tuple(part for part in unit for _ in range(1 + (part.role == role))) for unit in message
        ),
    )


def _ordered(shape: tuple[str, ...], order: tuple[str, ...]) -> Relation:
    def changed(unit: Unit) -> Unit:
        if tuple(part.role for part in unit) != shape:
            return unit
        return tuple(next(part for part in unit if part.role == role) for role in order)

    names = ", ".join(order)
    return Relation(
        f"All the parts are here, but in another order: {names}.",
        f"You read the parts in another order: {names}.",
        "Which comes first in the format, and which comes next?",
        lambda message: tuple(map(changed, message)),
    )


def _columns() -> Relation:
    return Relation(
        "All the keys come first, and then all the values.",
        "You read all the keys first, and then all the values.",
        "Where does the value of the first key belong?",
        lambda message: (message[0], *message[1::2], *message[2::2]),
    )


def _grouped() -> Relation:
    def changed(message: Message) -> Message:
        heads = [tuple(part for part in unit if part.role != "data") for unit in message[1:]]
        datas = [tuple(part for part in unit if part.role == "data") for unit in message[1:]]
        return (message[0], *heads, *datas)

    return Relation(
        "All the tags and lengths come first, and then all the data.",
        "You read all the tags and lengths first, and then all the data.",
        "What comes right after the length of a field?",
        changed,
    )


def _swapped() -> Relation:
    def changed(message: Message) -> Message:
        pairs = zip(message[1::2], message[2::2], strict=True)
        return (message[0], *(unit for key, value in pairs for unit in (value, key)))

    return Relation(
        "The value of each record comes before its key.",
        "You read the value of each record before its key.",
        "Which of them does the format put first?",
        changed,
    )


def _spread() -> Relation:
    return Relation(
        "The count comes at the end.",
        "You read the count at the end.",
        "Where must a reader find the count, to know how many records to read?",
        lambda message: (*message[1:], message[0]),
    )


def _each(changed: Callable[[Part], Part]) -> Change:
    return lambda message: tuple(tuple(map(changed, unit)) for unit in message)


# ------------------------------------------------------------------------------------ explanations

Spelling = Mapping[str, Sequence[Message]]  # by what is wrong with the messages; "" if nothing is


def _rendered(messages: Sequence[Message], relations: Sequence[Relation], like: Any) -> Any:
    """Return the bytes of changed messages: a list if `like` is one, and None if they can't be."""
    try:
        for relation in relations:
            messages = [relation.change(message) for message in messages]
    except (OverflowError, ValueError):
        return None
    found = [b"".join(part.data for unit in one for part in unit) for one in messages]
    return found if type(like) is list else b"".join(found)


def explain_writing(pairs: Sequence[tuple[Spelling, Any, bool]]) -> list[str]:
    """Return what is wrong with results, if one or two misunderstandings explain all of them.

    If none explains all, one is named that explains the wrong ones, unless another one does too.

    Args:
        pairs: for each case, how its result can be spelled, the result, and whether it is right.
    """
    spellings, results = [one for one, _, _ in pairs], [one for _, one, _ in pairs]
    bases = list(dict.fromkeys(says for one in spellings for says in one))
    every = relations([message for one in spellings for message in one[""]])

    def fits(base: str, changes: Sequence[Relation], number: int) -> bool:
        messages = spellings[number].get(base, spellings[number][""])
        rendered = _rendered(messages, changes, results[number])
        return rendered is not None and bool(rendered == results[number])

    def fitting(numbers: Sequence[int], pairs: bool) -> Iterator[list[str]]:
        for base, changes in _candidates(bases, every, pairs):
            if all(fits(base, changes, number) for number in numbers):
                yield [*filter(None, [base]), *(f"{one.writing} {one.look}" for one in changes)]

    everywhere = range(len(pairs))
    failing = [number for number, (_, _, right) in enumerate(pairs) if not right]
    for two in (False, True):
        if says := next(fitting(everywhere, two), []):
            return says
    only = list(islice(fitting(failing, False), 2))
    return only[0] if len(only) == 1 else []


def _candidates(
    bases: Sequence[str], every: Sequence[Relation], pairs: bool
) -> Iterator[tuple[str, Sequence[Relation]]]:
    """Yield what may be wrong: one thing, or two."""
    wrong = [base for base in bases if base]
    if pairs:
        yield from (("", two) for two in combinations(every, 2))
        yield from ((base, [one]) for base in wrong for one in every)
    else:
        yield from (("", [one]) for one in every)
        yield from ((base, []) for base in wrong)


def explain_reading(
    samples: Sequence[tuple[Sequence[Message], Any]], read: Callable[[Any], Any], like: Any
) -> str:
    """Return the misunderstanding of the format by which a reader reads right, or "".

    Args:
        samples: right messages, and what they mean.
        read: reads bytes, or a list of them; anything but the right meaning is a failure.
        like: bytes or a list, whichever the reader takes.
    """
    right = [_rendered(messages, [], like) for messages, _ in samples]
    if all(read(data) == meaning for data, (_, meaning) in zip(right, samples, strict=True)):
        return ""
    for one in relations([message for messages, _ in samples for message in messages]):
        changed = [_rendered(messages, [one], like) for messages, _ in samples]
        differs = [
            number for number, data in enumerate(changed) if data not in (None, right[number])
        ]
        if len(differs) * 2 > len(samples) and all(
            read(changed[number]) == samples[number][1] for number in differs
        ):
            return f"{one.reading} {one.look}"
    return ""
