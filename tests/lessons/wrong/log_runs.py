"""Wrong answers to the two interviews of notebook 3."""

from typing import Final

from lessons.wrong.rows import Table, Whole, Wrong

GET: Final = ("memory.get(arguments[0])", "memory.get(str(arguments[0]))")
ITEMS: Final = 'b"".join(field(key) + field(value) for key, value in memory.items())'
RESTORE: Final = """\
            memory, offset = {}, 0
            while offset < len(written):
                key, offset = read(written, offset)
                memory[key], offset = read(written, offset)
"""
MARK: Final = "Does your format use a character as a mark"
TYPES: Final = "What in the saved bytes says which it was"
JSON: Final = "JSON stores text and numbers, but here it gets bytes"
MISSING: Final = "A missing key isn't an error here"
EMPTY: Final = "An empty value is gone. `if value`, and `or`, treat it as missing"
EARLY: Final = "Here `restore` comes before any shutdown"
PICKLED: Final = "You use a format of Python's own"
EVALUATED: Final = "You let Python read the bytes as a program"
OBJECT: Final = "You got back the very object"


def _restored(line: str) -> tuple[str, str]:
    """Return the replacement of the reader by one line."""
    return RESTORE, f"            {line}\n"


RUN_SHUTDOWN: Final = (
    Wrong("memory, offset = {}, 0", "offset = 0", "How much of the old memory should be left"),
    Wrong("            memory = {}\n", "", "Which step of a shutdown is missing"),
    Wrong(
        ITEMS,
        "memory",
        "or the dict itself, which `shutdown` clears",
        also=(
            ("            memory = {}", "            memory.clear()"),
            _restored("memory = dict(written)"),
        ),
    ),
    Wrong(ITEMS, "dict(memory)", OBJECT, also=(_restored("memory = dict(written)"),)),
    Wrong(f"written = {ITEMS}", f"written += {ITEMS}", "it is from an earlier one"),
    Wrong("memory.get(arguments[0])", "memory[arguments[0]]", MISSING),
    Wrong('written = b""\n', "written = None\n", EARLY),
    Wrong(
        ITEMS,
        "kvlib.encode_snapshot(memory)",
        EARLY,
        also=(
            _restored("memory = kvlib.decode_snapshot(written)"),
            ("from typing", "import kvlib\nfrom typing"),
        ),
    ),
    Wrong(
        "        else:\n            memory",
        "        elif written is not None:\n            memory",
        "Nothing has been written, but `restore` leaves memory as it is",
        also=(('written = b""\n', "written = None\n"),),
    ),
    Wrong(
        "        else:\n            memory",
        "        elif written:\n            memory",
        "Is `if` true for an empty dict, or for no bytes",
    ),
    Wrong(
        "memory[key], offset = read(written, offset)",
        'memory[key], offset = read(written, offset)\n            written = b""',
        "the first one used up what was written",
    ),
    Wrong("in memory.items())", "in memory.items() if value)", EMPTY),
    Wrong(
        'raw.decode() if data[offset : offset + 1] == b"s" else raw',
        'raw.decode(errors="replace")',
        TYPES,
    ),
    Wrong(
        "memory[arguments[0]] = arguments[1]",
        "memory[str(arguments[0])] = str(arguments[1])",
        "a text that shows bytes, with a `b` and quotes",
        also=(("memory.get(arguments[0])", "memory.get(str(arguments[0]))"),),
    ),
    Wrong(
        ITEMS,
        '"".join(f"{key}={value};" for key, value in memory.items()).encode()',
        MARK,
        also=(
            _restored('memory = dict(one.split("=") for one in written.decode().split(";")[:-1])'),
        ),
    ),
    Wrong(
        ITEMS,
        "json.dumps(memory)",
        JSON,
        also=(
            _restored('memory = json.loads(written or "{}")'),
            ("from typing", "import json\nfrom typing"),
        ),
    ),
    Wrong(
        ITEMS,
        "pickle.dumps(memory)",
        PICKLED,
        also=(
            _restored("memory = pickle.loads(written) if written else {}"),
            ("from typing", "import pickle\nfrom typing"),
        ),
    ),
    Wrong(ITEMS, "repr(memory)", EVALUATED, also=(_restored('memory = eval(written or "{}")'),)),
    Wrong("while offset < len(written):", "if written:", "Only the first record comes back"),
    Wrong(
        "memory[arguments[0]]",
        "memory[str(arguments[0])]",
        "What must your dict keep apart",
        also=(GET,),
    ),
)

CLEAR: Final = "log, pending = bytearray(), 0\n    return"
SAVE: Final = 'snapshot = count.to_bytes(4, "big") + b"".join(records)'
REPLAYED: Final = "            pending = replay(bytes(log), 0)\n"
STATUS: Final = '(len(memory), pending, int.from_bytes(snapshot[:4], "big"))'
COMPACT: Final = """\
            records = (b"P" + field(key) + field(value) for key, value in memory.items())
            count = int.from_bytes(snapshot[:4], "big") + 1
            snapshot = count.to_bytes(4, "big") + b"".join(records)
            log, pending = bytearray(), 0
"""
OBJECTS: Final = """\
def run_log(compact_threshold, operations):
    memory, log, snapshot, snapshots, results = {}, [], {}, 0, []
    for name, *arguments in operations:
        if name == "get":
            results.append(memory.get(arguments[0]))
        elif name == "status":
            results.append((len(memory), len(log), snapshots))
        elif name == "restart":
            memory = dict(snapshot)
            for record in log:
                key, value = record
                if value is None:
                    memory.pop(key, None)
                else:
                    memory[key] = value
        else:
            key, value = arguments if name == "put" else (arguments[0], None)
            if value is None:
                memory.pop(key, None)
            else:
                memory[key] = value
            log.append((key, value))
            if len(log) >= compact_threshold:
                snapshot, log, snapshots = dict(memory), [], snapshots + 1
    return results
"""


