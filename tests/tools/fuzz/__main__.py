"""The command: `python -m tools.fuzz`, or `make fuzz`."""

import argparse
import importlib.util
import sys
import time
from pathlib import Path

import tools.fuzz
from tools.fuzz.feeding import explain, feed, mutate, read_input, table
from tools.fuzz.guided import guide, keep


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the chosen options."""
    parser = argparse.ArgumentParser("fuzz", description=(tools.fuzz.__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="for each of the two parts")
    parser.add_argument("--inputs", type=int, help="mutate this many, however long it takes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--no-guided", action="store_true", help="skip the second part")
    parser.add_argument("--keep", action="store_true", help="rewrite tests/corpus/ afterwards")
    parser.add_argument("--replay", type=Path, nargs="+", help="feed inputs that were kept")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 1 if anything failed."""
    chosen = parse(arguments)
    for path in chosen.replay or []:
        name, data = read_input(path)
        print(f"{path}: {feed(name, data)}")
    if chosen.replay:
        return 0
    started = time.monotonic()
    seconds = None if chosen.inputs is not None else chosen.seconds
    tally, failure = mutate(chosen.seed, seconds, chosen.inputs, chosen.processes)
    took = time.monotonic() - started
    print(*table(tally), sep="\n")
    print(f"{tally.total():,} inputs in {took:.0f} s: {tally.total() / took:,.0f} per second")
    if failure:
        explain(failure)
        return 1
    guided_inputs, failed = run_guided(chosen)
    print(f"{tally.total() + guided_inputs:,} inputs in all, {int(failed)} failures")
    return int(failed)


def run_guided(chosen: argparse.Namespace) -> tuple[int, bool]:
    """Run the guided part if possible; return the number of inputs, and whether one failed."""
    if chosen.no_guided or importlib.util.find_spec("atheris") is None:
        reason = "as asked" if chosen.no_guided else "atheris is not installed"
        print(f"Not guided by coverage: {reason}")
        return 0, False
    number, failed = guide(chosen.seed, chosen.seconds, chosen.processes)
    print(f"{number:,} inputs guided by coverage in {chosen.seconds:.0f} s")
    if chosen.keep and not failed:
        keep()
    return number, failed


if __name__ == "__main__":
    sys.exit(main())
