"""Make any file name safe to show in a line of text, and in a cell of a spreadsheet. Pure."""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

ESCAPED: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # break a line, reverse it, or aren't text
JOINERS: Final = {"\u200c", "\u200d"}  # Cf, but some scripts need them
FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def printable(text: str) -> str:
    r"""Return a text in one line that can be encoded as UTF-8.

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
    """Return a text in one line that a spreadsheet doesn't evaluate as a formula."""
    shown = printable(text)
    return f"'{shown}" if shown.startswith(FORMULA) else shown


def distinct(names: Iterable[str], suffixes: tuple[str, ...], taken: set[str]) -> Iterator[str]:
    """Yield a printable label for each name, so that all labels with suffixes are different.

    Args:
        names: the names.
        suffixes: what is appended to a label.
        taken: texts that no label with a suffix may equal.

    >>> list(distinct(["a", "a (2)", "a: state", "b"], ("", ": state"), {"b"}))
    ['a', 'a (2)', 'a: state (2)', 'b (2)']
    """
    taken = set(taken)
    for name in names:
        shown, number = harmless(name), 1
        label = shown
        while taken & {f"{label}{suffix}" for suffix in suffixes}:
            number += 1
            label = f"{shown} ({number})"
        taken |= {f"{label}{suffix}" for suffix in suffixes}
        yield label
