"""The log's whole frames are found after holes, out of order and in other files."""

import pytest

import kvlib.salvage.frames
from helpers.damaged import (
    CLOSE,
    FRAMES,
    GENERATION,
    NAMES,
    OLD,
    SALT,
    a_store,
    before_segment,
    count_work,
    log_frame,
    lures,
    replayed,
    saved,
    without,
)
from helpers.stores import content
from helpers.vocabulary import HEAD_END, disk_of, every_cut, every_flip, frame, put
from kvlib.salvage import Finding

LOG = a_store()["log"]


# --- torn tails -----------------------------------------------------------------------------------


def test_a_torn_tail_costs_nothing() -> None:
    """A log cut at any byte gives what opening it would give, and the torn tail is noted."""
    ends = [HEAD_END + len(b"".join(FRAMES[:number])) for number in range(len(FRAMES) + 1)]
    for log in every_cut(LOG):
        if len(log) >= HEAD_END:
            torn = {**a_store(), "log": log}
            result, items = saved(torn)
            assert items == content(disk_of(torn))
            assert result.complete
            start = max(end for end in ends if end <= len(log))
            tail = Finding("log", start, len(log) - start, "a torn tail, which recovery drops too")
            assert result.notes == ((tail,) if tail.size else ())


# --- holes ----------------------------------------------------------------------------------------


def test_every_bit_of_a_frame_costs_that_frame_only() -> None:
    """All other mutations are applied; a damaged close frame costs nothing."""
    start = HEAD_END
    for index, sealed in enumerate([*FRAMES, CLOSE]):
        end = start + len(sealed)
        for spoilt in every_flip(sealed):
            result, items = saved({**a_store(), "log": LOG[:start] + spoilt + LOG[end:]})
            if sealed is CLOSE:
                assert items == replayed(OLD)
                assert result.complete
                continue
            assert items == replayed(OLD, index)
            (finding,) = result.left_out
            assert (finding.file, finding.offset, finding.size) == ("log", start, len(sealed))
            sequence = GENERATION + index + 1
            assert finding.reason.endswith(
                f"; 1 sequence number is missing, {sequence}: "
                f"everything from {sequence + 1} on was applied after a hole"
            )
        start = end


def test_each_hole_is_listed() -> None:
    """Each has its offset, size and missing numbers; a lost frame leaves a hole of 0 bytes."""
    spoilt = bytes(len(FRAMES[0])), FRAMES[1], b"noise", FRAMES[2], FRAMES[5], CLOSE
    result, items = saved(a_store(*spoilt))
    assert items == replayed(OLD, 0, 3, 4)
    noise = HEAD_END + len(FRAMES[0]) + len(FRAMES[1])
    assert [
        (hole.offset, hole.size, hole.reason.split("; ", 1)[1]) for hole in result.left_out
    ] == [
        (offset, size, f"{missing}: everything from {sequence} on was applied after a hole")
        for offset, size, missing, sequence in (
            (HEAD_END, len(FRAMES[0]), "1 sequence number is missing, 4", 5),
            (noise, 5, "no sequence number is missing", 6),
            (noise + 5 + len(FRAMES[2]), 0, "2 sequence numbers are missing, 7 to 8", 9),
        )
    ]


def test_frames_after_a_hole_may_be_unsynced() -> None:
    """In a torn tail a frame that wasn't synced is dropped; in a damaged store it is applied."""
    files = a_store(b"noise\0" + log_frame(2, put("lazy", "1"), b"m"))
    result, items = saved(files)
    assert result.complete
    assert items == OLD
    assert saved(without(files, NAMES[2]))[1] == {**before_segment(2), "lazy": "1"}


