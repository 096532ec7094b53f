"""What can be saved from a damaged store: all that still verifies, and a list of what does not.

    the head is wrong        the newest generation whose segments are whole; the log is left out, as
                             only the head knows the salt of its checksums, unless another file has
                             the head too
    a segment is wrong       the records before it, and the log's mutations
    a frame is wrong         the mutations before it, and those of the whole frames behind the hole
    nothing, or a torn tail  exactly what opening the store would give

Whatever a checksum proves is taken, at any offset of any file, whatever the file is called and
wherever it is linked to. Nothing is guessed: each record that is saved had a checksum over it that
is right, and what could be a part of a value counts only if a head vouches for it. But a store with
a hole may be one that never was: a key may have an older value, or be there after its deletion. So
all that was left out is listed, and the source is only read.

Read it in this order: findings, source, sealed, frames, snapshots, rules.
"""

from kvlib.salvage.findings import Finding, Salvage, report
from kvlib.salvage.salvage import salvage

__all__ = ["Finding", "Salvage", "report", "salvage"]
