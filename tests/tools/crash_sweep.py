"""`make crash`: check every promise about crashes, and write a table to build/crash.json.

    PYTHONPATH=tests python -m tools.crash_sweep [--scale 0.1] [--kills 1000]

`--scale` runs a part of it; only the whole has to reach the required numbers of images.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from helpers.crashes import Cuts, Sync, death_run, fault_run, faults, power_cuts, second_cuts
from kvlib.crash import Fault, Image
from tools import killing

Result = tuple[int, int, str]  # images, broken promises, an example of one
Row = dict[str, object]


def result(cuts: Cuts) -> Result:
    """Return the result of a run of power cuts."""
    return len(cuts.answers), cuts.oracle.bad, cuts.oracle.example


def first_level(operations: int, sync: Sync, seed: int, keep: int) -> tuple[Result, list[Image]]:
    """Cut the power in a workload, and return some of the images for the second level."""
    cuts = power_cuts(operations, sync, seed)
    return result(cuts), cuts.images[:: max(1, len(cuts.images) // keep)]


def second_level(image: Image) -> Result:
    """Cut the power in the recovery from an image."""
    images, differ = second_cuts(image)
    return images, differ, "recovery gave another answer" if differ else ""


def faulty(fault: Fault) -> Result:
    """Cut the power after one failing operation."""
    return result(fault_run(fault, operations=40))


def dying(at_and_sync: tuple[int, Sync]) -> Result:
    """Cut the power after the process died at an event and was started again."""
    at, sync = at_and_sync
    return result(death_run(at, 40, sync))


class Report:
    """The rows of the table; a row is kept if its promise is, and enough images were tried."""

    def __init__(self, whole: bool) -> None:
        self.whole = whole
        self.rows: list[Row] = []

    def add(self, promise: str, required: int, results: Iterable[Result], unit: str) -> None:
        """Add up results, and print a line about them."""
        results = list(results)
        count, bad = sum(found[0] for found in results), sum(found[1] for found in results)
        example = next((found[2] for found in results if found[2]), "")
        required = required if self.whole else 0
        row: Row = {"promise": promise, "runs": len(results), unit: count, "to reach": required}
        self.rows.append(row | {"bad": bad, "kept": bad == 0 and count >= required})
        print(f"{promise:<52}{count:>10,} {unit}, {bad} bad{'; ' + example[:200] if bad else ''}")
        if count < required:
            print(f"  not reached: {required:,} {unit}")


def sweep(report: Report, scale: float) -> None:
    """Cut the power in every way."""

    def add(promise: str, required: int, results: Iterable[Result]) -> None:
        report.add(promise, required, results, "images")

    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        size, every = max(16, int(200 * scale)), max(1, int(1 / scale))
        lazy = [pool.submit(first_level, 40, 4, seed, 1) for seed in range(max(1, size // 25))]
        always = pool.submit(first_level, size, "always", 0, max(4, int(100 * scale)))
        found, images = always.result()
        add("acknowledged is kept, the rest whole or absent", 170_000, [found])
        add("lazy modes keep a prefix", 1_000_000, [run.result()[0] for run in lazy])
        add("a crash during recovery is harmless", 300_000, pool.map(second_level, images))
        failing = list(faults(40))[::every]
        results = pool.map(faulty, failing, chunksize=4)
        add("every failing I/O call is safe, and heals", 0, results)
        modes: tuple[Sync, ...] = ("always", 4, "never")
        deaths = [(at, sync) for at in range(1, 150, every) for sync in modes]
        results = pool.map(dying, deaths, chunksize=4)
        add("a dead process, reopened, then power loss", 0, results)


def kill(report: Report, kills: int) -> None:
    """Kill a real process."""
    with tempfile.TemporaryDirectory() as folder:
        killed = killing.run(kills, 0, str(Path(folder) / "store"))
    bad = killed["lost"] + killed["strange"] + killed["refused"]
    result = killed["kills"], bad, str(killed)
    report.add("kill -9 on a real directory", 0, [result], "kills")


def main() -> int:
    """Run all sweeps; return 1 if a promise is broken or a required number is not reached."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--scale", type=float, default=1.0, help="1 is everything")
    options.add_argument("--kills", type=int, default=1000, help="of a real process")
    chosen = options.parse_args()
    report = Report(chosen.scale >= 1)
    sweep(report, chosen.scale)
    kill(report, chosen.kills)
    target = Path("build") / "crash.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(report.rows, indent=1) + "\n")
    print(f"written to {target}")
    return 0 if all(row["kept"] for row in report.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