STRANGE = {
    "a duplicate": FRAMES[0],
    "a sequence far too high": frame(b"M", 2**40, put("x", "y"), SALT),
    "an invalid sequence": frame(b"M", 2**63 + 1, put("x", "y"), SALT),
    "a segment": log_frame(2, put("x", "y"), b"S"),
    "an unknown kind": log_frame(2, put("x", "y"), b"?"),
    "no mutation": log_frame(2, b""),
    "half a mutation": log_frame(2, put("x", "y")[:-1]),
    "a close frame with a payload": log_frame(2, put("x", "y"), b"C"),
    "another log's frame": frame(b"M", GENERATION + 2, put("x", "y"), SALT + 1),
}


@pytest.mark.parametrize("strange", STRANGE)
def test_a_frame_that_no_writer_writes_is_left_out(strange: str) -> None:
    """A strange frame is left out at any offset, and the frames around it are applied."""
    odd = STRANGE[strange]
    result, items = saved(a_store(FRAMES[0], odd, *FRAMES[1:], CLOSE))
    assert items == replayed(OLD)
    (finding,) = result.left_out
    assert (finding.offset, finding.size) == (HEAD_END + len(FRAMES[0]), len(odd))
    noisy = a_store(FRAMES[0], b"noise", odd, b"noise", *FRAMES[1:], CLOSE)
    assert saved(noisy)[1] == replayed(OLD)
    for noise in (b"", b"noise" * 9):
        result, items = saved(without(a_store(FRAMES[0], noise, odd), NAMES[2]))
        assert items == {**before_segment(2), "alpha": "one"}
        if not noise:  # bytes with a wrong checksum look like a torn tail
            listed = "log" in {finding.file for finding in result.left_out}
            assert listed == (strange != "another log's frame")


def test_a_log_made_to_search_forever_costs_bounded_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """After too many wrong checksums in all holes together, the rest of the log is left out."""
    work = count_work(monkeypatch, kvlib.salvage.frames)
    files = a_store(FRAMES[0], lures([b""] * 10_000, GENERATION + 3, b"M"))
    result, items = saved(files)
    assert items == replayed(OLD, 1, 2, 3, 4, 5)
    (finding,) = result.left_out
    assert finding.reason.endswith("what follows was made to keep a reader searching forever")
    assert sum(work) <= 66 * len(files["log"])
    work.clear()
    files = a_store(lures([log_frame(at, put("k", str(at))) for at in range(1, 3000)], 1, b"M"))
    result, items = saved(files)
    assert sum(work) <= 68 * len(files["log"])
    assert result.left_out[-1].reason.endswith("searching forever")
    assert items.keys() == {*OLD, "k"}


# --- frames in other files ------------------------------------------------------------------------


def test_a_copy_with_another_history_is_not_used() -> None:
    """If a frame in another file contradicts the log's, none of that file's frames is applied."""
    another, more = log_frame(1, put("alpha", "other")), log_frame(7, put("more", "1"))
    copy = LOG[:HEAD_END] + another + b"".join(FRAMES[1:]) + more
    result, items = saved({**a_store(*FRAMES), "copy": copy})
    assert items == replayed(OLD)
    (note,) = result.notes
    assert note.reason == "another history: its frame 4 is different, so it is not used"


def test_numbers_missing_before_another_files_frames_are_listed() -> None:
    """A gap between the log's last frame and a frame in another file is a hole in the log."""
    result, items = saved({**a_store(*FRAMES), "rest": log_frame(9, put("late", "1"))})
    assert items == {**replayed(OLD), "late": "1"}
    reason = "the log ends; 2 sequence numbers are missing, 10 to 11: everything from 12 on was"
    end = len(LOG) - len(CLOSE)
    assert result.left_out == (Finding("log", end, 0, reason + " applied after a hole"),)


def test_numbers_found_in_another_file_are_not_missing() -> None:
    """If another file has both ends of a gap, only the numbers between them are missing."""
    result, items = saved({**a_store(FRAMES[0], FRAMES[5]), "rest": FRAMES[1] + FRAMES[4]})
    assert items == replayed(OLD, 2, 3)
    assert "2 sequence numbers are missing, 6 to 7: " in result.left_out[0].reason
