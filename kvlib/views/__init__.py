"""Pictures of bytes, for notebooks and terminals. The engine does not import this package."""

from kvlib.views.dumps import Dump, dump

__all__ = ["Dump", "dump"]
