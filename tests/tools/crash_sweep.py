"""`make crash`: every promise about crashes, in full; a table of it goes to build/crash.json.

    PYTHONPATH=tests python -m tools.crash_sweep [--scale 0.1] [--kills 1000]

`--scale` makes a part of it, for a bounded run; the figures to reach are for the whole.
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
    """What a run of power cuts comes to."""
    return len(cuts.answers), cuts.oracle.bad, cuts.oracle.example


def first_level(operations: int, sync: Sync, seed: int, keep: int) -> tuple[Result, list[Image]]:
    """Power cuts in a workload, and some of the images for the second level."""
    cuts = power_cuts(operations, sync, seed)
    return result(cuts), cuts.images[:: max(1, len(cuts.images) // keep)]


def second_level(image: Image) -> Result:
    """Power cuts in the recovery from an image."""
    images, differ = second_cuts(image)
    return images, differ, "recovery gave something else" if differ else ""


def faulty(fault: Fault) -> Result:
    """Power cuts after one failing operation."""
    return result(fault_run(fault, operations=40))


def dying(at_and_sync: tuple[int, Sync]) -> Result:
    """Power cuts after the process died at an event and was started again."""
    at, sync = at_and_sync
    return result(death_run(at, 40, sync))


def main() -> int:
    """Run all sweeps; 1 if a promise is broken or a figure is not reached."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--scale", type=float, default=1.0, help="1 is everything")
    options.add_argument("--kills", type=int, default=1000, help="of a real process")
    chosen = options.parse_args()
    rows: list[Row] = []

    def report(
        promise: str, to_reach: int, results: Iterable[Result], unit: str = "images"
    ) -> None:
        results = list(results)
        count, bad = sum(one[0] for one in results), sum(one[1] for one in results)
        example = next((one[2] for one in results if one[2]), "")
        need = to_reach if chosen.scale >= 1 else 0
        row = {"promise": promise, "runs": len(results), unit: count, "to reach": need, "bad": bad}
        rows.append(row)
        print(f"{promise:<52}{count:>10,} {unit}, {bad} bad{'; ' + example[:200] if bad else ''}")
        if count < need:
            print(f"  not reached: {need:,} {unit}")
        row["kept"] = bad == 0 and count >= need

    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        run = pool.map
        size = max(16, int(200 * chosen.scale))
        lazy = [pool.submit(first_level, 40, 4, seed, 1) for seed in range(max(1, size // 25))]
        always = pool.submit(first_level, size, "always", 0, max(4, int(100 * chosen.scale)))
        found, images = always.result()
        report("acknowledged is kept, the rest whole or absent", 170_000, [found])
        report("lazy modes keep a prefix", 1_000_000, [one.result()[0] for one in lazy])
        report("a crash during recovery is harmless", 300_000, run(second_level, images))
        every = max(1, int(1 / chosen.scale))
        failing = list(faults(40))[::every]
        report("every failing I/O call is safe, and heals", 0, run(faulty, failing, chunksize=4))
        modes: tuple[Sync, ...] = ("always", 4, "never")
        deaths = [(at, sync) for at in range(1, 150, every) for sync in modes]
        report("a dead process, reopened, then power loss", 0, run(dying, deaths, chunksize=4))
    with tempfile.TemporaryDirectory() as folder:
        killed = killing.run(chosen.kills, 0, str(Path(folder) / "store"))
    bad = killed["lost"] + killed["strange"] + killed["refused"]
    report("kill -9 on a real directory", 0, [(killed["kills"], bad, str(killed))], "kills")

    target = Path("build") / "crash.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(rows, indent=1) + "\n")
    print(f"written to {target}")
    return 0 if all(row["kept"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
