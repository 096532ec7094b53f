"""Wrong answers to the exercises of notebook 1."""

from typing import Final

from lessons.wrong.rows import Table, Value, Whole, Wrong

LENGTH: Final = (
    Value(7, "You counted the characters"),
    Value(9, "You counted only the data"),
    Value(12, "`é` and `à` are one character each"),
    Value(13, "One byte is missing. Did you count the tag"),
    Value(11, "A length of one byte could only go up to 255"),
    Value(10, "A length of one byte could only go up to 255"),
    Value(18, "A count of four bytes begins a snapshot"),
    Value(21, "You counted in UTF-16"),
    Value(19, "Not every character takes two bytes in UTF-8"),
    Value(15, "A field has no end mark"),
    Value("14", "Leave out the quotes"),
)

FIELD: Final = 'tag + len(data).to_bytes(4, "big") + data'
NUMBER: Final = 'len(data).to_bytes(4, "big")'

ENCODE_FIELD: Final = (
    Wrong("len(data)", "len(value)", "Your length is the number of characters"),
    Wrong("len(data)", "(5 + len(data))", "Your length is the size of the whole field"),
    Wrong("len(data)", "(len(data) + 1)", "one more than the number of bytes"),
    Wrong('"big"', '"little"', "Your length is little-endian"),
    Wrong("return tag + ", "return ", "The tag is missing"),
    Wrong("return tag", 'return b"s"', "Your tag is `s` for bytes too"),
    Wrong(NUMBER, "bytes([len(data)])", "Your length is only one byte long"),
    Wrong(NUMBER, "bytes([len(data) % 256])", "cut to its last byte, so 256 becomes 0"),
    Wrong("to_bytes(4", "to_bytes(2", "Your length is only two bytes long"),
    Wrong("to_bytes(4", "to_bytes(8", "Your length is eight bytes long"),
    Wrong(NUMBER, "bytes(len(data))", "`bytes(2)` is two zero bytes"),
    Wrong(NUMBER, "str(len(data)).encode()", "Your length is written in digits"),
    Wrong(NUMBER, 'f"{len(data):04}".encode()', "Your length is written in four digits"),
    Wrong(f"tag + {NUMBER}", f"{NUMBER} + tag", "in another order: length, tag, data"),
    Wrong('"big") + data', '"big")', "The data is missing"),
    Wrong('"big") + data', '"big") + data + b"\\0"', "Your data is followed by a zero byte"),
    Wrong('"big") + data', '"big") + value.encode()', "This value is bytes already"),
    Wrong("return tag", "tag", "Is there a `return` on every way through the function"),
    Wrong(FIELD, f"({FIELD}).hex()", "Don't turn them into hex digits"),
    Wrong(f"tag + {NUMBER}", f"tag + bytes(3) + {NUMBER}", "preceded by three zero bytes"),
    Wrong(
        f"tag + {NUMBER}",
        'struct.pack("cI", tag, len(data))',
        "struct pads and uses the machine's own byte order",
        also=(("def encode_field", "import struct\n\n\ndef encode_field"),),
    ),
    Wrong(NUMBER, "bytes([0, 0, 0, len(data) % 256])", "256 becomes 0"),
    Wrong(NUMBER, "hex(len(data)).encode()", "Your length is written in hex digits"),
    Wrong("value.encode()", 'value.encode("utf-16")', "Your data is encoded in UTF-16"),
    Wrong("value.encode()", 'value.encode("ascii", "ignore")', "drops what it doesn't know"),
    Wrong("value.encode()", 'value.encode("latin-1")', "Your data is encoded in Latin-1"),
)

DECODE_ORDER: Final = (
    Value([6, 4, 2, 3, 1, 5], "Line 5 comes after the `return`"),
    Value([4, 6, 2, 5, 3, 1], "Line 4 uses `start`"),
    Value([2, 6, 4, 5, 3, 1], "Line 2 uses `start`"),
    Value([3, 6, 4, 2, 5, 1], "Line 3 uses `start`"),
    Value([6, 2, 4, 5, 3, 1], "Line 2 uses `length`"),
    Value([6, 4, 5, 2, 3, 1], "Line 5 uses `end`"),
    Value([6, 4, 2, 5, 1, 3], "Line 1 uses `text`"),
    Value([6, 4, 3, 2, 5, 1], "Line 3 uses `end`"),
    Value([6, 4, 2, 3, 5, 1], "Line 3 uses the length before line 5 checks it"),
)

