"""Pictures of bytes, for notebooks and terminals. The engine does not import this package.

Each of these is one call, whose result shows itself: as text, and in a notebook as a view that
answers to the pointer and to keys. Those that need ipywidgets are loaded when they are first asked
for, so that the others can do without. In a notebook, kvlib's own objects show themselves too.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from kvlib.views.curves import compactions, overhead
from kvlib.views.cuts import crash
from kvlib.views.diff import diff
from kvlib.views.dumps import Dump, dump
from kvlib.views.film import Film
from kvlib.views.flips import flips
from kvlib.views.lengths import lengths
from kvlib.views.shown import explain, register
from kvlib.views.steps import steps

if TYPE_CHECKING:
    from kvlib.views.delimiter_lab import delimiters
    from kvlib.views.segment_desk import desk
    from kvlib.views.widgets import explore

__all__ = [
    "Dump",
    "Film",
    "compactions",
    "crash",
    "delimiters",
    "desk",
    "diff",
    "dump",
    "explain",
    "explore",
    "flips",
    "lengths",
    "overhead",
    "steps",
]

_LATER = {"delimiters": "delimiter_lab", "desk": "segment_desk", "explore": "widgets"}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)


def __dir__() -> list[str]:
    return __all__


register()
