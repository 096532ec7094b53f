"""A layout shows what the engine reads: the same values, and the same error at the same byte."""

import random
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.layouts import checked_leaves
from kvlib import CorruptionError, encoding, frame, log, segments, snapshot
from kvlib.encoding import Item
from kvlib.errors import FormatError, TornError
from kvlib.layout.decode import FORMATS, walk
from kvlib.layout.dissect import Layout, Region, dissect, guess
from tools.fuzz.inputs import BY_FORMAT

ROUNDS = 10_000  # damaged inputs for each format

# ------------------------------------------------------- the keys and values that the engine reads


def of_pairs(engine: Iterator[encoding.Record | log.Step]) -> Iterator[Item]:
    """Yield each key, and its value unless the key is deleted."""
    for pair in engine:
        yield pair.key
        if pair.value is not None:
            yield pair.value


def at_offset(start: int, values: Iterator[Item]) -> Iterator[Item]:
    """Yield the values of data that begins at `start`, and raise their error with its offset."""
    try:
        yield from values
    except FormatError as error:
        raise error.within(None, start) from None


def of_fields(data: bytes, at_once: int = 1) -> Iterator[Item]:
    """Decode fields; a record is two `at_once`."""
    at = number = 0
    while at < len(data) or not number or number % at_once:
        value, at = encoding.decode_field(data, at)
        yield value
        number += 1


def of_snapshot(data: bytes) -> Iterator[Item]:
    """Decode a snapshot stream."""
    return of_pairs(encoding.decode_records(data))


def of_mutations(data: bytes) -> Iterator[Item]:
    """Decode a payload of mutations."""
    return of_pairs(log.decode_steps(data))


def of_segment(data: bytes) -> Iterator[Item]:
    """Check the header; the only segment of a snapshot has the whole stream."""
    _, total = segments.decode_header(data)
    values, error = read(of_snapshot(data[segments.HEADER.size :]))
    if total == 1 and not error:
        yield from values


def of_sealed(data: bytes) -> Iterator[Item]:
    """Open the file of a segment."""
    found = snapshot.unseal_first(data, frame.SEGMENT)
    snapshot.check_end(found, data)
    yield from at_offset(snapshot.OVERHEAD, of_segment(found.payload))


def of_frame(found: frame.Frame) -> Iterator[Item]:
    """Decode the mutations in a frame."""
    if found.kind in (b"M", b"m"):
        yield from at_offset(found.start + frame.HEADER.size, of_mutations(found.payload))


def of_frames(data: bytes) -> Iterator[Item]:
    """Decode frames without a salt, in any order."""
    at = 0
    while at < len(data) or not at:
        found = frame.unseal(data, at)
        yield from of_frame(found)
        at = found.end


def of_log(data: bytes) -> Iterator[Item]:
    """Decode a log frame by frame; then replay it, as recovery does."""
    try:
        head, start = snapshot.decode_head(data)
    except FormatError as error:
        raise error.within(None) from None  # a head that is torn is damage
    values, flaw = read(
        value
        for found in log.scan(data, start, head.generation, head.salt)
        for value in of_frame(found)
    )
    yield from values
    tail = log.replay(data, start, head.generation, head.salt, {})
    assert flaw is None
    if tail.end < len(data):
        with pytest.raises(TornError) as caught:
            frame.unseal(data, tail.end, head.salt)
        raise TornError(None, tail.end, caught.value.reason)


def of_unknown(data: bytes) -> Iterator[Item]:
    """Read nothing."""
    yield from ()
    raise CorruptionError(None, 0, "these bytes don't look like any of kvlib's formats")


ENGINE: dict[str, Callable[[bytes], Iterator[Item]]] = {
    "field": of_fields,
    "record": partial(of_fields, at_once=2),
    "mutations": of_mutations,
    "snapshot": of_snapshot,
    "segment": of_segment,
    "frame": of_frames,
    "log": of_log,
    "sealed": of_sealed,
    "unknown": of_unknown,
}


def read(engine: Iterator[Item]) -> tuple[list[Item], FormatError | None]:
    """Return what the engine yields, and the error that stops it."""
    values: list[Item] = []
    try:
        values.extend(engine)
    except FormatError as error:
        return values, error
    return values, None


# --------------------------------------------------------------------------------------- the laws


def check_laws(data: bytes, name: str) -> Layout:
    """Compare a layout with the engine."""
    found = dissect(data, format=name)
    leaves = checked_leaves(found)
    values, error = read(ENGINE[name](data))
    check_values(leaves, values)
    check_flaw(found, leaves, error, name)
    return found


def check_values(leaves: list[Region], values: list[Item]) -> None:
    """Check that keys and values have the engine's order and types."""
    shown = [leaf.value for leaf in leaves if leaf.kind in ("key", "value") and leaf.status == "ok"]
    assert shown[: len(values)] == values
    assert [*map(type, shown[: len(values)])] == [*map(type, values)]
    assert len(shown) <= len(values) + 1  # a key whose value the engine could not read


def check_flaw(found: Layout, leaves: list[Region], error: FormatError | None, name: str) -> None:
    """Check that the engine's error is reported, and that the first bad leaf is at its offset."""
    if error is None:
        assert (found.stopped_at, found.reason) == (None, None)
        assert {leaf.status for leaf in leaves} <= {"ok"}
        return
    assert (found.stopped_at, found.reason) == (error.offset, error.reason)
    if name == "unknown":
        assert {leaf.status for leaf in leaves} <= {"unread"}
        return
    mark = "torn" if name == "log" and isinstance(error, TornError) else "bad"
    marked = next((leaf for leaf in leaves if leaf.status == mark), None)
    if marked is None:  # the error is that of a later frame, with a sequence that is never written
        assert (name, "is above" in error.reason) == ("log", True)
        return
    assert marked.start <= error.offset < max(marked.end, marked.start + 1)
    assert found.root.status == mark
    assert {leaf.status for leaf in leaves[: leaves.index(marked)]} <= {"ok", "unread"}


