"""The exercises of notebook 1."""

from typing import Any, Final

from kvlib.encoding import decode_field, decode_snapshot, encode_field, encode_snapshot
from kvlib.judge import run_snapshots
from kvlib.lessons import mistakes, search, solutions
from kvlib.lessons.exercise import Case, Exercise, Finding, Function, Mistake
from kvlib.lessons.guard import run
from kvlib.lessons.result import short

BYTES_COUNTED: Final = (
    "The length counts characters, and its reader counts bytes. How many bytes does `é` take, and "
    "when do you measure?"
)
BIG_FIRST: Final = (
    "The length is little-endian: the byte that is worth most stands last. Which order does the "
    "format say?"
)

LENGTH: Final = Exercise(
    name="01-length",
    kind="predict",
    objective="tell from a text how many bytes its field has",
    task='How many bytes long is the field of the text `"déjà vu"`: tag, length and data together?',
    stub="prediction = ...",
    names=("prediction",),
    solution=(solutions.length,),
    cases=(Case(),),
    mistakes=(
        Mistake(7, "That is the number of characters. A field holds bytes, and not only the data."),
        Mistake(9, "That is the data alone. What stands before it in a field?"),
        Mistake(12, "That counts characters. `é` and `à` are one character each: how many bytes?"),
        Mistake(13, "One byte is missing. How does the reader know whether it is a text or bytes?"),
        Mistake(
            10, "A length that takes one byte ends at 255. How many bytes does a field's take?"
        ),
        Mistake(19, "Not every character takes two bytes in UTF-8. Which of these do?"),
        Mistake(15, "One too many. A field has no mark at its end: its length says where that is."),
    ),
    hints=(
        "A field is tag, length, data. How many bytes do the first two take, whatever the text?",
        "The letters of plain English and the space take one byte each in UTF-8, `é` and `à` two.",
        'Let Python count: `len("déjà vu".encode())` is the data; the rest is always the same.',
    ),
    why="Five bytes for tag and length, and nine for seven characters: two of them take two.",
    points=1,
    minutes=1,
)

