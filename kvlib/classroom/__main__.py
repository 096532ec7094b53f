"""The teacher's commands: python -m kvlib.classroom editions, grade and guide."""

import argparse
import math
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from kvlib.classroom import editions, grading, guide
from kvlib.classroom.marks import States, printable, table
from kvlib.classroom.notebooks import ClassroomError
from kvlib.classroom.resume import SavedMarks, fingerprint, replace
from kvlib.cli import streams

STALE: Final = 1  # a guide that would change


class Output:
    """Standard output. If it can't be written to, the command goes on, because marks matter more.

    Attributes:
        lost: why something could not be written, or "".
    """

    lost = ""

    def __call__(self, text: str) -> None:
        """Print a text."""
        try:
            streams.say(text)
            streams.flush()
        except streams.OutputError as error:
            self.lost = f"{error}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    streams.open_closed()
    say = Output()
    options = _parser().parse_args(argv)
    try:
        status: int = options.command(options, say)
    except (ClassroomError, OSError) as error:
        status = _complain(f"{error}")
    except KeyboardInterrupt:
        _complain("stopped")
        status = streams.INTERRUPTED
    if say.lost and status == streams.OK:
        status = _complain(f"not everything could be written: {say.lost}")
    streams.give_up()
    return status


def _complain(text: str) -> int:
    lines = "\n".join(map(printable, text.splitlines()))
    streams.complain(f"kvlib.classroom: {lines}")
    return streams.FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m kvlib.classroom", description="The notebooks in a class; see docs/teaching.md."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    hidden = "a folder of your own hidden tests, one <exercise>.py for each"

    made = commands.add_parser("editions", help="make solved, nbgrader's and HTML notebooks")
    made.add_argument("notebooks", type=_path, help="the folder of the learner's notebooks")
    made.add_argument("target", type=_path, help="where the editions are to be")
    made.add_argument("--overlay", type=_path, metavar="FOLDER", help=hidden)
    made.set_defaults(command=_editions)

    graded = commands.add_parser("grade", help="run and mark a folder of learners' notebooks")
    graded.add_argument(
        "folder", type=_path, help="holds <learner>/*.ipynb, or <learner>.ipynb, for each learner"
    )
    graded.add_argument("--csv", type=_path, help="the file to write; default: FOLDER/grades.csv")
    graded.add_argument("--overlay", type=_path, metavar="FOLDER", help=hidden)
    graded.add_argument(
        "--seconds",
        type=_seconds,
        default=grading.SECONDS,
        help="for a notebook (default: %(default)g)",
    )
    graded.add_argument("--yes", action="store_true", help="run their code without asking")
    graded.add_argument(
        "--anew", action="store_true", help="don't continue from where an earlier run was stopped"
    )
    graded.set_defaults(command=_grade)

    guided = commands.add_parser("guide", help="renew the tables in the guide for teachers")
    guided.add_argument("path", type=_path, help="docs/teaching.md")
    guided.add_argument("--check", action="store_true", help="write nothing; 1 if it would change")
    guided.set_defaults(command=_guide)
    return parser


def _path(text: str) -> Path:
    if not text:  # an unset shell variable, for instance; Path would make it the working directory
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"a number above 0 is needed, not {text}")
    return seconds


def _editions(options: argparse.Namespace, say: Output) -> int:
    for line in editions.build(options.notebooks, options.target, options.overlay):
        say(line)
    return streams.OK


def _grade(options: argparse.Namespace, say: Output) -> int:
    work = grading.collect(options.folder)
    if not work:
        raise ClassroomError(f"there is no notebook in {options.folder}")
    hidden = editions.hidden_tests(options.overlay) if options.overlay else {}
    place = options.csv or options.folder / "grades.csv"
    with closing(SavedMarks(place, anew=options.anew)) as saved:
        for name, error in grading.rejected(hidden):
            test = options.overlay / f"{name}.py"
            say(printable(f"{test}: it rejects our own solution: {error}"))
        say(grading.WARNING.format(notebooks=sum(map(len, work.values())), learners=len(work)))
        if not options.yes and not _agreed():
            say("Nothing was run.")
            return streams.FAILED
        _grade_all(work, hidden, options.seconds, saved, say)
    return streams.OK


def _grade_all(
    work: dict[str, list[Path]],
    hidden: dict[str, str],
    seconds: float,
    saved: SavedMarks,
    say: Output,
) -> None:
    """Grade all learners. If the run ends early, report the marks so far, which are saved."""
    marks: dict[str, States] = {}
    try:
        for learner, paths in work.items():
            handed_in = list(map(grading.read, paths))
            key = fingerprint(learner, handed_in, hidden, seconds)
            states = saved.get(key)
            if states:
                say(f"{printable(learner)}: graded before the last run was stopped")
            else:
                states = grading.grade_learner(learner, handed_in, hidden, seconds, say)
                saved.add(key, states)
            marks[learner] = states
        saved.finish(marks)
    except BaseException:
        if marks:
            rows = f"{len(marks)} of {len(work)} learners are graded and kept in {saved.path}"
            stopped = printable(f"Stopped: {rows}. The same command continues from there.")
            say(f"\n{table(marks)}\n{stopped}")
        raise
    say(f"\n{table(marks)}\n\nwritten to {printable(f'{saved.csv}')}")


def _agreed() -> bool:
    try:
        return input("Run it? [y/N] ").strip().lower() in {"y", "yes"}
    except (EOFError, OSError, RuntimeError, ValueError):  # there is no one to ask: use --yes
        return False


def _guide(options: argparse.Namespace, say: Output) -> int:
    try:
        before = options.path.read_text(encoding="utf-8")
        after = guide.renewed(before)
    except ValueError as error:
        raise ClassroomError(f"{options.path}: {error}") from error
    shown = printable(f"{options.path}")
    if before == after:
        say(f"{shown}: unchanged")
        return streams.OK
    if options.check:
        say(f"{shown}: would change")
        return STALE
    replace(options.path, after.encode())
    say(f"{shown}: renewed")
    return streams.OK


if __name__ == "__main__":
    sys.exit(main())
