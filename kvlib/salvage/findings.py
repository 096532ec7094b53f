"""The result of a salvage: the records and the flaws, as values and in words."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from kvlib.encoding import Item
from kvlib.plural import count

COLUMNS: Final = 80
INDENT: Final = "    "


@dataclass(frozen=True)
class Finding:
    """A flaw: bytes that could not be used as they are.

    Attributes:
        file: the name of the file.
        offset: where in the file the flaw begins.
        size: how many bytes were left out because of it.
        reason: the flaw, and its consequence for the records.
    """

    file: str
    offset: int
    size: int
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"

    @property
    def place(self) -> str:
        """The file, the offset and the size, in words."""
        file = self.file if self.file.isprintable() else repr(self.file)
        return f"{file}, offset {self.offset}, {count(self.size, 'byte')}"


@dataclass(frozen=True)
class Salvage:
    """The result of `salvage`.

    Attributes:
        records: how many records the new store has.
        left_out: bytes that are not in it although they may have been acknowledged.
        notes: flaws that cost nothing: a torn tail, a wrong preamble, bytes outside of any frame,
            a segment with the wrong file name.
    """

    records: int
    left_out: tuple[Finding, ...]
    notes: tuple[Finding, ...]

    @property
    def complete(self) -> bool:
        """Whether the new store has everything that the old one had."""
        return not self.left_out

    @property
    def stored(self) -> bool:
        """Whether there is a new store. There is none if everything was left out."""
        return self.complete or self.records > 0


class Found(NamedTuple):
    """The records that have been found so far, and the flaws."""

    items: dict[Item, Item]
    left_out: list[Finding]
    notes: list[Finding]


def torn_tail(file: str, offset: int, size: int) -> Finding:
    """Return the finding for the bytes that a crash leaves at the end of a log."""
    return Finding(file, offset, size, "a torn tail, which recovery drops too")


def report(result: Salvage, destination: str) -> Iterator[str]:
    """Yield the result of `salvage` as lines; `destination` is the name of the new store."""
    if result.stored:
        whole = "everything was saved" if result.complete else "not everything was saved"
        yield f"{destination}: {count(result.records, 'record')}, {whole}"
    else:
        yield f"nothing could be saved; there is no store at {destination}"
    yield from _listed("left out", result.left_out)
    yield from _listed("wrong, but no loss", result.notes)


def _listed(title: str, findings: tuple[Finding, ...]) -> Iterator[str]:
    if findings:
        yield f"{title}:"
    for finding in findings:
        yield f"  {finding.place}"
        plain = finding.reason.encode("ascii", "backslashreplace").decode()
        yield from textwrap.wrap(plain, COLUMNS, initial_indent=INDENT, subsequent_indent=INDENT)
