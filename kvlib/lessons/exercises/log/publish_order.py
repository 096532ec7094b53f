"""03-publish-order: the steps that publish a snapshot."""

from typing import Final

from kvlib.lessons import power_cut, solutions
from kvlib.lessons.exercise import Case, Exercise, Mistake

EXERCISE: Final = Exercise(
    name="03-publish-order",
    kind="order",
    objective="publish a snapshot so that no power cut falls into a gap",
    task=(
        "`log` names `1.segment`. These steps publish a new snapshot, `2.segment`; they are "
        "shuffled. `sync` makes the bytes of a file durable, `sync_directory` the names of all. "
        "Write down an order of their numbers in which the power may go after any step. There is "
        "more than one."
    ),
    stub="order = ...",
    names=("order",),
    solution=(solutions.publish,),
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
    cases=(Case((power_cut.paper(), power_cut.RECORDS, power_cut.HEAD), "the steps, one by one"),),
    probe=power_cut.cut_at_every_step,
    mistakes=(
        Mistake([2, 6, 8, 4, 1, 3, 7, 5], power_cut.SENTENCES["unsynced name"]),
        Mistake([2, 6, 8, 4, 3, 7, 1, 5], power_cut.SENTENCES["unsynced rename"]),
        Mistake([2, 6, 8, 4, 3, 1, 5, 7], power_cut.SENTENCES["unsynced rename"]),
        Mistake([5, 2, 6, 8, 4, 3, 1, 7], power_cut.SENTENCES["early deletion"]),
        Mistake([2, 8, 4, 3, 1, 6, 7, 5], power_cut.SENTENCES["unsynced segment"]),
        Mistake([2, 6, 8, 3, 1, 4, 7, 5], power_cut.SENTENCES["unsynced head"]),
        Mistake([8, 4, 3, 1, 2, 6, 7, 5], power_cut.SENTENCES["unwritten segment"]),
        Mistake([6, 2, 8, 4, 3, 1, 7, 5], power_cut.SENTENCES["missing file"]),
    ),
    hints=(
        "Which one step makes the new snapshot count? Put it down, and ask of each other step "
        "whether it belongs before it or after.",
        "Before it: all that the new head needs, bytes and names. After it: what throws the old "
        "one away.",
        "The folder is fsynced twice: once so that the new files keep their names, once so that "
        "the rename is kept before anything is deleted.",
    ),
    why=(
        "New files first, their bytes and then their names; one commit point; deletion last. "
        "Any order in which each cut leaves a whole snapshot is right."
    ),
    points=2,
    minutes=3,
)
