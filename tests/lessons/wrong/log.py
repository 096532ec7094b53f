"""Wrong answers to the exercises of notebook 3, except for the two interviews."""

from typing import Final

from lessons.wrong.rows import Table, Value, Whole, Wrong

TORN: Final = (
    Value("refused", "Recovery doesn't refuse this log"),
    Value({"pie": "2"}, "That dict needs the whole last frame"),
    Value({"tea": "3", "pie": "2"}, "The log holds two prices for tea"),
    Value({"tea": "", "pie": "2"}, "Half a deletion doesn't leave an empty price"),
    Value({}, "One torn frame doesn't spoil the frames before it"),
    Value({"tea": "4"}, "What happened to the pie"),
    Value({"tea": 4, "pie": 2}, "keys and prices went in as text"),
)

APPLY: Final = """\
            if value is None:
                items.pop(key, None)
            else:
                items[key] = value
"""
POP: Final = "items.pop(key, None)"
PUT: Final = "items[key] = value"

REPLAY: Final = (
    Wrong(APPLY, "            items[key] = value\n", "The deleted key is still there, with None"),
    Wrong(POP, "del items[key]", "How does a dict remove a key that may be missing"),
    Wrong(POP, "pass", "You skip the deletion"),
    Wrong("if value is None:", "if not value:", "An empty value is not a deletion"),
    Wrong(PUT, "items.setdefault(key, value)", "The old value stays"),
    Wrong(
        PUT,
        "items[key] = items[key] + value if key in items else value",
        "A mutation says what the value is, not how it changes",
    ),
    Wrong(POP, "items.clear()", "The deletion of one key has removed them all"),
    Wrong(POP, "return items", "Does the deletion end your loop"),
    Wrong("else:", "elif key in items:", "A put of a new key changes nothing"),
    Wrong(POP, f"{POP}\n                break", "Which statement ends the loop there"),
    Wrong("items, offset = dict(items), 0", "offset = 0", "It changes what it was given"),
    Wrong(PUT, "items[value] = key", "Keys and values have changed places"),
    Wrong(PUT, "items = {key: value}", "Only the last frame is applied"),
    Wrong("if value is None:", "if value is not None:", "the wrong way round"),
    Wrong(POP, 'items[key] = b""', "The deleted key is still there, with an empty value"),
    Wrong(
        "decode_mutations(frame.payload):",
        "sorted(decode_mutations(frame.payload), key=lambda change: change[1] is None):",
        "The deletion wins over the put that follows it",
    ),
    Wrong(
        POP,
        f"if key not in items:\n                    break\n                {POP}",
        "ends the frame",
    ),
)

PUBLISH_ORDER: Final = (
    Value([2, 6, 8, 4, 1, 3, 7, 5], "names are durable only when the folder is fsynced"),
    Value([2, 6, 8, 4, 3, 7, 1, 5], "What makes the rename durable"),
    Value([2, 6, 8, 4, 3, 1, 5, 7], "What makes the rename durable"),
    Value([5, 2, 6, 8, 4, 3, 1, 7], "`1.segment` is gone while `log` still names it"),
    Value([2, 8, 4, 3, 1, 6, 7, 5], "Which step makes the bytes of a file durable"),
    Value([2, 6, 8, 3, 1, 4, 7, 5], "Which step makes the bytes of `log.new` durable"),
    Value([8, 4, 3, 1, 2, 6, 7, 5], "no step has written that yet"),
    Value([6, 2, 8, 4, 3, 1, 7, 5], "a file that isn't there at that time"),
)

NEW: Final = 'kvlib.seal(b"M", sequence + 1, payload)'

BUG_HUNT: Final = (
    Wrong("log[:offset] + ", "log + ", "The new frame follows a torn one"),
    Wrong(
        f"return log[:offset] + {NEW}",
        f"new = {NEW}\n    return log[:offset] + new + log[offset + len(new) :]",
        "the end of a longer tail is still there",
    ),
    Wrong(
        "log[:offset] + ",
        "log[:offset] + bytes(len(log) - offset) + ",
        "The torn bytes have become zeros",
    ),
    Wrong("sequence + 1", "sequence + 1 + (offset < len(log))", "The new frame skips a number"),
    Wrong("sequence + 1", "sequence", "the same number as the frame before it"),
    Wrong("sequence + 1", "1", "The new frame is always number 1"),
    Wrong('b"M"', 'b"m"', "The new frame is of another kind"),
    Wrong("break", 'return kvlib.seal(b"M", 1, payload)', "all the whole frames went with it"),
    Wrong("break", 'raise ValueError("a torn frame")', "Which of your checks is too strict"),
    Wrong("log[:offset] + ", "", "You return only the new frame"),
    Wrong("break", "return log[:offset]", "The torn tail is gone, but nothing was appended"),
    Wrong("log[:offset] + ", "log[: offset - 1] + ", "Where does the last whole frame end"),
)

