"""For teachers: python -m kvlib.classroom editions, grade and guide."""

import argparse
import io
import math
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from kvlib.classroom import atomic, editions, grading, guide
from kvlib.classroom.marks import Kept
from kvlib.classroom.printable import printable

OK, STALE, FAILED, INTERRUPTED = 0, 1, 2, 130


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
    except (editions.EditionError, OSError) as error:
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
    return OK


def _grade(options: argparse.Namespace, say: Output) -> int:
    from kvlib.classroom.kernel import KernelError  # takes a second

    work = grading.collect(options.folder)
    if not work:
        raise editions.EditionError(f"there is no notebook in {options.folder}")
    hidden = editions.hidden_tests(options.overlay) if options.overlay else {}
    place = options.csv or options.folder / "grades.csv"
    own = [path for paths in work.values() for path in paths]
    own += [options.overlay / f"{name}.py" for name in hidden]
    if place.exists() and any(path.exists() and path.samefile(place) for path in own):
        raise editions.EditionError(f"{place} is read for the grades: name another file with --csv")
    with Kept(place, anew=options.anew) as kept:
        try:
            for name, error in grading.rejected(hidden):
                test = options.overlay / f"{name}.py"
                say(printable(f"{test}: it rejects our own solution: {error}"))
            say(grading.WARNING.format(notebooks=sum(map(len, work.values())), learners=len(work)))
            if not options.yes and not _agreed():
                say("Nothing was run.")
                return FAILED
            _grade_all(work, hidden, options.seconds, kept, say)
        except KernelError as error:
            raise editions.EditionError(f"{error}") from error
    return OK


def _grade_all(
    work: grading.Work, hidden: dict[str, str], seconds: float, kept: Kept, say: Output
) -> None:
    """Grade all learners. If the run is ended early, report and keep the marks so far."""
    marks: grading.Marks = {}
    done = False
    try:
        for learner, paths in work.items():
            now = grading.fingerprint(paths, hidden, seconds)
            before = kept.get(learner, now)
            if before:
                say(f"{printable(learner)}: graded before the last run was stopped")
            own = before or grading.grade_learner(learner, paths, hidden, seconds=seconds, say=say)
            marks[learner] = own
            if not before:
                kept.add(learner, now, own)
        kept.finish(marks)
        done = True
    finally:
        if marks:
            say(f"\n{grading.table(marks)}")
        if not done and kept.rows:
            rows = f"{kept.rows} of {len(work)} learners are graded and kept in {kept.path}"
            say(printable(f"Stopped: {rows}. The same command continues from there."))
    say(f"\nwritten to {printable(str(kept.place))}")


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
        raise editions.EditionError(f"{options.path}: {error}") from error
    shown = printable(f"{options.path}")
    if before == after:
        say(f"{shown}: unchanged")
        return OK
    if options.check:
        say(f"{shown}: would change")
        return STALE
    atomic.replace(options.path, after.encode())
    say(f"{shown}: renewed")
    return OK


if __name__ == "__main__":
    sys.exit(main())
