"""`make bench`: how large the views are, how fast they answer, and what the store's promises cost.

    PYTHONPATH=tests python -m tools.bench [--no-browser]

Prints tables, and writes all figures to build/bench.json. A time says little about another machine;
so each one stands beside that of something bare, measured in turn with it in the same run.
"""

import argparse
import io
import json
import marshal
import os
import pickle
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import kvlib
from helpers.paths import ROOT
from kvlib import MemoryDisk, views
from kvlib.encoding import Item
from kvlib.log import encode_put

BUILD = ROOT / "build"
PER_BYTE, BASE, VIEW, NOTEBOOK = 40, 6 * 1024, 50_000, 300_000  # limits, in bytes of HTML
MEDIAN, P95 = 16.0, 33.0  # limits, in milliseconds
SAMPLES = 150  # of each thing that is done in the browser
ROUNDS = 9  # of each pair
Row = dict[str, object]


# ------------------------------------------------------------------------------------------- sizes


def sizes() -> list[Row]:
    """How many bytes of HTML a byte of data costs, and the largest views and notebooks."""
    rows: list[Row] = []
    measured = [(len(data), size_of(views.dump(data))) for data in map(a_snapshot, (4, 16, 48))]
    (low, small), *_, (high, large) = measured
    slope = (large - small) / (high - low)
    rows.append(within("HTML per data byte", slope, PER_BYTE))
    rows.append(within("HTML of a view of no bytes", small - slope * low, BASE))
    rows.append(within(f"Bytes view of {high:,} bytes", large, PER_BYTE * high + BASE))
    largest = 0
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        stored = [*stored_html(path)]
        largest = max([largest, *stored])
        rows.append(within(f"HTML in {path.name}", sum(stored), NOTEBOOK))
    rows.append(within("largest view in them", largest, VIEW))
    rows.append(within("film of 1,000 cuts", size_of(a_film()), VIEW))
    return rows


def a_snapshot(records: int) -> bytes:
    """A snapshot stream of 21 bytes a record."""
    items: dict[Item, Item] = {f"key{number:03}": f"{number:05}" for number in range(records)}
    return kvlib.encode_snapshot(items)


def a_film() -> views.Timeline:
    """Every cut of a log of about 1,000 bytes."""
    disk = MemoryDisk()
    with kvlib.open(disk) as store:
        for number in range(23):
            store[f"key{number:03}"] = f"{number:03}"
        return views.crash(disk.read("log"))


def size_of(view: Any) -> int:
    """The bytes of a view's HTML."""
    return len(view._repr_mimebundle_()["text/html"].encode())


def stored_html(path: Path) -> Iterator[int]:
    """The size of each piece of HTML in a notebook's outputs."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            if html := "".join(output.get("data", {}).get("text/html", "")):
                yield len(html.encode())


def within(name: str, value: float, limit: float) -> Row:
    """A figure, and its limit."""
    return {"what": name, "value": round(value, 1), "limit": limit, "reached": value <= limit}


# ----------------------------------------------------------------------------------------- latency

# Something is done at a moment between two frames that has nothing to do with them, as a hand does
# it; the time ends when the next frame has been drawn. "idle" does nothing: it waits for a frame.
# "bare" changes one word on the page: less than that nothing can cost that is to be seen.
TIME = """async (samples) => {
    const wait = (ms) => new Promise((go) => setTimeout(go, ms));
    const drawn = () => new Promise((go) => requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = go;
        port2.postMessage(0); // the next task: behind the drawing
    }));
    const [bytes, film] = document.querySelectorAll(".jp-OutputArea-output .kvlib");
    const grid = bytes.querySelector(".grid"), runs = [...grid.querySelectorAll("[role=gridcell]")];
    const word = document.body.appendChild(document.createElement("b"));
    word.style.cssText = "position: fixed; right: 0; bottom: 0; z-index: 9";
    const slider = film.querySelector("[type=range]");
    const press = (key) => grid.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    grid.focus();
    const acts = {
        idle: () => {},
        bare: (at) => (word.textContent = at),
        hover: (at) => runs[(at * 37) % runs.length].dispatchEvent(
            new PointerEvent("pointerover", { bubbles: true })),
        key: (at) => press(["ArrowRight", "ArrowDown", "ArrowLeft", "End", "ArrowUp"][at % 5]),
        slider: (at) => {
            slider.value = (at * 37) % (+slider.max + 1);
            slider.dispatchEvent(new Event("input"));
        },
    };
    const times = Object.fromEntries(Object.keys(acts).map((name) => [name, []]));
    for (let at = 0; at < samples; at++) {
        for (const [name, act] of Object.entries(acts)) {
            await drawn();
            await wait((at * 7) % 17);
            const start = performance.now();
            act(at);
            await drawn();
            times[name].push(performance.now() - start);
        }
    }
    return times;
}"""
LARGE = """import kvlib
from kvlib import MemoryDisk, views
items = {f"key{number:03}": f"{number:05}" for number in range(48)}
views.dump(kvlib.encode_snapshot(items), format="snapshot")"""
FILM = """disk = MemoryDisk()
with kvlib.open(disk) as store:
    for number in range(23):
        store[f"key{number:03}"] = f"{number:03}"
    log = disk.read("log")
