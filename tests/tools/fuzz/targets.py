"""The fuzzer's targets: each one reads an input, and checks the result."""

import contextlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import kvlib
from helpers.vocabulary import disk_of
from kvlib import KvlibError, MemoryDisk, encoding, log, recovery, salvage, snapshot
from kvlib.__main__ import main as run_command
from kvlib.cli import commands as cli
from kvlib.cli import progress
from kvlib.layout.dissect import FORMATS, dissect, dissect_directory, walk_directory
from kvlib.layout.text import lines
from kvlib.views.dump import dump
from tools.fuzz import inputs
from tools.fuzz.inputs import unpack_files

LAST = 2**63 - 4  # above this, the store soon raises ValueError because sequences run out


def feed_field(data: bytes) -> None:
    """Decode a field."""
    value, end = kvlib.decode_field(data)
    assert kvlib.encode_field(value) == data[:end]


def feed_snapshot(data: bytes) -> None:
    """Decode a snapshot stream."""
    assert kvlib.encode_snapshot(kvlib.decode_snapshot(data)) == data


def feed_mutations(data: bytes) -> None:
    """Decode the payload of a mutations frame."""
    again = b""
    for key, value in log.decode_mutations(data):
        again += log.encode_delete(key) if value is None else log.encode_put(key, value)
    assert again == data


def feed_join(data: bytes) -> None:
    """Join bare segments in any order."""
    pieces = [*unpack_files(data).values()]
    in_order = sorted((piece[:4], piece[8:]) for piece in pieces)
    assert kvlib.join(pieces) == b"".join(piece for _, piece in in_order)


