"""Save what still verifies in a damaged store, and list what doesn't.

    damage                   what is saved
    the head                 the newest generation whose segments are whole. The log is left out,
                             because only the head knows the salt of its checksums, unless another
                             file has the head too
    a segment                the records before it, and the log's mutations
    a frame                  the mutations before it, and those of the whole frames after the hole
    none, or a torn tail     exactly the store that opening it would give

Everything that a checksum proves is used, at any offset of any file, whatever its name is and
wherever a link leads. Nothing is guessed: each saved record was covered by a checksum that matches,
and bytes that could be part of a value only count if a head vouches for them. Still, a store with a
hole may be a store that never existed: a key may have an older value, or be back after its
deletion. So everything that was left out is listed, and the source is only read.

Read it in this order: findings, files, sealed, frames, snapshots, salvage.
"""

from kvlib.salvage.findings import Finding, Salvage, report
from kvlib.salvage.salvage import salvage

__all__ = ["Finding", "Salvage", "report", "salvage"]
