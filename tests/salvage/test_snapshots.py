"""The newest snapshot is saved whole, or else the records before its first damaged segment."""

import struct

import pytest

from helpers.damaged import (
    CLOSE,
    FRAMES,
    GENERATION,
    NAMES,
    OLD,
    SALT,
    SIZE,
    a_store,
    before_segment,
    replayed,
    saved,
    without,
)
from helpers.vocabulary import (
    PREAMBLE,
    FaultyDisk,
    disk_of,
    every_cut,
    every_flip,
    frame,
    head_payload,
    put,
    store_files,
)
from kvlib import MemoryDisk
from kvlib.salvage import Finding, report, salvage

# --- damaged segments -----------------------------------------------------------------------------


@pytest.mark.parametrize("index", range(3))
def test_a_damaged_segment_costs_the_records_from_there_on(index: int) -> None:
    """With a flipped bit, cut or missing, it costs those records; the log is still applied."""
    files, name = a_store(), NAMES[index]
    flips = (PREAMBLE + flip for flip in every_flip(files[name][len(PREAMBLE) :]))
    for spoilt in (*flips, *every_cut(files[name])):
        result, items = saved({**files, name: spoilt})
        assert items == replayed(before_segment(index))
        assert (result.left_out[0].file, result.left_out[0].size) == (name, len(spoilt))
    result, items = saved(without(files, name))
    assert items == replayed(before_segment(index))
    assert result.left_out[0].reason.startswith(f"segment {index} of 3 is missing; ")


def test_a_cut_record_is_listed_where_it_begins() -> None:
    """It is listed with the segment in which it begins, even if that isn't the last one."""
    files = a_store(CLOSE, items={"a": "1", "b": "x" * 50}, size=20)
    names = sorted(without(files, "log"))
    result, items = saved(without(files, *names[4:6]))
    assert items == {"a": "1"}
    start = 4 + 12  # in the stream, of which a segment has 12 bytes
    reason = "a record that ends in the lost part"
    assert result.left_out[1] == Finding(names[1], 33 + start - 12, 48 - start, reason)
    assert result.left_out[2].size == sum(len(files[name]) for name in names[6:])


@pytest.mark.parametrize("size", [9, 10, 11, 12])
def test_a_cut_count_promises_nothing(size: int) -> None:
    """The list says "of 4" only if the first segments hold the whole record count."""
    result, items = saved(without(a_store(FRAMES[0], size=size), NAMES[1]))
    assert items == {"alpha": "one"}
    of = " of 4" if size == 12 else ""
    assert result.left_out[0].reason.endswith(f"; 0 records{of} before it")


def test_a_segment_with_an_impossible_index_is_damaged() -> None:
    """A whole frame that claims to be segment 3 of 3 doesn't replace segment 1."""
    files = {**a_store(), NAMES[1]: PREAMBLE + frame(b"S", GENERATION, struct.pack(">II", 3, 3))}
    assert saved(files)[1] == replayed(before_segment(1))


def test_another_snapshots_segment_costs_the_whole_snapshot() -> None:
    """If the stream isn't the head's, no record is saved: one across two segments may be false."""
    other = a_store(items={**OLD, "alpha": "2"})
    files = {**a_store(), NAMES[0]: other[NAMES[0]]}
    result, items = saved(files)
    assert items == replayed({})
    size = sum(len(files[name]) - 33 for name in NAMES)
    reason = "its segments are whole, but aren't those that the head names"
    assert result.left_out == (Finding("the stream of generation 3", 0, size, reason),)


def test_a_stream_that_no_writer_writes_is_saved_up_to_its_flaw() -> None:
    """If a key appears twice, its first record and those before the second are saved."""
    pairs = [("a", "1"), ("b", "2"), ("a", "3"), ("c", "4")]
    stream = struct.pack(">I", 4) + b"".join(put(key, value)[1:] for key, value in pairs)
    result, items = saved(
        {
            f"{1:016x}.{0:08x}.segment": PREAMBLE
            + frame(b"S", 1, struct.pack(">II", 0, 1) + stream),
            "log": PREAMBLE + frame(b"H", 1, head_payload(stream)) + frame(b"C", 2, b""),
        }
    )
    assert items == {"a": "1", "b": "2"}
    (finding,) = result.left_out
    assert finding.reason.endswith("for the second time; 2 records before it")
    assert (finding.offset, finding.size) == (28, 24)
    assert max(map(len, report(result, "new"))) <= 80


