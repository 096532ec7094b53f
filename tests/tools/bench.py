"""`make bench`: measure the size and latency of the views, and what the store's promises cost.

    PYTHONPATH=tests python -m tools.bench [--no-browser]

It prints tables, and writes all figures to build/bench.json. A time means little on another
machine, so each one comes with the time of a bare equivalent, measured in alternation.
"""

import argparse
import json
import marshal
import os
import pickle
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from io import BytesIO, FileIO
from pathlib import Path
from threading import Thread
from typing import Any

import kvlib
from helpers.paths import ROOT
from kvlib import MemoryDisk, views
from kvlib.encoding import Item
from kvlib.log import encode_put

BUILD = ROOT / "build"
PER_BYTE, BASE, VIEW, NOTEBOOK = 100, 17_000, 120_000, 800_000  # limits, in bytes of HTML
MEDIAN, P95 = 16.0, 33.0  # limits, in milliseconds
SAMPLES = 150  # of each action in the browser
ROUNDS = 9  # of each pair
Row = dict[str, object]
Action = Callable[[], object]


# ------------------------------------------------------------------------------------------- sizes


def sizes() -> list[Row]:
    """Measure the HTML per byte of data, and the largest views and notebooks."""
    rows: list[Row] = []
    measured = [(len(data), size_of(views.dump(data))) for data in map(snapshot, (4, 16, 48))]
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
    rows.append(within("crash of 1,000 cuts", size_of(film()), VIEW))
    return rows


def snapshot(records: int) -> bytes:
    """Return a snapshot stream with 21 bytes per record."""
    items: dict[Item, Item] = {f"key{number:03}": f"{number:05}" for number in range(records)}
    return kvlib.encode_snapshot(items)


def film() -> views.Timeline:
    """Return a view of every cut of a log of about 1,000 bytes."""
    disk = MemoryDisk()
    with kvlib.open(disk) as store:
        for number in range(23):
            store[f"key{number:03}"] = f"{number:03}"
        return views.crash(disk.read("log"))


def size_of(view: Any) -> int:
    """Return the number of bytes of a view's HTML."""
    return len(view._repr_mimebundle_()["text/html"].encode())


