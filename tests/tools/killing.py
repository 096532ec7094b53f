"""A process writes to a real directory until it is killed; all that it acknowledged must be there.

    PYTHONPATH=tests python -m tools.killing --kills 1000 --seed 1

Each life of the writer goes on where the one before was killed, in the same directory: it opens the
store, changes it, compacts it, closes it and opens it again, for ever. Of all that it does it
reports beginning and end through a pipe, as one byte. The judge kills it at a random moment, reads
the pipe to its end, and compares: all that was acknowledged is there, the mutation in flight as a
whole or not at all, and nothing else. What a mutation does follows from the seed and its number, so
both sides know it. A kill is no loss of power: what the process wrote, the system still has.
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

import filelock  # noqa: F401  so that a forked writer need not import it

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
PATIENCE = 60  # seconds, after which a writer that hangs ends itself


# --- what both sides know -------------------------------------------------------------------------


def plan(seed: int, number: int) -> tuple[str, Changes]:
    """What mutation `number` does."""
    chance = random.Random(f"{seed} {number}")
    how = chance.choices(["put", "delete", "update", "batch", "clear"], [60, 15, 12, 12, 1])[0]
    if how == "clear":
        return how, [(key, None) for key in KEYS]
    changes: Changes = []
    for key in chance.sample(KEYS, 1 if how in ("put", "delete") else 4):
        # Large values now and then: the system may cut the write of one short when it kills.
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
    """Open the store, and do to it the mutations from `number` on, until killed."""
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
    """One mutation."""
    if how == "update":
        store.update(changes)
    elif how == "clear":
        store.clear()
    else:
        carry_out(store, changes)


Started = tuple[int, Callable[[], int]]  # where to read its reports; kill it, and its exit status


def fork(directory: str, seed: int, number: int) -> Started:
    """A writer in a copy of this process: it need not start and import, and is there at once."""
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
    """A writer in a new process."""
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
    """Start a writer, kill it at a random moment; what it reported."""
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
        raise RuntimeError(f"the writer ended by itself, with status {status}, after {reports!r}")
    return reports


# --- the judge ------------------------------------------------------------------------------------


def run(kills: int, seed: int, directory: str, *, forking: bool | None = None) -> dict[str, int]:
    """Kill a writer `kills` times in `directory`, which is empty or not there.

    Returns figures, by name; "lost" counts records that were acknowledged and are not there or
    differ, "strange" those that nobody acknowledged, "refused" the stores that could not be opened.
    Writers are forked if this process has one thread only and the system can; else spawned.
    """
    if forking is None:
        forking = hasattr(os, "fork") and threading.active_count() == 1
    begin = fork if forking else spawn
    chance = random.Random(seed)
    expected: Items = {}
    number = 0
    figures = dict.fromkeys(
        ["kills", "mutations", "in flight", "of them kept", "torn tails", "leftovers"]
        + [f"while {phase}" for phase in dict.fromkeys(PHASES.values())]
        + ["compactions", "lost", "strange", "refused"],
        0,
    )
    for _ in range(kills):
        reports = live(partial(begin, directory, seed, number), chance)
        figures["kills"] += 1
        figures[f"while {PHASES[reports[-1:]]}"] += 1
        figures["leftovers"] += count_leftovers(directory)
        for _ in range(reports.count(ACKNOWLEDGED)):
            expected = after(expected, plan(seed, number)[1])
            number += 1
            figures["mutations"] += 1
        allowed = [expected]
        if reports.endswith(CHANGING):
            allowed.append(after(expected, plan(seed, number)[1]))
            number += 1
            figures["in flight"] += 1
        # A look that changes nothing: the next writer may have to do the recovery, and be killed.
        if not look(directory, allowed, figures, read_only=True):
            break
        if allowed[0] != expected:
            expected = allowed[0]
            figures["of them kept"] += 1
        if chance.random() < 0.3 and not look(directory, [expected], figures, close=True):
            break
        if chance.random() < 0.1 and not look(directory, [expected], figures, close=False):
            break
    return figures


def look(
    directory: str,
    allowed: list[Items],
    figures: dict[str, int],
    *,
    close: bool = True,
    read_only: bool = False,
) -> bool:
    """Compare what is there with `allowed`, which becomes it. Could the store be opened?"""
    try:
        store = kvlib.open(directory, read_only=read_only)
    except kvlib.MissingError:  # killed before the creation was finished
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
        del store  # forgotten: as by a kill, its log has no mark of a close
        gc.collect()
    if found not in allowed:
        missed = sum(found.get(key) != value for key, value in allowed[0].items())
        figures["lost"] += missed
        figures["strange"] += not missed
        print(f"{directory}: of {len(allowed[0])} records {missed} are lost", file=sys.stderr)
    allowed[:] = [found]
    return True


def count_leftovers(directory: str) -> bool:
    """Did the kill interrupt the publishing of a snapshot?"""
    names = os.listdir(directory) if os.path.isdir(directory) else []
    generations = {name.split(".")[0] for name in names if name.endswith(".segment")}
    return "log.new" in names or len(generations) > 1


def main() -> int:
    """The command; its exit status is 0 if nothing is lost."""
    parser = argparse.ArgumentParser("killing.py", description="Kill a writing process, and look.")
    parser.add_argument("--kills", type=int, default=1000, help="how often (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="of what is written, and when it ends")
    parser.add_argument("--spawn", action="store_true", help="fork no writers: slower")
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