TRY: Final = """\
        try:
            frame = kvlib.unseal(log, offset)
        except kvlib.CorruptionError:
            refuse_damage(offset, sequence)
            break
"""
UNSEAL: Final = "frame = kvlib.unseal(log, offset)"
BAD: Final = "refuse_damage(offset, sequence)\n            break"
NUMBERED: Final = """\
        if frame.sequence != sequence:
            raise ValueError(f"offset {offset}: frame {frame.sequence}, expected {sequence}")
"""
LENGTH: Final = '17 + int.from_bytes(log[{0} + 4 : {0} + 8], "big")'
TORN_TAIL: Final = "zeros or garbage fill the space. That is a torn tail"
BY_LENGTH: Final = """\
import kvlib
from kvlib.log import decode_mutations


def recover(log):
    items, offset, sequence = {}, 0, 1
    while len(log) - offset >= 17:
        start = offset + 17
        end = start + int.from_bytes(log[offset + 4 : offset + 8], "big")
        if end > len(log):
            break
        if int.from_bytes(log[offset + 8 : offset + 16], "big") != sequence:
            raise ValueError("a frame is missing")
        for key, value in decode_mutations(log[start:end]):
            if value is None:
                items.pop(key, None)
            else:
                items[key] = value
        offset, sequence = end, sequence + 1
    return items
"""
NUMBER: Final = """\
        if int.from_bytes(log[offset + 8 : offset + 16], "big") != sequence:
            raise ValueError("a frame is missing")
"""
BY_SLICES: Final = """\
def field(data):
    end = 5 + int.from_bytes(data[1:5], "big")
    raw = data[5:end]
    return raw if data[:1] == b"b" else raw.decode(), data[end:]


def recover(log):
    items, offset = {}, 0
    while len(log) - offset >= 17:
        end = offset + 17 + int.from_bytes(log[offset + 4 : offset + 8], "big")
        payload = log[offset + 17 : end]
        while payload:
            kind = payload[:1]
            key, payload = field(payload[1:])
            if kind == b"P":
                items[key], payload = field(payload)
            else:
                items.pop(key, None)
        offset = end
    return items
"""