ENCODE_FIELD: Final = Exercise(
    name="01-encode-field",
    kind="function",
    objective="write a field: tag, length in bytes, data",
    task=(
        "One line is missing. A field is a tag (one byte), the length of the data (four bytes, "
        "big-endian) and the data."
    ),
    stub="""\
def encode_field(value):
    tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("encode_field",),
    solution=(solutions.encode_field,),
    cases=(
        Case(("",), "an empty text"),
        Case((b"",), "no bytes at all, which are no text either"),
        Case(("a",), "one letter"),
        Case((b"a",), "one byte"),
        Case(("é",), "a character of two bytes"),
        Case(("€é",), "characters of three bytes and of two"),
        Case((b"\xff\0",), "bytes that are no text"),
        Case(("s\0\0\0\1a",), "a text that looks like a field"),
        Case(("a" * 256,), "a length that needs its second byte"),
        Case((b"a" * 65536,), "a length that needs its third byte"),
    ),
    mistakes=(
        Mistake(mistakes.field_counts_characters, BYTES_COUNTED),
        Mistake(mistakes.field_is_little_endian, BIG_FIRST),
        Mistake(
            mistakes.field_counts_its_head,
            "The length is five too large: does it count the data, or the whole field?",
        ),
        Mistake(
            mistakes.field_has_no_tag,
            "The field begins with its length. How will the reader know a text from bytes?",
        ),
        Mistake(
            mistakes.field_is_always_text,
            "Every field is tagged as a text. What does `tag` hold for bytes?",
        ),
        Mistake(
            mistakes.field_has_a_short_length,
            "The length takes one byte, which ends at 255. How many does the format give it?",
        ),
        Mistake(
            mistakes.field_writes_length_as_text,
            "The length is written as digits, `0` being the byte 30. Which method of int makes "
            "bytes of a number?",
        ),
        Mistake(
            mistakes.field_has_its_length_first,
            "The parts are right, and their order is not: what comes first in a field?",
        ),
        Mistake(mistakes.field_has_no_data, "Tag and length are there. Where is the data?"),
        Mistake(
            mistakes.field_as_hex,
            "That is a text that shows the bytes in hex digits. Return the bytes themselves.",
        ),
    ),
    hints=(
        "Three parts, one behind the other: `+` joins bytes. Two of them have a name already.",
        "`data` is what is stored, so its length is the one that counts: `len(data)`.",
        "A number becomes bytes by `number.to_bytes(size, order)`. Which size, which order?",
    ),
    why="Encode first, then measure; the length stands in front, so nobody searches in the data.",
    points=2,
    minutes=3,
    own={"encode_field": encode_field},
    format=("field",),
)

DECODE_ORDER: Final = Exercise(
    name="01-decode-order",
    kind="order",
    objective="put the steps of a decoder in an order in which each has what it needs",
    task=(
        "These are the lines of `read_text(data, offset)`, which reads a length of four bytes and "
        "then a text; they are shuffled. It must refuse a length that promises too much. Write "
        "down the order of their numbers."
    ),
    stub="order = ...",
    names=("order",),
    solution=(solutions.read_text,),
    head="def read_text(data, offset):",
    lines=(
        "return text, end",
        "end = start + length",
        "text = data[start:end].decode()",
        'length = int.from_bytes(data[offset:start], "big")',
        'if end > len(data):\n    raise ValueError("the length promises more than is left")',
        "start = offset + 4",
    ),
    order=(6, 4, 2, 5, 3, 1),
    cases=(
        Case((b"\0\0\0\0", 0), "an empty text"),
        Case((b"\0\0\0\1a", 0), "one letter"),
        Case((b"!!\0\0\0\1a!", 2), "a text in the middle of the data"),
        Case((b"\0\0\0\2a", 0), "a length that promises one byte too many", refused=True),
        Case((b"\0\0\0\2\xc3", 0), "an é that is cut in half", refused=True),
        Case((b"\1\0\0\0a", 0), "a length that promises 16 megabytes", refused=True),
    ),
    mistakes=(
        Mistake(
            [6, 4, 2, 3, 1, 5],
            "Line 5 stands behind the `return`, so it is never reached. When is a length checked?",
        ),
        Mistake(
            [4, 6, 2, 5, 3, 1],
            "Line 4 reads up to `start`. Which line says where that is?",
        ),
        Mistake([2, 6, 4, 5, 3, 1], "Line 2 begins at `start`. Which line says where that is?"),
        Mistake([3, 6, 4, 2, 5, 1], "Line 3 slices from `start`. Which line says where that is?"),
        Mistake([6, 2, 4, 5, 3, 1], "Line 2 adds `length`. Which line finds that out?"),
        Mistake([6, 4, 5, 2, 3, 1], "Line 5 compares `end`. Which line computes it?"),
        Mistake([6, 4, 2, 5, 1, 3], "Line 1 returns `text`. Which line makes it?"),
        Mistake([6, 4, 3, 2, 5, 1], "Line 3 slices up to `end`. Which line computes that?"),
        Mistake(
            [6, 4, 2, 3, 5, 1],
            "Line 3 uses the length before line 5 has checked it. Half a character then makes the "
            "decoder complain of the text, and the length is to blame.",
        ),
    ),
    hints=(
        "Ask of each line: which names does it use? Each must be set by a line above it.",
        "Only one line uses nothing but `offset`: it is the first. The last is clear too.",
        "A length is not to be trusted: it is read, then checked, and only then used to slice.",
    ),
    why="Read the length, check it against what is there, and only then slice.",
    points=2,
    minutes=3,
)


def _is_bytes(stream: bytes, records: object) -> bool:
    return True


DELIMITER: Final = Exercise(
    name="01-delimiter",
    kind="function",
    objective="judge whether a format can be confused by what it stores",
    task=(
        "Write `encode(records)`: any bytes you like, so that different records never give the "
        "same bytes. Keys and values are str or bytes. The check tries to confuse it."
    ),
    stub="""\
def encode(records):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("encode",),
    solution=(solutions.encode,),
    cases=(
        Case(({},), "a store with nothing in it"),
        Case(({"a": "1"},), "one record"),
        Case(({"a": "1", "b": "2"},), "two records"),
    ),
    read=(_is_bytes,),
    probe=search.break_encoder,
    mistakes=(
        Mistake(mistakes.with_delimiters, search.SENTENCES["marks"]),
        Mistake(mistakes.with_long_delimiters, search.SENTENCES["marks"]),
        Mistake(mistakes.with_escaped_delimiters_only, search.SENTENCES["marks"]),
        Mistake(mistakes.with_decimal_lengths, search.SENTENCES["lengths"]),
        Mistake(mistakes.with_lengths_modulo_256, search.SENTENCES["lengths"]),
        Mistake(mistakes.with_lengths_of_one_byte, search.REFUSED["lengths"]),
        Mistake(mistakes.with_ascii_only, search.SENTENCES["characters"]),
        Mistake(mistakes.without_types, search.SENTENCES["types"]),
        Mistake(mistakes.with_text_only, search.REFUSED["types"]),
    ),
    hints=(
        "What tells the reader where a key ends? If that can occur in a key, it can be confused.",
        "A reader that never searches in the data can't be confused. What must it know first?",
        "Write the length in a fixed number of bytes before each key and value, and before that "
        "one byte for the type.",
    ),
    why=(
        "Of some thousand small stores no two have the same bytes. What stands before the data, "
        "and is written in a fixed number of bytes, can't be confused with it."
    ),
    points=3,
    minutes=8,
    own={"encode_snapshot": encode_snapshot, "encode_field": encode_field},
)


