"""The part of the fuzzer that coverage guides (it needs atheris), and the corpus it leaves."""

import hashlib
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from heapq import heapify, heappop, heappush
from pathlib import Path
from random import Random
from typing import Any

import kvlib
from helpers.paths import CORPUS, TESTS
from tools.fuzz.accidents import below, pick
from tools.fuzz.feeding import BUILD, feed, inputs, read_input, write_input
from tools.fuzz.inputs import mend, mend_files, pack_files, unpack_files
from tools.fuzz.targets import NAMES, TARGETS

GUIDED = """
import sys
import atheris
with atheris.instrument_imports(include=["kvlib"]):
    from tools.fuzz import guided
guided.run(sys.argv[1:])
"""
HOLDS_FILES = {"join", "recover", "deserialize", "open", "salvage", "pictures", "check", "commands"}
GUIDABLE = [name for name in NAMES if name != "commands"]  # the commands are too slow
ENGINE = str(Path(kvlib.__file__).parent)
Arc = tuple[str, int, int]


def split_input(raw: bytes) -> tuple[str, bytes]:
    """Return the target that the first byte chooses, and the bytes for it."""
    return GUIDABLE[raw[0] % len(GUIDABLE)], raw[1:]


# --- the corpus -----------------------------------------------------------------------------------


def arcs(name: str, data: bytes) -> set[Arc]:
    """Return the steps from line to line in kvlib that an input leads to."""
    found: set[Arc] = set()

    def local(traced: Any) -> Callable[..., Any]:
        last = -1

        def step(_: Any, event: str, __: Any) -> Any:
            nonlocal last
            found.add((traced.f_code.co_filename, last, traced.f_lineno))
            last = traced.f_lineno
            return step

        return step

    def enter(traced: Any, event: str, _: Any) -> Any:
        return local(traced) if traced.f_code.co_filename.startswith(ENGINE) else None

    previous = sys.gettrace()
    sys.settrace(enter)
    try:
        feed(name, data)
    finally:
        sys.settrace(previous)
    return found


def distil(candidates: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Yield a few of the inputs that together reach every arc and target that all of them reach."""
    kept = sorted(candidates, key=lambda candidate: len(candidate[1]))
    found = [{*arcs(name, data), (name, 0, 0)} for name, data in kept]
    known: set[Arc] = set()
    queue = [(-len(steps), number) for number, steps in enumerate(found)]
    heapify(queue)
    while queue:
        promised, number = heappop(queue)
        gain = len(found[number] - known)
        if gain == -promised:
            known |= found[number]
            yield kept[number]
        elif gain:  # others have reached some of these since, so this may no longer be the best
            heappush(queue, (-gain, number))


def keep(limit: int = 48 * 1024) -> None:
    """Rewrite the corpus with the best of its inputs and those of the guided part."""
    found = [read_input(path) for path in sorted(CORPUS.glob("*.hex"))]
    found += [split_input(path.read_bytes()) for path in sorted((BUILD / "guided").glob("*"))]
    for old in CORPUS.glob("*.hex"):
        old.unlink()
    for name, data in distil(found):
        limit -= 2 * len(data)
        if limit < 0:
            break
        write_input(CORPUS, name, data)


# --- guided by coverage ---------------------------------------------------------------------------


def feed_raw(raw: bytes) -> None:
    """Feed an input from libFuzzer, and keep it if it fails."""
    if raw:
        name, data = split_input(raw)
        try:
            feed(name, data)
        except Exception:
            write_input(BUILD / "failures", name, data)
            raise


def change(raw: bytes, size: int, seed: int, mutate: Callable[[bytes, int], bytes]) -> bytes:
    """Return a mutated input, mostly with the right checksums, or a fresh one."""
    chance = Random(seed)
    if not raw or chance.random() < 0.05:
        number = below(chance, len(GUIDABLE))
        return bytes([number]) + TARGETS[GUIDABLE[number]].make(chance)[: size - 1]
    name, data = split_input(raw)
    if name in HOLDS_FILES and chance.random() < 0.9:
        files = unpack_files(data) or {"log": b""}
        chosen = pick(chance, [*files])
        files[chosen] = mutate(files[chosen], len(files[chosen]) + 32)
        changed = pack_files(mend_files(files) if chance.random() < 0.8 else files)
    else:
        changed = mutate(data, max(size - 1, 1))
        if name in ("log", "head") and chance.random() < 0.8:
            changed = mend(changed)
        elif name == "unseal" and chance.random() < 0.5:
            changed = mend(bytes(8) + changed)[8:]
    return (raw[:1] + changed)[:size]


def run(arguments: list[str]) -> None:
    """Let libFuzzer look for inputs that reach new lines. It ends the process."""
    atheris = importlib.import_module("atheris")

    def mutator(raw: bytes, size: int, seed: int) -> bytes:
        return change(raw, size, seed, atheris.Mutate)

    atheris.Setup([sys.argv[0], *arguments], feed_raw, custom_mutator=mutator)
    atheris.Fuzz()


def guide(seed: int, seconds: float, processes: int) -> tuple[int, bool]:
    """Run the guided part; return the number of inputs, and whether one of them failed."""
    folder = BUILD / "guided"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    kept = [read_input(path) for path in sorted(CORPUS.glob("*.hex"))]
    for name, data in [*kept, *inputs(seed, -1, 300)]:
        if name in GUIDABLE:
            raw = bytes([GUIDABLE.index(name)]) + data
            (folder / hashlib.sha256(raw).hexdigest()[:16]).write_bytes(raw)
    options = ["-max_len=4096", f"-max_total_time={max(1, int(seconds))}", "-print_final_stats=1"]
    options += ["-timeout=30", "-rss_limit_mb=2048", f"-artifact_prefix={BUILD}{os.sep}"]
    path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", GUIDED, *options, f"-seed={seed + number + 1}", str(folder)],
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        for number in range(processes)
    ]
    total, failed = 0, False
    for process in running:
        output, _ = process.communicate()
        for line in output.splitlines():
            if line.startswith("stat::number_of_executed_units:"):
                total += int(line.split()[-1])
        if process.returncode:
            failed = True
            print(output[-6000:])
    return total, failed