def stored_html(path: Path) -> Iterator[int]:
    """Yield the size of each piece of HTML in a notebook's outputs."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            if html := "".join(output.get("data", {}).get("text/html", "")):
                yield len(html.encode())


def within(name: str, value: float, limit: float) -> Row:
    """Return a row with a figure and its limit."""
    return {"what": name, "value": round(value, 1), "limit": limit, "reached": value <= limit}


# ----------------------------------------------------------------------------------------- latency

# Each action starts at an arbitrary moment between two frames, as a hand would, and its time ends
# when the next frame has been drawn. "idle" only waits for a frame; "bare" changes one word on the
# page, the least that any visible action can cost.
TIME = """async (samples) => {
    const wait = (ms) => new Promise((go) => setTimeout(go, ms));
    const drawn = () => new Promise((go) => requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = go;
        port2.postMessage(0); // the next task comes after the drawing
    }));
    const [bytes, film] = document.querySelectorAll(".jp-OutputArea-output .kvlib");
    const grid = bytes.querySelector(".stage"), box = grid.firstChild.getBoundingClientRect();
    const word = document.body.appendChild(document.createElement("b"));
    word.style.cssText = "position: fixed; right: 0; bottom: 0; z-index: 9";
    const cuts = film.querySelector(".stage"), axis = cuts.firstChild.getBoundingClientRect();
    const press = (key) => grid.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    grid.focus();
    const acts = {
        idle: () => {},
        bare: (at) => (word.textContent = at),
        hover: (at) => grid.dispatchEvent(new PointerEvent("pointermove", {
            bubbles: true,
            movementX: 1,
            clientX: box.left + box.width * (0.25 + ((at * 37) % 50) / 100),
            clientY: box.top + 80 + ((at * 53) % 400),
        })),
        key: (at) => press(["ArrowRight", "ArrowDown", "ArrowLeft", "End", "ArrowUp"][at % 5]),
        drag: (at) => cuts.dispatchEvent(new PointerEvent("pointermove", {
            bubbles: true,
            buttons: 1,
            movementX: 1,
            clientX: axis.left + axis.width * (0.35 + ((at * 37) % 60) / 100),
            clientY: axis.bottom - 20,
        })),
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
    """Measure from a hover, a key or a drag to the next frame, in JupyterLab."""
    # The other measurements don't need these.
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
    """Return a row with the median and the 95th percentile, in milliseconds."""
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


RECORDS: dict[Item, Item] = {f"key{number:05}": f"value {number:05}" for number in range(2000)}
ITEMS = [*RECORDS.items()]
FRAME = 17 + 1 + len(encode_put(*ITEMS[0]))  # as many bytes as a put appends
CODECS: dict[str, tuple[Callable[[Any], bytes], Callable[[bytes], object]]] = {
    "json": (lambda items: json.dumps(items).encode(), json.loads),
    "pickle": (pickle.dumps, pickle.loads),
    "marshal": (marshal.dumps, marshal.loads),
}


def engine(folder: Path) -> list[Row]:
    """Compare the store with bare equivalents; the files are in `folder`."""
    size, synced = len(ITEMS), "os.write + fdatasync"
    full, known, logged = kvlib.Store(), dict(RECORDS), MemoryDisk()
    full.update(RECORDS)
    with kvlib.open(logged, sync="never", threshold=10**9) as store:
        put_all(store)
    pickled = b"".join(map(pickle.dumps, ITEMS))
    with (
        kvlib.open(MemoryDisk(), sync="never", threshold=10**9) as memory,
        kvlib.open(folder / "never", sync="never", threshold=10**9) as written,
        kvlib.open(folder / "always", threshold=10**9) as durable,
        open(folder / "bare", "ab", buffering=0) as file,
    ):
        bare = partial(write, file)
        in_memory, on_disk = partial(put_all, memory), partial(put_all, written)
        ours, theirs = partial(get_all, full), partial(get_all, known)
        replay = partial(kvlib.open, logged, read_only=True)
        one, threads = partial(put_some, durable, 50), partial(put_in_threads, durable, 64, 5)
        few, many = partial(bare, 50, sync=True), partial(bare, 320, sync=True)
        return [
            compare("put, in memory, no fsync", "dict insert", size, in_memory, insert),
            compare("put, directory, no fsync", "os.write", size, on_disk, partial(bare, size)),
            compare("get", "dict's get", size, ours, theirs),
            compare("replay, a record", "pickle.load", size, replay, partial(load, pickled)),
            *codecs(),
            compare("durable put", synced, 50, one, few),
            compare("durable put, 64 threads", synced, 320, threads, many),
        ]


def codecs() -> Iterator[Row]:
    """Yield the snapshot format with each of Python's own formats, both ways."""
    size, stream = len(RECORDS), kvlib.encode_snapshot(RECORDS)
    encode = partial(kvlib.encode_snapshot, RECORDS)
    for name, (dumps, _) in CODECS.items():
        yield compare("encode a snapshot, a record", name, size, encode, partial(dumps, RECORDS))
    decode = partial(kvlib.decode_snapshot, stream)
    for name, (dumps, loads) in CODECS.items():
        bare = partial(loads, dumps(RECORDS))
        yield compare("decode a snapshot, a record", name, size, decode, bare)


def compare(name: str, bare_name: str, times: int, ours: Action, bare: Action) -> Row:
    """Alternate between the store and a bare equivalent; a round repeats each `times` times."""
    rounds = [(clock(ours), clock(bare)) for _ in range(ROUNDS)]
    our_time, bare_time = (statistics.median(side) / times for side in zip(*rounds, strict=True))
    return {
        "what": name,
        "microseconds": round(our_time, 3),
        "bare": bare_name,
        "its microseconds": round(bare_time, 3),
        "ratio": round(statistics.median(first / second for first, second in rounds), 2),
    }


def clock(action: Action) -> float:
    """Return how many microseconds an action takes."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e6


def write(file: FileIO, times: int, sync: bool = False) -> None:
    """Append so many frames to a bare file."""
    flush = getattr(os, "fdatasync", os.fsync)
    for _ in range(times):
        file.write(bytes(FRAME))
        if sync:
            flush(file)


def load(pickled: bytes) -> None:
    """Unpickle all records, one by one."""
    file, items = BytesIO(pickled), {}
    for _ in ITEMS:
        key, value = pickle.load(file)
        items[key] = value


def insert() -> None:
    """Put all records into a dict."""
    items = {}
    for key, value in ITEMS:
        items[key] = value


def put_all(store: kvlib.DurableStore) -> None:
    """Put all records into a store."""
    put_some(store, len(ITEMS))


def get_all(store: Any) -> None:
    """Get all records from a store or a dict."""
    for key, _ in ITEMS:
        store.get(key)


def put_some(store: kvlib.DurableStore, times: int) -> None:
    """Put the first records into a store."""
    for key, value in ITEMS[:times]:
        store.put(key, value)


def put_in_threads(store: kvlib.DurableStore, count: int, times: int) -> None:
    """Put the first records in each of `count` threads."""
    threads = [Thread(target=put_some, args=(store, times)) for _ in range(count)]
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
    """Return a figure as a table shows it."""
    if isinstance(cell, bool):
        return "yes" if cell else "NO"
    return f"{cell:,}" if isinstance(cell, (int, float)) else str(cell)


def main() -> None:
    """Measure, print and write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--no-browser", action="store_true", help="skip the latency")
    chosen = options.parse_args()
    BUILD.mkdir(exist_ok=True)
    loads = [round(os.getloadavg()[0], 2)]
    found: dict[str, list[Row]] = {"size of views, in bytes of HTML": sizes()}
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        found["engine: the median of rounds, and a bare equivalent"] = engine(Path(folder))
    if not chosen.no_browser:
        loads.append(round(os.getloadavg()[0], 2))
        found["latency in Chromium, in milliseconds to the next frame"] = latency()
    loads.append(round(os.getloadavg()[0], 2))
    for title, rows in found.items():
        show(title, rows)
    print(f"\nload of the machine, which has {os.cpu_count()} cores, meanwhile: {loads}")
    report = {"load": loads, "cores": os.cpu_count(), **found}
    (BUILD / "bench.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
