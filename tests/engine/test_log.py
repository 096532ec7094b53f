"""The log, as bytes: replay, torn tails, damage, and the cost of telling them apart.

Whole frames that no writer writes are in test_hostile.py.
"""

import random
import struct
from collections.abc import Callable
from functools import partial
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.vocabulary import (
    FIELDS,
    Field,
    delete,
    every_cut,
    flip_bit,
    frame,
    put,
)
from kvlib import CorruptionError, log
from kvlib import frame as frame_module
from kvlib.log import Mutation, Replay

SALT = 0x5A17
SEQUENCE = 40  # of the head; the first frame has 41
MUTATIONS = st.lists(st.tuples(FIELDS, FIELDS | st.none()), min_size=1, max_size=6)


def replay(data: bytes, offset: int = 0, sequence: int = SEQUENCE) -> tuple[Replay, dict[Any, Any]]:
    """Replay a log onto an empty mapping."""
    items: dict[Field, Field] = {}
    return log.replay(data, offset, sequence, SALT, items), items


def frames(kinds: str) -> list[bytes]:
    """Return frames with the sequences 41, 42 ...; each but a C puts its number, from 0."""
    return [
        frame(kind.encode(), 41 + at, b"" if kind == "C" else put(f"k{at}", f"v{at}"), SALT)
        for at, kind in enumerate(kinds)
    ]


def is_torn(data: bytes, end: int, sequence: int = SEQUENCE) -> bool:
    """Return whether a log has a torn tail at `end`. Damage raises CorruptionError."""
    return replay(data, 0, sequence)[0].end == end < len(data)


# --- mutations ------------------------------------------------------------------------------------


def test_a_mutation_is_a_letter_and_its_fields() -> None:
    """Puts and deletes worked by hand are what the encoders make, and steps know their offsets."""
    assert log.encode_put("k", b"v") == b"Ps\x00\x00\x00\x01kb\x00\x00\x00\x01v"
    assert log.encode_delete("café") == b"Ds\x00\x00\x00\x05caf\xc3\xa9"
    assert log.encode_delete(b"") == b"Db\x00\x00\x00\x00"
    steps = list(log.decode_steps(put("k", b"") + delete(b"xyz")))
    assert steps == [(0, "k", 7, b"", 12), (12, b"xyz", 21, None, 21)]


@given(MUTATIONS)
def test_any_mutations_come_back(mutations: list[Mutation]) -> None:
    """Both decoders agree on everything that can be written, and keep every type."""
    payload = b"".join(
        delete(key) if value is None else put(key, value) for key, value in mutations
    )
    decoded = log.decode_mutations(payload)
    assert [(type(key), key, value) for key, value in decoded] == [
        (type(key), key, value) for key, value in mutations
    ]
    steps = list(log.decode_steps(payload))
    assert [(step.key, step.value) for step in steps] == mutations
    assert [step.start for step in steps[1:]] == [step.end for step in steps[:-1]]
    assert (steps[0].start, steps[-1].end) == (0, len(payload))


def test_every_cut_of_a_mutation_is_refused() -> None:
    """A payload ends where a mutation ends, and nowhere else."""
    payload = put("key", b"value") + delete(b"key") + put("", "")
    whole = {19, 28}  # 1 + 8 + 10 bytes of the first, 1 + 8 of the second
    for prefix in every_cut(payload):
        if len(prefix) not in whole:
            with pytest.raises(CorruptionError):
                log.decode_mutations(prefix)


@pytest.mark.parametrize(
    ("payload", "offset", "word"),
    [
        (b"", 0, "mutation"),
        (b"X" + put("k", "v")[1:], 0, "operation"),
        (b"p" + put("k", "v")[1:], 0, "operation"),
        (put("k", "v") + b"\0", 13, "operation"),
        (put("k", "v") + b"P", 14, "field"),
        (b"D", 1, "field"),
        (b"Dx\x00\x00\x00\x00", 1, "tag"),
        (b"Ds\x00\x00\x00\x02a", 2, "length"),
        (b"Pb\x00\x00\x00\x01k", 7, "field"),
        (b"Pb\x00\x00\x00\x01kb\x00\x00\x00\x09v", 8, "length"),
        (b"Ds\x00\x00\x00\x02a\xff", 7, "UTF-8"),
        (b"Ps\x00\x00\x00\x01ks\x00\x00\x00\x01\x80", 12, "UTF-8"),
    ],
)
def test_each_flaw_of_a_payload_has_its_offset(payload: bytes, offset: int, word: str) -> None:
    """The error gives the offset of the first wrong byte."""
    with pytest.raises(CorruptionError, match=word) as caught:
        log.decode_mutations(payload)
    assert caught.value.offset == offset


