"""Wrong answers to the exercises of notebook 2, except for the interview."""

from typing import Final

from lessons.wrong.rows import Table, Value, Wrong

COUNT: Final = (
    Value(6, "You computed 120 / 20"),
    Value(7, "You counted one header"),
    Value(8, "You left room for an index. What else does a header hold?"),
    Value(5, "the header is part of it and doesn't come on top"),
    Value(9, "One segment is missing"),
    Value(11, "You have one too many"),
    Value(12, "how many bytes of the stream go into one segment"),
    Value(15, "You computed 120 / 8"),
    Value(80, "You counted the bytes of all headers together"),
    Value(200, "You counted the bytes of all segments together"),
)

NUMBERS: Final = 'index.to_bytes(4, "big") + len(pieces).to_bytes(4, "big")'

HEADER: Final = (
    Wrong("index.to", "(index + 1).to", "Your index is counted from 1"),
    Wrong("len(pieces).to", "(len(pieces) - 1).to", "Your total is the last index"),
    Wrong('"big"', '"little"', "Your numbers are little-endian"),
    Wrong(
        NUMBERS,
        'len(pieces).to_bytes(4, "big") + index.to_bytes(4, "big")',
        "in another order: total, index, piece",
    ),
    Wrong(' + len(pieces).to_bytes(4, "big")', "", "The total is missing"),
    Wrong(
        "len(pieces).to",
        "sum(map(len, pieces)).to",
        "Your total is the number of bytes in the stream",
    ),
    Wrong("len(pieces).to", "len(pieces[index]).to", "Your total is the length of the piece"),
    Wrong("len(pieces).to", "(index + 1).to", "Your total is the number of segments so far"),
    Wrong("index.to", "len(pieces[index]).to", "Your index is the length of the piece"),
    Wrong("(4,", "(2,", "Your numbers are only two bytes long"),
    Wrong("(4,", "(8,", "Your numbers are eight bytes long"),
    Wrong(NUMBERS, "bytes([index, len(pieces)])", "Your numbers are only one byte long"),
    Wrong(NUMBERS, "bytes(index) + bytes(len(pieces))", "`bytes(2)` is two zero bytes"),
    Wrong(NUMBERS, f"{NUMBERS} + pieces[index]", "The piece is there twice"),
    Wrong(
        NUMBERS, 'f"{index:04}{len(pieces):04}".encode()', "Your numbers are written in four digits"
    ),
    Wrong(NUMBERS, 'f"{index:04}{len(pieces):04}"', "Text meets bytes in this line"),
    Wrong("return index", "index", "a function without `return`"),
    Wrong("len(pieces).to", "(len(pieces) - index).to", "the number of segments from here on"),
)

JOIN_ORDER: Final = (
    Value([5, 1, 4, 6, 2, 3], "Lines 4, 6, 2 and 3 come after the `return`"),
    Value([4, 6, 2, 5, 1, 3], "Line 3 comes after the `return`"),
    Value([4, 6, 5, 3, 1, 2], "Line 2 comes after the `return`"),
    Value([4, 6, 5, 1, 2, 3], "Lines 2 and 3 come after the `return`"),
    Value([4, 5, 3, 1, 6, 2], "Lines 6 and 2 come after the `return`"),
    Value([4, 2, 5, 1, 6, 3], "Lines 6 and 3 come after the `return`"),
    Value([4, 2, 6, 5, 3, 1], "line 6 hasn't checked yet that there is one"),
    Value([6, 4, 2, 5, 3, 1], "Line 6 uses `totals`"),
    Value([2, 4, 6, 5, 3, 1], "Line 2 uses `totals`"),
    Value([4, 6, 2, 3, 5, 1], "Line 3 uses `ordered`"),
    Value([4, 6, 2, 1, 5, 3], "Line 1 uses `ordered`"),
)

CHECK: Final = """\
    if size < 1:
        raise ValueError(f"max_segment_size is {max_segment_size}: it must be 9 or more")
"""
STEPS: Final = "stream[at : at + size] for at in range(0, len(stream), size)"
COUNTED: Final = "stream[n * size : (n + 1) * size] for n in range(len(stream) // size"
ROUNDED_DOWN: Final = "You drop the bytes at the end that don't fill a piece"
NONE: Final = "You return nothing for an empty stream"
EXTRA: Final = "There is an empty piece too many where the last one is exactly full"
HEADER_FORGOTTEN: Final = "You forgot the header, which takes 8 bytes of each segment"