MARKS: Final = "What in your bytes says where a key or a value ends"
LENGTHS: Final = "From which length on can your bytes no longer say where a text ends"
EQUALS: Final = 'replace(b"=", b"\\\\=")'
BACKSLASH: Final = 'replace(b"\\\\", b"\\\\\\\\")'

DELIMITER: Final = (
    Wrong(
        FIELD,
        'data + b"="',
        MARKS,
        also=(("        for value", '        stream += b";"\n        for value'),),
    ),
    Wrong(
        FIELD,
        'data + b"->"',
        MARKS,
        also=(("        for value", '        stream += b"||"\n        for value'),),
    ),
    Wrong(FIELD, f'data.{EQUALS} + b"="', MARKS),
    Wrong(FIELD, f'tag + data.{EQUALS} + b"="', MARKS),
    Wrong(FIELD, f'tag + data.{EQUALS}.{BACKSLASH} + b"="', MARKS),
    Wrong(
        FIELD,
        'len(data).to_bytes(4, "big") + data',
        "The two differ in type only",
        also=(('(b"b", value)', '(b"b", b"bytes:" + value)'),),
    ),
    Wrong(FIELD, "str(len(data)).encode() + data", LENGTHS),
    Wrong(FIELD, "tag + str(len(data)).encode() + data", LENGTHS),
    Wrong(FIELD, "bytes([len(data) % 256]) + data", LENGTHS),
    Wrong(FIELD, "tag + bytes([len(data) % 256]) + data", LENGTHS),
    Wrong(FIELD, "bytes([len(data)]) + data", "its texts are too long for your format"),
    Wrong(
        "return stream",
        'return repr(records).encode("ascii", "replace")',
        "Which characters does your way of encoding text not know",
    ),
    Wrong("stream += tag + ", "stream += ", "The two differ in type only"),
    Wrong(
        'tag, data = (b"s", value.encode()) if isinstance(value, str) else (b"b", value)',
        "data = value.encode()",
        "keys and values may be bytes too, and it can't write these",
        also=(("stream += tag + ", "stream += "),),
    ),
)

BUG_HUNT: Final = (
    Value({"café": "2,50 €"}, "the length is measured after encoding and counts bytes"),
    Value({"a=b;": "|"}, "it never sees a delimiter there"),
    Value({"": ""}, "an empty text is a length of 0"),
    Value({"photo": b"\xff\xd8"}, "is the reader always right when it decides"),
    Value({"a": "b" * 300}, "A length of four bytes is enough for 4 GB"),
    Value({1: "a"}, "Keys and values are str or bytes here"),
    Value({"half": "\ud800"}, "surrogates not allowed"),
    Value({}, "An empty store works"),
)

PICKLE: Final = ("def encode_snapshot", "import pickle\n\n\ndef encode_snapshot")
DOUBLED: Final = """\
        if key in records:
            raise ValueError(f"{key!r} occurs twice")
"""