RECOVER: Final = (
    Wrong(TRY, f"        {UNSEAL}\n", "Nothing catches this error here"),
    Wrong(
        "        try:\n            frame",
        '        crc, length, number, kind = struct.unpack_from(">IIQc", log, offset)\n'
        "        try:\n            frame",
        "struct reads exactly as many bytes as its format says",
        also=(("import kvlib\n", "import struct\n\nimport kvlib\n"),),
    ),
    Wrong(BAD, "return {}", "One torn frame makes you forget the whole frames before it"),
    Wrong(
        BAD,
        "return before",
        "The last whole frame is dropped along with the torn one",
        also=(
            ("    offset, sequence = 0, 1", "    before, offset, sequence = {}, 0, 1"),
            ("        for key", "        before = dict(items)\n        for key"),
        ),
    ),
    Wrong(
        UNSEAL,
        f"{UNSEAL}\n"
        '            if crc32(frame.payload) != int.from_bytes(log[offset : offset + 4], "big"):\n'
        "                break",
        "No frame passes",
        also=(("import kvlib\n", "from zlib import crc32\n\nimport kvlib\n"),),
    ),
    Wrong(BAD, "break", "Whole frames follow the bad one"),
    Wrong(
        "range(bad + 1, len(log))",
        '(match.start() for match in re.compile(rb"(?=.{16}M)").finditer(log, bad + 1))',
        "A frame may contain any byte",
        also=(("import kvlib\n", "import re\n\nimport kvlib\n"),),
    ),
    Wrong(
        BAD,
        f"offset += {LENGTH.format('offset')}\n            continue",
        "Whole frames follow the bad one",
        also=((NUMBERED, ""),),
    ),
    Wrong(
        "range(bad + 1, len(log))",
        f"range(bad + {LENGTH.format('bad')}, len(log))",
        "The damaged length points past the frames that follow",
    ),
    Wrong(
        "range(bad + 1, len(log))",
        "range(bad + 17, len(log))",
        "Do you look for a whole frame at every later offset",
    ),
    Wrong(
        "            refuse_damage",
        f"            if len(log) - offset >= {LENGTH.format('offset')}:\n"
        '                raise ValueError("a wrong checksum")\n'
        "            refuse_damage",
        TORN_TAIL,
    ),
    Wrong("if later.sequence > sequence:", "if later:", "only if its number is higher"),
    Wrong(
        "later.sequence > sequence", "later.sequence >= sequence", "only if its number is higher"
    ),
    Wrong(
        "later.sequence > sequence",
        "later.sequence == sequence + 1",
        "may be higher by more than one",
    ),
    Wrong(
        "            if later.sequence > sequence:\n",
        "            if later.sequence <= sequence:\n                return\n            else:\n",
        "Do you look on",
    ),
    Wrong(
        "frame.sequence != sequence", "frame.sequence < sequence", "Which number should come next"
    ),
    Wrong("    return items", "        return items", "Is there a `return` on every way"),
    Wrong(NUMBERED, "", "Which number should come next"),
    Wrong(
        UNSEAL,
        f"{UNSEAL}\n            mutations = decode_mutations(frame.payload)",
        "Does your `try` also catch what `decode_mutations` raises",
        also=(("in decode_mutations(frame.payload)", "in mutations"),),
    ),
    Wrong(APPLY, "            items[key] = value\n", "The deleted key is still there, with None"),
    Wrong(POP, "del items[key]", "How does a dict remove a key that may be missing"),
    Wrong(POP, "pass", "The deletion is skipped"),
    Wrong("if value is None:", "if not value:", "An empty value is not a deletion"),
    Wrong(BAD, 'raise ValueError("a bad frame")', "Every crash may leave a torn tail"),
    Wrong(
        "later.sequence > sequence",
        "later.sequence > sequence + 1",
        "does any higher number prove damage",
    ),
    Whole(BY_LENGTH, "Only the checksum tells"),
    Whole(
        BY_LENGTH.replace(NUMBER, ""),
        "Only the checksum tells",
    ),
    Whole(BY_SLICES, "slice past the end returns whatever is left"),
    Wrong("frame.sequence != sequence:", "items and frame.sequence != sequence:", "Which number"),
)

FSYNC: Final = "        os.fsync(file.fileno())\n"
FOLDER: Final = "        os.fsync(folder)\n"
REPLACE: Final = "    os.replace(new, path)\n"
SAVE: Final = (
    Wrong('new = f"{path}.new"', "new = path", "Write the new bytes to another file"),
    Wrong("        file.flush()\n", "", "What hands them to the operating system first?"),
    Wrong(FSYNC, "", "Which call waits until the bytes of a file are there"),
    Wrong(FOLDER, "", "How do you open a folder and fsync it?"),
    Wrong("os.path.dirname(path)", '"/"', "How do you open a folder and fsync it?"),
    Wrong(REPLACE, "", "What replaces it?"),
    Wrong(REPLACE, "    os.remove(path)\n    os.rename(new, path)\n", "a single step"),
    Wrong(
        REPLACE,
        "",
        "Which step comes last?",
        also=(("        os.close(folder)", "        os.close(folder)\n    os.replace(new, path)"),),
    ),
    Wrong('"wb"', '"w"', "What happens in that line?"),
    Wrong(
        REPLACE,
        f'{REPLACE}    with open(f"{{path}}.bak", "wb") as file:\n        file.write(data)\n',
        "Who deletes it?",
    ),
)

WRONG: Final[Table] = {
    "03-replay": REPLAY,
    "03-torn": TORN,
    "03-save": SAVE,
    "03-publish-order": PUBLISH_ORDER,
    "03-bug-hunt": BUG_HUNT,
    "03-recover": RECOVER,
}

# The check says something else here, or less than it should.
GAPS: Final[Table] = {
    "03-recover": (
        Wrong('raise ValueError(f"offset {bad}', 'return ValueError(f"offset {bad}', "`raise` it"),
    ),
}