@pytest.mark.parametrize("wrong", [0, None, True, bytearray(b"a"), ["a"]], ids=repr)
def test_only_str_and_bytes_are_logged(wrong: Any) -> None:
    """A key or value of another type is a TypeError."""
    for encode in (
        partial(log.encode_put, wrong, "v"),
        partial(log.encode_put, "k", wrong),
        partial(log.encode_delete, wrong),
    ):
        with pytest.raises(TypeError, match="str or bytes"):
            encode()


# --- replay ---------------------------------------------------------------------------------------


def test_an_empty_log_changes_nothing() -> None:
    """A log without frames changes no record."""
    items: dict[Field, Field] = {"old": "1"}
    assert log.replay(b"head", 4, SEQUENCE, SALT, items) == Replay(SEQUENCE, 4, 0, False)
    assert items == {"old": "1"}


def test_replay_applies_the_frames_in_order() -> None:
    """Later puts win, deletes of missing keys are counted, and a batch counts its mutations."""
    data = b"".join(
        [
            frame(b"M", 41, put("a", "1") + put("b", "1"), SALT),
            frame(b"m", 42, delete("a") + put(b"a", b"2"), SALT),
            frame(b"M", 43, delete("never there"), SALT),
            frame(b"M", 44, put("b", "2"), SALT),
        ]
    )
    items: dict[Field, Field] = {"a": "0", "old": "1"}
    assert log.replay(data, 0, SEQUENCE, SALT, items) == Replay(44, len(data), 6, False)
    assert items == {"old": "1", "b": "2", b"a": b"2"}


def test_applying_twice_is_applying_once() -> None:
    """A store that was interrupted while applying may start again."""
    mutations: list[Mutation] = [("a", "1"), ("b", None), ("a", None), ("c", b"3"), ("c", "4")]
    once: dict[Field, Field] = {"b": "0", "d": "0"}
    log.apply(mutations, once)
    twice = dict(once)
    log.apply(mutations, twice)
    assert once == twice == {"c": "4", "d": "0"}


@pytest.mark.parametrize(("kinds", "closed"), [("MC", True), ("MCM", False)])
def test_a_closed_log_ends_with_a_close_frame(kinds: str, closed: bool) -> None:
    """A log is closed if its last frame is a close frame; frames may follow a close."""
    data = b"".join(frames(kinds))
    assert replay(data)[0] == Replay(40 + len(kinds), len(data), kinds.count("M"), closed)


def test_scan_yields_the_frames_one_by_one() -> None:
    """Each frame comes with its offsets, up to a torn tail."""
    parts = frames("MmC")
    data = b"".join(parts) + parts[0][:20]
    scanned = list(log.scan(data, 0, SEQUENCE, SALT))
    assert [data[found.start : found.end] for found in scanned] == parts
    assert [found.kind for found in scanned] == [b"M", b"m", b"C"]


# --- torn tails -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kinds", ["MMM", "Mmm", "MMC"])
def test_a_torn_tail_is_dropped_at_every_cut(kinds: str) -> None:
    """Cut anywhere, a log gives the frames that are whole, and says where they end."""
    parts = frames(kinds)
    ends = [0, len(parts[0]), len(parts[0]) + len(parts[1])]
    for prefix in every_cut(b"".join(parts)):
        whole = sum(end <= len(prefix) for end in ends[1:])
        result, items = replay(prefix)
        assert result == Replay(SEQUENCE + whole, ends[whole], whole, False)
        assert items == {f"k{at}": f"v{at}" for at in range(whole)}


FILLERS: dict[str, Callable[[int], bytes]] = {
    "zeros": bytes,
    "garbage": random.Random("garbage").randbytes,
    "ones": lambda length: b"\xff" * length,
}


