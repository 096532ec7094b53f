"""The log, as bytes: what is replayed, what is a torn tail, and what is damage."""

import random
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.vocabulary import (
    AWKWARD,
    FIELDS,
    Field,
    delete,
    every_cut,
    flip_bit,
    frame,
    put,
)
from kvlib import CorruptionError, log
from kvlib.errors import TornError
from kvlib.log import Mutation, Replay

SALT = 0x5A17
SEQUENCE = 40  # of the head; the first frame behind it is 41
MUTATIONS = st.lists(st.tuples(FIELDS, FIELDS | st.none()), min_size=1, max_size=6)


def replay(data: bytes, offset: int = 0, sequence: int = SEQUENCE) -> tuple[Replay, dict[Any, Any]]:
    """What a log gives on top of nothing."""
    items: dict[Field, Field] = {}
    return log.replay(data, offset, sequence, SALT, items), items


def frames(*kinds: bytes) -> list[bytes]:
    """Frames with the sequences 41, 42 ..., each of which puts its number (counted from 0)."""
    return [
        frame(kind, SEQUENCE + 1 + at, b"" if kind == b"C" else put(f"k{at}", f"v{at}"), SALT)
        for at, kind in enumerate(kinds)
    ]


def payload_of(mutations: list[Mutation]) -> bytes:
    """The payload of these mutations."""
    return b"".join(delete(key) if value is None else put(key, value) for key, value in mutations)


# --- mutations ------------------------------------------------------------------------------------


def test_a_mutation_is_a_letter_and_its_fields() -> None:
    """Puts and deletes written out by hand are what the encoders make."""
    assert log.encode_put("k", b"v") == b"Ps\x00\x00\x00\x01kb\x00\x00\x00\x01v"
    assert log.encode_delete("café") == b"Ds\x00\x00\x00\x05caf\xc3\xa9"
    assert log.encode_delete(b"") == b"Db\x00\x00\x00\x00"


@given(MUTATIONS)
def test_any_mutations_come_back(mutations: list[Mutation]) -> None:
    """Fast and strict decoder agree on all that can be written, and keep every type."""
    payload = payload_of(mutations)
    decoded = log.decode_mutations(payload)
    assert [(type(key), key, value) for key, value in decoded] == [
        (type(key), key, value) for key, value in mutations
    ]
    steps = list(log.decode_steps(payload))
    assert [(step.key, step.value) for step in steps] == mutations
    assert [step.start for step in steps[1:]] == [step.end for step in steps[:-1]]
    assert (steps[0].start, steps[-1].end) == (0, len(payload))


def test_steps_know_where_their_fields_end() -> None:
    """The offsets of each field, worked by hand."""
    steps = list(log.decode_steps(put("k", b"") + delete(b"xyz")))
    assert steps == [(0, "k", 7, b"", 12), (12, b"xyz", 21, None, 21)]


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
        (b"", 0, "without a mutation"),
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
def test_each_flaw_of_a_payload_is_named_with_its_offset(
    payload: bytes, offset: int, word: str
) -> None:
    """Each way to be no list of mutations is a CorruptionError at its own offset."""
    with pytest.raises(CorruptionError, match=word) as caught:
        log.decode_mutations(payload)
    assert caught.value.offset == offset


@pytest.mark.parametrize("wrong", [0, None, True, bytearray(b"a"), ["a"]], ids=repr)
def test_only_str_and_bytes_are_logged(wrong: Any) -> None:
    """Another type is the caller's mistake."""
    attempts: list[Callable[[], object]] = [
        lambda: log.encode_put(wrong, "v"),
        lambda: log.encode_put("k", wrong),
        lambda: log.encode_delete(wrong),
    ]
    for encode in attempts:
        with pytest.raises(TypeError, match="str or bytes"):
            encode()


# --- replay ---------------------------------------------------------------------------------------


def test_an_empty_log_changes_nothing() -> None:
    """Behind the head nothing need follow."""
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


def test_awkward_keys_survive_a_replay() -> None:
    """Each awkward key keeps a value of its own, whichever came before it."""
    data = b"".join(frame(b"M", 41 + at, put(key, f"{at}"), SALT) for at, key in enumerate(AWKWARD))
    assert replay(data)[1] == {key: f"{at}" for at, key in enumerate(AWKWARD)}


def test_a_close_frame_is_seen_only_at_the_end() -> None:
    """A log goes on behind a close frame; closed is one that ends with it."""
    data = b"".join(frames(b"M", b"C"))
    assert replay(data)[0] == Replay(42, len(data), 1, True)
    data = b"".join(frames(b"M", b"C", b"M"))
    assert replay(data)[0] == Replay(43, len(data), 2, False)