SPLIT: Final = (
    Wrong("max_segment_size - 8", "max_segment_size", HEADER_FORGOTTEN),
    Wrong("max_segment_size - 8", "max_segment_size - 4", "leave room for too small a header"),
    Wrong("max_segment_size - 8", "max_segment_size + 8", "added, not taken away"),
    Wrong(
        "max_segment_size - 8",
        "max(1, max_segment_size - 9)",
        "Your pieces are one byte shorter than they could be",
        also=(("if size < 1:", "if max_segment_size < 9:"),),
    ),
    Wrong(f'{STEPS}] or [b""]', f"{COUNTED})]", ROUNDED_DOWN),
    Wrong(' or [b""]', "", NONE),
    Wrong(' or [b""]', "", NONE, also=((CHECK, ""),)),
    Wrong(
        "[stream[at : at + size] for",
        "[list(stream[at : at + size]) for",
        "A loop over bytes gives numbers",
    ),
    Wrong(f'{STEPS}] or [b""]', f"{COUNTED} + 1)]", EXTRA),
    Wrong(
        "range(0, len(stream), size)",
        "range(len(stream))",
        "A piece begins at each byte of the stream",
    ),
    Wrong(
        "at + size] for", 'at + size].ljust(size, b"\\0") for', "with bytes that were never stored"
    ),
    Wrong('] or [b""]', '][:1] or [b""]', "You return only the first piece"),
    Wrong(
        '] or [b""]', '][:-1] or [b""]', "What must happen to what was collected when the loop ends"
    ),
    Wrong("at + size]", "at + size - 1]", "Bytes are missing between the pieces"),
    Wrong(
        "    return [",
        "    pieces = [",
        "Your pieces already have headers",
        also=(
            (
                '[b""]',
                '[b""]\n    total = len(pieces).to_bytes(4, "big")\n'
                '    return [n.to_bytes(4, "big") + total + one for n, one in enumerate(pieces)]',
            ),
        ),
    ),
    Wrong(
        "size < 1",
        "size <= 1",
        "Which of your checks is too strict, and why? This case is about the smallest limit",
    ),
    Wrong(
        "= max_segment_size - 8",
        "= max(1, max_segment_size - 8)",
        "What must you check before you cut",
    ),
    Wrong(CHECK, "", "What must you check before you cut"),
    Wrong(
        f"[{STEPS}]",
        're.findall(b".{1,%d}" % size, stream)',
        "The byte 0a is lost: in a pattern, `.` matches any byte but that one",
        also=(("def cut", "import re\n\n\ndef cut"),),
    ),
    Wrong("(0, len(stream), size)", "(0, len(stream) - 1, size)", "The last piece is missing"),
    Wrong("(0, len(stream), size)", "(0, len(stream) + 1, size)", EXTRA),
    Wrong("(0, len(stream), size)", "(size, len(stream), size)", "The first piece is missing"),
    Wrong("size = max", "stream = stream.strip()\n    size = max", "White space at the ends"),
    Wrong("raise ValueError", "return ValueError", "To refuse something, `raise` it"),
    Wrong("raise ValueError", "raise TypeError", "the error must be a ValueError, not TypeError"),
    Wrong(
        "    return",
        "    size = -(-len(stream) // max(1, -(-len(stream) // size))) or 1\n    return",
        "Your pieces are all about the same length",
    ),
    Wrong(
        "range(0, len(stream), size)",
        "range(0, len(stream), max_segment_size)",
        "Bytes are missing between the pieces",
    ),
)

TOTAL: Final = "max(1, -(-len(stream) // size))"
MENDED: Final = (TOTAL, "len(stream) // size + 1")
PIECES: Final = "return [heads[n] + stream[n * size : (n + 1) * size] for n in range(total)]"

BUG_HUNT: Final = (
    Wrong(*MENDED, "The bug is still there"),
    Wrong(TOTAL, "len(stream) // size", ROUNDED_DOWN),
    Wrong(TOTAL, "max(1, len(stream) // size)", "except where there is nothing else"),
    Wrong(TOTAL, "-(-len(stream) // size)", NONE),
    Wrong(TOTAL, "max(1, round(len(stream) / size))", "`round` goes to the nearest number"),
    Wrong(
        PIECES,
        f"made = {PIECES[7:]}\n    return [one for one in made if len(one) > 8] or made",
        "You removed the empty segment, but the others still count it",
        also=(MENDED,),
    ),
    Wrong(
        PIECES,
        f"{PIECES[:-1]} if stream[n * size :]]",
        "You removed the empty segments, but an empty stream has no other",
        also=(MENDED,),
    ),
    Wrong("limit - 8", "limit", HEADER_FORGOTTEN, also=(MENDED,)),
    Wrong(
        TOTAL,
        "max(1, len(stream) // size + 1 - (len(stream) == size))",
        "Only a stream of exactly one full piece is mended",
    ),
    Wrong(TOTAL, "max(1, -(-len(stream) // limit))", "computed from the whole limit"),
)

SECOND: Final = """\
        if index in pieces:
            raise ValueError(f"segment {index} occurs twice")
"""
JOIN: Final = "pieces[index] for index in range(len(pieces))"
TOTALS: Final = "if totals != {len(pieces)}:"

