"""The figures of the notebooks: the calls that make them, and the same figures made here."""

from functools import cache
from typing import Any

from kvlib.views.curves import Curves
from kvlib.views.dump import Dump
from kvlib.views.figure import Figure
from kvlib.views.timeline import Timeline

SETUP = """import kvlib
from kvlib import naive, views
from kvlib.crash import boot
from kvlib.frame import unseal
from kvlib.log import decode_mutations
from kvlib.snapshot import decode_head

cafe = {"café": "2,50 €"}
disk = kvlib.MemoryDisk()
shop = kvlib.open(disk)
shop["café"] = "2,50 €"
files = {name: disk.read(name) for name in disk.names()}
shop["thé"] = "3,10 €"
shop["café"] = "2,80 €"
data = disk.read("log")
shop.compact()
morning = [
    ("put", "café", "2,50 €"),
    ("put", "thé", "3,10 €"),
    ("put", "café", "2,80 €"),
    ("delete", "thé"),
]


def forgiving(data):
    head, offset = decode_head(data)
    items = {}
    while offset < len(data):
        try:
            frame = unseal(data, offset, head.salt)
        except kvlib.CorruptionError:
            break
        items.update(decode_mutations(frame.payload))
        offset = frame.end
    return items


def show(key, value, as_bytes):
    record = {key: value.encode() if as_bytes else value}
    return views.dump(kvlib.encode_snapshot(record), format="snapshot")"""

# Each view is in a notebook, perhaps with other arguments.
CALLS = {
    "journey": "views.journey(1)",
    "lengths": 'views.lengths(naive.encode_counted({"tea": "hot", "ale": "dry"}), last=31)',
    "bytes": 'views.dump(data, format="log")',
    "flips": 'views.flips(kvlib.encode_snapshot({"café": "2,50 €"}))',
    "commit": "views.commit()",
    "shelves": "views.shelves()",
    "steps": "views.steps(morning)",
    "images": 'views.images("café", "2,80 €", before={"café": "2,50 €", "thé": "3,10 €"})',
    "crash": "views.crash(data, recover=forgiving)",
    "verdict": "views.verdict(data)",
    "diff": "views.diff(boot(files), disk)",
    "compactions": "views.compactions(keys=1000, puts=8000)",
}
TYPED = {
    "delimiters": 'views.delimiters(key="café", value="2,50 €", between=":", after=",")',
    "desk": 'views.desk(cafe, max_segment_size=15, other={"café": "2,50 € to go"})',
    "explore": 'views.explore(show, key="café", value="2,50 €", as_bytes=False)',
    "fsync": "views.fsync()",
}


@cache
def made(call: str) -> Any:
    """Return what a call gives after SETUP, in this process."""
    names: dict[str, Any] = {}
    exec(SETUP, names)
    return eval(call, names)


@cache
def figure(name: str) -> Figure:
    """Return a figure as a page has it: with as many positions as there is room for."""
    shown = made(CALLS[name])
    if isinstance(shown, Timeline):
        shown = shown.draw(shown)
    if isinstance(shown, (Dump, Curves)):
        shown = shown.figure()
    assert isinstance(shown, Figure)
    return shown.fitted()