def test_scan_gives_the_frames_one_by_one() -> None:
    """Each frame with its offsets, up to a torn tail."""
    parts = frames(b"M", b"m", b"C")
    data = b"".join(parts) + parts[0][:20]
    scanned = list(log.scan(data, 0, SEQUENCE, SALT))
    assert [data[found.start : found.end] for found in scanned] == parts
    assert [found.kind for found in scanned] == [b"M", b"m", b"C"]


# --- torn tails -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kinds", [(b"M", b"M", b"M"), (b"M", b"m", b"m"), (b"M", b"M", b"C")])
def test_a_torn_tail_is_dropped_at_every_cut(kinds: tuple[bytes, ...]) -> None:
    """Cut anywhere, a log gives the frames that are whole, and says where they end."""
    parts = frames(*kinds)
    data = b"".join(parts)
    ends = [0, len(parts[0]), len(parts[0]) + len(parts[1])]
    for prefix in every_cut(data):
        whole = sum(end <= len(prefix) for end in ends[1:])
        result, items = replay(prefix)
        assert result == Replay(SEQUENCE + whole, ends[whole], whole, False)
        assert items == {f"k{at}": f"v{at}" for at in range(whole)}


@pytest.mark.parametrize("filler", ["zeros", "garbage", "ones"])
def test_a_zeroed_or_garbled_tail_is_dropped_at_every_cut(filler: str) -> None:
    """The file may have grown before its bytes arrived; what stands there instead is no frame."""
    chance = random.Random(filler)
    fillers: dict[str, Callable[[int], bytes]] = {
        "zeros": bytes,
        "garbage": chance.randbytes,
        "ones": lambda length: b"\xff" * length,
    }
    fill = fillers[filler]
    first, last = frames(b"M", b"M")
    for prefix in every_cut(last):
        result, items = replay(first + prefix + fill(len(last) - len(prefix)))
        assert result == Replay(41, len(first), 1, False)
        assert items == {"k0": "v0"}


def test_every_flipped_bit_of_the_last_frame_is_a_torn_tail() -> None:
    """No later frame promises that the last one had arrived: it looks like a crash."""
    first, last = frames(b"M", b"M")
    for bit in range(8 * len(last)):
        assert replay(first + flip_bit(last, bit))[0] == Replay(41, len(first), 1, False)


def test_zeros_are_a_torn_tail_whatever_the_salt() -> None:
    """The one salt in 2**32 under which 13 zeros have the checksum zero makes no difference."""
    salt = 0x1F90F35A
    items: dict[Field, Field] = {}
    first = frame(b"M", 41, put("k", "v"), salt)
    data = first + bytes(20)
    assert log.replay(data, 0, SEQUENCE, salt, items) == Replay(41, len(first), 1, False)


# --- damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"M", b"C"])
def test_every_flipped_bit_before_a_promise_is_damage(end: bytes) -> None:
    """A later M or C says that this frame had been synced: its damage is refused, and located."""
    parts = frames(b"M", b"M", end)
    data = b"".join(parts)
    second, third = len(parts[0]), len(parts[0]) + len(parts[1])
    for bit in range(8 * third):
        start = 0 if bit < 8 * second else second
        with pytest.raises(CorruptionError, match="fsynced") as caught:
            replay(flip_bit(data, bit))
        assert caught.value.offset in (start, start + 4)


def test_the_reason_names_the_frame_that_gave_the_promise() -> None:
    """The evidence: where the later frame stands, and its sequence."""
    first, second, third = frames(b"M", b"M", b"M")
    data = first + flip_bit(second, 150) + third
    with pytest.raises(CorruptionError, match=rf"offset {len(first + second)} \(sequence 43\)"):
        replay(data)


def test_a_small_m_promises_nothing() -> None:
    """Frames written without an fsync between them may be lost in any order: a torn tail."""
    first, second, third, fourth = frames(b"M", b"m", b"m", b"m")
    for bit in range(8 * len(second)):
        result, items = replay(first + flip_bit(second, bit) + third + fourth)
        assert result == Replay(41, len(first), 1, False)
        assert items == {"k0": "v0"}


@pytest.mark.parametrize("promise", [b"M", b"C"])
def test_a_promise_counts_for_every_small_m_before_it(promise: bytes) -> None:
    """What an M or C follows had been synced, also when an m stands between."""
    first, second, third, fourth = frames(b"M", b"m", b"m", promise)
    for bit in range(8 * len(second)):
        with pytest.raises(CorruptionError, match="sequence 44"):
            replay(first + flip_bit(second, bit) + third + fourth)


def test_a_gap_of_zeros_before_a_promise_is_damage() -> None:
    """A block that was synced and is zero now is damage, not a tail."""
    first, second, third = frames(b"M", b"M", b"M")
    with pytest.raises(CorruptionError) as caught:
        replay(first + bytes(len(second)) + third)
    assert caught.value.offset == len(first)