@pytest.mark.parametrize("filler", FILLERS)
def test_a_zeroed_or_garbled_tail_is_dropped_at_every_cut(filler: str) -> None:
    """A tail of zeros or garbage is dropped, because a file may grow before its bytes arrive."""
    first, last = frames("MM")
    for prefix in every_cut(last):
        result, items = replay(first + prefix + FILLERS[filler](len(last) - len(prefix)))
        assert result == Replay(41, len(first), 1, False)
        assert items == {"k0": "v0"}


def test_every_flipped_bit_of_the_last_frame_is_a_torn_tail() -> None:
    """A flip in the last frame is a torn tail, because no later frame promises anything."""
    first, last = frames("MM")
    for bit in range(8 * len(last)):
        assert is_torn(first + flip_bit(last, bit), len(first))


def test_zeros_are_a_torn_tail_whatever_the_salt() -> None:
    """With one salt in 2**32, the checksum of 13 zeros is zero."""
    salt = 0x1F90F35A
    first = frame(b"M", 41, put("k", "v"), salt)
    assert log.replay(first + bytes(20), 0, SEQUENCE, salt, {}) == Replay(41, len(first), 1, False)


# --- damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["M", "C"])
def test_every_flipped_bit_before_a_promise_is_damage(end: str) -> None:
    """A later M or C says that this frame had been fsynced, so damage is refused, and located."""
    parts = frames("MM" + end)
    second = len(parts[0])
    for bit in range(8 * (second + len(parts[1]))):
        start = 0 if bit < 8 * second else second
        with pytest.raises(CorruptionError) as caught:
            replay(flip_bit(b"".join(parts), bit))
        assert caught.value.offset in (start, start + 4)


def test_small_frames_promise_nothing() -> None:
    """Frames written without an fsync between them may be lost in any order: a torn tail."""
    first, second, *rest = frames("Mmmm")
    for bit in range(8 * len(second)):
        result, items = replay(first + flip_bit(second, bit) + b"".join(rest))
        assert result == Replay(41, len(first), 1, False)
        assert items == {"k0": "v0"}


@pytest.mark.parametrize("promise", ["M", "C"])
def test_a_promise_covers_every_frame_before_it(promise: str) -> None:
    """A promise covers all frames before it, even across an m; the reason names its frame."""
    first, second, third, fourth = frames("Mmm" + promise)
    where = len(first + second + third)
    for bit in range(8 * len(second)):
        with pytest.raises(CorruptionError) as caught:
            replay(first + flip_bit(second, bit) + third + fourth)
        assert f"offset {where}" in caught.value.reason
        assert "sequence 44" in caught.value.reason


def test_a_promise_is_found_at_any_distance() -> None:
    """Lost, inserted or zeroed bytes don't hide the later frame."""
    first, second, third = frames("MMM")
    for spoilt in (
        *(second[:-1], second[:20], b"?" + second, second[1:]),
        *(b"?" * 1000, b"M", bytes(len(second))),
    ):
        with pytest.raises(CorruptionError) as caught:
            replay(first + spoilt + third)
        assert caught.value.offset in (len(first), len(first) + 4)


def test_only_a_sequence_that_fits_is_a_promise() -> None:
    """A frame promises nothing about itself, and each one before it takes 17 bytes or more."""
    late = put("k", "v")  # 13 bytes; its frame 30; with 34 of rubbish 64, which is 3 headers
    for sequence in (42, 43, 44):
        with pytest.raises(CorruptionError, match=f"sequence {sequence}"):
            replay(b"?" * 34 + frame(b"M", sequence, late, SALT))
    for sequence in (39, 40, 41, 45, 46, 2**63):
        assert is_torn(b"?" * 34 + frame(b"M", sequence, late, SALT), 0)


def test_a_promise_is_found_where_the_high_bytes_of_the_sequence_change() -> None:
    """A promise is found after 255 and 65,535, and if bytes are special in a regular expression."""
    for head in (8, 254, 255, 65_534, 2**32 - 2, 0x5B2E2A, 0x0A0A0A0A, 0x5D5E5C, 2**63 - 2):
        bad, promise = b"?" * 34, frame(b"M", head + 2, put("k", "v"), SALT)
        with pytest.raises(CorruptionError, match=f"sequence {head + 2}"):
            replay(bad + promise, sequence=head)


@pytest.mark.parametrize("kind", [b"S", b"H", b"X", b"m"])
def test_only_m_and_c_are_promises(kind: bytes) -> None:
    """Frames of other kinds in a tail prove nothing."""
    assert is_torn(b"?" * 50 + frame(kind, 42, put("k", "v"), SALT), 0)


