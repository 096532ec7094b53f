"""Hostile files cost no more memory or time than their size allows."""

import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from struct import pack

import pytest

import kvlib
from helpers.lies import FAR, FIRST, LENGTH, ONE_RECORD, SALT, SEGMENTS, lying, with_frames
from helpers.vocabulary import (
    FaultyDisk,
    Field,
    delete,
    disk_of,
    field,
    frame,
    store_files,
)
from kvlib import CorruptionError, encoding, log, recovery
from kvlib.errors import FormatError
from kvlib.layout.dissect import walk_directory
from tools.fuzz.inputs import pack_files
from tools.fuzz.targets import feed_pictures


def peak(action: Callable[[], object]) -> int:
    """Return the bytes of memory that an action takes, whether or not it is refused."""
    tracemalloc.start()
    try:
        with suppress(FormatError):
            action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_claims_cost_no_memory() -> None:
    """A file of a hundred bytes that claims to hold exabytes takes some kilobytes."""
    claims = [
        lying(head={SEGMENTS: FAR}),
        lying(head={LENGTH: 2**64 - 1}),
        lying(b"\xff" * 4 + field("k") + field("v")),
        lying(ONE_RECORD + b"s" + b"\xff" * 4 + b"k"),
        with_frames(bytes(4) + b"\xff" * 4 + bytes(7) + b"\2M"),
        with_frames(frame(b"M", 2, b"Ps" + b"\xff" * 4, SALT)),
        lying(piece=(1, FAR, FAR)),
    ]
    for files in claims:
        assert peak(partial(recovery.recover, disk_of(files))) < 50_000
        assert peak(partial(feed_pictures, pack_files(files))) < 100_000


def test_a_missing_segment_is_found_without_counting() -> None:
    """Recovery reads one segment of those that a head names; join() doesn't count up to a total."""
    disk = FaultyDisk(disk_of(lying(head={SEGMENTS: FAR})))
    with pytest.raises(CorruptionError):
        recovery.recover(disk)
    assert disk.calls == [("names", ""), ("read", "log"), ("read", FIRST)]
    pieces = [pack(">II", index, FAR) + b"x" for index in range(100)]
    with pytest.raises(CorruptionError, match="segment 100 of 4294967295 is missing"):
        kvlib.join(pieces)
    assert peak(lambda: kvlib.join(pieces)) < 50_000
    with pytest.raises(CorruptionError, match="segment 0 of 4294967295 is missing"):
        kvlib.join([pack(">II", FAR - 1, FAR)])


def test_a_snapshot_of_very_many_segments() -> None:
    """Each of very many segments is read once, and drawn in time proportional to their number."""
    items: dict[Field, Field] = {"k": "v" * 9_985}
    disk = FaultyDisk(disk_of(store_files(items, size=9)))
    state = recovery.recover(disk)
    assert state is not None
    assert state.items == items
    assert len(disk.calls) == 2 + 10_000
    small = disk_of(store_files({"k": "v" * 980}, size=9))
    assert sum(1 for _, _, pieces in walk_directory(small) for _ in pieces) < 5 * 1_000


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\0\0\x10\0" + b"b\0\0\0\0" * 8_192, id="doubled keys"),
        pytest.param(
            kvlib.encode_snapshot({number.to_bytes(2, "big"): b"" for number in range(4_000)})
            + b"?",
            id="a byte too many",
        ),
        pytest.param(b"\0\0\0\1b" + (2**17).to_bytes(4, "big") + bytes(2**17), id="long key"),
    ],
)
def test_memory_stays_within_a_small_multiple_of_the_input(data: bytes) -> None:
    """Records take more room as Python objects than as bytes, but not much more."""
    assert peak(lambda: kvlib.decode_snapshot(data)) < 32 * len(data) + 10_000
    assert peak(lambda: recovery.recover(disk_of(lying(data)))) < 40 * len(data)
    payload = b"D\x62\0\0\0\0" * (len(data) // 12)
    assert peak(lambda: log.decode_mutations(payload + b"?")) < 32 * len(payload)


def test_a_strict_decoder_reads_each_field_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The strict decoder reads each field once, even if the flaw is at the very end."""
    calls = 0
    real = encoding.decode_field

    def counting(data: bytes, offset: int = 0) -> tuple[encoding.Item, int]:
        nonlocal calls
        calls += 1
        return real(data, offset)

    items: dict[Field, Field] = {str(number): "" for number in range(2_000)}
    monkeypatch.setattr(encoding, "decode_field", counting)
    monkeypatch.setattr(log, "decode_field", counting)
    with pytest.raises(CorruptionError):
        kvlib.decode_snapshot(kvlib.encode_snapshot(items) + b"?")
    assert calls == 4_000
    with pytest.raises(CorruptionError):
        log.decode_mutations(b"".join(map(delete, items)) + b"?")
    assert calls == 6_000