def test_different_segments_for_one_place_are_not_guessed() -> None:
    """If no head says which of two is right, only the records before them are saved."""
    other = a_store(items={**OLD, b"beta": b"\7\7"})[NAMES[1]]
    files = {**without(a_store(), NAMES[1]), "FOO": a_store()[NAMES[1]], "BAR": other, "log": b""}
    result, items = saved(files)
    assert items == before_segment(1)
    assert "is in several files, all different" in result.left_out[1].reason


def test_many_segments_for_one_place_take_bounded_work() -> None:
    """Equal copies count as one; only so many combinations of different ones are tried."""
    files = a_store()
    whole = b"".join(files[name] for name in NAMES)
    copies = {f"copy{at}": whole for at in range(50)}
    assert saved({**copies, "log": files["log"]})[1] == replayed(OLD)
    different = {
        f"copy{at}{name}": PREAMBLE + frame(b"S", GENERATION, files[name][25:33] + bytes([at]) * 32)
        for at in range(100)
        for name in NAMES
    }
    renamed = {f"z{name}": files[name] for name in NAMES}
    result, items = saved({**renamed, **different, "log": files["log"]})
    assert items == replayed({})
    assert not result.complete


# --- without a head -------------------------------------------------------------------------------


def test_without_a_head_the_newest_whole_generation_is_saved() -> None:
    """A newer one that isn't whole is listed. Older ones are leftovers, and aren't."""
    older = {**store_files({"old": "1"}, generation=1), **store_files({"2": "3"}, generation=2)}
    files = {**older, **a_store(), "log": b"kvlib"}
    assert saved(files)[1] == OLD
    result, items = saved(without(files, NAMES[2]))
    assert items == {"2": "3"}
    assert [finding.file for finding in result.left_out] == ["log", NAMES[2], NAMES[1]]
    result, items = saved(without(files, NAMES[2], "log"))
    assert items == {"2": "3"}
    assert result.left_out[0] == Finding("log", 0, 0, "it is missing")


def test_without_a_whole_generation_the_newest_part_is_saved() -> None:
    """It is preferred to an older generation that is damaged, or whole but empty."""
    files = without(a_store(), "log", NAMES[2])
    assert saved(files)[1] == before_segment(2)
    result, items = saved({**files, **without(store_files({}), "log")})
    assert items == before_segment(2)
    assert not result.complete
    part = without(a_store(size=20), "log", NAMES[2])
    older = store_files({**OLD, "alpha": "0"}, generation=2, size=SIZE)
    older = without(older, "log", NAMES[1].replace("3", "2"))
    assert saved({**part, **older})[1] == {"alpha": "1"}


def test_an_empty_newest_generation_hides_older_ones() -> None:
    """Records that were deleted don't come back from leftovers."""
    newest = store_files({}, generation=GENERATION + 1)
    result, items = saved(without({**a_store(), **newest}, "log"))
    assert (items, result.stored) == ({}, False)


def test_a_copied_head_without_its_snapshot_is_left_out() -> None:
    """Its mutations aren't applied to another generation's snapshot."""
    newer = store_files({"x": "y"}, *FRAMES, generation=GENERATION + 1, salt=SALT)["log"]
    result, items = saved({**a_store(), "log": b"", "log.new": newer})
    assert items == OLD
    assert [(one.file, one.offset, one.size) for one in result.left_out] == [
        ("log", 0, 0),
        ("log.new", 8, len(newer) - 8),
    ]


def test_many_generations_take_linear_work() -> None:
    """Without a head, each of 1,000 is listed once and read at most a few times."""
    source = FaultyDisk(disk_of({f"{at:016x}.00000000.segment": b"" for at in range(1_000)}))
    result = salvage(source, MemoryDisk())
    assert len(result.left_out) == 1_001
    assert not result.stored
    assert len(source.calls) < 4_000
    assert source.calls.count(("names", "")) == 1


def test_enormous_numbers_are_not_believed() -> None:
    """A head or a segment may claim 2**32 - 1 segments; only those that exist are read."""
    head = head_payload(b"", salt=SALT, segments=2**32 - 1, stream_length=2**64 - 1, stream_crc=0)
    log = PREAMBLE + frame(b"H", GENERATION, head) + b"".join(FRAMES)
    assert saved({**a_store(), "log": log})[1] == replayed({})
    payload = struct.pack(">II", 0, 2**32 - 1) + b"\xff" * 4 + put("a", "b")[1:]
    name = f"{2**63:016x}.00000000.segment"
    result, items = saved({name: PREAMBLE + frame(b"S", 2**63, payload)})
    assert items == {"a": "b"}
    assert result.left_out[1].reason == (
        "segment 1 of 4294967295 is missing; 1 record of 4,294,967,295 before it"
    )
