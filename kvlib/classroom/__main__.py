"""The teacher's commands: python -m kvlib.classroom editions, grade and guide."""

import argparse
import io
import math
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from kvlib.classroom import grading, session
from kvlib.classroom.atomic import replace
from kvlib.classroom.editions import build
from kvlib.classroom.errors import ClassroomError
from kvlib.classroom.guide import renewed
from kvlib.classroom.hidden_tests import read_hidden_tests
from kvlib.classroom.marks import Marks
from kvlib.classroom.printable import printable
from kvlib.classroom.report import table
from kvlib.classroom.resume import SavedMarks, fingerprint
from kvlib.classroom.submissions import Submissions, collect

OK, STALE, FAILED, INTERRUPTED = 0, 1, 2, 130
OVERLAY: Final = "a folder of your own hidden tests, one <exercise>.py for each exercise"


class Output:
    """Standard output that survives any file name, and a reader who has gone.

    Attributes:
        lost: why something could not be written, or "".
    """

    def __init__(self) -> None:
        self.lost = "" if sys.stdout else "it is closed"

    def __call__(self, text: str) -> None:
        """Print a text, escaping what the encoding lacks."""
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        try:
            print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            self.lost = f"{error}"
            with suppress(OSError, ValueError):  # the buffered rest can't be written either
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    _fill_streams()
    say = Output()
    options = _parser().parse_args(argv)
    try:
        status: int = options.command(options, say)
    except (ClassroomError, OSError) as error:
        _complain(f"{error}")
        return FAILED
    except KeyboardInterrupt:
        _complain("stopped")
        return INTERRUPTED
    if say.lost:
        _complain(f"not everything could be written: {say.lost}")
        return FAILED
    return status


def _fill_streams() -> None:
    """Open the streams that a caller has closed, so that no file of ours gets their number."""
    with suppress(OSError):
        while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(number)
    sys.stderr = sys.stderr or io.StringIO()


def _complain(text: str) -> None:
    with suppress(OSError, ValueError):
        lines = "\n".join(map(printable, text.splitlines()))
        print(f"kvlib.classroom: {lines}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m kvlib.classroom", description="The notebooks in a class; see docs/teaching.md."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_editions(commands.add_parser("editions", help="make solved, nbgrader and HTML editions"))
    _add_grade(commands.add_parser("grade", help="run and mark a folder of learners' notebooks"))
    _add_guide(commands.add_parser("guide", help="update the tables in the guide for teachers"))
    return parser


def _add_editions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebooks", type=_path, help="the folder of the learner's notebooks")
    parser.add_argument("target", type=_path, help="the folder in which the editions are made")
    parser.add_argument("--overlay", type=_path, metavar="FOLDER", help=OVERLAY)
    parser.set_defaults(command=_editions)


def _add_grade(parser: argparse.ArgumentParser) -> None:
    learners = "has <learner>/*.ipynb or <learner>.ipynb for each learner"
    parser.add_argument("folder", type=_path, help=learners)
    parser.add_argument("--csv", type=_path, help="the file to write; default: FOLDER/grades.csv")
    parser.add_argument("--overlay", type=_path, metavar="FOLDER", help=OVERLAY)
    limit = "the time limit for each notebook (default: %(default)g)"
    parser.add_argument("--seconds", type=_seconds, default=session.SECONDS, help=limit)
    parser.add_argument("--yes", action="store_true", help="run the learners' code without asking")
    again = "grade everyone again, instead of resuming a run that was stopped"
    parser.add_argument("--anew", action="store_true", help=again)
    parser.set_defaults(command=_grade)


def _add_guide(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=_path, help="docs/teaching.md")
    check = "write nothing; the exit status is 1 if the file would change"
    parser.add_argument("--check", action="store_true", help=check)
    parser.set_defaults(command=_guide)


def _path(text: str) -> Path:
    if not text:  # such as an unset shell variable; Path("") is the working directory
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"it must be a number above 0, not {text}")
    return seconds


def _editions(options: argparse.Namespace, say: Output) -> int:
    for line in build(options.notebooks, options.target, options.overlay):
        say(line)
    return OK


def _grade(options: argparse.Namespace, say: Output) -> int:
    work = collect(options.folder)
    if not work:
        raise ClassroomError(f"there is no notebook in {options.folder}")
    hidden = read_hidden_tests(options.overlay) if options.overlay else {}
    csv = options.csv or options.folder / "grades.csv"
    inputs = [path for paths in work.values() for path in paths]
    inputs += [options.overlay / f"{name}.py" for name in hidden]
    if csv.exists() and any(path.exists() and path.samefile(csv) for path in inputs):
        raise ClassroomError(f"{csv} is read for the grades: name another file with --csv")
    with SavedMarks(csv, anew=options.anew) as saved:
        for name, error in session.rejected(hidden):
            test = options.overlay / f"{name}.py"
            say(printable(f"{test}: it rejects our own solution: {error}"))
        say(grading.WARNING.format(notebooks=sum(map(len, work.values())), learners=len(work)))
        if not options.yes and not _agreed():
            say("Nothing was run.")
            return FAILED
        _grade_all(work, hidden, options.seconds, saved, say)
    return OK


def _agreed() -> bool:
    try:
        return input("Run it? [y/N] ").strip().lower() in {"y", "yes"}
    except (EOFError, OSError, RuntimeError, ValueError):  # no one can answer: use --yes
        return False


def _grade_all(
    work: Submissions, hidden: dict[str, str], seconds: float, saved: SavedMarks, say: Output
) -> None:
    """Grade all learners. If this is interrupted, report and save the marks so far."""
    marks: Marks = {}
    try:
        for learner, paths in work.items():
            current = fingerprint(paths, hidden, seconds)
            earlier = saved.get(learner, current)
            if earlier:
                say(f"{printable(learner)}: graded before the last run was stopped")
                marks[learner] = earlier
                continue
            marks[learner] = grading.grade_learner(learner, paths, hidden, seconds=seconds, say=say)
            saved.add(learner, current, marks[learner])
        saved.finish(marks)
    finally:
        if marks:
            say(f"\n{table(marks)}")
        if saved.rows:
            rows = f"{saved.rows} of {len(work)} learners are graded and kept in {saved.path}"
            say(printable(f"Stopped: {rows}. The same command continues from there."))
    say(f"\nwritten to {printable(str(saved.csv))}")


def _guide(options: argparse.Namespace, say: Output) -> int:
    try:
        before = options.path.read_text(encoding="utf-8")
        after = renewed(before)
    except ValueError as error:
        raise ClassroomError(f"{options.path}: {error}") from error
    shown = printable(f"{options.path}")
    if before == after:
        say(f"{shown}: unchanged")
        return OK
    if options.check:
        say(f"{shown}: would change")
        return STALE
    replace(options.path, after.encode())
    say(f"{shown}: renewed")
    return OK


if __name__ == "__main__":
    sys.exit(main())
