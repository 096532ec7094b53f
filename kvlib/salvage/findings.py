"""What salvage found: the records, and what was wrong with the bytes; as values, and in words."""

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
    """Bytes that were not used as they stand.

    Attributes:
        file: the name of the file. offset: where in it that which is wrong begins.
        size: how many bytes were left out for it.
        reason: what is wrong, and what that means for the records.
    """

    file: str
    offset: int
    size: int
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"

    @property
    def place(self) -> str:
        """File, offset and size, in words."""
        file = self.file if self.file.isprintable() else repr(self.file)
        return f"{file}, offset {self.offset}, {count(self.size, 'byte')}"


@dataclass(frozen=True)
class Salvage:
    """What `salvage` did.

    Attributes:
        records: how many there are in the new store.
        left_out: what is not in it, and was perhaps acknowledged.
        notes: what was wrong and cost nothing: a torn tail, a preamble that had to be put right,
            bytes beside a whole frame, a segment under another name.
    """

    records: int
    left_out: tuple[Finding, ...]
    notes: tuple[Finding, ...]

    @property
    def complete(self) -> bool:
        """Whether the new store is exactly what the old one was."""
        return not self.left_out

    @property
    def stored(self) -> bool:
        """Whether there is a new store: not if everything was left out."""
        return self.complete or self.records > 0


class Found(NamedTuple):
    """The records that are saved, and the lists that grow while they are searched for."""

    items: dict[Item, Item]
    left_out: list[Finding]
    notes: list[Finding]


def torn_tail(file: str, offset: int, size: int) -> Finding:
    """What a crash leaves at the end of a log."""
    return Finding(file, offset, size, "a torn tail, which recovery drops too")


def report(result: Salvage, destination: str) -> Iterator[str]:
    """What `salvage` did, line by line; `destination` is what to call the new store."""
    if result.stored:
        whole = "everything was saved" if result.complete else "not all that was there"
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
