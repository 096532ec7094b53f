"""Names that anybody may have given to a file, as a line of text and as a cell of a table. Pure."""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

ESCAPED: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # what breaks a line, turns it round, or is no text
JOINERS: Final = {"\u200c", "\u200d"}  # which some scripts need, though they are of Cf
FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def printable(text: str) -> str:
    r"""Return a text as one line that any UTF-8 file can hold.

    >>> print(printable("Žofie 李"), printable("a\nb\udcff"))
    Žofie 李 a\nb\xff
    """
    return "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    if char in JOINERS or unicodedata.category(char) not in ESCAPED:
        return char
    if 0xDC80 <= ord(char) <= 0xDCFF:  # Python's for a byte of a name that is no UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()


def harmless(text: str) -> str:
    """Return a cell that is a text even where a spreadsheet would see a formula."""
    shown = printable(text)
    return f"'{shown}" if shown.startswith(FORMULA) else shown


def distinct(names: Iterable[str], suffixes: tuple[str, ...], taken: set[str]) -> Iterator[str]:
    """Return the names as they can be shown: no two are alike, even with the suffixes.

    >>> list(distinct(["a", "a (2)", "a: state", "b"], ("", ": state"), {"b"}))
    ['a', 'a (2)', 'a: state (2)', 'b (2)']
    """
    taken = set(taken)
    for name in names:
        shown, number = harmless(name), 1
        label = shown
        while taken & (made := {f"{label}{suffix}" for suffix in suffixes}):
            number += 1
            label = f"{shown} ({number})"
        taken |= made
        yield label
