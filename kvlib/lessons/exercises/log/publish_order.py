"""03-publish-order: publish a snapshot that survives a power cut at any step.

`log` names `1.segment`. These steps publish a new snapshot, `2.segment`, but they are shuffled.
`sync` makes the bytes of one file durable; `sync_directory` makes the names of all files durable.
Write down the step numbers in an order that survives a power cut after any step. More than one
order is right.

Hint: Which single step makes the new snapshot count? Write it down. Then decide for each other step
whether it belongs before or after it.

Hint: Before it comes everything that the new head needs: bytes and names. After it comes the
removal of the old snapshot.

Hint: You sync the folder twice: once so that the new files keep their names, and once so that the
rename is safe before you delete anything.

Why: New files come first: their bytes, then their names. Then comes one commit point, and the
deletion is last. Any order that leaves a whole snapshot after every cut is right.
"""

from typing import Final

from kvlib.lessons.exercise import texts
from kvlib.lessons.ordering import Ordering
from kvlib.lessons.power_cut import cut_at_every_step

EXERCISE: Final = Ordering(
    **texts(__name__),
    minutes=5,
    points=2,
    head="def publish(disk, records, head):",
    lines=(
        'disk.rename("log.new", "log")',
        'disk.write("2.segment", records)',
        "disk.sync_directory()",
        'disk.sync("log.new")',
        'disk.delete("1.segment")',
        'disk.sync("2.segment")',
        "disk.sync_directory()",
        'disk.write("log.new", head)',
    ),
    order=(2, 6, 8, 4, 3, 1, 7, 5),
    judge=cut_at_every_step,
    tried="Cut the power after each of the 8 steps, and read every disk that `CrashDisk` lists: a "
    "whole snapshot is always there.",
)
