"""Wrong answers to the interview of notebook 2."""

from typing import Final

from lessons.wrong.rows import Table, Wrong
from lessons.wrong.segment import COUNTED, EXTRA, HEADER_FORGOTTEN, ROUNDED_DOWN

WHOLE_STREAM: Final = "pieces = [stream[at : at + size] for at in range(0, len(stream), size)]"
NO_COUNT: Final = (
    ('bytearray(len(records).to_bytes(4, "big"))', "bytearray()"),
    ("records, offset = {}, 4", "records, offset = {}, 0"),
)
REORDER: Final = "saved[arguments[0]] = [saved[arguments[0]][at] for at in arguments[1]]"
PATH: Final = ("    saved: dict[str, list[bytes]] = {}", "    saved = []")

RUN_SEGMENTS: Final = (
    Wrong(
        "in sorted(saved[arguments[0]])",
        "in saved[arguments[0]]",
        "You join the segments in the order in which they are stored",
    ),
    Wrong("max_segment_size - 8", "max_segment_size", HEADER_FORGOTTEN),
    Wrong(WHOLE_STREAM, f"pieces = [{COUNTED})]", ROUNDED_DOWN),
    Wrong(WHOLE_STREAM, f"pieces = [{COUNTED} + 1)]", EXTRA),
    Wrong(
        "split(encode(state))",
        "split(encode(state)) if state else []",
        "An empty state is saved as no segments at all",
    ),
    Wrong(
        *NO_COUNT[0],
        "The stream is 4 bytes too short",
        also=(NO_COUNT[1], ("len(stream), size)]", 'len(stream), size)] or [b""]')),
    ),
    Wrong(
        "len(data).to_bytes", "len(value).to_bytes", "do your lengths count characters, or bytes"
    ),
    Wrong(
        "split(encode(state))",
        "split(state)",
        "The limit cuts the stream, wherever records begin or end",
        also=(
            *NO_COUNT,
            (
                WHOLE_STREAM,
                'pieces = [encode({key: value}) for key, value in stream.items()] or [b""]',
            ),
        ),
    ),
    Wrong(
        "state = decode(",
        "state |= decode(",
        "memory has a record that wasn't saved: it was there before",
    ),
    Wrong("results.append(len(saved[arguments[0]]))", "pass", "`segment_count` gives a result too"),
    Wrong(
        "len(saved[arguments[0]])",
        "len(split(encode(state)))",
        "`segment_count` counts what is saved under the path",
    ),
    Wrong(
        'index.to_bytes(4, "big") + total',
        'index.to_bytes(1, "big") + total',
        "The number doesn't fit into so few bytes",
        also=(("segment[8:]", "segment[5:]"),),
    ),
    Wrong("state.get(arguments[0])", "state[arguments[0]]", "A missing key isn't an error here"),
    Wrong(
        "state.pop(arguments[0], None)",
        "del state[arguments[0]]",
        "A missing key isn't an error here",
    ),
    Wrong(
        REORDER,
        "for new, at in enumerate(arguments[1]):\n"
        "                saved[arguments[0]][new] = saved[arguments[0]][at]",
        "Don't read from the list that you are changing",
    ),
    Wrong(
        "split(encode(state))",
        "dict(state)",
        "You got back the very object that was put",
        also=(
            ("len(saved[arguments[0]])", "len(split(encode(saved[arguments[0]])))"),
            (REORDER, "pass"),
            (
                'decode(b"".join(segment[8:] for segment in sorted(saved[arguments[0]])))',
                "dict(saved[arguments[0]])",
            ),
        ),
    ),
    Wrong("saved[arguments[0]]", "saved", "the path is ignored", also=(PATH,)),
    Wrong(
        "split(encode(state))",
        "split(encode(state))\n            state = {}",
        "Saving empties memory here",
    ),
    Wrong(
        'len(pieces).to_bytes(4, "big")',
        'len(pieces).to_bytes(2, "big")',
        "leave room for too small a header",
        also=(
            ('index.to_bytes(4, "big")', 'index.to_bytes(2, "big")'),
            ("segment[8:]", "segment[4:]"),
            ("max_segment_size - 8", "max_segment_size - 4"),
        ),
    ),
    Wrong(
        "sorted(saved[arguments[0]])",
        'sorted(saved[arguments[0]], key=lambda one: str(int.from_bytes(one[:4], "big")))',
        "Do you sort the indexes as numbers, or as text",
    ),
    Wrong(
        'len(pieces).to_bytes(4, "big")',
        'len(pieces).to_bytes(1, "big")',
        "leave room for too small a header",
        also=(
            ('index.to_bytes(4, "big")', 'index.to_bytes(1, "big")'),
            ("segment[8:]", "segment[2:]"),
            ("max_segment_size - 8", "max_segment_size - 2"),
        ),
    ),
    Wrong("records, offset = {}, 4", "records, offset = {}, 0", "Is it read back?"),
    Wrong(
        "return bytes(stream)",
        "return pickle.dumps(records)",
        "You use a format of Python's own",
        also=(
            (
                "        records, offset = {}, 4",
                "        return pickle.loads(data)\n        records, offset = {}, 4",
            ),
            ("from typing", "import pickle\nfrom typing"),
        ),
    ),
    Wrong(
        "state[arguments[0]]",
        "state[str(arguments[0])]",
        "What must your dict keep apart",
        also=(
            ("state.get(arguments[0])", "state.get(str(arguments[0]))"),
            ("state.pop(arguments[0], None)", "state.pop(str(arguments[0]), None)"),
        ),
    ),
)

WRONG: Final[Table] = {"02-run-segments": RUN_SEGMENTS}

# The check says something else here, or less than it should.
GAPS: Final[Table] = {
    "02-run-segments": (
        Wrong(
            'index.to_bytes(4, "big") + total',
            'index.to_bytes(4, "little") + total',
            "little-endian",
        ),
        Wrong("segment[8:]", "segment[4:]", "You joined the totals too"),
        Wrong(
            "sorted(saved[arguments[0]])",
            "sorted(saved[arguments[0]], key=lambda one: one[8:])",
            "What in a segment says where it belongs",
        ),
        Wrong(
            "max_segment_size - 8",
            "max_segment_size - 9 or 1",
            "one byte shorter than they could be",
        ),
    ),
}