def test_a_promise_is_found_at_any_distance_within_the_tail() -> None:
    """Bytes that were lost or put in do not hide the later frame: it needn't stand in its place."""
    first, second, third = frames(b"M", b"M", b"M")
    for spoilt in (second[:-1], second[:20], b"?" + second, second[1:], b"?" * 1000, b"M"):
        with pytest.raises(CorruptionError, match="fsynced"):
            replay(first + spoilt + third)


def test_the_expected_sequence_itself_is_no_promise() -> None:
    """A frame says that those before it had been synced, and nothing of itself."""
    data = b"?" * 50
    assert replay(data + frame(b"M", 41, put("k", "v"), SALT))[0].end == 0
    with pytest.raises(CorruptionError):
        replay(data + frame(b"M", 42, put("k", "v"), SALT))


def test_a_sequence_further_off_than_the_bytes_allow_is_no_promise() -> None:
    """Each frame between takes 17 bytes or more, so 64 bytes reach sequence 41 + 3 and no more."""
    late = put("k", "v")  # 13 bytes; its frame 30; with 34 of rubbish 64
    for sequence in (42, 43, 44):
        with pytest.raises(CorruptionError, match=f"sequence {sequence}"):
            replay(b"?" * 34 + frame(b"M", sequence, late, SALT))
    for sequence in (39, 40, 41, 45, 46, 2**63):
        assert replay(b"?" * 34 + frame(b"M", sequence, late, SALT))[0].end == 0


def test_a_promise_is_found_where_the_high_bytes_of_the_sequence_change() -> None:
    """The search goes past 255, 65,535, and past bytes that mean something in a pattern."""
    for head in (8, 254, 255, 65_534, 2**32 - 2, 0x5B2E2A, 0x0A0A0A0A, 0x5D5E5C, 2**63 - 2):
        bad, promise = b"?" * 34, frame(b"M", head + 2, put("k", "v"), SALT)
        with pytest.raises(CorruptionError, match=f"sequence {head + 2}"):
            replay(bad + promise, sequence=head)


@pytest.mark.parametrize("kind", [b"S", b"H", b"X", b"m"])
def test_only_m_and_c_are_promises(kind: bytes) -> None:
    """Frames of other kinds, should they stand in a tail, prove nothing."""
    assert replay(b"?" * 50 + frame(kind, 42, put("k", "v"), SALT))[0].end == 0


def test_a_frame_of_another_log_is_no_promise() -> None:
    """A torn value may hold a whole frame of another store: its salt gives it away."""
    first, _ = frames(b"M", b"M")
    for salt, refused in ((SALT + 1, False), (0, False), (SALT, True)):
        stored = frame(b"M", 43, put("k", "v"), salt)
        torn = frame(b"M", 42, put("copy", b"x" * 40 + stored + b"y" * 40), SALT)[:-1]
        if refused:
            with pytest.raises(CorruptionError):
                replay(first + torn)
        else:
            assert replay(first + torn)[0] == Replay(41, len(first), 1, False)


def test_a_promise_that_is_cut_or_damaged_is_none() -> None:
    """Only a whole frame counts, so two bad frames at the end are a torn tail."""
    first, second, third = frames(b"M", b"M", b"M")
    for bad in (third[:-1], flip_bit(third, 200), flip_bit(third, 40)):
        assert replay(first + flip_bit(second, 9) + bad)[0].end == len(first)


@pytest.mark.parametrize("tail", [1, 16, 17, 24, 25, 33, 34])
def test_a_tail_too_short_for_a_promise_is_torn(tail: int) -> None:
    """Whatever stands in fewer bytes than two headers, no frame is behind a bad one."""
    assert replay(b"M" * tail)[0].end == 0


