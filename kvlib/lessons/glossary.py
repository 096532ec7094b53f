"""The words of the series, and the glossary at the end of each notebook, which is made from them.

A word belongs to the notebook that introduces it. Its text sets a term to learn so: **_term_**,
and a word that is explained in passing in italics: *word*.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

NOTEBOOKS: Final = {1: "01_encode", 2: "02_segment", 3: "03_log"}
HEADING: Final = "## Glossary"
ENDINGS: Final = "(?:s|es|d|ed|ing)?"  # of plurals, and of what verbs become


@dataclass(frozen=True)
class Word:
    """A word of the series.

    Attributes:
        names: the word; of a pair of verbs both.
        notebook: the number of the notebook that introduces it.
        meaning: one plain sentence.
        term: whether it is one to learn, and not only explained in passing.
    """

    names: tuple[str, ...]
    notebook: int
    meaning: str
    term: bool = True

    def is_used(self, text: str) -> bool:
        """Whether the word occurs in the text."""
        return any(_pattern(name).search(text) for name in self.names)


def is_form(text: str, name: str) -> bool:
    """Whether the text is this name and nothing else, as it stands or with an ending.

    >>> is_form("Frames", "frame"), is_form("a frame", "frame")
    (True, False)
    """
    return _pattern(name).fullmatch(text) is not None


def _pattern(name: str) -> re.Pattern[str]:
    spaced = r"\s+".join(map(re.escape, name.split()))  # a line may end within it
    return re.compile(rf"\b{spaced}{ENDINGS}\b", re.IGNORECASE)


def glossary(number: int, text: str) -> str:
    """The last cell of a notebook, as Markdown: a table in the order of the alphabet.

    It has the words that the notebook introduces, and those of earlier ones that it uses.

    Args:
        number: the notebook's, from 1.
        text: the sources of its text cells; code in them is not looked at.
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
    _word("byte", 1, "A whole number from 0 to 255; a file is a row of them.", term=False),
    _word(
        "encode, decode",
        1,
        "To write values as bytes, and to read the same values back from them.",
        term=False,
    ),
    _word("record", 1, "One key and its value."),
    _word("delimiter", 1, "A mark between two pieces; it can occur in them, too."),
    _word("big-endian", 1, "Of a number's bytes, the one that is worth most comes first."),
    _word(
        "hex dump",
        1,
        "Bytes written out in lines: an offset, two hexadecimal digits for each byte, and text.",
        term=False,
    ),
    _word("offset", 1, "A position, given as the number of bytes before it."),
    _word("format", 1, "The agreement that says what bytes mean.", term=False),
    _word("length prefix", 1, "The number of bytes that follow, written before them."),
    _word(
        "UTF-8",
        1,
        "The agreement by which text becomes bytes, one to four for each character.",
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
        "Refusing what doesn't fit the format, instead of guessing what was meant.",
        term=False,
    ),
    # ------------------------------------------------------------------------------ notebook 2
    _word("header", 2, "What a format puts before data to say what the data is."),
    _word("segment", 2, "A piece of a snapshot stream behind a header of 8 bytes: index, total."),
    _word(
        "index, total",
        2,
        "Which piece a segment is, counted from 0, and how many there are.",
        term=False,
    ),
    _word(
        "split, join",
        2,
        "To cut a stream into segments, and to make the stream again from them.",
        term=False,
    ),
    _word(
        "checksum",
        2,
        "A small number computed from many bytes, stored beside them, "
        "and computed again when they are read.",
    ),
    _word(
        "frame",
        2,
        "A payload behind a header that can prove it: checksum, length, sequence, kind.",
    ),
    _word("payload", 2, "What a frame carries behind its header.", term=False),
    _word(
        "seal",
        2,
        "To put into a frame; a sealed segment is a file of its own, "
        "25 bytes longer than the bare one.",
    ),
    _word("magic", 2, "The fixed bytes at the start of a file by which its format is known."),
    _word(
        "sequence",
        2,
        "A frame's number: in a log one more than that of the frame before, "
        "in a segment the generation.",
        term=False,
    ),
    _word("generation", 2, "The number of a snapshot, which its head and each segment carry."),
    _word(
        "head",
        2,
        "The frame that names a snapshot: its generation, the number of segments, "
        "and the length and checksum of the stream.",
    ),
    _word(
        "commit point",
        2,
        "The one step at which the new state takes the place of the old one.",
    ),
    _word(
        "publish, load",
        2,
        "To put a snapshot in the place of the one before at a commit point, "
        "and to read back the one that is in force.",
    ),
    # ------------------------------------------------------------------------------ notebook 3
    _word("mutation", 3, "One change: a put or a delete."),
    _word(
        "log",
        3,
        "The file to whose end each mutation is added; in full, a write-ahead log.",
    ),
    _word(
        "salt",
        3,
        "A random number in a log's head, from which the checksums of its frames start.",
        term=False,
    ),
    _word(
        "tombstone",
        3,
        "A mutation that deletes; it stays as long as something older has the key.",
        term=False,
    ),
    _word("replay", 3, "To apply the mutations of a log, one after the other."),
    _word("recovery", 3, "Loading the snapshot, then replaying the log."),
    _word(
        "fsync",
        3,
        "To have what was written brought to the medium itself, and to wait for it.",
        term=False,
    ),
    _word("durable", 3, "Surviving a loss of power, because it is on the medium itself."),
    _word(
        "acknowledged",
        3,
        "Said to be done: the call has returned, and its caller relies on it.",
        term=False,
    ),
    _word("torn tail", 3, "What an interrupted append leaves: an end that is no whole frame."),
    _word("corruption", 3, "Bytes that were acknowledged and are now wrong."),
    _word("compaction", 3, "Publishing a new snapshot and clearing the log, at one stroke."),
    _word(
        "batch",
        3,
        "Several changes in one frame, so all or none; in databases, a transaction.",
    ),
)