views.crash(log)"""


def latency() -> list[Row]:
    """From a hover, a key, or a move of the slider, to the next frame; in JupyterLab."""
    # Only here: all else can be measured without them.
    from playwright.sync_api import sync_playwright

    from browser.lab import FLAGS, Lab, chromium, run_all, serving

    with (
        tempfile.TemporaryDirectory() as place,
        serving(Path(place)) as server,
        sync_playwright() as playwright,
    ):
        window = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        lab = Lab(server, window.new_context())
        page = lab.open_cells([LARGE, FILM])
        run_all(page)
        times: dict[str, list[float]] = page.evaluate(TIME, SAMPLES)
        lab.close()
        window.close()
    idle, bare = (statistics.median(times[name]) for name in ("idle", "bare"))
    return [spread(name, values, idle, bare) for name, values in times.items()]


def spread(name: str, values: Sequence[float], idle: float, bare: float) -> Row:
    """The median and the 95th percentile of milliseconds."""
    median, late = statistics.median(values), statistics.quantiles(values, n=20)[-1]
    return {
        "what": name,
        "samples": len(values),
        "median": round(median, 2),
        "p95": round(late, 2),
        "to idle": round(median / idle, 2),
        "to bare": round(median / bare, 2),
        "reached": median < MEDIAN and late < P95,
    }


# ------------------------------------------------------------------------------------------ engine


class Pair(NamedTuple):
    """What the store does, and the same done bare; how often each does it in a round."""

    name: str
    bare: str
    times: int
    ours: Callable[[], object]
    its: Callable[[], object]


RECORDS: dict[Item, Item] = {f"key{number:05}": f"value {number:05}" for number in range(2000)}
ITEMS = [*RECORDS.items()]
FRAME = 17 + 1 + len(encode_put(*ITEMS[0]))  # as many bytes as a put appends


def engine(folder: Path) -> list[Row]:
    """Each pair, in turn, for some rounds."""
    rows: list[Row] = []
    with pairs(folder) as measured:
        for pair in measured:
            ours, its = [], []
            for _ in range(ROUNDS):
                ours.append(clock(pair.ours) / pair.times)
                its.append(clock(pair.its) / pair.times)
            ratio = statistics.median(a / b for a, b in zip(ours, its, strict=True))
            rows.append(
                {
                    "what": pair.name,
                    "microseconds": round(statistics.median(ours), 3),
                    "bare": pair.bare,
                    "its microseconds": round(statistics.median(its), 3),
                    "ratio": round(ratio, 2),
                }
            )
    return rows


def clock(act: Callable[[], object]) -> float:
    """How many microseconds something takes."""
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1e6


@contextmanager
def pairs(folder: Path) -> Iterator[list[Pair]]:
    """All that is compared; the files are in `folder`."""
    memory = kvlib.open(MemoryDisk(), sync="never", threshold=10**9)
    written = kvlib.open(folder / "never", sync="never", threshold=10**9)
    durable = kvlib.open(folder / "always", threshold=10**9)
    bare = os.open(folder / "bare", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    flush = getattr(os, "fdatasync", os.fsync)
    full, known = kvlib.Store(), dict(RECORDS)
    full.update(RECORDS)
    logged = MemoryDisk()
    with kvlib.open(logged, sync="never", threshold=10**9) as store:
        put_all(store)
    stream = kvlib.encode_snapshot(RECORDS)
    pickled = b"".join(map(pickle.dumps, ITEMS))
    size = len(ITEMS)

    def write(times: int, sync: bool) -> None:
        for _ in range(times):
            os.write(bare, bytes(FRAME))
            if sync:
                flush(bare)

    def replay() -> None:
        kvlib.open(logged, read_only=True).close()

    def unpickle() -> None:
        file, items = io.BytesIO(pickled), {}
        for _ in ITEMS:
            key, value = pickle.load(file)
            items[key] = value

    made = [
        Pair("put, in memory, no fsync", "dict insert", size, lambda: put_all(memory), insert_all),
        Pair(
            "put, directory, no fsync",
            "os.write",
            size,
            lambda: put_all(written),
            lambda: write(size, False),
        ),
        Pair("get", "dict's get", size, lambda: get_all(full), lambda: get_all(known)),
        Pair("replay, a record", "pickle.load, a record", size, replay, unpickle),
        *codecs("encode", lambda: kvlib.encode_snapshot(RECORDS), encoders()),
        *codecs("decode", lambda: kvlib.decode_snapshot(stream), decoders()),
        Pair(
            "durable put",
            "os.write + fdatasync",
            50,
            lambda: puts(durable, 50),
            lambda: write(50, True),
        ),
        Pair(
            "durable put, 64 threads",
            "os.write + fdatasync",
            320,
            lambda: threaded(durable, 64, 5),
            lambda: write(320, True),
        ),
    ]
    try:
        yield made
    finally:
        for opened in (memory, written, durable):
            opened.close()
        os.close(bare)


def encoders() -> dict[str, Callable[[], object]]:
    """Python's own ways to make bytes of the records."""
    return {
        "json": lambda: json.dumps(RECORDS).encode(),
        "pickle": lambda: pickle.dumps(RECORDS),
        "marshal": lambda: marshal.dumps(RECORDS),
    }