def hostile_tail(places: int) -> bytes:
    """A bad frame, then headers that all look right and claim nearly all the rest."""
    size = 17 * (places + 1)
    tail = bytearray(b"?" * 17)
    for at in range(places):
        length = size - 17 * (at + 2)
        tail += struct.pack(">IIQc", 0, length, 42 + at % (size // 17 - 1), b"M")
    return bytes(tail)


def test_the_search_spends_64_times_the_tail_and_no_more() -> None:
    """Hundreds of places that claim half a tail on average: 100 are torn, 200 are refused."""
    assert replay(hostile_tail(100))[0].end == 0
    with pytest.raises(CorruptionError, match="searching") as caught:
        replay(hostile_tail(200))
    assert caught.value.offset in (0, 4)  # the bad frame, or its length


def test_a_place_whose_length_runs_past_the_end_costs_nothing() -> None:
    """A claim that can't be true is not summed, so thousands of them are still a torn tail."""
    claim = struct.pack(">IIQc", 0, 2**32 - 1, 42, b"M")
    assert replay(claim * 5000)[0].end == 0


# --- what no writer writes ------------------------------------------------------------------------


@pytest.mark.parametrize("sequence", [0, 39, 40, 42, 43, 2**63])
@pytest.mark.parametrize("kind", [b"M", b"m", b"C"])
def test_a_whole_frame_with_the_wrong_sequence_is_refused(kind: bytes, sequence: int) -> None:
    """Lost, doubled or reordered frames are damage, in the last place too."""
    payload = b"" if kind == b"C" else put("k", "v")
    with pytest.raises(CorruptionError, match=f"sequence {sequence}, expected 41") as caught:
        replay(b"xx" + frame(kind, sequence, payload, SALT), 2)
    assert caught.value.offset == 2 + 8
    assert not isinstance(caught.value, TornError)


@pytest.mark.parametrize("order", [(0, 2), (0, 0, 1), (1, 0), (0, 2, 1), (1, 2)])
def test_frames_lost_doubled_or_reordered_are_refused(order: tuple[int, ...]) -> None:
    """The numbers must follow one another without a gap."""
    parts = frames(b"M", b"M", b"M")
    with pytest.raises(CorruptionError, match="sequence"):
        replay(b"".join(parts[at] for at in order))


@pytest.mark.parametrize("kind", [b"H", b"S"])
def test_heads_and_segments_are_refused_inside_a_log(kind: bytes) -> None:
    """Only mutations and closes follow the head."""
    with pytest.raises(CorruptionError, match="kind") as caught:
        replay(frame(kind, 41, put("k", "v"), SALT))
    assert caught.value.offset == 16


def test_an_unknown_kind_is_refused_inside_a_log() -> None:
    """A whole frame of an unknown kind is no torn tail: dropping it could drop what it means."""
    with pytest.raises(CorruptionError, match="kind") as caught:
        replay(frame(b"X", 41, put("k", "v"), SALT))
    assert caught.value.offset == 16


def test_a_close_with_a_payload_is_refused() -> None:
    """A close says nothing but that it is one."""
    with pytest.raises(CorruptionError, match="close") as caught:
        replay(frame(b"C", 41, put("k", "v"), SALT))
    assert caught.value.offset == 4


def test_a_flaw_inside_a_whole_frame_is_located_in_the_file() -> None:
    """The offset of a wrong mutation counts from the file's start, 17 bytes into its frame."""
    first = frame(b"M", 41, put("k", "v"), SALT)
    bad = frame(b"M", 42, put("k", "v") + b"?", SALT)
    with pytest.raises(CorruptionError, match="operation") as caught:
        replay(b"xx" + first + bad, 2)
    assert caught.value.offset == 2 + 30 + 17 + 13


def test_a_mutations_frame_without_mutations_is_refused() -> None:
    """An empty batch writes nothing, so an empty frame is none of ours."""
    with pytest.raises(CorruptionError, match="without a mutation"):
        replay(frame(b"M", 41, b"", SALT))


@given(st.binary(max_size=120), st.integers(0, 2**63))
def test_hostile_logs_are_replayed_or_refused(data: bytes, sequence: int) -> None:
    """Any bytes end in a result or a CorruptionError at an offset within them."""
    try:
        result, _ = replay(data, 0, sequence)
    except CorruptionError as error:
        offset = error.offset
    else:
        assert (result.end, result.mutations) == (0, 0)
        offset = result.end
    assert 0 <= offset <= len(data)


@given(st.data())
def test_hostile_but_sealed_frames_are_replayed_or_refused(data: st.DataObject) -> None:
    """Frames with good checksums and any content, with bytes changed here and there, end well."""
    parts = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from([b"M", b"m", b"C", b"H", b"\0"]),
                st.integers(40, 44),
                st.just(b"") | st.just(put("k", "v")) | st.binary(max_size=12),
            ),
            max_size=5,
        )
    )
    log_ = bytearray(b"".join(frame(*part, SALT) for part in parts))
    for at in data.draw(st.lists(st.integers(0, 200), max_size=2)):
        if at < len(log_):
            log_[at] ^= 0x10
    try:
        offset = replay(bytes(log_))[0].end
    except CorruptionError as error:
        offset = error.offset
    assert 0 <= offset <= len(log_)


def test_applying_twice_is_applying_once() -> None:
    """A store that was interrupted while it applied may begin again."""
    mutations: list[Mutation] = [("a", "1"), ("b", None), ("a", None), ("c", b"3"), ("c", "4")]
    once: dict[Field, Field] = {"b": "0", "d": "0"}
    log.apply(mutations, once)
    twice = dict(once)
    log.apply(mutations, twice)
    assert once == twice == {"c": "4", "d": "0"}
