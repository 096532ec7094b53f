"""Words that every report is made of. Pure."""


def count(number: int, noun: str) -> str:
    """A number and its noun, which is a regular one.

    >>> count(1, "byte"), count(2_000, "byte")
    ('1 byte', '2,000 bytes')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