def decoders() -> dict[str, Callable[[], object]]:
    """And back."""
    texts = json.dumps(RECORDS).encode(), pickle.dumps(RECORDS), marshal.dumps(RECORDS)
    return {
        "json": lambda: json.loads(texts[0]),
        "pickle": lambda: pickle.loads(texts[1]),
        "marshal": lambda: marshal.loads(texts[2]),
    }


def codecs(
    verb: str, ours: Callable[[], object], others: dict[str, Callable[[], object]]
) -> Iterator[Pair]:
    """One pair for each of the others."""
    for name, its in others.items():
        yield Pair(f"{verb} a snapshot, a record", name, len(RECORDS), ours, its)


def insert_all() -> None:
    """Put all records into a dict."""
    items = {}
    for key, value in ITEMS:
        items[key] = value


def put_all(store: kvlib.DurableStore) -> None:
    """Put all records into a store."""
    for key, value in ITEMS:
        store.put(key, value)


def get_all(store: Any) -> None:
    """Get all records from a store or a dict."""
    for key, _ in ITEMS:
        store.get(key)


def puts(store: kvlib.DurableStore, times: int) -> None:
    """Put so many records."""
    for key, value in ITEMS[:times]:
        store.put(key, value)


def threaded(store: kvlib.DurableStore, count: int, times: int) -> None:
    """Put so many records in each of so many threads."""
    threads = [Thread(target=puts, args=(store, times)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# ------------------------------------------------------------------------------------------ report


def show(title: str, rows: Sequence[Row]) -> None:
    """Print a table."""
    table = [[*rows[0]], *[[shown(cell) for cell in row.values()] for row in rows]]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    print(f"\n{title}")
    for line in table:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def shown(cell: object) -> str:
    """A figure, as a table has it."""
    if isinstance(cell, bool):
        return "yes" if cell else "NO"
    return f"{cell:,}" if isinstance(cell, (int, float)) else str(cell)


def main() -> None:
    """Measure, print and write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--no-browser", action="store_true", help="leave out the latency")
    chosen = options.parse_args()
    BUILD.mkdir(exist_ok=True)
    load = [round(os.getloadavg()[0], 2)]
    found: dict[str, list[Row]] = {"size of views, in bytes of HTML": sizes()}
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        found["engine: the median of rounds, beside something bare"] = engine(Path(folder))
    if not chosen.no_browser:
        load.append(round(os.getloadavg()[0], 2))
        found["latency in Chromium, in milliseconds to the next frame"] = latency()
    load.append(round(os.getloadavg()[0], 2))
    for title, rows in found.items():
        show(title, rows)
    print(f"\nload of the machine, which has {os.cpu_count()} cores, meanwhile: {load}")
    report = {"load": load, "cores": os.cpu_count(), **found}
    (BUILD / "bench.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
