"""A number and its noun. Pure."""


def count(number: int, noun: str) -> str:
    """Return a number and its noun, in the plural where that is needed. The noun must be regular.

    >>> count(1, "byte"), count(2_000, "byte")
    ('1 byte', '2,000 bytes')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