def _records(write: str, read: str) -> str:
    """Return the answer with a log of records that are written and read in this way."""
    return OBJECTS.replace("append((key, value))", f"append({write})").replace(
        "= record", f"= {read}"
    )


RUN_LOG: Final = (
    Wrong(
        "pending >= compact", "pending > compact", "Must there be more records than the threshold"
    ),
    Wrong(CLEAR, "pass\n    return", "You wrote a snapshot, but the log still has its records"),
    Wrong(
        "            replay(snapshot, 4)",
        "            snapshot = bytes(4) + snapshot[4:]\n            replay(snapshot, 4)",
        "it was kept only in memory",
    ),
    Wrong(
        REPLAYED,
        "            replay(bytes(log), 0)\n            log, pending = bytearray(), 0\n",
        "did you clear it after reading it",
    ),
    Wrong(
        'count = int.from_bytes(snapshot[:4], "big") + 1',
        "count = snapshot[3] + 1",
        "The number of snapshots goes past 255",
    ),
    Wrong(
        "pending = replay(bytes(log), 0)",
        "replay(bytes(log), 0)\n            pending = 0",
        "did you forget to count the records",
    ),
    Wrong("            replay(snapshot, 4)\n", "", "you have only what the log holds"),
    Wrong(REPLAYED, "", "Is the log replayed into the dict that `get` reads"),
    Wrong(
        "            else:\n                memory.pop",
        "            elif arguments[0] not in memory:\n                continue\n"
        "            else:\n                memory.pop",
        "because the key wasn't there",
    ),
    Wrong(REPLAYED, REPLAYED + COMPACT, "a restart stands for a crash, which saves nothing"),
    Wrong("memory.pop(key, None)", "pass", "what does a replay do with it?"),
    Wrong(
        "memory[key], offset = read(data, offset)",
        "value, offset = read(data, offset)\n"
        "                if value:\n                    memory[key] = value",
        EMPTY,
    ),
    Wrong(
        "pending += 1",
        "changed.add(arguments[0])\n            pending = len(changed)",
        "it counts keys",
        also=(
            ("    snapshot, log", "    changed = set()\n    snapshot, log"),
            (CLEAR, f"changed, {CLEAR.replace('= ', '= set(), ')}"),
        ),
    ),
    Wrong(
        "            replay(snapshot, 4)\n            pending = replay(bytes(log), 0)\n",
        "            pending = replay(bytes(log), 0)\n            replay(snapshot, 4)\n",
        "The snapshot's old values win over the log's newer ones",
    ),
    Wrong(
        CLEAR,
        "log, pending, memory = bytearray(), 0, {}\n    return",
        "Writing a snapshot empties memory here",
    ),
    Wrong("len(memory), pending,", "pending, len(memory),", "but in another order"),
    Wrong("memory.get(arguments[0])", "memory[arguments[0]]", MISSING),
    Wrong("memory.pop(arguments[0], None)", "del memory[arguments[0]]", MISSING),
    Wrong(
        "memory.pop(arguments[0], None)",
        "memory[arguments[0]] = None",
        "A deleted key counts as live",
        also=(("in memory.items())", "in memory.items() if value is not None)"),),
    ),
    Wrong(STATUS, f"[{STATUS[1:-1]}]", "It should be a tuple, but this is of type list"),
    Wrong("log += ", "log[:0] = ", "In which order do you replay the log's records"),
    Wrong(
        SAVE,
        'snapshot = count.to_bytes(4, "big") + log',
        "The second snapshot holds only the log's records",
    ),
    Wrong(
        SAVE,
        'snapshot = count.to_bytes(4, "big") + (snapshot[4:] or b"".join(records))',
        "Which snapshot does a restart load",
    ),
    Wrong(
        SAVE,
        'snapshot = count.to_bytes(4, "big") + snapshot[4:] + b"".join(records)',
        "What should a snapshot keep of the older one",
    ),
    Whole(OBJECTS, OBJECT),
    Whole("import json\n\n\n" + _records("json.dumps((key, value))", "json.loads(record)"), JSON),
    Whole(
        "import pickle\n\n\n" + _records("pickle.dumps((key, value))", "pickle.loads(record)"),
        PICKLED,
    ),
    Whole(_records("repr((key, value))", "eval(record)"), EVALUATED),
    Wrong("pending += 1", "pending = len(memory)", "it counts keys"),
    Wrong("pending += 1", 'pending += name == "put"', "A deletion is a record too"),
    Wrong('log += b"D" + field(arguments[0])', "pass", "Is there a record of the deletion"),
    Wrong("pending >= compact_threshold", "pending + 1 >= compact_threshold", "too early"),
    Wrong("pending = replay", "pending += replay", "counts the log's records once more"),
    Wrong(
        "memory[arguments[0]]",
        "memory[str(arguments[0])]",
        "What must your dict keep apart",
        also=(
            GET,
            ("memory.pop(arguments[0], None)", "memory.pop(str(arguments[0]), None)"),
            ("field(arguments[0])", "field(str(arguments[0]))"),
        ),
    ),
    Wrong(
        "memory.pop(arguments[0], None)",
        "memory.pop(str(arguments[0]), None)",
        "Is the key changed on its way",
    ),
)

WRONG: Final[Table] = {"03-run-shutdown": RUN_SHUTDOWN, "03-run-log": RUN_LOG}

# The check says something else here, or less than it should.
GAPS: Final[Table] = {}
