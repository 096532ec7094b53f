"""Kill a process that writes to a real directory, and check that nothing acknowledged is lost.

    PYTHONPATH=tests python -m tools.killing --kills 1000 --seed 1

The writer opens a store, changes it, compacts it, closes it and opens it again, until it is killed;
then the next writer continues in the same directory. It reports each beginning and end through a
pipe, as one byte. The judge kills it at a random moment, reads the pipe to its end, and expects
every acknowledged mutation, the one in flight as a whole or not at all, and nothing else. The seed
and its number determine a mutation, so both sides know it. (A kill isn't a power loss: the system
keeps what the process wrote.)
"""

import argparse
import gc
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import filelock  # noqa: F401  so that forked writers have it already

import kvlib
from helpers.crashes import after, carry_out

Items = dict[str | bytes, str | bytes]
Changes = list[tuple[str | bytes, str | bytes | None]]  # None: delete

KEYS: list[str | bytes] = [*(f"ключ {at}" for at in range(8)), *(b"\0%d" % at for at in range(8))]

OPENING, RESTING, CHANGING, ACKNOWLEDGED, COMPACTING, CLOSING = b"o", b"r", b"m", b"a", b"c", b"x"
PHASES = {
    b"": "opening",
    OPENING: "opening",
    RESTING: "between",
    CHANGING: "changing",
    ACKNOWLEDGED: "between",
    COMPACTING: "compacting",
    CLOSING: "closing",
}
KILLED = 1 if os.name == "nt" else -9  # the exit status
PATIENCE = 60  # seconds after which a hanging writer ends itself


# --- mutations ------------------------------------------------------------------------------------


def plan(seed: int, number: int) -> tuple[str, Changes]:
    """Return what mutation `number` does."""
    chance = random.Random(f"{seed} {number}")
    how = chance.choices(["put", "delete", "update", "batch", "clear"], [60, 15, 12, 12, 1])[0]
    if how == "clear":
        return how, [(key, None) for key in KEYS]
    changes: Changes = []
    for key in chance.sample(KEYS, 1 if how in ("put", "delete") else 4):
        # A kill may cut the write of a large value short.
        filler = chance.randbytes(chance.choices([9, 300, 300_000], [80, 17, 3])[0])
        text, data = f"{number} {filler.hex()}", b"%d %b" % (number, filler)
        value = text if chance.random() < 0.5 else data
        if how == "delete" or (how == "batch" and chance.random() < 0.4):
            changes.append((key, None))
        else:
            changes.append((key, value))
    return how, changes


# --- the writer -----------------------------------------------------------------------------------


def write(directory: str, seed: int, number: int, pipe: int) -> None:
    """Open the store, and carry out the mutations from `number` on, until killed."""
    if hasattr(signal, "alarm"):
        signal.alarm(PATIENCE)
    modes: list[Literal["always", "never"] | int] = ["always", "always", 3, "never"]
    while True:
        chance = random.Random(f"{seed} {number} life")
        os.write(pipe, OPENING)
        store = kvlib.open(
            directory,
            sync=chance.choice(modes),
            threshold=chance.choice([1, 5, 40]),
            max_segment_size=chance.choice([2**15, 2**17, 2**20]),
        )
        os.write(pipe, RESTING)
        for _ in range(chance.randrange(1, 40)):
            how, changes = plan(seed, number)
            os.write(pipe, CHANGING)
            change(store, how, changes)
            os.write(pipe, ACKNOWLEDGED)
            number += 1
            if chance.random() < 0.1:
                os.write(pipe, COMPACTING)
                store.compact()
                os.write(pipe, RESTING)
        os.write(pipe, CLOSING)
        store.close()


def change(store: kvlib.DurableStore, how: str, changes: Changes) -> None:
    """Carry out one mutation."""
    if how == "update":
        store.update(changes)
    elif how == "clear":
        store.clear()
    else:
        carry_out(store, changes)


Started = tuple[int, Callable[[], int]]  # the pipe, and a function that returns the exit status


