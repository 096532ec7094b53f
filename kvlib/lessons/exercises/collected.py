"""Collect the mistakes that a module defines, so that it needn't list them again."""

from collections.abc import Mapping

from kvlib.lessons.exercise import Mistake


def mistakes_in(namespace: Mapping[str, object]) -> tuple[Mistake, ...]:
    """Return the wrong functions that a module defines, in order, given its `globals()`.

    Mistakes that the module imports don't count.
    """
    found = (value for value in namespace.values() if isinstance(value, Mistake))
    return tuple(one for one in found if one.answer.__module__ == namespace["__name__"])
