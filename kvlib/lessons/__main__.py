"""For teachers: python -m kvlib.lessons editions, grade and guide."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kvlib.lessons import editions, grade, guide

OK, STALE, FAILED = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    options = _parser().parse_args(argv)
    try:
        status: int = options.command(options)
    except (editions.EditionError, OSError) as error:
        print(f"kvlib.lessons: {error}", file=sys.stderr)
        return FAILED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m kvlib.lessons", description="The notebooks in a class; see docs/teaching.md."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    hidden = "a folder of your own hidden tests, one <exercise>.py for each"

    made = commands.add_parser("editions", help="make solved, nbgrader's and HTML notebooks")
    made.add_argument("notebooks", type=Path, help="the folder of the learner's notebooks")
    made.add_argument("target", type=Path, help="where the editions are to be")
    made.add_argument("--overlay", type=Path, metavar="FOLDER", help=hidden)
    made.set_defaults(command=_editions)

    graded = commands.add_parser("grade", help="run and mark a folder of learners' notebooks")
    graded.add_argument(
        "folder", type=Path, help="holds <learner>/*.ipynb, or <learner>.ipynb, for each learner"
    )
    graded.add_argument("--csv", type=Path, help="the file to write; default: FOLDER/grades.csv")
    graded.add_argument("--overlay", type=Path, metavar="FOLDER", help=hidden)
    graded.add_argument(
        "--seconds", type=float, default=grade.SECONDS, help="for a notebook (default: %(default)g)"
    )
    graded.add_argument("--yes", action="store_true", help="run their code without asking")
    graded.set_defaults(command=_grade)

    guided = commands.add_parser("guide", help="renew the tables in the guide for teachers")
    guided.add_argument("path", type=Path, help="docs/teaching.md")
    guided.add_argument("--check", action="store_true", help="write nothing; 1 if it would change")
    guided.set_defaults(command=_guide)
    return parser


def _editions(options: argparse.Namespace) -> int:
    for line in editions.build(options.notebooks, options.target, options.overlay):
        print(line, flush=True)
    return OK


def _grade(options: argparse.Namespace) -> int:
    work = grade.collect(options.folder)
    if not work:
        raise editions.EditionError(f"there is no notebook in {options.folder}")
    hidden = editions.hidden_tests(options.overlay) if options.overlay else {}
    print(grade.WARNING.format(notebooks=sum(map(len, work.values())), learners=len(work)))
    if not options.yes and not _agreed():
        print("Nothing was run.")
        return FAILED
    marks = grade.grade(work, hidden, seconds=options.seconds, say=print)
    print(f"\n{grade.table(marks)}")
    place = options.csv or options.folder / "grades.csv"
    place.write_text(grade.as_csv(marks), encoding="utf-8-sig", newline="")  # so that Excel knows
    print(f"\nwritten to {place}")
    return OK


def _agreed() -> bool:
    try:
        return input("Run it? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:  # nobody is there to ask: --yes says it in a script
        print()
        return False


def _guide(options: argparse.Namespace) -> int:
    before = options.path.read_text(encoding="utf-8")
    after = guide.renewed(before)
    if before == after:
        print(f"{options.path}: unchanged")
        return OK
    if options.check:
        print(f"{options.path}: would change")
        return STALE
    options.path.write_text(after, encoding="utf-8", newline="\n")
    print(f"{options.path}: renewed")
    return OK


if __name__ == "__main__":
    sys.exit(main())