def their_encode(records: dict[Any, Any]) -> bytes:
    """Bug hunt: each key and value behind a length of four bytes."""
    stream = b""
    for record in records.items():
        for value in record:
            data = value.encode() if isinstance(value, str) else value
            stream += len(data).to_bytes(4, "big") + data
    return stream


def their_decode(stream: bytes) -> dict[Any, Any]:
    """Bug hunt: what it believes that it wrote."""
    items: list[Any] = []
    while stream:
        end = 4 + int.from_bytes(stream[:4], "big")
        data, stream = stream[4:end], stream[end:]
        try:
            items.append(data.decode())
        except UnicodeDecodeError:
            items.append(data)
    return dict(zip(items[::2], items[1::2], strict=True))


def _comes_back(found: dict[Any, Any]) -> bool:
    for value in (*found, *found.values()):
        if type(value) not in (str, bytes):
            raise ValueError(f"keys and values are str or bytes, not {type(value).__name__}")
    return their_decode(their_encode(found)) == found


def _their_answer(found: Any) -> str:
    try:
        return f"back as {short(their_decode(their_encode(found)))}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


BUG_HUNT: Final = Exercise(
    name="01-bug-hunt",
    kind="predict",
    objective="find the records for which a format that passed its tests fails",
    task=(
        "`their_encode` and `their_decode` kept their promise for texts in every script, for "
        "photographs, and for every delimiter. Find records, str or bytes, that don't come back as "
        "they were."
    ),
    stub="found = ...",
    names=("found",),
    solution=(solutions.found,),
    cases=(Case(),),
    read=(_comes_back,),
    shown=_their_answer,
    mistakes=(
        Mistake(
            {"café": "2,50 €"},
            "These come back: the length is measured after encoding, so it counts bytes. What "
            "besides the length must a reader know?",
            lambda found: any(not str(one).isascii() for one in _all(found)),
        ),
        Mistake(
            {"a=b;": "|"},
            "These come back: the reader jumps over the data, and no delimiter in it is looked at.",
            lambda found: any(set("=;|:,\n\\") & set(str(one)) for one in _texts(found)),
        ),
        Mistake(
            {"": ""},
            "These come back: an empty text is a length of 0, which is four bytes. What else can "
            "be empty?",
            lambda found: "" in _all(found),
        ),
        Mistake(
            {"photo": b"\xff\xd8"},
            "These come back. Look at how the reader notices that they are bytes and no text: does "
            "it always?",
            lambda found: any(isinstance(one, bytes) for one in _all(found)),
        ),
        Mistake(
            {"a": "b" * 300},
            "These come back: four bytes of length are enough for 4 GB.",
            lambda found: any(len(one) > 255 for one in _texts(found)),
        ),
        Mistake(
            {1: "a"},
            "Keys and values are str or bytes here; nobody promised that others come back.",
            lambda found: any(type(one) not in (str, bytes) for one in _all(found)),
        ),
        Mistake(
            {}, "No records are no problem: no bytes, and nothing to read.", lambda found: not found
        ),
    ),
    hints=(
        "A reader must know two things of each piece: where it ends, and what else?",
        "Follow a piece through `their_decode`: how does it decide between a text and bytes?",
        "It tries UTF-8, and takes the piece for bytes if that fails. For which bytes doesn't it "
        "fail?",
    ),
    why=(
        "Bytes that happen to be good UTF-8 come back as a text. The type was never written, and "
        "what is not written can only be guessed: the cure is a tag."
    ),
    points=2,
    minutes=5,
)


