"""Make any file name safe to show, in a line of text and in the cell of a table. Pure."""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

ESCAPED: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # breaks a line, reverses it, or isn't text
JOINERS: Final = {"\u200c", "\u200d"}  # needed in some scripts, although they are Cf
FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def printable(text: str) -> str:
    r"""Return a text as one line of valid UTF-8.

    >>> print(printable("Žofie 李"), printable("a\nb\udcff"))
    Žofie 李 a\nb\xff
    """
    return "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    if char in JOINERS or unicodedata.category(char) not in ESCAPED:
        return char
    if 0xDC80 <= ord(char) <= 0xDCFF:  # Python's substitute for a byte that isn't UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()


def harmless(text: str) -> str:
    """Return a cell that a spreadsheet reads as text even if it looks like a formula."""
    shown = printable(text)
    return f"'{shown}" if shown.startswith(FORMULA) else shown


def distinct(names: Iterable[str], suffixes: tuple[str, ...], taken: set[str]) -> Iterator[str]:
    """Yield the names in printable form, all different, even with one of the suffixes.

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