@pytest.mark.parametrize("name", sorted(BY_FORMAT.keys() - {"unknown"}))
@pytest.mark.untraced
def test_a_layout_of_damaged_bytes_shows_what_the_engine_reads(name: str) -> None:
    """A layout of damaged bytes has the engine's values, and its error at the same offset."""
    chance = random.Random(name)
    statuses = {check_laws(BY_FORMAT[name](chance), name).root.status for _ in range(ROUNDS)}
    assert {"ok", "bad"} <= statuses
    assert ("torn" in statuses) == (name == "log")


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.binary(max_size=90))
@settings(max_examples=60)
def test_any_bytes_have_a_layout(name: str, data: bytes) -> None:
    """Random bytes have a layout in every format, and in the guessed one."""
    check_laws(data, name)
    check_laws(data, guess(data))


# ---------------------------------------------------------------------------------- single layouts


def test_a_record_by_hand() -> None:
    """Each region of a record has the offsets, kind, name, value and span worked out by hand."""
    data = b"\0\0\0\1s\0\0\0\5caf\xc3\xa9b\0\0\0\0"
    found = dissect(data, source="by hand")
    assert (found.source, found.data, found.stopped_at) == ("by hand", data, None)
    assert [(r.start, r.end, r.kind, r.name, r.value, r.governs) for r in found.root.leaves()] == [
        (0, 4, "header", "count", 1, (4, 19)),
        (4, 5, "tag", "record[0].key.tag", b"s", None),
        (5, 9, "length", "record[0].key.length", 5, (9, 14)),
        (9, 14, "key", "record[0].key.data", "café", None),
        (14, 15, "tag", "record[0].value.tag", b"b", None),
        (15, 19, "length", "record[0].value.length", 0, (19, 19)),
        (19, 19, "value", "record[0].value.data", b"", None),
    ]
    (_, record) = found.root.children
    assert [child.name for child in record.children] == ["record[0].key", "record[0].value"]


def test_a_log_has_a_head_and_frames() -> None:
    """The parts of a head, a frame's header and its mutations have names and values."""
    head = snapshot.Head(7, 0xAABBCCDD, 3, 1, 4, 5)
    data = snapshot.encode_head(head)
    data += frame.seal(b"m", 8, log.encode_put("k", b"v") + log.encode_delete("k"), head.salt)
    data += frame.seal(b"C", 9, b"", head.salt)
    root = dissect(data).root
    values = {leaf.name: leaf.value for leaf in root.leaves()}
    names = ("sequence", "salt", "compactions", "segments", "stream_length", "stream_crc")
    assert [values[f"head.{name}"] for name in names] == [7, 0xAABBCCDD, 3, 1, 4, 5]
    assert (values["frame[0].sequence"], values["frame[1].kind"]) == (8, b"C")
    assert [values[f"frame[0].mutation[{at}].operation"] for at in range(2)] == [b"P", b"D"]
    assert [child.name for child in root.children] == ["preamble", "head", "frame[0]", "frame[1]"]
    mutations = [child.name for child in root.children[2].children[4:]]
    assert mutations == ["frame[0].mutation[0]", "frame[0].mutation[1]"]


def test_a_newer_file_is_not_called_damaged() -> None:
    """For a newer version, the reason says so, and reading stops at the version."""
    found = dissect(frame.MAGIC + b"\0\2" + b"of the future")
    assert found.stopped_at == len(frame.MAGIC)
    assert "newer" in str(found.reason)
    statuses = [(leaf.name, leaf.status) for leaf in found.root.leaves()]
    assert statuses == [("preamble.magic", "ok"), ("preamble.version", "bad"), ("rest", "unread")]


def a_log(*frames: bytes) -> bytes:
    """Return a log with the salt 2."""
    return snapshot.encode_head(snapshot.Head(1, 2, 0, 1, 4, 0)) + b"".join(frames)


def test_a_frame_is_read_up_to_its_flaw_if_its_checksum_is_right() -> None:
    """A frame's header is read up to the flaw; after a wrong checksum, none of it is trusted."""
    closing = frame.seal(b"C", 3, b"", 2)
    for first, expected in [
        (closing, ["ok", "ok", "bad", "unread"]),  # sequence 2 is missing
        (frame.seal(b"M", 2, b"", salt=1), ["bad", "unread", "unread", "unread"]),
    ]:
        leaves = dissect(a_log(first, closing)).root.leaves()
        assert [leaf.status for leaf in leaves if leaf.name.startswith("frame[0]")] == expected


@pytest.mark.parametrize(
    ("data", "name", "error"),
    [
        (a_log(frame.seal(b"C", 2, b"", 2)[:-1]), "log", TornError),
        (a_log()[:-1], "log", CorruptionError),
        (frame.seal(b"C", 2, b"")[:-1], "frame", CorruptionError),
    ],
)
def test_only_the_tail_of_a_log_is_torn(data: bytes, name: str, error: type[FormatError]) -> None:
    """Missing bytes are a TornError at the end of a log, and damage anywhere else."""
    with pytest.raises(FormatError) as caught:
        deque(walk(data, name))
    assert type(caught.value) is error


def test_a_long_log_is_walked_in_little_memory() -> None:
    """Regions are made one by one, even those of a single long frame."""
    payload = b"".join(log.encode_put(f"key {number}", b"value") for number in range(5_000))
    data = a_log(frame.seal(b"M", 2, payload, 2))
    tracemalloc.start()
    assert sum(1 for _ in walk(data, "log")) == 5_003
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * len(data)