def _all(found: dict[Any, Any]) -> list[Any]:
    return [*found, *found.values()]


def _texts(found: dict[Any, Any]) -> list[str]:
    return [one for one in _all(found) if isinstance(one, str)]


STREAM: Final = solutions.encode_snapshot({"a": "", b"a": "é"})
EMPTY_RECORD: Final = bytes.fromhex("73000000007300000000")


def _decoded(stream: bytes, records: object) -> object:
    return decode_snapshot(stream)


def _large_snapshots() -> list[Case]:
    few: dict[str | bytes, str | bytes] = {f"key {n}": b"v" * 80 for n in range(2_000)}
    many: dict[str | bytes, str | bytes] = {f"key {n}": b"v" * 100 for n in range(8_000)}
    return [
        Case((few,), "a snapshot of 2,000 records"),
        Case((solutions.encode_snapshot(many),), "a stream of 8,000 records", 1),
    ]


UNCHECKED: Final = (
    "A stream that is cut short is accepted: a slice that runs past the end gives what is there, "
    "and doesn't complain. What has to be compared before each slice?"
)

SNAPSHOT: Final = Exercise(
    name="01-snapshot",
    kind="functions",
    objective="write a whole snapshot as bytes, read it back, and refuse what can't be right",
    task=(
        "Write `encode_snapshot(records)` and `decode_snapshot(data)`: a count of four bytes, then "
        "the key field and the value field of each record. The decoder raises a ValueError for "
        "whatever can't be right: a cut, a wrong tag, a doubled key, bytes behind the end."
    ),
    stub="""\
def encode_snapshot(records):
    raise NotImplementedError  # YOUR CODE HERE


def decode_snapshot(data):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("encode_snapshot", "decode_snapshot"),
    solution=(solutions.encode_snapshot, solutions.decode_snapshot),
    cases=(
        Case(({},), "a store with nothing in it"),
        Case(({"": ""},), "an empty key and an empty value"),
        Case(({"a": "b"},), "one record"),
        Case(({"é": ""},), "a character of two bytes"),
        Case(({"": b"\xff"},), "bytes that are no text"),
        Case(({"1": "", b"1": ""},), "a text and bytes that look alike"),
        Case(({"b": "", "a": ""},), "two records"),
        Case(({"a": "b" * 256},), "a length that needs its second byte"),
        Case((bytes(4),), "a stream with nothing in it", 1),
        Case((bytes(3) + b"\1" + EMPTY_RECORD,), "an empty key and an empty value", 1),
        Case((solutions.encode_snapshot({"a": "b"}),), "one record", 1),
        Case((solutions.encode_snapshot({"é": ""}),), "a character of two bytes", 1),
        Case((solutions.encode_snapshot({"": b"\xff"}),), "bytes that are no text", 1),
        Case((STREAM,), "a text and bytes that look alike", 1),
        Case((b"",), "no bytes at all, not even a count", 1, refused=True),
        Case((bytes(3),), "a count that is cut short", 1, refused=True),
        Case((bytes(5),), "a byte behind the end", 1, refused=True),
        Case((bytes(3) + b"\1",), "a count of one, and no record", 1, refused=True),
        *(
            Case((STREAM[:end],), "a stream that is cut short", 1, refused=True)
            for end in range(5, len(STREAM))
        ),
        Case((bytes(3) + b"\1t" + EMPTY_RECORD[1:],), "a tag that is none", 1, refused=True),
        Case((bytes(3) + b"\2" + 2 * EMPTY_RECORD,), "a key that is doubled", 1, refused=True),
        Case((STREAM[:-2] + b"\xff\xff",), "a text that is no UTF-8", 1, refused=True),
        Case((b"\xff" * 4,), "a count of four billion, and no record", 1, refused=True),
    ),
    read=(_decoded, None),
    format=("snapshot", ""),
    given=("", "snapshot"),
    large=_large_snapshots,
    mistakes=(
        Mistake(
            mistakes.snapshot_without_count,
            "The stream begins with the first record. What stands before it in the format?",
        ),
        Mistake(
            mistakes.snapshot_counts_fields,
            "The count is twice too large: a record has two fields. Which of them are counted?",
        ),
        Mistake(
            mistakes.snapshot_counts_bytes,
            "The count says how many bytes follow. What should it count?",
        ),
        Mistake(mistakes.snapshot_counts_characters, BYTES_COUNTED),
        Mistake(mistakes.snapshot_is_little_endian, BIG_FIRST),
        Mistake(
            mistakes.snapshot_is_always_text,
            "Every field is tagged as a text, so bytes come back as one. When is the tag `b`?",
        ),
        Mistake(
            mistakes.snapshot_without_empty_values,
            "A record whose value is empty is left out. What does `if value` say of an empty text?",
        ),
        Mistake(
            mistakes.snapshot_with_delimiters,
            "The records are divided by delimiters, and data may hold those. The format has none.",
        ),
        Mistake(
            mistakes.snapshot_by_pickle,
            "That is pickle's format, and reading it runs whatever it says. Write the bytes of "
            "the format yourself.",
        ),
        Mistake(
            mistakes.snapshot_by_repr,
            "That is Python's way to show a dict, and reading it needs `eval`, which runs "
            "whatever it says. Write the bytes of the format yourself.",
        ),
        Mistake(mistakes.decode_slices_unchecked, UNCHECKED, of=1),
        Mistake(
            mistakes.decode_ignores_the_rest,
            "Bytes behind the last record are ignored. Where must the offset be in the end?",
            of=1,
        ),
        Mistake(
            mistakes.decode_ignores_the_count,
            "The count is jumped over. It promises a number of records: is that how many came?",
            of=1,
        ),
        Mistake(
            mistakes.decode_lets_the_last_win,
            "A key that stands there twice is accepted, and one of its values is lost. When does "
            "the decoder notice?",
            of=1,
        ),
        Mistake(
            mistakes.decode_makes_all_text,
            "Everything is decoded as a text. What does the tag say?",
            of=1,
        ),
        Mistake(
            mistakes.decode_is_little_endian,
            "The count and the lengths are read as little-endian. Which order does the format say?",
            of=1,
        ),
    ),
    hints=(
        "Write a function for one field first, and its twin that reads one: it takes an offset, "
        "and gives the value and the offset behind it.",
        "The count says how often the decoder reads a key and a value. Afterwards its offset must "
        "be the length of the data, exactly.",
        "Put the check into one small function that takes an offset and a size, and raises a "
        "ValueError if the data ends before. Then read everything through it.",
    ),
    why="Encoder and decoder are mirrors; the decoder checks each length before it slices.",
    points=6,
    minutes=15,
    own={
        "encode_snapshot": encode_snapshot,
        "decode_snapshot": decode_snapshot,
        "encode_field": encode_field,
        "decode_field": decode_field,
    },
)

SAVE: Final = ("serialize", "p")
LOAD: Final = ("deserialize", "p")


def _asked(index: int, operations: list[tuple[Any, ...]]) -> str:
    number, operation = [(n, one) for n, one in enumerate(operations) if one[0] == "get"][index]
    return f"operation {number}, {short(operation, 60)}"


def _large_operations() -> list[Case]:
    puts = [("put", f"key {number}", b"v" * 50) for number in range(1_000)]
    saves = [SAVE, ("put", "a", "1"), LOAD] * 10
    gets = [("get", f"key {number % 1000}") for number in range(97_000)]
    return [Case(([*puts, *saves, *gets],), "100,000 operations on 1,000 records")]


KEPT: Final = (
    "The value that came back is the very object that was put in: it never became bytes. Keep "
    "under each path one `bytes`, as a file would hold it."
)


def _never_bytes(functions: tuple[Function, ...]) -> Finding | None:
    """Whether a value survives as the object that it was: decoding makes a new one."""
    value = "".join(["two ", "words"])
    operations = [("put", "a", value), SAVE, LOAD, ("get", "a")]
    outcome = run(functions[0], (operations,))
    if outcome.value[0] is not value:
        return None
    return Finding(f"run_snapshots({operations})", short(outcome.value), KEPT)


RUN_SNAPSHOTS: Final = Exercise(
    name="01-run-snapshots",
    kind="function",
    objective="save and restore the state of a store as bytes, exactly",
    task=(
        "Write `run_snapshots(operations)`: a list of tuples goes in, the list of what each `get` "
        "gave comes out. `put key value`, `get key` (None if it is missing), `delete key` (if it "
        "is there), `serialize path` (the whole state as one `bytes`, kept under this name), "
        "`deserialize path` (the state becomes exactly what was saved). Keys and values are str or "
        "bytes; up to 100,000 operations. Neither kvlib nor pickle, neither repr nor eval."
    ),
    stub="""\
def run_snapshots(operations):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("run_snapshots",),
    solution=(solutions.run_snapshots,),
    cases=(
        Case(([],), "no operations, and no results"),
        Case(([("get", "a")],), "a key that was never put"),
        Case(([("put", "a", "1"), ("get", "a")],), "one record"),
        Case(([("delete", "a"), ("get", "a")],), "the deletion of what isn't there"),
        Case(([("put", "a", ""), ("get", "a")],), "an empty value"),
        Case(([("put", "a", "1"), SAVE, LOAD, ("get", "a")],), "one record, saved and loaded"),
        Case(([("put", "a", ""), SAVE, LOAD, ("get", "a")],), "an empty value, saved and loaded"),
        Case(([SAVE, ("put", "a", "1"), LOAD, ("get", "a")],), "an empty state, saved and loaded"),
        Case(
            ([("put", "a", "1"), SAVE, ("put", "a", "2"), LOAD, ("get", "a")],),
            "a record that was changed after it was saved",
        ),
        Case(([("put", "é", "x"), SAVE, LOAD, ("get", "é")],), "a character of two bytes"),
        Case(([("put", "a", "=;"), SAVE, LOAD, ("get", "a")],), "delimiters in a value"),
        Case(([("put", b"1", b"x"), SAVE, LOAD, ("get", b"1")],), "bytes, saved and loaded"),
        Case(
            ([("put", "1", "x"), ("put", b"1", b"y"), SAVE, LOAD, ("get", "1"), ("get", b"1")],),
            "a text and bytes that look alike",
        ),
        Case(([("put", "a", b"\xff\0"), SAVE, LOAD, ("get", "a")],), "bytes that are no text"),
        Case(
            ([("put", "a|b\0", "\0v:1;\n\\"), SAVE, LOAD, ("get", "a|b\0")],),
            "all the delimiters that one thinks of",
        ),
        Case(
            ([("put", "a", "1"), SAVE, ("delete", "a"), SAVE, LOAD, ("get", "a")],),
            "a path that is saved to twice",
        ),
        Case(
            ([("put", "a", "1"), SAVE, LOAD, ("put", "a", "2"), LOAD, ("get", "a")],),
            "a path that is loaded twice",
        ),
        Case(([("put", "a", "x" * 300), SAVE, LOAD, ("get", "a")],), "a value of 300 bytes"),
    ),
    item=_asked,
    large=_large_operations,
    probe=_never_bytes,
    forbidden=dict.fromkeys(
        ["pickle", "_pickle", "marshal"],
        "That is a format of Python's own, and reading it can run whatever it says. Write a tag, "
        "a length and the data yourself.",
    )
    | dict.fromkeys(
        ["eval", "exec", "ast"],
        "That lets Python read the bytes as a program. Write a tag, a length and the data, and "
        "read just these.",
    ),
    mistakes=(
        Mistake(
            mistakes.run_updates_the_state,
            "After `deserialize` there is more than was saved. What of the old state must be left?",
        ),
        Mistake(
            mistakes.run_keeps_the_dict_itself,
            "A put after `serialize` changes what was saved: both are the same dict. What would a "
            "file hold?",
        ),
        Mistake(mistakes.run_keeps_a_copy, KEPT),
        Mistake(
            mistakes.run_pickles,
            "That is a format of Python's own, and reading it can run whatever it says. Write a "
            "tag, a length and the data yourself.",
        ),
        Mistake(
            mistakes.run_evals,
            "That lets Python read the bytes as a program. Write a tag, a length and the data, and "
            "read just these.",
        ),
        Mistake(
            mistakes.run_delimits,
            "The value is cut at a character that your format uses as a mark. How could the reader "
            "know where it ends without searching in it?",
        ),
        Mistake(
            mistakes.run_forgets_types,
            "Bytes come back as a text. What in the saved bytes says which it was?",
        ),
        Mistake(mistakes.run_counts_characters, BYTES_COUNTED),
        Mistake(
            mistakes.run_loses_empty_values,
            "A record whose value is empty is gone. What does `if value` say of an empty text?",
        ),
        Mistake(
            mistakes.run_insists_on_keys,
            "A key that isn't there is no error here: `get` gives None, and `delete` does nothing. "
            "Which methods of dict do that?",
        ),
    ),
    hints=(
        "`state = {}`, `saved = {}`, `results = []`, and one loop with an `if` for each operation. "
        "A dict kept in `saved` would be changed by later puts: keep bytes.",
        "A function for one field gives tag, length, data. Its twin takes bytes and an offset, "
        "and gives the value and the offset behind it.",
        '"Exactly": `deserialize` puts a new dict in the place of the state. If it only updates '
        "it, what came after the snapshot is still there.",
    ),
    why="What is saved is bytes: no later change can reach it, and it would survive the program.",
    points=6,
    minutes=25,
    own={"judge.run_snapshots": run_snapshots, "encode_snapshot": encode_snapshot},
)

EXERCISES: Final = (
    LENGTH,
    ENCODE_FIELD,
    DECODE_ORDER,
    DELIMITER,
    BUG_HUNT,
    SNAPSHOT,
    RUN_SNAPSHOTS,
)