SNAPSHOT: Final = (
    Wrong('bytearray(len(records).to_bytes(4, "big"))', "bytearray()", "The count is missing"),
    Wrong("len(records).to", "(2 * len(records)).to", "Your count is the number of fields"),
    Wrong(
        "return bytes(stream)",
        'return (len(stream) - 4).to_bytes(4, "big") + stream[4:]',
        "Your count is the number of bytes that follow",
    ),
    Wrong("len(data).to", "len(value).to", "Your length is the number of characters"),
    Wrong('to_bytes(4, "big")', 'to_bytes(4, "little")', "Your numbers are little-endian"),
    Wrong('else (b"b", value)', 'else (b"s", value)', "Your tag is `s` for bytes too"),
    Wrong(
        "    stream = ",
        "    records = {key: value for key, value in records.items() if value}\n    stream = ",
        "Records with an empty value are left out",
    ),
    Wrong(
        "for value in record:",
        'for value in (record[0], record[1] or b""):',
        "An empty value becomes empty bytes: `or` replaces it",
    ),
    Wrong(
        "return bytes(stream)",
        "return pickle.dumps(records)",
        "You use pickle's format",
        also=(PICKLE,),
    ),
    Wrong("return bytes(stream)", "return repr(records).encode()", "what Python shows for a dict"),
    Wrong("return bytes(stream)", "return stream", "A bytearray is nearly right"),
    Wrong(
        "if offset + size > len(data):",
        "if len(data) < 4:",
        "slice past the end returns whatever is left",
    ),
    Wrong(
        "if offset != len(data):",
        "if offset > len(data):",
        "Where must the offset be when the last record has been read",
    ),
    Wrong(
        'for _ in range(int.from_bytes(take(0, 4), "big")):',
        "while offset < len(data):",
        "The count promises a number of records. Is that how many you read",
    ),
    Wrong(DOUBLED, "", "In a dict the second value replaces the first"),
    Wrong(
        'raw.decode() if tag == b"s" else raw',
        "raw.decode()",
        "does the tag say that they are text",
    ),
    Wrong(
        '1, 4), "big"',
        '1, 4), "little"',
        "You read the numbers as if they were little-endian",
        also=(('0, 4), "big"', '0, 4), "little"'),),
    ),
    Wrong(
        "if key in records:",
        "if not key or key in records:",
        "By how much does your offset move on",
    ),
    Wrong(
        "if offset + size > len(data):",
        "if offset + size >= len(data):",
        "Where does the first record begin",
    ),
    Wrong('1, 4), "big"', '1, 4), "little"', "You read the length as if it were little-endian"),
    Wrong('if tag not in (b"s", b"b"):', "if not tag:", "Only two tags exist"),
    Wrong("raw.decode()", 'raw.decode(errors="replace")', "ignore or replace what it can't read"),
    Wrong('raise ValueError(f"{key', 'return ValueError(f"{key', "To refuse something, `raise` it"),
    Wrong(
        "    offset = 4\n",
        "    global offset\n",
        "something survives from one call to the next",
        also=(("def decode_snapshot", "offset = 4\n\n\ndef decode_snapshot"),),
    ),
    Wrong(
        "key, offset = field(offset)",
        "key, _ = field(offset)",
        "By how much does your offset move on",
    ),
    Wrong("offset = 4", "offset = 0", "Where does the first record begin"),
)

DELIMITED: Final = """\
def run_snapshots(operations):
    state, saved, results = {}, {}, []
    for name, *arguments in operations:
        if name == "put":
            state[arguments[0]] = arguments[1]
        elif name == "get":
            results.append(state.get(arguments[0]))
        elif name == "delete":
            state.pop(arguments[0], None)
        elif name == "serialize":
            text = "".join(f"{key}={value};" for key, value in state.items())
            saved[arguments[0]] = text.encode()
        else:
            records = saved[arguments[0]].decode().split(";")[:-1]
            state = dict(record.split("=") for record in records)
    return results
"""

GET: Final = "state.get(arguments[0])"
POP: Final = "state.pop(arguments[0], None)"
TYPED: Final = 'raw.decode() if data[offset : offset + 1] == b"s" else raw'