def fork(directory: str, seed: int, number: int) -> Started:
    """Start a writer in a copy of this process, which is faster than a new one."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read_end)
            write(directory, seed, number, write_end)
        except BrokenPipeError:  # the judge was stopped
            pass
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(write_end)

    def kill() -> int:
        os.kill(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    return read_end, kill


def spawn(directory: str, seed: int, number: int) -> Started:
    """Start a writer in a new process."""
    command = [sys.executable, "-S", "-m", "tools.killing", "--writer", directory]
    process = subprocess.Popen(
        [*command, "--seed", str(seed), "--number", str(number)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    read_end = os.dup(process.stdout.fileno())
    process.stdout.close()

    def kill() -> int:
        process.kill()
        return process.wait()

    return read_end, kill


def live(start: Callable[[], Started], chance: random.Random) -> bytes:
    """Start a writer, kill it at a random moment, and return its reports."""
    reports, wanted = b"", chance.choice([0, 0, 1, 3, *(chance.randrange(100) for _ in "ab")])
    moment = 10 ** chance.uniform(-5, -2)
    pipe, kill = start()
    try:
        while len(reports) < wanted and (report := os.read(pipe, 1)):
            reports += report
        time.sleep(moment)
    finally:
        status = kill()
        while report := os.read(pipe, 4096):
            reports += report
        os.close(pipe)
    if status != KILLED:
        raise RuntimeError(f"the writer ended by itself with status {status} after {reports!r}")
    return reports


# --- the judge ------------------------------------------------------------------------------------


FIGURES = (
    ["kills", "mutations", "in flight", "of them kept", "torn tails", "leftovers"]
    + [f"while {phase}" for phase in dict.fromkeys(PHASES.values())]
    + ["compactions", "lost", "strange", "refused"]
)


class Judge:
    """Compares a directory with everything that its writers reported."""

    def __init__(self, directory: str, seed: int) -> None:
        self.directory, self.seed = directory, seed
        self.figures = dict.fromkeys(FIGURES, 0)
        self.expected: Items = {}
        self.number = 0  # of the next mutation

    def next_state(self) -> Items:
        """Return the records after the next mutation, and count it."""
        _, changes = plan(self.seed, self.number)
        self.number += 1
        return after(self.expected, changes)

    def follow(self, reports: bytes) -> list[Items]:
        """Return the states that a writer with these reports may have left."""
        self.figures["kills"] += 1
        self.figures[f"while {PHASES[reports[-1:]]}"] += 1
        self.figures["leftovers"] += count_leftovers(self.directory)
        for _ in range(reports.count(ACKNOWLEDGED)):
            self.expected = self.next_state()
            self.figures["mutations"] += 1
        if not reports.endswith(CHANGING):
            return [self.expected]
        self.figures["in flight"] += 1
        return [self.expected, self.next_state()]

    def check(self, reports: bytes, chance: random.Random) -> bool:
        """Look at the store after a kill, and return whether it could be opened."""
        allowed = self.follow(reports)
        # This changes nothing, so the next writer may be killed while it recovers the store.
        if not look(self.directory, allowed, self.figures, read_only=True):
            return False
        self.figures["of them kept"] += allowed != [self.expected]
        self.expected = allowed[0]
        for share, close in ((0.3, True), (0.1, False)):
            if chance.random() < share and not look(
                self.directory, [self.expected], self.figures, close=close
            ):
                return False
        return True


def run(kills: int, seed: int, directory: str, *, forking: bool | None = None) -> dict[str, int]:
    """Kill a writer `kills` times in `directory`, which is empty or missing; return figures.

    "lost" counts acknowledged records that are missing or differ, "strange" the looks that found
    others, "refused" the stores that could not be opened. By default, writers are forked if the
    system can and this process has only one thread.
    """
    if forking is None:
        forking = hasattr(os, "fork") and threading.active_count() == 1
    start = fork if forking else spawn
    chance, judge = random.Random(seed), Judge(directory, seed)
    for _ in range(kills):
        reports = live(partial(start, directory, seed, judge.number), chance)
        if not judge.check(reports, chance):
            break
    return judge.figures


def look(
    directory: str,
    allowed: list[Items],
    figures: dict[str, int],
    *,
    close: bool = True,
    read_only: bool = False,
) -> bool:
    """Compare the records with `allowed`, and replace that; return whether the store opened."""
    try:
        store = kvlib.open(directory, read_only=read_only)
    except kvlib.MissingError:  # killed while creating it
        found: Items = {}
    except (kvlib.KvlibError, OSError) as error:
        print(f"{directory}: {type(error).__name__}: {error}", file=sys.stderr)
        figures["refused"] += 1
        return False
    else:
        found = dict(store)
        figures["compactions"] = store.status().compactions
        figures["torn tails"] += read_only and store.recovered.dropped_bytes > 0
        if close:
            store.close()
        del store  # like a kill, this leaves no close frame
        gc.collect()
    if found not in allowed:
        missed = sum(found.get(key) != value for key, value in allowed[0].items())
        figures["lost"] += missed
        figures["strange"] += not missed
        print(f"{directory}: {missed} of {len(allowed[0])} records are lost", file=sys.stderr)
    allowed[:] = [found]
    return True


def count_leftovers(directory: str) -> bool:
    """Return whether the kill interrupted the publishing of a snapshot."""
    names = os.listdir(directory) if os.path.isdir(directory) else []
    generations = {name.split(".")[0] for name in names if name.endswith(".segment")}
    return "log.new" in names or len(generations) > 1


def main() -> int:
    """Run the command; return 1 if anything is lost."""
    parser = argparse.ArgumentParser(
        "killing.py", description="Kill a writing process, and look for losses."
    )
    parser.add_argument("--kills", type=int, default=1000, help="how often (default: 1000)")
    parser.add_argument(
        "--seed", type=int, default=1, help="for the mutations and the moments of the kills"
    )
    parser.add_argument("--spawn", action="store_true", help="don't fork writers (slower)")
    parser.add_argument("--writer", metavar="DIRECTORY", help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.writer is not None:
        write(arguments.writer, arguments.seed, arguments.number, sys.stdout.fileno())
    forking: Any = False if arguments.spawn else None
    with tempfile.TemporaryDirectory() as scratch:
        place = os.path.join(scratch, "store")
        figures = run(arguments.kills, arguments.seed, place, forking=forking)
    for name, figure in figures.items():
        print(f"{name + ':':<18}{figure:>10,}")
    return bool(figures["lost"] or figures["strange"] or figures["refused"])


if __name__ == "__main__":
    sys.exit(main())