def feed_unseal(data: bytes) -> None:
    """Unseal a frame at the beginning, and one at another offset."""
    with contextlib.suppress(KvlibError):
        kvlib.unseal(data, len(data) // 3, len(data))
    found = kvlib.unseal(data)
    assert kvlib.seal(found.kind, found.sequence, found.payload) == data[: found.end]


def feed_head(data: bytes) -> None:
    """Decode the head of a log."""
    head, end = snapshot.decode_head(data)
    assert snapshot.encode_head(head) == data[:end]


def feed_log(data: bytes) -> None:
    """Replay a log, and scan it."""
    head, start = snapshot.decode_head(data)
    items: dict[encoding.Item, encoding.Item] = {}
    tail = log.replay(data, start, head.generation, head.salt, items)
    end = start
    for found in log.scan(data, start, head.generation, head.salt):
        end = found.end
    assert start <= tail.end == end <= len(data)


def feed_recover(data: bytes) -> None:
    """Recover a store."""
    files = unpack_files(data)
    state = recovery.recover(disk_of(files))
    if state is not None:
        assert state.tail.end + state.recovered.dropped_bytes == len(files["log"])


def feed_deserialize(data: bytes) -> None:
    """Load a store into memory; after an error nothing has changed."""
    store = kvlib.Store()
    store["before"] = "1"
    try:
        store.deserialize(disk_of(unpack_files(data)))
    except KvlibError:
        assert dict(store) == {"before": "1"}
        raise


def feed_open(data: bytes) -> None:
    """Open a store for writing: damage changes no file, and recovered records are kept."""
    files = unpack_files(data)
    disk = disk_of(files)
    try:
        found = recovery.recover(disk)
        store = kvlib.open(disk)
    except KvlibError:
        assert {name: disk.read(name) for name in disk.names()} == files
        raise
    items: dict[encoding.Item, encoding.Item] = {} if found is None else dict(found.items)
    assert dict(store) == items
    if found is not None and found.tail.sequence > LAST:
        return
    store["put"] = items["put"] = b"later"
    store.close()
    with kvlib.open(disk, read_only=True) as store:
        assert dict(store) == items


def check_leaves(found: Any, data: bytes) -> None:
    """Check that a layout shows every byte once."""
    assert b"".join(data[leaf.start : leaf.end] for leaf in found.root.leaves()) == data


def feed_layout(data: bytes) -> None:
    """Dissect a file in the format that its first byte chooses."""
    name = [*FORMATS][data[0] % len(FORMATS)] if data else "unknown"
    check_leaves(dissect(data[1:], format=name), data[1:])


def feed_guess(data: bytes) -> None:
    """Dissect bytes of an unknown format."""
    check_leaves(dissect(data), data)


def feed_dump(data: bytes) -> None:
    """Dump bytes as text: shortened and whole, plain and coloured."""
    assert repr(dump(data, limit=64))
    assert [*dump(data, limit=None).lines(colour=True)]


def feed_pictures(data: bytes) -> None:
    """Dissect all files of a store."""
    for found in dissect_directory(disk_of(unpack_files(data))):
        check_leaves(found, found.data)


def feed_salvage(data: bytes) -> None:
    """Salvage a store: the source stays, and a store that opens is saved as it is.

    (Unless salvage finds more of its log in another file.)
    """
    files = unpack_files(data)
    disk, saved = disk_of(files), MemoryDisk()
    result = salvage.salvage(disk, saved)
    assert [*salvage.report(result, "there")]
    assert {name: disk.read(name) for name in disk.names()} == files
    with contextlib.suppress(KvlibError):
        state = recovery.recover(disk)
        if state is not None and not any("found here" in note.reason for note in result.notes):
            assert dict(kvlib.open(saved, read_only=True)) == state.items


def feed_check(data: bytes) -> None:
    """Run `kvlib check` and print `kvlib dump`, both in memory."""
    disk: Any = disk_of(unpack_files(data))  # the report only reads, so any disk will do
    for _, found, pieces in walk_directory(disk):
        for _ in lines(found, pieces):
            pass
    with contextlib.redirect_stdout(io.StringIO()):
        cli._report("store", disk, progress.ProgressLine())


def feed_commands(data: bytes) -> None:
    """Run the commands on a directory: both report, with the same status, and change nothing."""
    with tempfile.TemporaryDirectory() as place:
        for name, content in unpack_files(data).items():
            with contextlib.suppress(OSError, ValueError):  # not every name is a file name
                (Path(place) / name.replace("/", "_")).write_bytes(content)
        before = {path.name: path.read_bytes() for path in Path(place).iterdir()}
        statuses = [_run_quietly(command, place) for command in ("check", "dump")]
        assert statuses[0] == statuses[1]
        assert before == {path.name: path.read_bytes() for path in Path(place).iterdir()}
        if statuses[0]:
            raise KvlibError("refused, as it should be")


def _run_quietly(command: str, place: str) -> int:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run_command([command, place])
    assert status in (0, 1, 2)
    assert (status == 0) == (not err.getvalue())
    return status


class Target(NamedTuple):
    """A function that makes inputs, one that reads them, and its share of 1,000 inputs."""

    make: inputs.Maker
    feed: Callable[[bytes], None]
    share: int


TARGETS = {
    "field": Target(inputs.make_field, feed_field, 110),
    "snapshot": Target(inputs.make_stream, feed_snapshot, 170),
    "mutations": Target(inputs.make_payload, feed_mutations, 140),
    "join": Target(inputs.make_pieces, feed_join, 80),
    "unseal": Target(inputs.make_frame, feed_unseal, 80),
    "head": Target(inputs.make_head, feed_head, 70),
    "log": Target(inputs.make_log, feed_log, 150),
    "recover": Target(inputs.make_store, feed_recover, 64),
    "deserialize": Target(inputs.make_store, feed_deserialize, 20),
    "open": Target(inputs.make_store, feed_open, 50),
    "layout": Target(inputs.make_layout, feed_layout, 30),
    "guess": Target(inputs.make_any, feed_guess, 15),
    "dump": Target(inputs.make_any, feed_dump, 8),
    "salvage": Target(inputs.make_store, feed_salvage, 6),
    "pictures": Target(inputs.make_store, feed_pictures, 4),
    "check": Target(inputs.make_store, feed_check, 2),
    "commands": Target(inputs.make_store, feed_commands, 1),
}
NAMES = [*TARGETS]
