"""Pictures of bytes, for notebooks and terminals. The engine doesn't import this package.

Each view is one call, and its result shows itself: as text, and in a notebook as a view that reacts
to the pointer and to keys. ipywidgets is loaded by the first view that needs it. In a notebook,
kvlib's own objects show themselves too.
"""

import warnings

from kvlib.views.commit import commit
from kvlib.views.crash import crash
from kvlib.views.curves import compactions, overhead
from kvlib.views.delimiters import delimiters
from kvlib.views.desk import desk
from kvlib.views.diff import diff
from kvlib.views.dump import Dump, dump
from kvlib.views.explain import explain
from kvlib.views.explore import explore
from kvlib.views.flips import flips
from kvlib.views.fsync import fsync
from kvlib.views.images import images
from kvlib.views.ipython import register
from kvlib.views.journey import journey
from kvlib.views.lengths import lengths
from kvlib.views.shelves import shelves
from kvlib.views.steps import steps
from kvlib.views.timeline import Timeline
from kvlib.views.verdict import verdict

__all__ = [
    "Dump",
    "Timeline",
    "commit",
    "compactions",
    "crash",
    "delimiters",
    "desk",
    "diff",
    "dump",
    "explain",
    "explore",
    "flips",
    "fsync",
    "images",
    "journey",
    "lengths",
    "overhead",
    "shelves",
    "steps",
    "verdict",
]


def __getattr__(name: str) -> object:
    if name == "Film":  # for one version
        warnings.warn("views.Film is now views.Timeline", DeprecationWarning, stacklevel=2)
        return Timeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


register()
