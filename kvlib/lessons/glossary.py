"""The vocabulary of the series, and the glossary at the end of each notebook.

A word belongs to the notebook that introduces it. The notebook sets a term to learn as **_term_**,
and a word that it explains in passing as *word*.
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

    It contains the words that the notebook introduces, and those from earlier notebooks that it
    uses.

    Args:
        number: the number of the notebook, from 1.
        text: the sources of its text cells; code in them is ignored.
    """
    prose = _without_code(text)
    words = [
        word
        for word in WORDS
        if word.notebook == number or (word.notebook < number and word.is_used(prose))
    ]
    words.sort(key=lambda word: word.names[0].lower())
    return "\n".join([HEADING, "", *_head(number), *(_row(word, number) for word in words)])


def _without_code(text: str) -> str:
    fences = r"^(```|~~~).*?^\1"
    return re.sub(r"`[^`]*`", "", re.sub(fences, "", text, flags=re.DOTALL | re.MULTILINE))


def _head(number: int) -> Iterator[str]:
    earlier = ", and those from earlier notebooks that it uses" if number > 1 else ""
    yield from (f"The words of this notebook{earlier}.", "", "| word | meaning |", "|---|---|")


def _row(word: Word, number: int) -> str:
    place = f"[notebook {word.notebook}]({NOTEBOOKS[word.notebook]}.ipynb)"
    origin = "" if word.notebook == number else f" ({place})"
    return f"| {', '.join(word.names)} | {word.meaning}{origin} |"


# The words that each notebook introduces: terms in bold, words explained in passing in italics.
MEANINGS: Final = {
    1: """
- *byte* A whole number from 0 to 255; every file is a sequence of bytes.
- *encode, decode* To turn values into bytes, and to turn bytes back into the same values.
- **record** One key and its value.
- **delimiter** A mark between two pieces of data that separates them; the data may contain it too.
- **big-endian** The byte order that puts the most significant byte of a number first.
- *hex dump* A listing of bytes for people to read: offsets, hexadecimal digits and text.
- **offset** A position in bytes, counted from 0: the number of bytes before it.
- *format* The rules that say what bytes mean, so that a reader understands a writer.
- **length prefix** The number of bytes that follow; it tells a reader where the data ends.
- **UTF-8** The standard encoding of text as bytes, one to four for each character.
- *tag* The byte at the start of a field that says whether its data is text or bytes.
- **field** A key or a value as bytes: tag, length, data.
- **snapshot** All records at one moment; its encoding, the snapshot stream, is a count and the
  fields.
- *strict* Rejecting data that breaks the rules of its format, instead of guessing.
""",
    2: """
- **header** Bytes in front of data that describe it.
- **segment** A piece of a snapshot stream with a header of 8 bytes, which says its index and the
  total.
- *index, total* A segment's number, counted from 0, and the number of segments.
- *split, join* To cut a stream into segments, and to put them back together.
- **checksum** A small number stored with data that it was computed from; recomputing it reveals
  damage.
- **frame** A payload with a header that lets a reader check it: checksum, length, sequence, kind.
- *payload* The data in a frame, after the header.
- **seal** To wrap data in a frame; a sealed segment's file is 25 bytes longer than the segment.
- **magic** Fixed bytes at the start of a file that identify its format.
- *sequence* A frame's number: in a log one more than the previous frame's, in a segment the
  generation.
- **generation** A snapshot's number; its head and its segments all have it, which shows that they
  match.
- **head** The frame that describes a snapshot: generation, number of segments, and the stream's
  length and checksum.
- **commit point** The single step that replaces the old state with the new one.
- **publish, load** To replace the current snapshot with a new one at a commit point, and to read it
  back.
""",
    3: """
- **mutation** One change to a store: a put or a delete.
- **log** The file that mutations are appended to, so that they survive; in full, a write-ahead log.
- *salt* A random number in a log's head that seeds the checksums of its frames.
- *tombstone* A mutation that deletes a key; it is needed until no older data contains the key.
- **replay** To apply the mutations of a log in order.
- **recovery** Restoring a store from its files: load the snapshot, then replay the log.
- *fsync* To wait until written bytes have reached the medium.
- **durable** On the medium, and therefore safe from a power cut.
- *acknowledged* Reported as done: the call has returned, and the caller can rely on it.
- **torn tail** An incomplete frame at the end of a log, left by an interrupted append.
- **corruption** Damage to bytes that were acknowledged.
- **compaction** Publishing a new snapshot and clearing the log in one step, to keep the log short.
- **batch** Several changes in one frame: all of them survive, or none.
- *group commit* One fsync for the changes of several threads that wait for it.
""",
}


def _words(notebook: int) -> Iterator[Word]:
    for stars, names, text in re.findall(r"^- (\*+)(.+?)\*+ ([^.]+\.)$", MEANINGS[notebook], re.M):
        yield Word(tuple(names.split(", ")), notebook, " ".join(text.split()), stars == "**")


WORDS: Final = tuple(word for notebook in MEANINGS for word in _words(notebook))
