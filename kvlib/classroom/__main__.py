"""The teacher's commands: python -m kvlib.classroom editions, grade and guide."""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kvlib.classroom import editions, grading, guide, resume
from kvlib.classroom.marks import States, as_csv, printable, table
from kvlib.classroom.notebooks import ClassroomError
from kvlib.cli import streams

STALE: Final = 1  # a guide that would change
BYTE_ORDER_MARK: Final = "\ufeff"  # tells Excel that a CSV is UTF-8


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    streams.open_closed()
    try:
        options = _parser().parse_args(argv)
        status: int = options.command(options)
        return status
    except streams.OutputError as error:
        return _complain(f"standard output can't be written: {error}")
    except (ClassroomError, OSError) as error:
        return _complain(f"{error}")
    except KeyboardInterrupt:
        _complain("stopped")
        return streams.INTERRUPTED
    finally:
        streams.give_up()


def _say(text: str) -> None:
    streams.say(text)
    streams.flush()  # a run takes long, and what it says may go to a file


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
    learners = "holds <learner>/*.ipynb, or <learner>.ipynb, for each learner"
    graded.add_argument("folder", type=_path, help=learners)
    graded.add_argument("--csv", type=_path, help="the file to write; default: FOLDER/grades.csv")
    graded.add_argument("--overlay", type=_path, metavar="FOLDER", help=hidden)
    limit = "for a notebook (default: %(default)g)"
    graded.add_argument("--seconds", type=_seconds, default=grading.SECONDS, help=limit)
    graded.add_argument("--yes", action="store_true", help="run their code without asking")
    anew = "don't continue from where an earlier run was stopped"
    graded.add_argument("--anew", action="store_true", help=anew)
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


def _editions(options: argparse.Namespace) -> int:
    for line in editions.build(options.notebooks, options.target, options.overlay):
        _say(line)
    return streams.OK


def _grade(options: argparse.Namespace) -> int:
    work = grading.collect(options.folder)
    if not work:
        raise ClassroomError(f"there is no notebook in {options.folder}")
    hidden = editions.hidden_tests(options.overlay) if options.overlay else {}
    csv: Path = options.csv or options.folder / "grades.csv"
    part = csv.parent / f"{csv.name}.part"
    saved = resume.load(part, csv)
    if options.anew:
        saved.clear()
    resume.save(part, saved)  # now, in case that it can't be written
    try:
        for name, error in grading.rejected(grading.solutions(hidden), hidden):
            test = options.overlay / f"{name}.py"
            _say(printable(f"{test}: it rejects our own solution: {error}"))
        _say(grading.WARNING.format(notebooks=sum(map(len, work.values())), learners=len(work)))
        if not options.yes and not _agreed():
            _say("Nothing was run.")
            return streams.FAILED
        marks = _grade_all(work, hidden, options.seconds, part, saved)
        resume.replace(csv, f"{BYTE_ORDER_MARK}{as_csv(marks)}".encode())
        saved.clear()
    finally:
        if not saved:
            part.unlink(missing_ok=True)
    _say(f"\n{table(marks)}\n\nwritten to {printable(f'{csv}')}")
    return streams.OK


def _agreed() -> bool:
    try:
        return input("Run it? [y/N] ").strip().lower() in {"y", "yes"}
    except (EOFError, RuntimeError):  # there is no one to ask: use --yes
        return False


def _grade_all(
    work: dict[str, list[Path]],
    hidden: dict[str, str],
    seconds: float,
    part: Path,
    saved: resume.Saved,
) -> dict[str, States]:
    """Return all learners' marks. If this ends early, those so far are shown, and are saved."""
    marks: dict[str, States] = {}
    try:
        for learner, paths in work.items():
            notebooks = {f"{path}": grading.read(path) for path in paths}
            key = resume.fingerprint(notebooks, hidden, seconds)
            if key in saved:
                _say(f"{printable(learner)}: graded before the last run was stopped")
            else:
                saved[key] = grading.grade_learner(learner, notebooks, hidden, seconds, _say)
                resume.save(part, saved)
            marks[learner] = saved[key]
        return marks
    except BaseException:
        if marks:
            rows = f"{len(marks)} of {len(work)} learners are graded and kept in {part}"
            stopped = printable(f"Stopped: {rows}. The same command continues from there.")
            _say(f"\n{table(marks)}\n{stopped}")
        raise


def _guide(options: argparse.Namespace) -> int:
    before = options.path.read_text(encoding="utf-8")
    after = guide.renewed(before)
    done = "unchanged" if before == after else "would change" if options.check else "renewed"
    if done == "renewed":
        resume.replace(options.path, after.encode())
    _say(printable(f"{options.path}: {done}"))
    return STALE if done == "would change" else streams.OK


if __name__ == "__main__":
    sys.exit(main())