def test_a_frame_of_another_log_is_no_promise() -> None:
    """A torn value may hold a whole frame of another store; its salt gives it away."""
    first, _ = frames("MM")

    def torn(salt: int) -> bytes:
        stored = frame(b"M", 43, put("k", "v"), salt)
        return first + frame(b"M", 42, put("copy", b"x" * 40 + stored + b"y" * 40), SALT)[:-1]

    assert is_torn(torn(SALT + 1), len(first))
    assert is_torn(torn(0), len(first))
    with pytest.raises(CorruptionError):
        replay(torn(SALT))


def test_a_promise_that_is_cut_or_damaged_is_none() -> None:
    """Two bad frames at the end are a torn tail."""
    first, second, third = frames("MMM")
    for bad in (third[:-1], flip_bit(third, 200), flip_bit(third, 40)):
        assert is_torn(first + flip_bit(second, 9) + bad, len(first))


@pytest.mark.parametrize("tail", [1, 16, 17, 24, 25, 33, 34])
def test_a_tail_too_short_for_a_promise_is_torn(tail: int) -> None:
    """No frame fits after a bad one in fewer bytes than two headers."""
    assert is_torn(b"M" * tail, 0)


@pytest.mark.parametrize("order", [(0, 2), (0, 0, 1), (1, 0), (0, 2, 1), (1, 2)])
def test_frames_lost_doubled_or_reordered_are_refused(order: tuple[int, ...]) -> None:
    """A sequence that doesn't follow the last one is damage."""
    parts = frames("MMM")
    with pytest.raises(CorruptionError, match="sequence"):
        replay(b"".join(parts[at] for at in order))


# --- the cost of the search -----------------------------------------------------------------------


def fake(sequence: int, length: int) -> bytes:
    """Return the header of a frame with a wrong checksum."""
    return struct.pack(">IIQ", 1, length, sequence) + b"M"


def overlapping(number: int) -> bytes:
    """Return headers that each claim everything that follows."""
    return b"".join(fake(42 + at % (number // 2), 17 * (number - at - 1)) for at in range(number))


def is_torn_cheaply(monkeypatch: pytest.MonkeyPatch, data: bytes) -> bool:
    """Return whether a log is a torn tail, and check how many bytes that checksums."""
    work = 0

    def counting(piece: bytes, seed: int = 0) -> int:
        nonlocal work
        work += len(piece)
        return crc32(piece, seed)

    with monkeypatch.context() as patched:
        patched.setattr(frame_module, "crc32", counting)
        try:
            torn = is_torn(data, 0)
        except CorruptionError as error:
            assert error.offset in (0, 4)  # the bad frame, or its length
            torn = False
    assert work <= 66 * len(data) + 1_000
    return torn


@pytest.mark.parametrize(("number", "torn"), [(100, True), (200, False), (100_000, False)])
def test_the_search_gives_up(monkeypatch: pytest.MonkeyPatch, number: int, torn: bool) -> None:
    """Overlapping frames would cost the square of their number; 64 times the tail is the limit."""
    assert is_torn_cheaply(monkeypatch, overlapping(number)) == torn


def test_a_cheap_search_does_not_give_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of fake frames are still a torn tail if they are short or run past the end."""
    for data in (b"".join(fake(42 + at, 0) for at in range(20_000)), fake(42, 2**32 - 1) * 5_000):
        assert is_torn_cheaply(monkeypatch, data)


@pytest.mark.parametrize("number", [10, 100, 1_000, 10_000])
def test_fake_frames_do_not_hide_a_true_one(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The search finds the acknowledged frame, or gives up; it never calls the tail torn."""
    data = overlapping(number) + frame(b"M", 42 + number // 2, put("a", "1"), SALT)
    assert not is_torn_cheaply(monkeypatch, data)


@pytest.mark.parametrize("unit", [b"M", b"\0", bytes(7) + b"*M", bytes(7) + b"*C", b"\0M"])
def test_sequences_that_match_everywhere(monkeypatch: pytest.MonkeyPatch, unit: bytes) -> None:
    """Bytes in which every offset could start a frame take no longer to search."""
    is_torn_cheaply(monkeypatch, b"?" + (unit * 100_000)[:100_000])
