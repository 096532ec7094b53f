"""The teacher's commands: python -m kvlib.classroom editions and grade."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kvlib.classroom import editions, grading
from kvlib.classroom.files import printable, replace
from kvlib.classroom.marks import HEADINGS, States, as_csv, best, table
from kvlib.classroom.notebooks import ClassroomError
from kvlib.cli import streams
from kvlib.lessons.catalogue import find

WARNING: Final = """\
This runs the code in {notebooks} notebooks of {learners} learners, on this computer and with your
rights: it can read, change and send whatever you can. Do it where there is nothing to lose, such as
a virtual machine or a container."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    streams.open_closed()
    try:
        options = _parser().parse_args(argv)
        status: int = options.command(options)
        return status
    except streams.OutputError as error:
        return _complain(f"standard output can't be written: {error}")
    except (ClassroomError, EOFError, OSError) as error:
        return _complain(f"{error}")
    except KeyboardInterrupt:
        _complain("stopped")
        return streams.INTERRUPTED
    finally:
        streams.give_up()


def _say(text: str) -> None:
    streams.say(text)
    streams.flush()  # at once, because a run takes long


def _complain(text: str) -> int:
    streams.complain("\n".join(map(printable, f"kvlib.classroom: {text}".splitlines())))
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
    learners = "holds <learner>/*.ipynb, or <learner>.ipynb, for each learner"
    graded.add_argument("folder", type=_path, help=learners)
    graded.add_argument("--csv", type=_path, help="the file to write; default: FOLDER/grades.csv")
    graded.add_argument("--overlay", type=_path, metavar="FOLDER", help=hidden)
    limit = "for a notebook (default: %(default)g)"
    graded.add_argument("--seconds", type=float, default=grading.SECONDS, help=limit)
    graded.add_argument("--yes", action="store_true", help="run their code without asking")
    anew = "don't continue from where an earlier run was stopped"
    graded.add_argument("--anew", action="store_true", help=anew)
    graded.set_defaults(command=_grade)

    return parser


def _path(text: str) -> Path:
    if not text:  # an unset shell variable, for instance; Path would make it the working directory
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def _editions(options: argparse.Namespace) -> int:
    for line in editions.build(options.notebooks, options.target, options.overlay):
        _say(line)
    return streams.OK


def _grade(options: argparse.Namespace) -> int:
    if not options.seconds > 0:
        raise ClassroomError(f"--seconds needs a number above 0, not {options.seconds:g}")
    work = grading.collect(options.folder)
    if not work:
        raise ClassroomError(f"there is no notebook in {options.folder}")
    hidden = editions.hidden_tests(options.overlay) if options.overlay else {}
    csv: Path = options.csv or options.folder / "grades.csv"
    there = csv.read_text("utf-8-sig", "replace") if csv.is_file() else ""
    if csv.exists() and not there.startswith(",".join(HEADINGS)):
        raise ClassroomError(f"{csv} has no grades: move it, or name another file with --csv")
    part = csv.parent / f"{csv.name}.part"
    grader = grading.Grader(part, hidden, options.seconds, options.anew)
    solutions = [(one.cells[0], one.solved) for one in map(find, hidden)]
    marks: dict[str, States] = {}
    try:
        for name, error in grading.rejected(solutions, hidden):
            _say(printable(f"{options.overlay / name}.py: it rejects our own solution: {error}"))
        _say(WARNING.format(notebooks=sum(map(len, work.values())), learners=len(work)))
        if not options.yes and input("Run it? [y/N] ").strip().lower() not in {"y", "yes"}:
            _say("Nothing was run.")
            return streams.FAILED
        for learner, paths in work.items():
            found: list[tuple[str, str]] = []
            for path in paths:
                states, result = grader.grade(path)
                _say(printable(f"{learner}, {path.name}: {result}"))
                found += states.items()
            marks[learner] = best(found)
        replace(csv, as_csv(marks).encode("utf-8-sig"))  # with the mark that Excel needs
        grader.marks.clear()
    finally:
        if marks:
            _say(f"\n{table(marks)}")
        if marks and grader.marks:
            kept = f"{len(marks)} of {len(work)} learners are graded and kept in {part}"
            _say(printable(f"Stopped: {kept}. The same command continues from there."))
        grader.close()
    _say(f"\nwritten to {printable(f'{csv}')}")
    return streams.OK


if __name__ == "__main__":
    sys.exit(main())
