"""The words of the series, and the glossary at the end of each notebook.

A word belongs to the notebook that introduces it. A term to learn is set as **_term_** there, and a
word that is explained in passing as *word*.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

NOTEBOOKS: Final = {1: "01_encode", 2: "02_segment", 3: "03_log"}
HEADING: Final = "## Glossary"
ENDINGS: Final = "(?:s|es|d|ed|ing)?"  # of plurals and verbs


@dataclass(frozen=True)
class Word:
    """A word of the series.

    Attributes:
        names: the word, or both words of a pair of verbs.
        notebook: the number of the notebook that introduces it.
        meaning: one plain sentence.
        term: whether it is a term to learn, rather than explained in passing.
    """

    names: tuple[str, ...]
    notebook: int
    meaning: str
    term: bool = True

    def is_used(self, text: str) -> bool:
        """Return whether the word occurs in the text."""
        return any(_pattern(name).search(text) for name in self.names)


def is_form(text: str, name: str) -> bool:
    """Return whether the text is just this name, with or without an ending.

    >>> is_form("Frames", "frame"), is_form("a frame", "frame")
    (True, False)
    """
    return _pattern(name).fullmatch(text) is not None


def _pattern(name: str) -> re.Pattern[str]:
    spaced = r"\s+".join(map(re.escape, name.split()))  # the name may span two lines
    return re.compile(rf"\b{spaced}{ENDINGS}\b", re.IGNORECASE)


def glossary(number: int, text: str) -> str:
    """Return the last cell of a notebook, a table in Markdown, in alphabetical order.

    It has the words that the notebook introduces, and those of earlier notebooks that it uses.

    Args:
        number: the number of the notebook, from 1.
        text: the sources of its text cells; code in them is ignored.
    """
    spoken = _without_code(text)
    here = [
        word
        for word in WORDS
        if word.notebook == number or (word.notebook < number and word.is_used(spoken))
    ]
    here.sort(key=lambda word: word.names[0].lower())
    return "\n".join([HEADING, "", *_head(number), *(_row(word, number) for word in here)])


def _without_code(text: str) -> str:
    fences = r"^(```|~~~).*?^\1"
    return re.sub(r"`[^`]*`", "", re.sub(fences, "", text, flags=re.DOTALL | re.MULTILINE))


def _head(number: int) -> Iterator[str]:
    earlier = ", and those of earlier ones that it uses" if number > 1 else ""
    yield from (f"The words of this notebook{earlier}.", "", "| word | meaning |", "|---|---|")


def _row(word: Word, number: int) -> str:
    place = f"[notebook {word.notebook}]({NOTEBOOKS[word.notebook]}.ipynb)"
    origin = "" if word.notebook == number else f" ({place})"
    return f"| {', '.join(word.names)} | {word.meaning}{origin} |"


def _word(names: str, notebook: int, meaning: str, *, term: bool = True) -> Word:
    return Word(tuple(names.split(", ")), notebook, meaning, term)


WORDS: Final = (
    # ------------------------------------------------------------------------------ notebook 1
    _word("byte", 1, "A whole number from 0 to 255; a file is a sequence of bytes.", term=False),
    _word(
        "encode, decode",
        1,
        "To write values as bytes, and to read the same values back.",
        term=False,
    ),
    _word("record", 1, "One key and its value."),
    _word(
        "delimiter", 1, "A mark that separates two pieces of data; it may also occur inside them."
    ),
    _word("big-endian", 1, "Writing a number's bytes with the most significant one first."),
    _word(
        "hex dump",
        1,
        "Bytes in lines: an offset, two hexadecimal digits for each byte, and the text.",
        term=False,
    ),
    _word("offset", 1, "A position, given as the number of bytes before it."),
    _word("format", 1, "The agreement that says what bytes mean.", term=False),
    _word("length prefix", 1, "The number of bytes that follow, written before them."),
    _word(
        "UTF-8",
        1,
        "The usual encoding of text as bytes, one to four for each character.",
    ),
    _word("tag", 1, "The byte that says whether a field is text or bytes.", term=False),
    _word("field", 1, "A key or a value as bytes: tag, length, data."),
    _word(
        "snapshot",
        1,
        "All records at one moment; as bytes it is the snapshot stream: a count, then the fields.",
    ),
    _word(
        "strict",
        1,
        "Rejecting data that doesn't fit the format, instead of guessing.",
        term=False,
    ),
    # ------------------------------------------------------------------------------ notebook 2
    _word("header", 2, "Bytes that precede data and describe it."),
    _word("segment", 2, "A piece of a snapshot stream after a header of 8 bytes: index and total."),
    _word(
        "index, total",
        2,
        "A segment's number, counted from 0, and the number of segments.",
        term=False,
    ),
    _word(
        "split, join",
        2,
        "To cut a stream into segments, and to put the stream together again.",
        term=False,
    ),
    _word(
        "checksum",
        2,
        "A small number computed from many bytes, stored with them, "
        "and computed again when they are read.",
    ),
    _word(
        "frame",
        2,
        "A payload with a header that can prove it: checksum, length, sequence, kind.",
    ),
    _word("payload", 2, "The part of a frame that follows its header.", term=False),
    _word(
        "seal",
        2,
        "To wrap in a frame; a sealed segment is a file, 25 bytes longer than the bare segment.",
    ),
    _word("magic", 2, "Fixed bytes at the start of a file that identify its format."),
    _word(
        "sequence",
        2,
        "A frame's number: in a log one more than the previous frame's, "
        "in a segment the generation.",
        term=False,
    ),
    _word("generation", 2, "The number of a snapshot, stored in its head and in each segment."),
    _word(
        "head",
        2,
        "The frame that names a snapshot: its generation, the number of segments, "
        "and the length and checksum of the stream.",
    ),
    _word(
        "commit point",
        2,
        "The single step that replaces the old state by the new one.",
    ),
    _word(
        "publish, load",
        2,
        "To replace the current snapshot by a new one at a commit point, "
        "and to read the current one back.",
    ),
    # ------------------------------------------------------------------------------ notebook 3
    _word("mutation", 3, "One change: a put or a delete."),
    _word(
        "log",
        3,
        "The file that mutations are appended to; in full, a write-ahead log.",
    ),
    _word(
        "salt",
        3,
        "A random number in a log's head that seeds the checksums of its frames.",
        term=False,
    ),
    _word(
        "tombstone",
        3,
        "A mutation that deletes a key, kept until no older data has that key.",
        term=False,
    ),
    _word("replay", 3, "To apply the mutations of a log in order."),
    _word("recovery", 3, "Loading the snapshot, then replaying the log."),
    _word(
        "fsync",
        3,
        "To wait until written data has reached the medium itself.",
        term=False,
    ),
    _word("durable", 3, "Surviving a power cut, because it is on the medium itself."),
    _word(
        "acknowledged",
        3,
        "Reported as done: the call has returned, and the caller relies on it.",
        term=False,
    ),
    _word("torn tail", 3, "The incomplete frame that an interrupted append leaves at a log's end."),
    _word("corruption", 3, "Bytes that were acknowledged and are now wrong."),
    _word("compaction", 3, "Publishing a new snapshot and clearing the log in one step."),
    _word(
        "batch",
        3,
        "Several changes in one frame, all or none; databases call it a transaction.",
    ),
)