RUN_SNAPSHOTS: Final = (
    Wrong(
        "state = decode(",
        "state |= decode(",
        "memory has a record that wasn't saved: it was there before",
    ),
    Wrong(
        "= encode(state)",
        "= state",
        "was that bytes, or the dict itself?",
        also=(("state = decode(saved[arguments[0]])", "state = saved[arguments[0]]"),),
    ),
    Wrong(
        "= encode(state)",
        "= dict(state)",
        "You got back the very object that was put",
        also=(("decode(saved[arguments[0]])", "dict(saved[arguments[0]])"),),
    ),
    Wrong(
        "= encode(state)",
        "= pickle.dumps(state)",
        "You use a format of Python's own",
        also=(
            ("decode(saved", "pickle.loads(saved"),
            ("from typing", "import pickle\nfrom typing"),
        ),
    ),
    Wrong(
        "= encode(state)",
        "= repr(state).encode()",
        "You let Python read the bytes as a program",
        also=(("decode(saved", "eval(saved"),),
    ),
    Whole(DELIMITED, "Does your format use a character as a mark"),
    Wrong(
        TYPED,
        'raw.decode(errors="replace")',
        "What in the saved bytes says which it was",
    ),
    Wrong(
        "len(data).to_bytes", "len(value).to_bytes", "do your lengths count characters, or bytes"
    ),
    Wrong(
        "encode(state)",
        "encode({key: value for key, value in state.items() if value})",
        "An empty value is gone. `if value`, and `or`, treat it as missing",
    ),
    Wrong("state.get(arguments[0])", "state[arguments[0]]", "A missing key isn't an error here"),
    Wrong(
        POP,
        "del state[arguments[0]]",
        "A missing key isn't an error here",
    ),
    Wrong(
        "saved[arguments[0]]",
        "saved",
        "the path is ignored",
        also=(("= {}\n    results", '= b""\n    results'),),
    ),
    Wrong(
        "= encode(state)",
        "= encode(state)\n            state = {}",
        "Saving empties memory here",
    ),
    Wrong(
        "saved[arguments[0]] = encode(state)",
        "saved.setdefault(arguments[0], encode(state))",
        "The second `serialize` doesn't replace what the first one saved",
    ),
    Wrong(
        "= encode(state)",
        '= saved.get(arguments[0], b"") + encode(state)',
        "the second `serialize` adds to the first instead of replacing it",
    ),
    Wrong(
        "decode(saved[arguments[0]])",
        "decode(saved.pop(arguments[0]))",
        "the first one took away what was saved",
    ),
    Wrong(
        "decode(saved[arguments[0]])",
        "decode(saved[arguments[0]]) or state",
        "Is `if` true for an empty dict, or for no bytes",
    ),
    Wrong(
        GET, f"{GET} or None", "An empty value is gone. `if value`, and `or`, treat it as missing"
    ),
    Wrong(
        POP, 'state[arguments[0]] = ""', "with an empty value. What should `delete` leave of it?"
    ),
    Wrong(POP, "state.clear()", "`delete` removes more than its own key"),
    Wrong(
        "    state: dict[str | bytes, str | bytes] = {}\n",
        "",
        "something survives from one call to the next",
        also=(("[tuple[Any, ...]])", "[tuple[Any, ...]], state={})"),),
    ),
    Wrong("while offset < len(data):", "if data:", "Only the first record comes back"),
    Wrong(TYPED, TYPED.replace("decode()", "decode().strip()"), "Something strips the data"),
    Wrong(
        "state[arguments[0]]",
        "state[str(arguments[0])]",
        "What must your dict keep apart",
        also=(
            (GET, "state.get(str(arguments[0]))"),
            (POP, "state.pop(str(arguments[0]), None)"),
        ),
    ),
    Wrong(
        POP,
        "state.pop(str(arguments[0]), None)",
        "Is the key changed on its way",
    ),
)

WRONG: Final[Table] = {
    "01-length": LENGTH,
    "01-encode-field": ENCODE_FIELD,
    "01-decode-order": DECODE_ORDER,
    "01-delimiter": DELIMITER,
    "01-bug-hunt": BUG_HUNT,
    "01-snapshot": SNAPSHOT,
    "01-run-snapshots": RUN_SNAPSHOTS,
}

# The check says something else here, or less than it should.
GAPS: Final[Table] = {
    "01-snapshot": (
        Wrong(
            'stream = bytearray(len(records).to_bytes(4, "big"))',
            "stream = bytearray()",
            "delimiters, which can also occur in the data",
            also=((f"stream += {FIELD}", 'stream += data + b";"'),),
        ),
    ),
    "01-run-snapshots": (
        Wrong("value.encode()", 'value.encode("ascii", "ignore")', "drops what it doesn't know"),
    ),
    "01-delimiter": (Wrong(FIELD, "tag + data.hex().encode()", MARKS),),
}