SPLIT_JOIN: Final = (
    Wrong("max_segment_size - 8", "max_segment_size", HEADER_FORGOTTEN),
    Wrong(f'{STEPS}] or [b""]', f"{COUNTED})]", ROUNDED_DOWN),
    Wrong(' or [b""]', "", NONE),
    Wrong(f'{STEPS}] or [b""]', f"{COUNTED} + 1)]", EXTRA),
    Wrong("index.to_bytes", "(index + 1).to_bytes", "Your index is counted from 1"),
    Wrong("len(pieces).to", "(len(pieces) - 1).to", "Your total is the last index"),
    Wrong('to_bytes(4, "big")', 'to_bytes(4, "little")', "Your numbers are little-endian"),
    Wrong("total + piece", "piece", "The total is missing"),
    Wrong(
        'index.to_bytes(4, "big") + total + piece', "piece", "The index and the total are missing"
    ),
    Wrong(
        "= max_segment_size - 8",
        "= max(1, max_segment_size - 8)",
        "What must you check before you cut",
    ),
    Wrong(JOIN, "pieces.values()", "You join the pieces in the order in which they came"),
    Wrong(
        "    pieces: dict",
        '    return b"".join(segment[8:] for segment in sorted(segments))\n    pieces: dict',
        "It accepts no segment at all",
    ),
    Wrong(TOTALS, "if segments and totals != {len(pieces)}:", "It accepts no segment at all"),
    Wrong(SECOND, "", "In a dict the second replaces the first"),
    Wrong(
        TOTALS,
        "if not pieces or max(pieces) >= len(pieces):",
        "Each header says how many segments there are",
    ),
    Wrong(
        TOTALS,
        "if totals != {len(segments)}:",
        "one of them is still missing. Which indexes are there",
        also=((SECOND, ""), (JOIN, "pieces[index] for index in sorted(pieces)")),
    ),
    Wrong(
        TOTALS, "if not segments or total != len(pieces):", "How many of the totals do you look at"
    ),
    Wrong(
        TOTALS,
        "if not segments or total != len(segments):",
        "one of them is still missing. Which indexes are there",
        also=((SECOND, ""), (JOIN, "pieces[index] for index in sorted(pieces)")),
    ),
    Wrong(
        TOTALS,
        "if len(totals) != 1:",
        "Each header says how many segments there are",
        also=((JOIN, f"{JOIN} if index in pieces"),),
    ),
    Wrong("segment[8:]", "segment", "You joined the headers too"),
    Wrong("segment[8:]", "segment[4:]", "You joined the totals too"),
    Wrong(
        'segment[:4], "big"',
        'segment[:4], "little"',
        "You read the numbers as if they were little-endian",
        also=(('segment[4:8], "big"', 'segment[4:8], "little"'),),
    ),
    Wrong("len(segment) < 8 or ", "", "How long is a segment at least"),
    Wrong(
        " or index >= total",
        "",
        "Indexes count from 0, so the largest is one less than the total",
        also=((JOIN, "pieces[index] for index in sorted(pieces)"),),
    ),
    Wrong(
        "index >= total",
        "index > total",
        "Indexes count from 0",
        also=((JOIN, "pieces[index] for index in sorted(pieces)"),),
    ),
    Wrong(
        "len(segment) < 8", "len(segment) <= 8", "too strict, and why? This case is about an empty"
    ),
    Wrong('raise ValueError(f"bad header: {segment[:8]!r}")', "continue", "skipped, or refused"),
    Wrong(JOIN, "pieces[index] for index in sorted(pieces, key=str)", "`10` comes before `2`"),
    Wrong(
        "pieces[index] = segment[8:]",
        "pieces[index] = segment[8:]\n        segments.remove(segment)",
        "It changes what it was given",
    ),
    Wrong(
        TOTALS,
        "if len(totals) != 1 or sum(index not in pieces for index in range(total)):",
        "Check a total before you count up to it",
    ),
)

WRONG: Final[Table] = {
    "02-count": COUNT,
    "02-header": HEADER,
    "02-join-order": JOIN_ORDER,
    "02-split": SPLIT,
    "02-bug-hunt": BUG_HUNT,
    "02-split-join": SPLIT_JOIN,
}

# The check says something else here, or less than it should.
GAPS: Final[Table] = {
    "02-split": (
        Wrong(
            "[stream[at : at + size] for",
            "[list(stream[at : at + size]) for",
            "A loop over bytes gives numbers",
            also=((' or [b""]', ""),),
        ),
        Wrong(
            f'[{STEPS}] or [b""]',
            're.findall(b".{1,%d}" % size, stream)',
            NONE,
            also=(("def cut", "import re\n\n\ndef cut"),),
        ),
    ),
    "02-bug-hunt": (
        Wrong(
            "limit - 8",
            "limit - 7",
            "Your pieces are one byte too long for the limit",
            also=(MENDED,),
        ),
    ),
}
